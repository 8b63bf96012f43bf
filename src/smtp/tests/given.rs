//! How much of a message was given when the connection broke under its last write.

use super::*;

/// Takes so many bytes in all, and is gone then.
struct Breaking {
    left: u64,
    went: u64,
}

impl Stream for Breaking {
    fn read(&mut self, _: &mut [u8], _: &Clock) -> Result<usize> {
        Ok(0)
    }
    fn write_all(&mut self, parts: &mut [IoSlice<'_>], _: &Clock) -> Result<()> {
        let wanted = parts.iter().map(|part| part.len() as u64).sum();
        self.went = self.left.min(wanted);
        self.left -= self.went;
        if self.went < wanted { Err(Error::plain(Code::ConnectionDropped)) } else { Ok(()) }
    }
    fn went(&self) -> u64 {
        self.went
    }
    fn readable(&mut self, _: Duration, _: &Clock) -> Result<bool> {
        Ok(false)
    }
    fn close(&mut self) {}
    fn local_addr(&self) -> Option<SocketAddr> {
        None
    }
    fn peer_addr(&self) -> Option<SocketAddr> {
        None
    }
}

/// Whether the content counts as given where the connection takes so many bytes.
fn given(left: u64, framing: Framing, exact: Option<u64>, listened: bool) -> bool {
    let ears = Ears { deaf: !listened, ..Ears::default() };
    let clock = Clock::unlimited();
    let cx = Context { sink: &ears, clock: &clock, max_line: 2048, last_reply: &|_| {} };
    let mut session = Session::new(Box::new(Breaking { left, went: 0 }));
    session.state = State::Ready;
    let mut parts: Vec<Box<dyn Source>> = vec![Box::new(Memory::new(b"Hi\n".as_slice().into()))];
    let mut then = |_: &Context| Ok(b"MAIL FROM:<a@x.example>\r\nRCPT TO:<b@x.example>\r\nDATA\r\n".to_vec());
    let content = Content {
        headers: b"Subject: x\r\n\r\n",
        parts: &mut parts,
        framing,
        exact,
        close: false,
        pipelined: true,
        then: Some(&mut then),
        before: Vec::new(),
    };
    assert!(session.content(&cx, content).is_err());
    session.given
}

#[test]
fn a_message_is_given_from_its_last_byte_on_whatever_became_of_the_commands_behind() {
    // What is said, and how many bytes of it are the message.
    for (framing, exact, listened, whole) in [
        (Framing::Data, None, false, "Subject: x\r\n\r\nHi\r\n.\r\n"),
        (Framing::Data, None, true, "Subject: x\r\n\r\nHi\r\n.\r\n"),
        (Framing::Bdat, Some(18), false, "BDAT 18 LAST\r\nSubject: x\r\n\r\nHi\r\n"),
        (Framing::Bdat, None, false, "BDAT 18 LAST\r\nSubject: x\r\n\r\nHi\r\n"),
    ] {
        let needed = whole.len() as u64;
        for left in 0..needed + 70 {
            let known = given(left, framing, exact, listened);
            assert_eq!(known, left >= needed, "{left} of {needed} bytes, {framing:?}");
        }
    }
}
