//! Mailboxes and lists of them as headers have them: RFC 5322 section 3.4, RFC 6532 beyond ASCII, RFC 5321 for the wire.
//!
//! The parser is one pass without recursion: nested comments only count. What it reads is what a strict reader reads; of
//! the obsolete forms it takes blanks and comments around dots, dots in names, source routes (dropped) and empty list entries.

use std::borrow::Cow;
use std::sync::Arc;

use crate::error::{Code, Error, Result};
use crate::text::encoded_word::{self, is_atext};
use crate::text::fold::{FieldWriter, Style};

/// Longest local part and domain; the first is beyond RFC 5321's 64, since longer ones (VERP) are in use.
const LONGEST_LOCAL: usize = 256;
const LONGEST_DOMAIN: usize = 255;

/// One mailbox.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mailbox {
    /// The display name, without quotes.
    pub name: String,
    /// The local part, without quotes.
    pub local: String,
    /// The domain as it was written, or an address literal in its brackets.
    pub domain: String,
    /// The group it stood in; members of one group share the name.
    pub group: Option<Arc<str>>,
    /// The text it was read from.
    pub source: String,
}

/// What a list holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    Mailbox(Mailbox),
    /// A group without members, such as `undisclosed-recipients:;`.
    EmptyGroup(String),
}

/// Reads a list of mailboxes and groups; the members of groups stand where the group stood.
pub fn parse_list(text: &str) -> Result<Vec<Mailbox>> {
    let mailboxes = parse_entries(text)?.into_iter().filter_map(|entry| match entry {
        Entry::Mailbox(mailbox) => Some(mailbox),
        Entry::EmptyGroup(_) => None,
    });
    Ok(mailboxes.collect())
}

/// Reads exactly one mailbox, outside of any group.
pub fn parse_one(text: &str) -> Result<Mailbox> {
    let mut entries = parse_entries(text)?;
    match (entries.pop(), entries.is_empty()) {
        (Some(Entry::Mailbox(mailbox)), true) if mailbox.group.is_none() => Ok(mailbox),
        (None, _) => Err(malformed("there is no address")),
        _ => Err(malformed("one address is expected")),
    }
}

/// As [`parse_list`], with groups that have no members.
pub fn parse_entries(text: &str) -> Result<Vec<Entry>> {
    if let Some((local, domain)) = plain(text) {
        let (local, domain, source) = (local.to_string(), domain.to_string(), text.to_string());
        return Ok(vec![Entry::Mailbox(Mailbox { local, domain, source, ..Mailbox::default() })]);
    }
    Parser { text, at: 0 }.list()
}

/// The local part and the domain of a text that is an address and nothing else, in ASCII and without quotes, as nearly all are:
/// it reads the same in the envelope.
pub fn plain(text: &str) -> Option<(&str, &str)> {
    let (local, domain) = text.split_once('@')?;
    let parts = |text: &str, longest: usize, good: fn(&[u8]) -> bool| {
        text.len() <= longest && text.as_bytes().split(|b| *b == b'.').all(|part| !part.is_empty() && good(part))
    };
    let atom = |part: &[u8]| part.iter().all(|b| b.is_ascii_graphic() && !b"\"(),:;<>@[\\]".contains(b));
    (parts(local, LONGEST_LOCAL, atom) && parts(domain, LONGEST_DOMAIN, is_label)).then_some((local, domain))
}

impl Mailbox {
    /// Whether only a server with SMTPUTF8 can take the address: its local part is beyond ASCII.
    pub fn needs_smtputf8(&self) -> bool {
        !self.local.is_ascii()
    }

    /// The address as it goes into MAIL and RCPT, without angle brackets. A domain beyond ASCII becomes punycode, unless the
    /// local part needs SMTPUTF8 anyway.
    pub fn envelope(&self) -> String {
        if self.needs_smtputf8() { self.address() } else { joined(&self.wire_local(), &self.ascii_domain()) }
    }

    /// The address with its domain as it was written.
    pub fn address(&self) -> String {
        joined(&self.wire_local(), &self.domain)
    }

