//! The functions of a PKCS #11 module (OASIS, version 2.40) that keys and certificates need: loaded at run time, each call checked.
//! What a module says about lengths is bounded before it is believed. All `unsafe` of the tokens is here.

use cryptoki_sys::*;
use std::cell::Cell;
use std::ffi::c_void;
use std::fmt;
use std::marker::PhantomData;
use std::path::Path;
use std::ptr::{null_mut, read_unaligned};
use std::sync::Arc;

/// More octets, slots or mechanisms than any answer has.
const LARGEST: CK_ULONG = 1 << 20;
/// So often a list may grow between its count and its content.
const TRIES: usize = 8;

/// Why something was not done.
#[derive(Debug)]
pub enum Failure {
    /// The module is none, or cannot be loaded; the loader's words.
    Loading(String),
    /// The module lacks the function.
    Missing(&'static str),
    /// The function returned this instead of CKR_OK.
    Returned(&'static str, CK_RV),
    TooLong,
}

pub type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    /// What the function returned, when it was called.
    pub fn code(&self) -> Option<CK_RV> {
        match self {
            Failure::Returned(_, code) => Some(*code),
            _ => None,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Loading(why) => write!(f, "the module cannot be loaded: {why}"),
            Failure::Missing(function) => write!(f, "the module has no {function}"),
            Failure::Returned(function, code) => match name(*code) {
                Some(name) => write!(f, "{function}: {name}"),
                None => write!(f, "{function}: error {code:#x}"),
            },
            Failure::TooLong => f.write_str("the module's answer is too long"),
        }
    }
}

/// The numbers, and all names in one text: a table of texts would have a pointer for each.
macro_rules! names {
    ($first:ident $($name:ident)*) => {
        const CODES: &[CK_RV] = &[$first, $($name),*];
        const NAMES: &str = concat!(stringify!($first), $(" ", stringify!($name)),*);
    };
}

names! {
    CKR_CANCEL CKR_HOST_MEMORY CKR_SLOT_ID_INVALID CKR_GENERAL_ERROR CKR_FUNCTION_FAILED CKR_ARGUMENTS_BAD
    CKR_NEED_TO_CREATE_THREADS CKR_CANT_LOCK CKR_ATTRIBUTE_SENSITIVE CKR_ATTRIBUTE_TYPE_INVALID CKR_ATTRIBUTE_VALUE_INVALID
    CKR_DATA_INVALID CKR_DATA_LEN_RANGE CKR_DEVICE_ERROR CKR_DEVICE_MEMORY CKR_DEVICE_REMOVED CKR_ENCRYPTED_DATA_INVALID
    CKR_ENCRYPTED_DATA_LEN_RANGE CKR_FUNCTION_CANCELED CKR_FUNCTION_NOT_SUPPORTED CKR_CURVE_NOT_SUPPORTED
    CKR_KEY_HANDLE_INVALID CKR_KEY_SIZE_RANGE CKR_KEY_TYPE_INCONSISTENT CKR_KEY_FUNCTION_NOT_PERMITTED
    CKR_MECHANISM_INVALID CKR_MECHANISM_PARAM_INVALID CKR_OBJECT_HANDLE_INVALID CKR_OPERATION_ACTIVE
    CKR_OPERATION_NOT_INITIALIZED CKR_PIN_INCORRECT CKR_PIN_INVALID CKR_PIN_LEN_RANGE CKR_PIN_EXPIRED CKR_PIN_LOCKED
    CKR_SESSION_CLOSED CKR_SESSION_COUNT CKR_SESSION_HANDLE_INVALID CKR_TEMPLATE_INCOMPLETE CKR_TEMPLATE_INCONSISTENT
    CKR_TOKEN_NOT_PRESENT CKR_TOKEN_NOT_RECOGNIZED CKR_USER_ALREADY_LOGGED_IN CKR_USER_NOT_LOGGED_IN
    CKR_USER_PIN_NOT_INITIALIZED CKR_USER_TYPE_INVALID CKR_USER_ANOTHER_ALREADY_LOGGED_IN CKR_USER_TOO_MANY_TYPES
    CKR_BUFFER_TOO_SMALL CKR_CRYPTOKI_NOT_INITIALIZED CKR_CRYPTOKI_ALREADY_INITIALIZED CKR_FUNCTION_REJECTED
}

fn name(code: CK_RV) -> Option<&'static str> {
    NAMES.split(' ').nth(CODES.iter().position(|known| *known == code)?)
}

