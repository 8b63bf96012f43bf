//! The names of protocol versions, cipher suites, groups and signatures as settings spell them, and what the Internal
//! provider has of each. Rulings 10, 18 and 21.

use super::crypto as suite;
use super::curves::Secp521r1;
use super::{TlsOptions, Version};
use crate::error::{Code, Error, Result};
use rustls::crypto::ring::kx_group;
use rustls::crypto::{ActiveKeyExchange, SupportedKxGroup};
use rustls::{NamedGroup, ProtocolVersion, SignatureScheme, SupportedCipherSuite};

/// SSLEnabledProtocols. Either bit of a pair enables.
pub const SSL2: u32 = 0xC;
pub const SSL3: u32 = 0x30;
pub const TLS10: u32 = 0xC0;
pub const TLS11: u32 = 0x300;
pub const TLS12: u32 = 0xC00;
pub const TLS13: u32 = 0x3000;
pub const DEFAULT_PROTOCOLS: u32 = TLS10 | TLS11 | TLS12 | TLS13;

pub const DEFAULT_SUITES: &str = "*";
pub const DEFAULT_TLS12_GROUPS: &str = "ecdhe_secp256r1,ecdhe_secp384r1,ecdhe_secp521r1";
pub const DEFAULT_TLS13_GROUPS: &str = "ecdhe_x25519,ecdhe_x448,ecdhe_secp256r1,ecdhe_secp384r1,ecdhe_secp521r1,\
    ffdhe_2048,ffdhe_3072,ffdhe_4096,ffdhe_6144,ffdhe_8192";
pub const DEFAULT_TLS13_KEY_SHARES: &str = "ecdhe_x25519,ecdhe_secp256r1,ecdhe_secp384r1,ffdhe_2048,ffdhe_3072";
pub const DEFAULT_TLS12_SIGNATURES: &str = "sha512-ecdsa,sha512-rsa,sha512-dsa,sha384-ecdsa,sha384-rsa,sha384-dsa,\
    sha256-ecdsa,sha256-rsa,sha256-dsa,sha224-ecdsa,sha224-rsa,sha224-dsa,sha1-ecdsa,sha1-rsa,sha1-dsa";
pub const DEFAULT_TLS13_SIGNATURES: &str = "rsa_pss_sha256,rsa_pss_sha384,rsa_pss_sha512,rsa_pkcs1_sha256,\
    rsa_pkcs1_sha384,rsa_pkcs1_sha512,ecdsa_secp256r1_sha256,ecdsa_secp384r1_sha384,ecdsa_secp521r1_sha512,ed25519,ed448";

/// One suite and how the other spelling, by algorithm, selects it: cipher, hash, key exchange, signature.
struct Suite {
    name: &'static str,
    suite: &'static SupportedCipherSuite,
    bits: u32,
    version: Version,
    /// As SSLNegotiatedCipher shows it.
    shown: &'static str,
    cipher: &'static [&'static str],
    hash: &'static str,
    signature: &'static [&'static str],
}

const AES_128: &[&str] = &["CALG_AES", "CALG_AES_128"];
const AES_256: &[&str] = &["CALG_AES", "CALG_AES_256"];
const EXCHANGE: &str = "CALG_ECDH_EPHEM";
const ECDSA: &[&str] = &["CALG_ECDSA"];
const RSA: &[&str] = &["CALG_RSA_SIGN"];
/// In TLS 1.3 the suite leaves the signature open.
const ANY: &[&str] = &["CALG_ECDSA", "CALG_RSA_SIGN"];

const CIPHERS: &[&str] = &["CALG_AES", "CALG_AES_128", "CALG_AES_256"];
const HASHES: &[&str] = &["CALG_SHA_256", "CALG_SHA_384"];
const SIGNATURES: &[&str] = ANY;

macro_rules! suites {
    ($($name:literal $suite:ident $bits:literal $version:ident $shown:literal $cipher:expr, $hash:literal $signature:expr;)*) => {
        static SUITES: &[Suite] = &[$(Suite {
            name: $name, suite: &suite::$suite, bits: $bits, version: Version::$version,
            shown: $shown, cipher: $cipher, hash: $hash, signature: $signature,
        }),*];
    };
}

