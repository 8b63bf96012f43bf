//! Login mechanisms (SASL, RFC 4422, and what servers speak beside it) as state machines: bytes in, bytes out.
//!
//! [`choice`] says which mechanism is used, [`login`] builds it, and [`Login`] runs it. Base64, the `*` that cancels,
//! and sockets are the session's business (RFC 4954); secrets are wiped and no `Debug` shows them.

mod aside;
pub mod choice;
pub mod cram_md5;
mod crypto;
pub mod digest_md5;
pub mod external;
pub mod gssapi;
pub mod http_digest;
pub mod ntlm;
mod oauth;
pub mod oauthbearer;
pub mod plain;
pub mod prepare;
pub mod scram;
pub mod user_password;
pub mod xoauth2;

#[cfg(test)]
mod tests;

pub use aside::Aside;
pub use choice::{Choice, Method, Offer, Wish, choose, is_wanted};
pub use oauth::Refusal;

use crate::error::{Code, Error, Result};
use crate::text::mask::Secret;
use std::fmt;
use zeroize::Zeroizing;

/// The largest decoded challenge that is looked at; the largest that a known server sends is an NTLM one of about 1
/// KiB.
pub const LONGEST_CHALLENGE: usize = 64 * 1024;

/// More challenges than any mechanism here has steps.
const MOST_CHALLENGES: u32 = 8;

/// Bytes of a login: a message that holds a password, or what is made of one. Wiped when dropped, and not shown.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SecretBytes(Zeroizing<Vec<u8>>);

impl SecretBytes {
    /// One piece of memory from the start: growing would leave copies behind.
    pub fn concat(parts: &[&[u8]]) -> SecretBytes {
        let mut all = Vec::with_capacity(parts.iter().map(|p| p.len()).sum());
        for part in parts {
            all.extend_from_slice(part);
        }
        SecretBytes(Zeroizing::new(all))
    }

    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Who logs in.
#[derive(Debug, Clone, Default)]
pub struct Credentials {
    pub user: String,
    pub password: Secret,
    /// The identity to act as when it is not the user; for OAuth the token.
    pub authorization_identity: Secret,
}

/// Where the login happens, as far as a mechanism binds itself to it.
#[derive(Debug, Clone, Default)]
pub struct Peer {
    /// The server's name as the caller gave it, not its address.
    pub host: String,
    pub port: u16,
    /// What NTLM names as this machine; may be empty.
    pub workstation: String,
    pub channel: Channel,
    /// How to wait for somebody other than the server.
    pub aside: Aside,
}

/// The TLS channel around the login.
#[derive(Debug, Clone, Default)]
pub struct Channel {
    pub tls: bool,
    /// Keying material of 32 bytes (RFC 9266): label `EXPORTER-Channel-Binding`, empty context. Not to be given with
    /// TLS 1.2 without an extended master secret.
    pub exporter: Option<Vec<u8>>,
    /// Hash of the server's certificate (RFC 5929 section 4.1).
    pub end_point: Option<Vec<u8>>,
}

impl Channel {
    /// The binding that SCRAM uses: the one of the connection before the one of the certificate.
    pub fn binding(&self) -> Option<(&'static str, &[u8])> {
        let exporter = self.exporter.as_deref().map(|data| ("tls-exporter", data));
        let end_point = self.end_point.as_deref().map(|data| ("tls-server-end-point", data));
        exporter.or(end_point).filter(|_| self.tls)
    }
}

/// How a mechanism begins.
#[derive(Debug, PartialEq, Eq)]
pub enum Opening {
    /// Its first message may stand behind the name on the AUTH line (RFC 4954 section 4; empty is written `=`). Where
    /// the line would be too long it goes as [`Opening::AfterPrompt`].
    OnCommandLine(SecretBytes),
    /// The name goes alone; whatever text the 334 has, even none that is Base64, this follows.
    AfterPrompt(SecretBytes),
    /// The name goes alone, and the text of the 334 is the first challenge.
    ServerFirst,
}

/// One mechanism: a state machine over decoded messages. A session drives it through [`Login`].
pub trait Mechanism: Send {
    /// The argument of AUTH.
    fn name(&self) -> &'static str;

    /// The beginning; called once.
    fn opening(&mut self) -> Result<Opening>;

    /// The answer to a challenge. After an error the exchange is over.
    fn step(&mut self, challenge: &[u8]) -> Result<SecretBytes>;

