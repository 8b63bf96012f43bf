//! An SMTP server that takes everything and keeps nothing, made to be no bottleneck: large reads, one search for the end of a
//! message, one write for all replies of a turn. RFC 5321, 2920 (PIPELINING), 3030 (CHUNKING), 3207 is left out: TLS is from the start.
//!
//! usage: sink [--tls CERT KEY] [--chunking]     prints the port, and runs until its standard input ends

use memchr::memmem;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{Read, Result, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

const READ: usize = 512 << 10;
const END: &[u8] = b"\r\n.\r\n";

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let (mut tls, mut chunking) = (None, false);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--tls" => tls = Some(server_config(&args.next().expect("CERT"), &args.next().expect("KEY"))),
            "--chunking" => chunking = true,
            other => panic!("unknown argument {other}"),
        }
    }
    let listener = TcpListener::bind("127.0.0.1:0")?;
    writeln!(std::io::stdout(), "{}", listener.local_addr()?.port())?;
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let tls = tls.clone();
            std::thread::spawn(move || serve(stream, tls, chunking));
        }
    });
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    Ok(())
}

fn server_config(cert: &str, key: &str) -> Arc<ServerConfig> {
    let certs = CertificateDer::pem_file_iter(cert).expect("the certificate").flatten().collect();
    let key = PrivateKeyDer::from_pem_file(key).expect("the key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().expect("versions");
    Arc::new(config.with_no_client_auth().with_single_cert(certs, key).expect("a certificate and its key"))
}

fn serve(stream: TcpStream, tls: Option<Arc<ServerConfig>>, chunking: bool) {
    let _ = stream.set_nodelay(true);
    let _ = match tls {
        None => talk(stream, chunking),
        Some(config) => match ServerConnection::new(config) {
            Ok(connection) => talk(StreamOwned::new(connection, stream), chunking),
            Err(_) => Ok(()),
        },
    };
}

/// What the bytes that come belong to.
enum Within {
    Commands,
    Data,
    Chunk { left: usize, last: bool },
}

fn talk(mut stream: impl Read + Write, chunking: bool) -> Result<()> {
    let ehlo: &[u8] = match chunking {
        true => b"250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-CHUNKING\r\n250 SIZE\r\n",
        false => b"250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE\r\n",
    };
    stream.write_all(b"220 sink\r\n")?;
    stream.flush()?;
    let end = memmem::Finder::new(END);
    let mut buffer = vec![0u8; READ + END.len()];
    let (mut filled, mut within, mut replies) = (0, Within::Commands, Vec::new());
    loop {
        let got = stream.read(&mut buffer[filled..])?;
        if got == 0 {
            return Ok(());
        }
        filled += got;
        let mut at = 0;
        while at < filled {
            let here = &buffer[at..filled];
            match within {
                Within::Commands => {
                    let Some(line) = memchr::memchr(b'\n', here) else { break };
                    at += line + 1;
                    match here[..4.min(line)].to_ascii_uppercase().as_slice() {
                        b"EHLO" => replies.extend_from_slice(ehlo),
                        b"DATA" => {
                            replies.extend_from_slice(b"354 go on\r\n");
                            within = Within::Data;
                            // An empty message's dot has no line end of its own before it.
                            if here[line + 1..].starts_with(b".\r\n") {
                                at += 3;
                                replies.extend_from_slice(b"250 ok\r\n");
                                within = Within::Commands;
                            }
                        }
                        b"BDAT" => {
                            let text = String::from_utf8_lossy(&here[5..line]).trim().to_ascii_uppercase();
                            let last = text.ends_with("LAST");
                            let left = text.split(' ').next().and_then(|n| n.parse().ok()).unwrap_or(0);
                            within = Within::Chunk { left, last };
                            if left == 0 {
                                replies.extend_from_slice(b"250 ok\r\n");
                                within = Within::Commands;
                            }
                        }
                        b"QUIT" => {
                            replies.extend_from_slice(b"221 bye\r\n");
                            stream.write_all(&replies)?;
                            return stream.flush();
                        }
                        _ => replies.extend_from_slice(b"250 ok\r\n"),
                    }
                }
                Within::Data => match end.find(here) {
                    Some(found) => {
                        at += found + END.len();
                        replies.extend_from_slice(b"250 ok\r\n");
                        within = Within::Commands;
                    }
                    None => {
                        // Of what may be the beginning of the end nothing is lost.
                        at = filled - (END.len() - 1).min(here.len());
                        break;
                    }
                },
                Within::Chunk { left, last } => {
                    let taken = left.min(here.len());
                    at += taken;
                    within = Within::Chunk { left: left - taken, last };
                    if left == taken {
                        replies.extend_from_slice(b"250 ok\r\n");
                        within = Within::Commands;
                    }
                }
            }
        }
        buffer.copy_within(at..filled, 0);
        filled -= at;
        if !replies.is_empty() {
            stream.write_all(&replies)?;
            stream.flush()?;
            replies.clear();
        }
    }
}
