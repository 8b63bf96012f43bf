//! Generator: the reference pages `docs/reference/*.md`, one a kind of row, and their index. What a row means is its
//! `doc`; this file only says type, access, default, C functions and status the same way everywhere.

use super::{File, MARK};
use crate::model::{Access, Api, CFunction, CParam, CType, ObjectField, Property, Source, Status, Type, Value};
use std::fmt::Write;

/// The state groups in the order of the page, with what a reader calls them.
const GROUPS: [(&str, &str); 6] = [
    ("server", "Server and session"),
    ("message", "Message and recipients"),
    ("results", "Results of the last Send"),
    ("smime", "Signing and encrypting"),
    ("tls", "TLS"),
    ("firewall", "Proxy"),
];

pub fn files(api: &Api) -> Vec<File> {
    let functions = api.c_functions();
    let pages = [
        ("README", index(api, functions.len())),
        ("properties", properties(api, &functions)),
        ("methods", methods(api, &functions)),
        ("events", events(api)),
        ("settings", settings(api)),
        ("types", types(api)),
        ("enums", enums(api)),
        ("errors", errors(api)),
        ("functions", c_functions(api, &functions)),
    ];
    pages.into_iter().map(|(name, body)| page(name, &body)).collect()
}

fn page(name: &str, body: &str) -> File {
    File::new(format!("docs/reference/{name}.md"), format!("<!-- {MARK} -->\n\n{}\n", body.trim_end()))
}

fn index(api: &Api, functions: usize) -> String {
    let shown = api.properties.iter().filter(|p| p.family.is_empty()).count();
    let mut out = String::from("# Reference\n\n");
    let constructors = api.constructors.len();
    let rows = [
        ("properties", format!("{} properties: {shown}, and the fields of the certificates", api.properties.len())),
        ("methods", format!("{} methods", api.methods.len())),
        ("events", format!("{} events", api.events.len())),
        ("settings", format!("{} settings, read and written by `Config`", api.settings.len())),
        ("types", format!("{} object types with their {constructors} constructors", api.types.len())),
        ("enums", format!("{} enumerations", api.enums.len())),
        ("errors", format!("{} error numbers", api.errors.len())),
        ("functions", format!("{functions} C functions")),
    ];
    for (name, text) in rows {
        let _ = writeln!(out, "- [{name}]({name}.md): {text}");
    }
    out.push_str(CONVENTIONS);
    out
}

const CONVENTIONS: &str = "
## How a row is reached

| | C | C++ | Python | C# | by name |
| --- | --- | --- | --- | --- | --- |
| property | `ssmtp_get_mail_port(h, &n)`, `ssmtp_set_mail_port(h, n)` | `mail_port()`, `mail_port(n)` | `mail_port` | `MailPort` | `ssmtp_get(h, \"MailPort\", &text)` |
| method | `ssmtp_send(h)` | `send()` | `send()`, `send_async()` | `Send()`, `SendAsync()` | |
| event | `ssmtp_on_pi_trail(h, callback, userdata)` | `on_pi_trail(f)` | `on_pi_trail` | `OnPITrail` | |
| setting | `ssmtp_config(h, \"Hello=a.example\", NULL)` | `config(text)` | `config(text)` | `Config(text)` | |
| enumeration | `SSMTP_RECIPIENT_TYPE_BCC` | `RecipientType` | `RecipientType.BCC` | `MessageRecipientTypes.rtBCc` | number or `rtBCc` |
| error | `SSMTP_ERROR_TIMEOUT` | `ssmtp::error` | `SsmtpError.code` | `SsmtpException.Code` | |

- A C function returns 0 or an error number. The handle comes first, outputs last; an output is written only on success.
- Text is NUL-terminated UTF-8 and NULL means empty. Booleans, enumerations and flags are `int32_t`.
- Text and octets that come through a pointer are released with `ssmtp_free`, certificates with `ssmtp_cert_delete`.
- Any thread may call any function. A second blocking method on a handle is error 166; `ssmtp_interrupt` ends the one that runs.
- By name, booleans read `True` and `False`, enumerations and numbers decimal, octets Base64; names are taken in any case,
  and `MessageRecipientAddress[0]` is the same as `MessageRecipientAddress(0)`.
