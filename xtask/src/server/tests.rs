//! The free-running server, talked to over a socket.

use super::*;
use std::io::{BufRead, BufReader, Read, Write};

struct Client {
    reader: BufReader<TcpStream>,
}

impl Client {
    fn new(server: &Server) -> Client {
        let mut client = Client::silent(server);
        client.expect("220");
        client
    }

    fn silent(server: &Server) -> Client {
        let stream = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        Client { reader: BufReader::new(stream) }
    }

    fn send(&mut self, bytes: &[u8]) {
        self.reader.get_mut().write_all(bytes).unwrap();
    }

    /// One whole reply, which must begin with `code`.
    fn expect(&mut self, code: &str) -> String {
        let mut reply = String::new();
        loop {
            let start = reply.len();
            assert_ne!(self.reader.read_line(&mut reply).unwrap(), 0, "closed instead of {code}");
            if reply.as_bytes().get(start + 3) != Some(&b'-') {
                break;
            }
        }
        assert!(reply.starts_with(code), "{reply:?} instead of {code}");
        reply
    }

    /// Says lines and takes the replies to each.
    fn talk(&mut self, lines: &[(&str, &str)]) {
        for (line, code) in lines {
            self.send(format!("{line}\r\n").as_bytes());
            self.expect(code);
        }
    }

    fn closed(&mut self) -> bool {
        self.reader.read(&mut [0; 1]).unwrap() == 0
    }
}

fn start(options: Options) -> Server {
    Server::start(options).unwrap()
}

const ENVELOPE: [(&str, &str); 4] =
    [("EHLO me", "250"), ("MAIL FROM:<a@x.example>", "250"), ("RCPT TO:<b@x.example>", "250"), ("DATA", "354")];

#[test]
fn a_message_is_received_with_its_envelope() {
    let server = start(Options::default().offer("8BITMIME, SIZE 1000,ENHANCEDSTATUSCODES"));
    let mut client = Client::new(&server);
    client.send(b"EHLO me.example\r\n");
    assert_eq!(client.expect("250"), "250-localhost\r\n250-8BITMIME\r\n250-SIZE 1000\r\n250 ENHANCEDSTATUSCODES\r\n");
    client.talk(&[("MAIL FROM:<a@x.example> SIZE=30", "250 2.1.0"), ("RCPT TO:<b@x.example>", "250 2.1.5")]);
    client.talk(&[("rcpt to:<c@x.example>", "250"), ("DATA", "354")]);
    client.send("Subject: é\r\n\r\n..hi\r\n.\r\nQUIT\r\n".as_bytes());
    client.expect("250 2.0.0");
    client.expect("221");
    assert!(client.closed());
    let message = &server.messages()[0];
    assert_eq!(message.mail_from, "MAIL FROM:<a@x.example> SIZE=30");
    assert_eq!(message.rcpt_to, ["RCPT TO:<b@x.example>", "RCPT to:<c@x.example>"]);
    assert_eq!(message.data, "Subject: é\r\n\r\n.hi\r\n".as_bytes());
    assert_eq!((message.hello.as_str(), message.esmtp, message.eight_bit), ("me.example", true, true));
    assert!(!message.bare_lf && !message.bare_cr && message.size == 20);
    assert_eq!(server.commands()[0][3], "rcpt to:<c@x.example>");
}

#[test]
fn commands_out_of_order_get_503_and_unknown_ones_500() {
    let server = start(Options::default());
    let mut client = Client::new(&server);
    client.talk(&[("MAIL FROM:<a@x.example>", "503"), ("RCPT TO:<a@x.example>", "503"), ("DATA", "503")]);
    client.talk(&[("EHLO", "501"), ("HELO me", "250"), ("RCPT TO:<a@x.example>", "503"), ("NOOP x", "250")]);
    client.talk(&[("MAIL FROM:<a@x.example>", "250"), ("MAIL FROM:<a@x.example>", "503"), ("DATA", "554")]);
    client.talk(&[("RCPT TO:<>", "501"), ("RCPT TO:<b@x.example> NOTIFY=NEVER", "555"), ("RSET", "250")]);
    client.talk(&[("DATA", "503"), ("BDAT 0 LAST", "500"), ("AUTH PLAIN", "500"), ("STARTTLS", "500")]);
    client.talk(&[("", "500"), ("XYZ", "500"), ("VRFY", "501"), ("VRFY a@b", "250 <a@b>"), ("EXPN staff", "250-Ann")]);
    client.talk(&[("HELP", "214"), ("QUIT now", "501"), ("QUIT", "221")]);
    assert!(client.closed());
    assert!(server.messages().is_empty());
}

