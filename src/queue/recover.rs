//! Files that a crash left: `.sending` that nobody sends, half-written temporaries, states without a file (QueueRecovery).

use super::folder::{Back, Base, Folder, Reach, shown};
use super::names::{self, FAILED, QUEUED, SENDING, SENT, STATE, TEMPORARY};
use super::state::State;
use crate::error::Result;

/// What to do with a `.sending` file that nobody has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recovery {
    List,
    Requeue,
    Fail,
}

impl Recovery {
    /// By its name, in any case.
    pub fn from_name(name: &str) -> Option<Recovery> {
        let known = [("List", Recovery::List), ("Requeue", Recovery::Requeue), ("Fail", Recovery::Fail)];
        known.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, recovery)| recovery)
    }
}

/// Does that, and gives the names, as they are afterwards. What is being sent or written is left alone.
pub fn recover(folder: &Folder, what: Recovery) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mut after: Option<Base> = None;
    loop {
        let names = folder.list(SENDING, after.as_ref(), None)?;
        let Some(last) = names.last().cloned() else { break };
        for base in &names {
            let Reach::Got(held) = folder.reach(base, SENDING) else { continue };
            let back = match what {
                Recovery::List => {
                    found.push(shown(base, SENDING));
                    continue;
                }
                Recovery::Requeue => Back::Queued,
                Recovery::Fail => Back::Failed,
            };
            let Ok(state) = folder.state(base) else {
                // Who has it already is not known any more: it stays, and keeps nobody from the others.
                found.push(shown(base, SENDING));
                continue;
            };
            found.push(folder.give_back(&held, back, &state.unwrap_or_else(State::default))?);
        }
        after = Some(last);
    }
    if what != Recovery::List {
        clear(folder)?;
    }
    folder.settle()?;
    Ok(found)
}

/// Removes what nobody will ask for again.
fn clear(folder: &Folder) -> Result<()> {
    let mut waste: Vec<(Base, &str)> = Vec::new();
    folder.each(&mut |name| match names::split(name) {
        Some((base, TEMPORARY)) if is_ours(base) => waste.push((base.to_vec(), TEMPORARY)),
        Some((base, STATE)) => waste.push((base.to_vec(), STATE)),
        _ => {}
    })?;
    for (base, extension) in waste {
        if extension == STATE && [QUEUED, SENDING, FAILED, SENT].iter().any(|e| folder.is_there(&base, e)) {
            continue;
        }
        if let Reach::Got(_held) = folder.reach(&base, extension) {
            folder.remove(&[base.as_slice(), b".", extension.as_bytes()].concat())?;
        }
    }
    Ok(())
}

/// `.01763787600123456789-0123456789abcdef`, as temporary files of ours are called.
fn is_ours(base: &[u8]) -> bool {
    base.len() == 38
        && base[0] == b'.'
        && base[21] == b'-'
        && base[1..21].iter().all(u8::is_ascii_digit)
        && base[22..].iter().all(u8::is_ascii_hexdigit)
}
