//! TLS around the conversation: when it starts (ruling 31, RFC 8314, RFC 3207), what the settings ask of it, who is asked
//! about the server's certificate (ruling 38), and what the handshake agreed on.

use super::operation::Operation;
use super::revocation::Way;
use super::{Component, State};
use crate::auth;
use crate::certs::Certificate;
use crate::certs::pem;
use crate::certs::x509::X509;
use crate::config::{Setting, Settings, Value};
use crate::enums::{SslProvider, SslStartMode};
use crate::error::{Code, Error, Result};
use crate::events::{Kind, Sink, SslServerAuthentication, SslStatus};
use crate::net::tls::choice::{self, Chosen, Which};
use crate::net::tls::packets::Packets;
use crate::net::tls::revocation::Levels;
use crate::net::tls::{
    ClientIdentity, Failure, Judge, Negotiated, OpensslSettings, Presented, Question, Secret, Secured, TlsOptions,
    names, roots, spki_pins,
};
use crate::net::{Clock, Stream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What a handle remembers about TLS. Sessions are the provider's.
#[derive(Default)]
pub struct Tls {
    pub ssl_provider: SslProvider,
    pub ssl_start_mode: SslStartMode,
    /// What is shown to a server that asks.
    pub ssl_cert: Certificate,
    /// What is accepted without further checks.
    pub ssl_accept_server_cert: Certificate,
    /// What the server showed in the last handshake.
    pub ssl_server_cert: Certificate,
    /// What the last handshake agreed on, until the next connection is tried.
    pub negotiated: Option<Negotiated>,
    /// What a server sent last, as it was read: one that is met again need not be read again.
    seen: Option<(Vec<Vec<u8>>, Certificate)>,
    /// The open connection is secured.
    pub active: bool,
    /// StartTls was called: a connection that is opened again in place of that one has TLS too, until Connect begins anew.
    pub by_command: bool,
}

/// When TLS starts on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    /// Never: nobody asked for it.
    Never,
    /// Before the greeting.
    AtOnce,
    /// By STARTTLS; a server that does not offer it is not talked to.
    ByCommand,
}

impl Tls {
    pub fn ssl_enabled(&self) -> bool {
        self.ssl_start_mode != SslStartMode::None
    }

    /// True asks for TLS where nothing does, False for none (ruling 31).
    pub fn set_ssl_enabled(&mut self, value: bool) -> Result<()> {
        self.ssl_start_mode = match (value, self.ssl_start_mode) {
            (false, _) => SslStartMode::None,
            (true, SslStartMode::None) => SslStartMode::Automatic,
            (true, mode) => mode,
        };
        Ok(())
    }

    pub(super) fn start(&self, port: i32) -> Start {
        match self.ssl_start_mode {
            SslStartMode::None if self.by_command => Start::ByCommand,
            SslStartMode::None => Start::Never,
            SslStartMode::Implicit => Start::AtOnce,
            SslStartMode::Explicit => Start::ByCommand,
            // The ports on which a server speaks plaintext first: relay and submission.
            SslStartMode::Automatic if matches!(port, 25 | 587) => Start::ByCommand,
            SslStartMode::Automatic => Start::AtOnce,
        }
    }

    /// A new connection is tried: what the last one showed is gone.
    pub(super) fn begin(&mut self) {
        self.negotiated = None;
        self.ssl_server_cert = Certificate::default();
        self.active = false;
    }

    /// What a login can be bound to, but for what the connection itself gives.
    pub(super) fn channel(&self) -> auth::Channel {
        let info = self.negotiated.as_ref().filter(|_| self.active);
        auth::Channel { tls: self.active, exporter: None, end_point: info.and_then(Negotiated::end_point) }
    }

    /// SSLServerCert: what the server sent, its own certificate first. One that nobody can read shows as none.
    fn show(&mut self, certificates: &[Vec<u8>]) {
        if self.seen.as_ref().is_none_or(|(seen, _)| seen != certificates) {
            let shown = certificates.split_first().and_then(|(leaf, rest)| Certificate::of_der(leaf, rest).ok());
            self.seen = Some((certificates.to_vec(), shown.unwrap_or_default()));
        }
        self.ssl_server_cert = self.seen.as_ref().map(|(_, shown)| shown.clone()).unwrap_or_default();
    }

