//! Signing, decrypting and agreeing with private keys, and the checks of their signatures: RSASSA-PKCS1-v1_5, RSASSA-PSS and RSAES
//! (RFC 8017), ECDSA (FIPS 186-5), Ed25519 and Ed448 (RFC 8032), DSA (FIPS 186-4), ECDH and X25519 (RFC 7748). What a key is, and
//! where, `key` knows.

mod curve448;
mod dsa;
mod ec;
pub mod hash;
mod rsa;

pub use curve448::public_half as ed448_public;
pub use dsa::public_half as dsa_public;
pub use ec::{verify_digest as ecdsa_verify_digest, x25519_public};
pub use hash::Hash;
pub use rsa::{digest_info, pss_with_salt};

use super::der;
use super::key::{Kind, PrivateKey};
use super::spki::{Curve, PublicKey};
use crate::error::{Code, Error, Result};
use std::fmt;
use zeroize::Zeroizing;

/// A way to sign. PSS takes MGF1 with the same hash and a salt as long as the hash; signatures of ECDSA and DSA are DER.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    RsaPkcs1(Hash),
    RsaPss(Hash),
    Ecdsa(Hash),
    Ed25519,
    Ed448,
    Dsa(Hash),
}

impl Scheme {
    /// The hash that is taken before the key is used; none where the key takes the message.
    pub fn hash(self) -> Option<Hash> {
        match self {
            Scheme::RsaPkcs1(hash) | Scheme::RsaPss(hash) | Scheme::Ecdsa(hash) | Scheme::Dsa(hash) => Some(hash),
            Scheme::Ed25519 | Scheme::Ed448 => None,
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scheme::RsaPkcs1(hash) => write!(f, "RSA with {}", hash.name()),
            Scheme::RsaPss(hash) => write!(f, "RSA-PSS with {}", hash.name()),
            Scheme::Ecdsa(hash) => write!(f, "ECDSA with {}", hash.name()),
            Scheme::Ed25519 => f.write_str("Ed25519"),
            Scheme::Ed448 => f.write_str("Ed448"),
            Scheme::Dsa(hash) => write!(f, "DSA with {}", hash.name()),
        }
    }
}

/// How RSA wraps what it encrypts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RsaPadding {
    Pkcs1,
    Oaep { hash: Hash, mgf: Hash },
}

/// A private key that lives elsewhere: on a token, behind a callback.
pub trait Holder: Send + Sync {
    /// Signs a message; what hashes it when the key wants a digest is the holder.
    fn sign(&self, scheme: Scheme, message: &[u8]) -> Result<Vec<u8>>;

    fn decrypt(&self, _padding: RsaPadding, _data: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        Err(Error::new(Code::Decrypt, "this key only signs"))
    }

    /// The shared secret with somebody's public key, as ECDH and X25519 leave it.
    fn agree(&self, _peer: &PublicKey) -> Result<Zeroizing<Vec<u8>>> {
        Err(Error::new(Code::Decrypt, "this key only signs"))
    }

    /// What it can sign with, when that is less than keys of its kind can.
    fn schemes(&self) -> Option<Vec<Scheme>> {
        None
    }
}

/// What a key of this kind and size can sign with, best first.
pub(super) fn possible(kind: Kind, public: &PublicKey) -> Vec<Scheme> {
    use Hash::{Md5, Sha1, Sha224, Sha256, Sha384, Sha512};
    let bits = usize::try_from(public.bits()).unwrap_or(0);
    match kind {
        Kind::Rsa => {
            let all = [Sha256, Sha384, Sha512, Sha224, Sha1];
            let pss = all.into_iter().filter(|h| rsa::pss_fits(bits, *h)).map(Scheme::RsaPss);
            let pkcs1 = all.into_iter().chain([Md5]).filter(|h| rsa::pkcs1_fits(bits, *h)).map(Scheme::RsaPkcs1);
            pss.chain(pkcs1).collect()
        }
        Kind::Ec(curve) => {
            let own = match curve.size() {
                32 => Sha256,
                48 => Sha384,
                _ => Sha512,
            };
            let others = [Sha512, Sha384, Sha256, Sha224, Sha1].into_iter().filter(|h| *h != own);
            [own].into_iter().chain(others).map(Scheme::Ecdsa).collect()
        }
        Kind::Ed25519 => vec![Scheme::Ed25519],
        Kind::Ed448 => vec![Scheme::Ed448],
        Kind::Dsa => [Sha256, Sha384, Sha512, Sha224, Sha1].map(Scheme::Dsa).to_vec(),
        Kind::X25519 | Kind::Other => Vec::new(),
    }
}

/// A key as the library wants it that signs with it: taking a key apart costs as much as half a signature.
pub(super) enum Ready {
    Rsa(Box<rsa::Ready>),
    Ec(Curve, Option<ring::signature::EcdsaKeyPair>),
    Ed25519(Option<ring::signature::Ed25519KeyPair>),
    Ed448,
    Dsa,
    Nothing,
}

impl Ready {
    pub(super) fn new(kind: Kind, pkcs8: &[u8]) -> Ready {
        match kind {
            Kind::Rsa => Ready::Rsa(Box::new(rsa::Ready::new(pkcs8))),
            Kind::Ec(curve) => Ready::Ec(curve, ec::ready(curve, pkcs8)),
            Kind::Ed25519 => Ready::Ed25519(ring::signature::Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8).ok()),
            Kind::Ed448 => Ready::Ed448,
            Kind::Dsa => Ready::Dsa,
            Kind::X25519 | Kind::Other => Ready::Nothing,
        }
    }
}

