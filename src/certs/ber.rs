//! BER to DER (X.690 §8.1.3, §8.7): definite and shortest lengths, strings in one piece. Nothing else changes, so that what was DER
//! inside (a signed certificate) stays as it is, octet by octet. Depth is bounded; so is the size, by what the caller read.

use super::der::{self, Reader};
use super::fault::{Read, broken};
use zeroize::Zeroizing;

/// Deeper than any store or message nests, far from what a stack holds.
const DEPTH: usize = 48;
/// Of one input.
const SIZE: usize = 64 << 20;

/// The same value in DER. Octets after it are refused.
pub fn to_der(bytes: &[u8]) -> Read<Vec<u8>> {
    if bytes.len() > SIZE {
        return broken("it is too large");
    }
    let mut out = Vec::with_capacity(bytes.len());
    let rest = value(bytes, &mut out, 0)?;
    // Tools pad with zeros or line ends.
    if rest.iter().any(|b| !matches!(b, 0 | b'\r' | b'\n')) {
        return broken("octets after the end");
    }
    Ok(out)
}

/// Writes the first value of `bytes` and returns what follows it.
fn value<'a>(bytes: &'a [u8], out: &mut Vec<u8>, depth: usize) -> Read<&'a [u8]> {
    if depth > DEPTH {
        return broken("it nests too deeply");
    }
    let [tag, first, ..] = bytes else { return broken("ASN.1 ends in the middle") };
    let constructed = tag & 0x20 != 0;
    if *first == 0x80 {
        if !constructed || tag & 0x1f == 0x1f {
            return broken("an indefinite length where none may be");
        }
        let mut content = Zeroizing::new(Vec::new());
        let mut rest = &bytes[2..];
        while !rest.starts_with(&[0, 0]) {
            rest = value(rest, &mut content, depth + 1)?;
        }
        finish(*tag, &content, out)?;
        return Ok(&rest[2..]);
    }
    let mut reader = Reader::new(bytes);
    let found = reader.value()?;
    let rest = &bytes[found.whole.len()..];
    if !constructed {
        der::put(out, *tag, found.content);
        return Ok(rest);
    }
    let mut content = Zeroizing::new(Vec::with_capacity(found.content.len()));
    let mut inner = found.content;
    while !inner.is_empty() {
        inner = value(inner, &mut content, depth + 1)?;
    }
    finish(*tag, &content, out)?;
    Ok(rest)
}

/// A constructed string becomes one piece; the rest stays.
fn finish(tag: u8, content: &[u8], out: &mut Vec<u8>) -> Read<()> {
    match tag & !0x20 {
        der::OCTET_STRING => der::put(out, der::OCTET_STRING, &Zeroizing::new(join(content)?)),
        der::BIT_STRING => broken("a bit string in pieces")?,
        _ => der::put(out, tag, content),
    }
    Ok(())
}

/// The pieces of a string, put together.
pub fn join(pieces: &[u8]) -> Read<Vec<u8>> {
    let mut reader = Reader::new(pieces);
    let mut whole = Vec::with_capacity(pieces.len());
    while !reader.is_empty() {
        whole.extend_from_slice(reader.expect(der::OCTET_STRING)?);
    }
    Ok(whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn indefinite_lengths_and_strings_in_pieces_become_der() {
        let ber = b"\x30\x80\x24\x80\x04\x01a\x04\x81\x01b\0\0\x02\x01\x05\0\0";
        assert_eq!(to_der(ber).unwrap(), b"\x30\x07\x04\x02ab\x02\x01\x05");
    }

    #[test]
    fn der_stays_as_it_is() {
        let file = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/certs/chain.p7b.der")).unwrap();
        assert_eq!(to_der(&file).unwrap(), file);
    }

    #[test]
    fn ten_thousand_levels_are_an_error_and_no_stack_overflow() {
        assert!(to_der(&b"\x30\x80".repeat(10_000)).is_err());
        assert!(to_der(&[b"\x30\x80".repeat(10_000), b"\0\0".repeat(10_000)].concat()).is_err());
    }

    #[test]
    fn what_follows_the_value_is_refused() {
        assert!(to_der(b"\x05\0\x05\0").is_err());
        assert!(to_der(b"\x05\0\n").is_ok());
    }

    proptest! {
        #[test]
        fn no_input_panics_and_what_is_der_stays_der(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(der) = to_der(&bytes) {
                prop_assert_eq!(to_der(&der).unwrap(), der);
            }
        }
    }
}
