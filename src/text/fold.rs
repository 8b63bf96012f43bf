//! One header field, written word by word and folded where words part: RFC 5322 section 2.2.3, RFC 2047 section 2.
//!
//! Whatever is asked, no line passes 998 octets and none is blank. A line with an encoded word ends at 76, as RFC 2047 asks.

use super::charset::Charset;
use super::encoded_word::{self, Place};

/// Longest line that RFC 5322 section 2.1.1 permits, without CRLF.
pub const HARD_LIMIT: usize = 998;
/// Longest line with an encoded word, and longest encoded word.
const ENCODED_LINE: usize = 76;
const ENCODED_WORD: usize = 75;
/// With less room than this an encoded word moves to the next line rather than being cut into crumbs.
const USEFUL_ROOM: usize = 32;

/// How headers are to look.
#[derive(Debug, Clone)]
pub struct Style {
    /// The charset of encoded words; None: UTF-8, and an ASCII value that looks encoded is the caller's own work.
    pub charset: Option<Charset>,
    /// Fold lines longer than this.
    pub max: usize,
    /// False: one line for each header, up to the hard limit.
    pub fold: bool,
    /// The message needs SMTPUTF8 anyway, so that text goes as raw UTF-8 (RFC 6532).
    pub utf8: bool,
}

impl Default for Style {
    fn default() -> Style {
        Style { charset: None, max: 80, fold: true, utf8: false }
    }
}

/// Writes one field: `Name:` and then tokens, each with the blanks before it.
pub struct FieldWriter<'s> {
    pub style: &'s Style,
    out: String,
    column: usize,
    /// Nothing stands behind the colon yet.
    first: bool,
    encoded_on_line: bool,
    new_line: bool,
}

impl<'s> FieldWriter<'s> {
    pub fn new(name: &str, style: &'s Style) -> FieldWriter<'s> {
        let out = format!("{name}:");
        FieldWriter { style, column: out.len(), out, first: true, encoded_on_line: false, new_line: false }
    }

    fn limit(&self, encoded: bool) -> usize {
        match (self.style.fold, encoded || self.encoded_on_line) {
            (false, _) => HARD_LIMIT,
            (true, false) => self.style.max.clamp(1, HARD_LIMIT),
            (true, true) => self.style.max.clamp(1, ENCODED_LINE),
        }
    }

    /// Writes a token that is never cut, on a new line when it does not fit on this one.
    pub fn token(&mut self, space: &str, text: &str) {
        let end = self.column + space.len() + text.len();
        let alone = space.len() + text.len();
        // Behind the colon a new line is only worth it when the token then fits.
        let wrap = end > self.limit(false) && (!self.first || alone <= self.limit(false) || end > HARD_LIMIT);
        self.put(space, text, wrap);
    }

    /// Writes what must stay at the end of the last token, such as a comma.
    pub fn glue(&mut self, text: &str) {
        self.out.push_str(text);
        self.column += text.len();
    }

    /// Says that the next `length` octets belong together: when they do not fit here and would fit on a line of their
    /// own, the next token starts one.
    pub fn keep_together(&mut self, length: usize) {
        let limit = self.limit(false);
        if !self.first && self.column + length > limit && length <= limit {
            self.new_line = true;
        }
    }

    /// Writes text as encoded words, as many as it takes (RFC 2047); `space` stands before the first one.
    pub fn encoded(&mut self, space: &str, text: &str, place: Place) {
        let utf8 = Charset::utf8();
        // A charset that lacks a character of the text would lose it; UTF-8 has them all.
        let charset = match &self.style.charset {
            Some(charset) if charset.encode(text).is_some() => charset,
            _ => &utf8,
        };
        let method = encoded_word::shorter(charset, text, place);
        let mut rest = text;
        let mut space = space;
        while !rest.is_empty() {
            let limit = self.limit(true);
            let room = |column: usize| limit.saturating_sub(column + space.len()).min(ENCODED_WORD);
            let here = encoded_word::piece(charset, method, place, rest, room(self.column));
            let stays = !self.new_line
                && here.as_ref().is_some_and(|(_, used)| *used == rest.len() || room(self.column) >= USEFUL_ROOM);
            let (word, used, wrap) = match here {
                Some((word, used)) if stays => (word, used, false),
                _ => {
                    let (word, used) = encoded_word::piece(charset, method, place, rest, room(0))
                        .unwrap_or_else(|| encoded_word::one_character(charset, method, place, rest));
                    (word, used, true)
                }
            };
            self.put(space, &word, wrap);
            self.encoded_on_line = true;
            rest = &rest[used..];
            space = " ";
        }
    }

    fn put(&mut self, space: &str, text: &str, wrap: bool) {
        if wrap || self.new_line {
            self.out.push_str("\r\n");
            self.column = 0;
            self.encoded_on_line = false;
            self.new_line = false;
        }
        self.out.push_str(space);
        self.out.push_str(text);
        self.column += space.len() + text.len();
        self.first = false;
    }

    /// The field with its final CRLF.
    pub fn finish(mut self) -> String {
        self.out.push_str("\r\n");
        self.out
    }
}

/// A whole field of unstructured text, such as Subject.
pub fn unstructured(name: &str, value: &str, style: &Style) -> String {
    let mut field = FieldWriter::new(name, style);
    encoded_word::unstructured(&mut field, value);
    field.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn style(max: usize, fold: bool) -> Style {
        Style { max, fold, ..Style::default() }
    }

    #[test]
    fn lines_are_folded_between_words_at_the_length_that_was_asked() {
        assert_eq!(
            unstructured("Subject", "one two three four five", &style(20, true)),
            "Subject: one two\r\n three four five\r\n"
        );
        assert_eq!(
            unstructured("Subject", "one two three four five", &style(20, false)),
            "Subject: one two three four five\r\n"
        );
    }

    #[test]
    fn a_word_that_is_too_long_anyway_stays_where_it_is_and_the_hard_limit_holds() {
        let long = "x".repeat(300);
        assert_eq!(unstructured("Subject", &long, &style(80, true)), format!("Subject: {long}\r\n"));
        let words = format!("{long} {long} {long} {long}");
        for line in unstructured("Subject", &words, &style(80, false)).split("\r\n") {
            assert!(line.len() <= HARD_LIMIT, "{}", line.len());
        }
    }

    #[test]
    fn a_line_with_an_encoded_word_ends_at_76() {
        let text = unstructured(
            "Subject",
            "plain words until nearly the end of the line, and größer then more",
            &style(200, true),
        );
        for line in text.split("\r\n").filter(|line| line.contains("=?")) {
            assert!(line.len() <= 76, "{line}");
        }
    }

    #[test]
    fn an_empty_value_leaves_a_field_without_a_body() {
        assert_eq!(unstructured("Subject", "", &Style::default()), "Subject:\r\n");
    }
}
