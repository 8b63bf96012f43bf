//! OAUTHBEARER: RFC 7628. A failure comes in a 334, is answered with ^A, and the refusing reply follows (section
//! 3.2.3).

use crate::auth::oauth::Bearer;
use crate::auth::scram::sasl_name;
use crate::auth::{Credentials, Peer, SecretBytes};
use crate::error::Result;

pub fn new(credentials: &Credentials, peer: &Peer) -> Result<Bearer> {
    Bearer::new("OAUTHBEARER", credentials, b"\x01", |user, token| {
        let head = format!("n,a={},\x01host={}\x01port={}\x01auth=Bearer ", sasl_name(user), peer.host, peer.port);
        SecretBytes::concat(&[head.as_bytes(), token, b"\x01\x01"])
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::tests::{base64, credentials};
    use crate::auth::{Mechanism, Opening};

    fn message(user: &str, token: &str, port: u16) -> SecretBytes {
        let peer = Peer { host: "server.example.com".into(), port, ..Peer::default() };
        let mut bearer = new(&credentials(user, "", token), &peer).unwrap();
        assert!(!bearer.finished());
        let Opening::OnCommandLine(message) = bearer.opening().unwrap() else { panic!("a message") };
        assert!(bearer.finished());
        message
    }

    #[test]
    fn the_messages_are_those_of_rfc_7628_section_4() {
        let token = "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==";
        assert_eq!(
            base64(message("user@example.com", token, 143).expose()),
            "bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAXBvcnQ9MTQzAWF1dGg9QmVhcmVyIHZGOWRmdDRxbVRjMk52YjNSbGNrQmhiSFJoZG1semRHRXVZMjl0Q2c9PQEB"
        );
        assert_eq!(
            base64(message("user@example.com", &format!("Bearer {token}"), 587).expose()),
            "bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAXBvcnQ9NTg3AWF1dGg9QmVhcmVyIHZGOWRmdDRxbVRjMk52YjNSbGNrQmhiSFJoZG1semRHRXVZMjl0Q2c9PQEB"
        );
        assert_eq!(
            message("a,b=c", "t", 25).expose(),
            b"n,a=a=2Cb=3Dc,\x01host=server.example.com\x01port=25\x01auth=Bearer t\x01\x01"
        );
    }

    #[test]
    fn a_failure_is_answered_with_one_octet_and_no_success_can_follow() {
        let mut bearer = new(&credentials("u", "", "t0ken"), &Peer::default()).unwrap();
        bearer.opening().unwrap();
        // RFC 7628 section 4.3, where AQ== answers.
        let answer = bearer.step(br#"{"status":"invalid_token","scope":"example_scope"}"#).unwrap();
        assert_eq!(base64(answer.expose()), "AQ==");
        assert!(!bearer.finished());
        assert_eq!(bearer.refusal().unwrap().text, "status invalid_token, scope example_scope");
        assert!(bearer.step(b"").is_err());
    }
}
