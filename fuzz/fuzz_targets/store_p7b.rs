//! PKCS #7 with certificates, by their own reader.

#![no_main]

use ssmtp::certs::store::p7b::P7b;

libfuzzer_sys::fuzz_target!(|data: &[u8]| ssmtp_fuzz::store(&P7b, data));
