//! What both providers hold a server to while it answers in a handshake: its time, how much it may say, and that it is TLS.

use super::fault::failed;
use super::stream::IDLE;
use crate::error::Result;
use crate::net::Clock;
use std::time::Instant;

/// What may be expected of a server as its first byte: the content types of records.
const CONTENT_TYPES: std::ops::RangeInclusive<u8> = 20..=24;

/// The bounds of one handshake, and what came of them so far.
pub(super) struct Patience<'a> {
    label: &'a str,
    clock: &'a Clock,
    deadline: Option<Instant>,
    total: usize,
}

impl<'a> Patience<'a> {
    pub fn new(label: &'a str, clock: &'a Clock) -> Patience<'a> {
        Patience { label, clock, deadline: clock.deadline(), total: 0 }
    }

    /// Whether there is time left. Pieces of a flight are no progress, so none of them moves the end.
    pub fn check(&self) -> Result<()> {
        if self.deadline.is_some_and(|end| Instant::now() >= end) {
            return Err(self.clock.timed_out(&format!("the TLS handshake of {}", self.label)));
        }
        Ok(())
    }

    /// Somebody was asked, who may have taken their time.
    pub fn renew(&mut self) {
        self.deadline = self.clock.deadline();
    }

    /// So many bytes came, with this one in front.
    pub fn came(&mut self, count: usize, first: Option<u8>) -> Result<()> {
        let begins = self.total == 0;
        self.total += count;
        let why = if count == 0 {
            "the server closed the connection"
        } else if self.total > IDLE {
            "the server sends without end"
        } else if begins && first.is_some_and(|first| !CONTENT_TYPES.contains(&first)) {
            "the server does not answer with TLS"
        } else {
            return Ok(());
        };
        Err(failed(self.label, why))
    }
}
