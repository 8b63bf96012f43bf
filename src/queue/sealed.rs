//! Encrypted queue files: a key from a password (PBKDF2-HMAC-SHA256, RFC 8018), from it one for each file (HKDF, RFC 5869), and
//! AES-256-GCM in chunks whose number and end are part of the nonce (the STREAM construction), so that a file of any size is read
//! from anywhere in it, and none of its chunks can be moved, dropped or taken from another file.

use super::failed;
use super::octets::{Octets, exactly};
use crate::error::{Code, Error, Result};
use crate::message::id;
use crate::text::mask::Secret;
use parking_lot::Mutex;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::{digest, hkdf, pbkdf2};
use std::num::NonZeroU32;
use std::sync::Arc;
use zeroize::Zeroizing;

pub const MAGIC: &[u8] = b"libssmtp-queue-sealed 1\r\n";
/// Plain octets of a chunk, and what its tag adds.
const CHUNK: usize = 64 * 1024;
const TAG: usize = 16;
const FULL: u64 = (CHUNK + TAG) as u64;
/// Rounds of PBKDF2 that are written, and the most that are read: a foreign file must not keep us busy for hours.
const ROUNDS: u32 = 600_000;
/// What stands before 64 hex digits that are a key themselves: 0 rounds.
const KEY: &str = "key:";
const ROUNDS_MOST: u32 = 5_000_000;
/// Octets of the header: it is fixed.
pub(super) const HEADER: usize = MAGIC.len() + 5 + 10 + 1 + 32 + 2 + 5 + 64 + 1 + 32 + 2 + 5 + 16 + 2;
/// Keys that are remembered, for files of other processes with the same password.
const KNOWN: usize = 64;

type Master = Zeroizing<[u8; 32]>;

/// The password, and the keys that were made of it, which takes a moment each; or a key as it is.
pub struct Keyring {
    password: Secret,
    key: Option<Master>,
    made: Mutex<Made>,
}

#[derive(Default)]
struct Made {
    /// What this handle's files are written with.
    own: Option<[u8; 16]>,
    known: Vec<([u8; 16], u32, Master)>,
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keyring")
    }
}

impl Keyring {
    /// 603 for what begins as a key and is none.
    pub fn new(password: &str) -> Result<Keyring> {
        let key = match password.strip_prefix(KEY) {
            Some(digits) => Some(Zeroizing::new(unhex(digits).ok_or_else(|| {
                Error::new(Code::ValueRefused, "QueuePassword takes 64 hex digits after \"key:\", or any other text")
            })?)),
            None => None,
        };
        Ok(Keyring { password: Secret::new(password), key, made: Mutex::default() })
    }

    pub fn password(&self) -> &str {
        self.password.expose()
    }

    fn master(&self, salt: [u8; 16], rounds: u32) -> Master {
        if let Some(key) = &self.key {
            return key.clone();
        }
        let mut made = self.made.lock();
        if let Some((_, _, master)) = made.known.iter().find(|(s, r, _)| (*s, *r) == (salt, rounds)) {
            return master.clone();
        }
        let mut master = Zeroizing::new([0; 32]);
        let rounds = NonZeroU32::new(rounds).unwrap_or(NonZeroU32::MIN);
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, rounds, &salt, self.password.expose().as_bytes(), &mut *master);
        if made.known.len() == KNOWN {
            made.known.remove(0);
        }
        made.known.push((salt, rounds.get(), master.clone()));
        master
    }

    /// The key of a new file.
    pub fn fresh(&self) -> Result<SealKey> {
        if let Some(key) = &self.key {
            return SealKey::derive(key, [0; 16], 0, id::random()?);
        }
        let own = self.made.lock().own;
        let salt = match own {
            Some(salt) => salt,
            None => *self.made.lock().own.insert(id::random()?),
        };
        SealKey::derive(&self.master(salt, ROUNDS), salt, ROUNDS, id::random()?)
    }
}

