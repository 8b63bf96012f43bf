//! As much JSON (RFC 8259) as keys are written in: objects, arrays and strings are kept, everything else is passed over. Bounded.

use crate::certs::fault::{Read, broken};
use zeroize::Zeroizing;

const DEPTH: usize = 16;
/// Values in one document.
const VALUES: usize = 200_000;

pub enum Json {
    Text(Zeroizing<String>),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
    /// A number, true, false or null.
    Other,
}

impl Json {
    pub fn get(&self, name: &str) -> Option<&Json> {
        match self {
            Json::Object(members) => members.iter().find(|(n, _)| n == name).map(|(_, v)| v),
            _ => None,
        }
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        match self.get(name) {
            Some(Json::Text(text)) => Some(text),
            _ => None,
        }
    }

    pub fn list(&self, name: &str) -> Option<&[Json]> {
        match self.get(name) {
            Some(Json::List(list)) => Some(list),
            _ => None,
        }
    }
}

pub fn parse(bytes: &[u8]) -> Read<Json> {
    let Ok(text) = std::str::from_utf8(bytes) else { return broken("it is no UTF-8") };
    let mut parser = Parser { rest: text, values: 0 };
    let value = parser.value(0)?;
    parser.blanks();
    if parser.rest.is_empty() { Ok(value) } else { broken("text after the end") }
}

struct Parser<'a> {
    rest: &'a str,
    values: usize,
}

impl Parser<'_> {
    fn blanks(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\r', '\n']);
    }

    /// Takes this character if it is next.
    fn eat(&mut self, c: char) -> bool {
        self.blanks();
        match self.rest.strip_prefix(c) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn value(&mut self, depth: usize) -> Read<Json> {
        self.values += 1;
        if depth > DEPTH || self.values > VALUES {
            return broken("it nests too deeply or is too large");
        }
        if self.eat('{') {
            let mut members = Vec::new();
            if !self.eat('}') {
                loop {
                    self.blanks();
                    let name = self.string()?;
                    if !self.eat(':') {
                        return broken("a member without a value");
                    }
                    members.push((name.to_string(), self.value(depth + 1)?));
                    if !self.eat(',') {
                        break;
                    }
                }
                if !self.eat('}') {
                    return broken("an object without an end");
                }
            }
            return Ok(Json::Object(members));
        }
        if self.eat('[') {
            let mut list = Vec::new();
            if !self.eat(']') {
                loop {
                    list.push(self.value(depth + 1)?);
                    if !self.eat(',') {
                        break;
                    }
                }
                if !self.eat(']') {
                    return broken("an array without an end");
                }
            }
            return Ok(Json::List(list));
        }
        if self.rest.starts_with('"') {
            return Ok(Json::Text(self.string()?));
        }
        let end = self
            .rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.')))
            .unwrap_or(self.rest.len());
        if end == 0 {
            return broken("a value is missing");
        }
        self.rest = &self.rest[end..];
        Ok(Json::Other)
    }

    fn string(&mut self) -> Read<Zeroizing<String>> {
        let Some(rest) = self.rest.strip_prefix('"') else { return broken("a name is missing") };
        let mut out = Zeroizing::new(String::new());
        let mut characters = rest.char_indices();
        while let Some((at, c)) = characters.next() {
            match c {
                '"' => {
                    self.rest = &rest[at + 1..];
                    return Ok(out);
                }
                '\\' => match characters.next().map(|(_, c)| c) {
                    Some(c @ ('"' | '\\' | '/')) => out.push(c),
                    Some('n' | 'r' | 't' | 'b' | 'f') => out.push(' '),
                    Some('u') => {
                        let digits: String = characters.by_ref().take(4).map(|(_, c)| c).collect();
                        let Ok(unit) = u32::from_str_radix(&digits, 16) else {
                            return broken("an escape of an unknown form");
                        };
                        out.push(char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER));
                    }
                    _ => return broken("an escape of an unknown form"),
                },
                c if c < ' ' => return broken("a control character in a string"),
                c => out.push(c),
            }
        }
        broken("a string without an end")
    }
}
