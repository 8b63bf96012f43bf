//! Bouncy Castle's FIPS key stores (BCFKS). No standard: read as its `KeyStoreSpi` writes them. A list of objects under PBES2 with
//! AES-256-CCM (or key wrap), and an HMAC over what was encrypted. Each of the keys that the password makes has its purpose hashed in.

use super::der_file::opened;
use super::{ENTRIES, Format};
use crate::certs::aes_modes;
use crate::certs::contents::Contents;
use crate::certs::der::{self, Reader};
use crate::certs::fault::{Fault, Read, broken, unknown, unsupported, wrong_password};
use crate::certs::key::PrivateKey;
use crate::certs::pbe::{self, Budget};
use ring::hmac;
use zeroize::Zeroizing;

pub struct Bcfks;

type Secret = Zeroizing<Vec<u8>>;

const PBES2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 13];
const AES256_CCM: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, 47];
/// Certificates of one key.
const CHAIN: usize = 64;

impl Format for Bcfks {
    fn name(&self) -> &'static str {
        "BCFKS"
    }

    fn recognises(&self, bytes: &[u8]) -> bool {
        // An encrypted store begins with an AlgorithmIdentifier three deep; keys and certificates have other tags there.
        let mut rest = bytes;
        for _ in 0..3 {
            match der::header(rest) {
                Ok((head, _)) if rest[0] == der::SEQUENCE => rest = &rest[head..],
                _ => return false,
            }
        }
        rest.first() == Some(&der::OID) && rest.get(2..2 + PBES2.len()) == Some(PBES2)
    }

    fn read(&self, bytes: &[u8], password: &str) -> Read<Contents> {
        let password = Password(password);
        let mut budget = Budget::default();
        let mut store = der::only_sequence(bytes)?;
        let data = store.value()?;
        let check = store.value()?;
        store.finish()?;
        if check.tag != der::SEQUENCE {
            return unsupported("a BCFKS store that is signed instead of having a password");
        }
        verify(Reader::new(check.content), data.whole, &password, &mut budget)?;
        let mut sealed = Reader::new(data.content);
        let algorithm = sealed.sequence()?;
        let plain = decrypt(algorithm, sealed.expect(der::OCTET_STRING)?, &password, "STORE_ENCRYPTION", &mut budget)?;
        let mut list = der::only_sequence(&plain)?;
        list.small()?;
        list.sequence()?;
        // When it was made and last changed.
        list.value()?;
        list.value()?;
        let mut objects = list.sequence()?;
        let mut found = Contents::default();
        while !objects.is_empty() {
            object(objects.sequence()?, &password, &mut budget, &mut found)?;
            if found.certificates.len() + found.keys.len() > ENTRIES {
                return broken("it has too many entries");
            }
        }
        Ok(found)
    }
}

/// A password, made different for each use.
struct Password<'a>(&'a str);

impl Password<'_> {
    fn for_purpose(&self, purpose: &str) -> Secret {
        let wide = |text: &str| -> Secret {
            // No password is no octets, not the zero at its end.
            let end = (!text.is_empty()).then_some(0);
            Zeroizing::new(text.encode_utf16().chain(end).flat_map(u16::to_be_bytes).collect())
        };
        Zeroizing::new([&wide(self.0)[..], &wide(purpose)].concat())
    }
}

fn verify(mut check: Reader<'_>, data: &[u8], password: &Password<'_>, budget: &mut Budget) -> Read<()> {
    let oid = check.sequence()?.oid()?;
    let algorithm = match oid {
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 2, 9] => hmac::HMAC_SHA256,
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 2, 10] => hmac::HMAC_SHA384,
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 2, 11] => hmac::HMAC_SHA512,
        other => return unknown("the MAC", other),
    };
    let derivation = check.sequence()?;
    let expected = check.expect(der::OCTET_STRING)?;
    let key = pbe::derive(derivation, &password.for_purpose("INTEGRITY_CHECK"), 64, budget)?;
    hmac::verify(&hmac::Key::new(algorithm, &key), data, expected).map_err(|_| wrong_password())
}

