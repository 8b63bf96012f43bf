//! Names of queue files: the time in nanoseconds, which makes their order, and random digits, which make them unique.

use crate::error::Result;
use crate::message::id;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

pub const QUEUED: &str = "queued";
pub const SENDING: &str = "sending";
pub const SENT: &str = "sent";
pub const FAILED: &str = "failed";
/// What is remembered of a file between two attempts.
pub const STATE: &str = "retry";
/// A file that is being written; the dot in front keeps it out of listings.
pub const TEMPORARY: &str = "tmp";

/// The last time that a name was made of.
static LAST: AtomicU64 = AtomicU64::new(0);

/// Nanoseconds since 1970, later than at every call before in this process, whatever the clock does.
fn later() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = u64::try_from(since.as_nanos()).unwrap_or(u64::MAX);
    let next = |last: u64| now.max(last.saturating_add(1));
    match LAST.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |last| Some(next(last))) {
        Ok(last) | Err(last) => next(last),
    }
}

/// A new name without its extension. Names of one process sort in the order in which they were made.
pub fn fresh() -> Result<String> {
    Ok(format!("{:020}-{}", later(), id::hex(&id::random::<8>()?)))
}

/// Seconds since 1970.
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// Base and extension of a file's name.
pub fn split(name: &[u8]) -> Option<(&[u8], &str)> {
    let dot = memchr::memrchr(b'.', name)?;
    let extension = std::str::from_utf8(&name[dot + 1..]).ok()?;
    (dot > 0).then_some((&name[..dot], extension))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_sort_in_the_order_in_which_they_were_made_and_differ() {
        let threads: Vec<_> =
            (0..8).map(|_| std::thread::spawn(|| (0..2000).map(|_| fresh().unwrap()).collect::<Vec<_>>())).collect();
        let lists: Vec<Vec<String>> = threads.into_iter().map(|t| t.join().unwrap()).collect();
        assert!(lists.iter().all(|list| list.is_sorted()));
        let all: std::collections::HashSet<&str> = lists.iter().flatten().map(|n| &n[..20]).collect();
        assert_eq!(all.len(), 16_000, "the times alone differ");
    }

    #[test]
    fn a_clock_that_goes_back_does_not_matter() {
        let ahead = later() + 3_600_000_000_000;
        LAST.store(ahead, Ordering::SeqCst);
        assert!(later() > ahead && later() > ahead + 1);
    }

    #[test]
    fn a_name_is_split_at_its_last_dot() {
        assert_eq!(split(b"a.b.queued"), Some((&b"a.b"[..], "queued")));
        for name in [&b".queued"[..], b"queued", b"", b"a.\xff"] {
            assert_eq!(split(name), None, "{name:?}");
        }
        assert_eq!(split(b"\xff.sent"), Some((&b"\xff"[..], "sent")));
    }
}
