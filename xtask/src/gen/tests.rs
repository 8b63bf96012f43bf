//! The generated tests of C (`tests/c/generated.c`) and C++ (`bindings/cpp/tests/generated.cpp`): every row's default,
//! round trip and refusals, every export with NULL and dead handles, numbers and layouts. What a row is asked stands in
//! `tests/c/rows.c`.

use super::cpp::{camel, flattened};
use super::{File, MARK};
use crate::model::{Access, Api, CFunction, CType, Property, Setting, Status, Type, Value, snake};
use std::fmt::Write;

pub fn files(api: &Api) -> Vec<File> {
    vec![File::new("tests/c/generated.c", c_file(api)), File::new("bindings/cpp/tests/generated.cpp", cpp_file(api))]
}

/// A value fit for setting: what the row's own syntax takes, else something that differs from the default.
fn sample(spec: &str) -> &'static str {
    match spec {
        "From" | "ReturnPath" | "ReplyTo" | "DeliveryNotificationTo" | "ReadReceiptTo" | "Cc" | "BCc" => "a@b.example",
        "MessageRecipientAddress" => "x@y.example",
        "SendTo" => "a@b.example, c@d.example",
        "MailServer" | "Hello" => "mail.example",
        "LocalHost" => "127.0.0.1",
        "MessageDate" => "Sun, 22 Nov 2026 12:00:00 +0000",
        "MessageId" => "<x@y.example>",
        "MessageRecipientOptions" => "NOTIFY=NEVER",
        "MessageText" | "Message" | "MessageB" => "Gr\u{fc}\u{df}e\r\n",
        "OtherHeaders" | "FirewallData" => "X-A: 1",
        "Charset" => "ISO-8859-1",
        "MessageIdAlgorithm" => "SHA256",
        "DsnRet" => "HDRS",
        "DeliverBy" => "120;R",
        "HoldFor" => "3600",
        "HoldUntil" => "2027-01-31T08:00:00Z",
        "MtPriority" => "-9",
        _ => super::samples::of(spec).unwrap_or("sample"),
    }
}

/// Rows whose default is the machine's, the build's or the message's.
fn varies(spec: &str) -> bool {
    ["LocalHost", "Hello", "BuildInfo", "LicenseInfo"].contains(&spec)
}

/// Text that may have several lines; every other row must refuse CR and LF.
fn many_lines(spec: &str) -> bool {
    let message = ["OtherHeaders", "MessageText", "MessageHtml", "Message", "AttachedFile"];
    let pem = ["SSLCACerts", "SSLServerCACerts", "SSLClientCACerts", "FirewallData"];
    message.contains(&spec) || pem.contains(&spec)
}

/// A text as a C literal; what is not ASCII goes as three octal digits, which no following digit can lengthen.
fn literal(text: &str) -> String {
    let mut out = String::from("\"");
    for b in text.bytes() {
        match b {
            b'"' | b'\\' => out.push_str(&format!("\\{}", b as char)),
            b'\r' => out.push_str("\\r"),
            b'\n' => out.push_str("\\n"),
            0x20..0x7f => out.push(b as char),
            _ => out.push_str(&format!("\\{b:03o}")),
        }
    }
    out + "\""
}

fn text_default(default: Option<&Value>) -> String {
    match default {
        Some(Value::Text(t)) => t.clone(),
        Some(Value::Int(n)) => n.to_string(),
        Some(Value::Bool(b)) => if *b { "True" } else { "False" }.into(),
        None => String::new(),
    }
}

fn number_default(default: Option<&Value>) -> i64 {
    match default {
        Some(Value::Int(n)) => *n,
        Some(Value::Bool(b)) => i64::from(*b),
        _ => 0,
    }
}

/// Another number than the default that the type has.
fn other_number(api: &Api, ty: &Type, default: i64) -> i64 {
    match ty {
        Type::Bool => 1 - default,
        Type::Enum(spec) => {
            let members = api.enumeration(spec).map(|e| e.members.as_slice()).unwrap_or_default();
            members.iter().map(|m| i64::from(m.value)).find(|v| *v != default).unwrap_or(default)
        }
        _ => default + 1,
    }
}

fn flags(parts: &[(bool, &str)]) -> String {
    let set: Vec<&str> = parts.iter().filter(|p| p.0).map(|p| p.1).collect();
    if set.is_empty() { "0".into() } else { set.join(" | ") }
}

// ---- C ----

