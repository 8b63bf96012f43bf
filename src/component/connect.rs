//! Connect, Disconnect, SendCommand, DoEvents, Reset: the life of a connection.

use super::firewall::Route;
use super::operation::Operation;
use super::tls::{self, Start};
use super::{Component, State};
use crate::config::Setting;
use crate::error::{Code, Error, Result};
use crate::net::{Clock, Closing, DialOptions, IpMode, SocketOptions, Stream, dial};
use crate::smtp::Context;
use crate::smtp::session::{Idle, Session, out_of_step, refused};
use std::time::{Duration, Instant};

/// How long DoEvents waits when nothing happens.
const IDLE_WAIT: Duration = Duration::from_millis(100);
/// A server that does not answer QUIT is not waited for longer.
const QUIT_WAIT: Duration = Duration::from_secs(5);

impl Component {
    pub fn connect(&self) -> Result<()> {
        let mut op = self.begin()?;
        op.notice()?;
        if op.session.is_some() {
            return Err(Error::new(Code::AlreadyConnected, "a connection is open already; Disconnect ends it"));
        }
        self.state.lock().tls.by_command = false;
        op.open()
    }

    pub fn disconnect(&self) -> Result<()> {
        let mut op = self.begin()?;
        op.quit();
        Ok(())
    }

    /// Notices what the server did on an idle connection (ruling 15).
    pub fn do_events(&self) -> Result<()> {
        let mut op = self.begin()?;
        op.listen(IDLE_WAIT).map(drop)
    }

    /// Disconnects and gives every property and setting its default.
    pub fn reset(&self) -> Result<()> {
        let mut op = self.begin()?;
        op.quit();
        *self.state.lock() = State::fresh();
        self.tls.forget();
        self.revocation.forget();
        Ok(())
    }
}

impl Operation<'_> {
    /// Opens the connection and introduces us. On failure nothing stays open.
    pub fn open(&mut self) -> Result<()> {
        let done = self.try_open();
        if let Err(error) = &done {
            self.drop_session(Some(error));
        }
        done
    }

    fn try_open(&mut self) -> Result<()> {
        let (options, route, hello, extended, clock, start, tls) = {
            let mut state = self.component.state.lock();
            state.tls.begin();
            if state.server.name.is_empty() {
                return Err(no_server());
            }
            let route = Route::read(&state)?;
            let clock = self.connect_clock(&state);
            let options = dial_options(&state);
            let start = state.tls.start(state.server.mail_port);
            let tls = match start {
                Start::Never => None,
                _ => Some(tls::Plan::read(&state, self.sink(), &options.host, options.port)?),
            };
            (options, route, state.hello(), state.server.allow_extensions, clock, start, tls)
        };
        let stream = match route {
            Some(route) => self.through(route, &options, &clock)?,
            None => match dial(&options, &clock) {
                Ok(stream) => {
                    let (local, peer) = (stream.local_addr(), stream.peer_addr());
                    self.component.state.lock().server.connected_to(local, peer);
                    Box::new(stream)
                }
                Err(error) => {
                    self.status("Remote host connection complete", error.code as i32, &error.message)?;
                    return Err(error);
                }
            },
        };
        self.session = Some(Session::new(stream));
        self.status("Remote host connection complete", 0, "OK")?;
        let usual = std::mem::replace(&mut self.clock, clock);
        let done = self.introduce(start, tls.as_ref(), &hello, extended);
        self.clock = usual;
        self.component.state.lock().server.extensions = done?;
        self.login()
    }

    /// Greeting, EHLO, and TLS where it belongs: nothing that was said before it counts after it, so EHLO is said again.
    fn introduce(&mut self, start: Start, tls: Option<&tls::Plan>, hello: &str, extended: bool) -> Result<Vec<String>> {
        if let (Start::AtOnce, Some(tls)) = (start, tls) {
            self.secure(tls)?;
        }
        self.converse(|session, cx| session.greet(cx)).map_err(|mut error| {
            if start != Start::AtOnce && error.code == Code::Timeout {
                error
                    .message
                    .push_str("; a server that says nothing may be waiting for TLS (SSLStartMode sslImplicit)");
            }
            error
        })?;
        self.converse(|session, cx| session.hello(cx, hello, extended))?;
        if let (Start::ByCommand, Some(tls)) = (start, tls) {
            self.converse(|session, cx| session.ask_for_tls(cx))?;
            self.secure(tls)?;
            self.converse(|session, cx| session.hello(cx, hello, extended))?;
        }
        self.converse(|session, _| Ok(session.extensions.lines.clone()))
    }

    /// ConnectionTimeout, where set, limits resolving, connecting and greeting together.
    fn connect_clock(&self, state: &State) -> Clock {
        let seconds = u64::try_from(state.settings.int(Setting::ConnectionTimeout)).unwrap_or(0);
        if seconds == 0 {
            return self.clock.clone();
        }
        let end = Instant::now() + Duration::from_secs(seconds);
        Clock {
            inactivity: None,
            absolute: Some(self.clock.absolute.map_or(end, |own| own.min(end))),
            interrupt: self.clock.interrupt.clone(),
        }
    }

    /// QUIT and close; nothing that happens on the way matters.
    pub fn quit(&mut self) {
        let usual = self.clock.inactivity;
        self.clock.inactivity = Some(usual.map_or(QUIT_WAIT, |t| t.min(QUIT_WAIT)));
        // LastReply stays what the server said to the last thing that mattered.
        let _ = self.converse(|session, cx| {
            session.quit(&Context { last_reply: &|_| (), ..*cx });
            Ok(())
        });
        self.clock.inactivity = usual;
        self.drop_session(None);
    }

    /// Reads what came unasked and closes the connection where that ends it; gives the reason.
    pub fn listen(&mut self, wait: Duration) -> Result<Option<Error>> {
        if self.session.is_none() {
            return Ok(None);
        }
        let error = match self.converse(|session, cx| session.idle(cx, wait))? {
            None => return Ok(None),
            Some(Idle::Said(reply)) if reply.code == 421 => refused("The server closes the connection", &reply),
            Some(Idle::Said(reply)) => out_of_step(&reply),
            Some(Idle::Closed(error)) => error,
        };
        self.drop_session(Some(&error));
        Ok(Some(error))
    }

    /// Looks without waiting whether the connection still stands; 162 when the server is out of step.
    pub fn notice(&mut self) -> Result<()> {
        match self.listen(Duration::ZERO)? {
            Some(error) if error.code == Code::Communication => Err(error),
            _ => Ok(()),
        }
    }
}

