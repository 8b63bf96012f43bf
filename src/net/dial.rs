//! Making a connection: resolve, then try each address until one answers. A connect never blocks: it is polled in
//! slices, so that the deadline and the interrupt count here too. The socket that comes out is blocking.

use super::clock::{Clock, left};
use super::errno::{self, from_io};
pub use super::resolve::IpMode;
use super::resolve::{SLICE, resolve};
use super::socket::{self, Ready};
use super::stream::TcpStream;
use crate::error::{Code, Error, Result};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

/// With several addresses, what each is given at least before the next one is tried.
const PATIENCE: Duration = Duration::from_secs(2);

/// Where to connect, from where, and how the socket is set.
#[derive(Debug, Clone, Default)]
pub struct DialOptions {
    /// A name or an address; an IPv6 address may stand in brackets.
    pub host: String,
    pub port: u16,
    /// The local address, or a name of it; empty for any.
    pub local_host: String,
    /// Zero for any.
    pub local_port: u16,
    pub ip: IpMode,
    pub no_delay: bool,
}

/// Connects within the clock's limits, which cover resolving and all attempts together.
pub fn dial(options: &DialOptions, clock: &Clock) -> Result<TcpStream> {
    if options.port == 0 {
        return Err(Error::new(Code::ZeroPort, format!("{}: the port is 0", options.host)));
    }
    let deadline = clock.deadline();
    let addresses = resolve(&options.host, options.ip, clock)?;
    let locals = local_addresses(options, clock)?;
    let mut failures: Vec<(IpAddr, Error)> = Vec::new();
    for (index, &address) in addresses.iter().enumerate() {
        let target = Target::new(options, address, deadline);
        match target.connect(&locals, share(deadline, addresses.len() - index), clock) {
            Ok(socket) => return TcpStream::new(socket, target.label, options.no_delay),
            Err(Failure::Stop(error)) => return Err(error),
            Err(Failure::Attempt(error)) => failures.push((address, error)),
        }
        if left(deadline).is_some_and(|left| left.is_zero()) {
            break;
        }
    }
    Err(summary(options, failures))
}

/// The end of an attempt when `attempts` still share the time.
fn share(deadline: Option<Instant>, attempts: usize) -> Option<Instant> {
    let end = deadline?;
    let left = end.saturating_duration_since(Instant::now());
    let part = left / u32::try_from(attempts).unwrap_or(u32::MAX).max(1);
    Some(Instant::now() + part.max(PATIENCE).min(left))
}

/// Every cause, and the number of the one that says most: a host that refused or kept silent rather than a network
/// that isn't there, and of equals the last.
fn summary(options: &DialOptions, mut failures: Vec<(IpAddr, Error)>) -> Error {
    if failures.len() == 1 {
        return failures.remove(0).1;
    }
    let told = |code: Code| !matches!(code as i32, 10046 | 10047 | 10049 | 10050 | 10051 | 10064 | 10065);
    let code = failures.iter().max_by_key(|(_, error)| told(error.code)).map_or(Code::NoData, |(_, error)| error.code);
    let causes: Vec<&str> = failures.iter().map(|(_, error)| error.message.as_str()).collect();
    Error::new(code, format!("no address of {} answers: {}", options.host, causes.join("; ")))
}

/// The local addresses to bind to; none when any will do.
fn local_addresses(options: &DialOptions, clock: &Clock) -> Result<Vec<IpAddr>> {
    if options.local_host.is_empty() {
        return Ok(match options.local_port {
            0 => Vec::new(),
            _ => vec![Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()],
        });
    }
    resolve(&options.local_host, IpMode::V6ThenV4, clock).map_err(|mut error| {
        error.message = format!("local host: {}", error.message);
        error
    })
}

enum Failure {
    /// The whole dial is over.
    Stop(Error),
    /// This address is.
    Attempt(Error),
}

struct Target<'a> {
    options: &'a DialOptions,
    address: SocketAddr,
    /// When the whole dial must be over.
    end: Option<Instant>,
    /// How texts name it: `mail.example:25 (192.0.2.1)`.
    label: String,
}

