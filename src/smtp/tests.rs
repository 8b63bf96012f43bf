//! The session against a server that is a list of bytes: everything it says at once, or one byte at a time.

use super::*;
use crate::enums::RecipientType;
use crate::error::{Code, Error};
use crate::events::*;
use crate::net::Stream;
use crate::smtp::command::Command;
use crate::smtp::session::{Session, State};
use crate::smtp::transaction::{Envelope, Policy, Recipient};
use parking_lot::Mutex;
use std::io::IoSlice;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// Says its lines whatever is written to it, so many bytes a read, and closes behind the last.
struct Script {
    says: Vec<u8>,
    step: usize,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Stream for Script {
    fn read(&mut self, buf: &mut [u8], _: &Clock) -> Result<usize> {
        let n = self.step.min(self.says.len()).min(buf.len());
        buf[..n].copy_from_slice(&self.says[..n]);
        self.says.drain(..n);
        Ok(n)
    }
    fn write_all(&mut self, parts: &mut [IoSlice<'_>], _: &Clock) -> Result<()> {
        parts.iter().for_each(|p| self.heard.lock().extend_from_slice(p));
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

/// Remembers the lines of PITrail and the texts of Error.
#[derive(Default)]
struct Ears {
    lines: Mutex<Vec<String>>,
    errors: Mutex<Vec<i32>>,
}

impl Sink for Ears {
    fn wants(&self, _: Kind) -> bool {
        true
    }
    fn connection_status(&self, _: &ConnectionStatus) -> Result<()> {
        Ok(())
    }
    fn end_transfer(&self, _: &EndTransfer) -> Result<()> {
        Ok(())
    }
    fn error(&self, event: &crate::events::Error) -> Result<()> {
        self.errors.lock().push(event.error_code);
        Ok(())
    }
    fn expand(&self, _: &Expand) -> Result<()> {
        Ok(())
    }
    fn pi_trail(&self, event: &PiTrail) -> Result<()> {
        let who = ["C", "S", "I"][event.direction as usize];
        self.lines.lock().push(format!("{who}: {}", String::from_utf8_lossy(event.message)));
        Ok(())
    }
    fn ssl_server_authentication(&self, _: &mut SslServerAuthentication) -> Result<()> {
        Ok(())
    }
    fn ssl_status(&self, _: &SslStatus) -> Result<()> {
        Ok(())
    }
    fn start_transfer(&self, _: &StartTransfer) -> Result<()> {
        Ok(())
    }
    fn transfer(&self, _: &Transfer) -> Result<()> {
        Ok(())
    }
}

/// What a step left behind.
struct Seen<T> {
    result: Result<T>,
    heard: String,
    lines: Vec<String>,
    errors: Vec<i32>,
    last: String,
    state: State,
}

fn run<T>(says: &str, step: usize, talk: impl FnOnce(&mut Session, &Context) -> Result<T>) -> Seen<T> {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let stream = Script { says: says.as_bytes().to_vec(), step, heard: heard.clone() };
    let mut session = Session::new(Box::new(stream));
    let ears = Ears::default();
    let last = Mutex::new(String::new());
    let clock = Clock::unlimited();
    let keep = |text: &str| *last.lock() = text.to_string();
    let cx = Context { clock: &clock, sink: &ears, last_reply: &keep, max_line: 2048 };
    let result = talk(&mut session, &cx);
    let heard = String::from_utf8_lossy(&heard.lock()).into_owned();
    let state = session.state;
    let last = last.lock().clone();
    Seen { result, heard, lines: ears.lines.into_inner(), errors: ears.errors.into_inner(), last, state }
}

fn mailing(names: &[(&str, RecipientType)]) -> Envelope {
    let one = |(address, kind): &(&str, RecipientType)| Recipient {
        address: address.to_string(),
        options: vec!["NOTIFY=NEVER".into()],
        kind: *kind,
    };
    Envelope { sender: "a@a.example".into(), recipients: names.iter().map(one).collect(), ..Envelope::default() }
}

const STRICT: Policy = Policy { stop_on_to: true, stop_on_cc: true, stop_on_bcc: false };

#[test]
fn a_greeting_and_an_ehlo_are_read_one_byte_at_a_time_and_all_at_once() {
    for step in [1, 2, 7, 1000] {
        let seen = run("220 hi\r\n250-name\r\n250-SIZE 1000\r\n250 DSN\r\n", step, |s, cx| {
            s.greet(cx)?;
            s.hello(cx, "client.example", true)?;
            Ok(s.extensions.clone())
        });
        let extensions = seen.result.unwrap();
        assert!(extensions.dsn && extensions.size == Some(1000));
        assert_eq!(seen.heard, "EHLO client.example\r\n");
        assert_eq!(seen.lines[..2], ["S: 220 hi", "C: EHLO client.example"]);
        assert_eq!(seen.last, "250-name\r\n250-SIZE 1000\r\n250 DSN");
    }
}

#[test]
fn a_reply_that_nobody_asked_for_is_162_and_ends_the_conversation() {
    let seen = run("250 one\r\n250 two\r\n", 1000, |s, cx| {
        s.state = State::Ready;
        s.begin(cx)?;
        s.ask(cx, &Command::new("NOOP")?)?;
        s.begin(cx)?;
        s.ask(cx, &Command::new("NOOP")?)
    });
    assert_eq!(seen.result.unwrap_err().code, Code::Communication);
    assert_eq!(seen.state, State::Dead);
    assert_eq!(seen.heard, "NOOP\r\n");
}

#[test]
fn replies_that_are_shifted_within_a_transaction_are_162() {
    for says in ["250 ok\r\n250 extra\r\n250 ok\r\n354 go\r\n", "354 go\r\n250 ok\r\n", "250 ok\r\n354 go\r\n"] {
        let seen = run(says, 1000, |s, cx| {
            s.state = State::Ready;
            s.open(cx, &mailing(&[("x@x.example", RecipientType::To)]), STRICT)
        });
        assert_eq!(seen.result.unwrap_err().code, Code::Communication, "{says:?}");
        assert_eq!(seen.state, State::Dead);
    }
}

#[test]
fn a_closed_connection_is_1120_wherever_it_closes() {
    for says in ["", "2", "220-a\r\n", "220-a\r\n220"] {
        let seen = run(says, 1, |s, cx| s.greet(cx));
        assert_eq!(seen.result.unwrap_err().code, Code::ConnectionDropped);
        assert_eq!(seen.state, State::Dead);
    }
}

#[test]
fn recipients_that_are_passed_over_fire_error_and_the_rest_get_the_message() {
    let to = RecipientType::To;
    let seen = run("250 ok\r\n550 no\r\n250 ok\r\n354 go\r\n", 3, |s, cx| {
        s.state = State::Ready;
        let policy = Policy { stop_on_to: false, ..STRICT };
        s.open(cx, &mailing(&[("x@x.example", to), ("y@y.example", to)]), policy)
    });
    seen.result.unwrap();
    assert_eq!(seen.errors, [161]);
    assert_eq!(
        seen.heard,
        "MAIL FROM:<a@a.example>\r\nRCPT TO:<x@x.example>\r\nRCPT TO:<y@y.example>\r\nDATA\r\n"
    );
}

#[test]
fn no_data_is_said_when_nobody_was_accepted() {
    let seen = run("250 ok\r\n550 no\r\n", 1000, |s, cx| {
        s.state = State::Ready;
        s.open(cx, &mailing(&[("x@x.example", RecipientType::Bcc)]), STRICT)
    });
    let error = seen.result.unwrap_err();
    assert_eq!((error.code, error.reply), (Code::Protocol, Some(550)));
    assert!(!seen.heard.contains("DATA"));
    assert_eq!(seen.state, State::Soiled);
}

#[test]
fn rset_goes_before_the_mail_that_follows_a_failure_and_only_there() {
    let seen = run("250 reset\r\n250 ok\r\n250 ok\r\n354 go\r\n", 1000, |s, cx| {
        s.state = State::Soiled;
        s.open(cx, &mailing(&[("x@x.example", RecipientType::To)]), STRICT)
    });
    seen.result.unwrap();
    assert!(seen.heard.starts_with("RSET\r\nMAIL FROM"));
    assert_eq!(seen.heard.matches("RSET").count(), 1);
}

#[test]
fn a_message_larger_than_size_is_refused_before_anything_is_said() {
    let seen = run("", 1, |s, cx| {
        s.state = State::Ready;
        s.extensions.size = Some(100);
        let mut envelope = mailing(&[("x@x.example", RecipientType::To)]);
        envelope.size = Some(101);
        s.open(cx, &envelope, STRICT)
    });
    assert_eq!(seen.result.unwrap_err().code, Code::Protocol);
    assert_eq!((seen.heard.as_str(), seen.state), ("", State::Ready));
}

#[test]
fn no_command_carries_a_line_break_from_an_address() {
    let seen = run("250 ok\r\n", 1, |s, cx| {
        s.state = State::Ready;
        s.open(cx, &mailing(&[("x@x.example>\r\nDATA", RecipientType::To)]), STRICT)
    });
    assert_eq!(seen.result.unwrap_err().code, Code::ValueRefused);
    assert_eq!(seen.heard, "");
}

#[test]
fn control_characters_of_a_server_stay_out_of_the_error_text() {
    let seen = run("554 \x1b[2Jno\x07 \u{fffd}\r\n", 1, |s, cx| s.greet(cx));
    let error: Error = seen.result.unwrap_err();
    assert!(!error.message.chars().any(char::is_control), "{}", error.message);
}
