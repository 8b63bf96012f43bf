//! Sign and Encrypt with a stream, a file or several parts in play: checked at once, carried out while the message is sent (ruling 22).

use crate::common::Handle;
use crate::people::*;
use std::ffi::CString;

pub fn attach(handle: &Handle, path: &str, name: &str) {
    let [path, name, kind] = [path, name, ""].map(|text| CString::new(text).unwrap());
    // SAFETY: the texts live through the call.
    let code =
        unsafe { ssmtp::ffi::ssmtp_add_attachment_file(handle.raw(), path.as_ptr(), name.as_ptr(), kind.as_ptr()) };
    assert_eq!(code, 0);
}

/// The attachments of an entity, as Python's email package reads them.
pub fn attachments(entity: &[u8]) -> Vec<Vec<u8>> {
    let script = "import email, sys, email.policy
whole = email.message_from_bytes(open(sys.argv[1], 'rb').read(), policy=email.policy.SMTP)
for part in whole.walk():
    if part.get_content_disposition() == 'attachment':
        print(part.get_payload(decode=True).hex())";
    let output = std::process::Command::new("python3").args(["-c", script, &scratch(entity)]).output().unwrap();
    let hex =
        |line: &str| (0..line.len() / 2).map(|n| u8::from_str_radix(&line[2 * n..2 * n + 2], 16).unwrap()).collect();
    text(&output.stdout).lines().map(hex).collect()
}

fn octets(count: usize) -> Vec<u8> {
    (0..count).map(|n| (n * 7 + n / 251) as u8).collect()
}

#[test]
fn attachments_are_signed_and_encrypted_while_the_message_is_sent() {
    let server = start();
    let content = octets(300_001);
    let file = scratch(&content);
    for (method, detached, cipher) in [
        ("Sign", "True", "3DES"),
        ("Sign", "False", "3DES"),
        ("Encrypt", "True", "AESCBC128"),
        ("Encrypt", "True", "AESGCM256"),
        ("SignAndEncrypt", "True", "AESCBC256"),
        ("SignAndEncrypt", "False", "AESGCM128"),
    ] {
        for signer in ["rsa", "p256"] {
            let handle = message(&server);
            handle.config(&format!("DetachedSignature={detached}")).unwrap();
            handle.must_set("EncryptingAlgorithm", cipher);
            sign_as(&handle, signer);
            encrypt_for(&handle, &["second"]);
            attach(&handle, &file, "a.bin");
            handle.call(method, "").unwrap();
            assert_eq!(
                handle.get("MessageText").unwrap(),
                "Hello,\r\nhere they are.\r\n",
                "until then it reads as it was set"
            );
            let kind =
                if method == "Sign" && detached == "True" { "multipart/signed" } else { "application/pkcs7-mime" };
            assert!(handle.get("MessageHeadersString").unwrap().contains(kind));
            let arrived = sent(&server, &handle);
            assert!(field(&arrived, "Content-Type").starts_with(kind));
            // The size is told beforehand, and is right to the octet.
            let told = server.commands().concat().into_iter().rfind(|line| line.starts_with("MAIL")).unwrap();
            assert!(told.ends_with(&format!("SIZE={}", arrived.len())), "{told} is not {}", arrived.len());
            let entity = if method == "Sign" { arrived.clone() } else { decrypted(&arrived, "second").unwrap() };
            let entity = if method == "Encrypt" { entity } else { verified(&entity).unwrap() };
            assert!(text(&entity).contains("Hello,\r\nhere they are.\r\n"));
            assert_eq!(attachments(&entity), std::slice::from_ref(&content), "{method} {cipher}");
        }
    }
}

