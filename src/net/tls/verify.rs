//! Verification of a server's certificate: everything that is wrong with it is found first, then flags and pins decide.
//!
//! webpki stops at the first error it meets, so it is run again with that error out of the way: at a time within the
//! dates, without the question of usage, with what the server sent in place of the roots. RFC 5280 §6, RFC 6125.

use super::TlsOptions;
use super::binding;
use super::der::{self, Certificate, SERVER_AUTH};
use super::names::Signatures;
use super::roots::Trust;
use crate::certs::usage::Usage;
use rustls::pki_types::{CertificateDer, ServerName, SignatureVerificationAlgorithm, TrustAnchor, UnixTime};
use std::fmt;
use std::time::Duration;
use webpki::EndEntityCert;

/// What can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    Expired,
    NotYetValid,
    UnknownIssuer,
    Usage,
    Name,
    /// Nobody says whether the server's own certificate was revoked.
    RevocationUnknown,
    /// The same, of an intermediate.
    CaRevocationUnknown,
    Revoked,
    Signature,
    /// A constraint of the chain does not hold: path length, names, a critical extension nobody knows.
    Constraint,
    /// The key or the algorithm is too weak, or one that this provider does not have.
    Weak,
    /// TLS12SignatureAlgorithms or TLS13SignatureAlgorithms leave the certificate's signature out.
    NotAllowed,
    Pin,
    Unreadable,
}

impl Fault {
    /// The bit of SSLSecurityFlags that waives it; 0 when none does.
    pub fn flag(self) -> u32 {
        match self {
            Fault::Expired | Fault::NotYetValid => 0x1,
            Fault::UnknownIssuer => 0x10,
            Fault::Usage => 0x20,
            Fault::RevocationUnknown => 0x100,
            Fault::CaRevocationUnknown => 0x400,
            Fault::Name => 0x8000_0000,
            _ => 0,
        }
    }
}

/// One thing that is wrong, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub fault: Fault,
    pub text: String,
}

impl Failure {
    pub fn new(fault: Fault, text: impl Into<String>) -> Failure {
        Failure { fault, text: text.into() }
    }
}

/// What a full handshake brought.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    pub leaf: CertificateDer<'static>,
    pub others: Vec<CertificateDer<'static>>,
    pub ocsp: Vec<u8>,
    pub now: i64,
}

/// What was found out about it.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub failures: Vec<Failure>,
    /// The verified path, root last.
    pub path: Vec<Vec<u8>>,
    pub root: Option<Vec<u8>>,
    /// The moment from which the dates no longer hold.
    pub until: i64,
}

impl Findings {
    fn add(&mut self, fault: Fault, text: fmt::Arguments<'_>) {
        let failure = Failure::new(fault, text.to_string());
        if !self.failures.contains(&failure) {
            self.failures.push(failure);
        }
    }

    /// What webpki objects to.
    fn add_error(&mut self, error: &webpki::Error) {
        use webpki::Error as E;
        let (fault, text) = match error {
            E::InvalidSignatureForPublicKey | E::SignatureAlgorithmMismatch => {
                (Fault::Signature, "a signature in the certificate chain is wrong")
            }
            E::UnsupportedSignatureAlgorithmContext(_) | E::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => (
                Fault::Weak,
                "the certificate chain is signed with an algorithm or key that is too weak or unknown here",
            ),
            E::CaUsedAsEndEntity => {
                (Fault::Constraint, "the certificate of a certificate authority is used for a server")
            }
            E::EndEntityUsedAsCa => (Fault::Constraint, "a certificate of the chain is no certificate authority's"),
            E::NameConstraintViolation => (Fault::Constraint, "the chain is constrained to other names"),
            E::PathLenConstraintViolated => {
                (Fault::Constraint, "the chain is longer than one of its certificates allows")
            }
            E::UnsupportedCriticalExtension => {
                (Fault::Constraint, "a certificate has a critical extension that is unknown")
            }
            E::MaximumNameConstraintComparisonsExceeded
            | E::MaximumPathBuildCallsExceeded
            | E::MaximumPathDepthExceeded
            | E::MaximumSignatureChecksExceeded => {
                (Fault::Constraint, "the certificate chain is too long or too tangled")
            }
            E::BadDer | E::BadDerTime | E::TrailingData(_) => (Fault::Unreadable, "a certificate cannot be read"),
            other => {
                let text = format_args!("the certificate chain is not in order: {other}");
                return self.add(Fault::Unreadable, text);
            }
        };
        self.add(fault, format_args!("{text}"));
    }

