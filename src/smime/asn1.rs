//! The pieces that every structure of RFC 5652 is made of: object identifiers, algorithm identifiers, sets in the order of DER, times,
//! and the frame around content that streams by, with definite lengths or without (X.690 §8.1.3.6).

use super::CHUNK;
use crate::certs::der::{self, OCTET_STRING, OID, SEQUENCE};
use std::collections::BinaryHeap;

pub const DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1];
pub const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2];
pub const ENVELOPED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 3];
pub const AUTH_ENVELOPED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 16, 1, 23];
/// RFC 3274.
pub const COMPRESSED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 16, 1, 9];
pub const MGF1: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 8];

/// Tag and length.
pub fn head(out: &mut Vec<u8>, tag: u8, length: u64) {
    out.push(tag);
    if length < 0x80 {
        out.push(length as u8);
    } else {
        let bytes = length.to_be_bytes();
        let bytes = der::trim(&bytes);
        out.push(0x80 | bytes.len() as u8);
        out.extend_from_slice(bytes);
    }
}

/// Octets of a value with this much content.
pub fn size(length: u64) -> u64 {
    let octets = u64::from(8 - length.leading_zeros() / 8);
    if length < 0x80 { 2 + length } else { 2 + octets + length }
}

pub fn oid(oid: &[u8]) -> Vec<u8> {
    der::wrap(OID, &[oid])
}

/// An AlgorithmIdentifier; the parameters are encoded already, or nothing.
pub fn algorithm(identifier: &[u8], parameters: &[u8]) -> Vec<u8> {
    der::wrap(SEQUENCE, &[&oid(identifier), parameters])
}

pub fn null() -> Vec<u8> {
    der::wrap(der::NULL, &[])
}

/// The content of a SET OF, each value once, in the order of DER (X.690 §11.6).
pub fn set(values: Vec<Vec<u8>>) -> Vec<u8> {
    let mut values = BinaryHeap::from(values).into_sorted_vec();
    values.dedup();
    values.concat()
}

/// UTCTime until 2049, GeneralizedTime beyond (RFC 5652 §11.3).
pub fn time(seconds: i64) -> Vec<u8> {
    // Years 0 to 9999; nothing else has a form.
    let seconds = seconds.clamp(-62_135_596_800, 253_402_300_799);
    let (days, rest) = (seconds.div_euclid(86_400) + 719_468, seconds.rem_euclid(86_400));
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let mp = (5 * of_year + 2) / 153;
    let (day, month) = (of_year - (153 * mp + 2) / 5 + 1, if mp < 10 { mp + 3 } else { mp - 9 });
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let rest = format!("{month:02}{day:02}{:02}{:02}{:02}Z", rest / 3600, rest / 60 % 60, rest % 60);
    if (1950..2050).contains(&year) {
        der::wrap(0x17, &[format!("{:02}{rest}", year % 100).as_bytes()])
    } else {
        der::wrap(0x18, &[format!("{year:04}{rest}").as_bytes()])
    }
}

/// What a frame is made of.
pub struct Layout<'a> {
    /// The content type.
    pub kind: &'a [u8],
    /// Stands in the structure before the content.
    pub before: &'a [u8],
    /// Stands beside the content.
    pub beside: &'a [u8],
    /// Whether the content is an OCTET STRING within `[0]`, or `[0]` itself is the string.
    pub explicit: bool,
}

/// ContentInfo around streaming content: SignedData, EnvelopedData and AuthEnvelopedData differ only in what the layout says.
pub struct Frame {
    head: Vec<u8>,
    total: Option<u64>,
    pieces: Option<Vec<u8>>,
    explicit: bool,
}

