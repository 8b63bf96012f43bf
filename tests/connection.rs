//! The life of a connection through the C ABI: what each setting does to the socket, to its close, to where it leads and
//! to how fast it is. The client's socket is found among this process's descriptors, by the two ends of its connection.

mod common;

use common::Handle;
use socket2::{SockRef, Socket};
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{BorrowedFd, RawFd};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};
use xtask::server::{Options, Server};

/// Long enough for the slowest machine.
const AGES: Duration = Duration::from_secs(20);

/// A server for one connection: it greets, says 250 to everything, and tells how the connection ended.
struct Greeter {
    port: u16,
    peers: Receiver<SocketAddr>,
    ends: Receiver<std::io::Result<()>>,
}

impl Greeter {
    fn start() -> Greeter {
        Greeter::on(TcpListener::bind("127.0.0.1:0").unwrap())
    }

    fn on(listener: TcpListener) -> Greeter {
        let port = listener.local_addr().unwrap().port();
        let (tell_peer, peers) = channel();
        let (tell_end, ends) = channel();
        thread::spawn(move || {
            let (stream, peer) = listener.accept().unwrap();
            let _ = tell_peer.send(peer);
            let _ = tell_end.send(converse(stream));
        });
        Greeter { port, peers, ends }
    }

    /// The client's end as the server sees it.
    fn peer(&self) -> SocketAddr {
        self.peers.recv_timeout(AGES).expect("the client connects")
    }

    /// The client's socket, duplicated. A close ends the connection only once the duplicate is gone.
    fn client(&self) -> Socket {
        let peer = self.peer();
        find(peer, self.port).expect("the client's socket is one of ours")
    }

    fn end(&self) -> std::io::Result<()> {
        self.ends.recv_timeout(AGES).expect("the client closes")
    }
}

fn converse(mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_read_timeout(Some(AGES))?;
    stream.write_all(b"220 hello\r\n")?;
    let mut lines = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    while lines.read_line(&mut line)? > 0 {
        stream.write_all(if line.starts_with("QUIT") { b"221 bye\r\n" } else { b"250 so be it\r\n" })?;
        line.clear();
    }
    Ok(())
}

/// The descriptor of this process whose socket goes from `local` to the port.
fn find(local: SocketAddr, port: u16) -> Option<Socket> {
    let numbers = std::fs::read_dir("/proc/self/fd").unwrap();
    numbers.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<RawFd>().ok()).find_map(|number| {
        // SAFETY: only looked at, and duplicated when it is the socket in question, which the test keeps open; one that
        // another test closes meanwhile gives an error.
        let descriptor = unsafe { BorrowedFd::borrow_raw(number) };
        let socket = SockRef::from(&descriptor);
        let ours = socket.local_addr().ok()?.as_socket()? == local;
        let theirs = socket.peer_addr().ok()?.as_socket()?.port() == port;
        (ours && theirs).then(|| socket.try_clone().ok()).flatten()
    })
}

/// A handle with these settings, connected to the server.
fn connected(greeter: &Greeter, settings: &[&str]) -> Handle {
    let handle = Handle::to(greeter.port);
    for setting in settings {
        handle.config(setting).unwrap_or_else(|e| panic!("{setting}: {e:?}"));
    }
    handle.call("Connect", "").unwrap();
    handle
}

/// The client's socket of a connection made with these settings; the handle keeps it open.
fn socket(settings: &[&str]) -> (Socket, Handle) {
    let greeter = Greeter::start();
    let handle = connected(&greeter, settings);
    (greeter.client(), handle)
}

#[test]
fn by_default_a_socket_is_as_the_system_makes_it() {
    let (socket, _handle) = socket(&[]);
    assert!(!socket.keepalive().unwrap());
    assert_eq!(socket.linger().unwrap(), None);
    assert!(!socket.tcp_nodelay().unwrap());
}

