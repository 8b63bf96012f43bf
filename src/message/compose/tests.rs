//! Headers and bodies as they go out.

use super::*;

const CAPS: Caps = Caps { eight_bit_mime: true, smtp_utf8: true, binary: false };
const SEVEN: Caps = Caps { eight_bit_mime: false, smtp_utf8: false, binary: false };

fn draft() -> Draft {
    let mut draft = Draft::default();
    draft.set_from("me@a.example").unwrap();
    draft.set_send_to("you@b.example").unwrap();
    draft.set_subject("Hello").unwrap();
    draft.set_message_text("Hi\r\n").unwrap();
    draft.set_message_date("Sun, 22 Nov 2026 10:00:00 +0100").unwrap();
    draft.set_message_id("<1@a.example>").unwrap();
    draft
}

fn composed(draft: &Draft, caps: Caps) -> Composed {
    compose(draft, &Options::default(), caps, &mut Generated::default()).unwrap()
}

fn headers(draft: &Draft) -> String {
    String::from_utf8(composed(draft, CAPS).headers).unwrap()
}

fn body(composed: &Composed) -> Vec<u8> {
    let mut out = Vec::new();
    for piece in &composed.pieces {
        let mut source = piece.open().unwrap();
        while let Some(bytes) = source.next().unwrap() {
            out.extend_from_slice(bytes);
        }
    }
    out
}

#[test]
fn a_plain_message_has_our_fields_in_their_order_and_no_mime() {
    let mut draft = draft();
    draft.set_reply_to("office@a.example").unwrap();
    draft.set_cc("\"Three, Q.\" <c@b.example>").unwrap();
    draft.set_bcc("secret@b.example").unwrap();
    draft.set_read_receipt_to("r@a.example").unwrap();
    draft.set_delivery_notification_to("d@a.example").unwrap();
    draft.set_other_headers("X-One: 1\r\nX-Two: 2").unwrap();
    (draft.importance, draft.priority, draft.sensitivity) =
        (Importance::High, Priority::NonUrgent, Sensitivity::CompanyConfidential);
    assert_eq!(
        headers(&draft),
        "Date: Sun, 22 Nov 2026 10:00:00 +0100\r\nFrom: me@a.example\r\nReply-To: office@a.example\r\nTo: you@b.example\r\n\
         Cc: \"Three, Q.\" <c@b.example>\r\nSubject: Hello\r\nMessage-ID: <1@a.example>\r\nImportance: High\r\n\
         Priority: non-urgent\r\nSensitivity: Company-Confidential\r\nDisposition-Notification-To: r@a.example\r\n\
         Return-Receipt-To: d@a.example\r\nX-One: 1\r\nX-Two: 2\r\n\r\n"
    );
    let composed = composed(&draft, SEVEN);
    assert_eq!((body(&composed), composed.eight_bit, composed.needs_smtputf8), (b"Hi\r\n".to_vec(), false, false));
    assert_eq!(composed.size, Some((composed.headers.len() + 4) as u64));
}

#[test]
fn every_word_of_importance_priority_and_sensitivity_has_its_text() {
    let mut draft = draft();
    for (number, texts) in [
        (1, ["Importance: High", "Priority: normal", "Sensitivity: Personal"]),
        (2, ["Importance: Normal", "Priority: urgent", "Sensitivity: Private"]),
        (3, ["Importance: Low", "Priority: non-urgent", "Sensitivity: Company-Confidential"]),
    ] {
        draft.importance = Importance::from_i32(number).unwrap();
        draft.priority = Priority::from_i32(number).unwrap();
        draft.sensitivity = Sensitivity::from_i32(number).unwrap();
        let headers = headers(&draft);
        assert!(texts.iter().all(|text| headers.contains(&format!("\r\n{text}\r\n"))), "{headers}");
    }
}

