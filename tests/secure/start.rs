//! When TLS starts, and that nothing goes on without it: rulings 31 and 33, RFC 3207, RFC 8314.

use crate::common::Handle;
use crate::pki::{self, NAME};
use xtask::server::tls::Mode;
use xtask::server::{Options, Server};

/// A handle for a server on loopback that calls itself mail.example, with the tests' root.
pub fn client(server: &Server, mode: &str) -> Handle {
    let handle = Handle::to(server.port());
    handle.must_set("MailServer", "127.0.0.1");
    handle.must_set("SSLStartMode", mode);
    handle.config(&format!("SSLServerCACerts={}", pki::pem("ca"))).unwrap();
    handle.must_set("From", "a@client.example");
    handle.must_set("SendTo", "b@server.example");
    handle.must_set("MessageText", "Hello\r\n");
    handle
}

fn server(mode: Mode) -> Server {
    pki::server(mode, &pki::setup("address"), Options::default().offer("PIPELINING,8BITMIME"))
}

#[test]
fn a_message_goes_by_implicit_tls() {
    let server = server(Mode::Implicit);
    let handle = client(&server, "sslImplicit");
    handle.call("Connect", "").unwrap();
    handle.call("Send", "").unwrap();
    handle.call("Disconnect", "").unwrap();
    assert_eq!(server.count(), 1);
    assert_eq!(server.handshakes().len(), 1);
    let told = handle.told("ConnectionStatus");
    let expected = [
        "Remote host connection complete 0 OK",
        "SSL handshake complete 0 OK",
        "Remote host disconnected 0 OK",
        "SSL connection broken 0 OK",
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_message_goes_by_starttls() {
    let server = server(Mode::StartTls);
    let handle = client(&server, "sslExplicit");
    handle.call("Send", "").unwrap();
    assert_eq!((server.count(), server.handshakes().len()), (1, 1));
    let verbs: Vec<String> =
        server.commands()[0].iter().map(|c| c.split(' ').next().unwrap_or_default().to_owned()).collect();
    assert_eq!(verbs, ["EHLO", "STARTTLS", "EHLO", "MAIL", "RCPT", "DATA", "QUIT"]);
    assert_eq!(NAME, "mail.example");
}
