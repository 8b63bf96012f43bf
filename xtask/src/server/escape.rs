//! `\r \n \t \0 \\ \xNN` in what a person writes, and any bytes shown so that a person can read them.

/// The bytes that a text with escapes stands for.
pub fn unescape(text: &str) -> Result<Vec<u8>, String> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first != b'\\' {
            out.push(*first);
            continue;
        }
        let (byte, used) = match rest {
            [b'r', ..] => (b'\r', 1),
            [b'n', ..] => (b'\n', 1),
            [b't', ..] => (b'\t', 1),
            [b'0', ..] => (0, 1),
            [b'\\', ..] => (b'\\', 1),
            [b'x', high, low, ..] => match (digit(*high), digit(*low)) {
                (Some(high), Some(low)) => (high * 16 + low, 3),
                _ => return Err(format!("{text}: \\x wants two hexadecimal digits")),
            },
            _ => return Err(format!("{text}: the escapes are \\r \\n \\t \\0 \\\\ \\xNN")),
        };
        out.push(byte);
        rest = &rest[used..];
    }
    Ok(out)
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).map(|d| d as u8)
}

/// Bytes on one line, without anything that a terminal would act on.
pub fn show(bytes: &[u8]) -> String {
    let mut out = String::new();
    for c in String::from_utf8_lossy(bytes).chars() {
        match c {
            '\r' => out.push_str("\\r"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => out.push_str(&format!("\\x{:02x}", c as u32)),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_stand_for_their_bytes() {
        assert_eq!(unescape(r"a\r\n\t\0\\\x41\xff é").unwrap(), b"a\r\n\t\0\\A\xff \xc3\xa9");
        for wrong in [r"\", r"\q", r"\x4", r"\xzz"] {
            assert!(unescape(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_shown_has_no_control_characters() {
        assert_eq!(show(b"a\r\n\x1b[2J\x07\xff\xc2\x9b"), "a\\r\\n\\x1b[2J\\x07\u{fffd}\\x9b");
    }
}
