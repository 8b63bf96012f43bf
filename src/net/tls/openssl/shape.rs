//! Options in OpenSSL's terms. What was demanded and cannot be told to the library for one version alone (it has one list of
//! groups and one of signatures) is looked at again when the handshake has come to a choice.

use super::foreign::{Cipher, Connection, Context, op};
use super::names::{self, Available, Group, Signature, available};
use crate::error::{Code, Error, Result};
use crate::net::tls::names::{
    DEFAULT_PROTOCOLS, DEFAULT_SUITES, DEFAULT_TLS12_GROUPS, DEFAULT_TLS12_SIGNATURES, DEFAULT_TLS13_GROUPS,
    DEFAULT_TLS13_KEY_SHARES, DEFAULT_TLS13_SIGNATURES, Signatures, TLS10, TLS11, bits, entries, is_default,
};
use crate::net::tls::{TlsOptions, Version};
use rustls::SignatureScheme;

/// Oldest first.
const VERSIONS: [Version; 4] = [Version::Tls10, Version::Tls11, Version::Tls12, Version::Tls13];

pub struct Shape {
    pub versions: Vec<Version>,
    pub suites: Vec<Cipher>,
    groups12: Option<Vec<Group>>,
    groups13: Option<Vec<Group>>,
    share: Option<Group>,
    signatures12: Option<Vec<Signature>>,
    signatures13: Option<Vec<Signature>>,
    /// For the certificate's own signature.
    tls12: Signatures,
    tls13: Signatures,
    old: bool,
}

/// A list that is a demand.
fn demanded<'a>(text: Option<&'a str>, default: &str) -> Option<&'a str> {
    text.filter(|text| !is_default(Some(text), default))
}

impl Shape {
    /// Error 603 for a name that the library does not have, 270 without a library. What is left may be nothing: see
    /// [`Shape::usable`].
    pub fn of(options: &TlsOptions) -> Result<Shape> {
        let available = available()?;
        let mut suites = base(options, available)?;
        if let Some(text) = demanded(options.suites.as_deref(), DEFAULT_SUITES) {
            let mut named = names::suites(&entries(text), available)?;
            // OpenSSLCipherList knows nothing of TLS 1.3.
            if options.openssl.ciphers().is_some() {
                named.retain(|suite| names::is_tls13(suite) || suites.contains(suite));
            }
            suites = named;
        }
        let strong = |suite: &Cipher| suite.bits >= options.min_strength;
        let mut versions = VERSIONS.to_vec();
        versions.retain(|version| {
            let serves = |suite: &Cipher| strong(suite) && names::serves(suite, *version);
            bits(*version) & options.protocols != 0 && suites.iter().any(serves)
        });
        suites.retain(|suite| strong(suite) && versions.iter().any(|version| names::serves(suite, *version)));

        let mut curves = available.groups.clone();
        curves.retain(|group| group.curve);
        let groups =
            |setting: &str, text: Option<&str>, default: &str, table: &[Group]| -> Result<Option<Vec<Group>>> {
                let Some(text) = demanded(text, default) else { return Ok(None) };
                let list = names::rows(setting, &entries(text), table, |group| group.name)?;
                if list.is_empty() && setting != "TLS13KeyShareGroups" {
                    return Err(Error::new(Code::ValueRefused, format!("{setting} names no group")));
                }
                Ok(Some(list))
            };
        let groups12 = groups("TLS12SupportedGroups", options.tls12_groups.as_deref(), DEFAULT_TLS12_GROUPS, &curves)?;
        let groups13 =
            groups("TLS13SupportedGroups", options.tls13_groups.as_deref(), DEFAULT_TLS13_GROUPS, &available.groups)?;
        let shares = groups(
            "TLS13KeyShareGroups",
            options.tls13_key_shares.as_deref(),
            DEFAULT_TLS13_KEY_SHARES,
            &available.groups,
        )?;
        let usable = |share: &&Group| groups13.as_ref().is_none_or(|list| list.contains(share));
        let share = shares.iter().flatten().find(usable).copied();
        let signatures12 = signatures(
            "TLS12SignatureAlgorithms",
            demanded(options.tls12_signatures.as_deref(), DEFAULT_TLS12_SIGNATURES),
            &available.tls12,
        )?;
        let signatures13 = signatures(
            "TLS13SignatureAlgorithms",
            demanded(options.tls13_signatures.as_deref(), DEFAULT_TLS13_SIGNATURES),
            &available.tls13,
        )?;
        let old = options.protocols != DEFAULT_PROTOCOLS && options.protocols & (TLS10 | TLS11) != 0;
        Ok(Shape {
            tls12: schemes(signatures12.as_deref(), &available.tls12),
            tls13: schemes(signatures13.as_deref(), &available.tls13),
            versions,
            suites,
            groups12,
            groups13,
            share,
            signatures12,
            signatures13,
            old,
        })
    }