fn c_file(api: &Api) -> String {
    let mut out = format!("// {MARK}\n#include \"rows.h\"\n\n#include <stddef.h>\n#include <string.h>\n\n");
    let mut tests = Vec::new();
    let mut add = |name: &str, body: String| {
        let _ = writeln!(out, "static void {name}(void) {{\n{body}}}\n");
        tests.push(name.to_string());
    };
    add("every_property_has_its_default_and_reads_back_what_was_set", c_properties(api));
    add("every_flattened_row_is_the_field_of_its_certificate", c_families(api));
    add("every_setting_has_its_default_and_reads_back_what_was_set", c_settings(api));
    add("every_planned_method_says_so", c_planned_methods(api));
    add("every_function_refuses_a_null_handle", c_refusals(api, "NULL", "SSMTP_ERROR_BAD_ARGUMENT"));
    add("every_function_refuses_a_dead_handle", c_refusals(api, "dead", "SSMTP_ERROR_CLOSED_HANDLE"));
    add("every_function_refuses_a_null_output", c_null_outputs(api));
    add("the_numbers_are_those_of_the_description", c_numbers(api));
    add("the_event_structs_have_their_layout", c_layouts(api));
    let _ = writeln!(out, "{PANIC_HOOK}\nstatic void a_panic_in_any_function_is_607(void) {{\n{}}}\n", c_panics(api));
    out.push_str("int main(int argc, char **argv) {\n");
    out.push_str("    if (argc > 1 && strcmp(argv[1], \"panic\") == 0) {\n");
    out.push_str("        RUN(a_panic_in_any_function_is_607);\n        return check_end();\n    }\n");
    for test in tests {
        let _ = writeln!(out, "    RUN({test});");
    }
    out + "    return check_end();\n}\n"
}

/// Only a library that was built with the feature test-hooks has it.
const PANIC_HOOK: &str = "__attribute__((weak)) void ssmtp_test_panic_always(int32_t on);\n";

/// With the hook on, every call that passes the guard panics there.
fn c_panics(api: &Api) -> String {
    let mut out = String::from(VARIABLES);
    out.push_str("    CHECK(ssmtp_test_panic_always != NULL);\n    if (ssmtp_test_panic_always == NULL) return;\n");
    out.push_str(
        "    ssmtp_test_panic_always(1);\n    EQ(ssmtp_new() == NULL, 1);\n    EQ(ssmtp_new_utf8() == NULL, 1);\n",
    );
    for f in api.c_functions() {
        let guarded = f.returns == "int32_t" && f.name != "ssmtp_last_error";
        if guarded {
            let _ = writeln!(out, "    EQ({}, SSMTP_ERROR_INTERNAL);", c_call(&f, "NULL", None));
        }
    }
    out.push_str("    ssmtp_test_panic_always(0);\n");
    out.push_str(UNTOUCHED);
    out + "    EQ(ssmtp_delete(ssmtp_new()), 0);\n"
}

fn c_properties(api: &Api) -> String {
    let mut out = String::new();
    for p in &api.properties {
        // Writing these two is a method call, which the scenario tests make.
        let method = ["Connected", "Command"].contains(&p.spec.as_str());
        let planned = p.status == Status::Planned;
        let writable = p.access.writable() && !method;
        let name = literal(&p.spec);
        let get = format!("ssmtp_get_{}", p.name);
        let set = if writable { format!("ssmtp_set_{}", p.name) } else { "NULL".into() };
        let ty = p.ty();
        // A store may be its content, and a password may be anything.
        let one_line = writable && !planned && ty == Type::Text && !many_lines(&p.spec) && p.family.is_empty();
        let flags = flags(&[
            (planned && writable, "ROW_PLANNED"),
            (one_line, "ROW_ONE_LINE"),
            (!planned && writable && !p.searches(), "ROW_SETS"),
        ]);
        let number = number_default(p.default.as_ref());
        let other = other_number(api, &ty, number);
        let text = text_default(p.default.as_ref());
        let want = if varies(&p.spec) { "NULL".into() } else { literal(&text) };
        let given = literal(sample(&p.spec));
        let line = match ty {
            _ if !p.access.readable() => continue,
            _ if p.is_object() => format!("row_object({name})"),
            _ if p.by_name_only => {
                let (want, given) = named(&ty, &text, number, other, &p.spec);
                format!("row_named({name}, {}, {}, {flags})", literal(&want), literal(&given))
            }
            Type::Text if p.index && !writable && p.on == "results" => format!("row_absent_text({name}, {get})"),
            Type::Bool | Type::Int if p.index => format!("row_absent_number({name}, {get})"),
            Type::Text if p.index => format!("row_text_at({name}, {get}, {set}, {given})"),
            Type::Enum(_) if p.index => format!("row_number_at({name}, {get}, {set}, {other})"),
            Type::Text => format!("row_text({name}, {get}, {set}, {want}, {given}, {flags})"),
            Type::Bytes => format!("row_bytes({name}, {get}, {set}, {want}, {given}, {flags})"),
            Type::Certificate => format!("row_cert({name}, {get}, {set}, {flags})"),
            _ => format!("row_number({name}, {get}, {set}, {number}, {other}, {flags})"),
        };
        let _ = writeln!(out, "    {line};");
        if matches!(p.ty(), Type::Enum(_)) && writable && !planned && !p.index && !p.by_name_only {
            let _ = writeln!(out, "    row_refuses({name}, {set}, -1);\n    row_refuses({name}, {set}, 9999);");
        }
    }
    out
}

