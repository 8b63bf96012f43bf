//! From a draft to what is sent: header section and body pieces, the envelope's sender, and what the server must be able to do.

use std::path::PathBuf;
use std::sync::Arc;

use super::address::{self, Mailbox};
use super::body::Piece;
use super::bytes::Bytes;
use super::draft::Draft;
use super::encode::{self, Transfer};
use super::facts::Facts;
use super::headers::{self, Other, Section};
use super::id;
use super::mime::{self, Tree};
use super::recipients::{EnvelopeRecipient, Listed};
use crate::enums::{Importance, Priority, RecipientType, Sensitivity};
use crate::error::{Code, Error, Result};
use crate::text::charset::Charset;
use crate::text::code_page::CodePage;
use crate::text::date;
use crate::text::fold::{self, HARD_LIMIT, Style};

pub use super::headers::list as header_list;
pub use super::id::IdAlgorithm;

/// The settings that decide how a message is written.
#[derive(Debug, Clone)]
pub struct Options {
    pub charset: String,
    pub fold_headers: bool,
    pub max_header_length: usize,
    pub message_id_algorithm: IdAlgorithm,
    pub allow_empty_to: bool,
    /// Message is a complete message (MessageIncludesHeaders).
    pub complete: bool,
    /// Whose octets MessageText goes in, where OtherHeaders name no charset (ruling 42).
    pub code_page: CodePage,
    /// The name of this host, for the Message-ID when From has no domain.
    pub host: fn() -> String,
    /// The local zone at a time: seconds east of Greenwich.
    pub utc_offset: fn(i64) -> i32,
    /// Octets that no other message of the process has, for a Message-ID; the system is asked for some where they lack.
    pub randomness: Option<[u8; 40]>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            charset: String::new(),
            fold_headers: true,
            max_header_length: 80,
            message_id_algorithm: IdAlgorithm::default(),
            allow_empty_to: false,
            complete: false,
            code_page: CodePage::default(),
            host: String::new,
            utc_offset: |_| 0,
            randomness: None,
        }
    }
}

impl Options {
    pub(super) fn style(&self, utf8: bool) -> Result<Style> {
        let charset = if self.charset.trim().is_empty() { None } else { Some(Charset::find(&self.charset)?) };
        // A charset that was asked for is used, in a message with SMTPUTF8 too.
        Ok(Style { utf8: utf8 && charset.is_none(), charset, max: self.max_header_length, fold: self.fold_headers })
    }
}

/// What the server can take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Caps {
    pub eight_bit_mime: bool,
    pub smtp_utf8: bool,
    /// BINARYMIME, which goes with BDAT alone (RFC 3030).
    pub binary: bool,
}

/// What was made up for a message: kept from read to read until the message changes (ruling 28). A new Send begins with a new one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Generated {
    revision: Option<u64>,
    pub date: Option<String>,
    pub message_id: Option<String>,
    /// Characters that the boundaries of the message have in them.
    seed: Option<String>,
}

impl Generated {
    pub(super) fn for_revision(&mut self, revision: u64) {
        if self.revision != Some(revision) {
            *self = Generated { revision: Some(revision), ..Generated::default() };
        }
    }

    /// A boundary cannot be guessed by who wrote the parts, and does not stand in them by chance either.
    fn seed(&mut self, draft: &Draft) -> Result<String> {
        loop {
            let seed = match self.seed.take() {
                Some(seed) => seed,
                None => id::hex(&id::random::<16>()?),
            };
            if !mime::occurs(&seed, &draft.text, &draft.html, &draft.parts) {
                self.seed = Some(seed.clone());
                return Ok(seed);
            }
        }
    }
}

/// A message ready to be sent.
#[derive(Debug, Clone)]
pub struct Composed {
    /// The header section with the empty line that ends it.
    pub headers: Vec<u8>,
    /// The body, in order. Line ends and dots are up to who sends it.
    pub pieces: Vec<Piece>,
    /// The body has octets beyond ASCII, or may have: BODY=8BITMIME.
    pub eight_bit: bool,
    /// An address has a local part beyond ASCII: SMTPUTF8.
    pub needs_smtputf8: bool,
    /// Octets of headers and body, where they are known.
    pub size: Option<u64>,
}

impl Composed {
    /// Some of the body is no text: BODY=BINARYMIME.
    pub fn is_binary(&self) -> bool {
        self.pieces.iter().any(Piece::is_binary)
    }
}

