//! Names of the specification that no other test needs: what each one does, on the wire, in a handshake, in an answer.

mod common;
#[allow(dead_code)] // Its other users take the rest.
#[path = "smime/people.rs"]
mod people;
#[path = "common/pki.rs"]
mod pki;

#[path = "names/certificate.rs"]
mod certificate;
#[path = "names/mime.rs"]
mod mime;
#[path = "names/numbers.rs"]
mod numbers;
#[path = "names/secure.rs"]
mod secure;
#[path = "names/wire.rs"]
mod wire;
