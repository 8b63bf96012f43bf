//! Send: checks first, then a connection where there is none, then one transaction.

use super::connect::no_server;
use super::operation::Operation;
use super::{Component, State};
use crate::config::{Setting, Settings};
use crate::error::{Code, Error, Result};
use crate::events::{Direction, PiTrail};
use crate::message::body::{Piece, Source};
use crate::message::compose::{self, Caps, Composed, Generated, IdAlgorithm, Options};
use crate::message::draft::Draft;
use crate::smtp::body::Content;
use crate::smtp::dot::normalised_length;
use crate::smtp::envelope::{Envelope, Outcome, Phase, Recipient, Verb, Wishes};
use crate::smtp::extensions::Extensions;
use crate::smtp::session::{Session, State as Talk, refused};
use crate::smtp::transaction::{Framing, Opening, Policy};

/// A message as it stood when the method began; what changes meanwhile belongs to the next one.
struct Job {
    draft: Draft,
    options: Options,
    envelope: Envelope,
    policy: Policy,
    switches: Switches,
}

/// Which extensions may be used where they are offered, and what follows a failed transaction.
#[derive(Clone, Copy)]
struct Switches {
    eight_bit_mime: bool,
    pipelining: bool,
    chunking: bool,
    size: bool,
    smtp_utf8: bool,
    dsn: bool,
    send_rset: bool,
    close_stream: bool,
}

impl Switches {
    fn new(settings: &Settings) -> Switches {
        Switches {
            eight_bit_mime: settings.bool(Setting::Use8BitMime),
            pipelining: settings.bool(Setting::UsePipelining),
            chunking: settings.bool(Setting::UseChunking),
            size: settings.bool(Setting::UseSize),
            smtp_utf8: settings.bool(Setting::UseSmtpUtf8),
            dsn: settings.bool(Setting::UseDsn),
            send_rset: settings.bool(Setting::SendRset),
            close_stream: settings.bool(Setting::CloseStreamAfterTransfer),
        }
    }

    /// What the server offers, less what is switched off.
    fn narrow(&self, offer: &Extensions) -> Extensions {
        Extensions {
            eight_bit_mime: offer.eight_bit_mime && self.eight_bit_mime,
            pipelining: offer.pipelining && self.pipelining,
            chunking: offer.chunking && self.chunking,
            smtp_utf8: offer.smtp_utf8 && self.smtp_utf8,
            dsn: offer.dsn && self.dsn,
            size: offer.size.filter(|_| self.size),
            ..offer.clone()
        }
    }
}

impl Component {
    pub fn send(&self) -> Result<()> {
        self.send_with(Verb::Mail)
    }

    pub fn send_to_terminal_only(&self) -> Result<()> {
        self.send_with(Verb::Send)
    }

    pub fn send_to_terminal_or_email(&self) -> Result<()> {
        self.send_with(Verb::Soml)
    }

    pub fn send_to_terminal_and_email(&self) -> Result<()> {
        self.send_with(Verb::Saml)
    }

    fn send_with(&self, verb: Verb) -> Result<()> {
        let mut op = self.begin()?;
        let job = {
            let mut state = self.state.lock();
            if verb != Verb::Mail && !state.server.allow_extensions {
                let why = "The SendToTerminal methods need AllowExtensions";
                return Err(Error::new(Code::WrongState, why));
            }
            if op.session.is_none() && state.server.name.is_empty() {
                return Err(no_server());
            }
            state.results.clear();
            let job = Job::new(&state, verb)?;
            state.generated = Generated::default();
            job
        };
        if op.session.is_some() {
            op.notice()?;
            if op.needs_fresh(&job) {
                op.quit();
                op.open()?;
            }
        }
        let own = op.session.is_none();
        if own {
            op.open()?;
        }
        let done = op.deliver(&job);
        match &done {
            Ok(()) if own => op.quit(),
            Ok(()) => {}
            // After a refusal the connection is still good; after anything else it is not to be trusted.
            Err(error) if own && error.reply.is_none() => op.drop_session(Some(error)),
            Err(error) => op.settle(Some(error)),
        }
        done
    }
}

