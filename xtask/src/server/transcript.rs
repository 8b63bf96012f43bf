//! Transcripts: one file says what the server says, what the client must say, and what the program that uses the client does.
//!
//! A file is data that every language's tests run: the server's side is played by [`super::play`] (or by
//! `cargo xtask serve --transcript FILE`), the program's side by a small loop in the test. Both walk the same lines from the
//! top, each doing its own. Lines, one step each; empty ones and those that begin with `#` say nothing:
//!
//! ```text
//! set NAME=VALUE            ssmtp_set                     in VALUE, and wherever it says "escapes": \r \n \t \0 \\ \xNN
//! config NAME=VALUE         ssmtp_config
//! stream [COUNT *]TEXT      ssmtp_set_message_stream, of unknown size: TEXT so many times, once without COUNT (escapes)
//! deaf                      no handler of StartTransfer, Transfer and EndTransfer from here on
//! do METHOD [ARGUMENT]      Connect Send Disconnect SendCommand DoEvents Reset ResetHeaders … (escapes)
//!                           SendAll TO TO …: copies of the message, one to each word (recipients with commas between them),
//!                           whose results are an event: `event SendAll 0 161 0`
//! expect CODE [TEXT]        what the `do` before it returns, and what its error's text holds; without it: 0
//! get NAME=VALUE            what ssmtp_get gives (escapes); a VALUE that ends in * is a beginning
//! setting NAME=VALUE        what ssmtp_config gives, likewise
//! event NAME [TEXT]         since the last `do` this event has fired with TEXT among its fields, which stand in their order
//!                           with blanks between them: `event Error 550`, `event PITrail 0 RSET`
//! no event NAME [TEXT]      it has not
//! sleep MS                  the program waits
//!
//! connection                the server accepts the next connection; the one before it must have ended
//! S: TEXT                   it says TEXT and CRLF; lines that follow each other leave in one write
//! S| TEXT                   it says TEXT as it stands (escapes), nothing added
//! C: TEXT                   the client says exactly TEXT and CRLF; a TEXT that ends in * is a beginning
//! C| TEXT                   the same with escapes and without the star
//! C? TEXT                   the client either says this, is answered with 221 and closes, or just closes
//! C: <data>                 the client sends a message, as it stands on the wire (dots doubled): the lines of it follow,
//!                           `C: ...` among them stands for any lines, `C: .` ends it
//! C: <bdat> or <bdat LAST>  the client says BDAT, a length and, or not, LAST, and so many bytes: the lines of them follow as
//!                           above; the last may lack its end
//! C: <nothing>              the client says nothing while the server waits a moment: it does not run ahead
//! absent TEXT               TEXT (escapes) was nowhere in the last message
//! server close              the server closes the connection
//! server reset              it closes it with an RST
//! server tls                it secures the connection, with a certificate of its own for localhost and 127.0.0.1
//! server stall MS           it says nothing for so long, or until the client closes
//! ```
//!
//! At the end of a connection's lines the client must close it without another word. The program's side sets MailServer,
//! MailPort and a Timeout of 10 seconds at the start, the first two again after `do Reset`, and nothing else by itself.

pub use super::play::play;

use super::escape::unescape;
use std::time::Duration;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    Set {
        name: String,
        value: Vec<u8>,
    },
    Config {
        name: String,
        value: Vec<u8>,
    },
    Do {
        method: String,
        argument: Vec<u8>,
        code: i32,
        text: String,
    },
    Get {
        name: String,
        value: Pattern,
    },
    Setting {
        name: String,
        value: Pattern,
    },
    Stream {
        count: usize,
        text: Vec<u8>,
    },
    Deaf,
    Event {
        name: String,
        text: String,
        fired: bool,
    },
    Sleep(Duration),
    Connection,
    Say(Vec<u8>),
    Hear(Pattern),
    HearOrClose(Pattern),
    Data(Vec<Piece>),
    /// A chunk, and whether it is the last.
    Bdat(bool, Vec<Piece>),
    Nothing,
    Absent(Vec<u8>),
    Close,
    Tls,
    Reset,
    Stall(Duration),
}

