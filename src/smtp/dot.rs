//! Message content as DATA carries it: CRLF line ends, dots stuffed (RFC 5321 §4.5.2), as slices of the caller's bytes.
//! One state machine across chunk borders; the bytes themselves are never copied.

use crate::message::facts::DOT_LINE;
use crate::text::line::{BLOCK, canonical_block};
use std::io::IoSlice;

/// Where the last byte left us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    LineStart,
    Text,
    /// A CR whose LF may be the first byte of the next chunk; it was not written yet.
    Cr,
}

const CRLF: &[u8] = b"\r\n";
const DOT: &[u8] = b".";

/// Repairs line ends, and stuffs dots where the content goes behind DATA.
pub struct Stuffer {
    at: At,
    dots: bool,
}

impl Stuffer {
    /// At the start of a line: behind the empty line that ends the headers.
    pub fn new(dots: bool) -> Stuffer {
        Stuffer { at: At::LineStart, dots }
    }

    /// Appends what is to be written for the next chunk, up to about `limit` slices, and says how much of the chunk that was.
    /// Bare CR and bare LF become CRLF.
    pub fn feed<'a>(&mut self, chunk: &'a [u8], out: &mut Vec<IoSlice<'a>>, limit: usize) -> usize {
        let mut skipped = 0;
        if self.at == At::Cr && !chunk.is_empty() {
            push(out, CRLF);
            self.at = At::LineStart;
            skipped = usize::from(chunk[0] == b'\n');
        }
        let rest = &chunk[skipped..];
        // `from` is the start of the run not yet written, `i` where the scan stands.
        let (mut from, mut i) = (0, 0);
        // A block that needs repair is not looked at as a whole again.
        let mut line_by_line = 0;
        while i < rest.len() {
            if out.len() >= limit {
                push(out, &rest[from..i]);
                return skipped + i;
            }
            if self.dots && self.at == At::LineStart && rest[i] == b'.' {
                push(out, &rest[from..i]);
                push(out, DOT);
                from = i;
            }
            let block = if i < line_by_line { 0 } else { canonical_block(&rest[i..]) };
            if block > 0 {
                self.at = if rest[i + block - 1] == b'\n' { At::LineStart } else { At::Text };
                for dot in DOT_LINE.find_iter(&rest[i..i + block]).filter(|_| self.dots) {
                    let dot = i + dot + 1;
                    push(out, &rest[from..dot]);
                    from = dot;
                    if out.len() >= limit {
                        self.at = At::LineStart;
                        return skipped + dot;
                    }
                    push(out, DOT);
                }
                i += block;
                continue;
            }
            if i >= line_by_line {
                line_by_line = i + BLOCK;
            }
            self.at = At::Text;
            let Some(found) = memchr::memchr2(b'\r', b'\n', &rest[i..]) else { break };
            let end = i + found;
            if rest[end] == b'\n' {
                push(out, &rest[from..end]);
                push(out, CRLF);
                from = end + 1;
                i = from;
                self.at = At::LineStart;
            } else if end + 1 == rest.len() {
                push(out, &rest[from..end]);
                self.at = At::Cr;
                return chunk.len();
            } else if rest[end + 1] == b'\n' {
                i = end + 2;
                self.at = At::LineStart;
            } else {
                push(out, &rest[from..end]);
                push(out, CRLF);
                from = end + 1;
                i = from;
                self.at = At::LineStart;
            }
        }
        push(out, &rest[from..]);
        chunk.len()
    }

    /// Content that is no text comes next: it goes as it is. Gives what the text before it still lacks.
    pub fn binary(&mut self) -> &'static [u8] {
        let owed = std::mem::replace(&mut self.at, At::LineStart) == At::Cr;
        if owed { CRLF } else { b"" }
    }

    /// The next chunk where it is known to have CRLF line ends alone and, unless dots stay, no line that begins with one:
    /// nothing of it is looked at. `None` where what stood before it matters.
    pub fn pass<'a>(&mut self, chunk: &'a [u8]) -> Option<IoSlice<'a>> {
        if self.at == At::Cr {
            return None;
        }
        self.at = if chunk.ends_with(b"\n") { At::LineStart } else { At::Text };
        Some(IoSlice::new(chunk))
    }

    /// The end of the message: the last line's CRLF where it lacks, and the lone dot behind DATA.
    pub fn finish(&mut self) -> &'static [u8] {
        let ended = std::mem::replace(&mut self.at, At::LineStart) == At::LineStart;
        match (self.dots, ended) {
            (true, true) => b".\r\n",
            (true, false) => b"\r\n.\r\n",
            (false, true) => b"",
            (false, false) => CRLF,
        }
    }
}

