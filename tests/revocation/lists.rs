//! CRLs: whose they are, when they hold, what they are for, and how they come.

use crate::site::{Reply, Site, To};
use crate::{CRL, CRL_ALWAYS, check, check_path, clock, der_of, file, one, site};
use ssmtp::error::Code;
use ssmtp::net::tls::revocation::{Levels, Revocation};
use ssmtp::net::tls::{Fault, Presented};
use ssmtp::net::{Clock, Interrupt};
use std::time::{Duration, Instant};

fn giving(name: &'static str) -> Site {
    site(move |_| Reply::Content(file(name)))
}

#[test]
fn nothing_is_asked_unless_it_is_wanted() {
    let site = giving("int.crl");
    assert_eq!(check(Levels::default(), "listed-revoked", &site), []);
    assert_eq!(site.asked(), [""; 0]);
    // A certificate that names nobody, or nobody who speaks http.
    for leaf in ["plain", "ldap"] {
        assert_eq!(check(CRL, leaf, &site), []);
        one(&check(CRL_ALWAYS, leaf, &site), Fault::RevocationUnknown, &["names no revocation list", "CN=server"]);
    }
    let asked = site.asked();
    assert!(asked.iter().all(|what| what == "GET lists.example/ca.crl"), "{asked:?}");
}

#[test]
fn a_list_tells_the_revoked_from_the_good() {
    for level in [CRL, CRL_ALWAYS] {
        let site = giving("int.crl");
        assert_eq!(check(level, "listed", &site), []);
        assert_eq!(site.asked(), ["GET lists.example/int.crl", "GET lists.example/ca.crl"]);
        one(
            &check(level, "listed-revoked", &site),
            Fault::Revoked,
            &["CN=server", "http://lists.example/int.crl", "was revoked"],
        );
        // PEM is not what RFC 5280 says, and common.
        assert_eq!(check(level, "listed", &giving("int.pem-crl")), []);
        let chunked = crate::site(|_| Reply::Chunked(file("int.crl")));
        one(&check(level, "listed-revoked", &chunked), Fault::Revoked, &[]);
    }
}

#[test]
fn an_intermediate_is_looked_at_too() {
    let site = Site::start(|asked| match asked.what.as_str() {
        "GET lists.example/ca.crl" => Reply::Content(file("revoked-int.crl")),
        _ => Reply::Content(file("int.crl")),
    });
    one(&check(CRL, "plain", &site), Fault::Revoked, &["intermediate", "CN=Test Intermediate", "lists.example/ca.crl"]);
    let away = Site::start(|asked| match asked.what.as_str() {
        "GET lists.example/ca.crl" => Reply::Raw(b"HTTP/1.1 500 No\r\n\r\n".to_vec()),
        _ => Reply::Content(file("int.crl")),
    });
    one(&check(CRL, "listed", &away), Fault::CaRevocationUnknown, &["intermediate", "500"]);
    // The root answers for nobody but itself, and directly below it there is one list.
    let root = Site::start(|_| Reply::Content(file("empty-ca.crl")));
    assert_eq!(check_path(&Revocation::default(), CRL_ALWAYS, &["under-root", "ca"], &[], &root), []);
    assert_eq!(root.asked().len(), 1);
}

#[test]
fn a_list_that_does_not_hold_does_not_count() {
    for (list, why) in [
        ("expired.crl", "out of date"),
        ("future.crl", "future"),
        ("foreign.crl", "another issuer's"),
        ("authorities.crl", "other certificates"),
        ("indirect.crl", "other certificates"),
        ("elsewhere.crl", "another distribution point"),
        ("delta.crl", "critical extension"),
        ("int.pem", "no revocation list"),
        ("plain.key", "no revocation list"),
    ] {
        for level in [CRL, CRL_ALWAYS] {
            let failures = check(level, "listed-revoked", &giving(list));
            one(&failures, Fault::RevocationUnknown, &["http://lists.example/int.crl", why]);
        }
    }
    let damaged = site(|_| {
        let mut list = file("int.crl");
        *list.last_mut().unwrap() ^= 1;
        Reply::Content(list)
    });
    one(&check(CRL, "listed", &damaged), Fault::RevocationUnknown, &["signature is wrong"]);
    // A part is enough where the certificate names that very part.
    assert_eq!(check(CRL, "in-part", &giving("part.crl")), []);
}

#[test]
fn every_cut_of_a_list_is_refused_and_nothing_else() {
    let list = file("int.crl");
    for length in 0..list.len() {
        let cut = list[..length].to_vec();
        let site = site(move |_| Reply::Content(cut.clone()));
        one(&check(CRL, "listed", &site), Fault::RevocationUnknown, &[]);
    }
}

