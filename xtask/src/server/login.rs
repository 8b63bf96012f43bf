//! The server's half of AUTH PLAIN (RFC 4616) and AUTH LOGIN, on bytes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// What comes after an initial response or a step.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// `334` with this challenge, already in Base64.
    Challenge(&'static str),
    /// Both parts are there: the user and the password.
    Done(Vec<u8>, Vec<u8>),
    /// 501: no Base64, or not the shape that the mechanism has.
    Malformed,
}

#[derive(Debug)]
pub enum Login {
    Plain,
    User,
    Password(Vec<u8>),
}

impl Login {
    pub fn start(mechanism: &str) -> Option<Login> {
        match mechanism.to_ascii_uppercase().as_str() {
            "PLAIN" => Some(Login::Plain),
            "LOGIN" => Some(Login::User),
            _ => None,
        }
    }

    /// The challenge that asks for the next part.
    pub fn challenge(&self) -> &'static str {
        match self {
            Login::Plain => "",
            Login::User => "VXNlcm5hbWU6",
            Login::Password(_) => "UGFzc3dvcmQ6",
        }
    }

    /// Takes one response; `=` is the empty initial response.
    pub fn step(&mut self, response: &str) -> Next {
        let response = if response == "=" { "" } else { response };
        let Ok(bytes) = STANDARD.decode(response) else { return Next::Malformed };
        match self {
            Login::Plain => {
                let parts: Vec<&[u8]> = bytes.split(|&b| b == 0).collect();
                match parts[..] {
                    [_, user, password] => Next::Done(user.to_vec(), password.to_vec()),
                    _ => Next::Malformed,
                }
            }
            Login::User => {
                *self = Login::Password(bytes);
                Next::Challenge(self.challenge())
            }
            Login::Password(user) => Next::Done(std::mem::take(user), bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_gives_user_and_password() {
        let response = STANDARD.encode(b"\0tim\0tanstaaftanstaaf");
        assert_eq!(Login::Plain.step(&response), Next::Done(b"tim".to_vec(), b"tanstaaftanstaaf".to_vec()));
        assert_eq!(Login::Plain.step(&STANDARD.encode("tim")), Next::Malformed);
        assert_eq!(Login::Plain.step("!"), Next::Malformed);
        assert_eq!(Login::Plain.step("="), Next::Malformed);
    }

    #[test]
    fn login_asks_for_the_user_and_then_for_the_password() {
        let mut login = Login::start("login").unwrap();
        assert_eq!(login.challenge(), STANDARD.encode("Username:"));
        assert_eq!(login.step(&STANDARD.encode("tim")), Next::Challenge("UGFzc3dvcmQ6"));
        assert_eq!(login.step(&STANDARD.encode("pw")), Next::Done(b"tim".to_vec(), b"pw".to_vec()));
    }
}
