//! The readers against what the tools wrote (tests/certs/make.sh).

mod bouncy;
mod fields;
mod hostile;
mod openssh;
mod signing;

use super::contents::Entries;
use super::folder;
use super::loaded::Loaded;
use super::pem;
use super::source::{self, open};
use super::x509::X509;
use crate::enums::CertStoreType as T;
use crate::error::Code;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// A fixture: checked in, or made anew by tests/certs/run.sh.
fn path(name: &str) -> PathBuf {
    let made = std::env::var_os("SSMTP_CERT_FIXTURES");
    made.map_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/certs").into(), PathBuf::from).join(name)
}

fn file(name: &str) -> Vec<u8> {
    std::fs::read(path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// Reads a fixture by its type from the file, from its octets and from its Base64, and by Auto, and gives the entries.
fn read(types: (T, T), name: &str, password: &str) -> Entries {
    use base64::Engine;
    let by_name = path(name).to_str().unwrap().as_bytes().to_vec();
    let bytes = file(name);
    let base64 = base64::engine::general_purpose::STANDARD.encode(&bytes).into_bytes();
    let all = [
        (types.0, &by_name),
        (types.1, &bytes),
        (types.1, &base64),
        (T::Auto, &by_name),
        (T::Auto, &bytes),
        (T::Auto, &base64),
    ];
    let mut found: Vec<Entries> = all
        .iter()
        .map(|(t, store)| open(*t, store, password).unwrap_or_else(|e| panic!("{name} as {t:?}: {e}")))
        .collect();
    let summary = |e: &Entries| {
        e.iter().map(|e| (e.subject().to_owned(), e.private_key().to_string(), e.fingerprint())).collect::<Vec<_>>()
    };
    for other in &found[1..] {
        assert_eq!(summary(&found[0]), summary(other), "{name}");
    }
    found.remove(0)
}

const PEM: (T, T) = (T::PemKeyFile, T::PemKeyBlob);
const PFX: (T, T) = (T::PfxFile, T::PfxBlob);
const PPK: (T, T) = (T::PpkFile, T::PpkBlob);

fn code(types: T, name: &str, password: &str) -> (Code, String) {
    let error = open(types, path(name).to_str().unwrap().as_bytes(), password).expect_err(name);
    (error.code, error.into_message())
}

/// Wrong passwords say so.
fn refuses(types: (T, T), name: &str, password: &str) {
    for (kind, store) in
        [(types.0, path(name).to_str().unwrap().as_bytes().to_vec()), (types.1, file(name)), (T::Auto, file(name))]
    {
        let error = open(kind, &store, password).expect_err(name);
        assert_eq!(error.code, Code::CertStore, "{name} {error}");
        assert!(error.message.contains("password is wrong"), "{name} {error}");
        assert!(password.is_empty() || !error.message.contains(password), "{error}");
    }
}

fn certificate(name: &str) -> Loaded {
    read((T::PublicKeyFile, T::PublicKeyBlob), name, "").select("*").expect("one entry")
}

fn openssl(arguments: &[&str], input: &[u8]) -> String {
    let mut child = Command::new("openssl")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("openssl runs");
    child.stdin.take().unwrap().write_all(input).unwrap();
    let out = child.wait_with_output().unwrap();
    assert!(out.status.success(), "{arguments:?} {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

#[test]
fn a_folder_of_files_is_one_store() {
    let folder = std::env::temp_dir().join(format!("ssmtp-folder-{}", std::process::id()));
    let bundle = folder.join("bundle.txt");
    std::fs::create_dir_all(&folder).unwrap();
    for (name, fixture) in
        [("a.pem", "p256.crt"), ("b.key", "p256.p8"), ("c.PFX", "modern.pfx"), ("readme.md", "rsa.jwk")]
    {
        std::fs::copy(path(fixture), folder.join(name)).unwrap();
    }
    std::fs::copy(path("ca.crt"), &bundle).unwrap();
    let bundles = ["/nowhere/at-all", bundle.to_str().unwrap()];
    let found = folder::read(&folder, &bundles, "secret").unwrap();
    assert!(found.select("CN=p256.example.com").unwrap().private_key_available());
    assert!(found.select("Leaf").unwrap().private_key_available());
    assert_eq!(found.len(), 4);
    // The PFX file stays closed, the rest is there.
    let found = folder::read(&folder, &[], "wrong-word").unwrap();
    assert_eq!((found.len(), found.select("Leaf").is_none()), (1, true));
    std::fs::remove_file(folder.join("a.pem")).unwrap();
    std::fs::remove_file(folder.join("b.key")).unwrap();
    assert!(folder::read(&folder, &[], "wrong-word").unwrap_err().message.contains("password is wrong"));
    assert!(folder::read(&folder.join("absent"), &[], "").unwrap().is_empty());
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(open(T::User, b"../../etc", "").unwrap_err().code, Code::CertStore);
}

#[test]
fn no_error_text_repeats_content_that_was_given_as_a_file_name() {
    for fixture in ["ed448.p8", "rsa.p1", "p256-v3.ppk", "rsa.jwk", "rsa.xml"] {
        for kind in [T::PfxFile, T::JwkFile, T::Auto] {
            use base64::Engine;
            let bytes = file(fixture);
            let base64 = base64::engine::general_purpose::STANDARD.encode(&bytes).into_bytes();
            for content in [bytes, base64] {
                let text = String::from_utf8(content.clone()).unwrap();
                if let Err(error) = open(kind, &content, "") {
                    assert!(!error.message.contains(&text[text.len() / 2..text.len() / 2 + 12]), "{error}");
                }
            }
        }
    }
}

/// What the key of a fixture has to be: openssl's own PKCS #8 and public key.
fn same_key(found: &Loaded, plain: &str) {
    let text = String::from_utf8(file(plain)).unwrap();
    assert_eq!(found.private_key().as_str(), text, "{plain}");
    assert_eq!(found.public_key(), openssl(&["pkey", "-pubout"], text.as_bytes()), "{plain}");
    assert!(found.private_key_available());
}

#[test]
fn keys_in_every_coat_come_out_as_openssl_writes_pkcs8() {
    for (name, plain) in [
        ("rsa.p8", "rsa.p8"),
        ("rsa.p1", "rsa.p8"),
        ("rsa.p8.der", "rsa.p8"),
        ("rsa.p1.der", "rsa.p8"),
        ("p256.p8", "p256.p8"),
        ("p384.sec1", "p384.p8"),
        ("p521.p8", "p521.p8"),
        ("ed25519.p8", "ed25519.p8"),
    ] {
        same_key(&read(PEM, name, "").select("*").unwrap(), plain);
    }
}

#[test]
fn old_encrypted_keys_are_read_and_a_wrong_password_says_so() {
    for cipher in ["aes-128-cbc", "aes-192-cbc", "aes-256-cbc", "des-ede3-cbc", "des-cbc"] {
        let name = format!("legacy-{cipher}.pem");
        same_key(&read(PEM, &name, "secret").select("*").unwrap(), "rsa.p8");
        refuses(PEM, &name, "wrong-word");
        refuses(PEM, &name, "");
    }
}

#[test]
fn encrypted_pkcs8_is_read_and_a_wrong_password_says_so() {
    let mut names: Vec<String> = std::fs::read_dir(path(""))
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .filter(|n| n.starts_with("pbes"))
        .collect();
    names.sort();
    assert_eq!(names.len(), 18, "{names:?}");
    for name in names {
        same_key(&read(PEM, &name, "secret").select("*").unwrap(), "p256.p8");
        refuses(PEM, &name, "wrong-word");
    }
    same_key(&read(PEM, "python.pem", "secret").select("*").unwrap(), "rsa.p8");
    refuses(PEM, "python.pem", "wrong-word");
}

#[test]
fn a_pem_file_finds_the_certificate_and_chain_of_its_key() {
    let found = read(PEM, "bundle.pem", "");
    assert_eq!(found.len(), 2);
    let leaf = found.select("*").unwrap();
    same_key(&leaf, "rsa.p8");
    assert_eq!(leaf.certificate.unwrap().der(), file("rsa.der"));
    assert_eq!(leaf.chain.len(), 1);
    assert_eq!(leaf.chain[0].subject, leaf.chain[0].issuer);
}

#[test]
fn line_ends_marks_and_text_between_do_not_matter() {
    let text = String::from_utf8(file("bundle.pem")).unwrap();
    let odd = format!(
        "\u{feff}Bag Attributes\r\n  localKeyID: 01\r\n{}\r\ntrailing text",
        text.replace('\n', "\r\n").replace("-----END", "\t\r\n-----END")
    );
    let found = open(T::PemKeyBlob, odd.as_bytes(), "").unwrap();
    assert!(found.select("*").unwrap().certificate.is_some());
    assert_eq!(found.len(), 2);
}

#[test]
fn ten_thousand_certificates_are_read_in_a_moment() {
    let text = String::from_utf8([file("ca.crt").repeat(10_000), file("p256.p8"), file("p256.crt")].concat()).unwrap();
    let start = std::time::Instant::now();
    let found = open(T::PemKeyBlob, text.as_bytes(), "").unwrap();
    assert_eq!(found.len(), 10_001);
    assert_eq!(found.select("CN=p256").unwrap().subject(), "CN=p256.example.com");
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}

#[test]
fn pfx_files_of_every_age_are_read() {
    for (name, password) in [
        ("modern", "secret"),
        ("legacy", "secret"),
        ("rc2-128", "secret"),
        ("plain", "secret"),
        ("nomac", "secret"),
        ("open", ""),
        ("empty", ""),
        ("sha512", "secret"),
        ("utf8", "pässwörd"),
        ("pbmac1", "secret"),
        ("python-old", "secret"),
        ("python-new", "secret"),
        ("python-open", ""),
    ] {
        let found = read(PFX, &format!("{name}.pfx"), password);
        assert_eq!(found.len(), 2, "{name}");
        let leaf = found.select("*").unwrap();
        same_key(&leaf, "rsa.p8");
        assert_eq!(leaf.certificate.unwrap().der(), file("rsa.der"));
        assert_eq!(leaf.chain.len(), 1, "{name}");
        if password == "secret" {
            refuses(PFX, &format!("{name}.pfx"), "wrong-word");
            refuses(PFX, &format!("{name}.pfx"), "");
        }
    }
    let certificates = read(PFX, "certs-only.pfx", "secret");
    assert!(!certificates.select("*").unwrap().private_key_available());
}

#[test]
fn a_pfx_of_java_has_two_entries_each_with_its_key() {
    let found = read(PFX, "java.pfx", "secret");
    assert_eq!(found.iter().filter(|e| e.private_key_available()).count(), 2);
    assert_eq!(found.select("CN=two.example.com").unwrap().public_key_algorithm(), "EC");
    assert_eq!(found.select("one.ex").unwrap().public_key_algorithm(), "RSA");
    assert!(found.select("three").is_none());
}

#[test]
fn p7b_gives_its_certificates_in_pem_der_and_ber() {
    for name in ["chain.p7b", "chain.p7b.der", "ber.p7b"] {
        let found = read((T::P7bFile, T::P7bBlob), name, "");
        assert_eq!(found.select("Leaf").unwrap().encoded_b(), file("rsa.der"), "{name}");
        assert_eq!(found.len(), if name == "ber.p7b" { 1 } else { 2 });
    }
    assert!(file("ber.p7b").starts_with(&[0x30, 0x80]), "the fixture has an indefinite length");
}

#[test]
fn java_key_stores_are_read() {
    for name in ["store.jks", "store.jceks"] {
        let found = read((T::JksFile, T::JksBlob), name, "secret");
        let leaf = found.select("*").unwrap();
        same_key(&leaf, "rsa.p8");
        assert_eq!(leaf.certificate.unwrap().der(), file("rsa.der"));
        assert_eq!(leaf.chain.len(), 1);
        refuses((T::JksFile, T::JksBlob), name, "wrong-word");
        refuses((T::JksFile, T::JksBlob), name, "");
    }
}

#[test]
fn ssh_keys_are_read_in_both_forms_and_have_the_fingerprint_of_ssh_keygen() {
    for (name, algorithm) in [("rsa", "RSA"), ("p256", "EC"), ("p384", "EC"), ("p521", "EC"), ("ed25519", "Ed25519")] {
        let types = (T::SshPublicKeyFile, T::SshPublicKeyBlob);
        let found = read(types, &format!("{name}.ssh"), "").select("*").unwrap();
        assert_eq!(found.public_key_algorithm(), algorithm);
        assert_eq!((found.subject(), found.private_key_available()), ("", false));
        if name != "ed25519" {
            assert_eq!(found.public_key(), openssl(&["pkey", "-pubout"], &file(&format!("{name}.p8"))));
            let other = read(types, &format!("{name}.4716"), "").select("*").unwrap();
            assert_eq!(found.public_key(), other.public_key());
        }
        let out = Command::new("ssh-keygen").args(["-l", "-E", "md5", "-f"]).arg(path(&format!("{name}.ssh"))).output();
        if let Ok(out) = out {
            assert!(
                String::from_utf8(out.stdout).unwrap().contains(&format!("MD5:{} ", found.fingerprint())),
                "{name}"
            );
        }
    }
}

#[test]
fn a_key_without_a_certificate_has_the_fingerprint_of_its_ssh_form() {
    let key = read(PEM, "rsa.p1", "").select("*").unwrap();
    let ssh = read((T::SshPublicKeyFile, T::SshPublicKeyBlob), "rsa.ssh", "").select("*").unwrap();
    assert_eq!(key.fingerprint_sha256(), ssh.fingerprint_sha256());
    assert_eq!(key.thumbprint_sha256(), "");
}

#[test]
fn putty_keys_of_both_versions_are_read() {
    for (name, plain) in [("rsa", "rsa.p8"), ("p256", "p256.p8"), ("p521", "p521.p8"), ("ed25519", "")] {
        for version in ["v2", "v2-pw", "v3", "v3-pw"] {
            let fixture = format!("{name}-{version}.ppk");
            let found = read(PPK, &fixture, "secret").select("*").unwrap();
            if plain.is_empty() {
                let ssh = open(T::SshPublicKeyBlob, &file("ed25519.ssh"), "").unwrap().select("*").unwrap();
                assert_eq!(found.public_key(), ssh.public_key(), "{fixture}");
                assert!(found.private_key_available());
            } else {
                same_key(&found, plain);
            }
            if version.ends_with("pw") {
                refuses(PPK, &fixture, "wrong-word");
                refuses(PPK, &fixture, "");
            }
        }
    }
    for kdf in ["argon2i", "argon2d"] {
        same_key(&read(PPK, &format!("rsa-{kdf}.ppk"), "secret").select("*").unwrap(), "rsa.p8");
    }
}

#[test]
fn a_putty_key_whose_comment_was_changed_is_broken() {
    let text = String::from_utf8(file("rsa-v3.ppk")).unwrap();
    let line = text.lines().find(|l| l.starts_with("Comment: ")).unwrap();
    let error = open(T::PpkBlob, text.replace(line, "Comment: another").as_bytes(), "").unwrap_err();
    assert!(error.message.contains("MAC"), "{error}");
}

#[test]
fn argon2_of_any_size_is_refused_before_it_runs() {
    let text = String::from_utf8(file("rsa-v3-pw.ppk")).unwrap();
    for (from, to) in
        [("Argon2-Memory: 256", "Argon2-Memory: 4000000"), ("Argon2-Passes: 2", "Argon2-Passes: 4000000000")]
    {
        assert!(text.contains(from));
        let error = open(T::PpkBlob, text.replace(from, to).as_bytes(), "secret").unwrap_err();
        assert!(error.message.contains("Argon2 of such a size"), "{error}");
    }
}

#[test]
fn jwk_is_read_alone_and_in_sets() {
    let types = (T::JwkFile, T::JwkBlob);
    same_key(&read(types, "rsa.jwk", "").select("*").unwrap(), "rsa.p8");
    let public = read(types, "rsa-public.jwk", "").select("*").unwrap();
    assert_eq!(
        (public.public_key(), public.private_key_available()),
        (openssl(&["pkey", "-pubout"], &file("rsa.p8")), false)
    );
    let set = read(types, "set.jwk", "");
    assert_eq!(set.select("Leaf").unwrap().certificate.unwrap().der(), file("rsa.der"));
    let keys: Vec<String> = set.iter().map(|e| e.private_key().to_string()).collect();
    let expected: Vec<String> = ["rsa", "p256", "p384", "p521", "ed25519"]
        .iter()
        .map(|n| String::from_utf8(file(&format!("{n}.p8"))).unwrap())
        .collect();
    assert_eq!(keys, expected);
}

#[test]
fn xml_gives_keys_and_certificates_and_refuses_a_document_type() {
    let types = (T::XmlFile, T::XmlBlob);
    same_key(&read(types, "rsa.xml", "").select("*").unwrap(), "rsa.p8");
    assert_eq!(read(types, "x509.xml", "").select("*").unwrap().encoded_b(), file("rsa.der"));
    let error =
        open(T::XmlBlob, b"<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]><a>&b;</a>", "").unwrap_err();
    assert!(error.message.contains("document type"), "{error}");
}

#[test]
fn subjects_are_found_exactly_then_in_part() {
    let store =
        open(T::PemKeyBlob, &[file("ca.crt"), file("rsa.crt"), file("p256.crt"), file("rsa.p8")].concat(), "").unwrap();
    let subject = |wanted: &str| store.select(wanted).map(|e| e.subject().to_owned());
    assert_eq!(subject("cn=P256.EXAMPLE.com").as_deref(), Some("CN=p256.example.com"));
    let root =
        store.select("CN=\"Root \\\"One\\\"\",O=\"Test, Inc.\",c=de").expect("blanks after commas do not matter");
    assert_eq!(root.encoded_b(), certificate("ca.crt").encoded_b());
    assert!(subject("example.com").unwrap().contains("Leaf"), "an entry with a key goes first");
    assert!(subject("*").unwrap().contains("Leaf"));
    assert_eq!((subject("nobody"), subject("")), (None, None));
}

#[test]
fn thumbprints_of_all_three_hashes_find_their_certificate() {
    let store = read(PEM, "bundle.pem", "");
    let root = certificate("ca.crt");
    for text in
        [root.thumbprint_md5(), root.fingerprint_sha1(), root.fingerprint_sha256().replace(':', " ").to_uppercase()]
    {
        assert_eq!(store.by_thumbprint(&text).expect("found").subject(), root.subject());
    }
    assert!(store.by_thumbprint("00").is_none());
}

#[test]
fn an_encoded_certificate_gets_its_key_from_the_store_or_none() {
    let store = read(PFX, "modern.pfx", "secret");
    let own = std::sync::Arc::new(X509::from_der(&file("rsa.der")).unwrap());
    assert!(store.with_key(own).private_key_available());
    let other = certificate("p256.crt").certificate.unwrap();
    assert!(!store.with_key(other).private_key_available());
}

#[test]
fn a_certificate_beside_a_locked_key_needs_no_password() {
    let both = [file("rsa.crt"), file("legacy-aes-128-cbc.pem")].concat();
    let found = open(T::PublicKeyBlob, &both, "").unwrap().select("*").unwrap();
    assert_eq!((found.encoded_b(), found.private_key_available()), (file("rsa.der"), false));
    assert!(open(T::PemKeyBlob, &both, "").is_err());
}

#[test]
fn the_key_of_another_certificate_is_error_273() {
    let error = open(T::PemKeyBlob, &[file("rsa.crt"), file("p256.p8")].concat(), "").unwrap_err();
    assert_eq!(error.code, Code::Credentials);
}

#[test]
fn kinds_that_do_not_work_say_what_they_are() {
    use super::der;
    // A PKCS #8 of X448.
    let algorithm = der::wrap(der::SEQUENCE, &[&der::wrap(der::OID, &[&[0x2b, 0x65, 0x6f]])]);
    let x448 = der::wrap(der::SEQUENCE, &[&der::integer(&[]), &algorithm, &der::wrap(der::OCTET_STRING, &[&[4, 56]])]);
    let error = open(T::PemKeyBlob, &x448, "").unwrap_err();
    assert_eq!(error.code, Code::CertStore);
    assert!(error.message.contains("1.3.101.111") && error.message.contains("not supported"), "{error}");
    let (code, text) = code(T::PfxFile, "store.jks", "secret");
    assert_eq!(code, Code::CertStore);
    assert!(text.contains("it is JKS, not PFX"), "{text}");
}

#[test]
fn files_that_are_no_files_are_refused_without_waiting() {
    let folder = std::env::temp_dir().join(format!("ssmtp-certs-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let fifo = folder.join("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let large = folder.join("large");
    std::fs::File::create(&large).unwrap().set_len(source::SIZE + 1).unwrap();
    for name in [folder.as_path(), &fifo, std::path::Path::new("/dev/zero"), &large, &folder.join("absent")] {
        for kind in [T::PfxFile, T::PemKeyFile, T::Auto] {
            let error = open(kind, name.to_str().unwrap().as_bytes(), "").expect_err("no store");
            assert_eq!(error.code, Code::CertStore, "{error}");
            assert!(error.message.contains(name.to_str().unwrap()), "{error}");
        }
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn keys_belong_to_their_certificates_and_are_not_shown() {
    for name in ["rsa", "p256", "p384", "p521", "ed25519", "ed448"] {
        let key = read(PEM, &format!("{name}.p8"), "").select("*").unwrap().key.unwrap();
        let certificate = certificate(&format!("{name}.crt")).certificate.unwrap();
        assert!(key.belongs_to(&certificate));
        assert_eq!(format!("{key:?}"), format!("PrivateKey({:?})", key.kind()));
    }
}

#[test]
fn what_is_wrong_is_told_with_the_file_the_entry_and_the_reason() {
    let folder = std::env::temp_dir().join(format!("ssmtp-entries-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let told = |kind: T, name: &str, content: &[u8], password: &str| {
        let file = folder.join(name);
        std::fs::write(&file, content).unwrap();
        let error = open(kind, file.to_str().unwrap().as_bytes(), password).expect_err(name);
        assert_eq!(error.code, Code::CertStore);
        assert!(error.message.starts_with(&format!("the file {}", file.display())), "{error}");
        error.into_message()
    };
    // The second certificate of a bundle, whose first octets are others.
    let broken = pem::encode("CERTIFICATE", &file("rsa.der")[..900]);
    let text = told(T::PemKeyFile, "two.pem", &[&file("ca.crt")[..], broken.as_bytes()].concat(), "");
    assert!(text.contains("is broken: the block 2 (CERTIFICATE): "), "{text}");
    let x448 = b"\x30\x46\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x6f\x04\x3a\x04\x38";
    let x448 = pem::encode("PRIVATE KEY", &[&x448[..], &[7; 56]].concat());
    let text = told(T::PemKeyFile, "x448.pem", x448.as_bytes(), "");
    assert!(text.contains("the block 1 (PRIVATE KEY): an X448 key (1.3.101.111) is not supported"), "{text}");
    let mut jwk = String::from_utf8(file("set.jwk")).unwrap();
    jwk = jwk.replace("P-384", "P-385");
    let found = open(T::JwkBlob, jwk.as_bytes(), "").unwrap();
    assert_eq!(found.len(), 4, "what works is read beside what does not");
    jwk = jwk.replacen("\"x\"", "\"y\"", 2);
    let text = told(T::JwkFile, "set.jwk", jwk.as_bytes(), "");
    assert!(text.contains("is broken: the key 2: a key without x"), "{text}");
    // An entry of another password than its store's, as keytool made it.
    for (kind, name) in [(T::JksFile, "other.jks"), (T::JksFile, "other.jceks"), (T::BcfksFile, "other.bcfks")] {
        let text = told(kind, name, &file(name), "secret");
        assert!(text.contains("the entry leaf: the password is wrong for this key"), "{text}");
        assert!(told(kind, name, &file(name), "wrong-word").ends_with(": the password is wrong"));
    }
    let error = open(T::PemKeyBlob, &[file("rsa.crt"), file("p256.p8")].concat(), "").unwrap_err();
    assert!(error.message.contains("the private key does not belong to the certificate"), "{error}");
    std::fs::remove_dir_all(&folder).unwrap();
}
