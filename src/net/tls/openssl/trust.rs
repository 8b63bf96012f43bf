//! OpenSSLCAFile and OpenSSLCADir: in place of the system's roots, read by us, so that the chain is checked as ever.

use super::foreign::{self, issuer_hash};
use crate::error::{Code, Error, Result};
use crate::net::tls::roots::{Trust, from_pem};
use crate::net::tls::{OpensslSettings, TlsOptions};
use rustls::pki_types::CertificateDer;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

/// Files of one hash that are read at most.
const SAME_HASH: usize = 32;
/// Certificates of a server whose issuers are looked up at most.
const LOOKED_UP: usize = 16;
/// A file of one certificate is not larger.
const FILE: u64 = 256 * 1024;

/// Who may sign a server's certificate.
pub struct Authorities {
    /// Without the folder's.
    base: Arc<Trust>,
    /// OpenSSLCAFile's, where there is a folder too.
    listed: Vec<CertificateDer<'static>>,
    folder: Option<PathBuf>,
}

impl Authorities {
    /// Error 303 for a file or folder that cannot be read.
    pub fn of(options: &TlsOptions) -> Result<Authorities> {
        let settings = &options.openssl;
        let listed = settings.ca_file.as_deref().map(file).transpose()?.unwrap_or_default();
        if let Some(folder) = &settings.ca_dir {
            fs::read_dir(folder).map_err(|error| unreadable("OpenSSLCADir", folder, &error))?;
        }
        let base = if settings.ca_file.is_some() || settings.ca_dir.is_some() {
            Trust::replaced(options, listed.clone())?
        } else {
            Trust::of(options)?
        };
        Ok(Authorities { base: Arc::new(extended(base)), listed, folder: settings.ca_dir.clone() })
    }

    /// For a server that presented this chain.
    pub fn trust(&self, options: &TlsOptions, chain: &[Vec<u8>]) -> Result<Arc<Trust>> {
        let Some(folder) = &self.folder else { return Ok(Arc::clone(&self.base)) };
        let mut found = self.listed.clone();
        for certificate in chain.iter().take(LOOKED_UP) {
            if let Some(hash) = issuer_hash(certificate) {
                found.extend(by_hash(folder, &hash));
            }
        }
        Ok(Arc::new(extended(Trust::replaced(options, found)?)))
    }
}

/// With the signatures that OpenSSL can check and ring cannot.
fn extended(mut trust: Trust) -> Trust {
    trust.algorithms.extend(foreign::algorithms());
    trust
}

fn file(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let text = fs::read(path).map_err(|error| unreadable("OpenSSLCAFile", path, &error))?;
    let what = format!("OpenSSLCAFile {}", path.display());
    let found = from_pem(&text, &what).map_err(|error| Error::new(Code::File, error.into_message()))?;
    if found.is_empty() {
        return Err(Error::new(Code::File, format!("{what} holds no certificate")));
    }
    Ok(found)
}

fn unreadable(setting: &str, path: &Path, error: &std::io::Error) -> Error {
    Error::new(Code::File, format!("{setting} {} cannot be read: {error}", path.display()))
}

/// `hash.0`, `hash.1` and so on, as c_rehash makes them.
fn by_hash(folder: &Path, hash: &str) -> Vec<CertificateDer<'static>> {
    let mut found = Vec::new();
    for number in 0..SAME_HASH {
        let path = folder.join(format!("{hash}.{number}"));
        let Ok(data) = fs::metadata(&path) else { break };
        // What is no file of certificates is nobody's to trust.
        if data.is_file() && data.len() <= FILE {
            let text = fs::read(&path).unwrap_or_default();
            found.extend(from_pem(&text, "").unwrap_or_default());
        }
    }
    found
}

/// What tells that file or folder are others by now.
#[derive(Debug, PartialEq, Eq, Clone)]
pub struct Stamp(Vec<Option<(u64, SystemTime)>>);

impl Stamp {
    pub fn of(settings: &OpensslSettings) -> Stamp {
        let seen = |path: &Option<PathBuf>| {
            let data = fs::metadata(path.as_deref()?).ok()?;
            Some((data.len(), data.modified().ok()?))
        };
        Stamp(vec![seen(&settings.ca_file), seen(&settings.ca_dir)])
    }
}
