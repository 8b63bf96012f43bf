//! What only OpenSSL has: old versions, CBC, DHE and RSA key exchange, more groups and signatures; and its own settings.

use crate::server::{self, NAME, Server, Witness, clock, handshake, once, path, trusting};
use ssmtp::certs::{der, pem};
use ssmtp::error::{Code, Error, Result};
use ssmtp::net::tls::{OpensslSettings, Platform, Provider, Secret, Secured, TlsOptions, Version};
use std::fs;
use std::io::{BufRead, BufReader, IoSlice};
use std::process::{Child, Command, Stdio};

const TLS10: u32 = 0xC0;
const TLS11: u32 = 0x300;
const TLS12: u32 = 0xC00;
const TLS13: u32 = 0x3000;

/// Sends a line and reads it back, reversed.
fn echo(secured: &mut Secured) {
    let clock = clock();
    secured.stream.write_all(&mut [IoSlice::new(b"abc\n")], &clock).unwrap();
    let mut all = Vec::new();
    while all.len() < 4 {
        let mut buffer = [0; 64];
        let count = secured.stream.read(&mut buffer, &clock).unwrap();
        assert!(count > 0);
        all.extend_from_slice(&buffer[..count]);
    }
    assert_eq!(all, b"cba\n");
}

fn with(server: &Server, change: impl FnOnce(&mut TlsOptions)) -> Result<Secured> {
    let mut options = trusting(server.port);
    change(&mut options);
    once(&options).0
}

/// The names after "it has".
fn names(error: &Error) -> Vec<String> {
    let (_, has) = error.message.split_once("it has ").unwrap();
    has.split(", ").map(str::to_owned).collect()
}

#[test]
fn every_version_is_had_bit_by_bit() {
    for (argument, bits, version) in
        [("-tls1", TLS10, Version::Tls10), ("-tls1_1", TLS11, Version::Tls11), ("-tls1_2", TLS12, Version::Tls12)]
    {
        let server = Server::start("rsa", &["-rev", argument, "-cipher", "ALL:@SECLEVEL=0"]);
        for enabled in [bits, 4032] {
            let mut secured = with(&server, |options| options.protocols = enabled).unwrap();
            assert_eq!(secured.info.version, version);
            assert_eq!(secured.stream.exporter(), None);
            echo(&mut secured);
        }
        // Half of a pair will do; the other versions are not offered.
        drop(with(&server, |options| options.protocols = bits & (bits >> 1)).unwrap());
        let error = with(&server, |options| options.protocols = 16_320 & !bits).unwrap_err();
        assert_eq!(error.code, Code::Handshake, "{error}");
    }
    // A hole in the middle.
    let server = Server::start("rsa", &["-rev", "-cipher", "ALL:@SECLEVEL=0"]);
    let secured = with(&server, |options| options.protocols = TLS10 | TLS12).unwrap();
    assert_eq!(secured.info.version, Version::Tls12);
}

#[test]
fn the_level_is_lowered_for_old_versions_that_are_named_and_for_nothing_else() {
    let old = Server::start("rsa", &["-rev", "-tls1", "-cipher", "ALL:@SECLEVEL=0"]);
    // 16320, the default, holds the bit too.
    assert_eq!(with(&old, |_| ()).unwrap_err().code, Code::Handshake);
    let dhe = |port: u16, protocols: u32| {
        once(&TlsOptions { suites: Some("DHE-RSA-AES128-SHA".into()), protocols, ..trusting(port) }).0
    };
    let weak = WeakDh::start();
    assert_eq!(dhe(weak.port, 16_320).unwrap_err().code, Code::Handshake);
    assert_eq!(dhe(weak.port, 4032).unwrap().info.key_exchange_strength, 1024);
}

/// A server with small Diffie-Hellman parameters. It ends with this value.
struct WeakDh {
    child: Child,
    port: u16,
}

