//! A queue file as pure ASCII: a line that says so, then Base64 in lines of 76 with CRLF (RFC 2045 §6.8). For `Queue("*")` when the
//! file has octets that a C string, or somebody's broker, could not carry.

use super::failed;
use super::octets::Octets;
use crate::error::Result;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::sync::Arc;

pub const MAGIC: &[u8] = b"libssmtp-queue-base64 1\r\n";
/// Octets of a line, its characters, and those with the line end.
const PLAIN: u64 = 57;
const LINE: u64 = 76;
const FULL: u64 = LINE + 2;
/// Lines that are decoded at once.
const LINES: u64 = 1024;

pub fn armor(plain: &[u8]) -> String {
    let mut out = String::with_capacity(MAGIC.len() + plain.len() / 57 * 78 + 80);
    out.push_str(std::str::from_utf8(MAGIC).expect("it is ASCII"));
    for line in plain.chunks(PLAIN as usize) {
        base64_simd::STANDARD.encode_append(line, &mut out);
        out.push_str("\r\n");
    }
    out
}

pub struct Armored {
    inner: Arc<dyn Octets>,
    len: u64,
}

impl Armored {
    /// Over octets that begin with [`MAGIC`].
    pub fn open(inner: Arc<dyn Octets>) -> Result<Armored> {
        let body = inner.len() - MAGIC.len() as u64;
        let (lines, rest) = (body / FULL, body % FULL);
        let broken = || failed("queue", "its Base64 is damaged");
        let last = match rest {
            0 => 0,
            3.. if (rest - 2) % 4 == 0 => {
                let mut end = [0; 4];
                inner.read_at(inner.len() - 4, &mut end)?;
                let filled = end[..2].iter().rev().take_while(|b| **b == b'=').count() as u64;
                (rest - 2) / 4 * 3 - filled
            }
            _ => return Err(broken()),
        };
        let mut len = lines * PLAIN + last;
        if rest == 0 && lines > 0 {
            let mut end = [0; 4];
            inner.read_at(inner.len() - 4, &mut end)?;
            len -= end[..2].iter().rev().take_while(|b| **b == b'=').count() as u64;
        }
        Ok(Armored { inner, len })
    }
}

impl Octets for Armored {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        let broken = || failed("queue", "its Base64 is damaged");
        let mut done = 0;
        while done < buffer.len() && offset + (done as u64) < self.len {
            let at = offset + done as u64;
            let (line, skip) = (at / PLAIN, (at % PLAIN) as usize);
            let wanted = ((buffer.len() - done + skip) as u64).div_ceil(PLAIN).min(LINES);
            let mut text = vec![0; (wanted * FULL) as usize];
            let got = self.inner.read_at(MAGIC.len() as u64 + line * FULL, &mut text)?;
            let mut plain = Vec::with_capacity((wanted * PLAIN) as usize);
            for line in text[..got].chunks(FULL as usize) {
                let line = line.strip_suffix(b"\r\n").ok_or_else(broken)?;
                STANDARD.decode_vec(line, &mut plain).map_err(|_| broken())?;
            }
            let plain = plain.get(skip..).filter(|p| !p.is_empty()).ok_or_else(broken)?;
            let count = plain.len().min(buffer.len() - done);
            buffer[done..done + count].copy_from_slice(&plain[..count]);
            done += count;
        }
        Ok(done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::octets::MemoryOctets;

    #[test]
    fn octets_come_back_from_anywhere() {
        for length in [0usize, 1, 2, 3, 56, 57, 58, 59, 113, 114, 5000, 57 * 1024 + 3, 200_000] {
            let plain: Vec<u8> = (0..length).map(|n| (n * 7 + n / 256) as u8).collect();
            let text = armor(&plain);
            assert!(text.is_ascii());
            let armored = Armored::open(Arc::new(MemoryOctets(text.into_bytes()))).unwrap();
            assert_eq!(armored.len(), length as u64, "{length}");
            for (from, count) in [(0, length + 5), (length / 2, 100), (length.saturating_sub(1), 10), (3, 61)] {
                let mut buffer = vec![0; count];
                let got = armored.read_at(from as u64, &mut buffer).unwrap();
                let end = (from + count).min(length);
                assert_eq!(&buffer[..got], plain.get(from..end).unwrap_or(&[]), "{length}: {count} from {from}");
            }
        }
    }

    #[test]
    fn damaged_base64_is_an_error_and_never_a_panic() {
        let text = armor(&[5; 500]).into_bytes();
        for cut in MAGIC.len()..text.len() {
            if let Ok(armored) = Armored::open(Arc::new(MemoryOctets(text[..cut].to_vec()))) {
                let mut buffer = vec![0; 600];
                let _ = armored.read_at(0, &mut buffer);
            }
        }
        for at in MAGIC.len()..text.len() {
            let mut changed = text.clone();
            changed[at] = b'*';
            if let Ok(armored) = Armored::open(Arc::new(MemoryOctets(changed))) {
                let mut buffer = vec![0; 600];
                assert!(armored.read_at(0, &mut buffer).is_err(), "{at}");
            }
        }
    }
}
