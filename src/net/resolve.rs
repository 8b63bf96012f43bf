//! Host names to addresses: literals directly (RFC 4291 §2.2, brackets allowed), names through the system's resolver.
//! International names go out as RFC 5891 A-labels by way of UTS 46. getaddrinfo can't be stopped, so it runs in a
//! thread of its own that is left behind when time is up.

use super::aside::aside;
use super::clock::Clock;
use super::errno::from_io;
use super::socket::{self, LookupError};
use crate::error::{Code, Error, Result};
use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46, verify_dns_length};
use std::ffi::CString;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

/// How long a wait goes on before it looks at the interrupt again, where nothing can wake it.
pub(crate) const SLICE: Duration = Duration::from_millis(40);

/// Letters, digits, hyphen, dot, and the underscore that some hosts have all the same.
const NOT_IN_NAMES: AsciiDenyList = AsciiDenyList::new(true, "!\"#$%&'()*+,/:;<=>?@[\\]^`{|}~");

/// Which addresses may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IpMode {
    #[default]
    V4,
    V6,
    /// Both, IPv6 first.
    V6ThenV4,
}

impl IpMode {
    fn allows(self, address: IpAddr) -> bool {
        match self {
            IpMode::V4 => address.is_ipv4(),
            IpMode::V6 => address.is_ipv6(),
            IpMode::V6ThenV4 => true,
        }
    }

    fn family(self) -> i32 {
        match self {
            IpMode::V4 => libc::AF_INET,
            IpMode::V6 => libc::AF_INET6,
            IpMode::V6ThenV4 => libc::AF_UNSPEC,
        }
    }

    fn name(self) -> &'static str {
        match self {
            IpMode::V4 => "IPv4",
            IpMode::V6 => "IPv6",
            IpMode::V6ThenV4 => "IP",
        }
    }
}

/// The addresses of `host` in the order in which to try them, never none.
pub fn resolve(host: &str, ip: IpMode, clock: &Clock) -> Result<Vec<IpAddr>> {
    clock.interrupt.check()?;
    if let Some(address) = literal(host) {
        if !ip.allows(address) {
            return Err(Error::new(Code::NoData, format!("{address} is not an {} address", ip.name())));
        }
        return Ok(vec![address]);
    }
    let name = ascii_host(host)?;
    let Ok(query) = CString::new(name) else { return Err(invalid(host)) };
    let family = ip.family();
    resolve_by(host, ip, clock, move || socket::lookup(&query, family))
}

/// `host` as the resolver, TLS and HELO want it: ASCII, A-labels. Error 11001 when it can't be a host name.
pub fn ascii_host(host: &str) -> Result<String> {
    // Four bytes a character at most; what is longer cannot become a legal name and is not worth the work.
    if host.is_empty() || host.len() > 4 * 254 {
        return Err(invalid(host));
    }
    let name = Uts46::new()
        .to_ascii(host.as_bytes(), NOT_IN_NAMES, Hyphens::Allow, DnsLength::Ignore)
        .map_err(|_| invalid(host))?
        .into_owned();
    // No top-level domain is a number: "10", "127.1" and "256.1.1.1" are addresses gone wrong, and old resolvers would
    // read them as some other address.
    let last = name.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
    if !verify_dns_length(&name, true) || last.bytes().all(|b| b.is_ascii_digit()) {
        return Err(invalid(host));
    }
    Ok(name)
}

/// `192.0.2.1`, `2001:db8::1` or `[2001:db8::1]`.
pub(crate) fn literal(host: &str) -> Option<IpAddr> {
    match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(inner) => inner.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        None => host.parse().ok(),
    }
}

fn invalid(host: &str) -> Error {
    let text = match host {
        "" => "the host name is empty".to_owned(),
        _ => format!("{} is not a host name", shown(host)),
    };
    Error::new(Code::HostNotFound, text)
}

/// A name that goes into an error text, cut where it goes on without end.
fn shown(host: &str) -> String {
    match host.char_indices().nth(100) {
        Some((end, _)) => format!("{}…", &host[..end]),
        None => host.to_owned(),
    }
}

type Answer = std::result::Result<Vec<IpAddr>, LookupError>;

