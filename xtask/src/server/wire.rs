//! One connection's socket as the embedded server sees it: bounded lines in, gathered or one-byte replies out, a close that
//! is a FIN or, when asked for, an RST.

use super::tls::{Handshake, Pipe, Tls};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How often a blocked read or write looks at the stop flag.
const TICK: Duration = Duration::from_millis(25);
const CHUNK: usize = 64 * 1024;

/// How the server answers, and how long it waits.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Every byte is a write of its own.
    pub one_byte: bool,
    /// Before every turn: a reply, or those to a group of commands together, as a distance between the two would make it.
    pub delay: Duration,
    /// The longest wait for the client to say something, or to take what it is told.
    pub patience: Duration,
}

/// One line from the client, without its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    Text(Vec<u8>),
    /// Longer than the bound; it was read to its end and thrown away.
    Long,
    /// The client has closed, or reset, the connection.
    Closed,
}

pub struct Wire {
    stream: Pipe,
    input: Vec<u8>,
    at: usize,
    output: Vec<u8>,
    stop: Arc<AtomicBool>,
    pace: Pace,
    /// Counts the times something was said: the client's round trips, where it waits for each.
    turns: Arc<AtomicUsize>,
    /// A line of the client ended in LF alone.
    pub bare_lf: bool,
    /// A line of the client held a CR that was not part of a CRLF.
    pub bare_cr: bool,
}

