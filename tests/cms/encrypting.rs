//! Encryption: every kind of recipient with every cipher and padding is decrypted by `openssl cms -decrypt`, and the reverse.

use crate::bench::{certificate, content, file, openssl, pair, path, run};
use ssmtp::certs::key::PrivateKey;
use ssmtp::error::Code;
use ssmtp::smime::algorithm::CIPHERS;
use ssmtp::smime::{Cipher, EncryptSpec, Envelope, Hash, Transform, decrypt, is_enveloped};
use std::sync::Arc;

const LEGACY: &str = "-provider legacy -provider default";

fn spec(name: &str, cipher: Cipher) -> EncryptSpec {
    EncryptSpec { recipients: vec![certificate(name)], cipher, oaep: None, use_ski: false }
}

fn opened(cms: &[u8], name: &str) -> Result<Vec<u8>, String> {
    openssl(&format!(
        "cms -decrypt {LEGACY} -binary -inform DER -in {} -recip {} -inkey {}",
        file(cms),
        path(&format!("{name}.crt")),
        path(&format!("{name}.key"))
    ))
}

fn every_form(spec: &EncryptSpec, names: &[&str], what: &str) {
    // Not a whole number of blocks, and one that is.
    for length in [1001, 1008] {
        let data = content(length);
        for told in [Some(length as u64), None] {
            let cms = run(Envelope::new(spec, told).unwrap(), &data, 77);
            assert_eq!(cms[1] == 0x80, told.is_none(), "{what}");
            assert!(is_enveloped(&cms));
            if told.is_some() {
                assert_eq!(spec.length(length as u64), Some(cms.len() as u64), "{what}");
            }
            for name in names {
                assert_eq!(decrypt(&cms, &[pair(name)]).unwrap_or_else(|e| panic!("{what}: {e}")), data);
                if length == 1001 {
                    assert!(opened(&cms, name).unwrap_or_else(|e| panic!("{what}: {e}")) == data, "{what}");
                }
            }
        }
    }
}

/// The ciphers whose keys AES key wrap carries.
fn wrappable() -> impl Iterator<Item = Cipher> {
    CIPHERS.iter().filter(|row| row.key >= 16).map(|row| row.cipher)
}

#[test]
fn rsa_recipients_read_every_cipher() {
    for row in CIPHERS {
        every_form(&spec("rsa", row.cipher), &["rsa"], row.names[0]);
        let by_id = EncryptSpec { use_ski: true, ..spec("rsa", row.cipher) };
        every_form(&by_id, &["rsa"], &format!("{} by key identifier", row.names[0]));
    }
}

#[test]
fn oaep_is_read_with_every_hash_and_mask() {
    for hash in Hash::ALL.into_iter().filter(|hash| *hash != Hash::Md5) {
        for mgf in [hash, Hash::Sha1, Hash::Sha256] {
            let spec = EncryptSpec { oaep: Some((hash, mgf)), ..spec("rsa", Cipher::AesCbc256) };
            every_form(&spec, &["rsa"], &format!("OAEP {} {}", hash.name(), mgf.name()));
        }
    }
    for row in CIPHERS {
        let spec = EncryptSpec { oaep: Some((Hash::Sha256, Hash::Sha256)), ..spec("rsa", row.cipher) };
        every_form(&spec, &["rsa"], &format!("OAEP {}", row.names[0]));
    }
}

#[test]
fn ecdh_recipients_read_every_cipher_that_can_be_wrapped() {
    for name in ["p256", "p384", "p521"] {
        for cipher in wrappable() {
            every_form(&spec(name, cipher), &[name], &format!("{name} {}", cipher.name()));
        }
        let by_id = EncryptSpec { use_ski: true, ..spec(name, Cipher::AesCbc256) };
        every_form(&by_id, &[name], &format!("{name} by key identifier"));
    }
}

#[test]
fn ciphers_whose_keys_cannot_be_wrapped_are_refused_for_agreement_by_name() {
    for name in ["p256", "x25519"] {
        for cipher in [Cipher::Des, Cipher::Rc2Cbc40, Cipher::Rc2Cbc64] {
            let error = Envelope::new(&spec(name, cipher), None).err().expect("refused");
            assert_eq!(error.code, Code::Encrypt);
            assert!(error.message.contains(cipher.name()), "{error}");
        }
    }
}

