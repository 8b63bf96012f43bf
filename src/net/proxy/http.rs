//! HTTP tunnels: CONNECT of RFC 9110 §9.3.6, messages of RFC 9112. A 407 is gone on from as [`super::login`] says, on the same
//! connection where the proxy leaves it open, else on another one.

use super::challenge::{self, Challenge};
use super::login::{Login, Next};
use super::{Early, Host, Line, Proxy};
use crate::error::Result;
use crate::net::clock::Clock;
use crate::net::stream::Stream;
use std::net::IpAddr;
use zeroize::Zeroizing;

/// The longest answer: status line and header lines.
const LIMIT: usize = 64 * 1024;
/// The longest page behind a 407 that is read for the connection's sake.
const LONGEST_PAGE: usize = 64 * 1024;
/// How much of what the proxy said goes into an error text.
const SHOWN: usize = 200;
/// More requests than any login takes: Basic, then NTLM's two, or Digest's with a stale nonce, and one to spare.
const MOST_REQUESTS: usize = 5;

/// A connection that leads to the server; what came of it already with the answer is read from it first. `redial` connects to
/// the proxy once more.
pub(super) fn connect(
    mut stream: Box<dyn Stream>,
    proxy: &Proxy,
    host: &Host,
    port: u16,
    clock: &Clock,
    redial: super::Redial,
) -> Result<Box<dyn Stream>> {
    let authority = authority(host, port);
    let mut login = Login::new(proxy, &authority);
    for _ in 0..MOST_REQUESTS {
        let done = ask(&mut Line { stream: &mut *stream, clock, proxy }, &authority, &mut login);
        match done {
            Ok(Asked::Through(early)) if early.is_empty() => return Ok(stream),
            Ok(Asked::Through(early)) => return Ok(Box::new(Early { early, taken: 0, stream })),
            Ok(Asked::Again) => {}
            Ok(Asked::Elsewhere) => {
                stream.close();
                stream = redial(clock)?;
            }
            Err(error) => {
                stream.close();
                return Err(error);
            }
        }
    }
    stream.close();
    Err(super::error(proxy, "it goes on asking for a login"))
}

enum Asked {
    /// With the first octets of the server.
    Through(Vec<u8>),
    /// The next request on this connection.
    Again,
    /// The next request on another connection: the proxy closes this one.
    Elsewhere,
}

/// One request and its answer.
fn ask(line: &mut Line, authority: &str, login: &mut Login) -> Result<Asked> {
    line.say(request(line.proxy, authority, login.header()).as_bytes())?;
    let answer = Answer::hear(line, login)?;
    match answer.status {
        200..=299 => return Ok(Asked::Through(answer.rest)),
        407 => {}
        // tinyproxy's word for a wrong password.
        401 if !login.header().is_empty() => {
            return Err(line.error(&format!("it refuses the login: {}", answer.said(login))));
        }
        _ => return Err(line.error(&format!("it refuses to connect on: {}", answer.said(login)))),
    }
    let said = answer.said(login);
    if let Next::Refused(why) = login.challenged(&answer.challenges())? {
        return Err(line.error(&format!("{why}: {said}")));
    }
    if answer.read_on(line)? {
        return Ok(Asked::Again);
    }
    if login.needs_this_connection() {
        return Err(line.error(&format!("it closes the connection in the middle of an NTLM login: {said}")));
    }
    Ok(Asked::Elsewhere)
}

fn authority(host: &Host, port: u16) -> String {
    match host {
        Host::Address(IpAddr::V6(address)) => format!("[{address}]:{port}"),
        Host::Address(address) => format!("{address}:{port}"),
        Host::Name(name) => format!("{name}:{port}"),
    }
}

