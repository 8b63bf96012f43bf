//! What Sign and Encrypt made of a message: the lines they put into OtherHeaders, operations that wait for the sending, the forms
//! that Bcc recipients get, and whether the message may be sent at all (rulings 4, 8, 22 to 24).

use std::collections::HashMap;
use std::sync::Arc;

use super::bytes::Bytes;
use super::complete;
use super::draft::Draft;
use super::entity;
use super::headers;
use super::layer::Wrap;
use super::protect::Protected;
use super::recipients::EnvelopeRecipient;
use crate::enums::RecipientType;
use crate::error::{Code, Error, Result};

/// Operations, as bits.
pub const SIGN: u8 = 1;
pub const ENCRYPT: u8 = 2;

/// Whom the envelopes of an encrypted message are for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Readers {
    /// Recipients that get a form of the message of their own, each in a transaction of its own.
    pub apart: Vec<String>,
    /// Recipients of To and Cc whose certificates stand in the envelope that all others get.
    pub together: Vec<String>,
    /// Bcc recipients whose certificates stand there too, because they are a visible recipient's as well.
    pub hidden: Vec<String>,
    /// Every recipient must be one of these.
    pub matched: bool,
    /// One envelope is for everybody (BccEncryption).
    pub shared: bool,
}

/// One form of the message, in place of what the draft has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// Header lines for OtherHeaders, and the body.
    Body(String, Bytes),
    /// A complete message (MessageIncludesHeaders).
    Whole(Bytes),
}

/// The state of a message between Sign or Encrypt and its sending.
#[derive(Debug, Clone, Default)]
pub struct Secured {
    /// Lines in OtherHeaders that belong to the result.
    added: String,
    /// The caller's lines that they took the place of.
    taken: String,
    /// Carried out while the message is sent, in this order.
    pub(super) pending: Vec<Arc<dyn Wrap>>,
    /// What recipients apart get; empty while the operation waits.
    forms: Vec<Form>,
    readers: Option<Readers>,
    /// Which edition the recipients apart get, by [`folded`] address: each is asked for when a transaction is put together.
    apart: Arc<HashMap<String, usize>>,
    /// The header fields are protected too (RFC 9788).
    pub(super) protected: Option<Protected>,
    /// Which form this draft is.
    pub(super) edition: usize,
    /// What was done, and what failed and was not made good.
    done: u8,
    failed: u8,
}

impl Secured {
    /// What is still to be made good when the operation ends and the content stays: where it was to be encrypted while it is sent,
    /// it would go in the clear now.
    fn left_open(&self) -> u8 {
        self.failed | if self.pending.is_empty() { 0 } else { self.done & ENCRYPT }
    }
}

impl Draft {
    /// Whether Sign and Encrypt leave their work to the sending: something is read only then, or has several parts.
    pub fn is_deferred(&self) -> bool {
        self.stream.is_some()
            || !self.attached_file.is_empty()
            || !self.html.is_empty()
            || !self.parts.is_empty()
            || !self.secured.pending.is_empty()
    }

    /// The message was set anew: what belonged to its former content goes. `body`: something new will be sent, not less of the old.
    pub(super) fn set_anew(&mut self, body: bool) {
        let secured = std::mem::take(&mut self.secured);
        if !secured.added.is_empty() {
            let rest = headers::without_lines(&self.other_headers, &secured.added);
            self.other_headers = headers::joined(&rest, &secured.taken);
        }
        if !body {
            self.secured.failed = secured.left_open();
        }
    }

    /// Whether Sign or Encrypt left their work to the sending.
    pub(super) fn awaits_sending(&self) -> bool {
        !self.secured.pending.is_empty()
    }

    /// Something joins MessageText, which is the result of an operation: together they are no message.
    pub(super) fn beside_result(&mut self, body: bool) {
        let done = if self.secured.added.is_empty() { 0 } else { self.secured.done };
        self.set_anew(body);
        self.secured.failed |= if body { done } else { 0 };
    }

    /// OtherHeaders are set: the operation ends, and lines of its result that the new text repeats go (ruling 23).
    pub(super) fn without_our_lines(&mut self, text: &str) -> String {
        let secured = std::mem::take(&mut self.secured);
        self.secured.failed = secured.left_open();
        if secured.added.is_empty() { text.into() } else { headers::without_lines(text, &secured.added) }
    }

