//! `test_generated.py`: a table of every property and setting, with the values to try. What is done with them stands in
//! `generated_checks.py`, by hand.

use super::{attribute, default, flattened, quoted};
use crate::model::{Access, Api, Property, Setting, Status, Type, Value};

pub fn body(api: &Api) -> String {
    let mut out = String::from(
        "from generated_checks import Property, Setting, property_tests, setting_tests\n\nPROPERTIES = (\n",
    );
    for p in &api.properties {
        out += &property(api, p);
    }
    out += ")\n\nSETTINGS = (\n";
    for s in &api.settings {
        out += &setting(api, s);
    }
    out + ")\n\nGeneratedPropertyTest = property_tests(PROPERTIES)\nGeneratedSettingTest = setting_tests(SETTINGS)\n"
}

fn row(class: &str, parts: &[(&str, String)]) -> String {
    let parts: Vec<String> = parts
        .iter()
        .map(|(name, value)| if name.is_empty() { value.clone() } else { format!("{name}={value}") })
        .collect();
    let line = format!("    {class}({}),\n", parts.join(", "));
    if line.chars().count() <= super::WIDTH {
        return line;
    }
    format!("    {class}(\n{}    ),\n", parts.iter().map(|p| format!("        {p},\n")).collect::<String>())
}

fn property(api: &Api, p: &Property) -> String {
    // Python shows the octets of Message under the one name.
    let ty = if p.spec == "Message" { Type::Text } else { p.ty() };
    let mut parts = vec![("", quoted(&p.spec)), ("", quoted(&type_name(api, &ty)))];
    if p.access != Access::Rw {
        parts.push(("access", quoted(p.access.text())));
    }
    if p.is_object() {
        parts.push(("attribute", quoted(&p.name)));
        parts.push(("shape", "\"object\"".into()));
        return row("Property", &parts);
    }
    if !flattened(api, p) {
        parts.push(("attribute", quoted(&attribute(&p.name))));
    }
    if p.index {
        // Results are there after a Send only.
        let shape = if p.spec.starts_with("RecipientResult") { "\"results\"" } else { "\"array\"" };
        parts.push(("shape", shape.into()));
    }
    if p.default.is_some() {
        parts.push(("default", default(&ty, p.default.as_ref())));
    } else if p.spec == "LocalHost" {
        parts.push(("default", "...".into()));
    }
    if let Some(sample) =
        sample(api, &p.spec, &ty, p.default.as_ref(), (None, None)).filter(|_| p.access == Access::Rw && !p.searches())
    {
        parts.push(("sample", sample));
    }
    if p.status == Status::Planned {
        parts.push(("planned", "True".into()));
    }
    row("Property", &parts)
}

fn setting(api: &Api, s: &Setting) -> String {
    let ty = Type::parse(&s.type_name);
    let mut parts = vec![("", quoted(&s.spec)), ("", quoted(&type_name(api, &ty)))];
    if s.access != Access::Rw {
        parts.push(("access", quoted(s.access.text())));
    }
    if s.default.is_some() {
        parts.push(("default", default(&ty, s.default.as_ref())));
    } else if ["LocalHost", "Hello", "BuildInfo", "LicenseInfo"].contains(&s.spec.as_str()) {
        parts.push(("default", "...".into()));
    }
    if let Some(sample) =
        sample(api, &s.spec, &ty, s.default.as_ref(), (s.min, s.max)).filter(|_| s.access == Access::Rw)
    {
        parts.push(("sample", sample));
    }
    let mut refused = Vec::new();
    refused.extend(s.min.map(|min| min - 1));
    refused.extend(s.max.map(|max| max + 1));
    if s.unsigned {
        refused.extend([-1, 1 << 32]);
    }
    if !refused.is_empty() {
        let refused: Vec<String> = refused.iter().map(|n| format!("{n},")).collect();
        parts.push((
            "refused",
            format!("({})", refused.join(" ").trim_end_matches(if refused.len() > 1 { "," } else { "" })),
        ));
    }
    if s.status == Status::Planned {
        parts.push(("planned", "True".into()));
    }
    row("Setting", &parts)
}

fn type_name(api: &Api, ty: &Type) -> String {
    match ty {
        Type::Enum(name) => super::enum_name(api, name),
        Type::Certificate => "certificate".into(),
        other => super::py_type(api, other),
    }
}

/// A value other than the default that a working row takes and gives back.
fn sample(
    api: &Api,
    spec: &str,
    ty: &Type,
    value: Option<&Value>,
    range: (Option<i64>, Option<i64>),
) -> Option<String> {
    let number = if let Some(Value::Int(n)) = value { *n } else { 0 };
    Some(match (spec, ty) {
        // Writing it connects.
        ("Connected", _) => return None,
        // It takes its default only (ruling 29).
        ("FirewallListener", _) => "False".into(),
        (spec, _) if crate::r#gen::samples::keeps(spec) => "True".into(),
        ("LocalHost", _) => quoted("127.0.0.1"),
        ("Charset", _) => quoted("utf-8"),
        ("MessageIdAlgorithm", _) => quoted("SHA256"),
        ("OtherHeaders" | "FirewallData", _) => quoted("X-Sample: 1"),
        ("Subject" | "MessageRecipientName", _) => quoted("Grüße – sample"),
        ("MessageText" | "Message", _) => quoted("First line\r\nsecond line\r\n"),
        ("MessageRecipientOptions", _) => quoted("NOTIFY=NEVER"),
        ("MessageHtml", _) => quoted("<p>Grüße</p>\r\n"),
        ("DsnRet", _) => quoted("HDRS"),
        ("DeliverBy", _) => quoted("120;R"),
        ("HoldFor", _) => quoted("3600"),
        ("HoldUntil", _) => quoted("2027-01-31T08:00:00Z"),
        ("CodePage", _) => "28591".into(),
        ("MtPriority", _) => quoted("-9"),
        (_, Type::Bool) => if value == Some(&Value::Bool(true)) { "False" } else { "True" }.into(),
        (spec, Type::Int) if crate::r#gen::samples::number(spec).is_some() => {
            crate::r#gen::samples::number(spec)?.to_string()
        }
        (_, Type::Int | Type::Int64) => {
            let above = number + 1;
            if range.1.is_some_and(|max| above > max) { number - 1 } else { above.max(range.0.unwrap_or(above)) }
                .to_string()
        }
        (_, Type::Text) => quoted(crate::r#gen::samples::of(spec).unwrap_or("sample@client.example")),
        (_, Type::Bytes) => "b\"some \\x00\\xff octets\\r\\n\"".into(),
        (_, Type::Enum(name)) => {
            let members = &api.enumeration(name).ok()?.members;
            members.iter().rfind(|m| i64::from(m.value) != number)?.value.to_string()
        }
        (_, Type::Certificate | Type::Stream) => return None,
    })
}