- *Planned* rows are described and do not work yet: they read as their default and take it, anything else is error 606.
- *Ruling* points to [the rulings](../rulings.md), which decide where the specification of the component is silent or doubtful.
";

fn properties(api: &Api, functions: &[CFunction]) -> String {
    let mut out = String::from("# Properties\n");
    for (group, title) in GROUPS {
        let _ = write!(out, "\n## {title}\n");
        for p in api.properties.iter().filter(|p| p.on == group && p.family.is_empty()) {
            let _ = write!(out, "\n### {}\n\n{}\n\n{}\n", p.spec, property_line(api, p, functions), p.doc);
        }
    }
    out.push_str(
        "\n## Certificate rows\n\nEach certificate also shows as a row a field. What a field means stands under \
         [Certificate](types.md#certificate).\n",
    );
    for first in families(api) {
        certificate_rows(api, first, functions, &mut out);
    }
    out
}

/// The first row of each certificate, in the order of the description.
fn families(api: &Api) -> Vec<&Property> {
    let mut found: Vec<&Property> = Vec::new();
    for p in api.properties.iter().filter(|p| !p.family.is_empty()) {
        if found.iter().all(|f| f.family != p.family) {
            found.push(p);
        }
    }
    found
}

fn certificate_rows(api: &Api, first: &Property, functions: &[CFunction], out: &mut String) {
    // What remains of a row's documentation without the field's own is the family's.
    let field = api.object("Certificate").ok().and_then(|t| t.fields.iter().find(|f| f.spec == first.family_field));
    let doc = first.doc.replace(field.map_or("", |f| f.doc.as_str()), "");
    let _ = write!(out, "\n### {}…\n\n{}", first.family, tail(doc.trim(), first.status, first.ruling));
    out.push_str("\n\n| row | type | access | default | C |\n| --- | --- | --- | --- | --- |\n");
    for p in api.properties.iter().filter(|p| p.family == first.family) {
        let default = default_text(api, &p.ty(), &p.default).unwrap_or_default();
        let c = names(functions, |s| is_property(s, &p.spec)).replace(", ", "<br>");
        let _ =
            writeln!(out, "| {} | {} | {} | {default} | {c} |", p.spec, type_text(api, &p.type_name), p.access.text());
    }
}

fn property_line(api: &Api, p: &Property, functions: &[CFunction]) -> String {
    let mut parts = vec![if p.is_object() { "object".into() } else { type_text(api, &p.type_name) }];
    if p.index {
        parts.push("array".into());
    }
    parts.push(access_text(p.access).into());
    // A computed value without a default reads as its own documentation says.
    if !p.is_object() && p.access.readable() && (p.default.is_some() || p.get.is_empty()) {
        parts.extend(default_text(api, &p.ty(), &p.default).map(|d| format!("default {d}")));
    }
    let c = names(functions, |s| is_property(s, &p.spec));
    if !c.is_empty() {
        parts.push(c);
    }
    if p.secret {
        parts.push("secret".into());
    }
    if p.origin == "ours" {
        parts.push("beyond the specification".into());
    }
    status_parts(&mut parts, &p.since, p.status, p.ruling);
    parts.join(" · ")
}

fn methods(api: &Api, functions: &[CFunction]) -> String {
    let mut out =
        String::from("# Methods\n\nA blocking method is refused with 166 while another one runs on the handle.\n");
    for m in &api.methods {
        let c = if m.manual {
            format!("`ssmtp_{}`", m.name)
        } else {
            names(functions, |s| *s == Source::Method(m.spec.clone()))
        };
        let mut parts = vec![c];
        if !m.returns.is_empty() {
            parts.push(format!("returns {}", m.returns));
        }
        if m.blocking {
            parts.push("blocking".into());
        }
        status_parts(&mut parts, &m.since, m.status, m.ruling);
        let _ = write!(out, "\n## {}\n\n{}\n\n{}\n", m.spec, parts.join(" · "), m.doc);
        if !m.params.is_empty() {
            out.push('\n');
        }
        for p in &m.params {
            let _ = writeln!(out, "- `{}` ({}): {}", p.name, p.type_name, p.doc);
        }
        if !m.errors.is_empty() {
            let list: Vec<String> = m.errors.iter().map(|code| error_link(api, *code)).collect();
            let _ = write!(out, "\nErrors worth telling apart: {}.\n", list.join(", "));
        }
    }
    out
}

