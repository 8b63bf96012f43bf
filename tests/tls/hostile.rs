//! TLS peers that want to be expensive: chains without end or way out, handshakes that begin again, messages that never stop.

use crate::server::{Witness, clock, connect, der, once, path, pem, trusting};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection};
use ssmtp::error::Code;
use ssmtp::net::tls::TlsOptions;
use ssmtp::net::{Clock, Interrupt};
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

/// Many intermediates of the same name, each of which looks like the issuer and is not; the first ones have dates of their own,
/// none of them now, so that there is always another moment to try.
fn maze(count: u8) -> Vec<Vec<u8>> {
    let genuine = der("slow-int");
    let mut all = vec![der("slow")];
    for number in 0..count {
        let mut other = genuine.clone();
        *other.last_mut().unwrap() ^= 1 + number;
        if number < 8 {
            let at = other.windows(13).position(|part| part == b"250101000000Z").unwrap();
            other[at..at + 13].copy_from_slice(format!("20{:02}01000000Z", 1 + number).as_bytes());
            // Behind it a GeneralizedTime.
            other[at + 15..at + 30].copy_from_slice(format!("2021{:02}01000000Z", 1 + number).as_bytes());
        }
        all.push(other);
    }
    all
}

#[test]
fn a_maze_of_certificates_costs_little_and_is_refused() {
    // With the root that they name among ours, and sent along.
    let mut with_top = maze(95);
    with_top.push(der("slow-ca"));
    for (chain, root) in [(maze(95), "slow-ca"), (with_top, "ca")] {
        for flags in [0, 0xffff_ffff] {
            let port = serve(chain.clone(), "slow", 0, wait);
            let options =
                TlsOptions { extra_roots: pem(root), security_flags: flags, ..TlsOptions::new("mail.example", port) };
            let begun = Instant::now();
            let (result, _) = once(&options);
            let took = begun.elapsed();
            if flags == 0 {
                let error = result.expect_err("none of them is the issuer");
                assert_eq!(error.code, Code::CertVerify, "{error}");
            }
            assert!(took < SHORT, "{root} {flags:#x}: {took:?}");
        }
    }
}

#[test]
fn a_chain_of_a_hundred_or_a_thousand_certificates_is_taken_or_refused_at_once() {
    // What has nothing to do with the server's own is passed over.
    let others = |count: usize| [vec![der("faults-none")], vec![der("int"); count]].concat();
    let port = serve(others(100), "faults-none", 0, wait);
    let begun = Instant::now();
    once(&trusting(port)).0.unwrap();
    assert!(begun.elapsed() < SHORT, "{:?}", begun.elapsed());
    // A mebibyte, and sixteen of them, are more than a handshake may have.
    for count in [2_500, 40_000] {
        let port = serve(others(count), "faults-none", 0, wait);
        let begun = Instant::now();
        let error = once(&trusting(port)).0.expect_err("too long");
        assert_eq!(error.code, Code::Handshake, "{error}");
        assert!(begun.elapsed() < SHORT, "{:?}", begun.elapsed());
    }
}

#[test]
fn a_server_may_ask_for_another_hello_once() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = thread::spawn(move || {
        let mut stream = listener.accept().unwrap().0;
        let mut hellos = 0;
        // Its own end is nobody's concern: the client has to stop.
        while hellos < 50 {
            let Some(record) = record(&mut stream) else { break };
            // A change_cipher_spec may stand between.
            if record[0] != 22 {
                continue;
            }
            if record[5] != 1 {
                break;
            }
            hellos += 1;
            let id = &record[44..44 + usize::from(record[43])];
            if stream.write_all(&hello_again(id)).is_err() {
                break;
            }
        }
        hellos
    });
    let begun = Instant::now();
    let error = once(&TlsOptions { extra_roots: pem("ca"), ..TlsOptions::new("mail.example", port) }).0.unwrap_err();
    assert_eq!(error.code, Code::Handshake, "{error}");
    assert!(begun.elapsed() < SHORT);
    assert_eq!(server.join().unwrap(), 2);
}

