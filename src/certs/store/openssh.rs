//! Private keys as ssh-keygen writes them: `openssh-key-v1` (OpenSSH's PROTOCOL.key), without a passphrase. Found in PEM.

use crate::certs::fault::{Read, broken, unsupported};
use crate::certs::key::{PrivateKey, Rsa};
use crate::certs::spki::{Curve, PublicKey};
use crate::certs::ssh_wire::Wire;

const MAGIC: &[u8] = b"openssh-key-v1\0";

/// The one key of a file.
pub fn key(bytes: &[u8]) -> Read<PrivateKey> {
    let Some(rest) = bytes.strip_prefix(MAGIC) else { return broken("an OpenSSH key of an unknown version") };
    let mut file = Wire::new(rest);
    let cipher = file.string()?;
    file.string()?;
    file.string()?;
    if cipher != b"none" {
        return unsupported(
            "an OpenSSH private key with a passphrase (ssh-keygen -p -m PKCS8 writes it in a form that is)",
        );
    }
    if file.uint32()? != 1 {
        return unsupported("an OpenSSH file of several private keys");
    }
    let public = PublicKey::from_ssh(file.string()?)?;
    let mut private = Wire::new(file.string()?);
    file.finish()?;
    if private.uint32()? != private.uint32()? {
        return broken("the check of an OpenSSH key does not hold");
    }
    // What follows a key is its comment, and padding.
    let found = match private.string()? {
        b"ssh-rsa" => {
            let (n, e, d) = (private.number()?, private.number()?, private.number()?);
            let (qi, p, q) = (private.number()?, private.number()?, private.number()?);
            PrivateKey::rsa(&Rsa { n, e, d, p, q, qi })?
        }
        b"ssh-dss" => {
            let (p, q, g) = (private.number()?, private.number()?, private.number()?);
            private.number()?;
            PrivateKey::dsa(p, q, g, private.number()?)?
        }
        b"ssh-ed25519" => {
            private.string()?;
            let both = private.string()?;
            PrivateKey::ed25519(&both[..both.len().min(32)])?
        }
        kind => {
            match Curve::ALL.into_iter().find(|c| kind.strip_prefix(b"ecdsa-sha2-") == Some(c.ssh_name().as_bytes())) {
                Some(curve) => {
                    private.string()?;
                    private.string()?;
                    PrivateKey::ec(curve, private.number()?)?
                }
                None => {
                    let name = String::from_utf8_lossy(&kind[..kind.len().min(40)]).into_owned();
                    return unsupported(format!("an OpenSSH key of type {name}"));
                }
            }
        }
    };
    if *found.public_key() != public {
        return broken("the halves of an OpenSSH key do not belong together");
    }
    Ok(found)
}