    fn has(&self, fault: Fault) -> bool {
        self.failures.iter().any(|failure| failure.fault == fault)
    }

    /// What no flag waives and no exact pin settles.
    pub(super) fn left(&self, options: &TlsOptions, leaf: &[u8]) -> Vec<&Failure> {
        let pinned = options.accept_cert.as_deref() == Some(leaf);
        let holds = |failure: &&Failure| match failure.fault {
            Fault::Pin => true,
            fault => !pinned && fault.flag() & options.security_flags == 0,
        };
        self.failures.iter().filter(holds).collect()
    }
}

/// "OK", or what is wrong.
pub(super) fn status(failures: &[&Failure]) -> String {
    if failures.is_empty() {
        return "OK".to_owned();
    }
    failures.iter().map(|failure| failure.text.as_str()).collect::<Vec<_>>().join("; ")
}

/// Looks at everything but revocation.
pub(super) fn examine(
    sent: &Sent,
    name: &ServerName<'_>,
    trust: &Trust,
    allowed: Option<&Signatures>,
    options: &TlsOptions,
) -> Findings {
    let mut found = Findings { until: i64::MAX, ..Findings::default() };
    let (leaf, read) = match (EndEntityCert::try_from(&sent.leaf), Certificate::parse(&sent.leaf)) {
        (Ok(leaf), Some(read)) => (leaf, read),
        (outcome, _) => {
            found.add_error(&outcome.err().unwrap_or(webpki::Error::BadDer));
            if !options.spki_pins.is_empty() {
                // No judge may take it then, since no flag and no judge waives a pin.
                found.add(
                    Fault::Pin,
                    format_args!("the server's public key cannot be read, and pinned ones are demanded"),
                );
            }
            return found;
        }
    };
    own(&read, sent.now, &mut found);
    if let Err(error) = leaf.verify_is_valid_for_subject_name(name) {
        found.add(Fault::Name, format_args!("{}", misnamed(&error, &options.server_name)));
    }
    if trust.names(&sent.leaf) {
        found.path = vec![sent.leaf.to_vec()];
    } else {
        chain(sent, &leaf, &read, trust, &mut found);
    }
    if let Some(allowed) = allowed.filter(|allowed| allowed.demanded)
        && !binding::scheme(&read).is_some_and(|scheme| allowed.schemes.contains(&scheme))
    {
        found.add(
            Fault::NotAllowed,
            format_args!("the certificate is signed with an algorithm that is not allowed here"),
        );
    }
    if !options.spki_pins.is_empty() {
        let digest = ring::digest::digest(&ring::digest::SHA256, read.spki);
        if !options.spki_pins.iter().any(|pin| pin == digest.as_ref()) {
            found.add(Fault::Pin, format_args!("the server's public key is none of the pinned ones"));
        }
    }
    found
}

/// What the server's certificate says of itself.
fn own(read: &Certificate<'_>, now: i64, found: &mut Findings) {
    dates(read, now, "the certificate", found);
    if !read.is_for_servers() {
        found.add(Fault::Usage, format_args!("the certificate is not for servers"));
    }
    if let Some(bits) = read.rsa_bits.filter(|bits| *bits < 2_048) {
        found.add(Fault::Weak, format_args!("the server's RSA key has only {bits} bits"));
    }
}

fn dates(read: &Certificate<'_>, now: i64, what: &str, found: &mut Findings) {
    found.until = found.until.min(read.not_after);
    if now > read.not_after {
        found.add(Fault::Expired, format_args!("{what} expired on {}", der::moment(read.not_after)));
    } else if now < read.not_before {
        found.add(Fault::NotYetValid, format_args!("{what} is not valid before {}", der::moment(read.not_before)));
    }
}

