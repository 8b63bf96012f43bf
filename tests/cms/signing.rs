//! Signatures: every kind of key with every hash, padding and form is valid for `openssl cms -verify`, and what it signs is valid here.

use crate::bench::{certificate, content, file, key, now, openssl, pair, path, run, signer};
use ssmtp::error::Code;
use ssmtp::smime::{Cipher, Detached, Detail, Hash, Opaque, SignSpec, Transform, verify};
use std::sync::Arc;

const SMALL: usize = 1000;

fn detached(spec: &SignSpec, content: &[u8]) -> Vec<u8> {
    let mut made = Detached::new(spec).unwrap();
    content.chunks(333).for_each(|piece| made.update(piece));
    made.finish().unwrap()
}

/// `openssl cms -verify`, the content compared.
fn accepted(cms: &[u8], beside: Option<&[u8]>, expected: &[u8], what: &str) {
    let mut command = format!("cms -verify -binary -inform DER -in {} -CAfile {}", file(cms), path("ca.crt"));
    if let Some(content) = beside {
        command += &format!(" -content {}", file(content));
    }
    let found = openssl(&command).unwrap_or_else(|e| panic!("{what}: {e}"));
    assert!(found == expected, "{what}: the content differs");
}

fn every_form(spec: &SignSpec, what: &str) {
    let data = content(SMALL);
    accepted(&detached(spec, &data), Some(&data), &data, &format!("{what} detached"));
    let definite = run(Opaque::new(spec, Some(SMALL as u64)).unwrap(), &data, 100);
    assert!(definite[1] != 0x80, "{what}: definite lengths");
    accepted(&definite, None, &data, &format!("{what} definite"));
    let indefinite = run(Opaque::new(spec, None).unwrap(), &data, 100);
    assert_eq!(indefinite[..2], [0x30, 0x80], "{what}: indefinite lengths");
    accepted(&indefinite, None, &data, &format!("{what} indefinite"));
    for cms in [definite, indefinite] {
        let found = verify(&cms, &Detail::default()).unwrap_or_else(|e| panic!("{what}: {e}"));
        assert_eq!(found.content.as_deref(), Some(&data[..]));
        assert_eq!(found.signers.len(), 1);
        let signer = &found.signers[0];
        assert_eq!((signer.hash, signer.time), (spec.effective_hash(), Some(now())), "{what}");
        assert_eq!(signer.certificate, spec.certificate);
        assert_eq!(signer.capabilities[0], Cipher::AesCbc256);
    }
}

#[test]
fn rsa_signatures_are_valid_with_every_hash_and_padding_in_every_form() {
    for hash in Hash::ALL {
        for pss in [false, true] {
            every_form(&SignSpec { pss, ..signer("rsa", hash) }, &format!("RSA {} pss {pss}", hash.name()));
        }
    }
}

#[test]
fn ecdsa_signatures_are_valid_with_every_curve_and_hash_in_every_form() {
    for name in ["p256", "p384", "p521"] {
        for hash in Hash::ALL.into_iter().filter(|hash| *hash != Hash::Md5) {
            every_form(&signer(name, hash), &format!("{name} {}", hash.name()));
        }
        assert_eq!(signer(name, Hash::Md5).check().unwrap_err().code, Code::Encrypt);
    }
}

#[test]
fn dsa_signatures_are_valid() {
    for hash in [Hash::Sha1, Hash::Sha224, Hash::Sha256] {
        every_form(&signer("dsa", hash), &format!("DSA {}", hash.name()));
    }
}

#[test]
fn a_key_for_pss_alone_signs_with_pss_unasked() {
    every_form(&signer("rsapss", Hash::Sha256), "RSA-PSS key");
}

/// RFC 4055 §3.1: every program refuses another hash then.
#[test]
fn a_key_for_pss_with_one_hash_signs_with_no_other() {
    every_form(&signer("rsapss384", Hash::Sha384), "RSA-PSS key for SHA-384");
    for hash in [Hash::Sha1, Hash::Sha256, Hash::Sha512] {
        let error = signer("rsapss384", hash).check().unwrap_err();
        assert_eq!(error.code, Code::Encrypt);
        assert!(error.message.contains("SHA-384"), "{error}");
    }
}

/// RFC 8550 §4.4.2: what it signs is refused by every program that looks.
#[test]
fn a_certificate_that_is_not_for_signatures_signs_nothing() {
    let error = signer("encryptonly", Hash::Sha256).check().unwrap_err();
    assert_eq!(error.code, Code::Encrypt);
    assert!(error.message.contains("not for signatures"), "{error}");
}

/// OpenSSL 3.0 has no Ed25519 in CMS; Bouncy Castle checks these (others.rs).
#[test]
fn ed25519_signs_with_sha_512_whatever_was_asked() {
    let spec = signer("ed25519", Hash::Sha256);
    assert_eq!(spec.micalg(), "sha-512");
    let data = content(SMALL);
    for cms in [
        run(Opaque::new(&spec, Some(SMALL as u64)).unwrap(), &data, SMALL),
        run(Opaque::new(&spec, None).unwrap(), &data, SMALL),
    ] {
        let found = verify(&cms, &Detail::default()).unwrap();
        assert_eq!(found.signers[0].hash, Hash::Sha512);
    }
}

