//! The text around the messages of a queue file: the envelopes at its head, lengths and checksum at its end. docs/queue-format.md.

use super::{Addressee, Transaction, failed};
use crate::enums::RecipientType;
use crate::error::Result;

pub const MAGIC: &str = "libssmtp-queue 1\r\n";
/// A head longer than this is neither written nor read.
pub const HEAD_LIMIT: usize = 16 << 20;
/// Transactions of one file.
pub const TRANSACTIONS: usize = 10_000;
/// Characters of the line of a content, and of the last line.
pub const CONTENT_LINE: usize = 36;
pub const END_LINE: usize = 85;
/// Those of them that the checksum does not cover: itself and its line end.
pub const UNCOVERED: usize = 66;

/// Parameters of MAIL, as they stand in the file.
pub const PARAMETERS: &[&str] = &["Ret", "EnvId", "DeliverBy", "HoldFor", "HoldUntil", "MtPriority", "RequireTls"];

#[derive(Debug, PartialEq, Eq)]
pub struct Head {
    /// Seconds since 1970.
    pub created: i64,
    pub transactions: Vec<Transaction>,
}

const KINDS: [(&str, RecipientType); 3] =
    [("To", RecipientType::To), ("Cc", RecipientType::Cc), ("Bcc", RecipientType::Bcc)];

impl Head {
    /// The head with its empty line. What could end a line has no place in it.
    pub fn write(&self) -> Result<Vec<u8>> {
        let mut out = format!("{MAGIC}Created: {}\r\n", self.created);
        for transaction in &self.transactions {
            out.push_str(&format!("From: <{}>\r\n", transaction.sender));
            if transaction.smtp_utf8 {
                out.push_str("SmtpUtf8: yes\r\n");
            }
            for (name, value) in &transaction.parameters {
                out.push_str(&format!("{name}: {value}\r\n"));
            }
            for recipient in &transaction.recipients {
                let kind = KINDS.iter().find(|(_, kind)| *kind == recipient.kind).map_or("To", |(name, _)| *name);
                out.push_str(&format!("Rcpt: {kind} "));
                for option in &recipient.options {
                    out.push_str(option);
                    out.push(' ');
                }
                out.push_str(&format!("<{}>\r\n", recipient.address));
            }
        }
        out.push_str("\r\n");
        // Whoever made the parts checked them; a file that reads otherwise than it was meant must not be, whatever went wrong.
        if out.len() > HEAD_LIMIT || self.transactions.len() > TRANSACTIONS || Head::read(out.as_bytes())? != *self {
            return Err(failed("queue", "the envelope does not fit the format"));
        }
        Ok(out.into_bytes())
    }

    /// Reads a head with its empty line.
    pub fn read(head: &[u8]) -> Result<Head> {
        let broken = |what: &str| failed("queue", format!("the envelope has {what}"));
        let text = std::str::from_utf8(head).map_err(|_| broken("octets that are no text"))?;
        let lines = text.strip_prefix(MAGIC).ok_or_else(|| failed("queue", "this is no queue file of this version"))?;
        let lines = lines.strip_suffix("\r\n\r\n").ok_or_else(|| broken("no end"))?;
        if lines.bytes().zip(lines.bytes().skip(1)).any(|(a, b)| (a == b'\r') != (b == b'\n')) || lines.contains('\0') {
            return Err(broken("a bare line end"));
        }
        let mut lines = lines.split("\r\n").map(|line| line.split_once(": ").unwrap_or((line, "")));
        let created = match lines.next() {
            Some(("Created", seconds)) => seconds.parse().map_err(|_| broken("no time"))?,
            _ => return Err(broken("no time")),
        };
        let mut transactions: Vec<Transaction> = Vec::new();
        for (name, value) in lines {
            if name == "From" {
                let sender = bracketed(value).ok_or_else(|| broken("a malformed sender"))?;
                transactions.push(Transaction { sender: sender.into(), ..Transaction::default() });
                continue;
            }
            let now = transactions.last_mut().ok_or_else(|| broken("no sender"))?;
            match name {
                "SmtpUtf8" if value == "yes" => now.smtp_utf8 = true,
                "Rcpt" => now.recipients.push(addressee(value).ok_or_else(|| broken("a malformed recipient"))?),
                other => match PARAMETERS.iter().find(|known| **known == other) {
                    Some(known) => now.parameters.push((known, value.into())),
                    None => return Err(broken("a line that this version does not know")),
                },
            }
        }
        if transactions.is_empty() || transactions.iter().any(|t| t.recipients.is_empty()) {
            return Err(broken("nobody to send to"));
        }
        Ok(Head { created, transactions })
    }
}

fn bracketed(text: &str) -> Option<&str> {
    text.strip_prefix('<')?.strip_suffix('>')
}

/// `To NOTIFY=NEVER <address>`: no option begins with a bracket, so the first word that does begins the address.
fn addressee(text: &str) -> Option<Addressee> {
    let (kind, mut rest) = text.split_once(' ')?;
    let kind = KINDS.iter().find(|(name, _)| *name == kind)?.1;
    let mut options = Vec::new();
    while !rest.starts_with('<') {
        let (option, behind) = rest.split_once(' ')?;
        if option.is_empty() {
            return None;
        }
        options.push(option.to_string());
        rest = behind;
    }
    let address = bracketed(rest).filter(|a| !a.is_empty())?;
    Some(Addressee { address: address.into(), options, kind })
}

/// What the end of a file tells of one content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Length {
    pub octets: u64,
    /// It has octets beyond ASCII.
    pub eight_bit: bool,
}

impl Length {
    pub fn write(&self) -> String {
        let bits = if self.eight_bit { 8 } else { 7 };
        format!("Content: {:020} {bits}bit\r\n", self.octets)
    }

    pub fn read(line: &[u8]) -> Option<Length> {
        let text = std::str::from_utf8(line).ok()?.strip_prefix("Content: ")?;
        let length = Length { octets: text.get(..20)?.parse().ok()?, eight_bit: text.get(20..)? == " 8bit\r\n" };
        // One way to write it and no other.
        (length.write().as_bytes() == line).then_some(length)
    }
}

/// The last line up to the checksum.
pub fn end(transactions: usize) -> String {
    format!("End: {transactions:06} sha256:")
}

/// How many transactions the last line tells of, and the checksum.
pub fn read_end(line: &[u8]) -> Option<(usize, &[u8])> {
    let text = std::str::from_utf8(line).ok()?;
    let count: usize = text.strip_prefix("End: ")?.get(..6)?.parse().ok()?;
    let digits = text.strip_prefix(end(count).as_str())?.strip_suffix("\r\n")?;
    let hex = digits.len() == 64 && digits.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    (hex && (1..=TRANSACTIONS).contains(&count)).then_some((count, digits.as_bytes()))
}