impl<'a> Target<'a> {
    fn new(options: &'a DialOptions, address: IpAddr, end: Option<Instant>) -> Target<'a> {
        let address = SocketAddr::new(address, options.port);
        let label = match super::resolve::literal(&options.host) {
            Some(_) => address.to_string(),
            None => format!("{}:{} ({})", options.host, options.port, address.ip()),
        };
        Target { options, address, end, label }
    }

    fn connect(
        &self,
        locals: &[IpAddr],
        deadline: Option<Instant>,
        clock: &Clock,
    ) -> std::result::Result<Socket, Failure> {
        // The system would take it for the loopback address.
        if self.address.ip().is_unspecified() {
            return Err(Failure::Attempt(Error::new(Code::BadAddress, format!("{} is no host's address", self.label))));
        }
        let socket = self.open(locals).map_err(Failure::Attempt)?;
        let failed = |error: &io::Error| Failure::Attempt(from_io(error, &format!("cannot connect to {}", self.label)));
        match socket.connect(&SockAddr::from(self.address)) {
            Ok(()) => {}
            // A signal does not stop a connect that has begun.
            Err(error) if matches!(error.raw_os_error(), Some(libc::EINPROGRESS | libc::EINTR)) => {
                self.wait(&socket, deadline, clock)?;
                if let Some(error) = socket.take_error().map_err(|error| failed(&error))? {
                    return Err(failed(&error));
                }
            }
            Err(error) => return Err(failed(&error)),
        }
        clock.interrupt.check().map_err(Failure::Stop)?;
        // A connect to a dead port of this very host can meet itself when the system picks that port for our end.
        if local(&socket) == Some(self.address) {
            return Err(failed(&io::Error::from_raw_os_error(libc::ECONNREFUSED)));
        }
        socket.set_nonblocking(false).map_err(|error| failed(&error))?;
        Ok(socket)
    }

    fn wait(&self, socket: &Socket, deadline: Option<Instant>, clock: &Clock) -> std::result::Result<(), Failure> {
        let start = Instant::now();
        loop {
            clock.interrupt.check().map_err(Failure::Stop)?;
            let left = left(deadline);
            match socket::poll(socket, Ready::Write, Some(left.map_or(SLICE, |left| left.min(SLICE)))) {
                Ok(true) => return Ok(()),
                Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                    return Err(Failure::Attempt(from_io(&error, &self.label)));
                }
                _ if left.is_some_and(|left| left.is_zero()) => {
                    clock.interrupt.check().map_err(Failure::Stop)?;
                    return Err(Failure::Attempt(self.unanswered(start, clock)));
                }
                _ => {}
            }
        }
    }

    /// Error 201, for the whole dial or for this address's share of its time.
    fn unanswered(&self, start: Instant, clock: &Clock) -> Error {
        if left(self.end).is_some_and(|left| left.is_zero()) {
            return clock.timed_out(&format!("{} to accept the connection", self.label));
        }
        Error::new(Code::Timeout, format!("no answer from {} within {} s", self.label, start.elapsed().as_secs()))
    }

    /// A socket of the right family that does not block, bound where that is asked for.
    fn open(&self, locals: &[IpAddr]) -> Result<Socket> {
        let domain = Domain::for_address(self.address);
        let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))
            .and_then(|socket| socket.set_nonblocking(true).map(|()| socket))
            .map_err(|error| from_io(&error, &format!("no socket for {}", self.label)))?;
        if locals.is_empty() {
            return Ok(socket);
        }
        let name = &self.options.local_host;
        let Some(local) = locals.iter().find(|local| local.is_ipv4() == self.address.is_ipv4()) else {
            let text = format!("local host {name} has no address of the kind of {}", self.address.ip());
            return Err(Error::new(Code::AddressNotAvailable, text));
        };
        let local = SocketAddr::new(*local, self.options.local_port);
        // A fixed port is free again although an earlier connection from it still lingers in TIME_WAIT.
        if self.options.local_port != 0 {
            let _ = socket.set_reuse_address(true);
        }
        socket.bind(&SockAddr::from(local)).map_err(|error| {
            let code = errno::code(&error);
            Error::new(code, format!("cannot connect from {local}: {}", errno::cause(&error)))
        })?;
        Ok(socket)
    }
}

fn local(socket: &Socket) -> Option<SocketAddr> {
    socket.local_addr().ok().and_then(|address| address.as_socket())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_is_shared_by_the_addresses() {
        assert_eq!(share(None, 3), None);
        let part = |seconds, attempts| {
            share(Some(Instant::now() + Duration::from_secs(seconds)), attempts).unwrap() - Instant::now()
        };
        assert!((Duration::from_secs(19)..=Duration::from_secs(20)).contains(&part(60, 3)));
        assert!((Duration::from_secs(59)..=Duration::from_secs(60)).contains(&part(60, 1)));
        assert!((Duration::from_secs(1)..=Duration::from_secs(2)).contains(&part(4, 8)));
        assert!(part(1, 8) <= Duration::from_secs(1));
    }

    #[test]
    fn of_several_failures_the_number_that_says_most_is_kept() {
        let options = DialOptions { host: "h.example".into(), ..DialOptions::default() };
        let address: IpAddr = [192, 0, 2, 1].into();
        let failure = |code| (address, Error::new(code, format!("{code:?}")));
        let code = |codes: &[Code]| summary(&options, codes.iter().map(|&c| failure(c)).collect()).code;
        assert_eq!(code(&[Code::ConnectionRefused, Code::NetworkUnreachable]), Code::ConnectionRefused);
        assert_eq!(code(&[Code::NetworkUnreachable, Code::ConnectionRefused]), Code::ConnectionRefused);
        assert_eq!(code(&[Code::Timeout, Code::ConnectionRefused]), Code::ConnectionRefused);
        assert_eq!(code(&[Code::NetworkUnreachable]), Code::NetworkUnreachable);
        let text = summary(&options, vec![failure(Code::Timeout), failure(Code::HostDown)]).message;
        assert_eq!(text, "no address of h.example answers: Timeout; HostDown");
    }
}
