//! What a failed handshake, or a connection that breaks later, says to people.

use crate::error::{Code, Error};
use rustls::{AlertDescription, CertificateError, PeerIncompatible, PeerMisbehaved};

/// Error 276.
#[cold]
pub(super) fn failed(label: &str, why: &str) -> Error {
    Error::new(Code::Handshake, format!("the TLS handshake with {label} failed: {why}"))
}

/// Error 1120, of a connection that was secured before.
#[cold]
pub(super) fn broke(label: &str, why: &str) -> Error {
    Error::new(Code::ConnectionDropped, format!("the TLS connection to {label} broke: {why}"))
}

/// Error 276, of a handshake.
pub(super) fn handshake(error: &rustls::Error, label: &str) -> Error {
    failed(label, &reason(error))
}

/// Of a connection that was secured before: 276 where the server only now says that it wants no such client (TLS 1.3
/// clients finish first), else 1120.
pub(super) fn later(error: &rustls::Error, label: &str) -> Error {
    use AlertDescription as A;
    match error {
        rustls::Error::AlertReceived(
            A::CertificateRequired
            | A::NoCertificate
            | A::BadCertificate
            | A::UnsupportedCertificate
            | A::CertificateRevoked
            | A::CertificateExpired
            | A::CertificateUnknown
            | A::UnknownCA
            | A::AccessDenied
            | A::HandshakeFailure
            | A::DecryptError,
        ) => handshake(error, label),
        error => broke(label, &reason(error)),
    }
}

fn reason(error: &rustls::Error) -> String {
    use rustls::Error as E;
    match error {
        E::AlertReceived(alert) => format!("the server refused with the alert {}", alert_name(*alert)),
        E::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13 | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
        ) => "the server chose a protocol version that is not enabled".to_owned(),
        E::PeerMisbehaved(PeerMisbehaved::AttemptedDowngradeToTls12WhenTls13IsSupported) => {
            "somebody between made the server use an older version than both sides have".to_owned()
        }
        E::PeerMisbehaved(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme) => {
            "the server signed with an algorithm that is not allowed here".to_owned()
        }
        E::PeerMisbehaved(what) => format!("the server broke the protocol ({what:?})"),
        E::PeerIncompatible(what) => format!("client and server have nothing in common ({what:?})"),
        E::InvalidMessage(what) => format!("the server's data is not in order ({what:?})"),
        E::InvalidCertificate(CertificateError::BadSignature) => "the server's signature is wrong".to_owned(),
        E::DecryptError => "a record cannot be decrypted".to_owned(),
        other => other.to_string(),
    }
}

/// `handshake_failure`, as the RFCs write it.
pub(super) fn alert_name(alert: AlertDescription) -> String {
    if let AlertDescription::Unknown(number) = alert {
        return number.to_string();
    }
    let mut name = String::new();
    let mut lower = false;
    for c in format!("{alert:?}").chars() {
        if c.is_ascii_uppercase() && lower {
            name.push('_');
        }
        lower = c.is_ascii_lowercase();
        name.push(c.to_ascii_lowercase());
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alerts_are_named_as_the_rfcs_do() {
        assert_eq!(alert_name(AlertDescription::HandshakeFailure), "handshake_failure");
        assert_eq!(alert_name(AlertDescription::UnknownCA), "unknown_ca");
        assert_eq!(alert_name(AlertDescription::Unknown(200)), "200");
    }

    #[test]
    fn only_a_late_word_on_the_client_is_a_failed_handshake() {
        let code = |alert| later(&rustls::Error::AlertReceived(alert), "a:25").code;
        assert_eq!(code(AlertDescription::CertificateRequired), Code::Handshake);
        assert_eq!(code(AlertDescription::InternalError), Code::ConnectionDropped);
    }
}
