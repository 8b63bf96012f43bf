//! RFC 2047 section 8 and any text at all, decoded again by a decoder of the test's own.

use proptest::prelude::*;

use super::*;
use crate::text::fold::{self, Style};

/// Decodes encoded words as RFC 2047 section 6 says, without anything of the encoder.
pub fn decode(value: &str) -> String {
    let mut out = String::new();
    let mut blank = String::new();
    let mut after_word = false;
    for piece in value.split_inclusive([' ', '\t']) {
        let text = piece.trim_end_matches([' ', '\t']);
        match decode_word(text) {
            Some(decoded) => {
                if !after_word {
                    out.push_str(&blank);
                }
                out.push_str(&decoded);
                after_word = true;
                blank.clear();
            }
            None if text.is_empty() => {}
            None => {
                out.push_str(&blank);
                out.push_str(text);
                after_word = false;
                blank.clear();
            }
        }
        blank.push_str(&piece[text.len()..]);
    }
    out
}

fn decode_word(word: &str) -> Option<String> {
    let inner = word.strip_prefix("=?")?.strip_suffix("?=")?;
    let parts: Vec<&str> = inner.split('?').collect();
    let [charset, method, text] = parts[..] else { return None };
    assert!(word.len() <= 75, "{word}");
    let bytes = match method {
        "B" | "b" => STANDARD.decode_to_vec(text).expect("Base64"),
        "Q" | "q" => {
            let mut bytes = Vec::new();
            let mut rest = text.bytes();
            while let Some(b) = rest.next() {
                bytes.push(match b {
                    b'_' => b' ',
                    b'=' => {
                        let pair = [rest.next()?, rest.next()?];
                        u8::from_str_radix(std::str::from_utf8(&pair).ok()?, 16).ok()?
                    }
                    b => b,
                });
            }
            bytes
        }
        _ => return None,
    };
    let encoding = encoding_rs::Encoding::for_label(charset.as_bytes())?;
    // Each word must decode alone, or a character was cut in two.
    let (text, malformed) = encoding.decode_without_bom_handling(&bytes);
    assert!(!malformed, "{word}");
    Some(text.into_owned())
}

/// The value of a field, unfolded, after checks that hold for every field.
fn checked(field: &str) -> String {
    let lines = field.strip_suffix("\r\n").expect("ends its line");
    assert!(field.is_ascii());
    for (number, line) in lines.split("\r\n").enumerate() {
        assert!(line.len() <= 998 && !line.contains(['\r', '\n', '\0']), "{line}");
        assert!(!line.contains("=?") || line.len() <= 76, "{line}");
        assert!(number == 0 || line.starts_with([' ', '\t']) && !line.trim().is_empty(), "{line:?}");
    }
    let value = lines.replace("\r\n", "");
    let value = value.split_once(':').expect("a name").1;
    value.strip_prefix(' ').unwrap_or(value).to_string()
}

fn with(charset: &str) -> Style {
    Style { charset: Some(Charset::find(charset).unwrap()), ..Style::default() }
}

#[test]
fn the_decoder_reads_the_examples_of_rfc_2047_section_8() {
    for (encoded, text) in [
        ("=?ISO-8859-1?Q?a?=", "a"),
        ("=?ISO-8859-1?Q?a?= b", "a b"),
        ("=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=", "ab"),
        ("=?ISO-8859-1?Q?a?=  =?ISO-8859-1?Q?b?=", "ab"),
        ("=?ISO-8859-1?Q?a_b?=", "a b"),
        ("=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=", "a b"),
        ("=?US-ASCII?Q?Keith_Moore?=", "Keith Moore"),
        ("=?ISO-8859-1?Q?Keld_J=F8rn_Simonsen?=", "Keld Jørn Simonsen"),
        ("=?ISO-8859-1?B?SWYgeW91IGNhbiByZWFkIHRoaXMgeW8=?=", "If you can read this yo"),
        ("=?ISO-8859-1?Q?Andr=E9?= Pirard", "André Pirard"),
    ] {
        assert_eq!(decode(encoded), text);
    }
}

#[test]
fn the_encoder_writes_the_names_of_rfc_2047_section_8_in_their_charset() {
    let name = |text: &str, charset: &str| {
        let style = with(charset);
        let mut field = FieldWriter::new("From", &style);
        phrase(&mut field, text);
        checked(&field.finish())
    };
    assert_eq!(name("Keld Jørn Simonsen", "ISO-8859-1"), "=?ISO-8859-1?Q?Keld_J=F8rn_Simonsen?=");
    assert_eq!(name("Olle Järnefors", "ISO-8859-1"), "=?ISO-8859-1?Q?Olle_J=E4rnefors?=");
    assert_eq!(name("Patrik Fältström", "ISO-8859-1"), "=?ISO-8859-1?Q?Patrik_F=E4ltstr=F6m?=");
    assert_eq!(name("נתן", "iso-8859-8"), "=?iso-8859-8?B?8Prv?=");
}

