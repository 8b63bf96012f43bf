//! P7B: the certificates of a SignedData (RFC 5652 §5.1), in DER, BER or PEM.

use super::{ENTRIES, Format, start};
use crate::certs::ber;
use crate::certs::contents::Contents;
use crate::certs::der::{self, Reader};
use crate::certs::fault::{Read, broken};
use crate::certs::pem;
use memchr::memmem;

pub struct P7b;

const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2];

impl Format for P7b {
    fn name(&self) -> &'static str {
        "P7B"
    }

    fn recognises(&self, bytes: &[u8]) -> bool {
        if bytes.first() != Some(&der::SEQUENCE) {
            let text = start(bytes);
            return text.starts_with(b"-----BEGIN PKCS7-----") || text.starts_with(b"-----BEGIN CMS-----");
        }
        // The tag, a length of any form, then the type.
        let head = &bytes[..bytes.len().min(32)];
        memmem::find(head, SIGNED_DATA)
            .is_some_and(|at| (4..=8).contains(&at) && head[at - 2..at] == [der::OID, SIGNED_DATA.len() as u8])
    }

    fn read(&self, bytes: &[u8], _password: &str) -> Read<Contents> {
        let mut found = Contents::default();
        if bytes.first() == Some(&der::SEQUENCE) {
            certificates(bytes, &mut found)?;
        } else {
            for block in pem::blocks(bytes)? {
                if matches!(block.label.as_str(), "PKCS7" | "CMS") {
                    certificates(&block.data, &mut found)?;
                }
            }
        }
        Ok(found)
    }
}

/// Adds the certificates of a ContentInfo with SignedData.
pub(super) fn certificates(bytes: &[u8], found: &mut Contents) -> Read<()> {
    let der = ber::to_der(bytes)?;
    let mut info = der::only_sequence(&der)?;
    if info.oid()? != SIGNED_DATA {
        return broken("a PKCS #7 file without certificates");
    }
    let mut signed = der::only_sequence(info.expect(0xa0)?)?;
    signed.small()?;
    signed.expect(der::SET)?;
    signed.sequence()?;
    let mut certificates = Reader::new(signed.optional(0xa0)?.unwrap_or_default());
    let mut number = 0;
    while !certificates.is_empty() {
        let value = certificates.value()?;
        number += 1;
        // The other choices are attribute certificates.
        if value.tag == der::SEQUENCE {
            found.entry(&format!("the certificate {number}"), |found| found.add_certificate(value.whole))?;
        }
        if found.certificates.len() > ENTRIES {
            return broken("it has too many certificates");
        }
    }
    Ok(())
}
