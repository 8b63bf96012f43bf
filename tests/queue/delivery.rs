//! What is queued arrives: in order, whole, over one connection.

use super::*;
use std::os::unix::fs::PermissionsExt;

#[test]
fn messages_go_out_in_order_over_one_connection_and_the_files_go() {
    let (folder, server) = (Folder::temporary(), server("PIPELINING", &[]));
    let names = fill(&folder, &["a", "b", "c"]);
    assert!(names.is_sorted() && names.iter().all(|n| n.ends_with(".queued")));
    assert_eq!(folder.names(), names);
    let handle = Handle::to(server.port());
    handle.must_set("Subject", "mine");
    process(&handle, &folder).unwrap();
    assert_eq!((arrived(&server).join(" ").as_str(), folder.names().len()), ("a b c", 0));
    assert_eq!(server.commands().len(), 1);
    // EHLO, MAIL RCPT DATA, and then one turn for each message.
    assert_eq!(server.turns(), 6, "each message's commands go with the end of the one before");
    assert!(errors(&handle).is_empty());
    assert!(handle.events().iter().any(|e| e.name == "PITrail" && e.text.contains("MAIL FROM:<b@client.example>")));
    assert_eq!(handle.get("Subject").unwrap(), "mine", "the handle's own message is left alone");
    assert_eq!(handle.get("Connected").unwrap(), "False");
    process(&handle, &folder).unwrap();
    assert_eq!(server.commands().len(), 1, "an empty folder needs no connection");
}

#[test]
fn an_open_connection_is_used_and_stays_open() {
    let (folder, server) = (Folder::temporary(), server("PIPELINING", &[]));
    let handle = Handle::to(server.port());
    handle.call("Connect", "").unwrap();
    fill(&folder, &["a", "b"]);
    process(&handle, &folder).unwrap();
    fill(&folder, &["c"]);
    process(&handle, &folder).unwrap();
    assert_eq!((arrived(&server).join(" ").as_str(), server.commands().len()), ("a b c", 1));
    assert_eq!(handle.get("Connected").unwrap(), "True");
}

#[test]
fn a_kept_file_is_sent_and_unchanged() {
    let (folder, server) = (Folder::temporary(), server("", &[]));
    let name = fill(&folder, &["a"]).remove(0);
    let before = folder.read(&name);
    let handle = Handle::to(server.port());
    handle.config("KeepQueue=True").unwrap();
    process(&handle, &folder).unwrap();
    let sent = name.replace(".queued", ".sent");
    assert_eq!((folder.names(), folder.read(&sent)), (vec![sent], before));
    process(&handle, &folder).unwrap();
    assert_eq!(server.count(), 1);
}

#[test]
fn the_file_is_private_and_holds_no_credentials_and_bcc_only_in_the_envelope() {
    let folder = Folder::temporary();
    let handle = message("a", "Hi\r\n");
    for (name, value) in [
        ("MailServer", "mx.example"),
        ("User", "theuser"),
        ("Password", "thepassword"),
        ("BCc", "hidden@server.example"),
        ("Cc", "copy@server.example"),
        ("MessageRecipientOptions[0]", "NOTIFY=NEVER"),
    ] {
        handle.must_set(name, value);
    }
    handle.config("DsnRet=HDRS").unwrap();
    let name = queue(&handle, folder.path()).unwrap();
    let mode = std::fs::metadata(folder.0.join(&name)).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
    let text = String::from_utf8(folder.read(&name)).unwrap();
    let (head, rest) = text.split_once("\r\n\r\n").unwrap();
    assert!(!text.contains("theuser") && !text.contains("thepassword") && !text.contains("mx.example"));
    assert!(!rest.contains("hidden@") && head.ends_with("\r\nRcpt: Bcc <hidden@server.example>"), "{text}");
    assert!(head.contains("Rcpt: To NOTIFY=NEVER <to@server.example>") && head.contains("Ret: HDRS"), "{head}");

    let server = server("DSN", &[]);
    process(&Handle::to(server.port()), &folder).unwrap();
    let got = server.messages().remove(0);
    assert!(got.mail_from.contains("RET=HDRS"), "{}", got.mail_from);
    let to: Vec<&str> = got.rcpt_to.iter().map(|r| r.split(['<', '>']).nth(1).unwrap()).collect();
    assert_eq!(to.len(), 3);
    assert!(got.rcpt_to.iter().any(|r| r == "RCPT TO:<to@server.example> NOTIFY=NEVER"), "{:?}", got.rcpt_to);
    assert!(!String::from_utf8_lossy(&got.data).contains("hidden"));
}

