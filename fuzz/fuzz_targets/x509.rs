//! One certificate, one public key: every field of them.

#![no_main]

use ssmtp::certs::spki::PublicKey;
use ssmtp::certs::{Certificate, recipient};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Ok(certificate) = Certificate::of_der(data, &[data]) {
        ssmtp_fuzz::fields(&certificate);
    }
    if let Ok(certificate) = Certificate::from_data(data) {
        ssmtp_fuzz::fields(&certificate);
    }
    let _ = recipient(data);
    if let Ok(key) = PublicKey::from_der(data) {
        let _ = (key.to_ssh(), key.pem(), key.bits());
    }
    let _ = PublicKey::from_ssh(data);
});
