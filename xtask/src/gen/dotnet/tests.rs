//! The generated tests of C#: defaults, round trips, planned rows, settings, dead handles and the layout of the event structs.

use super::typed::is_member;
use super::{enum_name, literal, native, param_name};
use crate::model::{Access, Api, CFunction, CParam, CType, Property, Setting, Status, Type, Value};

/// Rows whose first reading depends on the machine.
const OF_THE_MACHINE: [&str; 4] = ["LocalHost", "Hello", "BuildInfo", "LicenseInfo"];

pub fn properties(api: &Api) -> String {
    let mut out = String::from("    public static class PropertyTests\n    {\n");
    for p in api.properties.iter().filter(|p| is_member(p) && p.ty() != Type::Certificate) {
        if p.access.readable() && !OF_THE_MACHINE.contains(&p.spec.as_str()) {
            let name = format!("{}_has_its_default", p.name);
            out += &test(&name, &format!("Check.Equal({}, smtp.{});", default_value(api, &p.ty(), &p.default), p.spec));
        }
        // Writing Connected connects: its tests are written by hand.
        if p.access != Access::Rw || p.spec == "Connected" {
            continue;
        }
        let sample = sample(api, p);
        if p.status == Status::Planned {
            let default = default_value(api, &p.ty(), &p.default);
            let body = format!(
                "smtp.{0} = {default};\n                var error = Check.Fails(606, () => smtp.{0} = {sample});\n                Check.Contains(\"{0}\", error.Message);",
                p.spec
            );
            out += &test(&format!("{}_is_planned", p.name), &body);
        } else {
            let body = format!("smtp.{0} = {sample};\n                Check.Equal({sample}, smtp.{0});", p.spec);
            out += &test(&format!("{}_reads_as_it_was_set", p.name), &body);
        }
    }
    out.trim_end().to_string() + "\n    }\n"
}

/// The fields of an empty certificate, and all that is planned: it must say so and name itself.
pub fn objects(api: &Api) -> String {
    let mut out = String::from("    public static class CertificateFieldTests\n    {\n");
    if let Ok(object) = api.object("Certificate") {
        out += "        public static void every_field_has_its_default()\n        {\n            using (var certificate = new Certificate())\n            {\n";
        for f in &object.fields {
            let default = default_value(api, &Type::parse(&f.type_name), &f.default);
            out += &format!("                Check.Equal({default}, certificate.{0}, \"{0}\");\n", f.spec);
        }
        out += "            }\n        }\n\n";
    }
    for f in api.c_functions().iter().filter(|f| f.manual && f.status == Status::Planned) {
        out += &format!(
            "        public static void {0}_is_planned()\n        {{\n            Check.Equal(606, Native.{0}({1}));\n        }}\n\n",
            f.name,
            f.params.iter().map(argument).collect::<Vec<_>>().join(", ")
        );
    }
    let mut out = out.trim_end().to_string() + "\n    }\n\n    public static class PlannedMethodTests\n    {\n";
    for m in api.methods.iter().filter(|m| !m.manual && m.status == Status::Planned) {
        let arguments: Vec<&str> =
            m.params.iter().map(|p| if p.type_name == "bytes" { "new byte[] { 1 }" } else { "\"sample\"" }).collect();
        let body = format!(
            "var error = Check.Fails(606, () => smtp.{0}({1}));\n                Check.Contains(\"{0}\", error.Message);",
            m.spec,
            arguments.join(", ")
        );
        out += &test(&format!("{}_is_planned", m.name), &body);
    }
    out.trim_end().to_string() + "\n    }\n"
}

fn test(name: &str, body: &str) -> String {
    format!(
        "        public static void {name}()\n        {{\n            using (var smtp = new Ssmtp())\n            {{\n                {body}\n            }}\n        }}\n\n"
    )
}

fn default_value(api: &Api, ty: &Type, default: &Option<Value>) -> String {
    match (ty, default) {
        (Type::Bytes, Some(Value::Text(text))) if !text.is_empty() => {
            format!("System.Text.Encoding.UTF8.GetBytes({})", literal(text))
        }
        (Type::Bytes, _) => "new byte[0]".into(),
        (Type::Enum(spec), value) => {
            let value = if let Some(Value::Int(value)) = value { *value as i32 } else { 0 };
            let member = api.enumeration(spec).ok().and_then(|e| e.members.iter().find(|m| m.value == value));
            member.map_or(format!("({})({value})", enum_name(spec)), |m| format!("{}.{}", enum_name(spec), m.spec))
        }
        (_, Some(Value::Bool(b))) => b.to_string(),
        (_, Some(Value::Int(i))) => i.to_string(),
        (_, Some(Value::Text(text))) => literal(text),
        (Type::Bool, None) => "false".into(),
        (Type::Int | Type::Int64, None) => "0".into(),
        (_, None) => "\"\"".into(),
    }
}

