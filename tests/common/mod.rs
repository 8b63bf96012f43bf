//! A handle of the C ABI for Rust tests: every call goes through the exported functions, as a C program's would.

#![allow(dead_code)] // Every test file takes what it needs of this.

use ssmtp::ffi::*;
use std::ffi::{CStr, CString, c_char, c_void};
use std::slice;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// An event as a test sees it: the spec's name, and the fields in their order with blanks between them (Transfer without
/// its text).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    pub name: &'static str,
    pub text: String,
}

/// A failed call: the number and the text that `ssmtp_last_error` gave for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub code: i32,
    pub text: String,
}

type Octets = std::vec::IntoIter<u8>;

pub type Outcome<T = ()> = Result<T, Failure>;

/// A handle with its events recorded; dropping it deletes it.
pub struct Handle {
    raw: *mut ssmtp_t,
    events: Box<Mutex<Vec<Event>>>,
}

// SAFETY: the library takes calls on one handle from any thread, and the list of events has its lock.
unsafe impl Send for Handle {}
// SAFETY: as above.
unsafe impl Sync for Handle {}

impl Handle {
    pub fn new() -> Handle {
        let raw = ssmtp_new_utf8();
        assert!(!raw.is_null(), "ssmtp_new_utf8 gave NULL");
        let handle = Handle { raw, events: Box::default() };
        let log = (&raw const *handle.events).cast_mut().cast::<c_void>();
        // SAFETY: the list outlives the handle, which `drop` deletes first.
        unsafe {
            assert_eq!(ssmtp_on_pi_trail(raw, Some(on_pi_trail), log), 0);
            assert_eq!(ssmtp_on_error(raw, Some(on_error), log), 0);
            assert_eq!(ssmtp_on_expand(raw, Some(on_expand), log), 0);
            assert_eq!(ssmtp_on_connection_status(raw, Some(on_connection_status), log), 0);
            assert_eq!(ssmtp_on_start_transfer(raw, Some(on_start_transfer), log), 0);
            assert_eq!(ssmtp_on_transfer(raw, Some(on_transfer), log), 0);
            assert_eq!(ssmtp_on_end_transfer(raw, Some(on_end_transfer), log), 0);
            assert_eq!(ssmtp_on_ssl_status(raw, Some(on_ssl_status), log), 0);
        }
        handle
    }

    /// A handle that talks to a server on loopback, with a time limit that no test waits out.
    pub fn to(port: u16) -> Handle {
        let handle = Handle::new();
        handle.must_set("MailServer", "127.0.0.1");
        handle.must_set("MailPort", &port.to_string());
        handle.must_set("Timeout", "10");
        handle
    }

    /// Has SSLServerAuthentication recorded, and Accept set to an opinion where there is one; NULL as at the beginning.
    pub fn judge(&self, opinion: Option<Option<bool>>) {
        let log = (&raw const *self.events).cast_mut().cast::<c_void>();
        let function: ssmtp_ssl_server_authentication_cb = match opinion {
            None => None,
            Some(None) => Some(on_authentication),
            Some(Some(true)) => Some(on_authentication_accept),
            Some(Some(false)) => Some(on_authentication_refuse),
        };
        // SAFETY: the list outlives the handle.
        assert_eq!(unsafe { ssmtp_on_ssl_server_authentication(self.raw, function, log) }, 0);
    }

    /// The texts of the events of one name.
    pub fn told(&self, name: &str) -> Vec<String> {
        self.events().into_iter().filter(|e| e.name == name).map(|e| e.text).collect()
    }

    /// The token, for calls that have no method here.
    pub fn raw(&self) -> *mut ssmtp_t {
        self.raw
    }

    /// Text of the last error.
    pub fn last_error(&self) -> String {
        let mut text = std::ptr::null_mut();
        // SAFETY: the output is written on success, and then it is ours to release.
        match unsafe { ssmtp_last_error(self.raw, &mut text) } {
            0 => unsafe { owned(text) },
            code => format!("(no text: ssmtp_last_error gave {code})"),
        }
    }

