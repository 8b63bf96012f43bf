//! The content of a message: headers, body parts and the end, gathered into as few writes as there are buffers. Behind DATA
//! with stuffed dots and the lone dot (RFC 5321 §4.1.1.4, §4.5.2), or in BDAT chunks (RFC 3030). Fires the transfer events.

use crate::error::{Code, Error, Result};
use crate::events::{self, Direction, Kind};
use crate::message::body::Source;
use crate::message::facts::Facts;
use crate::smtp::Context;
use crate::smtp::dot::Stuffer;
use crate::smtp::reply::Reply;
use crate::smtp::session::{Session, State, refused};
use crate::smtp::transaction::Framing;
use std::io::IoSlice;

/// With a listener, a Transfer event comes for each so many bytes.
const PORTION: usize = 64 * 1024;
/// Slices of one system call; more of them are copied together instead.
const SLICES: usize = 512;
/// What is copied together, and the size of a BDAT chunk where the whole size is not known.
const GATHER: usize = 256 * 1024;
/// BDAT chunks that may be on their way without an answer.
const AHEAD: usize = 8;

/// Makes what goes in the same write as the end of the content: commands whose replies come behind the final one.
pub type Then<'a> = &'a mut dyn FnMut(&Context) -> Result<Vec<u8>>;

/// Everything the end of a transaction needs to know.
pub struct Content<'a> {
    pub headers: &'a [u8],
    pub parts: &'a mut [Box<dyn Source>],
    pub framing: Framing,
    /// Headers and body with CRLF line ends, where that is known exactly: one BDAT says it all.
    pub exact: Option<u64>,
    /// Streams are told that they are done with.
    pub close: bool,
    /// The server takes commands ahead of its replies.
    pub pipelined: bool,
    pub then: Option<Then<'a>>,
    /// What goes in the same write before it: the commands of the transaction, where BDAT does not wait for their replies.
    pub before: Vec<u8>,
}

impl Session {
    /// Sends the content of an opened transaction and gives the reply that ends it, whatever it is. Any failure before that
    /// reply leaves the connection dead: half a message cannot be taken back.
    pub fn content(&mut self, cx: &Context, content: Content) -> Result<Reply> {
        let framing = content.framing;
        let (replies, whole) = self.give(cx, content)?;
        let mut reply = self.reply(cx, "the final reply")?;
        for _ in 1..replies {
            if !reply.is_positive() {
                break;
            }
            reply = self.reply(cx, "the final reply")?;
        }
        if !reply.is_positive() {
            if framing == Framing::Bdat && whole {
                self.doubt_chunking(&reply);
            }
            if self.state == State::Ready {
                self.state = State::Soiled;
            }
        }
        Ok(reply)
    }

    /// Writes the content and says how many replies are to come, and whether it went in one piece.
    pub fn give(&mut self, cx: &Context, mut content: Content) -> Result<(usize, bool)> {
        self.given = false;
        let written = self.write_content(cx, &mut content);
        if content.close {
            content.parts.iter_mut().for_each(|part| part.finish());
        }
        written.map_err(|error| self.cut_short(cx, error))
    }

    /// Why the content was not given to its end: the server's own words where it said some before it hung up.
    fn cut_short(&mut self, cx: &Context, error: Error) -> Error {
        let gone = matches!(error.code, Code::ConnectionDropped | Code::ConnectionReset);
        let said = if gone && self.reply_is_here(cx) { self.reply(cx, "a reply").ok() } else { None };
        self.state = State::Dead;
        match said {
            Some(reply) if !reply.is_positive() && reply.code != 354 => {
                refused("The server refuses the message", &reply)
            }
            _ => error,
        }
    }

    /// A server that offered BDAT and does not know it, before it took anything.
    fn doubt_chunking(&mut self, reply: &Reply) {
        if (500..=504).contains(&reply.code) {
            self.broken = Some("CHUNKING");
        }
    }

