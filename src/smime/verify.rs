//! Checking SignedData (RFC 5652 §5.4 to 5.6): every signature, the digest, the content type, and on request the chain to a root.

use super::algorithm::{Cipher, Hash};
use super::asn1::{DATA, SIGNED_DATA};
use super::recipient::{self, Identifier};
use super::{attributes, chain};
use crate::certs::ber;
use crate::certs::der::{self, OCTET_STRING, Reader, SEQUENCE, SET};
use crate::certs::fault::{Fault, Read, broken, unknown, unsupported};
use crate::certs::signing::{self, Scheme};
use crate::certs::spki::{self, PublicKey};
use crate::certs::x509::X509;
use crate::error::{Code, Error, Result};
use std::sync::Arc;

/// What a signature is checked against.
#[derive(Debug, Clone, Copy, Default)]
pub struct Detail<'a> {
    /// The content of a detached signature, in canonical form.
    pub content: Option<&'a [u8]>,
    /// Certificates that the message may leave out.
    pub certificates: &'a [Arc<X509>],
    /// Whom to trust; without any, chains are not looked at.
    pub roots: &'a [Arc<X509>],
    /// Seconds since 1970 at which chains must be valid.
    pub time: i64,
}

/// A message whose signatures are all valid.
#[derive(Debug)]
pub struct Verified {
    /// The content, where it was in the signature.
    pub content: Option<Vec<u8>>,
    pub signers: Vec<Signer>,
    /// The certificates that came along.
    pub certificates: Vec<Arc<X509>>,
}

/// Who signed.
#[derive(Debug)]
pub struct Signer {
    pub certificate: Arc<X509>,
    pub hash: Hash,
    pub scheme: Scheme,
    /// When, as the signer says; seconds since 1970.
    pub time: Option<i64>,
    /// The ciphers that the signer reads, the preferred first.
    pub capabilities: Vec<Cipher>,
    /// Whether the chain ends at one of the roots; none when there were none. The text says why not.
    pub trusted: Option<std::result::Result<(), String>>,
}

/// More signatures and certificates than a message has.
const MOST_SIGNERS: usize = 32;
const MOST_CERTIFICATES: usize = 1000;
/// Certificates that bear the same name, of which one has the signer's key.
const NAMESAKES: usize = 4;

/// Checks every signature of a message, DER or BER. The first that is not valid is the error (284).
pub fn verify(cms: &[u8], detail: &Detail<'_>) -> Result<Verified> {
    let failed = |fault: Box<Fault>| {
        let why = match *fault {
            Fault::Broken(why) => format!("the signature is not valid: {why}"),
            Fault::Unsupported(what) => format!("the signature cannot be checked: {what} is not supported"),
            _ => "the signature is not valid".to_owned(),
        };
        Error::new(Code::Decrypt, why)
    };
    let der = ber::to_der(cms).map_err(failed)?;
    check(&der, detail).map_err(failed)
}

/// What kind of ContentInfo a message begins as, whatever else is wrong with it.
pub(super) fn kind_of(cms: &[u8]) -> Option<&[u8]> {
    let inner = match cms {
        [SEQUENCE, 0x80, rest @ ..] => rest,
        [SEQUENCE, ..] => &cms[der::header(cms).ok()?.0..],
        _ => return None,
    };
    Reader::new(inner).oid().ok()
}