/// What the settings say about the next connection.
pub(super) fn dial_options(state: &State) -> DialOptions {
    let settings = &state.settings;
    DialOptions {
        host: state.server.host().to_string(),
        port: u16::try_from(state.server.mail_port).unwrap_or(0),
        local_host: state.server.local_host.clone(),
        local_port: u16::try_from(settings.int(Setting::LocalPort)).unwrap_or(0),
        ip: match settings.int(Setting::UseIPv6) {
            1 => IpMode::V6,
            2 => IpMode::V6ThenV4,
            _ => IpMode::V4,
        },
        no_delay: settings.bool(Setting::TcpNoDelay),
        socket: socket_options(state),
        max_rate: u64::try_from(settings.int(Setting::MaxTransferRate)).unwrap_or(0),
    }
}

fn socket_options(state: &State) -> SocketOptions {
    let settings = &state.settings;
    let number = |setting| u64::try_from(settings.int(setting)).unwrap_or(0);
    let size = |setting| usize::try_from(settings.int(setting)).unwrap_or(0);
    SocketOptions {
        keep_alive: settings.bool(Setting::TcpKeepAlive),
        keep_alive_time: Duration::from_millis(number(Setting::KeepAliveTime)),
        keep_alive_interval: Duration::from_millis(number(Setting::KeepAliveInterval)),
        closing: match (settings.bool(Setting::Linger), number(Setting::LingerTime)) {
            (false, _) => Closing::Reset,
            (true, 0) => Closing::Background,
            (true, seconds) => Closing::Wait(Duration::from_secs(seconds)),
        },
        receive_buffer: size(Setting::InBufferSize),
        send_buffer: size(Setting::OutBufferSize),
    }
}

/// Error 163.
pub(super) fn no_server() -> Error {
    Error::new(Code::NoMailServer, "MailServer is empty: set the server to send through")
}
