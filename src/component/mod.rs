//! The component: owns the state, orders the steps of each method. The only place where domains meet.

mod ask;
mod attach;
mod by_name;
mod certificates;
mod connect;
mod deliver;
mod firewall;
mod r#gen;
mod headers;
mod login;
mod names;
mod operation;
mod queue;
mod queue_process;
mod results;
mod revocation;
pub mod rows;
mod save;
mod send;
mod send_all;
mod settings;
mod smime;
mod smime_read;
mod stages;
mod state;
mod tls;
mod window;

pub use send_all::Batch;
pub use state::State;

use crate::error::{Code, Error, Result};
use crate::events::Sink;
use crate::message::body::StreamBody;
use crate::net::Interrupt;
use crate::net::tls::choice::Providers;
use crate::net::tls::revocation::Revocation;
use crate::smtp::session::Session;
use crate::text::code_page::CodePage;
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// One mail sender. Any thread may call anything; one blocking method runs at a time.
pub struct Component {
    state: Mutex<State>,
    /// The open connection, while no method uses it.
    session: Mutex<Option<Session>>,
    busy: AtomicBool,
    closed: AtomicBool,
    interrupt: Arc<Interrupt>,
    sink: Arc<dyn Sink>,
    /// Held while the headers are composed for reading.
    composing: Mutex<()>,
    /// Held while a flattened row searches a store, so that none of two changes is lost.
    selecting: Mutex<()>,
    /// TLS, with the sessions of this handle.
    tls: Providers,
    /// Revocation checks, with the answers that are still good.
    revocation: Revocation,
    /// Text at the boundary is UTF-8 whatever CodePage says.
    utf8: bool,
}

impl Component {
    pub fn new(sink: Arc<dyn Sink>, utf8: bool) -> Component {
        Component {
            utf8,
            state: Mutex::new(State::fresh()),
            session: Mutex::new(None),
            busy: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            interrupt: Interrupt::new(),
            sink,
            composing: Mutex::new(()),
            selecting: Mutex::new(()),
            tls: Providers::new(),
            revocation: Revocation::default(),
        }
    }

    /// The code page of text at the boundary (ruling 42).
    pub(crate) fn boundary_page(&self) -> CodePage {
        if self.utf8 { CodePage::default() } else { self.state.lock().code_page() }
    }

    /// The handle is gone: ends what runs, drops the connection.
    pub fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        self.interrupt.interrupt();
        if let Some(mut session) = self.session.lock().take() {
            session.stream().close();
        }
    }

    /// Ends the method that runs with 301; does nothing when none runs.
    pub fn interrupt(&self) -> Result<()> {
        if self.busy.load(Ordering::SeqCst) {
            self.interrupt.interrupt();
        }
        Ok(())
    }

    #[allow(dead_code)] // Generated code calls it while a method is planned.
    pub(crate) fn planned<T>(&self, name: &str) -> Result<T> {
        Err(Error::planned(name))
    }

    fn read_idle(&self) -> Result<bool> {
        Ok(!self.busy.load(Ordering::SeqCst))
    }

    fn read_connected(&self) -> Result<bool> {
        Ok(self.state.lock().server.connected)
    }

    /// `Connected=True` connects, `=False` disconnects (ruling 12).
    fn write_connected(&self, value: bool) -> Result<()> {
        match (value, self.read_connected()?) {
            (true, false) => self.connect(),
            (false, true) => self.disconnect(),
            _ => Ok(()),
        }
    }

    /// `Command=` is SendCommand (ruling 12).
    fn write_command(&self, value: &str) -> Result<()> {
        self.send_command(value)
    }

    /// Sets or removes the stream that follows the text; it and AttachedFile put each other out.
    pub fn set_message_stream(&self, stream: Option<StreamBody>) -> Result<()> {
        self.state.lock().message.set_stream(stream);
        Ok(())
    }

    /// For who sends another message with this handle: everything of the message goes, a waiting signature or encryption too.
    pub fn put_message_aside(&self) -> Result<()> {
        let mut state = self.state.lock();
        if state.aside.is_some() {
            return Err(Error::new(Code::ValueRefused, "a message is aside already; PutMessageBack brings it back"));
        }
        let next = state.message.successor().into();
        let message = std::mem::replace(&mut state.message, next);
        let generated = std::mem::take(&mut state.generated);
        state.aside = Some(Box::new((message, generated)));
        Ok(())
    }

    /// The message that was put aside, as it was.
    pub fn put_message_back(&self) -> Result<()> {
        let mut state = self.state.lock();
        if let Some(aside) = state.aside.take() {
            (state.message, state.generated) = *aside;
        }
        Ok(())
    }

    pub fn reset_headers(&self) -> Result<()> {
        let mut state = self.state.lock();
        state.message.reset_headers();
        state.smime.recipient_certs.clear();
        Ok(())
    }
}

/// Writing a planned row: what it already is is fine, anything else is 606.
#[allow(dead_code)] // As above.
fn planned_set(same: bool, name: &str) -> Result<()> {
    if same { Ok(()) } else { Err(Error::planned(name)) }
}

/// A number that is no member of the enumeration.
fn wild(name: &str, value: i32) -> Error {
    Error::new(Code::ValueRefused, format!("{value} is no value of {name}"))
}
