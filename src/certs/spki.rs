//! Public keys: SubjectPublicKeyInfo (RFC 5280 §4.1, RFC 8017, 5480, 8410), and the same keys as SSH writes them (RFC 4253 §6.6,
//! 5656, 8709).

use super::der::{self, Reader};
use super::fault::{Read, broken, unsupported};
use super::signing::Hash;
use super::ssh_wire::{self, Wire};

pub const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
pub const RSA_PSS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10];
pub const DSA: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x38, 4, 1];
pub const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
pub const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
pub const ED448: &[u8] = &[0x2b, 0x65, 0x71];
pub const X25519: &[u8] = &[0x2b, 0x65, 0x6e];
pub const X448: &[u8] = &[0x2b, 0x65, 0x6f];

/// The curves whose private keys work here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Curve {
    P256,
    P384,
    P521,
}

impl Curve {
    pub const ALL: [Curve; 3] = [Curve::P256, Curve::P384, Curve::P521];

    pub fn oid(self) -> &'static [u8] {
        match self {
            Curve::P256 => &[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7],
            Curve::P384 => &[0x2b, 0x81, 4, 0, 0x22],
            Curve::P521 => &[0x2b, 0x81, 4, 0, 0x23],
        }
    }

    /// Octets of a coordinate.
    pub fn size(self) -> usize {
        match self {
            Curve::P256 => 32,
            Curve::P384 => 48,
            Curve::P521 => 66,
        }
    }

    /// The name in RFC 5656.
    pub fn ssh_name(self) -> &'static str {
        match self {
            Curve::P256 => "nistp256",
            Curve::P384 => "nistp384",
            Curve::P521 => "nistp521",
        }
    }

    /// By the name of a key's type in RFC 5656.
    pub fn of_ssh(kind: &str) -> Option<Curve> {
        let name = kind.strip_prefix("ecdsa-sha2-")?;
        Curve::ALL.into_iter().find(|curve| curve.ssh_name() == name)
    }

    /// The name in RFC 7518.
    pub fn jwk_name(self) -> &'static str {
        match self {
            Curve::P256 => "P-256",
            Curve::P384 => "P-384",
            Curve::P521 => "P-521",
        }
    }

    pub fn from_oid(oid: &[u8]) -> Option<Curve> {
        Curve::ALL.into_iter().find(|c| c.oid() == oid)
    }
}

/// A public key: its DER, and what there is to say about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    der: Vec<u8>,
    algorithm: String,
    bits: i32,
}

impl PublicKey {
    /// From a SubjectPublicKeyInfo.
    pub fn from_der(bytes: &[u8]) -> Read<PublicKey> {
        let mut spki = der::only_sequence(bytes)?;
        let mut algorithm = spki.sequence()?;
        let oid = algorithm.oid()?;
        let key = spki.bits()?;
        let (name, bits) = match oid {
            RSA | RSA_PSS => ("RSA".to_owned(), bit_length(der::only_sequence(key)?.unsigned()?)),
            // The parameters may be inherited from the issuer.
            DSA => (
                "DSA".to_owned(),
                if algorithm.peek() == Some(der::SEQUENCE) { bit_length(algorithm.sequence()?.unsigned()?) } else { 0 },
            ),
            EC => ("EC".to_owned(), curve_bits(&mut algorithm, key)?),
            ED25519 => ("Ed25519".to_owned(), 256),
            ED448 => ("Ed448".to_owned(), 456),
            X25519 => ("X25519".to_owned(), 256),
            X448 => ("X448".to_owned(), 448),
            other => (der::dotted(other), 0),
        };
        Ok(PublicKey { der: bytes.to_vec(), algorithm: name, bits })
    }

    pub fn rsa(modulus: &[u8], exponent: &[u8]) -> Read<PublicKey> {
        let (n, e) = (der::trim(modulus), der::trim(exponent));
        if n.is_empty() || e.is_empty() || n.len() > super::key::RSA_OCTETS {
            return broken("an RSA key out of bounds");
        }
        let key = der::wrap(der::SEQUENCE, &[&der::integer(n), &der::integer(e)]);
        PublicKey::from_der(&info(&[&der::wrap(der::OID, &[RSA]), &der::wrap(der::NULL, &[])], &key))
    }

    /// From an uncompressed point.
    pub fn ec(curve: Curve, point: &[u8]) -> Read<PublicKey> {
        if point.len() != 1 + 2 * curve.size() || point[0] != 4 {
            return broken("a point of no use on its curve");
        }
        PublicKey::from_der(&info(&[&der::wrap(der::OID, &[EC]), &der::wrap(der::OID, &[curve.oid()])], point))
    }

    pub fn ed25519(key: &[u8]) -> Read<PublicKey> {
        if key.len() != 32 {
            return broken("an Ed25519 key that is not 32 octets");
        }
        PublicKey::from_der(&info(&[&der::wrap(der::OID, &[ED25519])], key))
    }