fn misnamed(error: &webpki::Error, wanted: &str) -> String {
    match error {
        webpki::Error::CertNotValidForName(context) if !context.presented.is_empty() => {
            let shown: Vec<_> = context.presented.iter().take(8).map(|name| spoken(name)).collect();
            format!("the certificate is for {}, not for {wanted}", shown.join(", "))
        }
        webpki::Error::CertNotValidForName(_) => format!("the certificate names no host, so it is not for {wanted}"),
        error => format!("the certificate's names cannot be compared with {wanted}: {error}"),
    }
}

/// `DnsName("a.example")` as webpki lists it, without the wrapping.
fn spoken(presented: &str) -> String {
    let inner = presented.split_once("(\"").and_then(|(_, rest)| rest.strip_suffix("\")"));
    let inner = inner.or_else(|| presented.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')));
    inner.unwrap_or(presented).chars().take(100).collect()
}

/// Runs the chain until it holds or a fault is met that nothing can be put in place of.
fn chain(sent: &Sent, leaf: &EndEntityCert<'_>, read: &Certificate<'_>, trust: &Trust, found: &mut Findings) {
    use webpki::Error as E;
    let tops = tops(sent);
    let top_anchors: Vec<_> = tops.iter().map(|(anchor, _)| anchor.clone()).collect();
    let moments = moments(sent, read);
    let (mut known, mut usage, mut moment) = (true, true, 0);
    // A signature that a root of the issuer's name did not make: of another key, or damaged.
    let mut stranger = None;
    loop {
        let anchors = if known { &trust.anchors } else { &top_anchors };
        match path(leaf, anchors, &trust.algorithms, &sent.others, moments[moment], usage) {
            Ok((intermediates, anchor)) => {
                let top = anchors.iter().position(|known| std::ptr::eq(known, anchor)).filter(|_| !known);
                let top = top.map(|index| tops[index].1.to_vec());
                for certificate in intermediates.iter().chain(&top) {
                    if let Some(read) = Certificate::parse(certificate) {
                        dates(&read, sent.now, "an intermediate certificate", found);
                    }
                }
                if stranger.is_some() {
                    unknown_issuer(read, trust, found);
                }
                if moment > 0 && !found.has(Fault::Expired) && !found.has(Fault::NotYetValid) {
                    found.add(Fault::Constraint, format_args!("the chain does not hold now"));
                }
                if known {
                    found.root = trust.certificate(anchor).map(|root| root.to_vec());
                    let own = [sent.leaf.to_vec()];
                    found.path = own.into_iter().chain(intermediates).chain(found.root.clone()).collect();
                }
                return;
            }
            Err(E::CertExpired { .. } | E::CertNotValidYet { .. }) if moment + 1 < moments.len() => moment += 1,
            Err(E::CertExpired { .. } | E::CertNotValidYet { .. }) => {
                found.add(
                    Fault::Constraint,
                    format_args!("the certificates of the chain are never valid at the same time"),
                );
                return;
            }
            Err(error) if usage && is_usage(&error) => {
                (usage, moment) = (false, 0);
                if !found.has(Fault::Usage) {
                    found.add(
                        Fault::Usage,
                        format_args!("an intermediate certificate is not for the certificates of servers"),
                    );
                }
            }
            Err(E::UnknownIssuer) if known && !tops.is_empty() => {
                (known, moment) = (false, 0);
                unknown_issuer(read, trust, found);
            }
            // Two authorities may have one name, as many that are called localhost have. Where what was sent holds by itself,
            // the root is just not the issuer.
            Err(error) if known && is_signature(&error) => {
                if read.issuer == read.subject && signed_itself(sent, leaf, read, trust) {
                    unknown_issuer(read, trust, found);
                    return;
                }
                if tops.is_empty() {
                    found.add_error(&error);
                    return;
                }
                (known, moment, stranger) = (false, 0, Some(error));
            }
            // webpki takes no CA's certificate for a server's. One that signed itself is just nobody's: its dates, usage
            // and name were looked at already. For another CA's there is no check of its chain.
            Err(E::CaUsedAsEndEntity) if read.issuer == read.subject => {
                unknown_issuer(read, trust, found);
                return;
            }
            Err(E::UnknownIssuer) => {
                if let Some(error) = stranger {
                    found.add_error(&error);
                } else if known {
                    unknown_issuer(read, trust, found);
                }
                return;
            }
            Err(error) => {
                found.add_error(&stranger.unwrap_or(error));
                return;
            }
        }
    }
}

fn is_signature(error: &webpki::Error) -> bool {
    use webpki::Error as E;
    matches!(error, E::InvalidSignatureForPublicKey | E::UnsupportedSignatureAlgorithmForPublicKeyContext(_))
}

fn signed_itself(sent: &Sent, leaf: &EndEntityCert<'_>, read: &Certificate<'_>, trust: &Trust) -> bool {
    let Ok(anchor) = webpki::anchor_from_trusted_cert(&sent.leaf) else { return false };
    path(leaf, &[anchor], &trust.algorithms, &[], read.not_before, false).is_ok()
}

type Path<'p> = (Vec<Vec<u8>>, &'p TrustAnchor<'p>);

fn path<'p>(
    leaf: &'p EndEntityCert<'p>,
    anchors: &'p [TrustAnchor<'p>],
    algorithms: &[&dyn SignatureVerificationAlgorithm],
    others: &'p [CertificateDer<'p>],
    time: i64,
    usage: bool,
) -> Result<Path<'p>, webpki::Error> {
    let time = UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(time).unwrap_or(0)));
    let usage = if usage { Usage::of(SERVER_AUTH) } else { Usage::any() };
    let verified = leaf.verify_for_usage(algorithms, anchors, others, time, usage, None, None)?;
    let intermediates = verified.intermediate_certificates().map(|certificate| certificate.der().to_vec()).collect();
    Ok((intermediates, verified.anchor()))
}