#[test]
fn helo_takes_no_parameters_of_extensions() {
    let server = start(Options::default().offer("SIZE 1000,8BITMIME"));
    let mut client = Client::new(&server);
    client.talk(&[("HELO me", "250 localhost"), ("MAIL FROM:<a@x.example> SIZE=3", "555")]);
    client.talk(&[("EHLO me", "250"), ("MAIL FROM:<a@x.example> SIZE=3 BODY=8BITMIME", "250")]);
}

#[test]
fn a_message_over_size_is_refused_before_or_after_its_data() {
    let server = start(Options::default().offer("SIZE 20"));
    let mut client = Client::new(&server);
    client.talk(&[("EHLO me", "250"), ("MAIL FROM:<a@x.example> SIZE=21", "552")]);
    client.talk(&ENVELOPE);
    client.send(&[b"x".repeat(100_000), b"\r\n.\r\n".to_vec()].concat());
    client.expect("552");
    client.talk(&ENVELOPE);
    client.talk(&[("hi\r\n.", "250")]);
    assert_eq!(server.count(), 1);
}

#[test]
fn pipelined_commands_are_answered_in_order() {
    let server = start(Options::default().offer("PIPELINING"));
    let mut client = Client::new(&server);
    client.send(b"EHLO me\r\nMAIL FROM:<a@x.example>\r\nRCPT TO:<b@x.example>\r\nRCPT TO:bad\r\nDATA\r\n");
    for code in ["250", "250", "250", "501", "354"] {
        client.expect(code);
    }
    client.send(b"hi\r\n.\r\nMAIL FROM:<c@x.example>\r\nQUIT\r\n");
    for code in ["250", "250", "221"] {
        client.expect(code);
    }
    assert_eq!(server.messages()[0].rcpt_to.len(), 1);
}

#[test]
fn bdat_takes_chunks_as_they_are() {
    let server = start(Options::default().offer("CHUNKING,BINARYMIME,8BITMIME"));
    let mut client = Client::new(&server);
    client.talk(&[("EHLO me", "250"), ("BDAT x", "501"), ("BDAT 4\r\nhi", "503")]);
    client.talk(&[("MAIL FROM:<a@x.example> BODY=BINARYMIME", "250"), ("BDAT 3\r\nx", "554"), ("NOOP", "250")]);
    client.talk(&[("RSET", "250"), ("MAIL FROM:<a@x.example> BODY=BINARYMIME", "250")]);
    client.talk(&[("RCPT TO:<b@x.example>", "250"), ("DATA", "503")]);
    client.send(b"BDAT 5\r\na\n.\r\nBDAT 3 LAST\r\n\0.\r");
    client.expect("250");
    client.expect("250");
    let message = &server.messages()[0];
    assert_eq!(message.data, b"a\n.\r\n\0.\r");
    assert!(message.chunked && !message.bare_lf && !message.bare_cr);
}

#[test]
fn a_bare_line_end_is_recorded_in_a_command_and_in_the_data() {
    let server = start(Options::default());
    for (talk, lf, cr) in [
        (&b"HELO me\nMAIL FROM:<a@x>\r\nRCPT TO:<b@x>\r\nDATA\r\nx\r\n.\r\nQUIT\r\n"[..], true, false),
        (b"HELO me\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@x>\r\nDATA\r\nx\ny\r\n.\r\nQUIT\r\n", true, false),
        (b"HELO me\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@x>\r\nDATA\r\nx\ry\r\n.\r\nQUIT\r\n", false, true),
        (b"HELO me\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@x>\r\nDATA\r\nx\r\n.\r\nQUIT\r\n", false, false),
    ] {
        let mut client = Client::new(&server);
        client.send(talk);
        for code in ["250", "250", "250", "354", "250", "221"] {
            client.expect(code);
        }
        let message = server.messages().pop().unwrap();
        assert_eq!((message.bare_lf, message.bare_cr), (lf, cr));
    }
}

