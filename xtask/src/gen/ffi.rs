//! Generator of the C boundary: the shims of properties, methods and events, the enums of the header, the list of exports.

use super::File;
use super::docs::with_default;
use super::rows;
use super::rust::{camel_type, doc, made};
use crate::model::{Api, CFunction, CParam, CType, Event, Method, ObjectField, Property, Source, Status, Type, snake};
use std::fmt::Write as _;

pub fn files(api: &Api) -> Vec<File> {
    vec![
        made("src/ffi/gen/mod.rs", ffi_mod()),
        made("src/ffi/gen/enums.rs", ffi_enums(api)),
        made("src/ffi/gen/properties.rs", ffi_properties(api)),
        made("src/ffi/gen/methods.rs", ffi_methods(api)),
        made("src/ffi/gen/events.rs", ffi_events(api)),
        File::new("tests/abi/exports.txt", exports(api)),
    ]
}

fn ffi_mod() -> String {
    "mod enums;\nmod events;\nmod methods;\nmod properties;\n\npub use enums::*;\npub use events::*;\npub use methods::*;\npub use properties::*;\n".into()
}

fn ffi_enums(api: &Api) -> String {
    let mut out =
        String::from("#![allow(non_camel_case_types, clippy::enum_variant_names, clippy::upper_case_acronyms)]\n\n");
    for e in &api.enums {
        doc(&mut out, "", &e.doc);
        let name = format!("ssmtp_{}", snake(&e.name));
        let _ = writeln!(out, "#[repr(C)]\npub enum {name} {{");
        for m in &e.members {
            doc(&mut out, "    ", &m.doc);
            let _ = writeln!(out, "    {}_{} = {},", name.to_ascii_uppercase(), m.name, m.value);
        }
        out.push_str("}\n\n");
    }
    out.push_str("/// The numbers that functions return; 0 is success.\n#[repr(C)]\npub enum ssmtp_error {\n");
    for e in &api.errors {
        doc(&mut out, "    ", &e.doc);
        let _ = writeln!(out, "    SSMTP_ERROR_{} = {},", e.name, e.code);
    }
    out.push_str("}\n");
    out
}

/// The names of the types that no function mentions and the header must show all the same.
pub fn header_types(api: &Api) -> Vec<String> {
    let mut all: Vec<String> = api.enums.iter().map(|e| format!("ssmtp_{}", snake(&e.name))).collect();
    all.push("ssmtp_error".into());
    all
}

fn rust_param(p: &CParam) -> String {
    let ty = match p.ctype {
        CType::Handle => "*mut ssmtp_t".to_string(),
        CType::Cert => "*mut ssmtp_cert_t".into(),
        CType::CertOut => "*mut *mut ssmtp_cert_t".into(),
        CType::Text => "*const c_char".into(),
        CType::TextOut => "*mut *mut c_char".into(),
        CType::Bytes => "*const u8".into(),
        CType::Size => "usize".into(),
        CType::BytesOut => "*mut *mut u8".into(),
        CType::SizeOut => "*mut usize".into(),
        CType::Int => "i32".into(),
        CType::IntOut => "*mut i32".into(),
        CType::Int64 => "i64".into(),
        CType::Callback => format!("ssmtp_{}_cb", p.event),
        CType::UserData => "*mut c_void".into(),
        CType::ReadCallback => "ssmtp_read_cb".into(),
        CType::CloseCallback => "ssmtp_close_cb".into(),
        CType::SignCallback => "ssmtp_sign_cb".into(),
        CType::HandleArray => "*const *mut ssmtp_t".into(),
        CType::IntArray => "*mut i32".into(),
    };
    format!("{}: {ty}", p.name)
}

fn signature(out: &mut String, f: &CFunction, text: &str) {
    doc(out, "", text);
    let params: Vec<String> = f.params.iter().map(rust_param).collect();
    let _ =
        writeln!(out, "#[unsafe(no_mangle)]\npub unsafe extern \"C\" fn {}({}) -> i32 {{", f.name, params.join(", "));
}

