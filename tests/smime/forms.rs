//! Sign, Encrypt and SignAndEncrypt on MessageText: what the properties read afterwards, what arrives, what is refused (rulings 4, 23).

use crate::people::*;

#[test]
fn a_signature_is_valid_in_both_forms_and_the_properties_read_as_what_is_sent() {
    let server = start();
    for detached in ["True", "False"] {
        let handle = message(&server);
        handle.must_set("OtherHeaders", "X-Job: 7\r\n");
        handle.config(&format!("DetachedSignature={detached}")).unwrap();
        sign_as(&handle, "rsa");
        handle.call("Sign", "").unwrap();
        let (body, head) = (handle.get("MessageText").unwrap(), handle.get("OtherHeaders").unwrap());
        assert!(head.starts_with("X-Job: 7\r\nMIME-Version: 1.0\r\nContent-Type: "), "{head}");
        let arrived = sent(&server, &handle);
        assert!(text(&arrived).ends_with(&format!("\r\n\r\n{body}")));
        assert_eq!(field(&arrived, "MIME-Version"), "1.0");
        let kind = field(&arrived, "Content-Type");
        if detached == "True" {
            assert!(
                kind.starts_with("multipart/signed; protocol=\"application/pkcs7-signature\"; micalg=sha-256;"),
                "{kind}"
            );
            assert!(text(&arrived).contains("application/pkcs7-signature; name=\"smime.p7s\"\r\n"));
        } else {
            assert_eq!(kind, "application/pkcs7-mime; smime-type=signed-data; name=\"smime.p7m\"");
            assert_eq!(field(&arrived, "Content-Disposition"), "attachment; filename=\"smime.p7m\"");
        }
        let content = text(&verified(&arrived).unwrap());
        assert!(content.starts_with("Content-Type: text/plain; charset=us-ascii\r\n"), "{content}");
        assert!(content.ends_with("\r\n\r\nHello,\r\nhere they are.\r\n"), "{content}");
        assert_eq!(field(&arrived, "X-Job"), "7");
    }
}

#[test]
fn an_encrypted_message_opens_for_each_recipient_and_shows_nothing() {
    let server = start();
    let handle = message(&server);
    handle.must_set("SendTo", "second@b.example, p256@b.example");
    handle.must_set("EncryptingAlgorithm", "AESCBC256");
    encrypt_for(&handle, &["second", "p256"]);
    handle.call("Encrypt", "").unwrap();
    let arrived = sent(&server, &handle);
    assert_eq!(
        field(&arrived, "Content-Type"),
        "application/pkcs7-mime; smime-type=enveloped-data; name=\"smime.p7m\""
    );
    assert!(text(&arrived).lines().all(|line| line.len() <= 78));
    for name in ["second", "p256"] {
        assert!(text(&decrypted(&arrived, name).unwrap()).ends_with("\r\n\r\nHello,\r\nhere they are.\r\n"));
    }
    assert!(decrypted(&arrived, "third").is_err());
}

#[test]
fn every_cipher_encrypts_a_text_in_memory() {
    let server = start();
    for row in ssmtp::smime::algorithm::CIPHERS {
        for recipient in ["second", "p256"] {
            // Keys of other lengths cannot be wrapped for a key that agrees.
            if recipient == "p256" && (row.key < 16 || row.key % 8 != 0) {
                continue;
            }
            let handle = message(&server);
            handle.must_set("SendTo", &format!("{recipient}@b.example"));
            handle.must_set("EncryptingAlgorithm", row.names[0]);
            encrypt_for(&handle, &[recipient]);
            handle.call("Encrypt", "").unwrap();
            let content = decrypted(&sent(&server, &handle), recipient);
            assert!(text(&content.unwrap_or_else(|e| panic!("{}: {e}", row.names[0]))).ends_with("here they are.\r\n"));
        }
    }
}

