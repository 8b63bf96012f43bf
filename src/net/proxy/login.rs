//! Logging in at an HTTP proxy: which scheme, and what goes into Proxy-Authorization. Basic RFC 7617, Digest RFC 7616, NTLM as
//! MS-NTHT carries it. A password is given once for a scheme; what the proxy then says is final.

use super::challenge::Challenge;
use super::{Proxy, ProxyLogin};
use crate::auth::http_digest;
use crate::auth::ntlm::Ntlm;
use crate::auth::{Credentials, Mechanism, Opening, SecretBytes};
use crate::error::{Code, Error, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// Shorter pieces of what was said are words, not secrets.
const SHORTEST_SECRET: usize = 6;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    Nothing,
    Basic,
    Digest { again: bool },
    NtlmBegun,
    NtlmDone,
}

/// How a 407 is gone on from.
pub enum Next {
    /// The request again, with what [`Login::header`] has now.
    Ask,
    /// It is over; this completes "proxy h:p: ".
    Refused(String),
}

pub struct Login<'a> {
    proxy: &'a Proxy,
    /// The target of CONNECT, which Digest covers.
    authority: &'a str,
    said: Said,
    header: Zeroizing<String>,
    ntlm: Option<Ntlm>,
    /// What a proxy may repeat and no error text shall show.
    secrets: Vec<Zeroizing<String>>,
}