#[test]
fn only_the_words_that_need_it_are_encoded_and_blanks_between_them_survive() {
    let style = Style::default();
    assert_eq!(
        fold::unstructured("Subject", "Plan für  übermorgen, as said", &style),
        "Subject: Plan =?utf-8?B?ZsO8ciAgw7xiZXJtb3JnZW4s?= as said\r\n"
    );
    assert_eq!(
        fold::unstructured("Subject", "日本語のメール", &style),
        "Subject: =?utf-8?B?5pel5pys6Kqe44Gu44Oh44O844Or?=\r\n"
    );
}

#[test]
fn what_the_caller_encoded_goes_as_it_is_unless_a_charset_is_set_or_it_stands_beside_encoded_text() {
    let own = "=?utf-8?Q?f=C3=BCr?= you";
    assert_eq!(fold::unstructured("Subject", own, &Style::default()), format!("Subject: {own}\r\n"));
    assert_eq!(decode(&checked(&fold::unstructured("Subject", own, &with("utf-8")))), own);
    let mixed = format!("{own} ü");
    assert_eq!(decode(&checked(&fold::unstructured("Subject", &mixed, &Style::default()))), mixed);
}

#[test]
fn a_word_of_100_kib_without_blanks_is_encoded_in_pieces() {
    for text in ["x".repeat(100 << 10), "ü".repeat(50 << 10)] {
        assert_eq!(decode(&checked(&fold::unstructured("Subject", &text, &Style::default()))), text);
    }
}

#[test]
fn text_beyond_the_charset_goes_as_utf_8() {
    let field = fold::unstructured("Subject", "日本 ü", &with("iso-8859-1"));
    assert!(field.contains("=?utf-8?"), "{field}");
}

#[test]
fn in_a_message_with_smtputf8_text_goes_raw_but_control_characters_do_not() {
    let style = Style { utf8: true, ..Style::default() };
    assert_eq!(fold::unstructured("Subject", "Grüße", &style), "Subject: Grüße\r\n");
    assert_eq!(
        decode(fold::unstructured("Subject", "a\u{7}b ü", &style).trim_start_matches("Subject: ").trim()),
        "a\u{7}b ü"
    );
}

#[test]
fn names_are_atoms_or_quoted_or_encoded() {
    for (name, text) in [
        ("Joe Doe", "Joe Doe"),
        ("Joe Q. Public", "\"Joe Q. Public\""),
        ("Doe, Joe", "\"Doe, Joe\""),
        ("a\"b\\c", r#""a\"b\\c""#),
        ("J\u{f6}rg", "=?utf-8?B?SsO2cmc=?="),
        ("a\tb", "=?utf-8?B?YQli?="),
    ] {
        let style = Style::default();
        let mut field = FieldWriter::new("To", &style);
        phrase(&mut field, name);
        assert_eq!(checked(&field.finish()), text);
    }
}

fn any_charset() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "utf-8",
        "iso-8859-1",
        "windows-1251",
        "koi8-r",
        "iso-2022-jp",
        "gb18030",
        "shift_jis",
        "euc-kr",
        "big5",
    ])
}

proptest! {
    #[test]
    fn any_subject_decodes_back(text in "\\PC{0,200}|[ -~\t]{0,300}|[äöü €日本語я=?_ ]{0,120}|(?s:.){0,60}", max in 1usize..200, fold in any::<bool>()) {
        let text = text.replace(['\r', '\n', '\0'], "");
        let trimmed = text.trim_matches([' ', '\t']);
        prop_assume!(!(trimmed.is_ascii() && trimmed.contains("=?")));
        let style = Style { max, fold, ..Style::default() };
        let field = fold::unstructured("Subject", &text, &style);
        if fold {
            prop_assert_eq!(decode(&checked(&field)), trimmed);
        } else {
            let value = field.replace("\r\n", "");
            prop_assert_eq!(decode(value.strip_prefix("Subject:").unwrap().trim_matches([' ', '\t'])), trimmed);
            prop_assert!(field.split("\r\n").all(|line| line.len() <= 998));
        }
    }

    #[test]
    fn any_subject_decodes_back_in_any_charset(text in "\\PC{0,120}|[ -~]{0,200}|[äöüéß ]{0,100}|[а-я ]{0,100}|[日本語メール ]{0,80}", charset in any_charset()) {
        let field = fold::unstructured("Subject", &text, &with(charset));
        prop_assert_eq!(decode(&checked(&field)), text.trim_matches([' ', '\t']));
    }

    #[test]
    fn any_name_decodes_back(text in "\\PC{1,120}|[ -~]{1,100}|[äöü, ]{1,60}") {
        let style = with("utf-8");
        let mut field = FieldWriter::new("From", &style);
        phrase(&mut field, &text);
        let value = checked(&field.finish());
        let read = match value.strip_prefix('"').and_then(|v| v.strip_suffix('"')) {
            Some(inner) => {
                let mut plain = String::new();
                let mut rest = inner.chars();
                while let Some(c) = rest.next() {
                    plain.push(if c == '\\' { rest.next().unwrap() } else { c });
                }
                plain
            }
            None => decode(&value),
        };
        prop_assert_eq!(read, text);
    }
}
