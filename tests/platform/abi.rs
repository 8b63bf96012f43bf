//! The Platform provider through the C ABI: rulings 10, 18 and 21, with OpenSSL there, and hidden from the process.

use crate::common::{Failure, Handle};
use crate::server::{Server, path, pem};
use std::fs;
use std::process::Command;
use std::thread;
use xtask::server::Options;
use xtask::server::tls::{Mode, Setup, Tls};

/// A handle for a server at this port of localhost, which the tests' root vouches for.
fn client(port: u16) -> Handle {
    trusting(port, &pem("ca"))
}

fn trusting(port: u16, roots: &str) -> Handle {
    let handle = Handle::to(port);
    handle.must_set("MailServer", "localhost");
    handle.must_set("SSLStartMode", "sslImplicit");
    handle.config(&format!("SSLServerCACerts={roots}")).unwrap();
    handle
}

/// Connects to `s_server`, whose side of the conversation is said here.
fn connect(handle: &Handle, server: &mut Server) -> Result<(), Failure> {
    let before = server.output().len();
    thread::scope(|scope| {
        let call = scope.spawn(|| handle.call("Connect", ""));
        let ready = |text: &str| text[before..].contains("CIPHER is");
        // Nothing is ready where the handshake fails.
        while !call.is_finished() {
            if ready(&server.output()) {
                server.say("220 old.example\r\n");
                server.wait_for(|text| text[before..].contains("EHLO"));
                server.say("250 old.example\r\n");
                break;
            }
            thread::sleep(std::time::Duration::from_millis(5));
        }
        call.join().unwrap()
    })
}

fn negotiated(handle: &Handle, name: &str) -> String {
    handle.config(&format!("SSLNegotiated{name}")).unwrap()
}

#[test]
fn a_server_of_tls_1_0_alone_is_reached_where_that_is_asked_for() {
    let mut server = Server::start("rsa", &["-tls1", "-cipher", "ALL:@SECLEVEL=0"]);
    let handle = client(server.port);
    assert_eq!(
        connect(&handle, &mut server).unwrap_err().code,
        276,
        "the default is a wish, and Internal has no TLS 1.0"
    );
    for bits in ["192", "960", "4032"] {
        let handle = client(server.port);
        handle.config(&format!("SSLEnabledProtocols={bits}")).unwrap();
        connect(&handle, &mut server).unwrap();
        assert_eq!(negotiated(&handle, "Version"), "TLSv1");
        assert_eq!(negotiated(&handle, "Cipher"), "AES_256_CBC");
        assert!(handle.told("SSLStatus").iter().any(|line| line.contains("OpenSSL")));
        assert_eq!(handle.get("SSLServerCert").unwrap_err().code, 604);
    }
    // Internal, asked for by name, has none of it.
    let handle = client(server.port);
    handle.must_set("SSLProvider", "sslpInternal");
    handle.config("SSLEnabledProtocols=960").unwrap();
    assert_eq!(connect(&handle, &mut server).unwrap_err().code, 276);
}

#[test]
fn a_server_of_one_old_suite_is_reached_where_that_is_named() {
    let mut server = Server::start("rsa", &["-tls1_2", "-cipher", "AES128-SHA"]);
    assert_eq!(connect(&client(server.port), &mut server).unwrap_err().code, 276);
    for name in ["AES128-SHA", "TLS_RSA_WITH_AES_128_CBC_SHA", "CALG_RSA_KEYX;CALG_AES_128"] {
        let handle = client(server.port);
        handle.config(&format!("SSLEnabledCipherSuites={name}")).unwrap();
        connect(&handle, &mut server).unwrap();
        assert_eq!(negotiated(&handle, "CipherSuite"), "TLS_RSA_WITH_AES_128_CBC_SHA");
        assert_eq!(
            (negotiated(&handle, "KeyExchange"), negotiated(&handle, "KeyExchangeStrength")),
            ("rsa".into(), "2048".into())
        );
    }
    let handle = client(server.port);
    handle.config("OpenSSLCipherList=AES128-SHA").unwrap();
    connect(&handle, &mut server).unwrap();
    // The server serves one after the other.
    drop(handle);
    let handle = client(server.port);
    handle.must_set("SSLProvider", "sslpPlatform");
    connect(&handle, &mut server).unwrap();
}

#[test]
fn a_group_that_only_openssl_has_chooses_it() {
    let mut server = Server::start("rsa", &["-groups", "X448:ffdhe3072"]);
    assert_eq!(connect(&client(server.port), &mut server).unwrap_err().code, 276);
    for (name, shown) in [("ecdhe_x448", "x448"), ("ffdhe_3072", "ffdhe3072")] {
        let handle = client(server.port);
        handle.config(&format!("TLS13SupportedGroups=ecdhe_x25519,{name}")).unwrap();
        connect(&handle, &mut server).unwrap();
        assert_eq!(negotiated(&handle, "KeyExchange"), shown);
    }
}

#[test]
fn openssls_file_of_authorities_takes_the_place_of_the_others() {
    let mut server = Server::start("faults-none", &[]);
    let handle = |authority: &str| {
        let handle = client(server.port);
        handle.config("SSLServerCACerts=").unwrap();
        handle.config(&format!("OpenSSLCAFile={}", path(authority))).unwrap();
        handle.config("OpenSSLPrngSeedData=something").unwrap();
        handle
    };
    let (good, other) = (handle("ca.pem"), handle("unknown-ca.pem"));
    connect(&good, &mut server).unwrap();
    drop(good);
    assert_eq!(connect(&other, &mut server).unwrap_err().code, 280);
}

