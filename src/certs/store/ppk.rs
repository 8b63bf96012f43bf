//! PPK, PuTTY's private keys, versions 2 and 3 (appendix C of PuTTY's manual): SHA-1 or Argon2 over the passphrase, AES-256-CBC, a MAC
//! over everything.

use super::pem_file::unhex;
use super::{Format, start};
use crate::certs::cipher::{self, Cipher, Padding};
use crate::certs::contents::Contents;
use crate::certs::fault::{Fault, Read, broken, unsupported, wrong_password};
use crate::certs::key::{PrivateKey, Rsa};
use crate::certs::pbe::Hash;
use crate::certs::pem;
use crate::certs::spki::{Curve, PublicKey};
use crate::certs::ssh_wire::{self, Wire};
use ring::hmac;
use std::str::Lines;
use zeroize::Zeroizing;

pub struct Ppk;

/// Lines of one part; an RSA key of 16384 bits has 100.
const LINES: usize = 1000;
/// Memory of Argon2 in KiB, and memory times passes: PuTTY takes 8 MiB and some 20 passes.
const MEMORY: u32 = 256 << 10;
const WORK: u64 = 4 << 20;

impl Format for Ppk {
    fn name(&self) -> &'static str {
        "PPK"
    }

    fn recognises(&self, bytes: &[u8]) -> bool {
        start(bytes).starts_with(b"PuTTY-User-Key-File-")
    }

    fn read(&self, bytes: &[u8], password: &str) -> Read<Contents> {
        let file = File::parse(bytes)?;
        let private = file.open(password)?;
        let mut found = Contents::default();
        found.add_key(key(&file, &private))?;
        Ok(found)
    }
}

struct Argon {
    kind: argon2::Algorithm,
    memory: u32,
    passes: u32,
    parallelism: u32,
    salt: Vec<u8>,
}

struct File<'a> {
    version: u8,
    kind: &'a str,
    encrypted: bool,
    encryption: &'a str,
    comment: &'a str,
    public: Zeroizing<Vec<u8>>,
    private: Zeroizing<Vec<u8>>,
    argon: Option<Argon>,
    mac: Vec<u8>,
}

/// The value on the next line, which has this name.
fn field<'a>(lines: &mut Lines<'a>, name: &str) -> Read<&'a str> {
    match lines.next().and_then(|line| line.split_once(':')) {
        Some((found, value)) if found == name => Ok(value.trim_start()),
        _ => broken(format!("it lacks {name}")),
    }
}

fn number(lines: &mut Lines<'_>, name: &str) -> Read<u32> {
    field(lines, name)?.trim_end().parse().or_else(|_| broken(format!("{name} is no number")))
}

