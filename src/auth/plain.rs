//! PLAIN: RFC 4616. The texts go as they are: preparing them is the server's part (section 2).

use crate::auth::{Credentials, Mechanism, Opening, SecretBytes, refused, wrong};
use crate::error::Result;

const NAME: &str = "PLAIN";

#[derive(Debug)]
pub struct Plain {
    message: SecretBytes,
    sent: bool,
}

impl Plain {
    pub fn new(credentials: &Credentials) -> Result<Plain> {
        let identity = credentials.authorization_identity.expose().as_bytes();
        let user = credentials.user.as_bytes();
        let password = credentials.password.expose().as_bytes();
        if user.is_empty() {
            return Err(refused(NAME, "User is empty"));
        }
        for (what, text) in [("User", user), ("Password", password), ("AuthorizationIdentity", identity)] {
            // NUL separates the three: one inside would be read as another identity.
            if text.contains(&0) {
                return Err(refused(NAME, &format!("{what} has a NUL")));
            }
        }
        Ok(Plain { message: SecretBytes::concat(&[identity, &[0], user, &[0], password]), sent: false })
    }
}

impl Mechanism for Plain {
    fn name(&self) -> &'static str {
        NAME
    }

    fn opening(&mut self) -> Result<Opening> {
        self.sent = true;
        Ok(Opening::OnCommandLine(std::mem::take(&mut self.message)))
    }

    fn step(&mut self, _challenge: &[u8]) -> Result<SecretBytes> {
        Err(wrong(NAME, "the server asks for more than user and password"))
    }

    fn finished(&self) -> bool {
        self.sent
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::tests::credentials;

    fn message(user: &str, password: &str, identity: &str) -> Result<Vec<u8>> {
        let Opening::OnCommandLine(message) = Plain::new(&credentials(user, password, identity))?.opening()? else {
            panic!("PLAIN begins on the command line");
        };
        Ok(message.expose().to_vec())
    }

    #[test]
    fn the_messages_are_those_of_rfc_4616_section_4() {
        assert_eq!(message("tim", "tanstaaftanstaaf", "").unwrap(), b"\0tim\0tanstaaftanstaaf");
        assert_eq!(message("Kurt", "xipj3plmq", "Ursel").unwrap(), b"Ursel\0Kurt\0xipj3plmq");
    }

    #[test]
    fn texts_go_exactly_as_they_are_and_a_nul_is_refused() {
        let long = "ä ".repeat(32 * 1024);
        assert_eq!(message("ü", &long, "").unwrap(), format!("\0ü\0{long}").as_bytes());
        assert_eq!(message("u", "", "").unwrap(), b"\0u\0");
        for (user, password, identity) in [("a\0b", "p", ""), ("u", "p\0q", ""), ("u", "p", "i\0"), ("", "p", "")] {
            let error = message(user, password, identity).unwrap_err();
            assert_eq!(error.code, crate::error::Code::ValueRefused);
            assert!(!error.message.contains('\0'));
        }
    }

    #[test]
    fn a_success_before_anything_was_said_is_not_believed() {
        let mut plain = Plain::new(&credentials("u", "p", "")).unwrap();
        assert!(!plain.finished());
        plain.opening().unwrap();
        assert!(plain.finished() && plain.step(b"").is_err());
    }
}
