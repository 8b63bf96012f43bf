//! Revocation in whole handshakes: with both providers, with a stapled answer, through the C ABI and the proxy that is set.

use crate::answers::{Answer, Nonce, REVOKED};
use crate::common::Handle;
use crate::site::{Reply, Site, To};
use crate::{OCSP_ALWAYS, clock, file, pki, site};
use ssmtp::error::{Code, Result};
use ssmtp::net::tls::revocation::{Levels, Revocation};
use ssmtp::net::tls::{Failure, Internal, Judge, Platform, Presented, Provider, TlsOptions};
use ssmtp::net::{Clock, DialOptions, dial};
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::thread;
use xtask::server::tls::{Mode, Setup, Tls};
use xtask::server::{Options, Server};

/// A tunnel that leads the hosts of .example to the site, and every other to this machine.
fn proxy(site: u16) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || {
                let _ = lead(stream, site);
            });
        }
    });
    port
}

fn lead(mut near: TcpStream, site: u16) -> io::Result<()> {
    let mut reader = BufReader::new(near.try_clone()?);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let mut line = String::new();
    while line != "\r\n" {
        line.clear();
        reader.read_line(&mut line)?;
    }
    let target = first.split(' ').nth(1).unwrap_or_default();
    let (host, port) = target.rsplit_once(':').unwrap_or((target, "0"));
    let port = if host.ends_with(".example") { site } else { port.parse().unwrap_or(0) };
    let mut far = TcpStream::connect(("127.0.0.1", port))?;
    write!(near, "HTTP/1.1 200 Go on\r\n\r\n")?;
    let (mut from, mut to) = (near.try_clone()?, far.try_clone()?);
    thread::spawn(move || {
        let _ = io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    });
    io::copy(&mut far, &mut near)?;
    near.shutdown(Shutdown::Write)
}

fn server(leaf: &str) -> Server {
    let certificates = [file(&format!("{leaf}.pem")), file("int.pem")].concat();
    let setup = Setup { certificates, key: file(&format!("{leaf}.key")), ..Setup::default() };
    let tls = Tls::new(Mode::Implicit, &setup).unwrap();
    Server::start(Options { tls: Some(tls), ..Options::default() }).unwrap()
}

fn client(server: &Server, proxy: u16, provider: &str, settings: &[&str]) -> Handle {
    let handle = Handle::to(server.port());
    handle.must_set("MailServer", "localhost");
    handle.must_set("SSLStartMode", "sslImplicit");
    handle.must_set("SSLProvider", provider);
    handle.must_set("FirewallType", "fwTunnel");
    handle.must_set("FirewallHost", "127.0.0.1");
    handle.must_set("FirewallPort", &proxy.to_string());
    let root = String::from_utf8(file("ca.pem")).unwrap();
    handle.config(&format!("SSLServerCACerts={root}")).unwrap();
    for setting in settings {
        handle.config(setting).unwrap();
    }
    handle
}

const PROVIDERS: [&str; 2] = ["sslpInternal", "sslpPlatform"];

#[test]
fn lists_come_through_the_proxy_and_decide() {
    for provider in PROVIDERS {
        let site = site(|_| Reply::Content(file("int.crl")));
        let proxy = proxy(site.port);
        let good = server("listed");
        let handle = client(&good, proxy, provider, &["SSLCheckCRL=2"]);
        handle.call("Connect", "").unwrap();
        assert_eq!(site.asked(), ["GET lists.example/int.crl", "GET lists.example/ca.crl"]);
        let revoked = server("listed-revoked");
        for (settings, expected) in [
            (&["SSLCheckCRL=0"][..], 0),
            (&["SSLCheckCRL=1"], 280),
            (&["SSLCheckCRL=2"], 280),
            // Nothing waives that it was revoked.
            (&["SSLCheckCRL=1", "SSLSecurityFlags=0xFFFFFFFF"], 280),
        ] {
            let handle = client(&revoked, proxy, provider, settings);
            let code = handle.call("Connect", "").map_or_else(|failure| failure.code, |()| 0);
            assert_eq!(code, expected, "{provider} {settings:?}");
        }
        let failure = client(&revoked, proxy, provider, &["SSLCheckCRL=1"]).call("Connect", "").unwrap_err();
        for words in ["CN=server", "http://lists.example/int.crl", "revoked"] {
            assert!(failure.text.contains(words), "{}", failure.text);
        }
    }
}