// In the order in which they are offered.
suites! {
    "TLS_AES_256_GCM_SHA384" TLS13_AES_256_GCM_SHA384 256 Tls13 "AES_256_GCM" AES_256, "CALG_SHA_384" ANY;
    "TLS_AES_128_GCM_SHA256" TLS13_AES_128_GCM_SHA256 128 Tls13 "AES_128_GCM" AES_128, "CALG_SHA_256" ANY;
    "TLS_CHACHA20_POLY1305_SHA256" TLS13_CHACHA20_POLY1305_SHA256 256 Tls13 "CHACHA20_POLY1305" &[], "CALG_SHA_256" ANY;
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384" TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 256 Tls12 "AES_256_GCM" AES_256, "CALG_SHA_384" ECDSA;
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256" TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 128 Tls12 "AES_128_GCM" AES_128, "CALG_SHA_256" ECDSA;
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256" TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256 256 Tls12 "CHACHA20_POLY1305" &[], "CALG_SHA_256" ECDSA;
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384" TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 256 Tls12 "AES_256_GCM" AES_256, "CALG_SHA_384" RSA;
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256" TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 128 Tls12 "AES_128_GCM" AES_128, "CALG_SHA_256" RSA;
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256" TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256 256 Tls12 "CHACHA20_POLY1305" &[], "CALG_SHA_256" RSA;
}

/// A group that is used in one version only.
#[derive(Debug)]
struct Scoped {
    group: fn() -> &'static dyn SupportedKxGroup,
    version: ProtocolVersion,
}

impl SupportedKxGroup for Scoped {
    fn start(&self) -> std::result::Result<Box<dyn ActiveKeyExchange>, rustls::Error> {
        (self.group)().start()
    }

    fn name(&self) -> NamedGroup {
        (self.group)().name()
    }

    fn usable_for_version(&self, version: ProtocolVersion) -> bool {
        version == self.version
    }
}

struct Group {
    name: &'static str,
    id: NamedGroup,
    both: fn() -> &'static dyn SupportedKxGroup,
    tls12: &'static Scoped,
    tls13: &'static Scoped,
}

macro_rules! group {
    ($name:literal, $id:ident, $group:expr) => {
        Group {
            name: $name,
            id: NamedGroup::$id,
            both: || $group,
            tls12: &Scoped { group: || $group, version: ProtocolVersion::TLSv1_2 },
            tls13: &Scoped { group: || $group, version: ProtocolVersion::TLSv1_3 },
        }
    };
}

static GROUPS: &[Group] = &[
    group!("ecdhe_x25519", X25519, kx_group::X25519),
    group!("ecdhe_secp256r1", secp256r1, kx_group::SECP256R1),
    group!("ecdhe_secp384r1", secp384r1, kx_group::SECP384R1),
    group!("ecdhe_secp521r1", secp521r1, &Secp521r1),
];

type Schemes = &'static [(&'static str, SignatureScheme)];

const TLS13_SIGNATURES: Schemes = &[
    ("rsa_pss_sha256", SignatureScheme::RSA_PSS_SHA256),
    ("rsa_pss_sha384", SignatureScheme::RSA_PSS_SHA384),
    ("rsa_pss_sha512", SignatureScheme::RSA_PSS_SHA512),
    ("rsa_pkcs1_sha256", SignatureScheme::RSA_PKCS1_SHA256),
    ("rsa_pkcs1_sha384", SignatureScheme::RSA_PKCS1_SHA384),
    ("rsa_pkcs1_sha512", SignatureScheme::RSA_PKCS1_SHA512),
    ("ecdsa_secp256r1_sha256", SignatureScheme::ECDSA_NISTP256_SHA256),
    ("ecdsa_secp384r1_sha384", SignatureScheme::ECDSA_NISTP384_SHA384),
    ("ecdsa_secp521r1_sha512", SignatureScheme::ECDSA_NISTP521_SHA512),
    ("ed25519", SignatureScheme::ED25519),
];

const TLS12_SIGNATURES: Schemes = &[
    ("sha512-ecdsa", SignatureScheme::ECDSA_NISTP521_SHA512),
    ("sha512-rsa", SignatureScheme::RSA_PKCS1_SHA512),
    ("sha384-ecdsa", SignatureScheme::ECDSA_NISTP384_SHA384),
    ("sha384-rsa", SignatureScheme::RSA_PKCS1_SHA384),
    ("sha256-ecdsa", SignatureScheme::ECDSA_NISTP256_SHA256),
    ("sha256-rsa", SignatureScheme::RSA_PKCS1_SHA256),
];

/// What TLS 1.2 knows beside the names of its setting: used when nothing is demanded.
const TLS12_WISHES: Schemes = TLS13_SIGNATURES;

/// The signatures that are allowed in one version.
#[derive(Debug, Clone, Default)]
pub(super) struct Signatures {
    pub schemes: Vec<SignatureScheme>,
    /// The caller named them, so that they bind the server's certificate too.
    pub demanded: bool,
}

