//! S/MIME: the Cryptographic Message Syntax (RFC 5652, 5083) as RFC 8551 uses it. Octets in, octets out: content is pushed through in
//! pieces of any size, and memory does not grow with it. MIME around it is `mime`'s.

pub mod algorithm;
mod asn1;
mod attributes;
mod bulk;
mod chain;
mod decrypt;
mod enveloped;
mod keywrap;
pub mod mime;
pub mod received;
mod recipient;
mod signed;
mod verify;

pub use algorithm::{Cipher, Hash, hash_from_name, micalg};
pub use decrypt::{decrypt, is_enveloped};
pub use enveloped::{EncryptSpec, Envelope};
pub use signed::{Detached, Opaque, SignSpec};
pub use verify::{Detail, Signer, Verified, verify};

use crate::error::Result;

/// Content is worked on in pieces of this size: a multiple of 57 (a Base64 line of 76) and 16 (an AES block) that stays in the cache.
pub const CHUNK: usize = 65_664;

/// Content in, what comes of it out. `out` is appended to.
pub trait Transform: Send {
    fn update(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<()>;

    /// Ends it. Nothing may follow.
    fn finish(&mut self, out: &mut Vec<u8>) -> Result<()>;

    /// All the content at once, in these pieces. False where there is no other way than one piece after the other: they are still to be
    /// given then, and what was written stands before them.
    fn whole(&mut self, _pieces: &[&[u8]], _out: &mut Vec<u8>) -> Result<bool> {
        Ok(false)
    }

    /// How many octets come out in all; none when that is not known beforehand.
    fn total(&self) -> Option<u64>;
}
