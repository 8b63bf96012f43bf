//! SOCKS 4 (Ying-Da Lee's memo) and 4A, which adds names: a request with the user's name, eight octets back.

use super::{Host, Line};
use crate::enums::FirewallType;
use crate::error::{Code, Error, Result};
use std::net::IpAddr;

pub(super) fn connect(line: &mut Line, host: &Host, port: u16) -> Result<()> {
    let mut request = vec![4, 1];
    request.extend_from_slice(&port.to_be_bytes());
    let name = match host {
        Host::Address(IpAddr::V4(address)) => {
            request.extend_from_slice(&address.octets());
            None
        }
        Host::Address(IpAddr::V6(_)) => return Err(line.error("SOCKS 4 has no IPv6: the server needs an IPv4 address")),
        Host::Name(_) if line.proxy.kind != FirewallType::Socks4a => {
            return Err(Error::new(Code::ValueRefused, "SOCKS 4 has no names: SOCKS 4A and SOCKS 5 have"));
        }
        Host::Name(name) => {
            request.extend_from_slice(&[0, 0, 0, 1]);
            Some(name)
        }
    };
    request.extend_from_slice(line.proxy.user.as_bytes());
    request.push(0);
    if let Some(name) = name {
        request.extend_from_slice(name.as_bytes());
        request.push(0);
    }
    line.say(&request)?;
    let mut answer = [0; 8];
    // The first octet alone tells a peer that is no such proxy, however short its answer is.
    line.hear(&mut answer[..1])?;
    if answer[0] != 0 {
        return Err(line.error(&format!("it does not answer as SOCKS 4 does: octet {}", answer[0])));
    }
    line.hear(&mut answer[1..])?;
    match answer[1] {
        90 => Ok(()),
        code => Err(line.error(&format!("it refuses to connect on: {code}, {}", meaning(code)))),
    }
}

fn meaning(code: u8) -> &'static str {
    match code {
        91 => "rejected or failed",
        92 => "it cannot ask the identd of this host",
        93 => "the identd of this host names another user",
        _ => "which has no meaning in SOCKS 4",
    }
}
