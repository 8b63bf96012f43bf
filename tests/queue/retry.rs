//! QueueRetry: what failed for the time being is tried again, and who got it does not get it twice.

use super::*;
use std::time::Duration;

fn sender(server: &Server, retry: &str) -> Handle {
    let handle = Handle::to(server.port());
    handle.config(&format!("QueueRetry={retry}")).unwrap();
    handle
}

#[test]
fn a_temporary_refusal_leaves_the_file_queued_until_its_time() {
    let (folder, server) = (Folder::temporary(), server("PIPELINING", &["MAIL@2:b@client=451 4.7.1 greylisted"]));
    let names = fill(&folder, &["a", "b"]);
    let handle = sender(&server, "1;2");
    process(&handle, &folder).unwrap();
    assert_eq!(arrived(&server).join(" "), "a");
    let state = names[1].replace(".queued", ".retry");
    assert_eq!(folder.names(), [names[1].clone(), state.clone()]);
    let told = errors(&handle);
    assert!(told.len() == 1 && told[0].starts_with(&format!("161 {}: put off for 1 s", names[1])), "{told:?}");
    let connections = server.commands().len();
    process(&handle, &folder).unwrap();
    assert_eq!(server.commands().len(), connections, "it is not due, and nobody connects for it");
    std::thread::sleep(Duration::from_millis(2100));
    process(&handle, &folder).unwrap();
    assert!(errors(&handle)[1].contains("put off for 2 s"), "{:?}", errors(&handle));
    assert!(!String::from_utf8(folder.read(&state)).unwrap().contains("example"), "it shows no address");
    // Without QueueRetry nobody waits.
    process(&Handle::to(server.port()), &folder).unwrap();
    assert_eq!((arrived(&server).join(" ").as_str(), folder.names().len()), ("a b", 0), "with its state");
}

#[test]
fn a_file_that_is_too_old_is_given_up() {
    let (folder, server) = (Folder::temporary(), server("", &["MAIL:=451 no"]));
    fill(&folder, &["a"]);
    let handle = sender(&server, "5;5;4");
    process(&handle, &folder).unwrap();
    assert_eq!(folder.extensions().join(" "), "failed");
    assert!(errors(&handle)[0].contains("given up after 1 attempts"), "{:?}", errors(&handle));
}

#[test]
fn a_permanent_refusal_is_not_tried_again() {
    let (folder, server) = (Folder::temporary(), server("", &["MAIL:=550 no"]));
    fill(&folder, &["a"]);
    process(&sender(&server, "1"), &folder).unwrap();
    assert_eq!(folder.extensions().join(" "), "failed");
}

#[test]
fn who_got_the_message_does_not_get_it_twice() {
    let faults = ["RCPT@1:later@=451 4.2.1 busy", "RCPT:never@=550 5.1.1 unknown"];
    let (folder, server) = (Folder::temporary(), server("PIPELINING", &faults));
    let message = message("a", "Hi\r\n");
    message.must_set("SendTo", "now@server.example, later@server.example, never@server.example");
    queue(&message, folder.path()).unwrap();
    let handle = sender(&server, "0;0");
    handle.config("StopOnToErrors=False").unwrap();
    process(&handle, &folder).unwrap();
    assert_eq!(folder.extensions().join(" "), "queued retry");
    process(&handle, &folder).unwrap();
    assert!(folder.names().is_empty(), "{:?}", folder.names());
    let to: Vec<Vec<String>> = server.messages().into_iter().map(|m| m.rcpt_to).collect();
    let expected = [vec!["RCPT TO:<now@server.example>"], vec!["RCPT TO:<later@server.example>"]];
    assert_eq!(to, expected);
    let asked = server.commands().concat().iter().filter(|c| c.contains("never@")).count();
    assert_eq!(asked, 1, "who was refused for good is not asked for again");
}

#[test]
fn a_lost_connection_before_the_end_is_tried_again_and_one_behind_it_is_not() {
    let (folder, server) = (Folder::temporary(), server("", &["MAIL@1:a@client=close", "DATA-END@1:b@client=close"]));
    fill(&folder, &["a", "c", "b", "d"]);
    let handle = sender(&server, "0;0");
    process(&handle, &folder).unwrap();
    process(&handle, &folder).unwrap();
    assert_eq!((arrived(&server).join(" ").as_str(), folder.extensions().join(" ").as_str()), ("c d a", "sending"));
}

#[test]
fn a_limit_of_recipients_splits_a_file_and_each_part_counts() {
    // Two recipients a transaction, and the second transaction is refused for the time being.
    let (folder, server) = (Folder::temporary(), server("PIPELINING,LIMITS RCPTMAX=2", &["RCPT@1:three@=451 busy"]));
    let message = message("a", "Hi\r\n");
    message.must_set("SendTo", "one@server.example, two@server.example, three@server.example");
    queue(&message, folder.path()).unwrap();
    let handle = sender(&server, "0;0");
    process(&handle, &folder).unwrap();
    assert_eq!(folder.extensions().join(" "), "queued retry", "{:?}", errors(&handle));
    process(&handle, &folder).unwrap();
    let to: Vec<usize> = server.messages().iter().map(|m| m.rcpt_to.len()).collect();
    assert_eq!((to, folder.names().len()), (vec![2, 1], 0));
}

#[test]
fn a_failed_file_that_is_queued_again_by_hand_goes_to_the_others_only() {
    let (folder, server) = (Folder::temporary(), server("PIPELINING,LIMITS RCPTMAX=1", &["RCPT@1:two@=550 no"]));
    let message = message("a", "Hi\r\n");
    message.must_set("SendTo", "one@server.example, two@server.example");
    let name = queue(&message, folder.path()).unwrap();
    let handle = Handle::to(server.port());
    process(&handle, &folder).unwrap();
    assert_eq!(folder.extensions().join(" "), "failed retry");
    let failed = folder.0.join(name.replace(".queued", ".failed"));
    std::fs::rename(&failed, failed.with_extension("queued")).unwrap();
    process(&handle, &folder).unwrap();
    let to: Vec<String> = server.messages().into_iter().flat_map(|m| m.rcpt_to).collect();
    assert_eq!(
        (to.join(" ").as_str(), folder.names().len()),
        ("RCPT TO:<one@server.example> RCPT TO:<two@server.example>", 0)
    );
}

#[test]
fn what_is_remembered_of_another_file_or_damaged_sends_nothing() {
    let (folder, server) = (Folder::temporary(), server("", &["MAIL@1=451 no"]));
    let names = fill(&folder, &["a", "b"]);
    let handle = sender(&server, "0;0");
    process(&handle, &folder).unwrap();
    assert_eq!(arrived(&server).join(" "), "b");
    let state = folder.0.join(names[0].replace(".queued", ".retry"));
    let kept = std::fs::read_to_string(&state).unwrap();
    let more = fill(&folder, &["c", "d"]);
    std::fs::write(folder.0.join(more[0].replace(".queued", ".retry")), &kept).unwrap();
    std::fs::write(folder.0.join(more[1].replace(".queued", ".retry")), kept.replace("Done: ", "Done: 0")).unwrap();
    process(&handle, &folder).unwrap();
    assert_eq!(arrived(&server).join(" "), "b a");
    assert_eq!(folder.extensions().iter().filter(|e| *e == "failed").count(), 2);
}
