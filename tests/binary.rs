//! BINARYMIME (RFC 3030): what arrives is what was attached, octet by octet, and MAIL said its size exactly.

mod common;

#[allow(dead_code)] // Its other users take the rest.
#[path = "smime/people.rs"]
mod people;

use common::Handle;
use ssmtp::ffi::*;
use std::ffi::CString;
use xtask::server::{Options, Server};

const OFFER: &str = "PIPELINING,CHUNKING,BINARYMIME,8BITMIME,SIZE 100000000";

fn server(extensions: &str) -> Server {
    Server::start(Options::default().offer(extensions)).expect("a port is free")
}

fn sender(port: u16) -> Handle {
    let handle = Handle::to(port);
    for (name, value) in [("From", "a@client.example"), ("SendTo", "b@server.example"), ("MessageText", "Hi\n.x\nlast")]
    {
        handle.must_set(name, value);
    }
    handle
}

/// Octets with everything that a repair of line ends or dots would change, and an end that looks like half a line end.
fn awkward(count: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut octets: Vec<u8> = (0..count)
        .map(|n| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            if n % 3 == 0 { b"\r\n.\0"[(state % 4) as usize] } else { state as u8 }
        })
        .collect();
    octets.extend_from_slice(b"\n\n\r\r\r\n.\r\n--\r");
    octets
}

fn attach(handle: &Handle, octets: &[u8], name: &str) {
    let (name, kind) = (CString::new(name).unwrap(), CString::new("application/octet-stream").unwrap());
    // SAFETY: the octets and both texts live until the call returns.
    let code =
        unsafe { ssmtp_add_attachment_data(handle.raw(), octets.as_ptr(), octets.len(), name.as_ptr(), kind.as_ptr()) };
    assert_eq!(code, 0, "{}", handle.last_error());
}

fn attach_file(handle: &Handle, octets: &[u8], name: &str) -> std::path::PathBuf {
    let path = std::env::temp_dir().join(format!("ssmtp-binary-{}-{name}", std::process::id()));
    std::fs::write(&path, octets).unwrap();
    let text = CString::new(path.to_str().unwrap()).unwrap();
    // SAFETY: the text lives until the call returns; NULL is empty.
    let code = unsafe { ssmtp_add_attachment_file(handle.raw(), text.as_ptr(), std::ptr::null(), std::ptr::null()) };
    assert_eq!(code, 0, "{}", handle.last_error());
    path
}

/// The number that MAIL said.
fn told(mail: &str) -> Option<u64> {
    mail.split(' ').find_map(|word| word.strip_prefix("SIZE=")).and_then(|n| n.parse().ok())
}

/// The bodies of the parts that a multipart has, by its boundary.
fn parts(data: &[u8]) -> Vec<(String, Vec<u8>)> {
    let text = String::from_utf8_lossy(data);
    let boundary = text.split("boundary=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a boundary");
    let mark = format!("\r\n--{boundary}");
    let mut found = Vec::new();
    let mut starts: Vec<usize> = memchr::memmem::find_iter(data, mark.as_bytes()).collect();
    let end = starts.pop().expect("the last boundary");
    assert_eq!(&data[end..], format!("{mark}--\r\n").as_bytes(), "it ends with its boundary and nothing else");
    for (n, start) in starts.iter().enumerate() {
        let part = &data[start + mark.len() + 2..*starts.get(n + 1).unwrap_or(&end)];
        let split = memchr::memmem::find(part, b"\r\n\r\n").expect("fields and a body");
        found.push((String::from_utf8(part[..split].to_vec()).unwrap(), part[split + 4..].to_vec()));
    }
    found
}

#[test]
fn attachments_from_memory_and_files_arrive_octet_by_octet() {
    let server = server(OFFER);
    for (count, deaf) in [(0, true), (10, false), (700_000, true), (700_000, false)] {
        let handle = sender(server.port());
        if deaf {
            handle.deafen();
        }
        let octets = awkward(count);
        attach(&handle, &octets, "a.bin");
        let file = attach_file(&handle, &octets, "b.bin");
        attach(&handle, b"", "empty.bin");
        handle.call("Send", "").unwrap();
        std::fs::remove_file(file).unwrap();
        let message = server.messages().pop().unwrap();
        assert!(message.mail_from.ends_with(" BODY=BINARYMIME"), "{}", message.mail_from);
        assert_eq!(told(&message.mail_from), Some(message.data.len() as u64));
        assert!(message.chunked);
        assert!(
            message.text().contains("boundary=") && message.text().contains("Transfer-Encoding: binary\r\n\r\n--=")
        );
        let parts = parts(&message.data);
        assert_eq!(parts.len(), 4);
        assert_eq!(parts[0].1, b"Hi\r\n.x\r\nlast");
        for (fields, body) in &parts[1..3] {
            assert!(fields.contains("Content-Transfer-Encoding: binary"), "{fields}");
            assert!(*body == octets, "{} octets came as {}", octets.len(), body.len());
        }
        assert!(parts[3].1.is_empty());
    }
}

