//! The typed layers: enums, event classes, the component's properties, methods and handlers, and the objects' fields.

use super::{attribute, comment, default, docstring, enum_name, flattened, kind, py_type};
use crate::model::{Access, Api, Event, EventField, Method, ObjectType, Property, Status, Type, Value};

const PLANNED_READ: &str = "Planned: it reads as its default in this version.";
const PLANNED: &str =
    "Planned: it reads as its default, and writing anything else raises SsmtpError 606 in this version.";

pub fn enums(api: &Api) -> String {
    let names = api.enums.iter().map(|e| e.name.clone()).chain(["ErrorCode".to_string()]).collect();
    let mut out = format!("from enum import IntEnum\n\n{}", exported(names));
    for e in &api.enums {
        out += &format!("\n\nclass {}(IntEnum):\n{}\n", e.name, docstring(4, &e.doc, &[]));
        for m in &e.members {
            out += &comment(4, &m.doc);
            out += &format!("    {} = {}\n", m.name, m.value);
        }
    }
    out += "\n\nclass ErrorCode(IntEnum):\n    \"\"\"The numbers of SsmtpError by name.\"\"\"\n\n";
    for e in &api.errors {
        out += &comment(4, &e.doc);
        out += &format!("    {} = {}\n", e.name, e.code);
    }
    out
}

fn exported(mut names: Vec<String>) -> String {
    names.sort();
    let names: String = names.iter().map(|name| format!("    \"{name}\",\n")).collect();
    format!("__all__ = [\n{names}]\n")
}

pub fn events(api: &Api) -> String {
    let mut out = String::from(
        "from typing import Any, Callable, Dict\n\nfrom ._access import octets_at, text_at\nfrom ._event import Event\n",
    );
    out += &format!("\n{}", exported(api.events.iter().map(event_class).collect()));
    for e in &api.events {
        out += &event(e);
    }
    out += "\n\n#: Event name: what makes the event of its struct.\nREADERS: Dict[str, Callable[[Any], Event]] = {\n";
    for e in &api.events {
        out += &format!("    \"{}\": {}.read,\n", e.name, event_class(e));
    }
    out + "}\n"
}

fn event_class(e: &Event) -> String {
    format!("{}Event", e.spec)
}

fn event(e: &Event) -> String {
    let planned = planned(e.status, "Planned: it does not fire in this version.");
    let mut out = format!("\n\nclass {}(Event):\n{}\n", event_class(e), docstring(4, &e.doc, &planned));
    let names: Vec<String> = e.fields.iter().map(|f| format!("\"{}\"", f.name)).collect();
    out += &match names.as_slice() {
        [one] => format!("    __slots__ = ({one},)\n\n"),
        _ => listed("    __slots__ = (", &names, ")\n\n"),
    };
    let arguments: Vec<String> = e.fields.iter().map(|f| format!("{}: {}", f.name, field_type(f))).collect();
    out += &listed("    def __init__(self, ", &arguments, ") -> None:\n");
    for f in &e.fields {
        out += &comment(8, &f.doc);
        out += &format!("        self.{} = {}\n", f.name, f.name);
    }
    let values: Vec<String> = e.fields.iter().map(read_field).collect();
    out += &format!(
        "\n    @classmethod\n    def read(cls, raw: Any) -> \"{}\":\n        \"\"\"Out of the struct that C handed over.\"\"\"\n",
        event_class(e)
    );
    out += &listed("        return cls(", &values, ")\n");
    let written: Vec<&EventField> = e.fields.iter().filter(|f| f.inout).collect();
    if !written.is_empty() {
        out += "\n    def write(self, raw: Any) -> None:\n";
        for f in written {
            out += &format!("        raw.{0} = 1 if self.{0} else 0\n", f.name);
        }
    }
    out
}

fn field_type(f: &EventField) -> &'static str {
    match Type::parse(&f.type_name) {
        Type::Text => "str",
        Type::Bytes => "bytes",
        Type::Bool => "bool",
        _ => "int",
    }
}