#[test]
fn a_detached_signature_has_the_length_it_was_told_to_have() {
    for name in ["rsa", "p256", "p384", "p521", "dsa", "ed25519"] {
        for round in 0..20 {
            let data = content(SMALL + round);
            let mut made = Detached::fixed(&signer(name, Hash::Sha256)).unwrap();
            let told = made.length().expect(name);
            made.update(&data);
            let cms = made.finish().unwrap();
            assert_eq!(cms.len() as u64, told, "{name}");
            verify(&cms, &Detail { content: Some(&data), ..Detail::default() }).unwrap();
        }
    }
}

#[test]
fn content_of_many_pieces_is_signed() {
    let data = content(300_000);
    for piece in [1 << 20, 65_664, 70_001] {
        let made = run(Opaque::new(&signer("p256", Hash::Sha256), None).unwrap(), &data, piece);
        accepted(&made, None, &data, "many pieces");
    }
    let made = run(Opaque::new(&signer("p256", Hash::Sha256), Some(300_000)).unwrap(), &data, 65_664);
    accepted(&made, None, &data, "many pieces");
    let empty = run(Opaque::new(&signer("rsa", Hash::Sha256), Some(0)).unwrap(), &[], 1);
    accepted(&empty, None, &[], "nothing");
    let empty = run(Opaque::new(&signer("rsa", Hash::Sha256), None).unwrap(), &[], 1);
    accepted(&empty, None, &[], "nothing");
}

#[test]
fn content_of_another_length_than_announced_is_an_error() {
    let spec = signer("rsa", Hash::Sha256);
    let mut out = Vec::new();
    let mut long = Opaque::new(&spec, Some(3)).unwrap();
    assert_eq!(long.update(b"four", &mut out).unwrap_err().code, Code::Encrypt);
    let mut short = Opaque::new(&spec, Some(3)).unwrap();
    short.update(b"ab", &mut out).unwrap();
    assert_eq!(short.finish(&mut out).unwrap_err().code, Code::Encrypt);
}

#[test]
fn certificates_go_along_once_and_in_order() {
    let mut spec = signer("rsa", Hash::Sha256);
    spec.certificates = vec![certificate("rsa"), certificate("ca"), certificate("rsa"), certificate("p256")];
    let data = content(SMALL);
    let cms = detached(&spec, &data);
    accepted(&cms, Some(&data), &data, "a chain");
    let found = verify(&cms, &Detail { content: Some(&data), ..Detail::default() }).unwrap();
    assert_eq!(found.certificates.len(), 3);
    assert!(found.certificates.windows(2).all(|two| two[0].der() < two[1].der()));

    // Without any, who checks has to have it.
    spec.certificates.clear();
    let cms = detached(&spec, &data);
    let mut detail = Detail { content: Some(&data), ..Detail::default() };
    assert!(verify(&cms, &detail).is_err());
    let known = [certificate("p256"), certificate("rsa")];
    detail.certificates = &known;
    verify(&cms, &detail).unwrap();
}

#[test]
fn a_key_of_another_certificate_signs_nothing() {
    let spec = SignSpec { key: key("rsa"), ..signer("p256", Hash::Sha256) };
    assert_eq!(Detached::new(&spec).err().unwrap().code, Code::Credentials);
    let spec = SignSpec { key: key("rsa1024"), ..signer("rsa", Hash::Sha256) };
    assert_eq!(Opaque::new(&spec, None).err().unwrap().code, Code::Credentials);
    let spec = signer("x25519", Hash::Sha256);
    assert_eq!(Detached::new(&spec).err().unwrap().code, Code::Encrypt);
}

/// A token that answers with a signature of something else: the self-check keeps it back.
#[test]
fn a_wrong_signature_does_not_leave() {
    use ssmtp::certs::key::PrivateKey;
    use ssmtp::certs::signing::{Holder, Scheme};
    #[derive(Debug)]
    struct Liar(Arc<PrivateKey>);
    impl Holder for Liar {
        fn sign(&self, scheme: Scheme, _: &[u8]) -> ssmtp::error::Result<Vec<u8>> {
            self.0.sign(scheme, b"something else")
        }
    }
    let (certificate, inner) = pair("rsa");
    let liar = PrivateKey::external(certificate.public_key().clone(), Arc::new(Liar(inner)));
    let made = Detached::new(&SignSpec { key: Arc::new(liar), ..signer("rsa", Hash::Sha256) }).unwrap();
    assert_eq!(made.finish().unwrap_err().code, Code::Encrypt);
}

