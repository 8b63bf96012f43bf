//! Transfer encodings of bodies: quoted-printable and Base64, RFC 2045 section 6. Both take input in any pieces.

use std::mem::MaybeUninit;

use base64_simd::{AsOut, STANDARD};

pub use crate::lines::is_canonical;

/// Longest line of either encoding.
const LINE: usize = 76;
/// Octets that make one line of Base64.
const BASE64_CHUNK: usize = 57;
/// Lines that are encoded at a time, before their line ends are put between them.
const LINES: usize = 64;

/// Content-Transfer-Encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transfer {
    QuotedPrintable,
    Base64,
}

impl Transfer {
    pub fn name(self) -> &'static str {
        match self {
            Transfer::QuotedPrintable => "quoted-printable",
            Transfer::Base64 => "base64",
        }
    }

    /// The encoding that makes less of a text.
    pub fn shorter(text: &[u8]) -> Transfer {
        let escaped = text.iter().filter(|b| !matches!(b, b' '..=b'~' | b'\t' | b'\r' | b'\n') || **b == b'=').count();
        let quoted = text.len() + 2 * escaped;
        if quoted + quoted / LINE * 3 <= text.len().div_ceil(3) * 4 * 78 / LINE {
            Transfer::QuotedPrintable
        } else {
            Transfer::Base64
        }
    }
}

/// Quoted-printable of text: line ends become CRLF, and no line has a blank at its end, begins with a dot or with "From ".
#[derive(Debug, Default)]
pub struct QuotedPrintable {
    column: usize,
    /// A blank that is encoded when a line end follows.
    blank: Option<u8>,
    after_cr: bool,
}

impl QuotedPrintable {
    pub fn push(&mut self, input: &[u8], out: &mut Vec<u8>) {
        let mut at = 0;
        while let Some(&byte) = input.get(at) {
            if self.column == 0 && self.blank.is_none() && !self.after_cr {
                let lines = plain_lines(&input[at..]);
                if lines > 0 {
                    out.extend_from_slice(&input[at..at + lines]);
                    at += lines;
                    continue;
                }
            }
            let rest = &input[at..];
            at += 1;
            let after_cr = std::mem::take(&mut self.after_cr);
            match byte {
                b'\n' if after_cr => {}
                b'\r' | b'\n' => {
                    self.after_cr = byte == b'\r';
                    self.flush(out);
                    out.extend_from_slice(b"\r\n");
                    self.column = 0;
                }
                b' ' | b'\t' => {
                    if let Some(blank) = self.blank.replace(byte) {
                        self.literal(blank, out);
                    }
                }
                _ => {
                    if let Some(blank) = self.blank.take() {
                        self.literal(blank, out);
                    }
                    // "From " may go on in the next piece, so a short rest counts as one.
                    let mailbox_line = byte == b'F' && b"From ".starts_with(&rest[..rest.len().min(5)]);
                    if byte.is_ascii_graphic() && byte != b'=' && !(self.at_start(1) && (byte == b'.' || mailbox_line))
                    {
                        self.literal(byte, out);
                    } else {
                        self.escaped(byte, out);
                    }
                }
            }
        }
    }

    /// The end: a blank that was held back is the last one of its line.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        self.flush(out);
        *self = QuotedPrintable::default();
    }

    fn flush(&mut self, out: &mut Vec<u8>) {
        if let Some(blank) = self.blank.take() {
            self.escaped(blank, out);
        }
    }

    /// Whether a unit of this length begins a line.
    fn at_start(&self, length: usize) -> bool {
        self.column == 0 || self.column + length > LINE - 1
    }

    fn room(&mut self, length: usize, out: &mut Vec<u8>) {
        if self.column + length > LINE - 1 {
            out.extend_from_slice(b"=\r\n");
            self.column = 0;
        }
        self.column += length;
    }

    fn literal(&mut self, byte: u8, out: &mut Vec<u8>) {
        self.room(1, out);
        out.push(byte);
    }

    fn escaped(&mut self, byte: u8, out: &mut Vec<u8>) {
        self.room(3, out);
        let digit = |n: u8| b"0123456789ABCDEF"[usize::from(n)];
        out.extend_from_slice(&[b'=', digit(byte >> 4), digit(byte & 15)]);
    }
}