#[test]
fn what_arrives_is_what_send_would_have_sent() {
    for text in
        ["", "plain\r\n", ".dots\r\n..\r\n.\r\n", "Gr\u{fc}\u{df}e \u{2013} \u{1f600}\r\n", "no end", "a\nb\rc\r\n"]
    {
        let (folder, server) = (Folder::temporary(), server("SIZE 1000000,PIPELINING", &[]));
        let handle = message("a", text);
        for (name, value) in [("MailServer", "127.0.0.1"), ("MailPort", &server.port().to_string())] {
            handle.must_set(name, value);
        }
        for name in ["MessageDate", "MessageId"] {
            handle.must_set(name, "<fixed@client.example>");
        }
        queue(&handle, folder.path()).unwrap();
        handle.call("Send", "").unwrap();
        process(&handle, &folder).unwrap();
        let got = server.messages();
        assert_eq!(String::from_utf8_lossy(&got[1].data), String::from_utf8_lossy(&got[0].data), "{text:?}");
        let size = format!("SIZE={}", got[1].data.len());
        assert!(got[1].mail_from.ends_with(&size), "{} {size}", got[1].mail_from);
    }
}

#[test]
fn attachments_and_streams_go_into_the_file_and_out_of_it() {
    let (folder, server) = (Folder::temporary(), server("PIPELINING,CHUNKING", &[]));
    let line = "..0123456789abcdef0123456789abcdef0123456789abcdef\r\n";
    let streamed = message("a", "before\r\n");
    streamed.stream(line.repeat(50_000).into_bytes()).unwrap();
    let attached = message("b", "see the file\r\n");
    let path = folder.0.join("data.bin");
    let data: Vec<u8> = (0..3_000_000u32).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
    std::fs::write(&path, &data).unwrap();
    attached.must_set("AttachedFile", path.to_str().unwrap());
    attached.must_set("AttachedFile", "");
    let name = CString::new(path.to_str().unwrap()).unwrap();
    // SAFETY: the texts live for the call; NULL is an empty text.
    let code = unsafe { ssmtp_add_attachment_file(attached.raw(), name.as_ptr(), std::ptr::null(), std::ptr::null()) };
    assert_eq!(code, 0);
    queue(&streamed, folder.path()).unwrap();
    queue(&attached, folder.path()).unwrap();
    std::fs::remove_file(&path).unwrap();
    let sender = Handle::to(server.port());
    process(&sender, &folder).unwrap();
    let got = server.messages();
    let body = |n: usize| {
        let text = String::from_utf8_lossy(&got[n].data).into_owned();
        text.split_once("\r\n\r\n").unwrap().1.to_string()
    };
    assert!(body(0) == format!("before\r\n{}", line.repeat(50_000)));
    use base64::Engine;
    let encoded = base64::engine::general_purpose::STANDARD.encode(&data);
    assert!(body(1).replace("\r\n", "").contains(&encoded));
    assert!(folder.names().is_empty());
}

#[test]
fn octets_beyond_ascii_that_cannot_be_encoded_need_a_server_that_takes_them() {
    let folder = Folder::temporary();
    let handle = message("a", "");
    let octets = b"Content in \xff its own way\r\n";
    // SAFETY: pointer and length are of the same octets.
    unsafe { assert_eq!(ssmtp_set_message_b(handle.raw(), octets.as_ptr(), octets.len()), 0) };
    queue(&handle, folder.path()).unwrap();
    fill(&folder, &["b"]);
    let old = server("", &[]);
    let sender = Handle::to(old.port());
    process(&sender, &folder).unwrap();
    assert_eq!((arrived(&old).join(" ").as_str(), folder.extensions().join(" ").as_str()), ("b", "failed"));
    assert!(errors(&sender)[0].starts_with("603 ") && errors(&sender)[0].contains("8BITMIME"), "{:?}", errors(&sender));
    let failed = folder.0.join(&folder.names()[0]);
    std::fs::rename(&failed, failed.with_extension("queued")).unwrap();
    let new = server("8BITMIME", &[]);
    process(&Handle::to(new.port()), &folder).unwrap();
    let got = new.messages().remove(0);
    assert!(got.data.ends_with(octets) && got.mail_from.contains("BODY=8BITMIME"));
}

