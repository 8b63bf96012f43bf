//! The object: what its constructors and settable fields select, what they refuse, and that nothing secret shows.

use super::*;
use CertStoreType as T;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

fn path(name: &str) -> String {
    let made = std::env::var("SSMTP_CERT_FIXTURES");
    format!("{}/{name}", made.as_deref().unwrap_or(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/certs")))
}

fn file(name: &str) -> Vec<u8> {
    std::fs::read(path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

fn pfx() -> Certificate {
    from_file_store(T::PfxFile, "modern.pfx", "secret", "*")
}

fn from_file_store(kind: T, name: &str, password: &str, subject: &str) -> Certificate {
    Certificate::from_store(kind as i32, path(name).as_bytes(), password, subject, "").unwrap_or_else(|e| panic!("{e}"))
}

fn subject(certificate: &Certificate) -> String {
    certificate.subject().unwrap()
}

#[test]
fn an_empty_one_reads_its_defaults() {
    let empty = Certificate::default();
    assert_eq!(empty.store().unwrap(), "MY");
    assert_eq!(
        (empty.store_type().unwrap(), subject(&empty), empty.public_key_length().unwrap()),
        (0, String::new(), 0)
    );
    assert!(empty.loaded().is_none());
    assert_eq!(empty, Certificate::default());
}

#[test]
fn setting_subject_searches_the_store_and_swaps_the_selection() {
    let mut certificate = Certificate::default();
    certificate.set_store(&path("java.pfx")).unwrap();
    certificate.set_store_type(T::PfxFile as i32).unwrap();
    certificate.set_store_password("secret").unwrap();
    assert!(certificate.loaded().is_none(), "naming a store selects nothing");
    certificate.set_subject("cn=ONE.example.com").unwrap();
    let first = certificate.loaded().expect("selected");
    assert_eq!(subject(&certificate), "CN=one.example.com");
    let copy = certificate.clone();
    certificate.set_subject("two.ex").unwrap();
    assert_eq!(subject(&certificate), "CN=two.example.com");
    assert_ne!(copy, certificate);
    assert!(Arc::ptr_eq(&first, &copy.loaded().expect("a clone keeps what it had")));
    // Not found is no error: nothing is selected.
    certificate.set_subject("three").unwrap();
    assert_eq!((subject(&certificate), certificate.encoded_b().unwrap()), (String::new(), Vec::new()));
    assert!(certificate.loaded().is_none());
    certificate.set_subject("*").unwrap();
    assert!(certificate.private_key_available().unwrap());
    certificate.set_subject("").unwrap();
    assert!(certificate.loaded().is_none());
}

#[test]
fn a_store_that_cannot_be_read_is_271_and_leaves_the_selection() {
    let mut certificate = pfx();
    certificate.set_store_password("wrong").unwrap();
    let error = certificate.set_subject("*").unwrap_err();
    assert_eq!(error.code, Code::CertStore);
    assert!(error.message.contains("modern.pfx") && error.message.contains("password"), "{error}");
    certificate.set_store(&path("absent.pfx")).unwrap();
    let error = certificate.set_encoded_b(&file("rsa.crt")).unwrap_err();
    assert_eq!(error.code, Code::CertStore);
    assert!(certificate.private_key_available().unwrap(), "the old selection is still there");
}

#[test]
fn encoded_finds_its_key_in_the_store() {
    for encoded in [file("rsa.crt"), file("rsa.der"), STANDARD.encode(file("rsa.der")).into_bytes()] {
        let mut certificate = Certificate::at(T::PfxFile as i32, path("modern.pfx").as_bytes(), "secret").unwrap();
        certificate.set_encoded_b(&encoded).unwrap();
        assert!(certificate.private_key_available().unwrap());
        assert!(subject(&certificate).contains("CN=\"Leaf, Example\""));
        assert_eq!(certificate.encoded_b().unwrap(), file("rsa.der"));
        assert_eq!(certificate.loaded().unwrap().chain.len(), 1, "its issuer stands in the store");
        let made = Certificate::from_store_encoded(T::PfxBlob as i32, &file("modern.pfx"), "secret", &encoded).unwrap();
        assert_eq!(made.encoded().unwrap(), certificate.encoded().unwrap());
        assert!(made.private_key_available().unwrap());
    }
}

#[test]
fn encoded_without_its_key_has_no_subject_and_every_other_field() {
    let mut certificate = Certificate::at(T::PfxFile as i32, path("modern.pfx").as_bytes(), "secret").unwrap();
    certificate.set_encoded(&String::from_utf8(file("p256.crt")).unwrap()).unwrap();
    assert_eq!(subject(&certificate), "");
    assert_eq!(certificate.issuer().unwrap(), "CN=p256.example.com");
    assert_eq!(certificate.public_key_algorithm().unwrap(), "EC");
    assert!(!certificate.private_key_available().unwrap());
    assert!(certificate.loaded().is_some());
    // Selecting something else ends that.
    certificate.set_subject("*").unwrap();
    assert!(subject(&certificate).contains("Leaf"));
    // Without a store nothing is searched.
    certificate.set_store("").unwrap();
    certificate.set_encoded_b(&file("p384.crt")).unwrap();
    assert_eq!((subject(&certificate), certificate.public_key_length().unwrap()), (String::new(), 384));
    certificate.set_encoded("").unwrap();
    assert!(certificate.loaded().is_none());
}

#[test]
fn encoded_that_is_no_certificate_is_272() {
    for wrong in [
        &b"x"[..],
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        &file("rsa.p8"),
        &file("modern.pfx"),
    ] {
        let mut certificate = pfx();
        assert_eq!(certificate.set_encoded_b(wrong).unwrap_err().code, Code::CertNotFound);
        assert!(certificate.private_key_available().unwrap(), "the old selection is still there");
        assert_eq!(Certificate::from_data(wrong).unwrap_err().code, Code::CertNotFound);
        assert_eq!(recipient(wrong).unwrap_err().code, Code::CertNotFound);
        let made = Certificate::from_store_encoded(T::PfxFile as i32, path("modern.pfx").as_bytes(), "secret", wrong);
        assert_eq!(made.unwrap_err().code, Code::CertNotFound);
    }
    for empty in [&b""[..], b" \n"] {
        assert_eq!(Certificate::from_data(empty).unwrap_err().code, Code::CertNotFound);
        let made = Certificate::from_store_encoded(T::PfxFile as i32, path("modern.pfx").as_bytes(), "secret", empty);
        assert_eq!(made.unwrap_err().code, Code::CertNotFound);
    }
}

#[test]
fn files_and_octets_give_their_first_certificate_without_a_key() {
    for name in ["rsa.crt", "rsa.der", "bundle.pem", "chain.p7b", "chain.p7b.der"] {
        let by_file = Certificate::from_file(&path(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
        let by_octets = Certificate::from_data(&file(name)).unwrap();
        let by_base64 = Certificate::from_data(STANDARD.encode(file(name)).as_bytes()).unwrap();
        for certificate in [&by_file, &by_octets, &by_base64] {
            assert_eq!(certificate.encoded_b().unwrap(), file("rsa.der"), "{name}");
            assert!(!certificate.private_key_available().unwrap(), "{name}");
            assert!(subject(certificate).contains("Leaf"), "{name}");
        }
        let issuers = usize::from(name.starts_with("chain") || name == "bundle.pem");
        assert_eq!(by_file.loaded().unwrap().chain.len(), issuers, "{name}");
        assert_eq!(recipient(&file(name)).unwrap().der(), file("rsa.der"));
    }
    let code = |path: &str| Certificate::from_file(path).unwrap_err().code;
    assert_eq!(code(&path("absent.crt")), Code::CertStore);
    assert_eq!(code(&path("")), Code::CertStore);
    assert_eq!(code(""), Code::CertStore);
    assert_eq!(code(&path("rsa.p8")), Code::CertNotFound);
    assert_eq!(code(&path("modern.pfx")), Code::CertNotFound);
}

#[test]
fn a_thumbprint_selects_whatever_the_subject_says() {
    let two = from_file_store(T::PfxFile, "java.pfx", "secret", "CN=two.example.com");
    let store = path("java.pfx");
    for thumbprint in [
        two.thumbprint_md5().unwrap(),
        two.thumbprint_sha1().unwrap().to_lowercase(),
        two.fingerprint_sha256().unwrap(),
        two.fingerprint_sha1().unwrap().replace(':', " "),
    ] {
        let line = format!("PersistPFXKey=True\r\nthumbprint={thumbprint}");
        let found = Certificate::from_store(2, store.as_bytes(), "secret", "one", &line).unwrap();
        assert_eq!(subject(&found), "CN=two.example.com");
    }
    let code = |config: &str| Certificate::from_store(2, store.as_bytes(), "secret", "*", config).unwrap_err().code;
    assert_eq!(code(&format!("Thumbprint={}", "0".repeat(40))), Code::CertNotFound);
    assert_eq!(code("Thumbprint=123"), Code::ValueRefused);
    assert_eq!(code("Colour=blue"), Code::UnknownName);
}

#[test]
fn constructors_that_find_nothing_are_272_and_those_that_cannot_look_271() {
    let code = |kind: i32, store: &[u8], password: &str, subject: &str| {
        Certificate::from_store(kind, store, password, subject, "").unwrap_err().code
    };
    let store = path("java.pfx");
    assert_eq!(code(2, store.as_bytes(), "secret", "nobody"), Code::CertNotFound);
    assert_eq!(code(2, store.as_bytes(), "secret", ""), Code::CertNotFound);
    assert_eq!(code(2, store.as_bytes(), "wrong", "*"), Code::CertStore);
    assert_eq!(code(2, b"", "secret", "*"), Code::CertStore);
    assert_eq!(code(3, b"garbage", "secret", "*"), Code::CertStore);
    assert_eq!(code(77, store.as_bytes(), "secret", "*"), Code::ValueRefused);
    let large = vec![0; usize::try_from(source::SIZE).unwrap() + 1];
    assert_eq!(code(3, &large, "secret", "*"), Code::CertStore);
}

#[test]
fn a_store_reads_back_as_text_or_as_base64() {
    let mut certificate = Certificate::default();
    certificate.set_store_b(&file("modern.pfx")).unwrap();
    assert_eq!(certificate.store_b().unwrap(), file("modern.pfx"));
    let text = certificate.store().unwrap();
    assert_eq!(text, STANDARD.encode(file("modern.pfx")));
    // What it reads may be set again: it means the same.
    certificate.set_store(&text).unwrap();
    certificate.set_store_type(T::PfxBlob as i32).unwrap();
    certificate.set_store_password("secret").unwrap();
    certificate.set_subject("*").unwrap();
    assert!(certificate.private_key_available().unwrap());
    certificate.set_store("naïve name").unwrap();
    assert_eq!(certificate.store().unwrap(), "naïve name");
}

#[test]
fn what_a_server_showed_is_kept_with_the_issuers_that_can_be_read() {
    let ca = Certificate::from_file(&path("ca.crt")).unwrap().encoded_b().unwrap();
    let shown = Certificate::of_der(&file("rsa.der"), &[&ca[..], b"broken"]).unwrap();
    assert!(subject(&shown).contains("Leaf"));
    assert_eq!(shown.loaded().unwrap().chain.len(), 1);
    assert!(Certificate::of_der(b"broken", &[&ca]).is_err());
}

#[test]
fn neither_debug_nor_an_error_shows_a_password_or_a_key() {
    let mut certificate = pfx();
    certificate.set_store_b(&file("bundle.pem")).unwrap();
    certificate.set_store_type(T::PfxBlob as i32).unwrap();
    certificate.set_store_password("hunter2").unwrap();
    let mut shown = vec![format!("{certificate:?}"), certificate.set_subject("*").unwrap_err().to_string()];
    for kind in [T::PfxFile, T::PemKeyFile, T::Auto, T::User, T::Pkcs11] {
        certificate.set_store_type(kind as i32).unwrap();
        shown.extend(certificate.set_subject("nobody").err().map(|e| e.to_string()));
    }
    for text in shown {
        assert!(!text.contains("hunter2") && !text.contains("PRIVATE") && !text.contains("MII"), "{text}");
    }
}

/// Stores of every shape, by what opens them.
const SEEDS: [&str; 8] =
    ["modern.pfx", "chain.p7b.der", "store.jks", "rsa.der", "p256-v3.ppk", "rsa.jwk", "rsa.xml", "bundle.pem"];

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn changed_stores_and_certificates_never_panic(
        seed in 0..SEEDS.len(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        kind in 2..24i32,
    ) {
        let mut bytes = file(SEEDS[seed]);
        for (at, new) in changes {
            let place = at.index(bytes.len());
            bytes[place] = new;
        }
        for store_type in [99, kind] {
            if let Ok(found) = Certificate::from_store(store_type, &bytes, "secret", "*", "") {
                read_all(&found);
            }
            let _ = Certificate::from_store_encoded(store_type, &bytes, "secret", &bytes);
        }
        if let Ok(found) = Certificate::from_data(&bytes) {
            read_all(&found);
        }
        let _ = recipient(&bytes);
        let _ = Certificate::of_der(&bytes, &[&bytes]);
    }

    #[test]
    fn any_configuration_string_is_taken_or_refused(text in "([A-Za-z=:\n\r ]|Thumbprint=|\u{0}|ä){0,12}") {
        let _ = Refinement::parse(&text);
    }
}

/// Every field; none may panic or hold a NUL that would cut it in C.
fn read_all(certificate: &Certificate) {
    let zone = |_| 0;
    let texts = [
        certificate.subject(),
        certificate.issuer(),
        certificate.effective_date(zone),
        certificate.expiration_date(zone),
        certificate.subject_alt_names(),
        certificate.serial_number(),
        certificate.version(),
        certificate.usage(),
        certificate.extended_key_usage(),
        certificate.signature_algorithm(),
        certificate.public_key(),
        certificate.public_key_algorithm(),
        certificate.private_key(),
        certificate.fingerprint(),
        certificate.fingerprint_sha1(),
        certificate.fingerprint_sha256(),
        certificate.thumbprint_md5(),
        certificate.thumbprint_sha1(),
        certificate.thumbprint_sha256(),
        certificate.encoded(),
        certificate.store(),
    ];
    for text in texts {
        assert!(!text.expect("a field").contains('\0'));
    }
    certificate.public_key_length().expect("a number");
    certificate.usage_flags().expect("a number");
}
