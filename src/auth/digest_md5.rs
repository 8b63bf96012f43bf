//! DIGEST-MD5: RFC 2831, without the layers after the login (`qop=auth` only). The server proves that it knows the
//! password by `rspauth`, and a success without it is none.

use crate::auth::{Credentials, Mechanism, Opening, SecretBytes, crypto, refused, wrong};
use crate::error::Result;
use crate::text::line::has_crlf_nul;
use crate::text::mask::Secret;

const NAME: &str = "DIGEST-MD5";

/// We log in once with a nonce.
const COUNT: &[u8] = b"00000001";

#[derive(Debug)]
enum State {
    WantsChallenge,
    /// The response is out; this is what the server has to answer.
    WantsProof(SecretBytes),
    Verified,
    Failed,
}

#[derive(Debug)]
pub struct DigestMd5 {
    user: String,
    password: Secret,
    identity: Secret,
    host: String,
    uri: String,
    cnonce: String,
    state: State,
}

impl DigestMd5 {
    pub fn new(credentials: &Credentials, host: &str) -> Result<DigestMd5> {
        DigestMd5::with_nonce(credentials, "smtp", host, &crypto::hex(&crypto::random::<16>()?))
    }

    /// As [`DigestMd5::new`], with the service and the client's nonce given.
    pub fn with_nonce(credentials: &Credentials, service: &str, host: &str, cnonce: &str) -> Result<DigestMd5> {
        if credentials.user.is_empty() {
            return Err(refused(NAME, "User is empty"));
        }
        for (what, text) in
            [("User", &credentials.user[..]), ("AuthorizationIdentity", credentials.authorization_identity.expose())]
        {
            if has_crlf_nul(text) {
                return Err(refused(NAME, &format!("{what} has a CR, LF or NUL")));
            }
        }
        Ok(DigestMd5 {
            user: credentials.user.clone(),
            password: credentials.password.clone(),
            identity: credentials.authorization_identity.clone(),
            host: host.to_owned(),
            uri: format!("{service}/{host}"),
            cnonce: cnonce.to_owned(),
            state: State::WantsChallenge,
        })
    }

    fn respond(&mut self, challenge: &[u8]) -> Result<SecretBytes> {
        let challenge = Challenge::parse(challenge)?;
        let (user, realm) = challenge.identity(&self.user, &self.host);
        let password = std::mem::take(&mut self.password);
        let identity = self.identity.expose().as_bytes();

        let hashed_user = challenge.hashed("User", user)?;
        let hashed_password = challenge.hashed("Password", password.expose())?;
        let hashed_realm = challenge.hashed_bytes(realm.unwrap_or_default());
        let secret = SecretBytes::concat(&[&crypto::md5(&[
            hashed_user.expose(),
            b":",
            hashed_realm.expose(),
            b":",
            hashed_password.expose(),
        ])]);
        let (nonce, cnonce) = (&challenge.nonce[..], self.cnonce.as_bytes());
        let mut a1 = vec![secret.expose(), b":", nonce, b":", cnonce];
        if !identity.is_empty() {
            a1.extend([&b":"[..], identity]);
        }
        let key = SecretBytes::concat(&[crypto::hex(&crypto::md5(&a1)).as_bytes()]);
        // Section 2.1.2.1, and 2.1.3 for the server's, whose A2 has no method.
        let digest = |method: &[u8]| {
            let a2 = crypto::hex(&crypto::md5(&[method, b":", self.uri.as_bytes()]));
            let parts = [key.expose(), b":", nonce, b":", COUNT, b":", cnonce, b":auth:", a2.as_bytes()];
            crypto::hex(&crypto::md5(&parts))
        };
        let response = digest(b"AUTHENTICATE");
        self.state = State::WantsProof(SecretBytes::concat(&[digest(b"").as_bytes()]));

        let sent_user = if challenge.utf8 { user.as_bytes() } else { hashed_user.expose() };
        let mut message = Vec::new();
        if challenge.utf8 {
            message.extend_from_slice(b"charset=utf-8,");
        }
        directive(&mut message, "username", sent_user);
        if let Some(realm) = realm {
            directive(&mut message, "realm", realm);
        }
        directive(&mut message, "nonce", nonce);
        message.extend([b"nc=", COUNT, b","].concat());
        directive(&mut message, "cnonce", cnonce);
        directive(&mut message, "digest-uri", self.uri.as_bytes());
        message.extend_from_slice(format!("response={response},qop=auth").as_bytes());
        if !identity.is_empty() {
            message.push(b',');
            directive(&mut message, "authzid", identity);
            message.pop();
        }
        Ok(SecretBytes::concat(&[&message]))
    }

    fn verify(&mut self, proof: &[u8], challenge: &[u8]) -> Result<SecretBytes> {
        let directives = directives(challenge)?;
        let Some((_, found)) = directives.iter().find(|(name, _)| name == "rspauth") else {
            return Err(wrong(NAME, "the server does not prove that it knows the password"));
        };
        if !crypto::same(&found.to_ascii_lowercase(), proof) {
            return Err(wrong(NAME, "the server's proof that it knows the password is wrong"));
        }
        self.state = State::Verified;
        Ok(SecretBytes::default())
    }
}

impl Mechanism for DigestMd5 {
    fn name(&self) -> &'static str {
        NAME
    }

    fn opening(&mut self) -> Result<Opening> {
        Ok(Opening::ServerFirst)
    }

    fn step(&mut self, challenge: &[u8]) -> Result<SecretBytes> {
        match std::mem::replace(&mut self.state, State::Failed) {
            State::WantsChallenge => self.respond(challenge),
            State::WantsProof(proof) => self.verify(proof.expose(), challenge),
            State::Verified | State::Failed => Err(wrong(NAME, "the server's challenge is one too many")),
        }
    }

    fn finished(&self) -> bool {
        matches!(self.state, State::Verified)
    }
}

