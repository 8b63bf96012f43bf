//! A small reader and writer of DER (X.690). The reader borrows, never recurses and never allocates more than it was given; it takes
//! the lengths of certificates as they are in the wild. BER goes through `ber` first.

use super::fault::{Read, broken};

pub const BOOLEAN: u8 = 0x01;
pub const INTEGER: u8 = 0x02;
pub const BIT_STRING: u8 = 0x03;
pub const OCTET_STRING: u8 = 0x04;
pub const NULL: u8 = 0x05;
pub const OID: u8 = 0x06;
pub const SEQUENCE: u8 = 0x30;
pub const SET: u8 = 0x31;

/// Reads one value after the other.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

/// One value: its tag, its content, and both with the length between.
#[derive(Debug, Clone, Copy)]
pub struct Value<'a> {
    pub tag: u8,
    pub content: &'a [u8],
    pub whole: &'a [u8],
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { rest: bytes }
    }

    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The tag that comes next.
    pub fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    pub fn value(&mut self) -> Read<Value<'a>> {
        let (head, length) = header(self.rest)?;
        let Some(end) = head.checked_add(length).filter(|end| *end <= self.rest.len()) else {
            return broken("a value is longer than what holds it");
        };
        let value = Value { tag: self.rest[0], content: &self.rest[head..end], whole: &self.rest[..end] };
        self.rest = &self.rest[end..];
        Ok(value)
    }

    /// The content of the next value, which has this tag.
    pub fn expect(&mut self, tag: u8) -> Read<&'a [u8]> {
        match self.peek() {
            Some(found) if found == tag => Ok(self.value()?.content),
            Some(found) => broken(format!("ASN.1 tag {found:02x} where {tag:02x} belongs")),
            None => broken(format!("ASN.1 ends where tag {tag:02x} belongs")),
        }
    }

    /// The content of the next value if it has this tag.
    pub fn optional(&mut self, tag: u8) -> Read<Option<&'a [u8]>> {
        if self.peek() == Some(tag) { Ok(Some(self.value()?.content)) } else { Ok(None) }
    }

    pub fn sequence(&mut self) -> Read<Reader<'a>> {
        Ok(Reader::new(self.expect(SEQUENCE)?))
    }

    pub fn oid(&mut self) -> Read<&'a [u8]> {
        self.expect(OID)
    }

    /// A non-negative integer without its leading zeros.
    pub fn unsigned(&mut self) -> Read<&'a [u8]> {
        let content = self.expect(INTEGER)?;
        match content.first() {
            None => broken("an integer without octets"),
            Some(first) if first & 0x80 != 0 => broken("a negative number"),
            _ => Ok(trim(content)),
        }
    }

    /// A number that fits 32 bits.
    pub fn small(&mut self) -> Read<u32> {
        let bytes = self.unsigned()?;
        if bytes.len() > 4 {
            return broken("a number is out of bounds");
        }
        Ok(bytes.iter().fold(0, |n, b| n << 8 | u32::from(*b)))
    }

    /// A bit string of whole octets.
    pub fn bits(&mut self) -> Read<&'a [u8]> {
        match self.expect(BIT_STRING)? {
            [0, bits @ ..] => Ok(bits),
            _ => broken("a bit string of no whole octets"),
        }
    }

    /// Nothing may follow.
    pub fn finish(&self) -> Read<()> {
        if self.is_empty() { Ok(()) } else { broken("octets after the end") }
    }
}

/// The only value in these octets, which is a sequence.
pub fn only_sequence(bytes: &[u8]) -> Read<Reader<'_>> {
    let mut reader = Reader::new(bytes);
    let inner = reader.sequence()?;
    reader.finish()?;
    Ok(inner)
}

