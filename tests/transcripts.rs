//! Every conversation of `tests/transcripts`, the server's replies whole and one byte at a time.

mod common;

use common::Handle;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use xtask::server::Pace;
use xtask::server::transcript::{Pattern, Step, Transcript, play};

/// The server's patience with the client, and ours with both.
const PATIENCE: Duration = Duration::from_secs(12);
const LIMIT: Duration = Duration::from_secs(60);

#[test]
fn every_transcript_is_followed_with_replies_in_one_piece() {
    run_all(false);
}

#[test]
fn every_transcript_is_followed_with_replies_byte_by_byte() {
    run_all(true);
}

/// Runs every file, several at once; all failures are told together.
fn run_all(one_byte: bool) {
    // TRANSCRIPT=part-of-a-name runs only those.
    let wanted = std::env::var("TRANSCRIPT").unwrap_or_default();
    let mut files: Vec<PathBuf> = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts"))
        .expect("the transcripts lie beside this test")
        .filter_map(|entry| entry.ok().map(|e| e.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "txt"))
        .filter(|path| path.to_string_lossy().contains(&wanted))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no transcript to run");
    let queue = Mutex::new(files.into_iter());
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(file) = next(&queue) {
                    if let Err(why) = run_file(&file, one_byte) {
                        failures.lock().unwrap().push(why);
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{} failed:\n\n{}\n", failures.len(), failures.join("\n\n"));
}

fn next(queue: &Mutex<std::vec::IntoIter<PathBuf>>) -> Option<PathBuf> {
    queue.lock().unwrap().next()
}

/// One file, client and server in a thread each, so that neither can hang the test.
fn run_file(file: &Path, one_byte: bool) -> Result<(), String> {
    let name = format!("tests/transcripts/{}", file.file_name().unwrap_or_default().to_string_lossy());
    let text = std::fs::read_to_string(file).map_err(|e| format!("{name}: {e}"))?;
    let transcript = Arc::new(Transcript::parse(&text).map_err(|e| format!("{name}:{e}"))?);
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|e| format!("{name}: {e}"))?;
    let port = listener.local_addr().map_err(|e| format!("{name}: {e}"))?.port();
    let (done, outcome) = mpsc::channel();
    let pace = Pace { one_byte, delay: Duration::ZERO, patience: PATIENCE };
    let (script, sender) = (transcript.clone(), done.clone());
    std::thread::spawn(move || sender.send(("server", play(listener, &script, pace))));
    std::thread::spawn(move || done.send(("client", run_client(&transcript, port))));
    let mut failures = Vec::new();
    for _ in 0..2 {
        match outcome.recv_timeout(LIMIT) {
            Ok((_, Ok(()))) => {}
            Ok((side, Err(why))) => failures.push(format!("{name}:{why} ({side})")),
            Err(RecvTimeoutError::Timeout) => {
                failures.push(format!("{name}: no end after {LIMIT:?}"));
                break;
            }
            Err(RecvTimeoutError::Disconnected) => {
                failures.push(format!("{name}: one side panicked"));
                break;
            }
        }
    }
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\n")) }
}

/// Does what the program does. An error begins with the number of the line.
fn run_client(transcript: &Transcript, port: u16) -> Result<(), String> {
    let handle = Handle::to(port);
    for numbered in &transcript.steps {
        step(&handle, port, &numbered.step).map_err(|e| {
            let said: Vec<String> = handle.events().iter().map(|e| format!("  | {} {}", e.name, e.text)).collect();
            format!("{}: {e}\n{}", numbered.line, said.join("\n"))
        })?;
    }
    Ok(())
}

fn step(handle: &Handle, port: u16, step: &Step) -> Result<(), String> {
    match step {
        Step::Set { name, value } => {
            let value = text(value)?;
            handle.set(name, &value).map_err(|e| format!("set gave {} {}", e.code, e.text))
        }
        Step::Config { name, value } => {
            let setting = format!("{name}={}", text(value)?);
            handle.config(&setting).map(drop).map_err(|e| format!("config gave {} {}", e.code, e.text))
        }
        Step::Do { method, argument, code, text: fragment } => {
            handle.clear_events();
            let (got, said) = match handle.call(method, &text(argument)?) {
                Ok(()) => (0, String::new()),
                Err(e) => (e.code, e.text),
            };
            if method == "Reset" {
                handle.must_set("MailServer", "127.0.0.1");
                handle.must_set("MailPort", &port.to_string());
            }
            if got != *code || !said.contains(fragment.as_str()) {
                return Err(format!("{method}: expected {code} {fragment:?}, got {got} {said:?}"));
            }
            if said.contains(['\r', '\n']) {
                return Err(format!("{method}: its error has more than one line: {said:?}"));
            }
            Ok(())
        }
        Step::Get { name, value } => {
            let got = handle.get(name).map_err(|e| format!("get gave {} {}", e.code, e.text))?;
            check(value, &got)
        }
        Step::Setting { name, value } => {
            let got = handle.config(name).map_err(|e| format!("config gave {} {}", e.code, e.text))?;
            check(value, &got)
        }
        Step::Stream { count, text } => {
            handle.stream(text.repeat(*count)).map_err(|e| format!("the stream gave {} {}", e.code, e.text))
        }
        Step::Deaf => {
            handle.deafen();
            Ok(())
        }
        Step::Event { name, text, fired } => {
            let heard = handle.events().iter().any(|e| e.name == name && e.text.contains(text.as_str()));
            match (heard, fired) {
                (true, true) | (false, false) => Ok(()),
                (false, true) => Err(format!("no {name} event with {text:?}")),
                (true, false) => Err(format!("a {name} event with {text:?}")),
            }
        }
        Step::Sleep(time) => {
            std::thread::sleep(*time);
            Ok(())
        }
        _ => Ok(()),
    }
}

fn check(wanted: &Pattern, got: &str) -> Result<(), String> {
    if wanted.matches(got.as_bytes()) { Ok(()) } else { Err(format!("expected \"{wanted}\", got {got:?}")) }
}

fn text(bytes: &[u8]) -> Result<String, String> {
    String::from_utf8(bytes.to_vec()).map_err(|_| "the value is no UTF-8".into())
}
