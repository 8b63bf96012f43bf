//! XML as XML-DSig writes keys (RFC 3275 §4.4): RSAKeyValue, with the private numbers that .NET adds, and X509Certificate. Elements are
//! found by their local names; a document type (and with it every entity) is refused.

use super::{ENTRIES, Format, start};
use crate::certs::contents::Contents;
use crate::certs::fault::{Read, broken, unsupported};
use crate::certs::pem;
use crate::certs::spki::PublicKey;
use memchr::memmem;
use zeroize::Zeroizing;

pub struct Xml;

/// Tags in one document.
const TAGS: usize = 200_000;

impl Format for Xml {
    fn name(&self) -> &'static str {
        "XML"
    }

    fn recognises(&self, bytes: &[u8]) -> bool {
        start(bytes).starts_with(b"<")
    }

    fn read(&self, bytes: &[u8], _password: &str) -> Read<Contents> {
        let Ok(text) = std::str::from_utf8(start(bytes)) else { return broken("it is no UTF-8") };
        let mut found = Contents::default();
        let mut numbers: Option<Vec<(&str, &str)>> = None;
        for element in elements(text)? {
            match (element.name, element.end) {
                ("RSAKeyValue", false) => numbers = Some(Vec::new()),
                ("RSAKeyValue", true) => match numbers.take() {
                    Some(numbers) => rsa(&numbers, &mut found)?,
                    None => return broken("an element that ends before it began"),
                },
                ("X509Certificate", false) => found.add_certificate(&pem::base64(element.text.as_bytes())?)?,
                ("DSAKeyValue" | "ECKeyValue", false) => {
                    found.add_key(unsupported(format!("an {} in XML", element.name)))?
                }
                (name, false) => {
                    if let Some(numbers) = &mut numbers {
                        numbers.push((name, element.text));
                    }
                }
                _ => {}
            }
            if found.certificates.len() + found.keys.len() > ENTRIES {
                return broken("it has too many entries");
            }
        }
        Ok(found)
    }
}

fn rsa(numbers: &[(&str, &str)], found: &mut Contents) -> Read<()> {
    let number = |name: &str| -> Read<Zeroizing<Vec<u8>>> {
        match numbers.iter().find(|(n, _)| *n == name) {
            Some((_, text)) => pem::base64(text.as_bytes()),
            None => broken(format!("an RSA key without {name}")),
        }
    };
    if numbers.iter().any(|(name, _)| *name == "D") {
        return found.add_key(super::rsa(["Modulus", "Exponent", "D", "P", "Q", "InverseQ"], &number));
    }
    let key = PublicKey::rsa(&number("Modulus")?, &number("Exponent")?)?;
    found.add_public(Ok(key))
}

/// A tag, and the text right after it.
struct Element<'a> {
    name: &'a str,
    end: bool,
    text: &'a str,
}

fn elements(text: &str) -> Read<Vec<Element<'_>>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'<', rest.as_bytes()) {
        rest = &rest[at + 1..];
        if let Some(comment) = rest.strip_prefix("!--") {
            let Some(end) = memmem::find(comment.as_bytes(), b"-->") else { return broken("a comment without an end") };
            rest = &comment[end + 3..];
            continue;
        }
        if rest.starts_with('!') {
            return broken("a document type, which is not read");
        }
        let Some(close) = memchr::memchr(b'>', rest.as_bytes()) else { return broken("a tag without an end") };
        let (tag, after) = (&rest[..close], &rest[close + 1..]);
        rest = after;
        if tag.starts_with('?') {
            continue;
        }
        let (end, tag) = tag.strip_prefix('/').map_or((false, tag), |tag| (true, tag));
        let name = tag.split(|c: char| c.is_ascii_whitespace() || c == '/').next().unwrap_or_default();
        let name = name.rsplit(':').next().unwrap_or_default();
        let length = memchr::memchr(b'<', after.as_bytes()).unwrap_or(after.len());
        found.push(Element { name, end, text: &after[..length] });
        if found.len() > TAGS {
            return broken("it is too large");
        }
    }
    Ok(found)
}
