//! Keys and certificates on tokens: PKCS #11 modules (OASIS, version 2.40), loaded at run time and never unloaded. Keys stay where
//! they are; certificates are found beside them by CKA_ID.

mod key;
mod uri;

pub use uri::is_uri;

use super::contents::Contents;
use super::der::{self, Reader};
use super::fault::{Fault, Read};
use super::key::{Kind, PrivateKey};
use super::spki::{self, PublicKey};
use super::store::ENTRIES;
use super::x509::X509;
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::MechanismType;
use cryptoki::object::{Attribute, AttributeType, CertificateType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::{Slot, TokenInfo};
use cryptoki::types::AuthPin;
use parking_lot::Mutex;
use std::collections::HashMap;
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
    mechanisms: Vec<MechanismType>,
    /// Salted, of the PIN that logged in: the token itself does not look at the PIN of a second login.
    pin: Option<[u8; 32]>,
    at: (PathBuf, u64),
}

impl Drop for Token {
    fn drop(&mut self) {
        let mut known = KNOWN.lock();
        if self.pin.is_some() && known.logins.get(&self.at).is_none_or(|other| other.strong_count() == 0) {
            known.logins.remove(&self.at);
            let _ = self.session.lock().logout();
        }
    }
}

/// What was loaded, and who is logged in.
#[derive(Default)]
struct Known {
    modules: HashMap<PathBuf, Pkcs11>,
    logins: HashMap<(PathBuf, u64), Weak<Token>>,
}

static KNOWN: LazyLock<Mutex<Known>> = LazyLock::new(Mutex::default);
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

fn fault(error: Error) -> Fault {
    match error {
        Error::Pkcs11(RvError::PinIncorrect | RvError::PinInvalid | RvError::PinLenRange, _) => Fault::Password,
        Error::Pkcs11(RvError::PinLocked, _) => Fault::Refused("the PIN is locked".into()),
        Error::LibraryLoading(why) => Fault::Refused(format!("the module cannot be loaded: {why}")),
        other => Fault::Refused(other.to_string()),
    }
}

/// Everything on the tokens that a store name asks for. Without a PIN there are the certificates only.
pub fn open(store: &str, pin: &str) -> Read<Contents> {
    let place = Place::parse(store)?;
    let pin = if pin.is_empty() { place.pin.as_ref().map_or("", |pin| pin) } else { pin };
    let module = load(&place.module)?;
    let mut slots: Vec<(Slot, TokenInfo)> = Vec::new();
    for slot in module.get_slots_with_token().map_err(fault)? {
        // A token may go while it is asked; the others are still there.
        if let Ok(info) = module.get_token_info(slot)
            && info.token_initialized()
            && place.matches(slot, &info)
        {
            slots.push((slot, info));
        }
    }
    if slots.is_empty() {
        return Err(Fault::Refused("no token of that description is there".into()));
    }
    // A PIN that is tried on the wrong token brings it nearer to being locked.
    if slots.len() > 1 && !pin.is_empty() {
        let names: Vec<&str> = slots.iter().map(|(_, info)| info.label()).collect();
        let why = format!("there are several tokens ({}): one is named as pkcs11:token=…", names.join(", "));
        return Err(Fault::Refused(why));
    }
    let mut found = Contents { folder: true, ..Contents::default() };
    for (slot, info) in slots {
        let token = enter(&module, &place.module, slot, &info, pin)?;
        let visible = token.pin.is_some() || !info.login_required();
        read(&token, &place, visible, pin, &mut found)?;
    }
    Ok(found)
}

impl Place {
    fn matches(&self, slot: Slot, info: &TokenInfo) -> bool {
        let same = |wanted: &Option<Vec<u8>>, there: &str| {
            wanted.as_ref().is_none_or(|w| w.trim_ascii_end() == there.trim_end().as_bytes())
        };
        same(&self.token, info.label())
            && same(&self.manufacturer, info.manufacturer_id())
            && same(&self.model, info.model())
            && same(&self.serial, info.serial_number())
            && self.slot.is_none_or(|wanted| wanted == slot.id())
    }
}

/// The module, loaded and set up once in a process.
fn load(path: &Path) -> Read<Pkcs11> {
    let mut known = KNOWN.lock();
    if let Some(module) = known.modules.get(path) {
        return Ok(module.clone());
    }
    let module = Pkcs11::new(path).map_err(fault)?;
    match module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        // The program around us may use it too.
        Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
        Err(error) => return Err(fault(error)),
    }
    known.modules.insert(path.to_path_buf(), module.clone());
    Ok(module)
}

