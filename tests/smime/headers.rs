//! ProtectHeaders: RFC 9788.

use crate::people::*;

#[test]
fn a_signature_covers_a_copy_of_the_header() {
    let server = start();
    let handle = message(&server);
    handle.must_set("OtherHeaders", "Keywords: money\r\n");
    handle.must_set("BCc", "third@b.example");
    handle.config("ProtectHeaders=True").unwrap();
    sign_as(&handle, "rsa");
    handle.call("Sign", "").unwrap();
    let arrived = sent(&server, &handle);
    let content = verified(&arrived).unwrap();
    for name in ["Date", "From", "To", "Subject", "Message-ID", "Keywords"] {
        assert!(!field(&arrived, name).is_empty(), "{name}");
        assert_eq!(field(&content, name), field(&arrived, name), "{name}");
    }
    assert_eq!(field(&content, "Content-Type"), "text/plain; charset=us-ascii; hp=\"clear\"");
    assert!(!text(&arrived).contains("third") && !text(&content).contains("HP-Outer"));
}

#[test]
fn an_encrypted_message_hides_its_subject_outside() {
    let server = start();
    for (method, attached) in [("Encrypt", false), ("SignAndEncrypt", false), ("SignAndEncrypt", true)] {
        let handle = message(&server);
        handle.must_set("Subject", "Grüße aus dem Tresor");
        handle.must_set("OtherHeaders", "Keywords: money\r\nX-Job: 7\r\n");
        handle.config("ProtectHeaders=True").unwrap();
        sign_as(&handle, "rsa");
        encrypt_for(&handle, &["second"]);
        if attached {
            handle.must_set("MessageHtml", "<html><body><p>Hello</p></body></html>");
        }
        handle.call(method, "").unwrap();
        let arrived = sent(&server, &handle);
        assert_eq!(field(&arrived, "Subject"), "[...]");
        assert_eq!((field(&arrived, "Keywords"), field(&arrived, "X-Job")), (String::new(), "7".into()));
        let entity = decrypted(&arrived, "second").unwrap();
        let entity = if method == "Encrypt" { entity } else { verified(&entity).unwrap() };
        assert_eq!(field(&entity, "Subject"), field(&message_with(&server, "Grüße aus dem Tresor"), "Subject"));
        assert_eq!(field(&entity, "Keywords"), "money");
        assert_eq!(field(&entity, "Message-ID"), field(&arrived, "Message-ID"));
        assert!(field(&entity, "Content-Type").contains("hp=\"cipher\""));
        let outer: Vec<String> =
            text(&entity).lines().filter(|l| l.starts_with("HP-Outer: ")).map(str::to_owned).collect();
        for name in ["Date", "From", "To", "Subject", "Message-ID", "X-Job"] {
            assert!(outer.contains(&format!("HP-Outer: {name}: {}", field(&arrived, name))), "{name}: {outer:?}");
        }
        assert!(!outer.iter().any(|line| line.contains("Keywords")));
        assert!(text(&entity).contains("hp-legacy-display=\"1\""));
        // "Subject: Grüße…" above the text, in quoted-printable.
        assert!(
            text(&entity).contains("\r\n\r\nSubject: Gr=C3=BC=C3=9Fe aus dem Tresor\r\n\r\nHello,"),
            "{}",
            text(&entity)
        );
        assert_eq!(text(&entity).contains("header-protection-legacy-display"), attached);
        assert_eq!(handle.get("Subject").unwrap(), "Grüße aus dem Tresor");
    }
}

/// A plain message with this subject, as it arrives.
fn message_with(server: &xtask::server::Server, subject: &str) -> Vec<u8> {
    let handle = message(server);
    handle.must_set("Subject", subject);
    sent(server, &handle)
}
