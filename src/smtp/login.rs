//! A login over a session: AUTH with or without an initial response, the challenges in Base64, the `*` that cancels
//! (RFC 4954). What is said is the mechanism's business ([`crate::auth`]); what may be seen of it is decided here.

use crate::auth::{Credentials, Login, Opening, SecretBytes};
use crate::error::{Code, Error, Result};
use crate::events::{self, Direction, Kind, PiTrail, Sink};
use crate::smtp::Context;
use crate::smtp::command::Command;
use crate::smtp::reply::Reply;
use crate::smtp::session::{Session, State, refused};
use crate::text::mask::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use memchr::memmem;
use std::borrow::Cow;
use std::io::IoSlice;
use zeroize::Zeroizing;

/// The longest command line with its CRLF (RFC 5321 §4.5.3.1.4), to which RFC 4954 §4 holds AUTH too.
const LONGEST_COMMAND: usize = 512;

/// Shorter secrets are not looked for: what they would be replaced in is more often a word than a secret.
const SHORTEST_SECRET: usize = 4;

const HIDDEN: &[u8] = b"***";

/// Letters and digits in a row from which on a part of a response is taken for a secret: a digest, a proof.
const SHORTEST_DIGEST: usize = 16;

/// What of a login is not seen: in no error text and no LastReply, and in no trace while `masked` (MaskSensitive).
pub struct Hide {
    masked: bool,
    user: String,
    secrets: Vec<Secret>,
}

impl Hide {
    pub fn new(masked: bool, credentials: &Credentials) -> Hide {
        let mut hide = Hide { masked, user: credentials.user.clone(), secrets: Vec::new() };
        hide.add_credentials(credentials);
        hide
    }

    /// Nor these: a login may go on with another token.
    pub fn add_credentials(&mut self, credentials: &Credentials) {
        let identity = credentials.authorization_identity.expose().trim();
        let token = identity.split_ascii_whitespace().last().unwrap_or_default();
        for text in [credentials.password.expose(), identity, token] {
            self.add(text);
            self.add(&encoded(text.as_bytes()));
        }
    }

    /// From now on this text is not shown where a server repeats it.
    fn add(&mut self, text: &str) {
        if text.len() >= SHORTEST_SECRET && !self.secrets.iter().any(|s| s.expose() == text) {
            // One that holds another goes before it, else its rest would stay.
            let place = self.secrets.partition_point(|s| s.expose().len() >= text.len());
            self.secrets.insert(place, Secret::new(text));
        }
    }

    /// Nor this response, as it stands on the wire and what is in it; the name of the user may be seen.
    fn add_response(&mut self, message: &SecretBytes, text: &str) {
        self.add(text);
        let pieces = std::str::from_utf8(message.expose()).unwrap_or_default();
        for piece in pieces.split(|c: char| !c.is_ascii_alphanumeric() && c != '+' && c != '/') {
            if piece.len() >= SHORTEST_DIGEST && !self.user.contains(piece) {
                self.add(piece);
            }
        }
    }

    fn bytes<'a>(&self, text: &'a [u8]) -> Cow<'a, [u8]> {
        let mut text = Cow::Borrowed(text);
        for secret in &self.secrets {
            let secret = secret.expose().as_bytes();
            let finder = memmem::Finder::new(secret);
            if finder.find(&text).is_none() {
                continue;
            }
            let mut clean = Vec::with_capacity(text.len());
            let mut rest = &text[..];
            while let Some(at) = finder.find(rest) {
                clean.extend_from_slice(&rest[..at]);
                clean.extend_from_slice(HIDDEN);
                rest = &rest[at + secret.len()..];
            }
            clean.extend_from_slice(rest);
            text = Cow::Owned(clean);
        }
        text
    }

    fn text(&self, text: &str) -> String {
        String::from_utf8_lossy(&self.bytes(text.as_bytes())).into_owned()
    }

    /// A line of the server: of a challenge only that there is one.
    fn line<'a>(&self, line: &'a [u8]) -> Cow<'a, [u8]> {
        match line.split_at_checked(4) {
            Some((code, text)) if code.starts_with(b"334") && !text.is_empty() => [code, HIDDEN].concat().into(),
            _ => self.bytes(line),
        }
    }

    fn reply(&self, text: &str) -> String {
        let lines: Vec<_> = text.split("\r\n").map(|line| self.line(line.as_bytes())).collect();
        String::from_utf8_lossy(&lines.join(&b"\r\n"[..])).into_owned()
    }

    fn error(&self, error: Error) -> Error {
        let text = self.text(&error.message);
        error.with_message(text)
    }
}

