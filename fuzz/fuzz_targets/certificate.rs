//! The certificate object: a store, a certificate to find a key for, and a configuration string out of one input. Its first octets
//! are the store type and where each part ends.

#![no_main]

use ssmtp::certs::Certificate;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let [kind, first, second, rest @ ..] = data else { return };
    // What is named by a file or found on a token is left out.
    let kind = [3, 5, 7, 9, 10, 12, 15, 17, 19, 22, 99][usize::from(*kind) % 11];
    let (config, rest) = rest.split_at(usize::from(*first).min(rest.len()));
    let (encoded, store) = rest.split_at((usize::from(*second) * 16).min(rest.len()));
    let config = String::from_utf8_lossy(config);
    for found in [
        Certificate::from_store(kind, store, "secret", "*", &config),
        Certificate::from_store(kind, store, "secret", &config, ""),
        Certificate::from_store_encoded(kind, store, "secret", encoded),
    ]
    .into_iter()
    .flatten()
    {
        ssmtp_fuzz::fields(&found);
    }
});
