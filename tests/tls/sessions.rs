//! Resumption, as the server sees it, and everything that must end it.

use crate::server::{NAME, Server, Witness, clock, der, handshake, path, pem, trusting};
use ssmtp::certs::key::PrivateKey;
use ssmtp::net::tls::{ClientIdentity, Provider, TlsOptions};
use std::fs;
use std::io::IoSlice;
use std::sync::Arc;
use std::time::Duration;

/// One connection: whether it was resumed, by both sides' word. Waits for the session tickets.
fn resumes(provider: &dyn Provider, options: &TlsOptions, judge: &mut Witness, server: &mut Server) -> bool {
    let before = server.output().len();
    let mut secured = handshake(provider, options, judge).unwrap();
    let asked = judge.questions.len();
    let clock = clock();
    secured.stream.readable(Duration::from_millis(100), &clock).unwrap();
    secured.stream.write_all(&mut [IoSlice::new(b"done\n")], &clock).unwrap();
    let said = server.wait_for(|text| text[before..].contains("done\n"));
    let seen = said[before..].contains("Reused session-id");
    assert_eq!(secured.info.resumed, seen, "{}", &said[before..]);
    assert!(!secured.info.key_exchange.is_empty());
    assert_eq!(secured.info.server_certs.len(), 1);
    assert_eq!(asked, judge.questions.len());
    secured.stream.close();
    seen
}

#[test]
fn a_second_connection_resumes_in_both_versions_and_asks_nobody() {
    for version in ["-tls1_2", "-tls1_3"] {
        let mut server = Server::start("faults-none", &[version]);
        let (provider, mut judge) = (crate::fresh(), Witness::default());
        let options = trusting(server.port);
        assert!(!resumes(&*provider, &options, &mut judge, &mut server));
        assert!(resumes(&*provider, &options, &mut judge, &mut server));
        assert!(resumes(&*provider, &options, &mut judge, &mut server));
        assert_eq!(judge.questions.len(), 1);
        assert!(judge.lines.iter().any(|line| line.contains("resumed session")), "{:?}", judge.lines);
        // Another handle has its own.
        assert!(!resumes(&*crate::fresh(), &options, &mut judge, &mut server));
        provider.forget();
        assert!(!resumes(&*provider, &options, &mut judge, &mut server));
    }
}

#[test]
fn without_reuse_every_handshake_is_full() {
    let mut server = Server::start("faults-none", &[]);
    let (provider, mut judge) = (crate::fresh(), Witness::default());
    let options = TlsOptions { reuse_sessions: false, ..trusting(server.port) };
    assert!(!resumes(&*provider, &options, &mut judge, &mut server));
    assert!(!resumes(&*provider, &options, &mut judge, &mut server));
}

#[test]
fn a_session_is_no_way_around_anything_that_changed() {
    let mut server = Server::start("faults-none", &[]);
    let base = trusting(server.port);
    let key = PrivateKey::from_pkcs8(&fs::read(path("client.p8")).unwrap()).expect("the key can be read");
    let key = Arc::new(key);
    let changes: Vec<(&str, TlsOptions)> = vec![
        ("flags", TlsOptions { security_flags: 0x100, ..base.clone() }),
        ("roots", TlsOptions { extra_roots: pem("ca") + &pem("unknown-ca"), ..base.clone() }),
        ("file", TlsOptions { ca_files: vec![path("ca.pem").into()], ..base.clone() }),
        ("pin", TlsOptions { accept_cert: Some(der("faults-none")), ..base.clone() }),
        ("identity", TlsOptions { client: Some(ClientIdentity { chain: vec![der("client")], key }), ..base.clone() }),
        ("judge", TlsOptions { judge_generation: 1, ..base.clone() }),
        ("strength", TlsOptions { min_strength: 128, ..base.clone() }),
    ];
    for (what, changed) in changes {
        let (provider, mut judge) = (crate::fresh(), Witness::default());
        assert!(!resumes(&*provider, &base, &mut judge, &mut server), "{what}");
        assert!(resumes(&*provider, &base, &mut judge, &mut server), "{what}");
        assert!(!resumes(&*provider, &changed, &mut judge, &mut server), "{what}");
        // And back: what was kept before the change is gone.
        assert!(!resumes(&*provider, &base, &mut judge, &mut server), "{what}");
    }
    // Each of these would pass if the session were used.
    let refusing = [
        TlsOptions { extra_roots: pem("unknown-ca"), ..base.clone() },
        TlsOptions { server_name: "other.example".into(), ..base.clone() },
        TlsOptions { spki_pins: vec![[0; 32]], ..base.clone() },
    ];
    for changed in refusing {
        let (provider, mut judge) = (crate::fresh(), Witness::default());
        assert!(!resumes(&*provider, &base, &mut judge, &mut server));
        handshake(&*provider, &changed, &mut judge).unwrap_err();
    }
}

#[test]
fn what_the_judge_overruled_is_asked_again_every_time() {
    let mut server = Server::start("faults-t", &[]);
    let provider = crate::fresh();
    let mut yes = Witness { opinion: Some(true), ..Witness::default() };
    let options = trusting(server.port);
    for count in 1..4 {
        assert!(!resumes(&*provider, &options, &mut yes, &mut server));
        assert_eq!(yes.questions.len(), count);
    }
    assert!(handshake(&*provider, &options, &mut Witness::default()).is_err());
    // A waived fault, on the other hand, stays waived while the flag does.
    let waived = TlsOptions { security_flags: 1, ..TlsOptions::new(NAME, server.port) };
    let waived = TlsOptions { extra_roots: pem("ca"), ..waived };
    assert!(!resumes(&*provider, &waived, &mut yes, &mut server));
    assert!(resumes(&*provider, &waived, &mut yes, &mut server));
    assert!(handshake(&*provider, &options, &mut Witness::default()).is_err());
}
