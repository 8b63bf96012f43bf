//! A private key that the caller keeps: an HSM, a key service, a smart card, a browser. `ssmtp_cert_set_signer` puts a callback in the
//! place of a certificate's key: digest in, signature out.

#![allow(missing_docs)]

use crate::certs::key::PrivateKey;
use crate::certs::signing::{self, Holder, Scheme};
use crate::certs::spki::PublicKey;
use crate::enums::SignScheme;
use crate::error::{Code, Error, Result};
use crate::ffi::api::ssmtp_close_cb;
use crate::ffi::guard::{self, CERTS};
use crate::ffi::handle::ssmtp_cert_t;
use libc::c_void;
use std::fmt;
use std::sync::Arc;

/// Signs with a key that the library does not have. `scheme` is an `ssmtp_sign_scheme`. `input` is the digest of what is signed, whose
/// length tells the hash (16 MD5, 20 SHA-1, 28 SHA-224, 32 SHA-256, 48 SHA-384, 64 SHA-512); for Ed25519 and Ed448 it is what is signed.
/// `signature` takes as many octets as `*signature_length` says, which is set to how many there are. Anything but 0 is a refusal.
#[allow(non_camel_case_types)]
pub type ssmtp_sign_cb = Option<
    unsafe extern "C" fn(
        userdata: *mut c_void,
        scheme: i32,
        input: *const u8,
        length: usize,
        signature: *mut u8,
        signature_length: *mut usize,
    ) -> i32,
>;

/// No signature is longer: RSA of 16384 bits.
const SIGNATURE: usize = 2048;

struct Signer {
    sign: unsafe extern "C" fn(*mut c_void, i32, *const u8, usize, *mut u8, *mut usize) -> i32,
    close: ssmtp_close_cb,
    /// The caller's pointer.
    userdata: usize,
    public: PublicKey,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({})", self.public.algorithm())
    }
}

impl Drop for Signer {
    fn drop(&mut self) {
        if let Some(close) = self.close {
            let userdata = self.userdata;
            // SAFETY: the caller promised a function that takes this userdata; nothing signs any more. It may call back into the
            // library, and whoever let go of the last certificate may hold a lock.
            guard::afterwards(Box::new(move || unsafe { close(userdata as *mut c_void) }));
        }
    }
}

impl Holder for Signer {
    fn sign(&self, scheme: Scheme, message: &[u8]) -> Result<Vec<u8>> {
        let number = match scheme {
            Scheme::RsaPkcs1(_) => SignScheme::RsaPkcs1,
            Scheme::RsaPss(_) => SignScheme::RsaPss,
            Scheme::Ecdsa(_) => SignScheme::Ecdsa,
            Scheme::Dsa(_) => SignScheme::Dsa,
            Scheme::Ed25519 => SignScheme::Ed25519,
            Scheme::Ed448 => SignScheme::Ed448,
        };
        let digest = scheme.hash().map(|hash| hash.digest(message));
        let input = digest.as_deref().unwrap_or(message);
        let mut signature = vec![0; SIGNATURE];
        let mut length = signature.len();
        // SAFETY: the caller promised a function that reads and writes no more than these lengths say, on any thread.
        let answer = unsafe {
            let userdata = self.userdata as *mut c_void;
            (self.sign)(userdata, number as i32, input.as_ptr(), input.len(), signature.as_mut_ptr(), &raw mut length)
        };
        if answer != 0 {
            return Err(Error::new(Code::Encrypt, format!("the signer refused to sign {scheme} ({answer})")));
        }
        signature.truncate(length.min(SIGNATURE));
        // Another key's signature would look like a fault of the server or of the message.
        if !signing::verify(&self.public, scheme, message, &signature) {
            let why = format!("what the signer gave is no signature of the certificate's key ({scheme})");
            return Err(Error::new(Code::Encrypt, why));
        }
        Ok(signature)
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn ssmtp_cert_set_signer(
    cert: *mut ssmtp_cert_t,
    sign: ssmtp_sign_cb,
    close: ssmtp_close_cb,
    userdata: *mut c_void,
) -> i32 {
    let mut before = None;
    let number = guard::enter(0, &mut || {
        let cert = CERTS.get(cert as usize, "certificate")?;
        let mut cert = cert.lock();
        let loaded = cert.loaded();
        let Some(public) = loaded.as_ref().and_then(|loaded| loaded.public()).cloned() else {
            return Err(Error::new(Code::CertNotFound, "there is no certificate to sign for"));
        };
        before = loaded;
        let key = sign.map(|sign| {
            let signer = Signer { sign, close, userdata: userdata as usize, public: public.clone() };
            Arc::new(PrivateKey::external(public, Arc::new(signer)))
        });
        cert.set_key(key);
        Ok(())
    });
    // What was there may end by this, and its `close` be called: with no lock held.
    drop(before);
    number
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ffi::api::{ssmtp_cert_delete, ssmtp_cert_new_data, ssmtp_delete, ssmtp_new};
    use crate::ffi::r#gen::{ssmtp_get_timeout, ssmtp_set_ssl_cert};
    use crate::ffi::handle::ssmtp_t;
    use std::ptr::null_mut;
    use std::sync::atomic::{AtomicI32, Ordering};
    use std::sync::mpsc::channel;
    use std::time::Duration;

    static HEARD: AtomicI32 = AtomicI32::new(-1);

    unsafe extern "C" fn sign(_: *mut c_void, _: i32, _: *const u8, _: usize, _: *mut u8, _: *mut usize) -> i32 {
        1
    }

    /// Asks the handle that lets go of it.
    unsafe extern "C" fn close(handle: *mut c_void) {
        let mut timeout = -1;
        // SAFETY: the handle is a token, and the place lives through the call.
        let number = unsafe { ssmtp_get_timeout(handle.cast::<ssmtp_t>(), &raw mut timeout) };
        HEARD.store(number, Ordering::SeqCst);
    }

    #[test]
    fn who_hears_that_a_signer_is_done_with_may_ask_the_handle() {
        let (done, over) = channel();
        std::thread::spawn(move || {
            let data = include_bytes!("../../tests/data/certs/p256.crt");
            let (handle, mut cert) = (ssmtp_new(), null_mut());
            // SAFETY: tokens and the address and length of a slice; the callbacks take a token.
            unsafe {
                assert_eq!(ssmtp_cert_new_data(data.as_ptr(), data.len(), &raw mut cert), 0);
                assert_eq!(ssmtp_cert_set_signer(cert, Some(sign), Some(close), handle.cast()), 0);
                assert_eq!(ssmtp_set_ssl_cert(handle, cert), 0);
                assert_eq!(ssmtp_cert_delete(cert), 0);
                assert_eq!(HEARD.load(Ordering::SeqCst), -1);
                assert_eq!(ssmtp_set_ssl_cert(handle, null_mut()), 0);
            }
            ssmtp_delete(handle);
            let _ = done.send(HEARD.load(Ordering::SeqCst));
        });
        assert_eq!(over.recv_timeout(Duration::from_secs(20)), Ok(0));
    }
}
