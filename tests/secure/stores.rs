//! A key out of every kind of store proves itself in a handshake and signs a message that openssl verifies.

use crate::common::Handle;
use crate::pki;
use crate::start::client;
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use xtask::server::tls::{Mode, Setup};
use xtask::server::{Options, Server};

/// Checked in, or made anew by tests/certs/run.sh.
fn fixture(name: &str) -> PathBuf {
    let made = std::env::var_os("SSMTP_CERT_FIXTURES");
    made.map_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/certs").into(), PathBuf::from).join(name)
}

/// Kind of store, file, password, and the certificate when the store has keys only.
const STORES: [(&str, &str, &str, &str); 21] = [
    ("cstPFXFile", "modern.pfx", "secret", ""),
    ("cstPFXFile", "legacy.pfx", "secret", ""),
    ("cstPFXFile", "pbmac1.pfx", "secret", ""),
    ("cstPFXFile", "java.pfx", "secret", ""),
    ("cstPEMKeyFile", "bundle.pem", "", ""),
    ("cstPEMKeyFile", "legacy-des-ede3-cbc.pem", "secret", "rsa.crt"),
    ("cstPEMKeyFile", "pbes2-scrypt.pem", "secret", "p256.crt"),
    ("cstPEMKeyFile", "p384.sec1", "", "p384.crt"),
    ("cstPEMKeyFile", "p521.p8", "", "p521.crt"),
    ("cstJKSFile", "store.jks", "secret", ""),
    ("cstJKSFile", "store.jceks", "secret", ""),
    ("cstBCFKSFile", "store.bcfks", "secret", ""),
    ("cstPEMKeyFile", "locked-aes128-ctr.openssh", "secret", "p384.crt"),
    ("cstPEMKeyFile", "python.pem", "secret", "rsa.crt"),
    ("cstPFXFile", "python-new.pfx", "secret", ""),
    ("cstPFXFile", "rc2-128.pfx", "secret", ""),
    ("cstPPKFile", "rsa-v3-pw.ppk", "secret", "rsa.crt"),
    ("cstPPKFile", "p521-v2.ppk", "", "p521.crt"),
    ("cstXMLFile", "rsa.xml", "", "rsa.crt"),
    ("cstJWKFile", "set.jwk", "", "p384.crt"),
    ("cstAuto", "store.bcfks", "secret", ""),
];

fn asking() -> Server {
    let setup = Setup { ask_client: true, ..pki::setup("faults-none") };
    pki::server(Mode::Implicit, &setup, Options::default())
}

/// Fills the rows of one of the certificates.
fn select(handle: &Handle, family: &str, (kind, store, password, certificate): (&str, &str, &str, &str)) {
    handle.must_set(&format!("{family}StoreType"), kind);
    handle.must_set(&format!("{family}Store"), store);
    handle.must_set(&format!("{family}StorePassword"), password);
    if certificate.is_empty() {
        handle.must_set(&format!("{family}Subject"), "*");
    } else {
        handle.must_set(&format!("{family}Encoded"), &fs::read_to_string(fixture(certificate)).unwrap());
    }
    assert_eq!(handle.get(&format!("{family}PrivateKeyAvailable")).unwrap(), "True", "{store}");
}

/// Signs with what `Certificate` has and lets openssl judge.
fn signs(handle: &Handle, store: &str) {
    // The tests of this file use the same two files.
    static TURN: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    handle.must_set("MessageText", "signed by a key of that store\r\n");
    handle.call("Sign", "").unwrap_or_else(|e| panic!("{store}: {e:?}"));
    let entity = handle.get("OtherHeaders").unwrap() + "\r\n" + &handle.get("MessageText").unwrap();
    let at = pki::path("signed.eml");
    fs::write(&at, entity).unwrap();
    let certificate = pki::path("signer.pem");
    fs::write(&certificate, handle.get("CertificateEncoded").unwrap()).unwrap();
    let verify = ["cms", "-verify", "-in", &at, "-certfile", &certificate, "-noverify", "-purpose", "any"];
    let out = Command::new("openssl").args(verify).output().expect("openssl runs");
    assert!(out.status.success(), "{store}: {}", String::from_utf8_lossy(&out.stderr));
}

fn proves_itself(server: &Server, store: (&str, &str, &str, &str)) {
    // This server does not know P-521; tests/tls has one that does.
    if store.1.contains("p521") {
        return;
    }
    let handle = client(server.port(), "sslImplicit");
    select(&handle, "SSLCert", store);
    handle.call("Send", "").unwrap_or_else(|e| panic!("{store:?}: {e:?}"));
    let shown = server.handshakes().last().unwrap().client.clone();
    let mine = ssmtp::net::tls::roots::from_pem(handle.get("SSLCertEncoded").unwrap().as_bytes(), "it").unwrap();
    assert_eq!(shown.first().map(|c| &c[..]), mine.first().map(|c| c.as_ref()), "{store:?}");
}

#[test]
fn a_key_of_every_kind_of_store_logs_in_and_signs() {
    let server = asking();
    for (kind, file, password, certificate) in STORES {
        let path = fixture(file);
        let store = (kind, path.to_str().unwrap(), password, certificate);
        proves_itself(&server, store);
        let handle = client(server.port(), "sslImplicit");
        select(&handle, "Certificate", store);
        signs(&handle, file);
    }
}