    /// The local part with quotes where it needs them.
    fn wire_local(&self) -> Cow<'_, str> {
        if is_dot_atom(&self.local) { self.local.as_str().into() } else { encoded_word::quoted(&self.local).into() }
    }

    /// The domain in ASCII; it was checked when read.
    pub fn ascii_domain(&self) -> Cow<'_, str> {
        if self.domain.is_ascii() {
            return self.domain.as_str().into();
        }
        ascii_domain(&self.domain).map_or_else(|| self.domain.as_str().into(), Cow::from)
    }

    /// What makes two addresses one mailbox: the local part as it is, the domain in any case and either form.
    pub fn key(&self) -> String {
        key(&self.local, &self.ascii_domain())
    }

    /// Name and address as text for a person: `Joe Doe <joe@doe.example>`.
    pub fn text(&self) -> String {
        if self.name.is_empty() {
            self.address()
        } else {
            format!("{} <{}>", encoded_word::plain_phrase(&self.name), self.address())
        }
    }

    /// Writes the mailbox into a header; `after` follows without a blank.
    pub fn write(&self, field: &mut FieldWriter<'_>, after: &str) {
        let address = if field.style.utf8 { self.address() } else { self.envelope() };
        if self.name.is_empty() {
            return field.token(" ", &format!("{address}{after}"));
        }
        field.keep_together(name_length(&self.name, field.style) + address.len() + 4 + after.len());
        encoded_word::phrase(field, &self.name);
        field.token(" ", &format!("<{address}>{after}"));
    }
}

/// About how long a name gets in a header.
fn name_length(name: &str, style: &Style) -> usize {
    if encoded_word::phrase_needs_encoding(name, style) {
        name.len().div_ceil(3) * 4 + 12
    } else {
        encoded_word::plain_phrase(name).len()
    }
}

fn is_dot_atom(text: &str) -> bool {
    !text.is_empty() && text.split('.').all(|part| !part.is_empty() && part.chars().all(is_atext))
}

/// A domain as SMTP takes it: letters, digits, hyphens and underscores between dots, or a literal. None when it is neither.
pub fn ascii_domain(domain: &str) -> Option<String> {
    if domain.starts_with('[') {
        return literal(domain).then(|| domain.to_string());
    }
    let ascii = if domain.is_ascii() {
        domain.to_string()
    } else {
        // The non-transitional mapping, as every browser does; it also refuses labels that are no names.
        idna::domain_to_ascii(domain).ok()?
    };
    (ascii.len() <= LONGEST_DOMAIN && ascii.as_bytes().split(|b| *b == b'.').all(is_label)).then_some(ascii)
}

/// What stands between the dots of a domain.
fn is_label(label: &[u8]) -> bool {
    (1..=63).contains(&label.len())
        && label.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        && !label.starts_with(b"-")
        && !label.ends_with(b"-")
}

fn joined(local: &str, domain: &str) -> String {
    [local, "@", domain].concat()
}

/// [`Mailbox::key`] of a local part and a domain in ASCII.
pub fn key(local: &str, domain: &str) -> String {
    let mut key = joined(local, domain);
    key[local.len()..].make_ascii_lowercase();
    key
}

/// An address literal: RFC 5321 section 4.1.3.
fn literal(domain: &str) -> bool {
    let Some(inner) = domain.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) else { return false };
    match inner.split_once(':') {
        Some((tag, address)) if tag.eq_ignore_ascii_case("IPv6") => address.parse::<std::net::Ipv6Addr>().is_ok(),
        Some((tag, rest)) => {
            let tag_fine = !tag.is_empty() && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
            tag_fine && !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_graphic() && !b"[]\\".contains(&b))
        }
        None => inner.parse::<std::net::Ipv4Addr>().is_ok(),
    }
}

fn malformed(why: &str) -> Error {
    Error::new(Code::NoRecipient, why)
}

