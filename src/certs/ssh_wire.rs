//! The encoding of SSH (RFC 4251 §5): strings with a length in front, and numbers as such strings.

use super::der;
use super::fault::{Read, broken};

/// Reads one string after the other.
pub struct Wire<'a> {
    rest: &'a [u8],
}

impl<'a> Wire<'a> {
    pub fn new(bytes: &'a [u8]) -> Wire<'a> {
        Wire { rest: bytes }
    }

    pub fn string(&mut self) -> Read<&'a [u8]> {
        let Some((length, rest)) = self.rest.split_first_chunk::<4>() else {
            return broken("an SSH string ends in the middle");
        };
        let length = u32::from_be_bytes(*length) as usize;
        if length > rest.len() {
            return broken("an SSH string is longer than what holds it");
        }
        let (string, rest) = rest.split_at(length);
        self.rest = rest;
        Ok(string)
    }

    pub fn uint32(&mut self) -> Read<u32> {
        let Some((number, rest)) = self.rest.split_first_chunk::<4>() else {
            return broken("an SSH number ends in the middle");
        };
        self.rest = rest;
        Ok(u32::from_be_bytes(*number))
    }

    /// A non-negative number without leading zeros.
    pub fn number(&mut self) -> Read<&'a [u8]> {
        let bytes = self.string()?;
        if bytes.first().is_some_and(|b| b & 0x80 != 0) { broken("a negative number") } else { Ok(der::trim(bytes)) }
    }

    /// What was not read yet.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub fn finish(&self) -> Read<()> {
        if self.rest.is_empty() { Ok(()) } else { broken("octets after the end of an SSH key") }
    }
}

/// A name to compare with known ones, which are all ASCII; empty when it is not even text.
pub fn name(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

pub fn string(bytes: &[u8]) -> Vec<u8> {
    let mut out = u32::try_from(bytes.len()).expect("nothing here is 4 GiB long").to_be_bytes().to_vec();
    out.extend_from_slice(bytes);
    out
}

pub fn number(bytes: &[u8]) -> Vec<u8> {
    let bytes = der::trim(bytes);
    if bytes.first().is_some_and(|b| b & 0x80 != 0) { string(&[&[0], bytes].concat()) } else { string(bytes) }
}
