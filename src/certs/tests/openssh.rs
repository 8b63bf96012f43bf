//! Private keys in OpenSSH's own form, and the kinds of PuTTY's that are rare.

use super::{PEM, PPK, code, file, read, same_key};
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
    let (number, text) = code(T::PemKeyFile, "locked.openssh", "secret");
    assert!(number == Code::CertStore && text.contains("passphrase") && text.contains("not supported"), "{text}");
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
