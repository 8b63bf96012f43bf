//! The challenges of a 407: Proxy-Authenticate lines, RFC 9110 §11.3 and §11.7.1. Several challenges in a line, several lines,
//! parameters in quotes or not.

/// One scheme that a proxy takes, with what it says about it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Challenge {
    /// In lower case.
    pub scheme: String,
    /// NTLM's message.
    pub token: Option<String>,
    /// Names in lower case.
    pub parameters: Vec<(String, Vec<u8>)>,
}

/// More challenges or parameters than any proxy has; what comes behind is not read.
const MOST: usize = 64;

/// Those of one line's value. What can't be read ends it; what was read before counts.
pub fn read(value: &[u8]) -> Vec<Challenge> {
    let mut found: Vec<Challenge> = Vec::new();
    for item in items(value).into_iter().take(MOST) {
        let (word, rest) = word(item);
        if word.is_empty() {
            break;
        }
        let after = rest.trim_ascii_start();
        if let (Some(value), Some(current)) = (after.strip_prefix(b"="), found.last_mut()) {
            let Some(value) = text(value.trim_ascii()) else { break };
            current.parameters.push((lower(word), value));
            continue;
        }
        if !rest.is_empty() && rest.len() == after.len() {
            // Neither a blank nor an end behind the name of a scheme.
            break;
        }
        let mut challenge = Challenge { scheme: lower(word), ..Challenge::default() };
        if !after.is_empty() {
            match parameter(after) {
                Some(parameter) => challenge.parameters.push(parameter),
                None if after.iter().all(|b| b.is_ascii_alphanumeric() || b"-._~+/=".contains(b)) => {
                    challenge.token = Some(String::from_utf8_lossy(after).into_owned());
                }
                None => break,
            }
        }
        found.push(challenge);
    }
    found
}

/// `name=value`, where the value is more than the padding of a token.
fn parameter(item: &[u8]) -> Option<(String, Vec<u8>)> {
    let (name, rest) = word(item);
    let value = rest.trim_ascii_start().strip_prefix(b"=")?.trim_ascii();
    if name.is_empty() || value.is_empty() || value.starts_with(b"=") {
        return None;
    }
    Some((lower(name), text(value)?))
}

/// A token or a quoted string.
fn text(value: &[u8]) -> Option<Vec<u8>> {
    let Some(inner) = value.strip_prefix(b"\"") else {
        let (token, rest) = word(value);
        return rest.is_empty().then(|| token.to_vec());
    };
    let mut out = Vec::with_capacity(inner.len());
    let mut octets = inner.iter();
    while let Some(&octet) = octets.next() {
        let octet = match octet {
            b'"' => return octets.as_slice().is_empty().then_some(out),
            b'\\' => *octets.next()?,
            octet => octet,
        };
        // It will be said again in a header line.
        if octet.is_ascii_control() && octet != b'\t' {
            return None;
        }
        out.push(octet);
    }
    None
}

/// What stands between commas that are not in quotes; empty items say nothing.
fn items(value: &[u8]) -> Vec<&[u8]> {
    let (mut items, mut start, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (at, &octet) in value.iter().enumerate() {
        match octet {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b',' if !quoted => {
                items.push(value[start..at].trim_ascii());
                start = at + 1;
            }
            _ => {}
        }
    }
    items.push(value[start..].trim_ascii());
    items.retain(|item| !item.is_empty());
    items
}

/// The token (RFC 9110 §5.6.2) at the start, and the rest.
fn word(text: &[u8]) -> (&[u8], &[u8]) {
    let is_part = |b: &u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(b);
    text.split_at(text.iter().position(|b| !is_part(b)).unwrap_or(text.len()))
}

fn lower(text: &[u8]) -> String {
    String::from_utf8_lossy(text).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(scheme: &str, token: Option<&str>, parameters: &[(&str, &str)]) -> Challenge {
        let parameters = parameters.iter().map(|(n, v)| (n.to_string(), v.as_bytes().to_vec())).collect();
        Challenge { scheme: scheme.into(), token: token.map(str::to_string), parameters }
    }

    #[test]
    fn a_line_of_rfc_9110_has_two_challenges() {
        let line = br#"Basic realm="simple", Newauth realm="apps", type=1, title="Login to \"apps\"""#;
        assert_eq!(
            read(line),
            [
                one("basic", None, &[("realm", "simple")]),
                one("newauth", None, &[("realm", "apps"), ("type", "1"), ("title", "Login to \"apps\"")]),
            ]
        );
    }

    #[test]
    fn schemes_alone_tokens_and_odd_spacing_are_read() {
        assert_eq!(read(b"NTLM"), [one("ntlm", None, &[])]);
        assert_eq!(read(b"NTLM TlRMTVNTUAACAAAA/+=="), [one("ntlm", Some("TlRMTVNTUAACAAAA/+=="), &[])]);
        assert_eq!(read(b"NTLM abc="), [one("ntlm", Some("abc="), &[])]);
        assert_eq!(read(b", ,Negotiate , NTLM,"), [one("negotiate", None, &[]), one("ntlm", None, &[])]);
        let digest = br#"DIGEST Realm = "a, b" ,nonce=  n1 , qop="auth,auth-int""#;
        assert_eq!(
            read(digest),
            [one("digest", None, &[("realm", "a, b"), ("nonce", "n1"), ("qop", "auth,auth-int")])]
        );
    }

    #[test]
    fn what_cannot_be_read_ends_it_and_never_panics() {
        for (line, count) in [
            (&b""[..], 0),
            (b"=", 0),
            (b"\"", 0),
            (b"a=b", 0),
            (b"Basic, x", 2),
            (b"Basic realm=\"open", 0),
            (b"Basic realm=\"a\"b", 0),
            (b"Basic realm=\"a\x01b\"", 0),
            (b"Basic realm=\"a\\\rb\"", 0),
            (b"Basic realm=x, Digest realm=\"\\", 1),
            (b"Basic realm=x, =y, NTLM", 1),
            (b"NTLM a b", 0),
            (b"B\xff", 0),
        ] {
            assert_eq!(read(line).len(), count, "{}", String::from_utf8_lossy(line));
        }
        assert_eq!(read(&b"a,".repeat(100_000)).len(), MOST);
    }
}
