//! `include/ssmtp.hpp`: the template `bindings/cpp/ssmtp.hpp.in` with every line `//@part` replaced by what the
//! description says, and `@name@` by the names of single error numbers.

use super::{File, MARK};
use crate::model::{Access, Api, Event, EventField, Method, ObjectField, ObjectType, Property, Status, Type, snake};
use std::fmt::Write;

const TEMPLATE: &str = include_str!("../../../bindings/cpp/ssmtp.hpp.in");
const WIDTH: usize = 120;

pub fn files(api: &Api) -> Vec<File> {
    let mut out = String::new();
    for line in TEMPLATE.lines() {
        match line.strip_prefix("//@") {
            Some("mark") => {
                _ = writeln!(out, "// {MARK}\n// What does not repeat stands in bindings/cpp/ssmtp.hpp.in.")
            }
            Some(name) => out.push_str(&part(api, name)),
            None => _ = writeln!(out, "{line}"),
        }
    }
    for (mark, code) in [("@argument@", 601), ("@refused@", 603), ("@closed@", 608), ("@index@", 605)] {
        let name = api.errors.iter().find(|e| e.code == code).map_or("", |e| e.name.as_str());
        out = out.replace(mark, name);
    }
    vec![File::new("include/ssmtp.hpp", out)]
}

fn part(api: &Api, name: &str) -> String {
    let fields = |of: &str| api.object(of).map(|t| t.fields.clone()).unwrap_or_default();
    let join = |lines: Vec<String>| lines.concat();
    match name {
        "enums" => enums(api),
        "errors" => errors(api),
        "events" => api.events.iter().map(|e| event_struct(api, e)).collect::<Vec<_>>().join("\n"),
        "slots" => join(api.events.iter().map(slot).collect()),
        "trampolines" => api.events.iter().map(trampoline).collect::<Vec<_>>().join("\n"),
        "handlers" => api.events.iter().map(handler).collect::<Vec<_>>().join(""),
        "properties" => join(api.properties.iter().filter(|p| !flattened(p)).map(|p| property(api, p)).collect()),
        "methods" => join(own_methods(api).map(method).collect()),
        "certificate_doc" => object_doc(api, "Certificate"),
        "firewall_doc" => object_doc(api, "Firewall"),
        "header_doc" => object_doc(api, "Header"),
        "recipient_doc" => object_doc(api, "MessageRecipient"),
        "certificate_fields" => {
            join(fields("Certificate").iter().map(|f| object_field(api, "Certificate", f)).collect())
        }
        "firewall_values" => values(api, &fields("Firewall")),
        "firewall_copy" => {
            join(fields("Firewall").iter().map(|f| format!("        copy.{0} = {0}();\n", f.name)).collect())
        }
        "firewall_fields" => join(fields("Firewall").iter().map(|f| object_field(api, "Firewall", f)).collect()),
        "firewall_assign" => {
            let line = |name: &str| match name {
                // The type has set the usual port, which a port that nobody set leaves.
                "port" => "        if (from.port != 0 || from.firewall_type == FirewallType::NONE) {\n            \
                           port(from.port);\n        }\n"
                    .into(),
                _ => format!("        {name}(from.{name});\n"),
            };
            join(fields("Firewall").iter().map(|f| line(&f.name)).collect())
        }
        "header_values" => values(api, &fields("Header")),
        "result_values" => results(api).map(|(p, name)| result_value(api, p, name)).collect(),
        "result_copy" => results(api).map(|(p, name)| result_copy(p, name)).collect(),
        "recipient_values" => values(api, &fields("MessageRecipient")),
        "recipient_copy" => {
            join(fields("MessageRecipient").iter().map(|f| format!("        copy.{0} = {0}();\n", f.name)).collect())
        }
        "recipient_assign" => {
            join(fields("MessageRecipient").iter().map(|f| format!("        {0}(from.{0});\n", f.name)).collect())
        }
        "recipient_fields" => {
            join(fields("MessageRecipient").iter().map(|f| object_field(api, "MessageRecipient", f)).collect())
        }
        other => format!("#error \"the template asks for {other}, which the generator does not know\"\n"),
    }
}

