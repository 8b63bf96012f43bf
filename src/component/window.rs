//! BdatAhead: MAIL, RCPT and BDAT with the content in one write, several messages under way at once. RFC 3030 §2 has a client
//! collect the replies to the envelope first, so this is only done where the caller asks for it (ruling 17).

use super::deliver::{Parcel, Queue, Ready, remark};
use super::operation::Operation;
use crate::error::{Code, Error, Result};
use crate::events::{Direction, Kind, PiTrail};
use crate::smtp::Context;
use crate::smtp::body::Content;
use crate::smtp::command::Command;
use crate::smtp::envelope::{Outcome, Phase};
use crate::smtp::session::{Session, State as Talk, refused};
use crate::smtp::transaction::Framing;
use std::collections::VecDeque;

type Pair<'a> = (Parcel<'a>, Box<Ready>);

/// What comes behind a message that is being given.
enum Following<'a> {
    Nothing,
    Goes(Pair<'a>),
    /// One that cannot go yet, or not this way.
    Waits,
}

impl Operation<'_> {
    /// Whether the whole transaction can be said before anything of it is answered.
    pub(super) fn may_run_ahead(&self, parcel: &Parcel, ready: &Ready) -> bool {
        let sink = self.sink();
        parcel.switches.ahead > 0
            && !ready.said
            && parcel.job.draft.editions() == 1
            && ready.opening.framing == Framing::Bdat
            && ready.opening.is_one_group()
            && ready.exact.is_some()
            && ready.who.len() == parcel.left.len()
            && ready.parts.iter().all(|part| part.at_once())
            && !sink.wants(Kind::Transfer)
            && !sink.wants(Kind::EndTransfer)
    }

    /// Sends this message and those behind it that allow it, so many at once. An error is what ended the connection.
    pub(super) fn run_ahead<'a>(
        &mut self,
        parcel: Parcel<'a>,
        ready: Box<Ready>,
        queue: &mut Queue<'_, 'a>,
        quit: bool,
    ) -> Result<()> {
        let ahead = parcel.switches.ahead;
        let mut next = Following::Goes((parcel, ready));
        let mut flight: VecDeque<Pair<'a>> = VecDeque::new();
        let mut first = true;
        let mut lost: Option<Error> = None;
        loop {
            while flight.len() < ahead && lost.is_none() {
                let Following::Goes(pair) = next else { break };
                let (mut parcel, mut ready) = pair;
                let soiled = self.session.as_ref().is_some_and(|s| s.state == Talk::Soiled);
                if soiled && !ready.opening.begins_anew() {
                    // One failed after this was made ready.
                    match self.prepare(&mut parcel) {
                        Ok(again) => ready = again,
                        Err(error) => {
                            queue.finish(parcel, Err(error));
                            next = self.following(queue, flight.len());
                            continue;
                        }
                    }
                }
                next = self.following(queue, flight.len() + 1);
                let last = quit && matches!(next, Following::Nothing);
                let done = self.give(&mut ready, &parcel, first, last);
                first = false;
                parcel.in_doubt = self.session.as_ref().is_some_and(|s| s.given);
                match done {
                    Ok(()) => flight.push_back((parcel, ready)),
                    Err(error) => {
                        lost = Some(error.clone());
                        queue.finish(parcel, Err(error));
                    }
                }
            }
            if lost.is_some() {
                break;
            }
            let Some((parcel, ready)) = flight.pop_front() else { break };
            lost = self.land(parcel, ready, queue);
        }
        let nothing = matches!(next, Following::Nothing);
        if let Following::Goes(pair) = next {
            queue.waiting.push_front(pair.0);
        }
        match lost {
            Some(error) => {
                self.drop_session(Some(&error));
                // Given, and not answered: nobody knows.
                for (parcel, _) in flight {
                    queue.finish(parcel, Err(Error::new(error.code, error.message.as_str())));
                }
                Err(error)
            }
            None => {
                if quit && nothing {
                    self.farewell();
                    self.drop_session(None);
                }
                Ok(())
            }
        }
    }

    /// What became of the message that was given first; an error when that ends the connection.
    fn land<'a>(&mut self, mut parcel: Parcel<'a>, ready: Box<Ready>, queue: &mut Queue<'_, 'a>) -> Option<Error> {
        let done = self.hear_out(&mut parcel, ready);
        let error = done.as_ref().err().cloned();
        let code = error.as_ref().and_then(|e| e.reply);
        let phase = parcel.outcomes.first().map(|o| o.phase);
        parcel.in_doubt &= error.is_some() && code.is_none();
        let broken = phase == Some(Phase::Content) && code.is_some_and(|code| (500..=504).contains(&code));
        if let (true, Some(error)) = (broken && !self.plain.chunking, &error) {
            // What it took for commands it may still be answering.
            self.plain.chunking = true;
            let text = format!("The message goes once more without CHUNKING: {}", error.message);
            let told = self.sink().pi_trail(&PiTrail { direction: Direction::Info as i32, message: text.as_bytes() });
            if let Some(session) = self.session.as_mut() {
                session.state = Talk::Dead;
            }
            match told {
                Ok(()) => queue.waiting.push_back(parcel),
                Err(stop) => queue.finish(parcel, Err(stop)),
            }
            return Some(error.clone());
        }
        let dead = self.session.as_ref().is_none_or(Session::is_dead);
        // Refused for the message before it, which failed: once more, behind RSET.
        let in_the_way = code == Some(503) && phase == Some(Phase::Mail) && !dead && !parcel.rode;
        if in_the_way || (done.is_ok() && !parcel.left.is_empty()) {
            parcel.rode = in_the_way;
            queue.waiting.push_back(parcel);
        } else {
            queue.finish(parcel, done);
        }
        error.filter(|_| dead)
    }

    /// The next message, made ready, where it may go behind those that are under way.
    fn following<'a>(&mut self, queue: &mut Queue<'_, 'a>, under_way: usize) -> Following<'a> {
        loop {
            let Some(mut parcel) = queue.next() else { return Following::Nothing };
            let soiled = |s: &Session| s.state == Talk::Soiled && !parcel.switches.send_rset;
            let full = |s: &Session| s.is_full_with(under_way) && parcel.switches.limits;
            if self.session.as_ref().is_none_or(|s| full(s) || soiled(s)) {
                queue.waiting.push_front(parcel);
                return Following::Waits;
            }
            match self.prepare(&mut parcel) {
                Ok(ready) if self.may_run_ahead(&parcel, &ready) => return Following::Goes((parcel, ready)),
                Ok(_) => {
                    queue.waiting.push_front(parcel);
                    return Following::Waits;
                }
                Err(error) => queue.finish(parcel, Err(error)),
            }
        }
    }

    /// Says a whole transaction.
    fn give(&mut self, ready: &mut Ready, parcel: &Parcel, first: bool, quit: bool) -> Result<()> {
        let close = parcel.switches.close_stream;
        self.converse(|session, cx| {
            if first {
                session.begin(cx)?;
            }
            remark(cx, &ready.envelope, &ready.offer)?;
            let before = ready.opening.first_group(cx)?;
            let mut then = |cx: &Context| {
                let quit = if quit { Some(Command::new("QUIT")?) } else { None };
                quit.iter().try_for_each(|quit| cx.trace(Direction::Client, quit.shown()))?;
                Ok(quit.map(|quit| quit.wire()).unwrap_or_default())
            };
            let content = Content {
                headers: &ready.headers,
                parts: &mut ready.parts,
                framing: Framing::Bdat,
                exact: ready.exact,
                close,
                pipelined: true,
                then: Some(&mut then),
                before,
            };
            session.give(cx, content).map(drop)
        })
    }

    /// Hears everything that is answered to one transaction.
    fn hear_out(&mut self, parcel: &mut Parcel, mut ready: Box<Ready>) -> Result<()> {
        let mut outcomes = Vec::new();
        let done = self.converse(|session, cx| {
            let opened = session.open(cx, &ready.envelope, &mut ready.opening, ready.policy, &mut outcomes);
            if session.is_dead() {
                return opened.map(|deferred| (deferred, None));
            }
            let reply = session.reply(cx, "the final reply")?;
            if !reply.is_positive() && !session.is_dead() {
                session.state = Talk::Soiled;
            }
            opened.map(|deferred| (deferred, Some(reply)))
        });
        for (&index, outcome) in ready.who.iter().zip(outcomes) {
            parcel.outcomes[index] = outcome;
        }
        let (deferred, reply) = done?;
        let left: Vec<usize> = deferred.iter().map(|&i| ready.who[i]).collect();
        for &index in ready.who.iter().filter(|i| !left.contains(i)) {
            let outcome = &mut parcel.outcomes[index];
            if outcome.phase == Phase::Rcpt && outcome.code / 100 == 2 {
                *outcome = Outcome::new(&outcome.address, Phase::Content, reply.as_ref());
            }
        }
        match reply {
            Some(reply) if reply.is_positive() => {
                parcel.left = left;
                Ok(())
            }
            Some(reply) => Err(refused("The server refuses the message", &reply)),
            None => Err(Error::plain(Code::ConnectionDropped)),
        }
    }
}
