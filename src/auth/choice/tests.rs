use super::*;
use crate::auth::Channel;
use crate::auth::tests::credentials;

fn offer(lines: &[&str]) -> Offer {
    let mut offer = Offer::default();
    for line in lines {
        offer.line(line);
    }
    offer
}

fn wish(mechanism: AuthMechanism, named: &str) -> Wish<'_> {
    Wish { mechanism, named, clear_text_allowed: true }
}

fn method(mechanism: AuthMechanism, named: &str, line: &str) -> Result<Method> {
    choose(&wish(mechanism, named), &offer(&[line]), &Peer::default()).map(|choice| choice.method)
}

fn bound_peer() -> Peer {
    Peer { channel: Channel { tls: true, exporter: Some(vec![1]), end_point: None }, ..Peer::default() }
}

#[test]
fn offers_are_read_in_every_spelling() {
    for lines in [
        &["AUTH PLAIN LOGIN"][..],
        &["auth plain login"],
        &["AUTH=PLAIN LOGIN"],
        &["AUTH=PLAIN", "AUTH LOGIN"],
        &["AUTH PLAIN,LOGIN"],
        &["AUTH  \tPLAIN\tLOGIN  "],
        &[" AUTH = PLAIN = LOGIN"],
        &["AUTH PLAIN LOGIN PLAIN", "AUTH=LOGIN PLAIN"],
        &["Auth <b> PLAIN \u{1b}[2J ümlaut A-NAME-THAT-IS-TOO-LONG LOGIN"],
    ] {
        let offer = offer(lines);
        assert_eq!(offer.names, ["PLAIN", "LOGIN"], "{lines:?}");
        assert!(offer.has("plain"));
    }
}

#[test]
fn other_lines_are_no_offers_and_endless_ones_are_cut() {
    let mut all = Offer::default();
    for line in ["SIZE 1000", "AUTHX PLAIN", "AUT", "", "X-AUTH PLAIN", "ÄUTH PLAIN", "äöü"] {
        assert!(!all.line(line), "{line}");
    }
    assert!(all.line("AUTH") && all.line("AUTH="));
    assert_eq!(all, Offer::default());
    let many: Vec<String> = (0..100_000).map(|i| format!("X{i}")).collect();
    assert!(all.line(&format!("AUTH {}", many.join(" "))));
    assert_eq!(all.names.len(), MOST_NAMES);
}

#[test]
fn each_mechanism_is_the_one_that_was_asked_for() {
    use AuthMechanism as Am;
    let line = "AUTH LOGIN PLAIN CRAM-MD5 DIGEST-MD5 NTLM GSSAPI XOAUTH2";
    for (mechanism, expected) in [
        (Am::UserPassword, Method::Plain),
        (Am::CramMd5, Method::CramMd5),
        (Am::Ntlm, Method::Ntlm),
        (Am::SaslPlain, Method::Plain),
        (Am::SaslDigestMd5, Method::DigestMd5),
        (Am::Kerberos, Method::Gssapi),
        (Am::Xoauth2, Method::Xoauth2),
    ] {
        assert_eq!(method(mechanism, "", line).unwrap(), expected);
        let without = line.replace(expected.name(), "X");
        if mechanism != Am::UserPassword {
            let error = method(mechanism, "", &without).unwrap_err();
            assert_eq!(error.code, Code::Protocol);
            assert!(error.message.contains(expected.name()) && error.message.contains("LOGIN"), "{}", error.message);
        }
    }
    assert_eq!(method(Am::Apop, "", line).unwrap_err().code, Code::ValueRefused);
}

