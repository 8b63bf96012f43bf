//! What a TLS connection is asked to be. Two equal values make the same decisions, which is what lets them share sessions.

use super::names::{self, Shape};
use super::revocation::Levels;
use crate::certs::key::PrivateKey;
use crate::error::{Code, Error, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use zeroize::Zeroizing;

/// Bytes that are never printed, and wiped when they go.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    pub fn new(bytes: Vec<u8>) -> Secret {
        Secret(Zeroizing::new(bytes))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// The client's own certificate.
#[derive(Debug, Clone)]
pub struct ClientIdentity {
    /// DER: the certificate, then those that are sent after it.
    pub chain: Vec<Vec<u8>>,
    pub key: Arc<PrivateKey>,
}

impl PartialEq for ClientIdentity {
    /// A key that lives elsewhere is only equal to itself: who holds it may be another one for the same certificate.
    fn eq(&self, other: &ClientIdentity) -> bool {
        let (mine, theirs) = (&self.key, &other.key);
        let both_here = mine.pkcs8().is_some() && theirs.pkcs8().is_some();
        let same = Arc::ptr_eq(mine, theirs) || (both_here && mine.public_key().same_key(theirs.public_key()));
        same && self.chain == other.chain
    }
}

impl Eq for ClientIdentity {}

/// What is said to the platform's library in its own language; a value that differs from the default chooses that library.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OpensslSettings {
    /// OpenSSLCAFile: PEM, in place of the system's roots.
    pub ca_file: Option<PathBuf>,
    /// OpenSSLCADir: files named by subject hash, in place of the system's roots.
    pub ca_dir: Option<PathBuf>,
    /// OpenSSLCipherList; `None`, "" or "DEFAULT" is a wish.
    pub cipher_list: Option<String>,
    /// OpenSSLPrngSeedData: mixed into the library's random numbers.
    pub prng_seed: Option<Secret>,
}

impl OpensslSettings {
    /// The cipher list, where it demands anything.
    pub fn ciphers(&self) -> Option<&str> {
        self.cipher_list.as_deref().map(str::trim).filter(|list| !list.is_empty() && *list != "DEFAULT")
    }

    /// Whether anything is set that only the platform's library understands.
    pub fn demand(&self) -> bool {
        self.ca_file.is_some() || self.ca_dir.is_some() || self.ciphers().is_some() || self.prng_seed.is_some()
    }
}

/// The wishes and demands for one connection. A list that is `None`, or the documented default, is a wish: what the
/// provider has of it is used. Any other list is a demand, and each of its names must be known (rulings 18 and 21).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsOptions {
    /// The name or address that the certificate must be for, whatever address was dialled.
    pub server_name: String,
    pub port: u16,
    /// SSLEnabledProtocols.
    pub protocols: u32,
    /// SSLEnabledCipherSuites.
    pub suites: Option<String>,
    /// SSLCipherStrength: the least key size in bits.
    pub min_strength: u32,
    pub tls12_groups: Option<String>,
    pub tls13_groups: Option<String>,
    pub tls13_key_shares: Option<String>,
    pub tls12_signatures: Option<String>,
    pub tls13_signatures: Option<String>,
    /// SSLServerCACerts: PEM, beside the system's roots.
    pub extra_roots: String,
    /// CACertFilePaths: the first that exists takes the place of the system's roots.
    pub ca_files: Vec<PathBuf>,
    /// SSLSecurityFlags.
    pub security_flags: u32,
    /// SSLAcceptServerCert, DER: this very certificate is accepted, whatever is wrong with it.
    pub accept_cert: Option<Vec<u8>>,
    /// SHA-256 of the public keys (SPKI) of which the server must have one. No flag and no judge waives them.
    pub spki_pins: Vec<[u8; 32]>,
    pub client: Option<ClientIdentity>,
    /// SSLKeyLogFile.
    pub key_log: Option<PathBuf>,
    pub openssl: OpensslSettings,
    /// ReuseSSLSession.
    pub reuse_sessions: bool,
    /// How far the judge looks at revocation.
    pub revocation: Levels,
    /// To be changed when the judge is somebody else: a session that the old one allowed is then not resumed.
    pub judge_generation: u64,
}

impl TlsOptions {
    /// The defaults, for one server.
    pub fn new(server_name: impl Into<String>, port: u16) -> TlsOptions {
        TlsOptions {
            server_name: server_name.into(),
            port,
            protocols: 16_320,
            suites: None,
            min_strength: 0,
            tls12_groups: None,
            tls13_groups: None,
            tls13_key_shares: None,
            tls12_signatures: None,
            tls13_signatures: None,
            extra_roots: String::new(),
            ca_files: Vec::new(),
            security_flags: 0,
            accept_cert: None,
            spki_pins: Vec::new(),
            client: None,
            key_log: None,
            openssl: OpensslSettings::default(),
            reuse_sessions: true,
            revocation: Levels::default(),
            judge_generation: 0,
        }
    }

    /// Whether the Internal provider knows every name here: error 603 with the names it has.
    pub fn check(&self) -> Result<()> {
        let lists = [
            &self.suites,
            &self.tls12_groups,
            &self.tls13_groups,
            &self.tls13_key_shares,
            &self.tls12_signatures,
            &self.tls13_signatures,
        ];
        // Where nothing is named, nothing can be unknown.
        if lists.iter().all(|list| list.is_none()) { Ok(()) } else { Shape::of(self).map(drop) }
    }

    pub(super) fn label(&self) -> String {
        format!("{}:{}", self.server_name, self.port)
    }
}

/// SSLPinnedPublicKeys: `sha256//` and Base64, several separated by ';'. Error 603.
pub fn spki_pins(text: &str) -> Result<Vec<[u8; 32]>> {
    names::entries(text)
        .into_iter()
        .map(|entry| {
            let digest = entry.strip_prefix("sha256//").and_then(|coded| STANDARD.decode(coded).ok());
            digest.and_then(|digest| digest.try_into().ok()).ok_or_else(|| {
                Error::new(Code::ValueRefused, format!("{entry:?} is no pin: sha256// and the Base64 of 32 bytes"))
            })
        })
        .collect()
}
