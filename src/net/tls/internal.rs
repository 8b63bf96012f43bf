//! The Internal provider: rustls with ring, TLS 1.2 and 1.3.
//!
//! rustls asks a verifier while it takes the server's messages apart. Ours only writes down what was presented; rustls
//! answers the server into a buffer, and before any of that buffer leaves, the certificate is examined and judged here,
//! on the caller's thread. A refusal throws the buffer away and sends an alert in its place.
//!
//! Sessions live with the configuration they were made under, and that is kept for one set of equal options: a changed
//! root, flag, pin, name, key or judge is another configuration without sessions. What the judge overruled is never kept.

use super::client::{Refusal, Shown};
use super::crypto::provider;
use super::curves::ALGORITHMS;
use super::decide::{HANDSHAKE_FAILURE, decide, now, refused, say, server_name};
use super::held::{self, Held};
use super::keylog::KeyLogFile;
use super::names::{self, Shape, Signatures};
use super::patience::Patience;
use super::roots::{Stamp, Trust};
use super::stream::{TlsStream, WINDOW, Wire, flush, last_word};
use super::verify::{self, Fault, Sent};
use super::{Judge, Negotiated, Provider, Secured, TlsOptions, Version, fault};
use crate::error::{Code, Error, Result};
use crate::net::{Clock, Stream};
use parking_lot::Mutex;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ClientSessionMemoryCache, Resumption};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, HandshakeKind, NamedGroup, SignatureScheme};
use rustls::{PeerMisbehaved, ProtocolVersion};
use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

/// What rustls has for it itself panics before 1970, and brings the words for that along.
#[derive(Debug)]
struct SystemTime;

