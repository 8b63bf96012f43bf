//! The message as it is being written: the state group `message`. Every setter refuses what could never be sent (ruling 7).

use super::attachment::Part;
use super::body::{Stream, StreamBody};
use super::bytes::Bytes;
use super::facts::Known;
use super::headers;
use super::recipients::Recipients;
use super::secured::Secured;
use crate::enums::{Importance, Priority, RecipientType, Sensitivity};
use crate::error::Result;
use crate::text::line::{refuse_crlf_nul, refuse_unfoldable};
use std::mem::swap;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// A message that a method holds on to while it runs, without a copy: a setter that comes meanwhile changes one of its own.
#[derive(Debug, Clone, Default)]
pub struct Message(Arc<Draft>);

impl Deref for Message {
    type Target = Draft;

    fn deref(&self) -> &Draft {
        &self.0
    }
}

impl DerefMut for Message {
    fn deref_mut(&mut self) -> &mut Draft {
        Arc::make_mut(&mut self.0)
    }
}

impl From<Draft> for Message {
    fn from(draft: Draft) -> Message {
        Message(Arc::new(draft))
    }
}

/// What a caller has set of a message.
#[derive(Debug, Clone)]
pub struct Draft {
    pub from: String,
    pub reply_to: String,
    pub return_path: String,
    pub subject: String,
    pub delivery_notification_to: String,
    pub read_receipt_to: String,
    pub message_date: String,
    pub message_id: String,
    pub other_headers: String,
    pub attached_file: String,
    pub importance: Importance,
    pub priority: Priority,
    pub sensitivity: Sensitivity,
    pub recipients: Recipients,
    /// MessageText in UTF-8.
    pub text: Bytes,
    /// Message, in place of MessageText.
    pub message: Option<Bytes>,
    /// MessageHtml in UTF-8.
    pub html: Bytes,
    /// Attachments and inline parts.
    pub parts: Vec<Part>,
    pub stream: Option<Stream>,
    /// What Sign and Encrypt made of it.
    pub(super) secured: Secured,
    /// What the octets are like that go as they are.
    pub(super) known: Known,
    /// Goes up with every change, so that Date and Message-ID are made anew after one (ruling 28).
    pub revision: u64,
}

impl Default for Draft {
    fn default() -> Draft {
        Draft {
            from: String::new(),
            reply_to: String::new(),
            return_path: String::new(),
            subject: String::new(),
            delivery_notification_to: String::new(),
            read_receipt_to: String::new(),
            message_date: "*".into(),
            message_id: "*".into(),
            other_headers: String::new(),
            attached_file: String::new(),
            importance: Importance::default(),
            priority: Priority::default(),
            sensitivity: Sensitivity::default(),
            recipients: Recipients::default(),
            text: Bytes::default(),
            message: None,
            html: Bytes::default(),
            parts: Vec::new(),
            stream: None,
            secured: Secured::default(),
            known: Known::default(),
            revision: 0,
        }
    }
}

/// A field that must be one line, and a field that may be folded as a header may.
macro_rules! setters {
    ($($setter:ident $field:ident $check:ident $spec:literal),* $(,)?) => {
        impl Draft {
            $(pub fn $setter(&mut self, value: &str) -> Result<()> {
                $check($spec, value)?;
                self.$field = value.into();
                self.changed();
                Ok(())
            })*
        }
    };
}

setters!(
    set_from from refuse_crlf_nul "From",
    set_reply_to reply_to refuse_crlf_nul "ReplyTo",
    set_return_path return_path refuse_crlf_nul "ReturnPath",
    set_delivery_notification_to delivery_notification_to refuse_crlf_nul "DeliveryNotificationTo",
    set_read_receipt_to read_receipt_to refuse_crlf_nul "ReadReceiptTo",
    set_subject subject refuse_unfoldable "Subject",
    set_message_date message_date refuse_unfoldable "MessageDate",
    set_message_id message_id refuse_unfoldable "MessageId",
);

impl Draft {
    fn changed(&mut self) {
        self.revision += 1;
    }

    fn set_list(&mut self, kind: RecipientType, text: &str) -> Result<()> {
        self.recipients.set_all(kind, text)?;
        self.changed();
        Ok(())
    }

    pub fn send_to(&self) -> String {
        self.recipients.text(RecipientType::To)
    }

    pub fn set_send_to(&mut self, text: &str) -> Result<()> {
        self.set_list(RecipientType::To, text)
    }

    pub fn cc(&self) -> String {
        self.recipients.text(RecipientType::Cc)
    }

