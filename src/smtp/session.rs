//! One connection's conversation: greeting, EHLO or HELO, commands and their replies, QUIT. RFC 5321 §3, §4.

use crate::error::{Code, Error, Result};
use crate::events::Direction;
use crate::net::{Clock, Stream};
use crate::smtp::Context;
use crate::smtp::command::Command;
use crate::smtp::extensions::Extensions;
use crate::smtp::reply::{Gather, Lines, Reply};
use std::io::IoSlice;
use std::net::SocketAddr;
use std::time::Duration;

/// Where the conversation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Connected, the greeting not read yet.
    Fresh,
    /// Greeted and introduced: a transaction may begin.
    Ready,
    /// A transaction failed: RSET goes before the next one.
    Soiled,
    /// Closed by either side, or out of step: nothing more is said here.
    Dead,
}

/// A conversation over any stream.
pub struct Session {
    stream: Box<dyn Stream>,
    lines: Lines,
    input: Vec<u8>,
    pub state: State,
    pub extensions: Extensions,
    /// Something was begun on this connection already.
    begun: bool,
    /// The last reply asked for the next line of a login (334).
    pub awaits_secret: bool,
    /// An extension that the server offered and then did not keep to, before anything of a message was accepted.
    pub broken: Option<&'static str>,
    /// Transactions begun here, which LIMITS MAILMAX counts.
    pub mails: usize,
    /// The content of the last transaction was given to its end, so that only the final reply tells what became of it.
    pub given: bool,
    /// QUIT was said, so that the end of the connection is no failure.
    pub parted: bool,
    /// TLS lies below.
    pub secured: bool,
}

/// Bytes asked of the stream at once.
const INPUT: usize = 8 * 1024;

impl Session {
    pub fn new(stream: Box<dyn Stream>) -> Session {
        Session {
            stream,
            lines: Lines::default(),
            input: vec![0; INPUT],
            state: State::Fresh,
            extensions: Extensions::default(),
            begun: false,
            awaits_secret: false,
            broken: None,
            mails: 0,
            given: false,
            parted: false,
            secured: false,
        }
    }

    pub fn stream(&mut self) -> &mut dyn Stream {
        &mut *self.stream
    }

    pub fn is_dead(&self) -> bool {
        self.state == State::Dead
    }

    /// Reads the greeting: 220, or 161.
    pub fn greet(&mut self, cx: &Context) -> Result<()> {
        let reply = self.reply(cx, "the greeting")?;
        if reply.code != 220 {
            self.state = State::Dead;
            return Err(refused("The server refuses the connection", &reply));
        }
        self.state = State::Ready;
        Ok(())
    }

    /// EHLO, and HELO where that is refused or not wanted.
    pub fn hello(&mut self, cx: &Context, name: &str, extended: bool) -> Result<()> {
        self.extensions = Extensions::default();
        if extended {
            let reply = self.ask(cx, &Command::new(format!("EHLO {name}"))?)?;
            if reply.is_positive() {
                self.extensions = Extensions::parse(&reply);
                return Ok(());
            }
            if reply.code == 421 {
                return Err(refused("The server refuses EHLO", &reply));
            }
        }
        let reply = self.ask(cx, &Command::new(format!("HELO {name}"))?)?;
        if !reply.is_positive() {
            self.state = State::Dead;
            return Err(refused("The server refuses HELO", &reply));
        }
        Ok(())
    }

    /// STARTTLS (RFC 3207 §4): error 276 where it is not offered, 161 where it is refused, 162 for anything said beside the
    /// one line of the answer, which nobody would know to be the server's.
    pub fn ask_for_tls(&mut self, cx: &Context) -> Result<()> {
        let done = self.asked_for_tls(cx);
        // Whatever came of it, there is no way back to plaintext.
        if done.is_err() {
            self.state = State::Dead;
        }
        done
    }

    fn asked_for_tls(&mut self, cx: &Context) -> Result<()> {
        if !self.extensions.starttls {
            let why = "TLS is asked for, and the server does not offer STARTTLS";
            return Err(Error::new(Code::Handshake, why));
        }
        self.nothing_more(cx)?;
        let reply = self.ask(cx, &Command::new("STARTTLS")?)?;
        if reply.code != 220 {
            return Err(refused("The server does not begin TLS", &reply));
        }
        if reply.lines().count() > 1 {
            return Err(out_of_step(&reply));
        }
        self.nothing_more(cx)
    }

