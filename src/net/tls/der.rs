//! Reads of an X.509 certificate what the check of a chain does not tell: dates, usage, key size, signature. RFC 5280 §4.1.
//!
//! Anything that is not in order reads as `None`: the certificate is then refused as a whole.

/// What is read; slices are parts of the certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate<'a> {
    pub issuer: &'a [u8],
    pub subject: &'a [u8],
    /// Seconds since 1970.
    pub not_before: i64,
    pub not_after: i64,
    /// SubjectPublicKeyInfo with its header.
    pub spki: &'a [u8],
    /// Bits of an RSA modulus.
    pub rsa_bits: Option<usize>,
    /// The object identifier of the signature, and its parameters.
    pub signature: (&'a [u8], &'a [u8]),
    /// Extended key usage, where the certificate says any.
    pub usages: Option<Vec<&'a [u8]>>,
}

const SEQUENCE: u8 = 0x30;
const OID: u8 = 0x06;
const INTEGER: u8 = 0x02;
const RSA_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const EXTENDED_USAGE: &[u8] = &[0x55, 0x1d, 0x25];
pub(super) const SERVER_AUTH: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01];

impl<'a> Certificate<'a> {
    pub fn parse(der: &'a [u8]) -> Option<Certificate<'a>> {
        let mut outer = Reader(der);
        let mut whole = outer.sequence()?;
        outer.end()?;
        let mut tbs = whole.sequence()?;
        let mut algorithm = whole.sequence()?;
        let signature = (algorithm.value(OID)?, algorithm.0);
        if tbs.peek() == Some(0xa0) {
            tbs.any()?;
        }
        tbs.value(INTEGER)?;
        tbs.value(SEQUENCE)?;
        let issuer = tbs.whole(SEQUENCE)?;
        let mut validity = tbs.sequence()?;
        let not_before = validity.time()?;
        let not_after = validity.time()?;
        let subject = tbs.whole(SEQUENCE)?;
        let spki = tbs.whole(SEQUENCE)?;
        let mut usages = None;
        while !tbs.0.is_empty() {
            let (tag, value) = tbs.any()?;
            if tag == 0xa3 {
                usages = extended_usages(value)?;
            }
        }
        let rsa_bits = rsa_bits(spki);
        Some(Certificate { issuer, subject, not_before, not_after, spki, rsa_bits, signature, usages })
    }

    /// A server's, or one without a word on it. anyExtendedKeyUsage is not enough, as in browsers and webpki.
    pub fn is_for_servers(&self) -> bool {
        self.usages.as_ref().is_none_or(|usages| usages.contains(&SERVER_AUTH))
    }
}

/// The values of the extendedKeyUsage extension among all of them; the inner `None` is a certificate without.
fn extended_usages(extensions: &[u8]) -> Option<Option<Vec<&[u8]>>> {
    let mut list = Reader(extensions).sequence()?;
    let mut found = None;
    while !list.0.is_empty() {
        let mut extension = list.sequence()?;
        if extension.value(OID)? != EXTENDED_USAGE {
            continue;
        }
        if extension.peek() == Some(0x01) {
            extension.any()?;
        }
        let mut purposes = Reader(extension.value(0x04)?).sequence()?;
        let mut oids = Vec::new();
        while !purposes.0.is_empty() {
            oids.push(purposes.value(OID)?);
        }
        found = Some(oids);
    }
    Some(found)
}

fn rsa_bits(spki: &[u8]) -> Option<usize> {
    let mut info = Reader(spki).sequence()?;
    if info.sequence()?.value(OID)? != RSA_KEY {
        return None;
    }
    let mut key = Reader(info.value(0x03)?.strip_prefix(&[0])?).sequence()?;
    let modulus = key.value(INTEGER)?;
    let zeros = modulus.iter().take_while(|byte| **byte == 0).count();
    let rest = &modulus[zeros..];
    Some(rest.len() * 8 - rest.first().map_or(0, |first| first.leading_zeros() as usize))
}

/// Walks over DER values.
pub(super) struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    pub fn peek(&self) -> Option<u8> {
        self.0.first().copied()
    }

    pub fn any(&mut self) -> Option<(u8, &'a [u8])> {
        let (tag, value, rest) = split(self.0)?;
        self.0 = rest;
        Some((tag, value))
    }

    pub fn value(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (found, value, rest) = split(self.0)?;
        if found != tag {
            return None;
        }
        self.0 = rest;
        Some(value)
    }

    pub fn sequence(&mut self) -> Option<Reader<'a>> {
        self.value(SEQUENCE).map(Reader)
    }

    /// The value with its header.
    fn whole(&mut self, tag: u8) -> Option<&'a [u8]> {
        let all = self.0;
        self.value(tag)?;
        Some(&all[..all.len() - self.0.len()])
    }

    fn end(&self) -> Option<()> {
        self.0.is_empty().then_some(())
    }

    fn time(&mut self) -> Option<i64> {
        let (tag, text) = self.any()?;
        let text = text.strip_suffix(b"Z")?;
        let (year, rest) = match (tag, text.len()) {
            (0x17, 12) => {
                let year = digits(&text[..2])?;
                (if year < 50 { 2000 + year } else { 1900 + year }, &text[2..])
            }
            (0x18, 14) => (digits(&text[..4])?, &text[4..]),
            _ => return None,
        };
        let field = |at: usize| digits(&rest[at..at + 2]);
        let (month, day) = (field(0)?, field(2)?);
        let (hour, minute, second) = (field(4)?, field(6)?, field(8)?);
        if !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        Some(days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second)
    }
}

/// Tag, value and what follows. Single-byte tags, definite lengths.
fn split(data: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = data.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    let (value, rest) = rest.split_at_checked(length)?;
    Some((tag, value, rest))
}

fn digits(text: &[u8]) -> Option<i64> {
    text.iter().try_fold(0, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + i64::from(byte - b'0')))
}

/// Days since 1970 of a date of the Gregorian calendar, years from March on.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + of_year - 719_468
}

/// `2026-11-22 03:04:05 UTC`.
pub(super) fn moment(seconds: i64) -> String {
    let (days, time) = (seconds.div_euclid(86_400) + 719_468, seconds.rem_euclid(86_400));
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02} UTC", time / 3_600, time / 60 % 60, time % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_both_forms_are_read_and_shown() {
        let read = |tag: u8, text: &str| Reader(&[&[tag, text.len() as u8], text.as_bytes()].concat()).time();
        assert_eq!(read(0x17, "700101000000Z"), Some(0));
        assert_eq!(read(0x17, "000229235959Z"), Some(951_868_799));
        assert_eq!(read(0x18, "20500101000000Z"), Some(2_524_608_000));
        assert_eq!(read(0x17, "491231235959Z"), Some(2_524_607_999));
        assert_eq!(read(0x17, "700101000000+0100"), None);
        assert_eq!(read(0x17, "701301000000Z"), None);
        for (seconds, text) in [(0, "1970-01-01 00:00:00 UTC"), (951_868_799, "2000-02-29 23:59:59 UTC")] {
            assert_eq!(moment(seconds), text);
        }
        assert_eq!(moment(-1), "1969-12-31 23:59:59 UTC");
    }

    #[test]
    fn lengths_beyond_the_data_read_as_nothing() {
        for data in
            [&[][..], &[0x30], &[0x30, 5, 1], &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff], &[0x30, 0x80], &[0x30, 0x85]]
        {
            assert_eq!(Certificate::parse(data), None, "{data:?}");
        }
    }
}