/// MAIL FROM: ReturnPath, else From; `<>` is the null sender, an empty text. 164 when either is malformed, or there is none.
pub fn envelope_sender(draft: &Draft) -> Result<(Arc<str>, bool)> {
    let read = |what: &str, text: &str, one: bool| -> Result<(Arc<str>, bool)> {
        if address::plain(text).is_some() {
            return Ok((text.into(), false));
        }
        let first = if one {
            address::parse_one(text).map(Some)
        } else {
            address::parse_list(text).map(|list| list.into_iter().next())
        };
        let none = || Error::new(Code::NoSender, "there is no address");
        match first.and_then(|mailbox| mailbox.ok_or_else(none)) {
            Ok(mailbox) => Ok((mailbox.envelope().into(), mailbox.needs_smtputf8())),
            Err(error) => Err(Error::new(Code::NoSender, format!("{what}: {}", error.message))),
        }
    };
    let return_path = draft.return_path.trim();
    let from = if draft.from.trim().is_empty() { None } else { Some(read("From", &draft.from, false)?) };
    if return_path.is_empty() {
        return from.ok_or_else(|| Error::new(Code::NoSender, "From is not set"));
    }
    if return_path == "<>" { Ok(("".into(), false)) } else { read("ReturnPath", return_path, true) }
}

/// RCPT TO: every recipient once; 165 also when there is no To and that is not allowed.
pub fn envelope_recipients(draft: &Draft, options: &Options) -> Result<Vec<EnvelopeRecipient>> {
    let recipients = draft.recipients.envelope()?;
    draft.check_secured(&recipients)?;
    if !options.allow_empty_to && !recipients.iter().any(|recipient| recipient.kind == RecipientType::To) {
        return Err(Error::new(Code::NoRecipient, "SendTo is empty (AllowEmptyTo permits it)"));
    }
    Ok(recipients)
}

/// The body as it is sent, where all of it is in memory; 211 for one with a file or stream (ruling 28).
pub fn kept_body(composed: &Composed) -> Result<Vec<u8>> {
    if !composed.pieces.iter().all(Piece::is_kept) {
        return Err(Error::new(Code::WrongState, "TransferText is not kept for a message with a file or stream"));
    }
    let mut body = Vec::new();
    for piece in &composed.pieces {
        let mut source = piece.open()?;
        while let Some(bytes) = source.next()? {
            body.extend_from_slice(bytes);
        }
    }
    Ok(body)
}

/// Composes the message for a server with these abilities.
pub fn compose(draft: &Draft, options: &Options, caps: Caps, generated: &mut Generated) -> Result<Composed> {
    if options.complete && draft.message.is_some() {
        return super::complete::compose(draft, options, caps, generated);
    }
    generated.for_revision(draft.revision);
    let whole = draft;
    let shown;
    let draft = match &draft.secured.protected {
        Some(protected) => {
            shown = protected.outer(draft)?;
            &shown
        }
        None => draft,
    };
    let other = headers::parse(&draft.other_headers)?;
    let needs_smtputf8 = needs_smtputf8(draft) || other.needs_smtputf8();
    if needs_smtputf8 && !caps.smtp_utf8 {
        return Err(Error::new(
            beyond_ascii(draft),
            "an address has a local part beyond ASCII and the server does not offer SMTPUTF8",
        ));
    }
    let style = options.style(needs_smtputf8)?;
    let (body, rest);
    let other = if draft.secured.pending.is_empty() {
        body = self::body(draft, &other, caps, &style, options.code_page, generated)?;
        other
    } else {
        // The MIME lines of OtherHeaders went with what they describe.
        body = secured(whole, options, generated)?;
        (rest, _) = headers::split_mime(&draft.other_headers)?;
        headers::parse(&rest)?
    };
    let mut section = Section::new(&other, &style);
    if !other.whole {
        fields(&mut section, draft, options, generated, &style)?;
        section.ours("MIME-Version", if body.mime { "MIME-Version: 1.0\r\n" } else { "" });
        match &body.content_type {
            Some(ContentType::Ours(text)) => section.ours("Content-Type", text),
            Some(ContentType::Amended(text)) => section.instead("Content-Type", text),
            None => {}
        }
        section.contents();
        if let Some(name) = body.transfer {
            for text in ["Content-Transfer-Encoding: ", name, "\r\n"] {
                section.add(text);
            }
        }
    }
    let headers = section.finish();
    let sizes = body.pieces.iter().map(Piece::size);
    let size = sizes.sum::<Option<u64>>().map(|body| body + headers.len() as u64);
    Ok(Composed { headers, pieces: body.pieces, eight_bit: body.eight_bit, needs_smtputf8, size })
}