fn error_link(api: &Api, code: i32) -> String {
    match api.errors.iter().find(|e| e.code == code) {
        Some(e) => format!("[{code}](errors.md#e{code}) {}", e.text),
        None => code.to_string(),
    }
}

fn events(api: &Api) -> String {
    let mut out = String::from(
        "# Events\n\nA callback gets a struct that begins with `uint32_t size` and holds the fields in this order; text and \
         octets are followed by their length (`message`, `message_len`). Callbacks run on the thread of the blocking \
         method. What a callback returns, if not 0, stops the operation with error 301.\n",
    );
    for e in &api.events {
        let mut parts = vec![format!("`ssmtp_on_{}`, `ssmtp_{}_event`", e.name, e.name)];
        status_parts(&mut parts, &e.since, e.status, e.ruling);
        let _ = write!(out, "\n## {}\n\n{}\n\n{}\n", e.spec, parts.join(" · "), e.doc);
        out.push_str("\n| field | type | |\n| --- | --- | --- |\n");
        for f in &e.fields {
            let changed = if f.inout { " (the handler may change it)" } else { "" };
            let _ = writeln!(out, "| `{}` | {}{changed} | {} |", f.name, f.type_name, cell(&f.doc));
        }
    }
    out
}

fn settings(api: &Api) -> String {
    let mut out = String::from(
        "# Settings\n\n`Config(\"Name\")` reads a setting, `Config(\"Name=Value\")` sets it. Booleans are `True`, `False`, \
         `1`, `0`, `Yes` or `No`; numbers are decimal or hexadecimal with `0x`. An unknown name is error 602, a value of \
         the wrong type or out of range 603.\n",
    );
    for s in &api.settings {
        let mut parts = vec![type_text(api, &s.type_name), access_text(s.access).to_string()];
        if s.default.is_some() || s.get.is_empty() {
            parts.extend(default_text(api, &Type::parse(&s.type_name), &s.default).map(|d| format!("default {d}")));
        }
        match (s.min, s.max) {
            (Some(min), Some(max)) => parts.push(format!("{min} to {max}")),
            (Some(min), None) => parts.push(format!("at least {min}")),
            (None, Some(max)) => parts.push(format!("at most {max}")),
            (None, None) if s.unsigned => parts.push("unsigned, 32 bits".into()),
            (None, None) => {}
        }
        if !s.unit.is_empty() {
            parts.push(format!("in {}", s.unit));
        }
        if s.secret {
            parts.push("secret".into());
        }
        status_parts(&mut parts, &s.since, s.status, s.ruling);
        let _ = write!(out, "\n## {}\n\n{}\n\n{}\n", s.spec, parts.join(" · "), s.doc);
    }
    out
}

fn types(api: &Api) -> String {
    let mut out = String::from(
        "# Types\n\nC++, Python and C# show these as objects. C has a type of its own for certificates only \
         (`ssmtp_cert_t`, released with `ssmtp_cert_delete`) and reads and writes the others through properties.\n",
    );
    for t in &api.types {
        let _ = write!(out, "\n## {}\n\n{}\n", t.spec, t.doc);
        let made: Vec<_> = api.constructors.iter().filter(|c| c.spec == t.spec).collect();
        if !made.is_empty() {
            out.push_str("\nConstructors:\n\n");
        }
        for c in made {
            let function = if c.function.is_empty() { String::new() } else { format!("; in C `{}`", c.function) };
            let _ = writeln!(out, "- `{}{}`{function}. {}", c.spec, c.params, tail(&c.doc, c.status, None));
        }
        for f in &t.fields {
            let _ = write!(out, "\n### {}.{}\n\n{}\n\n{}\n", t.spec, f.spec, field_line(api, &t.spec, f), f.doc);
        }
    }
    out
}

fn field_line(api: &Api, object: &str, f: &ObjectField) -> String {
    let mut parts = vec![type_text(api, &f.type_name), access_text(f.access).to_string()];
    parts.extend(default_text(api, &Type::parse(&f.type_name), &f.default).map(|d| format!("default {d}")));
    if object == "Certificate" {
        parts.push(format!("`ssmtp_cert_get_{}`", f.name));
        if f.access.writable() {
            parts.push(format!("`ssmtp_cert_set_{}`", f.name));
        }
    }
    if f.secret {
        parts.push("secret".into());
    }
    status_parts(&mut parts, "", f.status, f.ruling);
    parts.join(" · ")
}

