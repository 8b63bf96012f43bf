//! A mail transaction up to its content: RSET where the last one failed, MAIL, RCPT, DATA. RFC 5321 §3.3; in groups where
//! the server offers PIPELINING (RFC 2920), one by one elsewhere.

use crate::enums::RecipientType;
use crate::error::{Code, Error, Result};
use crate::events::{self, Direction};
use crate::smtp::Context;
use crate::smtp::command::{Command, end_line};
use crate::smtp::envelope::{Envelope, Outcome, Phase, enhanced};
use crate::smtp::extensions::Offer;
use crate::smtp::reply::Reply;
use crate::smtp::session::{Session, State, out_of_step, refused};
use std::io::IoSlice;

/// Commands of one group: their replies fit any server's buffers, so that neither side waits for the other to read.
const GROUP: usize = 100;

/// Which refused recipient stops the message.
#[derive(Debug, Clone, Copy)]
pub struct Policy {
    pub stop_on_to: bool,
    pub stop_on_cc: bool,
    pub stop_on_bcc: bool,
    /// The content can be read again: recipients over the server's limit may wait for a further transaction.
    pub split: bool,
}

impl Policy {
    pub fn stops(&self, kind: RecipientType) -> bool {
        match kind {
            RecipientType::To => self.stop_on_to,
            RecipientType::Cc => self.stop_on_cc,
            RecipientType::Bcc => self.stop_on_bcc,
        }
    }
}

/// How the content will go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    Data,
    Bdat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Rset,
    Mail,
    Rcpt(usize),
    Data,
}

/// The commands of a transaction, and how many of them are on their way.
pub struct Opening {
    /// The commands, each with its line end.
    wire: String,
    /// What each is, and where it ends.
    steps: Vec<(Step, usize)>,
    written: usize,
    pipelined: bool,
    /// No refused recipient must stop the message while another one was accepted.
    free: bool,
    pub framing: Framing,
}

impl Opening {
    /// Renders the commands; refuses (before anything is said) what the server cannot do.
    pub fn new(envelope: &Envelope, offer: &Offer, policy: Policy, framing: Framing, rset: bool) -> Result<Opening> {
        envelope.check(offer)?;
        let count = envelope.recipients.len() + 3;
        let (steps, wire) = (Vec::with_capacity(count), String::with_capacity(count * 48));
        let mut opening = Opening { wire, steps, written: 0, pipelined: offer.pipelining, free: false, framing };
        if rset {
            opening.push(Step::Rset, |line| line.push_str("RSET"))?;
        }
        opening.push(Step::Mail, |line| envelope.mail(offer, line))?;
        for (i, recipient) in envelope.recipients.iter().enumerate() {
            opening.push(Step::Rcpt(i), |line| recipient.rcpt(offer, line))?;
        }
        // DATA may only follow unseen replies when none of them can forbid it (ruling 17).
        opening.free = envelope.recipients.len() == 1 || !envelope.recipients.iter().any(|r| policy.stops(r.kind));
        if framing == Framing::Data && offer.pipelining && opening.free {
            opening.push(Step::Data, |line| line.push_str("DATA"))?;
        }
        Ok(opening)
    }

    fn push(&mut self, step: Step, write: impl FnOnce(&mut String)) -> Result<()> {
        let start = self.wire.len();
        write(&mut self.wire);
        end_line(&mut self.wire, start)?;
        self.steps.push((step, self.wire.len()));
        Ok(())
    }

    /// The next group, which is on its way from now on; each command of it is traced.
    fn next_group(&mut self, cx: &Context) -> Result<&str> {
        let from = self.written;
        self.written = if self.pipelined { self.steps.len().min(from + GROUP) } else { from + 1 };
        let begin = from.checked_sub(1).map_or(0, |last| self.steps[last].1);
        let mut start = begin;
        for (_, end) in &self.steps[from..self.written] {
            // Without its line end.
            cx.trace(Direction::Client, &self.wire.as_bytes()[start..end - 2])?;
            start = *end;
        }
        Ok(&self.wire[begin..start])
    }

