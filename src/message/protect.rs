//! Header protection, RFC 9788: the header fields go into what is signed or encrypted; an encrypted message shows only `[...]` as
//! its subject outside, and a program that knows nothing of this shows the subject above the text (legacy display).

use super::compose::{self, Generated, Options};
use super::draft::Draft;
use super::headers::{self, Section};
use super::mime::Entity;
use crate::error::Result;
use crate::text::fold::Style;

/// What an encrypted message shows as its subject (hcp_baseline, RFC 9788 section 3.2.1).
const OBSCURED: &str = "[...]";
/// Fields that an encrypted message does not show at all.
const HIDDEN: [&str; 2] = ["Comments", "Keywords"];

/// Protected fields that must be the same outside whenever the message is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Protected {
    /// The message is encrypted.
    cipher: bool,
    date: String,
    message_id: String,
}

impl Protected {
    /// Fixes what is made up for the message.
    pub fn new(draft: &Draft, options: &Options, generated: &mut Generated, cipher: bool) -> Result<Protected> {
        generated.for_revision(draft.revision);
        fields(draft, options, generated, &options.style(false)?)?;
        let fixed = |given: &String, made: &Option<String>| match made {
            Some(made) if given == "*" => made.clone(),
            _ => given.clone(),
        };
        Ok(Protected {
            cipher,
            date: fixed(&draft.message_date, &generated.date),
            message_id: fixed(&draft.message_id, &generated.message_id),
        })
    }

    /// The message with the date and the identifier that all its forms have.
    fn fixed(&self, draft: &Draft) -> Draft {
        let mut fixed = draft.clone();
        fixed.message_date.clone_from(&self.date);
        fixed.message_id.clone_from(&self.message_id);
        fixed
    }

    /// The draft as its outer header section shows it.
    pub(super) fn outer(&self, draft: &Draft) -> Result<Draft> {
        let mut outer = self.fixed(draft);
        if self.cipher {
            let subject = !draft.subject.is_empty() || headers::parse(&draft.other_headers)?.find("Subject").is_some();
            outer.subject = if subject { OBSCURED.into() } else { String::new() };
            outer.other_headers = headers::without_names(&draft.other_headers, &["Subject", HIDDEN[0], HIDDEN[1]])?;
        }
        Ok(outer)
    }

    /// The innermost entity with the fields in it.
    pub(super) fn entity(
        &self,
        draft: &Draft,
        options: &Options,
        generated: &mut Generated,
        entity: Entity,
    ) -> Result<Entity> {
        let style = options.style(false)?;
        let fixed = self.fixed(draft);
        let mut all = fields(&fixed, options, generated, &style)?;
        let kind = if self.cipher { "cipher" } else { "clear" };
        if self.cipher {
            let outside = fields(&self.outer(draft)?, options, generated, &style)?;
            for field in &headers::parse(&outside)?.fields {
                all.push_str(&format!("HP-Outer: {}\r\n", field.raw()));
            }
        }
        all.push_str(&with_parameter(&entity.fields, &format!("hp=\"{kind}\"")));
        Ok(Entity { fields: all, ..entity })
    }

    /// The text with its subject above it, for programs that do not know of protected headers; nothing where the outside shows it.
    pub(super) fn legacy(&self, draft: &Draft) -> Option<Legacy> {
        (self.cipher && !draft.subject.is_empty()).then(|| Legacy { subject: draft.subject.clone() })
    }
}

/// The subject as a part of the text (RFC 9788 section 5.2.2).
pub(super) struct Legacy {
    subject: String,
}

impl Legacy {
    pub fn in_text(&self, text: &[u8]) -> Vec<u8> {
        [b"Subject: ", self.subject.as_bytes(), b"\r\n\r\n", text].concat()
    }

    /// Behind `<body…>`, or in front of everything.
    pub fn in_html(&self, html: &[u8]) -> Vec<u8> {
        let lower = html.to_ascii_lowercase();
        let body = memchr::memmem::find(&lower, b"<body");
        let at = body.and_then(|start| Some(start + memchr::memchr(b'>', &lower[start..])? + 1)).unwrap_or(0);
        let mut shown = String::new();
        for c in self.subject.chars() {
            match c {
                '<' => shown.push_str("&lt;"),
                '>' => shown.push_str("&gt;"),
                '&' => shown.push_str("&amp;"),
                c => shown.push(c),
            }
        }
        let element = format!("<div class=\"header-protection-legacy-display\"><pre>Subject: {shown}</pre></div>\r\n");
        [&html[..at], element.as_bytes(), &html[at..]].concat()
    }
}

/// The parameter that tells of a legacy display.
pub(super) const LEGACY: &str = "hp-legacy-display=\"1\"";

/// The header section without the lines of MIME, and without the empty line.
fn fields(draft: &Draft, options: &Options, generated: &mut Generated, style: &Style) -> Result<String> {
    let (rest, _) = headers::split_mime(&draft.other_headers)?;
    let other = headers::parse(&rest)?;
    let mut section = Section::new(&other, style);
    if !other.whole {
        compose::fields(&mut section, draft, options, generated, style)?;
    }
    let mut text = String::from_utf8_lossy(&section.finish()).into_owned();
    text.truncate(text.len() - 2);
    Ok(text)
}

/// Fields with a parameter more in the Content-Type among them.
pub(super) fn with_parameter(fields: &str, parameter: &str) -> String {
    let mut out = String::with_capacity(fields.len() + parameter.len() + 5);
    let mut inside = false;
    for line in fields.split_inclusive("\r\n") {
        let continued = line.starts_with([' ', '\t']);
        if inside && !continued {
            out.truncate(out.len() - 2);
            out.push_str(&format!(";\r\n {parameter}\r\n"));
        }
        let named = line.get(..13).is_some_and(|start| start.eq_ignore_ascii_case("Content-Type:"));
        inside = if continued { inside } else { named };
        out.push_str(line);
    }
    if inside {
        out.truncate(out.len() - 2);
        out.push_str(&format!(";\r\n {parameter}\r\n"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_put_behind_the_last_line_of_the_content_type() {
        for (fields, result) in [
            ("Content-Type: a/b\r\n", "Content-Type: a/b;\r\n x=y\r\n"),
            (
                "X: 1\r\nContent-type: a/b;\r\n c=d\r\nZ: 2\r\n",
                "X: 1\r\nContent-type: a/b;\r\n c=d;\r\n x=y\r\nZ: 2\r\n",
            ),
            ("X: 1\r\n", "X: 1\r\n"),
        ] {
            assert_eq!(with_parameter(fields, "x=y"), result);
        }
    }

    #[test]
    fn a_subject_in_html_is_text() {
        let legacy = Legacy { subject: "<a> & b".into() };
        let html = String::from_utf8(legacy.in_html(b"<html><BODY bgcolor=x>hi")).unwrap();
        assert!(html.starts_with("<html><BODY bgcolor=x><div class="), "{html}");
        assert!(html.contains("Subject: &lt;a&gt; &amp; b<") && html.ends_with("hi"), "{html}");
        assert!(legacy.in_html(b"hi").ends_with(b"hi"));
    }
}
