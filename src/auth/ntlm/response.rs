//! The responses of MS-NLMP section 3.3, and the keys that they are made with. The LM hash is not: its response is the
//! NT one's copy (NoLMResponseNTLMv1), since a password is read out of an LM response within minutes.

use crate::auth::{SecretBytes, crypto};
use des::Des;
use des::cipher::{BlockEncrypt, KeyInit};
use md4::{Digest, Md4};
use zeroize::Zeroizing;

/// NTOWFv1, the hash of the password.
pub struct Keys {
    nt: Zeroizing<[u8; 16]>,
}

/// A version 2 response.
pub struct V2 {
    pub lm: [u8; 24],
    pub nt: SecretBytes,
    /// SessionBaseKey, which without a key exchange signs the messages.
    pub session_key: SecretBytes,
}

impl Keys {
    pub fn new(password: &str) -> Keys {
        let password = Zeroizing::new(utf16(password));
        Keys { nt: Zeroizing::new(Md4::digest(&password[..]).into()) }
    }

    /// LM and NT response of version 1; with a client's challenge those of extended session security.
    pub fn v1(&self, server: [u8; 8], client: Option<[u8; 8]>) -> ([u8; 24], [u8; 24]) {
        let Some(client) = client else {
            let nt = self.desl(&server);
            return (nt, nt);
        };
        let mut lm = [0; 24];
        lm[..8].copy_from_slice(&client);
        let hash = crypto::md5(&[&server, &client]);
        let (first, _) = hash.split_first_chunk::<8>().expect("MD5 has 16 bytes");
        (lm, self.desl(first))
    }

    /// DESL: the hash as three keys of 7 bytes, the last one filled with zeros.
    fn desl(&self, text: &[u8; 8]) -> [u8; 24] {
        let mut key = Zeroizing::new([0; 21]);
        key[..16].copy_from_slice(&self.nt[..]);
        let mut all = [0; 24];
        for (part, key) in all.chunks_exact_mut(8).zip(key.chunks_exact(7)) {
            part.copy_from_slice(text);
            Des::new(&(*spread(key)).into()).encrypt_block(part.into());
        }
        all
    }

    /// NTOWFv2: for a user and a domain. The user's case does not matter, the domain's does.
    fn v2_key(&self, user: &str, domain: &str) -> Zeroizing<[u8; 16]> {
        Zeroizing::new(crypto::hmac_md5(&self.nt[..], &[&utf16(&upper(user)), &utf16(domain)]))
    }

    /// Both responses of version 2 and their session key.
    pub fn v2(&self, user: &str, domain: &str, server: [u8; 8], client: [u8; 8], time: u64, info: &[u8]) -> V2 {
        let key = self.v2_key(user, domain);
        let temp = [&[1, 1, 0, 0, 0, 0, 0, 0][..], &time.to_le_bytes(), &client, &[0; 4], info, &[0; 4]].concat();
        let proof = crypto::hmac_md5(&key[..], &[&server, &temp]);
        let mut lm = [0; 24];
        lm[..16].copy_from_slice(&crypto::hmac_md5(&key[..], &[&server, &client]));
        lm[16..].copy_from_slice(&client);
        V2 {
            lm,
            nt: SecretBytes::concat(&[&proof, &temp]),
            session_key: SecretBytes::concat(&[&crypto::hmac_md5(&key[..], &[&proof])]),
        }
    }
}

/// MsvAvChannelBindings: MD5 of a gss_channel_bindings_struct (RFC 2744) that has application data alone.
pub fn channel_binding(certificate_hash: &[u8]) -> [u8; 16] {
    const KIND: &[u8] = b"tls-server-end-point:";
    let length = u32::try_from(KIND.len() + certificate_hash.len()).unwrap_or(u32::MAX).to_le_bytes();
    crypto::md5(&[&[0; 16], &length, KIND, certificate_hash])
}

