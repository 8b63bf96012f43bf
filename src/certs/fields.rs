//! The fields of a certificate object as every language reads them (ruling 37): those of what is selected, and those that say where
//! it was searched. An empty one reads empty texts and zeros.

use super::certificate::Certificate;
use super::loaded::Loaded;
use crate::error::Result;
use base64_simd::STANDARD;

/// Fields that what is selected has and the object only passes on.
macro_rules! passed_on {
    ($($name:ident: $type:ty),* $(,)?) => {
        impl Certificate {
            $(pub fn $name(&self) -> Result<$type> {
                Ok(self.read(|s| s.$name().to_owned()))
            })*
        }
    };
}

passed_on! {
    encoded: String,
    extended_key_usage: String,
    fingerprint: String,
    fingerprint_sha1: String,
    fingerprint_sha256: String,
    issuer: String,
    private_key_available: bool,
    public_key: String,
    public_key_algorithm: String,
    public_key_length: i32,
    serial_number: String,
    signature_algorithm: String,
    subject_alt_names: String,
    thumbprint_md5: String,
    thumbprint_sha1: String,
    thumbprint_sha256: String,
    usage: String,
    usage_flags: i32,
    version: String,
    encoded_b: Vec<u8>,
}

impl Certificate {
    fn read<T: Default>(&self, field: impl FnOnce(&Loaded) -> T) -> T {
        self.selected.as_deref().map(field).unwrap_or_default()
    }

    /// In the zone that `offset` tells for a time: seconds east of Greenwich.
    pub fn effective_date(&self, offset: fn(i64) -> i32) -> Result<String> {
        Ok(self.read(|s| s.effective_date(offset)))
    }

    pub fn expiration_date(&self, offset: fn(i64) -> i32) -> Result<String> {
        Ok(self.read(|s| s.expiration_date(offset)))
    }

    /// Empty also for a certificate that was given without its key being found (ruling 30).
    pub fn subject(&self) -> Result<String> {
        Ok(if self.keyless { String::new() } else { self.read(|s| s.subject().to_owned()) })
    }

    pub fn private_key(&self) -> Result<String> {
        Ok(self.read(|s| std::mem::take(&mut *s.private_key())))
    }

    /// Containers exist on another system only.
    pub fn private_key_container(&self) -> Result<String> {
        Ok(String::new())
    }

    /// The store as text; content that is none as Base64, which means the same.
    pub fn store(&self) -> Result<String> {
        let text = std::str::from_utf8(&self.store).ok().filter(|t| !t.contains('\0'));
        Ok(text.map_or_else(|| STANDARD.encode_to_string(&self.store[..]), str::to_owned))
    }

    pub fn store_b(&self) -> Result<Vec<u8>> {
        Ok(self.store.to_vec())
    }

    pub fn store_type(&self) -> Result<i32> {
        Ok(self.store_type as i32)
    }

    pub fn store_password(&self) -> Result<String> {
        Ok(self.store_password.expose().to_owned())
    }
}
