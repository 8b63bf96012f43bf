//! Verification: every fault alone and in company, with every flag; roots, pins, names, and the judge's word.

use crate::server::{NAME, Server, Witness, der, handshake, once, path, pem, trusting};
use ssmtp::error::Code;
use ssmtp::net::tls::{Fault, TlsOptions};

const FLAGS: [(char, u32); 4] = [('t', 0x1), ('c', 0x10), ('u', 0x20), ('n', 0x8000_0000)];

#[test]
fn each_flag_waives_its_own_fault_and_no_other() {
    for faults in 0..16u32 {
        let has = |bit: usize| faults & (1 << bit) != 0;
        let name: String = (0..4).filter(|bit| has(*bit)).map(|bit| FLAGS[bit].0).collect();
        let server = Server::start(&format!("faults-{}", if name.is_empty() { "none" } else { &name }), &["-rev"]);
        let needed: u32 = (0..4).filter(|bit| has(*bit)).map(|bit| FLAGS[bit].1).sum();
        for flags in 0..16u32 {
            let flags = (0..4).filter(|bit| flags & (1 << bit) != 0).map(|bit| FLAGS[bit].1).sum::<u32>();
            let options = TlsOptions { security_flags: flags, ..trusting(server.port) };
            let (result, witness) = once(&options);
            let passes = needed & !flags == 0;
            assert_eq!(witness.questions.len(), 1, "{name} with {flags:#x}");
            let (status, accept) = &witness.questions[0];
            assert_eq!(*accept, passes, "{name} with {flags:#x}: {status}");
            assert_eq!(status == "OK", passes);
            assert_eq!(witness.failures.len(), name.len(), "{:?}", witness.failures);
            match result {
                Ok(_) => assert!(passes, "{name} with {flags:#x}"),
                Err(error) => {
                    assert!(!passes && error.code == Code::CertVerify, "{name} with {flags:#x}: {error}");
                    // The unwaived faults are all told, the waived ones are not.
                    assert_eq!(status.split("; ").count(), (needed & !flags).count_ones() as usize, "{status}");
                    assert!(error.message.ends_with(status.as_str()), "{error}");
                }
            }
        }
    }
}

/// The server `name`, refused with every flag that isn't `flag`, and how it reads.
fn refused(name: &str, flag: u32, texts: &[&str]) {
    let server = Server::start(name, &["-rev", "-cipher", "ALL:@SECLEVEL=0"]);
    let (result, witness) = once(&TlsOptions { security_flags: !flag, ..trusting(server.port) });
    let error = result.expect_err(name);
    assert_eq!(error.code, Code::CertVerify, "{name}: {error}");
    for text in texts {
        assert!(error.message.contains(text), "{name}: {error}");
    }
    assert!(witness.questions.iter().all(|(_, accept)| !accept));
    let (waived, _) = once(&TlsOptions { security_flags: flag, ..trusting(server.port) });
    assert_eq!(waived.is_ok(), flag != 0, "{name}: {waived:?}");
}

#[test]
fn faults_are_named_and_only_their_flag_helps() {
    refused("faults-t", 0x1, &["the certificate expired on 2021-01-01 00:00:00 UTC"]);
    refused("future", 0x1, &["the certificate is not valid before 2090-01-01 00:00:00 UTC"]);
    refused("faults-c", 0x10, &["issuer is unknown"]);
    refused("faults-u", 0x20, &["not for servers"]);
    refused("faults-n", 0x8000_0000, &["the certificate is for other.example, not for mail.example"]);
    refused("self", 0x10, &["self-signed"]);
    refused("self-ca", 0x10, &["self-signed"]);
    refused("self-expired", 0x11, &["self-signed"]);
    refused("common-name", 0x8000_0000, &["names no host"]);
    refused("via-expired", 0x1, &["an intermediate certificate expired"]);
    refused("via-client", 0x20, &["intermediate certificate is not for the certificates of servers"]);
    refused("via-unknown", 0x10, &["issuer is unknown"]);
}

