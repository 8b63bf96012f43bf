//! Generator of the library's own Rust: error numbers, enums, the table of settings, the component's accessors with the
//! table of names, and the C shims.

use super::{File, MARK};
use crate::model::{
    Api, CFunction, CParam, CType, Enum, Event, Property, Setting, Source, Status, Type, Value, snake,
};
use std::fmt::Write as _;

pub fn files(api: &Api) -> Vec<File> {
    vec![
        made("src/error/codes.rs", codes(api)),
        made("src/enums.rs", enums(api)),
        made("src/config/table.rs", settings(api)),
        made("src/component/gen.rs", accessors(api)),
        made("src/component/names.rs", names(api)),
        made("src/ffi/gen/mod.rs", ffi_mod()),
        made("src/ffi/gen/enums.rs", ffi_enums(api)),
        made("src/ffi/gen/properties.rs", ffi_properties(api)),
        made("src/ffi/gen/methods.rs", ffi_methods(api)),
        made("src/ffi/gen/events.rs", ffi_events(api)),
        made("tests/abi/exports.txt", exports(api)),
    ]
}

fn made(path: &str, body: String) -> File {
    if path.ends_with(".txt") {
        return File::new(path, body);
    }
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
fn camel_type(name: &str) -> String {
    camel(&snake(name).to_ascii_uppercase())
}

fn doc(out: &mut String, indent: &str, text: &str) {
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
    out.push_str("}\n\nimpl Code {\n    /// Every number, in the order of the description.\n    pub const ALL: &[Code] = &[\n");
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
        let _ = writeln!(
            out,
            "#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]\n#[repr(i32)]\npub enum {name} {{"
        );
        let default = enum_default(api, e);
        for m in &e.members {
            doc(&mut out, "    ", &m.doc);
            if m.value == default {
                out.push_str("    #[default]\n");
            }
            let _ = writeln!(out, "    {} = {},", camel(&m.name), m.value);
        }
        let _ = writeln!(out, "}}\n\nimpl {name} {{\n    pub fn from_i32(value: i32) -> Option<{name}> {{\n        match value {{");
        for m in &e.members {
            let _ = writeln!(out, "{} => Some({name}::{}),", m.value, camel(&m.name));
        }
        out.push_str("_ => None,\n        }\n    }\n\n    /// By its number or by the specification's name, in any case.\n");
        let _ = writeln!(out, "    pub fn from_text(text: &str) -> Option<{name}> {{\n        if let Ok(number) = text.parse() {{\n            return {name}::from_i32(number);\n        }}");
        for m in &e.members {
            let _ = writeln!(out, "if text.eq_ignore_ascii_case({:?}) {{ return Some({name}::{}); }}", m.spec, camel(&m.name));
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
    let mut out = String::from("use super::{Access, Default, Kind, Row};\n\n/// The settings by name.\n#[derive(Debug, Clone, Copy, PartialEq, Eq)]\npub enum Setting {\n");
    for s in &api.settings {
        let _ = writeln!(out, "    {},", setting_variant(s));
    }
    let _ = writeln!(out, "}}\n\n/// What each setting is, in the order of [`Setting`].\npub static TABLE: [Row; {}] = [", api.settings.len());
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
    let mut out = String::from(
        "use super::{Component, State, planned_set, wild};\nuse crate::certs::Certificate;\nuse crate::enums::*;\nuse crate::error::Result;\n\n\
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
            _ => format!("value == {}", default_value(p)).replace("value == false", "!value").replace("value == true", "value"),
        };
        let _ = writeln!(out, "        planned_set({same}, {:?})\n    }}\n", p.spec);
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
            let _ = writeln!(out, "        let mut state = self.state.lock();\n        state.{}.{} = value{own};", p.on, p.name);
            if p.on == "message" {
                // What was generated for the message (Date, Message-ID) is made anew after a change.
                out.push_str("        state.message.revision += 1;\n");
            }
            out.push_str("        Ok(())\n");
        }
    }
    out.push_str("    }\n\n");
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
    let _ = writeln!(out, "/// Every property, sorted by its name in lower case.\npub(super) static NAMES: [Name; {}] = [", rows.len());
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
        Type::Enum(spec) => format!("parse_enum({:?}, t, crate::enums::{}::from_text(t).map(|v| v as i32))?", p.spec, camel_type(singular(&spec))),
        Type::Bytes => format!("&parse_bytes({:?}, t)?", p.spec),
        _ => "t".into(),
    };
    format!("Some(|c, {i}, t| c.set_{}({argument}{value}))", p.name)
}

