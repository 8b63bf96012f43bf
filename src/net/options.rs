//! How a socket is set: what happens to it before it connects, and what once its connection stands. socket(7), tcp(7).

use crate::error::Result;
use crate::net::errno::from_io;
use socket2::{Socket, TcpKeepalive};
use std::time::Duration;

/// Linux takes no longer times than this between probes (MAX_TCP_KEEPIDLE), and other systems need none.
const LONGEST_SILENCE: u64 = 32_767;

/// What closing does with bytes that the peer has not acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Closing {
    /// It returns at once, and the system goes on to deliver.
    #[default]
    Background,
    /// It waits for the delivery, for so many whole seconds at most.
    Wait(Duration),
    /// They are thrown away, and the peer sees a reset.
    Reset,
}

/// The options of a socket; the default leaves everything to the system.
#[derive(Debug, Clone, Default)]
pub struct SocketOptions {
    /// Whether an idle connection is probed.
    pub keep_alive: bool,
    /// The silence before the first probe; zero is what the system does.
    pub keep_alive_time: Duration,
    /// The time between probes without an answer; zero is what the system does.
    pub keep_alive_interval: Duration,
    pub closing: Closing,
    /// Bytes; 0 is what the system does.
    pub receive_buffer: usize,
    /// Bytes; 0 is what the system does.
    pub send_buffer: usize,
}

impl SocketOptions {
    /// Before connecting: the receive buffer decides the window scale that SYN announces (RFC 7323 §2.3).
    pub(super) fn prepare(&self, socket: &Socket, label: &str) -> Result<()> {
        // A system that has fixed sizes, or refuses this one, keeps its own.
        if self.receive_buffer > 0 {
            let _ = socket.set_recv_buffer_size(self.receive_buffer.min(i32::MAX as usize));
        }
        if self.send_buffer > 0 {
            let _ = socket.set_send_buffer_size(self.send_buffer.min(i32::MAX as usize));
        }
        if self.keep_alive {
            let mut probes = TcpKeepalive::new();
            if let Some(time) = whole_seconds(self.keep_alive_time) {
                probes = probes.with_time(time);
            }
            if let Some(interval) = whole_seconds(self.keep_alive_interval) {
                probes = probes.with_interval(interval);
            }
            socket
                .set_tcp_keepalive(&probes)
                .map_err(|error| from_io(&error, &format!("cannot set keep-alive probes to {label}")))?;
        }
        Ok(())
    }

    /// Once connected: attempts that come to nothing are closed without waiting.
    pub(super) fn settle(&self, socket: &Socket, label: &str) -> Result<()> {
        let linger = match self.closing {
            Closing::Background => return Ok(()),
            Closing::Wait(time) => time,
            Closing::Reset => Duration::ZERO,
        };
        socket
            .set_linger(Some(linger))
            .map_err(|error| from_io(&error, &format!("cannot set how the connection to {label} closes")))
    }
}

/// Rounded up, as the system counts in seconds; None for zero.
fn whole_seconds(time: Duration) -> Option<Duration> {
    let seconds = time.as_secs() + u64::from(time.subsec_nanos() > 0);
    (seconds > 0).then(|| Duration::from_secs(seconds.min(LONGEST_SILENCE)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keep_alive_times_are_whole_seconds_rounded_up_and_never_beyond_what_the_system_takes() {
        let seconds = |millis| whole_seconds(Duration::from_millis(millis)).map(|time| time.as_secs());
        assert_eq!([0, 1, 999, 1_000, 1_001].map(seconds), [None, Some(1), Some(1), Some(1), Some(2)]);
        assert_eq!(seconds(86_400_000), Some(LONGEST_SILENCE));
        assert_eq!(whole_seconds(Duration::MAX - Duration::from_secs(1)).map(|t| t.as_secs()), Some(LONGEST_SILENCE));
    }
}
