//! Generator of the library's own Rust: error numbers, enums, the table of settings, the component's accessors with the
//! table of names.

use super::{File, MARK};
use crate::model::{Api, Enum, Property, Setting, Status, Type, Value, snake};
use std::fmt::Write as _;

pub fn files(api: &Api) -> Vec<File> {
    vec![
        made("src/error/codes.rs", codes(api)),
        made("src/enums.rs", enums(api)),
        made("src/config/table.rs", settings(api)),
        made("src/component/gen.rs", accessors(api)),
        made("src/component/names.rs", names(api)),
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
    out.push_str("    /// The text used when there is nothing better to say.\n    pub fn text(self) -> &'static str {\n        match self {\n");
    for e in &api.errors {
        let _ = writeln!(out, "Code::{} => {:?},", camel(&e.name), e.text.trim());
    }
    out.push_str("        }\n    }\n\n    /// The same with a final NUL, for C.\n    pub fn c_text(self) -> &'static std::ffi::CStr {\n        match self {\n");
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
            "_ => None,\n        }\n    }\n\n    /// By its number or by the specification's name, in any case.\n",
        );
        let _ = writeln!(
            out,
            "    pub fn from_text(text: &str) -> Option<{name}> {{\n        if let Ok(number) = text.parse() {{\n            return {name}::from_i32(number);\n        }}"
        );
        for m in &e.members {
            let _ = writeln!(
                out,
                "if text.eq_ignore_ascii_case({:?}) {{ return Some({name}::{}); }}",
                m.spec,
                camel(&m.name)
            );
        }
        out.push_str("        None\n    }\n}\n\n");
    }
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

fn settings(api: &Api) -> String {
    let mut out = String::from(
        "use super::{Access, Default, Kind, Row};\n\n/// The settings by name.\n#[derive(Debug, Clone, Copy, PartialEq, Eq)]\npub enum Setting {\n",
    );
    for s in &api.settings {
        let _ = writeln!(out, "    {},", setting_variant(s));
    }
    let _ = writeln!(
        out,
        "}}\n\n/// What each setting is, in the order of [`Setting`].\npub static TABLE: [Row; {}] = [",
        api.settings.len()
    );
    for s in &api.settings {
        let _ = writeln!(
            out,
            "Row {{ setting: Setting::{}, name: {:?}, kind: {}, access: Access::{:?}, default: {}, planned: {}, property: {:?}, secret: {} }},",
            setting_variant(s),
            s.spec,
            setting_kind(api, s),
            s.access,
            setting_default(s),
            s.status == Status::Planned,
            s.property,
            s.secret,
        );
    }
    out.push_str("];\n");
    out
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
            let members: Vec<String> = e.members.iter().map(|m| format!("({:?}, {})", m.spec, m.value)).collect();
            format!("Kind::Enum(&[{}])", members.join(", "))
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

/// What the component's accessors hand out for a type.
fn rust_type(ty: &Type) -> &'static str {
    match ty {
        Type::Bool => "bool",
        Type::Int | Type::Enum(_) => "i32",
        Type::Int64 => "i64",
        Type::Text => "String",
        Type::Bytes | Type::Stream => "Vec<u8>",
        Type::Certificate => "Certificate",
    }
}

/// What they take.
fn rust_input(ty: &Type) -> &'static str {
    match ty {
        Type::Text => "&str",
        Type::Bytes | Type::Stream => "&[u8]",
        Type::Certificate => "&Certificate",
        _ => rust_type(ty),
    }
}

/// The default as a Rust expression of the type that the accessor returns.
fn default_value(p: &Property) -> String {
    match (&p.default, p.ty()) {
        (Some(Value::Bool(b)), _) => format!("{b}"),
        (Some(Value::Int(n)), _) => format!("{n}"),
        (Some(Value::Text(t)), Type::Bytes) => format!("b{t:?}.to_vec()"),
        (Some(Value::Text(t)), _) => format!("{t:?}.to_string()"),
        (None, Type::Bool) => "false".into(),
        (None, Type::Int | Type::Int64 | Type::Enum(_)) => "0".into(),
        (None, Type::Bytes | Type::Stream) => "Vec::new()".into(),
        (None, Type::Certificate) => "Certificate::default()".into(),
        (None, Type::Text) => "String::new()".into(),
    }
}

