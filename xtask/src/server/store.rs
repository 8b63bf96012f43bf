//! What the server has received: kept for tests, saved as files, shown to a person.

use super::tls::Handshake;
use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Messages together hold at most this; then the oldest are forgotten.
const KEEP_BYTES: usize = 256 << 20;
/// Command lines a connection, and connections, that are remembered.
const KEEP_LINES: usize = 20_000;
const KEEP_CONNECTIONS: usize = 20_000;

/// A message that the server accepted.
#[derive(Debug, Clone, Default)]
pub struct Received {
    /// The whole line, `MAIL FROM:<a@b.example> SIZE=9`.
    pub mail_from: String,
    /// The whole line of every accepted recipient.
    pub rcpt_to: Vec<String>,
    /// The message without dot-stuffing and the final dot.
    pub data: Vec<u8>,
    /// Its length, also where the data was thrown away.
    pub size: u64,
    /// A bare LF, or a bare CR, has reached the wire: in the message or in a command before it.
    pub bare_lf: bool,
    pub bare_cr: bool,
    pub eight_bit: bool,
    /// The argument of EHLO or HELO.
    pub hello: String,
    /// Whether it was EHLO.
    pub esmtp: bool,
    /// Who had logged in.
    pub user: Option<String>,
    /// It came by BDAT.
    pub chunked: bool,
    /// The index of its connection in [`super::Server::commands`].
    pub connection: usize,
}

impl Received {
    /// The message as text, for assertions; bytes that are no UTF-8 show as U+FFFD.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.data).into_owned()
    }

    /// What stands between the first empty line and the end.
    pub fn body(&self) -> &[u8] {
        let end = self.data.windows(4).position(|w| w == b"\r\n\r\n");
        end.map_or(&[], |end| &self.data[end + 4..])
    }

    /// As `1.envelope` has it.
    fn envelope(&self) -> String {
        let mut text = format!("{}\n", self.mail_from);
        self.rcpt_to.iter().for_each(|line| {
            let _ = writeln!(text, "{line}");
        });
        text
    }

    /// For a person to read: the envelope and the message between two rules, nothing that a terminal would act on.
    fn block(&self, number: usize) -> String {
        let rule = |title: String| format!("--- {title} {}\n", "-".repeat(70_usize.saturating_sub(title.len())));
        let mut out = rule(format!("message {number}"));
        for c in self.envelope().chars().chain(['\n']).chain(self.text().replace("\r\n", "\n").chars()) {
            match c {
                '\n' | '\t' => out.push(c),
                c if c.is_control() => drop(write!(out, "\\x{:02x}", c as u32)),
                c => out.push(c),
            }
        }
        if !out.ends_with('\n') {
            out.push('\n');
        }
        out + &rule(format!("end of message {number}, {} bytes", self.size))
    }
}

#[derive(Default)]
struct Kept {
    messages: VecDeque<Received>,
    bytes: usize,
    count: usize,
    commands: Vec<Vec<String>>,
    connections: usize,
    handshakes: Vec<Handshake>,
}

#[derive(Default)]
pub(super) struct Store {
    kept: Mutex<Kept>,
    arrived: Condvar,
}

impl Store {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn messages(&self) -> Vec<Received> {
        self.kept().messages.iter().cloned().collect()
    }

    pub fn count(&self) -> usize {
        self.kept().count
    }

    pub fn commands(&self) -> Vec<Vec<String>> {
        self.kept().commands.clone()
    }

    pub fn handshake(&self, handshake: Handshake) {
        let mut kept = self.kept();
        if kept.handshakes.len() < KEEP_CONNECTIONS {
            kept.handshakes.push(handshake);
        }
    }

    pub fn handshakes(&self) -> Vec<Handshake> {
        self.kept().handshakes.clone()
    }

    pub fn wait(&self, count: usize, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        let mut kept = self.kept();
        while kept.count < count {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            kept = self.arrived.wait_timeout(kept, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// A new connection; gives its index.
    pub fn connection(&self) -> usize {
        let mut kept = self.kept();
        if kept.commands.len() < KEEP_CONNECTIONS {
            kept.commands.push(Vec::new());
        }
        kept.connections += 1;
        kept.connections - 1
    }

    pub fn command(&self, connection: usize, line: &str) {
        if let Some(lines) = self.kept().commands.get_mut(connection)
            && lines.len() < KEEP_LINES
        {
            lines.push(line.to_string());
        }
    }

    /// Saves, shows and keeps a message. An error means that it could not be saved, and was not accepted.
    pub fn accept(&self, message: Received, eml: Option<&Path>, print: bool) -> io::Result<()> {
        let mut kept = self.kept();
        let number = kept.count + 1;
        if let Some(folder) = eml {
            save(&folder.join(format!("{number}.envelope")), message.envelope().as_bytes())?;
            save(&folder.join(format!("{number}.eml")), &message.data)?;
        }
        if print {
            // Nobody may be reading any more; the message is received all the same.
            let mut out = io::stdout().lock();
            let _ = out.write_all(message.block(number).as_bytes()).and_then(|()| out.flush());
        }
        kept.count = number;
        kept.bytes += message.data.len();
        kept.messages.push_back(message);
        while kept.bytes > KEEP_BYTES || kept.messages.len() > KEEP_LINES {
            let Some(oldest) = kept.messages.pop_front() else { break };
            kept.bytes -= oldest.data.len();
        }
        self.arrived.notify_all();
        Ok(())
    }
}

/// Whoever sees the name sees the whole file.
fn save(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let half = path.with_extension("part");
    std::fs::write(&half, bytes)?;
    std::fs::rename(&half, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Received {
        Received {
            mail_from: "MAIL FROM:<a@x.example>".into(),
            rcpt_to: vec!["RCPT TO:<b@x.example>".into(), "RCPT TO:<c@x.example>".into()],
            data: b"Subject: x\r\n\r\nHi \x1b[31m\r\n".to_vec(),
            size: 24,
            ..Received::default()
        }
    }

    #[test]
    fn a_message_is_saved_with_its_envelope() {
        let folder = std::env::temp_dir().join(format!("ssmtp-store-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Store::default().accept(sample(), Some(&folder), false).unwrap();
        assert_eq!(std::fs::read(folder.join("1.eml")).unwrap(), sample().data);
        let envelope = std::fs::read_to_string(folder.join("1.envelope")).unwrap();
        assert_eq!(envelope, "MAIL FROM:<a@x.example>\nRCPT TO:<b@x.example>\nRCPT TO:<c@x.example>\n");
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 2);
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_printed_block_shows_envelope_and_message_and_no_escape_sequence() {
        let block = sample().block(3);
        assert!(block.starts_with("--- message 3 ---"), "{block}");
        assert!(block.contains("RCPT TO:<c@x.example>\n\nSubject: x\n\nHi \\x1b[31m\n--- end of message 3, 24 bytes"));
    }

    #[test]
    fn a_message_that_cannot_be_saved_is_not_counted() {
        let store = Store::default();
        assert!(store.accept(sample(), Some(Path::new("/dev/null/no")), false).is_err());
        assert_eq!((store.count(), store.messages().len()), (0, 0));
    }

    #[test]
    fn the_body_begins_after_the_first_empty_line() {
        assert_eq!(sample().body(), b"Hi \x1b[31m\r\n");
    }
}
