//! Connections through proxies, through the C ABI: small proxies of this file in front of the embedded server. Handshakes octet
//! by octet are tested beside the code.

mod common;

use common::Handle;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};
use xtask::server::{Options, Server};

const AGES: Duration = Duration::from_secs(20);
const PASSWORD: &str = "tanstaaf-Zx7";

/// A proxy for one connection: for each step it takes so many octets (or, of none, a header block) and says something; then
/// it leads to the port, if there is one. What it heard comes out at its end.
fn proxy(steps: Vec<(usize, Vec<u8>)>, to: Option<u16>) -> (u16, Receiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (tell, heard) = channel();
    thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        client.set_read_timeout(Some(AGES)).unwrap();
        let mut all = Vec::new();
        for (count, says) in steps {
            let mut part = Vec::new();
            let mut octet = [0];
            while if count == 0 { !part.ends_with(b"\r\n\r\n") } else { part.len() < count } {
                if !client.read(&mut octet).is_ok_and(|n| n > 0) {
                    break;
                }
                part.push(octet[0]);
            }
            all.extend_from_slice(&part);
            let _ = client.write_all(&says);
        }
        let _ = tell.send(all);
        if let Some(to) = to {
            relay(client, to);
        }
    });
    (port, heard)
}

fn relay(client: TcpStream, to: u16) {
    let server = TcpStream::connect((Ipv4Addr::LOCALHOST, to)).unwrap();
    let (mut from, mut into) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut into);
        let _ = into.shutdown(Shutdown::Write);
    });
    let (mut from, mut into) = (server, client);
    let _ = std::io::copy(&mut from, &mut into);
    let _ = into.shutdown(Shutdown::Both);
}

/// A handle with a message, for a server behind this proxy.
fn handle(server: &str, port: u16, kind: &str, through: u16) -> Handle {
    let handle = Handle::to(port);
    for (name, value) in [
        ("MailServer", server),
        ("FirewallType", kind),
        ("FirewallHost", "localhost"),
        ("FirewallPort", &through.to_string()),
        ("From", "a@b.example"),
        ("SendTo", "c@d.example"),
        ("MessageText", "hello"),
    ] {
        handle.must_set(name, value);
    }
    handle
}

fn statuses(handle: &Handle) -> Vec<String> {
    handle.events().into_iter().filter(|e| e.name == "ConnectionStatus").map(|e| e.text).collect()
}

/// Sends and closes; what the proxy heard.
fn sends(server: &str, kind: &str, steps: Vec<(usize, Vec<u8>)>, settings: &[(&str, &str)]) -> Vec<u8> {
    let real = Server::start(Options::default()).unwrap();
    let (through, heard) = proxy(steps, Some(real.port()));
    let handle = handle(server, real.port(), kind, through);
    for (name, value) in settings {
        handle.must_set(name, value);
    }
    handle.call("Connect", "").unwrap();
    assert_eq!(handle.get("FirewallHost").unwrap(), "127.0.0.1");
    assert_eq!(handle.get("MailServer").unwrap(), server, "an address, or a name that the proxy resolves");
    handle.call("Send", "").unwrap();
    handle.call("Disconnect", "").unwrap();
    assert_eq!(real.messages().len(), 1);
    assert_eq!(handle.get("FirewallHost").unwrap(), "localhost");
    let wanted = [
        "Firewall connection complete 0 OK",
        "Remote host connection complete 0 OK",
        "Remote host disconnected 0 OK",
        "Firewall host disconnected 0 OK",
    ];
    assert_eq!(statuses(&handle), wanted);
    let mut heard = heard.recv_timeout(AGES).unwrap();
    // The port differs from run to run.
    let port = real.port().to_be_bytes();
    if let Some(at) = heard.windows(2).position(|two| two == port) {
        heard[at..at + 2].copy_from_slice(b"PP");
    }
    heard
}

#[test]
fn a_message_goes_through_a_tunnel() {
    let steps = vec![(0, b"HTTP/1.1 200 go on\r\nVia: x\r\n\r\n".to_vec())];
    let login = [("FirewallUser", "tim"), ("FirewallPassword", PASSWORD)];
    let heard = String::from_utf8(sends("mail.invalid", "fwTunnel", steps, &login)).unwrap();
    assert!(heard.starts_with("CONNECT mail.invalid:"), "{heard}");
    assert!(heard.contains("\r\nProxy-Authorization: Basic dGltOnRhbnN0YWFmLVp4Nw==\r\n"), "{heard}");
}