    /// From the octets of a key that has no parameters: Ed448, X25519.
    pub fn plain(oid: &[u8], key: &[u8]) -> Read<PublicKey> {
        PublicKey::from_der(&info(&[&der::wrap(der::OID, &[oid])], key))
    }

    pub fn dsa(p: &[u8], q: &[u8], g: &[u8], y: &[u8]) -> Read<PublicKey> {
        let parameters = der::wrap(der::SEQUENCE, &[&der::integer(p), &der::integer(q), &der::integer(g)]);
        PublicKey::from_der(&info(&[&der::wrap(der::OID, &[DSA]), &parameters], &der::integer(y)))
    }

    /// From the octets that SSH calls a key.
    pub fn from_ssh(blob: &[u8]) -> Read<PublicKey> {
        let mut wire = Wire::new(blob);
        let kind = wire.string()?;
        let key = match ssh_wire::name(kind) {
            "ssh-rsa" => {
                let (e, n) = (wire.number()?, wire.number()?);
                PublicKey::rsa(n, e)?
            }
            "ssh-dss" => {
                let (p, q, g, y) = (wire.number()?, wire.number()?, wire.number()?, wire.number()?);
                PublicKey::dsa(p, q, g, y)?
            }
            "ssh-ed25519" => PublicKey::ed25519(wire.string()?)?,
            "ssh-ed448" => PublicKey::plain(ED448, wire.string()?)?,
            name => match Curve::of_ssh(name) {
                Some(curve) if wire.string()? == curve.ssh_name().as_bytes() => PublicKey::ec(curve, wire.string()?)?,
                Some(_) => return broken("an SSH key of two curves"),
                None => {
                    let shown = String::from_utf8_lossy(&kind[..kind.len().min(40)]);
                    return unsupported(format!("an SSH key of type {shown}"));
                }
            },
        };
        wire.finish()?;
        Ok(key)
    }

    /// The octets that SSH calls this key; none for a kind SSH does not have.
    pub fn to_ssh(&self) -> Option<Vec<u8>> {
        self.ssh().ok().flatten()
    }

    fn ssh(&self) -> Read<Option<Vec<u8>>> {
        let mut spki = der::only_sequence(&self.der)?;
        let mut algorithm = spki.sequence()?;
        let oid = algorithm.oid()?;
        let key = spki.bits()?;
        Ok(Some(match oid {
            RSA | RSA_PSS => {
                let mut rsa = der::only_sequence(key)?;
                let (n, e) = (rsa.unsigned()?, rsa.unsigned()?);
                [ssh_wire::string(b"ssh-rsa"), ssh_wire::number(e), ssh_wire::number(n)].concat()
            }
            DSA => {
                let mut parameters = algorithm.sequence()?;
                let mut out = ssh_wire::string(b"ssh-dss");
                for _ in 0..3 {
                    out.extend(ssh_wire::number(parameters.unsigned()?));
                }
                out.extend(ssh_wire::number(Reader::new(key).unsigned()?));
                out
            }
            EC => match Curve::from_oid(algorithm.oid()?) {
                Some(curve) => {
                    let name = curve.ssh_name();
                    [
                        ssh_wire::string(format!("ecdsa-sha2-{name}").as_bytes()),
                        ssh_wire::string(name.as_bytes()),
                        ssh_wire::string(key),
                    ]
                    .concat()
                }
                None => return Ok(None),
            },
            ED25519 => [ssh_wire::string(b"ssh-ed25519"), ssh_wire::string(key)].concat(),
            ED448 => [ssh_wire::string(b"ssh-ed448"), ssh_wire::string(key)].concat(),
            _ => return Ok(None),
        }))
    }

    /// Whether the numbers are the same, whatever stands around them.
    pub fn same_key(&self, other: &PublicKey) -> bool {
        self.der == other.der || self.identity() == other.identity()
    }

    /// What is the same for a key in whatever coat. X25519 has no form of SSH, and DSA keys may inherit their parameters.
    pub fn identity(&self) -> Vec<u8> {
        match self.parts() {
            Some((DSA, _, y)) => [DSA, y].concat(),
            // A compressed point is the same one.
            Some((EC, _, point @ [2 | 3, ..])) => {
                let whole = self.curve().and_then(|curve| PublicKey::ec(curve, &uncompressed(curve, point)?).ok());
                whole.map_or_else(|| self.der.clone(), |key| key.identity())
            }
            _ => self.to_ssh().unwrap_or_else(|| self.der.clone()),
        }
    }

    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The algorithm's object identifier, what follows it, and the octets of the key.
    fn parts(&self) -> Option<(&[u8], Reader<'_>, &[u8])> {
        let mut spki = der::only_sequence(&self.der).ok()?;
        let mut algorithm = spki.sequence().ok()?;
        Some((algorithm.oid().ok()?, algorithm, spki.bits().ok()?))
    }