fn enums(api: &Api) -> String {
    let mut out = String::from("# Enumerations\n");
    for e in &api.enums {
        let prefix = format!("SSMTP_{}", crate::model::snake(&e.name).to_ascii_uppercase());
        let own = super::dotnet::enum_name(&e.spec);
        let too = if own == e.spec { String::new() } else { format!("; `{}` names its members, too", e.spec) };
        let _ = write!(out, "\n## {}\n\n{} In C# it is `{own}`{too}.\n", e.name, e.doc);
        out.push_str("\n| value | member | C | C# and by name | |\n| --- | --- | --- | --- | --- |\n");
        for m in &e.members {
            let (value, name, doc) = (m.value, &m.name, cell(&m.doc));
            let _ = writeln!(out, "| {value} | `{name}` | `{prefix}_{name}` | `{}` | {doc} |", m.spec);
        }
    }
    out
}

fn errors(api: &Api) -> String {
    let mut out = String::from(
        "# Errors\n\nThe number is what a C function returns, `SsmtpError.code` in Python, `SsmtpException.Code` in C# and \
         `ssmtp::error` in C++. The text of an error adds host, reply or file where there is one, and never a secret.\n",
    );
    // Where the numbers come from; each table ends before the next one begins.
    let parts = [
        (0, "The component"),
        (601, "The boundary"),
        (610, "The connection"),
        (10000, "The system's sockets"),
        (11000, "Name resolution"),
    ];
    for (i, (first, title)) in parts.iter().enumerate() {
        let end = parts.get(i + 1).map_or(i32::MAX, |next| next.0);
        let _ = write!(out, "\n## {title}\n\n| number | name | text | when |\n| --- | --- | --- | --- |\n");
        for e in api.errors.iter().filter(|e| (*first..end).contains(&e.code)) {
            let (code, name) = (e.code, &e.name);
            let _ = writeln!(out, "| {} | `{name}` | {} | {} |", anchored(code), cell(&e.text), cell(&e.doc));
        }
    }
    out
}

fn c_functions(api: &Api, functions: &[CFunction]) -> String {
    let mut out = String::from(
        "# C functions\n\nEvery function that `ssmtp.h` declares. What the ones of a property, method or event do stands \
         with their rows.\n\n## Handles, errors, certificates\n",
    );
    for f in functions.iter().filter(|f| f.manual) {
        let doc = tail(&f.doc, f.status, None);
        let _ = write!(out, "\n### {}\n\n```c\n{}\n```\n\n{doc}\n", f.name, prototype(f));
    }
    let mut list = |title: String, wanted: &dyn Fn(&Source) -> bool| {
        let _ = write!(out, "\n## {title}\n\n```c\n");
        for f in functions.iter().filter(|f| wanted(&f.source)) {
            let _ = writeln!(out, "{}", prototype(f));
        }
        out.push_str("```\n");
    };
    for (group, title) in GROUPS {
        list(format!("Properties: {title}"), &|source| match source {
            Source::Getter(spec) | Source::Setter(spec) => {
                api.properties.iter().any(|p| p.spec == *spec && p.on == group && p.family.is_empty())
            }
            _ => false,
        });
    }
    for first in families(api).iter().filter(|p| !p.by_name_only) {
        list(format!("Properties: {}…", first.family), &|source| match source {
            Source::Getter(spec) | Source::Setter(spec) => {
                api.properties.iter().any(|p| p.spec == *spec && p.family == first.family)
            }
            _ => false,
        });
    }
    list("Certificate fields".into(), &|s| matches!(s, Source::CertGetter(_) | Source::CertSetter(_)));
    list("Methods".into(), &|s| matches!(s, Source::Method(_)));
    list("Events".into(), &|s| matches!(s, Source::Event(_)));
    out
}

/// The declaration as the header has it.
pub(super) fn prototype(f: &CFunction) -> String {
    let params: Vec<String> = f.params.iter().map(c_param).collect();
    let params = if params.is_empty() { "void".into() } else { params.join(", ") };
    let space = if f.returns.ends_with('*') { "" } else { " " };
    format!("{}{space}{}({params});", f.returns, f.name)
}

