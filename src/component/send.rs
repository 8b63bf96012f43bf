//! Send: checks first, then a connection where there is none, then one transaction.

use super::connect::no_server;
use super::operation::Operation;
use super::{Component, State};
use crate::config::Setting;
use crate::error::{Code, Error, Result};
use crate::message::body::{Piece, Source};
use crate::message::compose::{self, Caps, Composed, Generated, IdAlgorithm, Options};
use crate::message::draft::Draft;
use crate::smtp::dot::normalised_length;
use crate::smtp::session::State as Talk;
use crate::smtp::transaction::{Envelope, Policy, Recipient};

/// A message as it stood when the method began; what changes meanwhile belongs to the next one.
struct Job {
    draft: Draft,
    options: Options,
    envelope: Envelope,
    policy: Policy,
    send_rset: bool,
}

impl Component {
    pub fn send(&self) -> Result<()> {
        let mut op = self.begin()?;
        let job = {
            let mut state = self.state.lock();
            if op.session.is_none() && state.server.name.is_empty() {
                return Err(no_server());
            }
            let job = Job::new(&state)?;
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
        let done = op.deliver(job);
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
    fn new(state: &State) -> Result<Job> {
        let draft = state.message.clone();
        let (sender, sender_utf8) = compose::envelope_sender(&draft)?;
        let options = compose_options(state);
        let found = compose::envelope_recipients(&draft, &options)?;
        let smtp_utf8 = sender_utf8 || found.iter().any(|r| r.needs_smtputf8);
        let recipients =
            found.into_iter().map(|r| Recipient { address: r.address, options: r.options, kind: r.kind }).collect();
        let settings = &state.settings;
        Ok(Job {
            draft,
            options,
            envelope: Envelope { sender, recipients, smtp_utf8, ..Envelope::default() },
            policy: Policy {
                stop_on_to: settings.bool(Setting::StopOnToErrors),
                stop_on_cc: settings.bool(Setting::StopOnCcErrors),
                stop_on_bcc: settings.bool(Setting::StopOnBccErrors),
            },
            send_rset: settings.bool(Setting::SendRset),
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
        host: super::state::host_name(),
        utc_offset: crate::net::socket::local_offset,
    }
}

/// What RFC 1870 counts: headers and body with CRLF line ends, without stuffed dots. A file or stream counts as it is.
fn wire_size(composed: &Composed) -> Option<u64> {
    composed.size?;
    let mut chunks: Vec<&[u8]> = Vec::new();
    let mut streamed = 0;
    for piece in &composed.pieces {
        match piece {
            Piece::Bytes(bytes) => chunks.push(bytes),
            Piece::Encoded(bytes) => chunks.push(bytes),
            other => streamed += other.size()?,
        }
    }
    Some(composed.headers.len() as u64 + normalised_length(&chunks) + streamed)
}

impl Operation<'_> {
    /// The open connection cannot take the next message: a transaction failed and RSET is not to be sent.
    fn needs_fresh(&self, job: &Job) -> bool {
        self.session.as_ref().is_some_and(|s| s.state == Talk::Soiled && !job.send_rset)
    }

    /// One transaction over the open connection.
    fn deliver(&mut self, mut job: Job) -> Result<()> {
        let caps = self.session.as_ref().map_or(Caps::default(), |s| Caps {
            eight_bit_mime: s.extensions.eight_bit_mime,
            smtp_utf8: s.extensions.smtp_utf8,
        });
        let composed = self.compose(&job, caps)?;
        job.envelope.smtp_utf8 |= composed.needs_smtputf8;
        job.envelope.eight_bit = composed.eight_bit;
        job.envelope.size = wire_size(&composed);
        let close = self.component.state.lock().settings.bool(Setting::CloseStreamAfterTransfer);
        let mut parts = composed
            .pieces
            .iter()
            .map(|piece| piece.open())
            .collect::<Result<Vec<Box<dyn Source>>>>()?;
        self.converse(|session, cx| {
            session.open(cx, &job.envelope, job.policy)?;
            session.content(cx, &composed.headers, &mut parts, close)?;
            Ok(())
        })
    }

    /// Composes for what this server takes, and keeps what was generated so that reading the headers tells what was sent.
    fn compose(&mut self, job: &Job, caps: Caps) -> Result<Composed> {
        let mut generated = Generated::default();
        let composed = compose::compose(&job.draft, &job.options, caps, &mut generated)?;
        let mut state = self.component.state.lock();
        if state.message.revision == job.draft.revision {
            state.generated = generated;
            state.caps = caps;
        }
        Ok(composed)
    }
}