    /// The algorithm's object identifier.
    pub fn oid(&self) -> &[u8] {
        self.parts().map_or(&[], |(oid, _, _)| oid)
    }

    /// The hash that an RSA key for PSS is bound to (RFC 4055 §3.1), where it is.
    pub fn pss_hash(&self) -> Option<Hash> {
        let (oid, mut parameters, _) = self.parts()?;
        if oid != RSA_PSS || parameters.is_empty() {
            return None;
        }
        let mut parameters = parameters.sequence().ok()?;
        match parameters.optional(0xa0).ok()? {
            Some(digest) => Hash::from_oid(Reader::new(digest).sequence().ok()?.oid().ok()?),
            None => Some(Hash::Sha1),
        }
    }

    /// What the bit string holds: a point, the key itself, or DER.
    pub fn raw(&self) -> Option<&[u8]> {
        self.parts().map(|(_, _, key)| key)
    }

    /// The curve of an EC key, when it is one that works here.
    pub fn curve(&self) -> Option<Curve> {
        let (oid, mut parameters, _) = self.parts()?;
        if oid == EC { Curve::from_oid(parameters.oid().ok()?) } else { None }
    }

    /// Modulus and exponent.
    pub fn rsa_numbers(&self) -> Option<(&[u8], &[u8])> {
        let (oid, _, key) = self.parts()?;
        let mut numbers = der::only_sequence(key).ok().filter(|_| oid == RSA || oid == RSA_PSS)?;
        Some((numbers.unsigned().ok()?, numbers.unsigned().ok()?))
    }

    /// p, q, g and y.
    pub fn dsa_numbers(&self) -> Option<[&[u8]; 4]> {
        let (oid, mut algorithm, key) = self.parts()?;
        let mut parameters = algorithm.sequence().ok().filter(|_| oid == DSA)?;
        let mut number = || parameters.unsigned().ok();
        Some([number()?, number()?, number()?, Reader::new(key).unsigned().ok()?])
    }

    /// RSA, EC, Ed25519, Ed448, X25519 or DSA, else the object identifier.
    pub fn algorithm(&self) -> &str {
        &self.algorithm
    }

    pub fn bits(&self) -> i32 {
        self.bits
    }

    pub fn pem(&self) -> String {
        super::pem::encode("PUBLIC KEY", &self.der)
    }
}

/// A point in whatever form (SEC 1 §2.3.4) as an uncompressed one; none when it is not on its curve.
pub fn uncompressed(curve: Curve, point: &[u8]) -> Option<Vec<u8>> {
    use p256::elliptic_curve::sec1::ToEncodedPoint;
    Some(match curve {
        Curve::P256 => p256::PublicKey::from_sec1_bytes(point).ok()?.to_encoded_point(false).as_bytes().to_vec(),
        Curve::P384 => p384::PublicKey::from_sec1_bytes(point).ok()?.to_encoded_point(false).as_bytes().to_vec(),
        Curve::P521 => p521::PublicKey::from_sec1_bytes(point).ok()?.to_encoded_point(false).as_bytes().to_vec(),
    })
}

fn info(algorithm: &[&[u8]], key: &[u8]) -> Vec<u8> {
    der::wrap(der::SEQUENCE, &[&der::wrap(der::SEQUENCE, algorithm), &der::bit_string(key)])
}

fn bit_length(number: &[u8]) -> i32 {
    match number.first() {
        Some(first) => i32::try_from(number.len() * 8).unwrap_or(i32::MAX) - first.leading_zeros() as i32,
        None => 0,
    }
}

/// The curve's size: by its name, else by the length of a coordinate.
fn curve_bits(algorithm: &mut Reader<'_>, point: &[u8]) -> Read<i32> {
    let by_point = match point.first() {
        Some(4) => (point.len() - 1) / 2,
        _ => point.len().saturating_sub(1),
    };
    let by_point = i32::try_from(by_point * 8).unwrap_or(0);
    // A curve that is written out (RFC 3279 §2.3.5) says its prime.
    if algorithm.peek() == Some(der::SEQUENCE) {
        let mut curve = algorithm.sequence()?;
        curve.small()?;
        let mut field = curve.sequence()?;
        field.oid()?;
        return Ok(if field.peek() == Some(der::INTEGER) { bit_length(field.unsigned()?) } else { by_point });
    }
    Ok(match algorithm.optional(der::OID)? {
        Some(oid) if oid == Curve::P521.oid() => 521,
        // The binary curves and the rest with odd sizes are not told apart by their octets; nobody uses them in mail.
        _ => by_point,
    })
}
