//! Every entry passes here: NULL outputs, dead handles, panics, `errno`, the last error.
//!
//! The functions that the hundreds of generated entries call are `extern "C"`: what cannot unwind leaves nothing to clean up in the
//! entry, so that each is a jump. For the same reason they take the number of a row and no closure.
#![allow(improper_ctypes_definitions)]

use crate::certs::Certificate;
use crate::component::Component;
use crate::component::rows::{get, set};
use crate::error::{Code, Error, Result};
use crate::ffi::callbacks::Callbacks;
use crate::ffi::handle::{Table, ssmtp_cert_t, ssmtp_t};
use crate::ffi::text;
use libc::c_char;
use parking_lot::Mutex;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Once};
use zeroize::Zeroizing;

/// What lies behind an `ssmtp_t *`.
pub struct Handle {
    pub component: Component,
    pub callbacks: Arc<Callbacks>,
    /// The last error of any thread; a thread's own comes first.
    last_error: Mutex<String>,
    /// A panic was caught: nothing but deleting works any more.
    broken: AtomicBool,
}

pub static HANDLES: Table<Handle> = Table::new();
pub static CERTS: Table<Mutex<Certificate>> = Table::new();

/// Set by the tests of the guard: every entry panics.
#[cfg(feature = "test-hooks")]
pub static PANIC_ALWAYS: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// What the caller is to hear once the entry that runs holds nothing any more.
    static AFTERWARDS: RefCell<Vec<Box<dyn FnOnce()>>> = const { RefCell::new(Vec::new()) };
    static LAST: RefCell<(usize, String)> = const { RefCell::new((0, String::new())) };
    static INSIDE: std::cell::Cell<u32> = const { std::cell::Cell::new(0) };
}

impl Handle {
    /// With `utf8`, text at the boundary is UTF-8 whatever CodePage says.
    pub fn new(callbacks: Arc<Callbacks>, utf8: bool) -> Handle {
        Handle {
            component: Component::new(callbacks.clone(), utf8),
            callbacks,
            last_error: Mutex::new(String::new()),
            broken: AtomicBool::new(false),
        }
    }
}

/// Runs `f` with `errno` kept, panics caught and its error remembered for the token; returns the number. One body for all entries.
pub fn enter(token: usize, f: &mut dyn FnMut() -> Result<()>) -> i32 {
    // SAFETY: the C library's own errno of this thread.
    let errno = unsafe { *errno_location() };
    quiet();
    let _ = INSIDE.try_with(|i| i.set(i.get() + 1));
    let whole = move || {
        #[cfg(feature = "test-hooks")]
        assert!(!PANIC_ALWAYS.load(Ordering::SeqCst), "forced by a test");
        f()
    };
    let result = catch_unwind(AssertUnwindSafe(whole)).unwrap_or_else(|_| {
        if let Ok(handle) = HANDLES.get(token, "handle") {
            handle.broken.store(true, Ordering::SeqCst);
        }
        Err(Error::new(Code::Internal, "an internal fault was caught; only deleting the handle works now"))
    });
    let _ = INSIDE.try_with(|i| i.set(i.get() - 1));
    // One by one: each may call back into the library.
    while let Ok(Some(call)) = AFTERWARDS.try_with(|calls| calls.borrow_mut().pop()) {
        call();
    }
    let number = match result {
        Ok(()) => 0,
        Err(error) => {
            let number = error.code as i32;
            remember(token, error.into_message());
            number
        }
    };
    // SAFETY: as above.
    unsafe { *errno_location() = errno };
    number
}

/// Calls back when the entry that runs on this thread ends, where no lock is held; at once outside of any.
pub fn afterwards(call: Box<dyn FnOnce()>) {
    let mut call = Some(call);
    if INSIDE.try_with(std::cell::Cell::get).unwrap_or(0) > 0 {
        let _ = AFTERWARDS.try_with(|calls| calls.borrow_mut().extend(call.take()));
    }
    if let Some(call) = call {
        call();
    }
}

