//! Reading EnvelopedData and AuthEnvelopedData. What a sender may know (the message is malformed, it is for somebody else) has its own
//! text; from the private key on, everything that fails is one error (284) by one path, since the difference between a wrong padding
//! and a wrong content is what decrypts messages for an attacker (RFC 3218, Efail).

use super::algorithm::{CIPHERS, Cipher};
use super::asn1::{AUTH_ENVELOPED_DATA, ENVELOPED_DATA};
use super::bulk;
use super::recipient::{self, Identifier, Lock, Sealed};
use crate::certs::ber;
use crate::certs::der::{self, OCTET_STRING, Reader, SEQUENCE, SET};
use crate::certs::fault::{Fault, Read, broken, unknown, unsupported};
use crate::certs::key::PrivateKey;
use crate::certs::x509::X509;
use crate::error::{Code, Error, Result};
use ring::rand::SecureRandom;
use std::sync::Arc;
use zeroize::Zeroizing;

/// A certificate and its key.
pub type Pair = (Arc<X509>, Arc<PrivateKey>);

/// Private operations for one message: more sealed keys for one's own certificates nobody sends.
const TRIES: usize = 8;

/// The content of a message that is encrypted for one of these keys; DER or BER.
pub fn decrypt(cms: &[u8], keys: &[Pair]) -> Result<Vec<u8>> {
    let malformed = |fault: Box<Fault>| {
        let why = match *fault {
            Fault::Broken(why) => format!("the encrypted message is malformed: {why}"),
            Fault::Unsupported(what) => format!("{what} is not supported"),
            _ => "the encrypted message is malformed".to_owned(),
        };
        Error::new(Code::Decrypt, why)
    };
    let der = ber::to_der(cms).map_err(malformed)?;
    let sealed = read(&der, keys).map_err(malformed)?;
    if sealed.keys.is_empty() {
        return Err(Error::new(Code::Decrypt, "the message is not encrypted for any of the certificates at hand"));
    }
    let wrong =
        || Error::new(Code::Decrypt, "the message cannot be decrypted: it is damaged, or the key is another one");
    let mut plain = None;
    for one in sealed.keys.iter().take(TRIES) {
        let mine = keys.iter().filter(|(certificate, _)| one.identifier.is(certificate));
        for (_, key) in mine.take(TRIES) {
            if plain.is_none() {
                plain = sealed.open(one, key)?;
            }
        }
    }
    plain.map(|mut plain| std::mem::take(&mut *plain)).ok_or_else(wrong)
}

/// Whether this is EnvelopedData or AuthEnvelopedData, whatever else is wrong with it.
pub fn is_enveloped(cms: &[u8]) -> bool {
    matches!(super::verify::kind_of(cms), Some(ENVELOPED_DATA | AUTH_ENVELOPED_DATA))
}

/// The message taken apart.
struct Message<'a> {
    keys: Vec<Sealed<'a>>,
    cipher: Cipher,
    vector: &'a [u8],
    content: std::borrow::Cow<'a, [u8]>,
    tag: Option<&'a [u8]>,
}

impl Message<'_> {
    /// The content by one sealed key. An error is only what no octet of the message has an influence on.
    fn open(&self, sealed: &Sealed<'_>, key: &PrivateKey) -> Result<Option<Zeroizing<Vec<u8>>>> {
        let size = self.cipher.row().key;
        let content_key = match &sealed.lock {
            Lock::Rsa(padding) => {
                // What is used when the padding is wrong: the content then fails as any wrong content does (RFC 3218 §2.3.2).
                let mut instead = Zeroizing::new(vec![0; size]);
                ring::rand::SystemRandom::new()
                    .fill(&mut instead)
                    .map_err(|_| Error::new(Code::Decrypt, "the system has no random octets"))?;
                match key.decrypt(*padding, sealed.key) {
                    Ok(found) if found.len() == size => found,
                    _ => instead,
                }
            }
            Lock::Agreement { originator, derivation, wrap, algorithm, material } => {
                let opened = key.agree(originator).ok().and_then(|secret| {
                    let kek = derivation.derive(&secret, *wrap, algorithm, *material)?;
                    wrap.unwrap(&kek, sealed.key)
                });
                match opened {
                    Some(found) => found,
                    None => return Ok(None),
                }
            }
        };
        Ok(bulk::decrypt(self.cipher, &content_key, self.vector, &self.content, self.tag))
    }
}