/// OpenSSL 3.0 has no X25519 in CMS; Bouncy Castle checks these (others.rs).
#[test]
fn x25519_recipients_read_what_is_for_them() {
    let data = content(1001);
    for cipher in wrappable() {
        for use_ski in [false, true] {
            let cms = run(Envelope::new(&EncryptSpec { use_ski, ..spec("x25519", cipher) }, None).unwrap(), &data, 500);
            assert_eq!(decrypt(&cms, &[pair("x25519")]).unwrap(), data);
            assert!(decrypt(&cms, &[pair("p256")]).is_err());
        }
    }
}

#[test]
fn many_recipients_each_read_it_and_nobody_stands_there_twice() {
    let mut all = spec("rsa", Cipher::AesCbc256);
    all.recipients.extend(["p256", "rsa", "p384", "p521", "rsa1024", "rsa"].map(certificate));
    every_form(&all, &["rsa", "p256", "p384", "p521", "rsa1024"], "many");
    let cms = run(Envelope::new(&all, None).unwrap(), b"x", 1);
    let serial = certificate("rsa").serial_der().to_vec();
    assert_eq!(cms.windows(serial.len()).filter(|found| *found == serial).count(), 1);
    let gcm = EncryptSpec { cipher: Cipher::AesGcm256, use_ski: true, ..all };
    every_form(&gcm, &["rsa", "p256", "p384", "p521", "rsa1024"], "many");
}

#[test]
fn content_of_many_pieces_is_encrypted() {
    let data = content(300_000);
    for cipher in [Cipher::AesCbc128, Cipher::AesGcm256, Cipher::TripleDes] {
        for (told, piece) in [(None, 1 << 20), (None, 65_664), (Some(300_000), 70_001), (Some(300_000), 1 << 20)] {
            let cms = run(Envelope::new(&spec("p256", cipher), told).unwrap(), &data, piece);
            assert!(opened(&cms, "p256").unwrap() == data);
            assert!(decrypt(&cms, &[pair("p256")]).unwrap() == data);
        }
        for told in [None, Some(0)] {
            let cms = run(Envelope::new(&spec("p256", cipher), told).unwrap(), &[], 1);
            assert_eq!(opened(&cms, "p256").unwrap(), b"");
            assert_eq!(decrypt(&cms, &[pair("p256")]).unwrap(), b"");
        }
    }
}

/// GCM can do it faster; everything else says that it cannot, and does nothing then.
#[test]
fn content_that_is_there_at_once_is_encrypted() {
    let data = content(100_000);
    for row in CIPHERS {
        for told in [None, Some(99_999), Some(100_000)] {
            let mut made = Envelope::new(&spec("rsa", row.cipher), told).unwrap();
            let mut out = Vec::new();
            let pieces = [&data[..1], &data[1..60_000], &[], &data[60_000..]];
            let done = made.whole(&pieces, &mut out).unwrap();
            let fast = matches!(row.cipher, Cipher::AesGcm128 | Cipher::AesGcm256);
            assert_eq!(done, fast && told == Some(100_000), "{}", row.names[0]);
            if told == Some(99_999) {
                assert!(made.update(&data, &mut out).is_err());
                continue;
            }
            if !done {
                made.update(&data, &mut out).unwrap();
            }
            made.finish(&mut out).unwrap();
            assert!(decrypt(&out, &[pair("rsa")]).unwrap() == data);
            assert!(opened(&out, "rsa").unwrap() == data);
        }
    }
}

#[test]
fn keys_and_vectors_are_new_each_time() {
    let spec = spec("p256", Cipher::AesGcm128);
    let mut seen = std::collections::HashSet::new();
    for _ in 0..50 {
        let cms = run(Envelope::new(&spec, Some(16)).unwrap(), &[0; 16], 16);
        // The ciphertext stands before the 18 octets of the tag.
        assert!(seen.insert(cms[cms.len() - 34..cms.len() - 18].to_vec()));
    }
}

