//! Private keys: RSA, EC on P-256, P-384 and P-521, Ed25519, Ed448, X25519 and DSA, whatever they came in, kept as PKCS #8 (RFC 5958)
//! with the public key beside; or elsewhere, on a token or behind a callback. Read from PKCS #8, PKCS #1 (RFC 8017 A.1.2), SEC 1
//! (RFC 5915) or from numbers. Cleared when dropped, never shown.

use super::der::{self, Reader};
use super::fault::{Fault, Read, broken, unknown, unsupported};
use super::number;
use super::signing::{self, Holder, Ready, RsaPadding, Scheme};
use super::spki::{self, Curve, PublicKey};
use super::x509::X509;
use crate::error::Result;
use ring::signature::KeyPair;
use std::fmt;
use std::sync::{Arc, OnceLock};
use zeroize::Zeroizing;

/// The largest RSA number: 16384 bits.
pub const RSA_OCTETS: usize = 2048;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Rsa,
    Ec(Curve),
    Ed25519,
    Ed448,
    X25519,
    Dsa,
    /// A key elsewhere whose kind is not known here.
    Other,
}

impl Kind {
    /// Of the private key to a public one.
    pub fn of(public: &PublicKey) -> Kind {
        match public.oid() {
            spki::RSA | spki::RSA_PSS => Kind::Rsa,
            spki::EC => public.curve().map_or(Kind::Other, Kind::Ec),
            spki::ED25519 => Kind::Ed25519,
            spki::ED448 => Kind::Ed448,
            spki::X25519 => Kind::X25519,
            spki::DSA => Kind::Dsa,
            _ => Kind::Other,
        }
    }
}

/// A private key.
pub struct PrivateKey {
    kind: Kind,
    home: Home,
    public: PublicKey,
}

/// Where a key is.
enum Home {
    /// As PKCS #8, and made ready for signing when it first signs.
    Memory(Zeroizing<Vec<u8>>, OnceLock<Box<Ready>>),
    Elsewhere(Arc<dyn Holder>),
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.home {
            Home::Memory(..) => write!(f, "PrivateKey({:?})", self.kind),
            Home::Elsewhere(_) => write!(f, "PrivateKey({:?}, elsewhere)", self.kind),
        }
    }
}

/// The numbers of an RSA key, big-endian.
pub struct Rsa<'a> {
    pub n: &'a [u8],
    pub e: &'a [u8],
    pub d: &'a [u8],
    pub p: &'a [u8],
    pub q: &'a [u8],
    /// The inverse of q modulo p.
    pub qi: &'a [u8],
}

impl PrivateKey {
    pub fn from_pkcs8(bytes: &[u8]) -> Read<PrivateKey> {
        let mut info = der::only_sequence(bytes)?;
        if info.small()? > 1 {
            return broken("a private key of an unknown version");
        }
        let mut algorithm = info.sequence()?;
        let oid = algorithm.oid()?;
        let key = info.expect(der::OCTET_STRING)?;
        match oid {
            // A key for PSS alone is kept as an RSA key.
            spki::RSA | spki::RSA_PSS => PrivateKey::from_pkcs1(key),
            spki::EC => match algorithm.optional(der::OID)?.map(|oid| (oid, Curve::from_oid(oid))) {
                Some((_, Some(curve))) => PrivateKey::from_sec1(key, Some(curve)),
                Some((oid, None)) => unknown("a private key on the curve", oid),
                None => unsupported("a private key on a curve without a name"),
            },
            spki::ED25519 => PrivateKey::ed25519(Reader::new(key).expect(der::OCTET_STRING)?),
            spki::ED448 => PrivateKey::ed448(Reader::new(key).expect(der::OCTET_STRING)?),
            spki::X25519 => match Reader::new(key).expect(der::OCTET_STRING)?.try_into() {
                Ok(secret) => PrivateKey::x25519(secret),
                Err(_) => broken("an X25519 key that is not 32 octets"),
            },
            spki::DSA => {
                let mut parameters = algorithm.sequence()?;
                let (p, q, g) = (parameters.unsigned()?, parameters.unsigned()?, parameters.unsigned()?);
                PrivateKey::dsa(p, q, g, Reader::new(key).unsigned()?)
            }
            spki::X448 => unsupported("an X448 key (1.3.101.111)"),
            other => unknown("a private key of the algorithm", other),
        }
    }