fn request(proxy: &Proxy, authority: &str, login: &str) -> Zeroizing<String> {
    let headers = proxy.headers.expose();
    // Room for all of it, so that no copy of a secret is left behind by growing.
    let room = 2 * authority.len() + login.len() + headers.len() + 100;
    let mut text = Zeroizing::new(String::with_capacity(room));
    for part in ["CONNECT ", authority, " HTTP/1.1\r\n"] {
        text.push_str(part);
    }
    if !proxy.has_header("Host") {
        for part in ["Host: ", authority, "\r\n"] {
            text.push_str(part);
        }
    }
    if !login.is_empty() {
        for part in ["Proxy-Authorization: ", login, "\r\n"] {
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

/// What the proxy answered.
struct Answer {
    status: u16,
    /// Status line and header lines, to the empty line.
    head: Vec<u8>,
    /// What came behind them.
    rest: Vec<u8>,
}

impl Answer {
    fn hear(line: &mut Line, login: &Login) -> Result<Answer> {
        let mut head = Vec::new();
        let mut buffer = [0; 4096];
        let end = loop {
            let count = line.some(&mut buffer)?;
            // An end may lie across two reads.
            let from = head.len().saturating_sub(3);
            head.extend_from_slice(&buffer[..count]);
            if !head.iter().zip(b"HTTP/1.").all(|(a, b)| a == b) {
                return Err(line.error(&format!("its answer is no HTTP: {}", first_line(login, &head))));
            }
            let end = end_of_headers(&head, from);
            if end.unwrap_or(head.len()) > LIMIT {
                return Err(line.error("its answer has more than 64 KiB of header lines"));
            }
            if let Some(end) = end {
                break end;
            }
        };
        let rest = head.split_off(end);
        match status(&head) {
            Some(status) => Ok(Answer { status, head, rest }),
            None => Err(line.error(&format!("its answer is no HTTP: {}", first_line(login, &head)))),
        }
    }

    /// The values of a header line's name, in lower case; lines that no colon is in are passed over.
    fn values(&self, name: &str) -> Vec<&[u8]> {
        let mut values = Vec::new();
        for header in self.head.split(|b| *b == b'\n').skip(1) {
            if let Some((found, value)) = header.split_at_checked(name.len())
                && found.eq_ignore_ascii_case(name.as_bytes())
                && let Some(value) = value.strip_prefix(b":")
            {
                values.push(value.trim_ascii());
            }
        }
        values
    }

    fn challenges(&self) -> Vec<Challenge> {
        let mut all = Vec::new();
        for value in self.values("proxy-authenticate") {
            all.append(&mut challenge::read(value));
        }
        all
    }

    fn has_word(&self, word: &str) -> bool {
        let is_in = |value: &&[u8]| {
            value.split(|b| *b == b',').any(|item| item.trim_ascii().eq_ignore_ascii_case(word.as_bytes()))
        };
        ["connection", "proxy-connection"].iter().any(|name| self.values(name).iter().any(is_in))
    }

    /// Takes the page behind the answer off the line. False where the connection is of no use for another request.
    fn read_on(&self, line: &mut Line) -> Result<bool> {
        let kept =
            if self.head.starts_with(b"HTTP/1.0") { self.has_word("keep-alive") } else { !self.has_word("close") };
        let chunked = self.values("transfer-encoding").iter().any(|value| value.eq_ignore_ascii_case(b"chunked"));
        let length = match self.values("content-length")[..] {
            [text] => std::str::from_utf8(text).ok().and_then(|text| text.parse::<usize>().ok()),
            _ => None,
        };
        // Without a length the page ends with the connection.
        let Some(length) = length.filter(|length| kept && !chunked && *length <= LONGEST_PAGE) else {
            return Ok(kept && chunked && super::page::skip_chunks(line, &self.rest, LONGEST_PAGE)?);
        };
        let Some(mut left) = length.checked_sub(self.rest.len()) else { return Ok(false) };
        let mut buffer = [0; 4096];
        while left > 0 {
            let room = left.min(buffer.len());
            match line.stream.read(&mut buffer[..room], line.clock)? {
                0 => return Ok(false),
                count => left -= count,
            }
        }
        Ok(true)
    }

    fn said(&self, login: &Login) -> String {
        first_line(login, &self.head)
    }
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

/// The first line of the answer, cut, and without secrets.
fn first_line(login: &Login, answer: &[u8]) -> String {
    let first = answer.split(|b| *b == b'\n').next().unwrap_or_default();
    // A secret that the cut would halve must still be found.
    let text = Zeroizing::new(String::from_utf8_lossy(&first[..first.len().min(8192)]).into_owned());
    login.shown(text.trim_end()).chars().take(SHOWN).collect()
}
