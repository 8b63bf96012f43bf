//! The events as data, and who hears them. No C types: `ffi` turns these into its structs.

use crate::error::Result;

/// Which event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    ConnectionStatus,
    EndTransfer,
    Error,
    Expand,
    PiTrail,
    SslServerAuthentication,
    SslStatus,
    StartTransfer,
    TokenWanted,
    Transfer,
}

impl Kind {
    pub const COUNT: usize = Kind::Transfer as usize + 1;
}

/// Who a line or a transfer comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
pub enum Direction {
    Client = 0,
    Server = 1,
    Info = 2,
}

pub struct ConnectionStatus<'a> {
    pub connection_event: &'a [u8],
    pub status_code: i32,
    pub description: &'a [u8],
}

pub struct EndTransfer {
    pub direction: i32,
}

pub struct Error<'a> {
    pub error_code: i32,
    pub description: &'a [u8],
}

pub struct Expand<'a> {
    pub address: &'a [u8],
}

pub struct PiTrail<'a> {
    pub direction: i32,
    pub message: &'a [u8],
}

pub struct SslServerAuthentication<'a> {
    pub cert_encoded: &'a [u8],
    pub cert_encoded_b: &'a [u8],
    pub cert_subject: &'a [u8],
    pub cert_issuer: &'a [u8],
    pub status: &'a [u8],
    pub accept: bool,
}

pub struct SslStatus<'a> {
    pub message: &'a [u8],
}

pub struct StartTransfer {
    pub direction: i32,
}

pub struct TokenWanted<'a> {
    pub user: &'a [u8],
    pub reason: &'a [u8],
}

pub struct Transfer<'a> {
    pub direction: i32,
    pub bytes_transferred: i64,
    pub percent_done: i32,
    pub text: &'a [u8],
    pub text_b: &'a [u8],
}

/// Hears the events of one handle. An error stops the operation that fired the event and becomes its result.
pub trait Sink: Send + Sync {
    /// Somebody listens: an event that costs something to build is only built then.
    fn wants(&self, kind: Kind) -> bool;
    /// Another number when somebody else hears SSLServerAuthentication: what the old one allowed is then asked again.
    fn judge(&self) -> u64 {
        0
    }
    fn connection_status(&self, event: &ConnectionStatus) -> Result<()>;
    fn end_transfer(&self, event: &EndTransfer) -> Result<()>;
    fn error(&self, event: &Error) -> Result<()>;
    fn expand(&self, event: &Expand) -> Result<()>;
    fn pi_trail(&self, event: &PiTrail) -> Result<()>;
    fn ssl_server_authentication(&self, event: &mut SslServerAuthentication) -> Result<()>;
    fn ssl_status(&self, event: &SslStatus) -> Result<()>;
    fn start_transfer(&self, event: &StartTransfer) -> Result<()>;
    fn token_wanted(&self, event: &TokenWanted) -> Result<()>;
    fn transfer(&self, event: &Transfer) -> Result<()>;
}
