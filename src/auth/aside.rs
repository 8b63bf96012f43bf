//! How a login waits for somebody other than the server, who may take as long as he likes: whoever runs the login knows the
//! limits, and this floor has no clock.

use crate::error::{Code, Error, Result};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// Work to be done, and to be left behind where it takes too long.
pub type Work = Box<dyn FnOnce() + Send>;

/// Runs work; an error says why it was not waited for.
#[derive(Clone, Default)]
pub struct Aside(Option<Arc<Runner>>);

type Runner = dyn Fn(Work) -> Result<()> + Send + Sync;

impl Aside {
    pub fn new(runner: impl Fn(Work) -> Result<()> + Send + Sync + 'static) -> Aside {
        Aside(Some(Arc::new(runner)))
    }

    /// What the work gives. Without a runner it is done here and now.
    pub fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let Some(runner) = &self.0 else { return Ok(work()) };
        let place = Arc::new(Mutex::new(None));
        let shared = place.clone();
        runner(Box::new(move || {
            let done = work();
            *shared.lock().unwrap_or_else(PoisonError::into_inner) = Some(done);
        }))?;
        let done = place.lock().unwrap_or_else(PoisonError::into_inner).take();
        done.ok_or_else(|| Error::new(Code::Internal, "The login's own work ended without a result"))
    }
}

impl fmt::Debug for Aside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Aside" } else { "Aside (here)" })
    }
}
