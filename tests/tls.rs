//! The Internal provider against `openssl s_server`: what is negotiated, what is refused, what is resumed.

#[path = "tls/certificates.rs"]
mod certificates;
#[path = "tls/faults.rs"]
mod faults;
#[path = "tls/hostile.rs"]
mod hostile;
#[path = "tls/negotiation.rs"]
mod negotiation;
#[path = "tls/server.rs"]
mod server;
#[path = "tls/sessions.rs"]
mod sessions;

use ssmtp::net::tls::{Internal, Provider};

/// The provider that the scenarios run with; `tests/platform.rs` runs them with the other one.
fn fresh() -> Box<dyn Provider> {
    Box::new(Internal::new())
}

const IS_OPENSSL: bool = false;