#[test]
fn bcc_is_absent_from_the_headers_even_when_the_caller_puts_it_there() {
    let mut draft = draft();
    draft.set_bcc("secret@b.example").unwrap();
    draft.set_other_headers("bCC: secret@b.example,\r\n other-secret@b.example\r\nX-Mine: yes").unwrap();
    let text = headers(&draft);
    assert!(!text.to_lowercase().contains("secret") && text.contains("X-Mine: yes"), "{text}");
    draft.set_other_headers("\r\nFrom: x@a.example\r\nBcc: secret@b.example\r\nResent-Bcc: secret@b.example").unwrap();
    assert_eq!(headers(&draft), "From: x@a.example\r\n\r\n");
    assert_eq!(envelope_recipients(&draft, &Options::default()).unwrap().len(), 2);
}

#[test]
fn what_was_generated_stays_until_the_message_changes() {
    let mut draft = draft();
    draft.set_message_date("*").unwrap();
    draft.set_message_id("*").unwrap();
    let mut generated = Generated::default();
    let mut read = |draft: &Draft| compose(draft, &Options::default(), CAPS, &mut generated).unwrap().headers;
    let first = read(&draft);
    assert_eq!(first, read(&draft));
    let text = String::from_utf8(first.clone()).unwrap();
    assert!(
        text.starts_with("Date: ") && text.contains("@a.example>\r\n") && text.contains("\r\nMessage-ID: <"),
        "{text}"
    );
    draft.set_subject("Other").unwrap();
    let second = read(&draft);
    let id = |headers: &[u8]| header_list(headers).into_iter().find(|(name, _)| name == "Message-ID").unwrap().1;
    assert_ne!(id(&first), id(&second));
    draft.set_message_date("").unwrap();
    draft.set_message_id("").unwrap();
    let none = String::from_utf8(read(&draft)).unwrap();
    assert!(!none.contains("Date:") && !none.contains("Message-ID:"), "{none}");
}

#[test]
fn fields_of_other_headers_take_the_place_of_ours() {
    let mut draft = draft();
    draft
        .set_other_headers("subject: Theirs\r\nX-A: 1\r\nFrom: boss@a.example\r\nSender: me@a.example\r\nTo: list@b.example\r\nTo: more@b.example")
        .unwrap();
    assert_eq!(
        headers(&draft),
        "Date: Sun, 22 Nov 2026 10:00:00 +0100\r\nFrom: boss@a.example\r\nSender: me@a.example\r\nTo: list@b.example\r\n\
         To: more@b.example\r\nsubject: Theirs\r\nMessage-ID: <1@a.example>\r\nX-A: 1\r\n\r\n"
    );
}

#[test]
fn several_authors_need_a_sender_and_groups_stay_groups() {
    let mut draft = draft();
    draft.set_from("\"One, A.\" <a@x.example>, b@x.example").unwrap();
    draft.set_send_to("Team: c@x.example, Dee <d@x.example>;, e@x.example").unwrap();
    draft.set_cc("undisclosed-recipients:;").unwrap();
    let text = headers(&draft);
    for line in [
        "From: \"One, A.\" <a@x.example>, b@x.example\r\n",
        "Sender: \"One, A.\" <a@x.example>\r\n",
        "To: Team: c@x.example, Dee <d@x.example>;, e@x.example\r\n",
        "Cc: undisclosed-recipients:;\r\n",
    ] {
        assert!(text.contains(line), "{text}");
    }
    assert_eq!(envelope_sender(&draft).unwrap(), ("a@x.example".into(), false));
}

#[test]
fn names_are_encoded_and_addresses_never_are() {
    let mut draft = draft();
    draft.set_from("Jörg Müller <joerg@bücher.example>").unwrap();
    draft.set_send_to("\"Ä, Ö\" <a@b.example>, Plain <p@b.example>").unwrap();
    draft.set_subject("Grüße").unwrap();
    let text = headers(&draft);
    assert!(text.is_ascii());
    for part in [
        " <joerg@xn--bcher-kva.example>\r\n",
        " <a@b.example>, Plain <p@b.example>\r\n",
        "Subject: =?utf-8?B?R3LDvMOfZQ==?=\r\n",
    ] {
        assert!(text.contains(part), "{text}");
    }
    let options = Options { charset: "iso-8859-1".into(), ..Options::default() };
    let text = String::from_utf8(compose(&draft, &options, CAPS, &mut Generated::default()).unwrap().headers).unwrap();
    assert!(text.contains("Subject: =?iso-8859-1?B?R3L832U=?=\r\n"), "{text}");
    let options = Options { charset: "klingon".into(), ..Options::default() };
    assert_eq!(compose(&draft, &options, CAPS, &mut Generated::default()).unwrap_err().code, Code::CodePage);
}

