//! Signed and encrypted messages in the queue: each form of them is a transaction of the file.

use crate::common::Handle;
use crate::people::*;
use crate::streamed::{attach, attachments};
use ssmtp::ffi::{ssmtp_free, ssmtp_process_queue, ssmtp_queue, ssmtp_send_queued};
use std::ffi::CString;

fn queue(handle: &Handle, folder: &str) -> i32 {
    let folder = CString::new(folder).unwrap();
    let mut name = std::ptr::null_mut();
    // SAFETY: the folder lives through the call; the name is ours to release.
    unsafe {
        let code = ssmtp_queue(handle.raw(), folder.as_ptr(), &mut name);
        ssmtp_free(name.cast());
        code
    }
}

fn process(handle: &Handle, folder: &str) -> i32 {
    let folder = CString::new(folder).unwrap();
    // SAFETY: the folder lives through the call.
    unsafe { ssmtp_process_queue(handle.raw(), folder.as_ptr()) }
}

fn folder(name: &str) -> String {
    let folder = path(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn bcc_envelopes_lie_in_one_file_and_go_in_transactions_of_their_own() {
    let server = start();
    for deferred in [false, true] {
        let folder = folder(&format!("queue-{deferred}"));
        let handle = message(&server);
        handle.must_set("BCc", "third@b.example");
        if deferred {
            handle.must_set("AttachedFile", &scratch(b"a file\r\n"));
        }
        sign_as(&handle, "rsa");
        encrypt_for(&handle, &["second", "third"]);
        handle.call("SignAndEncrypt", "").unwrap();
        assert_eq!(queue(&handle, &folder), 0, "{}", handle.last_error());
        let files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(files.len(), 1);
        assert!(!text(&std::fs::read(&files[0]).unwrap()).contains("here they are"));
        let before = server.count();
        assert_eq!(process(&Handle::to(server.port()), &folder), 0);
        let all = server.messages().split_off(before);
        assert_eq!(all.len(), 2);
        for (message, name) in all.iter().zip(["second", "third"]) {
            assert_eq!(message.rcpt_to, [format!("RCPT TO:<{name}@b.example>")]);
            assert_eq!(recipients(&message.data), 1);
            let content = text(&verified(&decrypted(&message.data, name).unwrap()).unwrap());
            assert!(content.contains("here they are.\r\n") && content.ends_with("a file\r\n") == deferred, "{content}");
        }
    }
}

#[test]
fn a_signature_survives_the_queue_in_both_forms_with_attachments_and_as_text() {
    let server = start();
    let octets = [&[0, 255, b'\r', b'.'][..], &b"\n.\r\n".repeat(40_000)].concat();
    for (number, detached, deferred, as_text) in
        [(0, "True", false, false), (1, "False", true, false), (2, "True", true, true), (3, "False", false, true)]
    {
        let folder = folder(&format!("queue-signed-{number}"));
        let handle = message(&server);
        handle.must_set("MessageText", "Gr\u{fc}\u{df}e \r\n.\r\nFrom me\t\r\nno end");
        if deferred {
            attach(&handle, &scratch(&octets), "a.bin");
        }
        handle.config(&format!("DetachedSignature={detached}")).unwrap();
        sign_as(&handle, "p256");
        handle.call("Sign", "").unwrap();
        let before = server.count();
        let sender = Handle::to(server.port());
        if as_text {
            let (star, mut text) = (CString::new("*").unwrap(), std::ptr::null_mut());
            // SAFETY: the texts live through the calls; the second is ours to release.
            unsafe {
                assert_eq!(ssmtp_queue(handle.raw(), star.as_ptr(), &mut text), 0);
                assert_eq!(ssmtp_send_queued(sender.raw(), text), 0);
                ssmtp_free(text.cast());
            }
        } else {
            assert_eq!((queue(&handle, &folder), process(&sender, &folder)), (0, 0), "{}", sender.last_error());
        }
        let arrived = server.messages().split_off(before).remove(0).data;
        let content = verified(&arrived).unwrap_or_else(|e| panic!("{number}: {e}"));
        if deferred {
            assert!(attachments(&content) == std::slice::from_ref(&octets), "{number}");
        }
    }
}

#[test]
fn a_message_whose_encryption_failed_is_not_queued() {
    let server = start();
    let folder = folder("queue-failed");
    let handle = message(&server);
    assert_eq!(code(handle.call("Encrypt", "")), 272);
    assert_eq!(queue(&handle, &folder), 283);
    assert_eq!(queue(&handle, "*"), 283);
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
}

#[test]
fn a_failed_message_is_not_sent_in_a_batch_either() {
    let server = start();
    let (good, bad) = (message(&server), message(&server));
    assert_eq!(code(bad.call("Encrypt", "")), 272);
    encrypt_for(&good, &["second"]);
    good.call("Encrypt", "").unwrap();
    let (first, results) = Handle::to(server.port()).send_all(&[&bad, &good]);
    assert_eq!((first, results), (283, vec![283, 0]));
    decrypted(&server.messages()[0].data, "second").unwrap();
}
