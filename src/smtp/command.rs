//! Command lines: the one place that writes them, and it refuses CR, LF and NUL.

use crate::error::{Code, Error, Result};
use zeroize::Zeroizing;

/// A command line without its CRLF, known to be one line.
#[derive(Clone, PartialEq, Eq)]
pub struct Command {
    line: Zeroizing<Vec<u8>>,
    /// How the trace shows it, where that differs (credentials).
    shown: Option<Vec<u8>>,
}

impl Command {
    pub fn new(line: impl Into<Vec<u8>>) -> Result<Command> {
        let line = line.into();
        if line.iter().any(|b| matches!(b, b'\r' | b'\n' | 0)) {
            return Err(refused());
        }
        Ok(Command { line: Zeroizing::new(line), shown: None })
    }

    /// A line of a login, and what is shown in its place.
    pub fn secret(line: &str, shown: &str) -> Result<Command> {
        Ok(Command { shown: Some(shown.into()), ..Command::new(line)? })
    }

    /// The same, shown without what a login carries: the response behind AUTH and its mechanism, or the whole line where the
    /// server asked for the next response.
    pub fn masked(self, response: bool) -> Command {
        let text = String::from_utf8_lossy(&self.line).into_owned();
        let mut words = text.split_ascii_whitespace();
        let auth = words.next().is_some_and(|w| w.eq_ignore_ascii_case("AUTH"));
        let shown = match (response, auth, words.next(), words.next()) {
            (true, _, _, _) if text != "*" => Some("***".to_string()),
            (false, true, Some(mechanism), Some(_)) => Some(format!("AUTH {mechanism} ***")),
            _ => None,
        };
        Command { shown: shown.map(String::into_bytes), ..self }
    }

    /// The line with its CRLF.
    pub fn wire(&self) -> Vec<u8> {
        [&self.line[..], b"\r\n"].concat()
    }

    /// The line without its CRLF, secrets and all.
    pub fn line(&self) -> &[u8] {
        &self.line
    }

    pub fn shown(&self) -> &[u8] {
        self.shown.as_deref().unwrap_or(&self.line)
    }
}

/// Ends the command that begins here, in a text of such lines without secrets; refuses what [`Command::new`] does.
pub fn end_line(text: &mut String, start: usize) -> Result<()> {
    let line = text.as_bytes().get(start..).unwrap_or_default();
    if memchr::memchr2(b'\r', b'\n', line).is_some() || line.contains(&0) {
        return Err(refused());
    }
    text.push_str("\r\n");
    Ok(())
}

fn refused() -> Error {
    Error::new(Code::ValueRefused, "a command may not hold CR, LF or NUL")
}

impl std::fmt::Debug for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Command({:?})", String::from_utf8_lossy(self.shown()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_with_a_line_break_or_nul_is_refused_whole() {
        for text in ["NOOP\r\nQUIT", "NOOP\n", "\rNOOP", "NO\0OP"] {
            assert_eq!(Command::new(text).unwrap_err().code, Code::ValueRefused);
        }
        assert_eq!(Command::new("NOOP").unwrap().wire(), b"NOOP\r\n");
        for text in ["NOOP\r\nQUIT", "NOOP\n", "\rNOOP", "NO\0OP"] {
            assert_eq!(end_line(&mut text.to_string(), 0).unwrap_err().code, Code::ValueRefused);
        }
        let mut text = String::from("RSET\r\nNOOP");
        end_line(&mut text, 6).unwrap();
        assert_eq!(text, "RSET\r\nNOOP\r\n");
    }

    #[test]
    fn a_login_is_shown_without_its_secrets() {
        let shown = |text: &str, response| {
            let command = Command::new(text).unwrap().masked(response);
            assert!(!format!("{command:?}").contains("secret"), "{text}");
            String::from_utf8_lossy(command.shown()).into_owned()
        };
        assert_eq!(shown("AUTH PLAIN secret", false), "AUTH PLAIN ***");
        assert_eq!(shown("auth  LOGIN", false), "auth  LOGIN");
        assert_eq!(shown("secret", true), "***");
        assert_eq!(shown("*", true), "*");
        assert_eq!(shown("NOOP a b", false), "NOOP a b");
        let told = Command::secret("AUTH PLAIN secret", "AUTH PLAIN ***").unwrap();
        assert_eq!((told.line(), &format!("{told:?}")[..]), (&b"AUTH PLAIN secret"[..], "Command(\"AUTH PLAIN ***\")"));
        assert!(Command::secret("a\nb", "***").is_err());
    }
}