    /// Error 162 when something arrived that belongs to no reply: what is said in plaintext must not be taken for a word
    /// of the secured conversation.
    fn nothing_more(&mut self, cx: &Context) -> Result<()> {
        let mut more = self.more_is_here();
        if !more && self.stream.readable(Duration::ZERO, cx.clock)? {
            more = self.stream.read(&mut self.input, cx.clock)? > 0;
            if !more {
                return Err(Error::new(Code::ConnectionDropped, "The server closed the connection before TLS began"));
            }
        }
        if more {
            let why = "The server said more than its answer before TLS began; somebody may have put it in";
            return Err(Error::new(Code::Communication, why));
        }
        Ok(())
    }

    /// Puts another stream in the place of this one, and forgets everything that was learnt over it.
    pub fn secure(&mut self, secure: impl FnOnce(Box<dyn Stream>) -> Result<Box<dyn Stream>>) -> Result<()> {
        let state = self.state;
        let plain = std::mem::replace(self, Session::new(Box::new(Gone)));
        // Until it is done there is nothing to talk over.
        self.state = State::Dead;
        self.stream = secure(plain.stream)?;
        (self.state, self.secured) = (state, true);
        Ok(())
    }

    /// Says a command and reads its reply, whatever it is.
    pub fn ask(&mut self, cx: &Context, command: &Command) -> Result<Reply> {
        cx.trace(Direction::Client, command.shown()).inspect_err(|_| self.state = State::Dead)?;
        self.write(&mut [IoSlice::new(&command.wire())], cx.clock)?;
        self.reply(cx, "a reply")
    }