#[test]
fn a_stream_of_unknown_length_is_read_once() {
    let server = start();
    let tail = "more\nlines \r\nwith \u{fc}\r\n".repeat(20_000);
    for method in ["Sign", "Encrypt", "SignAndEncrypt"] {
        let handle = message(&server);
        sign_as(&handle, "rsa");
        encrypt_for(&handle, &["second"]);
        handle.stream(tail.clone().into_bytes()).unwrap();
        handle.call(method, "").unwrap();
        let arrived = sent(&server, &handle);
        let entity = if method == "Sign" { arrived } else { decrypted(&arrived, "second").unwrap() };
        let entity = if method == "Encrypt" { entity } else { verified(&entity).unwrap() };
        assert!(text(&entity).contains("Content-Type: text/plain; charset=utf-8\r\n"));
        assert!(text(&entity).ends_with("more\r\nlines=20\r\nwith =C3=BC\r\n"));
        assert!(text(&entity).matches("more\r\n").count() == 20_000);
    }
}

#[test]
fn what_is_wrong_is_told_at_once_and_nothing_is_sent() {
    let server = start();
    let file = scratch(b"content");
    let handle = message(&server);
    attach(&handle, &file, "a.txt");
    assert_eq!(code(handle.call("Sign", "")), 281);
    assert_eq!(code(handle.call("Encrypt", "")), 272);
    sign_as(&handle, "p256");
    handle.must_set("SigningAlgorithm", "md5");
    assert_eq!(code(handle.call("Sign", "")), 283);
    assert_eq!(code(handle.call("Send", "")), 283);
    assert_eq!(server.count(), 0);
    handle.must_set("SigningAlgorithm", "sha-256");
    encrypt_for(&handle, &["second"]);
    handle.call("SignAndEncrypt", "").unwrap();
    // What is added later is encrypted with the rest.
    attach(&handle, &file, "b.txt");
    let entity = verified(&decrypted(&sent(&server, &handle), "second").unwrap()).unwrap();
    assert_eq!(attachments(&entity), [b"content".to_vec(), b"content".to_vec()]);
    // Another file: the operation is over.
    handle.must_set("AttachedFile", &file);
    assert!(!text(&sent(&server, &handle)).contains("pkcs7"));
}

#[test]
fn a_file_that_changes_or_goes_away_sends_nothing() {
    let server = start();
    let handle = message(&server);
    let file = scratch(b"content");
    attach(&handle, &file, "a.txt");
    encrypt_for(&handle, &["second"]);
    handle.call("Encrypt", "").unwrap();
    std::fs::remove_file(&file).unwrap();
    assert_eq!(code(handle.call("Send", "")), 302);
    assert_eq!(server.count(), 0);
}

#[test]
fn every_send_of_a_message_is_encrypted_anew() {
    let server = start();
    let handle = message(&server);
    attach(&handle, &scratch(b"content"), "a.txt");
    encrypt_for(&handle, &["second"]);
    handle.call("Encrypt", "").unwrap();
    let (one, two) = (sent(&server, &handle), sent(&server, &handle));
    let body = |message: &[u8]| text(message).split("\r\n\r\n").nth(1).unwrap().to_owned();
    assert_ne!(body(&one), body(&two));
    assert_eq!(attachments(&decrypted(&two, "second").unwrap()), [b"content".to_vec()]);
    assert_eq!(code(handle.config("TransferText").map(drop)), 211);
}

#[test]
fn what_was_to_be_encrypted_never_goes_in_the_clear() {
    let file = scratch(b"content");
    for (name, value) in [("AttachedFile", ""), ("OtherHeaders", "X-A: 1")] {
        let server = start();
        let handle = message(&server);
        handle.must_set("AttachedFile", &file);
        encrypt_for(&handle, &["second"]);
        handle.call("Encrypt", "").unwrap();
        handle.must_set(name, value);
        assert_eq!(code(handle.call("Send", "")), 283, "{name}");
        assert_eq!(server.count(), 0);
        // The operation made good, or a new text: it goes.
        handle.call("Encrypt", "").unwrap();
        decrypted(&sent(&server, &handle), "second").unwrap();
        handle.must_set("MessageText", "new");
        assert!(text(&sent(&server, &handle)).contains("new"));
    }
}
