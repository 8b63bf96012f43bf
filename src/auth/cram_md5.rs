//! CRAM-MD5: RFC 2195. The password does not travel, but the server proves nothing.

use crate::auth::{Credentials, Mechanism, Opening, SecretBytes, crypto, refused, wrong};
use crate::error::Result;
use crate::text::mask::Secret;

const NAME: &str = "CRAM-MD5";

#[derive(Debug)]
pub struct CramMd5 {
    user: String,
    password: Secret,
    done: bool,
}

impl CramMd5 {
    pub fn new(credentials: &Credentials) -> Result<CramMd5> {
        if credentials.user.is_empty() {
            return Err(refused(NAME, "User is empty"));
        }
        Ok(CramMd5 { user: credentials.user.clone(), password: credentials.password.clone(), done: false })
    }
}

impl Mechanism for CramMd5 {
    fn name(&self) -> &'static str {
        NAME
    }

    fn opening(&mut self) -> Result<Opening> {
        Ok(Opening::ServerFirst)
    }

    fn step(&mut self, challenge: &[u8]) -> Result<SecretBytes> {
        if self.done {
            return Err(wrong(NAME, "the server sends a second challenge"));
        }
        // The digest of nothing would be the same every time, as good as the password for who hears it.
        if challenge.is_empty() {
            return Err(wrong(NAME, "the server's challenge is empty"));
        }
        let password = std::mem::take(&mut self.password);
        let digest = crypto::hex(&crypto::hmac_md5(password.expose().as_bytes(), &[challenge]));
        self.done = true;
        Ok(SecretBytes::concat(&[self.user.as_bytes(), b" ", digest.as_bytes()]))
    }

    fn finished(&self) -> bool {
        self.done
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::tests::credentials;

    fn cram() -> CramMd5 {
        CramMd5::new(&credentials("tim", "tanstaaftanstaaf", "")).unwrap()
    }

    #[test]
    fn the_answer_is_that_of_rfc_2195_section_2() {
        let mut cram = cram();
        assert_eq!(cram.opening().unwrap(), Opening::ServerFirst);
        assert!(!cram.finished());
        let answer = cram.step(b"<1896.697170952@postoffice.reston.mci.net>").unwrap();
        assert_eq!(answer.expose(), b"tim b913a602c7eda7a495b4e6e7334d3890");
        assert!(cram.finished());
    }

    #[test]
    fn a_binary_challenge_is_answered_and_an_empty_or_second_one_is_not() {
        let mut cram = cram();
        assert!(cram.step(b"").is_err() && !cram.finished());
        assert_eq!(cram.step(&[0, 255, 10, 13]).unwrap().expose().len(), 4 + 32);
        assert!(cram.step(b"again").is_err());
        assert!(CramMd5::new(&credentials("", "p", "")).is_err());
    }
}