    pub fn from_pkcs1(bytes: &[u8]) -> Read<PrivateKey> {
        let mut key = der::only_sequence(bytes)?;
        match key.small()? {
            0 => {}
            1 => return unsupported("an RSA key of more than two primes"),
            _ => return broken("an RSA key of an unknown version"),
        }
        let (n, e, d) = (key.unsigned()?, key.unsigned()?, key.unsigned()?);
        let (p, q, _, _, qi) = (key.unsigned()?, key.unsigned()?, key.unsigned()?, key.unsigned()?, key.unsigned()?);
        key.finish()?;
        PrivateKey::rsa(&Rsa { n, e, d, p, q, qi })
    }

    /// `curve` is what stands around the key; inside it may stand again, or only there.
    pub fn from_sec1(bytes: &[u8], curve: Option<Curve>) -> Read<PrivateKey> {
        let mut key = der::only_sequence(bytes)?;
        if key.small()? != 1 {
            return broken("an EC key of an unknown version");
        }
        let scalar = key.expect(der::OCTET_STRING)?;
        let inside = match key.optional(0xa0)? {
            Some(parameters) => match Reader::new(parameters).optional(der::OID)? {
                Some(oid) => match Curve::from_oid(oid) {
                    Some(curve) => Some(curve),
                    None => return unknown("a private key on the curve", oid),
                },
                None => return unsupported("a private key on a curve without a name"),
            },
            None => None,
        };
        let curve = match (curve, inside) {
            (Some(a), Some(b)) if a != b => return broken("an EC key of two curves"),
            (Some(curve), _) | (None, Some(curve)) => curve,
            (None, None) => return broken("an EC key without its curve"),
        };
        let found = PrivateKey::ec(curve, scalar)?;
        if let Some(public) = key.optional(0xa1)? {
            let point = Reader::new(public).bits()?;
            if point.first() == Some(&4) && !found.public.der().ends_with(point) {
                return broken("the halves of an EC key do not belong together");
            }
        }
        Ok(found)
    }

    pub fn rsa(key: &Rsa<'_>) -> Read<PrivateKey> {
        let (n, d, p, q) = (der::trim(key.n), der::trim(key.d), der::trim(key.p), der::trim(key.q));
        let whole = !d.is_empty()
            && p.len() <= RSA_OCTETS
            && q.len() <= RSA_OCTETS
            && d.len() <= n.len()
            && key.qi.len() <= RSA_OCTETS;
        let public = PublicKey::rsa(n, key.e)?;
        let odd = |prime: &[u8]| prime.last().is_some_and(|octet| octet & 1 == 1);
        if !whole || !odd(p) || !odd(q) || number::product(p, q)[..] != *n {
            return broken("the numbers of an RSA key do not belong together");
        }
        let part = |prime: &[u8]| {
            number::remainder(d, &number::less_one(prime))
                .ok_or_else(|| Fault::Broken("an RSA key with a prime of 1".into()))
        };
        let (dp, dq) = (part(p)?, part(q)?);
        let numbers: Vec<Zeroizing<Vec<u8>>> = [&[][..], n, key.e, d, p, q, &dp, &dq, key.qi]
            .into_iter()
            .map(|n| Zeroizing::new(der::integer(n)))
            .collect();
        let parts: Vec<&[u8]> = numbers.iter().map(|n| &n[..]).collect();
        let pkcs1 = Zeroizing::new(der::wrap(der::SEQUENCE, &parts));
        let algorithm = [der::wrap(der::OID, &[spki::RSA]), der::wrap(der::NULL, &[])].concat();
        Ok(PrivateKey::kept(Kind::Rsa, pkcs8(&algorithm, &pkcs1), public))
    }

