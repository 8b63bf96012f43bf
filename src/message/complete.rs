//! A message that the caller composed, headers and all (`MessageIncludesHeaders`, ruling 26).

use super::body::Piece;
use super::compose::{Caps, Composed, tail};
use super::draft::Draft;
use super::encode::LineEnds;
use crate::error::{Code, Error, Result};

/// Message as a complete message: its Bcc lines go, its other headers stay untouched, and the stream or AttachedFile follows
/// its body. 603 when it has no header section, or octets beyond ASCII that the server does not take.
pub fn compose(draft: &Draft, caps: Caps) -> Result<Composed> {
    let message = draft.message.as_deref().unwrap_or(&draft.text);
    let refused = |why: &str| Err(Error::new(Code::ValueRefused, format!("Message {why}")));
    let (section, body) = split(message);
    let Some(headers) = without_bcc(section) else { return refused("does not begin with a header line") };
    let eight = !headers.is_ascii() || !body.is_ascii();
    if eight && !caps.eight_bit_mime {
        return refused("has octets beyond ASCII and the server does not offer 8BITMIME");
    }
    // Raw text in headers is what SMTPUTF8 exists for (RFC 6532).
    let needs_smtputf8 = !headers.is_ascii();
    if needs_smtputf8 && !caps.smtp_utf8 {
        return refused("has headers beyond ASCII and the server does not offer SMTPUTF8");
    }
    let mut pieces = Vec::new();
    if !body.is_empty() {
        pieces.push(Piece::Bytes(body.into()));
    }
    let tail = tail(draft);
    let eight_bit = eight || tail.is_some() && caps.eight_bit_mime;
    pieces.extend(tail);
    let size = pieces.iter().map(Piece::size).sum::<Option<u64>>().map(|body| body + headers.len() as u64);
    Ok(Composed { headers, pieces, eight_bit, needs_smtputf8, size })
}

/// Header section and body, at the first empty line; line ends may be any.
fn split(message: &[u8]) -> (&[u8], &[u8]) {
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

/// The section without Bcc fields and with its empty line; None when it is no header section.
fn without_bcc(section: &[u8]) -> Option<Vec<u8>> {
    let mut canonical = Vec::with_capacity(section.len() + 2);
    LineEnds::default().push(section, &mut canonical);
    if !canonical.ends_with(b"\r\n") {
        canonical.extend_from_slice(b"\r\n");
    }
    let mut out = Vec::with_capacity(canonical.len() + 2);
    let mut hidden = None;
    for line in canonical.split_inclusive(|b| *b == b'\n') {
        if !line.starts_with(b" ") && !line.starts_with(b"\t") {
            let colon = memchr::memchr(b':', line)?;
            let name = line[..colon].trim_ascii_end();
            if name.is_empty() || !name.iter().all(u8::is_ascii_graphic) {
                return None;
            }
            hidden = Some(name.eq_ignore_ascii_case(b"Bcc") || name.eq_ignore_ascii_case(b"Resent-Bcc"));
        }
        if !hidden? {
            out.extend_from_slice(line);
        }
    }
    out.extend_from_slice(b"\r\n");
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn composed(message: &[u8], caps: Caps) -> Result<(String, Vec<u8>)> {
        let mut draft = Draft::default();
        draft.set_message_b(message).unwrap();
        let composed = compose(&draft, caps)?;
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
        let eight = Caps { eight_bit_mime: true, smtp_utf8: false };
        let both = Caps { eight_bit_mime: true, smtp_utf8: true };
        assert!(composed("A: b\r\n\r\nü".as_bytes(), Caps::default()).is_err());
        assert!(composed("A: b\r\n\r\nü".as_bytes(), eight).is_ok());
        assert!(composed("A: ü\r\n\r\n".as_bytes(), eight).is_err());
        assert!(composed("A: ü\r\n\r\n".as_bytes(), both).is_ok());
    }
}
