//! The content of DATA as it arrives (RFC 5321 §4.5.2): ends at CRLF.CRLF and nowhere else, loses its added dots, and tells
//! of every CR or LF that stands alone.

/// Where the last byte left us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    LineStart,
    InLine,
    Cr,
    Dot,
    DotCr,
    End,
}

/// Takes the body in pieces of any size.
#[derive(Debug)]
pub struct Body {
    at: At,
    limit: u64,
    keep: bool,
    /// What the message is, dots removed; empty when it is not kept.
    pub data: Vec<u8>,
    /// Its length, kept or not.
    pub size: u64,
    pub bare_lf: bool,
    pub bare_cr: bool,
    pub eight_bit: bool,
}

impl Body {
    /// `limit` bytes are accepted; with `keep` false they are counted only.
    pub fn new(limit: u64, keep: bool) -> Body {
        let at = At::LineStart;
        Body { at, limit, keep, data: Vec::new(), size: 0, bare_lf: false, bare_cr: false, eight_bit: false }
    }

    pub fn too_big(&self) -> bool {
        self.size > self.limit
    }

    pub fn ended(&self) -> bool {
        self.at == At::End
    }

    /// Takes bytes of a DATA body up to its end; gives how many were part of it.
    pub fn data(&mut self, input: &[u8]) -> usize {
        let mut i = 0;
        while i < input.len() && self.at != At::End {
            let byte = input[i];
            if self.at == At::InLine {
                let run = input[i..].iter().position(|&b| b == b'\r' || b == b'\n').unwrap_or(input.len() - i);
                if run > 0 {
                    self.push(&input[i..i + run]);
                    i += run;
                    continue;
                }
            }
            i += 1;
            match (self.at, byte) {
                (At::LineStart, b'.') => self.at = At::Dot,
                (At::Dot, b'\r') => self.at = At::DotCr,
                (At::DotCr, b'\n') => self.at = At::End,
                (At::Cr, b'\n') => {
                    self.push(b"\r\n");
                    self.at = At::LineStart;
                }
                (At::Cr | At::DotCr, _) => {
                    self.bare_cr = true;
                    self.push(b"\r");
                    self.plain(byte);
                }
                _ => self.plain(byte),
            }
        }
        i
    }

    /// Takes a chunk of BDAT, which is what it is. `binary` content may hold what it likes.
    pub fn chunk(&mut self, input: &[u8], binary: bool) {
        if !binary {
            for &byte in input {
                self.bare_cr |= self.at == At::Cr && byte != b'\n';
                self.bare_lf |= self.at != At::Cr && byte == b'\n';
                self.at = if byte == b'\r' { At::Cr } else { At::InLine };
            }
        }
        self.push(input);
    }

    /// A byte that means nothing special where it stands.
    fn plain(&mut self, byte: u8) {
        if byte == b'\r' {
            self.at = At::Cr;
            return;
        }
        self.bare_lf |= byte == b'\n';
        self.push(&[byte]);
        self.at = At::InLine;
    }

    fn push(&mut self, bytes: &[u8]) {
        self.size += bytes.len() as u64;
        self.eight_bit |= !bytes.is_ascii();
        if self.keep && !self.too_big() {
            self.data.extend_from_slice(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(input: &[u8]) -> (Body, usize) {
        let mut body = Body::new(1 << 20, true);
        let used = body.data(input);
        let mut slow = Body::new(1 << 20, true);
        let by_byte: usize = input.chunks(1).map(|b| slow.data(b)).sum();
        assert_eq!((&body.data, used, body.bare_lf, body.bare_cr), (&slow.data, by_byte, slow.bare_lf, slow.bare_cr));
        (body, used)
    }

    #[test]
    fn a_body_ends_at_crlf_dot_crlf_and_loses_its_added_dots() {
        let (body, used) = whole(b"one\r\n..two\r\n...\r\n.x\r\n.\r\nQUIT\r\n");
        assert!(body.ended() && !body.bare_cr && !body.bare_lf);
        assert_eq!(body.data, b"one\r\n.two\r\n..\r\nx\r\n");
        assert_eq!(used, 24);
    }

    #[test]
    fn a_lone_dot_at_once_is_an_empty_message() {
        let (body, used) = whole(b".\r\n");
        assert!(body.ended());
        assert_eq!((body.data.len(), used), (0, 3));
    }

    #[test]
    fn nothing_but_crlf_dot_crlf_ends_a_body() {
        for smuggled in ["a\n.\n", "a\n.\r\n", "a\r.\r", "a\r\n.\r", "a\r\n.\n", "a\r\n.\rx\r\n"] {
            let (body, used) = whole(smuggled.as_bytes());
            assert!(!body.ended(), "{smuggled:?}");
            assert_eq!(used, smuggled.len());
        }
    }

    #[test]
    fn a_cr_or_lf_alone_is_told() {
        let (body, _) = whole(b"a\nb\r\n.\r\n");
        assert!(body.bare_lf && !body.bare_cr && body.ended());
        assert_eq!(body.data, b"a\nb\r\n");
        let (body, _) = whole(b"a\rb\r\r\n.\r\n");
        assert!(body.bare_cr && !body.bare_lf && body.ended());
        assert_eq!(body.data, b"a\rb\r\r\n");
    }

    #[test]
    fn a_body_over_its_limit_is_counted_and_not_kept() {
        let mut body = Body::new(10, true);
        for _ in 0..1000 {
            body.data(b"0123456789");
        }
        body.data(b"\r\n.\r\n");
        assert!(body.too_big() && body.ended());
        assert_eq!(body.size, 10_002);
        assert!(body.data.len() <= 10);
    }

    #[test]
    fn chunks_keep_their_bytes_and_text_chunks_tell_of_bare_line_ends() {
        let mut body = Body::new(100, true);
        body.chunk(b".\r", false);
        body.chunk(b"\n.\r\n", false);
        assert!(!body.bare_cr && !body.bare_lf);
        body.chunk(b"\n\xff", false);
        assert!(body.bare_lf && body.eight_bit);
        assert_eq!(body.data, b".\r\n.\r\n\n\xff");
        let mut body = Body::new(100, true);
        body.chunk(b"\r\0\n", true);
        assert!(!body.bare_cr && !body.bare_lf);
    }
}
