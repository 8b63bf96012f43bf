//! Private keys in OpenSSH's own form, and the kinds of PuTTY's that are rare.

use super::{PEM, PPK, code, file, read, refuses, same_key};
use crate::certs::signing;
use crate::certs::source::open;
use crate::enums::CertStoreType as T;
use crate::error::Code;

#[test]
fn private_keys_of_ssh_keygen_are_read() {
    for kind in ["rsa", "p256", "p384", "p521"] {
        let name = format!("{kind}.openssh");
        assert!(file(&name).starts_with(b"-----BEGIN OPENSSH PRIVATE KEY-----"));
        let found = read(PEM, &name, "").select("*").unwrap();
        same_key(&found, &format!("{kind}.p8"));
        let whole = file(&name);
        for end in (1..whole.len()).step_by(61) {
            assert!(
                open(T::PemKeyBlob, &whole[..end], "").is_ok_and(|e| e.is_empty())
                    || open(T::PemKeyBlob, &whole[..end], "").is_err()
            );
        }
    }
    let key = read(PEM, "ssh-ed25519", "").select("*").unwrap();
    let beside = read((T::SshPublicKeyFile, T::SshPublicKeyBlob), "ed25519.ssh", "").select("*").unwrap();
    assert_eq!(key.public_key(), beside.public_key());
}

#[test]
fn private_keys_of_ssh_keygen_with_a_passphrase_are_read_under_every_cipher() {
    for (name, plain) in [
        ("locked", "rsa"),
        ("locked-aes256-ctr", "rsa"),
        ("locked-aes128-ctr", "p384"),
        ("locked-aes256-cbc", "p256"),
        ("locked-3des-cbc", "p521"),
        ("locked-aes128-gcm", "rsa"),
        ("locked-aes256-gcm", "p256"),
    ] {
        let name = format!("{name}.openssh");
        same_key(&read(PEM, &name, "secret").select("*").unwrap(), &format!("{plain}.p8"));
        refuses(PEM, &name, "wrong-word");
        refuses(PEM, &name, "");
    }
    let (number, text) = code(T::PemKeyFile, "locked-chacha20-poly1305.openssh", "secret");
    assert!(number == Code::CertStore && text.contains("chacha20-poly1305@openssh.com"), "{text}");
    assert!(text.contains("not supported"), "{text}");
}

#[test]
fn rounds_of_a_passphrase_without_bound_are_refused_before_they_run() {
    let mut bytes = crate::certs::pem::blocks(&file("locked.openssh")).unwrap().remove(0).data;
    // Salt and rounds: 24 octets of options, the first 20 a string of 16.
    let at = bytes.windows(8).position(|w| w == [0, 0, 0, 24, 0, 0, 0, 16]).expect("the options") + 24;
    bytes[at..at + 4].copy_from_slice(&[0x7f, 0xff, 0xff, 0xff]);
    let pem = crate::certs::pem::encode("OPENSSH PRIVATE KEY", &bytes);
    let error = open(T::PemKeyBlob, pem.as_bytes(), "secret").unwrap_err();
    assert!(error.message.contains("so many iterations"), "{error}");
}

#[test]
fn dsa_and_ed448_keys_of_puttygen_are_read() {
    let dsa = read(PPK, "dsa.ppk", "").select("*").unwrap();
    // The PEM file has the parameters before the key.
    assert!(String::from_utf8(file("dsa.key")).unwrap().ends_with(dsa.private_key().as_str()));
    let ed448 = read(PPK, "ed448.ppk", "").select("*").unwrap();
    assert_eq!((ed448.public_key_algorithm(), ed448.public_key_length()), ("Ed448", 456));
    for found in [dsa, ed448] {
        let key = found.key.unwrap();
        let scheme = key.schemes()[0];
        assert!(signing::verify(key.public_key(), scheme, b"x", &key.sign(scheme, b"x").unwrap()));
    }
}
