//! UseInternalSecurityAPI, one value for the whole process, and so in a process of its own; and what the platform's library
//! does otherwise than the built-in one: SSLIncludeCertChain is asked for there, LogSSLPackets has no effect.

mod common;
#[path = "common/pki.rs"]
mod pki;

use common::Handle;
use std::io::Write as _;
use xtask::server::tls::Mode;
use xtask::server::{Options, Server};

fn connect(server: &Server, settings: &[&str]) -> Result<Handle, i32> {
    let handle = Handle::to(server.port());
    handle.must_set("MailServer", "localhost");
    handle.must_set("SSLStartMode", "sslImplicit");
    handle.judge(Some(None));
    let root = format!("SSLServerCACerts={}", pki::pem("ca"));
    for setting in settings.iter().copied().chain([root.as_str(), "LogSSLPackets=True"]) {
        handle.config(setting).unwrap();
    }
    handle.call("Connect", "").map_err(|failure| failure.code)?;
    handle.call("Disconnect", "").unwrap();
    Ok(handle)
}

#[test]
fn without_the_internal_api_automatic_means_the_platforms_library() {
    let server = pki::server(Mode::Implicit, &pki::setup("via"), Options::default());
    let certificates = |handle: &Handle| handle.told("CertEncoded")[0].matches("BEGIN CERTIFICATE").count();
    let packets = |handle: &Handle| handle.told("SSLStatus").iter().any(|line| line.starts_with("TLS record"));
    let internal = connect(&server, &[]).unwrap();
    assert_eq!((certificates(&internal), packets(&internal)), (3, true), "Internal always tells the chain");

    let other = Handle::new();
    other.config("UseInternalSecurityAPI=False").unwrap();
    assert_eq!(Handle::new().config("UseInternalSecurityAPI").unwrap(), "False", "of every handle");
    match connect(&server, &[]) {
        Err(270) => {
            // Nothing else to show where there is no such library.
            let _ = writeln!(std::io::stderr(), "no OpenSSL here: the platform's provider was not tried");
        }
        platform => {
            let platform = platform.unwrap();
            assert_eq!((certificates(&platform), packets(&platform)), (1, false));
            let chain = connect(&server, &["SSLIncludeCertChain=True"]).unwrap();
            assert_eq!(certificates(&chain), 3, "leaf, intermediate, and the root that was found");
        }
    }
    other.config("UseInternalSecurityAPI=True").unwrap();
    assert!(packets(&connect(&server, &[]).unwrap()));
}
