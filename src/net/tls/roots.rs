//! Where trust begins: the system's roots, loaded once in a process, or a file in their place, and the caller's own.

use super::TlsOptions;
use crate::error::{Code, Error, Result};
use parking_lot::Mutex;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, SignatureVerificationAlgorithm, TrustAnchor};
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

/// Certificates that a chain may end at.
#[derive(Debug, Default)]
pub struct Roots {
    /// Side by side: the certificates and what webpki makes of them.
    certificates: Vec<CertificateDer<'static>>,
    anchors: Vec<TrustAnchor<'static>>,
}

impl Roots {
    fn new(certificates: impl IntoIterator<Item = CertificateDer<'static>>) -> Roots {
        let mut roots = Roots::default();
        roots.add(certificates);
        roots
    }

    fn add(&mut self, certificates: impl IntoIterator<Item = CertificateDer<'static>>) {
        for certificate in certificates {
            // What can't be read can't be a root either; a system's bundle is allowed to hold such.
            if let Ok(anchor) = webpki::anchor_from_trusted_cert(&certificate).map(|anchor| anchor.to_owned()) {
                self.anchors.push(anchor);
                self.certificates.push(certificate);
            }
        }
    }

    pub fn len(&self) -> usize {
        self.anchors.len()
    }

    pub fn is_empty(&self) -> bool {
        self.anchors.is_empty()
    }
}

/// What one handshake trusts.
#[derive(Debug)]
pub struct Trust {
    roots: Arc<Roots>,
    /// Beside them, and trusted as a server's own certificate too.
    extra: Arc<Roots>,
    pub(super) anchors: Vec<TrustAnchor<'static>>,
    /// A file took the place of the system's roots: its certificates too may be a server's own.
    from_file: bool,
    /// What the signatures of a chain may be made with.
    pub(super) algorithms: Vec<&'static dyn SignatureVerificationAlgorithm>,
}

impl Trust {
    /// Error 303 for a CA file that cannot be read, 603 for SSLServerCACerts that are none.
    pub fn of(options: &TlsOptions) -> Result<Trust> {
        match ca_file(options) {
            Some((path, _)) => Trust::new(Arc::new(from_file(path)?), true, options),
            None => Trust::new(system(), false, options),
        }
    }

    /// The same, read once for all handles of the process that trust the same, as long as the file does not change.
    pub(super) fn shared(options: &TlsOptions, stamp: &Stamp) -> Result<Arc<Trust>> {
        static KEPT: Mutex<Vec<Kept>> = Mutex::new(Vec::new());
        let same = |kept: &&Kept| kept.stamp == *stamp && kept.extra_roots == options.extra_roots;
        if let Some(found) = KEPT.lock().iter().find(same) {
            return Ok(Arc::clone(&found.trust));
        }
        let trust = Arc::new(Trust::of(options)?);
        let mut kept = KEPT.lock();
        if kept.len() >= SHARED {
            kept.remove(0);
        }
        kept.push(Kept { stamp: stamp.clone(), extra_roots: options.extra_roots.clone(), trust: Arc::clone(&trust) });
        Ok(trust)
    }

    /// With these certificates, and those of CACertFilePaths, in place of the system's roots.
    pub(super) fn replaced(options: &TlsOptions, own: Vec<CertificateDer<'static>>) -> Result<Trust> {
        let mut roots = ca_file(options).map(|(path, _)| from_file(path)).transpose()?.unwrap_or_default();
        roots.add(own);
        Trust::new(Arc::new(roots), true, options)
    }

    fn new(roots: Arc<Roots>, from_file: bool, options: &TlsOptions) -> Result<Trust> {
        let extra = Arc::new(Roots::new(from_pem(options.extra_roots.as_bytes(), "SSLServerCACerts")?));
        let anchors = extra.anchors.iter().chain(&roots.anchors).cloned().collect();
        let algorithms = super::internal::algorithms().all.to_vec();
        Ok(Trust { roots, extra, anchors, from_file, algorithms })
    }