    /// Writes everything and says how many replies are still to come, and whether it went in one piece.
    fn write_content(&mut self, cx: &Context, content: &mut Content) -> Result<(usize, bool)> {
        let listened = cx.sink.wants(Kind::Transfer);
        // With a listener that may still stop the message, its end waits until it has heard of all that went before.
        let stoppable = listened || cx.sink.wants(Kind::EndTransfer);
        let exact = content.exact.filter(|_| !stoppable && content.parts.iter().all(|p| p.at_once()));
        let mut writer = Writer::new(content, exact);
        let (count, framing) = (content.parts.len(), content.framing);
        for (n, part) in content.parts.iter_mut().enumerate() {
            let (total, at_once) = (part.total(), part.at_once());
            writer.binary = part.is_binary();
            // Known of the whole, which a portion is not.
            let plain = |facts: &Facts| facts.canonical && (framing == Framing::Bdat || !facts.dots);
            writer.passes = !listened && at_once && part.facts().as_ref().is_some_and(plain);
            let mut sent = 0u64;
            while let Some(chunk) = part.next()? {
                if chunk.is_empty() {
                    continue;
                }
                if sent == 0 {
                    cx.sink.start_transfer(&events::StartTransfer { direction: Direction::Client as i32 })?;
                }
                for portion in chunk.chunks(if listened { PORTION } else { chunk.len() }) {
                    sent += portion.len() as u64;
                    let last = n + 1 == count && at_once && !stoppable && total == Some(sent);
                    writer.write(self, cx, portion, last)?;
                    if listened {
                        transfer(cx, portion, sent, total)?;
                    }
                }
            }
            if sent > 0 {
                cx.sink.end_transfer(&events::EndTransfer { direction: Direction::Client as i32 })?;
            }
        }
        if !writer.ended {
            writer.write(self, cx, b"", true)?;
        }
        Ok((writer.outstanding(), writer.said <= 1))
    }
}

fn transfer(cx: &Context, portion: &[u8], sent: u64, total: Option<u64>) -> Result<()> {
    let percent_done = match total {
        Some(total) if total > 0 => (u128::from(sent) * 100 / u128::from(total)).min(100) as i32,
        _ => -1,
    };
    cx.sink.transfer(&events::Transfer {
        direction: Direction::Client as i32,
        bytes_transferred: i64::try_from(sent).unwrap_or(i64::MAX),
        percent_done,
        text: portion,
        text_b: portion,
    })
}

/// Frames the content as it goes.
struct Writer<'a> {
    stuffer: Stuffer,
    /// What comes is no text.
    binary: bool,
    /// What comes needs no look.
    passes: bool,
    /// `BDAT n LAST` and the headers, until they went with the first write.
    prefix: Vec<u8>,
    headers: &'a [u8],
    /// BDAT of unknown size: what waits for its chunk to be full.
    chunk: Option<Vec<u8>>,
    pipelined: bool,
    then: Option<Then<'a>>,
    ended: bool,
    /// BDAT commands said, and their replies read.
    said: usize,
    heard: usize,
}

impl<'a> Writer<'a> {
    fn new(content: &mut Content<'a>, exact: Option<u64>) -> Writer<'a> {
        let bdat = content.framing == Framing::Bdat;
        let mut prefix = std::mem::take(&mut content.before);
        if let (Some(total), true) = (exact, bdat) {
            prefix.extend_from_slice(format!("BDAT {total} LAST\r\n").as_bytes());
        }
        let mut headers = content.headers;
        let mut chunk = None;
        if bdat && exact.is_none() {
            chunk = Some(std::mem::take(&mut headers).to_vec());
        }
        Writer {
            stuffer: Stuffer::new(!bdat),
            binary: false,
            passes: false,
            prefix,
            headers,
            chunk,
            pipelined: content.pipelined,
            then: content.then.take(),
            ended: false,
            said: 0,
            heard: 0,
        }
    }

    /// Replies to the content that are still to come.
    fn outstanding(&self) -> usize {
        self.said.max(1) - self.heard
    }

    fn tail(&mut self, cx: &Context) -> Result<Vec<u8>> {
        self.then.take().map_or(Ok(Vec::new()), |then| then(cx))
    }

    /// The next slices of a portion; how far they reach.
    fn feed<'b>(&mut self, portion: &'b [u8], slices: &mut Vec<IoSlice<'b>>) -> usize {
        if !self.binary {
            if let Some(slice) = self.passes.then(|| self.stuffer.pass(portion)).flatten() {
                slices.push(slice);
                return portion.len();
            }
            return self.stuffer.feed(portion, slices, SLICES);
        }
        slices.extend([self.stuffer.binary(), portion].iter().filter(|s| !s.is_empty()).map(|s| IoSlice::new(s)));
        portion.len()
    }

