//! StartTls, Login, SendContent: what Connect and Send do in one go, step by step on an open connection, for programs whose
//! own interface has these steps (Python's smtplib). RFC 3207, RFC 4954, RFC 5321 §4.1.1.4.

use super::Component;
use super::operation::Operation;
use super::tls::Plan;
use crate::error::{Code, Error, Result};
use crate::message::body::Source;
use crate::smtp::body::Content;
use crate::smtp::command::Command;
use crate::smtp::session::refused;
use crate::smtp::transaction::Framing;

impl Component {
    /// STARTTLS on an open connection in the clear, and EHLO again. Whatever goes wrong ends the connection, except that
    /// the server does not offer it or TLS is there already.
    pub fn start_tls(&self) -> Result<()> {
        let mut op = self.stand_by("StartTls")?;
        let (hello, extended, plan) = {
            let state = self.state.lock();
            let (host, port) = (state.server.host(), u16::try_from(state.server.mail_port).unwrap_or(0));
            (state.hello(), state.server.allow_extensions, Plan::read(&state, &*self.sink, host, port)?)
        };
        let (secured, offered) = op.converse(|session, _| Ok((session.secured, session.extensions.starttls)))?;
        if secured {
            return Err(Error::new(Code::ValueRefused, "the connection has TLS already"));
        }
        if !offered {
            return Err(Error::new(Code::Handshake, "TLS is asked for, and the server does not offer STARTTLS"));
        }
        self.state.lock().tls.by_command = true;
        let done = op.begin_tls(&plan, &hello, extended);
        match done {
            Ok(lines) => self.state.lock().server.extensions = lines,
            Err(error) => {
                op.drop_session(Some(&error));
                return Err(error);
            }
        }
        Ok(())
    }

    /// The login that Connect makes, on an open connection. One that the server refuses (161) leaves the connection open.
    pub fn login(&self) -> Result<()> {
        let mut op = self.stand_by("Login")?;
        let done = op.login();
        op.settle(done.as_ref().err());
        done
    }

    /// DATA and a content, in a transaction that SendCommand began.
    pub fn send_content(&self, content: &[u8]) -> Result<()> {
        let mut op = self.stand_by("SendContent")?;
        let done = op.say_content(content);
        op.settle(done.as_ref().err());
        done
    }

    /// An operation on a connection that stands; 1117 without one.
    fn stand_by(&self, method: &str) -> Result<Operation<'_>> {
        let mut op = self.begin()?;
        op.notice()?;
        if op.session.is_none() {
            let why = format!("{method} needs an open connection; Connect opens one");
            return Err(Error::new(Code::NotConnected, why));
        }
        Ok(op)
    }
}

impl Operation<'_> {
    /// Gives what the server offers over TLS.
    fn begin_tls(&mut self, plan: &Plan, hello: &str, extended: bool) -> Result<Vec<String>> {
        self.converse(|session, cx| session.ask_for_tls(cx))?;
        self.secure(plan)?;
        self.converse(|session, cx| session.hello(cx, hello, extended))?;
        self.converse(|session, _| Ok(session.extensions.lines.clone()))
    }

    fn say_content(&mut self, content: &[u8]) -> Result<()> {
        self.converse(|session, cx| {
            session.begin(cx)?;
            let reply = session.ask(cx, &Command::new("DATA")?)?;
            if reply.code != 354 {
                return Err(refused("The server refuses DATA", &reply));
            }
            let mut parts: [Box<dyn Source>; 1] = [Box::new(Whole(Some(content.to_vec()), Vec::new()))];
            let reply = session.content(
                cx,
                Content {
                    headers: b"",
                    parts: &mut parts,
                    framing: Framing::Data,
                    exact: None,
                    close: false,
                    pipelined: false,
                    then: None,
                    before: Vec::new(),
                },
            )?;
            if reply.is_positive() { Ok(()) } else { Err(refused("The server refuses the message", &reply)) }
        })
    }
}

/// A content that is given in one piece; the second is where it stays while it is sent.
struct Whole(Option<Vec<u8>>, Vec<u8>);

impl Source for Whole {
    fn next(&mut self) -> Result<Option<&[u8]>> {
        let Some(content) = self.0.take().filter(|content| !content.is_empty()) else { return Ok(None) };
        self.1 = content;
        Ok(Some(&self.1))
    }

    fn total(&self) -> Option<u64> {
        Some(self.0.as_ref().map_or(self.1.len(), Vec::len) as u64)
    }

    fn at_once(&self) -> bool {
        true
    }
}
