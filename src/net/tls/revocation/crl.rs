//! Revocation lists: RFC 5280 §5 and §6.3. Whole lists of the issuer itself; no deltas, no lists on others' behalf.

use super::pointers::{full_name, uri};
use super::signed::Signed;
use super::{SKEW, Standing, Why};
use crate::certs::der::{self, Reader};
use crate::certs::fault::{Fault, Read, broken};
use crate::certs::x509::X509;
use crate::certs::{pem, time};

/// A list is not larger.
pub(super) const LARGEST: usize = 32 << 20;

const CRL_SIGN: i32 = 0x02;

// Extensions of a list and of its entries.
const CRL_NUMBER: &[u8] = &[0x55, 0x1d, 20];
const ISSUING_POINT: &[u8] = &[0x55, 0x1d, 28];
const AUTHORITY_KEY: &[u8] = &[0x55, 0x1d, 35];

/// What a list that holds says of one certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Listed {
    pub standing: Standing,
    /// When the next list is due.
    pub next: i64,
}

/// DER; some publish PEM.
pub(super) fn plain(data: Vec<u8>) -> Vec<u8> {
    if data.first() == Some(&der::SEQUENCE) {
        return data;
    }
    let blocks = pem::blocks(&data).unwrap_or_default();
    blocks.iter().find(|block| block.label == "X509 CRL").map_or(data, |block| block.data.to_vec())
}

/// Checks the list, then looks for the certificate in it. `Err` says why the list does not count.
pub(super) fn read(list: &[u8], certificate: &X509, issuer: &X509, points: &[String], now: i64) -> Result<Listed, Why> {
    let broken = |fault: Box<Fault>| match *fault {
        Fault::Broken(why) | Fault::Unsupported(why) | Fault::Refused(why) => why.into(),
        _ => Why::from("it is not in order"),
    };
    let signed = der::only_sequence(list).and_then(Signed::read).map_err(|_| "what came is no revocation list")?;
    let head = Head::read(signed.content).map_err(broken)?;
    if head.issuer != issuer.subject_der() {
        return Err("the list is another issuer's".into());
    }
    if !issuer.is_ca() || (issuer.usage_flags != 0 && issuer.usage_flags & CRL_SIGN == 0) {
        return Err("the issuer's certificate is not for signing lists".into());
    }
    if !signed.is_by(issuer.public_key()) {
        return Err("the list's signature is wrong".into());
    }
    if head.this > now + SKEW {
        return Err("the list is of the future".into());
    }
    let Some(next) = head.next else { return Err("the list does not say until when it holds".into()) };
    if next < now {
        return Err("the list is out of date".into());
    }
    let mut extensions = head.extensions.map(der::only_sequence).transpose().map_err(broken)?;
    while let Some(extension) = extensions.as_mut().filter(|list| !list.is_empty()) {
        usable(extension, certificate, points).map_err(broken)?;
    }
    let listed = head.lists(certificate.serial_der()).map_err(broken)?;
    Ok(Listed { standing: if listed { Standing::Revoked } else { Standing::Good }, next })
}

/// TBSCertList.
struct Head<'a> {
    issuer: &'a [u8],
    this: i64,
    next: Option<i64>,
    entries: &'a [u8],
    extensions: Option<&'a [u8]>,
}

impl<'a> Head<'a> {
    fn read(content: &'a [u8]) -> Read<Head<'a>> {
        let mut list = Reader::new(content);
        list.optional(der::INTEGER)?;
        list.sequence()?;
        let issuer = list.value()?.whole;
        let this = time::from_der(list.value()?)?;
        let next = match list.peek() {
            Some(0x17 | 0x18) => Some(time::from_der(list.value()?)?),
            _ => None,
        };
        let entries = list.optional(der::SEQUENCE)?.unwrap_or_default();
        let extensions = list.optional(0xa0)?;
        list.finish()?;
        Ok(Head { issuer, this, next, entries, extensions })
    }

    /// Reads every entry: one that is not in order makes the whole list worthless.
    fn lists(&self, serial: &[u8]) -> Read<bool> {
        let mut entries = Reader::new(self.entries);
        let mut found = false;
        while !entries.is_empty() {
            let mut entry = entries.sequence()?;
            found |= der::trim(entry.expect(der::INTEGER)?) == der::trim(serial);
            entry.value()?;
            if let Some(extensions) = entry.optional(der::SEQUENCE)? {
                let mut extensions = Reader::new(extensions);
                while !extensions.is_empty() {
                    let mut extension = extensions.sequence()?;
                    extension.oid()?;
                    // Certificate issuer is the only one that there is: the entry is of another's certificate.
                    if extension.optional(der::BOOLEAN)?.is_some_and(|critical| critical != [0]) {
                        return broken("the list has entries of a kind that is not read here");
                    }
                }
            }
        }
        Ok(found)
    }
}

/// Whether one extension of the list leaves it of use for this certificate.
fn usable(list: &mut Reader<'_>, certificate: &X509, points: &[String]) -> Read<()> {
    let mut extension = list.sequence()?;
    let oid = extension.oid()?;
    let critical = extension.optional(der::BOOLEAN)?.is_some_and(|critical| critical != [0]);
    let value = extension.expect(der::OCTET_STRING)?;
    match oid {
        ISSUING_POINT => issuing_point(value, certificate, points),
        CRL_NUMBER | AUTHORITY_KEY => Ok(()),
        // A delta among them.
        _ if critical => broken("the list has a critical extension that is not read here"),
        _ => Ok(()),
    }
}

/// RFC 5280 §5.2.5, §6.3.3 (b) (2).
fn issuing_point(value: &[u8], certificate: &X509, points: &[String]) -> Read<()> {
    let mut point = der::only_sequence(value)?;
    if let Some(name) = point.optional(0xa0)? {
        let named = full_name(name)?.into_iter().filter_map(uri).any(|uri| points.iter().any(|point| point == uri));
        if !named {
            return broken("the list belongs to another distribution point");
        }
    }
    let is_set = |value: Option<&[u8]>| value.is_some_and(|value| value != [0]);
    let users_only = is_set(point.optional(0x81)?);
    let authorities_only = is_set(point.optional(0x82)?);
    let some_reasons = point.optional(0x83)?.is_some();
    let indirect = is_set(point.optional(0x84)?);
    let attributes_only = is_set(point.optional(0x85)?);
    let other_kind = if certificate.is_ca() { users_only } else { authorities_only };
    if other_kind || some_reasons || indirect || attributes_only {
        return broken("the list is for other certificates or for some reasons only");
    }
    Ok(())
}
