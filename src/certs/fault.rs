//! Why a store could not be read: broken, locked by another password, or of a kind that is not read. All are error 271,
//! each with its own text; a key of another certificate is 273 (ruling 33).

use crate::error::{Code, Error};

/// The reason a store, key or certificate could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The octets are not what the format asks for, or exceed a bound.
    Broken(String),
    /// The password (or the missing one) does not open it.
    Password,
    /// The format is understood, what it asks for is not there.
    Unsupported(String),
    /// It cannot be reached or used, and why.
    Refused(String),
    /// The key in it belongs to none of its certificates.
    Mismatch,
}

/// What every reader here returns. A pointer to the fault, so that an octet or a slice comes back in registers.
pub type Read<T> = std::result::Result<T, Box<Fault>>;

/// A broken file, and what about it.
pub fn broken<T>(why: impl AsRef<str>) -> Read<T> {
    Err(boxed(Fault::Broken, why.as_ref()))
}

/// Something this version does not read, by its name or number.
pub fn unsupported<T>(what: impl AsRef<str>) -> Read<T> {
    Err(boxed(Fault::Unsupported, what.as_ref()))
}

/// Apart from the two, of which there is one for every type of result.
#[cold]
fn boxed(kind: fn(String) -> Fault, why: &str) -> Box<Fault> {
    Box::new(kind(why.to_owned()))
}

#[cold]
pub fn wrong_password() -> Box<Fault> {
    Box::new(Fault::Password)
}

/// Something this version does not read, by its object identifier.
pub fn unknown<T>(what: &str, oid: &[u8]) -> Read<T> {
    unsupported(format!("{what} {}", super::der::dotted(oid)))
}

impl Fault {
    /// The same reason, with the entry of the store that it is about. A wrong password and a foreign key are about the whole store.
    pub fn of(self, entry: &str) -> Fault {
        match self {
            Fault::Broken(why) => Fault::Broken(format!("{entry}: {why}")),
            Fault::Unsupported(what) => Fault::Unsupported(format!("{entry}: {what}")),
            Fault::Refused(why) => Fault::Refused(format!("{entry}: {why}")),
            whole @ (Fault::Password | Fault::Mismatch) => whole,
        }
    }

    /// The error, saying what was read (`the PFX file a.pfx`).
    pub fn into_error(self, what: &str) -> Error {
        let why = match self {
            Fault::Mismatch => {
                return Error::new(
                    Code::Credentials,
                    format!("{what}: the private key does not belong to the certificate"),
                );
            }
            Fault::Broken(why) => format!("{what} is broken: {why}"),
            Fault::Password => format!("{what}: the password is wrong"),
            Fault::Unsupported(why) => format!("{what}: {why} is not supported"),
            Fault::Refused(why) => format!("{what}: {why}"),
        };
        Error::new(Code::CertStore, why)
    }
}