#[test]
fn tcp_keep_alive_probes_with_the_times_of_the_system() {
    let (socket, _handle) = socket(&["TCPKeepAlive=True"]);
    assert!(socket.keepalive().unwrap());
    let plain = Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    assert_eq!(socket.tcp_keepalive_time().unwrap(), plain.tcp_keepalive_time().unwrap());
    assert_eq!(socket.tcp_keepalive_interval().unwrap(), plain.tcp_keepalive_interval().unwrap());
}

#[test]
fn keep_alive_times_are_milliseconds_rounded_up_to_seconds() {
    let (socket, handle) = socket(&["KeepAliveTime=41001", "KeepAliveInterval=1"]);
    assert!(socket.keepalive().unwrap());
    assert_eq!(socket.tcp_keepalive_time().unwrap(), Duration::from_secs(42));
    assert_eq!(socket.tcp_keepalive_interval().unwrap(), Duration::from_secs(1));
    // What was set is what reads.
    assert_eq!(handle.config("KeepAliveTime").unwrap(), "41001");
}

#[test]
fn setting_a_keep_alive_time_turns_keep_alive_on() {
    for setting in ["KeepAliveTime=5000", "KeepAliveInterval=5000"] {
        let handle = Handle::new();
        assert_eq!(handle.config("TCPKeepAlive").unwrap(), "False");
        handle.config(setting).unwrap();
        assert_eq!(handle.config("TCPKeepAlive").unwrap(), "True", "{setting}");
    }
    // And it can be turned off again, times or not.
    let (socket, handle) = socket(&["KeepAliveTime=5000", "TCPKeepAlive=False"]);
    assert!(!socket.keepalive().unwrap());
    assert_eq!(handle.config("KeepAliveTime").unwrap(), "5000");
    // A value that is refused changes nothing.
    let handle = Handle::new();
    assert_eq!(handle.config("KeepAliveTime=-1").unwrap_err().code, 603);
    assert_eq!(handle.config("TCPKeepAlive").unwrap(), "False");
}

