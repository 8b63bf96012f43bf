//! Conversion between code pages and UTF-8 (CodePage): each of the specification's list converts or is refused with a reason.

mod pages;
mod shift;
mod tables;
mod vietnamese;

use std::collections::BinaryHeap;

use encoding_rs::Encoding;

use crate::error::{Code, Error, Result};
use pages::{Kind, PAGES};

/// A code page that converts.
#[derive(Clone, Copy)]
pub struct CodePage {
    number: i32,
    kind: Kind,
}

impl Default for CodePage {
    /// UTF-8.
    fn default() -> CodePage {
        CodePage { number: 65001, kind: Kind::Web(encoding_rs::UTF_8) }
    }
}

impl std::fmt::Debug for CodePage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CodePage({})", self.number)
    }
}

impl PartialEq for CodePage {
    fn eq(&self, other: &CodePage) -> bool {
        self.number == other.number
    }
}

impl Eq for CodePage {}

impl CodePage {
    /// The code page of a number; 434 when there is none, or none that converts, with the reason.
    pub fn find(number: i32) -> Result<CodePage> {
        let refused = |why: &str| Err(Error::new(Code::CodePage, format!("code page {number}: {why}")));
        match PAGES.binary_search_by_key(&number, |(number, _)| *number).map(|at| PAGES[at].1) {
            Ok(Kind::Refused(why)) => refused(why),
            Ok(kind) => Ok(CodePage { number, kind }),
            Err(_) => refused("there is none of this number"),
        }
    }

    pub fn number(self) -> i32 {
        self.number
    }

    /// The charset name under which mail carries text of this code page (IANA's list); None where it has none, or where its
    /// octets are not ASCII below 0x80, which a line-based body needs.
    pub fn charset(self) -> Option<String> {
        Some(match self.number {
            65001 => "utf-8".into(),
            number @ 1250..=1258 => format!("windows-{number}"),
            874 => "windows-874".into(),
            number @ 28591..=28605 if self.is_ascii_below() => format!("iso-8859-{}", number - 28590),
            20866 => "koi8-r".into(),
            21866 => "koi8-u".into(),
            20127 => "us-ascii".into(),
            932 => "shift_jis".into(),
            936 => "gbk".into(),
            949 | 51949 => "euc-kr".into(),
            950 => "big5".into(),
            20932 | 51932 => "euc-jp".into(),
            54936 => "gb18030".into(),
            number @ (437 | 775 | 850..=869) if self.is_ascii_below() => format!("ibm{number}"),
            _ => return None,
        })
    }

    fn is_ascii_below(self) -> bool {
        self.encode("A1 \r\n").is_ok_and(|bytes| bytes == b"A1 \r\n")
    }

    pub fn is_utf8(self) -> bool {
        self.number == 65001
    }

    /// Text of the code page as UTF-8; 434 when it is malformed.
    pub fn decode(self, bytes: &[u8]) -> Result<String> {
        let web = |encoding: &'static Encoding| {
            encoding.decode_without_bom_handling_and_without_replacement(bytes).map(std::borrow::Cow::into_owned)
        };
        let text = match self.kind {
            Kind::Upper(table) => single_decode(bytes, table, 128),
            Kind::Full(table) => single_decode(bytes, table, 0),
            Kind::Vietnamese(table) => single_decode(bytes, table, 128).map(|text| vietnamese::join(&text)),
            Kind::Web(encoding) => web(encoding),
            Kind::Euc(encoding) => web(encoding).filter(|_| super::charset::euc_only(bytes)),
            Kind::Shift(shift) => shift.decode(bytes),
            Kind::Utf7 => shift::utf7_decode(bytes),
            Kind::Refused(_) => None,
        };
        text.ok_or_else(|| self.failed("the text is malformed in code page"))
    }

    /// UTF-8 text in the code page; 434 when it lacks a character.
    pub fn encode(self, text: &str) -> Result<Vec<u8>> {
        let web = |encoding: &'static Encoding| {
            let (bytes, _, lossy) = encoding.encode(text);
            // An encoder may write a similar character for one that is lacking.
            let same =
                !lossy && encoding.decode_without_bom_handling_and_without_replacement(&bytes).as_deref() == Some(text);
            same.then(|| bytes.into_owned())
        };
        let bytes = match self.kind {
            Kind::Upper(table) => single_encode(text, table, 128),
            Kind::Full(table) => single_encode(text, table, 0),
            Kind::Vietnamese(table) => single_encode(&vietnamese::split(text, |c| table.contains(c)), table, 128),
            Kind::Web(encoding) => web(encoding),
            Kind::Euc(encoding) => web(encoding).filter(|bytes| super::charset::euc_only(bytes)),
            Kind::Shift(shift) => shift.encode(text),
            Kind::Utf7 => Some(shift::utf7_encode(text)),
            Kind::Refused(_) => None,
        };
        bytes.ok_or_else(|| self.failed("the text has a character that is not in code page"))
    }

    fn failed(self, why: &str) -> Error {
        Error::new(Code::CodePage, format!("{why} {}", self.number))
    }
}

/// Stands in a table where the code page has no character.
const NONE: char = '\u{fffd}';

fn single_decode(bytes: &[u8], table: &str, first: usize) -> Option<String> {
    let table: Vec<char> = table.chars().collect();
    let one = |byte: &u8| match usize::from(*byte).checked_sub(first) {
        None => Some(char::from(*byte)),
        Some(at) => table.get(at).copied().filter(|c| *c != NONE),
    };
    bytes.iter().map(one).collect()
}

fn single_encode(text: &str, table: &str, first: usize) -> Option<Vec<u8>> {
    let octets: BinaryHeap<(char, u8)> =
        table.chars().enumerate().filter(|(_, c)| *c != NONE).map(|(at, c)| (c, (at + first) as u8)).collect();
    let octets = octets.into_sorted_vec();
    let one = |c: char| {
        if (c as usize) < first {
            return Some(c as u8);
        }
        // Where two octets are one character, the first is as good.
        let at = octets.partition_point(|(other, _)| *other < c);
        octets.get(at).filter(|(other, _)| *other == c).map(|(_, octet)| *octet)
    };
    text.chars().map(one).collect()
}

#[cfg(test)]
mod tests;
