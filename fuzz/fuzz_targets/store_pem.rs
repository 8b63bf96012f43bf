//! PEM keys and certificates, by their own reader.

#![no_main]

use ssmtp::certs::store::pem_file::Pem;

libfuzzer_sys::fuzz_target!(|data: &[u8]| ssmtp_fuzz::store(&Pem, data));
