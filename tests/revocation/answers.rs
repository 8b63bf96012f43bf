//! OCSP answers made by hand, in every way right or wrong.

use crate::{der_of, key_of};
use ssmtp::certs::der::{self, Reader};
use ssmtp::certs::signing::{Hash, Scheme};
use ssmtp::certs::x509::X509;
use std::time::{SystemTime, UNIX_EPOCH};

pub const GOOD: u8 = 0x80;
pub const REVOKED: u8 = 0xa1;
pub const UNKNOWN: u8 = 0x82;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Nonce {
    Same,
    None,
    Other,
}

/// An answer; the fields say what is odd about it.
#[derive(Clone)]
pub struct Answer {
    pub about: &'static str,
    pub issuer: &'static str,
    /// Whose key signs, and whose name stands there.
    pub signer: &'static str,
    pub certificates: Vec<&'static str>,
    pub by_key: bool,
    pub status: u8,
    /// Seconds from now.
    pub this: i64,
    pub next: Option<i64>,
    pub nonce: Nonce,
    pub hash: Hash,
    pub damaged: bool,
}

impl Answer {
    /// That this certificate is good, by the intermediate itself.
    pub fn good(about: &'static str) -> Answer {
        Answer {
            about,
            issuer: "int",
            signer: "int",
            certificates: Vec::new(),
            by_key: false,
            status: GOOD,
            this: -60,
            next: Some(3_600),
            nonce: Nonce::Same,
            hash: Hash::Sha1,
            damaged: false,
        }
    }

    /// To this request; empty for an answer that is stapled.
    pub fn to(&self, request: &[u8]) -> Vec<u8> {
        let signer = X509::from_der(&der_of(self.signer)).unwrap();
        let responder = if self.by_key {
            der::wrap(0xa2, &[&der::wrap(der::OCTET_STRING, &[&Hash::Sha1.digest(&key_bits(&signer))])])
        } else {
            der::wrap(0xa1, &[signer.subject_der()])
        };
        let status = match self.status {
            REVOKED => der::wrap(REVOKED, &[&time(-86_400)]),
            status => der::wrap(status, &[]),
        };
        let next = self.next.map(|next| der::wrap(0xa0, &[&time(next)])).unwrap_or_default();
        let single = der::wrap(der::SEQUENCE, &[&self.id(), &status, &time(self.this), &next]);
        let nonce = match self.nonce {
            Nonce::Same => nonce(request),
            Nonce::None => None,
            Nonce::Other => Some(vec![7; 32]),
        };
        let extensions = nonce.map(|nonce| {
            let value = der::wrap(der::OCTET_STRING, &[&der::wrap(der::OCTET_STRING, &[&nonce])]);
            let extension = der::wrap(der::SEQUENCE, &[&der::wrap(der::OID, &[NONCE]), &value]);
            der::wrap(0xa1, &[&der::wrap(der::SEQUENCE, &[&extension])])
        });
        let data = der::wrap(
            der::SEQUENCE,
            &[&responder, &time(self.this), &der::wrap(der::SEQUENCE, &[&single]), &extensions.unwrap_or_default()],
        );
        let mut signature = key_of(self.signer).sign(Scheme::Ecdsa(Hash::Sha256), &data).unwrap();
        if self.damaged {
            *signature.last_mut().unwrap() ^= 1;
        }
        let algorithm = der::wrap(der::SEQUENCE, &[&der::wrap(der::OID, &[&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2]])]);
        let certificates: Vec<u8> = self.certificates.iter().flat_map(|name| der_of(name)).collect();
        let certificates = match certificates.is_empty() {
            true => Vec::new(),
            false => der::wrap(0xa0, &[&der::wrap(der::SEQUENCE, &[&certificates])]),
        };
        let basic = der::wrap(der::SEQUENCE, &[&data, &algorithm, &der::bit_string(&signature), &certificates]);
        let bytes =
            der::wrap(der::SEQUENCE, &[&der::wrap(der::OID, &[BASIC]), &der::wrap(der::OCTET_STRING, &[&basic])]);
        der::wrap(der::SEQUENCE, &[&der::wrap(0x0a, &[&[0]]), &der::wrap(0xa0, &[&bytes])])
    }

    fn id(&self) -> Vec<u8> {
        let (about, issuer) =
            (X509::from_der(&der_of(self.about)).unwrap(), X509::from_der(&der_of(self.issuer)).unwrap());
        let algorithm =
            der::wrap(der::SEQUENCE, &[&der::wrap(der::OID, &[self.hash.oid()]), &der::wrap(der::NULL, &[])]);
        der::wrap(
            der::SEQUENCE,
            &[
                &algorithm,
                &der::wrap(der::OCTET_STRING, &[&self.hash.digest(issuer.subject_der())]),
                &der::wrap(der::OCTET_STRING, &[&self.hash.digest(&key_bits(&issuer))]),
                &der::wrap(der::INTEGER, &[about.serial_der()]),
            ],
        )
    }
}

/// An answer that is only a status.
pub fn status(status: u8) -> Vec<u8> {
    der::wrap(der::SEQUENCE, &[&der::wrap(0x0a, &[&[status]])])
}

const BASIC: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 0x30, 1, 1];
const NONCE: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 0x30, 1, 2];

/// The nonce of a request: what its identifier leads to.
pub fn nonce(request: &[u8]) -> Option<Vec<u8>> {
    let at = request.windows(NONCE.len()).position(|part| part == NONCE)?;
    let value = Reader::new(&request[at + NONCE.len()..]).expect(der::OCTET_STRING).ok()?;
    Reader::new(value).expect(der::OCTET_STRING).ok().map(<[u8]>::to_vec)
}

fn key_bits(certificate: &X509) -> Vec<u8> {
    let mut spki = der::only_sequence(certificate.public_key().der()).unwrap();
    spki.sequence().unwrap();
    spki.bits().unwrap().to_vec()
}

/// GeneralizedTime, so many seconds from now.
fn time(offset: i64) -> Vec<u8> {
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap();
    let shown = ssmtp::certs::time::text(now + offset, 0);
    // 23-Jan-2000 15:00:00
    let month = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = 1 + month.iter().position(|name| *name == &shown[3..6]).unwrap();
    let clock = shown[12..].replace(':', "");
    let text = format!("{}{month:02}{}{clock}Z", &shown[7..11], &shown[..2]);
    der::wrap(0x18, &[text.as_bytes()])
}
