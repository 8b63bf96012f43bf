//! Which provider secures a connection: rulings 10, 18 and 21. What nobody asked for decides nothing.

#[cfg(test)]
mod tests;

use super::names::{
    self, DEFAULT_PROTOCOLS, DEFAULT_SUITES, DEFAULT_TLS12_GROUPS, DEFAULT_TLS12_SIGNATURES, DEFAULT_TLS13_GROUPS,
    DEFAULT_TLS13_KEY_SHARES, DEFAULT_TLS13_SIGNATURES, SSL2, SSL3, TLS10, TLS11, TLS12, TLS13, entries, is_default,
};
use super::{Internal, Platform, Provider, TlsOptions, openssl};
use crate::enums::SslProvider;
use crate::error::{Code, Error, Result};

/// One of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    Internal,
    Platform,
}

/// The provider of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    pub which: Which,
    /// What to ask of it.
    pub options: TlsOptions,
    /// For SSLStatus, where something asked for had to be left out.
    pub note: Option<String>,
}

/// Both, for one handle: each keeps its own sessions.
#[derive(Default)]
pub struct Providers {
    internal: Internal,
    platform: Platform,
}

impl Providers {
    pub fn new() -> Providers {
        Providers::default()
    }

    pub fn get(&self, which: Which) -> &dyn Provider {
        match which {
            Which::Internal => &self.internal,
            Which::Platform => &self.platform,
        }
    }

    /// Drops every session.
    pub fn forget(&self) {
        self.internal.forget();
        self.platform.forget();
    }
}

/// One of the settings that hold a list of names.
struct List {
    setting: &'static str,
    default: &'static str,
    get: fn(&TlsOptions) -> &Option<String>,
    set: fn(&mut TlsOptions, Option<String>),
}

macro_rules! lists {
    ($($setting:literal $default:ident $field:ident;)*) => {
        static LISTS: &[List] = &[$(List {
            setting: $setting,
            default: $default,
            get: |options| &options.$field,
            set: |options, value| options.$field = value,
        }),*];
    };
}

lists! {
    "SSLEnabledCipherSuites" DEFAULT_SUITES suites;
    "TLS12SupportedGroups" DEFAULT_TLS12_GROUPS tls12_groups;
    "TLS13SupportedGroups" DEFAULT_TLS13_GROUPS tls13_groups;
    "TLS13KeyShareGroups" DEFAULT_TLS13_KEY_SHARES tls13_key_shares;
    "TLS12SignatureAlgorithms" DEFAULT_TLS12_SIGNATURES tls12_signatures;
    "TLS13SignatureAlgorithms" DEFAULT_TLS13_SIGNATURES tls13_signatures;
}

/// Chooses. Errors: 270 what is asked for needs OpenSSL and it is not there, 603 a name that nobody has.
pub fn choose(asked: SslProvider, options: TlsOptions) -> Result<Chosen> {
    versions(&options)?;
    let which = match asked {
        SslProvider::Internal => {
            options.check()?;
            Which::Internal
        }
        SslProvider::Platform => {
            openssl::check(&options)?;
            Which::Platform
        }
        SslProvider::Automatic => {
            let foreign = foreign(&options);
            if foreign.is_empty() && !is_old(options.protocols) && !options.openssl.demand() {
                options.check()?;
                Which::Internal
            } else {
                match openssl::check(&options) {
                    Err(error) if error.code == Code::SecurityLibrary => return without(options, &foreign, error),
                    done => done?,
                }
                Which::Platform
            }
        }
    };
    Ok(Chosen { which, options, note: None })
}

/// Whether the settings name only what somebody has: error 603. A library that is not there is found out when it is needed.
pub fn check(asked: SslProvider, options: TlsOptions) -> Result<()> {
    match choose(asked, options) {
        Err(error) if error.code == Code::ValueRefused => Err(error),
        _ => Ok(()),
    }
}

/// SSL 2 and 3 nobody has, and bits beyond the versions mean nothing.
fn versions(options: &TlsOptions) -> Result<()> {
    let has = "TLS 1.0 (192), 1.1 (768), 1.2 (3072) and 1.3 (12288)";
    let what = if options.protocols & (SSL2 | SSL3) != 0 {
        "SSL 2 and SSL 3 are in neither provider"
    } else if options.protocols & !(TLS10 | TLS11 | TLS12 | TLS13) != 0 {
        "a bit of no version is set"
    } else {
        return Ok(());
    };
    Err(Error::new(Code::ValueRefused, format!("SSLEnabledProtocols {}: {what}; there are {has}", options.protocols)))
}

/// An old version is named, and the newest is not: then somebody means it.
fn is_old(protocols: u32) -> bool {
    protocols != DEFAULT_PROTOCOLS && protocols & (TLS10 | TLS11) != 0 && protocols & TLS13 == 0
}

/// The names of each list that Internal does not have.
fn foreign(options: &TlsOptions) -> Vec<(&'static List, Vec<String>)> {
    let mut found = Vec::new();
    for list in LISTS {
        let Some(text) = (list.get)(options).as_deref().filter(|text| !is_default(Some(text), list.default)) else {
            continue;
        };
        let lacks = |entry: &&str| {
            let mut alone = TlsOptions::new("", 0);
            (list.set)(&mut alone, Some((*entry).to_owned()));
            alone.check().is_err()
        };
        let names: Vec<_> = entries(text).into_iter().filter(lacks).map(str::to_owned).collect();
        if !names.is_empty() {
            found.push((list, names));
        }
    }
    found
}

/// Without OpenSSL: Internal with what is left for it, or the error.
fn without(mut options: TlsOptions, foreign: &[(&'static List, Vec<String>)], missing: Error) -> Result<Chosen> {
    let settings = std::mem::take(&mut options.openssl);
    // Whom to trust and which ciphers to use is nothing to be left out silently.
    if settings.ca_file.is_some() || settings.ca_dir.is_some() || settings.ciphers().is_some() {
        return Err(missing);
    }
    let mut out = Vec::new();
    for (list, names) in foreign {
        let text = (list.get)(&options).as_deref().unwrap_or_default();
        let mut kept = entries(text);
        kept.retain(|entry| !names.iter().any(|name| name == entry));
        if kept.is_empty() {
            return Err(missing);
        }
        let kept = kept.join(",");
        (list.set)(&mut options, Some(kept));
        out.push(format!("{} {}", list.setting, names.join(", ")));
    }
    if is_old(options.protocols) {
        options.protocols &= TLS12;
        out.push("TLS 1.0 and 1.1".to_owned());
    }
    if settings.prng_seed.is_some() {
        out.push("OpenSSLPrngSeedData".to_owned());
    }
    names::usable(&options).map_err(|_| missing)?;
    let note = format!("OpenSSL is not there, so the built-in TLS is used without {}", out.join("; "));
    Ok(Chosen { which: Which::Internal, options, note: Some(note) })
}
