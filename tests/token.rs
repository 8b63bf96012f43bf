//! Keys that never leave their token, used for what keys are for. tests/certs/run.sh makes the tokens (SoftHSM, pkcs11-tool) and runs
//! these tests; openssl judges.

use ssmtp::certs::contents::Entries;
use ssmtp::certs::key::PrivateKey;
use ssmtp::certs::signing::{self, Hash, RsaPadding, Scheme};
use ssmtp::certs::source::open;
use ssmtp::enums::CertStoreType as T;
use ssmtp::error::{Code, Error};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard};

const MESSAGE: &[u8] = b"what is signed\r\n";

/// A token has one login in a process, so these tests take turns.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(|e| e.into_inner())
}

fn module() -> String {
    std::env::var("SSMTP_TOKEN_MODULE").expect("tests/certs/run.sh runs these tests")
}

fn folder() -> PathBuf {
    std::env::var_os("SSMTP_TOKEN_FOLDER").expect("tests/certs/run.sh runs these tests").into()
}

fn uri(path: &str, query: &str) -> String {
    format!("pkcs11:{path}?module-path={}{query}", module())
}

fn mail(pin: &str) -> Result<Entries, Error> {
    open(T::Pkcs11, uri("token=mail", "").as_bytes(), pin)
}

fn refused(store_type: T, store: &str, pin: &str, text: &str) {
    let error = open(store_type, store.as_bytes(), pin).expect_err(store);
    assert_eq!(error.code, Code::CertStore, "{error}");
    assert!(error.message.contains(text), "{error}");
    assert!(pin.is_empty() || !error.message.contains(pin), "{error}");
}

fn key(entries: &Entries, name: &str) -> Arc<PrivateKey> {
    entries.select(&format!("CN={name}.example.com")).expect(name).key.expect(name)
}

fn run(arguments: &[&str]) -> bool {
    Command::new("openssl").args(arguments).output().expect("openssl runs").status.success()
}

fn put(name: &str, bytes: &[u8]) -> String {
    let path = folder().join(name);
    std::fs::write(&path, bytes).unwrap();
    path.to_str().unwrap().to_owned()
}

fn openssl_verifies(key: &PrivateKey, scheme: Scheme, signature: &[u8]) -> bool {
    let (public, message) = (put("key.pem", key.public_key().pem().as_bytes()), put("message", MESSAGE));
    let signature = put("signature", signature);
    let hash = scheme.hash().map(|h| h.name().replace('-', "").to_lowercase());
    let mut arguments =
        vec!["pkeyutl", "-verify", "-pubin", "-inkey", &public, "-rawin", "-in", &message, "-sigfile", &signature];
    if let Some(hash) = &hash {
        arguments.extend(["-digest", hash]);
    }
    if matches!(scheme, Scheme::RsaPss(_)) {
        arguments.extend(["-pkeyopt", "rsa_padding_mode:pss", "-pkeyopt", "rsa_pss_saltlen:digest"]);
    }
    run(&arguments)
}

#[test]
#[ignore = "tests/certs/run.sh"]
fn certificates_come_with_their_keys_and_the_keys_cannot_be_read() {
    let _turn = turn();
    let entries = mail("mail-1234").unwrap();
    let names: Vec<_> = entries.iter().map(|e| (e.subject().to_owned(), format!("{:?}", e.key))).collect();
    assert_eq!(entries.len(), 7, "{names:?}");
    for name in ["rsa", "p256", "p384", "p521", "ed25519", "careful"] {
        let entry = entries.select(&format!("CN={name}.example.com")).unwrap();
        assert_eq!(entry.encoded_b(), std::fs::read(folder().join(format!("{name}.der"))).unwrap());
        assert!(entry.private_key_available());
        assert_eq!(entry.private_key().as_str(), "");
        assert_eq!(entry.chain.len(), 1, "the authority lies beside it");
        assert!(format!("{:?}", entry.key).contains("elsewhere"));
    }
    assert!(!entries.select("CN=Token CA").unwrap().private_key_available());
    // "*" takes the first with a key.
    assert!(entries.select("*").unwrap().private_key_available());
    let as_security_key = open(T::SecurityKey, uri("token=mail", "").as_bytes(), "mail-1234").unwrap();
    let by_auto = open(T::Auto, uri("token=mail", "&pin-value=mail-1234").as_bytes(), "").unwrap();
    assert_eq!((as_security_key.len(), by_auto.len()), (7, 7));
    assert!(by_auto.iter().filter(|e| e.private_key_available()).count() == 6);
}

