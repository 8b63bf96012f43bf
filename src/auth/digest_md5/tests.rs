use super::*;
use crate::auth::tests::credentials;
use crate::error::Code;

const CHALLENGE: &str =
    r#"realm="elwood.innosoft.com",nonce="OA6MG9tEQGm2hh",qop="auth",algorithm=md5-sess,charset=utf-8"#;

fn chris() -> DigestMd5 {
    DigestMd5::with_nonce(&credentials("chris", "secret", ""), "imap", "elwood.innosoft.com", "OA6MHXh6VqTrRk").unwrap()
}

fn say(digest: &mut DigestMd5, challenge: &[u8]) -> Result<Vec<u8>> {
    digest.step(challenge).map(|answer| answer.expose().to_vec())
}

/// What a user with a password answers to a challenge of the host `h`, with the client's nonce `c`.
fn answer(user: &str, password: &str, challenge: &[u8]) -> Result<Vec<u8>> {
    say(&mut DigestMd5::with_nonce(&credentials(user, password, ""), "smtp", "h", "c")?, challenge)
}

/// As [`answer`], with the rest of a challenge that is in order.
fn text(user: &str, password: &str, realms: &str) -> String {
    let challenge = format!("{realms},nonce=n,algorithm=md5-sess,charset=utf-8");
    String::from_utf8(answer(user, password, challenge.as_bytes()).unwrap()).unwrap()
}

#[test]
fn the_exchange_is_that_of_rfc_2831_section_4() {
    let mut digest = chris();
    assert_eq!(digest.opening().unwrap(), Opening::ServerFirst);
    assert_eq!(
        String::from_utf8(say(&mut digest, CHALLENGE.as_bytes()).unwrap()).unwrap(),
        r#"charset=utf-8,username="chris",realm="elwood.innosoft.com",nonce="OA6MG9tEQGm2hh",nc=00000001,cnonce="OA6MHXh6VqTrRk",digest-uri="imap/elwood.innosoft.com",response=d388dad90d4bbd760a152321f2143af7,qop=auth"#
    );
    assert!(!digest.finished(), "a 235 without the server's proof is not believed");
    assert_eq!(say(&mut digest, b"rspauth=ea40f60335c427b5527b84dbabcdfffd").unwrap(), b"");
    assert!(digest.finished());
    assert!(say(&mut digest, b"").is_err());
}