#[test]
fn a_message_that_needs_smtputf8_has_raw_utf_8_headers_and_needs_a_server_that_takes_them() {
    let mut draft = draft();
    draft.set_subject("Grüße").unwrap();
    draft.set_send_to("Jörg <jörg@bücher.example>").unwrap();
    let composed = composed(&draft, CAPS);
    assert!(composed.needs_smtputf8);
    let text = String::from_utf8(composed.headers).unwrap();
    assert!(text.contains("To: Jörg <jörg@bücher.example>\r\n") && text.contains("Subject: Grüße\r\n"), "{text}");
    let refused =
        |draft: &Draft| compose(draft, &Options::default(), SEVEN, &mut Generated::default()).unwrap_err().code;
    assert_eq!(refused(&draft), Code::NoRecipient);
    draft.set_send_to("you@b.example").unwrap();
    draft.set_from("jörg@b.example").unwrap();
    assert_eq!(refused(&draft), Code::NoSender);
}

#[test]
fn an_address_of_the_callers_own_header_can_need_smtputf8_too() {
    let mut draft = draft();
    draft.set_other_headers("From: Jörg <jörg@b.example>\r\nX-A: ü").unwrap();
    let composed = composed(&draft, CAPS);
    let text = String::from_utf8(composed.headers).unwrap();
    assert!(composed.needs_smtputf8 && text.contains("From: Jörg <jörg@b.example>\r\n") && text.contains("X-A: ü\r\n"));
    let error = compose(&draft, &Options::default(), SEVEN, &mut Generated::default()).unwrap_err();
    assert_eq!(error.code, Code::ValueRefused);
}

#[test]
fn text_beyond_ascii_goes_as_8bit_where_it_can_and_encoded_where_not() {
    let mut draft = draft();
    draft.set_message_text("Grüße aus Köln am Rhein\r\n").unwrap();
    let eight = composed(&draft, CAPS);
    let text = String::from_utf8(eight.headers.clone()).unwrap();
    let mime = "\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: ";
    assert!(text.contains(&format!("{mime}8bit\r\n\r\n")), "{text}");
    assert_eq!((body(&eight), eight.eight_bit), ("Grüße aus Köln am Rhein\r\n".as_bytes().to_vec(), true));
    assert!(matches!(&eight.pieces[0], Piece::Known(bytes, ..) if bytes.is(&draft.text)));

    let seven = composed(&draft, SEVEN);
    assert!(String::from_utf8(seven.headers.clone()).unwrap().contains(&format!("{mime}quoted-printable\r\n\r\n")));
    assert_eq!((body(&seven), seven.eight_bit), (b"Gr=C3=BC=C3=9Fe aus K=C3=B6ln am Rhein\r\n".to_vec(), false));

    draft.set_message_text("日本語のメール").unwrap();
    let seven = composed(&draft, SEVEN);
    assert!(String::from_utf8(seven.headers.clone()).unwrap().contains(&format!("{mime}base64\r\n\r\n")));
    assert_eq!(body(&seven), b"5pel5pys6Kqe44Gu44Oh44O844Or\r\n");
}

#[test]
fn a_line_over_998_or_a_nul_is_encoded() {
    let mut draft = draft();
    for (text, encoded) in [
        ("x".repeat(998), false),
        ("x".repeat(999), true),
        (format!("{}\n{}", "x".repeat(998), "y".repeat(998)), false),
        ("a\0bc def".into(), true),
    ] {
        draft.set_message_text(&text).unwrap();
        let composed = composed(&draft, CAPS);
        let headers = String::from_utf8(composed.headers.clone()).unwrap();
        assert_eq!(headers.contains("charset=us-ascii\r\nContent-Transfer-Encoding: quoted-printable"), encoded);
        assert!(!encoded || body(&composed).split(|b| *b == b'\n').all(|line| line.len() <= 77));
    }
}