fn remember(token: usize, message: String) {
    if let Ok(handle) = HANDLES.get(token, "handle") {
        handle.last_error.lock().clone_from(&message);
    }
    let _ = LAST.try_with(|last| *last.borrow_mut() = (token, message));
}

/// The text of the last error: this thread's on that handle, else the handle's; for NULL this thread's last of all.
pub fn last_error(token: usize) -> Result<String> {
    let mine = LAST.try_with(|last| last.borrow().clone()).unwrap_or_default();
    if token == 0 || mine.0 == token {
        return Ok(mine.1);
    }
    Ok(HANDLES.get(token, "handle")?.last_error.lock().clone())
}

/// A panic inside our code says nothing on stderr; panics elsewhere in the process go where they went before.
fn quiet() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if INSIDE.try_with(std::cell::Cell::get).unwrap_or(0) == 0 {
                before(info);
            }
        }));
    });
}

#[cfg(target_os = "linux")]
unsafe fn errno_location() -> *mut i32 {
    // SAFETY: always valid for the calling thread.
    unsafe { libc::__errno_location() }
}

#[cfg(target_os = "macos")]
unsafe fn errno_location() -> *mut i32 {
    // SAFETY: always valid for the calling thread.
    unsafe { libc::__error() }
}

/// A method of the component on a handle.
pub fn run(handle: *mut ssmtp_t, f: &mut dyn FnMut(&Component) -> Result<()>) -> i32 {
    enter(handle as usize, &mut || f(&alive(handle)?.component))
}

/// The handle behind a token, unless a fault broke it.
pub fn alive(handle: *mut ssmtp_t) -> Result<Arc<Handle>> {
    let found = HANDLES.get(handle as usize, "handle")?;
    if found.broken.load(Ordering::SeqCst) {
        return Err(Error::new(Code::Internal, "the handle met an internal fault; only deleting it works"));
    }
    Ok(found)
}

/// A place for an output.
fn given<T>(out: *mut T) -> Result<*mut T> {
    if out.is_null() { Err(Error::new(Code::BadArgument, "the output is NULL")) } else { Ok(out) }
}

/// A value of the component through an output pointer, once it is there.
unsafe fn read<V>(handle: *mut ssmtp_t, out: *mut V, f: &mut dyn FnMut(&Component) -> Result<V>) -> i32 {
    enter(handle as usize, &mut || {
        let out = given(out)?;
        let value = f(&alive(handle)?.component)?;
        // SAFETY: not NULL, and the caller promised a place for this type; unaligned places are fine.
        unsafe { out.write_unaligned(value) };
        Ok(())
    })
}

/// What is done with a certificate.
fn use_cert(cert: *mut ssmtp_cert_t, f: &mut dyn FnMut(&mut Certificate) -> Result<()>) -> i32 {
    enter(0, &mut || f(&mut CERTS.get(cert as usize, "certificate")?.lock()))
}

unsafe fn read_cert<V>(cert: *mut ssmtp_cert_t, out: *mut V, f: &mut dyn FnMut(&Certificate) -> Result<V>) -> i32 {
    enter(0, &mut || {
        let out = given(out)?;
        let value = f(&CERTS.get(cert as usize, "certificate")?.lock())?;
        // SAFETY: not NULL, and the caller promised a place for this type; unaligned places are fine.
        unsafe { out.write_unaligned(value) };
        Ok(())
    })
}

/// Octets and how many through two output pointers.
unsafe fn put_octets(out: *mut *mut u8, length: *mut usize, f: &mut dyn FnMut() -> Result<Vec<u8>>) -> Result<()> {
    let (out, length) = (given(out)?, given(length)?);
    let value = Zeroizing::new(f()?);
    let memory = text::output(&value)?;
    // SAFETY: neither is NULL, and the caller promised places for these types.
    unsafe {
        out.write_unaligned(memory);
        length.write_unaligned(value.len());
    }
    Ok(())
}

/// A copy for the caller; ours is wiped, since it may be a password or a key.
fn text_out(value: Vec<u8>) -> Result<*mut c_char> {
    Ok(text::output(&Zeroizing::new(value))?.cast())
}