/// Runs `lookup` in a thread and waits for it as long as the clock allows.
fn resolve_by(
    host: &str,
    ip: IpMode,
    clock: &Clock,
    lookup: impl FnOnce() -> Answer + Send + 'static,
) -> Result<Vec<IpAddr>> {
    match aside("ssmtp-resolve", &format!("the address of {host}"), clock, lookup)? {
        Some(answer) => ordered(&answer.map_err(|error| failure(host, ip, &error))?, host, ip),
        None => Err(Error::new(Code::NoRecovery, format!("{host}: the resolver gave no answer"))),
    }
}

fn ordered(addresses: &[IpAddr], host: &str, ip: IpMode) -> Result<Vec<IpAddr>> {
    let family = |v4: bool| addresses.iter().copied().filter(move |a| a.is_ipv4() == v4 && ip.allows(*a));
    let addresses: Vec<IpAddr> = family(false).chain(family(true)).collect();
    if addresses.is_empty() {
        return Err(Error::new(Code::NoData, format!("{host} has no {} address", ip.name())));
    }
    Ok(addresses)
}

fn failure(host: &str, ip: IpMode, error: &LookupError) -> Error {
    let (status, text) = match error {
        LookupError::System(error) => return from_io(error, &format!("resolving {host}")),
        LookupError::Resolver(status, text) => (*status, text),
    };
    match status {
        libc::EAI_NONAME => Error::new(Code::HostNotFound, format!("{host}: no such host")),
        libc::EAI_AGAIN => {
            Error::new(Code::TryAgain, format!("{host}: the name servers gave no answer for now ({text})"))
        }
        libc::EAI_MEMORY => Error::new(Code::OutOfMemory, format!("resolving {host}: {text}")),
        status if no_data(status) => Error::new(Code::NoData, format!("{host} has no {} address", ip.name())),
        _ => Error::new(Code::NoRecovery, format!("{host}: {text}")),
    }
}

/// The name exists, without an address of the family: EAI_NODATA and EAI_ADDRFAMILY, which POSIX dropped
/// and the libc crate has for some systems only. Here as Linux and the BSD family number them.
fn no_data(status: i32) -> bool {
    #[cfg(target_os = "linux")]
    const NO_DATA: [i32; 2] = [-5, -9];
    #[cfg(not(target_os = "linux"))]
    const NO_DATA: [i32; 2] = [7, 1];
    NO_DATA.contains(&status)
}

#[cfg(test)]
mod tests {
    use super::super::interrupt::Interrupt;
    use super::*;
    use std::sync::mpsc::channel;
    use std::time::Instant;

    fn refused(host: &str) -> Code {
        resolve(host, IpMode::V4, &Clock::unlimited()).unwrap_err().code
    }

    #[test]
    fn literals_need_no_resolver() {
        let clock = Clock::unlimited();
        assert_eq!(resolve("192.0.2.7", IpMode::V4, &clock).unwrap(), ["192.0.2.7".parse::<IpAddr>().unwrap()]);
        assert_eq!(resolve("[2001:db8::1]", IpMode::V6, &clock).unwrap(), ["2001:db8::1".parse::<IpAddr>().unwrap()]);
        assert_eq!(resolve("::1", IpMode::V6ThenV4, &clock).unwrap(), ["::1".parse::<IpAddr>().unwrap()]);
    }

    #[test]
    fn a_literal_of_the_other_family_is_no_data() {
        let error = resolve("::1", IpMode::V4, &Clock::unlimited()).unwrap_err();
        assert_eq!((error.code, error.message.as_str()), (Code::NoData, "::1 is not an IPv4 address"));
        assert_eq!(resolve("127.0.0.1", IpMode::V6, &Clock::unlimited()).unwrap_err().code, Code::NoData);
    }

    #[test]
    fn what_cannot_be_a_name_is_not_asked_for() {
        let long_label = format!("{}.example", "a".repeat(64));
        let long_name = format!("{}example", "abcdefg.".repeat(32));
        let endless = "x".repeat(1 << 20);
        for host in [
            "",
            ".",
            "a..b",
            " ",
            "a b.example",
            "a\0b",
            "a\r\nb",
            "[192.0.2.1]",
            "[",
            "[]",
            "256.1.1.1",
            "127.1",
            "10",
            "host:25",
            "user@host",
            "a/b",
            "\u{202e}",
            "xn--\u{e9}",
            &long_label,
            &long_name,
            &endless,
        ] {
            assert_eq!(refused(host), Code::HostNotFound, "{host:.40}");
        }
    }

