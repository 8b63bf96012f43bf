//! What the settings of a connection do to its socket: options read back, closes as the peer sees them, the rate kept,
//! and who wins a race of addresses. Times are bounded from below; from above only in seconds.

use super::*;
use crate::net::dial::connect;
use crate::net::options::{Closing, SocketOptions};
use std::net::IpAddr;

/// A connection with these options, and its peer.
fn set_pair(socket: SocketOptions, max_rate: u64) -> (TcpStream, Peer) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let options = DialOptions { socket, max_rate, ..options(listener.local_addr().unwrap().port()) };
    let stream = dial(&options, &Clock::unlimited()).unwrap();
    (stream, listener.accept().unwrap().0)
}

/// Reads all that comes, in a thread.
fn reader(mut peer: Peer) -> thread::JoinHandle<std::io::Result<Vec<u8>>> {
    thread::spawn(move || {
        let mut all = Vec::new();
        peer.read_to_end(&mut all).map(|_| all)
    })
}

#[test]
fn a_socket_is_left_as_it_is_where_nothing_is_set() {
    let (stream, _peer) = set_pair(SocketOptions::default(), 0);
    let socket = stream.socket().unwrap();
    assert!(!socket.keepalive().unwrap());
    assert_eq!(socket.linger().unwrap(), None);
    let plain = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    assert_eq!(socket.tcp_keepalive_time().unwrap(), plain.tcp_keepalive_time().unwrap());
}

#[test]
fn keep_alive_times_arrive_in_whole_seconds() {
    let probes = SocketOptions {
        keep_alive: true,
        keep_alive_time: Duration::from_millis(41_001),
        keep_alive_interval: Duration::from_millis(900),
        ..SocketOptions::default()
    };
    let (stream, _peer) = set_pair(probes.clone(), 0);
    let socket = stream.socket().unwrap();
    assert!(socket.keepalive().unwrap());
    assert_eq!(socket.tcp_keepalive_time().unwrap(), Duration::from_secs(42));
    assert_eq!(socket.tcp_keepalive_interval().unwrap(), Duration::from_secs(1));
    // A day is more than Linux takes.
    let (stream, _peer) = set_pair(SocketOptions { keep_alive_time: Duration::from_secs(86_400), ..probes.clone() }, 0);
    assert!(stream.socket().unwrap().tcp_keepalive_time().unwrap() >= Duration::from_secs(32_767));
    // Times without the switch change nothing.
    let (stream, _peer) = set_pair(SocketOptions { keep_alive: false, ..probes }, 0);
    assert!(!stream.socket().unwrap().keepalive().unwrap());
}

#[test]
fn buffers_have_the_sizes_asked_for() {
    let sizes = SocketOptions { receive_buffer: 30_000, send_buffer: 50_000, ..SocketOptions::default() };
    let (stream, _peer) = set_pair(sizes, 0);
    // Linux doubles the number, for its own overhead.
    let factor = if cfg!(any(target_os = "linux", target_os = "android")) { 2 } else { 1 };
    assert_eq!(stream.socket().unwrap().recv_buffer_size().unwrap(), 30_000 * factor);
    assert_eq!(stream.socket().unwrap().send_buffer_size().unwrap(), 50_000 * factor);
}

#[test]
fn buffers_beyond_what_the_system_has_are_no_error() {
    for size in [1, i32::MAX as usize, usize::MAX] {
        let sizes = SocketOptions { receive_buffer: size, send_buffer: size, ..SocketOptions::default() };
        let (mut stream, peer) = set_pair(sizes, 0);
        let reader = reader(peer);
        stream.write_all(&mut [IoSlice::new(&[b'x'; 100_000])], &limited(10_000)).unwrap();
        stream.close();
        assert_eq!(reader.join().unwrap().unwrap().len(), 100_000);
    }
}

#[test]
fn closing_is_in_good_order_where_nothing_is_set() {
    let (mut stream, peer) = set_pair(SocketOptions::default(), 0);
    let reader = reader(peer);
    stream.write_all(&mut [IoSlice::new(b"QUIT\r\n")], &limited(10_000)).unwrap();
    stream.close();
    assert_eq!(reader.join().unwrap().unwrap(), b"QUIT\r\n");
}

