//! JWK and JWK sets (RFC 7517, 7518 §6, 8037): RSA, EC and Ed25519, public or private, with `x5c` certificates.

use super::json::{self, Json};
use super::{ENTRIES, Format, rsa, start};
use crate::certs::contents::Contents;
use crate::certs::fault::{Read, broken, unsupported};
use crate::certs::key::PrivateKey;
use crate::certs::pem;
use crate::certs::spki::{Curve, PublicKey};
use memchr::memmem;
use zeroize::Zeroizing;

pub struct Jwk;

impl Format for Jwk {
    fn name(&self) -> &'static str {
        "JWK"
    }

    fn recognises(&self, bytes: &[u8]) -> bool {
        let text = start(bytes);
        text.starts_with(b"{") && memmem::find(text, b"\"kty\"").is_some()
    }

    fn read(&self, bytes: &[u8], _password: &str) -> Read<Contents> {
        let document = json::parse(start(bytes))?;
        let mut found = Contents::default();
        match document.list("keys") {
            Some(keys) if keys.len() > ENTRIES => return broken("it has too many keys"),
            Some(keys) => keys
                .iter()
                .enumerate()
                .try_for_each(|(at, jwk)| found.entry(&format!("the key {}", at + 1), |found| key(jwk, found)))?,
            None => key(&document, &mut found)?,
        }
        Ok(found)
    }
}

fn number(jwk: &Json, name: &str) -> Read<Zeroizing<Vec<u8>>> {
    match jwk.text(name) {
        Some(text) => pem::base64(text.as_bytes()),
        None => broken(format!("a key without {name}")),
    }
}

fn key(jwk: &Json, found: &mut Contents) -> Read<()> {
    for certificate in jwk.list("x5c").unwrap_or_default() {
        match certificate {
            Json::Text(text) if found.certificates.len() < ENTRIES => {
                found.add_certificate(&pem::base64(text.as_bytes())?)?
            }
            _ => return broken("an x5c of an unknown form"),
        }
    }
    let private = jwk.get("d").is_some();
    match jwk.text("kty") {
        Some("RSA") => {
            let (n, e) = (number(jwk, "n")?, number(jwk, "e")?);
            if !private {
                return public(PublicKey::rsa(&n, &e), jwk, found);
            }
            if jwk.get("p").is_none() {
                return found.add_key(unsupported("an RSA key without its primes"));
            }
            found.add_key(rsa(["n", "e", "d", "p", "q", "qi"], &|name| number(jwk, name)))
        }
        Some("EC") => {
            let name = jwk.text("crv").unwrap_or_default();
            let Some(curve) = Curve::ALL.into_iter().find(|c| c.jwk_name() == name) else {
                return found.add_key(unsupported("a key on this curve"));
            };
            let (x, y) = (number(jwk, "x")?, number(jwk, "y")?);
            let public_key = PublicKey::ec(curve, &[&[4][..], &x, &y].concat())?;
            if !private {
                return public(Ok(public_key), jwk, found);
            }
            found.add_key(halves(PrivateKey::ec(curve, &number(jwk, "d")?)?, &public_key))
        }
        Some("OKP") if jwk.text("crv") == Some("Ed25519") => {
            let public_key = PublicKey::ed25519(&number(jwk, "x")?)?;
            if !private {
                return public(Ok(public_key), jwk, found);
            }
            found.add_key(halves(PrivateKey::ed25519(&number(jwk, "d")?)?, &public_key))
        }
        Some(_) => found.add_key(unsupported("a JWK of this type")),
        None => broken("a key without kty"),
    }
}

fn halves(key: PrivateKey, public: &PublicKey) -> Read<PrivateKey> {
    if key.public_key() == public { Ok(key) } else { broken("the halves of its key do not belong together") }
}

/// A public key, unless the certificate beside it says the same.
fn public(key: Read<PublicKey>, jwk: &Json, found: &mut Contents) -> Read<()> {
    if jwk.get("x5c").is_some() { key.map(|_| ()) } else { found.add_public(key) }
}
