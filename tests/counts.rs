//! What a message costs in round trips (told by the server) and in system calls (told by strace), plain and over TLS: ruling 17.

mod common;
#[path = "common/pki.rs"]
mod pki;

use common::Handle;
use std::io::Write as _;
use std::process::Command;
use std::time::Duration;
use xtask::server::tls::Mode;
use xtask::server::{Options, Server};

const FULL: &str = "PIPELINING,8BITMIME,SIZE 100000000";

fn server(extensions: &str) -> Server {
    Server::start(Options { discard: true, ..Options::default() }.offer(extensions)).expect("a port is free")
}

/// The same over TLS 1.3, at once.
fn secured(extensions: &str) -> Server {
    let options = Options { discard: true, ..Options::default() }.offer(extensions);
    pki::server(Mode::Implicit, &pki::setup("address"), options)
}

/// Has a handle use TLS, and trust these tests' authority.
fn secure(handle: &Handle, root: &str) {
    handle.must_set("SSLStartMode", "sslImplicit");
    handle.config(&format!("CACertFilePaths={root}")).unwrap();
}

/// A handle with a message of so many bytes, and no handler of transfer events.
fn sender(port: u16, size: usize) -> Handle {
    let handle = Handle::to(port);
    handle.deafen();
    handle.must_set("From", "a@client.example");
    handle.must_set("SendTo", "b@server.example");
    handle.must_set("Subject", "Count");
    let line = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcd\r\n";
    handle.must_set("MessageText", &line.repeat(size.div_ceil(line.len())));
    handle
}

/// The turns that the server took while something was done.
fn turns(server: &Server, what: impl FnOnce()) -> usize {
    let before = server.turns();
    what();
    server.turns() - before
}

fn batch(port: u16, count: usize, root: Option<&str>) {
    let handle = sender(port, 0);
    if let Some(root) = root {
        secure(&handle, root);
    }
    let messages: Vec<Handle> = (0..count).map(|_| sender(port, 1_024)).collect();
    let (code, results) = handle.send_all(&messages.iter().collect::<Vec<_>>());
    assert_eq!((code, results), (0, vec![0; count]), "{}", handle.last_error());
}

#[test]
fn messages_that_follow_each_other_cost_one_round_trip_each() {
    for extensions in [FULL.to_string(), format!("{FULL},CHUNKING")] {
        let server = server(&extensions);
        let cost = |count| turns(&server, || batch(server.port(), count, None));
        let (few, many) = (cost(10), cost(110));
        assert_eq!(many - few, 100, "{extensions}");
        // Greeting, EHLO, the first group, and a turn a message, of which the last one holds the answer to QUIT.
        assert_eq!(few, 3 + 10, "{extensions}");
    }
}

#[test]
fn over_tls_the_round_trips_are_the_same() {
    let root = pki::path("ca.pem");
    for extensions in [FULL.to_string(), format!("{FULL},CHUNKING")] {
        let server = secured(&extensions);
        let cost = |count| turns(&server, || batch(server.port(), count, Some(&root)));
        let (few, many) = (cost(10), cost(110));
        assert_eq!((few, many - few), (3 + 10, 100), "{extensions}");
    }
    let server = secured(FULL);
    let handle = sender(server.port(), 1_024);
    secure(&handle, &root);
    let used = turns(&server, || handle.call("Send", "").unwrap());
    assert_eq!(used, 1 + 3, "a connection of its own: three after the greeting");
    handle.call("Connect", "").unwrap();
    let used = turns(&server, || (0..10).for_each(|_| handle.call("Send", "").unwrap()));
    assert_eq!(used, 10 * 2, "on an open connection");
    assert!(server.handshakes()[1].resumed, "reconnecting resumes");
}

#[test]
fn a_message_on_an_open_connection_costs_two_round_trips() {
    for (extensions, cost) in [(FULL, 2), ("PIPELINING,CHUNKING", 2), ("8BITMIME", 4)] {
        let server = server(extensions);
        let handle = sender(server.port(), 1_024);
        handle.call("Connect", "").unwrap();
        let used = turns(&server, || (0..10).for_each(|_| handle.call("Send", "").unwrap()));
        assert_eq!(used, 10 * cost, "{extensions}");
    }
}

#[test]
fn a_connection_of_its_own_costs_three_round_trips_after_the_greeting() {
    for (extensions, cost) in [(FULL, 3), ("PIPELINING,CHUNKING", 3), ("8BITMIME", 6)] {
        let server = server(extensions);
        let handle = sender(server.port(), 1_024);
        let used = turns(&server, || handle.call("Send", "").unwrap());
        assert_eq!(used, 1 + cost, "{extensions}");
    }
}