    #[test]
    fn the_text_of_a_refused_name_stays_short() {
        let error = ascii_host(&"é".repeat(4000)).unwrap_err();
        assert!(error.message.len() < 300, "{}", error.message);
    }

    #[test]
    fn international_names_become_a_labels() {
        assert_eq!(ascii_host("Bücher.example").unwrap(), "xn--bcher-kva.example");
        assert_eq!(ascii_host("例え。テスト").unwrap(), "xn--r8jz45g.xn--zckzah");
        assert_eq!(ascii_host("_smtp.Mail_1.example.").unwrap(), "_smtp.mail_1.example.");
    }

    #[test]
    fn localhost_resolves() {
        let addresses = resolve("localhost", IpMode::V4, &Clock::unlimited()).unwrap();
        assert!(addresses.iter().all(|address| address.is_loopback() && address.is_ipv4()), "{addresses:?}");
    }

    #[test]
    fn ipv6_comes_first() {
        let list = || ["192.0.2.1", "2001:db8::1", "192.0.2.2", "2001:db8::2"].map(|a| a.parse().unwrap()).to_vec();
        let texts = |ip| ordered(&list(), "h", ip).unwrap().iter().map(IpAddr::to_string).collect::<Vec<_>>();
        assert_eq!(texts(IpMode::V6ThenV4), ["2001:db8::1", "2001:db8::2", "192.0.2.1", "192.0.2.2"]);
        assert_eq!(texts(IpMode::V4), ["192.0.2.1", "192.0.2.2"]);
        assert_eq!(ordered(&[], "h", IpMode::V4).unwrap_err().code, Code::NoData);
    }

    #[test]
    fn each_failure_of_the_resolver_has_its_number() {
        let code = |status| failure("h", IpMode::V4, &LookupError::Resolver(status, "why".into())).code;
        assert_eq!(code(libc::EAI_NONAME), Code::HostNotFound);
        assert_eq!(code(libc::EAI_AGAIN), Code::TryAgain);
        assert_eq!(code(libc::EAI_FAIL), Code::NoRecovery);
        #[cfg(all(target_os = "linux", target_env = "gnu"))]
        assert_eq!(code(libc::EAI_NODATA), Code::NoData);
        let system = LookupError::System(std::io::Error::from_raw_os_error(libc::EMFILE));
        assert_eq!(failure("h", IpMode::V4, &system).code, Code::TooManyFiles);
    }

    #[test]
    fn an_interrupt_ends_the_wait_for_the_resolver() {
        let (release, hold) = channel::<()>();
        let clock = Clock::unlimited();
        let other = std::sync::Arc::clone(&clock.interrupt);
        let start = Instant::now();
        let stopper = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(50));
            other.interrupt();
        });
        let slow = move || {
            let _ = hold.recv_timeout(Duration::from_secs(20));
            Ok(vec![])
        };
        assert_eq!(resolve_by("slow", IpMode::V4, &clock, slow).unwrap_err().code, Code::Interrupted);
        assert!(start.elapsed() < Duration::from_secs(5));
        drop(release);
        stopper.join().unwrap();
    }

    #[test]
    fn a_silent_resolver_is_a_timeout() {
        let (release, hold) = channel::<()>();
        let clock = Clock::new(Some(Duration::from_millis(120)), None, Interrupt::new());
        let start = Instant::now();
        let slow = move || {
            let _ = hold.recv_timeout(Duration::from_secs(20));
            Ok(vec![])
        };
        let error = resolve_by("slow.example", IpMode::V4, &clock, slow).unwrap_err();
        assert_eq!(error.code, Code::Timeout);
        assert_eq!(error.message, "timed out after 120 ms waiting for the address of slow.example");
        assert!(start.elapsed() >= Duration::from_millis(120));
        drop(release);
    }

    #[test]
    fn a_resolver_thread_that_dies_is_an_error() {
        let dies = || -> Answer { std::panic::resume_unwind(Box::new(())) };
        assert_eq!(resolve_by("h", IpMode::V4, &Clock::unlimited(), dies).unwrap_err().code, Code::NoRecovery);
    }
}
