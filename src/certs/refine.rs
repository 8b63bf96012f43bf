//! The configuration string of a Certificate: lines of `Name=Value` that refine which entry of a store is taken.

use crate::error::{Code, Error, Result};

/// What the lines say.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Refinement {
    /// Upper-case digits of one of the three hashes.
    pub thumbprint: Option<String>,
}

/// Hexadecimal digits of MD5, SHA-1 and SHA-256.
const DIGITS: [usize; 3] = [32, 40, 64];

impl Refinement {
    /// Names in any case; blanks around names and values, and empty lines, do not count.
    pub fn parse(text: &str) -> Result<Refinement> {
        let mut found = Refinement::default();
        for line in text.split(['\n', '\r']).map(str::trim).filter(|l| !l.is_empty()) {
            let (name, value) = line.split_once('=').unwrap_or((line, ""));
            match name.trim().to_ascii_lowercase().as_str() {
                "thumbprint" => found.thumbprint = thumbprint(value)?,
                // They choose between ways that Windows has: keys are never kept here, and there is one reader.
                "persistpfxkey" | "useinternalsecurityapi" => {}
                _ => {
                    let shown: String = name.chars().filter(|c| !c.is_control()).take(40).collect();
                    let why = format!("the configuration string of a certificate has no {}", shown.trim());
                    return Err(Error::new(Code::UnknownName, why));
                }
            }
        }
        Ok(found)
    }
}

/// Case, colons and blanks do not count. An empty one asks for nothing.
fn thumbprint(value: &str) -> Result<Option<String>> {
    let digits: String =
        value.chars().filter(|c| !c.is_whitespace() && *c != ':').map(|c| c.to_ascii_uppercase()).collect();
    match digits.len() {
        0 => Ok(None),
        n if DIGITS.contains(&n) && digits.bytes().all(|b| b.is_ascii_hexdigit()) => Ok(Some(digits)),
        _ => Err(Error::new(
            Code::ValueRefused,
            "a Thumbprint has 32, 40 or 64 hexadecimal digits (MD5, SHA-1 or SHA-256)",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thumbprint_is_read_in_any_case_with_colons_and_blanks() {
        for text in [
            "Thumbprint=0123456789abcdef0123456789ABCDEF",
            "PersistPFXKey=False\r\n\r\n thumbprint = 01:23:45:67:89:ab:cd:ef 01:23:45:67:89:AB:CD:EF\nUseInternalSecurityAPI=True",
        ] {
            let found = Refinement::parse(text).unwrap().thumbprint;
            assert_eq!(found.as_deref(), Some("0123456789ABCDEF0123456789ABCDEF"), "{text}");
        }
        assert_eq!(Refinement::parse("").unwrap(), Refinement::default());
        assert_eq!(Refinement::parse("Thumbprint=").unwrap(), Refinement::default());
    }

    #[test]
    fn other_names_and_odd_thumbprints_are_refused() {
        let code = |text: &str| Refinement::parse(text).unwrap_err().code;
        assert_eq!(code("Foo=1"), Code::UnknownName);
        assert_eq!(code("Thumbprint=12"), Code::ValueRefused);
        assert_eq!(code("Thumbprint=zz23456789abcdef0123456789ABCDEF"), Code::ValueRefused);
        assert_eq!(code("garbage"), Code::UnknownName);
    }
}
