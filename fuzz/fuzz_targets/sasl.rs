//! Every login mechanism against any challenges: the first octet chooses the mechanism, each challenge has its length before it.

#![no_main]

use ssmtp::auth::{self, Channel, Choice, Credentials, Method, Peer};
use ssmtp::text::mask::Secret;

const PASSWORD: &str = "correct-horse-battery";
const TOKEN: &str = "t0ken-of-the-fuzzer";

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let [which, data @ ..] = data else { return };
    // GSSAPI is the system's library.
    let methods: Vec<Method> = Method::ALL.into_iter().filter(|method| *method != Method::Gssapi).collect();
    let method = methods[usize::from(*which) % methods.len()];
    let identity = if method.is_oauth() { TOKEN } else { "" };
    let credentials = Credentials {
        user: "joe".into(),
        password: Secret::new(PASSWORD),
        authorization_identity: Secret::new(identity),
    };
    let channel = Channel { tls: true, exporter: Some(vec![7; 32]), end_point: Some(vec![9; 32]) };
    let peer = Peer { host: "mail.example".into(), port: 587, workstation: "PC".into(), channel, ..Peer::default() };
    let choice = Choice { method, server_binds: true, note: None };
    let mut login = auth::login(&choice, &credentials, &peer, which & 0x80 != 0).expect("the credentials are fine");
    login.opening().expect("an opening");
    ssmtp_fuzz::pieces(data, |challenge| match login.answer(challenge) {
        Ok(_) => true,
        Err(error) => {
            // What the server itself says is hidden a floor above.
            for secret in [PASSWORD, TOKEN] {
                let said = data.windows(secret.len()).any(|part| part == secret.as_bytes());
                assert!(said || !error.message.contains(secret));
            }
            assert!(login.accepted().is_err());
            false
        }
    });
});
