//! Every row of the list against iconv, and the refused ones with their reasons.

use std::io::Write;
use std::process::{Command, Stdio};

use super::*;

/// Names under which iconv has the pages that it knows by another name than their number.
const NAMES: [(i32, &str); 50] = [
    (37, "IBM037"),
    (437, "IBM437"),
    (500, "IBM500"),
    (708, "ASMO-708"),
    (10000, "MACINTOSH"),
    (10003, "EUC-KR"),
    (10007, "MAC-CYRILLIC"),
    (10008, "GB2312"),
    (10017, "MAC-UK"),
    (10029, "MAC-CENTRALEUROPE"),
    (10079, "MAC-IS"),
    (20105, "ISO_646.IRV:1991"),
    (20106, "DIN_66003"),
    (20107, "SEN_850200_B"),
    (20108, "NS_4551-1"),
    (20127, "ASCII"),
    (20273, "IBM273"),
    (20277, "IBM277"),
    (20278, "IBM278"),
    (20280, "IBM280"),
    (20284, "IBM284"),
    (20285, "IBM285"),
    (20290, "IBM290"),
    (20297, "IBM297"),
    (20420, "IBM420"),
    (20423, "IBM423"),
    (20424, "IBM424"),
    (20866, "KOI8-R"),
    (20871, "IBM871"),
    (20880, "IBM880"),
    (20905, "IBM905"),
    (20932, "EUC-JP"),
    (20936, "GB2312"),
    (21025, "IBM1025"),
    (21866, "KOI8-U"),
    (28591, "ISO-8859-1"),
    (28592, "ISO-8859-2"),
    (28593, "ISO-8859-3"),
    (28594, "ISO-8859-4"),
    (28595, "ISO-8859-5"),
    (28596, "ISO-8859-6"),
    (28597, "ISO-8859-7"),
    (28598, "ISO-8859-8"),
    (28599, "ISO-8859-9"),
    (28605, "ISO-8859-15"),
    (38598, "ISO-8859-8"),
    (51932, "EUC-JP"),
    (51936, "GB2312"),
    (51949, "EUC-KR"),
    (54936, "GB18030"),
];

/// Pages that iconv does not have; their tables are Unicode's own.
const NOT_IN_ICONV: [i32; 6] = [720, 10004, 10006, 10010, 10081, 10082];

fn iconv(from: &str, to: &str, input: &[u8]) -> Option<Vec<u8>> {
    let mut child = Command::new("iconv")
        .args(["-f", from, "-t", to])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("iconv is part of the system");
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    output.status.success().then_some(output.stdout)
}

fn name(number: i32) -> String {
    NAMES
        .iter()
        .find(|(known, _)| *known == number)
        .map_or_else(|| format!("CP{number}"), |(_, name)| (*name).to_string())
}

