//! When TLS starts, and that nothing goes on without it: rulings 31, 33 and 39, RFC 3207, RFC 8314.

use crate::common::Handle;
use crate::pki;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use xtask::server::tls::Mode;
use xtask::server::{Options, Server};

/// A handle with a message for a server at this port of localhost, which the tests' root vouches for.
pub fn client(port: u16, mode: &str) -> Handle {
    let handle = Handle::to(port);
    handle.must_set("MailServer", "localhost");
    handle.must_set("SSLStartMode", mode);
    handle.config(&format!("SSLServerCACerts={}", pki::pem("ca"))).unwrap();
    handle.must_set("From", "a@client.example");
    handle.must_set("SendTo", "b@server.example");
    handle.must_set("MessageText", "Hello\r\n");
    handle
}

fn server(mode: Mode) -> Server {
    pki::server(mode, &pki::setup("faults-none"), Options::default().offer("PIPELINING,8BITMIME"))
}

fn verbs(lines: &[String]) -> Vec<&str> {
    lines.iter().map(|line| line.split(' ').next().unwrap_or_default()).collect()
}

/// A server for one connection that is whatever this does; its result comes with joining.
fn raw<T: Send + 'static>(serve: impl FnOnce(TcpStream) -> T + Send + 'static) -> (u16, JoinHandle<T>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let thread = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        serve(stream)
    });
    (port, thread)
}

/// Says something, and takes what comes up to a line that begins so.
fn talk(stream: &mut TcpStream, says: &[u8], until: &str) -> Vec<u8> {
    stream.write_all(says).unwrap();
    let mut heard = Vec::new();
    let mut octet = [0];
    while !(heard.ends_with(b"\n") && heard.windows(until.len()).any(|w| w == until.as_bytes())) {
        if !stream.read(&mut octet).is_ok_and(|n| n > 0) {
            break;
        }
        heard.push(octet[0]);
    }
    heard
}

#[test]
fn a_message_goes_by_implicit_tls() {
    let server = server(Mode::Implicit);
    let handle = client(server.port(), "sslImplicit");
    handle.call("Connect", "").unwrap();
    handle.call("Send", "").unwrap();
    handle.call("Disconnect", "").unwrap();
    assert_eq!(server.count(), 1);
    assert_eq!(server.handshakes().len(), 1);
    assert_eq!(server.handshakes()[0].server_name.as_deref(), Some("localhost"));
    let expected = [
        "Remote host connection complete 0 OK",
        "SSL handshake complete 0 OK",
        "Remote host disconnected 0 OK",
        "SSL connection broken 0 OK",
    ];
    assert_eq!(handle.told("ConnectionStatus"), expected);
    let lines = handle.told("SSLStatus");
    assert!(lines.iter().any(|l| l == &format!("TLS handshake with localhost:{} begins", server.port())), "{lines:?}");
    assert!(lines.iter().any(|l| l == "server certificate accepted, verification: OK"), "{lines:?}");
    assert!(
        lines.iter().any(|l| l.contains("TLSv1.3 with TLS_AES_256_GCM_SHA384, x25519, full handshake")),
        "{lines:?}"
    );
}

#[test]
fn a_message_goes_by_starttls_and_ehlo_is_said_again() {
    let server = server(Mode::StartTls);
    let handle = client(server.port(), "sslExplicit");
    handle.call("Send", "").unwrap();
    assert_eq!((server.count(), server.handshakes().len()), (1, 1));
    assert_eq!(verbs(&server.commands()[0]), ["EHLO", "STARTTLS", "EHLO", "MAIL", "RCPT", "DATA", "QUIT"]);
    assert_eq!(handle.get("MailServer").unwrap(), "localhost");
    handle.call("Connect", "").unwrap();
    assert_eq!(handle.get("MailServer").unwrap(), "127.0.0.1", "ruling 5");
}

