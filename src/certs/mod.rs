//! Certificates: the object every language shows, its fields, and the readers of certificates, keys and stores behind it.

mod aes_modes;
pub mod ber;
pub mod certificate;
pub mod contents;
pub mod der;
pub mod fault;
pub mod fields;
pub mod folder;
pub mod key;
pub mod loaded;
pub mod name;
pub mod number;
pub mod pbe;
pub mod pem;
pub mod refine;
pub mod signing;
pub mod source;
pub mod spki;
pub mod ssh_wire;
pub mod store;
pub mod time;
pub mod token;
pub mod usage;
pub mod x509;

#[cfg(test)]
mod tests;

pub use certificate::{Certificate, recipient};
pub use ssmtp_octets::cipher;

/// Octets as hexadecimal digits with something between.
pub(crate) fn hex(bytes: &[u8], upper: bool, between: &str) -> String {
    let digits: Vec<String> =
        bytes.iter().map(|b| if upper { format!("{b:02X}") } else { format!("{b:02x}") }).collect();
    digits.join(between)
}

pub(crate) fn md5(parts: &[&[u8]]) -> Vec<u8> {
    use md5::Digest;
    let mut hash = md5::Md5::new();
    parts.iter().for_each(|p| hash.update(p));
    hash.finalize().to_vec()
}