    /// Everything up to the content may be said at once, and nothing the server answers to it must stop the content.
    pub fn is_one_group(&self) -> bool {
        self.pipelined && self.free && self.steps.len() <= GROUP
    }

    /// RSET goes first.
    pub fn begins_anew(&self) -> bool {
        matches!(self.steps.first(), Some((Step::Rset, _)))
    }

    /// The first group as it goes over the wire: it may ride behind the content of the message before.
    pub fn first_group(&mut self, cx: &Context) -> Result<Vec<u8>> {
        let length = self.next_group(cx)?.len();
        // What goes behind it, if anything does, is all that is still needed.
        if length == self.wire.len() {
            return Ok(std::mem::take(&mut self.wire).into_bytes());
        }
        Ok(self.wire.as_bytes()[..length].to_vec())
    }
}

impl Session {
    /// Says the commands of a transaction and hears the answers, until the content may go. `outcomes` gets an entry for each
    /// recipient, unless it has them from before. After an error nothing is open, or RSET is remembered. Gives the recipients that are over the server's
    /// limit and wait for a further transaction.
    pub fn open(
        &mut self,
        cx: &Context,
        envelope: &Envelope,
        opening: &mut Opening,
        policy: Policy,
        outcomes: &mut Vec<Outcome>,
    ) -> Result<Vec<usize>> {
        self.mails += 1;
        if outcomes.len() == envelope.recipients.len() {
            outcomes.iter_mut().for_each(|outcome| outcome.hear(Phase::Rcpt, None));
        } else {
            outcomes.clear();
            outcomes.extend(envelope.recipients.iter().map(|r| Outcome::new(&r.address, Phase::Rcpt, None)));
        }
        let done = self.say(cx, envelope, opening, policy, outcomes);
        if done.is_err() && self.state == State::Ready {
            self.state = State::Soiled;
        }
        done
    }

    fn say(
        &mut self,
        cx: &Context,
        envelope: &Envelope,
        opening: &mut Opening,
        policy: Policy,
        outcomes: &mut [Outcome],
    ) -> Result<Vec<usize>> {
        let mut heard = Heard::default();
        let mut next = 0;
        while next < opening.steps.len() {
            if next == opening.written {
                if heard.stop.is_some() {
                    break;
                }
                self.say_group(cx, opening)?;
            }
            let step = opening.steps[next].0;
            let reply = self.reply(cx, "a reply").inspect_err(|e| self.suspect(opening, e))?;
            next += 1;
            let taken = self.hear(cx, envelope, step, reply, policy, &mut heard, outcomes);
            if taken.is_err() && next < opening.written {
                // Replies are still on their way; nobody will read them.
                self.state = State::Dead;
            }
            taken?;
        }
        if heard.data && (heard.stop.is_some() || heard.accepted == 0) {
            return Err(self.lone_dot(cx, heard.error())?);
        }
        if heard.stop.is_some() || heard.accepted == 0 {
            return Err(heard.error());
        }
        self.state = State::Ready;
        if opening.framing == Framing::Data && !heard.data {
            let reply = self.ask(cx, &Command::new("DATA")?)?;
            self.hear_data(&reply)?;
        }
        Ok(heard.deferred)
    }

    fn say_group(&mut self, cx: &Context, opening: &mut Opening) -> Result<()> {
        let wire = opening.next_group(cx).inspect_err(|_| self.state = State::Dead)?;
        self.write(&mut [IoSlice::new(wire.as_bytes())], cx.clock)
    }

