//! The Internal provider: rustls with ring, TLS 1.2 and 1.3.
//!
//! rustls asks a verifier while it takes the server's messages apart. Ours only writes down what was presented; rustls
//! answers the server into a buffer, and before any of that buffer leaves, the certificate is examined and judged here,
//! on the caller's thread. A refusal throws the buffer away and sends an alert in its place.
//!
//! Sessions live with the configuration they were made under, and that is kept for one set of equal options: a changed
//! root, flag, pin, name, key or judge is another configuration without sessions. What the judge overruled is never kept.

use super::binding::{EXPORTER_LABEL, EXPORTER_LENGTH, server_end_point};
use super::client::{Refusal, Shown};
use super::curves::ALGORITHMS;
use super::decide::{HANDSHAKE_FAILURE, decide, refused, say, server_name};
use super::held::{self, Held};
use super::keylog::KeyLogFile;
use super::names::{self, Shape, Signatures};
use super::roots::{Stamp, Trust};
use super::stream::{IDLE, TlsStream, WINDOW, Wire, flush, last_word};
use super::verify::{self, Fault, Sent};
use super::{Judge, Negotiated, Provider, Secured, TlsOptions, Version, fault};
use crate::error::{Code, Error, Result};
use crate::net::{Clock, Stream};
use parking_lot::Mutex;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ClientSessionMemoryCache, Resumption};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, HandshakeKind, NamedGroup, SignatureScheme};
use rustls::{PeerMisbehaved, ProtocolVersion};
use std::cell::RefCell;
use std::sync::{Arc, OnceLock};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// What may be expected of a server as its first byte: the content types of records.
const CONTENT_TYPES: std::ops::RangeInclusive<u8> = 20..=24;

/// The ways to check signatures.
pub(super) fn algorithms() -> WebPkiSupportedAlgorithms {
    ALGORITHMS
}

fn base() -> &'static CryptoProvider {
    static BASE: OnceLock<CryptoProvider> = OnceLock::new();
    BASE.get_or_init(|| CryptoProvider { signature_verification_algorithms: ALGORITHMS, ..ring::default_provider() })
}