#[test]
fn closing_is_a_reset_where_that_is_asked_for() {
    let close: [fn(TcpStream); 2] = [|mut stream| stream.close(), drop];
    for close in close {
        let (stream, peer) = set_pair(SocketOptions { closing: Closing::Reset, ..SocketOptions::default() }, 0);
        assert_eq!(stream.socket().unwrap().linger().unwrap(), Some(Duration::ZERO));
        close(stream);
        let error = reader(peer).join().unwrap().unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn closing_waits_for_a_peer_that_takes_nothing_no_longer_than_it_is_told() {
    let closing = Closing::Wait(Duration::from_secs(1));
    let (mut stream, peer) = set_pair(SocketOptions { closing, ..SocketOptions::default() }, 0);
    assert_eq!(stream.socket().unwrap().linger().unwrap(), Some(Duration::from_secs(1)));
    // More than the peer's buffer holds and less than ours: written, and not delivered.
    fill(&stream);
    let start = Instant::now();
    stream.close();
    assert!(start.elapsed() >= Duration::from_millis(950) && start.elapsed() < AGES, "{:?}", start.elapsed());
    drop(peer);
}

#[cfg(target_os = "linux")]
#[test]
fn nobody_lingers_over_a_connection_that_failed() {
    let closing = Closing::Wait(Duration::from_secs(30));
    let (mut stream, _peer) = set_pair(SocketOptions { closing, ..SocketOptions::default() }, 0);
    fill(&stream);
    let error = stream.write_all(&mut [IoSlice::new(&[b'x'; 1 << 20])], &limited(100)).unwrap_err();
    assert_eq!(error.code, Code::Timeout);
    let start = Instant::now();
    stream.close();
    assert!(start.elapsed() < AGES);
}

/// Sends until the socket takes no more.
#[cfg(target_os = "linux")]
fn fill(stream: &TcpStream) {
    let socket = stream.socket().unwrap();
    socket.set_nonblocking(true).unwrap();
    while socket.send(&[b'x'; 64 << 10]).is_ok() {}
    socket.set_nonblocking(false).unwrap();
}

/// Sends `parts` at `rate`, and gives back the bytes a second that left, and what the peer got.
fn send_at(rate: u64, parts: &[&[u8]], clock: &Clock) -> (f64, Vec<u8>) {
    let (mut stream, peer) = set_pair(SocketOptions::default(), rate);
    let reader = reader(peer);
    let total: usize = parts.iter().map(|part| part.len()).sum();
    let start = Instant::now();
    stream.write_all(&mut parts.iter().map(|part| IoSlice::new(part)).collect::<Vec<_>>(), clock).unwrap();
    let time = start.elapsed();
    stream.close();
    (total as f64 / time.as_secs_f64(), reader.join().unwrap().unwrap())
}

#[test]
fn a_rate_is_kept_in_one_large_part_and_in_many_small_ones() {
    let data: Vec<u8> = (0..300_000u32).map(|i| (i % 251) as u8).collect();
    let whole = thread::spawn({
        let data = data.clone();
        move || send_at(250_000, &[&data], &limited(10_000))
    });
    // Past what one call takes.
    let lines: Vec<&[u8]> = data.chunks(77).collect();
    for (rate, got) in [send_at(250_000, &lines, &limited(10_000)), whole.join().unwrap()] {
        assert!(rate <= 250_000.0 * 1.05, "{rate} bytes a second");
        assert!(got == data);
    }
}

#[test]
fn a_rate_holds_over_many_short_turns() {
    let (mut stream, peer) = set_pair(SocketOptions::default(), 20_000);
    let reader = reader(peer);
    let start = Instant::now();
    for _ in 0..250 {
        stream.write_all(&mut [IoSlice::new(&[b'x'; 100])], &limited(10_000)).unwrap();
    }
    let rate = 25_000.0 / start.elapsed().as_secs_f64();
    stream.close();
    assert!(rate <= 20_000.0 * 1.05, "{rate} bytes a second");
    assert_eq!(reader.join().unwrap().unwrap().len(), 25_000);
}

#[test]
fn waiting_for_the_rate_is_no_silence_of_the_peer() {
    // Each portion of 64 bytes takes 640 ms, which is more than the limit.
    let (rate, got) = send_at(100, &[&[b'x'; 130]], &limited(200));
    assert!(rate <= 105.0, "{rate} bytes a second");
    assert_eq!(got.len(), 130);
}

#[cfg(target_os = "linux")]
#[test]
fn a_peer_that_takes_nothing_is_a_timeout_at_any_rate() {
    let (mut stream, _peer) = set_pair(SocketOptions::default(), 1_000_000);
    fill(&stream);
    let error = stream.write_all(&mut [IoSlice::new(&[b'x'; 1 << 20])], &limited(300)).unwrap_err();
    assert_eq!(error.code, Code::Timeout);
    assert!(error.message.ends_with("to take data"), "{}", error.message);
}

#[test]
fn the_absolute_limit_ends_the_wait_for_the_rate() {
    let (mut stream, _peer) = set_pair(SocketOptions::default(), 1);
    let start = Instant::now();
    let clock = Clock::new(None, Some(start + Duration::from_millis(150)), Interrupt::new());
    let error = stream.write_all(&mut [IoSlice::new(b"NOOP\r\n")], &clock).unwrap_err();
    assert_eq!(error.code, Code::Timeout);
    assert!(error.message.contains("MaxTransferRate"), "{}", error.message);
    assert!(start.elapsed() >= Duration::from_millis(150) && start.elapsed() < AGES);
}

#[test]
fn an_interrupt_ends_the_wait_for_the_rate() {
    let (mut stream, _peer) = set_pair(SocketOptions::default(), 1);
    let error = interrupted(|clock| stream.write_all(&mut [IoSlice::new(&[b'x'; 60])], clock));
    assert_eq!(error.code, Code::Interrupted);
}

#[cfg(target_os = "linux")]
#[test]
fn a_reset_ends_the_wait_for_the_rate() {
    let (mut stream, peer) = set_pair(SocketOptions::default(), 1);
    reset(peer);
    let start = Instant::now();
    let error = stream.write_all(&mut [IoSlice::new(&[b'x'; 60])], &Clock::unlimited()).unwrap_err();
    assert_eq!(error.code, Code::ConnectionReset);
    assert!(start.elapsed() < AGES);
}

/// 127.0.0.2 answers nobody at this port; the guards keep it so.
#[cfg(target_os = "linux")]
fn deaf_at(port: u16) -> Vec<Socket> {
    let address = SockAddr::from(SocketAddr::from(([127, 0, 0, 2], port)));
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    listener.bind(&address).unwrap();
    listener.listen(0).unwrap();
    let mut guards = vec![listener];
    for _ in 0..4 {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.set_nonblocking(true).unwrap();
        let _ = socket.connect(&address);
        guards.push(socket);
    }
    guards
}

#[cfg(target_os = "linux")]
fn race(port: u16, last: &[u8], clock: &Clock) -> Result<TcpStream, Error> {
    let addresses = last.iter().map(|&last| IpAddr::from([127, 0, 0, last])).collect();
    let options = DialOptions { host: "two.example".into(), ..options(port) };
    connect(&options, addresses, clock.deadline(), clock)
}

#[cfg(target_os = "linux")]
#[test]
fn the_second_address_joins_when_the_first_does_not_answer() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let _deaf = deaf_at(port);
    let start = Instant::now();
    let stream = race(port, &[2, 1], &limited(60_000)).unwrap();
    assert_eq!(stream.peer_addr().unwrap().ip(), Ipv4Addr::LOCALHOST);
    assert!(start.elapsed() >= Duration::from_millis(250) && start.elapsed() < AGES, "{:?}", start.elapsed());
    // What comes out blocks, and the limits count.
    let mut stream = stream;
    assert_eq!(stream.read(&mut [0; 8], &limited(50)).unwrap_err().code, Code::Timeout);
}

#[cfg(target_os = "linux")]
#[test]
fn an_address_that_refuses_costs_no_head_start() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    // So many that their head starts together would take ages.
    let last: Vec<u8> = (3..103).chain([1]).collect();
    let start = Instant::now();
    let stream = race(port, &last, &limited(60_000)).unwrap();
    assert_eq!(stream.peer_addr().unwrap().ip(), Ipv4Addr::LOCALHOST);
    assert!(start.elapsed() < AGES, "{:?}", start.elapsed());
}

