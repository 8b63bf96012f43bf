//! Every entry passes here: NULL outputs, dead handles, panics, `errno`, the last error.

use crate::certs::Certificate;
use crate::component::Component;
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

/// Runs `f` with `errno` kept, panics caught and its error remembered for the token; returns the number.
pub fn enter(token: usize, f: impl FnOnce() -> Result<()>) -> i32 {
    let mut f = Some(f);
    guarded(token, &mut || f.take().map_or(Ok(()), |f| f()))
}

/// One body for all of the hundreds of entries.
#[inline(never)]
fn guarded(token: usize, f: &mut dyn FnMut() -> Result<()>) -> i32 {
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
            remember(token, error.message);
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
pub fn run(handle: *mut ssmtp_t, f: impl FnOnce(&Component) -> Result<()>) -> i32 {
    enter(handle as usize, || f(&alive(handle)?.component))
}

/// The handle behind a token, unless a fault broke it.
pub fn alive(handle: *mut ssmtp_t) -> Result<Arc<Handle>> {
    let found = HANDLES.get(handle as usize, "handle")?;
    if found.broken.load(Ordering::SeqCst) {
        return Err(Error::new(Code::Internal, "the handle met an internal fault; only deleting it works"));
    }
    Ok(found)
}

fn null_output() -> Error {
    Error::new(Code::BadArgument, "the output is NULL")
}

/// Writes a value through an output pointer, once it is there.
unsafe fn put<T, V>(token: usize, out: *mut V, f: impl FnOnce() -> Result<T>, to: impl FnOnce(T) -> Result<V>) -> i32 {
    enter(token, || {
        if out.is_null() {
            return Err(null_output());
        }
        let value = to(f()?)?;
        // SAFETY: not NULL, and the caller promised a place for this type; unaligned places are fine.
        unsafe { out.write_unaligned(value) };
        Ok(())
    })
}

unsafe fn put_octets(token: usize, out: *mut *mut u8, length: *mut usize, f: impl FnOnce() -> Result<Vec<u8>>) -> i32 {
    enter(token, || {
        if out.is_null() || length.is_null() {
            return Err(null_output());
        }
        let value = Zeroizing::new(f()?);
        let memory = text::output(&value)?;
        // SAFETY: neither is NULL, and the caller promised places for these types.
        unsafe {
            out.write_unaligned(memory);
            length.write_unaligned(value.len());
        }
        Ok(())
    })
}

/// A copy for the caller; ours is wiped, since it may be a password or a key.
fn text_out(value: String) -> Result<*mut c_char> {
    Ok(text::output(Zeroizing::new(value).as_bytes())?.cast())
}

fn cert_out(value: Certificate) -> Result<*mut ssmtp_cert_t> {
    let token = CERTS.insert(|_| Arc::new(Mutex::new(value))).ok_or_else(|| Error::plain(Code::OutOfMemory))?;
    Ok(token as *mut ssmtp_cert_t)
}

#[inline(never)]
pub unsafe fn get_bool(handle: *mut ssmtp_t, out: *mut i32, f: &dyn Fn(&Component) -> Result<bool>) -> i32 {
    unsafe { put(handle as usize, out, || f(&alive(handle)?.component), |v| Ok(i32::from(v))) }
}

#[inline(never)]
pub unsafe fn get_int(handle: *mut ssmtp_t, out: *mut i32, f: &dyn Fn(&Component) -> Result<i32>) -> i32 {
    unsafe { put(handle as usize, out, || f(&alive(handle)?.component), Ok) }
}

#[inline(never)]
pub unsafe fn get_text(handle: *mut ssmtp_t, out: *mut *mut c_char, f: &dyn Fn(&Component) -> Result<String>) -> i32 {
    let read = || {
        let component = &alive(handle)?.component;
        text::for_caller(component, f(component)?)
    };
    unsafe { put(handle as usize, out, read, |bytes| Ok(text::output(&Zeroizing::new(bytes))?.cast())) }
}

#[inline(never)]
pub unsafe fn get_bytes(
    handle: *mut ssmtp_t,
    out: *mut *mut u8,
    length: *mut usize,
    f: &dyn Fn(&Component) -> Result<Vec<u8>>,
) -> i32 {
    unsafe { put_octets(handle as usize, out, length, || f(&alive(handle)?.component)) }
}

#[inline(never)]
pub unsafe fn get_cert(
    handle: *mut ssmtp_t,
    out: *mut *mut ssmtp_cert_t,
    f: &dyn Fn(&Component) -> Result<Certificate>,
) -> i32 {
    unsafe { put(handle as usize, out, || f(&alive(handle)?.component), cert_out) }
}

#[inline(never)]
pub unsafe fn set_bool(handle: *mut ssmtp_t, value: i32, f: &dyn Fn(&Component, bool) -> Result<()>) -> i32 {
    run(handle, |c| f(c, value != 0))
}

#[inline(never)]
pub unsafe fn set_int(handle: *mut ssmtp_t, value: i32, f: &dyn Fn(&Component, i32) -> Result<()>) -> i32 {
    run(handle, |c| f(c, value))
}

#[inline(never)]
pub unsafe fn set_text(handle: *mut ssmtp_t, value: *const c_char, f: &dyn Fn(&Component, &str) -> Result<()>) -> i32 {
    // SAFETY: the promise is the caller's of the exported function.
    run(handle, |c| f(c, &unsafe { text::input(c, value) }?))
}

#[inline(never)]
pub unsafe fn set_bytes(
    handle: *mut ssmtp_t,
    value: *const u8,
    length: usize,
    f: &dyn Fn(&Component, &[u8]) -> Result<()>,
) -> i32 {
    // SAFETY: the promise is the caller's of the exported function.
    run(handle, |c| f(c, unsafe { text::octets(value, length) }?))
}

/// NULL removes: it stands for an empty certificate.
#[inline(never)]
pub unsafe fn set_cert(
    handle: *mut ssmtp_t,
    value: *mut ssmtp_cert_t,
    f: &dyn Fn(&Component, &Certificate) -> Result<()>,
) -> i32 {
    run(handle, |c| {
        if value.is_null() {
            return f(c, &Certificate::default());
        }
        let cert = CERTS.get(value as usize, "certificate")?.lock().clone();
        f(c, &cert)
    })
}

#[inline(never)]
pub unsafe fn cert_get_bool(cert: *mut ssmtp_cert_t, out: *mut i32, f: &dyn Fn(&Certificate) -> Result<bool>) -> i32 {
    unsafe { put(0, out, || f(&CERTS.get(cert as usize, "certificate")?.lock()), |v| Ok(i32::from(v))) }
}

#[inline(never)]
pub unsafe fn cert_get_int(cert: *mut ssmtp_cert_t, out: *mut i32, f: &dyn Fn(&Certificate) -> Result<i32>) -> i32 {
    unsafe { put(0, out, || f(&CERTS.get(cert as usize, "certificate")?.lock()), Ok) }
}

#[inline(never)]
pub unsafe fn cert_get_text(
    cert: *mut ssmtp_cert_t,
    out: *mut *mut c_char,
    f: &dyn Fn(&Certificate) -> Result<String>,
) -> i32 {
    unsafe { put(0, out, || f(&CERTS.get(cert as usize, "certificate")?.lock()), text_out) }
}

#[inline(never)]
pub unsafe fn cert_get_bytes(
    cert: *mut ssmtp_cert_t,
    out: *mut *mut u8,
    length: *mut usize,
    f: &dyn Fn(&Certificate) -> Result<Vec<u8>>,
) -> i32 {
    unsafe { put_octets(0, out, length, || f(&CERTS.get(cert as usize, "certificate")?.lock())) }
}

#[inline(never)]
pub unsafe fn cert_set_int(
    cert: *mut ssmtp_cert_t,
    value: i32,
    f: &dyn Fn(&mut Certificate, i32) -> Result<()>,
) -> i32 {
    enter(0, || f(&mut CERTS.get(cert as usize, "certificate")?.lock(), value))
}

#[inline(never)]
pub unsafe fn cert_set_text(
    cert: *mut ssmtp_cert_t,
    value: *const c_char,
    f: &dyn Fn(&mut Certificate, &str) -> Result<()>,
) -> i32 {
    // SAFETY: the promise is the caller's of the exported function.
    enter(0, || f(&mut CERTS.get(cert as usize, "certificate")?.lock(), unsafe { text::utf8(value) }?))
}

#[inline(never)]
pub unsafe fn cert_set_bytes(
    cert: *mut ssmtp_cert_t,
    value: *const u8,
    length: usize,
    f: &dyn Fn(&mut Certificate, &[u8]) -> Result<()>,
) -> i32 {
    // SAFETY: the promise is the caller's of the exported function.
    enter(0, || f(&mut CERTS.get(cert as usize, "certificate")?.lock(), unsafe { text::octets(value, length) }?))
}

/// A certificate made by one of the constructors.
pub unsafe fn new_cert(out: *mut *mut ssmtp_cert_t, f: impl FnOnce() -> Result<Certificate>) -> i32 {
    unsafe { put(0, out, f, cert_out) }
}
