//! Delivery: messages one after the other over one connection, each in as many transactions as the server's limits ask for,
//! the next one's commands in the same write as the end of the content before (ruling 17). What a server breaks is done
//! the plain way once; what a lost connection leaves open is told, not repeated.

use super::Component;
use super::operation::Operation;
use super::send::{Job, Switches};
use crate::error::{Code, Error, Result};
use crate::events::{self, Direction, PiTrail};
use crate::message::body::{Piece, Source};
use crate::message::compose::{self, Caps, Composed, Generated};
use crate::smtp::Context;
use crate::smtp::body::Content;
use crate::smtp::command::Command;
use crate::smtp::dot::Length;
use crate::smtp::envelope::{Envelope, Outcome, Phase, Recipient};
use crate::smtp::extensions::Offer;
use crate::smtp::session::{Session, State as Talk, refused};
use crate::smtp::transaction::{Framing, Opening, Policy};
use std::collections::VecDeque;
use std::time::Duration;

/// A server that does not answer QUIT is not waited for longer.
const QUIT_WAIT: Duration = Duration::from_secs(5);
/// Connections that were lost one after the other, with nothing brought to an end between.
const LOSSES: usize = 2;

/// A message on its way, and what came of it so far.
pub(super) struct Parcel<'a> {
    /// Whose message it is.
    pub owner: &'a Component,
    /// In a box, for a parcel goes from hand to hand.
    pub job: Box<Job>,
    pub switches: Switches,
    /// Its place among those of the call.
    pub index: usize,
    pub outcomes: Vec<Outcome>,
    /// Recipients that are still to be asked for, by their place in the envelope.
    pub left: Vec<usize>,
    /// The content can be read again.
    pub again: bool,
    /// Its commands went behind the content of another message, and not all are answered yet.
    pub rode: bool,
    /// Its content was given whole, and no reply told what became of it.
    pub in_doubt: bool,
    /// The delivery ended before it: nothing of what is left of it was given.
    pub untried: bool,
}

impl<'a> Parcel<'a> {
    pub fn new(owner: &'a Component, job: Job, switches: Switches, index: usize) -> Parcel<'a> {
        let recipients = &job.envelope.recipients;
        let outcomes = recipients.iter().map(|r| Outcome::new(&r.address, Phase::Rcpt, None)).collect();
        let left = (0..recipients.len()).collect();
        Parcel {
            owner,
            job: Box::new(job),
            switches,
            index,
            outcomes,
            left,
            again: true,
            rode: false,
            in_doubt: false,
            untried: false,
        }
    }

    /// Its sender was refused, not one of its recipients.
    fn at_mail(&self) -> bool {
        self.outcomes.first().is_some_and(|o| o.phase == Phase::Mail)
    }

    /// Whether the message went to others and need not go to these, who were refused: Bcc recipients in a transaction of their
    /// own, as they would be passed over in one with the others. The Error event told of them.
    fn does_without(&self, who: &[usize]) -> bool {
        let refused = |index: &usize| {
            let outcome = &self.outcomes[*index];
            let own = self.job.draft.edition_of(&outcome.address) > 0;
            own && outcome.phase == Phase::Rcpt
                && outcome.code >= 400
                && !self.job.policy.stops(self.recipient(*index).kind)
        };
        who.iter().all(refused) && self.outcomes.iter().any(|outcome| outcome.accepted)
    }

    fn recipient(&self, index: usize) -> &Recipient {
        &self.job.envelope.recipients[index]
    }

    /// All of its recipients, in their order.
    fn is_all(&self, who: &[usize]) -> bool {
        who.len() == self.job.envelope.recipients.len() && who.iter().enumerate().all(|(at, index)| at == *index)
    }

    /// For a transaction with these recipients, which gives back what came of them.
    fn lend_outcomes(&mut self, who: &[usize]) -> Vec<Outcome> {
        if self.is_all(who) { std::mem::take(&mut self.outcomes) } else { Vec::new() }
    }

    fn take_outcomes(&mut self, who: &[usize], outcomes: Vec<Outcome>) {
        if self.outcomes.is_empty() {
            self.outcomes = outcomes;
            return;
        }
        for (&index, outcome) in who.iter().zip(outcomes) {
            self.outcomes[index] = outcome;
        }
    }
}

/// The messages of a call.
pub(super) struct Queue<'q, 'a> {
    /// Makes the next message ready, while there is one.
    make: &'q mut dyn FnMut() -> Option<Parcel<'a>>,
    /// Hears what came of a message.
    finished: &'q mut dyn FnMut(Parcel<'a>, Result<()>),
    /// Begun, and to be gone on with.
    pub waiting: VecDeque<Parcel<'a>>,
}

