//! Encryption by password: PBES1 and PBES2 (RFC 8018), scrypt in it (RFC 7914), the schemes of PKCS #12 with their key derivation
//! (RFC 7292 appendices B and C), and the one of JCEKS. What a file may ask for is bounded.

use super::cipher::{self, Cipher, Padding};
use super::der::{self, Reader};
use super::fault::{Read, broken, unknown, unsupported, wrong_password};
use ring::{digest, pbkdf2};
use std::num::NonZeroU32;
use zeroize::Zeroizing;

type Secret = Zeroizing<Vec<u8>>;

/// The work one store may cause, in iterations of a hash; ten million take some seconds.
#[derive(Debug)]
pub struct Budget(u64);

impl Default for Budget {
    fn default() -> Budget {
        Budget(10_000_000)
    }
}

impl Budget {
    pub fn spend(&mut self, iterations: u32) -> Read<NonZeroU32> {
        let Some(count) = NonZeroU32::new(iterations) else { return broken("a key derivation of no iterations") };
        match self.0.checked_sub(u64::from(iterations)) {
            Some(left) => self.0 = left,
            None => return unsupported("a key derivation of so many iterations"),
        }
        Ok(count)
    }
}

/// Salts are 8 to 64 octets long; this is far more.
const SALT: usize = 4096;

/// Decrypts what stands beside an AlgorithmIdentifier (given as its content). A wrong password is `Fault::Password`.
pub fn decrypt(mut algorithm: Reader<'_>, data: &[u8], password: &str, budget: &mut Budget) -> Read<Secret> {
    const PKCS5: [u8; 8] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5];
    const PKCS12: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 12, 1];
    let oid = algorithm.oid()?;
    if let Some([scheme]) = oid.strip_prefix(&PKCS12) {
        let (cipher, size, iv) = match scheme {
            1 => (Cipher::Rc4, 16, 0),
            2 => (Cipher::Rc4, 5, 0),
            3 => (Cipher::TripleDes, 24, 8),
            4 => (Cipher::TripleDes, 16, 8),
            5 => (Cipher::Rc2(128), 16, 8),
            6 => (Cipher::Rc2(40), 5, 8),
            _ => return unknown("the encryption", oid),
        };
        let (salt, iterations) = salt_and_count(algorithm.sequence()?)?;
        for password in bmp(password) {
            let count = budget.spend(iterations)?;
            let key = pkcs12(Hash::Sha1, &password, salt, 1, count, size);
            let vector = pkcs12(Hash::Sha1, &password, salt, 2, count, iv);
            // RC4 has no padding that would tell: the octets must be one value of the length they say.
            let plain = cipher::decrypt(cipher, &key, &vector, data, Padding::Pkcs7)
                .filter(|plain| cipher != Cipher::Rc4 || der::only_sequence(plain).is_ok());
            if let Some(plain) = plain {
                return Ok(plain);
            }
        }
        return Err(wrong_password());
    }
    match oid.strip_prefix(&PKCS5) {
        Some([13]) => pbes2(algorithm.sequence()?, data, password, budget),
        Some([scheme]) => {
            let (sha, cipher) = match scheme {
                3 => (false, Cipher::Des),
                6 => (false, Cipher::Rc2(64)),
                10 => (true, Cipher::Des),
                11 => (true, Cipher::Rc2(64)),
                _ => return unknown("the encryption", oid),
            };
            let (salt, iterations) = salt_and_count(algorithm.sequence()?)?;
            let count = budget.spend(iterations)?;
            let mut key: Secret = Zeroizing::new([password.as_bytes(), salt].concat());
            for _ in 0..count.get() {
                key = Zeroizing::new(if sha { Hash::Sha1.of(&[&key]) } else { super::md5(&[&key]) });
            }
            cipher::decrypt(cipher, &key[..8], &key[8..16], data, Padding::Pkcs7).ok_or_else(wrong_password)
        }
        _ => unknown("the encryption", oid),
    }
}