/// One set of options, ready to use, and what came of it.
struct Entry {
    options: TlsOptions,
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
        let provider =
            CryptoProvider { cipher_suites: shape.suites.clone(), kx_groups: shape.groups.clone(), ..base().clone() };
        let versions: Vec<_> = shape
            .versions
            .iter()
            .map(|version| match version {
                Version::Tls13 => &rustls::version::TLS13,
                _ => &rustls::version::TLS12,
            })
            .collect();
        let unfit = |error: rustls::Error| Error::new(Code::Handshake, format!("TLS cannot be set up: {error}"));
        let verifier =
            Recorder { tls12: shape.tls12.clone(), tls13: shape.tls13.clone(), versions: shape.versions.clone() };
        let builder = ClientConfig::builder_with_provider(Arc::new(provider))
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
        Ok(Entry { options: options.clone(), stamp, shape, trust, config, refusal, kept: Mutex::default() })
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
    versions: Vec<Version>,
    tls12: Signatures,
    tls13: Signatures,
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
        let mut all: Vec<SignatureScheme> = Vec::new();
        for version in &self.versions {
            let list = if *version == Version::Tls12 { &self.tls12 } else { &self.tls13 };
            let new: Vec<_> = list.schemes.iter().filter(|scheme| !all.contains(*scheme)).copied().collect();
            all.extend(new);
        }
        all
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
        let label = options.label();
        let name = server_name(&options.server_name)?;
        let entry = self.entry(options, now())?;
        let mut conn = ClientConnection::new(Arc::clone(&entry.config), name.clone())
            .map_err(|error| fault::handshake(&error, &label))?;
        conn.set_buffer_limit(Some(WINDOW));
        judge.progress(&format!("TLS handshake with {label} begins"))?;
        if let Err(error) = self.drive(&mut conn, &mut *stream, &entry, &name, clock, judge) {
            // Whatever became of it, no later handshake shall lean on this one.
            self.entries.drop_entry(&entry);
            return Err(error);
        }
        let info = negotiated(&conn, &entry)?;
        judge.progress(&summary(&info))?;
        Ok(Secured { stream: Box::new(TlsStream::new(stream, conn, label)), info })
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
        let label = entry.options.label();
        let (mut begun, mut total) = (false, 0usize);
        let mut deadline = clock.deadline();
        loop {
            flush(conn, &mut Wire::new(stream, clock), &label)?;
            if !conn.is_handshaking() {
                return Ok(());
            }
            // Pieces of a flight are no progress.
            if deadline.is_some_and(|end| Instant::now() >= end) {
                return Err(clock.timed_out(&format!("the TLS handshake of {label}")));
            }
            let mut wire = Wire::new(stream, clock);
            let count = conn.read_tls(&mut wire).map_err(|error| wire.cause(&error, &label))?;
            if count == 0 {
                let text = format!("the TLS handshake with {label} failed: the server closed the connection");
                return Err(Error::new(Code::Handshake, text));
            }
            total += count;
            if total > IDLE {
                let text = format!("the TLS handshake with {label} failed: the server sends without end");
                return Err(Error::new(Code::Handshake, text));
            }
            let first = wire.first.filter(|_| !begun);
            begun = true;
            if first.is_some_and(|first| !CONTENT_TYPES.contains(&first)) {
                let text = format!("the TLS handshake with {label} failed: the server does not answer with TLS");
                return Err(Error::new(Code::Handshake, text));
            }
            SEEN.set(None);
            let outcome = conn.process_new_packets();
            let sent = SEEN.take();
            let judged = sent.is_some();
            if let Err(error) = outcome {
                if sent.is_some() {
                    // Our answer to a server that nobody has judged may lie before the alert of rustls.
                    say(stream, HANDSHAKE_FAILURE);
                } else {
                    let _ = flush(conn, &mut Wire::new(stream, &last_word()), &label);
                }
                if let Some(refusal) = entry.refusal.lock().take() {
                    let text = format!("the key of the client certificate does not sign: {}", refusal.message);
                    return Err(Error::new(Code::Credentials, text));
                }
                return Err(explained(&error, sent, entry, name, &label));
            }
            if let Some(sent) = sent
                && let Err((alert, error)) = self.decide(conn, &sent, entry, name, clock, judge)
            {
                say(stream, alert);
                return Err(error);
            }
            if judged {
                // Whoever was asked may have taken their time.
                deadline = clock.deadline();
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
fn explained(error: &rustls::Error, sent: Option<Sent>, entry: &Entry, name: &ServerName<'_>, label: &str) -> Error {
    if let (Some(sent), rustls::Error::InvalidCertificate(_)) = (&sent, error) {
        let found = verify::examine(sent, name, &entry.trust, None, &entry.options);
        let unusable = |fault| matches!(fault, Fault::Weak | Fault::Unreadable | Fault::Constraint);
        if found.failures.iter().any(|failure| unusable(failure.fault)) {
            return refused(label, &verify::status(&found.failures.iter().collect::<Vec<_>>()));
        }
    }
    fault::handshake(error, label)
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
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
    let exporter = || {
        conn.export_keying_material(vec![0; EXPORTER_LENGTH], EXPORTER_LABEL, Some(b""))
            .map_err(|error| fault::handshake(&error, &entry.options.label()))
    };
    Ok(Negotiated {
        version,
        suite: suite.to_owned(),
        cipher: cipher.to_owned(),
        strength,
        key_exchange: key_exchange.to_owned(),
        key_exchange_strength,
        resumed: conn.handshake_kind() == Some(HandshakeKind::Resumed),
        tls_server_end_point: server_certs.first().and_then(|leaf| server_end_point(leaf)),
        tls_exporter: (version == Version::Tls13).then(exporter).transpose()?,
        server_certs,
    })
}

fn summary(info: &Negotiated) -> String {
    let how = if info.resumed { "resumed session" } else { "full handshake" };
    format!("{} with {}, {}, {how}", info.version.name(), info.suite, info.key_exchange)
}
