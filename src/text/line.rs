//! The characters that end a line, and the check that keeps them out of addresses, hosts and header values (ruling 7).

use crate::error::{Code, Error, Result};

pub use ssmtp_octets::lines::{BLOCK, canonical_block};

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
