//! Revocation lists and OCSP answers, given by servers that behave and by servers that do not.

#[path = "revocation/answers.rs"]
mod answers;
#[path = "revocation/lists.rs"]
mod lists;
#[path = "revocation/ocsp.rs"]
mod ocsp;
#[path = "revocation/site.rs"]
mod site;
#[path = "revocation/whole.rs"]
mod whole;

mod common;

use self::site::{Asked, Reply, Site, To};
use ssmtp::certs::key::PrivateKey;
use ssmtp::certs::pem;
use ssmtp::net::tls::revocation::{Levels, Revocation};
use ssmtp::net::tls::{Failure, Fault, Presented};
use ssmtp::net::{Clock, Interrupt};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

/// The folder of the certificates, made once for the process.
fn pki() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let all = Path::new(env!("CARGO_TARGET_TMPDIR")).join("revocation-pki");
        // Runs that are over leave theirs behind.
        for old in fs::read_dir(&all).into_iter().flatten().flatten() {
            if !Path::new("/proc").join(old.file_name()).exists() {
                let _ = fs::remove_dir_all(old.path());
            }
        }
        let folder = all.join(std::process::id().to_string());
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/revocation/pki.sh");
        assert!(Command::new("sh").arg(script).arg(&folder).status().unwrap().success(), "pki.sh failed");
        folder
    })
}

fn file(name: &str) -> Vec<u8> {
    fs::read(pki().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn der_of(name: &str) -> Vec<u8> {
    pem::blocks(&file(&format!("{name}.pem"))).unwrap()[0].data.to_vec()
}

fn key_of(name: &str) -> PrivateKey {
    let blocks = pem::blocks(&file(&format!("{name}.key"))).unwrap();
    PrivateKey::from_pkcs8(&blocks[0].data).expect("the key can be read")
}

const CRL: Levels = Levels { crl: 1, ocsp: 0 };
const CRL_ALWAYS: Levels = Levels { crl: 2, ocsp: 0 };
const OCSP: Levels = Levels { crl: 0, ocsp: 1 };
const OCSP_ALWAYS: Levels = Levels { crl: 0, ocsp: 2 };

fn clock() -> Clock {
    Clock::new(Some(Duration::from_secs(10)), None, Interrupt::new())
}

/// Checks a server's certificate below the intermediate, or another path.
fn check_path(checks: &Revocation, levels: Levels, path: &[&str], stapled: &[u8], site: &Site) -> Vec<Failure> {
    let path: Vec<Vec<u8>> = path.iter().map(|name| der_of(name)).collect();
    let presented = Presented { chain: &path, path: &path, ocsp: stapled };
    checks.check(levels, &presented, &mut To(site.port), &clock()).unwrap()
}

fn check(levels: Levels, leaf: &str, site: &Site) -> Vec<Failure> {
    check_path(&Revocation::default(), levels, &[leaf, "int", "ca"], &[], site)
}

/// A site where the intermediate is always good, and the server's word comes from here.
fn site(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Site {
    Site::start(move |asked| match asked.what.as_str() {
        "GET lists.example/ca.crl" => Reply::Content(file("empty-ca.crl")),
        "POST responder.example/ca" => {
            let about = answers::Answer { issuer: "ca", signer: "ca", ..answers::Answer::good("int") };
            Reply::Content(about.to(&asked.content))
        }
        _ => answer(asked),
    })
}

/// That there is one failure, of this kind, with these words.
fn one(failures: &[Failure], fault: Fault, words: &[&str]) {
    assert_eq!(failures.len(), 1, "{failures:?}");
    assert_eq!(failures[0].fault, fault, "{failures:?}");
    for word in words {
        assert!(failures[0].text.contains(word), "{word}: {failures:?}");
    }
}
