//! JSON web keys, by their own reader.

#![no_main]

use ssmtp::certs::store::jwk::Jwk;

libfuzzer_sys::fuzz_target!(|data: &[u8]| ssmtp_fuzz::store(&Jwk, data));
