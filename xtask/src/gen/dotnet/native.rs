//! `Native.g.cs`: one P/Invoke declaration for each C function, the event structs and the callback types.

use super::{param_name, pascal, summary};
use crate::model::{Api, CFunction, CParam, CType, Event, Type};

/// These take the pointer itself: a `SafeHandle` calls the first two while it is being released, and the third is also
/// asked without a handle.
const BARE: [&str; 3] = ["ssmtp_delete", "ssmtp_cert_delete", "ssmtp_last_error"];

pub fn body(api: &Api) -> String {
    let mut out = String::from(
        "    /// <summary>The C library as it is: no conversion, no check. Booleans are <c>int</c>, text is UTF-8 with a NUL.</summary>\n    \
         internal static partial class Native\n    {\n",
    );
    for event in &api.events {
        out += &structure(event);
        out += &format!(
            "        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]\n        internal delegate int {0}Callback(IntPtr handle, ref {0}Event e, IntPtr userdata);\n\n",
            event.spec
        );
    }
    for function in api.c_functions() {
        out += &declaration(api, &function);
    }
    out.trim_end().to_string() + "\n    }\n"
}

fn structure(event: &Event) -> String {
    let mut out = format!(
        "        [StructLayout(LayoutKind.Sequential)]\n        internal struct {}Event\n        {{\n            internal uint size;\n",
        event.spec
    );
    for (ty, name) in fields(event) {
        out += &format!("            internal {ty} {};\n", param_name(&name));
    }
    out + "        }\n\n"
}

/// The members of the C struct after `size`: C# type and name.
pub fn fields(event: &Event) -> Vec<(&'static str, String)> {
    let mut all = Vec::new();
    for field in &event.fields {
        match Type::parse(&field.type_name) {
            Type::Int64 => all.push(("long", field.name.clone())),
            Type::Text | Type::Bytes => {
                all.push(("IntPtr", field.name.clone()));
                all.push(("UIntPtr", format!("{}_len", field.name)));
            }
            _ => all.push(("int", field.name.clone())),
        }
    }
    all
}

fn declaration(api: &Api, function: &CFunction) -> String {
    let params: Vec<String> =
        function.params.iter().map(|p| format!("{} {}", parameter(api, function, p), param_name(&p.name))).collect();
    let first = function.doc.split_inclusive(". ").next().unwrap_or_default().trim();
    format!(
        "{}        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]\n        internal static extern {} {}({});\n\n",
        summary(8, first),
        returned(&function.returns),
        function.name,
        params.join(", ")
    )
}

fn returned(c: &str) -> &'static str {
    match c {
        "void" => "void",
        "ssmtp_t *" => "SsmtpHandle",
        text if text.contains('*') => "IntPtr",
        _ => "int",
    }
}

fn parameter(api: &Api, function: &CFunction, p: &CParam) -> String {
    let bare = BARE.contains(&function.name.as_str());
    match p.ctype {
        CType::Handle | CType::Cert if bare => "IntPtr".into(),
        CType::Handle => "SsmtpHandle".into(),
        CType::Cert => "SsmtpCertHandle".into(),
        CType::CertOut => "out SsmtpCertHandle".into(),
        CType::Text | CType::Bytes => "byte[]".into(),
        CType::TextOut | CType::BytesOut => "out IntPtr".into(),
        CType::Size => "UIntPtr".into(),
        CType::SizeOut => "out UIntPtr".into(),
        CType::Int => "int".into(),
        CType::IntOut => "out int".into(),
        CType::Int64 => "long".into(),
        CType::UserData => "IntPtr".into(),
        CType::ReadCallback => "ReadCallback".into(),
        CType::CloseCallback => "CloseCallback".into(),
        CType::SignCallback => "SignCallback".into(),
        CType::HandleArray => "IntPtr[]".into(),
        // Blittable: pinned, so that what C writes is there without being copied back.
        CType::IntArray => "int[]".into(),
        CType::Callback => {
            let spec = api.events.iter().find(|e| e.name == p.event).map(|e| e.spec.clone());
            format!("{}Callback", spec.unwrap_or_else(|| pascal(&p.event)))
        }
    }
}
