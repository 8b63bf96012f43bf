//! `ssmtp_get` and `ssmtp_set`: every property by the specification's name, as text (ruling 35).

use super::Component;
use super::names::{FAMILIES, FIELD_ROWS, FIELDS, NAMES, PREFIXES, ROWS, members};
use super::rows::{Family, get, set};
use crate::config::{self, shown};
use crate::enums;
use crate::error::{Code, Error, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt;
use zeroize::Zeroizing;

/// One property: how its value becomes text, and text its value.
#[derive(Clone, Copy)]
pub(super) struct Row {
    pub get: Option<Get>,
    pub set: Option<Set>,
    /// An array: `Name[0]` or `Name(0)`.
    pub index: bool,
    /// An object: its fields are reached by their flattened names.
    pub object: bool,
}

#[derive(Clone, Copy)]
pub(super) enum Get {
    Bool(get::Bool),
    Int(get::Int),
    Text(get::Text),
    Bytes(get::Bytes),
}

#[derive(Clone, Copy)]
pub(super) enum Set {
    Bool(set::Bool),
    Int(set::Int),
    Text(set::Text),
    Bytes(set::Bytes),
}

/// One field of a certificate, which is a property of each certificate of the state.
pub(super) struct CertRow {
    pub get: CertGet,
    pub set: Option<CertSet>,
}

#[derive(Clone, Copy)]
pub(super) enum CertGet {
    Bool(get::CertBool),
    Int(get::CertInt),
    Text(get::CertText),
    Bytes(get::CertBytes),
}

#[derive(Clone, Copy)]
pub(super) enum CertSet {
    Int(set::CertInt),
    Text(set::CertText),
    Bytes(set::CertBytes),
}

impl CertRow {
    fn of(&self, family: Family, written: bool) -> Row {
        let get = match self.get {
            CertGet::Bool(field) => Get::Bool(get::Bool::OfCert(family, field)),
            CertGet::Int(field) => Get::Int(get::Int::OfCert(family, field)),
            CertGet::Text(field) => Get::Text(get::Text::OfCert(family, field)),
            CertGet::Bytes(field) => Get::Bytes(get::Bytes::OfCert(family, field)),
        };
        let set = self.set.filter(|_| written).map(|set| match set {
            CertSet::Int(field) => Set::Int(set::Int::OfCert(family, field)),
            CertSet::Text(field) => Set::Text(set::Text::OfCert(family, field)),
            CertSet::Bytes(field) => Set::Bytes(set::Bytes::OfCert(family, field)),
        });
        Row { get: Some(get), set, index: false, object: false }
    }
}

/// A name as the specification writes it, in the two parts it is kept in.
#[derive(Clone, Copy)]
struct Name {
    prefix: &'static str,
    rest: &'static str,
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.prefix)?;
        f.write_str(self.rest)
    }
}

impl Component {
    pub fn get(&self, name: &str) -> Result<String> {
        let (name, row, index) = find(name)?;
        match row.get {
            Some(Get::Bool(what)) => self.get_bool(what, index).map(|value| config::bool_text(value).to_string()),
            Some(Get::Int(what)) => self.get_int(what, index).map(|value| value.to_string()),
            Some(Get::Text(what)) => self.get_text(what, index),
            // A store has keys in it.
            Some(Get::Bytes(what)) => {
                self.get_bytes(what).map(|value| base64_simd::STANDARD.encode_to_string(&Zeroizing::new(value)[..]))
            }
            None => Err(access(name, row.object, "read")),
        }
    }

    pub fn set(&self, name: &str, value: &str) -> Result<()> {
        let (name, row, index) = find(name)?;
        match row.set {
            Some(Set::Bool(what)) => self.set_bool(what, parse_bool(name, value)?),
            Some(Set::Int(what)) => self.set_int(what, index, parse_number(name, value, members(what))?),
            Some(Set::Text(what)) => self.set_text(what, index, value),
            Some(Set::Bytes(what)) => self.set_bytes(what, &parse_bytes(name, value)?),
            None => Err(access(name, row.object, "written")),
        }
    }
}

fn access(name: Name, object: bool, verb: &str) -> Error {
    let hint = match name.rest {
        "Firewall" => ": FirewallHost, FirewallPort, FirewallType, FirewallUser, FirewallPassword are its fields",
        "MessageHeaders" => ": MessageHeaderCount, MessageHeaderField[i], MessageHeaderValue[i] are its fields",
        "MessageRecipients" => ": MessageRecipientCount, MessageRecipientAddress[i] and its like are its fields",
        rest if object || rest.ends_with("Cert") || rest == "Certificate" => {
            ": its fields have names of their own, as in SSLCertSubject"
        }
        _ => "",
    };
    Error::new(Code::Access, format!("{name} cannot be {verb}{hint}"))
}

