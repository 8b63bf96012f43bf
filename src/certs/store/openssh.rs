//! Private keys as ssh-keygen writes them: `openssh-key-v1` (OpenSSH's PROTOCOL.key), in the clear or behind a passphrase
//! (bcrypt-pbkdf). Found in PEM.

use crate::certs::cipher::{self, Cipher, Padding};
use crate::certs::fault::{Fault, Read, broken, unsupported};
use crate::certs::key::{PrivateKey, Rsa};
use crate::certs::pbe::Budget;
use crate::certs::spki::{Curve, PublicKey};
use crate::certs::ssh_wire::Wire;
use aes::cipher::{KeyIvInit, StreamCipher};
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
            Err(Fault::Password)
        };
    }
    parts(numbers, &public)
}

/// The private numbers; what follows them is a comment, and padding.
fn parts(mut private: Wire<'_>, public: &PublicKey) -> Read<PrivateKey> {
    let found = match private.string()? {
        b"ssh-rsa" => {
            let (n, e, d) = (private.number()?, private.number()?, private.number()?);
            let (qi, p, q) = (private.number()?, private.number()?, private.number()?);
            PrivateKey::rsa(&Rsa { n, e, d, p, q, qi })?
        }
        b"ssh-dss" => {
            let (p, q, g) = (private.number()?, private.number()?, private.number()?);
            private.number()?;
            PrivateKey::dsa(p, q, g, private.number()?)?
        }
        b"ssh-ed25519" => {
            private.string()?;
            let both = private.string()?;
            PrivateKey::ed25519(&both[..both.len().min(32)])?
        }
        kind => {
            match Curve::ALL.into_iter().find(|c| kind.strip_prefix(b"ecdsa-sha2-") == Some(c.ssh_name().as_bytes())) {
                Some(curve) => {
                    private.string()?;
                    private.string()?;
                    PrivateKey::ec(curve, private.number()?)?
                }
                None => {
                    let name = String::from_utf8_lossy(&kind[..kind.len().min(40)]).into_owned();
                    return unsupported(format!("an OpenSSH key of type {name}"));
                }
            }
        }
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
    let name = |bytes: &[u8]| String::from_utf8_lossy(&bytes[..bytes.len().min(40)]).into_owned();
    let (size, iv, tag) = match sealed.cipher {
        b"aes128-ctr" | b"aes128-cbc" => (16, 16, 0),
        b"aes192-ctr" | b"aes192-cbc" => (24, 16, 0),
        b"aes256-ctr" | b"aes256-cbc" => (32, 16, 0),
        b"3des-cbc" => (24, 8, 0),
        b"aes128-gcm@openssh.com" => (16, 12, 16),
        b"aes256-gcm@openssh.com" => (32, 12, 16),
        other => return unsupported(format!("the cipher {} of an OpenSSH key", name(other))),
    };
    if sealed.derivation != b"bcrypt" {
        return unsupported(format!("the key derivation {} of an OpenSSH key", name(sealed.derivation)));
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
        return Err(Fault::Password);
    }
    // Every 32 octets of key cost the rounds anew.
    let blocks = usize::div_ceil(size + iv, 32) as u32;
    budget.spend(rounds.saturating_mul(ROUND).saturating_mul(blocks))?;
    let mut both = Zeroizing::new(vec![0; size + iv]);
    bcrypt_pbkdf::bcrypt_pbkdf(password, salt, rounds, &mut both)
        .or_else(|_| broken("a key derivation out of bounds"))?;
    let (key, iv) = both.split_at(size);
    if let b"3des-cbc" = sealed.cipher {
        return cipher::decrypt(Cipher::TripleDes, key, iv, sealed.data, Padding::None).ok_or_else(odd);
    }
    if sealed.cipher.ends_with(b"-cbc") {
        return cipher::decrypt(Cipher::Aes, key, iv, sealed.data, Padding::None).ok_or_else(odd);
    }
    let mut plain = Zeroizing::new(sealed.data.to_vec());
    if tag != 0 {
        return gcm(key, iv, plain, sealed.tag);
    }
    match key.len() {
        16 => ctr::Ctr128BE::<aes::Aes128>::new_from_slices(key, iv).map(|mut c| c.apply_keystream(&mut plain)),
        24 => ctr::Ctr128BE::<aes::Aes192>::new_from_slices(key, iv).map(|mut c| c.apply_keystream(&mut plain)),
        _ => ctr::Ctr128BE::<aes::Aes256>::new_from_slices(key, iv).map(|mut c| c.apply_keystream(&mut plain)),
    }
    .or_else(|_| broken("a key of another length than its cipher's"))?;
    Ok(plain)
}

fn odd() -> Fault {
    Fault::Broken("the private part of an OpenSSH key has an odd length".into())
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
        Err(_) => return Err(Fault::Password),
    };
    data.truncate(length);
    Ok(data)
}
