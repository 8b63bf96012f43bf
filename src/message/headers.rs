//! The header section: our fields in their order, and the caller's own lines of OtherHeaders (ruling 27).

use super::address::{self, Mailbox};
use super::recipients::{Listed, same_group};
use crate::error::{Code, Error, Result};
use crate::text::encoded_word;
use crate::text::fold::{self, FieldWriter, HARD_LIMIT, Style};
use crate::text::line;
use crate::text::param;

/// Longest field name: with its colon it must fit on a line of 78.
const LONGEST_NAME: usize = 77;
/// Fields whose values are mailboxes.
const ADDRESS_FIELDS: [&str; 10] = [
    "from",
    "sender",
    "reply-to",
    "to",
    "cc",
    "resent-from",
    "resent-to",
    "resent-cc",
    "disposition-notification-to",
    "return-receipt-to",
];

/// One field of OtherHeaders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field<'a> {
    pub name: &'a str,
    /// Behind the colon, folds included.
    pub value: &'a str,
    /// The whole field without its last CRLF.
    raw: &'a str,
}

/// OtherHeaders, taken apart.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Other<'a> {
    /// The text began with an empty line: it is the whole header section.
    pub whole: bool,
    pub fields: Vec<Field<'a>>,
}

/// Takes header lines apart; 603 when a line is no header, or something could end the section early.
pub fn parse(text: &str) -> Result<Other<'_>> {
    let refused = |why: &str| Error::new(Code::ValueRefused, format!("OtherHeaders {why}"));
    let (whole, body) = match text.strip_prefix("\r\n") {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    // The CRLF behind the last line may be there or not.
    let body = body.strip_suffix("\r\n").unwrap_or(body);
    let mut fields: Vec<Field<'_>> = Vec::new();
    if body.is_empty() {
        return Ok(Other { whole, fields });
    }
    let mut at = 0;
    for line in body.split("\r\n") {
        if line::has_crlf_nul(line) {
            return Err(refused("must not contain a CR or LF alone, nor NUL"));
        }
        if line.trim_matches([' ', '\t']).is_empty() {
            return Err(refused("must not contain an empty line"));
        }
        let end = at + line.len();
        if line.starts_with([' ', '\t']) {
            let last = fields.last_mut().ok_or_else(|| refused("begins with a continuation line"))?;
            let start = last.raw.as_ptr() as usize - body.as_ptr() as usize;
            last.raw = &body[start..end];
            last.value = &last.raw[last.name.len() + 1..];
        } else {
            let (name, value) = line.split_once(':').ok_or_else(|| refused("has a line without a colon"))?;
            if !is_name(name) {
                return Err(refused("has a line that is no header"));
            }
            fields.push(Field { name, value, raw: line });
        }
        at = end + 2;
    }
    Ok(Other { whole, fields })
}

/// OtherHeaders without the lines of MIME, and those lines; both with their line ends.
pub fn split_mime(text: &str) -> Result<(String, String)> {
    let other = parse(text)?;
    let mut rest = String::from(if other.whole { "\r\n" } else { "" });
    let mut mime = String::new();
    for field in &other.fields {
        let to = if field.is_mime() { &mut mime } else { &mut rest };
        to.push_str(field.raw);
        to.push_str("\r\n");
    }
    Ok((rest, mime))
}

/// Header lines without the fields of these names.
pub fn without_names(text: &str, names: &[&str]) -> Result<String> {
    let other = parse(text)?;
    let mut kept = String::from(if other.whole { "\r\n" } else { "" });
    for field in other.fields.iter().filter(|field| !names.iter().any(|name| field.is(name))) {
        kept.push_str(field.raw);
        kept.push_str("\r\n");
    }
    Ok(kept)
}

/// Two texts of header lines as one.
pub fn joined(one: &str, other: &str) -> String {
    let gap = if one.is_empty() || one.ends_with("\r\n") { "" } else { "\r\n" };
    format!("{one}{gap}{other}")
}

/// Header lines without those that stand among these too.
pub fn without_lines(text: &str, unwanted: &str) -> String {
    let (Ok(other), Ok(unwanted)) = (parse(text), parse(unwanted)) else { return text.into() };
    let mut kept = String::from(if other.whole { "\r\n" } else { "" });
    for field in other.fields.iter().filter(|field| !unwanted.fields.iter().any(|gone| gone.raw == field.raw)) {
        kept.push_str(field.raw);
        kept.push_str("\r\n");
    }
    kept
}