    /// One of the SSLNegotiated settings; empty before a handshake.
    pub(super) fn negotiated(&self, setting: Setting) -> String {
        let Some(info) = &self.negotiated else { return String::new() };
        let bits = |bits: u32| if bits == 0 { String::new() } else { bits.to_string() };
        match setting {
            Setting::SslNegotiatedCipher => info.cipher.clone(),
            Setting::SslNegotiatedCipherStrength => bits(info.strength),
            Setting::SslNegotiatedCipherSuite => info.suite.clone(),
            Setting::SslNegotiatedKeyExchange => info.key_exchange.clone(),
            Setting::SslNegotiatedKeyExchangeStrength => bits(info.key_exchange_strength),
            _ => info.version.name().to_owned(),
        }
    }
}

/// What the settings ask of the next handshake with one host.
pub(super) struct Plan {
    which: Which,
    options: TlsOptions,
    /// For SSLStatus: what was asked for and had to be left out.
    note: Option<String>,
    /// LogSSLPackets.
    packets: bool,
    /// SSLIncludeCertChain, which Internal always has.
    whole_chain: bool,
}

impl Plan {
    /// For a host and its port; the host is the name that the caller set, whatever address it has.
    pub(super) fn read(state: &State, sink: &dyn Sink, host: &str, port: u16) -> Result<Plan> {
        let mut options = options(state)?;
        options.server_name = host.to_owned();
        options.port = port;
        options.judge_generation = sink.judge();
        options.client = identity(state)?;
        let Chosen { which, options, note } = choice::choose(asked(state), options)?;
        let internal = which == Which::Internal;
        Ok(Plan {
            which,
            options,
            note,
            packets: internal && state.settings.bool(Setting::LogSslPackets),
            whole_chain: internal || state.settings.bool(Setting::SslIncludeCertChain),
        })
    }

    /// For the proxy on the way: what is said of the server alone (its pins, the certificate that is accepted, ours for it) does
    /// not count.
    pub(super) fn for_proxy(state: &State, sink: &dyn Sink, host: &str, port: u16) -> Result<Plan> {
        let mut plan = Plan::read(state, sink, host, port)?;
        plan.options.accept_cert = None;
        // What is waived for the mail server is not waived for the proxy.
        plan.options.security_flags = 0;
        plan.options.spki_pins = Default::default();
        plan.options.client = None;
        // Who says whether it was revoked would be reached through the proxy itself.
        plan.options.revocation = Levels::default();
        Ok(plan)
    }
}

/// SSLProvider, and what Automatic means where UseInternalSecurityAPI is False.
fn asked(state: &State) -> SslProvider {
    match state.tls.ssl_provider {
        SslProvider::Automatic if !use_internal() => SslProvider::Platform,
        provider => provider,
    }
}

/// The settings, for no host yet.
pub(super) fn options(state: &State) -> Result<TlsOptions> {
    let settings = &state.settings;
    // The default is a wish, and so is nothing, which costs nothing to copy and to compare.
    let list = |setting, default: &str| Some(settings.text(setting)).filter(|text| *text != default).map(str::to_owned);
    let number = |setting| u32::try_from(settings.int(setting)).unwrap_or(0);
    Ok(TlsOptions {
        protocols: number(Setting::SslEnabledProtocols),
        suites: list(Setting::SslEnabledCipherSuites, names::DEFAULT_SUITES),
        min_strength: number(Setting::SslCipherStrength),
        tls12_groups: list(Setting::Tls12SupportedGroups, names::DEFAULT_TLS12_GROUPS),
        tls13_groups: list(Setting::Tls13SupportedGroups, names::DEFAULT_TLS13_GROUPS),
        tls13_key_shares: list(Setting::Tls13KeyShareGroups, names::DEFAULT_TLS13_KEY_SHARES),
        tls12_signatures: list(Setting::Tls12SignatureAlgorithms, names::DEFAULT_TLS12_SIGNATURES),
        tls13_signatures: list(Setting::Tls13SignatureAlgorithms, names::DEFAULT_TLS13_SIGNATURES),
        extra_roots: settings.text(Setting::SslServerCaCerts).to_owned(),
        ca_files: ca_files(state),
        security_flags: number(Setting::SslSecurityFlags),
        key_log: Some(settings.text(Setting::SslKeyLogFile)).filter(|path| !path.is_empty()).map(PathBuf::from),
        accept_cert: state
            .tls
            .ssl_accept_server_cert
            .loaded()
            .and_then(|found| Some(found.certificate.as_ref()?.der().to_vec())),
        spki_pins: spki_pins(settings.text(Setting::SslPinnedPublicKeys))?,
        reuse_sessions: settings.bool(Setting::ReuseSslSession),
        revocation: Levels {
            crl: u8::try_from(settings.int(Setting::SslCheckCrl)).unwrap_or(2),
            ocsp: u8::try_from(settings.int(Setting::SslCheckOcsp)).unwrap_or(2),
        },
        openssl: openssl(settings),
        ..TlsOptions::new("", 0)
    })
}

