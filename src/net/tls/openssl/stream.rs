//! A connection secured by OpenSSL as a [`Stream`]: the twin of `TlsStream`, whose bounds hold here too.

use super::foreign::{Connection, Step, Tray};
use super::{Entry, PIECE, fault, flush, shape};
use crate::error::{Code, Error, Result};
use crate::net::tls::Version;
use crate::net::tls::binding::{EXPORTER_LABEL, EXPORTER_LENGTH};
use crate::net::tls::stream::{End, IDLE, WINDOW, last_word};
use crate::net::{Clock, Stream};
use std::io::IoSlice;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A TLS connection after its handshake.
pub struct OpensslStream {
    inner: Box<dyn Stream>,
    connection: Connection,
    /// Takes the sessions that still come.
    entry: Arc<Entry>,
    end: Option<End>,
    /// A fault that came behind data which is still to be read, or on the look for data.
    late: Option<Error>,
    broken: bool,
    closed: bool,
    /// What came since the last data.
    idle: usize,
    /// What of the last write went at most.
    went: u64,
    incoming: Vec<u8>,
    /// Parts on their way into records.
    gathered: Vec<u8>,
}

impl OpensslStream {
    pub(super) fn new(inner: Box<dyn Stream>, connection: Connection, entry: Arc<Entry>) -> OpensslStream {
        OpensslStream {
            inner,
            connection,
            entry,
            end: None,
            late: None,
            broken: false,
            closed: false,
            idle: 0,
            went: 0,
            incoming: vec![0; PIECE],
            gathered: Vec::new(),
        }
    }

    fn open(&self) -> Result<()> {
        if self.closed || self.broken {
            let how = if self.closed { "closed" } else { "broken" };
            return Err(Error::new(
                Code::SocketNotConnected,
                format!("the TLS connection to {} is {how}", self.entry.label),
            ));
        }
        Ok(())
    }

    /// What a call of the library that reads came to; `None` when it needs more from below. Its answers (to a key update) go out.
    fn take(&mut self, (step, mut tray): (Step, Tray), clock: &Clock) -> Result<Option<usize>> {
        self.entry.absorb(&mut tray);
        let count = match step {
            Step::Done(count) => {
                self.idle = 0;
                Some(count)
            }
            Step::Wants => None,
            Step::Closed => {
                self.end.get_or_insert(End::Clean);
                return Ok(Some(0));
            }
            Step::Failed(reason) => {
                let error = fault::later(&reason, &self.entry.label);
                let _ = flush(&mut self.connection, &mut *self.inner, &last_word());
                self.broken = true;
                return Err(error);
            }
        };
        if !self.closed {
            self.flush(false, clock)?;
        }
        Ok(count)
    }

    /// Reads from below once.
    fn fill(&mut self, clock: &Clock) -> Result<()> {
        let count = self.inner.read(&mut self.incoming, clock)?;
        if count == 0 {
            self.end = Some(End::Truncated);
            return Ok(());
        }
        self.idle += count;
        if self.idle > IDLE {
            self.broken = true;
            let text = format!("{} sends TLS records without end and no data", self.entry.label);
            return Err(Error::new(Code::ConnectionDropped, text));
        }
        let full = || Error::new(Code::Internal, "OpenSSL takes no more data");
        self.connection.feed(&self.incoming[..count]).ok_or_else(full)
    }

    fn flush(&mut self, more: bool, clock: &Clock) -> Result<()> {
        let pending = self.connection.pending();
        if pending.is_empty() {
            return Ok(());
        }
        let mut parts = [IoSlice::new(pending)];
        let done =
            if more { self.inner.write_more(&mut parts, clock) } else { self.inner.write_all(&mut parts, clock) };
        self.connection.sent();
        // Part of a record may be out, and nothing can follow it.
        self.broken |= done.is_err();
        done
    }

