//! The session against a server that is a list of bytes: everything it says at once, or one byte at a time.

mod given;

use super::*;
use crate::enums::RecipientType;
use crate::error::{Code, Error};
use crate::events::*;
use crate::message::body::{Memory, Source};
use crate::net::Stream;
use crate::smtp::body::Content;
use crate::smtp::command::Command;
use crate::smtp::envelope::{Envelope, Outcome, Phase, Recipient};
use crate::smtp::extensions::{Extensions, Offer};
use crate::smtp::reply::Reply;
use crate::smtp::session::{Session, State};
use crate::smtp::transaction::{Framing, Opening, Policy};
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
    writes: Arc<Mutex<usize>>,
}

impl Stream for Script {
    fn read(&mut self, buf: &mut [u8], _: &Clock) -> Result<usize> {
        let n = self.step.min(self.says.len()).min(buf.len());
        buf[..n].copy_from_slice(&self.says[..n]);
        self.says.drain(..n);
        Ok(n)
    }
    fn write_all(&mut self, parts: &mut [IoSlice<'_>], _: &Clock) -> Result<()> {
        *self.writes.lock() += 1;
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
    deaf: bool,
    lines: Mutex<Vec<String>>,
    errors: Mutex<Vec<i32>>,
}

impl Sink for Ears {
    fn wants(&self, _: Kind) -> bool {
        !self.deaf
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
    fn token_wanted(&self, _: &TokenWanted) -> Result<()> {
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
    writes: usize,
    lines: Vec<String>,
    errors: Vec<i32>,
    last: String,
    state: State,
}

fn run<T>(says: &str, step: usize, talk: impl FnOnce(&mut Session, &Context) -> Result<T>) -> Seen<T> {
    run_with(Ears::default(), says, step, talk)
}

/// Without anybody who listens to transfers.
fn run_deaf<T>(says: &str, step: usize, talk: impl FnOnce(&mut Session, &Context) -> Result<T>) -> Seen<T> {
    run_with(Ears { deaf: true, ..Ears::default() }, says, step, talk)
}

fn run_with<T>(ears: Ears, says: &str, step: usize, talk: impl FnOnce(&mut Session, &Context) -> Result<T>) -> Seen<T> {
    let writes = Arc::new(Mutex::new(0));
    let heard = Arc::new(Mutex::new(Vec::new()));
    let stream = Script { says: says.as_bytes().to_vec(), step, heard: heard.clone(), writes: writes.clone() };
    let mut session = Session::new(Box::new(stream));
    let last = Mutex::new(String::new());
    let clock = Clock::unlimited();
    let keep = |text: &str| *last.lock() = text.to_string();
    let cx = Context { clock: &clock, sink: &ears, last_reply: &keep, max_line: 2048 };
    let result = talk(&mut session, &cx);
    let heard = String::from_utf8_lossy(&heard.lock()).into_owned();
    let state = session.state;
    let last = last.lock().clone();
    let writes = *writes.lock();
    Seen { result, heard, writes, lines: ears.lines.into_inner(), errors: ears.errors.into_inner(), last, state }
}

fn mailing(names: &[(&str, RecipientType)]) -> Envelope {
    let one = |(address, kind): &(&str, RecipientType)| Recipient {
        address: address.to_string(),
        options: vec!["NOTIFY=NEVER".into()],
        kind: *kind,
    };
    Envelope { sender: "a@a.example".into(), recipients: names.iter().map(one).collect(), ..Envelope::default() }
}

const STRICT: Policy = Policy { stop_on_to: true, stop_on_cc: true, stop_on_bcc: false, split: false };

/// Opens a transaction with what the session was offered.
fn open(s: &mut Session, cx: &Context, envelope: &Envelope, policy: Policy, framing: Framing) -> Result<Vec<Outcome>> {
    let mut outcomes = Vec::new();
    let mut opening = Opening::new(envelope, &s.extensions, policy, framing, s.state == State::Soiled)?;
    s.open(cx, envelope, &mut opening, policy, &mut outcomes)?;
    Ok(outcomes)
}

fn data(s: &mut Session, cx: &Context, envelope: &Envelope, policy: Policy) -> Result<Vec<Outcome>> {
    open(s, cx, envelope, policy, Framing::Data)
}

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
            data(s, cx, &mailing(&[("x@x.example", RecipientType::To)]), STRICT)
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
        data(s, cx, &mailing(&[("x@x.example", to), ("y@y.example", to)]), policy)
    });
    seen.result.unwrap();
    assert_eq!(seen.errors, [161]);
    assert_eq!(seen.heard, "MAIL FROM:<a@a.example>\r\nRCPT TO:<x@x.example>\r\nRCPT TO:<y@y.example>\r\nDATA\r\n");
}

#[test]
fn no_data_is_said_when_nobody_was_accepted() {
    let seen = run("250 ok\r\n550 no\r\n", 1000, |s, cx| {
        s.state = State::Ready;
        data(s, cx, &mailing(&[("x@x.example", RecipientType::Bcc)]), STRICT)
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
        data(s, cx, &mailing(&[("x@x.example", RecipientType::To)]), STRICT)
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
        data(s, cx, &envelope, STRICT)
    });
    assert_eq!(seen.result.unwrap_err().code, Code::Protocol);
    assert_eq!((seen.heard.as_str(), seen.state), ("", State::Ready));
}

#[test]
fn no_command_carries_a_line_break_from_an_address() {
    let seen = run("250 ok\r\n", 1, |s, cx| {
        s.state = State::Ready;
        data(s, cx, &mailing(&[("x@x.example>\r\nDATA", RecipientType::To)]), STRICT)
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

fn pipelining() -> Extensions {
    Extensions { offer: Offer { pipelining: true, ..Offer::default() }, ..Extensions::default() }
}

#[test]
fn with_pipelining_one_recipient_costs_one_write_up_to_data() {
    let seen = run("250 ok\r\n250 ok\r\n354 go\r\n", 5, |s, cx| {
        s.state = State::Ready;
        s.extensions = pipelining();
        data(s, cx, &mailing(&[("x@x.example", RecipientType::To)]), STRICT)
    });
    seen.result.unwrap();
    assert_eq!(seen.writes, 1);
    assert_eq!(seen.heard, "MAIL FROM:<a@a.example>\r\nRCPT TO:<x@x.example>\r\nDATA\r\n");
}

#[test]
fn with_pipelining_data_waits_while_a_recipient_may_still_stop_the_message() {
    let two = [("x@x.example", RecipientType::To), ("y@y.example", RecipientType::To)];
    let seen = run("250 ok\r\n250 ok\r\n550 5.1.1 no\r\n", 5, |s, cx| {
        s.state = State::Ready;
        s.extensions = pipelining();
        data(s, cx, &mailing(&two), STRICT)
    });
    assert_eq!(seen.result.unwrap_err().reply, Some(550));
    assert!(!seen.heard.contains("DATA"));
    assert_eq!((seen.writes, seen.state), (1, State::Soiled));
    let free = Policy { stop_on_to: false, ..STRICT };
    let seen = run("250 ok\r\n250 ok\r\n550 5.1.1 no\r\n354 go\r\n", 5, |s, cx| {
        s.state = State::Ready;
        s.extensions = pipelining();
        data(s, cx, &mailing(&two), free)
    });
    let outcomes = seen.result.unwrap();
    assert!(seen.heard.ends_with("DATA\r\n") && seen.writes == 1);
    assert_eq!((outcomes[1].code, outcomes[1].enhanced.as_str(), outcomes[1].phase), (550, "5.1.1", Phase::Rcpt));
    assert_eq!(seen.errors, [161]);
}

#[test]
fn a_354_that_nobody_is_to_get_is_answered_by_a_lone_dot() {
    let seen = run("250 ok\r\n550 no\r\n354 go\r\n554 no recipients\r\n", 5, |s, cx| {
        s.state = State::Ready;
        s.extensions = pipelining();
        data(s, cx, &mailing(&[("x@x.example", RecipientType::To)]), STRICT)
    });
    assert_eq!(seen.result.unwrap_err().reply, Some(550));
    assert!(seen.heard.ends_with("DATA\r\n.\r\n"));
}

#[test]
fn a_refused_sender_in_a_group_is_the_error_and_not_what_follows_it() {
    let seen = run("550 no you\r\n503 no mail\r\n503 no mail\r\n", 5, |s, cx| {
        s.state = State::Ready;
        s.extensions = pipelining();
        data(s, cx, &mailing(&[("x@x.example", RecipientType::Bcc)]), STRICT)
    });
    let error = seen.result.unwrap_err();
    assert!(error.reply == Some(550) && error.message.contains("no you"), "{error}");
    assert_eq!(seen.errors, Vec::<i32>::new());
}

#[test]
fn thousands_of_recipients_go_in_bounded_groups_and_keep_their_order() {
    let names: Vec<String> = (0..1_000).map(|i| format!("r{i}@x.example")).collect();
    let list: Vec<(&str, RecipientType)> = names.iter().map(|n| (n.as_str(), RecipientType::To)).collect();
    let says = format!("250 ok\r\n{}354 go\r\n", "250 ok\r\n".repeat(1_000));
    let seen = run(&says, 4_000, |s, cx| {
        s.state = State::Ready;
        s.extensions = pipelining();
        data(s, cx, &mailing(&list), STRICT)
    });
    let outcomes = seen.result.unwrap();
    assert!(outcomes.iter().zip(&names).all(|(o, n)| o.address == *n && o.code == 250));
    assert!(seen.writes > 5 && seen.writes < 20, "{}", seen.writes);
}

#[test]
fn a_server_that_hangs_up_on_a_group_broke_its_promise() {
    let seen = run("250 ok\r\n", 5, |s, cx| {
        s.state = State::Ready;
        s.extensions = pipelining();
        let done = data(s, cx, &mailing(&[("x@x.example", RecipientType::To)]), STRICT);
        assert_eq!(s.broken, Some("PIPELINING"));
        done
    });
    assert_eq!(seen.result.unwrap_err().code, Code::ConnectionDropped);
}

/// Sends a body as the content of an open transaction.
fn content(s: &mut Session, cx: &Context, body: &str, framing: Framing, exact: bool) -> Result<Reply> {
    let headers = b"Subject: x\r\n\r\n";
    let mut parts: Vec<Box<dyn Source>> = vec![Box::new(Memory::new(body.as_bytes().into()))];
    let length = headers.len() as u64 + dot::normalised_length(&[body.as_bytes()]);
    s.content(
        cx,
        Content {
            headers,
            parts: &mut parts,
            framing,
            exact: exact.then_some(length),
            close: false,
            pipelined: true,
            then: None,
            before: Vec::new(),
        },
    )
}

#[test]
fn a_message_in_memory_goes_by_one_bdat_with_its_exact_length() {
    let seen = run_deaf("250 ok\r\n", 5, |s, cx| {
        s.state = State::Ready;
        content(s, cx, "a\n.b", Framing::Bdat, true)
    });
    assert_eq!(seen.result.unwrap().code, 250);
    assert_eq!(seen.heard, "BDAT 21 LAST\r\nSubject: x\r\n\r\na\r\n.b\r\n");
    assert_eq!(seen.writes, 1);
}

#[test]
fn content_of_unknown_length_goes_in_chunks_whose_replies_are_all_read() {
    let body = "0123456789abcde\n".repeat(40_000);
    let seen = run_deaf(&"250 ok\r\n".repeat(10), 5, |s, cx| {
        s.state = State::Ready;
        let done = content(s, cx, &body, Framing::Bdat, false);
        assert!(!s.more_is_here() || done.is_ok());
        done
    });
    seen.result.unwrap();
    let mut rest = seen.heard.as_str();
    let mut whole = String::new();
    let mut lasts = 0;
    while !rest.is_empty() {
        let (line, after) = rest.split_once("\r\n").unwrap();
        let mut words = line.split(' ').skip(1);
        let size: usize = words.next().unwrap().parse().unwrap();
        lasts += usize::from(words.next() == Some("LAST"));
        whole.push_str(&after[..size]);
        rest = &after[size..];
    }
    assert_eq!(lasts, 1);
    assert_eq!(whole, format!("Subject: x\r\n\r\n{}", body.replace('\n', "\r\n")));
}

#[test]
fn a_server_that_knows_no_bdat_after_all_broke_its_promise() {
    let seen = run_deaf("502 what\r\n", 5, |s, cx| {
        s.state = State::Ready;
        let reply = content(s, cx, "a", Framing::Bdat, true)?;
        Ok((reply.code, s.broken))
    });
    assert_eq!(seen.result.unwrap(), (502, Some("CHUNKING")));
}

#[test]
fn with_a_listener_the_end_of_the_message_comes_last_and_alone() {
    let seen = run("250 ok\r\n", 5, |s, cx| {
        s.state = State::Ready;
        content(s, cx, "a\r\n", Framing::Data, true)
    });
    seen.result.unwrap();
    assert_eq!(seen.heard, "Subject: x\r\n\r\na\r\n.\r\n");
    assert_eq!(seen.writes, 2);
}
