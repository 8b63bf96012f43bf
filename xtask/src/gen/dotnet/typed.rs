//! The typed layer: enums, error numbers, properties of `Ssmtp`, fields of `Certificate`, methods with their asynchronous twins.

use super::{camel, cs_type, doc, enum_name, literal, param_name, pascal, summary};
use crate::r#gen::docs::with_default;
use crate::model::{Access, Api, Method, Property, Type};

pub fn enums(api: &Api) -> String {
    let mut out = String::new();
    for e in &api.enums {
        out += &summary(4, &e.doc);
        out += &format!("    public enum {}\n    {{\n", enum_name(&e.spec));
        let members: Vec<String> =
            e.members.iter().map(|m| format!("{}        {} = {},\n", summary(8, &m.doc), m.spec, m.value)).collect();
        out += &members.join("\n");
        out += "    }\n\n";
        if let Some(other) = other_name(&e.spec) {
            let name = enum_name(&e.spec);
            out += &summary(4, &format!("The members of {name} under the other name it goes by."));
            out += &format!("    public static class {other}\n    {{\n");
            for m in &e.members {
                out += &summary(8, &m.doc);
                out += &format!("        public const {name} {0} = {name}.{0};\n", m.spec);
            }
            out += "    }\n\n";
        }
    }
    out
}

/// The component's two documents call some enums differently; the members can be written with either name.
fn other_name(spec: &str) -> Option<String> {
    match spec {
        "MessageRecipientTypes" => Some("EmailRecipientTypes".into()),
        _ if enum_name(spec) != spec => Some(spec.to_string()),
        _ => None,
    }
}

pub fn error_codes(api: &Api) -> String {
    let mut out = summary(4, "The numbers that SsmtpException.Code and the event Error carry.");
    out += "    public static class SsmtpErrorCodes\n    {\n";
    let rows: Vec<String> = api
        .errors
        .iter()
        .map(|e| format!("{}        public const int {} = {};\n", summary(8, &e.doc), pascal(&e.name), e.code))
        .collect();
    out + &rows.join("\n") + "    }\n"
}

/// Whether a row is a property of the C# class. The flattened rows show as objects (MessageRecipients, RecipientResults,
/// Firewall, Certificate) and stay reachable by name.
pub fn is_member(p: &Property) -> bool {
    let flattened = ["Firewall", "MessageRecipient", "MessageHeaderCount", "RecipientResult"];
    let flattened = flattened.iter().any(|start| p.spec.starts_with(start));
    !p.is_object() && !p.index && !p.by_name_only && p.family.is_empty() && !flattened
}

pub fn properties(api: &Api) -> String {
    let mut out = String::from("    public sealed partial class Ssmtp\n    {\n");
    for p in api.properties.iter().filter(|p| is_member(p)) {
        let note = if p.access == Access::Wo { " It can only be written." } else { "" };
        out += &summary(8, &format!("{}{note}", with_default(api, p)));
        out += &accessors(&p.spec, &p.name, &p.ty(), p.access, p.secret, "ssmtp_");
    }
    out.trim_end().to_string() + "\n    }\n"
}

pub fn certificate(api: &Api) -> String {
    let mut out = String::from("    public sealed partial class Certificate\n    {\n");
    if let Ok(object) = api.object("Certificate") {
        for f in &object.fields {
            out += &summary(8, &f.doc);
            out += &accessors(&f.spec, &f.name, &Type::parse(&f.type_name), f.access, f.secret, "ssmtp_cert_");
        }
    }
    out.trim_end().to_string() + "\n    }\n"
}

fn accessors(spec: &str, name: &str, ty: &Type, access: Access, secret: bool, prefix: &str) -> String {
    let mut out = format!("        public {} {spec}\n        {{\n", cs_type(ty));
    if access.readable() {
        out +=
            &format!("            get\n            {{\n{}            }}\n", getter(&format!("{prefix}get_{name}"), ty));
    }
    if access.writable() {
        out += &format!(
            "            set\n            {{\n{}{}            }}\n",
            setter(&format!("{prefix}set_{name}"), ty, secret),
            let_go(spec)
        );
    }
    out + "        }\n\n"
}

fn getter(function: &str, ty: &Type) -> String {
    let line = |text: String| format!("                {text}\n");
    let call = |outs: &str| line(format!("Check(Native.{function}(handle, {outs}));"));
    match ty {
        Type::Bool => call("out int value") + &line("return value != 0;".into()),
        Type::Int | Type::Int64 => call("out int value") + &line("return value;".into()),
        Type::Enum(name) => call("out int value") + &line(format!("return ({})value;", enum_name(name))),
        Type::Text => call("out IntPtr value") + &line("return Utf8.Take(value);".into()),
        Type::Bytes | Type::Stream => {
            call("out IntPtr value, out UIntPtr length") + &line("return Octets.Take(value, length);".into())
        }
        Type::Certificate => call("out SsmtpCertHandle value") + &line("return new Certificate(value);".into()),
    }
}