fn c_param(p: &CParam) -> String {
    let before = match p.ctype {
        CType::Handle => "ssmtp_t *".into(),
        CType::Cert => "ssmtp_cert_t *".into(),
        CType::CertOut => "ssmtp_cert_t **".into(),
        CType::Text => "const char *".into(),
        CType::TextOut => "char **".into(),
        CType::Bytes => "const uint8_t *".into(),
        CType::Size => "size_t ".into(),
        CType::BytesOut => "uint8_t **".into(),
        CType::SizeOut => "size_t *".into(),
        CType::Int => "int32_t ".into(),
        CType::IntOut => "int32_t *".into(),
        CType::Int64 => "int64_t ".into(),
        CType::Callback => format!("ssmtp_{}_cb ", p.event),
        CType::UserData => "void *".into(),
        CType::ReadCallback => "ssmtp_read_cb ".into(),
        CType::CloseCallback => "ssmtp_close_cb ".into(),
        CType::SignCallback => "ssmtp_sign_cb ".into(),
        CType::HandleArray => "ssmtp_t *const *".into(),
        CType::IntArray => "int32_t *".into(),
    };
    format!("{before}{}", p.name)
}

/// The C functions of the rows that `wanted` takes, as a list.
fn names(functions: &[CFunction], wanted: impl Fn(&Source) -> bool) -> String {
    let found: Vec<String> = functions.iter().filter(|f| wanted(&f.source)).map(|f| format!("`{}`", f.name)).collect();
    found.join(", ")
}

fn is_property(source: &Source, name: &str) -> bool {
    matches!(source, Source::Getter(spec) | Source::Setter(spec) if spec == name)
}

fn access_text(access: Access) -> &'static str {
    match access {
        Access::Rw => "read and write",
        Access::Ro => "read-only",
        Access::Wo => "write-only",
    }
}

/// An enum by its singular, with a link; any other type as it is.
fn type_text(api: &Api, name: &str) -> String {
    match api.enumeration(name) {
        Ok(e) => format!("[{}](enums.md#{})", e.name, e.name.to_ascii_lowercase()),
        Err(_) => name.to_string(),
    }
}

/// The documentation of a property with its default behind it, for a comment in a header.
pub(super) fn with_default(api: &Api, p: &Property) -> String {
    let known = p.default.is_some() || (p.get.is_empty() && p.access.writable());
    match default_text(api, &p.ty(), &p.default).filter(|_| known && !p.is_object() && p.access.readable()) {
        Some(default) => format!("{} Default: {default}.", p.doc),
        None => p.doc.clone(),
    }
}

/// The default in words; `None` for a type that has none.
fn default_text(api: &Api, ty: &Type, default: &Option<Value>) -> Option<String> {
    let text = match (ty, default) {
        (Type::Certificate | Type::Stream, _) => return None,
        (Type::Enum(spec), value) => {
            let number = if let Some(Value::Int(n)) = value { *n } else { 0 };
            let members = api.enumeration(spec).map(|e| e.members.as_slice()).unwrap_or_default();
            match members.iter().find(|m| i64::from(m.value) == number) {
                Some(m) => format!("{number} ({})", m.name),
                None => number.to_string(),
            }
        }
        (_, Some(Value::Bool(true))) => "True".into(),
        (_, Some(Value::Bool(false))) | (Type::Bool, None) => "False".into(),
        (_, Some(Value::Int(n))) => n.to_string(),
        (Type::Int | Type::Int64, None) => "0".into(),
        (_, Some(Value::Text(text))) => format!("`{text}`"),
        (_, None) => "empty".into(),
    };
    Some(text)
}

fn status_parts(parts: &mut Vec<String>, since: &str, status: Status, ruling: Option<u32>) {
    if status == Status::Planned {
        parts.push("*planned*".into());
    } else if !since.is_empty() {
        parts.push(format!("since {since}"));
    }
    if let Some(number) = ruling {
        parts.push(format!("[ruling {number}](../rulings.md#{})", ruling_anchor(number)));
    }
}

