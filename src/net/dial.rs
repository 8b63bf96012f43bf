//! Making a connection: resolve, then race the addresses ([`race`]). A connect never blocks: it is polled in slices, so
//! that the deadline and the interrupt count here too. The socket that comes out is blocking.

use super::clock::Clock;
use super::errno::{self, from_io};
use super::options::SocketOptions;
use super::race::{Lost, interleaved, race};
pub use super::resolve::IpMode;
use super::resolve::resolve;
use super::stream::TcpStream;
use crate::error::{Code, Error, Result};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Instant;

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
    pub socket: SocketOptions,
    /// Bytes a second that are sent at most; 0 is no limit.
    pub max_rate: u64,
}

/// Connects within the clock's limits, which cover resolving and all attempts together.
pub fn dial(options: &DialOptions, clock: &Clock) -> Result<TcpStream> {
    if options.port == 0 {
        return Err(Error::new(Code::ZeroPort, format!("{}: the port is 0", options.host)));
    }
    // From here on: resolving counts too.
    let end = clock.deadline();
    let addresses = resolve(&options.host, options.ip, clock)?;
    connect(options, interleaved(&addresses), end, clock)
}

/// Connects to the first of the addresses that answers.
pub(super) fn connect(
    options: &DialOptions,
    addresses: Vec<IpAddr>,
    end: Option<Instant>,
    clock: &Clock,
) -> Result<TcpStream> {
    let locals = local_addresses(options, clock)?;
    let targets = addresses.into_iter().map(|address| Target::new(options, &locals, address)).collect();
    match race(targets, end, clock) {
        Ok((socket, target)) => {
            TcpStream::new(socket, target.label, options.no_delay)?.tuned(&options.socket, options.max_rate)
        }
        Err(Lost::Stopped(error)) => Err(error),
        Err(Lost::Failed(failures)) => Err(summary(options, failures)),
    }
}

/// Every cause, and the number of the one that says most: a host that refused or kept silent rather than a network
/// that isn't there, and of equals the last.
fn summary(options: &DialOptions, mut failures: Vec<Error>) -> Error {
    if failures.len() == 1 {
        return failures.remove(0);
    }
    let told = |code: Code| !matches!(code as i32, 10046 | 10047 | 10049 | 10050 | 10051 | 10064 | 10065);
    let code = failures.iter().max_by_key(|error| told(error.code)).map_or(Code::NoData, |error| error.code);
    let causes: Vec<&str> = failures.iter().map(|error| error.message.as_str()).collect();
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

/// One address of the host.
pub(super) struct Target<'a> {
    options: &'a DialOptions,
    locals: &'a [IpAddr],
    pub(super) address: SocketAddr,
    /// How texts name it: `mail.example:25 (192.0.2.1)`.
    pub(super) label: String,
}

impl<'a> Target<'a> {
    fn new(options: &'a DialOptions, locals: &'a [IpAddr], address: IpAddr) -> Target<'a> {
        let address = SocketAddr::new(address, options.port);
        let label = match super::resolve::literal(&options.host) {
            Some(_) => address.to_string(),
            None => format!("{}:{} ({})", options.host, options.port, address.ip()),
        };
        Target { options, locals, address, label }
    }

    /// A socket of the right family that does not block, set, and bound where that is asked for.
    pub(super) fn open(&self) -> Result<Socket> {
        let domain = Domain::for_address(self.address);
        #[cfg(target_os = "linux")]
        let socket = Socket::new(domain, Type::STREAM.nonblocking(), Some(Protocol::TCP));
        #[cfg(not(target_os = "linux"))]
        let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))
            .and_then(|socket| socket.set_nonblocking(true).map(|()| socket));
        let socket = socket.map_err(|error| from_io(&error, &format!("no socket for {}", self.label)))?;
        self.options.socket.prepare(&socket, &self.label)?;
        if self.locals.is_empty() {
            return Ok(socket);
        }
        let name = &self.options.local_host;
        let Some(local) = self.locals.iter().find(|local| local.is_ipv4() == self.address.is_ipv4()) else {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_failures_the_number_that_says_most_is_kept() {
        let options = DialOptions { host: "h.example".into(), ..DialOptions::default() };
        let failure = |code| Error::new(code, format!("{code:?}"));
        let code = |codes: &[Code]| summary(&options, codes.iter().map(|&c| failure(c)).collect()).code;
        assert_eq!(code(&[Code::ConnectionRefused, Code::NetworkUnreachable]), Code::ConnectionRefused);
        assert_eq!(code(&[Code::NetworkUnreachable, Code::ConnectionRefused]), Code::ConnectionRefused);
        assert_eq!(code(&[Code::Timeout, Code::ConnectionRefused]), Code::ConnectionRefused);
        assert_eq!(code(&[Code::NetworkUnreachable]), Code::NetworkUnreachable);
        let text = summary(&options, vec![failure(Code::Timeout), failure(Code::HostDown)]).into_message();
        assert_eq!(text, "no address of h.example answers: Timeout; HostDown");
    }
}
