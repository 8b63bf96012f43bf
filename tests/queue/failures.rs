//! What becomes of the files when the server, the network or the caller gets in the way.

use super::*;
use std::time::Duration;

#[test]
fn a_refused_file_is_failed_and_told_of_and_the_rest_goes_on() {
    for (extensions, fault) in [
        ("PIPELINING", "MAIL:b@client=550 5.7.1 no"),
        ("", "MAIL:b@client=451 later"),
        ("PIPELINING", "DATA-END@1:b@client=554 spam"),
        ("", "DATA-END@1:b@client=452 full"),
        ("PIPELINING,CHUNKING", "DATA-END@1:b@client=554 spam"),
    ] {
        let (folder, server) = (Folder::temporary(), server(extensions, &[fault]));
        let names = fill(&folder, &["a", "b", "c", "d"]);
        let handle = Handle::to(server.port());
        process(&handle, &folder).unwrap();
        assert_eq!(arrived(&server).join(" "), "a c d", "{fault}");
        let failed = names[1].replace(".queued", ".failed");
        assert_eq!(folder.names(), std::slice::from_ref(&failed), "{fault}");
        let errors = errors(&handle);
        assert!(errors.len() == 1 && errors[0].starts_with(&format!("161 {failed}: ")), "{fault}: {errors:?}");
    }
}

#[test]
fn a_refused_recipient_stops_the_file_or_not_as_the_settings_say() {
    for (setting, state, count) in [("True", "failed", 0), ("False", "", 1)] {
        let (folder, server) = (Folder::temporary(), server("PIPELINING", &["RCPT:copy@=550 no"]));
        let handle = message("a", "Hi\r\n");
        handle.must_set("Cc", "copy@server.example");
        queue(&handle, folder.path()).unwrap();
        let sender = Handle::to(server.port());
        sender.config(&format!("StopOnCcErrors={setting}")).unwrap();
        process(&sender, &folder).unwrap();
        assert_eq!((folder.extensions().join(" ").as_str(), server.count()), (state, count), "{setting}");
        assert_eq!(errors(&sender).len(), 1);
    }
}

#[test]
fn a_server_that_cannot_be_reached_or_refuses_the_login_leaves_the_files_queued() {
    let folder = Folder::temporary();
    let names = fill(&folder, &["a", "b"]);
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    assert_eq!(process(&Handle::to(closed), &folder).unwrap_err().code, 10061);
    assert_eq!(folder.names(), names);
    let server = Server::start(Options { auth: Some(("u".into(), "p".into())), ..Options::default() }).unwrap();
    let handle = Handle::to(server.port());
    handle.must_set("User", "u");
    handle.must_set("Password", "wrong");
    assert_eq!(process(&handle, &folder).unwrap_err().code, 161);
    assert_eq!(folder.names(), names);
    assert!(errors(&handle).is_empty());
    assert_eq!(process(&Handle::new(), &folder).unwrap_err().code, 163);
    handle.must_set("Password", "p");
    process(&handle, &folder).unwrap();
    assert_eq!((server.count(), folder.names().len()), (2, 0));
}

#[test]
fn a_connection_lost_at_any_point_loses_nothing_and_sends_nothing_twice() {
    for extensions in ["", "PIPELINING", "PIPELINING,CHUNKING"] {
        for point in ["MAIL", "RCPT", "DATA-END"] {
            for action in ["close", "reset", "421 going down"] {
                let by = if point == "RCPT" { "b@server" } else { "b@client" };
                let fault = format!("{point}@1:{by}={action}");
                let (folder, server) = (Folder::temporary(), server(extensions, &[&fault]));
                for name in ["a", "b", "c"] {
                    let handle = message(name, "Hi\r\n");
                    handle.must_set("SendTo", &format!("{name}@server.example"));
                    queue(&handle, folder.path()).unwrap();
                }
                let handle = Handle::to(server.port());
                let done = process(&handle, &folder);
                let (got, left) = (arrived(&server).join(" "), folder.extensions().join(" "));
                let what = format!("{extensions}: {fault}: {got} / {left} / {done:?} / {:?}", errors(&handle));
                let unknown = point == "DATA-END" && action != "421 going down";
                if unknown {
                    // Given whole and never answered: nobody knows, so nobody decides.
                    assert_eq!((got.as_str(), left.as_str()), ("a c", "sending"), "{what}");
                    assert!(errors(&handle)[0].starts_with("610 "), "{what}");
                } else if got == "a b c" {
                    // Said ahead behind another message: it went again, for nothing of it was given.
                    assert_eq!(left, "", "{what}");
                } else {
                    assert_eq!((got.as_str(), left.as_str()), ("a c", "failed"), "{what}");
                    assert_eq!(errors(&handle).len(), 1, "{what}");
                }
                done.unwrap();
            }
        }
    }
}

#[test]
fn a_server_that_goes_away_for_good_leaves_the_rest_queued() {
    let (folder, server) = (Folder::temporary(), server("PIPELINING", &["GREETING:=421 no", "MAIL:=close"]));
    let names = fill(&folder, &["a", "b", "c"]);
    let handle = Handle::to(server.port());
    assert_eq!(process(&handle, &folder).unwrap_err().code, 161);
    assert_eq!(folder.names(), names);
}

#[test]
fn what_was_sent_before_the_server_went_away_is_not_sent_again() {
    let mut server = server("PIPELINING", &["MAIL:b@client=close"]);
    let folder = Folder::temporary();
    fill(&folder, &["a", "b", "c"]);
    let handle = Handle::to(server.port());
    let done = process(&handle, &folder);
    let left = folder.extensions();
    assert!(arrived(&server).starts_with(&["a".into()]), "{done:?} {left:?}");
    assert!(left.iter().all(|e| e == "failed" || e == "queued"), "{done:?} {left:?}");
    server.stop();
    let again = super::server("PIPELINING", &[]);
    for name in folder.names() {
        std::fs::rename(folder.0.join(&name), folder.0.join(name.replace(".failed", ".queued"))).unwrap();
    }
    process(&Handle::to(again.port()), &folder).unwrap();
    let mut all = [arrived(&server), arrived(&again)].concat();
    all.sort();
    assert_eq!(all.join(" "), "a b c");
}

