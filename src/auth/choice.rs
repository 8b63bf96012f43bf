//! Which mechanism logs in: what the caller asked for and the server offers, and no other. Offers: RFC 4954 section 3,
//! and how servers write them.

use crate::auth::scram::Hash;
use crate::auth::{Credentials, Peer};
use crate::enums::AuthMechanism;
use crate::error::{Code, Error, Result};

/// More names than any server offers; the rest is not kept.
const MOST_NAMES: usize = 64;

/// The longest name of a mechanism (RFC 4422 section 3.1).
const LONGEST_NAME: usize = 20;

/// A mechanism that is known here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Plain,
    Login,
    CramMd5,
    DigestMd5,
    Ntlm,
    Gssapi,
    Xoauth2,
    OauthBearer,
    External,
    /// The hash, and whether the login is bound to the TLS channel (-PLUS).
    Scram(Hash, bool),
}

impl Method {
    pub const ALL: [Method; 15] = [
        Method::Plain,
        Method::Login,
        Method::CramMd5,
        Method::DigestMd5,
        Method::Ntlm,
        Method::Gssapi,
        Method::Xoauth2,
        Method::OauthBearer,
        Method::External,
        Method::Scram(Hash::Sha1, false),
        Method::Scram(Hash::Sha1, true),
        Method::Scram(Hash::Sha256, false),
        Method::Scram(Hash::Sha256, true),
        Method::Scram(Hash::Sha512, false),
        Method::Scram(Hash::Sha512, true),
    ];

    /// The argument of AUTH.
    pub const fn name(self) -> &'static str {
        match self {
            Method::Plain => "PLAIN",
            Method::Login => "LOGIN",
            Method::CramMd5 => "CRAM-MD5",
            Method::DigestMd5 => "DIGEST-MD5",
            Method::Ntlm => "NTLM",
            Method::Gssapi => "GSSAPI",
            Method::Xoauth2 => "XOAUTH2",
            Method::OauthBearer => "OAUTHBEARER",
            Method::External => "EXTERNAL",
            Method::Scram(hash, bound) => hash.name(bound),
        }
    }

    /// By its name, in any case.
    pub fn from_name(name: &str) -> Option<Method> {
        Method::ALL.into_iter().find(|method| method.name().eq_ignore_ascii_case(name.trim()))
    }

    /// Whether who listens gets what logs in: a password or a token.
    pub const fn is_clear_text(self) -> bool {
        matches!(self, Method::Plain | Method::Login | Method::Xoauth2 | Method::OauthBearer)
    }

    /// Whether it logs in with a token.
    pub const fn is_oauth(self) -> bool {
        matches!(self, Method::Xoauth2 | Method::OauthBearer)
    }

    /// Whether AuthorizationIdentity has a place: as an identity, or as the token.
    pub const fn carries_identity(self) -> bool {
        !matches!(self, Method::Login | Method::CramMd5 | Method::Ntlm)
    }
}

/// The mechanisms that a server offers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Offer {
    names: Vec<String>,
}

impl Offer {
    /// Reads a line of an EHLO reply, without its code; whether it was an offer of mechanisms. `AUTH=` is the spelling
    /// of old Microsoft servers, often beside the other; commas and any case occur too.
    pub fn line(&mut self, line: &str) -> bool {
        let Some((keyword, names)) = line.trim_start().split_at_checked(4) else { return false };
        if !keyword.eq_ignore_ascii_case("AUTH") || names.starts_with(|c: char| !c.is_ascii_whitespace() && c != '=') {
            return false;
        }
        for name in names.split(|c: char| c.is_ascii_whitespace() || "=,;".contains(c)) {
            self.name(name);
        }
        true
    }

    fn name(&mut self, name: &str) {
        let fits = (1..=LONGEST_NAME).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if fits && self.names.len() < MOST_NAMES && !self.has(name) {
            self.names.push(name.to_ascii_uppercase());
        }
    }

    pub fn has(&self, name: &str) -> bool {
        self.names.iter().any(|n| n.eq_ignore_ascii_case(name))
    }