    /// Writes bytes; a failure leaves nothing to go on with.
    pub fn write(&mut self, parts: &mut [IoSlice<'_>], clock: &Clock) -> Result<()> {
        let done = self.stream.write_all(parts, clock);
        self.kill_on_error(done)
    }

    /// Writes the end of a message, which so many bytes are needed for; knows afterwards whether they were given.
    pub fn write_end(&mut self, parts: &mut [IoSlice<'_>], needed: u64, clock: &Clock) -> Result<()> {
        let done = self.write(parts, clock);
        self.given = done.is_ok() || self.stream.went() >= needed;
        done
    }

    /// Writes bytes that more of the same turn follow.
    pub fn write_more(&mut self, parts: &mut [IoSlice<'_>], clock: &Clock) -> Result<()> {
        let done = self.stream.write_more(parts, clock);
        self.kill_on_error(done)
    }

    fn kill_on_error<T>(&mut self, done: Result<T>) -> Result<T> {
        if done.is_err() {
            self.state = State::Dead;
        }
        done
    }

    /// Begins something new: a transaction, a command of the caller's. A reply that is left over from the last one would
    /// answer the next command and put every later reply out of step (162). A server that says all its replies ahead, as
    /// some test servers do, is followed the first time.
    pub fn begin(&mut self, cx: &Context) -> Result<()> {
        let before = std::mem::replace(&mut self.begun, true);
        if before && self.more_is_here() { self.out_of_step(cx) } else { Ok(()) }
    }

    /// Nothing was begun since the connection was opened.
    pub fn is_unused(&self) -> bool {
        !self.begun
    }

    /// Whether bytes of a further reply are here already.
    pub fn more_is_here(&self) -> bool {
        !self.lines.is_empty()
    }

    /// Whether some of a reply has arrived, without waiting for it.
    pub fn reply_is_here(&mut self, cx: &Context) -> bool {
        self.more_is_here() || self.stream.readable(Duration::ZERO, cx.clock).unwrap_or(false)
    }

    /// Whether the server's limit of transactions on one connection is reached (RFC 9422).
    pub fn is_full(&self) -> bool {
        self.is_full_with(0)
    }

    /// The same with so many more.
    pub fn is_full_with(&self, more: usize) -> bool {
        self.extensions.limits.mail_max.is_some_and(|max| self.mails + more >= max)
    }

    fn out_of_step(&mut self, cx: &Context) -> Result<()> {
        let reply = self.reply(cx, "a reply")?;
        self.state = State::Dead;
        if reply.code == 421 {
            return Err(refused("The server closes the connection", &reply));
        }
        Err(out_of_step(&reply))
    }

    /// Reads one whole reply, traced line by line. 421 and every failure end the conversation.
    pub fn reply(&mut self, cx: &Context, what: &str) -> Result<Reply> {
        let done = self.read_reply(cx, what);
        match &done {
            Ok(reply) if reply.code != 421 => {}
            _ => self.state = State::Dead,
        }
        done
    }

    fn read_reply(&mut self, cx: &Context, what: &str) -> Result<Reply> {
        let mut gather = Gather::default();
        loop {
            while let Some(line) = self.lines.next_line()? {
                for piece in line.chunks(cx.max_line.max(1)) {
                    cx.trace(Direction::Server, piece)?;
                }
                if line.is_empty() {
                    cx.trace(Direction::Server, b"")?;
                }
                if let Some(reply) = gather.line(line)? {
                    (cx.last_reply)(&reply.text);
                    return Ok(reply);
                }
            }
            let got = self.stream.read(&mut self.input, cx.clock)?;
            if got == 0 {
                return Err(Error::new(
                    Code::ConnectionDropped,
                    format!("The server closed the connection while {what} was awaited"),
                ));
            }
            self.lines.push(&self.input[..got]);
        }
    }

    /// QUIT, its answer awaited; what comes of it does not matter any more.
    pub fn quit(&mut self, cx: &Context) {
        if matches!(self.state, State::Ready | State::Soiled)
            && let Ok(command) = Command::new("QUIT")
        {
            let _ = self.ask(cx, &command);
        }
        self.state = State::Dead;
        self.stream.close();
    }

    /// The answer to a QUIT that was said already, and the close.
    pub fn farewell(&mut self, cx: &Context) {
        self.parted = true;
        if !self.is_dead() {
            let _ = self.reply(cx, "the answer to QUIT");
        }
        self.state = State::Dead;
        self.stream.close();
    }

    /// What the server did while nobody was talking: `None` nothing, else the reply it sent or its closing.
    pub fn idle(&mut self, cx: &Context, wait: Duration) -> Result<Option<Idle>> {
        if self.lines.is_empty() {
            if !self.stream.readable(wait, cx.clock)? {
                return Ok(None);
            }
            match self.stream.read(&mut self.input, cx.clock) {
                Ok(got) if got > 0 => self.lines.push(&self.input[..got]),
                Err(error) if error.code == Code::Interrupted => return Err(error),
                Err(error) => return Ok(Some(Idle::Closed(error))),
                Ok(_) => {
                    let why = "The server closed the idle connection";
                    return Ok(Some(Idle::Closed(Error::new(Code::ConnectionDropped, why))));
                }
            }
        }
        if self.is_unused() && !self.lines.starts_with(b"421") {
            // Replies said ahead; what they answer comes yet.
            return Ok(None);
        }
        match self.reply(cx, "nothing") {
            Ok(reply) => {
                self.state = State::Dead;
                Ok(Some(Idle::Said(reply)))
            }
            Err(error) if error.code == Code::Interrupted => Err(error),
            Err(error) => Ok(Some(Idle::Closed(error))),
        }
    }
}

/// In the place of a stream that is no more.
struct Gone;

impl Gone {
    fn error<T>() -> Result<T> {
        Err(Error::new(Code::SocketNotConnected, "the connection is closed"))
    }
}

impl Stream for Gone {
    fn read(&mut self, _: &mut [u8], _: &Clock) -> Result<usize> {
        Gone::error()
    }
    fn write_all(&mut self, _: &mut [IoSlice<'_>], _: &Clock) -> Result<()> {
        Gone::error()
    }
    fn readable(&mut self, _: Duration, _: &Clock) -> Result<bool> {
        Gone::error()
    }
    fn close(&mut self) {}
    fn local_addr(&self) -> Option<SocketAddr> {
        None
    }
    fn peer_addr(&self) -> Option<SocketAddr> {
        None
    }
}

/// What an idle connection turned out to have received.
#[derive(Debug)]
pub enum Idle {
    Said(Reply),
    Closed(Error),
}

/// Error 161 with the server's words.
pub fn refused(what: &str, reply: &Reply) -> Error {
    Error::refused(reply.code, format!("{what}: {}", reply.in_one_line()))
}

/// Error 162: a reply that belongs to no command, or to another one.
pub fn out_of_step(reply: &Reply) -> Error {
    Error::new(Code::Communication, format!("A reply came that nothing asked for: {}", reply.in_one_line()))
}
