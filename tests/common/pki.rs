//! The certificates of the TLS tests (tests/tls/pki.sh), made once for the process, and servers of the xtask with them.

#![allow(dead_code)] // Every test file takes what it needs of this.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use xtask::server::tls::{Mode, Setup, Tls};
use xtask::server::{Options, Server};

/// The name that the servers' certificates are for.
pub const NAME: &str = "mail.example";

/// The folder of the certificates.
pub fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let all = Path::new(env!("CARGO_TARGET_TMPDIR")).join("secure-pki");
        // Runs that are over leave theirs behind.
        for old in fs::read_dir(&all).into_iter().flatten().flatten() {
            if !Path::new("/proc").join(old.file_name()).exists() {
                let _ = fs::remove_dir_all(old.path());
            }
        }
        let folder = all.join(std::process::id().to_string());
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tls/pki.sh");
        let status = Command::new("sh").arg(script).arg(&folder).status().expect("sh runs");
        assert!(status.success(), "pki.sh failed");
        folder
    })
}

pub fn path(name: &str) -> String {
    folder().join(name).to_str().expect("a path of the tests is text").to_owned()
}

pub fn pem(name: &str) -> String {
    fs::read_to_string(path(&format!("{name}.pem"))).expect(name)
}

/// The server's side of the certificate `name`, with the chain that pki.sh made for it.
pub fn setup(name: &str) -> Setup {
    let mut certificates = pem(name).into_bytes();
    certificates.extend(fs::read(path(&format!("{name}.chain"))).unwrap_or_default());
    Setup { certificates, key: fs::read(path(&format!("{name}.key"))).expect(name), ..Setup::default() }
}

pub fn server(mode: Mode, setup: &Setup, options: Options) -> Server {
    let tls = Tls::new(mode, setup).expect("the certificate is fit");
    Server::start(Options { tls: Some(tls), ..options }).expect("a port is free")
}
