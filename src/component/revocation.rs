//! The way to whom a certificate names for its revocation: as the settings lead, through the proxy too.

use super::Component;
use super::connect::dial_options;
use super::firewall::Route;
use crate::error::Result;
use crate::net::tls::revocation::Dialer;
use crate::net::{Clock, DialOptions, Stream, dial};

/// Connections of a check. They say nothing in events, and no login is ever sent beyond the proxy's.
pub(super) struct Way<'a>(pub &'a Component);

impl Dialer for Way<'_> {
    fn dial(&mut self, host: &str, port: u16, clock: &Clock) -> Result<Box<dyn Stream>> {
        let (options, route) = {
            let state = self.0.state.lock();
            // LocalPort is the conversation's own.
            let options = DialOptions { host: host.to_owned(), port, local_port: 0, ..dial_options(&state) };
            (options, Route::to(&state, host)?)
        };
        match route {
            Some(route) => self.0.by(route, &options, clock),
            None => Ok(Box::new(dial(&options, clock)?)),
        }
    }
}
