//! NTLM: MS-NLMP, as MS-SMTPNTLM carries it. Version 1 with or without extended session security, or version 2 with
//! message integrity code and channel binding. Neither signing nor sealing follows, so no session key is exchanged.

mod challenge;
mod response;

use crate::auth::{Credentials, Mechanism, Opening, Peer, SecretBytes, crypto, refused, wrong};
use crate::error::Result;
use crate::text::mask::Secret;
use challenge::{Challenge, TargetInfo};
use response::Keys;
use std::time::{SystemTime, UNIX_EPOCH};

const NAME: &str = "NTLM";

const SIGNATURE: &[u8; 8] = b"NTLMSSP\0";

/// NegotiateFlags (MS-NLMP section 2.2.2.5).
mod flag {
    pub const UNICODE: u32 = 0x0000_0001;
    pub const OEM: u32 = 0x0000_0002;
    pub const REQUEST_TARGET: u32 = 0x0000_0004;
    pub const NTLM: u32 = 0x0000_0200;
    pub const ALWAYS_SIGN: u32 = 0x0000_8000;
    pub const EXTENDED_SESSION_SECURITY: u32 = 0x0008_0000;
    pub const TARGET_INFO: u32 = 0x0080_0000;
    pub const VERSION: u32 = 0x0200_0000;
    pub const KEY_128: u32 = 0x2000_0000;
    pub const KEY_56: u32 = 0x8000_0000;

    /// What we offer.
    pub const OURS: u32 = UNICODE
        | OEM
        | REQUEST_TARGET
        | NTLM
        | ALWAYS_SIGN
        | EXTENDED_SESSION_SECURITY
        | TARGET_INFO
        | VERSION
        | KEY_128
        | KEY_56;
}

/// VERSION (section 2.2.2.10): the place of the integrity code is fixed only behind it. Its revision 15 is the one
/// there is.
const VERSION: [u8; 8] = [10, 0, 0, 0, 0, 0, 0, 15];

/// Where the integrity code of an AUTHENTICATE message stands, and where its payload begins.
const MIC_AT: usize = 72;
const PAYLOAD_AT: usize = 88;

#[derive(Debug)]
enum State {
    Fresh,
    Negotiated { message: Vec<u8> },
    Done,
    Failed,
}

/// What makes an exchange differ from any other.
#[derive(Debug, Clone, Copy)]
pub struct Fresh {
    pub client_challenge: [u8; 8],
    /// 100 ns since 1601, for a server that doesn't give its own time.
    pub time: u64,
}

impl Fresh {
    fn new() -> Result<Fresh> {
        /// Seconds from 1601 to 1970.
        const EPOCH: u64 = 11_644_473_600;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let time = (now.as_secs() + EPOCH) * 10_000_000 + u64::from(now.subsec_nanos() / 100);
        Ok(Fresh { client_challenge: crypto::random()?, time })
    }
}

#[derive(Debug)]
pub struct Ntlm {
    user: String,
    domain: String,
    password: Secret,
    workstation: String,
    /// The name of the service as Windows knows it; part of what version 2 signs.
    target: String,
    /// MD5 of the channel binding, zero without one.
    channel: [u8; 16],
    v2: bool,
    fresh: Fresh,
    state: State,
}

impl Ntlm {
    pub fn new(credentials: &Credentials, peer: &Peer, v2: bool) -> Result<Ntlm> {
        Ntlm::with_fresh(credentials, peer, v2, Fresh::new()?)
    }

    /// As [`Ntlm::new`], with the client's challenge and time given.
    pub fn with_fresh(credentials: &Credentials, peer: &Peer, v2: bool, fresh: Fresh) -> Result<Ntlm> {
        let end_point = peer.channel.end_point.as_deref().filter(|_| peer.channel.tls);
        let service = format!("SMTPSVC/{}", peer.host);
        Ntlm::build(credentials, service, &peer.workstation, end_point, v2, fresh)
    }

    /// For any service, as Windows writes its name: `HTTP/proxy.example`. `end_point` is the hash of the certificate where
    /// there is TLS.
    pub fn for_service(
        credentials: &Credentials,
        service: &str,
        workstation: &str,
        end_point: Option<&[u8]>,
        v2: bool,
    ) -> Result<Ntlm> {
        Ntlm::build(credentials, service.to_owned(), workstation, end_point, v2, Fresh::new()?)
    }

    fn build(
        credentials: &Credentials,
        target: String,
        workstation: &str,
        end_point: Option<&[u8]>,
        v2: bool,
        fresh: Fresh,
    ) -> Result<Ntlm> {
        // `user@domain` goes whole, with no domain: the server's directory knows what it means.
        let (domain, user) = credentials.user.split_once('\\').unwrap_or(("", &credentials.user));
        if user.is_empty() {
            return Err(refused(NAME, "User is empty"));
        }
        Ok(Ntlm {
            user: user.to_owned(),
            domain: domain.to_owned(),
            password: credentials.password.clone(),
            workstation: workstation.to_owned(),
            target,
            channel: end_point.map(response::channel_binding).unwrap_or_default(),
            v2,
            fresh,
            state: State::Fresh,
        })
    }

