//! Signatures in chains of certificates that ring does not know, checked by the library: Ed448, and ECDSA on P-521.

use super::clear;
use super::library::{Digest, Library, library};
use crate::certs::der;
use rustls::pki_types::{AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm, alg_id};

#[derive(Debug, Clone, Copy)]
enum Hash {
    /// The signature has its own.
    Own,
    Sha256,
    Sha384,
    Sha512,
}

#[derive(Debug)]
struct Algorithm {
    key: AlgorithmIdentifier,
    signature: AlgorithmIdentifier,
    hash: Hash,
}

static ALGORITHMS: [&dyn SignatureVerificationAlgorithm; 4] = [
    &Algorithm { key: alg_id::ED448, signature: alg_id::ED448, hash: Hash::Own },
    &Algorithm { key: alg_id::ECDSA_P521, signature: alg_id::ECDSA_SHA512, hash: Hash::Sha512 },
    &Algorithm { key: alg_id::ECDSA_P521, signature: alg_id::ECDSA_SHA384, hash: Hash::Sha384 },
    &Algorithm { key: alg_id::ECDSA_P521, signature: alg_id::ECDSA_SHA256, hash: Hash::Sha256 },
];

/// What the library checks beyond ring.
pub fn algorithms() -> &'static [&'static dyn SignatureVerificationAlgorithm] {
    &ALGORITHMS
}

impl SignatureVerificationAlgorithm for Algorithm {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> std::result::Result<(), InvalidSignature> {
        let library = library().map_err(|_| InvalidSignature)?;
        let info =
            der::wrap(der::SEQUENCE, &[&der::wrap(der::SEQUENCE, &[self.key.as_ref()]), &der::bit_string(public_key)]);
        if verify(library, &info, self.hash, message, signature) { Ok(()) } else { Err(InvalidSignature) }
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.key
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.signature
    }
}

fn verify(library: &Library, spki: &[u8], hash: Hash, message: &[u8], signature: &[u8]) -> bool {
    clear(library);
    let Ok(length) = libc::c_long::try_from(spki.len()) else { return false };
    let mut at = spki.as_ptr();
    // SAFETY: `at` and `length` are a slice that the library reads; the key and the context are new, used here alone and
    // freed once; the digests are constants of the library.
    let valid = unsafe {
        let key = (library.d2i_PUBKEY)(std::ptr::null_mut(), &mut at, length);
        if key.is_null() {
            clear(library);
            return false;
        }
        let digest: *const Digest = match hash {
            Hash::Own => std::ptr::null(),
            Hash::Sha256 => (library.EVP_sha256)(),
            Hash::Sha384 => (library.EVP_sha384)(),
            Hash::Sha512 => (library.EVP_sha512)(),
        };
        let context = (library.EVP_MD_CTX_new)();
        let none = std::ptr::null_mut();
        let valid = !context.is_null()
            && (library.EVP_DigestVerifyInit)(context, none, digest, std::ptr::null_mut(), key) == 1
            && (library.EVP_DigestVerify)(
                context,
                signature.as_ptr(),
                signature.len(),
                message.as_ptr(),
                message.len(),
            ) == 1;
        (library.EVP_MD_CTX_free)(context);
        (library.EVP_PKEY_free)(key);
        valid
    };
    clear(library);
    valid
}
