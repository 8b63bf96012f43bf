//! A message on its way from its queue file to the server: read again as it is sent, and checked again, so that what was changed
//! since the first check never gets its end and is not taken by the server.

use super::failed;
use super::octets::{Octets, exactly};
use crate::error::Result;
use crate::message::body::{Opener, Source};
use crate::message::bytes::Bytes;
use ring::digest::{Context, Digest, SHA256};
use std::sync::Arc;

const BUFFER: usize = 256 * 1024;
/// A header section is looked for so far.
const HEADERS: usize = 256 * 1024;

/// The parts of a content: its header section, and the body behind it.
#[derive(Debug)]
pub struct ContentPiece {
    pub headers: Vec<u8>,
    pub body: Body,
}

#[derive(Debug)]
pub enum Body {
    /// Small: checked and kept.
    Kept(Bytes),
    Read(Arc<dyn Opener>),
}

impl ContentPiece {
    pub fn new(octets: Arc<dyn Octets>, start: u64, length: u64, digest: Digest) -> Result<ContentPiece> {
        let small = length <= BUFFER as u64;
        let front = exactly(&*octets, start, if small { length as usize } else { HEADERS })?;
        let split = memchr::memmem::find(&front, b"\r\n\r\n").map_or(0, |at| at + 4);
        let headers = front[..split].to_vec();
        if small {
            let mut check = Context::new(&SHA256);
            check.update(&front);
            if check.finish().as_ref() != digest.as_ref() {
                return Err(changed());
            }
            return Ok(ContentPiece { headers, body: Body::Kept(front[split..].into()) });
        }
        let range = Range { octets, start, length, headers: headers.clone(), digest };
        Ok(ContentPiece { headers, body: Body::Read(Arc::new(range)) })
    }
}

fn changed() -> crate::error::Error {
    failed("queue", "the file was changed while it was sent")
}

struct Range {
    octets: Arc<dyn Octets>,
    start: u64,
    length: u64,
    headers: Vec<u8>,
    digest: Digest,
}

impl std::fmt::Debug for Range {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Range({}, {})", self.start, self.length)
    }
}

impl Opener for Range {
    fn open(&self) -> Result<Box<dyn Source>> {
        // The header section was read before and is not read again: what is checked is what was said.
        let mut check = Context::new(&SHA256);
        check.update(&self.headers);
        let skipped = self.headers.len() as u64;
        Ok(Box::new(RangeSource {
            octets: Arc::clone(&self.octets),
            at: self.start + skipped,
            end: self.start + self.length,
            total: self.length - skipped,
            check: Some(check),
            digest: self.digest,
            buffer: Vec::new(),
        }))
    }

    fn size(&self) -> Option<u64> {
        Some(self.length - self.headers.len() as u64)
    }

    fn again(&self) -> bool {
        true
    }
}

struct RangeSource {
    octets: Arc<dyn Octets>,
    at: u64,
    end: u64,
    total: u64,
    check: Option<Context>,
    digest: Digest,
    buffer: Vec<u8>,
}

impl Source for RangeSource {
    fn next(&mut self) -> Result<Option<&[u8]>> {
        let want = BUFFER.min(usize::try_from(self.end - self.at).unwrap_or(BUFFER));
        self.buffer.resize(want, 0);
        if self.octets.read_at(self.at, &mut self.buffer)? < want {
            return Err(changed());
        }
        self.at += want as u64;
        if let Some(check) = self.check.as_mut() {
            check.update(&self.buffer);
        }
        if self.at == self.end
            && let Some(check) = self.check.take()
            && check.finish().as_ref() != self.digest.as_ref()
        {
            return Err(changed());
        }
        Ok((want > 0).then_some(&self.buffer[..]))
    }

    fn total(&self) -> Option<u64> {
        Some(self.total)
    }
}