fn ffi_properties(api: &Api) -> String {
    let mut out = String::from(
        "use crate::component::rows::{Family, get, set};\nuse crate::ffi::guard;\nuse crate::ffi::handle::{ssmtp_cert_t, ssmtp_t};\nuse libc::c_char;\n\n",
    );
    for f in api.c_functions() {
        let (words, ty, verb, row) = match &f.source {
            Source::Getter(spec) => {
                let p = property(api, spec);
                let words = format!("Reads {spec}. {}{}", with_default(api, p).trim(), release(&p.ty()));
                (words, p.ty(), "get", rows::to_get(api, p))
            }
            Source::Setter(spec) => {
                let p = property(api, spec);
                let words = format!("Sets {spec}. {}", with_default(api, p).trim());
                (words, p.ty(), "set", rows::to_set(api, p))
            }
            Source::CertGetter(spec) => {
                let field = cert_field(api, spec);
                let ty = Type::parse(&field.type_name);
                let words = format!("Reads {spec} of a certificate. {}{}", f.doc.trim(), release(&ty));
                (words, ty, "cert_get", rows::cert_getter_row(field))
            }
            Source::CertSetter(spec) => {
                let field = cert_field(api, spec);
                let words = format!("Sets {spec} of a certificate. {}", f.doc.trim());
                (words, Type::parse(&field.type_name), "cert_set", rows::cert_setter_row(field))
            }
            _ => continue,
        };
        signature(&mut out, &f, &words);
        let token = if verb.starts_with("cert") { "cert" } else { "handle" };
        let length = if ty == Type::Bytes { ", length" } else { "" };
        let guard = format!("guard::{verb}_{}", rows::suffix(&ty));
        let _ = writeln!(out, "    unsafe {{ {guard}({token}, value{length}, {row}) }}\n}}\n");
    }
    out
}

fn property<'a>(api: &'a Api, spec: &str) -> &'a Property {
    api.properties.iter().find(|p| p.spec == spec).expect("the row it came from")
}

/// How what a getter gives is released.
fn release(ty: &Type) -> &'static str {
    match ty {
        Type::Text => " Release the text with `ssmtp_free`.",
        Type::Bytes => " Release the octets with `ssmtp_free`.",
        Type::Certificate => " Release it with `ssmtp_cert_delete`.",
        _ => "",
    }
}

/// What a method does, then its parameters, the result and the numbers, a paragraph each.
fn method_words(api: &Api, m: &Method) -> String {
    let mut out = m.doc.trim().to_string();
    for p in &m.params {
        let _ = write!(out, "\n- `{}`: {}", p.name, p.doc.trim());
    }
    if !m.returns.is_empty() {
        let _ = write!(out, "\n- `value`: the result.{}", release(&Type::parse(&m.returns)));
    }
    let text = |code: &i32| api.errors.iter().find(|e| e.code == *code).map_or("", |e| e.text.as_str());
    let more: Vec<String> = m.errors.iter().map(|code| format!("{code} {}", text(code))).collect();
    if !more.is_empty() {
        let _ = write!(out, "\n- Errors, among others: {}.", more.join(", "));
    }
    out
}

fn cert_field<'a>(api: &'a Api, spec: &str) -> &'a ObjectField {
    let cert = api.object("Certificate").expect("the type is described");
    cert.fields.iter().find(|f| f.spec == spec).expect("the field it came from")
}

fn ffi_methods(api: &Api) -> String {
    let mut out = String::from(
        "use crate::component::Component;\nuse crate::ffi::guard;\nuse crate::ffi::handle::ssmtp_t;\nuse crate::ffi::text;\nuse libc::c_char;\n\n",
    );
    for f in api.c_functions() {
        let Source::Method(spec) = &f.source else { continue };
        let m = api.methods.iter().find(|m| m.spec == *spec).expect("the row it came from");
        signature(&mut out, &f, &method_words(api, m));
        let body = simple_call(m).unwrap_or_else(|| full_call(m));
        let _ = writeln!(out, "    {body}\n}}\n");
    }
    out
}