/// `name="value",`
fn directive(message: &mut Vec<u8>, name: &str, value: &[u8]) {
    message.extend_from_slice(name.as_bytes());
    message.extend_from_slice(b"=\"");
    for &byte in value {
        if matches!(byte, b'"' | b'\\') {
            message.push(b'\\');
        }
        message.push(byte);
    }
    message.extend_from_slice(b"\",");
}

/// The text in ISO 8859-1, where it has all the characters.
fn latin1(text: &str) -> Option<SecretBytes> {
    let bytes: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
    bytes.map(|bytes| SecretBytes(zeroize::Zeroizing::new(bytes)))
}

/// The server's first message (section 2.1.1).
struct Challenge {
    realms: Vec<Vec<u8>>,
    nonce: Vec<u8>,
    utf8: bool,
}

impl Challenge {
    fn parse(text: &[u8]) -> Result<Challenge> {
        let mut challenge = Challenge { realms: Vec::new(), nonce: Vec::new(), utf8: false };
        let (mut algorithm, mut qop) = (None, None);
        for (name, value) in directives(text)? {
            match name.as_str() {
                "realm" => challenge.realms.push(value),
                "nonce" if challenge.nonce.is_empty() => challenge.nonce = value,
                "algorithm" if algorithm.is_none() => algorithm = Some(value),
                "qop" if qop.is_none() => qop = Some(value),
                "charset" if !challenge.utf8 && value.eq_ignore_ascii_case(b"utf-8") => challenge.utf8 = true,
                "nonce" | "algorithm" | "qop" | "charset" => {
                    return Err(wrong(NAME, &format!("the server's challenge has a wrong or second {name}")));
                }
                _ => {}
            }
        }
        if challenge.nonce.is_empty() {
            return Err(wrong(NAME, "the server's challenge has no nonce"));
        }
        if !algorithm.is_some_and(|a| a.eq_ignore_ascii_case(b"md5-sess")) {
            return Err(wrong(NAME, "the server's algorithm is not md5-sess"));
        }
        // None means "auth" (section 2.1.1).
        let has_auth = |list: Vec<u8>| list.split(|&b| b == b',').any(|q| q.trim_ascii().eq_ignore_ascii_case(b"auth"));
        if !qop.is_none_or(has_auth) {
            return Err(wrong(NAME, "the server demands a security layer (qop)"));
        }
        Ok(challenge)
    }

    /// User and realm for this login. A user written `user@realm` chooses among the realms that are offered; else it is
    /// the one that is named as the host, or the first.
    fn identity<'a>(&'a self, user: &'a str, host: &str) -> (&'a str, Option<&'a [u8]>) {
        let find = |name: &str| self.realms.iter().find(|r| r.eq_ignore_ascii_case(name.as_bytes()));
        if let Some((local, suffix)) = user.rsplit_once('@')
            && let Some(realm) = find(suffix).filter(|_| !local.is_empty())
        {
            return (local, Some(realm));
        }
        (user, find(host).or(self.realms.first()).map(Vec::as_slice))
    }

    /// The text as it is hashed: ISO 8859-1 where that is possible, else UTF-8 if the server knows it (section
    /// 2.1.2.1).
    fn hashed(&self, what: &str, text: &str) -> Result<SecretBytes> {
        match latin1(text) {
            Some(bytes) => Ok(bytes),
            None if self.utf8 => Ok(SecretBytes::concat(&[text.as_bytes()])),
            None => Err(refused(NAME, &format!("the server knows only ISO 8859-1, which lacks characters of {what}"))),
        }
    }

    fn hashed_bytes(&self, value: &[u8]) -> SecretBytes {
        let text = if self.utf8 { std::str::from_utf8(value).ok() } else { None };
        text.and_then(latin1).unwrap_or_else(|| SecretBytes::concat(&[value]))
    }
}

/// The directives of a challenge, names in lower case, values without their quotes (section 7.1).
fn directives(text: &[u8]) -> Result<Vec<(String, Vec<u8>)>> {
    let malformed = || wrong(NAME, "the server's challenge is malformed");
    let mut all = Vec::new();
    let mut rest = text.trim_ascii();
    while !rest.is_empty() {
        if let Some(more) = rest.strip_prefix(b",") {
            rest = more.trim_ascii_start();
            continue;
        }
        let equals = rest.iter().position(|&b| b == b'=').ok_or_else(malformed)?;
        let name = rest[..equals].trim_ascii();
        if name.is_empty() || !name.iter().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(b)) {
            return Err(malformed());
        }
        let (value, more) = value(rest[equals + 1..].trim_ascii_start()).ok_or_else(malformed)?;
        rest = more.trim_ascii_start();
        if !rest.is_empty() && !rest.starts_with(b",") {
            return Err(malformed());
        }
        all.push((String::from_utf8_lossy(name).to_ascii_lowercase(), value));
    }
    Ok(all)
}

/// A value, quoted or not, and what follows it.
fn value(text: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let Some(quoted) = text.strip_prefix(b"\"") else {
        let end = text.iter().position(|&b| b == b',').unwrap_or(text.len());
        return Some((text[..end].trim_ascii_end().to_vec(), &text[end..]));
    };
    let (mut value, mut bytes) = (Vec::new(), quoted.iter().enumerate());
    while let Some((at, &byte)) = bytes.next() {
        match byte {
            b'"' => return Some((value, &quoted[at + 1..])),
            b'\\' => value.push(*bytes.next()?.1),
            byte => value.push(byte),
        }
    }
    None
}

#[cfg(test)]
mod tests;