fn salt_and_count(mut parameters: Reader<'_>) -> Read<(&[u8], u32)> {
    let salt = parameters.expect(der::OCTET_STRING)?;
    if salt.len() > SALT {
        return broken("a salt out of bounds");
    }
    Ok((salt, parameters.small()?))
}

/// PBES2 (RFC 8018 §6.2).
fn pbes2(mut parameters: Reader<'_>, data: &[u8], password: &str, budget: &mut Budget) -> Read<Secret> {
    let derivation = parameters.sequence()?;
    let mut scheme = parameters.sequence()?;
    let oid = scheme.oid()?;
    let (cipher, size, iv) = match oid {
        [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, n @ (2 | 22 | 42)] => {
            (Cipher::Aes, 16 + 8 * usize::from((n - 2) / 20), scheme.expect(der::OCTET_STRING)?)
        }
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 3, 7] => (Cipher::TripleDes, 24, scheme.expect(der::OCTET_STRING)?),
        [0x2b, 0x0e, 3, 2, 7] => (Cipher::Des, 8, scheme.expect(der::OCTET_STRING)?),
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 3, 2] => {
            let mut rc2 = scheme.sequence()?;
            // RFC 2268 §6: numbers below 256 stand for these bits.
            let bits = match rc2.small()? {
                160 => 40,
                120 => 64,
                58 => 128,
                n @ 256..=1024 => n as usize,
                _ => return broken("an RC2 version that does not exist"),
            };
            (Cipher::Rc2(bits), bits.div_ceil(8), rc2.expect(der::OCTET_STRING)?)
        }
        other => return unknown("the cipher", other),
    };
    let key = derive(derivation, password.as_bytes(), size, budget)?;
    cipher::decrypt(cipher, &key, iv, data, Padding::Pkcs7).ok_or_else(wrong_password)
}

/// The key of an AlgorithmIdentifier for PBKDF2 or scrypt (given as its content).
pub fn derive(mut algorithm: Reader<'_>, password: &[u8], size: usize, budget: &mut Budget) -> Read<Secret> {
    let oid = algorithm.oid()?;
    let mut parameters = algorithm.sequence()?;
    let salt = parameters.expect(der::OCTET_STRING)?;
    if salt.len() > SALT {
        return broken("a salt out of bounds");
    }
    let mut key = Zeroizing::new(vec![0u8; size]);
    match oid {
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 12] => {
            let count = budget.spend(parameters.small()?)?;
            // A length of RC2 keys that differs from the cipher's own; of the others it says nothing new.
            if let Some(length) = parameters.optional(der::INTEGER)? {
                let length = length.iter().fold(0usize, |n, b| n.saturating_mul(256).saturating_add(usize::from(*b)));
                if !(1..=128).contains(&length) {
                    return broken("a key length out of bounds");
                }
                key.resize(length, 0);
            }
            let prf = if parameters.peek() == Some(der::SEQUENCE) { parameters.sequence()?.oid()? } else { HMAC_SHA1 };
            match prf {
                HMAC_SHA224 => pbkdf2_sha224(count, salt, password, &mut key),
                prf => pbkdf2::derive(hmac(prf)?, count, salt, password, &mut key),
            }
        }
        [0x2b, 6, 1, 4, 1, 0xda, 0x47, 4, 11] => {
            let (n, r, p) = (parameters.small()?, parameters.small()?, parameters.small()?);
            let memory = u64::from(n) * u64::from(r) * 128;
            if !n.is_power_of_two()
                || n < 2
                || r == 0
                || p == 0
                || memory > 64 << 20
                || memory.saturating_mul(u64::from(p)) > 1 << 30
            {
                return unsupported("scrypt of such a size");
            }
            budget.spend((memory / 128 * u64::from(p)).try_into().unwrap_or(u32::MAX))?;
            let cost = scrypt::Params::new(n.trailing_zeros() as u8, r, p, 32)
                .or_else(|_| broken("an scrypt size that does not exist"))?;
            scrypt::scrypt(password, salt, &cost, &mut key)
                .or_else(|_| broken("an scrypt size that does not exist"))?;
        }
        other => return unknown("the key derivation", other),
    }
    Ok(key)
}