fn ffi_mod() -> String {
    "mod enums;\nmod events;\nmod methods;\nmod properties;\n\npub use enums::*;\npub use events::*;\npub use methods::*;\npub use properties::*;\n".into()
}

fn ffi_enums(api: &Api) -> String {
    let mut out = String::from("#![allow(non_camel_case_types, clippy::enum_variant_names, clippy::upper_case_acronyms)]\n\n");
    for e in &api.enums {
        doc(&mut out, "", &e.doc);
        let name = format!("ssmtp_{}", snake(&e.name));
        let _ = writeln!(out, "#[repr(C)]\npub enum {name} {{");
        for m in &e.members {
            doc(&mut out, "    ", &m.doc);
            let _ = writeln!(out, "    {}_{} = {},", name.to_ascii_uppercase(), m.name, m.value);
        }
        out.push_str("}\n\n");
    }
    out.push_str("/// The numbers that functions return; 0 is success.\n#[repr(C)]\npub enum ssmtp_error {\n");
    for e in &api.errors {
        doc(&mut out, "    ", &e.doc);
        let _ = writeln!(out, "    SSMTP_ERROR_{} = {},", e.name, e.code);
    }
    out.push_str("}\n");
    out
}

/// The names of the types that no function mentions and the header must show all the same.
pub fn header_types(api: &Api) -> Vec<String> {
    let mut all: Vec<String> = api.enums.iter().map(|e| format!("ssmtp_{}", snake(&e.name))).collect();
    all.push("ssmtp_error".into());
    all
}

fn rust_param(p: &CParam) -> String {
    let ty = match p.ctype {
        CType::Handle => "*mut ssmtp_t".to_string(),
        CType::Cert => "*mut ssmtp_cert_t".into(),
        CType::CertOut => "*mut *mut ssmtp_cert_t".into(),
        CType::Text => "*const c_char".into(),
        CType::TextOut => "*mut *mut c_char".into(),
        CType::Bytes => "*const u8".into(),
        CType::Size => "usize".into(),
        CType::BytesOut => "*mut *mut u8".into(),
        CType::SizeOut => "*mut usize".into(),
        CType::Int => "i32".into(),
        CType::IntOut => "*mut i32".into(),
        CType::Int64 => "i64".into(),
        CType::Callback => format!("ssmtp_{}_cb", p.event),
        CType::UserData => "*mut c_void".into(),
        CType::ReadCallback => "ssmtp_read_cb".into(),
        CType::CloseCallback => "ssmtp_close_cb".into(),
        CType::HandleArray => "*const *mut ssmtp_t".into(),
        CType::IntArray => "*mut i32".into(),
    };
    format!("{}: {ty}", p.name)
}

fn signature(out: &mut String, f: &CFunction, lead: &str) {
    let text = format!("{lead}{}", f.doc.trim());
    doc(out, "", &text);
    let params: Vec<String> = f.params.iter().map(rust_param).collect();
    let _ = writeln!(out, "#[unsafe(no_mangle)]\npub unsafe extern \"C\" fn {}({}) -> i32 {{", f.name, params.join(", "));
}

