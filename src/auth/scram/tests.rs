use super::*;
use crate::auth::tests::credentials;
use crate::error::{Code, Error};
use std::time::{Duration, Instant};

const NONCE: &str = "fyko+d2lbbFgONRv9qkxdawL";
const FIRST: &str = "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096";

fn begin(hash: Hash, who: &Credentials, binding: Binding, nonce: &str) -> (Scram, String) {
    let mut scram = Scram::with_nonce(hash, who, binding, nonce).unwrap();
    let Opening::OnCommandLine(first) = scram.opening().unwrap() else { panic!("SCRAM begins on the command line") };
    let first = String::from_utf8(first.expose().to_vec()).unwrap();
    (scram, first)
}

fn say(scram: &mut Scram, challenge: &str) -> Result<String> {
    scram.step(challenge.as_bytes()).map(|answer| String::from_utf8(answer.expose().to_vec()).unwrap())
}

/// An exchange whole: the client's first message, the server's, the client's proof, the server's.
fn exchange(hash: Hash, who: &Credentials, binding: Binding, nonce: &str, lines: [&str; 4]) {
    let (mut scram, first) = begin(hash, who, binding, nonce);
    assert_eq!(first, lines[0]);
    assert_eq!(say(&mut scram, lines[1]).unwrap(), lines[2]);
    assert!(!scram.finished(), "a 235 without the server's proof is not believed");
    assert_eq!(say(&mut scram, lines[3]).unwrap(), "");
    assert!(scram.finished());
}

#[test]
fn sha_1_is_that_of_rfc_5802_section_5() {
    exchange(
        Hash::Sha1,
        &credentials("user", "pencil", ""),
        Binding::None,
        NONCE,
        [
            "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
            FIRST,
            "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
            "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
        ],
    );
}

#[test]
fn sha_256_is_that_of_rfc_7677_section_3() {
    exchange(
        Hash::Sha256,
        &credentials("user", "pencil", ""),
        Binding::None,
        "rOprNGfwEbeRWgbNEkqO",
        [
            "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
            "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
            "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
        ],
    );
}

/// No RFC has an exchange with this hash; these bytes were made with another implementation.
#[test]
fn sha_512_agrees_with_another_implementation() {
    exchange(
        Hash::Sha512,
        &credentials("user", "pencil", ""),
        Binding::None,
        "rOprNGfwEbeRWgbNEkqO",
        [
            "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
            "r=rOprNGfwEbeRWgbNEkqO02431b08-2f89-4bad-a4e6-80c0564ec865,s=Yin2FuHTt/M0kJWb0t9OI32n2VmOGi3m+JfjOvuDF88=,i=4096",
            "c=biws,r=rOprNGfwEbeRWgbNEkqO02431b08-2f89-4bad-a4e6-80c0564ec865,p=Hc5yec3NmCD7t+kFRw4/3yD6/F3SQHc7AVYschRja+Bc3sbdjlA0eH1OjJc0DD4ghn1tnXN5/Wr6qm9xmaHt4A==",
            "v=BQuhnKHqYDwQWS5jAw4sZed+C9KFUALsbrq81bB0mh+bcUUbbMPNNmBIupnS2AmyyDnG5CTBQtkjJ9kyY4kzmw==",
        ],
    );
}

#[test]
fn a_bound_login_has_the_channels_data_and_every_name_is_prepared() {
    let data: Vec<u8> = (0..32).collect();
    let lines = [
        "p=tls-exporter,a=b=3Dc,n=us=2Cer,r=abc",
        "r=abcdef,s=c2FsdA==,i=5000",
        "c=cD10bHMtZXhwb3J0ZXIsYT1iPTNEYywAAQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHw==,r=abcdef,p=yqMdzOVkbCu/ZIK1RILNOBoKQVnX4QfOPOkz6oaD4NA=",
        "v=2cPYHjX507dCbqRgSHJmYoPkdOE7/O8MGsZE5STD+HI=",
    ];
    // The soft hyphens of user and password go, and the Roman nine is spelled out (RFC 4013).
    let who = credentials("us,\u{ad}er", "\u{2168}\u{ad}", "b=c");
    exchange(Hash::Sha256, &who, Binding::Bound("tls-exporter", data.clone()), "abc", lines);
    let scram = Scram::with_nonce(Hash::Sha256, &who, Binding::Bound("tls-exporter", data), "abc").unwrap();
    assert_eq!(scram.name(), "SCRAM-SHA-256-PLUS");
}

