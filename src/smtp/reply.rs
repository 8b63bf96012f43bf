//! Reply parser: RFC 5321 §4.2, bounded in line, lines and bytes. Does not decide what a code means.

use crate::error::{Code, Error, Result};
use std::borrow::Cow;

/// A server may not make us hold more than this of one reply.
pub const MAX_BYTES: usize = 256 * 1024;
pub const MAX_LINES: usize = 1_000;
pub const MAX_LINE: usize = 64 * 1024;

/// A whole reply: its code, and its lines as they came with CRLF between them, as LastReply reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub code: u16,
    pub text: String,
}

impl Reply {
    /// The lines as they came.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        // No line has an LF in it.
        self.text.split_inclusive('\n').map(|line| line.strip_suffix("\r\n").unwrap_or(line))
    }

    /// The lines without code and separator.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.lines().map(|line| line.get(4..).unwrap_or(""))
    }

    /// 2xx
    pub fn is_positive(&self) -> bool {
        self.code / 100 == 2
    }

    /// All lines in one, for an error text.
    pub fn in_one_line(&self) -> Cow<'_, str> {
        let mut text = Cow::from(&self.text);
        if text.contains('\n') {
            text = text.replace("\r\n", " / ").into();
        }
        if text.len() > 1_000 {
            let text = text.to_mut();
            let mut end = 1_000;
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            text.truncate(end);
            text.push('…');
        }
        text
    }
}

/// Gathers lines until a reply is whole.
#[derive(Default)]
pub struct Gather {
    code: u16,
    text: String,
    lines: usize,
    bytes: usize,
}

impl Gather {
    /// Takes one line without its line end; gives the reply when this line was the last of it.
    pub fn line(&mut self, line: &[u8]) -> Result<Option<Reply>> {
        self.bytes += line.len();
        if self.lines >= MAX_LINES || self.bytes > MAX_BYTES {
            return Err(Error::new(Code::Communication, "the server's reply has no end within the bounds"));
        }
        let Some((code, last)) = parse(line) else {
            return Err(Error::new(Code::Protocol, format!("the server's reply is malformed: {}", shown(line))));
        };
        if self.lines > 0 && code != self.code {
            return Err(Error::new(
                Code::Protocol,
                format!("the server's reply changes its code from {} to {code}", self.code),
            ));
        }
        self.code = code;
        if self.lines > 0 {
            self.text.push_str("\r\n");
        }
        self.lines += 1;
        let mut text = String::from_utf8_lossy(line);
        // Texts end at a NUL where C reads them; nothing of a reply may hide behind one.
        if line.contains(&0) {
            text = text.replace('\0', "\u{fffd}").into();
        }
        self.text.push_str(&text);
        if !last {
            return Ok(None);
        }
        Ok(Some(Reply { code, text: std::mem::take(self).text }))
    }
}

/// The code of a line, and whether it is the last: `250-` goes on, `250 ` and a bare `250` end.
fn parse(line: &[u8]) -> Option<(u16, bool)> {
    let [a, b, c, rest @ ..] = line else { return None };
    if !(b'2'..=b'5').contains(a) || !b.is_ascii_digit() || !c.is_ascii_digit() {
        return None;
    }
    let code = u16::from(a - b'0') * 100 + u16::from(b - b'0') * 10 + u16::from(c - b'0');
    match rest.first() {
        None | Some(b' ') => Some((code, true)),
        Some(b'-') => Some((code, false)),
        Some(_) => None,
    }
}

fn shown(line: &[u8]) -> String {
    let cut = &line[..line.len().min(200)];
    format!("\"{}\"", String::from_utf8_lossy(cut))
}

/// Bytes received and not yet used, cut into lines. CRLF ends a line; a bare LF is taken too, as every client does.
#[derive(Default)]
pub struct Lines {
    buffer: Vec<u8>,
    start: usize,
    /// Where the search for the next LF goes on.
    searched: usize,
}

impl Lines {
    pub fn is_empty(&self) -> bool {
        self.start == self.buffer.len()
    }

    pub fn starts_with(&self, bytes: &[u8]) -> bool {
        self.buffer[self.start..].starts_with(bytes)
    }

    pub fn clear(&mut self) {
        self.buffer.clear();
        self.start = 0;
        self.searched = 0;
    }

