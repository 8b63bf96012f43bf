//! Tests of what needs no peer; `tests/tls` has the rest.

use super::decide::{self, server_name};
use super::names::{self, Shape};
use super::revocation::Levels;
use super::roots::Trust;
use super::verify::Sent;
use super::{
    ClientIdentity, Failure, Fault, Internal, Judge, NoJudge, Presented, Provider, Question, TlsOptions, Version,
    spki_pins, verify,
};
use crate::certs::key::PrivateKey;
use crate::certs::signing::{Holder, Scheme};
use crate::certs::x509::X509;
use crate::error::{Code, Result};
use crate::net::{Clock, Stream};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{NamedGroup, ProtocolVersion, SignatureScheme};
use std::sync::Arc;

fn options(change: impl FnOnce(&mut TlsOptions)) -> TlsOptions {
    let mut options = TlsOptions::new("mail.example", 465);
    change(&mut options);
    options
}

fn shape(change: impl FnOnce(&mut TlsOptions)) -> Shape {
    Shape::of(&options(change)).unwrap()
}

fn suites(text: &str) -> Vec<&'static str> {
    let shape = shape(|options| options.suites = Some(text.into()));
    shape.suites.iter().map(|suite| names::describe(*suite).0).collect()
}

fn groups(shape: &Shape) -> Vec<NamedGroup> {
    shape.groups.iter().map(|group| group.name()).collect()
}

#[test]
fn the_documented_defaults_are_wishes() {
    let shape = shape(|options| {
        options.suites = Some("*".into());
        options.tls12_groups = Some(names::DEFAULT_TLS12_GROUPS.into());
        options.tls13_groups = Some(names::DEFAULT_TLS13_GROUPS.replace(',', ", "));
        options.tls13_key_shares = Some(names::DEFAULT_TLS13_KEY_SHARES.into());
        options.tls12_signatures = Some(names::DEFAULT_TLS12_SIGNATURES.into());
        options.tls13_signatures = Some(names::DEFAULT_TLS13_SIGNATURES.into());
    });
    assert_eq!(shape.versions, [Version::Tls13, Version::Tls12]);
    assert_eq!(shape.suites.len(), 9);
    let own = [NamedGroup::X25519, NamedGroup::secp256r1, NamedGroup::secp384r1, NamedGroup::secp521r1];
    assert_eq!(groups(&shape), own);
    assert!(!shape.tls12.demanded && !shape.tls13.demanded);
}

#[test]
fn a_name_that_internal_lacks_is_refused_with_those_it_has() {
    type Change = fn(&mut TlsOptions);
    let refused: [(Change, &str, &str); 8] = [
        (|o| o.suites = Some("TLS_RSA_WITH_3DES_EDE_CBC_SHA".into()), "3DES", "TLS_AES_256_GCM_SHA384"),
        (|o| o.suites = Some("TLS_AES_128_GCM_SHA256;CALG_RC4".into()), "CALG_RC4", "CALG_AES_256"),
        (|o| o.suites = Some(";".into()), "no cipher suite", "*"),
        (|o| o.tls12_groups = Some("ecdhe_sect571r1".into()), "ecdhe_sect571r1", "ecdhe_secp521r1"),
        (|o| o.tls13_groups = Some("ecdhe_x25519,ffdhe_2048".into()), "ffdhe_2048", "ecdhe_x25519"),
        (|o| o.tls13_key_shares = Some("ecdhe_x448".into()), "ecdhe_x448", "ecdhe_secp256r1"),
        (|o| o.tls12_signatures = Some("sha1-rsa".into()), "sha1-rsa", "sha256-rsa"),
        (|o| o.tls13_signatures = Some("".into()), "names no signature", "TLS13SignatureAlgorithms"),
    ];
    for (change, names, has) in refused {
        let error = options(change).check().unwrap_err();
        assert_eq!(error.code, Code::ValueRefused);
        assert!(error.message.contains(names) && error.message.contains(has), "{error}");
    }
}