    pub fn set_cc(&mut self, text: &str) -> Result<()> {
        self.set_list(RecipientType::Cc, text)
    }

    pub fn bcc(&self) -> String {
        self.recipients.text(RecipientType::Bcc)
    }

    pub fn set_bcc(&mut self, text: &str) -> Result<()> {
        self.set_list(RecipientType::Bcc, text)
    }

    pub fn set_other_headers(&mut self, text: &str) -> Result<()> {
        headers::parse(text)?;
        self.other_headers = self.without_our_lines(text);
        self.changed();
        Ok(())
    }

    pub fn message_text(&self) -> String {
        String::from_utf8_lossy(&self.text).into_owned()
    }

    pub fn set_message_text(&mut self, text: &str) -> Result<()> {
        self.set_anew(self.message.is_none());
        self.text = text.as_bytes().into();
        self.changed();
        Ok(())
    }

    pub fn message(&self) -> String {
        self.message.as_ref().map_or_else(String::new, |message| String::from_utf8_lossy(message).into_owned())
    }

    pub fn set_message(&mut self, text: &str) -> Result<()> {
        self.set_message_b(text.as_bytes())
    }

    pub fn message_b(&self) -> Vec<u8> {
        self.message.as_ref().map_or_else(Vec::new, |message| message.to_vec())
    }

    /// Empty: none.
    pub fn set_message_b(&mut self, bytes: &[u8]) -> Result<()> {
        self.set_anew(!bytes.is_empty());
        self.message = (!bytes.is_empty()).then(|| bytes.into());
        self.changed();
        Ok(())
    }

    pub fn message_html(&self) -> String {
        String::from_utf8_lossy(&self.html).into_owned()
    }

    /// The same message as HTML; readers show it in place of MessageText. An operation that waits takes it along.
    pub fn set_message_html(&mut self, html: &str) -> Result<()> {
        if !self.awaits_sending() {
            self.beside_result(self.message.is_none() && !html.is_empty());
        }
        self.html = html.as_bytes().into();
        self.changed();
        Ok(())
    }

    pub fn add_part(&mut self, part: Part) {
        self.parts.push(part);
        self.changed();
    }

    pub fn clear_parts(&mut self) {
        self.parts.clear();
        self.changed();
    }

    /// Takes the place of a stream. The path is looked at when the message is sent.
    pub fn set_attached_file(&mut self, path: &str) -> Result<()> {
        if path.contains('\0') {
            refuse_crlf_nul("AttachedFile", "\0")?;
        }
        self.set_anew(!path.is_empty());
        self.attached_file = path.into();
        if !path.is_empty() {
            self.stream = None;
        }
        self.changed();
        Ok(())
    }

    /// Takes the place of AttachedFile; None removes the stream.
    pub fn set_stream(&mut self, body: Option<StreamBody>) {
        self.set_anew(body.is_some());
        if body.is_some() {
            self.attached_file.clear();
        }
        self.stream = body.map(Stream::new);
        self.changed();
    }

    pub fn message_recipient_count(&self) -> i32 {
        self.recipients.count()
    }

    pub fn set_message_recipient_count(&mut self, count: i32) -> Result<()> {
        self.recipients.set_count(count)?;
        self.changed();
        Ok(())
    }

    pub fn message_recipient_address(&self, index: i32) -> Result<String> {
        self.recipients.address(index)
    }

    pub fn set_message_recipient_address(&mut self, index: i32, address: &str) -> Result<()> {
        self.recipients.set_address(index, address)?;
        self.changed();
        Ok(())
    }

    pub fn message_recipient_name(&self, index: i32) -> Result<String> {
        self.recipients.name(index)
    }

    pub fn set_message_recipient_name(&mut self, index: i32, name: &str) -> Result<()> {
        self.recipients.set_name(index, name)?;
        self.changed();
        Ok(())
    }

    pub fn message_recipient_options(&self, index: i32) -> Result<String> {
        self.recipients.options(index)
    }

    pub fn set_message_recipient_options(&mut self, index: i32, options: &str) -> Result<()> {
        self.recipients.set_options(index, options)?;
        self.changed();
        Ok(())
    }

    pub fn message_recipient_type(&self, index: i32) -> Result<RecipientType> {
        self.recipients.kind(index)
    }

    pub fn set_message_recipient_type(&mut self, index: i32, kind: RecipientType) -> Result<()> {
        self.recipients.set_kind(index, kind)?;
        self.changed();
        Ok(())
    }

    /// An empty message that takes the place of this one.
    pub fn successor(&self) -> Draft {
        Draft { revision: self.revision + 1, ..Draft::default() }
    }

