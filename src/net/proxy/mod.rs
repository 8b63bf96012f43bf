//! Proxies: what is said on a fresh connection to one before the connection is the server's. One file a protocol; which
//! proxy a host is reached through is decided in [`choice`].
//!
//! Every failure but an interrupt (301) and a deadline (201) is error 118 with what the proxy said. A handshake takes no
//! byte that is not its own: what came behind it is the server's greeting.

pub mod challenge;
pub mod choice;
mod http;
mod login;
mod page;
mod socks4;
mod socks5;

#[cfg(test)]
mod tests;

use super::clock::Clock;
use super::resolve::{ascii_host, literal};
use super::stream::Stream;
use crate::enums::FirewallType;
use crate::error::{Code, Error, Result};
use crate::text::mask::Secret;
use std::io::IoSlice;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

/// A proxy and the way to log in at it.
#[derive(Debug, Clone, Default)]
pub struct Proxy {
    pub kind: FirewallType,
    pub host: String,
    pub port: u16,
    pub user: String,
    pub password: Secret,
    /// Header lines for the CONNECT request, with CRLF between them.
    pub headers: Secret,
    /// The proxy resolves the server's name.
    pub resolves: bool,
    /// The connection to an HTTP proxy is TLS.
    pub tls: bool,
    /// The hash of its certificate then (RFC 5929 section 4.1), which NTLM binds the login to.
    pub end_point: Option<Vec<u8>>,
    /// How an HTTP proxy is logged in at.
    pub login: ProxyLogin,
    /// No password goes over a connection without TLS.
    pub no_clear_text: bool,
    /// Whether NTLM is version 2, and what it names as this machine.
    pub ntlm_v2: bool,
    pub workstation: String,
}

impl Proxy {
    /// Whether the caller's header lines have one of this name.
    fn has_header(&self, name: &str) -> bool {
        let lines = self.headers.expose().split("\r\n");
        lines.filter_map(|line| line.split_once(':')).any(|(found, _)| found.trim().eq_ignore_ascii_case(name))
    }
}

/// The ways to log in at an HTTP proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ProxyLogin {
    /// Basic with the first request where that is allowed; where the proxy wants another one, that.
    #[default]
    Usual,
    /// What the proxy asks for, the strongest first; nothing before it asks.
    Any,
    Basic,
    Digest,
    Ntlm,
}

impl ProxyLogin {
    /// By its name, in any case; empty is the usual one.
    pub fn from_name(name: &str) -> Option<ProxyLogin> {
        Some(match name.to_ascii_lowercase().as_str() {
            "" => ProxyLogin::Usual,
            "any" => ProxyLogin::Any,
            "basic" => ProxyLogin::Basic,
            "digest" => ProxyLogin::Digest,
            "ntlm" => ProxyLogin::Ntlm,
            _ => return None,
        })
    }
}

/// Connects to the proxy once more.
pub type Redial<'a> = &'a mut dyn FnMut(&Clock) -> Result<Box<dyn Stream>>;

/// The port of a proxy of this kind where none is named; 0 without a proxy.
pub fn usual_port(kind: FirewallType, tls: bool) -> u16 {
    match kind {
        FirewallType::None => 0,
        FirewallType::Tunnel if tls => 443,
        FirewallType::Tunnel => 80,
        FirewallType::Socks4 | FirewallType::Socks4a | FirewallType::Socks5 => 1080,
    }
}

/// The server as the proxy is told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    Address(IpAddr),
    /// In ASCII, at most 255 octets.
    Name(String),
}

impl Host {
    /// An address where the text is one, else a name that the proxy resolves.
    pub fn new(text: &str) -> Result<Host> {
        match literal(text) {
            Some(address) => Ok(Host::Address(address)),
            None => ascii_host(text).map(Host::Name),
        }
    }
}

