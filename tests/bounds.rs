//! Replies without end are bounded in memory. One test, in a process of its own: it measures what the process takes.

mod common;

use common::Handle;
use xtask::server::{Options, Server};

/// A line of /proc/self/status, in KiB; 0 where there is no such file.
fn kib(field: &str) -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix(field)).unwrap_or("0");
    line.trim_start_matches(':').split_whitespace().next().and_then(|n| n.parse().ok()).unwrap_or(0)
}

#[test]
fn a_reply_without_end_is_162_and_takes_no_memory() {
    for fault in
        ["GREETING=endless", "EHLO=endless", "MAIL=endless", "RCPT=endless", "DATA=endless", "DATA-END=endless"]
    {
        let options = Options { discard: true, ..Options::default() }.offer("PIPELINING").fault(fault);
        let server = Server::start(options).expect("a port is free");
        let handle = Handle::to(server.port());
        for (name, value) in [("From", "a@client.example"), ("SendTo", "b@server.example"), ("MessageText", "Hi\r\n")] {
            handle.must_set(name, value);
        }
        let before = kib("VmHWM");
        let failure = handle.call("Send", "").unwrap_err();
        assert_eq!(failure.code, 162, "{fault}: {}", failure.text);
        let grown = kib("VmHWM").saturating_sub(before);
        assert!(grown < 8 * 1024, "{fault}: {grown} KiB");
        assert_eq!(handle.get("Connected").unwrap(), "False");
    }
}