    /// Writes one portion, what goes before it where it is the first, the end behind it where it is the last.
    fn write(&mut self, session: &mut Session, cx: &Context, portion: &[u8], last: bool) -> Result<()> {
        if self.chunk.is_some() {
            return self.write_chunked(session, cx, portion, last);
        }
        let (prefix, headers) = (std::mem::take(&mut self.prefix), std::mem::take(&mut self.headers));
        let mut slices: Vec<IoSlice> = Vec::with_capacity(8);
        slices.extend([&prefix[..], headers].iter().filter(|s| !s.is_empty()).map(|s| IoSlice::new(s)));
        let mut done = self.feed(portion, &mut slices);
        let mut gathered = Vec::new();
        while done < portion.len() {
            // Many short slices: one copy is cheaper than many system calls.
            slices.iter().for_each(|s| gathered.extend_from_slice(s));
            slices.clear();
            if gathered.len() >= GATHER {
                session.write_more(&mut [IoSlice::new(&gathered)], cx.clock)?;
                gathered.clear();
            }
            done += self.feed(&portion[done..], &mut slices);
        }
        if !gathered.is_empty() {
            slices.insert(0, IoSlice::new(&gathered));
        }
        if !last {
            return session.write_more(&mut slices, cx.clock);
        }
        self.ended = true;
        let tail = self.tail(cx)?;
        slices.push(IoSlice::new(self.stuffer.finish()));
        let needed = slices.iter().map(|slice| slice.len() as u64).sum();
        slices.push(IoSlice::new(&tail));
        session.write_end(&mut slices, needed, cx.clock)
    }

    fn write_chunked(&mut self, session: &mut Session, cx: &Context, portion: &[u8], last: bool) -> Result<()> {
        let mut chunk = self.chunk.take().unwrap_or_default();
        let mut done = 0;
        while done < portion.len() {
            let mut slices = Vec::new();
            done += self.feed(&portion[done..], &mut slices);
            slices.iter().for_each(|s| chunk.extend_from_slice(s));
            if chunk.len() >= GATHER {
                self.say_chunk(session, cx, &chunk, false)?;
                chunk.clear();
            }
        }
        if last {
            self.ended = true;
            chunk.extend_from_slice(self.stuffer.finish());
            self.say_chunk(session, cx, &chunk, true)?;
        }
        self.chunk = Some(chunk);
        Ok(())
    }

    /// One BDAT; without PIPELINING its reply is awaited, with it only when many are outstanding.
    fn say_chunk(&mut self, session: &mut Session, cx: &Context, chunk: &[u8], last: bool) -> Result<()> {
        let command = format!("BDAT {}{}\r\n", chunk.len(), if last { " LAST" } else { "" });
        let tail = if last { self.tail(cx)? } else { Vec::new() };
        let mut slices = [command.as_bytes(), chunk, &tail].map(IoSlice::new);
        if last {
            session.write_end(&mut slices, (command.len() + chunk.len()) as u64, cx.clock)?;
        } else {
            session.write(&mut slices, cx.clock)?;
        }
        self.said += 1;
        while !last && self.outstanding() > if self.pipelined { AHEAD - 1 } else { 0 } {
            let reply = session.reply(cx, "the reply to a chunk")?;
            self.heard += 1;
            if !reply.is_positive() {
                if self.heard == 1 {
                    session.doubt_chunking(&reply);
                }
                return Err(refused("The server refuses the message", &reply));
            }
        }
        Ok(())
    }
}
