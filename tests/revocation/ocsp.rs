//! OCSP: who may answer, for how long, to what question.

use crate::answers::{Answer, Nonce, REVOKED, UNKNOWN, status};
use crate::site::{Reply, Site};
use crate::{OCSP, OCSP_ALWAYS, check, check_path, file, one, pki, site};
use ssmtp::certs::signing::Hash;
use ssmtp::net::tls::Fault;
use ssmtp::net::tls::revocation::{Levels, Revocation};
use std::process::Command;
use std::sync::Mutex;

fn answering(answer: Answer) -> Site {
    site(move |asked| Reply::Content(answer.to(&asked.content)))
}

#[test]
fn a_good_answer_is_good_and_a_revoked_certificate_refused() {
    for level in [OCSP, OCSP_ALWAYS] {
        let good = answering(Answer::good("asked"));
        assert_eq!(check(level, "asked", &good), []);
        assert_eq!(good.asked(), ["POST responder.example/int", "POST responder.example/ca"]);
        let revoked = answering(Answer { status: REVOKED, ..Answer::good("asked") });
        one(
            &check(level, "asked", &revoked),
            Fault::Revoked,
            &["CN=server", "http://responder.example/int", "was revoked"],
        );
    }
    let off = answering(Answer::good("asked"));
    assert_eq!(check(Levels::default(), "asked", &off), []);
    assert_eq!(off.asked(), [""; 0]);
}

#[test]
fn a_certificate_without_a_responder_is_refused_only_where_one_is_wanted() {
    let site = answering(Answer::good("plain"));
    for leaf in ["plain", "ldap"] {
        assert_eq!(check(OCSP, leaf, &site), []);
        one(&check(OCSP_ALWAYS, leaf, &site), Fault::RevocationUnknown, &["names no OCSP responder"]);
    }
}

#[test]
fn whatever_form_a_right_answer_has_it_counts() {
    let answers = [
        Answer { by_key: true, ..Answer::good("asked") },
        Answer { hash: Hash::Sha256, ..Answer::good("asked") },
        Answer { nonce: Nonce::None, ..Answer::good("asked") },
        Answer { next: None, ..Answer::good("asked") },
        Answer { certificates: vec!["int"], ..Answer::good("asked") },
        Answer { signer: "delegate", certificates: vec!["delegate"], ..Answer::good("asked") },
        Answer { signer: "delegate", certificates: vec!["plain", "delegate"], by_key: true, ..Answer::good("asked") },
    ];
    for answer in answers {
        assert_eq!(check(OCSP_ALWAYS, "asked", &answering(answer.clone())), []);
        let revoked = answering(Answer { status: REVOKED, ..answer });
        one(&check(OCSP_ALWAYS, "asked", &revoked), Fault::Revoked, &[]);
    }
}

#[test]
fn an_answer_that_does_not_hold_is_never_good() {
    let delegated = |signer: &'static str| Answer { signer, certificates: vec![signer], ..Answer::good("asked") };
    let answers = [
        (Answer { status: UNKNOWN, ..Answer::good("asked") }, "does not know"),
        (Answer { damaged: true, ..Answer::good("asked") }, "signature is wrong"),
        (Answer { nonce: Nonce::Other, ..Answer::good("asked") }, "nonce"),
        (Answer { this: 3_600, ..Answer::good("asked") }, "future"),
        (Answer { this: -7_200, next: Some(-3_600), ..Answer::good("asked") }, "out of date"),
        (Answer { this: -200_000, next: None, ..Answer::good("asked") }, "out of date"),
        (Answer::good("plain"), "other certificates"),
        (Answer { issuer: "other", ..Answer::good("asked") }, "other certificates"),
        (Answer { signer: "other", ..Answer::good("asked") }, "nobody whose certificate"),
        (Answer { signer: "delegate", ..Answer::good("asked") }, "nobody whose certificate"),
        (delegated("other"), "did not authorise"),
        (delegated("ca"), "did not authorise"),
        (delegated("delegate-foreign"), "did not authorise"),
        (delegated("delegate-no-usage"), "OCSPSigning"),
        (delegated("plain"), "OCSPSigning"),
        (delegated("delegate-expired"), "out of its dates"),
    ];
    for (answer, why) in answers {
        for level in [OCSP, OCSP_ALWAYS] {
            let site = answering(answer.clone());
            one(&check(level, "asked", &site), Fault::RevocationUnknown, &["http://responder.example/int", why]);
        }
    }
    for (number, name) in [
        (1, "malformedRequest"),
        (2, "internalError"),
        (3, "tryLater"),
        (5, "sigRequired"),
        (6, "unauthorized"),
        (9, "9"),
    ] {
        let site = site(move |_| Reply::Content(status(number)));
        one(&check(OCSP, "asked", &site), Fault::RevocationUnknown, &[name]);
    }
    for reply in [Vec::new(), b"<html>".to_vec(), status(0)] {
        let site = site(move |_| Reply::Content(reply.clone()));
        one(&check(OCSP, "asked", &site), Fault::RevocationUnknown, &["http://responder.example/int"]);
    }
    let endless = site(|_| Reply::Endless);
    one(&check(OCSP, "asked", &endless), Fault::RevocationUnknown, &["longer than"]);
}

