//! What was negotiated, and whom OpenSSL's folder of authorities trusts.

use crate::common::Handle;
use crate::pki;
use std::fs;
use std::process::Command;
use xtask::server::Options;
use xtask::server::tls::{Mode, Setup};

fn client(port: u16) -> Handle {
    let handle = Handle::to(port);
    handle.must_set("MailServer", "localhost");
    handle.must_set("SSLStartMode", "sslImplicit");
    handle
}

#[test]
fn what_was_negotiated_is_what_the_server_saw() {
    let server = pki::server(Mode::Implicit, &pki::setup("faults-none"), Options::default());
    for (suite, bits) in [("TLS_AES_128_GCM_SHA256", "128"), ("TLS_AES_256_GCM_SHA384", "256")] {
        let handle = client(server.port());
        handle.config(&format!("SSLServerCACerts={}", pki::pem("ca"))).unwrap();
        for name in ["SSLNegotiatedCipher", "SSLNegotiatedCipherStrength", "SSLNegotiatedKeyExchangeStrength"] {
            assert_eq!(handle.config(name).unwrap(), "", "{name} before a handshake");
        }
        handle.config(&format!("SSLEnabledCipherSuites={suite}")).unwrap();
        handle.call("Connect", "").unwrap();
        let seen = server.handshakes().pop().unwrap();
        assert_eq!(seen.suite.replace("TLS13_", "TLS_"), suite);
        let cipher = handle.config("SSLNegotiatedCipher").unwrap();
        assert!(cipher.replace('-', "_").contains(bits), "{cipher}");
        assert_eq!(handle.config("SSLNegotiatedCipherStrength").unwrap(), bits);
        let exchange: u32 = handle.config("SSLNegotiatedKeyExchangeStrength").unwrap().parse().unwrap();
        assert!((224..=8192).contains(&exchange), "{exchange}");
    }
}

#[test]
fn openssls_folder_of_authorities_is_read_by_the_hash_of_the_name() {
    let server = pki::server(Mode::Implicit, &Setup::clone(&pki::setup("faults-none")), Options::default());
    for (authority, expected) in [("ca", 0), ("unknown-ca", 280)] {
        let folder = format!("{}-folder", pki::path(authority));
        fs::create_dir_all(&folder).unwrap();
        let hash = Command::new("openssl")
            .args(["x509", "-noout", "-hash", "-in", &pki::path(&format!("{authority}.pem"))])
            .output();
        let hash = String::from_utf8(hash.unwrap().stdout).unwrap();
        fs::write(format!("{folder}/{}.0", hash.trim()), pki::pem(authority)).unwrap();
        let handle = client(server.port());
        handle.must_set("SSLProvider", "sslpPlatform");
        handle.config(&format!("OpenSSLCADir={folder}")).unwrap();
        let code = handle.call("Connect", "").err().map_or(0, |failure| failure.code);
        assert_eq!(code, expected, "{authority}: {}", handle.last_error());
    }
    let handle = client(server.port());
    handle.must_set("SSLProvider", "sslpPlatform");
    let missing = handle.config("OpenSSLCADir=/nowhere/at/all").and_then(|_| handle.call("Connect", ""));
    assert_eq!(missing.unwrap_err().code, 303);
}
