//! RFC 5322 appendix A, and what must not be read as an address.

use super::*;

fn list(text: &str) -> Vec<(String, String)> {
    parse_list(text)
        .unwrap_or_else(|error| panic!("{text:?}: {error}"))
        .into_iter()
        .map(|mailbox| (mailbox.name.clone(), mailbox.envelope()))
        .collect()
}

#[test]
fn the_addresses_of_rfc_5322_appendix_a_are_read() {
    for (text, expected) in [
        ("John Doe <jdoe@machine.example>", &[("John Doe", "jdoe@machine.example")][..]),
        ("Mary Smith <mary@example.net>", &[("Mary Smith", "mary@example.net")]),
        (
            "Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>",
            &[("Mary Smith", "mary@x.test"), ("", "jdoe@example.org"), ("Who?", "one@y.test")],
        ),
        (
            "<boss@nil.test>, \"Giant; \\\"Big\\\" Box\" <sysservices@example.net>",
            &[("", "boss@nil.test"), ("Giant; \"Big\" Box", "sysservices@example.net")],
        ),
        ("\"Joe Q. Public\" <john.q.public@example.com>", &[("Joe Q. Public", "john.q.public@example.com")]),
        (
            "A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;",
            &[("Ed Jones", "c@a.test"), ("", "joe@where.test"), ("John", "jdoe@one.test")],
        ),
        ("Undisclosed recipients:;", &[]),
        (
            "\"Mary Smith: Personal Account\" <smith@home.example>",
            &[("Mary Smith: Personal Account", "smith@home.example")],
        ),
        ("Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>", &[("Pete", "pete@silly.test")]),
        (
            "A Group(Some people)\r\n    :Chris Jones <c@(Chris's host.)public.example>,\r\n        joe@example.org,\r\n  \
             John <jdoe@one.test> (my dear friend); (the end of the group)",
            &[("Chris Jones", "c@public.example"), ("", "joe@example.org"), ("John", "jdoe@one.test")],
        ),
        ("(Empty list)(start)Hidden recipients  :(nobody(that I know))  ;", &[]),
        ("Joe Q. Public <john.q.public@example.com>", &[("Joe Q. Public", "john.q.public@example.com")]),
        (
            "Mary Smith <@node.test,@other.test:mary@example.net>, , jdoe@test  . example",
            &[("Mary Smith", "mary@example.net"), ("", "jdoe@test.example")],
        ),
    ] {
        let expected: Vec<_> = expected.iter().map(|(n, a)| (n.to_string(), a.to_string())).collect();
        assert_eq!(list(text), expected, "{text}");
    }
}

