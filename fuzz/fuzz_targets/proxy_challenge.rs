//! A Proxy-Authenticate line, and the answer to each Digest challenge in it.

#![no_main]

use ssmtp::auth::http_digest::Challenge;
use ssmtp::net::proxy::challenge;
use ssmtp::text::mask::Secret;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    for found in challenge::read(data) {
        if let Some(digest) = Challenge::read(&found.parameters) {
            let answer = digest.answer_with("tim", &Secret::new("pw"), "CONNECT", "h:25", "cnonce");
            // It goes into a header line.
            assert!(!answer.expose().iter().any(|octet| b"\r\n\0".contains(octet)));
        }
    }
});
