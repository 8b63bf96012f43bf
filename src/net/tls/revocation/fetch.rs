//! One small request over http: RFC 9112, in bounds. The answer's length, its time, its redirections are limited; nothing but http
//! is ever spoken, and no credentials are.

use crate::error::{Code, Error, Result};
use crate::net::{Clock, Stream};
use std::io::IoSlice;
use std::time::{Duration, Instant};

/// Opens connections, on the way that the settings say.
pub trait Dialer {
    fn dial(&mut self, host: &str, port: u16, clock: &Clock) -> Result<Box<dyn Stream>>;
}

/// Redirections that are followed.
const REDIRECTIONS: usize = 3;
/// Status line and header lines together.
const HEAD: usize = 16 * 1024;
/// For one address, redirections included, where no limit of inactivity is set or it is longer.
const LONGEST: Duration = Duration::from_secs(30);

/// What to ask for.
pub(super) struct Request<'a> {
    url: &'a str,
    /// Content type and content of a POST.
    post: Option<(&'a str, &'a [u8])>,
    /// Bytes of the answer at most.
    most: usize,
}

impl<'a> Request<'a> {
    pub fn get(url: &'a str, most: usize) -> Request<'a> {
        Request { url, post: None, most }
    }

    pub fn post(url: &'a str, kind: &'a str, content: &'a [u8], most: usize) -> Request<'a> {
        Request { url, post: Some((kind, content)), most }
    }
}

/// The answer's content. Error 301 when interrupted; others say what is wrong with the one who was asked.
pub(super) fn fetch(get: &Request<'_>, dialer: &mut dyn Dialer, clock: &Clock) -> Result<Vec<u8>> {
    let mut clock = clock.clone();
    let limit = clock.inactivity.map_or(LONGEST, |limit| limit.min(LONGEST));
    let end = Instant::now() + limit;
    clock.absolute = Some(clock.absolute.map_or(end, |own| own.min(end)));
    let mut url = get.url.to_owned();
    for _ in 0..=REDIRECTIONS {
        let place = Place::of(&url).ok_or_else(|| failed("the address is no http address"))?;
        let mut stream = dialer.dial(place.host, place.port, &clock)?;
        let done = exchange(get, &place, &mut *stream, &clock);
        stream.close();
        match done? {
            Answer::Content(content) => return Ok(content),
            Answer::Elsewhere(there) => url = place.join(&there),
        }
    }
    Err(failed("too many redirections"))
}

fn failed(why: impl Into<String>) -> Error {
    Error::new(Code::Communication, why)
}

enum Answer {
    Content(Vec<u8>),
    Elsewhere(String),
}

/// The parts of an address.
struct Place<'a> {
    host: &'a str,
    port: u16,
    authority: &'a str,
    path: &'a str,
}

impl<'a> Place<'a> {
    fn of(url: &'a str) -> Option<Place<'a>> {
        let (scheme, rest) = (url.get(..7)?, url.get(7..)?);
        if !scheme.eq_ignore_ascii_case("http://") || !rest.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        let rest = rest.split('#').next()?;
        let at = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(at);
        // A name before '@' would be a credential.
        if authority.contains('@') {
            return None;
        }
        let (host, port) = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, rest)) => (host, rest.strip_prefix(':').or(rest.is_empty().then_some("80"))?),
            None => authority.split_once(':').unwrap_or((authority, "80")),
        };
        let port = if port.is_empty() { 80 } else { port.parse().ok()? };
        (!host.is_empty() && port != 0).then_some(Place { host, port, authority, path })
    }

    /// Where a Location leads.
    fn join(&self, location: &str) -> String {
        if location.starts_with('/') && !location.starts_with("//") {
            format!("http://{}{location}", self.authority)
        } else {
            location.to_owned()
        }
    }
}

fn exchange(get: &Request<'_>, place: &Place<'_>, stream: &mut dyn Stream, clock: &Clock) -> Result<Answer> {
    let slash = if place.path.starts_with('/') { "" } else { "/" };
    let method = if get.post.is_some() { "POST" } else { "GET" };
    let mut head = format!(
        "{method} {slash}{} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nAccept: */*\r\n",
        place.path, place.authority
    );
    if let Some((kind, content)) = get.post {
        head += &format!("Content-Type: {kind}\r\nContent-Length: {}\r\n", content.len());
    }
    head += "\r\n";
    let content = get.post.map_or(&[][..], |(_, content)| content);
    stream.write_all(&mut [IoSlice::new(head.as_bytes()), IoSlice::new(content)], clock)?;
    let mut line = Line { stream, clock, data: Vec::new(), at: 0 };
    loop {
        let head = Head::hear(&mut line)?;
        match head.status {
            // Something to come.
            100..=199 => continue,
            200 => return line.content(&head, get.most).map(Answer::Content),
            301 | 302 | 303 | 307 | 308 if !head.location.is_empty() => return Ok(Answer::Elsewhere(head.location)),
            status => return Err(failed(format!("the answer is {status}"))),
        }
    }
}

