//! What the free-running server is told to do wrong: `POINT[@TIMES][:SUBSTRING]=ACTION`.

use super::escape::unescape;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Where a fault can sit: at the answer to one of these.
const POINTS: [&str; 20] = [
    "GREETING",
    "EHLO",
    "HELO",
    "MAIL",
    "RCPT",
    "DATA",
    "DATA-BODY",
    "DATA-END",
    "BDAT",
    "RSET",
    "NOOP",
    "QUIT",
    "VRFY",
    "EXPN",
    "HELP",
    "AUTH",
    "AUTH-STEP",
    "STARTTLS",
    "OTHER",
    "ANY",
];

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Says this instead, CRLF added; a 421 closes afterwards, as RFC 5321 §3.8 has it.
    Reply(Vec<u8>),
    /// Closes the connection.
    Close,
    /// Resets the connection.
    Reset,
    /// Says nothing until the client goes away.
    Stall,
    /// Waits, then answers as usual.
    Wait(Duration),
    /// Says something that is no reply.
    Garbage,
    /// Says lines that go on for ever.
    Endless,
}

#[derive(Debug)]
pub struct Fault {
    point: String,
    substring: String,
    /// How many more times it strikes.
    left: AtomicUsize,
    action: Action,
}

impl Fault {
    /// `RCPT:bad@x.example=550 5.1.1 no such user`, `MAIL=close`, `EHLO@1=500 what`.
    pub fn parse(text: &str) -> Result<Fault, String> {
        let wrong = |why: &str| format!("--fault {text}: {why}");
        let (place, action) = text.split_once('=').ok_or_else(|| wrong("POINT=ACTION is wanted"))?;
        let (point, substring) = place.split_once(':').unwrap_or((place, ""));
        let (point, times) = match point.split_once('@') {
            Some((point, times)) => (point, times.parse().map_err(|_| wrong("the number after '@' is no number"))?),
            None => (point, usize::MAX),
        };
        let point = point.to_ascii_uppercase();
        if !POINTS.contains(&point.as_str()) {
            return Err(wrong(&format!("its point is none of {}", POINTS.join(" "))));
        }
        let substring = String::from_utf8_lossy(&unescape(substring).map_err(|e| wrong(&e))?).to_ascii_lowercase();
        let action = match action.split_once(' ').unwrap_or((action, "")) {
            ("close", "") => Action::Close,
            ("reset", "") => Action::Reset,
            ("stall", "") => Action::Stall,
            ("garbage", "") => Action::Garbage,
            ("endless", "") => Action::Endless,
            ("wait", ms) => Action::Wait(Duration::from_millis(ms.parse().map_err(|_| wrong("wait MS is wanted"))?)),
            _ => Action::Reply(unescape(action).map_err(|e| wrong(&e))?),
        };
        Ok(Fault { point, substring, left: AtomicUsize::new(times), action })
    }

    /// The action for an answer at `point` to `argument`, if this fault sits there; counts it.
    fn strike(&self, point: &str, argument: &str) -> Option<Action> {
        let here = self.point == point || self.point == "ANY";
        if !here || !argument.to_ascii_lowercase().contains(&self.substring) {
            return None;
        }
        let used = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        used.ok().map(|_| self.action.clone())
    }
}

/// The first fault that sits at `point`.
pub fn strike(faults: &[Fault], point: &str, argument: &str) -> Option<Action> {
    faults.iter().find_map(|f| f.strike(point, argument))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_strikes_at_its_point_its_argument_and_its_times_only() {
        let fault = Fault::parse("RCPT@2:Bad@x.example=550 5.1.1 no such user").unwrap();
        assert_eq!(fault.strike("MAIL", "FROM:<bad@x.example>"), None);
        assert_eq!(fault.strike("RCPT", "TO:<good@x.example>"), None);
        for _ in 0..2 {
            let reply = Action::Reply(b"550 5.1.1 no such user".to_vec());
            assert_eq!(fault.strike("RCPT", "TO:<bad@X.example>"), Some(reply));
        }
        assert_eq!(fault.strike("RCPT", "TO:<bad@x.example>"), None);
    }

    #[test]
    fn every_kind_of_action_is_understood() {
        for (text, action) in [
            ("MAIL=close", Action::Close),
            ("rcpt=reset", Action::Reset),
            ("GREETING=stall", Action::Stall),
            ("ANY=garbage", Action::Garbage),
            ("EHLO=endless", Action::Endless),
            ("DATA-END=wait 250", Action::Wait(Duration::from_millis(250))),
            (r"EHLO=250-a\r\n250 SIZE=5", Action::Reply(b"250-a\r\n250 SIZE=5".to_vec())),
        ] {
            assert_eq!(Fault::parse(text).unwrap().action, action);
        }
    }

    #[test]
    fn a_fault_that_makes_no_sense_is_refused() {
        for text in ["", "MAIL", "MALI=close", "MAIL@x=close", "MAIL=wait long", r"MAIL=\q"] {
            assert!(Fault::parse(text).is_err(), "{text}");
        }
    }
}
