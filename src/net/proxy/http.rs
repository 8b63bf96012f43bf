//! HTTP tunnels: CONNECT of RFC 9110 §9.3.6, Basic of RFC 7617, messages of RFC 9112. The login goes with the request, to
//! the proxy only, and once: a 407 is a refusal.

use super::{Host, Line};
use crate::error::Result;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::net::IpAddr;
use zeroize::Zeroizing;

/// The longest answer: status line and header lines.
const LIMIT: usize = 64 * 1024;
/// How much of what the proxy said goes into an error text.
const SHOWN: usize = 200;

/// Gives what came behind the answer: the first octets of the server.
pub(super) fn connect(line: &mut Line, host: &Host, port: u16) -> Result<Vec<u8>> {
    let token = Zeroizing::new(token(line));
    line.say(request(line, &authority(host, port), &token).as_bytes())?;
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    let end = loop {
        let count = line.some(&mut buffer)?;
        // An end may lie across two reads.
        let from = answer.len().saturating_sub(3);
        answer.extend_from_slice(&buffer[..count]);
        let start = b"HTTP/1.";
        if !answer.iter().zip(start).all(|(a, b)| a == b) {
            return Err(line.error(&format!("its answer is no HTTP: {}", said(line, &answer, &token))));
        }
        let end = end_of_headers(&answer, from);
        if end.unwrap_or(answer.len()) > LIMIT {
            return Err(line.error("its answer has more than 64 KiB of header lines"));
        }
        if let Some(end) = end {
            break end;
        }
    };
    match status(&answer) {
        Some(200..=299) => Ok(answer.split_off(end)),
        Some(407) => {
            let why = if line.proxy.user.is_empty() { "it asks for a login" } else { "it refuses the login" };
            Err(line.error(&format!("{why}: {}", said(line, &answer, &token))))
        }
        Some(_) => Err(line.error(&format!("it refuses to connect on: {}", said(line, &answer, &token)))),
        None => Err(line.error(&format!("its answer is no HTTP: {}", said(line, &answer, &token)))),
    }
}

fn authority(host: &Host, port: u16) -> String {
    match host {
        Host::Address(IpAddr::V6(address)) => format!("[{address}]:{port}"),
        Host::Address(address) => format!("{address}:{port}"),
        Host::Name(name) => format!("{name}:{port}"),
    }
}

/// The Base64 of user and password; empty without a user.
fn token(line: &Line) -> String {
    let proxy = line.proxy;
    if proxy.user.is_empty() {
        return String::new();
    }
    let pair = Zeroizing::new(format!("{}:{}", proxy.user, proxy.password.expose()));
    STANDARD.encode(pair.as_bytes())
}

fn request(line: &Line, authority: &str, token: &str) -> Zeroizing<String> {
    let headers = line.proxy.headers.expose();
    let has = |name: &str| {
        headers.split("\r\n").any(|h| h.split_once(':').is_some_and(|(n, _)| n.trim().eq_ignore_ascii_case(name)))
    };
    // Room for all of it, so that no copy of a secret is left behind by growing.
    let room = 2 * authority.len() + token.len() + headers.len() + 100;
    let mut text = Zeroizing::new(String::with_capacity(room));
    for part in ["CONNECT ", authority, " HTTP/1.1\r\n"] {
        text.push_str(part);
    }
    if !has("Host") {
        for part in ["Host: ", authority, "\r\n"] {
            text.push_str(part);
        }
    }
    if !token.is_empty() && !has("Proxy-Authorization") {
        for part in ["Proxy-Authorization: Basic ", token, "\r\n"] {
            text.push_str(part);
        }
    }
    for header in headers.split("\r\n").filter(|h| !h.is_empty()) {
        text.push_str(header);
        text.push_str("\r\n");
    }
    text.push_str("\r\n");
    text
}

/// Where the empty line ends; `from` is where it can begin at the earliest. Some proxies end lines with LF alone.
fn end_of_headers(answer: &[u8], from: usize) -> Option<usize> {
    (from..answer.len()).find_map(|at| {
        let rest = &answer[at..];
        if rest.starts_with(b"\n\r\n") {
            Some(at + 3)
        } else if rest.starts_with(b"\n\n") {
            Some(at + 2)
        } else {
            None
        }
    })
}

/// The code of `HTTP/1.x NNN …`.
fn status(answer: &[u8]) -> Option<u16> {
    let (version, rest) = (answer.get(..9)?, answer.get(9..12)?);
    let good = version[7].is_ascii_digit() && version[8] == b' ' && rest.iter().all(u8::is_ascii_digit);
    let ends = answer.get(12).is_none_or(|b| b" \r\n".contains(b));
    if good && ends { std::str::from_utf8(rest).ok()?.parse().ok() } else { None }
}

/// The first line of the answer, cut, and without what was secret in our request, should the proxy repeat it.
fn said(line: &Line, answer: &[u8], token: &str) -> String {
    let first = answer.split(|b| *b == b'\n').next().unwrap_or_default();
    // A secret that the cut would halve must still be found.
    let text = Zeroizing::new(String::from_utf8_lossy(&first[..first.len().min(8192)]).into_owned());
    let values = line.proxy.headers.expose().split("\r\n").filter_map(|h| h.split_once(':')).map(|(_, v)| v.trim());
    let mut secrets: Vec<&str> = [line.proxy.password.expose(), token].into_iter().chain(values).collect();
    for value in line.proxy.headers.expose().split_whitespace().filter(|v| v.len() >= 6) {
        secrets.push(value);
    }
    secrets.sort_by_key(|s| std::cmp::Reverse(s.len()));
    let mut shown = text.trim_end().to_string();
    for secret in secrets.into_iter().filter(|s| !s.is_empty()) {
        shown = shown.replace(secret, "***");
    }
    shown.chars().take(SHOWN).collect()
}