impl<'a> Login<'a> {
    pub fn new(proxy: &'a Proxy, authority: &'a str) -> Login<'a> {
        let mut login = Login {
            proxy,
            authority,
            said: Said::Nothing,
            header: Zeroizing::default(),
            ntlm: None,
            secrets: Vec::new(),
        };
        let at_once = match proxy.login {
            ProxyLogin::Usual => login.may_be_basic(),
            ProxyLogin::Basic => true,
            ProxyLogin::Any | ProxyLogin::Digest | ProxyLogin::Ntlm => false,
        };
        if login.wanted() && at_once {
            login.basic();
        }
        login
    }

    /// There is a login, and the caller does not bring one of his own in the header lines.
    fn wanted(&self) -> bool {
        !self.proxy.user.is_empty() && !self.proxy.has_header("Proxy-Authorization")
    }

    /// Basic shows the password to who listens.
    fn may_be_basic(&self) -> bool {
        self.proxy.tls || !self.proxy.no_clear_text
    }

    fn goes_on_from_basic(&self, challenges: &[Challenge]) -> bool {
        let basic = challenges.iter().any(|c| c.scheme == "basic");
        self.proxy.login == ProxyLogin::Usual && !challenges.is_empty() && !basic
    }

    /// The value of Proxy-Authorization for the next request; empty for none.
    pub fn header(&self) -> &str {
        &self.header
    }

    /// NTLM logs in a connection, not a request.
    pub fn needs_this_connection(&self) -> bool {
        self.said == Said::NtlmDone
    }

    fn set_header(&mut self, scheme: &str, text: &[u8]) {
        let mut header = Zeroizing::new(String::with_capacity(scheme.len() + 1 + text.len()));
        header.push_str(scheme);
        header.push(' ');
        // Base64, or what Digest made of texts.
        header.push_str(&String::from_utf8_lossy(text));
        let text = header.split_once(' ').map_or("", |(_, text)| text);
        // Of Digest's text the digest and what it was made with; of the others all.
        let parts =
            ["response=\"", "cnonce=\""].map(|name| text.split(name).nth(1).and_then(|rest| rest.split('"').next()));
        let whole = parts[0].is_none().then_some(text);
        self.secrets.extend(parts.into_iter().flatten().chain(whole).map(|part| Zeroizing::new(part.to_string())));
        self.header = header;
    }

    fn basic(&mut self) {
        let pair = SecretBytes::concat(&[self.proxy.user.as_bytes(), b":", self.proxy.password.expose().as_bytes()]);
        let text = Zeroizing::new(base64_simd::STANDARD.encode_to_string(pair.expose()));
        self.said = Said::Basic;
        self.set_header("Basic", text.as_bytes());
    }

    /// What a 407 with these challenges means.
    pub fn challenged(&mut self, challenges: &[Challenge]) -> Result<Next> {
        let refused = |why: &str| Ok(Next::Refused(why.to_string()));
        if !self.wanted() {
            return refused("it asks for a login");
        }
        match self.said {
            Said::Nothing => self.choose(challenges),
            // Where it wants another one it did not look at this.
            Said::Basic if self.goes_on_from_basic(challenges) => self.choose(challenges),
            Said::Digest { again: false } => match best_digest(challenges) {
                Some(challenge) if challenge.stale => self.digest(&challenge, true),
                _ => refused("it refuses the login"),
            },
            Said::NtlmBegun => match challenges.iter().find(|c| c.scheme == "ntlm").and_then(|c| c.token.as_deref()) {
                Some(token) => self.ntlm_answer(token),
                None => refused("it refuses the login"),
            },
            Said::Basic | Said::Digest { .. } | Said::NtlmDone => refused("it refuses the login"),
        }
    }

    /// The strongest scheme that both sides have.
    fn choose(&mut self, challenges: &[Challenge]) -> Result<Next> {
        let allows = |scheme: ProxyLogin| {
            matches!(self.proxy.login, ProxyLogin::Usual | ProxyLogin::Any) || self.proxy.login == scheme
        };
        if allows(ProxyLogin::Digest)
            && let Some(challenge) = best_digest(challenges)
        {
            return self.digest(&challenge, false);
        }
        let offers = |scheme: &str| challenges.iter().any(|c| c.scheme == scheme);
        if allows(ProxyLogin::Ntlm) && offers("ntlm") {
            return self.ntlm_begin();
        }
        if allows(ProxyLogin::Basic) && offers("basic") && self.said != Said::Basic {
            if !self.may_be_basic() {
                return Ok(Next::Refused("it takes the password only in clear text (Basic), which is not sent".into()));
            }
            self.basic();
            return Ok(Next::Ask);
        }
        let mut names: Vec<&str> = challenges.iter().map(|c| c.scheme.as_str()).collect();
        names.dedup();
        names.truncate(8);
        let names = if names.is_empty() { "none".into() } else { names.join(", ") };
        Ok(Next::Refused(format!("it has no way to log in that may be used; it offers {names}")))
    }

    fn digest(&mut self, challenge: &http_digest::Challenge, again: bool) -> Result<Next> {
        let answer = challenge.answer(&self.proxy.user, &self.proxy.password, "CONNECT", self.authority)?;
        let text = answer.expose().strip_prefix(b"Digest ").unwrap_or_default();
        self.said = Said::Digest { again };
        self.set_header("Digest", text);
        Ok(Next::Ask)
    }

    fn ntlm_begin(&mut self) -> Result<Next> {
        let credentials = Credentials {
            user: self.proxy.user.clone(),
            password: self.proxy.password.clone(),
            ..Credentials::default()
        };
        let service = format!("HTTP/{}", self.proxy.host);
        let binding = self.proxy.end_point.as_deref();
        let mut ntlm = Ntlm::for_service(&credentials, &service, &self.proxy.workstation, binding, self.proxy.ntlm_v2)?;
        // In HTTP the message stands where SMTP has it behind a prompt.
        let (Opening::AfterPrompt(message) | Opening::OnCommandLine(message)) = ntlm.opening()? else {
            return Err(Error::new(Code::Internal, "NTLM begins with a message"));
        };
        self.ntlm = Some(ntlm);
        self.said = Said::NtlmBegun;
        self.set_header("NTLM", base64_simd::STANDARD.encode_to_string(message.expose()).as_bytes());
        Ok(Next::Ask)
    }

    fn ntlm_answer(&mut self, token: &str) -> Result<Next> {
        let Some(mut ntlm) = self.ntlm.take() else { return Ok(Next::Refused("it refuses the login".into())) };
        let Ok(message) = STANDARD.decode(token) else {
            return Ok(Next::Refused("its NTLM challenge is not Base64".into()));
        };
        let answer = match ntlm.step(&message) {
            Ok(answer) => answer,
            Err(error) if error.code == Code::Protocol => return Ok(Next::Refused(error.into_message())),
            Err(error) => return Err(error),
        };
        self.said = Said::NtlmDone;
        let text = Zeroizing::new(base64_simd::STANDARD.encode_to_string(answer.expose()));
        self.set_header("NTLM", text.as_bytes());
        Ok(Next::Ask)
    }

    /// Text that a proxy said, as it may be seen: without what was secret in our requests, should it repeat that.
    pub fn shown(&self, text: &str) -> String {
        let headers = self.proxy.headers.expose();
        let values = headers.split("\r\n").filter_map(|h| h.split_once(':')).map(|(_, v)| v.trim());
        let words = headers.split_whitespace().filter(|v| v.len() >= SHORTEST_SECRET);
        let said = self.secrets.iter().map(|s| s.as_str());
        let mut secrets: Vec<&str> = Vec::new();
        for secret in [self.proxy.password.expose()].into_iter().chain(values).chain(words).chain(said) {
            // One that holds another goes before it, else its rest would stay.
            secrets.insert(secrets.partition_point(|s| s.len() >= secret.len()), secret);
        }
        let mut shown = text.to_string();
        for secret in secrets.into_iter().filter(|s| !s.is_empty()) {
            shown = shown.replace(secret, "***");
        }
        shown
    }
}

fn best_digest(challenges: &[Challenge]) -> Option<http_digest::Challenge> {
    let mut best: Option<http_digest::Challenge> = None;
    for challenge in challenges.iter().filter(|c| c.scheme == "digest") {
        if let Some(read) = http_digest::Challenge::read(&challenge.parameters)
            && best.as_ref().is_none_or(|best| best.strength() <= read.strength())
        {
            best = Some(read);
        }
    }
    best
}
