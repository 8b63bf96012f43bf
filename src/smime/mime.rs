//! S/MIME as MIME (RFC 8551 section 3): an entity in, the signed or encrypted entity out. The cryptography runs while the result is
//! read, so that content of any size passes in constant memory and once.

use super::{Cipher, Detached, EncryptSpec, Envelope, Hash, Opaque, SignSpec, Transform};
use crate::certs::key::PrivateKey;
use crate::certs::x509::X509;
use crate::error::{Code, Error, Result};
use crate::message::body::Piece;
use crate::message::compose::ShortLines;
use crate::message::encode::Base64Lines;
use crate::message::entity::{refuse_eight_bit, refuse_long_line};
use crate::message::id;
use crate::message::layer::{Filter, Layer, Wrap};
use crate::message::mime::Entity;
use std::fmt;
use std::sync::Arc;

/// What a signature is made with.
#[derive(Debug, Clone)]
pub struct Signing {
    pub key: Arc<PrivateKey>,
    pub certificate: Arc<X509>,
    /// What the signature carries.
    pub certificates: Vec<Arc<X509>>,
    pub hash: Hash,
    pub pss: bool,
    /// multipart/signed, which every program shows; otherwise application/pkcs7-mime, which no relay can touch.
    pub detached: bool,
    /// Seconds since 1970.
    pub now: fn() -> i64,
}

impl Signing {
    fn spec(&self) -> SignSpec {
        SignSpec {
            key: Arc::clone(&self.key),
            certificate: Arc::clone(&self.certificate),
            certificates: self.certificates.clone(),
            hash: self.hash,
            pss: self.pss,
            time: (self.now)(),
        }
    }
}

/// What a message is encrypted with, for everyone and for each of the recipients apart.
pub struct Encrypting {
    pub editions: Vec<EncryptSpec>,
}

impl fmt::Debug for Encrypting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Encrypting({} editions)", self.editions.len())
    }
}

impl Encrypting {
    fn cipher(&self) -> Option<Cipher> {
        self.editions.first().map(|edition| edition.cipher)
    }
}

impl Wrap for Signing {
    fn wrap(&self, inner: Entity, _edition: usize) -> Result<Entity> {
        if !self.detached {
            return Ok(enveloped("signed-data", inner, Arc::new(OpaqueLayer(self.clone()))));
        }
        if inner.eight_bit {
            return Err(refuse_eight_bit());
        }
        if inner.unfit {
            return Err(refuse_long_line());
        }
        let boundary = format!("=_{}_s", id::hex(&id::random::<16>()?));
        let fields = format!(
            "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\";\r\n micalg={};\r\n boundary=\"{boundary}\"\r\n",
            self.spec().micalg()
        );
        let start = format!("This is a message with a signature of S/MIME.\r\n\r\n--{boundary}\r\n");
        let layer = DetachedLayer { signing: self.clone(), boundary };
        let pieces = vec![Piece::Encoded(start.into()), Piece::Through(Arc::new(layer), with_fields(inner))];
        Ok(Entity { fields, pieces, eight_bit: false, unfit: false })
    }

    fn check(&self) -> Result<()> {
        let spec = self.spec();
        // A key that lives elsewhere is not asked more often than needed: it may ask its owner.
        if self.key.pkcs8().is_none() { spec.check() } else { Detached::new(&spec)?.finish().map(drop) }
    }
}

impl Wrap for Encrypting {
    fn wrap(&self, inner: Entity, edition: usize) -> Result<Entity> {
        let kind = self.cipher().map_or("enveloped-data", Cipher::smime_type);
        let spec = self.editions.get(edition).cloned();
        let spec = spec.ok_or_else(|| Error::new(Code::Encrypt, "there is no envelope for these recipients"))?;
        Ok(enveloped(kind, inner, Arc::new(EnvelopeLayer(spec))))
    }

    fn check(&self) -> Result<()> {
        for edition in &self.editions {
            Envelope::new(edition, Some(0))?.finish(&mut Vec::new())?;
        }
        Ok(())
    }
}

/// An entity as octets: its fields, the empty line, its body.
fn with_fields(inner: Entity) -> Vec<Piece> {
    let head = Piece::Encoded(format!("{}\r\n", inner.fields).into());
    std::iter::once(head).chain(inner.pieces).collect()
}

/// application/pkcs7-mime (RFC 8551 section 3.2).
fn enveloped(kind: &str, inner: Entity, layer: Arc<dyn Layer>) -> Entity {
    let fields = format!(
        "Content-Type: application/pkcs7-mime; smime-type={kind};\r\n name=\"smime.p7m\"\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=\"smime.p7m\"\r\n"
    );
    Entity { fields, pieces: vec![Piece::Through(layer, with_fields(inner))], eight_bit: false, unfit: false }
}

