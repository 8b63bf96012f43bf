//! A message that the caller composed, headers and all (`MessageIncludesHeaders`, ruling 26).

use super::body::Piece;
use super::compose::{self, Caps, Composed, Generated, Options, tail};
use super::draft::Draft;
use super::encode::{LineEnds, is_canonical};
use super::entity;
use crate::error::{Code, Error, Result};
use std::borrow::Cow;

/// Message as a complete message: its Bcc lines go, its other headers stay untouched, and the stream or AttachedFile follows
/// its body. 603 when it has no header section, or octets beyond ASCII that the server does not take.
pub fn compose(draft: &Draft, options: &Options, caps: Caps, generated: &mut Generated) -> Result<Composed> {
    if !draft.secured.pending.is_empty() {
        return secured(draft, options, caps, generated);
    }
    let message = draft.message.as_ref().unwrap_or(&draft.text);
    let refused = |why: &str| Err(refusal(why));
    let (section, body) = split(message);
    let Some(headers) = without_bcc(section) else { return refused("does not begin with a header line") };
    let start = message.len() - body.len();
    let facts = draft.known.look(message, start);
    let eight = !headers.is_ascii() || !facts.ascii;
    if eight && !caps.eight_bit_mime && !caps.binary {
        return refused("has octets beyond ASCII and the server does not offer 8BITMIME");
    }
    // Raw text in headers is what SMTPUTF8 exists for (RFC 6532).
    let needs_smtputf8 = !headers.is_ascii();
    if needs_smtputf8 && !caps.smtp_utf8 {
        return refused("has headers beyond ASCII and the server does not offer SMTPUTF8");
    }
    let (mut pieces, mut tail) = (Vec::with_capacity(2), tail(draft));
    let mut piece = Piece::Known(message.clone(), start, facts);
    if caps.binary && is_binary(&headers) {
        piece = Piece::Binary(Box::new(piece));
        tail = tail.map(|tail| Piece::Binary(Box::new(tail)));
    } else if eight && !caps.eight_bit_mime {
        piece = compose::binary_text(body);
    }
    if !body.is_empty() {
        pieces.push(piece);
    }
    let eight_bit = eight || tail.is_some() && caps.eight_bit_mime;
    pieces.extend(tail);
    let size = pieces.iter().map(Piece::size).sum::<Option<u64>>().map(|body| body + headers.len() as u64);
    Ok(Composed { headers, pieces, eight_bit, needs_smtputf8, size })
}

/// As [`compose`] for a message that is signed or encrypted while it is sent.
fn secured(draft: &Draft, options: &Options, caps: Caps, generated: &mut Generated) -> Result<Composed> {
    let entity = entity::wrapped(draft, options, generated)?;
    let message = draft.message.as_deref().unwrap_or(&draft.text);
    let head = replaced(message, &format!("MIME-Version: 1.0\r\n{}", entity.fields), b"")?;
    let shown = Draft { message: Some(head.into()), ..Draft::default() };
    let composed = compose(&shown, options, caps, generated)?;
    let size = entity.pieces.iter().map(Piece::size).sum::<Option<u64>>();
    let size = size.map(|body| body + composed.headers.len() as u64);
    Ok(Composed { pieces: entity.pieces, eight_bit: entity.eight_bit, size, ..composed })
}

/// The MIME lines of a complete message's header section, and its body.
pub fn mime_part(message: &[u8]) -> Result<(String, &[u8])> {
    let (section, body) = split(message);
    let found = partitioned(section, is_mime);
    let (_, mime) = found.ok_or_else(|| refusal("does not begin with a header line"))?;
    let mime = String::from_utf8(mime).map_err(|_| refusal("has MIME header lines that are no text"))?;
    Ok((mime, body))
}

/// A complete message with other MIME lines and another body.
pub fn replaced(message: &[u8], fields: &str, body: &[u8]) -> Result<Vec<u8>> {
    let (section, _) = split(message);
    let found = partitioned(section, is_mime);
    let (rest, _) = found.ok_or_else(|| refusal("does not begin with a header line"))?;
    Ok([&rest, fields.as_bytes(), b"\r\n", body].concat())
}

fn refusal(why: &str) -> Error {
    Error::new(Code::ValueRefused, format!("Message {why}"))
}

fn is_mime(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"MIME-Version") || name.get(..8).is_some_and(|n| n.eq_ignore_ascii_case(b"Content-"))
}

/// Header section and body, at the first empty line; line ends may be any.
pub fn split(message: &[u8]) -> (&[u8], &[u8]) {
    let mut start = 0;
    while start < message.len() {
        let end = memchr::memchr2(b'\r', b'\n', &message[start..]).map_or(message.len(), |at| start + at);
        let next = match &message[end..] {
            [b'\r', b'\n', ..] => end + 2,
            [] => end,
            _ => end + 1,
        };
        if end == start {
            return (&message[..start], &message[next..]);
        }
        start = next;
    }
    (message, &[])
}

