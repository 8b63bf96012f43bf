//! Octets that several hold at once. What was composed becomes one without a copy, which an `Arc<[u8]>` would need.

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, Weak};

#[derive(Clone, Default, PartialEq, Eq)]
pub struct Bytes(Arc<Vec<u8>>);

/// The same octets as long as somebody else holds them.
#[derive(Debug)]
pub struct WeakBytes(Weak<Vec<u8>>);

impl Bytes {
    /// Whether both are the very same octets, not a copy.
    pub fn is(&self, other: &Bytes) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    pub fn downgrade(&self) -> WeakBytes {
        WeakBytes(Arc::downgrade(&self.0))
    }
}

impl WeakBytes {
    /// Whether these are the octets that were meant, still.
    pub fn is(&self, bytes: &Bytes) -> bool {
        std::ptr::eq(self.0.as_ptr(), Arc::as_ptr(&bytes.0)) && self.0.strong_count() > 0
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(octets: Vec<u8>) -> Bytes {
        Bytes(Arc::new(octets))
    }
}

impl From<String> for Bytes {
    fn from(text: String) -> Bytes {
        text.into_bytes().into()
    }
}

impl From<&[u8]> for Bytes {
    fn from(octets: &[u8]) -> Bytes {
        octets.to_vec().into()
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}