/// The call of a method whose arguments and result one of the guard's functions knows.
fn simple_call(m: &Method) -> Option<String> {
    if m.status == Status::Planned {
        return None;
    }
    let takes: Vec<Type> = m.params.iter().map(|p| Type::parse(&p.type_name)).collect();
    let returns = (!m.returns.is_empty()).then(|| Type::parse(&m.returns));
    let (guard, arguments) = match (takes.as_slice(), returns) {
        ([], None) => ("call", String::new()),
        ([Type::Text], None) => ("call_with_text", format!("{}, ", m.params[0].name)),
        ([Type::Bytes], None) => ("call_with_octets", format!("{}, length, ", m.params[0].name)),
        ([Type::Text], Some(Type::Text)) => ("text_of_text", format!("{}, value, ", m.params[0].name)),
        ([Type::Bytes], Some(Type::Bytes)) => {
            ("octets_of_octets", format!("{}, length, value, value_length, ", m.params[0].name))
        }
        _ => return None,
    };
    let call = format!("guard::{guard}(handle, {arguments}Component::{})", m.name);
    Some(if takes.is_empty() { call } else { format!("unsafe {{ {call} }}") })
}

fn full_call(m: &Method) -> String {
    let mut lets = String::new();
    let mut arguments = Vec::new();
    for p in &m.params {
        match Type::parse(&p.type_name) {
            Type::Text => {
                let _ = writeln!(lets, "let {0} = unsafe {{ text::input(c, {0}) }}?;", p.name);
                arguments.push(format!("&{}", p.name));
            }
            Type::Bytes => {
                let _ = writeln!(lets, "let {0} = unsafe {{ text::octets({0}, length) }}?;", p.name);
                arguments.push(p.name.clone());
            }
            _ => arguments.push(p.name.clone()),
        }
    }
    let planned = m.status == Status::Planned;
    let call =
        if planned { format!("c.planned({:?})", m.spec) } else { format!("c.{}({})", m.name, arguments.join(", ")) };
    let lets = if planned { lets.replace("let ", "let _") } else { lets };
    if m.returns.is_empty() {
        return format!("guard::run(handle, &mut |c| {{ {lets}{call} }})");
    }
    let lets = lets.replace("unsafe { ", "").replace(" }?", "?");
    let guard = match Type::parse(&m.returns) {
        Type::Bytes => "octets_of(handle, value, value_length",
        _ => "text_of(handle, value",
    };
    format!("unsafe {{ guard::{guard}, &mut |c| {{ {lets}{call} }}) }}")
}

fn ffi_events(api: &Api) -> String {
    let mut out = String::from(
        "#![allow(non_camel_case_types)]\n\nuse crate::events::{self, Kind};\nuse crate::ffi::callbacks::{Callback, Shown, set};\nuse crate::ffi::handle::ssmtp_t;\nuse libc::{c_char, c_void};\n\n",
    );
    for e in &api.events {
        event_struct(&mut out, e);
    }
    out.push_str("/// A callback as it was set, by event.\n#[derive(Clone, Copy)]\npub enum Function {\n");
    for e in &api.events {
        let _ = writeln!(
            out,
            "    {}(unsafe extern \"C\" fn(*mut ssmtp_t, *mut ssmtp_{}_event, *mut c_void) -> i32),",
            camel_type(&e.spec),
            e.name
        );
    }
    out.push_str("}\n\n");
    for e in &api.events {
        event_fire(&mut out, e);
    }
    for f in api.c_functions() {
        let Source::Event(spec) = &f.source else { continue };
        let set = "Sets the callback of this event in the place of the one before; NULL takes it away.";
        signature(&mut out, &f, &format!("{} {set}", f.doc.trim()));
        let variant = camel_type(spec);
        let _ = writeln!(out, "    set(handle, Kind::{variant}, callback.map(Function::{variant}), userdata)\n}}\n");
    }
    out
}