/// Rows that C++ shows as objects: the certificate families, the proxy, the lists and their counts.
pub fn flattened(p: &Property) -> bool {
    let lists = ["MessageHeaderCount", "MessageRecipientCount", "RecipientResultCount"];
    let proxy = p.spec.starts_with("Firewall") && !p.is_object();
    !p.family.is_empty() || p.index || p.by_name_only || proxy || lists.contains(&p.spec.as_str())
}

/// The array rows of the results, each with the name of its field.
fn results(api: &Api) -> impl Iterator<Item = (&Property, &str)> {
    let field = |p: &'_ Property| p.index && p.name.starts_with("recipient_result_");
    api.properties.iter().filter(move |p| field(p)).map(|p| (p, &p.name["recipient_result_".len()..]))
}

fn result_value(api: &Api, p: &Property, name: &str) -> String {
    let start = match p.ty() {
        Type::Text => "",
        Type::Bool => " = false",
        _ => " = 0",
    };
    format!("{}    {} {name}{start};\n", doc(4, &p.doc, p.status), out_type(api, &p.ty()))
}

fn result_copy(p: &Property, name: &str) -> String {
    let read = if p.ty() == Type::Text { "text" } else { "number" };
    let test = if p.ty() == Type::Bool { " != 0" } else { "" };
    format!("        result.{name} = detail::read_{read}(handle_, ssmtp_get_{}, handle_, at){test};\n", p.name)
}

/// `pi_trail` as `PiTrail`.
pub fn camel(name: &str) -> String {
    let word = |w: &str| w[..1].to_ascii_uppercase() + &w[1..];
    name.split('_').filter(|w| !w.is_empty()).map(word).collect()
}

/// A documentation comment, wrapped; planned rows say so.
fn doc(indent: usize, text: &str, status: Status) -> String {
    let mut words: Vec<&str> = text.split_whitespace().collect();
    if status == Status::Planned {
        words.extend("Not there yet: anything but the default is error 606.".split(' '));
    }
    let start = format!("{:indent$}///", "");
    let mut out = String::new();
    let mut line = start.clone();
    for word in words {
        if line.len() + 1 + word.chars().count() > WIDTH && line.len() > start.len() {
            let _ = writeln!(out, "{line}");
            line.clone_from(&start);
        }
        line.push(' ');
        line.push_str(word);
    }
    out + &line + "\n"
}

/// A method's parameters and errors, by the commands that documentation tools know.
fn commands(m: &Method) -> String {
    let mut lines: Vec<String> = m.params.iter().map(|p| format!("@param {} {}", p.name, p.doc)).collect();
    if !m.errors.is_empty() {
        let numbers: Vec<String> = m.errors.iter().map(i32::to_string).collect();
        lines.push(format!("@throws error with one of these codes, among others: {}", numbers.join(", ")));
    }
    lines.iter().map(|line| doc(4, line, Status::Done)).collect()
}

fn object_doc(api: &Api, name: &str) -> String {
    doc(0, api.object(name).map_or("", |t: &ObjectType| t.doc.as_str()), Status::Done)
}

fn enums(api: &Api) -> String {
    let mut parts = Vec::new();
    for e in &api.enums {
        let mut out = doc(0, &e.doc, Status::Done);
        let _ = writeln!(out, "enum class {} : std::int32_t {{", e.name);
        for m in &e.members {
            let _ = writeln!(out, "{}    {} = {},", doc(4, &m.doc, Status::Done), m.name, m.value);
        }
        parts.push(out + "};\n");
    }
    parts.join("\n")
}

fn errors(api: &Api) -> String {
    let mut out = String::from("/// The numbers that error::code() can give.\nstruct ErrorCode {\n");
    for e in &api.errors {
        let _ =
            writeln!(out, "{}    static constexpr std::int32_t {} = {};", doc(4, &e.doc, Status::Done), e.name, e.code);
    }
    out + "};\n"
}