/// The octets of the whole lines at the beginning that mean themselves; most lines of most texts do.
fn plain_lines(input: &[u8]) -> usize {
    let mut taken = 0;
    loop {
        let rest = &input[taken..];
        // A line that fits, and its CRLF.
        let Some(end) = memchr::memchr(b'\n', &rest[..rest.len().min(LINE + 1)]) else { return taken };
        let Some(line) = rest[..end].strip_suffix(b"\r") else { return taken };
        if !is_plain(line) || line.ends_with(b" ") || line.starts_with(b".") || line.starts_with(b"From ") {
            return taken;
        }
        taken += end + 1;
    }
}

/// Whether octets mean themselves in quoted-printable.
fn is_plain(line: &[u8]) -> bool {
    const EACH: u64 = u64::MAX / 255;
    let (words, rest) = line.as_chunks::<8>();
    // Eight at a time. What is not plain leaves the highest bit of its octet, or of one above, by one of these.
    let odd = words.iter().fold(0, |odd, word| {
        let word = u64::from_le_bytes(*word);
        let below_blank = word.wrapping_sub(EACH * 0x20);
        let above_tilde = word.wrapping_add(EACH);
        let equals = (word ^ (EACH * 0x3d)).wrapping_sub(EACH);
        odd | word | below_blank | above_tilde | equals
    });
    odd & (EACH * 0x80) == 0 && rest.iter().all(|octet| (b' '..=b'~').contains(octet) && *octet != b'=')
}

/// Base64 in lines of 76, each with CRLF.
#[derive(Debug, Default)]
pub struct Base64Lines {
    /// What is short of a line.
    rest: Vec<u8>,
}

impl Base64Lines {
    pub fn push(&mut self, mut input: &[u8], out: &mut Vec<u8>) {
        if !self.rest.is_empty() {
            let taken = input.len().min(BASE64_CHUNK - self.rest.len());
            self.rest.extend_from_slice(&input[..taken]);
            input = &input[taken..];
            if self.rest.len() < BASE64_CHUNK {
                return;
            }
            let line = std::mem::take(&mut self.rest);
            encode_lines(&line, out);
        }
        let whole = input.len() - input.len() % BASE64_CHUNK;
        out.reserve(whole / BASE64_CHUNK * (LINE + 2));
        input[..whole].chunks(BASE64_CHUNK * LINES).for_each(|lines| encode_lines(lines, out));
        self.rest.extend_from_slice(&input[whole..]);
    }

    pub fn finish(&mut self, out: &mut Vec<u8>) {
        let rest = std::mem::take(&mut self.rest);
        if !rest.is_empty() {
            encode_lines(&rest, out);
        }
    }

    /// Octets that so many octets become.
    pub fn length(octets: u64) -> u64 {
        let lines = octets.div_ceil(BASE64_CHUNK as u64);
        octets.div_ceil(3) * 4 + 2 * lines
    }
}

/// Up to 64 lines, each with its CRLF.
fn encode_lines(input: &[u8], out: &mut Vec<u8>) {
    let mut text = [const { MaybeUninit::uninit() }; LINE * LINES];
    let encoded = STANDARD.encode(input, text.as_mut_slice().as_out());
    let (lines, rest) = encoded.as_chunks::<LINE>();
    let start = out.len();
    out.resize(start + lines.len() * (LINE + 2), b'\n');
    // Of fixed lengths, so that they are copied without a call.
    for (line, place) in lines.iter().zip(out[start..].as_chunks_mut::<{ LINE + 2 }>().0) {
        place[..LINE].copy_from_slice(line);
        place[LINE] = b'\r';
    }
    if !rest.is_empty() {
        out.extend_from_slice(rest);
        out.extend_from_slice(b"\r\n");
    }
}

/// Line ends of text made CRLF, whatever they were.
#[derive(Debug, Default)]
pub struct LineEnds {
    after_cr: bool,
}

impl LineEnds {
    pub fn push(&mut self, mut input: &[u8], out: &mut Vec<u8>) {
        if std::mem::take(&mut self.after_cr) && input.first() == Some(&b'\n') {
            input = &input[1..];
        }
        while let Some(at) = memchr::memchr2(b'\r', b'\n', input) {
            out.extend_from_slice(&input[..at]);
            out.extend_from_slice(b"\r\n");
            let cr = input[at] == b'\r';
            input = &input[at + 1..];
            if cr {
                self.after_cr = input.is_empty();
                input = input.strip_prefix(b"\n").unwrap_or(input);
            }
        }
        out.extend_from_slice(input);
    }
}

