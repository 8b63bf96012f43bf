//! Encoded words for headers: RFC 2047. Decides what needs encoding, cuts between characters, and takes the shorter encoding.

use base64_simd::STANDARD;

use super::charset::Charset;
use super::fold::FieldWriter;
use super::line;

/// Where an encoded word stands; a phrase permits fewer characters (RFC 2047 section 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Text,
    Phrase,
}

/// The two encodings of RFC 2047 section 4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    B,
    Q,
}

/// A plain word longer than this is encoded, because it could not be folded.
const LONG_WORD: usize = 900;
/// More blanks than this in a row are encoded, so that they survive folding and take no line for themselves.
const LONG_BLANK: usize = 8;

/// The encoding that makes fewer octets of this text.
pub fn shorter(charset: &Charset, text: &str, place: Place) -> Method {
    let bytes = charset.encode(text).unwrap_or_default();
    let q: usize = bytes.iter().map(|b| if is_q_safe(*b, place) { 1 } else { 3 }).sum();
    if q <= bytes.len().div_ceil(3) * 4 { Method::Q } else { Method::B }
}

/// The longest start of the text whose encoded word has at most `room` octets, and the octets of text it took.
pub fn prefix(charset: &Charset, method: Method, place: Place, text: &str, room: usize) -> Option<(String, usize)> {
    // Every character takes at least one octet in either encoding, so more than `room` of them need no look.
    let ends: Vec<usize> = text.char_indices().skip(1).map(|(at, _)| at).chain([text.len()]).take(room).collect();
    let (mut fits, mut too_many) = (0, ends.len() + 1);
    let mut best = None;
    while too_many - fits > 1 {
        let middle = (fits + too_many) / 2;
        let end = ends[middle - 1];
        match word(charset, method, place, &text[..end]).filter(|word| word.len() <= room) {
            Some(word) => {
                best = Some((word, end));
                fits = middle;
            }
            None => too_many = middle,
        }
    }
    best
}

/// As [`prefix`], but text that must be cut is cut behind a blank where one is near: readers that part the words of a
/// phrase again (CPython's, up to 3.12) then show one blank and not two.
pub fn piece(charset: &Charset, method: Method, place: Place, text: &str, room: usize) -> Option<(String, usize)> {
    let (whole, used) = prefix(charset, method, place, text, room)?;
    let blank = text[..used].rfind(' ').map(|at| at + 1).filter(|end| used < text.len() && *end > used / 2);
    match blank.and_then(|end| Some((word(charset, method, place, &text[..end])?, end))) {
        Some(shorter) if shorter.0.len() <= room => Some(shorter),
        _ => Some((whole, used)),
    }
}

/// The first character as an encoded word, however long that is: for a line with less room than one character takes.
pub fn one_character(charset: &Charset, method: Method, place: Place, text: &str) -> (String, usize) {
    let end = text.chars().next().map_or(0, char::len_utf8);
    let alone = &text[..end];
    let word = word(charset, method, place, alone)
        .or_else(|| word(&Charset::utf8(), method, place, alone))
        .unwrap_or_default();
    (word, end)
}

fn word(charset: &Charset, method: Method, place: Place, text: &str) -> Option<String> {
    let bytes = charset.encode(text)?;
    let mut word = format!("=?{}?", charset.name());
    match method {
        Method::B => {
            word.push_str("B?");
            STANDARD.encode_append(&bytes, &mut word);
        }
        Method::Q => {
            word.push_str("Q?");
            for byte in bytes.iter() {
                match byte {
                    b' ' => word.push('_'),
                    b if is_q_safe(*b, place) => word.push(char::from(*b)),
                    b => {
                        word.push('=');
                        for digit in [b >> 4, b & 15] {
                            word.push(char::from(b"0123456789ABCDEF"[usize::from(digit)]));
                        }
                    }
                }
            }
        }
    }
    word.push_str("?=");
    Some(word)
}

/// Whether an octet stands for itself in the Q encoding (or, for the blank, as one octet).
fn is_q_safe(byte: u8, place: Place) -> bool {
    match byte {
        b' ' => true,
        b'=' | b'?' | b'_' => false,
        _ if place == Place::Text => byte.is_ascii_graphic(),
        _ => byte.is_ascii_alphanumeric() || matches!(byte, b'!' | b'*' | b'+' | b'-' | b'/'),
    }
}