    /// The headers were emptied and the body stays: what was signed or encrypted of it is no message any more.
    pub(super) fn unsecured(&self) -> Secured {
        let secured = &self.secured;
        Secured { failed: secured.failed | secured.done, ..Secured::default() }
    }

    /// Header fields are to be protected by the first operation, which this is.
    pub fn protect(&mut self, protected: Option<Protected>) {
        if protected.is_some() {
            self.secured.protected = protected;
        }
    }

    /// Whether nothing was done to the message yet.
    pub fn is_unsecured(&self) -> bool {
        self.secured.done == 0
    }

    /// What protects header fields, while this is the innermost entity.
    pub(super) fn protected(&self) -> Option<&Protected> {
        self.secured.protected.as_ref().filter(|_| self.secured.added.is_empty())
    }

    /// An operation succeeded, and its result is the message: one form for everybody, then those of the recipients apart.
    pub fn secure(&mut self, operations: u8, forms: Vec<Form>, readers: Option<Readers>) -> Result<()> {
        let mut forms = forms.into_iter();
        match forms.next() {
            Some(Form::Body(fields, body)) => {
                let (rest, mime) = headers::split_mime(&self.other_headers)?;
                if self.secured.added.is_empty() {
                    self.secured.taken = mime;
                }
                self.other_headers = headers::joined(&rest, &fields);
                self.secured.added = fields;
                self.text = body;
                self.message = None;
            }
            Some(Form::Whole(message)) => self.message = Some(message),
            None => {}
        }
        self.secured.forms = forms.collect();
        self.succeeded(operations, readers);
        Ok(())
    }

    /// An operation that waits for the sending.
    pub fn defer(&mut self, operations: u8, wraps: Vec<Arc<dyn Wrap>>, readers: Option<Readers>) {
        self.secured.pending.extend(wraps);
        self.succeeded(operations, readers);
    }

    fn succeeded(&mut self, operations: u8, readers: Option<Readers>) {
        if let Some(readers) = &readers {
            let editions = readers.apart.iter().enumerate().rev();
            self.secured.apart = Arc::new(editions.map(|(at, address)| (folded(address), at + 1)).collect());
        }
        self.secured.readers = readers.or(self.secured.readers.take());
        self.secured.done |= operations;
        self.secured.failed &= !operations;
        self.revision += 1;
    }

    /// An operation failed: the message is not sent as it is.
    pub fn fail(&mut self, operations: u8) {
        self.secured.failed |= operations;
    }

    /// Whom the envelopes are for, once the message is encrypted.
    pub fn readers(&self) -> Option<&Readers> {
        self.secured.readers.as_ref()
    }

    /// How many forms there are: one for everybody, and those of recipients apart.
    pub fn editions(&self) -> usize {
        1 + self.readers().map_or(0, |readers| readers.apart.len())
    }

    /// Which form a recipient gets, by the address of the envelope.
    pub fn edition_of(&self, address: &str) -> usize {
        if self.secured.apart.is_empty() { 0 } else { self.secured.apart.get(&folded(address)).copied().unwrap_or(0) }
    }

    /// The message in the form that these recipients get.
    pub fn edition(&self, edition: usize) -> Draft {
        let mut draft = self.clone();
        draft.secured.edition = edition;
        match edition.checked_sub(1).and_then(|at| self.secured.forms.get(at)) {
            Some(Form::Body(fields, body)) => {
                let rest = headers::without_lines(&self.other_headers, &self.secured.added);
                draft.other_headers = headers::joined(&rest, fields);
                draft.text = body.clone();
            }
            Some(Form::Whole(message)) => draft.message = Some(message.clone()),
            None => {}
        }
        draft
    }

