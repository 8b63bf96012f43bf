//! The rows of SSLCert, SSLAcceptServerCert and SSLServerCert: all three hold the certificate of one server, and what they tell
//! of it is what `openssl x509` tells.

use crate::common::Handle;
use crate::pki;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use xtask::server::tls::{Mode, Setup};
use xtask::server::{Options, Server};

/// A certificate for localhost that nobody vouches for, with its key.
struct Own {
    folder: PathBuf,
    server: Server,
}

impl Own {
    fn new() -> Own {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let name = format!("names-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::SeqCst));
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&folder).unwrap();
        let made = Command::new("openssl")
            .args("req -x509 -newkey rsa:2048 -nodes -days 30 -subj".split(' '))
            .arg("/C=DE/O=Some Name/CN=localhost")
            .args(["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1,email:a@b.example"])
            .args(["-addext", "keyUsage=digitalSignature,keyEncipherment"])
            .args([
                "-addext",
                "extendedKeyUsage=serverAuth,clientAuth",
                "-addext",
                "basicConstraints=critical,CA:FALSE",
            ])
            .args(["-keyout".as_ref(), folder.join("key").as_os_str(), "-out".as_ref(), folder.join("pem").as_os_str()])
            .output()
            .expect("openssl is there");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let own = fs::read(folder.join("key")).unwrap();
        fs::write(folder.join("all"), [own.clone(), fs::read(folder.join("pem")).unwrap()].concat()).unwrap();
        let setup = Setup {
            certificates: fs::read(folder.join("pem")).unwrap(),
            key: own,
            ask_client: true,
            ..Setup::default()
        };
        Own { server: pki::server(Mode::Implicit, &setup, Options::default()), folder }
    }

    fn file(&self, name: &str) -> String {
        self.folder.join(name).to_str().unwrap().to_owned()
    }

    /// What `openssl x509` prints with these options, behind the sign `=` where there is one.
    fn openssl(&self, options: &str) -> String {
        let shown = Command::new("openssl")
            .args(["x509", "-noout", "-in"])
            .arg(self.file("pem"))
            .args(options.split(' '))
            .output();
        let text = String::from_utf8(shown.unwrap().stdout).unwrap().trim_end().to_owned();
        if text.starts_with("-----") {
            text
        } else {
            text.rsplit_once('=').map_or(text.clone(), |(_, value)| value.into())
        }
    }