fn read_field(f: &EventField) -> String {
    let name = &f.name;
    match Type::parse(&f.type_name) {
        Type::Text => format!("text_at(raw.{name}, raw.{name}_len)"),
        Type::Bytes => format!("octets_at(raw.{name}, raw.{name}_len)"),
        Type::Bool => format!("raw.{name} != 0"),
        _ => format!("raw.{name}"),
    }
}

/// `head`, the items, `tail` on one line, or one item a line where that is too long.
fn listed(head: &str, items: &[String], tail: &str) -> String {
    let line = format!("{head}{}{tail}", items.join(", "));
    if line.trim_end().chars().count() <= super::WIDTH {
        return line;
    }
    let indent = head.len() - head.trim_start().len();
    let (pad, inner) = (" ".repeat(indent), " ".repeat(indent + 4));
    let (start, first) = head.split_at(head.rfind('(').map_or(head.len(), |at| at + 1));
    let mut items = items.to_vec();
    if !first.trim().is_empty() {
        items.insert(0, first.trim().trim_end_matches(',').to_string());
    }
    let lines: String = items.iter().map(|item| format!("{inner}{item},\n")).collect();
    format!("{start}\n{lines}{pad}{tail}")
}

fn planned(status: Status, text: &str) -> Vec<String> {
    if status == Status::Planned { vec![text.to_string()] } else { Vec::new() }
}

pub fn component(api: &Api) -> String {
    let shown: Vec<&Property> = api.properties.iter().filter(|p| !flattened(api, p)).collect();
    let mut enums: Vec<String> = shown
        .iter()
        .filter_map(|p| if let Type::Enum(name) = p.ty() { Some(enum_name(api, &name)) } else { None })
        .collect();
    enums.sort();
    enums.dedup();
    let mut classes: Vec<String> = api.events.iter().map(event_class).collect();
    classes.sort();
    let mut out = String::from(
        "from typing import Optional\n\nfrom ._access import Accessor, flag, octets, text\n\
         from ._certificate import Certificate\n",
    );
    out += &import("._enums_gen", &enums);
    out += "from ._event import Handler\n";
    out += &import("._events_gen", &classes);
    out += "from ._firewall import Firewall\nfrom ._headers import MessageHeaders\n\
            from ._recipients import MessageRecipients\n\n\n";
    out += "class Properties(Accessor):\n    \"\"\"One attribute a property.\"\"\"\n";
    for p in shown {
        out += &if p.is_object() { object(p) } else { property(api, p) };
    }
    out += "\n\nclass Methods(Accessor):\n    \"\"\"One method each, and an `_async` twin for those that may wait.\"\"\"\n";
    for m in api.methods.iter().filter(|m| !m.manual) {
        out += &method(m);
    }
    out += "\n\nclass Handlers(Accessor):\n    \"\"\"One `on_` attribute an event: a function that takes the event, or None.\"\"\"\n";
    for e in &api.events {
        out += &handler(e);
    }
    out
}

fn import(module: &str, names: &[String]) -> String {
    let lines: String = names.iter().map(|name| format!("    {name},\n")).collect();
    format!("from {module} import (\n{lines})\n")
}

/// The lists and the proxy: their classes are written by hand.
fn object(p: &Property) -> String {
    let notes = planned(p.status, PLANNED);
    let mut out =
        format!("\n    @property\n    def {0}(self) -> {1}:\n{2}", p.name, p.spec, docstring(8, &p.doc, &notes));
    out += &format!("        return {}.of(self)\n", p.spec);
    if p.access.writable() {
        out += &format!(
            "\n    @{0}.setter\n    def {0}(self, value: {1}) -> None:\n        {1}.of(self).assign(value)\n",
            p.name, p.spec
        );
    }
    out
}

