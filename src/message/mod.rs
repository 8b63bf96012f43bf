//! The message: addresses, recipients, headers and body, composed to octets. Knows no socket and no server.

pub mod address;
pub mod attachment;
pub mod body;
pub mod bytes;
pub mod complete;
pub mod compose;
pub mod draft;
pub mod entity;
pub mod facts;
pub mod headers;
pub mod id;
pub mod layer;
pub mod mime;
pub mod options;
pub mod protect;
pub mod recipients;
pub mod secured;
pub mod transfer;

/// Transfer encodings.
pub use ssmtp_octets::encode;