    /// Error 276 when the options leave nothing to offer.
    pub fn usable(&self, options: &TlsOptions) -> Result<()> {
        let what = if VERSIONS.iter().all(|version| bits(*version) & options.protocols == 0) {
            "SSLEnabledProtocols leaves no protocol version that the Platform provider has (TLS 1.0 to 1.3)"
        } else if self.suites.is_empty() {
            "SSLEnabledProtocols, SSLEnabledCipherSuites, OpenSSLCipherList and SSLCipherStrength leave no cipher suite"
        } else {
            return Ok(());
        };
        Err(Error::new(Code::Handshake, what))
    }

    /// Tells the library.
    pub fn apply(&self, context: &mut Context, options: &TlsOptions) -> Result<()> {
        let unfit = |what: &str, why: &str| Error::new(Code::Handshake, format!("TLS cannot be set up: {what}: {why}"));
        // A hole between them cannot be told to a server of TLS 1.2: who chooses it is refused afterwards.
        let (least, most) = (self.versions.iter().min(), self.versions.iter().max());
        if !least.zip(most).is_some_and(|(least, most)| context.versions(number(*least), number(*most))) {
            return Err(unfit("protocol versions", "OpenSSL refuses them"));
        }
        let names = |wanted: fn(&Cipher) -> bool| {
            self.suites.iter().filter(|suite| wanted(suite)).map(|suite| suite.name.as_str()).collect::<Vec<_>>()
        };
        let mut older = names(|suite| !names::is_tls13(suite));
        if !older.is_empty() {
            let level = options
                .openssl
                .ciphers()
                .and_then(|list| list.split([':', ',', ' ']).find(|part| part.starts_with("@SECLEVEL")));
            older.extend(level.or(self.old.then_some("@SECLEVEL=0")));
            context.cipher_list(&older.join(":")).map_err(|reason| unfit("cipher suites", &reason.text))?;
        }
        let newer = names(names::is_tls13);
        context.cipher_suites(&newer.join(":")).map_err(|reason| unfit("cipher suites", &reason.text))?;
        if self.old {
            // Servers that know only those versions often lack RFC 5746 too; we never renegotiate.
            context.options(op::LEGACY_SERVER_CONNECT, 0);
        }
        if let Some(list) = self.groups(available()?) {
            context.groups(&list).map_err(|reason| unfit("groups", &reason.text))?;
        }
        if let Some(list) = self.signatures(available()?) {
            context.signatures(&list).map_err(|reason| unfit("signature algorithms", &reason.text))?;
        }
        Ok(())
    }

    fn has(&self, version: Version) -> bool {
        self.versions.contains(&version)
    }

    /// The groups to offer; `None` leaves it to the library.
    fn groups(&self, available: &Available) -> Option<String> {
        let older = self.versions.iter().any(|version| *version < Version::Tls13);
        let newer = self.has(Version::Tls13);
        let twelve = self.groups12.as_deref().filter(|_| older);
        let thirteen = self.groups13.as_deref().filter(|_| newer);
        if thirteen.is_none() && twelve.is_none() && (self.share.is_none() || !newer) {
            return None;
        }
        let mut list = [thirteen.unwrap_or_default(), twelve.unwrap_or_default()].concat();
        if newer && thirteen.is_none() {
            list.extend_from_slice(&available.groups);
            // Offered only where it is named.
            list.retain(|group| group.name != "x25519mlkem768");
        }
        if let Some(at) = self.share.and_then(|share| list.iter().position(|group| *group == share)) {
            list[..=at].rotate_right(1);
        }
        let mut names: Vec<&str> = Vec::new();
        for group in list {
            if !names.contains(&group.openssl) {
                names.push(group.openssl);
            }
        }
        Some(names.join(":"))
    }