fn cert_out(value: Certificate) -> Result<*mut ssmtp_cert_t> {
    let token = CERTS.insert(|_| Arc::new(Mutex::new(value))).ok_or_else(|| Error::plain(Code::OutOfMemory))?;
    Ok(token as *mut ssmtp_cert_t)
}

pub unsafe extern "C" fn get_bool(handle: *mut ssmtp_t, out: *mut i32, what: get::Bool, index: i32) -> i32 {
    unsafe { read(handle, out, &mut |c| c.get_bool(what, index).map(i32::from)) }
}

pub unsafe extern "C" fn get_int(handle: *mut ssmtp_t, out: *mut i32, what: get::Int, index: i32) -> i32 {
    unsafe { read(handle, out, &mut |c| c.get_int(what, index)) }
}

pub unsafe extern "C" fn get_text(handle: *mut ssmtp_t, out: *mut *mut c_char, what: get::Text, index: i32) -> i32 {
    unsafe { text_of(handle, out, &mut |c| c.get_text(what, index)) }
}

pub unsafe extern "C" fn get_bytes(
    handle: *mut ssmtp_t,
    out: *mut *mut u8,
    length: *mut usize,
    what: get::Bytes,
) -> i32 {
    unsafe { octets_of(handle, out, length, &mut |c| c.get_bytes(what)) }
}

pub unsafe extern "C" fn get_cert(handle: *mut ssmtp_t, out: *mut *mut ssmtp_cert_t, what: get::Cert) -> i32 {
    unsafe { read(handle, out, &mut |c| cert_out(c.get_cert(what)?)) }
}

pub unsafe extern "C" fn set_bool(handle: *mut ssmtp_t, value: i32, what: set::Bool) -> i32 {
    run(handle, &mut |c| c.set_bool(what, value != 0))
}

pub unsafe extern "C" fn set_int(handle: *mut ssmtp_t, value: i32, what: set::Int, index: i32) -> i32 {
    run(handle, &mut |c| c.set_int(what, index, value))
}

pub unsafe extern "C" fn set_text(handle: *mut ssmtp_t, value: *const c_char, what: set::Text, index: i32) -> i32 {
    // SAFETY: the promise is the caller's of the exported function.
    run(handle, &mut |c| c.set_text(what, index, &unsafe { text::input(c, value) }?))
}

pub unsafe extern "C" fn set_bytes(handle: *mut ssmtp_t, value: *const u8, length: usize, what: set::Bytes) -> i32 {
    // SAFETY: the promise is the caller's of the exported function.
    run(handle, &mut |c| c.set_bytes(what, unsafe { text::octets(value, length) }?))
}

/// NULL removes: it stands for an empty certificate.
pub unsafe extern "C" fn set_cert(handle: *mut ssmtp_t, value: *mut ssmtp_cert_t, what: set::Cert) -> i32 {
    run(handle, &mut |c| {
        let cert = match value.is_null() {
            true => Certificate::default(),
            false => CERTS.get(value as usize, "certificate")?.lock().clone(),
        };
        c.set_cert(what, &cert)
    })
}

pub unsafe extern "C" fn cert_get_bool(cert: *mut ssmtp_cert_t, out: *mut i32, what: get::CertBool) -> i32 {
    unsafe { read_cert(cert, out, &mut |c| what.of(c).map(i32::from)) }
}

pub unsafe extern "C" fn cert_get_int(cert: *mut ssmtp_cert_t, out: *mut i32, what: get::CertInt) -> i32 {
    unsafe { read_cert(cert, out, &mut |c| what.of(c)) }
}

pub unsafe extern "C" fn cert_get_text(cert: *mut ssmtp_cert_t, out: *mut *mut c_char, what: get::CertText) -> i32 {
    unsafe { read_cert(cert, out, &mut |c| text_out(what.of(c)?.into_bytes())) }
}

