//! LogSSLPackets: tells of every TLS record that passes, in either direction (RFC 8446 §5.1). What is told is what anybody
//! on the way sees too: headers, and the beginning of what is mostly encrypted.

use crate::error::Result;
use crate::net::{Clock, Stream};
use std::fmt::Write as _;
use std::io::IoSlice;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// Who is told. An error ends what was going on.
pub type Tell = Arc<dyn Fn(&str) -> Result<()> + Send + Sync>;

const HEADER: usize = 5;
/// Bytes of a record that are shown.
const SHOWN: usize = 32;

/// A stream that is listened to; to be put below TLS.
pub struct Packets {
    inner: Box<dyn Stream>,
    tell: Tell,
    sent: Records,
    received: Records,
}

impl Packets {
    pub fn new(inner: Box<dyn Stream>, tell: Tell) -> Packets {
        Packets { inner, tell, sent: Records::new("sent"), received: Records::new("received") }
    }

    fn say(&self, lines: &[String]) -> Result<()> {
        lines.iter().try_for_each(|line| (self.tell)(line))
    }
}

/// One direction, cut into records. They come in any pieces.
struct Records {
    way: &'static str,
    /// The header and the first bytes of the record that passes.
    head: Vec<u8>,
    /// Bytes of it that passed, its header too.
    passed: usize,
}

impl Records {
    fn new(way: &'static str) -> Records {
        Records { way, head: Vec::with_capacity(HEADER + SHOWN), passed: 0 }
    }

    /// Takes what passes; a line for every record that is complete with it.
    fn take(&mut self, mut bytes: &[u8], lines: &mut Vec<String>) {
        while !bytes.is_empty() {
            let room = (HEADER + SHOWN).saturating_sub(self.head.len());
            let total = self.length();
            let count = match total {
                // Up to the end of the header, so that its length is known before anything behind it.
                None => bytes.len().min(HEADER - self.head.len()),
                Some(total) => bytes.len().min(total - self.passed),
            };
            self.head.extend_from_slice(&bytes[..count.min(room)]);
            self.passed += count;
            bytes = &bytes[count..];
            if self.length() == Some(self.passed) {
                lines.push(self.line());
                self.head.clear();
                self.passed = 0;
            }
        }
    }

    /// Of the whole record, once its header is there.
    fn length(&self) -> Option<usize> {
        let header = self.head.get(..HEADER)?;
        Some(HEADER + usize::from(u16::from_be_bytes([header[3], header[4]])))
    }

    fn line(&self) -> String {
        let head = &self.head;
        let kind = match head[0] {
            20 => "change_cipher_spec",
            21 => "alert",
            22 => "handshake",
            23 => "application_data",
            _ => "unknown",
        };
        let length = self.passed - HEADER;
        let mut line = format!("TLS record {}: {kind}, version {}.{}, {length} bytes", self.way, head[1], head[2]);
        for byte in &head[HEADER..] {
            // Writing to a String cannot fail.
            let _ = write!(line, " {byte:02x}");
        }
        if length > SHOWN {
            line.push_str(" …");
        }
        line
    }
}

impl Stream for Packets {
    fn read(&mut self, buf: &mut [u8], clock: &Clock) -> Result<usize> {
        let count = self.inner.read(buf, clock)?;
        let mut lines = Vec::new();
        self.received.take(&buf[..count], &mut lines);
        self.say(&lines)?;
        Ok(count)
    }

    fn write_all(&mut self, parts: &mut [IoSlice<'_>], clock: &Clock) -> Result<()> {
        let mut lines = Vec::new();
        parts.iter().for_each(|part| self.sent.take(part, &mut lines));
        self.inner.write_all(parts, clock)?;
        self.say(&lines)
    }

    fn write_more(&mut self, parts: &mut [IoSlice<'_>], clock: &Clock) -> Result<()> {
        let mut lines = Vec::new();
        parts.iter().for_each(|part| self.sent.take(part, &mut lines));
        self.inner.write_more(parts, clock)?;
        self.say(&lines)
    }

    fn readable(&mut self, wait: Duration, clock: &Clock) -> Result<bool> {
        self.inner.readable(wait, clock)
    }

    fn close(&mut self) {
        self.inner.close();
    }

    fn local_addr(&self) -> Option<SocketAddr> {
        self.inner.local_addr()
    }

    fn peer_addr(&self) -> Option<SocketAddr> {
        self.inner.peer_addr()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_told_whole_however_they_are_cut() {
        let mut bytes = vec![22, 3, 1, 0, 3, 1, 2, 3, 23, 3, 3, 0, 40];
        bytes.extend([7; 40]);
        bytes.extend([21, 3, 3, 0, 0, 20, 3, 3]);
        let told = |size: usize| {
            let (mut records, mut lines) = (Records::new("sent"), Vec::new());
            bytes.chunks(size).for_each(|piece| records.take(piece, &mut lines));
            lines
        };
        let whole = told(1_000);
        assert_eq!(whole[0], "TLS record sent: handshake, version 3.1, 3 bytes 01 02 03");
        assert!(
            whole[1].starts_with("TLS record sent: application_data, version 3.3, 40 bytes 07")
                && whole[1].ends_with('…')
        );
        assert_eq!(whole[2], "TLS record sent: alert, version 3.3, 0 bytes");
        assert_eq!(whole.len(), 3);
        for size in 1..20 {
            assert_eq!(told(size), whole, "{size}");
        }
    }
}