#[test]
fn the_list_has_every_code_page_once_in_order() {
    assert_eq!(PAGES.len(), 150);
    assert!(PAGES.windows(2).all(|pair| pair[0].0 < pair[1].0));
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[test]
fn every_single_octet_page_converts_like_iconv() {
    let mut checked = 0;
    for (number, kind) in PAGES.iter().filter(|(number, _)| !NOT_IN_ICONV.contains(number)) {
        let (table, first) = match kind {
            Kind::Upper(table) | Kind::Vietnamese(table) => (table, 128),
            Kind::Full(table) => (table, 0),
            _ => continue,
        };
        let page = CodePage::find(*number).unwrap();
        // A full stop after each octet keeps iconv from composing it with the next one.
        let dot = page.encode(".").unwrap()[0];
        let known: Vec<u8> =
            (0..=255).filter(|octet| page.decode(&[*octet]).is_ok()).flat_map(|octet| [octet, dot]).collect();
        let ours = page.decode(&known).unwrap();
        let theirs = iconv(&name(*number), "UTF-8", &known).unwrap_or_else(|| panic!("iconv refuses {number}"));
        assert_eq!(ours.as_bytes(), theirs, "{number}");
        let missing = (0..=255_u8).filter(|octet| page.decode(&[*octet]).is_err()).count();
        let in_table = table.chars().filter(|c| *c != NONE).count() + first;
        assert_eq!(missing + in_table, 256, "{number}");
        checked += 1;
    }
    assert!(checked > 80, "{checked}");
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[test]
fn octets_that_a_page_lacks_are_those_that_iconv_lacks() {
    for number in [708, 857, 874, 1252, 1253, 1255, 20290, 20424, 28597] {
        let page = CodePage::find(number).unwrap();
        for octet in (128..=255_u8).filter(|octet| page.decode(&[*octet]).is_err()) {
            assert_eq!(iconv(&name(number), "UTF-8", &[octet]), None, "{number} {octet:#x}");
        }
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[test]
fn the_pages_of_several_octets_convert_like_iconv() {
    for (number, text) in [
        (932, "日本語のメール、ｶﾅ①"),
        (936, "中文电子邮件镕"),
        (949, "한국어 메일 뷁"),
        (950, "中文電子郵件"),
        (10003, "한국어"),
        (10008, "中文邮件"),
        (20932, "日本語のメール"),
        (20936, "中文邮件"),
        (51932, "日本語のメール"),
        (51936, "中文邮件"),
        (51949, "한국어"),
        (54936, "中文邮件 é 😀"),
        (65001, "é 😀"),
        (1258, "Tiếng Việt: đường phố Hà Nội, ỗ Ỹ ữ ẳ"),
    ] {
        let page = CodePage::find(number).unwrap();
        let ours = page.encode(text).unwrap();
        let name = if number == 65001 { "UTF-8".to_string() } else { name(number) };
        let theirs = iconv("UTF-8", &name, text.as_bytes());
        assert_eq!(Some(&ours), theirs.as_ref(), "{number}");
        assert_eq!(page.decode(&ours).unwrap(), text);
    }
    for (number, from, text) in [
        (10001, "SHIFT_JIS", "日本語のメール"),
        (10002, "BIG5", "中文電子郵件"),
        (50220, "ISO-2022-JP", "日本語のメール"),
        (50221, "ISO-2022-JP", "日本語のメール"),
        (50222, "ISO-2022-JP", "日本語のメール"),
        (50225, "ISO-2022-KR", "한국어 a"),
        (65000, "UTF-7", "é+ 日本 😀"),
    ] {
        let page = CodePage::find(number).unwrap();
        let ours = page.encode(text).unwrap();
        // Shifts may stand elsewhere; what matters is that each reads the other.
        assert_eq!(iconv(from, "UTF-8", &ours).as_deref(), Some(text.as_bytes()), "{number}");
        assert_eq!(page.decode(&iconv("UTF-8", from, text.as_bytes()).unwrap()).unwrap(), text, "{number}");
    }
}

#[test]
fn every_page_converts_ascii_and_back_or_is_refused_with_a_reason() {
    let mut refused = Vec::new();
    for (number, kind) in PAGES {
        match (CodePage::find(*number), kind) {
            (Ok(page), _) => {
                assert_eq!(page.number(), *number);
                let bytes = page.encode("JOE.DOE 0123\r\n").unwrap();
                assert_eq!(page.decode(&bytes).unwrap(), "JOE.DOE 0123\r\n", "{number}");
            }
            (Err(error), Kind::Refused(why)) => {
                assert_eq!(error.code, Code::CodePage);
                assert!(error.message.contains(why) && error.message.contains(&number.to_string()));
                refused.push(*number);
            }
            (Err(error), _) => panic!("{error}"),
        }
    }
    assert_eq!(
        refused,
        [
            709, 710, 1200, 1201, 1361, 10005, 10021, 12000, 12001, 20000, 20001, 20002, 20003, 20004, 20005, 20261,
            20269, 20833, 20838, 20924, 21027, 29001, 50227, 50229, 50930, 50931, 50933, 50935, 50936, 50937, 50939,
            51950, 57002, 57003, 57004, 57005, 57006, 57007, 57008, 57009, 57010, 57011
        ]
    );
}

#[test]
fn ebcdic_and_dos_pages_have_their_letters_where_they_belong() {
    for (number, text, octets) in [
        (37, "Hello, é", &b"\xc8\x85\x93\x93\x96\x6b\x40\x51"[..]),
        (500, "[!]", b"\x4a\x4f\x5a"),
        (1140, "€", b"\x9f"),
        (1141, "€ü", b"\x9f\xd0"),
        (437, "ü█", b"\x81\xdb"),
        (850, "üÁ", b"\x81\xb5"),
        (1252, "€", b"\x80"),
        (10004, "\u{627}", b"\xc7"),
    ] {
        let page = CodePage::find(number).unwrap();
        assert_eq!(page.encode(text).unwrap(), octets, "{number}");
        assert_eq!(page.decode(octets).unwrap(), text, "{number}");
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[test]
fn every_vietnamese_vowel_converts_like_iconv() {
    let page = CodePage::find(1258).unwrap();
    let toned: String = "\u{300}\u{301}\u{303}\u{309}\u{323}"
        .chars()
        .map(|tone| "aăâeêioôơuưyAĂÂEÊIOÔƠUƯY".replace("", &tone.to_string()))
        .collect();
    let joined = vietnamese::join(toned.trim_start_matches(|c: char| !c.is_alphabetic()));
    assert_eq!(joined.chars().filter(|c| c.is_alphabetic()).count(), 120);
    let ours = page.encode(&joined).unwrap();
    assert_eq!(Some(&ours), iconv("UTF-8", "CP1258", joined.as_bytes()).as_ref());
    assert_eq!(page.decode(&ours).unwrap(), String::from_utf8(iconv("CP1258", "UTF-8", &ours).unwrap()).unwrap());
}

#[test]
fn text_that_does_not_fit_is_error_434() {
    for (number, text) in [(437, "€"), (1252, "日"), (20127, "é"), (51936, "镕"), (52936, "é😀"), (28591, "€")]
    {
        assert_eq!(CodePage::find(number).unwrap().encode(text).unwrap_err().code, Code::CodePage, "{number}");
    }
    for (number, bytes) in
        [(1252, &b"\x81"[..]), (20127, b"\x80"), (932, b"\x81"), (65001, b"\xff"), (51936, b"\xe9F"), (65000, b"+!")]
    {
        assert_eq!(CodePage::find(number).unwrap().decode(bytes).unwrap_err().code, Code::CodePage, "{number}");
    }
    for number in [0, -1, 1, 42, 65002, i32::MAX] {
        assert_eq!(CodePage::find(number).unwrap_err().code, Code::CodePage);
    }
}
