//! What a provider keeps for one set of equal options: its configuration, with the sessions that were made under it.

use super::TlsOptions;
use crate::error::Result;
use parking_lot::Mutex;
use std::sync::Arc;

/// Configurations of one handle that are kept with their sessions.
const KEPT: usize = 8;

/// What is kept.
pub(super) trait Entry {
    fn options(&self) -> &TlsOptions;
    /// The moment from which the verified certificates are out of date, and the sessions with them.
    fn until(&self) -> Option<i64>;
}

/// The entries of one handle.
pub(super) struct Held<E>(Mutex<Vec<Arc<E>>>);

impl<E> Default for Held<E> {
    fn default() -> Held<E> {
        Held(Mutex::default())
    }
}

impl<E: Entry> Held<E> {
    /// The entry for these options, where `current` says that its files are the same still, or a new one. Another one of the same
    /// server goes, with its sessions.
    pub fn entry(
        &self,
        options: &TlsOptions,
        now: i64,
        current: impl Fn(&E) -> bool,
        make: impl FnOnce() -> Result<E>,
    ) -> Result<Arc<E>> {
        {
            let mut entries = self.0.lock();
            let here = |entry: &E| {
                let kept = entry.options();
                kept.port == options.port && kept.server_name == options.server_name
            };
            entries.retain(|entry| {
                let fresh = || entry.until().is_none_or(|until| now <= until);
                !here(entry) || (entry.options() == options && current(entry) && fresh())
            });
            if let Some(found) = entries.iter().find(|entry| here(entry)) {
                return Ok(Arc::clone(found));
            }
        }
        let entry = Arc::new(make()?);
        let mut entries = self.0.lock();
        if entries.len() >= KEPT {
            entries.remove(0);
        }
        entries.push(Arc::clone(&entry));
        Ok(entry)
    }

    pub fn drop_entry(&self, entry: &Arc<E>) {
        self.0.lock().retain(|kept| !Arc::ptr_eq(kept, entry));
    }

    pub fn clear(&self) {
        self.0.lock().clear();
    }
}