    /// A server that offered PIPELINING and then hangs up on a group broke its promise; nothing of the message was said.
    fn suspect(&mut self, opening: &Opening, error: &Error) {
        let dropped = matches!(error.code, Code::ConnectionDropped | Code::ConnectionReset);
        if opening.pipelined && opening.written > 1 && dropped {
            self.broken = Some("PIPELINING");
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn hear(
        &mut self,
        cx: &Context,
        envelope: &Envelope,
        step: Step,
        reply: Reply,
        policy: Policy,
        heard: &mut Heard,
        outcomes: &mut [Outcome],
    ) -> Result<()> {
        if self.is_dead() {
            return Err(refused("The server closes the connection", &reply));
        }
        if reply.code / 100 == 3 && step != Step::Data {
            self.state = State::Dead;
            return Err(out_of_step(&reply));
        }
        if heard.mail && reply.code / 100 == 5 && reply.in_one_line().to_ascii_lowercase().contains("pipelin") {
            self.broken = Some("PIPELINING");
        }
        match step {
            Step::Rset if !reply.is_positive() => heard.stop(refused("The server refuses RSET", &reply)),
            Step::Rset => {}
            Step::Mail if !reply.is_positive() => {
                for outcome in outcomes.iter_mut() {
                    outcome.hear(Phase::Mail, Some(&reply));
                }
                heard.stop(refused("The server refuses the sender", &reply));
            }
            Step::Mail => heard.mail = true,
            // What is said behind a refused MAIL is refused for that alone.
            Step::Rcpt(_) if !heard.mail => {}
            Step::Rcpt(i) => {
                let recipient = &envelope.recipients[i];
                outcomes[i].hear(Phase::Rcpt, Some(&reply));
                if reply.is_positive() {
                    heard.accepted += 1;
                    return Ok(());
                }
                if policy.split && heard.accepted > 0 && too_many(&reply) {
                    heard.deferred.push(i);
                    return Ok(());
                }
                let error = refused(&format!("The server refuses {}", recipient.address), &reply);
                if policy.stops(recipient.kind) {
                    heard.stop(error);
                } else {
                    let event = events::Error { error_code: error.code as i32, description: error.message.as_bytes() };
                    heard.last = Some(error.clone());
                    cx.sink.error(&event)?;
                }
            }
            Step::Data if reply.code == 354 => heard.data = true,
            Step::Data if heard.stop.is_some() || heard.accepted == 0 => {}
            Step::Data => self.hear_data(&reply)?,
        }
        Ok(())
    }

    fn hear_data(&mut self, reply: &Reply) -> Result<()> {
        if reply.code == 354 {
            return Ok(());
        }
        if reply.is_positive() {
            // It belongs to another command, or the server does not know what it is told: nothing after it can be trusted.
            self.state = State::Dead;
            if self.more_is_here() {
                return Err(out_of_step(reply));
            }
        }
        Err(refused("The server refuses DATA", reply))
    }

    /// The server waits for content although nobody is to get it: an empty message ends that (RFC 2920 §3.1).
    fn lone_dot(&mut self, cx: &Context, error: Error) -> Result<Error> {
        self.write(&mut [IoSlice::new(b".\r\n")], cx.clock)?;
        self.reply(cx, "the reply to an empty message").map(|_| error)
    }
}

/// "Too many recipients" (RFC 5321 §4.5.3.1.10): 452, and 552 of old servers; their other meanings say so by the enhanced
/// code or the text.
fn too_many(reply: &Reply) -> bool {
    let enhanced = enhanced(reply);
    let named = reply.in_one_line().to_ascii_lowercase().contains("too many");
    match reply.code {
        452 => named || enhanced.is_empty() || enhanced.ends_with(".5.3"),
        552 => named || enhanced.ends_with(".5.3"),
        _ => false,
    }
}

/// What the replies amount to so far.
#[derive(Default)]
struct Heard {
    mail: bool,
    accepted: usize,
    /// Over the server's limit of recipients.
    deferred: Vec<usize>,
    /// 354 came.
    data: bool,
    /// The first refusal that stops the message.
    stop: Option<Error>,
    /// The last refusal that does not.
    last: Option<Error>,
}

impl Heard {
    fn stop(&mut self, error: Error) {
        self.stop.get_or_insert(error);
    }

    fn error(&mut self) -> Error {
        self.stop.take().or(self.last.take()).unwrap_or_else(|| Error::plain(Code::NoRecipient))
    }
}
