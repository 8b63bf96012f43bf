//! What XOAUTH2 and OAUTHBEARER share: the bearer token (RFC 6750), the exchange, in which a message with the token is all and
//! a failure comes in a 334 before the refusing reply, and the JSON of that (RFC 7628 section 3.2.2).

use crate::auth::{Credentials, Mechanism, Opening, SecretBytes, refused, wrong};
use crate::error::Result;

/// One of the two, with its message made.
#[derive(Debug)]
pub struct Bearer {
    name: &'static str,
    message: SecretBytes,
    token: SecretBytes,
    /// What is said to a failure, for the server to go on to its reply.
    answer: &'static [u8],
    sent: bool,
    refusal: Option<Refusal>,
}

impl Bearer {
    /// `message` makes the message of user and token.
    pub fn new(
        name: &'static str,
        credentials: &Credentials,
        answer: &'static [u8],
        message: impl FnOnce(&str, &[u8]) -> SecretBytes,
    ) -> Result<Bearer> {
        let user = user(name, credentials)?;
        let token = token(name, credentials)?;
        Ok(Bearer { name, message: message(user, token.expose()), token, answer, sent: false, refusal: None })
    }
}

impl Mechanism for Bearer {
    fn name(&self) -> &'static str {
        self.name
    }

    fn opening(&mut self) -> Result<Opening> {
        self.sent = true;
        Ok(Opening::OnCommandLine(std::mem::take(&mut self.message)))
    }

    fn step(&mut self, challenge: &[u8]) -> Result<SecretBytes> {
        if !self.sent || self.refusal.is_some() {
            return Err(wrong(self.name, "the server's challenge is one too many"));
        }
        self.refusal = Some(Refusal::parse(challenge, &std::mem::take(&mut self.token)));
        Ok(SecretBytes::concat(&[self.answer]))
    }

    fn finished(&self) -> bool {
        self.sent && self.refusal.is_none()
    }

    fn refusal(&self) -> Option<&Refusal> {
        self.refusal.as_ref()
    }
}

/// Most characters shown of one value.
const LONGEST_VALUE: usize = 200;

/// What a server said about a login that it is about to refuse.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refusal {
    /// One line, without secrets: `status invalid_token, scope mail`.
    pub text: String,
    /// Another token may do: this one is expired or not valid.
    pub wants_new_token: bool,
}

impl Refusal {
    /// Reads the challenge of a failure. What can't be read is left out: the server's reply follows anyway.
    pub fn parse(challenge: &[u8], token: &SecretBytes) -> Refusal {
        const SHOWN: [&str; 7] =
            ["status", "error", "error_description", "error_uri", "schemes", "scope", "openid-configuration"];
        let text = String::from_utf8_lossy(challenge);
        let all = members(&text);
        let mut members: Vec<&(String, String)> = Vec::new();
        for shown in SHOWN {
            members.extend(all.iter().filter(|(name, value)| name == shown && !value.trim().is_empty()));
        }
        let of = |wanted: &str| members.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
        // Google says 400 of an expired token.
        let wants_new_token = matches!(of("status").or(of("error")), Some("400" | "401" | "invalid_token"));
        let shown = members.iter().map(|(name, value)| {
            let value: String = value.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            let value = hide(&value, token);
            format!("{name} {}", value.trim().chars().take(LONGEST_VALUE).collect::<String>())
        });
        let text = shown.collect::<Vec<_>>().join(", ");
        Refusal { text: if text.is_empty() { "no reason given".into() } else { text }, wants_new_token }
    }
}

/// A server may well repeat the token that it doesn't like.
fn hide(value: &str, token: &SecretBytes) -> String {
    match std::str::from_utf8(token.expose()) {
        Ok(token) if !token.is_empty() => value.replace(token, "***"),
        _ => value.to_owned(),
    }
}

/// The token of AuthorizationIdentity, without the `Bearer ` that may stand before it.
fn token(name: &str, credentials: &Credentials) -> Result<SecretBytes> {
    let text = credentials.authorization_identity.expose().trim();
    let token = match text.split_once(char::is_whitespace) {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim_start(),
        None if text.eq_ignore_ascii_case("bearer") => "",
        _ => text,
    };
    if token.is_empty() {
        return Err(refused(name, "AuthorizationIdentity has no OAuth token"));
    }
    // RFC 6750 section 2.1, generously; nothing that would end a field of the message.
    if !token.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(refused(
            name,
            "the OAuth token in AuthorizationIdentity has blanks or other characters that no token has",
        ));
    }
    Ok(SecretBytes::concat(&[token.as_bytes()]))
}

/// User, as it may stand in a message whose fields end with ^A.
fn user<'a>(name: &str, credentials: &'a Credentials) -> Result<&'a str> {
    let user = credentials.user.as_str();
    if user.is_empty() {
        return Err(refused(name, "User is empty"));
    }
    if user.chars().any(char::is_control) {
        return Err(refused(name, "User has control characters"));
    }
    Ok(user)
}