impl<'q, 'a> Queue<'q, 'a> {
    pub fn new(
        make: &'q mut dyn FnMut() -> Option<Parcel<'a>>,
        finished: &'q mut dyn FnMut(Parcel<'a>, Result<()>),
    ) -> Queue<'q, 'a> {
        Queue { make, finished, waiting: VecDeque::new() }
    }

    pub fn next(&mut self) -> Option<Parcel<'a>> {
        self.waiting.pop_front().or_else(|| (self.make)())
    }

    pub fn finish(&mut self, mut parcel: Parcel<'a>, done: Result<()>) {
        parcel.owner.state.lock().results.set(std::mem::take(&mut parcel.outcomes));
        (self.finished)(parcel, done);
    }

    /// Nothing more can be sent.
    fn give_up(&mut self, error: &Error) {
        while let Some(mut parcel) = self.next() {
            parcel.untried = true;
            self.finish(parcel, Err(error.clone()));
        }
    }
}

/// A transaction, ready to be said.
pub(super) struct Ready {
    /// Its recipients, by their place in the message's envelope.
    pub who: Vec<usize>,
    pub envelope: Envelope,
    pub headers: Vec<u8>,
    pub parts: Vec<Box<dyn Source>>,
    /// Bytes of the content, where they are known exactly.
    pub exact: Option<u64>,
    pub offer: Offer,
    pub policy: Policy,
    pub opening: Opening,
    /// Its first group went with the content before it.
    pub said: bool,
}

/// The remarks that go before the first command.
pub(super) fn remark(cx: &Context, envelope: &Envelope, offer: &Offer) -> Result<()> {
    envelope.left_out(offer).iter().try_for_each(|text| cx.trace(Direction::Info, text.as_bytes()))
}

/// What goes in the same write as the end of the content.
enum Tail<'a> {
    Nothing,
    Quit,
    Next(Parcel<'a>, Box<Ready>),
}

