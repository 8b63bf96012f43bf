//! The server's message: CHALLENGE_MESSAGE (MS-NLMP section 2.2.1.2) and its target information, AV_PAIRs (2.2.2.1).
//! Every offset and length is the server's word and checked.

use super::{NAME, SIGNATURE};
use crate::auth::wrong;
use crate::error::{Error, Result};

/// AvId values.
const EOL: u16 = 0;
const FLAGS: u16 = 6;
const TIMESTAMP: u16 = 7;
const TARGET_NAME: u16 = 9;
const CHANNEL_BINDINGS: u16 = 10;

/// MsvAvFlags: the client's message has an integrity code.
const HAS_MIC: u32 = 2;

/// Up to here every server's message goes; the rest came with Windows 2000.
const SHORTEST: usize = 32;
const WITH_TARGET_INFO: usize = 48;

pub struct Challenge<'a> {
    pub flags: u32,
    pub nonce: [u8; 8],
    pub target_info: &'a [u8],
}

fn malformed(what: &str) -> Error {
    wrong(NAME, &format!("the server's challenge {what}"))
}

impl<'a> Challenge<'a> {
    pub fn parse(message: &'a [u8]) -> Result<Challenge<'a>> {
        if message.len() < SHORTEST {
            return Err(malformed("is cut"));
        }
        if !message.starts_with(SIGNATURE) || message[8..12] != 2u32.to_le_bytes() {
            return Err(malformed("is none of NTLM"));
        }
        let flags = u32::from_le_bytes(array(message, 20));
        let target_name = field(message, 12, SHORTEST)?;
        // Old servers end before the field, or leave it as it comes.
        let has_info = flags & super::flag::TARGET_INFO != 0;
        if has_info && message.len() < WITH_TARGET_INFO {
            return Err(malformed("is cut"));
        }
        let target_info = if has_info { field(message, 40, WITH_TARGET_INFO)? } else { 0..0 };
        if target_name.start < target_info.end && target_info.start < target_name.end {
            return Err(malformed("has two fields in one place"));
        }
        Ok(Challenge { flags, nonce: array(message, 24), target_info: &message[target_info] })
    }
}

/// Bytes at a place that was checked to be there.
fn array<const N: usize>(message: &[u8], at: usize) -> [u8; N] {
    message[at..at + N].try_into().expect("a slice of N bytes")
}

/// Where the payload of a field lies: inside the message, behind its fixed part.
fn field(message: &[u8], at: usize, fixed: usize) -> Result<std::ops::Range<usize>> {
    let length = usize::from(u16::from_le_bytes(array(message, at)));
    if length == 0 {
        // Its offset means nothing then; Exim's lies outside the message.
        return Ok(0..0);
    }
    let offset = u32::from_le_bytes(array(message, at + 4)) as usize;
    let end = offset.checked_add(length).filter(|&end| end <= message.len());
    match end {
        Some(end) if offset >= fixed => Ok(offset..end),
        Some(_) => Err(malformed("has a field inside its header")),
        None => Err(malformed("has a field outside of it")),
    }
}

/// The target information: what the server says of itself, and what we add for it to check.
#[derive(Debug, PartialEq, Eq)]
pub struct TargetInfo {
    pairs: Vec<(u16, Vec<u8>)>,
}

impl TargetInfo {
    /// Nothing at all is an empty list, as servers send that know nothing of version 2.
    pub fn parse(mut text: &[u8]) -> Result<TargetInfo> {
        let mut pairs = Vec::new();
        while !text.is_empty() {
            let Some((head, rest)) = text.split_first_chunk::<4>() else {
                return Err(malformed("has target information that is cut"));
            };
            let id = u16::from_le_bytes([head[0], head[1]]);
            let length = usize::from(u16::from_le_bytes([head[2], head[3]]));
            if id == EOL {
                return Ok(TargetInfo { pairs });
            }
            let Some((value, rest)) = rest.split_at_checked(length) else {
                return Err(malformed("has target information that is cut"));
            };
            if (id == TIMESTAMP && length != 8) || (id == FLAGS && length != 4) {
                return Err(malformed("has malformed target information"));
            }
            pairs.push((id, value.to_vec()));
            text = rest;
        }
        if pairs.is_empty() {
            Ok(TargetInfo { pairs })
        } else {
            Err(malformed("has target information without an end"))
        }
    }

    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    fn get(&self, id: u16) -> Option<&[u8]> {
        self.pairs.iter().find(|(i, _)| *i == id).map(|(_, value)| value.as_slice())
    }

    /// The server's time.
    pub fn time(&self) -> Option<u64> {
        self.get(TIMESTAMP).and_then(|value| value.try_into().ok()).map(u64::from_le_bytes)
    }

    /// Adds what ties the response to this channel, to this service, and to the two messages before it.
    pub fn bind(&mut self, channel: &[u8; 16], target: &str, mic: bool) {
        let flags = self.get(FLAGS).and_then(|value| value.try_into().ok()).map_or(0, u32::from_le_bytes);
        self.pairs.retain(|(id, _)| ![FLAGS, TARGET_NAME, CHANNEL_BINDINGS].contains(id));
        let flags = if mic { flags | HAS_MIC } else { flags };
        if flags != 0 {
            self.pairs.push((FLAGS, flags.to_le_bytes().to_vec()));
        }
        self.pairs.push((CHANNEL_BINDINGS, channel.to_vec()));
        self.pairs.push((TARGET_NAME, super::response::utf16(target)));
    }

    pub fn encode(&self) -> Vec<u8> {
        let mut all = Vec::new();
        for (id, value) in &self.pairs {
            // A longer value than any server checks is left out rather than cut.
            let Ok(length) = u16::try_from(value.len()) else { continue };
            all.extend_from_slice(&id.to_le_bytes());
            all.extend_from_slice(&length.to_le_bytes());
            all.extend_from_slice(value);
        }
        all.extend_from_slice(&[0; 4]);
        all
    }
}