impl Step {
    /// Whether this is something that the server does.
    pub fn is_of_server(&self) -> bool {
        use Step::{Config, Deaf, Do, Event, Get, Set, Setting, Sleep, Stream};
        let program = matches!(
            self,
            Set { .. }
                | Config { .. }
                | Do { .. }
                | Get { .. }
                | Setting { .. }
                | Event { .. }
                | Stream { .. }
                | Sleep(_)
                | Deaf
        );
        !program
    }
}

/// What a line must be, or begin with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    pub text: Vec<u8>,
    pub open: bool,
}

impl Pattern {
    fn starred(text: Vec<u8>) -> Pattern {
        match text.strip_suffix(b"*") {
            Some(start) => Pattern { text: start.to_vec(), open: true },
            None => Pattern { text, open: false },
        }
    }

    pub fn matches(&self, text: &[u8]) -> bool {
        if self.open { text.starts_with(&self.text) } else { text == self.text }
    }
}

impl std::fmt::Display for Pattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", super::escape::show(&self.text), if self.open { "*" } else { "" })
    }
}

/// A part of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    Line(Pattern),
    /// Any lines, or none.
    Any,
}

/// A step and the line it stands in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbered {
    pub line: usize,
    pub step: Step,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Transcript {
    pub steps: Vec<Numbered>,
}

impl Transcript {
    /// An error begins with the number of the line that is wrong.
    pub fn parse(text: &str) -> Result<Transcript, String> {
        let mut reader = Reader::default();
        for (index, line) in text.lines().enumerate() {
            reader.line = index + 1;
            reader.read(line.strip_suffix('\r').unwrap_or(line)).map_err(|e| format!("{}: {e}", index + 1))?;
        }
        if reader.data.is_some() {
            return Err(format!("{}: the message has no end (C: .)", reader.line));
        }
        Ok(Transcript { steps: reader.steps })
    }
}

#[derive(Default)]
struct Reader {
    line: usize,
    steps: Vec<Numbered>,
    /// The message whose lines are being read, where it began, and for a chunk whether it is the last.
    data: Option<(usize, Option<bool>, Vec<Piece>)>,
    connected: bool,
}

impl Reader {
    fn read(&mut self, line: &str) -> Result<(), String> {
        if self.data.is_some() {
            return self.piece(line);
        }
        if line.trim().is_empty() || line.starts_with('#') {
            return Ok(());
        }
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let step = match word {
            "set" => pair(rest).map(|(name, value)| Step::Set { name, value })?,
            "config" => pair(rest).map(|(name, value)| Step::Config { name, value })?,
            "get" => pair(rest).map(|(name, value)| Step::Get { name, value: Pattern::starred(value) })?,
            "setting" => pair(rest).map(|(name, value)| Step::Setting { name, value: Pattern::starred(value) })?,
            "stream" => stream(rest)?,
            "deaf" => Step::Deaf,
            "do" => {
                let (method, argument) = rest.split_once(' ').unwrap_or((rest, ""));
                if method.is_empty() {
                    return Err("do what?".into());
                }
                Step::Do { method: method.into(), argument: unescape(argument)?, code: 0, text: String::new() }
            }
            "expect" => return self.expect(rest),
            "event" => event(rest, true)?,
            "no" => event(rest.strip_prefix("event ").ok_or("no event NAME [TEXT] is wanted")?, false)?,
            "sleep" => Step::Sleep(milliseconds(rest)?),
            "connection" => {
                self.connected = true;
                Step::Connection
            }
            "S:" => return self.say([rest.as_bytes(), b"\r\n"].concat()),
            "S|" => return self.say(unescape(rest)?),
            "C:" if rest == "<data>" => {
                self.data = Some((self.line, None, Vec::new()));
                return Ok(());
            }
            "C:" if rest == "<bdat>" || rest == "<bdat LAST>" => {
                self.data = Some((self.line, Some(rest == "<bdat LAST>"), Vec::new()));
                return Ok(());
            }
            "C:" if rest == "<nothing>" => Step::Nothing,
            "C:" => Step::Hear(Pattern::starred(rest.into())),
            "C|" => Step::Hear(Pattern { text: unescape(rest)?, open: false }),
            "C?" => Step::HearOrClose(Pattern::starred(rest.into())),
            "absent" if !rest.is_empty() => Step::Absent(unescape(rest)?),
            "server" => match rest.split_once(' ').unwrap_or((rest, "")) {
                ("close", "") => Step::Close,
                ("tls", "") => Step::Tls,
                ("reset", "") => Step::Reset,
                ("stall", ms) => Step::Stall(milliseconds(ms)?),
                _ => return Err("server close, server reset, server tls or server stall MS is wanted".into()),
            },
            _ => return Err(format!("'{word}' begins no step")),
        };
        self.push(step)
    }

