//! The client's certificate and what proves that it is ours: a key of [`crate::certs`], in memory or elsewhere, as rustls
//! signs with it. Kinds and sizes that ring leaves out (RSA below 2048 bits, P-521, a token's keys) work too.

use super::ClientIdentity;
use crate::certs::key::{Kind, PrivateKey};
use crate::certs::signing::{Hash, Scheme};
use crate::certs::spki::Curve;
use crate::certs::x509::X509;
use crate::error::{Code, Error, Result};
use parking_lot::Mutex;
use rustls::client::ResolvesClientCert;
use rustls::pki_types::CertificateDer;
use rustls::sign::{CertifiedKey, Signer, SigningKey};
use rustls::{SignatureAlgorithm, SignatureScheme};
use std::fmt;
use std::sync::Arc;

/// Where a key says why it did not sign: rustls hands on no more than a text.
pub(super) type Refusal = Arc<Mutex<Option<Error>>>;

/// Shows the one certificate to every server that asks, whatever authorities it names.
pub(super) struct Shown(Arc<CertifiedKey>);

// rustls asks for these and prints none.
impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shown")
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

impl fmt::Debug for Hand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hand")
    }
}

impl Shown {
    /// Error 273 for a key that isn't the certificate's or can't sign.
    pub fn new(client: &ClientIdentity, refusal: &Refusal) -> Result<Shown> {
        let unfit = |why: &str| Error::new(Code::Credentials, format!("the client certificate cannot be used: {why}"));
        let leaf = client.chain.first().ok_or_else(|| unfit("there is none"))?;
        let leaf = X509::from_der(leaf).map_err(|_| unfit("it cannot be read"))?;
        if !client.key.belongs_to(&leaf) {
            return Err(unfit("its key is another one's"));
        }
        let schemes = schemes(&client.key);
        if schemes.is_empty() {
            return Err(unfit("its key signs nothing that TLS knows"));
        }
        let key = Key { key: Arc::clone(&client.key), schemes, refusal: Arc::clone(refusal) };
        let chain = client.chain.iter().cloned().map(CertificateDer::from).collect();
        Ok(Shown(Arc::new(CertifiedKey::new(chain, Arc::new(key)))))
    }
}

impl ResolvesClientCert for Shown {
    fn resolve(&self, _: &[&[u8]], offered: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.0.key.choose_scheme(offered).map(|_| Arc::clone(&self.0))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// What the key signs with, in the words of TLS, best first.
fn schemes(key: &PrivateKey) -> Vec<(SignatureScheme, Scheme)> {
    use SignatureScheme as S;
    // PSS with the salt as long as the hash needs room for both (RFC 8017 §9.1.1).
    let room = usize::try_from(key.public_key().bits()).unwrap_or(0).div_ceil(8);
    let fits = |hash: Hash| room >= 2 * hash.len() + 2;
    let curve = match key.kind() {
        Kind::Ec(curve) => Some(curve),
        _ => None,
    };
    let known = |scheme: Scheme| {
        Some(match (scheme, curve) {
            (Scheme::RsaPss(hash), _) if !fits(hash) => return None,
            (Scheme::RsaPss(Hash::Sha256), _) => S::RSA_PSS_SHA256,
            (Scheme::RsaPss(Hash::Sha384), _) => S::RSA_PSS_SHA384,
            (Scheme::RsaPss(Hash::Sha512), _) => S::RSA_PSS_SHA512,
            (Scheme::RsaPkcs1(Hash::Sha256), _) => S::RSA_PKCS1_SHA256,
            (Scheme::RsaPkcs1(Hash::Sha384), _) => S::RSA_PKCS1_SHA384,
            (Scheme::RsaPkcs1(Hash::Sha512), _) => S::RSA_PKCS1_SHA512,
            // TLS 1.3 ties the hash to the curve, and no server of TLS 1.2 minds.
            (Scheme::Ecdsa(Hash::Sha256), Some(Curve::P256)) => S::ECDSA_NISTP256_SHA256,
            (Scheme::Ecdsa(Hash::Sha384), Some(Curve::P384)) => S::ECDSA_NISTP384_SHA384,
            (Scheme::Ecdsa(Hash::Sha512), Some(Curve::P521)) => S::ECDSA_NISTP521_SHA512,
            (Scheme::Ed25519, _) => S::ED25519,
            (Scheme::Ed448, _) => S::ED448,
            _ => return None,
        })
    };
    key.schemes().into_iter().filter_map(|scheme| known(scheme).map(|name| (name, scheme))).collect()
}

struct Key {
    key: Arc<PrivateKey>,
    schemes: Vec<(SignatureScheme, Scheme)>,
    refusal: Refusal,
}

impl SigningKey for Key {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        let (name, scheme) = *self.schemes.iter().find(|(name, _)| offered.contains(name))?;
        let (key, refusal) = (Arc::clone(&self.key), Arc::clone(&self.refusal));
        Some(Box::new(Hand { key, name, scheme, refusal }))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        match self.key.kind() {
            Kind::Rsa => SignatureAlgorithm::RSA,
            Kind::Ec(_) => SignatureAlgorithm::ECDSA,
            Kind::Ed448 => SignatureAlgorithm::ED448,
            Kind::Dsa => SignatureAlgorithm::DSA,
            _ => SignatureAlgorithm::ED25519,
        }
    }
}

/// The key, about to sign.
struct Hand {
    key: Arc<PrivateKey>,
    name: SignatureScheme,
    scheme: Scheme,
    refusal: Refusal,
}

impl Signer for Hand {
    fn sign(&self, message: &[u8]) -> std::result::Result<Vec<u8>, rustls::Error> {
        self.key.sign(self.scheme, message).map_err(|error| {
            *self.refusal.lock() = Some(error);
            rustls::Error::General("the client's key does not sign".to_owned())
        })
    }

    fn scheme(&self) -> SignatureScheme {
        self.name
    }
}
