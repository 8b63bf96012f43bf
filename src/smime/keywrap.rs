//! Content keys under other keys: AES Key Wrap (RFC 3394), the key wrap of Triple DES (RFC 3217), and the derivations that make such a
//! key of a shared secret: X9.63 (SEC 1 §3.6.1, RFC 5753) and HKDF (RFC 5869, RFC 8418).

use super::algorithm::Hash;
use super::asn1;
use super::bulk::same;
use crate::certs::cipher::{self, Padding};
use crate::certs::der::{self, OCTET_STRING, SEQUENCE};
use cbc::cipher::consts::U16;
use cbc::cipher::{BlockDecrypt, BlockEncrypt, KeyInit};
use zeroize::Zeroizing;

type Key = Zeroizing<Vec<u8>>;

/// What wraps a content key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrap {
    /// With its octets of key.
    Aes(usize),
    TripleDes,
}

const CMS_3DES_WRAP: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 16, 3, 6];

impl Wrap {
    pub fn from_oid(oid: &[u8]) -> Option<Wrap> {
        match oid {
            [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, 5] => Some(Wrap::Aes(16)),
            [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, 25] => Some(Wrap::Aes(24)),
            [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, 45] => Some(Wrap::Aes(32)),
            CMS_3DES_WRAP => Some(Wrap::TripleDes),
            _ => None,
        }
    }

    /// Its AlgorithmIdentifier (RFC 5753 §7.1.5): AES has no parameters, Triple DES has NULL.
    pub fn algorithm(self) -> Vec<u8> {
        match self {
            Wrap::TripleDes => asn1::algorithm(CMS_3DES_WRAP, &asn1::null()),
            Wrap::Aes(size) => {
                let last = (5 + (size - 16) / 8 * 20) as u8;
                asn1::algorithm(&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, last], &[])
            }
        }
    }

    /// Octets of the key that wraps.
    pub fn size(self) -> usize {
        match self {
            Wrap::Aes(size) => size,
            Wrap::TripleDes => 24,
        }
    }

    pub fn wrap(self, kek: &[u8], key: &[u8]) -> Option<Vec<u8>> {
        match self {
            Wrap::Aes(_) => aes_wrap(kek, key),
            // Nobody is sent this any more; what reads it, reads AES too.
            Wrap::TripleDes => None,
        }
    }

    pub fn unwrap(self, kek: &[u8], wrapped: &[u8]) -> Option<Key> {
        match self {
            Wrap::Aes(_) => aes_unwrap(kek, wrapped),
            Wrap::TripleDes => des_unwrap(kek, wrapped),
        }
    }
}

/// Longer than any content key.
const LONGEST: usize = 64;

/// What a key of any of AES's lengths makes of one block, in place.
type Step = Box<dyn Fn(&mut Block)>;
type Block = [u8; 16];

fn encryptor(kek: &[u8]) -> Option<Step> {
    fn step<C: KeyInit + BlockEncrypt<BlockSize = U16> + 'static>(kek: &[u8]) -> Option<Step> {
        let cipher = C::new_from_slice(kek).ok()?;
        Some(Box::new(move |block| cipher.encrypt_block(block.into())))
    }
    match kek.len() {
        16 => step::<aes::Aes128>(kek),
        24 => step::<aes::Aes192>(kek),
        32 => step::<aes::Aes256>(kek),
        _ => None,
    }
}

fn decryptor(kek: &[u8]) -> Option<Step> {
    fn step<C: KeyInit + BlockDecrypt<BlockSize = U16> + 'static>(kek: &[u8]) -> Option<Step> {
        let cipher = C::new_from_slice(kek).ok()?;
        Some(Box::new(move |block| cipher.decrypt_block(block.into())))
    }
    match kek.len() {
        16 => step::<aes::Aes128>(kek),
        24 => step::<aes::Aes192>(kek),
        32 => step::<aes::Aes256>(kek),
        _ => None,
    }
}

/// What stands before the key that is wrapped (RFC 3394 §2.2.3.1).
const FIRST: u64 = 0xa6a6_a6a6_a6a6_a6a6;

fn joined(first: u64, half: [u8; 8]) -> Zeroizing<Block> {
    Zeroizing::new((u128::from(first) << 64 | u128::from(u64::from_be_bytes(half))).to_be_bytes())
}

fn aes_wrap(kek: &[u8], key: &[u8]) -> Option<Vec<u8>> {
    if key.len() < 16 || !key.len().is_multiple_of(8) || key.len() > LONGEST {
        return None;
    }
    let encrypt = encryptor(kek)?;
    let mut halves = key.to_vec();
    let (mut first, mut step) = (FIRST, 0);
    for _ in 0..6 {
        for half in halves.as_chunks_mut::<8>().0 {
            let mut block = joined(first, *half);
            encrypt(&mut block);
            step += 1;
            let both = u128::from_be_bytes(*block);
            first = (both >> 64) as u64 ^ step;
            *half = (both as u64).to_be_bytes();
        }
    }
    Some([&first.to_be_bytes()[..], &halves].concat())
}