/// What else the server sent that nothing else it sent stands above.
fn tops(sent: &Sent) -> Vec<(TrustAnchor<'_>, &CertificateDer<'static>)> {
    let read: Vec<_> = sent.others.iter().filter_map(|der| Certificate::parse(der).map(|read| (read, der))).collect();
    let is_top = |certificate: &Certificate<'_>| {
        certificate.issuer == certificate.subject || !read.iter().any(|(above, _)| above.subject == certificate.issuer)
    };
    let tops = read.iter().filter(|(certificate, _)| is_top(certificate));
    tops.filter_map(|(_, der)| webpki::anchor_from_trusted_cert(der).ok().map(|anchor| (anchor, *der))).collect()
}

/// Now, then moments of which one lies within the dates of whatever chain can be made here.
fn moments(sent: &Sent, leaf: &Certificate<'_>) -> Vec<i64> {
    let mut all = vec![sent.now, leaf.not_before, leaf.not_after];
    // A chain is not that long; what is sent beyond is no reason to try for ever.
    for other in sent.others.iter().take(8).filter_map(|der| Certificate::parse(der)) {
        all.push(other.not_before.max(leaf.not_before));
        all.push(other.not_after.min(leaf.not_after));
    }
    let mut seen = Vec::new();
    all.retain(|moment| {
        *moment >= 0 && !seen.contains(moment) && {
            seen.push(*moment);
            true
        }
    });
    all
}

fn is_usage(error: &webpki::Error) -> bool {
    matches!(error, webpki::Error::RequiredEkuNotFoundContext(_) | webpki::Error::EmptyEkuExtension)
}

fn unknown_issuer(read: &Certificate<'_>, trust: &Trust, found: &mut Findings) {
    let text = if read.issuer == read.subject {
        "the certificate is self-signed and not trusted"
    } else if trust.is_empty() {
        "the certificate's issuer is unknown: no root certificates were found on this system"
    } else {
        "the certificate's issuer is unknown"
    };
    found.add(Fault::UnknownIssuer, format_args!("{text}"));
}