#[test]
fn suites_are_chosen_by_name_and_by_algorithm() {
    assert_eq!(suites("tls_aes_128_gcm_sha256"), ["TLS_AES_128_GCM_SHA256"]);
    assert_eq!(
        suites("CALG_AES_256"),
        ["TLS_AES_256_GCM_SHA384", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"]
    );
    assert_eq!(
        suites("CALG_AES;CALG_SHA_256;CALG_RSA_SIGN"),
        ["TLS_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"]
    );
    assert_eq!(suites("CALG_ECDH_EPHEM").len(), 9);
    assert_eq!(
        suites("CALG_AES_128;CALG_ECDSA;TLS_CHACHA20_POLY1305_SHA256"),
        ["TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"]
    );
}

#[test]
fn a_version_without_a_suite_is_not_offered_and_nothing_at_all_is_an_error() {
    let only = shape(|options| options.suites = Some("TLS_AES_128_GCM_SHA256".into()));
    assert_eq!(only.versions, [Version::Tls13]);
    type Change = fn(&mut TlsOptions);
    let nothing: [Change; 3] = [
        |o| o.protocols = 960,
        |o| o.min_strength = 257,
        |o| (o.protocols, o.suites) = (names::TLS12, Some("TLS_AES_128_GCM_SHA256".into())),
    ];
    for change in nothing {
        let options = options(change);
        options.check().unwrap();
        let error = Shape::of(&options).unwrap().usable(&options).unwrap_err();
        assert_eq!(error.code, Code::Handshake);
    }
}

#[test]
fn groups_stay_within_their_version_and_the_key_share_leads() {
    let both = shape(|options| {
        options.tls12_groups = Some("ecdhe_secp384r1".into());
        options.tls13_groups = Some("ecdhe_x25519,ecdhe_secp256r1".into());
        options.tls13_key_shares = Some("ecdhe_secp384r1,ecdhe_secp256r1".into());
    });
    assert_eq!(groups(&both), [NamedGroup::secp256r1, NamedGroup::X25519, NamedGroup::secp384r1]);
    let usable = |version| both.groups.iter().map(|group| group.usable_for_version(version)).collect::<Vec<_>>();
    assert_eq!(usable(ProtocolVersion::TLSv1_3), [true, true, false]);
    assert_eq!(usable(ProtocolVersion::TLSv1_2), [false, false, true]);
}

#[test]
fn each_version_has_its_own_signatures() {
    let shape = shape(|options| {
        options.tls12_signatures = Some("sha384-ecdsa,sha256-rsa".into());
        options.tls13_signatures = Some("ed25519".into());
    });
    let twelve = [SignatureScheme::ECDSA_NISTP384_SHA384, SignatureScheme::RSA_PKCS1_SHA256];
    assert_eq!(shape.signatures(Version::Tls12).schemes, twelve);
    assert_eq!(shape.signatures(Version::Tls13).schemes, [SignatureScheme::ED25519]);
}

#[test]
fn a_flag_belongs_to_one_condition() {
    use Fault as F;
    let all = [F::Expired, F::UnknownIssuer, F::Usage, F::RevocationUnknown, F::CaRevocationUnknown, F::Name];
    for (index, fault) in all.iter().enumerate() {
        assert_eq!(fault.flag().count_ones(), 1);
        assert!(all[index + 1..].iter().all(|other| other.flag() != fault.flag()));
    }
    for fault in [F::Revoked, F::Signature, F::Constraint, F::Weak, F::NotAllowed, F::Pin, F::Unreadable] {
        assert_eq!(fault.flag(), 0);
    }
    assert_eq!(verify::status(&[]), "OK");
}

#[test]
fn pins_are_digests_and_nothing_else() {
    let pin = "sha256//AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
    assert_eq!(spki_pins(&format!("{pin};{pin}")).unwrap(), [[1; 32]; 2]);
    assert_eq!(spki_pins("").unwrap(), [[0; 32]; 0]);
    for bad in ["AQEB", "sha256//AQEB", "sha1//AQEB", "sha256//%"] {
        assert_eq!(spki_pins(bad).unwrap_err().code, Code::ValueRefused);
    }
}

#[test]
fn the_key_of_a_client_is_never_printed() {
    let secret = super::Secret::new(b"topsecret".to_vec());
    assert_eq!(format!("{secret:?}"), "***");
}

/// A stream of which nothing may be asked.
struct Untouched;

impl Stream for Untouched {
    fn read(&mut self, _: &mut [u8], _: &Clock) -> crate::error::Result<usize> {
        panic!("read")
    }
    fn write_all(&mut self, _: &mut [std::io::IoSlice<'_>], _: &Clock) -> crate::error::Result<()> {
        panic!("write")
    }
    fn readable(&mut self, _: std::time::Duration, _: &Clock) -> crate::error::Result<bool> {
        panic!("readable")
    }
    fn close(&mut self) {}
    fn local_addr(&self) -> Option<std::net::SocketAddr> {
        None
    }
    fn peer_addr(&self) -> Option<std::net::SocketAddr> {
        None
    }
}

#[test]
fn options_that_cannot_work_cost_no_byte() {
    type Change = fn(&mut TlsOptions);
    let cases: [(Change, Code); 5] = [
        (|o| o.protocols = 0, Code::Handshake),
        (|o| o.tls13_groups = Some("none".into()), Code::ValueRefused),
        (|o| o.server_name = "a b".into(), Code::HostNotFound),
        (|o| o.extra_roots = "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----".into(), Code::ValueRefused),
        (|o| o.key_log = Some("/nowhere/at/all".into()), Code::File),
    ];
    for (change, code) in cases {
        let outcome =
            Internal::new().handshake(Box::new(Untouched), &options(change), &Clock::unlimited(), &mut NoJudge);
        assert_eq!(outcome.unwrap_err().code, code);
    }
}

/// A handler that takes every server, and notes what it was asked.
#[derive(Default)]
struct Gullible {
    status: String,
    looked_up: usize,
}

impl Judge for Gullible {
    fn judge(&mut self, question: &Question<'_>) -> Result<bool> {
        self.status = question.status.to_owned();
        Ok(true)
    }

    fn revocation(&mut self, _: &Presented<'_>, _: &Clock) -> Result<Vec<Failure>> {
        self.looked_up += 1;
        Ok(Vec::new())
    }
}

fn certificate() -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(include_bytes!("../../../tests/data/certs/p256.crt")).unwrap()
}

/// What is decided about a leaf on its own, the moment until which a session of it counts, and who was asked what.
fn decided(leaf: CertificateDer<'static>, now: i64, options: &TlsOptions) -> (Result<Option<i64>>, Gullible) {
    let sent = Sent { leaf, others: Vec::new(), ocsp: Vec::new(), now };
    let (name, trust) = (server_name(&options.server_name).unwrap(), Trust::of(options).unwrap());
    let mut judge = Gullible::default();
    let done = decide::decide(&sent, &name, &trust, None, options, &Clock::unlimited(), &mut judge);
    (done.map(|accepted| accepted.until).map_err(|(_, error)| error), judge)
}

#[test]
fn a_pin_holds_where_the_certificate_cannot_be_read() {
    let unreadable = CertificateDer::from(b"\x30\x03\x02\x01\x01".to_vec());
    let pinned = options(|o| o.spki_pins = vec![[1; 32]]);
    let (done, judge) = decided(unreadable.clone(), 0, &pinned);
    assert_eq!(done.unwrap_err().code, Code::CertVerify);
    assert!(judge.status.contains("pinned"), "{}", judge.status);
    // Without one the handler may take it.
    assert!(decided(unreadable, 0, &options(|_| ())).0.is_ok());
}

#[test]
fn nothing_is_fetched_from_where_a_certificate_that_nobody_vouches_for_says() {
    let look = |o: &mut TlsOptions| o.revocation = Levels { crl: 1, ocsp: 1 };
    let (done, judge) = decided(certificate(), 1_790_000_000, &options(look));
    assert_eq!((done.unwrap(), judge.looked_up), (None, 0));
    assert!(judge.status.contains("whether it was revoked was not asked"), "{}", judge.status);
    // Who waives what is wrong wants to know the rest; a session then carries the answer for an hour, not for the dates.
    let waived = options(|o| {
        look(o);
        o.security_flags = 0x8000_0031;
    });
    let (done, judge) = decided(certificate(), 1_790_000_000, &waived);
    assert_eq!((done.unwrap(), judge.looked_up, &judge.status[..]), (Some(1_790_003_600), 1, "OK"));
    let unasked = options(|o| o.security_flags = 0x8000_0031);
    assert_eq!(decided(certificate(), 1_790_000_000, &unasked).0.unwrap(), Some(i64::MAX));
}

#[derive(Debug)]
struct Elsewhere;

impl Holder for Elsewhere {
    fn sign(&self, _: Scheme, _: &[u8]) -> Result<Vec<u8>> {
        Ok(Vec::new())
    }
}

#[test]
fn a_key_elsewhere_is_another_one_when_somebody_else_holds_it() {
    let leaf = X509::from_der(&certificate()).unwrap();
    let identity = || {
        let key = Arc::new(PrivateKey::external(leaf.public_key().clone(), Arc::new(Elsewhere)));
        ClientIdentity { chain: vec![certificate().to_vec()], key }
    };
    let one = identity();
    assert_eq!(one, one.clone());
    assert_ne!(one, identity());
}