#[test]
fn a_stream_of_unknown_size_goes_as_it_is() {
    let server = server(OFFER);
    let handle = sender(server.port());
    let octets = awkward(600_000);
    handle.must_set("OtherHeaders", "Content-Type: image/x-odd\r\nContent-Transfer-Encoding: binary\r\n");
    handle.must_set("MessageText", "");
    handle.stream(octets.clone()).unwrap();
    handle.call("Send", "").unwrap();
    let message = server.messages().pop().unwrap();
    assert!(message.mail_from.ends_with(" BODY=BINARYMIME") && told(&message.mail_from).is_none());
    assert!(message.body() == octets);
}

#[test]
fn without_it_or_when_switched_off_attachments_are_base64() {
    for (extensions, setting) in [
        ("PIPELINING,CHUNKING,8BITMIME", "UseBinaryMime=True"),
        ("BINARYMIME,8BITMIME", "UseBinaryMime=True"),
        (OFFER, "UseBinaryMime=False"),
        (OFFER, "UseChunking=False"),
    ] {
        let server = server(extensions);
        let handle = sender(server.port());
        handle.config(setting).unwrap();
        attach(&handle, &awkward(1000), "a.bin");
        handle.call("Send", "").unwrap();
        let message = server.messages().pop().unwrap();
        assert!(!message.mail_from.contains("BINARYMIME"), "{}", message.mail_from);
        assert!(!message.text().contains(": binary") && message.text().contains("Content-Transfer-Encoding: base64"));
        assert!(!message.bare_lf && !message.bare_cr);
    }
}

#[test]
fn a_server_that_breaks_chunking_gets_everything_by_data_composed_anew() {
    let options = Options::default().offer(OFFER).fault("DATA-END:BINARYMIME=502 5.5.1 what");
    let server = Server::start(options).expect("a port is free");
    let messages: Vec<Handle> = (0..4)
        .map(|_| {
            let message = sender(25);
            attach(&message, &awkward(5000), "a.bin");
            message
        })
        .collect();
    let handle = sender(server.port());
    handle.deafen();
    let result = handle.send_all(&messages.iter().collect::<Vec<_>>());
    assert_eq!(result, (0, vec![0; 4]), "{}", handle.last_error());
    // What went ahead of the refusal is of unknown fate, and is not sent again.
    handle.config("BdatAhead=3").unwrap();
    let (_, results) = handle.send_all(&messages.iter().collect::<Vec<_>>());
    assert_eq!(results, [0, 610, 610, 0]);
    let all = server.messages();
    assert_eq!(all.len(), 4 + 2);
    for message in all {
        assert!(!message.chunked && !message.mail_from.contains("BINARYMIME"), "{}", message.mail_from);
        assert!(!message.bare_lf && !message.bare_cr);
        assert!(message.text().contains("Content-Transfer-Encoding: base64"));
    }
}

#[test]
fn many_at_once_arrive_as_they_are_too() {
    let server = server(OFFER);
    let octets = awkward(20_000);
    let messages: Vec<Handle> = (0..20)
        .map(|_| {
            let message = sender(25);
            attach(&message, &octets, "a.bin");
            message
        })
        .collect();
    for ahead in [0, 8] {
        let handle = sender(server.port());
        handle.deafen();
        handle.config(&format!("BdatAhead={ahead}")).unwrap();
        let result = handle.send_all(&messages.iter().collect::<Vec<_>>());
        assert_eq!(result, (0, vec![0; 20]), "{}", handle.last_error());
    }
    let all = server.messages();
    assert_eq!(all.len(), 40);
    for message in all {
        assert_eq!(told(&message.mail_from), Some(message.data.len() as u64));
        assert!(parts(&message.data)[1].1 == octets);
    }
}

#[test]
fn what_is_signed_or_encrypted_is_never_binary() {
    let server = server(OFFER);
    for operation in ["Sign", "Encrypt"] {
        let handle = people::message(&server);
        attach(&handle, &awkward(1000), "a.bin");
        if operation == "Sign" {
            people::sign_as(&handle, "rsa");
        } else {
            people::encrypt_for(&handle, &["second"]);
        }
        handle.call(operation, "").unwrap();
        handle.call("Send", "").unwrap();
        let message = server.messages().pop().unwrap();
        assert!(message.chunked && !message.mail_from.contains("BINARYMIME"), "{}", message.mail_from);
        assert!(!message.text().contains(": binary") && !message.bare_lf && !message.bare_cr);
        let opened = match operation {
            "Sign" => people::verified(&message.data),
            _ => people::decrypted(&message.data, "second"),
        };
        assert!(people::text(&opened.unwrap()).contains("Content-Transfer-Encoding: base64"));
    }
}
