//! A received message, as far as S/MIME needs it taken apart: RFC 2045, RFC 1847 section 2.1, RFC 8551 section 3. What it holds is
//! the sender's: nothing here trusts a length, and every step looks at the octets once.

use super::decrypt::is_enveloped;
use crate::error::{Code, Error, Result};
use crate::message::encode::LineEnds;
use crate::message::headers;
use base64_simd::STANDARD;
use std::borrow::Cow;

/// Names and values of header fields.
type Fields = Vec<(String, String)>;

/// What a message is.
#[derive(Debug, PartialEq, Eq)]
pub enum Received {
    /// Encrypted: EnvelopedData or AuthEnvelopedData.
    Enveloped(Vec<u8>),
    /// Signed, with the content inside: SignedData.
    Signed(Vec<u8>),
    /// Signed: the content as it was signed, and the SignedData beside it.
    Detached { content: Vec<u8>, signature: Vec<u8> },
}

/// Takes a message with its header apart, an entity, or the bare CMS in DER. 284 when it is neither signed nor encrypted.
pub fn read(message: &[u8]) -> Result<Received> {
    if message.first() == Some(&0x30) {
        return Ok(of_kind(message.to_vec()));
    }
    let (fields, body) = split(message)?;
    let kind = value(&fields, "Content-Type").unwrap_or_default();
    let name = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match name.as_str() {
        "multipart/signed" => detached(message, &kind),
        "application/pkcs7-mime" | "application/x-pkcs7-mime" => Ok(of_kind(decoded(&fields, body)?)),
        // What some gateways make of it (RFC 8551 section 3.9).
        "application/octet-stream" if is_p7m(&fields, &kind) => Ok(of_kind(decoded(&fields, body)?)),
        "" => Err(refused("the message is neither signed nor encrypted: it has no Content-Type")),
        other => Err(refused(&format!("the message is neither signed nor encrypted: it is {other}"))),
    }
}

fn refused(why: &str) -> Error {
    Error::new(Code::Decrypt, why)
}

fn of_kind(cms: Vec<u8>) -> Received {
    if is_enveloped(&cms) { Received::Enveloped(cms) } else { Received::Signed(cms) }
}

fn is_p7m(fields: &[(String, String)], kind: &str) -> bool {
    let disposition = value(fields, "Content-Disposition").unwrap_or_default();
    let names = [headers::parameter(kind, "name"), headers::parameter(&disposition, "filename")];
    names.into_iter().flatten().any(|name| name.to_ascii_lowercase().ends_with(".p7m"))
}

fn value(fields: &[(String, String)], name: &str) -> Option<String> {
    fields.iter().find(|(found, _)| found.trim_end().eq_ignore_ascii_case(name)).map(|(_, value)| value.clone())
}

/// The header fields and the body as it stands; line ends may be any.
fn split(entity: &[u8]) -> Result<(Fields, &[u8])> {
    let (section, body) = crate::message::complete::split(entity);
    let fields = headers::list(&canonical(section));
    if fields.is_empty() {
        return Err(refused("the message has no header"));
    }
    Ok((fields, body))
}

fn canonical(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    LineEnds::default().push(text, &mut out);
    out
}

/// The octets of a part, out of its transfer encoding.
fn decoded(fields: &[(String, String)], body: &[u8]) -> Result<Vec<u8>> {
    let encoding = value(fields, "Content-Transfer-Encoding").unwrap_or_default();
    match encoding.split([' ', '\t', ';', '(']).next().unwrap_or_default().to_ascii_lowercase().as_str() {
        "base64" => {
            let mut text = body.to_vec();
            text.retain(|b| !b.is_ascii_whitespace());
            STANDARD.decode_to_vec(text).map_err(|_| refused("the message is damaged: its Base64 is none"))
        }
        "" | "7bit" | "8bit" | "binary" => Ok(body.to_vec()),
        other => Err(refused(&format!("a transfer encoding that is not supported: {other}"))),
    }
}