fn checked(function: &'static str, code: CK_RV) -> Result<()> {
    if code == CKR_OK { Ok(()) } else { Err(Failure::Returned(function, code)) }
}

/// Calls a function of the module, when it has it.
macro_rules! call {
    ($module:expr, $name:ident($($argument:expr),*)) => {
        match $module.functions.$name {
            Some(function) => checked(stringify!($name), function($($argument),*)),
            None => Err(Failure::Missing(stringify!($name))),
        }
    };
}

/// What a function writes that is asked for the length first.
fn filled<T: Copy + Default>(call: &mut dyn FnMut(*mut T, *mut CK_ULONG) -> Result<()>) -> Result<Vec<T>> {
    let mut length = 0;
    call(null_mut(), &mut length)?;
    for _ in 0..TRIES {
        if length > LARGEST {
            return Err(Failure::TooLong);
        }
        let mut answer = vec![T::default(); length as usize];
        match call(answer.as_mut_ptr(), &mut length) {
            Err(Failure::Returned(_, CKR_BUFFER_TOO_SMALL)) => {}
            done => {
                answer.truncate(length as usize);
                return done.map(|()| answer);
            }
        }
    }
    Err(Failure::TooLong)
}

/// A module, from when it is set up; unloaded only when that fails.
pub struct Module {
    functions: CK_FUNCTION_LIST,
    /// The functions are there as long as this is.
    _library: libloading::Library,
}

impl Module {
    /// Loads it and sets it up, which the program around us may have done before.
    pub fn load(path: &Path) -> Result<Module> {
        let failed = |why: libloading::Error| Failure::Loading(why.to_string());
        // SAFETY: whoever names a module wants its initialisers to run; modules are made to be loaded by any program.
        let library = unsafe { libloading::Library::new(path) }.map_err(failed)?;
        let mut list = null_mut();
        {
            type Get = unsafe extern "C" fn(*mut *mut CK_FUNCTION_LIST) -> CK_RV;
            // SAFETY: what has this name is this function, by the standard.
            let get = unsafe { library.get::<Get>(b"C_GetFunctionList\0") }.map_err(failed)?;
            // SAFETY: it only writes the pointer, which outlives the call.
            checked("C_GetFunctionList", unsafe { get(&mut list) })?;
        }
        if list.is_null() {
            return Err(Failure::Missing("list of functions"));
        }
        // SAFETY: the module vouches for what it points to with CKR_OK; nothing is said about alignment.
        let functions = unsafe { read_unaligned(list) };
        let module = Module { functions, _library: library };
        let mut arguments = CK_C_INITIALIZE_ARGS { flags: CKF_OS_LOCKING_OK, ..Default::default() };
        // SAFETY: the arguments outlive the call, and without functions for locking there is nothing else to them.
        match unsafe { call!(module, C_Initialize((&raw mut arguments).cast())) } {
            Err(error) if error.code() != Some(CKR_CRYPTOKI_ALREADY_INITIALIZED) => Err(error),
            _ => Ok(module),
        }
    }

    pub fn slots_with_token(&self) -> Result<Vec<CK_SLOT_ID>> {
        // SAFETY: `filled` passes room for as many as it says, or NULL.
        filled(&mut |list, count| unsafe { call!(self, C_GetSlotList(CK_TRUE, list, count)) })
    }

    pub fn token_info(&self, slot: CK_SLOT_ID) -> Result<CK_TOKEN_INFO> {
        let mut info = CK_TOKEN_INFO::default();
        // SAFETY: the structure outlives the call.
        unsafe { call!(self, C_GetTokenInfo(slot, &mut info)) }?;
        Ok(info)
    }

    pub fn mechanisms(&self, slot: CK_SLOT_ID) -> Result<Vec<CK_MECHANISM_TYPE>> {
        // SAFETY: `filled` passes room for as many as it says, or NULL.
        filled(&mut |list, count| unsafe { call!(self, C_GetMechanismList(slot, list, count)) })
    }