/// Control characters, and the two of Unicode that some readers take for a line end.
fn has_control(text: &str) -> bool {
    text.chars().any(|c| c.is_control() && c != '\t' || matches!(c, '\u{2028}' | '\u{2029}'))
}

/// Whether text cannot stand in a header as it is.
fn must_encode(text: &str, utf8: bool) -> bool {
    has_control(text) || !utf8 && !text.is_ascii()
}

/// Writes unstructured text: words that can stand as they are do, the others become encoded words.
///
/// Blanks at the ends are no part of a header value and go. A text of ASCII alone that looks encoded already goes as it is
/// unless a charset is set: then, or beside words that are encoded, what looks like an encoded word is encoded to stay itself.
pub fn unstructured(field: &mut FieldWriter<'_>, value: &str) {
    let value = line::unfold(value);
    let value = value.trim_matches([' ', '\t']);
    let (utf8, guard) = (field.style.utf8, field.style.charset.is_some() || must_encode(value, field.style.utf8));
    let needs = |blank: &str, word: &str| {
        must_encode(word, utf8) || blank.len() > LONG_BLANK || word.len() > LONG_WORD || guard && word.contains("=?")
    };
    let words = split(value);
    let mut at = 0;
    while at < words.len() {
        let (blank, word, start) = words[at];
        // The first word has a blank of its own, the one behind the colon.
        let space = if at == 0 { " " } else { blank };
        if !needs(blank, word) && words.get(at + 1).is_none_or(|(blank, ..)| blank.len() <= LONG_BLANK) {
            field.token(space, word);
            at += 1;
            continue;
        }
        // Blanks between two encoded words are not seen by who decodes them, so they become part of the encoded text.
        let mut last = at;
        while let Some((blank, word, _)) = words.get(last + 1)
            && needs(blank, word)
        {
            last += 1;
        }
        let (_, word, begin) = words[last];
        field.encoded(space, &value[start..begin + word.len()], Place::Text);
        at = last + 1;
    }
}

/// Words with the blanks before each, and where each begins.
fn split(text: &str) -> Vec<(&str, &str, usize)> {
    let is_blank = |c| c == ' ' || c == '\t';
    let mut words = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (blank, from) = rest.split_at(rest.find(|c| !is_blank(c)).unwrap_or(rest.len()));
        let (word, after) = from.split_at(from.find(is_blank).unwrap_or(from.len()));
        words.push((blank, word, text.len() - from.len()));
        rest = after;
    }
    words
}

/// Writes a display name or another phrase (RFC 5322 section 3.2.5): atoms, a quoted string, or encoded words.
pub fn phrase(field: &mut FieldWriter<'_>, name: &str) {
    let style = field.style;
    if phrase_needs_encoding(name, style) {
        return field.encoded(" ", name, Place::Phrase);
    }
    let plain = plain_phrase(name);
    for (at, (blank, word, _)) in split(&plain).into_iter().enumerate() {
        field.token(if at == 0 { " " } else { blank }, word);
    }
}

/// Whether a phrase becomes encoded words.
pub fn phrase_needs_encoding(name: &str, style: &super::fold::Style) -> bool {
    must_encode(name, style.utf8)
        || name.contains('\t')
        || (style.charset.is_some() && name.contains("=?"))
        || split(name).iter().any(|(blank, word, _)| blank.len() > LONG_BLANK || word.len() > LONG_WORD / 2)
}

/// A phrase without encoded words: as it is when it is made of atoms, else in quotes.
pub fn plain_phrase(name: &str) -> String {
    let atoms = !name.is_empty()
        && !name.starts_with(' ')
        && !name.ends_with(' ')
        && !name.contains("  ")
        && name.chars().all(|c| c == ' ' || is_atext(c));
    if atoms { name.to_string() } else { quoted(name) }
}

/// A quoted string (RFC 5322 section 3.2.4).
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        if c == '"' || c == '\\' {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out
}

/// A character of an atom: RFC 5322 section 3.2.3, and beyond ASCII RFC 6532 section 3.2, without Unicode's blanks.
pub fn is_atext(c: char) -> bool {
    if c.is_ascii() {
        c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c)
    } else {
        !c.is_control() && !c.is_whitespace()
    }
}

#[cfg(test)]
mod tests;