    /// Whether a 235 may be believed now: everything was said, and what the server had to prove it has proved.
    fn finished(&self) -> bool;

    /// What the server said about the login in a challenge, when the mechanism has a place for it.
    fn refusal(&self) -> Option<&Refusal> {
        None
    }
}

// Not a bound of the trait: each mechanism's own would be in its table, and so in the library, where nobody prints one.
impl fmt::Debug for dyn Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A login on its way. After an error of [`Login::answer`] the session cancels with `*`.
#[derive(Debug)]
pub struct Login {
    mechanism: Box<dyn Mechanism>,
    challenges: u32,
    failed: bool,
}

impl Login {
    pub fn new(mechanism: Box<dyn Mechanism>) -> Login {
        Login { mechanism, challenges: 0, failed: false }
    }

    /// The argument of AUTH.
    pub fn name(&self) -> &'static str {
        self.mechanism.name()
    }

    pub fn opening(&mut self) -> Result<Opening> {
        let opening = self.mechanism.opening();
        self.failed |= opening.is_err();
        opening
    }

    /// The answer to the decoded text of a 334.
    pub fn answer(&mut self, challenge: &[u8]) -> Result<SecretBytes> {
        self.challenges += 1;
        let answer = if self.failed || self.challenges > MOST_CHALLENGES {
            Err(self.wrong("the server goes on asking"))
        } else if challenge.len() > LONGEST_CHALLENGE {
            Err(self.wrong("the server's challenge is too long"))
        } else {
            self.mechanism.step(challenge)
        };
        self.failed |= answer.is_err();
        answer
    }

    /// Whether a 235 that came now is a success; an early one is an error.
    pub fn accepted(&self) -> Result<()> {
        if !self.failed && self.mechanism.finished() {
            return Ok(());
        }
        if let Some(refusal) = self.mechanism.refusal() {
            return Err(self.wrong(&format!("the server accepts a login that it refused: {}", refusal.text)));
        }
        Err(self.wrong("the server accepts the login before the exchange is complete and its part of it proved"))
    }

    /// What the server said in a challenge about why it refuses (OAuth); part of the error that follows.
    pub fn refusal(&self) -> Option<&Refusal> {
        self.mechanism.refusal()
    }

    fn wrong(&self, what: &str) -> Error {
        wrong(self.mechanism.name(), what)
    }
}

/// Builds the chosen mechanism. `ntlm_v2` is UseNTLMv2.
pub fn login(choice: &Choice, credentials: &Credentials, peer: &Peer, ntlm_v2: bool) -> Result<Login> {
    let method = choice.method;
    let identity = credentials.authorization_identity.expose();
    if !method.carries_identity() && !identity.is_empty() && identity != credentials.user {
        return Err(refused(method.name(), "AuthorizationIdentity cannot be told to the server"));
    }
    let mechanism: Box<dyn Mechanism> = match method {
        Method::Plain => Box::new(plain::Plain::new(credentials)?),
        Method::Login => Box::new(user_password::UserPassword::new(credentials)?),
        Method::CramMd5 => Box::new(cram_md5::CramMd5::new(credentials)?),
        Method::DigestMd5 => Box::new(digest_md5::DigestMd5::new(credentials, &peer.host)?),
        Method::Ntlm => Box::new(ntlm::Ntlm::new(credentials, peer, ntlm_v2)?),
        Method::Xoauth2 => Box::new(xoauth2::new(credentials)?),
        Method::OauthBearer => Box::new(oauthbearer::new(credentials, peer)?),
        Method::External => Box::new(external::External::new(credentials)?),
        Method::Scram(hash, bound) => {
            let binding = scram::Binding::of(&peer.channel, bound, choice.server_binds);
            Box::new(scram::Scram::new(hash, credentials, binding)?)
        }
        Method::Gssapi => Box::new(gssapi::Gssapi::new(credentials, peer)?),
    };
    Ok(Login::new(mechanism))
}

/// Error 161: the server's part of the exchange is not what the mechanism allows.
fn wrong(name: &str, what: &str) -> Error {
    Error::new(Code::Protocol, format!("The {name} login fails: {what}"))
}

/// Error 603: the caller's values do not fit the mechanism.
fn refused(name: &str, what: &str) -> Error {
    Error::new(Code::ValueRefused, format!("{name} is not possible: {what}"))
}

/// What a server says about itself, as it may stand in an error text: short, printable, one line.
fn shown(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    text.chars().take(100).map(|c| if c.is_control() { ' ' } else { c }).collect()
}
