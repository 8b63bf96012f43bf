//! The MIME tree of a message with HTML, attachments or inline parts: RFC 2045, 2046, 2183, 2387.
//!
//! mixed( alternative( text, related( html, inline… ), invitation… ), attachment… ), each level only where it is needed.

use std::io::Read;
use std::sync::Arc;

use super::attachment::{Content, Part, Place};
use super::body::Piece;
use super::bytes::Bytes;
use super::compose::{self, Caps, has_long_line};
use super::encode::{self, Transfer};
use super::entity;
use super::facts;
use super::headers;
use super::layer::Canonical;
use super::protect;
use crate::error::Result;
use crate::text::fold::{FieldWriter, Style};
use crate::text::param;

/// One entity: its Content fields, each with its CRLF, and its body.
pub struct Entity {
    pub fields: String,
    pub pieces: Vec<Piece>,
    pub eight_bit: bool,
    /// It has a NUL or a line beyond SMTP's limit, in an encoding of the caller's.
    pub unfit: bool,
}

/// What the tree is made of.
pub struct Tree<'a> {
    pub text: &'a Bytes,
    /// The stream or AttachedFile that follows the text.
    pub tail: Option<Piece>,
    pub html: &'a Bytes,
    pub parts: &'a [Part],
    pub caps: Caps,
    pub style: &'a Style,
    /// Fresh random characters that all boundaries of the message have in them.
    pub seed: &'a str,
    /// Texts are encoded wherever a relay might change them, and have CRLF line ends already: they are to be signed.
    pub sealed: bool,
    /// The texts begin with the subject, and say so (RFC 9788).
    pub legacy: bool,
}

impl Tree<'_> {
    pub fn build(self) -> Result<Entity> {
        let has_text = !self.text.is_empty() || self.tail.is_some();
        let of = |place: Place| self.parts.iter().filter(move |part| part.place == place);
        let mut alternatives = Vec::new();
        // A message of attachments alone still has a text to show, an empty one.
        if has_text || self.html.is_empty() && of(Place::Alternative).next().is_none() {
            alternatives.push(self.shown(text_entity("plain", self.text, self.tail.clone(), self.caps, self.sealed)));
        }
        let mut beside = Vec::new();
        let inline = of(Place::Inline).map(|part| self.part(part)).collect::<Result<Vec<_>>>()?;
        if self.html.is_empty() {
            beside = inline;
        } else {
            let html = self.shown(text_entity("html", self.html, None, self.caps, self.sealed));
            let mut related = vec![html];
            related.extend(inline);
            alternatives.push(self.group("related", "; type=\"text/html\"", related));
        }
        for part in of(Place::Alternative) {
            alternatives.push(self.part(part)?);
        }
        for part in of(Place::Attachment) {
            beside.push(self.part(part)?);
        }
        beside.insert(0, self.group("alternative", "", alternatives));
        Ok(self.group("mixed", "", beside))
    }

    /// A text that is shown as the message.
    fn shown(&self, entity: Entity) -> Entity {
        if !self.legacy {
            return entity;
        }
        Entity { fields: protect::with_parameter(&entity.fields, protect::LEGACY), ..entity }
    }

    /// Entities as one; a single one stays what it is.
    fn group(&self, kind: &str, parameters: &str, mut entities: Vec<Entity>) -> Entity {
        if entities.len() == 1 {
            return entities.remove(0);
        }
        // The three levels differ in one letter, so that no boundary begins another.
        let boundary = format!("=_{}_{}", self.seed, &kind[..1]);
        let mut pieces = Vec::new();
        let eight_bit = entities.iter().any(|entity| entity.eight_bit);
        let mut before = "";
        for entity in entities {
            pieces.push(Piece::Encoded(format!("{before}--{boundary}\r\n{}\r\n", entity.fields).into()));
            pieces.extend(entity.pieces);
            before = "\r\n";
        }
        pieces.push(Piece::Encoded(format!("\r\n--{boundary}--\r\n").into()));
        let transfer = match (pieces.iter().any(Piece::is_binary), eight_bit) {
            (true, _) => "Content-Transfer-Encoding: binary\r\n",
            (false, true) => "Content-Transfer-Encoding: 8bit\r\n",
            (false, false) => "",
        };
        let fields = format!("Content-Type: multipart/{kind}{parameters};\r\n boundary=\"{boundary}\"\r\n{transfer}");
        Entity { fields, pieces, eight_bit, unfit: false }
    }

    /// An attachment, inline part or further alternative.
    fn part(&self, part: &Part) -> Result<Entity> {
        // Another message must not be encoded (RFC 2046 section 5.2.1): it goes raw, or as a file if it cannot.
        let message = part.is("message/rfc822");
        let raw = if message { raw(&part.content, self.caps)? } else { None };
        let binary = self.caps.binary && !self.sealed && raw.is_none();
        let kind = if message && raw.is_none() && !binary { "application/octet-stream" } else { &part.content_type };
        let mut fields = headers::parameters("Content-Type", kind, self.style, &[("name", &part.name)]);
        let (pieces, eight_bit, transfer) = match raw {
            _ if binary => (vec![Piece::Binary(Box::new(part.content.piece()))], false, "binary"),
            Some(eight) if self.sealed => {
                let canonical = Piece::Through(Arc::new(Canonical), vec![part.content.piece()]);
                (vec![canonical], eight, "7bit")
            }
            Some(eight) => (vec![part.content.piece()], eight, if eight { "8bit" } else { "7bit" }),
            None => (vec![Piece::Transfer(Transfer::Base64, vec![part.content.piece()])], false, "base64"),
        };
        fields.push_str(&format!("Content-Transfer-Encoding: {transfer}\r\n"));
        if !part.content_id.is_empty() {
            fields.push_str(&format!("Content-ID: <{}>\r\n", part.content_id));
        }
        if part.place != Place::Alternative {
            let mut field = FieldWriter::new("Content-Disposition", self.style);
            field.token(" ", if part.place == Place::Inline { "inline" } else { "attachment" });
            if !part.name.is_empty() {
                param::write(&mut field, "filename", &part.name);
            }
            fields.push_str(&field.finish());
        }
        Ok(Entity { fields, pieces, eight_bit, unfit: false })
    }
}

