//! The user's and the machine's stores (ruling 11): folders of PEM, DER and PFX files. ROOT and CA also have the system's bundle.

use super::contents::{Contents, Entries};
use super::fault::Fault;
use super::{source, store};
use crate::enums::CertStoreType;
use crate::error::{Code, Error, Result};
use std::collections::BinaryHeap;
use std::path::{Path, PathBuf};

/// Files in one folder, and octets in all of them.
const FILES: usize = 10_000;
const OCTETS: usize = 64 << 20;
const EXTENSIONS: [&str; 8] = ["pem", "crt", "cer", "der", "key", "pfx", "p12", "p7b"];
/// Where Debian, Fedora, SUSE and macOS keep the trusted roots.
const BUNDLES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// Opens a store by its name (`MY`, `ROOT`, `CA`).
pub fn open(store_type: CertStoreType, name: &[u8], password: &str) -> Result<Entries> {
    let plain = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    let name = match std::str::from_utf8(name) {
        Ok(name) if !name.is_empty() && name.len() <= 64 && name.bytes().all(|b| plain(&b)) => name,
        // A name is no path: nothing above the folder is reached.
        _ => {
            return Err(Error::new(
                Code::CertStore,
                "the name of a user or machine store has letters, digits, '-' and '_' only",
            ));
        }
    };
    let base = match store_type {
        CertStoreType::Machine => Some(PathBuf::from("/etc/libssmtp/certs")),
        // A service without a home has no certificates there, which is no fault.
        _ => std::env::var_os("HOME")
            .filter(|home| !home.is_empty())
            .map(|h| Path::new(&h).join(".local/share/libssmtp/certs")),
    };
    let bundles: &[&str] =
        if name.eq_ignore_ascii_case("ROOT") || name.eq_ignore_ascii_case("CA") { &BUNDLES } else { &[] };
    read(&base.map(|base| base.join(name)).unwrap_or_default(), bundles, password)
}

/// The files of a folder in the order of their names, and the first bundle that exists. A folder that is absent is an empty store. A
/// file that another password opens is passed over, since the others may be what is looked for; if nothing is left, it is the error.
pub fn read(folder: &Path, bundles: &[&str], password: &str) -> Result<Entries> {
    let what = format!("the folder {}", folder.display());
    let mut found = Vec::new();
    match std::fs::read_dir(folder) {
        Ok(entries) => {
            for path in entries.take(FILES).filter_map(|entry| entry.ok().map(|entry| entry.path())) {
                if path.extension().is_some_and(|e| EXTENSIONS.iter().any(|known| e.eq_ignore_ascii_case(known))) {
                    found.push(path);
                }
            }
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(Error::new(Code::CertStore, format!("{what}: {error}"))),
    }
    // A heap is small code beside a sort.
    let mut files = BinaryHeap::from(found).into_sorted_vec();
    files.extend(bundles.iter().map(PathBuf::from).find(|b| b.is_file()));
    let mut all = Contents { folder: true, ..Contents::default() };
    let mut closed = None;
    let mut octets = 0;
    for file in files {
        let bytes = source::read_file(&file)?;
        octets += bytes.len();
        if octets > OCTETS {
            return Err(Error::new(Code::CertStore, format!("{what} is larger than 64 MiB")));
        }
        match store::read_any(&bytes, password) {
            Ok(found) => all.add(found),
            Err(fault) => {
                let others_may_do = matches!(*fault, Fault::Password | Fault::Unsupported(_));
                let error = fault.into_error(&format!("the file {}", file.display()));
                if !others_may_do {
                    return Err(error);
                }
                closed = Some(error);
            }
        }
    }
    let entries = all.entries().map_err(|fault| fault.into_error(&what))?;
    match closed {
        Some(error) if entries.is_empty() => Err(error),
        _ => Ok(entries),
    }
}
