use super::*;
use crate::auth::Channel;
use crate::auth::crypto::hex;
use crate::auth::tests::{credentials, unhex};
use crate::error::Code;

/// The challenge of MS-NLMP section 4.2.4.3: server "Server", target information Domain and Server.
const CHALLENGE: &str = "4e544c4d53535000020000000c000c003800000033828ae20123456789abcdef0000000000000000\
    24002400440000000600701700000 00f530065007200760065007200\
    02000c0044006f006d00610069006e0001000c0053006500720076006500720000000000";

const FRESH: Fresh = Fresh { client_challenge: [0xaa; 8], time: 0 };

fn challenge() -> Vec<u8> {
    unhex(CHALLENGE)
}

/// The same with other target information.
fn challenge_with(info: &[u8]) -> Vec<u8> {
    let mut message = challenge();
    message.truncate(68);
    let length = u16::try_from(info.len()).unwrap().to_le_bytes();
    message[40..42].copy_from_slice(&length);
    message[42..44].copy_from_slice(&length);
    message.extend_from_slice(info);
    message
}

fn pair(id: u16, value: &[u8]) -> Vec<u8> {
    [&id.to_le_bytes()[..], &u16::try_from(value.len()).unwrap().to_le_bytes(), value].concat()
}

fn peer() -> Peer {
    Peer { host: "mail.example".into(), workstation: "COMPUTER".into(), ..Peer::default() }
}

fn run(user: &str, v2: bool, peer: &Peer, challenge: &[u8]) -> Result<(Vec<u8>, Vec<u8>)> {
    let mut ntlm = Ntlm::with_fresh(&credentials(user, "Password", ""), peer, v2, FRESH)?;
    let Opening::AfterPrompt(negotiate) = ntlm.opening()? else { panic!("NTLM waits for the prompt") };
    assert!(!ntlm.finished());
    let authenticate = ntlm.step(challenge)?;
    assert!(ntlm.finished());
    Ok((negotiate.expose().to_vec(), authenticate.expose().to_vec()))
}

/// A field of an AUTHENTICATE message: 0 LM, 1 NT, 2 domain, 3 user, 4 workstation, 5 session key.
fn field(message: &[u8], index: usize) -> &[u8] {
    let at = 12 + 8 * index;
    let length = u16::from_le_bytes([message[at], message[at + 1]]) as usize;
    let offset = u32::from_le_bytes(message[at + 4..at + 8].try_into().unwrap()) as usize;
    &message[offset..offset + length]
}

fn wide(text: &str) -> Vec<u8> {
    response::utf16(text)
}

#[test]
fn the_first_message_offers_what_we_can_and_tells_nothing() {
    let (negotiate, _) = run("User", false, &peer(), &challenge()).unwrap();
    assert_eq!(
        hex(&negotiate),
        "4e544c4d53535000010000000782 88a2 0000000028000000 0000000028000000 0a0000000000000f".replace(' ', "")
    );
}

#[test]
fn version_1_answers_with_the_response_of_ms_nlmp_and_no_lm_hash() {
    let mut old = challenge();
    // Without extended session security and target information, as section 4.2.2 has it.
    old[20..24].copy_from_slice(&0xe202_8233_u32.to_le_bytes());
    let (_, message) = run(r"Domain\User", false, &peer(), &old).unwrap();
    assert_eq!(hex(field(&message, 1)), "67c43011f30298a2ad35ece64f16331c44bdbed927841f94");
    assert_eq!(field(&message, 0), field(&message, 1));
    assert_eq!(field(&message, 2), wide("Domain"));
    assert_eq!(field(&message, 3), wide("User"));
    assert_eq!(field(&message, 4), wide("COMPUTER"));
    assert_eq!(field(&message, 5), b"");
    assert!(message.starts_with(b"NTLMSSP\0\x03\0\0\0"));
    // Only what both know, and neither signing, sealing nor a key exchange.
    assert_eq!(message[60..64], (0xe202_8233_u32 & flag::OURS).to_le_bytes());
    assert_eq!(message[MIC_AT..PAYLOAD_AT], [0; 16]);
}

#[test]
fn version_1_uses_extended_session_security_where_the_server_does() {
    let (_, message) = run(r"Domain\User", false, &peer(), &challenge()).unwrap();
    assert_eq!(hex(field(&message, 1)), "7537f803ae367128ca458204bde7caf81e97ed2683267232");
    assert_eq!(hex(field(&message, 0)), "aaaaaaaaaaaaaaaa00000000000000000000000000000000");
}