#[test]
fn sign_and_encrypt_is_sign_then_encrypt_and_goes_on_to_a_triple_wrap() {
    let server = start();
    let one_call = |handle: &crate::common::Handle| handle.call("SignAndEncrypt", "");
    let two_calls = |handle: &crate::common::Handle| handle.call("Sign", "").and_then(|()| handle.call("Encrypt", ""));
    let calls: [&dyn Fn(&crate::common::Handle) -> crate::common::Outcome; 2] = [&one_call, &two_calls];
    for call in calls {
        let handle = message(&server);
        handle.must_set("EncryptingAlgorithm", "AESGCM128");
        sign_as(&handle, "p256");
        encrypt_for(&handle, &["second"]);
        call(&handle).unwrap();
        handle.call("Sign", "").unwrap();
        let arrived = sent(&server, &handle);
        let envelope = verified(&arrived).unwrap();
        assert!(field(&envelope, "Content-Type").contains("smime-type=authEnveloped-data"));
        let signed = decrypted(&envelope, "second").unwrap();
        assert!(text(&verified(&signed).unwrap()).ends_with("here they are.\r\n"));
    }
}

#[test]
fn the_callers_own_mime_lines_go_inside_and_come_back_with_a_new_text() {
    let server = start();
    let handle = message(&server);
    let own = "X-Before: 1\r\nContent-Type: text/html; charset=utf-8\r\nMIME-Version: 1.0\r\nX-After: 2\r\n";
    handle.must_set("OtherHeaders", own);
    handle.must_set("MessageText", "<p>Grüße</p>\r\n");
    sign_as(&handle, "rsa");
    handle.call("Sign", "").unwrap();
    let after = handle.get("OtherHeaders").unwrap();
    assert!(
        after.starts_with("X-Before: 1\r\nX-After: 2\r\nMIME-Version: 1.0\r\nContent-Type: multipart/signed;"),
        "{after}"
    );
    let content = text(&verified(&sent(&server, &handle)).unwrap());
    assert!(content.contains("Content-Type: text/html; charset=utf-8\r\n"), "{content}");
    assert!(content.contains("Content-Transfer-Encoding: quoted-printable\r\n") && content.contains("Gr=C3=BC=C3=9Fe"));
    // A new text: what we added is gone, and the message goes as if it never was signed.
    handle.must_set("MessageText", "<p>new</p>");
    let lines = handle.get("OtherHeaders").unwrap();
    assert!(
        !lines.contains("multipart/signed") && lines.contains("text/html") && lines.contains("X-After: 2"),
        "{lines}"
    );
    let plain = sent(&server, &handle);
    assert!(text(&plain).ends_with("\r\n\r\n<p>new</p>\r\n") && field(&plain, "Content-Type").starts_with("text/html"));
}

#[test]
fn every_setter_of_content_ends_the_operation() {
    let server = start();
    let file = scratch(b"file\r\n");
    for (name, value) in
        [("MessageText", "a"), ("Message", "b"), ("AttachedFile", &*file), ("OtherHeaders", "X-New: 1")]
    {
        let handle = message(&server);
        handle.must_set("OtherHeaders", "X-Old: 1\r\n");
        sign_as(&handle, "rsa");
        handle.call("Sign", "").unwrap();
        handle.must_set(name, value);
        let lines = handle.get("OtherHeaders").unwrap();
        assert!(!lines.contains("MIME-Version") && !lines.contains("Content-Type"), "{name}: {lines}");
        assert_eq!(lines.contains("X-Old"), name != "OtherHeaders");
        sent(&server, &handle);
    }
    // What a program reads, adds to and sets again has our lines in it.
    let handle = message(&server);
    sign_as(&handle, "rsa");
    handle.call("Sign", "").unwrap();
    let lines = handle.get("OtherHeaders").unwrap();
    handle.must_set("OtherHeaders", &format!("{lines}X-More: 1\r\n"));
    assert_eq!(handle.get("OtherHeaders").unwrap(), "X-More: 1\r\n");
}

