//! No secret of a login comes out of the library: a server that repeats all it hears, in challenges and in refusals, with
//! every mechanism, and everything that the program can see searched for the password, the token, what is made of them and
//! their Base64. Logins at real servers are in tests/login/.

mod common;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::Handle;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

const USER: &str = "tim";
const PASSWORD: &str = "tanstaaf-Zx7!tanstaaf";
const TOKEN: &str = "ya29.s3cr3t-t0ken_of.tim";

/// An NTLM challenge: MS-NLMP section 4.2.4.3.
const NTLM: &str = "TlRMTVNTUAACAAAADAAMADgAAAAzgoriASNFZ4mrze8AAAAAAAAAACQAJABEAAAABgBwFwAAAA9TAGUAcgB2AGUAcgACAAwARABvAG0AYQBpAG4AAQAMAFMAZQByAHYAZQByAAAAAAA=";

/// How a login ends at this server.
#[derive(Clone, Copy, PartialEq)]
enum End {
    /// 535 with everything that was heard in its lines.
    Refused,
    /// A line that is no reply, with the last line that was heard in it.
    Garbled,
    /// The connection closes after the first challenge.
    Cut,
}

/// A server for one connection. It gives the lines of the login that it heard.
fn server(mechanism: &'static str, end: End) -> (u16, Receiver<Vec<String>>) {
    server_with(move |stream, heard| converse(stream, mechanism, end, heard))
}

fn server_with(
    talk: impl FnOnce(TcpStream, &mut Vec<String>) -> std::io::Result<()> + Send + 'static,
) -> (u16, Receiver<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (tell, heard) = channel();
    thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut lines = Vec::new();
        let _ = talk(stream, &mut lines);
        let _ = tell.send(lines);
    });
    (port, heard)
}

fn converse(mut stream: TcpStream, mechanism: &str, end: End, heard: &mut Vec<String>) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut hear = |heard: &mut Vec<String>| -> std::io::Result<bool> {
        let mut line = String::new();
        let more = reader.read_line(&mut line)? > 0;
        heard.push(line.trim_end().to_string());
        Ok(more)
    };
    write!(stream, "220 echo.example\r\n")?;
    hear(&mut Vec::new())?;
    write!(stream, "250-echo.example\r\n250 AUTH {mechanism}\r\n")?;
    hear(heard)?;
    for challenge in challenges(mechanism, &heard[0]) {
        write!(stream, "334 {challenge}\r\n")?;
        if end == End::Cut {
            return Ok(());
        }
        if !hear(heard)? || heard.last().is_some_and(|line| line == "*") {
            break;
        }
    }
    if end == End::Garbled {
        let last = heard.last().unwrap().split(' ').next_back().unwrap_or_default().to_string();
        write!(stream, "you said {last} and {PASSWORD}\r\n")?;
    } else {
        for line in heard.iter() {
            let text = line.split(' ').next_back().unwrap_or_default();
            let plain = STANDARD.decode(text).unwrap_or_default();
            let plain: String = String::from_utf8_lossy(&plain).chars().filter(|c| !c.is_control()).collect();
            write!(stream, "535-you said {line} which is {plain}\r\n")?;
        }
        let secret = if mechanism.contains("OAUTH") { TOKEN } else { PASSWORD };
        write!(stream, "535 {secret} {PASSWORD} {} {}\r\n", STANDARD.encode(secret), STANDARD.encode(PASSWORD))?;
    }
    hear(&mut Vec::new()).map(drop)
}

