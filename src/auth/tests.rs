//! What holds for every mechanism: no challenge makes it panic, grow or leak, and no early success is believed.

use super::*;
use crate::auth::scram::Hash;
use ::base64::Engine as _;
use ::base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

pub(super) fn credentials(user: &str, password: &str, identity: &str) -> Credentials {
    Credentials { user: user.into(), password: Secret::new(password), authorization_identity: Secret::new(identity) }
}

pub(super) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

pub(super) fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().filter_map(|c| c.to_digit(16)).map(|d| d as u8).collect();
    assert_eq!(digits.len() % 2, 0);
    digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

const PASSWORD: &str = "correct-horse";
const TOKEN: &str = "ya29.battery-staple";

fn peer() -> Peer {
    let channel = Channel { tls: true, exporter: Some(vec![7; 32]), end_point: Some(vec![9; 32]) };
    Peer { host: "mail.example".into(), port: 587, workstation: "PC".into(), channel, ..Peer::default() }
}

/// Every mechanism that needs nothing of the system; GSSAPI has tests of its own.
fn methods() -> impl Iterator<Item = Method> {
    Method::ALL.into_iter().filter(|method| *method != Method::Gssapi)
}

fn start(method: Method, ntlm_v2: bool) -> Login {
    let identity = match method {
        Method::Xoauth2 | Method::OauthBearer => TOKEN,
        _ => "",
    };
    let choice = Choice { method, server_binds: true, note: None };
    let mut login = login(&choice, &credentials("joe", PASSWORD, identity), &peer(), ntlm_v2).unwrap();
    assert_eq!(login.name(), method.name());
    assert!(login.accepted().is_err(), "{method:?}: a success before anything was said");
    login.opening().unwrap();
    login
}

/// Says the challenges until one is refused; looks at everything that is shown on the way.
fn converse(method: Method, ntlm_v2: bool, challenges: &[Vec<u8>]) -> Login {
    let mut login = start(method, ntlm_v2);
    for challenge in challenges {
        let failed = match login.answer(challenge) {
            Ok(_) => false,
            Err(error) => {
                assert!(!error.message.contains(PASSWORD) && !error.message.contains(TOKEN), "{}", error.message);
                assert!(login.accepted().is_err(), "{method:?}: a success after an error");
                true
            }
        };
        let shown = format!("{login:?}");
        assert!(!shown.contains(PASSWORD) && !shown.contains(TOKEN), "{shown}");
        if failed {
            break;
        }
    }
    login
}

/// Challenges that some mechanism understands, to be changed and mixed.
fn seeds() -> Vec<Vec<u8>> {
    let ntlm = unhex(
        "4e544c4d53535000020000000c000c003800000033828ae20123456789abcdef000000000000000024002400440000000600701700\
         00000f53006500720076006500720002000c0044006f006d00610069006e0001000c0053006500720076006500720000000000",
    );
    vec![
        b"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096".to_vec(),
        b"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=".to_vec(),
        br#"realm="a \"b\"",realm=c,nonce="OA6MG9tEQGm2hh",qop="auth",algorithm=md5-sess,charset=utf-8"#.to_vec(),
        b"rspauth=ea40f60335c427b5527b84dbabcdfffd".to_vec(),
        br#"{"status":"401","schemes":"Bearer","x":[{"y":"\u00e4\ud83d\ude00"}],"scope":null}"#.to_vec(),
        b"<1896.697170952@postoffice.reston.mci.net>".to_vec(),
        ntlm,
    ]
}

fn challenge() -> impl Strategy<Value = Vec<u8>> {
    let changed =
        (0..seeds().len(), prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6), 0..200usize)
            .prop_map(|(seed, changes, cut)| {
                let mut text = seeds().swap_remove(seed);
                for (at, byte) in changes {
                    let at = at.index(text.len());
                    text[at] = byte;
                }
                text.truncate(text.len().saturating_sub(cut.saturating_sub(100)));
                text
            });
    prop_oneof![prop::collection::vec(any::<u8>(), 0..300), changed]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_challenge_makes_a_mechanism_panic_or_show_a_secret(
        challenges in prop::collection::vec(challenge(), 0..5),
        ntlm_v2: bool,
    ) {
        for method in methods() {
            converse(method, ntlm_v2, &challenges);
        }
    }

    #[test]
    fn no_line_makes_an_offer_panic(line in "(?s)(AUTH|auth|.{0,4})[ =].{0,200}") {
        let mut offer = Offer::default();
        offer.line(&line);
    }
}

