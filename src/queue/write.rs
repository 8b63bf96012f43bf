//! Writes a queue file as its content comes, in constant memory: head, contents, lengths, checksum; sealed where a key is given.

use super::format::{self, Head, Length};
use super::sealed::{SealKey, Sealer};
use super::{Transaction, failed};
use crate::error::Result;
use crate::message::encode::LineEnds;
use crate::message::id;
use ring::digest::{Context, SHA256};
use std::io::Write;

/// What is gathered before it is written.
const BUFFER: usize = 256 * 1024;

pub struct Writer<'a> {
    out: &'a mut dyn Write,
    buffer: Vec<u8>,
    sealer: Option<Sealer>,
    digest: Context,
    lengths: Vec<Length>,
    expected: usize,
    at: Content,
}

/// The content that is being written.
#[derive(Default)]
struct Content {
    open: bool,
    octets: u64,
    eight_bit: bool,
    line_ends: LineEnds,
    /// The last octet was a LF, or there was none.
    ended: bool,
}

impl Writer<'_> {
    pub fn new<'a>(
        out: &'a mut dyn Write,
        key: Option<SealKey>,
        created: i64,
        transactions: &[Transaction],
    ) -> Result<Writer<'a>> {
        let head = Head { created, transactions: transactions.to_vec() }.write()?;
        let mut writer = Writer {
            out,
            buffer: Vec::new(),
            sealer: None,
            digest: Context::new(&SHA256),
            lengths: Vec::new(),
            expected: transactions.len(),
            at: Content::default(),
        };
        if let Some(key) = key {
            let (sealer, header) = Sealer::new(key)?;
            writer.sealer = Some(sealer);
            writer.raw(&header)?;
        }
        writer.put(&head)?;
        Ok(writer)
    }

    /// Begins the next transaction's content.
    pub fn begin(&mut self) -> Result<()> {
        self.end_content()?;
        self.at = Content { open: true, ended: true, ..Content::default() };
        Ok(())
    }

    /// Octets of the content. Their line ends become CRLF, as they go over the wire.
    pub fn write(&mut self, octets: &[u8]) -> Result<()> {
        let mut lines = Vec::with_capacity(octets.len() + 16);
        self.at.line_ends.push(octets, &mut lines);
        let Some(last) = lines.last() else { return Ok(()) };
        self.at.ended = *last == b'\n';
        self.at.octets += lines.len() as u64;
        self.at.eight_bit |= !lines.is_ascii();
        self.put(&lines)
    }

    fn end_content(&mut self) -> Result<()> {
        let at = std::mem::take(&mut self.at);
        if !at.open {
            return Ok(());
        }
        let missing: &[u8] = if at.ended { b"" } else { b"\r\n" };
        self.put(missing)?;
        self.lengths.push(Length { octets: at.octets + missing.len() as u64, eight_bit: at.eight_bit });
        Ok(())
    }

    /// Lengths and checksum.
    pub fn finish(mut self) -> Result<()> {
        self.end_content()?;
        if self.lengths.len() != self.expected {
            return Err(failed("queue", "there are not as many contents as envelopes"));
        }
        let mut tail: String = self.lengths.iter().map(Length::write).collect();
        tail.push_str(&format::end(self.expected));
        self.put(tail.as_bytes())?;
        let digest = id::hex(self.digest.clone().finish().as_ref());
        self.put(format!("{digest}\r\n").as_bytes())?;
        if let Some(sealer) = self.sealer.take() {
            let last = sealer.finish()?;
            self.raw(&last)?;
        }
        self.flush()
    }

    fn put(&mut self, octets: &[u8]) -> Result<()> {
        self.digest.update(octets);
        match self.sealer.as_mut() {
            Some(sealer) => {
                let mut sealed = Vec::with_capacity(octets.len() + 64);
                sealer.push(octets, &mut sealed)?;
                self.raw(&sealed)
            }
            None => self.raw(octets),
        }
    }

    fn raw(&mut self, octets: &[u8]) -> Result<()> {
        if self.buffer.len() + octets.len() > BUFFER {
            self.flush()?;
        }
        if octets.len() >= BUFFER {
            return self.out.write_all(octets).map_err(|e| failed("queue file", e));
        }
        self.buffer.extend_from_slice(octets);
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        let done = self.out.write_all(&self.buffer).map_err(|e| failed("queue file", e));
        self.buffer.clear();
        done
    }
}