/// The C++ name of an enum type.
fn singular(api: &Api, spec: &str) -> String {
    api.enumeration(spec).map_or_else(|_| spec.to_string(), |e| e.name.clone())
}

fn out_type(api: &Api, ty: &Type) -> String {
    match ty {
        Type::Bool => "bool".into(),
        Type::Int => "std::int32_t".into(),
        Type::Int64 => "std::int64_t".into(),
        Type::Text => "std::string".into(),
        Type::Bytes | Type::Stream => "Bytes".into(),
        Type::Certificate => "Certificate".into(),
        Type::Enum(spec) => singular(api, spec),
    }
}

fn in_type(api: &Api, ty: &Type) -> String {
    match ty {
        Type::Text => "std::string_view".into(),
        Type::Bytes | Type::Stream => "BytesView".into(),
        Type::Certificate => "const Certificate &".into(),
        other => out_type(api, other),
    }
}

/// `T name`, with the blank where C++ style has it.
fn declared(ty: &str, name: &str) -> String {
    if ty.ends_with('&') { format!("{ty}{name}") } else { format!("{ty} {name}") }
}

fn property(api: &Api, p: &Property) -> String {
    if !p.is_object() {
        return doc(4, &super::docs::with_default(api, p), p.status)
            + &pair(api, "Ssmtp", ("ssmtp", &p.name), &p.name, &p.ty(), p.access)
            + "\n";
    }
    let mut out = doc(4, &p.doc, p.status);
    if p.spec == "Firewall" {
        out.push_str("    FirewallSettings firewall() const { return FirewallSettings(state().handle); }\n");
        out.push_str("    Ssmtp &firewall(const Firewall &value) {\n        firewall().assign(value);\n");
        out.push_str("        return *this;\n    }\n");
    } else {
        let _ = writeln!(out, "    {1} {0}() const {{ return {1}(state().handle); }}", p.name, camel(&p.name));
    }
    out + "\n"
}

/// A reader and a writer of one value, as far as `access` lets.
fn pair(api: &Api, class: &str, (prefix, c_name): (&str, &str), name: &str, ty: &Type, access: Access) -> String {
    let mut out = String::new();
    if access.readable() {
        let get = format!("{prefix}_get_{c_name}");
        let value = match ty {
            Type::Text => format!("text({get})"),
            Type::Bytes | Type::Stream => format!("bytes({get})"),
            Type::Certificate => format!("certificate_of({get})"),
            Type::Bool => format!("number({get}) != 0"),
            Type::Int | Type::Int64 => format!("number({get})"),
            Type::Enum(spec) => format!("static_cast<{}>(number({get}))", singular(api, spec)),
        };
        out.push_str(&block(&format!("{} {name}() const", out_type(api, ty)), &value));
    }
    if access.writable() {
        let value = match ty {
            Type::Bool => "value ? 1 : 0",
            Type::Enum(_) => "static_cast<std::int32_t>(value)",
            _ => "value",
        };
        let head = format!("{class} &{name}({})", declared(&in_type(api, ty), "value"));
        out.push_str(&block(&head, &format!("put({prefix}_set_{c_name}, {value})")));
    }
    out
}

/// A member function that returns one expression, on one line where it fits.
fn block(head: &str, value: &str) -> String {
    let line = format!("    {head} {{ return {value}; }}\n");
    if line.len() <= WIDTH { line } else { format!("    {head} {{\n        return {value};\n    }}\n") }
}