/// What counts of an answer's header.
#[derive(Default)]
struct Head {
    status: u16,
    length: Option<usize>,
    chunked: bool,
    location: String,
}

impl Head {
    fn hear(line: &mut Line<'_>) -> Result<Head> {
        let mut left = HEAD;
        let status = line.line(&mut left)?;
        let no_http = || failed("the answer is no HTTP");
        let mut words = status.split(' ');
        if !words.next().is_some_and(|word| word.starts_with("HTTP/1.")) {
            return Err(no_http());
        }
        let status =
            words.next().filter(|word| word.len() == 3).and_then(|word| word.parse().ok()).ok_or_else(no_http)?;
        let mut head = Head { status, ..Head::default() };
        loop {
            let text = line.line(&mut left)?;
            if text.is_empty() {
                return Ok(head);
            }
            let Some((name, value)) = text.split_once(':') else { return Err(no_http()) };
            let value = value.trim();
            match name.to_ascii_lowercase().as_str() {
                "content-length" => {
                    let length = value.parse().map_err(|_| no_http())?;
                    if head.length.replace(length).is_some_and(|before| before != length) {
                        return Err(no_http());
                    }
                }
                "transfer-encoding" if value.eq_ignore_ascii_case("chunked") => head.chunked = true,
                "transfer-encoding" => return Err(failed("the answer is coded in a way that nobody asked for")),
                "content-encoding" if !value.eq_ignore_ascii_case("identity") => {
                    return Err(failed("the answer is packed, which nobody asked for"));
                }
                "location" => head.location = value.to_owned(),
                _ => {}
            }
        }
    }
}

/// The answer as it comes.
struct Line<'a> {
    stream: &'a mut dyn Stream,
    clock: &'a Clock,
    data: Vec<u8>,
    at: usize,
}

impl Line<'_> {
    /// Bytes that are there or come next; none at the end.
    fn more(&mut self) -> Result<&[u8]> {
        if self.at == self.data.len() {
            self.clock.check()?;
            self.data.resize(16 * 1024, 0);
            self.at = 0;
            let count = self.stream.read(&mut self.data, self.clock);
            self.data.truncate(*count.as_ref().unwrap_or(&0));
            count?;
        }
        Ok(&self.data[self.at..])
    }

    /// One line without its end; what it takes is taken from `left`.
    fn line(&mut self, left: &mut usize) -> Result<String> {
        let mut line = Vec::new();
        loop {
            let more = self.more()?;
            if more.is_empty() {
                return Err(failed("the answer breaks off"));
            }
            let (part, ends) = match more.iter().position(|byte| *byte == b'\n') {
                Some(at) => (&more[..=at], true),
                None => (more, false),
            };
            let count = part.len();
            *left = left.checked_sub(count).ok_or_else(|| failed("the answer's header is too long"))?;
            line.extend_from_slice(part);
            self.at += count;
            if ends {
                let text = String::from_utf8_lossy(&line);
                return Ok(text.trim_end_matches(['\r', '\n']).to_owned());
            }
        }
    }

    fn content(&mut self, head: &Head, most: usize) -> Result<Vec<u8>> {
        let mut content = Vec::new();
        if !head.chunked {
            if head.length.is_some_and(|length| length > most) {
                return Err(too_long(most));
            }
            // Without a length it goes on to the end of the connection.
            self.take(head.length, most, &mut content)?;
            return Ok(content);
        }
        loop {
            let mut left = HEAD;
            let size = self.line(&mut left)?;
            let size = size.split(';').next().unwrap_or_default().trim();
            let size = usize::from_str_radix(size, 16).map_err(|_| failed("the answer is no HTTP"))?;
            if size == 0 {
                return Ok(content);
            }
            if size > most - content.len() {
                return Err(too_long(most));
            }
            self.take(Some(size), most, &mut content)?;
            if !self.line(&mut left)?.is_empty() {
                return Err(failed("the answer is no HTTP"));
            }
        }
    }

    /// So many bytes, or all that come.
    fn take(&mut self, count: Option<usize>, most: usize, content: &mut Vec<u8>) -> Result<()> {
        let mut left = count.unwrap_or(usize::MAX);
        while left > 0 {
            let more = self.more()?;
            if more.is_empty() {
                return if count.is_none() { Ok(()) } else { Err(failed("the answer breaks off")) };
            }
            let part = &more[..more.len().min(left)];
            if content.len() + part.len() > most {
                return Err(too_long(most));
            }
            content.extend_from_slice(part);
            let taken = part.len();
            self.at += taken;
            left -= taken;
        }
        Ok(())
    }
}

fn too_long(most: usize) -> Error {
    failed(format!("the answer is longer than {most} bytes"))
}