#[test]
fn header_lines_of_ones_own_go_to_the_proxy() {
    let (through, heard) = proxy(vec![(0, b"HTTP/1.1 403 no\r\n\r\n".to_vec())], None);
    let handle = handle("mail.invalid", 25, "fwTunnel", through);
    handle.config("FirewallData=X-Key: of mine\r\nX-Other: 2").unwrap();
    assert_eq!(handle.call("Connect", "").unwrap_err().code, 118);
    let heard = String::from_utf8(heard.recv_timeout(AGES).unwrap()).unwrap();
    assert!(heard.contains("\r\nX-Key: of mine\r\nX-Other: 2\r\n"), "{heard}");
}

#[test]
fn a_message_goes_through_every_kind_of_socks() {
    let yes4 = vec![0, 90, 0, 0, 0, 0, 0, 0];
    let heard = sends("127.0.0.1", "fwSOCKS4", vec![(13, yes4.clone())], &[("FirewallUser", "user")]);
    assert_eq!(heard, b"\x04\x01PP\x7f\0\0\x01user\0");
    for name in ["mail.invalid", "*mail.invalid"] {
        let heard = sends(name, "fwSOCKS4A", vec![(22, yes4.clone())], &[]);
        assert_eq!(heard, b"\x04\x01PP\0\0\0\x01\0mail.invalid\0");
    }
    let yes5 = vec![5, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    let heard = sends("*mail.invalid", "fwSOCKS5", vec![(3, vec![5, 0]), (19, yes5.clone())], &[]);
    assert_eq!(heard, b"\x05\x01\0\x05\x01\0\x03\x0cmail.invalidPP");
    let login = [("FirewallUser", "tim"), ("FirewallPassword", PASSWORD)];
    let steps = vec![(4, vec![5, 2]), (18, vec![1, 0]), (22, yes5)];
    let heard = sends("::1", "fwSOCKS5", steps, &login);
    let address = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    assert_eq!(heard, [&b"\x05\x02\0\x02\x01\x03tim\x0ctanstaaf-Zx7\x05\x01\0\x04"[..], &address, b"PP"].concat());
}

#[test]
fn a_greeting_in_the_packet_of_the_answer_is_the_servers() {
    let steps = vec![(0, b"HTTP/1.1 200 OK\r\n\r\n220 early\r\n".to_vec()), (1, b"250 hello\r\n".to_vec())];
    let (through, _heard) = proxy(steps, None);
    let handle = handle("mail.invalid", 25, "fwTunnel", through);
    handle.call("Connect", "").unwrap();
    assert!(handle.events().iter().any(|e| e.text.contains("220 early")), "{:?}", handle.events());
}

#[test]
fn a_refusal_is_118_with_what_the_proxy_said_and_without_the_login() {
    let token = "dGltOnRhbnN0YWFmLVp4Nw==";
    let answer = format!("HTTP/1.1 407 not {PASSWORD} nor {token}\r\n\r\n");
    let (through, _heard) = proxy(vec![(0, answer.into_bytes())], None);
    let handle = handle("mail.invalid", 25, "fwTunnel", through);
    handle.must_set("FirewallUser", "tim");
    handle.must_set("FirewallPassword", PASSWORD);
    handle.config("FirewallData=X-Key: s3cret-key").unwrap();
    let error = handle.call("Connect", "").unwrap_err();
    assert_eq!(error.code, 118);
    assert!(error.text.ends_with("it refuses the login: HTTP/1.1 407 not *** nor ***"), "{}", error.text);
    assert_eq!(statuses(&handle), [format!("Firewall connection complete 118 {}", error.text)]);
    let all = format!("{:?} {:?} {}", handle.events(), error, handle.get("LastReply").unwrap());
    assert!(![PASSWORD, token, "s3cret-key"].iter().any(|secret| all.contains(secret)), "{all}");
    assert_eq!(handle.get("Connected").unwrap(), "False");
    assert_eq!(handle.get("FirewallHost").unwrap(), "localhost");
}

#[test]
fn a_proxy_that_is_not_there_is_118_and_one_that_is_silent_ends_at_connection_timeout() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    assert_eq!(handle("*mail.invalid", 25, "fwSOCKS5", gone).call("Connect", "").unwrap_err().code, 118);
    let (through, _heard) = proxy(vec![(1_000_000, Vec::new())], None);
    let handle = handle("*mail.invalid", 25, "fwSOCKS5", through);
    handle.config("ConnectionTimeout=1").unwrap();
    let start = Instant::now();
    assert_eq!(handle.call("Connect", "").unwrap_err().code, 201);
    assert!(start.elapsed() >= Duration::from_millis(900) && start.elapsed() < Duration::from_secs(8));
}