/// Options in the provider's terms.
#[derive(Debug)]
pub(super) struct Shape {
    pub versions: Vec<Version>,
    pub suites: Vec<SupportedCipherSuite>,
    pub groups: Vec<&'static dyn SupportedKxGroup>,
    pub tls12: Signatures,
    pub tls13: Signatures,
}

impl Shape {
    /// Error 603 for a name this provider does not have. Lists may be empty: see [`Shape::usable`].
    pub(super) fn of(options: &TlsOptions) -> Result<Shape> {
        let mut suites = suites(options.suites.as_deref())?;
        let mut groups12 = groups("TLS12SupportedGroups", options.tls12_groups.as_deref(), DEFAULT_TLS12_GROUPS)?;
        let mut groups13 = groups("TLS13SupportedGroups", options.tls13_groups.as_deref(), DEFAULT_TLS13_GROUPS)?;
        let shares = groups("TLS13KeyShareGroups", options.tls13_key_shares.as_deref(), DEFAULT_TLS13_KEY_SHARES)?;
        let tls12 = signatures(
            "TLS12SignatureAlgorithms",
            options.tls12_signatures.as_deref(),
            DEFAULT_TLS12_SIGNATURES,
            TLS12_SIGNATURES,
            TLS12_WISHES,
        )?;
        let tls13 = signatures(
            "TLS13SignatureAlgorithms",
            options.tls13_signatures.as_deref(),
            DEFAULT_TLS13_SIGNATURES,
            TLS13_SIGNATURES,
            TLS13_SIGNATURES,
        )?;
        suites.retain(|suite| suite.bits >= options.min_strength && bits(suite.version) & options.protocols != 0);
        // A version without a suite of its own is not offered.
        let has = |version| suites.iter().any(|suite| suite.version == version);
        if !has(Version::Tls12) {
            groups12.clear();
        }
        if !has(Version::Tls13) {
            groups13.clear();
        }
        let mut versions = vec![Version::Tls13, Version::Tls12];
        versions.retain(|version| has(*version));
        let groups = joined(&groups12, groups13, &shares);
        Ok(Shape { versions, suites: suites.iter().map(|suite| *suite.suite).collect(), groups, tls12, tls13 })
    }

    /// Error 276 when the options leave nothing to offer.
    pub(super) fn usable(&self, options: &TlsOptions) -> Result<()> {
        let what = if options.protocols & (TLS12 | TLS13) == 0 {
            "SSLEnabledProtocols leaves no protocol version that the Internal provider has (TLS 1.2 and 1.3)"
        } else if self.suites.is_empty() {
            "SSLEnabledProtocols, SSLEnabledCipherSuites and SSLCipherStrength leave no cipher suite"
        } else {
            return Ok(());
        };
        Err(Error::new(Code::Handshake, what))
    }

    pub(super) fn signatures(&self, version: Version) -> &Signatures {
        if version == Version::Tls13 { &self.tls13 } else { &self.tls12 }
    }
}

/// Whether the Internal provider knows every name and something is left to offer.
pub(super) fn usable(options: &TlsOptions) -> Result<()> {
    Shape::of(options)?.usable(options)
}

/// The name, the cipher and the key size of a suite.
pub(super) fn describe(suite: SupportedCipherSuite) -> (&'static str, &'static str, u32) {
    let Some(found) = SUITES.iter().find(|known| known.suite.suite() == suite.suite()) else { return ("", "", 0) };
    (found.name, found.shown, found.bits)
}

/// The short name and the size in bits of a group.
pub(super) fn describe_group(group: NamedGroup) -> (&'static str, u32) {
    match group {
        NamedGroup::X25519 => ("x25519", 255),
        NamedGroup::secp256r1 => ("secp256r1", 256),
        NamedGroup::secp384r1 => ("secp384r1", 384),
        NamedGroup::secp521r1 => ("secp521r1", 521),
        _ => ("", 0),
    }
}

/// The parts of a list, which ';' or ',' or white space separates.
pub(super) fn entries(text: &str) -> Vec<&str> {
    text.split(|c: char| c == ';' || c == ',' || c.is_whitespace()).filter(|entry| !entry.is_empty()).collect()
}

pub(super) fn bits(version: Version) -> u32 {
    match version {
        Version::Tls10 => TLS10,
        Version::Tls11 => TLS11,
        Version::Tls12 => TLS12,
        Version::Tls13 => TLS13,
    }
}

pub(super) fn is_default(text: Option<&str>, default: &str) -> bool {
    text.is_none_or(|text| text == default || entries(text) == entries(default))
}

