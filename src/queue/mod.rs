//! The queue: files of messages that wait in a folder. The format is in docs/queue-format.md; nothing here talks to a server.

pub mod armor;
pub mod content;
pub mod folder;
pub mod format;
pub mod names;
pub mod octets;
pub mod read;
pub mod recover;
pub mod retry;
pub mod sealed;
pub mod state;
pub mod write;

#[cfg(test)]
mod tests;

use crate::enums::RecipientType;
use crate::error::{Code, Error};

/// One envelope; its content follows in the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Transaction {
    /// Empty is the null sender.
    pub sender: String,
    pub recipients: Vec<Addressee>,
    /// An address or header needs SMTPUTF8.
    pub smtp_utf8: bool,
    /// Parameters of MAIL by their names in [`format::PARAMETERS`].
    pub parameters: Vec<(&'static str, String)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addressee {
    pub address: String,
    /// `NOTIFY=SUCCESS,FAILURE` and the like.
    pub options: Vec<String>,
    pub kind: RecipientType,
}

/// Error 303: a file of the queue, and why.
pub fn failed(what: &str, why: impl std::fmt::Display) -> Error {
    told(what, &why)
}

/// One for all types of reasons.
#[cold]
fn told(what: &str, why: &dyn std::fmt::Display) -> Error {
    Error::new(Code::File, format!("{what}: {why}"))
}