    /// The certificate of an anchor.
    pub(super) fn certificate(&self, anchor: &TrustAnchor<'_>) -> Option<&CertificateDer<'static>> {
        let index = self.anchors.iter().position(|known| std::ptr::eq(known, anchor))?;
        self.extra.certificates.iter().chain(&self.roots.certificates).nth(index)
    }

    /// Whether the caller named this very certificate.
    pub(super) fn names(&self, leaf: &[u8]) -> bool {
        let own = self.from_file.then_some(&self.roots).into_iter().chain([&self.extra]);
        own.flat_map(|roots| &roots.certificates).any(|certificate| certificate.as_ref() == leaf)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.anchors.is_empty()
    }
}

/// Trust that handles share.
const SHARED: usize = 8;

struct Kept {
    stamp: Stamp,
    extra_roots: String,
    trust: Arc<Trust>,
}

/// What tells that the CA file is another one by now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stamp(Option<(PathBuf, u64, Option<SystemTime>)>);

impl Stamp {
    pub(super) fn of(options: &TlsOptions) -> Stamp {
        Stamp(ca_file(options).map(|(path, data)| {
            (path.to_owned(), data.as_ref().map_or(0, |data| data.len()), data.and_then(|data| data.modified().ok()))
        }))
    }
}

/// The file of CACertFilePaths, with what the system says of it.
fn ca_file(options: &TlsOptions) -> Option<(&Path, Option<Metadata>)> {
    for path in &options.ca_files {
        if let Ok(data) = fs::metadata(path) {
            return Some((path, Some(data)));
        }
    }
    // None of them exists: the first is named in the error, and the system's roots do not step in.
    options.ca_files.first().map(|path| (path.as_path(), None))
}

/// The system's roots, read at the first use. A system without any has none.
pub fn system() -> Arc<Roots> {
    static SYSTEM: OnceLock<Arc<Roots>> = OnceLock::new();
    Arc::clone(SYSTEM.get_or_init(|| Arc::new(Roots::new(rustls_native_certs::load_native_certs().certs))))
}

fn from_file(path: &Path) -> Result<Roots> {
    let data = fs::read(path)
        .map_err(|error| Error::new(Code::File, format!("CA file {} cannot be read: {error}", path.display())))?;
    let roots = Roots::new(from_pem(&data, &format!("CA file {}", path.display()))?);
    if roots.is_empty() {
        return Err(Error::new(Code::File, format!("CA file {} holds no certificate", path.display())));
    }
    Ok(roots)
}

/// Every certificate of a PEM text; other sections and text around them are left out.
pub fn from_pem(text: &[u8], what: &str) -> Result<Vec<CertificateDer<'static>>> {
    let found: std::result::Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
    let found = found.map_err(|error| Error::new(Code::ValueRefused, format!("{what}: no valid PEM: {error}")))?;
    if found.is_empty() && !text.trim_ascii().is_empty() {
        return Err(Error::new(Code::ValueRefused, format!("{what} holds no PEM certificate")));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_trusts_the_same_shares_it_until_the_file_changes() {
        let path = std::env::temp_dir().join(format!("ssmtp-roots-{}.pem", std::process::id()));
        let options = TlsOptions { ca_files: vec![path.clone()], ..TlsOptions::new("a.example", 25) };
        let other = TlsOptions { security_flags: 1, server_name: "b.example".into(), ..options.clone() };
        let shared = |options: &TlsOptions| Trust::shared(options, &Stamp::of(options));
        assert_eq!(shared(&options).map(drop).unwrap_err().code, Code::File);
        let certificate = include_str!("../../../tests/data/certs/ca.crt");
        fs::write(&path, certificate).unwrap();
        let first = shared(&options).unwrap();
        assert!(Arc::ptr_eq(&first, &shared(&other).unwrap()));
        assert_eq!(first.anchors.len(), 1);
        fs::write(&path, format!("{certificate}\n{}", include_str!("../../../tests/data/certs/rsa.crt"))).unwrap();
        let second = shared(&options).unwrap();
        assert!(!Arc::ptr_eq(&first, &second));
        fs::remove_file(&path).unwrap();
        // The system's own: one for everybody.
        let plain = |host: &str| shared(&TlsOptions::new(host, 25)).unwrap();
        assert!(Arc::ptr_eq(&plain("a.example"), &plain("b.example")));
    }
}
