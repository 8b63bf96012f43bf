//! Where a certificate says that its revocation can be looked up: RFC 5280 §4.2.1.13 (CRL distribution points) and §4.2.2.1
//! (authority information access). http alone: what a stranger's certificate names shall open no file and no directory.

use crate::certs::der::{self, Reader};
use crate::certs::fault::Read;

const CRL_POINTS: &[u8] = &[0x55, 0x1d, 0x1f];
const AUTHORITY_INFO: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 1, 1];
const OCSP: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 0x30, 1];

/// Addresses that are kept of one certificate.
const MOST: usize = 16;
/// The longest of them.
const LONGEST: usize = 2048;

/// The addresses, in the certificate's order.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Pointers {
    pub ocsp: Vec<String>,
    pub lists: Vec<String>,
}

impl Pointers {
    /// What can't be read names nobody.
    pub fn of(certificate: &[u8]) -> Pointers {
        let mut found = Pointers::default();
        let _ = extensions(certificate, |oid, value| {
            match oid {
                CRL_POINTS => points(value, &mut found.lists)?,
                AUTHORITY_INFO => {
                    let mut list = der::only_sequence(value)?;
                    while !list.is_empty() {
                        let mut access = list.sequence()?;
                        if access.oid()? == OCSP {
                            address(access.value()?, &mut found.ocsp);
                        }
                    }
                }
                _ => {}
            }
            Ok(())
        });
        found
    }
}

/// DistributionPoints that list every reason and are signed by the issuer itself.
fn points(value: &[u8], found: &mut Vec<String>) -> Read<()> {
    let mut list = der::only_sequence(value)?;
    while !list.is_empty() {
        let mut point = list.sequence()?;
        let name = point.optional(0xa0)?;
        let whole = point.is_empty();
        if let (Some(name), true) = (name, whole) {
            for uri in full_name(name)? {
                address(uri, found);
            }
        }
    }
    Ok(())
}

/// The names of a DistributionPointName that is a full one.
pub(super) fn full_name(name: &[u8]) -> Read<Vec<der::Value<'_>>> {
    let mut names = Vec::new();
    if let Some(full) = Reader::new(name).optional(0xa0)? {
        let mut full = Reader::new(full);
        while !full.is_empty() && names.len() < MOST {
            names.push(full.value()?);
        }
    }
    Ok(names)
}

/// A GeneralName that is an http address.
fn address(name: der::Value<'_>, found: &mut Vec<String>) {
    if let Some(text) = uri(name)
        && found.len() < MOST
        && text.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("http://"))
        && !found.iter().any(|known| known == text)
    {
        found.push(text.to_owned());
    }
}

/// A GeneralName that is a URI of visible characters.
pub(super) fn uri(name: der::Value<'_>) -> Option<&str> {
    let text = std::str::from_utf8(name.content).ok().filter(|_| name.tag == 0x86)?;
    (text.len() <= LONGEST && text.bytes().all(|byte| byte.is_ascii_graphic())).then_some(text)
}

/// Every extension of a certificate: its identifier and value.
fn extensions<'a>(certificate: &'a [u8], mut each: impl FnMut(&'a [u8], &'a [u8]) -> Read<()>) -> Read<()> {
    let mut tbs = der::only_sequence(certificate)?.sequence()?;
    while !tbs.is_empty() {
        let value = tbs.value()?;
        if value.tag == 0xa3 {
            let mut list = der::only_sequence(value.content)?;
            while !list.is_empty() {
                let mut extension = list.sequence()?;
                let oid = extension.oid()?;
                extension.optional(der::BOOLEAN)?;
                each(oid, extension.expect(der::OCTET_STRING)?)?;
            }
        }
    }
    Ok(())
}
