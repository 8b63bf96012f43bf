//! Message-ID: RFC 5322 section 3.6.4. A digest of fresh random octets and the time, at the sender's domain.

use md5::Digest;
use ring::rand::{SecureRandom, SystemRandom};

use super::address;
use crate::error::{Code, Error, Result};

/// What a generated Message-ID is made with (MessageIdAlgorithm).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IdAlgorithm {
    Md5,
    #[default]
    Sha1,
    Sha256,
}

impl IdAlgorithm {
    /// By its name, in any case.
    pub fn from_name(name: &str) -> Option<IdAlgorithm> {
        let known = [("MD5", IdAlgorithm::Md5), ("SHA1", IdAlgorithm::Sha1), ("SHA256", IdAlgorithm::Sha256)];
        known.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name.trim())).map(|(_, algorithm)| algorithm)
    }

    fn digest(self, input: &[u8]) -> Vec<u8> {
        match self {
            IdAlgorithm::Md5 => md5::Md5::digest(input).to_vec(),
            IdAlgorithm::Sha1 => ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, input).as_ref().to_vec(),
            IdAlgorithm::Sha256 => ring::digest::digest(&ring::digest::SHA256, input).as_ref().to_vec(),
        }
    }
}

/// Octets from the system's generator, which a forked process does not repeat.
pub fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| Error::new(Code::Internal, "the system gave no random numbers"))?;
    Ok(bytes)
}

/// A new `<digest@domain>` of random octets; the host takes the place of a domain that cannot stand there.
pub fn generate(algorithm: IdAlgorithm, random: Vec<u8>, domain: &str, host: fn() -> String) -> String {
    let mut input = random;
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    input.extend_from_slice(&since.as_nanos().to_be_bytes());
    let domain = address::ascii_domain(domain).or_else(|| address::ascii_domain(&host()));
    format!("<{}@{}>", hex(&algorithm.digest(&input)), domain.as_deref().unwrap_or("localhost"))
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|b| [b >> 4, b & 15]).map(|n| char::from(b"0123456789abcdef"[usize::from(n)])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fresh() -> Vec<u8> {
        random::<32>().unwrap().to_vec()
    }

    #[test]
    fn the_algorithm_decides_the_length() {
        for (name, digits) in [("md5", 32), ("SHA1", 40), ("Sha256", 64)] {
            let id = generate(IdAlgorithm::from_name(name).unwrap(), fresh(), "Bücher.example", String::new);
            let (left, right) = id[1..id.len() - 1].split_once('@').unwrap();
            assert!(left.len() == digits && left.bytes().all(|b| b.is_ascii_hexdigit()), "{id}");
            assert_eq!(right, "xn--bcher-kva.example");
        }
        assert_eq!(IdAlgorithm::from_name("SHA3"), None);
    }

    #[test]
    fn ids_differ_and_a_domain_that_is_none_is_passed_over() {
        let ids: std::collections::HashSet<String> =
            (0..100_000).map(|_| generate(IdAlgorithm::Md5, fresh(), "a b", || "host".into())).collect();
        assert_eq!(ids.len(), 100_000);
        assert!(ids.iter().all(|id| id.ends_with("@host>")));
        assert!(generate(IdAlgorithm::Sha1, fresh(), "", || "x\r\ny".into()).ends_with("@localhost>"));
    }
}