/// The members of a JSON object whose values are texts or numbers; others are passed over, and whatever comes after a
/// fault. Not a JSON parser: enough for what it reads, and bounded by its text.
fn members(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let Some(mut rest) = text.trim_start().strip_prefix('{') else { return found };
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
        let Some((name, after)) = string(rest) else { return found };
        let Some(after) = after.trim_start().strip_prefix(':') else { return found };
        let after = after.trim_start();
        if let Some((value, after)) = string(after) {
            found.push((name, value));
            rest = after;
        } else if after.starts_with(['{', '[']) {
            let Some(after) = skip_nested(after) else { return found };
            rest = after;
        } else {
            let end = after.find([',', '}']).unwrap_or(after.len());
            found.push((name, after[..end].trim().to_owned()));
            rest = &after[end..];
        }
    }
}

/// A JSON string at the start of a text, and what follows it.
fn string(text: &str) -> Option<(String, &str)> {
    let body = text.strip_prefix('"')?;
    let mut value = String::new();
    let mut characters = body.char_indices();
    let mut high = None;
    while let Some((at, c)) = characters.next() {
        if c != '\\' {
            if c == '"' {
                return Some((value, &body[at + 1..]));
            }
            value.push(c);
            continue;
        }
        match characters.next()?.1 {
            'n' | 'r' | 't' | 'b' | 'f' => value.push(' '),
            'u' => {
                let unit = u32::from_str_radix(body.get(at + 2..at + 6)?, 16).ok()?;
                characters.nth(3);
                match (high.take(), unit) {
                    (_, 0xd800..=0xdbff) => high = Some(unit),
                    (Some(high), 0xdc00..=0xdfff) => {
                        value.extend(char::from_u32(0x10000 + ((high - 0xd800) << 10) + (unit - 0xdc00)));
                    }
                    _ => value.push(char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER)),
                }
            }
            escaped => value.push(escaped),
        }
    }
    None
}

/// What follows the object or array at the start of a text.
fn skip_nested(text: &str) -> Option<&str> {
    let (mut depth, mut rest) = (0usize, text);
    loop {
        rest = rest.trim_start_matches(|c| !matches!(c, '{' | '[' | '}' | ']' | '"'));
        match rest.chars().next()? {
            '"' => {
                rest = string(rest)?.1;
                continue;
            }
            '{' | '[' => depth += 1,
            _ => depth -= 1,
        }
        rest = &rest[1..];
        if depth == 0 {
            return Some(rest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::tests::credentials;

    fn refusal(json: &str) -> Refusal {
        Refusal::parse(json.as_bytes(), &SecretBytes::concat(&[b"ya29.secret"]))
    }

    #[test]
    fn the_failures_of_rfc_7628_and_of_google_are_read() {
        let rfc = refusal(
            r#"{"status":"invalid_token","scope":"example_scope",
               "openid-configuration":"https://example.com/.well-known/openid-configuration"}"#,
        );
        assert_eq!(
            rfc.text,
            "status invalid_token, scope example_scope, openid-configuration https://example.com/.well-known/openid-configuration"
        );
        assert!(rfc.wants_new_token);
        let google = refusal(r#"{"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"}"#);
        assert_eq!(google.text, "status 400, schemes Bearer, scope https://mail.google.com/");
        assert!(google.wants_new_token && !refusal(r#"{"status":"insufficient_scope"}"#).wants_new_token);
        assert!(refusal(r#" { "scope" : null , "status" : 401 } "#).wants_new_token);
    }

    #[test]
    fn a_token_that_comes_back_is_hidden() {
        let text = refusal(r#"{"status":"400","error_description":"token ya29.secret is \u0062ad\r\n\u001b[2J"}"#).text;
        assert_eq!(text, "status 400, error_description token *** is bad   [2J");
        let escaped = refusal(r#"{"error":"\u0079a29.secret"}"#).text;
        assert_eq!(escaped, "error ***");
    }

    #[test]
    fn broken_and_deep_json_gives_what_can_be_read() {
        for json in
            ["", "{", "[]", "not json", "{\"", "{\"status", "{\"status\":", "{\"a\":\"\\u12", "{\"a\":\"\\", "{]}"]
        {
            assert_eq!(refusal(json).text, "no reason given", "{json}");
        }
        let deep = format!("{{\"x\":{}{},\"status\":\"401\"}}", "[".repeat(30_000), "]".repeat(30_000));
        assert_eq!(refusal(&deep).text, "status 401");
        assert_eq!(refusal(&"{\"x\":[".repeat(5_000)).text, "no reason given");
        assert_eq!(refusal(r#"{"x":{"status":"]\"}"},"error":"\ud83d\ude00 \ud83d x"}"#).text, "error 😀  x");
        let long = refusal(&format!("{{\"error\":\"{}\"}}", "e".repeat(10_000))).text;
        assert_eq!(long.len(), "error ".len() + LONGEST_VALUE);
    }

    #[test]
    fn the_token_stands_with_or_without_its_scheme() {
        for text in ["ya29.x-_~+/==", "Bearer ya29.x-_~+/==", "  bearer\tya29.x-_~+/== "] {
            assert_eq!(token("XOAUTH2", &credentials("u", "", text)).unwrap().expose(), b"ya29.x-_~+/==");
        }
        for text in ["", "Bearer ", "a b", "a\u{1}b", "tökén", "Basic abc"] {
            let error = token("XOAUTH2", &credentials("u", "", text)).unwrap_err();
            assert_eq!(error.code, crate::error::Code::ValueRefused, "{text}");
            assert!(text.is_empty() || !error.message.contains(text), "{}", error.message);
        }
    }
}