#[test]
fn with_bdat_ahead_a_message_costs_one_round_trip_and_many_cost_fewer() {
    let server = server("PIPELINING,CHUNKING");
    let handle = sender(server.port(), 1_024);
    handle.config("BdatAhead=1").unwrap();
    let used = turns(&server, || handle.call("Send", "").unwrap());
    assert_eq!(used, 3, "greeting, EHLO, and one for everything else");
    handle.config("BdatAhead=50").unwrap();
    let messages: Vec<Handle> = (0..200).map(|_| sender(server.port(), 1_024)).collect();
    let all: Vec<&Handle> = messages.iter().collect();
    let used = turns(&server, || assert_eq!(handle.send_all(&all), (0, vec![0; 200])));
    assert!(used < 150, "{used}");
}

#[test]
fn a_delaying_server_is_waited_for_once_a_message() {
    let mut options = Options { discard: true, ..Options::default() }.offer(FULL);
    let distance = Duration::from_millis(30);
    options.pace.delay = distance;
    let server = Server::start(options).expect("a port is free");
    let start = std::time::Instant::now();
    batch(server.port(), 10, None);
    let took = start.elapsed();
    // Greeting, EHLO, the first group and ten messages; twice a message would be 23.
    assert!(took >= distance * 13 && took < distance * 21, "{took:?}");
}

/// A remark for who runs the tests.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// All system calls of a process that does so many of one thing; `None` where strace is not there, or may not trace.
fn calls(what: &str, port: u16, count: usize) -> Option<usize> {
    let log = std::env::temp_dir().join(format!("ssmtp-calls-{}-{what}-{count}", std::process::id()));
    let done = Command::new("strace")
        .args(["-f", "-qq", "-o"])
        .arg(&log)
        .arg(std::env::current_exe().expect("a test has a program"))
        .args(["--exact", "the_traced_process", "--ignored", "--test-threads=1"])
        .envs([("COUNT_WHAT", what), ("COUNT_PORT", &port.to_string()), ("COUNT_COUNT", &count.to_string())])
        .env("COUNT_ROOT", if what.starts_with("tls-") { pki::path("ca.pem") } else { String::new() })
        .output();
    let text = std::fs::read_to_string(&log).unwrap_or_default();
    let _ = std::fs::remove_file(&log);
    match done {
        Ok(done) if done.status.success() => Some(text.lines().filter(|l| l.contains('(')).count()),
        Ok(done) if !text.contains("ptrace") && !String::from_utf8_lossy(&done.stderr).contains("trace") => {
            panic!("the traced process failed: {}", String::from_utf8_lossy(&done.stdout))
        }
        _ => {
            say("strace is not there or may not trace: system calls are not counted");
            None
        }
    }
}

/// System calls of `many` less those of `few`, for each one of the difference.
fn each(what: &str, port: u16, few: usize, many: usize) -> Option<f64> {
    let (less, more) = (calls(what, port, few)?, calls(what, port, many)?);
    let each = (more as f64 - less as f64) / (many - few) as f64;
    say(&format!("{what}: {each:.3} system calls each"));
    Some(each)
}

/// Run by `calls` in a process of its own.
#[test]
#[ignore = "a part of the tests that count system calls"]
fn the_traced_process() {
    let number = |name: &str| std::env::var(name).ok().and_then(|n| n.parse::<usize>().ok());
    let (Some(port), Some(count)) = (number("COUNT_PORT"), number("COUNT_COUNT")) else { return };
    let port = u16::try_from(port).expect("a port");
    let root = std::env::var("COUNT_ROOT").unwrap_or_default();
    let sender = |port, size| {
        let handle = sender(port, size);
        if !root.is_empty() {
            secure(&handle, &root);
        }
        handle
    };
    let what = std::env::var("COUNT_WHAT").unwrap_or_default();
    match what.strip_prefix("tls-").or(Some(&what)) {
        // All messages are made first, in either run, so that only sending differs.
        Some("batch") => {
            let handle = sender(port, 0);
            let message = sender(port, 1_024);
            let (code, _) = handle.send_all(&vec![&message; count]);
            assert_eq!(code, 0);
        }
        Some("open") => {
            let handle = sender(port, 1_024);
            handle.call("Connect", "").unwrap();
            (0..count).for_each(|_| handle.call("Send", "").unwrap());
        }
        Some("own") => {
            let handle = sender(port, 1_024);
            (0..count).for_each(|_| handle.call("Send", "").unwrap());
        }
        // Both runs make the same content; the second one sends it once more.
        Some("large") => {
            let handle = sender(port, 10 << 20);
            handle.call("Connect", "").unwrap();
            (0..count).for_each(|_| handle.call("Send", "").unwrap());
        }
        _ => {}
    }
}