impl File<'_> {
    fn parse(bytes: &[u8]) -> Read<File<'_>> {
        let Ok(text) = std::str::from_utf8(start(bytes)) else { return broken("it is no text") };
        let mut lines = text.lines();
        // The first line holds version and type.
        let (version, kind) = match field(&mut lines, "PuTTY-User-Key-File-3") {
            Ok(kind) => (3, kind),
            Err(_) => match text.lines().next().and_then(|l| l.strip_prefix("PuTTY-User-Key-File-2: ")) {
                Some(kind) => (2, kind.trim()),
                None => return unsupported("a PPK file of another version than 2 and 3"),
            },
        };
        let encryption = field(&mut lines, "Encryption")?;
        let encrypted = match encryption {
            "none" => false,
            "aes256-cbc" => true,
            _ => return unsupported("the cipher of this PPK file"),
        };
        let comment = field(&mut lines, "Comment")?;
        let public = part(&mut lines, "Public-Lines")?;
        let argon = if version == 3 && encrypted {
            let kind = match field(&mut lines, "Key-Derivation")?.trim_end() {
                "Argon2id" => argon2::Algorithm::Argon2id,
                "Argon2i" => argon2::Algorithm::Argon2i,
                "Argon2d" => argon2::Algorithm::Argon2d,
                _ => return unsupported("the key derivation of this PPK file"),
            };
            let memory = number(&mut lines, "Argon2-Memory")?;
            let passes = number(&mut lines, "Argon2-Passes")?;
            let parallelism = number(&mut lines, "Argon2-Parallelism")?;
            let salt = unhex(field(&mut lines, "Argon2-Salt")?.trim_end());
            let Some(salt) = salt.filter(|s| (8..=1024).contains(&s.len())) else {
                return broken("a salt out of bounds");
            };
            Some(Argon { kind, memory, passes, parallelism, salt })
        } else {
            None
        };
        let private = part(&mut lines, "Private-Lines")?;
        let mac = match lines.next().and_then(|l| l.strip_prefix("Private-MAC: ")).and_then(|m| unhex(m.trim())) {
            Some(mac) => mac,
            None => return broken("it lacks Private-MAC"),
        };
        Ok(File { version, kind, encrypted, encryption, comment, public, private, argon, mac })
    }

    /// The private part in the clear, after its MAC was right.
    fn open(&self, password: &str) -> Read<Zeroizing<Vec<u8>>> {
        let (key, iv, mac_key) = self.keys(if self.encrypted { password } else { "" })?;
        let private = if self.encrypted {
            cipher::decrypt(Cipher::Aes, &key, &iv, &self.private, Padding::None)
                .ok_or_else(|| Fault::Broken("its private part has an odd length".into()))?
        } else {
            self.private.clone()
        };
        let algorithm = if self.version == 2 { hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY } else { hmac::HMAC_SHA256 };
        let mut signed = Zeroizing::new(Vec::new());
        for part in [self.kind.as_bytes(), self.encryption.as_bytes(), self.comment.as_bytes(), &self.public, &private]
        {
            signed.extend_from_slice(&Zeroizing::new(ssh_wire::string(part)));
        }
        if hmac::verify(&hmac::Key::new(algorithm, &mac_key), &signed, &self.mac).is_ok() {
            Ok(private)
        } else if self.encrypted {
            Err(wrong_password())
        } else {
            broken("its MAC is wrong")
        }
    }

    /// The cipher's key and vector, and the key of the MAC.
    #[allow(clippy::type_complexity)]
    fn keys(&self, password: &str) -> Read<(Zeroizing<Vec<u8>>, Vec<u8>, Zeroizing<Vec<u8>>)> {
        if self.version == 2 {
            let half = |n: u8| Hash::Sha1.of(&[&[0, 0, 0, n], password.as_bytes()]);
            let mut key = Zeroizing::new([half(0), half(1)].concat());
            key.truncate(32);
            let mac = Hash::Sha1.of(&[b"putty-private-key-file-mac-key", password.as_bytes()]);
            return Ok((key, vec![0; 16], Zeroizing::new(mac)));
        }
        let Some(argon) = &self.argon else {
            return Ok(Default::default());
        };
        let work = u64::from(argon.memory) * u64::from(argon.passes);
        if argon.memory > MEMORY || argon.parallelism > 16 || work > WORK {
            return unsupported("Argon2 of such a size");
        }
        let parameters = argon2::Params::new(argon.memory, argon.passes, argon.parallelism, Some(80))
            .or_else(|_| broken("an Argon2 size that does not exist"))?;
        let mut out = Zeroizing::new(vec![0u8; 80]);
        argon2::Argon2::new(argon.kind, argon2::Version::V0x13, parameters)
            .hash_password_into(password.as_bytes(), &argon.salt, &mut out)
            .or_else(|_| broken("an Argon2 size that does not exist"))?;
        Ok((Zeroizing::new(out[..32].to_vec()), out[32..48].to_vec(), Zeroizing::new(out[48..].to_vec())))
    }
}

/// The Base64 on as many lines as the field of this name says.
fn part(lines: &mut Lines<'_>, name: &str) -> Read<Zeroizing<Vec<u8>>> {
    match field(lines, name)?.trim_end().parse::<usize>() {
        Ok(count) if count <= LINES => {
            let text: Zeroizing<String> = Zeroizing::new(lines.take(count).collect());
            pem::base64(text.as_bytes())
        }
        _ => broken("a number of lines out of bounds"),
    }
}

/// The key of both parts. What follows it in the private part is padding.
fn key(file: &File<'_>, private: &[u8]) -> Read<PrivateKey> {
    let mut public = Wire::new(&file.public);
    if public.string()? != file.kind.as_bytes() {
        return broken("it says another type than its key");
    }
    let mut private = Wire::new(private);
    let found = match file.kind {
        "ssh-rsa" => {
            let (e, n) = (public.number()?, public.number()?);
            let (d, p, q, qi) = (private.number()?, private.number()?, private.number()?, private.number()?);
            PrivateKey::rsa(&Rsa { n, e, d, p, q, qi })?
        }
        "ssh-ed25519" => {
            let seed = private.string()?;
            PrivateKey::ed25519(&seed[..seed.len().min(32)])?
        }
        "ssh-dss" => {
            let (p, q, g) = (public.number()?, public.number()?, public.number()?);
            PrivateKey::dsa(p, q, g, private.number()?)?
        }
        "ssh-ed448" => PrivateKey::ed448(private.string()?)?,
        other => match Curve::of_ssh(other) {
            Some(curve) => PrivateKey::ec(curve, private.number()?)?,
            None => return unsupported(format!("a PPK key of type {}", other.chars().take(40).collect::<String>())),
        },
    };
    if *found.public_key() != PublicKey::from_ssh(&file.public)? {
        return broken("the halves of its key do not belong together");
    }
    Ok(found)
}
