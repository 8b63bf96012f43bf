//! A received message, as far as S/MIME needs it taken apart: RFC 2045, RFC 1847 section 2.1, RFC 8551 section 3. What it holds is
//! the sender's: nothing here trusts a length, and every step looks at the octets once.

use super::asn1::{AUTH_ENVELOPED_DATA, COMPRESSED_DATA, ENVELOPED_DATA, SIGNED_DATA};
use super::verify::kind_of;
use crate::certs::der;
use crate::error::{Code, Error, Result};
use crate::message::encode::LineEnds;
use crate::message::headers;
use base64_simd::STANDARD;

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
        return of_kind(message.to_vec());
    }
    let (fields, body) = split(message)?;
    let kind = value(&fields, "Content-Type").unwrap_or_default();
    let name = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match name.as_str() {
        "multipart/signed" => detached(message, &kind),
        "application/pkcs7-mime" | "application/x-pkcs7-mime" => of_kind(decoded(&fields, body)?),
        // What some gateways make of it (RFC 8551 section 3.9).
        "application/octet-stream" if is_p7m(&fields, &kind) => of_kind(decoded(&fields, body)?),
        "" => Err(refused("the message is neither signed nor encrypted: it has no Content-Type")),
        other => Err(refused(&format!("the message is neither signed nor encrypted: it is {other}"))),
    }
}

fn refused(why: &str) -> Error {
    Error::new(Code::Decrypt, why)
}

/// `smime-type` is only a hint (RFC 8551 section 3.2.2): the CMS itself says what it is.
fn of_kind(cms: Vec<u8>) -> Result<Received> {
    match kind_of(&cms) {
        Some(SIGNED_DATA) => Ok(Received::Signed(cms)),
        Some(ENVELOPED_DATA | AUTH_ENVELOPED_DATA) => Ok(Received::Enveloped(cms)),
        Some(COMPRESSED_DATA) => Err(refused("the message is compressed, which is not supported")),
        Some(other) => {
            Err(refused(&format!("the message is neither signed nor encrypted: it is {}", der::dotted(other))))
        }
        None => Err(refused("the message is damaged: it does not begin as CMS does")),
    }
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

/// The first word of a value, without regard to case.
fn word(value: &str) -> String {
    value.split([' ', '\t', ';', '(']).next().unwrap_or_default().to_ascii_lowercase()
}

/// The octets of a part, out of its transfer encoding.
fn decoded(fields: &[(String, String)], body: &[u8]) -> Result<Vec<u8>> {
    let encoding = value(fields, "Content-Transfer-Encoding").unwrap_or_default();
    match word(&encoding).as_str() {
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
    let text = canonical(message);
    let two = |message: &[u8]| {
        let found = parts(crate::message::complete::split(message).1, &boundary);
        let [content, signature] = found.as_slice() else {
            return Err(refused("multipart/signed does not have two parts"));
        };
        Ok((content.to_vec(), signature.to_vec()))
    };
    let (content, mut signature) = two(&text)?;
    let encoding = value(&split(&signature)?.0, "Content-Transfer-Encoding").unwrap_or_default();
    if word(&encoding) == "binary" {
        // Octets that are no text have no line ends to be repaired.
        signature = two(message)?.1;
    }
    let (fields, body) = split(&signature)?;
    Ok(Received::Detached { content, signature: decoded(&fields, body)? })
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
        let cms = der::wrap(der::SEQUENCE, &[&der::wrap(der::OID, &[SIGNED_DATA])]);
        let message = |name: &str| {
            let text = STANDARD.encode_to_string(&cms);
            format!(
                "Content-Type: application/octet-stream; name={name}\nContent-Transfer-Encoding: base64\n\n{text}\n"
            )
        };
        assert_eq!(read(message("\"SMIME.P7M\"").as_bytes()).unwrap(), Received::Signed(cms.clone()));
        assert!(read(message("a.bin").as_bytes()).is_err());
    }

    #[test]
    fn what_a_message_is_the_cms_says_and_no_parameter() {
        let head =
            "Content-Type: application/pkcs7-mime; smime-type=enveloped-data\nContent-Transfer-Encoding: base64\n\n";
        let of = |cms: &[u8]| read([head.as_bytes(), STANDARD.encode_to_string(cms).as_bytes()].concat().as_slice());
        let cms = |kind: &[u8]| der::wrap(der::SEQUENCE, &[&der::wrap(der::OID, &[kind])]);
        assert_eq!(of(&cms(SIGNED_DATA)).unwrap(), Received::Signed(cms(SIGNED_DATA)));
        for kind in [ENVELOPED_DATA, AUTH_ENVELOPED_DATA] {
            assert_eq!(of(&cms(kind)).unwrap(), Received::Enveloped(cms(kind)));
        }
        assert!(of(&cms(COMPRESSED_DATA)).unwrap_err().message.contains("compressed"));
        assert!(of(&cms(&[0x2a, 3])).unwrap_err().message.contains("1.2.3"));
        assert!(of(b"000").unwrap_err().message.contains("damaged"));
    }

    #[test]
    fn a_signature_that_came_as_octets_is_left_as_it_is() {
        let signature = b"0\n1\r2\r\n\n3\0";
        let head = "Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n--b\r\nContent-Transfer-Encoding: Binary\r\n\r\n";
        let message = [head.as_bytes(), signature, b"\r\n--b--\r\n"].concat();
        let wanted = Received::Detached { content: b"\r\ntext".to_vec(), signature: signature.to_vec() };
        assert_eq!(read(&message).unwrap(), wanted);
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
