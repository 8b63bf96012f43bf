//! The envelope and what the server answered to it: MAIL and RCPT lines with the parameters of RFC 1870 (SIZE), 6152
//! (8BITMIME), 3030 (BINARYMIME), 6531 (SMTPUTF8), 3461 (DSN), 2852 (DELIVERBY), 4865 (FUTURERELEASE), 6710 (MT-PRIORITY), 8689 (REQUIRETLS).

use crate::enums::RecipientType;
use crate::error::{Code, Error, Result};
use crate::smtp::command::Command;
use crate::smtp::extensions::Extensions;
use crate::smtp::reply::Reply;

/// Which command opens the transaction: MAIL, or one that also reaches for the terminal (RFC 821 §3.4).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Verb {
    #[default]
    Mail,
    Send,
    Soml,
    Saml,
}

/// Whom a message goes to and what the server must know of it.
#[derive(Debug, Clone, Default)]
pub struct Envelope {
    pub verb: Verb,
    /// Empty is the null sender.
    pub sender: String,
    pub recipients: Vec<Recipient>,
    pub eight_bit: bool,
    pub binary: bool,
    pub smtp_utf8: bool,
    /// Bytes, where known.
    pub size: Option<u64>,
    pub wishes: Wishes,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    pub address: String,
    /// `NOTIFY=SUCCESS,FAILURE` and the like.
    pub options: Vec<String>,
    pub kind: RecipientType,
}

/// What the caller asked of the delivery; empty is nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wishes {
    /// `FULL` or `HDRS`.
    pub ret: String,
    pub envid: String,
    /// `120;R`
    pub deliver_by: String,
    /// Seconds.
    pub hold_for: String,
    /// A date and time of RFC 3339.
    pub hold_until: String,
    pub mt_priority: String,
    /// REQUIRETLS
    pub require_tls: bool,
}

impl Envelope {
    /// Refuses before anything is said what this server cannot do and the caller must know of.
    pub fn check(&self, offer: &Extensions) -> Result<()> {
        if let (Some(limit), Some(size)) = (offer.size, self.size)
            && limit > 0
            && size > limit
        {
            return Err(Error::new(Code::Protocol, format!("The message has {size} bytes, the server takes {limit}")));
        }
        let held = !self.wishes.hold_for.is_empty() || !self.wishes.hold_until.is_empty();
        if held && !offer.future_release {
            return Err(missing("FUTURERELEASE, which HoldFor and HoldUntil need"));
        }
        if self.wishes.require_tls && !offer.require_tls {
            return Err(missing("REQUIRETLS over TLS, which RequireTls needs"));
        }
        if self.wishes.deliver_by.to_ascii_uppercase().ends_with('R') && !offer.deliver_by {
            return Err(missing("DELIVERBY, which DeliverBy with mode R needs"));
        }
        Ok(())
    }

    pub fn mail(&self, offer: &Extensions) -> Result<Command> {
        let verb = match self.verb {
            Verb::Mail => "MAIL",
            Verb::Send => "SEND",
            Verb::Soml => "SOML",
            Verb::Saml => "SAML",
        };
        let mut line = format!("{verb} FROM:<{}>", self.sender);
        let mut add = |used: bool, text: String| {
            if used {
                line.push(' ');
                line.push_str(&text);
            }
        };
        let wishes = &self.wishes;
        add(offer.size.is_some() && self.size.is_some(), format!("SIZE={}", self.size.unwrap_or(0)));
        add(self.binary, "BODY=BINARYMIME".into());
        add(self.eight_bit && !self.binary && offer.eight_bit_mime, "BODY=8BITMIME".into());
        add(self.smtp_utf8, "SMTPUTF8".into());
        add(offer.dsn && !wishes.ret.is_empty(), format!("RET={}", wishes.ret));
        add(offer.dsn && !wishes.envid.is_empty(), format!("ENVID={}", xtext(&wishes.envid)));
        add(offer.deliver_by && !wishes.deliver_by.is_empty(), format!("BY={}", wishes.deliver_by));
        add(!wishes.hold_for.is_empty(), format!("HOLDFOR={}", wishes.hold_for));
        add(!wishes.hold_until.is_empty(), format!("HOLDUNTIL={}", wishes.hold_until));
        add(offer.mt_priority && !wishes.mt_priority.is_empty(), format!("MT-PRIORITY={}", wishes.mt_priority));
        add(wishes.require_tls, "REQUIRETLS".into());
        Command::new(line)
    }

    pub fn rcpts(&self, offer: &Extensions) -> Result<Vec<Command>> {
        let line = |recipient: &Recipient| {
            let mut line = format!("RCPT TO:<{}>", recipient.address);
            if offer.dsn {
                for option in &recipient.options {
                    line.push(' ');
                    line.push_str(option);
                }
            }
            Command::new(line)
        };
        self.recipients.iter().map(line).collect()
    }

