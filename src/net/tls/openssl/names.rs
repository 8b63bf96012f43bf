//! What the library at hand has of suites, groups and signatures, under the names that settings spell them with.

use super::foreign::{Cipher, Context};
use crate::error::{Code, Error, Result};
use crate::net::tls::Version;
use crate::net::tls::names::unknown;
use std::sync::OnceLock;

/// Who has only some names.
const HERE: &str = "this system's OpenSSL";

/// Numbers of objects (NID), as the library tells a signature's hash and kind of key.
const SHA1: i32 = 64;
const SHA224: i32 = 675;
const SHA256: i32 = 672;
const SHA384: i32 = 673;
const SHA512: i32 = 674;
const RSA: i32 = 6;
const PSS: i32 = 912;
const DSA: i32 = 116;
const EC: i32 = 408;
const ED25519: i32 = 1087;
const ED448: i32 = 1088;

/// A group of the key exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group {
    pub name: &'static str,
    /// For the library.
    pub openssl: &'static str,
    /// As SSLNegotiatedKeyExchange shows it.
    pub shown: &'static str,
    /// TLS 1.2 knows it too.
    pub curve: bool,
}

const fn group(name: &'static str, openssl: &'static str, shown: &'static str, curve: bool) -> Group {
    Group { name, openssl, shown, curve }
}

static GROUPS: [Group; 11] = [
    group("ecdhe_x25519", "X25519", "x25519", true),
    group("ecdhe_x448", "X448", "x448", true),
    group("ecdhe_secp256r1", "P-256", "secp256r1", true),
    group("ecdhe_secp384r1", "P-384", "secp384r1", true),
    group("ecdhe_secp521r1", "P-521", "secp521r1", true),
    group("ffdhe_2048", "ffdhe2048", "ffdhe2048", false),
    group("ffdhe_3072", "ffdhe3072", "ffdhe3072", false),
    group("ffdhe_4096", "ffdhe4096", "ffdhe4096", false),
    group("ffdhe_6144", "ffdhe6144", "ffdhe6144", false),
    group("ffdhe_8192", "ffdhe8192", "ffdhe8192", false),
    // Hybrid with ML-KEM, from OpenSSL 3.5 on; offered where it is named.
    group("x25519mlkem768", "X25519MLKEM768", "x25519mlkem768", false),
];

/// A signature algorithm under the name of one version's setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signature {
    pub name: &'static str,
    /// For the library; PSS has one for each kind of RSA key.
    pub openssl: &'static [&'static str],
    /// The code point of TLS.
    pub code: u16,
    /// Hash and kind of key, as the library tells them.
    pub told: (i32, i32),
}

macro_rules! signatures {
    ($table:ident: $($name:literal [$($openssl:literal)*] $code:literal $hash:expr, $key:expr;)*) => {
        static $table: &[Signature] = &[$(Signature {
            name: $name, openssl: &[$($openssl),*], code: $code, told: ($hash, $key),
        }),*];
    };
}

signatures! { TLS13:
    "rsa_pss_sha256" ["rsa_pss_rsae_sha256" "rsa_pss_pss_sha256"] 0x0804 SHA256, PSS;
    "rsa_pss_sha384" ["rsa_pss_rsae_sha384" "rsa_pss_pss_sha384"] 0x0805 SHA384, PSS;
    "rsa_pss_sha512" ["rsa_pss_rsae_sha512" "rsa_pss_pss_sha512"] 0x0806 SHA512, PSS;
    "rsa_pkcs1_sha256" ["rsa_pkcs1_sha256"] 0x0401 SHA256, RSA;
    "rsa_pkcs1_sha384" ["rsa_pkcs1_sha384"] 0x0501 SHA384, RSA;
    "rsa_pkcs1_sha512" ["rsa_pkcs1_sha512"] 0x0601 SHA512, RSA;
    "ecdsa_secp256r1_sha256" ["ecdsa_secp256r1_sha256"] 0x0403 SHA256, EC;
    "ecdsa_secp384r1_sha384" ["ecdsa_secp384r1_sha384"] 0x0503 SHA384, EC;
    "ecdsa_secp521r1_sha512" ["ecdsa_secp521r1_sha512"] 0x0603 SHA512, EC;
    "ed25519" ["ed25519"] 0x0807 0, ED25519;
    "ed448" ["ed448"] 0x0808 0, ED448;
}

