//! The arguments of MAIL and RCPT (RFC 5321 §4.1.1.2, §4.1.1.3): a path and parameters, each of an extension that was offered.

/// The parameters of MAIL and of RCPT, with the extension that brings them.
const MAIL_PARAMETERS: [(&str, &str); 13] = [
    ("SIZE", "SIZE"),
    ("BODY", "8BITMIME"),
    ("SMTPUTF8", "SMTPUTF8"),
    ("RET", "DSN"),
    ("ENVID", "DSN"),
    ("AUTH", "AUTH"),
    ("REQUIRETLS", "REQUIRETLS"),
    ("HOLDFOR", "FUTURERELEASE"),
    ("HOLDUNTIL", "FUTURERELEASE"),
    ("BY", "DELIVERBY"),
    ("MT-PRIORITY", "MT-PRIORITY"),
    ("MTRK", "MTRK"),
    ("SUBMITTER", "SUBMITTER"),
];
const RCPT_PARAMETERS: [(&str, &str); 3] = [("NOTIFY", "DSN"), ("ORCPT", "DSN"), ("RRVS", "RRVS")];

/// A refusal: code, enhanced code, text.
pub type Refusal = (u16, &'static str, &'static str);

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Mail {
    pub utf8: bool,
    pub binary: bool,
}

/// `FROM:<path> parameters` under the given offers, with messages up to `limit` bytes.
pub fn mail(argument: &str, offers: &dyn Fn(&str) -> bool, limit: u64) -> Result<Mail, Refusal> {
    let (path, parameters) = split(argument, "FROM:").ok_or((501, "5.5.4", "MAIL FROM:<address> is wanted"))?;
    let mut mail = Mail::default();
    for parameter in parameters.split_ascii_whitespace() {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let name = name.to_ascii_uppercase();
        let value = value.to_ascii_uppercase();
        if !MAIL_PARAMETERS.iter().any(|(n, extension)| *n == name && offers(extension)) {
            return Err((555, "5.5.4", "a parameter that was not offered"));
        }
        match (name.as_str(), value.as_str()) {
            ("SIZE", size) => match size.parse::<u64>() {
                Ok(size) if size > limit => return Err((552, "5.3.4", "message too big")),
                Ok(_) => {}
                Err(_) => return Err((501, "5.5.4", "SIZE wants a number")),
            },
            ("BODY", "7BIT" | "8BITMIME") => {}
            ("BODY", "BINARYMIME") if offers("BINARYMIME") && offers("CHUNKING") => mail.binary = true,
            ("BODY", _) => return Err((501, "5.5.4", "an unknown BODY")),
            ("SMTPUTF8", _) => mail.utf8 = true,
            _ => {}
        }
    }
    if !path.is_empty() {
        mailbox(path, mail.utf8)?;
    }
    Ok(mail)
}

/// `TO:<path> parameters`.
pub fn rcpt(argument: &str, offers: &dyn Fn(&str) -> bool, utf8: bool) -> Result<(), Refusal> {
    let (path, parameters) = split(argument, "TO:").ok_or((501, "5.5.4", "RCPT TO:<address> is wanted"))?;
    for parameter in parameters.split_ascii_whitespace() {
        let name = parameter.split_once('=').map_or(parameter, |(name, _)| name).to_ascii_uppercase();
        if !RCPT_PARAMETERS.iter().any(|(n, extension)| *n == name && offers(extension)) {
            return Err((555, "5.5.4", "a parameter that was not offered"));
        }
    }
    if path.eq_ignore_ascii_case("postmaster") {
        return Ok(());
    }
    mailbox(path, utf8)
}