#[test]
fn a_second_address_helps_where_the_first_does_not() {
    let site = site(|asked| match asked.what.as_str() {
        "GET lists.example/int.crl" => Reply::Content(file("int.crl")),
        _ => Reply::Raw(b"HTTP/1.1 404 Not Found\r\n\r\n".to_vec()),
    });
    assert_eq!(check(CRL_ALWAYS, "two", &site), []);
    assert_eq!(site.asked()[..2], ["GET lists.example/nothing.crl", "GET lists.example/int.crl"]);
}

#[test]
fn a_list_is_fetched_once_while_it_holds() {
    let site = giving("int.crl");
    let checks = Revocation::default();
    for _ in 0..3 {
        assert_eq!(check_path(&checks, CRL, &["listed", "int", "ca"], &[], &site), []);
        one(&check_path(&checks, CRL, &["listed-revoked", "int", "ca"], &[], &site), Fault::Revoked, &[]);
    }
    assert_eq!(site.asked().len(), 2);
    checks.forget();
    check_path(&checks, CRL, &["listed", "int", "ca"], &[], &site);
    assert_eq!(site.asked().len(), 2);
    // What does not hold is not kept.
    let bad = giving("expired.crl");
    for _ in 0..2 {
        check_path(&checks, CRL, &["in-part", "int", "ca"], &[], &bad);
    }
    assert_eq!(bad.asked(), ["GET lists.example/part.crl"; 2]);
}

#[test]
fn redirections_are_followed_to_http_and_not_for_ever() {
    let once = site(|asked| match asked.what.as_str() {
        "GET lists.example/int.crl" => Reply::Elsewhere("http://other.example:8080/here?x=y".into()),
        "GET other.example:8080/here?x=y" => Reply::Elsewhere("/there".into()),
        _ => Reply::Content(file("int.crl")),
    });
    assert_eq!(check(CRL, "listed", &once), []);
    assert_eq!(once.asked()[2], "GET other.example:8080/there");
    for there in
        ["https://lists.example/", "file:///etc/passwd", "ldap://lists.example/", "//x/", "http://user@x/", "gopher:x"]
    {
        let away = site(move |_| Reply::Elsewhere(there.into()));
        one(&check(CRL, "listed", &away), Fault::RevocationUnknown, &["no http address"]);
        assert_eq!(away.asked().len(), 2);
    }
    let endless = site(|_| Reply::Elsewhere("http://lists.example/int.crl".into()));
    one(&check(CRL, "listed", &endless), Fault::RevocationUnknown, &["too many redirections"]);
    assert_eq!(endless.asked().len(), 5);
}

#[test]
fn answers_without_bounds_or_sense_are_given_up() {
    for (raw, why) in [
        (&b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"[..], "longer than"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffff\r\n", "longer than"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", "no HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n", "packed"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "coded"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", "no HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort", "breaks off"),
        (b"220 mail.example ESMTP\r\n", "no HTTP"),
        (b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "no HTTP"),
        (b"HTTP/1.1 500 Oh\r\n\r\n", "500"),
        (b"", "breaks off"),
    ] {
        let site = site(move |_| Reply::Raw(raw.to_vec()));
        one(&check(CRL, "listed", &site), Fault::RevocationUnknown, &[why]);
    }
    let long = site(|_| Reply::Raw([b"HTTP/1.1 200 OK\r\nX: ".to_vec(), vec![b'x'; 100_000]].concat()));
    one(&check(CRL, "listed", &long), Fault::RevocationUnknown, &["header is too long"]);
    let endless = site(|_| Reply::Endless);
    one(&check(CRL, "listed", &endless), Fault::RevocationUnknown, &["longer than 33554432 bytes"]);
}

#[test]
fn time_is_bounded_and_an_interrupt_ends_it() {
    let path = [der_of("listed"), der_of("int"), der_of("ca")];
    let presented = Presented { chain: &path, path: &path, ocsp: &[] };
    for reply in [|| Reply::Drip, || Reply::Silence] {
        let site = site(move |_| reply());
        let clock = Clock::new(Some(Duration::from_millis(700)), None, Interrupt::new());
        let begun = Instant::now();
        let failures = Revocation::default().check(CRL, &presented, &mut To(site.port), &clock).unwrap();
        one(&failures, Fault::RevocationUnknown, &["time limit of the operation"]);
        assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    }
    let site = site(|_| Reply::Silence);
    let clock = clock();
    let interrupt = clock.interrupt.clone();
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(200));
        interrupt.interrupt();
    });
    let error = Revocation::default().check(CRL, &presented, &mut To(site.port), &clock).unwrap_err();
    assert_eq!(error.code, Code::Interrupted);
}