/// The BLOB kinds take the content: here in Base64, because these settings are text.
#[test]
fn a_key_of_every_kind_of_content_logs_in_and_signs() {
    use base64::Engine;
    let server = asking();
    let mut kinds = BTreeSet::new();
    for (kind, file, password, certificate) in STORES {
        let kind = kind.replace("File", "Blob");
        // One of each: the readers were told apart above.
        if !kinds.insert(kind.clone()) {
            continue;
        }
        let content = base64::engine::general_purpose::STANDARD.encode(fs::read(fixture(file)).unwrap());
        let store = (kind.as_str(), content.as_str(), password, certificate);
        proves_itself(&server, store);
        let handle = client(server.port(), "sslImplicit");
        select(&handle, "Certificate", store);
        signs(&handle, file);
    }
    assert_eq!(kinds.len(), 8, "{kinds:?}");
}

/// A certificate that comes out of a store may be a recipient's, and the one that is accepted from a server.
#[test]
fn a_certificate_out_of_a_store_is_encrypted_to_and_accepted() {
    let path = fixture("modern.pfx");
    let store = ("cstPFXFile", path.to_str().unwrap(), "secret", "");
    let server = asking();
    let handle = client(server.port(), "sslImplicit");
    select(&handle, "Certificate", store);
    let own = handle.get("CertificateEncoded").unwrap();
    // Who the certificate says it is for.
    handle.must_set("SendTo", "ann@example.com");
    handle.must_set("MessageText", "for that key alone\r\n");
    // SAFETY: the handle is alive, and the octets are there until the call returns.
    assert_eq!(unsafe { ssmtp::ffi::ssmtp_add_recipient_cert(handle.raw(), own.as_ptr(), own.len()) }, 0);
    handle.call("Encrypt", "").unwrap();
    let entity = handle.get("OtherHeaders").unwrap() + "\r\n" + &handle.get("MessageText").unwrap();
    let at = pki::path("sealed.eml");
    fs::write(&at, entity).unwrap();
    let key = fixture("rsa.p8");
    let open = ["cms", "-decrypt", "-in", &at, "-inkey", key.to_str().unwrap()];
    let out = Command::new("openssl").args(open).output().expect("openssl runs");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    assert!(String::from_utf8_lossy(&out.stdout).contains("for that key alone"));
    // The server's own certificate, put into a PKCS #7 by openssl, and chosen there by its subject.
    let shown = pki::path("shown.p7b");
    let leaf = pki::pem("faults-tcun");
    let leaf_at = pki::path("shown.pem");
    fs::write(&leaf_at, leaf).unwrap();
    let pack = ["crl2pkcs7", "-nocrl", "-certfile", &leaf_at, "-outform", "DER", "-out", &shown];
    assert!(Command::new("openssl").args(pack).status().unwrap().success());
    let server = pki::server(Mode::Implicit, &pki::setup("faults-tcun"), Options::default());
    let handle = client(server.port(), "sslImplicit");
    assert_eq!(handle.call("Send", "").unwrap_err().code, 280);
    let handle = client(server.port(), "sslImplicit");
    handle.must_set("SSLAcceptServerCertStoreType", "cstP7BFile");
    handle.must_set("SSLAcceptServerCertStore", &shown);
    handle.must_set("SSLAcceptServerCertSubject", "*");
    handle.call("Send", "").unwrap();
}

#[test]
#[ignore = "tests/certs/run.sh, with folders of its own"]
fn folders_of_the_user_and_the_machine_log_in_and_sign() {
    let server = asking();
    for (kind, whose) in [("cstUser", "CN=\"Leaf, Example\""), ("cstMachine", "CN=p256.example.com")] {
        let store = (kind, "MY", "secret", "");
        proves_itself(&server, store);
        let handle = client(server.port(), "sslImplicit");
        select(&handle, "Certificate", store);
        let subject = handle.get("CertificateSubject").unwrap();
        assert!(subject.contains(whose), "{kind} gives {subject}");
        signs(&handle, kind);
        // ROOT is the system's bundle beside it.
        let handle = client(server.port(), "sslImplicit");
        handle.must_set("SSLAcceptServerCertStoreType", kind);
        for name in ["ROOT", "CA"] {
            handle.must_set("SSLAcceptServerCertStore", name);
            handle.must_set("SSLAcceptServerCertSubject", "*");
            let subject = handle.get("SSLAcceptServerCertSubject").unwrap();
            assert!(!subject.is_empty(), "{kind} {name}");
        }
    }
}

#[test]
#[ignore = "tests/certs/run.sh"]
fn a_key_that_never_leaves_its_token_logs_in_and_signs() {
    let module = std::env::var("SSMTP_TOKEN_MODULE").expect("tests/certs/run.sh runs this test");
    for only in [0x0303, 0x0304] {
        let setup = Setup { ask_client: true, only: Some(only), ..pki::setup("faults-none") };
        let server = pki::server(Mode::Implicit, &setup, Options::default());
        for key in ["rsa", "p256", "p384", "p521", "ed25519", "careful"] {
            let uri = format!("pkcs11:token=mail;object={key}?module-path={module}");
            for kind in ["cstPKCS11", "cstSecurityKey"] {
                proves_itself(&server, (kind, &uri, "mail-1234", ""));
            }
            // OpenSSL 3.0 does not know Ed25519 in CMS.
            if key != "ed25519" {
                let handle = client(server.port(), "sslImplicit");
                select(&handle, "Certificate", ("cstPKCS11", &uri, "mail-1234", ""));
                signs(&handle, key);
            }
        }
    }
}
