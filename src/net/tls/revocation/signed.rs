//! What certificates, lists and answers have in common: something signed, the algorithm, the signature.

use crate::certs::der::{self, Reader};
use crate::certs::fault::{Read, broken};
use crate::certs::signing::{Hash, Scheme, verify};
use crate::certs::spki::PublicKey;

/// `SEQUENCE { signed, algorithm, signature, … }`.
pub(super) struct Signed<'a> {
    /// With its header, as it is signed.
    pub whole: &'a [u8],
    pub content: &'a [u8],
    algorithm: &'a [u8],
    signature: &'a [u8],
    /// What follows.
    pub rest: Reader<'a>,
}

impl<'a> Signed<'a> {
    pub fn read(mut outer: Reader<'a>) -> Read<Signed<'a>> {
        let (signed, algorithm) = (outer.value()?, outer.value()?);
        if signed.tag != der::SEQUENCE || algorithm.tag != der::SEQUENCE {
            return broken("something signed that is no sequence");
        }
        let algorithm = algorithm.content;
        let signature = outer.bits()?;
        Ok(Signed { whole: signed.whole, content: signed.content, algorithm, signature, rest: outer })
    }

    /// Whether this key made the signature, with an algorithm that is still good for anything.
    pub fn is_by(&self, key: &PublicKey) -> bool {
        scheme(self.algorithm).is_some_and(|scheme| verify(key, scheme, self.whole, self.signature))
    }
}

const PKCS1: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1];
const ECDSA_SHA2: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3];
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
const ED448: &[u8] = &[0x2b, 0x65, 0x71];

/// SHA-2 only: an answer on SHA-1 or MD5 could be anybody's.
fn scheme(algorithm: &[u8]) -> Option<Scheme> {
    let mut reader = Reader::new(algorithm);
    let oid = reader.oid().ok()?;
    if oid == ED25519 {
        return Some(Scheme::Ed25519);
    }
    if oid == ED448 {
        return Some(Scheme::Ed448);
    }
    let (last, family) = oid.split_last()?;
    match (family, last) {
        (PKCS1, 11) => Some(Scheme::RsaPkcs1(Hash::Sha256)),
        (PKCS1, 12) => Some(Scheme::RsaPkcs1(Hash::Sha384)),
        (PKCS1, 13) => Some(Scheme::RsaPkcs1(Hash::Sha512)),
        (PKCS1, 10) => pss(reader).map(Scheme::RsaPss),
        (ECDSA_SHA2, 2) => Some(Scheme::Ecdsa(Hash::Sha256)),
        (ECDSA_SHA2, 3) => Some(Scheme::Ecdsa(Hash::Sha384)),
        (ECDSA_SHA2, 4) => Some(Scheme::Ecdsa(Hash::Sha512)),
        _ => None,
    }
}

/// RSASSA-PSS-params with a hash of SHA-2; the rest is checked by the signature itself.
fn pss(mut parameters: Reader<'_>) -> Option<Hash> {
    let hash = parameters.sequence().ok()?.optional(0xa0).ok()??;
    let hash = Hash::from_oid(der::only_sequence(hash).ok()?.oid().ok()?)?;
    matches!(hash, Hash::Sha256 | Hash::Sha384 | Hash::Sha512).then_some(hash)
}