impl Job {
    fn new(state: &State, verb: Verb) -> Result<Job> {
        let draft = state.message.clone();
        let (sender, sender_utf8) = compose::envelope_sender(&draft)?;
        let options = compose_options(state);
        let found = compose::envelope_recipients(&draft, &options)?;
        let smtp_utf8 = sender_utf8 || found.iter().any(|r| r.needs_smtputf8);
        let recipients =
            found.into_iter().map(|r| Recipient { address: r.address, options: r.options, kind: r.kind }).collect();
        let settings = &state.settings;
        let text = |setting| settings.text(setting).to_string();
        let wishes = Wishes {
            ret: text(Setting::DsnRet),
            envid: text(Setting::DsnEnvId),
            deliver_by: text(Setting::DeliverBy),
            hold_for: text(Setting::HoldFor),
            hold_until: text(Setting::HoldUntil),
            mt_priority: text(Setting::MtPriority),
        };
        Ok(Job {
            draft,
            options,
            envelope: Envelope { verb, sender, recipients, smtp_utf8, wishes, ..Envelope::default() },
            policy: Policy {
                stop_on_to: settings.bool(Setting::StopOnToErrors),
                stop_on_cc: settings.bool(Setting::StopOnCcErrors),
                stop_on_bcc: settings.bool(Setting::StopOnBccErrors),
            },
            switches: Switches::new(settings),
        })
    }
}

/// The settings that shape headers.
pub(super) fn compose_options(state: &State) -> Options {
    let settings = &state.settings;
    Options {
        charset: settings.text(Setting::Charset).to_string(),
        fold_headers: settings.bool(Setting::FoldHeaders),
        max_header_length: usize::try_from(settings.int(Setting::MaxHeaderLength)).unwrap_or(80),
        message_id_algorithm: IdAlgorithm::from_name(settings.text(Setting::MessageIdAlgorithm)).unwrap_or_default(),
        allow_empty_to: settings.bool(Setting::AllowEmptyTo),
        code_page: state.code_page(),
        complete: settings.bool(Setting::MessageIncludesHeaders),
        host: super::state::host_name(),
        utc_offset: crate::net::socket::local_offset,
    }
}

/// What RFC 1870 counts: headers and body with CRLF line ends, without stuffed dots. A file or stream counts as it is.
/// The first is None where it is not known, the second where it is not exact.
fn wire_size(composed: &Composed) -> (Option<u64>, Option<u64>) {
    let mut chunks: Vec<&[u8]> = Vec::new();
    let mut streamed = Some(0);
    let mut exact = true;
    for piece in &composed.pieces {
        match piece {
            Piece::Bytes(bytes) => chunks.push(bytes),
            Piece::Encoded(bytes) => chunks.push(bytes),
            other => {
                exact = false;
                streamed = streamed.and_then(|sum: u64| Some(sum + other.size()?));
            }
        }
    }
    let size = streamed.map(|sum| composed.headers.len() as u64 + normalised_length(&chunks) + sum);
    (size, size.filter(|_| exact))
}