/// The listener while a login goes on: it gets the server's lines whole, and hands them on without their secrets.
struct Masking<'a> {
    hide: &'a Hide,
    sink: &'a dyn Sink,
    max_line: usize,
}

impl Sink for Masking<'_> {
    fn pi_trail(&self, event: &PiTrail) -> Result<()> {
        if event.direction != Direction::Server as i32 || event.message.is_empty() {
            return self.sink.pi_trail(event);
        }
        let line = self.hide.line(event.message);
        line.chunks(self.max_line.max(1))
            .try_for_each(|piece| self.sink.pi_trail(&PiTrail { message: piece, ..*event }))
    }

    fn wants(&self, kind: Kind) -> bool {
        self.sink.wants(kind)
    }
    fn connection_status(&self, event: &events::ConnectionStatus) -> Result<()> {
        self.sink.connection_status(event)
    }
    fn end_transfer(&self, event: &events::EndTransfer) -> Result<()> {
        self.sink.end_transfer(event)
    }
    fn error(&self, event: &events::Error) -> Result<()> {
        self.sink.error(event)
    }
    fn expand(&self, event: &events::Expand) -> Result<()> {
        self.sink.expand(event)
    }
    fn ssl_server_authentication(&self, event: &mut events::SslServerAuthentication) -> Result<()> {
        self.sink.ssl_server_authentication(event)
    }
    fn ssl_status(&self, event: &events::SslStatus) -> Result<()> {
        self.sink.ssl_status(event)
    }
    fn start_transfer(&self, event: &events::StartTransfer) -> Result<()> {
        self.sink.start_transfer(event)
    }
    fn token_wanted(&self, event: &events::TokenWanted) -> Result<()> {
        self.sink.token_wanted(event)
    }
    fn transfer(&self, event: &events::Transfer) -> Result<()> {
        self.sink.transfer(event)
    }
}

/// Asked for another login, with the server's reason, once it refused what may be an expired token; None leaves it at the refusal.
pub type Renew<'a> = &'a mut dyn FnMut(&str, &mut Hide) -> Result<Option<Login>>;

impl Session {
    /// Logs in, once, or with a second token where `renew` has one. A 235 counts only when the mechanism agrees; after a failure
    /// other than the server's plain no, nothing more is said here.
    pub fn log_in(&mut self, cx: &Context, login: &mut Login, hide: &mut Hide, renew: Renew) -> Result<()> {
        let mut done = self.exchange(cx, login, hide);
        if let Err(error) = &done {
            // The server said no, is not about to close, and may be asked again. Microsoft's has no JSON, just 535.
            let open = self.state != State::Dead && error.reply.is_some_and(|code| code / 100 == 5);
            let reason = match login.refusal() {
                Some(refusal) => refusal.wants_new_token.then(|| refusal.text.clone()),
                None => (error.reply == Some(535)).then(|| hide.text(&error.message)),
            };
            if let Some(reason) = reason.filter(|_| open) {
                match renew(&reason, hide) {
                    Ok(Some(mut again)) => done = self.exchange(cx, &mut again, hide),
                    Ok(None) => {}
                    Err(stopped) => done = Err(stopped),
                }
            }
        }
        if done.as_ref().is_err_and(|error| error.reply.is_none_or(|code| code < 400)) {
            self.state = State::Dead;
        }
        done.map_err(|error| hide.error(error))
    }