    fn outcome(&self, code: i32) -> Outcome {
        if code == 0 { Ok(()) } else { Err(Failure { code, text: self.last_error() }) }
    }

    pub fn get(&self, name: &str) -> Outcome<String> {
        let name = c_text(name);
        let mut value = std::ptr::null_mut();
        // SAFETY: both pointers are good for the call; the text is ours to release.
        unsafe {
            self.outcome(ssmtp_get(self.raw, name.as_ptr(), &mut value))?;
            Ok(owned(value))
        }
    }

    pub fn set(&self, name: &str, value: &str) -> Outcome {
        let (name, value) = (c_text(name), c_text(value));
        // SAFETY: both texts live until the call returns.
        self.outcome(unsafe { ssmtp_set(self.raw, name.as_ptr(), value.as_ptr()) })
    }

    pub fn must_set(&self, name: &str, value: &str) {
        self.set(name, value).unwrap_or_else(|e| panic!("{name}={value}: {e:?}"));
    }

    pub fn config(&self, text: &str) -> Outcome<String> {
        let text = c_text(text);
        let mut value = std::ptr::null_mut();
        // SAFETY: as in `get`.
        unsafe {
            self.outcome(ssmtp_config(self.raw, text.as_ptr(), &mut value))?;
            Ok(owned(value))
        }
    }

    /// Calls a method of the specification by its name.
    pub fn call(&self, method: &str, argument: &str) -> Outcome {
        let argument = c_text(argument);
        // SAFETY: the argument lives until the call returns.
        let code = unsafe {
            match method {
                "Connect" => ssmtp_connect(self.raw),
                "Send" => ssmtp_send(self.raw),
                "Disconnect" => ssmtp_disconnect(self.raw),
                "StartTls" => ssmtp_start_tls(self.raw),
                "SendCommand" => ssmtp_send_command(self.raw, argument.as_ptr()),
                "DoEvents" => ssmtp_do_events(self.raw),
                "Reset" => ssmtp_reset(self.raw),
                "ResetHeaders" => ssmtp_reset_headers(self.raw),
                "Interrupt" => ssmtp_interrupt(self.raw),
                "SaveMessage" => ssmtp_save_message(self.raw, argument.as_ptr()),
                "PutMessageAside" => ssmtp_put_message_aside(self.raw),
                "PutMessageBack" => ssmtp_put_message_back(self.raw),
                "Sign" => ssmtp_sign(self.raw),
                "Encrypt" => ssmtp_encrypt(self.raw),
                "SignAndEncrypt" => ssmtp_sign_and_encrypt(self.raw),
                "Verify" => ssmtp_verify(self.raw, argument.as_ptr()),
                "Expand" => ssmtp_expand(self.raw, argument.as_ptr()),
                "SendToTerminalOnly" => ssmtp_send_to_terminal_only(self.raw),
                "SendToTerminalOrEmail" => ssmtp_send_to_terminal_or_email(self.raw),
                "SendToTerminalAndEmail" => ssmtp_send_to_terminal_and_email(self.raw),
                "SendAll" => self.send_copies(argument.to_str().expect("it came from a str")),
                _ => panic!("{method}: the tests know no such method"),
            }
        };
        self.outcome(code)
    }

    /// Sets a stream of unknown size that gives these octets.
    pub fn stream(&self, octets: Vec<u8>) -> Outcome {
        let given = Box::into_raw(Box::new(octets.into_iter())).cast::<c_void>();
        // SAFETY: the callbacks take what is behind the pointer for what it is; it lives until the library closes it, or,
        // where nothing is sent, until the test ends.
        self.outcome(unsafe { ssmtp_set_message_stream(self.raw, Some(on_read), Some(on_close), given, -1) })
    }

    /// Takes the handlers of the transfer events away, as in a program that has none.
    pub fn deafen(&self) {
        // SAFETY: NULL removes a handler.
        unsafe {
            assert_eq!(ssmtp_on_start_transfer(self.raw, None, std::ptr::null_mut()), 0);
            assert_eq!(ssmtp_on_transfer(self.raw, None, std::ptr::null_mut()), 0);
            assert_eq!(ssmtp_on_end_transfer(self.raw, None, std::ptr::null_mut()), 0);
        }
    }

