//! Channel bindings: tls-exporter (RFC 9266) and tls-server-end-point (RFC 5929 §4); and what a certificate is signed with.

use super::der::{Certificate, Reader};
use ring::digest;
use rustls::SignatureScheme;

/// RFC 9266 §2.
pub(super) const EXPORTER_LABEL: &[u8] = b"EXPORTER-Channel-Binding";
pub(super) const EXPORTER_LENGTH: usize = 32;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Pkcs1,
    Pss,
    Ecdsa,
    Ed25519,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hash {
    /// MD5 or SHA-1, which RFC 5929 replaces by SHA-256.
    Old,
    Sha256,
    Sha384,
    Sha512,
}

const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01];
const ECDSA_SHA2: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03];
const ECDSA_SHA1: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x01];
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
const SHA2: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02];

/// SHA-256 or the certificate's own stronger hash over the whole certificate.
pub fn server_end_point(leaf: &[u8]) -> Option<Vec<u8>> {
    let algorithm = match signed_with(&Certificate::parse(leaf)?)?.1? {
        Hash::Old | Hash::Sha256 => &digest::SHA256,
        Hash::Sha384 => &digest::SHA384,
        Hash::Sha512 => &digest::SHA512,
    };
    Some(digest::digest(algorithm, leaf).as_ref().to_vec())
}

/// The signature on a certificate in the terms of TLS; `None` where TLS has none for it, as for SHA-1.
pub(super) fn scheme(certificate: &Certificate<'_>) -> Option<SignatureScheme> {
    use SignatureScheme as S;
    Some(match signed_with(certificate)? {
        (Kind::Pkcs1, Some(Hash::Sha256)) => S::RSA_PKCS1_SHA256,
        (Kind::Pkcs1, Some(Hash::Sha384)) => S::RSA_PKCS1_SHA384,
        (Kind::Pkcs1, Some(Hash::Sha512)) => S::RSA_PKCS1_SHA512,
        (Kind::Pss, Some(Hash::Sha256)) => S::RSA_PSS_SHA256,
        (Kind::Pss, Some(Hash::Sha384)) => S::RSA_PSS_SHA384,
        (Kind::Pss, Some(Hash::Sha512)) => S::RSA_PSS_SHA512,
        (Kind::Ecdsa, Some(Hash::Sha256)) => S::ECDSA_NISTP256_SHA256,
        (Kind::Ecdsa, Some(Hash::Sha384)) => S::ECDSA_NISTP384_SHA384,
        (Kind::Ecdsa, Some(Hash::Sha512)) => S::ECDSA_NISTP521_SHA512,
        (Kind::Ed25519, _) => S::ED25519,
        _ => return None,
    })
}

fn signed_with(certificate: &Certificate<'_>) -> Option<(Kind, Option<Hash>)> {
    let (oid, parameters) = certificate.signature;
    let (&last, family) = oid.split_last()?;
    Some(match (family, last) {
        (RSA, 4 | 5) => (Kind::Pkcs1, Some(Hash::Old)),
        (RSA, 11) => (Kind::Pkcs1, Some(Hash::Sha256)),
        (RSA, 12) => (Kind::Pkcs1, Some(Hash::Sha384)),
        (RSA, 13) => (Kind::Pkcs1, Some(Hash::Sha512)),
        (RSA, 10) => (Kind::Pss, pss_hash(parameters)),
        (ECDSA_SHA2, 2) => (Kind::Ecdsa, Some(Hash::Sha256)),
        (ECDSA_SHA2, 3) => (Kind::Ecdsa, Some(Hash::Sha384)),
        (ECDSA_SHA2, 4) => (Kind::Ecdsa, Some(Hash::Sha512)),
        _ if oid == ECDSA_SHA1 => (Kind::Ecdsa, Some(Hash::Old)),
        (ED25519, 112) => (Kind::Ed25519, None),
        _ => return None,
    })
}

/// RSASSA-PSS-params (RFC 4055 §3.1): without a hash it is SHA-1.
fn pss_hash(parameters: &[u8]) -> Option<Hash> {
    let mut list = Reader(parameters).sequence()?;
    if list.peek() != Some(0xa0) {
        return Some(Hash::Old);
    }
    let oid = Reader(list.value(0xa0)?).sequence()?.value(0x06)?;
    match oid.strip_prefix(SHA2)? {
        [1] => Some(Hash::Sha256),
        [2] => Some(Hash::Sha384),
        [3] => Some(Hash::Sha512),
        _ => None,
    }
}
