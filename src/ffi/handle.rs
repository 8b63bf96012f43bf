//! What an `ssmtp_t *` is: a token of slot and generation, never an address. A dead, doubled or made-up one is answered with
//! error 608 and nothing is dereferenced. Each slot has its own lock, so handles share none.

use crate::error::{Code, Error, Result};
use parking_lot::Mutex;
use std::sync::{Arc, OnceLock};

/// A mail sender: settings, message, connection. Made by `ssmtp_new`, released by `ssmtp_delete`.
#[allow(non_camel_case_types)]
pub struct ssmtp_t {
    _private: [u8; 0],
}

/// A certificate, with or without its private key. Made by `ssmtp_cert_new…`, released by `ssmtp_cert_delete`.
#[allow(non_camel_case_types)]
pub struct ssmtp_cert_t {
    _private: [u8; 0],
}

/// Half of a pointer counts generations, half counts slots.
const HALF: u32 = usize::BITS / 2;
const SLOT_MASK: usize = (1 << HALF) - 1;
/// Chunk `n` has `FIRST << n` slots; chunks are made when needed and kept for good.
const FIRST: usize = 64;
const CHUNKS: usize = 24;

struct Slot<T> {
    generation: usize,
    value: Option<Arc<T>>,
}

type Chunk<T> = OnceLock<Box<[Mutex<Slot<T>>]>>;

/// The live objects of one kind.
pub struct Table<T> {
    chunks: [Chunk<T>; CHUNKS],
    free: Mutex<Free>,
}

struct Free {
    slots: Vec<usize>,
    next: usize,
}

impl<T> Table<T> {
    pub const fn new() -> Table<T> {
        Table { chunks: [const { OnceLock::new() }; CHUNKS], free: Mutex::new(Free { slots: Vec::new(), next: 0 }) }
    }

    fn slot(&self, index: usize) -> Option<&Mutex<Slot<T>>> {
        let chunk = (index / FIRST + 1).ilog2() as usize;
        let first = ((1 << chunk) - 1) * FIRST;
        self.chunks.get(chunk)?.get()?.get(index - first)
    }

    /// Puts what `make` gives for its token into a free slot. None when there is no room left.
    pub fn insert(&self, make: impl FnOnce(usize) -> Arc<T>) -> Option<usize> {
        let index = {
            let mut free = self.free.lock();
            match free.slots.pop() {
                Some(index) => index,
                None => {
                    let index = free.next;
                    let chunk = (index / FIRST + 1).ilog2() as usize;
                    let size = FIRST << chunk;
                    let empty = || Mutex::new(Slot { generation: 0, value: None });
                    self.chunks.get(chunk)?.get_or_init(|| (0..size).map(|_| empty()).collect());
                    free.next += 1;
                    index
                }
            }
        };
        let slot = self.slot(index)?;
        let token = {
            let mut slot = slot.lock();
            slot.generation = (slot.generation + 1) & SLOT_MASK;
            (slot.generation << HALF) | (index + 1)
        };
        let value = make(token);
        slot.lock().value = Some(value);
        Some(token)
    }

    fn find(&self, token: usize) -> Option<(&Mutex<Slot<T>>, usize)> {
        let index = (token & SLOT_MASK).checked_sub(1)?;
        Some((self.slot(index)?, token >> HALF))
    }

    /// The object of a token: 601 for NULL, 608 for one that is not alive.
    pub fn get(&self, token: usize, what: &str) -> Result<Arc<T>> {
        if token == 0 {
            return Err(Error::new(Code::BadArgument, format!("the {what} is NULL")));
        }
        let found = self.find(token).and_then(|(slot, generation)| {
            let slot = slot.lock();
            if slot.generation == generation { slot.value.clone() } else { None }
        });
        found.ok_or_else(|| closed(what))
    }

    /// Takes an object out; its memory goes when the last call that uses it ends.
    pub fn remove(&self, token: usize, what: &str) -> Result<Arc<T>> {
        let Some((slot, generation)) = self.find(token) else { return Err(closed(what)) };
        let value = {
            let mut slot = slot.lock();
            if slot.generation != generation {
                return Err(closed(what));
            }
            slot.value.take().ok_or_else(|| closed(what))?
        };
        self.free.lock().slots.push((token & SLOT_MASK) - 1);
        Ok(value)
    }
}

fn closed(what: &str) -> Error {
    Error::new(Code::ClosedHandle, format!("the {what} was deleted or never made"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_dies_with_its_object_and_its_slot_is_used_again() {
        let table: Table<u32> = Table::new();
        let first = table.insert(|_| Arc::new(1)).unwrap();
        assert_eq!(*table.get(first, "handle").unwrap(), 1);
        table.remove(first, "handle").unwrap();
        assert_eq!(table.get(first, "handle").unwrap_err().code, Code::ClosedHandle);
        let second = table.insert(|_| Arc::new(2)).unwrap();
        assert_eq!(first & SLOT_MASK, second & SLOT_MASK);
        assert_ne!(first, second);
        assert_eq!(table.remove(first, "handle").unwrap_err().code, Code::ClosedHandle);
        assert_eq!(*table.get(second, "handle").unwrap(), 2);
    }

    #[test]
    fn made_up_tokens_are_refused() {
        let table: Table<u32> = Table::new();
        table.insert(|_| Arc::new(1)).unwrap();
        assert_eq!(table.get(0, "handle").unwrap_err().code, Code::BadArgument);
        for token in [1, 2, usize::MAX, 0xdead_beef, 0x7fff_ffff_e000, SLOT_MASK] {
            assert_eq!(table.get(token, "handle").unwrap_err().code, Code::ClosedHandle);
            assert!(table.remove(token, "handle").is_err());
        }
    }

    #[test]
    fn thousands_of_objects_live_at_once() {
        let table: Table<usize> = Table::new();
        let tokens: Vec<usize> = (0..5_000).map(|i| table.insert(|_| Arc::new(i)).unwrap()).collect();
        for (i, token) in tokens.iter().enumerate() {
            assert_eq!(*table.get(*token, "handle").unwrap(), i);
        }
    }
}
