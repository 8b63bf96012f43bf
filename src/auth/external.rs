//! EXTERNAL: RFC 4422 appendix A. Who logs in is known from outside, as from the client's certificate.

use crate::auth::{Credentials, Mechanism, Opening, SecretBytes, refused, wrong};
use crate::error::Result;

const NAME: &str = "EXTERNAL";

#[derive(Debug)]
pub struct External {
    identity: SecretBytes,
    sent: bool,
}

impl External {
    /// The identity to act as is AuthorizationIdentity; none means the one that the server derives.
    pub fn new(credentials: &Credentials) -> Result<External> {
        let identity = credentials.authorization_identity.expose();
        if identity.contains('\0') {
            return Err(refused(NAME, "AuthorizationIdentity has a NUL"));
        }
        Ok(External { identity: SecretBytes::concat(&[identity.as_bytes()]), sent: false })
    }
}

impl Mechanism for External {
    fn name(&self) -> &'static str {
        NAME
    }

    fn opening(&mut self) -> Result<Opening> {
        self.sent = true;
        Ok(Opening::OnCommandLine(std::mem::take(&mut self.identity)))
    }

    fn step(&mut self, _challenge: &[u8]) -> Result<SecretBytes> {
        Err(wrong(NAME, "the server asks for more than the identity"))
    }

    fn finished(&self) -> bool {
        self.sent
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::tests::credentials;

    #[test]
    fn the_identity_goes_alone_and_may_be_empty() {
        for identity in ["", "fred@example.com"] {
            let mut external = External::new(&credentials("ignored", "ignored", identity)).unwrap();
            assert!(!external.finished());
            let Opening::OnCommandLine(message) = external.opening().unwrap() else { panic!("an identity") };
            assert_eq!(message.expose(), identity.as_bytes());
            assert!(external.finished() && external.step(b"").is_err());
        }
        assert!(External::new(&credentials("", "", "a\0b")).is_err());
    }
}
