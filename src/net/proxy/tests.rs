//! The handshakes against scripted proxies: whole and an octet at a time, right, wrong, short, endless.

mod logins;

use super::*;
use crate::net::interrupt::Interrupt;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const PASSWORD: &str = "s3cret-Pw";

/// What the proxy says, in pieces; after the last it is silent, or has closed. Keeps what it heard.
struct Script {
    says: VecDeque<u8>,
    piece: usize,
    closes: bool,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Stream for Script {
    fn read(&mut self, buf: &mut [u8], clock: &Clock) -> Result<usize> {
        clock.check()?;
        if self.says.is_empty() {
            if self.closes {
                return Ok(0);
            }
            std::thread::sleep(clock.remaining().expect("a test's clock has a limit"));
            return Err(Error::new(Code::Timeout, "the script is silent"));
        }
        let count = self.piece.min(buf.len()).min(self.says.len());
        for place in &mut buf[..count] {
            *place = self.says.pop_front().unwrap();
        }
        Ok(count)
    }
    fn write_all(&mut self, parts: &mut [IoSlice<'_>], _: &Clock) -> Result<()> {
        for part in parts {
            self.heard.lock().unwrap().extend_from_slice(part);
        }
        Ok(())
    }
    fn readable(&mut self, _: Duration, _: &Clock) -> Result<bool> {
        Ok(!self.says.is_empty())
    }
    fn close(&mut self) {}
    fn local_addr(&self) -> Option<SocketAddr> {
        None
    }
    fn peer_addr(&self) -> Option<SocketAddr> {
        None
    }
}

fn clock() -> Clock {
    Clock::new(Some(Duration::from_millis(200)), None, Interrupt::new())
}

/// There is no second connection to this proxy.
fn gone(_: &Clock) -> Result<Box<dyn Stream>> {
    Err(Error::new(Code::Firewall, "proxy p:9: it is gone"))
}

fn proxy(kind: FirewallType) -> Proxy {
    Proxy { kind, host: "p".into(), port: 9, user: "tim".into(), password: Secret::new(PASSWORD), ..Proxy::default() }
}

fn nobody(kind: FirewallType) -> Proxy {
    Proxy { user: String::new(), password: Secret::default(), ..proxy(kind) }
}

/// What the proxy heard, and what can be read behind its answer.
fn play_in(piece: usize, proxy: &Proxy, host: &str, says: &[u8], closes: bool) -> (Vec<u8>, Result<Vec<u8>>) {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let script = Script { says: says.iter().copied().collect(), piece, closes, heard: heard.clone() };
    let done = handshake(Box::new(script), proxy, &Host::new(host).unwrap(), 587, &clock(), &mut gone);
    let rest = done.map(|mut stream| {
        let mut rest = Vec::new();
        let mut buffer = [0; 3];
        while stream.readable(Duration::ZERO, &clock()).unwrap() {
            let count = stream.read(&mut buffer, &clock()).unwrap();
            rest.extend_from_slice(&buffer[..count]);
        }
        rest
    });
    let heard = heard.lock().unwrap().clone();
    (heard, rest)
}

/// In one piece and octet by octet; both must be the same.
fn play(proxy: &Proxy, host: &str, says: &[u8]) -> (Vec<u8>, Result<Vec<u8>>) {
    let whole = play_in(usize::MAX, proxy, host, says, true);
    assert_eq!(whole, play_in(1, proxy, host, says, true));
    whole
}

/// The text of the 118 that it ends in.
fn refusal(proxy: &Proxy, host: &str, says: &[u8]) -> String {
    let error = play(proxy, host, says).1.unwrap_err();
    assert_eq!(error.code, Code::Firewall, "{}", error.message);
    assert!(error.message.starts_with("proxy p:9: "), "{}", error.message);
    assert!(!error.message.contains(PASSWORD) && error.message.len() < 400, "{}", error.message);
    error.into_message()
}

#[test]
fn a_tunnel_is_asked_for_and_the_greeting_behind_the_headers_is_kept() {
    let says = b"HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n220 hello\r\n";
    let (heard, rest) = play(&proxy(FirewallType::Tunnel), "mail.example", says);
    let wanted = "CONNECT mail.example:587 HTTP/1.1\r\nHost: mail.example:587\r\n\
                  Proxy-Authorization: Basic dGltOnMzY3JldC1Qdw==\r\n\r\n";
    assert_eq!((String::from_utf8(heard).unwrap().as_str(), rest.unwrap().as_slice()), (wanted, &b"220 hello\r\n"[..]));
    for says in [&b"HTTP/1.0 200\r\n\r\n"[..], b"HTTP/1.1 299 x\n\n", b"HTTP/1.1 204 \r\nA: b\n\r\n"] {
        let (heard, rest) = play(&nobody(FirewallType::Tunnel), "::1", says);
        assert_eq!(heard, b"CONNECT [::1]:587 HTTP/1.1\r\nHost: [::1]:587\r\n\r\n");
        assert_eq!(rest.unwrap(), b"");
    }
}

#[test]
fn header_lines_of_the_caller_go_with_the_request_and_in_place_of_ours() {
    let headers = |text| Proxy { headers: Secret::new(text), ..proxy(FirewallType::Tunnel) };
    let says = b"HTTP/1.1 200 OK\r\n\r\n";
    let heard = play(&headers("X-A: 1\r\nX-B: 2\r\n"), "1.2.3.4", says).0;
    assert!(heard.ends_with(b"dGltOnMzY3JldC1Qdw==\r\nX-A: 1\r\nX-B: 2\r\n\r\n"));
    let heard = play(&headers("proxy-authorization: Bearer xyz"), "1.2.3.4", says).0;
    assert_eq!(heard, b"CONNECT 1.2.3.4:587 HTTP/1.1\r\nHost: 1.2.3.4:587\r\nproxy-authorization: Bearer xyz\r\n\r\n");
}

#[test]
fn every_other_answer_to_connect_is_118_with_what_the_proxy_said() {
    let tunnel = proxy(FirewallType::Tunnel);
    for (says, part) in [
        (
            "HTTP/1.1 407 Proxy Auth Required\r\nProxy-Authenticate: Basic realm=x\r\n\r\n",
            "refuses the login: HTTP/1.1 407 Proxy Auth",
        ),
        ("HTTP/1.1 302 Found\r\nLocation: x\r\n\r\n", "refuses to connect on: HTTP/1.1 302 Found"),
        ("HTTP/1.1 403 Forbidden\r\n\r\n", "403 Forbidden"),
        ("HTTP/1.1 503 no\r\n\r\n", "503 no"),
        ("HTTP/1.1 100 Continue\r\n\r\n", "100 Continue"),
        ("HTTP/1.1 20 x\r\n\r\n", "no HTTP"),
        ("HTTP/1.1 2000\r\n\r\n", "no HTTP"),
        ("HTTP/1.x 200 OK\r\n\r\n", "no HTTP"),
        ("HTTP/1.1\r\n\r\n", "no HTTP"),
        ("220 mail.example ESMTP\r\n", "no HTTP"),
        ("\0\u{1}\u{2}garbage", "no HTTP"),
        ("HTTP/1.1 200 OK\r\nA: b\r\n", "closed the connection"),
        ("HTTP/1", "closed the connection"),
        ("", "closed the connection"),
    ] {
        // A peer that is no proxy is told at once, by however much of its words was there.
        for piece in [usize::MAX, 1] {
            let error = play_in(piece, &tunnel, "h.example", says.as_bytes(), true).1.unwrap_err();
            assert_eq!(error.code, Code::Firewall);
            assert!(error.message.contains(part), "{says:?}: {}", error.message);
        }
    }
    assert!(refusal(&nobody(FirewallType::Tunnel), "h", b"HTTP/1.1 407 x\r\n\r\n").contains("asks for a login"));
}

#[test]
fn a_proxy_that_repeats_the_login_does_not_get_it_into_the_error() {
    let tunnel = Proxy { headers: Secret::new("X-Key: Bearer k3y-of-mine"), ..proxy(FirewallType::Tunnel) };
    for secret in [PASSWORD, "dGltOnMzY3JldC1Qdw==", "k3y-of-mine"] {
        let says = format!("HTTP/1.1 407 {secret} {}{secret}\r\n\r\n", "x".repeat(170));
        let error = refusal(&tunnel, "h", says.as_bytes());
        assert!(!error.contains(&secret[..7]) && error.contains("***"), "{error}");
    }
    assert!(!format!("{tunnel:?}").contains(PASSWORD) && !format!("{tunnel:?}").contains("k3y"));
}

#[test]
fn headers_without_end_are_cut_off_at_64_kib() {
    let tunnel = proxy(FirewallType::Tunnel);
    let mut says = b"HTTP/1.1 200 OK\r\n".to_vec();
    says.extend(b"X-Filler: 0123456789\r\n".repeat(50_000));
    says.extend_from_slice(b"\r\n");
    assert!(refusal(&tunnel, "h", &says).contains("64 KiB"));
    let one_line = [b"HTTP/1.1 200 ".as_slice(), &vec![b'x'; 1 << 20]].concat();
    assert!(refusal(&tunnel, "h", &one_line).contains("64 KiB"));
    let head = b"HTTP/1.1 200 OK\r\nX: ";
    let exact = |size: usize| [head.as_slice(), &vec![b'x'; size - head.len() - 4], b"\r\n\r\n220"].concat();
    assert_eq!(play(&tunnel, "h", &exact(65_536)).1.unwrap(), b"220");
    assert!(refusal(&tunnel, "h", &exact(65_537)).contains("64 KiB"));
}

#[test]
fn silence_and_dripping_end_at_the_time_limit() {
    for kind in [FirewallType::Tunnel, FirewallType::Socks4, FirewallType::Socks5] {
        let start = Instant::now();
        let (_, done) = play_in(1, &nobody(kind), "1.2.3.4", b"", false);
        assert_eq!(done.unwrap_err().code, Code::Timeout);
        assert!(start.elapsed() < Duration::from_secs(10));
    }
    /// An octet every 20 ms for ever.
    struct Dripper;
    impl Stream for Dripper {
        fn read(&mut self, buf: &mut [u8], clock: &Clock) -> Result<usize> {
            clock.check()?;
            std::thread::sleep(Duration::from_millis(20));
            buf[0] = b'x';
            Ok(1)
        }
        fn write_all(&mut self, _: &mut [IoSlice<'_>], _: &Clock) -> Result<()> {
            Ok(())
        }
        fn readable(&mut self, _: Duration, _: &Clock) -> Result<bool> {
            Ok(true)
        }
        fn close(&mut self) {}
        fn local_addr(&self) -> Option<SocketAddr> {
            None
        }
        fn peer_addr(&self) -> Option<SocketAddr> {
            None
        }
    }
    let start = Instant::now();
    let begun = Box::new(Early { early: b"HTTP/1.1 200 ".to_vec(), taken: 0, stream: Box::new(Dripper) });
    let host = Host::new("h").unwrap();
    let error = handshake(begun, &nobody(FirewallType::Tunnel), &host, 25, &clock(), &mut gone).err().unwrap();
    assert_eq!(error.code, Code::Timeout);
    assert!(start.elapsed() < Duration::from_secs(10));
}

#[test]
fn socks_4_says_address_and_user_and_4a_the_name() {
    let yes = [0, 90, 1, 2, 3, 4, 5, 6, b'2', b'2', b'0'];
    let (heard, rest) = play(&proxy(FirewallType::Socks4), "192.0.2.7", &yes);
    assert_eq!(heard, b"\x04\x01\x02\x4b\xc0\x00\x02\x07tim\0");
    assert_eq!(rest.unwrap(), b"220");
    let (heard, rest) = play(&proxy(FirewallType::Socks4a), "mail.example", &yes);
    assert_eq!(heard, b"\x04\x01\x02\x4b\0\0\0\x01tim\0mail.example\0");
    assert_eq!(rest.unwrap(), b"220");
    for kind in [FirewallType::Socks4, FirewallType::Socks4a] {
        let (heard, done) = play(&proxy(kind), "2001:db8::1", &yes);
        assert_eq!((heard.len(), done.unwrap_err().code), (0, Code::Firewall));
    }
    let (heard, done) = play(&proxy(FirewallType::Socks4), "mail.example", &yes);
    assert_eq!((heard.len(), done.unwrap_err().code), (0, Code::ValueRefused));
}

#[test]
fn every_refusal_of_socks_4_every_version_and_every_short_answer_is_118() {
    let socks = proxy(FirewallType::Socks4);
    for code in (0..=255).filter(|c| *c != 90) {
        let error = refusal(&socks, "1.2.3.4", &[0, code, 0, 0, 0, 0, 0, 0]);
        assert!(error.contains(&format!("refuses to connect on: {code}, ")), "{error}");
    }
    for version in 1..=255 {
        assert!(refusal(&socks, "1.2.3.4", &[version, 90, 0, 0, 0, 0, 0, 0]).contains("not answer as SOCKS 4"));
    }
    for length in 0..8 {
        assert!(refusal(&socks, "1.2.3.4", &[0, 90, 0, 0, 0, 0, 0, 0][..length]).contains("closed"));
    }
}

#[test]
fn socks_5_offers_a_login_only_where_there_is_one() {
    let ok = b"\x05\x00\x05\x00\x00\x01abcdef220";
    let (heard, rest) = play(&nobody(FirewallType::Socks5), "mail.example", ok);
    assert_eq!(heard, b"\x05\x01\x00\x05\x01\x00\x03\x0cmail.example\x02\x4b");
    assert_eq!(rest.unwrap(), b"220");
    let (heard, rest) = play(&proxy(FirewallType::Socks5), "192.0.2.7", ok);
    assert_eq!(heard, b"\x05\x02\x00\x02\x05\x01\x00\x01\xc0\x00\x02\x07\x02\x4b");
    assert_eq!(rest.unwrap(), b"220");
    for version in [1, 5] {
        let says = [b"\x05\x02", &[version, 0][..], b"\x05\x00\x00\x01abcdef220"].concat();
        let (heard, rest) = play(&proxy(FirewallType::Socks5), "2001:db8::1", &says);
        let mut wanted = b"\x05\x02\x00\x02\x01\x03tim\x09s3cret-Pw\x05\x01\x00\x04\x20\x01\x0d\xb8".to_vec();
        wanted.extend_from_slice(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 0x4b]);
        assert_eq!(heard, wanted);
        assert_eq!(rest.unwrap(), b"220");
    }
}

#[test]
fn the_bound_address_of_socks_5_is_taken_whole_whatever_its_kind_and_length() {
    let socks = nobody(FirewallType::Socks5);
    let answer = |address: &[u8]| [b"\x05\x00\x05\x00\x00", address, b"pp220 hello"].concat();
    assert_eq!(play(&socks, "h", &answer(&[&[1][..], &[7; 4]].concat())).1.unwrap(), b"220 hello");
    assert_eq!(play(&socks, "h", &answer(&[&[4][..], &[7; 16]].concat())).1.unwrap(), b"220 hello");
    for length in 0..=255u8 {
        let name = [&[3, length][..], &vec![b'n'; length.into()]].concat();
        assert_eq!(play(&socks, "h", &answer(&name)).1.unwrap(), b"220 hello", "{length}");
    }
    for kind in (0..=255).filter(|k| ![1, 3, 4].contains(k)) {
        assert!(refusal(&socks, "h", &answer(&[&[kind][..], &[7; 30]].concat())).contains("unknown kind"));
    }
}

#[test]
fn every_refusal_of_socks_5_every_version_and_every_short_answer_is_118() {
    let (open, login) = (nobody(FirewallType::Socks5), proxy(FirewallType::Socks5));
    for code in 1..=255 {
        let error = refusal(&open, "h", &[5, 0, 5, code]);
        assert!(error.contains(&format!("refuses to connect on: {code}, ")), "{error}");
        assert!(refusal(&login, "h", &[5, 2, 1, code]).contains(&format!("refuses the login: {code}")));
    }
    for octet in (0..=255).filter(|o| *o != 5) {
        assert!(refusal(&open, "h", &[octet]).contains("not answer as SOCKS 5"));
        assert!(refusal(&open, "h", &[5, 0, octet]).contains("not answer as SOCKS 5"));
    }
    for octet in (0..=255).filter(|o| ![1, 5].contains(o)) {
        assert!(refusal(&login, "h", &[5, 2, octet, 0]).contains("not answer a login"));
    }
    for method in 1..255 {
        assert!(refusal(&open, "h", &[5, method]).contains("not offered"));
    }
    assert!(refusal(&login, "h", &[5, 1]).contains("not offered"));
    assert!(refusal(&open, "h", &[5, 255]).contains("asks for a login"));
    assert!(refusal(&login, "h", &[5, 255]).contains("neither"));
    let whole = b"\x05\x02\x01\x00\x05\x00\x00\x03\x03abcpp";
    for length in 0..whole.len() {
        assert!(refusal(&login, "h", &whole[..length]).contains("closed"), "{length}");
    }
    assert!(play(&login, "h", whole).1.is_ok());
}

#[test]
fn a_login_too_long_for_socks_5_is_refused_before_a_byte_is_said() {
    for (user, password) in [("u".repeat(256), "p".into()), ("u".into(), "p".repeat(256))] {
        let long = Proxy { user, password: Secret::new(&password), ..proxy(FirewallType::Socks5) };
        let (heard, done) = play(&long, "h", b"\x05\x02");
        assert_eq!((heard.len(), done.unwrap_err().code), (0, Code::ValueRefused));
    }
}
