//! Text that must not be seen: a password, a token. It is wiped when dropped, and no `Debug` or `Display` shows it.

use zeroize::Zeroizing;

/// A secret text. Who needs the text asks for it with [`Secret::expose`], so that every use can be found.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    pub fn new(text: &str) -> Secret {
        Secret(Zeroizing::new(text.to_owned()))
    }

    pub fn expose(&self) -> &str {
        &self.0
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_shows_neither_its_text_nor_its_length() {
        let secret = Secret::new("hunter2");
        assert_eq!(format!("{secret:?} {:?}", Secret::default()), "*** ***");
        assert_eq!(secret.expose(), "hunter2");
        assert!(!secret.is_empty() && Secret::default().is_empty());
    }
}
