//! The exported functions that fit no pattern: handles, by-name access, `Config`, the message stream, certificates' constructors.
//! Their documentation is in `api/functions.toml`, as every public item's is in `api/`.

#![allow(missing_docs)]

use crate::certs::Certificate;
use crate::error::{Code, Error, Result};
use crate::ffi::callbacks::Callbacks;
use crate::ffi::guard::{self, CERTS, HANDLES, Handle};
use crate::ffi::handle::{ssmtp_cert_t, ssmtp_t};
use crate::ffi::text;
use crate::message::attachment::Content;
use crate::message::body::{Stream, StreamBody};
use libc::{c_char, c_void};
use std::sync::Arc;

#[unsafe(no_mangle)]
pub extern "C" fn ssmtp_new() -> *mut ssmtp_t {
    new_handle(false)
}

#[unsafe(no_mangle)]
pub extern "C" fn ssmtp_new_utf8() -> *mut ssmtp_t {
    new_handle(true)
}

fn new_handle(utf8: bool) -> *mut ssmtp_t {
    let mut token = 0;
    guard::enter(0, &mut || {
        let made = HANDLES.insert(|token| {
            let callbacks = Arc::new(Callbacks::new());
            callbacks.name(token);
            Arc::new(Handle::new(callbacks, utf8))
        });
        token = made.ok_or_else(|| Error::plain(Code::OutOfMemory))?;
        Ok(())
    });
    token as *mut ssmtp_t
}

