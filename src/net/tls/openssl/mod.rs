//! The Platform provider: the system's OpenSSL, loaded at run time, for what rustls leaves out on purpose. TLS 1.0 to 1.3.
//!
//! The library never touches the socket: records go through memory, and what it answers is held back while a certificate
//! waits for its judgement, which is the same code for both providers. Of the library's own check nothing is asked.
//!
//! Sessions live with the context they were made under, and that is kept for one set of equal options, as with Internal.

mod fault;
mod foreign;
mod names;
mod shape;
mod stream;
mod trust;

use self::foreign::{Connection, Context, Exchange, Session, Step, Tray};
use self::shape::Shape;
use self::stream::OpensslStream;
use self::trust::Authorities;
use super::decide::{HANDSHAKE_FAILURE, decide, now, say, server_name};
use super::der::Certificate;
use super::fault::failed;
use super::held::{self, Held};
use super::keylog::KeyLogFile;
use super::patience::Patience;
use super::roots::Stamp;
use super::stream::last_word;
use super::verify::Sent;
use super::{Judge, Negotiated, Provider, Secured, TlsOptions};
use crate::error::{Code, Error, Result};
use crate::net::{Clock, Stream};
use parking_lot::Mutex;
use rustls::pki_types::{CertificateDer, ServerName};
use std::io::IoSlice;
use std::sync::Arc;

/// Sessions of one context.
const SESSIONS: usize = 8;
/// What is read from below at once.
const PIECE: usize = 16 * 1024 + 2048;

/// Whether the library is there. Error 270 names it.
pub fn present() -> Result<()> {
    foreign::present()
}

/// Whether the library knows every name in these options: error 603 with the names it has, 270 without a library.
pub fn check(options: &TlsOptions) -> Result<()> {
    Shape::of(options).map(|_| ())
}

/// One set of options, ready to use, and what came of it.
struct Entry {
    options: TlsOptions,
    /// How texts name the server.
    label: String,
    stamp: (Stamp, trust::Stamp),
    shape: Shape,
    authorities: Authorities,
    context: Context,
    keys: Option<KeyLogFile>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    sessions: Vec<Session>,
    /// The moment from which the verified certificates are out of date, and the sessions with them.
    until: Option<i64>,
    /// Of the last full handshake: a resumed session of TLS 1.2 does not tell them.
    exchange: Option<Exchange>,
    certificates: Vec<Vec<u8>>,
}

/// The provider of one handle.
#[derive(Default)]
pub struct Platform {
    entries: Held<Entry>,
}

impl Platform {
    pub fn new() -> Platform {
        Platform::default()
    }

    /// The context for these options. Another one of the same server goes, with its sessions.
    fn entry(&self, options: &TlsOptions, now: i64) -> Result<Arc<Entry>> {
        let stamp = (Stamp::of(options), trust::Stamp::of(&options.openssl));
        self.entries.entry(options, now, |entry| entry.stamp == stamp, || Entry::new(options, stamp.clone()))
    }
}

impl held::Entry for Entry {
    fn options(&self) -> &TlsOptions {
        &self.options
    }

    fn until(&self) -> Option<i64> {
        self.kept.lock().until
    }
}

impl Entry {
    fn new(options: &TlsOptions, stamp: (Stamp, trust::Stamp)) -> Result<Entry> {
        let shape = Shape::of(options)?;
        shape.usable(options)?;
        let authorities = Authorities::of(options)?;
        if let Some(seed) = &options.openssl.prng_seed {
            foreign::seed(seed.bytes())?;
        }
        let mut context = Context::new()?;
        shape.apply(&mut context, options)?;
        context.sessions(options.reuse_sessions);
        if let Some(client) = &options.client {
            let unusable =
                |why: &str| Error::new(Code::Credentials, format!("the client certificate cannot be used: {why}"));
            let key = client.key.pkcs8().ok_or_else(|| {
                unusable("its key lives elsewhere, and the Platform provider signs only with keys it can read")
            })?;
            context.identity(&client.chain, key).map_err(|reason| unusable(&reason.text))?;
        }
        let keys = options.key_log.as_deref().map(KeyLogFile::open).transpose()?;
        if keys.is_some() {
            context.log_keys();
        }
        let (options, label) = (options.clone(), options.label());
        Ok(Entry { options, label, stamp, shape, authorities, context, keys, kept: Mutex::default() })
    }

