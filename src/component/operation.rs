//! A running method: one at a time on a handle, with its deadline, its way to be interrupted, and the connection while it lasts.

use super::Component;
use crate::config::Setting;
use crate::error::{Code, Error, Result};
use crate::events::{ConnectionStatus, Sink};
use crate::net::Clock;
use crate::smtp::Context;
use crate::smtp::session::Session;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Held by the method that runs; dropping it makes the handle idle again and puts the connection back.
pub(super) struct Operation<'a> {
    pub component: &'a Component,
    pub clock: Clock,
    pub session: Option<Session>,
    /// What a server of this method offered and did not keep to.
    pub plain: Plain,
    max_line: usize,
}

/// Extensions that proved broken.
#[derive(Default)]
pub(super) struct Plain {
    pub pipelining: bool,
    pub chunking: bool,
}

impl Component {
    /// Begins a method, or 166 while another one runs.
    pub(super) fn begin(&self) -> Result<Operation<'_>> {
        if self.busy.compare_exchange(false, true, Ordering::SeqCst, Ordering::SeqCst).is_err() {
            return Err(Error::new(Code::Busy, "another method of this handle is running"));
        }
        self.interrupt.clear();
        if self.closed.load(Ordering::SeqCst) {
            self.interrupt.interrupt();
        }
        let (clock, max_line) = {
            let state = self.state.lock();
            (self.clock(&state, state.server.timeout), state.settings.int(Setting::MaxLineLength))
        };
        let session = self.session.lock().take();
        let max_line = usize::try_from(max_line).unwrap_or(2048);
        Ok(Operation { component: self, clock, session, plain: Plain::default(), max_line })
    }

    /// The limits of a method that starts now: so many seconds without progress, or altogether with AbsoluteTimeout.
    pub(super) fn clock(&self, state: &super::State, seconds: i32) -> Clock {
        let limit = u64::try_from(seconds).ok().filter(|s| *s > 0).map(Duration::from_secs);
        let absolute = state.settings.bool(Setting::AbsoluteTimeout);
        Clock {
            inactivity: limit.filter(|_| !absolute),
            absolute: limit.filter(|_| absolute).map(|l| Instant::now() + l),
            interrupt: self.interrupt.clone(),
        }
    }
}

impl Operation<'_> {
    pub fn sink(&self) -> &dyn Sink {
        &*self.component.sink
    }

    /// Runs one step of the conversation on the open connection, with its context.
    pub fn converse<T>(&mut self, step: impl FnOnce(&mut Session, &Context) -> Result<T>) -> Result<T> {
        let component = self.component;
        let Some(session) = self.session.as_mut() else {
            return Err(Error::plain(Code::NotConnected));
        };
        // Most replies fit where the last one stood.
        let keep = |text: &str| text.clone_into(&mut component.state.lock().server.last_reply);
        let cx = Context { clock: &self.clock, sink: &*component.sink, last_reply: &keep, max_line: self.max_line };
        step(session, &cx)
    }

    /// A conversation that died is closed and told of; its error stays what it was.
    pub fn settle(&mut self, error: Option<&Error>) {
        if self.session.as_ref().is_some_and(Session::is_dead) {
            self.drop_session(error);
        }
    }

    /// Closes the connection, whatever its state, and tells of it.
    pub fn drop_session(&mut self, error: Option<&Error>) {
        let Some(mut session) = self.session.take() else { return };
        session.stream().close();
        let (proxied, secured) = {
            let mut state = self.component.state.lock();
            (state.disconnected(), std::mem::take(&mut state.tls.active))
        };
        let number = error.map_or(0, |e| e.code as i32);
        let text = error.map_or("OK", |e| e.message.as_str());
        let _ = self.status("Remote host disconnected", number, text);
        if secured {
            let _ = self.status("SSL connection broken", number, text);
        }
        if proxied {
            let _ = self.status("Firewall host disconnected", number, text);
        }
    }

    /// Fires ConnectionStatus.
    pub fn status(&self, event: &str, number: i32, text: &str) -> Result<()> {
        self.sink().connection_status(&ConnectionStatus {
            connection_event: event.as_bytes(),
            status_code: number,
            description: text.as_bytes(),
        })
    }
}

impl Drop for Operation<'_> {
    fn drop(&mut self) {
        if let Some(mut session) = self.session.take() {
            if session.is_dead() || self.component.closed.load(Ordering::SeqCst) {
                session.stream().close();
                self.component.state.lock().disconnected();
            } else {
                *self.component.session.lock() = Some(session);
            }
        }
        self.component.busy.store(false, Ordering::SeqCst);
    }
}