/// A field of an object: a certificate's own function, or the flattened one of `prefix` + field.
fn object_field(api: &Api, prefix: &str, f: &ObjectField) -> String {
    // FirewallType and RecipientType already say what they belong to.
    let repeated = prefix.strip_prefix("Message").unwrap_or(prefix);
    let flat = snake(&format!("{prefix}{}", f.spec.strip_prefix(repeated).unwrap_or(&f.spec)));
    let (class, c_name) = match prefix {
        "Certificate" => ("Certificate", ("ssmtp_cert", f.name.as_str())),
        "Firewall" => ("FirewallSettings", ("ssmtp", flat.as_str())),
        _ => ("RecipientItem", ("ssmtp", flat.as_str())),
    };
    doc(4, &f.doc, f.status) + &pair(api, class, c_name, &f.name, &Type::parse(&f.type_name), f.access) + "\n"
}

/// Members of a value type.
fn values(api: &Api, fields: &[ObjectField]) -> String {
    let mut out = String::new();
    for f in fields {
        let ty = Type::parse(&f.type_name);
        let start = match &ty {
            Type::Text | Type::Bytes => String::new(),
            Type::Bool => " = false".into(),
            Type::Enum(spec) => {
                let first = api.enumeration(spec).ok().and_then(|e| e.members.first());
                format!(" = {}::{}", singular(api, spec), first.map_or("", |m| m.name.as_str()))
            }
            _ => " = 0".into(),
        };
        let _ = writeln!(out, "{}    {} {}{start};", doc(4, &f.doc, f.status), out_type(api, &ty), f.name);
    }
    out
}

fn event_type(f: &EventField) -> &'static str {
    match Type::parse(&f.type_name) {
        Type::Bool => "bool",
        Type::Int64 => "std::int64_t",
        Type::Text => "std::string_view",
        Type::Bytes => "BytesView",
        _ => "std::int32_t",
    }
}

fn event_struct(_api: &Api, e: &Event) -> String {
    let mut out = doc(0, &e.doc, Status::Done);
    let _ = writeln!(out, "struct {}Event {{", camel(&e.name));
    for f in &e.fields {
        // What only comes in is const: a handler that writes it would be ignored.
        let kept = if f.inout { "" } else { "const " };
        let _ = writeln!(out, "{}    {kept}{} {};", doc(4, &f.doc, Status::Done), event_type(f), f.name);
    }
    out + "};\n"
}

fn slot(e: &Event) -> String {
    format!("    std::shared_ptr<const std::function<void({}Event &)>> on_{};\n", camel(&e.name), e.name)
}

fn trampoline(e: &Event) -> String {
    let (class, name) = (camel(&e.name), &e.name);
    let part = |f: &EventField| match event_type(f) {
        "bool" => format!("raw->{} != 0", f.name),
        kind @ ("std::string_view" | "BytesView") => format!("{kind}(raw->{0}, raw->{0}_len)", f.name),
        _ => format!("raw->{}", f.name),
    };
    let mut parts: Vec<String> = e.fields.iter().map(part).collect();
    if parts.concat().len() > 70 {
        parts = parts.iter().map(|p| format!("\n            {p}")).collect();
    }
    let fields = parts.join(if parts[0].starts_with('\n') { "," } else { ", " });
    let mut head =
        format!("inline std::int32_t fire_{name}(ssmtp_t *, ssmtp_{name}_event *raw, void *userdata) noexcept {{");
    if head.len() > WIDTH {
        let indent = format!("raw,\n{:1$}void", "", head.find('(').map_or(0, |i| i + 1));
        head = head.replace("raw, void", &indent);
    }
    let mut out = format!(
        "{head}\n    auto &state = *static_cast<State *>(userdata);\n    \
         return state.fire<{class}Event>(&State::on_{name}, [raw](const auto &handler) {{\n        \
         {class}Event event{{{fields}}};\n        handler(event);\n"
    );
    for f in e.fields.iter().filter(|f| f.inout) {
        let _ = writeln!(out, "        raw->{0} = event.{0} ? 1 : 0;", f.name);
    }
    out + "    });\n}\n"
}