#[test]
fn version_2_without_a_server_time_has_both_responses_and_no_integrity_code() {
    let (_, message) = run(r"Domain\User", true, &peer(), &challenge()).unwrap();
    assert_eq!(hex(field(&message, 0)), "86c35097ac9cec102554764a57cccc19aaaaaaaaaaaaaaaa");
    assert_eq!(message[MIC_AT..PAYLOAD_AT], [0; 16]);
    // With no target information at all: the proof over an empty list.
    let mut bare = challenge();
    bare.truncate(32);
    bare[12..16].fill(0);
    bare[20..24].copy_from_slice(&0x0000_8201_u32.to_le_bytes());
    let (_, message) = run("User", true, &peer(), &bare).unwrap();
    assert_eq!(field(&message, 1).len(), 16 + 28 + 4 + 4);
}

/// The messages that Chromium's tests of NTLM hold (net/ntlm/ntlm_test_data.h): user, password and challenge of MS-NLMP
/// 4.2, with channel binding, target name and integrity code.
#[test]
fn proof_and_integrity_code_agree_with_chromium() {
    let negotiate = unhex("4e544c4d53535000010000000782080000000000200000000000000020000000");
    let mut authenticate = unhex(
        "4e544c4d535350000300000018001800580000008a008a00700000000c000c00fa0000000800080006010000100010000e010000000000\
         0058000000038208000000000000000000f7361633f0ad9bdf4a7c421bc6b824a300000000000000000000000000000000000000000000\
         00008c0260dbef690662af9c42d50782d2ed0101000000000000800bc8fd00d4d201aaaaaaaaaaaaaaaa0000000002000c0044006f006d\
         00610069006e0001000c0053006500720076006500720006000400020000000a0010006586e99d81c2fc984e47172fd4dd031009001600\
         48005400540050002f00530065007200760065007200000000000000000044006f006d00610069006e00550073006500720043004f004d\
         0050005500540045005200",
    );
    let mut info = TargetInfo::parse(Challenge::parse(&challenge()).unwrap().target_info).unwrap();
    let hash = unhex("ea05fefecc6b0bd571dbbc5baa3ed45386d0446835f7b74c85621b9983475f95");
    info.bind(&response::channel_binding(&hash), "HTTP/Server", true);
    let time = u64::from_le_bytes(unhex("800bc8fd00d4d201").try_into().unwrap());
    let server = [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef];
    let v2 = Keys::new("Password").v2("User", "Domain", server, [0xaa; 8], time, &info.encode());
    assert_eq!(hex(v2.nt.expose()), hex(field(&authenticate, 1)));
    let expected = authenticate[MIC_AT..PAYLOAD_AT].to_vec();
    authenticate[MIC_AT..PAYLOAD_AT].fill(0);
    let mic = crypto::hmac_md5(v2.session_key.expose(), &[&negotiate, &challenge(), &authenticate]);
    assert_eq!(hex(&mic), hex(&expected));
}

#[test]
fn version_2_signs_all_three_messages_when_the_server_gives_its_time() {
    let time = 0x01d2_d400_fdc8_0b80_u64;
    let info =
        [pair(2, &wide("Domain")), pair(6, &[1, 0, 0, 0]), pair(9, b"xx"), pair(7, &time.to_le_bytes()), pair(0, b"")]
            .concat();
    let end_point = unhex("ea05fefecc6b0bd571dbbc5baa3ed45386d0446835f7b74c85621b9983475f95");
    let channel = Channel { tls: true, end_point: Some(end_point), ..Channel::default() };
    let challenge = challenge_with(&info);
    let (negotiate, message) = run(r"Domain\User", true, &Peer { channel, ..peer() }, &challenge).unwrap();
    assert_eq!(field(&message, 0), [0; 24]);
    let expected = [
        pair(2, &wide("Domain")),
        pair(7, &time.to_le_bytes()),
        pair(6, &[3, 0, 0, 0]),
        pair(10, &unhex("6586e99d81c2fc984e47172fd4dd0310")),
        pair(9, &wide("SMTPSVC/mail.example")),
        pair(0, b""),
    ]
    .concat();
    let nt = field(&message, 1);
    assert_eq!(hex(&nt[16 + 28..nt.len() - 4]), hex(&expected));
    assert_eq!(nt[24..32], time.to_le_bytes());
    // What a server does: the key from the proof, the code over the messages with its own place zero.
    let keys = Keys::new("Password");
    let server = [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef];
    let v2 = keys.v2("User", "Domain", server, [0xaa; 8], time, &expected);
    let mut zeroed = message.clone();
    zeroed[MIC_AT..PAYLOAD_AT].fill(0);
    let mic = crypto::hmac_md5(v2.session_key.expose(), &[&negotiate, &challenge, &zeroed]);
    assert_eq!(message[MIC_AT..PAYLOAD_AT], mic);
}

#[test]
fn without_tls_the_channel_binding_is_zero() {
    let channel = Channel { tls: false, end_point: Some(vec![1; 32]), ..Channel::default() };
    let (_, message) = run("User", true, &Peer { channel, ..peer() }, &challenge()).unwrap();
    let nt = field(&message, 1);
    let zero = pair(10, &[0; 16]);
    assert!(nt.windows(zero.len()).any(|w| w == zero));
}