#[test]
fn what_a_relay_would_change_is_encoded_before_it_is_signed() {
    let server = start();
    for body in [
        "trailing blank \r\nand tab\t\r\n",
        "From the start\r\nof a line\r\n",
        "bare\nline\rends\r\n",
        "Grüße aus Köln",
        "\u{65e5}\u{672c}\u{8a9e}",
        &"long ".repeat(500),
        ".\r\n..\r\n.dots\r\n",
        "",
        "\r\n\r\n",
        "no end",
    ] {
        for detached in ["True", "False"] {
            let handle = message(&server);
            handle.must_set("MessageText", body);
            handle.config(&format!("DetachedSignature={detached}")).unwrap();
            sign_as(&handle, "p256");
            handle.call("Sign", "").unwrap();
            let arrived = sent(&server, &handle);
            assert!(arrived.is_ascii());
            assert!(
                text(&arrived).lines().all(|line| line.len() < 998 && !line.ends_with(' ') && !line.ends_with('\t'))
            );
            let content = verified(&arrived).unwrap_or_else(|e| panic!("{body:?}: {e}"));
            let read = std::process::Command::new("python3").args(["-c", READ, &scratch(&content)]).output().unwrap();
            let wanted = body.replace("\r\n", "\n").replace('\r', "\n");
            assert_eq!(text(&read.stdout), wanted, "{}", text(&read.stderr));
        }
    }
}

/// Prints the text of an entity.
const READ: &str = "import email, sys, email.policy
part = email.message_from_bytes(open(sys.argv[1], 'rb').read(), policy=email.policy.SMTP)
text = part.get_payload(decode=True).decode(part.get_content_charset())
sys.stdout.buffer.write(text.replace('\\r\\n', '\\n').encode())";

#[test]
fn certificates_go_along_as_the_two_properties_say() {
    let server = start();
    for (certificate, chain, count) in
        [("True", "False", 1), ("True", "True", 3), ("False", "True", 0), ("False", "False", 0)]
    {
        let handle = message(&server);
        handle.must_set("IncludeCertificate", certificate);
        handle.must_set("IncludeChain", chain);
        handle.config("DetachedSignature=False").unwrap();
        sign_as(&handle, "rsa");
        handle.call("Sign", "").unwrap();
        let shown = openssl(&["cms", "-cmsout", "-print", "-noout"], &sent(&server, &handle)).unwrap();
        assert_eq!(text(&shown).matches("d.certificate").count(), count, "{certificate} {chain}");
    }
}

#[test]
fn algorithms_are_checked_when_set_and_the_digest_reads_as_its_identifier() {
    let handle = crate::common::Handle::new();
    assert_eq!(handle.get("EncryptingAlgorithm").unwrap(), "3DES");
    assert_eq!(handle.get("SigningAlgorithm").unwrap(), "2.16.840.1.101.3.4.2.1");
    for (name, oid) in [("sha-512", "2.16.840.1.101.3.4.2.3"), ("SHA1", "1.3.14.3.2.26"), ("md5", "1.2.840.113549.2.5")]
    {
        handle.must_set("SigningAlgorithm", name);
        assert_eq!(handle.get("SigningAlgorithm").unwrap(), oid);
    }
    for bad in ["sha-3", "1.2.3", "AES-512", "3DES;"] {
        assert_eq!(code(handle.set("SigningAlgorithm", bad)), 603, "{bad}");
        assert_eq!(code(handle.set("EncryptingAlgorithm", bad)), 603, "{bad}");
    }
    assert_eq!(handle.get("SigningAlgorithm").unwrap(), "1.2.840.113549.2.5");
    handle.must_set("EncryptingAlgorithm", "auto");
    for name in ["EncryptingAlgorithm", "SigningAlgorithm"] {
        handle.must_set(name, "");
    }
    assert_eq!(handle.get("EncryptingAlgorithm").unwrap(), "3DES");
    assert_eq!(handle.get("SigningAlgorithm").unwrap(), "2.16.840.1.101.3.4.2.1");
    assert_eq!(code(handle.config("OAEPHash=none").map(drop)), 603);
    assert_eq!(code(handle.config("BccEncryption=maybe").map(drop)), 603);
}

