//! libssl and libcrypto, found at run time: OpenSSL 3, else 1.1.1. Never linked, and never unloaded, since the library keeps
//! data of every thread that used it.

use crate::error::{Code, Error, Result};
use libc::{c_char, c_int, c_long, c_uchar, c_ulong, c_void, size_t};
use parking_lot::Mutex;
use std::ops::Deref;
use std::ptr;

/// Where libssl may be, the newest first. It brings the libcrypto that it was built with.
#[cfg(not(target_os = "macos"))]
const NAMES: &[&str] = &["libssl.so.3", "libssl.so.1.1", "libssl.so"];
/// The system's own libssl.dylib ends the process that loads it, so only those with a version.
#[cfg(target_os = "macos")]
const NAMES: &[&str] = &[
    "libssl.3.dylib",
    "/opt/homebrew/opt/openssl@3/lib/libssl.3.dylib",
    "/usr/local/opt/openssl@3/lib/libssl.3.dylib",
    "libssl.1.1.dylib",
];

/// 1.1.1, the first with TLS 1.3.
const OLDEST: c_ulong = 0x1010_1000;

/// OPENSSL_INIT_NO_ATEXIT: other threads may be at work in the library while the process ends.
const NO_ATEXIT: u64 = 0x8_0000;

/// A type of the library's, of which only addresses are known here.
macro_rules! opaque {
    ($($name:ident)*) => {
        $(#[repr(C)]
        pub struct $name {
            _private: [u8; 0],
        })*
    };
}

opaque! { SslMethod SslCtx SslConn SslSession SslCipher Stack Bio BioMethod Cert CertStoreCtx Key KeyCtx DigestCtx Digest }

pub type VerifyCallback = extern "C" fn(*mut CertStoreCtx, *mut c_void) -> c_int;
pub type SessionCallback = extern "C" fn(*mut SslConn, *mut SslSession) -> c_int;
pub type KeyLogCallback = extern "C" fn(*const SslConn, *const c_char);

/// The functions used here. A name after a bar is what 1.1.1 calls it.
macro_rules! functions {
    ($($name:ident $(| $older:literal)? ($($argument:ty),*) $(-> $result:ty)?;)*) => {
        /// The library's functions by their own names, in the order of `SYMBOLS`.
        #[allow(non_snake_case)]
        #[repr(C)]
        pub struct Functions {
            $(pub $name: unsafe extern "C" fn($($argument),*) $(-> $result)?,)*
        }

        /// A line for each function: its name, and what else it may be called.
        const SYMBOLS: &str = concat!($(stringify!($name), $(" ", $older,)? "\n"),*);
    };
}

