//! A private key that stays on its token: signatures, RSA decryption and ECDH by PKCS #11 (OASIS, version 2.40 §2).

use super::Token;
use crate::certs::der;
use crate::certs::key::Kind;
use crate::certs::signing::{self, Hash, Holder, RsaPadding, Scheme};
use crate::certs::spki::PublicKey;
use crate::error::{Code, Error, Result};
use cryptoki::mechanism::eddsa::{EddsaParams, EddsaSignatureScheme};
use cryptoki::mechanism::elliptic_curve::{EcKdf, Ecdh1DeriveParams};
use cryptoki::mechanism::rsa::{PkcsMgfType, PkcsOaepParams, PkcsOaepSource, PkcsPssParams};
use cryptoki::mechanism::{Mechanism, MechanismType};
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::types::AuthPin;
use std::fmt;
use std::sync::Arc;
use zeroize::Zeroizing;

pub(super) struct TokenKey {
    pub token: Arc<Token>,
    pub handle: ObjectHandle,
    pub kind: Kind,
    pub public: PublicKey,
    /// The PIN of a key that wants it before every use (CKA_ALWAYS_AUTHENTICATE).
    pub every_time: Option<AuthPin>,
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenKey({:?})", self.kind)
    }
}

/// The mechanisms for one scheme: what takes a digest, and what takes the message.
struct Ways {
    digest: Option<(Mechanism<'static>, Vec<u8>)>,
    message: Option<Mechanism<'static>>,
}

fn mechanism(hash: Hash) -> Option<(MechanismType, PkcsMgfType)> {
    Some(match hash {
        Hash::Md5 => return None,
        Hash::Sha1 => (MechanismType::SHA1, PkcsMgfType::MGF1_SHA1),
        Hash::Sha224 => (MechanismType::SHA224, PkcsMgfType::MGF1_SHA224),
        Hash::Sha256 => (MechanismType::SHA256, PkcsMgfType::MGF1_SHA256),
        Hash::Sha384 => (MechanismType::SHA384, PkcsMgfType::MGF1_SHA384),
        Hash::Sha512 => (MechanismType::SHA512, PkcsMgfType::MGF1_SHA512),
    })
}

impl TokenKey {
    fn ways(&self, scheme: Scheme, message: &[u8]) -> Ways {
        let (digest, whole) = match scheme {
            Scheme::RsaPkcs1(hash) => (
                Some((Mechanism::RsaPkcs, signing::digest_info(hash, message))),
                match hash {
                    Hash::Md5 => None,
                    Hash::Sha1 => Some(Mechanism::Sha1RsaPkcs),
                    Hash::Sha224 => Some(Mechanism::Sha224RsaPkcs),
                    Hash::Sha256 => Some(Mechanism::Sha256RsaPkcs),
                    Hash::Sha384 => Some(Mechanism::Sha384RsaPkcs),
                    Hash::Sha512 => Some(Mechanism::Sha512RsaPkcs),
                },
            ),
            Scheme::RsaPss(hash) => match mechanism(hash) {
                None => (None, None),
                Some((hash_alg, mgf)) => {
                    let pss = PkcsPssParams { hash_alg, mgf, s_len: (hash.len() as std::ffi::c_ulong).into() };
                    (
                        Some((Mechanism::RsaPkcsPss(pss), hash.digest(message))),
                        match hash {
                            Hash::Sha1 => Some(Mechanism::Sha1RsaPkcsPss(pss)),
                            Hash::Sha256 => Some(Mechanism::Sha256RsaPkcsPss(pss)),
                            Hash::Sha384 => Some(Mechanism::Sha384RsaPkcsPss(pss)),
                            Hash::Sha512 => Some(Mechanism::Sha512RsaPkcsPss(pss)),
                            Hash::Md5 | Hash::Sha224 => None,
                        },
                    )
                }
            },
            Scheme::Ecdsa(hash) => {
                // Some tokens refuse a digest that is longer than the curve; what counts is its beginning.
                let mut digest = hash.digest(message);
                digest.truncate(self.public.curve().map_or(usize::MAX, |curve| curve.size()));
                (
                    Some((Mechanism::Ecdsa, digest)),
                    match hash {
                        Hash::Md5 => None,
                        Hash::Sha1 => Some(Mechanism::EcdsaSha1),
                        Hash::Sha224 => Some(Mechanism::EcdsaSha224),
                        Hash::Sha256 => Some(Mechanism::EcdsaSha256),
                        Hash::Sha384 => Some(Mechanism::EcdsaSha384),
                        Hash::Sha512 => Some(Mechanism::EcdsaSha512),
                    },
                )
            }
            Scheme::Ed25519 => (None, Some(Mechanism::Eddsa(EddsaParams::new(EddsaSignatureScheme::Ed25519)))),
            Scheme::Ed448 | Scheme::Dsa(_) => (None, None),
        };
        let there = |mechanism: &Mechanism<'_>| self.token.mechanisms.contains(&mechanism.mechanism_type());
        Ways {
            // A digest goes in one piece, and between begin and piece there is no place for the PIN.
            digest: digest.filter(|(mechanism, _)| there(mechanism) && self.every_time.is_none()),
            message: whole.filter(there),
        }
    }

