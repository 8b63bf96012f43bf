//! Parameters of MIME headers, such as a file name: RFC 2045 section 5.1, RFC 2231.

use super::encoded_word::quoted;
use super::fold::FieldWriter;

/// Longest parameter on a line: a blank before it and a semicolon behind it make 76 with it.
const LONGEST: usize = 74;

/// Writes `; name=value` behind what the field has so far: a token or quoted string when the value is short ASCII, else
/// the extended form of RFC 2231 in UTF-8, in numbered sections when it is long.
pub fn write(field: &mut FieldWriter<'_>, name: &str, value: &str) {
    for section in sections(name, value) {
        field.glue(";");
        field.token(" ", &section);
    }
}

/// The `name=value` texts that a parameter becomes.
pub fn sections(name: &str, value: &str) -> Vec<String> {
    // Readers decode an encoded word in a quoted string too, although RFC 2047 forbids it there.
    if value.chars().all(|c| c.is_ascii_graphic() || c == ' ') && !value.contains("=?") {
        // Parsers that know RFC 2231 stop at the three characters it takes from a token.
        let plain = if !value.is_empty() && value.bytes().all(|b| is_token(b) && !b"*'%".contains(&b)) {
            format!("{name}={value}")
        } else {
            format!("{name}={}", quoted(value))
        };
        if plain.len() <= LONGEST {
            return vec![plain];
        }
    }
    let mut pieces = value.chars().map(percent);
    let whole = format!("{name}*=utf-8''{}", pieces.clone().collect::<String>());
    if whole.len() <= LONGEST {
        return vec![whole];
    }
    let mut sections = Vec::new();
    let mut section = format!("{name}*0*=utf-8''");
    for piece in pieces.by_ref() {
        // A character is never cut: its octets stay in one section.
        if section.len() + piece.len() > LONGEST {
            let next = format!("{name}*{}*=", sections.len() + 1);
            sections.push(std::mem::replace(&mut section, next));
        }
        section.push_str(&piece);
    }
    sections.push(section);
    sections
}

/// A character as it stands in an extended value: an attribute-char of RFC 2231, or its octets in percent form.
fn percent(c: char) -> String {
    if c.is_ascii_alphanumeric() || "!#$&+-.^_`{|}~".contains(c) {
        return c.to_string();
    }
    let mut buffer = [0; 4];
    c.encode_utf8(&mut buffer).bytes().map(|b| format!("%{b:02X}")).collect()
}

/// A character of a token (RFC 2045 section 5.1).
pub fn is_token(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?=".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::fold::Style;

    #[test]
    fn a_short_ascii_value_is_a_token_or_a_quoted_string() {
        assert_eq!(sections("filename", "a.txt"), ["filename=a.txt"]);
        assert_eq!(sections("filename", "my \"file\".txt"), [r#"filename="my \"file\".txt""#]);
        assert_eq!(sections("name", ""), [r#"name="""#]);
        assert_eq!(sections("name", "=?utf-8?q?x?="), ["name*=utf-8''%3D%3Futf-8%3Fq%3Fx%3F%3D"]);
        assert_eq!(sections("name", "it's"), [r#"name="it's""#]);
        assert_eq!(sections("name", "100%*"), [r#"name="100%*""#]);
    }

    #[test]
    fn other_values_are_extended_and_long_ones_go_in_sections() {
        assert_eq!(sections("filename", "€ rates"), ["filename*=utf-8''%E2%82%AC%20rates"]);
        let long = sections("filename", &"ü".repeat(40));
        assert_eq!(long.len(), 5);
        assert!(long[0].starts_with("filename*0*=utf-8''%C3%BC") && long[4].starts_with("filename*4*=%C3%BC"));
        assert!(long.iter().all(|section| section.len() <= LONGEST));
        // The octets of a character stay together, so each section decodes alone.
        assert!(long.iter().all(|section| section.ends_with("%BC")));
    }

    #[test]
    fn control_characters_never_stand_raw() {
        assert_eq!(sections("filename", "a\r\nb\0"), ["filename*=utf-8''a%0D%0Ab%00"]);
    }

    #[test]
    fn a_field_is_folded_between_its_parameters() {
        let style = Style::default();
        let mut field = FieldWriter::new("Content-Disposition", &style);
        field.token(" ", "attachment");
        write(&mut field, "filename", &"long-file-name-".repeat(5));
        let text = field.finish();
        assert!(text.split("\r\n").all(|line| line.len() <= 78), "{text}");
    }
}
