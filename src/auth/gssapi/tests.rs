//! The exchange of RFC 4752 with a context that only plays Kerberos; the real one is tested against a server in
//! tests/login/.

use super::*;
use crate::auth::tests::credentials;
use crate::error::Code;

/// Tokens are texts, and wrapping puts a letter before them.
struct Played {
    steps: Vec<(&'static str, &'static str, bool)>,
}

impl Context for Played {
    fn step(&mut self, token: &[u8]) -> Result<(Vec<u8>, bool)> {
        let (heard, said, established) = self.steps.remove(0);
        if token != heard.as_bytes() {
            return Err(fails("the token is not the right one"));
        }
        Ok((said.into(), established))
    }
    fn unwrap(&mut self, token: &[u8]) -> Result<Vec<u8>> {
        token.strip_prefix(b"W").map(<[u8]>::to_vec).ok_or_else(|| fails("a seal is broken"))
    }
    fn wrap(&mut self, plain: &[u8]) -> Result<Vec<u8>> {
        Ok([b"W", plain].concat())
    }
}

fn played(identity: &str, steps: &[(&'static str, &'static str, bool)]) -> Gssapi {
    let context = Box::new(Played { steps: steps.to_vec() });
    Gssapi::with_context(context, &credentials("alice", "", identity), Aside::default()).unwrap()
}

const USUAL: [(&str, &str, bool); 2] = [("", "AP-REQ", false), ("AP-REP", "", true)];

/// The mechanism after its tokens went to and fro.
fn agreed(identity: &str) -> Gssapi {
    let mut gssapi = played(identity, &USUAL);
    assert_eq!(gssapi.opening().unwrap(), Opening::OnCommandLine(SecretBytes::concat(&[b"AP-REQ"])));
    assert!(gssapi.step(b"AP-REP").unwrap().is_empty());
    assert!(!gssapi.finished(), "a 235 before the layers are chosen is too early");
    gssapi
}

#[test]
fn the_answer_about_layers_is_none_and_the_identity() {
    for (identity, answer) in [("", &b"W\x01\0\0\0"[..]), ("bob", b"W\x01\0\0\0bob")] {
        for offer in [&b"W\x01\0\0\0"[..], b"W\x07\0\x10\0", b"W\x03\xff\xff\xff", b"W\x01\xff\xff\xff"] {
            let mut gssapi = agreed(identity);
            assert_eq!(gssapi.step(offer).unwrap().expose(), answer);
            assert!(gssapi.finished());
            assert!(gssapi.step(b"").is_err() && !gssapi.finished());
        }
    }
}

#[test]
fn a_server_that_demands_a_layer_or_says_nonsense_is_refused() {
    for (offer, why) in [
        (&b"W\x06\0\x10\0"[..], "demands a security layer"),
        (b"W\0\0\0\0", "demands a security layer"),
        (b"W", "missing"),
        (b"W\x01\0\0", "malformed"),
        (b"W\x01\0\0\0\0", "malformed"),
        (b"X\x01\0\0\0", "seal is broken"),
        (b"", "seal is broken"),
    ] {
        let mut gssapi = agreed("");
        let error = gssapi.step(offer).unwrap_err();
        assert_eq!(error.code, Code::Protocol);
        assert!(error.message.contains(why), "{}", error.message);
        assert!(!gssapi.finished() && gssapi.step(b"W\x01\0\0\0").is_err(), "it is over");
    }
}

#[test]
fn a_context_in_one_token_or_in_three_is_fine_and_one_without_progress_is_not() {
    let mut gssapi = played("", &[("", "A", true)]);
    gssapi.opening().unwrap();
    assert_eq!(gssapi.step(b"W\x01\0\0\0").unwrap().expose(), b"W\x01\0\0\0");
    let mut gssapi = played("", &[("", "A", false), ("B", "C", false), ("D", "E", true)]);
    gssapi.opening().unwrap();
    assert_eq!(gssapi.step(b"B").unwrap().expose(), b"C");
    assert_eq!(gssapi.step(b"D").unwrap().expose(), b"E");
    assert!(gssapi.step(b"W\x01\0\0\0").is_ok());
    let mut gssapi = played("", &[("", "A", false), ("B", "", false)]);
    gssapi.opening().unwrap();
    assert!(gssapi.step(b"B").unwrap_err().message.contains("nothing to say"));
}

#[test]
fn work_that_is_left_behind_ends_the_exchange_with_the_reason() {
    let late = Aside::new(|_| Err(Error::new(Code::Timeout, "time is up")));
    let context = Box::new(Played { steps: USUAL.to_vec() });
    let mut gssapi = Gssapi::with_context(context, &credentials("alice", "", ""), late).unwrap();
    assert_eq!(gssapi.opening().unwrap_err().code, Code::Timeout);
    assert!(gssapi.step(b"AP-REP").is_err() && !gssapi.finished());
}

#[test]
fn a_password_needs_a_user_and_no_text_a_nul() {
    for (user, password, identity) in [("", "p", ""), ("a\0b", "", ""), ("a", "", "x\0y")] {
        let error = Gssapi::new(&credentials(user, password, identity), &Peer::default()).unwrap_err();
        // Where the library is missing the identity is not looked at first.
        let codes = if identity.is_empty() {
            &[Code::ValueRefused][..]
        } else {
            &[Code::ValueRefused, Code::SecurityLibrary, Code::Protocol]
        };
        assert!(codes.contains(&error.code), "{error}");
    }
}