    fn send(&mut self, mut parts: &mut [IoSlice<'_>], more: bool, clock: &Clock) -> Result<()> {
        self.went = 0;
        self.open()?;
        IoSlice::advance_slices(&mut parts, 0);
        if parts.is_empty() {
            return if more { Ok(()) } else { self.inner.write_all(&mut [], clock) };
        }
        while !parts.is_empty() {
            clock.check()?;
            let mut gathered = std::mem::take(&mut self.gathered);
            gathered.clear();
            // The library takes one slice a call: a large one as it is, small ones together, in full records.
            let whole = parts[0].len() >= WINDOW;
            let data: &[u8] = if whole || parts.len() == 1 {
                &parts[0][..parts[0].len().min(WINDOW)]
            } else {
                for part in parts.iter() {
                    gathered.extend_from_slice(&part[..part.len().min(WINDOW - gathered.len())]);
                    if gathered.len() == WINDOW {
                        break;
                    }
                }
                &gathered
            };
            let (step, mut tray) = self.connection.write(data);
            self.gathered = gathered;
            self.entry.absorb(&mut tray);
            let taken = match step {
                Step::Done(taken) => taken,
                Step::Failed(reason) => {
                    self.broken = true;
                    return Err(fault::later(&reason, &self.entry.label));
                }
                Step::Wants | Step::Closed => {
                    self.broken = true;
                    return Err(Error::new(Code::Internal, "the TLS connection takes no data"));
                }
            };
            IoSlice::advance_slices(&mut parts, taken);
            let done = self.flush(more || !parts.is_empty(), clock);
            // Records are longer than what is in them.
            let below = if done.is_ok() { u64::MAX } else { self.inner.went() };
            self.went += below.min(taken as u64);
            done?;
        }
        Ok(())
    }
}

impl Stream for OpensslStream {
    fn read(&mut self, buf: &mut [u8], clock: &Clock) -> Result<usize> {
        clock.interrupt.check()?;
        if buf.is_empty() {
            return Err(Error::new(Code::InvalidArgument, "a read needs room for at least one byte"));
        }
        if let Some(error) = self.late.take() {
            return Err(error);
        }
        let deadline = clock.deadline();
        loop {
            if !self.broken && self.end != Some(End::Clean) {
                // What came before the end is still to be read.
                let came = self.connection.read(buf);
                match self.take(came, clock)? {
                    Some(count) => return Ok(count),
                    None if self.end.is_some() => return Ok(0),
                    None => {}
                }
            }
            if self.end.is_some() {
                return Ok(0);
            }
            self.open()?;
            // Records that bring no data don't count as signs of life.
            if deadline.is_some_and(|end| Instant::now() >= end) {
                return Err(clock.timed_out(&format!("data from {}", self.entry.label)));
            }
            self.fill(clock)?;
        }
    }

    fn write_all(&mut self, parts: &mut [IoSlice<'_>], clock: &Clock) -> Result<()> {
        self.send(parts, false, clock)
    }

    fn write_more(&mut self, parts: &mut [IoSlice<'_>], clock: &Clock) -> Result<()> {
        self.send(parts, true, clock)
    }

    fn went(&self) -> u64 {
        self.went
    }

    fn readable(&mut self, wait: Duration, clock: &Clock) -> Result<bool> {
        clock.interrupt.check()?;
        let end = Instant::now().checked_add(wait);
        // What is there already may take a few rounds, an endless flow of tickets gets no more.
        let mut late = 0;
        loop {
            if self.late.is_some() || self.end.is_some() {
                return Ok(true);
            }
            self.open()?;
            let came = self.connection.peek();
            match self.take(came, clock) {
                Ok(Some(_)) => return Ok(true),
                Ok(None) => {}
                Err(error) if matches!(error.code, Code::Interrupted | Code::Timeout) => return Err(error),
                // The next read tells it.
                Err(error) => {
                    self.late = Some(error);
                    return Ok(true);
                }
            }
            let left = end.map_or(wait, |end| end.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                late += 1;
                if late > 64 {
                    return Ok(false);
                }
            }
            if !self.inner.readable(left, clock)? {
                return Ok(false);
            }
            match self.fill(clock) {
                Err(error) if matches!(error.code, Code::Interrupted | Code::Timeout) => return Err(error),
                Err(error) => {
                    self.broken = true;
                    self.late = Some(error);
                }
                Ok(()) => {}
            }
        }
    }

    fn exporter(&mut self) -> Option<Vec<u8>> {
        let newest = shape::version(&self.connection) == Some(Version::Tls13);
        newest.then(|| self.connection.export(EXPORTER_LABEL, EXPORTER_LENGTH)).flatten()
    }

    fn close(&mut self) {
        if !self.closed && !self.broken && self.end != Some(End::Truncated) {
            self.connection.close();
            let _ = flush(&mut self.connection, &mut *self.inner, &last_word());
        }
        self.closed = true;
        self.inner.close();
    }

    fn local_addr(&self) -> Option<SocketAddr> {
        self.inner.local_addr()
    }

    fn peer_addr(&self) -> Option<SocketAddr> {
        self.inner.peer_addr()
    }
}

impl Drop for OpensslStream {
    fn drop(&mut self) {
        self.close();
    }
}
