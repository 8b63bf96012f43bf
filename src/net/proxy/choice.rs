//! Which proxy leads to a host: the exceptions (ProxyExceptionsList, no_proxy), and the proxy that the environment names
//! (all_proxy, http_proxy), as curl and most Unix programs read it.

use super::{Proxy, usual_port};
use crate::enums::FirewallType;
use crate::error::{Code, Error, Result};
use crate::net::resolve::literal;
use crate::text::mask::Secret;
use std::net::IpAddr;

/// Whether the list, of names and addresses with semicolons between them in which `*` stands for anything, has the host.
pub fn is_exception(list: &str, host: &str) -> bool {
    let host = plain(host);
    list.split(';').map(str::trim).filter(|item| !item.is_empty()).any(|item| {
        let item = plain(item);
        let same = matches!((literal(&item), literal(&host)), (Some(a), Some(b)) if a == b);
        same || wild(item.as_bytes(), host.as_bytes())
    })
}

/// In lower case, without the dot of a full name and the brackets of an address.
fn plain(host: &str) -> String {
    let host = host.trim().trim_start_matches('[').trim_end_matches(']');
    host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
}

/// Matches `*`; going back to the last star only, so that no list takes long.
fn wild(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star = None;
    while t < text.len() {
        if pattern.get(p) == Some(&b'*') {
            star = Some((p, t));
            p += 1;
        } else if pattern.get(p) == Some(&text[t]) {
            p += 1;
            t += 1;
        } else if let Some((at, taken)) = star {
            star = Some((at, taken + 1));
            p = at + 1;
            t = taken + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|b| *b == b'*')
}

/// The proxy that the environment names for the host; none where it names none or excepts the host. `lookup` reads a
/// variable.
pub fn detect(lookup: &dyn Fn(&str) -> Option<String>, host: &str) -> Result<Option<Proxy>> {
    let read = |name: &str| {
        let upper = name.to_ascii_uppercase();
        // A web server puts a client's header "Proxy:" into HTTP_PROXY of its CGI programs.
        let foreign = name == "http_proxy" && lookup("REQUEST_METHOD").is_some();
        let value = lookup(name).or_else(|| if foreign { None } else { lookup(&upper) });
        value.map(|v| v.trim().to_string()).filter(|v| !v.is_empty())
    };
    if read("no_proxy").is_some_and(|list| is_unproxied(&list, host)) {
        return Ok(None);
    }
    // all_proxy is meant for every protocol, http_proxy for another one.
    ["all_proxy", "http_proxy"].into_iter().find_map(|name| read(name).map(|url| parse(name, &url))).transpose()
}

/// no_proxy: commas or blanks between names, which stand for all names below them too, addresses and networks.
fn is_unproxied(list: &str, host: &str) -> bool {
    let host = plain(host);
    let address = literal(&host);
    list.split([',', ' ', '\t']).map(plain).filter(|item| !item.is_empty()).any(|item| {
        if item == "*" {
            return true;
        }
        if let Some(address) = address {
            return literal(&item) == Some(address) || in_network(&item, address);
        }
        let name = item.trim_start_matches("*.").trim_start_matches('.');
        !name.is_empty() && (host == name || host.strip_suffix(name).is_some_and(|rest| rest.ends_with('.')))
    })
}

/// `192.0.2.0/24`.
fn in_network(item: &str, address: IpAddr) -> bool {
    let Some((network, bits)) = item.split_once('/') else { return false };
    let Ok(bits) = bits.parse::<u32>() else { return false };
    match (literal(network), address) {
        (Some(IpAddr::V4(a)), IpAddr::V4(b)) if bits <= 32 => {
            let differ = u32::from(a) ^ u32::from(b);
            bits == 0 || differ >> (32 - bits) == 0
        }
        (Some(IpAddr::V6(a)), IpAddr::V6(b)) if bits <= 128 => {
            let differ = u128::from(a) ^ u128::from(b);
            bits == 0 || differ >> (128 - bits) == 0
        }
        _ => false,
    }
}

/// `scheme://user:password@host:port/`; all but the host may be missing. The text is never repeated: it may hold a
/// password.
fn parse(variable: &str, url: &str) -> Result<Proxy> {
    let refused = |what: &str| Error::new(Code::Firewall, format!("{variable} in the environment {what}"));
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    let tls = scheme.eq_ignore_ascii_case("https");
    let (kind, resolves) = match scheme.to_ascii_lowercase().as_str() {
        "http" | "https" => (FirewallType::Tunnel, true),
        "socks4" => (FirewallType::Socks4, false),
        "socks4a" => (FirewallType::Socks4a, true),
        "socks5" | "socks" => (FirewallType::Socks5, false),
        "socks5h" => (FirewallType::Socks5, true),
        _ => {
            return Err(refused(
                "names a proxy of a kind that is not supported: http, https, socks4, socks4a, socks5, socks5h",
            ));
        }
    };
    let rest = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let (login, place) = rest.rsplit_once('@').unwrap_or(("", rest));
    let (user, password) = login.split_once(':').unwrap_or((login, ""));
    let decoded = |text: &str| decode(text).ok_or_else(|| refused("has a user or password that cannot be read"));
    let (host, port) = match place.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => (host, port),
        _ => (place, ""),
    };
    let port = match port {
        "" => usual_port(kind, tls),
        digits => digits.parse().ok().filter(|n| *n > 0).ok_or_else(|| refused("has no TCP port behind its host"))?,
    };
    if host.is_empty() || host.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(refused("names no host"));
    }
    Ok(Proxy {
        kind,
        host: host.to_string(),
        port,
        user: decoded(user)?,
        password: Secret::new(&decoded(password)?),
        resolves,
        tls,
        ..Proxy::default()
    })
}

