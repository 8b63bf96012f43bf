//! AES-GCM (NIST SP 800-38D) over content of any length, in place.

use crate::ghash::Lanes;
use cbc::cipher::consts::U16;
use cbc::cipher::{Block, BlockEncrypt, BlockSizeUser, KeyInit};
use zeroize::Zeroizing;

/// Octets of a GCM nonce and of its tag.
pub const NONCE: usize = 12;
pub const TAG: usize = 16;

/// Blocks whose pad is made at a time.
const PORTION: usize = 32;

trait Pad: Send {
    /// Only the last call may be given a part of a block.
    fn apply(&mut self, data: &mut [u8]);
}

/// A cipher in counter mode, the pad put on in whole words.
struct Counter<C> {
    cipher: C,
    /// The nonce, and the number of the next block in the last four octets.
    next: [u8; 16],
}

impl<C: BlockEncrypt<BlockSize = U16> + Send> Pad for Counter<C> {
    fn apply(&mut self, data: &mut [u8]) {
        for portion in data.chunks_mut(16 * PORTION) {
            let mut pad = [Block::<C>::default(); PORTION];
            let pad = &mut pad[..portion.len().div_ceil(16)];
            let (nonce, mut number) =
                (u128::from_be_bytes(self.next) >> 32 << 32, u128::from_be_bytes(self.next) as u32);
            for block in pad.iter_mut() {
                *block = (nonce | u128::from(number)).to_be_bytes().into();
                number = number.wrapping_add(1);
            }
            self.next = (nonce | u128::from(number)).to_be_bytes();
            self.cipher.encrypt_blocks(pad);
            let (blocks, rest) = portion.as_chunks_mut::<16>();
            for (block, pad) in blocks.iter_mut().zip(pad.iter()) {
                *block = (u128::from_ne_bytes(*block) ^ u128::from_ne_bytes((*pad).into())).to_ne_bytes();
            }
            if let Some(pad) = pad.last().filter(|_| !rest.is_empty()) {
                rest.iter_mut().zip(pad).for_each(|(octet, pad)| *octet ^= pad);
            }
        }
    }
}

/// AES in counter mode with GHASH over what it makes.
pub struct Gcm {
    stream: Box<dyn Pad>,
    hash: Lanes,
    mask: [u8; TAG],
    length: u64,
}

impl Gcm {
    /// None when key or nonce have not the length that they take.
    pub fn new(key: &[u8], nonce: &[u8]) -> Option<Gcm> {
        match key.len() {
            16 => Gcm::with::<aes::Aes128>(key, nonce),
            24 => Gcm::with::<aes::Aes192>(key, nonce),
            32 => Gcm::with::<aes::Aes256>(key, nonce),
            _ => None,
        }
    }

    fn with<C>(key: &[u8], nonce: &[u8]) -> Option<Gcm>
    where
        C: KeyInit + BlockEncrypt + BlockSizeUser<BlockSize = U16> + Send + 'static,
    {
        let mut start = [0u8; 16];
        start[..NONCE].copy_from_slice(nonce.get(..NONCE)?);
        start[15] = 1;
        let mut subkey = Zeroizing::new([0u8; 16]);
        let cipher = C::new_from_slice(key).ok()?;
        cipher.encrypt_block((&mut *subkey).into());
        let hash = Lanes::new(&subkey);
        let mut stream = Counter { cipher, next: start };
        let mut mask = [0u8; TAG];
        stream.apply(&mut mask);
        Some(Gcm { stream: Box::new(stream), hash, mask, length: 0 })
    }

    /// Only the last call may be given a part of a block.
    pub fn encrypt(&mut self, data: &mut [u8]) {
        self.stream.apply(data);
        self.hash.update(data);
        self.length += data.len() as u64;
    }

    pub fn decrypt(&mut self, data: &mut [u8]) {
        self.hash.update(data);
        self.stream.apply(data);
        self.length += data.len() as u64;
    }

    pub fn tag(self) -> [u8; TAG] {
        let mut lengths = [0u8; 16];
        lengths[8..].copy_from_slice(&(self.length * 8).to_be_bytes());
        let mut tag = self.mask;
        tag.iter_mut().zip(self.hash.finish(&lengths)).for_each(|(mine, hashed)| *mine ^= hashed);
        tag
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Past a portion, past the last number, and with a part of a block at the end.
    #[test]
    fn the_pad_is_the_cipher_of_each_number() {
        let cipher = aes::Aes256::new(&[7; 32].into());
        for length in [0, 1, 15, 16, 17, 16 * PORTION - 1, 16 * PORTION, 16 * PORTION + 1, 16 * 3 * PORTION + 5] {
            let mut counter = Counter { cipher: cipher.clone(), next: [0xff; 16] };
            counter.next[15] = 0xfd;
            let mut data = vec![0; length];
            let (first, rest) = data.split_at_mut(length / 32 * 16);
            counter.apply(first);
            counter.apply(rest);
            for (n, pad) in data.chunks(16).enumerate() {
                let mut block = [0xff; 16];
                block[12..].copy_from_slice(&0xffff_fffdu32.wrapping_add(n as u32).to_be_bytes());
                let mut block = block.into();
                cipher.encrypt_block(&mut block);
                assert_eq!(*pad, block[..pad.len()], "block {n} of {length} octets");
            }
        }
    }
}