fn decrypt(
    mut algorithm: Reader<'_>,
    data: &[u8],
    password: &Password<'_>,
    purpose: &str,
    budget: &mut Budget,
) -> Read<Secret> {
    match algorithm.oid()? {
        PBES2 => {}
        other => return unknown("the encryption", other),
    }
    let mut parameters = algorithm.sequence()?;
    let derivation = parameters.sequence()?;
    let mut scheme = parameters.sequence()?;
    match scheme.oid()? {
        AES256_CCM => {}
        other => return unknown("the cipher", other),
    }
    let key = pbe::derive(derivation, &password.for_purpose(purpose), 32, budget)?;
    if key.len() != 32 {
        return broken("a key of another length than its cipher's");
    }
    // RFC 5084 §3.1: the tag has 12 octets when nothing else is said.
    let mut ccm = scheme.sequence()?;
    let nonce = ccm.expect(der::OCTET_STRING)?;
    let tag = if ccm.is_empty() { 12 } else { ccm.small()? };
    // Of the sizes that CCM may have, those of key stores.
    if !matches!((nonce.len(), tag), (12, 8 | 12 | 16) | (13, 8 | 16) | (7, 8)) {
        return unsupported(format!("AES-CCM with a nonce of {} and a tag of {tag} octets", nonce.len()));
    }
    let Some((data, tag)) = data.len().checked_sub(tag as usize).map(|end| data.split_at(end)) else {
        return broken("an encrypted value that ends in the middle");
    };
    aes_modes::ccm_open(&key, nonce, data, tag).ok_or_else(wrong_password)
}

fn object(mut object: Reader<'_>, password: &Password<'_>, budget: &mut Budget, found: &mut Contents) -> Read<()> {
    let kind = object.small()?;
    let name = String::from_utf8_lossy(object.value()?.content)
        .chars()
        .filter(|c| !c.is_control())
        .take(60)
        .collect::<String>();
    // When it was made, when it was last changed.
    object.value()?;
    object.value()?;
    let data = object.expect(der::OCTET_STRING)?;
    found.entry(&format!("the entry {name}"), |found| content(kind, data, password, budget, found))
}

fn content(kind: u32, data: &[u8], password: &Password<'_>, budget: &mut Budget, found: &mut Contents) -> Read<()> {
    match kind {
        // A trusted certificate.
        0 => found.add_certificate(data),
        // A key, with a password of its own or the store's.
        1 | 3 => {
            let mut entry = der::only_sequence(data)?;
            let mut sealed = entry.sequence()?;
            let mut chain = entry.sequence()?;
            let mut length = 0;
            while !chain.is_empty() {
                let certificate = chain.value()?;
                // The chains of several keys share their authorities.
                if !found.certificates.iter().any(|c| c.der() == certificate.whole) {
                    found.add_certificate(certificate.whole)?;
                }
                length += 1;
                if length > CHAIN || found.certificates.len() > ENTRIES {
                    return broken("a chain that is too long");
                }
            }
            let algorithm = sealed.sequence()?;
            let octets = sealed.expect(der::OCTET_STRING)?;
            // The store's password was right: a key may have one of its own.
            let plain = match decrypt(algorithm, octets, password, "PRIVATE_KEY_ENCRYPTION", budget) {
                Err(fault) if *fault == Fault::Password => {
                    let why = "the password is wrong for this key, which has another than the store";
                    return Err(Fault::Refused(why.into()).into());
                }
                other => other?,
            };
            found.add_key(PrivateKey::from_pkcs8(&plain).map_err(opened))
        }
        // Secret keys are nobody's here.
        2 | 4 => Ok(()),
        _ => broken("an entry of an unknown kind"),
    }
}
