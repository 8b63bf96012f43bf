//! Queue, SendQueued and RecoverQueue: a message becomes a file or a text that waits, and the text a message again. The files of a
//! folder are sent in [`super::queue_process`].

use super::connect::no_server;
use super::deliver::{self, Parcel, compose_for};
use super::operation::Operation;
use super::send::{Job, Switches, compose_options, policy};
use super::{Component, State};
use crate::config::Setting;
use crate::error::{Code, Error, Result};
use crate::message::body::{Piece, Source};
use crate::message::compose::{Caps, Composed, Options};
use crate::message::draft::Message;
use crate::queue::content::Body;
use crate::queue::folder::Folder;
use crate::queue::octets::MemoryOctets;
use crate::queue::read::Stored;
use crate::queue::recover::{Recovery, recover};
use crate::queue::sealed::{Keyring, Refused};
use crate::queue::write::Writer;
use crate::queue::{Addressee, Transaction, armor, names};
use crate::smtp::envelope::{Envelope, Recipient, Verb, Wishes};
use crate::smtp::transaction::Policy;
use crate::text::line;
use std::io::Write;
use std::sync::Arc;

/// An envelope with its content, opened for reading.
struct Form {
    transaction: Transaction,
    headers: Vec<u8>,
    sources: Vec<Box<dyn Source>>,
}

impl Component {
    /// The message as a new file of the folder, whose name is returned, or with "*" as the text itself.
    pub fn queue(&self, queue_dir: &str) -> Result<String> {
        let op = self.begin()?;
        let folder = if queue_dir == "*" { None } else { Some(Folder::open(queue_dir)?) };
        let (job, switches, keys) = {
            let mut state = self.state.lock();
            let options = compose_options(&state);
            (Job::take(&mut state, Verb::Mail, options)?, Switches::new(&state.settings), state.queue_keys.clone())
        };
        let mut forms = forms(Parcel::new(self, job, switches, 0))?;
        let written = match folder {
            Some(folder) => {
                let new = folder.create()?;
                let done = write(&op, &mut &new.file, &mut forms, keys.as_deref());
                done.and_then(|()| new.commit())
            }
            None => {
                let mut octets = Vec::new();
                write(&op, &mut octets, &mut forms, keys.as_deref()).map(|()| as_text(octets))
            }
        };
        if switches.close_stream {
            forms.iter_mut().flat_map(|form| &mut form.sources).for_each(|source| source.finish());
        }
        written
    }

    /// Sends what `Queue("*")` returned.
    pub fn send_queued(&self, text: &str) -> Result<()> {
        let mut op = self.begin()?;
        let (switches, policy, keys) = {
            let mut state = self.state.lock();
            if op.session.is_none() && state.server.name.is_empty() {
                return Err(no_server());
            }
            state.results.clear();
            (Switches::new(&state.settings), policy(&state.settings), state.queue_keys.clone())
        };
        let octets = Arc::new(MemoryOctets(text.as_bytes().to_vec()));
        let stored = match Stored::open(octets, keys.as_deref()) {
            Ok(stored) => stored,
            Err(Refused::Password(error) | Refused::Damaged(error)) => return Err(error),
        };
        let jobs = (0..stored.transactions.len()).map(|n| job_of(&stored, n, policy)).collect::<Result<Vec<Job>>>()?;
        op.notice()?;
        let own = op.session.is_none();
        let mut parcels = jobs.into_iter().enumerate().map(|(n, job)| Parcel::new(self, job, switches, n));
        let mut result = Ok(());
        let mut finished = |parcel: Parcel, done: Result<()>| {
            let done = done.map_err(|error| if is_unknown(&parcel, &error) { unknown_fate(&error) } else { error });
            if result.is_ok() {
                result = done;
            }
        };
        op.carry(&mut deliver::Queue::new(&mut || parcels.next(), &mut finished), own);
        match &result {
            Ok(()) if own => op.quit(),
            Ok(()) => {}
            Err(error) if own && error.reply.is_none() => op.drop_session(Some(error)),
            Err(error) => op.settle(Some(error)),
        }
        result
    }

    /// The `.sending` files that nobody sends, a name a line, after doing with them what QueueRecovery says.
    pub fn recover_queue(&self, queue_dir: &str) -> Result<String> {
        let _op = self.begin()?;
        let what = Recovery::from_name(self.state.lock().settings.text(Setting::QueueRecovery));
        let folder = Folder::open(queue_dir)?;
        let names = recover(&folder, what.unwrap_or(Recovery::List))?;
        Ok(names.join("\r\n"))
    }
}

impl State {
    /// Makes the keys from the password when they are first needed.
    pub fn set_queue_password(&mut self, password: &str) -> Result<()> {
        line::refuse_crlf_nul("QueuePassword", password)?;
        self.queue_keys = if password.is_empty() { None } else { Some(Arc::new(Keyring::new(password)?)) };
        Ok(())
    }
}

