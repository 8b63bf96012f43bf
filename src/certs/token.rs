//! Keys and certificates on tokens: PKCS #11 modules (OASIS, version 2.40), loaded at run time and never unloaded. Keys stay where
//! they are; certificates are found beside them by CKA_ID.

mod key;
mod pkcs11;
mod uri;

pub use uri::is_uri;

use super::contents::Contents;
use super::der::{self, Reader};
use super::fault::{Fault, Read, wrong_password};
use super::key::{Kind, PrivateKey};
use super::spki::{self, PublicKey};
use super::store::ENTRIES;
use super::x509::X509;
use cryptoki_sys as ck;
use parking_lot::Mutex;
use pkcs11::{Attribute, Failure, Module, Session, Value};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Weak};
use uri::Place;
use zeroize::Zeroizing;

/// An open session, shared by the keys that came from it. A token knows one login a process, so this one is kept apart from the
/// session of those who gave no PIN.
struct Token {
    /// For error texts: the token's label.
    name: String,
    session: Mutex<Session>,
    mechanisms: Vec<ck::CK_MECHANISM_TYPE>,
    /// Salted, of the PIN that logged in: the token itself does not look at the PIN of a second login.
    pin: Option<[u8; 32]>,
    at: (PathBuf, u64),
}

impl Drop for Token {
    fn drop(&mut self) {
        let mut known = KNOWN.lock();
        if self.pin.is_some() && known.login(&self.at).is_none_or(|other| other.strong_count() == 0) {
            known.forget(&self.at);
            let _ = self.session.lock().logout();
        }
    }
}

/// What was loaded, and who is logged in: few enough to be looked through.
struct Known {
    modules: Vec<(PathBuf, Arc<Module>)>,
    logins: Vec<((PathBuf, u64), Weak<Token>)>,
}

impl Known {
    fn login(&self, at: &(PathBuf, u64)) -> Option<&Weak<Token>> {
        self.logins.iter().find(|(place, _)| place == at).map(|(_, token)| token)
    }

    fn forget(&mut self, at: &(PathBuf, u64)) {
        self.logins.retain(|(place, _)| place != at);
    }
}

static KNOWN: Mutex<Known> = Mutex::new(Known { modules: Vec::new(), logins: Vec::new() });
static SALT: LazyLock<Zeroizing<[u8; 32]>> = LazyLock::new(|| {
    let mut salt = Zeroizing::new([0; 32]);
    let _ = ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut *salt);
    salt
});

fn salted(pin: &str) -> [u8; 32] {
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &**SALT);
    let mut out = [0; 32];
    out.copy_from_slice(ring::hmac::sign(&key, pin.as_bytes()).as_ref());
    out
}

fn fault(error: Failure) -> Fault {
    match error.code() {
        Some(ck::CKR_PIN_INCORRECT | ck::CKR_PIN_INVALID | ck::CKR_PIN_LEN_RANGE) => Fault::Password,
        Some(ck::CKR_PIN_LOCKED) => Fault::Refused("the PIN is locked".into()),
        _ => Fault::Refused(error.to_string()),
    }
}

/// A field of a token's description, which blanks fill up.
fn unpadded(field: &[u8]) -> String {
    String::from_utf8_lossy(field.trim_ascii_end()).into_owned()
}

/// Everything on the tokens that a store name asks for. Without a PIN there are the certificates only.
pub fn open(store: &str, pin: &str) -> Read<Contents> {
    let place = Place::parse(store)?;
    let pin = if pin.is_empty() { place.pin.as_ref().map_or("", |pin| pin) } else { pin };
    let module = load(&place.module)?;
    let mut slots = Vec::new();
    for slot in module.slots_with_token().map_err(fault)? {
        // A token may go while it is asked; the others are still there.
        if let Ok(info) = module.token_info(slot)
            && info.flags & ck::CKF_TOKEN_INITIALIZED != 0
            && place.matches(slot, &info)
        {
            slots.push((slot, info));
        }
    }
    if slots.is_empty() {
        return Err(Fault::Refused("no token of that description is there".into()).into());
    }
    // A PIN that is tried on the wrong token brings it nearer to being locked.
    if slots.len() > 1 && !pin.is_empty() {
        let names: Vec<String> = slots.iter().map(|(_, info)| unpadded(&info.label)).collect();
        let why = format!("there are several tokens ({}): one is named as pkcs11:token=…", names.join(", "));
        return Err(Fault::Refused(why).into());
    }
    let mut found = Contents { folder: true, ..Contents::default() };
    for (slot, info) in slots {
        let token = enter(&module, &place.module, slot, &info, pin)?;
        let visible = token.pin.is_some() || info.flags & ck::CKF_LOGIN_REQUIRED == 0;
        read(&token, &place, visible, pin, &mut found)?;
    }
    Ok(found)
}

