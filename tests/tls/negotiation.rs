//! What is agreed on: versions, suites, groups, signatures, client certificates, bindings, the key log; and data.

use crate::server::{Server, clock, connect, der, once, path, trusting};
use ssmtp::certs::key::PrivateKey;
use ssmtp::error::{Code, Result};
use ssmtp::net::tls::{ClientIdentity, NoJudge, Secured, TlsOptions, Version};
use ssmtp::net::{Clock, Stream};
use std::fs;
use std::io::IoSlice;
use std::net::SocketAddr;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const TLS12: u32 = 0xC00;
const TLS13: u32 = 0x3000;

/// Sends a line and reads it back, reversed.
fn echo(secured: &mut Secured) {
    let clock = clock();
    secured.stream.write_all(&mut [IoSlice::new(b"ab"), IoSlice::new(b"c\n")], &clock).unwrap();
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

#[test]
fn versions_are_those_that_both_have() {
    for (server_has, arguments) in
        [(TLS12, vec!["-rev", "-tls1_2"]), (TLS13, vec!["-rev", "-tls1_3"]), (TLS12 | TLS13, vec!["-rev"])]
    {
        let server = Server::start("faults-none", &arguments);
        for client_has in [TLS12, TLS13, TLS12 | TLS13, 16_320] {
            let result = with(&server, |options| options.protocols = client_has);
            let common = client_has & server_has;
            let Ok(mut secured) = result else {
                assert_eq!(common, 0);
                assert_eq!(result.unwrap_err().code, Code::Handshake);
                continue;
            };
            let expected = if common & TLS13 != 0 { Version::Tls13 } else { Version::Tls12 };
            assert_eq!(secured.info.version, expected);
            assert!(!secured.info.resumed);
            echo(&mut secured);
        }
    }
    let server = Server::start("faults-none", &["-rev"]);
    assert_eq!(with(&server, |options| options.protocols = 0x3c0).unwrap_err().code, Code::Handshake);
}

#[test]
fn every_suite_can_be_had_by_its_name() {
    let suites = [
        ("rsa", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "AES_128_GCM", 128),
        ("rsa", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "AES_256_GCM", 256),
        ("rsa", "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "CHACHA20_POLY1305", 256),
        ("faults-none", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "AES_128_GCM", 128),
        ("faults-none", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "AES_256_GCM", 256),
        ("faults-none", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "CHACHA20_POLY1305", 256),
        ("rsa", "TLS_AES_128_GCM_SHA256", "AES_128_GCM", 128),
        ("rsa", "TLS_AES_256_GCM_SHA384", "AES_256_GCM", 256),
        ("rsa", "TLS_CHACHA20_POLY1305_SHA256", "CHACHA20_POLY1305", 256),
    ];
    let (rsa, ecdsa) = (Server::start("rsa", &["-rev"]), Server::start("faults-none", &["-rev"]));
    for (certificate, suite, cipher, strength) in suites {
        let server = if certificate == "rsa" { &rsa } else { &ecdsa };
        let mut secured = with(server, |options| options.suites = Some(suite.to_lowercase())).unwrap();
        let info = &secured.info;
        assert_eq!((info.suite.as_str(), info.cipher.as_str(), info.strength), (suite, cipher, strength));
        echo(&mut secured);
    }
    // A suite for the other kind of key is nothing in common.
    let error = with(&rsa, |options| {
        options.suites = Some("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256".into());
    });
    let error = error.unwrap_err();
    assert_eq!(error.code, Code::Handshake);
    assert!(error.message.contains("handshake_failure"), "{error}");
}

#[test]
fn strength_and_algorithm_names_choose_among_the_suites() {
    let server = Server::start("rsa", &["-rev", "-ciphersuites", "TLS_AES_128_GCM_SHA256", "-cipher", "AESGCM"]);
    assert_eq!(with(&server, |_| ()).unwrap().info.strength, 128);
    // 256 bits are only left in TLS 1.2 here, and the server prefers 1.3: nothing in common but by 1.2 alone.
    let strong = with(&server, |options| (options.min_strength, options.protocols) = (256, TLS12)).unwrap();
    assert_eq!((strong.info.strength, strong.info.version), (256, Version::Tls12));
    let named = with(&server, |options| options.suites = Some("CALG_AES_256; CALG_SHA_384".into()));
    assert_eq!(named.map(|secured| secured.info.strength).unwrap_or(256), 256);
    assert_eq!(with(&server, |options| options.min_strength = 257).unwrap_err().code, Code::Handshake);
}

#[test]
fn every_group_can_be_had_by_its_name() {
    let server = Server::start("rsa", &["-rev"]);
    for (name, shown, strength) in [
        ("ecdhe_x25519", "x25519", 255),
        ("ecdhe_secp256r1", "secp256r1", 256),
        ("ecdhe_secp384r1", "secp384r1", 384),
        ("ecdhe_secp521r1", "secp521r1", 521),
    ] {
        let mut thirteen = with(&server, |options| options.tls13_groups = Some(name.into())).unwrap();
        assert_eq!((thirteen.info.key_exchange.as_str(), thirteen.info.key_exchange_strength), (shown, strength));
        echo(&mut thirteen);
        // The server serves one after the other.
        drop(thirteen);
        let share = with(&server, |options| options.tls13_key_shares = Some(name.into())).unwrap();
        assert_eq!(share.info.key_exchange, shown);
        drop(share);
        if name != "ecdhe_x25519" {
            let twelve = with(&server, |options| {
                (options.tls12_groups, options.protocols) = (Some(name.into()), TLS12);
            });
            assert_eq!(twelve.unwrap().info.key_exchange, shown);
        }
    }
    // A server that wants another group than the one that is pre-generated asks again.
    let picky = Server::start("faults-none", &["-rev", "-groups", "P-384"]);
    let mut secured = with(&picky, |_| ()).unwrap();
    assert_eq!(secured.info.key_exchange, "secp384r1");
    echo(&mut secured);
    drop(secured);
    let none = with(&picky, |options| options.tls13_groups = Some("ecdhe_x25519".into()));
    assert_eq!(none.unwrap_err().code, Code::Handshake);
}

#[test]
fn p_521_is_there_for_keys_of_every_kind() {
    // A server with nothing else, in both versions.
    for version in ["-tls1_2", "-tls1_3"] {
        let server = Server::start("ec521", &["-rev", version, "-groups", "P-521"]);
        let mut secured = with(&server, |_| ()).unwrap();
        assert_eq!((secured.info.key_exchange.as_str(), secured.info.key_exchange_strength), ("secp521r1", 521));
        echo(&mut secured);
    }
    // TLS 1.2 leaves the curve out of the signature's name: every hash goes with it.
    for hash in ["SHA256", "SHA384", "SHA512"] {
        let sigalgs = format!("ECDSA+{hash}");
        for name in ["ec521", "ec384", "faults-none"] {
            let server = Server::start(name, &["-rev", "-tls1_2", "-sigalgs", &sigalgs]);
            echo(&mut with(&server, |_| ()).unwrap_or_else(|e| panic!("{name} with {hash}: {e}")));
        }
    }
}

#[test]
fn signatures_are_held_to_their_lists() {
    let servers = [Server::start("rsa", &["-rev"]), Server::start("faults-none", &["-rev"])];
    let ed25519 = Server::start("ed25519", &["-rev"]);
    let ec384 = Server::start("ec384", &["-rev"]);
    let thirteen = |server: &Server, list: &str| {
        with(server, |options| (options.tls13_signatures, options.protocols) = (Some(list.into()), TLS13))
    };
    let twelve = |server: &Server, list: &str| {
        with(server, |options| (options.tls12_signatures, options.protocols) = (Some(list.into()), TLS12))
    };
    for server in servers.iter().chain([&ed25519, &ec384]) {
        echo(&mut with(server, |options| options.protocols = TLS12).unwrap());
        echo(&mut with(server, |options| options.protocols = TLS13).unwrap());
    }
    // The leaf is signed with ECDSA and SHA-256 by its authority, so that must be allowed too.
    thirteen(&servers[0], "rsa_pss_sha512,ecdsa_secp256r1_sha256").unwrap();
    assert_eq!(thirteen(&servers[0], "rsa_pss_sha512").unwrap_err().code, Code::CertVerify);
    assert_eq!(thirteen(&servers[0], "ed25519,ecdsa_secp256r1_sha256").unwrap_err().code, Code::Handshake);
    thirteen(&ed25519, "ed25519,ecdsa_secp256r1_sha256").unwrap();
    twelve(&servers[0], "sha384-rsa,sha256-ecdsa").unwrap();
    assert_eq!(twelve(&servers[0], "sha256-ecdsa").unwrap_err().code, Code::Handshake);
}

fn identity(name: &str, key: &str) -> Option<ClientIdentity> {
    let bytes = fs::read(path(key)).unwrap();
    let key = if key.ends_with("sec1") { PrivateKey::from_sec1(&bytes, None) } else { PrivateKey::from_pkcs8(&bytes) };
    Some(ClientIdentity { chain: vec![der(name)], key: Arc::new(key.expect("the key can be read")) })
}

#[test]
fn a_client_certificate_is_shown_to_the_server_that_asks() {
    for version in ["-tls1_2", "-tls1_3"] {
        let ca = path("ca.pem");
        let arguments = ["-rev", version, "-Verify", "1", "-verify_return_error", "-CAfile", ca.as_str()];
        // A client's RSA key of 1024 bits is too short for OpenSSL at its usual level.
        let arguments = [&arguments[..], &["-cipher", "DEFAULT:@SECLEVEL=0"]].concat();
        let server = Server::start("faults-none", &arguments);
        for (name, key) in [
            ("client", "client.p8"),
            ("client", "client.sec1"),
            ("client-rsa", "client-rsa.p8"),
            ("client-ed25519", "client-ed25519.p8"),
            ("client-weak", "client-weak.p8"),
            ("client-p521", "client-p521.p8"),
        ] {
            let secured = with(&server, |options| options.client = identity(name, key));
            if name == "client-weak" && crate::IS_OPENSSL {
                // Our side has that level too, and says so before anything is sent.
                assert_eq!(secured.unwrap_err().code, Code::Credentials);
                continue;
            }
            echo(&mut secured.unwrap());
        }
        // TLS 1.3 tells its refusal only when the client thinks that it is through.
        let error = match with(&server, |_| ()) {
            Err(error) => error,
            Ok(mut secured) => secured.stream.read(&mut [0; 8], &clock()).unwrap_err(),
        };
        assert_eq!(error.code, Code::Handshake);
        assert!(
            error.message.contains("certificate_required") || error.message.contains("handshake_failure"),
            "{error}"
        );
    }
    let server = Server::start("faults-none", &["-rev"]);
    let mixed = with(&server, |options| options.client = identity("client", "client-rsa.p8"));
    assert_eq!(mixed.unwrap_err().code, Code::Credentials);
    let empty = identity("client", "client.p8").map(|client| ClientIdentity { chain: Vec::new(), ..client });
    assert_eq!(with(&server, |options| options.client = empty).unwrap_err().code, Code::Credentials);
}

#[test]
fn a_server_that_is_refused_never_sees_the_client_certificate() {
    for version in ["-tls1_2", "-tls1_3"] {
        let ca = path("ca.pem");
        let bad = Server::start("faults-c", &["-rev", version, "-Verify", "1", "-CAfile", &ca]);
        let shown = |change: fn(&mut TlsOptions)| {
            let result = with(&bad, |options| {
                options.client = identity("client", "client.p8");
                change(options);
            });
            let said = bad.wait_for(|text| text.contains("depth=") || text.contains("lert"));
            (result.is_ok(), said.contains("depth=0 CN = client"))
        };
        assert_eq!(shown(|_| ()), (false, false));
        assert!(shown(|options| options.security_flags = 0x10).0);
        bad.wait_for(|text| text.contains("depth=0 CN = client"));
    }
}

#[test]
fn the_key_log_holds_what_the_server_logs_and_is_for_the_owner_alone() {
    let (ours, theirs) = (path("client-keys.log"), path("server-keys.log"));
    let server = Server::start("faults-none", &["-rev", "-keylogfile", &theirs]);
    let lines = |file: &str| {
        let text = fs::read_to_string(file).unwrap_or_default();
        let mut lines: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect();
        lines.retain(|line| !line.starts_with("EXPORTER"));
        lines.sort();
        lines
    };
    for protocols in [TLS12, TLS13] {
        let mut secured = with(&server, |options| {
            options.protocols = protocols;
            options.key_log = Some(ours.clone().into());
        });
        echo(secured.as_mut().unwrap());
    }
    assert_eq!(lines(&ours).len(), 5, "{:?}", lines(&ours));
    assert_eq!(lines(&ours), lines(&theirs));
    assert_eq!(fs::metadata(&ours).unwrap().permissions().mode() & 0o777, 0o600);
    let link = path("link.log");
    symlink(&ours, &link).unwrap();
    for bad in [link.as_str(), "/dev/null", "/nowhere/keys.log"] {
        let error = with(&server, |options| options.key_log = Some(bad.into())).unwrap_err();
        assert_eq!(error.code, Code::File, "{error}");
    }
}

#[test]
fn channel_bindings_are_those_the_server_has() {
    let arguments = ["-keymatexport", "EXPORTER-Channel-Binding", "-keymatexportlen", "32"];
    let server = Server::start("rsa", &arguments);
    let mut secured = with(&server, |_| ()).unwrap();
    let said = server.wait_for(|text| text.contains("Keying material: ") && text.contains("CIPHER is"));
    let material = said.split("Keying material: ").nth(1).unwrap().lines().next().unwrap().trim().to_owned();
    let hex: String = secured.stream.exporter().unwrap().iter().map(|byte| format!("{byte:02X}")).collect();
    assert_eq!(hex, material);
    let end_point = ring::digest::digest(&ring::digest::SHA256, &der("rsa"));
    assert_eq!(secured.info.end_point().unwrap(), end_point.as_ref());
}

#[test]
fn large_and_scattered_data_arrives_whole() {
    let mut server = Server::start("faults-none", &[]);
    let mut secured = with(&server, |_| ()).unwrap();
    let clock = clock();
    let line = |number: usize| format!("line {number} {}\n", "x".repeat(number % 90));
    let lines: Vec<String> = (0..20_000).map(line).collect();
    let mut parts: Vec<_> = lines.iter().map(|line| IoSlice::new(line.as_bytes())).collect();
    secured.stream.write_more(&mut parts, &clock).unwrap();
    let big = "y".repeat(1 << 20) + "\n";
    secured.stream.write_all(&mut [IoSlice::new(big.as_bytes()), IoSlice::new(b"end\n")], &clock).unwrap();
    let text = server.wait_for(|text| text.ends_with("end\n"));
    assert!(text.ends_with(&(lines.concat() + &big + "end\n")));
    assert!(!secured.stream.readable(Duration::ZERO, &clock).unwrap());
    server.say("hello\n");
    assert!(secured.stream.readable(Duration::from_secs(10), &clock).unwrap());
    let mut buffer = [0; 3];
    assert_eq!(secured.stream.read(&mut buffer, &clock).unwrap(), 3);
    assert!(secured.stream.readable(Duration::ZERO, &clock).unwrap());
    secured.stream.close();
    assert_eq!(secured.stream.read(&mut buffer, &clock).unwrap(), 3, "what came before is still there");
    assert!(secured.stream.write_all(&mut [IoSlice::new(b"x")], &clock).is_err());
}

/// Counts the writes of the stream that it wraps.
struct Counted(Box<dyn Stream>, Arc<AtomicUsize>);

impl Stream for Counted {
    fn read(&mut self, buf: &mut [u8], clock: &Clock) -> Result<usize> {
        self.0.read(buf, clock)
    }
    fn write_all(&mut self, parts: &mut [IoSlice<'_>], clock: &Clock) -> Result<()> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.write_all(parts, clock)
    }
    fn write_more(&mut self, parts: &mut [IoSlice<'_>], clock: &Clock) -> Result<()> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.write_more(parts, clock)
    }
    fn readable(&mut self, wait: Duration, clock: &Clock) -> Result<bool> {
        self.0.readable(wait, clock)
    }
    fn close(&mut self) {
        self.0.close();
    }
    fn local_addr(&self) -> Option<SocketAddr> {
        self.0.local_addr()
    }
    fn peer_addr(&self) -> Option<SocketAddr> {
        self.0.peer_addr()
    }
}

#[test]
fn sixteen_records_leave_in_one_write() {
    let server = Server::start("faults-none", &[]);
    let writes = Arc::new(AtomicUsize::new(0));
    let stream = Box::new(Counted(connect(server.port), writes.clone()));
    let mut secured = crate::fresh().handshake(stream, &trusting(server.port), &clock(), &mut NoJudge).unwrap();
    // The hello, and the answer to everything that came back.
    assert_eq!(writes.swap(0, Ordering::Relaxed), 2);
    let big = vec![b'z'; 4 << 20];
    secured.stream.write_all(&mut [IoSlice::new(&big)], &clock()).unwrap();
    assert_eq!(writes.swap(0, Ordering::Relaxed), 16);
    // Many small parts are no small records: 60 bytes at a time, 256 KiB in all and one byte more.
    let line = [b'z'; 60];
    let mut parts: Vec<_> = (0..4_370).map(|_| IoSlice::new(&line)).collect();
    secured.stream.write_all(&mut parts, &clock()).unwrap();
    assert_eq!(writes.swap(0, Ordering::Relaxed), 2);
    secured.stream.write_all(&mut [IoSlice::new(b"a"), IoSlice::new(b"b\n")], &clock()).unwrap();
    assert_eq!(writes.swap(0, Ordering::Relaxed), 1);
    secured.stream.close();
    assert_eq!(writes.load(Ordering::Relaxed), 1, "close_notify");
}

/// Hands over one byte at a time.
struct Trickle(Box<dyn Stream>);

impl Stream for Trickle {
    fn read(&mut self, buf: &mut [u8], clock: &Clock) -> Result<usize> {
        self.0.read(&mut buf[..1], clock)
    }
    fn write_all(&mut self, parts: &mut [IoSlice<'_>], clock: &Clock) -> Result<()> {
        for byte in parts.iter().flat_map(|part| part.iter()) {
            self.0.write_all(&mut [IoSlice::new(&[*byte])], clock)?;
        }
        Ok(())
    }
    fn readable(&mut self, wait: Duration, clock: &Clock) -> Result<bool> {
        self.0.readable(wait, clock)
    }
    fn close(&mut self) {
        self.0.close();
    }
    fn local_addr(&self) -> Option<SocketAddr> {
        self.0.local_addr()
    }
    fn peer_addr(&self) -> Option<SocketAddr> {
        self.0.peer_addr()
    }
}

#[test]
fn one_byte_at_a_time_is_the_same() {
    for version in ["-tls1_2", "-tls1_3"] {
        let server = Server::start("via2", &["-rev", version]);
        let stream = Box::new(Trickle(connect(server.port)));
        let options = trusting(server.port);
        let mut secured = crate::fresh().handshake(stream, &options, &clock(), &mut NoJudge).unwrap();
        echo(&mut secured);
        assert!(!secured.stream.readable(Duration::from_millis(20), &clock()).unwrap());
        drop(secured);
    }
}