/// Whether any address that is sent or shown has a local part beyond ASCII.
fn needs_smtputf8(draft: &Draft) -> bool {
    let single =
        [&draft.from, &draft.reply_to, &draft.return_path, &draft.delivery_notification_to, &draft.read_receipt_to];
    let beyond = |text: &String| !text.is_ascii() && mailboxes(text).iter().any(Mailbox::needs_smtputf8);
    single.into_iter().any(beyond) || draft.recipients.iter().any(|recipient| beyond(&recipient.address))
}

/// The number of the error for an address that needs SMTPUTF8: by whose address it is.
fn beyond_ascii(draft: &Draft) -> Code {
    let recipient = |recipient: &EnvelopeRecipient| recipient.needs_smtputf8;
    if envelope_sender(draft).is_ok_and(|(_, utf8)| utf8) {
        Code::NoSender
    } else if draft.recipients.envelope().is_ok_and(|all| all.iter().any(recipient)) {
        Code::NoRecipient
    } else {
        Code::ValueRefused
    }
}

fn mailboxes(text: &str) -> Vec<Mailbox> {
    address::parse_list(text).unwrap_or_default()
}

/// Our fields before those of MIME, in their order.
pub(super) fn fields(
    section: &mut Section<'_>,
    draft: &Draft,
    options: &Options,
    generated: &mut Generated,
    style: &Style,
) -> Result<()> {
    let date = match draft.message_date.as_str() {
        "*" => generated.date.get_or_insert_with(|| date::now(options.utc_offset)).clone(),
        given => given.to_string(),
    };
    section.text("Date", &date);
    let authors = mailboxes(&draft.from);
    section.mailboxes("From", &draft.from);
    // Several authors need one who is answerable for the sending (RFC 5322 section 3.6.2).
    let sender = authors.first().filter(|_| authors.len() > 1);
    section.mailboxes("Sender", &sender.map(Mailbox::text).unwrap_or_default());
    section.mailboxes("Reply-To", &draft.reply_to);
    for (name, kind) in [("To", RecipientType::To), ("Cc", RecipientType::Cc)] {
        let listed: Vec<Listed> = draft.recipients.listed(kind);
        let field = if listed.is_empty() { String::new() } else { headers::addresses(name, &listed, style) };
        section.ours(name, &field);
    }
    section.text("Subject", &draft.subject);
    let message_id = match draft.message_id.as_str() {
        "*" => {
            if generated.message_id.is_none() {
                let domain = authors.first().map_or("", |author| author.domain.as_str());
                let random = match options.randomness {
                    Some(random) => random.to_vec(),
                    None => id::random::<32>()?.to_vec(),
                };
                generated.message_id = Some(id::generate(options.message_id_algorithm, random, domain, options.host));
            }
            generated.message_id.clone().unwrap_or_default()
        }
        given => given.to_string(),
    };
    section.text("Message-ID", &message_id);
    let importance = match draft.importance {
        Importance::Unspecified => "",
        Importance::High => "High",
        Importance::Normal => "Normal",
        Importance::Low => "Low",
    };
    let priority = match draft.priority {
        Priority::Unspecified => "",
        Priority::Normal => "normal",
        Priority::Urgent => "urgent",
        Priority::NonUrgent => "non-urgent",
    };
    let sensitivity = match draft.sensitivity {
        Sensitivity::Unspecified => "",
        Sensitivity::Personal => "Personal",
        Sensitivity::Private => "Private",
        Sensitivity::CompanyConfidential => "Company-Confidential",
    };
    // These stand beside any in OtherHeaders.
    for (name, value) in [("Importance", importance), ("Priority", priority), ("Sensitivity", sensitivity)] {
        if !value.is_empty() {
            section.add(&fold::unstructured(name, value, style));
        }
    }
    let receipts = [
        ("Disposition-Notification-To", &draft.read_receipt_to),
        ("Return-Receipt-To", &draft.delivery_notification_to),
    ];
    for (name, value) in receipts {
        if !value.trim().is_empty() {
            section.add(&headers::address_text(name, value, style));
        }
    }
    Ok(())
}

pub(super) enum ContentType {
    /// Where the caller has none.
    Ours(String),
    /// The caller's with the charset that it lacks.
    Amended(String),
}

struct Body {
    pieces: Vec<Piece>,
    mime: bool,
    content_type: Option<ContentType>,
    transfer: Option<&'static str>,
    eight_bit: bool,
}

