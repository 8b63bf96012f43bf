//! What an EHLO reply offers: RFC 5321 §4.1.1.1. Unknown keywords are ignored, odd parameters too.

use crate::smtp::reply::Reply;
use std::ops::{Deref, DerefMut};

/// The extensions of one connection; empty after HELO and after STARTTLS.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Extensions {
    pub offer: Offer,
    /// The lines as they came, for the caller to read.
    pub lines: Vec<String>,
}

impl Deref for Extensions {
    type Target = Offer;

    fn deref(&self) -> &Offer {
        &self.offer
    }
}

impl DerefMut for Extensions {
    fn deref_mut(&mut self) -> &mut Offer {
        &mut self.offer
    }
}

/// What the lines amount to, or what of it one message may use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Offer {
    /// RFC 2920
    pub pipelining: bool,
    /// RFC 6152
    pub eight_bit_mime: bool,
    /// RFC 6531
    pub smtp_utf8: bool,
    /// RFC 3461
    pub dsn: bool,
    /// RFC 3030
    pub chunking: bool,
    pub binary_mime: bool,
    /// RFC 2034
    pub enhanced_status_codes: bool,
    /// RFC 2852
    pub deliver_by: bool,
    /// RFC 4865
    pub future_release: bool,
    /// RFC 6710
    pub mt_priority: bool,
    /// RFC 8689: counts only where it was offered over TLS.
    pub require_tls: bool,
    /// RFC 3207
    pub starttls: bool,
    /// RFC 1870: `Some(0)` and an unreadable number mean that no limit is known.
    pub size: Option<u64>,
    /// RFC 9422
    pub limits: Limits,
}

/// What one connection may do, where the server says so.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// Transactions on one connection.
    pub mail_max: Option<usize>,
    /// Recipients of one transaction.
    pub rcpt_max: Option<usize>,
    /// Domains among the recipients of one transaction.
    pub rcpt_domain_max: Option<usize>,
}

/// The lines that are kept; a server may not make us hold more.
const KEPT: usize = 100;

impl Extensions {
    /// Reads an EHLO reply; its first line is the server's name.
    pub fn parse(reply: &Reply) -> Extensions {
        let mut all = Extensions::default();
        for line in reply.texts().skip(1) {
            if all.lines.len() < KEPT {
                all.lines.push(line.trim_end().to_string());
            }
            let mut words = line.split_ascii_whitespace();
            let Some(keyword) = words.next() else { continue };
            let offer = &mut all.offer;
            for (name, offered) in [
                ("PIPELINING", &mut offer.pipelining),
                ("8BITMIME", &mut offer.eight_bit_mime),
                ("SMTPUTF8", &mut offer.smtp_utf8),
                ("DSN", &mut offer.dsn),
                ("CHUNKING", &mut offer.chunking),
                ("BINARYMIME", &mut offer.binary_mime),
                ("ENHANCEDSTATUSCODES", &mut offer.enhanced_status_codes),
                ("DELIVERBY", &mut offer.deliver_by),
                ("FUTURERELEASE", &mut offer.future_release),
                ("MT-PRIORITY", &mut offer.mt_priority),
                ("STARTTLS", &mut offer.starttls),
                ("REQUIRETLS", &mut offer.require_tls),
            ] {
                *offered |= keyword.eq_ignore_ascii_case(name);
            }
            if keyword.eq_ignore_ascii_case("SIZE") {
                offer.size = Some(words.next().and_then(|n| n.parse().ok()).unwrap_or(0));
            } else if keyword.eq_ignore_ascii_case("LIMITS") {
                offer.limits = Limits::parse(words);
            }
        }
        all
    }
}

impl Limits {
    fn parse<'a>(words: impl Iterator<Item = &'a str>) -> Limits {
        let mut limits = Limits::default();
        for word in words {
            let Some((name, value)) = word.split_once('=') else { continue };
            // RFC 9422 §3: one to six digits, not 0.
            let value = value.parse().ok().filter(|n: &usize| (1..=999_999).contains(n));
            for (known, limit) in [
                ("MAILMAX", &mut limits.mail_max),
                ("RCPTMAX", &mut limits.rcpt_max),
                ("RCPTDOMAINMAX", &mut limits.rcpt_domain_max),
            ] {
                if name.eq_ignore_ascii_case(known) {
                    *limit = value;
                }
            }
        }
        limits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(lines: &[&str]) -> Extensions {
        let mut all = vec!["250-host greets you".to_string()];
        all.extend(lines.iter().map(|l| format!("250-{l}")));
        Extensions::parse(&Reply { code: 250, text: all.join("\r\n") })
    }

    #[test]
    fn keywords_come_in_any_case_and_more_than_once() {
        let all = parse(&["pipelining", "8bitMIME", "8BITMIME", "dsn", "SMTPUTF8 x", "AUTH=LOGIN", "X", "chunking"]);
        assert!(all.pipelining && all.eight_bit_mime && all.dsn && all.smtp_utf8 && all.chunking);
        assert_eq!(all.size, None);
    }

    #[test]
    fn odd_sizes_are_no_limit() {
        for (text, size) in
            [("SIZE", 0), ("SIZE abc", 0), ("SIZE 1000", 1000), ("SIZE 18446744073709551616", 0), ("SIZE -1", 0)]
        {
            assert_eq!(parse(&[text]).size, Some(size), "{text}");
        }
    }

    #[test]
    fn limits_are_read_and_odd_ones_are_none() {
        let limits = parse(&["LIMITS MAILMAX=5 rcptmax=20 RCPTDOMAINMAX=0 X=1 Y"]).limits;
        assert_eq!(limits, Limits { mail_max: Some(5), rcpt_max: Some(20), rcpt_domain_max: None });
        assert_eq!(parse(&["LIMITS RCPTMAX=-1", "LIMITS"]).limits, Limits::default());
    }

    #[test]
    fn the_first_line_is_a_name_and_no_keyword() {
        let reply = Reply { code: 250, text: "250 PIPELINING".into() };
        assert_eq!(Extensions::parse(&reply), Extensions::default());
    }

    #[test]
    fn thousands_of_keywords_are_read_in_passing() {
        let lines: Vec<String> = (0..5_000).map(|i| format!("X-{i} a b c")).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let all = parse(&lines);
        assert_eq!(all.lines.len(), KEPT);
        assert_eq!(Extensions { lines: Vec::new(), ..all }, Extensions::default());
    }
}
