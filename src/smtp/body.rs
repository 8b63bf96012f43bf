//! The content of a message behind DATA: headers, body parts and the final dot, gathered into as few writes as there are
//! buffers. RFC 5321 §4.1.1.4, §4.5.2. Fires the transfer events.

use crate::error::Result;
use crate::events::{self, Direction, Kind};
use crate::message::body::Source;
use crate::smtp::Context;
use crate::smtp::dot::Stuffer;
use crate::smtp::reply::Reply;
use crate::smtp::session::{Session, State, refused};
use std::io::IoSlice;

/// With a listener, a Transfer event comes for each so many bytes.
const PORTION: usize = 64 * 1024;
/// Slices of one system call; more of them are copied together instead.
const SLICES: usize = 512;
/// What is copied together.
const GATHER: usize = 256 * 1024;

impl Session {
    /// Sends the content of an opened transaction and reads the final reply. Any failure before that reply leaves the
    /// connection dead: half a message cannot be taken back. With `close`, streams are told that they are done with.
    pub fn content(
        &mut self,
        cx: &Context,
        headers: &[u8],
        parts: &mut [Box<dyn Source>],
        close: bool,
    ) -> Result<Reply> {
        let written = self.write_content(cx, headers, parts);
        if close {
            parts.iter_mut().for_each(|part| part.finish());
        }
        if written.is_err() {
            self.state = State::Dead;
        }
        written?;
        let reply = self.reply(cx, "the final reply")?;
        if !reply.is_positive() {
            if self.state == State::Ready {
                self.state = State::Soiled;
            }
            return Err(refused("The server refuses the message", &reply));
        }
        Ok(reply)
    }

    fn write_content(&mut self, cx: &Context, headers: &[u8], parts: &mut [Box<dyn Source>]) -> Result<()> {
        let mut writer = Writer { stuffer: Stuffer::default(), lead: headers, ended: false };
        let listened = cx.sink.wants(Kind::Transfer);
        // With a listener that may still stop the message, the final dot waits until it has heard of all that went before.
        let stoppable = listened || cx.sink.wants(Kind::EndTransfer);
        let count = parts.len();
        for (n, part) in parts.iter_mut().enumerate() {
            let (total, at_once) = (part.total(), part.at_once());
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
                    writer.write(self, cx, portion, n + 1 == count && at_once && !stoppable && total == Some(sent))?;
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
        Ok(())
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

struct Writer<'a> {
    stuffer: Stuffer,
    /// Headers that wait for the first write.
    lead: &'a [u8],
    ended: bool,
}

impl Writer<'_> {
    /// Writes one portion, the headers before it where it is the first, the final dot behind it where it is the last.
    fn write(&mut self, session: &mut Session, cx: &Context, portion: &[u8], last: bool) -> Result<()> {
        let mut slices: Vec<IoSlice> = Vec::with_capacity(8);
        if !self.lead.is_empty() {
            slices.push(IoSlice::new(self.lead));
            self.lead = b"";
        }
        let mut done = self.stuffer.feed(portion, &mut slices, SLICES);
        let mut gathered = Vec::new();
        while done < portion.len() {
            // Many short slices: one copy is cheaper than many system calls.
            slices.iter().for_each(|s| gathered.extend_from_slice(s));
            slices.clear();
            if gathered.len() >= GATHER {
                session.write_more(&mut [IoSlice::new(&gathered)], cx.clock)?;
                gathered.clear();
            }
            done += self.stuffer.feed(&portion[done..], &mut slices, SLICES);
        }
        if !gathered.is_empty() {
            slices.insert(0, IoSlice::new(&gathered));
        }
        if last {
            self.ended = true;
            slices.push(IoSlice::new(self.stuffer.finish()));
            return session.write(&mut slices, cx.clock);
        }
        session.write_more(&mut slices, cx.clock)
    }
}
