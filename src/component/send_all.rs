//! SendAll: prepared messages one after the other over one connection, the commands of each in the same write as the end of
//! the one before (ruling 17).

use super::Component;
use super::connect::no_server;
use super::deliver::{Parcel, Queue};
use super::send::{Job, Switches};
use crate::error::{Code, Error, Result};
use crate::events;
use crate::message::id;
use std::cell::RefCell;

/// What came of a batch: an error for each message that was not sent, and the batch's own.
pub struct Batch {
    pub results: Vec<Result<()>>,
    pub done: Result<()>,
}

/// What is known while the batch runs.
struct Progress {
    /// None: nobody came to it.
    results: Vec<Option<Result<()>>>,
    /// A listener stopped the batch.
    stopped: Option<Error>,
}

impl Component {
    /// Sends the message of each component through the server of this one. An entry that is an error is its own result.
    pub fn send_all(&self, messages: &[Result<&Component>]) -> Result<Batch> {
        let mut op = self.begin()?;
        let switches = {
            let state = self.state.lock();
            if op.session.is_none() && state.server.name.is_empty() {
                return Err(no_server());
            }
            Switches::new(&state.settings)
        };
        op.notice()?;
        let own = op.session.is_none();
        let progress = RefCell::new(Progress { results: vec![None; messages.len()], stopped: None });
        // Drawn while this method runs, so that a forked process has none of it.
        let random = id::random::<32>()?;
        let finish = |index: usize, done: Result<()>| self.finish_one(&progress, index, done);
        let mut next = messages.iter().enumerate();
        let mut make = || loop {
            if progress.borrow().stopped.is_some() {
                return None;
            }
            let (index, message) = next.next()?;
            let job = message.clone().and_then(|owner| {
                let mut state = owner.state.lock();
                state.results.clear();
                let mut randomness = [0; 40];
                randomness[..32].copy_from_slice(&random);
                randomness[32..].copy_from_slice(&(index as u64).to_be_bytes());
                Ok((owner, Job::take_of_batch(&mut state, randomness)?))
            });
            match job {
                Ok((owner, job)) => return Some(Parcel::new(owner, job, switches, index)),
                Err(error) => finish(index, Err(error)),
            }
        };
        let mut finished = |parcel: Parcel, done: Result<()>| {
            let done = match done {
                Err(error) if parcel.in_doubt && error.reply.is_none() => {
                    let text = format!("The message was given, and no reply told what became of it: {}", error.message);
                    Err(Error::new(Code::UnknownFate, text))
                }
                done => done,
            };
            finish(parcel.index, done);
        };
        op.carry(&mut Queue::new(&mut make, &mut finished), own);
        if own {
            op.quit();
        } else {
            op.settle(None);
        }
        let Progress { results, stopped } = progress.into_inner();
        let untold = || Err(Error::plain(Code::Interrupted));
        let results: Vec<Result<()>> = results.into_iter().map(|done| done.unwrap_or_else(untold)).collect();
        let first = results.iter().find_map(|done| done.as_ref().err());
        let interrupted = results.iter().filter_map(|done| done.as_ref().err()).find(|e| e.code == Code::Interrupted);
        let done = stopped.as_ref().or(interrupted).or(first).map_or(Ok(()), |error| Err(error.clone()));
        Ok(Batch { results, done })
    }

    /// Notes what came of a message, and tells of a failure.
    fn finish_one(&self, progress: &RefCell<Progress>, index: usize, done: Result<()>) {
        let failed = done.as_ref().err().filter(|e| e.code != Code::Interrupted).cloned();
        if let Some(place) = progress.borrow_mut().results.get_mut(index) {
            *place = Some(done);
        }
        if let Some(error) = failed {
            let text = format!("message {index}: {}", error.message);
            let event = events::Error { error_code: error.code as i32, description: text.as_bytes() };
            if let Err(stop) = self.sink.error(&event) {
                progress.borrow_mut().stopped.get_or_insert(stop);
            }
        }
    }
}