    fn authenticate(&mut self, negotiate: &[u8], challenge_message: &[u8]) -> Result<SecretBytes> {
        let challenge = Challenge::parse(challenge_message)?;
        let password = std::mem::take(&mut self.password);
        let keys = Keys::new(password.expose());
        if !self.v2 {
            let extended = challenge.flags & flag::EXTENDED_SESSION_SECURITY != 0;
            let (lm, nt) = keys.v1(challenge.nonce, extended.then_some(self.fresh.client_challenge));
            return Ok(SecretBytes::concat(&[&self.message(challenge.flags, &lm, &nt)?]));
        }
        let mut info = TargetInfo::parse(challenge.target_info)?;
        let server_time = info.time();
        if !info.is_empty() {
            info.bind(&self.channel, &self.target, server_time.is_some());
        }
        let time = server_time.unwrap_or(self.fresh.time);
        let v2 = keys.v2(&self.user, &self.domain, challenge.nonce, self.fresh.client_challenge, time, &info.encode());
        // Section 3.1.5.1.2: a server that gives its time gets the integrity code, and no LM response.
        let lm = if server_time.is_some() { [0; 24] } else { v2.lm };
        let mut message = self.message(challenge.flags, &lm, v2.nt.expose())?;
        if server_time.is_some() {
            let mic = crypto::hmac_md5(v2.session_key.expose(), &[negotiate, challenge_message, &message]);
            message[MIC_AT..PAYLOAD_AT].copy_from_slice(&mic);
        }
        Ok(SecretBytes::concat(&[&message]))
    }

    /// AUTHENTICATE_MESSAGE (section 2.2.1.3), the integrity code zero.
    fn message(&self, flags: u32, lm: &[u8], nt: &[u8]) -> Result<Vec<u8>> {
        let mut message = Vec::with_capacity(PAYLOAD_AT + 1024);
        let mut payload = Vec::with_capacity(1024);
        message.extend_from_slice(SIGNATURE);
        message.extend_from_slice(&3u32.to_le_bytes());
        let unicode = flags & flag::UNICODE != 0;
        let (domain, user) = (encoded("User", &self.domain, unicode)?, encoded("User", &self.user, unicode)?);
        // Ours, not the caller's: what an old server can't spell it needn't know.
        let workstation = encoded("the workstation", &self.workstation, unicode).unwrap_or_default();
        for field in [lm, nt, &domain, &user, &workstation, &[]] {
            let too_long = || refused(NAME, "User is too long, or what the server sent");
            let length = u16::try_from(field.len()).map_err(|_| too_long())?.to_le_bytes();
            let offset = u32::try_from(PAYLOAD_AT + payload.len()).map_err(|_| too_long())?;
            message.extend_from_slice(&length);
            message.extend_from_slice(&length);
            message.extend_from_slice(&offset.to_le_bytes());
            payload.extend_from_slice(field);
        }
        message.extend_from_slice(&(flags & flag::OURS).to_le_bytes());
        message.extend_from_slice(&VERSION);
        message.extend_from_slice(&[0; PAYLOAD_AT - MIC_AT]);
        message.extend_from_slice(&payload);
        Ok(message)
    }
}

/// NEGOTIATE_MESSAGE (section 2.2.1.1), without domain and workstation.
fn negotiate() -> Vec<u8> {
    let mut message = Vec::with_capacity(40);
    message.extend_from_slice(SIGNATURE);
    message.extend_from_slice(&1u32.to_le_bytes());
    message.extend_from_slice(&flag::OURS.to_le_bytes());
    for _ in 0..2 {
        message.extend_from_slice(&[0, 0, 0, 0, 40, 0, 0, 0]);
    }
    message.extend_from_slice(&VERSION);
    message
}

/// A text as the message has it: UTF-16, or the server's code page, of which only ASCII is known.
fn encoded(what: &str, text: &str, unicode: bool) -> Result<Vec<u8>> {
    if unicode {
        Ok(response::utf16(text))
    } else if text.is_ascii() {
        Ok(text.as_bytes().to_vec())
    } else {
        Err(refused(NAME, &format!("the server knows no Unicode, and {what} is not ASCII")))
    }
}

impl Mechanism for Ntlm {
    fn name(&self) -> &'static str {
        NAME
    }

    /// MS-SMTPNTLM has the message behind a 334, whose text is "NTLM supported".
    fn opening(&mut self) -> Result<Opening> {
        let message = negotiate();
        self.state = State::Negotiated { message: message.clone() };
        Ok(Opening::AfterPrompt(SecretBytes::concat(&[&message])))
    }

    fn step(&mut self, challenge: &[u8]) -> Result<SecretBytes> {
        let State::Negotiated { message } = std::mem::replace(&mut self.state, State::Failed) else {
            return Err(wrong(NAME, "the server's challenge is one too many"));
        };
        let answer = self.authenticate(&message, challenge)?;
        self.state = State::Done;
        Ok(answer)
    }

    fn finished(&self) -> bool {
        matches!(self.state, State::Done)
    }
}

#[cfg(test)]
mod tests;
