//! The hashes of signatures: MD5 (RFC 1321), SHA-1 and SHA-2 (FIPS 180-4), by name and object identifier.

use ring::digest;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Hash {
    Md5,
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    pub const ALL: [Hash; 6] = [Hash::Md5, Hash::Sha1, Hash::Sha224, Hash::Sha256, Hash::Sha384, Hash::Sha512];

    /// By its name, `SHA-256`, `sha256` or `SHA_256`, or by its object identifier with dots.
    pub fn from_name(name: &str) -> Option<Hash> {
        let letters = |name: &'static str| name.bytes().filter(|c| *c != b'-');
        let plain = || name.bytes().filter(|c| !matches!(c, b'-' | b'_' | b' ')).map(|c| c.to_ascii_uppercase());
        Hash::ALL.into_iter().find(|hash| hash.dotted() == name || letters(hash.name()).eq(plain()))
    }

    /// Its object identifier with dots.
    pub fn dotted(self) -> &'static str {
        match self {
            Hash::Md5 => "1.2.840.113549.2.5",
            Hash::Sha1 => "1.3.14.3.2.26",
            Hash::Sha224 => "2.16.840.1.101.3.4.2.4",
            Hash::Sha256 => "2.16.840.1.101.3.4.2.1",
            Hash::Sha384 => "2.16.840.1.101.3.4.2.2",
            Hash::Sha512 => "2.16.840.1.101.3.4.2.3",
        }
    }

    pub fn from_oid(oid: &[u8]) -> Option<Hash> {
        Hash::ALL.into_iter().find(|h| h.oid() == oid)
    }

    pub fn name(self) -> &'static str {
        match self {
            Hash::Md5 => "MD5",
            Hash::Sha1 => "SHA-1",
            Hash::Sha224 => "SHA-224",
            Hash::Sha256 => "SHA-256",
            Hash::Sha384 => "SHA-384",
            Hash::Sha512 => "SHA-512",
        }
    }

    /// The content of its object identifier.
    pub fn oid(self) -> &'static [u8] {
        match self {
            Hash::Md5 => &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 2, 5],
            Hash::Sha1 => &[0x2b, 0x0e, 3, 2, 0x1a],
            Hash::Sha224 => &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 4],
            Hash::Sha256 => &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1],
            Hash::Sha384 => &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 2],
            Hash::Sha512 => &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 3],
        }
    }

    /// Octets of a digest.
    #[allow(clippy::len_without_is_empty)] // no hash is empty
    pub fn len(self) -> usize {
        match self {
            Hash::Md5 => 16,
            Hash::Sha1 => 20,
            Hash::Sha224 => 28,
            Hash::Sha256 => 32,
            Hash::Sha384 => 48,
            Hash::Sha512 => 64,
        }
    }

    pub fn digest(self, data: &[u8]) -> Vec<u8> {
        let mut hasher = self.hasher();
        hasher.update(data);
        hasher.finish()
    }

    /// For data that comes in pieces.
    pub fn hasher(self) -> Hasher {
        Hasher(match self {
            Hash::Md5 => State::Md5(<md5::Md5 as md5::Digest>::new()),
            Hash::Sha1 => State::Ring(digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY)),
            Hash::Sha224 => State::Sha224(<sha2::Sha224 as sha2::Digest>::new()),
            Hash::Sha256 => State::Ring(digest::Context::new(&digest::SHA256)),
            Hash::Sha384 => State::Ring(digest::Context::new(&digest::SHA384)),
            Hash::Sha512 => State::Ring(digest::Context::new(&digest::SHA512)),
        })
    }
}

/// A digest in the making.
#[derive(Clone)]
pub struct Hasher(State);

#[derive(Clone)]
enum State {
    Md5(md5::Md5),
    Sha224(sha2::Sha224),
    Ring(digest::Context),
}

impl Hasher {
    pub fn update(&mut self, data: &[u8]) {
        match &mut self.0 {
            State::Md5(state) => md5::Digest::update(state, data),
            State::Sha224(state) => sha2::Digest::update(state, data),
            State::Ring(state) => state.update(data),
        }
    }

    pub fn finish(self) -> Vec<u8> {
        match self.0 {
            State::Md5(state) => md5::Digest::finalize(state).to_vec(),
            State::Sha224(state) => sha2::Digest::finalize(state).to_vec(),
            State::Ring(state) => state.finish().as_ref().to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_found_by_every_spelling() {
        for hash in Hash::ALL {
            assert_eq!(hash.dotted(), super::super::super::der::dotted(hash.oid()));
            let name = hash.name();
            let spellings =
                [name.into(), name.replace('-', ""), name.to_lowercase().replace('-', "_"), hash.dotted().into()];
            assert!(spellings.iter().all(|spelling| Hash::from_name(spelling) == Some(hash)), "{name}");
        }
        assert!(
            ["", "SHA", "SHA2", "2.16.840.1.101.3.4.2.10", "SHA-512/256"]
                .iter()
                .all(|name| Hash::from_name(name).is_none())
        );
    }
}