/// MessageText or MessageHtml in UTF-8. What follows it is unknown until it is sent, so both are encoded on the way.
fn text_entity(subtype: &str, text: &Bytes, tail: Option<Piece>, caps: Caps, sealed: bool) -> Entity {
    let ascii = text.is_ascii();
    let charset = if ascii && tail.is_none() { "us-ascii" } else { "utf-8" };
    let mut fields = format!("Content-Type: text/{subtype}; charset={charset}\r\n");
    let (pieces, transfer) = if let Some(tail) = tail {
        let pieces = vec![Piece::Bytes(text.clone()), tail];
        (vec![Piece::Transfer(Transfer::QuotedPrintable, pieces)], "quoted-printable")
    } else if caps.binary && !sealed && (is_unfit(text) || !ascii && !caps.eight_bit_mime) {
        (vec![compose::binary_text(text)], "binary")
    } else if is_unfit(text) || !ascii && !caps.eight_bit_mime || sealed && facts::is_fragile(text) {
        let transfer = Transfer::shorter(text);
        (vec![Piece::Encoded(encode::text(transfer, text).into())], transfer.name())
    } else {
        let piece = if sealed { entity::canonical(text) } else { Piece::Bytes(text.clone()) };
        (vec![piece], if ascii { "7bit" } else { "8bit" })
    };
    fields.push_str(&format!("Content-Transfer-Encoding: {transfer}\r\n"));
    Entity { fields, pieces, eight_bit: transfer == "8bit", unfit: false }
}

/// Text that can't go without an encoding, whatever the server.
pub fn is_unfit(text: &[u8]) -> bool {
    memchr::memchr(0, text).is_some() || has_long_line(text)
}

/// Whether content can go without an encoding, and then whether it is beyond ASCII. A file is read for it once; a FIFO
/// or a stream can be read only once, so it is not.
fn raw(content: &Content, caps: Caps) -> Result<Option<bool>> {
    let scanned = match content {
        Content::Bytes(bytes) => (!is_unfit(bytes)).then(|| !bytes.is_ascii()),
        Content::File(path) if std::fs::metadata(path).is_ok_and(|about| about.is_file()) => scan(path),
        _ => None,
    };
    Ok(scanned.filter(|eight| !eight || caps.eight_bit_mime))
}

/// As [`raw`] for a file; one that cannot be read fails later, when it is opened for sending.
fn scan(path: &std::path::Path) -> Option<bool> {
    let mut file = std::fs::File::open(path).ok()?;
    let mut buffer = vec![0; 64 * 1024];
    let (mut column, mut eight) = (0, false);
    loop {
        let count = file.read(&mut buffer).ok()?;
        if count == 0 {
            return Some(eight);
        }
        eight |= !buffer[..count].is_ascii();
        for byte in &buffer[..count] {
            column = if matches!(byte, b'\r' | b'\n') { 0 } else { column + 1 };
            if *byte == 0 || column > crate::text::fold::HARD_LIMIT {
                return None;
            }
        }
    }
}

/// Whether any octets that go as they are contain this text: then it must not be in a boundary.
pub fn occurs(seed: &str, text: &[u8], html: &[u8], parts: &[Part]) -> bool {
    let finder = memchr::memmem::Finder::new(seed);
    let in_part = |part: &Part| matches!(&part.content, Content::Bytes(bytes) if finder.find(bytes).is_some());
    finder.find(text).is_some() || finder.find(html).is_some() || parts.iter().any(in_part)
}

#[cfg(test)]
mod tests;
