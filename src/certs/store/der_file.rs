//! A single key or certificate in DER: X.509, SubjectPublicKeyInfo, PKCS #8 (encrypted or not), PKCS #1, SEC 1.

use super::Format;
use crate::certs::contents::Contents;
use crate::certs::der::{self, Reader};
use crate::certs::fault::{Fault, Read, broken};
use crate::certs::key::PrivateKey;
use crate::certs::pbe::{self, Budget};
use crate::certs::spki::PublicKey;

pub struct Der;

enum Shape {
    Certificate,
    PublicKey,
    Pkcs8,
    Encrypted,
    /// RSA, or DSA as OpenSSL used to write it.
    Numbers,
    /// The public half of RSA alone, as PKCS #1 has it.
    PublicNumbers,
    Sec1,
}

/// What a SEQUENCE is, by the tags of its first values.
fn shape(bytes: &[u8]) -> Option<Shape> {
    let mut outer = Reader::new(bytes).sequence().ok()?;
    let first = outer.value().ok()?;
    let second = outer.value().ok()?;
    match (first.tag, second.tag) {
        (der::SEQUENCE, der::SEQUENCE) => Some(Shape::Certificate),
        (der::SEQUENCE, der::BIT_STRING) => Some(Shape::PublicKey),
        (der::SEQUENCE, der::OCTET_STRING) => Some(Shape::Encrypted),
        (der::INTEGER, der::SEQUENCE) if outer.peek() == Some(der::OCTET_STRING) => Some(Shape::Pkcs8),
        (der::INTEGER, der::INTEGER) if outer.is_empty() => Some(Shape::PublicNumbers),
        (der::INTEGER, der::INTEGER) => Some(Shape::Numbers),
        (der::INTEGER, der::OCTET_STRING) => Some(Shape::Sec1),
        _ => None,
    }
}

impl Format for Der {
    fn name(&self) -> &'static str {
        "DER"
    }

    fn recognises(&self, bytes: &[u8]) -> bool {
        bytes.first() == Some(&der::SEQUENCE) && shape(bytes).is_some()
    }

    fn read(&self, bytes: &[u8], password: &str) -> Read<Contents> {
        let mut found = Contents::default();
        match shape(bytes) {
            Some(Shape::Certificate) => found.add_certificate(bytes)?,
            Some(Shape::PublicKey) => found.public_keys.push(PublicKey::from_der(bytes)?),
            Some(Shape::Pkcs8) => found.add_key(PrivateKey::from_pkcs8(bytes))?,
            Some(Shape::Encrypted) => found.add_key(encrypted_pkcs8(bytes, password, &mut Budget::default()))?,
            Some(Shape::Numbers) => {
                let dsa = PrivateKey::from_traditional_dsa(bytes);
                found.add_key(if dsa.is_ok() { dsa } else { PrivateKey::from_pkcs1(bytes) })?;
            }
            Some(Shape::PublicNumbers) => {
                let mut key = der::only_sequence(bytes)?;
                found.public_keys.push(PublicKey::rsa(key.unsigned()?, key.unsigned()?)?);
            }
            Some(Shape::Sec1) => found.add_key(PrivateKey::from_sec1(bytes, None))?,
            None => return broken("it is neither a key nor a certificate"),
        }
        Ok(found)
    }
}

/// An EncryptedPrivateKeyInfo (RFC 5958 §3).
pub fn encrypted_pkcs8(bytes: &[u8], password: &str, budget: &mut Budget) -> Read<PrivateKey> {
    let mut info = der::only_sequence(bytes)?;
    let algorithm = info.sequence()?;
    let plain = pbe::decrypt(algorithm, info.expect(der::OCTET_STRING)?, password, budget)?;
    PrivateKey::from_pkcs8(&plain).map_err(opened)
}

/// One wrong password in 256 leaves a padding that looks right; what comes out is then no DER.
pub fn opened(fault: Box<Fault>) -> Box<Fault> {
    match *fault {
        Fault::Broken(_) => Fault::Password.into(),
        _ => fault,
    }
}