    /// What is left out because this server does not offer it, for the trace.
    pub fn left_out(&self, offer: &Extensions) -> Vec<String> {
        let mut all = Vec::new();
        let wishes = &self.wishes;
        if !offer.dsn {
            for recipient in self.recipients.iter().filter(|r| !r.options.is_empty()) {
                all.push(format!("Options of {} left out: the server does not offer DSN", recipient.address));
            }
            if !wishes.ret.is_empty() || !wishes.envid.is_empty() {
                all.push("DsnRet and DsnEnvId left out: the server does not offer DSN".into());
            }
        }
        if !offer.deliver_by && !wishes.deliver_by.is_empty() {
            all.push("DeliverBy left out: the server does not offer DELIVERBY".into());
        }
        if !offer.mt_priority && !wishes.mt_priority.is_empty() {
            all.push("MtPriority left out: the server does not offer MT-PRIORITY".into());
        }
        all
    }
}

fn missing(what: &str) -> Error {
    Error::new(Code::Protocol, format!("The server does not offer {what}"))
}

/// RFC 3461 §4: printable ASCII but `+` and `=`, the rest as `+XX`.
fn xtext(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if (33..=126).contains(&byte) && byte != b'+' && byte != b'=' {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("+{byte:02X}"));
        }
    }
    out
}

/// Where a recipient's last answer came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    Mail,
    Rcpt,
    Data,
    /// The reply to the message itself.
    Content,
}

impl Phase {
    pub fn text(self) -> &'static str {
        match self {
            Phase::Mail => "MAIL",
            Phase::Rcpt => "RCPT",
            Phase::Data => "DATA",
            Phase::Content => "CONTENT",
        }
    }
}

/// What became of one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub address: String,
    pub phase: Phase,
    /// The reply code; 0 when no reply came.
    pub code: u16,
    /// `5.1.1`, where the reply has one (RFC 2034).
    pub enhanced: String,
    pub text: String,
    /// The server took the message for this recipient.
    pub accepted: bool,
}

impl Outcome {
    pub fn new(address: &str, phase: Phase, reply: Option<&Reply>) -> Outcome {
        Outcome {
            address: address.into(),
            phase,
            code: reply.map_or(0, |r| r.code),
            enhanced: reply.map(enhanced).unwrap_or_default(),
            text: reply.map(Reply::in_one_line).unwrap_or_default(),
            accepted: phase == Phase::Content && reply.is_some_and(Reply::is_positive),
        }
    }

    /// Trying again may help: 4xx, or no answer at all.
    pub fn temporary(&self) -> bool {
        !self.accepted && (self.code == 0 || self.code / 100 == 4)
    }
}

/// The enhanced status code that begins a reply's text.
pub fn enhanced(reply: &Reply) -> String {
    let word = reply.texts().next().and_then(|t| t.split_ascii_whitespace().next()).unwrap_or("");
    let parts: Vec<&str> = word.split('.').collect();
    let numbers =
        parts.len() == 3 && parts.iter().all(|p| (1..=3).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_digit()));
    if numbers && matches!(parts[0], "2" | "4" | "5") { word.to_string() } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(code: u16, text: &str) -> Reply {
        Reply { code, lines: vec![format!("{code} {text}")] }
    }

    #[test]
    fn parameters_go_out_only_where_they_are_offered() {
        let mut envelope =
            Envelope { sender: "a@a.example".into(), size: Some(10), eight_bit: true, ..Envelope::default() };
        envelope.wishes =
            Wishes { ret: "HDRS".into(), envid: "id +1".into(), mt_priority: "3".into(), ..Wishes::default() };
        let line = |offer: &Extensions| String::from_utf8_lossy(envelope.mail(offer).unwrap().shown()).into_owned();
        assert_eq!(line(&Extensions::default()), "MAIL FROM:<a@a.example>");
        let offer =
            Extensions { size: Some(0), eight_bit_mime: true, dsn: true, mt_priority: true, ..Extensions::default() };
        assert_eq!(
            line(&offer),
            "MAIL FROM:<a@a.example> SIZE=10 BODY=8BITMIME RET=HDRS ENVID=id+20+2B1 MT-PRIORITY=3"
        );
        assert_eq!(envelope.left_out(&offer), Vec::<String>::new());
        assert_eq!(envelope.left_out(&Extensions::default()).len(), 2);
    }

    #[test]
    fn a_wish_that_must_not_be_dropped_is_refused_before_anything_is_said() {
        for wishes in [
            Wishes { hold_for: "60".into(), ..Wishes::default() },
            Wishes { hold_until: "2026-12-01T00:00:00Z".into(), ..Wishes::default() },
            Wishes { deliver_by: "120;R".into(), ..Wishes::default() },
        ] {
            let envelope = Envelope { wishes, ..Envelope::default() };
            assert_eq!(envelope.check(&Extensions::default()).unwrap_err().code, Code::Protocol);
        }
    }

    #[test]
    fn enhanced_codes_are_read_where_they_are_ones() {
        assert_eq!(enhanced(&reply(550, "5.1.1 no such user")), "5.1.1");
        for text in ["5.1 no", "no 5.1.1", "9.1.1 x", "5.1.1.1", "5.1111.1 x", ""] {
            assert_eq!(enhanced(&reply(550, text)), "", "{text}");
        }
    }
}