/// The rows of a certificate that can be set, each beside the field.
fn c_families(api: &Api) -> String {
    let whole = |p: &&Property| api.properties.iter().any(|c| c.spec == p.family && c.access.writable());
    let mut out = String::new();
    for p in api.properties.iter().filter(|p| !p.family.is_empty() && p.status == Status::Done).filter(whole) {
        let get = if p.by_name_only { "NULL".into() } else { format!("ssmtp_get_{}", p.name) };
        let kind = match p.ty() {
            Type::Text => "text",
            Type::Bytes => "bytes",
            _ => "number",
        };
        let (name, whole) = (literal(&p.spec), snake(&p.family));
        let field = format!("ssmtp_cert_get_{}", snake(&p.family_field));
        let _ = writeln!(out, "    row_field_{kind}({name}, ssmtp_set_{whole}, {get}, {field});");
    }
    out
}

/// Default and sample as `ssmtp_get` writes them.
fn named(ty: &Type, text: &str, number: i64, other: i64, spec: &str) -> (String, String) {
    let boolean = |n: i64| if n == 0 { "False".to_string() } else { "True".to_string() };
    match ty {
        Type::Bool => (boolean(number), boolean(other)),
        Type::Int | Type::Int64 | Type::Enum(_) => (number.to_string(), other.to_string()),
        Type::Bytes => (base64(text.as_bytes()), base64(b"sample")),
        _ => (text.to_string(), sample(spec).to_string()),
    }
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for three in bytes.chunks(3) {
        let n = three.iter().fold(0, |n, b| n << 8 | u32::from(*b)) << (8 * (3 - three.len()));
        for i in 0..4 {
            let letter = LETTERS[(n >> (18 - 6 * i)) as usize & 63] as char;
            out.push(if i > three.len() { '=' } else { letter });
        }
    }
    out
}

/// What a setting is asked: default (None: it varies), sample, a value out of its range.
fn setting_values(api: &Api, s: &Setting) -> (Option<String>, String, Option<String>) {
    let shared: Option<&Property> = api.properties.iter().find(|p| p.spec == s.property);
    let default = s.default.as_ref().or_else(|| shared.and_then(|p| p.default.as_ref()));
    let ty = Type::parse(&s.type_name);
    let number = number_default(default);
    let mut other = if s.spec == "CodePage" { 1252 } else { other_number(api, &ty, number) };
    other = super::samples::number(&s.spec).unwrap_or(other);
    if s.max.is_some_and(|max| other > max) {
        other = number - 1;
    }
    // It takes its default only (ruling 29).
    if s.spec == "FirewallListener" {
        return (Some("False".into()), "False".into(), Some("True".into()));
    }
    if super::samples::keeps(&s.spec) {
        return (Some("True".into()), "True".into(), Some("perhaps".into()));
    }
    let (want, given) = named(&ty, &text_default(default), number, other, &s.spec);
    let below = s.min.map(|m| m - 1).or_else(|| s.max.map(|m| m + 1));
    let refused = match ty {
        Type::Bool => Some("perhaps".to_string()),
        Type::Int if !s.property.is_empty() => Some("12x".to_string()),
        Type::Int => Some(below.map_or("12x".to_string(), |b| b.to_string())),
        Type::Enum(_) if s.status == Status::Done => Some("9999".to_string()),
        _ => None,
    };
    ((!varies(&s.spec)).then_some(want), given, refused)
}

