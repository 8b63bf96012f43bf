//! RecipientInfos (RFC 5652 §6.2): the content key for each recipient, by RSA (RFC 3370, OAEP in RFC 3560), ECDH (RFC 5753) or X25519
//! (RFC 8418); written here and read here.

use super::algorithm::{Cipher, Hash};
use super::asn1;
use super::keywrap::{Derivation, Wrap};
use crate::certs::der::{self, OCTET_STRING, Reader, SEQUENCE};
use crate::certs::fault::{Read, broken, unknown, unsupported};
use crate::certs::key::Kind;
use crate::certs::signing::{self, RsaPadding};
use crate::certs::spki::{self, Curve, PublicKey};
use crate::certs::x509::X509;
use crate::error::{Code, Error, Result};

const OAEP: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 7];
const P_SPECIFIED: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 9];

/// The bits of keyUsage as `X509::usage_flags` has them.
const KEY_ENCIPHERMENT: i32 = 0x20;
const KEY_AGREEMENT: i32 = 0x08;

/// How the content key is to be wrapped.
#[derive(Debug, Clone, Copy)]
pub struct Wrapping {
    pub cipher: Cipher,
    pub oaep: Option<(Hash, Hash)>,
    pub use_ski: bool,
}

impl Wrapping {
    fn padding(&self) -> RsaPadding {
        self.oaep.map_or(RsaPadding::Pkcs1, |(hash, mgf)| RsaPadding::Oaep { hash, mgf })
    }
}

/// id-kp-emailProtection and anyExtendedKeyUsage.
const FOR_MAIL: [&str; 2] = ["1.3.6.1.5.5.7.3.4", "2.5.29.37.0"];

/// Whether this certificate can be encrypted to with this cipher, today: error 283 with the reason, else nothing.
pub fn check(certificate: &X509, wrapping: &Wrapping) -> Result<()> {
    let public = certificate.public_key();
    let refuse =
        |why: String| Err(Error::new(Code::Encrypt, format!("the certificate of {} {why}", certificate.subject)));
    let (needed, agreement) = match Kind::of(public) {
        Kind::Rsa if public.oid() == spki::RSA_PSS => return refuse("is for signatures with RSA-PSS only".into()),
        Kind::Rsa => (KEY_ENCIPHERMENT, false),
        Kind::Ec(_) | Kind::X25519 => (KEY_AGREEMENT, true),
        _ if public.oid() == spki::EC => return refuse("has a key on a curve that is not supported".into()),
        _ => return refuse(format!("has a key of the algorithm {}, which does not encrypt", public.algorithm())),
    };
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_secs()) as i64;
    if now > certificate.not_after {
        return refuse("has expired".into());
    }
    if now < certificate.not_before {
        return refuse("is not valid yet".into());
    }
    let usages = &certificate.extended_key_usage;
    if !usages.is_empty() && !usages.iter().any(|usage| FOR_MAIL.contains(&usage.as_str())) {
        return refuse("is not for mail".into());
    }
    // A certificate that names no usage is for every usage.
    if certificate.usage_flags != 0 && certificate.usage_flags & needed == 0 {
        let usage = if agreement { "key agreement" } else { "key encipherment" };
        return refuse(format!("is not for {usage}"));
    }
    if !agreement && public.bits() < 1024 {
        return refuse(format!("has an RSA key of {} bits, which protects nothing", public.bits()));
    }
    let size = wrapping.cipher.row().key;
    if agreement && (size < 16 || !size.is_multiple_of(8)) {
        let name = wrapping.cipher.name();
        return refuse(format!(
            "has a key of the algorithm {}, for which {name} keys cannot be wrapped",
            public.algorithm()
        ));
    }
    Ok(())
}

/// One RecipientInfo, and whether its version is above 0.
pub fn build(certificate: &X509, wrapping: &Wrapping, key: &[u8]) -> Result<(Vec<u8>, bool)> {
    check(certificate, wrapping)?;
    let by_id = wrapping.use_ski && !certificate.subject_key_id().is_empty();
    match Kind::of(certificate.public_key()) {
        Kind::Rsa => {
            let encrypted = signing::rsa_encrypt(certificate.public_key(), wrapping.padding(), key)?;
            Ok((transport(certificate, wrapping, &encrypted, by_id), by_id))
        }
        _ => Ok((agreement(certificate, wrapping, key, by_id)?, true)),
    }
}