#[test]
fn after_start_tls_a_new_connection_of_ours_is_secured_too() {
    let setup = pki::setup("faults-none");
    // The server hangs up, and the next Send has to connect anew.
    let options = Options::default().offer("PIPELINING,AUTH PLAIN LOGIN").fault("NOOP@1=close");
    let server = pki::server(Mode::StartTls, &setup, options);
    let handle = client(server.port(), "sslNone");
    handle.call("Connect", "").unwrap();
    handle.call("StartTls", "").unwrap();
    handle.must_set("User", "user");
    handle.must_set("Password", "secret");
    assert!(handle.call("SendCommand", "NOOP").is_err());
    let _ = handle.call("Send", "");
    assert!(server.wait_idle(Duration::from_secs(5)));
    let second = &server.commands()[1];
    assert_eq!(verbs(second)[..3], ["EHLO", "STARTTLS", "EHLO"], "{second:?}");
    assert_eq!(server.handshakes().len(), 2);
    // What the caller asks for in so many words goes on counting: Connect begins anew, as SSLStartMode says.
    handle.must_set("User", "");
    handle.must_set("Password", "");
    let _ = handle.call("Disconnect", "");
    handle.call("Connect", "").unwrap();
    handle.call("Disconnect", "").unwrap();
    assert!(server.wait_idle(Duration::from_secs(5)));
    assert!(!verbs(&server.commands()[2]).contains(&"STARTTLS"));
}

#[test]
fn ssl_enabled_and_the_start_mode_are_two_views_of_one_value() {
    let handle = Handle::new();
    let both = || (handle.get("SSLEnabled").unwrap(), handle.get("SSLStartMode").unwrap());
    let is = |enabled: &str, mode: &str| assert_eq!(both(), (enabled.to_string(), mode.to_string()));
    is("False", "3");
    handle.must_set("SSLEnabled", "True");
    is("True", "0");
    handle.must_set("SSLStartMode", "sslExplicit");
    is("True", "2");
    handle.must_set("SSLEnabled", "True");
    is("True", "2");
    handle.must_set("SSLEnabled", "False");
    is("False", "3");
    handle.must_set("SSLStartMode", "1");
    is("True", "1");
}

#[test]
fn automatic_is_implicit_on_an_unusual_port() {
    let server = server(Mode::Implicit);
    let handle = client(server.port(), "sslNone");
    handle.must_set("SSLEnabled", "True");
    handle.call("Send", "").unwrap();
    assert_eq!(server.handshakes().len(), 1);
}

#[test]
fn without_an_offer_of_starttls_nothing_is_said_after_ehlo() {
    for options in [Options::default().offer("PIPELINING"), Options::default().fault("EHLO=502 no such command")] {
        let server = Server::start(options).unwrap();
        let handle = client(server.port(), "sslExplicit");
        handle.must_set("User", "tim");
        handle.must_set("Password", "tanstaaf");
        let failure = handle.call("Send", "").unwrap_err();
        assert_eq!(failure.code, 276, "{failure:?}");
        assert!(server.wait_idle(Duration::from_secs(5)));
        assert!(verbs(&server.commands()[0]).iter().all(|v| ["EHLO", "HELO"].contains(v)), "{:?}", server.commands());
        assert_eq!(server.commands().len(), 1);
    }
}

#[test]
fn a_refused_starttls_ends_the_connection_whatever_the_reply() {
    for (reply, code) in [
        ("454 4.7.0 not now", 161),
        ("500 what?", 161),
        ("501 no", 161),
        ("421 closing", 161),
        ("250 fine", 161),
        ("354 go on", 161),
        ("garbage", 161),
        (r"220-go\r\n220 ahead", 162),
    ] {
        let options = Options::default().offer("AUTH PLAIN").fault(&format!("STARTTLS={reply}"));
        let server = pki::server(Mode::StartTls, &pki::setup("faults-none"), options);
        let handle = client(server.port(), "sslExplicit");
        handle.must_set("User", "tim");
        handle.must_set("Password", "tanstaaf");
        let failure = handle.call("Send", "").unwrap_err();
        assert_eq!(failure.code, code, "{reply}: {failure:?}");
        assert!(server.wait_idle(Duration::from_secs(5)));
        assert_eq!(server.commands().len(), 1, "no second try: {reply}");
        assert_eq!(verbs(&server.commands()[0]), ["EHLO", "STARTTLS"], "{reply}");
        assert_eq!(server.count(), 0);
    }
}

