//! Servers that do not end, do not speak, speak too much or at the wrong time: test catalogue A, what no transcript can show.

mod common;

use common::{Failure, Handle};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use xtask::server::{Options, Server};

fn server(extensions: &str, faults: &[&str]) -> Server {
    let options = Options { discard: true, ..Options::default() }.offer(extensions);
    Server::start(faults.iter().fold(options, |o, f| o.fault(f))).expect("a port is free")
}

/// One connection served by hand.
fn by_hand(serve: impl FnOnce(TcpStream) + Send + 'static) -> (u16, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    (port, std::thread::spawn(move || serve(listener.accept().unwrap().0)))
}

fn line(reader: &mut impl BufRead) -> String {
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    line.trim_end().to_string()
}

fn message(handle: &Handle) {
    handle.must_set("From", "a@client.example");
    handle.must_set("SendTo", "b@server.example");
    handle.must_set("MessageText", "Hi\r\n");
}

#[test]
fn a_line_without_end_is_162() {
    let (port, done) = by_hand(|mut stream| {
        let _ = stream.write_all(b"220-");
        while stream.write_all(&[b'x'; 4096]).is_ok() {}
    });
    let handle = Handle::to(port);
    assert_eq!(handle.call("Connect", "").unwrap_err().code, 162);
    drop(handle);
    done.join().unwrap();
}

#[test]
fn silence_at_each_point_is_201_at_the_timeout() {
    /// What the server is silent at, what it offers besides, what the program does.
    type Point = (&'static str, &'static [&'static str], &'static str, fn(&Handle) -> Result<(), Failure>);
    let send: fn(&Handle) -> Result<(), Failure> = |h| h.call("Send", "");
    let points: [Point; 14] = [
        ("GREETING=stall", &[], "", |h| h.call("Connect", "")),
        ("EHLO=stall", &[], "", |h| h.call("Connect", "")),
        ("HELO=stall", &["EHLO=502 what"], "", |h| h.call("Connect", "")),
        ("MAIL=stall", &[], "", send),
        ("MAIL=stall", &[], "PIPELINING", send),
        ("RCPT=stall", &[], "", send),
        ("DATA=stall", &[], "", send),
        ("DATA-END=stall", &[], "", send),
        ("DATA-END=stall", &[], "PIPELINING", send),
        ("DATA-END=stall", &[], "CHUNKING", send),
        ("RSET=stall", &["MAIL@1=550 no"], "", |h| {
            assert_eq!(h.call("Send", "").unwrap_err().code, 161);
            h.call("Send", "")
        }),
        ("NOOP=stall", &[], "", |h| {
            h.call("Connect", "")?;
            h.call("SendCommand", "NOOP")
        }),
        ("VRFY=stall", &[], "", |h| h.call("Verify", "x")),
        ("EXPN=stall", &[], "", |h| h.call("Expand", "x")),
    ];
    std::thread::scope(|scope| {
        for (fault, others, extensions, act) in points {
            scope.spawn(move || {
                let server = server(extensions, &[&[fault], others].concat());
                let handle = Handle::to(server.port());
                message(&handle);
                handle.must_set("Timeout", "1");
                let start = Instant::now();
                let failure = act(&handle).unwrap_err();
                let took = start.elapsed();
                assert_eq!(failure.code, 201, "{fault} {extensions}: {}", failure.text);
                assert!((900..1_400).contains(&took.as_millis()), "{fault} {extensions}: {took:?}");
                assert_eq!(handle.get("Connected").unwrap(), "False", "{fault} {extensions}");
            });
        }
    });
}

#[test]
fn a_server_silent_at_quit_holds_nobody_up_for_longer_than_the_timeout() {
    for extensions in ["", "PIPELINING"] {
        let server = server(extensions, &["QUIT=stall"]);
        let handle = Handle::to(server.port());
        message(&handle);
        handle.must_set("Timeout", "1");
        let start = Instant::now();
        handle.call("Send", "").unwrap();
        assert!(start.elapsed() < Duration::from_millis(1_500));
        assert_eq!(handle.get("Connected").unwrap(), "False");
        assert_eq!(server.count(), 1);
    }
}

#[test]
fn a_drip_ends_at_the_absolute_limit_and_not_before() {
    let drip = |mut stream: TcpStream| {
        for byte in b"220-drip\r\n".iter().cycle() {
            if stream.write_all(&[*byte]).is_err() {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    let (port, done) = by_hand(drip);
    let handle = Handle::to(port);
    handle.must_set("Timeout", "1");
    handle.config("AbsoluteTimeout=True").unwrap();
    let start = Instant::now();
    assert_eq!(handle.call("Connect", "").unwrap_err().code, 201);
    assert!((900..1_400).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
    done.join().unwrap();
    // Without it each byte is a sign of life; an interrupt ends it.
    let (port, done) = by_hand(drip);
    let handle = Handle::to(port);
    handle.must_set("Timeout", "1");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(1_800));
            handle.call("Interrupt", "").unwrap();
        });
        assert_eq!(handle.call("Connect", "").unwrap_err().code, 301);
    });
    done.join().unwrap();
}

