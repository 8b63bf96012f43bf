//! What ring leaves out of the curves: the key exchange secp521r1, and every pair of curve and hash that a certificate or
//! a TLS 1.2 handshake may be signed with (there the scheme names the hash alone, RFC 5246 §7.4.1.4.1). Pure Rust.

use crate::certs::signing::ecdsa_verify_digest;
use crate::certs::spki::Curve;
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
    curve: Curve,
    key: AlgorithmIdentifier,
    signature: AlgorithmIdentifier,
    hash: &'static digest::Algorithm,
}

impl Algorithm for Ecdsa {
    fn verify_signature(&self, key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        let digest = digest::digest(self.hash, message);
        let verified = ecdsa_verify_digest(self.curve, key, digest.as_ref(), signature);
        if verified { Ok(()) } else { Err(InvalidSignature) }
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.key
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.signature
    }
}

macro_rules! ecdsa {
    ($($name:ident $curve:ident $key:ident $signature:ident $hash:ident;)*) => {
        $(static $name: &dyn Algorithm = &Ecdsa {
            curve: Curve::$curve, key: alg_id::$key, signature: alg_id::$signature, hash: &digest::$hash,
        };)*
    };
}

ecdsa! {
    P256_SHA512 P256 ECDSA_P256 ECDSA_SHA512 SHA512;
    P384_SHA512 P384 ECDSA_P384 ECDSA_SHA512 SHA512;
    P521_SHA256 P521 ECDSA_P521 ECDSA_SHA256 SHA256;
    P521_SHA384 P521 ECDSA_P521 ECDSA_SHA384 SHA384;
    P521_SHA512 P521 ECDSA_P521 ECDSA_SHA512 SHA512;
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
