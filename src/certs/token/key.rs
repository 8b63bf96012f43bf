//! A private key that stays on its token: signatures, RSA decryption and ECDH by PKCS #11 (OASIS, version 2.40 §2).

use super::Token;
use super::pkcs11::{self, Mechanism, Session, Value, With};
use crate::certs::der;
use crate::certs::key::Kind;
use crate::certs::signing::{self, Hash, Holder, RsaPadding, Scheme};
use crate::certs::spki::PublicKey;
use crate::error::{Code, Error, Result};
use cryptoki_sys as ck;
use std::sync::Arc;
use zeroize::Zeroizing;

pub(super) struct TokenKey {
    pub token: Arc<Token>,
    pub handle: ck::CK_OBJECT_HANDLE,
    pub kind: Kind,
    pub public: PublicKey,
    /// The PIN of a key that wants it before every use (CKA_ALWAYS_AUTHENTICATE).
    pub every_time: Option<Zeroizing<String>>,
}

/// The mechanisms for one scheme: what takes a digest, and what takes the message.
struct Ways {
    digest: Option<(Mechanism<'static>, Vec<u8>)>,
    message: Option<Mechanism<'static>>,
}

/// What a token calls a hash: alone, for MGF1, and before RSA, PSS and ECDSA.
struct Names {
    hash: ck::CK_MECHANISM_TYPE,
    mgf: ck::CK_RSA_PKCS_MGF_TYPE,
    pkcs1: ck::CK_MECHANISM_TYPE,
    pss: Option<ck::CK_MECHANISM_TYPE>,
    ecdsa: ck::CK_MECHANISM_TYPE,
}

fn names(hash: Hash) -> Option<Names> {
    use ck::*;
    let (hash, mgf, pkcs1, pss, ecdsa) = match hash {
        Hash::Md5 => return None,
        Hash::Sha1 => (CKM_SHA_1, CKG_MGF1_SHA1, CKM_SHA1_RSA_PKCS, Some(CKM_SHA1_RSA_PKCS_PSS), CKM_ECDSA_SHA1),
        Hash::Sha224 => (CKM_SHA224, CKG_MGF1_SHA224, CKM_SHA224_RSA_PKCS, None, CKM_ECDSA_SHA224),
        Hash::Sha256 => {
            (CKM_SHA256, CKG_MGF1_SHA256, CKM_SHA256_RSA_PKCS, Some(CKM_SHA256_RSA_PKCS_PSS), CKM_ECDSA_SHA256)
        }
        Hash::Sha384 => {
            (CKM_SHA384, CKG_MGF1_SHA384, CKM_SHA384_RSA_PKCS, Some(CKM_SHA384_RSA_PKCS_PSS), CKM_ECDSA_SHA384)
        }
        Hash::Sha512 => {
            (CKM_SHA512, CKG_MGF1_SHA512, CKM_SHA512_RSA_PKCS, Some(CKM_SHA512_RSA_PKCS_PSS), CKM_ECDSA_SHA512)
        }
    };
    Some(Names { hash, mgf, pkcs1, pss, ecdsa })
}

fn plain(name: ck::CK_MECHANISM_TYPE) -> Mechanism<'static> {
    Mechanism { name, with: With::Nothing }
}

impl TokenKey {
    fn ways(&self, scheme: Scheme, message: &[u8]) -> Ways {
        let named = scheme.hash().and_then(names);
        let (digest, whole) = match (scheme, named) {
            (Scheme::RsaPkcs1(hash), named) => {
                (Some((plain(ck::CKM_RSA_PKCS), signing::digest_info(hash, message))), named.map(|n| plain(n.pkcs1)))
            }
            (Scheme::RsaPss(hash), Some(named)) => {
                let with = With::Pss { hash: named.hash, mgf: named.mgf, salt: hash.len() };
                (
                    Some((Mechanism { name: ck::CKM_RSA_PKCS_PSS, with }, hash.digest(message))),
                    named.pss.map(|name| Mechanism { name, with }),
                )
            }
            (Scheme::Ecdsa(hash), named) => {
                // Some tokens refuse a digest that is longer than the curve; what counts is its beginning.
                let mut digest = hash.digest(message);
                digest.truncate(self.public.curve().map_or(usize::MAX, |curve| curve.size()));
                (Some((plain(ck::CKM_ECDSA), digest)), named.map(|n| plain(n.ecdsa)))
            }
            (Scheme::Ed25519, _) => (None, Some(plain(ck::CKM_EDDSA))),
            (Scheme::RsaPss(_) | Scheme::Ed448 | Scheme::Dsa(_), _) => (None, None),
        };
        let there = |mechanism: &Mechanism<'_>| self.token.mechanisms.contains(&mechanism.name);
        Ways {
            // A digest goes in one piece, and between begin and piece there is no place for the PIN.
            digest: digest.filter(|(mechanism, _)| there(mechanism) && self.every_time.is_none()),
            message: whole.filter(there),
        }
    }

    fn sign_message(&self, session: &Session, how: &Mechanism<'_>, message: &[u8]) -> pkcs11::Result<Vec<u8>> {
        match &self.every_time {
            Some(pin) => session.sign_with_pin(how, self.handle, pin, message),
            None => session.sign(how, self.handle, message),
        }
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
                Ok(signing::two_numbers(r, s))
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
            RsaPadding::Pkcs1 => plain(ck::CKM_RSA_PKCS),
            RsaPadding::Oaep { hash, mgf } => {
                let (of_hash, of_mgf) = names(hash).zip(names(mgf)).ok_or_else(failed)?;
                Mechanism { name: ck::CKM_RSA_PKCS_OAEP, with: With::Oaep { hash: of_hash.hash, mgf: of_mgf.mgf } }
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
            (ck::CKA_CLASS, Value::Number(ck::CKO_SECRET_KEY)),
            (ck::CKA_KEY_TYPE, Value::Number(ck::CKK_GENERIC_SECRET)),
            (ck::CKA_TOKEN, Value::Flag(false)),
            (ck::CKA_SENSITIVE, Value::Flag(false)),
            (ck::CKA_EXTRACTABLE, Value::Flag(true)),
            (ck::CKA_VALUE_LEN, Value::Number(size as ck::CK_ULONG)),
        ];
        let session = self.token.session.lock();
        let derive = |point: &[u8]| {
            let how = Mechanism { name: ck::CKM_ECDH1_DERIVE, with: With::Point(point) };
            session.derive(&how, self.handle, &template)
        };
        // PKCS #11 asks for the point as it is; some tokens want it wrapped as CKA_EC_POINT has it.
        let secret = derive(point)
            .or_else(|first| derive(&der::wrap(der::OCTET_STRING, &[point])).map_err(|_| first))
            .map_err(|error| failed(error.to_string()))?;
        let read = session.values(secret, &[ck::CKA_VALUE]);
        let _ = session.destroy(secret);
        let value = read.map_err(|error| failed(error.to_string()))?.pop().map(Zeroizing::new);
        match value {
            Some(value) if !value.is_empty() && value.len() <= size => {
                let mut padded = Zeroizing::new(vec![0; size - value.len()]);
                padded.extend_from_slice(&value);
                Ok(padded)
            }
            _ => Err(failed("the token keeps the secret to itself".into())),
        }
    }
}
