//! What connections have in common: versions, ciphers, groups, signatures, the client's certificate.

use super::library::{Cert, Library, SslCipher, SslCtx, ctrl, library, op};
use super::tray::{on_certificates, on_keys, on_session};
use super::{Reason, clear, reason, text};
use crate::error::{Code, Error, Result};
use libc::{c_int, c_long};
use std::ffi::CString;
use std::ptr;

/// A cipher suite as the library has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cipher {
    /// OpenSSL's name: `ECDHE-RSA-AES128-SHA`.
    pub name: String,
    /// IANA's name: `TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA`.
    pub standard: String,
    pub bits: u32,
    /// The oldest version that has it, as OpenSSL writes it: `TLSv1.2`.
    pub since: String,
}

/// An SSL_CTX.
pub struct Context {
    pub(super) raw: *mut SslCtx,
    pub(super) library: &'static Library,
}

// SAFETY: the library allows a context on any thread, and locks or counts atomically what connections share of it. It is changed
// only by `&mut self`, before connections are made.
unsafe impl Send for Context {}
unsafe impl Sync for Context {}

const VERIFY_PEER: c_int = 1;
/// SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL: sessions are told of, and kept by us.
const TELL_SESSIONS: c_long = 0x301;
/// SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER.
const MODES: c_long = 0x12;

impl Context {
    /// Any version, no session, the library's default ciphers. Error 270.
    pub fn new() -> Result<Context> {
        let library = library()?;
        clear(library);
        // SAFETY: the method is a constant of the library.
        let raw = unsafe { (library.SSL_CTX_new)((library.TLS_client_method)()) };
        if raw.is_null() {
            let why = reason(library).text;
            return Err(Error::new(Code::SecurityLibrary, format!("OpenSSL cannot be used: {why}")));
        }
        let context = Context { raw, library };
        // SAFETY: `raw` is the context just made, and the callbacks hold no address.
        unsafe {
            (library.SSL_CTX_set_verify)(raw, VERIFY_PEER, ptr::null());
            (library.SSL_CTX_set_cert_verify_callback)(raw, on_certificates, ptr::null_mut());
        }
        context.ctrl(ctrl::MODE, MODES);
        context.options(op::NO_COMPRESSION | op::NO_RENEGOTIATION | op::NO_SSL3, op::LEGACY_SERVER_CONNECT);
        Ok(context)
    }

    fn ctrl(&self, number: c_int, value: c_long) -> bool {
        clear(self.library);
        // SAFETY: only numbers are passed to controls that take numbers.
        unsafe { (self.library.SSL_CTX_ctrl)(self.raw, number, value, ptr::null_mut()) == 1 }
    }

    pub fn options(&self, set: u64, clear: u64) {
        // SAFETY: bits of a live context.
        unsafe {
            (self.library.SSL_CTX_clear_options)(self.raw, clear);
            (self.library.SSL_CTX_set_options)(self.raw, set);
        }
    }

    /// The versions to offer, from and to, as numbers of the protocol: 0x301 to 0x304.
    pub fn versions(&mut self, least: u32, most: u32) -> bool {
        // The system's configuration may have left some out.
        self.options(0, op::NO_TLS10 | op::NO_TLS11 | op::NO_TLS12 | op::NO_TLS13);
        self.ctrl(ctrl::MIN_VERSION, c_long::from(least)) && self.ctrl(ctrl::MAX_VERSION, c_long::from(most))
    }

    /// Asks for sessions to be told, or for none.
    pub fn sessions(&mut self, wanted: bool) {
        if wanted {
            self.ctrl(ctrl::SESSION_CACHE_MODE, TELL_SESSIONS);
            // SAFETY: the callback holds no address.
            unsafe { (self.library.SSL_CTX_sess_set_new_cb)(self.raw, on_session) };
        } else {
            self.ctrl(ctrl::SESSION_CACHE_MODE, 0);
            self.options(op::NO_TICKET, 0);
        }
    }

    pub fn log_keys(&mut self) {
        // SAFETY: the callback holds no address.
        unsafe { (self.library.SSL_CTX_set_keylog_callback)(self.raw, on_keys) };
    }

    /// Ciphers of TLS 1.2 and older, in OpenSSL's notation.
    pub fn cipher_list(&mut self, list: &str) -> std::result::Result<(), Reason> {
        let list = c_text(list)?;
        clear(self.library);
        // SAFETY: the text ends with NUL and outlives the call.
        match unsafe { (self.library.SSL_CTX_set_cipher_list)(self.raw, list.as_ptr()) } {
            1 => Ok(()),
            _ => Err(reason(self.library)),
        }
    }

    /// Suites of TLS 1.3 by IANA's names, ':' between.
    pub fn cipher_suites(&mut self, list: &str) -> std::result::Result<(), Reason> {
        let list = c_text(list)?;
        clear(self.library);
        // SAFETY: as above.
        match unsafe { (self.library.SSL_CTX_set_ciphersuites)(self.raw, list.as_ptr()) } {
            1 => Ok(()),
            _ => Err(reason(self.library)),
        }
    }

    /// Both kinds, in the order of preference.
    pub fn ciphers(&self) -> Vec<Cipher> {
        // SAFETY: the list belongs to the context, and its entries are constants of the library.
        unsafe {
            let list = (self.library.SSL_CTX_get_ciphers)(self.raw);
            let count = if list.is_null() { 0 } else { (self.library.OPENSSL_sk_num)(list) };
            let entry = |index| described(self.library, (self.library.OPENSSL_sk_value)(list, index).cast());
            (0..count).filter_map(entry).collect()
        }
    }