/// A key that lives elsewhere is asked once: its ECDSA signatures have the length they have.
#[test]
fn a_key_that_lives_elsewhere_is_asked_once() {
    use ssmtp::certs::key::PrivateKey;
    use ssmtp::certs::signing::{Holder, Scheme};
    use std::sync::atomic::{AtomicUsize, Ordering};
    #[derive(Debug)]
    struct Counting(Arc<PrivateKey>, Arc<AtomicUsize>);
    impl Holder for Counting {
        fn sign(&self, scheme: Scheme, message: &[u8]) -> ssmtp::error::Result<Vec<u8>> {
            self.1.fetch_add(1, Ordering::Relaxed);
            self.0.sign(scheme, message)
        }
    }
    let data = content(SMALL);
    for (name, definite) in [("p256", false), ("rsa", true)] {
        let count = Arc::new(AtomicUsize::new(0));
        let (certificate, inner) = pair(name);
        let elsewhere =
            PrivateKey::external(certificate.public_key().clone(), Arc::new(Counting(inner, count.clone())));
        let spec = SignSpec { key: Arc::new(elsewhere), ..signer(name, Hash::Sha256) };
        for round in 1..=10 {
            let made = Opaque::new(&spec, Some(SMALL as u64)).unwrap();
            assert_eq!(made.total().is_some(), definite, "{name}");
            accepted(&run(made, &data, SMALL), None, &data, name);
            assert_eq!(count.load(Ordering::Relaxed), round);
        }
    }
}

#[test]
fn what_openssl_signs_is_valid() {
    let data = content(70_000);
    let input = file(&data);
    for name in ["rsa", "p256", "p384", "p521", "dsa"] {
        for options in [
            "",
            "-nodetach",
            "-nodetach -stream",
            "-md sha1 -nodetach",
            "-md sha384",
            "-keyid",
            "-noattr -nodetach",
            "-nosmimecap",
        ] {
            // OpenSSL has no DSA with SHA-384 in CMS.
            if name == "dsa" && options.contains("384") {
                continue;
            }
            let command = format!(
                "cms -sign -binary -outform DER -in {input} -signer {} -inkey {} {options}",
                path(&format!("{name}.crt")),
                path(&format!("{name}.key"))
            );
            let cms = openssl(&command).unwrap();
            let detail = Detail { content: Some(&data), ..Detail::default() };
            let found = verify(&cms, &detail).unwrap_or_else(|e| panic!("{name} {options}: {e}"));
            assert_eq!(found.content.is_some(), options.contains("nodetach"));
            assert_eq!(found.signers[0].certificate, certificate(name));
            if options.is_empty() {
                assert!(found.signers[0].capabilities.contains(&Cipher::AesCbc256));
                assert!(found.signers[0].time.is_some());
            }
            let mut changed = data.clone();
            changed[69_999] ^= 1;
            assert!(verify(&cms, &Detail { content: Some(&changed), ..Detail::default() }).is_err());
        }
    }
    for salt in ["max", "digest", "10"] {
        for hash in ["sha1", "sha256", "sha512"] {
            let cms = openssl(&format!(
                "cms -sign -binary -outform DER -in {input} -signer {} -inkey {} -md {hash} -keyopt rsa_padding_mode:pss -keyopt rsa_pss_saltlen:{salt}",
                path("rsa.crt"),
                path("rsa.key")
            ))
            .unwrap();
            verify(&cms, &Detail { content: Some(&data), ..Detail::default() })
                .unwrap_or_else(|e| panic!("{hash} {salt}: {e}"));
        }
    }
}

#[test]
fn two_signers_are_both_checked() {
    let data = content(SMALL);
    let cms = openssl(&format!(
        "cms -sign -nodetach -binary -outform DER -in {} -signer {} -inkey {} -signer {} -inkey {}",
        file(&data),
        path("rsa.crt"),
        path("rsa.key"),
        path("p256.crt"),
        path("p256.key")
    ))
    .unwrap();
    assert_eq!(verify(&cms, &Detail::default()).unwrap().signers.len(), 2);
}

#[test]
fn a_chain_leads_to_a_root_or_it_does_not() {
    let data = content(SMALL);
    let mut spec = signer("subrsa", Hash::Sha256);
    spec.certificates.push(certificate("sub"));
    let cms = run(Opaque::new(&spec, None).unwrap(), &data, SMALL);
    let root = [certificate("ca")];
    let detail = Detail { roots: &root, time: now(), ..Detail::default() };
    let trusted =
        |detail: &Detail<'_>| verify(&cms, detail).unwrap().signers.remove(0).trusted.expect("roots were given");
    assert_eq!(trusted(&detail), Ok(()));
    assert!(trusted(&Detail { time: now() + 20 * 365 * 86_400, ..detail }).is_err());
    assert!(trusted(&Detail { roots: &[certificate("other-ca")], ..detail }).is_err());
    assert!(trusted(&Detail { roots: &[certificate("p256")], ..detail }).is_err());
    assert_eq!(trusted(&Detail { roots: &[certificate("subrsa")], ..detail }), Ok(()));
    assert!(verify(&cms, &Detail::default()).unwrap().signers[0].trusted.is_none());

    // Without the certificate between, there is no way up.
    spec.certificates.pop();
    let cms = run(Opaque::new(&spec, None).unwrap(), &data, SMALL);
    assert!(verify(&cms, &detail).unwrap().signers[0].trusted.as_ref().unwrap().is_err());
}
