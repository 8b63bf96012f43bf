//! DSA (FIPS 186-4), with nonces as RFC 6979 has them, by way of SHA-256 for every hash. Old keys only; nothing new uses it.

use super::{Hash, numbers_of, two_numbers};
use crate::certs::der::Reader;
use crate::certs::spki::PublicKey;
use crate::error::{Code, Error, Result};
use ::dsa::{BigUint, Components, Signature, SigningKey, VerifyingKey, signature::hazmat::PrehashVerifier};

/// The largest prime, in octets: a signature check must end.
const OCTETS: usize = 1024;

fn public_numbers(public: &PublicKey) -> Option<VerifyingKey> {
    let [p, q, g, y] = public.dsa_numbers()?;
    if p.len() > OCTETS || q.len() > 64 {
        return None;
    }
    let number = BigUint::from_bytes_be;
    let components = Components::from_components(number(p), number(q), number(g)).ok()?;
    VerifyingKey::from_components(components, number(y)).ok()
}

pub(super) fn sign(pkcs8: &[u8], public: &PublicKey, hash: Hash, message: &[u8]) -> Result<Vec<u8>> {
    let signed = || -> Option<Vec<u8>> {
        let x = Reader::new(super::ec::inner(pkcs8).ok()?).unsigned().ok()?;
        let key = SigningKey::from_components(public_numbers(public)?, BigUint::from_bytes_be(x)).ok()?;
        if hash == Hash::Md5 {
            return None;
        }
        let signature = key.sign_prehashed_rfc6979::<sha2::Sha256>(&hash.digest(message)).ok()?;
        Some(two_numbers(&signature.r().to_bytes_be(), &signature.s().to_bytes_be()))
    };
    signed().ok_or_else(|| Error::new(Code::Encrypt, format!("the DSA key cannot sign with {}", hash.name())))
}

pub(super) fn verify(public: &PublicKey, hash: Hash, message: &[u8], signature: &[u8]) -> bool {
    let (Some(key), Some((r, s))) = (public_numbers(public), numbers_of(signature)) else { return false };
    let (r, s) = (BigUint::from_bytes_be(r), BigUint::from_bytes_be(s));
    let Ok(signature) = Signature::from_components(r, s) else { return false };
    key.verify_prehash(&hash.digest(message), &signature).is_ok()
}

/// The public half of a private number: g to its power.
pub fn public_half(p: &[u8], q: &[u8], g: &[u8], x: &[u8]) -> Option<Vec<u8>> {
    let number = BigUint::from_bytes_be;
    let (p, q, g, x) = (number(p), number(q), number(g), number(x));
    let one = BigUint::from(1u8);
    (p > one && q > one && g > one && g < p && x >= one && x < q && p.bits() <= OCTETS * 8 && q.bits() <= 512)
        .then(|| g.modpow(&x, &p).to_bytes_be())
}
