//! PFX (PKCS #12) stores, by their own reader.

#![no_main]

use ssmtp::certs::store::pfx::Pfx;

libfuzzer_sys::fuzz_target!(|data: &[u8]| ssmtp_fuzz::store(&Pfx, data));
