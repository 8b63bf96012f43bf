//! The proxy between us and the server: its properties, and the way through it.

use super::operation::Operation;
use super::state::host_text;
use super::{Component, State, login, tls};
use crate::config::Setting;
use crate::enums::FirewallType;
use crate::error::{Code, Error, Result};
use crate::net::proxy::{self, Host, Proxy, ProxyLogin, choice};
use crate::net::resolve::{IpMode, resolve};
use crate::net::{Clock, DialOptions, Stream, dial};
use crate::text::line;
use crate::text::mask::Secret;
use std::cell::Cell;
use std::net::{IpAddr, SocketAddr};

/// The proxy as the caller set it.
#[derive(Default)]
pub struct Firewall {
    pub firewall_auto_detect: bool,
    pub firewall_type: FirewallType,
    pub firewall_port: i32,
    pub firewall_user: String,
    pub firewall_password: Secret,
    /// The setting FirewallData.
    pub data: Secret,
    /// The setting FirewallTls.
    pub tls: bool,
    host: String,
    /// The proxy that the open connection goes through.
    reached: Option<IpAddr>,
}

impl Firewall {
    /// A kind of proxy brings its usual port.
    pub fn set_firewall_type(&mut self, value: FirewallType) -> Result<()> {
        self.firewall_type = value;
        if value != FirewallType::None {
            self.firewall_port = proxy::usual_port(value, self.tls).into();
        }
        Ok(())
    }

    /// TLS has a usual port of its own, unless another one was set.
    pub fn set_tls(&mut self, value: bool) {
        let usual = |tls| i32::from(proxy::usual_port(FirewallType::Tunnel, tls));
        if self.firewall_type == FirewallType::Tunnel && self.firewall_port == usual(self.tls) {
            self.firewall_port = usual(value);
        }
        self.tls = value;
    }

    /// While connected the address that the name led to (ruling 5).
    pub fn firewall_host(&self) -> String {
        self.reached.map_or_else(|| self.host.clone(), |address| address.to_string())
    }

    pub fn set_firewall_host(&mut self, value: &str) -> Result<()> {
        self.host = host_text("FirewallHost", value)?;
        Ok(())
    }

    pub fn set_firewall_port(&mut self, value: i32) -> Result<()> {
        if !(0..=65_535).contains(&value) {
            return Err(Error::new(Code::ValueRefused, format!("FirewallPort takes 0 to 65535, not {value}")));
        }
        self.firewall_port = value;
        Ok(())
    }

    pub fn set_firewall_user(&mut self, value: &str) -> Result<()> {
        line::refuse_crlf_nul("FirewallUser", value)?;
        self.firewall_user = value.to_string();
        Ok(())
    }

    pub fn firewall_password(&self) -> String {
        self.firewall_password.expose().to_string()
    }

    pub fn set_firewall_password(&mut self, value: &str) -> Result<()> {
        line::refuse_crlf_nul("FirewallPassword", value)?;
        self.firewall_password = Secret::new(value);
        Ok(())
    }

    /// Whole header lines only: nothing in them may end the request (ruling 7).
    pub fn set_data(&mut self, value: &str) -> Result<()> {
        let lines = value.strip_suffix("\r\n").unwrap_or(value);
        let is_header = |text: &str| {
            let Some((name, value)) = text.split_once(':') else { return false };
            let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
            !name.is_empty() && name.bytes().all(token) && !value.chars().any(|c| c.is_control() && c != '\t')
        };
        if !value.is_empty() && !lines.split("\r\n").all(is_header) {
            let why = "FirewallData takes header lines, each a name, ':' and a value, with CRLF between them";
            return Err(Error::new(Code::ValueRefused, why));
        }
        self.data = Secret::new(value);
        Ok(())
    }

    /// Says whether a proxy was on the way.
    pub fn disconnected(&mut self) -> bool {
        self.reached.take().is_some()
    }

    /// The proxy that leads to the host, if any: the one that was set, else with FirewallAutoDetect the environment's.
    fn choose(&self, host: &str, exceptions: &str) -> Result<Option<Proxy>> {
        if self.firewall_type != FirewallType::None && !self.host.is_empty() {
            if choice::is_exception(exceptions, host) {
                return Ok(None);
            }
            let port = match u16::try_from(self.firewall_port).unwrap_or(0) {
                0 => proxy::usual_port(self.firewall_type, self.tls),
                port => port,
            };
            return Ok(Some(Proxy {
                kind: self.firewall_type,
                host: self.host.clone(),
                port,
                user: self.firewall_user.clone(),
                password: self.firewall_password.clone(),
                headers: self.data.clone(),
                // SOCKS 4A is there for it; a tunnel has no other way to tell of a server.
                resolves: matches!(self.firewall_type, FirewallType::Socks4a | FirewallType::Tunnel),
                tls: self.tls && self.firewall_type == FirewallType::Tunnel,
                ..Proxy::default()
            }));
        }
        if self.firewall_auto_detect {
            if choice::is_exception(exceptions, host) {
                return Ok(None);
            }
            let mut found = choice::detect(&|name| std::env::var(name).ok(), host)?;
            if let Some(found) = &mut found {
                found.headers = self.data.clone();
            }
            return Ok(found);
        }
        if self.firewall_type != FirewallType::None {
            // To go past a proxy that somebody wants would be worse than not to go.
            return Err(Error::new(Code::Firewall, "FirewallType is set and FirewallHost is empty"));
        }
        Ok(None)
    }
}

