//! OpenSSL in safe clothes: contexts, connections over memory, sessions, signatures. All `unsafe` of the platform provider is in
//! this folder.
//!
//! The library is called with its queue of errors emptied, and answers through it. Its callbacks put what they are told on
//! a tray of the thread, which the call that they ran in takes away; they hold no address of ours.

mod connection;
mod context;
mod library;
mod signature;
mod tray;

pub use connection::{Connection, Exchange, Step};
pub use context::{Cipher, Context, issuer_hash};
pub use library::op;
pub use signature::algorithms;
pub use tray::{Session, Tray};

use crate::error::Result;
use library::{Library, library};
use std::ffi::CStr;

/// Whether the library is there. Error 270.
pub fn present() -> Result<()> {
    library().map(|_| ())
}

/// Mixes this into the library's random numbers; counted as no randomness at all.
pub fn seed(data: &[u8]) -> Result<()> {
    let library = library()?;
    let length = i32::try_from(data.len()).unwrap_or(i32::MAX);
    // SAFETY: the address and length of a slice; the library only reads it.
    unsafe { (library.RAND_add)(data.as_ptr().cast(), length, 0.0) };
    Ok(())
}

/// What went wrong in the last call: the newest reason of the library, by number and words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// Of libssl; 0 for another part's.
    pub number: u32,
    pub text: String,
}

impl Reason {
    fn none(text: &str) -> Reason {
        Reason { number: 0, text: text.to_owned() }
    }
}

/// Empties the queue of errors of this thread.
fn clear(library: &Library) {
    // SAFETY: works on the thread's own queue.
    unsafe { (library.ERR_clear_error)() };
}

/// The first error since the queue was emptied: what others follow from.
fn reason(library: &Library) -> Reason {
    const LIB_SSL: u64 = 20;
    let mut first = None;
    loop {
        // SAFETY: takes one number from the thread's own queue.
        let code = unsafe { (library.ERR_get_error)() };
        if code == 0 {
            return first.unwrap_or_else(|| Reason::none("it does not say why"));
        }
        if first.is_some() {
            continue;
        }
        // An unsigned long has 32 bits on some machines.
        #[allow(clippy::unnecessary_cast)]
        let wide = code as u64;
        let (part, number) = match library.version >> 28 {
            1 => (wide >> 24 & 0xff, wide & 0xfff),
            _ => (wide >> 23 & 0xff, wide & 0x7f_ffff),
        };
        // SAFETY: the library gives NULL or a constant text.
        let text = unsafe { text((library.ERR_reason_error_string)(code)) };
        let text = text.unwrap_or_else(|| format!("error {number}"));
        let number = if part == LIB_SSL { u32::try_from(number).unwrap_or(0) } else { 0 };
        first = Some(Reason { number, text });
    }
}

/// # Safety
/// NULL, or a text that ends with NUL and stays until this returns.
unsafe fn text(address: *const libc::c_char) -> Option<String> {
    if address.is_null() {
        return None;
    }
    // SAFETY: as the caller says.
    Some(unsafe { CStr::from_ptr(address) }.to_string_lossy().into_owned())
}
