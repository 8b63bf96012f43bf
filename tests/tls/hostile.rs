//! TLS peers that want to be expensive: chains without end or way out, handshakes that begin again, messages that never stop.

use crate::server::{Witness, clock, connect, der, handshake, once, path, pem, trusting};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection};
use ssmtp::error::Code;
use ssmtp::net::tls::TlsOptions;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// The limit of the catalogue; what is tested needs a small part of it where everything is optimized.
const SHORT: Duration = Duration::from_secs(if cfg!(debug_assertions) { 6 } else { 2 });

/// A rustls server for one connection with this chain, after whose handshake something is done.
fn serve(
    chain: Vec<Vec<u8>>,
    key: &str,
    tickets: usize,
    act: impl FnOnce(&mut ServerConnection, &mut TcpStream) + Send + 'static,
) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let chain = chain.into_iter().map(CertificateDer::from).collect();
    let key = PrivateKeyDer::from_pem_file(path(&format!("{key}.key"))).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = config.with_no_client_auth().with_single_cert(chain, key).unwrap();
    config.send_tls13_tickets = tickets;
    let mut tls = ServerConnection::new(Arc::new(config)).unwrap();
    thread::spawn(move || {
        let mut stream = listener.accept().unwrap().0;
        if tls.complete_io(&mut stream).is_ok() {
            act(&mut tls, &mut stream);
        }
    });
    port
}

fn wait(_: &mut ServerConnection, stream: &mut TcpStream) {
    let _ = stream.read_to_end(&mut Vec::new());
}

/// Many intermediates of the same name, each of which looks like the issuer and is not, and each with dates of its own, so that
/// there is always another moment to try.
fn bomb(count: usize) -> Vec<Vec<u8>> {
    let genuine = der("slow-int");
    let mut all = vec![der("slow")];
    for number in 0..count {
        let mut other = genuine.clone();
        let last = other.len() - 1;
        other[last] ^= 1 + u8::try_from(number % 250).unwrap();
        // "250101000000Z" begins the dates: the day in the year 2025 or, of every second one, of long ago.
        let at = other.windows(13).position(|part| part == b"250101000000Z").unwrap();
        if number % 2 == 1 {
            let day = format!("{:02}{:02}", 1 + number / 2 % 12, 1 + number / 24);
            other[at..at + 13].copy_from_slice(format!("20{day}000000Z").as_bytes());
            other[at + 15..at + 28].copy_from_slice(format!("21{day}000000Z").as_bytes());
        }
        all.push(other);
    }
    all
}

#[test]
fn a_maze_of_certificates_costs_little_and_is_refused() {
    let mut with_top = bomb(80);
    with_top.push(der("slow-ca"));
    for (chain, root) in [(bomb(80), "slow-ca"), (with_top, "ca")] {
        for flags in [0, 0xffff_ffff] {
            let port = serve(chain.clone(), "slow", 0, wait);
            let options =
                TlsOptions { extra_roots: pem(root), security_flags: flags, ..TlsOptions::new("mail.example", port) };
            let begun = Instant::now();
            let (result, _) = once(&options);
            let took = begun.elapsed();
            eprintln!("{root} {flags:#x}: {took:?} {:?}", result.as_ref().map(drop));
            if flags == 0 {
                let error = result.expect_err("none of them is the issuer");
                assert_eq!(error.code, Code::CertVerify, "{error}");
            }
            assert!(took < SHORT, "{root} {flags:#x}: {took:?}");
        }
    }
}
