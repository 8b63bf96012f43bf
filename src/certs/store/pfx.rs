//! PFX (PKCS #12, RFC 7292): privacy and integrity by password, with the MAC of PKCS #12 or PBMAC1 (RFC 9579), in DER or BER.

use super::der_file::{encrypted_pkcs8, opened};
use super::{ENTRIES, Format};
use crate::certs::ber;
use crate::certs::contents::Contents;
use crate::certs::der::{self, Reader};
use crate::certs::fault::{Read, broken, unknown, unsupported, wrong_password};
use crate::certs::key::PrivateKey;
use crate::certs::pbe::{self, Budget, Hash};
use memchr::memmem;
use ring::hmac;

pub struct Pfx;

const DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1];
const ENCRYPTED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 6];
/// Bags in bags (safeContentsBag); real files have one level at most.
const DEPTH: usize = 4;

impl Format for Pfx {
    fn name(&self) -> &'static str {
        "PFX"
    }

    fn recognises(&self, bytes: &[u8]) -> bool {
        // SEQUENCE, version 3, then the type of what is in it; lengths may be of any form.
        let head = &bytes[..bytes.len().min(40)];
        head.first() == Some(&der::SEQUENCE)
            && memmem::find(head, &[der::INTEGER, 1, 3, der::SEQUENCE]).is_some_and(|at| (2..=6).contains(&at))
    }

    fn read(&self, bytes: &[u8], password: &str) -> Read<Contents> {
        let der = ber::to_der(bytes)?;
        let mut pfx = der::only_sequence(&der)?;
        pfx.small()?;
        let mut auth = pfx.sequence()?;
        match auth.oid()? {
            DATA => {}
            _ => return unsupported("a PFX file that is signed instead of having a password"),
        }
        let safe = Reader::new(auth.expect(0xa0)?).expect(der::OCTET_STRING)?;
        let mut budget = Budget::default();
        let checked = !pfx.is_empty();
        if checked {
            verify(pfx.sequence()?, safe, password, &mut budget)?;
        }
        let mut reading = Reading { password, budget, found: Contents::default(), number: 0 };
        // The content was transcoded as one string; what is inside it may be BER too.
        let safe = ber::to_der(safe)?;
        let mut contents = der::only_sequence(&safe)?;
        while !contents.is_empty() {
            reading.content(contents.sequence()?, checked)?;
        }
        Ok(reading.found)
    }
}

/// Checks the MAC over the contents; a wrong one is a wrong password (or a changed file, which nobody can tell apart).
fn verify(mut mac: Reader<'_>, safe: &[u8], password: &str, budget: &mut Budget) -> Read<()> {
    let mut info = mac.sequence()?;
    let mut algorithm = info.sequence()?;
    let oid = algorithm.oid()?;
    let expected = info.expect(der::OCTET_STRING)?;
    let salt = mac.expect(der::OCTET_STRING)?;
    let iterations = if mac.is_empty() { 1 } else { mac.small()? };
    if salt.len() > 4096 {
        return broken("a salt out of bounds");
    }
    if oid == [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 14] {
        let mut parameters = algorithm.sequence()?;
        let derivation = parameters.sequence()?;
        let algorithm = match parameters.sequence()?.oid()? {
            [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 2, 7] => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 2, 9] => hmac::HMAC_SHA256,
            [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 2, 10] => hmac::HMAC_SHA384,
            [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 2, 11] => hmac::HMAC_SHA512,
            other => return unknown("the MAC", other),
        };
        let key = pbe::derive(derivation, password.as_bytes(), expected.len().clamp(1, 64), budget)?;
        return hmac::verify(&hmac::Key::new(algorithm, &key), safe, expected).map_err(|_| wrong_password());
    }
    let (hash, algorithm) = match oid {
        [0x2b, 0x0e, 3, 2, 0x1a] => (Hash::Sha1, hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY),
        [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1] => (Hash::Sha256, hmac::HMAC_SHA256),
        [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 2] => (Hash::Sha384, hmac::HMAC_SHA384),
        [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 3] => (Hash::Sha512, hmac::HMAC_SHA512),
        other => return unknown("the hash", other),
    };
    for password in pbe::bmp(password) {
        let key = pbe::pkcs12(hash, &password, salt, 3, budget.spend(iterations)?, hash.ring().output_len());
        if hmac::verify(&hmac::Key::new(algorithm, &key), safe, expected).is_ok() {
            return Ok(());
        }
    }
    Err(wrong_password())
}

struct Reading<'a> {
    password: &'a str,
    budget: Budget,
    found: Contents,
    /// Of the entry, over all bags.
    number: usize,
}

impl Reading<'_> {
    /// One ContentInfo of the AuthenticatedSafe.
    fn content(&mut self, mut info: Reader<'_>, checked: bool) -> Read<()> {
        match info.oid()? {
            DATA => self.bags(Reader::new(info.expect(0xa0)?).expect(der::OCTET_STRING)?, 0),
            ENCRYPTED_DATA => {
                let mut data = der::only_sequence(info.expect(0xa0)?)?;
                data.small()?;
                let mut content = data.sequence()?;
                content.oid()?;
                let algorithm = content.sequence()?;
                // [0] IMPLICIT OCTET STRING: in one piece, or in pieces from a BER writer.
                let joined;
                let encrypted = match content.value()? {
                    value if value.tag == 0x80 => value.content,
                    value if value.tag == 0xa0 => {
                        joined = ber::join(value.content)?;
                        &joined
                    }
                    _ => return broken("encrypted contents of an unknown form"),
                };
                let plain = pbe::decrypt(algorithm, encrypted, self.password, &mut self.budget)?;
                // With a MAC the password is known to be right; without one, nonsense inside is how a wrong one shows.
                self.bags(&plain, 0).map_err(|fault| if checked { fault } else { opened(fault) })
            }
            other => unknown("a PFX content of type", other),
        }
    }

    /// SafeContents: the bags, one after the other.
    fn bags(&mut self, bytes: &[u8], depth: usize) -> Read<()> {
        if depth > DEPTH {
            return broken("it nests too deeply");
        }
        let der = zeroize::Zeroizing::new(ber::to_der(bytes)?);
        let mut bags = der::only_sequence(&der)?;
        while !bags.is_empty() {
            let bag = bags.sequence()?;
            self.number += 1;
            let (name, before) = (format!("the entry {}", self.number), self.found.passed_over.take());
            let result = self.bag(bag, depth);
            self.found.named(&name, before, result)?;
            if self.found.certificates.len() + self.found.keys.len() > ENTRIES {
                return broken("it has too many entries");
            }
        }
        Ok(())
    }

    fn bag(&mut self, mut bag: Reader<'_>, depth: usize) -> Read<()> {
        let oid = bag.oid()?;
        let value = bag.expect(0xa0)?;
        match oid.strip_prefix(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 12, 10, 1]) {
            Some([1]) => self.found.add_key(PrivateKey::from_pkcs8(value))?,
            Some([2]) => {
                let key = encrypted_pkcs8(value, self.password, &mut self.budget);
                self.found.add_key(key)?;
            }
            Some([3]) => {
                let mut certificate = der::only_sequence(value)?;
                // The other kind is SDSI.
                if certificate.oid()? == [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 22, 1] {
                    self.found.add_certificate(Reader::new(certificate.expect(0xa0)?).expect(der::OCTET_STRING)?)?;
                }
            }
            Some([6]) => self.bags(value, depth + 1)?,
            // Revocation lists and other secrets.
            _ => {}
        }
        Ok(())
    }
}
