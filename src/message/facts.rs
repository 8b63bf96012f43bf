//! What octets of a message are like, found in one pass over them: what they need decides how they go, and the pass is not made
//! again while the message stays.

use std::sync::{Arc, LazyLock};

use memchr::memmem;
use parking_lot::Mutex;

use super::bytes::{Bytes, WeakBytes};
use super::compose::pass_short_lines;
use crate::text::line::{BLOCK, canonical_block};

/// Less than this is looked at again sooner than remembered.
const SMALL: usize = 16 * 1024;

/// Made once: that costs as much as a look at a small message.
pub static DOT_LINE: LazyLock<memmem::Finder<'static>> = LazyLock::new(|| memmem::Finder::new(b"\n."));

/// What octets are like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    pub ascii: bool,
    /// A NUL, or a line beyond SMTP's limit: it cannot go without an encoding.
    pub unfit: bool,
    /// Every line end is CRLF, and no CR or LF stands elsewhere.
    pub canonical: bool,
    /// Some line begins with a dot; known of canonical octets only.
    pub dots: bool,
}

impl Facts {
    pub fn of(octets: &[u8]) -> Facts {
        let mut dots = octets.first() == Some(&b'.');
        let facts = Facts::pass(octets, |rest, length| {
            dots = dots || DOT_LINE.find(&rest[..rest.len().min(length + 1)]).is_some();
        });
        Facts { dots: dots && facts.canonical, ..facts }
    }

    /// One pass in blocks that stay in the cache from one question to the next. `each` is given the octets from a block on and its
    /// length, as long as they are canonical.
    fn pass(octets: &[u8], mut each: impl FnMut(&[u8], usize)) -> Facts {
        let mut facts = Facts { ascii: true, unfit: false, canonical: true, dots: false };
        let (mut at, mut short) = (0, 0);
        while at < octets.len() {
            let rest = &octets[at..];
            let mut length = rest.len().min(BLOCK);
            if facts.canonical {
                match canonical_block(&rest[..length]) {
                    0 => facts.canonical = false,
                    fine => length = fine,
                }
            }
            let block = &rest[..length];
            facts.ascii = facts.ascii && block.is_ascii();
            facts.unfit = facts.unfit || memchr::memchr(0, block).is_some();
            facts.unfit = facts.unfit || !pass_short_lines(&octets[..at + length], &mut short);
            if facts.canonical {
                each(rest, length);
            }
            at += length;
        }
        facts
    }
}

/// What text is like that is to be signed: it must pass every relay unchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sealed {
    pub ascii: bool,
    pub canonical: bool,
    /// As in [`Facts`].
    pub unfit: bool,
    /// It cannot stay as it is: what [`Facts`] calls unfit, or a line that some relay changes.
    pub fragile: bool,
}

impl Sealed {
    pub fn of(text: &[u8]) -> Sealed {
        let finders = [b" \r".as_slice(), b"\t\r", b"\nFrom "].map(memmem::Finder::new);
        let mut fragile = text.starts_with(b"From ") || text.ends_with(b" ") || text.ends_with(b"\t");
        let facts = Facts::pass(text, |rest, length| {
            // What is found may begin in one block and end in the next.
            let block = &rest[..rest.len().min(length + 5)];
            fragile = fragile || finders.iter().any(|finder| finder.find(block).is_some());
        });
        let fragile = if facts.canonical { fragile } else { is_fragile(text) };
        Sealed { ascii: facts.ascii, canonical: facts.canonical, unfit: facts.unfit, fragile: fragile || facts.unfit }
    }
}

/// Text with a line that some relay changes: a blank at its end, or "From " at its start.
pub(super) fn is_fragile(text: &[u8]) -> bool {
    let fragile = |end: usize| {
        let (line, next) = text.split_at(end);
        line.ends_with(b" ") || line.ends_with(b"\t") || next.get(1..).is_some_and(|next| next.starts_with(b"From "))
    };
    text.starts_with(b"From ") || fragile(text.len()) || memchr::memchr2_iter(b'\r', b'\n', text).any(fragile)
}

