//! What an EHLO reply offers: RFC 5321 §4.1.1.1. Unknown keywords are ignored, odd parameters too.

use crate::smtp::reply::Reply;

/// The extensions of one connection; empty after HELO and after STARTTLS.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Extensions {
    pub pipelining: bool,
    pub eight_bit_mime: bool,
    pub smtp_utf8: bool,
    pub dsn: bool,
    /// SIZE was offered; `Some(0)` and an unreadable number mean no limit is known.
    pub size: Option<u64>,
}

impl Extensions {
    /// Reads an EHLO reply; its first line is the server's name.
    pub fn parse(reply: &Reply) -> Extensions {
        let mut all = Extensions::default();
        for line in reply.texts().skip(1) {
            let mut words = line.split_ascii_whitespace();
            let Some(keyword) = words.next() else { continue };
            match keyword.to_ascii_uppercase().as_str() {
                "PIPELINING" => all.pipelining = true,
                "8BITMIME" => all.eight_bit_mime = true,
                "SMTPUTF8" => all.smtp_utf8 = true,
                "DSN" => all.dsn = true,
                "SIZE" => all.size = Some(words.next().and_then(|n| n.parse().ok()).unwrap_or(0)),
                _ => {}
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(lines: &[&str]) -> Extensions {
        let mut all = vec!["250-host greets you".to_string()];
        all.extend(lines.iter().map(|l| format!("250-{l}")));
        Extensions::parse(&Reply { code: 250, lines: all })
    }

    #[test]
    fn keywords_come_in_any_case_and_more_than_once() {
        let all = parse(&["pipelining", "8bitMIME", "8BITMIME", "dsn", "SMTPUTF8 x", "AUTH=LOGIN", "X"]);
        assert!(all.pipelining && all.eight_bit_mime && all.dsn && all.smtp_utf8);
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
    fn the_first_line_is_a_name_and_no_keyword() {
        let reply = Reply { code: 250, lines: vec!["250 PIPELINING".into()] };
        assert_eq!(Extensions::parse(&reply), Extensions::default());
    }

    #[test]
    fn thousands_of_keywords_are_read_in_passing() {
        let lines: Vec<String> = (0..5_000).map(|i| format!("X-{i} a b c")).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        assert_eq!(parse(&lines), Extensions::default());
    }
}