    fn push(&mut self, step: Step) -> Result<(), String> {
        if step.is_of_server() && !self.connected {
            return Err("a connection comes first".into());
        }
        self.steps.push(Numbered { line: self.line, step });
        Ok(())
    }

    /// Lines of the server that follow each other are one step.
    fn say(&mut self, bytes: Vec<u8>) -> Result<(), String> {
        if let Some(Numbered { step: Step::Say(before), .. }) = self.steps.last_mut() {
            before.extend(bytes);
            return Ok(());
        }
        self.push(Step::Say(bytes))
    }

    fn expect(&mut self, rest: &str) -> Result<(), String> {
        let (number, fragment) = rest.split_once(' ').unwrap_or((rest, ""));
        // The lines of the server may stand between a `do` and what is expected of it.
        let last = self.steps.iter_mut().rev().find(|s| !s.step.is_of_server());
        let Some(Numbered { step: Step::Do { code, text, .. }, .. }) = last else {
            return Err("expect belongs to a do before it".into());
        };
        *code = number.parse().map_err(|_| format!("{number} is no number"))?;
        *text = fragment.into();
        Ok(())
    }

    fn piece(&mut self, line: &str) -> Result<(), String> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let piece = match (word, rest) {
            ("C:", ".") => {
                let (line, chunk, pieces) = self.data.take().unwrap_or_default();
                let later = std::mem::replace(&mut self.line, line);
                let done = self.push(chunk.map_or(Step::Data(pieces.clone()), |last| Step::Bdat(last, pieces)));
                self.line = later;
                return done;
            }
            ("C:", "...") => Piece::Any,
            ("C:", text) => Piece::Line(Pattern::starred(text.into())),
            ("C|", text) => Piece::Line(Pattern { text: unescape(text)?, open: false }),
            _ => return Err("a line of the message (C: …) or its end (C: .) is wanted".into()),
        };
        if let Some((_, _, pieces)) = &mut self.data {
            pieces.push(piece);
        }
        Ok(())
    }
}

fn pair(text: &str) -> Result<(String, Vec<u8>), String> {
    let (name, value) = text.split_once('=').ok_or("NAME=VALUE is wanted")?;
    Ok((name.into(), unescape(value)?))
}

fn stream(text: &str) -> Result<Step, String> {
    let counted = text.split_once(" *").and_then(|(count, rest)| Some((count.parse().ok()?, rest)));
    let (count, text) = counted.unwrap_or((1, text));
    Ok(Step::Stream { count, text: unescape(text)? })
}

fn event(text: &str, fired: bool) -> Result<Step, String> {
    let (name, text) = text.split_once(' ').unwrap_or((text, ""));
    if name.is_empty() {
        return Err("an event has a name".into());
    }
    Ok(Step::Event { name: name.into(), text: text.into(), fired })
}

