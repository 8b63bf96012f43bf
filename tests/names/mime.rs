//! What a message is made of: the padding of its keys, a picture from a file, and a content that a program sends by itself.

use crate::common::Handle;
use crate::people;
use std::ffi::CString;
use xtask::server::{Options, Server};

#[test]
fn the_mask_of_oaep_has_a_hash_of_its_own() {
    for (mask, shown) in [("SHA1", "sha1"), ("", "sha256"), ("SHA512", "sha512")] {
        let server = people::start();
        let handle = people::message(&server);
        people::encrypt_for(&handle, &["second"]);
        for setting in ["UseOAEP=True", "OAEPHash=SHA256"] {
            handle.config(setting).unwrap();
        }
        handle.config(&format!("OAEPMgfHash={mask}")).unwrap();
        handle.call("Encrypt", "").unwrap();
        let arrived = people::sent(&server, &handle);
        let content = people::decrypted(&arrived, "second").unwrap();
        assert!(people::text(&content).contains("here they are."));
        let structure = people::text(&people::openssl(&["cms", "-cmsout", "-print", "-noout"], &arrived).unwrap());
        let key = &structure[structure.find("rsaesOaep").expect("OAEP")..];
        let parameters = &key[..key.find("encryptedKey").unwrap_or(key.len()).min(700)];
        // SHA-1 is the default of the parameter, and DER leaves a default out.
        let mask_hash = parameters.find("mgf1").map_or("sha1", |at| &parameters[at..]);
        assert!(mask_hash.contains(shown), "OAEPMgfHash={mask}: {parameters}");
    }
    assert_eq!(Handle::new().config("OAEPMgfHash=CRC32").unwrap_err().code, 603);
}

#[test]
fn a_picture_of_a_file_is_named_by_its_content_id() {
    let server = Server::start(Options::default().offer("8BITMIME")).unwrap();
    let handle = Handle::to(server.port());
    handle.must_set("From", "a@client.example");
    handle.must_set("SendTo", "b@server.example");
    handle.must_set("MessageHtml", "<img src=\"cid:it\">\r\n");
    let text = |t: &str| CString::new(t).unwrap();
    let add = |path: &str| {
        let (path, id, kind) = (text(path), text("it"), text(""));
        // SAFETY: the texts live through the call.
        unsafe { ssmtp::ffi::ssmtp_add_inline_file(handle.raw(), path.as_ptr(), id.as_ptr(), kind.as_ptr()) }
    };
    let file = std::env::temp_dir().join(format!("ssmtp-names-{}.png", std::process::id()));
    std::fs::write(&file, [0x89, b'P', b'N', b'G', 0, 255]).unwrap();
    assert_eq!(add(file.to_str().unwrap()), 0);
    handle.call("Send", "").unwrap();
    std::fs::remove_file(&file).unwrap();
    let arrived = String::from_utf8(server.messages().pop().unwrap().data).unwrap();
    for line in ["Content-Type: image/png", "Content-ID: <it>", "iVBORwD/"] {
        assert!(arrived.contains(line), "{line} in {arrived}");
    }
    assert!(arrived.contains("multipart/related"));
    // It is looked for when the message is sent.
    let missing = add("/nowhere/at/all.png");
    assert!(missing == 302 || handle.call("Send", "").unwrap_err().code == 302);
}

#[test]
fn a_content_is_sent_in_a_transaction_that_commands_began() {
    let server = Server::start(Options::default()).unwrap();
    let handle = Handle::to(server.port());
    let send = |content: &str| {
        // SAFETY: the octets live through the call.
        unsafe { ssmtp::ffi::ssmtp_send_content(handle.raw(), content.as_ptr(), content.len()) }
    };
    assert_eq!(send("Subject: x\r\n\r\nHello\r\n"), 1117);
    handle.call("Connect", "").unwrap();
    // Without a recipient the server refuses.
    assert_eq!(send("Subject: x\r\n\r\nHello\r\n"), 161);
    handle.call("SendCommand", "MAIL FROM:<a@client.example>").unwrap();
    handle.call("SendCommand", "RCPT TO:<b@server.example>").unwrap();
    assert_eq!(send("Subject: x\n\n.Hello\nYou"), 0, "{}", handle.last_error());
    assert!(handle.get("LastReply").unwrap().starts_with("250"));
    let arrived = server.messages().pop().unwrap();
    assert_eq!(String::from_utf8(arrived.data).unwrap(), "Subject: x\r\n\r\n.Hello\r\nYou\r\n");
    assert_eq!(arrived.rcpt_to, ["RCPT TO:<b@server.example>"]);
}