fn check(der: &[u8], detail: &Detail<'_>) -> Read<Verified> {
    let mut info = der::only_sequence(der)?;
    let kind = info.oid()?;
    if kind != SIGNED_DATA {
        return unknown("the content type", kind);
    }
    let mut data = Reader::new(info.expect(0xa0)?).sequence()?;
    data.small()?;
    data.expect(SET)?;
    let mut inner = data.sequence()?;
    let content_type = inner.oid()?;
    let inside = match inner.optional(0xa0)? {
        Some(octets) => Some(Reader::new(octets).expect(OCTET_STRING)?),
        None => None,
    };
    let content = match (inside, detail.content) {
        (Some(inside), Some(beside)) if inside != beside => return broken("it is of another content"),
        (Some(content), _) | (None, Some(content)) => content,
        (None, None) => return broken("the content that belongs to it is missing"),
    };
    let certificates = match data.optional(0xa0)? {
        Some(set) => read_certificates(set)?,
        None => Vec::new(),
    };
    data.optional(0xa1)?;
    let mut infos = Reader::new(data.expect(SET)?);
    let mut signers = Vec::new();
    while !infos.is_empty() {
        if signers.len() == MOST_SIGNERS {
            return broken("more signatures than a message has");
        }
        let mut signer = check_signer(infos.sequence()?, content_type, content, &certificates, detail)?;
        if !detail.roots.is_empty() {
            let known: Vec<&X509> = certificates.iter().chain(detail.certificates).map(|c| &**c).collect();
            signer.trusted = Some(chain::check(&signer.certificate, &known, detail.roots, detail.time));
        }
        signers.push(signer);
    }
    if signers.is_empty() {
        return broken("nobody signed");
    }
    Ok(Verified { content: inside.map(<[u8]>::to_vec), signers, certificates })
}

/// The X.509 certificates of a CertificateSet; one that cannot be read need not be a signer's.
fn read_certificates(set: &[u8]) -> Read<Vec<Arc<X509>>> {
    let mut reader = Reader::new(set);
    let mut found = Vec::new();
    while !reader.is_empty() {
        if found.len() == MOST_CERTIFICATES {
            return broken("more certificates than a message has");
        }
        let value = reader.value()?;
        if value.tag == SEQUENCE
            && let Ok(certificate) = X509::from_der(value.whole)
        {
            found.push(Arc::new(certificate));
        }
    }
    Ok(found)
}

fn check_signer(
    mut info: Reader<'_>,
    content_type: &[u8],
    content: &[u8],
    certificates: &[Arc<X509>],
    detail: &Detail<'_>,
) -> Read<Signer> {
    info.small()?;
    let identifier = Identifier::read(&mut info)?;
    let hash = recipient::digest(info.sequence()?)?;
    let signed = info.optional(0xa0)?;
    let algorithm = info.sequence()?;
    let signature = info.expect(OCTET_STRING)?;
    let mut found = attributes::Found::default();
    let set;
    let message = match signed {
        Some(signed) => {
            found = attributes::read(signed)?;
            if found.content_type != Some(content_type) {
                return broken("the signed content type is another one");
            }
            if found.digest.is_none_or(|told| told != hash.digest(content)) {
                return broken("the content was changed");
            }
            // They are signed as the SET OF that they are, not under the tag they stand with (§5.4).
            set = der::wrap(SET, &[signed]);
            &set[..]
        }
        // Attributes may only be left out where the content is plain data (§5.3).
        None if content_type != DATA => return broken("signed attributes are missing"),
        None if attributes::are(content) => return broken("it is one over attributes, not over this content"),
        None => content,
    };
    let mut refused = broken("the signer's certificate is missing");
    let named = certificates.iter().chain(detail.certificates).filter(|certificate| identifier.is(certificate));
    for certificate in named.take(NAMESAKES) {
        let public = certificate.public_key();
        let way = match way(algorithm, hash, public) {
            Ok(way) => way,
            Err(fault) => {
                refused = Err(fault);
                continue;
            }
        };
        if way.verify(public, message, signature) {
            return Ok(Signer {
                certificate: certificate.clone(),
                hash,
                scheme: way.scheme,
                time: found.time,
                capabilities: found.capabilities,
                trusted: None,
            });
        }
        refused = broken("it does not belong to the signer's key and this content");
    }
    refused
}

/// A scheme, and the length of PSS's salt.
struct Way {
    scheme: Scheme,
    salt: usize,
}