#[test]
#[ignore = "tests/certs/run.sh"]
fn every_key_signs_with_every_scheme_that_it_names_and_openssl_verifies() {
    let _turn = turn();
    let entries = mail("mail-1234").unwrap();
    for (name, least) in [("rsa", 10), ("p256", 5), ("p384", 5), ("p521", 5), ("ed25519", 1), ("careful", 3)] {
        let key = key(&entries, name);
        let schemes = key.schemes();
        assert!(schemes.len() >= least, "{name}: {schemes:?}");
        for scheme in schemes {
            let signature = key.sign(scheme, MESSAGE).unwrap_or_else(|e| panic!("{name} {scheme}: {e}"));
            assert!(openssl_verifies(&key, scheme, &signature), "{name} {scheme}");
            assert!(signing::verify(key.public_key(), scheme, MESSAGE, &signature), "{name} {scheme}");
        }
    }
    let error = key(&entries, "p256").sign(Scheme::RsaPkcs1(Hash::Sha256), MESSAGE).unwrap_err();
    assert_eq!(error.code, Code::Encrypt);
}

#[test]
#[ignore = "tests/certs/run.sh"]
fn a_token_decrypts_and_agrees() {
    let _turn = turn();
    let entries = mail("mail-1234").unwrap();
    let rsa = key(&entries, "rsa");
    for padding in [RsaPadding::Pkcs1, RsaPadding::Oaep { hash: Hash::Sha1, mgf: Hash::Sha1 }] {
        let sealed = signing::rsa_encrypt(rsa.public_key(), padding, b"a content key").unwrap();
        assert_eq!(rsa.decrypt(padding, &sealed).unwrap()[..], *b"a content key");
        assert_eq!(rsa.decrypt(padding, &[1; 256]).unwrap_err().code, Code::Decrypt);
    }
    for name in ["p256", "p384", "p521"] {
        let key = key(&entries, name);
        let ephemeral = signing::ephemeral(key.public_key()).unwrap();
        assert_eq!(key.agree(ephemeral.public_key()).unwrap(), ephemeral.agree(key.public_key()).unwrap(), "{name}");
        assert_eq!(key.agree(rsa.public_key()).unwrap_err().code, Code::Decrypt);
    }
}

#[test]
#[ignore = "tests/certs/run.sh"]
fn a_wrong_pin_says_so_even_while_another_is_logged_in() {
    let _turn = turn();
    refused(T::Pkcs11, &uri("token=mail", ""), "4321", "the password is wrong");
    let entries = mail("mail-1234").unwrap();
    // The token itself would not look at a second PIN.
    refused(T::Pkcs11, &uri("token=mail", ""), "4321", "the password is wrong");
    let again = mail("mail-1234").unwrap();
    drop(entries);
    assert!(key(&again, "rsa").sign(Scheme::RsaPkcs1(Hash::Sha256), MESSAGE).is_ok());
    drop(again);
    // With the last key the login ends.
    refused(T::Pkcs11, &uri("token=mail", ""), "4321", "the password is wrong");
    assert!(mail("mail-1234").is_ok());
}

#[test]
#[ignore = "tests/certs/run.sh"]
fn without_a_pin_there_are_certificates_only_even_while_another_is_logged_in() {
    let _turn = turn();
    for _ in 0..2 {
        let public = mail("").unwrap();
        assert_eq!(public.len(), 7);
        assert!(public.iter().all(|e| !e.private_key_available()));
        let entries = mail("mail-1234").unwrap();
        assert!(mail("").unwrap().iter().all(|e| !e.private_key_available()));
        assert!(entries.iter().any(|e| e.private_key_available()));
    }
}

#[test]
#[ignore = "tests/certs/run.sh"]
fn a_uri_chooses_token_and_object() {
    let _turn = turn();
    let one = open(T::Pkcs11, uri("token=mail;object=p384", "").as_bytes(), "mail-1234").unwrap();
    assert_eq!(one.len(), 1);
    assert!(one.select("*").unwrap().private_key_available());
    let one = open(T::Pkcs11, uri("token=mail;id=%02", "").as_bytes(), "mail-1234").unwrap();
    assert_eq!(one.select("*").unwrap().subject(), "CN=p256.example.com");
    let pin = put("pin", b"spare-1234\n");
    let spare = open(T::Auto, uri("token=spare", &format!("&pin-source=file:{pin}")).as_bytes(), "").unwrap();
    let alone = spare.select("*").unwrap();
    assert_eq!((alone.subject(), alone.public_key_algorithm(), alone.public_key_length()), ("", "RSA", 2048));
    let signature = alone.key.as_ref().unwrap().sign(Scheme::RsaPss(Hash::Sha256), MESSAGE).unwrap();
    assert!(openssl_verifies(alone.key.as_ref().unwrap(), Scheme::RsaPss(Hash::Sha256), &signature));
    // Several tokens and one PIN: it is tried on none of them.
    refused(T::Pkcs11, &module(), "mail-1234", "several tokens (");
    assert_eq!(open(T::Pkcs11, module().as_bytes(), "").unwrap().len(), 7);
    refused(T::Pkcs11, &uri("token=absent", ""), "", "no token of that description");
}

