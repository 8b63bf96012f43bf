//! Java key stores, JKS and JCEKS: key entries with their chains and trusted certificates. The formats have no standard; they are read
//! as `keytool` writes them: big-endian counts, a SHA-1 over password, a salt sentence and everything before it at the end.

use super::der_file::opened;
use super::{ENTRIES, Format};
use crate::certs::cipher::{self, Cipher, Padding};
use crate::certs::contents::Contents;
use crate::certs::der::{self, Reader};
use crate::certs::fault::{Fault, Read, broken, unknown, unsupported, wrong_password};
use crate::certs::key::PrivateKey;
use crate::certs::md5;
use crate::certs::pbe::{Budget, Hash};
use zeroize::Zeroizing;

pub struct Jks;

const JKS: [u8; 4] = [0xfe, 0xed, 0xfe, 0xed];
const JCEKS: [u8; 4] = [0xce, 0xce, 0xce, 0xce];
const SALT: &[u8] = b"Mighty Aphrodite";
/// Certificates of one key.
const CHAIN: u32 = 64;

impl Format for Jks {
    fn name(&self) -> &'static str {
        "JKS"
    }

    fn recognises(&self, bytes: &[u8]) -> bool {
        bytes.starts_with(&JKS) || bytes.starts_with(&JCEKS)
    }

    fn read(&self, bytes: &[u8], password: &str) -> Read<Contents> {
        let Some(end) = bytes.len().checked_sub(20).filter(|end| *end >= 4) else {
            return broken("it ends in the middle");
        };
        let (body, digest) = bytes.split_at(end);
        let utf16 = Zeroizing::new(password.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<u8>>());
        // Trusted certificates can be read without a password, as keytool does; nothing then proves the store.
        let proven = Hash::Sha1.of(&[&utf16, SALT, body]) == digest;
        let mut input = Input { rest: &body[4..] };
        let version = input.number()?;
        if !matches!(version, 1 | 2) {
            return broken("a version that does not exist");
        }
        let mut found = Contents::default();
        let mut budget = Budget::default();
        let count = input.number()?;
        if count as usize > ENTRIES {
            return broken("it has too many entries");
        }
        for _ in 0..count {
            let tag = input.number()?;
            let name = alias(input.text()?);
            input.take(8)?;
            found.entry(&name, |found| {
                let key = match entry(tag, version, &mut input, found)? {
                    Some(protected) if proven => unprotect(protected, password, &utf16, &mut budget),
                    Some(_) => return Err(wrong_password()),
                    None => return Ok(()),
                };
                // The store's password was right: this key has one of its own.
                found.add_key(key.map_err(|fault| {
                    match *fault {
                        Fault::Password => Fault::Refused(
                            "the password is wrong for this key, which has another than the store".into(),
                        )
                        .into(),
                        _ => fault,
                    }
                }))
            })?;
        }
        if !input.rest.is_empty() {
            return broken("octets after the last entry");
        }
        if !proven && !password.is_empty() {
            return Err(wrong_password());
        }
        Ok(found)
    }
}

/// An entry's name as error texts show it.
fn alias(text: &[u8]) -> String {
    let name: String = String::from_utf8_lossy(text).chars().filter(|c| !c.is_control()).take(60).collect();
    format!("the entry {name}")
}

/// Reads an entry, and gives the key in it as it is protected.
fn entry<'a>(tag: u32, version: u32, input: &mut Input<'a>, found: &mut Contents) -> Read<Option<&'a [u8]>> {
    match tag {
        1 => {
            let protected = input.bytes()?;
            let chain = input.number()?;
            if chain > CHAIN {
                return broken("a chain that is too long");
            }
            for _ in 0..chain {
                input.certificate(version, found)?;
            }
            Ok(Some(protected))
        }
        2 => input.certificate(version, found).map(|()| None),
        3 => unsupported("a secret key of JCEKS"),
        _ => broken("a kind that does not exist"),
    }
}

struct Input<'a> {
    rest: &'a [u8],
}