#[test]
fn every_cut_and_many_changes_of_an_answer_are_refused() {
    // Without a nonce and signed by nobody else, so that the same octets can be given again.
    let answer = Answer { nonce: Nonce::None, ..Answer::good("asked") }.to(&[]);
    let stapled = |octets: &[u8]| {
        let site = site(|_| Reply::Raw(Vec::new()));
        check_path(&Revocation::default(), Levels { crl: 0, ocsp: 1 }, &["asked", "int", "ca"], octets, &site)
    };
    assert_eq!(stapled(&answer), []);
    for length in 1..answer.len() {
        one(&stapled(&answer[..length]), Fault::RevocationUnknown, &[]);
    }
    for at in 0..answer.len() {
        let mut changed = answer.clone();
        changed[at] ^= 0x41;
        let found = stapled(&changed);
        assert!(!found.is_empty(), "octet {at} of {}", answer.len());
        one(&found, Fault::RevocationUnknown, &[]);
    }
}

#[test]
fn a_stapled_answer_is_checked_the_same_and_saves_the_question() {
    let stapling = |answer: &Answer, level: Levels, leaf: &str| {
        let site = answering(Answer::good("asked"));
        let found = check_path(&Revocation::default(), level, &[leaf, "int", "ca"], &answer.to(&[]), &site);
        (found, site.asked().iter().filter(|what| what.ends_with("/int")).count())
    };
    let good = Answer { nonce: Nonce::None, ..Answer::good("asked") };
    assert_eq!(stapling(&good, OCSP_ALWAYS, "asked"), (vec![], 0));
    // It is enough where the certificate names no responder.
    assert_eq!(stapling(&Answer { about: "plain", ..good.clone() }, OCSP_ALWAYS, "plain"), (vec![], 0));
    let (found, asked) = stapling(&Answer { status: REVOKED, ..good.clone() }, OCSP, "asked");
    one(&found, Fault::Revoked, &["stapled"]);
    assert_eq!(asked, 0);
    // One that does not hold: the responder is asked, if there is one.
    let stale = Answer { this: -7_200, next: Some(-3_600), ..good };
    assert_eq!(stapling(&stale, OCSP, "asked"), (vec![], 1));
    one(
        &stapling(&Answer { about: "plain", ..stale.clone() }, OCSP, "plain").0,
        Fault::RevocationUnknown,
        &["stapled", "out of date"],
    );
    // Nobody wants to know.
    assert_eq!(stapling(&Answer { status: REVOKED, ..stale }, Levels::default(), "asked"), (vec![], 0));
}

#[test]
fn an_answer_is_asked_for_once_while_it_holds() {
    let (checks, site) = (Revocation::default(), answering(Answer::good("asked")));
    for _ in 0..3 {
        assert_eq!(check_path(&checks, OCSP, &["asked", "int", "ca"], &[], &site), []);
    }
    assert_eq!(site.asked().len(), 2);
    let brief = answering(Answer { next: None, ..Answer::good("both") });
    for _ in 0..2 {
        check_path(&checks, OCSP, &["both", "int", "ca"], &[], &brief);
    }
    assert_eq!(brief.asked(), ["POST responder.example/int"; 2], "an answer without an end is of now");
}

#[test]
fn every_question_has_a_nonce_of_its_own() {
    static SEEN: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());
    let site = site(|asked| {
        SEEN.lock().unwrap().push(crate::answers::nonce(&asked.content).unwrap());
        Reply::Content(Answer::good("asked").to(&asked.content))
    });
    check(OCSP, "asked", &site);
    check(OCSP, "asked", &site);
    let seen = SEEN.lock().unwrap();
    assert_eq!((seen.len(), seen[0].len()), (2, 32));
    assert_ne!(seen[0], seen[1]);
}

#[test]
fn both_kinds_are_looked_at_where_both_are_wanted() {
    let both = Levels { crl: 2, ocsp: 2 };
    let good = || {
        site(|asked| match asked.what.as_str() {
            "GET lists.example/int.crl" => Reply::Content(file("int.crl")),
            _ => Reply::Content(Answer::good("both").to(&asked.content)),
        })
    };
    assert_eq!(check(both, "both", &good()), []);
    let failures = check(both, "plain", &good());
    assert_eq!(failures.iter().map(|failure| failure.fault).collect::<Vec<_>>(), [Fault::RevocationUnknown; 2]);
}

#[test]
fn the_responder_of_openssl_is_understood() {
    let path = |name: &str| pki().join(name).to_str().unwrap().to_owned();
    let site = site(move |asked| {
        std::fs::write(path("request"), &asked.content).unwrap();
        let status = Command::new("openssl")
            .args(["ocsp", "-index", &path("int.index"), "-CA", &path("int.pem"), "-ndays", "1"])
            .args(["-rsigner", &path("delegate.pem"), "-rkey", &path("delegate.key")])
            .args(["-reqin", &path("request"), "-respout", &path("response")])
            .output()
            .unwrap();
        assert!(status.status.success());
        Reply::Content(file("response"))
    });
    assert_eq!(check(OCSP_ALWAYS, "asked", &site), []);
}

/// Answers about other people's certificates, right, odd and broken: whatever they say, they are none about this one.
#[test]
#[ignore = "tests/certs/run.sh"]
fn the_answers_of_cryptographys_collection_are_never_good() {
    let folder = std::env::var_os("CERT_VECTORS").expect("tests/certs/run.sh runs these tests");
    let folder = std::path::Path::new(&folder).join("x509/ocsp");
    let files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() >= 24, "{files:?}");
    for path in files {
        let octets = std::fs::read(&path).unwrap();
        let given = octets.clone();
        let site = site(move |_| Reply::Content(given.clone()));
        one(&check(OCSP, "asked", &site), Fault::RevocationUnknown, &["http://responder.example/int"]);
        let silent = crate::site(|_| Reply::Raw(Vec::new()));
        let stapled = check_path(&Revocation::default(), OCSP_ALWAYS, &["plain", "int", "ca"], &octets, &silent);
        one(&stapled, Fault::RevocationUnknown, &["stapled"]);
    }
}