/// What this server says before it refuses; where a mechanism has room for it, the secret itself.
fn challenges(mechanism: &str, auth: &str) -> Vec<String> {
    let encode = |text: String| STANDARD.encode(text);
    let json = format!(r#"{{"status":"401","schemes":"bearer {TOKEN}","scope":"{PASSWORD}"}}"#);
    match mechanism {
        "LOGIN" => vec![encode("Username:".into()), encode(format!("{PASSWORD}?"))],
        "CRAM-MD5" => vec![encode(format!("<{PASSWORD}@echo.example>"))],
        "DIGEST-MD5" => vec![encode(format!(
            r#"realm="{PASSWORD}",nonce="OA6MG9tEQGm2hh",qop="auth",algorithm=md5-sess,charset=utf-8"#
        ))],
        "NTLM" => vec![String::new(), NTLM.into()],
        "XOAUTH2" | "OAUTHBEARER" => vec![encode(json)],
        "EXTERNAL" | "PLAIN" => vec![encode(PASSWORD.into())],
        _ => {
            // SCRAM: our half of the nonce must come back.
            let first = STANDARD.decode(auth.split(' ').next_back().unwrap_or_default()).unwrap_or_default();
            let first = String::from_utf8_lossy(&first).into_owned();
            let nonce = first.split(",r=").nth(1).unwrap_or_default().to_string();
            vec![
                encode(format!("r={nonce}more,s={},i=4096", STANDARD.encode("salt"))),
                encode(format!("e=not with {PASSWORD}")),
            ]
        }
    }
}

const MECHANISMS: [&str; 11] = [
    "PLAIN",
    "LOGIN",
    "CRAM-MD5",
    "DIGEST-MD5",
    "NTLM",
    "XOAUTH2",
    "OAUTHBEARER",
    "SCRAM-SHA-1",
    "SCRAM-SHA-256",
    "SCRAM-SHA-512",
    "EXTERNAL",
];

struct Seen {
    trace: String,
    rest: String,
    heard: Vec<String>,
}

fn log_in(mechanism: &'static str, end: End, masked: bool, ntlm_v2: bool) -> Seen {
    let (port, heard) = server(mechanism, end);
    let handle = Handle::to(port);
    handle.must_set("User", USER);
    handle.must_set("Password", PASSWORD);
    handle.config(&format!("SASLMechanism={mechanism}")).unwrap();
    handle.config(&format!("UseNTLMv2={}", if ntlm_v2 { "True" } else { "False" })).unwrap();
    handle.config(&format!("MaskSensitive={}", if masked { "True" } else { "False" })).unwrap();
    if mechanism.contains("OAUTH") {
        handle.config(&format!("AuthorizationIdentity=Bearer {TOKEN}")).unwrap();
    }
    let failure = handle.call("Connect", "").expect_err("the server refuses every login");
    let mut seen = Seen { trace: String::new(), rest: format!("{failure:?}\n"), heard: Vec::new() };
    for event in handle.events() {
        let place = if event.name == "PITrail" { &mut seen.trace } else { &mut seen.rest };
        place.push_str(&format!("{} {}\n", event.name, event.text));
    }
    for name in ["LastReply", "User", "MailServer", "AuthMechanism"] {
        seen.rest += &format!("{name}={}\n", handle.get(name).unwrap());
    }
    for name in ["ServerExtensions", "SASLMechanism"] {
        seen.rest += &format!("{name}={}\n", handle.config(name).unwrap());
    }
    seen.rest += &handle.last_error();
    seen.heard = heard.recv_timeout(Duration::from_secs(20)).expect("the server ends");
    seen
}

/// The secrets, what was said of them, and what they are made into.
fn secrets(heard: &[String]) -> Vec<String> {
    let mut all = vec![PASSWORD.to_string(), TOKEN.to_string(), STANDARD.encode(PASSWORD), STANDARD.encode(TOKEN)];
    for line in heard {
        let text = line.split(' ').next_back().unwrap_or_default();
        let Ok(plain) = STANDARD.decode(text) else { continue };
        // The user's name may be seen, and so may what is shorter than a secret.
        if plain == USER.as_bytes() || text.len() < 8 {
            continue;
        }
        all.push(text.to_string());
        let plain = String::from_utf8_lossy(&plain).into_owned();
        let digests = plain.split(|c: char| !c.is_ascii_alphanumeric()).filter(|p| p.len() >= 20);
        all.extend(digests.map(str::to_string));
    }
    all
}

#[test]
fn no_secret_of_a_login_is_seen_anywhere() {
    for mechanism in MECHANISMS {
        for end in [End::Refused, End::Garbled, End::Cut] {
            for ntlm_v2 in [false, true] {
                let seen = log_in(mechanism, end, true, ntlm_v2);
                assert!(seen.trace.contains(&format!("AUTH {mechanism}")), "{mechanism}: {}", seen.trace);
                for secret in secrets(&seen.heard) {
                    assert!(!seen.trace.contains(&secret), "{mechanism}: {secret} in the trace:\n{}", seen.trace);
                    assert!(!seen.rest.contains(&secret), "{mechanism}: {secret} in:\n{}", seen.rest);
                }
            }
        }
    }
}

#[test]
fn with_masking_off_the_trace_shows_the_login_and_nothing_else_does() {
    for mechanism in MECHANISMS {
        let seen = log_in(mechanism, End::Refused, false, true);
        for line in &seen.heard {
            assert!(seen.trace.contains(line.as_str()), "{mechanism}: {line} is not in the trace:\n{}", seen.trace);
        }
        assert!(seen.trace.contains(PASSWORD), "{mechanism}: {}", seen.trace);
        for secret in secrets(&seen.heard) {
            assert!(!seen.rest.contains(&secret), "{mechanism}: {secret} in:\n{}", seen.rest);
        }
    }
}

#[test]
fn a_challenge_of_any_size_is_answered_or_refused() {
    for (size, code, answered) in [(0, 161, true), (40_000, 161, true), (1 << 20, 162, false)] {
        let challenge = STANDARD.encode(vec![b'x'; size]);
        let (port, heard) = server_with(move |mut stream, heard| {
            let mut lines = BufReader::new(stream.try_clone()?).lines();
            write!(stream, "220 large.example\r\n")?;
            lines.next().transpose()?;
            write!(stream, "250-large.example\r\n250 AUTH CRAM-MD5\r\n")?;
            lines.next().transpose()?;
            write!(stream, "334 {challenge}\r\n")?;
            heard.extend(lines.next().transpose()?);
            write!(stream, "535 no\r\n")?;
            lines.next().transpose().map(drop)
        });
        let handle = Handle::to(port);
        handle.must_set("User", USER);
        handle.must_set("Password", PASSWORD);
        handle.must_set("AuthMechanism", "amCRAMMD5");
        let begun = Instant::now();
        assert_eq!(handle.call("Connect", "").unwrap_err().code, code, "{size}");
        assert!(begun.elapsed() < Duration::from_secs(2), "{size}");
        let heard = heard.recv_timeout(Duration::from_secs(20)).expect("the server ends");
        assert_eq!(!heard.is_empty(), answered, "{size}: {heard:?}");
    }
}

#[test]
fn a_secret_is_read_back_only_by_its_own_name() {
    let handle = Handle::new();
    handle.must_set("Password", PASSWORD);
    handle.config(&format!("AuthorizationIdentity={TOKEN}")).unwrap();
    assert_eq!(handle.get("Password").unwrap(), PASSWORD);
    assert_eq!(handle.config("AuthorizationIdentity").unwrap(), TOKEN);
    for (name, value) in [("Password", format!("{PASSWORD}\r\nx")), ("User", format!("{PASSWORD}\n"))] {
        let refused = handle.set(name, &value).unwrap_err();
        assert_eq!(refused.code, 603);
        assert!(!refused.text.contains(PASSWORD), "{}", refused.text);
    }
    let refused = handle.config(&format!("AuthorizationIdentity={TOKEN}\n")).unwrap_err();
    assert!(refused.code == 603 && !refused.text.contains(TOKEN));
    assert_eq!(handle.get("Password").unwrap(), PASSWORD, "a refused value changes nothing");
    handle.call("Reset", "").unwrap();
    assert_eq!(handle.get("Password").unwrap(), "");
    assert_eq!(handle.config("AuthorizationIdentity").unwrap(), "");
}

#[test]
fn apop_is_refused_when_it_is_set_and_kerberos_is_not() {
    let handle = Handle::new();
    for value in ["3", "amAPOP"] {
        assert_eq!(handle.set("AuthMechanism", value).unwrap_err().code, 603);
    }
    assert_eq!(handle.get("AuthMechanism").unwrap(), "0");
    handle.must_set("AuthMechanism", "amKerberos");
    assert_eq!(handle.get("AuthMechanism").unwrap(), "6");
}

#[test]
fn a_name_of_no_mechanism_is_refused_when_it_is_set() {
    let handle = Handle::new();
    handle.config("SASLMechanism=scram-sha-256-PLUS").unwrap();
    for name in ["PLAN", "SCRAM", "PLAIN LOGIN", "SCRAM-SHA-256-PLUS-PLUS", "*"] {
        let refused = handle.config(&format!("SASLMechanism={name}")).unwrap_err();
        assert_eq!(refused.code, 603, "{name}");
        assert!(refused.text.contains("SCRAM-SHA-512-PLUS"), "it names those that there are: {}", refused.text);
    }
    assert_eq!(handle.config("SASLMechanism").unwrap(), "scram-sha-256-PLUS", "a refused value changes nothing");
    handle.config("SASLMechanism=").unwrap();
}

/// What a handler of TokenWanted answers, and what it was told.
struct Asked {
    token: &'static str,
    told: Vec<String>,
    stop: bool,
}

unsafe extern "C" fn on_token_wanted(
    smtp: *mut ssmtp::ffi::ssmtp_t,
    event: *mut ssmtp::ffi::ssmtp_token_wanted_event,
    asked: *mut std::ffi::c_void,
) -> i32 {
    // SAFETY: what `asks_for_tokens` registered, a whole event, and a text that ends with NUL.
    unsafe {
        let asked = &mut *asked.cast::<Asked>();
        let text = |text| std::ffi::CStr::from_ptr(text).to_str().unwrap().to_string();
        asked.told.push(format!("{}: {}", text((*event).user), text((*event).reason)));
        if asked.token.is_empty() {
            return i32::from(asked.stop);
        }
        let setting = std::ffi::CString::new(format!("AuthorizationIdentity={}", asked.token)).unwrap();
        ssmtp::ffi::ssmtp_config(smtp, setting.as_ptr(), std::ptr::null_mut())
    }
}

/// A server that takes GOOD only, and says of another token what is given. It gives the tokens that it got.
fn token_server(json: &'static str) -> (u16, Receiver<Vec<String>>) {
    server_with(move |mut stream, heard| {
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        let mut lines = BufReader::new(stream.try_clone()?).lines();
        write!(stream, "220 token.example\r\n")?;
        lines.next().transpose()?;
        write!(stream, "250-token.example\r\n250 AUTH XOAUTH2 OAUTHBEARER\r\n")?;
        while let Some(line) = lines.next().transpose()? {
            let Some(("AUTH", rest)) = line.split_once(' ') else { break };
            let message = STANDARD.decode(rest.split(' ').nth(1).unwrap_or_default()).unwrap_or_default();
            let message = String::from_utf8_lossy(&message).into_owned();
            let token =
                message.split("auth=Bearer ").nth(1).unwrap_or_default().split('\x01').next().unwrap_or_default();
            heard.push(token.to_string());
            if token == "GOOD-t0ken" {
                write!(stream, "235 welcome\r\n")?;
                continue;
            }
            if !json.is_empty() {
                write!(stream, "334 {}\r\n", STANDARD.encode(json))?;
                lines.next().transpose()?;
            }
            write!(stream, "535 5.7.8 not with {token}\r\n")?;
        }
        Ok(())
    })
}

fn asks_for_tokens(json: &'static str, own: &str, asked: &mut Asked) -> (common::Outcome, Vec<String>, String) {
    let mut outcome = None;
    let mut all = String::new();
    let mut heard_by_server = Vec::new();
    for mechanism in ["XOAUTH2", "OAUTHBEARER"] {
        asked.told.clear();
        let (port, heard) = token_server(json);
        let handle = Handle::to(port);
        handle.must_set("User", USER);
        handle.config(&format!("SASLMechanism={mechanism}")).unwrap();
        if !own.is_empty() {
            handle.config(&format!("AuthorizationIdentity=Bearer {own}")).unwrap();
        }
        let userdata = (&raw mut *asked).cast();
        // SAFETY: what is asked outlives the handle.
        assert_eq!(unsafe { ssmtp::ffi::ssmtp_on_token_wanted(handle.raw(), Some(on_token_wanted), userdata) }, 0);
        let done = handle.call("Connect", "");
        let connected = handle.get("Connected").unwrap();
        assert_eq!(connected == "True", done.is_ok());
        let _ = handle.call("Disconnect", "");
        heard_by_server = heard.recv_timeout(Duration::from_secs(20)).expect("the server ends");
        all += &format!("{:?} {done:?} {}", handle.events(), handle.get("LastReply").unwrap());
        assert!(outcome.as_ref().is_none_or(|before| *before == done.is_ok()));
        outcome = Some(done.is_ok());
        if mechanism == "OAUTHBEARER" {
            return (done, heard_by_server, all);
        }
    }
    (Ok(()), heard_by_server, all)
}

const EXPIRED: &str = r#"{"status":"401","schemes":"bearer"}"#;

#[test]
fn a_handler_gives_another_token_when_one_has_expired_and_it_is_tried_once() {
    let mut asked = Asked { token: "GOOD-t0ken", told: Vec::new(), stop: false };
    let (done, heard, all) = asks_for_tokens(EXPIRED, "STALE-t0ken", &mut asked);
    done.unwrap();
    assert_eq!(heard, ["STALE-t0ken", "GOOD-t0ken"]);
    assert_eq!(asked.told, ["tim: status 401, schemes bearer"]);
    assert!(!all.contains("t0ken"), "{all}");
    // A server that gives no reason but its reply.
    let (done, heard, _) = asks_for_tokens("", "STALE-t0ken", &mut asked);
    done.unwrap();
    assert_eq!(heard, ["STALE-t0ken", "GOOD-t0ken"]);
    assert_eq!(asked.told, ["tim: The server refuses the OAUTHBEARER login: 535 5.7.8 not with ***"]);
    // Another bad one: the second refusal is final.
    let mut asked = Asked { token: "OTHER-t0ken", told: Vec::new(), stop: false };
    let (done, heard, all) = asks_for_tokens(EXPIRED, "STALE-t0ken", &mut asked);
    assert_eq!(done.unwrap_err().code, 161);
    assert_eq!((heard.len(), asked.told.len()), (2, 1));
    assert!(!all.contains("t0ken"), "{all}");
}

#[test]
fn a_handler_gives_the_first_token_where_there_is_none() {
    let mut asked = Asked { token: "GOOD-t0ken", told: Vec::new(), stop: false };
    let (done, heard, _) = asks_for_tokens(EXPIRED, "", &mut asked);
    done.unwrap();
    assert_eq!((heard, asked.told), (vec!["GOOD-t0ken".to_string()], vec!["tim: ".to_string()]));
    let mut asked = Asked { token: "", told: Vec::new(), stop: false };
    assert_eq!(asks_for_tokens(EXPIRED, "", &mut asked).0.unwrap_err().code, 603);
}

#[test]
fn a_handler_without_a_better_token_leaves_it_at_the_refusal_or_stops() {
    for (token, stop, code) in [("", false, 161), ("Bearer STALE-t0ken", false, 161), ("", true, 301)] {
        let mut asked = Asked { token, told: Vec::new(), stop };
        let (done, heard, _) = asks_for_tokens(EXPIRED, "STALE-t0ken", &mut asked);
        assert_eq!((done.unwrap_err().code, heard.len(), asked.told.len()), (code, 1, 1));
    }
    // Not for want of a fresh token.
    let mut asked = Asked { token: "GOOD-t0ken", told: Vec::new(), stop: false };
    let (done, heard, _) = asks_for_tokens(r#"{"status":"insufficient_scope"}"#, "STALE-t0ken", &mut asked);
    assert_eq!((done.unwrap_err().code, heard.len(), asked.told.len()), (161, 1, 0));
}