    /// A session that changes nothing on the token.
    pub fn session(self: &Arc<Self>, slot: CK_SLOT_ID) -> Result<Session> {
        let mut handle = 0;
        // SAFETY: without a function to call back there is nothing that outlives the call.
        unsafe { call!(self, C_OpenSession(slot, CKF_SERIAL_SESSION, null_mut(), None, &mut handle)) }?;
        Ok(Session { module: self.clone(), handle, _one_thread: PhantomData })
    }
}

/// An open session, closed with its end. One thread at a time may use it.
pub struct Session {
    module: Arc<Module>,
    handle: CK_SESSION_HANDLE,
    _one_thread: PhantomData<Cell<()>>,
}

impl Drop for Session {
    fn drop(&mut self) {
        // SAFETY: the session ends here. When it has ended before, with its token, the module says so.
        let _ = unsafe { call!(self.module, C_CloseSession(self.handle)) };
    }
}

/// The value of an attribute that is asked for or given.
pub enum Value {
    Number(CK_ULONG),
    Flag(bool),
}

pub type Attribute = (CK_ATTRIBUTE_TYPE, Value);

/// The attributes as C has them; they point into the slice.
fn template(attributes: &[Attribute]) -> Vec<CK_ATTRIBUTE> {
    let one = |(kind, value): &Attribute| {
        let (start, length): (*const c_void, usize) = match value {
            Value::Number(number) => ((&raw const *number).cast(), size_of::<CK_ULONG>()),
            Value::Flag(flag) => ((&raw const *flag).cast(), size_of::<CK_BBOOL>()),
        };
        CK_ATTRIBUTE { type_: *kind, pValue: start.cast_mut(), ulValueLen: length as CK_ULONG }
    };
    attributes.iter().map(one).collect()
}

/// What a mechanism is told besides.
#[derive(Clone, Copy)]
pub enum With<'a> {
    Nothing,
    Pss {
        hash: CK_MECHANISM_TYPE,
        mgf: CK_RSA_PKCS_MGF_TYPE,
        salt: usize,
    },
    Oaep {
        hash: CK_MECHANISM_TYPE,
        mgf: CK_RSA_PKCS_MGF_TYPE,
    },
    /// The point of the other side, for a secret that is taken as it is.
    Point(&'a [u8]),
}

#[derive(Clone, Copy)]
pub struct Mechanism<'a> {
    pub name: CK_MECHANISM_TYPE,
    pub with: With<'a>,
}

impl Mechanism<'_> {
    /// The mechanism as C has it, for one call.
    fn lend(&self, call: &mut dyn FnMut(*mut CK_MECHANISM) -> Result<()>) -> Result<()> {
        let (mut pss, mut oaep, mut ecdh);
        let (start, length): (*mut c_void, usize) = match self.with {
            With::Nothing => (null_mut(), 0),
            With::Pss { hash, mgf, salt } => {
                pss = CK_RSA_PKCS_PSS_PARAMS { hashAlg: hash, mgf, sLen: salt as CK_ULONG };
                ((&raw mut pss).cast(), size_of_val(&pss))
            }
            With::Oaep { hash, mgf } => {
                let source = CKZ_DATA_SPECIFIED;
                oaep = CK_RSA_PKCS_OAEP_PARAMS { hashAlg: hash, mgf, source, ..Default::default() };
                ((&raw mut oaep).cast(), size_of_val(&oaep))
            }
            With::Point(point) => {
                ecdh = CK_ECDH1_DERIVE_PARAMS {
                    kdf: CKD_NULL,
                    ulPublicDataLen: point.len() as CK_ULONG,
                    pPublicData: point.as_ptr().cast_mut(),
                    ..Default::default()
                };
                ((&raw mut ecdh).cast(), size_of_val(&ecdh))
            }
        };
        call(&mut CK_MECHANISM { mechanism: self.name, pParameter: start, ulParameterLen: length as CK_ULONG })
    }
}

/// Octets as C takes them. No function that is called with them writes there.
fn start(octets: &[u8]) -> *mut u8 {
    octets.as_ptr().cast_mut()
}

