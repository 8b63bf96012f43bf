//! One connection of the free-running server: RFC 5321 with SIZE (1870), 8BITMIME (6152), PIPELINING (2920), CHUNKING (3030),
//! AUTH (4954), DSN (3461), SMTPUTF8 (6531), STARTTLS (3207) and ENHANCEDSTATUSCODES (2034), each as far as it was told to offer it.

use super::Shared;
use super::body::Body;
use super::envelope;
use super::fault::{self, Action};
use super::login::{Login, Next};
use super::store::Received;
use super::tls::{Mode, Tls};
use super::wire::{Line, Wire};
use std::io;
use std::time::Duration;

/// RFC 4954 §4 wants 12288 for AUTH; nothing legal is longer.
const LINE: usize = 16 * 1024;
/// All lines of one envelope together.
const ENVELOPE: usize = 16 << 20;

/// Why a conversation ends.
enum Halt {
    /// The client has gone, or took too long.
    Gone,
    Close,
    Reset,
}

impl From<io::Error> for Halt {
    fn from(_: io::Error) -> Halt {
        Halt::Gone
    }
}

type Step<T> = Result<T, Halt>;
type Reply = (u16, &'static str, &'static str);

const OK: Reply = (250, "2.0.0", "ok");
const SYNTAX: Reply = (501, "5.5.4", "this command takes no such argument");

#[derive(Default)]
struct Transaction {
    mail: envelope::Mail,
    mail_line: String,
    recipients: Vec<String>,
    bytes: usize,
    /// What BDAT has brought so far.
    chunks: Option<Body>,
}

struct Session<'a> {
    wire: Wire,
    shared: &'a Shared,
    connection: usize,
    hello: Option<String>,
    esmtp: bool,
    user: Option<String>,
    secured: bool,
    transaction: Option<Transaction>,
}

pub fn serve(wire: Wire, shared: &Shared, full: bool) {
    let connection = shared.store.connection();
    let mut session =
        Session { wire, shared, connection, hello: None, esmtp: false, user: None, secured: false, transaction: None };
    let halt = if full { session.turn_away() } else { session.converse() };
    match halt {
        Err(Halt::Reset) => session.wire.reset(),
        _ => session.wire.close(),
    }
}

