//! Line ends of text.

/// Text is looked at in blocks of this size first: nearly all of it needs no repair, and that is found much faster.
pub const BLOCK: usize = 16 * 1024;

/// How many of the next bytes, at most a block, have no bare CR and no bare LF; 0 where the first few have.
pub fn canonical_block(bytes: &[u8]) -> usize {
    let mut block = &bytes[..bytes.len().min(BLOCK)];
    // The LF of a CR at the end is in the next block.
    if let [rest @ .., b'\r'] = block {
        block = rest;
    }
    if is_canonical(block) { block.len() } else { 0 }
}

/// Whether every line ends with CRLF, and no CR and no LF stands alone.
pub fn is_canonical(text: &[u8]) -> bool {
    let Some(known) = paired(text) else { return false };
    let mut rest = &text[known..];
    // Its CR stands before it.
    if known > 0 {
        rest = rest.strip_prefix(b"\n").unwrap_or(rest);
    }
    while let Some(end) = memchr::memchr2(b'\r', b'\n', rest) {
        match rest[end..].strip_prefix(b"\r\n") {
            Some(lines) => rest = lines,
            None => return false,
        }
    }
    true
}

/// How far a first look went, which found in each pair of octets CR before LF or neither; None where it found another.
fn paired(text: &[u8]) -> Option<usize> {
    if text.first() == Some(&b'\n') {
        return None;
    }
    let mut at = 0;
    while let Some(piece) = text[at..].first_chunk::<65>() {
        // Without a branch and of a fixed length, which the compiler makes wide.
        let odd = piece.windows(2).fold(0, |odd, pair| odd | (u8::from(pair[0] == b'\r') ^ u8::from(pair[1] == b'\n')));
        if odd != 0 {
            return None;
        }
        at += 64;
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_odd_line_end_is_found_wherever_it_stands() {
        for length in [1, 16, 64, 65, 66, 128, 129, 130, 200] {
            for at in 0..length {
                let (before, after) = (vec![b'x'; at], vec![b'x'; length - at - 1]);
                let of = |end: &[u8]| is_canonical(&[&before[..], end, &after].concat());
                assert!(of(b"x") && of(b"\r\n") && !of(b"\r") && !of(b"\n"), "at {at} of {length}");
                assert!(!of(b"\n\r") && !of(b"\r\r\n") && !of(b"\r\n\n") && of(b"\r\n\r\n"), "at {at} of {length}");
            }
        }
    }

    proptest! {
        #[test]
        fn text_is_canonical_when_taking_its_line_ends_leaves_none(
            text in prop::collection::vec(prop::sample::select(&["a", "\r\n", "\r\n", "\r", "\n"][..]), 0..6),
            before in 0..140usize,
            after in 0..140usize,
        ) {
            let text = [&vec![b'x'; before][..], text.concat().as_bytes(), &vec![b'x'; after]].concat();
            let left = String::from_utf8(text.clone()).unwrap().replace("\r\n", "");
            prop_assert_eq!(is_canonical(&text), !left.contains(['\r', '\n']));
            let block = canonical_block(&text);
            prop_assert!(block <= text.len() && is_canonical(&text[..block]));
            if is_canonical(&text) {
                prop_assert_eq!(block, text.len());
            }
        }
    }
}