#[cfg(target_os = "linux")]
#[test]
fn the_first_address_is_the_only_one_to_hear_of_a_connection_that_it_takes() {
    let first = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = first.local_addr().unwrap().port();
    let second = TcpListener::bind(("127.0.0.2", port)).unwrap();
    second.set_nonblocking(true).unwrap();
    let stream = race(port, &[1, 2], &limited(60_000)).unwrap();
    assert_eq!(stream.peer_addr().unwrap().ip(), Ipv4Addr::LOCALHOST);
    assert_eq!(second.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}

#[cfg(target_os = "linux")]
#[test]
fn a_late_first_address_still_wins_and_the_other_attempt_is_closed() {
    // 127.0.0.1 and 127.0.0.2 are deaf, until the queue of the first has room again.
    let (port, mut guards) = full_listener();
    let _deaf = deaf_at(port);
    let before = connecting(port);
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let opener = thread::spawn(move || {
        let listener = TcpListener::from(guards.remove(0));
        listener.set_nonblocking(true).unwrap();
        // The second address has joined by then.
        let mut pause = Duration::from_millis(500);
        let mut accepted = Vec::new();
        while stopped.recv_timeout(pause).is_err() {
            accepted.extend(listener.accept());
            pause = Duration::from_millis(10);
        }
    });
    let stream = race(port, &[1, 2], &limited(60_000));
    stop.send(()).unwrap();
    opener.join().unwrap();
    assert_eq!(stream.unwrap().peer_addr().unwrap().ip(), Ipv4Addr::LOCALHOST);
    assert_eq!(connecting(port), before);
}

/// The sockets on this machine that try to reach 127.0.0.2 at the port (proc_net_tcp: state 02 is SYN_SENT).
#[cfg(target_os = "linux")]
fn connecting(port: u16) -> usize {
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let peer = format!("{:08X}:{port:04X}", u32::from_ne_bytes([127, 0, 0, 2]));
    let wanted = |line: &&str| {
        let mut words = line.split_whitespace().skip(2);
        words.next() == Some(&peer) && words.next() == Some("02")
    };
    table.lines().filter(wanted).count()
}

#[cfg(target_os = "linux")]
#[test]
fn every_address_without_an_answer_is_named_when_time_is_up() {
    let (port, _guards) = full_listener();
    let _deaf = deaf_at(port);
    let start = Instant::now();
    let error = race(port, &[2, 1], &limited(600)).unwrap_err();
    assert!(start.elapsed() >= Duration::from_millis(600) && start.elapsed() < AGES);
    assert_eq!(error.code, Code::Timeout);
    for address in ["(127.0.0.1)", "(127.0.0.2)"] {
        assert!(error.message.contains(address), "{}", error.message);
    }
    // One that refuses says more than one that is silent, but both are told.
    let error = race(port, &[2, 3], &limited(600)).unwrap_err();
    assert!(error.message.contains("(127.0.0.2)") && error.message.contains("refused"), "{}", error.message);
}

#[cfg(target_os = "linux")]
#[test]
fn an_interrupt_ends_a_race_that_nobody_wins() {
    let (port, _guards) = full_listener();
    let _deaf = deaf_at(port);
    assert_eq!(interrupted(|clock| race(port, &[1, 2], clock)).code, Code::Interrupted);
}

#[cfg(target_os = "linux")]
#[test]
fn a_fixed_local_port_serves_every_address_of_the_race() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let _deaf = deaf_at(port);
    // A port that was free a moment ago may be somebody else's by now, hardly three times in a row.
    let fixed = (0..3).any(|_| {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let options = DialOptions { host: "two.example".into(), local_port: free, ..options(port) };
        let addresses = vec![IpAddr::from([127, 0, 0, 2]), IpAddr::from([127, 0, 0, 1])];
        let clock = limited(10_000);
        connect(&options, addresses, clock.deadline(), &clock)
            .is_ok_and(|stream| stream.local_addr().unwrap().port() == free)
    });
    assert!(fixed);
}

#[test]
fn ipv6_is_preferred_and_its_absence_no_obstacle() {
    let Ok(six) = TcpListener::bind("[::1]:0") else { return };
    let port = six.local_addr().unwrap().port();
    let clock = limited(10_000);
    let options = DialOptions { host: "two.example".into(), ip: IpMode::V6ThenV4, ..options(port) };
    let both: Vec<IpAddr> = vec!["::1".parse().unwrap(), Ipv4Addr::LOCALHOST.into()];
    let Ok(four) = TcpListener::bind(("127.0.0.1", port)) else { return };
    let stream = connect(&options, both.clone(), clock.deadline(), &clock).unwrap();
    assert!(stream.peer_addr().unwrap().is_ipv6());
    drop(six);
    let stream = connect(&options, both, clock.deadline(), &clock).unwrap();
    assert!(stream.peer_addr().unwrap().is_ipv4());
    drop(four);
}