/// A word of a phrase or of a local part.
struct Word<'a> {
    text: Cow<'a, str>,
    kind: Kind,
    /// Blanks or a comment stood before it.
    apart: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Atom,
    Quoted,
    Dot,
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn eat(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.at += wanted.len_utf8();
        }
        found
    }

    fn list(mut self) -> Result<Vec<Entry>> {
        let mut entries = Vec::new();
        // The group that is open, and how many entries there were before it.
        let mut group: Option<(Arc<str>, usize)> = None;
        loop {
            let mut comment = String::new();
            self.blanks(Some(&mut comment))?;
            match self.peek() {
                None => break,
                Some(',') => {
                    self.at += 1;
                    continue;
                }
                Some(';') => {
                    self.at += 1;
                    let (name, before) = group.take().ok_or_else(|| malformed("a semicolon ends no group"))?;
                    if entries.len() == before {
                        entries.push(Entry::EmptyGroup(name.to_string()));
                    }
                }
                Some(_) => {
                    let start = self.at;
                    let words = self.words()?;
                    if self.eat(':') {
                        if group.is_some() || words.is_empty() {
                            return Err(malformed("a colon stands where no group can begin"));
                        }
                        group = Some((phrase(&words).into(), entries.len()));
                        continue;
                    }
                    let mut mailbox = self.mailbox(words)?;
                    self.blanks(Some(&mut comment))?;
                    mailbox.source = self.text[start..self.at].trim_matches(is_blank).to_string();
                    // A name behind the address in a comment, as mail had it before angle brackets.
                    if mailbox.name.is_empty() {
                        mailbox.name = comment;
                    }
                    mailbox.group = group.as_ref().map(|(name, _)| Arc::clone(name));
                    entries.push(Entry::Mailbox(mailbox));
                }
            }
            self.blanks(None)?;
            if !matches!(self.peek(), None | Some(',' | ';')) {
                return Err(malformed(&format!("unexpected text after an address: {}", self.shown())));
            }
        }
        if group.is_some() {
            return Err(malformed("a group has no end"));
        }
        Ok(entries)
    }

    /// The rest after the words before `<` or `@`.
    fn mailbox(&mut self, words: Vec<Word<'a>>) -> Result<Mailbox> {
        if self.eat('<') {
            self.blanks(None)?;
            self.route()?;
            let local = self.words()?;
            let mut mailbox = self.address(local)?;
            self.blanks(None)?;
            if !self.eat('>') {
                return Err(malformed("an angle bracket is not closed"));
            }
            mailbox.name = phrase(&words);
            return Ok(mailbox);
        }
        self.address(words)
    }

    /// `@a,@b:` before the address: a source route, which RFC 5321 section 4.1.1.3 asks to ignore.
    fn route(&mut self) -> Result<()> {
        if self.peek() != Some('@') {
            return Ok(());
        }
        while !self.eat(':') {
            if !self.eat(',') {
                if !self.eat('@') {
                    return Err(malformed("a source route is malformed"));
                }
                self.domain()?;
            }
            self.blanks(None)?;
        }
        self.blanks(None)
    }

    /// `@domain` behind the words of a local part.
    fn address(&mut self, words: Vec<Word<'a>>) -> Result<Mailbox> {
        if !self.eat('@') {
            return Err(malformed(&format!("an address has no domain: {}", self.shown())));
        }
        let in_turn = |(at, word): (usize, &Word<'_>)| (word.kind == Kind::Dot) == (at % 2 == 1);
        if words.len().is_multiple_of(2) || !words.iter().enumerate().all(in_turn) {
            return Err(malformed("a local part must be words with dots between them"));
        }
        let local: String = words.iter().map(|word| &*word.text).collect();
        if local.len() > LONGEST_LOCAL {
            return Err(malformed("a local part is too long"));
        }
        let domain = self.domain()?;
        if ascii_domain(&domain).is_none() {
            return Err(malformed(&format!("not a domain: {domain}")));
        }
        Ok(Mailbox { local, domain, ..Mailbox::default() })
    }

    fn domain(&mut self) -> Result<String> {
        self.blanks(None)?;
        if self.eat('[') {
            let end = self.rest().find(']').ok_or_else(|| malformed("an address literal has no end"))?;
            let inner: String = self.rest()[..end].chars().filter(|c| !is_blank(*c)).collect();
            self.at += end + 1;
            return Ok(format!("[{inner}]"));
        }
        let mut domain = String::new();
        loop {
            let atom = self.atom();
            if atom.is_empty() {
                return Err(malformed("a domain is missing or ends in a dot"));
            }
            domain.push_str(atom);
            let before = self.at;
            self.blanks(None)?;
            if !self.eat('.') {
                // A comment behind the address belongs to the caller of this.
                self.at = before;
                return Ok(domain);
            }
            domain.push('.');
            self.blanks(None)?;
        }
    }

    fn atom(&mut self) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c| !is_atext(c)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    /// Atoms, quoted strings and dots up to something else.
    fn words(&mut self) -> Result<Vec<Word<'a>>> {
        let mut words = Vec::new();
        loop {
            let before = self.at;
            self.blanks(None)?;
            let apart = self.at > before;
            let (text, kind) = match self.peek() {
                Some('"') => (self.quoted_string()?.into(), Kind::Quoted),
                Some('.') => {
                    self.at += 1;
                    (".".into(), Kind::Dot)
                }
                Some(c) if is_atext(c) => (self.atom().into(), Kind::Atom),
                Some(c) if !"<@:,;".contains(c) => {
                    return Err(malformed(&format!("unexpected {c:?}: {}", self.shown())));
                }
                _ => return Ok(words),
            };
            words.push(Word { text, kind, apart });
        }
    }

    fn quoted_string(&mut self) -> Result<String> {
        self.at += 1;
        let mut text = String::new();
        let mut chars = self.rest().char_indices();
        while let Some((offset, c)) = chars.next() {
            match c {
                '"' => {
                    self.at += offset + 1;
                    return Ok(text);
                }
                '\\' => match chars.next() {
                    Some((_, escaped)) if !escaped.is_control() && !matches!(escaped, '\u{2028}' | '\u{2029}') => {
                        text.push(escaped);
                    }
                    _ => break,
                },
                // A fold inside quotes is not part of the text.
                '\r' | '\n' => {}
                '\t' => text.push(' '),
                c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => {
                    return Err(malformed("a control character stands in quotes"));
                }
                c => text.push(c),
            }
        }
        Err(malformed("a quoted string has no end"))
    }

    /// Skips blanks, folds and comments; the text of a comment goes to `comment` when that is there and empty.
    fn blanks(&mut self, mut comment: Option<&mut String>) -> Result<()> {
        loop {
            let rest = self.rest();
            self.at += rest.len() - rest.trim_start_matches(is_blank).len();
            if self.peek() != Some('(') {
                return Ok(());
            }
            let text = self.comment()?;
            if let Some(comment) = comment.as_deref_mut().filter(|comment| comment.is_empty()) {
                *comment = text;
            }
        }
    }

    /// Nested comments are counted, not recursed into.
    fn comment(&mut self) -> Result<String> {
        let mut depth = 0_usize;
        let mut text = String::new();
        let mut chars = self.rest().char_indices();
        while let Some((offset, c)) = chars.next() {
            match c {
                '\\' => text.extend(chars.next().map(|(_, escaped)| escaped).filter(|c| !c.is_control())),
                '(' => {
                    depth += 1;
                    if depth > 1 {
                        text.push(c);
                    }
                }
                ')' => {
                    depth -= 1;
                    if depth == 0 {
                        self.at += offset + 1;
                        return Ok(text.trim().to_string());
                    }
                    text.push(c);
                }
                c if c.is_control() => text.push_str(if c == '\t' { " " } else { "" }),
                c => text.push(c),
            }
        }
        Err(malformed("a comment has no end"))
    }

    /// A piece of what could not be read, for an error text.
    fn shown(&self) -> String {
        self.text.chars().take(80).collect()
    }
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

/// Words as a display name; dots stand as near as they were written.
fn phrase(words: &[Word<'_>]) -> String {
    let mut text = String::new();
    for (at, word) in words.iter().enumerate() {
        if at > 0 && word.apart {
            text.push(' ');
        }
        text.push_str(&word.text);
    }
    text
}

#[cfg(test)]
mod tests;
