//! The one list of recipients behind SendTo, Cc, BCc and MessageRecipients (rulings 25, 35), and the envelope it makes.

use std::collections::HashSet;
use std::sync::Arc;

use super::address::{self, Entry, Mailbox};
use crate::enums::RecipientType;
use crate::error::{Code, Error, Result};
use crate::text::encoded_word;
use crate::text::line::refuse_crlf_nul;

/// One recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    pub address: String,
    pub name: String,
    pub options: String,
    pub kind: RecipientType,
    /// The text it was set by in a list, kept until address or name is set by itself.
    source: Option<String>,
    /// The group it stood in.
    group: Option<Arc<str>>,
}

impl Recipient {
    pub fn new(address: &str, name: &str, kind: RecipientType) -> Recipient {
        Recipient {
            address: address.into(),
            name: name.into(),
            options: String::new(),
            kind,
            source: None,
            group: None,
        }
    }

    /// The entry as text in a list.
    fn text(&self) -> String {
        match &self.source {
            Some(source) => source.clone(),
            None if self.name.is_empty() => self.address.clone(),
            None => format!("{} <{}>", encoded_word::plain_phrase(&self.name), self.address),
        }
    }

    /// The entry as a mailbox; 165 when its address is none. A name set by itself wins over one in the address.
    fn mailbox(&self) -> Result<Mailbox> {
        let mut mailbox = address::parse_one(&self.address).map_err(|error| {
            let shown: String = self.address.chars().take(120).collect();
            Error::new(Code::NoRecipient, format!("{} (recipient {shown})", error.message))
        })?;
        if !self.name.is_empty() {
            mailbox.name.clone_from(&self.name);
        }
        mailbox.group.clone_from(&self.group);
        Ok(mailbox)
    }

    /// The entry as the envelope has it; None where its mailbox was seen before.
    fn wire(&self, seen: &mut Option<HashSet<String>>) -> Result<Option<EnvelopeRecipient>> {
        let mut is_new = |key: &dyn Fn() -> String| match seen {
            Some(seen) => seen.insert(key()),
            None => true,
        };
        let (new, address, needs_smtputf8) = match address::plain(&self.address) {
            Some((local, domain)) => (is_new(&|| address::key(local, domain)), self.address.clone(), false),
            None => {
                let mailbox = self.mailbox()?;
                (is_new(&|| mailbox.key()), mailbox.envelope(), mailbox.needs_smtputf8())
            }
        };
        let options = super::options::parse(&self.options)?;
        Ok(new.then_some(EnvelopeRecipient { address, options, kind: self.kind, needs_smtputf8 }))
    }
}

/// A recipient as the envelope needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvelopeRecipient {
    /// The path without angle brackets, as it goes into RCPT.
    pub address: String,
    /// `KEYWORD=VALUE`, each as it goes into RCPT.
    pub options: Vec<String>,
    pub kind: RecipientType,
    pub needs_smtputf8: bool,
}

/// What a list of one type holds, for its header.
pub enum Listed {
    Mailbox(Mailbox),
    /// Text that is no address: it is never sent, but headers can be looked at before.
    Text(String),
    EmptyGroup(String),
}

/// All recipients in their order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recipients {
    list: Vec<Recipient>,
}

impl Recipients {
    /// Replaces the entries of a type by those of a list. A list that cannot be read is kept as it is: Send reports it (165).
    pub fn set_all(&mut self, kind: RecipientType, text: &str) -> Result<()> {
        refuse_crlf_nul("a recipient", text)?;
        self.list.retain(|recipient| recipient.kind != kind);
        // To, then Cc, then BCc, in whatever order the three are set.
        let at = self.list.iter().position(|other| other.kind as i32 > kind as i32).unwrap_or(self.list.len());
        let mut behind = self.list.split_off(at);
        self.read(kind, text);
        self.list.append(&mut behind);
        Ok(())
    }

    /// Appends what a list text makes. What cannot be read as a whole is read piece by piece between its commas.
    fn read(&mut self, kind: RecipientType, text: &str) {
        if let Ok(entries) = address::parse_entries(text) {
            return self.list.extend(entries.into_iter().map(|entry| from_entry(kind, entry)));
        }
        for piece in pieces(text) {
            self.list.push(match address::parse_one(piece) {
                Ok(mailbox) => from_entry(kind, Entry::Mailbox(mailbox)),
                Err(_) => Recipient { source: Some(piece.into()), ..Recipient::new(piece, "", kind) },
            });
        }
    }

    /// The entries of a type joined by a comma and a blank.
    pub fn text(&self, kind: RecipientType) -> String {
        let mut out = String::new();
        let mut group: Option<&Arc<str>> = None;
        for recipient in self.of(kind).filter(|recipient| !recipient.address.is_empty() || recipient.source.is_some()) {
            let same = same_group(group, recipient.group.as_ref());
            if group.is_some() && !same {
                out.push(';');
            }
            if !out.is_empty() {
                out.push_str(", ");
            }
            if let Some(name) = recipient.group.as_ref().filter(|_| !same) {
                out.push_str(&encoded_word::plain_phrase(name));
                out.push_str(": ");
            }
            out.push_str(&recipient.text());
            group = recipient.group.as_ref();
        }
        if group.is_some() {
            out.push(';');
        }
        out
    }

    fn of(&self, kind: RecipientType) -> impl Iterator<Item = &Recipient> {
        self.list.iter().filter(move |recipient| recipient.kind == kind)
    }

