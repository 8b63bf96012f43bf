//! Send and the SendToTerminal methods: checks first, then a connection where there is none, then the delivery.

use super::connect::no_server;
use super::deliver::{Parcel, Queue};
use super::{Component, State};
use crate::config::{Setting, Settings};
use crate::error::{Code, Error, Result};
use crate::message::compose::{self, Composed, Generated, IdAlgorithm, Options};
use crate::message::draft::Message;
use crate::smtp::envelope::{Envelope, Recipient, Verb, Wishes};
use crate::smtp::extensions::{Limits, Offer};
use crate::smtp::transaction::Policy;

/// A message as it stood when the method began; what changes meanwhile belongs to the next one.
pub(super) struct Job {
    pub draft: Message,
    pub options: Options,
    pub envelope: Envelope,
    pub policy: Policy,
    /// The message where it comes from the queue: the draft is empty then.
    pub composed: Option<Composed>,
}

/// Which extensions may be used where they are offered, and what follows a failed transaction.
#[derive(Clone, Copy)]
pub(super) struct Switches {
    eight_bit_mime: bool,
    pub pipelining: bool,
    pub chunking: bool,
    binary_mime: bool,
    size: bool,
    smtp_utf8: bool,
    dsn: bool,
    pub limits: bool,
    /// Messages that may be under way by BDAT without an answer.
    pub ahead: usize,
    pub send_rset: bool,
    pub close_stream: bool,
}

impl Switches {
    pub fn new(settings: &Settings) -> Switches {
        Switches {
            eight_bit_mime: settings.bool(Setting::Use8BitMime),
            pipelining: settings.bool(Setting::UsePipelining),
            chunking: settings.bool(Setting::UseChunking),
            binary_mime: settings.bool(Setting::UseBinaryMime),
            size: settings.bool(Setting::UseSize),
            smtp_utf8: settings.bool(Setting::UseSmtpUtf8),
            dsn: settings.bool(Setting::UseDsn),
            limits: settings.bool(Setting::UseLimits),
            ahead: usize::try_from(settings.int(Setting::BdatAhead)).unwrap_or(0),
            send_rset: settings.bool(Setting::SendRset),
            close_stream: settings.bool(Setting::CloseStreamAfterTransfer),
        }
    }

    /// What the server offers, less what is switched off.
    pub fn narrow(&self, offer: &Offer) -> Offer {
        Offer {
            eight_bit_mime: offer.eight_bit_mime && self.eight_bit_mime,
            pipelining: offer.pipelining && self.pipelining,
            chunking: offer.chunking && self.chunking,
            binary_mime: offer.binary_mime && self.binary_mime,
            smtp_utf8: offer.smtp_utf8 && self.smtp_utf8,
            dsn: offer.dsn && self.dsn,
            size: offer.size.filter(|_| self.size),
            limits: if self.limits { offer.limits } else { Limits::default() },
            ..*offer
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
        let (job, switches) = {
            let mut state = self.state.lock();
            if verb != Verb::Mail && !state.server.allow_extensions {
                let why = "The SendToTerminal methods need AllowExtensions";
                return Err(Error::new(Code::WrongState, why));
            }
            if op.session.is_none() && state.server.name.is_empty() {
                return Err(no_server());
            }
            state.results.clear();
            let options = compose_options(&state);
            (Job::take(&mut state, verb, options)?, Switches::new(&state.settings))
        };
        op.notice()?;
        let own = op.session.is_none();
        let mut result = Ok(());
        let mut parcel = Some(Parcel::new(self, job, switches, 0));
        op.carry(&mut Queue::new(&mut || parcel.take(), &mut |_, done| result = done), own);
        match &result {
            Ok(()) if own => op.quit(),
            Ok(()) => {}
            // After a refusal the connection is still good; after anything else it is not to be trusted.
            Err(error) if own && error.reply.is_none() => op.drop_session(Some(error)),
            Err(error) => op.settle(Some(error)),
        }
        result
    }
}

impl Job {
    /// The message as it stands; the next one gets a Date and Message-ID of its own.
    pub fn take(state: &mut State, verb: Verb, options: Options) -> Result<Job> {
        let job = Job::new(state, verb, options)?;
        state.generated = Generated::default();
        Ok(job)
    }

    /// The message of a batch, which does not ask the system for random octets again.
    pub fn take_of_batch(state: &mut State, randomness: [u8; 40]) -> Result<Job> {
        let options = Options { randomness: Some(randomness), ..compose_options(state) };
        Job::take(state, Verb::Mail, options)
    }

    fn new(state: &State, verb: Verb, options: Options) -> Result<Job> {
        let draft = state.message.clone();
        let (sender, sender_utf8) = compose::envelope_sender(&draft)?;
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
            require_tls: settings.bool(Setting::RequireTls),
        };
        let wishes = wishes.kept();
        Ok(Job {
            draft,
            options,
            envelope: Envelope { verb, sender, recipients, smtp_utf8, wishes, ..Envelope::default() },
            policy: policy(settings),
            composed: None,
        })
    }
}

/// Which refused recipient stops a message.
pub(super) fn policy(settings: &Settings) -> Policy {
    Policy {
        stop_on_to: settings.bool(Setting::StopOnToErrors),
        stop_on_cc: settings.bool(Setting::StopOnCcErrors),
        stop_on_bcc: settings.bool(Setting::StopOnBccErrors),
        split: false,
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
        host: super::state::host_name,
        utc_offset: crate::net::socket::local_offset,
        randomness: None,
    }
}