/// As long as the one for a content key of this length, and of no use.
pub fn blank(certificate: &X509, wrapping: &Wrapping, key: usize) -> Option<Vec<u8>> {
    let by_id = wrapping.use_ski && !certificate.subject_key_id().is_empty();
    let public = certificate.public_key();
    let point = match Kind::of(public) {
        Kind::Rsa => return Some(transport(certificate, wrapping, &vec![0; public.rsa_numbers()?.0.len()], by_id)),
        Kind::Ec(curve) => 1 + 2 * curve.size(),
        Kind::X25519 => 32,
        _ => return None,
    };
    let (derivation, wrap) = chosen(Kind::of(public), wrapping.cipher, key);
    let wrapped = vec![0; key + 8];
    let originator = (public.oid(), &vec![0; point][..]);
    Some(agreement_info(certificate, by_id, originator, (derivation, wrap), &wrapped))
}

fn issuer_and_serial(certificate: &X509) -> Vec<u8> {
    let serial = der::wrap(der::INTEGER, &[certificate.serial_der()]);
    der::wrap(SEQUENCE, &[certificate.issuer_der(), &serial])
}

/// KeyTransRecipientInfo.
fn transport(certificate: &X509, wrapping: &Wrapping, encrypted: &[u8], by_id: bool) -> Vec<u8> {
    let algorithm = match wrapping.oaep {
        None => asn1::algorithm(spki::RSA, &asn1::null()),
        Some((hash, mgf)) => asn1::algorithm(OAEP, &oaep(hash, mgf)),
    };
    let identifier =
        if by_id { der::wrap(0x80, &[certificate.subject_key_id()]) } else { issuer_and_serial(certificate) };
    let version = der::integer(&[if by_id { 2 } else { 0 }]);
    der::wrap(SEQUENCE, &[&version, &identifier, &algorithm, &der::wrap(OCTET_STRING, &[encrypted])])
}

/// RSAES-OAEP-params (RFC 4055 §4.1) without what is SHA-1, the default.
fn oaep(hash: Hash, mgf: Hash) -> Vec<u8> {
    let digest = |hash: Hash| asn1::algorithm(hash.oid(), &asn1::null());
    let mut parts = Vec::new();
    if hash != Hash::Sha1 {
        parts.push(der::wrap(0xa0, &[&digest(hash)]));
    }
    if mgf != Hash::Sha1 {
        parts.push(der::wrap(0xa1, &[&asn1::algorithm(asn1::MGF1, &digest(mgf))]));
    }
    der::wrap(SEQUENCE, &[&parts.concat()])
}

/// How a content key of this length is wrapped for a key of this kind.
fn chosen(peer: Kind, cipher: Cipher, key: usize) -> (Derivation, Wrap) {
    let derivation = match peer {
        Kind::Ec(Curve::P256) => Derivation::X963(Hash::Sha256),
        Kind::Ec(Curve::P384) => Derivation::X963(Hash::Sha384),
        Kind::Ec(Curve::P521) => Derivation::X963(Hash::Sha512),
        _ => Derivation::Hkdf(Hash::Sha256),
    };
    // As strong as the key that it carries; Triple DES is worth 112 bits.
    let wrap = match (cipher, key) {
        (Cipher::TripleDes, _) | (_, ..=16) => Wrap::Aes(16),
        (_, 17..=24) => Wrap::Aes(24),
        _ => Wrap::Aes(32),
    };
    (derivation, wrap)
}

/// KeyAgreeRecipientInfo with an ephemeral key.
fn agreement(certificate: &X509, wrapping: &Wrapping, key: &[u8], by_id: bool) -> Result<Vec<u8>> {
    let failed = || Error::new(Code::Encrypt, "the content key could not be wrapped");
    let peer = certificate.public_key();
    let (derivation, wrap) = chosen(Kind::of(peer), wrapping.cipher, key.len());
    let (point, secret) = signing::agree_once(peer).map_err(|e| Error::new(Code::Encrypt, e.into_message()))?;
    let kek = derivation.derive(&secret, wrap, &wrap.algorithm(), None).ok_or_else(failed)?;
    let wrapped = wrap.wrap(&kek, key).ok_or_else(failed)?;
    let originator = (point.oid(), point.raw().ok_or_else(failed)?);
    Ok(agreement_info(certificate, by_id, originator, (derivation, wrap), &wrapped))
}