    /// What the header of a type lists.
    pub fn listed(&self, kind: RecipientType) -> Vec<Listed> {
        self.of(kind)
            .filter_map(|recipient| match recipient.mailbox() {
                Ok(mailbox) => Some(Listed::Mailbox(mailbox)),
                Err(_) if !recipient.address.trim().is_empty() => Some(Listed::Text(recipient.text())),
                Err(_) => recipient.group.as_ref().map(|name| Listed::EmptyGroup(name.to_string())),
            })
            .collect()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Recipient> {
        self.list.iter()
    }

    pub fn count(&self) -> i32 {
        i32::try_from(self.list.len()).unwrap_or(i32::MAX)
    }

    /// 0 clears the list, a smaller number cuts it, a larger one appends empty entries, which are not sent.
    pub fn set_count(&mut self, count: i32) -> Result<()> {
        let count = usize::try_from(count)
            .ok()
            .filter(|count| *count <= MOST)
            .ok_or_else(|| Error::new(Code::ValueRefused, format!("MessageRecipientCount takes 0 to {MOST}")))?;
        self.list.resize(count, Recipient::new("", "", RecipientType::To));
        Ok(())
    }

    fn at(&self, index: i32) -> Result<&Recipient> {
        usize::try_from(index).ok().and_then(|at| self.list.get(at)).ok_or_else(|| self.beyond(index))
    }

    fn at_mut(&mut self, index: i32) -> Result<&mut Recipient> {
        self.at(index)?;
        Ok(&mut self.list[index as usize])
    }

    fn beyond(&self, index: i32) -> Error {
        Error::new(Code::Index, format!("there is no recipient {index}: the list has {}", self.list.len()))
    }

    pub fn address(&self, index: i32) -> Result<String> {
        Ok(self.at(index)?.address.clone())
    }

    /// At the index that equals the count it appends a To entry.
    pub fn set_address(&mut self, index: i32, address: &str) -> Result<()> {
        refuse_crlf_nul("MessageRecipientAddress", address)?;
        if index == self.count() && self.list.len() < MOST {
            self.list.push(Recipient::new(address, "", RecipientType::To));
            return Ok(());
        }
        let recipient = self.at_mut(index)?;
        recipient.address = address.into();
        recipient.source = None;
        Ok(())
    }

    pub fn name(&self, index: i32) -> Result<String> {
        Ok(self.at(index)?.name.clone())
    }

    pub fn set_name(&mut self, index: i32, name: &str) -> Result<()> {
        refuse_crlf_nul("MessageRecipientName", name)?;
        let recipient = self.at_mut(index)?;
        recipient.name = name.into();
        recipient.source = None;
        Ok(())
    }

    pub fn options(&self, index: i32) -> Result<String> {
        Ok(self.at(index)?.options.clone())
    }

    pub fn set_options(&mut self, index: i32, options: &str) -> Result<()> {
        refuse_crlf_nul("MessageRecipientOptions", options)?;
        self.at_mut(index)?.options = options.into();
        Ok(())
    }

    pub fn kind(&self, index: i32) -> Result<RecipientType> {
        Ok(self.at(index)?.kind)
    }

    pub fn set_kind(&mut self, index: i32, kind: RecipientType) -> Result<()> {
        self.at_mut(index)?.kind = kind;
        Ok(())
    }

    pub fn clear(&mut self) {
        self.list.clear();
    }

    /// Who the server is told of: each mailbox once, where it stands first, with the type it has there (ruling 36).
    /// 165 when there is none or one is malformed; entries with an empty address are skipped.
    pub fn envelope(&self) -> Result<Vec<EnvelopeRecipient>> {
        // One alone is not compared with anybody.
        let mut seen = (self.list.len() > 1).then(HashSet::new);
        let mut envelope = Vec::with_capacity(self.list.len());
        for recipient in self.list.iter().filter(|recipient| !recipient.address.trim().is_empty()) {
            envelope.extend(recipient.wire(&mut seen)?);
        }
        if envelope.is_empty() {
            return Err(Error::new(Code::NoRecipient, "the message has no recipient"));
        }
        Ok(envelope)
    }
}

/// More recipients than this are a mistake in a number, not a list.
const MOST: usize = 1_000_000;

/// Whether two entries that follow each other stand in one group: the parser shares a group's name among its members.
pub fn same_group(one: Option<&Arc<str>>, other: Option<&Arc<str>>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => Arc::ptr_eq(one, other),
        (None, None) => true,
        _ => false,
    }
}

fn from_entry(kind: RecipientType, entry: Entry) -> Recipient {
    match entry {
        Entry::Mailbox(mailbox) => Recipient {
            source: Some(mailbox.source.clone()),
            group: mailbox.group.clone(),
            ..Recipient::new(&mailbox.address(), &mailbox.name, kind)
        },
        Entry::EmptyGroup(name) => {
            Recipient { source: Some(String::new()), group: Some(name.into()), ..Recipient::new("", "", kind) }
        }
    }
}

/// A text between its commas, but for those in quotes.
fn pieces(text: &str) -> Vec<&str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(|c| {
        let cut = c == ',' && !quoted;
        if c == '"' && !escaped {
            quoted = !quoted;
        }
        escaped = c == '\\' && !escaped;
        cut
    })
    .map(str::trim)
    .filter(|piece| !piece.is_empty())
    .collect()
}

#[cfg(test)]
mod tests;
