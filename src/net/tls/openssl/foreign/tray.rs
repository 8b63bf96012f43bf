//! What the library's callbacks tell, kept for the call they run in.

use super::library::{CertStoreCtx, Library, SslConn, SslSession, library};
use libc::{c_char, c_int, c_void};
use std::cell::RefCell;
use std::ffi::CStr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use zeroize::Zeroizing;

/// What one call brought.
#[derive(Default)]
pub struct Tray {
    /// The certificates of a server that wants to be judged: DER, its own first.
    pub chain: Option<Vec<Vec<u8>>>,
    /// Sessions that may be resumed.
    pub sessions: Vec<Session>,
    /// Lines for the key log.
    pub keys: Vec<Zeroizing<Vec<u8>>>,
}

/// More tickets than this in one call nobody needs.
const TICKETS: usize = 16;

thread_local! {
    static TRAY: RefCell<Tray> = RefCell::default();
}

impl Tray {
    /// Takes what is there.
    pub(super) fn take() -> Tray {
        TRAY.try_with(RefCell::take).unwrap_or_default()
    }
}

/// A session of the library's that may be resumed.
pub struct Session {
    pub(super) raw: *mut SslSession,
    library: &'static Library,
}

// SAFETY: the library counts references with atomic operations and allows sessions on any thread.
unsafe impl Send for Session {}

impl Session {
    pub fn is_resumable(&self) -> bool {
        // SAFETY: `raw` is a session that we hold a reference to.
        unsafe { (self.library.SSL_SESSION_is_resumable)(self.raw) == 1 }
    }

    /// A ticket of TLS 1.3 is for one use (RFC 8446 appendix C.4).
    pub fn is_for_one_use(&self) -> bool {
        // SAFETY: as above.
        unsafe { (self.library.SSL_SESSION_get_protocol_version)(self.raw) >= 0x304 }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // SAFETY: gives back the one reference that the callback was given.
        unsafe { (self.library.SSL_SESSION_free)(self.raw) };
    }
}

/// Works on the tray; nothing unwinds into the library.
fn put(work: impl FnOnce(&mut Tray)) -> bool {
    let done =
        catch_unwind(AssertUnwindSafe(|| TRAY.try_with(|tray| tray.try_borrow_mut().map(|mut tray| work(&mut tray)))));
    matches!(done, Ok(Ok(Ok(()))))
}

/// In place of the library's own check: notes the certificates for the one who drives the handshake, who judges them before
/// anything that the library answers goes out.
pub(super) extern "C" fn on_certificates(store: *mut CertStoreCtx, _: *mut c_void) -> c_int {
    let noted = put(|tray| {
        let Ok(library) = library() else { return };
        let mut chain = Vec::new();
        // SAFETY: `store` is the one of the check that is running; what it gives belongs to it and stays until we return.
        unsafe {
            chain.push(super::context::encoded(library, (library.X509_STORE_CTX_get0_cert)(store)));
            let others = (library.X509_STORE_CTX_get0_untrusted)(store);
            for index in 0..(library.OPENSSL_sk_num)(others).max(0) {
                let certificate = super::context::encoded(library, (library.OPENSSL_sk_value)(others, index).cast());
                // The library lists the server's own certificate among the others.
                if index > 0 || chain[0] != certificate {
                    chain.push(certificate);
                }
            }
        }
        tray.chain = Some(chain);
    });
    c_int::from(noted)
}

/// Takes the reference that the library hands over.
pub(super) extern "C" fn on_session(_: *mut SslConn, raw: *mut SslSession) -> c_int {
    let mut taken = false;
    put(|tray| {
        if let (Ok(library), true) = (library(), tray.sessions.len() < TICKETS) {
            taken = true;
            tray.sessions.push(Session { raw, library });
        }
    });
    c_int::from(taken)
}

pub(super) extern "C" fn on_keys(_: *const SslConn, line: *const c_char) {
    put(|tray| {
        // SAFETY: the library gives a text that ends with NUL and stays until we return.
        let line = unsafe { CStr::from_ptr(line) };
        tray.keys.push(Zeroizing::new(line.to_bytes().to_vec()));
    });
}