impl Operation<'_> {
    /// The open connection cannot take the next message: a transaction failed and RSET is not to be sent.
    fn needs_fresh(&self, job: &Job) -> bool {
        self.session.as_ref().is_some_and(|s| s.state == Talk::Soiled && !job.switches.send_rset)
    }

    /// The whole message, in as many transactions as the server's limits ask for.
    fn deliver(&mut self, job: &Job) -> Result<()> {
        let mut outcomes: Vec<Outcome> = Vec::new();
        let mut done = Ok(());
        for batch in self.batches(job) {
            let mut part = Vec::new();
            done = self.deliver_to(job, batch, &mut part);
            outcomes.append(&mut part);
            if done.is_err() {
                break;
            }
        }
        self.component.state.lock().results.set(outcomes);
        done
    }

    /// Recipients in groups of the size that the server's LIMITS allow.
    fn batches(&self, job: &Job) -> Vec<Vec<Recipient>> {
        let limits = self.session.as_ref().map(|s| s.extensions.limits).unwrap_or_default();
        let rcpt_max = limits.rcpt_max.unwrap_or(usize::MAX);
        let domain_max = limits.rcpt_domain_max.unwrap_or(usize::MAX);
        let mut batches: Vec<(Vec<Recipient>, Vec<String>)> = Vec::new();
        for recipient in &job.envelope.recipients {
            let domain = recipient.address.rsplit('@').next().unwrap_or("").to_ascii_lowercase();
            let fits = batches.last_mut().filter(|(list, domains)| {
                list.len() < rcpt_max && (domains.contains(&domain) || domains.len() < domain_max)
            });
            match fits {
                Some((list, domains)) => {
                    list.push(recipient.clone());
                    if !domains.contains(&domain) {
                        domains.push(domain);
                    }
                }
                None => batches.push((vec![recipient.clone()], vec![domain])),
            }
        }
        batches.into_iter().map(|(list, _)| list).collect()
    }

    /// One transaction; once more the plain way where the server broke what it offered before it took anything.
    fn deliver_to(&mut self, job: &Job, recipients: Vec<Recipient>, outcomes: &mut Vec<Outcome>) -> Result<()> {
        let mut switches = job.switches;
        let envelope = Envelope { recipients, ..job.envelope.clone() };
        let first = self.transaction(job, switches, envelope.clone(), outcomes);
        let broken = self.session.as_mut().and_then(|s| s.broken.take());
        let (Err(error), Some(broken)) = (&first, broken) else { return first };
        let text = format!("The message goes once more without {broken}: {}", error.message);
        let event = PiTrail { direction: Direction::Info as i32, message: text.as_bytes() };
        self.sink().pi_trail(&event)?;
        switches.pipelining &= broken != "PIPELINING";
        switches.chunking &= broken != "CHUNKING";
        let fresh = self.session.as_ref().is_none_or(Session::is_dead);
        if fresh || !switches.send_rset {
            let error = error.clone();
            self.drop_session(Some(&error));
            self.open()?;
        }
        self.transaction(job, switches, envelope, outcomes)
    }

    fn transaction(
        &mut self,
        job: &Job,
        switches: Switches,
        mut envelope: Envelope,
        outcomes: &mut Vec<Outcome>,
    ) -> Result<()> {
        let offer = self.session.as_ref().map(|s| switches.narrow(&s.extensions)).unwrap_or_default();
        let caps = Caps { eight_bit_mime: offer.eight_bit_mime, smtp_utf8: offer.smtp_utf8 };
        let composed = self.compose(job, caps)?;
        envelope.smtp_utf8 |= composed.needs_smtputf8;
        envelope.eight_bit = composed.eight_bit;
        let (size, exact) = wire_size(&composed);
        envelope.size = size.filter(|_| offer.size.is_some());
        let framing = if offer.chunking { Framing::Bdat } else { Framing::Data };
        let mut parts = composed.pieces.iter().map(|piece| piece.open()).collect::<Result<Vec<Box<dyn Source>>>>()?;
        self.converse(|session, cx| {
            let opening = Opening::new(&envelope, &offer, job.policy, framing, session.state == Talk::Soiled)?;
            session.begin(cx)?;
            for text in envelope.left_out(&offer) {
                cx.trace(Direction::Info, text.as_bytes())?;
            }
            session.open(cx, &envelope, opening, job.policy, outcomes)?;
            let content = Content {
                headers: &composed.headers,
                parts: &mut parts,
                framing,
                exact,
                close: switches.close_stream,
                pipelined: offer.pipelining,
            };
            let done = session.content(cx, content);
            for outcome in outcomes.iter_mut().filter(|o| o.code / 100 == 2) {
                *outcome = Outcome::new(&outcome.address, Phase::Content, done.as_ref().ok());
            }
            let reply = done?;
            if reply.is_positive() { Ok(()) } else { Err(refused("The server refuses the message", &reply)) }
        })
    }

    /// Composes for what this server takes, and keeps what was generated so that reading the headers tells what was sent.
    fn compose(&mut self, job: &Job, caps: Caps) -> Result<Composed> {
        let mut state = self.component.state.lock();
        let current = state.message.revision == job.draft.revision;
        let mut generated = if current { std::mem::take(&mut state.generated) } else { Generated::default() };
        drop(state);
        let composed = compose::compose(&job.draft, &job.options, caps, &mut generated);
        let mut state = self.component.state.lock();
        if current && state.message.revision == job.draft.revision {
            state.generated = generated;
            state.caps = caps;
        }
        composed
    }
}
