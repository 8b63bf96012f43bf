//! The server's certificate through the C ABI: every fault with every flag, the handler's word, pins, and what is told of it
//! (rulings 33 and 38, test catalogue F).

use crate::pki;
use crate::start::client;
use xtask::server::tls::Mode;
use xtask::server::{Options, Server};

const FLAGS: [(char, u32); 4] = [('t', 0x1), ('c', 0x10), ('u', 0x20), ('n', 0x8000_0000)];

fn server(name: &str) -> Server {
    pki::server(Mode::Implicit, &pki::setup(name), Options::default())
}

/// One connection to a server with these flags; the number of its error, or 0.
fn connects(server: &Server, flags: u32) -> i32 {
    let handle = client(server.port(), "sslImplicit");
    handle.config(&format!("SSLSecurityFlags={flags}")).unwrap();
    handle.call("Connect", "").map_or_else(|failure| failure.code, |()| 0)
}

#[test]
fn a_flag_waives_its_own_fault_and_two_faults_need_two_flags() {
    for faults in 0..16u32 {
        let has = |bit: &usize| faults & (1 << *bit) != 0;
        let name: String = (0..4).filter(has).map(|bit| FLAGS[bit].0).collect();
        let server = server(&format!("faults-{}", if name.is_empty() { "none" } else { &name }));
        let needed: u32 = (0..4).filter(has).map(|bit| FLAGS[bit].1).sum();
        for waived in 0..16u32 {
            let flags = (0..4).filter(|bit| waived & (1 << bit) != 0).map(|bit| FLAGS[bit].1).sum::<u32>();
            let expected = if needed & !flags == 0 { 0 } else { 280 };
            assert_eq!(connects(&server, flags), expected, "faults {name:?} with {flags:#x}");
        }
    }
}

#[test]
fn every_kind_of_wrong_certificate_is_280_with_its_reason() {
    let cases = [
        ("faults-t", 0x1, "expired"),
        ("future", 0x1, "not valid before"),
        ("faults-n", 0x8000_0000, "is for other.example, not for localhost"),
        ("faults-c", 0x10, "issuer is unknown"),
        ("faults-u", 0x20, "not for servers"),
        ("self", 0x10, "self-signed"),
        ("via-expired", 0x1, "intermediate certificate expired"),
        ("via-client", 0x20, "intermediate certificate is not for"),
        ("via-unknown", 0x10, "issuer is unknown"),
        ("via-path", 0, "longer than"),
        ("via-names", 0, "constrained to other names"),
        ("via-leaf", 0, "no certificate authority"),
        ("critical", 0, "critical extension"),
        ("broken", 0, "signature"),
    ];
    for (name, flag, reason) in cases {
        let server = server(name);
        let handle = client(server.port(), "sslImplicit");
        handle.judge(Some(None));
        // Every other flag is of no help.
        handle.config(&format!("SSLSecurityFlags={}", !flag)).unwrap();
        let failure = handle.call("Connect", "").unwrap_err();
        assert_eq!(failure.code, 280, "{name}: {failure:?}");
        assert!(failure.text.contains(reason), "{name}: {failure:?}");
        let told = handle.told("SSLServerAuthentication");
        // What rustls cannot read at all is not asked about.
        let told = if name == "critical" { vec![format!("0 {reason}")] } else { told };
        assert!(told.len() == 1 && told[0].starts_with("0 ") && told[0].contains(reason), "{name}: {told:?}");
        assert!(server.commands().iter().flatten().next().is_none(), "nothing was said: {:?}", server.commands());
        let waived = connects(&server, flag);
        assert_eq!(waived, if flag == 0 { 280 } else { 0 }, "{name}");
    }
}

#[test]
fn the_handler_has_the_last_word_in_both_directions() {
    for name in ["faults-tcun", "self", "via-path", "broken"] {
        let server = server(name);
        let handle = client(server.port(), "sslImplicit");
        handle.judge(Some(Some(true)));
        handle.call("Send", "").unwrap_or_else(|e| panic!("{name}: {e:?}"));
        assert_eq!(server.count(), 1);
        handle.judge(None);
        assert_eq!(handle.call("Send", "").unwrap_err().code, 280, "{name}: no handler, no acceptance");
        assert_eq!(server.count(), 1);
    }
    for mode in [Mode::Implicit, Mode::StartTls] {
        let server = pki::server(mode, &pki::setup("faults-none"), Options::default());
        let handle = client(server.port(), if mode == Mode::Implicit { "sslImplicit" } else { "sslExplicit" });
        handle.judge(Some(Some(false)));
        let failure = handle.call("Send", "").unwrap_err();
        assert_eq!(failure.code, 280);
        assert!(failure.text.contains("not accepted by the application"), "{failure:?}");
        assert_eq!(handle.told("SSLServerAuthentication"), ["1 OK"]);
        assert!(!server.commands().iter().flatten().any(|line| line.starts_with("MAIL")));
    }
}

