//! The chain from a signer to a root (RFC 5280 §6, RFC 8550): webpki does the walking; what is asked of the signer is a certificate for
//! mail that may sign.

use crate::certs::usage::Usage;
use crate::certs::x509::X509;
use rustls::pki_types::{CertificateDer, UnixTime};
use std::sync::Arc;
use std::time::Duration;
use webpki::{EndEntityCert, anchor_from_trusted_cert};

/// id-kp-emailProtection.
const EMAIL: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 4];
/// digitalSignature and nonRepudiation, as `X509::usage_flags` has them.
pub const SIGNS: i32 = 0x80 | 0x40;

/// Whether a chain leads from the signer to one of the roots; if not, why.
pub fn check(signer: &X509, known: &[&X509], roots: &[Arc<X509>], time: i64) -> Result<(), String> {
    if signer.usage_flags != 0 && signer.usage_flags & SIGNS == 0 {
        return Err("the signer's certificate is not for signatures".into());
    }
    if time < signer.not_before || time > signer.not_after {
        return Err("the signer's certificate was not valid at that time".into());
    }
    // Somebody chose this very certificate.
    if roots.iter().any(|root| root.der() == signer.der()) {
        return Ok(());
    }
    let whole: Vec<CertificateDer<'_>> = roots.iter().map(|root| CertificateDer::from(root.der())).collect();
    let anchors: Vec<_> = whole.iter().filter_map(|root| anchor_from_trusted_cert(root).ok()).collect();
    let between: Vec<CertificateDer<'_>> = known.iter().map(|c| CertificateDer::from(c.der())).collect();
    let leaf = CertificateDer::from(signer.der());
    let leaf =
        EndEntityCert::try_from(&leaf).map_err(|e| format!("the signer's certificate cannot be checked: {e}"))?;
    let time = UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(time).unwrap_or(0)));
    let usage = Usage::of(EMAIL);
    match leaf.verify_for_usage(webpki::ALL_VERIFICATION_ALGS, &anchors, &between, time, usage, None, None) {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("no chain leads to a trusted root: {error}")),
    }
}
