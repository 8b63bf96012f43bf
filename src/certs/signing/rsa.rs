//! RSA (RFC 8017): ring signs where it can, the `rsa` crate does the rest, always blinded. Its decryption gives one error for
//! everything, since what exactly was wrong with a padding is what an attacker asks for (RUSTSEC-2023-0071).

use super::hash::Hasher;
use super::{Hash, RsaPadding};
use crate::certs::der::{self, Reader};
use crate::certs::fault::Read;
use crate::certs::spki::PublicKey;
use crate::error::{Code, Error, Result};
use ::rsa::rand_core::OsRng;
use ::rsa::traits::SignatureScheme;
use ::rsa::{BigUint, Oaep, Pkcs1v15Encrypt, Pkcs1v15Sign, Pss, RsaPrivateKey, RsaPublicKey};
use ring::signature as ring_signature;
use sha2::digest::{DynDigest, InvalidBufferSize};
use std::sync::OnceLock;
use zeroize::Zeroizing;

/// Signatures of keys larger than this are not checked: it takes too long.
const MAX_BITS: usize = crate::certs::key::RSA_OCTETS * 8;

/// Whether a PSS signature fits a key: hash, salt, two octets, and a bit to spare.
pub(super) fn pss_fits(bits: usize, hash: Hash) -> bool {
    bits.saturating_sub(1).div_ceil(8) >= 2 * hash.len() + 2
}

/// Whether a PKCS #1 v1.5 signature fits a key: 11 octets of padding and the DigestInfo.
pub(super) fn pkcs1_fits(bits: usize, hash: Hash) -> bool {
    bits.div_ceil(8) >= prefix(hash).len() + hash.len() + 11
}

/// What stands before the digest in a DigestInfo (RFC 8017 §9.2).
fn prefix(hash: Hash) -> Vec<u8> {
    let algorithm = der::wrap(der::SEQUENCE, &[&der::wrap(der::OID, &[hash.oid()]), &der::wrap(der::NULL, &[])]);
    let whole = der::wrap(der::SEQUENCE, &[&algorithm, &der::wrap(der::OCTET_STRING, &[&vec![0; hash.len()]])]);
    whole[..whole.len() - hash.len()].to_vec()
}

/// The DigestInfo of RSASSA-PKCS1-v1_5, which a token signs as it is.
pub fn digest_info(hash: Hash, message: &[u8]) -> Vec<u8> {
    let mut info = prefix(hash);
    info.extend(hash.digest(message));
    info
}

/// A key as both libraries want it, each when it is first needed.
pub struct Ready {
    /// ring refuses keys below 2048 and above 4096 bits, and some whose numbers are odd but work.
    fast: Option<ring::rsa::KeyPair>,
    blinded: OnceLock<Option<RsaPrivateKey>>,
}

impl Ready {
    pub(super) fn new(pkcs8: &[u8]) -> Ready {
        Ready { fast: ring::rsa::KeyPair::from_pkcs8(pkcs8).ok(), blinded: OnceLock::new() }
    }
}

pub(super) fn sign(
    ready: &Ready,
    pkcs8: &[u8],
    public: &PublicKey,
    hash: Hash,
    pss: bool,
    message: &[u8],
) -> Result<Vec<u8>> {
    let bits = usize::try_from(public.bits()).unwrap_or(0);
    if !(if pss { pss_fits(bits, hash) } else { pkcs1_fits(bits, hash) }) {
        return Err(Error::new(
            Code::Encrypt,
            format!("an RSA key of {bits} bits is too short to sign with {}", hash.name()),
        ));
    }
    let with_ring: Option<&dyn ring_signature::RsaEncoding> = match (hash, pss) {
        (Hash::Sha256, false) => Some(&ring_signature::RSA_PKCS1_SHA256),
        (Hash::Sha384, false) => Some(&ring_signature::RSA_PKCS1_SHA384),
        (Hash::Sha512, false) => Some(&ring_signature::RSA_PKCS1_SHA512),
        (Hash::Sha256, true) => Some(&ring_signature::RSA_PSS_SHA256),
        (Hash::Sha384, true) => Some(&ring_signature::RSA_PSS_SHA384),
        (Hash::Sha512, true) => Some(&ring_signature::RSA_PSS_SHA512),
        _ => None,
    };
    if let (Some(encoding), Some(pair)) = (with_ring, &ready.fast) {
        let mut signature = vec![0; pair.public().modulus_len()];
        let random = ring::rand::SystemRandom::new();
        if pair.sign(encoding, &random, message, &mut signature).is_ok() {
            return Ok(signature);
        }
    }
    let digest = hash.digest(message);
    let key = ready.blinded.get_or_init(|| private(pkcs8).ok());
    let signed = key.as_ref().and_then(|key| {
        let random = Some(&mut OsRng);
        if pss {
            pss_with_salt(hash, hash.len()).sign(random, key, &digest)
        } else {
            scheme(hash).sign(random, key, &digest)
        }
        .ok()
    });
    signed.ok_or_else(|| Error::new(Code::Encrypt, "the RSA key cannot sign: its numbers do not work"))
}

fn scheme(hash: Hash) -> Pkcs1v15Sign {
    Pkcs1v15Sign { hash_len: Some(hash.len()), prefix: prefix(hash).into() }
}

