//! Parameters of RCPT as a caller writes them: `NOTIFY SUCCESS,FAILURE`, `NOTIFY=NEVER;ORCPT=rfc822;a@b.example` (ruling 36, RFC 3461).

use crate::error::{Code, Error, Result};

/// More does not fit into a command line of any server (RFC 3461 adds 500 octets to it).
const LONGEST: usize = 2000;
/// Words that a value may follow behind a blank.
const WITH_VALUE: [&str; 4] = ["NOTIFY", "ORCPT", "RRVS", "BY"];

/// The parameters of a text, each as `KEYWORD=VALUE` or `KEYWORD`; 165 when one is malformed.
pub fn parse(text: &str) -> Result<Vec<String>> {
    if text.len() > LONGEST {
        return Err(Error::new(Code::NoRecipient, "the options of a recipient are too long for a command"));
    }
    let mut options: Vec<String> = Vec::new();
    for (semicolon, word) in words(text) {
        let refused = || Error::new(Code::NoRecipient, format!("the recipient option {word:?} is malformed"));
        if !word.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(refused());
        }
        if let Some(last) = options.last_mut()
            && belongs_to(last, semicolon, word)
        {
            let (keyword, value) = last.split_once('=').unwrap_or((last.as_str(), ""));
            // Between the values of NOTIFY stands a comma, between the parts of the others a semicolon.
            let between = match (keyword, value) {
                (_, "") => "",
                ("NOTIFY", value) if value.ends_with(',') || word.starts_with(',') => "",
                ("NOTIFY", _) => ",",
                _ => ";",
            };
            *last = format!("{keyword}={value}{between}{word}");
            continue;
        }
        let (keyword, value) = word.split_once('=').map_or((word, None), |(keyword, value)| (keyword, Some(value)));
        let name = |keyword: &str| {
            keyword.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                && keyword.starts_with(|c: char| c.is_ascii_alphanumeric())
        };
        if !name(keyword) || value == Some("") {
            return Err(refused());
        }
        let keyword = keyword.to_ascii_uppercase();
        options.push(value.map_or(keyword.clone(), |value| format!("{keyword}={value}")));
    }
    for option in &mut options {
        *option = checked(std::mem::take(option))?;
    }
    Ok(options)
}

/// Words with whether a semicolon stood before each.
fn words(text: &str) -> Vec<(bool, &str)> {
    let mut words = Vec::new();
    let mut semicolon = false;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if c == ' ' || c == '\t' || c == ';' {
            semicolon |= c == ';';
            rest = &rest[1..];
            continue;
        }
        let end = rest.find([' ', '\t', ';']).unwrap_or(rest.len());
        words.push((std::mem::take(&mut semicolon), &rest[..end]));
        rest = &rest[end..];
    }
    words
}

/// Whether a word goes on the option before it.
fn belongs_to(last: &str, semicolon: bool, word: &str) -> bool {
    let (keyword, value) = last.split_once('=').unwrap_or((last, ""));
    let bare = !word.contains('=');
    match keyword {
        // `ORCPT rfc822;joe@doe.example`: the type, then the address, which may contain an equals sign.
        "ORCPT" => value.is_empty() && !semicolon || !value.is_empty() && semicolon && !value.contains(';'),
        "RRVS" => bare && (value.is_empty() || semicolon && matches!(word, "C" | "R")),
        "BY" => bare && (value.is_empty() || semicolon),
        "NOTIFY" => {
            bare && (value.is_empty()
                || value.ends_with(',')
                || word.starts_with(',')
                || word.split(',').all(is_notify) && !semicolon)
        }
        _ => false,
    }
}

fn is_notify(word: &str) -> bool {
    ["NEVER", "SUCCESS", "FAILURE", "DELAY"].iter().any(|known| known.eq_ignore_ascii_case(word))
}