    /// Takes what a call of the library brought; certificates stay on the tray.
    fn absorb(&self, tray: &mut Tray) {
        if let Some(file) = &self.keys {
            tray.keys.iter().for_each(|line| file.line(line));
        }
        tray.keys.clear();
        let new = std::mem::take(&mut tray.sessions);
        if self.options.reuse_sessions && !new.is_empty() {
            let mut kept = self.kept.lock();
            kept.sessions.extend(new);
            let over = kept.sessions.len().saturating_sub(SESSIONS);
            kept.sessions.drain(..over);
        }
    }

    /// The newest session, which the library takes a reference of; those for one use are gone then.
    fn resuming<T>(&self, work: impl FnOnce(Option<&Session>) -> T) -> T {
        let mut kept = self.kept.lock();
        kept.sessions.retain(Session::is_resumable);
        match kept.sessions.pop() {
            Some(session) => {
                let made = work(Some(&session));
                if !session.is_for_one_use() {
                    kept.sessions.push(session);
                }
                made
            }
            None => work(None),
        }
    }
}

impl Provider for Platform {
    fn handshake(
        &self,
        mut stream: Box<dyn Stream>,
        options: &TlsOptions,
        clock: &Clock,
        judge: &mut dyn Judge,
    ) -> Result<Secured> {
        let name = server_name(&options.server_name)?;
        let entry = self.entry(options, now())?;
        let host = match &name {
            ServerName::DnsName(host) => Some(host.as_ref()),
            _ => None,
        };
        let connection = entry.resuming(|session| Connection::new(&entry.context, host, session));
        let mut connection =
            connection.ok_or_else(|| Error::new(Code::SecurityLibrary, "OpenSSL makes no connection"))?;
        judge.tell(format_args!("TLS handshake with {} begins", entry.label))?;
        if let Err(error) = self.drive(&mut connection, &mut *stream, &entry, &name, clock, judge) {
            // Whatever became of it, no later handshake shall lean on this one.
            self.entries.drop_entry(&entry);
            return Err(error);
        }
        let info = negotiated(&mut connection, &entry)?;
        info.tell(judge, " (OpenSSL)")?;
        Ok(Secured { stream: Box::new(OpensslStream::new(stream, connection, entry)), info })
    }

    fn forget(&self) {
        self.entries.clear();
    }
}

impl Platform {
    fn drive(
        &self,
        connection: &mut Connection,
        stream: &mut dyn Stream,
        entry: &Arc<Entry>,
        name: &ServerName<'_>,
        clock: &Clock,
        judge: &mut dyn Judge,
    ) -> Result<()> {
        let label = &entry.label;
        let mut patience = Patience::new(label, clock);
        let mut judged = false;
        let mut unjudged: Option<Vec<Vec<u8>>> = None;
        let mut buffer = vec![0; PIECE];
        loop {
            let (step, mut tray) = connection.handshake();
            entry.absorb(&mut tray);
            unjudged = tray.chain.take().or(unjudged);
            if let Step::Failed(reason) = &step {
                if unjudged.is_some() {
                    // Our answer to a server that nobody has judged may lie before the library's alert.
                    say(stream, HANDSHAKE_FAILURE);
                } else {
                    let _ = flush(connection, stream, &last_word());
                }
                return Err(fault::handshake(reason, label));
            }
            let done = matches!(step, Step::Done(_));
            // A stapled answer may come behind the certificate: judged is what stands when our answer is ready.
            if done || !connection.pending().is_empty() {
                if (done || unjudged.is_some())
                    && let Some(version) = shape::version(connection)
                    && let Err(why) = entry.shape.check(connection, version)
                {
                    say(stream, HANDSHAKE_FAILURE);
                    return Err(failed(label, &format!("the server {why}")));
                }
                if let Some(chain) = unjudged.take() {
                    if let Err((alert, error)) = self.decide(connection, chain, entry, name, clock, judge) {
                        say(stream, alert);
                        return Err(error);
                    }
                    judged = true;
                    patience.renew();
                }
                if done && !judged && !connection.is_resumed() {
                    say(stream, HANDSHAKE_FAILURE);
                    return Err(failed(label, "the server showed no certificate"));
                }
                flush(connection, stream, clock)?;
            }
            if done {
                return Ok(());
            }
            patience.check()?;
            let count = stream.read(&mut buffer, clock)?;
            patience.came(count, buffer.first().copied())?;
            connection.feed(&buffer[..count]).ok_or_else(|| failed(label, "OpenSSL takes no more data"))?;
        }
    }