/// A session with a token, logged in when there is a PIN or the reader has its own keys.
fn enter(module: &Pkcs11, path: &Path, slot: Slot, info: &TokenInfo, pin: &str) -> Read<Arc<Token>> {
    let at = (path.to_path_buf(), slot.id());
    let login = info.login_required() && (!pin.is_empty() || info.protected_authentication_path());
    let tag = login.then(|| salted(pin));
    // Held until it is clear who is logged in.
    let mut known = KNOWN.lock();
    if login && let Some(token) = known.logins.get(&at).and_then(Weak::upgrade) {
        let same = token.pin == tag && token.session.lock().get_session_info().is_ok();
        if same {
            return Ok(token);
        }
        if token.pin != tag {
            drop(known);
            return Err(Fault::Password);
        }
        // The token was taken out and is back: its old session is of no use.
        known.logins.remove(&at);
        drop(known);
        drop(token);
        known = KNOWN.lock();
    }
    let mechanisms = module.get_mechanism_list(slot).map_err(fault)?;
    let session = module.open_ro_session(slot).map_err(fault)?;
    if login {
        let secret = (!pin.is_empty()).then(|| AuthPin::from(pin.to_owned()));
        let mut entered = session.login(UserType::User, secret.as_ref());
        let already = matches!(entered, Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)));
        if already && known.logins.contains_key(&at) {
            // Ours, and about to end.
            let _ = session.logout();
            entered = session.login(UserType::User, secret.as_ref());
        }
        match entered {
            Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => {}
            Err(error) => return Err(fault(error)),
        }
    }
    let token = Arc::new(Token {
        name: format!("the token {}", info.label()),
        session: Mutex::new(session),
        mechanisms,
        pin: tag,
        at: at.clone(),
    });
    if login {
        known.logins.insert(at, Arc::downgrade(&token));
    }
    Ok(token)
}

/// The attributes of one object that are wanted and there.
#[derive(Default)]
struct Object {
    id: Vec<u8>,
    label: Vec<u8>,
    value: Vec<u8>,
    kind: Option<KeyType>,
    modulus: Vec<u8>,
    exponent: Vec<u8>,
    curve: Vec<u8>,
    point: Vec<u8>,
    every_time: bool,
}

impl Object {
    fn read(session: &Session, handle: ObjectHandle, wanted: &[AttributeType]) -> Object {
        let mut object = Object::default();
        for attribute in session.get_attributes(handle, wanted).unwrap_or_default() {
            match attribute {
                Attribute::Id(id) => object.id = id,
                Attribute::Label(label) => object.label = label,
                Attribute::Value(value) => object.value = value,
                Attribute::KeyType(kind) => object.kind = Some(kind),
                Attribute::Modulus(n) => object.modulus = n,
                Attribute::PublicExponent(e) => object.exponent = e,
                Attribute::EcParams(curve) => object.curve = curve,
                Attribute::EcPoint(point) => object.point = point,
                Attribute::AlwaysAuthenticate(always) => object.every_time = always,
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
            KeyType::EC if !point.is_empty() => {
                let curve = spki::Curve::from_oid(Reader::new(&self.curve).oid().ok()?)?;
                PublicKey::ec(curve, point).ok()
            }
            KeyType::EC_EDWARDS if point.len() == 32 => PublicKey::ed25519(point).ok(),
            KeyType::EC_MONTGOMERY if point.len() == 32 => PublicKey::plain(spki::X25519, point).ok(),
            _ => None,
        }
    }
}

fn find(session: &Session, template: &[Attribute]) -> Read<Vec<ObjectHandle>> {
    let mut handles = Vec::new();
    for handle in session.iter_objects(template).map_err(fault)?.take(ENTRIES) {
        handles.push(handle.map_err(fault)?);
    }
    Ok(handles)
}

/// Adds what one token holds. A key whose public half is nowhere (not beside it, not in a certificate) cannot be used.
fn read(token: &Arc<Token>, place: &Place, keys: bool, pin: &str, found: &mut Contents) -> Read<()> {
    use AttributeType as A;
    let session = token.session.lock();
    let x509 = [Attribute::Class(ObjectClass::CERTIFICATE), Attribute::CertificateType(CertificateType::X_509)];
    let mut beside: Vec<(Vec<u8>, PublicKey)> = Vec::new();
    for handle in find(&session, &x509)? {
        let object = Object::read(&session, handle, &[A::Id, A::Label, A::Value]);
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
    let halves = [A::Id, A::Label, A::KeyType, A::Modulus, A::PublicExponent, A::EcParams, A::EcPoint];
    for handle in find(&session, &[Attribute::Class(ObjectClass::PUBLIC_KEY)])? {
        let object = Object::read(&session, handle, &halves);
        if let Some(public) = object.public() {
            beside.insert(0, (object.id, public));
        }
    }
    let wanted = [&halves[..], &[A::AlwaysAuthenticate]].concat();
    for handle in find(&session, &[Attribute::Class(ObjectClass::PRIVATE_KEY)])? {
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
                every_time: object.every_time.then(|| AuthPin::from(pin.to_owned())),
            };
            found.keys.push(Arc::new(PrivateKey::external(public, Arc::new(holder))));
        }
    }
    Ok(())
}
