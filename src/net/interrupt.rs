//! Stopping a blocking call from another thread.
//!
//! A thread that is about to block in `recv` or `send` registers its socket for as long as it blocks. `interrupt` sets
//! the flag first and then shuts that socket down, which wakes the call at once; the waiter registers first and then
//! looks at the flag. Whichever comes first, the interrupt is seen. A socket that nobody waits on is left alone.

use crate::error::{Code, Error, Result};
use parking_lot::Mutex;
use socket2::Socket;
use std::net::Shutdown;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The stop sign of one handle. It stays set until [`Interrupt::clear`].
#[derive(Debug, Default)]
pub struct Interrupt {
    set: AtomicBool,
    waiting: Mutex<Option<Arc<Socket>>>,
}

impl Interrupt {
    pub fn new() -> Arc<Interrupt> {
        Arc::default()
    }

    /// Ends the wait that is going on, and every later one until `clear`. The connection that was waited on is lost.
    pub fn interrupt(&self) {
        self.set.store(true, Ordering::SeqCst);
        if let Some(socket) = self.waiting.lock().as_ref() {
            // A socket that is already disconnected needs no waking.
            let _ = socket.shutdown(Shutdown::Both);
        }
    }

    pub fn clear(&self) {
        self.set.store(false, Ordering::SeqCst);
    }

    pub fn is_set(&self) -> bool {
        self.set.load(Ordering::SeqCst)
    }

    /// Error 301 when set.
    pub fn check(&self) -> Result<()> {
        if self.is_set() { Err(Error::new(Code::Interrupted, "the operation was interrupted")) } else { Ok(()) }
    }

    /// Registers `socket` until the guard is dropped. Check the flag after this and before blocking.
    pub(crate) fn watching(&self, socket: &Arc<Socket>) -> Watch<'_> {
        self.watch(Arc::clone(socket));
        Watch(self)
    }

    fn watch(&self, socket: Arc<Socket>) {
        *self.waiting.lock() = Some(socket);
    }

    fn unwatch(&self) {
        *self.waiting.lock() = None;
    }
}

/// While it lives, `interrupt` wakes calls that block on the socket.
pub(crate) struct Watch<'a>(&'a Interrupt);

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        self.0.unwatch();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stays_set_until_cleared() {
        let interrupt = Interrupt::new();
        assert!(interrupt.check().is_ok());
        interrupt.interrupt();
        assert_eq!(interrupt.check().unwrap_err().code, Code::Interrupted);
        assert!(interrupt.is_set());
        interrupt.clear();
        assert!(interrupt.check().is_ok());
    }

    #[test]
    fn a_socket_is_held_only_while_it_is_waited_on() {
        let interrupt = Interrupt::new();
        let socket = Arc::new(Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap());
        let watch = interrupt.watching(&socket);
        assert_eq!(Arc::strong_count(&socket), 2);
        drop(watch);
        assert_eq!(Arc::strong_count(&socket), 1);
    }
}