/// multipart/signed (RFC 1847): the content goes as it is, the signature follows.
#[derive(Debug)]
struct DetachedLayer {
    signing: Signing,
    boundary: String,
}

impl DetachedLayer {
    fn trailer(&self, signature: &[u8]) -> Vec<u8> {
        let boundary = &self.boundary;
        let mut out = format!(
            "\r\n--{boundary}\r\nContent-Type: application/pkcs7-signature; name=\"smime.p7s\"\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=\"smime.p7s\"\r\n\r\n"
        )
        .into_bytes();
        let mut lines = Base64Lines::default();
        lines.push(signature, &mut out);
        lines.finish(&mut out);
        out.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
        out
    }
}

impl Layer for DetachedLayer {
    fn open(&self, length: Option<u64>, announced: bool) -> Result<Box<dyn Filter>> {
        let spec = self.signing.spec();
        let told = length.filter(|_| announced);
        // What was announced for the whole must come true, the signature's length too.
        let signature = if told.is_some() { Detached::fixed(&spec)? } else { Detached::new(&spec)? };
        let layer = DetachedLayer { signing: self.signing.clone(), boundary: self.boundary.clone() };
        let total = told.and_then(|content| self.length(content));
        Ok(Box::new(DetachedFilter { signature: Some(signature), layer, total, lines: ShortLines::default() }))
    }

    fn length(&self, content: u64) -> Option<u64> {
        let signature = Detached::fixed(&self.signing.spec()).ok()?.length()?;
        Some(content + self.trailer(&[]).len() as u64 + Base64Lines::length(signature))
    }
}

struct DetachedFilter {
    signature: Option<Detached>,
    layer: DetachedLayer,
    total: Option<u64>,
    lines: ShortLines,
}

impl Filter for DetachedFilter {
    fn update(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<()> {
        if !input.is_ascii() {
            return Err(refuse_eight_bit());
        }
        if !self.lines.go_on(input) || memchr::memchr(0, input).is_some() {
            return Err(refuse_long_line());
        }
        if let Some(signature) = &mut self.signature {
            signature.update(input);
        }
        out.extend_from_slice(input);
        Ok(())
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<()> {
        if let Some(signature) = self.signature.take() {
            out.extend_from_slice(&self.layer.trailer(&signature.finish()?));
        }
        Ok(())
    }

    fn total(&self) -> Option<u64> {
        self.total
    }
}

#[derive(Debug)]
struct OpaqueLayer(Signing);

impl Layer for OpaqueLayer {
    fn open(&self, length: Option<u64>, _announced: bool) -> Result<Box<dyn Filter>> {
        Ok(Box::new(Armour::new(Opaque::new(&self.0.spec(), length)?)))
    }

    fn length(&self, content: u64) -> Option<u64> {
        Opaque::new(&self.0.spec(), Some(content)).ok()?.total().map(Base64Lines::length)
    }
}

struct EnvelopeLayer(EncryptSpec);

impl fmt::Debug for EnvelopeLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EnvelopeLayer({})", self.0.cipher.name())
    }
}

impl Layer for EnvelopeLayer {
    fn open(&self, length: Option<u64>, _announced: bool) -> Result<Box<dyn Filter>> {
        Ok(Box::new(Armour::new(Envelope::new(&self.0, length)?)))
    }

    fn length(&self, content: u64) -> Option<u64> {
        self.0.length(content).map(Base64Lines::length)
    }
}

/// A transformation with its result in Base64 lines.
struct Armour<T> {
    inner: T,
    lines: Base64Lines,
    binary: Vec<u8>,
}

impl<T: Transform> Armour<T> {
    fn new(inner: T) -> Armour<T> {
        Armour { inner, lines: Base64Lines::default(), binary: Vec::new() }
    }
}

impl<T: Transform> Filter for Armour<T> {
    fn update(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<()> {
        // Portions that stay in the cache between the three passes.
        for portion in input.chunks(super::CHUNK) {
            self.binary.clear();
            self.inner.update(portion, &mut self.binary)?;
            self.lines.push(&self.binary, out);
        }
        Ok(())
    }

    fn whole(&mut self, pieces: &[&[u8]], out: &mut Vec<u8>) -> Result<()> {
        self.binary.clear();
        let done = self.inner.whole(pieces, &mut self.binary)?;
        // Not done, what stands before the content may be written all the same.
        self.lines.push(&self.binary, out);
        if done { Ok(()) } else { pieces.iter().try_for_each(|piece| self.update(piece, out)) }
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<()> {
        self.binary.clear();
        self.inner.finish(&mut self.binary)?;
        self.lines.push(&self.binary, out);
        self.lines.finish(out);
        Ok(())
    }

    fn total(&self) -> Option<u64> {
        self.inner.total().map(Base64Lines::length)
    }
}
