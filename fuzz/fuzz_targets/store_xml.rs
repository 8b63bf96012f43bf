//! Keys in XML, by their own reader.

#![no_main]

use ssmtp::certs::store::xml::Xml;

libfuzzer_sys::fuzz_target!(|data: &[u8]| ssmtp_fuzz::store(&Xml, data));
