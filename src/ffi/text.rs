//! Text and octets across the C boundary: UTF-8 with a final NUL in and out, `malloc`ed memory out.

use crate::error::{Code, Error, Result};
use libc::c_char;
use std::ffi::CStr;

/// Text of the caller; NULL is empty, anything but UTF-8 is refused (603).
///
/// # Safety
/// `text` is NULL or points to bytes with a final NUL that stay as they are during the call.
pub unsafe fn input<'a>(text: *const c_char) -> Result<&'a str> {
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