fn accessors(api: &Api) -> String {
    let planned = api.properties.iter().any(|p| p.status == Status::Planned && p.access.writable() && !p.is_object());
    let planned = if planned { "planned_set, " } else { "" };
    let mut out = format!("use super::{{Component, State, {planned}wild}};\n");
    out.push_str(
        "use crate::certs::Certificate;\nuse crate::enums::*;\nuse crate::error::Result;\n\n\
         /// Gives every field of a fresh state the default that the description tells, where it is not empty, zero or false.\n\
         pub(crate) fn apply_defaults(state: &mut State) {\n",
    );
    for p in plain_fields(api) {
        let value = match (&p.default, p.ty()) {
            (Some(Value::Bool(true)), _) => "true".to_string(),
            (Some(Value::Int(n)), Type::Int) if *n != 0 => n.to_string(),
            (Some(Value::Text(t)), _) if !t.is_empty() => format!("{t:?}.to_string()"),
            _ => continue,
        };
        let _ = writeln!(out, "    state.{}.{} = {value};", p.on, p.name);
    }
    out.push_str("}\n\nimpl Component {\n");
    for p in api.properties.iter().filter(|p| !p.is_object()) {
        if p.access.readable() {
            getter(&mut out, p);
        }
        if p.access.writable() {
            setter(&mut out, p);
        }
    }
    out.push_str("}\n");
    out
}

/// The rows whose value is a plain field of a group with the row's name (checked ones too: their default is put there).
fn plain_fields(api: &Api) -> impl Iterator<Item = &Property> {
    api.properties.iter().filter(|p| {
        p.status == Status::Done
            && !p.is_object()
            && !p.index
            && p.get.is_empty()
            && p.access.readable()
            && p.family.is_empty()
    })
}

fn getter(out: &mut String, p: &Property) {
    let ty = p.ty();
    let index = if p.index { ", index: i32" } else { "" };
    let unused = if p.index && p.status == Status::Planned { ", _index: i32" } else { index };
    let _ = writeln!(out, "    pub fn get_{}(&self{unused}) -> Result<{}> {{", p.name, rust_type(&ty));
    let argument = if p.index { "index" } else { "" };
    let convert = if matches!(ty, Type::Enum(_)) { " as i32" } else { "" };
    let body = if p.status == Status::Planned {
        format!("Ok({})", default_value(p))
    } else if !p.family.is_empty() {
        let zone = if p.local_time { "crate::net::socket::local_offset" } else { "" };
        format!("self.copy_of_certificate(|s| &s.{}).{}({zone})", family_place(p), snake(&p.family_field))
    } else {
        match p.get.as_str() {
            "component" => format!("self.read_{}({argument})", p.name),
            "computed" if p.index && !convert.is_empty() => {
                format!("self.state.lock().{}.{}(index).map(|v| v as i32)", p.on, p.name)
            }
            "computed" if p.index => format!("self.state.lock().{}.{}(index)", p.on, p.name),
            "computed" => format!("Ok(self.state.lock().{}.{}(){convert})", p.on, p.name),
            _ if matches!(ty, Type::Text | Type::Bytes | Type::Certificate) => {
                format!("Ok(self.state.lock().{}.{}.clone())", p.on, p.name)
            }
            _ => format!("Ok(self.state.lock().{}.{}{convert})", p.on, p.name),
        }
    };
    let _ = writeln!(out, "        {body}\n    }}\n");
}