impl Session {
    /// Without a PIN, the reader has keys of its own for it.
    pub fn login(&self, user: CK_USER_TYPE, pin: Option<&str>) -> Result<()> {
        let (pin, length) = pin.map_or((null_mut(), 0), |pin| (start(pin.as_bytes()), pin.len()));
        // SAFETY: the PIN outlives the call, and its length is its own.
        unsafe { call!(self.module, C_Login(self.handle, user, pin, length as CK_ULONG)) }
    }

    pub fn logout(&self) -> Result<()> {
        // SAFETY: no memory is passed.
        unsafe { call!(self.module, C_Logout(self.handle)) }
    }

    /// Whether it still is one: it ends when the token is taken out.
    pub fn is_open(&self) -> bool {
        let mut info = CK_SESSION_INFO::default();
        // SAFETY: the structure outlives the call.
        unsafe { call!(self.module, C_GetSessionInfo(self.handle, &mut info)) }.is_ok()
    }

    /// The objects with these attributes, and not more than so many.
    pub fn find(&self, attributes: &[Attribute], most: usize) -> Result<Vec<CK_OBJECT_HANDLE>> {
        let mut wanted = template(attributes);
        // SAFETY: attributes and their values outlive the call, and their lengths are their own.
        unsafe { call!(self.module, C_FindObjectsInit(self.handle, wanted.as_mut_ptr(), wanted.len() as CK_ULONG)) }?;
        let mut all = Vec::new();
        let searched = loop {
            let mut some = [0; 32];
            let mut count = 0;
            let room = some.len() as CK_ULONG;
            // SAFETY: there is room for as many as it says.
            let done = unsafe { call!(self.module, C_FindObjects(self.handle, some.as_mut_ptr(), room, &mut count)) };
            all.extend(some.iter().take(count as usize));
            if done.is_err() || count < room || all.len() >= most {
                break done;
            }
        };
        // SAFETY: no memory is passed. A search that is left open would keep the session from everything else.
        let _ = unsafe { call!(self.module, C_FindObjectsFinal(self.handle)) };
        all.truncate(most);
        searched.map(|()| all)
    }

    /// The values of these attributes, one for each: empty where there is none, or none that may be read.
    pub fn values(&self, object: CK_OBJECT_HANDLE, wanted: &[CK_ATTRIBUTE_TYPE]) -> Result<Vec<Vec<u8>>> {
        let mut asked: Vec<CK_ATTRIBUTE> =
            wanted.iter().map(|kind| CK_ATTRIBUTE { type_: *kind, ..Default::default() }).collect();
        self.read(object, &mut asked)?;
        let mut values = Vec::with_capacity(asked.len());
        for attribute in &asked {
            let length = Some(attribute.ulValueLen).filter(|length| *length != CK_UNAVAILABLE_INFORMATION);
            match length.unwrap_or(0) {
                length if length > LARGEST => return Err(Failure::TooLong),
                length => values.push(vec![0; length as usize]),
            }
        }
        for (attribute, value) in asked.iter_mut().zip(&mut values) {
            *attribute = CK_ATTRIBUTE {
                type_: attribute.type_,
                pValue: value.as_mut_ptr().cast(),
                ulValueLen: value.len() as CK_ULONG,
            };
        }
        // What is not there would be asked for in vain.
        asked.retain(|attribute| attribute.ulValueLen > 0);
        if !asked.is_empty() {
            self.read(object, &mut asked)?;
        }
        let mut read = asked.iter();
        for value in values.iter_mut().filter(|value| !value.is_empty()) {
            // It may have become shorter, or unavailable.
            let length = read.next().map_or(0, |attribute| attribute.ulValueLen as usize);
            value.truncate(if length > value.len() { 0 } else { length });
        }
        Ok(values)
    }

    /// Lengths where an attribute points nowhere, and values where it points to room. That some may not be read is no error.
    fn read(&self, object: CK_OBJECT_HANDLE, asked: &mut [CK_ATTRIBUTE]) -> Result<()> {
        let count = asked.len() as CK_ULONG;
        // SAFETY: each attribute points to as much room as it says, or is NULL.
        match unsafe { call!(self.module, C_GetAttributeValue(self.handle, object, asked.as_mut_ptr(), count)) } {
            Err(Failure::Returned(_, CKR_ATTRIBUTE_SENSITIVE | CKR_ATTRIBUTE_TYPE_INVALID)) => Ok(()),
            done => done,
        }
    }

