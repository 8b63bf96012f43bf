//! Bouncy Castle's key stores (BCFKS), by their own reader.

#![no_main]

use ssmtp::certs::store::bcfks::Bcfks;

libfuzzer_sys::fuzz_target!(|data: &[u8]| ssmtp_fuzz::store(&Bcfks, data));
