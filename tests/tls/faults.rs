//! Servers that don't speak TLS, stall, lie or vanish.

use crate::server::{Server, Witness, clock, connect, once, pem, trusting};
use ssmtp::error::{Code, Error};
use ssmtp::net::tls::TlsOptions;
use ssmtp::net::{Clock, Interrupt};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

/// A server that does one thing with one connection.
fn peer(act: impl FnOnce(TcpStream) + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || act(listener.accept().unwrap().0));
    port
}

fn options(port: u16) -> TlsOptions {
    TlsOptions { extra_roots: pem("ca"), ..TlsOptions::new("mail.example", port) }
}

fn fails(act: impl FnOnce(TcpStream) + Send + 'static, clock: &Clock) -> (Error, Duration) {
    let port = peer(act);
    let start = Instant::now();
    let stream = connect(port);
    let result = crate::fresh().handshake(stream, &options(port), clock, &mut Witness::default());
    (result.unwrap_err(), start.elapsed())
}

fn wait(mut stream: TcpStream) {
    let _ = stream.read_to_end(&mut Vec::new());
}

#[test]
fn a_server_that_speaks_no_tls_is_told_apart() {
    let (error, _) = fails(
        |mut stream| {
            stream.write_all(b"220 mail.example ESMTP\r\n").unwrap();
            wait(stream);
        },
        &clock(),
    );
    assert_eq!(error.code, Code::Handshake);
    assert!(error.message.contains("does not answer with TLS"), "{error}");
}

#[test]
fn a_server_that_closes_or_resets_is_told() {
    let (error, _) = fails(
        |mut stream| {
            let _ = stream.read(&mut [0; 4096]);
        },
        &clock(),
    );
    assert_eq!(error.code, Code::Handshake, "{error}");
    assert!(error.message.contains("closed the connection"), "{error}");
}

#[test]
fn a_stalled_handshake_is_a_timeout() {
    let limited = Clock::new(Some(Duration::from_millis(200)), None, Interrupt::new());
    let (error, took) = fails(wait, &limited);
    assert_eq!(error.code, Code::Timeout);
    assert!(took < Duration::from_secs(5));
    // One byte now and then does not outlast the absolute limit.
    let end = Instant::now() + Duration::from_millis(400);
    let limited = Clock::new(Some(Duration::from_secs(5)), Some(end), Interrupt::new());
    let (error, took) = fails(
        |mut stream| {
            for byte in [22, 3, 3, 0x40, 0].into_iter().chain([0; 1_000]) {
                if stream.write_all(&[byte]).is_err() {
                    return;
                }
                thread::sleep(Duration::from_millis(20));
            }
        },
        &limited,
    );
    assert_eq!(error.code, Code::Timeout);
    assert!(took < Duration::from_secs(5));
}

#[test]
fn a_handshake_that_drips_is_a_timeout() {
    let limit = Clock::new(Some(Duration::from_millis(600)), None, Interrupt::new());
    let (error, took) = fails(
        |mut stream| {
            let _ = stream.set_nodelay(true);
            // A record that is never whole: each octet comes within the limit.
            let mut octets = [22, 3, 3, 0x40, 0, 2, 0, 0x3f, 0xfc].into_iter().chain(std::iter::repeat(0));
            while stream.write_all(&[octets.next().unwrap_or(0)]).is_ok() {
                thread::sleep(Duration::from_millis(100));
            }
        },
        &limit,
    );
    assert_eq!(error.code, Code::Timeout, "{error}");
    assert!(took < Duration::from_secs(10), "{took:?}");
}

#[test]
fn an_interrupt_ends_a_stalled_handshake() {
    let limited = Clock::new(None, None, Interrupt::new());
    let interrupt = limited.interrupt.clone();
    thread::spawn(move || {
        thread::sleep(Duration::from_millis(100));
        interrupt.interrupt();
    });
    let (error, took) = fails(wait, &limited);
    assert_eq!(error.code, Code::Interrupted);
    assert!(took < Duration::from_secs(5));
}

#[test]
fn garbage_in_records_is_a_failed_handshake() {
    let mut junk: Vec<Vec<u8>> = vec![
        [&[22, 3, 3, 0, 5], &[2, 0, 0, 1, 0][..]].concat(),
        vec![21, 3, 3, 0, 2, 2, 40],
        vec![23, 3, 3, 0, 1, 0],
        vec![22, 3, 3, 0xff, 0xff, 0, 0],
        [&[22, 3, 3, 0, 4], &[11, 0xff, 0xff, 0xff][..]].concat(),
    ];
    // An endless certificate message, in the clear: bounded by the size of a handshake message.
    let mut endless = [&[22, 3, 3, 0x40, 0], &[2, 0xff, 0xff, 0xff][..]].concat();
    endless.resize(5 + 0x4000, 0);
    for _ in 0..200 {
        endless.extend([22, 3, 3, 0x40, 0]);
        endless.resize(endless.len() + 0x4000, 0);
    }
    junk.push(endless);
    for junk in junk {
        let shown = junk[..7.min(junk.len())].to_vec();
        let (error, took) = fails(
            move |mut stream| {
                let _ = stream.write_all(&junk);
                wait(stream);
            },
            &clock(),
        );
        assert_eq!(error.code, Code::Handshake, "{shown:?}: {error}");
        assert!(took < Duration::from_secs(5));
    }
}

#[test]
fn the_alert_of_the_server_is_in_the_error() {
    let (error, _) = fails(
        |mut stream| {
            stream.write_all(&[21, 3, 3, 0, 2, 2, 70]).unwrap();
            wait(stream);
        },
        &clock(),
    );
    assert!(error.message.contains("the alert protocol_version"), "{error}");
}

#[test]
fn an_end_reads_as_the_end() {
    let server = Server::start("faults-none", &["-naccept", "1"]);
    let (result, _) = once(&trusting(server.port));
    let mut secured = result.unwrap();
    drop(server);
    let clock = clock();
    assert!(secured.stream.readable(Duration::from_secs(10), &clock).unwrap());
    match secured.stream.read(&mut [0; 8], &clock) {
        Ok(count) => assert_eq!(count, 0),
        Err(error) => assert_eq!(error.code, Code::ConnectionReset, "{error}"),
    }
}

#[test]
fn an_interrupt_in_a_read_ends_it() {
    let server = Server::start("faults-none", &[]);
    let mut secured = once(&trusting(server.port)).0.unwrap();
    let limited = Clock::new(None, None, Interrupt::new());
    let interrupt = limited.interrupt.clone();
    thread::spawn(move || {
        thread::sleep(Duration::from_millis(100));
        interrupt.interrupt();
    });
    assert_eq!(secured.stream.read(&mut [0; 8], &limited).unwrap_err().code, Code::Interrupted);
    let limited = Clock::new(Some(Duration::from_millis(100)), None, Interrupt::new());
    let mut secured = once(&trusting(server.port)).0.unwrap();
    assert_eq!(secured.stream.read(&mut [0; 8], &limited).unwrap_err().code, Code::Timeout);
}
