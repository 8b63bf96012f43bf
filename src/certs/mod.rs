//! Certificates: the object every language shows, with the values an empty one has, and beside it the readers of certificates, keys
//! and stores.

pub mod ber;
pub mod cipher;
pub mod contents;
pub mod der;
pub mod fault;
pub mod folder;
pub mod key;
pub mod loaded;
pub mod name;
pub mod number;
pub mod pbe;
pub mod pem;
pub mod source;
pub mod spki;
pub mod ssh_wire;
pub mod store;
pub mod time;
pub mod x509;

#[cfg(test)]
mod tests;

use crate::error::{Error, Result};

/// A certificate that nothing was loaded into.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Certificate {}

/// The fields an empty certificate reads.
macro_rules! empty_fields {
    ($($name:ident),*) => {
        impl Certificate {
            $(pub fn $name(&self) -> Result<String> {
                Ok(String::new())
            })*
        }
    };
}

empty_fields!(
    effective_date,
    encoded,
    expiration_date,
    extended_key_usage,
    fingerprint,
    fingerprint_sha1,
    fingerprint_sha256,
    issuer,
    private_key,
    private_key_container,
    public_key,
    public_key_algorithm,
    serial_number,
    signature_algorithm,
    store_password,
    subject,
    subject_alt_names,
    thumbprint_md5,
    thumbprint_sha1,
    thumbprint_sha256,
    usage,
    version
);

impl Certificate {
    pub fn encoded_b(&self) -> Result<Vec<u8>> {
        Ok(Vec::new())
    }
    pub fn private_key_available(&self) -> Result<bool> {
        Ok(false)
    }
    pub fn public_key_length(&self) -> Result<i32> {
        Ok(0)
    }
    pub fn usage_flags(&self) -> Result<i32> {
        Ok(0)
    }
    pub fn store(&self) -> Result<String> {
        Ok("MY".into())
    }
    pub fn store_b(&self) -> Result<Vec<u8>> {
        Ok(b"MY".to_vec())
    }
    pub fn store_type(&self) -> Result<i32> {
        Ok(0)
    }

    pub fn set_encoded(&mut self, value: &str) -> Result<()> {
        planned_set(value.is_empty(), "Certificate.Encoded")
    }
    pub fn set_encoded_b(&mut self, value: &[u8]) -> Result<()> {
        planned_set(value.is_empty(), "Certificate.EncodedB")
    }
    pub fn set_store(&mut self, value: &str) -> Result<()> {
        planned_set(value == "MY", "Certificate.Store")
    }
    pub fn set_store_b(&mut self, value: &[u8]) -> Result<()> {
        planned_set(value == b"MY", "Certificate.StoreB")
    }
    pub fn set_store_password(&mut self, value: &str) -> Result<()> {
        planned_set(value.is_empty(), "Certificate.StorePassword")
    }
    pub fn set_store_type(&mut self, value: i32) -> Result<()> {
        planned_set(value == 0, "Certificate.StoreType")
    }
    pub fn set_subject(&mut self, value: &str) -> Result<()> {
        planned_set(value.is_empty(), "Certificate.Subject")
    }
}

/// A planned value takes what it already is.
fn planned_set(same: bool, name: &str) -> Result<()> {
    if same { Ok(()) } else { Err(Error::planned(name)) }
}

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