    pub fn ec(curve: Curve, scalar: &[u8]) -> Read<PrivateKey> {
        let scalar = der::trim(scalar);
        let size = curve.size();
        if scalar.len() > size {
            return broken("an EC key out of bounds");
        }
        let mut padded = Zeroizing::new(vec![0u8; size - scalar.len()]);
        padded.extend_from_slice(scalar);
        let Some(point) = point(curve, &padded) else { return broken("an EC key out of bounds") };
        let key = Zeroizing::new(der::wrap(
            der::SEQUENCE,
            &[
                &der::integer(&[1]),
                &Zeroizing::new(der::wrap(der::OCTET_STRING, &[&padded])),
                &der::wrap(0xa1, &[&der::bit_string(&point)]),
            ],
        ));
        let algorithm = [der::wrap(der::OID, &[spki::EC]), der::wrap(der::OID, &[curve.oid()])].concat();
        Ok(PrivateKey::kept(Kind::Ec(curve), pkcs8(&algorithm, &key), PublicKey::ec(curve, &point)?))
    }

    pub fn ed25519(seed: &[u8]) -> Read<PrivateKey> {
        let Ok(pair) = ring::signature::Ed25519KeyPair::from_seed_unchecked(seed) else {
            return broken("an Ed25519 key that is not 32 octets");
        };
        let key = Zeroizing::new(der::wrap(der::OCTET_STRING, &[seed]));
        let public = PublicKey::ed25519(pair.public_key().as_ref())?;
        Ok(PrivateKey::kept(Kind::Ed25519, pkcs8(&der::wrap(der::OID, &[spki::ED25519]), &key), public))
    }

    pub fn ed448(seed: &[u8]) -> Read<PrivateKey> {
        let Ok(whole) = seed.try_into() else { return broken("an Ed448 key that is not 57 octets") };
        let public = PublicKey::plain(spki::ED448, &signing::ed448_public(whole))?;
        let key = Zeroizing::new(der::wrap(der::OCTET_STRING, &[seed]));
        Ok(PrivateKey::kept(Kind::Ed448, pkcs8(&der::wrap(der::OID, &[spki::ED448]), &key), public))
    }

    /// A key to agree with, not to sign with.
    pub fn x25519(secret: &[u8; 32]) -> Read<PrivateKey> {
        let public = PublicKey::plain(spki::X25519, &signing::x25519_public(secret))?;
        let key = Zeroizing::new(der::wrap(der::OCTET_STRING, &[secret]));
        Ok(PrivateKey::kept(Kind::X25519, pkcs8(&der::wrap(der::OID, &[spki::X25519]), &key), public))
    }

    pub fn dsa(p: &[u8], q: &[u8], g: &[u8], x: &[u8]) -> Read<PrivateKey> {
        let Some(y) = signing::dsa_public(p, q, g, x) else { return broken("a DSA key out of bounds") };
        let parameters = der::wrap(der::SEQUENCE, &[&der::integer(p), &der::integer(q), &der::integer(g)]);
        let algorithm = [der::wrap(der::OID, &[spki::DSA]), parameters].concat();
        let key = Zeroizing::new(der::integer(x));
        Ok(PrivateKey::kept(Kind::Dsa, pkcs8(&algorithm, &key), PublicKey::dsa(p, q, g, &y)?))
    }

    /// A DSA key as OpenSSL used to write it: version, p, q, g, y, x.
    pub fn from_traditional_dsa(bytes: &[u8]) -> Read<PrivateKey> {
        let mut key = der::only_sequence(bytes)?;
        if key.small()? != 0 {
            return broken("a DSA key of an unknown version");
        }
        let (p, q, g, y, x) = (key.unsigned()?, key.unsigned()?, key.unsigned()?, key.unsigned()?, key.unsigned()?);
        key.finish()?;
        let found = PrivateKey::dsa(p, q, g, x)?;
        match *found.public_key() == PublicKey::dsa(p, q, g, y)? {
            true => Ok(found),
            false => broken("the halves of a DSA key do not belong together"),
        }
    }

