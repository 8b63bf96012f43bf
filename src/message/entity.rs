//! The body of a message as one MIME entity in canonical form, which is what is signed or encrypted: RFC 8551 section 3.1. It
//! passes every relay unchanged: 7-bit lines with CRLF, nothing at their ends or starts that some relay would touch.

use std::sync::Arc;

use super::attachment::Content;
use super::body::Piece;
use super::bytes::Bytes;
use super::compose::{self, Caps, ContentType, Generated, Options};
use super::draft::Draft;
use super::encode::{self, LineEnds, Transfer};
use super::facts::Sealed;
use super::headers::{self, Other, Section};
use super::layer::Canonical;
use super::mime::Entity;
use super::protect;
use super::transfer;
use crate::error::{Code, Error, Result};
use crate::text::code_page::CodePage;
use crate::text::fold::Style;

/// MessageText or Message with the MIME lines of OtherHeaders, or the tree of all parts (ruling 4).
pub fn entity(draft: &Draft, options: &Options, generated: &mut Generated) -> Result<Entity> {
    let complete = options.complete && draft.message.is_some();
    let Some(protected) = draft.protected().filter(|_| !complete) else { return body(draft, options, generated) };
    let body = match protected.legacy(draft) {
        // A text on its own; where there are more parts, the tree does it.
        Some(legacy) if draft.html.is_empty() && draft.parts.is_empty() && is_plain(draft)? => {
            let mut shown = draft.clone();
            shown.text = legacy.in_text(&draft.text).into();
            let body = body(&shown, options, generated)?;
            Entity { fields: protect::with_parameter(&body.fields, protect::LEGACY), ..body }
        }
        _ => body(draft, options, generated)?,
    };
    protected.entity(draft, options, generated, body)
}

/// Whether the body is MessageText as plain text.
fn is_plain(draft: &Draft) -> Result<bool> {
    let other = headers::parse(&draft.other_headers)?;
    let kind = other.find("Content-Type").map(|field| field.text().to_ascii_lowercase());
    Ok(draft.message.is_none() && !other.is_encoded() && kind.is_none_or(|kind| kind.starts_with("text/plain")))
}

fn body(draft: &Draft, options: &Options, generated: &mut Generated) -> Result<Entity> {
    let style = options.style(false)?;
    if let (true, Some(message)) = (options.complete, &draft.message) {
        let (fields, body) = super::complete::mime_part(message)?;
        let other = headers::parse(&fields)?;
        return one(&other, &body.into(), &|| named(body), compose::tail(draft), &style, Sealed::of(body));
    }
    let other = headers::parse(&draft.other_headers)?;
    let tail = compose::tail(draft);
    if !draft.html.is_empty() || !draft.parts.is_empty() {
        return compose::tree_entity(draft, &other, Caps::default(), &style, generated, tail, true);
    }
    match &draft.message {
        Some(message) => one(&other, message, &|| named(message), tail, &style, Sealed::of(message)),
        None => {
            let mut sealed = Sealed::of(&draft.text);
            let ascii = sealed.ascii;
            let bytes = compose::converted(draft, &other, options.code_page, ascii)?;
            if !bytes.is(&draft.text) {
                sealed = Sealed::of(&bytes);
            }
            let charset = if ascii { CodePage::default() } else { options.code_page };
            one(&other, &bytes, &|| charset.charset().unwrap_or_else(|| "utf-8".into()), tail, &style, sealed)
        }
    }
}

/// The entity with its operations carried out, one around the other.
pub(super) fn wrapped(draft: &Draft, options: &Options, generated: &mut Generated) -> Result<Entity> {
    let inner = entity(draft, options, generated)?;
    let edition = draft.secured.edition;
    draft.secured.pending.iter().try_fold(inner, |inner, wrap| wrap.wrap(inner, edition))
}

