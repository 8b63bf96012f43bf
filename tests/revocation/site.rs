//! An HTTP server that gives what a test wants, good or bad, and remembers what it was asked.

use ssmtp::error::Result;
use ssmtp::net::tls::revocation::Dialer;
use ssmtp::net::{Clock, DialOptions, Stream, dial};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// One request.
pub struct Asked {
    /// `GET lists.example/int.crl`.
    pub what: String,
    pub content: Vec<u8>,
}

/// What comes back.
pub enum Reply {
    Content(Vec<u8>),
    Chunked(Vec<u8>),
    /// This and nothing else.
    Raw(Vec<u8>),
    Elsewhere(String),
    /// A header, then zeros as long as somebody takes them.
    Endless,
    /// One octet in a while.
    Drip,
    Silence,
}

pub struct Site {
    pub port: u16,
    log: Arc<Mutex<Vec<String>>>,
}

impl Site {
    pub fn start(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Site {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let log: Arc<Mutex<Vec<String>>> = Arc::default();
        let (noted, answer) = (Arc::clone(&log), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (noted, answer) = (Arc::clone(&noted), Arc::clone(&answer));
                thread::spawn(move || serve(stream, &noted, &*answer));
            }
        });
        Site { port, log }
    }

    /// What was asked since the last look.
    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.log.lock().unwrap())
    }
}

fn serve(stream: TcpStream, log: &Mutex<Vec<String>>, answer: &dyn Fn(&Asked) -> Reply) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        if line == "\r\n" {
            break;
        }
        lines.push(line.trim().to_owned());
    }
    let field = |name: &str| lines.iter().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
    let mut words = lines[0].split(' ');
    let (method, path) = (words.next().unwrap(), words.next().unwrap());
    let what = format!("{method} {}{path}", field("Host: ").unwrap_or_default());
    let mut content = vec![0; field("Content-Length: ").map_or(0, |length| length.parse().unwrap())];
    reader.read_exact(&mut content).unwrap();
    log.lock().unwrap().push(what.clone());
    // Whoever has enough goes away, which is nothing to complain about.
    let _ = reply(stream, answer(&Asked { what, content }));
}

fn reply(mut stream: TcpStream, reply: Reply) -> std::io::Result<()> {
    match reply {
        Reply::Content(content) => {
            write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", content.len())?;
            stream.write_all(&content)
        }
        Reply::Chunked(content) => {
            write!(stream, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")?;
            for part in content.chunks(100) {
                write!(stream, "{:x};x=y\r\n", part.len())?;
                stream.write_all(part)?;
                write!(stream, "\r\n")?;
            }
            write!(stream, "0\r\n\r\n")
        }
        Reply::Raw(raw) => stream.write_all(&raw),
        Reply::Elsewhere(there) => {
            write!(stream, "HTTP/1.1 302 Found\r\nLocation: {there}\r\nContent-Length: 0\r\n\r\n")
        }
        Reply::Endless => {
            write!(stream, "HTTP/1.1 200 OK\r\n\r\n")?;
            loop {
                stream.write_all(&[0x30; 65_536])?;
            }
        }
        Reply::Drip => {
            write!(stream, "HTTP/1.1 200 OK\r\n\r\n")?;
            loop {
                stream.write_all(b"0")?;
                thread::sleep(Duration::from_millis(100));
            }
        }
        Reply::Silence => {
            thread::sleep(Duration::from_secs(20));
            Ok(())
        }
    }
}

/// Leads every host to the site.
pub struct To(pub u16);

impl Dialer for To {
    fn dial(&mut self, _: &str, _: u16, clock: &Clock) -> Result<Box<dyn Stream>> {
        let options = DialOptions { host: "127.0.0.1".into(), port: self.0, ..DialOptions::default() };
        Ok(Box::new(dial(&options, clock)?))
    }
}
