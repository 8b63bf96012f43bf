//! PEM: private keys of every kind with the certificates beside them, public keys, certificates (RFC 7468), and the encryption of old
//! OpenSSL keys (`Proc-Type: 4,ENCRYPTED`, RFC 1421 §4.6.1.1, keys as EVP_BytesToKey makes them).

use super::der_file::{encrypted_pkcs8, opened};
use super::{ENTRIES, Format};
use crate::certs::cipher::{self, Cipher, Padding};
use crate::certs::contents::Contents;
use crate::certs::fault::{Read, broken, unsupported, wrong_password};
use crate::certs::key::PrivateKey;
use crate::certs::pbe::Budget;
use crate::certs::pem::{self, Block};
use crate::certs::spki::PublicKey;
use crate::certs::{der, md5};
use memchr::memmem;
use zeroize::Zeroizing;

pub struct Pem;

impl Format for Pem {
    fn name(&self) -> &'static str {
        "PEM"
    }

    fn recognises(&self, bytes: &[u8]) -> bool {
        memmem::find(bytes, b"-----BEGIN ").is_some()
    }

    fn read(&self, bytes: &[u8], password: &str) -> Read<Contents> {
        read(bytes, password, true)
    }
}

/// PEM of which the private keys are passed over: nobody needs a password for a certificate that stands beside one.
pub struct PemPublic;

impl Format for PemPublic {
    fn name(&self) -> &'static str {
        Pem.name()
    }

    fn recognises(&self, bytes: &[u8]) -> bool {
        Pem.recognises(bytes)
    }

    fn read(&self, bytes: &[u8], _password: &str) -> Read<Contents> {
        read(bytes, "", false)
    }
}

fn read(bytes: &[u8], password: &str, private: bool) -> Read<Contents> {
    let mut found = Contents::default();
    let mut budget = Budget::default();
    for (at, block) in pem::blocks(bytes)?.into_iter().enumerate() {
        let name = format!("the block {} ({})", at + 1, block.label.replace(char::is_control, "?"));
        found.entry(&name, |found| one(&block, password, private, &mut budget, found))?;
        if found.certificates.len() + found.keys.len() > ENTRIES {
            return broken("it has too many entries");
        }
    }
    Ok(found)
}

/// What stands in one block.
fn one(block: &Block, password: &str, private: bool, budget: &mut Budget, found: &mut Contents) -> Read<()> {
    match block.label.as_str() {
        label if !private && label.ends_with("PRIVATE KEY") => {}
        "CERTIFICATE" | "X509 CERTIFICATE" => found.add_certificate(&block.data)?,
        "TRUSTED CERTIFICATE" => found.add_certificate(first_value(&block.data)?)?,
        "PRIVATE KEY" => found.add_key(PrivateKey::from_pkcs8(&block.data))?,
        "ENCRYPTED PRIVATE KEY" => found.add_key(encrypted_pkcs8(&block.data, password, budget))?,
        "RSA PRIVATE KEY" => {
            let key = traditional(block, password, &PrivateKey::from_pkcs1)?;
            found.add_key(key)?;
        }
        "EC PRIVATE KEY" => {
            let key = traditional(block, password, &|data| PrivateKey::from_sec1(data, None))?;
            found.add_key(key)?;
        }
        "DSA PRIVATE KEY" => {
            let key = traditional(block, password, &PrivateKey::from_traditional_dsa)?;
            found.add_key(key)?;
        }
        "OPENSSH PRIVATE KEY" => found.add_key(super::openssh::key(&block.data, password, budget))?,
        "PUBLIC KEY" => found.public_keys.push(PublicKey::from_der(&block.data)?),
        "RSA PUBLIC KEY" => {
            let mut key = der::only_sequence(&block.data)?;
            found.public_keys.push(PublicKey::rsa(key.unsigned()?, key.unsigned()?)?);
        }
        "PKCS7" | "CMS" => super::p7b::certificates(&block.data, found)?,
        // Parameters of a curve, revocation lists and requests are neither.
        _ => {}
    }
    Ok(())
}

fn first_value(bytes: &[u8]) -> Read<&[u8]> {
    Ok(der::Reader::new(bytes).value()?.whole)
}

/// A key in the old form, behind its own encryption if it has one. The outer result is the password's.
fn traditional(block: &Block, password: &str, read: &dyn Fn(&[u8]) -> Read<PrivateKey>) -> Read<Read<PrivateKey>> {
    let header = |name: &str| block.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str());
    if !header("Proc-Type").is_some_and(|v| v.contains("ENCRYPTED")) {
        return Ok(read(&block.data));
    }
    let Some((name, iv)) = header("DEK-Info").and_then(|v| v.split_once(',')) else {
        return broken("an encrypted key without DEK-Info");
    };
    let (cipher, size) = match name.trim() {
        "AES-128-CBC" => (Cipher::Aes, 16),
        "AES-192-CBC" => (Cipher::Aes, 24),
        "AES-256-CBC" => (Cipher::Aes, 32),
        "DES-EDE3-CBC" => (Cipher::TripleDes, 24),
        "DES-CBC" => (Cipher::Des, 8),
        other => return Ok(unsupported(format!("the cipher {}", other.chars().take(40).collect::<String>()))),
    };
    let Some(iv) = unhex(iv.trim()).filter(|iv| iv.len() >= 8) else {
        return broken("an encrypted key without its vector");
    };
    let mut key = Zeroizing::new(Vec::new());
    let mut last = Zeroizing::new(Vec::new());
    while key.len() < size {
        last = Zeroizing::new(md5(&[&last, password.as_bytes(), &iv[..8]]));
        key.extend_from_slice(&last);
    }
    let plain = cipher::decrypt(cipher, &key[..size], &iv, &block.data, Padding::Pkcs7).ok_or_else(wrong_password)?;
    Ok(read(&plain).map_err(opened))
}

/// The octets of hexadecimal digits.
pub(super) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text.chars().map(|c| c.to_digit(16).map(|d| d as u8)).collect();
    digits.filter(|d| d.len() % 2 == 0).map(|d| d.chunks(2).map(|c| c[0] << 4 | c[1]).collect())
}