/// %41 as A. None for what is not UTF-8 or holds a control character.
fn decode(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut octets = text.bytes();
    while let Some(octet) = octets.next() {
        out.push(match octet {
            b'%' => {
                let mut digit = || octets.next().and_then(|b| char::from(b).to_digit(16));
                let (high, low) = (digit()?, digit()?);
                u8::try_from(high * 16 + low).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(out).ok().filter(|text| !text.chars().any(char::is_control))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(variables: &[(&str, &str)], host: &str) -> Result<Option<Proxy>> {
        let lookup = |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, v)| v.to_string());
        detect(&lookup, host)
    }

    #[test]
    fn an_exception_is_exact_wild_or_an_address_in_any_case() {
        let list = ";Mail.Example; *.internal.example ;;10.0.*;::1; ;";
        for host in
            ["mail.example", "MAIL.EXAMPLE.", "a.internal.example", "a.b.internal.example", "10.0.3.4", "[0::1]"]
        {
            assert!(is_exception(list, host), "{host}");
        }
        for host in ["xmail.example", "mail.example.net", "internal.example", "10.1.0.0", "::2", ""] {
            assert!(!is_exception(list, host), "{host}");
        }
        assert!(!is_exception("", "a") && !is_exception(";;", "a") && is_exception("*", "a"));
    }

    #[test]
    fn no_pattern_takes_long() {
        let start = std::time::Instant::now();
        assert!(!is_exception(&format!("{}b", "a*".repeat(5_000)), &"a".repeat(20_000)));
        assert!(start.elapsed().as_secs() < 20);
    }

    #[test]
    fn the_environment_is_read_in_both_cases() {
        for name in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] {
            let proxy = found(&[(name, "http://proxy.example:3128/")], "h").unwrap().unwrap();
            assert_eq!((proxy.kind, proxy.host.as_str(), proxy.port), (FirewallType::Tunnel, "proxy.example", 3128));
        }
        for name in ["no_proxy", "NO_PROXY"] {
            assert!(found(&[("all_proxy", "p"), (name, "h.example")], "H.example").unwrap().is_none());
        }
        let both = [("all_proxy", "socks5://a"), ("http_proxy", "b"), ("ALL_PROXY", "c")];
        assert_eq!(found(&both, "h").unwrap().unwrap().host, "a");
        assert!(found(&[], "h").unwrap().is_none() && found(&[("all_proxy", " ")], "h").unwrap().is_none());
    }

    #[test]
    fn a_cgi_program_takes_no_proxy_from_its_client() {
        let cgi = [("HTTP_PROXY", "http://evil"), ("REQUEST_METHOD", "GET")];
        assert!(found(&cgi, "h").unwrap().is_none());
    }

    #[test]
    fn every_part_of_a_proxy_address_is_read() {
        let cases = [
            ("p", FirewallType::Tunnel, "p", 80, "", "", true),
            ("socks4://p", FirewallType::Socks4, "p", 1080, "", "", false),
            ("Https://u@p/", FirewallType::Tunnel, "p", 443, "u", "", true),
            ("SOCKS4A://u@p:99", FirewallType::Socks4a, "p", 99, "u", "", true),
            ("socks5://u:p%40%3Aw@[::1]:99/x", FirewallType::Socks5, "[::1]", 99, "u", "p@:w", false),
            ("socks5h://[::1]", FirewallType::Socks5, "[::1]", 1080, "", "", true),
        ];
        for (url, kind, host, port, user, password, resolves) in cases {
            let proxy = found(&[("all_proxy", url)], "h").unwrap().unwrap();
            assert_eq!(
                (proxy.kind, proxy.host.as_str(), proxy.port, proxy.resolves),
                (kind, host, port, resolves),
                "{url}"
            );
            assert_eq!((proxy.user.as_str(), proxy.password.expose()), (user, password), "{url}");
        }
    }

    #[test]
    fn what_cannot_be_a_proxy_is_118_and_not_repeated() {
        for url in [
            "gopher://u:pw77@p",
            "ftp://u:pw77@p",
            "http://u:pw77@",
            "http://u:pw77@p:x",
            "http://u:pw77@p:0",
            "http://u:pw77%@p",
            "http://u:pw77%0d@p",
            "http://u:pw77%ff@p",
            "http://u:pw77@a b",
            "http://u:pw77@p:99999",
        ] {
            let error = found(&[("all_proxy", url)], "h").unwrap_err();
            assert_eq!(error.code, Code::Firewall, "{url}");
            assert!(!error.message.contains("pw77") && error.message.starts_with("all_proxy"), "{}", error.message);
        }
    }

    #[test]
    fn no_proxy_takes_names_below_networks_and_everything() {
        let list = "example.com, .Example.net 10.0.0.0/8,2001:db8::/32,192.0.2.7";
        for host in ["example.com", "a.example.com", "a.example.net", "10.9.8.7", "[2001:db8::5]", "192.0.2.7"] {
            assert!(is_unproxied(list, host), "{host}");
        }
        for host in ["notexample.com", "example.org", "11.0.0.1", "2001:db9::5", "192.0.2.70"] {
            assert!(!is_unproxied(list, host), "{host}");
        }
        assert!(is_unproxied("*", "x") && !is_unproxied(",. /99,::/129,1.1.1.1/33", "x"));
    }
}