#[test]
fn a_channel_that_the_server_cannot_bind_is_said_as_y() {
    let lines = [
        "y,,n=user,r=abc",
        "r=abcdef,s=c2FsdA==,i=4096",
        "c=eSws,r=abcdef,p=PHSVkBDSz+ePuoaxECOweoqO40xJpGnLbdUWRzuqsD8=",
        "v=tVLZ5oZY9JtAXRMuRUuKUzfTnWF07nz0EmwaNj9bRIk=",
    ];
    exchange(Hash::Sha256, &credentials("user", "pencil", ""), Binding::NotOffered, "abc", lines);
}

#[test]
fn the_binding_follows_channel_choice_and_offer() {
    let none = Channel { tls: true, ..Channel::default() };
    let end_point = Channel { end_point: Some(vec![2]), ..none.clone() };
    let both = Channel { exporter: Some(vec![1]), ..end_point.clone() };
    assert_eq!(Binding::of(&both, true, true), Binding::Bound("tls-exporter", vec![1]));
    assert_eq!(Binding::of(&end_point, true, true), Binding::Bound("tls-server-end-point", vec![2]));
    assert_eq!(Binding::of(&both, false, false), Binding::NotOffered);
    assert_eq!(Binding::of(&both, false, true), Binding::None, "y would be taken for an attack");
    assert_eq!(Binding::of(&none, false, false), Binding::None);
    let clear = Channel { tls: false, ..both };
    assert_eq!(Binding::of(&clear, false, false), Binding::None);
    for channel in [none, clear] {
        let error = Scram::new(Hash::Sha1, &credentials("u", "p", ""), Binding::of(&channel, true, true)).unwrap_err();
        assert_eq!(error.code, Code::ValueRefused);
    }
}

fn first_error(challenge: &str) -> Error {
    let (mut scram, _) = begin(Hash::Sha1, &credentials("user", "pencil", ""), Binding::None, NONCE);
    let begun = Instant::now();
    let error = say(&mut scram, challenge).expect_err(challenge);
    assert!(begun.elapsed() < Duration::from_millis(500), "{challenge}");
    assert_eq!(error.code, Code::Protocol);
    assert!(!error.message.contains("pencil"));
    assert!(!scram.finished() && say(&mut scram, FIRST).is_err(), "nothing follows an error");
    error
}

#[test]
fn a_hostile_first_message_is_refused_at_once() {
    let good = format!("{NONCE}more");
    for (challenge, why) in [
        (format!("r={NONCE},s=QSXCR+Q6sek8bf92,i=4096"), "nonce"),
        ("r=other,s=QSXCR+Q6sek8bf92,i=4096".into(), "nonce"),
        (format!("r=x{good},s=QSXCR+Q6sek8bf92,i=4096"), "nonce"),
        (format!("r={good},s=QSXCR+Q6sek8bf92,i=0"), "iteration"),
        (format!("r={good},s=QSXCR+Q6sek8bf92,i=4095"), "iteration"),
        (format!("r={good},s=QSXCR+Q6sek8bf92,i=1000001"), "iteration"),
        (format!("r={good},s=QSXCR+Q6sek8bf92,i=2147483648"), "iteration"),
        (format!("r={good},s=QSXCR+Q6sek8bf92,i=4294967296"), "iteration"),
        (format!("r={good},s=QSXCR+Q6sek8bf92,i=99999999999999999999999"), "iteration"),
        (format!("r={good},s=QSXCR+Q6sek8bf92,i=+4096"), "malformed"),
        (format!("r={good},s=QSXCR+Q6sek8bf92,i=-1"), "malformed"),
        (format!("r={good},s=QSXCR+Q6sek8bf92,i="), "malformed"),
        (format!("r={good},s=QSXCR+Q6sek8bf92"), "malformed"),
        (format!("r={good},s=,i=4096"), "salt is empty"),
        (format!("r={good},s=not base64,i=4096"), "malformed"),
        (format!("s=QSXCR+Q6sek8bf92,r={good},i=4096"), "malformed"),
        (format!("m=new,r={good},s=QSXCR+Q6sek8bf92,i=4096"), "extension"),
        (format!("r={good},s=QSXCR+Q6sek8bf92,i=4096,m=new"), "extension"),
        (format!("r={good}\u{7f},s=QSXCR+Q6sek8bf92,i=4096"), "malformed"),
        (format!("r={good}ü,s=QSXCR+Q6sek8bf92,i=4096"), "malformed"),
        ("e=unknown-user\r\n".into(), "unknown-user"),
        (String::new(), "malformed"),
        ("v=rmF9pqV8S7suAoZWja4dJRkFsKQ=".into(), "malformed"),
    ] {
        let error = first_error(&challenge);
        assert!(error.message.contains(why), "{challenge}: {}", error.message);
    }
    let (mut scram, _) = begin(Hash::Sha1, &credentials("user", "pencil", ""), Binding::None, NONCE);
    assert!(scram.step(&[0xff, 0, 0xfe]).is_err());
}

