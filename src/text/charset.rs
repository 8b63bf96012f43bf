//! Charsets by their names in mail (RFC 2978), for header words and bodies.
//!
//! The encoder follows the web's labels, where `iso-8859-1` means windows-1252 and `gb2312` means GBK. Mail readers take such
//! a label at its word, so text that only the larger set has counts as not convertible here.

use std::borrow::Cow;

use encoding_rs::{EUC_KR, Encoding, GBK, SHIFT_JIS, UTF_8};

use crate::error::{Code, Error, Result};

/// A charset that text can be written in.
#[derive(Debug, Clone)]
pub struct Charset {
    name: String,
    encoding: &'static Encoding,
    strict: fn(&[u8]) -> bool,
}

impl Charset {
    pub fn utf8() -> Charset {
        Charset { name: "utf-8".into(), encoding: UTF_8, strict: anything }
    }

    /// The charset of a name; 434 when there is none, or none that can stand in mail.
    pub fn find(name: &str) -> Result<Charset> {
        let name = name.trim();
        let unknown = || Error::new(Code::CodePage, format!("no charset is named {name:?}"));
        let label = name.to_ascii_lowercase();
        let encoding = match label.as_str() {
            "utf8" | "utf-8" => return Ok(Charset { name: name.replace("utf8", "utf-8"), ..Charset::utf8() }),
            // A label that the web does not know.
            "cp932" | "windows-932" => SHIFT_JIS,
            "cp936" => GBK,
            "cp949" => EUC_KR,
            _ => Encoding::for_label_no_replacement(label.as_bytes()).ok_or_else(unknown)?,
        };
        // UTF-16 cannot stand in a header or in text that goes line by line; the private-use one is not for mail at all.
        if encoding.output_encoding() != encoding || encoding == encoding_rs::X_USER_DEFINED {
            return Err(unknown());
        }
        let strict = match label.as_str() {
            "us-ascii" | "ascii" | "ansi_x3.4-1968" | "iso646-us" => seven_bit,
            _ if label.contains("8859")
                || label.starts_with("tis")
                || label.starts_with("latin")
                || label == "l1"
                || label == "l5" =>
            {
                no_c1
            }
            "gb2312" | "gb_2312-80" | "csgb2312" | "euc-kr" | "cseuckr" => euc_only,
            "shift_jis" | "shift-jis" | "sjis" | "csshiftjis" => jis_x_0208,
            _ => anything,
        };
        Ok(Charset { name: name.to_string(), encoding, strict })
    }

    /// The name as the caller wrote it, which is how it goes out.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The text in this charset, or None when it has a character that the charset lacks.
    pub fn encode<'a>(&self, text: &'a str) -> Option<Cow<'a, [u8]>> {
        if self.encoding == UTF_8 {
            return Some(Cow::Borrowed(text.as_bytes()));
        }
        let (bytes, _, lossy) = self.encoding.encode(text);
        if lossy || !(self.strict)(&bytes) {
            return None;
        }
        // Some encoders write a similar character for one they lack (a minus sign, half-width kana): not the same text.
        (self.decode(&bytes)? == text).then_some(bytes)
    }

    /// The text of bytes in this charset, or None when they are malformed.
    pub fn decode<'a>(&self, bytes: &'a [u8]) -> Option<Cow<'a, str>> {
        self.encoding.decode_without_bom_handling_and_without_replacement(bytes)
    }
}

fn anything(_: &[u8]) -> bool {
    true
}

fn seven_bit(bytes: &[u8]) -> bool {
    bytes.is_ascii()
}

/// ISO 8859 has control characters where the windows pages have letters.
fn no_c1(bytes: &[u8]) -> bool {
    !bytes.iter().any(|b| (0x80..0xa0).contains(b))
}

/// GB 2312 and KS X 1001 in EUC form: both octets of a pair are above 0xa0.
pub(super) fn euc_only(bytes: &[u8]) -> bool {
    let mut rest = bytes.iter();
    while let Some(lead) = rest.next() {
        if *lead >= 0x80 && (*lead < 0xa1 || rest.next().is_none_or(|trail| *trail < 0xa1)) {
            return false;
        }
    }
    true
}

/// Shift_JIS without the vendor rows that windows-31j adds.
fn jis_x_0208(bytes: &[u8]) -> bool {
    let mut rest = bytes.iter();
    while let Some(lead) = rest.next() {
        match lead {
            0x81..=0x84 | 0x88..=0x9f | 0xe0..=0xea => {
                rest.next();
            }
            0..=0x7f | 0xa1..=0xdf => {}
            _ => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(charset: &str, text: &str) -> Option<Vec<u8>> {
        Charset::find(charset).unwrap().encode(text).map(Cow::into_owned)
    }

    #[test]
    fn text_is_written_in_the_charset_that_was_named() {
        assert_eq!(encode("ISO-8859-1", "Grüße").unwrap(), b"Gr\xfc\xdfe");
        assert_eq!(encode("iso-8859-15", "€").unwrap(), b"\xa4");
        assert_eq!(encode("koi8-r", "Привет").unwrap(), b"\xf0\xd2\xc9\xd7\xc5\xd4");
        assert_eq!(encode("iso-2022-jp", "日本").unwrap(), b"\x1b$BF|K\\\x1b(B");
        assert_eq!(encode("gb2312", "中").unwrap(), b"\xd6\xd0");
        assert_eq!(encode("UTF8", "é").unwrap(), "é".as_bytes());
    }

    #[test]
    fn a_character_that_only_the_larger_set_of_the_web_has_is_not_in_the_charset() {
        for (charset, text) in [
            ("iso-8859-1", "€"),
            ("us-ascii", "é"),
            ("iso-8859-9", "„"),
            ("gb2312", "镕"),
            ("euc-kr", "뷁"),
            ("shift_jis", "①"),
            ("shift_jis", "\u{2212}"),
            ("iso-2022-jp", "ｱ"),
            ("windows-1252", "日"),
        ] {
            assert_eq!(encode(charset, text), None, "{charset} {text}");
        }
        assert!(encode("windows-1252", "€").is_some() && encode("gbk", "镕").is_some());
    }

    #[test]
    fn unknown_names_and_utf_16_are_refused() {
        for name in ["", "klingon", "utf-16", "utf-16le", "x-user-defined", "replacement", "utf-8?q?x?="] {
            assert_eq!(Charset::find(name).unwrap_err().code, Code::CodePage, "{name}");
        }
    }
}
