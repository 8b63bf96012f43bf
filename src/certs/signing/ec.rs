//! Elliptic curves: ECDSA and ECDH on P-256, P-384 and P-521, Ed25519, X25519. ring signs where it can (a curve with its own hash),
//! the crates of the curves do the rest, with nonces of the system's random numbers.

use super::{Hash, numbers_of, two_numbers};
use crate::certs::der::{self, Reader};
use crate::certs::fault::Read;
use crate::certs::spki::{Curve, PublicKey};
use crate::error::{Code, Error, Result};
use ring::agreement;
use ring::rand::SystemRandom;
use ring::signature::{self as ring_signature, EcdsaKeyPair, EcdsaVerificationAlgorithm, UnparsedPublicKey};
use rsa::rand_core::{OsRng, RngCore};
use zeroize::Zeroizing;

/// The octets of the key inside PKCS #8.
pub(super) fn inner(pkcs8: &[u8]) -> Read<&[u8]> {
    let mut info = der::only_sequence(pkcs8)?;
    info.small()?;
    info.sequence()?;
    info.expect(der::OCTET_STRING)
}

/// The scalar of an EC key.
fn scalar(pkcs8: &[u8]) -> Read<&[u8]> {
    let mut key = der::only_sequence(inner(pkcs8)?)?;
    key.small()?;
    key.expect(der::OCTET_STRING)
}

fn unusable<T>(_: T) -> Error {
    Error::new(Code::Encrypt, "the EC key does not work")
}

/// A number as the curves' crates take it: with as many octets as the curve has. They refuse a digest that is much shorter.
fn padded(curve: Curve, number: &[u8]) -> Vec<u8> {
    let missing = curve.size().saturating_sub(number.len());
    [&vec![0; missing], number].concat()
}

/// The key as ring wants it; none for P-521, and for odd keys that the curves' own crates take.
pub(super) fn ready(curve: Curve, pkcs8: &[u8]) -> Option<EcdsaKeyPair> {
    let algorithm = match curve {
        Curve::P256 => &ring_signature::ECDSA_P256_SHA256_ASN1_SIGNING,
        Curve::P384 => &ring_signature::ECDSA_P384_SHA384_ASN1_SIGNING,
        Curve::P521 => return None,
    };
    EcdsaKeyPair::from_pkcs8(algorithm, pkcs8, &SystemRandom::new()).ok()
}

pub(super) fn sign(
    curve: Curve,
    pair: Option<&EcdsaKeyPair>,
    pkcs8: &[u8],
    hash: Hash,
    message: &[u8],
) -> Result<Vec<u8>> {
    // ring signs with the hash of the curve's own size.
    let fits = matches!((curve, hash), (Curve::P256, Hash::Sha256) | (Curve::P384, Hash::Sha384));
    if let Some(pair) = pair.filter(|_| fits) {
        return Ok(pair.sign(&SystemRandom::new(), message).map_err(unusable)?.as_ref().to_vec());
    }
    let scalar = scalar(pkcs8).map_err(unusable)?;
    let digest = padded(curve, &hash.digest(message));
    macro_rules! sign {
        ($curve:ident) => {{
            use $curve::ecdsa::{Signature, SigningKey, signature::hazmat::RandomizedPrehashSigner};
            let key = SigningKey::from_slice(scalar).map_err(unusable)?;
            let signature: Signature = key.sign_prehash_with_rng(&mut OsRng, &digest).map_err(unusable)?;
            signature.to_bytes().to_vec()
        }};
    }
    let signature = match curve {
        Curve::P256 => sign!(p256),
        Curve::P384 => sign!(p384),
        Curve::P521 => sign!(p521),
    };
    let (r, s) = signature.split_at(curve.size());
    Ok(two_numbers(r, s))
}

pub(super) fn verify(curve: Curve, public: &PublicKey, hash: Hash, message: &[u8], signature: &[u8]) -> bool {
    let Some(point) = public.raw() else { return false };
    let fast: Option<&EcdsaVerificationAlgorithm> = match (curve, hash) {
        (Curve::P256, Hash::Sha256) => Some(&ring_signature::ECDSA_P256_SHA256_ASN1),
        (Curve::P256, Hash::Sha384) => Some(&ring_signature::ECDSA_P256_SHA384_ASN1),
        (Curve::P384, Hash::Sha256) => Some(&ring_signature::ECDSA_P384_SHA256_ASN1),
        (Curve::P384, Hash::Sha384) => Some(&ring_signature::ECDSA_P384_SHA384_ASN1),
        _ => None,
    };
    if fast.is_some_and(|fast| UnparsedPublicKey::new(fast, point).verify(message, signature).is_ok()) {
        return true;
    }
    // What is left: the other hashes, points that are compressed, and what is no signature.
    verify_digest(curve, point, &hash.digest(message), signature)
}