#[test]
fn the_user_is_written_with_a_domain_before_it_behind_it_or_without() {
    for (text, domain, user) in [
        (r"Domain\User", "Domain", "User"),
        ("user@example.com", "", "user@example.com"),
        ("User", "", "User"),
        (r"Döm\Üser", "Döm", "Üser"),
        (r"\User", "", "User"),
    ] {
        let (_, message) = run(text, false, &peer(), &challenge()).unwrap();
        assert_eq!((field(&message, 2), field(&message, 3)), (&wide(domain)[..], &wide(user)[..]), "{text}");
    }
    assert_eq!(run(r"Domain\", false, &peer(), &challenge()).unwrap_err().code, Code::ValueRefused);
}

#[test]
fn a_server_without_unicode_gets_ascii_or_nothing() {
    let mut oem = challenge();
    oem[20..24].copy_from_slice(&0x0000_8202_u32.to_le_bytes());
    let far = Peer { workstation: "Büro".into(), ..peer() };
    let (_, message) = run(r"Domain\User", false, &far, &oem).unwrap();
    assert_eq!((field(&message, 2), field(&message, 3), field(&message, 4)), (&b"Domain"[..], &b"User"[..], &b""[..]));
    assert_eq!(run("Üser", false, &peer(), &oem).unwrap_err().code, Code::ValueRefused);
}

#[test]
fn a_cut_challenge_is_refused_at_every_length() {
    let whole = challenge();
    for length in 0..whole.len() {
        for v2 in [false, true] {
            let error = run("User", v2, &peer(), &whole[..length]).expect_err("a cut challenge");
            assert_eq!(error.code, Code::Protocol, "{length}");
            assert!(!error.message.contains("Password"));
        }
    }
}

#[test]
fn fields_outside_of_their_place_are_refused() {
    let change = |at: usize, bytes: &[u8]| {
        let mut message = challenge();
        message[at..at + bytes.len()].copy_from_slice(bytes);
        run("User", true, &peer(), &message)
    };
    for (what, at, bytes) in [
        ("another signature", 0, &b"X"[..]),
        ("another type", 8, &[3]),
        ("a target name behind the end", 16, &[0, 0, 0, 1]),
        ("a target name that wraps around", 16, &[0xff, 0xff, 0xff, 0xff]),
        ("a target name in the header", 16, &[0, 0, 0, 0]),
        ("a target name too long", 12, &[0xff, 0xff]),
        ("target information behind the end", 44, &[0xff, 0xff, 0xff, 0x7f]),
        ("target information in the header", 44, &[20, 0, 0, 0]),
        ("target information too long", 40, &[0xff, 0xff]),
        ("both in one place", 44, &[56, 0, 0, 0]),
    ] {
        assert_eq!(change(at, bytes).expect_err(what).code, Code::Protocol, "{what}");
    }
    // Exim names an impossible offset for an empty field.
    assert!(change(12, &[0, 0, 0, 0, 0, 0x28, 0, 0]).is_ok());
}

#[test]
fn broken_target_information_is_refused() {
    for (what, info) in [
        ("no end", pair(1, &wide("Server"))),
        ("a pair cut", [pair(1, b"abcd"), vec![2, 0, 9]].concat()),
        ("a value cut", vec![1, 0, 200, 0, 1, 2, 3]),
        ("a time of four octets", [pair(7, &[0; 4]), pair(0, b"")].concat()),
        ("flags of two octets", [pair(6, &[0; 2]), pair(0, b"")].concat()),
    ] {
        assert_eq!(run("User", true, &peer(), &challenge_with(&info)).expect_err(what).code, Code::Protocol, "{what}");
    }
}

#[test]
fn what_does_not_fit_a_field_is_refused() {
    let long = [pair(2, &vec![0; 65_000]), pair(0, b"")].concat();
    assert!(run("User", true, &peer(), &challenge_with(&long)).is_ok());
    let too_long = [pair(2, &vec![0; 65_450]), pair(0, b"")].concat();
    assert_eq!(run("User", true, &peer(), &challenge_with(&too_long)).unwrap_err().code, Code::ValueRefused);
    assert_eq!(run(&"u".repeat(32_768), false, &peer(), &challenge()).unwrap_err().code, Code::ValueRefused);
    assert!(run(&"u".repeat(32_767), false, &peer(), &challenge()).is_ok());
}

#[test]
fn nothing_follows_the_answer() {
    let mut ntlm = Ntlm::new(&credentials("User", "Password", ""), &peer(), true).unwrap();
    assert!(ntlm.step(&challenge()).is_err(), "a challenge before our first message");
    ntlm.opening().unwrap();
    ntlm.step(&challenge()).unwrap();
    assert!(ntlm.step(&challenge()).is_err());
}