#[test]
fn a_missing_certificate_or_key_has_its_number_and_nothing_is_sent() {
    let server = start();
    type Prepare<'a> = &'a dyn Fn(&crate::common::Handle);
    let cases: [(&str, Prepare, i32); 6] = [
        ("Sign", &|_| {}, 281),
        ("SignAndEncrypt", &|_| {}, 281),
        ("Encrypt", &|_| {}, 272),
        ("Sign", &|h| h.must_set("CertificateEncoded", &std::fs::read_to_string(path("rsa.pem")).unwrap()), 273),
        ("SignAndEncrypt", &|h| sign_as(h, "rsa"), 272),
        ("Encrypt", &|h| encrypt_for(h, &["third"]), 272),
    ];
    for (method, prepare, number) in cases {
        let handle = message(&server);
        prepare(&handle);
        assert_eq!(code(handle.call(method, "")), number, "{method}: {}", handle.last_error());
        assert_eq!(handle.get("MessageText").unwrap(), "Hello,\r\nhere they are.\r\n");
        assert_eq!(code(handle.call("Send", "")), 283, "{method}");
        // Neither a change of the headers nor of the recipients is a new message.
        handle.must_set("Subject", "other");
        handle.must_set("OtherHeaders", "X-A: 1");
        assert_eq!(code(handle.call("Send", "")), 283, "{method}");
        assert_eq!(server.count(), 0);
        assert!(server.commands().iter().flatten().all(|line| !line.starts_with("MAIL")));
    }
}

#[test]
fn a_message_that_is_put_aside_comes_back_with_what_was_made_of_it() {
    let server = start();
    // Encrypted while it is sent.
    let handle = message(&server);
    handle.must_set("SendTo", "second@b.example");
    encrypt_for(&handle, &["second"]);
    handle.must_set("AttachedFile", &scratch(b"secret"));
    handle.call("Encrypt", "").unwrap();
    let other = |handle: &crate::common::Handle| {
        handle.call("PutMessageAside", "").unwrap();
        assert_eq!(code(handle.call("PutMessageAside", "")), 603);
        assert_eq!((handle.get("Subject").unwrap(), handle.get("SendTo").unwrap()), (String::new(), String::new()));
        handle.must_set("From", "c@b.example");
        handle.must_set("SendTo", "d@b.example");
        handle.must_set("MessageText", "another one");
        let arrived = sent(&server, handle);
        assert!(text(&arrived).contains("another one"));
        handle.call("PutMessageBack", "").unwrap();
        handle.call("PutMessageBack", "").unwrap();
    };
    let id = || handle.get("MessageHeadersString").unwrap();
    let before = id();
    other(&handle);
    assert_eq!(id(), before);
    let content = decrypted(&sent(&server, &handle), "second").unwrap();
    assert!(text(&content).contains("secret"), "{}", text(&content));
    // What was not encrypted does not go after it either.
    let handle = message(&server);
    assert_eq!(code(handle.call("Encrypt", "")), 272);
    other(&handle);
    assert_eq!(code(handle.call("Send", "")), 283);
}

#[test]
fn a_handle_that_was_busy_is_a_failure_too() {
    let options = xtask::server::Options::default().fault("EHLO=stall");
    let server = xtask::server::Server::start(options).unwrap();
    let handle = message(&server);
    encrypt_for(&handle, &["second"]);
    std::thread::scope(|scope| {
        let connecting = scope.spawn(|| handle.call("Connect", ""));
        while handle.get("Idle").unwrap() == "True" {
            std::thread::yield_now();
        }
        assert_eq!(code(handle.call("Encrypt", "")), 166);
        handle.call("Interrupt", "").unwrap();
        assert_eq!(code(connecting.join().unwrap()), 301);
    });
    assert_eq!(code(handle.call("Send", "")), 283);
}

