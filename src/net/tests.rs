//! Sockets against real peers on the loopback interface. No upper bound on a time is tighter than seconds.

mod options;

use super::clock::Clock;
use super::dial::{DialOptions, dial};
use super::interrupt::Interrupt;
use super::resolve::IpMode;
use super::socket::testing;
use super::stream::{Stream, TcpStream};
use crate::error::{Code, Error};
use socket2::{Domain, SockAddr, Socket, Type};
use std::io::{IoSlice, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream as Peer};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

const AGES: Duration = Duration::from_secs(10);

fn options(port: u16) -> DialOptions {
    DialOptions { host: "127.0.0.1".into(), port, ..DialOptions::default() }
}

fn pair() -> (TcpStream, Peer) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let stream = dial(&options(port), &Clock::unlimited()).unwrap();
    (stream, listener.accept().unwrap().0)
}

/// A peer whose close is a reset.
fn reset(peer: Peer) {
    let socket = Socket::from(peer);
    socket.set_linger(Some(Duration::ZERO)).unwrap();
}

fn limited(millis: u64) -> Clock {
    Clock::new(Some(Duration::from_millis(millis)), None, Interrupt::new())
}

/// Runs `work` with a clock that another thread interrupts shortly after, and gives its error back.
fn interrupted<T: std::fmt::Debug>(work: impl FnOnce(&Clock) -> Result<T, Error>) -> Error {
    let clock = Clock::unlimited();
    let other = Arc::clone(&clock.interrupt);
    let stopper = thread::spawn(move || {
        thread::sleep(Duration::from_millis(100));
        other.interrupt();
        Instant::now()
    });
    let error = work(&clock).unwrap_err();
    let end = Instant::now();
    assert!(end.saturating_duration_since(stopper.join().unwrap()) < Duration::from_secs(1));
    error
}