signatures! { TLS12:
    "sha512-ecdsa" ["ecdsa_secp521r1_sha512"] 0x0603 SHA512, EC;
    "sha512-rsa" ["rsa_pkcs1_sha512"] 0x0601 SHA512, RSA;
    "sha512-dsa" ["DSA+SHA512"] 0x0602 SHA512, DSA;
    "sha384-ecdsa" ["ecdsa_secp384r1_sha384"] 0x0503 SHA384, EC;
    "sha384-rsa" ["rsa_pkcs1_sha384"] 0x0501 SHA384, RSA;
    "sha384-dsa" ["DSA+SHA384"] 0x0502 SHA384, DSA;
    "sha256-ecdsa" ["ecdsa_secp256r1_sha256"] 0x0403 SHA256, EC;
    "sha256-rsa" ["rsa_pkcs1_sha256"] 0x0401 SHA256, RSA;
    "sha256-dsa" ["DSA+SHA256"] 0x0402 SHA256, DSA;
    "sha224-ecdsa" ["ECDSA+SHA224"] 0x0303 SHA224, EC;
    "sha224-rsa" ["RSA+SHA224"] 0x0301 SHA224, RSA;
    "sha224-dsa" ["DSA+SHA224"] 0x0302 SHA224, DSA;
    "sha1-ecdsa" ["ecdsa_sha1"] 0x0203 SHA1, EC;
    "sha1-rsa" ["rsa_pkcs1_sha1"] 0x0201 SHA1, RSA;
    "sha1-dsa" ["DSA+SHA1"] 0x0202 SHA1, DSA;
}

/// What this system's library has.
#[derive(Debug)]
pub struct Available {
    /// Every suite that a certificate authenticates, in the library's order.
    pub ciphers: Vec<Cipher>,
    pub groups: Vec<Group>,
    pub tls12: Vec<Signature>,
    pub tls13: Vec<Signature>,
}

/// Found out once. Error 270.
pub fn available() -> Result<&'static Available> {
    static FOUND: OnceLock<Available> = OnceLock::new();
    if let Some(found) = FOUND.get() {
        return Ok(found);
    }
    let mut context = Context::new()?;
    // Which of them a connection may use is decided later; here no level hides any.
    context.cipher_list("ALL:COMPLEMENTOFALL:@SECLEVEL=0").map_err(|reason| {
        Error::new(Code::SecurityLibrary, format!("OpenSSL does not tell its cipher suites: {}", reason.text))
    })?;
    let ciphers = context.ciphers().into_iter().filter(has_certificate).collect();
    let groups = GROUPS.iter().filter(|group| context.groups(group.openssl).is_ok()).copied().collect();
    let mut known = |table: &[Signature]| -> Vec<Signature> {
        let has = |signature: &&Signature| context.signatures(signature.openssl[0]).is_ok();
        table.iter().filter(has).copied().collect()
    };
    let (tls12, tls13) = (known(TLS12), known(TLS13));
    Ok(FOUND.get_or_init(|| Available { ciphers, groups, tls12, tls13 }))
}

/// Suites without a certificate, or without a cipher, would pass by the one who is to judge.
pub fn has_certificate(cipher: &Cipher) -> bool {
    !["_anon_", "_ANON_", "PSK", "SRP", "_NULL_", "KRB5", "GOST"].iter().any(|part| cipher.standard.contains(part))
        && cipher.bits > 0
}

/// The version that a suite belongs to: those of TLS 1.2 and older, or that of 1.3.
pub fn is_tls13(cipher: &Cipher) -> bool {
    cipher.since == "TLSv1.3"
}

/// Whether this version can use the suite.
pub fn serves(cipher: &Cipher, version: Version) -> bool {
    match cipher.since.as_str() {
        "TLSv1.3" => version == Version::Tls13,
        "TLSv1.2" => version == Version::Tls12,
        _ => version < Version::Tls13,
    }
}

/// The algorithms of SSLEnabledCipherSuites, by kind; of each kind that is named, a suite must have one.
const KINDS: [&[&str]; 4] = [
    &["CALG_AES", "CALG_AES_128", "CALG_AES_256", "CALG_3DES", "CALG_DES", "CALG_RC4"],
    &["CALG_MD5", "CALG_SHA", "CALG_SHA1", "CALG_SHA_256", "CALG_SHA_384"],
    &["CALG_RSA_KEYX", "CALG_DH_EPHEM", "CALG_ECDH_EPHEM"],
    &["CALG_RSA_SIGN", "CALG_DSS_SIGN", "CALG_ECDSA"],
];