#[test]
fn user_and_password_take_the_best_of_plain_and_login_and_say_so() {
    let choice = |line: &str| choose(&wish(AuthMechanism::UserPassword, ""), &offer(&[line]), &Peer::default());
    let both = choice("AUTH LOGIN CRAM-MD5 PLAIN").unwrap();
    assert_eq!(both.method, Method::Plain);
    assert_eq!(both.note.unwrap(), "PLAIN is used for the login; offered: LOGIN, CRAM-MD5, PLAIN");
    assert_eq!(choice("AUTH=LOGIN").unwrap().method, Method::Login);
    let error = choice("AUTH CRAM-MD5 NTLM").unwrap_err();
    assert_eq!(error.message, "The server does not offer the PLAIN or LOGIN login; it offers CRAM-MD5, NTLM");
    assert!(choice("SIZE").unwrap_err().message.ends_with("it offers no login at all"));
}

#[test]
fn a_name_takes_the_place_of_auth_mechanism() {
    for name in ["SCRAM-SHA-256", " scram-sha-256 "] {
        let found = method(AuthMechanism::CramMd5, name, "AUTH CRAM-MD5 SCRAM-SHA-256").unwrap();
        assert_eq!(found, Method::Scram(Hash::Sha256, false));
    }
    let missing = method(AuthMechanism::UserPassword, "SCRAM-SHA-256", "AUTH PLAIN SCRAM-SHA-1").unwrap_err();
    assert_eq!(missing.code, Code::Protocol);
    let unknown = method(AuthMechanism::UserPassword, "SCRAM-SHA-3", "AUTH PLAIN SCRAM-SHA-3").unwrap_err();
    assert_eq!(unknown.code, Code::ValueRefused);
    assert!(unknown.message.contains("SCRAM-SHA-512-PLUS"), "{}", unknown.message);
    for method in Method::ALL {
        assert_eq!(Method::from_name(&method.name().to_lowercase()), Some(method));
        assert!(method.name().len() <= LONGEST_NAME);
    }
}

#[test]
fn secrets_stay_off_a_connection_without_tls_where_that_is_not_allowed() {
    let line = format!("AUTH {}", Method::ALL.map(Method::name).join(" "));
    let strict = |named, tls| {
        let wish = Wish { mechanism: AuthMechanism::UserPassword, named, clear_text_allowed: false };
        choose(&wish, &offer(&[&line]), &Peer { channel: Channel { tls, ..Channel::default() }, ..Peer::default() })
    };
    for named in ["", "PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER"] {
        assert_eq!(strict(named, false).unwrap_err().code, Code::ValueRefused, "{named}");
        assert!(strict(named, true).is_ok(), "{named}");
    }
    for named in ["CRAM-MD5", "DIGEST-MD5", "NTLM", "SCRAM-SHA-1", "EXTERNAL"] {
        assert!(strict(named, false).is_ok(), "{named}");
    }
}

#[test]
fn binding_needs_a_channel_and_the_offer_is_remembered() {
    let both = offer(&["AUTH SCRAM-SHA-256 SCRAM-SHA-256-PLUS SCRAM-SHA-1"]);
    let plus = wish(AuthMechanism::UserPassword, "SCRAM-SHA-256-PLUS");
    assert_eq!(choose(&plus, &both, &Peer::default()).unwrap_err().code, Code::ValueRefused);
    assert_eq!(choose(&plus, &both, &bound_peer()).unwrap().method, Method::Scram(Hash::Sha256, true));
    let plain = choose(&wish(AuthMechanism::UserPassword, "SCRAM-SHA-256"), &both, &bound_peer()).unwrap();
    assert_eq!((plain.method, plain.server_binds), (Method::Scram(Hash::Sha256, false), true), "no other than asked");
    let other = choose(&wish(AuthMechanism::UserPassword, "SCRAM-SHA-1"), &both, &bound_peer()).unwrap();
    assert!(!other.server_binds);
}

#[test]
fn a_login_is_wanted_when_there_is_something_to_log_in_with() {
    let wanted = |named, user: &str, password: &str| {
        is_wanted(&wish(AuthMechanism::UserPassword, named), &credentials(user, password, ""))
    };
    assert!(!wanted("", "", "") && !wanted("PLAIN", "", ""));
    assert!(wanted("", "u", "") && wanted("", "", "p") && wanted("external", "", ""));
}