fn property(api: &Api, p: &Property) -> String {
    let name = attribute(&p.name);
    // The component's text property and its octets are one value; Python has bytes for it.
    let (row, ty) = if p.spec == "Message" { ("message_b", Type::Bytes) } else { (p.name.as_str(), p.ty()) };
    let (access, default) = (p.access, p.default.as_ref());
    accessors(
        api,
        &Row {
            name: &name,
            c: &format!("ssmtp_{{}}_{row}"),
            ty,
            access,
            default,
            status: p.status,
            doc: &p.doc,
            waits: p.set == "component",
        },
    )
}

/// What a Python property is made from.
struct Row<'a> {
    name: &'a str,
    /// Its C functions, `{}` where one has get and the other set.
    c: &'a str,
    ty: Type,
    access: Access,
    default: Option<&'a Value>,
    status: Status,
    doc: &'a str,
    /// Writing it runs a blocking method.
    waits: bool,
}

impl Row<'_> {
    fn docstring(&self, api: &Api) -> String {
        let mut notes = Vec::new();
        if let Some(value) = self.default {
            notes.push(format!("Default: {}.", member(api, &self.ty, value)));
        }
        notes.extend(planned(self.status, if self.access == Access::Ro { PLANNED_READ } else { PLANNED }));
        docstring(8, self.doc, &notes)
    }
}

/// A default as the documentation shows it: the member of an enum, else the value.
fn member(api: &Api, ty: &Type, value: &Value) -> String {
    if let (Type::Enum(name), Value::Int(n)) = (ty, value)
        && let Ok(e) = api.enumeration(name)
        && let Some(m) = e.members.iter().find(|m| i64::from(m.value) == *n)
    {
        return format!("{}.{}", e.name, m.name);
    }
    default(ty, Some(value))
}

fn accessors(api: &Api, row: &Row) -> String {
    let (name, kind, python) = (row.name, kind(&row.ty), py_type(api, &row.ty));
    let (get, set) = (row.c.replace("{}", "get"), row.c.replace("{}", "set"));
    let doc = row.docstring(api);
    let mut out = String::new();
    if row.access.readable() {
        let call = match row.ty {
            Type::Enum(_) => format!("{python}(self._get_int(\"{get}\"))"),
            Type::Certificate => format!("Certificate.adopt(self._get_certificate(\"{get}\"))"),
            _ => format!("self._get_{kind}(\"{get}\")"),
        };
        out += &format!("\n    @property\n    def {name}(self) -> {python}:\n{doc}        return {call}\n");
    }
    if row.access.writable() {
        let (argument, python) = match row.ty {
            Type::Enum(_) => (format!("{python}, value"), python),
            Type::Certificate => ("Certificate.handle_of(value)".into(), "Optional[Certificate]".into()),
            _ => ("value".to_string(), python),
        };
        let call = match (row.waits, kind) {
            (true, "bool") => format!("self._run(\"{set}\", flag(\"{name}\", value))"),
            (true, "text") => format!("self._run(\"{set}\", text(\"{name}\", value))"),
            _ => format!("self._set_{kind}(\"{set}\", {argument})"),
        };
        out += &if row.access.readable() {
            format!("\n    @{name}.setter\n    def {name}(self, value: {python}) -> None:\n        {call}\n")
        } else {
            format!(
                "\n    def _set_{name}(self, value: {python}) -> None:\n{doc}        {call}\n\
                 \n    {name} = property(None, _set_{name}, doc=_set_{name}.__doc__)\n"
            )
        };
    }
    out
}

