//! One connection of the library's, between two buffers: records that came, and records that are to go.

use super::context::{Cipher, Context, described};
use super::library::{Bio, Key, Library, SslConn, ctrl};
use super::tray::{Session, Tray};
use super::{Reason, clear, reason};
use libc::{c_int, c_long, c_void};
use std::ffi::CString;
use std::ptr;

/// An SSL with its two buffers.
pub struct Connection {
    raw: *mut SslConn,
    /// They belong to `raw`.
    incoming: *mut Bio,
    outgoing: *mut Bio,
    library: &'static Library,
}

// SAFETY: the library allows a connection on any thread, one at a time, which `&mut self` sees to.
unsafe impl Send for Connection {}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// With this many bytes, or 0 for a handshake that is through.
    Done(usize),
    /// Records from the peer are needed first.
    Wants,
    /// The peer said close_notify.
    Closed,
    Failed(Reason),
}

/// What the keys were agreed with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    pub name: String,
    pub bits: u32,
}

const WANT_READ: c_int = 2;
const ZERO_RETURN: c_int = 6;
const STATUS_OCSP: c_long = 1;

const KEY_DH: c_int = 28;
const KEY_EC: c_int = 408;
const KEY_X25519: c_int = 1034;
const KEY_X448: c_int = 1035;

impl Connection {
    /// A client; `host` goes into the hello where it is a name.
    pub fn new(context: &Context, host: Option<&str>, resume: Option<&Session>) -> Option<Connection> {
        let library = context.library;
        clear(library);
        // SAFETY: all are new and checked; SSL_set_bio hands both buffers over. The name ends with NUL, the session is
        // alive, and the library takes its own copy or reference of each.
        unsafe {
            let raw = (library.SSL_new)(context.raw);
            if raw.is_null() {
                return None;
            }
            let (incoming, outgoing) =
                ((library.BIO_new)((library.BIO_s_mem)()), (library.BIO_new)((library.BIO_s_mem)()));
            if incoming.is_null() || outgoing.is_null() {
                (library.BIO_free)(incoming);
                (library.BIO_free)(outgoing);
                (library.SSL_free)(raw);
                return None;
            }
            (library.SSL_set_bio)(raw, incoming, outgoing);
            (library.SSL_set_connect_state)(raw);
            let connection = Connection { raw, incoming, outgoing, library };
            (library.SSL_ctrl)(raw, ctrl::STATUS_TYPE, STATUS_OCSP, ptr::null_mut());
            if let Some(host) = host.and_then(|host| CString::new(host).ok()) {
                (library.SSL_ctrl)(raw, ctrl::HOST_NAME, 0, host.as_ptr().cast_mut().cast());
            }
            if let Some(session) = resume {
                (library.SSL_set_session)(raw, session.raw);
            }
            Some(connection)
        }
    }

    /// One call of the library: how it ended, and what its callbacks told.
    fn step(&mut self, call: &mut dyn FnMut(&Library, *mut SslConn) -> c_int) -> (Step, Tray) {
        clear(self.library);
        drop(Tray::take());
        let result = call(self.library, self.raw);
        let step = if result > 0 {
            Step::Done(usize::try_from(result).unwrap_or(0))
        } else {
            // SAFETY: asks about the call that just ended on this thread.
            match unsafe { (self.library.SSL_get_error)(self.raw, result) } {
                WANT_READ => Step::Wants,
                ZERO_RETURN => Step::Closed,
                _ => Step::Failed(reason(self.library)),
            }
        };
        (step, Tray::take())
    }

    pub fn handshake(&mut self) -> (Step, Tray) {
        // SAFETY: a live connection.
        self.step(&mut |library, raw| unsafe { (library.SSL_do_handshake)(raw) })
    }

    pub fn read(&mut self, buffer: &mut [u8]) -> (Step, Tray) {
        let room = c_int::try_from(buffer.len()).unwrap_or(c_int::MAX);
        // SAFETY: address and length of a slice that the library writes to.
        self.step(&mut |library, raw| unsafe { (library.SSL_read)(raw, buffer.as_mut_ptr().cast(), room) })
    }

    /// Whether data is there, without taking any: `Done` says so.
    pub fn peek(&mut self) -> (Step, Tray) {
        let mut byte = 0u8;
        // SAFETY: one octet that the library may write to.
        self.step(&mut |library, raw| unsafe { (library.SSL_peek)(raw, ptr::from_mut(&mut byte).cast(), 1) })
    }

    /// Takes all of it, at most `c_int::MAX` bytes.
    pub fn write(&mut self, data: &[u8]) -> (Step, Tray) {
        let length = c_int::try_from(data.len()).unwrap_or(c_int::MAX);
        // SAFETY: address and length of a slice that the library reads.
        self.step(&mut |library, raw| unsafe { (library.SSL_write)(raw, data.as_ptr().cast(), length) })
    }

    /// Makes the close_notify.
    pub fn close(&mut self) {
        // SAFETY: a live connection.
        self.step(&mut |library, raw| unsafe { (library.SSL_shutdown)(raw) });
    }