/// Says on `stream`, which is connected to the proxy, that it shall lead to `host` and `port`, and hears that it does.
/// However the proxy drips its answer, all of it takes no longer than one silence may. `redial` connects to an HTTP proxy that
/// wants to be asked again on another connection.
pub fn handshake(
    mut stream: Box<dyn Stream>,
    proxy: &Proxy,
    host: &Host,
    port: u16,
    clock: &Clock,
    redial: Redial,
) -> Result<Box<dyn Stream>> {
    let silence = clock.inactivity.and_then(|limit| Instant::now().checked_add(limit));
    let mut clock = clock.clone();
    clock.absolute = match (clock.absolute, silence) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    };
    let mut line = Line { stream: &mut *stream, clock: &clock, proxy };
    let done = match proxy.kind {
        FirewallType::None => Ok(()),
        FirewallType::Tunnel => {
            return http::connect(stream, proxy, host, port, &clock, redial).map_err(|error| failed(proxy, error));
        }
        FirewallType::Socks4 | FirewallType::Socks4a => socks4::connect(&mut line, host, port),
        FirewallType::Socks5 => socks5::connect(&mut line, host, port),
    };
    match done {
        Ok(()) => Ok(stream),
        Err(error) => {
            stream.close();
            Err(failed(proxy, error))
        }
    }
}

/// What went wrong on the way to or at a proxy as error 118; an interrupt, a deadline, a name that leads nowhere and a
/// value that cannot be sent keep their numbers.
pub fn failed(proxy: &Proxy, error: Error) -> Error {
    let keeps = [
        Code::Interrupted,
        Code::Timeout,
        Code::Firewall,
        Code::ValueRefused,
        Code::HostNotFound,
        Code::TryAgain,
        Code::NoData,
    ];
    if keeps.contains(&error.code) {
        return error;
    }
    self::error(proxy, &error.message)
}

/// The conversation with a proxy.
struct Line<'a> {
    stream: &'a mut dyn Stream,
    clock: &'a Clock,
    proxy: &'a Proxy,
}

impl Line<'_> {
    fn say(&mut self, octets: &[u8]) -> Result<()> {
        self.stream.write_all(&mut [IoSlice::new(octets)], self.clock)
    }

    /// As many octets as the buffer has, and none beyond; some at a time.
    fn hear(&mut self, buffer: &mut [u8]) -> Result<()> {
        let mut got = 0;
        while got < buffer.len() {
            got += self.some(&mut buffer[got..])?;
        }
        Ok(())
    }

    fn some(&mut self, buffer: &mut [u8]) -> Result<usize> {
        match self.stream.read(buffer, self.clock)? {
            0 => Err(self.error("it closed the connection before its answer was complete")),
            count => Ok(count),
        }
    }

    fn error(&self, what: &str) -> Error {
        error(self.proxy, what)
    }
}

/// Error 118.
fn error(proxy: &Proxy, what: &str) -> Error {
    Error::new(Code::Firewall, format!("proxy {}:{}: {what}", proxy.host, proxy.port))
}

/// A connection of which some octets came already, with the last of the proxy's answer.
struct Early {
    early: Vec<u8>,
    taken: usize,
    stream: Box<dyn Stream>,
}

impl Stream for Early {
    fn read(&mut self, buf: &mut [u8], clock: &Clock) -> Result<usize> {
        let left = &self.early[self.taken..];
        if left.is_empty() || buf.is_empty() {
            return self.stream.read(buf, clock);
        }
        clock.check()?;
        let count = left.len().min(buf.len());
        buf[..count].copy_from_slice(&left[..count]);
        self.taken += count;
        Ok(count)
    }

    fn write_all(&mut self, parts: &mut [IoSlice<'_>], clock: &Clock) -> Result<()> {
        self.stream.write_all(parts, clock)
    }

    fn write_more(&mut self, parts: &mut [IoSlice<'_>], clock: &Clock) -> Result<()> {
        self.stream.write_more(parts, clock)
    }

    fn went(&self) -> u64 {
        self.stream.went()
    }

    fn readable(&mut self, wait: std::time::Duration, clock: &Clock) -> Result<bool> {
        if self.taken < self.early.len() {
            return clock.check().map(|()| true);
        }
        self.stream.readable(wait, clock)
    }

    fn close(&mut self) {
        self.taken = self.early.len();
        self.stream.close();
    }

    fn local_addr(&self) -> Option<SocketAddr> {
        self.stream.local_addr()
    }

    fn peer_addr(&self) -> Option<SocketAddr> {
        self.stream.peer_addr()
    }
}
