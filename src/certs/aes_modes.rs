//! AES in two modes that only files of keys have here: counter mode (NIST SP 800-38A §6.5) and CCM (RFC 3610), both for opening.

use aes::cipher::generic_array::GenericArray;
use aes::cipher::{KeyInit, KeyIvInit, StreamCipher};
use ccm::aead::AeadInPlace;
use ccm::consts::{U7, U8, U12, U13, U16};
use zeroize::Zeroizing;

fn stream<C: KeyIvInit + StreamCipher>(key: &[u8], counter: &[u8], data: &mut [u8]) -> Option<()> {
    C::new_from_slices(key, counter).ok().map(|mut cipher| cipher.apply_keystream(data))
}

/// Counter mode over these octets; `None` when key or first counter are of another length than AES has.
pub fn ctr(key: &[u8], counter: &[u8], data: &mut [u8]) -> Option<()> {
    match key.len() {
        16 => stream::<ctr::Ctr128BE<aes::Aes128>>(key, counter, data),
        24 => stream::<ctr::Ctr128BE<aes::Aes192>>(key, counter, data),
        32 => stream::<ctr::Ctr128BE<aes::Aes256>>(key, counter, data),
        _ => None,
    }
}

fn open<C: KeyInit + AeadInPlace>(key: &[u8], nonce: &[u8], data: &[u8], tag: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut plain = Zeroizing::new(data.to_vec());
    let (nonce, tag) = (GenericArray::from_slice(nonce), GenericArray::from_slice(tag));
    C::new_from_slice(key).ok()?.decrypt_in_place_detached(nonce, &[], &mut plain, tag).ok()?;
    Some(plain)
}

/// What AES-256-CCM sealed without further data; `None` when something else was sealed, or the lengths are none that key stores have.
pub fn ccm_open(key: &[u8], nonce: &[u8], data: &[u8], tag: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    type Ccm<Tag, Nonce> = ccm::Ccm<aes::Aes256, Tag, Nonce>;
    match (nonce.len(), tag.len()) {
        (12, 8) => open::<Ccm<U8, U12>>(key, nonce, data, tag),
        (12, 12) => open::<Ccm<U12, U12>>(key, nonce, data, tag),
        (12, 16) => open::<Ccm<U16, U12>>(key, nonce, data, tag),
        (13, 8) => open::<Ccm<U8, U13>>(key, nonce, data, tag),
        (13, 16) => open::<Ccm<U16, U13>>(key, nonce, data, tag),
        (7, 8) => open::<Ccm<U8, U7>>(key, nonce, data, tag),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn octets(hex: &str) -> Vec<u8> {
        (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap()).collect()
    }

    /// By OpenSSL; the counter runs over.
    #[test]
    fn counter_mode_takes_every_length_of_key() {
        for (size, sealed) in [
            (16, "f8d70cf40c22fde4b42aa5a968fab45b0e9b540c365c14fdbb886999fc4ca45f58d81409d9"),
            (24, "4de1660df260b6d368ab5550649a7af04bbce3794ec3768f7cd74a966a230abd634810a348"),
            (32, "6dbdc663a07d7a6f62dea1a777eb155e0861775d808b0a14e4bc3131621fd2a226a591c1a4"),
        ] {
            let key: Vec<u8> = (0x40..0x40 + size).collect();
            let mut counter = [0xff; 16];
            counter[15] = 0xfe;
            let mut data = octets(sealed);
            ctr(&key, &counter, &mut data).unwrap();
            assert_eq!(data, (0x20..0x20 + 37).collect::<Vec<u8>>());
            assert!(ctr(&key[1..], &counter, &mut data).is_none());
            assert!(ctr(&key, &counter[1..], &mut data).is_none());
        }
    }

    /// By OpenSSL.
    #[test]
    fn ccm_opens_what_was_sealed_and_nothing_else() {
        let key: Vec<u8> = (0x40..0x60).collect();
        for (size, length, sealed) in [
            (12, 8, "04f883aeb3bd0730eaf50bb6de4fa2212034e4e41b0e75e577f6bf2422c0f6d266a55d0cddd1dc69fdd16de20f"),
            (
                12,
                12,
                "04f883aeb3bd0730eaf50bb6de4fa2212034e4e41b0e75e577f6bf2422c0f6d266a55d0cdd2562a53c8935e2d39a6e0cf6",
            ),
            (
                12,
                16,
                "04f883aeb3bd0730eaf50bb6de4fa2212034e4e41b0e75e577f6bf2422c0f6d266a55d0cdd18edf9113972db94f865d613c969c689",
            ),
            (13, 8, "40527dbf457197dcf6b47b20e974d1741c6ad6948f9f0e50e55923a959acf67c1c945d6d4a9f55770c38203c62"),
            (
                13,
                16,
                "40527dbf457197dcf6b47b20e974d1741c6ad6948f9f0e50e55923a959acf67c1c945d6d4ab859924b78719802525a56077efdaeaf",
            ),
            (7, 8, "8ab1a874f6853f2443a59500f78d17272d6d39dfa6d0e65107b10700c2ce9ee8663d3e2a015b4f9de8685fa83a"),
        ] {
            let nonce: Vec<u8> = (0x10..0x10 + size).collect();
            let whole = octets(sealed);
            let (data, tag) = whole.split_at(37);
            assert_eq!(tag.len(), length);
            assert_eq!(ccm_open(&key, &nonce, data, tag).unwrap()[..], (0x20..0x20 + 37).collect::<Vec<u8>>());
            for at in 0..whole.len() {
                let mut other = whole.clone();
                other[at] ^= 0x10;
                let (data, tag) = other.split_at(37);
                assert!(ccm_open(&key, &nonce, data, tag).is_none(), "{at}");
            }
            assert!(ccm_open(&key, &nonce, &data[..36], tag).is_none());
            assert!(ccm_open(&key, &nonce[..6], data, tag).is_none());
            assert!(ccm_open(&key, &nonce, data, &tag[1..]).is_none());
        }
        assert!(ccm_open(&key, &[0; 13], &vec![0; 0x1_0000], &[0; 8]).is_none(), "longer than two octets count");
    }
}