functions! {
    OpenSSL_version_num() -> c_ulong;
    OPENSSL_init_ssl(u64, *const c_void) -> c_int;
    ERR_get_error() -> c_ulong;
    ERR_clear_error();
    ERR_reason_error_string(c_ulong) -> *const c_char;
    RAND_add(*const c_void, c_int, f64);
    OPENSSL_sk_num(*const Stack) -> c_int;
    OPENSSL_sk_value(*const Stack, c_int) -> *mut c_void;

    BIO_s_mem() -> *const BioMethod;
    BIO_new(*const BioMethod) -> *mut Bio;
    BIO_free(*mut Bio) -> c_int;
    BIO_ctrl(*mut Bio, c_int, c_long, *mut c_void) -> c_long;
    BIO_write(*mut Bio, *const c_void, c_int) -> c_int;

    d2i_X509(*mut *mut Cert, *mut *const c_uchar, c_long) -> *mut Cert;
    i2d_X509(*const Cert, *mut *mut c_uchar) -> c_int;
    X509_free(*mut Cert);
    X509_issuer_name_hash(*mut Cert) -> c_ulong;
    X509_STORE_CTX_get0_cert(*mut CertStoreCtx) -> *mut Cert;
    X509_STORE_CTX_get0_untrusted(*mut CertStoreCtx) -> *mut Stack;

    d2i_AutoPrivateKey(*mut *mut Key, *mut *const c_uchar, c_long) -> *mut Key;
    d2i_PUBKEY(*mut *mut Key, *mut *const c_uchar, c_long) -> *mut Key;
    EVP_PKEY_free(*mut Key);
    EVP_PKEY_get_base_id | "EVP_PKEY_base_id" (*const Key) -> c_int;
    EVP_PKEY_get_bits | "EVP_PKEY_bits" (*const Key) -> c_int;
    EVP_MD_CTX_new() -> *mut DigestCtx;
    EVP_MD_CTX_free(*mut DigestCtx);
    EVP_DigestVerifyInit(*mut DigestCtx, *mut *mut KeyCtx, *const Digest, *mut c_void, *mut Key) -> c_int;
    EVP_DigestVerify(*mut DigestCtx, *const c_uchar, size_t, *const c_uchar, size_t) -> c_int;
    EVP_sha256() -> *const Digest;
    EVP_sha384() -> *const Digest;
    EVP_sha512() -> *const Digest;

    TLS_client_method() -> *const SslMethod;
    SSL_CTX_new(*const SslMethod) -> *mut SslCtx;
    SSL_CTX_free(*mut SslCtx);
    SSL_CTX_ctrl(*mut SslCtx, c_int, c_long, *mut c_void) -> c_long;
    SSL_CTX_set_options(*mut SslCtx, u64) -> u64;
    SSL_CTX_clear_options(*mut SslCtx, u64) -> u64;
    SSL_CTX_set_cipher_list(*mut SslCtx, *const c_char) -> c_int;
    SSL_CTX_set_ciphersuites(*mut SslCtx, *const c_char) -> c_int;
    SSL_CTX_get_ciphers(*const SslCtx) -> *mut Stack;
    SSL_CTX_set_verify(*mut SslCtx, c_int, *const c_void);
    SSL_CTX_set_cert_verify_callback(*mut SslCtx, VerifyCallback, *mut c_void);
    SSL_CTX_sess_set_new_cb(*mut SslCtx, SessionCallback);
    SSL_CTX_set_keylog_callback(*mut SslCtx, KeyLogCallback);
    SSL_CTX_use_certificate_ASN1(*mut SslCtx, c_int, *const c_uchar) -> c_int;
    SSL_CTX_use_PrivateKey(*mut SslCtx, *mut Key) -> c_int;
    SSL_CTX_check_private_key(*const SslCtx) -> c_int;

    SSL_new(*mut SslCtx) -> *mut SslConn;
    SSL_free(*mut SslConn);
    SSL_set_bio(*mut SslConn, *mut Bio, *mut Bio);
    SSL_set_connect_state(*mut SslConn);
    SSL_ctrl(*mut SslConn, c_int, c_long, *mut c_void) -> c_long;
    SSL_set_session(*mut SslConn, *mut SslSession) -> c_int;
    SSL_do_handshake(*mut SslConn) -> c_int;
    SSL_read(*mut SslConn, *mut c_void, c_int) -> c_int;
    SSL_peek(*mut SslConn, *mut c_void, c_int) -> c_int;
    SSL_write(*mut SslConn, *const c_void, c_int) -> c_int;
    SSL_shutdown(*mut SslConn) -> c_int;
    SSL_get_error(*const SslConn, c_int) -> c_int;
    SSL_session_reused(*const SslConn) -> c_int;
    SSL_version(*const SslConn) -> c_int;
    SSL_get_current_cipher(*const SslConn) -> *const SslCipher;
    SSL_get_peer_signature_type_nid(*const SslConn, *mut c_int) -> c_int;
    SSL_export_keying_material(
        *mut SslConn, *mut c_uchar, size_t, *const c_char, size_t, *const c_uchar, size_t, c_int) -> c_int;
    SSL_CIPHER_get_name(*const SslCipher) -> *const c_char;
    SSL_CIPHER_standard_name(*const SslCipher) -> *const c_char;
    SSL_CIPHER_get_version(*const SslCipher) -> *const c_char;
    SSL_CIPHER_get_bits(*const SslCipher, *mut c_int) -> c_int;
    SSL_SESSION_free(*mut SslSession);
    SSL_SESSION_is_resumable(*const SslSession) -> c_int;
    SSL_SESSION_get_protocol_version(*const SslSession) -> c_int;
}

/// The library as it was found.
pub struct Library {
    pub version: c_ulong,
    functions: Functions,
}

impl Deref for Library {
    type Target = Functions;

    fn deref(&self) -> &Functions {
        &self.functions
    }
}