    /// SendAll over copies of this handle's message, one to each word: recipients with commas between them. Notes the
    /// results as an event.
    fn send_copies(&self, words: &str) -> i32 {
        let copy = |recipients: &str| {
            let other = Handle::new();
            for name in ["From", "Subject", "MessageText"] {
                other.must_set(name, &self.get(name).expect("it can be read"));
            }
            other.must_set("SendTo", recipients);
            other
        };
        let copies: Vec<Handle> = words.split(' ').map(copy).collect();
        let (code, results) = self.send_all(&copies.iter().collect::<Vec<_>>());
        let text = results.iter().map(i32::to_string).collect::<Vec<_>>().join(" ");
        self.log().push(Event { name: "SendAll", text });
        code
    }

    /// Sends the messages of others through this handle's server: what it returned, and the results.
    pub fn send_all(&self, messages: &[&Handle]) -> (i32, Vec<i32>) {
        let handles: Vec<*mut ssmtp_t> = messages.iter().map(|m| m.raw).collect();
        let mut results = vec![-1; messages.len()];
        // SAFETY: as many handles, and places, as are told.
        let code = unsafe { ssmtp_send_all(self.raw, handles.as_ptr(), handles.len(), results.as_mut_ptr()) };
        (code, results)
    }

    /// The events so far, or since they were cleared.
    pub fn events(&self) -> Vec<Event> {
        self.log().clone()
    }

    pub fn clear_events(&self) {
        self.log().clear();
    }

    fn log(&self) -> MutexGuard<'_, Vec<Event>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // Before the list of events goes, which the callbacks point to.
        ssmtp_delete(self.raw);
    }
}

fn c_text(text: &str) -> CString {
    CString::new(text).expect("a test's text has no NUL")
}

/// Takes over a text that the library gave.
///
/// # Safety
/// It came through a `char **`.
unsafe fn owned(text: *mut c_char) -> String {
    // SAFETY: the library ends its texts with NUL; released once, here.
    unsafe {
        let copy = CStr::from_ptr(text).to_str().expect("the library's text is UTF-8").to_string();
        ssmtp_free(text.cast());
        copy
    }
}

/// An event's text, which is also checked to be what C expects of it.
///
/// # Safety
/// Pointer and length are those of an event.
unsafe fn shown(text: *const c_char, length: usize) -> String {
    // SAFETY: the event promises `length` bytes and a NUL after them.
    unsafe {
        let bytes = slice::from_raw_parts(text.cast::<u8>(), length + 1);
        assert_eq!(bytes[length], 0, "an event's text ends with NUL");
        String::from_utf8(bytes[..length].to_vec()).expect("an event's text is UTF-8")
    }
}

/// # Safety
/// `log` is the list that `Handle::new` registered.
unsafe fn record(log: *mut c_void, name: &'static str, text: String) -> i32 {
    // SAFETY: the list lives as long as the handle.
    let events = unsafe { &*log.cast::<Mutex<Vec<Event>>>() };
    events.lock().unwrap_or_else(PoisonError::into_inner).push(Event { name, text });
    0
}

unsafe extern "C" fn on_pi_trail(_: *mut ssmtp_t, e: *mut ssmtp_pi_trail_event, log: *mut c_void) -> i32 {
    // SAFETY: the library gives a whole event.
    unsafe { record(log, "PITrail", format!("{} {}", (*e).direction, shown((*e).message, (*e).message_len))) }
}

unsafe extern "C" fn on_error(_: *mut ssmtp_t, e: *mut ssmtp_error_event, log: *mut c_void) -> i32 {
    // SAFETY: as above.
    unsafe { record(log, "Error", format!("{} {}", (*e).error_code, shown((*e).description, (*e).description_len))) }
}

unsafe extern "C" fn on_expand(_: *mut ssmtp_t, e: *mut ssmtp_expand_event, log: *mut c_void) -> i32 {
    // SAFETY: as above.
    unsafe { record(log, "Expand", shown((*e).address, (*e).address_len)) }
}

