//! MessageHeadersString and TransferText together are the message that was sent, octet by octet (ruling 28).

mod common;

use common::Handle;
use std::ffi::CString;
use xtask::server::{Options, Server};

fn told(handle: &Handle) -> String {
    handle.get("MessageHeadersString").unwrap() + &handle.config("TransferText").unwrap()
}

#[test]
fn what_is_read_is_what_was_sent() {
    for offer in ["", "8BITMIME", "8BITMIME,PIPELINING,SIZE", "8BITMIME,CHUNKING"] {
        let server = Server::start(Options::default().offer(offer)).unwrap();
        for (text, html) in [
            ("plain\r\n.dot\r\n", ""),
            ("bare\nline\rends", ""),
            ("", ""),
            ("Grüße €", ""),
            ("text", "<p>html</p>"),
            (&*"long ".repeat(400), ""),
        ] {
            let handle = Handle::to(server.port());
            handle.must_set("From", "\"Zoë\" <a@a.example>");
            handle.must_set("SendTo", "b@b.example");
            handle.must_set("BCc", "secret@c.example");
            handle.must_set("Subject", "Grüße");
            handle.must_set("MessageText", text);
            handle.must_set("MessageHtml", html);
            if !html.is_empty() {
                let (name, kind) = (CString::new("a.bin").unwrap(), CString::new("").unwrap());
                // SAFETY: the texts and the octets live through the call.
                let code = unsafe {
                    ssmtp::ffi::ssmtp_add_attachment_data(
                        handle.raw(),
                        [0, 255].as_ptr(),
                        2,
                        name.as_ptr(),
                        kind.as_ptr(),
                    )
                };
                assert_eq!(code, 0);
            }
            let before = server.count();
            handle.call("Send", "").unwrap();
            let received = server.messages().split_off(before).pop().unwrap();
            assert_eq!(told(&handle), String::from_utf8_lossy(&received.data), "{offer} {text:?}");
            assert!(!String::from_utf8_lossy(&received.data).contains("secret"));
            // It stays so until something changes; then the next message is told.
            assert_eq!(told(&handle), told(&handle));
            let id = handle.get("MessageHeadersString").unwrap();
            handle.must_set("Subject", "other");
            assert_ne!(handle.get("MessageHeadersString").unwrap(), id);
        }
    }
}

#[test]
fn nothing_is_told_before_anything_is_set_and_a_stream_is_not_kept() {
    let handle = Handle::new();
    assert_eq!(told(&handle), "");
    assert_eq!(handle.get("MessageHeaderCount").unwrap(), "0");
    handle.must_set("From", "a@a.example");
    assert!(handle.get("MessageHeadersString").unwrap().ends_with("\r\n\r\n"));
    handle.must_set("AttachedFile", "/dev/null");
    assert_eq!(handle.config("TransferText").unwrap_err().code, 211);
}
