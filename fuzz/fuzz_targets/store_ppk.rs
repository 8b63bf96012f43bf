//! PuTTY's private keys, by their own reader.

#![no_main]

use ssmtp::certs::store::ppk::Ppk;

libfuzzer_sys::fuzz_target!(|data: &[u8]| ssmtp_fuzz::store(&Ppk, data));