unsafe extern "C" fn on_read(octets: *mut c_void, buffer: *mut u8, size: usize) -> i64 {
    // SAFETY: what `Handle::stream` gave, and a buffer of this size.
    let (octets, buffer) = unsafe { (&mut *octets.cast::<Octets>(), slice::from_raw_parts_mut(buffer, size)) };
    let mut count = 0;
    for (place, octet) in buffer.iter_mut().zip(octets) {
        *place = octet;
        count += 1;
    }
    count
}

unsafe extern "C" fn on_close(octets: *mut c_void) {
    // SAFETY: what `Handle::stream` gave; the library closes once.
    drop(unsafe { Box::from_raw(octets.cast::<Octets>()) });
}

unsafe extern "C" fn on_connection_status(
    _: *mut ssmtp_t,
    e: *mut ssmtp_connection_status_event,
    log: *mut c_void,
) -> i32 {
    // SAFETY: as above.
    unsafe {
        let event = shown((*e).connection_event, (*e).connection_event_len);
        let text = format!("{event} {} {}", (*e).status_code, shown((*e).description, (*e).description_len));
        record(log, "ConnectionStatus", text)
    }
}

unsafe extern "C" fn on_start_transfer(_: *mut ssmtp_t, e: *mut ssmtp_start_transfer_event, log: *mut c_void) -> i32 {
    // SAFETY: as above.
    unsafe { record(log, "StartTransfer", (*e).direction.to_string()) }
}

unsafe extern "C" fn on_transfer(_: *mut ssmtp_t, e: *mut ssmtp_transfer_event, log: *mut c_void) -> i32 {
    // SAFETY: as above.
    unsafe {
        let text = format!("{} {} {}", (*e).direction, (*e).bytes_transferred, (*e).percent_done);
        record(log, "Transfer", text)
    }
}

unsafe extern "C" fn on_end_transfer(_: *mut ssmtp_t, e: *mut ssmtp_end_transfer_event, log: *mut c_void) -> i32 {
    // SAFETY: as above.
    unsafe { record(log, "EndTransfer", (*e).direction.to_string()) }
}

unsafe extern "C" fn on_ssl_status(_: *mut ssmtp_t, e: *mut ssmtp_ssl_status_event, log: *mut c_void) -> i32 {
    // SAFETY: as above.
    unsafe { record(log, "SSLStatus", shown((*e).message, (*e).message_len)) }
}

unsafe extern "C" fn on_authentication(
    _: *mut ssmtp_t,
    e: *mut ssmtp_ssl_server_authentication_event,
    log: *mut c_void,
) -> i32 {
    // SAFETY: as above.
    unsafe {
        let pem = shown((*e).cert_encoded, (*e).cert_encoded_len);
        let der = slice::from_raw_parts((*e).cert_encoded_b, (*e).cert_encoded_b_len);
        let octets: String = der.iter().map(|b| format!("{b:02x}")).collect();
        record(log, "CertEncoded", pem);
        record(log, "CertEncodedB", octets);
        record(log, "CertSubject", shown((*e).cert_subject, (*e).cert_subject_len));
        record(log, "CertIssuer", shown((*e).cert_issuer, (*e).cert_issuer_len));
        record(log, "SSLServerAuthentication", format!("{} {}", (*e).accept, shown((*e).status, (*e).status_len)))
    }
}

unsafe extern "C" fn on_authentication_accept(
    smtp: *mut ssmtp_t,
    e: *mut ssmtp_ssl_server_authentication_event,
    log: *mut c_void,
) -> i32 {
    // SAFETY: as above.
    unsafe {
        let answer = on_authentication(smtp, e, log);
        (*e).accept = 1;
        answer
    }
}

unsafe extern "C" fn on_authentication_refuse(
    smtp: *mut ssmtp_t,
    e: *mut ssmtp_ssl_server_authentication_event,
    log: *mut c_void,
) -> i32 {
    // SAFETY: as above.
    unsafe {
        let answer = on_authentication(smtp, e, log);
        (*e).accept = 0;
        answer
    }
}
