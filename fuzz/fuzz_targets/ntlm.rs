//! NTLM's challenge, in both versions, with a fixed time and client's challenge: the answer depends on the input alone.

#![no_main]

use ssmtp::auth::ntlm::{Fresh, Ntlm};
use ssmtp::auth::{Channel, Credentials, Mechanism, Peer};
use ssmtp::text::mask::Secret;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let credentials =
        Credentials { user: "DOMAIN\\joe".into(), password: Secret::new("correct-horse"), ..Credentials::default() };
    let channel = Channel { tls: true, exporter: None, end_point: Some(vec![9; 32]) };
    let peer = Peer { host: "mail.example".into(), port: 587, workstation: "PC".into(), channel, ..Peer::default() };
    for v2 in [false, true] {
        let fresh = Fresh { client_challenge: [0xaa; 8], time: 0 };
        let mut ntlm = Ntlm::with_fresh(&credentials, &peer, v2, fresh).expect("the credentials are fine");
        ntlm.opening().expect("an opening");
        assert_eq!(ntlm.step(data).is_ok(), ntlm.finished());
    }
});
