//! Answers and lists that are still good, for one handle. Only what was verified comes in; lists are verified again at each use,
//! since another certificate's issuer may be another.

use super::Standing;
use super::ocsp::Answer;
use ring::digest::{SHA256, digest};
use std::sync::Arc;

/// Answers that are kept, and for how long at most.
const ANSWERS: usize = 64;
const LONGEST: i64 = 3_600;
/// Lists that are kept, and their bytes together.
const LISTS: usize = 8;
const BYTES: usize = 32 << 20;

#[derive(Default)]
pub(super) struct Cache {
    answers: Vec<Kept>,
    lists: Vec<List>,
}

struct Kept {
    /// SHA-256 of the certificate.
    certificate: Vec<u8>,
    standing: Standing,
    url: String,
    until: i64,
}

struct List {
    url: String,
    der: Arc<[u8]>,
    until: i64,
}

impl Cache {
    pub fn answer(&self, certificate: &[u8], now: i64) -> Option<(Standing, String)> {
        let digest = digest(&SHA256, certificate);
        let found = self.answers.iter().find(|kept| kept.certificate == digest.as_ref() && now <= kept.until)?;
        Some((found.standing, found.url.clone()))
    }

    /// An answer without an end is of now and no later.
    pub fn keep_answer(&mut self, certificate: &[u8], answer: Answer, url: &str, now: i64) {
        let Some(until) = answer.until else { return };
        let certificate = digest(&SHA256, certificate).as_ref().to_vec();
        self.answers.retain(|kept| kept.certificate != certificate && now <= kept.until);
        if self.answers.len() >= ANSWERS {
            self.answers.remove(0);
        }
        let until = until.min(now + LONGEST);
        self.answers.push(Kept { certificate, standing: answer.standing, url: url.to_owned(), until });
    }

    pub fn list(&self, url: &str, now: i64) -> Option<Arc<[u8]>> {
        self.lists.iter().find(|list| list.url == url && now <= list.until).map(|list| Arc::clone(&list.der))
    }

    pub fn keep_list(&mut self, url: &str, der: &Arc<[u8]>, until: i64) {
        self.lists.retain(|list| list.url != url);
        self.lists.push(List { url: url.to_owned(), der: Arc::clone(der), until });
        let bytes = |lists: &[List]| lists.iter().map(|list| list.der.len()).sum::<usize>();
        while self.lists.len() > LISTS || (self.lists.len() > 1 && bytes(&self.lists) > BYTES) {
            self.lists.remove(0);
        }
    }
}