#[test]
fn a_code_may_lie_across_the_border_of_any_buffer() {
    let (port, done) = by_hand(|stream| {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut stream = stream;
        stream.write_all(b"220 hi\r\n").unwrap();
        line(&mut reader);
        stream.write_all(b"250 hi\r\n").unwrap();
        loop {
            let said = line(&mut reader);
            let Some(size) = said.strip_prefix("NOOP ").and_then(|n| n.parse::<usize>().ok()) else { return };
            let mut reply = b"250-".to_vec();
            reply.resize(size, b'x');
            reply.extend_from_slice(b"\r\n250 end\r\n");
            stream.write_all(&reply).unwrap();
        }
    });
    let handle = Handle::to(port);
    handle.call("Connect", "").unwrap();
    for border in [4_096, 8_192, 16_384] {
        for size in border - 12..border + 6 {
            handle.call("SendCommand", &format!("NOOP {size}")).unwrap();
            let reply = handle.get("LastReply").unwrap();
            assert_eq!(reply.len(), size + 2 + 7, "{size}");
            assert!(reply.ends_with("x\r\n250 end"));
        }
    }
    drop(handle);
    done.join().unwrap();
}

#[test]
fn five_thousand_keywords_are_over_the_bounds() {
    let (port, done) = by_hand(|mut stream| {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        stream.write_all(b"220 hi\r\n").unwrap();
        line(&mut reader);
        let keywords: String = (0..5_000).map(|i| format!("250-X{i}\r\n")).collect();
        let _ = stream.write_all(format!("250-hi\r\n{keywords}250 PIPELINING\r\n").as_bytes());
        let _ = reader.read_to_end(&mut Vec::new());
    });
    let handle = Handle::to(port);
    assert_eq!(handle.call("Connect", "").unwrap_err().code, 162);
    done.join().unwrap();
}

#[test]
fn five_thousand_recipients_are_asked_for_in_order() {
    let addresses: Vec<String> = (0..5_000).map(|i| format!("r{i}@server.example")).collect();
    for extensions in ["", "PIPELINING", "PIPELINING,CHUNKING"] {
        let server = server(extensions, &["RCPT:r4321@=550 5.1.1 no"]);
        let handle = Handle::to(server.port());
        message(&handle);
        handle.must_set("SendTo", &addresses.join(", "));
        handle.config("StopOnToErrors=False").unwrap();
        handle.call("Send", "").unwrap();
        let wanted: Vec<String> = addresses.iter().map(|a| format!("RCPT TO:<{a}>")).collect();
        let said: Vec<String> = server.commands().concat().into_iter().filter(|c| c.starts_with("RCPT")).collect();
        assert_eq!(said, wanted, "{extensions}");
        assert_eq!(handle.get("RecipientResultCount").unwrap(), "5000");
        for (index, accepted) in [(0, "True"), (4_321, "False"), (4_999, "True")] {
            assert_eq!(handle.get(&format!("RecipientResultAddress[{index}]")).unwrap(), addresses[index]);
            assert_eq!(handle.get(&format!("RecipientResultAccepted[{index}]")).unwrap(), accepted);
        }
    }
}

#[test]
fn a_refusal_before_the_body_ends_is_161_whether_the_rest_is_read_or_not() {
    let body = "0123456789abcdef0123456789abcdef\r\n".repeat(200_000);
    for extensions in ["", "PIPELINING"] {
        let server = server(extensions, &["DATA-BODY=552 5.3.4 too big"]);
        let handle = Handle::to(server.port());
        message(&handle);
        handle.must_set("MessageText", &body);
        let failure = handle.call("Send", "").unwrap_err();
        assert!(failure.code == 161 && failure.text.contains("too big"), "{failure:?}");
        assert_eq!(server.count(), 0);
        assert!(server.commands().concat().iter().all(|c| !c.starts_with("0123")), "no body among the commands");
    }
    let (port, done) = by_hand(|mut stream| {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        stream.write_all(b"220 hi\r\n").unwrap();
        for reply in ["250 hi", "250 ok", "250 ok", "354 go"] {
            line(&mut reader);
            stream.write_all(format!("{reply}\r\n").as_bytes()).unwrap();
        }
        reader.read_exact(&mut vec![0; 100_000]).unwrap();
        stream.write_all(b"552 5.3.4 too big\r\n").unwrap();
        // The words arrive before the reset that closing with something unread becomes.
        std::thread::sleep(Duration::from_millis(100));
    });
    let handle = Handle::to(port);
    message(&handle);
    handle.must_set("MessageText", &body);
    let failure = handle.call("Send", "").unwrap_err();
    assert!(failure.code == 161 && failure.text.contains("552 5.3.4 too big"), "{failure:?}");
    assert_eq!(handle.get("Connected").unwrap(), "False");
    done.join().unwrap();
}