pub unsafe extern "C" fn cert_get_bytes(
    cert: *mut ssmtp_cert_t,
    out: *mut *mut u8,
    length: *mut usize,
    what: get::CertBytes,
) -> i32 {
    let read = &mut || what.of(&CERTS.get(cert as usize, "certificate")?.lock());
    unsafe { enter(0, &mut || put_octets(out, length, read)) }
}

pub unsafe extern "C" fn cert_set_int(cert: *mut ssmtp_cert_t, value: i32, what: set::CertInt) -> i32 {
    use_cert(cert, &mut |c| what.put(c, value))
}

pub unsafe extern "C" fn cert_set_text(cert: *mut ssmtp_cert_t, value: *const c_char, what: set::CertText) -> i32 {
    // SAFETY: the promise is the caller's of the exported function.
    use_cert(cert, &mut |c| what.put(c, unsafe { text::utf8(value) }?))
}

pub unsafe extern "C" fn cert_set_bytes(
    cert: *mut ssmtp_cert_t,
    value: *const u8,
    length: usize,
    what: set::CertBytes,
) -> i32 {
    // SAFETY: the promise is the caller's of the exported function.
    use_cert(cert, &mut |c| what.put(c, unsafe { text::octets(value, length) }?))
}

/// A certificate made by one of the constructors.
pub unsafe fn new_cert(out: *mut *mut ssmtp_cert_t, f: &mut dyn FnMut() -> Result<Certificate>) -> i32 {
    enter(0, &mut || {
        let out = given(out)?;
        let cert = cert_out(f()?)?;
        // SAFETY: not NULL, and the caller promised a place for a pointer.
        unsafe { out.write_unaligned(cert) };
        Ok(())
    })
}

/// A method without arguments.
pub extern "C" fn call(handle: *mut ssmtp_t, method: fn(&Component) -> Result<()>) -> i32 {
    run(handle, &mut |c| method(c))
}

pub unsafe extern "C" fn call_with_text(
    handle: *mut ssmtp_t,
    text: *const c_char,
    method: fn(&Component, &str) -> Result<()>,
) -> i32 {
    // SAFETY: the promise is the caller's of the exported function.
    run(handle, &mut |c| method(c, &unsafe { text::input(c, text) }?))
}

pub unsafe extern "C" fn call_with_octets(
    handle: *mut ssmtp_t,
    octets: *const u8,
    length: usize,
    method: fn(&Component, &[u8]) -> Result<()>,
) -> i32 {
    // SAFETY: the promise is the caller's of the exported function.
    run(handle, &mut |c| method(c, unsafe { text::octets(octets, length) }?))
}

pub unsafe extern "C" fn text_of_text(
    handle: *mut ssmtp_t,
    text: *const c_char,
    out: *mut *mut c_char,
    method: fn(&Component, &str) -> Result<String>,
) -> i32 {
    // SAFETY: the promises are the caller's of the exported function.
    unsafe { text_of(handle, out, &mut |c| method(c, &text::input(c, text)?)) }
}

pub unsafe extern "C" fn octets_of_octets(
    handle: *mut ssmtp_t,
    octets: *const u8,
    count: usize,
    out: *mut *mut u8,
    length: *mut usize,
    method: fn(&Component, &[u8]) -> Result<Vec<u8>>,
) -> i32 {
    // SAFETY: the promises are the caller's of the exported function.
    unsafe { octets_of(handle, out, length, &mut |c| method(c, text::octets(octets, count)?)) }
}

/// A method that gives text.
pub unsafe fn text_of(
    handle: *mut ssmtp_t,
    out: *mut *mut c_char,
    f: &mut dyn FnMut(&Component) -> Result<String>,
) -> i32 {
    unsafe { read(handle, out, &mut |c| text_out(text::for_caller(c, f(c)?)?)) }
}

/// A method that gives octets.
pub unsafe fn octets_of(
    handle: *mut ssmtp_t,
    out: *mut *mut u8,
    length: *mut usize,
    f: &mut dyn FnMut(&Component) -> Result<Vec<u8>>,
) -> i32 {
    let read = &mut || f(&alive(handle)?.component);
    unsafe { enter(handle as usize, &mut || put_octets(out, length, read)) }
}
