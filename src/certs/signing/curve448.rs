//! Ed448 (RFC 8032 §5.2) over the arithmetic of its curve: no crate on this release train signs with it.

use crate::certs::der::{self, Reader};
use crate::certs::spki::PublicKey;
use crate::error::{Code, Error, Result};
use ed448_goldilocks_plus::{CompressedEdwardsY, EdwardsPoint, Scalar, ScalarBytes, WideScalarBytes};
use sha3::Shake256;
use sha3::digest::{ExtendableOutput, Update, XofReader};
use zeroize::Zeroizing;

/// Octets of a key, a point and a scalar.
pub const SIZE: usize = 57;

type Wide = Zeroizing<[u8; 2 * SIZE]>;

fn shake(parts: &[&[u8]]) -> Wide {
    let mut hash = Shake256::default();
    parts.iter().for_each(|part| hash.update(part));
    let mut out = Zeroizing::new([0; 2 * SIZE]);
    hash.finalize_xof().read(&mut *out);
    out
}

/// A number modulo the order of the base point.
fn reduced(wide: &Wide) -> Scalar {
    Scalar::from_bytes_mod_order_wide(WideScalarBytes::from_slice(&wide[..]))
}

/// The scalar of a key, and what makes its nonces.
fn expand(seed: &[u8]) -> (Zeroizing<Scalar>, Wide) {
    let hash = shake(&[seed]);
    let mut wide: Wide = Zeroizing::new([0; 2 * SIZE]);
    wide[..SIZE].copy_from_slice(&hash[..SIZE]);
    wide[0] &= 0xfc;
    wide[SIZE - 2] |= 0x80;
    wide[SIZE - 1] = 0;
    (Zeroizing::new(reduced(&wide)), hash)
}

fn encoded(scalar: &Scalar) -> [u8; SIZE] {
    (EdwardsPoint::GENERATOR * *scalar).compress().to_bytes()
}

/// The public half of a key.
pub fn public_half(seed: &[u8; SIZE]) -> [u8; SIZE] {
    encoded(&expand(seed).0)
}

/// `dom4` without prehash and context, before whatever is hashed.
const DOM4: &[u8] = b"SigEd448\0\0";

pub(super) fn sign(pkcs8: &[u8], message: &[u8]) -> Result<Vec<u8>> {
    let seed = super::ec::inner(pkcs8).and_then(|key| Reader::new(key).expect(der::OCTET_STRING));
    let Some(seed) = seed.ok().filter(|seed| seed.len() == SIZE) else {
        return Err(Error::new(Code::Encrypt, "the Ed448 key does not work"));
    };
    let (secret, hash) = expand(seed);
    let public = encoded(&secret);
    let nonce = Zeroizing::new(reduced(&shake(&[DOM4, &hash[SIZE..], message])));
    let point = encoded(&nonce);
    let challenge = reduced(&shake(&[DOM4, &point, &public, message]));
    let answer = *nonce + challenge * *secret;
    Ok([&point[..], &answer.to_bytes_rfc_8032()].concat())
}

pub(super) fn verify(public: &PublicKey, message: &[u8], signature: &[u8]) -> bool {
    let Some(key) = public.raw().and_then(|key| <[u8; SIZE]>::try_from(key).ok()) else { return false };
    // The last octet of a scalar is zero and that of a point a sign; the crate looks at neither.
    if signature.len() != 2 * SIZE || signature[2 * SIZE - 1] != 0 || key[SIZE - 1] & 0x7f != 0 {
        return false;
    }
    let (point, answer) = signature.split_at(SIZE);
    let answer = Option::<Scalar>::from(Scalar::from_canonical_bytes(ScalarBytes::from_slice(answer)));
    let place = Option::<EdwardsPoint>::from(CompressedEdwardsY(key).decompress());
    let (Some(answer), Some(place)) = (answer, place) else { return false };
    let challenge = reduced(&shake(&[DOM4, point, &key, message]));
    let expected = EdwardsPoint::GENERATOR * answer - place * challenge;
    expected.compress().as_bytes()[..] == *point
}