/// The number of an error as a place that links lead to.
fn anchored(code: i32) -> String {
    format!("<a id=\"e{code}\"></a>{code}")
}

/// The heading of a ruling; what has none is found by the check of the links.
fn ruling_anchor(number: u32) -> String {
    let start = format!("## {number}. ");
    let heading = include_str!("../../../docs/rulings.md").lines().find(|line| line.starts_with(&start));
    crate::site::anchor(heading.unwrap_or("missing").trim_start_matches("## "))
}

/// A sentence with its status behind it, where there is no line for it.
fn tail(doc: &str, status: Status, ruling: Option<u32>) -> String {
    let mut parts = Vec::new();
    status_parts(&mut parts, "", status, ruling);
    if parts.is_empty() { doc.to_string() } else { format!("{doc} ({})", parts.join(", ")) }
}

/// Text for a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn described() -> Api {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the project's folder");
        Api::load(&root.join("api")).expect("the description loads")
    }

    fn text<'a>(files: &'a [File], name: &str) -> &'a str {
        let path = format!("docs/reference/{name}.md");
        &files.iter().find(|f| f.path == path).expect("the page exists").content
    }

    #[test]
    fn every_described_row_is_on_its_page() {
        let api = described();
        let files = files(&api);
        let has = |page: &str, row: String| assert!(text(&files, page).contains(&row), "{page}: {row}");
        for p in &api.properties {
            let row = if p.family.is_empty() { format!("\n### {}\n", p.spec) } else { format!("\n| {} |", p.spec) };
            has("properties", row);
        }
        api.methods.iter().for_each(|m| has("methods", format!("\n## {}\n", m.spec)));
        api.events.iter().for_each(|e| has("events", format!("\n## {}\n", e.spec)));
        api.settings.iter().for_each(|s| has("settings", format!("\n## {}\n", s.spec)));
        api.enums.iter().flat_map(|e| &e.members).for_each(|m| has("enums", format!("`{}`", m.spec)));
        api.errors.iter().for_each(|e| has("errors", format!("\n| {} | `{}` |", anchored(e.code), e.name)));
        api.c_functions().iter().for_each(|f| has("functions", format!("{}(", f.name)));
        for t in &api.types {
            t.fields.iter().for_each(|f| has("types", format!("\n### {}.{}\n", t.spec, f.spec)));
        }
        api.constructors.iter().for_each(|c| has("types", format!("- `{}{}`", c.spec, c.params)));
    }

    #[test]
    fn each_error_stands_in_exactly_one_table() {
        let api = described();
        let files = files(&api);
        for e in &api.errors {
            assert_eq!(text(&files, "errors").matches(&format!("\n| {} |", anchored(e.code))).count(), 1, "{}", e.code);
        }
    }

    #[test]
    fn a_prototype_reads_as_in_the_header() {
        let functions = described().c_functions();
        let shown = |name: &str| prototype(functions.iter().find(|f| f.name == name).expect("it is described"));
        assert_eq!(shown("ssmtp_new"), "ssmtp_t *ssmtp_new(void);");
        assert_eq!(
            shown("ssmtp_get_message_recipient_address"),
            "int32_t ssmtp_get_message_recipient_address(ssmtp_t *handle, int32_t index, char **value);"
        );
        assert_eq!(
            shown("ssmtp_on_pi_trail"),
            "int32_t ssmtp_on_pi_trail(ssmtp_t *handle, ssmtp_pi_trail_cb callback, void *userdata);"
        );
    }

    #[test]
    fn a_planned_row_says_so_and_a_default_is_in_words() {
        let api = described();
        let page = properties(&api, &api.c_functions());
        let line = |spec: &str| {
            let from = page.split(&format!("\n### {spec}\n\n")).nth(1).expect("the row is there");
            from.lines().next().unwrap_or_default().to_string()
        };
        assert!(line("MailPort").starts_with("int · read and write · default 25 · `ssmtp_get_mail_port`"));
        assert!(line("Importance").contains("default 0 (UNSPECIFIED)"));
        assert!(line("AllowExtensions").contains("default True"));
        let planned = api.properties.iter().filter(|p| p.family.is_empty());
        planned
            .for_each(|p| assert_eq!(line(&p.spec).contains("*planned*"), p.status == Status::Planned, "{}", p.spec));
    }
}