impl Place {
    fn matches(&self, slot: ck::CK_SLOT_ID, info: &ck::CK_TOKEN_INFO) -> bool {
        let same = |wanted: &Option<Vec<u8>>, there: &[u8]| {
            wanted.as_ref().is_none_or(|w| w.trim_ascii_end() == there.trim_ascii_end())
        };
        same(&self.token, &info.label)
            && same(&self.manufacturer, &info.manufacturerID)
            && same(&self.model, &info.model)
            && same(&self.serial, &info.serialNumber)
            && self.slot.is_none_or(|wanted| wanted == slot)
    }
}

/// The module, loaded and set up once in a process.
fn load(path: &Path) -> Read<Arc<Module>> {
    let mut known = KNOWN.lock();
    if let Some((_, module)) = known.modules.iter().find(|(place, _)| place == path) {
        return Ok(module.clone());
    }
    let module = Arc::new(Module::load(path).map_err(fault)?);
    known.modules.push((path.to_path_buf(), module.clone()));
    Ok(module)
}

/// A session with a token, logged in when there is a PIN or the reader has its own keys.
fn enter(
    module: &Arc<Module>,
    path: &Path,
    slot: ck::CK_SLOT_ID,
    info: &ck::CK_TOKEN_INFO,
    pin: &str,
) -> Read<Arc<Token>> {
    let at = (path.to_path_buf(), slot);
    let is = |flag: ck::CK_FLAGS| info.flags & flag != 0;
    let login = is(ck::CKF_LOGIN_REQUIRED) && (!pin.is_empty() || is(ck::CKF_PROTECTED_AUTHENTICATION_PATH));
    let tag = login.then(|| salted(pin));
    // Held until it is clear who is logged in.
    let mut known = KNOWN.lock();
    if login && let Some(token) = known.login(&at).and_then(Weak::upgrade) {
        let same = token.pin == tag && token.session.lock().is_open();
        if same {
            return Ok(token);
        }
        if token.pin != tag {
            drop(known);
            return Err(wrong_password());
        }
        // The token was taken out and is back: its old session is of no use.
        known.forget(&at);
        drop(known);
        drop(token);
        known = KNOWN.lock();
    }
    let mechanisms = module.mechanisms(slot).map_err(fault)?;
    let session = module.session(slot).map_err(fault)?;
    if login {
        let secret = Some(pin).filter(|pin| !pin.is_empty());
        let already = |entered: &pkcs11::Result<()>| {
            entered.as_ref().is_err_and(|error| error.code() == Some(ck::CKR_USER_ALREADY_LOGGED_IN))
        };
        let mut entered = session.login(ck::CKU_USER, secret);
        if already(&entered) && known.login(&at).is_some() {
            // Ours, and about to end.
            let _ = session.logout();
            entered = session.login(ck::CKU_USER, secret);
        }
        if !already(&entered) {
            entered.map_err(fault)?;
        }
    }
    let token = Arc::new(Token {
        name: format!("the token {}", unpadded(&info.label)),
        session: Mutex::new(session),
        mechanisms,
        pin: tag,
        at: at.clone(),
    });
    if login {
        known.forget(&at);
        known.logins.push((at, Arc::downgrade(&token)));
    }
    Ok(token)
}

/// The attributes of one object that are wanted and there.
#[derive(Default)]
struct Object {
    id: Vec<u8>,
    label: Vec<u8>,
    value: Vec<u8>,
    kind: Option<ck::CK_KEY_TYPE>,
    modulus: Vec<u8>,
    exponent: Vec<u8>,
    curve: Vec<u8>,
    point: Vec<u8>,
    every_time: bool,
}

impl Object {
    fn read(session: &Session, handle: ck::CK_OBJECT_HANDLE, wanted: &[ck::CK_ATTRIBUTE_TYPE]) -> Object {
        let mut object = Object::default();
        for (attribute, value) in wanted.iter().zip(session.values(handle, wanted).unwrap_or_default()) {
            match *attribute {
                ck::CKA_ID => object.id = value,
                ck::CKA_LABEL => object.label = value,
                ck::CKA_VALUE => object.value = value,
                ck::CKA_KEY_TYPE => {
                    object.kind = value[..].try_into().ok().map(ck::CK_KEY_TYPE::from_ne_bytes);
                }
                ck::CKA_MODULUS => object.modulus = value,
                ck::CKA_PUBLIC_EXPONENT => object.exponent = value,
                ck::CKA_EC_PARAMS => object.curve = value,
                ck::CKA_EC_POINT => object.point = value,
                ck::CKA_ALWAYS_AUTHENTICATE => object.every_time = value.iter().any(|octet| *octet != 0),
                _ => {}
            }
        }
        object
    }