fn checked(option: String) -> Result<String> {
    let refused = |option: &str| Error::new(Code::NoRecipient, format!("the recipient option {option:?} is malformed"));
    let Some((keyword, value)) = option.split_once('=') else {
        return if WITH_VALUE.contains(&option.as_str()) { Err(refused(&option)) } else { Ok(option) };
    };
    if keyword == "NOTIFY" {
        let value = value.to_ascii_uppercase();
        if !value.split(',').all(is_notify) || value.contains(',') && value.split(',').any(|word| word == "NEVER") {
            return Err(refused(&option));
        }
        return Ok(format!("NOTIFY={value}"));
    }
    if keyword == "ORCPT" {
        // The address is xtext (RFC 3461 section 4): plus and equals only as hexadecimal.
        let (kind, address) = value
            .split_once(';')
            .filter(|(kind, address)| !kind.is_empty() && !address.is_empty())
            .ok_or_else(|| refused(&option))?;
        return Ok(format!("ORCPT={kind};{}", xtext(address)));
    }
    // An esmtp-value has no equals sign (RFC 5321 section 4.1.2).
    if value.contains('=') { Err(refused(&option)) } else { Ok(option) }
}

/// xtext of RFC 3461 section 4, leaving what is xtext already.
fn xtext(text: &str) -> String {
    let is_hex = |pair: Option<&[u8]>| {
        pair.is_some_and(|pair| pair.iter().all(|b| b.is_ascii_digit() || (b'A'..=b'F').contains(b)))
    };
    let mut out = String::new();
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'+' if is_hex(text.as_bytes().get(at + 1..at + 3)) => out.push('+'),
            b'+' | b'=' => out.push_str(&format!("+{byte:02X}")),
            byte => out.push(char::from(byte)),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_go_out_with_an_equals_sign_however_they_are_written() {
        for (text, expected) in [
            ("", &[][..]),
            (" ; ", &[]),
            ("NOTIFY SUCCESS,FAILURE,DELAY", &["NOTIFY=SUCCESS,FAILURE,DELAY"]),
            ("NOTIFY=SUCCESS,FAILURE", &["NOTIFY=SUCCESS,FAILURE"]),
            ("notify=never", &["NOTIFY=NEVER"]),
            ("NOTIFY SUCCESS, FAILURE", &["NOTIFY=SUCCESS,FAILURE"]),
            ("NOTIFY SUCCESS FAILURE", &["NOTIFY=SUCCESS,FAILURE"]),
            ("NOTIFY=SUCCESS;ORCPT=rfc822;joe@doe.example", &["NOTIFY=SUCCESS", "ORCPT=rfc822;joe@doe.example"]),
            ("ORCPT rfc822;joe+x@doe.example;NOTIFY DELAY", &["ORCPT=rfc822;joe+2Bx@doe.example", "NOTIFY=DELAY"]),
            ("ORCPT=rfc822;joe+2Bx@doe.example", &["ORCPT=rfc822;joe+2Bx@doe.example"]),
            ("RRVS=2014-04-03T23:01:00Z;C NOTIFY NEVER", &["RRVS=2014-04-03T23:01:00Z;C", "NOTIFY=NEVER"]),
            ("X-FLAG", &["X-FLAG"]),
            ("X-FLAG;X-MORE=1", &["X-FLAG", "X-MORE=1"]),
        ] {
            assert_eq!(parse(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn malformed_options_are_error_165() {
        for text in [
            "NOTIFY",
            "NOTIFY=",
            "NOTIFY SOON",
            "NOTIFY=NEVER,DELAY",
            "ORCPT=rfc822",
            "=x",
            "-a",
            "a=b=c",
            "a<b",
            "ä=b",
            "NOTIFY=SUCCESS,,DELAY",
        ] {
            assert_eq!(parse(text).unwrap_err().code, Code::NoRecipient, "{text}");
        }
        assert!(parse(&"NOTIFY SUCCESS ".repeat(200)).is_err());
    }
}