impl Library {
    /// # Safety
    /// `from` must be OpenSSL's libssl, whose functions have these types.
    unsafe fn of(from: &libloading::Library) -> std::result::Result<Library, String> {
        const COUNT: usize = size_of::<Functions>() / size_of::<*mut c_void>();
        // One loop over a text instead of a call for each function, which would be some kB of code.
        let mut found = [ptr::null_mut::<c_void>(); COUNT];
        for (place, names) in found.iter_mut().zip(SYMBOLS.lines()) {
            *place = address(from, names)?;
        }
        // SAFETY: `Functions` is as many pointers, in the order of these lines, and none of them is null; the caller knows the types.
        // The addresses stay good, since nobody unloads the library.
        let functions = unsafe { std::mem::transmute::<[*mut c_void; COUNT], Functions>(found) };
        // SAFETY: it takes nothing and reads a constant.
        let version = unsafe { (functions.OpenSSL_version_num)() };
        Ok(Library { version, functions })
    }
}

/// The first of these names that the library has, never null.
fn address(from: &libloading::Library, names: &str) -> std::result::Result<*mut c_void, String> {
    for name in names.split(' ') {
        // SAFETY: only the address is taken, whatever lies there.
        if let Ok(symbol) = unsafe { from.get::<*mut c_void>(name.as_bytes()) }
            && !symbol.is_null()
        {
            return Ok(*symbol);
        }
    }
    Err(format!("it has no {}", names.split(' ').next().unwrap_or_default()))
}

/// The library. Error 270 with its name where there is none that fits.
pub fn library() -> Result<&'static Library> {
    static LOADED: Mutex<Option<&'static Library>> = Mutex::new(None);
    let mut loaded = LOADED.lock();
    if let Some(library) = *loaded {
        return Ok(library);
    }
    let mut why = Vec::new();
    for name in NAMES {
        match load(name) {
            Ok(library) => {
                let library: &'static Library = Box::leak(Box::new(library));
                *loaded = Some(library);
                return Ok(library);
            }
            Err(error) => why.push(error),
        }
    }
    let text =
        format!("the platform's TLS library OpenSSL ({}) cannot be loaded: {}", NAMES.join(", "), why.join("; "));
    Err(Error::new(Code::SecurityLibrary, text))
}

fn load(name: &str) -> std::result::Result<Library, String> {
    // SAFETY: OpenSSL's initialisers are made to run in any process at any time.
    let file = unsafe { libloading::Library::new(name) }.map_err(|error| error.to_string())?;
    // Whatever becomes of it, what ran once stays in the process.
    let file = std::mem::ManuallyDrop::new(file);
    // SAFETY: the file is called libssl and, as is checked below, says that it is OpenSSL 1.1.1 or newer.
    let library = unsafe { Library::of(&file) }.map_err(|missing| format!("{name}: {missing}"))?;
    if library.version < OLDEST {
        return Err(format!("{name} is older than OpenSSL 1.1.1"));
    }
    // SAFETY: no settings are passed; safe to call at any time and again.
    if unsafe { (library.OPENSSL_init_ssl)(NO_ATEXIT, ptr::null()) } != 1 {
        return Err(format!("{name} does not start"));
    }
    Ok(library)
}

/// Numbers of `SSL_ctrl` and `SSL_CTX_ctrl`, which stand in the headers as macros.
pub mod ctrl {
    use super::c_int;
    pub const MODE: c_int = 33;
    pub const SESSION_CACHE_MODE: c_int = 44;
    pub const HOST_NAME: c_int = 55;
    pub const STATUS_TYPE: c_int = 65;
    pub const STATUS_RESPONSE: c_int = 70;
    pub const CHAIN_CERT: c_int = 89;
    pub const GROUPS: c_int = 92;
    pub const SIGNATURES: c_int = 98;
    pub const PEER_SIGNATURE: c_int = 108;
    pub const PEER_KEY: c_int = 109;
    pub const MIN_VERSION: c_int = 123;
    pub const MAX_VERSION: c_int = 124;
    pub const BIO_RESET: c_int = 1;
    pub const BIO_INFO: c_int = 3;
}

/// Options of a context.
pub mod op {
    pub const LEGACY_SERVER_CONNECT: u64 = 1 << 2;
    pub const NO_TICKET: u64 = 1 << 14;
    pub const NO_COMPRESSION: u64 = 1 << 17;
    pub const NO_SSL3: u64 = 1 << 25;
    pub const NO_TLS10: u64 = 1 << 26;
    pub const NO_TLS12: u64 = 1 << 27;
    pub const NO_TLS11: u64 = 1 << 28;
    pub const NO_TLS13: u64 = 1 << 29;
    pub const NO_RENEGOTIATION: u64 = 1 << 30;
}