#[test]
fn after_a_failure_the_message_goes_once_it_is_set_anew_or_secured() {
    let server = start();
    let handle = message(&server);
    assert_eq!(code(handle.call("Encrypt", "")), 272);
    // A signature is no encryption.
    sign_as(&handle, "rsa");
    handle.call("Sign", "").unwrap();
    assert_eq!(code(handle.call("Send", "")), 283);
    encrypt_for(&handle, &["second"]);
    handle.call("Encrypt", "").unwrap();
    decrypted(&sent(&server, &handle), "second").unwrap();
    handle.must_set("MessageText", "in the clear");
    sent(&server, &handle);
    sign_as(&handle, "rsa");
    handle.must_set("SigningAlgorithm", "md5");
    sign_as(&handle, "p256");
    assert_eq!(code(handle.call("Sign", "")), 283, "ECDSA with MD5");
    handle.must_set("MessageText", "again");
    sent(&server, &handle);
    // The body stays when the headers are reset, and what was encrypted of it is no message any more.
    handle.must_set("MessageText", "secret");
    handle.must_set("SendTo", "second@b.example");
    encrypt_for(&handle, &["second"]);
    handle.call("Encrypt", "").unwrap();
    handle.call("ResetHeaders", "").unwrap();
    handle.must_set("From", "rsa@b.example");
    handle.must_set("SendTo", "second@b.example");
    assert_eq!(code(handle.call("Send", "")), 283);
}

#[test]
fn message_is_signed_too_with_and_without_headers_of_its_own() {
    let server = start();
    let handle = message(&server);
    handle.must_set("Message", "raw octets\r\n");
    sign_as(&handle, "rsa");
    handle.call("Sign", "").unwrap();
    assert_eq!(handle.get("Message").unwrap(), "");
    assert!(text(&verified(&sent(&server, &handle)).unwrap()).ends_with("\r\n\r\nraw octets\r\n"));
    handle.config("MessageIncludesHeaders=True").unwrap();
    handle.must_set(
        "Message",
        "Subject: own\nMIME-Version: 1.0\nContent-Type: text/x-own;\n charset=utf-8\nX-Own: 1\n\nown body\n",
    );
    handle.call("Sign", "").unwrap();
    let arrived = sent(&server, &handle);
    assert_eq!((field(&arrived, "Subject"), field(&arrived, "X-Own")), ("own".into(), "1".into()));
    let content = text(&verified(&arrived).unwrap());
    assert!(content.contains("Content-Type: text/x-own;") && content.ends_with("\r\n\r\nown body\r\n"), "{content}");
    assert_eq!(text(&arrived).matches("MIME-Version").count(), 2);
}

#[test]
fn the_modern_profile_encrypts_with_aes_and_signs_with_sha_2() {
    let handle = crate::common::Handle::new();
    handle.must_set("SigningAlgorithm", "sha1");
    handle.config("SecurityProfile=Modern").unwrap();
    assert_eq!(handle.get("EncryptingAlgorithm").unwrap(), "AESCBC256");
    assert_eq!(handle.get("SigningAlgorithm").unwrap(), "2.16.840.1.101.3.4.2.1");
}

