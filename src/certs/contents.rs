//! What one store holds, and how one entry of it is chosen (rulings 30 and 37).

use super::fault::{Fault, Read, unsupported};
use super::key::PrivateKey;
use super::loaded::Loaded;
use super::name;
use super::spki::PublicKey;
use super::x509::X509;
use std::collections::BinaryHeap;
use std::sync::Arc;

/// Certificates above the chosen one; nobody's chain is this long.
const CHAIN: usize = 16;

/// What a reader found, in the order it stands in the store.
#[derive(Debug, Default)]
pub struct Contents {
    pub certificates: Vec<Arc<X509>>,
    pub keys: Vec<Arc<PrivateKey>>,
    /// Public keys without a certificate (SSH, JWK, XML, PEM).
    pub public_keys: Vec<PublicKey>,
    /// Why a key was passed over whose kind does not work here.
    pub passed_over: Option<String>,
    /// Gathered from many files, which need not belong together.
    pub folder: bool,
}

impl Contents {
    /// Reads one entry. What is wrong with it, or why its key is passed over, is told with its name.
    pub fn entry(&mut self, name: &str, read: impl FnOnce(&mut Contents) -> Read<()>) -> Read<()> {
        let before = self.passed_over.take();
        let result = read(self);
        self.named(name, before, result)
    }

    /// The same for readers that hold the contents themselves; `before` is what was passed over before the entry.
    pub fn named(&mut self, name: &str, before: Option<String>, result: Read<()>) -> Read<()> {
        self.passed_over = match self.passed_over.take() {
            Some(what) => Some(format!("{name}: {what}")),
            None => before,
        };
        result.map_err(|fault| fault.of(name).into())
    }

    /// Notes that something is of a kind that does not work.
    fn pass_over(&mut self, fault: Fault) -> Read<()> {
        match fault {
            Fault::Unsupported(what) => self.passed_over = Some(what),
            other => return Err(other.into()),
        }
        Ok(())
    }

    /// Adds a key, or notes that its kind does not work: another entry may still be what is looked for.
    pub fn add_key(&mut self, key: Read<PrivateKey>) -> Read<()> {
        match key {
            Ok(key) => self.keys.push(Arc::new(key)),
            Err(fault) => self.pass_over(*fault)?,
        }
        Ok(())
    }

    /// Adds a public key that stands alone, or notes that its kind does not work.
    pub fn add_public(&mut self, key: Read<PublicKey>) -> Read<()> {
        match key {
            Ok(key) => self.public_keys.push(key),
            Err(fault) => self.pass_over(*fault)?,
        }
        Ok(())
    }

    /// Adds all that another store holds.
    pub fn add(&mut self, mut other: Contents) {
        self.certificates.append(&mut other.certificates);
        self.keys.append(&mut other.keys);
        self.public_keys.append(&mut other.public_keys);
        self.passed_over = self.passed_over.take().or(other.passed_over);
    }

    pub fn add_certificate(&mut self, der: &[u8]) -> Read<()> {
        self.certificates.push(Arc::new(X509::from_der(der)?));
        Ok(())
    }

    /// The entries: every certificate with its key, then keys without a certificate, then public keys alone.
    pub fn entries(self) -> Read<Entries> {
        let nothing = self.certificates.is_empty() && self.keys.is_empty() && self.public_keys.is_empty();
        if let (true, Some(what)) = (nothing, &self.passed_over) {
            return unsupported(what.clone());
        }
        // In the order of their octets, so that each is found quickly, and of the same ones the first.
        let by_key: BinaryHeap<(Vec<u8>, usize)> =
            self.keys.iter().enumerate().map(|(at, key)| (key.public_key().identity(), at)).collect();
        let by_key = by_key.into_sorted_vec();
        let mut used = vec![false; self.keys.len()];
        let mut entries: Vec<Loaded> = Vec::new();
        for certificate in &self.certificates {
            let mut key = None;
            if !by_key.is_empty() {
                let wanted = certificate.public_key().identity();
                let first = by_key.partition_point(|(identity, _)| *identity < wanted);
                if let Some((_, at)) = by_key.get(first).filter(|(identity, _)| *identity == wanted) {
                    used[*at] = true;
                    key = Some(self.keys[*at].clone());
                }
            }
            entries.push(Loaded::new(Some(certificate.clone()), key, None));
        }
        // One key beside certificates of other keys is a mistake somebody wants to hear about.
        if !self.folder && !self.certificates.is_empty() && self.keys.len() == 1 && !used[0] {
            return Err(Fault::Mismatch.into());
        }
        for (key, used) in self.keys.iter().zip(used) {
            if !used {
                entries.push(Loaded::new(None, Some(key.clone()), None));
            }
        }
        entries.extend(self.public_keys.into_iter().map(|key| Loaded::new(None, None, Some(key))));
        Ok(Entries { entries, certificates: self.certificates })
    }
}