impl Session<'_> {
    fn turn_away(&mut self) -> Step<()> {
        self.wire.say(b"421 4.3.2 too many connections\r\n")?;
        Err(Halt::Close)
    }

    fn secure(&mut self, tls: &Tls) -> Step<()> {
        if let Some(handshake) = self.wire.secure(tls)? {
            self.shared.store.handshake(handshake);
        }
        self.secured = true;
        Ok(())
    }

    fn converse(&mut self) -> Step<()> {
        if let Some(tls) = self.shared.options.tls.as_ref().filter(|tls| tls.mode == Mode::Implicit) {
            self.secure(tls)?;
        }
        if self.answer("GREETING", "", (220, "", "localhost ESMTP"))? / 100 != 2 {
            // RFC 5321 §3.1: after a 554 the client is expected to say QUIT, and gets 503 for the rest.
            while self.command()?.0 != "QUIT" {
                self.say((503, "5.5.1", "no service here"))?;
            }
            self.say((221, "2.0.0", "bye"))?;
            return Err(Halt::Close);
        }
        loop {
            let (verb, argument) = self.command()?;
            match verb.as_str() {
                "" => drop(self.answer("OTHER", "", (500, "5.5.2", "line too long, or empty"))?),
                "EHLO" | "HELO" => self.hello(&verb, &argument)?,
                "MAIL" => self.mail(&argument)?,
                "RCPT" => self.rcpt(&argument)?,
                "DATA" => self.data(&argument)?,
                "BDAT" if self.offers("CHUNKING") => self.bdat(&argument)?,
                "RSET" => {
                    let reply = if argument.is_empty() { OK } else { SYNTAX };
                    if self.answer(&verb, &argument, reply)? == 250 {
                        self.transaction = None;
                    }
                }
                "NOOP" => drop(self.answer(&verb, &argument, OK)?),
                "HELP" => drop(self.answer(&verb, &argument, (214, "2.0.0", "see RFC 5321"))?),
                "VRFY" | "EXPN" => self.lookup(&verb, &argument)?,
                "AUTH" if self.shared.options.auth.is_some() => self.auth(&argument)?,
                "STARTTLS" if self.offers("STARTTLS") => self.start_tls(&argument)?,
                "QUIT" => {
                    let reply = if argument.is_empty() { (221, "2.0.0", "bye") } else { SYNTAX };
                    if self.answer(&verb, &argument, reply)? == 221 {
                        return Err(Halt::Close);
                    }
                }
                _ => drop(self.answer("OTHER", &verb, (500, "5.5.2", "command not known"))?),
            }
        }
    }

    fn start_tls(&mut self, argument: &str) -> Step<()> {
        let (reply, tls) = match &self.shared.options.tls {
            _ if !argument.is_empty() => (SYNTAX, None),
            None => ((454, "4.7.0", "TLS not available"), None),
            Some(tls) => ((220, "2.0.0", "go ahead"), Some(tls)),
        };
        let said = self.answer("STARTTLS", argument, reply)?;
        if let (220, Some(tls)) = (said, tls) {
            self.secure(tls)?;
            // RFC 3207 §4.2: as if nothing had been said.
            (self.hello, self.esmtp, self.user, self.transaction) = (None, false, None, None);
        }
        Ok(())
    }

    /// The next command line as its verb in upper case and its argument.
    fn command(&mut self) -> Step<(String, String)> {
        match self.wire.line(LINE)? {
            Line::Closed => Err(Halt::Gone),
            Line::Long => {
                self.shared.store.command(self.connection, "(a line over the bound)");
                Ok((String::new(), String::new()))
            }
            Line::Text(text) => {
                let text = String::from_utf8_lossy(&text);
                self.shared.store.command(self.connection, &text);
                let (verb, argument) = text.split_once(' ').unwrap_or((&text, ""));
                Ok((verb.to_ascii_uppercase(), argument.trim_end_matches(' ').to_string()))
            }
        }
    }

    /// Whether an extension was offered to this client.
    fn offers(&self, keyword: &str) -> bool {
        let is =
            |extension: &String| extension.split([' ', '=']).next().is_some_and(|k| k.eq_ignore_ascii_case(keyword));
        let options = &self.shared.options;
        let auth = keyword == "AUTH" && options.auth.is_some();
        let tls = keyword == "STARTTLS" && self.may_be_secured();
        self.esmtp && (auth || tls || self.shared.options.extensions.iter().any(is))
    }

    /// STARTTLS is there to be said, and was not said yet.
    fn may_be_secured(&self) -> bool {
        !self.secured && self.shared.options.tls.as_ref().is_some_and(|tls| tls.mode == Mode::StartTls)
    }

    /// The most that a message may have: what SIZE says, and what we are willing to hold.
    fn limit(&self) -> u64 {
        let size = self.shared.options.extensions.iter().find_map(|e| e.strip_prefix("SIZE ")?.trim().parse().ok());
        size.filter(|&s| s > 0).unwrap_or(u64::MAX).min(self.shared.options.max_message)
    }

    fn say(&mut self, (code, enhanced, text): Reply) -> Step<()> {
        let enhanced = if enhanced.is_empty() || !self.offers("ENHANCEDSTATUSCODES") {
            String::new()
        } else {
            format!("{enhanced} ")
        };
        Ok(self.wire.say(format!("{code} {enhanced}{text}\r\n").as_bytes())?)
    }

    /// Gives the answer at a point, unless a fault sits there; returns the code that was said.
    fn answer(&mut self, point: &str, argument: &str, reply: Reply) -> Step<u16> {
        match self.fault(point, argument)? {
            Some(code) => Ok(code),
            None => self.say(reply).map(|()| reply.0),
        }
    }

    /// Does what a fault at this point asks for; the code when that was a reply.
    fn fault(&mut self, point: &str, argument: &str) -> Step<Option<u16>> {
        match fault::strike(&self.shared.options.faults, point, argument) {
            None => Ok(None),
            Some(Action::Wait(time)) => match self.wire.stall(time)? {
                true => Err(Halt::Gone),
                false => Ok(None),
            },
            Some(Action::Reply(text)) => {
                self.wire.say(&[&text[..], b"\r\n"].concat())?;
                let last = text.split(|&b| b == b'\n').next_back().unwrap_or_default();
                let code = last.get(..3).and_then(|c| std::str::from_utf8(c).ok()?.parse().ok()).unwrap_or(0);
                if code == 421 { Err(Halt::Close) } else { Ok(Some(code)) }
            }
            Some(Action::Garbage) => {
                self.wire.say(b"\x00\xff\x1b[2J garbage \x80\r\n")?;
                Ok(Some(0))
            }
            Some(Action::Endless) => loop {
                self.wire.say(&b"250-and so on\r\n".repeat(1000))?;
                self.wire.flush()?;
            },
            Some(Action::Stall) => {
                // A day is for ever here: the client goes, or the server is stopped.
                self.wire.stall(Duration::from_secs(86_400))?;
                Err(Halt::Gone)
            }
            Some(Action::Close) => Err(Halt::Close),
            Some(Action::Reset) => {
                // What was answered before is not to be lost with the reset.
                self.wire.flush()?;
                Err(Halt::Reset)
            }
        }
    }

    fn hello(&mut self, verb: &str, argument: &str) -> Step<()> {
        if argument.is_empty() {
            self.answer(verb, argument, (501, "5.5.4", "who are you?"))?;
            return Ok(());
        }
        let code = match self.fault(verb, argument)? {
            Some(code) => code,
            None => {
                let mut lines = vec!["localhost".to_string()];
                if verb == "EHLO" {
                    lines.extend(self.shared.options.extensions.iter().cloned());
                    if self.shared.options.auth.is_some() && !lines.iter().any(|l| l.starts_with("AUTH")) {
                        lines.push("AUTH PLAIN LOGIN".into());
                    }
                    if self.may_be_secured() {
                        lines.push("STARTTLS".into());
                    }
                }
                let last = lines.len() - 1;
                let mark = |i| if i == last { ' ' } else { '-' };
                let text: String = lines.iter().enumerate().map(|(i, l)| format!("250{}{l}\r\n", mark(i))).collect();
                self.wire.say(text.as_bytes())?;
                250
            }
        };
        if code == 250 {
            self.hello = Some(argument.to_string());
            self.esmtp = verb == "EHLO";
            self.transaction = None;
        }
        Ok(())
    }

    fn mail(&mut self, argument: &str) -> Step<()> {
        let verdict = if self.hello.is_none() {
            Err((503, "5.5.1", "EHLO or HELO first"))
        } else if self.transaction.is_some() {
            Err((503, "5.5.1", "a transaction is open"))
        } else if self.shared.options.auth.is_some() && self.user.is_none() {
            Err((530, "5.7.0", "log in first"))
        } else {
            envelope::mail(argument, &|keyword| self.offers(keyword), self.limit())
        };
        let said = self.answer("MAIL", argument, verdict.as_ref().err().copied().unwrap_or((250, "2.1.0", "ok")))?;
        if let (250, Ok(mail)) = (said, verdict) {
            self.transaction =
                Some(Transaction { mail, mail_line: format!("MAIL {argument}"), ..Transaction::default() });
        }
        Ok(())
    }

    fn rcpt(&mut self, argument: &str) -> Step<()> {
        let verdict = match &self.transaction {
            None => Err((503, "5.5.1", "MAIL first")),
            Some(t) if t.chunks.is_some() => Err((503, "5.5.1", "BDAT has begun")),
            Some(t) if t.bytes > ENVELOPE => Err((452, "4.5.3", "too many recipients")),
            Some(t) => envelope::rcpt(argument, &|keyword| self.offers(keyword), t.mail.utf8),
        };
        let said = self.answer("RCPT", argument, verdict.err().unwrap_or((250, "2.1.5", "ok")))?;
        if let (250 | 251, Ok(()), Some(t)) = (said, verdict, &mut self.transaction) {
            t.bytes += argument.len() + 32;
            t.recipients.push(format!("RCPT {argument}"));
        }
        Ok(())
    }

    fn data(&mut self, argument: &str) -> Step<()> {
        let reply = match &self.transaction {
            _ if !argument.is_empty() => SYNTAX,
            None => (503, "5.5.1", "MAIL first"),
            Some(t) if t.recipients.is_empty() => (554, "5.5.1", "no valid recipients"),
            Some(t) if t.chunks.is_some() || t.mail.binary => (503, "5.5.1", "BDAT is wanted"),
            Some(_) => (354, "", "end with CRLF.CRLF"),
        };
        if self.answer("DATA", argument, reply)? != 354 || reply.0 != 354 {
            return Ok(());
        }
        let mut body = Body::new(self.limit(), !self.shared.options.discard);
        let mut early = None;
        let mut begun = false;
        while !body.ended() {
            if self.wire.pending().is_empty() && !self.wire.fill()? {
                return Err(Halt::Gone);
            }
            if !begun {
                begun = true;
                early = self.fault("DATA-BODY", "")?;
            }
            let used = body.data(self.wire.pending());
            self.wire.take(used);
        }
        match early {
            // That was the answer; the rest of the body was read and thrown away.
            Some(_) => drop(self.transaction.take()),
            None => self.finish(body, false)?,
        }
        Ok(())
    }

    fn bdat(&mut self, argument: &str) -> Step<()> {
        let mut words = argument.split_ascii_whitespace();
        let size = words.next().and_then(|s| s.parse::<u64>().ok());
        let last = words.next().map(|w| w.eq_ignore_ascii_case("LAST"));
        let (Some(mut left), None | Some(true), None) = (size, last, words.next()) else {
            self.answer("BDAT", argument, SYNTAX)?;
            return Ok(());
        };
        let refusal = match &self.transaction {
            None => Some((503, "5.5.1", "MAIL first")),
            Some(t) if t.recipients.is_empty() => Some((554, "5.5.1", "no valid recipients")),
            Some(_) => None,
        };
        let limit = self.limit();
        let keep = !self.shared.options.discard;
        while left > 0 {
            if self.wire.pending().is_empty() && !self.wire.fill()? {
                return Err(Halt::Gone);
            }
            let pending = self.wire.pending();
            let count = pending.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            if let (None, Some(t)) = (refusal, &mut self.transaction) {
                let body = t.chunks.get_or_insert_with(|| Body::new(limit, keep));
                body.chunk(&pending[..count], t.mail.binary);
            }
            self.wire.take(count);
            left -= count as u64;
        }
        if let (Some(true), None, Some(t)) = (last, refusal, &mut self.transaction) {
            let body = t.chunks.take().unwrap_or_else(|| Body::new(limit, keep));
            return self.finish(body, true);
        }
        if let (None, Some(t)) = (refusal, &mut self.transaction) {
            t.chunks.get_or_insert_with(|| Body::new(limit, keep));
        }
        let said = self.answer("BDAT", argument, refusal.unwrap_or((250, "2.0.0", "chunk taken")))?;
        if said / 100 != 2 {
            // RFC 3030 §2: after a chunk that failed, the next ones fail too, until RSET.
            self.transaction = None;
        }
        Ok(())
    }

    /// The message is complete: answers, and keeps it when the answer was yes.
    fn finish(&mut self, body: Body, chunked: bool) -> Step<()> {
        let Some(transaction) = self.transaction.take() else { return Ok(()) };
        let (point, argument) = ("DATA-END", transaction.mail_line.as_str());
        if body.too_big() {
            self.answer(point, argument, (552, "5.3.4", "message too big"))?;
            return Ok(());
        }
        // A fault speaks before the message is kept; without one it is kept before the client hears of it.
        let faulted = self.fault(point, argument)?;
        if faulted.is_some_and(|code| code / 100 != 2) {
            return Ok(());
        }
        let message = Received {
            mail_from: transaction.mail_line,
            rcpt_to: transaction.recipients,
            data: body.data,
            size: body.size,
            bare_lf: body.bare_lf || self.wire.bare_lf,
            bare_cr: body.bare_cr || self.wire.bare_cr,
            eight_bit: body.eight_bit,
            hello: self.hello.clone().unwrap_or_default(),
            esmtp: self.esmtp,
            user: self.user.clone(),
            chunked,
            connection: self.connection,
        };
        let options = &self.shared.options;
        let saved = self.shared.store.accept(message, options.eml.as_deref(), options.print);
        match (saved, faulted) {
            (_, Some(_)) => Ok(()),
            (Ok(()), None) => self.say((250, "2.0.0", "ok, message taken")),
            (Err(_), None) => self.say((451, "4.3.0", "the message could not be saved")),
        }
    }

    /// VRFY knows every address, EXPN knows two people in every list.
    fn lookup(&mut self, verb: &str, argument: &str) -> Step<()> {
        if argument.is_empty() {
            self.answer(verb, argument, SYNTAX)?;
            return Ok(());
        }
        if self.fault(verb, argument)?.is_some() {
            return Ok(());
        }
        let name = argument.trim_matches(['<', '>']);
        let text = match (verb, name.contains('@')) {
            ("EXPN", _) => format!("250-Ann <ann.{name}@localhost>\r\n250 Bob <bob.{name}@localhost>\r\n"),
            (_, true) => format!("250 <{name}>\r\n"),
            (_, false) => format!("250 {name} <{name}@localhost>\r\n"),
        };
        Ok(self.wire.say(text.as_bytes())?)
    }

    fn auth(&mut self, argument: &str) -> Step<()> {
        let (mechanism, initial) = argument.split_once(' ').unwrap_or((argument, ""));
        let refusal = if !self.esmtp {
            Some((503, "5.5.1", "EHLO first"))
        } else if self.user.is_some() || self.transaction.is_some() {
            Some((503, "5.5.1", "AUTH comes once, before MAIL"))
        } else {
            None
        };
        let login = Login::start(mechanism);
        let (None, Some(mut login)) = (refusal, login) else {
            self.answer("AUTH", argument, refusal.unwrap_or((504, "5.5.4", "mechanism not known")))?;
            return Ok(());
        };
        let mut next = match initial {
            "" => Next::Challenge(login.challenge()),
            response => login.step(response),
        };
        while let Next::Challenge(challenge) = next {
            if self.answer("AUTH-STEP", argument, (334, "", challenge))? != 334 {
                return Ok(());
            }
            let Line::Text(response) = self.wire.line(LINE)? else { return Err(Halt::Gone) };
            let response = String::from_utf8_lossy(&response).into_owned();
            self.shared.store.command(self.connection, &response);
            if response == "*" {
                return self.say((501, "5.7.0", "login given up"));
            }
            next = login.step(&response);
        }
        let wanted = self.shared.options.auth.as_ref();
        let (reply, who) = match next {
            Next::Done(user, password)
                if wanted.is_some_and(|(u, p)| *u.as_bytes() == user && *p.as_bytes() == password) =>
            {
                ((235, "2.7.0", "logged in"), Some(String::from_utf8_lossy(&user).into_owned()))
            }
            Next::Done(..) => ((535, "5.7.8", "wrong user or password"), None),
            _ => ((501, "5.5.2", "that was not understood"), None),
        };
        if self.answer("AUTH", argument, reply)? == 235 {
            self.user = who;
        }
        Ok(())
    }
}
