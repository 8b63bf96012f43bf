//! The limits of one operation: how long it may be silent, when it must be over, and whether somebody called it off.

use super::interrupt::Interrupt;
use crate::error::{Code, Error, Result};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What bounds an operation. `None` is no limit.
#[derive(Debug, Clone)]
pub struct Clock {
    /// The longest time without a byte in the direction that is waited for.
    pub inactivity: Option<Duration>,
    /// The moment at which the whole operation must be over.
    pub absolute: Option<Instant>,
    pub interrupt: Arc<Interrupt>,
}

impl Clock {
    pub fn new(inactivity: Option<Duration>, absolute: Option<Instant>, interrupt: Arc<Interrupt>) -> Clock {
        Clock { inactivity, absolute, interrupt }
    }

    /// No limit, and nobody who interrupts.
    pub fn unlimited() -> Clock {
        Clock::new(None, None, Interrupt::new())
    }

    /// Error 301 after an interrupt, else error 201 once the absolute limit has passed.
    pub fn check(&self) -> Result<()> {
        self.interrupt.check()?;
        if self.absolute_passed() {
            return Err(Error::new(Code::Timeout, "the time limit of the operation has passed"));
        }
        Ok(())
    }

    /// How long a wait that starts now may take.
    pub fn remaining(&self) -> Option<Duration> {
        let absolute = left(self.absolute);
        match (self.inactivity, absolute) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// The moment at which a wait that starts now must give up. A limit too far away to be a moment is none.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let inactive = self.inactivity.and_then(|limit| Instant::now().checked_add(limit));
        match (inactive, self.absolute) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// Error 201 for a wait that reached [`Clock::deadline`]; `what` completes "waiting for".
    pub(crate) fn timed_out(&self, what: &str) -> Error {
        match self.inactivity {
            Some(limit) if !self.absolute_passed() => {
                Error::new(Code::Timeout, format!("timed out after {} waiting for {what}", spoken(limit)))
            }
            _ => Error::new(Code::Timeout, format!("the time limit of the operation passed while waiting for {what}")),
        }
    }

    fn absolute_passed(&self) -> bool {
        self.absolute.is_some_and(|end| Instant::now() >= end)
    }
}

/// The time until `deadline`, zero once it has passed.
pub(crate) fn left(deadline: Option<Instant>) -> Option<Duration> {
    deadline.map(|end| end.saturating_duration_since(Instant::now()))
}

fn spoken(time: Duration) -> String {
    if time.subsec_millis() == 0 && time.as_secs() > 0 {
        format!("{} s", time.as_secs())
    } else {
        format!("{} ms", time.as_millis())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interrupt_wins_over_a_passed_limit() {
        let clock = Clock::new(None, Some(Instant::now()), Interrupt::new());
        assert_eq!(clock.check().unwrap_err().code, Code::Timeout);
        clock.interrupt.interrupt();
        assert_eq!(clock.check().unwrap_err().code, Code::Interrupted);
    }

    #[test]
    fn the_smaller_limit_counts() {
        let far = Instant::now() + Duration::from_secs(1000);
        let short = Duration::from_secs(2);
        assert_eq!(Clock::unlimited().remaining(), None);
        assert_eq!(Clock::new(Some(short), None, Interrupt::new()).remaining(), Some(short));
        assert_eq!(Clock::new(Some(short), Some(far), Interrupt::new()).remaining(), Some(short));
        let bounded = Clock::new(Some(Duration::from_secs(5000)), Some(far), Interrupt::new());
        assert!(bounded.remaining().unwrap() <= Duration::from_secs(1000));
        assert_eq!(bounded.deadline(), Some(far));
        assert_eq!(Clock::new(None, Some(Instant::now()), Interrupt::new()).remaining(), Some(Duration::ZERO));
    }

    #[test]
    fn a_limit_beyond_all_time_is_none() {
        assert_eq!(Clock::new(Some(Duration::MAX), None, Interrupt::new()).deadline(), None);
    }

    #[test]
    fn the_text_of_a_timeout_says_how_long_and_for_what() {
        let clock = Clock::new(Some(Duration::from_secs(60)), None, Interrupt::new());
        assert_eq!(clock.timed_out("data from a:25").message, "timed out after 60 s waiting for data from a:25");
        let clock = Clock::new(Some(Duration::from_millis(1500)), None, Interrupt::new());
        assert_eq!(clock.timed_out("x").message, "timed out after 1500 ms waiting for x");
        let clock = Clock::new(Some(Duration::from_secs(60)), Some(Instant::now()), Interrupt::new());
        assert_eq!(clock.timed_out("x").message, "the time limit of the operation passed while waiting for x");
    }
}