/// A field name: printable ASCII without a colon (RFC 5322 section 3.6.8).
fn is_name(name: &str) -> bool {
    (1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_graphic() && b != b':')
}

impl<'a> Other<'a> {
    pub fn find(&self, name: &str) -> Option<&Field<'a>> {
        self.fields.iter().find(|field| field.is(name))
    }

    /// Whether the caller speaks of MIME, so that MIME-Version must be there.
    pub fn has_mime(&self) -> bool {
        self.fields.iter().any(Field::is_mime)
    }

    /// The caller encoded the body: it goes as it is.
    pub fn is_encoded(&self) -> bool {
        let multipart = |field: &Field<'_>| starts_with(field.text().trim_start(), "multipart/");
        self.find("Content-Transfer-Encoding").is_some() || self.find("Content-Type").is_some_and(multipart)
    }

    /// Whether the body is said to be no text.
    pub fn is_binary(&self) -> bool {
        self.find("Content-Transfer-Encoding").is_some_and(|field| field.text().trim().eq_ignore_ascii_case("binary"))
    }

    /// Whether a mailbox in these fields has a local part beyond ASCII.
    pub fn needs_smtputf8(&self) -> bool {
        let mut shown = self.fields.iter().filter(|field| !field.is_hidden() && !field.value.is_ascii());
        shown.any(|field| field.mailboxes().is_some_and(|all| all.iter().any(Mailbox::needs_smtputf8)))
    }

    /// The charset that Content-Type names.
    pub fn charset(&self) -> Option<String> {
        parameter(&self.find("Content-Type")?.text(), "charset")
    }
}

impl Field<'_> {
    /// The whole field without its last CRLF.
    pub fn raw(&self) -> &str {
        self.raw
    }

    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    fn is_content(&self) -> bool {
        starts_with(self.name, "content-")
    }

    fn is_mime(&self) -> bool {
        self.is("MIME-Version") || self.is_content()
    }

    fn is_hidden(&self) -> bool {
        self.is("Bcc") || self.is("Resent-Bcc")
    }

    /// The value on one line.
    pub fn text(&self) -> String {
        line::unfold(self.value).trim_matches([' ', '\t']).to_string()
    }

    /// What a field of mailboxes holds, when that can be read.
    fn mailboxes(&self) -> Option<Vec<Mailbox>> {
        ADDRESS_FIELDS.iter().any(|name| self.is(name)).then(|| address::parse_list(&self.text()).ok())?
    }

    /// The field as it goes out: as the caller wrote it where that can be sent, else encoded.
    fn write(&self, style: &Style) -> String {
        let plain = |c: char| !c.is_control() && (style.utf8 || c.is_ascii()) || c == '\t';
        let lines_fine = self.raw.split("\r\n").all(|line| line.len() <= HARD_LIMIT && line.chars().all(plain));
        if lines_fine {
            return format!("{}\r\n", self.raw);
        }
        let value = self.text();
        if let Some(mailboxes) = self.mailboxes() {
            return addresses(self.name, &mailboxes.into_iter().map(Listed::Mailbox).collect::<Vec<_>>(), style);
        }
        if self.is_content() && value.contains('=') {
            return parameters(self.name, &value, style, &[]);
        }
        fold::unstructured(self.name, &value, style)
    }
}