#[test]
fn some_faults_no_flag_waives() {
    refused("broken", 0, &["a signature in the certificate chain is wrong"]);
    refused("via-path", 0, &["longer than one of its certificates allows"]);
    refused("via-names", 0, &["constrained to other names"]);
    refused("via-leaf", 0, &["no certificate authority"]);
    refused("via-gone", 0, &["never valid at the same time"]);
    refused("critical", 0, &["critical extension"]);
    refused("weak", 0, &["1024 bits"]);
}

#[test]
fn chains_are_found_whole_disordered_and_not_without_their_middle() {
    let via = Server::start("via", &["-rev"]);
    let (result, witness) = once(&trusting(via.port));
    assert_eq!(result.unwrap().info.server_certs, [der("via"), der("int")]);
    assert_eq!(witness.chain, [der("via"), der("int"), der("ca")]);
    let two = Server::start("via2", &["-rev"]);
    once(&trusting(two.port)).0.unwrap();
    let disordered = Server::start("via2", &["-rev", "-cert_chain", &path("via2-disordered.chain")]);
    once(&trusting(disordered.port)).0.unwrap();
    let missing = Server::start("via2", &["-rev", "-cert_chain", &path("client.pem")]);
    let (result, witness) = once(&trusting(missing.port));
    assert_eq!(result.unwrap_err().code, Code::CertVerify);
    assert_eq!(witness.failures.iter().map(|failure| failure.fault).collect::<Vec<_>>(), [Fault::UnknownIssuer]);
}

#[test]
fn names_are_compared_as_rfc_6125_says() {
    let accepts = |certificate: &str, name: &str| {
        let server = Server::start(certificate, &["-rev"]);
        let options = TlsOptions { server_name: name.into(), ..trusting(server.port) };
        let (result, _) = once(&options);
        if let Err(error) = &result {
            assert_eq!(error.code, Code::CertVerify, "{error}");
        }
        result.is_ok()
    };
    assert!(accepts("faults-none", "MAIL.example"));
    assert!(accepts("faults-none", "mail.example."));
    assert!(!accepts("faults-none", "example"));
    assert!(!accepts("faults-none", "a.mail.example"));
    assert!(!accepts("faults-none", "127.0.0.1"));
    assert!(accepts("address", "127.0.0.1"));
    assert!(!accepts("address", "127.0.0.2"));
    assert!(!accepts("address-as-name", "127.0.0.1"));
    assert!(accepts("wildcard", "a.mail.example"));
    assert!(!accepts("wildcard", "mail.example"));
    assert!(!accepts("wildcard", "a.b.mail.example"));
    assert!(!accepts("wildcard-tld", "mail.example"));
    assert!(!accepts("nul", "mail.example"));
    assert!(!accepts("nul", "evil.example"));
    assert!(accepts("idn", "bücher.example"));
    assert!(!accepts("idn", "bucher.example"));
    let server = Server::start("address", &["-rev"]);
    let options = TlsOptions { server_name: "192.168.001.1".into(), ..trusting(server.port) };
    assert_eq!(once(&options).0.unwrap_err().code, Code::HostNotFound);
}

#[test]
fn a_server_certificate_among_the_roots_is_trusted_but_for_name_and_time() {
    for name in ["self", "self-ca", "reissued"] {
        let server = Server::start(name, &["-rev"]);
        let with = |name: &str| TlsOptions { extra_roots: pem(name), ..TlsOptions::new(NAME, server.port) };
        once(&with(name)).0.unwrap();
        assert!(once(&with("faults-none")).0.is_err());
        let elsewhere = TlsOptions { server_name: "other.example".into(), ..with(name) };
        let error = once(&elsewhere).0.unwrap_err();
        assert!(error.message.contains("not for other.example"), "{error}");
        assert!(!error.message.contains("issuer"), "{error}");
    }
    let server = Server::start("self-expired", &["-rev"]);
    let options = TlsOptions { extra_roots: pem("self-expired"), ..TlsOptions::new(NAME, server.port) };
    assert!(once(&options).0.unwrap_err().message.contains("expired"));
}