    /// Refuses what must not be sent: a message whose signing or encryption failed (283), one whose recipients are not those
    /// it was encrypted for (272).
    pub fn check_secured(&self, recipients: &[EnvelopeRecipient]) -> Result<()> {
        if self.secured.failed != 0 {
            let what = match self.secured.failed {
                SIGN => "Sign",
                ENCRYPT => "Encrypt",
                _ => "SignAndEncrypt",
            };
            let why = "failed, and the message was not set anew: it is not sent as it is";
            return Err(Error::new(Code::Encrypt, format!("{what} {why}")));
        }
        let Some(readers) = self.readers() else { return Ok(()) };
        if self.secured.forms.is_empty() && !readers.apart.is_empty() && !entity::is_rereadable(self) {
            let why = "a stream can be read only once, and Bcc recipients get envelopes of their own (BccEncryption)";
            return Err(Error::new(Code::Encrypt, why));
        }
        for recipient in recipients {
            let address = &recipient.address;
            let among = |list: &[String]| list.iter().any(|other| same(other, address));
            if self.edition_of(address) > 0 {
                continue;
            }
            let bcc = recipient.kind == RecipientType::Bcc;
            if readers.matched && !among(&readers.together) && !among(&readers.hidden) {
                let why = "is no recipient whom the message was encrypted for";
                return Err(Error::new(Code::CertNotFound, format!("{address} {why}")));
            }
            if bcc && !readers.shared && !among(&readers.hidden) {
                let why = "became a Bcc recipient after the message was encrypted, for all to see";
                return Err(Error::new(Code::CertNotFound, format!("{address} {why}")));
            }
        }
        Ok(())
    }

    /// The form of an entity that was made, for this kind of message.
    pub fn form(&self, complete: bool, fields: &str, body: Vec<u8>) -> Result<Form> {
        let fields = format!("MIME-Version: 1.0\r\n{fields}");
        match &self.message {
            Some(message) if complete => Ok(Form::Whole(complete::replaced(message, &fields, &body)?.into())),
            _ => Ok(Form::Body(fields, body.into())),
        }
    }
}

/// One spelling for all that [`same`] calls the same.
pub fn folded(address: &str) -> String {
    address.to_ascii_lowercase()
}