#[test]
fn an_address_beyond_ascii_asks_for_smtputf8() {
    let folder = Folder::temporary();
    let handle = message("a", "Hi\r\n");
    handle.must_set("SendTo", "j\u{f6}rg@server.example");
    queue(&handle, folder.path()).unwrap();
    let text = queue(&handle, "*").unwrap();
    assert!(text.is_ascii());
    let server = server("8BITMIME,SMTPUTF8", &[]);
    let sender = Handle::to(server.port());
    process(&sender, &folder).unwrap();
    send_queued(&sender, &text).unwrap();
    for got in server.messages() {
        assert!(got.mail_from.contains(" SMTPUTF8") && got.rcpt_to[0].contains("j\u{f6}rg@"), "{}", got.mail_from);
    }
    assert_eq!(server.count(), 2);
}

#[test]
fn the_text_is_what_the_file_would_be_and_both_can_be_sent() {
    let folder = Folder::temporary();
    let handle = message("a", "Hi\r\n");
    handle.must_set("MessageDate", "now");
    handle.must_set("MessageId", "<x@y>");
    let (text, name) = (queue(&handle, "*").unwrap(), queue(&handle, folder.path()).unwrap());
    let cut = |text: &str| text.split_once("From: <").unwrap().1.split_once("\r\nEnd:").unwrap().0.to_string();
    assert_eq!(cut(&text), cut(&String::from_utf8(folder.read(&name)).unwrap()));
    std::fs::write(folder.0.join("0-by-hand.queued"), &text).unwrap();
    let server = server("PIPELINING", &[]);
    let sender = Handle::to(server.port());
    process(&sender, &folder).unwrap();
    send_queued(&sender, &text).unwrap();
    sender.call("Connect", "").unwrap();
    send_queued(&sender, &text).unwrap();
    assert_eq!(sender.get("Connected").unwrap(), "True");
    let got = server.messages();
    assert_eq!((got.len(), server.commands().len()), (4, 3));
    assert!(got.iter().all(|m| m.data == got[0].data));
}

#[test]
fn a_text_that_was_changed_is_refused_and_a_refused_message_is_an_error() {
    let server = server("PIPELINING", &["RCPT:to@=550 5.1.1 no", "DATA-END:z@client=stall"]);
    let sender = Handle::to(server.port());
    let text = queue(&message("a", "Hi\r\n"), "*").unwrap();
    for changed in [text.replace("Hi", "Ho"), text.replace("to@", "tu@"), text[1..].to_string(), String::new()] {
        assert_eq!(send_queued(&sender, &changed).unwrap_err().code, 303);
    }
    assert_eq!(server.commands().len(), 0, "nothing is said of it");
    assert_eq!(send_queued(&sender, &text).unwrap_err().code, 161);
    assert_eq!(send_queued(&Handle::new(), &text).unwrap_err().code, 163);
    assert_eq!(server.count(), 0);
}

#[test]
fn encrypted_files_and_texts_go_with_the_password_and_wait_without_it() {
    let (folder, server) = (Folder::temporary(), server("PIPELINING", &[]));
    let handle = message("a", "confidential\r\n");
    handle.config("QueuePassword=correct horse").unwrap();
    assert_eq!(handle.config("QueuePassword=a\nb").unwrap_err().code, 603);
    let name = queue(&handle, folder.path()).unwrap();
    let text = queue(&handle, "*").unwrap();
    let octets = folder.read(&name);
    for word in [&b"confidential"[..], b"example", b"horse"] {
        assert!(memchr::memmem::find(&octets, word).is_none());
    }
    fill(&folder, &["b"]);
    let sender = Handle::to(server.port());
    process(&sender, &folder).unwrap();
    sender.config("QueuePassword=another").unwrap();
    process(&sender, &folder).unwrap();
    assert_eq!(arrived(&server).join(" "), "b");
    assert_eq!((folder.names(), errors(&sender).len()), (vec![name], 2));
    assert_eq!(send_queued(&sender, &text).unwrap_err().code, 303);
    sender.config("QueuePassword=correct horse").unwrap();
    process(&sender, &folder).unwrap();
    send_queued(&sender, &text).unwrap();
    assert!(folder.names().is_empty());
    assert!(server.messages()[1..].iter().all(|m| m.data.ends_with(b"confidential\r\n")));
    assert_eq!(server.count(), 3);
}

