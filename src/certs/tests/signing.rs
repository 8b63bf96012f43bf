//! Signatures, decryption and agreement with every kind of key, against openssl and against themselves.

use super::{PEM, path, read};
use crate::certs::key::PrivateKey;
use crate::certs::signing::{self, Hash, RsaPadding, Scheme};
use crate::enums::CertStoreType;
use crate::error::Code;
use std::process::Command;
use std::sync::Arc;

fn key(name: &str) -> Arc<PrivateKey> {
    read(PEM, name, "").select("*").unwrap().key.unwrap()
}

/// A folder of its own that goes away.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("ssmtp-signing-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn put(&self, name: &str, bytes: &[u8]) -> String {
        std::fs::write(self.0.join(name), bytes).unwrap();
        self.at(name)
    }

    fn at(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn openssl(arguments: &[&str]) -> bool {
    let out = Command::new("openssl").args(arguments).output().expect("openssl runs");
    out.status.success()
}

/// Whether openssl takes the signature for that of this key.
fn openssl_verifies(folder: &Folder, public_pem: &str, scheme: Scheme, message: &[u8], signature: &[u8]) -> bool {
    let public = folder.put("public.pem", public_pem.as_bytes());
    let message = folder.put("message", message);
    let signature = folder.put("signature", signature);
    let hash = scheme.hash().map(|h| h.name().replace('-', "").to_lowercase()).unwrap_or_default();
    let mut arguments =
        vec!["pkeyutl", "-verify", "-pubin", "-inkey", &public, "-rawin", "-in", &message, "-sigfile", &signature];
    if !hash.is_empty() {
        arguments.extend(["-digest", &hash]);
    }
    if matches!(scheme, Scheme::RsaPss(_)) {
        arguments.extend(["-pkeyopt", "rsa_padding_mode:pss", "-pkeyopt", "rsa_pss_saltlen:digest"]);
    }
    openssl(&arguments)
}

const MESSAGE: &[u8] = b"a message of some octets\r\n";

#[test]
fn every_scheme_of_every_key_is_verified_by_openssl_and_by_us_and_nothing_else_is() {
    for name in ["rsa.p8", "p256.p8", "p384.p8", "p521.p8", "ed25519.p8", "ed448.p8", "dsa.key"] {
        let folder = Folder::new(name);
        let key = key(name);
        let public = key.public_key();
        assert!(!key.schemes().is_empty(), "{name}");
        for scheme in key.schemes() {
            let signature = key.sign(scheme, MESSAGE).unwrap_or_else(|e| panic!("{name} {scheme}: {e}"));
            assert!(signing::verify(public, scheme, MESSAGE, &signature), "{name} {scheme}");
            assert!(openssl_verifies(&folder, &public.pem(), scheme, MESSAGE, &signature), "{name} {scheme}");
            assert!(!signing::verify(public, scheme, b"another", &signature), "{name} {scheme}");
            for at in [0, signature.len() / 2, signature.len() - 1] {
                let mut changed = signature.clone();
                changed[at] ^= 1;
                assert!(!signing::verify(public, scheme, MESSAGE, &changed), "{name} {scheme} {at}");
            }
            assert!(!signing::verify(public, scheme, MESSAGE, &signature[1..]), "{name} {scheme}");
            assert!(!signing::verify(public, scheme, MESSAGE, b""), "{name} {scheme}");
        }
    }
}

#[test]
fn what_openssl_signed_is_verified() {
    for (name, schemes) in [
        ("ed25519.p8", &[Scheme::Ed25519][..]),
        ("ed448.p8", &[Scheme::Ed448]),
        ("dsa.key", &[Scheme::Dsa(Hash::Sha1), Scheme::Dsa(Hash::Sha256)]),
        ("p521.p8", &[Scheme::Ecdsa(Hash::Sha1), Scheme::Ecdsa(Hash::Sha256), Scheme::Ecdsa(Hash::Sha512)]),
        ("rsa.p8", &[Scheme::RsaPkcs1(Hash::Md5), Scheme::RsaPkcs1(Hash::Sha224), Scheme::RsaPkcs1(Hash::Sha512)]),
    ] {
        let folder = Folder::new(&format!("by-{name}"));
        let message = folder.put("message", MESSAGE);
        let out = folder.at("signature");
        for scheme in schemes {
            let hash = scheme.hash().map(|h| h.name().replace('-', "").to_lowercase()).unwrap_or_default();
            let private = path(name);
            let mut arguments =
                vec!["pkeyutl", "-sign", "-inkey", private.to_str().unwrap(), "-rawin", "-in", &message, "-out", &out];
            if !hash.is_empty() {
                arguments.extend(["-digest", &hash]);
            }
            assert!(openssl(&arguments), "{name} {scheme}");
            let signature = std::fs::read(&out).unwrap();
            assert!(signing::verify(key(name).public_key(), *scheme, MESSAGE, &signature), "{name} {scheme}");
        }
    }
}

/// A key that openssl makes for the moment.
fn made(folder: &Folder, arguments: &[&str]) -> Arc<PrivateKey> {
    let out = folder.at("made.pem");
    assert!(openssl(&[&["genpkey", "-out", &out], arguments].concat()), "{arguments:?}");
    let bytes = std::fs::read(&out).unwrap();
    crate::certs::source::open(CertStoreType::PemKeyBlob, &bytes, "").unwrap().select("*").unwrap().key.unwrap()
}

#[test]
fn small_and_large_rsa_keys_sign_and_decrypt_what_fits() {
    let folder = Folder::new("sizes");
    for bits in ["1024", "1032", "3072", "4104"] {
        let key = made(&folder, &["-algorithm", "RSA", "-pkeyopt", &format!("rsa_keygen_bits:{bits}")]);
        for scheme in key.schemes() {
            let signature = key.sign(scheme, MESSAGE).unwrap_or_else(|e| panic!("{bits} {scheme}: {e}"));
            assert!(openssl_verifies(&folder, &key.public_key().pem(), scheme, MESSAGE, &signature), "{bits} {scheme}");
            assert!(signing::verify(key.public_key(), scheme, MESSAGE, &signature), "{bits} {scheme}");
        }
        if bits == "1024" {
            // Two hashes of 64 octets do not fit 128.
            assert!(!key.schemes().contains(&Scheme::RsaPss(Hash::Sha512)));
            assert_eq!(key.sign(Scheme::RsaPss(Hash::Sha512), MESSAGE).unwrap_err().code, Code::Encrypt);
        }
        for padding in [RsaPadding::Pkcs1, RsaPadding::Oaep { hash: Hash::Sha1, mgf: Hash::Sha1 }] {
            let sealed = signing::rsa_encrypt(key.public_key(), padding, &[7; 32]).unwrap();
            assert_eq!(key.decrypt(padding, &sealed).unwrap()[..], [7; 32], "{bits}");
        }
    }
}

#[test]
fn what_is_encrypted_for_a_key_is_opened_by_openssl_and_the_reverse() {
    let folder = Folder::new("rsa");
    let key = key("rsa.p8");
    let private = path("rsa.p8");
    let private = private.to_str().unwrap();
    let options = |padding| match padding {
        RsaPadding::Pkcs1 => vec!["-pkeyopt".to_owned(), "rsa_padding_mode:pkcs1".to_owned()],
        RsaPadding::Oaep { hash, mgf } => {
            let name = |h: Hash| h.name().replace('-', "").to_lowercase();
            let options = [
                "rsa_padding_mode:oaep".to_owned(),
                format!("rsa_oaep_md:{}", name(hash)),
                format!("rsa_mgf1_md:{}", name(mgf)),
            ];
            options.into_iter().flat_map(|o| ["-pkeyopt".to_owned(), o]).collect()
        }
    };
    for padding in [
        RsaPadding::Pkcs1,
        RsaPadding::Oaep { hash: Hash::Sha1, mgf: Hash::Sha1 },
        RsaPadding::Oaep { hash: Hash::Sha256, mgf: Hash::Sha1 },
        RsaPadding::Oaep { hash: Hash::Sha512, mgf: Hash::Sha512 },
    ] {
        let sealed = signing::rsa_encrypt(key.public_key(), padding, b"a content key").unwrap();
        let (input, out) = (folder.put("sealed", &sealed), folder.at("opened"));
        let options: Vec<String> = options(padding);
        let options: Vec<&str> = options.iter().map(String::as_str).collect();
        assert!(openssl(
            &[&["pkeyutl", "-decrypt", "-inkey", private, "-in", &input, "-out", &out], &options[..]].concat()
        ));
        assert_eq!(std::fs::read(&out).unwrap(), b"a content key");
        let plain = folder.put("plain", b"theirs");
        assert!(openssl(
            &[&["pkeyutl", "-encrypt", "-inkey", private, "-in", &plain, "-out", &out], &options[..]].concat()
        ));
        let mut sealed = std::fs::read(&out).unwrap();
        assert_eq!(key.decrypt(padding, &sealed).unwrap()[..], *b"theirs");
        // One error for all that can be wrong.
        sealed[9] ^= 1;
        let damaged = key.decrypt(padding, &sealed).unwrap_err();
        let short = key.decrypt(padding, &sealed[1..]).unwrap_err();
        assert_eq!((damaged.code, &damaged.message), (Code::Decrypt, &short.message));
    }
    let other =
        super::super::spki::PublicKey::from_ssh(&super::certificate("p256.crt").public().unwrap().to_ssh().unwrap());
    assert_eq!(signing::rsa_encrypt(&other.unwrap(), RsaPadding::Pkcs1, b"x").unwrap_err().code, Code::Encrypt);
}

#[test]
fn two_keys_of_a_curve_agree_as_openssl_does() {
    let folder = Folder::new("agree");
    let kinds: [&[&str]; 4] = [
        &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
        &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
        &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"],
        &["-algorithm", "X25519"],
    ];
    for kind in kinds {
        let mine = made(&folder, kind);
        std::fs::rename(folder.at("made.pem"), folder.at("mine.pem")).unwrap();
        let ephemeral = signing::ephemeral(mine.public_key()).unwrap();
        let peer = folder.put("peer.pem", ephemeral.public_key().pem().as_bytes());
        let out = folder.at("secret");
        assert!(
            openssl(&["pkeyutl", "-derive", "-inkey", &folder.at("mine.pem"), "-peerkey", &peer, "-out", &out]),
            "{kind:?}"
        );
        let secret = std::fs::read(&out).unwrap();
        assert_eq!(mine.agree(ephemeral.public_key()).unwrap()[..], secret[..], "{kind:?}");
        assert_eq!(ephemeral.agree(mine.public_key()).unwrap()[..], secret[..], "{kind:?}");
        let (once, secret) = signing::agree_once(mine.public_key()).unwrap();
        assert_eq!(mine.agree(&once).unwrap(), secret, "{kind:?}");
        assert!(mine.agree(key("rsa.p8").public_key()).is_err());
    }
    assert!(key("p256.p8").agree(key("p384.p8").public_key()).is_err());
    assert!(signing::ephemeral(key("rsa.p8").public_key()).is_err());
    // A point of small order makes the same secret with everybody.
    let weak = super::super::spki::PublicKey::plain(super::super::spki::X25519, &[0; 32]).unwrap();
    assert!(made(&folder, &["-algorithm", "X25519"]).agree(&weak).is_err());
}

#[test]
fn a_key_elsewhere_is_asked_for_what_it_can_and_shows_nothing() {
    #[derive(Debug)]
    struct Elsewhere;
    impl signing::Holder for Elsewhere {
        fn sign(&self, _: Scheme, message: &[u8]) -> crate::error::Result<Vec<u8>> {
            Ok(message.to_vec())
        }
        fn schemes(&self) -> Option<Vec<Scheme>> {
            Some(vec![Scheme::RsaPkcs1(Hash::Sha256)])
        }
    }
    let key = PrivateKey::external(key("rsa.p8").public_key().clone(), Arc::new(Elsewhere));
    assert_eq!(key.schemes(), [Scheme::RsaPkcs1(Hash::Sha256)]);
    assert_eq!(key.sign(Scheme::RsaPkcs1(Hash::Sha256), b"x").unwrap(), b"x");
    assert_eq!(key.sign(Scheme::RsaPss(Hash::Sha256), b"x").unwrap_err().code, Code::Encrypt);
    assert_eq!(key.decrypt(RsaPadding::Pkcs1, b"x").unwrap_err().code, Code::Decrypt);
    assert_eq!(key.agree(key.public_key()).unwrap_err().code, Code::Decrypt);
    assert!(key.pkcs8().is_none() && key.pem().is_empty());
    assert_eq!(format!("{key:?}"), "PrivateKey(Rsa, elsewhere)");
    assert!(key.belongs_to(&super::certificate("rsa.crt").certificate.unwrap()));
}
