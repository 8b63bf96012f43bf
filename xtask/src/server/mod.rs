//! The embedded SMTP server: free-running for demos and tests (RFC 5321 with the extensions it is told to offer, and the
//! faults it is told to make), or following a [transcript]. One thread a connection; memory, lines and waits are bounded.

mod body;
mod cli;
mod envelope;
mod escape;
mod fault;
mod login;
pub mod play;
mod session;
mod store;
#[cfg(test)]
mod tests;
pub mod tls;
pub mod transcript;
mod wire;

pub use cli::main;
pub use fault::Fault;
pub use store::Received;
pub use wire::Pace;

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use store::Store;

/// More connections than this at once are turned away with 421.
const CONNECTIONS: usize = 1000;

#[derive(Debug)]
pub struct Options {
    /// The address to listen at.
    pub bind: String,
    /// 0 takes a free one.
    pub port: u16,
    /// The EHLO keywords with their parameters, `SIZE 10240000`.
    pub extensions: Vec<String>,
    /// User and password. When there are some, AUTH PLAIN LOGIN is offered and MAIL is refused without a login.
    pub auth: Option<(String, String)>,
    /// TLS, at once or by STARTTLS, which is then offered.
    pub tls: Option<tls::Tls>,
    pub faults: Vec<Fault>,
    pub pace: Pace,
    /// A message longer than this is refused, and never held.
    pub max_message: u64,
    /// Messages are counted and measured, their bytes thrown away.
    pub discard: bool,
    /// The folder for `1.eml` and `1.envelope`.
    pub eml: Option<PathBuf>,
    /// Messages are shown on stdout.
    pub print: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            bind: "127.0.0.1".into(),
            port: 0,
            extensions: Vec::new(),
            auth: None,
            tls: None,
            faults: Vec::new(),
            pace: Pace { one_byte: false, delay: Duration::ZERO, patience: Duration::from_secs(300) },
            max_message: 64 << 20,
            discard: false,
            eml: None,
            print: false,
        }
    }
}

impl Options {
    /// Offers the extensions of a list, `8BITMIME,SIZE 10240000,PIPELINING`.
    pub fn offer(mut self, extensions: &str) -> Options {
        self.extensions.extend(extensions.split(',').map(|e| e.trim().to_string()).filter(|e| !e.is_empty()));
        self
    }

    /// Adds a fault. Panics when it makes no sense: the text stands in a test.
    pub fn fault(mut self, text: &str) -> Options {
        self.faults.push(Fault::parse(text).expect("the fault is written in the test itself"));
        self
    }
}

/// What the threads of a server share.
struct Shared {
    options: Options,
    store: Store,
    stop: Arc<AtomicBool>,
    active: AtomicUsize,
    turns: Arc<AtomicUsize>,
}

/// A running server; dropping it stops it.
pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    listener: Option<JoinHandle<()>>,
}

impl Server {
    pub fn start(options: Options) -> io::Result<Server> {
        if let Some(folder) = &options.eml {
            std::fs::create_dir_all(folder)?;
        }
        let listener = TcpListener::bind((options.bind.as_str(), options.port))?;
        let address = listener.local_addr()?;
        let store = Store::default();
        let shared = Arc::new(Shared {
            options,
            store,
            stop: Arc::default(),
            active: AtomicUsize::new(0),
            turns: Arc::default(),
        });
        let for_thread = shared.clone();
        let thread = std::thread::Builder::new().name("listen".into()).spawn(move || accept(&listener, &for_thread))?;
        Ok(Server { address, shared, listener: Some(thread) })
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The messages that were accepted, in order. The oldest are forgotten when all together grow over 256 MiB.
    pub fn messages(&self) -> Vec<Received> {
        self.shared.store.messages()
    }

    /// How many messages were accepted so far.
    pub fn count(&self) -> usize {
        self.shared.store.count()
    }

    /// Waits until `count` messages were accepted; false when that took longer than `limit`.
    pub fn wait(&self, count: usize, limit: Duration) -> bool {
        self.shared.store.wait(count, limit)
    }

    /// Every command line seen, message data aside: a list for each connection, in order.
    pub fn commands(&self) -> Vec<Vec<String>> {
        self.shared.store.commands()
    }

    /// Every TLS handshake that came to its end, in order.
    pub fn handshakes(&self) -> Vec<tls::Handshake> {
        self.shared.store.handshakes()
    }

    /// How often something was said, on all connections together: whatever is answered before the client must be waited
    /// for counts once.
    pub fn turns(&self) -> usize {
        self.shared.turns.load(Ordering::SeqCst)
    }

    /// How many connections are open.
    pub fn active(&self) -> usize {
        self.shared.active.load(Ordering::SeqCst)
    }

    /// Waits until no connection is open, or `limit` is over.
    pub fn wait_idle(&self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        while self.active() > 0 {
            if Instant::now() > deadline {
                return false;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        true
    }

    /// Closes the port and every connection. What was received stays readable.
    pub fn stop(&mut self) {
        let Some(thread) = self.listener.take() else { return };
        self.shared.stop.store(true, Ordering::SeqCst);
        // The listening thread waits in accept(): a connection wakes it.
        let _ = TcpStream::connect_timeout(&self.address, Duration::from_secs(1));
        let _ = thread.join();
        self.wait_idle(Duration::from_secs(2));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if shared.stop.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else {
            // Out of descriptors, most likely: some will be free again soon.
            std::thread::sleep(Duration::from_millis(10));
            continue;
        };
        let guard = Active::new(shared);
        let full = shared.active.load(Ordering::SeqCst) > CONNECTIONS;
        // A thread that cannot be had drops the connection with its closure, which is all that can be done.
        let _ = std::thread::Builder::new().name("session".into()).spawn(move || {
            if let Ok(wire) = wire::Wire::new(stream, guard.0.options.pace, guard.0.stop.clone()) {
                session::serve(wire.counting(guard.0.turns.clone()), &guard.0, full);
            }
        });
    }
}

/// Counts a connection as long as it lives, also when its thread ends in a way nobody foresaw.
struct Active(Arc<Shared>);

impl Active {
    fn new(shared: &Arc<Shared>) -> Active {
        shared.active.fetch_add(1, Ordering::SeqCst);
        Active(shared.clone())
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        self.0.active.fetch_sub(1, Ordering::SeqCst);
    }
}