/// A legal value other than the default.
fn sample(api: &Api, p: &Property) -> String {
    match p.ty() {
        Type::Bool => (p.default != Some(Value::Bool(true))).to_string(),
        Type::Int | Type::Int64 => match p.default {
            Some(Value::Int(i)) => (i + 1).to_string(),
            _ => "7".into(),
        },
        Type::Bytes => "new byte[] { 72, 195, 164, 13, 10 }".into(),
        Type::Enum(spec) => {
            let default = if let Some(Value::Int(value)) = p.default { value as i32 } else { 0 };
            let e = api.enumeration(&spec).ok();
            let member = e.and_then(|e| e.members.iter().rev().find(|m| m.value != default));
            member.map_or("0".into(), |m| format!("{}.{}", enum_name(&spec), m.spec))
        }
        _ => literal(sample_text(&p.spec)),
    }
}

fn sample_text(spec: &str) -> &'static str {
    match spec {
        "MailServer" | "Hello" => "mail.example",
        "LocalHost" => "127.0.0.1",
        "OtherHeaders" | "FirewallData" => "X-Sample: 1",
        "Subject" => "Grüße – 😀",
        "MessageText" | "Message" => "Ünïcödé\r\n",
        "MessageDate" => "Sun, 22 Nov 2026 12:00:00 +0000",
        "MessageId" => "<sample@client.example>",
        "Charset" => "ISO-8859-1",
        "MessageIdAlgorithm" => "SHA256",
        "DsnRet" => "HDRS",
        "DeliverBy" => "120;R",
        "HoldFor" => "3600",
        "HoldUntil" => "2027-01-31T08:00:00Z",
        "MtPriority" => "4",
        _ => crate::r#gen::samples::of(spec).unwrap_or("sample@client.example"),
    }
}

pub fn settings(api: &Api) -> String {
    let mut out = String::from(
        "    public static class SettingTests\n    {\n        public static void every_setting_has_its_default()\n        {\n            using (var smtp = new Ssmtp())\n            {\n",
    );
    for s in api.settings.iter().filter(|s| s.access.readable() && !OF_THE_MACHINE.contains(&s.spec.as_str())) {
        out += &format!(
            "                Check.Equal({}, smtp.Config(\"{1}\"), \"{1}\");\n",
            literal(&setting_default(s)),
            s.spec
        );
    }
    out += "            }\n        }\n\n";
    for s in api.settings.iter().filter(|s| s.access == Access::Rw && s.spec != "FirewallListener") {
        let Some(value) = setting_sample(s) else { continue };
        let name = crate::model::snake(&s.spec);
        let assignment = literal(&format!("{}={value}", s.spec));
        if s.status == Status::Planned {
            let body = format!(
                "Check.Equal(\"\", smtp.Config({}));\n                var error = Check.Fails(606, () => smtp.Config({assignment}));\n                Check.Contains(\"{}\", error.Message);",
                literal(&format!("{}={}", s.spec, setting_default(s))),
                s.spec
            );
            out += &test(&format!("{name}_is_planned"), &body);
            continue;
        }
        let mut body = format!(
            "Check.Equal(\"\", smtp.Config({assignment}));\n                Check.Equal({}, smtp.Config(\"{}\"));",
            literal(&value),
            s.spec
        );
        if s.type_name == "bool" || s.type_name == "int" {
            body += &format!("\n                Check.Fails(603, () => smtp.Config(\"{}=neither\"));", s.spec);
        }
        out += &test(&format!("{name}_reads_as_it_was_set"), &body);
    }
    out.trim_end().to_string() + "\n    }\n"
}

fn setting_default(s: &Setting) -> String {
    match (&s.default, s.type_name.as_str()) {
        (Some(Value::Bool(true)), _) => "True".into(),
        (Some(Value::Bool(false)), _) | (None, "bool") => "False".into(),
        (Some(Value::Int(i)), _) => i.to_string(),
        (Some(Value::Text(text)), _) => text.clone(),
        (None, "string") => String::new(),
        (None, _) => "0".into(),
    }
}