/// The entries of one store.
#[derive(Debug, Default)]
pub struct Entries {
    entries: Vec<Loaded>,
    certificates: Vec<Arc<X509>>,
}

/// The hashes a `Thumbprint` may be of.
const THUMBPRINT_DIGITS: [usize; 3] = [32, 40, 64];

impl Entries {
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Certificates that came some other way and may be issuers of what is chosen.
    pub fn add_certificates(&mut self, certificates: Vec<Arc<X509>>) {
        self.certificates.extend(certificates);
    }

    pub fn iter(&self) -> impl Iterator<Item = &Loaded> {
        self.entries.iter()
    }

    /// By subject: the exact one (case and blanks after commas ignored), else one that holds the text, `*` the first. Where several
    /// match, the first with a key is taken. "" selects nothing.
    pub fn select(&self, subject: &str) -> Option<Loaded> {
        if subject == "*" {
            return self.first(|_| true);
        }
        let wanted = name::comparable(subject);
        if wanted.is_empty() {
            return None;
        }
        let subjects: Vec<String> = self.entries.iter().map(|e| name::comparable(e.subject())).collect();
        let at = |test: &dyn Fn(&str) -> bool| {
            let found = |keyed: bool| {
                self.entries
                    .iter()
                    .zip(&subjects)
                    .position(|(e, s)| (e.key.is_some() || !keyed) && e.certificate.is_some() && test(s))
            };
            found(true).or_else(|| found(false))
        };
        let found = at(&|s| s == wanted).or_else(|| at(&|s| s.contains(&wanted)))?;
        Some(self.with_chain(&self.entries[found]))
    }

    /// By one of the three hashes of the certificate; case, colons and blanks are ignored.
    pub fn by_thumbprint(&self, thumbprint: &str) -> Option<Loaded> {
        let wanted: String =
            thumbprint.chars().filter(|c| !c.is_whitespace() && *c != ':').map(|c| c.to_ascii_uppercase()).collect();
        if !THUMBPRINT_DIGITS.contains(&wanted.len()) {
            return None;
        }
        self.first(|e| match wanted.len() {
            32 => e.thumbprint_md5() == wanted,
            40 => e.thumbprint_sha1() == wanted,
            _ => e.thumbprint_sha256() == wanted,
        })
    }

    /// This certificate with its key from the store; the key is missing when the store does not have it.
    pub fn with_key(&self, certificate: Arc<X509>) -> Loaded {
        let key = self.entries.iter().filter_map(|e| e.key.clone()).find(|key| key.belongs_to(&certificate));
        self.with_chain(&Loaded::new(Some(certificate), key, None))
    }

    fn first(&self, test: impl Fn(&Loaded) -> bool) -> Option<Loaded> {
        let keyed = self.entries.iter().find(|e| e.key.is_some() && test(e));
        keyed.or_else(|| self.entries.iter().find(|e| test(e))).map(|e| self.with_chain(e))
    }

    /// With the issuers that the store has, the nearest first.
    fn with_chain(&self, entry: &Loaded) -> Loaded {
        let mut chain: Vec<Arc<X509>> = Vec::new();
        let mut last = entry.certificate.as_deref();
        while let Some(certificate) = last {
            let self_signed = certificate.subject_der() == certificate.issuer_der();
            let issuer = |c: &&Arc<X509>| {
                c.subject_der() == certificate.issuer_der() && !chain.contains(c) && c.der() != certificate.der()
            };
            match self.certificates.iter().find(issuer) {
                Some(issuer) if !self_signed && chain.len() < CHAIN => {
                    chain.push(issuer.clone());
                    last = self.certificates.iter().find(|c| Arc::ptr_eq(c, &chain[chain.len() - 1])).map(|c| &**c);
                }
                _ => break,
            }
        }
        let mut chosen = entry.clone();
        chosen.chain = chain;
        chosen
    }
}
