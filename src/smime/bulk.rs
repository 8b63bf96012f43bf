//! Content encryption: CBC with the padding of RFC 5652 §6.3, and GCM (RFC 5084) over content of any length. It works in place, in
//! the output, on as many blocks as there are.

use super::algorithm::Cipher;
use ring::aead;
use ssmtp_octets::chain::{self, Blocks};
use ssmtp_octets::cipher::{self as whole, Padding};
use ssmtp_octets::gcm::Gcm;
pub use ssmtp_octets::gcm::{NONCE, TAG};
use zeroize::Zeroizing;

/// Most octets GCM encrypts with one nonce (NIST SP 800-38D §5.2.1.1).
pub const GCM_LIMIT: u64 = (1 << 36) - 32;

enum Mode {
    Cbc(Box<dyn Blocks>),
    Gcm(Box<Gcm>),
}

/// Encrypts content that comes in pieces.
pub struct Encryptor {
    mode: Option<Mode>,
    block: usize,
    /// The beginning of a block whose rest has not come yet.
    held: Zeroizing<Vec<u8>>,
    at_once: Option<(aead::LessSafeKey, aead::Nonce)>,
}

/// The cipher that is chained; GCM chains none.
fn kind(cipher: Cipher) -> Option<whole::Cipher> {
    match cipher {
        Cipher::AesCbc128 | Cipher::AesCbc192 | Cipher::AesCbc256 => Some(whole::Cipher::Aes),
        Cipher::TripleDes => Some(whole::Cipher::TripleDes),
        Cipher::Des => Some(whole::Cipher::Des),
        Cipher::Rc2Cbc40 | Cipher::Rc2Cbc64 | Cipher::Rc2Cbc128 => Some(whole::Cipher::Rc2(cipher.rc2()?.0)),
        Cipher::AesGcm128 | Cipher::AesGcm192 | Cipher::AesGcm256 => None,
    }
}

/// Key and nonce for ring, which does GCM in one go, and with 128 and 256 bits.
fn ring_key(key: &[u8], nonce: &[u8]) -> Option<(aead::LessSafeKey, aead::Nonce)> {
    let algorithm = match key.len() {
        16 => &aead::AES_128_GCM,
        32 => &aead::AES_256_GCM,
        _ => return None,
    };
    let key = aead::UnboundKey::new(algorithm, key).ok()?;
    Some((aead::LessSafeKey::new(key), aead::Nonce::try_assume_unique_for_key(nonce).ok()?))
}

impl Encryptor {
    /// None when key or vector have not the length that the cipher takes.
    pub fn new(cipher: Cipher, key: &[u8], iv: &[u8]) -> Option<Encryptor> {
        if key.len() != cipher.row().key {
            return None;
        }
        let mode = match kind(cipher) {
            Some(kind) => Mode::Cbc(chain::encryptor(kind, key, iv)?),
            None => Mode::Gcm(Box::new(Gcm::new(key, iv)?)),
        };
        let block = cipher.row().block;
        let at_once = if cipher.is_aead() { ring_key(key, iv) } else { None };
        Some(Encryptor { mode: Some(mode), block, held: Zeroizing::new(Vec::with_capacity(2 * block)), at_once })
    }

    /// The ciphertext of all whole blocks so far is appended to `out`.
    pub fn update(&mut self, input: &[u8], out: &mut Vec<u8>) {
        let start = out.len();
        let whole = (self.held.len() + input.len()) / self.block * self.block;
        if whole == 0 {
            self.held.extend_from_slice(input);
            return;
        }
        let (now, later) = input.split_at(whole - self.held.len());
        out.reserve(whole + 2 * self.block);
        out.extend_from_slice(&self.held);
        out.extend_from_slice(now);
        // Never longer than a block, so that what it allocated at first is enough.
        self.held.clear();
        self.held.extend_from_slice(later);
        self.work(&mut out[start..]);
    }

    fn work(&mut self, data: &mut [u8]) {
        match &mut self.mode {
            Some(Mode::Cbc(mode)) => mode.encrypt(data),
            Some(Mode::Gcm(mode)) => mode.encrypt(data),
            None => {}
        }
    }

    /// All the content there is. The tag, where ring has done it: faster, but only for this case.
    pub fn whole(&mut self, pieces: &[&[u8]], out: &mut Vec<u8>) -> Option<[u8; TAG]> {
        let Some(Mode::Gcm(_)) = self.mode else { return None };
        let (key, nonce) = self.at_once.take()?;
        let start = out.len();
        out.reserve(pieces.iter().map(|piece| piece.len()).sum::<usize>() + 2 * TAG);
        pieces.iter().for_each(|piece| out.extend_from_slice(piece));
        let sealed = key.seal_in_place_separate_tag(nonce, aead::Aad::empty(), &mut out[start..]);
        match sealed {
            Ok(tag) => {
                self.mode = None;
                tag.as_ref().try_into().ok()
            }
            Err(_) => {
                out.truncate(start);
                None
            }
        }
    }

