//! How a token is named: the path of its module, or a `pkcs11:` URI (RFC 7512). Text of a URI may hold a PIN, so no error repeats it.

use crate::certs::fault::{Fault, Read};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// What a store name asks for; what is `None` matches everything.
#[derive(Default)]
pub struct Place {
    pub module: PathBuf,
    pub token: Option<Vec<u8>>,
    pub manufacturer: Option<Vec<u8>>,
    pub model: Option<Vec<u8>>,
    pub serial: Option<Vec<u8>>,
    pub slot: Option<u64>,
    pub object: Option<Vec<u8>>,
    pub id: Option<Vec<u8>>,
    pub pin: Option<Zeroizing<String>>,
}

/// The module that knows the others, where a URI names none.
const PROXY: &str = "p11-kit-proxy.so";
/// Where distributions keep modules that are named without a path.
const FOLDERS: [&str; 6] = [
    "/usr/lib/x86_64-linux-gnu/pkcs11",
    "/usr/lib/aarch64-linux-gnu/pkcs11",
    "/usr/lib64/pkcs11",
    "/usr/lib/pkcs11",
    "/usr/local/lib/pkcs11",
    "/opt/homebrew/lib/pkcs11",
];

/// Whether a store name is a URI of a token.
pub fn is_uri(store: &[u8]) -> bool {
    store.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"pkcs11:"))
}

impl Place {
    pub fn parse(store: &str) -> Read<Place> {
        if !is_uri(store.as_bytes()) {
            return Ok(Place { module: PathBuf::from(store), ..Place::default() });
        }
        let (path, query) = store[7..].split_once('?').unwrap_or((&store[7..], ""));
        let mut place = Place::default();
        let mut name = None;
        for (attribute, value) in attributes(path, ';') {
            let value = decoded(value)?;
            let wanted = match attribute {
                "token" => &mut place.token,
                "manufacturer" => &mut place.manufacturer,
                "model" => &mut place.model,
                "serial" => &mut place.serial,
                "object" => &mut place.object,
                "id" => &mut place.id,
                "slot-id" => match text(&value)?.parse() {
                    Ok(number) => {
                        place.slot = Some(number);
                        continue;
                    }
                    Err(_) => return malformed("slot-id is no number"),
                },
                // Certificates and keys are looked for together; the rest tells modules apart, and one was named.
                "type"
                | "slot-description"
                | "slot-manufacturer"
                | "library-manufacturer"
                | "library-description"
                | "library-version" => continue,
                _ => return malformed("an attribute that does not exist"),
            };
            *wanted = Some(value.to_vec());
        }
        for (attribute, value) in attributes(query, '&') {
            let value = decoded(value)?;
            match attribute {
                "module-path" => place.module = PathBuf::from(text(&value)?),
                "module-name" => name = Some(text(&value)?.to_owned()),
                "pin-value" => place.pin = Some(Zeroizing::new(text(&value)?.to_owned())),
                "pin-source" => place.pin = Some(pin_source(text(&value)?)?),
                // RFC 7512 §2.4: what a vendor adds may be passed over.
                _ => {}
            }
        }
        if place.module.as_os_str().is_empty() {
            place.module = name.map_or_else(|| PathBuf::from(PROXY), |name| by_name(&name));
        }
        Ok(place)
    }
}

fn malformed<T>(why: &str) -> Read<T> {
    Err(Fault::Refused(format!("the PKCS #11 URI is malformed: {why}")).into())
}

fn attributes(part: &str, between: char) -> impl Iterator<Item = (&str, &str)> {
    part.split(between).filter(|a| !a.is_empty()).map(|a| a.split_once('=').unwrap_or((a, "")))
}

fn decoded(value: &str) -> Read<Zeroizing<Vec<u8>>> {
    let mut out = Zeroizing::new(Vec::with_capacity(value.len()));
    let mut rest = value.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        if *first != b'%' {
            out.push(*first);
            continue;
        }
        let digit = |at: usize| after.get(at).and_then(|d| char::from(*d).to_digit(16));
        let (Some(high), Some(low)) = (digit(0), digit(1)) else { return malformed("a '%' without two digits") };
        out.push((high << 4 | low) as u8);
        rest = &after[2..];
    }
    Ok(out)
}

fn text(value: &[u8]) -> Read<&str> {
    match std::str::from_utf8(value) {
        Ok(text) if !text.contains(char::is_control) => Ok(text),
        _ => malformed("a value that is no text"),
    }
}

/// The first line of a file, `file:/etc/pin` or `/etc/pin`.
fn pin_source(source: &str) -> Read<Zeroizing<String>> {
    let path = source.strip_prefix("file:").unwrap_or(source);
    let path = path.strip_prefix("//").unwrap_or(path);
    let bytes = crate::certs::source::read_file(Path::new(path)).map_err(|e| Fault::Refused(e.into_message()))?;
    let line = bytes.split(|b| matches!(b, b'\r' | b'\n')).next().unwrap_or_default();
    match std::str::from_utf8(line) {
        Ok(pin) if pin.len() <= 1024 => Ok(Zeroizing::new(pin.to_owned())),
        _ => malformed("pin-source names a file without a PIN"),
    }
}

fn by_name(name: &str) -> PathBuf {
    for folder in FOLDERS {
        for (before, after) in [("", ".so"), ("lib", ".so"), ("", ".dylib"), ("lib", ".dylib")] {
            let path = Path::new(folder).join(format!("{before}{name}{after}"));
            if path.exists() {
                return path;
            }
        }
    }
    // The loader may know it where the folders do not.
    PathBuf::from(format!("lib{name}.so"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_module_and_a_uri_names_token_object_and_pin() {
        assert_eq!(Place::parse("/usr/lib/x.so").ok().unwrap().module, Path::new("/usr/lib/x.so"));
        let place = Place::parse(
            "pkcs11:token=My%20Token;id=%01%ff;object=leaf;slot-id=7;serial=1?module-path=/m.so&pin-value=12%26&x-y=1",
        );
        let place = place.ok().unwrap();
        assert_eq!(place.module, Path::new("/m.so"));
        assert_eq!((place.token.unwrap(), place.id.unwrap()), (b"My Token".to_vec(), vec![1, 255]));
        assert_eq!(
            (place.object.unwrap(), place.slot, place.pin.unwrap().as_str()),
            (b"leaf".to_vec(), Some(7), "12&")
        );
        assert_eq!(Place::parse("pkcs11:").ok().unwrap().module, Path::new(PROXY));
        assert!(
            Place::parse("PKCS11:?module-name=nothing-of-the-kind")
                .ok()
                .unwrap()
                .module
                .ends_with("libnothing-of-the-kind.so")
        );
    }

    #[test]
    fn what_is_malformed_is_refused_without_being_repeated() {
        for uri in [
            "pkcs11:token=%4",
            "pkcs11:token=%zz",
            "pkcs11:slot-id=x",
            "pkcs11:nonsense=1",
            "pkcs11:?pin-value=secret%00",
            "pkcs11:?pin-source=file:/nonexistent",
        ] {
            let Fault::Refused(why) = *Place::parse(uri).err().unwrap() else { panic!("{uri}") };
            assert!(!why.contains("secret"), "{why}");
        }
    }
}