#[test]
fn a_certificate_that_is_not_for_this_keeps_the_message_from_all() {
    let server = start();
    for (name, extensions, dates, number) in [
        ("expired", "", ["20200101000000Z", "20210101000000Z"], 283),
        ("signs-only", "keyUsage=critical,digitalSignature\n", ["20250101000000Z", "20890101000000Z"], 283),
        ("web-server", "extendedKeyUsage=serverAuth\n", ["20250101000000Z", "20890101000000Z"], 283),
        ("good", "extendedKeyUsage=emailProtection\n", ["20250101000000Z", "20890101000000Z"], 0),
    ] {
        let pem = made(name, extensions, dates);
        for deferred in [false, true] {
            let handle = message(&server);
            if deferred {
                handle.must_set("AttachedFile", &scratch(b"file\r\n"));
            }
            encrypt_for(&handle, &["second", "nobody"]);
            // SAFETY: the octets live through the call.
            assert_eq!(unsafe { ssmtp::ffi::ssmtp_add_recipient_cert(handle.raw(), pem.as_ptr(), pem.len()) }, 0);
            assert_eq!(code(handle.call("Encrypt", "")), number, "{name}: {}", handle.last_error());
            assert_eq!(code(handle.call("Send", "")), number, "{name}");
        }
    }
    assert_eq!(server.count(), 2);
}

/// A certificate of its own making.
fn made(name: &str, extensions: &str, dates: [&str; 2]) -> Vec<u8> {
    let folder = path(&format!("own-{name}"));
    std::fs::create_dir_all(&folder).unwrap();
    let script = format!(
        "cd {folder}; : > index.txt; printf '[ca]\\ndefault_ca=o\\n[o]\\nnew_certs_dir=.\\ndatabase=index.txt\\nrand_serial=yes\\npolicy=p\\ndefault_md=sha256\\n[p]\\ncommonName=supplied\\n[req]\\ndistinguished_name=d\\n[d]\\n' > c.cnf
printf 'subjectAltName=email:second@b.example\\n{extensions}' > e
openssl req -new -config c.cnf -newkey rsa:2048 -nodes -keyout k -subj /CN={name} -out r 2>/dev/null
openssl ca -batch -notext -config c.cnf -selfsign -keyfile k -in r -extfile e -startdate {} -enddate {} -out c.pem 2>/dev/null && cat c.pem",
        dates[0], dates[1]
    );
    let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    output.stdout
}

#[test]
fn what_a_relay_would_break_is_signed_only_where_no_relay_sees_it() {
    let server = start();
    let handle = message(&server);
    sign_as(&handle, "rsa");
    for (line, fine) in [("x".repeat(998), true), ("x".repeat(999), false)] {
        handle.must_set("OtherHeaders", "Content-Type: multipart/mixed; boundary=b\r\n");
        handle.must_set("MessageText", &format!("--b\r\n\r\n{line}\r\n--b--\r\n"));
        assert_eq!(code(handle.call("Sign", "")), if fine { 0 } else { 283 });
        assert_eq!(code(handle.call("Send", "")), if fine { 0 } else { 283 });
    }
    assert_eq!(server.count(), 1);
    handle.config("DetachedSignature=False").unwrap();
    handle.call("Sign", "").unwrap();
    assert!(text(&verified(&sent(&server, &handle)).unwrap()).contains(&"x".repeat(999)));
}

#[test]
fn html_that_comes_after_encrypt_never_goes_in_the_clear() {
    let server = start();
    let handle = message(&server);
    encrypt_for(&handle, &["second"]);
    handle.call("Encrypt", "").unwrap();
    // MessageText is the encrypted body now, and HTML beside it no message.
    handle.must_set("MessageHtml", "<b>secret</b>");
    assert_eq!(code(handle.call("Send", "")), 283);
    assert_eq!(server.count(), 0);
    handle.must_set("MessageText", "anew");
    handle.call("Encrypt", "").unwrap();
    // Encrypt waits for the sending now, so what is set meanwhile is encrypted with the rest.
    handle.must_set("MessageHtml", "<b>later</b>");
    let arrived = sent(&server, &handle);
    assert!(!text(&arrived).contains("later"));
    assert!(text(&decrypted(&arrived, "second").unwrap()).contains("<b>later</b>"));
}