    /// Adds what was received.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.start == self.buffer.len() {
            self.clear();
        } else if self.start > 16 * 1024 {
            self.buffer.drain(..self.start);
            self.searched -= self.start;
            self.start = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole line without its line end; an error when a line has no end within the bounds.
    pub fn next_line(&mut self) -> Result<Option<&[u8]>> {
        let Some(found) = memchr::memchr(b'\n', &self.buffer[self.searched..]) else {
            self.searched = self.buffer.len();
            if self.buffer.len() - self.start > MAX_LINE {
                return Err(Error::new(Code::Communication, "a line of the server has no end within the bounds"));
            }
            return Ok(None);
        };
        let end = self.searched + found;
        let mut line = &self.buffer[std::mem::replace(&mut self.start, end + 1)..end];
        self.searched = end + 1;
        if let [head @ .., b'\r'] = line {
            line = head;
        }
        if line.len() > MAX_LINE {
            return Err(Error::new(Code::Communication, "a line of the server is longer than the bounds"));
        }
        Ok(Some(line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn replies(bytes: &[u8], step: usize) -> Result<Vec<Reply>> {
        let (mut lines, mut gather, mut all) = (Lines::default(), Gather::default(), Vec::new());
        for piece in bytes.chunks(step.max(1)) {
            lines.push(piece);
            while let Some(line) = lines.next_line()? {
                all.extend(gather.line(line)?);
            }
        }
        Ok(all)
    }

    #[test]
    fn replies_are_read_whole_and_in_pieces_of_any_size() {
        let bytes = b"220 hi\r\n250-a\r\n250-b\r\n250 c\r\n221\r\n354 go\n";
        for step in 1..bytes.len() + 1 {
            let all = replies(bytes, step).unwrap();
            let codes: Vec<u16> = all.iter().map(|r| r.code).collect();
            assert_eq!(codes, [220, 250, 221, 354]);
            assert_eq!(all[1].text, "250-a\r\n250-b\r\n250 c");
            assert_eq!(all[1].texts().collect::<Vec<_>>(), ["a", "b", "c"]);
        }
    }

    #[test]
    fn the_code_boundary_may_lie_anywhere_around_a_buffers_end() {
        for size in [4_096, 8_192, 16_384] {
            for offset in size - 5..size + 5 {
                let mut bytes = b"250-".to_vec();
                bytes.resize(offset, b'x');
                bytes.extend_from_slice(b"\r\n250 end\r\n");
                let all = replies(&bytes, size).unwrap();
                assert_eq!(all.len(), 1);
                assert_eq!(all[0].lines().nth(1), Some("250 end"));
            }
        }
    }

    #[test]
    fn a_reply_of_several_lines_is_shown_in_one_and_hides_nothing_behind_a_nul() {
        let all = replies(b"250-a\0b\r\r\n250-\r\n250 \xff\r\n", 100).unwrap();
        assert_eq!(all[0].lines().collect::<Vec<_>>(), ["250-a\u{fffd}b\r", "250-", "250 \u{fffd}"]);
        assert_eq!(all[0].texts().collect::<Vec<_>>(), ["a\u{fffd}b\r", "", "\u{fffd}"]);
        assert_eq!(all[0].in_one_line(), "250-a\u{fffd}b\r / 250- / 250 \u{fffd}");
    }

    #[test]
    fn malformed_replies_are_161() {
        for line in ["XXX hi", "0", "01", "1234 x", "99 x", "600 x", "250x", "", " 250 x", "25", "150 x", "-250 x"] {
            let error = Gather::default().line(line.as_bytes()).unwrap_err();
            assert_eq!(error.code, Code::Protocol, "{line:?}");
        }
        let mut gather = Gather::default();
        gather.line(b"250-a").unwrap();
        assert_eq!(gather.line(b"550 b").unwrap_err().code, Code::Protocol);
    }

    #[test]
    fn replies_without_end_are_162_and_stay_small() {
        let mut gather = Gather::default();
        let error = (0..2 * MAX_LINES).find_map(|_| gather.line(b"250-x").err()).unwrap();
        assert_eq!(error.code, Code::Communication);
        let mut lines = Lines::default();
        let error = (0..1_000)
            .find_map(|_| {
                lines.push(&[b'x'; 1_024]);
                lines.next_line().err()
            })
            .unwrap();
        assert_eq!(error.code, Code::Communication);
        assert!(lines.buffer.len() < 2 * MAX_LINE);
    }

    proptest! {
        #[test]
        fn any_bytes_in_any_pieces_give_the_same_answer_and_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400), step in 1usize..50) {
            let whole = replies(&bytes, bytes.len().max(1));
            let pieces = replies(&bytes, step);
            prop_assert_eq!(whole.is_ok(), pieces.is_ok());
            if let (Ok(a), Ok(b)) = (whole, pieces) {
                prop_assert_eq!(a, b);
            }
        }
    }
}