fn c_settings(api: &Api) -> String {
    let mut out = String::new();
    for s in &api.settings {
        let (want, given, refused) = setting_values(api, s);
        let name = literal(&s.spec);
        let want = want.map_or("NULL".into(), |w| literal(&w));
        if s.access == Access::Ro {
            let _ = writeln!(out, "    row_read_only_setting({name}, {want});");
            continue;
        }
        let planned = s.status == Status::Planned;
        let text = Type::parse(&s.type_name) == Type::Text;
        let flags = flags(&[
            (planned, "ROW_PLANNED"),
            (!planned && text && !many_lines(&s.spec), "ROW_ONE_LINE"),
            (!planned, "ROW_SETS"),
        ]);
        let refused = refused.map_or("NULL".into(), |r| literal(&r));
        let _ = writeln!(out, "    row_setting({name}, {want}, {}, {refused}, {flags});", literal(&given));
    }
    out
}

fn c_planned_methods(api: &Api) -> String {
    let mut out = String::from(
        "    ssmtp_t *smtp = ssmtp_new();\n    char *text = NULL;\n    uint8_t *bytes = NULL;\n    size_t length = 0;\n    (void)text, (void)bytes, (void)length;\n",
    );
    for m in api.methods.iter().filter(|m| m.status == Status::Planned) {
        let mut args = vec!["smtp".to_string()];
        for p in &m.params {
            args.push(match Type::parse(&p.type_name) {
                Type::Bytes => "(const uint8_t *)\"x\", 1".into(),
                _ => literal("a@b.example"),
            });
        }
        match m.returns.as_str() {
            "" => {}
            "bytes" => args.push("&bytes, &length".into()),
            _ => args.push("&text".into()),
        }
        let call = format!("ssmtp_{}({})", m.name, args.join(", "));
        let _ = writeln!(out, "    row_planned_call({}, smtp, {call});", literal(&m.spec));
    }
    out + "    EQ(ssmtp_delete(smtp), 0);\n"
}

/// Calls a function with `first` as handle or certificate, and NULL for the output number `null`.
fn c_call(f: &CFunction, first: &str, null: Option<usize>) -> String {
    let mut outputs = 0;
    let mut args = Vec::new();
    for (i, p) in f.params.iter().enumerate() {
        let mut output = |variable: &str| {
            outputs += 1;
            if null == Some(outputs - 1) { "NULL".to_string() } else { format!("&{variable}") }
        };
        args.push(match p.ctype {
            CType::Handle | CType::Cert if i == 0 => {
                let kind = if p.ctype == CType::Cert { "cert" } else { "handle" };
                if first == "NULL" { "NULL".into() } else { format!("{first}_{kind}") }
            }
            CType::Handle | CType::Cert | CType::Callback | CType::UserData => "NULL".into(),
            CType::ReadCallback | CType::CloseCallback | CType::SignCallback => "NULL".into(),
            CType::HandleArray | CType::IntArray => "NULL".into(),
            CType::Text => literal("x"),
            CType::Bytes => "(const uint8_t *)\"x\"".into(),
            CType::Size => "1".into(),
            CType::Int | CType::Int64 => "0".into(),
            CType::TextOut => output("text"),
            CType::BytesOut => output("bytes"),
            CType::SizeOut => output("length"),
            CType::IntOut => output("number"),
            CType::CertOut => output("cert"),
        });
    }
    format!("{}({})", f.name, args.join(", "))
}

const VARIABLES: &str = concat!(
    "    char *text = NULL;\n    uint8_t *bytes = NULL;\n    size_t length = 7;\n",
    "    int32_t number = 7;\n    ssmtp_cert_t *cert = NULL;\n"
);
const UNTOUCHED: &str = concat!(
    "    CHECK(text == NULL);\n    CHECK(bytes == NULL);\n    EQ(length, 7);\n",
    "    EQ(number, 7);\n    CHECK(cert == NULL);\n"
);

