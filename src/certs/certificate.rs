//! The certificate object that every language shows (ruling 30): where to search (Store, StoreType, StorePassword), and what was
//! selected there, which is immutable and shared by clones. Setting Subject or Encoded searches and swaps the selection; nothing else
//! does.

use super::key::PrivateKey;
use super::loaded::Loaded;
use super::refine::Refinement;
use super::store::{self, der_file::Der, p7b::P7b, pem_file::PemPublic, read_as};
use super::x509::X509;
use super::{contents::Entries, source};
use crate::enums::CertStoreType;
use crate::error::{Code, Error, Result};
use crate::text::mask::Secret;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use zeroize::Zeroizing;

/// The store that nothing else was set for.
const MY: &[u8] = b"MY";

/// A certificate, with its private key where there is one.
#[derive(Clone)]
pub struct Certificate {
    /// A name, or the content itself with all its keys.
    pub(super) store: Arc<Zeroizing<Vec<u8>>>,
    pub(super) store_type: CertStoreType,
    pub(super) store_password: Arc<Secret>,
    pub(super) selected: Option<Arc<Loaded>>,
    /// Given by Encoded, and the store did not have its key: Subject reads empty.
    pub(super) keyless: bool,
}

impl Default for Certificate {
    fn default() -> Certificate {
        Certificate {
            store: Arc::new(Zeroizing::new(MY.to_vec())),
            store_type: CertStoreType::User,
            store_password: Arc::default(),
            selected: None,
            keyless: false,
        }
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let selected = self.selected.as_deref();
        let subject = selected.map_or("", Loaded::subject);
        write!(f, "Certificate({subject:?}, key: {})", selected.is_some_and(Loaded::private_key_available))
    }
}

impl PartialEq for Certificate {
    /// The same selection of the same store: true for clones, not for what was read twice.
    fn eq(&self, other: &Certificate) -> bool {
        let selected = match (&self.selected, &other.selected) {
            (Some(one), Some(two)) => Arc::ptr_eq(one, two),
            (one, two) => one.is_none() && two.is_none(),
        };
        selected
            && self.keyless == other.keyless
            && self.store_type == other.store_type
            && self.store == other.store
            && self.store_password == other.store_password
    }
}

fn nothing(what: impl Into<String>) -> Error {
    Error::new(Code::CertNotFound, what.into())
}

/// The certificate that stands first in these octets, and the others: DER, PEM or PKCS #7, or one of them in Base64. Keys beside it are
/// passed over. PKCS #7 has no order: of its certificates it is the first that is no authority. Anything else is error 272.
fn first_certificate(bytes: &[u8], what: &str) -> Result<(Arc<X509>, Vec<Arc<X509>>)> {
    let mut found = match read_as(&[&PemPublic, &Der, &P7b], bytes, "") {
        Ok(contents) => contents.certificates,
        Err(fault) if store::recognised(bytes) => return Err(nothing(fault.into_error(what).into_message())),
        Err(_) => Vec::new(),
    };
    if found.is_empty() {
        return Err(nothing(format!("there is no certificate in {what}")));
    }
    let unordered = memchr::memmem::find(bytes, b"-----BEGIN CERTIFICATE").is_none();
    let at = if unordered { found.iter().position(|c| !c.is_ca()).unwrap_or(0) } else { 0 };
    let first = found.remove(at);
    Ok((first, found))
}

/// A recipient's certificate as AddRecipientCert takes it: DER, PEM, or DER in Base64. Anything else is error 272.
pub fn recipient(bytes: &[u8]) -> Result<Arc<X509>> {
    first_certificate(bytes, "what was given").map(|(first, _)| first)
}

impl Certificate {
    /// The first certificate of a file, without a key.
    pub fn from_file(path: &str) -> Result<Certificate> {
        if path.is_empty() || path.chars().any(char::is_control) {
            return Err(Error::new(Code::CertStore, "a certificate file is named by one line"));
        }
        let path = Path::new(path);
        Certificate::first(&source::read_file(path)?, &format!("the file {}", path.display()))
    }

    /// The first certificate of the octets, without a key.
    pub fn from_data(bytes: &[u8]) -> Result<Certificate> {
        Certificate::first(bytes, "what was given")
    }

    fn first(bytes: &[u8], what: &str) -> Result<Certificate> {
        let (first, others) = first_certificate(bytes, what)?;
        let mut beside = Entries::default();
        beside.add_certificates(others);
        Ok(Certificate::of(beside.with_key(first)))
    }

