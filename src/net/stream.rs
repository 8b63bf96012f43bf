//! What everything above the network reads and writes, and its plain form: one TCP socket.
//!
//! The socket blocks, with SO_RCVTIMEO and SO_SNDTIMEO, so that a turn of a conversation costs one recv and one
//! sendmsg. These limits only say how often a call comes back to look at the clock: they are powers of two below the
//! time left and are set again only when they change. Deadlines are moments, so a signal never moves them.
//!
//! TcpNoDelay never causes a stall (ruling 16). A turn is one gathered write: Linux's form of Nagle (Minshall) holds
//! back the last, partial segment only while an earlier partial one is unacknowledged, and the reply that began our
//! turn acknowledged those. Where a turn takes several sendmsg calls, is large enough that the kernel may have cut it,
//! or follows another without a read between, the tail is pushed by switching TCP_NODELAY on, which sends what is held,
//! and off again. [`Stream::write_more`] (MSG_MORE) keeps the parts of a turn in full segments. Systems without
//! MSG_MORE promise neither, so TCP_NODELAY stays on there. A caller that keeps turns in flight and reads the replies to
//! older ones in between wants `no_delay`: such a reply does not show that the newest turn was acknowledged.

use super::clock::{Clock, left};
use super::errno::from_io;
use super::options::{Closing, SocketOptions};
use super::rate::Rate;
use super::resolve::SLICE;
use super::socket::{self, Ready};
use crate::error::{Code, Error, Result};
use socket2::Socket;
use std::io::{self, IoSlice, Read};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A conversation's two directions. Errors: 301 interrupted, 201 a limit passed, 1120 the peer closed, 10054 it reset.
pub trait Stream: Send {
    /// Reads at least one byte; 0 says that the peer closed.
    fn read(&mut self, buf: &mut [u8], clock: &Clock) -> Result<usize>;

