//! ssmtp_send_all: what no transcript can show. Conversations are in tests/transcripts/batch_*.

mod common;

use common::Handle;
use ssmtp::ffi::*;
use std::time::Duration;
use xtask::server::{Options, Server};

fn server(extensions: &str, faults: &[&str]) -> Server {
    let options = Options::default().offer(extensions);
    Server::start(faults.iter().fold(options, |o, f| o.fault(f))).expect("a port is free")
}

fn message(to: &str, text: &str) -> Handle {
    let handle = Handle::new();
    for (name, value) in [("From", "a@client.example"), ("SendTo", to), ("Subject", to), ("MessageText", text)] {
        handle.must_set(name, value);
    }
    handle
}

#[test]
fn arguments_are_refused_before_anything_is_done() {
    let server = server("PIPELINING", &[]);
    let sender = Handle::to(server.port());
    let one = message("b@server.example", "Hi\r\n");
    let (handles, mut results) = ([one.raw()], [7]);
    let dead = Handle::new().raw();
    // SAFETY: NULL, or as many handles and places as are told.
    unsafe {
        assert_eq!(ssmtp_send_all(std::ptr::null_mut(), handles.as_ptr(), 1, results.as_mut_ptr()), 601);
        assert_eq!(ssmtp_send_all(sender.raw(), std::ptr::null(), 1, results.as_mut_ptr()), 601);
        assert_eq!(ssmtp_send_all(sender.raw(), handles.as_ptr(), 1, std::ptr::null_mut()), 601);
        assert_eq!(ssmtp_send_all(dead, handles.as_ptr(), 1, results.as_mut_ptr()), 608);
        assert_eq!(ssmtp_send_all(sender.raw(), std::ptr::null(), 0, std::ptr::null_mut()), 0);
        let lost = Handle::new();
        assert_eq!(ssmtp_send_all(lost.raw(), handles.as_ptr(), 1, results.as_mut_ptr()), 163);
    }
    assert_eq!(results, [7]);
    assert_eq!(server.count(), 0);
}

#[test]
fn a_dead_or_null_handle_among_the_messages_is_its_own_result() {
    let server = server("PIPELINING", &[]);
    let sender = Handle::to(server.port());
    let one = message("b@server.example", "Hi\r\n");
    let dead = Handle::new().raw();
    let handles = [dead, one.raw(), std::ptr::null_mut(), one.raw()];
    let mut results = [7; 4];
    // SAFETY: four of each.
    let code = unsafe { ssmtp_send_all(sender.raw(), handles.as_ptr(), 4, results.as_mut_ptr()) };
    assert_eq!((code, results), (608, [608, 0, 601, 0]));
    let messages = server.messages();
    assert_eq!(messages.len(), 2);
    let id = |n: usize| {
        let text = String::from_utf8_lossy(&messages[n].data).into_owned();
        text.lines().find(|l| l.starts_with("Message-ID:")).unwrap().to_string()
    };
    assert_ne!(id(0), id(1), "each sending has a Message-ID of its own");
}

#[test]
fn the_sender_itself_may_be_one_of_the_messages() {
    let server = server("PIPELINING", &[]);
    let sender = message("b@server.example", "Hi\r\n");
    sender.must_set("MailServer", "127.0.0.1");
    sender.must_set("MailPort", &server.port().to_string());
    let other = message("c@server.example", "Hi\r\n");
    assert_eq!(sender.send_all(&[&other, &sender, &other]), (0, vec![0, 0, 0]));
    assert_eq!(sender.get("RecipientResultAccepted[0]").unwrap(), "True");
    assert_eq!(server.commands().len(), 1, "one connection");
}

