//! Text and octets across the C boundary: text in the handle's code page with a final NUL in and out, `malloc`ed memory out.

use crate::component::Component;
use crate::error::{Code, Error, Result};
use libc::c_char;
use std::borrow::Cow;
use std::ffi::CStr;

/// Text of the caller in the handle's code page (ruling 42); NULL is empty. Text that is not well formed is refused: 603 for
/// UTF-8, 434 for a code page.
///
/// # Safety
/// `text` is NULL or points to bytes with a final NUL that stay as they are during the call.
pub unsafe fn input<'a>(component: &Component, text: *const c_char) -> Result<Cow<'a, str>> {
    let page = component.boundary_page();
    if page.is_utf8() || text.is_null() {
        // SAFETY: the caller keeps the promise above.
        return unsafe { utf8(text) }.map(Cow::Borrowed);
    }
    // SAFETY: not NULL, and the caller keeps the promise above.
    let bytes = unsafe { CStr::from_ptr(text) };
    page.decode(bytes.to_bytes()).map(Cow::Owned)
}

/// Text for the caller in the handle's code page: 434 when that lacks a character.
pub fn for_caller(component: &Component, text: String) -> Result<Vec<u8>> {
    let page = component.boundary_page();
    if page.is_utf8() { Ok(text.into_bytes()) } else { page.encode(&text) }
}

/// Text of the caller in UTF-8; NULL is empty, anything else is refused (603).
///
/// # Safety
/// `text` is NULL or points to bytes with a final NUL that stay as they are during the call.
pub unsafe fn utf8<'a>(text: *const c_char) -> Result<&'a str> {
    if text.is_null() {
        return Ok("");
    }
    // SAFETY: not NULL, and the caller keeps the promise above.
    let bytes = unsafe { CStr::from_ptr(text) };
    bytes.to_str().map_err(|_| Error::new(Code::ValueRefused, "the text is not valid UTF-8"))
}

/// Octets of the caller; NULL with length 0 is empty.
///
/// # Safety
/// `bytes` is NULL or points to `length` readable bytes that stay as they are during the call.
pub unsafe fn octets<'a>(bytes: *const u8, length: usize) -> Result<&'a [u8]> {
    if length == 0 {
        return Ok(&[]);
    }
    if bytes.is_null() {
        return Err(Error::new(Code::BadArgument, "the octets are NULL and their length is not 0"));
    }
    if length > isize::MAX as usize {
        return Err(Error::new(Code::BadArgument, "the length of the octets is negative or beyond memory"));
    }
    // SAFETY: not NULL, a possible length, and the caller keeps the promise above.
    Ok(unsafe { std::slice::from_raw_parts(bytes, length) })
}

/// A copy for the caller with a final NUL, released by `ssmtp_free`.
pub fn output(bytes: &[u8]) -> Result<*mut u8> {
    // SAFETY: the size is that of a slice plus one, never 0; the result is checked before it is written.
    unsafe {
        let memory = libc::malloc(bytes.len() + 1).cast::<u8>();
        if memory.is_null() {
            return Err(Error::plain(Code::OutOfMemory));
        }
        std::ptr::copy_nonoverlapping(bytes.as_ptr(), memory, bytes.len());
        memory.add(bytes.len()).write(0);
        Ok(memory)
    }
}
