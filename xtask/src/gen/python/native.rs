//! `_native_gen.py`: the signature of every C function, the event structs and the callback types.

use crate::model::{Api, CFunction, CType, Event, Type};

pub fn body(api: &Api) -> String {
    let mut out = String::from(
        "import ctypes\nfrom ctypes import (\n    CFUNCTYPE,\n    POINTER,\n    Structure,\n    c_char_p,\n    c_int32,\n    \
         c_int64,\n    c_size_t,\n    c_uint32,\n    c_void_p,\n)\nfrom typing import Any, Dict, Tuple\n",
    );
    for event in &api.events {
        out += &structure(event);
    }
    out += "\n\ndef _callback(struct: \"type[Structure]\") -> Any:\n    \
        \"\"\"`int32_t (*)(ssmtp_t *, struct *, void *userdata)`; not 0 stops the operation.\"\"\"\n    \
        return CFUNCTYPE(c_int32, c_void_p, POINTER(struct), c_void_p)\n\n\n";
    for event in &api.events {
        out += &format!("{} = _callback(ssmtp_{}_event)\n", callback(&event.name), event.name);
    }
    out += "READ_CB = CFUNCTYPE(c_int64, c_void_p, c_void_p, c_size_t)\nCLOSE_CB = CFUNCTYPE(None, c_void_p)\n";
    out += "SIGN_CB = CFUNCTYPE(c_int32, c_void_p, c_int32, c_void_p, c_size_t, c_void_p, POINTER(c_size_t))\n\n";
    out += "#: Event name: its callback type.\nEVENTS: Dict[str, Any] = {\n";
    for e in &api.events {
        out += &format!("    \"{}\": {},\n", e.name, callback(&e.name));
    }
    out += "}\n\n#: Function name: result, arguments.\nFUNCTIONS: Dict[str, Tuple[Any, Tuple[Any, ...]]] = {\n";
    for function in api.c_functions() {
        out += &signature(&function);
    }
    out += "}\n\n\n\
def bind(library: ctypes.CDLL) -> None:\n    \
    \"\"\"Gives every function its types; AttributeError names one that the library doesn't have.\"\"\"\n    \
    for name, (result, arguments) in FUNCTIONS.items():\n        \
        function = getattr(library, name)\n        \
        function.restype = result\n        \
        function.argtypes = arguments\n";
    out
}

fn callback(event: &str) -> String {
    format!("{}_CB", event.to_uppercase())
}

fn structure(event: &Event) -> String {
    let mut fields = vec![("size".to_string(), "c_uint32")];
    for f in &event.fields {
        match Type::parse(&f.type_name) {
            // Not c_char_p: ctypes would stop at the first NUL, and the length is there.
            Type::Text | Type::Bytes => {
                fields.push((f.name.clone(), "c_void_p"));
                fields.push((format!("{}_len", f.name), "c_size_t"));
            }
            Type::Int64 => fields.push((f.name.clone(), "c_int64")),
            _ => fields.push((f.name.clone(), "c_int32")),
        }
    }
    let mut out = format!("\n\nclass ssmtp_{}_event(Structure):\n    _fields_ = [\n", event.name);
    for (name, ty) in fields {
        out += &format!("        (\"{name}\", {ty}),\n");
    }
    out + "    ]\n"
}

fn signature(f: &CFunction) -> String {
    let result = match f.returns.as_str() {
        "int32_t" => "c_int32",
        "const char *" => "c_char_p",
        "void" => "None",
        _ => "c_void_p",
    };
    let arguments: Vec<String> = f.params.iter().map(|p| ctype(p.ctype, &p.event)).collect();
    let arguments = match arguments.len() {
        0 => "()".to_string(),
        1 => format!("({},)", arguments[0]),
        _ => format!("({})", arguments.join(", ")),
    };
    let line = format!("    \"{}\": ({result}, {arguments}),\n", f.name);
    if line.chars().count() <= super::WIDTH + 1 {
        return line;
    }
    format!("    \"{}\": (\n        {result},\n        {arguments},\n    ),\n", f.name)
}

fn ctype(ty: CType, event: &str) -> String {
    match ty {
        CType::Handle | CType::Cert | CType::UserData => "c_void_p",
        // Text that comes out is a void pointer, since it must be released: c_char_p would turn it into bytes.
        CType::CertOut | CType::TextOut | CType::BytesOut => "POINTER(c_void_p)",
        CType::Text | CType::Bytes => "c_char_p",
        CType::Size => "c_size_t",
        CType::SizeOut => "POINTER(c_size_t)",
        CType::Int => "c_int32",
        CType::IntOut => "POINTER(c_int32)",
        CType::Int64 => "c_int64",
        CType::Callback => return callback(event),
        CType::ReadCallback => "READ_CB",
        CType::CloseCallback => "CLOSE_CB",
        CType::SignCallback => "SIGN_CB",
        CType::HandleArray => "POINTER(c_void_p)",
        CType::IntArray => "POINTER(c_int32)",
    }
    .to_string()
}
