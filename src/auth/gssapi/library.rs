//! The system's GSSAPI library (RFC 2744), loaded at run time and never unloaded: MIT's, else Heimdal's, else macOS's. Of it
//! as much as a client's login with Kerberos (RFC 4121) needs. All `unsafe` of the logins is here.

use super::Context;
use crate::error::{Code, Error, Result};
use crate::text::mask::Secret;
use libc::{c_int, c_void};
use std::ffi::CStr;
use std::ptr::{null, null_mut};
use std::sync::{Mutex, PoisonError};
use zeroize::Zeroize;

/// Where the library may be, the usual place first.
#[cfg(not(target_os = "macos"))]
const NAMES: [&CStr; 2] = [c"libgssapi_krb5.so.2", c"libgssapi.so.3"];
#[cfg(target_os = "macos")]
const NAMES: [&CStr; 2] = [c"/System/Library/Frameworks/GSS.framework/GSS", c"libgssapi_krb5.2.2.dylib"];

type Status = u32;
type Name = *mut c_void;
type Cred = *mut c_void;
type Handle = *mut c_void;

#[repr(C)]
struct Buffer {
    length: usize,
    value: *mut c_void,
}

impl Buffer {
    fn of(bytes: &[u8]) -> Buffer {
        Buffer { length: bytes.len(), value: bytes.as_ptr().cast_mut().cast() }
    }

    const fn empty() -> Buffer {
        Buffer { length: 0, value: null_mut() }
    }
}

/// gss_OID_desc. Apple's header packs it on Intel machines, which were PowerPCs' heirs.
#[cfg_attr(all(target_os = "macos", target_arch = "x86_64"), repr(C, packed(2)))]
#[cfg_attr(not(all(target_os = "macos", target_arch = "x86_64")), repr(C))]
struct Oid {
    length: u32,
    elements: *const c_void,
}

// SAFETY: it points to constant bytes of this program, and the library only reads them.
unsafe impl Sync for Oid {}

impl Oid {
    const fn of(der: &'static [u8]) -> Oid {
        Oid { length: der.len() as u32, elements: der.as_ptr().cast() }
    }
}

#[repr(C)]
struct OidSet {
    count: usize,
    elements: *const Oid,
}

/// 1.2.840.113554.1.2.2.
static KERBEROS: Oid = Oid::of(b"\x2a\x86\x48\x86\xf7\x12\x01\x02\x02");
/// GSS_C_NT_HOSTBASED_SERVICE, 1.2.840.113554.1.2.1.4.
static SERVICE: Oid = Oid::of(b"\x2a\x86\x48\x86\xf7\x12\x01\x02\x01\x04");
/// GSS_C_NT_USER_NAME, 1.2.840.113554.1.2.1.1.
static USER: Oid = Oid::of(b"\x2a\x86\x48\x86\xf7\x12\x01\x02\x01\x01");

const INITIATE: c_int = 1;
const CONTINUE_NEEDED: Status = 1;
/// GSS_ERROR: calling and routine errors.
const ERRORS: Status = 0xffff_0000;
const MUTUAL: u32 = 2;
const SEQUENCE: u32 = 8;
const INTEGRITY: u32 = 32;
/// Kinds of codes for gss_display_status.
const GSS_CODE: c_int = 1;
const MECH_CODE: c_int = 2;
/// More lines than any status has.
const MOST_LINES: usize = 8;

macro_rules! library {
    ($($field:ident = $symbol:literal ($($argument:ty),*);)*) => {
        /// The functions.
        struct Library { $($field: unsafe extern "C" fn($($argument),*) -> Status,)* }

        impl Library {
            /// The functions of an open library, or the name of the one that it lacks.
            fn of(handle: *mut c_void) -> std::result::Result<Library, &'static CStr> {
                Ok(Library { $($field: {
                    // SAFETY: the handle is open and stays so; the name ends with NUL.
                    let symbol = unsafe { libc::dlsym(handle, $symbol.as_ptr()) };
                    if symbol.is_null() {
                        return Err($symbol);
                    }
                    // SAFETY: the symbol is that function of RFC 2744, whose C prototype is spelled here.
                    unsafe {
                        std::mem::transmute::<*mut c_void, unsafe extern "C" fn($($argument),*) -> Status>(symbol)
                    }
                },)* })
            }
        }
    };
}

