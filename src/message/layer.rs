//! Layers over a body: what a signature or an encryption makes of octets while they are read, without knowing either. A message
//! holds them as trait objects, since the cryptography lies a floor above.

use std::fmt;

use super::encode::LineEnds;
use super::mime::Entity;
use super::transfer::PORTION;
use crate::error::Result;

/// One pass over content.
pub trait Filter: Send {
    fn update(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<()>;
    /// All the content at once, in these pieces; the end is still to be told.
    fn whole(&mut self, pieces: &[&[u8]], out: &mut Vec<u8>) -> Result<()> {
        pieces.iter().flat_map(|piece| piece.chunks(PORTION)).try_for_each(|portion| self.update(portion, out))
    }
    /// The end of the content, which the pass may refuse.
    fn finish(&mut self, out: &mut Vec<u8>) -> Result<()>;
    /// How many octets come out in all, where that is known beforehand.
    fn total(&self) -> Option<u64> {
        None
    }
}

/// Makes passes.
pub trait Layer: Send + Sync {
    /// Begins a pass over content of this length, where that is known; content of another length fails then. `announced`: so does a
    /// result of another length than `length` says.
    fn open(&self, length: Option<u64>, announced: bool) -> Result<Box<dyn Filter>>;
    /// What so many octets become, where that is known.
    fn length(&self, content: u64) -> Option<u64>;
}

/// Turns one MIME entity into another: an operation of S/MIME that is carried out while the message is sent.
pub trait Wrap: Send + Sync {
    /// `edition` 0 is what everyone gets, others are those of the recipients apart, in their order.
    fn wrap(&self, inner: Entity, edition: usize) -> Result<Entity>;
    /// Whether it can be done at all: keys, certificates and algorithms, tried without content.
    fn check(&self) -> Result<()>;
}

// Not bounds of the traits: each implementor's own would be in its table, and so in the library, where nobody prints one.
impl fmt::Debug for dyn Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Layer")
    }
}

impl fmt::Debug for dyn Wrap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wrap")
    }
}

/// Line ends of unknown text made CRLF: what is signed must look the same to everyone (RFC 8551 section 3.1.1).
#[derive(Debug)]
pub struct Canonical;

impl Layer for Canonical {
    fn open(&self, _length: Option<u64>, _announced: bool) -> Result<Box<dyn Filter>> {
        Ok(Box::new(LineEnds::default()))
    }

    fn length(&self, _content: u64) -> Option<u64> {
        None
    }
}

impl Filter for LineEnds {
    fn update(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<()> {
        self.push(input, out);
        Ok(())
    }

    fn finish(&mut self, _out: &mut Vec<u8>) -> Result<()> {
        Ok(())
    }
}
