//! libssmtp: sends Internet mail. The public interface is the C ABI in [`ffi`], described in `api/*.toml`; the modules are
//! public for this project's own tests, benchmarks and fuzzers only.

#[doc(hidden)]
pub mod auth;
#[doc(hidden)]
pub mod certs;
#[doc(hidden)]
pub mod component;
#[doc(hidden)]
pub mod config;
#[doc(hidden)]
pub mod enums;
#[doc(hidden)]
pub mod error;
#[doc(hidden)]
pub mod events;
pub mod ffi;
#[doc(hidden)]
pub mod message;
#[doc(hidden)]
pub mod net;
#[doc(hidden)]
pub mod queue;
#[doc(hidden)]
pub mod smime;
#[doc(hidden)]
pub mod smtp;
#[doc(hidden)]
pub mod text;