library! {
    import_name = c"gss_import_name" (*mut Status, *mut Buffer, *const Oid, *mut Name);
    release_name = c"gss_release_name" (*mut Status, *mut Name);
    acquire_cred = c"gss_acquire_cred"
        (*mut Status, Name, u32, *const OidSet, c_int, *mut Cred, *mut *mut OidSet, *mut u32);
    acquire_cred_with_password = c"gss_acquire_cred_with_password"
        (*mut Status, Name, *mut Buffer, u32, *const OidSet, c_int, *mut Cred, *mut *mut OidSet, *mut u32);
    release_cred = c"gss_release_cred" (*mut Status, *mut Cred);
    init_sec_context = c"gss_init_sec_context"
        (*mut Status, Cred, *mut Handle, Name, *const Oid, u32, u32, *const c_void, *mut Buffer, *mut *const Oid,
         *mut Buffer, *mut u32, *mut u32);
    delete_sec_context = c"gss_delete_sec_context" (*mut Status, *mut Handle, *mut Buffer);
    wrap = c"gss_wrap" (*mut Status, Handle, c_int, u32, *mut Buffer, *mut c_int, *mut Buffer);
    unwrap = c"gss_unwrap" (*mut Status, Handle, *mut Buffer, *mut Buffer, *mut c_int, *mut u32);
    display_status = c"gss_display_status" (*mut Status, Status, c_int, *const Oid, *mut u32, *mut Buffer);
    release_buffer = c"gss_release_buffer" (*mut Status, *mut Buffer);
}

/// The library, loaded once. Error 270 names what is missing; a later call looks again.
fn library() -> Result<&'static Library> {
    static LOADED: Mutex<Option<&'static Library>> = Mutex::new(None);
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(library) = *loaded {
        return Ok(library);
    }
    let mut missing = Vec::new();
    for name in NAMES {
        // SAFETY: the name ends with NUL. The library's own initialisers run, as for every program that links it.
        let handle = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
        let name = name.to_string_lossy();
        if handle.is_null() {
            missing.push(name.into_owned());
            continue;
        }
        match Library::of(handle) {
            // Never closed: it keeps state of its own and may have threads.
            Ok(library) => return Ok(loaded.insert(Box::leak(Box::new(library)))),
            Err(symbol) => missing.push(format!("{name} without {}", symbol.to_string_lossy())),
        }
    }
    Err(Error::new(
        Code::SecurityLibrary,
        format!("Kerberos needs the system's GSSAPI library, which cannot be loaded: {}", missing.join(", ")),
    ))
}

impl Library {
    /// The text of a failed call: the routine's line, then the mechanism's own, which says more.
    fn failure(&self, major: Status, minor: Status) -> String {
        let general = self.lines(major, GSS_CODE);
        let special = if minor == 0 { Vec::new() } else { self.lines(minor, MECH_CODE) };
        let mut all: Vec<String> = general.into_iter().chain(special).filter(|line| !line.is_empty()).collect();
        all.dedup();
        if all.is_empty() { format!("GSSAPI status {major:#x}, {minor:#x}") } else { all.join(": ") }
    }

    fn lines(&self, code: Status, kind: c_int) -> Vec<String> {
        let (mut lines, mut more) = (Vec::new(), 0);
        for _ in 0..MOST_LINES {
            let (mut minor, mut text) = (0, Buffer::empty());
            // SAFETY: all places are ours and live through the call; the mechanism is a constant.
            let major = unsafe { (self.display_status)(&mut minor, code, kind, &KERBEROS, &mut more, &mut text) };
            let line = self.take(&mut text);
            if major & ERRORS != 0 {
                break;
            }
            lines.push(String::from_utf8_lossy(&line).trim().chars().take(300).collect());
            if more == 0 {
                break;
            }
        }
        lines
    }

    /// The bytes of a buffer that the library made, which it gets back.
    fn take(&self, buffer: &mut Buffer) -> Vec<u8> {
        if buffer.value.is_null() {
            return Vec::new();
        }
        // SAFETY: the library set value and length of its own memory; it stays until release_buffer below.
        let bytes = unsafe { std::slice::from_raw_parts_mut(buffer.value.cast::<u8>(), buffer.length) };
        let copy = bytes.to_vec();
        bytes.zeroize();
        let mut minor = 0;
        // SAFETY: a buffer that the library filled, released once: it sets value to NULL.
        unsafe { (self.release_buffer)(&mut minor, buffer) };
        copy
    }

    fn check(&self, major: Status, minor: Status) -> Result<()> {
        if major & ERRORS == 0 { Ok(()) } else { Err(super::fails(&self.failure(major, minor))) }
    }

    fn name(&'static self, text: &str, kind: &'static Oid) -> Result<OwnName> {
        let (mut minor, mut name) = (0, null_mut());
        // SAFETY: the buffer points to `text`, which lives through the call; the kind is a constant.
        let major = unsafe { (self.import_name)(&mut minor, &mut Buffer::of(text.as_bytes()), kind, &mut name) };
        let name = OwnName(self, name);
        self.check(major, minor).map(|()| name)
    }
}

