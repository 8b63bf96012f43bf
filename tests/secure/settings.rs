//! What each TLS setting changes in the handshake (rulings 10, 18 and 21), and what SSLNegotiated tells of it.

use crate::common::Handle;
use crate::pki;
use crate::start::client;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use xtask::server::tls::{Mode, Setup};
use xtask::server::{Options, Server};

const TLS12: u16 = 0x0303;
const TLS13: u16 = 0x0304;

fn server(certificate: &str, only: Option<u16>) -> Server {
    pki::server(Mode::Implicit, &Setup { only, ..pki::setup(certificate) }, Options::default())
}

/// Connects with settings; the number of the error, or 0.
fn with(server: &Server, settings: &[&str]) -> (i32, Handle) {
    let handle = client(server.port(), "sslImplicit");
    for setting in settings {
        handle.config(setting).unwrap_or_else(|e| panic!("{setting}: {e:?}"));
    }
    let code = handle.call("Connect", "").map_or_else(|failure| failure.code, |()| 0);
    (code, handle)
}

fn code(server: &Server, settings: &[&str]) -> i32 {
    with(server, settings).0
}

const NEGOTIATED: [&str; 6] =
    ["Version", "CipherSuite", "Cipher", "CipherStrength", "KeyExchange", "KeyExchangeStrength"];

fn negotiated(handle: &Handle) -> [String; 6] {
    NEGOTIATED.map(|name| handle.config(&format!("SSLNegotiated{name}")).unwrap())
}

#[test]
fn the_negotiated_values_are_empty_before_a_handshake_and_tell_it_afterwards() {
    let both = server("rsa", None);
    let (_, handle) = with(&both, &[]);
    let expected = ["TLSv1.3", "TLS_AES_256_GCM_SHA384", "AES_256_GCM", "256", "x25519", "255"];
    assert_eq!(negotiated(&handle), expected);
    let fresh = Handle::new();
    assert_eq!(negotiated(&fresh), [""; 6]);
    for name in NEGOTIATED {
        assert_eq!(fresh.config(&format!("SSLNegotiated{name}=x")).unwrap_err().code, 604);
    }
    let old = server("rsa", Some(TLS12));
    let (_, handle) = with(&old, &["SSLEnabledProtocols=3072", "TLS12SupportedGroups=ecdhe_secp384r1"]);
    let suite = "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384";
    assert_eq!(negotiated(&handle), ["TLSv1.2", suite, "AES_256_GCM", "256", "secp384r1", "384"]);
    handle.call("Disconnect", "").unwrap();
    assert_eq!(negotiated(&handle)[0], "TLSv1.2", "of the last connection");
    handle.must_set("SSLStartMode", "sslNone");
    let plain = Server::start(Options::default()).unwrap();
    handle.must_set("MailPort", &plain.port().to_string());
    handle.call("Connect", "").unwrap();
    assert_eq!(negotiated(&handle), [""; 6], "a new connection is tried");
}

#[test]
fn protocols_are_enabled_bit_by_bit() {
    let (twelve, thirteen, both) = (server("rsa", Some(TLS12)), server("rsa", Some(TLS13)), server("rsa", None));
    for (value, reaches12, reaches13, chosen) in [
        (3072, true, false, "TLSv1.2"),
        (12288, false, true, "TLSv1.3"),
        (15360, true, true, "TLSv1.3"),
        (16320, true, true, "TLSv1.3"),
    ] {
        let setting = format!("SSLEnabledProtocols={value}");
        let expected = |reaches: bool| if reaches { 0 } else { 276 };
        assert_eq!(code(&twelve, &[&setting]), expected(reaches12), "{value}");
        assert_eq!(code(&thirteen, &[&setting]), expected(reaches13), "{value}");
        assert_eq!(negotiated(&with(&both, &[&setting]).1)[0], chosen);
    }
    let handle = Handle::new();
    assert_eq!(handle.config("SSLEnabledProtocols").unwrap(), "16320", "ruling 2");
    for bits in ["48", "12", "4080"] {
        assert_eq!(handle.config(&format!("SSLEnabledProtocols={bits}")).unwrap_err().code, 603, "{bits}");
        assert_eq!(handle.config("SSLEnabledProtocols").unwrap(), "16320", "what was refused changes nothing");
    }
    assert_eq!(code(&both, &["SSLEnabledProtocols=0"]), 276, "nothing is left to offer");
}