/// The two parts of multipart/signed. The content is taken as it is between its boundaries, with CRLF line ends.
fn detached(message: &[u8], kind: &str) -> Result<Received> {
    let boundary =
        headers::whole_parameter(kind, "boundary").ok_or_else(|| refused("multipart/signed has no boundary"))?;
    let message: Cow<'_, [u8]> = Cow::Owned(canonical(message));
    let (_, body) = crate::message::complete::split(&message);
    let parts = parts(body, &boundary);
    let [content, signature] = parts.as_slice() else {
        return Err(refused("multipart/signed does not have two parts"));
    };
    let (fields, body) = split(signature)?;
    Ok(Received::Detached { content: content.to_vec(), signature: decoded(&fields, body)? })
}

/// More parts than a signed message has.
const MOST_PARTS: usize = 3;

/// What stands between the lines of a boundary; the CRLF before each belongs to it (RFC 2046 section 5.1.1).
fn parts<'a>(body: &'a [u8], boundary: &str) -> Vec<&'a [u8]> {
    let delimiter = format!("--{boundary}");
    let (mut parts, mut start, mut at) = (Vec::new(), None, 0);
    for line in body.split_inclusive(|b| *b == b'\n') {
        let rest = line.strip_prefix(delimiter.as_bytes()).map(<[u8]>::trim_ascii_end);
        if let Some(rest @ (b"" | b"--")) = rest {
            if let Some(start) = start.take() {
                parts.push(body.get(start..at.max(start + 2) - 2).unwrap_or_default());
            }
            if rest == b"--" || parts.len() == MOST_PARTS {
                return parts;
            }
            start = Some(at + line.len());
        }
        at += line.len();
    }
    // The last boundary is missing: a message that was cut off.
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGNED: &str = "Subject: x\nContent-Type: multipart/signed; boundary=\"a b\"\n\npreamble\n--a b\nX: y\n\ntext\n\n--a b \nContent-Type: application/pkcs7-signature\nContent-Transfer-Encoding: base64\n\nMDAw\nMDAw\n--a b--\n";

    #[test]
    fn a_signed_message_gives_what_was_signed_with_crlf() {
        let found = read(SIGNED.as_bytes()).unwrap();
        let content = b"X: y\r\n\r\ntext\r\n".to_vec();
        assert_eq!(found, Received::Detached { content, signature: b"000000".to_vec() });
        assert_eq!(read(SIGNED.replace('\n', "\r\n").as_bytes()).unwrap(), found);
    }

    #[test]
    fn what_is_no_signed_message_is_refused() {
        for bad in [
            "",
            "text",
            "A: b\n\ntext",
            "Content-Type: text/plain\n\nx",
            "Content-Type: multipart/signed\n\nx",
            "Content-Type: multipart/signed; boundary=b\n\n--b\n--b\n",
            "Content-Type: application/pkcs7-mime\nContent-Transfer-Encoding: base64\n\n!!!!",
            "Content-Type: application/pkcs7-mime\nContent-Transfer-Encoding: x-uuencode\n\nM",
            &SIGNED.replace("--a b--", ""),
            &SIGNED.replace("MDAw", "?"),
        ] {
            assert_eq!(read(bad.as_bytes()).unwrap_err().code, Code::Decrypt, "{bad}");
        }
    }

    #[test]
    fn a_gateway_may_have_changed_the_type() {
        let message =
            "Content-Type: application/octet-stream; name=\"SMIME.P7M\"\nContent-Transfer-Encoding: base64\n\nMDAw";
        assert_eq!(read(message.as_bytes()).unwrap(), Received::Signed(b"000".to_vec()));
    }

    proptest::proptest! {
        #[test]
        fn any_octets_are_read_or_refused(
            at in 0..SIGNED.len(),
            octets in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..40),
        ) {
            let mut message = SIGNED.as_bytes().to_vec();
            message.splice(at..(at + octets.len() / 2).min(SIGNED.len()), octets.iter().copied());
            let _ = read(&message);
            let _ = read(&octets);
        }
    }
}