fn setting_sample(s: &Setting) -> Option<String> {
    match s.type_name.as_str() {
        _ if crate::r#gen::samples::keeps(&s.spec) => Some("True".into()),
        "bool" => Some(if setting_default(s) == "True" { "False" } else { "True" }.into()),
        "string" => Some(sample_text(&s.spec).into()),
        _ if crate::r#gen::samples::number(&s.spec).is_some() => {
            crate::r#gen::samples::number(&s.spec).map(|n| n.to_string())
        }
        // A code page is no number to count up from.
        _ if s.spec == "CodePage" => None,
        _ => {
            let value = setting_default(s).parse::<i64>().ok()? + 1;
            Some(value.clamp(s.min.unwrap_or(value), s.max.unwrap_or(value)).to_string())
        }
    }
}

/// Each C function with a handle, called with none, with one that was deleted, and with a number that never was one.
pub fn boundary(api: &Api) -> String {
    let mut handle = String::new();
    let mut cert = String::new();
    for f in api.c_functions() {
        let bare = ["ssmtp_delete", "ssmtp_cert_delete", "ssmtp_last_error"].contains(&f.name.as_str());
        if bare || f.params.is_empty() {
            continue;
        }
        match f.params[0].ctype {
            CType::Handle => handle += &row(&f, "handle"),
            CType::Cert => cert += &row(&f, "cert"),
            _ => {}
        }
    }
    format!(
        "    public static partial class BoundaryTests
    {{
        private static readonly Dictionary<string, Func<SsmtpHandle, int>> OfHandle = new Dictionary<string, Func<SsmtpHandle, int>>
        {{
{handle}        }};

        private static readonly Dictionary<string, Func<SsmtpCertHandle, int>> OfCert = new Dictionary<string, Func<SsmtpCertHandle, int>>
        {{
{cert}        }};
    }}
"
    )
}

fn row(f: &CFunction, first: &str) -> String {
    let mut arguments = vec![first.to_string()];
    arguments.extend(f.params[1..].iter().map(argument));
    format!("            {{ \"{0}\", {first} => Native.{0}({1}) }},\n", f.name, arguments.join(", "))
}

/// Nothing for what goes in, a place for what comes out.
fn argument(p: &CParam) -> String {
    let name = param_name(&p.name);
    match p.ctype {
        CType::Handle => "handle".into(),
        CType::Cert => "SsmtpCertHandle.None".into(),
        CType::CertOut => format!("out SsmtpCertHandle {name}"),
        CType::TextOut | CType::BytesOut => format!("out IntPtr {name}"),
        CType::SizeOut => format!("out UIntPtr {name}"),
        CType::IntOut => format!("out int {name}"),
        CType::Size => "UIntPtr.Zero".into(),
        CType::Int | CType::Int64 => "0".into(),
        CType::UserData => "IntPtr.Zero".into(),
        CType::Text | CType::Bytes | CType::Callback => "null".into(),
        CType::ReadCallback | CType::CloseCallback | CType::SignCallback => "null".into(),
        CType::HandleArray | CType::IntArray => "null".into(),
    }
}

/// Sizes and offsets as a C compiler lays the event structs out on a 64-bit machine.
pub fn layout(api: &Api) -> String {
    let mut out = String::from("    public static class LayoutTests\n    {\n");
    for event in &api.events {
        out += &format!(
            "        public static void the_struct_of_{}_is_laid_out_as_in_c()\n        {{\n            var type = typeof(Native.{}Event);\n",
            event.name, event.spec
        );
        let (mut offset, mut widest) = (4usize, 4usize);
        for (ty, name) in native::fields(event) {
            let width = if ty == "int" { 4 } else { 8 };
            offset = offset.next_multiple_of(width);
            widest = widest.max(width);
            out +=
                &format!("            Check.Equal({offset}, (int)Marshal.OffsetOf(type, \"{name}\"), \"{name}\");\n");
            offset += width;
        }
        out += &format!(
            "            Check.Equal({}, Marshal.SizeOf(type));\n        }}\n\n",
            offset.next_multiple_of(widest)
        );
    }
    out.trim_end().to_string() + "\n    }\n"
}
