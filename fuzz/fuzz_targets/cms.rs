//! Signed and encrypted messages. The seeds are whatever `openssl cms -sign` and `-encrypt -recip tests/data/certs/p256.crt` write; then
//! the key below is asked too.

#![no_main]

use ssmtp::certs::key::PrivateKey;
use ssmtp::certs::x509::X509;
use ssmtp::smime::{Detail, decrypt, is_enveloped, verify};
use std::sync::{Arc, LazyLock};

type Pair = (Arc<X509>, Arc<PrivateKey>);

static KEYS: LazyLock<Vec<Pair>> = LazyLock::new(|| {
    let der = |pem: &[u8]| ssmtp::certs::pem::blocks(pem).expect("a test file").remove(0).data;
    let certificate = X509::from_der(&der(include_bytes!("../../tests/data/certs/p256.crt"))).expect("a certificate");
    let key = PrivateKey::from_pkcs8(&der(include_bytes!("../../tests/data/certs/p256.p8"))).expect("a key");
    vec![(Arc::new(certificate), Arc::new(key))]
});

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = is_enveloped(data);
    let _ = decrypt(data, &KEYS);
    let _ = verify(data, &Detail { content: Some(b"text"), ..Detail::default() });
    let _ = verify(data, &Detail::default());
});