struct OwnName(&'static Library, Name);

impl Drop for OwnName {
    fn drop(&mut self) {
        if !self.1.is_null() {
            let mut minor = 0;
            // SAFETY: a name that the library made, released once.
            unsafe { (self.0.release_name)(&mut minor, &mut self.1) };
        }
    }
}

/// A Kerberos context of the library, from its first token on.
pub struct Kerberos {
    library: &'static Library,
    target: OwnName,
    cred: Cred,
    context: Handle,
    /// What the credential is made with at the first step, which may ask the network.
    user: String,
    password: Secret,
}

// SAFETY: names, credentials and contexts belong to no thread (RFC 2744 has no such notion, and both libraries lock what they
// share); nobody else has these, and `&mut self` keeps two threads from using them at once.
unsafe impl Send for Kerberos {}

impl Kerberos {
    /// For a service, written `smtp@host`. Without a password the ticket cache of the process, or its key table, must know the
    /// user; without a user whoever that knows.
    pub fn new(service: &str, user: &str, password: &Secret) -> Result<Kerberos> {
        let library = library()?;
        let target = library.name(service, &SERVICE)?;
        let (user, password) = (user.to_owned(), password.clone());
        Ok(Kerberos { library, target, cred: null_mut(), context: null_mut(), user, password })
    }

    /// The credential of the user; without a user the library's default one, which is NULL.
    fn acquire(&mut self) -> Result<()> {
        if self.user.is_empty() || !self.cred.is_null() {
            return Ok(());
        }
        let library = self.library;
        let name = library.name(&self.user, &USER)?;
        let wanted = OidSet { count: 1, elements: &KERBEROS };
        let password = std::mem::take(&mut self.password);
        let mut minor = 0;
        let major = if password.is_empty() {
            // SAFETY: the name and the set live through the call, the credential's place is ours, NULL skips the rest.
            unsafe {
                (library.acquire_cred)(
                    &mut minor,
                    name.1,
                    u32::MAX,
                    &wanted,
                    INITIATE,
                    &mut self.cred,
                    null_mut(),
                    null_mut(),
                )
            }
        } else {
            let mut text = Buffer::of(password.expose().as_bytes());
            // SAFETY: as above; the password is read during the call only.
            unsafe {
                (library.acquire_cred_with_password)(
                    &mut minor,
                    name.1,
                    &mut text,
                    u32::MAX,
                    &wanted,
                    INITIATE,
                    &mut self.cred,
                    null_mut(),
                    null_mut(),
                )
            }
        };
        library.check(major, minor)
    }
}

impl Context for Kerberos {
    fn step(&mut self, token: &[u8]) -> Result<(Vec<u8>, bool)> {
        self.acquire()?;
        let library = self.library;
        let (mut minor, mut flags, mut out) = (0, 0, Buffer::empty());
        // SAFETY: credential, context and name are the library's own or NULL, as it allows; the token lives through the call; it
        // is read only; every other place is ours.
        let major = unsafe {
            (library.init_sec_context)(
                &mut minor,
                self.cred,
                &mut self.context,
                self.target.1,
                &KERBEROS,
                MUTUAL | SEQUENCE | INTEGRITY,
                0,
                null(),
                &mut Buffer::of(token),
                null_mut(),
                &mut out,
                &mut flags,
                null_mut(),
            )
        };
        let out = library.take(&mut out);
        library.check(major, minor)?;
        let established = major & CONTINUE_NEEDED == 0;
        if established && flags & (MUTUAL | INTEGRITY) != MUTUAL | INTEGRITY {
            return Err(super::fails("the server does not prove who it is"));
        }
        Ok((out, established))
    }

    fn unwrap(&mut self, token: &[u8]) -> Result<Vec<u8>> {
        let library = self.library;
        let (mut minor, mut out) = (0, Buffer::empty());
        // SAFETY: an established context; the token lives through the call and is read only; NULL skips what is not asked for.
        let major = unsafe {
            (library.unwrap)(&mut minor, self.context, &mut Buffer::of(token), &mut out, null_mut(), null_mut())
        };
        let out = library.take(&mut out);
        library.check(major, minor).map(|()| out)
    }

    fn wrap(&mut self, plain: &[u8]) -> Result<Vec<u8>> {
        let library = self.library;
        let (mut minor, mut out) = (0, Buffer::empty());
        // SAFETY: an established context; the text lives through the call and is read only; 0 and 0: signed, not sealed.
        let major =
            unsafe { (library.wrap)(&mut minor, self.context, 0, 0, &mut Buffer::of(plain), null_mut(), &mut out) };
        let out = library.take(&mut out);
        library.check(major, minor).map(|()| out)
    }
}

impl Drop for Kerberos {
    fn drop(&mut self) {
        let mut minor = 0;
        if !self.context.is_null() {
            // SAFETY: the library's context, deleted once; no token to the server is asked for.
            unsafe { (self.library.delete_sec_context)(&mut minor, &mut self.context, null_mut()) };
        }
        if !self.cred.is_null() {
            // SAFETY: the library's credential, released once.
            unsafe { (self.library.release_cred)(&mut minor, &mut self.cred) };
        }
    }
}
