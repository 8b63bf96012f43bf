//! What the S/MIME tests share: certificates (pki.sh), messages from and to their owners, and OpenSSL.

use crate::common::{Handle, Outcome};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use xtask::server::{Options, Server};

/// The folder of the certificates, made once for the process.
pub fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let all = Path::new(env!("CARGO_TARGET_TMPDIR")).join("smime-pki");
        // Runs that are over leave theirs behind.
        for old in std::fs::read_dir(&all).into_iter().flatten().flatten() {
            if !Path::new("/proc").join(old.file_name()).exists() {
                let _ = std::fs::remove_dir_all(old.path());
            }
        }
        let folder = all.join(std::process::id().to_string());
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/smime/pki.sh");
        assert!(Command::new("sh").args([script.as_ref(), folder.as_os_str()]).arg("few").status().unwrap().success());
        folder
    })
}

pub fn path(name: &str) -> String {
    folder().join(name).to_str().unwrap().to_owned()
}

/// A file of its own for each caller.
pub fn scratch(content: &[u8]) -> String {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let path = path(&format!("scratch-{}", NUMBER.fetch_add(1, Ordering::SeqCst)));
    std::fs::write(&path, content).unwrap();
    path
}

pub fn start() -> Server {
    Server::start(Options::default().offer("8BITMIME,PIPELINING,SIZE")).unwrap()
}

/// A message from rsa to second, to a server.
pub fn message(server: &Server) -> Handle {
    let handle = Handle::to(server.port());
    handle.must_set("From", "rsa@b.example");
    handle.must_set("SendTo", "second@b.example");
    handle.must_set("Subject", "Quarterly figures");
    handle.must_set("MessageText", "Hello,\r\nhere they are.\r\n");
    handle
}

/// Takes somebody's certificate with its key for signing.
pub fn sign_as(handle: &Handle, name: &str) {
    handle.must_set("CertificateStoreType", "6");
    handle.must_set("CertificateStore", &path(&format!("{name}.all")));
    handle.must_set("CertificateSubject", "*");
}

pub fn encrypt_for(handle: &Handle, names: &[&str]) {
    for name in names {
        let pem = std::fs::read(path(&format!("{name}.pem"))).unwrap();
        // SAFETY: the octets live through the call.
        let code = unsafe { ssmtp::ffi::ssmtp_add_recipient_cert(handle.raw(), pem.as_ptr(), pem.len()) };
        assert_eq!(code, 0, "{}", handle.last_error());
    }
}

pub fn code(outcome: Outcome) -> i32 {
    outcome.err().map_or(0, |failure| failure.code)
}

/// Sends and gives what arrived.
pub fn sent(server: &Server, handle: &Handle) -> Vec<u8> {
    let before = server.count();
    handle.call("Send", "").unwrap_or_else(|e| panic!("Send: {e:?}"));
    let mut all = server.messages().split_off(before);
    assert_eq!(all.len(), 1);
    all.pop().unwrap().data
}

/// Runs OpenSSL; what it wrote, or its complaint.
pub fn openssl(arguments: &[&str], input: &[u8]) -> Result<Vec<u8>, String> {
    let mut child = Command::new("openssl")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("openssl is there");
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let feed = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    let _ = feed.join();
    if output.status.success() { Ok(output.stdout) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

/// The content of a signed message, where `openssl cms` finds the signature good.
pub fn verified(message: &[u8]) -> Result<Vec<u8>, String> {
    openssl(&["cms", "-verify", "-CAfile", &path("chain.pem")], message)
}

pub fn decrypted(message: &[u8], name: &str) -> Result<Vec<u8>, String> {
    let (certificate, key) = (path(&format!("{name}.pem")), path(&format!("{name}.key")));
    openssl(
        &["cms", "-decrypt", "-recip", &certificate, "-inkey", &key, "-provider", "default", "-provider", "legacy"],
        message,
    )
}

/// How many recipients an encrypted message names.
pub fn recipients(message: &[u8]) -> usize {
    let shown = String::from_utf8(openssl(&["cms", "-cmsout", "-print", "-noout"], message).unwrap()).unwrap();
    shown.matches("d.issuerAndSerialNumber").count() + shown.matches("d.rKeyId").count()
}

pub fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

/// A field of the message's own header, unfolded; empty where it is not there.
pub fn field(message: &[u8], name: &str) -> String {
    let text = text(message);
    let head = text.split("\r\n\r\n").next().unwrap_or_default().replace("\r\n ", " ").replace("\r\n\t", " ");
    let prefix = format!("{}:", name.to_ascii_lowercase());
    let found = head.split("\r\n").find(|line| line.to_ascii_lowercase().starts_with(&prefix));
    found.map_or(String::new(), |line| line[prefix.len()..].trim().to_owned())
}
