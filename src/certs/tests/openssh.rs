//! Keys of ssh-keygen and puttygen that the fixtures do not have: made here.

use super::{PEM, PPK, file, read, same_key};
use crate::certs::source::open;
use crate::enums::CertStoreType as T;
use crate::error::Code;
use std::process::Command;

fn tool(name: &str, arguments: &[&str]) {
    let out = Command::new(name).args(arguments).output().unwrap_or_else(|e| panic!("{name}: {e}"));
    assert!(out.status.success(), "{name} {arguments:?}: {}", String::from_utf8_lossy(&out.stderr));
}

#[test]
fn private_keys_of_ssh_keygen_are_read() {
    let folder = std::env::temp_dir().join(format!("ssmtp-openssh-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let at = folder.join("key").to_str().unwrap().to_owned();
    for kind in [
        &["rsa", "-b", "2048"][..],
        &["ecdsa", "-b", "256"],
        &["ecdsa", "-b", "384"],
        &["ecdsa", "-b", "521"],
        &["ed25519"],
    ] {
        let _ = std::fs::remove_file(&at);
        tool("ssh-keygen", &[&["-q", "-N", "", "-C", "a comment", "-f", &at, "-t"], kind].concat());
        let written = std::fs::read(&at).unwrap();
        assert!(written.starts_with(b"-----BEGIN OPENSSH PRIVATE KEY-----"));
        let public = open(T::SshPublicKeyFile, format!("{at}.pub").as_bytes(), "").unwrap().select("*").unwrap();
        for found in [open(T::PemKeyBlob, &written, ""), open(T::Auto, &written, ""), open(T::Auto, at.as_bytes(), "")]
        {
            let found = found.unwrap().select("*").unwrap();
            assert_eq!((found.private_key_available(), found.public_key()), (true, public.public_key()), "{kind:?}");
            let key = found.key.as_ref().unwrap();
            let scheme = key.schemes()[0];
            let signature = key.sign(scheme, b"x").unwrap();
            assert!(crate::certs::signing::verify(public.public().unwrap(), scheme, b"x", &signature));
        }
        for end in (1..written.len()).step_by(61) {
            assert!(
                open(T::PemKeyBlob, &written[..end], "").is_ok_and(|e| e.is_empty())
                    || open(T::PemKeyBlob, &written[..end], "").is_err()
            );
        }
        tool("ssh-keygen", &["-q", "-p", "-P", "", "-N", "secret", "-f", &at]);
        let error = open(T::PemKeyFile, at.as_bytes(), "secret").unwrap_err();
        assert!(error.code == Code::CertStore && error.message.contains("passphrase"), "{error}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
    let key = read(PEM, "ssh-ed25519", "").select("*").unwrap();
    let beside = read((T::SshPublicKeyFile, T::SshPublicKeyBlob), "ed25519.ssh", "").select("*").unwrap();
    assert_eq!(key.public_key(), beside.public_key());
}

#[test]
fn dsa_and_ed448_keys_of_puttygen_are_read() {
    let folder = std::env::temp_dir().join(format!("ssmtp-putty-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let at = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    std::fs::write(at("dsa.pem"), file("dsa.key")).unwrap();
    std::fs::write(at("none"), b"").unwrap();
    tool("openssl", &["pkey", "-in", &at("dsa.pem"), "-traditional", "-out", &at("dsa.old")]);
    let passphrases = ["--old-passphrase", &at("none"), "--new-passphrase", &at("none")];
    tool("puttygen", &[&[&at("dsa.old")[..], "-O", "private", "-o", &at("dsa.ppk")], &passphrases[..]].concat());
    let dsa = open(PPK.0, at("dsa.ppk").as_bytes(), "").unwrap().select("*").unwrap();
    same_key(&dsa, "dsa.key");
    tool("puttygen", &[&["-q", "-t", "ed448", "-O", "private", "-o", &at("448.ppk")], &passphrases[2..]].concat());
    let ed448 = open(PPK.0, at("448.ppk").as_bytes(), "").unwrap().select("*").unwrap();
    assert_eq!((ed448.public_key_algorithm(), ed448.private_key_available()), ("Ed448", true));
    std::fs::remove_dir_all(&folder).unwrap();
}
