//! Attachments and inline parts as a caller adds them: what they hold, their names and types (RFC 2183, RFC 2387).

use std::path::PathBuf;

use super::body::{Piece, Stream};
use super::bytes::Bytes;
use crate::error::{Code, Error, Result};
use crate::text::line::{has_crlf_nul, refuse_crlf_nul};
use crate::text::{media_type, param};

/// What a part holds.
#[derive(Debug, Clone)]
pub enum Content {
    Bytes(Bytes),
    /// A file that is read while sending.
    File(PathBuf),
    Stream(Stream),
}

impl Content {
    pub fn piece(&self) -> Piece {
        match self {
            Content::Bytes(bytes) => Piece::Bytes(bytes.clone()),
            Content::File(path) => Piece::File(path.clone()),
            Content::Stream(stream) => Piece::Stream(stream.clone()),
        }
    }
}

/// Where a part belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Beside the text: multipart/mixed.
    Attachment,
    /// Shown by the HTML that names its Content-ID: multipart/related.
    Inline,
    /// Another form of the text, such as an invitation: multipart/alternative.
    Alternative,
}

/// One part beside MessageText and MessageHtml.
#[derive(Debug, Clone)]
pub struct Part {
    pub content: Content,
    pub place: Place,
    /// The file name, without any folder; may be empty.
    pub name: String,
    /// `type/subtype`, with parameters where the caller gave some.
    pub content_type: String,
    /// Of an inline part, without angle brackets.
    pub content_id: String,
}

impl Part {
    /// An attachment. Without a name a file has its own, without a type it is guessed by the name. An invitation
    /// (`text/calendar; method=…`) without a name is an alternative to the text, which is where calendars look for it.
    pub fn attachment(content: Content, name: &str, content_type: &str) -> Result<Part> {
        let mut part = Part::new(content, name, content_type)?;
        let invitation = part.is("text/calendar") && super::headers::parameter(content_type, "method").is_some();
        if invitation && part.name.is_empty() {
            part.place = Place::Alternative;
        }
        Ok(part)
    }

    /// A part that HTML shows by `cid:` and this Content-ID.
    pub fn inline(content: Content, content_id: &str, content_type: &str) -> Result<Part> {
        let content_id = content_id.trim_start_matches('<').trim_end_matches('>');
        if content_id.is_empty() || !content_id.bytes().all(|b| b.is_ascii_graphic() && !b"<>()\\\"".contains(&b)) {
            return Err(Error::new(Code::ValueRefused, "a Content-ID is printable ASCII without blanks and brackets"));
        }
        let part = Part::new(content, "", content_type)?;
        Ok(Part { place: Place::Inline, content_id: content_id.into(), ..part })
    }

    fn new(content: Content, name: &str, content_type: &str) -> Result<Part> {
        refuse_crlf_nul("the name of an attachment", name)?;
        let name = match &content {
            Content::File(path) if name.is_empty() => base_name(&path.to_string_lossy()),
            _ => base_name(name),
        };
        let content_type = if content_type.trim().is_empty() { guess(&name) } else { checked(content_type)? };
        Ok(Part { content, place: Place::Attachment, name, content_type, content_id: String::new() })
    }

    /// Whether the part is of this type, whatever its parameters.
    pub fn is(&self, wanted: &str) -> bool {
        self.content_type.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(wanted)
    }
}

/// The last component, whichever system's separators stand in a path, and never one that means a folder.
fn base_name(path: &str) -> String {
    let name = path.rsplit(['/', '\\']).next().unwrap_or_default().trim();
    let name: String = name.chars().filter(|c| !c.is_control()).collect();
    if name == "." || name == ".." { String::new() } else { name }
}

/// The type that a name's extension tells.
fn guess(name: &str) -> String {
    media_type::of(name).unwrap_or_else(|| "application/octet-stream".to_string())
}

/// A type as `token/token`, with or without parameters; 603 when it is none. A part that has parts of its own is not one
/// octet string, so multipart is refused.
fn checked(content_type: &str) -> Result<String> {
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    let token = |text: &str| !text.is_empty() && text.bytes().all(param::is_token);
    let fine = kind
        .split_once('/')
        .is_some_and(|(kind, subtype)| token(kind) && token(subtype) && !kind.eq_ignore_ascii_case("multipart"));
    if !fine || has_crlf_nul(content_type) {
        return Err(Error::new(
            Code::ValueRefused,
            "a content type is two words with a slash between them, such as image/png",
        ));
    }
    Ok(content_type.trim().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes() -> Content {
        Content::Bytes(b"x".as_slice().into())
    }

    #[test]
    fn only_the_last_component_of_a_name_is_kept() {
        for (given, kept) in [
            ("../../etc/passwd", "passwd"),
            ("C:\\secret\\plan.doc", "plan.doc"),
            ("..", ""),
            ("a/.", ""),
            ("übersicht.pdf", "übersicht.pdf"),
            ("bell\u{7}.txt", "bell.txt"),
        ] {
            assert_eq!(Part::attachment(bytes(), given, "").unwrap().name, kept);
        }
        let part = Part::attachment(Content::File("/home/me/photo.JPG".into()), "", "").unwrap();
        assert_eq!((part.name.as_str(), part.content_type.as_str()), ("photo.JPG", "image/jpeg"));
    }

    #[test]
    fn types_are_guessed_by_name_and_checked_when_given() {
        assert_eq!(Part::attachment(bytes(), "a.pdf", "").unwrap().content_type, "application/pdf");
        assert_eq!(Part::attachment(bytes(), "a.unknown-thing", "").unwrap().content_type, "application/octet-stream");
        assert!(Part::attachment(bytes(), "", "image/png; x=y").unwrap().is("IMAGE/PNG"));
        for bad in ["png", "image/", "/png", "image/p ng", "a/b\r\nBcc: x", "multipart/mixed; boundary=x", "a/b/c"] {
            assert_eq!(Part::attachment(bytes(), "", bad).unwrap_err().code, Code::ValueRefused, "{bad:?}");
        }
        assert_eq!(Part::attachment(bytes(), "a\r\nb", "").unwrap_err().code, Code::ValueRefused);
    }

    #[test]
    fn a_content_id_may_come_in_its_brackets_and_has_no_blanks() {
        assert_eq!(Part::inline(bytes(), "<logo@x>", "image/png").unwrap().content_id, "logo@x");
        for bad in ["", "<>", "a b", "a>b", "ü", "a\r\nb"] {
            assert_eq!(Part::inline(bytes(), bad, "image/png").unwrap_err().code, Code::ValueRefused, "{bad:?}");
        }
    }

    #[test]
    fn an_invitation_without_a_name_is_an_alternative() {
        let place = |name: &str, kind: &str| Part::attachment(bytes(), name, kind).unwrap().place;
        assert_eq!(place("", "text/calendar; method=REQUEST"), Place::Alternative);
        assert_eq!(place("invite.ics", "text/calendar; method=REQUEST"), Place::Attachment);
        assert_eq!(place("", "text/calendar"), Place::Attachment);
    }
}
