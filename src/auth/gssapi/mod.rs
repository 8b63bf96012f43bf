//! GSSAPI: RFC 4752, which is Kerberos 5, to the answer about security layers. We take none: TLS is there for that.

mod library;

use crate::auth::{Aside, Credentials, Mechanism, Opening, Peer, SecretBytes, refused, wrong};
use crate::error::{Error, Result};

const NAME: &str = "GSSAPI";

/// The bit of "no security layer" among those that a server offers (section 3.3).
const NO_LAYER: u8 = 1;

/// A security context: the system's library, or a test's.
pub trait Context: Send {
    /// The next token, and whether the context stands; the first call has no token.
    fn step(&mut self, token: &[u8]) -> Result<(Vec<u8>, bool)>;
    fn unwrap(&mut self, token: &[u8]) -> Result<Vec<u8>>;
    fn wrap(&mut self, plain: &[u8]) -> Result<Vec<u8>>;
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Tokens go to and fro.
    Establishing,
    /// The server says what layers it has.
    WantsLayers,
    Done,
    Failed,
}

pub struct Gssapi {
    /// None while a step of it runs, or once one was left behind.
    context: Option<Box<dyn Context>>,
    aside: Aside,
    identity: SecretBytes,
    state: State,
}

impl Gssapi {
    pub fn new(credentials: &Credentials, peer: &Peer) -> Result<Gssapi> {
        let user = credentials.user.as_str();
        if user.is_empty() && !credentials.password.is_empty() {
            return Err(refused(NAME, "Password is set and User is empty"));
        }
        if user.contains('\0') {
            return Err(refused(NAME, "User has a NUL"));
        }
        let context = library::Kerberos::new(&format!("smtp@{}", peer.host), user, &credentials.password)?;
        Gssapi::with_context(Box::new(context), credentials, peer.aside.clone())
    }

    /// As [`Gssapi::new`], with the context given.
    pub fn with_context(context: Box<dyn Context>, credentials: &Credentials, aside: Aside) -> Result<Gssapi> {
        let identity = credentials.authorization_identity.expose();
        if identity.contains('\0') {
            return Err(refused(NAME, "AuthorizationIdentity has a NUL"));
        }
        let identity = SecretBytes::concat(&[identity.as_bytes()]);
        Ok(Gssapi { context: Some(context), aside, identity, state: State::Establishing })
    }

    /// One step of the context, which may ask a key distribution centre and wait for it as long as that likes.
    fn establish(&mut self, token: &[u8]) -> Result<SecretBytes> {
        self.state = State::Failed;
        let Some(mut context) = self.context.take() else { return Err(fails("the exchange is over")) };
        let token = token.to_vec();
        let (context, done) = self.aside.run(move || {
            let done = context.step(&token);
            (context, done)
        })?;
        self.context = Some(context);
        let (answer, established) = done?;
        if answer.is_empty() && !established {
            return Err(fails("there is nothing to say, and nothing is agreed on"));
        }
        self.state = if established { State::WantsLayers } else { State::Establishing };
        Ok(SecretBytes::concat(&[&answer]))
    }

    /// The server's layers, and ours: none.
    fn choose_layer(&mut self, challenge: &[u8]) -> Result<SecretBytes> {
        self.state = State::Failed;
        let Some(context) = self.context.as_mut() else { return Err(fails("the exchange is over")) };
        let offer = context.unwrap(challenge)?;
        let [layers, size @ ..] = &offer[..] else { return Err(fails("the server's layers are missing")) };
        // Section 3.1 wants the size to be 0 where there is no layer; Dovecot's is not, and without a layer nothing has it.
        if size.len() != 3 {
            return Err(fails("the server's layers are malformed"));
        }
        if layers & NO_LAYER == 0 {
            return Err(fails("the server demands a security layer"));
        }
        let answer = SecretBytes::concat(&[&[NO_LAYER, 0, 0, 0], self.identity.expose()]);
        let answer = context.wrap(answer.expose())?;
        self.state = State::Done;
        Ok(SecretBytes::concat(&[&answer]))
    }
}

impl std::fmt::Debug for Gssapi {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gssapi").field("state", &self.state).finish_non_exhaustive()
    }
}

impl Mechanism for Gssapi {
    fn name(&self) -> &'static str {
        NAME
    }

    fn opening(&mut self) -> Result<Opening> {
        self.establish(&[]).map(Opening::OnCommandLine)
    }

    fn step(&mut self, challenge: &[u8]) -> Result<SecretBytes> {
        match self.state {
            State::Establishing => self.establish(challenge),
            State::WantsLayers => self.choose_layer(challenge),
            State::Done | State::Failed => {
                self.state = State::Failed;
                Err(fails("the server's challenge is one too many"))
            }
        }
    }

    fn finished(&self) -> bool {
        self.state == State::Done
    }
}

/// Error 161.
fn fails(what: &str) -> Error {
    wrong(NAME, what)
}

#[cfg(test)]
mod tests;