impl Frame {
    /// With definite lengths; `trailer` is what comes after the content.
    pub fn definite(layout: &Layout<'_>, content: u64, trailer: u64) -> Frame {
        let kind = oid(layout.kind);
        let octets = size(content);
        let tagged = if layout.explicit { size(octets) } else { octets };
        let info = layout.beside.len() as u64 + tagged;
        let data = layout.before.len() as u64 + size(info) + trailer;
        let whole = kind.len() as u64 + size(size(data));
        let mut out = Vec::new();
        head(&mut out, SEQUENCE, whole);
        out.extend_from_slice(&kind);
        head(&mut out, 0xa0, size(data));
        head(&mut out, SEQUENCE, data);
        out.extend_from_slice(layout.before);
        head(&mut out, SEQUENCE, info);
        out.extend_from_slice(layout.beside);
        if layout.explicit {
            head(&mut out, 0xa0, octets);
            head(&mut out, OCTET_STRING, content);
        } else {
            head(&mut out, 0x80, content);
        }
        Frame { head: out, total: Some(size(whole)), pieces: None, explicit: layout.explicit }
    }

    /// Without lengths: BER, the content in pieces.
    pub fn indefinite(layout: &Layout<'_>) -> Frame {
        let mut out = vec![SEQUENCE, 0x80];
        out.extend_from_slice(&oid(layout.kind));
        out.extend_from_slice(&[0xa0, 0x80, SEQUENCE, 0x80]);
        out.extend_from_slice(layout.before);
        out.extend_from_slice(&[SEQUENCE, 0x80]);
        out.extend_from_slice(layout.beside);
        out.extend_from_slice(&[0xa0, 0x80]);
        if layout.explicit {
            out.extend_from_slice(&[0x20 | OCTET_STRING, 0x80]);
        }
        Frame { head: out, total: None, pieces: Some(Vec::new()), explicit: layout.explicit }
    }

    pub fn is_definite(&self) -> bool {
        self.pieces.is_none()
    }

    /// Octets of the whole, where it is definite.
    pub fn total(&self) -> Option<u64> {
        self.total
    }

    /// What stands before the content, once.
    pub fn start(&mut self, out: &mut Vec<u8>) {
        out.append(&mut self.head);
    }

    /// Content of an indefinite frame; that of a definite one goes straight to the output.
    pub fn piece(&mut self, mut data: &[u8], out: &mut Vec<u8>) {
        let Some(held) = &mut self.pieces else {
            out.extend_from_slice(data);
            return;
        };
        while held.len() + data.len() >= CHUNK {
            let (now, later) = data.split_at(CHUNK - held.len());
            head(out, OCTET_STRING, CHUNK as u64);
            out.append(held);
            out.extend_from_slice(now);
            data = later;
        }
        held.extend_from_slice(data);
    }

    /// Ends content and structure with the trailer between.
    pub fn end(&mut self, trailer: &[u8], out: &mut Vec<u8>) {
        match &mut self.pieces {
            None => out.extend_from_slice(trailer),
            Some(held) => {
                if !held.is_empty() {
                    head(out, OCTET_STRING, held.len() as u64);
                    out.append(held);
                }
                out.extend_from_slice(&[0; 6][..if self.explicit { 6 } else { 4 }]);
                out.extend_from_slice(trailer);
                out.extend_from_slice(&[0; 6]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_heads_agree() {
        for length in [0u64, 1, 127, 128, 255, 256, 65_535, 65_536, 1 << 24, u64::from(u32::MAX), 1 << 32] {
            let mut out = Vec::new();
            head(&mut out, OCTET_STRING, length);
            assert_eq!(out.len() as u64 + length, size(length), "{length}");
        }
    }

    #[test]
    fn times_have_two_digits_of_the_year_until_2049() {
        assert_eq!(time(0), b"\x17\x0d700101000000Z");
        assert_eq!(time(2_524_607_999), b"\x17\x0d491231235959Z");
        assert_eq!(time(2_524_608_000), b"\x18\x0f20500101000000Z");
        assert_eq!(time(1_582_934_400), b"\x17\x0d200229000000Z");
        assert_eq!(time(i64::MAX), b"\x18\x0f99991231235959Z");
    }

    #[test]
    fn sets_are_sorted_and_hold_each_value_once() {
        let one = oid(&[1]);
        let two = oid(&[2]);
        assert_eq!(set(vec![two.clone(), one.clone(), two.clone()]), [one, two].concat());
    }
}