/// The key of one file, and what its header tells of it.
pub struct SealKey {
    key: LessSafeKey,
    header: Vec<u8>,
}

struct Length(usize);

impl hkdf::KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

fn expand(master: &Master, salt: &[u8], what: &[u8], out: &mut [u8]) -> Result<()> {
    let prk = hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(&**master);
    let done = prk.expand(&[what], Length(out.len())).and_then(|okm| okm.fill(out));
    done.map_err(|_| Error::new(Code::Internal, "HKDF refuses a length that it has"))
}

impl SealKey {
    fn derive(master: &Master, salt: [u8; 16], rounds: u32, file: [u8; 32]) -> Result<SealKey> {
        let mut octets = Zeroizing::new([0; 32]);
        expand(master, &file, b"libssmtp-queue key", &mut *octets)?;
        let mut check = [0; 16];
        expand(master, &file, b"libssmtp-queue check", &mut check)?;
        let key = UnboundKey::new(&AES_256_GCM, &*octets)
            .map_err(|_| Error::new(Code::Internal, "AES-256 refuses a key of its length"))?;
        let mut header = MAGIC.to_vec();
        let text = format!("Kdf: {rounds:010} {}\r\nKey: {} {}\r\n", id::hex(&salt), id::hex(&file), id::hex(&check));
        header.extend_from_slice(text.as_bytes());
        let sum = digest::digest(&digest::SHA256, &header);
        header.extend_from_slice(format!("Sum: {}\r\n", id::hex(&sum.as_ref()[..8])).as_bytes());
        Ok(SealKey { key: LessSafeKey::new(key), header })
    }

    fn nonce(number: u64, last: bool) -> Result<Nonce> {
        let number = u32::try_from(number).map_err(|_| failed("queue", "the message is too large to be encrypted"))?;
        let mut nonce = [0; 12];
        nonce[7..11].copy_from_slice(&number.to_be_bytes());
        nonce[11] = u8::from(last);
        Ok(Nonce::assume_unique_for_key(nonce))
    }

    fn seal(&self, number: u64, last: bool, mut chunk: Vec<u8>, out: &mut Vec<u8>) -> Result<()> {
        let done =
            self.key.seal_in_place_append_tag(SealKey::nonce(number, last)?, Aad::from(&self.header), &mut chunk);
        done.map_err(|_| Error::new(Code::Internal, "AES-GCM refuses a chunk"))?;
        out.extend_from_slice(&chunk);
        Ok(())
    }
}

/// Encrypts as it comes.
pub struct Sealer {
    key: SealKey,
    number: u64,
    chunk: Vec<u8>,
}

impl Sealer {
    /// The header goes first.
    pub fn new(key: SealKey) -> Result<(Sealer, Vec<u8>)> {
        let header = key.header.clone();
        Ok((Sealer { key, number: 0, chunk: Vec::with_capacity(CHUNK + TAG) }, header))
    }

    pub fn push(&mut self, mut input: &[u8], out: &mut Vec<u8>) -> Result<()> {
        while !input.is_empty() {
            // A full chunk waits: it may be the last one.
            if self.chunk.len() == CHUNK {
                let chunk = std::mem::replace(&mut self.chunk, Vec::with_capacity(CHUNK + TAG));
                self.key.seal(self.number, false, chunk, out)?;
                self.number += 1;
            }
            let (now, later) = input.split_at(input.len().min(CHUNK - self.chunk.len()));
            self.chunk.extend_from_slice(now);
            input = later;
        }
        Ok(())
    }

    pub fn finish(self) -> Result<Vec<u8>> {
        let mut out = Vec::with_capacity(self.chunk.len() + TAG);
        self.key.seal(self.number, true, self.chunk, &mut out)?;
        Ok(out)
    }
}

/// The plain octets of a sealed file.
pub struct Sealed {
    inner: Arc<dyn Octets>,
    key: SealKey,
    len: u64,
    chunks: u64,
    /// The chunk that was opened last.
    open: Mutex<(u64, Zeroizing<Vec<u8>>)>,
}

