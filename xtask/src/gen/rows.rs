//! Generator of the rows a component has: what can be read and written by type, the accessors, the table of names.

use super::File;
use super::rust::{camel_type, made, word_list};
use crate::model::{Access, Api, ObjectField, Property, Status, Type, Value, snake};
use std::fmt::Write as _;

pub fn files(api: &Api) -> Vec<File> {
    vec![
        made("src/component/rows.rs", rows(api)),
        made("src/component/gen.rs", accessors(api)),
        made("src/component/names.rs", names(api)),
    ]
}

/// The kinds of value, each with an enum of rows to read and one of rows to write.
const KINDS: [Kind; 5] = [Kind::Bool, Kind::Int, Kind::Text, Kind::Bytes, Kind::Cert];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Bool,
    Int,
    Text,
    Bytes,
    Cert,
}

impl Kind {
    fn of(ty: &Type) -> Kind {
        match ty {
            Type::Bool => Kind::Bool,
            Type::Int | Type::Enum(_) | Type::Int64 => Kind::Int,
            Type::Text => Kind::Text,
            Type::Bytes | Type::Stream => Kind::Bytes,
            Type::Certificate => Kind::Cert,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Kind::Bool => "Bool",
            Kind::Int => "Int",
            Kind::Text => "Text",
            Kind::Bytes => "Bytes",
            Kind::Cert => "Cert",
        }
    }

    /// The end of the accessors' names.
    fn suffix(self) -> &'static str {
        match self {
            Kind::Bool => "bool",
            Kind::Int => "int",
            Kind::Text => "text",
            Kind::Bytes => "bytes",
            Kind::Cert => "cert",
        }
    }

    /// What the accessors hand out.
    fn output(self) -> &'static str {
        match self {
            Kind::Bool => "bool",
            Kind::Int => "i32",
            Kind::Text => "String",
            Kind::Bytes => "Vec<u8>",
            Kind::Cert => "Certificate",
        }
    }

    /// What they take.
    fn input(self) -> &'static str {
        match self {
            Kind::Bool => "bool",
            Kind::Int => "i32",
            Kind::Text => "&str",
            Kind::Bytes => "&[u8]",
            Kind::Cert => "&Certificate",
        }
    }
}

/// Reading or writing, the two modules of enums.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Get,
    Set,
}

impl Way {
    fn module(self) -> &'static str {
        match self {
            Way::Get => "get",
            Way::Set => "set",
        }
    }

    fn open(self, access: Access) -> bool {
        match self {
            Way::Get => access.readable(),
            Way::Set => access.writable(),
        }
    }
}

/// The rows of one kind that are not a certificate's field.
fn own_rows(api: &Api, way: Way, kind: Kind) -> impl Iterator<Item = &Property> {
    api.properties
        .iter()
        .filter(move |p| !p.is_object() && p.family.is_empty() && way.open(p.access) && Kind::of(&p.ty()) == kind)
}

/// The fields of one kind that a certificate has.
fn cert_rows(api: &Api, way: Way, kind: Kind) -> impl Iterator<Item = &ObjectField> {
    let cert = api.object("Certificate").expect("the type is described");
    cert.fields.iter().filter(move |f| way.open(f.access) && Kind::of(&Type::parse(&f.type_name)) == kind)
}

/// The certificates of the state whose fields are rows: the first row of each.
fn families(api: &Api) -> Vec<&Property> {
    let mut all: Vec<&Property> = Vec::new();
    for p in api.properties.iter().filter(|p| !p.family.is_empty()) {
        if !all.iter().any(|known| known.family == p.family) {
            all.push(p);
        }
    }
    all
}

fn has_index(api: &Api, way: Way, kind: Kind) -> bool {
    own_rows(api, way, kind).any(|p| p.index)
}

/// A row as an expression: `get::Text::From`, `set::Text::OfCert(Family::SslCert, set::CertText::Store)`.
fn row(p: &Property, way: Way) -> String {
    let (module, kind) = (way.module(), Kind::of(&p.ty()).name());
    if p.family.is_empty() {
        return format!("{module}::{kind}::{}", camel_type(&p.spec));
    }
    let (family, field) = (camel_type(&p.family), camel_type(&p.family_field));
    format!("{module}::{kind}::OfCert(Family::{family}, {module}::Cert{kind}::{field})")
}

/// What a C function hands to the guard to read a property: the row, and the index where any row of its kind has one.
pub fn to_get(api: &Api, p: &Property) -> String {
    arguments(api, p, Way::Get)
}

/// The same to write it.
pub fn to_set(api: &Api, p: &Property) -> String {
    arguments(api, p, Way::Set)
}

