//! Asking one responder about one certificate: RFC 6960, the nonce RFC 9654, delegated responders §4.2.2.2.

use super::signed::Signed;
use super::{SKEW, Standing, Why};
use crate::certs::der::{self, Reader};
use crate::certs::fault::{Read, broken};
use crate::certs::signing::Hash;
use crate::certs::time;
use crate::certs::x509::X509;
use ring::rand::{SecureRandom, SystemRandom};

/// An answer is not larger.
pub(super) const LARGEST: usize = 256 * 1024;

/// An answer without an end holds for a day.
const UNLIMITED: i64 = 86_400;
/// Certificates in an answer that are looked at.
const DELEGATES: usize = 8;

const BASIC: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 0x30, 1, 1];
const NONCE: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 0x30, 1, 2];
const OCSP_SIGNING: &str = "1.3.6.1.5.5.7.3.9";
const DIGITAL_SIGNATURE: i32 = 0x80;

/// What to send, and what the answer must repeat.
pub(super) struct Request {
    pub der: Vec<u8>,
    pub nonce: Vec<u8>,
}

impl Request {
    pub fn new(certificate: &X509, issuer: &X509) -> Request {
        let mut nonce = vec![0; 32];
        // Without random numbers the nonce is left out, and the dates alone tell an old answer.
        if SystemRandom::new().fill(&mut nonce).is_err() {
            nonce.clear();
        }
        // SHA-1, because that is what responders have: it only names the certificate.
        let id = cert_id(Hash::Sha1, certificate, issuer).unwrap_or_default();
        let request = der::wrap(der::SEQUENCE, &[&der::wrap(der::SEQUENCE, &[&id])]);
        let mut parts = vec![request];
        if !nonce.is_empty() {
            let value = der::wrap(der::OCTET_STRING, &[&der::wrap(der::OCTET_STRING, &[&nonce])]);
            let extension = der::wrap(der::SEQUENCE, &[&der::wrap(der::OID, &[NONCE]), &value]);
            parts.push(der::wrap(0xa2, &[&der::wrap(der::SEQUENCE, &[&extension])]));
        }
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        let der = der::wrap(der::SEQUENCE, &[&der::wrap(der::SEQUENCE, &parts)]);
        Request { der, nonce }
    }
}

/// CertID.
fn cert_id(hash: Hash, certificate: &X509, issuer: &X509) -> Option<Vec<u8>> {
    let algorithm = der::wrap(der::SEQUENCE, &[&der::wrap(der::OID, &[hash.oid()]), &der::wrap(der::NULL, &[])]);
    Some(der::wrap(
        der::SEQUENCE,
        &[
            &algorithm,
            &der::wrap(der::OCTET_STRING, &[&hash.digest(issuer.subject_der())]),
            &der::wrap(der::OCTET_STRING, &[&hash.digest(key_bits(issuer)?)]),
            &der::wrap(der::INTEGER, &[certificate.serial_der()]),
        ],
    ))
}

/// The octets of the key alone.
fn key_bits(certificate: &X509) -> Option<&[u8]> {
    let mut spki = der::only_sequence(certificate.public_key().der()).ok()?;
    spki.sequence().ok()?;
    spki.bits().ok()
}

/// An answer that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Answer {
    pub standing: Standing,
    /// Until when it may be used again.
    pub until: Option<i64>,
}

/// Checks an answer. `Err` says why it does not count.
pub(super) fn read(
    response: &[u8],
    certificate: &X509,
    issuer: &X509,
    nonce: Option<&[u8]>,
    now: i64,
) -> Result<Answer, Why> {
    let basic = successful(response)?;
    let disorder = |_| Why::from("the answer is not in order");
    let signed = der::only_sequence(basic).and_then(Signed::read).map_err(disorder)?;
    let data = Data::read(signed.content).map_err(disorder)?;
    let certificates = delegates(signed.rest).map_err(disorder)?;
    let signer = std::iter::once(issuer)
        .chain(&certificates)
        .find(|signer| data.is_responder(signer))
        .ok_or("the answer is by nobody whose certificate is known")?;
    if !std::ptr::eq(signer, issuer) {
        authorised(signer, issuer, now)?;
    }
    if !signed.is_by(signer.public_key()) {
        return Err("the answer's signature is wrong".into());
    }
    if let (Some(sent), Some(came)) = (nonce.filter(|nonce| !nonce.is_empty()), data.nonce().map_err(disorder)?)
        && sent != came
    {
        return Err("the answer is to another question (its nonce is another)".into());
    }
    let single = data.single(certificate, issuer).map_err(disorder)?.ok_or("the answer is about other certificates")?;
    if single.this > now + SKEW {
        return Err("the answer is of the future".into());
    }
    if single.next.unwrap_or(single.this + UNLIMITED) + SKEW < now {
        return Err("the answer is out of date".into());
    }
    let standing = match single.status {
        0x80 => Standing::Good,
        0xa1 => Standing::Revoked,
        _ => return Err("the responder does not know the certificate".into()),
    };
    Ok(Answer { standing, until: single.next })
}

