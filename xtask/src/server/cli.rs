//! `cargo xtask serve`: the embedded server as a program.

use super::tls::{Mode, Tls};
use super::transcript::Transcript;
use super::{Fault, Options, Server, play};
use std::io::Write as _;
use std::net::TcpListener;
use std::path::PathBuf;
use std::time::Duration;

const USAGE: &str = r#"cargo xtask serve [options]     an SMTP server on loopback, for tests and the demo
  --port N             the port to listen at (0, which is the default: a free one)
  --bind ADDRESS       the address to listen at (127.0.0.1)
  --extensions LIST    EHLO keywords, as "8BITMIME,SIZE 10240000,PIPELINING,CHUNKING" (none)
  --auth USER:PASSWORD offer AUTH PLAIN LOGIN, and take mail after a login only
  --tls MODE           implicit: TLS at once; starttls: by that command; with --cert and --key
  --cert FILE          PEM: the server's certificate and what it sends after it
  --key FILE           PEM: its key; both are made, for localhost and 127.0.0.1, where neither is there
  --eml FOLDER         save every message as 1.eml, with its envelope in 1.envelope
  --print              show every message
  --count N            end after N messages
  --max-message BYTES  refuse longer messages (67108864)
  --discard            keep no message, only count
  --delay MS           wait before every reply, once before those to a group of commands
  --one-byte           send every byte of a reply by itself
  --fault FAULT        do something wrong; may stand more than once:
                         POINT[@TIMES][:SUBSTRING]=ACTION
                       POINT: GREETING EHLO HELO MAIL RCPT DATA DATA-BODY DATA-END BDAT RSET NOOP QUIT VRFY EXPN HELP
                         AUTH AUTH-STEP STARTTLS OTHER ANY; TIMES: the first so many only; SUBSTRING: in its argument
                       ACTION: close, reset, stall, garbage, endless, wait MS, or a reply (\r\n between its lines)
                         RCPT:bad@x.example=550 5.1.1 no such user     DATA-END@1=451 try later     MAIL=close
  --transcript FILE    play the server's side of a transcript, and end with an error when the client says anything else
  --limit MS           with a transcript: the longest wait for the client (10000)
The first line on stdout is "listening ADDRESS:PORT"; then it serves until it is killed."#;

#[derive(Default)]
struct Arguments {
    options: Options,
    tls: Option<Mode>,
    cert: Option<PathBuf>,
    key: Option<PathBuf>,
    count: Option<usize>,
    transcript: Option<PathBuf>,
    limit: Option<Duration>,
}

pub fn main(args: &[&str]) -> Result<(), String> {
    if args.iter().any(|a| matches!(*a, "--help" | "-h")) {
        say(USAGE);
        return Ok(());
    }
    let arguments = parse(args)?;
    let address = format!("{}:{}", arguments.options.bind, arguments.options.port);
    if let Some(path) = arguments.transcript {
        let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        let transcript = Transcript::parse(&text).map_err(|e| format!("{}:{e}", path.display()))?;
        let options = &arguments.options;
        let listener =
            TcpListener::bind((options.bind.as_str(), options.port)).map_err(|e| format!("{address}: {e}"))?;
        let port = listener.local_addr().map_err(|e| e.to_string())?.port();
        say(&format!("listening {}:{port}", options.bind));
        let mut pace = options.pace;
        pace.patience = arguments.limit.unwrap_or(Duration::from_secs(10));
        return play::play(listener, &transcript, pace).map_err(|e| format!("{}:{e}", path.display()));
    }
    let mut arguments = arguments;
    if let (Some(mode), Some(cert), Some(key)) = (arguments.tls, &arguments.cert, &arguments.key) {
        arguments.options.tls = Some(Tls::from_files(mode, cert, key)?);
    }
    let bind = arguments.options.bind.clone();
    let server = Server::start(arguments.options).map_err(|e| format!("{address}: {e}"))?;
    say(&format!("listening {bind}:{}", server.port()));
    match arguments.count {
        Some(count) => {
            while !server.wait(count, Duration::from_secs(3600)) {}
            // The client still says QUIT and wants to hear its answer.
            server.wait_idle(Duration::from_secs(5));
            Ok(())
        }
        None => loop {
            std::thread::park();
        },
    }
}