impl Operation<'_> {
    /// Sends every message of the queue; with `quit`, QUIT goes behind the last one where that saves a round trip.
    pub fn carry<'a>(&mut self, queue: &mut Queue<'_, 'a>, quit: bool) {
        let mut riding = None;
        let mut losses = 0;
        loop {
            let (mut parcel, mut ready) = match riding.take() {
                Some(pair) => pair,
                None => {
                    let Some(mut parcel) = queue.next() else { return };
                    if let Err(error) = self.stand(&parcel) {
                        parcel.untried = true;
                        queue.finish(parcel, Err(error.clone()));
                        return queue.give_up(&error);
                    }
                    match self.prepare(&mut parcel) {
                        Ok(ready) => (parcel, ready),
                        Err(error) => {
                            queue.finish(parcel, Err(error));
                            continue;
                        }
                    }
                }
            };
            if self.may_run_ahead(&parcel, &ready) {
                match self.run_ahead(parcel, ready, queue, quit) {
                    Ok(()) => losses = 0,
                    Err(error) => {
                        losses += 1;
                        if losses == LOSSES || error.code == Code::Interrupted {
                            return queue.give_up(&error);
                        }
                    }
                }
                continue;
            }
            let mut done = self.turn(&mut parcel, &mut ready, queue, quit, &mut riding);
            // The caller's stream may be read again.
            ready.parts.clear();
            let mut again = match &done {
                Ok(()) => Ok(!parcel.left.is_empty()),
                Err(error) => self.once_more(&mut parcel, error, &mut riding),
            };
            if done.is_err() && matches!(again, Ok(false)) && parcel.does_without(&ready.who) {
                parcel.left.retain(|index| !ready.who.contains(index));
                again = Ok(!parcel.left.is_empty());
                done = Ok(());
            }
            let lost = self.session.as_ref().is_none_or(Session::is_dead);
            if lost {
                let parted = self.session.as_ref().is_some_and(|s| s.parted);
                self.drop_session(done.as_ref().err().filter(|_| !parted));
                // What was said for the next one is lost with the connection, and nothing of it was given.
                queue.waiting.extend(riding.take().map(|(parcel, _)| parcel));
            }
            let error = done.as_ref().err().cloned();
            match again {
                Ok(true) => queue.waiting.push_front(parcel),
                Ok(false) => queue.finish(parcel, done),
                Err(stopped) => queue.finish(parcel, Err(stopped)),
            }
            match error {
                Some(error) if error.code == Code::Interrupted => return queue.give_up(&error),
                Some(error) if lost && error.reply.is_none_or(|code| code == 421) => {
                    losses += 1;
                    if losses == LOSSES {
                        return queue.give_up(&error);
                    }
                }
                _ => losses = 0,
            }
        }
    }

    /// A connection that can take the next transaction.
    fn stand(&mut self, parcel: &Parcel) -> Result<()> {
        let stale = |s: &Session| {
            (s.is_full() && parcel.switches.limits) || (s.state == Talk::Soiled && !parcel.switches.send_rset)
        };
        if self.session.as_ref().is_some_and(stale) {
            self.quit();
        }
        if self.session.is_none() { self.open() } else { Ok(()) }
    }

    /// Everything that can be made ready, or refused, before the server hears of it.
    pub(super) fn prepare(&mut self, parcel: &mut Parcel) -> Result<Box<Ready>> {
        let Some(session) = self.session.as_ref() else { return Err(Error::plain(Code::NotConnected)) };
        let mut offer = parcel.switches.narrow(&session.extensions);
        offer.pipelining &= !self.plain.pipelining;
        offer.chunking &= !self.plain.chunking;
        // RFC 8689 §4.2: only over TLS.
        offer.require_tls &= session.secured;
        let rset = session.state == Talk::Soiled;
        // RFC 3030 §3: never with DATA.
        offer.binary_mime &= offer.chunking;
        let caps = Caps { eight_bit_mime: offer.eight_bit_mime, smtp_utf8: offer.smtp_utf8, binary: offer.binary_mime };
        let composed = compose_for(parcel, caps)?;
        parcel.again = composed.pieces.iter().all(Piece::is_rereadable);
        let who = first_batch(parcel, &offer);
        if who.len() < parcel.left.len() && !parcel.again {
            self.pass_over(parcel, who.len())?;
        }
        let (size, exact) = wire_size(&composed);
        let recipients = match &parcel.job.envelope.recipients {
            all if parcel.is_all(&who) => all.clone(),
            all => who.iter().map(|&i| all[i].clone()).collect(),
        };
        let envelope = Envelope {
            recipients,
            smtp_utf8: parcel.job.envelope.smtp_utf8 || composed.needs_smtputf8,
            eight_bit: composed.eight_bit,
            binary: composed.is_binary(),
            size: size.filter(|_| offer.size.is_some()),
            ..parcel.job.envelope.clone()
        };
        let framing = if offer.chunking { Framing::Bdat } else { Framing::Data };
        let policy = Policy { split: parcel.again, ..parcel.job.policy };
        let opening = Opening::new(&envelope, &offer, policy, framing, rset)?;
        let parts = composed.pieces.iter().map(|piece| piece.open()).collect::<Result<Vec<Box<dyn Source>>>>()?;
        let headers = composed.headers;
        Ok(Box::new(Ready { who, envelope, headers, parts, exact, offer, policy, opening, said: false }))
    }

    /// Recipients beyond the server's limit, of a message whose content can be read only once: they are told of one by one,
    /// and where one of them must not be missed, the message is not begun.
    fn pass_over(&mut self, parcel: &mut Parcel, kept: usize) -> Result<()> {
        let why = "the server takes no more recipients at once, and the content cannot be read again";
        let rest = parcel.left.split_off(kept);
        for &index in &rest {
            let text = format!("{} is left out: {why}", parcel.recipient(index).address);
            parcel.outcomes[index].text.clone_from(&text);
            if parcel.job.policy.stops(parcel.recipient(index).kind) {
                return Err(Error::new(Code::Protocol, text));
            }
            let event = events::Error { error_code: Code::Protocol as i32, description: text.as_bytes() };
            self.sink().error(&event)?;
        }
        Ok(())
    }

    /// One transaction. What is left of the message afterwards is in `left`; what was said ahead for another one in `riding`.
    fn turn<'a>(
        &mut self,
        parcel: &mut Parcel<'a>,
        ready: &mut Ready,
        queue: &mut Queue<'_, 'a>,
        quit: bool,
        riding: &mut Option<(Parcel<'a>, Box<Ready>)>,
    ) -> Result<()> {
        parcel.rode = ready.said;
        let who = &ready.who;
        let mut outcomes = parcel.lend_outcomes(who);
        let opened = self.converse(|session, cx| {
            if !ready.said {
                session.begin(cx)?;
                remark(cx, &ready.envelope, &ready.offer)?;
            }
            // CHUNKING may have proved broken since this was made ready.
            let chunking = session.extensions.chunking;
            let binary = ready.envelope.binary;
            let opening = &mut ready.opening;
            if !chunking && !binary {
                opening.framing = Framing::Data;
            }
            let framing = opening.framing;
            let deferred = session.open(cx, &ready.envelope, opening, ready.policy, &mut outcomes)?;
            if binary && !chunking {
                // Its content cannot go by DATA.
                session.state = Talk::Soiled;
                return Ok(None);
            }
            Ok(Some((framing, deferred)))
        });
        parcel.take_outcomes(who, outcomes);
        let opened = opened?;
        parcel.rode = false;
        // All of it is still to be done, composed anew.
        let Some((framing, deferred)) = opened else { return Ok(()) };
        let rest = parcel.left.iter().filter(|i| !who.contains(i));
        let left: Vec<usize> = deferred.iter().map(|&i| who[i]).chain(rest.copied()).collect();
        let mut tail = if left.is_empty() && ready.offer.pipelining { self.tail(queue, quit) } else { Tail::Nothing };
        let mut said = false;
        let mut then = |cx: &Context| {
            said = true;
            tail.wire(cx)
        };
        let content = Content {
            headers: &ready.headers,
            parts: &mut ready.parts,
            framing,
            exact: ready.exact,
            close: parcel.switches.close_stream,
            pipelined: ready.offer.pipelining,
            then: Some(&mut then),
            before: Vec::new(),
        };
        let done = self.converse(|session, cx| session.content(cx, content));
        for &index in who.iter().filter(|i| !left.contains(i)) {
            let outcome = &mut parcel.outcomes[index];
            if outcome.phase == Phase::Rcpt && outcome.code / 100 == 2 {
                outcome.hear(Phase::Content, done.as_ref().ok());
            }
        }
        match tail {
            Tail::Nothing => {}
            Tail::Quit if said => self.farewell(),
            Tail::Quit => {}
            Tail::Next(parcel, ready) if said => *riding = Some((parcel, ready)),
            Tail::Next(parcel, _) => queue.waiting.push_front(parcel),
        }
        parcel.in_doubt = done.is_err() && self.session.as_ref().is_some_and(|s| s.given);
        let reply = done?;
        if !reply.is_positive() {
            return Err(refused("The server refuses the message", &reply));
        }
        parcel.left = left;
        Ok(())
    }

    /// What may go with the end of the content of the message at hand.
    fn tail<'a>(&mut self, queue: &mut Queue<'_, 'a>, quit: bool) -> Tail<'a> {
        let full = self.session.as_ref().is_some_and(Session::is_full);
        loop {
            let Some(mut parcel) = queue.next() else {
                return if quit { Tail::Quit } else { Tail::Nothing };
            };
            if full && parcel.switches.limits {
                queue.waiting.push_front(parcel);
                return Tail::Quit;
            }
            match self.prepare(&mut parcel) {
                Ok(ready) => return Tail::Next(parcel, ready),
                Err(error) => queue.finish(parcel, Err(error)),
            }
        }
    }

    /// Hears the answer to the QUIT that went with the content; what comes of it does not matter.
    pub(super) fn farewell(&mut self) {
        let usual = self.clock.inactivity;
        self.clock.inactivity = Some(usual.map_or(QUIT_WAIT, |t| t.min(QUIT_WAIT)));
        let given = self.session.as_ref().is_some_and(|s| s.given);
        let _ = self.converse(|session, cx| {
            // LastReply stays what the server said to the message.
            session.farewell(&Context { last_reply: &|_| (), ..*cx });
            session.given = given;
            Ok(())
        });
        self.clock.inactivity = usual;
    }

    /// Whether the message goes again: the server broke what it offered before it took anything, and the plain way is still
    /// to be tried, or what was said behind a message that failed was refused for that.
    fn once_more(
        &mut self,
        parcel: &mut Parcel,
        error: &Error,
        riding: &mut Option<(Parcel, Box<Ready>)>,
    ) -> Result<bool> {
        let Some(session) = self.session.as_mut() else { return Ok(false) };
        let broken = session.broken.take();
        if parcel.rode {
            // Not its own fault: the connection ended, or the message before it was in the way.
            let gone = matches!(error.code, Code::ConnectionDropped | Code::ConnectionReset);
            return Ok(gone || error.reply.is_some_and(|code| code == 421 || (code == 503 && parcel.at_mail())));
        }
        let Some(broken) = broken else { return Ok(false) };
        let chunking = broken == "CHUNKING";
        let tried = if chunking { &mut self.plain.chunking } else { &mut self.plain.pipelining };
        let offered = if chunking { &mut session.extensions.chunking } else { &mut session.extensions.pipelining };
        *offered = false;
        if std::mem::replace(tried, true) || (chunking && !parcel.again) {
            return Ok(false);
        }
        let text = format!("The message goes once more without {broken}: {}", error.message);
        let event = PiTrail { direction: Direction::Info as i32, message: text.as_bytes() };
        self.component.sink.pi_trail(&event)?;
        if riding.is_none() && !session.is_dead() && parcel.switches.send_rset {
            // A server that took the content for commands has more to say, and is not to be believed any more.
            let clean = self.converse(|session, cx| {
                let reply = session.ask(cx, &Command::new("RSET")?)?;
                session.state = if reply.is_positive() && !session.more_is_here() { Talk::Ready } else { Talk::Dead };
                Ok(())
            });
            match clean {
                Err(error) if error.code == Code::Interrupted => return Err(error),
                _ => {}
            }
        } else if riding.is_none() {
            self.quit();
        }
        Ok(true)
    }
}

