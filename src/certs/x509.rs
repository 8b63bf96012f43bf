//! One X.509 certificate (RFC 5280 §4), read once and never changed: its octets and every field as text (ruling 37). Nothing here
//! checks a signature or a chain.

use super::der::{self, Reader};
use super::fault::{Read, broken};
use super::spki::PublicKey;
use super::{hex, name, time};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Entries of one list in one certificate.
const LIST: usize = 4096;

/// A certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct X509 {
    der: Vec<u8>,
    subject_der: Vec<u8>,
    issuer_der: Vec<u8>,
    serial: Vec<u8>,
    public_key: PublicKey,
    subject_key_id: Vec<u8>,
    ca: bool,
    emails: Vec<String>,
    /// Seconds since 1970 in UTC.
    pub not_before: i64,
    pub not_after: i64,
    pub subject: String,
    pub issuer: String,
    pub subject_alt_names: Vec<String>,
    pub usage_flags: i32,
    pub extended_key_usage: Vec<String>,
    pub signature_algorithm: String,
    /// 1, 2 or 3.
    pub version: u8,
}

/// The words of the specification for the bits of RFC 5280 §4.2.1.3.
const USAGES: [(i32, &str); 7] = [
    (0x80, "Digital Signatures"),
    (0x40, "Key Authentication"),
    (0x20, "Key Encryption"),
    (0x10, "Data Encryption"),
    (0x08, "Key Agreement"),
    (0x04, "Certificate Signing"),
    (0x02, "Key Signing"),
];

impl X509 {
    /// From DER, with nothing after it.
    pub fn from_der(bytes: &[u8]) -> Read<X509> {
        let mut certificate = der::only_sequence(bytes)?;
        let mut tbs = certificate.sequence()?;
        let mut algorithm = certificate.sequence()?;
        let signature_oid = algorithm.oid()?;
        // Any bits: a damaged signature is for those to find who check it.
        certificate.expect(der::BIT_STRING)?;
        certificate.finish()?;

        let version = match tbs.optional(0xa0)? {
            None => 1,
            Some(inner) => match Reader::new(inner).small()? {
                n @ 0..=2 => n as u8 + 1,
                _ => return broken("a certificate of an unknown version"),
            },
        };
        let serial = tbs.expect(der::INTEGER)?;
        tbs.sequence()?;
        let issuer_der = tbs.value()?.whole;
        let mut validity = tbs.sequence()?;
        let not_before = time::from_der(validity.value()?)?;
        let not_after = time::from_der(validity.value()?)?;
        let subject_der = tbs.value()?.whole;
        let public_key = PublicKey::from_der(tbs.value()?.whole)?;
        let mut found = X509 {
            der: bytes.to_vec(),
            subject: String::new(),
            issuer: String::new(),
            emails: Vec::new(),
            subject_der: subject_der.to_vec(),
            issuer_der: issuer_der.to_vec(),
            serial: serial.to_vec(),
            public_key,
            subject_key_id: Vec::new(),
            ca: false,
            not_before,
            not_after,
            subject_alt_names: Vec::new(),
            usage_flags: 0,
            extended_key_usage: Vec::new(),
            signature_algorithm: signature_name(signature_oid),
            version,
        };
        found.subject = name::text(subject_der)?;
        found.issuer = name::text(issuer_der)?;
        found.emails = name::emails(subject_der)?;
        // Two unique identifiers that nobody uses, then the extensions.
        tbs.optional(0x81)?;
        tbs.optional(0x82)?;
        if let Some(extensions) = tbs.optional(0xa3)? {
            let mut extensions = der::only_sequence(extensions)?;
            while !extensions.is_empty() {
                found.extension(extensions.sequence()?)?;
            }
        }
        tbs.finish()?;
        Ok(found)
    }