#[test]
#[ignore = "tests/certs/run.sh"]
fn what_is_no_module_is_refused_by_its_name() {
    let _turn = turn();
    refused(T::Pkcs11, "/nonexistent/module.so", "secret", "/nonexistent/module.so");
    refused(T::Pkcs11, "libc.so.6", "secret", "libc.so.6");
    refused(T::Pkcs11, "", "", "no name");
    refused(T::Pkcs11, "pkcs11:token=%4?pin-value=verysecret", "", "malformed");
    let pem = String::from_utf8(std::fs::read(folder().join("ca.key")).unwrap()).unwrap();
    refused(T::Pkcs11, &pem, "", "its content");
}

#[test]
#[ignore = "tests/certs/run.sh"]
fn threads_share_a_token() {
    let _turn = turn();
    let entries = mail("mail-1234").unwrap();
    let key = key(&entries, "p256");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..10 {
                    let signature = key.sign(Scheme::Ecdsa(Hash::Sha256), MESSAGE).unwrap();
                    assert!(signing::verify(key.public_key(), Scheme::Ecdsa(Hash::Sha256), MESSAGE, &signature));
                }
            });
        }
    });
}

/// What the token was asked, as OpenSC's pkcs11-spy between us and it writes down.
#[test]
#[ignore = "tests/certs/run.sh"]
fn a_pin_is_tried_once_and_never_where_it_is_not_known_whose_it_is() {
    let _turn = turn();
    let spy = "/usr/lib/x86_64-linux-gnu/pkcs11-spy.so";
    let Some(spy) =
        [spy, "/usr/lib/pkcs11-spy.so", "/usr/lib64/pkcs11-spy.so"].into_iter().find(|p| Path::new(p).exists())
    else {
        panic!("pkcs11-spy is missing: scripts/setup.sh test installs opensc");
    };
    // Asked in a process of its own: the spy reads its settings once.
    let told = |store: &str, pin: &str| {
        let log = folder().join("spy.log");
        let _ = std::fs::remove_file(&log);
        let out = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "asked_by_another_process"])
            .env("PKCS11SPY", module())
            .env("PKCS11SPY_OUTPUT", &log)
            .env("ASKED_STORE", format!("pkcs11:{store}?module-path={spy}"))
            .env("ASKED_PIN", pin)
            .output()
            .unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stdout));
        std::fs::read_to_string(&log).unwrap().matches("C_Login\n").count()
    };
    assert_eq!(told("token=mail", "4321"), 1, "a second try could lock the token");
    assert_eq!(told("token=mail", "mail-1234"), 1);
    assert_eq!(told("token=mail", ""), 0);
    assert_eq!(told("token=twin", "twin-1111"), 0, "it would be wrong for one of the two");
    assert_eq!(told("", "mail-1234"), 0);
    refused(T::Pkcs11, &uri("token=twin", ""), "twin-1111", "several tokens");
    assert!(mail("mail-1234").is_ok());
}

#[test]
#[ignore = "the test above starts it"]
fn asked_by_another_process() {
    let Ok(store) = std::env::var("ASKED_STORE") else { return };
    let _ = open(T::Pkcs11, store.as_bytes(), &std::env::var("ASKED_PIN").unwrap());
}

#[test]
#[ignore = "tests/certs/run.sh"]
fn a_token_that_is_taken_away_is_an_error_and_harms_no_other() {
    let _turn = turn();
    let leaving = open(T::Pkcs11, uri("token=leaving", "").as_bytes(), "leaving-1234").unwrap();
    let key = leaving.select("*").unwrap().key.unwrap();
    assert!(key.sign(Scheme::RsaPkcs1(Hash::Sha256), MESSAGE).is_ok());
    // SoftHSM's token is a folder; the one whose key this is has an object beside the token's own files.
    let tokens = folder().join("tokens");
    let label = b"leaving";
    let is_leaving = |path: &PathBuf| {
        std::fs::read(path.join("token.object")).is_ok_and(|octets| octets.windows(label.len()).any(|w| w == label))
    };
    let gone = std::fs::read_dir(&tokens).unwrap().map(|e| e.unwrap().path()).find(is_leaving).unwrap();
    std::fs::rename(&gone, folder().join("taken-away")).unwrap();
    let error = key.sign(Scheme::RsaPkcs1(Hash::Sha256), MESSAGE);
    assert!(error.as_ref().is_err_and(|e| !e.message.contains("leaving-1234")), "{error:?}");
    let others = mail("mail-1234").unwrap();
    assert!(self::key(&others, "rsa").sign(Scheme::RsaPkcs1(Hash::Sha256), MESSAGE).is_ok());
    drop((leaving, key));
    std::fs::rename(folder().join("taken-away"), &gone).unwrap();
}
