//! Work that cannot be stopped (a resolver, a Kerberos library) in a thread of its own, which is left behind when the time is up.

use super::clock::{Clock, left};
use super::errno;
use super::resolve::SLICE;
use super::socket;
use crate::error::{Code, Error, Result};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};

/// What `work` gives, waited for as long as the clock allows; `what` completes "waiting for". None when its thread died.
pub fn aside<T: Send + 'static>(
    thread: &str,
    what: &str,
    clock: &Clock,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<Option<T>> {
    clock.interrupt.check()?;
    let (sender, answers) = sync_channel(1);
    let deadline = clock.deadline();
    // The answer of a thread that nobody waits for any more is dropped.
    let work = move || drop(sender.send(work()));
    socket::without_signals(|| std::thread::Builder::new().name(thread.into()).spawn(work)).map_err(|error| {
        Error::new(Code::TooManyProcesses, format!("no thread to wait for {what} in: {}", errno::cause(&error)))
    })?;
    loop {
        let left = left(deadline);
        match answers.recv_timeout(left.map_or(SLICE, |left| left.min(SLICE))) {
            Ok(answer) => {
                clock.interrupt.check()?;
                return Ok(Some(answer));
            }
            Err(RecvTimeoutError::Disconnected) => return Ok(None),
            Err(RecvTimeoutError::Timeout) => {
                clock.interrupt.check()?;
                if left.is_some_and(|left| left.is_zero()) {
                    return Err(clock.timed_out(what));
                }
            }
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
