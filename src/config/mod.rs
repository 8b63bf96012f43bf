//! `Config("Name")` reads a setting, `Config("Name=Value")` writes it. The table of names, types and defaults is generated;
//! this parses, checks and keeps typed values. What a setting does is decided where it is used.

mod table;
pub mod words;

pub use table::Setting;

use crate::enums;
use crate::error::{Code, Error, Result};
use std::sync::LazyLock;

/// The type of a setting.
pub enum Kind {
    Bool,
    Int {
        min: i64,
        max: i64,
    },
    /// The specification's names with their numbers, for [`enums::members`].
    Enum(&'static str),
    Text,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    Rw,
    Ro,
    Wo,
}

pub enum Default {
    Bool(bool),
    Int(i64),
    Text(&'static str),
}

/// A typed value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    Bool(bool),
    Int(i64),
    Text(String),
}

impl Setting {
    pub fn name(self) -> &'static str {
        table::NAMES.get(self as usize)
    }

    pub fn initial(self) -> Value {
        match self.default() {
            Default::Bool(b) => Value::Bool(b),
            Default::Int(n) => Value::Int(n),
            Default::Text(t) => Value::Text(t.into()),
        }
    }

    /// Reads a text as this setting's type: 603 when it is not one. The text is not repeated: it may be a secret.
    pub fn parse(self, text: &str) -> Result<Value> {
        match self.kind() {
            Kind::Bool => parse_bool(text)
                .map(Value::Bool)
                .ok_or_else(|| self.refuse("takes True, False, 1, 0, Yes or No".into())),
            Kind::Int { min, max } => match parse_int(text) {
                Some(n) if (min..=max).contains(&n) => Ok(Value::Int(n)),
                Some(_) => Err(self.refuse(format!("takes {min} to {max}"))),
                None => Err(self.refuse("takes a whole number".into())),
            },
            Kind::Enum(names) => {
                let (text, number) = (text.trim(), parse_int(text));
                enums::members(names)
                    .map(|(name, value)| (name, i64::from(value)))
                    .find(|(name, value)| name.eq_ignore_ascii_case(text) || number == Some(*value))
                    .map(|(_, value)| Value::Int(value))
                    .ok_or_else(|| self.refuse("takes one of its enumeration's values".into()))
            }
            Kind::Text => Ok(Value::Text(text.into())),
        }
    }

    fn refuse(self, why: String) -> Error {
        Error::new(Code::ValueRefused, format!("{} {why}", self.name()))
    }
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Value::Bool(b) => f.write_str(bool_text(*b)),
            Value::Int(n) => write!(f, "{n}"),
            Value::Text(t) => f.write_str(t),
        }
    }
}

/// The texts a boolean takes, whatever their case.
pub fn parse_bool(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" => Some(true),
        "false" | "0" | "no" => Some(false),
        _ => None,
    }
}

pub fn bool_text(value: bool) -> &'static str {
    if value { "True" } else { "False" }
}

/// Decimal, or hexadecimal behind `0x`.
pub fn parse_int(text: &str) -> Option<i64> {
    let text = text.trim();
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(hex) if hex.bytes().all(|b| b.is_ascii_hexdigit()) => i64::from_str_radix(hex, 16).ok(),
        Some(_) => None,
        None => text.parse().ok(),
    }
}

/// `Name=Value` in two: the name ends at the first `=`, the value is verbatim.
pub fn split(text: &str) -> (&str, Option<&str>) {
    match text.split_once('=') {
        Some((name, value)) => (name.trim(), Some(value)),
        None => (text.trim(), None),
    }
}

/// The setting of a name, in any case; 602 when there is none.
pub fn find(name: &str) -> Result<Setting> {
    let found = table::NAMES.find(name).and_then(|(place, _)| Setting::ALL.get(place).copied());
    found.ok_or_else(|| Error::new(Code::UnknownName, format!("there is no setting named {}", shown(name))))
}

/// A name as an error text repeats it: short, and printable.
pub fn shown(name: &str) -> String {
    let mut text: String = name.chars().take(64).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.len() < name.len() {
        text.push('…');
    }
    format!("\"{text}\"")
}

/// The values of one handle: those that were set, which are few. The others are read from what all handles share.
#[derive(Clone, Default)]
pub struct Settings {
    set: Vec<(Setting, Value)>,
}

/// What each setting is until it is set.
static INITIAL: LazyLock<Vec<Value>> = LazyLock::new(|| Setting::ALL.iter().map(|setting| setting.initial()).collect());

impl Settings {
    pub fn get(&self, setting: Setting) -> &Value {
        let set = self.set.iter().find(|(known, _)| *known == setting);
        set.map_or_else(|| &INITIAL[setting as usize], |(_, value)| value)
    }

    pub fn set(&mut self, setting: Setting, value: Value) {
        self.replace(setting, value);
    }

    /// Sets, and gives what was there.
    pub fn replace(&mut self, setting: Setting, value: Value) -> Value {
        if let Some((_, old)) = self.set.iter_mut().find(|(known, _)| *known == setting) {
            return std::mem::replace(old, value);
        }
        self.set.push((setting, value));
        INITIAL[setting as usize].clone()
    }

    pub fn bool(&self, setting: Setting) -> bool {
        matches!(self.get(setting), Value::Bool(true))
    }

    pub fn int(&self, setting: Setting) -> i64 {
        match self.get(setting) {
            Value::Int(n) => *n,
            _ => 0,
        }
    }

    pub fn text(&self, setting: Setting) -> &str {
        match self.get(setting) {
            Value::Text(t) => t,
            _ => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_ends_at_the_first_equals_sign_and_the_value_is_verbatim() {
        assert_eq!(split("Hello=a=b "), ("Hello", Some("a=b ")));
        assert_eq!(split(" Hello "), ("Hello", None));
        assert_eq!(split("Hello="), ("Hello", Some("")));
    }

    #[test]
    fn booleans_take_six_words_in_any_case_and_nothing_else() {
        for text in ["True", "1", "yes", "YES", "tRUE"] {
            assert_eq!(parse_bool(text), Some(true));
        }
        for text in ["False", "0", "no"] {
            assert_eq!(parse_bool(text), Some(false));
        }
        for text in ["", "2", "on", "off", "t", "-1"] {
            assert_eq!(parse_bool(text), None);
        }
    }

    #[test]
    fn numbers_are_decimal_or_hexadecimal() {
        assert_eq!(parse_int("0x80000000"), Some(0x8000_0000));
        assert_eq!(parse_int("-3"), Some(-3));
        for text in ["", "0x", "0x-1", "1e3", "12a", "99999999999999999999"] {
            assert_eq!(parse_int(text), None, "{text}");
        }
    }

    #[test]
    fn every_default_is_a_value_its_own_setting_takes() {
        for setting in Setting::ALL {
            let text = setting.initial().to_string();
            assert_eq!(setting.parse(&text).unwrap(), setting.initial(), "{}", setting.name());
        }
    }

    #[test]
    fn settings_stand_at_their_own_place_and_are_found_by_their_name_in_any_case() {
        for (i, setting) in Setting::ALL.into_iter().enumerate() {
            assert_eq!(setting as usize, i);
            assert_eq!(find(&setting.name().to_uppercase()).unwrap(), setting);
        }
    }

    #[test]
    fn an_unknown_name_is_602_and_its_text_is_bounded() {
        let error = find(&"x".repeat(10_000)).expect_err("no such setting");
        assert_eq!(error.code, Code::UnknownName);
        assert!(error.message.len() < 200);
    }
}
