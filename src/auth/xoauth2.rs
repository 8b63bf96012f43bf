//! XOAUTH2: Google's mechanism, spoken by Microsoft too. A failure comes in a 334, is answered with an empty line, and
//! the refusing reply follows.

use crate::auth::oauth::Bearer;
use crate::auth::{Credentials, SecretBytes};
use crate::error::Result;

pub fn new(credentials: &Credentials) -> Result<Bearer> {
    Bearer::new("XOAUTH2", credentials, b"", |user, token| {
        SecretBytes::concat(&[b"user=", user.as_bytes(), b"\x01auth=Bearer ", token, b"\x01\x01"])
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::tests::{base64, credentials};
    use crate::auth::{Mechanism, Opening};

    #[test]
    fn the_message_is_that_of_googles_description() {
        let token = "Bearer ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg";
        let mut xoauth2 = new(&credentials("someuser@example.com", "", token)).unwrap();
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
        let mut xoauth2 = new(&credentials("u", "", "t0ken")).unwrap();
        xoauth2.opening().unwrap();
        assert!(xoauth2.step(br#"{"status":"401","schemes":"bearer t0ken"}"#).unwrap().is_empty());
        assert!(!xoauth2.finished());
        let refusal = xoauth2.refusal().unwrap();
        assert_eq!((&refusal.text[..], refusal.wants_new_token), ("status 401, schemes bearer ***", true));
        assert!(xoauth2.step(b"{}").is_err());
    }

    #[test]
    fn a_user_is_needed_and_a_password_is_not() {
        assert!(new(&credentials("", "p", "token")).is_err());
        assert!(new(&credentials("u\u{1}auth=x", "", "token")).is_err());
        assert!(new(&credentials("u", "p", "")).is_err());
    }
}