    fn client(&self) -> Handle {
        let handle = Handle::to(self.server.port());
        handle.must_set("MailServer", "localhost");
        handle.must_set("SSLStartMode", "sslImplicit");
        handle
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// `Nov 22 06:29:29 2026 GMT` as `22-Nov-2026 06:29:29`.
fn date(openssl: &str) -> String {
    let words: Vec<&str> = openssl.split_whitespace().collect();
    format!("{:0>2}-{}-{} {}", words[1], words[0], words[3], words[2])
}

#[test]
fn three_families_of_rows_tell_of_one_certificate_what_openssl_tells() {
    let own = Own::new();
    let handle = own.client();
    handle.must_set("SSLCertStoreType", "cstPEMKeyFile");
    handle.must_set("SSLCertStore", &own.file("all"));
    handle.must_set("SSLCertSubject", "*");
    handle.must_set("SSLAcceptServerCertStoreType", "cstPEMKeyFile");
    handle.must_set("SSLAcceptServerCertStore", &own.file("all"));
    handle.must_set("SSLAcceptServerCertSubject", "*");
    handle.call("Connect", "").unwrap(); // SSLAcceptServerCert vouches for what nobody else does
    let shown = own.server.handshakes();
    assert_eq!(shown[0].client.len(), 1, "SSLCert is what the server is shown");

    let pem = own.openssl("-inform pem -outform pem -text");
    assert!(pem.contains("sha256WithRSAEncryption"));
    let colons = |digest: &str| own.openssl(&format!("-fingerprint -{digest}")).to_ascii_lowercase();
    let digits = |digest: &str| own.openssl(&format!("-fingerprint -{digest}")).replace(':', "");
    let base64 =
        fs::read_to_string(own.file("pem")).unwrap().lines().filter(|l| !l.starts_with('-')).collect::<String>();
    let rows: Vec<([&str; 3], String)> = vec![
        (
            ["SSLCertEffectiveDate", "SSLAcceptServerCertEffectiveDate", "SSLServerCertEffectiveDate"],
            date(&own.openssl("-startdate")),
        ),
        (
            ["SSLCertExpirationDate", "SSLAcceptServerCertExpirationDate", "SSLServerCertExpirationDate"],
            date(&own.openssl("-enddate")),
        ),
        (
            ["SSLCertExtendedKeyUsage", "SSLAcceptServerCertExtendedKeyUsage", "SSLServerCertExtendedKeyUsage"],
            "1.3.6.1.5.5.7.3.1,1.3.6.1.5.5.7.3.2".into(),
        ),
        (["SSLCertFingerprint", "SSLAcceptServerCertFingerprint", "SSLServerCertFingerprint"], colons("md5")),
        (
            ["SSLCertFingerprintSHA1", "SSLAcceptServerCertFingerprintSHA1", "SSLServerCertFingerprintSHA1"],
            colons("sha1"),
        ),
        (
            ["SSLCertFingerprintSHA256", "SSLAcceptServerCertFingerprintSHA256", "SSLServerCertFingerprintSHA256"],
            colons("sha256"),
        ),
        (
            ["SSLCertIssuer", "SSLAcceptServerCertIssuer", "SSLServerCertIssuer"],
            "CN=localhost, O=Some Name, C=DE".into(),
        ),
        (
            ["SSLCertSubject", "SSLAcceptServerCertSubject", "SSLServerCertSubject"],
            "CN=localhost, O=Some Name, C=DE".into(),
        ),
        (
            ["SSLCertSubjectAltNames", "SSLAcceptServerCertSubjectAltNames", "SSLServerCertSubjectAltNames"],
            "localhost,127.0.0.1,a@b.example".into(),
        ),
        (["SSLCertPublicKey", "SSLAcceptServerCertPublicKey", "SSLServerCertPublicKey"], own.openssl("-pubkey")),
        (
            ["SSLCertPublicKeyAlgorithm", "SSLAcceptServerCertPublicKeyAlgorithm", "SSLServerCertPublicKeyAlgorithm"],
            "RSA".into(),
        ),
        (
            ["SSLCertPublicKeyLength", "SSLAcceptServerCertPublicKeyLength", "SSLServerCertPublicKeyLength"],
            "2048".into(),
        ),
        (
            ["SSLCertSerialNumber", "SSLAcceptServerCertSerialNumber", "SSLServerCertSerialNumber"],
            own.openssl("-serial"),
        ),
        (
            ["SSLCertSignatureAlgorithm", "SSLAcceptServerCertSignatureAlgorithm", "SSLServerCertSignatureAlgorithm"],
            "sha256WithRSAEncryption".into(),
        ),
        (["SSLCertThumbprintMD5", "SSLAcceptServerCertThumbprintMD5", "SSLServerCertThumbprintMD5"], digits("md5")),
        (["SSLCertThumbprintSHA1", "SSLAcceptServerCertThumbprintSHA1", "SSLServerCertThumbprintSHA1"], digits("sha1")),
        (
            ["SSLCertThumbprintSHA256", "SSLAcceptServerCertThumbprintSHA256", "SSLServerCertThumbprintSHA256"],
            digits("sha256"),
        ),
        (
            ["SSLCertUsage", "SSLAcceptServerCertUsage", "SSLServerCertUsage"],
            "Digital Signatures,Key Encryption".into(),
        ),
        (["SSLCertUsageFlags", "SSLAcceptServerCertUsageFlags", "SSLServerCertUsageFlags"], "160".into()),
        (["SSLCertVersion", "SSLAcceptServerCertVersion", "SSLServerCertVersion"], "V3".into()),
        (["SSLCertEncodedB", "SSLAcceptServerCertEncodedB", "SSLServerCertEncodedB"], base64),
    ];
    for (names, expected) in rows {
        for name in names {
            assert_eq!(handle.get(name).unwrap().trim_end(), expected, "{name}");
        }
    }
    for name in ["SSLCertEncoded", "SSLAcceptServerCertEncoded", "SSLServerCertEncoded"] {
        assert_eq!(
            handle.get(name).unwrap().trim_end(),
            fs::read_to_string(own.file("pem")).unwrap().trim_end(),
            "{name}"
        );
    }
}

#[test]
fn only_a_certificate_that_came_with_its_key_has_one() {
    let own = Own::new();
    let handle = own.client();
    let store = fs::read_to_string(own.file("all")).unwrap();
    handle.must_set("SSLCertStoreType", "cstPEMKeyBlob");
    // By name octets are Base64.
    handle.must_set("SSLCertStoreB", &base64(store.as_bytes()));
    handle.must_set("SSLCertSubject", "*");
    handle.must_set("SSLAcceptServerCertStoreType", "cstPEMKeyFile");
    handle.must_set("SSLAcceptServerCertStore", &own.file("all"));
    handle.must_set("SSLAcceptServerCertSubject", "CN=localhost");
    handle.call("Connect", "").unwrap();
    assert_eq!(handle.get("SSLCertStore").unwrap(), store);
    assert_eq!(handle.get("SSLCertStoreB").unwrap(), base64(store.as_bytes()));
    assert_eq!(handle.get("SSLAcceptServerCertStoreB").unwrap(), base64(own.file("all").as_bytes()));
    for (name, value) in [
        ("SSLCertPrivateKeyAvailable", "True"),
        ("SSLCertPrivateKeyContainer", ""),
        ("SSLAcceptServerCertPrivateKeyAvailable", "True"),
        ("SSLAcceptServerCertPrivateKeyContainer", ""),
        ("SSLServerCertPrivateKeyAvailable", "False"),
        ("SSLServerCertPrivateKeyContainer", ""),
        ("SSLServerCertPrivateKey", ""),
        ("SSLServerCertStore", "MY"),
        ("SSLServerCertStoreB", "TVk="),
        ("SSLServerCertStoreType", "0"),
        ("SSLServerCertStorePassword", ""),
        ("SSLAcceptServerCertStoreType", "6"),
        ("SSLAcceptServerCertStorePassword", ""),
    ] {
        assert_eq!(handle.get(name).unwrap(), value, "{name}");
    }
    for name in ["SSLCertPrivateKey", "SSLAcceptServerCertPrivateKey"] {
        // The key is the one of the file: its public half is the certificate's.
        fs::write(own.file("read"), handle.get(name).unwrap()).unwrap();
        let public =
            Command::new("openssl").args(["pkey", "-pubout", "-in"]).arg(own.file("read")).output().unwrap().stdout;
        assert_eq!(String::from_utf8(public).unwrap().trim_end(), own.openssl("-pubkey"), "{name}");
    }
}

fn base64(octets: &[u8]) -> String {
    use std::io::Write;
    use std::process::Stdio;
    let mut child = Command::new("openssl")
        .args(["base64", "-A"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("openssl is there");
    child.stdin.take().unwrap().write_all(octets).unwrap();
    String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
}

#[test]
fn a_server_with_another_certificate_than_the_accepted_one_is_refused() {
    let (own, other) = (Own::new(), Own::new());
    let handle = own.client();
    handle.must_set("SSLAcceptServerCertEncodedB", &{
        let pem = fs::read_to_string(other.file("pem")).unwrap();
        pem.lines().filter(|l| !l.starts_with('-')).collect::<String>()
    });
    assert_eq!(handle.call("Connect", "").unwrap_err().code, 280);
    // What came is read all the same.
    assert_eq!(handle.get("SSLServerCertSerialNumber").unwrap(), own.openssl("-serial"));
}

#[test]
fn the_machines_store_is_a_folder_that_may_be_empty() {
    let handle = Handle::new();
    handle.must_set("SSLCertStoreType", "cstMachine");
    handle.must_set("SSLCertStore", "NoSuchStoreHere");
    handle.must_set("SSLCertSubject", "nobody at all");
    assert_eq!(handle.get("SSLCertEncoded").unwrap(), "", "nothing was found");
    // A name is no path.
    handle.must_set("SSLCertStore", "../../etc");
    assert_eq!(handle.set("SSLCertSubject", "nobody at all").unwrap_err().code, 271);
}