#[test]
fn linger_time_is_how_long_closing_may_take() {
    let (socket, handle) = socket(&["LingerTime=7"]);
    assert_eq!(socket.linger().unwrap(), Some(Duration::from_secs(7)));
    // Nothing is left to deliver, so that nobody waits.
    drop(socket);
    let start = Instant::now();
    handle.call("Disconnect", "").unwrap();
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

#[test]
fn a_connection_is_closed_in_good_order() {
    let greeter = Greeter::start();
    connected(&greeter, &[]).call("Disconnect", "").unwrap();
    greeter.end().unwrap();
}

#[test]
fn without_linger_a_connection_is_closed_by_a_reset() {
    let greeter = Greeter::start();
    // LingerTime is nothing to a connection that does not linger.
    let handle = connected(&greeter, &["Linger=False", "LingerTime=9"]);
    assert_eq!(greeter.client().linger().unwrap(), Some(Duration::ZERO));
    handle.call("Disconnect", "").unwrap();
    assert_eq!(greeter.end().unwrap_err().kind(), ErrorKind::ConnectionReset);
}

#[test]
fn buffers_have_the_sizes_that_were_set() {
    let (socket, handle) = socket(&["InBufferSize=30000", "OutBufferSize=50000"]);
    // Linux doubles the number, for its own overhead.
    assert_eq!(socket.recv_buffer_size().unwrap(), 60_000);
    assert_eq!(socket.send_buffer_size().unwrap(), 100_000);
    assert_eq!(handle.config("InBufferSize").unwrap(), "30000");
    assert_eq!(handle.config("OutBufferSize").unwrap(), "50000");
}

#[test]
fn tcp_no_delay_turns_nagle_off() {
    assert!(socket(&["TcpNoDelay=True"]).0.tcp_nodelay().unwrap());
}

#[test]
fn a_setting_made_while_connected_is_for_the_next_connection() {
    let (socket, handle) = socket(&[]);
    handle.config("KeepAliveTime=5000").unwrap();
    handle.config("Linger=False").unwrap();
    assert!(!socket.keepalive().unwrap());
    assert_eq!(socket.linger().unwrap(), None);
    drop(socket);
    handle.call("Disconnect", "").unwrap();
    let greeter = Greeter::start();
    handle.must_set("MailPort", &greeter.port.to_string());
    handle.call("Connect", "").unwrap();
    let socket = greeter.client();
    assert!(socket.keepalive().unwrap());
    assert_eq!(socket.linger().unwrap(), Some(Duration::ZERO));
}

#[test]
fn local_host_is_where_the_connection_comes_from() {
    let greeter = Greeter::start();
    let handle = Handle::to(greeter.port);
    handle.must_set("LocalHost", "127.0.0.9");
    handle.call("Connect", "").unwrap();
    assert_eq!(greeter.peer().ip(), IpAddr::from([127, 0, 0, 9]));
    assert_eq!(handle.get("LocalHost").unwrap(), "127.0.0.9");
    assert_eq!(handle.set("LocalHost", "127.0.0.1").unwrap_err().code, 107);
    handle.call("Disconnect", "").unwrap();
}

#[test]
fn a_local_host_that_is_not_ours_is_an_error_of_its_own() {
    let greeter = Greeter::start();
    let handle = Handle::to(greeter.port);
    handle.must_set("LocalHost", "192.0.2.1");
    let error = handle.call("Connect", "").unwrap_err();
    assert_eq!(error.code, 10_049);
    assert!(error.text.contains("192.0.2.1"), "{}", error.text);
}

#[test]
fn local_port_is_the_port_of_this_end() {
    // A port that was free a moment ago may be somebody else's by now, hardly three times in a row.
    let done = (0..3).any(|_| {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let greeter = Greeter::start();
        let handle = Handle::to(greeter.port);
        handle.config(&format!("LocalPort={free}")).unwrap();
        if handle.call("Connect", "").is_err() {
            return false;
        }
        assert_eq!(greeter.peer().port(), free);
        assert_eq!(handle.config("LocalPort").unwrap(), free.to_string());
        assert_eq!(handle.config("LocalPort=1").unwrap_err().code, 106);
        handle.call("Disconnect", "").unwrap();
        assert_eq!(handle.config("LocalPort").unwrap(), free.to_string());
        true
    });
    assert!(done);
}

#[test]
fn a_local_port_of_0_reads_as_the_one_that_the_system_chose() {
    let greeter = Greeter::start();
    let handle = connected(&greeter, &[]);
    assert_eq!(handle.config("LocalPort").unwrap(), greeter.peer().port().to_string());
    handle.call("Disconnect", "").unwrap();
    assert_eq!(handle.config("LocalPort").unwrap(), "0");
}

#[test]
fn use_ipv6_chooses_the_addresses() {
    let Ok(six) = TcpListener::bind("[::1]:0") else {
        return; // This machine has no IPv6.
    };
    let greeter = Greeter::on(six);
    let handle = Handle::to(greeter.port);
    handle.must_set("MailServer", "::1");
    let error = handle.call("Connect", "").unwrap_err();
    assert_eq!(error.code, 11_004, "{}", error.text);
    handle.config("UseIPv6=1").unwrap();
    handle.call("Connect", "").unwrap();
    assert!(greeter.peer().is_ipv6());
    assert_eq!(handle.get("MailServer").unwrap(), "::1");
    handle.call("Disconnect", "").unwrap();
    // IPv6 only means it.
    handle.must_set("MailServer", "127.0.0.1");
    assert_eq!(handle.call("Connect", "").unwrap_err().code, 11_004);
    assert_eq!(handle.config("UseIPv6=3").unwrap_err().code, 603);
}

#[test]
fn with_both_families_each_kind_of_address_is_good() {
    for address in ["127.0.0.1", "::1", "localhost"] {
        let host = if address == "localhost" { "127.0.0.1" } else { address };
        let Ok(listener) = TcpListener::bind((host, 0)) else { continue };
        let greeter = Greeter::on(listener);
        let handle = Handle::to(greeter.port);
        handle.must_set("MailServer", address);
        handle.config("UseIPv6=2").unwrap();
        handle.call("Connect", "").unwrap();
        assert_eq!(greeter.peer().ip(), host.parse::<IpAddr>().unwrap());
        handle.call("Disconnect", "").unwrap();
    }
}

/// Sends a text of `size` bytes at `rate` bytes a second on an open connection: the time of Send, and the bytes a second
/// that this makes of the text alone.
fn send_at(rate: u32, size: usize) -> (Duration, f64) {
    let server = Server::start(Options::default()).unwrap();
    let handle = message_to(server.port(), size);
    handle.config(&format!("MaxTransferRate={rate}")).unwrap();
    handle.call("Connect", "").unwrap();
    let start = Instant::now();
    handle.call("Send", "").unwrap();
    let time = start.elapsed();
    let body = server.messages().remove(0).data;
    assert!(body.windows(4).position(|w| w == b"\r\n\r\n").is_some_and(|end| body.len() - end - 4 >= size));
    (time, size as f64 / time.as_secs_f64())
}

/// A handle with a message whose text has so many bytes.
fn message_to(port: u16, size: usize) -> Handle {
    let handle = Handle::to(port);
    handle.must_set("From", "me@a.example");
    handle.must_set("SendTo", "you@b.example");
    let line = format!("{}\r\n", "x".repeat(68));
    handle.must_set("MessageText", &line.repeat(size.div_ceil(line.len())));
    handle
}

#[test]
fn max_transfer_rate_is_kept() {
    let (time, rate) = send_at(200_000, 300_000);
    assert!(time >= Duration::from_millis(1_500 * 95 / 100), "{time:?}");
    assert!(rate <= 200_000.0 * 1.05, "{rate} bytes a second");
}

#[test]
fn max_transfer_rate_may_be_slower_than_the_timeout() {
    let server = Server::start(Options::default()).unwrap();
    let handle = message_to(server.port(), 3_000);
    // Every piece is in time, the whole is not.
    handle.must_set("Timeout", "2");
    handle.config("MaxTransferRate=1200").unwrap();
    let start = Instant::now();
    handle.call("Send", "").unwrap();
    assert!(start.elapsed() >= Duration::from_millis(2_500 * 95 / 100));
    assert_eq!(server.count(), 1);
}

#[test]
fn an_interrupt_ends_a_slow_transfer() {
    let server = Server::start(Options::default()).unwrap();
    let handle = message_to(server.port(), 100_000);
    handle.config("MaxTransferRate=1000").unwrap();
    handle.call("Connect", "").unwrap();
    let error = thread::scope(|scope| {
        let stopper = scope.spawn(|| {
            thread::sleep(Duration::from_millis(500));
            handle.call("Interrupt", "").unwrap();
            Instant::now()
        });
        let error = handle.call("Send", "").unwrap_err();
        let end = Instant::now();
        assert!(end.saturating_duration_since(stopper.join().unwrap()) < Duration::from_secs(1));
        error
    });
    assert_eq!(error.code, 301);
    assert_eq!(server.count(), 0);
}

#[test]
fn a_reset_close_and_a_slow_rate_lose_no_message() {
    let server = Server::start(Options::default()).unwrap();
    let handle = message_to(server.port(), 20_000);
    for setting in ["Linger=False", "MaxTransferRate=100000", "OutBufferSize=2000", "InBufferSize=2000"] {
        handle.config(setting).unwrap();
    }
    for _ in 0..3 {
        handle.call("Send", "").unwrap();
    }
    assert_eq!(server.count(), 3);
}

#[test]
fn the_duplicate_of_a_socket_is_the_socket() {
    // What the tests above read their options from.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    let (mut peer, address) = listener.accept().unwrap();
    let found = find(address, port).unwrap();
    stream.set_nodelay(true).unwrap();
    assert!(found.tcp_nodelay().unwrap());
    peer.write_all(b"x").unwrap();
    let mut buffer = [0; 1];
    stream.read_exact(&mut buffer).unwrap();
    assert_eq!(find(address, port.wrapping_add(1)).map(drop), None);
}