fn handler(e: &Event) -> String {
    let (class, name) = (camel(&e.name), &e.name);
    let mut out = doc(4, &e.doc, Status::Done);
    let _ = writeln!(out, "    Ssmtp &on_{name}(std::function<void({class}Event &)> handler) {{");
    let _ = writeln!(out, "        detail::State &s = state();");
    let _ = writeln!(out, "        s.subscribe(&detail::State::on_{name}, std::move(handler), [&s](bool some) {{");
    let _ = writeln!(out, "            ssmtp_{name}_cb call = some ? detail::fire_{name} : nullptr;");
    let _ = writeln!(out, "            return ssmtp_on_{name}(s.handle, call, &s);");
    out + "        });\n        return *this;\n    }\n"
}

fn own_methods(api: &Api) -> impl Iterator<Item = &Method> {
    api.methods.iter().filter(|m| !m.manual && !IN_TEMPLATE.contains(&m.spec.as_str()))
}

/// Methods that the template has: they let streams go.
const IN_TEMPLATE: [&str; 1] = ["ClearAttachments"];

fn method(m: &Method) -> String {
    let mut params = Vec::new();
    let mut before = String::new();
    let mut args = vec!["s->handle".to_string()];
    for p in &m.params {
        match Type::parse(&p.type_name) {
            Type::Text => {
                // What comes after the subject of a call may be left out.
                let default = if params.is_empty() { "" } else { " = {}" };
                params.push(format!("std::string_view {}{default}", p.name));
                let _ = writeln!(before, "        const detail::Text {0}_text({0});", p.name);
                args.push(format!("{}_text.get()", p.name));
            }
            Type::Bytes => {
                params.push(format!("BytesView {}", p.name));
                args.push(format!("{0}.data(), {0}.size()", p.name));
            }
            _ => {
                params.push(format!("std::int32_t {}", p.name));
                args.push(p.name.clone());
            }
        }
    }
    let text = m.returns == "string";
    let octets = m.returns == "bytes";
    let mut out = match m.status {
        Status::Done => doc(4, &m.doc, Status::Done) + &commands(m),
        Status::Planned => doc(4, &format!("{} Not there yet: error 606.", m.doc), Status::Done),
    };
    let returns = match m.returns.as_str() {
        "" => "void",
        "bytes" => "Bytes",
        _ => "std::string",
    };
    out.push_str(&wrapped(4, &format!("{returns} {}(", m.name), &params, ") {"));
    let _ = writeln!(out, "{before}        const auto s = running();");
    if text {
        out.push_str("        char *raw = nullptr;\n");
        args.push("&raw".into());
    }
    if octets {
        out.push_str("        std::uint8_t *raw = nullptr;\n        std::size_t length = 0;\n");
        args.push("&raw, &length".into());
    }
    out.push_str(&wrapped(8, &format!("const std::int32_t code = ssmtp_{}(", m.name), &args, ");"));
    if text {
        out.push_str("        detail::Owned<char> held(raw);\n");
    }
    if octets {
        out.push_str("        detail::Owned<std::uint8_t> held(raw);\n");
    }
    // A handler may call what does not block; the exception of the operation around it is not its business.
    out.push_str(if m.blocking { "        s->finish(code);\n" } else { "        detail::check(s->handle, code);\n" });
    if text {
        out.push_str("        return raw != nullptr ? std::string(raw) : std::string();\n");
    }
    if octets {
        out.push_str("        return raw != nullptr ? Bytes(raw, raw + length) : Bytes();\n");
    }
    out + "    }\n"
}

/// A list between its head and its tail, broken under the head where the line would be too long.
fn wrapped(indent: usize, head: &str, items: &[String], tail: &str) -> String {
    let mut line = format!("{:indent$}{head}", "");
    let under = line.len();
    let mut out = String::new();
    for (i, item) in items.iter().enumerate() {
        let end = if i + 1 == items.len() { tail } else { "," };
        if line.len() > under && line.len() + 1 + item.len() + end.len() > WIDTH {
            let _ = writeln!(out, "{}", line.trim_end());
            line = " ".repeat(under);
        }
        let _ = write!(line, "{item}{end} ");
    }
    if items.is_empty() {
        line.push_str(tail);
    }
    out + line.trim_end() + "\n"
}