    /// Groups by OpenSSL's names, ':' between.
    pub fn groups(&mut self, list: &str) -> std::result::Result<(), Reason> {
        self.text_ctrl(ctrl::GROUPS, list)
    }

    /// Signature algorithms by OpenSSL's names, ':' between.
    pub fn signatures(&mut self, list: &str) -> std::result::Result<(), Reason> {
        self.text_ctrl(ctrl::SIGNATURES, list)
    }

    fn text_ctrl(&mut self, number: c_int, list: &str) -> std::result::Result<(), Reason> {
        let list = c_text(list)?;
        clear(self.library);
        // SAFETY: both controls read a text that ends with NUL.
        match unsafe { (self.library.SSL_CTX_ctrl)(self.raw, number, 0, list.as_ptr().cast_mut().cast()) } {
            1 => Ok(()),
            _ => Err(reason(self.library)),
        }
    }

    /// The client's certificate, what goes with it, and its key in any DER form.
    pub fn identity(&mut self, chain: &[Vec<u8>], key: &[u8]) -> std::result::Result<(), Reason> {
        let Some((own, others)) = chain.split_first() else { return Err(Reason::none("there is no certificate")) };
        let long = |_| Reason::none("it is too long");
        let library = self.library;
        clear(library);
        // SAFETY: addresses and lengths of slices that outlive the calls; what is read from them is counted, and our
        // references are given back.
        unsafe {
            let length = c_int::try_from(own.len()).map_err(long)?;
            if (library.SSL_CTX_use_certificate_ASN1)(self.raw, length, own.as_ptr()) != 1 {
                return Err(reason(library));
            }
            for other in others {
                let mut at = other.as_ptr();
                let certificate =
                    (library.d2i_X509)(ptr::null_mut(), &mut at, c_long::try_from(other.len()).map_err(long)?);
                if certificate.is_null() {
                    return Err(reason(library));
                }
                // With 1 the context takes a reference of its own.
                let added = (library.SSL_CTX_ctrl)(self.raw, ctrl::CHAIN_CERT, 1, certificate.cast());
                (library.X509_free)(certificate);
                if added != 1 {
                    return Err(reason(library));
                }
            }
            let mut at = key.as_ptr();
            let length = c_long::try_from(key.len()).map_err(long)?;
            let key = (library.d2i_AutoPrivateKey)(ptr::null_mut(), &mut at, length);
            if key.is_null() {
                return Err(reason(library));
            }
            let used = (library.SSL_CTX_use_PrivateKey)(self.raw, key);
            (library.EVP_PKEY_free)(key);
            // A key of another kind than the certificate's is taken, and only this tells.
            match used == 1 && (library.SSL_CTX_check_private_key)(self.raw) == 1 {
                true => Ok(()),
                false => Err(reason(library)),
            }
        }
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: our one reference; connections have their own.
        unsafe { (self.library.SSL_CTX_free)(self.raw) };
    }
}

fn c_text(text: &str) -> std::result::Result<CString, Reason> {
    CString::new(text).map_err(|_| Reason::none("it holds a NUL"))
}

/// # Safety
/// NULL or a cipher of the library's.
pub(super) unsafe fn described(library: &Library, cipher: *const SslCipher) -> Option<Cipher> {
    if cipher.is_null() {
        return None;
    }
    // SAFETY: ciphers and their names are constants of the library.
    unsafe {
        Some(Cipher {
            name: text((library.SSL_CIPHER_get_name)(cipher))?,
            standard: text((library.SSL_CIPHER_standard_name)(cipher))?,
            bits: u32::try_from((library.SSL_CIPHER_get_bits)(cipher, ptr::null_mut())).unwrap_or(0),
            since: text((library.SSL_CIPHER_get_version)(cipher))?,
        })
    }
}

/// A certificate as DER; empty where the library can't write it.
///
/// # Safety
/// NULL or a live certificate.
pub(super) unsafe fn encoded(library: &Library, certificate: *const Cert) -> Vec<u8> {
    if certificate.is_null() {
        return Vec::new();
    }
    // SAFETY: without a place the library tells the length, and then writes exactly that many octets.
    unsafe {
        let length = (library.i2d_X509)(certificate, ptr::null_mut());
        let mut der = vec![0; usize::try_from(length).unwrap_or(0)];
        if !der.is_empty() {
            let mut at = der.as_mut_ptr();
            (library.i2d_X509)(certificate, &mut at);
        }
        der
    }
}

/// The name under which OpenSSL's folders hold a certificate's issuer: eight hexadecimal digits.
pub fn issuer_hash(der: &[u8]) -> Option<String> {
    let library = library().ok()?;
    clear(library);
    let mut at = der.as_ptr();
    let length = c_long::try_from(der.len()).ok()?;
    // SAFETY: a slice that outlives the call; the certificate is ours and freed once.
    unsafe {
        let certificate = (library.d2i_X509)(ptr::null_mut(), &mut at, length);
        if certificate.is_null() {
            clear(library);
            return None;
        }
        let hash = (library.X509_issuer_name_hash)(certificate);
        (library.X509_free)(certificate);
        Some(format!("{hash:08x}"))
    }
}
