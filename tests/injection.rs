//! No value of any property or setting begins a new line on the wire: not a command, not a header.

mod common;

use common::Handle;
use ssmtp::ffi::*;
use std::ffi::CString;
use xtask::model::{Access, Api, Status, Type};
use xtask::server::{Options, Server};

/// What could end a line for somebody, with what an attacker would put behind it.
const BREAKS: [&str; 6] = ["\r\n", "\n", "\r", "\r\n\r\n", "\u{85}", "\u{2028}"];
const PAYLOADS: [&str; 3] = ["X-Injected: yes", "RCPT TO:<thief@evil.example>", ".\r\nMAIL FROM:<thief@evil.example>"];

/// Rows whose text is the body, or header lines by definition.
const FREE: [&str; 4] = ["MessageText", "Message", "MessageHtml", "OtherHeaders"];

fn message(port: u16) -> Handle {
    let handle = Handle::to(port);
    handle.must_set("From", "a@a.example");
    handle.must_set("SendTo", "b@b.example");
    handle.must_set("Subject", "x");
    handle.must_set("MessageText", "text");
    handle
}

/// Sends what was set and looks at everything that arrived.
fn send_and_look(server: &Server, what: &str, set: impl FnOnce(&Handle) -> bool) {
    let handle = message(server.port());
    if !set(&handle) {
        return;
    }
    let before = server.count();
    let _ = handle.call("Send", "");
    for command in server.commands().into_iter().flatten() {
        let verb = command.split([' ', ':']).next().unwrap_or("");
        let known = ["EHLO", "HELO", "MAIL", "RCPT", "DATA", "QUIT", "RSET", "BDAT"];
        assert!(known.contains(&verb), "{what}: the server heard {command:?}");
        assert!(
            !command.starts_with("RCPT TO:<thief") && !command.starts_with("MAIL FROM:<thief"),
            "{what}: {command:?}"
        );
    }
    for received in server.messages().split_off(before) {
        assert!(!received.bare_lf && !received.bare_cr, "{what}: a bare CR or LF");
        let text = String::from_utf8_lossy(&received.data);
        let headers = text.split("\r\n\r\n").next().unwrap_or("");
        for line in headers.split("\r\n") {
            assert!(
                !line.starts_with("X-Injected") && !line.starts_with("RCPT") && !line.starts_with("MAIL"),
                "{what}: {line:?}"
            );
        }
        assert!(text.contains("\r\n\r\n"), "{what}: the headers end");
    }
}

#[test]
fn no_property_begins_a_new_line_on_the_wire() {
    let server = Server::start(Options::default().offer("8BITMIME,SIZE,DSN,SMTPUTF8,PIPELINING")).unwrap();
    let api = Api::load(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("api")).unwrap();
    let mut tried = 0;
    for p in api.properties.iter().filter(|p| p.status == Status::Done && p.access == Access::Rw && !p.is_object()) {
        if p.ty() != Type::Text || FREE.contains(&p.spec.as_str()) {
            continue;
        }
        let name = if p.index { format!("{}[0]", p.spec) } else { p.spec.clone() };
        for line_end in BREAKS {
            for payload in PAYLOADS {
                for good in ["", "c@c.example", "\"q\" <c@c.example>", "x"] {
                    let value = format!("{good}{line_end}{payload}");
                    let what = format!("{name} = {value:?}");
                    send_and_look(&server, &what, |handle| handle.set(&name, &value).is_ok());
                    tried += 1;
                }
            }
        }
    }
    assert!(tried > 500, "{tried}");
}

#[test]
fn no_setting_begins_a_new_line_on_the_wire() {
    let server = Server::start(Options::default().offer("8BITMIME,SIZE,DSN,SMTPUTF8,FUTURERELEASE,DELIVERBY")).unwrap();
    let api = Api::load(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("api")).unwrap();
    for s in api.settings.iter().filter(|s| s.status == Status::Done && s.access == Access::Rw) {
        if Type::parse(&s.type_name) != Type::Text || s.spec == "OtherHeaders" {
            continue;
        }
        for line_end in BREAKS {
            for payload in PAYLOADS {
                for good in ["", "x", "SHA1", "utf-8"] {
                    let what = format!("{}={good}{line_end}{payload}", s.spec);
                    send_and_look(&server, &what, |handle| handle.config(&what).is_ok());
                }
            }
        }
    }
}

#[test]
fn no_other_header_carries_more_than_its_lines_and_never_a_bcc() {
    let server = Server::start(Options::default()).unwrap();
    for value in
        ["X-A: 1\nX-Injected: yes", "X-A: 1\rX-Injected: yes", "X-A: 1\r\n\r\nbody", "X-A\r\n b", "X A: 1", ": x"]
    {
        let handle = message(server.port());
        assert_eq!(handle.set("OtherHeaders", value).unwrap_err().code, 603, "{value:?}");
    }
    send_and_look(&server, "Bcc in OtherHeaders", |handle| {
        handle.set("OtherHeaders", "Bcc: secret@c.example\r\nX-A: 1\r\n folded").is_ok()
    });
    let text = String::from_utf8_lossy(&server.messages().pop().unwrap().data).into_owned();
    assert!(text.contains("X-A: 1\r\n folded") && !text.contains("secret"), "{text}");
}

#[test]
fn no_attachment_name_or_type_begins_a_header() {
    let server = Server::start(Options::default()).unwrap();
    for line_end in BREAKS {
        for (name, kind) in [("a.txt", "text/plain"), ("", "")] {
            for in_name in [true, false] {
                let evil = format!("{}{line_end}X-Injected: yes", if in_name { name } else { kind });
                let (name, kind) = if in_name { (evil.as_str(), kind) } else { (name, evil.as_str()) };
                send_and_look(&server, &format!("{name:?} {kind:?}"), |handle| {
                    let (name, kind) = (CString::new(name).unwrap(), CString::new(kind).unwrap());
                    // SAFETY: the texts and the octets live through the call.
                    unsafe {
                        ssmtp_add_attachment_data(handle.raw(), b"x".as_ptr(), 1, name.as_ptr(), kind.as_ptr()) == 0
                    }
                });
            }
        }
    }
    assert!(server.messages().iter().all(|m| !String::from_utf8_lossy(&m.data).contains("\r\nX-Injected")));
}