impl WeakDh {
    fn start() -> WeakDh {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/platform/weak_dh.py");
        let mut child = Command::new("python3")
            .args([script, &path("rsa.pem"), &path("rsa.key"), &parameters()])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        WeakDh { child, port: line.trim().parse().unwrap() }
    }
}

impl Drop for WeakDh {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A file of Diffie-Hellman parameters of 1024 bits: the second group of RFC 2409 §6.
fn parameters() -> String {
    let digits = "00ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404dd\
        ef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7ed\
        ee386bfb5a899fa5ae9f24117c4b1fe649286651ece65381ffffffffffffffff";
    let prime: Vec<u8> =
        (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect();
    let parameters = der::wrap(der::SEQUENCE, &[&der::integer(&prime), &der::integer(&[2])]);
    let file = path("dh1024.pem");
    fs::write(&file, pem::encode("DH PARAMETERS", &parameters)).unwrap();
    file
}

#[test]
fn every_suite_of_this_library_can_be_had_by_both_its_names() {
    let refusal = with_options(|options| options.suites = Some("TLS_RSA_WITH_DES_CBC_SHA".into())).unwrap_err();
    assert_eq!(refusal.code, Code::ValueRefused);
    let all: Vec<_> = names(&refusal).into_iter().filter(|name| name.starts_with("TLS_")).collect();
    assert!(all.len() > 60, "{all:?}");
    let server = |name: &str| {
        Server::start(
            name,
            &[
                "-rev",
                "-cipher",
                "ALL:@SECLEVEL=0",
                "-ciphersuites",
                "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_CCM_SHA256:TLS_AES_128_CCM_8_SHA256",
            ],
        )
    };
    let (rsa, ecdsa, dsa) = (server("rsa"), server("faults-none"), server("dsa"));
    let other = openssl_names();
    for suite in all {
        let server = if suite.contains("_ECDSA_") {
            &ecdsa
        } else if suite.contains("_DSS_") {
            &dsa
        } else {
            &rsa
        };
        let openssl = &other.iter().find(|(standard, _)| *standard == suite).unwrap().1;
        for name in [&suite, openssl] {
            let mut secured = with(server, |options| options.suites = Some(name.to_lowercase()))
                .unwrap_or_else(|error| panic!("{suite}: {error}"));
            let info = &secured.info;
            assert_eq!(info.suite, suite);
            let bits = if suite.contains("256_") || suite.contains("CHACHA") { 256 } else { 128 };
            assert_eq!(info.strength, bits, "{suite}");
            assert!(suite.contains(&info.cipher), "{suite} {}", info.cipher);
            assert!(!info.cipher.contains("SHA"), "{}", info.cipher);
            let exchange = info.key_exchange.as_str();
            match suite.as_str() {
                suite if suite.starts_with("TLS_RSA_") => {
                    assert_eq!((exchange, info.key_exchange_strength), ("rsa", 2048))
                }
                suite if suite.starts_with("TLS_DHE_") => assert!(exchange.starts_with("dhe"), "{exchange}"),
                _ => assert_eq!(exchange, "x25519"),
            }
            echo(&mut secured);
        }
    }
}

/// IANA's and OpenSSL's names, as the tool tells them.
fn openssl_names() -> Vec<(String, String)> {
    let output =
        Command::new("openssl").args(["ciphers", "-stdname", "ALL:COMPLEMENTOFALL:@SECLEVEL=0"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let line = |line: &str| {
        let mut words = line.split(" - ").map(str::trim);
        let standard = words.next()?.to_owned();
        Some((standard, words.next()?.split(' ').next()?.to_owned()))
    };
    text.lines().filter_map(line).collect()
}

/// Whether the provider takes the options at all: nothing is connected.
fn with_options(change: impl FnOnce(&mut TlsOptions)) -> Result<()> {
    let mut options = TlsOptions::new(NAME, 1);
    change(&mut options);
    ssmtp::net::tls::openssl::check(&options)
}

#[test]
fn suites_that_this_library_lacks_are_refused_by_name() {
    for name in [
        "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
        "TLS_RSA_WITH_RC4_128_MD5",
        "TLS_ECDH_RSA_WITH_AES_128_CBC_SHA",
        "TLS_DH_ANON_WITH_AES_128_CBC_SHA",
        "ADH-AES128-SHA",
        "PSK-AES128-CBC-SHA",
        "CALG_3DES",
        "CALG_RC4",
        "CALG_DES",
        "CALG_MD5",
        "CALG_SKIPJACK",
        "CALG_AES_192",
    ] {
        let error = with_options(|options| options.suites = Some(name.into())).unwrap_err();
        assert_eq!(error.code, Code::ValueRefused);
        let has = names(&error);
        assert!(error.message.contains(name) && has.contains(&"TLS_RSA_WITH_AES_128_CBC_SHA".to_owned()), "{error}");
        assert!(has.contains(&"CALG_RSA_KEYX".to_owned()) && !has.contains(&name.to_owned()), "{error}");
    }
}

#[test]
fn algorithms_choose_among_the_suites() {
    let server = Server::start("rsa", &["-rev", "-cipher", "ALL:@SECLEVEL=0"]);
    let suite =
        |text: &str| with(&server, |options| options.suites = Some(text.into())).map(|secured| secured.info.suite);
    assert!(suite("CALG_RSA_KEYX").unwrap().starts_with("TLS_RSA_WITH_"));
    assert!(suite("CALG_DH_EPHEM").unwrap().starts_with("TLS_DHE_RSA_"));
    assert_eq!(suite("CALG_RSA_KEYX;CALG_AES_128;CALG_SHA1").unwrap(), "TLS_RSA_WITH_AES_128_CBC_SHA");
    assert_eq!(
        suite("CALG_ECDH_EPHEM;CALG_SHA;CALG_AES_256;CALG_RSA_SIGN").unwrap(),
        "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA"
    );
    assert_eq!(suite("CALG_DSS_SIGN").unwrap_err().code, Code::Handshake);
    let strong = with(&server, |options| {
        (options.suites, options.min_strength) = (Some("CALG_RSA_KEYX;CALG_SHA".into()), 256);
    });
    assert!(strong.unwrap().info.suite.contains("_256_"));
    assert_eq!(with(&server, |options| options.min_strength = 257).unwrap_err().code, Code::Handshake);
}

#[test]
fn every_group_of_this_library_can_be_had_by_its_name() {
    let refusal = with_options(|options| options.tls13_groups = Some("none".into())).unwrap_err();
    let all = names(&refusal);
    for name in ["ecdhe_x448", "ffdhe_2048", "ffdhe_8192", "ecdhe_secp521r1"] {
        assert!(all.contains(&name.to_owned()), "{all:?}");
    }
    let server = Server::start(
        "rsa",
        &["-rev", "-groups", "P-256:X448:X25519:P-384:P-521:ffdhe2048:ffdhe3072:ffdhe4096:ffdhe6144:ffdhe8192"],
    );
    for name in all {
        let shown = name.trim_start_matches("ecdhe_").replace("ffdhe_", "ffdhe");
        let mut secured = with(&server, |options| options.tls13_groups = Some(name.clone())).unwrap();
        assert_eq!(secured.info.key_exchange, shown);
        let strength = match shown.as_str() {
            "x25519" => 255,
            "x448" => 448,
            shown => {
                shown.trim_start_matches("secp").trim_start_matches("ffdhe").trim_end_matches("r1").parse().unwrap()
            }
        };
        assert_eq!(secured.info.key_exchange_strength, strength);
        echo(&mut secured);
        drop(secured);
        if name.starts_with("ecdhe") {
            let twelve =
                with(&server, |options| (options.tls12_groups, options.protocols) = (Some(name.clone()), TLS12));
            assert_eq!(twelve.unwrap().info.key_exchange, shown);
        }
    }
    let error = with_options(|options| options.tls12_groups = Some("ffdhe_2048".into())).unwrap_err();
    assert_eq!(error.code, Code::ValueRefused);
}

#[test]
fn a_group_or_signature_of_the_other_version_is_no_way_around() {
    // The server has TLS 1.2 only and prefers a group that the client allowed for TLS 1.3 alone.
    let server = Server::start("rsa", &["-rev", "-tls1_2", "-groups", "P-384:P-256"]);
    let error = with(&server, |options| {
        options.tls12_groups = Some("ecdhe_secp256r1".into());
        options.tls13_groups = Some("ecdhe_secp384r1".into());
    });
    match error {
        Err(error) => assert!(error.message.contains("secp384r1"), "{error}"),
        Ok(secured) => assert_eq!(secured.info.key_exchange, "secp256r1"),
    }
    let server = Server::start("rsa", &["-rev", "-tls1_2", "-serverpref"]);
    let error = with(&server, |options| {
        options.tls12_signatures = Some("sha256-ecdsa,sha512-rsa".into());
        options.tls13_signatures = Some("rsa_pss_sha256,ecdsa_secp256r1_sha256".into());
    });
    match error {
        Err(error) => assert!(error.message.contains("not allowed"), "{error}"),
        Ok(secured) => panic!("{:?}", secured.info),
    }
}

#[test]
fn ed448_and_dsa_certificates_and_authorities_are_verified() {
    for name in ["ed448", "dsa"] {
        let server = Server::start(name, &["-rev", "-cipher", "ALL:@SECLEVEL=0"]);
        let suites = (name == "dsa").then(|| "CALG_DSS_SIGN".to_owned());
        let mut secured = with(&server, |options| options.suites = suites).unwrap();
        echo(&mut secured);
    }
    let ed448 = Server::start("ed448", &["-rev"]);
    with(&ed448, |options| options.tls13_signatures = Some("ed448,ecdsa_secp256r1_sha256".into())).unwrap();
    let under = Server::start("under-ed448", &["-rev"]);
    let trusting = |roots: &str| TlsOptions { extra_roots: server::pem(roots), ..TlsOptions::new(NAME, under.port) };
    once(&trusting("ed448-ca")).0.unwrap();
    assert_eq!(once(&trusting("ca")).0.unwrap_err().code, Code::CertVerify);
}

#[test]
fn a_cipher_list_in_openssls_words_is_followed() {
    let server = Server::start("rsa", &["-rev", "-cipher", "ALL:@SECLEVEL=0"]);
    let listed = |list: &str, change: fn(&mut TlsOptions)| {
        with(&server, |options| {
            options.openssl.cipher_list = Some(list.into());
            options.protocols = TLS12;
            change(options);
        })
    };
    assert_eq!(listed("AES128-SHA", |_| ()).unwrap().info.suite, "TLS_RSA_WITH_AES_128_CBC_SHA");
    assert!(listed("kDHE:!AESGCM", |_| ()).unwrap().info.suite.starts_with("TLS_DHE_RSA_WITH_"));
    listed("DEFAULT", |_| ()).unwrap();
    // Both narrow: what is left is what is in both.
    let both = listed("AES128-SHA:AES256-SHA", |options| options.suites = Some("CALG_AES_256".into()));
    assert_eq!(both.unwrap().info.suite, "TLS_RSA_WITH_AES_256_CBC_SHA");
    let none = listed("AES128-SHA", |options| options.suites = Some("CALG_AES_256".into()));
    assert_eq!(none.unwrap_err().code, Code::Handshake);
    assert_eq!(listed("NOTHING", |_| ()).unwrap_err().code, Code::ValueRefused);
    // A suite without a certificate is never offered, whatever the list says.
    assert_eq!(listed("ADH-AES128-SHA:@SECLEVEL=0", |_| ()).unwrap_err().code, Code::Handshake);
}

#[test]
fn authorities_are_read_from_openssls_file_and_folder() {
    let server = Server::start("faults-none", &["-rev"]);
    let via = Server::start("via2", &["-rev"]);
    let asking = |server: &Server, openssl: OpensslSettings| {
        once(&TlsOptions { openssl, ..TlsOptions::new(NAME, server.port) }).0
    };
    let file = |name: &str| OpensslSettings { ca_file: Some(path(name).into()), ..OpensslSettings::default() };
    asking(&server, file("ca.pem")).unwrap();
    assert_eq!(asking(&server, file("unknown-ca.pem")).unwrap_err().code, Code::CertVerify);
    assert_eq!(asking(&server, file("nothing.pem")).unwrap_err().code, Code::File);
    let folder = path("by-hash");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir(&folder).unwrap();
    let directory = || OpensslSettings { ca_dir: Some(folder.clone().into()), ..OpensslSettings::default() };
    assert_eq!(asking(&server, directory()).unwrap_err().code, Code::CertVerify);
    let output =
        Command::new("openssl").args(["x509", "-subject_hash", "-noout", "-in", &path("ca.pem")]).output().unwrap();
    let hash = String::from_utf8(output.stdout).unwrap().trim().to_owned();
    // Another authority of the same hash stands first.
    fs::copy(path("unknown-ca.pem"), format!("{folder}/{hash}.0")).unwrap();
    assert_eq!(asking(&server, directory()).unwrap_err().code, Code::CertVerify);
    fs::copy(path("ca.pem"), format!("{folder}/{hash}.1")).unwrap();
    asking(&server, directory()).unwrap();
    asking(&via, directory()).unwrap();
    assert_eq!(
        asking(&server, OpensslSettings { ca_dir: Some("/nowhere".into()), ..OpensslSettings::default() })
            .unwrap_err()
            .code,
        Code::File
    );
    // A session does not outlive the file that it was verified with.
    let own = path("own-ca.pem");
    fs::copy(path("ca.pem"), &own).unwrap();
    let provider = Platform::new();
    let options = TlsOptions { openssl: file("own-ca.pem"), ..TlsOptions::new(NAME, server.port) };
    let mut judge = Witness::default();
    for _ in 0..2 {
        let mut secured = handshake(&provider, &options, &mut judge).unwrap();
        echo(&mut secured);
    }
    assert_eq!(judge.questions.len(), 1);
    fs::copy(path("unknown-ca.pem"), &own).unwrap();
    assert_eq!(handshake(&provider, &options, &mut judge).unwrap_err().code, Code::CertVerify);
}

#[test]
fn seed_data_is_taken_and_never_shown() {
    let server = Server::start("faults-none", &["-rev"]);
    let seed = Some(Secret::new(b"from the user".to_vec()));
    let settings = OpensslSettings { prng_seed: seed, ..OpensslSettings::default() };
    assert!(!format!("{settings:?}").contains("user"));
    echo(&mut with(&server, |options| options.openssl = settings).unwrap());
}

#[test]
fn old_sessions_are_resumed_with_everything_that_was_known_of_them() {
    let server = Server::start("rsa", &["-rev", "-tls1", "-cipher", "ECDHE-RSA-AES128-SHA:@SECLEVEL=0"]);
    let provider = Platform::new();
    let options = TlsOptions { protocols: TLS10, ..trusting(server.port) };
    let mut judge = Witness::default();
    for round in 0..3 {
        let mut secured = handshake(&provider, &options, &mut judge).unwrap();
        assert_eq!(secured.info.resumed, round > 0);
        assert_eq!(secured.info.key_exchange, "x25519");
        assert_eq!(secured.info.server_certs, [server::der("rsa")]);
        echo(&mut secured);
    }
    assert_eq!(judge.questions.len(), 1);
    provider.forget();
    assert!(!handshake(&provider, &options, &mut judge).unwrap().info.resumed);
}

#[test]
fn both_versions_at_once_take_the_newer() {
    let server = Server::start("rsa", &["-rev"]);
    assert_eq!(with(&server, |options| options.protocols = TLS12 | TLS13).unwrap().info.version, Version::Tls13);
}