fn agreement_info(
    certificate: &X509,
    by_id: bool,
    (oid, point): (&[u8], &[u8]),
    (derivation, wrap): (Derivation, Wrap),
    wrapped: &[u8],
) -> Vec<u8> {
    // The curve is the recipient's: the parameters are left out (RFC 5753 §3.1.1).
    let originator = der::wrap(0xa1, &[&asn1::algorithm(oid, &[]), &der::bit_string(point)]);
    let identifier = if by_id {
        der::wrap(0xa0, &[&der::wrap(OCTET_STRING, &[certificate.subject_key_id()])])
    } else {
        issuer_and_serial(certificate)
    };
    let encrypted = der::wrap(SEQUENCE, &[&identifier, &der::wrap(OCTET_STRING, &[wrapped])]);
    der::wrap(
        0xa1,
        &[
            &der::integer(&[3]),
            &der::wrap(0xa0, &[&originator]),
            &asn1::algorithm(&derivation.oid(), &wrap.algorithm()),
            &der::wrap(SEQUENCE, &[&encrypted]),
        ],
    )
}

/// Whom a RecipientInfo is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identifier<'a> {
    IssuerAndSerial { issuer: &'a [u8], serial: &'a [u8] },
    KeyId(&'a [u8]),
}

impl Identifier<'_> {
    pub fn is(&self, certificate: &X509) -> bool {
        match self {
            Identifier::IssuerAndSerial { issuer, serial } => {
                *issuer == certificate.issuer_der() && *serial == certificate.serial_der()
            }
            Identifier::KeyId(id) if !certificate.subject_key_id().is_empty() => *id == certificate.subject_key_id(),
            // The usual one of a certificate that does not say it (RFC 5280 §4.2.1.2).
            Identifier::KeyId(id) => certificate.public_key().raw().is_some_and(|key| Hash::Sha1.digest(key) == **id),
        }
    }

    fn issuer_and_serial(content: &[u8]) -> Read<Identifier<'_>> {
        let mut both = Reader::new(content);
        let issuer = both.value()?.whole;
        Ok(Identifier::IssuerAndSerial { issuer, serial: both.expect(der::INTEGER)? })
    }

    /// SignerIdentifier and the like: issuer and serial number, or `[0]` with the key's identifier.
    pub fn read<'a>(reader: &mut Reader<'a>) -> Read<Identifier<'a>> {
        match reader.optional(0x80)? {
            Some(id) => Ok(Identifier::KeyId(id)),
            None => Identifier::issuer_and_serial(reader.expect(SEQUENCE)?),
        }
    }
}

/// A content key that one of the recipients can get at.
pub struct Sealed<'a> {
    pub identifier: Identifier<'a>,
    pub lock: Lock<'a>,
    pub key: &'a [u8],
}

pub enum Lock<'a> {
    Rsa(RsaPadding),
    Agreement {
        originator: PublicKey,
        derivation: Derivation,
        wrap: Wrap,
        /// As it stands in the message.
        algorithm: &'a [u8],
        material: Option<&'a [u8]>,
    },
}

/// More recipients than any message has.
const MOST: usize = 10_000;

/// The sealed keys of a SET OF RecipientInfo (its content) that `wanted` asks for. Kinds that are not read here (passwords, shared
/// keys) are passed over.
pub fn read<'a>(
    infos: &'a [u8],
    wanted: &dyn Fn(&Identifier<'_>) -> bool,
    curve: &dyn Fn(&Identifier<'_>) -> Option<Curve>,
) -> Read<Vec<Sealed<'a>>> {
    let mut found = Vec::new();
    let mut reader = Reader::new(infos);
    let mut count = 0;
    while !reader.is_empty() {
        count += 1;
        if count > MOST {
            return broken("more recipients than a message has");
        }
        let value = reader.value()?;
        match value.tag {
            SEQUENCE => {
                let mut info = Reader::new(value.content);
                info.small()?;
                let identifier = Identifier::read(&mut info)?;
                if wanted(&identifier) {
                    let padding = padding(info.sequence()?)?;
                    found.push(Sealed { identifier, lock: Lock::Rsa(padding), key: info.expect(OCTET_STRING)? });
                }
            }
            0xa1 => read_agreement(value.content, wanted, curve, &mut found)?,
            _ => {}
        }
    }
    Ok(found)
}

