//! CodePage through the C functions (ruling 42): the text of a `char *`, and the octets of MessageText on the wire.

use ssmtp::ffi::*;
use std::ffi::{CStr, CString};
use xtask::server::{Options, Server};

/// A handle of a C program; text goes in and out as octets.
struct Handle(*mut ssmtp_t);

impl Handle {
    fn config(&self, text: &str) -> i32 {
        let text = CString::new(text).unwrap();
        unsafe { ssmtp_config(self.0, text.as_ptr(), std::ptr::null_mut()) }
    }

    fn set(&self, set: unsafe extern "C" fn(*mut ssmtp_t, *const libc::c_char) -> i32, octets: &[u8]) -> i32 {
        let text = CString::new(octets).unwrap();
        unsafe { set(self.0, text.as_ptr()) }
    }

    fn get(&self, get: unsafe extern "C" fn(*mut ssmtp_t, *mut *mut libc::c_char) -> i32) -> Result<Vec<u8>, i32> {
        let mut out = std::ptr::null_mut();
        let code = unsafe { get(self.0, &mut out) };
        if code != 0 {
            assert!(out.is_null());
            return Err(code);
        }
        let octets = unsafe { CStr::from_ptr(out) }.to_bytes().to_vec();
        unsafe { ssmtp_free(out.cast()) };
        Ok(octets)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        ssmtp_delete(self.0);
    }
}

#[test]
fn the_text_of_a_char_pointer_is_in_the_code_page() {
    for (page, octets, utf8) in [
        (850, &b"Gr\x81\xe1e"[..], "Grüße"),
        (1252, b"10 \x80", "10 €"),
        (437, b"\x8e\x99\x9a", "ÄÖÜ"),
        (37, b"\xc8\x85\x93\x93\x96", "Hello"),
        (500, b"\xc8\x85\x93\x93\x96", "Hello"),
        (1140, b"\x9f", "€"),
        (932, b"\x93\xfa\x96\x7b", "日本"),
    ] {
        let handle = Handle(ssmtp_new());
        assert_eq!(handle.set(ssmtp_set_subject, utf8.as_bytes()), 0);
        // Names are text too, so what switches the page is said in the page before it.
        assert_eq!(handle.config(&format!("CodePage={page}")), 0);
        assert_eq!(handle.get(ssmtp_get_subject).unwrap(), octets, "{page}");
        assert_eq!(handle.set(ssmtp_set_reply_to, octets), 0);
        assert_eq!(handle.get(ssmtp_get_reply_to).unwrap(), octets, "{page}");
    }
}

#[test]
fn what_cannot_be_converted_is_434_and_changes_nothing() {
    let handle = Handle(ssmtp_new());
    assert_eq!(handle.set(ssmtp_set_subject, "日本".as_bytes()), 0);
    for page in [1200, 1201, 12000, 709, 57002, 12345, 0] {
        assert_eq!(handle.config(&format!("CodePage={page}")), 434, "{page}");
    }
    assert_eq!(handle.get(ssmtp_get_subject).unwrap(), "日本".as_bytes());
    assert_eq!(handle.config("CodePage=1252"), 0);
    assert_eq!(handle.get(ssmtp_get_subject), Err(434));
    assert_eq!(handle.set(ssmtp_set_subject, b"\x81"), 434);
    assert_eq!(handle.config("CodePage=65001"), 0);
    assert_eq!(handle.get(ssmtp_get_subject).unwrap(), "日本".as_bytes());
}

#[test]
fn a_utf_8_handle_keeps_utf_8_and_message_text_goes_in_the_code_page() {
    let server = Server::start(Options { extensions: vec!["8BITMIME".into()], ..Options::default() }).unwrap();
    let handle = Handle(ssmtp_new_utf8());
    assert_eq!(handle.config("CodePage=1252"), 0);
    assert_eq!(handle.set(ssmtp_set_mail_server, b"127.0.0.1"), 0);
    assert_eq!(unsafe { ssmtp_set_mail_port(handle.0, i32::from(server.port())) }, 0);
    assert_eq!(handle.set(ssmtp_set_from, b"a@a.example"), 0);
    assert_eq!(handle.set(ssmtp_set_send_to, b"b@b.example"), 0);
    assert_eq!(handle.set(ssmtp_set_message_text, "10 € für Übel\r\n".as_bytes()), 0);
    assert_eq!(handle.get(ssmtp_get_message_text).unwrap(), "10 € für Übel\r\n".as_bytes());
    assert_eq!(unsafe { ssmtp_send(handle.0) }, 0);
    let message = &server.messages()[0];
    let text = String::from_utf8_lossy(&message.data);
    assert!(text.contains("charset=windows-1252"), "{text}");
    assert!(message.data.ends_with(b"\r\n\r\n10 \x80 f\xfcr \xdcbel\r\n"), "{text}");
    // A character that the code page lacks stops the message before it is given.
    assert_eq!(handle.set(ssmtp_set_message_text, "日本".as_bytes()), 0);
    assert_eq!(unsafe { ssmtp_send(handle.0) }, 434);
    assert_eq!(server.messages().len(), 1);
}
