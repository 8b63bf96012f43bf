//! Reads a queue file: nothing of it is believed before its checksum, over everything before that, was found right.

use super::content::ContentPiece;
use super::format::{self, CONTENT_LINE, END_LINE, HEAD_LIMIT, Head, Length, UNCOVERED};
use super::octets::{MemoryOctets, Octets, exactly};
use super::sealed::{Keyring, Refused, Sealed};
use super::{Transaction, armor, failed, sealed};
use crate::error::Result;
use crate::message::id;
use ring::digest::{Context, Digest, SHA256};
use std::sync::Arc;

/// What is read at once.
const BUFFER: usize = 128 * 1024;
/// A file up to this is kept: what was checked is what is sent. A larger one is checked again while it is sent.
const KEPT: u64 = 256 * 1024;

/// A queue file that was found whole.
pub struct Stored {
    pub created: i64,
    pub transactions: Vec<Transaction>,
    contents: Vec<Content>,
    octets: Arc<dyn Octets>,
    /// What no other file has, as hex digits.
    pub identity: String,
}

struct Content {
    start: u64,
    length: Length,
    digest: Digest,
}

impl std::fmt::Debug for Stored {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Stored({})", self.identity)
    }
}

impl Stored {
    /// Checks the file and reads its envelopes; armor and seal are taken off.
    pub fn open(octets: Arc<dyn Octets>, keys: Option<&Keyring>) -> std::result::Result<Stored, Refused> {
        let mut octets = octets;
        if begins_with(&*octets, armor::MAGIC)? {
            octets = Arc::new(armor::Armored::open(octets)?);
        }
        let mut identity = None;
        if begins_with(&*octets, sealed::MAGIC)? {
            let sealed = Sealed::open(octets, keys)?;
            identity = Some(id::hex(sealed.identity().as_ref()));
            octets = Arc::new(sealed);
        }
        if octets.len() <= KEPT {
            let count = octets.len() as usize;
            octets = Arc::new(MemoryOctets(exactly(&*octets, 0, count)?));
        }
        Ok(Stored::verify(octets, identity)?)
    }

    fn verify(octets: Arc<dyn Octets>, identity: Option<String>) -> Result<Stored> {
        if !begins_with(&*octets, format::MAGIC.as_bytes())? {
            return Err(failed("queue", "this is no queue file of this version"));
        }
        let cut = || failed("queue", "the file was cut off or changed: its end is missing");
        let len = octets.len();
        let end_at = len.checked_sub(END_LINE as u64).ok_or_else(cut)?;
        let end = exactly(&*octets, end_at, END_LINE)?;
        let (count, digits) = format::read_end(&end).ok_or_else(cut)?;
        let tail_at = end_at.checked_sub((count * CONTENT_LINE) as u64).ok_or_else(cut)?;
        let tail = exactly(&*octets, tail_at, count * CONTENT_LINE)?;
        let lengths = tail.chunks(CONTENT_LINE).map(Length::read).collect::<Option<Vec<Length>>>().ok_or_else(cut)?;
        let total = lengths.iter().try_fold(0u64, |sum, l| sum.checked_add(l.octets)).ok_or_else(cut)?;
        let head_len = tail_at.checked_sub(total).filter(|n| *n <= HEAD_LIMIT as u64).ok_or_else(cut)?;

        let mut whole = Context::new(&SHA256);
        let head = exactly(&*octets, 0, usize::try_from(head_len).map_err(|_| cut())?)?;
        whole.update(&head);
        let mut contents = Vec::with_capacity(count);
        let mut at = head_len;
        let mut buffer = vec![0; BUFFER];
        for length in &lengths {
            let start = at;
            let mut own = Context::new(&SHA256);
            while at < start + length.octets {
                let want = BUFFER.min(usize::try_from(start + length.octets - at).unwrap_or(BUFFER));
                if octets.read_at(at, &mut buffer[..want])? < want {
                    return Err(cut());
                }
                own.update(&buffer[..want]);
                whole.update(&buffer[..want]);
                at += want as u64;
            }
            contents.push(Content { start, length: *length, digest: own.finish() });
        }
        whole.update(&tail);
        whole.update(&end[..END_LINE - UNCOVERED]);
        let found = id::hex(whole.finish().as_ref());
        if found.as_bytes() != digits {
            return Err(failed("queue", "the checksum is wrong: the file was changed"));
        }
        let Head { created, transactions } = Head::read(&head)?;
        if transactions.len() != count {
            return Err(failed("queue", "there are not as many contents as envelopes"));
        }
        Ok(Stored { created, transactions, contents, octets, identity: identity.unwrap_or(found) })
    }

    /// The content of a transaction, to be sent.
    pub fn content(&self, index: usize) -> Result<ContentPiece> {
        let content = self.contents.get(index).ok_or_else(|| failed("queue", "there is no such content"))?;
        ContentPiece::new(Arc::clone(&self.octets), content.start, content.length.octets, content.digest)
    }

    pub fn is_eight_bit(&self, index: usize) -> bool {
        self.contents.get(index).is_some_and(|content| content.length.eight_bit)
    }
}

fn begins_with(octets: &dyn Octets, magic: &[u8]) -> Result<bool> {
    let mut start = vec![0; magic.len()];
    Ok(octets.read_at(0, &mut start)? == magic.len() && start == magic)
}