/// 56 bits of a key on 8 bytes, the lowest bit of each unused.
fn spread(key: &[u8]) -> Zeroizing<[u8; 8]> {
    let bits = key.iter().fold(0u64, |all, &byte| all << 8 | u64::from(byte));
    let mut spread = Zeroizing::new([0; 8]);
    for (i, byte) in spread.iter_mut().enumerate() {
        *byte = ((bits >> (49 - 7 * i)) as u8 & 0x7f) << 1;
    }
    spread
}

/// Upper case as Windows has it: a character stays one character.
fn upper(text: &str) -> String {
    text.chars()
        .map(|c| {
            let mut upper = c.to_uppercase();
            match (upper.next(), upper.next()) {
                (Some(one), None) => one,
                _ => c,
            }
        })
        .collect()
}

pub fn utf16(text: &str) -> Vec<u8> {
    // One piece of memory: the text may be a password.
    let mut bytes = Vec::with_capacity(text.len() * 2);
    for unit in text.encode_utf16() {
        bytes.extend_from_slice(&unit.to_le_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::crypto::hex;
    use crate::auth::tests::unhex;

    const SERVER: [u8; 8] = [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef];
    const CLIENT: [u8; 8] = [0xaa; 8];

    #[test]
    fn version_1_is_that_of_ms_nlmp_4_2_2() {
        let keys = Keys::new("Password");
        assert_eq!(hex(&keys.nt[..]), "a4f49c406510bdcab6824ee7c30fd852");
        let (lm, nt) = keys.v1(SERVER, None);
        assert_eq!(hex(&nt), "67c43011f30298a2ad35ece64f16331c44bdbed927841f94");
        assert_eq!(lm, nt, "no LM hash is ever used");
        // SessionBaseKey, section 4.2.2.1.3.
        assert_eq!(hex(&Md4::digest(&keys.nt[..])), "d87262b0cde4b1cb7499becccdf10784");
    }

    #[test]
    fn version_1_with_extended_session_security_is_that_of_ms_nlmp_4_2_3() {
        let (lm, nt) = Keys::new("Password").v1(SERVER, Some(CLIENT));
        assert_eq!(hex(&nt), "7537f803ae367128ca458204bde7caf81e97ed2683267232");
        assert_eq!(hex(&lm), "aaaaaaaaaaaaaaaa00000000000000000000000000000000");
    }

    #[test]
    fn version_2_is_that_of_ms_nlmp_4_2_4() {
        let keys = Keys::new("Password");
        assert_eq!(hex(&keys.v2_key("User", "Domain")[..]), "0c868a403bfd7a93a3001ef22ef02e3f");
        assert_eq!(keys.v2_key("uSER", "Domain"), keys.v2_key("User", "Domain"));
        assert_ne!(keys.v2_key("User", "domain"), keys.v2_key("User", "Domain"));
        let info = [&[2, 0, 12, 0][..], &utf16("Domain"), &[1, 0, 12, 0], &utf16("Server"), &[0; 4]].concat();
        let v2 = keys.v2("User", "Domain", SERVER, CLIENT, 0, &info);
        assert_eq!(hex(&v2.lm), "86c35097ac9cec102554764a57cccc19aaaaaaaaaaaaaaaa");
        assert_eq!(
            hex(v2.nt.expose()),
            "68cd0ab851e51c96aabc927bebef6a1c\
             01010000000000000000000000000000aaaaaaaaaaaaaaaa00000000\
             02000c0044006f006d00610069006e0001000c005300650072007600650072000000000000000000"
        );
        assert_eq!(hex(v2.session_key.expose()), "8de40ccadbc14a82f15cb0ad0de95ca3");
    }

    #[test]
    fn case_is_raised_character_by_character() {
        assert_eq!(upper("straße-äöé"), "STRAßE-ÄÖÉ");
    }

    #[test]
    fn a_channel_binding_is_the_hash_of_the_gss_structure() {
        // The published example of Microsoft's article on NTLM and channel binding hashes.
        let hash = unhex("ea05fefecc6b0bd571dbbc5baa3ed45386d0446835f7b74c85621b9983475f95");
        assert_eq!(hex(&channel_binding(&hash)), "6586e99d81c2fc984e47172fd4dd0310");
    }
}
