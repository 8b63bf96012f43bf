//! The Platform provider against `openssl s_server`: the scenarios of `tests/tls` with OpenSSL on our side too, and what only it has.

mod common;

#[path = "platform/abi.rs"]
mod abi;
#[path = "tls/certificates.rs"]
mod certificates;
#[path = "tls/faults.rs"]
mod faults;
#[path = "tls/hostile.rs"]
mod hostile;
#[path = "tls/negotiation.rs"]
mod negotiation;
#[path = "platform/only.rs"]
mod only;
#[path = "tls/server.rs"]
mod server;
#[path = "tls/sessions.rs"]
mod sessions;

use ssmtp::net::tls::{Platform, Provider};

/// The provider that the scenarios run with.
fn fresh() -> Box<dyn Provider> {
    Box::new(Platform::new())
}

const IS_OPENSSL: bool = true;