fn aes_unwrap(kek: &[u8], wrapped: &[u8]) -> Option<Key> {
    if wrapped.len() < 24 || !wrapped.len().is_multiple_of(8) || wrapped.len() > LONGEST + 8 {
        return None;
    }
    let decrypt = decryptor(kek)?;
    let (first, halves) = wrapped.split_first_chunk::<8>()?;
    let mut halves = Zeroizing::new(halves.to_vec());
    let (mut first, mut step) = (u64::from_be_bytes(*first), 6 * (halves.len() / 8) as u64);
    for _ in 0..6 {
        for half in halves.as_chunks_mut::<8>().0.iter_mut().rev() {
            let mut block = joined(first ^ step, *half);
            decrypt(&mut block);
            step -= 1;
            let both = u128::from_be_bytes(*block);
            first = (both >> 64) as u64;
            *half = (both as u64).to_be_bytes();
        }
    }
    same(&first.to_be_bytes(), &FIRST.to_be_bytes()).then_some(halves)
}

/// RFC 3217 §3.2: decrypt, reverse, decrypt, check.
fn des_unwrap(kek: &[u8], wrapped: &[u8]) -> Option<Key> {
    if wrapped.len() < 24 || !wrapped.len().is_multiple_of(8) || wrapped.len() > LONGEST + 16 {
        return None;
    }
    const VECTOR: [u8; 8] = [0x4a, 0xdd, 0xa2, 0x2c, 0x79, 0xe8, 0x21, 0x05];
    let mut outer = cipher::decrypt(cipher::Cipher::TripleDes, kek, &VECTOR, wrapped, Padding::None)?;
    outer.reverse();
    let (vector, inner) = outer.split_at(8);
    let plain = cipher::decrypt(cipher::Cipher::TripleDes, kek, vector, inner, Padding::None)?;
    let (key, check) = plain.split_at(plain.len().checked_sub(8)?);
    same(&Hash::Sha1.digest(key)[..8], check).then(|| Zeroizing::new(key.to_vec()))
}

/// How a shared secret becomes a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Derivation {
    X963(Hash),
    Hkdf(Hash),
}

impl Derivation {
    /// By the identifier of the key agreement. The cofactor of the NIST curves is 1, so that both forms are one.
    pub fn from_oid(oid: &[u8]) -> Option<Derivation> {
        Some(match oid {
            [0x2b, 0x81, 5, 0x10, 0x86, 0x48, 0x3f, 0, 2 | 3] => Derivation::X963(Hash::Sha1),
            [0x2b, 0x81, 4, 1, 11 | 14, 0] => Derivation::X963(Hash::Sha224),
            [0x2b, 0x81, 4, 1, 11 | 14, 1] => Derivation::X963(Hash::Sha256),
            [0x2b, 0x81, 4, 1, 11 | 14, 2] => Derivation::X963(Hash::Sha384),
            [0x2b, 0x81, 4, 1, 11 | 14, 3] => Derivation::X963(Hash::Sha512),
            [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 16, 3, 19] => Derivation::Hkdf(Hash::Sha256),
            [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 16, 3, 20] => Derivation::Hkdf(Hash::Sha384),
            [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 16, 3, 21] => Derivation::Hkdf(Hash::Sha512),
            _ => return None,
        })
    }

    /// The identifier of the key agreement, ephemeral and static (`dhSinglePass-stdDH-…-scheme`).
    pub fn oid(self) -> Vec<u8> {
        let hkdf = |last| vec![0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 16, 3, last];
        match self {
            Derivation::X963(Hash::Sha1 | Hash::Md5) => vec![0x2b, 0x81, 5, 0x10, 0x86, 0x48, 0x3f, 0, 2],
            Derivation::X963(Hash::Sha224) => vec![0x2b, 0x81, 4, 1, 11, 0],
            Derivation::X963(Hash::Sha256) => vec![0x2b, 0x81, 4, 1, 11, 1],
            Derivation::X963(Hash::Sha384) => vec![0x2b, 0x81, 4, 1, 11, 2],
            Derivation::X963(Hash::Sha512) => vec![0x2b, 0x81, 4, 1, 11, 3],
            Derivation::Hkdf(Hash::Sha384) => hkdf(20),
            Derivation::Hkdf(Hash::Sha512) => hkdf(21),
            Derivation::Hkdf(_) => hkdf(19),
        }
    }

    /// The key for `wrap` (given with its AlgorithmIdentifier as it stands in the message).
    pub fn derive(self, secret: &[u8], wrap: Wrap, algorithm: &[u8], material: Option<&[u8]>) -> Option<Key> {
        let info = shared_info(wrap, algorithm, material);
        match self {
            Derivation::X963(hash) => Some(x963(hash, secret, &info, wrap.size())),
            Derivation::Hkdf(hash) => hkdf(hash, secret, &info, wrap.size()),
        }
    }
}

