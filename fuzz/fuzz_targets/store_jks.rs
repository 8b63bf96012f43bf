//! Java key stores (JKS and JCEKS), by their own reader.

#![no_main]

use ssmtp::certs::store::jks::Jks;

libfuzzer_sys::fuzz_target!(|data: &[u8]| ssmtp_fuzz::store(&Jks, data));
