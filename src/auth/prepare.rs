//! SASLprep (RFC 4013), the preparation of user names and passwords that SCRAM asks of the client (RFC 5802 section
//! 2.2).

use crate::auth::refused;
use crate::error::Result;
use icu_normalizer::ComposingNormalizerBorrowed;
use icu_properties::CodePointMapData;
use icu_properties::props::BidiClass;
use stringprep::tables;
use zeroize::Zeroizing;

/// The prepared text, or 603 when it holds what SASLprep forbids; `what` names the property. Code points that Unicode
/// 3.2 didn't have are refused: what a server makes of them depends on its age.
pub fn saslprep(name: &str, what: &str, text: &str) -> Result<Zeroizing<String>> {
    // The error does not name the character, which may be one of a password.
    prepare(text).ok_or_else(|| refused(name, &format!("{what} has characters that SASLprep (RFC 4013) forbids")))
}

/// The steps of RFC 4013 §2. `stringprep::saslprep` would do the same, and bring a second normaliser with its tables beside
/// that of the host names.
fn prepare(text: &str) -> Option<Zeroizing<String>> {
    if text.chars().all(|c| c.is_ascii() && !c.is_ascii_control()) {
        return Some(Zeroizing::new(text.to_string()));
    }
    let space = |c| if tables::non_ascii_space_character(c) { ' ' } else { c };
    let mut mapped = Zeroizing::new(String::with_capacity(text.len()));
    mapped.extend(text.chars().map(space).filter(|c| !tables::commonly_mapped_to_nothing(*c)));
    // No character grows more than U+FDFA does, and growing would leave copies of a password behind.
    let mut prepared = Zeroizing::new(String::with_capacity(11 * mapped.len()));
    prepared.extend(ComposingNormalizerBorrowed::new_nfkc().normalize_iter(mapped.chars()));
    let fine = !prepared.chars().any(|c| prohibited(c) || tables::unassigned_code_point(c)) && reads_one_way(&prepared);
    fine.then_some(prepared)
}

/// RFC 4013 §2.3.
fn prohibited(c: char) -> bool {
    tables::non_ascii_space_character(c)
        || tables::ascii_control_character(c)
        || tables::non_ascii_control_character(c)
        || tables::private_use(c)
        || tables::non_character_code_point(c)
        || tables::inappropriate_for_plain_text(c)
        || tables::inappropriate_for_canonical_representation(c)
        || tables::change_display_properties_or_deprecated(c)
        || tables::tagging_character(c)
}

/// RFC 3454 §6: text from right to left begins and ends so, and has no letter from left to right.
fn reads_one_way(text: &str) -> bool {
    let class = |c| CodePointMapData::<BidiClass>::new().get(c);
    let leftward = |c| matches!(class(c), BidiClass::RightToLeft | BidiClass::ArabicLetter);
    !text.contains(leftward)
        || text.starts_with(leftward)
            && text.ends_with(leftward)
            && !text.contains(|c| class(c) == BidiClass::LeftToRight)
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

    /// Each code point alone, and beside what combines with it or reads the other way.
    #[test]
    fn it_prepares_as_the_crate_does() {
        for c in (0..=0x10ffff).filter_map(char::from_u32) {
            for text in [format!("{c}"), format!("a{c}\u{301}"), format!("\u{627}{c}\u{627}"), format!("{c}\u{5d0}")] {
                assert_eq!(
                    prepare(&text).as_deref().map(String::as_str),
                    stringprep::saslprep(&text).ok().as_deref(),
                    "{text:?}"
                );
            }
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
