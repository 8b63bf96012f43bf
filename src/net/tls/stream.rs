//! A secured connection as a [`Stream`]: rustls above another stream, whose deadlines and interrupts hold here too.
//!
//! Records leave gathered: sixteen of them, 256 KiB of plaintext, in one write of the stream below. Many small parts are
//! copied together first, so that they don't become many small records.

use super::binding::{EXPORTER_LABEL, EXPORTER_LENGTH};
use super::fault;
use crate::error::{Code, Error, Result};
use crate::net::{Clock, Stream, from_io};
use rustls::{ClientConnection, ProtocolVersion};
use std::io::{self, BufRead, IoSlice, Read, Write};
use std::net::SocketAddr;
use std::sync::Once;
use std::time::{Duration, Instant};

/// Plaintext of one write: 16 full records.
pub(super) const WINDOW: usize = 16 * 16_384;

/// A write from which on it pays to keep the memory of records.
const LARGE: usize = 2 * 16_384;

/// More parts than this in one window are copied together.
const MANY: usize = 64;

/// Records of one flight of a handshake.
const FEW: usize = 4;

/// Bytes without any data among them that a server may send: it has no use for that much.
pub(super) const IDLE: usize = 1 << 20;

/// How long a last word, an alert or close_notify, may take.
const LAST_WORD: Duration = Duration::from_millis(500);

/// How the peer's half ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Announced by close_notify.
    Clean,
    /// The connection below ended without: what came before may have been cut short by anybody.
    Truncated,
}

/// A TLS connection after its handshake.
pub struct TlsStream {
    inner: Box<dyn Stream>,
    conn: ClientConnection,
    label: String,
    end: Option<End>,
    /// A fault that came behind data which is still to be read.
    late: Option<Error>,
    /// An error left the records of one direction in the middle of something.
    broken: bool,
    closed: bool,
    /// What came since the last data.
    idle: usize,
    /// What of the last write went at most.
    went: u64,
    /// Small parts on their way into one record.
    gathered: Vec<u8>,
}

/// The stream below as rustls wants it, for one call; keeps the error that io::Error can't hold.
pub(super) struct Wire<'a> {
    pub stream: &'a mut dyn Stream,
    pub clock: &'a Clock,
    pub more: bool,
    pub error: Option<Error>,
    /// What came first in a call that read.
    pub first: Option<u8>,
}

impl<'a> Wire<'a> {
    pub fn new(stream: &'a mut dyn Stream, clock: &'a Clock) -> Wire<'a> {
        Wire { stream, clock, more: false, error: None, first: None }
    }

    fn keep<T>(&mut self, result: Result<T>) -> io::Result<T> {
        result.map_err(|error| {
            self.error = Some(error);
            io::Error::other("the stream below failed")
        })
    }

    /// The stream's own error, where there is one.
    pub fn cause(&mut self, error: &io::Error, label: &str) -> Error {
        self.error.take().unwrap_or_else(|| from_io(error, &format!("connection to {label}")))
    }
}

impl Read for Wire<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let result = self.stream.read(buf, self.clock);
        let count = self.keep(result)?;
        self.first = buf[..count].first().copied();
        Ok(count)
    }
}

impl Write for Wire<'_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(buf)])
    }

    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        let total = parts.iter().map(|part| part.len()).sum();
        // The stream below uses its parts up. The few of a handshake's flight cost no memory of their own.
        let (mut few, mut many) = ([IoSlice::new(&[]); FEW], Vec::new());
        let parts = match few.get_mut(..parts.len()) {
            Some(few) => {
                few.copy_from_slice(parts);
                few
            }
            None => {
                many.extend_from_slice(parts);
                &mut many[..]
            }
        };
        let result = if self.more {
            self.stream.write_more(parts, self.clock)
        } else {
            self.stream.write_all(parts, self.clock)
        };
        self.keep(result)?;
        Ok(total)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Sends everything that rustls has to say.
pub(super) fn flush(conn: &mut ClientConnection, wire: &mut Wire<'_>, label: &str) -> Result<()> {
    while conn.wants_write() {
        conn.write_tls(wire).map_err(|error| wire.cause(&error, label))?;
    }
    Ok(())
}

/// The limits of a last word, which no interrupt or deadline of the operation should keep from being said or wait for.
pub(super) fn last_word() -> Clock {
    let mut clock = Clock::unlimited();
    clock.inactivity = Some(LAST_WORD);
    clock.absolute = Instant::now().checked_add(LAST_WORD);
    clock
}

impl TlsStream {
    pub(super) fn new(inner: Box<dyn Stream>, conn: ClientConnection, label: String) -> TlsStream {
        TlsStream {
            inner,
            conn,
            label,
            end: None,
            late: None,
            broken: false,
            closed: false,
            idle: 0,
            went: 0,
            gathered: Vec::new(),
        }
    }

    /// How the peer's half ended, once a read returned 0.
    pub fn end(&self) -> Option<End> {
        self.end
    }

    fn open(&self) -> Result<()> {
        if self.closed || self.broken {
            let how = if self.closed { "closed" } else { "broken" };
            return Err(Error::new(Code::SocketNotConnected, format!("the TLS connection to {} is {how}", self.label)));
        }
        Ok(())
    }