    fn signatures(&self, available: &Available) -> Option<String> {
        if self.signatures12.is_none() && self.signatures13.is_none() {
            return None;
        }
        let mut list: Vec<&str> = Vec::new();
        let mut add = |signatures: &[Signature]| {
            for name in signatures.iter().flat_map(|signature| signature.openssl) {
                if !list.contains(name) {
                    list.push(name);
                }
            }
        };
        if self.has(Version::Tls13) {
            add(self.signatures13.as_deref().unwrap_or(&available.tls13));
        }
        if self.versions.iter().any(|version| *version < Version::Tls13) {
            add(self.signatures12.as_deref().unwrap_or(&available.tls12));
            if self.signatures12.is_none() {
                // TLS 1.2 knows these too, beside the names of its setting.
                add(&available.tls13);
            }
        }
        Some(list.join(":"))
    }

    /// The signatures that a certificate may have.
    pub fn allowed(&self, version: Version) -> &Signatures {
        if version == Version::Tls13 { &self.tls13 } else { &self.tls12 }
    }

    /// Whether what the server chose is what this version was allowed. Its words follow "the server".
    pub fn check(&self, connection: &Connection, version: Version) -> std::result::Result<(), String> {
        if !self.has(version) {
            return Err("chose a protocol version that is not enabled".to_owned());
        }
        if let Some(exchange) = connection.exchange() {
            let groups = if version == Version::Tls13 { &self.groups13 } else { &self.groups12 };
            let is_group = !exchange.name.is_empty() && !exchange.name.starts_with("dhe");
            if let Some(groups) = groups.as_ref().filter(|_| is_group)
                && !groups.iter().any(|group| group.shown == exchange.name)
            {
                return Err(format!("chose the group {}, which is not allowed in {}", exchange.name, version.name()));
            }
        }
        let signatures = match version {
            Version::Tls13 => &self.signatures13,
            Version::Tls12 => &self.signatures12,
            _ => return Ok(()),
        };
        if let (Some(signatures), Some(told)) = (signatures, connection.signature())
            && !signatures.iter().any(|signature| signature.told == told)
        {
            return Err("signed with an algorithm that is not allowed here".to_owned());
        }
        Ok(())
    }
}

/// The suites of OpenSSLCipherList, or of the system's default list, and those of TLS 1.3.
fn base(options: &TlsOptions, available: &Available) -> Result<Vec<Cipher>> {
    let mut context = Context::new()?;
    if let Some(list) = options.openssl.ciphers() {
        context.cipher_list(list).map_err(|reason| {
            let names: Vec<_> = available.ciphers.iter().map(|cipher| cipher.name.as_str()).collect();
            let names = names.join(", ");
            Error::new(
                Code::ValueRefused,
                format!("OpenSSLCipherList {list:?}: {}; OpenSSL here has {names}", reason.text),
            )
        })?;
    } else if demanded(options.suites.as_deref(), DEFAULT_SUITES).is_some() {
        return Ok(available.ciphers.clone());
    }
    Ok(context.ciphers().into_iter().filter(names::has_certificate).collect())
}

fn signatures(setting: &str, text: Option<&str>, table: &[Signature]) -> Result<Option<Vec<Signature>>> {
    let Some(text) = text else { return Ok(None) };
    let list = names::rows(setting, &entries(text), table, |signature| signature.name)?;
    if list.is_empty() {
        return Err(Error::new(
            Code::ValueRefused,
            format!("{setting} names no signature algorithm; the Platform provider always sends its list"),
        ));
    }
    Ok(Some(list))
}

fn schemes(demanded: Option<&[Signature]>, all: &[Signature]) -> Signatures {
    let schemes = demanded.unwrap_or(all).iter().map(|signature| SignatureScheme::from(signature.code)).collect();
    Signatures { schemes, demanded: demanded.is_some() }
}

fn number(version: Version) -> u32 {
    match version {
        Version::Tls10 => 0x301,
        Version::Tls11 => 0x302,
        Version::Tls12 => 0x303,
        Version::Tls13 => 0x304,
    }
}

/// The version of a connection.
pub fn version(connection: &Connection) -> Option<Version> {
    VERSIONS.into_iter().find(|version| number(*version) == connection.version())
}
