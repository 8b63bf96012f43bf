//! What is remembered of a queue file between two attempts, in a small file beside it (`.retry`): who got the message already, who
//! was refused, when it is tried next. It names recipients by their place, so it shows no address.

use crate::message::id;
use ring::digest::{SHA256, digest};

const MAGIC: &str = "libssmtp-queue-state 1";

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// Of the file that it belongs to.
    pub identity: String,
    pub attempts: u32,
    /// Seconds since 1970; not before that.
    pub next: i64,
    /// Recipients that have it, by their place in the file.
    pub done: Places,
    /// Recipients that were refused for good.
    pub refused: Places,
    /// A part of it failed for good: `.failed` in the end.
    pub failed: bool,
}

/// A set of recipients by their places, in order. They come in order, too, so that adding one moves none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places(Vec<usize>);

impl Places {
    pub fn insert(&mut self, place: usize) {
        if let Err(at) = self.0.binary_search(&place) {
            self.0.insert(at, place);
        }
    }

    pub fn contains(&self, place: usize) -> bool {
        self.0.binary_search(&place).is_ok()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }
}

impl State {
    /// Nothing to remember.
    pub fn is_empty(&self) -> bool {
        self.attempts == 0 && self.done.is_empty() && self.refused.is_empty() && !self.failed
    }

    pub fn write(&self) -> String {
        let text = format!(
            "{MAGIC}\r\nFile: {}\r\nAttempts: {}\r\nNext: {}\r\nDone: {}\r\nRefused: {}\r\nFailed: {}\r\n",
            self.identity,
            self.attempts,
            self.next,
            ranges(&self.done),
            ranges(&self.refused),
            if self.failed { "yes" } else { "no" },
        );
        let sum = id::hex(digest(&SHA256, text.as_bytes()).as_ref());
        format!("{text}Sum: {sum}\r\n")
    }

    /// None for anything that `write` would not write.
    pub fn read(octets: &[u8]) -> Option<State> {
        let text = std::str::from_utf8(octets).ok()?;
        let mut lines = text.split("\r\n");
        (lines.next()? == MAGIC).then_some(())?;
        let mut value = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(": ");
        let state = State {
            identity: value("File")?.to_string(),
            attempts: value("Attempts")?.parse().ok()?,
            next: value("Next")?.parse().ok()?,
            done: numbers(value("Done")?)?,
            refused: numbers(value("Refused")?)?,
            failed: value("Failed")? == "yes",
        };
        (state.write() == text).then_some(state)
    }
}

/// `0-3,7`
fn ranges(places: &Places) -> String {
    let mut out = String::new();
    let mut numbers = places.0.iter().copied().peekable();
    while let Some(first) = numbers.next() {
        let mut last = first;
        while numbers.next_if(|n| *n == last + 1).is_some() {
            last += 1;
        }
        if !out.is_empty() {
            out.push(',');
        }
        out.push_str(&if last > first { format!("{first}-{last}") } else { first.to_string() });
    }
    out
}

fn numbers(text: &str) -> Option<Places> {
    /// More recipients than a head of a file has room for.
    const MOST: usize = 4 << 20;
    let mut places = Vec::new();
    for part in text.split(',').filter(|part| !part.is_empty()) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
        // What is out of order was not written by us.
        if last > MOST || last < first || places.last().is_some_and(|before| *before >= first) {
            return None;
        }
        places.extend(first..=last);
    }
    Some(Places(places))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> State {
        let (done, refused) = (Places(vec![0, 1, 2, 5, 7, 8]), Places(vec![3]));
        State { identity: "ab12".into(), attempts: 3, next: 1_800_000_000, done, refused, failed: true }
    }

    #[test]
    fn a_state_comes_back_as_it_was_written() {
        assert!(state().write().contains("Done: 0-2,5,7-8\r\nRefused: 3\r\n"));
        for state in [state(), State::default()] {
            assert_eq!(State::read(state.write().as_bytes()), Some(state));
        }
    }

    #[test]
    fn a_state_with_one_changed_bit_or_cut_off_is_none() {
        let text = state().write().into_bytes();
        for at in 0..text.len() {
            assert_eq!(State::read(&text[..at]), None);
            for bit in 0..8 {
                let mut changed = text.clone();
                changed[at] ^= 1 << bit;
                assert_eq!(State::read(&changed), None, "octet {at}, bit {bit}");
            }
        }
    }

    #[test]
    fn places_are_kept_in_order_and_once_whatever_order_they_come_in() {
        let mut places = Places::default();
        [7, 2, 3, 7, 1].into_iter().for_each(|place| places.insert(place));
        assert_eq!(ranges(&places), "1-3,7");
        assert!(places.contains(2) && !places.contains(4));
    }

    #[test]
    fn absurd_ranges_are_refused_without_being_counted_out() {
        for text in ["0-18446744073709551615", "5-1", "x", "1-", "-1", "4194305", "5,3", "3,3", "0-3,2"] {
            assert_eq!(numbers(text), None, "{text}");
        }
    }
}
