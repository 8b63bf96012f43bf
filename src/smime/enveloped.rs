//! Making EnvelopedData (RFC 5652 §6) and, for GCM, AuthEnvelopedData (RFC 5083, 5084): streaming, in one pass, with definite lengths
//! when the content's is known.

use super::algorithm::{Cipher, Hash};
use super::asn1::{self, AUTH_ENVELOPED_DATA, DATA, ENVELOPED_DATA, Frame, Layout};
use super::bulk::{self, Encryptor};
use super::recipient::{self, Wrapping};
use super::signed::check_length;
use super::{CHUNK, Transform};
use crate::certs::der::{self, OCTET_STRING, SEQUENCE, SET};
use crate::certs::x509::X509;
use crate::error::{Code, Error, Result};
use ring::rand::SecureRandom;
use std::sync::Arc;
use zeroize::Zeroizing;

/// For whom and how.
#[derive(Debug, Clone)]
pub struct EncryptSpec {
    pub recipients: Vec<Arc<X509>>,
    pub cipher: Cipher,
    /// OAEP with hash and MGF hash, instead of PKCS #1 v1.5.
    pub oaep: Option<(Hash, Hash)>,
    /// Recipients by SubjectKeyIdentifier, where their certificates have one.
    pub use_ski: bool,
}

impl EncryptSpec {
    fn wrapping(&self) -> Wrapping {
        Wrapping { cipher: self.cipher, oaep: self.oaep, use_ski: self.use_ski }
    }

    /// Whether every recipient can be encrypted to: what can be known before there is content.
    pub fn check(&self) -> Result<()> {
        if self.recipients.is_empty() {
            return Err(Error::new(Code::Encrypt, "there is no certificate to encrypt to"));
        }
        self.recipients.iter().try_for_each(|certificate| recipient::check(certificate, &self.wrapping()))
    }

    /// How long all of it gets with so much content. No key is touched for it.
    pub fn length(&self, content: u64) -> Option<u64> {
        let wrapping = self.wrapping();
        let row = self.cipher.row();
        let mut infos = 0;
        for certificate in distinct(&self.recipients) {
            infos += recipient::blank(certificate, &wrapping, row.key)?.len();
        }
        let vector = vec![0; if self.cipher.is_aead() { bulk::NONCE } else { row.block }];
        let before = [der::integer(&[0]), der::wrap(SET, &[&vec![0; infos]])].concat();
        let beside = [asn1::oid(DATA), content_algorithm(self.cipher, &vector)].concat();
        definite(self.cipher, &before, &beside, content).total()
    }
}

/// Each certificate once.
fn distinct(recipients: &[Arc<X509>]) -> impl Iterator<Item = &Arc<X509>> {
    let before = |at: usize, one: &X509| recipients[..at].iter().any(|other| other.der() == one.der());
    recipients.iter().enumerate().filter(move |(at, one)| !before(*at, one)).map(|(_, one)| one)
}

/// The frame around so much content, once encrypted.
fn definite(cipher: Cipher, before: &[u8], beside: &[u8], content: u64) -> Frame {
    let kind = if cipher.is_aead() { AUTH_ENVELOPED_DATA } else { ENVELOPED_DATA };
    let trailer = if cipher.is_aead() { asn1::size(bulk::TAG as u64) } else { 0 };
    let layout = Layout { kind, before, beside, explicit: false };
    Frame::definite(&layout, bulk::length(cipher, content), trailer)
}

/// The content, encrypted.
pub struct Envelope {
    cipher: Cipher,
    encryptor: Encryptor,
    frame: Frame,
    content: Option<u64>,
    seen: u64,
    /// Ciphertext on its way into the pieces of an indefinite length.
    scratch: Vec<u8>,
    /// Where all of the content came at once.
    tag: Option<[u8; bulk::TAG]>,
}

