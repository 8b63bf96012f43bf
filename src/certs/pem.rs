//! PEM blocks (RFC 7468, with the headers of RFC 1421 that old keys have): found among any other text, in linear time.

use super::fault::{Read, broken};
use base64::Engine;
use memchr::memmem;
use zeroize::Zeroizing;

/// A bundle has hundreds of certificates; this many end a file that means harm.
pub const BLOCKS: usize = 20_000;

/// One block.
pub struct Block {
    pub label: String,
    /// `Proc-Type` and `DEK-Info` of an old encrypted key.
    pub headers: Headers,
    pub data: Zeroizing<Vec<u8>>,
}

/// Every block in its order. Text between blocks, a mark of UTF-8, blanks and any line ends are passed over.
pub fn blocks(bytes: &[u8]) -> Read<Vec<Block>> {
    const BEGIN: &[u8] = b"-----BEGIN ";
    let mut found = Vec::new();
    let mut rest = bytes;
    while let Some(at) = memmem::find(rest, BEGIN) {
        rest = &rest[at + BEGIN.len()..];
        let Some(end) = memmem::find(&rest[..rest.len().min(80)], b"-----") else { continue };
        let Ok(label) = std::str::from_utf8(&rest[..end]) else { continue };
        rest = &rest[end + 5..];
        let Some(stop) = memmem::find(rest, b"-----END ") else {
            return broken(format!("the block {label} has no end"));
        };
        let (body, after) = rest.split_at(stop);
        let after = &after[b"-----END ".len()..];
        if !after.starts_with(label.as_bytes()) || !after[label.len()..].starts_with(b"-----") {
            return broken(format!("the block {label} ends as another one"));
        }
        if found.len() == BLOCKS {
            return broken("it has too many blocks");
        }
        let (headers, body) = headers(body)?;
        found.push(Block { label: label.to_owned(), headers, data: base64(body)? });
        rest = &after[label.len() + 5..];
    }
    Ok(found)
}

type Headers = Vec<(String, String)>;

/// The header lines (`Name: value`) and what follows them.
fn headers(mut body: &[u8]) -> Read<(Headers, &[u8])> {
    let mut found = Vec::new();
    loop {
        let end = memchr::memchr(b'\n', body).map_or(body.len(), |at| at + 1);
        let line = &body[..end];
        match memchr::memchr(b':', line) {
            Some(colon) => {
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
                found.push((text(&line[..colon]), text(&line[colon + 1..])));
                if found.len() > 16 {
                    return broken("it has too many headers");
                }
            }
            // The line of -----BEGIN ends here, or an empty line ends the headers.
            None if line.trim_ascii().is_empty() && !line.is_empty() => {}
            None => return Ok((found, body)),
        }
        body = &body[end..];
    }
}

/// Base64 with blanks and line ends anywhere, padded or not, of either alphabet.
pub fn base64(text: &[u8]) -> Read<Zeroizing<Vec<u8>>> {
    use base64::alphabet::{STANDARD, URL_SAFE};
    use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
    const LAX: GeneralPurposeConfig = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let packed: Zeroizing<Vec<u8>> =
        Zeroizing::new(text.iter().copied().filter(|b| !b.is_ascii_whitespace()).collect());
    let url = packed.iter().any(|b| matches!(b, b'-' | b'_'));
    let engine = GeneralPurpose::new(if url { &URL_SAFE } else { &STANDARD }, LAX);
    engine.decode(&packed[..]).map(Zeroizing::new).or_else(|_| broken("the Base64 in it cannot be read"))
}

/// A block of 64 columns.
pub fn encode(label: &str, data: &[u8]) -> String {
    let text = Zeroizing::new(base64_simd::STANDARD.encode_to_string(data));
    let mut out = String::with_capacity(text.len() + text.len() / 64 + 2 * label.len() + 40);
    out.push_str(&format!("-----BEGIN {label}-----\n"));
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(64));
        out.push_str(line);
        out.push('\n');
        rest = after;
    }
    out.push_str(&format!("-----END {label}-----\n"));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn blocks_are_found_among_garbage_whatever_the_line_ends() {
        let text = "\u{feff}Bag Attributes\n key: 1\n-----BEGIN A B-----\r\nYWJj\r\n ZGVm\r\n-----END A B-----\r\nnoise\n-----BEGIN C-----\nX: y\n\nYQ==\n-----END C-----";
        let found = blocks(text.as_bytes()).unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].label.as_str(), &found[0].data[..]), ("A B", &b"abcdef"[..]));
        assert_eq!(found[1].headers, [("X".to_owned(), "y".to_owned())]);
        assert_eq!(&found[1].data[..], b"a");
    }

    #[test]
    fn a_block_without_its_end_is_broken() {
        assert!(blocks(b"-----BEGIN A-----\nYQ==\n").is_err());
        assert!(blocks(b"-----BEGIN A-----\nYQ==\n-----END B-----\n").is_err());
    }

    #[test]
    fn what_is_written_is_read_back() {
        let data: Vec<u8> = (0..=255).collect();
        let text = encode("X", &data);
        assert!(text.lines().all(|l| l.len() <= 64));
        assert_eq!(&blocks(text.as_bytes()).unwrap()[0].data[..], data);
    }

    proptest! {
        #[test]
        fn no_input_panics(text in "(-----BEGIN |-----END |A|-----|:|\n|YQ==|[a-z ]){0,30}") {
            let _ = blocks(text.as_bytes());
        }
    }
}
