//! The characters that end a line, and the check that keeps them out of addresses, hosts and header values (ruling 7).

use crate::error::{Code, Error, Result};

/// Whether a text holds CR, LF or NUL, the three that could start a line or end a text where the caller meant none.
pub fn has_crlf_nul(text: &str) -> bool {
    // Not memchr: its wide registers would leave pieces of a password on the stack.
    text.bytes().any(|b| matches!(b, b'\r' | b'\n' | 0))
}

/// Refuses CR, LF and NUL (603). `what` names the property; its text is not repeated, for it may be long or a secret.
pub fn refuse_crlf_nul(what: &str, text: &str) -> Result<()> {
    if has_crlf_nul(text) {
        return Err(Error::new(Code::ValueRefused, format!("{what} must not contain CR, LF or NUL")));
    }
    Ok(())
}

/// As [`refuse_crlf_nul`], but a header value may be folded already: CRLF that a blank or tab follows, and no blank line.
pub fn refuse_unfoldable(what: &str, text: &str) -> Result<()> {
    if !has_crlf_nul(text) {
        return Ok(());
    }
    let refused =
        || Error::new(Code::ValueRefused, format!("{what} must not contain CR, LF or NUL, except in folding"));
    let mut lines = text.split("\r\n");
    let first = lines.next().unwrap_or_default();
    if has_crlf_nul(first) {
        return Err(refused());
    }
    for line in lines {
        // A line of blanks alone would end the header section for a careless reader.
        if has_crlf_nul(line) || !line.starts_with([' ', '\t']) || line.trim_matches([' ', '\t']).is_empty() {
            return Err(refused());
        }
    }
    Ok(())
}

/// A folded value on one line: the line ends go, the blanks behind them stay (RFC 5322 section 2.2.3).
pub fn unfold(text: &str) -> std::borrow::Cow<'_, str> {
    if has_crlf_nul(text) { text.replace("\r\n", "").into() } else { text.into() }
}

/// Text is looked at in blocks of this size first: nearly all of it needs no repair, and that is found much faster.
pub const BLOCK: usize = 16 * 1024;

/// How many of the next bytes, at most a block, have no bare CR and no bare LF; 0 where the first few have.
pub fn canonical_block(bytes: &[u8]) -> usize {
    let mut block = &bytes[..bytes.len().min(BLOCK)];
    // The LF of a CR at the end is in the next block.
    if let [rest @ .., b'\r'] = block {
        block = rest;
    }
    let Some((&first, rest)) = block.split_first() else { return 0 };
    // One comparison without a branch for each pair, which the compiler makes wide.
    let pairs = block.iter().zip(rest);
    let broken = pairs.fold(false, |broken, (a, b)| broken | ((*a == b'\r') != (*b == b'\n')));
    if broken || first == b'\n' || block.ends_with(b"\r") { 0 } else { block.len() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_value_may_be_folded_and_nothing_else() {
        for fine in ["", "a", "a\r\n b", "a\r\n\tb\r\n c"] {
            assert!(refuse_unfoldable("x", fine).is_ok(), "{fine:?}");
        }
        for bad in [
            "\r",
            "\n",
            "\0",
            "a\r\nb",
            "a\r\n",
            "a\r\n ",
            "a\r\n \r\n b",
            "a\n b",
            "a\r b",
            "a\r\n\r\n b",
            "a\r\n b\0",
        ] {
            let error = refuse_unfoldable("Subject", bad).unwrap_err();
            assert_eq!((error.code, error.message.starts_with("Subject")), (Code::ValueRefused, true), "{bad:?}");
        }
    }

    #[test]
    fn cr_lf_and_nul_are_refused_wherever_they_stand() {
        for bad in ["\ra", "a\n", "a\0b"] {
            assert_eq!(refuse_crlf_nul("Hello", bad).unwrap_err().code, Code::ValueRefused);
        }
        assert!(refuse_crlf_nul("Hello", "a\u{85}\u{2028}b").is_ok());
    }

    #[test]
    fn unfolding_keeps_the_blanks() {
        assert_eq!(unfold("a\r\n  b"), "a  b");
    }
}
