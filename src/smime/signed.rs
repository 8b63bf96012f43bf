//! Making SignedData (RFC 5652 §5): detached for multipart/signed, or with the content in it, streaming. Schemes per RFC 3370, 4056
//! (PSS), 5753 (ECDSA), 5754 (SHA-2) and 8419 (Ed25519). No signature leaves that the certificate in it does not verify.

use super::algorithm::Hash;
use super::asn1::{self, DATA, Frame, Layout, SIGNED_DATA};
use super::chain::SIGNS;
use super::{Transform, attributes};
use crate::certs::der::{self, OCTET_STRING, SEQUENCE, SET};
use crate::certs::key::{Kind, PrivateKey};
use crate::certs::signing::{self, Scheme, hash::Hasher};
use crate::certs::spki;
use crate::certs::x509::X509;
use crate::error::{Code, Error, Result};
use ring::rand::SecureRandom;
use std::sync::Arc;

/// Who signs and how.
#[derive(Debug, Clone)]
pub struct SignSpec {
    pub key: Arc<PrivateKey>,
    pub certificate: Arc<X509>,
    /// What goes along: the signer's certificate, its issuers; may be empty.
    pub certificates: Vec<Arc<X509>>,
    pub hash: Hash,
    /// RSASSA-PSS instead of PKCS #1 v1.5; other keys do not care.
    pub pss: bool,
    /// Seconds since 1970.
    pub time: i64,
}

impl SignSpec {
    /// The hash that is used: Ed25519 goes with SHA-512 alone (RFC 8419 §3.1).
    pub fn effective_hash(&self) -> Hash {
        if self.key.kind() == Kind::Ed25519 { Hash::Sha512 } else { self.hash }
    }

    /// For the `micalg` of multipart/signed.
    pub fn micalg(&self) -> &'static str {
        super::micalg(self.effective_hash())
    }

    /// Whether key, certificate and hash go together: what can be known before there is content.
    pub fn check(&self) -> Result<()> {
        self.scheme().map(drop)
    }

    fn scheme(&self) -> Result<Scheme> {
        if !self.key.belongs_to(&self.certificate) {
            return Err(Error::new(Code::Credentials, "the private key does not belong to the signer's certificate"));
        }
        let certificate = &self.certificate;
        if certificate.usage_flags != 0 && certificate.usage_flags & SIGNS == 0 {
            let why = format!("the certificate of {} is not for signatures", certificate.subject);
            return Err(Error::new(Code::Encrypt, why));
        }
        let hash = self.hash;
        if let Some(only) = certificate.public_key().pss_hash()
            && only != hash
        {
            let why = format!("the key of {} signs with {} alone", certificate.subject, only.name());
            return Err(Error::new(Code::Encrypt, why));
        }
        let unfit = |what: &str| Err(Error::new(Code::Encrypt, format!("{what} does not sign with {}", hash.name())));
        let scheme = match self.key.kind() {
            // A certificate for PSS alone allows nothing else.
            Kind::Rsa if self.pss || certificate.public_key().oid() == spki::RSA_PSS => Scheme::RsaPss(hash),
            Kind::Rsa => Scheme::RsaPkcs1(hash),
            Kind::Ec(_) if hash == Hash::Md5 => return unfit("ECDSA"),
            Kind::Ec(_) => Scheme::Ecdsa(hash),
            Kind::Dsa if hash == Hash::Md5 => return unfit("DSA"),
            Kind::Dsa => Scheme::Dsa(hash),
            Kind::Ed25519 => Scheme::Ed25519,
            _ => {
                let name = self.key.public_key().algorithm();
                return Err(Error::new(Code::Encrypt, format!("a key of the algorithm {name} does not sign messages")));
            }
        };
        Ok(scheme)
    }
}

/// The digest's AlgorithmIdentifier: without parameters for SHA-2 (RFC 5754 §2), NULL for MD5 and, as everybody writes it, SHA-1.
fn digest_algorithm(hash: Hash) -> Vec<u8> {
    match hash {
        Hash::Md5 | Hash::Sha1 => asn1::algorithm(hash.oid(), &asn1::null()),
        _ => asn1::algorithm(hash.oid(), &[]),
    }
}

/// The AlgorithmIdentifier of a signature.
fn signature_algorithm(scheme: Scheme) -> Vec<u8> {
    let last = |hash: Hash| match hash {
        Hash::Sha224 => 1,
        Hash::Sha256 => 2,
        Hash::Sha384 => 3,
        _ => 4,
    };
    match scheme {
        Scheme::RsaPkcs1(_) => asn1::algorithm(spki::RSA, &asn1::null()),
        Scheme::RsaPss(hash) => asn1::algorithm(spki::RSA_PSS, &pss(hash)),
        Scheme::Ecdsa(Hash::Sha1) => asn1::algorithm(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1], &[]),
        Scheme::Ecdsa(hash) => asn1::algorithm(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, last(hash)], &[]),
        Scheme::Dsa(Hash::Sha1) => asn1::algorithm(&[0x2a, 0x86, 0x48, 0xce, 0x38, 4, 3], &[]),
        Scheme::Dsa(hash) => asn1::algorithm(&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, last(hash)], &[]),
        Scheme::Ed25519 => asn1::algorithm(spki::ED25519, &[]),
        Scheme::Ed448 => asn1::algorithm(spki::ED448, &[]),
    }
}

