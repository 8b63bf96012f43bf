//! Distinguished names as text (ruling 37): RFC 4514 order, joined by a comma and a blank, CN O OU L S C E by name and other
//! attributes by number, values with special characters in quotes; and how two such texts compare.

use super::der::{self, Reader};
use super::fault::Read;
use icu_normalizer::uts46::Uts46MapperBorrowed;

/// The text of a Name. An empty one is "".
pub fn text(name: &[u8]) -> Read<String> {
    let mut relative = Vec::new();
    let mut names = der::only_sequence(name)?;
    while !names.is_empty() {
        let mut set = Reader::new(names.expect(der::SET)?);
        let mut parts = Vec::new();
        while !set.is_empty() {
            let mut attribute = set.sequence()?;
            let oid = attribute.oid()?;
            let value = attribute.value()?;
            parts.push(format!("{}={}", key(oid), quoted(&value_text(value))));
        }
        relative.push(parts.join(" + "));
    }
    relative.reverse();
    Ok(relative.join(", "))
}

/// The mail addresses in the name's emailAddress attributes.
pub fn emails(name: &[u8]) -> Read<Vec<String>> {
    let mut found = Vec::new();
    let mut names = der::only_sequence(name)?;
    while !names.is_empty() {
        let mut set = Reader::new(names.expect(der::SET)?);
        while !set.is_empty() {
            let mut attribute = set.sequence()?;
            if key(attribute.oid()?) == "E" {
                found.push(value_text(attribute.value()?));
            }
        }
    }
    Ok(found)
}

fn key(oid: &[u8]) -> String {
    match oid {
        [0x55, 4, 3] => "CN".into(),
        [0x55, 4, 10] => "O".into(),
        [0x55, 4, 11] => "OU".into(),
        [0x55, 4, 7] => "L".into(),
        [0x55, 4, 8] => "S".into(),
        [0x55, 4, 6] => "C".into(),
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1] => "E".into(),
        other => der::dotted(other),
    }
}

/// The characters of a value; one of a type without text is `#` and its octets (RFC 4514 §2.4).
fn value_text(value: der::Value<'_>) -> String {
    let bytes = value.content;
    match value.tag {
        0x0c | 0x12 | 0x13 | 0x16 | 0x1a => String::from_utf8_lossy(bytes).into_owned(),
        // T61String holds Latin-1 in practice.
        0x14 => bytes.iter().map(|b| char::from(*b)).collect(),
        0x1e => {
            let units = bytes.chunks_exact(2).map(|c| u16::from_be_bytes([c[0], c[1]]));
            char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
        }
        0x1c => bytes
            .chunks_exact(4)
            .map(|c| {
                char::from_u32(u32::from_be_bytes([c[0], c[1], c[2], c[3]])).unwrap_or(char::REPLACEMENT_CHARACTER)
            })
            .collect(),
        _ => format!("#{}", super::hex(value.whole, false, "")),
    }
}

/// In quotes where another reader would take the value apart. Control characters (a NUL that would cut the name) are escaped.
fn quoted(value: &str) -> String {
    let special = |c: char| matches!(c, ',' | '+' | '=' | '"' | '\\' | '<' | '>' | ';') || c.is_control();
    if !value.contains(special) && value.trim() == value && !value.is_empty() {
        return value.to_owned();
    }
    let mut out = String::from("\"");
    for c in value.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => c.to_string().bytes().for_each(|b| out.push_str(&format!("\\{b:02X}"))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// The form in which two names are compared: lower case, no blanks after the commas outside of quotes.
pub fn comparable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut inside, mut escaped, mut after_comma) = (false, false, false);
    for c in text.trim().chars() {
        if after_comma && c.is_whitespace() {
            continue;
        }
        after_comma = c == ',' && !inside;
        if c == '"' && !escaped {
            inside = !inside;
        }
        escaped = c == '\\' && !escaped;
        if c.is_ascii() {
            out.push(c.to_ascii_lowercase());
        } else {
            out.push_str(&folded(c));
        }
    }
    out
}

/// Without case, as RFC 5280 §7.1 compares names: the mapping of UTS 46, which is there for host names, folds case and
/// compatible forms. A character that no host name has stays as it is.
fn folded(c: char) -> String {
    let own = c.to_string();
    let mapped: String = Uts46MapperBorrowed::new().map_normalize(own.chars()).collect();
    if mapped.is_empty() || mapped.contains(char::REPLACEMENT_CHARACTER) { own } else { mapped }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_compare_without_case_and_blanks_after_commas() {
        assert_eq!(comparable(" CN=Ann,  O=\"A,  B\", C=DE "), "cn=ann,o=\"a,  b\",c=de");
    }

    #[test]
    fn what_differs_in_case_alone_compares_as_equal() {
        for c in (0..=0x10ffff).filter_map(char::from_u32) {
            let lower: String = c.to_lowercase().collect();
            assert_eq!(comparable(&format!("a{c}a")), comparable(&format!("A{lower}A")), "{c:?}");
        }
        for (one, other) in [("Ärger", "äRGER"), ("Άλφα", "άΛΦΑ"), ("ЖУК", "жук"), ("İ", "i\u{307}")] {
            assert_eq!(comparable(one), comparable(other));
        }
        for (one, other) in [("Arger", "Ärger"), ("\u{e000}", "\u{e001}"), ("\u{200e}", "\u{200f}"), ("ı", "i")] {
            assert_ne!(comparable(one), comparable(other));
        }
    }

    #[test]
    fn what_would_be_taken_apart_stands_in_quotes() {
        assert_eq!(quoted("plain text"), "plain text");
        assert_eq!(quoted("a, b"), "\"a, b\"");
        assert_eq!(quoted("say \"hi\""), "\"say \\\"hi\\\"\"");
        assert_eq!(quoted("good.com\0.evil"), "\"good.com\\00.evil\"");
        assert_eq!(quoted(" a"), "\" a\"");
    }
}
