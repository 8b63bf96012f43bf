//! From what a caller names (a kind, a store, a password) to the entries in it. The only place here that opens files.

use super::contents::{Contents, Entries};
use super::fault::{Fault, Read};
use super::store::{self, Format};
use super::store::{
    der_file::Der, jks::Jks, jwk::Jwk, p7b::P7b, pem_file::Pem, pfx::Pfx, ppk::Ppk, ssh::SshPublic, xml::Xml,
};
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
        T::PemKeyFile => (&[&Pem, &Der], true),
        T::PemKeyBlob => (&[&Pem, &Der], false),
        T::PublicKeyFile => (&[&Pem, &Der], true),
        T::PublicKeyBlob => (&[&Pem, &Der], false),
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
    if store_type == CertStoreType::Auto {
        let contents = match store::read_any(store, password) {
            Err(Fault::Unsupported(why))
                if path(store).is_some_and(Path::is_file) || store.len() < 1024 && store::detect(store).is_none() =>
            {
                let Some(path) = path(store) else { return Err(Fault::Unsupported(why).into_error("the store")) };
                let bytes = read_file(path)?;
                return finish(store::read_any(&bytes, password), &format!("the file {}", path.display()));
            }
            other => other,
        };
        return finish(contents, "the store");
    }
    let Some((formats, file)) = kind(store_type) else {
        return Err(
            Fault::Unsupported(format!("the store type {}", store_type as i32)).into_error("the certificate store")
        );
    };
    if !file {
        return finish(store::read_as(formats, store, password), &format!("the {} content", formats[0].name()));
    }
    let Some(path) = path(store) else {
        return Err(Error::new(Code::CertStore, "the store is no file name"));
    };
    let bytes = read_file(path)?;
    finish(store::read_as(formats, &bytes, password), &format!("the file {}", path.display()))
}

fn finish(contents: Read<Contents>, what: &str) -> Result<Entries> {
    contents.and_then(Contents::entries).map_err(|fault| fault.into_error(what))
}

fn path(store: &[u8]) -> Option<&Path> {
    if store.is_empty() || store.len() > 4096 || store.contains(&0) {
        return None;
    }
    std::str::from_utf8(store).ok().map(Path::new)
}