/// ECC-CMS-SharedInfo (RFC 5753 §7.2).
fn shared_info(wrap: Wrap, algorithm: &[u8], material: Option<&[u8]>) -> Vec<u8> {
    let bits = (wrap.size() as u32 * 8).to_be_bytes();
    let party = material.map(|octets| der::wrap(0xa0, &[&der::wrap(OCTET_STRING, &[octets])])).unwrap_or_default();
    der::wrap(SEQUENCE, &[algorithm, &party, &der::wrap(0xa2, &[&der::wrap(OCTET_STRING, &[&bits])])])
}

fn x963(hash: Hash, secret: &[u8], info: &[u8], size: usize) -> Key {
    let mut key = Zeroizing::new(Vec::with_capacity(size + hash.len()));
    let mut counter = 1u32;
    while key.len() < size {
        let input = Zeroizing::new([secret, &counter.to_be_bytes(), info].concat());
        key.extend_from_slice(&Zeroizing::new(hash.digest(&input)));
        counter += 1;
    }
    key.truncate(size);
    key
}

fn hkdf(hash: Hash, secret: &[u8], info: &[u8], size: usize) -> Option<Key> {
    use ring::hkdf::{HKDF_SHA256, HKDF_SHA384, HKDF_SHA512, KeyType, Salt};
    struct Size(usize);
    impl KeyType for Size {
        fn len(&self) -> usize {
            self.0
        }
    }
    let algorithm = match hash {
        Hash::Sha256 => HKDF_SHA256,
        Hash::Sha384 => HKDF_SHA384,
        Hash::Sha512 => HKDF_SHA512,
        _ => return None,
    };
    let mut key = Zeroizing::new(vec![0; size]);
    Salt::new(algorithm, &[]).extract(secret).expand(&[info], Size(size)).ok()?.fill(&mut key).ok()?;
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unhex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
    }

    /// RFC 3394 §4.1, 4.3, 4.6.
    #[test]
    fn aes_key_wrap_agrees_with_its_rfc() {
        let kek: Vec<u8> = (0..32).collect();
        let key = unhex("00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f");
        for (kek, key, wrapped) in [
            (&kek[..16], &key[..16], "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5"),
            (&kek[..], &key[..16], "64e8c3f9ce0f5ba263e9777905818a2a93c8191e7d6e8ae7"),
            (&kek[..], &key[..], "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21"),
        ] {
            let wrap = Wrap::Aes(kek.len());
            assert_eq!(wrap.wrap(kek, key).unwrap(), unhex(wrapped));
            assert_eq!(wrap.unwrap(kek, &unhex(wrapped)).unwrap()[..], *key);
            let mut bad = unhex(wrapped);
            bad[3] ^= 1;
            assert!(wrap.unwrap(kek, &bad).is_none());
        }
    }

    /// RFC 3217 §3.4.
    #[test]
    fn triple_des_key_wrap_agrees_with_its_rfc() {
        let kek = unhex("255e0d1c07b646dfb3134cc843ba8aa71f025b7c0838251f");
        let wrapped = unhex("690107618ef092b3b48ca1796b234ae9fa33ebb4159604037db5d6a84eb3aac2768c632775a467d4");
        let key = unhex("2923bf85e06dd6ae529149f1f1bae9eab3a7da3d860d3e98");
        assert_eq!(Wrap::TripleDes.unwrap(&kek, &wrapped).unwrap()[..], key);
    }

    /// RFC 5869 A.3 has neither salt nor info.
    #[test]
    fn hkdf_agrees_with_its_rfc() {
        let key = hkdf(Hash::Sha256, &[0x0b; 22], &[], 42).unwrap();
        assert_eq!(
            key[..],
            unhex("8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8")
        );
    }

    #[test]
    fn identifiers_stand_for_what_they_are_made_of() {
        for hash in [Hash::Sha1, Hash::Sha224, Hash::Sha256, Hash::Sha384, Hash::Sha512] {
            let derivation = Derivation::X963(hash);
            assert_eq!(Derivation::from_oid(&derivation.oid()), Some(derivation));
        }
        for hash in [Hash::Sha256, Hash::Sha384, Hash::Sha512] {
            let derivation = Derivation::Hkdf(hash);
            assert_eq!(Derivation::from_oid(&derivation.oid()), Some(derivation));
        }
        for wrap in [Wrap::Aes(16), Wrap::Aes(24), Wrap::Aes(32), Wrap::TripleDes] {
            let algorithm = wrap.algorithm();
            let mut reader = der::only_sequence(&algorithm).unwrap();
            assert_eq!(Wrap::from_oid(reader.oid().unwrap()), Some(wrap));
        }
    }
}
