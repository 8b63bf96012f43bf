//! SendCommand, Verify, Expand: single commands of RFC 5321 §4.1.1.6, §4.1.1.7 and the caller's own.

use super::Component;
use super::operation::Operation;
use crate::config::Setting;
use crate::error::{Code, Error, Result};
use crate::events;
use crate::smtp::command::Command;
use crate::smtp::reply::Reply;
use crate::smtp::session::refused;
use crate::text::line;

impl Component {
    /// One command line, said as it is; its reply is in LastReply. A refusing reply is error 161.
    pub fn send_command(&self, command: &str) -> Result<()> {
        let mut op = self.begin()?;
        let mut command = Command::new(command)?;
        op.notice()?;
        if op.session.is_none() {
            return Err(Error::new(Code::NotConnected, "SendCommand needs an open connection; Connect opens one"));
        }
        if self.state.lock().settings.bool(Setting::MaskSensitive) {
            command = command.masked(op.session.as_ref().is_some_and(|s| s.awaits_secret));
        }
        let done = op.ask(&command, "The server refuses the command").map(drop);
        op.settle(done.as_ref().err());
        done
    }

    /// VRFY; the answer is in LastReply. Connects, and closes again, where no connection is open.
    pub fn verify(&self, address: &str) -> Result<()> {
        self.inquire("VRFY", address).map(drop)
    }

    /// EXPN; an Expand event for each address of the answer.
    pub fn expand(&self, address: &str) -> Result<()> {
        self.inquire("EXPN", address).map(drop)
    }

    fn inquire(&self, verb: &str, address: &str) -> Result<()> {
        let mut op = self.begin()?;
        line::refuse_crlf_nul("EmailAddress", address)?;
        if address.trim().is_empty() {
            return Err(Error::new(Code::NoRecipient, format!("{verb} needs an address or a name")));
        }
        let command = Command::new(format!("{verb} {}", address.trim()))?;
        op.notice()?;
        let own = op.session.is_none();
        if own {
            op.open()?;
        }
        let done = op
            .ask(&command, "The server refuses the request")
            .and_then(|reply| if verb == "EXPN" { op.tell_addresses(&reply) } else { Ok(()) });
        match &done {
            Ok(()) if own => op.quit(),
            Ok(()) => {}
            Err(error) if own && error.reply.is_none() => op.drop_session(Some(error)),
            Err(error) => op.settle(Some(error)),
        }
        done
    }
}

impl Operation<'_> {
    /// Asks, and makes a refusal error 161.
    fn ask(&mut self, command: &Command, what: &str) -> Result<Reply> {
        self.converse(|session, cx| {
            session.begin(cx)?;
            let reply = session.ask(cx, command)?;
            session.awaits_secret = reply.code == 334;
            if reply.code >= 400 { Err(refused(what, &reply)) } else { Ok(reply) }
        })
    }

    fn tell_addresses(&self, reply: &Reply) -> Result<()> {
        for text in reply.texts().map(str::trim).filter(|t| !t.is_empty()) {
            self.sink().expand(&events::Expand { address: text.as_bytes() })?;
        }
        Ok(())
    }
}