#[test]
fn the_event_tells_the_whole_chain_and_the_leaf() {
    let server = server("via2");
    let handle = client(server.port(), "sslImplicit");
    handle.judge(Some(None));
    handle.call("Connect", "").unwrap();
    assert_eq!(handle.told("SSLServerAuthentication"), ["1 OK"]);
    assert_eq!(handle.told("CertSubject"), ["CN=server"]);
    assert_eq!(handle.told("CertIssuer"), ["CN=Test Second Intermediate"]);
    let strip = |text: &str| text.split_whitespace().collect::<String>();
    let chain = ["via2", "int2", "int", "ca"].map(pki::pem).concat();
    assert_eq!(
        strip(&handle.told("CertEncoded")[0]),
        strip(&chain),
        "leaf, intermediates, and the root that was found"
    );
    let leaf = ssmtp::net::tls::roots::from_pem(pki::pem("via2").as_bytes(), "via2").unwrap().remove(0);
    let octets: String = leaf.iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!(handle.told("CertEncodedB"), [octets]);
    // On every full handshake, and before EHLO.
    let names: Vec<&str> = handle.events().iter().map(|e| e.name).collect();
    let at = |name: &str| names.iter().position(|n| *n == name);
    assert!(at("SSLServerAuthentication") < at("PITrail"), "{names:?}");
}

#[test]
fn ssl_server_cert_is_what_the_server_showed() {
    let good = server("faults-none");
    let handle = client(good.port(), "sslImplicit");
    assert_eq!(handle.get("SSLServerCertSubject").unwrap(), "");
    handle.call("Connect", "").unwrap();
    let fields = || ["Subject", "Issuer", "SubjectAltNames"].map(|f| handle.get(&format!("SSLServerCert{f}")).unwrap());
    assert_eq!(fields(), ["CN=server", "CN=Test Root", "mail.example,localhost"]);
    let encoded = handle.get("SSLServerCertEncoded").unwrap();
    let strip = |text: &str| text.split_whitespace().collect::<String>();
    assert_eq!(strip(&encoded), strip(&pki::pem("faults-none")));
    handle.call("Disconnect", "").unwrap();
    assert_eq!(fields()[0], "CN=server", "of the last connection");
    // Resumed: nothing is shown then, and it is known all the same.
    handle.call("Connect", "").unwrap();
    assert_eq!(fields()[0], "CN=server");
    handle.call("Disconnect", "").unwrap();
    // A refused one is told too, and every new connection begins without.
    let bad = server("self");
    handle.must_set("MailPort", &bad.port().to_string());
    handle.call("Connect", "").unwrap_err();
    assert_eq!(handle.get("SSLServerCertSubject").unwrap(), "CN=mail.example");
    handle.must_set("MailPort", "1");
    handle.call("Connect", "").unwrap_err();
    assert_eq!(fields(), ["", "", ""]);
}

#[test]
fn every_field_of_ssl_server_cert_reads_as_of_the_certificate_itself() {
    const FIELDS: [&str; 20] = [
        "EffectiveDate",
        "ExpirationDate",
        "ExtendedKeyUsage",
        "Fingerprint",
        "FingerprintSHA1",
        "FingerprintSHA256",
        "Issuer",
        "PrivateKey",
        "PrivateKeyAvailable",
        "PublicKey",
        "PublicKeyAlgorithm",
        "PublicKeyLength",
        "SerialNumber",
        "SignatureAlgorithm",
        "SubjectAltNames",
        "ThumbprintMD5",
        "ThumbprintSHA1",
        "ThumbprintSHA256",
        "UsageFlags",
        "Version",
    ];
    for name in ["faults-none", "rsa", "via"] {
        let server = server(name);
        let handle = client(server.port(), "sslImplicit");
        // A pinned one is read from its text, and its fields are tested with the certificates.
        handle.must_set("SSLAcceptServerCertEncoded", &pki::pem(name));
        handle.call("Connect", "").unwrap();
        let mut filled = 0;
        for field in FIELDS {
            let shown = handle.get(&format!("SSLServerCert{field}")).unwrap();
            assert_eq!(shown, handle.get(&format!("SSLAcceptServerCert{field}")).unwrap(), "{name} {field}");
            filled += usize::from(!["", "0", "False"].contains(&shown.as_str()));
        }
        assert!(filled >= FIELDS.len() - 4, "{name}: only {filled} say anything");
    }
}

#[test]
fn a_pinned_certificate_is_accepted_whatever_is_wrong_and_no_other_is() {
    let expired = server("faults-tcun");
    let handle = client(expired.port(), "sslImplicit");
    handle.must_set("SSLAcceptServerCertEncoded", &pki::pem("faults-tcun"));
    handle.call("Send", "").unwrap();
    let other = server("reissued");
    handle.must_set("MailPort", &other.port().to_string());
    assert_eq!(handle.call("Send", "").unwrap_err().code, 280, "the same subject is not the same certificate");
    handle.must_set("MailPort", &expired.port().to_string());
    handle.must_set("SSLAcceptServerCertEncoded", &pki::pem("reissued"));
    assert_eq!(handle.call("Send", "").unwrap_err().code, 280);
}