/// RSASSA-PSS-params (RFC 4055 §3.1): the defaults, which are SHA-1's, are left out.
fn pss(hash: Hash) -> Vec<u8> {
    if hash == Hash::Sha1 {
        return der::wrap(SEQUENCE, &[]);
    }
    let digest = asn1::algorithm(hash.oid(), &asn1::null());
    der::wrap(
        SEQUENCE,
        &[
            &der::wrap(0xa0, &[&digest]),
            &der::wrap(0xa1, &[&asn1::algorithm(asn1::MGF1, &digest)]),
            &der::wrap(0xa2, &[&der::integer(&[hash.len() as u8])]),
        ],
    )
}

/// How often a signature whose length varies is made anew until it has the length that was promised. It has it every second time.
const TRIES: usize = 128;

/// Signs a digest; what both forms share.
struct Signatory {
    spec: SignSpec,
    scheme: Scheme,
    hash: Hash,
    hasher: Hasher,
    /// The length that the signature must have.
    promised: Option<usize>,
}

impl Signatory {
    /// `fixed`: the length of everything must be known beforehand.
    fn new(spec: &SignSpec, fixed: bool) -> Result<Signatory> {
        let scheme = spec.scheme()?;
        let hash = spec.effective_hash();
        let promised = if fixed { usual_length(spec) } else { None };
        Ok(Signatory { spec: spec.clone(), scheme, hash, hasher: hash.hasher(), promised })
    }

    /// Whether signatures of this key differ in length.
    fn varies(&self) -> bool {
        matches!(self.scheme, Scheme::Ecdsa(_) | Scheme::Dsa(_))
    }

    fn signer_info(&self, digest: &[u8]) -> Result<Vec<u8>> {
        let public = self.spec.certificate.public_key();
        for _ in 0..TRIES {
            let identifier = self.identifier()?;
            let attributes = attributes::build(digest, self.spec.time, identifier.as_ref().map(|i| &i[..]));
            let message = der::wrap(SET, &[&attributes]);
            let signature = self.spec.key.sign(self.scheme, &message)?;
            if self.varies() && self.promised.is_some_and(|length| length != signature.len()) {
                continue;
            }
            if !signing::verify(public, self.scheme, &message, &signature) {
                return Err(Error::new(
                    Code::Encrypt,
                    "the signature that the key made is not valid under the signer's certificate",
                ));
            }
            return Ok(self.info_of(&attributes, &signature));
        }
        Err(Error::new(Code::Encrypt, "the key makes no signature of the usual length"))
    }

    /// Where the length of a signature varies and must not, something of no meaning has to differ from try to try: there are keys that
    /// sign the same message always the same (RFC 6979).
    fn identifier(&self) -> Result<Option<[u8; 16]>> {
        if !self.varies() || self.promised.is_none() {
            return Ok(None);
        }
        let mut octets = [0; 16];
        ring::rand::SystemRandom::new()
            .fill(&mut octets)
            .map_err(|_| Error::new(Code::Encrypt, "the system has no random octets"))?;
        Ok(Some(octets))
    }

    fn info_of(&self, attributes: &[u8], signature: &[u8]) -> Vec<u8> {
        let certificate = &self.spec.certificate;
        let serial = der::wrap(der::INTEGER, &[certificate.serial_der()]);
        der::wrap(
            SEQUENCE,
            &[
                &der::integer(&[1]),
                &der::wrap(SEQUENCE, &[certificate.issuer_der(), &serial]),
                &digest_algorithm(self.hash),
                &der::wrap(0xa0, &[attributes]),
                &signature_algorithm(self.scheme),
                &der::wrap(OCTET_STRING, &[signature]),
            ],
        )
    }

    /// The octets of the SignerInfo, known before there is a digest.
    fn info_length(&self) -> Option<usize> {
        let identifier = self.varies().then_some([0u8; 16]);
        let attributes = attributes::build(
            &vec![0; self.hash.len()],
            self.spec.time,
            identifier.as_ref().filter(|_| self.promised.is_some()).map(|i| &i[..]),
        );
        let length = if self.varies() { self.promised? } else { usual_length(&self.spec)? };
        Some(self.info_of(&attributes, &vec![0; length]).len())
    }

    /// What stands before the content: version 1 (RFC 5652 §5.1) and the digest.
    fn before(&self) -> Vec<u8> {
        [der::integer(&[1]), der::wrap(SET, &[&digest_algorithm(self.hash)])].concat()
    }

