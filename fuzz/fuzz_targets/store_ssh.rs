//! SSH public keys, by their own reader.

#![no_main]

use ssmtp::certs::store::ssh::SshPublic;

libfuzzer_sys::fuzz_target!(|data: &[u8]| ssmtp_fuzz::store(&SshPublic, data));
