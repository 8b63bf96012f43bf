//! The algorithms of S/MIME by name and object identifier: content encryption (RFC 3370, 3565, 5084, 8551) and the digests' names in
//! `micalg` (RFC 8551 §3.5.3.2). One table; the names of the specification and the documentation come from it.

use crate::certs::der;
use crate::error::{Code, Error, Result};

pub use crate::certs::signing::Hash;

/// A content-encryption algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cipher {
    TripleDes,
    Des,
    Rc2Cbc40,
    Rc2Cbc64,
    Rc2Cbc128,
    AesCbc128,
    AesCbc192,
    AesCbc256,
    AesGcm128,
    AesGcm192,
    AesGcm256,
}

/// What there is to know about a cipher.
#[derive(Debug)]
pub struct Row {
    pub cipher: Cipher,
    /// The specification's names, the one it reads as first.
    pub names: &'static [&'static str],
    /// The content of its object identifier.
    pub oid: &'static [u8],
    /// Octets of its key.
    pub key: usize,
    /// Octets of its block.
    pub block: usize,
    /// Higher is better: what "Auto" prefers. Below 10 it is broken, and only chosen by name.
    pub strength: u8,
}

const RC2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 3, 2];

macro_rules! aes {
    ($last:literal) => {
        &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, $last]
    };
}

/// Every cipher. An object identifier that several share stands for the last of them.
pub const CIPHERS: &[Row] = &[
    Row {
        cipher: Cipher::TripleDes,
        names: &["3DES"],
        oid: &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 3, 7],
        key: 24,
        block: 8,
        strength: 10,
    },
    Row { cipher: Cipher::Des, names: &["DES"], oid: &[0x2b, 0x0e, 3, 2, 7], key: 8, block: 8, strength: 2 },
    Row { cipher: Cipher::Rc2Cbc40, names: &["RC2CBC40"], oid: RC2, key: 5, block: 8, strength: 1 },
    Row { cipher: Cipher::Rc2Cbc64, names: &["RC2CBC64"], oid: RC2, key: 8, block: 8, strength: 3 },
    Row { cipher: Cipher::Rc2Cbc128, names: &["RC2CBC128", "RC2"], oid: RC2, key: 16, block: 8, strength: 4 },
    Row { cipher: Cipher::AesCbc128, names: &["AESCBC128", "AES"], oid: aes!(2), key: 16, block: 16, strength: 20 },
    Row { cipher: Cipher::AesCbc192, names: &["AESCBC192"], oid: aes!(22), key: 24, block: 16, strength: 21 },
    Row { cipher: Cipher::AesCbc256, names: &["AESCBC256"], oid: aes!(42), key: 32, block: 16, strength: 22 },
    Row { cipher: Cipher::AesGcm128, names: &["AESGCM128", "AESGCM"], oid: aes!(6), key: 16, block: 16, strength: 30 },
    Row { cipher: Cipher::AesGcm192, names: &["AESGCM192"], oid: aes!(26), key: 24, block: 16, strength: 31 },
    Row { cipher: Cipher::AesGcm256, names: &["AESGCM256"], oid: aes!(46), key: 32, block: 16, strength: 32 },
];

/// Names without regard to case, hyphens and the like.
fn plain(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '-' | '_' | ' ')).map(|c| c.to_ascii_uppercase()).collect()
}

impl Cipher {
    /// By a name of the specification or an object identifier with dots; anything else is refused (603).
    pub fn from_name(name: &str) -> Result<Cipher> {
        let wanted = plain(name.trim());
        let by_name = CIPHERS.iter().find(|row| row.names.contains(&wanted.as_str()));
        // RC2 by its number alone is RC2 with 128 bits.
        let found = by_name.or_else(|| CIPHERS.iter().rev().find(|row| der::dotted(row.oid) == name.trim()));
        found.map(|row| row.cipher).ok_or_else(|| {
            let names: Vec<&str> = CIPHERS.iter().map(|row| row.names[0]).collect();
            Error::new(Code::ValueRefused, format!("{name} is no encryption algorithm; there are {}", names.join(", ")))
        })
    }

    pub fn row(self) -> &'static Row {
        CIPHERS.iter().find(|row| row.cipher == self).expect("every cipher has a row")
    }

    /// The specification's name.
    pub fn name(self) -> &'static str {
        self.row().names[0]
    }

    /// The object identifier with dots.
    pub fn oid(self) -> String {
        der::dotted(self.row().oid)
    }

    /// Whether it authenticates what it encrypts: AuthEnvelopedData (RFC 5083).
    pub fn is_aead(self) -> bool {
        matches!(self, Cipher::AesGcm128 | Cipher::AesGcm192 | Cipher::AesGcm256)
    }

    /// `enveloped-data` or `authEnveloped-data` (RFC 8551 §3.2.2).
    pub fn smime_type(self) -> &'static str {
        if self.is_aead() { "authEnveloped-data" } else { "enveloped-data" }
    }

    pub fn is_aes(self) -> bool {
        self.row().block == 16
    }

    /// The effective bits of RC2, and the number that stands for them (RFC 2268 §6).
    pub fn rc2(self) -> Option<(usize, u8)> {
        match self {
            Cipher::Rc2Cbc40 => Some((40, 160)),
            Cipher::Rc2Cbc64 => Some((64, 120)),
            Cipher::Rc2Cbc128 => Some((128, 58)),
            _ => None,
        }
    }

    /// The cipher that all of these recipients can read, by what their signatures said (RFC 8551 §2.7): the strongest that every list
    /// has. A recipient who said nothing counts as one who reads AES-256 in CBC mode, as every program of the last twenty years does.
    pub fn automatic(capabilities: &[Vec<Cipher>]) -> Cipher {
        let told: Vec<&Vec<Cipher>> = capabilities.iter().filter(|list| !list.is_empty()).collect();
        let silent = told.len() < capabilities.len() || told.is_empty();
        let fits = |row: &&Row| {
            row.strength >= 10
                && told.iter().all(|list| list.contains(&row.cipher))
                && !(silent && row.cipher.is_aead())
        };
        CIPHERS.iter().filter(fits).max_by_key(|row| row.strength).map_or(Cipher::TripleDes, |row| row.cipher)
    }
}