    fn exchange(&mut self, cx: &Context, login: &mut Login, hide: &mut Hide) -> Result<()> {
        let name = login.name();
        // What goes after the first 334, whatever that says.
        let mut waiting = None;
        let mut line = Zeroizing::new(format!("AUTH {name}"));
        match login.opening()? {
            Opening::OnCommandLine(message) => {
                let text = if message.is_empty() { Zeroizing::new("=".into()) } else { response(&message, hide) };
                if line.len() + 1 + text.len() + 2 <= LONGEST_COMMAND {
                    line.reserve_exact(LONGEST_COMMAND);
                    line.push(' ');
                    line.push_str(&text);
                } else {
                    waiting = Some(text);
                }
            }
            Opening::AfterPrompt(message) => waiting = Some(response(&message, hide)),
            Opening::ServerFirst => {}
        }
        let shown = if line.len() > 5 + name.len() { format!("AUTH {name} ***") } else { line.to_string() };
        let mut reply = self.say_secret(cx, &line, &shown, hide)?;
        loop {
            match reply.code {
                334 => {}
                235 if waiting.is_none() => return login.accepted(),
                235 => return Err(fails(name, "the server accepts the login before anything was said")),
                200..400 => {
                    return Err(refused(
                        &format!("The server answers the {name} login with neither yes nor no"),
                        &reply,
                    ));
                }
                _ => {
                    let why = login.refusal().map_or(String::new(), |refusal| format!(" ({})", refusal.text));
                    return Err(refused(&format!("The server refuses the {name} login{why}"), &reply));
                }
            }
            let answer = match waiting.take() {
                Some(text) => Ok(text),
                None => challenge(name, &reply).and_then(|c| login.answer(&c)).map(|answer| response(&answer, hide)),
            };
            reply = match answer {
                Ok(text) => self.say_secret(cx, &text, "***", hide)?,
                Err(error) => return Err(self.cancel(cx, error, hide)),
            };
        }
    }

    /// Says a line that may hold secrets, and reads the reply. The trace shows the line itself only when nothing is masked.
    fn say_secret(&mut self, cx: &Context, line: &str, shown: &str, hide: &Hide) -> Result<Reply> {
        let command = Command::secret(line, shown)?;
        let trace = if hide.masked { command.shown() } else { command.line() };
        cx.trace(Direction::Client, trace).inspect_err(|_| self.state = State::Dead)?;
        self.write(&mut [IoSlice::new(command.line()), IoSlice::new(b"\r\n")], cx.clock)?;
        let masking = Masking { hide, sink: cx.sink, max_line: cx.max_line };
        let last_reply = |text: &str| (cx.last_reply)(&hide.reply(text));
        let cx = Context {
            clock: cx.clock,
            sink: if hide.masked { &masking } else { cx.sink },
            last_reply: &last_reply,
            max_line: if hide.masked { usize::MAX } else { cx.max_line },
        };
        self.reply(&cx, "a reply")
    }

    /// Ends the exchange from our side (RFC 4954 §4); what the server says to it changes nothing.
    fn cancel(&mut self, cx: &Context, error: Error, hide: &Hide) -> Error {
        match self.say_secret(cx, "*", "*", hide) {
            Err(stopped) if stopped.code == Code::Interrupted => stopped,
            _ => error,
        }
    }
}

/// A response as it goes over the wire; it will not be shown.
fn response(message: &SecretBytes, hide: &mut Hide) -> Zeroizing<String> {
    let text = encoded(message.expose());
    hide.add_response(message, &text);
    text
}

fn encoded(bytes: &[u8]) -> Zeroizing<String> {
    // Straight into its place: growing would leave copies on the heap, an encoder's own buffer one on the stack.
    Zeroizing::new(base64_simd::STANDARD.encode_to_string(bytes))
}