fn setter(out: &mut String, p: &Property) {
    let ty = p.ty();
    let index = match (p.index, p.status) {
        (true, Status::Done) => "index: i32, ",
        (true, Status::Planned) => "_index: i32, ",
        _ => "",
    };
    let _ = writeln!(out, "    pub fn set_{}(&self, {index}value: {}) -> Result<()> {{", p.name, rust_input(&ty));
    if p.status == Status::Planned {
        let same = match ty {
            Type::Text | Type::Bytes if text_default(p).is_empty() => "value.is_empty()".into(),
            Type::Text => format!("value == {:?}", text_default(p)),
            Type::Bytes => format!("value == b{:?}", text_default(p)),
            Type::Certificate => "*value == Certificate::default()".into(),
            _ => format!("value == {}", default_value(p))
                .replace("value == false", "!value")
                .replace("value == true", "value"),
        };
        let _ = writeln!(out, "        planned_set({same}, {:?})\n    }}\n", p.spec);
        return;
    }
    if !p.family.is_empty() {
        let _ = writeln!(
            out,
            "        self.change_certificate(|s| &mut s.{}, &|c| c.set_{}(value))\n    }}\n",
            family_place(p),
            snake(&p.family_field)
        );
        return;
    }
    if let Type::Enum(spec) = &ty {
        let name = camel_type(singular(spec));
        let _ = writeln!(out, "let value = {name}::from_i32(value).ok_or_else(|| wild({:?}, value))?;", p.spec);
    }
    let argument = if p.index { "index, " } else { "" };
    match p.set.as_str() {
        "component" => {
            let _ = writeln!(out, "        self.write_{}({argument}value)", p.name);
        }
        "checked" => {
            let _ = writeln!(out, "        self.state.lock().{}.set_{}({argument}value)", p.on, p.name);
        }
        _ => {
            let own = match ty {
                Type::Text => ".to_string()",
                Type::Bytes => ".to_vec()",
                Type::Certificate => ".clone()",
                _ => "",
            };
            let _ = writeln!(
                out,
                "        let mut state = self.state.lock();\n        state.{}.{} = value{own};",
                p.on, p.name
            );
            if p.on == "message" {
                // What was generated for the message (Date, Message-ID) is made anew after a change.
                out.push_str("        state.message.revision += 1;\n");
            }
            out.push_str("        Ok(())\n");
        }
    }
    out.push_str("    }\n\n");
}

/// The certificate in the state whose field a flattened row is.
fn family_place(p: &Property) -> String {
    format!("{}.{}", p.on, snake(&p.family))
}

fn text_default(p: &Property) -> &str {
    match &p.default {
        Some(Value::Text(t)) => t,
        _ => "",
    }
}

/// The names of enums differ from their plural by an irregular `s`; the description is the only list, so look there first.
fn singular(spec: &str) -> &str {
    match spec {
        "Priorities" => "Priority",
        "Sensitivities" => "Sensitivity",
        "MessageRecipientTypes" => "RecipientType",
        other => other.strip_suffix('s').unwrap_or(other),
    }
}

/// The table behind `ssmtp_get` and `ssmtp_set`, sorted by lower-case name.
fn names(api: &Api) -> String {
    let mut rows: Vec<&Property> = api.properties.iter().collect();
    rows.sort_by_key(|p| p.spec.to_ascii_lowercase());
    let mut out = String::from("use super::by_name::{Name, *};\n\n");
    let _ = writeln!(
        out,
        "/// Every property, sorted by its name in lower case.\npub(super) static NAMES: [Name; {}] = [",
        rows.len()
    );
    for p in rows {
        let _ = writeln!(
            out,
            "Name {{ name: {:?}, index: {}, object: {}, get: {}, set: {} }},",
            p.spec,
            p.index,
            p.is_object(),
            by_name_get(p),
            by_name_set(p)
        );
    }
    out.push_str("];\n");
    out
}

fn by_name_get(p: &Property) -> String {
    if p.is_object() || p.ty() == Type::Certificate || !p.access.readable() {
        return "None".into();
    }
    let (i, argument) = if p.index { ("i", "i") } else { ("_", "") };
    let call = format!("c.get_{}({argument})", p.name);
    let body = match p.ty() {
        Type::Bool => format!("{call}.map(bool_text)"),
        Type::Bytes | Type::Stream => format!("{call}.map(bytes_text)"),
        Type::Text => call,
        _ => format!("{call}.map(|n| n.to_string())"),
    };
    format!("Some(|c, {i}| {body})")
}

fn by_name_set(p: &Property) -> String {
    if p.is_object() || p.ty() == Type::Certificate || !p.access.writable() {
        return "None".into();
    }
    let (i, argument) = if p.index { ("i", "i, ") } else { ("_", "") };
    let value = match p.ty() {
        Type::Bool => format!("parse_bool({:?}, t)?", p.spec),
        Type::Int => format!("parse_int({:?}, t)?", p.spec),
        Type::Enum(spec) => format!(
            "parse_enum({:?}, t, crate::enums::{}::from_text(t).map(|v| v as i32))?",
            p.spec,
            camel_type(singular(&spec))
        ),
        Type::Bytes => format!("&parse_bytes({:?}, t)?", p.spec),
        _ => "t".into(),
    };
    format!("Some(|c, {i}, t| c.set_{}({argument}{value}))", p.name)
}
