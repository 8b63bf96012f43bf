//! `Config`: settings read and written, shared ones through their property, checked ones checked.

use super::{Component, tls};
use crate::auth;
use crate::config::{self, Access, Setting, Value};
use crate::error::{Code, Error, Result};
use crate::message::compose::IdAlgorithm;
use crate::net::proxy::ProxyLogin;
use crate::queue::recover::Recovery;
use crate::queue::retry::Retry;
use crate::smime::hash_from_name;
use crate::text::charset::Charset;
use crate::text::code_page::CodePage;
use crate::text::line;

impl Component {
    /// "Name" gives the value; "Name=Value" sets it and gives "".
    pub fn config(&self, text: &str) -> Result<String> {
        let (name, value) = config::split(text);
        let setting = config::find(name)?;
        match value {
            None => self.read_setting(setting),
            Some(value) => self.write_setting(setting, value).map(|()| String::new()),
        }
    }

    fn read_setting(&self, setting: Setting) -> Result<String> {
        if setting.access() == Access::Wo {
            return Err(Error::new(Code::Access, format!("{} cannot be read", setting.name())));
        }
        if !setting.property().is_empty() {
            return self.get(setting.property());
        }
        let state = self.state.lock();
        Ok(match setting {
            Setting::Hello => state.hello(),
            Setting::LocalPort if state.server.connected => state.server.local_port().to_string(),
            Setting::TransferText => {
                drop(state);
                return self.transfer_text();
            }
            Setting::ServerExtensions => state.server.extensions.join("\r\n"),
            Setting::BuildInfo => format!("libssmtp {} {}", env!("CARGO_PKG_VERSION"), COMMIT),
            Setting::LicenseInfo => license(),
            Setting::QueuePassword => state.queue_keys.as_ref().map_or("", |keys| keys.password()).to_string(),
            Setting::AuthorizationIdentity => state.server.authorization_identity.expose().to_string(),
            Setting::FirewallData => state.firewall.data.expose().to_string(),
            Setting::FirewallTls => Value::Bool(state.firewall.tls).to_string(),
            Setting::MaskSensitiveData => state.settings.get(Setting::MaskSensitive).to_string(),
            Setting::UseInternalSecurityApi => Value::Bool(tls::use_internal()).to_string(),
            Setting::SslNegotiatedCipher
            | Setting::SslNegotiatedCipherStrength
            | Setting::SslNegotiatedCipherSuite
            | Setting::SslNegotiatedKeyExchange
            | Setting::SslNegotiatedKeyExchangeStrength
            | Setting::SslNegotiatedVersion => state.tls.negotiated(setting),
            setting => state.settings.get(setting).to_string(),
        })
    }