    fn begin_signature(&self, how: &Mechanism<'_>, key: CK_OBJECT_HANDLE) -> Result<()> {
        // SAFETY: the mechanism outlives the call.
        how.lend(&mut |how| unsafe { call!(self.module, C_SignInit(self.handle, how, key)) })
    }

    pub fn sign(&self, how: &Mechanism<'_>, key: CK_OBJECT_HANDLE, data: &[u8]) -> Result<Vec<u8>> {
        self.begin_signature(how, key)?;
        let (data, size) = (start(data), data.len() as CK_ULONG);
        // SAFETY: the data outlive the call; `filled` passes room for as much as it says, or NULL.
        filled(&mut |out, length| unsafe { call!(self.module, C_Sign(self.handle, data, size, out, length)) })
    }

    /// Signs with a key that wants the PIN before every use.
    pub fn sign_with_pin(
        &self,
        how: &Mechanism<'_>,
        key: CK_OBJECT_HANDLE,
        pin: &str,
        message: &[u8],
    ) -> Result<Vec<u8>> {
        self.begin_signature(how, key)?;
        self.login(CKU_CONTEXT_SPECIFIC, Some(pin))?;
        // SAFETY: the message outlives the call, and its length is its own.
        unsafe { call!(self.module, C_SignUpdate(self.handle, start(message), message.len() as CK_ULONG)) }?;
        // SAFETY: `filled` passes room for as much as it says, or NULL.
        filled(&mut |out, length| unsafe { call!(self.module, C_SignFinal(self.handle, out, length)) })
    }

    pub fn decrypt(&self, how: &Mechanism<'_>, key: CK_OBJECT_HANDLE, data: &[u8]) -> Result<Vec<u8>> {
        // SAFETY: the mechanism outlives the call.
        how.lend(&mut |how| unsafe { call!(self.module, C_DecryptInit(self.handle, how, key)) })?;
        let (data, size) = (start(data), data.len() as CK_ULONG);
        // SAFETY: the data outlive the call; `filled` passes room for as much as it says, or NULL.
        filled(&mut |out, length| unsafe { call!(self.module, C_Decrypt(self.handle, data, size, out, length)) })
    }

    /// A new object with these attributes, made of a key.
    pub fn derive(
        &self,
        how: &Mechanism<'_>,
        key: CK_OBJECT_HANDLE,
        attributes: &[Attribute],
    ) -> Result<CK_OBJECT_HANDLE> {
        let mut made = 0;
        let mut wanted = template(attributes);
        let (first, count) = (wanted.as_mut_ptr(), wanted.len() as CK_ULONG);
        // SAFETY: mechanism, attributes and values outlive the call, and their lengths are their own.
        how.lend(&mut |how| unsafe {
            call!(self.module, C_DeriveKey(self.handle, how, key, first, count, &mut made))
        })?;
        Ok(made)
    }