#[test]
fn messages_that_follow_each_other_cost_about_two_system_calls_each() {
    let server = server(FULL);
    let Some(each) = each("batch", server.port(), 100, 600) else { return };
    assert!(each <= 2.1, "{each}");
}

#[test]
fn a_single_message_costs_two_turns_of_system_calls_and_a_look() {
    let server = server(FULL);
    if let Some(each) = each("open", server.port(), 10, 110) {
        // A look at the idle connection, two turns, the host's name and the random octets of a Message-ID.
        assert!(each <= 7.1, "{each}");
    }
    if let Some(each) = each("own", server.port(), 10, 60) {
        assert!(each <= 30.0, "{each}");
    }
}

#[test]
fn ten_megabytes_cost_at_most_two_system_calls_per_mebibyte() {
    let server = server(FULL);
    let Some(each) = each("large", server.port(), 1, 6) else { return };
    assert!(each / 10.0 <= 2.0, "{each}");
}

#[test]
fn over_tls_messages_cost_as_many_system_calls() {
    let server = secured(FULL);
    let Some(batch) = each("tls-batch", server.port(), 100, 600) else { return };
    assert!(batch <= 2.1, "{batch}");
    if let Some(open) = each("tls-open", server.port(), 10, 110) {
        assert!(open <= 7.1, "{open}");
    }
    if let Some(own) = each("tls-own", server.port(), 10, 60) {
        assert!(own <= 40.0, "{own}");
    }
    if let Some(large) = each("tls-large", server.port(), 1, 6) {
        // Sixteen records in a write: four writes a mebibyte, and what pushes the last one.
        assert!(large / 10.0 <= 5.0, "{large}");
    }
}

/// TCP segments that this process sent to, and got from, a server on its one connection there; `None` where the system does not
/// count them.
fn segments(port: u16) -> Option<(u32, u32)> {
    let mut found = None;
    for entry in std::fs::read_dir("/proc/self/fd").ok()?.flatten() {
        let Some(fd) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
        // SAFETY: all zero octets are an address of no family.
        let mut peer: libc::sockaddr_in = unsafe { std::mem::zeroed() };
        let mut size = size_of_val(&peer) as libc::socklen_t;
        // SAFETY: the address has as many octets as are told; what the number stands for is asked, not assumed.
        let known = unsafe { libc::getpeername(fd, (&raw mut peer).cast(), &mut size) } == 0;
        if !known || i32::from(peer.sin_family) != libc::AF_INET || u16::from_be(peer.sin_port) != port {
            continue;
        }
        let mut info = [0u32; 60];
        let mut size = size_of_val(&info) as libc::socklen_t;
        // SAFETY: as above.
        let told = unsafe { libc::getsockopt(fd, libc::SOL_TCP, libc::TCP_INFO, info.as_mut_ptr().cast(), &mut size) };
        // struct tcp_info of Linux: tcpi_segs_out and tcpi_segs_in are its octets 136 to 143.
        if told == 0 && size >= 144 {
            assert!(found.replace((info[34], info[35])).is_none(), "one connection to the server");
        }
    }
    found
}

#[test]
fn messages_that_follow_each_other_cost_two_segments_each() {
    let root = pki::path("ca.pem");
    for (name, tls, extensions) in [
        ("plain", false, FULL.to_string()),
        ("plain, BDAT", false, format!("{FULL},CHUNKING")),
        ("TLS", true, FULL.to_string()),
        ("TLS, BDAT", true, format!("{FULL},CHUNKING")),
    ] {
        let server = if tls { secured(&extensions) } else { server(&extensions) };
        let handle = sender(server.port(), 0);
        if tls {
            secure(&handle, &root);
        }
        handle.call("Connect", "").unwrap();
        let messages: Vec<Handle> = (0..200).map(|_| sender(server.port(), 1_024)).collect();
        let all: Vec<&Handle> = messages.iter().collect();
        let mut counted = Vec::new();
        for some in [&all[..20], &all[20..]] {
            assert_eq!(handle.send_all(some).0, 0, "{}", handle.last_error());
            counted.push(segments(server.port()));
        }
        let [Some(before), Some(after)] = counted[..] else {
            say("the system does not count segments");
            return;
        };
        let (sent, got) = (after.0 - before.0, after.1 - before.1);
        say(&format!("{name}: {sent} segments out and {got} in for 180 messages"));
        // Beside one each way there is what opens the batch, and now and then an acknowledgement that could not wait.
        assert!(sent + got <= 2 * 180 + 18, "{name}: {sent} out, {got} in");
    }
}