impl Way {
    fn verify(&self, public: &PublicKey, message: &[u8], signature: &[u8]) -> bool {
        match self.scheme {
            Scheme::RsaPss(hash) if self.salt != hash.len() => {
                pss_with_salt(public, hash, self.salt, message, signature)
            }
            scheme => signing::verify(public, scheme, message, signature),
        }
    }
}

/// The way of a SignatureAlgorithmIdentifier. Where it names a digest, that is the SignerInfo's own.
fn way(mut algorithm: Reader<'_>, hash: Hash, public: &PublicKey) -> Read<Way> {
    const PKCS1: [u8; 8] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1];
    const SHA2: [Hash; 4] = [Hash::Sha224, Hash::Sha256, Hash::Sha384, Hash::Sha512];
    let oid = algorithm.oid()?;
    let mut salt = hash.len();
    let (scheme, named) = match oid {
        spki::RSA => (Scheme::RsaPkcs1(hash), hash),
        spki::RSA_PSS => {
            let mut parameters = algorithm.sequence()?;
            let (mut digest, mut mask) = (Hash::Sha1, Hash::Sha1);
            salt = 20;
            if let Some(named) = parameters.optional(0xa0)? {
                digest = recipient::digest(Reader::new(named).sequence()?)?;
            }
            if let Some(named) = parameters.optional(0xa1)? {
                mask = recipient::mgf1(Reader::new(named).sequence()?)?;
            }
            if let Some(length) = parameters.optional(0xa2)? {
                salt = Reader::new(length).small()? as usize;
            }
            if mask != digest {
                return unsupported("RSA-PSS with two hashes");
            }
            (Scheme::RsaPss(digest), digest)
        }
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1] => (Scheme::Ecdsa(Hash::Sha1), Hash::Sha1),
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, n @ 1..=4] => {
            let named = SHA2[usize::from(n - 1)];
            (Scheme::Ecdsa(named), named)
        }
        [0x2a, 0x86, 0x48, 0xce, 0x38, 4, 1 | 3] => (Scheme::Dsa(hash), hash),
        [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, n @ 1..=4] => {
            let named = SHA2[usize::from(n - 1)];
            (Scheme::Dsa(named), named)
        }
        spki::ED25519 => (Scheme::Ed25519, hash),
        _ => match oid.strip_prefix(&PKCS1) {
            Some([4]) => (Scheme::RsaPkcs1(Hash::Md5), Hash::Md5),
            Some([5]) => (Scheme::RsaPkcs1(Hash::Sha1), Hash::Sha1),
            Some([n @ 11..=13]) => {
                let named = SHA2[usize::from(n - 10)];
                (Scheme::RsaPkcs1(named), named)
            }
            Some([14]) => (Scheme::RsaPkcs1(Hash::Sha224), Hash::Sha224),
            _ => return unknown("the signature algorithm", oid),
        },
    };
    if named != hash {
        return broken("digest and signature name different hashes");
    }
    // A key for PSS alone signs with nothing else.
    if public.oid() == spki::RSA_PSS && !matches!(scheme, Scheme::RsaPss(_)) {
        return broken("the signer's key is for RSA-PSS alone");
    }
    Ok(Way { scheme, salt })
}

/// PSS with a salt of another length than the hash, as OpenSSL makes it unless told otherwise.
fn pss_with_salt(public: &PublicKey, hash: Hash, salt: usize, message: &[u8], signature: &[u8]) -> bool {
    use rsa::traits::SignatureScheme;
    use rsa::{BigUint, RsaPublicKey};
    let Some((n, e)) = public.rsa_numbers() else { return false };
    if salt > n.len() {
        return false;
    }
    let numbers = (BigUint::from_bytes_be(n), BigUint::from_bytes_be(e));
    let Ok(key) = RsaPublicKey::new_with_max_size(numbers.0, numbers.1, crate::certs::key::RSA_OCTETS * 8) else {
        return false;
    };
    let scheme = signing::pss_with_salt(hash, salt);
    scheme.verify(&key, &hash.digest(message), signature).is_ok()
}