    fn sign_message(&self, session: &Session, how: &Mechanism<'_>, message: &[u8]) -> cryptoki::error::Result<Vec<u8>> {
        let Some(pin) = &self.every_time else { return session.sign(how, self.handle, message) };
        session.sign_init(how, self.handle)?;
        session.login(UserType::ContextSpecific, Some(pin))?;
        session.sign_update(message)?;
        session.sign_final()
    }
}

impl Holder for TokenKey {
    fn schemes(&self) -> Option<Vec<Scheme>> {
        let possible = signing::possible(self.kind, &self.public).into_iter();
        Some(
            possible
                .filter(|scheme| {
                    let ways = self.ways(*scheme, b"");
                    ways.digest.is_some() || ways.message.is_some()
                })
                .collect(),
        )
    }

    fn sign(&self, scheme: Scheme, message: &[u8]) -> Result<Vec<u8>> {
        let failed = |why: String| Error::new(Code::Encrypt, format!("{}: {why}", self.token.name));
        let ways = self.ways(scheme, message);
        let session = self.token.session.lock();
        let signed = match (ways.digest, ways.message) {
            (Some((how, digest)), _) => session.sign(&how, self.handle, &digest),
            (None, Some(how)) => self.sign_message(&session, &how, message),
            (None, None) => return Err(failed(format!("the token does not sign {scheme}"))),
        };
        let signature = signed.map_err(|error| failed(error.to_string()))?;
        match scheme {
            // Two numbers of the same length become DER.
            Scheme::Ecdsa(_) if signature.len().is_multiple_of(2) && !signature.is_empty() => {
                let (r, s) = signature.split_at(signature.len() / 2);
                Ok(der::wrap(der::SEQUENCE, &[&der::integer(r), &der::integer(s)]))
            }
            Scheme::Ecdsa(_) => Err(failed("the token gave a signature of an odd length".into())),
            _ => Ok(signature),
        }
    }

    fn decrypt(&self, padding: RsaPadding, data: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let failed =
            || Error::new(Code::Decrypt, format!("{}: the key on the token does not decrypt this", self.token.name));
        if self.every_time.is_some() {
            let why = "a key that wants its PIN before every use decrypts nothing here";
            return Err(Error::new(Code::Decrypt, format!("{}: {why}", self.token.name)));
        }
        let how = match padding {
            RsaPadding::Pkcs1 => Mechanism::RsaPkcs,
            RsaPadding::Oaep { hash, mgf } => {
                let ((hash, _), (_, mgf)) = mechanism(hash).zip(mechanism(mgf)).ok_or_else(failed)?;
                Mechanism::RsaPkcsOaep(PkcsOaepParams::new(hash, mgf, PkcsOaepSource::empty()))
            }
        };
        let session = self.token.session.lock();
        session.decrypt(&how, self.handle, data).map(Zeroizing::new).map_err(|_| failed())
    }

    fn agree(&self, peer: &PublicKey) -> Result<Zeroizing<Vec<u8>>> {
        let failed = |why: String| Error::new(Code::Decrypt, format!("{}: {why}", self.token.name));
        let size = match self.kind {
            Kind::Ec(curve) => curve.size(),
            Kind::X25519 => 32,
            _ => return Err(failed("the key on the token agrees on no secret".into())),
        };
        let point = peer.raw().filter(|_| peer.oid() == self.public.oid() && peer.curve() == self.public.curve());
        let Some(point) = point else { return Err(failed("the other key is not on the curve of this one".into())) };
        let template = [
            Attribute::Class(ObjectClass::SECRET_KEY),
            Attribute::KeyType(KeyType::GENERIC_SECRET),
            Attribute::Token(false),
            Attribute::Sensitive(false),
            Attribute::Extractable(true),
            Attribute::ValueLen((size as std::ffi::c_ulong).into()),
        ];
        let session = self.token.session.lock();
        let derive = |point: &[u8]| {
            let how = Mechanism::Ecdh1Derive(Ecdh1DeriveParams::new(EcKdf::null(), point));
            session.derive_key(&how, self.handle, &template)
        };
        // PKCS #11 asks for the point as it is; some tokens want it wrapped as CKA_EC_POINT has it.
        let secret = derive(point)
            .or_else(|first| derive(&der::wrap(der::OCTET_STRING, &[point])).map_err(|_| first))
            .map_err(|error| failed(error.to_string()))?;
        let read = session.get_attributes(secret, &[AttributeType::Value]);
        let _ = session.destroy_object(secret);
        let value = read.map_err(|error| failed(error.to_string()))?.into_iter().find_map(|a| match a {
            Attribute::Value(value) => Some(Zeroizing::new(value)),
            _ => None,
        });
        match value {
            Some(value) if value.len() <= size => {
                let mut padded = Zeroizing::new(vec![0; size - value.len()]);
                padded.extend_from_slice(&value);
                Ok(padded)
            }
            _ => Err(failed("the token keeps the secret to itself".into())),
        }
    }
}