#[test]
fn an_interrupt_leaves_the_file_of_unknown_fate_sending_and_the_rest_queued() {
    for (fault, sending, queued) in
        [("DATA-END@1:b@client=stall", 1, 2), ("MAIL@1:b@client=stall", 0, 3), ("RCPT@1:to@server=stall", 0, 4)]
    {
        let (folder, server) = (Folder::temporary(), server("PIPELINING", &[fault]));
        fill(&folder, &["a", "b", "c", "d"]);
        let handle = Handle::to(server.port());
        let done = std::thread::scope(|scope| {
            scope.spawn(|| {
                server.wait(if queued == 4 { 0 } else { 1 }, Duration::from_secs(10));
                std::thread::sleep(Duration::from_millis(300));
                handle.call("Interrupt", "").unwrap();
            });
            process(&handle, &folder)
        });
        assert_eq!(done.unwrap_err().code, 301, "{fault}");
        let count = |what: &str| folder.extensions().iter().filter(|e| *e == what).count();
        assert_eq!((count("sending"), count("queued")), (sending, queued), "{fault}: {:?}", folder.names());
        process(&handle, &folder).unwrap();
        assert_eq!(folder.names().len(), sending, "{fault}: what nobody knows is not sent again by itself");
    }
}

#[test]
fn an_error_handler_may_stop_the_queue() {
    unsafe extern "C" fn stop(_: *mut ssmtp_t, _: *mut ssmtp_error_event, _: *mut std::ffi::c_void) -> i32 {
        1
    }
    let (folder, server) = (Folder::temporary(), server("PIPELINING", &["MAIL:b@client=550 no"]));
    fill(&folder, &["a", "b", "c", "d", "e"]);
    let handle = Handle::to(server.port());
    // SAFETY: the function needs no data.
    unsafe { ssmtp_on_error(handle.raw(), Some(stop), std::ptr::null_mut()) };
    assert_eq!(process(&handle, &folder).unwrap_err().code, 301);
    let left = folder.extensions().join(" ");
    assert!(["failed queued queued queued", "failed queued queued"].contains(&left.as_str()), "{left}");
    assert!(!left.contains("sending"));
}

#[test]
fn files_of_unknown_fate_are_listed_queued_again_or_given_up_on_request() {
    let (folder, server) =
        (Folder::temporary(), server("", &["DATA-END@1:b@client=close", "DATA-END@1:c@client=close"]));
    let names = fill(&folder, &["a", "b"]);
    let handle = Handle::to(server.port());
    process(&handle, &folder).unwrap();
    let sending = names[1].replace(".queued", ".sending");
    assert_eq!(handle.config("QueueRecovery").unwrap(), "List");
    assert_eq!(recover(&handle, folder.path()).unwrap(), sending);
    assert_eq!(folder.names(), [sending]);
    handle.config("QueueRecovery=Requeue").unwrap();
    assert_eq!(recover(&handle, folder.path()).unwrap(), names[1]);
    process(&handle, &folder).unwrap();
    assert_eq!(arrived(&server).join(" "), "a b");
    fill(&folder, &["c"]);
    process(&handle, &folder).unwrap();
    handle.config("QueueRecovery=Fail").unwrap();
    let failed = recover(&handle, folder.path()).unwrap();
    assert!(failed.ends_with(".failed") && folder.names() == [failed]);
    assert_eq!(recover(&handle, folder.path()).unwrap(), "");
    assert_eq!(handle.config("QueueRecovery=Perhaps").unwrap_err().code, 603);
    assert_eq!(recover(&handle, "/nowhere").unwrap_err().code, 303);
}

#[test]
fn a_handler_that_takes_the_file_away_or_queues_another_one_does_no_harm() {
    unsafe extern "C" fn meddle(_: *mut ssmtp_t, e: *mut ssmtp_pi_trail_event, data: *mut std::ffi::c_void) -> i32 {
        // SAFETY: the test's folder outlives the handle, and the event is whole.
        let (folder, line) = unsafe { (&*data.cast::<Folder>(), CStr::from_ptr((*e).message).to_bytes().to_vec()) };
        if line.starts_with(b"MAIL FROM:<a@") {
            let own: Vec<String> = folder.names().into_iter().filter(|n| n.ends_with(".sending")).collect();
            std::fs::remove_file(folder.0.join(&own[0])).unwrap();
            queue(&message("late", "Hi\r\n"), folder.path()).unwrap();
        } else if line.starts_with(b"MAIL FROM:<b@") {
            let own: Vec<String> = folder.names().into_iter().filter(|n| n.ends_with(".sending")).collect();
            let last = own.last().unwrap();
            std::fs::rename(folder.0.join(last), folder.0.join("moved.away")).unwrap();
        }
        0
    }
    let (folder, server) = (Folder::temporary(), server("PIPELINING", &[]));
    fill(&folder, &["a", "b", "c"]);
    let handle = Handle::to(server.port());
    // SAFETY: the folder outlives the handle.
    unsafe { ssmtp_on_pi_trail(handle.raw(), Some(meddle), (&raw const folder).cast_mut().cast()) };
    process(&handle, &folder).unwrap();
    assert_eq!(arrived(&server).join(" "), "a b c");
    assert_eq!(folder.extensions().join(" "), "queued away", "the late one waits for the next call");
}
