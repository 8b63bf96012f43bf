//! The SMTP client session over any stream: RFC 5321. Parsers and the body writer are pure; the session asks and answers.

pub mod body;
pub mod command;
pub mod dot;
pub mod envelope;
pub mod extensions;
pub mod login;
pub mod reply;
pub mod session;
pub mod transaction;

#[cfg(test)]
mod tests;

use crate::error::Result;
use crate::events::{Direction, PiTrail, Sink};
use crate::net::Clock;

/// What an operation brings along: its limits, its listener, and who keeps the last reply.
pub struct Context<'a> {
    pub clock: &'a Clock,
    pub sink: &'a dyn Sink,
    /// Called with each whole reply as LastReply shows it.
    pub last_reply: &'a dyn Fn(&str),
    /// A received line longer than this is traced in pieces (MaxLineLength).
    pub max_line: usize,
}

impl Context<'_> {
    /// One PITrail event: a line without its line end.
    pub fn trace(&self, direction: Direction, line: &[u8]) -> Result<()> {
        self.sink.pi_trail(&PiTrail { direction: direction as i32, message: line })
    }
}