/// What only the platform's library is told.
fn openssl(settings: &Settings) -> OpensslSettings {
    let text = |setting| Some(settings.text(setting)).filter(|text| !text.is_empty()).map(str::to_owned);
    OpensslSettings {
        ca_file: text(Setting::OpenSslcaFile).map(PathBuf::from),
        ca_dir: text(Setting::OpenSslcaDir).map(PathBuf::from),
        cipher_list: text(Setting::OpenSslCipherList),
        prng_seed: text(Setting::OpenSslPrngSeedData).map(|seed| Secret::new(seed.into_bytes())),
    }
}

/// SSLCert with its key, and SSLCACerts after it; 273 for a certificate without its key.
fn identity(state: &State) -> Result<Option<ClientIdentity>> {
    let Some(found) = state.tls.ssl_cert.loaded() else { return Ok(None) };
    let unfit = |why: &str| Error::new(Code::Credentials, format!("SSLCert {why}"));
    let leaf = found.certificate.as_ref().ok_or_else(|| unfit("has a key and no certificate"))?;
    let key = found.key.as_ref().ok_or_else(|| unfit("has no private key, so that it proves nothing"))?;
    if !key.belongs_to(leaf) {
        return Err(unfit("has the private key of another certificate"));
    }
    let others = roots::from_pem(state.settings.text(Setting::SslcaCerts).as_bytes(), "SSLCACerts")?;
    let chain = std::iter::once(leaf.der().to_vec()).chain(others.iter().map(|other| other.to_vec())).collect();
    Ok(Some(ClientIdentity { chain, key: Arc::clone(key) }))
}

/// PEM, which has lines.
pub(super) fn has_lines(setting: Setting) -> bool {
    matches!(setting, Setting::SslServerCaCerts | Setting::SslcaCerts | Setting::SslClientCaCerts)
}

/// Whether a setting that was just set means something to the provider: 603 with what it has (rulings 18, 21).
pub(super) fn check(state: &State, setting: Setting) -> Result<()> {
    let text = state.settings.text(setting);
    match setting {
        Setting::SslEnabledCipherSuites
        | Setting::SslCipherStrength
        | Setting::Tls12SupportedGroups
        | Setting::Tls13SupportedGroups
        | Setting::Tls13KeyShareGroups
        | Setting::Tls12SignatureAlgorithms
        | Setting::Tls13SignatureAlgorithms
        | Setting::OpenSslCipherList
        | Setting::SslEnabledProtocols => choice::check(asked(state), options(state)?),
        Setting::SslPinnedPublicKeys => spki_pins(text).map(drop),
        Setting::SslEnableRenegotiation if !state.settings.bool(setting) => {
            let why = "SSLEnableRenegotiation: no provider leaves renegotiation_info (RFC 5746) out";
            Err(Error::new(Code::ValueRefused, why))
        }
        Setting::SslServerCaCerts => roots::from_pem(text.as_bytes(), "SSLServerCACerts").map(drop),
        Setting::SslcaCerts => roots::from_pem(text.as_bytes(), "SSLCACerts").map(drop),
        Setting::SslClientCaCerts => roots::from_pem(text.as_bytes(), "SSLClientCACerts").map(drop),
        _ => Ok(()),
    }
}

/// UseInternalSecurityAPI, which is one value for the whole process.
static INTERNAL: AtomicBool = AtomicBool::new(true);

pub(super) fn use_internal() -> bool {
    INTERNAL.load(Ordering::Relaxed)
}

pub(super) fn set_use_internal(value: bool) {
    INTERNAL.store(value, Ordering::Relaxed);
}

/// SecurityProfile=Modern (ruling 3): what a new program should use, in one call.
pub(super) fn modern(settings: &mut Settings) {
    settings.set(Setting::SslEnabledProtocols, Value::Int(i64::from(names::TLS12 | names::TLS13)));
    settings.set(Setting::UseNtlMv2, Value::Bool(true));
    settings.set(Setting::MessageIdAlgorithm, Value::Text("SHA256".into()));
}

/// Whether that profile was asked for. It sends no login without TLS.
pub(super) fn is_modern(settings: &Settings) -> bool {
    settings.text(Setting::SecurityProfile).eq_ignore_ascii_case("Modern")
}

