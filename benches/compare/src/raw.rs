//! The limit: a blocking socket, bytes that were made before, and RFC 2920 pipelining; one write and one read a message.
//!
//! usage: raw PORT COUNT SIZE one|each plain|tls ROOT     prints what benches/compare/run.py reads

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::io::{Read, Result, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Instant;

const ENVELOPE: &[u8] = b"MAIL FROM:<a@client.example>\r\nRCPT TO:<b@server.example>\r\nDATA\r\n";

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let number = |n: usize| args[n].parse::<usize>().expect("a number");
    let (port, count, size) = (number(1) as u16, number(2), number(3));
    let (each, tls) = (args[4] == "each", args[5] == "tls");
    let body = message(size);
    let config = tls.then(|| client_config(&args[6]));
    let mut slowest = 0.0f64;
    let (start, cpu) = (Instant::now(), cpu_seconds());
    let connections = if each { count } else { 1 };
    for _ in 0..connections {
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("the sink");
        stream.set_nodelay(true).expect("a socket");
        let messages = if each { 1 } else { count };
        match &config {
            None => send(stream, &body, messages, &mut slowest),
            Some(config) => {
                let name = ServerName::try_from("localhost").expect("a name");
                let connection = ClientConnection::new(Arc::clone(config), name).expect("a connection");
                send(StreamOwned::new(connection, stream), &body, messages, &mut slowest)
            }
        }
        .expect("a message goes out");
    }
    let (wall, cpu) = (start.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    let text = format!("{{\"wall\": {wall}, \"cpu\": {cpu}, \"slowest\": {slowest}}}\n");
    std::io::stdout().write_all(text.as_bytes()).expect("standard output");
}

/// One message after the other, the next one's envelope behind the dot.
fn send(mut stream: impl Read + Write, body: &[u8], messages: usize, slowest: &mut f64) -> Result<()> {
    let mut replies = Replies::default();
    replies.wait(&mut stream, 1)?;
    stream.write_all(b"EHLO client.example\r\n")?;
    stream.flush()?;
    replies.wait(&mut stream, 1)?;
    stream.write_all(ENVELOPE)?;
    stream.flush()?;
    replies.wait(&mut stream, 3)?;
    let turn = [body, b".\r\n", ENVELOPE].concat();
    let last = [body, b".\r\nQUIT\r\n"].concat();
    for n in 1..=messages {
        let start = Instant::now();
        stream.write_all(if n == messages { &last } else { &turn })?;
        stream.flush()?;
        replies.wait(&mut stream, if n == messages { 2 } else { 4 })?;
        *slowest = slowest.max(start.elapsed().as_secs_f64());
    }
    Ok(())
}

/// Counts the last lines of replies.
struct Replies {
    buffer: Vec<u8>,
    line: Vec<u8>,
}

impl Default for Replies {
    fn default() -> Replies {
        Replies { buffer: vec![0; 4096], line: Vec::new() }
    }
}

impl Replies {
    fn wait(&mut self, stream: &mut impl Read, mut count: usize) -> Result<()> {
        while count > 0 {
            let got = stream.read(&mut self.buffer)?;
            assert!(got > 0, "the sink hung up");
            for &byte in &self.buffer[..got] {
                self.line.push(byte);
                if byte == b'\n' {
                    assert!(matches!(self.line[0], b'2' | b'3'), "the sink refused something");
                    count -= usize::from(self.line[3] == b' ');
                    self.line.clear();
                }
            }
        }
        Ok(())
    }
}

/// The very bytes that every client sends: three header lines and 76 columns of text.
fn message(size: usize) -> Vec<u8> {
    let mut text = b"From: <a@client.example>\r\nTo: <b@server.example>\r\nSubject: bench\r\n\r\n".to_vec();
    let line = b"The quick brown fox jumps over the lazy dog; the five boxing wizards jump q\r\n";
    while text.len() < size {
        text.extend_from_slice(line);
    }
    text
}

fn client_config(root: &str) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(root).expect("the root")).expect("a root");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().expect("versions");
    Arc::new(config.with_root_certificates(roots).with_no_client_auth())
}

/// User and system time of this process.
fn cpu_seconds() -> f64 {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: getrusage fills the structure it is given, which is one of its own kind.
    let usage = unsafe {
        libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr());
        usage.assume_init()
    };
    let seconds = |t: libc::timeval| t.tv_sec as f64 + t.tv_usec as f64 / 1e6;
    seconds(usage.ru_utime) + seconds(usage.ru_stime)
}
