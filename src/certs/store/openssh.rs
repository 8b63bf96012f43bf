//! Private keys as ssh-keygen writes them: `openssh-key-v1` (OpenSSH's PROTOCOL.key), in the clear or behind a passphrase
//! (bcrypt-pbkdf). Found in PEM.

use crate::certs::aes_modes;
use crate::certs::cipher::{self, Cipher, Padding};
use crate::certs::fault::{Fault, Read, broken, unsupported, wrong_password};
use crate::certs::key::{PrivateKey, Rsa};
use crate::certs::pbe::Budget;
use crate::certs::spki::{Curve, PublicKey};
use crate::certs::ssh_wire::{self, Wire};
use zeroize::Zeroizing;

type Secret = Zeroizing<Vec<u8>>;

const MAGIC: &[u8] = b"openssh-key-v1\0";
/// One round of bcrypt-pbkdf costs about as much as this many iterations of a hash; ssh-keygen takes 16 or 24 rounds.
const ROUND: u32 = 8192;

/// The one key of a file.
pub fn key(bytes: &[u8], password: &str, budget: &mut Budget) -> Read<PrivateKey> {
    let Some(rest) = bytes.strip_prefix(MAGIC) else { return broken("an OpenSSH key of an unknown version") };
    let mut file = Wire::new(rest);
    let cipher = file.string()?;
    let derivation = file.string()?;
    let options = file.string()?;
    if file.uint32()? != 1 {
        return unsupported("an OpenSSH file of several private keys");
    }
    let public = PublicKey::from_ssh(file.string()?)?;
    let sealed = file.string()?;
    // The tag of an AEAD cipher stands behind the string.
    let tag = file.rest();
    let plain;
    let private = if cipher == b"none" {
        if !tag.is_empty() {
            return broken("octets after the end of an SSH key");
        }
        sealed
    } else {
        plain = open(Sealed { cipher, derivation, options, data: sealed, tag }, password, budget)?;
        &plain
    };
    let mut numbers = Wire::new(private);
    if numbers.uint32()? != numbers.uint32()? {
        // Only the right passphrase makes the two numbers the same.
        return if cipher == b"none" {
            broken("the check of an OpenSSH key does not hold")
        } else {
            Err(wrong_password())
        };
    }
    parts(numbers, &public)
}

/// The private numbers; what follows them is a comment, and padding.
fn parts(mut private: Wire<'_>, public: &PublicKey) -> Read<PrivateKey> {
    let kind = private.string()?;
    let found = match ssh_wire::name(kind) {
        "ssh-rsa" => {
            let (n, e, d) = (private.number()?, private.number()?, private.number()?);
            let (qi, p, q) = (private.number()?, private.number()?, private.number()?);
            PrivateKey::rsa(&Rsa { n, e, d, p, q, qi })?
        }
        "ssh-dss" => {
            let (p, q, g) = (private.number()?, private.number()?, private.number()?);
            private.number()?;
            PrivateKey::dsa(p, q, g, private.number()?)?
        }
        "ssh-ed25519" => {
            private.string()?;
            let both = private.string()?;
            PrivateKey::ed25519(&both[..both.len().min(32)])?
        }
        name => match Curve::of_ssh(name) {
            Some(curve) => {
                private.string()?;
                private.string()?;
                PrivateKey::ec(curve, private.number()?)?
            }
            None => return unsupported(format!("an OpenSSH key of type {}", shown(kind))),
        },
    };
    if found.public_key() != public {
        return broken("the halves of an OpenSSH key do not belong together");
    }
    Ok(found)
}

struct Sealed<'a> {
    cipher: &'a [u8],
    derivation: &'a [u8],
    options: &'a [u8],
    data: &'a [u8],
    tag: &'a [u8],
}

/// Takes the passphrase off.
fn open(sealed: Sealed<'_>, password: &str, budget: &mut Budget) -> Read<Secret> {
    let cipher = ssh_wire::name(sealed.cipher);
    let (size, iv, tag) = match cipher {
        "aes128-ctr" | "aes128-cbc" => (16, 16, 0),
        "aes192-ctr" | "aes192-cbc" => (24, 16, 0),
        "aes256-ctr" | "aes256-cbc" => (32, 16, 0),
        "3des-cbc" => (24, 8, 0),
        "aes128-gcm@openssh.com" => (16, 12, 16),
        "aes256-gcm@openssh.com" => (32, 12, 16),
        _ => return unsupported(format!("the cipher {} of an OpenSSH key", shown(sealed.cipher))),
    };
    if sealed.derivation != b"bcrypt" {
        return unsupported(format!("the key derivation {} of an OpenSSH key", shown(sealed.derivation)));
    }
    if sealed.tag.len() != tag {
        return broken("octets after the end of an SSH key");
    }
    let mut options = Wire::new(sealed.options);
    let (salt, rounds) = (options.string()?, options.uint32()?);
    options.finish()?;
    if salt.is_empty() || salt.len() > 1024 || rounds == 0 {
        return broken("a key derivation out of bounds");
    }
    // bcrypt-pbkdf knows no empty passphrase; nothing can have been sealed with one.
    if password.is_empty() {
        return Err(wrong_password());
    }
    // Every 32 octets of key cost the rounds anew.
    let blocks = usize::div_ceil(size + iv, 32) as u32;
    budget.spend(rounds.saturating_mul(ROUND).saturating_mul(blocks))?;
    let mut both = Zeroizing::new(vec![0; size + iv]);
    bcrypt_pbkdf::bcrypt_pbkdf(password, salt, rounds, &mut both)
        .or_else(|_| broken("a key derivation out of bounds"))?;
    let (key, iv) = both.split_at(size);
    if cipher.ends_with("-cbc") {
        let kind = if cipher == "3des-cbc" { Cipher::TripleDes } else { Cipher::Aes };
        return cipher::decrypt(kind, key, iv, sealed.data, Padding::None).ok_or_else(odd);
    }
    let mut plain = Zeroizing::new(sealed.data.to_vec());
    if tag != 0 {
        return gcm(key, iv, plain, sealed.tag);
    }
    let Some(()) = aes_modes::ctr(key, iv, &mut plain) else {
        return broken("a key of another length than its cipher's");
    };
    Ok(plain)
}

fn odd() -> Box<Fault> {
    Fault::Broken("the private part of an OpenSSH key has an odd length".into()).into()
}

/// A name in an error text.
fn shown(name: &[u8]) -> String {
    String::from_utf8_lossy(&name[..name.len().min(40)]).into_owned()
}

/// AES-GCM; the tag is wrong when the passphrase is.
fn gcm(key: &[u8], iv: &[u8], mut data: Secret, tag: &[u8]) -> Read<Secret> {
    use ring::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
    let algorithm = if key.len() == 16 { &AES_128_GCM } else { &AES_256_GCM };
    let (Ok(key), Ok(nonce)) = (UnboundKey::new(algorithm, key), Nonce::try_assume_unique_for_key(iv)) else {
        return broken("a key of another length than its cipher's");
    };
    data.extend_from_slice(tag);
    let length = match LessSafeKey::new(key).open_in_place(nonce, Aad::empty(), &mut data) {
        Ok(plain) => plain.len(),
        Err(_) => return Err(wrong_password()),
    };
    data.truncate(length);
    Ok(data)
}
