//! The C boundary: tokens, the guard that every entry passes, text and octets, callbacks. It converts and calls; decisions are
//! made below.

#![allow(clippy::missing_safety_doc)]

pub mod r#gen;

mod api;
mod callbacks;
mod guard;
mod handle;
mod signer;
mod text;

pub use api::*;
pub use r#gen::*;
pub use handle::{ssmtp_cert_t, ssmtp_t};
pub use signer::*;
