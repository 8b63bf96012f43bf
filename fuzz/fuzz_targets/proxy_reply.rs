//! A whole handshake with a proxy of any kind: the first octet chooses the kind and how to log in, each answer has its length before
//! it, and comes after one thing that we said.

#![no_main]

use ssmtp::enums::FirewallType;
use ssmtp::error::{Code, Result};
use ssmtp::net::proxy::{Host, Proxy, ProxyLogin, handshake};
use ssmtp::net::{Clock, Stream};
use ssmtp::text::mask::Secret;
use std::collections::VecDeque;
use std::io::IoSlice;
use std::net::SocketAddr;
use std::time::Duration;

const PASSWORD: &str = "correct-horse-battery";

/// Answers in turn; then it has closed.
#[derive(Clone)]
struct Script {
    answers: VecDeque<Vec<u8>>,
    now: VecDeque<u8>,
}

impl Stream for Script {
    fn read(&mut self, buf: &mut [u8], _: &Clock) -> Result<usize> {
        let count = buf.len().min(self.now.len());
        for place in &mut buf[..count] {
            *place = self.now.pop_front().expect("counted");
        }
        Ok(count)
    }
    fn write_all(&mut self, _: &mut [IoSlice<'_>], _: &Clock) -> Result<()> {
        self.now.extend(self.answers.pop_front().unwrap_or_default());
        Ok(())
    }
    fn readable(&mut self, _: Duration, _: &Clock) -> Result<bool> {
        Ok(!self.now.is_empty())
    }
    fn close(&mut self) {}
    fn local_addr(&self) -> Option<SocketAddr> {
        None
    }
    fn peer_addr(&self) -> Option<SocketAddr> {
        None
    }
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let [which, data @ ..] = data else { return };
    let kinds = [FirewallType::Tunnel, FirewallType::Socks4a, FirewallType::Socks5];
    let logins = [ProxyLogin::Usual, ProxyLogin::Any, ProxyLogin::Digest, ProxyLogin::Ntlm, ProxyLogin::Basic];
    let proxy = Proxy {
        kind: kinds[usize::from(*which) % 3],
        host: "p".into(),
        port: 9,
        user: if which & 0x80 == 0 { "tim".into() } else { String::new() },
        password: Secret::new(PASSWORD),
        login: logins[usize::from(*which) / 3 % 5],
        ntlm_v2: which & 0x40 != 0,
        ..Proxy::default()
    };
    let mut answers = VecDeque::new();
    ssmtp_fuzz::pieces(data, |piece| {
        answers.push_back(piece.to_vec());
        true
    });
    let script = Script { answers, now: VecDeque::new() };
    let mut again = |_: &Clock| -> Result<Box<dyn Stream>> { Ok(Box::new(script.clone())) };
    let clock = Clock::unlimited();
    let host = Host::new("mail.example").expect("a name");
    if let Err(error) = handshake(Box::new(script.clone()), &proxy, &host, 587, &clock, &mut again) {
        assert_eq!(error.code, Code::Firewall);
        assert!(!error.message.contains(PASSWORD) && error.message.len() < 2_000);
    }
});