fn arguments(api: &Api, p: &Property, way: Way) -> String {
    let index = match (has_index(api, way, Kind::of(&p.ty())), p.index) {
        (false, _) => "",
        (true, false) => ", 0",
        (true, true) => ", index",
    };
    format!("{}{index}", row(p, way))
}

/// The end of the guard's and the component's functions for a type: `get_text`.
pub fn suffix(ty: &Type) -> &'static str {
    Kind::of(ty).suffix()
}

/// A field of a certificate: `get::CertText::Subject`.
pub fn cert_getter_row(f: &ObjectField) -> String {
    cert_row(f, Way::Get)
}

pub fn cert_setter_row(f: &ObjectField) -> String {
    cert_row(f, Way::Set)
}

fn cert_row(f: &ObjectField, way: Way) -> String {
    let kind = Kind::of(&Type::parse(&f.type_name)).name();
    format!("{}::Cert{kind}::{}", way.module(), camel_type(&f.spec))
}

fn rows(api: &Api) -> String {
    let mut out = String::from(
        "/// The certificates of the state whose fields are rows.\n#[derive(Debug, Clone, Copy, PartialEq, Eq)]\n#[repr(u8)]\npub enum Family {\n",
    );
    for p in families(api) {
        let _ = writeln!(out, "    {},", camel_type(&p.family));
    }
    out.push_str("}\n");
    for (way, verb) in [(Way::Get, "read"), (Way::Set, "written")] {
        let _ = writeln!(out, "\n/// What can be {verb}, by the type of the value.\npub mod {} {{", way.module());
        out.push_str("    use super::Family;\n\n");
        for kind in KINDS {
            row_enums(&mut out, api, way, kind);
        }
        out.push_str("}\n");
    }
    out
}