#[test]
fn messages_of_every_size_and_source_arrive_whole_and_in_order() {
    for extensions in ["", "PIPELINING", "PIPELINING,CHUNKING", "CHUNKING"] {
        for (deaf, ahead) in [(false, 0), (true, 0), (true, 1), (true, 3)] {
            let server = server(extensions, &[]);
            let sender = Handle::to(server.port());
            if deaf {
                sender.deafen();
            }
            sender.config(&format!("BdatAhead={ahead}")).unwrap();
            let line = "..dots and 0123456789abcdef0123456789abcdef\r\n";
            let texts = ["", "x", line, &line.repeat(100), &line.repeat(50_000), ".", "last\r\n"];
            let mut messages: Vec<Handle> = texts.iter().map(|t| message("b@server.example", t)).collect();
            let streamed = message("b@server.example", "before\r\n");
            streamed.stream(line.repeat(20_000).into_bytes()).unwrap();
            messages.insert(3, streamed);
            let (code, results) = sender.send_all(&messages.iter().collect::<Vec<_>>());
            assert_eq!((code, results), (0, vec![0; 8]), "{extensions}: {}", sender.last_error());
            let got = server.messages();
            let body = |n: usize| {
                let text = String::from_utf8_lossy(&got[n].data).into_owned();
                text.split_once("\r\n\r\n").unwrap().1.to_string()
            };
            let streamed = format!("before\r\n{}", line.repeat(20_000));
            for (n, wanted) in ["", "x", line, &streamed, texts[3], texts[4], ".", texts[6]].iter().enumerate() {
                let wanted = if wanted.is_empty() || wanted.ends_with("\r\n") {
                    wanted.to_string()
                } else {
                    format!("{wanted}\r\n")
                };
                assert!(
                    body(n) == wanted,
                    "{extensions}, deaf {deaf}, {ahead} ahead: message {n} of {} bytes",
                    body(n).len()
                );
            }
        }
    }
}

#[test]
fn an_interrupt_ends_the_batch_and_tells_what_was_not_begun() {
    let server = server("PIPELINING", &["DATA-END@1:c@client=stall"]);
    let sender = Handle::to(server.port());
    let messages = ["a", "c", "d", "e"].map(|name| {
        let made = message("b@server.example", "Hi\r\n");
        made.must_set("From", &format!("{name}@client.example"));
        made
    });
    let (code, results) = std::thread::scope(|scope| {
        scope.spawn(|| {
            assert!(server.wait(1, Duration::from_secs(10)));
            std::thread::sleep(Duration::from_millis(100));
            // While it runs, another method finds the handle busy.
            assert_eq!(sender.call("Connect", "").unwrap_err().code, 166);
            sender.call("Interrupt", "").unwrap();
        });
        sender.send_all(&messages.iter().collect::<Vec<_>>())
    });
    assert_eq!((code, results), (301, vec![0, 610, 301, 301]));
    assert_eq!(sender.get("Connected").unwrap(), "False");
    // The handle works afterwards.
    assert_eq!(sender.send_all(&[&messages[2]]), (0, vec![0]));
}

#[test]
fn a_message_whose_reply_never_comes_is_610_and_the_next_ones_go_on() {
    for fault in ["DATA-END@1:c@client=stall", "DATA-END@1:c@client=reset", "DATA-END@1:c@client=close"] {
        let server = server("PIPELINING", &[fault]);
        let sender = Handle::to(server.port());
        sender.must_set("Timeout", "1");
        let messages = ["a", "c", "d"].map(|name| {
            let made = message("b@server.example", "Hi\r\n");
            made.must_set("From", &format!("{name}@client.example"));
            made
        });
        let (code, results) = sender.send_all(&messages.iter().collect::<Vec<_>>());
        assert_eq!((code, results), (610, vec![0, 610, 0]), "{fault}");
        assert_eq!(server.count(), 2, "{fault}: it is not sent again");
        assert_eq!(server.commands().len(), 2, "{fault}: two connections");
    }
}

#[test]
fn an_error_handler_of_the_sender_may_stop_the_batch() {
    unsafe extern "C" fn stop(_: *mut ssmtp_t, _: *mut ssmtp_error_event, _: *mut std::ffi::c_void) -> i32 {
        1
    }
    let server = server("PIPELINING", &["RCPT:bad@=550 no"]);
    let sender = Handle::to(server.port());
    // SAFETY: the function needs no data.
    unsafe { ssmtp_on_error(sender.raw(), Some(stop), std::ptr::null_mut()) };
    let messages = ["a", "bad", "c", "d"].map(|name| message(&format!("{name}@server.example"), "Hi\r\n"));
    let (code, results) = sender.send_all(&messages.iter().collect::<Vec<_>>());
    assert_eq!((code, results[..2].to_vec(), results[3]), (301, vec![0, 161], 301));
}