/// One mailbox: local parts are compared without regard to case too, as all mail programs do.
pub fn same(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secured(other: &str, fields: &str) -> Draft {
        let mut draft = Draft::default();
        draft.set_other_headers(other).unwrap();
        draft.set_message_text("clear").unwrap();
        draft.secure(ENCRYPT, vec![Form::Body(fields.into(), b"sealed".as_slice().into())], None).unwrap();
        draft
    }

    fn recipient(address: &str, kind: RecipientType) -> EnvelopeRecipient {
        EnvelopeRecipient { address: address.into(), options: Vec::new(), kind, needs_smtputf8: false }
    }

    const FIELDS: &str = "MIME-Version: 1.0\r\nContent-Type: x/y;\r\n z=1\r\n";

    #[test]
    fn lines_come_and_go_with_the_result() {
        for (other, with, after) in [
            ("", FIELDS.to_string(), ""),
            ("X-A: 1", format!("X-A: 1\r\n{FIELDS}"), "X-A: 1\r\n"),
            ("Content-Type: a/b\r\nX-A: 1\r\n", format!("X-A: 1\r\n{FIELDS}"), "X-A: 1\r\nContent-Type: a/b\r\n"),
            ("\r\nX-A: 1\r\n", format!("\r\nX-A: 1\r\n{FIELDS}"), "\r\nX-A: 1\r\n"),
        ] {
            let mut draft = secured(other, FIELDS);
            assert_eq!((draft.other_headers.as_str(), draft.message_text().as_str()), (with.as_str(), "sealed"));
            draft.set_message_text("new").unwrap();
            assert_eq!(draft.other_headers, after);
            assert!(draft.is_unsecured());
        }
    }

    #[test]
    fn a_second_operation_keeps_what_the_caller_had() {
        let mut draft = secured("Content-Type: a/b", FIELDS);
        let outer = "MIME-Version: 1.0\r\nContent-Type: outer/most\r\n";
        draft.secure(SIGN, vec![Form::Body(outer.into(), b"twice".as_slice().into())], None).unwrap();
        assert_eq!(draft.other_headers, outer);
        draft.set_message_text("new").unwrap();
        assert_eq!(draft.other_headers, "Content-Type: a/b\r\n");
    }

    #[test]
    fn a_failure_holds_until_the_body_is_set_or_the_operation_succeeds() {
        let failed = || {
            let mut draft = Draft::default();
            draft.set_message_text("clear").unwrap();
            draft.fail(SIGN | ENCRYPT);
            draft
        };
        let check = |draft: &Draft| draft.check_secured(&[]).map_err(|error| error.code);
        assert_eq!(check(&failed()), Err(Code::Encrypt));
        let mut draft = failed();
        draft.secure(SIGN, Vec::new(), None).unwrap();
        assert_eq!(check(&draft), Err(Code::Encrypt), "it was to be encrypted too");
        draft.secure(ENCRYPT, Vec::new(), None).unwrap();
        assert_eq!(check(&draft), Ok(()));
        type Setter = fn(&mut Draft);
        let setters: [(Setter, bool); 9] = [
            (|d| d.set_message_text("a").unwrap(), true),
            (|d| d.set_message("a").unwrap(), true),
            (|d| d.set_attached_file("a").unwrap(), true),
            (|d| d.set_stream(None), false),
            (|d| d.set_attached_file("").unwrap(), false),
            (|d| d.set_message("").unwrap(), false),
            (|d| d.set_other_headers("X: a").unwrap(), false),
            (|d| d.set_subject("a").unwrap(), false),
            (|d| d.reset_headers(), false),
        ];
        for (at, (set, anew)) in setters.into_iter().enumerate() {
            let mut draft = failed();
            set(&mut draft);
            assert_eq!(check(&draft).is_ok(), anew, "{at}");
        }
        // Message is what would be sent, so another MessageText changes nothing.
        let mut draft = Draft::default();
        draft.set_message("clear").unwrap();
        draft.fail(ENCRYPT);
        draft.set_message_text("other").unwrap();
        assert_eq!(check(&draft), Err(Code::Encrypt));
    }

    #[test]
    fn html_is_encrypted_with_the_rest_or_keeps_the_message_from_going() {
        let check = |draft: &Draft| draft.check_secured(&[]).map_err(|error| error.code);
        let mut waiting = Draft::default();
        waiting.set_attached_file("a").unwrap();
        waiting.defer(ENCRYPT, vec![Arc::new(Nothing)], None);
        for html in ["<b>x</b>", ""] {
            waiting.set_message_html(html).unwrap();
            assert!(waiting.awaits_sending() && check(&waiting).is_ok());
        }
        let mut done = secured("", FIELDS);
        done.set_message_html("").unwrap();
        assert_eq!(check(&done), Ok(()));
        let mut done = secured("", FIELDS);
        done.set_message_html("<b>x</b>").unwrap();
        assert_eq!(check(&done), Err(Code::Encrypt));
        done.set_message_text("both anew").unwrap();
        assert_eq!(check(&done), Ok(()));
    }

    /// An operation that does nothing.
    #[derive(Debug)]
    struct Nothing;

    impl Wrap for Nothing {
        fn wrap(&self, inner: super::super::mime::Entity, _edition: usize) -> Result<super::super::mime::Entity> {
            Ok(inner)
        }

        fn check(&self) -> Result<()> {
            Ok(())
        }
    }

    #[test]
    fn recipients_must_be_those_of_the_envelopes() {
        let mut draft = Draft::default();
        let list = |names: &[&str]| names.iter().map(|name| name.to_string()).collect::<Vec<_>>();
        let readers = Readers {
            apart: list(&["b@x"]),
            together: list(&["t@x"]),
            hidden: list(&["h@x"]),
            matched: true,
            shared: false,
        };
        let form = |text: &str| Form::Body(FIELDS.into(), text.as_bytes().into());
        draft.secure(ENCRYPT, vec![form("for all"), form("for b")], Some(readers)).unwrap();
        let check = |address: &str, kind| draft.check_secured(&[recipient(address, kind)]).is_ok();
        use RecipientType::{Bcc, Cc, To};
        assert!(check("t@x", To) && check("T@X", Cc) && check("b@x", Bcc) && check("b@x", To) && check("h@x", Bcc));
        assert!(!check("n@x", To) && !check("n@x", Bcc) && !check("t@x", Bcc));
        assert_eq!((draft.edition_of("B@x"), draft.edition_of("t@x"), draft.editions()), (1, 0, 2));
        assert_eq!(draft.edition(1).message_text(), "for b");
        assert_eq!((draft.edition(0).message_text().as_str(), draft.message_text().as_str()), ("for all", "for all"));
    }
}
