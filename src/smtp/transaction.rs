//! A mail transaction: MAIL, RCPT one by one, DATA. RFC 5321 §3.3; SIZE RFC 1870, 8BITMIME RFC 6152, SMTPUTF8 RFC 6531, DSN RFC 3461.

use crate::enums::RecipientType;
use crate::error::{Code, Error, Result};
use crate::events::{self, Direction};
use crate::smtp::Context;
use crate::smtp::command::Command;
use crate::smtp::reply::Reply;
use crate::smtp::session::{Session, State, out_of_step, refused};

/// Whom a message goes to and what the server must know of it.
#[derive(Debug, Clone, Default)]
pub struct Envelope {
    /// Empty is the null sender.
    pub sender: String,
    pub recipients: Vec<Recipient>,
    pub eight_bit: bool,
    pub smtp_utf8: bool,
    /// Bytes, where known.
    pub size: Option<u64>,
}

#[derive(Debug, Clone)]
pub struct Recipient {
    pub address: String,
    /// `NOTIFY=SUCCESS,FAILURE` and the like.
    pub options: Vec<String>,
    pub kind: RecipientType,
}

/// Which refused recipient stops the message.
#[derive(Debug, Clone, Copy)]
pub struct Policy {
    pub stop_on_to: bool,
    pub stop_on_cc: bool,
    pub stop_on_bcc: bool,
}

impl Policy {
    fn stops(&self, kind: RecipientType) -> bool {
        match kind {
            RecipientType::To => self.stop_on_to,
            RecipientType::Cc => self.stop_on_cc,
            RecipientType::Bcc => self.stop_on_bcc,
        }
    }
}

impl Session {
    /// Opens a transaction: RSET where the last one failed, MAIL, RCPTs, DATA up to its 354. After an error nothing is open,
    /// or RSET is remembered.
    pub fn open(&mut self, cx: &Context, envelope: &Envelope, policy: Policy) -> Result<()> {
        self.check_size(envelope)?;
        self.begin(cx)?;
        if self.state == State::Soiled {
            let reply = self.ask(cx, &Command::new("RSET")?)?;
            if !reply.is_positive() {
                return Err(refused("The server refuses RSET", &reply));
            }
            self.state = State::Ready;
        }
        let mail = self.mail(envelope)?;
        let rcpts = self.rcpts(cx, envelope)?;
        let done = self.say(cx, &mail, &rcpts, envelope, policy);
        if done.is_err() && self.state == State::Ready {
            self.state = State::Soiled;
        }
        done
    }

    fn check_size(&self, envelope: &Envelope) -> Result<()> {
        match (self.extensions.size, envelope.size) {
            (Some(limit), Some(size)) if limit > 0 && size > limit => {
                Err(Error::new(Code::Protocol, format!("The message has {size} bytes, the server takes {limit}")))
            }
            _ => Ok(()),
        }
    }

    fn mail(&self, envelope: &Envelope) -> Result<Command> {
        let mut line = format!("MAIL FROM:<{}>", envelope.sender);
        if let (Some(_), Some(size)) = (self.extensions.size, envelope.size) {
            line.push_str(&format!(" SIZE={size}"));
        }
        if envelope.eight_bit && self.extensions.eight_bit_mime {
            line.push_str(" BODY=8BITMIME");
        }
        if envelope.smtp_utf8 {
            line.push_str(" SMTPUTF8");
        }
        Command::new(line)
    }

    fn rcpts(&self, cx: &Context, envelope: &Envelope) -> Result<Vec<Command>> {
        let mut all = Vec::with_capacity(envelope.recipients.len());
        for recipient in &envelope.recipients {
            let mut line = format!("RCPT TO:<{}>", recipient.address);
            if self.extensions.dsn {
                for option in &recipient.options {
                    line.push(' ');
                    line.push_str(option);
                }
            } else if !recipient.options.is_empty() {
                let text = format!("Options of {} left out: the server does not offer DSN", recipient.address);
                cx.trace(Direction::Info, text.as_bytes())?;
            }
            all.push(Command::new(line)?);
        }
        Ok(all)
    }

    fn say(&mut self, cx: &Context, mail: &Command, rcpts: &[Command], envelope: &Envelope, policy: Policy) -> Result<()> {
        let reply = self.ask(cx, mail)?;
        self.no_intermediate(&reply)?;
        if !reply.is_positive() {
            return Err(refused("The server refuses the sender", &reply));
        }
        let mut accepted = 0;
        let mut last = None;
        for (recipient, rcpt) in envelope.recipients.iter().zip(rcpts) {
            let reply = self.ask(cx, rcpt)?;
            self.no_intermediate(&reply)?;
            if reply.is_positive() {
                accepted += 1;
                continue;
            }
            let error = refused(&format!("The server refuses {}", recipient.address), &reply);
            if self.is_dead() || policy.stops(recipient.kind) {
                return Err(error);
            }
            let event = events::Error { error_code: error.code as i32, description: error.message.as_bytes() };
            cx.sink.error(&event)?;
            last = Some(error);
        }
        if accepted == 0 {
            return Err(last.unwrap_or_else(|| Error::plain(Code::NoRecipient)));
        }
        let reply = self.ask(cx, &Command::new("DATA")?)?;
        if reply.code == 354 {
            return Ok(());
        }
        if reply.is_positive() {
            // It belongs to another command, or the server does not know what it is told: nothing after it can be trusted.
            self.state = State::Dead;
            if self.more_is_here() {
                return Err(out_of_step(&reply));
            }
        }
        Err(refused("The server refuses DATA", &reply))
    }

    /// 3xx answers DATA and AUTH only.
    fn no_intermediate(&mut self, reply: &Reply) -> Result<()> {
        if reply.code / 100 != 3 {
            return Ok(());
        }
        self.state = State::Dead;
        Err(out_of_step(reply))
    }
}
