//! The envelope and what the server answered to it: MAIL and RCPT lines with the parameters of RFC 1870 (SIZE), 6152
//! (8BITMIME), 3030 (BINARYMIME), 6531 (SMTPUTF8), 3461 (DSN), 2852 (DELIVERBY), 4865 (FUTURERELEASE), 6710 (MT-PRIORITY), 8689 (REQUIRETLS).

use crate::enums::RecipientType;
use crate::error::{Code, Error, Result};
use crate::smtp::extensions::Offer;
use crate::smtp::reply::Reply;
use std::fmt::Write;
use std::sync::Arc;

/// Which command opens the transaction: MAIL, or one that also reaches for the terminal (RFC 821 §3.4).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Verb {
    #[default]
    Mail,
    Send,
    Soml,
    Saml,
}

/// Whom a message goes to and what the server must know of it. Its transactions share what is the same for them.
#[derive(Debug, Clone, Default)]
pub struct Envelope {
    pub verb: Verb,
    /// Empty is the null sender.
    pub sender: Arc<str>,
    pub recipients: Arc<[Recipient]>,
    pub eight_bit: bool,
    pub binary: bool,
    pub smtp_utf8: bool,
    /// Bytes, where known.
    pub size: Option<u64>,
    /// None: there are none, as of most messages.
    pub wishes: Option<Arc<Wishes>>,
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

/// Of an envelope without any.
static NO_WISHES: Wishes = Wishes {
    ret: String::new(),
    envid: String::new(),
    deliver_by: String::new(),
    hold_for: String::new(),
    hold_until: String::new(),
    mt_priority: String::new(),
    require_tls: false,
};

impl Wishes {
    /// As an envelope keeps them.
    pub fn kept(self) -> Option<Arc<Wishes>> {
        let texts = [&self.ret, &self.envid, &self.deliver_by, &self.hold_for, &self.hold_until, &self.mt_priority];
        let none = !self.require_tls && texts.iter().all(|text| text.is_empty());
        (!none).then(|| Arc::new(self))
    }
}

impl Envelope {
    pub fn wishes(&self) -> &Wishes {
        self.wishes.as_deref().unwrap_or(&NO_WISHES)
    }

    /// Refuses before anything is said what this server cannot do and the caller must know of.
    pub fn check(&self, offer: &Offer) -> Result<()> {
        if let (Some(limit), Some(size)) = (offer.size, self.size)
            && limit > 0
            && size > limit
        {
            return Err(Error::new(Code::Protocol, format!("The message has {size} bytes, the server takes {limit}")));
        }
        let wishes = self.wishes();
        let held = !wishes.hold_for.is_empty() || !wishes.hold_until.is_empty();
        if held && !offer.future_release {
            return Err(missing("FUTURERELEASE, which HoldFor and HoldUntil need"));
        }
        if wishes.require_tls && !offer.require_tls {
            return Err(missing("REQUIRETLS over TLS, which RequireTls needs"));
        }
        if wishes.deliver_by.to_ascii_uppercase().ends_with('R') && !offer.deliver_by {
            return Err(missing("DELIVERBY, which DeliverBy with mode R needs"));
        }
        Ok(())
    }

    /// Appends the command that begins the transaction, without its line end.
    pub fn mail(&self, offer: &Offer, line: &mut String) {
        let verb = match self.verb {
            Verb::Mail => "MAIL",
            Verb::Send => "SEND",
            Verb::Soml => "SOML",
            Verb::Saml => "SAML",
        };
        for text in [verb, " FROM:<", &self.sender, ">"] {
            line.push_str(text);
        }
        if let (Some(size), Some(_)) = (self.size, offer.size) {
            // Writing to a String does not fail.
            let _ = write!(line, " SIZE={size}");
        }
        if self.binary {
            line.push_str(" BODY=BINARYMIME");
        } else if self.eight_bit && offer.eight_bit_mime {
            line.push_str(" BODY=8BITMIME");
        }
        if self.smtp_utf8 {
            line.push_str(" SMTPUTF8");
        }
        let Some(wishes) = self.wishes.as_deref() else { return };
        let envid = xtext(&wishes.envid);
        for (offered, keyword, value) in [
            (offer.dsn, " RET=", &wishes.ret),
            (offer.dsn, " ENVID=", &envid),
            (offer.deliver_by, " BY=", &wishes.deliver_by),
            (true, " HOLDFOR=", &wishes.hold_for),
            (true, " HOLDUNTIL=", &wishes.hold_until),
            (offer.mt_priority, " MT-PRIORITY=", &wishes.mt_priority),
        ] {
            if offered && !value.is_empty() {
                line.push_str(keyword);
                line.push_str(value);
            }
        }
        if wishes.require_tls {
            line.push_str(" REQUIRETLS");
        }
    }