#[test]
fn the_charset_of_other_headers_is_used_and_434_when_it_lacks_a_character() {
    let mut draft = draft();
    draft.set_message_text("Grüße").unwrap();
    draft.set_other_headers("Content-Type: text/html; charset=ISO-8859-1").unwrap();
    let eight = composed(&draft, CAPS);
    assert_eq!(body(&eight), b"Gr\xfc\xdfe");
    let text = String::from_utf8(eight.headers).unwrap();
    assert!(text.ends_with("MIME-Version: 1.0\r\nContent-Type: text/html; charset=ISO-8859-1\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"), "{text}");
    draft.set_message_text("€").unwrap();
    assert_eq!(compose(&draft, &Options::default(), CAPS, &mut Generated::default()).unwrap_err().code, Code::CodePage);
    // Text of the caller's own type without a charset is UTF-8, and says so.
    draft.set_other_headers("content-type: text/html;").unwrap();
    assert!(headers(&draft).contains("content-type: text/html;\r\n charset=utf-8\r\n"), "{}", headers(&draft));
}

#[test]
fn a_body_that_the_caller_encoded_goes_as_it_is() {
    let mut draft = draft();
    draft.set_other_headers("Content-Type: multipart/mixed; boundary=b").unwrap();
    draft.set_message_text("--b\r\n\r\nGrüße\r\n--b--\r\n").unwrap();
    let eight = composed(&draft, CAPS);
    assert_eq!(body(&eight), &*draft.text);
    assert!(eight.eight_bit);
    let text = String::from_utf8(eight.headers).unwrap();
    assert!(text.contains("MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"), "{text}");
    assert_eq!(
        compose(&draft, &Options::default(), SEVEN, &mut Generated::default()).unwrap_err().code,
        Code::ValueRefused
    );
}

#[test]
fn message_replaces_the_text_and_goes_as_it_is() {
    let mut draft = draft();
    draft.set_message_b(b"raw\n\xff").unwrap();
    let eight = composed(&draft, CAPS);
    assert_eq!((body(&eight), eight.eight_bit), (b"raw\n\xff".to_vec(), true));
    assert!(!String::from_utf8(eight.headers).unwrap().contains("MIME"));
    let error = compose(&draft, &Options::default(), SEVEN, &mut Generated::default()).unwrap_err();
    assert_eq!(error.code, Code::ValueRefused);
}

#[test]
fn an_attached_file_follows_the_text() {
    let path = std::env::temp_dir().join(format!("ssmtp-compose-{}", std::process::id()));
    std::fs::write(&path, "the file").unwrap();
    let mut draft = draft();
    draft.set_attached_file(path.to_str().unwrap()).unwrap();
    let composed = composed(&draft, CAPS);
    assert_eq!(body(&composed), b"Hi\r\nthe file");
    assert_eq!(composed.size, Some((composed.headers.len() + 12) as u64));
    std::fs::remove_file(&path).unwrap();
    assert_eq!(composed.pieces[1].open().err().unwrap().code, Code::AttachedFile);
}

#[test]
fn the_sender_is_return_path_else_from_and_malformed_ones_are_error_164() {
    let sender = |from: &str, path: &str| {
        let mut draft = Draft::default();
        draft.set_from(from).unwrap();
        draft.set_return_path(path).unwrap();
        envelope_sender(&draft).map_err(|error| error.code)
    };
    assert_eq!(sender("Me <me@a.example>", ""), Ok(("me@a.example".into(), false)));
    assert_eq!(sender("me@a.example", "bounce@b.example"), Ok(("bounce@b.example".into(), false)));
    assert_eq!(sender("me@a.example", " <> "), Ok(("".into(), false)));
    assert_eq!(sender("", "bounce@b.example"), Ok(("bounce@b.example".into(), false)));
    assert_eq!(sender("jörg@a.example", ""), Ok(("jörg@a.example".into(), true)));
    for (from, path) in [
        ("", ""),
        ("nobody", ""),
        ("me@a.example", "nobody"),
        ("nobody", "b@c.example"),
        ("G:;", ""),
        ("a@b.example", "a@b.example, c@d.example"),
    ] {
        assert_eq!(sender(from, path), Err(Code::NoSender), "{from} {path}");
    }
}

