//! When a message that failed for the time being is tried again (QueueRetry): a wait that doubles, up to a limit, until the message
//! is too old.

/// Seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    pub first: i64,
    pub longest: i64,
    /// Counted from when the message was queued.
    pub expiry: i64,
}

const HOUR: i64 = 3600;
const FIVE_DAYS: i64 = 5 * 24 * HOUR;
/// Ten years: no sum of such numbers goes over.
const MOST: i64 = 10 * 366 * 24 * HOUR;

impl Retry {
    /// `first;longest;expiry` in seconds; the last two may lack. None where it is no such text.
    pub fn parse(text: &str) -> Option<Retry> {
        let numbers = text
            .split(';')
            .map(|part| part.trim().parse::<i64>().ok().filter(|n| (0..=MOST).contains(n)))
            .collect::<Option<Vec<i64>>>()?;
        let (first, longest, expiry) = match numbers[..] {
            [first] => (first, HOUR.max(first), FIVE_DAYS),
            [first, longest] => (first, longest, FIVE_DAYS),
            [first, longest, expiry] => (first, longest, expiry),
            _ => return None,
        };
        (longest >= first).then_some(Retry { first, longest, expiry })
    }

    /// How long to wait after so many attempts.
    pub fn wait(&self, attempts: u32) -> i64 {
        let doubled = 1i64.checked_shl(attempts.saturating_sub(1).min(40)).unwrap_or(i64::MAX);
        self.first.saturating_mul(doubled).min(self.longest)
    }

    /// Whether a message from then is not to be tried at that time any more.
    pub fn is_over(&self, created: i64, at: i64) -> bool {
        at.saturating_sub(created) > self.expiry
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_its_limit() {
        let retry = Retry::parse("60;600;86400").unwrap();
        let waits: Vec<i64> = [1, 2, 3, 4, 5, 6, 100, u32::MAX].iter().map(|n| retry.wait(*n)).collect();
        assert_eq!(waits, [60, 120, 240, 480, 600, 600, 600, 600]);
        assert!(!retry.is_over(1000, 1000 + 86400) && retry.is_over(1000, 1001 + 86400));
        assert!(!retry.is_over(i64::MAX, 0) && retry.is_over(i64::MIN, 0));
    }

    #[test]
    fn what_lacks_has_a_default_and_nonsense_is_refused() {
        assert_eq!(Retry::parse("60"), Some(Retry { first: 60, longest: 3600, expiry: 432_000 }));
        assert_eq!(Retry::parse("7200"), Some(Retry { first: 7200, longest: 7200, expiry: 432_000 }));
        assert_eq!(Retry::parse("0;0"), Some(Retry { first: 0, longest: 0, expiry: 432_000 }));
        for text in ["", "x", "60;", "60;30", "-1", "1;2;3;4", "99999999999999999999", "1000000000000"] {
            assert_eq!(Retry::parse(text), None, "{text}");
        }
    }
}
