//! Logins at scripted HTTP proxies: an answer for each request, on one connection or several.

use super::*;
use crate::auth::http_digest::Challenge;
use proptest::prelude::*;

/// One connection: what the proxy answers to each request; behind the last it closes.
struct Turns {
    says: VecDeque<Vec<u8>>,
    now: VecDeque<u8>,
    piece: usize,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Stream for Turns {
    fn read(&mut self, buf: &mut [u8], _: &Clock) -> Result<usize> {
        let count = self.piece.min(buf.len()).min(self.now.len());
        for place in &mut buf[..count] {
            *place = self.now.pop_front().unwrap();
        }
        Ok(count)
    }
    fn write_all(&mut self, parts: &mut [IoSlice<'_>], _: &Clock) -> Result<()> {
        let text: Vec<u8> = parts.iter().flat_map(|p| p.to_vec()).collect();
        self.heard.lock().unwrap().push(String::from_utf8(text).unwrap());
        self.now.extend(self.says.pop_front().unwrap_or_default());
        Ok(())
    }
    fn readable(&mut self, _: Duration, _: &Clock) -> Result<bool> {
        Ok(!self.now.is_empty())
    }
    fn close(&mut self) {
        self.heard.lock().unwrap().push("closed".into());
    }
    fn local_addr(&self) -> Option<SocketAddr> {
        None
    }
    fn peer_addr(&self) -> Option<SocketAddr> {
        None
    }
}

/// The requests, with "closed" where a connection was, and how it ended.
fn talk_in(piece: usize, proxy: &Proxy, connections: &[&[&str]]) -> (Vec<String>, Result<()>) {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let mut rest = connections.iter();
    let mut next = |_: &Clock| -> Result<Box<dyn Stream>> {
        let says = rest.next().ok_or_else(|| Error::new(Code::Firewall, "proxy p:9: no further connection"))?;
        let says = says.iter().map(|s| s.as_bytes().to_vec()).collect();
        Ok(Box::new(Turns { says, now: VecDeque::new(), piece, heard: heard.clone() }))
    };
    let first = next(&clock()).unwrap();
    let done = handshake(first, proxy, &Host::new("h.example").unwrap(), 587, &clock(), &mut next);
    let heard = heard.lock().unwrap().clone();
    (heard, done.map(drop))
}

fn talk(proxy: &Proxy, connections: &[&[&str]]) -> (Vec<String>, Result<()>) {
    let octets = talk_in(1, proxy, connections);
    let whole = talk_in(usize::MAX, proxy, connections);
    assert_eq!(octets.1, whole.1);
    assert_eq!(octets.0.len(), whole.0.len());
    if let Err(error) = &whole.1 {
        assert_eq!(error.code, Code::Firewall, "{}", error.message);
        assert!(!error.message.contains(PASSWORD), "{}", error.message);
    }
    whole
}

fn with(login: ProxyLogin) -> Proxy {
    Proxy { login, ..proxy(FirewallType::Tunnel) }
}

/// The value of the login of a request; empty without one.
fn login_of(request: &str) -> &str {
    request.split("\r\n").find_map(|line| line.strip_prefix("Proxy-Authorization: ")).unwrap_or_default()
}

const OK: &str = "HTTP/1.1 200 yes\r\n\r\n";
const ASKS: &str = "HTTP/1.1 407 who?\r\nContent-Length: 4\r\nProxy-Authenticate: ";

fn asks(challenge: &str) -> String {
    format!("{ASKS}{challenge}\r\n\r\npage")
}

const DIGEST: &str = "Digest realm=\"r\", nonce=\"n1\", qop=\"auth\", algorithm=";

/// Whether it is the right answer to the challenge of those parameters.
fn is_right(answer: &str, algorithm: &str, nonce: &str) -> bool {
    let parameters = [("realm", "r"), ("nonce", nonce), ("qop", "auth"), ("algorithm", algorithm)];
    let parameters: Vec<_> = parameters.iter().map(|(n, v)| (n.to_string(), v.as_bytes().to_vec())).collect();
    let cnonce = answer.split("cnonce=\"").nth(1).unwrap().split('"').next().unwrap();
    let challenge = Challenge::read(&parameters).unwrap();
    let password = Secret::new(PASSWORD);
    challenge.answer_with("tim", &password, "CONNECT", "h.example:587", cnonce).expose() == answer.as_bytes()
}

#[test]
fn the_strongest_digest_is_answered_on_the_same_connection() {
    let both = format!("{DIGEST}MD5\r\nProxy-Authenticate: {DIGEST}SHA-256, Basic realm=\"r\", NTLM");
    let (heard, done) = talk(&with(ProxyLogin::Any), &[&[&asks(&both), OK]]);
    done.unwrap();
    assert_eq!((heard.len(), login_of(&heard[0])), (2, ""));
    assert!(is_right(login_of(&heard[1]), "SHA-256", "n1"), "{}", heard[1]);
    let (heard, done) = talk(&with(ProxyLogin::Digest), &[&[&asks(&format!("Basic, {DIGEST}MD5")), OK]]);
    done.unwrap();
    assert!(is_right(login_of(&heard[1]), "MD5", "n1"), "{}", heard[1]);
}

#[test]
fn a_stale_nonce_is_answered_once_more_and_a_wrong_password_is_not() {
    let first = asks(&format!("{DIGEST}MD5"));
    let stale = first.replace("n1", "n2").replace("qop", "stale=true, qop");
    let (heard, done) = talk(&with(ProxyLogin::Any), &[&[&first, &stale, OK]]);
    done.unwrap();
    assert!(is_right(login_of(&heard[2]), "MD5", "n2"));
    for (answers, count) in [(vec![&first[..], &first, OK], 2), (vec![&first[..], &stale, &stale, OK], 3)] {
        let (heard, done) = talk(&with(ProxyLogin::Any), &[&answers]);
        assert_eq!(done.unwrap_err().into_message(), "proxy p:9: it refuses the login: HTTP/1.1 407 who?");
        assert_eq!((heard.len(), heard[count].as_str()), (count + 1, "closed"));
    }
}

/// CHALLENGE_MESSAGE of MS-NLMP section 4.2.4.3.
const NTLM: &str = "TlRMTVNTUAACAAAADAAMADgAAAAzgoriASNFZ4mrze8AAAAAAAAAACQAJABEAAAABgBwFwAAAA9TAGUAcgB2AGUAcgACAAwARABvAG0AYQBpAG4AAQAMAFMAZQByAHYAZQByAAAAAAA=";

#[test]
fn ntlm_goes_three_ways_on_one_connection() {
    let (offer, challenge) = (asks("Negotiate\r\nProxy-Authenticate: NTLM"), asks(&format!("NTLM {NTLM}")));
    for v2 in [false, true] {
        for login in [ProxyLogin::Any, ProxyLogin::Ntlm] {
            let proxy = Proxy { ntlm_v2: v2, workstation: "PC".into(), ..with(login) };
            let (heard, done) = talk(&proxy, &[&[&offer, &challenge, OK]]);
            done.unwrap();
            assert_eq!((heard.len(), login_of(&heard[0])), (3, ""));
            assert!(login_of(&heard[1]).starts_with("NTLM TlRMTVNTUAABAAAA"), "{}", heard[1]);
            assert!(login_of(&heard[2]).starts_with("NTLM TlRMTVNTUAADAAAA"), "{}", heard[2]);
        }
    }
    let proxy = with(ProxyLogin::Any);
    let (heard, done) = talk(&proxy, &[&[&offer, &challenge, &offer, OK]]);
    assert!(done.unwrap_err().into_message().contains("refuses the login") && heard.len() == 4);
    let (_, done) = talk(&proxy, &[&[&offer, &offer]]);
    assert!(done.unwrap_err().into_message().contains("refuses the login"));
    for (token, why) in [("AAAA", "is cut"), ("A", "not Base64"), ("TlRMTVNTUAAC", "is cut")] {
        let (_, done) = talk(&proxy, &[&[&offer, &asks(&format!("NTLM {token}"))]]);
        let error = done.unwrap_err().into_message();
        assert!(error.contains(why) && error.contains("407 who?"), "{error}");
    }
    let closing = challenge.replace("Content", "Connection: close\r\nContent");
    let (_, done) = talk(&proxy, &[&[&offer, &closing], &[OK]]);
    assert!(done.unwrap_err().into_message().contains("in the middle of an NTLM login"));
}

#[test]
fn a_proxy_that_closes_after_a_407_is_asked_on_another_connection() {
    let challenge = format!("{DIGEST}MD5");
    for answer in [
        format!("HTTP/1.1 407 who?\r\nProxy-Authenticate: {challenge}\r\n\r\n"),
        format!("HTTP/1.0 407 who?\r\nContent-Length: 0\r\nProxy-Authenticate: {challenge}\r\n\r\n"),
        format!(
            "HTTP/1.1 407 who?\r\nConnection: x, Close\r\nContent-Length: 0\r\nProxy-Authenticate: {challenge}\r\n\r\n"
        ),
        format!(
            "HTTP/1.1 407 who?\r\nProxy-Connection: close\r\nContent-Length: 0\r\nProxy-Authenticate: {challenge}\r\n\r\n"
        ),
        format!("HTTP/1.1 407 who?\r\nContent-Length: 9999999\r\nProxy-Authenticate: {challenge}\r\n\r\n"),
        format!("HTTP/1.1 407 who?\r\nContent-Length: 9\r\nProxy-Authenticate: {challenge}\r\n\r\nshort"),
        format!("HTTP/1.1 407 who?\r\nTransfer-Encoding: chunked\r\nProxy-Authenticate: {challenge}\r\n\r\nzz\r\n"),
        format!(
            "HTTP/1.1 407 who?\r\nTransfer-Encoding: chunked\r\nProxy-Authenticate: {challenge}\r\n\r\nffffffff\r\n"
        ),
    ] {
        let (heard, done) = talk(&with(ProxyLogin::Any), &[&[&answer], &[OK]]);
        done.unwrap_or_else(|error| panic!("{answer}: {}", error.message));
        assert_eq!((heard.len(), heard[1].as_str()), (3, "closed"), "{answer}");
        assert!(is_right(login_of(&heard[2]), "MD5", "n1"));
    }
    let chunks = "5;x=y\r\nhello\r\n1\r\n!\r\n0\r\nTrailer: t\r\n\r\n";
    let answer =
        format!("HTTP/1.1 407 x\r\nTransfer-Encoding: Chunked\r\nProxy-Authenticate: {challenge}\r\n\r\n{chunks}");
    let (heard, done) = talk(&with(ProxyLogin::Any), &[&[&answer, OK]]);
    done.unwrap();
    assert_eq!(heard.len(), 2, "the chunks were read and the connection kept");
    let old = format!(
        "HTTP/1.0 407 x\r\nConnection: keep-alive\r\nContent-Length: 2\r\nProxy-Authenticate: {challenge}\r\n\r\nab"
    );
    assert_eq!(talk(&with(ProxyLogin::Any), &[&[&old, OK]]).0.len(), 2);
}

#[test]
fn basic_goes_first_only_where_it_may_and_is_never_repeated() {
    let basic = "Basic dGltOnMzY3JldC1Qdw==";
    for login in [ProxyLogin::Usual, ProxyLogin::Basic] {
        let (heard, done) = talk(&with(login), &[&[OK]]);
        done.unwrap();
        assert_eq!(login_of(&heard[0]), basic);
        let (heard, done) = talk(&with(login), &[&[&asks("Basic realm=x"), OK]]);
        assert!(done.unwrap_err().into_message().contains("refuses the login") && heard.len() == 2);
    }
    // It took no Basic, so it did not look at it.
    let (heard, done) = talk(&with(ProxyLogin::Usual), &[&[&asks(&format!("{DIGEST}MD5")), OK]]);
    done.unwrap();
    assert!(is_right(login_of(&heard[1]), "MD5", "n1"));
    let (_, done) = talk(&with(ProxyLogin::Basic), &[&[&asks("NTLM"), OK]]);
    assert!(done.unwrap_err().into_message().contains("refuses the login"));

    let (heard, done) = talk(&with(ProxyLogin::Any), &[&[&asks("Basic realm=x"), OK]]);
    done.unwrap();
    assert_eq!((login_of(&heard[0]), login_of(&heard[1])), ("", basic));
    for login in [ProxyLogin::Usual, ProxyLogin::Any] {
        let modern = Proxy { no_clear_text: true, ..with(login) };
        let (heard, done) = talk(&modern, &[&[&asks("Basic realm=x"), OK]]);
        assert!(done.unwrap_err().into_message().contains("only in clear text"));
        assert!(heard.iter().all(|request| login_of(request).is_empty()));
        let secured = Proxy { tls: true, ..modern };
        assert!(talk(&secured, &[&[&asks("Basic realm=x"), OK]]).1.is_ok() || login == ProxyLogin::Usual);
    }
    for (login, offer) in
        [(ProxyLogin::Digest, "Basic, NTLM"), (ProxyLogin::Ntlm, "Basic"), (ProxyLogin::Any, "Negotiate")]
    {
        let (heard, done) = talk(&with(login), &[&[&asks(offer), OK]]);
        assert!(done.unwrap_err().into_message().contains("no way to log in that may be used; it offers"), "{login:?}");
        assert!(heard.iter().all(|request| login_of(request).is_empty()));
    }
}

#[test]
fn a_login_of_the_callers_own_header_lines_is_left_alone() {
    let own = Proxy { headers: Secret::new("Proxy-Authorization: Bearer b3arer-token"), ..with(ProxyLogin::Any) };
    let (heard, done) = talk(&own, &[&[&asks("Basic, NTLM, Digest realm=r,nonce=n b3arer-token")]]);
    assert_eq!(login_of(&heard[0]), "Bearer b3arer-token");
    assert!(done.unwrap_err().into_message().contains("it asks for a login") && heard.len() == 2);
}

#[test]
fn what_a_proxy_repeats_of_a_login_is_not_shown() {
    let echo = |heard: &str| format!("HTTP/1.1 407 {heard}\r\nProxy-Authenticate: NTLM\r\n\r\n");
    let (offer, challenge) = (asks("NTLM"), asks(&format!("NTLM {NTLM}")));
    // The messages of version 1 are the same each time but for a random part; what was said is asked of the talk itself.
    let (heard, _) = talk_in(usize::MAX, &with(ProxyLogin::Ntlm), &[&[&offer, &challenge, OK]]);
    let first = login_of(&heard[1]).to_string();
    let (_, done) = talk(&with(ProxyLogin::Ntlm), &[&[&offer, &echo(&first)]]);
    let error = done.unwrap_err().into_message();
    assert!(error.contains("***") && !error.contains("TlRM"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever a proxy says, it ends, and in the right number.
    #[test]
    fn any_answers_end_in_118_or_success(answers in proptest::collection::vec(any_answer(), 0..7), usual in any::<bool>()) {
        let proxy = with(if usual { ProxyLogin::Usual } else { ProxyLogin::Any });
        let answers: Vec<&str> = answers.iter().map(String::as_str).collect();
        let (heard, done) = talk_in(7, &proxy, &[&answers, &[], &answers]);
        prop_assert!(heard.len() <= 8);
        if let Err(error) = done {
            prop_assert_eq!(error.code, Code::Firewall);
            prop_assert!(!error.message.contains(PASSWORD));
        }
    }

    #[test]
    fn any_octets_are_no_challenge_or_some(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
        for challenge in challenge::read(&octets) {
            let _ = Challenge::read(&challenge.parameters);
        }
    }
}

fn any_answer() -> impl Strategy<Value = String> {
    let status = prop_oneof!["200", "407", "407", "407", "502", "4[0-9]{1,3}"];
    let challenge = prop_oneof![
        Just("Basic realm=x".to_string()),
        Just(format!("{DIGEST}MD5, stale=true")),
        Just("NTLM".to_string()),
        Just(format!("NTLM {NTLM}")),
        "NTLM [A-Za-z0-9+/]{0,60}=?",
        "[ -~]{0,60}",
    ];
    let length = prop_oneof![
        Just(String::new()),
        "Content-Length: [0-9]{1,3}\r\n",
        Just("Transfer-Encoding: chunked\r\n".into())
    ];
    (status, challenge, length, "[ -~\r\n]{0,40}").prop_map(|(status, challenge, length, page)| {
        format!("HTTP/1.1 {status} x\r\n{length}Proxy-Authenticate: {challenge}\r\n\r\n{page}")
    })
}
