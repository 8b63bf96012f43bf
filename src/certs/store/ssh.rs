//! SSH public keys: OpenSSH's one line (`ssh-ed25519 AAAA… comment`, several of them too) and RFC 4716.

use super::{ENTRIES, Format, start};
use crate::certs::contents::Contents;
use crate::certs::fault::{Read, broken};
use crate::certs::pem;
use crate::certs::spki::PublicKey;
use crate::certs::ssh_wire::Wire;

pub struct SshPublic;

const BEGIN: &[u8] = b"---- BEGIN SSH2 PUBLIC KEY ----";
const END: &[u8] = b"---- END SSH2 PUBLIC KEY ----";
const KINDS: [&[u8]; 4] = [b"ssh-", b"ecdsa-sha2-", b"sk-ssh-", b"sk-ecdsa-"];

impl Format for SshPublic {
    fn name(&self) -> &'static str {
        "an SSH public key"
    }

    fn recognises(&self, bytes: &[u8]) -> bool {
        let text = start(bytes);
        // A file may be called ssh-key.pub: only with the octets behind it the word is a key.
        let line = &text[..text.len().min(100)];
        let mut words = line.split(u8::is_ascii_whitespace).filter(|w| !w.is_empty());
        let kind = words.next().is_some_and(|word| KINDS.iter().any(|k| word.starts_with(k)));
        text.starts_with(BEGIN) || kind && words.next().is_some_and(|word| word.starts_with(b"AAAA"))
    }

    fn read(&self, bytes: &[u8], _password: &str) -> Read<Contents> {
        let text = start(bytes);
        let mut found = Contents::default();
        if text.starts_with(BEGIN) {
            found.add_public(PublicKey::from_ssh(&rfc4716(text)?))?;
            return Ok(found);
        }
        for line in
            text.split(|b| *b == b'\n').map(<[u8]>::trim_ascii).filter(|l| !l.is_empty() && !l.starts_with(b"#"))
        {
            let mut words = line.split(u8::is_ascii_whitespace).filter(|w| !w.is_empty());
            let (Some(kind), Some(base64)) = (words.next(), words.next()) else {
                return broken("a line without a key");
            };
            let blob = pem::base64(base64)?;
            if Wire::new(&blob).string()? != kind {
                return broken("a line that says another type than its key");
            }
            found.add_public(PublicKey::from_ssh(&blob))?;
            if found.public_keys.len() > ENTRIES {
                return broken("it has too many keys");
            }
        }
        Ok(found)
    }
}

/// The octets between the two lines, after the header lines and their continuations (RFC 4716 §3.3).
fn rfc4716(text: &[u8]) -> Read<zeroize::Zeroizing<Vec<u8>>> {
    let mut body = Vec::new();
    let mut continues = false;
    for line in text.split(|b| *b == b'\n').map(<[u8]>::trim_ascii).skip(1) {
        if line == END {
            return pem::base64(&body);
        }
        if continues || line.contains(&b':') {
            continues = line.ends_with(b"\\");
        } else {
            body.extend_from_slice(line);
        }
    }
    broken("the key has no end")
}