/// A text in a transfer encoding, all at once.
pub fn text(transfer: Transfer, text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + text.len() / 2);
    match transfer {
        Transfer::QuotedPrintable => {
            let mut encoder = QuotedPrintable::default();
            encoder.push(text, &mut out);
            encoder.finish(&mut out);
        }
        Transfer::Base64 => {
            let (mut lines, mut canonical) = (Base64Lines::default(), Vec::with_capacity(text.len()));
            LineEnds::default().push(text, &mut canonical);
            lines.push(&canonical, &mut out);
            lines.finish(&mut out);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// RFC 2045 section 6.7, read strictly: what is not allowed fails the test.
    fn decode_quoted(text: &[u8]) -> Vec<u8> {
        let text = std::str::from_utf8(text).expect("ASCII");
        let mut out = Vec::new();
        let lines: Vec<&str> = text.split("\r\n").collect();
        for (number, line) in lines.iter().enumerate() {
            assert!(
                line.len() <= 76
                    && !line.ends_with([' ', '\t'])
                    && !line.starts_with("From ")
                    && !line.starts_with('.'),
                "{line:?}"
            );
            let soft = line.ends_with('=');
            let mut bytes = line.strip_suffix('=').unwrap_or(line).bytes();
            while let Some(b) = bytes.next() {
                assert!(b == b'\t' || (b' '..=b'~').contains(&b));
                out.push(if b == b'=' {
                    let pair = [bytes.next().unwrap(), bytes.next().unwrap()];
                    u8::from_str_radix(std::str::from_utf8(&pair).unwrap(), 16).unwrap()
                } else {
                    b
                });
            }
            if !soft && number + 1 < lines.len() {
                out.extend_from_slice(b"\r\n");
            }
        }
        out
    }

    fn canonical(input: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        LineEnds::default().push(input, &mut out);
        out
    }

    #[test]
    fn quoted_printable_keeps_what_relays_like_to_change() {
        assert_eq!(
            text(Transfer::QuotedPrintable, b"From me\nFromage\n.\n..x\nend \n\ttab\t"),
            b"=46rom me\r\nFromage\r\n=2E\r\n=2E.x\r\nend=20\r\n\ttab=09"
        );
        assert_eq!(text(Transfer::QuotedPrintable, "a=ü".as_bytes()), b"a=3D=C3=BC");
    }

    #[test]
    fn the_shorter_encoding_is_taken() {
        assert_eq!(Transfer::shorter("Grüße aus Köln und ein langer Rest".as_bytes()), Transfer::QuotedPrintable);
        assert_eq!(Transfer::shorter("日本語のメール".as_bytes()), Transfer::Base64);
    }

    #[test]
    fn one_octet_that_is_not_plain_is_seen_wherever_it_stands() {
        for length in 0..80 {
            assert!(is_plain(&vec![b'a'; length]));
            for at in 0..length {
                for odd in [b'=', 0x7f, 0x1f, 0x80, b'\t'] {
                    let mut line = vec![b'~'; length];
                    line[at] = odd;
                    assert!(!is_plain(&line), "{odd} at {at} of {length}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn any_text_in_any_pieces_decodes_back(input in prop::collection::vec(prop_oneof![any::<u8>(), Just(b'\r'), Just(b'\n'), Just(b' '), Just(b'.'), Just(b'F'), Just(b'a')], 0..400), cut in 1usize..60) {
            let (mut quoted, mut encoder) = (Vec::new(), QuotedPrintable::default());
            let (mut lines, mut base64) = (Vec::new(), Base64Lines::default());
            let (mut ends, mut normal) = (Vec::new(), LineEnds::default());
            for piece in input.chunks(cut) {
                encoder.push(piece, &mut quoted);
                base64.push(piece, &mut lines);
                normal.push(piece, &mut ends);
            }
            encoder.finish(&mut quoted);
            base64.finish(&mut lines);
            prop_assert_eq!(decode_quoted(&quoted), canonical(&input));
            prop_assert_eq!(&ends, &canonical(&input));
            let joined: Vec<u8> = lines.iter().copied().filter(|b| !b"\r\n".contains(b)).collect();
            prop_assert_eq!(STANDARD.decode_to_vec(joined).unwrap(), input.clone());
            prop_assert_eq!(lines.len() as u64, Base64Lines::length(input.len() as u64));
            prop_assert!(lines.split(|b| *b == b'\n').all(|line| line.len() <= 77));
        }
    }
}