#[unsafe(no_mangle)]
pub extern "C" fn ssmtp_delete(handle: *mut ssmtp_t) -> i32 {
    guard::enter(0, &mut || {
        if handle.is_null() {
            return Ok(());
        }
        let handle = HANDLES.remove(handle as usize, "handle")?;
        handle.callbacks.close();
        handle.component.close();
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn ssmtp_get(handle: *mut ssmtp_t, name: *const c_char, value: *mut *mut c_char) -> i32 {
    // SAFETY: the promise is the caller's.
    unsafe { guard::text_of(handle, value, &mut |c| c.get(&text::input(c, name)?)) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn ssmtp_set(handle: *mut ssmtp_t, name: *const c_char, value: *const c_char) -> i32 {
    // SAFETY: the promise is the caller's.
    guard::run(handle, &mut |c| unsafe { c.set(&text::input(c, name)?, &text::input(c, value)?) })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn ssmtp_config(
    handle: *mut ssmtp_t,
    configuration_string: *const c_char,
    value: *mut *mut c_char,
) -> i32 {
    // SAFETY: the promises are the caller's.
    unsafe {
        if value.is_null() {
            return guard::run(handle, &mut |c| c.config(&text::input(c, configuration_string)?).map(drop));
        }
        guard::text_of(handle, value, &mut |c| c.config(&text::input(c, configuration_string)?))
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn ssmtp_last_error(handle: *mut ssmtp_t, text: *mut *mut c_char) -> i32 {
    let Ok(message) = guard::last_error(handle as usize) else { return Code::ClosedHandle as i32 };
    if text.is_null() {
        return Code::BadArgument as i32;
    }
    match text::output(message.as_bytes()) {
        Ok(memory) => {
            // SAFETY: not NULL; the caller promised a place for a pointer.
            unsafe { text.write_unaligned(memory.cast()) };
            0
        }
        Err(error) => error.code as i32,
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn ssmtp_error_text(code: i32) -> *const c_char {
    match Code::from_i32(code) {
        Some(code) => code.c_text().as_ptr(),
        None if code == 0 => c"Success".as_ptr(),
        None => c"Unknown error number".as_ptr(),
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn ssmtp_version() -> *const c_char {
    const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    VERSION.as_ptr().cast()
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn ssmtp_free(memory: *mut c_void) {
    // SAFETY: the caller hands back what `text::output` made with malloc, or NULL.
    unsafe { libc::free(memory) }
}

/// Reads up to `size` bytes into `buffer`; returns how many, 0 at the end, a negative number to fail the Send with 303.
#[allow(non_camel_case_types)]
pub type ssmtp_read_cb = Option<unsafe extern "C" fn(userdata: *mut c_void, buffer: *mut u8, size: usize) -> i64>;

/// Told once when the library is done with a stream.
#[allow(non_camel_case_types)]
pub type ssmtp_close_cb = Option<unsafe extern "C" fn(userdata: *mut c_void)>;

#[unsafe(no_mangle)]
pub unsafe extern "C" fn ssmtp_set_message_stream(
    handle: *mut ssmtp_t,
    read: ssmtp_read_cb,
    close: ssmtp_close_cb,
    userdata: *mut c_void,
    size: i64,
) -> i32 {
    guard::run(handle, &mut |c| c.set_message_stream(stream_body(read, close, userdata, size)?))
}

/// The caller's callbacks as a stream; None without `read`.
fn stream_body(
    read: ssmtp_read_cb,
    close: ssmtp_close_cb,
    userdata: *mut c_void,
    size: i64,
) -> Result<Option<StreamBody>> {
    let userdata = userdata as usize;
    if size < -1 {
        return Err(Error::new(Code::ValueRefused, "the size of a stream is -1 or more"));
    }
    let Some(read) = read else { return Ok(None) };
    let read = Box::new(move |buffer: &mut [u8]| {
        // SAFETY: the caller promised a function that writes at most this much while the stream is set.
        unsafe { read(userdata as *mut c_void, buffer.as_mut_ptr(), buffer.len()) }
    });
    let close = close.map(|close| {
        // SAFETY: the caller promised a function that takes this userdata.
        Box::new(move || unsafe { close(userdata as *mut c_void) }) as Box<dyn FnOnce() + Send>
    });
    Ok(Some(StreamBody { read, close, size: u64::try_from(size).ok() }))
}

/// The same where a stream must be given.
fn content_of(body: Option<StreamBody>) -> Result<Content> {
    let body = body.ok_or_else(|| Error::new(Code::BadArgument, "the read callback is NULL"))?;
    Ok(Content::Stream(Stream::new(body)))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn ssmtp_add_attachment_stream(
    handle: *mut ssmtp_t,
    read: ssmtp_read_cb,
    close: ssmtp_close_cb,
    userdata: *mut c_void,
    size: i64,
    name: *const c_char,
    content_type: *const c_char,
) -> i32 {
    guard::run(handle, &mut |c| {
        let content = content_of(stream_body(read, close, userdata, size)?)?;
        // SAFETY: the promise is the caller's.
        unsafe { c.add_attachment(content, &text::input(c, name)?, &text::input(c, content_type)?) }
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn ssmtp_add_inline_stream(
    handle: *mut ssmtp_t,
    read: ssmtp_read_cb,
    close: ssmtp_close_cb,
    userdata: *mut c_void,
    size: i64,
    content_id: *const c_char,
    content_type: *const c_char,
) -> i32 {
    guard::run(handle, &mut |c| {
        let content = content_of(stream_body(read, close, userdata, size)?)?;
        // SAFETY: the promise is the caller's.
        unsafe { c.add_inline(content, &text::input(c, content_id)?, &text::input(c, content_type)?) }
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn ssmtp_send_all(
    handle: *mut ssmtp_t,
    messages: *const *mut ssmtp_t,
    count: usize,
    results: *mut i32,
) -> i32 {
    guard::run(handle, &mut |c| {
        if count > 0 && (messages.is_null() || results.is_null()) {
            return Err(Error::new(Code::BadArgument, "messages and results may not be NULL"));
        }
        // SAFETY: the caller promised so many handles.
        let handles: Vec<_> = (0..count).map(|i| guard::alive(unsafe { messages.add(i).read_unaligned() })).collect();
        let owners: Vec<_> = handles.iter().map(|h| h.as_ref().map(|h| &h.component).map_err(Error::clone)).collect();
        let batch = c.send_all(&owners)?;
        for (i, done) in batch.results.iter().enumerate() {
            // SAFETY: the caller promised a place for so many numbers.
            unsafe { results.add(i).write_unaligned(done.as_ref().err().map_or(0, |e| e.code as i32)) };
        }
        batch.done
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn ssmtp_cert_new(cert: *mut *mut ssmtp_cert_t) -> i32 {
    // SAFETY: the promise is the caller's.
    unsafe { guard::new_cert(cert, &mut || Ok(Certificate::default())) }
}

#[unsafe(no_mangle)]
pub extern "C" fn ssmtp_cert_delete(cert: *mut ssmtp_cert_t) -> i32 {
    guard::enter(0, &mut || {
        if cert.is_null() {
            return Ok(());
        }
        CERTS.remove(cert as usize, "certificate").map(drop)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn ssmtp_cert_new_file(path: *const c_char, cert: *mut *mut ssmtp_cert_t) -> i32 {
    // SAFETY: the promises are the caller's.
    unsafe { guard::new_cert(cert, &mut || Certificate::from_file(text::utf8(path)?)) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn ssmtp_cert_new_data(data: *const u8, length: usize, cert: *mut *mut ssmtp_cert_t) -> i32 {
    // SAFETY: the promises are the caller's.
    unsafe { guard::new_cert(cert, &mut || Certificate::from_data(text::octets(data, length)?)) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn ssmtp_cert_new_store(
    store_type: i32,
    store: *const c_char,
    password: *const c_char,
    subject: *const c_char,
    config: *const c_char,
    cert: *mut *mut ssmtp_cert_t,
) -> i32 {
    // SAFETY: the promises are the caller's.
    unsafe {
        guard::new_cert(cert, &mut || {
            let store = text::utf8(store)?.as_bytes();
            Certificate::from_store(store_type, store, text::utf8(password)?, text::utf8(subject)?, text::utf8(config)?)
        })
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn ssmtp_cert_new_store_data(
    store_type: i32,
    data: *const u8,
    length: usize,
    password: *const c_char,
    subject: *const c_char,
    config: *const c_char,
    cert: *mut *mut ssmtp_cert_t,
) -> i32 {
    // SAFETY: the promises are the caller's.
    unsafe {
        guard::new_cert(cert, &mut || {
            let store = text::octets(data, length)?;
            Certificate::from_store(store_type, store, text::utf8(password)?, text::utf8(subject)?, text::utf8(config)?)
        })
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn ssmtp_cert_new_store_encoded(
    store_type: i32,
    store: *const c_char,
    password: *const c_char,
    encoded: *const u8,
    length: usize,
    cert: *mut *mut ssmtp_cert_t,
) -> i32 {
    // SAFETY: the promises are the caller's.
    unsafe {
        guard::new_cert(cert, &mut || {
            let (store, encoded) = (text::utf8(store)?.as_bytes(), text::octets(encoded, length)?);
            Certificate::from_store_encoded(store_type, store, text::utf8(password)?, encoded)
        })
    }
}

/// Panics inside the guard, for the tests of the guard. Only with the feature `test-hooks`.
// Panics inside the guard, for the tests of the guard.
#[cfg(feature = "test-hooks")]
#[unsafe(no_mangle)]
pub extern "C" fn ssmtp_test_panic(handle: *mut ssmtp_t) -> i32 {
    guard::run(handle, &mut |_| panic!("forced by a test"))
}

// Makes every entry panic inside the guard, or no more.
#[cfg(feature = "test-hooks")]
#[unsafe(no_mangle)]
pub extern "C" fn ssmtp_test_panic_always(on: i32) {
    guard::PANIC_ALWAYS.store(on != 0, std::sync::atomic::Ordering::SeqCst);
}