    fn write_setting(&self, setting: Setting, text: &str) -> Result<()> {
        if setting.access() == Access::Ro {
            return Err(Error::new(Code::Access, format!("{} is read-only", setting.name())));
        }
        if !setting.property().is_empty() {
            return self.set(setting.property(), text);
        }
        if setting == Setting::QueuePassword {
            return self.state.lock().set_queue_password(text);
        }
        // A secret: no further copy of it is made.
        if setting == Setting::AuthorizationIdentity {
            return self.state.lock().server.set_authorization_identity(text);
        }
        if setting == Setting::FirewallData && !setting.planned() {
            return self.state.lock().firewall.set_data(text);
        }
        let value = setting.parse(text)?;
        if setting.planned() {
            return super::planned_set(value == setting.initial(), setting.name());
        }
        if let Value::Text(text) = &value
            && !tls::has_lines(setting)
        {
            line::refuse_crlf_nul(setting.name(), text)?;
        }
        let mut state = self.state.lock();
        match setting {
            Setting::LocalPort => state.server.unconnected(Code::LocalPortConnected, "LocalPort")?,
            Setting::MaxLineLength => state.server.unconnected(Code::MaxLineLengthConnected, "MaxLineLength")?,
            Setting::Hello => check_hello(text)?,
            Setting::CodePage => check_code_page(text)?,
            Setting::Charset => check_charset(text)?,
            Setting::MessageIdAlgorithm => check_id_algorithm(text)?,
            Setting::FirewallListener => {
                check_that(
                    "FirewallListener",
                    text,
                    value == Value::Bool(false),
                    "False: a mail client does not listen",
                )?;
            }
            Setting::QueueRetry => {
                check_that("QueueRetry", text, Retry::parse(text).is_some(), "seconds: first[;longest[;expiry]]")?;
            }
            Setting::QueueRecovery if Recovery::from_name(text).is_none() => {
                return Err(Error::new(Code::ValueRefused, "QueueRecovery takes List, Requeue or Fail"));
            }
            Setting::SaslMechanism if !text.trim().is_empty() => drop(auth::choice::check_name(text)?),
            Setting::FirewallTls => {
                state.firewall.set_tls(value == Value::Bool(true));
                return Ok(());
            }
            Setting::FirewallAuthentication => {
                let words = "Any, Basic, Digest or NTLM";
                check_that("FirewallAuthentication", text, ProxyLogin::from_name(text).is_some(), words)?;
            }
            Setting::DsnRet => check_one_of("DsnRet", text, &["", "FULL", "HDRS"])?,
            Setting::BccEncryption => check_one_of("BccEncryption", text, &["Separate", "Shared"])?,
            Setting::OaepHash => hash_from_name(text).map(drop)?,
            Setting::OaepMgfHash if !text.is_empty() => hash_from_name(text).map(drop)?,
            Setting::DsnEnvId => check_that("DsnEnvId", text, text.len() <= 100, "at most 100 characters")?,
            Setting::DeliverBy => check_that("DeliverBy", text, is_deliver_by(text), "seconds, ';' and N or R")?,
            Setting::HoldFor => check_that("HoldFor", text, is_seconds(text), "1 to 999999999 seconds")?,
            Setting::HoldUntil => check_that("HoldUntil", text, is_moment(text), "a date and time of RFC 3339")?,
            Setting::MtPriority => check_that("MtPriority", text, is_priority(text), "-9 to 9")?,
            Setting::UseInternalSecurityApi => {
                tls::set_use_internal(value == Value::Bool(true));
                return Ok(());
            }
            Setting::SecurityProfile => {
                check_one_of("SecurityProfile", text, &["Modern"])?;
                if !text.is_empty() {
                    tls::modern(&mut state.settings);
                    state.smime.modern();
                }
            }
            Setting::MaskSensitiveData => {
                state.settings.set(Setting::MaskSensitive, value);
                return Ok(());
            }
            // The specification: who sets a time wants the probes.
            Setting::KeepAliveTime | Setting::KeepAliveInterval => {
                state.settings.set(Setting::TcpKeepAlive, Value::Bool(true));
            }
            _ => {}
        }
        let old = state.settings.replace(setting, value);
        if let Err(error) = tls::check(&state, setting) {
            state.settings.set(setting, old);
            return Err(error);
        }
        // What is generated for a message (Message-ID, folding) depends on settings too.
        state.message.revision += 1;
        Ok(())
    }
}

/// The commit this was built from, where the build knew it.
const COMMIT: &str = match option_env!("SSMTP_COMMIT") {
    Some(commit) => commit,
    None => "(no commit recorded)",
};

/// The specification's five lines (ruling 29).
fn license() -> String {
    [
        "Product: libssmtp",
        "Product Key: none",
        "License Source: built in",
        "License Type: MIT OR Apache-2.0",
        "Last Valid Build: any",
    ]
    .join("\r\n")
}

fn check_code_page(text: &str) -> Result<()> {
    let number = config::parse_int(text).and_then(|n| i32::try_from(n).ok()).unwrap_or(-1);
    CodePage::find(number).map(drop)
}

