//! The network floor: names, connections, deadlines, and the one kind of socket whose writes never raise SIGPIPE.
//!
//! A [`Clock`] travels with every call that may wait: it holds the inactivity limit, the absolute limit and the
//! [`Interrupt`]. A [`Stream`] is what everything above talks to; TLS and proxies are further implementations of it.

mod aside;
pub mod clock;
pub mod dial;
pub mod errno;
pub mod interrupt;
pub mod options;
pub mod proxy;
mod race;
mod rate;
pub mod resolve;
pub mod socket;
pub mod stream;
pub mod tls;

#[cfg(test)]
mod tests;

pub use aside::aside;
pub use clock::Clock;
pub use dial::{DialOptions, dial};
pub use errno::from_io;
pub use interrupt::Interrupt;
pub use options::{Closing, SocketOptions};
pub use resolve::{IpMode, ascii_host, resolve};
pub use stream::{Stream, TcpStream};