    /// Writes all parts, gathered, and sends them at once. The parts are used up.
    fn write_all(&mut self, parts: &mut [IoSlice<'_>], clock: &Clock) -> Result<()>;

    /// Like `write_all` where more of the same turn follows: a `write_all`, or a read, must come next to send the tail.
    fn write_more(&mut self, parts: &mut [IoSlice<'_>], clock: &Clock) -> Result<()> {
        self.write_all(parts, clock)
    }

    /// How many bytes of the last write went at most, where that failed: what came behind them the peer has not got.
    fn went(&self) -> u64 {
        u64::MAX
    }

    /// Whether bytes, an error or the end are there, after at most `wait`. Takes nothing away.
    fn readable(&mut self, wait: Duration, clock: &Clock) -> Result<bool>;

    /// Keying material for a login that is bound to this connection (RFC 9266), where there is TLS 1.3.
    fn exporter(&mut self) -> Option<Vec<u8>> {
        None
    }

    fn close(&mut self);

    fn local_addr(&self) -> Option<SocketAddr>;

    fn peer_addr(&self) -> Option<SocketAddr>;
}

impl<S: Stream + ?Sized> Stream for Box<S> {
    fn read(&mut self, buf: &mut [u8], clock: &Clock) -> Result<usize> {
        (**self).read(buf, clock)
    }
    fn write_all(&mut self, parts: &mut [IoSlice<'_>], clock: &Clock) -> Result<()> {
        (**self).write_all(parts, clock)
    }
    fn write_more(&mut self, parts: &mut [IoSlice<'_>], clock: &Clock) -> Result<()> {
        (**self).write_more(parts, clock)
    }
    fn went(&self) -> u64 {
        (**self).went()
    }
    fn readable(&mut self, wait: Duration, clock: &Clock) -> Result<bool> {
        (**self).readable(wait, clock)
    }
    fn exporter(&mut self) -> Option<Vec<u8>> {
        (**self).exporter()
    }
    fn close(&mut self) {
        (**self).close();
    }
    fn local_addr(&self) -> Option<SocketAddr> {
        (**self).local_addr()
    }
    fn peer_addr(&self) -> Option<SocketAddr> {
        (**self).peer_addr()
    }
}

/// Whether Nagle can be left on without stalls.
const CAN_PUSH: bool = cfg!(any(target_os = "linux", target_os = "android"));

/// A write beyond this may be cut by the kernel where its buffer was full: Linux's smallest default send buffer.
const ONE_GO: usize = 16 * 1024;

/// A connected TCP socket. Dropping it closes it.
#[derive(Debug)]
pub struct TcpStream {
    socket: Option<Arc<Socket>>,
    label: String,
    no_delay: bool,
    /// What may be sent by now, where that is limited.
    rate: Option<Rate>,
    /// Closing waits for what is not delivered yet.
    lingers: bool,
    /// An error ended the conversation.
    failed: bool,
    local: Option<SocketAddr>,
    peer: Option<SocketAddr>,
    receive_timeout: Option<Duration>,
    send_timeout: Option<Duration>,
    /// Sends since the last read: what Nagle could make a further one wait for.
    unanswered: u32,
    /// Read since the last send, so that a further read wants the rest of an answer.
    heard: bool,
    /// The last send said that more is coming.
    held: bool,
    /// What the last send took.
    went: u64,
}

impl TcpStream {
    /// Takes a connected, blocking socket; `label` is how error texts name the peer, with its port.
    pub fn new(socket: Socket, label: impl Into<String>, no_delay: bool) -> Result<TcpStream> {
        let label = label.into();
        let no_delay = no_delay || !CAN_PUSH;
        if no_delay {
            // Darwin refuses every option of a socket that was reset meanwhile; the first read tells that better.
            let _ = socket.set_tcp_nodelay(true);
        }
        let local = socket.local_addr().ok().and_then(|address| address.as_socket());
        let peer = socket.peer_addr().ok().and_then(|address| address.as_socket());
        Ok(TcpStream {
            socket: Some(Arc::new(socket)),
            label,
            no_delay,
            rate: None,
            lingers: false,
            failed: false,
            local,
            peer,
            receive_timeout: None,
            send_timeout: None,
            unanswered: 0,
            heard: false,
            held: false,
            went: 0,
        })
    }

    /// Sets what is set once a connection stands: how it closes, and the bytes a second that leave at most (0: no limit).
    pub(super) fn tuned(mut self, options: &SocketOptions, max_rate: u64) -> Result<TcpStream> {
        let socket = self.open()?;
        options.settle(&socket, &self.label)?;
        self.lingers = matches!(options.closing, Closing::Wait(_));
        self.rate = Rate::new(max_rate, Instant::now());
        Ok(self)
    }

    /// The socket, to read options back; `None` once closed.
    pub fn socket(&self) -> Option<&Socket> {
        self.socket.as_deref()
    }

    fn open(&self) -> Result<Arc<Socket>> {
        self.socket
            .clone()
            .ok_or_else(|| Error::new(Code::SocketNotConnected, format!("the connection to {} is closed", self.label)))
    }

    fn broken(&self, error: &io::Error) -> Error {
        from_io(error, &format!("connection to {}", self.label))
    }

    /// Keeps in mind that the conversation failed.
    fn noting<T>(&mut self, done: Result<T>) -> Result<T> {
        self.failed |= done.is_err();
        done
    }

    /// Sends what Nagle or MSG_MORE holds back.
    fn push(&mut self, socket: &Socket) {
        // A failure here is a dead connection, which the next read or write reports with its reason.
        let _ = socket.set_tcp_nodelay(true);
        if !self.no_delay {
            let _ = socket.set_tcp_nodelay(false);
        }
        self.held = false;
    }

    /// A peer that leaves Nagle on sends the rest of an answer only when what came is acknowledged, which the kernel puts off by 40 ms.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn acknowledge(socket: &Socket) {
        let _ = socket.set_tcp_quickack(true);
    }

    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    fn acknowledge(_socket: &Socket) {}

    fn send(&mut self, mut parts: &mut [IoSlice<'_>], more: bool, clock: &Clock) -> Result<()> {
        self.went = 0;
        self.heard = false;
        clock.interrupt.check()?;
        let socket = self.open()?;
        let _watch = clock.interrupt.watching(&socket);
        let mut deadline = clock.deadline();
        let mut total = 0usize;
        // Leading parts may be empty, and only empty ones may be left.
        IoSlice::advance_slices(&mut parts, 0);
        while !parts.is_empty() {
            clock.interrupt.check()?;
            let mut batch = &parts[..parts.len().min(socket::MAX_PARTS)];
            let mut flags = if more || batch.len() < parts.len() { socket::MORE } else { 0 };
            let affordable: Vec<IoSlice>;
            if let Some(rate) = &self.rate {
                let wanted = batch.iter().map(|part| part.len()).sum();
                let (allowed, waited) = self.earn(rate, &socket, wanted, clock)?;
                if waited {
                    // The peer was not the one to wait for.
                    deadline = clock.deadline();
                }
                if allowed < wanted {
                    affordable = within(batch, allowed);
                    batch = &affordable;
                    // What is paid for may go.
                    flags = 0;
                }
            }
            let left = left(deadline);
            if left.is_some_and(|left| left.is_zero()) {
                return Err(clock.timed_out(&format!("{} to take data", self.label)));
            }
            // Short calls: one that sent something and then timed out does not say when it sent, and one that waits is
            // woken only when a third of the buffer is free, while a new one takes whatever room a slow peer has made.
            self.set_send_timeout(&socket, left.map(|left| slice(left / 16)))?;
            match socket.send_vectored_with_flags(batch, socket::NO_SIGNAL | flags) {
                Ok(sent) if sent > 0 => {
                    self.unanswered = self.unanswered.saturating_add(1);
                    total = total.saturating_add(sent);
                    self.went += sent as u64;
                    if let Some(rate) = &mut self.rate {
                        rate.spend(sent, Instant::now());
                    }
                    IoSlice::advance_slices(&mut parts, sent);
                    if !parts.is_empty() {
                        deadline = clock.deadline();
                    }
                }
                Err(error) if !goes_on(&error) => {
                    clock.interrupt.check()?;
                    return Err(self.broken(&error));
                }
                _ => {}
            }
        }
        clock.interrupt.check()?;
        if more {
            self.held |= total > 0;
        } else if (self.held && total == 0) || (!self.no_delay && (self.unanswered > 1 || total > ONE_GO)) {
            self.push(&socket);
        } else {
            self.held = false;
        }
        Ok(())
    }

    /// Waits until some of the wanted bytes may go; says how many, and whether that took time. Only the absolute limit
    /// counts meanwhile. An interrupt shuts the socket down, which wakes the wait; so does a reset, which is for the
    /// send to tell.
    fn earn(&self, rate: &Rate, socket: &Socket, wanted: usize, clock: &Clock) -> Result<(usize, bool)> {
        let due = rate.due(wanted);
        let mut waited = false;
        loop {
            let now = Instant::now();
            if now >= due {
                return Ok((rate.allowance(now), waited));
            }
            let end = clock.absolute.map_or(due, |end| end.min(due));
            if end <= now {
                return Err(clock.timed_out(&format!("MaxTransferRate to let data go to {}", self.label)));
            }
            waited = true;
            let broken = socket::poll(socket, Ready::Broken, Some((end - now).min(SLICE)));
            clock.interrupt.check()?;
            match broken {
                Ok(true) => return Ok((rate.allowance(now).max(1), waited)),
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(self.broken(&error)),
                _ => {}
            }
        }
    }

    fn set_send_timeout(&mut self, socket: &Socket, timeout: Option<Duration>) -> Result<()> {
        if self.send_timeout != timeout {
            socket.set_write_timeout(timeout).map_err(|error| self.broken(&error))?;
            self.send_timeout = timeout;
        }
        Ok(())
    }

    fn set_receive_timeout(&mut self, socket: &Socket, timeout: Option<Duration>) -> Result<()> {
        if self.receive_timeout != timeout {
            socket.set_read_timeout(timeout).map_err(|error| self.broken(&error))?;
            self.receive_timeout = timeout;
        }
        Ok(())
    }

    fn receive(&mut self, buf: &mut [u8], clock: &Clock) -> Result<usize> {
        clock.interrupt.check()?;
        if buf.is_empty() {
            return Err(Error::new(Code::InvalidArgument, "a read needs room for at least one byte"));
        }
        let socket = self.open()?;
        if self.held {
            self.push(&socket);
        }
        if self.heard {
            Self::acknowledge(&socket);
        }
        let deadline = clock.deadline();
        let _watch = clock.interrupt.watching(&socket);
        loop {
            clock.interrupt.check()?;
            let left = left(deadline);
            if left.is_some_and(|left| left.is_zero()) {
                return Err(clock.timed_out(&format!("data from {}", self.label)));
            }
            self.set_receive_timeout(&socket, left.map(slice))?;
            let result = (&*socket).read(buf);
            clock.interrupt.check()?;
            match result {
                Ok(count) => {
                    self.unanswered = 0;
                    self.heard = true;
                    return Ok(count);
                }
                Err(error) if goes_on(&error) => {}
                Err(error) => return Err(self.broken(&error)),
            }
        }
    }

    fn poll_readable(&mut self, wait: Duration, clock: &Clock) -> Result<bool> {
        clock.interrupt.check()?;
        let socket = self.open()?;
        if self.held {
            self.push(&socket);
        }
        let end = match (Instant::now().checked_add(wait), clock.absolute) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        let _watch = clock.interrupt.watching(&socket);
        loop {
            clock.interrupt.check()?;
            let left = left(end);
            let result = socket::poll(&socket, Ready::Read, left);
            clock.interrupt.check()?;
            match result {
                Ok(true) => return Ok(true),
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(self.broken(&error)),
                _ if left.is_some_and(|left| left.is_zero()) => {
                    if super::clock::left(clock.absolute).is_some_and(|left| left.is_zero()) {
                        return Err(clock.timed_out(&format!("data from {}", self.label)));
                    }
                    return Ok(false);
                }
                _ => {}
            }
        }
    }
}

impl Stream for TcpStream {
    fn read(&mut self, buf: &mut [u8], clock: &Clock) -> Result<usize> {
        let done = self.receive(buf, clock);
        self.noting(done)
    }

    fn write_all(&mut self, parts: &mut [IoSlice<'_>], clock: &Clock) -> Result<()> {
        let done = self.send(parts, false, clock);
        self.noting(done)
    }

    fn write_more(&mut self, parts: &mut [IoSlice<'_>], clock: &Clock) -> Result<()> {
        let done = self.send(parts, true, clock);
        self.noting(done)
    }

    fn went(&self) -> u64 {
        self.went
    }

    fn readable(&mut self, wait: Duration, clock: &Clock) -> Result<bool> {
        let done = self.poll_readable(wait, clock);
        self.noting(done)
    }

    fn close(&mut self) {
        let Some(socket) = self.socket.take() else { return };
        // Nobody waits for the delivery of what an interrupt or an error has cut off.
        if self.lingers && self.failed {
            let _ = socket.set_linger(None);
        }
    }

    fn local_addr(&self) -> Option<SocketAddr> {
        self.local
    }

    fn peer_addr(&self) -> Option<SocketAddr> {
        self.peer
    }
}

impl Drop for TcpStream {
    fn drop(&mut self) {
        self.close();
    }
}

/// The first `limit` bytes of the parts.
fn within<'a>(parts: &'a [IoSlice<'_>], mut limit: usize) -> Vec<IoSlice<'a>> {
    let mut cut = Vec::new();
    for part in parts {
        if limit == 0 {
            break;
        }
        let piece = &part[..part.len().min(limit)];
        limit -= piece.len();
        cut.push(IoSlice::new(piece));
    }
    cut
}

/// The largest power of two in milliseconds within `time`: few different values, so few calls to set them.
fn slice(time: Duration) -> Duration {
    let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX).clamp(1, 1 << 20);
    Duration::from_millis(1 << millis.ilog2())
}

/// A signal or the socket's own limit: look at the clock and go on.
fn goes_on(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock)
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn parts_are_cut_where_the_limit_falls() {
        let parts = [b"abc".as_slice(), b"", b"defg", b"h"].map(IoSlice::new);
        let cut = |limit| within(&parts, limit).iter().map(|part| part.to_vec()).collect::<Vec<_>>().concat();
        for limit in 0..10 {
            assert_eq!(cut(limit), b"abcdefgh"[..limit.min(8)]);
        }
    }

    #[test]
    fn a_steady_limit_keeps_one_value() {
        let millis = |time: u64| slice(Duration::from_millis(time)).as_millis();
        assert_eq!([0, 1, 2, 3, 59_999, 60_000, u64::MAX].map(millis), [1, 1, 2, 2, 32_768, 32_768, 1 << 20]);
    }
}