    /// Reads from below once, and takes apart what came.
    fn fill(&mut self, clock: &Clock) -> Result<()> {
        let mut wire = Wire::new(&mut *self.inner, clock);
        match self.conn.read_tls(&mut wire) {
            Ok(0) => {
                self.end = Some(End::Truncated);
                return Ok(());
            }
            Ok(count) => self.idle += count,
            Err(error) => return Err(wire.cause(&error, &self.label)),
        }
        if self.idle > IDLE {
            self.broken = true;
            let text = format!("{} sends TLS records without end and no data", self.label);
            return Err(Error::new(Code::ConnectionDropped, text));
        }
        match self.conn.process_new_packets() {
            Ok(state) => {
                if state.plaintext_bytes_to_read() > 0 {
                    self.idle = 0;
                }
                if state.peer_has_closed() {
                    self.end = Some(End::Clean);
                }
                // The answer to a key update. A peer that takes none will be met at the next write or read.
                self.flush(false, clock)
            }
            Err(error) => {
                self.late = Some(fault::later(&error, &self.label));
                self.say_goodbye();
                self.broken = true;
                Ok(())
            }
        }
    }

    /// The alert that rustls has ready, if the peer takes it.
    fn say_goodbye(&mut self) {
        let clock = last_word();
        let _ = flush(&mut self.conn, &mut Wire::new(&mut *self.inner, &clock), &self.label);
    }

    fn flush(&mut self, more: bool, clock: &Clock) -> Result<()> {
        let mut wire = Wire::new(&mut *self.inner, clock);
        wire.more = more;
        let done = flush(&mut self.conn, &mut wire, &self.label);
        // Part of a record may be out, and nothing can follow it.
        self.broken |= done.is_err();
        done
    }

    /// Plaintext that is there already.
    fn buffered(&mut self) -> bool {
        self.conn.reader().fill_buf().is_ok_and(|data| !data.is_empty())
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
            let (count, size) = window(parts);
            if size >= LARGE {
                keep_memory();
            }
            let taken = if count > MANY {
                let mut gathered = std::mem::take(&mut self.gathered);
                gathered.clear();
                for part in &parts[..count] {
                    gathered.extend_from_slice(&part[..part.len().min(size - gathered.len())]);
                }
                let taken = self.conn.writer().write(&gathered);
                self.gathered = gathered;
                taken
            } else {
                self.conn.writer().write_vectored(&parts[..count])
            };
            let taken = taken.map_err(|error| from_io(&error, &format!("TLS connection to {}", self.label)))?;
            if taken == 0 {
                return Err(Error::new(Code::Internal, "the TLS connection takes no data"));
            }
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

/// rustls allocates each record, and a window of them is free again once it is written. glibc would hand that memory back to
/// the system every time and fault it in anew, which costs as much as the encryption; a larger block that was freed once shows
/// it that such sizes come and go (M_TRIM_THRESHOLD in mallopt(3), which adapts to that). Elsewhere this does nothing.
fn keep_memory() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| drop(std::hint::black_box(Vec::<u8>::with_capacity(4 * WINDOW))));
}

/// The parts of one window, the last of them perhaps not whole, and their bytes.
fn window(parts: &[IoSlice<'_>]) -> (usize, usize) {
    let mut size = 0;
    for (index, part) in parts.iter().enumerate() {
        size += part.len();
        if size >= WINDOW {
            return (index + 1, WINDOW);
        }
    }
    (parts.len(), size)
}

impl Stream for TlsStream {
    fn read(&mut self, buf: &mut [u8], clock: &Clock) -> Result<usize> {
        clock.interrupt.check()?;
        if buf.is_empty() {
            return Err(Error::new(Code::InvalidArgument, "a read needs room for at least one byte"));
        }
        let deadline = clock.deadline();
        loop {
            // Zero, or an error, is only the lack of data here: what it means is known from `fill`.
            if let Ok(count @ 1..) = self.conn.reader().read(buf) {
                return Ok(count);
            }
            if let Some(error) = self.late.take() {
                return Err(error);
            }
            if self.end.is_some() {
                return Ok(0);
            }
            self.open()?;
            // Records that bring no data don't count as signs of life.
            if deadline.is_some_and(|end| Instant::now() >= end) {
                return Err(clock.timed_out(&format!("data from {}", self.label)));
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
            if self.buffered() || self.late.is_some() || self.end.is_some() {
                return Ok(true);
            }
            self.open()?;
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
            // A session ticket alone is nothing to read; an error is, and the next read tells it.
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

    /// Made when it is asked for, since few logins want it. Below TLS 1.3 it would need the extended master secret, which is not
    /// reported.
    fn exporter(&mut self) -> Option<Vec<u8>> {
        if self.conn.protocol_version() != Some(ProtocolVersion::TLSv1_3) {
            return None;
        }
        self.conn.export_keying_material(vec![0; EXPORTER_LENGTH], EXPORTER_LABEL, Some(b"")).ok()
    }

    fn close(&mut self) {
        if !self.closed && !self.broken && self.end != Some(End::Truncated) {
            self.conn.send_close_notify();
            self.say_goodbye();
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

impl Drop for TlsStream {
    fn drop(&mut self) {
        self.close();
    }
}