impl Tail<'_> {
    fn wire(&mut self, cx: &Context) -> Result<Vec<u8>> {
        match self {
            Tail::Nothing => Ok(Vec::new()),
            Tail::Quit => {
                let quit = Command::new("QUIT")?;
                cx.trace(Direction::Client, quit.shown())?;
                Ok(quit.wire())
            }
            Tail::Next(_, next) => {
                remark(cx, &next.envelope, &next.offer)?;
                next.said = true;
                next.opening.first_group(cx)
            }
        }
    }
}

/// Composes for what this server takes, and keeps what was generated so that reading the headers tells what was sent.
pub(super) fn compose_for(parcel: &Parcel, caps: Caps) -> Result<Composed> {
    let job = &parcel.job;
    if let Some(composed) = &job.composed {
        let refused = |what| {
            Err(Error::new(Code::ValueRefused, format!("The message has {what}, which the server does not offer")))
        };
        return match composed {
            composed if composed.needs_smtputf8 && !caps.smtp_utf8 => refused("text that needs SMTPUTF8"),
            composed if composed.eight_bit && !caps.eight_bit_mime => refused("octets that need 8BITMIME"),
            composed => Ok(composed.clone()),
        };
    }
    let mut state = parcel.owner.state.lock();
    let current = state.message.revision == job.draft.revision;
    let mut generated = if current { std::mem::take(&mut state.generated) } else { Generated::default() };
    drop(state);
    // The form that those get who are next.
    let edition = parcel.left.first().map_or(0, |&index| job.draft.edition_of(&parcel.recipient(index).address));
    let composed = if edition == 0 {
        compose::compose(&job.draft, &job.options, caps, &mut generated)
    } else {
        compose::compose(&job.draft.edition(edition), &job.options, caps, &mut generated)
    };
    let mut state = parcel.owner.state.lock();
    if current && state.message.revision == job.draft.revision {
        state.generated = generated;
        state.caps = caps;
    }
    composed
}