    fn extension(&mut self, mut extension: Reader<'_>) -> Read<()> {
        let oid = extension.oid()?;
        extension.optional(der::BOOLEAN)?;
        let value = extension.expect(der::OCTET_STRING)?;
        match oid {
            [0x55, 0x1d, 14] => self.subject_key_id = Reader::new(value).expect(der::OCTET_STRING)?.to_vec(),
            // The last bit of the octet (encipher only) has no word and no flag.
            [0x55, 0x1d, 15] => {
                if let [_, bits, ..] = Reader::new(value).expect(der::BIT_STRING)? {
                    self.usage_flags = i32::from(bits & 0xfe);
                }
            }
            [0x55, 0x1d, 17] => {
                let mut names = der::only_sequence(value)?;
                while !names.is_empty() && self.subject_alt_names.len() < LIST {
                    self.alt_name(names.value()?)?;
                }
            }
            [0x55, 0x1d, 19] => self.ca = der::only_sequence(value)?.optional(der::BOOLEAN)?.is_some_and(|b| b != [0]),
            [0x55, 0x1d, 37] => {
                let mut usages = der::only_sequence(value)?;
                while !usages.is_empty() && self.extended_key_usage.len() < LIST {
                    self.extended_key_usage.push(der::dotted(usages.oid()?));
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// One GeneralName (§4.2.1.6), without a word for its kind.
    fn alt_name(&mut self, found: der::Value<'_>) -> Read<()> {
        let ascii = || printable(&String::from_utf8_lossy(found.content));
        let text = match found.tag {
            0x81 => {
                self.emails.push(ascii());
                ascii()
            }
            0x82 | 0x86 => ascii(),
            0x87 => match found.content.len() {
                4 => IpAddr::V4(Ipv4Addr::from(<[u8; 4]>::try_from(found.content).expect("4 octets"))).to_string(),
                16 => IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(found.content).expect("16 octets"))).to_string(),
                _ => return broken("an address of an odd length"),
            },
            0x88 => der::dotted(found.content),
            0xa4 => name::text(found.content)?,
            0xa0 => match other_name(found.content)? {
                Some((mail, text)) => {
                    if mail {
                        self.emails.push(text.clone());
                    }
                    text
                }
                None => return Ok(()),
            },
            _ => return Ok(()),
        };
        self.subject_alt_names.push(text);
        Ok(())
    }

    pub fn der(&self) -> &[u8] {
        &self.der
    }

    pub fn pem(&self) -> String {
        super::pem::encode("CERTIFICATE", &self.der)
    }

    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// The Name as it stands in the certificate, for CMS and for chains.
    pub fn subject_der(&self) -> &[u8] {
        &self.subject_der
    }

    pub fn issuer_der(&self) -> &[u8] {
        &self.issuer_der
    }

    /// The content of the serial number's INTEGER.
    pub fn serial_der(&self) -> &[u8] {
        &self.serial
    }

    /// Empty when the certificate has none.
    pub fn subject_key_id(&self) -> &[u8] {
        &self.subject_key_id
    }

    pub fn is_ca(&self) -> bool {
        self.ca
    }

    /// The mail addresses it names, of the alternative names and of the subject (ruling 24).
    pub fn emails(&self) -> &[String] {
        &self.emails
    }

    pub fn serial_number(&self) -> String {
        match self.serial.as_slice() {
            [0, rest @ ..] if !rest.is_empty() => hex(rest, true, ""),
            all => hex(all, true, ""),
        }
    }

    /// The words for the usage flags, joined by commas.
    pub fn usage(&self) -> String {
        let words: Vec<&str> =
            USAGES.iter().filter(|(bit, _)| self.usage_flags & bit != 0).map(|(_, word)| *word).collect();
        words.join(",")
    }
}

/// SmtpUTF8Mailbox (RFC 9598; a mail address) and the user principal name; other kinds have no text.
fn other_name(content: &[u8]) -> Read<Option<(bool, String)>> {
    let mut other = Reader::new(content);
    let oid = other.oid()?;
    let mut value = Reader::new(other.expect(0xa0)?);
    let mail = oid == [0x2b, 6, 1, 5, 5, 7, 8, 9];
    let principal = oid == [0x2b, 6, 1, 4, 1, 0x82, 0x37, 20, 2, 3];
    match value.value() {
        Ok(text) if (mail || principal) && text.tag == 0x0c => {
            Ok(Some((mail, printable(&String::from_utf8_lossy(text.content)))))
        }
        _ => Ok(None),
    }
}

/// A NUL would cut the text for a caller in C.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

/// The names that RFC 3279, 4055, 5758 and 8410 give; the number otherwise.
fn signature_name(oid: &[u8]) -> String {
    const PKCS1: [u8; 8] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1];
    if let Some([last]) = oid.strip_prefix(&PKCS1) {
        let name = match last {
            2 => "md2WithRSAEncryption",
            4 => "md5WithRSAEncryption",
            5 => "sha1WithRSAEncryption",
            10 => "rsassaPss",
            11 => "sha256WithRSAEncryption",
            12 => "sha384WithRSAEncryption",
            13 => "sha512WithRSAEncryption",
            14 => "sha224WithRSAEncryption",
            _ => return der::dotted(oid),
        };
        return name.to_owned();
    }
    match oid {
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1] => "ecdsa-with-SHA1".into(),
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, n @ 1..=4] => {
            format!("ecdsa-with-SHA{}", [224, 256, 384, 512][usize::from(n - 1)])
        }
        [0x2a, 0x86, 0x48, 0xce, 0x38, 4, 3] => "dsa-with-SHA1".into(),
        [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, n @ 1..=4] => {
            format!("dsa-with-SHA{}", [224, 256, 384, 512][usize::from(n - 1)])
        }
        [0x2b, 0x65, 0x70] => "Ed25519".into(),
        [0x2b, 0x65, 0x71] => "Ed448".into(),
        other => der::dotted(other),
    }
}
