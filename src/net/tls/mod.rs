//! TLS for a client: what is asked for ([`TlsOptions`]), who does it ([`Provider`]), and who has the last word about a
//! certificate ([`Judge`]). RFC 8446, RFC 5246; certificates RFC 5280 and RFC 6125.
//!
//! The rule that everything here follows: nothing of ours leaves after the server's certificate has come and before it
//! was judged, and a resumed session is used only where the very same decision would be made again.

pub mod binding;
pub mod choice;
mod client;
mod crypto;
mod curves;
mod decide;
pub mod der;
mod fault;
mod held;
pub mod internal;
mod keylog;
pub mod names;
pub mod openssl;
mod options;
pub mod packets;
mod patience;
pub mod revocation;
pub mod roots;
mod stream;
pub mod verify;

#[cfg(test)]
mod tests;

pub use internal::Internal;
pub use openssl::Platform;
pub use options::{ClientIdentity, OpensslSettings, Secret, TlsOptions, spki_pins};
pub use stream::TlsStream;
pub use verify::{Failure, Fault};

use super::{Clock, Stream};
use crate::error::Result;
use std::fmt;

/// The versions of the protocol; the two old ones only the platform's library has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    Tls10,
    Tls11,
    Tls12,
    Tls13,
}

impl Version {
    /// As SSLNegotiatedVersion shows it.
    pub fn name(self) -> &'static str {
        match self {
            Version::Tls10 => "TLSv1",
            Version::Tls11 => "TLSv1.1",
            Version::Tls12 => "TLSv1.2",
            Version::Tls13 => "TLSv1.3",
        }
    }
}

/// What a handshake agreed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Negotiated {
    pub version: Version,
    /// The suite's IANA name.
    pub suite: String,
    /// The cipher alone: `AES_256_GCM`.
    pub cipher: String,
    /// Its key size in bits.
    pub strength: u32,
    /// `x25519`, `secp256r1` …; empty where a resumed session had none of its own.
    pub key_exchange: String,
    /// The size of that group in bits, 0 without a name.
    pub key_exchange_strength: u32,
    pub resumed: bool,
    /// DER, the server's own first, as the server sent them (at the full handshake, for a resumed session).
    pub server_certs: Vec<Vec<u8>>,
}

impl Negotiated {
    /// tls-server-end-point, RFC 5929 §4; `None` where the certificate's signature names no hash (Ed25519). Made when it is asked
    /// for, since few logins want it.
    pub fn end_point(&self) -> Option<Vec<u8>> {
        binding::server_end_point(self.server_certs.first()?)
    }

    /// For SSLStatus.
    fn tell(&self, judge: &mut dyn Judge, by: &str) -> Result<()> {
        let how = if self.resumed { "resumed session" } else { "full handshake" };
        let (version, suite, key_exchange) = (self.version.name(), &self.suite, &self.key_exchange);
        judge.tell(format_args!("{version} with {suite}, {key_exchange}, {how}{by}"))
    }
}

/// A connection after its handshake.
pub struct Secured {
    pub stream: Box<dyn Stream>,
    pub info: Negotiated,
}

impl fmt::Debug for Secured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secured").field("info", &self.info).finish_non_exhaustive()
    }
}

/// What a judge is told about the server of a full handshake.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The server's certificate, DER.
    pub leaf: &'a [u8],
    /// The server's certificate, what else it sent, then the root that was found, if one was.
    pub chain: &'a [Vec<u8>],
    /// "OK", or the failures that no flag waives, joined by "; ".
    pub status: &'a str,
    /// What happens when nobody objects: true exactly when `status` is "OK".
    pub accept: bool,
    /// Everything that was found, waived or not.
    pub failures: &'a [Failure],
}

/// What was presented, for a look at revocation.
#[derive(Debug, Clone, Copy)]
pub struct Presented<'a> {
    /// As in [`Question::chain`].
    pub chain: &'a [Vec<u8>],
    /// The verified path, leaf first and root last; empty when there is none.
    pub path: &'a [Vec<u8>],
    /// The stapled OCSP response, DER; empty without one.
    pub ocsp: &'a [u8],
}

/// Who is asked about a certificate, and told of progress. Called on the thread of the handshake, with no lock held.
pub trait Judge {
    /// Whether to go on with this server. Called once in every full handshake. An error ends the handshake as it is.
    fn judge(&mut self, question: &Question<'_>) -> Result<bool> {
        Ok(question.accept)
    }

    /// Looks at revocation, and adds what it finds. Called after everything else was checked and before any flag.
    fn revocation(&mut self, _presented: &Presented<'_>, _clock: &Clock) -> Result<Vec<Failure>> {
        Ok(Vec::new())
    }

    /// A readable line about how far the handshake is.
    fn progress(&mut self, _line: &str) -> Result<()> {
        Ok(())
    }

    /// Whether anybody hears those lines: else they are not even put together.
    fn listens(&self) -> bool {
        true
    }
}

impl dyn Judge + '_ {
    fn tell(&mut self, line: fmt::Arguments<'_>) -> Result<()> {
        if self.listens() { self.progress(&line.to_string()) } else { Ok(()) }
    }
}

/// Nobody to ask: what is found decides.
#[derive(Debug, Default, Clone, Copy)]
pub struct NoJudge;

impl Judge for NoJudge {}

/// An implementation of TLS. It belongs to one handle and keeps that handle's sessions.
pub trait Provider: Send + Sync {
    /// Secures a connection. Errors: 276 the handshake failed, 280 the certificate was refused, 273 the client's key
    /// cannot be used, 303 the key log file cannot be opened, 603 a name that this provider does not have; and those of
    /// the stream: 201, 301, 1120.
    fn handshake(
        &self,
        stream: Box<dyn Stream>,
        options: &TlsOptions,
        clock: &Clock,
        judge: &mut dyn Judge,
    ) -> Result<Secured>;

    /// Drops every session.
    fn forget(&self);
}