fn c_refusals(api: &Api, first: &str, code: &str) -> String {
    let mut out = String::from(VARIABLES);
    if first == "dead" {
        out.push_str("    ssmtp_t *dead_handle = ssmtp_new();\n    ssmtp_cert_t *dead_cert = NULL;\n");
        out.push_str("    EQ(ssmtp_cert_new(&dead_cert), 0);\n");
        out.push_str("    EQ(ssmtp_delete(dead_handle), 0);\n    EQ(ssmtp_cert_delete(dead_cert), 0);\n");
    }
    for f in api.c_functions() {
        // NULL means something to these two, and the last error is told whatever became of the handle.
        let null_is_fine = ["ssmtp_delete", "ssmtp_cert_delete"].contains(&f.name.as_str());
        let takes = f.params.first().is_some_and(|p| matches!(p.ctype, CType::Handle | CType::Cert));
        if f.name == "ssmtp_last_error" {
            continue;
        }
        if takes && !(null_is_fine && first == "NULL") {
            let _ = writeln!(out, "    EQ({}, {code});", c_call(&f, first, None));
        }
    }
    out.push_str(UNTOUCHED);
    if first == "NULL" {
        out.push_str("    EQ(ssmtp_delete(NULL), 0);\n    EQ(ssmtp_cert_delete(NULL), 0);\n");
        out.push_str("    EQ(ssmtp_last_error(NULL, &text), 0);\n    ssmtp_free(text);\n    ssmtp_free(NULL);\n");
    }
    out
}

fn c_null_outputs(api: &Api) -> String {
    let mut out = String::from(VARIABLES);
    out.push_str("    ssmtp_t *live_handle = ssmtp_new();\n    ssmtp_cert_t *live_cert = NULL;\n");
    out.push_str("    EQ(ssmtp_cert_new(&live_cert), 0);\n");
    for f in api.c_functions() {
        let outputs = f.params.iter().filter(|p| {
            matches!(p.ctype, CType::TextOut | CType::BytesOut | CType::SizeOut | CType::IntOut | CType::CertOut)
        });
        // Its output may be NULL.
        if f.name == "ssmtp_config" {
            continue;
        }
        for i in 0..outputs.count() {
            let _ = writeln!(out, "    EQ({}, SSMTP_ERROR_BAD_ARGUMENT);", c_call(&f, "live", Some(i)));
        }
    }
    out.push_str(UNTOUCHED);
    out + "    EQ(ssmtp_cert_delete(live_cert), 0);\n    EQ(ssmtp_delete(live_handle), 0);\n"
}

fn c_numbers(api: &Api) -> String {
    let mut out = String::new();
    for e in &api.enums {
        let prefix = format!("SSMTP_{}", snake(&e.name).to_ascii_uppercase());
        for m in &e.members {
            let _ = writeln!(out, "    EQ({prefix}_{}, {});", m.name, m.value);
        }
    }
    for e in &api.errors {
        let _ = writeln!(out, "    EQ(SSMTP_ERROR_{}, {});", e.name, e.code);
        let _ = writeln!(out, "    EQ_TEXT(ssmtp_error_text({}), {});", e.code, literal(&e.text));
    }
    out
}

fn c_layouts(api: &Api) -> String {
    let mut out = String::from("    if (sizeof(void *) != 8) {\n        return;\n    }\n");
    for e in &api.events {
        let name = format!("ssmtp_{}_event", e.name);
        let _ = writeln!(out, "    EQ(offsetof({name}, size), 0);");
        let mut at = 4;
        let mut widest = 4;
        let mut place = |field: &str, size: usize| {
            at = usize::next_multiple_of(at, size);
            let _ = writeln!(out, "    EQ(offsetof({name}, {field}), {at});");
            at += size;
            widest = widest.max(size);
        };
        for f in &e.fields {
            match Type::parse(&f.type_name) {
                Type::Text | Type::Bytes => {
                    place(&f.name, 8);
                    place(&format!("{}_len", f.name), 8);
                }
                Type::Int64 => place(&f.name, 8),
                _ => place(&f.name, 4),
            }
        }
        let _ = writeln!(out, "    EQ(sizeof({name}), {});", at.next_multiple_of(widest));
    }
    out
}

// ---- C++ ----