/// A port that answers nobody: its queue of connections is full. The guards keep it so.
#[cfg(target_os = "linux")]
fn full_listener() -> (u16, Vec<Socket>) {
    let any = SockAddr::from(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    listener.bind(&any).unwrap();
    listener.listen(0).unwrap();
    let address = listener.local_addr().unwrap();
    let port = address.as_socket().unwrap().port();
    let mut guards = vec![listener];
    for _ in 0..4 {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.set_nonblocking(true).unwrap();
        let _ = socket.connect(&address);
        guards.push(socket);
    }
    (port, guards)
}

#[test]
fn bytes_go_both_ways() {
    let (mut stream, mut peer) = pair();
    let clock = limited(10_000);
    peer.write_all(b"220 hello\r\n").unwrap();
    let mut buffer = [0; 64];
    assert_eq!(stream.read(&mut buffer, &clock).unwrap(), 11);
    stream.write_all(&mut [IoSlice::new(b"EHLO "), IoSlice::new(b"me\r\n")], &clock).unwrap();
    let mut said = [0; 9];
    peer.read_exact(&mut said).unwrap();
    assert_eq!(&said, b"EHLO me\r\n");
    assert_eq!(stream.local_addr(), Some(peer.peer_addr().unwrap()));
    assert_eq!(stream.peer_addr(), Some(peer.local_addr().unwrap()));
}

#[test]
fn a_closed_peer_reads_as_the_end() {
    let (mut stream, peer) = pair();
    drop(peer);
    assert!(stream.readable(AGES, &Clock::unlimited()).unwrap());
    assert_eq!(stream.read(&mut [0; 8], &Clock::unlimited()).unwrap(), 0);
}

#[test]
fn a_reset_is_10054() {
    let (mut stream, peer) = pair();
    reset(peer);
    let error = stream.read(&mut [0; 8], &Clock::unlimited()).unwrap_err();
    assert_eq!(error.code, Code::ConnectionReset);
    let port = stream.peer_addr().unwrap().port();
    assert!(error.message.contains(&format!("127.0.0.1:{port}")), "{}", error.message);
}

#[cfg(target_os = "linux")]
#[test]
fn a_write_to_a_peer_that_is_gone_fails_without_sigpipe() {
    let clock = limited(10_000);
    let mut codes = Vec::new();
    let ours = testing::raises_sigpipe(|| {
        let (mut stream, peer) = pair();
        reset(peer);
        for _ in 0..3 {
            assert!(stream.readable(AGES, &clock).unwrap());
            codes.push(stream.write_all(&mut [IoSlice::new(b"MAIL"), IoSlice::new(b"\r\n")], &clock).unwrap_err().code);
        }
    });
    assert!(!ours);
    assert_eq!(codes, [Code::ConnectionReset, Code::ConnectionDropped, Code::ConnectionDropped]);
    // The same through std raises it, so the check above can fail.
    assert!(testing::raises_sigpipe(|| {
        let (mut stream, mut peer) = pair();
        stream.close();
        while peer.write_vectored(&[IoSlice::new(b"MAIL"), IoSlice::new(b"\r\n")]).is_ok() {
            thread::sleep(Duration::from_millis(10));
        }
    }));
}

#[test]
fn a_peer_that_closed_and_then_refuses_our_bytes_is_1120() {
    let (mut stream, peer) = pair();
    drop(peer);
    let clock = limited(10_000);
    let error = (0..100).find_map(|_| {
        thread::sleep(Duration::from_millis(10));
        stream.write_all(&mut [IoSlice::new(b"NOOP\r\n")], &clock).err()
    });
    assert_eq!(error.expect("the peer has closed").code, Code::ConnectionDropped);
}

#[test]
fn a_silent_peer_is_a_timeout() {
    let (mut stream, _peer) = pair();
    let start = Instant::now();
    let error = stream.read(&mut [0; 8], &limited(150)).unwrap_err();
    assert_eq!(error.code, Code::Timeout);
    assert!(error.message.starts_with("timed out after 150 ms waiting for data from 127.0.0.1:"), "{}", error.message);
    assert!(start.elapsed() >= Duration::from_millis(150));
    assert!(start.elapsed() < AGES);
}

#[test]
fn bytes_that_drip_in_renew_the_inactivity_limit_but_not_the_absolute_one() {
    let (mut stream, mut peer) = pair();
    let dripper = thread::spawn(move || {
        while peer.write_all(b"x").is_ok() {
            thread::sleep(Duration::from_millis(20));
        }
    });
    let mut buffer = [0; 8];
    let start = Instant::now();
    let clock = limited(2_000);
    while start.elapsed() < Duration::from_millis(300) {
        assert!(stream.read(&mut buffer, &clock).unwrap() > 0);
    }
    let clock = Clock::new(Some(AGES), Some(Instant::now() + Duration::from_millis(200)), Interrupt::new());
    let start = Instant::now();
    let error = loop {
        if let Err(error) = stream.read(&mut buffer, &clock) {
            break error;
        }
    };
    assert_eq!(error.code, Code::Timeout);
    assert!(start.elapsed() >= Duration::from_millis(180) && start.elapsed() < AGES);
    stream.close();
    dripper.join().unwrap();
}

#[test]
fn a_peer_that_takes_nothing_is_a_timeout_on_time() {
    let (mut stream, _peer) = pair();
    let data = vec![b'x'; 32 << 20];
    let start = Instant::now();
    let error = stream.write_all(&mut [IoSlice::new(&data)], &limited(400)).unwrap_err();
    assert_eq!(error.code, Code::Timeout);
    assert!(error.message.ends_with("to take data"), "{}", error.message);
    assert!(start.elapsed() >= Duration::from_millis(400) && start.elapsed() < AGES);
}

#[cfg(target_os = "linux")]
#[test]
fn a_peer_that_takes_a_little_now_and_then_is_not_silent() {
    use std::sync::atomic::{AtomicBool, Ordering};
    // Small segments and a small window, so that the peer acknowledges in small steps; our send buffer takes more only
    // when a third of it is free, which lasts longer than the limit.
    let listener = Socket::from(TcpListener::bind("127.0.0.1:0").unwrap());
    listener.set_tcp_mss(1_000).unwrap();
    listener.set_recv_buffer_size(16 << 10).unwrap();
    let listener = TcpListener::from(listener);
    let mut stream = dial(&options(listener.local_addr().unwrap().port()), &Clock::unlimited()).unwrap();
    stream.socket().unwrap().set_send_buffer_size(200 << 10).unwrap();
    let mut peer = listener.accept().unwrap().0;
    let written = Arc::new(AtomicBool::new(false));
    let done = Arc::clone(&written);
    let reader = thread::spawn(move || {
        let mut buffer = vec![0; 5_000];
        let mut count = 0;
        loop {
            match peer.read(&mut buffer) {
                Ok(0) | Err(_) => return count,
                Ok(n) => count += n,
            }
            if !done.load(Ordering::Relaxed) {
                thread::sleep(Duration::from_millis(100));
            }
        }
    });
    let data = vec![b'x'; 500_000];
    let start = Instant::now();
    let result = stream.write_all(&mut [IoSlice::new(&data)], &limited(1_000));
    written.store(true, Ordering::Relaxed);
    assert!(start.elapsed() > Duration::from_millis(1_000), "the peer was not slow");
    stream.close();
    let count = reader.join().unwrap();
    result.unwrap();
    assert_eq!(count, data.len());
}

#[test]
fn an_interrupt_wakes_a_blocked_read() {
    let (mut stream, _peer) = pair();
    assert_eq!(interrupted(|clock| stream.read(&mut [0; 8], clock)).code, Code::Interrupted);
}

#[test]
fn an_interrupt_wakes_a_blocked_write() {
    let (mut stream, _peer) = pair();
    let data = vec![b'x'; 32 << 20];
    assert_eq!(interrupted(|clock| stream.write_all(&mut [IoSlice::new(&data)], clock)).code, Code::Interrupted);
}

#[test]
fn an_interrupt_wakes_a_wait_for_bytes() {
    let (mut stream, _peer) = pair();
    assert_eq!(interrupted(|clock| stream.readable(AGES, clock)).code, Code::Interrupted);
}

#[test]
fn an_interrupt_before_the_call_leaves_the_connection_alone() {
    let (mut stream, mut peer) = pair();
    let clock = Clock::unlimited();
    clock.interrupt.interrupt();
    assert_eq!(stream.read(&mut [0; 8], &clock).unwrap_err().code, Code::Interrupted);
    assert_eq!(stream.write_all(&mut [IoSlice::new(b"x")], &clock).unwrap_err().code, Code::Interrupted);
    clock.interrupt.clear();
    peer.write_all(b"x").unwrap();
    assert_eq!(stream.read(&mut [0; 8], &clock).unwrap(), 1);
}

#[cfg(target_os = "linux")]
#[test]
fn an_interrupt_ends_a_connect_that_nobody_answers() {
    let (port, _guards) = full_listener();
    assert_eq!(interrupted(|clock| dial(&options(port), clock)).code, Code::Interrupted);
}

#[cfg(target_os = "linux")]
#[test]
fn a_connect_that_nobody_answers_is_a_timeout() {
    let (port, _guards) = full_listener();
    let start = Instant::now();
    let error = dial(&options(port), &limited(200)).unwrap_err();
    assert_eq!(error.code, Code::Timeout);
    let text = format!("timed out after 200 ms waiting for 127.0.0.1:{port} to accept the connection");
    assert_eq!(error.message, text);
    assert!(start.elapsed() >= Duration::from_millis(200) && start.elapsed() < AGES);
    let absolute = Clock::new(None, Some(Instant::now() + Duration::from_millis(100)), Interrupt::new());
    let error = dial(&options(port), &absolute).unwrap_err();
    assert_eq!(error.code, Code::Timeout);
    assert!(error.message.contains(&format!("127.0.0.1:{port}")), "{}", error.message);
}

#[test]
fn readable_waits_no_longer_than_it_is_told_and_takes_nothing() {
    let (mut stream, mut peer) = pair();
    let clock = limited(10);
    assert!(!stream.readable(Duration::ZERO, &clock).unwrap());
    let start = Instant::now();
    assert!(!stream.readable(Duration::from_millis(50), &clock).unwrap());
    assert!(start.elapsed() >= Duration::from_millis(50) && start.elapsed() < AGES);
    peer.write_all(b"421").unwrap();
    assert!(stream.readable(AGES, &clock).unwrap());
    let mut buffer = [0; 8];
    assert_eq!(stream.read(&mut buffer, &clock).unwrap(), 3);
    let over = Clock::new(None, Some(Instant::now() + Duration::from_millis(30)), Interrupt::new());
    assert_eq!(stream.readable(AGES, &over).unwrap_err().code, Code::Timeout);
    assert_eq!(stream.read(&mut buffer, &over).unwrap_err().code, Code::Timeout);
    assert_eq!(stream.write_all(&mut [IoSlice::new(b"x")], &over).unwrap_err().code, Code::Timeout);
}

#[test]
fn a_refused_connection_is_10061_and_names_the_host() {
    // Bound and never listening: nobody else can get the port meanwhile.
    let silent = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    silent.bind(&SockAddr::from(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))).unwrap();
    let port = silent.local_addr().unwrap().as_socket().unwrap().port();
    let error = dial(&options(port), &limited(10_000)).unwrap_err();
    assert_eq!(error.code, Code::ConnectionRefused);
    assert_eq!(error.message, format!("cannot connect to 127.0.0.1:{port}: Connection refused"));
    let named = DialOptions { host: "localhost".into(), ..options(port) };
    let error = dial(&named, &limited(10_000)).unwrap_err();
    assert_eq!(error.code, Code::ConnectionRefused);
    assert!(error.message.contains(&format!("localhost:{port} (127.0.0.1)")), "{}", error.message);
}