/// What was found out last, with the octets it holds for. Clones of a message share it.
#[derive(Debug, Clone, Default)]
pub struct Known(Arc<Mutex<Option<Looked>>>);

#[derive(Debug)]
struct Looked {
    octets: WeakBytes,
    start: usize,
    facts: Facts,
}

impl Known {
    /// The facts of these octets from `start` on.
    pub fn look(&self, octets: &Bytes, start: usize) -> Facts {
        let part = octets.get(start..).unwrap_or_default();
        if part.len() < SMALL {
            return Facts::of(part);
        }
        if let Some(looked) = &*self.0.lock()
            && looked.start == start
            && looked.octets.is(octets)
        {
            return looked.facts;
        }
        let facts = Facts::of(part);
        *self.0.lock() = Some(Looked { octets: octets.downgrade(), start, facts });
        facts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The same, one octet after the other.
    fn slowly(octets: &[u8]) -> Facts {
        let crlf_only = octets.iter().enumerate().all(|(n, octet)| match octet {
            b'\r' => octets.get(n + 1) == Some(&b'\n'),
            b'\n' => n > 0 && octets[n - 1] == b'\r',
            _ => true,
        });
        let lines = octets.split(|octet| matches!(octet, b'\r' | b'\n'));
        Facts {
            ascii: octets.iter().all(|octet| *octet < 128),
            unfit: octets.contains(&0) || lines.clone().any(|line| line.len() > 998),
            canonical: crlf_only,
            dots: lines.into_iter().any(|line| line.first() == Some(&b'.')),
        }
    }

    fn check(octets: &[u8]) {
        let (fast, slow) = (Facts::of(octets), slowly(octets));
        assert_eq!((fast.ascii, fast.unfit, fast.canonical), (slow.ascii, slow.unfit, slow.canonical));
        assert!(!fast.canonical || fast.dots == slow.dots);
        let fragile = slow.unfit || is_fragile(octets);
        assert_eq!(
            Sealed::of(octets),
            Sealed { ascii: slow.ascii, canonical: slow.canonical, unfit: slow.unfit, fragile }
        );
    }

    #[test]
    fn one_odd_octet_is_found_wherever_it_stands() {
        let text = b"0123456789abcdef\r\n".repeat(3 * BLOCK / 18 + 2);
        check(&text);
        assert!(Facts::of(&text).canonical && !Facts::of(&text).dots);
        for at in (0..200).chain(BLOCK - 40..BLOCK + 40).chain(text.len() - 40..text.len()) {
            for odd in [0, 200, b'\r', b'\n', b'.'] {
                let mut changed = text.clone();
                changed[at] = odd;
                check(&changed);
                changed.truncate(at + 1);
                check(&changed);
            }
        }
        for length in [997, 998, 999, 1000, 3 * BLOCK] {
            for around in [&b""[..], b"\r\n", b"ab\r\n"] {
                check(&[around, &vec![b'x'; length], around].concat());
            }
        }
    }

    #[test]
    fn what_is_known_holds_for_those_octets_alone() {
        let known = Known::default();
        let first: Bytes = vec![b'x'; 2 * SMALL].into();
        let mut second = first.to_vec();
        second[5] = 200;
        let second: Bytes = second.into();
        for _ in 0..2 {
            assert!(known.look(&first, 0).ascii);
            assert!(!known.clone().look(&second, 0).ascii);
            assert!(known.look(&second, 6).ascii);
        }
        assert_eq!(known.look(&first, usize::MAX), Facts::of(b""));
    }

    proptest! {
        #[test]
        fn facts_are_those_of_a_slow_look(octets in prop::collection::vec(prop::sample::select(&b"a.\r\n\0\xff"[..]), 0..60)) {
            check(&octets);
        }
    }
}
