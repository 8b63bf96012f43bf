//! Work that cannot be stopped (a resolver, a Kerberos library) in a thread of its own, which is left behind when the time is up.

use super::clock::{Clock, left};
use super::errno;
use super::resolve::SLICE;
use super::socket;
use crate::error::{Code, Error, Result};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// What `work` gives, waited for as long as the clock allows; `what` completes "waiting for". None when its thread died.
pub fn aside<T: Send + 'static>(
    thread: &str,
    what: &str,
    clock: &Clock,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<Option<T>> {
    // The answer of a thread that nobody waits for any more is dropped with its place.
    let place = Arc::new(Mutex::new(None));
    let shared = place.clone();
    let work = move || {
        let answer = work();
        *locked(&shared) = Some(answer);
    };
    wait(thread, what, clock, Box::new(work))?;
    Ok(locked(&place).take())
}

/// Whether the thread is over.
type Over = (Mutex<bool>, Condvar);

/// Says so when it is dropped: after the work, and where that panics.
struct Ended(Arc<Over>);

impl Drop for Ended {
    fn drop(&mut self) {
        *locked(&self.0.0) = true;
        self.0.1.notify_one();
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Until the work is over, in whatever way. Of one type, whatever the work gives: threads and waiting are much code.
fn wait(thread: &str, what: &str, clock: &Clock, work: Box<dyn FnOnce() + Send>) -> Result<()> {
    clock.interrupt.check()?;
    let over = Arc::new(Over::default());
    let ended = Ended(over.clone());
    let deadline = clock.deadline();
    let work = move || {
        let _ended = ended;
        work();
    };
    socket::without_signals(|| std::thread::Builder::new().name(thread.into()).spawn(work)).map_err(|error| {
        Error::new(Code::TooManyProcesses, format!("no thread to wait for {what} in: {}", errno::cause(&error)))
    })?;
    let mut is_over = locked(&over.0);
    loop {
        let left = left(deadline);
        let slice = left.map_or(SLICE, |left| left.min(SLICE));
        is_over = over.1.wait_timeout_while(is_over, slice, |over| !*over).unwrap_or_else(PoisonError::into_inner).0;
        clock.interrupt.check()?;
        if *is_over {
            return Ok(());
        }
        if left.is_some_and(|left| left.is_zero()) {
            return Err(clock.timed_out(what));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::interrupt::Interrupt;
    use super::*;
    use std::time::{Duration, Instant};

    #[test]
    fn the_answer_comes_back_and_a_thread_that_dies_gives_none() {
        let clock = Clock::unlimited();
        assert_eq!(aside("t", "x", &clock, || 7).unwrap(), Some(7));
        let died = aside("t", "x", &clock, || -> u8 { std::panic::resume_unwind(Box::new(())) });
        assert_eq!(died.unwrap(), None);
    }

    #[test]
    fn work_without_end_is_left_behind_at_the_limit_and_at_an_interrupt() {
        let start = Instant::now();
        let clock = Clock::new(Some(Duration::from_millis(100)), None, Interrupt::new());
        let error = aside("t", "a ticket", &clock, || std::thread::sleep(Duration::from_secs(30))).unwrap_err();
        assert_eq!((error.code, &error.message[..]), (Code::Timeout, "timed out after 100 ms waiting for a ticket"));
        let clock = Clock::unlimited();
        let interrupt = clock.interrupt.clone();
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(50));
            interrupt.interrupt();
        });
        let error = aside("t", "x", &clock, || std::thread::sleep(Duration::from_secs(30))).unwrap_err();
        assert_eq!(error.code, Code::Interrupted);
        assert!(start.elapsed() < Duration::from_secs(20));
    }
}