    fn certificates(&self) -> Vec<u8> {
        let all = asn1::set(self.spec.certificates.iter().map(|c| c.der().to_vec()).collect());
        if all.is_empty() { all } else { der::wrap(0xa0, &[&all]) }
    }

    /// What stands behind the content.
    fn after(&self, digest: &[u8]) -> Result<Vec<u8>> {
        let info = self.signer_info(digest)?;
        Ok([self.certificates(), der::wrap(SET, &[&info])].concat())
    }
}

/// The length of this key's signatures. For ECDSA and DSA it is that of the most frequent ones; none where the key lives elsewhere, for
/// it is not asked more often than needed.
fn usual_length(spec: &SignSpec) -> Option<usize> {
    let public = spec.certificate.public_key();
    let pair = |number: u64| asn1::size(asn1::size(number) * 2) as usize;
    match spec.key.kind() {
        Kind::Rsa => Some(public.rsa_numbers()?.0.len()),
        Kind::Ed25519 => Some(64),
        _ if spec.key.pkcs8().is_none() => None,
        // One number has its highest bit set and the other has not; the order of P-521 begins with bits that are never set.
        Kind::Ec(curve) => Some(pair(curve.size() as u64) + usize::from(curve.size() != 66)),
        Kind::Dsa => Some(pair(public.dsa_numbers()?[1].len() as u64) + 1),
        _ => None,
    }
}

/// A signature beside its content.
pub struct Detached {
    signatory: Signatory,
    fixed: bool,
}

impl Detached {
    pub fn new(spec: &SignSpec) -> Result<Detached> {
        Ok(Detached { signatory: Signatory::new(spec, false)?, fixed: false })
    }

    /// With a length that is known beforehand, see `length`. A key that lives elsewhere and signs with ECDSA cannot promise it.
    pub fn fixed(spec: &SignSpec) -> Result<Detached> {
        Ok(Detached { signatory: Signatory::new(spec, true)?, fixed: true })
    }

    /// What `finish` will give.
    pub fn length(&self) -> Option<u64> {
        if !self.fixed {
            return None;
        }
        let after = self.signatory.certificates().len() as u64 + asn1::size(self.signatory.info_length()? as u64);
        let data = self.signatory.before().len() as u64 + DETACHED.len() as u64 + after;
        Some(asn1::size(asn1::oid(SIGNED_DATA).len() as u64 + asn1::size(asn1::size(data))))
    }

    /// The content, in canonical form, piece by piece.
    pub fn update(&mut self, content: &[u8]) {
        self.signatory.hasher.update(content);
    }

    pub fn finish(self) -> Result<Vec<u8>> {
        let digest = self.signatory.hasher.clone().finish();
        let after = self.signatory.after(&digest)?;
        let data = der::wrap(SEQUENCE, &[&self.signatory.before(), DETACHED, &after]);
        Ok(der::wrap(SEQUENCE, &[&asn1::oid(SIGNED_DATA), &der::wrap(0xa0, &[&data])]))
    }
}

/// EncapsulatedContentInfo without content.
const DETACHED: &[u8] = &[0x30, 11, 0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1];

/// A signature around its content.
pub struct Opaque {
    signatory: Signatory,
    frame: Frame,
    content: Option<u64>,
    seen: u64,
}

impl Opaque {
    /// With definite lengths when the content's is known, and the signature's can be.
    pub fn new(spec: &SignSpec, content: Option<u64>) -> Result<Opaque> {
        let signatory = Signatory::new(spec, content.is_some())?;
        let before = signatory.before();
        let beside = asn1::oid(DATA);
        let layout = Layout { kind: SIGNED_DATA, before: &before, beside: &beside, explicit: true };
        let frame = match (content, signatory.info_length()) {
            (Some(content), Some(info)) => {
                let after = signatory.certificates().len() as u64 + asn1::size(info as u64);
                Frame::definite(&layout, content, after)
            }
            _ => Frame::indefinite(&layout),
        };
        Ok(Opaque { signatory, frame, content, seen: 0 })
    }
}

impl Transform for Opaque {
    fn update(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<()> {
        self.seen += input.len() as u64;
        check_length(self.content, self.seen, false)?;
        self.frame.start(out);
        self.signatory.hasher.update(input);
        self.frame.piece(input, out);
        Ok(())
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<()> {
        check_length(self.content, self.seen, true)?;
        let digest = self.signatory.hasher.clone().finish();
        let after = self.signatory.after(&digest)?;
        self.frame.start(out);
        self.frame.end(&after, out);
        Ok(())
    }

    fn total(&self) -> Option<u64> {
        self.frame.total()
    }
}

/// The lengths at the front are written before the content is seen; content of another length cannot be sent.
pub(super) fn check_length(told: Option<u64>, seen: u64, whole: bool) -> Result<()> {
    match told {
        Some(told) if seen > told || (whole && seen != told) => {
            Err(Error::new(Code::Encrypt, format!("the content changed its length: {told} octets were announced")))
        }
        _ => Ok(()),
    }
}