#[test]
fn names_that_no_provider_has_are_refused_when_they_are_set() {
    let handle = Handle::new();
    for (setting, has) in [
        ("SSLEnabledCipherSuites=TLS_RSA_WITH_3DES_EDE_CBC_SHA", "TLS_RSA_WITH_AES_128_CBC_SHA"),
        ("SSLEnabledCipherSuites=CALG_RC4", "CALG_AES_128"),
        ("SSLEnabledCipherSuites=CALG_SKIPJACK", "CALG_RSA_KEYX"),
        ("TLS13SupportedGroups=sect163k1", "ffdhe_2048"),
        ("TLS12SignatureAlgorithms=md5-rsa", "sha1-rsa"),
        ("OpenSSLCipherList=NOTHING-AT-ALL", "AES128-SHA"),
        ("SSLEnabledProtocols=48", "192"),
    ] {
        let name = setting.split('=').next().unwrap();
        let before = handle.config(name).unwrap();
        let failure = handle.config(setting).unwrap_err();
        assert_eq!(failure.code, 603, "{setting}");
        assert!(failure.text.contains(has), "{}", failure.text);
        assert_eq!(handle.config(name).unwrap(), before);
    }
    // What OpenSSL alone has is refused where Internal was asked for.
    handle.must_set("SSLProvider", "sslpInternal");
    assert_eq!(handle.config("SSLEnabledCipherSuites=AES128-SHA").unwrap_err().code, 603);
    handle.must_set("SSLProvider", "sslpAutomatic");
    handle.config("SSLEnabledCipherSuites=AES128-SHA").unwrap();
}

/// Where a child finds the certificates: the `openssl` that makes them would not run in it.
const FOLDER: &str = "SSMTP_TEST_PKI";

/// The server of a child, with TLS 1.2 and 1.3, and the root that vouches for it.
fn in_child() -> (xtask::server::Server, String) {
    let folder = std::env::var(FOLDER).unwrap();
    let read = |name: &str| fs::read(format!("{folder}/{name}")).unwrap();
    let setup = Setup { certificates: read("rsa.pem"), key: read("rsa.key"), ..Setup::default() };
    let tls = Tls::new(Mode::Implicit, &setup).unwrap();
    let server = xtask::server::Server::start(Options { tls: Some(tls), ..Options::default() }).unwrap();
    (server, String::from_utf8(read("ca.pem")).unwrap())
}

/// Runs a test of this file, which is ignored otherwise, in a process that finds no OpenSSL.
fn hidden(test: &str) {
    let folder = path("no-openssl");
    fs::create_dir_all(&folder).unwrap();
    for name in ["libssl.so.3", "libssl.so.1.1", "libssl.so"] {
        fs::write(format!("{folder}/{name}"), "no library").unwrap();
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args([&format!("abi::{test}"), "--exact", "--ignored", "--test-threads=1"])
        .env("LD_LIBRARY_PATH", folder)
        .env(FOLDER, path(""))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn without_openssl_what_needs_it_is_error_270() {
    hidden("child_without_openssl_270");
}

#[test]
#[ignore = "run by without_openssl_what_needs_it_is_error_270"]
fn child_without_openssl_270() {
    let (server, root) = in_child();
    for settings in [
        &["SSLEnabledProtocols=960"][..],
        &["SSLEnabledCipherSuites=AES128-SHA"],
        &["TLS13SupportedGroups=ecdhe_x448"],
        &["OpenSSLCAFile=/etc/ssl/certs/ca-certificates.crt"],
        &["OpenSSLCipherList=HIGH"],
    ] {
        let handle = trusting(server.port(), &root);
        for setting in settings {
            handle.config(setting).unwrap();
        }
        let failure = handle.call("Connect", "").unwrap_err();
        assert_eq!(failure.code, 270, "{settings:?}: {}", failure.text);
        assert!(failure.text.contains("libssl.so.3"), "{}", failure.text);
    }
    let handle = trusting(server.port(), &root);
    handle.must_set("SSLProvider", "sslpPlatform");
    assert_eq!(handle.call("Connect", "").unwrap_err().code, 270);
}

#[test]
fn without_openssl_what_internal_can_do_is_done_and_said() {
    hidden("child_without_openssl_internal");
}

#[test]
#[ignore = "run by without_openssl_what_internal_can_do_is_done_and_said"]
fn child_without_openssl_internal() {
    let (server, root) = in_child();
    for (setting, left_out) in [
        ("SSLEnabledProtocols=4032", "TLS 1.0 and 1.1"),
        (
            "SSLEnabledCipherSuites=AES128-SHA;TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256;TLS_AES_128_GCM_SHA256",
            "AES128-SHA",
        ),
        ("TLS13SupportedGroups=ecdhe_x448,ecdhe_x25519", "ecdhe_x448"),
        ("OpenSSLPrngSeedData=something", "OpenSSLPrngSeedData"),
    ] {
        let handle = trusting(server.port(), &root);
        handle.config(setting).unwrap();
        handle.call("Connect", "").unwrap_or_else(|failure| panic!("{setting}: {}", failure.text));
        let lines = handle.told("SSLStatus");
        assert!(lines.iter().any(|line| line.contains("not there") && line.contains(left_out)), "{setting}: {lines:?}");
        if setting.contains("4032") {
            assert_eq!(negotiated(&handle, "Version"), "TLSv1.2");
        }
    }
    trusting(server.port(), &root).call("Connect", "").unwrap();
}