/// The default names the usual places of the system's bundle, which is found without it.
fn ca_files(state: &State) -> Vec<PathBuf> {
    let set = state.settings.get(Setting::CaCertFilePaths);
    if *set == Setting::CaCertFilePaths.initial() {
        return Vec::new();
    }
    let paths = state.settings.text(Setting::CaCertFilePaths).split(';').map(str::trim);
    paths.filter(|path| !path.is_empty()).map(PathBuf::from).collect()
}

impl Operation<'_> {
    /// Secures the conversation with the server, in place of the plaintext one; errors end it.
    pub(super) fn secure(&mut self, plan: &Plan) -> Result<()> {
        let component = self.component;
        let clock = self.clock.clone();
        let Some(session) = self.session.as_mut() else { return Err(Error::plain(Code::NotConnected)) };
        let done = session.secure(|stream| {
            let Secured { stream, info } = component.handshake(stream, plan, &clock)?;
            let mut state = component.state.lock();
            state.tls.show(&info.server_certs);
            state.tls.negotiated = Some(info);
            state.tls.active = true;
            Ok(stream)
        });
        match &done {
            Ok(()) => self.status("SSL handshake complete", 0, "OK"),
            Err(error) => {
                self.status("SSL handshake complete", error.code as i32, &error.message)?;
                done
            }
        }
    }
}

impl Component {
    /// One handshake over any stream, with the events of this handle.
    pub(super) fn handshake(&self, stream: Box<dyn Stream>, plan: &Plan, clock: &Clock) -> Result<Secured> {
        let mut ear = Ear {
            component: self,
            sink: Arc::clone(&self.sink),
            levels: plan.options.revocation,
            whole_chain: plan.whole_chain,
        };
        if let Some(note) = &plan.note {
            ear.progress(note)?;
        }
        let stream = if plan.packets {
            let sink = Arc::clone(&self.sink);
            Box::new(Packets::new(
                stream,
                Arc::new(move |line| sink.ssl_status(&SslStatus { message: line.as_bytes() })),
            ))
        } else {
            stream
        };
        self.tls.get(plan.which).handshake(stream, &plan.options, clock, &mut ear)
    }
}

/// Tells the caller's handlers of a handshake, and asks them.
struct Ear<'a> {
    component: &'a Component,
    sink: Arc<dyn Sink>,
    levels: Levels,
    whole_chain: bool,
}

impl Judge for Ear<'_> {
    fn judge(&mut self, question: &Question<'_>) -> Result<bool> {
        self.component.state.lock().tls.show(question.chain);
        if !self.sink.wants(Kind::SslServerAuthentication) {
            return Ok(question.accept);
        }
        let read = X509::from_der(question.leaf).ok();
        let (subject, issuer) = read.as_ref().map_or(("", ""), |leaf| (&*leaf.subject, &*leaf.issuer));
        // Leaf, what else was sent, the root that was found.
        let told = if self.whole_chain { question.chain } else { question.chain.get(..1).unwrap_or_default() };
        let encoded: String = told.iter().map(|der| pem::encode("CERTIFICATE", der)).collect();
        let mut event = SslServerAuthentication {
            cert_encoded: encoded.as_bytes(),
            cert_encoded_b: question.leaf,
            cert_subject: subject.as_bytes(),
            cert_issuer: issuer.as_bytes(),
            status: question.status.as_bytes(),
            accept: question.accept,
        };
        self.sink.ssl_server_authentication(&mut event)?;
        Ok(event.accept)
    }

    fn revocation(&mut self, presented: &Presented<'_>, clock: &Clock) -> Result<Vec<Failure>> {
        self.component.revocation.check(self.levels, presented, &mut Way(self.component), clock)
    }

    fn progress(&mut self, line: &str) -> Result<()> {
        self.sink.ssl_status(&SslStatus { message: line.as_bytes() })
    }

    fn listens(&self) -> bool {
        self.sink.wants(Kind::SslStatus)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn automatic_is_explicit_on_the_ports_where_plaintext_comes_first() {
        let start = |mode, port| Tls { ssl_start_mode: mode, ..Tls::default() }.start(port);
        for port in [25, 587] {
            assert_eq!(start(SslStartMode::Automatic, port), Start::ByCommand);
        }
        for port in [465, 2525, 26, 443] {
            assert_eq!(start(SslStartMode::Automatic, port), Start::AtOnce);
        }
        for port in [25, 465] {
            assert_eq!(start(SslStartMode::None, port), Start::Never);
            assert_eq!(Tls { by_command: true, ..Tls::default() }.start(port), Start::ByCommand);
            assert_eq!(start(SslStartMode::Implicit, port), Start::AtOnce);
            assert_eq!(start(SslStartMode::Explicit, port), Start::ByCommand);
        }
    }
}
