//! Signed and encrypted messages (`ssmtp::smime`) against `openssl cms`: what one writes, the other reads.

#[path = "cms/bench.rs"]
mod bench;
#[path = "cms/encrypting.rs"]
mod encrypting;
#[path = "cms/forged.rs"]
mod forged;
#[path = "cms/hostile.rs"]
mod hostile;
#[path = "cms/others.rs"]
mod others;
#[path = "cms/signing.rs"]
mod signing;