#[test]
fn what_nobody_knows_is_waived_by_its_own_flag() {
    let away = || site(|_| Reply::Raw(b"HTTP/1.1 404 Not Found\r\n\r\n".to_vec()));
    let root_away = || {
        Site::start(|asked| match asked.what.as_str() {
            "GET lists.example/int.crl" => Reply::Content(file("int.crl")),
            _ => Reply::Raw(Vec::new()),
        })
    };
    let server = server("listed");
    for provider in PROVIDERS {
        let code = |site: &Site, flags: &str| {
            let flags = format!("SSLSecurityFlags={flags}");
            let handle = client(&server, proxy(site.port), provider, &["SSLCheckCRL=1", &flags]);
            handle.call("Connect", "").map_or_else(|failure| failure.code, |()| 0)
        };
        for (flags, of_leaf, of_intermediate) in
            [("0", 280, 280), ("0x100", 0, 280), ("0x400", 280, 0), ("0x500", 0, 0), ("0x31", 280, 280)]
        {
            assert_eq!(code(&away(), flags), of_leaf, "{provider} {flags}");
            assert_eq!(code(&root_away(), flags), of_intermediate, "{provider} {flags}");
        }
    }
}

#[test]
fn a_session_is_no_way_around_a_check_that_is_switched_on() {
    let site = site(|_| Reply::Silence);
    let proxy = proxy(site.port);
    let server = server("plain");
    for provider in PROVIDERS {
        let handle = client(&server, proxy, provider, &[]);
        for _ in 0..2 {
            handle.call("Connect", "").unwrap();
            handle.call("Disconnect", "").unwrap();
        }
        assert!(handle.told("SSLStatus").iter().any(|line| line.contains("resumed session")), "{provider}");
        handle.config("SSLCheckCRL=2").unwrap();
        assert_eq!(handle.call("Connect", "").unwrap_err().code, 280);
        handle.config("SSLCheckCRL=0").unwrap();
        handle.call("Connect", "").unwrap();
        handle.call("Disconnect", "").unwrap();
        handle.config("SSLCheckOCSP=2").unwrap();
        assert_eq!(handle.call("Connect", "").unwrap_err().code, 280);
    }
}

/// Asks about revocation, and nothing else.
struct Checking(Revocation, u16, Levels);

impl Judge for Checking {
    fn revocation(&mut self, presented: &Presented<'_>, clock: &Clock) -> Result<Vec<Failure>> {
        self.0.check(self.2, presented, &mut To(self.1), clock)
    }
}

/// `openssl s_server` that staples this; its port, and the end of the process with the value.
fn stapling(leaf: &str, answer: &[u8], version: &str) -> (std::process::Child, u16) {
    let path = |name: &str| pki().join(name).to_str().unwrap().to_owned();
    let staple = path(&format!("staple-{}", answer.len() + usize::from(answer[answer.len() - 1])));
    fs::write(&staple, answer).unwrap();
    let mut child = Command::new("openssl")
        .args(["s_server", "-accept", "127.0.0.1:0", "-rev", version, "-status_file", &staple])
        .args([
            "-cert",
            &path(&format!("{leaf}.pem")),
            "-key",
            &path(&format!("{leaf}.key")),
            "-cert_chain",
            &path("int.pem"),
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("ACCEPT 127.0.0.1:") {
        line.clear();
        assert!(said.read_line(&mut line).unwrap() > 0);
    }
    // What it says later has somewhere to go.
    thread::spawn(move || said.read_to_end(&mut Vec::new()));
    let port = line.trim().rsplit(':').next().unwrap().parse().unwrap();
    (child, port)
}

#[test]
fn a_stapled_answer_reaches_the_check_in_every_version_and_provider() {
    let good = Answer { nonce: Nonce::None, ..Answer::good("plain") };
    let answers = [
        (good.to(&[]), None),
        (Answer { status: REVOKED, ..good.clone() }.to(&[]), Some("stapled")),
        (Answer { this: -7_200, next: Some(-60 * 60), ..good }.to(&[]), Some("out of date")),
    ];
    for version in ["-tls1_2", "-tls1_3"] {
        for (answer, why) in &answers {
            let (mut child, port) = stapling("plain", answer, version);
            for provider in [&Internal::new() as &dyn Provider, &Platform::new()] {
                let site = site(|_| Reply::Raw(Vec::new()));
                let mut judge = Checking(Revocation::default(), site.port, OCSP_ALWAYS);
                let root = String::from_utf8(file("ca.pem")).unwrap();
                let options = TlsOptions { extra_roots: root, ..TlsOptions::new("mail.example", port) };
                let way = DialOptions { host: "127.0.0.1".into(), port, ..DialOptions::default() };
                let stream = Box::new(dial(&way, &clock()).unwrap());
                match (provider.handshake(stream, &options, &clock(), &mut judge), why) {
                    (Ok(_), None) => {}
                    (Err(error), Some(why)) => {
                        assert_eq!(error.code, Code::CertVerify);
                        assert!(error.message.contains(why), "{error}");
                    }
                    (outcome, _) => panic!("{version} {why:?}: {outcome:?}"),
                }
                assert!(!site.asked().iter().any(|what| what.ends_with("/int")));
            }
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