impl Wire {
    pub fn new(stream: TcpStream, pace: Pace, stop: Arc<AtomicBool>) -> io::Result<Wire> {
        // A socket that a non-blocking listener accepted may be non-blocking itself on some systems.
        stream.set_nonblocking(false)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(TICK))?;
        stream.set_write_timeout(Some(TICK))?;
        Ok(Wire {
            stream: Pipe::new(stream),
            input: Vec::new(),
            at: 0,
            output: Vec::new(),
            stop,
            pace,
            turns: Arc::default(),
            bare_lf: false,
            bare_cr: false,
        })
    }

    /// Counts into what the whole server counts.
    pub fn counting(mut self, turns: Arc<AtomicUsize>) -> Wire {
        self.turns = turns;
        self
    }

    /// Says what is waiting, then has everything go by TLS. What the client said ahead in plaintext is forgotten (RFC 3207
    /// §4.2). Gives what the handshake was.
    pub fn secure(&mut self, tls: &Tls) -> io::Result<Option<Handshake>> {
        self.flush()?;
        self.input.clear();
        self.at = 0;
        self.stream.secure(tls)?;
        let deadline = Instant::now() + self.pace.patience;
        while self.stream.is_handshaking() {
            if self.stop.load(Ordering::Relaxed) {
                return Err(io::Error::other("the server is stopping"));
            }
            match self.stream.shake() {
                Err(e) if !waiting(&e) => return Err(e),
                Err(_) if Instant::now() >= deadline => return Err(ErrorKind::TimedOut.into()),
                _ => {}
            }
        }
        Ok(self.stream.handshake())
    }

    /// What has arrived and was not taken yet.
    pub fn pending(&self) -> &[u8] {
        &self.input[self.at..]
    }

    /// Takes `count` bytes of what is pending.
    pub fn take(&mut self, count: usize) {
        self.at = (self.at + count).min(self.input.len());
        if self.at == self.input.len() {
            self.input.clear();
            self.at = 0;
        }
    }

    /// Says what is waiting to be said, then waits for more from the client; false when it has gone.
    pub fn fill(&mut self) -> io::Result<bool> {
        self.flush()?;
        self.fill_within(self.pace.patience)
    }

    /// As [`Wire::fill`], with its own limit and without saying anything.
    pub fn fill_within(&mut self, limit: Duration) -> io::Result<bool> {
        if self.at > 0 {
            self.input.drain(..self.at);
            self.at = 0;
        }
        let deadline = Instant::now() + limit;
        let old = self.input.len();
        self.input.resize(old + CHUNK, 0);
        let outcome = loop {
            if self.stop.load(Ordering::Relaxed) {
                break Err(io::Error::other("the server is stopping"));
            }
            match self.stream.read(&mut self.input[old..]) {
                Ok(count) => break Ok(count),
                Err(e) if gone(&e) => break Ok(0),
                Err(e) if !waiting(&e) => break Err(e),
                Err(_) if Instant::now() >= deadline => break Err(ErrorKind::TimedOut.into()),
                Err(_) => {}
            }
        };
        self.input.truncate(old + outcome.as_ref().map_or(0, |n| *n));
        outcome.map(|count| count > 0)
    }

    /// The next line, ended by CRLF or, which is noted, by LF alone. Holds at most `limit` bytes of it.
    pub fn line(&mut self, limit: usize) -> io::Result<Line> {
        let mut searched = 0;
        let mut long = false;
        loop {
            if let Some(found) = self.pending()[searched..].iter().position(|&b| b == b'\n') {
                let end = searched + found;
                let mut text = self.pending()[..end].to_vec();
                self.take(end + 1);
                if text.last() == Some(&b'\r') {
                    text.pop();
                } else {
                    self.bare_lf = true;
                }
                self.bare_cr |= text.contains(&b'\r');
                return Ok(if long || text.len() > limit { Line::Long } else { Line::Text(text) });
            }
            searched = self.pending().len();
            if searched > limit {
                long = true;
                // The last byte stays: it may be the CR of the CRLF.
                self.take(searched - 1);
                searched = 0;
            }
            if !self.fill()? {
                return Ok(Line::Closed);
            }
        }
    }

    /// Puts bytes in line for the client; they leave with [`Wire::flush`] or when the server next waits.
    pub fn say(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.output.extend_from_slice(bytes);
        Ok(())
    }

    pub fn flush(&mut self) -> io::Result<()> {
        let output = std::mem::take(&mut self.output);
        if !output.is_empty() {
            self.turns.fetch_add(1, Ordering::SeqCst);
            std::thread::sleep(self.pace.delay);
        }
        if self.pace.one_byte {
            for byte in output.chunks(1) {
                self.write(byte)?;
                // Long enough, most of the time, for the other side to see the byte alone.
                std::thread::sleep(Duration::from_micros(20));
            }
            return Ok(());
        }
        self.write(&output)
    }

    fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        let deadline = Instant::now() + self.pace.patience;
        while !bytes.is_empty() {
            if self.stop.load(Ordering::Relaxed) {
                return Err(io::Error::other("the server is stopping"));
            }
            match self.stream.write(bytes) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(count) => bytes = &bytes[count..],
                Err(e) if waiting(&e) && Instant::now() < deadline => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    /// Says nothing until the time is over or the client has gone (true). What the client says meanwhile is kept, bounded.
    pub fn stall(&mut self, time: Duration) -> io::Result<bool> {
        self.flush()?;
        let deadline = Instant::now() + time;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(false);
            }
            if self.pending().len() > 16 * CHUNK {
                // A client that keeps sending gets TCP's own back pressure.
                std::thread::sleep(left.min(TICK));
                if self.stop.load(Ordering::Relaxed) {
                    return Ok(true);
                }
                continue;
            }
            match self.fill_within(left) {
                Ok(true) => {}
                Ok(false) => return Ok(true),
                Err(e) if e.kind() == ErrorKind::TimedOut => return Ok(false),
                Err(e) => return Err(e),
            }
        }
    }

    /// Says what is left and closes. What the client is still saying is read first: unread bytes would turn the close into
    /// a reset, which can take the last reply with it.
    pub fn close(mut self) {
        let said = self.flush().is_ok();
        self.stream.finish();
        if said && self.stream.socket.shutdown(Shutdown::Write).is_ok() {
            let mut rest = vec![0; CHUNK];
            for _ in 0..1000 {
                if !matches!(self.stream.socket.read(&mut rest), Ok(1..)) {
                    break;
                }
            }
        }
    }

    /// Says what is left and closes at once, whatever the client is saying.
    pub fn cut(mut self) {
        let _ = self.flush();
        let _ = self.stream.socket.shutdown(Shutdown::Both);
    }

    /// Closes with an RST: the peer's next read or write fails with "connection reset".
    pub fn reset(self) {
        reset_on_close(&self.stream.socket);
    }
}

pub(super) fn waiting(e: &io::Error) -> bool {
    matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}

fn gone(e: &io::Error) -> bool {
    matches!(e.kind(), ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe)
}