fn starts_with(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// A MIME field with its parameters encoded where they need it (RFC 2231), and with these that have a value and are not there yet.
pub fn parameters(name: &str, value: &str, style: &Style, more: &[(&str, &str)]) -> String {
    let mut field = FieldWriter::new(name, style);
    for (at, part) in split_parameters(value).into_iter().enumerate() {
        match part.split_once('=') {
            Some((name, value)) if at > 0 && name.trim().bytes().all(param::is_token) => {
                param::write(&mut field, name.trim(), &unquoted(value.trim()));
            }
            _ => {
                if at > 0 {
                    field.glue(";");
                }
                encoded_word::unstructured(&mut field, part);
            }
        }
    }
    for (name, text) in more.iter().filter(|(name, text)| !text.is_empty() && parameter(value, name).is_none()) {
        param::write(&mut field, name, text);
    }
    field.finish()
}

/// A value between its semicolons, but for those in quotes.
fn split_parameters(value: &str) -> Vec<&str> {
    let (mut quoted, mut escaped) = (false, false);
    let parts = value.split(|c| {
        let cut = c == ';' && !quoted;
        quoted ^= c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        cut
    });
    parts.map(str::trim).filter(|part| !part.is_empty()).collect()
}

fn unquoted(value: &str) -> String {
    let Some(inner) = value.strip_prefix('"') else { return value.to_string() };
    let mut out = String::new();
    let mut chars = inner.chars();
    while let Some(c) = chars.next().filter(|c| *c != '"') {
        out.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    out
}

/// A parameter of a MIME value, without quotes.
pub fn parameter(value: &str, wanted: &str) -> Option<String> {
    // A comment may follow: `charset=us-ascii (Plain text)`.
    whole_parameter(value, wanted).map(|value| value.split([' ', '\t', '(']).next().unwrap_or_default().to_string())
}

/// A parameter of a MIME value, in which blanks may stand.
pub fn whole_parameter(value: &str, wanted: &str) -> Option<String> {
    split_parameters(value).into_iter().skip(1).find_map(|part| {
        let (name, value) = part.split_once('=')?;
        let value = unquoted(value.trim());
        (name.trim().eq_ignore_ascii_case(wanted) && !value.is_empty()).then_some(value)
    })
}

/// A field of mailboxes; members of a group stand in it again.
pub fn addresses(name: &str, list: &[Listed], style: &Style) -> String {
    let mut field = FieldWriter::new(name, style);
    for (at, listed) in list.iter().enumerate() {
        let comma = if at + 1 < list.len() { "," } else { "" };
        match listed {
            Listed::Mailbox(mailbox) => {
                let group_of = |other: Option<&Listed>| match other {
                    Some(Listed::Mailbox(Mailbox { group, .. })) => group.clone(),
                    _ => None,
                };
                let before = at.checked_sub(1).and_then(|at| group_of(list.get(at)));
                let after = group_of(list.get(at + 1));
                if let Some(group) = mailbox.group.as_ref().filter(|group| !same_group(before.as_ref(), Some(group))) {
                    encoded_word::phrase(&mut field, group);
                    field.glue(":");
                }
                let last = mailbox.group.as_ref().is_some_and(|group| !same_group(after.as_ref(), Some(group)));
                mailbox.write(&mut field, &format!("{}{comma}", if last { ";" } else { "" }));
            }
            Listed::EmptyGroup(group) => {
                encoded_word::phrase(&mut field, group);
                field.glue(":;");
                field.glue(comma);
            }
            Listed::Text(text) => {
                encoded_word::unstructured(&mut field, text);
                field.glue(comma);
            }
        }
    }
    field.finish()
}

/// A field of mailboxes as a caller wrote them; text that cannot be read goes as text.
pub fn address_text(name: &str, text: &str, style: &Style) -> String {
    let listed = match address::parse_list(text) {
        Ok(mailboxes) => mailboxes.into_iter().map(Listed::Mailbox).collect(),
        Err(_) => vec![Listed::Text(text.to_string())],
    };
    addresses(name, &listed, style)
}

/// Builds the section: a field of the caller's stands where ours would.
pub struct Section<'a> {
    other: &'a Other<'a>,
    used: Vec<bool>,
    style: &'a Style,
    out: String,
}

impl<'a> Section<'a> {
    pub fn new(other: &'a Other<'a>, style: &'a Style) -> Section<'a> {
        let used = other.fields.iter().map(Field::is_hidden).collect();
        Section { other, used, style, out: String::new() }
    }

    /// The caller's fields of this kind, if there are any.
    fn take(&mut self, wanted: &dyn Fn(&Field<'_>) -> bool) -> bool {
        let mut found = false;
        for (field, used) in self.other.fields.iter().zip(&mut self.used) {
            if !*used && wanted(field) {
                *used = true;
                found = true;
                self.out.push_str(&field.write(self.style));
            }
        }
        found
    }

    /// A field that one in OtherHeaders takes the place of; empty: we have none.
    pub fn ours(&mut self, name: &str, text: &str) {
        if !self.take(&|field| field.is(name)) {
            self.out.push_str(text);
        }
    }

    /// [`Section::ours`] with text; none for an empty value.
    pub fn text(&mut self, name: &str, value: &str) {
        let field = if value.is_empty() { String::new() } else { fold::unstructured(name, value, self.style) };
        self.ours(name, &field);
    }

    /// The same with mailboxes.
    pub fn mailboxes(&mut self, name: &str, value: &str) {
        let field = if value.trim().is_empty() { String::new() } else { address_text(name, value, self.style) };
        self.ours(name, &field);
    }

    /// A field in place of the caller's own.
    pub fn instead(&mut self, name: &str, text: &str) {
        for (field, used) in self.other.fields.iter().zip(&mut self.used) {
            *used |= field.is(name);
        }
        self.out.push_str(text);
    }

    /// A field of ours beside any in OtherHeaders.
    pub fn add(&mut self, text: &str) {
        self.out.push_str(text);
    }

    /// The Content fields of the caller that ours did not ask for.
    pub fn contents(&mut self) {
        self.take(&|field| field.is_content());
    }

    /// What was written so far: the fields of an entity within a message.
    pub fn entity(self) -> String {
        self.out
    }

    /// The rest of the caller's fields, and the empty line.
    pub fn finish(mut self) -> Vec<u8> {
        self.take(&|_| true);
        self.out.push_str("\r\n");
        self.out.into_bytes()
    }
}

/// Name and unfolded value of each field of a header section.
pub fn list(section: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(section);
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in text.split("\r\n").take_while(|line| !line.is_empty()) {
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = fields.last_mut() {
                value.push_str(line);
            }
        } else if let Some((name, value)) = line.split_once(':') {
            fields.push((name.to_string(), value.to_string()));
        }
    }
    for (_, value) in &mut fields {
        *value = value.trim_matches([' ', '\t']).to_string();
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_headers_are_taken_apart_with_their_folds() {
        let other = parse("X-One: a\r\n b\r\nX-Two:c\r\n").unwrap();
        let fields: Vec<_> = other.fields.iter().map(|f| (f.name, f.value, f.text())).collect();
        assert_eq!(fields, [("X-One", " a\r\n b", "a b".to_string()), ("X-Two", "c", "c".to_string())]);
        assert!(!other.whole && parse("\r\nX: y").unwrap().whole);
        assert!(parse("").unwrap().fields.is_empty() && parse("\r\n").unwrap().whole);
    }

    #[test]
    fn what_is_no_header_line_is_refused() {
        for bad in [
            "no colon",
            " continued: x",
            "a b: x",
            ": x",
            "ü: x",
            "X: a\nY: b",
            "X: a\rY: b",
            "X: a\r\n\r\nbody",
            "X: a\r\n \r\nY: b",
            "X: \0",
            "\r\n\r\nX: y",
            "X: a\r\n\r\n",
            "a\u{7f}: x",
        ] {
            assert_eq!(parse(bad).unwrap_err().code, Code::ValueRefused, "{bad:?}");
        }
        assert!(parse(&format!("{}: x", "n".repeat(78))).is_err());
    }

    #[test]
    fn parameters_are_found_quoted_or_not() {
        assert_eq!(parameter("text/plain; charset=\"UTF-8\"; format=flowed", "charset").as_deref(), Some("UTF-8"));
        assert_eq!(
            parameter("text/plain; x=\"a;charset=b\";CHARSET = koi8-r (note)", "charset").as_deref(),
            Some("koi8-r")
        );
        assert_eq!(parameter("text/plain", "charset"), None);
    }

    #[test]
    fn a_field_of_the_caller_goes_verbatim_when_it_can_and_encoded_when_not() {
        let style = Style::default();
        let written = |text: &str| parse(text).unwrap().fields[0].write(&style);
        assert_eq!(written("X-A:  b\r\n\tc"), "X-A:  b\r\n\tc\r\n");
        assert_eq!(written("X-A: Grüße aus Köln"), "X-A: =?utf-8?B?R3LDvMOfZQ==?= aus =?utf-8?B?S8O2bG4=?=\r\n");
        assert_eq!(
            written("Reply-To: Jörg <joerg@bücher.example>"),
            "Reply-To: =?utf-8?B?SsO2cmc=?= <joerg@xn--bcher-kva.example>\r\n"
        );
        assert_eq!(
            written("Content-Disposition: attachment; filename=\"ü.txt\""),
            "Content-Disposition: attachment; filename*=utf-8''%C3%BC.txt\r\n"
        );
        assert!(written(&format!("X-A: {}", "word ".repeat(300))).split("\r\n").all(|line| line.len() <= 80));
    }

    #[test]
    fn a_section_is_listed_unfolded() {
        let fields = list(b"From: a@b.example\r\nSubject: one\r\n  two\r\nX:\r\n\r\nbody: no\r\n");
        let expected = [("From", "a@b.example"), ("Subject", "one  two"), ("X", "")];
        assert_eq!(fields, expected.map(|(n, v)| (n.to_string(), v.to_string())));
    }
}