fn method(m: &Method) -> String {
    let mut notes: Vec<String> = m.params.iter().map(|p| format!("`{}`: {}", p.name, p.doc)).collect();
    if !m.errors.is_empty() {
        let mut errors = m.errors.clone();
        errors.sort_unstable();
        let errors: Vec<String> = errors.iter().map(i32::to_string).collect();
        notes.push(format!("Errors worth telling apart: {}.", errors.join(", ")));
    }
    notes.extend(planned(m.status, "Planned: it raises SsmtpError 606 in this version."));
    let python = |type_name: &str| if Type::parse(type_name) == Type::Bytes { "bytes" } else { "str" };
    let declared: String = m.params.iter().map(|p| format!(", {}: {}", p.name, python(&p.type_name))).collect();
    let converted: String = m
        .params
        .iter()
        .map(|p| match Type::parse(&p.type_name) {
            Type::Bytes => format!(", *octets(\"{0}\", {0})", p.name),
            _ => format!(", text(\"{0}\", {0})", p.name),
        })
        .collect();
    let (returns, run) = match (m.returns.as_str(), m.blocking) {
        ("", true) => ("None", "self._run"),
        ("", false) => ("None", "self._call"),
        ("bytes", _) => ("bytes", "return self._run_bytes"),
        _ => ("str", "return self._run_text"),
    };
    let mut out = format!("\n    def {}(self{declared}) -> {returns}:\n{}", m.name, docstring(8, &m.doc, &notes));
    out += &format!("        {run}(\"ssmtp_{}\"{converted})\n", m.name);
    if m.blocking {
        let doc = format!("`{}` in a thread of its own; cancelling the task interrupts it.", m.name);
        let passed: String = m.params.iter().map(|p| format!(", {}", p.name)).collect();
        let run = if m.returns.is_empty() { "await" } else { "return await" };
        out += &format!("\n    async def {}_async(self{declared}) -> {returns}:\n{}", m.name, docstring(8, &doc, &[]));
        out += &format!("        {run} self._in_thread(self.{}{passed})\n", m.name);
    }
    out
}

fn handler(e: &Event) -> String {
    let (name, class) = (format!("on_{}", e.name), event_class(e));
    let mut notes: Vec<String> = e.fields.iter().map(|f| format!("`{}`: {}", f.name, f.doc)).collect();
    notes.extend(planned(e.status, "Planned: it does not fire in this version."));
    format!(
        "\n    @property\n    def {name}(self) -> Handler[{class}]:\n{}        return self._handler(\"{}\")\n\
         \n    @{name}.setter\n    def {name}(self, handler: Handler[{class}]) -> None:\n        \
         self._set_handler(\"{}\", handler)\n",
        docstring(8, &e.doc, &notes),
        e.name,
        e.name
    )
}

pub fn objects(api: &Api) -> String {
    let mut enums = Vec::new();
    let mut body = String::new();
    for t in &api.types {
        body += &fields(api, t);
        for f in &t.fields {
            if let Type::Enum(name) = Type::parse(&f.type_name) {
                enums.push(enum_name(api, &name));
            }
        }
    }
    enums.sort();
    enums.dedup();
    let enums = format!("from ._enums_gen import {}\n", enums.join(", "));
    format!("from ._access import Accessor\n{enums}{body}")
}

/// A field of a certificate has its own C functions, of the other objects those of the flattened property.
fn fields(api: &Api, t: &ObjectType) -> String {
    let mut out = format!("\n\nclass {}Fields(Accessor):\n{}", t.spec, docstring(4, &t.doc, &[]));
    for f in &t.fields {
        let c = match t.spec.as_str() {
            "Certificate" => format!("ssmtp_cert_{{}}_{}", f.name),
            _ => format!("ssmtp_{{}}_{}", row(t, &f.spec)),
        };
        let (ty, access, default) = (Type::parse(&f.type_name), f.access, f.default.as_ref());
        out += &accessors(
            api,
            &Row { name: &f.name, c: &c, ty, access, default, status: f.status, doc: &f.doc, waits: false },
        );
    }
    out
}

/// `MessageRecipient` + `RecipientType` is the property MessageRecipientType, `Header` + `Field` MessageHeaderField.
fn row(t: &ObjectType, field: &str) -> String {
    let prefix = if t.spec == "Header" { "MessageHeader" } else { t.spec.as_str() };
    let field = if field.ends_with("Type") { "Type" } else { field };
    crate::model::snake(&format!("{prefix}{field}"))
}