/// Signs with a key in memory.
pub(super) fn sign(ready: &Ready, public: &PublicKey, pkcs8: &[u8], scheme: Scheme, message: &[u8]) -> Result<Vec<u8>> {
    match (ready, scheme) {
        (Ready::Rsa(ready), Scheme::RsaPkcs1(hash)) => rsa::sign(ready, pkcs8, public, hash, false, message),
        (Ready::Rsa(ready), Scheme::RsaPss(hash)) => rsa::sign(ready, pkcs8, public, hash, true, message),
        (Ready::Ec(curve, pair), Scheme::Ecdsa(hash)) => ec::sign(*curve, pair.as_ref(), pkcs8, hash, message),
        (Ready::Ed25519(Some(pair)), Scheme::Ed25519) => Ok(pair.sign(message).as_ref().to_vec()),
        (Ready::Ed448, Scheme::Ed448) => curve448::sign(pkcs8, message),
        (Ready::Dsa, Scheme::Dsa(hash)) => dsa::sign(pkcs8, public, hash, message),
        _ => Err(unfit(public, scheme)),
    }
}

/// A signature of ECDSA or DSA (RFC 3279 §2.2.2).
pub(super) fn two_numbers(r: &[u8], s: &[u8]) -> Vec<u8> {
    der::wrap(der::SEQUENCE, &[&der::integer(r), &der::integer(s)])
}

/// The two numbers, without leading zeros, of a signature that is DER to the letter.
fn numbers_of(signature: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut pair = der::only_sequence(signature).ok()?;
    let (r, s) = (pair.unsigned().ok()?, pair.unsigned().ok()?);
    (two_numbers(r, s) == signature).then_some((r, s))
}

/// The error of a key that a scheme is not for.
pub(super) fn unfit(public: &PublicKey, scheme: Scheme) -> Error {
    Error::new(Code::Encrypt, format!("a key of the algorithm {} cannot sign with {scheme}", public.algorithm()))
}

/// Decrypts with a key in memory. A wrong padding and whatever else is wrong are one error.
pub(super) fn decrypt(key: &PrivateKey, pkcs8: &[u8], padding: RsaPadding, data: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    match key.kind() {
        Kind::Rsa => rsa::decrypt(pkcs8, padding, data),
        _ => Err(Error::new(
            Code::Decrypt,
            format!("a key of the algorithm {} does not decrypt by itself", key.public_key().algorithm()),
        )),
    }
}

/// The shared secret of a key in memory and somebody's public key.
pub(super) fn agree(key: &PrivateKey, pkcs8: &[u8], peer: &PublicKey) -> Result<Zeroizing<Vec<u8>>> {
    match key.kind() {
        Kind::Ec(curve) => ec::agree(curve, pkcs8, peer),
        Kind::X25519 => ec::agree_x25519(pkcs8, peer),
        _ => Err(Error::new(
            Code::Decrypt,
            format!("a key of the algorithm {} agrees on no secret", key.public_key().algorithm()),
        )),
    }
}

/// Whether the signature is of this message and key. Anything malformed is no signature.
pub fn verify(public: &PublicKey, scheme: Scheme, message: &[u8], signature: &[u8]) -> bool {
    match (Kind::of(public), scheme) {
        (Kind::Rsa, Scheme::RsaPkcs1(hash)) => rsa::verify(public, hash, false, message, signature),
        (Kind::Rsa, Scheme::RsaPss(hash)) => rsa::verify(public, hash, true, message, signature),
        (Kind::Ec(curve), Scheme::Ecdsa(hash)) => ec::verify(curve, public, hash, message, signature),
        (Kind::Ed25519, Scheme::Ed25519) => ec::verify_ed25519(public, message, signature),
        (Kind::Ed448, Scheme::Ed448) => curve448::verify(public, message, signature),
        (Kind::Dsa, Scheme::Dsa(hash)) => dsa::verify(public, hash, message, signature),
        _ => false,
    }
}

/// Encrypts a few octets (a content key) for an RSA key.
pub fn rsa_encrypt(public: &PublicKey, padding: RsaPadding, data: &[u8]) -> Result<Vec<u8>> {
    match Kind::of(public) {
        Kind::Rsa => rsa::encrypt(public, padding, data),
        _ => Err(Error::new(
            Code::Encrypt,
            format!("RSA does not encrypt for a key of the algorithm {}", public.algorithm()),
        )),
    }
}

/// Agrees once with somebody's key: the public half of a key that is not kept, and the secret. As [`ephemeral`] and `agree`, faster.
pub fn agree_once(peer: &PublicKey) -> Result<(PublicKey, Zeroizing<Vec<u8>>)> {
    if let Kind::Ec(curve) = Kind::of(peer)
        && let Some(agreed) = ec::agree_once(curve, peer)
    {
        return Ok(agreed);
    }
    let key = ephemeral(peer)?;
    let secret = key.agree(peer)?;
    Ok((key.public_key().clone(), secret))
}

/// A new key on the curve of somebody's key, to agree with it once (RFC 5753 §3.1, RFC 8418).
pub fn ephemeral(peer: &PublicKey) -> Result<PrivateKey> {
    let made = match Kind::of(peer) {
        Kind::Ec(curve) => (0..8).find_map(|_| PrivateKey::ec(curve, &ec::candidate(curve)).ok()),
        Kind::X25519 => PrivateKey::x25519(&ec::generate_x25519()).ok(),
        _ => {
            let refused = format!("a key of the algorithm {} agrees on no secret", peer.algorithm());
            return Err(Error::new(Code::Encrypt, refused));
        }
    };
    made.ok_or_else(|| Error::new(Code::Encrypt, "an ephemeral key could not be made"))
}
