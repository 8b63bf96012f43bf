//! The seven-bit encodings of Chinese and Korean that shift between ASCII and pairs (HZ: RFC 1843, ISO-2022-KR: RFC 1557),
//! and UTF-7 (RFC 2152).

use base64::Engine;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64_simd::STANDARD_NO_PAD;
use encoding_rs::{EUC_KR, Encoding, GBK};

/// Pairs of octets, with what goes around them.
pub struct Shift {
    /// Stands once, before the first pair.
    head: &'static str,
    into: &'static str,
    out: &'static str,
    /// What a tilde becomes outside of pairs.
    tilde: &'static str,
    /// The encoding that has the same pairs with the high bits set.
    pairs: &'static Encoding,
}

/// Code page 52936.
pub static HZ: Shift = Shift { head: "", into: "~{", out: "~}", tilde: "~~", pairs: GBK };
/// Code page 50225.
pub static ISO_2022_KR: Shift = Shift { head: "\x1b$)C", into: "\x0e", out: "\x0f", tilde: "~", pairs: EUC_KR };

impl Shift {
    pub fn encode(&self, text: &str) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        let mut shifted = false;
        if !text.is_ascii() {
            out.extend_from_slice(self.head.as_bytes());
        }
        for c in text.chars() {
            if c.is_ascii() == shifted {
                out.extend_from_slice(if shifted { self.out } else { self.into }.as_bytes());
                shifted = !shifted;
            }
            let mut utf8 = [0; 4];
            let (bytes, _, lossy) = self.pairs.encode(c.encode_utf8(&mut utf8));
            match bytes.as_ref() {
                _ if lossy => return None,
                b"~" => out.extend_from_slice(self.tilde.as_bytes()),
                [one] if one.is_ascii() && !b"\x0e\x0f\x1b".contains(one) => out.push(*one),
                [one, two] if *one > 0xa0 && *two > 0xa0 => out.extend_from_slice(&[one & 0x7f, two & 0x7f]),
                _ => return None,
            }
        }
        if shifted {
            out.extend_from_slice(self.out.as_bytes());
        }
        Some(out)
    }

    pub fn decode(&self, bytes: &[u8]) -> Option<String> {
        let mut rest = bytes.strip_prefix(self.head.as_bytes()).unwrap_or(bytes);
        let mut euc = Vec::with_capacity(rest.len());
        let mut shifted = false;
        while let Some(&byte) = rest.first() {
            let sequence = if shifted { self.out } else { self.into };
            if let Some(after) = rest.strip_prefix(sequence.as_bytes()) {
                shifted = !shifted;
                rest = after;
                continue;
            }
            match rest {
                [b'\n' | b'\r', after @ ..] => {
                    // A line end ends the pairs too.
                    shifted = false;
                    euc.push(byte);
                    rest = after;
                }
                [one, two, after @ ..] if shifted && (0x21..0x7f).contains(one) && (0x21..0x7f).contains(two) => {
                    euc.extend_from_slice(&[one | 0x80, two | 0x80]);
                    rest = after;
                }
                [b'~', b'~', after @ ..] if self.tilde == "~~" => {
                    euc.push(b'~');
                    rest = after;
                }
                [b'~', b'\n', after @ ..] if self.tilde == "~~" => rest = after,
                [b'~', ..] if self.tilde == "~~" => return None,
                [_, after @ ..] if !shifted && byte.is_ascii() => {
                    euc.push(byte);
                    rest = after;
                }
                _ => return None,
            }
        }
        self.pairs.decode_without_bom_handling_and_without_replacement(&euc).map(std::borrow::Cow::into_owned)
    }
}

/// Encoders leave spare bits zero, and decoders of UTF-7 must not insist on it.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone),
);

pub fn utf7_encode(text: &str) -> Vec<u8> {
    let direct = |c: char| c.is_ascii_alphanumeric() || "'(),-./:? \t\r\n".contains(c);
    let mut out = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (plain, from) = rest.split_at(rest.find(|c| !direct(c)).unwrap_or(rest.len()));
        out.push_str(plain);
        if let Some(after) = from.strip_prefix('+') {
            out.push_str("+-");
            rest = after;
            continue;
        }
        let (coded, after) = from.split_at(from.find(|c| direct(c) || c == '+').unwrap_or(from.len()));
        if !coded.is_empty() {
            let units: Vec<u8> = coded.encode_utf16().flat_map(u16::to_be_bytes).collect();
            out.push('+');
            STANDARD_NO_PAD.encode_append(units, &mut out);
            // Always closed: what follows may be read as part of it otherwise.
            out.push('-');
        }
        rest = after;
    }
    out.into_bytes()
}

pub fn utf7_decode(bytes: &[u8]) -> Option<String> {
    let mut rest = std::str::from_utf8(bytes).ok().filter(|text| text.is_ascii())?;
    let mut out = String::new();
    while let Some((plain, from)) = rest.split_once('+') {
        out.push_str(plain);
        let is_coded = |c: char| c.is_ascii_alphanumeric() || c == '+' || c == '/';
        let (coded, after) = from.split_at(from.find(|c| !is_coded(c)).unwrap_or(from.len()));
        let closed = after.strip_prefix('-');
        if coded.is_empty() {
            closed?;
            out.push('+');
        } else {
            let units = LENIENT.decode(coded).ok()?;
            let units: Vec<u16> = units.as_chunks().0.iter().map(|pair| u16::from_be_bytes(*pair)).collect();
            out.push_str(&String::from_utf16(&units).ok()?);
        }
        rest = closed.unwrap_or(after);
    }
    out.push_str(rest);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hz_reads_and_writes_the_example_of_rfc_1843() {
        let line = b"This sentence is in ASCII.\nThe next sentence is in GB.~{<:Ky2;S{#,NpJ)l6HK!#~}Bye.\n";
        let text = HZ.decode(line).unwrap();
        assert!(text.contains("GB.己所不欲，勿施於人。Bye."), "{text}");
        assert_eq!(HZ.encode(&text).unwrap(), line);
        assert_eq!(HZ.decode(b"a~~b~\nc").unwrap(), "a~bc");
        assert!(HZ.decode(b"~{<").is_none() && HZ.decode(b"~x").is_none() && HZ.decode(b"\xff").is_none());
        assert!(HZ.encode("й한").is_none());
    }

    #[test]
    fn iso_2022_kr_has_its_head_only_where_it_is_needed() {
        assert_eq!(ISO_2022_KR.encode("한 a~").unwrap(), b"\x1b$)C\x0eGQ\x0f a~");
        assert_eq!(ISO_2022_KR.decode(b"\x1b$)C\x0eGQ\x0f a~").unwrap(), "한 a~");
        assert_eq!(ISO_2022_KR.encode("plain").unwrap(), b"plain");
    }

    #[test]
    fn utf_7_reads_and_writes_the_examples_of_rfc_2152() {
        for (text, wire) in
            [("A≢Α.", "A+ImIDkQ."), ("Hi Mom -☺-!", "Hi Mom -+Jjo--!"), ("日本語", "+ZeVnLIqe-"), ("1 + 1", "1 +- 1")]
        {
            assert_eq!(utf7_decode(wire.as_bytes()).unwrap(), text);
            assert_eq!(utf7_decode(&utf7_encode(text)).unwrap(), text);
        }
        assert_eq!(utf7_encode("日本語+😀"), b"+ZeVnLIqe-+-+2D3eAA-");
        assert!(utf7_decode(b"+!").is_none() && utf7_decode(b"+2D0-").is_none() && utf7_decode(b"\xc3").is_none());
    }
}