#[test]
fn the_next_address_is_tried_when_one_refuses() {
    // localhost with IPv6 first: nothing listens on [::1] at this port, or the host has no IPv6 at all.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let both = DialOptions { host: "localhost".into(), ip: IpMode::V6ThenV4, ..options(port) };
    assert_eq!(dial(&both, &limited(10_000)).unwrap().peer_addr().unwrap().ip(), Ipv4Addr::LOCALHOST);
}

#[test]
fn no_host_has_the_address_zero_and_none_the_port_zero() {
    let host = DialOptions { host: "0.0.0.0".into(), ..options(25) };
    assert_eq!(dial(&host, &Clock::unlimited()).unwrap_err().code, Code::BadAddress);
    assert_eq!(dial(&options(0), &Clock::unlimited()).unwrap_err().code, Code::ZeroPort);
}

#[test]
fn the_local_end_is_where_it_was_asked_for() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    for local_host in ["127.0.0.1", "localhost"] {
        let options = DialOptions { local_host: local_host.into(), ..options(port) };
        let stream = dial(&options, &Clock::unlimited()).unwrap();
        assert_eq!(stream.local_addr().unwrap().ip(), Ipv4Addr::LOCALHOST);
    }
    // A port that was free a moment ago may be somebody else's by now, hardly three times in a row.
    let fixed = (0..3).any(|_| {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let stream = dial(&DialOptions { local_port: free, ..options(port) }, &Clock::unlimited());
        stream.is_ok_and(|stream| stream.local_addr().unwrap().port() == free)
    });
    assert!(fixed);
}