    /// What a server showed: its certificate in DER, and those it sent along. An issuer that cannot be read is left out.
    pub fn of_der<T: AsRef<[u8]>>(der: &[u8], chain: &[T]) -> Result<Certificate> {
        let first = X509::from_der(der).map_err(|fault| fault.into_error("the server's certificate"))?;
        let mut loaded = Loaded::new(Some(Arc::new(first)), None, None);
        loaded.chain = chain.iter().filter_map(|c| X509::from_der(c.as_ref()).ok().map(Arc::new)).collect();
        Ok(Certificate::of(loaded))
    }

    /// Around an entry that was found.
    pub fn of(loaded: Loaded) -> Certificate {
        Certificate { selected: Some(Arc::new(loaded)), ..Certificate::default() }
    }

    /// The entry of a store that Subject names, or that the `Thumbprint` of the configuration string does. Nothing found is error 272.
    pub fn from_store(
        store_type: i32,
        store: &[u8],
        password: &str,
        subject: &str,
        configuration: &str,
    ) -> Result<Certificate> {
        let refined = Refinement::parse(configuration)?;
        let mut made = Certificate::at(store_type, store, password)?;
        let entries = made.open()?;
        let (found, what) = match &refined.thumbprint {
            Some(thumbprint) => (entries.by_thumbprint(thumbprint), "this thumbprint"),
            None => (entries.select(subject), "this subject"),
        };
        let found = found.ok_or_else(|| nothing(format!("the store has no certificate with {what}")))?;
        made.selected = Some(Arc::new(found));
        Ok(made)
    }

    /// A given certificate, with its key if the store has it (ruling 30).
    pub fn from_store_encoded(store_type: i32, store: &[u8], password: &str, encoded: &[u8]) -> Result<Certificate> {
        let mut made = Certificate::at(store_type, store, password)?;
        made.set_encoded_b(encoded)?;
        match made.selected {
            Some(_) => Ok(made),
            None => Err(nothing("there is no certificate in what was given")),
        }
    }

    fn at(store_type: i32, store: &[u8], password: &str) -> Result<Certificate> {
        let mut made = Certificate::default();
        made.set_store_type(store_type)?;
        made.set_store_b(store)?;
        made.set_store_password(password)?;
        Ok(made)
    }

    fn open(&self) -> Result<Entries> {
        source::open(self.store_type, &self.store, self.store_password.expose())
    }

    /// Puts another private key beside what is selected, or none. Selecting anew drops it.
    pub fn set_key(&mut self, key: Option<Arc<PrivateKey>>) {
        if let Some(selected) = &self.selected {
            let mut changed = Loaded::clone(selected);
            changed.key = key;
            self.keyless = false;
            self.selected = Some(Arc::new(changed));
        }
    }

    /// What is selected: certificate, key and chain. None while nothing is.
    pub fn loaded(&self) -> Option<Arc<Loaded>> {
        self.selected.clone()
    }

    /// Selects the entry that the text names. When there is none, nothing is selected and nothing is wrong.
    pub fn set_subject(&mut self, value: &str) -> Result<()> {
        let found = match value.trim().is_empty() || self.store.is_empty() {
            true => None,
            false => self.open()?.select(value),
        };
        self.selected = found.map(Arc::new);
        self.keyless = false;
        Ok(())
    }

    pub fn set_encoded(&mut self, value: &str) -> Result<()> {
        self.set_encoded_b(value.as_bytes())
    }

    /// Selects the certificate that is given, with its key if the store has it. Empty selects nothing.
    pub fn set_encoded_b(&mut self, value: &[u8]) -> Result<()> {
        if value.trim_ascii().is_empty() {
            self.selected = None;
            self.keyless = false;
            return Ok(());
        }
        let (first, others) = first_certificate(value, "what was given")?;
        let mut entries = match self.store.is_empty() {
            true => Entries::default(),
            false => self.open()?,
        };
        entries.add_certificates(others);
        let loaded = entries.with_key(first);
        self.keyless = !loaded.private_key_available();
        self.selected = Some(Arc::new(loaded));
        Ok(())
    }

    pub fn set_store(&mut self, value: &str) -> Result<()> {
        self.set_store_b(value.as_bytes())
    }

    pub fn set_store_b(&mut self, value: &[u8]) -> Result<()> {
        if value.len() as u64 > source::SIZE {
            return Err(Error::new(Code::CertStore, "the store is larger than 16 MiB"));
        }
        self.store = Arc::new(Zeroizing::new(value.to_vec()));
        Ok(())
    }

    pub fn set_store_type(&mut self, value: i32) -> Result<()> {
        self.store_type = CertStoreType::from_i32(value)
            .ok_or_else(|| Error::new(Code::ValueRefused, format!("{value} is no value of CertStoreTypes")))?;
        Ok(())
    }

    pub fn set_store_password(&mut self, value: &str) -> Result<()> {
        self.store_password = Arc::new(Secret::new(value));
        Ok(())
    }
}

#[cfg(test)]
mod tests;