#[test]
fn a_pinned_key_is_asked_for_beside_everything_else() {
    let server = server("faults-none");
    let handle = client(server.port(), "sslImplicit");
    let key = std::process::Command::new("sh")
        .arg("-c")
        .arg("openssl x509 -noout -pubkey | openssl pkey -pubin -outform DER | openssl dgst -sha256 -binary | base64")
        .stdin(std::fs::File::open(pki::path("faults-none.pem")).unwrap())
        .output()
        .unwrap();
    let pin = format!("sha256//{}", String::from_utf8(key.stdout).unwrap().trim());
    let wrong = "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    handle.config(&format!("SSLPinnedPublicKeys={wrong};{pin}")).unwrap();
    handle.call("Send", "").unwrap();
    handle.config(&format!("SSLPinnedPublicKeys={wrong}")).unwrap();
    // Nothing overrules it: no flag, no pinned certificate, no handler.
    handle.config("SSLSecurityFlags=4294967295").unwrap();
    handle.must_set("SSLAcceptServerCertEncoded", &pki::pem("faults-none"));
    handle.judge(Some(Some(true)));
    let failure = handle.call("Send", "").unwrap_err();
    assert_eq!(failure.code, 280);
    assert!(failure.text.contains("pinned"), "{failure:?}");
    for bad in ["sha1//AAAA", "sha256//AAAA", "x"] {
        assert_eq!(handle.config(&format!("SSLPinnedPublicKeys={bad}")).unwrap_err().code, 603);
    }
}

#[test]
fn trust_comes_from_where_the_settings_say() {
    let good = server("faults-none");
    let handle = client(good.port(), "sslImplicit");
    handle.config("SSLServerCACerts=").unwrap();
    assert_eq!(handle.call("Connect", "").unwrap_err().code, 280, "the system knows no root of these tests");
    handle.config(&format!("CACertFilePaths=/nowhere/ca.pem;{};/nowhere/else.pem", pki::path("ca.pem"))).unwrap();
    handle.call("Connect", "").unwrap();
    handle.call("Disconnect", "").unwrap();
    handle.config("CACertFilePaths=/nowhere/ca.pem").unwrap();
    assert_eq!(handle.call("Connect", "").unwrap_err().code, 303);
    handle.config(&format!("CACertFilePaths={}", pki::path("unknown-ca.pem"))).unwrap();
    assert_eq!(handle.call("Connect", "").unwrap_err().code, 280);
    // Beside the file: two authorities, a line between.
    let both = format!("{}\r\n\r\n{}", pki::pem("unknown-ca"), pki::pem("ca"));
    handle.config(&format!("SSLServerCACerts={both}")).unwrap();
    assert_eq!(handle.config("SSLServerCACerts").unwrap(), both);
    handle.call("Connect", "").unwrap();
    assert_eq!(handle.config("SSLServerCACerts=no certificate").unwrap_err().code, 603);
    // The server's own certificate there is an anchor; its name and dates are still looked at.
    for (name, code) in [("self", 0), ("faults-c", 0), ("faults-tc", 280), ("faults-cn", 280)] {
        let server = server(name);
        let handle = client(server.port(), "sslImplicit");
        handle.config(&format!("SSLServerCACerts={}", pki::pem(name))).unwrap();
        if name == "self" {
            handle.config("SSLSecurityFlags=0").unwrap();
        }
        let code_of = handle.call("Connect", "").map_or_else(|failure| failure.code, |()| 0);
        assert_eq!(code_of, code, "{name}");
    }
}

#[test]
fn a_root_that_only_has_the_issuers_name_is_not_the_issuer() {
    for (name, root) in [("self", "namesake"), ("self", "namesake-rsa"), ("via", "ca-namesake")] {
        let server = server(name);
        let handle = client(server.port(), "sslImplicit");
        handle.config(&format!("SSLServerCACerts={}", pki::pem(root))).unwrap();
        handle.config(&format!("SSLSecurityFlags={}", !0x10u32)).unwrap();
        let failure = handle.call("Connect", "").unwrap_err();
        assert_eq!(failure.code, 280);
        assert!(failure.text.contains("self-signed") || failure.text.contains("issuer is unknown"), "{failure:?}");
        handle.config("SSLSecurityFlags=0x10").unwrap();
        handle.call("Connect", "").unwrap_or_else(|e| panic!("{name} beside {root}: {e:?}"));
    }
    // Where the real one is there too, it is found.
    let server = server("via");
    let handle = client(server.port(), "sslImplicit");
    handle.config(&format!("SSLServerCACerts={}{}", pki::pem("ca-namesake"), pki::pem("ca"))).unwrap();
    handle.call("Connect", "").unwrap();
    // A damaged signature stays one, whatever flag is set.
    let server = self::server("broken");
    let handle = client(server.port(), "sslImplicit");
    handle.config(&format!("SSLServerCACerts={}{}", pki::pem("ca"), pki::pem("ca-namesake"))).unwrap();
    handle.config("SSLSecurityFlags=4294967295").unwrap();
    assert!(handle.call("Connect", "").unwrap_err().text.contains("signature"));
}
