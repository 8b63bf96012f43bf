//! What the library's reasons say to people.

use super::foreign::Reason;
use crate::error::Error;
use crate::net::tls::fault::{alert_name, broke, failed};
use rustls::AlertDescription;

/// Alerts that a server sends are numbers from here on.
const ALERTS: u32 = 1000;

// Reasons of libssl.
const UNSUPPORTED_PROTOCOL: u32 = 258;
const WRONG_VERSION: u32 = 267;
const LEGACY_RENEGOTIATION: u32 = 338;
const WRONG_SIGNATURE_TYPE: u32 = 370;
const DOWNGRADE: u32 = 373;
const DH_TOO_SMALL: u32 = 394;
const BAD_SIGNATURE: u32 = 123;
const BAD_RECORD: u32 = 281;

/// Error 276, of a handshake.
pub(super) fn handshake(reason: &Reason, label: &str) -> Error {
    failed(label, &words(reason))
}

/// Of a connection that was secured before: 276 where the server only now says that it wants no such client (TLS 1.3
/// clients finish first), else 1120.
pub(super) fn later(reason: &Reason, label: &str) -> Error {
    // handshake_failure, those about certificates, access_denied, decrypt_error, certificate_required.
    const REFUSALS: [u8; 11] = [40, 41, 42, 43, 44, 45, 46, 48, 49, 51, 116];
    match alert(reason) {
        Some(alert) if REFUSALS.contains(&alert) => handshake(reason, label),
        _ => broke(label, &words(reason)),
    }
}

fn alert(reason: &Reason) -> Option<u8> {
    u8::try_from(reason.number.checked_sub(ALERTS)?).ok()
}

fn words(reason: &Reason) -> String {
    if let Some(alert) = alert(reason) {
        return format!("the server refused with the alert {}", alert_name(AlertDescription::from(alert)));
    }
    match reason.number {
        UNSUPPORTED_PROTOCOL | WRONG_VERSION => "the server chose a protocol version that is not enabled".to_owned(),
        DOWNGRADE => "somebody between made the server use an older version than both sides have".to_owned(),
        WRONG_SIGNATURE_TYPE => "the server signed with an algorithm that is not allowed here".to_owned(),
        DH_TOO_SMALL => "the server's Diffie-Hellman parameters are too small".to_owned(),
        LEGACY_RENEGOTIATION => "the server does not know secure renegotiation (RFC 5746)".to_owned(),
        BAD_SIGNATURE => "the server's signature is wrong".to_owned(),
        BAD_RECORD => "a record cannot be decrypted".to_owned(),
        _ => reason.text.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    #[test]
    fn only_a_late_word_on_the_client_is_a_failed_handshake() {
        let code = |alert: u32| later(&Reason { number: ALERTS + alert, text: String::new() }, "a:25").code;
        assert_eq!(code(116), Code::Handshake);
        assert_eq!(code(80), Code::ConnectionDropped);
        let named = handshake(&Reason { number: ALERTS + 40, text: String::new() }, "a:25");
        assert!(named.message.ends_with("alert handshake_failure"), "{named}");
    }
}