#[test]
fn what_was_said_before_the_handshake_is_never_heard_after_it() {
    // In the same packet as the answer, a moment later, and ahead of the question.
    let injected = |first: &'static [u8], answer: &'static [u8], later: &'static [u8]| {
        let (port, server) = raw(move |mut stream| {
            talk(&mut stream, b"220 mail.example\r\n", "EHLO");
            talk(&mut stream, first, "STARTTLS");
            stream.write_all(answer).unwrap();
            if !later.is_empty() {
                // After the beginning of the client's hello: a record is expected now.
                let _ = stream.read(&mut [0; 5]);
                let _ = stream.write_all(later);
            }
            let mut rest = Vec::new();
            let _ = stream.read_to_end(&mut rest);
            rest
        });
        let handle = client(port, "sslExplicit");
        let failure = handle.call("Send", "").unwrap_err();
        let rest = server.join().unwrap();
        assert!(!rest.windows(4).any(|w| w == b"EHLO" || w == b"MAIL"), "{rest:?}");
        assert_eq!(handle.config("ServerExtensions").unwrap(), "");
        failure
    };
    const OFFER: &[u8] = b"250-mail.example\r\n250 STARTTLS\r\n";
    let failure = injected(OFFER, b"220 ok\r\n250-mail.example\r\n250 AUTH PLAIN\r\n", b"");
    assert_eq!(failure.code, 162, "{failure:?}");
    let failure = injected(OFFER, b"220 ok\r\n2", b"");
    assert_eq!(failure.code, 162, "{failure:?}");
    let failure = injected(b"250-mail.example\r\n250 STARTTLS\r\n220 ahead\r\n", b"", b"");
    assert_eq!(failure.code, 162, "{failure:?}");
    let failure = injected(OFFER, b"220 ok\r\n", b"250 hello again\r\n");
    assert_eq!(failure.code, 276, "{failure:?}");
}

#[test]
fn what_was_offered_before_the_handshake_counts_no_more() {
    let fault = r"EHLO@1=250-localhost\r\n250-SIZE 10\r\n250-PIPELINING\r\n250-XOLD\r\n250 STARTTLS";
    let options = Options::default().offer("8BITMIME").fault(fault);
    let server = pki::server(Mode::StartTls, &pki::setup("faults-none"), options);
    let handle = client(server.port(), "sslExplicit");
    handle.call("Connect", "").unwrap();
    assert_eq!(handle.config("ServerExtensions").unwrap(), "8BITMIME");
    handle.call("Send", "").unwrap();
}

#[test]
fn starttls_inside_tls_is_not_said_again() {
    let options = Options::default().offer("STARTTLS");
    let server = pki::server(Mode::StartTls, &pki::setup("faults-none"), options);
    let handle = client(server.port(), "sslExplicit");
    handle.call("Send", "").unwrap();
    assert!(handle.config("ServerExtensions").unwrap().contains("STARTTLS"));
    assert_eq!(verbs(&server.commands()[0]).iter().filter(|v| **v == "STARTTLS").count(), 1);
    let implicit = pki::server(Mode::Implicit, &pki::setup("faults-none"), Options::default().offer("STARTTLS"));
    let handle = client(implicit.port(), "sslImplicit");
    handle.call("Send", "").unwrap();
    assert!(!verbs(&implicit.commands()[0]).contains(&"STARTTLS"));
}