    pub fn destroy(&self, object: CK_OBJECT_HANDLE) -> Result<()> {
        // SAFETY: no memory is passed.
        unsafe { call!(self.module, C_DestroyObject(self.handle, object)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_has_its_name_or_its_number() {
        assert_eq!(NAMES.split(' ').count(), CODES.len());
        for (code, text) in [
            (CKR_CANCEL, "C_Login: CKR_CANCEL"),
            (CKR_PIN_EXPIRED, "C_Login: CKR_PIN_EXPIRED"),
            (CKR_FUNCTION_REJECTED, "C_Login: CKR_FUNCTION_REJECTED"),
            (CKR_VENDOR_DEFINED | 5, "C_Login: error 0x80000005"),
        ] {
            assert_eq!(Failure::Returned("C_Login", code).to_string(), text);
        }
    }

    #[test]
    fn an_answer_may_grow_or_shrink_and_no_length_is_believed_blindly() {
        let answer = |lengths: &'static [CK_ULONG]| {
            let mut turn = lengths.iter();
            filled::<u8>(&mut |out, length| {
                // SAFETY: the length is what the caller made room for, or out is NULL.
                let room = unsafe { *length };
                let next = *turn.next().unwrap_or(&room);
                // SAFETY: as above.
                unsafe { *length = next };
                if !out.is_null() && next > room {
                    Err(Failure::Returned("C_Sign", CKR_BUFFER_TOO_SMALL))
                } else {
                    Ok(())
                }
            })
        };
        assert_eq!(answer(&[4]).unwrap().len(), 4);
        assert_eq!(answer(&[4, 2]).unwrap().len(), 2);
        assert_eq!(answer(&[4, 6]).unwrap().len(), 6);
        assert_eq!(answer(&[0]).unwrap().len(), 0);
        assert!(matches!(answer(&[CK_ULONG::MAX]), Err(Failure::TooLong)));
        assert!(matches!(answer(&[4, LARGEST + 1]), Err(Failure::TooLong)));
        assert!(matches!(answer(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]), Err(Failure::TooLong)));
    }

    /// A session of a module with these functions and no others.
    fn session(functions: CK_FUNCTION_LIST) -> Session {
        let module = Module { functions, _library: libloading::os::unix::Library::this().into() };
        Session { module: Arc::new(module), handle: 1, _one_thread: PhantomData }
    }

    #[test]
    fn a_function_that_a_module_lacks_is_an_error() {
        let session = session(CK_FUNCTION_LIST::default());
        assert_eq!(session.module.slots_with_token().unwrap_err().to_string(), "the module has no C_GetSlotList");
        assert_eq!(session.find(&[], 1).unwrap_err().to_string(), "the module has no C_FindObjectsInit");
        assert!(!session.is_open());
    }

    /// Four octets of an identifier, of a label that nobody may read, of a value that becomes longer, and of one that becomes shorter.
    unsafe extern "C" fn attributes(
        _: CK_SESSION_HANDLE,
        object: CK_OBJECT_HANDLE,
        asked: *mut CK_ATTRIBUTE,
        count: CK_ULONG,
    ) -> CK_RV {
        // SAFETY: the caller has so many.
        for attribute in unsafe { std::slice::from_raw_parts_mut(asked, count as usize) } {
            let first = attribute.pValue.is_null();
            attribute.ulValueLen = match attribute.type_ {
                _ if object == 2 => CK_ULONG::MAX - 1,
                CKA_LABEL => CK_UNAVAILABLE_INFORMATION,
                CKA_VALUE if !first => 5,
                CKA_MODULUS if !first => 2,
                _ => 4,
            };
            if !first {
                // SAFETY: there is room for the four that were asked for.
                unsafe { attribute.pValue.cast::<[u8; 4]>().write([1, 2, 3, 4]) };
            }
        }
        CKR_ATTRIBUTE_SENSITIVE
    }

    #[test]
    fn values_are_as_long_as_their_room_at_most() {
        let session = session(CK_FUNCTION_LIST { C_GetAttributeValue: Some(attributes), ..Default::default() });
        let wanted = [CKA_LABEL, CKA_ID, CKA_VALUE, CKA_MODULUS];
        let values = session.values(1, &wanted).unwrap();
        assert_eq!(values, [&[][..], &[1, 2, 3, 4], &[], &[1, 2]]);
        assert!(matches!(session.values(2, &wanted), Err(Failure::TooLong)));
        assert!(session.values(1, &[CKA_LABEL]).unwrap()[0].is_empty());
    }

    /// Says that it found more than there was room for, and never stops.
    unsafe extern "C" fn endless(
        _: CK_SESSION_HANDLE,
        _: *mut CK_OBJECT_HANDLE,
        room: CK_ULONG,
        count: *mut CK_ULONG,
    ) -> CK_RV {
        // SAFETY: the caller wants to know.
        unsafe { count.write(room + 1) };
        CKR_OK
    }

    #[test]
    fn a_search_ends() {
        unsafe extern "C" fn begin(_: CK_SESSION_HANDLE, _: *mut CK_ATTRIBUTE, _: CK_ULONG) -> CK_RV {
            CKR_OK
        }
        let functions =
            CK_FUNCTION_LIST { C_FindObjectsInit: Some(begin), C_FindObjects: Some(endless), ..Default::default() };
        assert_eq!(session(functions).find(&[], 100).unwrap().len(), 100);
    }
}
