//! The workbench of these tests: certificates made once (tests/cms/pki.sh), a folder of files, `openssl`, content of any length.

use ssmtp::certs::{key::PrivateKey, x509::X509};
use ssmtp::smime::{Hash, SignSpec, Transform};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

/// The folder of the certificates.
pub fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let all = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cms-pki");
        // Runs that are over leave theirs behind.
        for old in fs::read_dir(&all).into_iter().flatten().flatten() {
            if !Path::new("/proc").join(old.file_name()).exists() {
                let _ = fs::remove_dir_all(old.path());
            }
        }
        let folder = all.join(std::process::id().to_string());
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cms/pki.sh");
        let status = Command::new("sh").arg(script).arg(&folder).status().expect("sh runs");
        assert!(status.success(), "pki.sh failed");
        folder
    })
}

pub fn path(name: &str) -> String {
    folder().join(name).to_str().expect("a path of the tests is text").to_owned()
}

/// A file of its own with these octets.
pub fn file(content: &[u8]) -> String {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let path = path(&format!("file-{}", COUNT.fetch_add(1, Ordering::Relaxed)));
    fs::write(&path, content).expect("the folder of the tests can be written");
    path
}

pub fn certificate(name: &str) -> Arc<X509> {
    let der = match fs::read(path(&format!("{name}.der"))) {
        Ok(der) => der,
        Err(_) => openssl(&format!("x509 -in {} -outform DER", path(&format!("{name}.crt")))).expect(name),
    };
    Arc::new(X509::from_der(&der).expect(name))
}

pub fn key(name: &str) -> Arc<PrivateKey> {
    let der = fs::read(path(&format!("{name}.p8"))).expect(name);
    Arc::new(PrivateKey::from_pkcs8(&der).expect(name))
}

pub fn pair(name: &str) -> (Arc<X509>, Arc<PrivateKey>) {
    (certificate(name), key(name))
}

/// When everything here is signed: an hour after the certificates were made.
pub fn now() -> i64 {
    static NOW: OnceLock<i64> = OnceLock::new();
    let since = || std::time::SystemTime::UNIX_EPOCH.elapsed().expect("it is after 1970").as_secs();
    *NOW.get_or_init(|| since() as i64 + 3600)
}

pub fn signer(name: &str, hash: Hash) -> SignSpec {
    let (certificate, key) = pair(name);
    SignSpec { key, certificates: vec![certificate.clone()], certificate, hash, pss: false, time: now() }
}

/// Runs `openssl` with arguments that blanks separate; what it writes, or what it says when it fails.
pub fn openssl(arguments: &str) -> Result<Vec<u8>, String> {
    let Output { status, stdout, stderr } =
        Command::new("openssl").args(arguments.split_whitespace()).output().expect("openssl runs");
    if status.success() {
        Ok(stdout)
    } else {
        Err(format!("openssl {arguments}: {}", String::from_utf8_lossy(&stderr)))
    }
}

/// Octets without a pattern, CRLF lines not needed: everything here is -binary.
pub fn content(length: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1du64;
    (0..length)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state as u8
        })
        .collect()
}

/// Everything that comes out for this content, given in pieces.
pub fn run(mut transform: impl Transform, content: &[u8], piece: usize) -> Vec<u8> {
    let announced = transform.total();
    let mut out = Vec::new();
    for piece in content.chunks(piece) {
        transform.update(piece, &mut out).expect("content is taken");
    }
    transform.finish(&mut out).expect("it ends well");
    if let Some(length) = announced {
        assert_eq!(out.len() as u64, length, "the length that was announced");
    }
    out
}
