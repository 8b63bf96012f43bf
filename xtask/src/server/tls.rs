//! The embedded server's side of TLS: rustls below the conversation, at once or after STARTTLS (RFC 3207), and what each
//! handshake was as the server saw it.

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{DigitallySignedStruct, DistinguishedName, ServerConfig, ServerConnection, SignatureScheme};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, OnceLock};

/// When a connection is secured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Implicit,
    StartTls,
}

impl Mode {
    pub fn parse(text: &str) -> Option<Mode> {
        match text {
            "implicit" => Some(Mode::Implicit),
            "starttls" => Some(Mode::StartTls),
            _ => None,
        }
    }
}

/// TLS as a server offers it.
#[derive(Debug, Clone)]
pub struct Tls {
    pub mode: Mode,
    pub(super) config: Arc<ServerConfig>,
}

/// A handshake as the server saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handshake {
    /// `TLSv1_3`, `TLSv1_2`.
    pub version: String,
    /// rustls' name of the suite: `TLS13_AES_256_GCM_SHA384`.
    pub suite: String,
    pub resumed: bool,
    /// The name that the client asked for.
    pub server_name: Option<String>,
    /// The certificates that the client showed, DER.
    pub client: Vec<Vec<u8>>,
}

/// How a server with certificates is set.
#[derive(Debug, Clone, Default)]
pub struct Setup {
    /// PEM: the server's certificate, and what it sends after it.
    pub certificates: Vec<u8>,
    /// PEM.
    pub key: Vec<u8>,
    /// Only TLS 1.2, or only TLS 1.3.
    pub only: Option<u16>,
    /// Asks for a client's certificate, and takes any.
    pub ask_client: bool,
}

impl Tls {
    pub fn new(mode: Mode, setup: &Setup) -> Result<Tls, String> {
        let said = |e: &dyn std::fmt::Display| format!("the server's TLS: {e}");
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&setup.certificates).collect();
        let chain = chain.map_err(|e| said(&e))?;
        let key = PrivateKeyDer::from_pem_slice(&setup.key).map_err(|e| said(&e))?;
        let versions: Vec<_> = rustls::ALL_VERSIONS
            .iter()
            .copied()
            .filter(|v| setup.only.is_none_or(|only| u16::from(v.version) == only))
            .collect();
        let provider = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&versions)
            .map_err(|e| said(&e))?;
        let builder = match setup.ask_client {
            true => builder.with_client_cert_verifier(Arc::new(Anybody(provider.clone()))),
            false => builder.with_no_client_auth(),
        };
        // Not looked at: some of the tests' certificates are wrong on purpose.
        let key = provider.key_provider.load_private_key(key).map_err(|e| said(&e))?;
        let shown = SingleCertAndKey::from(CertifiedKey::new(chain, key));
        let mut config = builder.with_cert_resolver(Arc::new(shown));
        config.send_tls13_tickets = 2;
        Ok(Tls { mode, config: Arc::new(config) })
    }

    /// With a certificate that this process makes for itself once.
    pub(super) fn own() -> Result<Tls, String> {
        static OWN: OnceLock<Result<Tls, String>> = OnceLock::new();
        OWN.get_or_init(|| {
            let folder = std::env::temp_dir().join(format!("ssmtp-server-{}", std::process::id()));
            std::fs::create_dir_all(&folder).map_err(|e| e.to_string())?;
            let made = Tls::from_files(Mode::StartTls, &folder.join("cert.pem"), &folder.join("key.pem"));
            let _ = std::fs::remove_dir_all(&folder);
            made
        })
        .clone()
    }

    /// From two PEM files. Where they are not there they are made, by openssl: for localhost and 127.0.0.1, signed by
    /// itself, so that who trusts that very certificate can verify the server.
    pub fn from_files(mode: Mode, certificates: &Path, key: &Path) -> Result<Tls, String> {
        if !certificates.exists() && !key.exists() {
            make(certificates, key)?;
        }
        let read = |path: &Path| std::fs::read(path).map_err(|e| format!("{}: {e}", path.display()));
        Tls::new(mode, &Setup { certificates: read(certificates)?, key: read(key)?, ..Setup::default() })
    }
}

fn make(certificate: &Path, key: &Path) -> Result<(), String> {
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30"])
        .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE", "-addext", "extendedKeyUsage=serverAuth"])
        .arg("-keyout")
        .arg(key)
        .arg("-out")
        .arg(certificate)
        .output()
        .map_err(|e| format!("openssl cannot be run: {e}"))?;
    match made.status.success() {
        true => Ok(()),
        false => Err(format!("openssl: {}", String::from_utf8_lossy(&made.stderr))),
    }
}

/// Any client with any certificate, or none; what it showed is noted. Its signature is checked all the same.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ClientCertVerifier for Anybody {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// The socket, and what may lie over it.
pub(super) struct Pipe {
    pub socket: TcpStream,
    tls: Option<Box<ServerConnection>>,
}

impl Pipe {
    pub fn new(socket: TcpStream) -> Pipe {
        Pipe { socket, tls: None }
    }

    /// From here on everything is TLS; the handshake happens with the next read.
    pub fn secure(&mut self, tls: &Tls) -> io::Result<()> {
        self.tls = Some(Box::new(ServerConnection::new(Arc::clone(&tls.config)).map_err(io::Error::other)?));
        Ok(())
    }

    pub fn is_handshaking(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.is_handshaking())
    }

    /// Goes on with the handshake; errors of kind WouldBlock and TimedOut are no failure.
    pub fn shake(&mut self) -> io::Result<()> {
        match &mut self.tls {
            Some(tls) => tls.complete_io(&mut self.socket).map(drop),
            None => Ok(()),
        }
    }

    pub fn handshake(&self) -> Option<Handshake> {
        let tls = self.tls.as_ref()?;
        Some(Handshake {
            version: format!("{:?}", tls.protocol_version()?),
            suite: format!("{:?}", tls.negotiated_cipher_suite()?.suite()),
            resumed: tls.handshake_kind() == Some(rustls::HandshakeKind::Resumed),
            server_name: tls.server_name().map(str::to_owned),
            client: tls.peer_certificates().unwrap_or_default().iter().map(|c| c.to_vec()).collect(),
        })
    }

    /// Says that nothing more follows.
    pub fn finish(&mut self) {
        if let Some(tls) = &mut self.tls {
            tls.send_close_notify();
            let _ = tls.complete_io(&mut self.socket);
        }
    }
}

impl Read for Pipe {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match &mut self.tls {
            Some(tls) => rustls::Stream::new(&mut **tls, &mut self.socket).read(buf),
            None => self.socket.read(buf),
        }
    }
}

impl Write for Pipe {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        match &mut self.tls {
            Some(tls) => {
                let mut stream = rustls::Stream::new(&mut **tls, &mut self.socket);
                let count = stream.write(buf)?;
                stream.flush().map(|()| count).or_else(|e| if super::wire::waiting(&e) { Ok(count) } else { Err(e) })
            }
            None => self.socket.write(buf),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
