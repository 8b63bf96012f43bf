//! Decrypt and VerifySignature: our own messages and OpenSSL's, whole, damaged, and for somebody else.

use crate::common::{Failure, Handle};
use crate::people::*;
use ssmtp::ffi::{ssmtp_decrypt, ssmtp_free, ssmtp_t, ssmtp_verify_signature};

type Function = unsafe extern "C" fn(*mut ssmtp_t, *const u8, usize, *mut *mut u8, *mut usize) -> i32;

fn call(function: Function, handle: &Handle, message: &[u8]) -> Result<Vec<u8>, Failure> {
    let (mut out, mut length) = (std::ptr::null_mut(), 0);
    // SAFETY: the message and both places live through the call; what is given is ours to release.
    unsafe {
        match function(handle.raw(), message.as_ptr(), message.len(), &mut out, &mut length) {
            0 => {
                let copy = std::slice::from_raw_parts(out, length).to_vec();
                ssmtp_free(out.cast());
                Ok(copy)
            }
            code => Err(Failure { code, text: handle.last_error() }),
        }
    }
}

fn decrypt(handle: &Handle, message: &[u8]) -> Result<Vec<u8>, Failure> {
    call(ssmtp_decrypt, handle, message)
}

fn verify(handle: &Handle, message: &[u8]) -> Result<Vec<u8>, Failure> {
    call(ssmtp_verify_signature, handle, message)
}

fn reader(name: &str) -> Handle {
    let handle = Handle::new();
    sign_as(&handle, name);
    handle
}

#[test]
fn what_was_sent_is_read_back_with_who_signed_it() {
    let server = start();
    for (detached, cipher, recipient) in [("True", "3DES", "second"), ("False", "AESGCM256", "p256")] {
        let handle = message(&server);
        handle.must_set("SendTo", &format!("{recipient}@b.example"));
        handle.config(&format!("DetachedSignature={detached}")).unwrap();
        handle.must_set("EncryptingAlgorithm", cipher);
        sign_as(&handle, "rsa");
        encrypt_for(&handle, &[recipient]);
        handle.call("SignAndEncrypt", "").unwrap();
        let arrived = sent(&server, &handle);
        let other = reader(recipient);
        for message in [arrived.clone(), text(&arrived).replace("\r\n", "\n").into_bytes()] {
            let signed = decrypt(&other, &message).unwrap();
            assert_eq!(verify(&other, &message).unwrap_err().code, 284, "it is encrypted");
            assert_eq!(other.get("SignerCertSubject").unwrap(), "");
            let content = verify(&other, &signed).unwrap();
            assert!(text(&content).ends_with("\r\n\r\nHello,\r\nhere they are.\r\n"));
            assert_eq!(other.get("SignerCertSubject").unwrap(), "CN=rsa, O=libssmtp");
            assert_eq!(decrypt(&other, &signed).unwrap_err().code, 284, "it is signed");
        }
        assert_eq!(decrypt(&reader("third"), &arrived).unwrap_err().code, 284, "somebody else");
        assert_eq!(decrypt(&Handle::new(), &arrived).unwrap_err().code, 281);
    }
}

#[test]
fn what_openssl_makes_is_read_too() {
    let entity = b"Content-Type: text/plain\r\n\r\nfrom OpenSSL\r\n";
    let (cert, key) = (path("rsa.pem"), path("rsa.key"));
    for form in [&["-stream"][..], &["-nodetach"], &["-nodetach", "-stream"], &[], &["-nodetach", "-outform", "DER"]] {
        let arguments = [&["cms", "-sign", "-signer", &cert, "-inkey", &key], form].concat();
        let message = openssl(&arguments, entity).unwrap();
        assert_eq!(verify(&reader("second"), &message).unwrap(), entity, "{form:?}");
    }
    let second = path("second.pem");
    for form in
        [&["-stream"][..], &["-outform", "DER"], &["-keyid", "-aes-256-gcm"], &["-keyopt", "rsa_padding_mode:oaep"]]
    {
        let arguments = [&["cms", "-encrypt", "-recip", &second][..], form].concat();
        let message = openssl(&arguments, entity).unwrap();
        assert_eq!(decrypt(&reader("second"), &message).unwrap(), entity, "{form:?}");
    }
}

#[test]
fn a_changed_or_truncated_message_is_refused_by_us_and_by_openssl() {
    let server = start();
    for (method, detached, cipher) in
        [("Sign", "True", "3DES"), ("Sign", "False", "3DES"), ("Encrypt", "True", "AESGCM128")]
    {
        let handle = message(&server);
        handle.must_set("EncryptingAlgorithm", cipher);
        handle.config(&format!("DetachedSignature={detached}")).unwrap();
        sign_as(&handle, "rsa");
        encrypt_for(&handle, &["second"]);
        handle.call(method, "").unwrap();
        let arrived = sent(&server, &handle);
        let other = reader("second");
        let read = |message: &[u8]| if method == "Sign" { verify(&other, message) } else { decrypt(&other, message) };
        let whole = read(&arrived).unwrap();
        // Every 97th octet of the body, turned into another letter.
        let body = arrived.windows(4).position(|w| w == b"\r\n\r\n").unwrap() + 4;
        for at in (body..arrived.len()).step_by(97).filter(|at| arrived[*at].is_ascii_alphanumeric()) {
            let mut changed = arrived.clone();
            changed[at] = if changed[at] == b'Q' { b'R' } else { b'Q' };
            match read(&changed) {
                Err(failure) => assert_eq!(failure.code, 284, "{at}"),
                // Around the parts, and in certificates that came along, nothing is signed.
                Ok(same) => assert_eq!(same, whole, "{method} {detached} {at}"),
            }
        }
        for cut in [body, body + 50, arrived.len() / 2, arrived.len() - 200] {
            assert_eq!(read(&arrived[..cut]).unwrap_err().code, 284, "{cut}");
        }
        if method == "Sign" && detached == "True" {
            let changed = text(&arrived).replace("here they are", "here they were").into_bytes();
            assert_eq!(read(&changed).unwrap_err().code, 284);
            assert!(verified(&changed).is_err());
        }
    }
}

#[test]
fn auto_takes_what_the_recipient_said_he_reads() {
    let server = start();
    let handle = message(&server);
    handle.must_set("EncryptingAlgorithm", "Auto");
    encrypt_for(&handle, &["second"]);
    let cipher = |handle: &Handle| {
        handle.must_set("MessageText", "x");
        handle.call("Encrypt", "").unwrap();
        let shown = openssl(&["cms", "-cmsout", "-print", "-noout"], &sent(&server, handle)).unwrap();
        let found =
            ["aes-256-cbc", "aes-128-cbc", "des-ede3-cbc"].into_iter().find(|name| text(&shown).contains(*name));
        found.unwrap_or_default()
    };
    assert_eq!(cipher(&handle), "aes-256-cbc", "nothing is known of him");
    // A signature of his without capabilities tells nothing; OpenSSL's says what it reads.
    let (cert, key) = (path("second.pem"), path("second.key"));
    let signed = openssl(&["cms", "-sign", "-nosmimecap", "-signer", &cert, "-inkey", &key], b"x").unwrap();
    verify(&handle, &signed).unwrap();
    assert_eq!(cipher(&handle), "aes-256-cbc");
}