fn check_charset(text: &str) -> Result<()> {
    let known = text.is_empty() || Charset::find(text).is_ok();
    if known { Ok(()) } else { Err(Error::new(Code::ValueRefused, "Charset takes the name of a charset for mail")) }
}

fn check_hello(text: &str) -> Result<()> {
    if !text.is_empty() && (!text.is_ascii() || text.bytes().any(|b| b.is_ascii_whitespace() || b.is_ascii_control())) {
        return Err(Error::new(Code::ValueRefused, "Hello is one word of ASCII: a host name or an address literal"));
    }
    Ok(())
}

fn check_id_algorithm(text: &str) -> Result<()> {
    match IdAlgorithm::from_name(text) {
        Some(_) => Ok(()),
        None => Err(Error::new(Code::ValueRefused, "MessageIdAlgorithm takes MD5, SHA1 or SHA256")),
    }
}

fn check_one_of(name: &str, text: &str, words: &[&str]) -> Result<()> {
    check_that(name, text, words.iter().any(|w| w.eq_ignore_ascii_case(text)), &words.join(" "))
}

/// Empty is always fine: it unsets.
fn check_that(name: &str, text: &str, good: bool, what: &str) -> Result<()> {
    if text.is_empty() || good {
        return Ok(());
    }
    Err(Error::new(Code::ValueRefused, format!("{name} takes {what}")))
}

fn is_seconds(text: &str) -> bool {
    text.len() <= 9 && text.bytes().all(|b| b.is_ascii_digit()) && text.parse().is_ok_and(|n: u32| n > 0)
}

/// RFC 2852 §4: up to nine digits with a sign, a mode, and T for tracing.
fn is_deliver_by(text: &str) -> bool {
    let Some((seconds, mode)) = text.split_once(';') else { return false };
    let digits = seconds.strip_prefix(['-', '+']).unwrap_or(seconds);
    let number = (1..=9).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    let returns = mode.to_ascii_uppercase().starts_with('R');
    let positive = !seconds.starts_with('-') && digits.bytes().any(|b| b != b'0');
    number && ["N", "R", "NT", "RT"].iter().any(|m| m.eq_ignore_ascii_case(mode)) && (positive || !returns)
}

/// `2027-01-31T08:00:00Z` or with an offset, as RFC 3339 §5.6 has it.
fn is_moment(text: &str) -> bool {
    let shape = |text: &str, like: &str| {
        text.len() == like.len()
            && text.bytes().zip(like.bytes()).all(|(t, l)| if l == b'9' { t.is_ascii_digit() } else { t == l })
    };
    let Some((clock, zone)) = text.split_at_checked(19) else { return false };
    shape(clock, "9999-99-99T99:99:99") && (zone == "Z" || shape(zone, "+99:99") || shape(zone, "-99:99"))
}

fn is_priority(text: &str) -> bool {
    text.parse().is_ok_and(|n: i32| (-9..=9).contains(&n)) && !text.starts_with('+')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_go_into_a_mail_line_are_checked_when_set() {
        for text in ["120;R", "0;N", "-5;n", "999999999;RT"] {
            assert!(is_deliver_by(text), "{text}");
        }
        for text in ["120", "0;R", "-1;R", ";N", "1234567890;N", "1;X", "1;N x", "1 SIZE=3;N"] {
            assert!(!is_deliver_by(text), "{text}");
        }
        assert!(is_moment("2027-01-31T08:00:00Z") && is_moment("2027-01-31T08:00:00+01:00"));
        for text in ["2027-01-31", "2027-01-31T08:00:00", "2027-01-31T08:00:00Z ", "x", "ééééééééééééé"] {
            assert!(!is_moment(text), "{text}");
        }
        assert!(is_seconds("60") && !is_seconds("0") && !is_seconds("1234567890") && !is_seconds("+1"));
        assert!(is_priority("-9") && is_priority("9") && !is_priority("10") && !is_priority("+1") && !is_priority("x"));
    }
}