const HMAC_SHA1: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 2, 7];
const HMAC_SHA224: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 2, 8];

/// PBKDF2 (RFC 8018 §5.2) with the one hash that ring does not have.
fn pbkdf2_sha224(count: NonZeroU32, salt: &[u8], password: &[u8], out: &mut [u8]) {
    use ::hmac::{Hmac, Mac};
    let keyed = Hmac::<sha2::Sha224>::new_from_slice(password).expect("HMAC takes keys of any length");
    let mac = |parts: &[&[u8]]| -> Secret {
        let mut mac = keyed.clone();
        parts.iter().for_each(|part| mac.update(part));
        Zeroizing::new(mac.finalize().into_bytes().to_vec())
    };
    for (block, out) in (1u32..).zip(out.chunks_mut(28)) {
        let mut last = mac(&[salt, &block.to_be_bytes()]);
        let mut sum = last.clone();
        for _ in 1..count.get() {
            last = mac(&[&last]);
            sum.iter_mut().zip(last.iter()).for_each(|(octet, other)| *octet ^= other);
        }
        out.copy_from_slice(&sum[..out.len()]);
    }
}

fn hmac(oid: &[u8]) -> Read<pbkdf2::Algorithm> {
    match oid {
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 2, n] => match n {
            7 => Ok(pbkdf2::PBKDF2_HMAC_SHA1),
            9 => Ok(pbkdf2::PBKDF2_HMAC_SHA256),
            10 => Ok(pbkdf2::PBKDF2_HMAC_SHA384),
            11 => Ok(pbkdf2::PBKDF2_HMAC_SHA512),
            _ => unknown("the hash", oid),
        },
        other => unknown("the hash", other),
    }
}

/// The hashes of PKCS #12.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hash {
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    pub fn ring(self) -> &'static digest::Algorithm {
        match self {
            Hash::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Hash::Sha256 => &digest::SHA256,
            Hash::Sha384 => &digest::SHA384,
            Hash::Sha512 => &digest::SHA512,
        }
    }

    pub fn of(self, parts: &[&[u8]]) -> Vec<u8> {
        let mut context = digest::Context::new(self.ring());
        parts.iter().for_each(|p| context.update(p));
        context.finish().as_ref().to_vec()
    }
}

/// A password as PKCS #12 wants it: UTF-16BE with its zero. No password is either only that zero or nothing at all.
pub fn bmp(password: &str) -> Vec<Secret> {
    let text: Secret = Zeroizing::new(password.encode_utf16().chain([0]).flat_map(u16::to_be_bytes).collect());
    if password.is_empty() { vec![text, Zeroizing::new(Vec::new())] } else { vec![text] }
}

/// The key derivation of RFC 7292 appendix B.2.
pub fn pkcs12(hash: Hash, password: &[u8], salt: &[u8], id: u8, iterations: NonZeroU32, size: usize) -> Secret {
    let block = hash.ring().block_len();
    let filled =
        |bytes: &[u8]| -> Vec<u8> { bytes.iter().copied().cycle().take(bytes.len().div_ceil(block) * block).collect() };
    let start = vec![id; block];
    let mut input: Secret = Zeroizing::new([filled(salt), filled(password)].concat());
    let mut out = Zeroizing::new(Vec::with_capacity(size + 64));
    while out.len() < size {
        let mut a = Zeroizing::new(hash.of(&[&start, &input]));
        for _ in 1..iterations.get() {
            // In place: this is where the time goes.
            let next = digest::digest(hash.ring(), &a);
            a.copy_from_slice(next.as_ref());
        }
        out.extend_from_slice(&a);
        for chunk in input.chunks_mut(block) {
            let mut carry = 1u16;
            for (i, octet) in chunk.iter_mut().enumerate().rev() {
                let sum = u16::from(*octet) + u16::from(a[i % a.len()]) + carry;
                *octet = sum as u8;
                carry = sum >> 8;
            }
        }
    }
    out.truncate(size);
    out
}
