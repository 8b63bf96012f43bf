//! SaveMessage: the file holds the octets that Send sends, and an old file stays until then.

mod common;

#[allow(dead_code)] // Its other users take the rest.
#[path = "smime/people.rs"]
mod people;

use common::Handle;
use people::{code, decrypted, encrypt_for, message, sent, sign_as, start, text, verified};
use ssmtp::ffi::ssmtp_add_attachment_file;
use std::ffi::CString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

/// A folder of its own, which goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("ssmtp-saved-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    fn names(&self) -> Vec<String> {
        let names = fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn attach(handle: &Handle, path: &str) {
    let [path, name] = [path, "a.txt"].map(|text| CString::new(text).unwrap());
    // SAFETY: the arguments live until the call returns.
    let code = unsafe {
        ssmtp_add_attachment_file(handle.raw(), path.as_ptr(), name.as_ptr(), c"application/octet-stream".as_ptr())
    };
    assert_eq!(code, 0);
}

fn save(handle: &Handle, path: &str) -> i32 {
    code(handle.call("SaveMessage", path))
}

#[test]
fn the_file_holds_what_was_sent() {
    let (server, folder) = (start(), Folder::new("same"));
    let path = folder.file("message.eml");
    type Change = fn(&Handle, &Folder);
    let changes: [Change; 6] = [
        |_, _| {},
        |handle, _| handle.must_set("MessageText", ".dots\nline\r.ends\r\n..and no last one\r"),
        |handle, _| handle.must_set("MessageText", "Grüße, with blanks at the end "),
        |handle, folder| {
            fs::write(folder.file("a.bin"), [0, 255, b'\n', b'.']).unwrap();
            attach(handle, &folder.file("a.bin"));
            handle.must_set("MessageHtml", "<b>.</b>");
        },
        |handle, _| {
            sign_as(handle, "rsa");
            handle.call("Sign", "").unwrap();
        },
        |handle, folder| {
            fs::write(folder.file("b.txt"), "line\n.dot\n").unwrap();
            handle.must_set("AttachedFile", &folder.file("b.txt"));
        },
    ];
    for (at, change) in changes.into_iter().enumerate() {
        let handle = message(&server);
        handle.must_set("BCC", "hidden@b.example");
        change(&handle, &folder);
        let sent = sent(&server, &handle);
        handle.call("SaveMessage", &path).unwrap();
        let saved = fs::read(&path).unwrap();
        assert_eq!(text(&saved), text(&sent), "{at}");
        assert!(!text(&saved).contains("hidden@") && saved.ends_with(b"\r\n"), "{at}");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn a_message_needs_no_server_and_no_recipient() {
    let folder = Folder::new("draft");
    let handle = Handle::new();
    handle.must_set("From", "a@b.example");
    handle.must_set("Subject", "A draft");
    handle.must_set("MessageText", "not finished");
    assert_eq!(save(&handle, &folder.file("draft.eml")), 0);
    let saved = fs::read(folder.file("draft.eml")).unwrap();
    assert!(text(&saved).contains("Subject: A draft\r\n") && text(&saved).ends_with("\r\n\r\nnot finished\r\n"));
}

#[test]
fn what_is_encrypted_while_it_is_sent_is_encrypted_in_the_file() {
    let (server, folder) = (start(), Folder::new("sealed"));
    let path = folder.file("message.eml");
    let handle = message(&server);
    fs::write(folder.file("a.txt"), "content").unwrap();
    attach(&handle, &folder.file("a.txt"));
    sign_as(&handle, "rsa");
    encrypt_for(&handle, &["second"]);
    handle.call("SignAndEncrypt", "").unwrap();
    assert_eq!(save(&handle, &path), 0);
    let saved = fs::read(&path).unwrap();
    assert!(!text(&saved).contains("a.txt"));
    assert!(text(&verified(&decrypted(&saved, "second").unwrap()).unwrap()).contains("a.txt"));
    // Where Encrypt failed, nothing is written in the clear.
    handle.must_set("EncryptingAlgorithm", "DES");
    handle.must_set("MessageText", "secret");
    encrypt_for(&handle, &["p256"]);
    assert_ne!(code(handle.call("Encrypt", "")), 0);
    assert_eq!(save(&handle, &folder.file("clear.eml")), 283);
    assert!(!fs::exists(folder.file("clear.eml")).unwrap());
}

#[test]
fn a_file_that_cannot_be_written_leaves_everything_as_it_was() {
    let folder = Folder::new("failing");
    let handle = Handle::new();
    handle.must_set("From", "a@b.example");
    handle.must_set("MessageText", "text");
    let path = folder.file("old.eml");
    fs::write(&path, "old").unwrap();
    handle.must_set("AttachedFile", &folder.file("missing"));
    assert_eq!(save(&handle, &path), 302);
    handle.must_set("AttachedFile", "");
    for (bad, expected) in
        [("", 603), (&folder.file("no/such/folder.eml")[..], 303), (&folder.file(""), 303), ("/", 303)]
    {
        assert_eq!(save(&handle, bad), expected, "{bad}");
    }
    assert_eq!((fs::read_to_string(&path).unwrap().as_str(), folder.names()), ("old", vec!["old.eml".to_owned()]));
    assert_eq!(save(&handle, &path), 0);
    assert!(fs::read_to_string(&path).unwrap().ends_with("\r\n\r\ntext\r\n"));
    assert_eq!(folder.names(), ["old.eml"]);
}

#[test]
fn what_is_no_regular_file_is_written_to_as_it_is() {
    let folder = Folder::new("odd");
    let handle = Handle::new();
    handle.must_set("From", "a@b.example");
    handle.must_set("MessageText", "text");
    assert_eq!(save(&handle, "/dev/null"), 0);
    assert_eq!(save(&handle, "/dev/full"), 303);
    // With a reader or without: it neither waits nor ends the program when the reader leaves.
    let fifo = folder.file("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    for name in ["fifo", "to-fifo"] {
        let _ = std::os::unix::fs::symlink(&fifo, folder.file("to-fifo"));
        assert_eq!(save(&handle, &folder.file(name)), 303);
    }
    fs::write(folder.file("real"), "a longer text that was there before, and that is to go away altogether".repeat(20))
        .unwrap();
    std::os::unix::fs::symlink(folder.file("real"), folder.file("link")).unwrap();
    assert_eq!(save(&handle, &folder.file("link")), 0);
    assert!(fs::symlink_metadata(folder.file("link")).unwrap().is_symlink());
    assert!(fs::read_to_string(folder.file("real")).unwrap().ends_with("\r\n\r\ntext\r\n"));
}
