//! From what a caller names (a kind, a store, a password) to the entries in it. The only place here that opens files.

use super::contents::{Contents, Entries};
use super::fault::{Fault, Read};
use super::folder;
use super::store::{self, Format};
use super::store::{
    bcfks::Bcfks,
    der_file::Der,
    jks::Jks,
    jwk::Jwk,
    p7b::P7b,
    pem_file::{Pem, PemPublic},
    pfx::Pfx,
    ppk::Ppk,
    ssh::SshPublic,
    xml::Xml,
};
use super::token;
use crate::enums::CertStoreType;
use crate::error::{Code, Error, Result};
use std::path::Path;
use zeroize::Zeroizing;

/// No store is this large; a file that is names something else.
pub const SIZE: u64 = 16 << 20;

/// The octets of a regular file. Directories, FIFOs, sockets and devices are error 271, without waiting for them.
pub fn read_file(path: &Path) -> Result<Zeroizing<Vec<u8>>> {
    use std::io::Read;
    let refused = |why: &str| Error::new(Code::CertStore, format!("the file {}: {why}", path.display()));
    let mut options = std::fs::OpenOptions::new();
    options.read(true);
    // A FIFO without a writer would hold the open; what was opened is looked at, not what has the name.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NONBLOCK | libc::O_CLOEXEC);
    let file = options.open(path).map_err(|e| refused(&e.to_string()))?;
    let about = file.metadata().map_err(|e| refused(&e.to_string()))?;
    if !about.is_file() {
        return Err(refused("it is no regular file"));
    }
    if about.len() > SIZE {
        return Err(refused("it is larger than 16 MiB"));
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(about.len() as usize + 1));
    file.take(SIZE + 1).read_to_end(&mut bytes).map_err(|e| refused(&e.to_string()))?;
    // A file of /proc says 0 and may grow.
    if bytes.len() as u64 > SIZE { Err(refused("it is larger than 16 MiB")) } else { Ok(bytes) }
}

/// The readers that take a kind of store, and whether it is named by its file.
fn kind(kind: CertStoreType) -> Option<(&'static [&'static dyn Format], bool)> {
    use CertStoreType as T;
    Some(match kind {
        T::PfxFile => (&[&Pfx], true),
        T::PfxBlob => (&[&Pfx], false),
        T::JksFile => (&[&Jks], true),
        T::JksBlob => (&[&Jks], false),
        T::BcfksFile => (&[&Bcfks], true),
        T::BcfksBlob => (&[&Bcfks], false),
        T::PemKeyFile => (&[&Pem, &Der], true),
        T::PemKeyBlob => (&[&Pem, &Der], false),
        T::PublicKeyFile => (&[&PemPublic, &Der], true),
        T::PublicKeyBlob => (&[&PemPublic, &Der], false),
        T::SshPublicKeyFile => (&[&SshPublic], true),
        T::SshPublicKeyBlob => (&[&SshPublic], false),
        T::P7bFile => (&[&P7b, &Pem], true),
        T::P7bBlob => (&[&P7b, &Pem], false),
        T::PpkFile => (&[&Ppk], true),
        T::PpkBlob => (&[&Ppk], false),
        T::XmlFile => (&[&Xml], true),
        T::XmlBlob => (&[&Xml], false),
        T::JwkFile => (&[&Jwk], true),
        T::JwkBlob => (&[&Jwk], false),
        _ => return None,
    })
}

/// Opens a store: a file name or the content itself, as the kind says. Automatic takes content of a known kind as content, anything
/// else as a file name. Unreadable stores and wrong passwords are error 271, a key of another certificate is 273.
pub fn open(store_type: CertStoreType, store: &[u8], password: &str) -> Result<Entries> {
    match store_type {
        CertStoreType::Pkcs11 | CertStoreType::SecurityKey => token(store, password),
        CertStoreType::Auto if token::is_uri(store) => token(store, password),
        CertStoreType::Auto if store::recognised(store) => finish(store::read_any(store, password), "the store"),
        CertStoreType::Auto => {
            let path = path(store)?;
            finish(store::read_any(&read_file(path)?, password), &format!("the file {}", path.display()))
        }
        CertStoreType::User | CertStoreType::Machine => folder::open(store_type, store, password),
        _ => {
            let Some((formats, file)) = kind(store_type) else {
                return Err(Fault::Unsupported(format!("the store type {}", store_type as i32))
                    .into_error("the certificate store"));
            };
            if !file {
                return finish(store::read_as(formats, store, password), &format!("the {} content", formats[0].name()));
            }
            let path = path(store)?;
            finish(store::read_as(formats, &read_file(path)?, password), &format!("the file {}", path.display()))
        }
    }
}

/// A PKCS #11 module, by its path or by a URI (which may hold the PIN, so that only its kind is repeated).
fn token(store: &[u8], pin: &str) -> Result<Entries> {
    let path = path(store)?;
    let name = path.to_str().unwrap_or_default();
    let what =
        if token::is_uri(store) { "the PKCS #11 token".to_owned() } else { format!("the PKCS #11 module {name}") };
    finish(token::open(name, pin), &what)
}

fn finish(contents: Read<Contents>, what: &str) -> Result<Entries> {
    contents.and_then(Contents::entries).map_err(|fault| fault.into_error(what))
}

/// A file name. Content where a name belongs is refused here, so that no error text ever repeats a key.
fn path(store: &[u8]) -> Result<&Path> {
    let refused = |why: &str| Err(Error::new(Code::CertStore, why));
    if store.is_empty() {
        return refused("the store has no name");
    }
    if store::recognised(store) {
        return refused("the store is named by a file, and what was given is its content");
    }
    match std::str::from_utf8(store) {
        Ok(name) if store.len() <= 4096 && !name.contains(char::is_control) => Ok(Path::new(name)),
        _ => refused("the store is neither a file name nor content of a known kind"),
    }
}
