//! What ring leaves out of the curves: the key exchange secp521r1, and every pair of curve and hash that a certificate or
//! a TLS 1.2 handshake may be signed with (there the scheme names the hash alone, RFC 5246 §7.4.1.4.1). Pure Rust.

use ring::digest;
use ring::rand::{SecureRandom, SystemRandom};
use rustls::crypto::{ActiveKeyExchange, SharedSecret, SupportedKxGroup, WebPkiSupportedAlgorithms};
use rustls::ffdhe_groups::FfdheGroup;
use rustls::pki_types::{AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm as Algorithm, alg_id};
use rustls::{NamedGroup, PeerMisbehaved, SignatureScheme};
use zeroize::Zeroizing;

/// ECDSA over one curve with one hash.
#[derive(Debug)]
struct Ecdsa {
    curve: AlgorithmIdentifier,
    signature: AlgorithmIdentifier,
    hash: &'static digest::Algorithm,
    verify: fn(&[u8], &[u8], &[u8]) -> bool,
}

impl Algorithm for Ecdsa {
    fn verify_signature(&self, key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        let digest = digest::digest(self.hash, message);
        if (self.verify)(key, digest.as_ref(), signature) { Ok(()) } else { Err(InvalidSignature) }
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.curve
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.signature
    }
}

/// A signature in DER over a hash. One that is shorter than the curve is a small number, so zeros before it change nothing;
/// the crates want half the curve's length at least.
macro_rules! verifier {
    ($name:ident, $curve:ident, $length:literal) => {
        fn $name(key: &[u8], digest: &[u8], signature: &[u8]) -> bool {
            use $curve::ecdsa::signature::hazmat::PrehashVerifier;
            use $curve::ecdsa::{Signature, VerifyingKey};
            let Ok(key) = VerifyingKey::from_sec1_bytes(key) else { return false };
            let Ok(signature) = Signature::from_der(signature) else { return false };
            let mut padded = [0; $length];
            let from = $length - digest.len().min($length);
            padded[from..].copy_from_slice(&digest[..$length - from]);
            key.verify_prehash(&padded, &signature).is_ok()
        }
    };
}

verifier!(p256_verify, p256, 32);
verifier!(p384_verify, p384, 48);
verifier!(p521_verify, p521, 66);

macro_rules! ecdsa {
    ($($name:ident $curve:ident $signature:ident $hash:ident $verify:ident;)*) => {
        $(static $name: &dyn Algorithm = &Ecdsa {
            curve: alg_id::$curve, signature: alg_id::$signature, hash: &digest::$hash, verify: $verify,
        };)*
    };
}

ecdsa! {
    P256_SHA512 ECDSA_P256 ECDSA_SHA512 SHA512 p256_verify;
    P384_SHA512 ECDSA_P384 ECDSA_SHA512 SHA512 p384_verify;
    P521_SHA256 ECDSA_P521 ECDSA_SHA256 SHA256 p521_verify;
    P521_SHA384 ECDSA_P521 ECDSA_SHA384 SHA384 p521_verify;
    P521_SHA512 ECDSA_P521 ECDSA_SHA512 SHA512 p521_verify;
}

macro_rules! algorithms {
    (also [$($own:ident),*]; $($scheme:ident: $($algorithm:expr),*;)*) => {
        WebPkiSupportedAlgorithms {
            all: &[
                ring::ECDSA_P256_SHA256, ring::ECDSA_P256_SHA384, ring::ECDSA_P384_SHA256, ring::ECDSA_P384_SHA384,
                $($own,)*
                ring::ED25519, ring::RSA_PKCS1_2048_8192_SHA256, ring::RSA_PKCS1_2048_8192_SHA384,
                ring::RSA_PKCS1_2048_8192_SHA512, ring::RSA_PKCS1_2048_8192_SHA256_ABSENT_PARAMS,
                ring::RSA_PKCS1_2048_8192_SHA384_ABSENT_PARAMS, ring::RSA_PKCS1_2048_8192_SHA512_ABSENT_PARAMS,
                ring::RSA_PSS_2048_8192_SHA256_LEGACY_KEY, ring::RSA_PSS_2048_8192_SHA384_LEGACY_KEY,
                ring::RSA_PSS_2048_8192_SHA512_LEGACY_KEY,
            ],
            mapping: &[$((SignatureScheme::$scheme, &[$($algorithm),*])),*],
        }
    };
}