/// The message as each of its recipients is to get it: one form for all, or several (ruling 24).
fn forms(mut parcel: Parcel) -> Result<Vec<Form>> {
    let mut forms = Vec::new();
    let mut rest = std::mem::take(&mut parcel.left);
    while let Some(&first) = rest.first() {
        let edition = |index: usize| parcel.job.draft.edition_of(&parcel.job.envelope.recipients[index].address);
        let next = edition(first);
        let (now, later): (Vec<usize>, Vec<usize>) = rest.iter().partition(|index| edition(**index) == next);
        rest = later;
        parcel.left = now;
        let composed = compose_for_any(&parcel)?;
        let sources = composed.pieces.iter().map(Piece::open).collect::<Result<Vec<_>>>()?;
        let transaction = transaction(&parcel.job.envelope, &parcel.left, composed.needs_smtputf8);
        forms.push(Form { transaction, headers: composed.headers, sources });
    }
    Ok(forms)
}

/// In ASCII without NUL, armored where it is not that by itself.
fn as_text(octets: Vec<u8>) -> String {
    match String::from_utf8(octets) {
        Ok(text) if text.is_ascii() && !text.contains('\0') => text,
        Ok(text) => armor::armor(text.as_bytes()),
        Err(error) => armor::armor(error.as_bytes()),
    }
}

/// Nobody knows yet which server it will be: what can go as 7-bit does.
fn compose_for_any(parcel: &Parcel) -> Result<Composed> {
    compose_for(parcel, Caps { eight_bit_mime: false, smtp_utf8: true, binary: false }).or_else(|error| {
        match error.code {
            Code::ValueRefused => compose_for(parcel, Caps { eight_bit_mime: true, smtp_utf8: true, binary: false }),
            _ => Err(error),
        }
    })
}

fn write(op: &Operation, out: &mut dyn Write, forms: &mut [Form], keys: Option<&Keyring>) -> Result<()> {
    let key = keys.map(Keyring::fresh).transpose()?;
    let transactions: Vec<Transaction> = forms.iter().map(|form| form.transaction.clone()).collect();
    let mut writer = Writer::new(out, key, names::now(), &transactions)?;
    for form in forms {
        writer.begin()?;
        writer.write(&form.headers)?;
        for source in &mut form.sources {
            while let Some(octets) = source.next()? {
                op.clock.check()?;
                writer.write(octets)?;
            }
        }
    }
    op.clock.check()?;
    writer.finish()
}

fn transaction(envelope: &Envelope, who: &[usize], needs_smtputf8: bool) -> Transaction {
    let wishes = envelope.wishes();
    let require_tls = if wishes.require_tls { "yes" } else { "" };
    let parameters = [
        ("Ret", wishes.ret.as_str()),
        ("EnvId", &wishes.envid),
        ("DeliverBy", &wishes.deliver_by),
        ("HoldFor", &wishes.hold_for),
        ("HoldUntil", &wishes.hold_until),
        ("MtPriority", &wishes.mt_priority),
        ("RequireTls", require_tls),
    ];
    let addressee = |index: &usize| {
        let Recipient { address, options, kind } = envelope.recipients[*index].clone();
        Addressee { address, options, kind }
    };
    Transaction {
        sender: envelope.sender.to_string(),
        recipients: who.iter().map(addressee).collect(),
        smtp_utf8: envelope.smtp_utf8 || needs_smtputf8,
        parameters: parameters.iter().filter(|(_, v)| !v.is_empty()).map(|(n, v)| (*n, v.to_string())).collect(),
    }
}

/// One transaction of a stored message, to be sent.
pub(super) fn job_of(stored: &Stored, index: usize, policy: Policy) -> Result<Job> {
    let transaction = &stored.transactions[index];
    let value = |name: &str| {
        let found = transaction.parameters.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let wishes = Wishes {
        ret: value("Ret"),
        envid: value("EnvId"),
        deliver_by: value("DeliverBy"),
        hold_for: value("HoldFor"),
        hold_until: value("HoldUntil"),
        mt_priority: value("MtPriority"),
        require_tls: !value("RequireTls").is_empty(),
    };
    let recipient = |a: &Addressee| Recipient { address: a.address.clone(), options: a.options.clone(), kind: a.kind };
    let content = stored.content(index)?;
    let piece = match content.body {
        Body::Kept(octets) => Piece::Bytes(octets),
        Body::Read(opener) => Piece::Other(opener),
    };
    let composed = Composed {
        size: piece.size().map(|body| body + content.headers.len() as u64),
        headers: content.headers,
        pieces: vec![piece],
        eight_bit: stored.is_eight_bit(index),
        needs_smtputf8: transaction.smtp_utf8,
    };
    let envelope = Envelope {
        verb: Verb::Mail,
        sender: transaction.sender.as_str().into(),
        recipients: transaction.recipients.iter().map(recipient).collect(),
        smtp_utf8: transaction.smtp_utf8,
        wishes: wishes.kept(),
        ..Envelope::default()
    };
    Ok(Job { draft: Message::default(), options: Options::default(), envelope, policy, composed: Some(composed) })
}

/// The content was given whole and no reply told what became of it.
pub(super) fn is_unknown(parcel: &Parcel, error: &Error) -> bool {
    parcel.in_doubt && !parcel.untried && error.reply.is_none()
}

pub(super) fn unknown_fate(error: &Error) -> Error {
    if error.code == Code::Interrupted {
        return error.clone();
    }
    let text = format!("The message was given, and no reply told what became of it: {}", error.message);
    Error::new(Code::UnknownFate, text)
}