    /// Empties what makes headers and keeps the body (ruling 40).
    pub fn reset_headers(&mut self) {
        let mut next = self.successor();
        next.secured = self.unsecured();
        swap(&mut next.text, &mut self.text);
        swap(&mut next.message, &mut self.message);
        swap(&mut next.html, &mut self.html);
        swap(&mut next.parts, &mut self.parts);
        swap(&mut next.stream, &mut self.stream);
        swap(&mut next.attached_file, &mut self.attached_file);
        *self = next;
    }

    /// Nothing is set that a message could be made of (ruling 28).
    pub fn is_blank(&self) -> bool {
        self.from.is_empty()
            && self.recipients.count() == 0
            && self.subject.is_empty()
            && self.text.is_empty()
            && self.message.is_none()
            && self.html.is_empty()
            && self.parts.is_empty()
            && self.stream.is_none()
            && self.attached_file.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    #[test]
    fn line_ends_and_nul_are_refused_and_change_nothing() {
        type Setter = fn(&mut Draft, &str) -> Result<()>;
        let setters: [(Setter, bool); 12] = [
            (Draft::set_from, false),
            (Draft::set_reply_to, false),
            (Draft::set_return_path, false),
            (Draft::set_delivery_notification_to, false),
            (Draft::set_read_receipt_to, false),
            (Draft::set_subject, true),
            (Draft::set_message_date, true),
            (Draft::set_message_id, true),
            (Draft::set_send_to, false),
            (Draft::set_cc, false),
            (Draft::set_bcc, false),
            (|draft, text| draft.set_other_headers(&format!("X-Test: {text}")), true),
        ];
        for (set, foldable) in setters {
            let mut draft = Draft::default();
            for bad in
                ["a\rb", "a\nb", "a\0b", "a\r\nRCPT TO:x@y.example\0", "a\r\n\r\nbody", "a\r\n ", "\r\n.\r\nQUIT"]
            {
                assert_eq!(set(&mut draft, bad).unwrap_err().code, Code::ValueRefused, "{bad:?}");
            }
            assert_eq!(set(&mut draft, "a\r\n b").is_ok(), foldable);
            assert_eq!(draft.revision, u64::from(foldable));
        }
    }

    #[test]
    fn what_a_setter_changes_is_not_changed_for_who_holds_the_message() {
        let mut message = Message::default();
        message.set_subject("one").unwrap();
        let held = message.clone();
        assert!(Arc::ptr_eq(&held.0, &message.0));
        message.set_subject("two").unwrap();
        assert_eq!((held.subject.as_str(), message.subject.as_str()), ("one", "two"));
        assert!(message.revision > held.revision);
    }

    #[test]
    fn a_stream_and_an_attached_file_take_each_others_place() {
        let mut draft = Draft::default();
        let body = || StreamBody { read: Box::new(|_| 0), close: None, size: None };
        draft.set_attached_file("/tmp/x").unwrap();
        draft.set_stream(Some(body()));
        assert_eq!(draft.attached_file, "");
        draft.set_attached_file("/tmp/x").unwrap();
        assert!(draft.stream.is_none());
        assert_eq!(draft.set_attached_file("a\0b").unwrap_err().code, Code::ValueRefused);
    }

    #[test]
    fn message_is_text_and_octets_and_message_text_leaves_it_alone() {
        let mut draft = Draft::default();
        draft.set_message_b(b"a\xffb").unwrap();
        assert_eq!((draft.message().as_str(), draft.message_b()), ("a\u{fffd}b", b"a\xffb".to_vec()));
        draft.set_message("").unwrap();
        assert!(draft.message.is_none());
        draft.set_message("x").unwrap();
        draft.set_message_text("y").unwrap();
        assert_eq!((draft.message().as_str(), draft.message_text().as_str()), ("x", "y"));
    }

    #[test]
    fn reset_headers_keeps_the_body() {
        let mut draft = Draft::default();
        assert!(draft.is_blank());
        draft.set_from("a@x.example").unwrap();
        draft.set_bcc("b@x.example").unwrap();
        draft.set_message_id("").unwrap();
        draft.set_message_text("body").unwrap();
        draft.set_attached_file("f").unwrap();
        draft.importance = Importance::High;
        let revision = draft.revision;
        draft.reset_headers();
        assert_eq!((draft.from.as_str(), draft.bcc().as_str(), draft.message_id.as_str()), ("", "", "*"));
        assert_eq!((draft.message_text().as_str(), draft.attached_file.as_str()), ("body", "f"));
        assert_eq!(draft.importance, Importance::Unspecified);
        assert!(draft.revision > revision);
    }
}
