//! Signed attributes (RFC 5652 §11, RFC 8551 §2.5): content type, message digest, signing time, capabilities; and their reading.

use super::algorithm::{CIPHERS, Cipher};
use super::asn1::{self, DATA};
use crate::certs::der::{self, OCTET_STRING, Reader, SEQUENCE, SET};
use crate::certs::fault::{Read, broken};
use crate::certs::time;

const CONTENT_TYPE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 3];
const MESSAGE_DIGEST: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 4];
const SIGNING_TIME: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 5];
const CAPABILITIES: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 15];
/// contentIdentifier (RFC 2634 §2.7): octets that tell this content from others.
const IDENTIFIER: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 16, 2, 7];

/// What our signatures say their sender reads. GCM is left out though `decrypt` reads it: the answers go to the sender's mail
/// program, and few of those do.
const READS: [Cipher; 4] = [Cipher::AesCbc256, Cipher::AesCbc192, Cipher::AesCbc128, Cipher::TripleDes];

fn attribute(kind: &[u8], value: &[u8]) -> Vec<u8> {
    der::wrap(SEQUENCE, &[&asn1::oid(kind), &der::wrap(SET, &[value])])
}

/// The content of the SET OF Attribute.
pub fn build(digest: &[u8], time: i64, identifier: Option<&[u8]>) -> Vec<u8> {
    let reads: Vec<Vec<u8>> = READS.iter().map(|c| asn1::algorithm(c.row().oid, &[])).collect();
    let mut all = vec![
        attribute(CONTENT_TYPE, &asn1::oid(DATA)),
        attribute(MESSAGE_DIGEST, &der::wrap(OCTET_STRING, &[digest])),
        attribute(SIGNING_TIME, &asn1::time(time)),
        attribute(CAPABILITIES, &der::wrap(SEQUENCE, &[&reads.concat()])),
    ];
    all.extend(identifier.map(|octets| attribute(IDENTIFIER, &der::wrap(OCTET_STRING, &[octets]))));
    asn1::set(all)
}

/// The attributes of a received signature.
#[derive(Debug, Default)]
pub struct Found<'a> {
    pub content_type: Option<&'a [u8]>,
    pub digest: Option<&'a [u8]>,
    pub time: Option<i64>,
    pub capabilities: Vec<Cipher>,
}

/// Reads the content of a SET OF Attribute. One that stands there twice, or has several values where one belongs, is refused.
pub fn read(attributes: &[u8]) -> Read<Found<'_>> {
    let mut found = Found::default();
    let mut reader = Reader::new(attributes);
    let mut seen: Vec<&[u8]> = Vec::new();
    while !reader.is_empty() {
        let mut attribute = reader.sequence()?;
        let kind = attribute.oid()?;
        let mut values = Reader::new(attribute.expect(SET)?);
        attribute.finish()?;
        if ![CONTENT_TYPE, MESSAGE_DIGEST, SIGNING_TIME, CAPABILITIES].contains(&kind) {
            continue;
        }
        if seen.contains(&kind) {
            return broken("a signed attribute stands there twice");
        }
        seen.push(kind);
        match kind {
            CONTENT_TYPE => found.content_type = Some(values.oid()?),
            MESSAGE_DIGEST => found.digest = Some(values.expect(OCTET_STRING)?),
            SIGNING_TIME => found.time = Some(time::from_der(values.value()?)?),
            _ => found.capabilities = capabilities(values.sequence()?)?,
        }
        values.finish()?;
    }
    Ok(found)
}

/// Whether octets are the SET OF attributes that some signature was made over. Signed content that is one was never meant as content:
/// somebody took the signature of another message and left its attributes out.
pub fn are(octets: &[u8]) -> bool {
    let mut reader = Reader::new(octets);
    let found = reader.expect(SET).and_then(read);
    reader.is_empty() && found.is_ok_and(|found| found.content_type.is_some() && found.digest.is_some())
}

/// The ciphers among SMIMECapabilities (RFC 8551 §2.5.2), in the order of preference they stand in.
fn capabilities(mut list: Reader<'_>) -> Read<Vec<Cipher>> {
    let mut found = Vec::new();
    while !list.is_empty() && found.len() < 64 {
        let mut one = list.sequence()?;
        let kind = one.oid()?;
        let bits = if one.peek() == Some(der::INTEGER) { one.small()? as usize } else { 128 };
        let fits = |c: Cipher| c.rc2().is_none_or(|(own, _)| own == bits);
        found.extend(CIPHERS.iter().filter(|row| row.oid == kind && fits(row.cipher)).map(|row| row.cipher));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let written = build(&[7; 32], 1_700_000_000, Some(&[1; 16]));
        let found = read(&written).unwrap();
        assert_eq!(found.content_type, Some(DATA));
        assert_eq!(found.digest, Some(&[7; 32][..]));
        assert_eq!(found.time, Some(1_700_000_000));
        assert_eq!(found.capabilities, READS);
    }

    #[test]
    fn a_set_of_attributes_is_told_from_content() {
        let set = der::wrap(SET, &[&build(&[7; 32], 0, None)]);
        assert!(are(&set));
        assert!(!are(&[&set[..], b"\r\n"].concat()) && !are(&set[1..]) && !are(b"") && !are(b"1234"));
        assert!(!are(&der::wrap(SET, &[&attribute(CONTENT_TYPE, &asn1::oid(DATA))])));
    }

    #[test]
    fn an_attribute_twice_or_with_two_values_is_refused() {
        let one = attribute(MESSAGE_DIGEST, &der::wrap(OCTET_STRING, &[&[1; 32]]));
        assert!(read(&[&one[..], &one].concat()).is_err());
        let two = [der::wrap(OCTET_STRING, &[&[1; 32]]), der::wrap(OCTET_STRING, &[&[2; 32]])].concat();
        assert!(read(&attribute(MESSAGE_DIGEST, &two)).is_err());
        assert!(read(&attribute(MESSAGE_DIGEST, &[])).is_err());
    }

    #[test]
    fn rc2_capabilities_are_told_apart_by_their_bits() {
        let rc2 = |bits: u8| asn1::algorithm(CIPHERS[2].oid, &der::integer(&[bits]));
        let list = der::wrap(SEQUENCE, &[&rc2(40), &rc2(128), &rc2(64), &asn1::algorithm(&[1, 2, 3], &[])]);
        let written = attribute(CAPABILITIES, &list);
        let found = read(&written).unwrap();
        assert_eq!(found.capabilities, [Cipher::Rc2Cbc40, Cipher::Rc2Cbc128, Cipher::Rc2Cbc64]);
    }
}