/// The challenge in a 334.
fn challenge(name: &str, reply: &Reply) -> Result<Vec<u8>> {
    let mut texts = reply.texts();
    match (texts.next(), texts.next()) {
        (Some(text), None) => {
            STANDARD.decode(text.trim()).map_err(|_| fails(name, "the server's challenge is not Base64"))
        }
        _ => Err(fails(name, "the server's challenge has more than one line")),
    }
}

/// Error 161: the server's part of the exchange is not what the protocol allows.
fn fails(name: &str, what: &str) -> Error {
    Error::new(Code::Protocol, format!("The {name} login fails: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hide() -> Hide {
        let credentials = Credentials {
            user: "joe".into(),
            password: Secret::new("tanstaaf"),
            authorization_identity: Secret::new("Bearer t0ken.t0ken"),
        };
        let mut hide = Hide::new(true, &credentials);
        response(&SecretBytes::concat(&[b"\0joe\0tanstaaf"]), &mut hide);
        hide
    }

    #[test]
    fn what_a_server_repeats_of_a_login_is_hidden() {
        let hide = hide();
        for (said, seen) in [
            ("535 joe, not with tanstaaf", "535 joe, not with ***"),
            ("535 tanstaaftanstaaf", "535 ******"),
            ("535 dGFuc3RhYWY=", "535 ***"),
            ("535 bad response AGpvZQB0YW5zdGFhZg==", "535 bad response ***"),
            ("535 Bearer t0ken.t0ken", "535 ***"),
            ("535 bearer t0ken.t0ken", "535 bearer ***"),
            ("334 VXNlcm5hbWU6", "334 ***"),
            ("334-a", "334-***"),
            ("334 ", "334 "),
            ("334", "334"),
            ("235 2.7.0 welcome", "235 2.7.0 welcome"),
        ] {
            assert_eq!(String::from_utf8_lossy(&hide.line(said.as_bytes())), seen);
        }
        assert_eq!(hide.reply("334-dGFu\r\n334 c3Q="), "334-***\r\n334 ***");
        let error = hide.error(Error::refused(535, "535 tanstaaf"));
        assert_eq!((&error.message[..], error.reply), ("535 ***", Some(535)));
    }

    #[test]
    fn a_digest_that_comes_back_is_hidden_and_the_user_is_not() {
        let mut hide = hide();
        hide.user = "averyverylonguser".into();
        let digest = b"averyverylonguser b913a602c7eda7a495b4e6e7334d3890";
        response(&SecretBytes::concat(&[digest]), &mut hide);
        assert_eq!(&*hide.line(&[b"535 ", &digest[..]].concat()), b"535 averyverylonguser ***");
    }

    #[test]
    fn bytes_that_are_no_text_stay_as_they_are() {
        assert_eq!(&*hide().line(b"535 \xff\xfe tanstaaf \xff"), b"535 \xff\xfe *** \xff");
    }

    #[test]
    fn an_empty_or_short_secret_hides_no_words() {
        let credentials = Credentials { password: Secret::new("to"), ..Credentials::default() };
        assert_eq!(Hide::new(true, &credentials).text("535 not to be"), "535 not to be");
        assert_eq!(Hide::new(true, &Credentials::default()).text("535 no"), "535 no");
    }

    #[test]
    fn a_challenge_is_one_line_of_base64() {
        let of = |lines: &[&str]| challenge("X", &Reply { code: 334, text: lines.join("\r\n") });
        assert_eq!(of(&["334 dGFu"]).unwrap(), b"tan");
        assert_eq!(of(&["334 dGE= "]).unwrap(), b"ta");
        assert_eq!(of(&["334"]).unwrap(), b"");
        for bad in [&["334 dGE"][..], &["334 d GE="], &["334 Username:"], &["334 ="], &["334-dGFu", "334 dGFu"]] {
            assert_eq!(of(bad).unwrap_err().code, Code::Protocol, "{bad:?}");
        }
    }
}
