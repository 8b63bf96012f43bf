//! `ssmtp_get` and `ssmtp_set`: every property by the specification's name, as text (ruling 35).

use super::Component;
use super::names::NAMES;
use crate::config::{self, shown};
use crate::error::{Code, Error, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

type Get = fn(&Component, i32) -> Result<String>;
type Set = fn(&Component, i32, &str) -> Result<()>;

/// One name: how its value becomes text, and text its value.
pub(super) struct Name {
    pub name: &'static str,
    /// An array: `Name[0]` or `Name(0)`.
    pub index: bool,
    /// An object: its fields are reached by their flattened names.
    pub object: bool,
    pub get: Option<Get>,
    pub set: Option<Set>,
}

impl Component {
    pub fn get(&self, name: &str) -> Result<String> {
        let (row, index) = find(name)?;
        match row.get {
            Some(get) => get(self, index),
            None => Err(access(row, "read")),
        }
    }

    pub fn set(&self, name: &str, value: &str) -> Result<()> {
        let (row, index) = find(name)?;
        match row.set {
            Some(set) => set(self, index, value),
            None => Err(access(row, "written")),
        }
    }
}

fn access(row: &Name, verb: &str) -> Error {
    let hint = match row.name {
        "Firewall" => ": FirewallHost, FirewallPort, FirewallType, FirewallUser, FirewallPassword are its fields",
        "MessageHeaders" => ": MessageHeaderCount, MessageHeaderField[i], MessageHeaderValue[i] are its fields",
        "MessageRecipients" => ": MessageRecipientCount, MessageRecipientAddress[i] and its like are its fields",
        _ if row.object || row.name.ends_with("Cert") || row.name == "Certificate" => {
            ": its fields have names of their own, as in SSLCertSubject"
        }
        _ => "",
    };
    Error::new(Code::Access, format!("{} cannot be {verb}{hint}", row.name))
}

/// The row of a name, and the index behind it.
fn find(name: &str) -> Result<(&'static Name, i32)> {
    let name = name.trim();
    let (base, index) = match name.find(['[', '(']) {
        Some(at) => (&name[..at], Some(parse_index(name, at)?)),
        None => (name, None),
    };
    let key = base.trim().to_ascii_lowercase();
    let found = NAMES.binary_search_by(|row| row.name.to_ascii_lowercase().as_str().cmp(&key));
    let row = match found {
        Ok(at) => &NAMES[at],
        Err(_) => return Err(Error::new(Code::UnknownName, format!("there is no property named {}", shown(base)))),
    };
    match (row.index, index) {
        (true, Some(index)) => Ok((row, index)),
        (false, None) => Ok((row, 0)),
        (true, None) => {
            Err(Error::new(Code::Index, format!("{} is an array: {}[0] is its first item", row.name, row.name)))
        }
        (false, Some(_)) => Err(Error::new(Code::Index, format!("{} is no array", row.name))),
    }
}

fn parse_index(name: &str, at: usize) -> Result<i32> {
    let close = if name.as_bytes()[at] == b'[' { ']' } else { ')' };
    let inner = name[at + 1..].strip_suffix(close).map(str::trim);
    inner
        .and_then(|digits| digits.parse().ok())
        .ok_or_else(|| Error::new(Code::Index, format!("{} has no whole number for its index", shown(name))))
}

pub(super) fn bool_text(value: bool) -> String {
    config::bool_text(value).to_string()
}

pub(super) fn bytes_text(value: Vec<u8>) -> String {
    // A store has keys in it.
    STANDARD.encode(&Zeroizing::new(value)[..])
}

pub(super) fn parse_bool(name: &str, text: &str) -> Result<bool> {
    config::parse_bool(text)
        .ok_or_else(|| Error::new(Code::ValueRefused, format!("{name} takes True, False, 1, 0, Yes or No")))
}

pub(super) fn parse_int(name: &str, text: &str) -> Result<i32> {
    let number = config::parse_int(text).and_then(|n| i32::try_from(n).ok());
    number.ok_or_else(|| Error::new(Code::ValueRefused, format!("{name} takes a whole number of 32 bits")))
}

/// A number in decimal or hexadecimal, or the specification's name, which the caller looked up.
pub(super) fn parse_enum(name: &str, text: &str, named: Option<i32>) -> Result<i32> {
    let number = named.or_else(|| config::parse_int(text).and_then(|n| i32::try_from(n).ok()));
    number.ok_or_else(|| Error::new(Code::ValueRefused, format!("{} is no value of {name}", shown(text))))
}

pub(super) fn parse_bytes(name: &str, text: &str) -> Result<Vec<u8>> {
    let compact: Zeroizing<Vec<u8>> = Zeroizing::new(text.bytes().filter(|c| !c.is_ascii_whitespace()).collect());
    STANDARD.decode(&compact[..]).map_err(|_| Error::new(Code::ValueRefused, format!("{name} takes Base64")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_so_that_each_is_found() {
        for row in &NAMES {
            let name = if row.index { format!("{}[0]", row.name) } else { row.name.to_string() };
            assert_eq!(find(&name.to_uppercase()).unwrap().0.name, row.name);
        }
    }

    #[test]
    fn both_brackets_are_the_same_and_odd_ones_are_605() {
        assert_eq!(find("MessageRecipientAddress[7]").unwrap().1, 7);
        assert_eq!(find("messagerecipientaddress( 7 )").unwrap().1, 7);
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