fn ffi_properties(api: &Api) -> String {
    let mut out = String::from(
        "use crate::ffi::guard;\nuse crate::ffi::handle::{ssmtp_cert_t, ssmtp_t};\nuse libc::c_char;\n\n",
    );
    for f in api.c_functions() {
        match &f.source {
            Source::Getter(spec) => {
                let p = api.properties.iter().find(|p| p.spec == *spec).expect("the row it came from");
                signature(&mut out, &f, &format!("Reads {spec}. "));
                let argument = if p.index { "index" } else { "" };
                let length = if p.ty() == Type::Bytes { ", length" } else { "" };
                let _ = writeln!(out, "    unsafe {{ guard::get_{}(handle, value{length}, |c| c.get_{}({argument})) }}\n}}\n", suffix(&p.ty()), p.name);
            }
            Source::Setter(spec) => {
                let p = api.properties.iter().find(|p| p.spec == *spec).expect("the row it came from");
                signature(&mut out, &f, &format!("Sets {spec}. "));
                let argument = if p.index { "index, " } else { "" };
                let length = if p.ty() == Type::Bytes { ", length" } else { "" };
                let _ = writeln!(out, "    unsafe {{ guard::set_{}(handle, value{length}, |c, v| c.set_{}({argument}v)) }}\n}}\n", suffix(&p.ty()), p.name);
            }
            Source::CertGetter(spec) => {
                let field = cert_field(api, spec);
                signature(&mut out, &f, &format!("Reads {spec} of a certificate. "));
                let length = if field == Type::Bytes { ", length" } else { "" };
                let _ = writeln!(out, "    unsafe {{ guard::cert_get_{}(cert, value{length}, |c| c.{}()) }}\n}}\n", suffix(&field), snake(spec));
            }
            Source::CertSetter(spec) => {
                let field = cert_field(api, spec);
                signature(&mut out, &f, &format!("Sets {spec} of a certificate. "));
                let length = if field == Type::Bytes { ", length" } else { "" };
                let _ = writeln!(out, "    unsafe {{ guard::cert_set_{}(cert, value{length}, |c, v| c.set_{}(v)) }}\n}}\n", suffix(&field), snake(spec));
            }
            _ => {}
        }
    }
    out
}

fn cert_field(api: &Api, spec: &str) -> Type {
    let cert = api.object("Certificate").expect("the type is described");
    let field = cert.fields.iter().find(|f| f.spec == spec).expect("the field it came from");
    Type::parse(&field.type_name)
}

/// The guard that fits a type: `guard::get_<suffix>`.
fn suffix(ty: &Type) -> &'static str {
    match ty {
        Type::Bool => "bool",
        Type::Int | Type::Enum(_) | Type::Int64 => "int",
        Type::Text => "text",
        Type::Bytes | Type::Stream => "bytes",
        Type::Certificate => "cert",
    }
}

fn ffi_methods(api: &Api) -> String {
    let mut out = String::from("use crate::ffi::guard;\nuse crate::ffi::handle::ssmtp_t;\nuse crate::ffi::text;\nuse libc::c_char;\n\n");
    for f in api.c_functions() {
        let Source::Method(spec) = &f.source else { continue };
        let m = api.methods.iter().find(|m| m.spec == *spec).expect("the row it came from");
        signature(&mut out, &f, "");
        let mut lets = String::new();
        let mut arguments = Vec::new();
        for p in &m.params {
            match Type::parse(&p.type_name) {
                Type::Text => {
                    let _ = writeln!(lets, "let {0} = unsafe {{ text::input(c, {0}) }}?;", p.name);
                    arguments.push(format!("&{}", p.name));
                }
                Type::Bytes => {
                    let _ = writeln!(lets, "let {0} = unsafe {{ text::octets({0}, length) }}?;", p.name);
                    arguments.push(p.name.clone());
                }
                _ => arguments.push(p.name.clone()),
            }
        }
        let call = if m.status == Status::Planned {
            format!("c.planned({:?})", m.spec)
        } else {
            format!("c.{}({})", m.name, arguments.join(", "))
        };
        let lets = if m.status == Status::Planned { lets.replace("let ", "let _") } else { lets };
        if m.returns.is_empty() {
            let _ = writeln!(out, "    guard::run(handle, |c| {{ {lets}{call} }})\n}}\n");
        } else {
            let lets = lets.replace("unsafe { ", "").replace(" }?", "?");
            let _ = writeln!(out, "    unsafe {{ guard::get_text(handle, value, |c| {{ {lets}{call} }}) }}\n}}\n");
        }
    }
    out
}

fn ffi_events(api: &Api) -> String {
    let mut out = String::from(
        "#![allow(non_camel_case_types)]\n\nuse crate::events::{self, Kind};\nuse crate::ffi::callbacks::{Callback, Shown, set};\nuse crate::ffi::handle::ssmtp_t;\nuse libc::{c_char, c_void};\n\n",
    );
    for e in &api.events {
        event_struct(&mut out, e);
    }
    out.push_str("/// A callback as it was set, by event.\n#[derive(Clone, Copy)]\npub enum Function {\n");
    for e in &api.events {
        let _ = writeln!(out, "    {}(unsafe extern \"C\" fn(*mut ssmtp_t, *mut ssmtp_{}_event, *mut c_void) -> i32),", camel_type(&e.spec), e.name);
    }
    out.push_str("}\n\n");
    for e in &api.events {
        event_fire(&mut out, e);
    }
    for f in api.c_functions() {
        let Source::Event(spec) = &f.source else { continue };
        signature(&mut out, &f, "");
        let variant = camel_type(spec);
        let _ = writeln!(out, "    set(handle, Kind::{variant}, callback.map(Function::{variant}), userdata)\n}}\n");
    }
    out
}