/// The row of a name, the name as it should be, and the index behind it.
fn find(name: &str) -> Result<(Name, Row, i32)> {
    let name = name.trim();
    let (base, index) = match name.find(['[', '(']) {
        Some(at) => (&name[..at], Some(parse_index(name, at)?)),
        None => (name, None),
    };
    let unknown = || Error::new(Code::UnknownName, format!("there is no property named {}", shown(base)));
    let (name, row) = row_of(base.trim()).ok_or_else(unknown)?;
    match (row.index, index) {
        (true, Some(index)) => Ok((name, row, index)),
        (false, None) => Ok((name, row, 0)),
        (true, None) => Err(Error::new(Code::Index, format!("{name} is an array: {name}[0] is its first item"))),
        (false, Some(_)) => Err(Error::new(Code::Index, format!("{name} is no array"))),
    }
}

fn row_of(name: &str) -> Option<(Name, Row)> {
    if let Some((at, rest)) = NAMES.find(name) {
        return Some((Name { prefix: "", rest }, ROWS[at]));
    }
    PREFIXES.iter().zip(&FAMILIES).find_map(|(prefix, (family, written))| {
        let (start, field) = name.split_at_checked(prefix.len())?;
        if !start.eq_ignore_ascii_case(prefix) {
            return None;
        }
        let (at, rest) = FIELDS.find(field)?;
        Some((Name { prefix, rest }, FIELD_ROWS[at].of(*family, *written)))
    })
}

fn parse_index(name: &str, at: usize) -> Result<i32> {
    let close = if name.as_bytes()[at] == b'[' { ']' } else { ')' };
    let inner = name[at + 1..].strip_suffix(close).map(str::trim);
    inner
        .and_then(|digits| digits.parse().ok())
        .ok_or_else(|| Error::new(Code::Index, format!("{} has no whole number for its index", shown(name))))
}

fn parse_bool(name: Name, text: &str) -> Result<bool> {
    config::parse_bool(text)
        .ok_or_else(|| Error::new(Code::ValueRefused, format!("{name} takes True, False, 1, 0, Yes or No")))
}

/// A number in decimal or hexadecimal, or one of the specification's names where the row has such.
fn parse_number(name: Name, text: &str, members: Option<&str>) -> Result<i32> {
    let named = members.and_then(|members| enums::number(members, text));
    let number = named.or_else(|| config::parse_int(text).and_then(|n| i32::try_from(n).ok()));
    number.ok_or_else(|| {
        let why = match members {
            Some(_) => format!("{} is no value of {name}", shown(text)),
            None => format!("{name} takes a whole number of 32 bits"),
        };
        Error::new(Code::ValueRefused, why)
    })
}

fn parse_bytes(name: Name, text: &str) -> Result<Vec<u8>> {
    let compact: Zeroizing<Vec<u8>> = Zeroizing::new(text.bytes().filter(|c| !c.is_ascii_whitespace()).collect());
    STANDARD.decode(&compact[..]).map_err(|_| Error::new(Code::ValueRefused, format!("{name} takes Base64")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_found_in_any_case() {
        let own = NAMES.iter().zip(&ROWS).map(|(name, row)| (name.to_string(), row.index));
        let fields = PREFIXES.iter().flat_map(|prefix| FIELDS.iter().map(move |field| format!("{prefix}{field}")));
        for (name, index) in own.chain(fields.map(|name| (name, false))) {
            let text = if index { format!("{name}[0]") } else { name.clone() };
            assert_eq!(find(&text.to_uppercase()).unwrap().0.to_string(), name);
        }
    }

    #[test]
    fn lists_of_names_are_as_long_as_the_tables_beside_them() {
        assert_eq!(NAMES.iter().count(), ROWS.len());
        assert_eq!(PREFIXES.iter().count(), FAMILIES.len());
        assert_eq!(FIELDS.iter().count(), FIELD_ROWS.len());
    }

    #[test]
    fn both_brackets_are_the_same_and_odd_ones_are_605() {
        assert_eq!(find("MessageRecipientAddress[7]").unwrap().2, 7);
        assert_eq!(find("messagerecipientaddress( 7 )").unwrap().2, 7);
        for name in [
            "MessageRecipientAddress",
            "MessageRecipientAddress[",
            "MessageRecipientAddress[1)",
            "MessageRecipientAddress[x]",
            "From[0]",
        ] {
            assert_eq!(find(name).err().map(|e| e.code), Some(Code::Index), "{name}");
        }
        assert_eq!(find("Frm").err().map(|e| e.code), Some(Code::UnknownName));
    }
}