    /// What is left out because this server does not offer it, for the trace.
    pub fn left_out(&self, offer: &Offer) -> Vec<String> {
        let mut all = Vec::new();
        let wishes = self.wishes();
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

impl Recipient {
    /// Appends the command that names the recipient, without its line end.
    pub fn rcpt(&self, offer: &Offer, line: &mut String) {
        for text in ["RCPT TO:<", &self.address, ">"] {
            line.push_str(text);
        }
        for option in self.options.iter().filter(|_| offer.dsn) {
            line.push(' ');
            line.push_str(option);
        }
    }
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
        let (enhanced, text) = (String::new(), String::new());
        let mut outcome = Outcome { address: address.into(), phase, code: 0, enhanced, text, accepted: false };
        outcome.hear(phase, reply);
        outcome
    }

    /// A later answer, or a new beginning without one; the memory of the one before is used again.
    pub fn hear(&mut self, phase: Phase, reply: Option<&Reply>) {
        self.phase = phase;
        self.code = reply.map_or(0, |r| r.code);
        self.enhanced.clear();
        self.text.clear();
        if let Some(reply) = reply {
            self.enhanced.push_str(enhanced(reply));
            self.text.push_str(&reply.in_one_line());
        }
        self.accepted = phase == Phase::Content && reply.is_some_and(Reply::is_positive);
    }

    /// Trying again may help: 4xx, or no answer at all.
    pub fn temporary(&self) -> bool {
        !self.accepted && (self.code == 0 || self.code / 100 == 4)
    }
}

/// The enhanced status code that begins a reply's text.
pub fn enhanced(reply: &Reply) -> &str {
    let word = reply.texts().next().and_then(|t| t.split_ascii_whitespace().next()).unwrap_or("");
    if !matches!(word.as_bytes(), [b'2' | b'4' | b'5', b'.', ..]) {
        return "";
    }
    let number = |part: &str| (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    let rest = word.get(2..).and_then(|rest| rest.split_once('.'));
    if rest.is_some_and(|(subject, detail)| number(subject) && number(detail)) { word } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(code: u16, text: &str) -> Reply {
        Reply { code, text: format!("{code} {text}") }
    }

    #[test]
    fn parameters_go_out_only_where_they_are_offered() {
        let mut envelope =
            Envelope { sender: "a@a.example".into(), size: Some(10), eight_bit: true, ..Envelope::default() };
        envelope.wishes =
            Wishes { ret: "HDRS".into(), envid: "id +1".into(), mt_priority: "3".into(), ..Wishes::default() }.kept();
        let line = |offer: &Offer| {
            let mut line = String::new();
            envelope.mail(offer, &mut line);
            line
        };
        assert_eq!(line(&Offer::default()), "MAIL FROM:<a@a.example>");
        let offer = Offer { size: Some(0), eight_bit_mime: true, dsn: true, mt_priority: true, ..Offer::default() };
        assert_eq!(
            line(&offer),
            "MAIL FROM:<a@a.example> SIZE=10 BODY=8BITMIME RET=HDRS ENVID=id+20+2B1 MT-PRIORITY=3"
        );
        assert_eq!(envelope.left_out(&offer), Vec::<String>::new());
        assert_eq!(envelope.left_out(&Offer::default()).len(), 2);
    }

    #[test]
    fn a_wish_that_must_not_be_dropped_is_refused_before_anything_is_said() {
        for wishes in [
            Wishes { hold_for: "60".into(), ..Wishes::default() },
            Wishes { hold_until: "2026-12-01T00:00:00Z".into(), ..Wishes::default() },
            Wishes { deliver_by: "120;R".into(), ..Wishes::default() },
        ] {
            let envelope = Envelope { wishes: wishes.kept(), ..Envelope::default() };
            assert_eq!(envelope.check(&Offer::default()).unwrap_err().code, Code::Protocol);
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