#[test]
fn a_failed_handshake_is_told_and_not_tried_again() {
    for mode in [Mode::Implicit, Mode::StartTls] {
        let server = pki::server(mode, &pki::setup("faults-c"), Options::default());
        let name = if mode == Mode::Implicit { "sslImplicit" } else { "sslExplicit" };
        let handle = client(server.port(), name);
        let failure = handle.call("Send", "").unwrap_err();
        assert_eq!(failure.code, 280, "{failure:?}");
        assert!(server.wait_idle(Duration::from_secs(5)));
        assert_eq!(server.commands().len(), 1);
        assert!(!verbs(&server.commands()[0]).contains(&"MAIL"));
        let told = handle.told("ConnectionStatus");
        assert_eq!(told[1], format!("SSL handshake complete 280 {}", failure.text));
        assert_eq!(told[2], format!("Remote host disconnected 280 {}", failure.text));
        assert_eq!(told.len(), 3);
        assert_eq!(handle.get("Connected").unwrap(), "False");
        // The handle is as good as before.
        handle.config("SSLSecurityFlags=0x10").unwrap();
        handle.call("Send", "").unwrap();
    }
}

#[test]
fn the_wrong_kind_of_port_is_named() {
    // A server that greets in plaintext is not waited for.
    let plain = Server::start(Options::default()).unwrap();
    let start = Instant::now();
    let failure = client(plain.port(), "sslImplicit").call("Connect", "").unwrap_err();
    assert_eq!(failure.code, 276);
    assert!(failure.text.contains("does not answer with TLS"), "{failure:?}");
    assert!(start.elapsed() < Duration::from_secs(5));
    // One that waits for a handshake says nothing; that is all there is to know, and the text tells what it may mean.
    let secured = server(Mode::Implicit);
    let handle = client(secured.port(), "sslExplicit");
    handle.must_set("Timeout", "1");
    let failure = handle.call("Connect", "").unwrap_err();
    assert_eq!(failure.code, 201);
    assert!(failure.text.contains("sslImplicit"), "{failure:?}");
}

#[test]
fn a_handshake_ends_at_the_limit_and_when_it_is_interrupted() {
    let silent = || raw(|mut stream| drop(stream.read_to_end(&mut Vec::new())));
    let (port, _server) = silent();
    let handle = client(port, "sslImplicit");
    handle.must_set("Timeout", "1");
    let start = Instant::now();
    assert_eq!(handle.call("Connect", "").unwrap_err().code, 201);
    assert!((900..3_000).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());

    let (port, _server) = silent();
    let handle = client(port, "sslImplicit");
    handle.config("ConnectionTimeout=1").unwrap();
    handle.must_set("Timeout", "60");
    assert_eq!(handle.call("Connect", "").unwrap_err().code, 201);

    // Bytes that come one by one are no progress.
    let (port, _server) = raw(|mut stream| {
        for octet in [22, 3, 3, 64, 0].into_iter().chain(std::iter::repeat(0)) {
            if stream.write_all(&[octet]).is_err() {
                return;
            }
            thread::sleep(Duration::from_millis(50));
        }
    });
    let handle = client(port, "sslImplicit");
    handle.must_set("Timeout", "1");
    let start = Instant::now();
    assert_eq!(handle.call("Connect", "").unwrap_err().code, 201);
    assert!(start.elapsed() < Duration::from_secs(5));

    let (port, _server) = silent();
    let handle = client(port, "sslImplicit");
    let start = Instant::now();
    thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(Duration::from_millis(300));
            handle.call("Interrupt", "").unwrap();
        });
        assert_eq!(handle.call("Connect", "").unwrap_err().code, 301);
    });
    assert!(start.elapsed() < Duration::from_secs(3));
}