impl<'a> Input<'a> {
    fn take(&mut self, count: usize) -> Read<&'a [u8]> {
        if count > self.rest.len() {
            return broken("it ends in the middle");
        }
        let (taken, rest) = self.rest.split_at(count);
        self.rest = rest;
        Ok(taken)
    }

    fn number(&mut self) -> Read<u32> {
        Ok(self.take(4)?.iter().fold(0, |n, b| n << 8 | u32::from(*b)))
    }

    fn text(&mut self) -> Read<&'a [u8]> {
        let length = self.take(2)?.iter().fold(0, |n, b| n << 8 | usize::from(*b));
        self.take(length)
    }

    fn bytes(&mut self) -> Read<&'a [u8]> {
        let length = self.number()? as usize;
        self.take(length)
    }

    fn certificate(&mut self, version: u32, found: &mut Contents) -> Read<()> {
        if version == 2 && self.text()? != b"X.509" {
            return unsupported("a certificate that is not X.509");
        }
        let der = self.bytes()?;
        if found.certificates.len() >= ENTRIES {
            return broken("it has too many certificates");
        }
        found.add_certificate(der)
    }
}

/// The key in an EncryptedPrivateKeyInfo with one of Sun's two algorithms.
fn unprotect(protected: &[u8], password: &str, utf16: &[u8], budget: &mut Budget) -> Read<PrivateKey> {
    let mut info = der::only_sequence(protected)?;
    let mut algorithm = info.sequence()?;
    let oid = algorithm.oid()?;
    let data = info.expect(der::OCTET_STRING)?;
    let plain = match oid {
        // JKS: a stream of SHA-1 over password and the octets before.
        [0x2b, 6, 1, 4, 1, 0x2a, 2, 0x11, 1, 1] => {
            if data.len() < 40 {
                return broken("a key that ends in the middle");
            }
            let (salt, rest) = data.split_at(20);
            let (encrypted, check) = rest.split_at(rest.len() - 20);
            let mut plain = Zeroizing::new(encrypted.to_vec());
            let mut stream = Zeroizing::new(salt.to_vec());
            for chunk in plain.chunks_mut(20) {
                stream = Zeroizing::new(Hash::Sha1.of(&[utf16, &stream]));
                chunk.iter_mut().zip(stream.iter()).for_each(|(octet, s)| *octet ^= s);
            }
            if Hash::Sha1.of(&[utf16, &plain]) != check {
                return Err(wrong_password());
            }
            plain
        }
        // JCEKS: MD5 over each half of the salt, then 3DES.
        [0x2b, 6, 1, 4, 1, 0x2a, 2, 0x13, 1] => jceks(algorithm.sequence()?, data, password, budget)?,
        other => return unknown("the key protection", other),
    };
    PrivateKey::from_pkcs8(&plain).map_err(opened)
}

fn jceks(mut parameters: Reader<'_>, data: &[u8], password: &str, budget: &mut Budget) -> Read<Zeroizing<Vec<u8>>> {
    let Ok(mut salt) = <[u8; 8]>::try_from(parameters.expect(der::OCTET_STRING)?) else {
        return broken("a salt out of bounds");
    };
    let count = budget.spend(parameters.small()?)?;
    if salt[..4] == salt[4..] {
        // Java turns the first half round, with a slip of its own: the last octet goes to the third place.
        for i in 0..2 {
            let octet = salt[i];
            salt[i] = salt[3 - i];
            salt[2] = octet;
        }
    }
    let mut secret = Zeroizing::new(Vec::with_capacity(32));
    for half in salt.chunks(4) {
        let mut hash = Zeroizing::new(half.to_vec());
        for _ in 0..count.get() {
            hash = Zeroizing::new(md5(&[&hash, password.as_bytes()]));
        }
        secret.extend_from_slice(&hash);
    }
    cipher::decrypt(Cipher::TripleDes, &secret[..24], &secret[24..], data, Padding::Pkcs7).ok_or_else(wrong_password)
}