#[test]
fn mail_needs_a_login_where_a_user_is_set() {
    let server = start(Options { auth: Some(("tim".into(), "pw".into())), ..Options::default() });
    let mut client = Client::new(&server);
    client.talk(&[("EHLO me", "250-localhost\r\n250 AUTH PLAIN LOGIN"), ("MAIL FROM:<a@x>", "530")]);
    client.talk(&[("AUTH X", "504"), ("AUTH PLAIN AHRpbQB3cm9uZw==", "535"), ("AUTH PLAIN !", "501")]);
    client.talk(&[
        ("AUTH LOGIN", "334 VXNlcm5hbWU6"),
        ("*", "501"),
        ("AUTH PLAIN", "334 \r\n"),
        ("AHRpbQBwdw==", "235"),
    ]);
    client.talk(&[("AUTH PLAIN AHRpbQBwdw==", "503"), ("MAIL FROM:<a@x>", "250"), ("QUIT", "221")]);
    let mut client = Client::new(&server);
    client.talk(&[("EHLO me", "250"), ("AUTH LOGIN dGlt", "334 UGFzc3dvcmQ6"), ("cHc=", "235")]);
    client.talk(&[("MAIL FROM:<a@x>", "250"), ("RCPT TO:<b@x>", "250"), ("DATA", "354"), (".", "250")]);
    assert_eq!(server.messages()[0].user.as_deref(), Some("tim"));
}

#[test]
fn faults_strike_where_they_sit() {
    let server = start(
        Options::default()
            .fault("EHLO=500 what")
            .fault("RCPT:bad@x.example=550 5.1.1 no such user")
            .fault("DATA@1=451 try later")
            .fault("DATA-END@1=554 no")
            .fault("NOOP=421 going down")
            .fault(r"VRFY=garbage"),
    );
    let mut client = Client::new(&server);
    client.talk(&[("EHLO me", "500 what"), ("HELO me", "250"), ("MAIL FROM:<a@x>", "250")]);
    client.talk(&[("RCPT TO:<bad@x.example>", "550 5.1.1"), ("RCPT TO:<good@x.example>", "250")]);
    client.talk(&[("DATA", "451"), ("DATA", "354"), (".", "554 no"), ("DATA", "503")]);
    client.talk(&[("MAIL FROM:<a@x>", "250"), ("RCPT TO:<c@x.example>", "250"), ("DATA", "354"), (".", "250")]);
    client.talk(&[("NOOP", "421")]);
    assert!(client.closed());
    assert_eq!(server.messages().len(), 1);
    assert_eq!(server.messages()[0].rcpt_to, ["RCPT TO:<c@x.example>"]);
    let mut client = Client::new(&server);
    client.send(b"VRFY x\r\n");
    let mut garbage = Vec::new();
    client.reader.read_until(b'\n', &mut garbage).unwrap();
    assert!(garbage.starts_with(b"\0\xff"));
}

#[test]
fn a_connection_is_closed_reset_or_left_waiting_as_told() {
    let server =
        start(Options::default().fault("MAIL=close").fault("RSET=reset").fault("NOOP=stall").fault("HELP=wait 200"));
    let mut client = Client::new(&server);
    client.talk(&[("HELO me", "250")]);
    client.send(b"MAIL FROM:<a@x>\r\nRCPT TO:<b@x>\r\n");
    assert!(client.closed());
    let mut client = Client::new(&server);
    client.send(b"RSET\r\n");
    let error = client.reader.read(&mut [0; 1]).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    let mut client = Client::new(&server);
    let before = Instant::now();
    client.talk(&[("HELP", "214")]);
    assert!(before.elapsed() >= Duration::from_millis(200));
    client.send(b"NOOP\r\n");
    client.reader.get_ref().set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    assert!(client.reader.read(&mut [0; 1]).is_err());
}

