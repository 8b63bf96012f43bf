//! The caller's functions for the events of one handle. They are called on the thread of the operation with no lock held.

use crate::error::{Code, Error, Result};
use crate::events::{self, Kind, Sink};
use crate::ffi::r#gen::*;
use crate::ffi::guard;
use crate::ffi::handle::ssmtp_t;
use libc::{c_char, c_void};
use parking_lot::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

/// A function and what is handed back to it.
#[derive(Clone, Copy)]
pub struct Callback {
    pub function: Function,
    userdata: usize,
}

impl Callback {
    pub fn userdata(&self) -> *mut c_void {
        self.userdata as *mut c_void
    }
}

/// The functions of one handle.
pub struct Callbacks {
    token: AtomicUsize,
    closed: AtomicBool,
    /// Counts the functions that were set for SSLServerAuthentication.
    judges: AtomicU64,
    set: Mutex<[Option<Callback>; Kind::COUNT]>,
}

impl Callbacks {
    pub fn new() -> Callbacks {
        Callbacks {
            token: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
            judges: AtomicU64::new(0),
            set: Mutex::new([None; Kind::COUNT]),
        }
    }

    pub fn name(&self, token: usize) {
        self.token.store(token, Ordering::SeqCst);
    }

    /// The handle was deleted: no function is called any more.
    pub fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        *self.set.lock() = [None; Kind::COUNT];
    }

    fn fire(&self, kind: Kind, call: &mut dyn FnMut(Callback, *mut ssmtp_t) -> i32) -> Result<()> {
        let Some(callback) = self.set.lock()[kind as usize] else { return Ok(()) };
        let answer = call(callback, self.token.load(Ordering::SeqCst) as *mut ssmtp_t);
        if self.closed.load(Ordering::SeqCst) {
            return Err(Error::new(Code::Interrupted, "the handle was deleted while the operation ran"));
        }
        if answer != 0 {
            return Err(Error::new(Code::Interrupted, format!("the {kind:?} handler stopped the operation")));
        }
        Ok(())
    }
}

/// Sets or removes the function of one event. `extern "C"` as the functions of the guard are.
#[allow(improper_ctypes_definitions)]
pub extern "C" fn set(handle: *mut ssmtp_t, kind: Kind, function: Option<Function>, userdata: *mut c_void) -> i32 {
    guard::enter(handle as usize, &mut || {
        let callback = function.map(|function| Callback { function, userdata: userdata as usize });
        let callbacks = &guard::alive(handle)?.callbacks;
        callbacks.set.lock()[kind as usize] = callback;
        if kind == Kind::SslServerAuthentication {
            callbacks.judges.fetch_add(1, Ordering::SeqCst);
        }
        Ok(())
    })
}

impl Sink for Callbacks {
    fn wants(&self, kind: Kind) -> bool {
        self.set.lock()[kind as usize].is_some()
    }
    fn judge(&self) -> u64 {
        self.judges.load(Ordering::SeqCst)
    }
    fn connection_status(&self, event: &events::ConnectionStatus) -> Result<()> {
        self.fire(Kind::ConnectionStatus, &mut |c, h| fire_connection_status(c, h, event))
    }
    fn end_transfer(&self, event: &events::EndTransfer) -> Result<()> {
        self.fire(Kind::EndTransfer, &mut |c, h| fire_end_transfer(c, h, event))
    }
    fn error(&self, event: &events::Error) -> Result<()> {
        self.fire(Kind::Error, &mut |c, h| fire_error(c, h, event))
    }
    fn expand(&self, event: &events::Expand) -> Result<()> {
        self.fire(Kind::Expand, &mut |c, h| fire_expand(c, h, event))
    }
    fn pi_trail(&self, event: &events::PiTrail) -> Result<()> {
        self.fire(Kind::PiTrail, &mut |c, h| fire_pi_trail(c, h, event))
    }
    fn ssl_server_authentication(&self, event: &mut events::SslServerAuthentication) -> Result<()> {
        self.fire(Kind::SslServerAuthentication, &mut |c, h| fire_ssl_server_authentication(c, h, event))
    }
    fn ssl_status(&self, event: &events::SslStatus) -> Result<()> {
        self.fire(Kind::SslStatus, &mut |c, h| fire_ssl_status(c, h, event))
    }
    fn start_transfer(&self, event: &events::StartTransfer) -> Result<()> {
        self.fire(Kind::StartTransfer, &mut |c, h| fire_start_transfer(c, h, event))
    }
    fn token_wanted(&self, event: &events::TokenWanted) -> Result<()> {
        self.fire(Kind::TokenWanted, &mut |c, h| fire_token_wanted(c, h, event))
    }
    fn transfer(&self, event: &events::Transfer) -> Result<()> {
        self.fire(Kind::Transfer, &mut |c, h| fire_transfer(c, h, event))
    }
}

/// Text of an event as C may see it: valid UTF-8, U+FFFD for NUL and for what is not, a final NUL.
pub struct Shown(Vec<u8>);

impl Shown {
    pub fn new(bytes: &[u8]) -> Shown {
        let mut text = if bytes.contains(&0) {
            String::from_utf8_lossy(bytes).replace('\0', "\u{fffd}").into_bytes()
        } else {
            String::from_utf8_lossy(bytes).into_owned().into_bytes()
        };
        text.push(0);
        Shown(text)
    }

    pub fn as_ptr(&self) -> *const c_char {
        self.0.as_ptr().cast()
    }

    pub fn len(&self) -> usize {
        self.0.len() - 1
    }
}

#[cfg(test)]
mod tests {
    use super::Shown;

    #[test]
    fn event_text_is_valid_and_has_no_nul_inside() {
        let shown = Shown::new(b"a\0b\xffc");
        assert_eq!(&shown.0, "a\u{fffd}b\u{fffd}c\0".as_bytes());
        assert_eq!(shown.len(), shown.0.len() - 1);
    }
}