/// As many of the recipients that are left as the server's LIMITS allow in one transaction, all of one form of the message:
/// who reads a Bcc recipient's envelope would learn of him (ruling 8).
fn first_batch(parcel: &Parcel, offer: &Offer) -> Vec<usize> {
    let rcpt_max = offer.limits.rcpt_max.unwrap_or(usize::MAX);
    let domain_max = offer.limits.rcpt_domain_max.unwrap_or(usize::MAX);
    let mut batch = Vec::with_capacity(parcel.left.len().min(rcpt_max));
    let mut domains: Vec<String> = Vec::new();
    let edition = |index: usize| parcel.job.draft.edition_of(&parcel.recipient(index).address);
    let first = parcel.left.first().map_or(0, |&index| edition(index));
    for &index in parcel.left.iter().filter(|&&index| edition(index) == first) {
        let address = &parcel.recipient(index).address;
        if domain_max < usize::MAX {
            let domain = address.rsplit('@').next().unwrap_or("").to_ascii_lowercase();
            if !domains.contains(&domain) {
                if domains.len() == domain_max {
                    break;
                }
                domains.push(domain);
            }
        }
        if batch.len() == rcpt_max {
            break;
        }
        batch.push(index);
    }
    batch
}

/// What RFC 1870 counts: headers and body with CRLF line ends, without stuffed dots. A file or stream counts as it is.
/// The first is None where it is not known, the second where it is not exact.
fn wire_size(composed: &Composed) -> (Option<u64>, Option<u64>) {
    let mut body = Length::default();
    let mut streamed = Some(0);
    let mut exact = true;
    for piece in &composed.pieces {
        match piece {
            Piece::Bytes(bytes) => body.text(bytes),
            Piece::Known(bytes, start, facts) => {
                let bytes = bytes.get(*start..).unwrap_or_default();
                if facts.canonical { body.canonical(bytes) } else { body.text(bytes) }
            }
            Piece::Encoded(bytes) => body.text(bytes),
            Piece::Binary(piece) if piece.size().is_some() => {
                body.binary(piece.size().unwrap_or_default());
                exact &= piece.is_kept();
            }
            other => {
                exact = false;
                streamed = streamed.and_then(|sum: u64| Some(sum + other.size()?));
            }
        }
    }
    let size = streamed.map(|sum| composed.headers.len() as u64 + body.finish() + sum);
    (size, size.filter(|_| exact))
}
