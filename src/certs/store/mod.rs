//! The kinds of stores, one file each, behind one trait: octets and a password in, what it holds out. No file is opened here.

pub mod bcfks;
pub mod der_file;
pub mod jks;
pub mod json;
pub mod jwk;
pub mod openssh;
pub mod p7b;
pub mod pem_file;
pub mod pfx;
pub mod ppk;
pub mod ssh;
pub mod xml;

use super::contents::Contents;
use super::fault::{Read, unsupported};
use super::key::{PrivateKey, Rsa};
use super::pem;
use zeroize::Zeroizing;

/// Certificates or keys in one store.
pub const ENTRIES: usize = 20_000;

/// One kind of store.
pub trait Format: Sync {
    /// For error texts: `PFX`.
    fn name(&self) -> &'static str;
    /// Whether the octets are of this kind, by their beginning or shape. Cheap, and never wrong about a store of another kind.
    fn recognises(&self, bytes: &[u8]) -> bool;
    /// Reads all of it. A wrong password is told apart from a broken store.
    fn read(&self, bytes: &[u8], password: &str) -> Read<Contents>;
}

/// Every kind, in the order in which they are asked whether they recognise something.
pub static FORMATS: [&dyn Format; 10] = [
    &jks::Jks,
    &bcfks::Bcfks,
    &pfx::Pfx,
    &p7b::P7b,
    &ppk::Ppk,
    &ssh::SshPublic,
    &jwk::Jwk,
    &xml::Xml,
    &pem_file::Pem,
    &der_file::Der,
];

/// The kind these octets are of.
pub fn detect(bytes: &[u8]) -> Option<&'static dyn Format> {
    FORMATS.into_iter().find(|f| f.recognises(bytes))
}

/// Whether the octets, or what they are in Base64, are a store of any kind.
pub fn recognised(bytes: &[u8]) -> bool {
    detect(bytes).is_some() || unwrapped(bytes).is_some_and(|decoded| detect(&decoded).is_some())
}

/// Reads a store of a kind that only its octets tell; they may stand in Base64.
pub fn read_any(bytes: &[u8], password: &str) -> Read<Contents> {
    match first(&FORMATS, bytes, password) {
        Some(found) => found,
        None => unsupported("a store of an unknown kind"),
    }
}

/// Reads a store of one of these kinds, octets or Base64.
pub fn read_as(formats: &[&'static dyn Format], bytes: &[u8], password: &str) -> Read<Contents> {
    if let Some(found) = first(formats, bytes, password) {
        return found;
    }
    let what = match detect(bytes) {
        Some(other) => format!("it is {}, not {}", other.name(), formats[0].name()),
        None => format!("it is not {}", formats[0].name()),
    };
    super::fault::broken(what)
}

/// What the first of these formats reads that recognises the octets, or what they are in Base64.
fn first(formats: &[&'static dyn Format], bytes: &[u8], password: &str) -> Option<Read<Contents>> {
    if let Some(format) = formats.iter().find(|f| f.recognises(bytes)) {
        return Some(format.read(bytes, password));
    }
    let decoded = unwrapped(bytes)?;
    let format = formats.iter().find(|f| f.recognises(&decoded))?;
    Some(format.read(&decoded, password))
}

/// What stands in Base64, when these octets are nothing else.
fn unwrapped(bytes: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let base64 =
        |b: &u8| b.is_ascii_alphanumeric() || b.is_ascii_whitespace() || matches!(b, b'+' | b'/' | b'=' | b'-' | b'_');
    if bytes.len() < 8 || !bytes.iter().all(base64) {
        return None;
    }
    pem::base64(bytes).ok().filter(|decoded| !decoded.is_empty())
}

/// The RSA key of the numbers that have these names: n, e, d, p, q, and the inverse of q.
fn rsa(names: [&str; 6], number: &dyn Fn(&str) -> Read<Zeroizing<Vec<u8>>>) -> Read<PrivateKey> {
    let numbers = names.into_iter().map(number).collect::<Read<Vec<_>>>()?;
    let at = |at: usize| numbers[at].as_slice();
    PrivateKey::rsa(&Rsa { n: at(0), e: at(1), d: at(2), p: at(3), q: at(4), qi: at(5) })
}

/// The text without a mark of UTF-8 and blanks before it.
pub(super) fn start(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start()
}