/// The BasicOCSPResponse of a response that is successful.
fn successful(response: &[u8]) -> Result<&[u8], Why> {
    let read = || -> Read<(u8, Option<&[u8]>)> {
        let mut outer = der::only_sequence(response)?;
        let status = match outer.expect(0x0a)? {
            [status] => *status,
            _ => return broken("a status of an unknown form"),
        };
        let Some(bytes) = outer.optional(0xa0)? else { return Ok((status, None)) };
        let mut bytes = der::only_sequence(bytes)?;
        if bytes.oid()? != BASIC {
            return Ok((status, None));
        }
        Ok((status, Some(bytes.expect(der::OCTET_STRING)?)))
    };
    match read() {
        Ok((0, Some(basic))) => Ok(basic),
        Ok((0, None)) => Err("the answer is of an unknown kind".into()),
        Ok((1, _)) => Err("the responder says malformedRequest".into()),
        Ok((2, _)) => Err("the responder says internalError".into()),
        Ok((3, _)) => Err("the responder says tryLater".into()),
        Ok((5, _)) => Err("the responder says sigRequired".into()),
        Ok((6, _)) => Err("the responder says unauthorized".into()),
        Ok((status, _)) => Err(format!("the responder says {status}").into()),
        Err(_) => Err("what came is no answer".into()),
    }
}

/// The certificates that come with an answer.
fn delegates(mut rest: Reader<'_>) -> Read<Vec<X509>> {
    let mut found = Vec::new();
    if let Some(list) = rest.optional(0xa0)? {
        let mut list = der::only_sequence(list)?;
        while !list.is_empty() && found.len() < DELEGATES {
            let whole = list.value()?.whole;
            found.extend(X509::from_der(whole).ok());
        }
    }
    Ok(found)
}

/// Whether the issuer itself made this certificate for answering in its name (§4.2.2.2).
fn authorised(signer: &X509, issuer: &X509, now: i64) -> Result<(), Why> {
    if signer.issuer_der() != issuer.subject_der() {
        return Err("the answer is by somebody whom the issuer did not authorise".into());
    }
    let signed = der::only_sequence(signer.der())
        .and_then(Signed::read)
        .map_err(|_| "the responder's certificate is not in order")?;
    if !signed.is_by(issuer.public_key()) {
        return Err("the signature of the responder's certificate is wrong".into());
    }
    if !signer.extended_key_usage.iter().any(|usage| usage == OCSP_SIGNING) {
        return Err("the responder's certificate is not for answering (OCSPSigning)".into());
    }
    if signer.usage_flags != 0 && signer.usage_flags & DIGITAL_SIGNATURE == 0 {
        return Err("the responder's certificate is not for signing".into());
    }
    if now < signer.not_before || now > signer.not_after {
        return Err("the responder's certificate is out of its dates".into());
    }
    Ok(())
}

/// ResponseData.
struct Data<'a> {
    /// The tag says whether it is a name (1) or the hash of a key (2).
    responder: der::Value<'a>,
    responses: &'a [u8],
    extensions: Option<&'a [u8]>,
}

/// What is said of one certificate.
struct Single {
    /// The tag of CertStatus.
    status: u8,
    this: i64,
    next: Option<i64>,
}

impl<'a> Data<'a> {
    fn read(content: &'a [u8]) -> Read<Data<'a>> {
        let mut data = Reader::new(content);
        data.optional(0xa0)?;
        let responder = data.value()?;
        time::from_der(data.value()?)?;
        let responses = data.expect(der::SEQUENCE)?;
        let extensions = data.optional(0xa1)?;
        data.finish()?;
        Ok(Data { responder, responses, extensions })
    }

    fn is_responder(&self, signer: &X509) -> bool {
        match self.responder.tag {
            0xa1 => self.responder.content == signer.subject_der(),
            0xa2 => {
                let hash = Reader::new(self.responder.content).expect(der::OCTET_STRING);
                key_bits(signer).is_some_and(|key| hash.is_ok_and(|hash| hash == Hash::Sha1.digest(key)))
            }
            _ => false,
        }
    }

    fn nonce(&self) -> Read<Option<&'a [u8]>> {
        let Some(extensions) = self.extensions else { return Ok(None) };
        let mut list = der::only_sequence(extensions)?;
        while !list.is_empty() {
            let mut extension = list.sequence()?;
            let oid = extension.oid()?;
            extension.optional(der::BOOLEAN)?;
            let value = extension.expect(der::OCTET_STRING)?;
            if oid == NONCE {
                return Ok(Some(Reader::new(value).expect(der::OCTET_STRING)?));
            }
        }
        Ok(None)
    }

    /// The response about this certificate.
    fn single(&self, certificate: &X509, issuer: &X509) -> Read<Option<Single>> {
        let mut list = Reader::new(self.responses);
        while !list.is_empty() {
            let mut single = list.sequence()?;
            let id = single.value()?;
            let status = single.value()?.tag;
            let this = time::from_der(single.value()?)?;
            let next =
                single.optional(0xa0)?.map(|next| Reader::new(next).value().and_then(time::from_der)).transpose()?;
            if is_about(id.content, certificate, issuer)? {
                return Ok(Some(Single { status, this, next }));
            }
        }
        Ok(None)
    }
}

/// Whether a CertID means this certificate, under whatever hash it was made with.
fn is_about(id: &[u8], certificate: &X509, issuer: &X509) -> Read<bool> {
    let mut id = Reader::new(id);
    let Some(hash) = Hash::from_oid(id.sequence()?.oid()?) else { return Ok(false) };
    let (name, key) = (id.expect(der::OCTET_STRING)?, id.expect(der::OCTET_STRING)?);
    let serial = id.expect(der::INTEGER)?;
    Ok(name == hash.digest(issuer.subject_der())
        && key_bits(issuer).is_some_and(|bits| key == hash.digest(bits))
        && der::trim(serial) == der::trim(certificate.serial_der()))
}