/// ring's ways to check signatures, and these. The first of each scheme is the one of TLS 1.3.
pub(super) static ALGORITHMS: WebPkiSupportedAlgorithms = {
    use webpki::ring;
    algorithms! {
        also [P256_SHA512, P384_SHA512, P521_SHA256, P521_SHA384, P521_SHA512];
        ECDSA_NISTP384_SHA384: ring::ECDSA_P384_SHA384, ring::ECDSA_P256_SHA384, P521_SHA384;
        ECDSA_NISTP256_SHA256: ring::ECDSA_P256_SHA256, ring::ECDSA_P384_SHA256, P521_SHA256;
        ECDSA_NISTP521_SHA512: P521_SHA512, P384_SHA512, P256_SHA512;
        ED25519: ring::ED25519;
        RSA_PSS_SHA512: ring::RSA_PSS_2048_8192_SHA512_LEGACY_KEY;
        RSA_PSS_SHA384: ring::RSA_PSS_2048_8192_SHA384_LEGACY_KEY;
        RSA_PSS_SHA256: ring::RSA_PSS_2048_8192_SHA256_LEGACY_KEY;
        RSA_PKCS1_SHA512: ring::RSA_PKCS1_2048_8192_SHA512;
        RSA_PKCS1_SHA384: ring::RSA_PKCS1_2048_8192_SHA384;
        RSA_PKCS1_SHA256: ring::RSA_PKCS1_2048_8192_SHA256;
    }
};

/// secp521r1 (RFC 8422 §5.1.1, RFC 8446 §4.2.8.2).
#[derive(Debug)]
pub(super) struct Secp521r1;

impl SupportedKxGroup for Secp521r1 {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, rustls::Error> {
        let random = SystemRandom::new();
        let mut bytes = Zeroizing::new([0; 66]);
        loop {
            random.fill(&mut bytes[..]).map_err(|_| rustls::Error::FailedToGetRandomBytes)?;
            // 521 bits; the few numbers beyond the order are drawn again.
            bytes[0] &= 1;
            if let Ok(secret) = p521::SecretKey::from_slice(&bytes[..]) {
                let public = p521::EncodedPoint::from(secret.public_key()).as_bytes().to_vec();
                return Ok(Box::new(Exchange { secret, public }));
            }
        }
    }

    fn name(&self) -> NamedGroup {
        NamedGroup::secp521r1
    }

    fn ffdhe_group(&self) -> Option<FfdheGroup<'static>> {
        None
    }
}

/// A key pair for one handshake; the secret half is wiped when it goes.
struct Exchange {
    secret: p521::SecretKey,
    public: Vec<u8>,
}

impl ActiveKeyExchange for Exchange {
    fn complete(self: Box<Self>, peer: &[u8]) -> Result<SharedSecret, rustls::Error> {
        // Only the uncompressed form is allowed, and a point that isn't on the curve is none.
        let peer = Some(peer).filter(|peer| peer.len() == 133 && peer[0] == 4);
        let peer = peer.and_then(|peer| p521::PublicKey::from_sec1_bytes(peer).ok());
        let peer = peer.ok_or(rustls::Error::PeerMisbehaved(PeerMisbehaved::InvalidKeyShare))?;
        let shared = p521::ecdh::diffie_hellman(self.secret.to_nonzero_scalar(), peer.as_affine());
        Ok(SharedSecret::from(&shared.raw_secret_bytes()[..]))
    }

    fn pub_key(&self) -> &[u8] {
        &self.public
    }

    fn group(&self) -> NamedGroup {
        NamedGroup::secp521r1
    }
}