#[test]
fn the_second_exchange_of_rfc_2831_comes_out_too_and_with_an_identity() {
    let challenge =
        br#"realm="elwood.innosoft.com",nonce="OA9BSXrbuRhWay",qop="auth",algorithm=md5-sess,charset=utf-8"#;
    for (identity, response, proof) in [
        ("", "6084c6db3fede7352c551284490fd0fc", "2f0b3d7c3c2e486600ef710726aa2eae"),
        ("chris", "aa4e81f1c6656350f7bce05d436665de", "af3ca83a805d4cfa00675a17315475c4"),
    ] {
        let who = credentials("chris", "secret", identity);
        let mut digest = DigestMd5::with_nonce(&who, "acap", "elwood.innosoft.com", "OA9BSuZWMSpW8m").unwrap();
        let answer = String::from_utf8(say(&mut digest, challenge).unwrap()).unwrap();
        assert!(answer.contains(&format!("response={response},qop=auth")), "{answer}");
        assert_eq!(answer.ends_with(r#",authzid="chris""#), !identity.is_empty(), "{answer}");
        say(&mut digest, format!("rspauth={proof}").as_bytes()).unwrap();
        assert!(digest.finished());
    }
}

#[test]
fn a_wrong_or_missing_rspauth_is_no_success() {
    for proof in [
        &b"rspauth=ea40f60335c427b5527b84dbabcdfffe"[..],
        b"rspauth=\"\"",
        b"rspauth=d388dad90d4bbd760a152321f2143af7",
        b"",
        b"ok",
        b"stale=true",
        &[0xff; 100],
    ] {
        let mut digest = chris();
        say(&mut digest, CHALLENGE.as_bytes()).unwrap();
        assert_eq!(digest.step(proof).unwrap_err().code, Code::Protocol);
        assert!(!digest.finished());
        assert!(say(&mut digest, b"rspauth=ea40f60335c427b5527b84dbabcdfffd").is_err(), "no second try");
        assert!(!digest.finished());
    }
}

#[test]
fn values_that_are_quoted_stay_what_they_are() {
    let challenge = br#" realm = "the \"q\" realm\\" ,, nonce="n\"1", Algorithm=MD5-sess , qop="auth-int,  auth" "#;
    let answer = answer(r#"a"b\c"#, "p", challenge).unwrap();
    assert_eq!(
        String::from_utf8(answer).unwrap(),
        r#"username="a\"b\\c",realm="the \"q\" realm\\",nonce="n\"1",nc=00000001,cnonce="c",digest-uri="smtp/h",response=7377e0f739d16fa4e4416af5292dfdb7,qop=auth"#
    );
}

#[test]
fn the_user_chooses_among_realms_and_the_host_does_after_it() {
    let several = r#"realm="one",realm="Two.Example",realm="h""#;
    for (user, realms, expected) in [
        ("u@two.example", several, r#"username="u",realm="Two.Example","#),
        ("u@other", several, r#"username="u@other",realm="h","#),
        ("u", several, r#"username="u",realm="h","#),
        ("u", r#"realm="one",realm="two""#, r#"username="u",realm="one","#),
        ("u@one", r#"realm="one""#, r#"username="u",realm="one","#),
        ("@one", r#"realm="one""#, r#"username="@one",realm="one","#),
        ("u@h", "", r#"username="u@h",nonce="#),
        ("u", r#"realm="""#, r#"username="u",realm="","#),
    ] {
        let answer = text(user, "p", realms);
        assert!(answer.starts_with(&format!("charset=utf-8,{expected}")), "{user} {realms}: {answer}");
    }
    assert!(text("u", "p", "").contains("response=5992904fa238e6c75bec758fde431ac3,"));
}

#[test]
fn texts_are_hashed_in_latin_1_where_they_can_be() {
    let answer = text("jörg", "p€", "realm=r");
    assert!(
        answer.contains(r#"username="jörg""#) && answer.contains("response=09e7b83d2d0a64c501774d7f6346ca7a,"),
        "{answer}"
    );
    assert!(text("jörg", "pä", "realm=\"réalm\"").contains("response=b34ccfedbf945a5c911913977f6a98c3,"));
}

#[test]
fn a_server_without_utf_8_gets_latin_1_or_nothing() {
    let challenge = b"nonce=n,algorithm=md5-sess,realm=\"r\xe9alm\"";
    let reply = answer("jörg", "pä", challenge).unwrap();
    assert!(reply.starts_with(b"username=\"j\xf6rg\",realm=\"r\xe9alm\","), "{:?}", String::from_utf8_lossy(&reply));
    assert!(String::from_utf8_lossy(&reply).contains("response=b34ccfedbf945a5c911913977f6a98c3,"));
    for (user, password) in [("jörg", "hunter2€"), ("€", "hunter2")] {
        let error = answer(user, password, challenge).unwrap_err();
        assert_eq!(error.code, Code::ValueRefused);
        assert!(!error.message.contains("hunter2"), "{}", error.message);
    }
}

#[test]
fn a_challenge_that_is_no_digest_challenge_is_refused() {
    for challenge in [
        "",
        "realm=r,algorithm=md5-sess",
        "nonce=\"\",algorithm=md5-sess",
        "nonce=n",
        "nonce=n,algorithm=md5",
        "nonce=n,algorithm=SHA-256-sess",
        "nonce=n,algorithm=md5-sess,algorithm=md5-sess",
        "nonce=n,nonce=m,algorithm=md5-sess",
        "nonce=n,algorithm=md5-sess,qop=auth-conf",
        "nonce=n,algorithm=md5-sess,qop=\"\"",
        "nonce=n,algorithm=md5-sess,qop=auth,qop=auth",
        "nonce=n,algorithm=md5-sess,charset=utf-16",
        "nonce=n,algorithm=md5-sess,charset=utf-8,charset=utf-8",
        "nonce=\"n,algorithm=md5-sess",
        "nonce=\"n\\",
        "nonce=\"n\"x,algorithm=md5-sess",
        "no equals sign",
        "=,nonce=n,algorithm=md5-sess",
        "a b=c,nonce=n,algorithm=md5-sess",
    ] {
        assert_eq!(answer("u", "p", challenge.as_bytes()).expect_err(challenge).code, Code::Protocol, "{challenge}");
    }
}

#[test]
fn a_missing_qop_means_auth_and_unknown_directives_are_passed_over() {
    let reply = text("u", "p", "maxbuf=65536,cipher=\"rc4,des\",stale=true,realm=r,x-new=\"1\"");
    assert!(reply.ends_with(",qop=auth"), "{reply}");
}

#[test]
fn a_user_that_would_end_a_line_is_refused() {
    for (user, identity) in [("a\r\nb", ""), ("a\0", ""), ("", ""), ("u", "x\ny")] {
        assert!(DigestMd5::new(&credentials(user, "p", identity), "h").is_err(), "{user:?}");
    }
    let nonce = || DigestMd5::new(&credentials("u", "p", ""), "h").unwrap().cnonce;
    assert_ne!(nonce(), nonce());
}
