//! `openssl s_server` on loopback with a certificate of pki.sh, and a client of it.

use ssmtp::error::Result;
use ssmtp::net::tls::{Failure, Judge, Provider, Question, Secured, TlsOptions};
use ssmtp::net::{Clock, DialOptions, Interrupt, Stream, dial};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

pub const NAME: &str = "mail.example";

/// The folder of the certificates, made once for the process.
pub fn pki() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let all = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tls-pki");
        // Runs that are over leave theirs behind.
        for old in fs::read_dir(&all).into_iter().flatten().flatten() {
            if !Path::new("/proc").join(old.file_name()).exists() {
                let _ = fs::remove_dir_all(old.path());
            }
        }
        let folder = all.join(std::process::id().to_string());
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tls/pki.sh");
        let status = Command::new("sh").arg(script).arg(&folder).status().unwrap();
        assert!(status.success(), "pki.sh failed");
        folder
    })
}

pub fn path(name: &str) -> String {
    pki().join(name).to_str().unwrap().to_owned()
}

pub fn pem(name: &str) -> String {
    fs::read_to_string(path(&format!("{name}.pem"))).unwrap()
}

pub fn der(name: &str) -> Vec<u8> {
    let text = pem(name);
    ssmtp::net::tls::roots::from_pem(text.as_bytes(), name).unwrap().remove(0).to_vec()
}

/// A server process. Its output is collected; it ends with this value.
pub struct Server {
    child: Child,
    pub port: u16,
    output: Arc<Mutex<String>>,
}

impl Server {
    /// With the certificate `name`, and its chain where pki.sh made one.
    pub fn start(name: &str, arguments: &[&str]) -> Server {
        let chain = path(&format!("{name}.chain"));
        let chain = if Path::new(&chain).exists() { vec!["-cert_chain".to_owned(), chain] } else { Vec::new() };
        let mut child = Command::new("openssl")
            .args(["s_server", "-accept", "127.0.0.1:0"])
            .args(["-cert", &path(&format!("{name}.pem")), "-key", &path(&format!("{name}.key"))])
            .args(chain)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let output = Arc::new(Mutex::new(String::new()));
        collect(child.stdout.take().unwrap(), &output);
        collect(child.stderr.take().unwrap(), &output);
        let mut server = Server { child, port: 0, output };
        let text = server.wait_for(|text| text.contains("ACCEPT 127.0.0.1:"));
        let port = text.split("ACCEPT 127.0.0.1:").nth(1).unwrap().lines().next().unwrap();
        server.port = port.trim().parse().unwrap();
        server
    }

    pub fn output(&self) -> String {
        self.output.lock().unwrap().clone()
    }

    pub fn wait_for(&self, ready: impl Fn(&str) -> bool) -> String {
        let end = Instant::now() + Duration::from_secs(10);
        loop {
            let text = self.output();
            if ready(&text) {
                return text;
            }
            assert!(Instant::now() < end, "the server said only: {text}");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// What the server sends to the client that is connected (without -rev).
    pub fn say(&mut self, text: &str) {
        let input = self.child.stdin.as_mut().unwrap();
        input.write_all(text.as_bytes()).unwrap();
        input.flush().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn collect(from: impl Read + Send + 'static, into: &Arc<Mutex<String>>) {
    let into = Arc::clone(into);
    thread::spawn(move || {
        let mut from = BufReader::new(from);
        let mut line = Vec::new();
        while from.read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
            into.lock().unwrap().push_str(&String::from_utf8_lossy(&line));
            line.clear();
        }
    });
}

/// A judge who writes down what it is asked, and may have an opinion.
#[derive(Default)]
pub struct Witness {
    pub opinion: Option<bool>,
    pub questions: Vec<(String, bool)>,
    pub failures: Vec<Failure>,
    pub chain: Vec<Vec<u8>>,
    pub lines: Vec<String>,
}

impl Judge for Witness {
    fn judge(&mut self, question: &Question<'_>) -> Result<bool> {
        self.questions.push((question.status.to_owned(), question.accept));
        self.failures = question.failures.to_vec();
        self.chain = question.chain.to_vec();
        Ok(self.opinion.unwrap_or(question.accept))
    }

    fn progress(&mut self, line: &str) -> Result<()> {
        self.lines.push(line.to_owned());
        Ok(())
    }
}

pub fn clock() -> Clock {
    Clock::new(Some(Duration::from_secs(10)), None, Interrupt::new())
}

pub fn connect(port: u16) -> Box<dyn Stream> {
    let options = DialOptions { host: "127.0.0.1".into(), port, ..DialOptions::default() };
    Box::new(dial(&options, &clock()).unwrap())
}

/// Options that trust the tests' authority and want `mail.example`.
pub fn trusting(port: u16) -> TlsOptions {
    TlsOptions { extra_roots: pem("ca"), ..TlsOptions::new(NAME, port) }
}

pub fn handshake(provider: &dyn Provider, options: &TlsOptions, judge: &mut dyn Judge) -> Result<Secured> {
    provider.handshake(connect(options.port), options, &clock(), judge)
}

/// One handshake with a provider of its own, and what its judge saw.
pub fn once(options: &TlsOptions) -> (Result<Secured>, Witness) {
    let mut witness = Witness::default();
    let result = handshake(&*crate::fresh(), options, &mut witness);
    (result, witness)
}
