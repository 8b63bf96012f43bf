//! Which provider is chosen; whether OpenSSL is here decides only some of it.

use super::{Which, check, choose, without};
use crate::enums::SslProvider;
use crate::error::{Code, Error};
use crate::net::tls::{OpensslSettings, TlsOptions, names, openssl};

fn options(change: impl FnOnce(&mut TlsOptions)) -> TlsOptions {
    let mut options = TlsOptions::new("mail.example", 465);
    change(&mut options);
    options
}

fn automatic(change: impl FnOnce(&mut TlsOptions)) -> Which {
    choose(SslProvider::Automatic, options(change)).unwrap().which
}

#[test]
fn what_internal_has_is_done_by_internal() {
    type Change = fn(&mut TlsOptions);
    let changes: [Change; 9] = [
        |_| (),
        |o| o.protocols = names::TLS12,
        |o| o.protocols = names::TLS13,
        |o| o.protocols = names::TLS13 | names::TLS10,
        |o| o.suites = Some("*".into()),
        |o| o.suites = Some("CALG_AES_256".into()),
        |o| o.tls13_groups = Some(names::DEFAULT_TLS13_GROUPS.into()),
        |o| o.tls12_signatures = Some(names::DEFAULT_TLS12_SIGNATURES.into()),
        |o| o.openssl.cipher_list = Some("DEFAULT".into()),
    ];
    for change in changes {
        assert_eq!(automatic(change), Which::Internal);
    }
}

#[test]
fn what_only_openssl_has_chooses_it_where_it_is_there() {
    openssl::present().expect("the tests' machines have OpenSSL");
    type Change = fn(&mut TlsOptions);
    let changes: [Change; 9] = [
        |o| o.protocols = 4032,
        |o| o.protocols = 960,
        |o| o.protocols = 192,
        |o| o.suites = Some("TLS_RSA_WITH_AES_128_CBC_SHA;TLS_AES_128_GCM_SHA256".into()),
        |o| o.suites = Some("CALG_DH_EPHEM".into()),
        |o| o.tls13_groups = Some("ecdhe_x25519,ffdhe_2048".into()),
        |o| o.tls13_signatures = Some("ed448".into()),
        |o| o.openssl.ca_file = Some("/etc/ssl/cert.pem".into()),
        |o| o.openssl.cipher_list = Some("HIGH".into()),
    ];
    for change in changes {
        assert_eq!(automatic(change), Which::Platform);
        // Asked for by name, Internal refuses names and ignores what is said to OpenSSL.
        match choose(SslProvider::Internal, options(change)) {
            Ok(chosen) => assert_eq!(chosen.which, Which::Internal),
            Err(error) => assert_eq!(error.code, Code::ValueRefused),
        }
        assert_eq!(choose(SslProvider::Platform, options(change)).unwrap().which, Which::Platform);
    }
}

#[test]
fn versions_that_nobody_has_are_refused_by_every_provider() {
    for protocols in [0xC, 0x30, 0x3FFC, 0x4000, 1] {
        for asked in [SslProvider::Automatic, SslProvider::Platform, SslProvider::Internal] {
            let error = check(asked, options(|o| o.protocols = protocols)).unwrap_err();
            assert_eq!(error.code, Code::ValueRefused);
            assert!(error.message.contains("3072"), "{error}");
        }
    }
}

fn missing() -> Error {
    Error::new(Code::SecurityLibrary, "it is not there")
}

fn left(change: impl FnOnce(&mut TlsOptions)) -> crate::error::Result<super::Chosen> {
    let options = options(change);
    let foreign = super::foreign(&options);
    without(options, &foreign, missing())
}

#[test]
fn without_openssl_internal_does_what_is_left_and_says_so() {
    let old = left(|o| o.protocols = 4032).unwrap();
    assert_eq!((old.which, old.options.protocols), (Which::Internal, names::TLS12));
    assert!(old.note.unwrap().contains("TLS 1.0 and 1.1"));
    let mixed = left(|o| o.suites = Some("AES128-SHA;TLS_AES_128_GCM_SHA256".into())).unwrap();
    assert_eq!(mixed.options.suites.as_deref(), Some("TLS_AES_128_GCM_SHA256"));
    assert!(mixed.note.unwrap().contains("AES128-SHA"));
}

#[test]
fn without_openssl_nothing_left_and_nothing_that_guards_is_an_error() {
    type Change = fn(&mut TlsOptions);
    let changes: [Change; 6] = [
        |o| o.protocols = 960,
        |o| o.suites = Some("AES128-SHA".into()),
        |o| o.tls13_groups = Some("ecdhe_x448".into()),
        |o| o.openssl.ca_dir = Some("/etc/ssl/certs".into()),
        |o| o.openssl = OpensslSettings { ca_file: Some("/a".into()), ..OpensslSettings::default() },
        |o| o.openssl.cipher_list = Some("HIGH".into()),
    ];
    for change in changes {
        assert_eq!(left(change).unwrap_err().code, Code::SecurityLibrary);
    }
}
