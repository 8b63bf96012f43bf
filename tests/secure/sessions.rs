//! Sessions through the C ABI: resumed as the server sees it, and never a way around what changed (ruling 19).

use crate::common::Handle;
use crate::pki;
use crate::start::client;
use xtask::server::tls::Mode;
use xtask::server::{Options, Server};

fn connect(handle: &Handle) -> i32 {
    let code = handle.call("Connect", "").map_or_else(|failure| failure.code, |()| 0);
    let _ = handle.call("Disconnect", "");
    code
}

/// Connects, and tells whether the server resumed.
fn resumes(handle: &Handle, server: &Server) -> bool {
    assert_eq!(connect(handle), 0, "{}", handle.last_error());
    server.handshakes().last().expect("a handshake").resumed
}

#[test]
fn a_handle_that_connects_again_resumes() {
    for mode in [Mode::Implicit, Mode::StartTls] {
        for only in [0x0303, 0x0304] {
            let setup = xtask::server::tls::Setup { only: Some(only), ..pki::setup("faults-none") };
            let server = pki::server(mode, &setup, Options::default());
            let name = if mode == Mode::Implicit { "sslImplicit" } else { "sslExplicit" };
            let handle = client(server.port(), name);
            handle.judge(Some(None));
            assert!(!resumes(&handle, &server), "the first is full");
            assert!(resumes(&handle, &server) && resumes(&handle, &server));
            assert_eq!(handle.told("SSLServerAuthentication").len(), 1, "on every full handshake");
            assert!(
                handle.told("SSLStatus").last().unwrap().contains("resumed session"),
                "{:?}",
                handle.told("SSLStatus")
            );
            assert_ne!(handle.config("SSLNegotiatedKeyExchange").unwrap(), "");
            // Another handle has its own sessions, and Reset drops them.
            assert!(!resumes(&client(server.port(), name), &server));
            handle.config("ReuseSSLSession=False").unwrap();
            assert!(!resumes(&handle, &server) && !resumes(&handle, &server));
        }
    }
}

#[test]
fn reset_forgets_every_session() {
    let server = pki::server(Mode::Implicit, &pki::setup("faults-none"), Options::default());
    let handle = client(server.port(), "sslImplicit");
    assert!(!resumes(&handle, &server) && resumes(&handle, &server));
    handle.call("Reset", "").unwrap();
    handle.must_set("MailServer", "localhost");
    handle.must_set("MailPort", &server.port().to_string());
    handle.must_set("SSLStartMode", "sslImplicit");
    assert_eq!(connect(&handle), 280, "the root is forgotten, and so is the session that it allowed");
}

#[test]
fn a_session_is_no_way_around_a_changed_flag_root_pin_handler_or_identity() {
    let server = pki::server(Mode::Implicit, &pki::setup("faults-n"), Options::default());
    let fresh = || {
        let handle = client(server.port(), "sslImplicit");
        handle.config("SSLSecurityFlags=0x80000000").unwrap();
        assert!(!resumes(&handle, &server) && resumes(&handle, &server));
        handle
    };
    let handle = fresh();
    handle.config("SSLSecurityFlags=0").unwrap();
    assert_eq!(connect(&handle), 280, "a flag");
    handle.config("SSLSecurityFlags=0x80000000").unwrap();
    assert!(!resumes(&handle, &server), "what was kept is gone for good");
    let handle = fresh();
    handle.config("SSLServerCACerts=").unwrap();
    assert_eq!(connect(&handle), 280, "a root");
    let handle = fresh();
    handle.config(&format!("CACertFilePaths={}", pki::path("unknown-ca.pem"))).unwrap();
    handle.config("SSLServerCACerts=").unwrap();
    assert_eq!(connect(&handle), 280, "a file of roots");
    let handle = fresh();
    handle.config("SSLPinnedPublicKeys=sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=").unwrap();
    assert_eq!(connect(&handle), 280, "a pinned key");
    let handle = fresh();
    handle.judge(Some(Some(false)));
    assert_eq!(connect(&handle), 280, "a handler");
    let handle = fresh();
    handle.must_set("MailServer", "127.0.0.1");
    handle.config("SSLSecurityFlags=0").unwrap();
    assert_eq!(connect(&handle), 280, "another name");
    let handle = fresh();
    handle.must_set("SSLAcceptServerCertEncoded", &pki::pem("faults-none"));
    assert!(!resumes(&handle, &server), "a pinned certificate");
    // What a handler allowed against the checks is asked for again every time.
    let handle = client(server.port(), "sslImplicit");
    handle.judge(Some(Some(true)));
    for _ in 0..3 {
        assert!(!resumes(&handle, &server));
    }
    assert_eq!(handle.told("SSLServerAuthentication").len(), 3);
}

#[test]
fn another_identity_never_resumes_what_the_last_one_began() {
    let setup = xtask::server::tls::Setup { ask_client: true, ..pki::setup("faults-none") };
    let server = pki::server(Mode::Implicit, &setup, Options::default());
    let handle = client(server.port(), "sslImplicit");
    let select = |name: &str| {
        let file = pki::path(&format!("{name}.identity"));
        let key = std::fs::read_to_string(pki::path(&format!("{name}.key"))).unwrap();
        std::fs::write(&file, pki::pem(name) + &key).unwrap();
        handle.must_set("SSLCertStoreType", "cstPEMKeyFile");
        handle.must_set("SSLCertStore", &file);
        handle.must_set("SSLCertSubject", "*");
    };
    select("client");
    assert!(!resumes(&handle, &server) && resumes(&handle, &server));
    select("client2");
    assert!(!resumes(&handle, &server));
    select("client");
    assert!(!resumes(&handle, &server));
}