/// The text between '<' and its '>', and what follows it after a blank. Quoted strings may hold both.
fn split<'a>(argument: &'a str, word: &str) -> Option<(&'a str, &'a str)> {
    let start = argument.get(..word.len())?;
    if !start.eq_ignore_ascii_case(word) {
        return None;
    }
    let path = argument[word.len()..].strip_prefix('<')?;
    let mut quoted = false;
    let mut escaped = false;
    for (i, c) in path.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '>' if !quoted => {
                let rest = &path[i + 1..];
                return (rest.is_empty() || rest.starts_with(' ')).then_some((&path[..i], rest));
            }
            _ => {}
        }
    }
    None
}

fn mailbox(path: &str, utf8: bool) -> Result<(), Refusal> {
    if !path.is_ascii() && !utf8 {
        return Err((553, "5.6.7", "this address needs SMTPUTF8"));
    }
    let wrong = Err((501, "5.1.3", "this is no address"));
    // A source route, `@a,@b:user@host`, is legal and ignored (RFC 5321 appendix C).
    let path = match path.strip_prefix('@').and_then(|route| route.split_once(':')) {
        Some((_, path)) => path,
        None => path,
    };
    let Some((local, domain)) = path.rsplit_once('@') else { return wrong };
    let quoted = local.len() >= 2 && local.starts_with('"') && local.ends_with('"');
    let plain = |c: char| !c.is_control() && c != ' ' && !"()<>[]:;,\\\"@".contains(c);
    let local_ok = if quoted { !local.chars().any(char::is_control) } else { local.chars().all(plain) };
    let literal = domain.strip_prefix('[').and_then(|d| d.strip_suffix(']'));
    let domain_ok = literal.unwrap_or(domain).chars().all(|c| plain(c) || (literal.is_some() && c == ':'));
    if local.is_empty() || domain.is_empty() || !local_ok || !domain_ok {
        return wrong;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_taken_with_its_quotes_and_parameters() {
        let all = |_: &str| true;
        assert_eq!(mail("FROM:<>", &all, 9), Ok(Mail::default()));
        assert_eq!(mail("from:<a@b.example> SIZE=9 body=8bitmime", &all, 9), Ok(Mail::default()));
        assert_eq!(mail("FROM:<a@b> SMTPUTF8 BODY=BINARYMIME", &all, 9), Ok(Mail { utf8: true, binary: true }));
        assert_eq!(rcpt(r#"TO:<"a >@\"x"@b.example> NOTIFY=NEVER"#, &all, false), Ok(()));
        assert_eq!(rcpt("TO:<Postmaster>", &all, false), Ok(()));
        assert_eq!(rcpt("TO:<a@[IPv6:::1]>", &all, false), Ok(()));
        assert_eq!(rcpt("TO:<@r1,@r2:a@b>", &all, false), Ok(()));
    }

    #[test]
    fn what_was_not_offered_or_is_no_address_is_refused() {
        let none = |_: &str| false;
        let all = |_: &str| true;
        for (argument, code) in [
            ("", 501),
            ("FROM: <a@b>", 501),
            ("FROM:a@b", 501),
            ("FROM:<a@b", 501),
            ("FROM:<a@b>x", 501),
            ("FROM:<a b@c>", 501),
            ("FROM:<a@b@c>", 501),
            ("FROM:<a>", 501),
            ("FROM:<é@b>", 553),
            ("FROM:<a@b> SIZE=1", 555),
            ("FROM:<a@b> XYZ", 555),
        ] {
            assert_eq!(mail(argument, &none, 9).map_err(|e| e.0), Err(code), "{argument}");
        }
        assert_eq!(mail("FROM:<a@b> SIZE=10", &all, 9).map_err(|e| e.0), Err(552));
        assert_eq!(mail("FROM:<a@b> SIZE=x", &all, 9).map_err(|e| e.0), Err(501));
        assert_eq!(rcpt("TO:<>", &none, false).map_err(|e| e.0), Err(501));
        assert_eq!(rcpt("TO:<a@b> NOTIFY=NEVER", &none, false).map_err(|e| e.0), Err(555));
        assert_eq!(rcpt("TO:é", &none, false).map_err(|e| e.0), Err(501));
    }
}