/// The lengths of tag and length together, and of the content.
pub fn header(bytes: &[u8]) -> Read<(usize, usize)> {
    match bytes {
        [] | [_] => broken("ASN.1 ends in the middle"),
        [tag, ..] if tag & 0x1f == 0x1f => broken("an ASN.1 tag of several octets"),
        [_, length, ..] if *length < 0x80 => Ok((2, usize::from(*length))),
        [_, 0x80, ..] => broken("an indefinite length"),
        [_, count, rest @ ..] => {
            let count = usize::from(count & 0x7f);
            if count > 4 || rest.len() < count {
                return broken("a length that is out of bounds");
            }
            let length = rest[..count].iter().fold(0u64, |n, b| n << 8 | u64::from(*b));
            usize::try_from(length)
                .map(|length| (2 + count, length))
                .or_else(|_| broken("a length that is out of bounds"))
        }
    }
}

/// A number without leading zeros; zero is empty.
pub fn trim(bytes: &[u8]) -> &[u8] {
    &bytes[bytes.iter().take_while(|b| **b == 0).count()..]
}

/// Writes one value into `out`.
pub fn put(out: &mut Vec<u8>, tag: u8, content: &[u8]) {
    out.push(tag);
    match content.len() {
        length @ 0..0x80 => out.push(length as u8),
        length => {
            let bytes = (length as u64).to_be_bytes();
            let bytes = trim(&bytes);
            out.push(0x80 | bytes.len() as u8);
            out.extend_from_slice(bytes);
        }
    }
    out.extend_from_slice(content);
}

/// One value that holds these parts, one after the other.
pub fn wrap(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = zeroize::Zeroizing::new(parts.concat());
    let mut out = Vec::with_capacity(content.len() + 6);
    put(&mut out, tag, &content);
    out
}

/// A non-negative integer of these octets.
pub fn integer(bytes: &[u8]) -> Vec<u8> {
    let bytes = trim(bytes);
    if bytes.first().is_none_or(|b| b & 0x80 != 0) { wrap(INTEGER, &[&[0], bytes]) } else { wrap(INTEGER, &[bytes]) }
}

/// A bit string of whole octets.
pub fn bit_string(bytes: &[u8]) -> Vec<u8> {
    wrap(BIT_STRING, &[&[0], bytes])
}

/// An object identifier with dots: `1.2.840.113549`.
pub fn dotted(oid: &[u8]) -> String {
    let mut arcs: Vec<String> = Vec::new();
    let mut arc: u128 = 0;
    for byte in oid.iter().take(128) {
        // An arc past 121 bits is nothing anybody registered; it is cut rather than overflowing.
        arc = (arc & (u128::MAX >> 7)) << 7 | u128::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            if arcs.is_empty() {
                let first = (arc / 40).min(2);
                arcs.push(first.to_string());
                arc -= first * 40;
            }
            arcs.push(arc.to_string());
            arc = 0;
        }
    }
    arcs.join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_beyond_the_input_are_refused() {
        for bytes in [
            &b"\x30"[..],
            b"\x30\x05ab",
            b"\x30\x88\x7f\xff\xff\xff\xff\xff\xff\xff",
            b"\x30\x84\xff\xff\xff\xff",
            b"\x30\x80\0\0",
            b"\x3f\x81\x01\x00",
        ] {
            assert!(Reader::new(bytes).value().is_err(), "{bytes:02x?}");
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let long = vec![7u8; 70_000];
        let whole = wrap(SEQUENCE, &[&integer(&[0, 0, 0x80]), &wrap(OCTET_STRING, &[&long]), &integer(&[])]);
        let mut reader = only_sequence(&whole).unwrap();
        assert_eq!(reader.unsigned().unwrap(), [0x80]);
        assert_eq!(reader.expect(OCTET_STRING).unwrap(), long);
        assert_eq!(reader.small().unwrap(), 0);
        reader.finish().unwrap();
    }

    #[test]
    fn object_identifiers_are_written_with_dots() {
        assert_eq!(dotted(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11]), "1.2.840.113549.1.1.11");
        assert_eq!(dotted(&[0x88, 0x37, 3]), "2.999.3");
    }
}
