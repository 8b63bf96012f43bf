//! Generator of the library's own Rust: error numbers, enums, the table of settings.

use super::{File, MARK};
use crate::model::{Api, Enum, Property, Setting, Status, Type, Value, snake};
use std::fmt::Write as _;

pub fn files(api: &Api) -> Vec<File> {
    vec![
        made("src/error/codes.rs", codes(api)),
        made("src/enums.rs", enums(api)),
        made("src/config/table.rs", settings(api)),
    ]
}

/// A Rust file with its mark.
pub fn made(path: &str, body: String) -> File {
    File::new(path, super::rustfmt(&format!("//! {MARK}\n\n{body}")))
}

/// `CONNECTION_REFUSED` as a Rust variant.
fn camel(name: &str) -> String {
    name.split('_')
        .map(|word| {
            let lower = word.to_ascii_lowercase();
            let mut letters = lower.chars();
            letters.next().map(|c| c.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
        })
        .collect()
}

/// `SSLStartMode` as a Rust type.
pub fn camel_type(name: &str) -> String {
    camel(&snake(name).to_ascii_uppercase())
}

pub fn doc(out: &mut String, indent: &str, text: &str) {
    for line in text.trim().lines() {
        let line = line.trim_end();
        let _ = writeln!(out, "{indent}///{}{line}", if line.is_empty() { "" } else { " " });
    }
}

fn codes(api: &Api) -> String {
    let mut out = String::from(
        "/// The numbers of errors.\n#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]\n#[repr(i32)]\npub enum Code {\n",
    );
    for e in &api.errors {
        doc(&mut out, "    ", &e.text);
        let _ = writeln!(out, "    {} = {},", camel(&e.name), e.code);
    }
    out.push_str(
        "}\n\nimpl Code {\n    /// Every number, in the order of the description.\n    pub const ALL: &[Code] = &[\n",
    );
    for e in &api.errors {
        let _ = writeln!(out, "Code::{},", camel(&e.name));
    }
    out.push_str("    ];\n\n    pub fn from_i32(number: i32) -> Option<Code> {\n        Code::ALL.iter().copied().find(|c| *c as i32 == number)\n    }\n\n");
    out.push_str("    /// The text used when there is nothing better to say.\n    pub fn text(self) -> &'static str {\n        self.c_text().to_str().unwrap_or_default()\n    }\n\n    /// The same with a final NUL, for C.\n    pub fn c_text(self) -> &'static std::ffi::CStr {\n        match self {\n");
    for e in &api.errors {
        let _ = writeln!(out, "Code::{} => c{:?},", camel(&e.name), e.text.trim());
    }
    out.push_str("        }\n    }\n}\n");
    out
}

fn enums(api: &Api) -> String {
    let mut out = String::new();
    for e in &api.enums {
        doc(&mut out, "", &e.doc);
        let name = camel_type(&e.name);
        let _ =
            writeln!(out, "#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]\n#[repr(i32)]\npub enum {name} {{");
        let default = enum_default(api, e);
        for m in &e.members {
            doc(&mut out, "    ", &m.doc);
            if m.value == default {
                out.push_str("    #[default]\n");
            }
            let _ = writeln!(out, "    {} = {},", camel(&m.name), m.value);
        }
        let _ = writeln!(
            out,
            "}}\n\nimpl {name} {{\n    pub fn from_i32(value: i32) -> Option<{name}> {{\n        match value {{"
        );
        for m in &e.members {
            let _ = writeln!(out, "{} => Some({name}::{}),", m.value, camel(&m.name));
        }
        out.push_str(
            "_ => None,\n        }\n    }\n\n    /// The specification's names, for [`members`] and [`number`].\n",
        );
        let names: Vec<String> = e.members.iter().map(|m| format!("{}={}", m.spec, m.value)).collect();
        let _ = writeln!(out, "    pub const NAMES: &str = {:?};\n}}\n", names.join(" "));
    }
    out.push_str(
        "/// The pairs of `name=number name=number …`.\n\
         pub fn members(names: &str) -> impl Iterator<Item = (&str, i32)> {\n\
         names.split(' ').filter_map(|word| word.split_once('=')).filter_map(|(name, number)| Some((name, number.parse().ok()?)))\n\
         }\n\n\
         /// The number of a name, in any case.\n\
         pub fn number(names: &str, name: &str) -> Option<i32> {\n\
         members(names).find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, number)| number)\n\
         }\n",
    );
    out
}

/// The value a property of this type has at first; 0 where none says.
fn enum_default(api: &Api, e: &Enum) -> i32 {
    let says = |p: &&Property| p.type_name == e.spec && p.default.is_some() && p.family.is_empty();
    match api.properties.iter().find(says).and_then(|p| p.default.clone()) {
        Some(Value::Int(n)) => n as i32,
        _ => 0,
    }
}

/// The settings. What each is, is told by functions instead of a table, since pointers to its texts would cost more than the texts.
fn settings(api: &Api) -> String {
    let count = api.settings.len();
    let mut out = String::from(
        "use super::words::{Words, starts};\nuse super::{Access, Default, Kind};\nuse crate::enums;\n\n/// The settings by name.\n#[derive(Debug, Clone, Copy, PartialEq, Eq)]\npub enum Setting {\n",
    );
    let mut all = String::new();
    for s in &api.settings {
        let _ = writeln!(out, "    {},", setting_variant(s));
        let _ = writeln!(all, "Setting::{},", setting_variant(s));
    }
    out.push_str("}\n\n");
    let names: Vec<&str> = api.settings.iter().map(|s| s.spec.as_str()).collect();
    word_list(&mut out, "pub", "Their names, in the order of [`Setting`].", "NAMES", &names);
    let _ = writeln!(out, "impl Setting {{\n    pub const ALL: [Setting; {count}] = [\n{all}    ];\n");
    let planned = |s: &Setting| (s.status == Status::Planned).to_string();
    let property = |s: &Setting| match &s.property {
        p if *p == s.spec => "self.name()".to_string(),
        p => format!("{p:?}"),
    };
    by_value(&mut out, api, "kind", "Kind", |s| setting_kind(api, s));
    by_value(&mut out, api, "default", "Default", setting_default);
    by_value(&mut out, api, "access", "Access", |s| format!("Access::{:?}", s.access));
    by_value(&mut out, api, "planned", "bool", planned);
    out.push_str("    /// The property that holds its value; empty for a value of its own.\n");
    by_value(&mut out, api, "property", "&'static str", property);
    out.push_str("}\n");
    out
}

/// A function that tells a value of each setting, with the most frequent one last and for all the rest.
fn by_value(out: &mut String, api: &Api, name: &str, ty: &str, value: impl Fn(&Setting) -> String) {
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    for s in &api.settings {
        let (value, variant) = (value(s), format!("Setting::{}", setting_variant(s)));
        match groups.iter_mut().find(|(known, _)| *known == value) {
            Some((_, variants)) => variants.push(variant),
            None => groups.push((value, vec![variant])),
        }
    }
    groups.sort_by_key(|(_, variants)| variants.len());
    let rest = groups.pop().map(|(value, _)| value).unwrap_or_default();
    if groups.is_empty() {
        let _ = writeln!(out, "    pub fn {name}(self) -> {ty} {{\n        {rest}\n    }}\n");
        return;
    }
    let _ = writeln!(out, "    pub fn {name}(self) -> {ty} {{\n        match self {{");
    for (value, variants) in groups {
        let _ = writeln!(out, "{} => {value},", variants.join(" | "));
    }
    let _ = writeln!(out, "_ => {rest},\n        }}\n    }}\n");
}

/// Names as one text, a blank between them, and where they begin.
pub fn word_list(out: &mut String, visible: &str, doc: &str, name: &str, words: &[&str]) {
    let text = format!("{name}_TEXT");
    let _ = writeln!(
        out,
        "/// {doc}\n{visible} static {name}: Words = Words {{ text: {text}, starts: &starts::<{}>({text}) }};\n",
        words.len() + 1
    );
    let _ = writeln!(out, "const {text}: &str = \"\\");
    let mut line = String::new();
    for word in words {
        if line.len() + word.len() > 110 {
            let _ = writeln!(out, "{line}\\");
            line.clear();
        }
        line.push_str(word);
        line.push(' ');
    }
    let _ = writeln!(out, "{}\";\n", line.trim_end());
}

fn setting_variant(s: &Setting) -> String {
    camel_type(&s.spec)
}

fn setting_kind(api: &Api, s: &Setting) -> String {
    match Type::parse(&s.type_name) {
        Type::Bool => "Kind::Bool".into(),
        Type::Int | Type::Int64 => {
            let low = if s.unsigned { 0 } else { i64::from(i32::MIN) };
            let high = if s.unsigned { i64::from(u32::MAX) } else { i64::from(i32::MAX) };
            format!("Kind::Int {{ min: {}, max: {} }}", s.min.unwrap_or(low), s.max.unwrap_or(high))
        }
        Type::Enum(name) => {
            let e = api.enumeration(&name).expect("checked when loaded");
            format!("Kind::Enum(enums::{}::NAMES)", camel_type(&e.name))
        }
        _ => "Kind::Text".into(),
    }
}

fn setting_default(s: &Setting) -> String {
    match (&s.default, Type::parse(&s.type_name)) {
        (Some(Value::Bool(b)), _) => format!("Default::Bool({b})"),
        (Some(Value::Int(n)), _) => format!("Default::Int({n})"),
        (Some(Value::Text(t)), _) => format!("Default::Text({t:?})"),
        (None, Type::Bool) => "Default::Bool(false)".into(),
        (None, Type::Int | Type::Int64 | Type::Enum(_)) => "Default::Int(0)".into(),
        (None, _) => "Default::Text(\"\")".into(),
    }
}