/// Whether the signature is of this digest, by the curves' own crates.
pub fn verify_digest(curve: Curve, point: &[u8], digest: &[u8], signature: &[u8]) -> bool {
    let Some((r, s)) = numbers_of(signature).filter(|(r, s)| r.len().max(s.len()) <= curve.size()) else {
        return false;
    };
    let signature = [padded(curve, r), padded(curve, s)].concat();
    let digest = padded(curve, digest);
    macro_rules! verify {
        ($curve:ident) => {{
            use $curve::ecdsa::{Signature, VerifyingKey, signature::hazmat::PrehashVerifier};
            let (Ok(key), Ok(signature)) = (VerifyingKey::from_sec1_bytes(point), Signature::from_slice(&signature))
            else {
                return false;
            };
            key.verify_prehash(&digest, &signature).is_ok()
        }};
    }
    match curve {
        Curve::P256 => verify!(p256),
        Curve::P384 => verify!(p384),
        Curve::P521 => verify!(p521),
    }
}

pub(super) fn verify_ed25519(public: &PublicKey, message: &[u8], signature: &[u8]) -> bool {
    let Some(key) = public.raw() else { return false };
    UnparsedPublicKey::new(&ring_signature::ED25519, key).verify(message, signature).is_ok()
}

pub(super) fn agree(curve: Curve, pkcs8: &[u8], peer: &PublicKey) -> Result<Zeroizing<Vec<u8>>> {
    let foreign = || Error::new(Code::Decrypt, "the other key is not on the curve of this one");
    if peer.curve() != Some(curve) {
        return Err(foreign());
    }
    let point = peer.raw().ok_or_else(foreign)?;
    let scalar = scalar(pkcs8).map_err(|_| foreign())?;
    macro_rules! agree {
        ($curve:ident) => {{
            let secret = $curve::SecretKey::from_slice(scalar).map_err(|_| foreign())?;
            let public = $curve::PublicKey::from_sec1_bytes(point).map_err(|_| foreign())?;
            let shared = $curve::ecdh::diffie_hellman(secret.to_nonzero_scalar(), public.as_affine());
            Zeroizing::new(shared.raw_secret_bytes().to_vec())
        }};
    }
    Ok(match curve {
        Curve::P256 => agree!(p256),
        Curve::P384 => agree!(p384),
        Curve::P521 => agree!(p521),
    })
}

/// A key that ring makes, uses once and forgets; none for P-521 and for a point that ring does not take.
pub(super) fn agree_once(curve: Curve, peer: &PublicKey) -> Option<(PublicKey, Zeroizing<Vec<u8>>)> {
    let algorithm = match curve {
        Curve::P256 => &agreement::ECDH_P256,
        Curve::P384 => &agreement::ECDH_P384,
        Curve::P521 => return None,
    };
    let secret = agreement::EphemeralPrivateKey::generate(algorithm, &SystemRandom::new()).ok()?;
    let public = PublicKey::ec(curve, secret.compute_public_key().ok()?.as_ref()).ok()?;
    let theirs = agreement::UnparsedPublicKey::new(algorithm, peer.raw()?);
    let shared = agreement::agree_ephemeral(secret, &theirs, |shared| Zeroizing::new(shared.to_vec())).ok()?;
    Some((public, shared))
}

pub(super) fn agree_x25519(pkcs8: &[u8], peer: &PublicKey) -> Result<Zeroizing<Vec<u8>>> {
    let foreign = || Error::new(Code::Decrypt, "the other key is no X25519 key of use");
    let secret = inner(pkcs8)
        .and_then(|key| Reader::new(key).expect(der::OCTET_STRING))
        .ok()
        .and_then(|key| <[u8; 32]>::try_from(key).ok())
        .map(Zeroizing::new)
        .ok_or_else(foreign)?;
    let public = (peer.algorithm() == "X25519").then(|| peer.raw()).flatten();
    let public = public.and_then(|key| <[u8; 32]>::try_from(key).ok()).ok_or_else(foreign)?;
    let shared = x25519_dalek::StaticSecret::from(*secret).diffie_hellman(&x25519_dalek::PublicKey::from(public));
    // RFC 8418 §4 wants the check: a point of small order would make the secret known to everybody.
    if !shared.was_contributory() {
        return Err(foreign());
    }
    Ok(Zeroizing::new(shared.as_bytes().to_vec()))
}

/// The public half of an X25519 key.
pub fn x25519_public(secret: &[u8; 32]) -> [u8; 32] {
    // By the ladder, as with any other point: tables for this one alone would weigh 30 kB.
    let base = x25519_dalek::PublicKey::from(x25519_dalek::X25519_BASEPOINT_BYTES);
    *x25519_dalek::StaticSecret::from(*secret).diffie_hellman(&base).as_bytes()
}

/// What may be a new scalar. On P-256 it is none once in 2³² times; the key that is made of it tells (FIPS 186-5 A.2.2).
pub(super) fn candidate(curve: Curve) -> Zeroizing<Vec<u8>> {
    let mut scalar = Zeroizing::new(vec![0; curve.size()]);
    OsRng.fill_bytes(&mut scalar);
    if curve == Curve::P521 {
        // Of 521 bits.
        scalar[0] &= 1;
    }
    scalar
}

pub(super) fn generate_x25519() -> Zeroizing<[u8; 32]> {
    let mut secret = Zeroizing::new([0; 32]);
    OsRng.fill_bytes(&mut *secret);
    secret
}