#[test]
fn what_cannot_be_sent_is_not_queued() {
    let folder = Folder::temporary();
    let code = |name: &str, value: &str| {
        let handle = message("a", "Hi\r\n");
        handle.must_set(name, value);
        queue(&handle, folder.path()).map_err(|e| e.code)
    };
    assert_eq!(code("From", ""), Err(164));
    assert_eq!(code("SendTo", ""), Err(165));
    assert_eq!(code("SendTo", "not an address"), Err(165));
    assert_eq!(code("AttachedFile", "/nowhere/at/all"), Err(302));
    assert!(folder.names().is_empty(), "nothing is left: {:?}", folder.names());
    let handle = message("a", "Hi\r\n");
    for path in ["", "/nowhere/at/all", "/etc/passwd"] {
        assert_eq!(queue(&handle, path).unwrap_err().code, 303, "{path}");
    }
    let relative = pathdiff(&folder.0);
    assert!(queue(&handle, &relative).is_ok(), "a relative path");
    assert!(queue(&handle, &format!("{}/", folder.path())).is_ok(), "a slash at its end");
    let odd = folder.0.join("\u{fc} b");
    std::fs::create_dir(&odd).unwrap();
    assert!(queue(&handle, odd.to_str().unwrap()).is_ok());
}

fn pathdiff(path: &std::path::Path) -> String {
    let depth = std::env::current_dir().unwrap().components().count() - 1;
    format!("{}{}", "../".repeat(depth), path.strip_prefix("/").unwrap().display())
}

#[test]
fn a_stream_that_fails_leaves_no_file() {
    unsafe extern "C" fn read(count: *mut std::ffi::c_void, buffer: *mut u8, size: usize) -> i64 {
        // SAFETY: the test's counter, and a buffer of that size.
        unsafe {
            *count.cast::<usize>() += 1;
            buffer.write_bytes(b'x', size);
            if *count.cast::<usize>() == 5 { -1 } else { size as i64 }
        }
    }
    let folder = Folder::temporary();
    let handle = message("a", "Hi\r\n");
    let mut count = 0usize;
    // SAFETY: the counter outlives the handle.
    unsafe {
        assert_eq!(ssmtp_set_message_stream(handle.raw(), Some(read), None, (&raw mut count).cast(), -1), 0);
    }
    assert_eq!(queue(&handle, folder.path()).unwrap_err().code, 303);
    assert_eq!((count, folder.names().len()), (5, 0));
}

/// A file with an envelope of its own for each name, as a message has whose blind copies are encrypted apart.
fn several(names: &[&str]) -> Vec<u8> {
    use ssmtp::queue::{Addressee, Transaction, write::Writer};
    let transaction = |name: &&str| Transaction {
        sender: format!("{name}@client.example"),
        recipients: vec![Addressee {
            address: format!("{name}@server.example"),
            options: Vec::new(),
            kind: ssmtp::enums::RecipientType::Bcc,
        }],
        ..Transaction::default()
    };
    let transactions: Vec<Transaction> = names.iter().map(transaction).collect();
    let mut out = Vec::new();
    let mut writer = Writer::new(&mut out, None, 1_800_000_000, &transactions).unwrap();
    for name in names {
        writer.begin().unwrap();
        writer.write(format!("Subject: for {name}\r\n\r\nonly\r\n").as_bytes()).unwrap();
    }
    writer.finish().unwrap();
    out
}

#[test]
fn a_file_of_several_envelopes_goes_as_several_messages_and_each_counts() {
    let folder = Folder::temporary();
    std::fs::write(folder.0.join("a.queued"), several(&["one", "two", "three"])).unwrap();
    let text = String::from_utf8(several(&["one", "two", "three"])).unwrap();
    let server = server("PIPELINING", &["RCPT@1:two@server=550 no", "RCPT@1:three@server=451 later"]);
    let sender = Handle::to(server.port());
    sender.config("QueueRetry=0;0").unwrap();
    process(&sender, &folder).unwrap();
    assert_eq!((arrived(&server).join(" ").as_str(), folder.names().join(" ").as_str()), ("one", "a.queued a.retry"));
    process(&sender, &folder).unwrap();
    // In the end it failed, for one of them; who requeues it sends to that one only.
    assert_eq!(
        (arrived(&server).join(" ").as_str(), folder.names().join(" ").as_str()),
        ("one three", "a.failed a.retry")
    );
    std::fs::rename(folder.0.join("a.failed"), folder.0.join("a.queued")).unwrap();
    process(&sender, &folder).unwrap();
    assert_eq!((arrived(&server).join(" ").as_str(), folder.names().len()), ("one three two", 0));
    for got in server.messages() {
        let name = got.mail_from.split(['<', '@']).nth(1).unwrap().to_string();
        assert_eq!(got.rcpt_to, [format!("RCPT TO:<{name}@server.example>")]);
        assert!(String::from_utf8_lossy(&got.data).starts_with(&format!("Subject: for {name}\r\n")));
    }
    send_queued(&sender, &text).unwrap();
    assert_eq!((server.count(), server.commands().len()), (6, 4), "one connection a call");
}
