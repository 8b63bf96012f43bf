//! Logins that are bound to the TLS connection below them: SCRAM-*-PLUS (RFC 5802, RFC 9266, RFC 5929) and NTLM's channel
//! binding (MS-NLMP section 2.2.2.1), against a server that knows its own side of the connection and computes all of it anew.

mod common;
#[path = "common/pki.rs"]
mod pki;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::Handle;
use ring::{digest, hmac, pbkdf2};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use rustls::{ServerConfig, ServerConnection, StreamOwned, SupportedProtocolVersion};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

const USER: &str = "tim";
const PASSWORD: &str = "tanstaaf-Zx7";
const TLS12: &[&SupportedProtocolVersion] = &[&rustls::version::TLS12];
const BOTH: &[&SupportedProtocolVersion] = rustls::ALL_VERSIONS;

/// What the server says of the channel when it is asked, true or not.
#[derive(Clone, Copy, PartialEq)]
enum Channel {
    Own,
    /// As if somebody else's connection lay between.
    Other,
}

/// One end of a conversation.
struct Talk {
    reader: BufReader<StreamOwned<ServerConnection, TcpStream>>,
    exporter: Vec<u8>,
    end_point: Vec<u8>,
}

impl Talk {
    fn hear(&mut self) -> String {
        let mut line = String::new();
        let _ = self.reader.read_line(&mut line);
        line.trim_end().to_string()
    }

    fn say(&mut self, line: &str) {
        let _ = self.reader.get_mut().write_all(format!("{line}\r\n").as_bytes());
    }

    fn decoded(&mut self) -> Vec<u8> {
        let line = self.hear();
        STANDARD.decode(line.split(' ').next_back().unwrap_or_default()).unwrap_or_default()
    }
}

/// A server for one connection; `offer` are its mechanisms, and it does this with the line that begins the login.
fn server<T: Send + 'static>(
    versions: &'static [&'static SupportedProtocolVersion],
    offer: &'static str,
    log_in: impl FnOnce(&mut Talk, &str) -> T + Send + 'static,
) -> (u16, JoinHandle<T>) {
    let setup = pki::setup("faults-none");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let thread = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let chain: Vec<_> = CertificateDer::pem_slice_iter(&setup.certificates).map(Result::unwrap).collect();
        let leaf = chain[0].to_vec();
        let key = PrivateKeyDer::from_pem_slice(&setup.key).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider).with_protocol_versions(versions).unwrap();
        let config = builder.with_no_client_auth().with_single_cert(chain, key).unwrap();
        let mut stream = StreamOwned::new(ServerConnection::new(Arc::new(config)).unwrap(), stream);
        stream.conn.complete_io(&mut stream.sock).unwrap();
        let exporter =
            stream.conn.export_keying_material([0; 32], b"EXPORTER-Channel-Binding", Some(b"")).unwrap().to_vec();
        // The certificates of pki.sh are signed with SHA-256.
        let end_point = digest::digest(&digest::SHA256, &leaf).as_ref().to_vec();
        let mut talk = Talk { reader: BufReader::new(stream), exporter, end_point };
        talk.say("220 bound.example ready");
        talk.hear();
        talk.say("250-bound.example");
        talk.say(&format!("250 AUTH {offer}"));
        let first = talk.hear();
        log_in(&mut talk, &first)
    });
    (port, thread)
}

fn client(port: u16, mechanism: &str) -> Handle {
    let handle = Handle::to(port);
    handle.must_set("MailServer", "localhost");
    handle.must_set("SSLStartMode", "sslImplicit");
    handle.config(&format!("SSLServerCACerts={}", pki::pem("ca"))).unwrap();
    handle.must_set("User", USER);
    handle.must_set("Password", PASSWORD);
    handle.config(&format!("SASLMechanism={mechanism}")).unwrap();
    handle
}