    fn shown(&self) -> String {
        if self.names.is_empty() { "no login at all".into() } else { self.names.join(", ") }
    }
}

/// What the caller asks for.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'a> {
    pub mechanism: AuthMechanism,
    /// The setting SASLMechanism: a name that takes the place of AuthMechanism; empty for none.
    pub named: &'a str,
    /// Whether a password or token may go over a connection without TLS.
    pub clear_text_allowed: bool,
}

/// The mechanism that is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    pub method: Method,
    /// Whether the server offers a -PLUS form of the SCRAM that was chosen.
    pub server_binds: bool,
    /// For the trace, where there was something to choose.
    pub note: Option<String>,
}

fn refused(text: String) -> Error {
    Error::new(Code::ValueRefused, text)
}

/// Whether there is anything to log in with: User or Password. EXTERNAL needs neither, nor does GSSAPI by its name, which
/// then logs in whom the ticket is for.
pub fn is_wanted(wish: &Wish<'_>, credentials: &Credentials) -> bool {
    !credentials.user.is_empty()
        || !credentials.password.is_empty()
        || matches!(Method::from_name(wish.named), Some(Method::External | Method::Gssapi))
}

/// The mechanism of a name that the caller gave: 603 with the known ones.
pub fn check_name(name: &str) -> Result<Method> {
    Method::from_name(name).ok_or_else(|| {
        let known: Vec<&str> = Method::ALL.iter().map(|m| m.name()).collect();
        refused(format!("SASLMechanism names no known mechanism; known are {}", known.join(", ")))
    })
}

/// The mechanisms that a wish names, the best first.
fn candidates(wish: &Wish<'_>) -> Result<&'static [Method]> {
    if !wish.named.trim().is_empty() {
        let named = check_name(wish.named)?;
        let place = Method::ALL.iter().position(|m| *m == named).unwrap_or_default();
        const ALL: &[Method] = &Method::ALL;
        return Ok(&ALL[place..=place]);
    }
    Ok(match wish.mechanism {
        AuthMechanism::UserPassword => &[Method::Plain, Method::Login],
        AuthMechanism::CramMd5 => &[Method::CramMd5],
        AuthMechanism::Ntlm => &[Method::Ntlm],
        AuthMechanism::SaslPlain => &[Method::Plain],
        AuthMechanism::SaslDigestMd5 => &[Method::DigestMd5],
        AuthMechanism::Kerberos => &[Method::Gssapi],
        AuthMechanism::Xoauth2 => &[Method::Xoauth2],
        AuthMechanism::Apop => {
            return Err(refused("AuthMechanism=3 (amAPOP) is a mechanism of POP3, which no SMTP server has".into()));
        }
    })
}

/// The mechanism for a wish: 603 when the caller's settings stand against it, 161 when the server doesn't offer it.
/// Never one that wasn't asked for.
pub fn choose(wish: &Wish<'_>, offer: &Offer, peer: &Peer) -> Result<Choice> {
    let candidates = candidates(wish)?;
    for method in candidates {
        let name = method.name();
        if method.is_clear_text() && !peer.channel.tls && !wish.clear_text_allowed {
            return Err(refused(format!("The {name} login is not sent without TLS")));
        }
        if matches!(method, Method::Scram(_, true)) && peer.channel.binding().is_none() {
            return Err(refused(format!("{name} needs a TLS connection to bind the login to")));
        }
    }
    let Some(&method) = candidates.iter().find(|method| offer.has(method.name())) else {
        let names: Vec<&str> = candidates.iter().map(|m| m.name()).collect();
        return Err(Error::new(
            Code::Protocol,
            format!("The server does not offer the {} login; it offers {}", names.join(" or "), offer.shown()),
        ));
    };
    let note =
        (candidates.len() > 1).then(|| format!("{} is used for the login; offered: {}", method.name(), offer.shown()));
    let server_binds = matches!(method, Method::Scram(hash, _) if offer.has(hash.name(true)));
    Ok(Choice { method, server_binds, note })
}

#[cfg(test)]
mod tests;