    /// The last block, and the tag where there is one.
    pub fn finish(&mut self, out: &mut Vec<u8>) -> Option<[u8; TAG]> {
        let start = out.len();
        out.extend_from_slice(&self.held);
        self.held.clear();
        if let Some(Mode::Cbc(_)) = self.mode {
            let padding = self.block - (out.len() - start);
            out.resize(start + self.block, padding as u8);
        }
        self.work(&mut out[start..]);
        match self.mode.take() {
            Some(Mode::Gcm(mode)) => Some(mode.tag()),
            _ => None,
        }
    }
}

/// Octets of the ciphertext of so much content.
pub fn length(cipher: Cipher, content: u64) -> u64 {
    let block = cipher.row().block as u64;
    if cipher.is_aead() { content } else { (content / block + 1) * block }
}

/// The plain octets. None when anything is wrong, without a word about what; of GCM nothing comes out before the tag is right.
pub fn decrypt(cipher: Cipher, key: &[u8], iv: &[u8], data: &[u8], tag: Option<&[u8]>) -> Option<Zeroizing<Vec<u8>>> {
    if let Some(kind) = kind(cipher) {
        return whole::decrypt(kind, key, iv, data, Padding::Pkcs7);
    }
    // Shorter ones than RFC 5084 allows would be guessed.
    let tag = tag.filter(|tag| (12..=TAG).contains(&tag.len()))?;
    let mut plain = Zeroizing::new(data.to_vec());
    if let (Ok(tag), Some((key, nonce))) = (aead::Tag::try_from(tag), ring_key(key, iv)) {
        let opened = key.open_in_place_separate_tag(nonce, aead::Aad::empty(), tag, &mut plain, 0..).is_ok();
        return opened.then_some(plain);
    }
    let mut mode = Gcm::new(key, iv)?;
    mode.decrypt(&mut plain);
    same(&mode.tag()[..tag.len()], tag).then_some(plain)
}

/// Whether octets are the same, in a time that does not tell where they differ.
pub fn same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).fold(0, |found, (a, b)| found | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::super::algorithm::CIPHERS;
    use super::*;
    use proptest::prelude::*;

    fn unhex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
    }

    /// Test case 3 of the GCM submission, and the one of an empty content (1).
    #[test]
    fn gcm_agrees_with_its_authors() {
        let mut out = Vec::new();
        let plain = unhex(
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255",
        );
        let key = unhex("feffe9928665731c6d6a8f9467308308");
        let mut made = Encryptor::new(Cipher::AesGcm128, &key, &unhex("cafebabefacedbaddecaf888")).unwrap();
        made.update(&plain[..5], &mut out);
        made.update(&plain[5..], &mut out);
        assert_eq!(made.finish(&mut out).unwrap()[..], unhex("4d5c2af327cd64a62cf35abd2ba6fab4"));
        assert_eq!(out[..16], unhex("42831ec2217774244b7221b784d0d49c"));
        let mut none = Encryptor::new(Cipher::AesGcm128, &[0; 16], &[0; 12]).unwrap();
        assert_eq!(none.finish(&mut Vec::new()).unwrap()[..], unhex("58e2fccefa7e3061367f1d57a4e7455a"));
    }

    /// SP 800-38A, F.2.5.
    #[test]
    fn cbc_agrees_with_nist() {
        let key = unhex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4");
        let mut made = Encryptor::new(Cipher::AesCbc256, &key, &(0..16).collect::<Vec<u8>>()).unwrap();
        let mut out = Vec::new();
        made.update(&unhex("6bc1bee22e409f96e93d7e117393172a"), &mut out);
        assert_eq!(out, unhex("f58c4c04d6e5f1ba779eabfb5f7bfbd6"));
    }

    #[test]
    fn a_key_of_another_length_is_no_key() {
        for row in CIPHERS {
            assert!(Encryptor::new(row.cipher, &vec![0; row.key + 1], &[0; 16][..row.block]).is_none());
        }
    }

    proptest! {
        #[test]
        fn what_is_encrypted_in_pieces_is_decrypted(
            at in 0..CIPHERS.len(), content in prop::collection::vec(any::<u8>(), 0..200), cut in 0usize..200, flip in any::<u16>(),
        ) {
            let row = &CIPHERS[at];
            let (key, iv) = (vec![0x5a; row.key], vec![3; if row.cipher.is_aead() { NONCE } else { row.block }]);
            let mut made = Encryptor::new(row.cipher, &key, &iv).unwrap();
            let mut out = Vec::new();
            let cut = cut.min(content.len());
            made.update(&content[..cut], &mut out);
            made.update(&content[cut..], &mut out);
            let tag = made.finish(&mut out);
            prop_assert_eq!(out.len() as u64, length(row.cipher, content.len() as u64));
            let plain = decrypt(row.cipher, &key, &iv, &out, tag.as_ref().map(|t| &t[..]));
            prop_assert_eq!(&plain.unwrap()[..], &content[..]);
            if row.cipher.is_aead() && !out.is_empty() {
                let at = usize::from(flip) % out.len();
                out[at] ^= 1;
                prop_assert!(decrypt(row.cipher, &key, &iv, &out, tag.as_ref().map(|t| &t[..])).is_none());
            }
        }
    }
}