#[test]
fn a_local_end_that_cannot_be_had_is_told_apart() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let foreign = DialOptions { local_host: "192.0.2.1".into(), ..options(port) };
    let error = dial(&foreign, &Clock::unlimited()).unwrap_err();
    assert_eq!(error.code, Code::AddressNotAvailable);
    assert!(error.message.contains("192.0.2.1"), "{}", error.message);
    let taken = DialOptions { local_host: "127.0.0.1".into(), local_port: port, ..options(port) };
    assert_eq!(dial(&taken, &Clock::unlimited()).unwrap_err().code, Code::AddressInUse);
    let family = DialOptions { local_host: "::1".into(), ..options(port) };
    assert_eq!(dial(&family, &Clock::unlimited()).unwrap_err().code, Code::AddressNotAvailable);
    let nonsense = DialOptions { local_host: "no host".into(), ..options(port) };
    assert_eq!(dial(&nonsense, &Clock::unlimited()).unwrap_err().code, Code::HostNotFound);
}

#[test]
fn a_gathered_write_keeps_the_order_of_many_odd_parts() {
    let (mut stream, mut peer) = pair();
    // Past IOV_MAX, with empty parts at the ends and between, and more than a send buffer in all.
    let parts: Vec<Vec<u8>> =
        (0..5_000usize).map(|i| (0..(i * 7_919) % 1_543).map(|j| ((i + j) % 251) as u8).collect()).collect();
    let mut slices = vec![IoSlice::new(b"")];
    slices.extend(parts.iter().map(|part| IoSlice::new(part)));
    slices.push(IoSlice::new(b""));
    let reader = thread::spawn(move || {
        let mut all = Vec::new();
        peer.read_to_end(&mut all).unwrap();
        all
    });
    stream.write_all(&mut slices, &limited(10_000)).unwrap();
    stream.close();
    assert!(reader.join().unwrap() == parts.concat());
}

#[test]
fn nothing_to_write_is_no_error_and_no_byte() {
    let (mut stream, mut peer) = pair();
    let clock = limited(10_000);
    stream.write_all(&mut [], &clock).unwrap();
    stream.write_all(&mut [IoSlice::new(b""), IoSlice::new(b"")], &clock).unwrap();
    stream.close();
    assert_eq!(peer.read(&mut [0; 8]).unwrap(), 0);
}

#[test]
fn a_closed_stream_answers_with_an_error() {
    let (mut stream, _peer) = pair();
    let clock = limited(10_000);
    stream.close();
    stream.close();
    assert_eq!(stream.read(&mut [0; 8], &clock).unwrap_err().code, Code::SocketNotConnected);
    assert_eq!(stream.write_all(&mut [IoSlice::new(b"x")], &clock).unwrap_err().code, Code::SocketNotConnected);
    assert_eq!(stream.readable(AGES, &clock).unwrap_err().code, Code::SocketNotConnected);
}