fn row_enums(out: &mut String, api: &Api, way: Way, kind: Kind) {
    let open = |out: &mut String, name: &str| {
        let _ = writeln!(out, "#[derive(Debug, Clone, Copy, PartialEq, Eq)]\n#[repr(u8)]\npub enum {name} {{");
    };
    let fields: Vec<_> = cert_rows(api, way, kind).collect();
    open(out, kind.name());
    for p in own_rows(api, way, kind) {
        let _ = writeln!(out, "    {},", camel_type(&p.spec));
    }
    if !fields.is_empty() {
        let _ = writeln!(out, "    OfCert(Family, Cert{}),", kind.name());
    }
    out.push_str("}\n\n");
    if fields.is_empty() {
        return;
    }
    open(out, &format!("Cert{}", kind.name()));
    for f in fields {
        let _ = writeln!(out, "    {},", camel_type(&f.spec));
    }
    out.push_str("}\n\n");
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
    let mut out = format!(
        "use super::rows::{{Family, get, set}};\nuse super::{{Component, State, {planned}wild}};\n\
         use crate::certs::Certificate;\nuse crate::enums::*;\nuse crate::error::Result;\n\
         use crate::net::socket::local_offset;\n\n\
         /// Gives every field of a fresh state the default that the description tells, where it is not empty, zero or false.\n\
         pub(crate) fn apply_defaults(state: &mut State) {{\n"
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
    out.push_str("}\n\n");
    family_places(&mut out, api);
    out.push_str("impl Component {\n");
    for kind in KINDS {
        getter(&mut out, api, kind);
        setter(&mut out, api, kind);
    }
    out.push_str("}\n");
    for kind in KINDS {
        cert_getter(&mut out, api, kind);
        cert_setter(&mut out, api, kind);
    }
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

fn family_places(out: &mut String, api: &Api) {
    out.push_str("impl Family {\n");
    for (name, reference) in [("of", "&"), ("of_mut", "&mut ")] {
        let _ = writeln!(
            out,
            "    pub(super) fn {name}(self, state: {reference}State) -> {reference}Certificate {{\n        match self {{"
        );
        for p in families(api) {
            let place = format!("{}.{}", p.on, snake(&p.family));
            let _ = writeln!(out, "Family::{} => {reference}state.{place},", camel_type(&p.family));
        }
        out.push_str("        }\n    }\n\n");
    }
    out.push_str("}\n\n");
}

/// One function for all rows of a kind: what each takes of its own is a line in a table of jumps.
fn getter(out: &mut String, api: &Api, kind: Kind) {
    let (suffix, name) = (kind.suffix(), kind.name());
    let index = if has_index(api, Way::Get, kind) { ", index: i32" } else { "" };
    let _ = writeln!(
        out,
        "    pub fn get_{suffix}(&self, what: get::{name}{index}) -> Result<{}> {{\n        let state = self.state.lock();\n        match what {{",
        kind.output()
    );
    for p in own_rows(api, Way::Get, kind) {
        let _ = writeln!(out, "get::{name}::{} => {},", camel_type(&p.spec), read(p));
    }
    if cert_rows(api, Way::Get, kind).next().is_some() {
        // Its fields are made without the lock.
        let _ = writeln!(
            out,
            "get::{name}::OfCert(family, field) => {{\n let cert = family.of(&state).clone();\n drop(state);\n field.of(&cert)\n }}"
        );
    }
    out.push_str("        }\n    }\n\n");
}

/// What reading a row does.
fn read(p: &Property) -> String {
    let ty = p.ty();
    let argument = if p.index { "index" } else { "" };
    let convert = if matches!(ty, Type::Enum(_)) { " as i32" } else { "" };
    if p.status == Status::Planned {
        return format!("Ok({})", default_value(p));
    }
    match p.get.as_str() {
        "component" => format!("{{ drop(state); self.read_{}({argument}) }}", p.name),
        "computed" if p.index && !convert.is_empty() => {
            format!("state.{}.{}(index).map(|v| v as i32)", p.on, p.name)
        }
        "computed" if p.index => format!("state.{}.{}(index)", p.on, p.name),
        "computed" => format!("Ok(state.{}.{}(){convert})", p.on, p.name),
        _ if matches!(ty, Type::Text | Type::Bytes | Type::Certificate) => {
            format!("Ok(state.{}.{}.clone())", p.on, p.name)
        }
        _ => format!("Ok(state.{}.{}{convert})", p.on, p.name),
    }
}

fn setter(out: &mut String, api: &Api, kind: Kind) {
    let (suffix, name) = (kind.suffix(), kind.name());
    let index = if has_index(api, Way::Set, kind) { ", index: i32" } else { "" };
    let _ = writeln!(
        out,
        "    pub fn set_{suffix}(&self, what: set::{name}{index}, value: {}) -> Result<()> {{\n        let mut state = self.state.lock();\n        match what {{",
        kind.input()
    );
    for p in own_rows(api, Way::Set, kind) {
        let _ = writeln!(out, "set::{name}::{} => {}", camel_type(&p.spec), write(p));
    }
    if cert_rows(api, Way::Set, kind).next().is_some() {
        let _ = writeln!(
            out,
            "set::{name}::OfCert(family, field) => {{\n drop(state);\n self.change_certificate(family, &|cert| field.put(cert, value))\n }}"
        );
    }
    out.push_str("        }\n    }\n\n");
}

/// What writing a row does, the arm of a match.
fn write(p: &Property) -> String {
    let ty = p.ty();
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
        return format!("planned_set({same}, {:?}),", p.spec);
    }
    let argument = if p.index { "index, " } else { "" };
    let value = match &ty {
        Type::Enum(spec) => {
            format!("{}::from_i32(value).ok_or_else(|| wild({:?}, value))?", camel_type(singular(spec)), p.spec)
        }
        _ => "value".to_string(),
    };
    match p.set.as_str() {
        "component" => format!("{{ drop(state); self.write_{}({argument}{value}) }}", p.name),
        "checked" => format!("state.{}.set_{}({argument}{value}),", p.on, p.name),
        _ => {
            let own = match ty {
                Type::Text => ".to_string()",
                Type::Bytes => ".to_vec()",
                Type::Certificate => ".clone()",
                _ => "",
            };
            // What was generated for the message (Date, Message-ID) is made anew after a change.
            let anew = if p.on == "message" { "state.message.revision += 1;\n" } else { "" };
            format!("{{\nstate.{}.{} = {value}{own};\n{anew}Ok(())\n}}", p.on, p.name)
        }
    }
}

fn cert_getter(out: &mut String, api: &Api, kind: Kind) {
    if cert_rows(api, Way::Get, kind).next().is_none() {
        return;
    }
    let (name, output) = (kind.name(), kind.output());
    let _ = writeln!(
        out,
        "\nimpl get::Cert{name} {{\n    pub fn of(self, cert: &Certificate) -> Result<{output}> {{\n        match self {{"
    );
    for f in cert_rows(api, Way::Get, kind) {
        let zone = if f.local_time { "local_offset" } else { "" };
        let _ = writeln!(out, "get::Cert{name}::{} => cert.{}({zone}),", camel_type(&f.spec), snake(&f.spec));
    }
    out.push_str("        }\n    }\n}\n");
}

fn cert_setter(out: &mut String, api: &Api, kind: Kind) {
    if cert_rows(api, Way::Set, kind).next().is_none() {
        return;
    }
    let (name, input) = (kind.name(), kind.input());
    let _ = writeln!(
        out,
        "\nimpl set::Cert{name} {{\n    pub fn put(self, cert: &mut Certificate, value: {input}) -> Result<()> {{\n        match self {{"
    );
    for f in cert_rows(api, Way::Set, kind) {
        let _ = writeln!(out, "set::Cert{name}::{} => cert.set_{}(value),", camel_type(&f.spec), snake(&f.spec));
    }
    out.push_str("        }\n    }\n}\n");
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

/// The tables behind `ssmtp_get` and `ssmtp_set`. The names are one text and the rows plain octets: a pointer for each name
/// would cost the library more than the names.
fn names(api: &Api) -> String {
    let own: Vec<&Property> = api.properties.iter().filter(|p| p.family.is_empty()).collect();
    let mut out = String::from(
        "use super::by_name::{CertGet, CertRow, CertSet, Get, Row, Set};\nuse super::rows::{Family, get, set};\nuse crate::config::words::{Words, starts};\nuse crate::enums::*;\n\n",
    );
    let words: Vec<&str> = own.iter().map(|p| p.spec.as_str()).collect();
    word_list(&mut out, "pub(super)", "The names of the properties, in the order of [`ROWS`].", "NAMES", &words);
    let _ = writeln!(out, "pub(super) static ROWS: [Row; {}] = [", own.len());
    for p in &own {
        let way = |way: Way| if way.open(p.access) && !p.is_object() { by_name(p, way) } else { "None".into() };
        let (get, set) = (way(Way::Get), way(Way::Set));
        let _ = writeln!(out, "Row {{ get: {get}, set: {set}, index: {}, object: {} }},", p.index, p.is_object());
    }
    out.push_str("];\n\n");
    let families = families(api);
    let words: Vec<&str> = families.iter().map(|p| p.family.as_str()).collect();
    word_list(
        &mut out,
        "pub(super)",
        "The certificates whose fields are properties, in the order of [`FAMILIES`].",
        "PREFIXES",
        &words,
    );
    let _ = writeln!(
        out,
        "/// Whether they can be written.\npub(super) static FAMILIES: [(Family, bool); {}] = [",
        families.len()
    );
    for f in &families {
        let written = api.properties.iter().any(|p| p.family == f.family && p.access.writable());
        let _ = writeln!(out, "(Family::{}, {written}),", camel_type(&f.family));
    }
    out.push_str("];\n\n");
    let cert = api.object("Certificate").expect("the type is described");
    let words: Vec<&str> = cert.fields.iter().map(|f| f.spec.as_str()).collect();
    word_list(&mut out, "pub(super)", "The fields of a certificate, in the order of [`FIELD_ROWS`].", "FIELDS", &words);
    let _ = writeln!(out, "pub(super) static FIELD_ROWS: [CertRow; {}] = [", cert.fields.len());
    for f in &cert.fields {
        let kind = Kind::of(&Type::parse(&f.type_name)).name();
        let set = format!("Some(CertSet::{kind}({}))", cert_row(f, Way::Set));
        let set = if f.access.writable() { set.as_str() } else { "None" };
        let _ = writeln!(out, "CertRow {{ get: CertGet::{kind}({}), set: {set} }},", cert_row(f, Way::Get));
    }
    out.push_str("];\n\n");
    named_numbers(&mut out, api);
    out
}

/// `Some(Get::Text(get::Text::From))`, or None for what has no text.
fn by_name(p: &Property, way: Way) -> String {
    let kind = Kind::of(&p.ty());
    let verb = if way == Way::Get { "Get" } else { "Set" };
    if kind == Kind::Cert { "None".into() } else { format!("Some({verb}::{}({}))", kind.name(), row(p, way)) }
}

/// The enumerations' names for rows that take one.
fn named_numbers(out: &mut String, api: &Api) {
    out.push_str("/// The names that a number of an enumeration goes by, as [`crate::enums::number`] takes them.\n");
    out.push_str("pub(super) fn members(what: set::Int) -> Option<&'static str> {\n    match what {\n");
    let name = |p: &Property| match p.ty() {
        Type::Enum(spec) => Some(camel_type(singular(&spec))),
        _ => None,
    };
    for p in own_rows(api, Way::Set, Kind::Int) {
        if let Some(name) = name(p) {
            let _ = writeln!(out, "set::Int::{} => Some({name}::NAMES),", camel_type(&p.spec));
        }
    }
    for f in cert_rows(api, Way::Set, Kind::Int) {
        if let Type::Enum(spec) = Type::parse(&f.type_name) {
            let field = camel_type(&f.spec);
            let _ = writeln!(
                out,
                "set::Int::OfCert(_, set::CertInt::{field}) => Some({}::NAMES),",
                camel_type(singular(&spec))
            );
        }
    }
    out.push_str("        _ => None,\n    }\n}\n");
}