/// PSS with a salt of this length.
pub fn pss_with_salt(hash: Hash, salt: usize) -> Pss {
    Pss { blinded: false, digest: Box::new(Digest::new(hash)), salt_len: salt }
}

pub(super) fn verify(public: &PublicKey, hash: Hash, pss: bool, message: &[u8], signature: &[u8]) -> bool {
    use ring_signature as r;
    let fast: Option<&r::RsaParameters> = match (hash, pss) {
        (Hash::Sha256, false) => Some(&r::RSA_PKCS1_2048_8192_SHA256),
        (Hash::Sha384, false) => Some(&r::RSA_PKCS1_2048_8192_SHA384),
        (Hash::Sha512, false) => Some(&r::RSA_PKCS1_2048_8192_SHA512),
        (Hash::Sha256, true) => Some(&r::RSA_PSS_2048_8192_SHA256),
        (Hash::Sha384, true) => Some(&r::RSA_PSS_2048_8192_SHA384),
        (Hash::Sha512, true) => Some(&r::RSA_PSS_2048_8192_SHA512),
        _ => None,
    };
    if let (Some(fast), Some(key)) = (fast, public.raw())
        && public.rsa_numbers().is_some()
        && r::UnparsedPublicKey::new(fast, key).verify(message, signature).is_ok()
    {
        return true;
    }
    // What is left: the other hashes, small and odd keys, and what is no signature.
    let Ok(key) = public_numbers(public) else { return false };
    let digest = hash.digest(message);
    let checked = if pss {
        pss_with_salt(hash, hash.len()).verify(&key, &digest, signature)
    } else {
        scheme(hash).verify(&key, &digest, signature)
    };
    checked.is_ok()
}

pub(super) fn encrypt(public: &PublicKey, padding: RsaPadding, data: &[u8]) -> Result<Vec<u8>> {
    let refused = || Error::new(Code::Encrypt, "the content key cannot be encrypted for this RSA key");
    let key = public_numbers(public).map_err(|()| refused())?;
    match padding {
        RsaPadding::Pkcs1 => key.encrypt(&mut OsRng, Pkcs1v15Encrypt, data),
        RsaPadding::Oaep { hash, mgf } => key.encrypt(&mut OsRng, oaep(hash, mgf), data),
    }
    .map_err(|_| refused())
}

pub(super) fn decrypt(pkcs8: &[u8], padding: RsaPadding, data: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    let refused = || Error::new(Code::Decrypt, "the RSA key does not decrypt this");
    let key = private(pkcs8).map_err(|()| refused())?;
    match padding {
        RsaPadding::Pkcs1 => key.decrypt_blinded(&mut OsRng, Pkcs1v15Encrypt, data),
        RsaPadding::Oaep { hash, mgf } => key.decrypt_blinded(&mut OsRng, oaep(hash, mgf), data),
    }
    .map(Zeroizing::new)
    .map_err(|_| refused())
}

fn oaep(hash: Hash, mgf: Hash) -> Oaep {
    Oaep { digest: Box::new(Digest::new(hash)), mgf_digest: Box::new(Digest::new(mgf)), label: None }
}

/// A hash as the `rsa` crate takes it: one kind for all of them.
#[derive(Clone)]
struct Digest {
    hash: Hash,
    state: Hasher,
}

impl Digest {
    fn new(hash: Hash) -> Digest {
        Digest { hash, state: hash.hasher() }
    }
}

impl DynDigest for Digest {
    fn update(&mut self, data: &[u8]) {
        self.state.update(data);
    }

    fn finalize_into(mut self, out: &mut [u8]) -> std::result::Result<(), InvalidBufferSize> {
        self.finalize_into_reset(out)
    }

    fn finalize_into_reset(&mut self, out: &mut [u8]) -> std::result::Result<(), InvalidBufferSize> {
        if out.len() != self.hash.len() {
            return Err(InvalidBufferSize);
        }
        out.copy_from_slice(&std::mem::replace(&mut self.state, self.hash.hasher()).finish());
        Ok(())
    }

    fn reset(&mut self) {
        self.state = self.hash.hasher();
    }

    fn output_size(&self) -> usize {
        self.hash.len()
    }

    fn box_clone(&self) -> Box<dyn DynDigest> {
        Box::new(self.clone())
    }
}

fn public_numbers(public: &PublicKey) -> std::result::Result<RsaPublicKey, ()> {
    let (n, e) = public.rsa_numbers().ok_or(())?;
    RsaPublicKey::new_with_max_size(BigUint::from_bytes_be(n), BigUint::from_bytes_be(e), MAX_BITS).map_err(|_| ())
}

fn private(pkcs8: &[u8]) -> std::result::Result<RsaPrivateKey, ()> {
    let read = || -> Read<[BigUint; 5]> {
        let mut key = der::only_sequence(super::ec::inner(pkcs8)?)?;
        key.small()?;
        let number = |reader: &mut Reader<'_>| -> Read<BigUint> { Ok(BigUint::from_bytes_be(reader.unsigned()?)) };
        Ok([number(&mut key)?, number(&mut key)?, number(&mut key)?, number(&mut key)?, number(&mut key)?])
    };
    let [n, e, d, p, q] = read().map_err(|_| ())?;
    RsaPrivateKey::from_components(n, e, d, vec![p, q]).map_err(|_| ())
}
