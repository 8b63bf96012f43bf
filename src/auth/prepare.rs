//! SASLprep (RFC 4013), the preparation of user names and passwords that SCRAM asks of the client (RFC 5802 section
//! 2.2).

use crate::auth::refused;
use crate::error::Result;
use zeroize::Zeroizing;

/// The prepared text, or 603 when it holds what SASLprep forbids; `what` names the property. Code points that Unicode
/// 3.2 didn't have are refused: what a server makes of them depends on its age.
pub fn saslprep(name: &str, what: &str, text: &str) -> Result<Zeroizing<String>> {
    // The crate's error names the character, which may be one of a password.
    match stringprep::saslprep(text) {
        Ok(prepared) => Ok(Zeroizing::new(prepared.into_owned())),
        Err(_) => Err(refused(name, &format!("{what} has characters that SASLprep (RFC 4013) forbids"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    fn prepared(text: &str) -> Option<String> {
        saslprep("SCRAM", "Password", text).ok().map(|t| t.to_string())
    }

    #[test]
    fn the_examples_of_rfc_4013_section_3_come_out_as_there() {
        for (text, result) in [
            ("I\u{ad}X", Some("IX")),
            ("user", Some("user")),
            ("USER", Some("USER")),
            ("\u{aa}", Some("a")),
            ("\u{2168}", Some("IX")),
            ("\u{7}", None),
            ("\u{627}1", None),
            ("a\u{a0}b", Some("a b")),
        ] {
            assert_eq!(prepared(text).as_deref(), result, "{text:?}");
        }
    }

    #[test]
    fn the_error_names_the_property_and_no_character_of_it() {
        let error = saslprep("SCRAM-SHA-1", "Password", "hunter2\u{1f600}").unwrap_err();
        assert_eq!(error.code, Code::ValueRefused);
        assert!(error.message.contains("Password") && !error.message.contains("hunter2"), "{}", error.message);
        assert!(!error.message.contains('\u{1f600}'));
    }
}