    /// The word on the server, and what it means for the session. The error comes with the alert that tells the server.
    fn decide(
        &self,
        connection: &Connection,
        chain: Vec<Vec<u8>>,
        entry: &Arc<Entry>,
        name: &ServerName<'_>,
        clock: &Clock,
        judge: &mut dyn Judge,
    ) -> std::result::Result<(), (u8, Error)> {
        let mut certificates = chain.iter().cloned().map(CertificateDer::from);
        let gap = || (HANDSHAKE_FAILURE, Error::new(Code::Handshake, "the server showed no certificate"));
        let sent = Sent {
            leaf: certificates.next().ok_or_else(gap)?,
            others: certificates.collect(),
            ocsp: connection.stapled(),
            now: now(),
        };
        let trust = entry.authorities.trust(&entry.options, &chain).map_err(|error| (HANDSHAKE_FAILURE, error))?;
        let allowed = shape::version(connection).map(|version| entry.shape.allowed(version));
        let accepted = decide(&sent, name, &trust, allowed, &entry.options, clock, judge)?;
        {
            let mut kept = entry.kept.lock();
            kept.exchange = exchange(connection, chain.first());
            kept.certificates = chain;
            kept.until = accepted.until;
        }
        if accepted.until.is_none() {
            self.entries.drop_entry(entry);
        }
        Ok(())
    }
}

/// Sends everything that the library has to say.
fn flush(connection: &mut Connection, stream: &mut dyn Stream, clock: &Clock) -> Result<()> {
    if connection.pending().is_empty() {
        return Ok(());
    }
    let done = stream.write_all(&mut [IoSlice::new(connection.pending())], clock);
    connection.sent();
    done
}

/// What the keys came from: the server's share, or its RSA key.
fn exchange(connection: &Connection, leaf: Option<&Vec<u8>>) -> Option<Exchange> {
    connection.exchange().or_else(|| {
        let by_key = connection.cipher().is_some_and(|cipher| cipher.standard.starts_with("TLS_RSA_WITH_"));
        let bits = leaf.and_then(|leaf| Certificate::parse(leaf)?.rsa_bits).filter(|_| by_key)?;
        Some(Exchange { name: "rsa".to_owned(), bits: u32::try_from(bits).unwrap_or(0) })
    })
}

fn negotiated(connection: &mut Connection, entry: &Entry) -> Result<Negotiated> {
    let gap = || Error::new(Code::Internal, "the TLS handshake ended without a version or a cipher suite");
    let version = shape::version(connection).ok_or_else(gap)?;
    let suite = connection.cipher().ok_or_else(gap)?;
    let (server_certs, before) = {
        let kept = entry.kept.lock();
        (kept.certificates.clone(), kept.exchange.clone())
    };
    let exchange = connection.exchange().or(before);
    let cipher =
        suite.standard.split_once("_WITH_").map_or(suite.standard.trim_start_matches("TLS_"), |(_, rest)| rest);
    let cipher =
        ["_SHA384", "_SHA256", "_SHA", "_MD5"].iter().find_map(|hash| cipher.strip_suffix(hash)).unwrap_or(cipher);
    Ok(Negotiated {
        version,
        cipher: cipher.to_owned(),
        strength: suite.bits,
        suite: suite.standard,
        key_exchange_strength: exchange.as_ref().map_or(0, |exchange| exchange.bits),
        key_exchange: exchange.map_or_else(String::new, |exchange| exchange.name),
        resumed: connection.is_resumed(),
        server_certs,
    })
}