/// Whether the header section says that the body is no text.
fn is_binary(section: &[u8]) -> bool {
    let named = |name: &[u8]| name.eq_ignore_ascii_case(b"Content-Transfer-Encoding");
    let found = partitioned(section.strip_suffix(b"\r\n").unwrap_or(section), named).map(|(_, found)| found);
    let value = found.as_deref().and_then(|line| line.splitn(2, |b| *b == b':').nth(1)).unwrap_or_default();
    value.trim_ascii().eq_ignore_ascii_case(b"binary")
}

/// The section without Bcc fields and with its empty line; None when it is no header section.
fn without_bcc(section: &[u8]) -> Option<Vec<u8>> {
    let hidden = |name: &[u8]| name.eq_ignore_ascii_case(b"Bcc") || name.eq_ignore_ascii_case(b"Resent-Bcc");
    let (mut rest, _) = partitioned(section, hidden)?;
    rest.extend_from_slice(b"\r\n");
    Some(rest)
}

/// The fields that are not of a kind, and those that are, with CRLF line ends; None when it is no header section.
fn partitioned(section: &[u8], kind: fn(&[u8]) -> bool) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut canonical = Cow::from(section);
    if !is_canonical(section) || !section.ends_with(b"\r\n") {
        let mut repaired = Vec::with_capacity(section.len() + 2);
        LineEnds::default().push(section, &mut repaired);
        if !repaired.ends_with(b"\r\n") {
            repaired.extend_from_slice(b"\r\n");
        }
        canonical = repaired.into();
    }
    let (mut rest, mut found) = (Vec::with_capacity(canonical.len() + 2), Vec::new());
    let mut is_found = None;
    for line in canonical.split_inclusive(|b| *b == b'\n') {
        if !line.starts_with(b" ") && !line.starts_with(b"\t") {
            let colon = memchr::memchr(b':', line)?;
            let name = line[..colon].trim_ascii_end();
            if name.is_empty() || !name.iter().all(u8::is_ascii_graphic) {
                return None;
            }
            is_found = Some(kind(name));
        }
        let to = if is_found? { &mut found } else { &mut rest };
        to.extend_from_slice(line);
    }
    Some((rest, found))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn composed(message: &[u8], caps: Caps) -> Result<(String, Vec<u8>)> {
        let mut draft = Draft::default();
        draft.set_message_b(message).unwrap();
        let composed = compose(&draft, &Options::default(), caps, &mut Generated::default())?;
        let body = super::super::compose::kept_body(&composed)?;
        Ok((String::from_utf8(composed.headers).unwrap(), body))
    }

    #[test]
    fn bcc_lines_go_and_everything_else_stays() {
        let message = b"From: a@b.example\nBCC: x@y.example,\n z@y.example\nbcc : w@y.example\nX-Folded: a\n\tb\n\nBcc: in the body\n";
        let (headers, body) = composed(message, Caps::default()).unwrap();
        assert_eq!(headers, "From: a@b.example\r\nX-Folded: a\r\n\tb\r\n\r\n");
        assert_eq!(body, b"Bcc: in the body\n");
    }

    #[test]
    fn a_message_without_a_body_or_with_an_odd_line_end_is_split_where_a_reader_would() {
        for (message, body) in [
            (&b"A: b"[..], &b""[..]),
            (b"A: b\r\n", b""),
            (b"A: b\r\n\r\n", b""),
            (b"A: b\r\rx", b"x"),
            (b"A: b\n\r\nx", b"x"),
        ] {
            assert_eq!(
                composed(message, Caps::default()).unwrap(),
                ("A: b\r\n\r\n".to_string(), body.to_vec()),
                "{message:?}"
            );
        }
    }

    #[test]
    fn what_has_no_header_section_is_refused() {
        for message in [&b"just text"[..], b"\r\nA: b", b" A: b\r\n\r\n", b": b\r\n\r\n", b"A: b\r\ntext\r\n\r\n"] {
            assert_eq!(composed(message, Caps::default()).unwrap_err().code, Code::ValueRefused, "{message:?}");
        }
    }

    #[test]
    fn octets_beyond_ascii_need_a_server_that_takes_them() {
        let eight = Caps { eight_bit_mime: true, smtp_utf8: false, binary: false };
        let both = Caps { eight_bit_mime: true, smtp_utf8: true, binary: false };
        assert!(composed("A: b\r\n\r\nü".as_bytes(), Caps::default()).is_err());
        assert!(composed("A: b\r\n\r\nü".as_bytes(), eight).is_ok());
        assert!(composed("A: ü\r\n\r\n".as_bytes(), eight).is_err());
        assert!(composed("A: ü\r\n\r\n".as_bytes(), both).is_ok());
    }
}