fn suites(text: Option<&str>) -> Result<Vec<&'static Suite>> {
    let Some(text) = text.filter(|text| !is_default(Some(text), DEFAULT_SUITES)) else {
        return Ok(SUITES.iter().collect());
    };
    let mut named: Vec<&Suite> = Vec::new();
    let mut algorithms: Vec<&str> = Vec::new();
    let known = || CIPHERS.iter().chain(HASHES).chain(SIGNATURES).chain([&EXCHANGE]);
    for entry in entries(text) {
        if let Some(found) = SUITES.iter().find(|suite| suite.name.eq_ignore_ascii_case(entry)) {
            named.push(found);
        } else if let Some(found) = known().find(|name| name.eq_ignore_ascii_case(entry)) {
            algorithms.push(found);
        } else {
            let has = SUITES.iter().map(|suite| suite.name).chain(known().copied());
            return Err(unknown("SSLEnabledCipherSuites", INTERNAL, entry, has.collect()));
        }
    }
    if named.is_empty() && algorithms.is_empty() {
        return Err(Error::new(Code::ValueRefused, "SSLEnabledCipherSuites names no cipher suite; all are \"*\""));
    }
    // Of each kind of algorithm that is named, a suite must have one.
    let meets = |kind: &[&str], has: &[&str]| {
        let mut wanted = algorithms.iter().filter(|name| kind.contains(*name)).peekable();
        wanted.peek().is_none() || wanted.any(|name| has.contains(name))
    };
    let selected = |suite: &Suite| {
        !algorithms.is_empty()
            && meets(CIPHERS, suite.cipher)
            && meets(HASHES, &[suite.hash])
            && meets(SIGNATURES, suite.signature)
    };
    Ok(SUITES.iter().filter(|suite| selected(suite) || named.iter().any(|named| named.name == suite.name)).collect())
}

fn groups(setting: &str, text: Option<&str>, default: &str) -> Result<Vec<&'static Group>> {
    let Some(text) = text.filter(|text| !is_default(Some(text), default)) else { return Ok(GROUPS.iter().collect()) };
    let mut list: Vec<&Group> = Vec::new();
    for entry in entries(text) {
        let Some(found) = GROUPS.iter().find(|group| group.name.eq_ignore_ascii_case(entry)) else {
            return Err(unknown(setting, INTERNAL, entry, GROUPS.iter().map(|group| group.name).collect()));
        };
        if !list.iter().any(|known| known.id == found.id) {
            list.push(found);
        }
    }
    if list.is_empty() && setting != "TLS13KeyShareGroups" {
        return Err(Error::new(Code::ValueRefused, format!("{setting} names no group")));
    }
    Ok(list)
}

/// One list of both versions' groups, in the order of TLS 1.3 with the first usable key share in front.
fn joined(tls12: &[&Group], mut tls13: Vec<&Group>, shares: &[&Group]) -> Vec<&'static dyn SupportedKxGroup> {
    let first = shares.iter().find_map(|share| tls13.iter().position(|group| group.id == share.id));
    if let Some(first) = first {
        tls13[..=first].rotate_right(1);
    }
    let within = |list: &[&Group], group: &Group| list.iter().any(|known| known.id == group.id);
    let mut all: Vec<&'static dyn SupportedKxGroup> = Vec::new();
    for group in &tls13 {
        all.push(if within(tls12, group) { (group.both)() } else { group.tls13 });
    }
    for group in tls12 {
        if !within(&tls13, group) {
            all.push(group.tls12);
        }
    }
    all
}

fn signatures(setting: &str, text: Option<&str>, default: &str, known: Schemes, wishes: Schemes) -> Result<Signatures> {
    let Some(text) = text.filter(|text| !is_default(Some(text), default)) else {
        return Ok(Signatures { schemes: wishes.iter().map(|(_, scheme)| *scheme).collect(), demanded: false });
    };
    let mut schemes = Vec::new();
    for entry in entries(text) {
        let Some((_, scheme)) = known.iter().find(|(name, _)| name.eq_ignore_ascii_case(entry)) else {
            return Err(unknown(setting, INTERNAL, entry, known.iter().map(|(name, _)| *name).collect()));
        };
        if !schemes.contains(scheme) {
            schemes.push(*scheme);
        }
    }
    if schemes.is_empty() {
        return Err(Error::new(
            Code::ValueRefused,
            format!("{setting} names no signature algorithm; the Internal provider always sends its list"),
        ));
    }
    Ok(Signatures { schemes, demanded: true })
}

/// Who has only some names.
const INTERNAL: &str = "the Internal provider";

/// Error 603 with the names there are.
#[cold]
pub(super) fn unknown(setting: &str, who: &str, entry: &str, has: Vec<&str>) -> Error {
    Error::new(Code::ValueRefused, format!("{setting}: {who} has no {entry:?}; it has {}", has.join(", ")))
}
