//! Trees of parts, read again by a small reader of the test's own.

use base64::Engine;

use super::super::compose::{self, Composed, Generated, Options};
use super::super::draft::Draft;
use super::*;
use crate::error::Code;

const SEVEN: Caps = Caps { eight_bit_mime: false, smtp_utf8: false, binary: false };
const EIGHT: Caps = Caps { eight_bit_mime: true, smtp_utf8: false, binary: false };

fn composed(draft: &Draft, caps: Caps) -> Composed {
    compose::compose(draft, &Options::default(), caps, &mut Generated::default()).unwrap()
}

fn whole(composed: &Composed) -> String {
    let mut bytes = composed.headers.clone();
    for piece in &composed.pieces {
        let mut source = piece.open().unwrap();
        while let Some(more) = source.next().unwrap() {
            bytes.extend_from_slice(more);
        }
    }
    String::from_utf8(bytes).unwrap()
}

/// The types of a message as nested text, `mixed(alternative(plain html) png)`, and the decoded leaves.
fn read(entity: &str, leaves: &mut Vec<(String, Vec<u8>)>) -> String {
    let (section, body) = entity.split_once("\r\n\r\n").unwrap_or((entity.trim_end(), ""));
    let fields = headers::list(format!("{section}\r\n\r\n").as_bytes());
    let find = |wanted: &str| {
        fields.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.clone())
    };
    let kind = find("Content-Type").unwrap();
    let name = kind.split(';').next().unwrap().rsplit('/').next().unwrap().to_string();
    let Some(boundary) = headers::parameter(&kind, "boundary") else {
        let decoded = match find("Content-Transfer-Encoding").as_deref() {
            Some("base64") => base64::engine::general_purpose::STANDARD.decode(body.replace("\r\n", "")).unwrap(),
            _ => body.as_bytes().to_vec(),
        };
        leaves.push((fields.iter().map(|(name, value)| format!("{name}: {value}\n")).collect(), decoded));
        return name;
    };
    let delimiter = format!("--{boundary}");
    let body = format!("\r\n{body}");
    let parts: Vec<&str> = body.split(&format!("\r\n{delimiter}")).collect();
    assert!(parts[0].is_empty() && parts.last().unwrap().starts_with("--\r\n"), "{entity}");
    let inner: Vec<String> =
        parts[1..parts.len() - 1].iter().map(|part| read(part.strip_prefix("\r\n").unwrap(), leaves)).collect();
    format!("{name}({})", inner.join(" "))
}

fn shape(draft: &Draft) -> (String, Vec<(String, Vec<u8>)>) {
    let mut leaves = Vec::new();
    let text = whole(&composed(draft, SEVEN));
    assert!(text.is_ascii() && text.split("\r\n").all(|line| line.len() <= 998));
    assert_eq!(text.matches("MIME-Version: 1.0\r\n").count(), 1);
    (read(&text, &mut leaves), leaves)
}

fn bytes(text: &str) -> Content {
    Content::Bytes(text.as_bytes().into())
}

fn html(text: &str, html: &str) -> Draft {
    let mut draft = Draft::default();
    draft.set_message_text(text).unwrap();
    draft.set_message_html(html).unwrap();
    draft
}

#[test]
fn parts_are_nested_as_readers_expect_and_no_deeper_than_needed() {
    let mut draft = html("", "<p>Hi</p>");
    assert_eq!(shape(&draft).0, "html");
    draft.set_message_text("Hi").unwrap();
    assert_eq!(shape(&draft).0, "alternative(plain html)");
    draft.add_part(Part::inline(bytes("png"), "logo@x", "image/png").unwrap());
    assert_eq!(shape(&draft).0, "alternative(plain related(html png))");
    draft.add_part(Part::attachment(bytes("pdf"), "a.pdf", "").unwrap());
    draft.add_part(Part::attachment(bytes("BEGIN:VCALENDAR"), "", "text/calendar; method=REQUEST").unwrap());
    assert_eq!(shape(&draft).0, "mixed(alternative(plain related(html png) calendar) pdf)");
    draft.set_message_html("").unwrap();
    assert_eq!(shape(&draft).0, "mixed(alternative(plain calendar) png pdf)");
    draft.clear_parts();
    draft.add_part(Part::attachment(bytes("x"), "x.bin", "").unwrap());
    draft.set_message_text("").unwrap();
    assert_eq!(shape(&draft).0, "mixed(plain octet-stream)");
}

#[test]
fn every_part_comes_back_as_it_was() {
    let mut draft = html("Grüße\r\n", "<p>Grüße</p>");
    draft.add_part(Part::inline(bytes("\u{1}png"), "logo@x", "image/png").unwrap());
    draft.add_part(Part::attachment(bytes("text\nwith\rany\r\nline ends"), "../notes ü.txt", "").unwrap());
    let (_, leaves) = shape(&draft);
    assert_eq!(leaves[2].1, b"\x01png");
    assert!(leaves[2].0.contains("Content-ID: <logo@x>\n") && leaves[2].0.contains("Content-Disposition: inline\n"));
    assert_eq!(leaves[3].1, b"text\nwith\rany\r\nline ends");
    assert!(
        leaves[3].0.contains("Content-Disposition: attachment; filename*=utf-8''notes%20%C3%BC.txt\n"),
        "{}",
        leaves[3].0
    );
    assert!(leaves[3].0.contains("Content-Type: text/plain; name*=utf-8''notes%20%C3%BC.txt\n"));
}

