//! Stores of any kind as Auto tells them apart, with everything that is done with what they hold.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ssmtp_fuzz::opened(ssmtp::enums::CertStoreType::Auto, data));