#[test]
fn a_ca_file_takes_the_place_of_the_systems_roots() {
    let server = Server::start("faults-none", &["-rev"]);
    let files = |files: &[&str]| TlsOptions {
        ca_files: files.iter().map(|file| path(file).into()).collect(),
        ..TlsOptions::new(NAME, server.port)
    };
    once(&files(&["nothing.pem", "ca.pem", "unknown-ca.pem"])).0.unwrap();
    assert_eq!(once(&files(&["unknown-ca.pem", "ca.pem"])).0.unwrap_err().code, Code::CertVerify);
    assert_eq!(once(&files(&["nothing.pem"])).0.unwrap_err().code, Code::File);
    assert_eq!(once(&TlsOptions::new(NAME, server.port)).0.unwrap_err().code, Code::CertVerify);
    let nonsense = TlsOptions { extra_roots: "no PEM".into(), ..TlsOptions::new(NAME, server.port) };
    assert_eq!(once(&nonsense).0.unwrap_err().code, Code::ValueRefused);
}

#[test]
fn the_accepted_certificate_is_that_one_and_no_other_of_the_same_name() {
    let pinned = |port| TlsOptions {
        accept_cert: Some(der("faults-tcun")),
        server_name: "elsewhere.example".into(),
        ..TlsOptions::new(NAME, port)
    };
    let server = Server::start("faults-tcun", &["-rev"]);
    let (result, witness) = once(&pinned(server.port));
    result.unwrap();
    assert_eq!(witness.questions, [("OK".to_owned(), true)]);
    assert_eq!(witness.failures.len(), 4);
    let other = Server::start("reissued", &["-rev"]);
    assert_eq!(once(&pinned(other.port)).0.unwrap_err().code, Code::CertVerify);
}

#[test]
fn a_pinned_key_is_demanded_whatever_else_is_waived() {
    let server = Server::start("faults-none", &["-rev"]);
    let leaf = der("faults-none");
    let read = ssmtp::net::tls::der::Certificate::parse(&leaf).unwrap();
    let digest = ring::digest::digest(&ring::digest::SHA256, read.spki);
    let pin: [u8; 32] = digest.as_ref().try_into().unwrap();
    once(&TlsOptions { spki_pins: vec![[1; 32], pin], ..trusting(server.port) }).0.unwrap();
    let wrong = TlsOptions {
        spki_pins: vec![[1; 32]],
        security_flags: u32::MAX,
        accept_cert: Some(leaf.clone()),
        ..trusting(server.port)
    };
    let mut yes = Witness { opinion: Some(true), ..Witness::default() };
    let error = handshake(&*crate::fresh(), &wrong, &mut yes).unwrap_err();
    assert_eq!(error.code, Code::CertVerify);
    assert!(error.message.contains("none of the pinned"), "{error}");
}

#[test]
fn the_judge_has_the_last_word_both_ways() {
    let bad = Server::start("faults-tcun", &["-rev"]);
    let mut yes = Witness { opinion: Some(true), ..Witness::default() };
    handshake(&*crate::fresh(), &trusting(bad.port), &mut yes).unwrap();
    assert!(!yes.questions[0].1);
    assert_eq!(yes.questions[0].0.split("; ").count(), 4);
    let good = Server::start("faults-none", &[]);
    let mut no = Witness { opinion: Some(false), ..Witness::default() };
    let error = handshake(&*crate::fresh(), &trusting(good.port), &mut no).unwrap_err();
    assert_eq!(error.code, Code::CertVerify);
    assert_eq!(no.questions, [("OK".to_owned(), true)]);
    // The server learns why, and never that the handshake was done.
    let said = good.wait_for(|text| text.contains("alert bad certificate"));
    assert!(!said.contains("CIPHER is"), "{said}");
}