/// Whether a suite, by its IANA name, has an algorithm.
fn has(suite: &str, algorithm: &str) -> bool {
    let (exchange, cipher) = suite.split_once("_WITH_").unwrap_or(("", suite));
    // A suite of TLS 1.3 leaves the key exchange and the signature open.
    let open = exchange.is_empty();
    match algorithm {
        "CALG_AES" => cipher.contains("AES_"),
        "CALG_AES_128" => cipher.contains("AES_128_"),
        "CALG_AES_256" => cipher.contains("AES_256_"),
        "CALG_3DES" => cipher.contains("3DES_"),
        "CALG_DES" => cipher.starts_with("DES_"),
        "CALG_RC4" => cipher.starts_with("RC4_"),
        "CALG_MD5" => cipher.ends_with("_MD5"),
        "CALG_SHA" | "CALG_SHA1" => cipher.ends_with("_SHA"),
        // CCM names no hash and has this one.
        "CALG_SHA_256" => cipher.ends_with("_SHA256") || cipher.contains("_CCM"),
        "CALG_SHA_384" => cipher.ends_with("_SHA384"),
        "CALG_RSA_KEYX" => exchange == "TLS_RSA",
        "CALG_DH_EPHEM" => exchange.starts_with("TLS_DHE_"),
        "CALG_ECDH_EPHEM" => open || exchange.starts_with("TLS_ECDHE_"),
        "CALG_RSA_SIGN" => open || exchange.ends_with("HE_RSA"),
        "CALG_DSS_SIGN" => exchange.ends_with("_DSS"),
        "CALG_ECDSA" => open || exchange.ends_with("_ECDSA"),
        _ => false,
    }
}

/// The suites that a list names, by either name or by algorithm. Error 603 with the names there are.
pub fn suites(entries: &[&str], available: &Available) -> Result<Vec<Cipher>> {
    let mut named: Vec<&Cipher> = Vec::new();
    let mut algorithms: Vec<&str> = Vec::new();
    let selects = |algorithm: &str| available.ciphers.iter().any(|suite| has(&suite.standard, algorithm));
    let known: Vec<&str> = KINDS.concat().into_iter().filter(|algorithm| selects(algorithm)).collect();
    for entry in entries {
        let same = |name: &str| name.eq_ignore_ascii_case(entry);
        if let Some(found) = available.ciphers.iter().find(|suite| same(&suite.standard) || same(&suite.name)) {
            named.push(found);
        } else if let Some(found) = known.iter().find(|name| same(name)) {
            algorithms.push(found);
        } else {
            let has = available.ciphers.iter().map(|suite| suite.standard.as_str()).chain(known.iter().copied());
            return Err(unknown("SSLEnabledCipherSuites", HERE, entry, has.collect()));
        }
    }
    if named.is_empty() && algorithms.is_empty() {
        return Err(Error::new(Code::ValueRefused, "SSLEnabledCipherSuites names no cipher suite; all are \"*\""));
    }
    let meets = |suite: &str, kind: &[&str]| {
        let mut wanted = algorithms.iter().filter(|name| kind.contains(*name)).peekable();
        wanted.peek().is_none() || wanted.any(|name| has(suite, name))
    };
    let selected = |suite: &Cipher| !algorithms.is_empty() && KINDS.iter().all(|kind| meets(&suite.standard, kind));
    let all = available.ciphers.iter();
    Ok(all.filter(|suite| selected(suite) || named.iter().any(|named| named == suite)).cloned().collect())
}

/// The rows of a table that a list names. Error 603 with the names there are.
pub fn rows<T: Copy + PartialEq>(
    setting: &str,
    entries: &[&str],
    table: &[T],
    name: fn(&T) -> &'static str,
) -> Result<Vec<T>> {
    let mut list: Vec<T> = Vec::new();
    for entry in entries {
        let Some(&found) = table.iter().find(|row| name(row).eq_ignore_ascii_case(entry)) else {
            return Err(unknown(setting, HERE, entry, table.iter().map(name).collect()));
        };
        if !list.contains(&found) {
            list.push(found);
        }
    }
    Ok(list)
}