fn event_struct(out: &mut String, e: &Event) {
    doc(out, "", &e.doc);
    let _ = writeln!(
        out,
        "#[repr(C)]\npub struct ssmtp_{}_event {{\n    /// Size of this struct in bytes; it only grows, at its end.\n    pub size: u32,",
        e.name
    );
    for f in &e.fields {
        doc(out, "    ", &f.doc);
        let name = &f.name;
        match Type::parse(&f.type_name) {
            Type::Int64 => {
                let _ = writeln!(out, "    pub {name}: i64,");
            }
            Type::Text => {
                let _ = writeln!(
                    out,
                    "    pub {name}: *const c_char,\n    /// Length of `{name}` in bytes, its final NUL not counted.\n    pub {name}_len: usize,"
                );
            }
            Type::Bytes => {
                let _ = writeln!(
                    out,
                    "    pub {name}: *const u8,\n    /// Length of `{name}` in bytes.\n    pub {name}_len: usize,"
                );
            }
            _ => {
                let _ = writeln!(out, "    pub {name}: i32,");
            }
        }
    }
    let _ = writeln!(
        out,
        "}}\n\n/// Called on the thread that runs the operation, with no lock held. Return 0 to go on, anything else to stop the operation with error 301.\npub type ssmtp_{0}_cb = Option<unsafe extern \"C\" fn(handle: *mut ssmtp_t, event: *mut ssmtp_{0}_event, userdata: *mut c_void) -> i32>;\n",
        e.name
    );
}

fn event_fire(out: &mut String, e: &Event) {
    let inout = e.fields.iter().any(|f| f.inout);
    let event = if inout { "&mut events::" } else { "&events::" };
    let life = if e.fields.iter().any(|f| matches!(Type::parse(&f.type_name), Type::Text | Type::Bytes)) {
        "<'_>"
    } else {
        ""
    };
    let _ = writeln!(
        out,
        "pub(crate) fn fire_{}(callback: Callback, handle: *mut ssmtp_t, event: {event}{}{life}) -> i32 {{\n    let Function::{}(function) = callback.function else {{ return 0 }};",
        e.name,
        camel_type(&e.spec),
        camel_type(&e.spec)
    );
    for f in &e.fields {
        if Type::parse(&f.type_name) == Type::Text {
            let _ = writeln!(out, "    let {0} = Shown::new(event.{0});", f.name);
        }
    }
    let _ =
        writeln!(out, "    let mut c = ssmtp_{0}_event {{\n        size: size_of::<ssmtp_{0}_event>() as u32,", e.name);
    for f in &e.fields {
        let n = &f.name;
        let _ = match Type::parse(&f.type_name) {
            Type::Text => writeln!(out, "        {n}: {n}.as_ptr(),\n        {n}_len: {n}.len(),"),
            Type::Bytes => writeln!(out, "        {n}: event.{n}.as_ptr(),\n        {n}_len: event.{n}.len(),"),
            Type::Bool => writeln!(out, "        {n}: i32::from(event.{n}),"),
            _ => writeln!(out, "        {n}: event.{n},"),
        };
    }
    let _ = writeln!(
        out,
        "    }};\n    // SAFETY: the caller promised with `ssmtp_on_{}` that the function takes these; the struct and its texts outlive the call.",
        e.name
    );
    let call = "unsafe { function(handle, &mut c, callback.userdata()) }";
    if !inout {
        let _ = writeln!(out, "    {call}\n}}\n");
        return;
    }
    let _ = writeln!(out, "    let answer = {call};");
    for f in e.fields.iter().filter(|f| f.inout) {
        let _ = writeln!(out, "    event.{0} = c.{0} != 0;", f.name);
    }
    out.push_str("    answer\n}\n\n");
}

fn exports(api: &Api) -> String {
    let mut all: Vec<String> = api.c_functions().into_iter().map(|f| f.name).collect();
    all.sort();
    all.join("\n") + "\n"
}