fn push<'a>(out: &mut Vec<IoSlice<'a>>, bytes: &'a [u8]) {
    if !bytes.is_empty() {
        out.push(IoSlice::new(bytes));
    }
}

/// Content with CRLF line ends and nothing stuffed: what TransferText shows.
pub fn normalise(chunks: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::with_capacity(chunks.iter().map(|c| c.len()).sum());
    let mut cr = false;
    for &byte in chunks.iter().flat_map(|c| c.iter()) {
        match byte {
            b'\n' if cr => cr = false,
            b'\n' => out.extend_from_slice(CRLF),
            _ => {
                cr = byte == b'\r';
                if cr { out.extend_from_slice(CRLF) } else { out.push(byte) }
            }
        }
    }
    out
}

/// How long text becomes when its line ends are repaired and its last line is ended, without making it.
pub struct Length {
    octets: u64,
    cr: bool,
    line_start: bool,
}

impl Default for Length {
    fn default() -> Length {
        Length { octets: 0, cr: false, line_start: true }
    }
}

impl Length {
    pub fn text(&mut self, chunk: &[u8]) {
        self.octets += chunk.len() as u64;
        let (mut from, mut line_by_line) = (0, 0);
        while from < chunk.len() {
            if self.cr && chunk[from] == b'\n' {
                (self.cr, self.line_start) = (false, true);
                from += 1;
                continue;
            }
            if self.cr {
                self.octets += 1;
                (self.cr, self.line_start) = (false, true);
            }
            let block = if from < line_by_line { 0 } else { canonical_block(&chunk[from..]) };
            if block > 0 {
                from += block;
                self.line_start = chunk[from - 1] == b'\n';
                continue;
            }
            if from >= line_by_line {
                line_by_line = from + BLOCK;
            }
            let Some(found) = memchr::memchr2(b'\r', b'\n', &chunk[from..]) else {
                self.line_start = false;
                break;
            };
            if chunk[from + found] == b'\r' {
                self.cr = true;
            } else {
                self.octets += 1;
                self.line_start = true;
            }
            from += found + 1;
        }
    }

    /// Text that is known to have CRLF line ends alone.
    pub fn canonical(&mut self, chunk: &[u8]) {
        if self.cr || chunk.is_empty() {
            return self.text(chunk);
        }
        self.octets += chunk.len() as u64;
        self.line_start = chunk.ends_with(b"\n");
    }

    /// So many octets that are no text.
    pub fn binary(&mut self, octets: u64) {
        if octets == 0 {
            return;
        }
        self.octets += octets + u64::from(self.cr);
        (self.cr, self.line_start) = (false, true);
    }

    pub fn finish(self) -> u64 {
        match (self.cr, self.line_start) {
            (true, _) => self.octets + 1,
            (false, true) => self.octets,
            (false, false) => self.octets + 2,
        }
    }
}