/// SO_LINGER with a time of 0. `TcpStream::set_linger` is not stable, and this package has no socket library.
#[cfg(unix)]
fn reset_on_close(stream: &TcpStream) {
    use std::ffi::{c_int, c_void};
    use std::os::fd::AsRawFd;

    #[repr(C)]
    struct Linger {
        on: c_int,
        seconds: c_int,
    }
    unsafe extern "C" {
        fn setsockopt(fd: c_int, level: c_int, name: c_int, value: *const c_void, length: u32) -> c_int;
    }
    #[cfg(any(target_os = "linux", target_os = "android"))]
    const LEVEL_AND_NAME: (c_int, c_int) = (1, 13);
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    const LEVEL_AND_NAME: (c_int, c_int) = (0xffff, 0x80);

    let linger = Linger { on: 1, seconds: 0 };
    let (level, name) = LEVEL_AND_NAME;
    // SAFETY: the descriptor is open as long as `stream` lives, and `linger` has the layout and size that SO_LINGER takes.
    unsafe {
        setsockopt(stream.as_raw_fd(), level, name, (&raw const linger).cast(), size_of::<Linger>() as u32);
    }
}

#[cfg(not(unix))]
fn reset_on_close(_stream: &TcpStream) {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    fn pair(one_byte: bool) -> (TcpStream, Wire) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        client.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let pace = Pace { one_byte, delay: Duration::ZERO, patience: Duration::from_secs(5) };
        let wire = Wire::new(listener.accept().unwrap().0, pace, Arc::default()).unwrap();
        (client, wire)
    }

    #[test]
    fn lines_end_at_crlf_and_a_bare_lf_or_cr_is_noted() {
        let (mut client, mut wire) = pair(false);
        client.write_all(b"one\r\ntwo\r\n").unwrap();
        assert_eq!(wire.line(100).unwrap(), Line::Text(b"one".to_vec()));
        assert_eq!(wire.line(100).unwrap(), Line::Text(b"two".to_vec()));
        assert!(!wire.bare_lf && !wire.bare_cr);
        client.write_all(b"th\rree\r\nfour\n").unwrap();
        assert_eq!(wire.line(100).unwrap(), Line::Text(b"th\rree".to_vec()));
        assert!(wire.bare_cr && !wire.bare_lf);
        assert_eq!(wire.line(100).unwrap(), Line::Text(b"four".to_vec()));
        assert!(wire.bare_lf);
        drop(client);
        assert_eq!(wire.line(100).unwrap(), Line::Closed);
    }

    #[test]
    fn a_line_over_the_bound_is_thrown_away_and_the_next_one_is_read() {
        let (mut client, mut wire) = pair(false);
        let writer = std::thread::spawn(move || {
            client.write_all(&vec![b'x'; 500_000]).unwrap();
            client.write_all(b"\r\nnext\r\n").unwrap();
            client
        });
        assert_eq!(wire.line(1000).unwrap(), Line::Long);
        assert_eq!(wire.line(1000).unwrap(), Line::Text(b"next".to_vec()));
        assert!(!wire.bare_cr && !wire.bare_lf);
        drop(writer.join().unwrap());
    }

    #[test]
    fn a_one_byte_reply_arrives_whole() {
        let (mut client, mut wire) = pair(true);
        wire.say(b"220 hello\r\n").unwrap();
        wire.flush().unwrap();
        let mut reply = [0; 11];
        client.read_exact(&mut reply).unwrap();
        assert_eq!(&reply, b"220 hello\r\n");
    }

    #[test]
    fn close_is_an_end_of_file_and_reset_an_error() {
        let (mut client, wire) = pair(false);
        wire.close();
        assert_eq!(client.read(&mut [0; 9]).unwrap(), 0);
        let (mut client, wire) = pair(false);
        wire.reset();
        assert_eq!(client.read(&mut [0; 9]).unwrap_err().kind(), ErrorKind::ConnectionReset);
    }

    #[test]
    fn a_stall_ends_early_when_the_client_goes() {
        let (mut client, mut wire) = pair(false);
        client.write_all(b"kept").unwrap();
        assert!(!wire.stall(Duration::from_millis(60)).unwrap());
        assert_eq!(wire.pending(), b"kept");
        drop(client);
        assert!(wire.stall(Duration::from_secs(60)).unwrap());
    }
}