#[test]
fn an_early_reply_in_the_body_is_the_answer() {
    let server = start(Options::default().fault("DATA-BODY=554 enough"));
    let mut client = Client::new(&server);
    client.talk(&ENVELOPE);
    client.send(b"some\r\n");
    client.expect("554");
    client.talk(&[("MAIL FROM:<not@a.command>\r\n.\r\nNOOP", "250")]);
    assert_eq!(server.count(), 0);
    assert_eq!(server.commands()[0].last().unwrap(), "NOOP");
}

#[test]
fn an_endless_reply_ends_when_the_client_goes_or_the_server_stops() {
    let mut server = start(Options::default().fault("EHLO=endless"));
    for _ in 0..2 {
        let mut client = Client::new(&server);
        client.send(b"EHLO me\r\n");
        client.reader.read_exact(&mut vec![0; 1 << 20]).unwrap();
    }
    assert!(server.wait_idle(Duration::from_secs(5)));
    let mut client = Client::new(&server);
    client.send(b"EHLO me\r\n");
    server.stop();
    assert_eq!(server.active(), 0);
}

#[test]
fn a_refusing_greeting_leaves_quit_only() {
    let server = start(Options::default().fault("GREETING=554 no service"));
    let mut client = Client::silent(&server);
    client.expect("554");
    client.talk(&[("EHLO me", "503"), ("QUIT", "221")]);
    assert!(client.closed());
}

#[test]
fn one_byte_replies_say_the_same() {
    let mut options = Options::default().offer("8BITMIME");
    options.pace.one_byte = true;
    let server = start(options);
    let mut client = Client::new(&server);
    client.talk(&ENVELOPE);
    client.talk(&[("x\r\n.", "250"), ("QUIT", "221")]);
    assert_eq!(server.messages()[0].data, b"x\r\n");
}

#[test]
fn noise_is_answered_and_never_stops_the_server() {
    let server = start(Options::default().offer("CHUNKING,SIZE,AUTH=,"));
    let mut seed = 1_u32;
    for _ in 0..50 {
        let mut client = Client::new(&server);
        let mut noise = b"EHLO x\r\n".to_vec();
        for _ in 0..300 {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let words: [&[u8]; 12] = [
                b"MAIL FROM:<",
                b"RCPT TO:",
                b"\xff\xc3",
                b"\r\n",
                b"\n",
                b"BDAT 99999999999999999999",
                b"BDAT 7 LAST\r\n",
                b"DATA\r\n",
                b"<a@b>",
                b" SIZE=",
                b"\0\"\\",
                b"\r\n.\r\n",
            ];
            noise.extend_from_slice(words[(seed >> 16) as usize % words.len()]);
        }
        // The server may close first, which is fine.
        let _ = client.reader.get_mut().write_all(&noise);
    }
    let mut client = Client::new(&server);
    client.talk(&[("EHLO me", "250"), ("QUIT", "221")]);
}

#[test]
fn stop_frees_the_port_and_leaves_the_messages() {
    let mut server = start(Options::default());
    let mut client = Client::new(&server);
    client.talk(&ENVELOPE);
    client.talk(&[("x\r\n.", "250")]);
    server.stop();
    assert!(TcpStream::connect(("127.0.0.1", server.port())).is_err());
    assert_eq!(server.messages().len(), 1);
    assert!(server.wait(1, Duration::ZERO) && !server.wait(2, Duration::from_millis(5)));
}

#[test]
fn discarded_messages_are_counted_and_measured() {
    let server = start(Options { discard: true, ..Options::default() });
    let mut client = Client::new(&server);
    client.talk(&ENVELOPE);
    client.talk(&[("hello\r\n.", "250")]);
    let message = &server.messages()[0];
    assert_eq!((message.size, message.data.len()), (7, 0));
}
