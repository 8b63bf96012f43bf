//! A received message taken apart (RFC 1847, RFC 8551), and a complete message whose MIME lines are replaced.

#![no_main]

use ssmtp::message::complete;
use ssmtp::smime::received;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = received::read(data);
    if let Ok((fields, _)) = complete::mime_part(data) {
        assert!(fields.is_empty() || fields.ends_with("\r\n"));
        let replaced = complete::replaced(data, "MIME-Version: 1.0\r\n", b"body").expect("its header was read before");
        let (fields, body) = complete::mime_part(&replaced).expect("what was made can be read");
        assert_eq!((fields.as_str(), body), ("MIME-Version: 1.0\r\n", &b"body"[..]));
    }
});