/// Why a sealed file was not opened.
pub enum Refused {
    /// There is no password, or another one: the file may be good.
    Password(Error),
    Damaged(Error),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Refused {
        Refused::Damaged(error)
    }
}

impl Sealed {
    /// Over octets that begin with [`MAGIC`].
    pub fn open(inner: Arc<dyn Octets>, keys: Option<&Keyring>) -> std::result::Result<Sealed, Refused> {
        let header = exactly(&*inner, 0, HEADER)?;
        let broken = || failed("queue", "the header of the encryption is damaged");
        let sum = digest::digest(&digest::SHA256, &header[..HEADER - 23]);
        if header[HEADER - 23..] != format!("Sum: {}\r\n", id::hex(&sum.as_ref()[..8])).into_bytes()[..] {
            return Err(broken().into());
        }
        let text = std::str::from_utf8(&header).map_err(|_| broken())?;
        let mut words = text.split_ascii_whitespace().skip(3);
        let rounds: u32 = words.next().and_then(|w| w.parse().ok()).ok_or_else(broken)?;
        let salt: [u8; 16] = words.next().and_then(unhex).ok_or_else(broken)?;
        let file: [u8; 32] = words.nth(1).and_then(unhex).ok_or_else(broken)?;
        if rounds > ROUNDS_MOST {
            return Err(broken().into());
        }
        let refused = |why: &str| Refused::Password(failed("queue", why));
        let keys = keys.ok_or_else(|| refused("the file is encrypted, and QueuePassword is empty"))?;
        if (rounds == 0) != keys.key.is_some() {
            return Err(refused("the file is encrypted with a key and QueuePassword is none, or the reverse"));
        }
        let key = SealKey::derive(&keys.master(salt, rounds), salt, rounds, file)?;
        if key.header != header {
            return Err(refused("the file is encrypted with another password"));
        }
        let body = inner.len() - HEADER as u64;
        let chunks = body.div_ceil(FULL);
        if body == 0 || body - (chunks - 1) * FULL < TAG as u64 {
            return Err(failed("queue", "the file ends early").into());
        }
        let len = body - chunks * TAG as u64;
        Ok(Sealed { inner, key, len, chunks, open: Mutex::new((u64::MAX, Zeroizing::default())) })
    }

    /// What no other sealed file has.
    pub fn identity(&self) -> digest::Digest {
        digest::digest(&digest::SHA256, &self.key.header)
    }
}

impl Octets for Sealed {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        let mut open = self.open.lock();
        let mut done = 0;
        while done < buffer.len() && offset + (done as u64) < self.len {
            let at = offset + done as u64;
            let (number, skip) = (at / CHUNK as u64, (at % CHUNK as u64) as usize);
            if open.0 != number {
                let mut chunk = Zeroizing::new(vec![0; CHUNK + TAG]);
                let got = self.inner.read_at(HEADER as u64 + number * FULL, &mut chunk)?;
                let nonce = SealKey::nonce(number, number + 1 == self.chunks)?;
                let plain = self.key.key.open_in_place(nonce, Aad::from(&self.key.header), &mut chunk[..got]);
                let count = plain.map_err(|_| failed("queue", "the encrypted content was changed"))?.len();
                chunk.truncate(count);
                *open = (number, chunk);
            }
            let plain = open.1.get(skip..).filter(|p| !p.is_empty());
            let plain = plain.ok_or_else(|| failed("queue", "the file ends early"))?;
            let count = plain.len().min(buffer.len() - done);
            buffer[done..done + count].copy_from_slice(&plain[..count]);
            done += count;
        }
        Ok(done)
    }
}

fn unhex<const N: usize>(digits: &str) -> Option<[u8; N]> {
    let mut out = [0; N];
    if digits.len() != 2 * N || !digits.is_ascii() {
        return None;
    }
    for (place, pair) in out.iter_mut().zip(digits.as_bytes().chunks(2)) {
        *place = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(out)
}
