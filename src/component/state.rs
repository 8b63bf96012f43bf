//! The state of a handle, in groups; a property is a field of the group that the description names (`on = "…"`).

use super::results::Results;
use crate::config::{Setting, Settings};
use crate::enums::AuthMechanism;
use crate::error::{Code, Error, Result};
use crate::message::compose::{Caps, Generated};
use crate::message::draft::Message;
use crate::queue::sealed::Keyring;
use crate::text::code_page::CodePage;
use crate::text::line;
use crate::text::mask::Secret;
use std::net::SocketAddr;
use std::sync::Arc;

/// Everything a handle remembers between calls, the connection excepted.
#[derive(Default)]
pub struct State {
    pub server: Server,
    pub firewall: Firewall,
    pub tls: Tls,
    pub message: Message,
    /// The message that PutMessageAside put away, with what was generated for it.
    pub aside: Option<Box<(Message, Generated)>>,
    pub smime: Smime,
    pub results: Results,
    pub settings: Settings,
    /// What was generated for the message as it stands (Date, Message-ID).
    pub generated: Generated,
    /// What the last connection offered, as far as it shapes a message.
    pub caps: Caps,
    /// Of QueuePassword, where there is one.
    pub queue_keys: Option<Arc<Keyring>>,
}

/// The server and the way in.
#[derive(Default)]
pub struct Server {
    pub allow_extensions: bool,
    pub auth_mechanism: AuthMechanism,
    pub connected: bool,
    pub last_reply: String,
    pub local_host: String,
    pub mail_port: i32,
    pub password: Secret,
    pub timeout: i32,
    pub user: String,
    /// The setting of that name; for OAuth it is the token.
    pub authorization_identity: Secret,
    /// MailServer as it was set: what is resolved, and the name that certificates are checked against.
    pub name: String,
    /// The EHLO lines of the last connection.
    pub extensions: Vec<String>,
    local: Option<SocketAddr>,
    peer: Option<SocketAddr>,
}

pub use super::firewall::Firewall;
pub use super::smime::Smime;
pub use super::tls::Tls;

impl State {
    /// A state with the defaults of the description.
    pub fn fresh() -> State {
        let mut state = State::default();
        super::r#gen::apply_defaults(&mut state);
        state
    }

    /// The connection is gone: hosts read as they were set again. Says whether a proxy was on the way.
    pub fn disconnected(&mut self) -> bool {
        self.server.disconnected();
        self.firewall.disconnected()
    }

    pub fn code_page(&self) -> CodePage {
        let usual = CodePage::default();
        // What is set was found before.
        let number = i32::try_from(self.settings.int(Setting::CodePage)).unwrap_or_default();
        if number == usual.number() { usual } else { CodePage::find(number).unwrap_or_default() }
    }

    /// The name said in EHLO: the setting, else the local host's own.
    pub fn hello(&self) -> String {
        let set = self.settings.text(Setting::Hello);
        if set.is_empty() { host_name() } else { set.to_string() }
    }
}

impl Server {
    /// While connected the address that the name led to (ruling 5).
    pub fn mail_server(&self) -> String {
        match self.peer {
            Some(peer) if self.connected => peer.ip().to_string(),
            _ => self.name.clone(),
        }
    }

    pub fn set_mail_server(&mut self, value: &str) -> Result<()> {
        self.unconnected(Code::MailServerConnected, "MailServer")?;
        self.name = host_text("MailServer", value)?;
        Ok(())
    }

    pub fn set_mail_port(&mut self, value: i32) -> Result<()> {
        self.unconnected(Code::MailPortConnected, "MailPort")?;
        if !(1..=65_535).contains(&value) {
            return Err(Error::new(Code::ZeroPort, format!("{value} is not a TCP port")));
        }
        self.mail_port = value;
        Ok(())
    }

    /// The local address while connected, else what was set, else the name of this host.
    pub fn local_host(&self) -> String {
        match self.local {
            Some(local) if self.connected => local.ip().to_string(),
            _ if self.local_host.is_empty() => host_name(),
            _ => self.local_host.clone(),
        }
    }

    pub fn set_local_host(&mut self, value: &str) -> Result<()> {
        self.unconnected(Code::LocalHostConnected, "LocalHost")?;
        self.local_host = host_text("LocalHost", value)?;
        Ok(())
    }

    pub fn set_timeout(&mut self, value: i32) -> Result<()> {
        if value < 0 {
            return Err(Error::new(Code::ValueRefused, format!("Timeout takes 0 or more seconds, not {value}")));
        }
        self.timeout = value;
        Ok(())
    }

    pub fn set_auth_mechanism(&mut self, value: AuthMechanism) -> Result<()> {
        if value == AuthMechanism::Apop {
            let why = "AuthMechanism=3 (amAPOP) is a mechanism of POP3, which no SMTP server has";
            return Err(Error::new(Code::ValueRefused, why));
        }
        self.auth_mechanism = value;
        Ok(())
    }

    pub fn set_user(&mut self, value: &str) -> Result<()> {
        line::refuse_crlf_nul("User", value)?;
        self.user = value.to_string();
        Ok(())
    }

    pub fn password(&self) -> String {
        self.password.expose().to_string()
    }

    pub fn set_password(&mut self, value: &str) -> Result<()> {
        line::refuse_crlf_nul("Password", value)?;
        self.password = Secret::new(value);
        Ok(())
    }

    pub fn set_authorization_identity(&mut self, value: &str) -> Result<()> {
        line::refuse_crlf_nul("AuthorizationIdentity", value)?;
        self.authorization_identity = Secret::new(value);
        Ok(())
    }

    /// The port this end has, 0 while not connected.
    pub fn local_port(&self) -> u16 {
        self.local.filter(|_| self.connected).map_or(0, |a| a.port())
    }

    pub fn unconnected(&self, code: Code, what: &str) -> Result<()> {
        if self.connected {
            return Err(Error::new(code, format!("{what} cannot change while a connection is open")));
        }
        Ok(())
    }

    /// The server's name or address, without the `*` that leaves its name to the proxy.
    pub fn host(&self) -> &str {
        self.name.strip_prefix('*').unwrap_or(&self.name)
    }

    pub fn connected_to(&mut self, local: Option<SocketAddr>, peer: Option<SocketAddr>) {
        self.connected = true;
        self.local = local;
        self.peer = peer;
    }

    pub fn disconnected(&mut self) {
        self.connected = false;
        self.local = None;
        self.peer = None;
    }
}

/// A host's name or address on one line, blanks around it dropped.
pub(super) fn host_text(what: &str, value: &str) -> Result<String> {
    line::refuse_crlf_nul(what, value)?;
    let value = value.trim();
    if value.contains(char::is_whitespace) {
        return Err(Error::new(Code::ValueRefused, format!("{what} is a host and holds no blanks")));
    }
    Ok(value.to_string())
}

/// gethostname(); "localhost" where the system does not tell.
pub fn host_name() -> String {
    crate::net::socket::host_name().unwrap_or_else(|| "localhost".into())
}