    fn wanted(&self, place: &Place) -> bool {
        place.id.as_ref().is_none_or(|id| *id == self.id) && place.object.as_ref().is_none_or(|l| *l == self.label)
    }

    /// The public key that its attributes tell.
    fn public(&self) -> Option<PublicKey> {
        if !self.modulus.is_empty() && !self.exponent.is_empty() {
            return PublicKey::rsa(&self.modulus, &self.exponent).ok();
        }
        // The point stands in an OCTET STRING, or, by some tokens, as it is.
        let point = Reader::new(&self.point).expect(der::OCTET_STRING).unwrap_or(&self.point);
        match self.kind? {
            ck::CKK_EC if !point.is_empty() => {
                let curve = spki::Curve::from_oid(Reader::new(&self.curve).oid().ok()?)?;
                PublicKey::ec(curve, point).ok()
            }
            ck::CKK_EC_EDWARDS if point.len() == 32 => PublicKey::ed25519(point).ok(),
            ck::CKK_EC_MONTGOMERY if point.len() == 32 => PublicKey::plain(spki::X25519, point).ok(),
            _ => None,
        }
    }
}

fn find(session: &Session, class: ck::CK_OBJECT_CLASS, more: Option<Attribute>) -> Read<Vec<ck::CK_OBJECT_HANDLE>> {
    let wanted: Vec<Attribute> = [(ck::CKA_CLASS, Value::Number(class))].into_iter().chain(more).collect();
    Ok(session.find(&wanted, ENTRIES).map_err(fault)?)
}

/// Adds what one token holds. A key whose public half is nowhere (not beside it, not in a certificate) cannot be used.
fn read(token: &Arc<Token>, place: &Place, keys: bool, pin: &str, found: &mut Contents) -> Read<()> {
    let session = token.session.lock();
    let x509 = (ck::CKA_CERTIFICATE_TYPE, Value::Number(ck::CKC_X_509));
    let mut beside: Vec<(Vec<u8>, PublicKey)> = Vec::new();
    for handle in find(&session, ck::CKO_CERTIFICATE, Some(x509))? {
        let object = Object::read(&session, handle, &[ck::CKA_ID, ck::CKA_LABEL, ck::CKA_VALUE]);
        // What is no certificate on a token is nothing that can be mended here.
        let Ok(certificate) = X509::from_der(&object.value) else { continue };
        beside.push((object.id.clone(), certificate.public_key().clone()));
        if object.wanted(place) {
            found.certificates.push(Arc::new(certificate));
        }
    }
    if !keys {
        return Ok(());
    }
    let halves = [
        ck::CKA_ID,
        ck::CKA_LABEL,
        ck::CKA_KEY_TYPE,
        ck::CKA_MODULUS,
        ck::CKA_PUBLIC_EXPONENT,
        ck::CKA_EC_PARAMS,
        ck::CKA_EC_POINT,
    ];
    for handle in find(&session, ck::CKO_PUBLIC_KEY, None)? {
        let object = Object::read(&session, handle, &halves);
        if let Some(public) = object.public() {
            beside.insert(0, (object.id, public));
        }
    }
    let wanted = [&halves[..], &[ck::CKA_ALWAYS_AUTHENTICATE]].concat();
    for handle in find(&session, ck::CKO_PRIVATE_KEY, None)? {
        let object = Object::read(&session, handle, &wanted);
        let by_id = || beside.iter().find(|(id, _)| !id.is_empty() && *id == object.id).map(|(_, key)| key.clone());
        let Some(public) = object.public().or_else(by_id) else {
            found.passed_over = Some("a key on the token without its public half".into());
            continue;
        };
        // A label or an identifier that names the certificate names its key too.
        let of_wanted = found.certificates.iter().any(|c| c.public_key().same_key(&public));
        if object.wanted(place) || of_wanted {
            let holder = key::TokenKey {
                token: token.clone(),
                handle,
                kind: Kind::of(&public),
                public: public.clone(),
                every_time: object.every_time.then(|| Zeroizing::new(pin.to_owned())),
            };
            found.keys.push(Arc::new(PrivateKey::external(public, Arc::new(holder))));
        }
    }
    Ok(())
}