#[test]
fn a_server_that_hangs_up_in_the_handshake_is_276_and_later_1120() {
    let (port, _server) = raw(|mut stream| drop(stream.read(&mut [0; 64])));
    let failure = client(port, "sslImplicit").call("Connect", "").unwrap_err();
    assert!([276, 10054].contains(&failure.code), "{failure:?}");

    let server = pki::server(Mode::Implicit, &pki::setup("faults-none"), Options::default().fault("MAIL=close"));
    let handle = client(server.port(), "sslImplicit");
    handle.call("Connect", "").unwrap();
    let failure = handle.call("Send", "").unwrap_err();
    assert_eq!(failure.code, 1120, "{failure:?}");
    let told = handle.told("ConnectionStatus");
    assert!(told.contains(&format!("SSL connection broken 1120 {}", failure.text)), "{told:?}");
}

/// SOCKS 5 without a login, or HTTP CONNECT, for one connection to a port of this host.
fn proxy(http: bool, to: u16) -> (u16, JoinHandle<()>) {
    raw(move |mut client| {
        if http {
            let mut head = Vec::new();
            let mut octet = [0];
            while !head.ends_with(b"\r\n\r\n") {
                client.read_exact(&mut octet).unwrap();
                head.push(octet[0]);
            }
            client.write_all(b"HTTP/1.1 200 ok\r\n\r\n").unwrap();
        } else {
            let mut hello = [0; 3];
            client.read_exact(&mut hello).unwrap();
            client.write_all(&[5, 0]).unwrap();
            let mut request = [0; 10];
            client.read_exact(&mut request).unwrap();
            client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).unwrap();
        }
        let server = TcpStream::connect(("127.0.0.1", to)).unwrap();
        let (mut from, mut into) = (client.try_clone().unwrap(), server.try_clone().unwrap());
        let upwards = thread::spawn(move || {
            let _ = std::io::copy(&mut from, &mut into);
            let _ = into.shutdown(Shutdown::Write);
        });
        let (mut from, mut into) = (server, client);
        let _ = std::io::copy(&mut from, &mut into);
        let _ = into.shutdown(Shutdown::Both);
        let _ = upwards.join();
    })
}

#[test]
fn tls_goes_through_proxies_and_is_for_the_server_not_for_them() {
    for (http, kind) in [(true, "fwTunnel"), (false, "fwSOCKS5")] {
        for (mode, name) in [(Mode::Implicit, "sslImplicit"), (Mode::StartTls, "sslExplicit")] {
            let server = server(mode);
            let (through, _proxy) = proxy(http, server.port());
            let handle = client(server.port(), name);
            handle.must_set("FirewallType", kind);
            handle.must_set("FirewallHost", "127.0.0.1");
            handle.must_set("FirewallPort", &through.to_string());
            handle.call("Send", "").unwrap_or_else(|e| panic!("{kind} {name}: {e:?}"));
            assert_eq!((server.count(), server.handshakes().len()), (1, 1));
            assert_eq!(server.handshakes()[0].server_name.as_deref(), Some("localhost"));
            let told = handle.told("ConnectionStatus");
            let events: Vec<&str> = told.iter().map(|line| line.trim_end_matches(" 0 OK")).collect();
            let expected = [
                "Firewall connection complete",
                "Remote host connection complete",
                "SSL handshake complete",
                "Remote host disconnected",
                "SSL connection broken",
                "Firewall host disconnected",
            ];
            assert_eq!(events, expected);
        }
    }
}