/// All octets of an entity's body, for one that is small and in memory.
pub fn read(entity: &Entity) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    for piece in &entity.pieces {
        if let Piece::Through(layer, pieces) = piece {
            transfer::read_through(&**layer, pieces, &mut body)?;
            continue;
        }
        let mut source = piece.open()?;
        while let Some(bytes) = source.next()? {
            body.extend_from_slice(bytes);
        }
    }
    Ok(body)
}

/// Whether every piece of what would be read for the entity can be read more than once.
pub fn is_rereadable(draft: &Draft) -> bool {
    let parts = draft.parts.iter().all(|part| match &part.content {
        Content::Stream(_) => false,
        content => content.piece().is_rereadable(),
    });
    parts && compose::tail(draft).is_none_or(|tail| tail.is_rereadable())
}

/// The charset of octets that come without one.
fn named(octets: &[u8]) -> String {
    if std::str::from_utf8(octets).is_ok() { "utf-8".into() } else { "unknown-8bit".into() }
}

/// A single text, or what the caller composed himself.
fn one(
    other: &Other<'_>,
    bytes: &Bytes,
    charset: &dyn Fn() -> String,
    tail: Option<Piece>,
    style: &Style,
    sealed: Sealed,
) -> Result<Entity> {
    let value = |name: &str| other.find(name).map(|field| field.text().to_ascii_lowercase());
    let (kind, encoding) = (value("Content-Type"), value("Content-Transfer-Encoding"));
    let composite = kind.is_some_and(|kind| kind.starts_with("multipart/") || kind.starts_with("message/"));
    let identity = encoding.as_deref().is_none_or(|name| matches!(name.trim(), "7bit" | "8bit" | "binary"));
    let ascii = sealed.ascii;
    let canonical = || if sealed.canonical { Piece::Bytes(bytes.clone()) } else { repaired(bytes) };
    let mut section = Section::new(other, style);
    section.ours("MIME-Version", "");
    // In an encoding of the caller's, which stays.
    let own = composite || !identity;
    let (pieces, transfer) = if own {
        let pieces = match tail {
            None => vec![canonical()],
            Some(tail) => vec![Piece::Through(Arc::new(Canonical), vec![Piece::Bytes(bytes.clone()), tail])],
        };
        section.ours("Content-Type", "");
        (pieces, None)
    } else {
        let plain = ascii && tail.is_none();
        let charset = if plain { String::new() } else { charset() };
        match compose::content_type(other, plain, &charset) {
            Some(ContentType::Amended(text)) => section.instead("Content-Type", &text),
            Some(ContentType::Ours(text)) => section.ours("Content-Type", &text),
            None => section.ours("Content-Type", ""),
        }
        if let Some(tail) = tail {
            // Nobody knows what follows, so both are encoded on the way.
            let text = vec![Piece::Bytes(bytes.clone()), tail];
            (vec![Piece::Transfer(Transfer::QuotedPrintable, text)], Some(Transfer::QuotedPrintable.name()))
        } else if !ascii || sealed.fragile {
            let transfer = Transfer::shorter(bytes);
            (vec![Piece::Encoded(encode::text(transfer, bytes).into())], Some(transfer.name()))
        } else {
            (vec![canonical()], Some("7bit"))
        }
    };
    if let Some(name) = transfer {
        section.instead("Content-Transfer-Encoding", &format!("Content-Transfer-Encoding: {name}\r\n"));
    }
    section.contents();
    let pieces = pieces.into_iter().filter(|piece| piece.size() != Some(0)).collect();
    Ok(Entity { fields: section.entity(), pieces, eight_bit: !ascii && own, unfit: sealed.unfit && own })
}

/// Octets in memory with CRLF line ends; the same ones, where they have them.
pub(super) fn canonical(bytes: &Bytes) -> Piece {
    if encode::is_canonical(bytes) {
        return Piece::Bytes(bytes.clone());
    }
    repaired(bytes)
}

/// A copy with CRLF line ends.
pub(super) fn repaired(bytes: &[u8]) -> Piece {
    let mut out = Vec::with_capacity(bytes.len());
    LineEnds::default().push(bytes, &mut out);
    Piece::Encoded(out.into())
}