/// Message or MessageText, then the stream or AttachedFile (ruling 26), and the MIME fields that the text needs (ruling 27).
fn body(
    draft: &Draft,
    other: &Other<'_>,
    caps: Caps,
    style: &Style,
    page: CodePage,
    generated: &mut Generated,
) -> Result<Body> {
    let tail = tail(draft);
    if !draft.html.is_empty() || !draft.parts.is_empty() {
        return tree(draft, other, caps, style, generated, tail);
    }
    // Nobody knows what a stream holds, so where 8-bit can go it is declared.
    let tail_eight = tail.is_some() && caps.eight_bit_mime;
    let mut body =
        Body { pieces: Vec::new(), mime: other.has_mime(), content_type: None, transfer: None, eight_bit: tail_eight };
    let mut facts = draft.known.look(draft.message.as_ref().unwrap_or(&draft.text), 0);
    let (bytes, ascii) = match &draft.message {
        Some(message) => (message.clone(), facts.ascii),
        None if facts.ascii => (draft.text.clone(), true),
        None => (converted(draft, other, page, false)?, false),
    };
    if draft.message.is_none() && !bytes.is(&draft.text) {
        facts = Facts::of(&bytes);
    }
    let eight = !facts.ascii;
    if draft.message.is_some() || other.is_encoded() || other.whole {
        if caps.binary && other.is_binary() {
            body.pieces.push(Piece::Binary(Box::new(Piece::Bytes(bytes))));
            body.pieces.extend(tail.map(|tail| Piece::Binary(Box::new(tail))));
            return Ok(body);
        }
        if eight && !caps.eight_bit_mime && caps.binary {
            body.pieces.push(binary_text(&bytes));
            body.pieces.extend(tail);
            return Ok(body);
        }
        if eight && !caps.eight_bit_mime {
            let what = if draft.message.is_some() { "Message" } else { "MessageText" };
            let why = "has octets beyond ASCII in its own encoding and the server does not offer 8BITMIME";
            return Err(Error::new(Code::ValueRefused, format!("{what} {why}")));
        }
        body.eight_bit |= eight;
        push(&mut body.pieces, Piece::Known(bytes, 0, facts));
        body.pieces.extend(tail);
        return Ok(body);
    }
    let encode = eight && !caps.eight_bit_mime || facts.unfit;
    if encode || eight {
        body.mime = true;
        body.content_type = content_type(other, ascii, &page.charset().unwrap_or_else(|| "utf-8".into()));
    }
    match (encode, tail) {
        (true, None) if caps.binary => {
            body.transfer = Some("binary");
            body.pieces.push(binary_text(&bytes));
        }
        (true, None) => {
            let transfer = Transfer::shorter(&bytes);
            body.transfer = Some(transfer.name());
            push(&mut body.pieces, Piece::Encoded(encode::text(transfer, &bytes).into()));
        }
        // One encoding holds for the whole body, so what follows the text gets it too.
        (true, Some(tail)) => {
            body.transfer = Some(Transfer::QuotedPrintable.name());
            body.eight_bit = false;
            body.pieces.push(Piece::Transfer(Transfer::QuotedPrintable, vec![Piece::Bytes(bytes), tail]));
        }
        (false, tail) => {
            body.transfer = eight.then_some("8bit");
            body.eight_bit |= eight;
            push(&mut body.pieces, Piece::Known(bytes, 0, facts));
            body.pieces.extend(tail);
        }
    }
    Ok(body)
}

/// The stream or AttachedFile that follows the text.
pub(super) fn tail(draft: &Draft) -> Option<Piece> {
    match &draft.stream {
        Some(stream) => Some(Piece::Stream(stream.clone())),
        None if draft.attached_file.is_empty() => None,
        None => Some(Piece::File(PathBuf::from(&draft.attached_file))),
    }
}

/// A body with MessageHtml, attachments or inline parts.
fn tree(
    draft: &Draft,
    other: &Other<'_>,
    caps: Caps,
    style: &Style,
    generated: &mut Generated,
    tail: Option<Piece>,
) -> Result<Body> {
    Ok(tree_entity(draft, other, caps, style, generated, tail, false)?.into())
}

/// A body that was signed or encrypted as a whole.
fn secured(draft: &Draft, options: &Options, generated: &mut Generated) -> Result<Body> {
    Ok(super::entity::wrapped(draft, options, generated)?.into())
}

