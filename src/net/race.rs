//! Several addresses of one host: RFC 8305 §5 ("happy eyeballs"). The first is tried alone; the next one joins after a
//! quarter of a second, or at once when one has failed. The first to connect wins, the others are closed. One thread,
//! one poll(2), in slices: the interrupt counts here too.

use super::clock::{Clock, left};
use super::dial::Target;
use super::errno::from_io;
use super::resolve::SLICE;
use super::socket::{self, Ready};
use crate::error::{Code, Error, Result};
use socket2::{SockAddr, Socket};
use std::io;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// RFC 8305 §8, Connection Attempt Delay.
const HEAD_START: Duration = Duration::from_millis(250);

/// The families in turn, the first address first (RFC 8305 §4), so that one that leads nowhere costs little.
pub(super) fn interleaved(addresses: &[IpAddr]) -> Vec<IpAddr> {
    let first = addresses.first().is_some_and(IpAddr::is_ipv4);
    let family = |v4: bool| addresses.iter().filter(move |a| a.is_ipv4() == v4);
    let (mut ours, mut others) = (family(first), family(!first));
    let mut turns = Vec::with_capacity(addresses.len());
    while turns.len() < addresses.len() {
        turns.extend(ours.next());
        turns.extend(others.next());
    }
    turns
}

/// How a race without a winner ended.
pub(super) enum Lost {
    /// Somebody stopped it.
    Stopped(Error),
    /// Why each address came to nothing, in their order.
    Failed(Vec<Error>),
}

/// A connect that is under way, and its place among the addresses.
struct Attempt<'a> {
    place: usize,
    target: Target<'a>,
    socket: Socket,
}

/// Connects to the first target that answers until `end`, which `clock` has decided on. The socket blocks.
pub(super) fn race<'a>(
    targets: Vec<Target<'a>>,
    end: Option<Instant>,
    clock: &Clock,
) -> std::result::Result<(Socket, Target<'a>), Lost> {
    let mut failures: Vec<Option<Error>> = vec![None; targets.len()];
    let mut waiting = targets.into_iter().enumerate().peekable();
    let mut running: Vec<Attempt> = Vec::new();
    let mut next = Instant::now();
    loop {
        clock.interrupt.check().map_err(Lost::Stopped)?;
        if Instant::now() >= next
            && let Some((place, target)) = waiting.next()
        {
            match begin(&target) {
                Ok(socket) => {
                    running.push(Attempt { place, target, socket });
                    next = Instant::now() + HEAD_START;
                }
                Err(error) => failures[place] = Some(error),
            }
        }
        if running.is_empty() {
            if waiting.peek().is_none() {
                break;
            }
            continue;
        }
        let left = left(end);
        let turn = waiting.peek().map(|_| next.saturating_duration_since(Instant::now()));
        let wait = [left, turn].into_iter().flatten().fold(SLICE, Duration::min);
        let ready = match socket::poll_each(running.iter().map(|attempt| &attempt.socket), Ready::Write, Some(wait)) {
            Ok(ready) => ready,
            // A signal: look at the clock and go on.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => vec![false; running.len()],
            Err(error) => return Err(Lost::Stopped(from_io(&error, "waiting for a connection"))),
        };
        clock.interrupt.check().map_err(Lost::Stopped)?;
        let mut open = 0;
        for ready in ready {
            if !ready {
                open += 1;
                continue;
            }
            let Attempt { place, target, socket } = running.remove(open);
            match finish(&target, &socket) {
                Ok(()) => return Ok((socket, target)),
                Err(error) => failures[place] = Some(error),
            }
            next = Instant::now();
        }
        if left.is_some_and(|left| left.is_zero()) {
            break;
        }
    }
    for Attempt { place, target, .. } in running {
        failures[place] = Some(clock.timed_out(&format!("{} to accept the connection", target.label)));
    }
    Err(Lost::Failed(failures.into_iter().flatten().collect()))
}

/// Begins to connect, without waiting.
fn begin(target: &Target) -> Result<Socket> {
    // The system would take it for the loopback address.
    if target.address.ip().is_unspecified() {
        return Err(Error::new(Code::BadAddress, format!("{} is no host's address", target.label)));
    }
    let socket = target.open()?;
    match socket.connect(&SockAddr::from(target.address)) {
        Ok(()) => Ok(socket),
        // A signal does not stop a connect that has begun.
        Err(error) if matches!(error.raw_os_error(), Some(libc::EINPROGRESS | libc::EINTR)) => Ok(socket),
        Err(error) => Err(failed(target, &error)),
    }
}

/// What became of an attempt that poll calls ready.
fn finish(target: &Target, socket: &Socket) -> Result<()> {
    if let Some(error) = socket.take_error().map_err(|error| failed(target, &error))? {
        return Err(failed(target, &error));
    }
    // A connect to a dead port of this very host can meet itself when the system picks that port for our end.
    if socket.local_addr().ok().and_then(|address| address.as_socket()) == Some(target.address) {
        return Err(failed(target, &io::Error::from_raw_os_error(libc::ECONNREFUSED)));
    }
    socket.set_nonblocking(false).map_err(|error| failed(target, &error))
}

fn failed(target: &Target, error: &io::Error) -> Error {
    from_io(error, &format!("cannot connect to {}", target.label))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_families_take_turns_beginning_with_the_first() {
        let order = |list: &[&str]| {
            let addresses: Vec<IpAddr> = list.iter().map(|a| a.parse().unwrap()).collect();
            interleaved(&addresses).iter().map(IpAddr::to_string).collect::<Vec<_>>()
        };
        assert_eq!(order(&["::1", "::2", "::3", "192.0.2.1"]), ["::1", "192.0.2.1", "::2", "::3"]);
        assert_eq!(order(&["192.0.2.1", "::1", "::2"]), ["192.0.2.1", "::1", "::2"]);
        assert_eq!(order(&["192.0.2.1", "192.0.2.2"]), ["192.0.2.1", "192.0.2.2"]);
        assert!(order(&[]).is_empty());
    }
}