#[test]
fn a_star_needs_a_proxy_that_resolves_names() {
    for kind in ["fwNone", "fwTunnel", "fwSOCKS4"] {
        let error = handle("*mail.invalid", 25, kind, 9).call("Connect", "").unwrap_err();
        assert_eq!(error.code, 603, "{kind}: {}", error.text);
    }
    // And with none it would be no use to go on without one.
    let handle = handle("127.0.0.1", 25, "fwSOCKS5", 9);
    handle.must_set("FirewallHost", "");
    assert_eq!(handle.call("Connect", "").unwrap_err().code, 118);
}

#[test]
fn an_exception_goes_past_the_proxy() {
    let real = Server::start(Options::default()).unwrap();
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let handle = handle("127.0.0.1", real.port(), "fwSOCKS5", gone);
    handle.config("ProxyExceptionsList=x;127.0.0.2; ;").unwrap();
    assert_eq!(handle.call("Connect", "").unwrap_err().code, 118);
    handle.config("ProxyExceptionsList=x; 127.*").unwrap();
    handle.clear_events();
    handle.call("Send", "").unwrap();
    handle.call("Disconnect", "").unwrap();
    assert!(statuses(&handle).iter().all(|s| s.starts_with("Remote host")), "{:?}", statuses(&handle));
}

#[test]
fn a_type_brings_its_port_and_the_listener_stays_off() {
    let handle = Handle::new();
    for (kind, port) in [("1", "80"), ("2", "1080"), ("fwTunnel", "80"), ("3", "1080"), ("1", "80"), ("10", "1080")] {
        handle.must_set("FirewallType", kind);
        assert_eq!(handle.get("FirewallPort").unwrap(), port);
    }
    assert_eq!(handle.set("FirewallPort", "65536").unwrap_err().code, 603);
    assert_eq!(handle.config("FirewallListener=True").unwrap_err().code, 603);
    handle.config("FirewallListener=False").unwrap();
    for data in ["x", "A: b\nC: d", "A: b\r\n\r\nC: d", ": x", "A b: c", "A: b\r\n\r\n", "\r\n", "A: \u{1}"] {
        assert_eq!(handle.config(&format!("FirewallData={data}")).unwrap_err().code, 603, "{data:?}");
    }
    for name in ["FirewallHost", "FirewallUser", "FirewallPassword"] {
        assert_eq!(handle.set(name, "a\r\nb").unwrap_err().code, 603);
    }
}

/// CHALLENGE_MESSAGE of MS-NLMP section 4.2.4.3.
const NTLM: &str = "TlRMTVNTUAACAAAADAAMADgAAAAzgoriASNFZ4mrze8AAAAAAAAAACQAJABEAAAABgBwFwAAAA9TAGUAcgB2AGUAcgACAAwARABvAG0AYQBpAG4AAQAMAFMAZQByAHYAZQByAAAAAAA=";

/// An HTTP proxy that asks with each of these challenges in turn, and at last says all that it heard of logins, in a refusal or
/// behind a success, where it is taken for the server's greeting.
fn echoing(challenges: Vec<String>, lets_through: bool) -> (u16, Receiver<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (tell, heard) = channel();
    thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        client.set_read_timeout(Some(AGES)).unwrap();
        let mut logins = Vec::new();
        let mut challenges = challenges.into_iter();
        loop {
            let mut request = Vec::new();
            let mut octet = [0];
            while !request.ends_with(b"\r\n\r\n") && client.read(&mut octet).is_ok_and(|n| n > 0) {
                request.push(octet[0]);
            }
            let request = String::from_utf8(request).unwrap();
            let login = request.split("\r\n").find_map(|line| line.strip_prefix("Proxy-Authorization: "));
            logins.extend(login.map(str::to_string));
            let Some(challenge) = challenges.next() else { break };
            let asks = format!("HTTP/1.1 407 x\r\nContent-Length: 0\r\nProxy-Authenticate: {challenge}\r\n\r\n");
            client.write_all(asks.as_bytes()).unwrap();
        }
        let said = format!("{} and {PASSWORD} {PASSWORD}", logins.join(" "));
        let end = if lets_through {
            format!("HTTP/1.1 200 {said}\r\n\r\n554 no\r\n")
        } else {
            format!("HTTP/1.1 407 {said}\r\n\r\n")
        };
        let _ = client.write_all(end.as_bytes());
        let _ = tell.send(logins);
        let _ = client.read(&mut [0; 100]);
    });
    (port, heard)
}