/// Refuses lines that a relay breaks, and the signature with them.
pub fn refuse_long_line() -> Error {
    let why =
        "the content has a NUL or a line of more than 998 octets in an encoding of its own, which a relay may change";
    Error::new(Code::Encrypt, why)
}

/// Refuses what a signature that is to be read without a program for S/MIME cannot carry.
pub fn refuse_eight_bit() -> Error {
    Error::new(Code::Encrypt, "the content has octets beyond ASCII in an encoding of its own, which a relay may change")
}

#[cfg(test)]
mod tests {
    use super::super::{facts, mime};
    use super::*;

    fn made(other: &str, text: &str) -> (String, String) {
        let mut draft = Draft::default();
        draft.set_other_headers(other).unwrap();
        draft.set_message_text(text).unwrap();
        let entity = entity(&draft, &Options::default(), &mut Generated::default()).unwrap();
        let body = read(&entity).unwrap();
        (entity.fields, String::from_utf8(body).unwrap())
    }

    #[test]
    fn text_without_mime_gets_its_type_and_its_encoding() {
        let plain = "Content-Type: text/plain; charset=us-ascii\r\nContent-Transfer-Encoding: 7bit\r\n";
        assert_eq!(made("X-A: 1\r\n", "a\nb"), (plain.into(), "a\r\nb".into()));
        assert_eq!(made("", ""), (plain.into(), "".into()));
        let (fields, body) = made("", "ü");
        assert!(fields.starts_with("Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: "));
        assert!(body.is_ascii());
    }

    #[test]
    fn lines_that_a_relay_changes_are_encoded() {
        for text in ["a \r\nb", "a\t", "From x", "a\r\nFrom x", &"x".repeat(999)] {
            let (fields, body) = made("", text);
            assert!(!fields.contains("7bit"), "{text}");
            assert!(!facts::is_fragile(body.as_bytes()) && !mime::is_unfit(body.as_bytes()), "{body}");
        }
        assert!(!facts::is_fragile(b"a b\r\nfrom x\r\n From x\r\n"));
    }

    #[test]
    fn what_the_caller_encoded_stays_and_what_he_calls_8bit_does_not() {
        let encoded = "Content-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n";
        assert_eq!(made(encoded, "YQ==\n"), (encoded.into(), "YQ==\r\n".into()));
        let (fields, body) = made("Content-Type: text/html\r\nContent-Transfer-Encoding: 8bit\r\n", "ü");
        assert!(fields.contains("charset=utf-8") && !fields.contains("8bit") && body.is_ascii(), "{fields}");
        assert_eq!(fields.matches("Content-Transfer-Encoding").count(), 1);
        // A label that says more than the text needs goes: some relays encode by it.
        for label in ["8bit", "binary", "7BIT"] {
            let (fields, _) = made(&format!("Content-Transfer-Encoding: {label}\r\n"), "a");
            assert!(
                fields.ends_with("\r\nContent-Transfer-Encoding: 7bit\r\n")
                    || fields.starts_with("Content-Transfer-Encoding: 7bit\r\n"),
                "{fields}"
            );
            assert_eq!(fields.matches("ransfer").count(), 1);
        }
        let tree = "Content-Type: multipart/mixed; boundary=b\r\n";
        assert_eq!(made(tree, "--b\n\nx\n--b--\n"), (tree.into(), "--b\r\n\r\nx\r\n--b--\r\n".into()));
    }

    #[test]
    fn parts_that_can_be_read_once_are_known() {
        let mut draft = Draft::default();
        assert!(is_rereadable(&draft));
        draft.set_stream(Some(super::super::body::StreamBody { read: Box::new(|_| 0), close: None, size: None }));
        assert!(!is_rereadable(&draft));
        draft.set_attached_file("/dev/null").unwrap();
        assert!(!is_rereadable(&draft));
        draft.set_attached_file("/etc/hostname").unwrap();
        assert!(is_rereadable(&draft));
    }
}