fn padding(mut algorithm: Reader<'_>) -> Read<RsaPadding> {
    match algorithm.oid()? {
        spki::RSA => Ok(RsaPadding::Pkcs1),
        OAEP => {
            let (mut hash, mut mgf) = (Hash::Sha1, Hash::Sha1);
            if let Some(parameters) = algorithm.optional(SEQUENCE)? {
                let mut parameters = Reader::new(parameters);
                if let Some(named) = parameters.optional(0xa0)? {
                    hash = digest(Reader::new(named).sequence()?)?;
                }
                if let Some(named) = parameters.optional(0xa1)? {
                    mgf = mgf1(Reader::new(named).sequence()?)?;
                }
                if let Some(source) = parameters.optional(0xa2)? {
                    let mut source = Reader::new(source).sequence()?;
                    if source.oid()? != P_SPECIFIED || !source.expect(OCTET_STRING)?.is_empty() {
                        return unsupported("OAEP with a label");
                    }
                }
            }
            Ok(RsaPadding::Oaep { hash, mgf })
        }
        other => unknown("key transport with", other),
    }
}

/// A digest's AlgorithmIdentifier.
pub fn digest(mut algorithm: Reader<'_>) -> Read<Hash> {
    let oid = algorithm.oid()?;
    match Hash::from_oid(oid) {
        Some(hash) => Ok(hash),
        None => unknown("the hash", oid),
    }
}

/// The digest in an AlgorithmIdentifier of MGF1.
pub fn mgf1(mut algorithm: Reader<'_>) -> Read<Hash> {
    let oid = algorithm.oid()?;
    if oid != asn1::MGF1 {
        return unknown("the mask generation", oid);
    }
    digest(algorithm.sequence()?)
}

fn read_agreement<'a>(
    content: &'a [u8],
    wanted: &dyn Fn(&Identifier<'_>) -> bool,
    curve: &dyn Fn(&Identifier<'_>) -> Option<Curve>,
    found: &mut Vec<Sealed<'a>>,
) -> Read<()> {
    let mut info = Reader::new(content);
    info.small()?;
    let originator = info.expect(0xa0)?;
    let material = match info.optional(0xa1)? {
        Some(inner) => Some(Reader::new(inner).expect(OCTET_STRING)?),
        None => None,
    };
    let mut algorithm = info.sequence()?;
    let scheme = algorithm.oid()?;
    let wrap_algorithm = algorithm.value()?;
    let mut keys = info.sequence()?;
    while !keys.is_empty() && found.len() < MOST {
        let mut one = keys.sequence()?;
        let identifier = match one.optional(0xa0)? {
            Some(id) => Identifier::KeyId(Reader::new(id).expect(OCTET_STRING)?),
            None => Identifier::issuer_and_serial(one.expect(SEQUENCE)?)?,
        };
        let key = one.expect(OCTET_STRING)?;
        if !wanted(&identifier) {
            continue;
        }
        let wrap = Reader::new(wrap_algorithm.content).oid()?;
        let (Some(derivation), Some(wrap)) = (Derivation::from_oid(scheme), Wrap::from_oid(wrap)) else {
            return unsupported(format!("key agreement with {} and {}", der::dotted(scheme), der::dotted(wrap)));
        };
        let originator = originator_key(originator, curve(&identifier))?;
        let lock = Lock::Agreement { originator, derivation, wrap, algorithm: wrap_algorithm.whole, material };
        found.push(Sealed { identifier, lock, key });
    }
    Ok(())
}

/// OriginatorPublicKey as a public key; the curve that it leaves out is the recipient's.
fn originator_key(originator: &[u8], curve: Option<Curve>) -> Read<PublicKey> {
    let mut reader = Reader::new(originator);
    let Some(key) = reader.optional(0xa1)? else {
        return unsupported("key agreement with a key of the sender's certificate");
    };
    let mut key = Reader::new(key);
    let mut algorithm = key.sequence()?;
    let octets = key.bits()?;
    match (algorithm.oid()?, curve) {
        (spki::EC, Some(curve)) => match spki::uncompressed(curve, octets) {
            Some(point) => PublicKey::ec(curve, &point),
            None => broken("a key of the sender that is no point of the recipient's curve"),
        },
        (spki::X25519, _) => PublicKey::plain(spki::X25519, octets),
        _ => broken("a key of the sender that is not on the recipient's curve"),
    }
}