#[cfg(test)]
pub fn normalised_length(chunks: &[&[u8]]) -> u64 {
    let mut length = Length::default();
    chunks.iter().for_each(|chunk| length.text(chunk));
    length.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn wire(body: &[u8], step: usize, limit: usize) -> Vec<u8> {
        let mut stuffer = Stuffer::new(true);
        let mut all = Vec::new();
        for chunk in body.chunks(step.max(1)) {
            let mut done = 0;
            while done < chunk.len() {
                let mut slices = Vec::new();
                done += stuffer.feed(&chunk[done..], &mut slices, limit);
                assert!(slices.len() <= limit + 3);
                slices.iter().for_each(|s| all.extend_from_slice(s));
            }
        }
        all.extend_from_slice(stuffer.finish());
        all
    }

    #[test]
    fn the_classic_cases_come_out_right_in_chunks_of_any_size() {
        for (body, expected) in [
            ("", ".\r\n"),
            (".", "..\r\n.\r\n"),
            ("a", "a\r\n.\r\n"),
            ("a\r\n", "a\r\n.\r\n"),
            ("a\r\n.\r\n", "a\r\n..\r\n.\r\n"),
            ("\n.\n", "\r\n..\r\n.\r\n"),
            ("\n.\r\n", "\r\n..\r\n.\r\n"),
            ("\r.\r", "\r\n..\r\n.\r\n"),
            ("\r\n.\r", "\r\n..\r\n.\r\n"),
            ("\r\n.\n", "\r\n..\r\n.\r\n"),
            (".\r\n", "..\r\n.\r\n"),
            ("..a\r\n.b", "...a\r\n..b\r\n.\r\n"),
            ("a\r\r\nb", "a\r\n\r\nb\r\n.\r\n"),
            ("a\n\rb", "a\r\n\r\nb\r\n.\r\n"),
            ("a\r", "a\r\n.\r\n"),
        ] {
            for step in 1..5 {
                assert_eq!(wire(body.as_bytes(), step, 1 + step % 3), expected.as_bytes(), "{body:?} by {step}");
            }
        }
    }

    #[test]
    fn the_callers_bytes_are_not_copied() {
        let body = b"one\r\ntwo\r\n.three\r\n";
        let mut slices = Vec::new();
        Stuffer::new(true).feed(body, &mut slices, 100);
        assert_eq!(slices.len(), 3);
        assert_eq!(slices[0].as_ptr(), body.as_ptr());
        assert_eq!(slices[2].as_ptr(), body[10..].as_ptr());
    }

    #[test]
    fn text_of_many_blocks_comes_out_as_line_by_line() {
        let line = b"A line of text that is as long as most lines are, and no longer than that.\r\n";
        let clean: Vec<u8> = line.iter().copied().cycle().take(5 * BLOCK + 7).collect();
        for at in [0, 1, 77, BLOCK - 2, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK - 1, 5 * BLOCK] {
            for odd in [&b"\r"[..], b"\n", b"\n.", b"\r\n.", b"\r\n..\r\n.\r\n", b"\r\r\n", b"."] {
                let mut body = clean.clone();
                body.splice(at..at, odd.iter().copied());
                let mut expected = normalise(&[&body]);
                if !expected.ends_with(CRLF) {
                    expected.extend_from_slice(CRLF);
                }
                for step in [body.len(), BLOCK, BLOCK + 1, 4_099] {
                    let wire = wire(&body, step, 3);
                    assert!(receive(&wire) == expected, "{odd:?} at {at} by {step}");
                }
                let mut plain = Stuffer::new(false);
                let mut slices = Vec::new();
                plain.feed(&body, &mut slices, usize::MAX);
                let length = slices.iter().map(|s| s.len()).sum::<usize>() + plain.finish().len();
                assert_eq!(normalised_length(&[&body]), length as u64);
            }
        }
    }

    /// What a strict receiver reads: lines end with CRLF only, one leading dot is taken away.
    fn receive(wire: &[u8]) -> Vec<u8> {
        let text = wire.strip_suffix(b".\r\n").expect("ends with the lone dot");
        let mut out = Vec::new();
        let mut rest = text;
        while let Some(end) = memchr::memmem::find(rest, b"\r\n") {
            let line = &rest[..end + 2];
            assert_ne!(line, b".\r\n", "the message ends early");
            out.extend_from_slice(line.strip_prefix(b".").unwrap_or(line));
            rest = &rest[end + 2..];
        }
        assert!(rest.is_empty());
        out
    }

    proptest! {
        #[test]
        fn a_receiver_gets_the_text_back_with_crlf_and_no_bare_line_end(
            body in proptest::collection::vec(proptest::sample::select(b".\r\nab".to_vec()), 0..60),
            step in 1usize..9,
            limit in 1usize..6,
        ) {
            let wire = wire(&body, step, limit);
            for (i, &b) in wire.iter().enumerate() {
                prop_assert!(b != b'\n' || (i > 0 && wire[i - 1] == b'\r'));
                prop_assert!(b != b'\r' || wire.get(i + 1) == Some(&b'\n'));
            }
            let mut expected = normalise(&[&body]);
            if !expected.is_empty() && !expected.ends_with(b"\r\n") {
                expected.extend_from_slice(b"\r\n");
            }
            let mut plain = Stuffer::new(false);
            let mut slices = Vec::new();
            plain.feed(&body, &mut slices, usize::MAX);
            let mut whole: Vec<u8> = slices.iter().flat_map(|s| s.to_vec()).collect();
            whole.extend_from_slice(plain.finish());
            prop_assert_eq!(&whole, &expected);
            let pieces: Vec<&[u8]> = body.chunks(step).collect();
            prop_assert_eq!(normalised_length(&pieces), expected.len() as u64);
            prop_assert_eq!(receive(&wire), expected);
        }
    }
}
