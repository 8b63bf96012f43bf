//! Decrypt and VerifySignature: what was sent, read back, so that nobody needs a second tool for it. Without a connection.

use super::Component;
use crate::certs::Certificate;
use crate::certs::x509::X509;
use crate::error::{Code, Error, Result};
use crate::smime::received::{self, Received};
use crate::smime::{self, Cipher, Detail};
use std::sync::Arc;

/// Signers whose abilities are remembered.
const MOST_SIGNERS: usize = 1000;

/// What the signatures that were verified said of their signers: the ciphers that they read.
#[derive(Default)]
pub struct Abilities(Vec<(Arc<X509>, Vec<Cipher>)>);

impl Abilities {
    fn note(&mut self, certificate: Arc<X509>, ciphers: Vec<Cipher>) {
        self.0.retain(|(known, _)| *known != certificate);
        if self.0.len() == MOST_SIGNERS {
            self.0.remove(0);
        }
        self.0.push((certificate, ciphers));
    }

    /// Of the owner of a certificate: by the certificate itself, else by an address, since people sign with another one. Anybody can
    /// sign with a certificate that names the address, so what is known by it alone never makes the cipher weaker.
    pub fn of(&self, certificate: &X509) -> Vec<Cipher> {
        let same = |known: &X509| {
            known.emails().iter().any(|one| certificate.emails().iter().any(|two| one.eq_ignore_ascii_case(two)))
        };
        let exact = self.0.iter().find(|(known, _)| **known == *certificate);
        let strong = |ciphers: &[Cipher]| ciphers.contains(&Cipher::automatic(&[]));
        let found = exact.or_else(|| self.0.iter().rev().find(|(known, ciphers)| same(known) && strong(ciphers)));
        found.map(|(_, ciphers)| ciphers.clone()).unwrap_or_default()
    }
}

impl Component {
    /// The entity that was encrypted, with the key of Certificate.
    pub fn decrypt(&self, message: &[u8]) -> Result<Vec<u8>> {
        let _running = self.begin()?;
        let loaded = self.state.lock().smime.certificate.loaded();
        let none = || Error::new(Code::ClientCert, "Certificate is not set, so there is nothing to decrypt with");
        let loaded = loaded.ok_or_else(none)?;
        let certificate = loaded.certificate.clone().ok_or_else(none)?;
        let key = loaded.key.clone();
        let key = key.ok_or_else(|| Error::new(Code::Credentials, "Certificate has no private key"))?;
        match received::read(message)? {
            Received::Enveloped(cms) => smime::decrypt(&cms, &[(certificate, key)]),
            _ => Err(Error::new(Code::Decrypt, "the message is signed, not encrypted")),
        }
    }

    /// The entity that was signed, where every signature of it is valid. Who signed is in SignerCert then.
    pub fn verify_signature(&self, message: &[u8]) -> Result<Vec<u8>> {
        let _running = self.begin()?;
        let known = {
            let mut state = self.state.lock();
            state.smime.signer_cert = Certificate::default();
            let mine = state.smime.certificate.loaded().and_then(|loaded| loaded.certificate.clone());
            mine.into_iter().chain(state.smime.recipient_certs.iter().cloned()).collect::<Vec<_>>()
        };
        let detail = Detail { certificates: &known, ..Detail::default() };
        let (verified, beside) = match received::read(message)? {
            Received::Signed(cms) => (smime::verify(&cms, &detail)?, None),
            Received::Detached { content, signature } => {
                let verified = smime::verify(&signature, &Detail { content: Some(&content), ..detail })?;
                (verified, Some(content))
            }
            Received::Enveloped(_) => {
                return Err(Error::new(Code::Decrypt, "the message is encrypted: Decrypt it first"));
            }
        };
        let missing = || Error::new(Code::Decrypt, "the message has no signature");
        let first = verified.signers.first().ok_or_else(missing)?;
        let chain: Vec<&[u8]> = verified.certificates.iter().map(|certificate| certificate.der()).collect();
        let signer = Certificate::of_der(first.certificate.der(), &chain)?;
        let mut state = self.state.lock();
        state.smime.signer_cert = signer;
        for signer in verified.signers {
            state.smime.abilities.note(signer.certificate, signer.capabilities);
        }
        beside.or(verified.content).ok_or_else(missing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stranger_who_signs_under_an_address_weakens_no_cipher() {
        let pem = include_str!("../../tests/data/certs/rsa.crt");
        let real = Certificate::from_data(pem.as_bytes()).unwrap().loaded().unwrap().certificate.clone().unwrap();
        // Another certificate with the same address: the last octet of its own signature differs.
        let mut der = real.der().to_vec();
        *der.last_mut().unwrap() ^= 1;
        let other = Arc::new(X509::from_der(&der).unwrap());
        assert!(!real.emails().is_empty() && other != real);
        let mut abilities = Abilities::default();
        for weak in [vec![Cipher::TripleDes], vec![Cipher::Rc2Cbc40, Cipher::AesCbc128]] {
            abilities.note(Arc::clone(&other), weak.clone());
            assert_eq!(Cipher::automatic(&[abilities.of(&real)]), Cipher::AesCbc256);
            assert_eq!(abilities.of(&other), weak, "the certificate itself may say so");
        }
        abilities.note(other, vec![Cipher::AesGcm256, Cipher::AesCbc256]);
        assert_eq!(Cipher::automatic(&[abilities.of(&real)]), Cipher::AesGcm256);
    }
}
