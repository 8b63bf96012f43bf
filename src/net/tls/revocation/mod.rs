//! Whether certificates were revoked: lists (CRL, RFC 5280 §5) and answers (OCSP, RFC 6960), stapled or asked for. SSLCheckCRL and
//! SSLCheckOCSP: 0 never asks, 1 asks where the certificate says whom, 2 wants an answer for the server's own certificate
//! in any case.
//!
//! An answer counts only when its signature, its issuer, its dates, the authority of who gave it and the nonce hold. What cannot
//! be learnt is a failure of its own, which SSLSecurityFlags may waive: 0x100 for the server's certificate, 0x400 for an
//! intermediate's. "Revoked" nothing waives but the exact pin of that certificate.

mod cache;
mod crl;
mod fetch;
mod ocsp;
mod pointers;
mod signed;

pub use fetch::Dialer;

use self::cache::Cache;
use self::fetch::{Request, fetch};
use self::pointers::Pointers;
use super::Presented;
use super::decide::now;
use super::verify::{Failure, Fault};
use crate::certs::x509::X509;
use crate::error::{Code, Result};
use crate::net::Clock;
use parking_lot::Mutex;
use std::borrow::Cow;

/// Addresses of one certificate that are tried.
const ADDRESSES: usize = 4;
/// Certificates of a chain that are looked at.
const DEPTH: usize = 8;
/// Clocks of two hosts may differ by so many seconds.
const SKEW: i64 = 300;

/// What is asked of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Levels {
    /// SSLCheckCRL.
    pub crl: u8,
    /// SSLCheckOCSP.
    pub ocsp: u8,
}

/// What one look at a certificate came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Good,
    Revoked,
}

/// Why an answer or a list does not count.
type Why = Cow<'static, str>;

/// The checks of one handle, and the answers that are still good.
#[derive(Default)]
pub struct Revocation {
    cache: Mutex<Cache>,
}

/// One certificate and its issuer.
struct Pair<'a> {
    certificate: &'a X509,
    issuer: &'a X509,
    pointers: Pointers,
    /// 0 for the server's own.
    index: usize,
}

impl Pair<'_> {
    fn name(&self) -> String {
        let kind = if self.index == 0 { "the certificate" } else { "the intermediate certificate" };
        format!("{kind} {:?}", self.certificate.subject)
    }

    fn unknown(&self, why: &str) -> Failure {
        let fault = if self.index == 0 { Fault::RevocationUnknown } else { Fault::CaRevocationUnknown };
        Failure::new(fault, format!("nobody says whether {} was revoked: {why}", self.name()))
    }
}

impl Revocation {
    /// Looks at every certificate of the path but the root. Errors are those of the operation: interrupted, out of time.
    pub fn check(
        &self,
        levels: Levels,
        presented: &Presented<'_>,
        dialer: &mut dyn Dialer,
        clock: &Clock,
    ) -> Result<Vec<Failure>> {
        let mut failures = Vec::new();
        if levels == Levels::default() {
            return Ok(failures);
        }
        let path: Vec<X509> = path(presented).iter().filter_map(|der| X509::from_der(der).ok()).collect();
        let Some(leaf) = path.first() else {
            failures.push(Failure::new(
                Fault::RevocationUnknown,
                "nobody can say whether the certificate was revoked: it cannot be read",
            ));
            return Ok(failures);
        };
        if path.len() == 1 && leaf.issuer_der() != leaf.subject_der() && !presented.path.is_empty() {
            // Trusted as it is: there is no issuer to say anything of it, and none is needed.
            return Ok(failures);
        }
        for (index, certificate) in path.iter().enumerate().take(DEPTH) {
            let Some(issuer) = path.get(index + 1).or((index == 0).then_some(leaf)) else { break };
            let pair = Pair { certificate, issuer, pointers: Pointers::of(certificate.der()), index };
            if issuer.subject_der() != certificate.issuer_der() {
                failures.push(pair.unknown("its issuer is not known"));
                break;
            }
            if levels.ocsp > 0 {
                let stapled = if index == 0 { presented.ocsp } else { &[] };
                self.by_ocsp(&pair, stapled, levels.ocsp, dialer, clock, &mut failures)?;
            }
            if levels.crl > 0 {
                self.by_list(&pair, levels.crl, dialer, clock, &mut failures)?;
            }
        }
        Ok(failures)
    }

