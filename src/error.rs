//! What can go wrong: a number of the component's list and one line that says what the caller cannot know.

mod codes;

pub use codes::Code;

use std::fmt;
use std::ops::{Deref, DerefMut};

/// The result of everything that can fail here.
pub type Result<T> = std::result::Result<T, Error>;

/// A numbered error. A pointer, because every `?` on the way moves it: with its texts inside, each `Result` would be five words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error(Box<Report>);

/// What an [`Error`] says. Its message is one impersonal line with host, reply and cause, and never a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    pub code: Code,
    pub message: String,
    /// The server's reply code where a reply is the reason (error 161).
    pub reply: Option<u16>,
}

impl Deref for Error {
    type Target = Report;

    fn deref(&self) -> &Report {
        &self.0
    }
}

impl DerefMut for Error {
    fn deref_mut(&mut self) -> &mut Report {
        &mut self.0
    }
}

impl Error {
    pub fn new(code: Code, message: impl Into<String>) -> Error {
        Error(Box::new(Report { code, message: one_line(message.into()), reply: None }))
    }

    /// The same with another text.
    pub fn with_message(mut self, message: String) -> Error {
        self.message = message;
        self
    }

    pub fn into_message(self) -> String {
        self.0.message
    }

    /// An error with nothing to add to its number's own text.
    pub fn plain(code: Code) -> Error {
        Error::new(code, code.text())
    }

    /// A row of the description that does not work yet.
    pub fn planned(name: &str) -> Error {
        Error::new(Code::Planned, format!("{name} is planned and does not work in this version"))
    }

    /// Error 161: the server's reply is the reason.
    pub fn refused(reply: u16, message: impl Into<String>) -> Error {
        let mut error = Error::new(Code::Protocol, message);
        error.reply = Some(reply);
        error
    }
}

/// Text from a server may hold anything; an error text is one printable line.
fn one_line(text: String) -> String {
    if text.chars().any(char::is_control) {
        text.trim_end().chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
    } else {
        text
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code as i32, self.message)
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_text_is_one_line_whatever_a_server_put_into_it() {
        let error = Error::new(Code::Protocol, "550 no\x1b[2J\r\nQUIT\r\n");
        assert_eq!(error.message, "550 no [2J  QUIT");
    }

    #[test]
    fn every_number_has_a_text_and_comes_back_from_its_number() {
        for code in Code::ALL {
            assert!(!code.text().is_empty());
            assert_eq!(Code::from_i32(*code as i32), Some(*code));
        }
    }
}