/// A digest by a name of the specification or an object identifier; anything else is refused (603).
pub fn hash_from_name(name: &str) -> Result<Hash> {
    Hash::from_name(name.trim()).ok_or_else(|| {
        let names: Vec<&str> = Hash::ALL.iter().map(|hash| hash.name()).collect();
        Error::new(Code::ValueRefused, format!("{name} is no hash for signatures; there are {}", names.join(", ")))
    })
}

/// The digest's name in the `micalg` of multipart/signed.
pub fn micalg(hash: Hash) -> &'static str {
    match hash {
        Hash::Md5 => "md5",
        Hash::Sha1 => "sha-1",
        Hash::Sha224 => "sha-224",
        Hash::Sha256 => "sha-256",
        Hash::Sha384 => "sha-384",
        Hash::Sha512 => "sha-512",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_of_the_specification_and_every_number_is_known() {
        for (name, cipher, oid) in [
            ("3DES", Cipher::TripleDes, "1.2.840.113549.3.7"),
            ("DES", Cipher::Des, "1.3.14.3.2.7"),
            ("RC2CBC40", Cipher::Rc2Cbc40, "1.2.840.113549.3.2"),
            ("RC2CBC64", Cipher::Rc2Cbc64, "1.2.840.113549.3.2"),
            ("RC2CBC128", Cipher::Rc2Cbc128, "1.2.840.113549.3.2"),
            ("RC2", Cipher::Rc2Cbc128, "1.2.840.113549.3.2"),
            ("AESCBC128", Cipher::AesCbc128, "2.16.840.1.101.3.4.1.2"),
            ("AES", Cipher::AesCbc128, "2.16.840.1.101.3.4.1.2"),
            ("AESCBC192", Cipher::AesCbc192, "2.16.840.1.101.3.4.1.22"),
            ("AESCBC256", Cipher::AesCbc256, "2.16.840.1.101.3.4.1.42"),
            ("AESGCM128", Cipher::AesGcm128, "2.16.840.1.101.3.4.1.6"),
            ("AESGCM", Cipher::AesGcm128, "2.16.840.1.101.3.4.1.6"),
            ("AESGCM192", Cipher::AesGcm192, "2.16.840.1.101.3.4.1.26"),
            ("AESGCM256", Cipher::AesGcm256, "2.16.840.1.101.3.4.1.46"),
        ] {
            assert_eq!(Cipher::from_name(name).unwrap(), cipher);
            assert_eq!(Cipher::from_name(&name.to_lowercase()).unwrap(), cipher);
            assert_eq!(cipher.oid(), oid);
        }
        assert_eq!(Cipher::from_name("aes-cbc-256").unwrap(), Cipher::AesCbc256);
        assert_eq!(Cipher::from_name("1.2.840.113549.3.2").unwrap(), Cipher::Rc2Cbc128);
        assert_eq!(Cipher::from_name("2.16.840.1.101.3.4.1.46").unwrap(), Cipher::AesGcm256);
        for row in CIPHERS {
            assert_eq!(Cipher::from_name(row.cipher.name()).unwrap(), row.cipher);
        }
    }

    #[test]
    fn unknown_names_are_refused() {
        for name in ["", "AES512", "ROT13", "1.2.3", "3DES\0"] {
            assert_eq!(Cipher::from_name(name).unwrap_err().code, Code::ValueRefused);
            assert_eq!(hash_from_name(name).unwrap_err().code, Code::ValueRefused);
        }
    }

    #[test]
    fn hashes_have_one_name_in_many_spellings() {
        for name in ["sha256", "SHA256", "sha-256", "2.16.840.1.101.3.4.2.1"] {
            assert_eq!(hash_from_name(name).unwrap(), Hash::Sha256);
        }
        assert_eq!(hash_from_name("sha1").unwrap(), Hash::Sha1);
        assert_eq!(hash_from_name("md5").unwrap(), Hash::Md5);
        assert_eq!(micalg(Hash::Sha1), "sha-1");
    }

    #[test]
    fn auto_takes_the_strongest_that_all_can_read() {
        use Cipher::*;
        assert_eq!(Cipher::automatic(&[]), AesCbc256);
        assert_eq!(Cipher::automatic(&[vec![AesGcm256, AesCbc128]]), AesGcm256);
        assert_eq!(Cipher::automatic(&[vec![AesGcm256, AesCbc128], vec![AesCbc128, TripleDes]]), AesCbc128);
        assert_eq!(Cipher::automatic(&[vec![AesGcm256, AesCbc256], vec![]]), AesCbc256);
        assert_eq!(Cipher::automatic(&[vec![Rc2Cbc40]]), TripleDes);
    }
}