/// The tree of the parts; `sealed` as [`super::entity`] needs it.
pub(super) fn tree_entity(
    draft: &Draft,
    other: &Other<'_>,
    caps: Caps,
    style: &Style,
    generated: &mut Generated,
    tail: Option<Piece>,
    sealed: bool,
) -> Result<mime::Entity> {
    let refused = |why: &str| Err(Error::new(Code::ValueRefused, format!("MessageHtml and attachments {why}")));
    if draft.message.is_some() {
        return refused("go with MessageText, not with Message");
    }
    if other.whole || other.find("Content-Type").is_some() || other.find("Content-Transfer-Encoding").is_some() {
        return refused("need the Content-Type that OtherHeaders has taken");
    }
    let seed = generated.seed(draft)?;
    let legacy = draft.secured.protected.as_ref().filter(|_| sealed).and_then(|protected| protected.legacy(draft));
    let (mut text, mut html, parts) = (draft.text.clone(), draft.html.clone(), &draft.parts);
    if let Some(legacy) = &legacy {
        if !text.is_empty() || html.is_empty() {
            text = legacy.in_text(&text).into();
        }
        if !html.is_empty() {
            html = legacy.in_html(&html).into();
        }
    }
    let legacy = legacy.is_some();
    Tree { text: &text, tail, html: &html, parts, caps, style, seed: &seed, sealed, legacy }.build()
}

impl From<mime::Entity> for Body {
    fn from(entity: mime::Entity) -> Body {
        Body {
            pieces: entity.pieces,
            mime: true,
            content_type: Some(ContentType::Ours(entity.fields)),
            transfer: None,
            eight_bit: entity.eight_bit,
        }
    }
}

/// Text that no 8-bit encoding can carry, with the line ends that text has.
pub(super) fn binary_text(text: &[u8]) -> Piece {
    Piece::Binary(Box::new(super::entity::repaired(text)))
}

fn push(pieces: &mut Vec<Piece>, piece: Piece) {
    if piece.size() != Some(0) {
        pieces.push(piece);
    }
}

/// MessageText in the charset that OtherHeaders names; 434 when the charset lacks a character.
pub(super) fn converted(draft: &Draft, other: &Other<'_>, page: CodePage, ascii: bool) -> Result<Bytes> {
    let named = other.charset().filter(|_| !ascii);
    let whole = || std::str::from_utf8(&draft.text).map_err(|_| Error::new(Code::CodePage, "MessageText is not UTF-8"));
    let Some(name) = named else {
        if ascii || page.is_utf8() || page.charset().is_none() {
            return Ok(draft.text.clone());
        }
        return Ok(page.encode(whole()?)?.into());
    };
    let charset = Charset::find(&name)?;
    let text = whole()?;
    let bytes = charset
        .encode(text)
        .ok_or_else(|| Error::new(Code::CodePage, format!("MessageText has characters that {name} lacks")))?;
    Ok(bytes.into_owned().into())
}

pub(super) fn content_type(other: &Other<'_>, ascii: bool, charset: &str) -> Option<ContentType> {
    let charset = if ascii { "us-ascii" } else { charset };
    let Some(field) = other.find("Content-Type") else {
        return Some(ContentType::Ours(format!("Content-Type: text/plain; charset={charset}\r\n")));
    };
    let value = field.text();
    let text = value.get(..5).is_some_and(|kind| kind.eq_ignore_ascii_case("text/"));
    if !text || ascii || other.charset().is_some() {
        return None;
    }
    let value = value.trim_end_matches([';', ' ', '\t']);
    Some(ContentType::Amended(format!("{}: {value};\r\n charset={charset}\r\n", field.name)))
}

/// Whether a line passes what SMTP permits.
pub(super) fn has_long_line(text: &[u8]) -> bool {
    !pass_short_lines(text, &mut 0)
}

/// Goes on from the beginning of a line as far as text is known. False when a line passes what SMTP permits.
pub(super) fn pass_short_lines(text: &[u8], from: &mut usize) -> bool {
    // The last line end in reach tells that all lines before it are short enough; most octets are never looked at.
    while let Some(window) = text.get(*from..=*from + HARD_LIMIT) {
        match memchr::memrchr2(b'\r', b'\n', window) {
            Some(end) => *from += end + 1,
            None => return false,
        }
    }
    true
}

/// Whether no line passes what SMTP permits, of text that comes in pieces.
#[derive(Debug, Default)]
pub struct ShortLines {
    /// Octets of the line that goes on.
    open: usize,
}

impl ShortLines {
    pub fn go_on(&mut self, text: &[u8]) -> bool {
        let Some(first) = memchr::memchr2(b'\r', b'\n', text) else {
            self.open += text.len();
            return self.open <= HARD_LIMIT;
        };
        let short = self.open + first <= HARD_LIMIT && pass_short_lines(text, &mut (first + 1));
        let last = memchr::memrchr2(b'\r', b'\n', text).map_or(0, |last| last + 1);
        self.open = text.len() - last;
        short && self.open <= HARD_LIMIT
    }
}

#[cfg(test)]
mod tests;
