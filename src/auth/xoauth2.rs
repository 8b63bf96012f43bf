//! XOAUTH2: Google's mechanism, spoken by Microsoft too. A failure comes in a 334, is answered with an empty line, and
//! the refusing reply follows.

use crate::auth::{Credentials, Mechanism, Opening, Refusal, SecretBytes, oauth, wrong};
use crate::error::Result;

const NAME: &str = "XOAUTH2";

#[derive(Debug)]
pub struct Xoauth2 {
    message: SecretBytes,
    token: SecretBytes,
    sent: bool,
    refusal: Option<Refusal>,
}

impl Xoauth2 {
    pub fn new(credentials: &Credentials) -> Result<Xoauth2> {
        let user = oauth::user(NAME, credentials)?;
        let token = oauth::token(NAME, credentials)?;
        let message =
            SecretBytes::concat(&[b"user=", user.as_bytes(), b"\x01auth=Bearer ", token.expose(), b"\x01\x01"]);
        Ok(Xoauth2 { message, token, sent: false, refusal: None })
    }
}

impl Mechanism for Xoauth2 {
    fn name(&self) -> &'static str {
        NAME
    }

    fn opening(&mut self) -> Result<Opening> {
        self.sent = true;
        Ok(Opening::OnCommandLine(std::mem::take(&mut self.message)))
    }

    fn step(&mut self, challenge: &[u8]) -> Result<SecretBytes> {
        if !self.sent || self.refusal.is_some() {
            return Err(wrong(NAME, "the server's challenge is one too many"));
        }
        self.refusal = Some(Refusal::parse(challenge, &std::mem::take(&mut self.token)));
        Ok(SecretBytes::default())
    }

    fn finished(&self) -> bool {
        self.sent && self.refusal.is_none()
    }

    fn refusal(&self) -> Option<&Refusal> {
        self.refusal.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::tests::{base64, credentials};

    #[test]
    fn the_message_is_that_of_googles_description() {
        let token = "Bearer ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg";
        let mut xoauth2 = Xoauth2::new(&credentials("someuser@example.com", "", token)).unwrap();
        assert!(!xoauth2.finished());
        let Opening::OnCommandLine(message) = xoauth2.opening().unwrap() else { panic!("a message") };
        assert_eq!(
            base64(message.expose()),
            "dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5LnZGOWRmdDRxbVRjMk52YjNSbGNrQmhkSFJoZG1semRHRXVZMjl0Q2cBAQ=="
        );
        assert!(xoauth2.finished());
    }

    #[test]
    fn a_failure_is_answered_with_nothing_and_no_success_can_follow() {
        let mut xoauth2 = Xoauth2::new(&credentials("u", "", "t0ken")).unwrap();
        xoauth2.opening().unwrap();
        assert!(xoauth2.step(br#"{"status":"401","schemes":"bearer t0ken"}"#).unwrap().is_empty());
        assert!(!xoauth2.finished());
        let refusal = xoauth2.refusal().unwrap();
        assert_eq!((&refusal.text[..], refusal.wants_new_token), ("status 401, schemes bearer ***", true));
        assert!(xoauth2.step(b"{}").is_err());
    }

    #[test]
    fn a_user_is_needed_and_a_password_is_not() {
        assert!(Xoauth2::new(&credentials("", "p", "token")).is_err());
        assert!(Xoauth2::new(&credentials("u\u{1}auth=x", "", "token")).is_err());
        assert!(Xoauth2::new(&credentials("u", "p", "")).is_err());
    }
}