#[test]
fn text_goes_as_8bit_only_where_the_server_takes_it() {
    let draft = html("Grüße an alle, die das hier lesen können", "<p>plain</p>");
    let eight = composed(&draft, EIGHT);
    assert!(eight.eight_bit && whole(&eight).contains("charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nGrüße"));
    let seven = composed(&draft, SEVEN);
    assert!(
        !seven.eight_bit
            && whole(&seven).contains("Content-Transfer-Encoding: quoted-printable\r\n\r\nGr=C3=BC=C3=9Fe")
    );
}

#[test]
fn boundaries_stay_from_read_to_read_and_do_not_stand_in_the_parts() {
    let mut draft = html("a", "b");
    let mut generated = Generated::default();
    let mut read = |draft: &Draft| whole(&compose::compose(draft, &Options::default(), SEVEN, &mut generated).unwrap());
    let first = read(&draft);
    assert_eq!(first, read(&draft));
    // Somebody who has seen the boundary puts it into the text of the same revision.
    let boundary = first.split("boundary=\"").nth(1).unwrap().split('"').next().unwrap().to_string();
    draft.text = format!("--{boundary}--\r\n").as_bytes().into();
    let second = read(&draft);
    assert_eq!(second.matches(&boundary).count(), 1, "{second}");
    let mut leaves = Vec::new();
    assert_eq!(super::tests::read(&second, &mut leaves), "alternative(plain html)");
}

#[test]
fn a_message_within_the_message_goes_raw_or_as_a_file() {
    let inner = "Subject: inner\r\n\r\nGrüße\r\n";
    let mut draft = html("see below", "");
    draft.add_part(Part::attachment(bytes(inner), "inner.eml", "").unwrap());
    let eight = whole(&composed(&draft, EIGHT));
    assert!(
        eight.contains("Content-Type: message/rfc822; name=inner.eml\r\nContent-Transfer-Encoding: 8bit\r\n"),
        "{eight}"
    );
    assert!(eight.contains("\r\n\r\nSubject: inner\r\n"));
    assert_eq!(shape(&draft).0, "mixed(plain octet-stream)");
    let path = std::env::temp_dir().join(format!("ssmtp-mime-{}.eml", std::process::id()));
    for (content, kind) in
        [("Subject: a\r\n\r\nb", "rfc822"), ("\0", "octet-stream"), (&"x".repeat(2000), "octet-stream")]
    {
        std::fs::write(&path, content).unwrap();
        draft.clear_parts();
        draft.add_part(Part::attachment(Content::File(path.clone()), "", "").unwrap());
        assert_eq!(shape(&draft).0, format!("mixed(plain {kind})"));
    }
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn a_missing_file_is_error_302_when_it_is_opened() {
    let mut draft = html("x", "");
    draft.add_part(Part::attachment(Content::File("/nonexistent/a.pdf".into()), "", "").unwrap());
    let composed = composed(&draft, SEVEN);
    assert_eq!(composed.size, None);
    let failed = composed.pieces.iter().find_map(|piece| piece.open().err()).unwrap();
    assert_eq!(failed.code, Code::AttachedFile);
    assert_eq!(compose::kept_body(&composed).unwrap_err().code, Code::WrongState);
}

#[test]
fn the_size_is_known_when_all_content_is() {
    let mut draft = html("text", "<b>");
    draft.add_part(Part::attachment(bytes(&"x".repeat(1000)), "x", "").unwrap());
    let composed = composed(&draft, SEVEN);
    assert_eq!(composed.size, Some(whole(&composed).len() as u64));
    assert_eq!(compose::kept_body(&composed).unwrap().len() + composed.headers.len(), whole(&composed).len());
}

#[test]
fn a_content_type_of_the_callers_or_a_raw_message_leaves_no_place_for_parts() {
    let refused = |draft: &Draft| {
        compose::compose(draft, &Options::default(), SEVEN, &mut Generated::default()).err().map(|e| e.code)
    };
    let mut draft = html("a", "b");
    for text in ["Content-Type: text/plain", "Content-Transfer-Encoding: 8bit", "\r\nFrom: a@b.example"] {
        draft.set_other_headers(text).unwrap();
        assert_eq!(refused(&draft), Some(Code::ValueRefused), "{text}");
    }
    draft.set_other_headers("Content-Language: en").unwrap();
    assert_eq!(refused(&draft), None);
    draft.set_message("raw").unwrap();
    assert_eq!(refused(&draft), Some(Code::ValueRefused));
}

#[test]
fn what_follows_the_text_is_encoded_with_it() {
    let path = std::env::temp_dir().join(format!("ssmtp-mime-tail-{}", std::process::id()));
    std::fs::write(&path, "fünf=5 ").unwrap();
    for html in ["", "<p>"] {
        let mut draft = self::html("Grüße\r\n", html);
        draft.set_attached_file(path.to_str().unwrap()).unwrap();
        let text = whole(&composed(&draft, SEVEN));
        assert!(
            text.contains("Content-Transfer-Encoding: quoted-printable\r\n")
                && text.contains("\r\n\r\nGr=C3=BC=C3=9Fe\r\nf=C3=BCnf=3D5=20"),
            "{text}"
        );
    }
    std::fs::remove_file(&path).unwrap();
}
