//! The readers against cut, changed, nested and boundless input. tests/vectors.rs has the collections of others.

use super::file;
use crate::certs::der;
use crate::certs::key::PrivateKey;
use crate::certs::source::open;
use crate::certs::store::{FORMATS, detect, read_any};
use crate::certs::x509::X509;
use crate::enums::CertStoreType as T;
use proptest::prelude::*;

#[test]
fn every_truncation_of_every_store_is_an_error_or_a_smaller_store_and_never_a_panic() {
    for name in [
        "open.pfx",
        "chain.p7b.der",
        "ber.p7b",
        "store.jks",
        "rsa.p8.der",
        "rsa.der",
        "p256-v2.ppk",
        "rsa.jwk",
        "rsa.xml",
        "p384.ssh",
        "p384.4716",
    ] {
        let whole = file(name);
        let password = if name == "store.jks" { "secret" } else { "" };
        for end in (0..whole.len()).step_by(1 + whole.len() / 150) {
            let cut = read_any(&whole[..end], password);
            if name.ends_with(".pfx") || name.ends_with(".der") || name.ends_with(".jks") || name.ends_with(".ppk") {
                assert!(cut.is_err(), "{name} cut at {end}");
            }
        }
    }
}

#[test]
fn deep_nesting_is_an_error_in_every_reader() {
    let deep = b"\x30\x80".repeat(10_000);
    let json = "[".repeat(100_000);
    for bytes in [&deep[..], json.as_bytes(), format!("{{\"kty\":{json}").as_bytes(), &b"<a>".repeat(300_000)] {
        for format in FORMATS {
            let nothing = format.read(bytes, "").is_ok_and(|c| c.entries().is_ok_and(|e| e.is_empty()));
            assert!(nothing || format.read(bytes, "").is_err(), "{}", format.name());
        }
        assert!(read_any(bytes, "").is_err());
    }
}

#[test]
fn iterations_without_bound_are_refused_before_they_run() {
    // The count of PBKDF2 in this file is 2048, in two octets after the salt.
    let mut bytes = file("pbes2.der");
    let at = bytes.windows(4).position(|w| w == [2, 2, 8, 0]).expect("2048 iterations");
    bytes.splice(at..at + 4, [2, 4, 0x7f, 0xff, 0xff, 0xff]);
    // Every SEQUENCE around it grows by two.
    let error = open(T::PemKeyBlob, &grown(&bytes, at), "secret").unwrap_err();
    assert!(error.message.contains("so many iterations"), "{error}");
}

/// Adds two to the length of every constructed value that holds the position, whose lengths have one or two octets.
fn grown(bytes: &[u8], position: usize) -> Vec<u8> {
    let mut out = bytes.to_vec();
    let (mut at, mut end) = (0, bytes.len() - 2);
    while at < end {
        let (head, length) = der::header(&bytes[at..]).unwrap();
        if at + head <= position && position < at + head + length && bytes[at] & 0x20 != 0 {
            let last = at + head - 1;
            assert!(out[last] < 0xfe && (head != 2 || out[last] < 0x7e));
            out[last] += 2;
            end = at + head + length;
            at += head;
        } else {
            at += head + length;
        }
    }
    out
}

/// Every octet of these fixtures is changed in turn by the properties below.
const SEEDS: [&str; 16] = [
    "open.pfx",
    "modern.pfx",
    "legacy.pfx",
    "chain.p7b.der",
    "ber.p7b",
    "store.jks",
    "store.jceks",
    "rsa.der",
    "rsa.p8.der",
    "pbes2.der",
    "p256-v2.ppk",
    "p256-v3.ppk",
    "p384.sec1",
    "rsa.jwk",
    "rsa.xml",
    "rsa.4716",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn no_input_panics_in_any_reader(bytes in prop::collection::vec(any::<u8>(), 0..400), prefix in 0..8usize) {
        let starts: [&[u8]; 8] = [b"", b"\xfe\xed\xfe\xed\0\0\0\x02\0\0\0\x01", b"\x30\x80\x02\x01\x03\x30", b"PuTTY-User-Key-File-3: ssh-rsa\n", b"{\"kty\":\"RSA\",", b"<RSAKeyValue><", b"ssh-rsa ", b"\x30\x82\x01\x00"];
        let input = [starts[prefix], &bytes].concat();
        for format in FORMATS {
            let _ = format.read(&input, "secret");
        }
        let _ = detect(&input);
        let _ = X509::from_der(&input);
        let _ = PrivateKey::from_pkcs8(&input);
    }

    #[test]
    fn changed_stores_panic_in_no_reader(seed in 0..SEEDS.len(), at in any::<prop::sample::Index>(), new in any::<u8>(), cut in any::<prop::sample::Index>()) {
        let mut bytes = file(SEEDS[seed]);
        let place = at.index(bytes.len());
        bytes[place] = new;
        let _ = read_any(&bytes, "secret").and_then(|c| c.entries());
        bytes.remove(cut.index(bytes.len()));
        let _ = read_any(&bytes, "secret").and_then(|c| c.entries());
    }
}