#[test]
fn the_wire_gets_the_address_that_a_strict_reader_sees() {
    for (text, name, wire) in [
        ("\"a@evil.example x\"@ok.example", "", "\"a@evil.example x\"@ok.example"),
        ("\"a@evil.example\" <b@ok.example>", "a@evil.example", "b@ok.example"),
        ("(x@evil.example) b@ok.example", "x@evil.example", "b@ok.example"),
        ("b@ok.example (x@evil.example)", "x@evil.example", "b@ok.example"),
        ("\"simple\"@ok.example", "", "simple@ok.example"),
        ("\"quote\\\"d\\\\\"@ok.example", "", "\"quote\\\"d\\\\\"@ok.example"),
        ("\"\"@ok.example", "", "\"\"@ok.example"),
        ("\".dot.\"@ok.example", "", "\".dot.\"@ok.example"),
        ("a.\"b c\".d@ok.example", "", "\"a.b c.d\"@ok.example"),
        ("joe@[192.0.2.1]", "", "joe@[192.0.2.1]"),
        ("joe@[IPv6:2001:db8::1]", "", "joe@[IPv6:2001:db8::1]"),
        ("tag+x!#$%&'*-/=?^_`{|}~@ok.example", "", "tag+x!#$%&'*-/=?^_`{|}~@ok.example"),
        ("Jörg <joerg@bücher.example>", "Jörg", "joerg@xn--bcher-kva.example"),
        ("jörg@bücher.example", "", "jörg@bücher.example"),
        ("\"jörg x\"@ok.example", "", "\"jörg x\"@ok.example"),
    ] {
        let mailbox = parse_one(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!((mailbox.name.as_str(), mailbox.envelope().as_str()), (name, wire), "{text}");
        // What went out reads back as the same mailbox.
        let again = parse_one(&mailbox.envelope()).unwrap();
        assert_eq!(again.key(), mailbox.key());
    }
}

#[test]
fn a_local_part_beyond_ascii_is_flagged() {
    assert!(parse_one("jörg@a.example").unwrap().needs_smtputf8());
    assert!(!parse_one("joerg@bücher.example").unwrap().needs_smtputf8());
}

#[test]
fn what_is_no_address_is_refused() {
    for text in [
        "",
        " ",
        "(only a comment)",
        "joe",
        "joe@",
        "@a.example",
        "joe doe@a.example",
        "joe@a.example b",
        "joe@a.example <b@c.example>",
        "joe@a..example",
        "joe@.a.example",
        "joe@a.example.",
        ".joe@a.example",
        "joe.@a.example",
        "j..oe@a.example",
        "<joe@a.example",
        "joe@a.example>",
        "<<joe@a.example>>",
        "<>",
        "Joe <>",
        "\"joe@a.example",
        "(joe@a.example",
        "joe@a.example)",
        "joe@a b.example",
        "joe@a_b!.example",
        "joe@-a.example",
        "joe@[1.2.3]",
        "joe@[IPv6:zz]",
        "joe@[1.2.3.4",
        "joe@[1.2.3.4]x",
        "joe\\@a.example",
        "joe@a@b.example",
        "a\u{7}b@c.example",
        "\"a\u{0}b\"@c.example",
        "\"a\\\rb\"@c.example",
        "joe@exa\u{0}mple.example",
        "a@b.example, c@d.example",
        "A:b@c.example;",
        ":b@c.example;",
        "A:B:b@c.example;;",
        "A:b@c.example",
        "b@c.example;",
        "joe@xn--\u{fc}.example",
        "joe@a\u{200b}\u{2028}.example b",
    ] {
        assert!(parse_one(text).is_err(), "{text:?} {:?}", parse_one(text));
    }
    let long = "x".repeat(300);
    assert!(parse_one(&format!("{long}@a.example")).is_err());
    assert!(parse_one(&format!("a@{long}.example")).is_err());
}

#[test]
fn deep_nesting_takes_neither_stack_nor_time() {
    let depth = 200_000;
    let nested = format!("{}{}joe@a.example", "(".repeat(depth), ")".repeat(depth));
    assert_eq!(parse_one(&nested).unwrap().envelope(), "joe@a.example");
    assert!(parse_one(&"(".repeat(depth)).is_err());
    assert!(parse_list(&"a:".repeat(depth)).is_err());
    let many = vec!["joe@a.example"; 20_000].join(",");
    assert_eq!(parse_list(&many).unwrap().len(), 20_000);
}

#[test]
fn groups_are_remembered_and_empty_ones_too() {
    let entries = parse_entries("A:b@c.example,d@e.example;,f@g.example,N:;").unwrap();
    let Entry::Mailbox(first) = &entries[0] else { panic!() };
    let Entry::Mailbox(third) = &entries[2] else { panic!() };
    assert_eq!((first.group.as_deref(), third.group.as_deref()), (Some("A"), None));
    assert_eq!(entries[3], Entry::EmptyGroup("N".into()));
}

proptest::proptest! {
    #[test]
    fn a_plain_address_is_what_the_parser_reads(text in "[ab!]{0,3}[.\"( +é]{0,1}[ab]{0,2}@{0,2}[ab]{0,2}[.\\[<_-]{0,2}[aB]{0,2}[ ,.]{0,1}") {
        let read = Parser { text: &text, at: 0 }.list().ok();
        proptest::prop_assert_eq!(parse_entries(&text).ok(), read);
        if let Some((local, domain)) = plain(&text) {
            let mailbox = parse_one(&text).unwrap();
            proptest::prop_assert_eq!(key(local, domain), mailbox.key());
            proptest::prop_assert_eq!(mailbox.envelope(), text);
        }
    }

    #[test]
    fn any_text_is_read_or_refused_and_what_is_read_has_no_line_end(text in "(?s:.){0,60}|[a-c@.,:;<>()\"\\\\ \\[\\]]{0,40}") {
        if let Ok(mailboxes) = parse_list(&text) {
            for mailbox in mailboxes {
                let wire = mailbox.envelope();
                proptest::prop_assert!(!crate::text::line::has_crlf_nul(&wire), "{wire:?}");
                proptest::prop_assert_eq!(parse_one(&wire).unwrap().key(), mailbox.key());
                proptest::prop_assert_eq!(parse_one(&mailbox.text()).unwrap().key(), mailbox.key());
            }
        }
    }
}