fn cpp_file(api: &Api) -> String {
    let mut out = format!("// {MARK}\n#include \"check.hpp\"\n\nusing namespace ssmtp;\n\n");
    out.push_str("TEST(every_property_has_its_default_and_reads_back_what_was_set) {\n");
    for p in api.properties.iter().filter(|p| !flattened(p) && !p.is_object()) {
        out.push_str(&cpp_property(api, p));
    }
    out.push_str("}\n\nTEST(every_setting_has_its_default_and_reads_back_what_was_set) {\n");
    for s in &api.settings {
        let (want, given, _) = setting_values(api, s);
        let name = literal(&s.spec);
        let kind = match (s.access, s.status) {
            (Access::Ro, _) => "READ",
            (_, Status::Planned) => "PLANNED",
            _ => "SETS",
        };
        match want {
            Some(want) => _ = writeln!(out, "    setting({name}, {}, {}, {kind});", literal(&want), literal(&given)),
            None => _ = writeln!(out, "    check(!Ssmtp().config({name}).empty(), {name});"),
        }
    }
    out.push_str("}\n\nTEST(every_certificate_field_has_its_default) {\n    const Certificate empty;\n");
    for f in api.object("Certificate").map(|t| t.fields.as_slice()).unwrap_or_default() {
        let want = cpp_value(api, &Type::parse(&f.type_name), f.default.as_ref(), None);
        let _ = writeln!(out, "    same(empty.{}(), {want}, {});", f.name, literal(&f.spec));
    }
    out.push_str("}\n\nTEST(every_proxy_field_has_its_default) {\n    Ssmtp smtp;\n");
    for f in api.object("Firewall").map(|t| t.fields.as_slice()).unwrap_or_default() {
        let want = cpp_value(api, &Type::parse(&f.type_name), f.default.as_ref(), None);
        let _ = writeln!(out, "    same(smtp.firewall().{}(), {want}, {});", f.name, literal(&f.spec));
    }
    out.push_str("}\n\nTEST(every_planned_method_says_so) {\n    Ssmtp smtp;\n");
    for m in api.methods.iter().filter(|m| m.status == Status::Planned) {
        let args = m.params.iter().map(|p| match Type::parse(&p.type_name) {
            Type::Bytes => "Bytes{1}".to_string(),
            _ => "\"a@b.example\"".to_string(),
        });
        let call = format!("smtp.{}({})", m.name, args.collect::<Vec<_>>().join(", "));
        let _ = writeln!(out, "    fails(ErrorCode::PLANNED, [&] {{ {call}; }}, {});", literal(&m.spec));
    }
    out.push_str("}\n\nTEST(every_handler_can_be_set_and_removed) {\n    Ssmtp smtp;\n");
    for e in &api.events {
        let _ = writeln!(out, "    smtp.on_{0}([]({1}Event &) {{}}).on_{0}(nullptr);", e.name, camel(&e.name));
    }
    out.push_str("}\n\nTEST(the_numbers_are_those_of_the_description) {\n");
    for e in &api.enums {
        for m in &e.members {
            let _ = writeln!(out, "    static_assert(static_cast<int>({}::{}) == {});", e.name, m.name, m.value);
        }
    }
    for e in &api.errors {
        let _ = writeln!(out, "    static_assert(ErrorCode::{} == {});", e.name, e.code);
    }
    out + "    same(error_text(ErrorCode::BUSY).empty(), false, \"BUSY\");\n}\n"
}

fn cpp_property(api: &Api, p: &Property) -> String {
    let ty = p.ty();
    let name = literal(&p.spec);
    if !p.access.readable() {
        return String::new();
    }
    if ty == Type::Certificate {
        return format!("    same(Ssmtp().{}().subject(), std::string(), {name});\n", p.name);
    }
    if varies(&p.spec) {
        return format!("    check(!Ssmtp().{}().empty(), {name});\n", p.name);
    }
    let want = cpp_value(api, &ty, p.default.as_ref(), None);
    let given = cpp_value(api, &ty, p.default.as_ref(), Some(&p.spec));
    match (p.access, p.status) {
        (Access::Ro, _) => format!("    same(Ssmtp().{}(), {want}, {name});\n", p.name),
        _ if p.spec == "Connected" => format!("    same(Ssmtp().{}(), {want}, {name});\n", p.name),
        (_, Status::Planned) => format!("    PLANNED_ROW({}, {want}, {given});\n", p.name),
        _ => format!("    ROW({}, {want}, {given});\n", p.name),
    }
}

/// The default, or with `other` a sample that differs from it.
fn cpp_value(api: &Api, ty: &Type, default: Option<&Value>, other: Option<&str>) -> String {
    let number = number_default(default);
    let number = if other.is_some() { other_number(api, ty, number) } else { number };
    let text = other.map_or_else(|| text_default(default), |spec| sample(spec).to_string());
    match ty {
        Type::Bool => if number == 0 { "false" } else { "true" }.into(),
        Type::Enum(spec) => {
            let Ok(e) = api.enumeration(spec) else { return number.to_string() };
            let member = e.members.iter().find(|m| i64::from(m.value) == number).map_or("", |m| m.name.as_str());
            format!("{}::{member}", e.name)
        }
        Type::Int | Type::Int64 => format!("std::int32_t{{{number}}}"),
        Type::Bytes | Type::Stream => format!("bytes({})", literal(&text)),
        _ => format!("std::string({})", literal(&text)),
    }
}
