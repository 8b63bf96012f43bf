//! The client's certificate: what the server is shown, and what can be wrong with it (error 273).

use crate::pki;
use crate::start::client;
use std::fs;
use xtask::server::tls::{Mode, Setup};
use xtask::server::{Options, Server};

fn asking() -> Server {
    let setup = Setup { ask_client: true, ..pki::setup("faults-none") };
    pki::server(Mode::Implicit, &setup, Options::default())
}

fn der(name: &str) -> Vec<u8> {
    ssmtp::net::tls::roots::from_pem(pki::pem(name).as_bytes(), name).unwrap().remove(0).to_vec()
}

/// A PEM file with the certificate and the key, selected by SSLCert's own rows.
fn select(handle: &crate::common::Handle, name: &str) {
    let file = pki::path(&format!("{name}.both"));
    if !fs::exists(&file).unwrap() {
        let key = fs::read_to_string(pki::path(&format!("{name}.key"))).unwrap();
        fs::write(&file, pki::pem(name) + &key).unwrap();
    }
    handle.must_set("SSLCertStoreType", "cstPEMKeyFile");
    handle.must_set("SSLCertStore", &file);
    handle.must_set("SSLCertSubject", "*");
}

#[test]
fn every_kind_of_key_proves_itself_in_both_versions() {
    for only in [0x0303, 0x0304] {
        let setup = Setup { ask_client: true, only: Some(only), ..pki::setup("faults-none") };
        let server = pki::server(Mode::Implicit, &setup, Options::default());
        for name in ["client", "client-rsa", "client-ed25519"] {
            let handle = client(server.port(), "sslImplicit");
            select(&handle, name);
            handle.call("Send", "").unwrap_or_else(|e| panic!("{name}: {e:?}"));
            assert_eq!(server.handshakes().last().unwrap().client, [der(name)], "{name} in {only:#x}");
        }
    }
    let server = asking();
    let handle = client(server.port(), "sslImplicit");
    handle.call("Send", "").unwrap();
    assert_eq!(server.handshakes()[0].client, Vec::<Vec<u8>>::new(), "without SSLCert nothing is shown");
}

#[test]
fn the_issuers_go_along_where_ssl_ca_certs_names_them() {
    let server = asking();
    let handle = client(server.port(), "sslImplicit");
    select(&handle, "client-int");
    handle.call("Send", "").unwrap();
    assert_eq!(server.handshakes()[0].client, [der("client-int")]);
    handle.config(&format!("SSLCACerts={}\r\n{}", pki::pem("int"), pki::pem("ca"))).unwrap();
    handle.call("Send", "").unwrap();
    assert_eq!(server.handshakes()[1].client, [der("client-int"), der("int"), der("ca")]);
    assert_eq!(handle.config("SSLCACerts=none").unwrap_err().code, 603);
    handle.config(&format!("SSLClientCACerts={}", pki::pem("ca"))).unwrap();
    assert_eq!(handle.config("SSLClientCACerts").unwrap(), pki::pem("ca"));
}

#[test]
fn a_certificate_without_its_key_is_273_before_anything_is_sent() {
    let server = asking();
    let handle = client(server.port(), "sslImplicit");
    handle.must_set("SSLCertEncoded", &pki::pem("client"));
    let failure = handle.call("Send", "").unwrap_err();
    assert_eq!(failure.code, 273, "{failure:?}");
    assert_eq!(server.commands().len(), 0);
}

#[test]
fn a_key_that_is_locked_or_somebody_elses_is_told_before_anything_is_sent_and_never_shown() {
    let server = asking();
    let lock = |name: &str| {
        let locked = pki::path(&format!("{name}.locked"));
        let arguments = [
            "pkcs8",
            "-topk8",
            "-v2",
            "aes-256-cbc",
            "-passout",
            "pass:r1ght-word",
            "-in",
            &pki::path(&format!("{name}.key")),
        ];
        let out = std::process::Command::new("openssl").args(arguments).output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        fs::write(&locked, pki::pem("client") + std::str::from_utf8(&out.stdout).unwrap()).unwrap();
        locked
    };
    let handle = client(server.port(), "sslImplicit");
    handle.must_set("SSLCertStoreType", "cstPEMKeyFile");
    let (own, foreign) = (lock("client"), lock("client2"));
    for (file, password, number) in [(&own, "wr0ng-word", 271), (&own, "", 271), (&own, "r1ght-word", 0)] {
        handle.must_set("SSLCertStore", file);
        handle.must_set("SSLCertStorePassword", password);
        let said = handle.set("SSLCertSubject", "*").and_then(|()| handle.call("Send", ""));
        assert_eq!(said.as_ref().map_or_else(|failure| failure.code, |()| 0), number, "{password:?}: {said:?}");
        let all = format!("{said:?} {:?} {}", handle.events(), handle.last_error());
        assert!(!all.contains("-word") && !all.contains("PRIVATE"), "{all}");
    }
    assert_eq!(server.handshakes().len(), 1);
    handle.must_set("SSLCertStore", &foreign);
    assert_eq!(handle.set("SSLCertSubject", "CN=client").unwrap_err().code, 273);
}