#[test]
fn a_challenge_of_a_mebibyte_is_refused_by_every_mechanism() {
    for method in methods() {
        for byte in [0, b'{', b'"', b'=', 0xff] {
            let mut login = start(method, true);
            assert_eq!(login.answer(&vec![byte; 1 << 20]).unwrap_err().code, Code::Protocol, "{method:?}");
            assert!(login.answer(b"").is_err(), "nothing follows an error");
        }
        converse(method, true, &[vec![b'['; LONGEST_CHALLENGE], vec![b','; LONGEST_CHALLENGE]]);
    }
}

#[test]
fn a_success_is_believed_only_at_the_end() {
    use Method as M;
    let told = [M::Plain, M::External, M::Xoauth2, M::OauthBearer];
    for method in methods() {
        let login = start(method, true);
        assert_eq!(login.accepted().is_ok(), told.contains(&method), "{method:?}");
        if let Err(error) = login.accepted() {
            assert_eq!(error.code, Code::Protocol);
        }
    }
    let mut refused = converse(M::Xoauth2, false, &[br#"{"status":"400"}"#.to_vec()]);
    assert!(refused.accepted().unwrap_err().message.contains("status 400"));
    assert_eq!(refused.refusal().unwrap().text, "status 400");
    assert!(refused.answer(b"").is_err());
}

/// Cut off, a password would be another one: it goes as it is, or the mechanism says that it can't.
#[test]
fn a_password_of_any_length_and_alphabet_is_used_whole_or_refused() {
    let long = "p".repeat(65_536);
    let longer = format!("{long}q");
    for method in methods() {
        let with = |password: &str| {
            let identity = if matches!(method, Method::Xoauth2 | Method::OauthBearer) { password } else { "" };
            let choice = Choice { method, server_binds: true, note: None };
            let mut login = login(&choice, &credentials("joe", password, identity), &peer(), false)?;
            let mut said = match login.opening()? {
                Opening::OnCommandLine(first) | Opening::AfterPrompt(first) => format!("{:?}", first.expose()),
                _ => String::new(),
            };
            let challenges = match method {
                Method::Login | Method::Ntlm => vec![b"x".to_vec(); 2],
                Method::CramMd5 => vec![b"<1@x>".to_vec()],
                Method::DigestMd5 => vec![br#"nonce="n",algorithm=md5-sess,charset=utf-8"#.to_vec()],
                _ => Vec::new(),
            };
            for challenge in challenges {
                match login.answer(&challenge) {
                    Ok(answer) => said += &format!("{:?}", answer.expose()),
                    Err(error) if method == Method::Ntlm => assert_eq!(error.code, Code::Protocol, "{error}"),
                    Err(error) => return Err(error),
                }
            }
            Ok(said)
        };
        for (one, other) in [(long.as_str(), longer.as_str()), ("pä\u{20ac}", "pa\u{20ac}"), ("p q", "p  q")] {
            match (with(one), with(other)) {
                (Ok(one), Ok(other)) => {
                    // A proof or response is of random octets too, so that it differs anyway.
                    let tells =
                        !matches!(method, Method::External | Method::Ntlm) && !method.name().starts_with("SCRAM");
                    assert!(!tells || one != other, "{method:?}");
                }
                (Err(error), _) | (_, Err(error)) => {
                    assert_eq!(error.code, Code::ValueRefused, "{method:?}: {error}");
                    assert!(!error.message.contains(one), "{method:?}: {error}");
                }
            }
        }
    }
}

#[test]
fn an_identity_that_cannot_be_told_is_refused_and_one_that_says_nothing_is_not() {
    for method in [Method::Login, Method::CramMd5, Method::Ntlm] {
        let choice = Choice { method, server_binds: false, note: None };
        let other = login(&choice, &credentials("joe", PASSWORD, "zoe"), &peer(), false).unwrap_err();
        assert_eq!(other.code, Code::ValueRefused);
        assert!(other.message.contains(method.name()) && !other.message.contains("zoe"), "{}", other.message);
        assert!(login(&choice, &credentials("joe", PASSWORD, "joe"), &peer(), false).is_ok());
    }
}

#[test]
fn no_debug_form_shows_a_secret() {
    let who = credentials("joe", PASSWORD, TOKEN);
    let bytes = SecretBytes::concat(&[PASSWORD.as_bytes()]);
    let scram = scram::Scram::new(Hash::Sha1, &who, scram::Binding::None).unwrap();
    let mut plain = plain::Plain::new(&who).unwrap();
    let texts = [format!("{who:?} {bytes:?} {scram:?} {plain:?}"), format!("{:?}", plain.opening().unwrap())];
    for text in texts {
        for secret in [PASSWORD, TOKEN, "99, 111, 114, 114"] {
            assert!(!text.contains(secret), "{text}");
        }
    }
}