/// The hashes of one SCRAM.
#[derive(Clone, Copy)]
struct Hashes(&'static digest::Algorithm, hmac::Algorithm, pbkdf2::Algorithm);

const SHA1: Hashes =
    Hashes(&digest::SHA1_FOR_LEGACY_USE_ONLY, hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, pbkdf2::PBKDF2_HMAC_SHA1);
const SHA256: Hashes = Hashes(&digest::SHA256, hmac::HMAC_SHA256, pbkdf2::PBKDF2_HMAC_SHA256);
const SHA512: Hashes = Hashes(&digest::SHA512, hmac::HMAC_SHA512, pbkdf2::PBKDF2_HMAC_SHA512);

/// The server's part of RFC 5802 section 3, and its word: what is wrong, or the gs2 header.
fn scram(talk: &mut Talk, first: &str, hashes: Hashes, channel: Channel) -> Result<String, &'static str> {
    let done = scram_answer(talk, first, hashes, channel);
    talk.say(if done.is_ok() { "235 welcome" } else { "535 no" });
    talk.hear();
    done
}

fn scram_answer(talk: &mut Talk, first: &str, hashes: Hashes, channel: Channel) -> Result<String, &'static str> {
    let message = STANDARD.decode(first.split(' ').nth(2).ok_or("no first message")?).map_err(|_| "no Base64")?;
    let message = String::from_utf8(message).map_err(|_| "no text")?;
    let at = message.match_indices(',').nth(1).ok_or("no gs2 header")?.0 + 1;
    let (gs2, bare) = message.split_at(at);
    let nonce = bare.split(",r=").nth(1).ok_or("no nonce")?;
    let (salt, rounds) = (b"salt of the server", 4096);
    let server_first = format!("r={nonce}ours,s={},i={rounds}", STANDARD.encode(salt));
    talk.say(&format!("334 {}", STANDARD.encode(&server_first)));
    let last = String::from_utf8(talk.decoded()).map_err(|_| "no text")?;
    let (without_proof, proof) = last.rsplit_once(",p=").ok_or("no proof")?;
    let key = |key: &[u8], text: &str| hmac::sign(&hmac::Key::new(hashes.1, key), text.as_bytes()).as_ref().to_vec();

    let mut bound = gs2.as_bytes().to_vec();
    let mut data = match gs2.split(',').next() {
        Some("p=tls-exporter") => talk.exporter.clone(),
        Some("p=tls-server-end-point") => talk.end_point.clone(),
        _ => Vec::new(),
    };
    if channel == Channel::Other && !data.is_empty() {
        data[0] ^= 1;
    }
    bound.extend(data);
    if !without_proof.starts_with(&format!("c={},r={nonce}ours", STANDARD.encode(bound))) {
        return Err("another channel");
    }
    let mut salted = vec![0; hashes.0.output_len()];
    pbkdf2::derive(hashes.2, NonZeroU32::new(rounds).unwrap(), salt, PASSWORD.as_bytes(), &mut salted);
    let client_key = key(&salted, "Client Key");
    let stored = digest::digest(hashes.0, &client_key);
    let signed = format!("{bare},{server_first},{without_proof}");
    let mask = key(stored.as_ref(), &signed);
    let expected: Vec<u8> = client_key.iter().zip(&mask).map(|(a, b)| a ^ b).collect();
    if STANDARD.decode(proof) != Ok(expected) {
        return Err("a wrong proof");
    }
    let signature = key(&key(&salted, "Server Key"), &signed);
    talk.say(&format!("334 {}", STANDARD.encode(format!("v={}", STANDARD.encode(signature)))));
    talk.hear();
    Ok(gs2.to_string())
}

#[test]
fn scram_plus_is_bound_to_the_connection_or_to_the_certificate() {
    for (name, hashes) in [("SCRAM-SHA-1-PLUS", SHA1), ("SCRAM-SHA-256-PLUS", SHA256), ("SCRAM-SHA-512-PLUS", SHA512)] {
        for (versions, gs2) in [(BOTH, "p=tls-exporter,,"), (TLS12, "p=tls-server-end-point,,")] {
            let (port, thread) = server(versions, name, move |talk, first| scram(talk, first, hashes, Channel::Own));
            let handle = client(port, name);
            let done = handle.call("Connect", "");
            handle.call("Disconnect", "").unwrap();
            assert_eq!(thread.join().unwrap(), Ok(gs2.to_string()), "{name}");
            assert_eq!(done, Ok(()), "{name}");
        }
    }
}

