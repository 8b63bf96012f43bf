//! The API description (`api/*.toml`) as data, and what follows from it: the flattened certificate rows and the list of
//! C functions that every generator walks.

mod functions;

pub use functions::{CFunction, CParam, Source};

use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// Everything `api/` says, families expanded, in the order of the files.
#[derive(Debug, Default)]
pub struct Api {
    pub properties: Vec<Property>,
    pub methods: Vec<Method>,
    pub events: Vec<Event>,
    pub settings: Vec<Setting>,
    pub enums: Vec<Enum>,
    pub errors: Vec<ErrorCode>,
    pub types: Vec<ObjectType>,
    pub constructors: Vec<Constructor>,
    pub functions: Vec<Function>,
}

/// `status = "planned"`: described, and answered with error 606 until it works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    #[default]
    Done,
    Planned,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    #[default]
    Rw,
    Ro,
    Wo,
}

impl Access {
    pub fn readable(self) -> bool {
        self != Access::Wo
    }
    pub fn writable(self) -> bool {
        self != Access::Ro
    }
    pub fn text(self) -> &'static str {
        match self {
            Access::Rw => "rw",
            Access::Ro => "ro",
            Access::Wo => "wo",
        }
    }
}

/// A default as the description writes it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Value {
    Bool(bool),
    Int(i64),
    Text(String),
}

/// The types a value can have. In the files: `bool`, `int`, `int64`, `string`, `bytes`, `certificate`, or an enum's spec name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Type {
    Bool,
    Int,
    Int64,
    Text,
    Bytes,
    Certificate,
    Stream,
    /// The `spec` of an enum, `CertStoreTypes`.
    Enum(String),
}