/// A connection whose peer acknowledges late, as one does that has sent a reply.
#[cfg(target_os = "linux")]
fn lazy_pair(no_delay: bool) -> (TcpStream, Socket) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let stream = dial(&DialOptions { no_delay, ..options(port) }, &Clock::unlimited()).unwrap();
    let peer = Socket::from(listener.accept().unwrap().0);
    peer.set_tcp_quickack(false).unwrap();
    (stream, peer)
}

#[cfg(target_os = "linux")]
#[test]
fn nagle_holds_nothing_back_at_the_end_of_a_turn() {
    let clock = limited(10_000);
    for no_delay in [false, true] {
        for split in [false, true] {
            let (mut stream, peer) = lazy_pair(no_delay);
            // So few that the congestion window, ten segments at first, plays no part.
            for _ in 0..3 {
                peer.set_tcp_quickack(false).unwrap();
                if split {
                    stream.write_more(&mut [IoSlice::new(&[b'x'; 3_000])], &clock).unwrap();
                    stream.write_more(&mut [IoSlice::new(b"y")], &clock).unwrap();
                }
                stream.write_all(&mut [IoSlice::new(b"\r\n.\r\n")], &clock).unwrap();
                assert_eq!(testing::unsent(stream.socket().unwrap()), 0);
            }
            assert_eq!(stream.socket().unwrap().tcp_nodelay().unwrap(), no_delay);
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn what_is_held_for_more_goes_out_before_anybody_waits() {
    let clock = limited(10_000);
    let (mut stream, mut peer) = lazy_pair(false);
    let unsent = |stream: &TcpStream| testing::unsent(stream.socket().unwrap());
    stream.write_more(&mut [IoSlice::new(b"body")], &clock).unwrap();
    assert_eq!(unsent(&stream), 4);
    stream.write_all(&mut [], &clock).unwrap();
    assert_eq!(unsent(&stream), 0);
    stream.write_more(&mut [IoSlice::new(b"body")], &clock).unwrap();
    assert!(!stream.readable(Duration::ZERO, &clock).unwrap());
    assert_eq!(unsent(&stream), 0);
    stream.write_more(&mut [IoSlice::new(b"body")], &clock).unwrap();
    peer.write_all(b"250 OK\r\n").unwrap();
    assert_eq!(stream.read(&mut [0; 64], &clock).unwrap(), 8);
    assert_eq!(unsent(&stream), 0);
}

#[test]
fn signals_neither_end_nor_extend_a_wait() {
    let (mut stream, _peer) = pair();
    let clock = limited(200);
    let start = Instant::now();
    let (error, seen) = testing::storm(|| stream.read(&mut [0; 8], &clock).unwrap_err());
    assert_eq!(error.code, Code::Timeout);
    assert!(seen > 10, "{seen}");
    assert!(start.elapsed() >= Duration::from_millis(200) && start.elapsed() < AGES);
    let data = vec![b'x'; 32 << 20];
    let (error, _) = testing::storm(|| stream.write_all(&mut [IoSlice::new(&data)], &clock).unwrap_err());
    assert_eq!(error.code, Code::Timeout);
    let (ready, _) = testing::storm(|| stream.readable(Duration::from_millis(100), &clock).unwrap());
    assert!(!ready);
}

#[test]
fn signals_spoil_no_connect_and_no_byte() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let data: Vec<u8> = (0..8u32 << 20).map(|i| (i % 251) as u8).collect();
    let reader = thread::spawn(move || {
        let mut peer = listener.accept().unwrap().0;
        thread::sleep(Duration::from_millis(100));
        let mut all = Vec::new();
        peer.read_to_end(&mut all).unwrap();
        all
    });
    let ((), seen) = testing::storm(|| {
        let clock = limited(10_000);
        let named = DialOptions { host: "localhost".into(), ..options(port) };
        let mut stream = dial(&named, &clock).unwrap();
        stream.write_all(&mut [IoSlice::new(&data)], &clock).unwrap();
        stream.close();
    });
    assert!(seen > 10, "{seen}");
    assert!(reader.join().unwrap() == data);
}

#[test]
fn descriptors_beyond_1024_work() {
    let (stream, mut peer) = pair();
    let Some(high) = testing::duplicate_above(stream.socket().unwrap(), 1_100) else { return };
    let mut stream = TcpStream::new(high, "peer:25", false).unwrap();
    let clock = limited(10_000);
    assert!(!stream.readable(Duration::ZERO, &clock).unwrap());
    peer.write_all(b"x").unwrap();
    assert!(stream.readable(AGES, &clock).unwrap());
    assert_eq!(stream.read(&mut [0; 8], &clock).unwrap(), 1);
}
