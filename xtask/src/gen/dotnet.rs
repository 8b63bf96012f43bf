//! Generator of the C# layers: the P/Invoke declarations, events, enums, properties, methods, certificate fields and their tests.
//! C# 7 and netstandard2.0; the C rules it follows are those of `include/ssmtp.h`.

mod events;
mod native;
mod tests;
mod typed;

use super::{File, MARK};
use crate::model::{Api, Type};

const SOURCES: &str = "bindings/dotnet/src/Generated";
const TESTS: &str = "bindings/dotnet/tests/Generated";

pub fn files(api: &Api) -> Vec<File> {
    let source = |name: &str, uses: &str, body: String| file(SOURCES, name, uses, "Ssmtp", &body);
    let test = |name: &str, uses: &str, body: String| file(TESTS, name, uses, "Ssmtp.Tests", &body);
    vec![
        source("Native.g.cs", "using System;\nusing System.Runtime.InteropServices;\n", native::body(api)),
        source("Events.g.cs", "using System;\n", events::body(api)),
        source("Enums.g.cs", "", typed::enums(api)),
        source("ErrorCodes.g.cs", "", typed::error_codes(api)),
        source("Properties.g.cs", "using System;\n", typed::properties(api)),
        source("CertificateFields.g.cs", "using System;\n", typed::certificate(api)),
        source(
            "Methods.g.cs",
            "using System;\nusing System.Threading;\nusing System.Threading.Tasks;\n",
            typed::methods(api),
        ),
        test("PropertyTests.g.cs", "using System;\n", tests::properties(api)),
        test("ObjectTests.g.cs", "using System;\n", tests::objects(api)),
        test("SettingTests.g.cs", "", tests::settings(api)),
        test("BoundaryTests.g.cs", "using System;\nusing System.Collections.Generic;\n", tests::boundary(api)),
        test("LayoutTests.g.cs", "using System.Runtime.InteropServices;\n", tests::layout(api)),
    ]
}

fn file(folder: &str, name: &str, uses: &str, namespace: &str, body: &str) -> File {
    let uses = if uses.is_empty() { String::new() } else { format!("{uses}\n") };
    let body = body.trim_end();
    File::new(format!("{folder}/{name}"), format!("// {MARK}\n\n{uses}namespace {namespace}\n{{\n{body}\n}}\n"))
}

/// The first document prefixes the enums that belong to the component and leaves the shared ones bare.
pub(super) fn enum_name(spec: &str) -> String {
    match spec {
        "AuthMechanisms" | "Importances" | "Priorities" | "Sensitivities" | "SSLProviders" | "SSLStartModes" => {
            format!("Ssmtp{spec}")
        }
        _ => spec.to_string(),
    }
}

fn cs_type(ty: &Type) -> String {
    match ty {
        Type::Bool => "bool".into(),
        Type::Int => "int".into(),
        Type::Int64 => "long".into(),
        Type::Text => "string".into(),
        Type::Bytes => "byte[]".into(),
        Type::Certificate => "Certificate".into(),
        Type::Stream => "System.IO.Stream".into(),
        Type::Enum(name) => enum_name(name),
    }
}

/// `connection_event` → `connectionEvent`.
fn camel(snake: &str) -> String {
    let pascal = pascal(snake);
    pascal[..1].to_lowercase() + &pascal[1..]
}

/// `CONNECTION_REFUSED` and `connection_refused` → `ConnectionRefused`.
fn pascal(words: &str) -> String {
    words
        .split('_')
        .filter(|w| !w.is_empty())
        .map(|w| w[..1].to_uppercase() + &w[1..].to_lowercase())
        .collect::<Vec<_>>()
        .concat()
}

/// A parameter's name, kept apart from C#'s keywords.
fn param_name(name: &str) -> String {
    const KEYWORDS: [&str; 12] =
        ["event", "string", "params", "in", "out", "ref", "object", "operator", "lock", "base", "new", "default"];
    if KEYWORDS.contains(&name) { format!("@{name}") } else { name.to_string() }
}

/// One XML documentation element, wrapped; `code` becomes `<c>code</c>`.
fn doc(indent: usize, open: &str, close: &str, text: &str) -> String {
    let mut escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    while let Some(start) = escaped.find('`') {
        let Some(end) = escaped[start + 1..].find('`') else { break };
        let code = escaped[start + 1..start + 1 + end].to_string();
        escaped.replace_range(start..start + end + 2, &format!("<c>{code}</c>"));
    }
    let lead = format!("{}///", " ".repeat(indent));
    let mut out = String::new();
    let mut line = format!("{lead} {open}");
    let mut fresh = true;
    for word in escaped.split_whitespace() {
        if !fresh && line.chars().count() + word.chars().count() + 1 > 120 {
            out += &format!("{line}\n");
            line = format!("{lead} {word}");
        } else {
            line += if fresh { "" } else { " " };
            line += word;
        }
        fresh = false;
    }
    out + &format!("{line}{close}\n")
}

fn summary(indent: usize, text: &str) -> String {
    doc(indent, "<summary>", "</summary>", text)
}

/// A C# string literal.
fn literal(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out += "\\\"",
            '\\' => out += "\\\\",
            '\r' => out += "\\r",
            '\n' => out += "\\n",
            '\t' => out += "\\t",
            c if (c as u32) < 32 => out += &format!("\\u{:04x}", c as u32),
            c => out.push(c),
        }
    }
    out + "\""
}

#[cfg(test)]
mod unit {
    use super::{camel, doc, literal, pascal};

    #[test]
    fn names_take_the_case_of_csharp() {
        assert_eq!(camel("connection_event"), "connectionEvent");
        assert_eq!(pascal("CONNECTION_REFUSED"), "ConnectionRefused");
    }

    #[test]
    fn documentation_is_escaped_and_wrapped() {
        let text = doc(4, "<summary>", "</summary>", "`a<b>` & c");
        assert_eq!(text, "    /// <summary><c>a&lt;b&gt;</c> &amp; c</summary>\n");
        let long = doc(0, "<summary>", "</summary>", &"word ".repeat(80));
        assert!(long.lines().all(|l| l.starts_with("/// ") && l.len() <= 130), "{long}");
    }

    #[test]
    fn literals_escape_what_csharp_would_read() {
        assert_eq!(literal("a\"\\\r\n\u{1}"), "\"a\\\"\\\\\\r\\n\\u0001\"");
    }
}