#[test]
fn suites_are_chosen_by_name_and_by_algorithm() {
    let (both, twelve) = (server("rsa", None), server("rsa", Some(TLS12)));
    let suite = |server: &Server, value: &str| {
        let (code, handle) = with(server, &[&format!("SSLEnabledCipherSuites={value}")]);
        if code == 0 { negotiated(&handle)[1].clone() } else { code.to_string() }
    };
    for name in ["TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"] {
        assert_eq!(suite(&both, name), name);
    }
    assert_eq!(suite(&both, "TLS_AES_128_GCM_SHA256;TLS_AES_256_GCM_SHA384"), "TLS_AES_256_GCM_SHA384");
    assert_eq!(suite(&both, "CALG_AES_128"), "TLS_AES_128_GCM_SHA256");
    assert_eq!(suite(&twelve, "CALG_AES_128;CALG_RSA_SIGN"), "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256");
    assert_eq!(suite(&twelve, "CALG_ECDSA"), "276", "the server has no such certificate");
    assert_eq!(suite(&both, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"), "276");
    let handle = Handle::new();
    let failure = handle.config("SSLEnabledCipherSuites=TLS_NO_SUCH_SUITE").unwrap_err();
    assert_eq!(failure.code, 603);
    assert!(
        failure.text.contains("TLS_NO_SUCH_SUITE") && failure.text.contains("TLS_AES_128_GCM_SHA256"),
        "{failure:?}"
    );
    assert_eq!(handle.config("SSLEnabledCipherSuites").unwrap(), "*");
    assert_eq!(suite(&both, "*"), "TLS_AES_256_GCM_SHA384");
}

#[test]
fn the_cipher_has_at_least_the_strength_that_is_asked_for() {
    let both = server("rsa", None);
    let (_, handle) = with(&both, &["SSLEnabledCipherSuites=CALG_AES_128;CALG_AES_256", "SSLCipherStrength=256"]);
    assert_eq!(negotiated(&handle)[3], "256");
    assert_eq!(code(&both, &["SSLEnabledCipherSuites=CALG_AES_128", "SSLCipherStrength=128"]), 0);
    assert_eq!(code(&both, &["SSLEnabledCipherSuites=CALG_AES_128", "SSLCipherStrength=129"]), 276);
    assert_eq!(code(&both, &["SSLCipherStrength=257"]), 276, "nothing is left, which is an error at connect");
}

#[test]
fn groups_are_those_that_are_named() {
    // One list of groups goes out for both versions; each is held to its own.
    let group = |server: &Server, setting: &str| {
        let version =
            if setting.starts_with("TLS12") { "SSLEnabledProtocols=3072" } else { "SSLEnabledProtocols=12288" };
        negotiated(&with(server, &[version, setting]).1)[4].clone()
    };
    let thirteen = server("rsa", Some(TLS13));
    for name in ["secp256r1", "secp384r1", "x25519"] {
        assert_eq!(group(&thirteen, &format!("TLS13SupportedGroups=ecdhe_{name}")), name);
    }
    // A share for another group than the preferred one: the server takes what is there, or asks for another.
    assert_eq!(group(&thirteen, "TLS13KeyShareGroups=ecdhe_secp384r1"), "secp384r1");
    let twelve = server("rsa", Some(TLS12));
    for name in ["secp256r1", "secp384r1"] {
        assert_eq!(group(&twelve, &format!("TLS12SupportedGroups=ecdhe_{name}")), name);
    }
    // The server of these tests has no secp521r1; with that alone there is nothing in common.
    assert_eq!(code(&thirteen, &["TLS13SupportedGroups=ecdhe_secp521r1"]), 276);
    let handle = Handle::new();
    for setting in
        ["TLS12SupportedGroups=ecdhe_x", "TLS13SupportedGroups=x", "TLS13KeyShareGroups=x", "TLS13SupportedGroups="]
    {
        assert_eq!(handle.config(setting).unwrap_err().code, 603, "{setting}");
    }
    // Setting exactly the default is accepted, whatever of it the provider has.
    for name in [
        "TLS12SupportedGroups",
        "TLS13SupportedGroups",
        "TLS13KeyShareGroups",
        "TLS12SignatureAlgorithms",
        "TLS13SignatureAlgorithms",
        "SSLEnabledCipherSuites",
        "CACertFilePaths",
    ] {
        let default = handle.config(name).unwrap();
        handle.config(&format!("{name}={default}")).unwrap_or_else(|e| panic!("{name}: {e:?}"));
    }
}

#[test]
fn signatures_are_held_to_the_list() {
    let twelve = server("rsa", Some(TLS12));
    let code12 =
        |value: &str| code(&twelve, &["SSLEnabledProtocols=3072", &format!("TLS12SignatureAlgorithms={value}")]);
    assert_eq!(code12("sha384-rsa,sha256-ecdsa"), 0);
    let code12 =
        |value: &str| code(&twelve, &["SSLEnabledProtocols=3072", &format!("TLS12SignatureAlgorithms={value}")]);
    assert_eq!(code12("sha256-ecdsa"), 276, "the server's key signs no such thing");
    let code12 =
        |value: &str| code(&twelve, &["SSLEnabledProtocols=3072", &format!("TLS12SignatureAlgorithms={value}")]);
    assert_eq!(code12("sha384-rsa"), 280, "the certificate is signed otherwise");
    let thirteen = server("rsa", Some(TLS13));
    assert_eq!(code(&thirteen, &["TLS13SignatureAlgorithms=rsa_pss_sha512,ecdsa_secp256r1_sha256"]), 0);
    assert_eq!(code(&thirteen, &["TLS13SignatureAlgorithms=rsa_pss_sha512"]), 280);
    assert_eq!(code(&thirteen, &["TLS13SignatureAlgorithms=ecdsa_secp256r1_sha256"]), 276);
    let handle = Handle::new();
    for setting in ["TLS12SignatureAlgorithms=", "TLS12SignatureAlgorithms=md5-rsa", "TLS13SignatureAlgorithms=rsa"] {
        assert_eq!(handle.config(setting).unwrap_err().code, 603, "{setting}");
    }
}

#[test]
fn the_key_log_is_appended_for_the_owner_alone() {
    let server = server("rsa", None);
    let file = pki::path("keys.log");
    let setting = format!("SSLKeyLogFile={file}");
    assert_eq!(code(&server, &[&setting]), 0);
    let first = fs::read_to_string(&file).unwrap();
    assert!(first.lines().all(|line| line.split(' ').count() == 3), "{first}");
    assert!(
        first.contains("CLIENT_TRAFFIC_SECRET_0 ") && first.contains("SERVER_HANDSHAKE_TRAFFIC_SECRET "),
        "{first}"
    );
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(code(&server, &[&setting]), 0);
    let second = fs::read_to_string(&file).unwrap();
    assert!(second.starts_with(&first) && second.len() > first.len());
    assert_eq!(code(&server, &["SSLKeyLogFile=/nowhere/keys.log"]), 303);
    let link = pki::path("keys.link");
    std::os::unix::fs::symlink(&file, &link).unwrap();
    assert_eq!(code(&server, &[&format!("SSLKeyLogFile={link}")]), 303, "a symbolic link is not followed");
    assert_eq!(code(&server, &[]), 0);
    assert_eq!(fs::read_to_string(&file).unwrap(), second, "off unless set");
}

#[test]
fn every_record_is_told_where_that_is_asked_for() {
    let server = server("rsa", None);
    let (_, handle) = with(&server, &[]);
    assert!(!handle.told("SSLStatus").iter().any(|line| line.contains("TLS record")));
    let (_, handle) = with(&server, &["LogSSLPackets=True"]);
    let told = |way: &str, kind: &str| {
        let start = format!("TLS record {way}: {kind}, version 3.");
        handle.told("SSLStatus").iter().filter(|line| line.starts_with(&start)).count()
    };
    assert!(told("sent", "handshake") >= 1 && told("received", "handshake") >= 1, "{:?}", handle.told("SSLStatus"));
    assert!(told("received", "application_data") >= 1);
    let before = (told("sent", "application_data"), told("received", "application_data"));
    handle.call("Send", "").unwrap();
    let after = (told("sent", "application_data"), told("received", "application_data"));
    assert!(after.0 > before.0 && after.1 > before.1, "each time one is sent or received");
    let all = handle.told("SSLStatus").join("\n");
    assert!(!all.contains("Hello") && !all.contains("48 65 6c 6c 6f"), "what is told is what the wire has");
}

#[test]
fn what_no_provider_can_leave_out_is_refused_by_name() {
    let handle = Handle::new();
    let failure = handle.config("SSLEnableRenegotiation=False").unwrap_err();
    assert_eq!(failure.code, 603);
    assert!(failure.text.contains("SSLEnableRenegotiation"), "{failure:?}");
    assert_eq!(handle.config("SSLEnableRenegotiation").unwrap(), "True");
}
