//! SOCKS 5 (RFC 1928) with no login or with user and password (RFC 1929).

use super::{Host, Line};
use crate::error::{Code, Error, Result};
use std::net::IpAddr;
use zeroize::Zeroizing;

const VERSION: u8 = 5;
const NO_LOGIN: u8 = 0;
const PASSWORD: u8 = 2;
const NONE_OF_THEM: u8 = 0xff;

pub(super) fn connect(line: &mut Line, host: &Host, port: u16) -> Result<()> {
    let (user, password) = (line.proxy.user.as_bytes(), line.proxy.password.expose().as_bytes());
    if user.len() > 255 || password.len() > 255 {
        let text = "FirewallUser and FirewallPassword are at most 255 octets long for SOCKS 5";
        return Err(Error::new(Code::ValueRefused, text));
    }
    let offers: &[u8] = if user.is_empty() { &[VERSION, 1, NO_LOGIN] } else { &[VERSION, 2, NO_LOGIN, PASSWORD] };
    line.say(offers)?;
    match method(line)? {
        NO_LOGIN => {}
        PASSWORD if !user.is_empty() => log_in(line, user, password)?,
        NONE_OF_THEM if user.is_empty() => return Err(line.error("it asks for a login")),
        NONE_OF_THEM => return Err(line.error("it takes neither user and password nor no login")),
        other => return Err(line.error(&format!("it chose the login method {other}, which was not offered"))),
    }
    line.say(&request(host, port))?;
    reply(line)
}

fn method(line: &mut Line) -> Result<u8> {
    let mut answer = [0; 2];
    line.hear(&mut answer[..1])?;
    check_version(line, answer[0])?;
    line.hear(&mut answer[1..])?;
    Ok(answer[1])
}

fn check_version(line: &Line, octet: u8) -> Result<()> {
    if octet == VERSION {
        return Ok(());
    }
    Err(line.error(&format!("it does not answer as SOCKS 5 does: octet {octet}")))
}

fn log_in(line: &mut Line, user: &[u8], password: &[u8]) -> Result<()> {
    let mut request = Zeroizing::new(Vec::with_capacity(3 + user.len() + password.len()));
    request.push(1);
    for text in [user, password] {
        // Both were measured.
        request.push(text.len() as u8);
        request.extend_from_slice(text);
    }
    line.say(&request)?;
    let mut answer = [0; 2];
    line.hear(&mut answer)?;
    match answer {
        // Some proxies repeat the version of SOCKS instead of that of the login.
        [1 | VERSION, 0] => Ok(()),
        [1 | VERSION, code] => Err(line.error(&format!("it refuses the login: {code}"))),
        [octet, _] => Err(line.error(&format!("it does not answer a login as SOCKS 5 does: octet {octet}"))),
    }
}

fn request(host: &Host, port: u16) -> Vec<u8> {
    let mut request = vec![VERSION, 1, 0];
    match host {
        Host::Address(IpAddr::V4(address)) => {
            request.push(1);
            request.extend_from_slice(&address.octets());
        }
        Host::Address(IpAddr::V6(address)) => {
            request.push(4);
            request.extend_from_slice(&address.octets());
        }
        Host::Name(name) => {
            // A name in ASCII has at most 253 octets; a longer one would not be a host's.
            let name = &name.as_bytes()[..name.len().min(255)];
            request.extend_from_slice(&[3, name.len() as u8]);
            request.extend_from_slice(name);
        }
    }
    request.extend_from_slice(&port.to_be_bytes());
    request
}

fn reply(line: &mut Line) -> Result<()> {
    let mut head = [0; 4];
    line.hear(&mut head[..1])?;
    check_version(line, head[0])?;
    line.hear(&mut head[1..2])?;
    if head[1] != 0 {
        return Err(line.error(&format!("it refuses to connect on: {}, {}", head[1], meaning(head[1]))));
    }
    line.hear(&mut head[2..])?;
    // The address it connects from, which nobody needs; every octet of it is taken, none more.
    let length = match head[3] {
        1 => 4,
        4 => 16,
        3 => {
            let mut length = [0];
            line.hear(&mut length)?;
            usize::from(length[0])
        }
        other => return Err(line.error(&format!("its answer has an address of the unknown kind {other}"))),
    };
    line.hear(&mut [0; 257][..length + 2])
}

/// RFC 1928 §6.
fn meaning(code: u8) -> &'static str {
    match code {
        1 => "general failure",
        2 => "its rules do not allow it",
        3 => "network unreachable",
        4 => "host unreachable",
        5 => "connection refused",
        6 => "TTL expired",
        7 => "command not supported",
        8 => "address type not supported",
        _ => "which has no meaning in SOCKS 5",
    }
}
