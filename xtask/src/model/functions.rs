//! The C functions that follow from the description: one list that every generator walks.

use super::{Api, CType, Status, Type};

/// One exported C function, generated or by hand.
#[derive(Debug, Clone)]
pub struct CFunction {
    pub name: String,
    pub params: Vec<CParam>,
    /// As in [`Function::returns`].
    pub returns: String,
    pub doc: String,
    pub manual: bool,
    pub status: Status,
    pub source: Source,
}

#[derive(Debug, Clone)]
pub struct CParam {
    pub name: String,
    pub ctype: CType,
    /// For [`CType::Callback`]: the event's snake name.
    pub event: String,
}

/// Which row of the description a C function comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    Getter(String),
    Setter(String),
    CertGetter(String),
    CertSetter(String),
    Method(String),
    Event(String),
    Manual,
}

impl Api {
    /// Every C function there is, in one stable order: manual, properties, certificate fields, methods, events.
    pub fn c_functions(&self) -> Vec<CFunction> {
        let mut all: Vec<CFunction> = Vec::new();
        for f in &self.functions {
            all.push(CFunction {
                name: f.name.clone(),
                params: f.params.iter().map(|p| param(&p.name, p.ctype)).collect(),
                returns: f.returns.clone(),
                doc: f.doc.clone(),
                manual: true,
                status: f.status,
                source: Source::Manual,
            });
        }
        for p in &self.properties {
            if p.is_object() || p.by_name_only {
                continue;
            }
            let mut first = vec![param("handle", CType::Handle)];
            if p.index {
                first.push(param("index", CType::Int));
            }
            if p.access.readable() {
                let doc = &p.doc;
                let name = format!("ssmtp_get_{}", p.name);
                all.push(made(name, with_out(&first, &p.ty()), doc, p.status, Source::Getter(p.spec.clone())));
            }
            if p.access.writable() {
                let doc = &p.doc;
                let name = format!("ssmtp_set_{}", p.name);
                all.push(made(name, with_in(&first, &p.ty(), "value"), doc, p.status, Source::Setter(p.spec.clone())));
            }
        }
        if let Ok(cert) = self.object("Certificate") {
            for f in &cert.fields {
                let ty = Type::parse(&f.type_name);
                let first = vec![param("cert", CType::Cert)];
                let name = format!("ssmtp_cert_get_{}", f.name);
                all.push(made(name, with_out(&first, &ty), &f.doc, f.status, Source::CertGetter(f.spec.clone())));
                if f.access.writable() {
                    let name = format!("ssmtp_cert_set_{}", f.name);
                    let source = Source::CertSetter(f.spec.clone());
                    all.push(made(name, with_in(&first, &ty, "value"), &f.doc, f.status, source));
                }
            }
        }
        for m in self.methods.iter().filter(|m| !m.manual) {
            let mut params = vec![param("handle", CType::Handle)];
            for p in &m.params {
                params = with_in(&params, &Type::parse(&p.type_name), &p.name);
            }
            if !m.returns.is_empty() {
                let taken = params.iter().any(|p| p.name == "length");
                params = with_out(&params, &Type::parse(&m.returns));
                if let Some(length) = params.last_mut().filter(|p| taken && p.name == "length") {
                    length.name = "value_length".into();
                }
            }
            let name = format!("ssmtp_{}", m.name);
            all.push(made(name, params, &m.doc, m.status, Source::Method(m.spec.clone())));
        }
        for e in &self.events {
            let mut callback = param("callback", CType::Callback);
            callback.event = e.name.clone();
            let params = vec![param("handle", CType::Handle), callback, param("userdata", CType::UserData)];
            let name = format!("ssmtp_on_{}", e.name);
            all.push(made(name, params, &e.doc, e.status, Source::Event(e.spec.clone())));
        }
        all
    }
}

fn param(name: &str, ctype: CType) -> CParam {
    CParam { name: name.into(), ctype, event: String::new() }
}

fn made(name: String, params: Vec<CParam>, doc: &str, status: Status, source: Source) -> CFunction {
    CFunction { name, params, returns: int32(), doc: doc.into(), manual: false, status, source }
}

fn with_out(first: &[CParam], ty: &Type) -> Vec<CParam> {
    let mut params = first.to_vec();
    match ty {
        Type::Bool | Type::Int | Type::Enum(_) | Type::Int64 => params.push(param("value", CType::IntOut)),
        Type::Text => params.push(param("value", CType::TextOut)),
        Type::Bytes | Type::Stream => {
            params.push(param("value", CType::BytesOut));
            params.push(param("length", CType::SizeOut));
        }
        Type::Certificate => params.push(param("value", CType::CertOut)),
    }
    params
}

fn with_in(first: &[CParam], ty: &Type, name: &str) -> Vec<CParam> {
    let mut params = first.to_vec();
    match ty {
        Type::Bool | Type::Int | Type::Enum(_) => params.push(param(name, CType::Int)),
        Type::Int64 => params.push(param(name, CType::Int64)),
        Type::Text => params.push(param(name, CType::Text)),
        Type::Bytes | Type::Stream => {
            params.push(param(name, CType::Bytes));
            params.push(param("length", CType::Size));
        }
        Type::Certificate => params.push(param(name, CType::Cert)),
    }
    params
}

fn int32() -> String {
    "int32_t".into()
}
