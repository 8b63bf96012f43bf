//! The block ciphers of stores, in CBC, and RC4. All of them read only: nothing is ever written with the old ones.

use cbc::cipher::inout::InOutBuf;
use cbc::cipher::{BlockCipher, BlockDecryptMut, InnerIvInit, KeyInit};
use zeroize::Zeroizing;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cipher {
    /// 128, 192 or 256 bits, by the key.
    Aes,
    Des,
    /// Two or three keys, by the key.
    TripleDes,
    /// With its effective bits.
    Rc2(usize),
    Rc4,
}

/// Whether the padding of RFC 5652 §6.3 is checked and taken off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Padding {
    Pkcs7,
    None,
}

/// The plain octets; `None` when key, vector, length or padding are wrong, which is what a wrong password looks like.
pub fn decrypt(cipher: Cipher, key: &[u8], iv: &[u8], data: &[u8], padding: Padding) -> Option<Zeroizing<Vec<u8>>> {
    match (cipher, key.len()) {
        (Cipher::Aes, 16) => cbc::<aes::Aes128>(KeyInit::new_from_slice(key).ok()?, iv, data, padding),
        (Cipher::Aes, 24) => cbc::<aes::Aes192>(KeyInit::new_from_slice(key).ok()?, iv, data, padding),
        (Cipher::Aes, 32) => cbc::<aes::Aes256>(KeyInit::new_from_slice(key).ok()?, iv, data, padding),
        (Cipher::Des, 8) => cbc::<des::Des>(KeyInit::new_from_slice(key).ok()?, iv, data, padding),
        // Two keys: the first is the third, too.
        (Cipher::TripleDes, 16) => decrypt(cipher, &Zeroizing::new([key, &key[..8]].concat()), iv, data, padding),
        (Cipher::TripleDes, 24) => cbc::<des::TdesEde3>(KeyInit::new_from_slice(key).ok()?, iv, data, padding),
        (Cipher::Rc2(bits), 1..=128) if (1..=1024).contains(&bits) => {
            cbc(rc2::Rc2::new_with_eff_key_len(key, bits), iv, data, padding)
        }
        (Cipher::Rc4, 1..=256) => Some(rc4(key, data)),
        _ => None,
    }
}

fn cbc<C: BlockCipher + BlockDecryptMut>(
    cipher: C,
    iv: &[u8],
    data: &[u8],
    padding: Padding,
) -> Option<Zeroizing<Vec<u8>>> {
    let mut decryptor = cbc::Decryptor::<C>::inner_iv_slice_init(cipher, iv).ok()?;
    let mut buffer = Zeroizing::new(data.to_vec());
    let (blocks, rest) = InOutBuf::from(&mut buffer[..]).into_chunks();
    if !rest.is_empty() {
        return None;
    }
    decryptor.decrypt_blocks_inout_mut(blocks);
    match padding {
        Padding::Pkcs7 => unpadded(buffer, C::block_size()),
        Padding::None => Some(buffer),
    }
}

fn unpadded(mut buffer: Zeroizing<Vec<u8>>, block: usize) -> Option<Zeroizing<Vec<u8>>> {
    let last = *buffer.last()?;
    let plain = buffer.len().checked_sub(usize::from(last)).filter(|_| (1..=block).contains(&usize::from(last)))?;
    if buffer[plain..].iter().any(|octet| *octet != last) {
        return None;
    }
    buffer.truncate(plain);
    Some(buffer)
}

fn rc4(key: &[u8], data: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut state: Zeroizing<Vec<u8>> = Zeroizing::new((0..=255).collect());
    let mut j = 0u8;
    for i in 0..256 {
        j = j.wrapping_add(state[i]).wrapping_add(key[i % key.len()]);
        state.swap(i, usize::from(j));
    }
    let (mut i, mut j) = (0u8, 0u8);
    let mut out = Zeroizing::new(data.to_vec());
    for octet in out.iter_mut() {
        i = i.wrapping_add(1);
        j = j.wrapping_add(state[usize::from(i)]);
        state.swap(usize::from(i), usize::from(j));
        *octet ^= state[usize::from(state[usize::from(i)].wrapping_add(state[usize::from(j)]))];
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rc4_agrees_with_rfc_6229() {
        // 40-bit key, offset 0.
        let out = decrypt(Cipher::Rc4, &[1, 2, 3, 4, 5], &[], &[0; 8], Padding::None).unwrap();
        assert_eq!(out[..], [0xb2, 0x39, 0x63, 0x05, 0xf0, 0x3d, 0xc0, 0x27]);
    }

    #[test]
    fn padding_is_whole_or_wrong() {
        let stripped = |octets: &[u8]| unpadded(Zeroizing::new(octets.to_vec()), 8).map(|plain| plain.to_vec());
        assert_eq!(stripped(&[9, 9, 9, 9, 9, 3, 3, 3]), Some(vec![9; 5]));
        assert_eq!(stripped(&[8; 16]), Some(vec![8; 8]));
        assert_eq!(stripped(&[1; 8]), Some(vec![1; 7]));
        for wrong in [&[][..], &[0; 8], &[9; 16], &[9, 9, 9, 9, 9, 3, 2, 3]] {
            assert_eq!(stripped(wrong), None);
        }
    }

    #[test]
    fn a_key_vector_or_length_that_does_not_fit_is_refused() {
        assert!(decrypt(Cipher::Aes, &[0; 15], &[0; 16], &[0; 16], Padding::None).is_none());
        assert!(decrypt(Cipher::Aes, &[0; 16], &[0; 15], &[0; 16], Padding::None).is_none());
        assert!(decrypt(Cipher::Aes, &[0; 16], &[0; 16], &[0; 15], Padding::None).is_none());
        assert!(decrypt(Cipher::Rc2(2048), &[0; 16], &[0; 8], &[0; 8], Padding::None).is_none());
    }
}
