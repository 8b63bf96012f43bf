//! Keys and certificates in DER, by their own reader.

#![no_main]

use ssmtp::certs::store::der_file::Der;

libfuzzer_sys::fuzz_target!(|data: &[u8]| ssmtp_fuzz::store(&Der, data));