impl TimeProvider for SystemTime {
    fn current_time(&self) -> Option<UnixTime> {
        u64::try_from(now()).ok().map(|seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}

/// The ways to check signatures.
pub(super) fn algorithms() -> WebPkiSupportedAlgorithms {
    ALGORITHMS
}

/// One set of options, ready to use, and what came of it.
struct Entry {
    options: TlsOptions,
    /// How texts name the server.
    label: String,
    stamp: Stamp,
    shape: Shape,
    trust: Arc<Trust>,
    config: Arc<ClientConfig>,
    refusal: Refusal,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    /// The moment from which the verified certificates are out of date, and the sessions with them.
    until: Option<i64>,
    /// The group of the last full handshake: a resumed TLS 1.2 session doesn't tell it.
    group: Option<NamedGroup>,
}

/// The provider of one handle.
#[derive(Default)]
pub struct Internal {
    entries: Held<Entry>,
}

impl Internal {
    pub fn new() -> Internal {
        Internal::default()
    }

    /// The configuration for these options. Another one of the same server goes, with its sessions.
    fn entry(&self, options: &TlsOptions, now: i64) -> Result<Arc<Entry>> {
        let stamp = Stamp::of(options);
        self.entries.entry(options, now, |entry| entry.stamp == stamp, || Entry::new(options, stamp.clone()))
    }
}

impl held::Entry for Entry {
    fn options(&self) -> &TlsOptions {
        &self.options
    }

    fn until(&self) -> Option<i64> {
        self.kept.lock().until
    }
}

impl Entry {
    fn new(options: &TlsOptions, stamp: Stamp) -> Result<Entry> {
        let shape = Shape::of(options)?;
        shape.usable(options)?;
        let trust = Trust::shared(options, &stamp)?;
        let versions: Vec<_> = shape
            .versions
            .iter()
            .map(|version| match version {
                Version::Tls13 => &rustls::version::TLS13,
                _ => &rustls::version::TLS12,
            })
            .collect();
        let unfit = |error: rustls::Error| Error::new(Code::Handshake, format!("TLS cannot be set up: {error}"));
        let verifier = Recorder::new(&shape);
        let builder = ClientConfig::builder_with_details(Arc::new(provider(&shape)), Arc::new(SystemTime))
            .with_protocol_versions(&versions)
            .map_err(unfit)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
        let refusal = Refusal::default();
        let mut config = match &options.client {
            None => builder.with_no_client_auth(),
            Some(client) => builder.with_client_cert_resolver(Arc::new(Shown::new(client, &refusal)?)),
        };
        config.resumption = match options.reuse_sessions {
            true => Resumption::store(Arc::new(ClientSessionMemoryCache::new(8))),
            false => Resumption::disabled(),
        };
        if let Some(path) = &options.key_log {
            config.key_log = Arc::new(KeyLogFile::open(path)?);
        }
        let config = Arc::new(config);
        let (options, label) = (options.clone(), options.label());
        Ok(Entry { options, label, stamp, shape, trust, config, refusal, kept: Mutex::default() })
    }
}

thread_local! {
    /// What the verifier saw in the call of rustls that is running on this thread.
    static SEEN: RefCell<Option<Sent>> = const { RefCell::new(None) };
}

/// The verifier of rustls: notes the certificates for the one who drives the handshake, and checks the signature that
/// proves the server has the key.
#[derive(Debug)]
struct Recorder {
    tls12: Signatures,
    tls13: Signatures,
    /// Those of the versions that are offered.
    offered: Vec<SignatureScheme>,
}

impl Recorder {
    fn new(shape: &Shape) -> Recorder {
        let mut offered: Vec<SignatureScheme> = Vec::new();
        for version in &shape.versions {
            for scheme in &shape.signatures(*version).schemes {
                if !offered.contains(scheme) {
                    offered.push(*scheme);
                }
            }
        }
        Recorder { tls12: shape.tls12.clone(), tls13: shape.tls13.clone(), offered }
    }
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> std::result::Result<ServerCertVerified, rustls::Error> {
        let sent = Sent {
            leaf: leaf.clone().into_owned(),
            others: others.iter().map(|other| other.clone().into_owned()).collect(),
            ocsp: ocsp.to_vec(),
            now: i64::try_from(now.as_secs()).unwrap_or(i64::MAX),
        };
        SEEN.set(Some(sent));
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        allowed(&self.tls12, signature)?;
        verify_tls12_signature(message, leaf, signature, &algorithms())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        allowed(&self.tls13, signature)?;
        verify_tls13_signature(message, leaf, signature, &algorithms())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.offered.clone()
    }
}

/// The list that goes out serves both versions; each holds the server to its own.
fn allowed(list: &Signatures, signature: &DigitallySignedStruct) -> std::result::Result<(), rustls::Error> {
    if list.schemes.contains(&signature.scheme) {
        return Ok(());
    }
    Err(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme.into())
}

impl Provider for Internal {
    fn handshake(
        &self,
        mut stream: Box<dyn Stream>,
        options: &TlsOptions,
        clock: &Clock,
        judge: &mut dyn Judge,
    ) -> Result<Secured> {
        let name = server_name(&options.server_name)?;
        let entry = self.entry(options, now())?;
        let label = &entry.label;
        let mut conn = ClientConnection::new(Arc::clone(&entry.config), name.clone())
            .map_err(|error| fault::handshake(&error, label))?;
        conn.set_buffer_limit(Some(WINDOW));
        judge.tell(format_args!("TLS handshake with {label} begins"))?;
        if let Err(error) = self.drive(&mut conn, &mut *stream, &entry, &name, clock, judge) {
            // Whatever became of it, no later handshake shall lean on this one.
            self.entries.drop_entry(&entry);
            return Err(error);
        }
        let info = negotiated(&conn, &entry)?;
        info.tell(judge, "")?;
        Ok(Secured { stream: Box::new(TlsStream::new(stream, conn, label.clone())), info })
    }

    fn forget(&self) {
        self.entries.clear();
    }
}

impl Internal {
    fn drive(
        &self,
        conn: &mut ClientConnection,
        stream: &mut dyn Stream,
        entry: &Arc<Entry>,
        name: &ServerName<'_>,
        clock: &Clock,
        judge: &mut dyn Judge,
    ) -> Result<()> {
        let label = &entry.label;
        let mut patience = Patience::new(label, clock);
        loop {
            flush(conn, &mut Wire::new(stream, clock), label)?;
            if !conn.is_handshaking() {
                return Ok(());
            }
            patience.check()?;
            let mut wire = Wire::new(stream, clock);
            let count = conn.read_tls(&mut wire).map_err(|error| wire.cause(&error, label))?;
            patience.came(count, wire.first)?;
            SEEN.set(None);
            let outcome = conn.process_new_packets();
            let sent = SEEN.take();
            if let Err(error) = outcome {
                if sent.is_some() {
                    // Our answer to a server that nobody has judged may lie before the alert of rustls.
                    say(stream, HANDSHAKE_FAILURE);
                } else {
                    let _ = flush(conn, &mut Wire::new(stream, &last_word()), label);
                }
                if let Some(refusal) = entry.refusal.lock().take() {
                    let text = format!("the key of the client certificate does not sign: {}", refusal.message);
                    return Err(Error::new(Code::Credentials, text));
                }
                return Err(explained(&error, sent, entry, name));
            }
            if let Some(sent) = sent {
                if let Err((alert, error)) = self.decide(conn, &sent, entry, name, clock, judge) {
                    say(stream, alert);
                    return Err(error);
                }
                patience.renew();
            }
        }
    }

    /// The word on the server, and what it means for the session. The error comes with the alert that tells the server.
    fn decide(
        &self,
        conn: &ClientConnection,
        sent: &Sent,
        entry: &Arc<Entry>,
        name: &ServerName<'_>,
        clock: &Clock,
        judge: &mut dyn Judge,
    ) -> std::result::Result<(), (u8, Error)> {
        let allowed = version(conn).map(|version| entry.shape.signatures(version));
        let accepted = decide(sent, name, &entry.trust, allowed, &entry.options, clock, judge)?;
        match accepted.until {
            Some(_) => {
                let mut kept = entry.kept.lock();
                kept.until = accepted.until;
                kept.group = conn.negotiated_key_exchange_group().map(|group| group.name());
            }
            None => self.entries.drop_entry(entry),
        }
        Ok(())
    }
}

/// A failure inside rustls. A certificate that this provider cannot work with shows there as a wrong signature.
fn explained(error: &rustls::Error, sent: Option<Sent>, entry: &Entry, name: &ServerName<'_>) -> Error {
    if let (Some(sent), rustls::Error::InvalidCertificate(_)) = (&sent, error) {
        let found = verify::examine(sent, name, &entry.trust, None, &entry.options);
        let unusable = |fault| matches!(fault, Fault::Weak | Fault::Unreadable | Fault::Constraint);
        if found.failures.iter().any(|failure| unusable(failure.fault)) {
            return refused(&entry.label, &verify::status(&found.failures.iter().collect::<Vec<_>>()));
        }
    }
    fault::handshake(error, &entry.label)
}

fn version(conn: &ClientConnection) -> Option<Version> {
    match conn.protocol_version()? {
        ProtocolVersion::TLSv1_2 => Some(Version::Tls12),
        ProtocolVersion::TLSv1_3 => Some(Version::Tls13),
        _ => None,
    }
}

fn negotiated(conn: &ClientConnection, entry: &Entry) -> Result<Negotiated> {
    let gap = || Error::new(Code::Internal, "the TLS handshake ended without a version or a cipher suite");
    let version = version(conn).ok_or_else(gap)?;
    let (suite, cipher, strength) = names::describe(conn.negotiated_cipher_suite().ok_or_else(gap)?);
    let group = conn.negotiated_key_exchange_group().map(|group| group.name()).or_else(|| entry.kept.lock().group);
    let (key_exchange, key_exchange_strength) = group.map_or(("", 0), names::describe_group);
    let server_certs: Vec<Vec<u8>> =
        conn.peer_certificates().unwrap_or_default().iter().map(|certificate| certificate.to_vec()).collect();
    Ok(Negotiated {
        version,
        suite: suite.to_owned(),
        cipher: cipher.to_owned(),
        strength,
        key_exchange: key_exchange.to_owned(),
        key_exchange_strength,
        resumed: conn.handshake_kind() == Some(HandshakeKind::Resumed),
        server_certs,
    })
}
