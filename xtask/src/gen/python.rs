//! Generator of the Python layers: the ctypes declarations, enums, events, properties, methods, object fields and their
//! tests. Python 3.8; the C rules it follows are those of `include/ssmtp.h`.

mod native;
mod tests;
mod typed;

use super::{File, MARK};
use crate::model::{Api, Property, Type, Value};

const SOURCES: &str = "bindings/python/src/ssmtp";
const TESTS: &str = "bindings/python/tests";
const WIDTH: usize = 100;

pub fn files(api: &Api) -> Vec<File> {
    let source = |name: &str, about: &str, body: String| file(&format!("{SOURCES}/{name}"), about, &body);
    vec![
        source("_native_gen.py", "The C functions, structs and callbacks, for ctypes.", native::body(api)),
        source("_enums_gen.py", "The enumerations and the error numbers.", typed::enums(api)),
        source("_events_gen.py", "The events as handlers get them.", typed::events(api)),
        source("_properties_gen.py", "Properties, methods and handlers of Ssmtp.", typed::component(api)),
        source("_objects_gen.py", "The fields of the smaller objects.", typed::objects(api)),
        file(
            &format!("{TESTS}/test_generated.py"),
            "Default, round trip, wrong type and closed handle of every row.",
            &tests::body(api),
        ),
    ]
}

fn file(path: &str, about: &str, body: &str) -> File {
    File::new(path, format!("# {MARK}\n\"\"\"{about}\"\"\"\n\n{}\n", body.trim_end()))
}

/// The name in Python: the snake name, with an underscore where that is a keyword.
fn attribute(name: &str) -> String {
    match name {
        "from" => "from_".into(),
        other => other.into(),
    }
}

/// A row that Python shows through an object (`smtp.firewall.host`) and by name only: one field of a certificate, of
/// the proxy, of an entry of a list, or the count of a list. The results of a Send are such a list without a row of its own.
fn flattened(api: &Api, p: &Property) -> bool {
    let of_object = |object: &Property| {
        let prefix = object.spec.trim_end_matches('s');
        p.spec != object.spec
            && p.spec.strip_prefix(prefix).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_uppercase()))
    };
    let result = p.spec.starts_with("RecipientResult");
    !p.family.is_empty() || p.index || result || api.properties.iter().filter(|o| o.is_object()).any(of_object)
}

fn py_type(api: &Api, ty: &Type) -> String {
    match ty {
        Type::Bool => "bool".into(),
        Type::Int | Type::Int64 => "int".into(),
        Type::Text => "str".into(),
        Type::Bytes | Type::Stream => "bytes".into(),
        Type::Certificate => "Certificate".into(),
        Type::Enum(name) => enum_name(api, name),
    }
}

fn enum_name(api: &Api, spec: &str) -> String {
    api.enumeration(spec).map_or_else(|_| spec.to_string(), |e| e.name.clone())
}

/// What the accessors of `_access.py` call a kind of value: `_get_text`, `_set_bool`.
fn kind(ty: &Type) -> &'static str {
    match ty {
        Type::Bool => "bool",
        Type::Int | Type::Int64 => "int",
        Type::Text => "text",
        Type::Bytes | Type::Stream => "bytes",
        Type::Certificate => "certificate",
        Type::Enum(_) => "enum",
    }
}

/// A Python literal in double quotes.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            other => out.push(other),
        }
    }
    out + "\""
}

/// A default as Python writes a value of its type; `None` in the description is the empty value.
fn default(ty: &Type, value: Option<&Value>) -> String {
    match (ty, value) {
        (_, Some(Value::Bool(b))) => if *b { "True" } else { "False" }.into(),
        (Type::Bytes, Some(Value::Text(text))) => format!("b{}", quoted(text)),
        (_, Some(Value::Int(n))) => n.to_string(),
        (_, Some(Value::Text(text))) => quoted(text),
        (Type::Bool, None) => "False".into(),
        (Type::Int | Type::Int64 | Type::Enum(_), None) => "0".into(),
        (Type::Bytes | Type::Stream, None) => "b\"\"".into(),
        (Type::Text, None) => "\"\"".into(),
        (Type::Certificate, None) => "None".into(),
    }
}

/// A docstring, wrapped, with its notes as paragraphs of their own.
fn docstring(indent: usize, doc: &str, notes: &[String]) -> String {
    let escape = |text: &str| text.replace('\\', "\\\\").replace("\"\"\"", "\\\"\\\"\\\"");
    let pad = " ".repeat(indent);
    let mut lines = wrap(&escape(doc), WIDTH - indent, 3);
    if lines.len() == 1 && notes.is_empty() && lines[0].len() + indent + 6 <= WIDTH && !lines[0].ends_with('"') {
        return format!("{pad}\"\"\"{}\"\"\"\n", lines[0]);
    }
    for note in notes {
        lines.push(String::new());
        lines.extend(wrap(&escape(note), WIDTH - indent, 0));
    }
    let mut out = format!("{pad}\"\"\"{}\n", lines[0]);
    for line in &lines[1..] {
        out += if line.is_empty() { "" } else { &pad };
        out += line;
        out.push('\n');
    }
    out + &format!("{pad}\"\"\"\n")
}

/// `#:` comments, which documentation tools take for what stands below.
fn comment(indent: usize, doc: &str) -> String {
    let pad = " ".repeat(indent);
    wrap(doc, WIDTH - indent - 3, 0).iter().map(|line| format!("{pad}#: {line}\n")).collect()
}

/// Lines of at most `width` characters; the first one leaves `first` free.
fn wrap(text: &str, width: usize, first: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = first;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        let line = lines.last_mut().expect("there is always a line");
        if line.is_empty() {
            line.push_str(word);
            used += length;
        } else if used + 1 + length <= width {
            line.push(' ');
            line.push_str(word);
            used += 1 + length;
        } else {
            lines.push(word.to_string());
            used = length;
        }
    }
    lines
}