impl Type {
    pub fn parse(text: &str) -> Type {
        match text {
            "bool" => Type::Bool,
            "int" => Type::Int,
            "int64" => Type::Int64,
            "string" => Type::Text,
            "bytes" => Type::Bytes,
            "certificate" => Type::Certificate,
            "stream" => Type::Stream,
            other => Type::Enum(other.to_string()),
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Property {
    /// The spec's name, which is also the name of `ssmtp_get` and `ssmtp_set`.
    pub spec: String,
    pub name: String,
    #[serde(rename = "type")]
    pub type_name: String,
    #[serde(default)]
    pub access: Access,
    /// The state group that owns it (a field of `State`).
    #[serde(default)]
    pub on: String,
    pub default: Option<Value>,
    /// `computed`: read through a method of the group instead of its field.
    #[serde(default)]
    pub get: String,
    /// `checked`: written through a method `set_<name>` of the group; `component`: through `Component::set_<name>`.
    #[serde(default)]
    pub set: String,
    /// An array row: the C functions take an `int32_t index` after the handle.
    #[serde(default)]
    pub index: bool,
    /// `object`: shown as an object by C++, Python and C#, as flattened functions by C, refused (604) by name.
    #[serde(default)]
    pub shape: String,
    /// Never shown in a trace, an error or a dump.
    #[serde(default)]
    pub secret: bool,
    #[serde(default)]
    pub since: String,
    #[serde(default)]
    pub status: Status,
    #[serde(default)]
    pub origin: String,
    #[serde(default)]
    pub ruling: Option<u32>,
    pub doc: String,
    /// Set by expansion: the family's prefix (`SSLCert`).
    #[serde(skip)]
    pub family: String,
    /// Set by expansion: the object's field (`Subject`).
    #[serde(skip)]
    pub family_field: String,
    /// Set by expansion: the object's field takes the zone of the machine.
    #[serde(skip)]
    pub local_time: bool,
    /// Set by expansion: reachable by name only, without a C function.
    #[serde(skip)]
    pub by_name_only: bool,
}

impl Property {
    pub fn ty(&self) -> Type {
        Type::parse(&self.type_name)
    }
    pub fn is_object(&self) -> bool {
        self.shape == "object"
    }
    /// Setting it searches a store, so that it does not read back what was set.
    pub fn searches(&self) -> bool {
        ["Subject", "Encoded", "EncodedB"].contains(&self.family_field.as_str())
    }
}

/// One certificate shown as a row a field: `SSLCert` + `Subject`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Family {
    pub prefix: String,
    #[serde(default)]
    pub access: Access,
    #[serde(default)]
    pub on: String,
    #[serde(default)]
    pub by_name_only: bool,
    #[serde(default)]
    pub status: Status,
    #[serde(default)]
    pub origin: String,
    #[serde(default)]
    pub ruling: Option<u32>,
    /// `{field}` stands for the field's own documentation, its first letter kept.
    pub doc: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Method {
    pub spec: String,
    pub name: String,
    #[serde(default)]
    pub params: Vec<MethodParam>,
    /// Empty, `string` or `bytes`.
    #[serde(default)]
    pub returns: String,
    /// May wait for the network or the disk: refused with 166 while another one runs, and has an `_async` twin.
    #[serde(default)]
    pub blocking: bool,
    /// Its C function is written by hand (and listed in `functions.toml`).
    #[serde(default)]
    pub manual: bool,
    #[serde(default)]
    pub since: String,
    #[serde(default)]
    pub status: Status,
    #[serde(default)]
    pub origin: String,
    #[serde(default)]
    pub ruling: Option<u32>,
    /// The numbers it can fail with, for the documentation.
    #[serde(default)]
    pub errors: Vec<i32>,
    pub doc: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MethodParam {
    pub spec: String,
    pub name: String,
    #[serde(rename = "type")]
    pub type_name: String,
    pub doc: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    pub spec: String,
    pub name: String,
    pub fields: Vec<EventField>,
    #[serde(default)]
    pub since: String,
    #[serde(default)]
    pub status: Status,
    #[serde(default)]
    pub origin: String,
    #[serde(default)]
    pub ruling: Option<u32>,
    pub doc: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventField {
    pub spec: String,
    pub name: String,
    #[serde(rename = "type")]
    pub type_name: String,
    #[serde(default)]
    pub inout: bool,
    pub doc: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    pub spec: String,
    #[serde(rename = "type")]
    pub type_name: String,
    #[serde(default)]
    pub access: Access,
    pub default: Option<Value>,
    /// `ms`, `s`, `bytes`, `bytes/s`; documentation.
    #[serde(default)]
    pub unit: String,
    /// Refused with 603 outside, for `int`.
    pub min: Option<i64>,
    pub max: Option<i64>,
    /// An unsigned 32-bit mask (SSLSecurityFlags).
    #[serde(default)]
    pub unsigned: bool,
    /// Another name for this property; both are one value.
    #[serde(default)]
    pub property: String,
    /// `checked`: goes through `Component::set_setting_<snake name>`; `computed` in `get`: through `Component::setting_<snake name>`.
    #[serde(default)]
    pub set: String,
    #[serde(default)]
    pub get: String,
    #[serde(default)]
    pub secret: bool,
    #[serde(default)]
    pub since: String,
    #[serde(default)]
    pub status: Status,
    #[serde(default)]
    pub origin: String,
    #[serde(default)]
    pub ruling: Option<u32>,
    pub doc: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Enum {
    /// The spec's plural, `CertStoreTypes`; the C# name.
    pub spec: String,
    /// The singular, `CertStoreType`; the name in Rust, C++ and Python, and in snake case in C.
    pub name: String,
    pub members: Vec<EnumMember>,
    #[serde(default)]
    pub origin: String,
    #[serde(default)]
    pub ruling: Option<u32>,
    pub doc: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnumMember {
    /// `cstPFXFile`
    pub spec: String,
    /// `PFX_FILE`
    pub name: String,
    pub value: i32,
    pub doc: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErrorCode {
    pub code: i32,
    /// `CONNECTION_REFUSED`
    pub name: String,
    /// One impersonal line, used when there is nothing better to say.
    pub text: String,
    #[serde(default)]
    pub origin: String,
    #[serde(default)]
    pub ruling: Option<u32>,
    pub doc: String,
}

/// `Certificate`, `Firewall`, `Header`, `MessageRecipient`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObjectType {
    pub spec: String,
    pub fields: Vec<ObjectField>,
    pub doc: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObjectField {
    pub spec: String,
    pub name: String,
    #[serde(rename = "type")]
    pub type_name: String,
    #[serde(default)]
    pub access: Access,
    pub default: Option<Value>,
    #[serde(default)]
    pub secret: bool,
    /// Its text is a time in the zone of the machine, which the field does not know by itself.
    #[serde(default)]
    pub local_time: bool,
    #[serde(default)]
    pub status: Status,
    #[serde(default)]
    pub ruling: Option<u32>,
    pub doc: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Constructor {
    /// The type it makes.
    pub spec: String,
    /// As the name list writes it: `(certificateFile: string)`.
    pub params: String,
    /// The C function that does it; empty where C needs none.
    #[serde(default)]
    pub function: String,
    #[serde(default)]
    pub status: Status,
    pub doc: String,
}

/// A hand-written C function (`manual = true` in spirit: everything in `functions.toml` is).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Function {
    pub name: String,
    pub params: Vec<FunctionParam>,
    /// `int32_t` (an error code), `const char *`, `ssmtp_t *`, `void`.
    #[serde(default = "int32")]
    pub returns: String,
    #[serde(default)]
    pub status: Status,
    pub doc: String,
}

fn int32() -> String {
    "int32_t".into()
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FunctionParam {
    pub name: String,
    /// A name of [`CType`] in snake case.
    #[serde(rename = "type")]
    pub ctype: CType,
}

/// What a parameter of a C function is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CType {
    /// `ssmtp_t *`
    Handle,
    /// `ssmtp_cert_t *`
    Cert,
    /// `ssmtp_cert_t **`
    CertOut,
    /// `const char *`, NULL is empty
    Text,
    /// `char **`, released with `ssmtp_free`
    TextOut,
    /// `const uint8_t *`; the next parameter is its `size_t`
    Bytes,
    /// `size_t`
    Size,
    /// `uint8_t **`, released with `ssmtp_free`; the next parameter is its `size_t *`
    BytesOut,
    /// `size_t *`
    SizeOut,
    /// `int32_t`: numbers, booleans, enums, indexes
    Int,
    /// `int32_t *`
    IntOut,
    /// `int64_t`
    Int64,
    /// `ssmtp_<event>_cb`, NULL removes
    Callback,
    /// `void *` handed back to a callback; also the argument of `ssmtp_free`
    UserData,
    /// `ssmtp_read_cb`: `int64_t (*)(void *, uint8_t *, size_t)`
    ReadCallback,
    /// `ssmtp_close_cb`: `void (*)(void *)`
    CloseCallback,
    /// `ssmtp_sign_cb`: `int32_t (*)(void *, int32_t, const uint8_t *, size_t, uint8_t *, size_t *)`
    SignCallback,
    /// `ssmtp_t *const *`; the next parameter is how many
    HandleArray,
    /// `int32_t *`, a place for as many numbers as the array before it has entries
    IntArray,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Files {
    #[serde(default)]
    property: Vec<Property>,
    #[serde(default)]
    family: Vec<Family>,
    #[serde(default)]
    method: Vec<Method>,
    #[serde(default)]
    event: Vec<Event>,
    #[serde(default)]
    setting: Vec<Setting>,
    #[serde(default)]
    r#enum: Vec<Enum>,
    #[serde(default)]
    error: Vec<ErrorCode>,
    #[serde(default)]
    r#type: Vec<ObjectType>,
    #[serde(default)]
    constructor: Vec<Constructor>,
    #[serde(default)]
    function: Vec<Function>,
}

impl Api {
    /// Reads every `*.toml` of a folder, in the order of their names.
    pub fn load(folder: &Path) -> Result<Api, String> {
        let mut names: Vec<_> = std::fs::read_dir(folder)
            .map_err(|e| format!("{}: {e}", folder.display()))?
            .filter_map(|e| e.ok().map(|e| e.path()))
            .filter(|p| p.extension().is_some_and(|e| e == "toml"))
            .collect();
        names.sort();
        let mut api = Api::default();
        let mut families = Vec::new();
        for path in names {
            let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
            let files: Files = toml::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))?;
            api.properties.extend(files.property);
            families.extend(files.family);
            api.methods.extend(files.method);
            api.events.extend(files.event);
            api.settings.extend(files.setting);
            api.enums.extend(files.r#enum);
            api.errors.extend(files.error);
            api.types.extend(files.r#type);
            api.constructors.extend(files.constructor);
            api.functions.extend(files.function);
        }
        for family in &families {
            api.expand(family)?;
        }
        api.check()?;
        Ok(api)
    }

    fn expand(&mut self, family: &Family) -> Result<(), String> {
        let fields = self.object("Certificate")?.fields.clone();
        for field in fields {
            let spec = format!("{}{}", family.prefix, field.spec);
            self.properties.push(Property {
                name: snake(&spec),
                spec,
                type_name: field.type_name,
                access: if family.access == Access::Ro { Access::Ro } else { field.access },
                on: family.on.clone(),
                default: field.default,
                get: "computed".into(),
                set: "checked".into(),
                index: false,
                shape: String::new(),
                secret: field.secret,
                since: String::new(),
                status: if field.status == Status::Planned { Status::Planned } else { family.status },
                origin: family.origin.clone(),
                ruling: family.ruling,
                doc: family.doc.replace("{field}", &field.doc),
                family: family.prefix.clone(),
                family_field: field.spec,
                local_time: field.local_time,
                by_name_only: family.by_name_only,
            });
        }
        Ok(())
    }

    fn check(&self) -> Result<(), String> {
        let mut seen = BTreeMap::new();
        for p in &self.properties {
            if p.name != snake(&p.spec) {
                return Err(format!("{}: its name is {}, by rule {}", p.spec, p.name, snake(&p.spec)));
            }
            if seen.insert(p.spec.to_ascii_lowercase(), ()).is_some() {
                return Err(format!("{}: described twice", p.spec));
            }
            if let Type::Enum(name) = p.ty() {
                self.enumeration(&name)?;
            }
        }
        for m in &self.methods {
            if m.name != snake(&m.spec) {
                return Err(format!("{}: its name is {}, by rule {}", m.spec, m.name, snake(&m.spec)));
            }
        }
        for s in &self.settings {
            if let Type::Enum(name) = Type::parse(&s.type_name) {
                self.enumeration(&name)?;
            }
        }
        Ok(())
    }

    pub fn object(&self, spec: &str) -> Result<&ObjectType, String> {
        self.types.iter().find(|t| t.spec == spec).ok_or_else(|| format!("no type {spec}"))
    }

    /// An enum by its spec's plural.
    pub fn enumeration(&self, spec: &str) -> Result<&Enum, String> {
        self.enums.iter().find(|e| e.spec == spec).ok_or_else(|| format!("no enum {spec}"))
    }

    /// Every planned row, as `kind name`.
    pub fn planned(&self) -> Vec<String> {
        let mut rows = Vec::new();
        let mut add = |kind: &str, name: &str, status: Status| {
            if status == Status::Planned {
                rows.push(format!("{kind} {name}"));
            }
        };
        self.properties.iter().for_each(|p| add("property", &p.spec, p.status));
        self.methods.iter().for_each(|m| add("method", &m.spec, m.status));
        self.events.iter().for_each(|e| add("event", &e.spec, e.status));
        self.settings.iter().for_each(|s| add("setting", &s.spec, s.status));
        for t in &self.types {
            t.fields.iter().for_each(|f| add("field", &format!("{}.{}", t.spec, f.spec), f.status));
        }
        self.constructors.iter().for_each(|c| add("constructor", &format!("{}{}", c.spec, c.params), c.status));
        self.functions.iter().for_each(|f| add("function", &f.name, f.status));
        rows
    }
}

/// The spec's name in snake case: an underscore before each capital that follows a lower-case letter or a digit, and before
/// the last capital of a run that a lower-case letter follows. `BCc` alone is an exception.
pub fn snake(spec: &str) -> String {
    if spec == "BCc" {
        return "bcc".into();
    }
    let letters: Vec<char> = spec.chars().collect();
    let mut out = String::new();
    for (i, &c) in letters.iter().enumerate() {
        if c.is_ascii_uppercase() && i > 0 {
            let before = letters[i - 1];
            let after = letters.get(i + 1).copied().unwrap_or(' ');
            let ends_run = before.is_ascii_uppercase() && after.is_ascii_lowercase();
            if before.is_ascii_lowercase() || before.is_ascii_digit() || ends_run {
                out.push('_');
            }
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::snake;

    #[test]
    fn names_follow_the_rule_of_the_design() {
        for (spec, name) in [
            ("PITrail", "pi_trail"),
            ("SSLCert", "ssl_cert"),
            ("SSLServerAuthentication", "ssl_server_authentication"),
            ("ThumbprintMD5", "thumbprint_md5"),
            ("EncodedB", "encoded_b"),
            ("BCc", "bcc"),
            ("From", "from"),
        ] {
            assert_eq!(snake(spec), name);
        }
    }
}
