//! SCRAM-SHA-1, -256 and -512, plain and -PLUS: RFC 5802, RFC 7677, channel bindings RFC 5929 and RFC 9266. The server
//! proves that it knows the password too, and a success without that proof is none.

use crate::auth::{Channel, Credentials, Mechanism, Opening, SecretBytes, crypto, prepare, refused, shown, wrong};
use crate::error::Result;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::{digest, hmac, pbkdf2};
use std::num::NonZeroU32;
use zeroize::Zeroizing;

/// Fewer rounds than RFC 5802 section 5.1 and RFC 7677 section 4 ask servers for would let who plays the server find
/// the password quickly from our answer.
const LEAST_ROUNDS: u32 = 4_096;

/// A million rounds take about half a second, more than any server is known to ask for; the wait can't be interrupted.
const MOST_ROUNDS: u32 = 1_000_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hash {
    Sha1,
    Sha256,
    Sha512,
}

impl Hash {
    pub const fn name(self, bound: bool) -> &'static str {
        match (self, bound) {
            (Hash::Sha1, false) => "SCRAM-SHA-1",
            (Hash::Sha1, true) => "SCRAM-SHA-1-PLUS",
            (Hash::Sha256, false) => "SCRAM-SHA-256",
            (Hash::Sha256, true) => "SCRAM-SHA-256-PLUS",
            (Hash::Sha512, false) => "SCRAM-SHA-512",
            (Hash::Sha512, true) => "SCRAM-SHA-512-PLUS",
        }
    }

    fn digest(self) -> &'static digest::Algorithm {
        match self {
            Hash::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Hash::Sha256 => &digest::SHA256,
            Hash::Sha512 => &digest::SHA512,
        }
    }

    fn hmac(self) -> hmac::Algorithm {
        match self {
            Hash::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Hash::Sha256 => hmac::HMAC_SHA256,
            Hash::Sha512 => hmac::HMAC_SHA512,
        }
    }

    fn pbkdf2(self) -> pbkdf2::Algorithm {
        match self {
            Hash::Sha1 => pbkdf2::PBKDF2_HMAC_SHA1,
            Hash::Sha256 => pbkdf2::PBKDF2_HMAC_SHA256,
            Hash::Sha512 => pbkdf2::PBKDF2_HMAC_SHA512,
        }
    }

    fn mac(self, key: &[u8], text: &[u8]) -> hmac::Tag {
        hmac::sign(&hmac::Key::new(self.hmac(), key), text)
    }
}

/// How the login is tied to the TLS channel (the gs2 header of RFC 5802 section 6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Binding {
    /// `n`: not at all, by choice or for want of a channel.
    None,
    /// `y`: we could, the server does not offer it. A server that does then knows that somebody cut its offer.
    NotOffered,
    /// `p=`: by data of this kind.
    Bound(&'static str, Vec<u8>),
}

impl Binding {
    /// `bound`: a -PLUS mechanism was chosen. `server_binds`: the server offers one.
    pub fn of(channel: &Channel, bound: bool, server_binds: bool) -> Binding {
        match channel.binding() {
            Some((kind, data)) if bound => Binding::Bound(kind, data.to_vec()),
            Some(_) if !server_binds => Binding::NotOffered,
            // A server that binds takes `y` for an attack, so not wanting to bind is said as `n`.
            _ if bound => Binding::Bound("tls-exporter", Vec::new()),
            _ => Binding::None,
        }
    }
}

#[derive(Debug)]
enum State {
    Fresh,
    /// The client's first message is out; its bare form is part of what is signed.
    First {
        bare: String,
    },
    /// The proof is out; this is what the server has to answer.
    Proved {
        signature: SecretBytes,
    },
    Verified,
    Failed,
}

pub struct Scram {
    name: &'static str,
    hash: Hash,
    user: String,
    password: Zeroizing<String>,
    gs2: String,
    binding: Vec<u8>,
    nonce: String,
    state: State,
}

impl Scram {
    pub fn new(hash: Hash, credentials: &Credentials, binding: Binding) -> Result<Scram> {
        let nonce = base64_simd::STANDARD.encode_to_string(crypto::random::<24>()?);
        Scram::with_nonce(hash, credentials, binding, &nonce)
    }

    /// As [`Scram::new`], with the client's nonce given: printable ASCII without a comma.
    pub fn with_nonce(hash: Hash, credentials: &Credentials, binding: Binding, nonce: &str) -> Result<Scram> {
        let name = hash.name(matches!(binding, Binding::Bound(..)));
        let user = prepare::saslprep(name, "User", &credentials.user)?;
        if user.is_empty() {
            return Err(refused(name, "User is empty"));
        }
        let password = prepare::saslprep(name, "Password", credentials.password.expose())?;
        let identity = credentials.authorization_identity.expose();
        if identity.contains('\0') {
            return Err(refused(name, "AuthorizationIdentity has a NUL"));
        }
        let (flag, binding) = match binding {
            Binding::None => ("n".to_owned(), Vec::new()),
            Binding::NotOffered => ("y".to_owned(), Vec::new()),
            Binding::Bound(kind, data) if !data.is_empty() => (format!("p={kind}"), data),
            Binding::Bound(..) => return Err(refused(name, "there is no TLS channel to bind the login to")),
        };
        let gs2 = match identity {
            "" => format!("{flag},,"),
            identity => format!("{flag},a={},", sasl_name(identity)),
        };
        let (user, nonce) = (sasl_name(&user), nonce.to_owned());
        Ok(Scram { name, hash, user, password, gs2, binding, nonce, state: State::Fresh })
    }

