//! ProcessQueue: the files of a folder in their order over one connection, each looked at, checked, taken and put away
//! (ruling 41). What is promised of them is in docs/queue-format.md.

use super::Component;
use super::connect::no_server;
use super::deliver::{self, Parcel};
use super::queue::{is_unknown, job_of, unknown_fate};
use super::send::{Switches, policy};
use crate::config::Setting;
use crate::error::{Code, Error, Result};
use crate::events;
use crate::queue::folder::{Back, Base, Folder, Held, Reach, Take, shown};
use crate::queue::names::{self, FAILED, QUEUED, SENDING};
use crate::queue::octets::FileOctets;
use crate::queue::read::Stored;
use crate::queue::retry::Retry;
use crate::queue::sealed::{Keyring, Refused};
use crate::queue::state::State;
use crate::smtp::transaction::Policy;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::Arc;

impl Component {
    /// Sends the `.queued` files of a folder. A file that fails is told of by Error and is no failure of the method.
    pub fn process_queue(&self, queue_dir: &str) -> Result<()> {
        let mut op = self.begin()?;
        let folder = Folder::open(queue_dir)?;
        let mut run = {
            let mut state = self.state.lock();
            if op.session.is_none() && state.server.name.is_empty() {
                return Err(no_server());
            }
            state.results.clear();
            let settings = &state.settings;
            Run {
                component: self,
                retry: Retry::parse(settings.text(Setting::QueueRetry)),
                keep: settings.bool(Setting::KeepQueue),
                switches: Switches::new(settings),
                policy: policy(settings),
                keys: state.queue_keys.clone(),
                last: folder.last(QUEUED)?,
                folder,
                after: None,
                names: VecDeque::new(),
                first: None,
                ready: VecDeque::new(),
                parcels: VecDeque::new(),
                works: Vec::new(),
                count: 0,
                stop: None,
            }
        };
        op.notice()?;
        // No connection for a folder without work, and no name is changed before there is one.
        run.first = run.look()?;
        if run.first.is_none() {
            return run.folder.settle();
        }
        let own = op.session.is_none();
        if own {
            op.open()?;
        }
        let run = RefCell::new(run);
        let mut make = || run.borrow_mut().make();
        let mut finished = |parcel: Parcel, done: Result<()>| run.borrow_mut().finished(parcel, done);
        op.carry(&mut deliver::Queue::new(&mut make, &mut finished), own);
        let mut run = run.into_inner();
        run.leave();
        if own {
            op.quit();
        } else {
            op.settle(run.stop.as_ref());
        }
        let settled = run.folder.settle();
        run.stop.map_or(settled, Err)
    }
}

/// A file that was found whole and is not taken yet.
struct Found {
    held: Held,
    stored: Stored,
    state: State,
}

/// A file that is being sent.
struct Work {
    held: Held,
    state: State,
    created: i64,
    /// The place of each transaction's first recipient.
    places: Vec<usize>,
    /// Transactions whose end is not known.
    open: usize,
    fate: Fate,
}

/// Of which file, and which of its transactions, a parcel is, and whom it asks for.
struct Part {
    parcel: usize,
    file: usize,
    transaction: usize,
    who: Vec<usize>,
}

/// What became of a file's transactions so far.
#[derive(Default)]
struct Fate {
    unknown: Option<Error>,
    untried: Option<Error>,
    refused: Option<Error>,
    later: Option<Error>,
}

struct Run<'a> {
    component: &'a Component,
    folder: Folder,
    retry: Option<Retry>,
    keep: bool,
    switches: Switches,
    policy: Policy,
    keys: Option<Arc<Keyring>>,
    /// Files that come later than this were queued after we began: the next call's.
    last: Option<Base>,
    after: Option<Base>,
    names: VecDeque<Base>,
    first: Option<Found>,
    /// Further transactions of the file that was taken last.
    ready: VecDeque<Parcel<'a>>,
    /// What each parcel is that is not finished, in the order of their numbers, in which they mostly finish, too.
    parcels: VecDeque<Part>,
    /// The files that are being sent, which are few at a time, by number.
    works: Vec<(usize, Work)>,
    count: usize,
    /// Why no further file is taken.
    stop: Option<Error>,
}

impl<'a> Run<'a> {
    fn tell(&mut self, error: &Error) {
        let event = events::Error { error_code: error.code as i32, description: error.message.as_bytes() };
        if let Err(stop) = self.component.sink.error(&event) {
            self.stop.get_or_insert(stop);
        }
    }

    fn tell_of(&mut self, name: &str, error: &Error) {
        self.tell(&Error::new(error.code, format!("{name}: {}", error.message)));
    }

    fn next_name(&mut self) -> Result<Option<Base>> {
        if self.names.is_empty() && self.last.is_some() {
            self.names = self.folder.list(QUEUED, self.after.as_ref(), self.last.as_ref())?.into();
            self.after = self.names.back().cloned();
            if self.names.is_empty() {
                self.last = None;
            }
        }
        Ok(self.names.pop_front())
    }

