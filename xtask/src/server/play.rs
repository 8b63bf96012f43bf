//! Plays the server's side of a transcript, and says where the client left it.

use super::escape::show;
use super::tls::Tls;
use super::transcript::{Pattern, Piece, Step, Transcript};
use super::wire::{Line, Pace, Wire};
use std::io::{self, ErrorKind};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

const LINE: usize = 1 << 20;
/// How long a client is watched that should say nothing.
const RUN_AHEAD: Duration = Duration::from_millis(60);
/// A message that a transcript expects is never longer.
const MESSAGE: usize = 64 << 20;

/// Plays it to its end and closes the port. An error begins with the number of the line where the client did something else.
pub fn play(listener: TcpListener, transcript: &Transcript, pace: Pace) -> Result<(), String> {
    listener.set_nonblocking(true).map_err(|e| format!("0: {e}"))?;
    let mut player = Player { listener, pace, wire: None, message: Vec::new() };
    let mut last = 0;
    for numbered in transcript.steps.iter().filter(|s| s.step.is_of_server()) {
        last = numbered.line;
        player.step(&numbered.step).map_err(|e| format!("{last}: {e}"))?;
    }
    player.end().map_err(|e| format!("{last}: {e}"))
}

struct Player {
    listener: TcpListener,
    pace: Pace,
    wire: Option<Wire>,
    /// The last message, as it stood on the wire.
    message: Vec<u8>,
}

