//! Private keys as PKCS #8, PKCS #1 and SEC 1. What is read must be a key that is read again from what it is written as.

#![no_main]

use ssmtp::certs::key::PrivateKey;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = PrivateKey::from_pkcs1(data);
    let _ = PrivateKey::from_sec1(data, None);
    if let Ok(key) = PrivateKey::from_pkcs8(data) {
        let written = key.pkcs8().expect("a key in memory");
        let again = PrivateKey::from_pkcs8(written).expect("what was written is read");
        assert_eq!(again.public_key().der(), key.public_key().der());
    }
});