    /// The next file that is whole and due.
    fn look(&mut self) -> Result<Option<Found>> {
        while self.stop.is_none() {
            // A folder may be long, and each file of it costs what its password does.
            self.component.interrupt.check()?;
            let Some(base) = self.next_name()? else { return Ok(None) };
            match self.folder.reach(&base, QUEUED) {
                Reach::Got(held) => {
                    if let Some(found) = self.examine(held)? {
                        return Ok(Some(found));
                    }
                }
                Reach::Passed => {}
                Reach::Foreign(error) => self.tell(&error),
            }
        }
        Err(self.stop.clone().unwrap_or_else(|| Error::plain(Code::Interrupted)))
    }

    fn examine(&mut self, held: Held) -> Result<Option<Found>> {
        let mut damage = None;
        let state = self.folder.state(&held.base).unwrap_or_else(|error| {
            damage = Some(error);
            None
        });
        let mut state = state.unwrap_or_default();
        if damage.is_none() && self.retry.is_some() && state.next > names::now() {
            return Ok(None);
        }
        let opened = held.file.try_clone().map_err(|e| crate::queue::failed("queue file", e));
        let opened = opened.and_then(FileOctets::new).map_err(Refused::Damaged);
        let stored = opened.and_then(|octets| Stored::open(Arc::new(octets), self.keys.as_deref()));
        let stored = match (stored, damage) {
            (Ok(stored), None) if state.identity.is_empty() || state.identity == stored.identity => stored,
            (Err(Refused::Password(error)), _) => {
                self.tell_of(&shown(&held.base, QUEUED), &error);
                return Ok(None);
            }
            (Err(Refused::Damaged(error)), _) | (Ok(_), Some(error)) => return self.spoilt(&held, &error),
            (Ok(_), None) => {
                let error = crate::queue::failed("queue", "what is remembered of the file is of another one");
                return self.spoilt(&held, &error);
            }
        };
        state.identity.clone_from(&stored.identity);
        Ok(Some(Found { held, stored, state }))
    }

    /// Not sent, not kept in the way: `.failed`.
    fn spoilt(&mut self, held: &Held, error: &Error) -> Result<Option<Found>> {
        let name = self.folder.put(held, QUEUED, FAILED)?;
        self.tell_of(&name, error);
        Ok(None)
    }

