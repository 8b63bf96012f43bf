//! What every octet of a message goes through: line ends, transfer encodings, ciphers. Bytes in, bytes out, and nothing of messages.
//! Cargo compiles a whole crate either for speed or for size. This one is for speed; `ssmtp` is for size, and generic code is
//! compiled where its types become known, so what is generic here ends in functions that are not.

#![forbid(unsafe_code)]

pub mod chain;
pub mod cipher;
pub mod encode;
pub mod gcm;
mod ghash;
pub mod lines;
