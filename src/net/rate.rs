//! MaxTransferRate: a token bucket, counted in time. What is sent must have been earned before, at so many bytes a
//! second, so that no stretch of a transfer is faster than that; a pause earns three hundredths of a second at most.
//! Does not wait and reads no clock: the caller says what time it is.

use std::time::{Duration, Instant};

/// The budget of one connection.
#[derive(Debug)]
pub(crate) struct Rate {
    per_second: u64,
    /// Everything sent was earned by this moment; what was earned since is to spend.
    paid: Instant,
}

impl Rate {
    /// None for 0, which is no limit.
    pub(crate) fn new(per_second: u64, now: Instant) -> Option<Rate> {
        (per_second > 0).then_some(Rate { per_second, paid: now })
    }

    /// The moment at which a send is worth its while: when all `wanted` bytes are earned, or a portion of them.
    pub(crate) fn due(&self, wanted: usize) -> Instant {
        self.paid + self.time(self.portion().min(wanted as u64))
    }

    /// The bytes that may be sent at `now`.
    pub(crate) fn allowance(&self, now: Instant) -> usize {
        let earned = now.saturating_duration_since(self.paid).as_nanos() * u128::from(self.per_second) / 1_000_000_000;
        usize::try_from(earned).unwrap_or(usize::MAX).min(usize::try_from(self.savings()).unwrap_or(usize::MAX))
    }

    /// Takes the bytes that were sent from what was earned.
    pub(crate) fn spend(&mut self, sent: usize, now: Instant) {
        let oldest = now.checked_sub(self.time(self.savings())).unwrap_or(self.paid);
        self.paid = self.paid.max(oldest) + self.time(sent as u64);
    }

    /// A hundredth of a second's worth, so that a transfer flows; where that is next to nothing, enough for a segment to
    /// be no mere header, but never more than a second's worth.
    fn portion(&self) -> u64 {
        (self.per_second / 100).max(self.per_second.min(64))
    }

    /// More than a portion: waits end late, and what was earned meanwhile must not be lost.
    fn savings(&self) -> u64 {
        3 * self.portion()
    }

    /// How long it takes to earn so many bytes, rounded up.
    fn time(&self, bytes: u64) -> Duration {
        let nanos = (u128::from(bytes) * 1_000_000_000).div_ceil(u128::from(self.per_second));
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends `total` bytes with waits that end `late`, and gives back the time that took.
    fn transfer(per_second: u64, total: usize, late: Duration) -> Duration {
        let start = Instant::now();
        let mut rate = Rate::new(per_second, start).unwrap();
        let mut now = start;
        let mut left = total;
        while left > 0 {
            now = now.max(rate.due(left)) + late;
            let sent = rate.allowance(now).min(left);
            assert!(sent > 0);
            rate.spend(sent, now);
            left -= sent;
        }
        now - start
    }

    #[test]
    fn the_rate_is_kept_whatever_it_is_and_however_late_the_waits_end() {
        for per_second in [1, 7, 100, 1_000, 50_000, 1_000_000, 2_147_483_647u64] {
            for late in [0, 1, 10].map(Duration::from_millis) {
                let total = per_second as usize * 4;
                let time = transfer(per_second, total, late).as_secs_f64();
                assert!((4.0..4.2).contains(&time), "{per_second} B/s, waits {late:?} late: {time} s");
            }
        }
    }

    #[test]
    fn a_pause_earns_little() {
        let start = Instant::now();
        let mut rate = Rate::new(100_000, start).unwrap();
        assert_eq!(rate.allowance(start), 0);
        let later = start + Duration::from_secs(3_600);
        assert_eq!(rate.allowance(later), 3_000);
        rate.spend(3_000, later);
        assert_eq!(rate.allowance(later), 0);
        assert_eq!(rate.allowance(later + Duration::from_millis(10)), 1_000);
    }

    #[test]
    fn what_was_sent_too_early_is_paid_back() {
        let start = Instant::now();
        let mut rate = Rate::new(1_000, start).unwrap();
        rate.spend(500, start);
        assert_eq!(rate.allowance(start + Duration::from_millis(500)), 0);
        assert_eq!(rate.allowance(start + Duration::from_millis(510)), 10);
    }

    #[test]
    fn a_short_command_waits_for_itself_only() {
        let start = Instant::now();
        let rate = Rate::new(1_000, start).unwrap();
        assert_eq!(rate.due(6), start + Duration::from_millis(6));
        assert_eq!(rate.due(1_000_000), start + Duration::from_millis(64));
        assert_eq!(rate.allowance(rate.due(6)), 6);
    }

    #[test]
    fn a_rate_of_0_is_no_limit() {
        assert!(Rate::new(0, Instant::now()).is_none());
    }
}