#[test]
fn no_secret_of_a_proxy_login_is_seen_anywhere() {
    let digest = |algorithm: &str| format!(r#"Digest realm="r", nonce="n", qop="auth", algorithm={algorithm}"#);
    let ways: [(&str, Vec<String>, usize); 6] = [
        ("", vec![], 1),
        ("Any", vec!["Basic realm=x".into()], 1),
        ("Digest", vec![digest("MD5")], 1),
        ("Digest", vec![digest("SHA-256"), format!("{}, stale=true", digest("SHA-256"))], 2),
        ("NTLM", vec!["NTLM".into(), format!("NTLM {NTLM}")], 2),
        ("", vec!["NTLM".into(), format!("NTLM {NTLM}")], 3),
    ];
    for (way, challenges, count) in ways {
        for lets_through in [false, true] {
            for (masked, v2) in [(true, false), (true, true), (false, true)] {
                let (through, heard) = echoing(challenges.clone(), lets_through);
                let handle = handle("mail.invalid", 25, "fwTunnel", through);
                handle.must_set("FirewallUser", "tim");
                handle.must_set("FirewallPassword", PASSWORD);
                for setting in [
                    format!("FirewallAuthentication={way}"),
                    format!("UseNTLMv2={}", if v2 { "True" } else { "False" }),
                    format!("MaskSensitive={}", if masked { "True" } else { "False" }),
                    "FirewallData=X-Key: s3cret-key-of-mine".into(),
                ] {
                    handle.config(&setting).unwrap();
                }
                let error = handle.call("Connect", "").unwrap_err();
                assert_eq!(error.code, if lets_through { 161 } else { 118 }, "{way}: {}", error.text);
                let logins = heard.recv_timeout(AGES).unwrap();
                assert_eq!(logins.len(), count, "{way}: {logins:?}");
                let mut all = format!("{:?} {error:?} {}", handle.events(), handle.last_error());
                for name in ["LastReply", "FirewallHost", "FirewallUser", "FirewallType"] {
                    all += &handle.get(name).unwrap();
                }
                let mut secrets = vec![PASSWORD.to_string(), "s3cret-key-of-mine".into()];
                for login in &logins {
                    secrets.extend(login.split([' ', '"', ',']).filter(|part| part.len() > 20).map(str::to_string));
                }
                for secret in secrets {
                    assert!(!all.contains(&secret), "{way}: {secret} in {all}");
                }
            }
        }
    }
}

#[test]
fn tls_to_the_proxy_has_a_port_of_its_own_unless_one_is_set() {
    let handle = Handle::new();
    let port = || handle.get("FirewallPort").unwrap();
    handle.must_set("FirewallType", "fwTunnel");
    handle.config("FirewallTls=True").unwrap();
    assert_eq!((port(), handle.config("FirewallTls").unwrap()), ("443".into(), "True".into()));
    handle.must_set("FirewallType", "fwSOCKS5");
    assert_eq!(port(), "1080");
    handle.must_set("FirewallType", "fwTunnel");
    assert_eq!(port(), "443");
    handle.must_set("FirewallPort", "3129");
    handle.config("FirewallTls=False").unwrap();
    assert_eq!(port(), "3129");
    for way in ["Any", "basic", "DIGEST", "ntlm", ""] {
        handle.config(&format!("FirewallAuthentication={way}")).unwrap();
    }
    assert_eq!(handle.config("FirewallAuthentication=Negotiate").unwrap_err().code, 603);
}

#[test]
fn a_proxy_that_speaks_no_tls_is_118_and_gets_no_login() {
    let (through, heard) = proxy(vec![(5, b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec())], None);
    let handle = handle("mail.invalid", 25, "fwTunnel", through);
    handle.config("FirewallTls=True").unwrap();
    handle.must_set("FirewallPort", &through.to_string());
    handle.must_set("FirewallUser", "tim");
    handle.must_set("FirewallPassword", PASSWORD);
    let error = handle.call("Connect", "").unwrap_err();
    assert_eq!(error.code, 118, "{}", error.text);
    assert!(error.text.starts_with(&format!("proxy localhost:{through}: ")), "{}", error.text);
    assert_eq!(statuses(&handle), [format!("Firewall connection complete 118 {}", error.text)]);
    // A TLS record, not a request.
    assert_eq!(heard.recv_timeout(AGES).unwrap()[0], 22);
}