    /// The answer to the server's first message: the proof.
    fn prove(&mut self, bare: &str, challenge: &[u8]) -> Result<SecretBytes> {
        let server = ServerFirst::parse(self.name, challenge)?;
        if server.nonce.len() <= self.nonce.len() || !server.nonce.starts_with(&self.nonce) {
            return Err(wrong(self.name, "the server's nonce does not continue ours"));
        }
        let mut salted = Zeroizing::new(vec![0; self.hash.digest().output_len()]);
        let password = std::mem::take(&mut self.password);
        pbkdf2::derive(self.hash.pbkdf2(), server.rounds, &server.salt, password.as_bytes(), &mut salted);

        let mut bound = self.gs2.clone().into_bytes();
        bound.extend_from_slice(&self.binding);
        let without_proof = format!("c={},r={}", base64_simd::STANDARD.encode_to_string(bound), server.nonce);
        let signed = format!("{bare},{},{without_proof}", server.text);

        let mut proof = Zeroizing::new(self.hash.mac(&salted, b"Client Key").as_ref().to_vec());
        let stored = digest::digest(self.hash.digest(), &proof);
        for (byte, mask) in proof.iter_mut().zip(self.hash.mac(stored.as_ref(), signed.as_bytes()).as_ref()) {
            *byte ^= mask;
        }
        let server_key = self.hash.mac(&salted, b"Server Key");
        let signature = self.hash.mac(server_key.as_ref(), signed.as_bytes());
        self.state = State::Proved { signature: SecretBytes::concat(&[signature.as_ref()]) };
        let proof = Zeroizing::new(base64_simd::STANDARD.encode_to_string(&proof[..]));
        Ok(SecretBytes::concat(&[without_proof.as_bytes(), b",p=", proof.as_bytes()]))
    }

    /// The server's final message: its proof, or why it refuses.
    fn verify(&mut self, signature: &[u8], challenge: &[u8]) -> Result<SecretBytes> {
        let first = challenge.split(|&b| b == b',').next().unwrap_or_default();
        if let Some(reason) = first.strip_prefix(b"e=") {
            return Err(wrong(self.name, &format!("the server says {}", shown(reason))));
        }
        let Some(verifier) = first.strip_prefix(b"v=") else {
            return Err(wrong(self.name, "the server does not prove that it knows the password"));
        };
        if !STANDARD.decode(verifier).is_ok_and(|v| crypto::same(&v, signature)) {
            return Err(wrong(self.name, "the server's proof that it knows the password is wrong"));
        }
        self.state = State::Verified;
        Ok(SecretBytes::default())
    }
}

impl std::fmt::Debug for Scram {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scram").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Mechanism for Scram {
    fn name(&self) -> &'static str {
        self.name
    }

    fn opening(&mut self) -> Result<Opening> {
        let bare = format!("n={},r={}", self.user, self.nonce);
        let message = SecretBytes::concat(&[self.gs2.as_bytes(), bare.as_bytes()]);
        self.state = State::First { bare };
        Ok(Opening::OnCommandLine(message))
    }

    fn step(&mut self, challenge: &[u8]) -> Result<SecretBytes> {
        match std::mem::replace(&mut self.state, State::Failed) {
            State::First { bare } => self.prove(&bare, challenge),
            State::Proved { signature } => self.verify(signature.expose(), challenge),
            State::Fresh | State::Verified | State::Failed => {
                Err(wrong(self.name, "the server's challenge is one too many"))
            }
        }
    }

    fn finished(&self) -> bool {
        matches!(self.state, State::Verified)
    }
}

/// A name as an attribute's value (saslname of RFC 5802 section 7).
pub(super) fn sasl_name(name: &str) -> String {
    name.replace('=', "=3D").replace(',', "=2C")
}

/// The server's first message: `r=…,s=…,i=…`, in this order; extensions may follow and are not ours to understand.
struct ServerFirst<'a> {
    text: &'a str,
    nonce: &'a str,
    salt: Vec<u8>,
    rounds: NonZeroU32,
}

impl<'a> ServerFirst<'a> {
    fn parse(name: &str, challenge: &'a [u8]) -> Result<ServerFirst<'a>> {
        let malformed = || wrong(name, "the server's first message is malformed");
        let text = std::str::from_utf8(challenge).map_err(|_| malformed())?;
        let mut attributes = text.split(',');
        let mut value = |key: &str| attributes.next().and_then(|a| a.strip_prefix(key)).ok_or_else(malformed);
        if text.split(',').any(|a| a.starts_with("m=")) {
            return Err(wrong(name, "the server demands an extension that is not known"));
        }
        if let Some(reason) = text.strip_prefix("e=") {
            return Err(wrong(name, &format!("the server says {}", shown(reason.as_bytes()))));
        }
        let nonce = value("r=")?;
        let salt = STANDARD.decode(value("s=")?).map_err(|_| malformed())?;
        let rounds = value("i=")?;
        if nonce.bytes().any(|b| !b.is_ascii_graphic()) {
            return Err(malformed());
        }
        if salt.is_empty() {
            return Err(wrong(name, "the server's salt is empty"));
        }
        if rounds.is_empty() || rounds.bytes().any(|b| !b.is_ascii_digit()) {
            return Err(malformed());
        }
        let rounds = rounds.parse().unwrap_or(u32::MAX);
        if !(LEAST_ROUNDS..=MOST_ROUNDS).contains(&rounds) {
            let bounds = format!("the server's iteration count is not between {LEAST_ROUNDS} and {MOST_ROUNDS}");
            return Err(wrong(name, &bounds));
        }
        let rounds = NonZeroU32::new(rounds).ok_or_else(malformed)?;
        Ok(ServerFirst { text, nonce, salt, rounds })
    }
}

#[cfg(test)]
mod tests;