/// One line for whoever started us, who may be gone already.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

fn parse(args: &[&str]) -> Result<Arguments, String> {
    let mut arguments = Arguments::default();
    let mut rest = args.iter();
    while let Some(&name) = rest.next() {
        let options = &mut arguments.options;
        let mut value = || rest.next().copied().ok_or_else(|| format!("{name}: a value is wanted"));
        match name {
            "--port" => options.port = number(name, value()?)?,
            "--bind" => options.bind = value()?.into(),
            "--extensions" => *options = std::mem::take(options).offer(value()?),
            "--auth" => {
                let (user, password) = value()?.split_once(':').ok_or("--auth: USER:PASSWORD is wanted")?;
                options.auth = Some((user.into(), password.into()));
            }
            "--tls" => {
                arguments.tls = Some(Mode::parse(value()?).ok_or("--tls: implicit or starttls is wanted")?);
            }
            "--cert" => arguments.cert = Some(value()?.into()),
            "--key" => arguments.key = Some(value()?.into()),
            "--eml" => options.eml = Some(value()?.into()),
            "--print" => options.print = true,
            "--discard" => options.discard = true,
            "--one-byte" => options.pace.one_byte = true,
            "--max-message" => options.max_message = number(name, value()?)?,
            "--delay" => options.pace.delay = Duration::from_millis(number(name, value()?)?),
            "--fault" => options.faults.push(Fault::parse(value()?)?),
            "--count" => arguments.count = Some(number(name, value()?)?),
            "--transcript" => arguments.transcript = Some(value()?.into()),
            "--limit" => arguments.limit = Some(Duration::from_millis(number(name, value()?)?)),
            _ => return Err(format!("{name}: not known\n{USAGE}")),
        }
    }
    if arguments.tls.is_some() != (arguments.cert.is_some() && arguments.key.is_some()) {
        return Err("--tls, --cert and --key go together".into());
    }
    if arguments.options.discard && arguments.options.eml.is_some() {
        return Err("--discard and --eml exclude each other".into());
    }
    Ok(arguments)
}

fn number<T: std::str::FromStr>(name: &str, value: &str) -> Result<T, String> {
    value.parse().map_err(|_| format!("{name}: {value} is not such a number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_is_understood() {
        let text = "--port 2525 --bind ::1 --extensions 8BITMIME,,DSN --auth me:a:b --eml f --print --one-byte --delay 5 \
                    --max-message 99 --fault MAIL=close --fault QUIT=reset --count 3 --transcript t --limit 7 \
                    --tls starttls --cert c --key k";
        let a = parse(&text.split_ascii_whitespace().collect::<Vec<_>>()).map_err(|e| panic!("{e}")).unwrap();
        assert_eq!((a.options.port, a.options.bind.as_str(), a.options.max_message), (2525, "::1", 99));
        assert_eq!(a.options.extensions, ["8BITMIME", "DSN"]);
        assert_eq!(a.options.auth, Some(("me".into(), "a:b".into())));
        assert!(a.options.print && a.options.pace.one_byte && a.options.pace.delay == Duration::from_millis(5));
        assert_eq!((a.options.faults.len(), a.count, a.limit), (2, Some(3), Some(Duration::from_millis(7))));
        assert_eq!((a.tls, a.cert, a.key), (Some(Mode::StartTls), Some("c".into()), Some("k".into())));
        assert_eq!((a.options.eml, a.transcript), (Some("f".into()), Some("t".into())));
    }

    #[test]
    fn a_wrong_option_is_told_and_nothing_is_started() {
        for wrong in [
            "--nonsense",
            "--port",
            "--port x",
            "--port 99999",
            "--auth x",
            "--tls x",
            "--tls implicit",
            "--fault x",
            "--eml f --discard",
        ] {
            assert!(main(&wrong.split_ascii_whitespace().collect::<Vec<_>>()).is_err(), "{wrong}");
        }
    }
}