/// How the next connection goes: through this proxy.
pub(super) struct Route(Box<Proxy>);

impl Route {
    /// None leads to the server itself.
    pub fn read(state: &State) -> Result<Option<Route>> {
        let star = state.server.name.starts_with('*');
        let mut chosen = Route::to(state, state.server.host())?;
        if star {
            let kind = chosen.as_ref().map_or(state.firewall.firewall_type, |route| route.0.kind);
            if !matches!(kind, FirewallType::Socks4a | FirewallType::Socks5) {
                let why = "'*' before MailServer leaves its name to the proxy, which needs SOCKS 4A or SOCKS 5";
                return Err(Error::new(Code::ValueRefused, why));
            }
        }
        if let Some(Route(proxy)) = &mut chosen {
            proxy.resolves |= star;
        }
        Ok(chosen)
    }

    /// The way to any host.
    pub fn to(state: &State, host: &str) -> Result<Option<Route>> {
        let exceptions = state.settings.text(Setting::ProxyExceptionsList);
        let Some(mut proxy) = state.firewall.choose(host, exceptions)? else { return Ok(None) };
        let modern = tls::is_modern(&state.settings);
        let login = ProxyLogin::from_name(state.settings.text(Setting::FirewallAuthentication));
        proxy.login = match login.unwrap_or_default() {
            ProxyLogin::Usual if modern => ProxyLogin::Any,
            login => login,
        };
        proxy.no_clear_text = modern;
        proxy.ntlm_v2 = state.settings.bool(Setting::UseNtlMv2);
        proxy.workstation = login::workstation(&state.hello());
        Ok(Some(Route(Box::new(proxy))))
    }
}

impl Operation<'_> {
    /// Connects to the proxy and has it lead on to the server.
    pub(super) fn through(&mut self, route: Route, options: &DialOptions, clock: &Clock) -> Result<Box<dyn Stream>> {
        let (stream, reached, server) = match self.component.lead(route.0, options, clock) {
            Ok(found) => found,
            Err(error) => {
                self.status("Firewall connection complete", error.code as i32, &error.message)?;
                return Err(error);
            }
        };
        {
            let mut state = self.component.state.lock();
            let server = server.map(|address| SocketAddr::new(address, options.port));
            state.server.connected_to(stream.local_addr(), server);
            state.firewall.reached = reached;
        }
        // Until there is a session, nobody else closes the connection and says that it is gone.
        if let Err(error) = self.status("Firewall connection complete", 0, "OK") {
            self.component.state.lock().disconnected();
            return Err(error);
        }
        Ok(stream)
    }
}

impl Component {
    /// A connection through a proxy that is no conversation of this handle.
    pub(super) fn by(&self, route: Route, options: &DialOptions, clock: &Clock) -> Result<Box<dyn Stream>> {
        self.lead(route.0, options, clock).map(|(stream, _, _)| stream)
    }

    /// The connection, the proxy's address, and the server's where it was resolved here.
    fn lead(&self, mut proxy: Box<Proxy>, options: &DialOptions, clock: &Clock) -> Result<Led> {
        let host = match Host::new(&options.host)? {
            Host::Name(name) if !proxy.resolves => {
                let ip = if proxy.kind == FirewallType::Socks4 { IpMode::V4 } else { options.ip };
                // At least one, or it is an error.
                let addresses = resolve(&name, ip, clock)?;
                addresses.first().map_or(Host::Name(name), |address| Host::Address(*address))
            }
            host => host,
        };
        let component = self;
        let plan = if proxy.tls {
            Some(tls::Plan::for_proxy(&component.state.lock(), &*component.sink, &proxy.host, proxy.port)?)
        } else {
            None
        };
        let mut way = DialOptions { host: proxy.host.clone(), port: proxy.port, ..options.clone() };
        if matches!(Host::new(&proxy.host), Ok(Host::Address(_))) {
            way.ip = IpMode::V6ThenV4;
        }
        let mut reached = None;
        let end_point = Cell::new(None);
        let mut connect = |clock: &Clock| -> Result<Box<dyn Stream>> {
            let stream = dial(&way, clock)?;
            reached = stream.peer_addr().map(|address| address.ip());
            let Some(plan) = &plan else { return Ok(Box::new(stream)) };
            let secured = component.handshake(Box::new(stream), plan, clock)?;
            // What the proxy showed is not the server's.
            component.state.lock().tls.begin();
            end_point.set(secured.info.end_point());
            Ok(secured.stream)
        };
        let stream = connect(clock).map_err(|error| proxy::failed(&proxy, error))?;
        proxy.end_point = end_point.take();
        let stream = proxy::handshake(stream, &proxy, &host, options.port, clock, &mut connect)?;
        let server = match host {
            Host::Address(address) => Some(address),
            Host::Name(_) => None,
        };
        Ok((stream, reached, server))
    }
}

type Led = (Box<dyn Stream>, Option<IpAddr>, Option<IpAddr>);