/// RFC 8446 section 4.1.3: a server that could do more says in its random octets that it was not asked for it. Whoever stood
/// between and asked for less is found out by them, and the error says so.
#[test]
fn a_downgrade_by_somebody_between_is_found_out_and_named() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let mut stream = listener.accept().unwrap().0;
        record(&mut stream);
        let random = [&[7; 24][..], b"DOWNGRD\x01"].concat();
        // TLS 1.2, no session, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, extended master secret and secure renegotiation.
        let body = [&[3, 3][..], &random, &[0, 0xc0, 0x2f, 0, 0, 9, 0, 23, 0, 0, 0xff, 1, 0, 1, 0]].concat();
        let length = u8::try_from(body.len()).unwrap();
        let _ = stream.write_all(&[&[22, 3, 3, 0, length + 4, 2, 0, 0, length][..], &body].concat());
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let error = once(&trusting(port)).0.unwrap_err();
    assert_eq!(error.code, Code::Handshake, "{error}");
    assert!(error.message.contains("an older version than both sides have"), "{error}");
}

fn record(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut head = [0; 5];
    stream.read_exact(&mut head).ok()?;
    let mut body = vec![0; usize::from(u16::from_be_bytes([head[3], head[4]]))];
    stream.read_exact(&mut body).ok()?;
    Some([&head[..], &body].concat())
}

/// HelloRetryRequest (RFC 8446 section 4.1.4): TLS 1.3, TLS_AES_128_GCM_SHA256, and a key of P-384, please.
fn hello_again(session_id: &[u8]) -> Vec<u8> {
    const RANDOM: [u8; 32] = [
        0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2,
        0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
    ];
    let id_length = [u8::try_from(session_id.len()).unwrap()];
    let extensions = [0, 12, 0, 0x2b, 0, 2, 3, 4, 0, 0x33, 0, 2, 0, 0x18];
    let body = [&[3, 3][..], &RANDOM, &id_length, session_id, &[0x13, 0x01, 0], &extensions].concat();
    let length = u8::try_from(body.len()).unwrap();
    [&[22, 3, 3, 0, length + 4, 2, 0, 0, length][..], &body].concat()
}

#[test]
fn tickets_and_key_updates_are_passed_over_and_not_for_ever() {
    // Some, and then what was to be said.
    let port = serve(vec![der("faults-none")], "faults-none", 500, |tls, stream| {
        for _ in 0..20 {
            tls.refresh_traffic_keys().unwrap();
            let _ = tls.write_tls(stream);
        }
        tls.writer().write_all(b"220 hello").unwrap();
        let _ = tls.write_tls(stream);
        wait(tls, stream);
    });
    let mut secured = once(&trusting(port)).0.unwrap();
    let mut greeting = [0; 9];
    let mut count = 0;
    while count < greeting.len() {
        let got = secured.stream.read(&mut greeting[count..], &clock()).unwrap();
        assert!(got > 0);
        count += got;
    }
    assert_eq!(&greeting, b"220 hello");
    // Nothing but key updates, for ever: either the provider has enough of them, or the limit ends it.
    let port = serve(vec![der("faults-none")], "faults-none", 1, |tls, stream| {
        while tls.refresh_traffic_keys().is_ok() && tls.write_tls(stream).is_ok_and(|count| count > 0) {}
    });
    let mut witness = Witness::default();
    let provider = crate::fresh();
    let limited =
        Clock::new(Some(Duration::from_secs(5)), Some(Instant::now() + Duration::from_secs(2)), Interrupt::new());
    let mut secured = provider.handshake(connect(port), &trusting(port), &limited, &mut witness).unwrap();
    let begun = Instant::now();
    let error = secured.stream.read(&mut [0; 8], &limited).expect_err("no data came");
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?} {error}", begun.elapsed());
}
