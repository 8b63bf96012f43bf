//! What a Certificate shows once something is loaded into it: a certificate, a private key, or a public key alone. Immutable, and
//! shared by clones. The settable fields (Store, StoreType, StorePassword) belong to the object around it.

use super::key::PrivateKey;
use super::pbe::Hash;
use super::spki::PublicKey;
use super::x509::X509;
use super::{hex, md5, time};
use std::sync::Arc;
use zeroize::Zeroizing;

/// One entry of a store.
#[derive(Debug, Clone)]
pub struct Loaded {
    pub certificate: Option<Arc<X509>>,
    pub key: Option<Arc<PrivateKey>>,
    public_key: Option<Arc<PublicKey>>,
    /// The certificates of its issuers that the store had, the nearest first.
    pub chain: Vec<Arc<X509>>,
}

impl Loaded {
    pub fn new(certificate: Option<Arc<X509>>, key: Option<Arc<PrivateKey>>, public_key: Option<PublicKey>) -> Loaded {
        Loaded { certificate, key, public_key: public_key.map(Arc::new), chain: Vec::new() }
    }

    /// The public key: the certificate's, the private key's, or the one that stands alone.
    pub fn public(&self) -> Option<&PublicKey> {
        let of_certificate = self.certificate.as_ref().map(|c| c.public_key());
        of_certificate.or_else(|| self.key.as_ref().map(|k| k.public_key())).or(self.public_key.as_deref())
    }

    fn of<T: Default>(&self, field: impl Fn(&X509) -> T) -> T {
        self.certificate.as_ref().map(|c| field(c)).unwrap_or_default()
    }

    /// In the zone that `offset` tells for a time: seconds east of Greenwich.
    pub fn effective_date(&self, offset: fn(i64) -> i32) -> String {
        self.of(|c| time::text(c.not_before, i64::from(offset(c.not_before))))
    }

    pub fn expiration_date(&self, offset: fn(i64) -> i32) -> String {
        self.of(|c| time::text(c.not_after, i64::from(offset(c.not_after))))
    }

    pub fn subject(&self) -> &str {
        self.certificate.as_ref().map_or("", |c| &c.subject)
    }

    pub fn issuer(&self) -> &str {
        self.certificate.as_ref().map_or("", |c| &c.issuer)
    }

    pub fn subject_alt_names(&self) -> String {
        self.of(|c| c.subject_alt_names.join(","))
    }

    pub fn serial_number(&self) -> String {
        self.of(X509::serial_number)
    }

    pub fn version(&self) -> String {
        self.of(|c| format!("V{}", c.version))
    }

    pub fn usage(&self) -> String {
        self.of(X509::usage)
    }

    pub fn usage_flags(&self) -> i32 {
        self.of(|c| c.usage_flags)
    }

    pub fn extended_key_usage(&self) -> String {
        self.of(|c| c.extended_key_usage.join(","))
    }

    pub fn signature_algorithm(&self) -> String {
        self.of(|c| c.signature_algorithm.clone())
    }

    pub fn public_key(&self) -> String {
        self.public().map(PublicKey::pem).unwrap_or_default()
    }

    pub fn public_key_algorithm(&self) -> &str {
        self.public().map_or("", PublicKey::algorithm)
    }

    pub fn public_key_length(&self) -> i32 {
        self.public().map_or(0, PublicKey::bits)
    }

    pub fn private_key(&self) -> Zeroizing<String> {
        self.key.as_ref().map(|k| k.pem()).unwrap_or_default()
    }

    pub fn private_key_available(&self) -> bool {
        self.key.is_some()
    }

    /// The octets that a fingerprint is of: the certificate, else the key as SSH writes it.
    fn fingerprinted(&self) -> Vec<u8> {
        match &self.certificate {
            Some(certificate) => certificate.der().to_vec(),
            None => self.public().and_then(PublicKey::to_ssh).unwrap_or_default(),
        }
    }

    fn fingerprint_of(&self, hash: impl Fn(&[u8]) -> Vec<u8>) -> String {
        let octets = self.fingerprinted();
        if octets.is_empty() { String::new() } else { hex(&hash(&octets), false, ":") }
    }

    pub fn fingerprint(&self) -> String {
        self.fingerprint_of(|b| md5(&[b]))
    }

    pub fn fingerprint_sha1(&self) -> String {
        self.fingerprint_of(|b| Hash::Sha1.of(&[b]))
    }

    pub fn fingerprint_sha256(&self) -> String {
        self.fingerprint_of(|b| Hash::Sha256.of(&[b]))
    }

    pub fn thumbprint_md5(&self) -> String {
        self.of(|c| hex(&md5(&[c.der()]), true, ""))
    }

    pub fn thumbprint_sha1(&self) -> String {
        self.of(|c| hex(&Hash::Sha1.of(&[c.der()]), true, ""))
    }

    pub fn thumbprint_sha256(&self) -> String {
        self.of(|c| hex(&Hash::Sha256.of(&[c.der()]), true, ""))
    }

    /// The certificate as PEM.
    pub fn encoded(&self) -> String {
        self.of(X509::pem)
    }

    pub fn encoded_b(&self) -> Vec<u8> {
        self.of(|c| c.der().to_vec())
    }
}