fn setter(function: &str, ty: &Type, secret: bool) -> String {
    let line = |text: String| format!("                {text}\n");
    let call = |value: &str| line(format!("Check(Native.{function}(handle, {value}));"));
    match ty {
        Type::Text if secret => format!(
            "                byte[] text = Utf8.Bytes(value);
                try
                {{
                    Check(Native.{function}(handle, text));
                }}
                finally
                {{
                    Octets.Wipe(text);
                }}
"
        ),
        Type::Bool => call("value ? 1 : 0"),
        Type::Int | Type::Int64 => call("value"),
        Type::Enum(_) => call("(int)value"),
        Type::Text => call("Utf8.Bytes(value)"),
        Type::Bytes | Type::Stream => call("value, Octets.Length(value)"),
        Type::Certificate => call("Certificate.HandleOf(value)") + &line("GC.KeepAlive(value);".into()),
    }
}

/// Overloads that are written by hand: AddAttachment and AddInline.
const BY_HAND: [&str; 5] =
    ["AddAttachmentFile", "AddAttachmentData", "AddInlineFile", "AddInlineData", "ClearAttachments"];

/// Calls and assignments after which the object lets go of streams that the library does not read any more.
const LET_GO: [(&str, &str); 2] = [
    ("Reset", "            LetGoOfEverything();\n"),
    ("AttachedFile", "                LetGoOfMessageStream(value);\n"),
];

fn let_go(spec: &str) -> &'static str {
    LET_GO.iter().find(|(name, _)| *name == spec).map_or("", |(_, line)| line)
}

pub fn methods(api: &Api) -> String {
    let mut out = String::from("    public sealed partial class Ssmtp\n    {\n");
    for m in api.methods.iter().filter(|m| !m.manual && !BY_HAND.contains(&m.spec.as_str())) {
        out += &method(m);
        if m.blocking {
            out += &twin(m);
        }
    }
    out.trim_end().to_string() + "\n    }\n"
}

fn signature(m: &Method) -> Vec<String> {
    m.params
        .iter()
        .map(|p| format!("{} {}", cs_type(&Type::parse(&p.type_name)), param_name(&camel(&p.name))))
        .collect()
}

fn docs(m: &Method, text: &str) -> String {
    let mut out = summary(8, text);
    for p in &m.params {
        out += &doc(8, &format!("<param name={}>", literal(&camel(&p.name))), "</param>", &p.doc);
    }
    if !m.errors.is_empty() {
        let codes: Vec<String> = m.errors.iter().map(|c| c.to_string()).collect();
        let text = format!("With one of these numbers, among others: {}.", codes.join(", "));
        out += &doc(8, "<exception cref=\"SsmtpException\">", "</exception>", &text);
    }
    out
}

fn method(m: &Method) -> String {
    let mut arguments = vec!["handle".to_string()];
    for p in &m.params {
        let name = param_name(&camel(&p.name));
        match Type::parse(&p.type_name) {
            Type::Text => arguments.push(format!("Utf8.Bytes({name})")),
            Type::Bytes => {
                arguments.push(name.clone());
                arguments.push(format!("Octets.Length({name})"));
            }
            Type::Bool => arguments.push(format!("{name} ? 1 : 0")),
            Type::Enum(_) => arguments.push(format!("(int){name}")),
            _ => arguments.push(name),
        }
    }
    let returns = !m.returns.is_empty();
    if returns {
        arguments.push("out IntPtr value".into());
    }
    let octets = m.returns == "bytes";
    if octets {
        arguments.push("out UIntPtr length".into());
    }
    format!(
        "{}        public {} {}({})\n        {{\n            Check(Native.ssmtp_{}({}));\n{}{}        }}\n\n",
        docs(m, &m.doc),
        returned(m).unwrap_or("void"),
        m.spec,
        signature(m).join(", "),
        m.name,
        arguments.join(", "),
        let_go(&m.spec),
        match m.returns.as_str() {
            "" => "",
            "bytes" => "            return Octets.Take(value, length);\n",
            _ => "            return Utf8.Take(value);\n",
        }
    )
}

/// What a method gives.
fn returned(m: &Method) -> Option<&'static str> {
    match m.returns.as_str() {
        "" => None,
        "bytes" => Some("byte[]"),
        _ => Some("string"),
    }
}

fn twin(m: &Method) -> String {
    let mut params = signature(m);
    params.push("CancellationToken cancellationToken = default(CancellationToken)".into());
    let names: Vec<String> = m.params.iter().map(|p| param_name(&camel(&p.name))).collect();
    let text = format!(
        "{} on a thread of its own, where the event handlers run too. Cancelling interrupts it, and the task ends as cancelled.",
        m.spec
    );
    let mut out = docs(m, &text);
    out += &doc(8, "<param name=\"cancellationToken\">", "</param>", "Interrupts the operation when it is cancelled.");
    format!(
        "{out}        public {} {}Async({})\n        {{\n            return RunAsync(() => {}({}), cancellationToken);\n        }}\n\n",
        returned(m).map_or("Task".to_string(), |kind| format!("Task<{kind}>")),
        m.spec,
        params.join(", "),
        m.spec,
        names.join(", ")
    )
}