#[test]
fn a_wrong_or_missing_proof_of_the_server_is_no_success() {
    for proof in [
        "v=rmF9pqV8S7suAoZWja4dJRkFsKR=",
        "v=AAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "v=rmF9pqV8S7suAoZWja4dJRkFsK",
        "v=",
        "",
        "ok",
        "x=1,v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
        "e=invalid-proof",
        "e=\x1b[2J",
    ] {
        let (mut scram, _) = begin(Hash::Sha1, &credentials("user", "pencil", ""), Binding::None, NONCE);
        say(&mut scram, FIRST).unwrap();
        let error = say(&mut scram, proof).expect_err(proof);
        assert_eq!(error.code, Code::Protocol);
        assert!(!error.message.contains('\x1b'));
        assert!(!scram.finished(), "{proof}");
        assert!(say(&mut scram, "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=").is_err() && !scram.finished(), "no second try");
    }
}

#[test]
fn a_proof_with_extensions_behind_it_counts() {
    let (mut scram, _) = begin(Hash::Sha1, &credentials("user", "pencil", ""), Binding::None, NONCE);
    say(&mut scram, FIRST).unwrap();
    say(&mut scram, "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=,x=later").unwrap();
    assert!(scram.finished() && say(&mut scram, "").is_err());
}

/// The longest that a server can make us count; optimized code has a second for it, what a test runs usually is not.
#[test]
fn the_highest_count_takes_about_a_second() {
    let limit = Duration::from_secs(if cfg!(debug_assertions) { 5 } else { 1 });
    for hash in [Hash::Sha1, Hash::Sha256, Hash::Sha512] {
        let (mut scram, _) = begin(hash, &credentials("user", "pencil", ""), Binding::None, NONCE);
        let begun = Instant::now();
        say(&mut scram, &FIRST.replace("4096", "1000000")).unwrap();
        assert!(begun.elapsed() < limit, "{hash:?} took {:?}", begun.elapsed());
    }
}

#[test]
fn what_cannot_be_prepared_is_refused_and_a_long_password_is_not() {
    for (user, password, identity) in
        [("u\u{7}", "p", ""), ("", "p", ""), ("\u{ad}", "p", ""), ("u", "p\0", ""), ("u", "p", "\0")]
    {
        let error = Scram::new(Hash::Sha1, &credentials(user, password, identity), Binding::None).unwrap_err();
        assert_eq!(error.code, Code::ValueRefused, "{user:?} {password:?}");
    }
    let (mut scram, _) = begin(Hash::Sha256, &credentials("u", &"p".repeat(65_536), ""), Binding::None, NONCE);
    assert!(say(&mut scram, FIRST).is_ok());
}

#[test]
fn every_login_has_a_nonce_of_its_own() {
    let nonce = || {
        let mut scram = Scram::new(Hash::Sha1, &credentials("u", "p", ""), Binding::None).unwrap();
        let Opening::OnCommandLine(first) = scram.opening().unwrap() else { panic!("a message") };
        String::from_utf8(first.expose().to_vec()).unwrap()
    };
    let (one, other) = (nonce(), nonce());
    assert_ne!(one, other);
    assert_eq!(one.len(), "n,,n=u,r=".len() + 32);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    #[test]
    fn only_the_right_proof_is_a_success(text in "(v=|e=|v=rmF9pqV8S7)?[a-zA-Z0-9+/=,\\PC]{0,40}") {
        let (mut scram, _) = begin(Hash::Sha1, &credentials("user", "pencil", ""), Binding::None, NONCE);
        say(&mut scram, FIRST).unwrap();
        proptest::prop_assert!(scram.step(text.as_bytes()).is_err() && !scram.finished());
    }
}