    /// A key that lives elsewhere, by its public half.
    pub fn external(public: PublicKey, holder: Arc<dyn Holder>) -> PrivateKey {
        PrivateKey { kind: Kind::of(&public), home: Home::Elsewhere(holder), public }
    }

    fn kept(kind: Kind, pkcs8: Zeroizing<Vec<u8>>, public: PublicKey) -> PrivateKey {
        PrivateKey { kind, home: Home::Memory(pkcs8, OnceLock::new()), public }
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }

    pub fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// The key as PKCS #8 DER; none for a key that lives elsewhere.
    pub fn pkcs8(&self) -> Option<&[u8]> {
        match &self.home {
            Home::Memory(pkcs8, _) => Some(pkcs8),
            Home::Elsewhere(_) => None,
        }
    }

    /// The key as PEM, `BEGIN PRIVATE KEY`; empty for a key that lives elsewhere.
    pub fn pem(&self) -> Zeroizing<String> {
        Zeroizing::new(self.pkcs8().map(|pkcs8| super::pem::encode("PRIVATE KEY", pkcs8)).unwrap_or_default())
    }

    /// Whether it is the key of this certificate: by the numbers, since their coats differ (RSA with and without PSS).
    pub fn belongs_to(&self, certificate: &X509) -> bool {
        self.public.same_key(certificate.public_key())
    }

    /// What it can sign with, best first.
    pub fn schemes(&self) -> Vec<Scheme> {
        match &self.home {
            Home::Elsewhere(holder) => holder.schemes().unwrap_or_else(|| signing::possible(self.kind, &self.public)),
            Home::Memory(..) => signing::possible(self.kind, &self.public),
        }
    }

    /// Signs a message. A key of another kind than the scheme's is error 283.
    pub fn sign(&self, scheme: Scheme, message: &[u8]) -> Result<Vec<u8>> {
        match &self.home {
            Home::Memory(pkcs8, ready) => {
                let ready = ready.get_or_init(|| Box::new(Ready::new(self.kind, pkcs8)));
                signing::sign(ready, &self.public, pkcs8, scheme, message)
            }
            Home::Elsewhere(holder) if self.schemes().contains(&scheme) => holder.sign(scheme, message),
            Home::Elsewhere(_) => Err(signing::unfit(&self.public, scheme)),
        }
    }

    /// Decrypts what was encrypted for this RSA key.
    pub fn decrypt(&self, padding: RsaPadding, data: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        match &self.home {
            Home::Memory(pkcs8, _) => signing::decrypt(self, pkcs8, padding, data),
            Home::Elsewhere(holder) => holder.decrypt(padding, data),
        }
    }

    /// The secret that this key and somebody's public key of the same curve share (ECDH, X25519).
    pub fn agree(&self, peer: &PublicKey) -> Result<Zeroizing<Vec<u8>>> {
        match &self.home {
            Home::Memory(pkcs8, _) => signing::agree(self, pkcs8, peer),
            Home::Elsewhere(holder) => holder.agree(peer),
        }
    }
}

fn pkcs8(algorithm: &[u8], key: &[u8]) -> Zeroizing<Vec<u8>> {
    let key = Zeroizing::new(der::wrap(der::OCTET_STRING, &[key]));
    Zeroizing::new(der::wrap(der::SEQUENCE, &[&der::integer(&[]), &der::wrap(der::SEQUENCE, &[algorithm]), &key]))
}

/// The uncompressed point of a scalar; `None` for zero and beyond the order.
fn point(curve: Curve, scalar: &[u8]) -> Option<Vec<u8>> {
    use p256::elliptic_curve::sec1::ToEncodedPoint;
    Some(match curve {
        Curve::P256 => {
            p256::SecretKey::from_slice(scalar).ok()?.public_key().to_encoded_point(false).as_bytes().to_vec()
        }
        Curve::P384 => {
            p384::SecretKey::from_slice(scalar).ok()?.public_key().to_encoded_point(false).as_bytes().to_vec()
        }
        Curve::P521 => {
            p521::SecretKey::from_slice(scalar).ok()?.public_key().to_encoded_point(false).as_bytes().to_vec()
        }
    })
}