impl Player {
    fn step(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Connection => {
                self.end()?;
                self.wire = Some(self.accept()?);
            }
            Step::Say(bytes) => {
                let wire = self.wire()?;
                wire.say(bytes)
                    .and_then(|()| wire.flush())
                    .map_err(|e| format!("the client was gone when \"{}\" was said: {e}", show(bytes)))?;
            }
            Step::Hear(pattern) => match self.line()? {
                Some(text) if pattern.matches(&text) => {}
                Some(text) => return Err(other(pattern, &text)),
                None => return Err(format!("expected \"{pattern}\", but the client closed the connection")),
            },
            Step::HearOrClose(pattern) => match self.line()? {
                Some(text) if pattern.matches(&text) => {
                    let wire = self.wire()?;
                    // A client that closes without waiting for the answer is in its rights here.
                    let _ = wire.say(b"221 bye\r\n").and_then(|()| wire.flush());
                }
                Some(text) => return Err(other(pattern, &text)),
                None => {}
            },
            Step::Data(pieces) => self.data(pieces)?,
            Step::Bdat(last, pieces) => self.bdat(*last, pieces)?,
            Step::Nothing => {
                let wire = self.wire()?;
                match wire.stall(RUN_AHEAD) {
                    Ok(_) if wire.pending().is_empty() => {}
                    Ok(_) => {
                        return Err(format!("expected nothing yet, but the client said \"{}\"", show(wire.pending())));
                    }
                    Err(e) => return Err(e.to_string()),
                }
            }
            Step::Absent(text) if self.message.windows(text.len()).any(|w| w == text) => {
                return Err(format!("\"{}\" was in the message", show(text)));
            }
            Step::Tls => {
                let tls = Tls::own()?;
                let wire = self.wire()?;
                if !wire.pending().is_empty() {
                    return Err(format!("the client said \"{}\" before TLS began", show(wire.pending())));
                }
                wire.secure(&tls).map_err(|e| format!("the handshake failed: {e}"))?;
            }
            Step::Close => self.wire.take().ok_or("there is no connection")?.cut(),
            Step::Reset => self.wire.take().ok_or("there is no connection")?.reset(),
            Step::Stall(time) => {
                self.wire()?.stall(*time).map_err(|e| e.to_string())?;
            }
            _ => {}
        }
        Ok(())
    }

    fn wire(&mut self) -> Result<&mut Wire, String> {
        self.wire.as_mut().ok_or_else(|| "there is no connection".into())
    }

    fn accept(&self) -> Result<Wire, String> {
        let deadline = Instant::now() + self.pace.patience;
        loop {
            match self.listener.accept() {
                Ok((stream, _)) => {
                    return Wire::new(stream, self.pace, Arc::new(AtomicBool::new(false))).map_err(|e| e.to_string());
                }
                Err(e) if e.kind() == ErrorKind::WouldBlock && Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_millis(1));
                }
                Err(e) if e.kind() == ErrorKind::WouldBlock => return Err("the client did not connect".into()),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(e.to_string()),
            }
        }
    }

    /// The next line of the client, or that it has closed.
    fn line(&mut self) -> Result<Option<Vec<u8>>, String> {
        let wire = self.wire()?;
        let line = wire.line(LINE).map_err(|e| silence(&e))?;
        let text = match line {
            Line::Text(text) => text,
            Line::Long => return Err("the client said a line without end".into()),
            Line::Closed if wire.pending().is_empty() => return Ok(None),
            Line::Closed => return Err(format!("half a line and a close: \"{}\"", show(wire.pending()))),
        };
        if wire.bare_lf || wire.bare_cr {
            return Err(format!("a bare CR or LF in or after \"{}\"", show(&text)));
        }
        Ok(Some(text))
    }

    fn data(&mut self, pieces: &[Piece]) -> Result<(), String> {
        self.message.clear();
        let mut lines: Vec<Vec<u8>> = Vec::new();
        loop {
            match self.line()? {
                None => return Err("the client closed the connection in the middle of its message".into()),
                Some(line) if line == b"." => break,
                Some(line) => {
                    self.message.extend_from_slice(&line);
                    self.message.extend_from_slice(b"\r\n");
                    lines.push(line);
                }
            }
            if self.message.len() > MESSAGE {
                return Err("the message has no end".into());
            }
        }
        compare(pieces, &lines)
    }

    fn bdat(&mut self, last: bool, pieces: &[Piece]) -> Result<(), String> {
        let Some(line) = self.line()? else { return Err("expected BDAT, but the client closed the connection".into()) };
        let text = String::from_utf8_lossy(&line).into_owned();
        let words: Vec<&str> = text.split(' ').collect();
        let (length, said) = match words[..] {
            ["BDAT", length] => (length.parse::<usize>().ok(), false),
            ["BDAT", length, "LAST"] => (length.parse().ok(), true),
            _ => (None, false),
        };
        let Some(length) = length.filter(|n| said == last && *n <= MESSAGE) else {
            return Err(format!("expected BDAT{}, but the client said \"{text}\"", if last { " LAST" } else { "" }));
        };
        self.message.clear();
        while self.message.len() < length {
            let wire = self.wire.as_mut().ok_or("there is no connection")?;
            if wire.pending().is_empty() && !wire.fill().map_err(|e| silence(&e))? {
                return Err(format!("the client closed the connection after {} of {length} bytes", self.message.len()));
            }
            let count = wire.pending().len().min(length - self.message.len());
            self.message.extend_from_slice(&wire.pending()[..count]);
            wire.take(count);
        }
        let text = self.message.strip_suffix(b"\r\n").unwrap_or(&self.message);
        if text.is_empty() && self.message.is_empty() {
            return compare(pieces, &[]);
        }
        let mut lines: Vec<Vec<u8>> = vec![Vec::new()];
        for &byte in text {
            match lines.last_mut() {
                Some(line) if byte == b'\n' && line.last() == Some(&b'\r') => {
                    line.pop();
                    lines.push(Vec::new());
                }
                Some(line) => line.push(byte),
                None => {}
            }
        }
        compare(pieces, &lines)
    }

    /// The client has closed, or does so now, and says nothing more.
    fn end(&mut self) -> Result<(), String> {
        if self.wire.is_none() {
            return Ok(());
        }
        match self.line() {
            Ok(None) => {
                self.wire = None;
                Ok(())
            }
            Ok(Some(text)) => {
                Err(format!("expected the client to close the connection, but it said \"{}\"", show(&text)))
            }
            Err(e) => Err(format!("expected the client to close the connection: {e}")),
        }
    }
}

fn other(pattern: &Pattern, text: &[u8]) -> String {
    format!("expected \"{pattern}\", but the client said \"{}\"", show(text))
}