    /// Records that came. `None` when there is no memory for them.
    pub fn feed(&mut self, records: &[u8]) -> Option<()> {
        let length = c_int::try_from(records.len()).ok()?;
        // SAFETY: a live buffer that grows, and a slice that the library reads.
        let taken = unsafe { (self.library.BIO_write)(self.incoming, records.as_ptr().cast(), length) };
        (taken == length).then_some(())
    }

    /// Records that are to go; they stay until [`Connection::sent`].
    pub fn pending(&self) -> &[u8] {
        let mut at: *mut c_void = ptr::null_mut();
        // SAFETY: tells where the buffer's content begins and how long it is. Nothing changes it before `&mut self` is used.
        unsafe {
            let length = (self.library.BIO_ctrl)(self.outgoing, ctrl::BIO_INFO, 0, ptr::from_mut(&mut at).cast());
            match usize::try_from(length) {
                Ok(length @ 1..) if !at.is_null() => std::slice::from_raw_parts(at.cast(), length),
                _ => &[],
            }
        }
    }

    /// Forgets what was to go.
    pub fn sent(&mut self) {
        // SAFETY: empties a live buffer.
        unsafe { (self.library.BIO_ctrl)(self.outgoing, ctrl::BIO_RESET, 0, ptr::null_mut()) };
    }

    pub fn is_resumed(&self) -> bool {
        // SAFETY: a live connection.
        unsafe { (self.library.SSL_session_reused)(self.raw) == 1 }
    }

    /// 0x301 for TLS 1.0, and so on.
    pub fn version(&self) -> u32 {
        // SAFETY: a live connection.
        u32::try_from(unsafe { (self.library.SSL_version)(self.raw) }).unwrap_or(0)
    }

    pub fn cipher(&self) -> Option<Cipher> {
        // SAFETY: a live connection; the cipher is a constant.
        unsafe { described(self.library, (self.library.SSL_get_current_cipher)(self.raw)) }
    }

    /// The server's share of the key exchange; `None` where it has none of its own (RSA, or a resumed session).
    pub fn exchange(&self) -> Option<Exchange> {
        let mut key: *mut Key = ptr::null_mut();
        // SAFETY: the control writes a key that we then own and free.
        let (kind, bits) = unsafe {
            let found = (self.library.SSL_ctrl)(self.raw, ctrl::PEER_KEY, 0, ptr::from_mut(&mut key).cast());
            if found != 1 || key.is_null() {
                return None;
            }
            let told = ((self.library.EVP_PKEY_get_base_id)(key), (self.library.EVP_PKEY_get_bits)(key));
            (self.library.EVP_PKEY_free)(key);
            told
        };
        let bits = u32::try_from(bits).unwrap_or(0);
        let (name, bits) = match (kind, bits) {
            (KEY_X25519, _) => ("x25519".to_owned(), 255),
            (KEY_X448, _) => ("x448".to_owned(), 448),
            (KEY_EC, _) => (format!("secp{bits}r1"), bits),
            // Below TLS 1.3 a server makes its own parameters.
            (KEY_DH, _) if self.version() >= 0x304 => (format!("ffdhe{bits}"), bits),
            (KEY_DH, _) => (format!("dhe{bits}"), bits),
            _ => (String::new(), bits),
        };
        Some(Exchange { name, bits })
    }

    /// The identifiers (NID) of the hash and the kind of key that the server signed the handshake with.
    pub fn signature(&self) -> Option<(i32, i32)> {
        let (mut hash, mut kind) = (0, 0);
        // SAFETY: both write one number.
        let (hashed, kinded) = unsafe {
            (
                (self.library.SSL_ctrl)(self.raw, ctrl::PEER_SIGNATURE, 0, ptr::from_mut(&mut hash).cast()),
                (self.library.SSL_get_peer_signature_type_nid)(self.raw, &mut kind),
            )
        };
        (kinded == 1).then_some((if hashed == 1 { hash } else { 0 }, kind))
    }

    /// The stapled OCSP response, DER; empty without one.
    pub fn stapled(&self) -> Vec<u8> {
        let mut at: *mut u8 = ptr::null_mut();
        // SAFETY: tells where the response is and how long; it belongs to the connection and is copied at once.
        unsafe {
            let length = (self.library.SSL_ctrl)(self.raw, ctrl::STATUS_RESPONSE, 0, ptr::from_mut(&mut at).cast());
            match usize::try_from(length) {
                Ok(length @ 1..) if !at.is_null() => std::slice::from_raw_parts(at, length).to_vec(),
                _ => Vec::new(),
            }
        }
    }

    /// RFC 5705 keying material, with an empty context.
    pub fn export(&mut self, label: &[u8], length: usize) -> Option<Vec<u8>> {
        let mut out = vec![0; length];
        clear(self.library);
        // SAFETY: addresses and lengths of slices; the library writes `length` octets.
        let done = unsafe {
            (self.library.SSL_export_keying_material)(
                self.raw,
                out.as_mut_ptr(),
                length,
                label.as_ptr().cast(),
                label.len(),
                ptr::null(),
                0,
                1,
            )
        };
        (done == 1).then_some(out)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // SAFETY: ours, with its two buffers.
        unsafe { (self.library.SSL_free)(self.raw) };
    }
}