fn read<'a>(der: &'a [u8], keys: &[Pair]) -> Read<Message<'a>> {
    let mut info = der::only_sequence(der)?;
    let kind = info.oid()?;
    let authenticated = match kind {
        ENVELOPED_DATA => false,
        AUTH_ENVELOPED_DATA => true,
        other => return unknown("decrypting the content type", other),
    };
    let mut data = Reader::new(info.expect(0xa0)?).sequence()?;
    data.small()?;
    data.optional(0xa0)?;
    let wanted = |id: &Identifier<'_>| keys.iter().any(|(certificate, _)| id.is(certificate));
    let curve = |id: &Identifier<'_>| {
        keys.iter().find(|(certificate, _)| id.is(certificate)).and_then(|(c, _)| c.public_key().curve())
    };
    let sealed = recipient::read(data.expect(SET)?, &wanted, &curve)?;
    let mut content = data.sequence()?;
    content.oid()?;
    let (cipher, vector, least) = content_algorithm(content.sequence()?)?;
    let encrypted = match content.optional(0xa0)? {
        Some(pieces) => ber::join(pieces)?.into(),
        None => content.expect(0x80)?.into(),
    };
    if cipher.is_aead() != authenticated {
        // GCM without its tag, or CBC that claims to have one, would come out unchecked.
        return broken("the cipher and the content type do not belong together");
    }
    let tag = if authenticated {
        if data.optional(0xa1)?.is_some() {
            return unsupported("an encrypted message with authenticated attributes");
        }
        let tag = data.expect(OCTET_STRING)?;
        if tag.len() < least {
            return broken("a GCM tag that is shorter than announced");
        }
        Some(tag)
    } else {
        None
    };
    Ok(Message { keys: sealed, cipher, vector, content: encrypted, tag })
}

/// Cipher, vector, and the octets of GCM's tag as they are announced.
fn content_algorithm(mut algorithm: Reader<'_>) -> Read<(Cipher, &[u8], usize)> {
    let mut least = 0;
    let oid = algorithm.oid()?;
    let Some(row) = CIPHERS.iter().find(|row| row.oid == oid) else {
        return unknown("the cipher", oid);
    };
    let (cipher, vector) = if row.cipher.rc2().is_some() {
        let mut parameters = algorithm.sequence()?;
        let number = parameters.small()?;
        let fits = |c: &Cipher| c.rc2().is_some_and(|(_, own)| u32::from(own) == number);
        match CIPHERS.iter().map(|row| row.cipher).find(fits) {
            Some(cipher) => (cipher, parameters.expect(OCTET_STRING)?),
            None => return unsupported("RC2 with such a number of bits"),
        }
    } else if row.cipher.is_aead() {
        let mut parameters = Reader::new(algorithm.expect(SEQUENCE)?);
        let nonce = parameters.expect(OCTET_STRING)?;
        let tag = if parameters.peek() == Some(der::INTEGER) { parameters.small()? } else { 12 };
        if !(12..=bulk::TAG as u32).contains(&tag) {
            return unsupported("a GCM tag of such a length");
        }
        least = tag as usize;
        (row.cipher, nonce)
    } else {
        (row.cipher, algorithm.expect(OCTET_STRING)?)
    };
    let length = if cipher.is_aead() { bulk::NONCE } else { cipher.row().block };
    if vector.len() != length {
        return broken("an initialisation vector of the wrong length");
    }
    Ok((cipher, vector, least))
}