    fn make(&mut self) -> Option<Parcel<'a>> {
        loop {
            if self.stop.is_some() {
                return None;
            }
            if let Some(parcel) = self.ready.pop_front() {
                return Some(parcel);
            }
            let found = match self.first.take() {
                Some(found) => Ok(Some(found)),
                None => self.look(),
            };
            let taken = match found {
                Ok(Some(found)) => self.take(found),
                Ok(None) => return None,
                Err(error) => Err(error),
            };
            if let Err(error) = taken {
                self.stop.get_or_insert(error);
            }
        }
    }

    /// From here on the file is `.sending`.
    fn take(&mut self, found: Found) -> Result<()> {
        let Found { held, stored, state } = found;
        let jobs = (0..stored.transactions.len()).map(|n| job_of(&stored, n, self.policy)).collect::<Result<Vec<_>>>();
        let jobs = match jobs {
            Ok(jobs) => jobs,
            Err(error) => return self.spoilt(&held, &error).map(drop),
        };
        match self.folder.take(&held)? {
            Take::Ours => {}
            Take::Gone => return Ok(()),
            Take::InTheWay(error) => {
                self.tell(&error);
                return Ok(());
            }
        }
        let file = self.count;
        self.count += 1;
        let mut work =
            Work { held, state, created: stored.created, places: Vec::new(), open: 0, fate: Fate::default() };
        let mut place = 0;
        for (n, job) in jobs.into_iter().enumerate() {
            work.places.push(place);
            let settled = |i: &usize| work.state.done.contains(place + i) || work.state.refused.contains(place + i);
            let count = job.envelope.recipients.len();
            let who: Vec<usize> = (0..count).filter(|i| !settled(i)).collect();
            place += count;
            if who.is_empty() {
                continue;
            }
            let mut parcel = Parcel::new(self.component, job, self.switches, self.count);
            parcel.left.clone_from(&who);
            self.parcels.push_back(Part { parcel: self.count, file, transaction: n, who });
            self.count += 1;
            work.open += 1;
            self.ready.push_back(parcel);
        }
        if work.open == 0 {
            self.conclude(work);
        } else {
            self.works.push((file, work));
        }
        Ok(())
    }

    /// Hears what came of a transaction.
    fn finished(&mut self, parcel: Parcel, done: Result<()>) {
        let place = self.parcels.iter().position(|part| part.parcel == parcel.index);
        let Some(part) = place.and_then(|place| self.parcels.remove(place)) else { return };
        let Some(at) = self.works.iter().position(|(file, _)| *file == part.file) else { return };
        let work = &mut self.works[at].1;
        // `finish` of the queue has moved the outcomes to the results.
        let outcomes = parcel.owner.state.lock().results.list().to_vec();
        let first = work.places.get(part.transaction).copied().unwrap_or(0);
        let mut waiting = None;
        let for_good = done
            .as_ref()
            .is_err_and(|e| !parcel.untried && !parcel.in_doubt && e.code != Code::Interrupted && !is_temporary(e));
        for index in part.who {
            let Some(outcome) = outcomes.get(index) else { continue };
            if outcome.accepted {
                work.state.done.insert(first + index);
            } else if outcome.code / 100 == 5 && done.is_ok() {
                work.state.refused.insert(first + index);
            } else if done.is_ok() {
                let text = format!("The server refuses {}: {}", outcome.address, outcome.text);
                waiting = Some(Error::refused(outcome.code, text));
            } else if for_good {
                work.state.refused.insert(first + index);
            }
        }
        let fate = &mut work.fate;
        match done {
            Ok(()) => {
                if self.retry.is_some() && waiting.is_some() {
                    fate.later = waiting;
                }
            }
            Err(error) if is_unknown(&parcel, &error) => fate.unknown = Some(unknown_fate(&error)),
            Err(error) if parcel.untried || error.code == Code::Interrupted => fate.untried = Some(error),
            Err(error) if is_temporary(&error) && self.retry.is_some() => fate.later = Some(error),
            Err(error) => {
                work.state.failed = true;
                fate.refused = Some(error);
            }
        }
        if let Some(error) = fate.untried.clone().or(fate.unknown.clone().filter(|e| e.code == Code::Interrupted)) {
            self.stop.get_or_insert(error);
        }
        work.open -= 1;
        if work.open == 0 {
            let (_, work) = self.works.swap_remove(at);
            self.conclude(work);
        }
    }

    /// All that is known of a file is known: it gets its name.
    fn conclude(&mut self, work: Work) {
        let Work { held, mut state, created, fate, .. } = work;
        let sending = shown(&held.base, SENDING);
        if let Some(error) = fate.unknown {
            // Who certainly has it is remembered, for who decides to send it again.
            state.refused.clear();
            state.failed = false;
            let kept = if state.is_empty() { Ok(()) } else { self.folder.remember(&held.base, &state) };
            if error.code != Code::Interrupted {
                self.tell_of(&sending, &error);
            }
            if let Err(error) = kept {
                self.tell_of(&sending, &error);
            }
            return;
        }
        if fate.untried.is_some() {
            return self.back(&held, Back::Queued, &state, fate.refused.as_ref());
        }
        let mut refused = fate.refused;
        if let (Some(error), Some(retry)) = (fate.later, self.retry) {
            state.attempts += 1;
            let now = names::now();
            let wait = retry.wait(state.attempts);
            if !retry.is_over(created, now + wait) {
                state.next = now + wait;
                let text = format!("put off for {wait} s: {}", error.message);
                let error = refused.unwrap_or(error.with_message(text));
                return self.back(&held, Back::Queued, &state, Some(&error));
            }
            let text = format!("given up after {} attempts: {}", state.attempts, error.message);
            refused.get_or_insert(error.with_message(text));
        }
        if refused.is_none() && state.failed {
            refused = Some(Error::new(Code::Protocol, "some recipients were refused before"));
        }
        match refused {
            Some(error) => {
                // Only who has it is not to get it when somebody queues it again.
                let (identity, done) = (state.identity, state.done);
                let state = State { identity, done, ..State::default() };
                self.back(&held, Back::Failed, &state, Some(&error));
            }
            None => {
                if let Err(error) = self.folder.sent(&held, self.keep) {
                    self.tell_of(&sending, &error);
                }
            }
        }
    }

    fn back(&mut self, held: &Held, to: Back, state: &State, error: Option<&Error>) {
        match (self.folder.give_back(held, to, state), error) {
            (Ok(name), Some(error)) => self.tell_of(&name, error),
            (Ok(_), None) => {}
            (Err(trouble), error) => {
                if let Some(error) = error {
                    self.tell_of(&shown(&held.base, SENDING), error);
                }
                self.tell(&trouble);
            }
        }
    }

    /// Files that were taken and not begun go back.
    fn leave(&mut self) {
        self.ready.clear();
        for (_, mut work) in std::mem::take(&mut self.works) {
            let why = || self.stop.clone().unwrap_or_else(|| Error::plain(Code::Interrupted));
            work.fate.untried.get_or_insert_with(why);
            self.conclude(work);
        }
    }
}

/// Trying again may help: the server said so, or the network was in the way.
fn is_temporary(error: &Error) -> bool {
    match error.reply {
        Some(code) => code / 100 == 4,
        None => {
            matches!(error.code, Code::Timeout | Code::Communication | Code::ConnectionDropped | Code::ConnectionReset)
                || (10_050..10_066).contains(&(error.code as i32))
        }
    }
}
