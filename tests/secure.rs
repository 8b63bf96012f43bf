//! TLS through the C ABI: how a conversation becomes one that nobody else reads, and everything that keeps it from it.

mod common;
#[path = "common/pki.rs"]
mod pki;

#[path = "secure/certificates.rs"]
mod certificates;
#[path = "secure/identity.rs"]
mod identity;
#[path = "secure/sessions.rs"]
mod sessions;
#[path = "secure/settings.rs"]
mod settings;
#[path = "secure/start.rs"]
mod start;
#[path = "secure/stores.rs"]
mod stores;