impl Envelope {
    pub fn new(spec: &EncryptSpec, content: Option<u64>) -> Result<Envelope> {
        spec.check()?;
        let cipher = spec.cipher;
        if cipher.is_aead() && content.is_some_and(|length| length > bulk::GCM_LIMIT) {
            return Err(too_long());
        }
        let key = content_key(cipher)?;
        let vector = random(if cipher.is_aead() { bulk::NONCE } else { cipher.row().block })?;
        let failed = || Error::new(Code::Encrypt, format!("{} does not work with its own key", cipher.name()));
        let encryptor = Encryptor::new(cipher, &key, &vector).ok_or_else(failed)?;

        let wrapping = spec.wrapping();
        let mut infos = Vec::new();
        let mut above = false;
        for certificate in distinct(&spec.recipients) {
            let (info, newer) = recipient::build(certificate, &wrapping, &key)?;
            above |= newer;
            infos.push(info);
        }
        // RFC 5652 §6.1; AuthEnvelopedData has version 0 whatever its recipients are (RFC 5083 §2.1).
        let version = if above && !cipher.is_aead() { 2 } else { 0 };
        let before = [der::integer(&[version]), der::wrap(SET, &[&asn1::set(infos)])].concat();
        let beside = [asn1::oid(DATA), content_algorithm(cipher, &vector)].concat();
        let frame = match content {
            Some(length) => definite(cipher, &before, &beside, length),
            None => {
                let kind = if cipher.is_aead() { AUTH_ENVELOPED_DATA } else { ENVELOPED_DATA };
                Frame::indefinite(&Layout { kind, before: &before, beside: &beside, explicit: false })
            }
        };
        Ok(Envelope { cipher, encryptor, frame, content, seen: 0, scratch: Vec::new(), tag: None })
    }
}

impl Transform for Envelope {
    fn update(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<()> {
        self.seen += input.len() as u64;
        check_length(self.content, self.seen, false)?;
        if self.cipher.is_aead() && self.seen > bulk::GCM_LIMIT {
            return Err(too_long());
        }
        self.frame.start(out);
        if self.frame.is_definite() {
            self.encryptor.update(input, out);
            return Ok(());
        }
        for chunk in input.chunks(CHUNK) {
            self.encryptor.update(chunk, &mut self.scratch);
            self.frame.piece(&self.scratch, out);
            self.scratch.clear();
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<()> {
        check_length(self.content, self.seen, true)?;
        self.frame.start(out);
        let tag = match self.tag.take() {
            None => self.encryptor.finish(&mut self.scratch),
            done => done,
        };
        self.frame.piece(&self.scratch, out);
        let trailer = tag.map(|tag| der::wrap(OCTET_STRING, &[&tag])).unwrap_or_default();
        self.frame.end(&trailer, out);
        Ok(())
    }

    fn whole(&mut self, pieces: &[&[u8]], out: &mut Vec<u8>) -> Result<bool> {
        let length = pieces.iter().map(|piece| piece.len() as u64).sum();
        if !self.cipher.is_aead() || self.seen != 0 || self.content != Some(length) || length > bulk::GCM_LIMIT {
            return Ok(false);
        }
        self.frame.start(out);
        self.tag = self.encryptor.whole(pieces, out);
        if self.tag.is_some() {
            self.seen = length;
        }
        Ok(self.tag.is_some())
    }

    fn total(&self) -> Option<u64> {
        self.frame.total()
    }
}

fn too_long() -> Error {
    Error::new(Code::Encrypt, "GCM encrypts at most 64 GiB at once")
}

fn random(length: usize) -> Result<Zeroizing<Vec<u8>>> {
    let mut octets = Zeroizing::new(vec![0; length]);
    // From the system each time, so that a process and its fork never share any.
    ring::rand::SystemRandom::new()
        .fill(&mut octets)
        .map_err(|_| Error::new(Code::Encrypt, "the system has no random octets"))?;
    Ok(octets)
}

/// A new key; those of DES with odd parity, which some readers check (RFC 3217 §2).
fn content_key(cipher: Cipher) -> Result<Zeroizing<Vec<u8>>> {
    let mut key = random(cipher.row().key)?;
    if matches!(cipher, Cipher::Des | Cipher::TripleDes) {
        key.iter_mut()
            .for_each(|octet| *octet = *octet & 0xfe | u8::from((*octet >> 1).count_ones().is_multiple_of(2)));
    }
    Ok(key)
}

/// The ContentEncryptionAlgorithmIdentifier: the vector (RFC 3370, 3565), with the number for RC2's bits, with GCM's length of tag.
fn content_algorithm(cipher: Cipher, vector: &[u8]) -> Vec<u8> {
    let vector = der::wrap(OCTET_STRING, &[vector]);
    let parameters = match cipher.rc2() {
        Some((_, number)) => der::wrap(SEQUENCE, &[&der::integer(&[number]), &vector]),
        // 12, the default, is not what is used.
        None if cipher.is_aead() => der::wrap(SEQUENCE, &[&vector, &der::integer(&[bulk::TAG as u8])]),
        None => vector,
    };
    asn1::algorithm(cipher.row().oid, &parameters)
}
