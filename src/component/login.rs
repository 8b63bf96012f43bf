//! The login of a new connection: what the properties and settings ask for, and the one attempt that is made of it.

use super::operation::Operation;
use super::{Component, State};
use crate::auth::{self, Aside, Credentials, Offer, Peer, Wish};
use crate::config::Setting;
use crate::enums::AuthMechanism;
use crate::error::{Code, Error, Result};
use crate::events::{Direction, Kind, TokenWanted};
use crate::net;
use crate::smtp::Context;
use crate::smtp::login::Hide;
use crate::smtp::session::Session;

impl Operation<'_> {
    /// Logs in where there is anything to log in with.
    pub fn login(&mut self) -> Result<()> {
        let Some(plan) = Plan::read(&self.component.state.lock()) else { return Ok(()) };
        if plan.modern && !plan.peer.channel.tls {
            let why = "SecurityProfile=Modern logs in over TLS only: SSLStartMode asks for it";
            return Err(Error::new(Code::ValueRefused, why));
        }
        let component = self.component;
        self.converse(|session, cx| plan.carry_out(component, session, cx))
    }
}

/// What the caller set, copied so that no lock is held while the network is waited for.
struct Plan {
    mechanism: AuthMechanism,
    named: String,
    credentials: Credentials,
    peer: Peer,
    ntlm_v2: bool,
    masked: bool,
    /// SecurityProfile=Modern: no login, of whatever kind, without TLS.
    modern: bool,
}

impl Plan {
    /// Nothing where there is nothing to log in with.
    fn read(state: &State) -> Option<Plan> {
        let server = &state.server;
        let mechanism = server.auth_mechanism;
        let named = state.settings.text(Setting::SaslMechanism).trim();
        let credentials = Credentials {
            user: server.user.clone(),
            password: server.password.clone(),
            authorization_identity: server.authorization_identity.clone(),
        };
        let modern = super::tls::is_modern(&state.settings);
        if !auth::is_wanted(&Wish { mechanism, named, clear_text_allowed: !modern }, &credentials) {
            return None;
        }
        Some(Plan {
            mechanism,
            named: named.to_owned(),
            credentials,
            modern,
            peer: Peer {
                host: server.host().to_string(),
                port: u16::try_from(server.mail_port).unwrap_or(0),
                workstation: workstation(&state.hello()),
                channel: state.tls.channel(),
                aside: Aside::default(),
            },
            ntlm_v2: state.settings.bool(Setting::UseNtlMv2),
            masked: state.settings.bool(Setting::MaskSensitive),
        })
    }

    fn wish(&self) -> Wish<'_> {
        Wish { mechanism: self.mechanism, named: &self.named, clear_text_allowed: !self.modern }
    }

    fn carry_out(mut self, component: &Component, session: &mut Session, cx: &Context) -> Result<()> {
        let mut offer = Offer::default();
        for line in &session.extensions.lines {
            offer.line(line);
        }
        if self.peer.channel.tls {
            self.peer.channel.exporter = session.stream().exporter();
        }
        let choice = auth::choose(&self.wish(), &offer, &self.peer)?;
        let clock = cx.clock.clone();
        self.peer.aside =
            Aside::new(move |work| net::aside("ssmtp-login", "the Kerberos library", &clock, work).map(drop));
        if choice.method.is_oauth() && self.credentials.authorization_identity.is_empty() {
            self.ask_for_token(component, cx, "")?;
        }
        let mut login = auth::login(&choice, &self.credentials, &self.peer, self.ntlm_v2)?;
        if let Some(note) = &choice.note {
            cx.trace(Direction::Info, note.as_bytes())?;
        }
        if choice.method.is_clear_text() && !self.peer.channel.tls {
            let note =
                format!("The {} login goes over a connection without TLS: who listens can read it", login.name());
            cx.trace(Direction::Info, note.as_bytes())?;
        }
        let mut hide = Hide::new(self.masked, &self.credentials);
        session.log_in(cx, &mut login, &mut hide, &mut |reason, hide| {
            if !choice.method.is_oauth() || !self.ask_for_token(component, cx, reason)? {
                return Ok(None);
            }
            hide.add_credentials(&self.credentials);
            auth::login(&choice, &self.credentials, &self.peer, self.ntlm_v2).map(Some)
        })
    }

    /// Asks the caller's handler for another token, and says whether there is one now.
    fn ask_for_token(&mut self, component: &Component, cx: &Context, reason: &str) -> Result<bool> {
        if !cx.sink.wants(Kind::TokenWanted) {
            return Ok(false);
        }
        let (user, reason) = (self.credentials.user.as_bytes(), reason.as_bytes());
        cx.sink.token_wanted(&TokenWanted { user, reason })?;
        let token = component.state.lock().server.authorization_identity.clone();
        let fresh = token != self.credentials.authorization_identity;
        self.credentials.authorization_identity = token;
        Ok(fresh)
    }
}

/// The name of this machine as NTLM tells it: the first label of what EHLO said, none for an address literal.
pub(super) fn workstation(hello: &str) -> String {
    let label = hello.split('.').next().unwrap_or_default();
    if label.starts_with('[') || label.bytes().all(|b| b.is_ascii_digit()) { String::new() } else { label.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workstation_is_a_name_or_nothing() {
        for (hello, name) in [("pc.example", "pc"), ("pc", "pc"), ("[192.0.2.1]", ""), ("192.0.2.1", ""), ("", "")] {
            assert_eq!(workstation(hello), name);
        }
    }
}