fn milliseconds(text: &str) -> Result<Duration, String> {
    text.parse().map(Duration::from_millis).map_err(|_| format!("{text} is no number of milliseconds"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(text: &str) -> Vec<Step> {
        Transcript::parse(text).unwrap().steps.into_iter().map(|s| s.step).collect()
    }

    #[test]
    fn every_step_is_understood() {
        let text = "# a comment\n\nset Subject=a=b\\r\\nc\nconfig Hello=h\ndo SendCommand NOOP x\nexpect 161 refused\n\
                    get LastReply=250*\nevent Error 550\nno event Error\nsleep 5\nconnection\nS: 220 hi\nS| 2\\x35\n\
                    C: EHLO *\nC| a*\nC? QUIT\nserver stall 7\nserver reset\nserver close\nabsent b\\\\c\n";
        let open = |text: &str| Pattern { text: text.into(), open: true };
        let exact = |text: &str| Pattern { text: text.into(), open: false };
        let ms = Duration::from_millis;
        assert_eq!(
            steps(text),
            [
                Step::Set { name: "Subject".into(), value: b"a=b\r\nc".to_vec() },
                Step::Config { name: "Hello".into(), value: b"h".to_vec() },
                Step::Do {
                    method: "SendCommand".into(),
                    argument: b"NOOP x".to_vec(),
                    code: 161,
                    text: "refused".into()
                },
                Step::Get { name: "LastReply".into(), value: open("250") },
                Step::Event { name: "Error".into(), text: "550".into(), fired: true },
                Step::Event { name: "Error".into(), text: String::new(), fired: false },
                Step::Sleep(ms(5)),
                Step::Connection,
                Step::Say(b"220 hi\r\n25".to_vec()),
                Step::Hear(open("EHLO ")),
                Step::Hear(exact("a*")),
                Step::HearOrClose(exact("QUIT")),
                Step::Stall(ms(7)),
                Step::Reset,
                Step::Close,
                Step::Absent(b"b\\c".to_vec()),
            ]
        );
    }

    #[test]
    fn the_lines_of_a_message_are_one_step_at_its_first_line() {
        let text = "connection\nC: <data>\nC: Subject: x\nC: ...\nC:\nC: ..y *\nC| ...\nC: .\nS: 250 ok\n";
        let line = |text: &str, open| Piece::Line(Pattern { text: text.into(), open });
        let pieces =
            vec![line("Subject: x", false), Piece::Any, line("", false), line("..y ", true), line("...", false)];
        let transcript = Transcript::parse(text).unwrap();
        assert_eq!(transcript.steps[1], Numbered { line: 2, step: Step::Data(pieces) });
        assert_eq!(transcript.steps[2], Numbered { line: 9, step: Step::Say(b"250 ok\r\n".to_vec()) });
    }

    #[test]
    fn chunks_streams_and_settings_are_understood() {
        let text = "deaf\nstream 3 *a\\r\\n\nstream b * c\nsetting Hello=x*\nconnection\nC: <nothing>\nC: <bdat>\nC: a\nC: .\n\
                    C: <bdat LAST>\nC: .\n";
        let a = Piece::Line(Pattern { text: b"a".to_vec(), open: false });
        assert_eq!(
            steps(text),
            [
                Step::Deaf,
                Step::Stream { count: 3, text: b"a\r\n".to_vec() },
                Step::Stream { count: 1, text: b"b * c".to_vec() },
                Step::Setting { name: "Hello".into(), value: Pattern { text: b"x".to_vec(), open: true } },
                Step::Connection,
                Step::Nothing,
                Step::Bdat(false, vec![a]),
                Step::Bdat(true, vec![]),
            ]
        );
    }

    #[test]
    fn expect_reaches_back_over_the_servers_lines() {
        let text = "do Send\nconnection\nS: 554 no\nexpect 161\n";
        assert!(matches!(&steps(text)[0], Step::Do { code: 161, .. }));
    }

    #[test]
    fn a_mistake_is_told_with_its_line() {
        for (text, start) in [
            ("S: 220 x", "1: a connection"),
            ("\nhello", "2: 'hello'"),
            ("set x", "1: NAME=VALUE"),
            ("do", "1: do what"),
            ("expect 0", "1: expect"),
            ("do Send\nget a=b\nexpect 0", "3: expect"),
            ("do Send\nexpect x", "2: x is no number"),
            ("connection\nC: <data>\nC: x", "3: the message has no end"),
            ("connection\nC: <data>\nS: x", "3: a line of the message"),
            ("connection\nserver sleep", "2: server close"),
            ("connection\nS| \\q", "2: \\q"),
            ("no Error", "1: no event"),
            ("sleep soon", "1: soon"),
        ] {
            let error = Transcript::parse(text).unwrap_err();
            assert!(error.starts_with(start), "{text:?}: {error}");
        }
    }
}
