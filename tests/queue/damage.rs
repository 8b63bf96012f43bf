//! What else may lie in the folder.

use super::*;
use std::os::unix::fs::symlink;

#[test]
fn a_file_with_one_bit_changed_is_failed_and_never_sent() {
    let (folder, server) = (Folder::temporary(), server("PIPELINING", &[]));
    let handle = message("a", "Hi\r\n");
    handle.must_set("BCc", "hidden@server.example");
    let text = queue(&handle, "*").unwrap().into_bytes();
    let mut count = 0;
    for at in 0..text.len() {
        let mut changed = text.clone();
        changed[at] ^= 1 << (at % 8);
        std::fs::write(folder.0.join(format!("{at:05}.queued")), changed).unwrap();
        count += 1;
    }
    std::fs::write(folder.0.join("99999.queued"), &text).unwrap();
    let sender = Handle::to(server.port());
    process(&sender, &folder).unwrap();
    assert_eq!((server.count(), errors(&sender).len()), (1, count));
    assert!(folder.extensions().iter().all(|e| e == "failed") && folder.names().len() == count);
}

#[test]
fn foreign_things_in_the_folder_are_neither_followed_nor_sent_nor_changed() {
    let (folder, server) = (Folder::temporary(), server("PIPELINING", &[]));
    let outside = Folder::temporary();
    let target = queue(&message("outside", "Hi\r\n"), outside.path()).unwrap();
    symlink(outside.0.join(&target), folder.0.join("1.queued")).unwrap();
    symlink("/dev/zero", folder.0.join("2.queued")).unwrap();
    symlink("2b.queued", folder.0.join("2b.queued")).unwrap();
    std::fs::create_dir(folder.0.join("3.queued")).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(folder.0.join("4.queued")).status().unwrap().success());
    let _socket = std::os::unix::net::UnixListener::bind(folder.0.join("5.queued")).unwrap();
    let before = folder.names();
    std::fs::write(folder.0.join("6.queued"), "To: somebody\r\n\r\nforeign\r\n").unwrap();
    std::fs::write(folder.0.join("7.queued"), "").unwrap();
    std::fs::write(folder.0.join("8.txt"), "not ours").unwrap();
    std::fs::write(folder.0.join(".9.queued"), "hidden").unwrap();
    fill(&folder, &["a"]);
    let handle = Handle::to(server.port());
    process(&handle, &folder).unwrap();
    assert_eq!(arrived(&server).join(" "), "a");
    let mut expected =
        [before, vec!["6.failed".into(), "7.failed".into(), "8.txt".into(), ".9.queued".into()]].concat();
    expected.sort();
    assert_eq!((folder.names(), outside.names()), (expected, vec![target]));
    assert_eq!(errors(&handle).len(), 8, "{:?}", errors(&handle));
    assert!(errors(&handle).iter().all(|e| e.starts_with("303 ")));
}

#[test]
fn a_hard_link_is_sent_once_and_takes_nothing_else_with_it() {
    let (folder, server) = (Folder::temporary(), server("", &[]));
    let name = fill(&folder, &["a"]).remove(0);
    std::fs::hard_link(folder.0.join(&name), folder.0.join("z.sending")).unwrap();
    std::fs::hard_link(folder.0.join(&name), folder.0.join("z.queued")).unwrap();
    let handle = Handle::to(server.port());
    process(&handle, &folder).unwrap();
    assert!(folder.names().contains(&"z.sending".to_string()), "{:?}", folder.names());
    assert!(server.count() <= 1, "the name .sending is taken, so it is not overwritten");
}

#[test]
fn a_file_name_that_is_no_text_is_no_trouble() {
    use std::os::unix::ffi::OsStrExt;
    let (folder, server) = (Folder::temporary(), server("", &[]));
    let text = queue(&message("a", "Hi\r\n"), "*").unwrap();
    let name = std::ffi::OsStr::from_bytes(b"\xff\xfe.queued");
    std::fs::write(folder.0.join(name), &text).unwrap();
    std::fs::write(folder.0.join("a\nb\x1b[2J.queued"), "bad").unwrap();
    let handle = Handle::to(server.port());
    process(&handle, &folder).unwrap();
    assert_eq!(arrived(&server).join(" "), "a");
    assert!(errors(&handle).len() == 1 && !errors(&handle)[0].contains(['\n', '\x1b']), "{:?}", errors(&handle));
}

#[test]
fn a_huge_file_that_is_none_of_ours_costs_nothing() {
    let (folder, server) = (Folder::temporary(), server("", &[]));
    let file = std::fs::File::create(folder.0.join("a.queued")).unwrap();
    file.set_len(1 << 40).unwrap();
    let handle = Handle::to(server.port());
    let start = std::time::Instant::now();
    process(&handle, &folder).unwrap();
    assert!(start.elapsed().as_secs() < 5);
    assert_eq!(folder.names(), ["a.failed"]);
}

#[test]
fn an_unwritable_folder_is_303_and_leaves_the_files() {
    // Root may write everywhere, so a read-only place of the kernel's.
    let handle = message("a", "Hi\r\n");
    handle.must_set("MailServer", "127.0.0.1");
    assert_eq!(queue(&handle, "/proc/self").unwrap_err().code, 303);
    let gone = Folder::temporary();
    let path = gone.path().to_string();
    drop(gone);
    assert_eq!(queue(&handle, &path).unwrap_err().code, 303);
    let missing = CString::new(path).unwrap();
    // SAFETY: the text lives for the call.
    assert_eq!(unsafe { ssmtp_process_queue(handle.raw(), missing.as_ptr()) }, 303);
    // SAFETY: NULL is an empty text.
    assert_eq!(unsafe { ssmtp_process_queue(handle.raw(), std::ptr::null()) }, 303);
}