fn event_struct(out: &mut String, e: &Event) {
    doc(out, "", &e.doc);
    let _ = writeln!(out, "#[repr(C)]\npub struct ssmtp_{}_event {{\n    /// Size of this struct in bytes; it only grows, at its end.\n    pub size: u32,", e.name);
    for f in &e.fields {
        doc(out, "    ", &f.doc);
        let name = &f.name;
        match Type::parse(&f.type_name) {
            Type::Int64 => {
                let _ = writeln!(out, "    pub {name}: i64,");
            }
            Type::Text => {
                let _ = writeln!(out, "    pub {name}: *const c_char,\n    /// Length of `{name}` in bytes, its final NUL not counted.\n    pub {name}_len: usize,");
            }
            Type::Bytes => {
                let _ = writeln!(out, "    pub {name}: *const u8,\n    /// Length of `{name}` in bytes.\n    pub {name}_len: usize,");
            }
            _ => {
                let _ = writeln!(out, "    pub {name}: i32,");
            }
        }
    }
    let _ = writeln!(
        out,
        "}}\n\n/// Called on the thread that runs the operation, with no lock held. Return 0 to go on, anything else to stop the operation with error 301.\npub type ssmtp_{0}_cb = Option<unsafe extern \"C\" fn(handle: *mut ssmtp_t, event: *mut ssmtp_{0}_event, userdata: *mut c_void) -> i32>;\n",
        e.name
    );
}

fn event_fire(out: &mut String, e: &Event) {
    let inout = e.fields.iter().any(|f| f.inout);
    let event = if inout { "&mut events::" } else { "&events::" };
    let life = if e.fields.iter().any(|f| matches!(Type::parse(&f.type_name), Type::Text | Type::Bytes)) { "<'_>" } else { "" };
    let _ = writeln!(
        out,
        "pub(crate) fn fire_{}(callback: Callback, handle: *mut ssmtp_t, event: {event}{}{life}) -> i32 {{\n    let Function::{}(function) = callback.function else {{ return 0 }};",
        e.name,
        camel_type(&e.spec),
        camel_type(&e.spec)
    );
    for f in &e.fields {
        if Type::parse(&f.type_name) == Type::Text {
            let _ = writeln!(out, "    let {0} = Shown::new(event.{0});", f.name);
        }
    }
    let _ = writeln!(out, "    let mut c = ssmtp_{0}_event {{\n        size: size_of::<ssmtp_{0}_event>() as u32,", e.name);
    for f in &e.fields {
        let n = &f.name;
        let _ = match Type::parse(&f.type_name) {
            Type::Text => writeln!(out, "        {n}: {n}.as_ptr(),\n        {n}_len: {n}.len(),"),
            Type::Bytes => writeln!(out, "        {n}: event.{n}.as_ptr(),\n        {n}_len: event.{n}.len(),"),
            Type::Bool => writeln!(out, "        {n}: i32::from(event.{n}),"),
            _ => writeln!(out, "        {n}: event.{n},"),
        };
    }
    let _ = writeln!(
        out,
        "    }};\n    // SAFETY: the caller promised with `ssmtp_on_{}` that the function takes these; the struct and its texts outlive the call.",
        e.name
    );
    let call = "unsafe { function(handle, &mut c, callback.userdata()) }";
    if !inout {
        let _ = writeln!(out, "    {call}\n}}\n");
        return;
    }
    let _ = writeln!(out, "    let answer = {call};");
    for f in e.fields.iter().filter(|f| f.inout) {
        let _ = writeln!(out, "    event.{0} = c.{0} != 0;", f.name);
    }
    out.push_str("    answer\n}\n\n");
}

fn exports(api: &Api) -> String {
    let mut all: Vec<String> = api.c_functions().into_iter().map(|f| f.name).collect();
    all.sort();
    all.join("\n") + "\n"
}