#[test]
fn on_another_channel_the_right_password_is_of_no_use() {
    for versions in [BOTH, TLS12] {
        let (port, thread) =
            server(versions, "SCRAM-SHA-256-PLUS", |talk, first| scram(talk, first, SHA256, Channel::Other));
        let error = client(port, "SCRAM-SHA-256-PLUS").call("Connect", "").unwrap_err();
        assert_eq!(thread.join().unwrap(), Err("another channel"));
        assert_eq!(error.code, 161);
        assert!(error.text.contains("The server refuses the SCRAM-SHA-256-PLUS login"), "{}", error.text);
    }
}

#[test]
fn without_plus_the_client_says_what_it_knows_of_the_offer() {
    // RFC 5802 section 6: `y` where the server offers none, so that a cut offer is found out; `n` where it is not wanted.
    for (offer, gs2) in [("SCRAM-SHA-256", "y,,"), ("SCRAM-SHA-256 SCRAM-SHA-256-PLUS", "n,,")] {
        let (port, thread) = server(BOTH, offer, |talk, first| scram(talk, first, SHA256, Channel::Own));
        let handle = client(port, "SCRAM-SHA-256");
        handle.call("Connect", "").unwrap();
        handle.call("Disconnect", "").unwrap();
        assert_eq!(thread.join().unwrap(), Ok(gs2.to_string()));
    }
}

/// CHALLENGE_MESSAGE with an empty name and target information of a domain and a time.
fn ntlm_challenge() -> Vec<u8> {
    let pair = |id: u16, value: &[u8]| [&id.to_le_bytes()[..], &(value.len() as u16).to_le_bytes(), value].concat();
    let info = [pair(2, b"D\0"), pair(7, &[7; 8]), pair(0, b"")].concat();
    let length = (info.len() as u16).to_le_bytes();
    let mut message = b"NTLMSSP\0\x02\0\0\0".to_vec();
    message.extend([0, 0, 0, 0, 56, 0, 0, 0]);
    message.extend(0x0288_8205u32.to_le_bytes());
    message.extend(*b"01234567");
    message.extend([0; 8]);
    message.extend(length);
    message.extend(length);
    message.extend(56u32.to_le_bytes());
    message.extend([10, 0, 0, 0, 0, 0, 0, 15]);
    message.extend(info);
    message
}

#[test]
fn ntlm_names_the_channel_and_the_service() {
    use md5::Digest;
    for versions in [BOTH, TLS12] {
        let (port, thread) = server(versions, "NTLM", |talk, _| {
            talk.say("334 NTLM supported");
            talk.decoded();
            talk.say(&format!("334 {}", STANDARD.encode(ntlm_challenge())));
            let message = talk.decoded();
            talk.say("535 no");
            (message, talk.end_point.clone())
        });
        let handle = client(port, "NTLM");
        handle.config("UseNTLMv2=True").unwrap();
        assert_eq!(handle.call("Connect", "").unwrap_err().code, 161);
        let (message, end_point) = thread.join().unwrap();
        let text = [b"tls-server-end-point:".as_slice(), &end_point].concat();
        let structure = [&[0; 16][..], &(text.len() as u32).to_le_bytes(), &text].concat();
        let binding = [&[10, 0, 16, 0][..], &md5::Md5::digest(structure)].concat();
        assert!(message.windows(binding.len()).any(|w| w == binding), "no MsvAvChannelBindings of this channel");
        let service: Vec<u8> = "SMTPSVC/localhost".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert!(message.windows(service.len()).any(|w| w == service), "no MsvAvTargetName");
    }
}
