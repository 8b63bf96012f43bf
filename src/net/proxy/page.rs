//! The page behind a 407 in chunks (RFC 9112 §7.1), which is read so that the connection can be used again.

use super::Line;
use crate::error::Result;

/// The longest line: a size with its extensions, or a trailer.
const LONGEST_LINE: usize = 4096;

/// Takes the chunks and trailers off the line, of which `early` came already. False when they are malformed, too long, or cut:
/// the connection is of no use then.
pub(super) fn skip_chunks(line: &mut Line, early: &[u8], limit: usize) -> Result<bool> {
    let mut octets = Octets { line, early, taken: 0 };
    let mut total = 0usize;
    loop {
        let Some(head) = octets.line()? else { return Ok(false) };
        let digits = head.split(|b| *b == b';').next().unwrap_or_default().trim_ascii();
        let size =
            std::str::from_utf8(digits).ok().filter(|d| !d.is_empty() && d.bytes().all(|b| b.is_ascii_hexdigit()));
        let Some(size) = size.and_then(|digits| usize::from_str_radix(digits, 16).ok()) else { return Ok(false) };
        if size == 0 {
            break;
        }
        total = total.saturating_add(size);
        if total > limit {
            return Ok(false);
        }
        for _ in 0..size {
            if octets.next()?.is_none() {
                return Ok(false);
            }
        }
        if octets.line()?.is_none_or(|rest| !rest.is_empty()) {
            return Ok(false);
        }
    }
    loop {
        match octets.line()? {
            None => return Ok(false),
            // What came behind the end belongs to nothing.
            Some(trailer) if trailer.is_empty() => return Ok(octets.taken >= octets.early.len()),
            Some(trailer) => {
                total += trailer.len() + 2;
                if total > limit {
                    return Ok(false);
                }
            }
        }
    }
}

/// Octets one by one, those that came first first.
struct Octets<'a, 'b> {
    line: &'a mut Line<'b>,
    early: &'a [u8],
    taken: usize,
}

impl Octets<'_, '_> {
    fn next(&mut self) -> Result<Option<u8>> {
        if let Some(octet) = self.early.get(self.taken) {
            self.taken += 1;
            return Ok(Some(*octet));
        }
        let mut octet = [0];
        Ok(match self.line.stream.read(&mut octet, self.line.clock)? {
            0 => None,
            _ => Some(octet[0]),
        })
    }

    /// Without its end.
    fn line(&mut self) -> Result<Option<Vec<u8>>> {
        let mut text = Vec::new();
        while text.len() < LONGEST_LINE {
            match self.next()? {
                None => return Ok(None),
                Some(b'\n') => {
                    if text.last() == Some(&b'\r') {
                        text.pop();
                    }
                    return Ok(Some(text));
                }
                Some(octet) => text.push(octet),
            }
        }
        Ok(None)
    }
}