    /// By a stapled answer that holds, else by one that is kept, else by asking.
    fn by_ocsp(
        &self,
        pair: &Pair<'_>,
        stapled: &[u8],
        level: u8,
        dialer: &mut dyn Dialer,
        clock: &Clock,
        failures: &mut Vec<Failure>,
    ) -> Result<()> {
        let now = now();
        let mut why = Vec::new();
        let mut standing = None;
        if !stapled.is_empty() {
            match ocsp::read(stapled, pair.certificate, pair.issuer, None, now) {
                Ok(answer) => standing = Some((answer.standing, "the answer that the server stapled".to_owned())),
                Err(error) => why.push(format!("the answer that the server stapled: {error}")),
            }
        }
        let kept = || self.cache.lock().answer(pair.certificate.der(), now);
        standing = standing.or_else(kept);
        for url in pair.pointers.ocsp.iter().take(ADDRESSES) {
            if standing.is_some() {
                break;
            }
            let request = ocsp::Request::new(pair.certificate, pair.issuer);
            match fetch(&Request::post(url, "application/ocsp-request", &request.der, ocsp::LARGEST), dialer, clock) {
                Ok(answer) => match ocsp::read(&answer, pair.certificate, pair.issuer, Some(&request.nonce), now) {
                    Ok(answer) => {
                        standing = Some((answer.standing, url.clone()));
                        self.cache.lock().keep_answer(pair.certificate.der(), answer, url, now);
                    }
                    Err(error) => why.push(format!("{url}: {error}")),
                },
                Err(error) if is_ours(error.code) => return Err(error),
                Err(error) => why.push(format!("{url}: {}", error.message)),
            }
        }
        match standing {
            Some((Standing::Good, _)) => {}
            Some((Standing::Revoked, whence)) => {
                failures
                    .push(Failure::new(Fault::Revoked, format!("{} was revoked, says {whence} (OCSP)", pair.name())));
            }
            None if !why.is_empty() => failures.push(pair.unknown(&format!("OCSP: {}", why.join("; ")))),
            None if level >= 2 && pair.index == 0 => {
                failures
                    .push(pair.unknown("it names no OCSP responder that speaks http, and SSLCheckOCSP=2 wants one"));
            }
            None => {}
        }
        Ok(())
    }

    /// By the lists of its distribution points, each of which has to hold.
    fn by_list(
        &self,
        pair: &Pair<'_>,
        level: u8,
        dialer: &mut dyn Dialer,
        clock: &Clock,
        failures: &mut Vec<Failure>,
    ) -> Result<()> {
        let now = now();
        let mut why = Vec::new();
        for url in pair.pointers.lists.iter().take(ADDRESSES) {
            let kept = self.cache.lock().list(url, now);
            let list = match kept {
                Some(list) => list,
                None => match fetch(&Request::get(url, crl::LARGEST), dialer, clock) {
                    Ok(answer) => crl::plain(answer).into(),
                    Err(error) if is_ours(error.code) => return Err(error),
                    Err(error) => {
                        why.push(format!("{url}: {}", error.message));
                        continue;
                    }
                },
            };
            match crl::read(&list, pair.certificate, pair.issuer, &pair.pointers.lists, now) {
                Ok(answer) => {
                    self.cache.lock().keep_list(url, &list, answer.next);
                    if answer.standing == Standing::Revoked {
                        let text = format!("{} was revoked, says {url} (CRL)", pair.name());
                        failures.push(Failure::new(Fault::Revoked, text));
                    }
                    return Ok(());
                }
                Err(error) => why.push(format!("{url}: {error}")),
            }
        }
        if !why.is_empty() {
            failures.push(pair.unknown(&format!("CRL: {}", why.join("; "))));
        } else if level >= 2 && pair.index == 0 {
            failures.push(pair.unknown("it names no revocation list that http gives, and SSLCheckCRL=2 wants one"));
        }
        Ok(())
    }

    /// Forgets every answer.
    pub fn forget(&self) {
        *self.cache.lock() = Cache::default();
    }
}

/// The path that was verified, else what the server sent as far as each certificate names the next as its issuer.
fn path<'a>(presented: &Presented<'a>) -> &'a [Vec<u8>] {
    if presented.path.is_empty() { presented.chain } else { presented.path }
}

/// Errors of the operation itself, not of the one who was asked.
fn is_ours(code: Code) -> bool {
    matches!(code, Code::Interrupted)
}