#[test]
fn certificates_that_are_not_for_encryption_are_refused() {
    for name in ["signonly", "rsapss", "ed25519", "dsa", "rsa512", "expired", "forservers"] {
        let error = Envelope::new(&spec(name, Cipher::AesCbc256), None).err().expect(name);
        assert_eq!(error.code, Code::Encrypt, "{error}");
    }
    let nobody = EncryptSpec { recipients: Vec::new(), ..spec("rsa", Cipher::AesCbc256) };
    assert_eq!(Envelope::new(&nobody, None).err().unwrap().code, Code::Encrypt);
    // One that is not keeps the message from all.
    let mut mixed = spec("rsa", Cipher::AesCbc256);
    mixed.recipients.push(certificate("signonly"));
    assert!(mixed.check().is_err());
}

#[test]
fn content_of_another_length_than_announced_is_an_error() {
    let mut out = Vec::new();
    let mut long = Envelope::new(&spec("rsa", Cipher::AesCbc256), Some(3)).unwrap();
    assert_eq!(long.update(b"four", &mut out).unwrap_err().code, Code::Encrypt);
    let mut short = Envelope::new(&spec("rsa", Cipher::AesGcm256), Some(3)).unwrap();
    assert_eq!(short.finish(&mut out).unwrap_err().code, Code::Encrypt);
    let huge = Envelope::new(&spec("rsa", Cipher::AesGcm256), Some(1 << 37));
    assert_eq!(huge.err().unwrap().code, Code::Encrypt);
}

#[test]
fn what_openssl_encrypts_is_read() {
    let data = content(70_000);
    let input = file(&data);
    let ciphers = [
        "-des3",
        "-des",
        "-rc2-40",
        "-rc2-64",
        "-rc2-128",
        "-aes128",
        "-aes192",
        "-aes256",
        "-aes-128-gcm",
        "-aes-192-gcm",
        "-aes-256-gcm",
    ];
    for cipher in ciphers {
        for (name, options) in [
            ("rsa", ""),
            ("rsa", "-stream"),
            ("rsa", "-keyid"),
            ("rsa", "-keyopt rsa_padding_mode:oaep"),
            ("rsa", "-keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_md:sha256 -keyopt rsa_mgf1_md:sha1"),
            ("p256", ""),
            ("p384", "-keyopt ecdh_kdf_md:sha384"),
            ("p521", "-keyopt ecdh_kdf_md:sha512 -keyid -stream"),
            ("p256", "-keyopt ecdh_kdf_md:sha224 -keyopt ecdh_cofactor_mode:1"),
        ] {
            if name != "rsa" && ["-des", "-rc2-40", "-rc2-64"].contains(&cipher) {
                continue;
            }
            let arguments = format!(
                "cms -encrypt {LEGACY} -binary -outform DER -in {input} {cipher} -recip {} {options}",
                path(&format!("{name}.crt"))
            );
            let cms = openssl(&arguments).unwrap();
            let plain = decrypt(&cms, &[pair("rsa1024"), pair(name)]).unwrap_or_else(|e| panic!("{arguments}: {e}"));
            assert!(plain == data, "{arguments}");
            assert!(decrypt(&cms, &[pair("rsa1024")]).is_err());
        }
    }
}

/// A sealed key for somebody else's key under one's own name: the same error as any damage.
#[test]
fn the_wrong_key_is_an_error_and_always_the_same() {
    let (certificate, _) = pair("rsa");
    let other = openssl("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -outform PEM").unwrap();
    let other = openssl(&format!("pkcs8 -topk8 -nocrypt -outform DER -in {}", file(&other))).unwrap();
    let other = Arc::new(PrivateKey::from_pkcs8(&other).unwrap());
    let mut texts = std::collections::HashSet::new();
    for cipher in [Cipher::AesCbc256, Cipher::AesGcm256, Cipher::TripleDes] {
        for oaep in [None, Some((Hash::Sha1, Hash::Sha1))] {
            let cms =
                run(Envelope::new(&EncryptSpec { oaep, ..spec("rsa", cipher) }, None).unwrap(), &content(500), 500);
            let error = decrypt(&cms, &[(certificate.clone(), other.clone())]).unwrap_err();
            assert_eq!(error.code, Code::Decrypt);
            texts.insert(error.into_message());
        }
    }
    assert_eq!(texts.len(), 1, "{texts:?}");
}