#[test]
fn an_empty_to_is_error_165_unless_it_is_allowed() {
    let mut draft = draft();
    draft.set_send_to("").unwrap();
    draft.set_bcc("b@b.example").unwrap();
    assert_eq!(envelope_recipients(&draft, &Options::default()).unwrap_err().code, Code::NoRecipient);
    let options = Options { allow_empty_to: true, ..Options::default() };
    assert_eq!(envelope_recipients(&draft, &options).unwrap().len(), 1);
    assert!(!headers(&draft).contains("To:"));
    draft.set_bcc("").unwrap();
    assert_eq!(envelope_recipients(&draft, &options).unwrap_err().code, Code::NoRecipient);
}

#[test]
fn headers_can_be_looked_at_before_the_addresses_are_right() {
    let mut draft = Draft::default();
    draft.set_subject("x").unwrap();
    draft.set_send_to("no address").unwrap();
    draft.set_from("ö no address").unwrap();
    let text = headers(&draft);
    assert!(text.is_ascii() && text.contains("To: no address\r\n"), "{text}");
}

proptest::proptest! {
    #[test]
    fn nothing_a_setter_takes_adds_a_line_to_the_headers(text in "(?s:.){0,80}|[ -~\r\n]{0,60}|[äö日\u{85}\u{2028} ]{0,60}") {
        let mut draft = draft();
        let _ = draft.set_subject(&text);
        let _ = draft.set_from(&text);
        let _ = draft.set_reply_to(&text);
        let _ = draft.set_send_to(&text);
        let _ = draft.set_cc(&format!("\"{text}\" <c@b.example>"));
        let _ = draft.set_message_recipient_name(0, &text);
        let _ = draft.set_message_id(&text);
        let _ = draft.set_message_date(&text);
        let _ = draft.set_read_receipt_to(&text);
        // Lines of its own are what OtherHeaders is for.
        let line = text.replace(['\r', '\n'], " ");
        let _ = draft.set_other_headers(&format!("Sender: {line}\r\nX-Mine: {line}"));
        let Ok(composed) = compose(&draft, &Options::default(), CAPS, &mut Generated::default()) else { return Ok(()) };
        let headers = String::from_utf8(composed.headers).unwrap();
        let section = headers.strip_suffix("\r\n\r\n").unwrap();
        let known = ["Date", "From", "Sender", "Reply-To", "To", "Cc", "Subject", "Message-ID", "Disposition-Notification-To", "X-Mine"];
        for line in section.split("\r\n") {
            proptest::prop_assert!(line.len() <= 998 && !line.contains(['\r', '\n', '\0']) && !line.trim().is_empty(), "{line:?}");
            let name = line.split(':').next().unwrap();
            proptest::prop_assert!(line.starts_with([' ', '\t']) || known.contains(&name), "{line:?}");
        }
        proptest::prop_assert!(composed.needs_smtputf8 || headers.is_ascii());
    }
}

#[test]
fn a_long_line_is_seen_however_the_text_is_cut() {
    for (length, fine) in [(997, true), (998, true), (999, false), (3000, false)] {
        for text in [vec![b'x'; length], [b"a\r\n", &vec![b'x'; length][..], b"\r\nb"].concat()] {
            for cut in [1, 7, 500, 998, 999, 5000] {
                let mut lines = ShortLines::default();
                assert_eq!(text.chunks(cut).all(|piece| lines.go_on(piece)), fine, "{length} in pieces of {cut}");
            }
        }
    }
}