fn silence(e: &io::Error) -> String {
    if e.kind() == ErrorKind::TimedOut { "the client said nothing".into() } else { e.to_string() }
}

/// Lines against pieces, where [`Piece::Any`] takes as few lines as will do.
fn compare(pieces: &[Piece], lines: &[Vec<u8>]) -> Result<(), String> {
    let mut piece = 0;
    let mut line = 0;
    // Where to go on after the last `Any`, should it take a line more.
    let mut retry = None;
    // The difference that came after the most matches.
    let mut furthest = (None, String::new());
    while line < lines.len() || piece < pieces.len() {
        let got = lines.get(line);
        match (pieces.get(piece), got) {
            (Some(Piece::Any), _) => {
                piece += 1;
                retry = Some((piece, line));
                continue;
            }
            (Some(Piece::Line(pattern)), Some(text)) if pattern.matches(text) => {
                piece += 1;
                line += 1;
                continue;
            }
            (wanted, _) => {
                let wanted = match wanted {
                    Some(Piece::Line(pattern)) => format!("\"{pattern}\""),
                    _ => "its end".into(),
                };
                let got = got.map_or("ends".into(), |text| format!("has \"{}\"", show(text)));
                if furthest.0 < Some(piece) {
                    furthest =
                        (Some(piece), format!("line {} of the message: expected {wanted}, but it {got}", line + 1));
                }
            }
        }
        match retry {
            Some((next, from)) if from < lines.len() => {
                piece = next;
                line = from + 1;
                retry = Some((next, line));
            }
            _ => {
                let all: Vec<String> = lines.iter().take(100).map(|l| format!("  | {}", show(l))).collect();
                return Err(format!("{}\n{}", furthest.1, all.join("\n")));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpStream;

    fn run(text: &str, client: impl FnOnce(TcpStream)) -> Result<(), String> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let transcript = Transcript::parse(text).unwrap();
        let pace = Pace { one_byte: false, delay: Duration::ZERO, patience: Duration::from_secs(2) };
        let server = std::thread::spawn(move || play(listener, &transcript, pace));
        client(TcpStream::connect(address).unwrap());
        server.join().unwrap()
    }

    /// Says it all at once and reads what comes back: closing with something unread would be a reset.
    fn say(mut client: TcpStream, text: &str) {
        client.write_all(text.as_bytes()).unwrap();
        client.shutdown(std::net::Shutdown::Write).unwrap();
        let _ = client.read_to_end(&mut Vec::new());
    }

    const TALK: &str =
        "connection\nS: 220 hi\nC: EHLO *\nS: 250 hi\nC: <data>\nC: ...\nC:\nC: ..x\nC: .\nS: 250 ok\nabsent bcc\n";

    #[test]
    fn a_client_that_follows_the_transcript_passes() {
        run(TALK, |c| say(c, "EHLO me\r\nSubject: s\r\n\r\n..x\r\n.\r\n")).unwrap();
    }

    #[test]
    fn a_client_that_says_anything_else_is_told_where() {
        for (said, line, why) in [
            ("HELO me\r\n", 3, "but the client said \"HELO me\""),
            ("EHLO me\n", 3, "a bare CR or LF"),
            ("EHLO m\re\r\n", 3, "a bare CR or LF"),
            ("", 3, "closed"),
            ("EHLO", 3, "half a line"),
            ("EHLO me\r\n\r\n.x\r\n.\r\n", 5, "line 2 of the message: expected \"..x\", but it has \".x\""),
            ("EHLO me\r\n\r\n..x\r\nmore\r\n.\r\n", 5, "line 3 of the message: expected its end"),
            ("EHLO me\r\nbcc\r\n\r\n..x\r\n.\r\n", 11, "\"bcc\" was in the message"),
            ("EHLO me\r\n\r\n..x\r\n.\r\nQUIT\r\n", 11, "to close the connection, but it said \"QUIT\""),
        ] {
            let error = run(TALK, |c| say(c, said)).unwrap_err();
            assert!(error.starts_with(&format!("{line}: ")) && error.contains(why), "{said:?}: {error}");
        }
    }

    #[test]
    fn chunks_are_read_by_their_length() {
        let text =
            "connection\nC: <bdat>\nC: a\nC: b\nC: .\nC: <bdat LAST>\nC: c\nC: .\nS: 250 ok\nC: QUIT\nS: 221 bye\n";
        run(text, |c| say(c, "BDAT 4\r\na\r\nbBDAT 3 LAST\r\nc\r\nQUIT\r\n")).unwrap();
        for (said, why) in [
            ("BDAT 4 LAST\r\na\r\nb", "expected BDAT, but"),
            ("BDAT x\r\n", "expected BDAT, but"),
            ("BDAT 9\r\na\r\nb", "after 4 of 9"),
            ("BDAT 3\r\na\r\nBDAT", "line 2 of the message"),
        ] {
            let error = run(text, |c| say(c, said)).unwrap_err();
            assert!(error.starts_with("2: ") && error.contains(why), "{said:?}: {error}");
        }
    }

    #[test]
    fn a_client_that_runs_ahead_is_told_on() {
        let text = "connection\nC: A\nC: <nothing>\nS: 250 ok\nC: B\nS: 250 ok\n";
        assert!(run(text, |c| say(c, "A\r\nB\r\n")).unwrap_err().starts_with("3: expected nothing yet"));
        run(text, |mut c| {
            c.write_all(b"A\r\n").unwrap();
            c.read_exact(&mut [0; 8]).unwrap();
            say(c, "B\r\n");
        })
        .unwrap();
    }

    #[test]
    fn a_client_that_says_nothing_is_not_waited_for_without_end() {
        let error = run("connection\nC: x\n", |c| {
            std::thread::sleep(Duration::from_secs(3));
            drop(c);
        });
        assert_eq!(error.unwrap_err(), "2: the client said nothing");
    }

    #[test]
    fn the_server_closes_resets_and_stalls_when_it_should() {
        run("connection\nS: 421 bye\nserver close\n", |mut c| {
            let mut text = String::new();
            c.read_to_string(&mut text).unwrap();
            assert_eq!(text, "421 bye\r\n");
        })
        .unwrap();
        run("connection\nserver reset\n", |mut c| {
            assert_eq!(c.read(&mut [0; 9]).unwrap_err().kind(), ErrorKind::ConnectionReset);
        })
        .unwrap();
        let start = Instant::now();
        run("connection\nserver stall 300\nS: 220 late\n", |mut c| {
            c.read_exact(&mut [0; 10]).unwrap();
            assert!(start.elapsed() >= Duration::from_millis(300));
        })
        .unwrap();
    }

    #[test]
    fn quit_is_answered_where_a_close_is_as_good() {
        let text = "connection\nS: 554 no\nC? QUIT\n";
        run(text, drop).unwrap();
        run(text, |mut c| {
            c.write_all(b"QUIT\r\n").unwrap();
            c.read_exact(&mut [0; 17]).unwrap();
        })
        .unwrap();
        assert!(run(text, |mut c| c.write_all(b"NOOP\r\n").unwrap()).is_err());
    }

    #[test]
    fn any_lines_are_tried_in_every_place() {
        let pieces = |text: &str| -> Vec<Piece> {
            let piece = |l: &str| match l {
                "..." => Piece::Any,
                l => Piece::Line(Pattern { text: l.into(), open: false }),
            };
            text.split(' ').map(piece).collect()
        };
        let lines = |text: &str| -> Vec<Vec<u8>> { text.split(' ').map(|l| l.as_bytes().to_vec()).collect() };
        for (wanted, got, same) in [
            ("... a b", "a a b", true),
            ("a ... b ... c", "a x b y b c", true),
            ("... b", "a b c", false),
            ("...", "a b c", true),
            ("a ...", "b", false),
            ("... a ... a", "a", false),
        ] {
            assert_eq!(compare(&pieces(wanted), &lines(got)).is_ok(), same, "{wanted} / {got}");
        }
    }
}
