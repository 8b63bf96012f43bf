//! LOGIN: no standard, but offered by nearly every server (draft-murchison-sasl-login). The server asks twice; what it
//! asks is not looked at, for servers word it in many ways and the order never changes.

use crate::auth::{Credentials, Mechanism, Opening, SecretBytes, refused, wrong};
use crate::error::Result;
use crate::text::mask::Secret;

const NAME: &str = "LOGIN";

#[derive(Debug)]
enum State {
    WantsUser,
    WantsPassword,
    Done,
}

#[derive(Debug)]
pub struct UserPassword {
    user: String,
    password: Secret,
    state: State,
}

impl UserPassword {
    pub fn new(credentials: &Credentials) -> Result<UserPassword> {
        if credentials.user.is_empty() {
            return Err(refused(NAME, "User is empty"));
        }
        Ok(UserPassword {
            user: credentials.user.clone(),
            password: credentials.password.clone(),
            state: State::WantsUser,
        })
    }
}

impl Mechanism for UserPassword {
    fn name(&self) -> &'static str {
        NAME
    }

    fn opening(&mut self) -> Result<Opening> {
        Ok(Opening::ServerFirst)
    }

    fn step(&mut self, _challenge: &[u8]) -> Result<SecretBytes> {
        match self.state {
            State::WantsUser => {
                self.state = State::WantsPassword;
                Ok(SecretBytes::concat(&[self.user.as_bytes()]))
            }
            State::WantsPassword => {
                self.state = State::Done;
                Ok(SecretBytes::concat(&[std::mem::take(&mut self.password).expose().as_bytes()]))
            }
            State::Done => Err(wrong(NAME, "the server asks for more than user and password")),
        }
    }

    fn finished(&self) -> bool {
        matches!(self.state, State::Done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::tests::credentials;

    #[test]
    fn user_and_password_answer_the_two_challenges_whatever_they_say() {
        for (first, second) in [(&b"Username:"[..], &b"Password:"[..]), (b"", b""), (b"User Name\0", b"\xff\xfe")] {
            let mut login = UserPassword::new(&credentials("joe", "pass word", "")).unwrap();
            assert_eq!(login.opening().unwrap(), Opening::ServerFirst);
            assert_eq!(login.step(first).unwrap().expose(), b"joe");
            assert!(!login.finished());
            assert_eq!(login.step(second).unwrap().expose(), b"pass word");
            assert!(login.finished());
            assert!(login.step(b"Username:").is_err());
        }
        assert!(UserPassword::new(&credentials("", "p", "")).is_err());
    }
}