#[test]
fn what_a_proxy_says_ahead_of_the_handshake_is_never_heard_after_it() {
    // A proxy that puts words of its own into the server's mouth: behind its header they are the greeting, in plaintext as ever,
    // and behind the answer to STARTTLS they end the connection.
    let (through, server) = raw(|mut stream| {
        talk(&mut stream, b"", "\r\n\r\n");
        talk(&mut stream, b"HTTP/1.1 200 ok\r\n\r\n220 mail.example\r\n", "EHLO");
        talk(&mut stream, b"250-mail.example\r\n250 STARTTLS\r\n", "STARTTLS");
        stream.write_all(b"220 go ahead\r\n250-mail.example\r\n250 AUTH PLAIN\r\n").unwrap();
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
        rest
    });
    // Everything at once, with the answers ahead of the questions.
    let (at_once, eager) = raw(|mut stream| {
        let said =
            "HTTP/1.1 200 ok\r\n\r\n220 x\r\n250-x\r\n250 STARTTLS\r\n220 go\r\n250-x\r\n250 AUTH PLAIN\r\n235 ok\r\n";
        talk(&mut stream, b"", "\r\n\r\n");
        talk(&mut stream, said.as_bytes(), "EHLO");
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
        rest
    });
    for (through, server) in [(through, server), (at_once, eager)] {
        let handle = client(587, "sslExplicit");
        for (name, value) in [("FirewallType", "fwTunnel"), ("FirewallHost", "127.0.0.1"), ("User", "tim")] {
            handle.must_set(name, value);
        }
        handle.must_set("Password", "tanstaaf");
        handle.must_set("FirewallPort", &through.to_string());
        let failure = handle.call("Send", "").unwrap_err();
        assert_eq!(failure.code, 162, "{failure:?}");
        let rest = server.join().unwrap();
        assert!(!rest.windows(4).any(|w| w == b"AUTH" || w == b"MAIL"), "{rest:?}");
        assert_eq!(handle.config("ServerExtensions").unwrap(), "");
    }
}

#[test]
fn automatic_never_ends_in_plaintext() {
    // On the ports of plaintext it is STARTTLS (beside the code), on all others TLS from the first octet.
    for options in [Options::default(), Options::default().offer("STARTTLS,AUTH PLAIN")] {
        let server = Server::start(options).unwrap();
        let handle = client(server.port(), "sslAutomatic");
        handle.must_set("User", "tim");
        handle.must_set("Password", "tanstaaf");
        let failure = handle.call("Send", "").unwrap_err();
        assert_eq!(failure.code, 276, "{failure:?}");
        assert!(server.wait_idle(Duration::from_secs(5)));
        let said: Vec<String> = server.commands().into_iter().flatten().collect();
        assert!(!said.iter().any(|line| ["MAIL", "AUTH", "EHLO"].iter().any(|verb| line.contains(verb))), "{said:?}");
        assert_eq!((server.count(), server.commands().len()), (0, 1), "no second try");
    }
}

#[test]
fn the_modern_profile_sends_no_login_without_tls() {
    let auth = |tls: bool| {
        let options = Options { auth: Some(("tim".into(), "tanstaaf".into())), ..Options::default() };
        let server = match tls {
            true => pki::server(Mode::StartTls, &pki::setup("faults-none"), options),
            false => Server::start(options).unwrap(),
        };
        let handle = client(server.port(), if tls { "sslExplicit" } else { "sslNone" });
        handle.must_set("User", "tim");
        handle.must_set("Password", "tanstaaf");
        (server, handle)
    };
    for mechanism in ["amUserPassword", "amSASLPlain", "amCRAMMD5"] {
        let (server, handle) = auth(false);
        handle.config("SecurityProfile=Modern").unwrap();
        handle.must_set("AuthMechanism", mechanism);
        let failure = handle.call("Send", "").unwrap_err();
        assert_eq!(failure.code, 603, "{failure:?}");
        assert!(server.wait_idle(Duration::from_secs(5)));
        assert!(!verbs(&server.commands()[0]).contains(&"AUTH"), "{:?}", server.commands());
    }
    let (server, handle) = auth(true);
    handle.config("SecurityProfile=Modern").unwrap();
    assert_eq!(handle.config("SSLEnabledProtocols").unwrap(), "15360");
    assert_eq!(handle.config("UseNTLMv2").unwrap(), "True");
    assert_eq!(handle.config("MessageIdAlgorithm").unwrap(), "SHA256");
    handle.call("Send", "").unwrap();
    assert_eq!(server.count(), 1);
    let (server, handle) = auth(false);
    handle.call("Send", "").unwrap();
    assert_eq!(server.count(), 1, "without the profile it is the caller's decision");
    assert_eq!(handle.config("SecurityProfile=Ancient").unwrap_err().code, 603);
}
