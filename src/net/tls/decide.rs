//! From what a server presented to the word on it: examined, looked up for revocation, waived, pinned, judged. Every provider
//! decides here, so that all of them decide alike.

use super::names::Signatures;
use super::revocation::Levels;
use super::roots::Trust;
use super::stream::last_word;
use super::verify::{self, Failure, Fault, Sent};
use super::{Judge, Presented, Question, TlsOptions};
use crate::error::{Code, Error, Result};
use crate::net::resolve::literal;
use crate::net::{Clock, Stream, ascii_host};
use rustls::pki_types::ServerName;
use std::io::IoSlice;
use std::time::{SystemTime, UNIX_EPOCH};

// Alerts, RFC 8446 §6.
pub(super) const HANDSHAKE_FAILURE: u8 = 40;
const BAD_CERTIFICATE: u8 = 42;
const USER_CANCELED: u8 = 90;

/// A session carries on what was found out about revocation for so many seconds.
const ANSWER: i64 = 3_600;

/// A server that may be talked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Accepted {
    /// The moment from which its certificates, or what is known of them, are out of date; `None` where the judge overruled
    /// what was found, which no session may carry on.
    pub until: Option<i64>,
}

/// Examines, applies flags and pins, asks the judge. The error comes with the alert that tells the server.
pub(super) fn decide(
    sent: &Sent,
    name: &ServerName<'_>,
    trust: &Trust,
    allowed: Option<&Signatures>,
    options: &TlsOptions,
    clock: &Clock,
    judge: &mut dyn Judge,
) -> std::result::Result<Accepted, (u8, Error)> {
    let stopped = |error| (USER_CANCELED, error);
    let mut found = verify::examine(sent, name, trust, allowed, options);
    let own = [&sent.leaf].into_iter().chain(&sent.others).map(|der| der.to_vec());
    let chain: Vec<Vec<u8>> = own.chain(found.root.clone().filter(|root| !sent.has(root))).collect();
    let checked = options.revocation != Levels::default();
    if checked && found.path.is_empty() && !found.left(options, &sent.leaf).is_empty() {
        // What a certificate that nobody vouches for names is anybody's address, and nothing is fetched from there.
        let why = "whether it was revoked was not asked, since its chain does not hold";
        found.failures.push(Failure::new(Fault::RevocationUnknown, why));
    } else {
        let presented = Presented { chain: &chain, path: &found.path, ocsp: &sent.ocsp };
        found.failures.extend(judge.revocation(&presented, clock).map_err(stopped)?);
    }
    let left = found.left(options, &sent.leaf);
    let status = verify::status(&left);
    let accept = left.is_empty();
    let pinned_out = left.iter().any(|failure| failure.fault == Fault::Pin);
    let question = Question { leaf: &sent.leaf, chain: &chain, status: &status, accept, failures: &found.failures };
    let accepted = judge.judge(&question).map_err(stopped)? && !pinned_out;
    if !accepted {
        let why = if accept { "it was not accepted by the application".to_owned() } else { status.clone() };
        let alert = left.first().map_or(BAD_CERTIFICATE, |failure| alert(failure.fault));
        return Err((alert, refused(&options.label(), &why)));
    }
    clock.check().map_err(stopped)?;
    judge.tell(format_args!("server certificate accepted, verification: {status}")).map_err(stopped)?;
    // Dates that a flag waives end no session; an answer about revocation is old after an hour.
    let waived = options.security_flags & Fault::Expired.flag() != 0;
    let dates = if waived { i64::MAX } else { found.until };
    let until = if checked { dates.min(sent.now.saturating_add(ANSWER)) } else { dates };
    Ok(Accepted { until: accept.then_some(until) })
}

impl Sent {
    fn has(&self, certificate: &[u8]) -> bool {
        self.leaf.as_ref() == certificate || self.others.iter().any(|other| other.as_ref() == certificate)
    }
}

/// A fatal alert in the clear: right below TLS 1.3, and in it as much as can be said without sending anything else.
pub(super) fn say(stream: &mut dyn Stream, alert: u8) {
    let _ = stream.write_all(&mut [IoSlice::new(&[21, 3, 3, 0, 2, 2, alert])], &last_word());
}

pub(super) fn refused(label: &str, why: &str) -> Error {
    Error::new(Code::CertVerify, format!("the certificate of {label} was refused: {why}"))
}

fn alert(fault: Fault) -> u8 {
    match fault {
        Fault::Expired | Fault::NotYetValid => 45,
        Fault::UnknownIssuer => 48,
        Fault::Revoked => 44,
        Fault::Weak | Fault::NotAllowed => 43,
        _ => BAD_CERTIFICATE,
    }
}

/// The time of the system, in seconds since 1970.
pub(super) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// The name that a certificate must be for.
pub(super) fn server_name(host: &str) -> Result<ServerName<'static>> {
    if let Some(address) = literal(host) {
        return Ok(ServerName::IpAddress(address.into()));
    }
    let name = ascii_host(host)?;
    let unfit = || Error::new(Code::HostNotFound, format!("{host:?} is no name that a certificate can have"));
    ServerName::try_from(name.trim_end_matches('.').to_owned()).map_err(|_| unfit())
}
