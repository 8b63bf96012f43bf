//! Bcc recipients of an encrypted message: envelopes of their own in transactions of their own (rulings 8 and 24).

use crate::common::Handle;
use crate::people::*;
use xtask::server::{Received, Server};

fn addressed(server: &Server, to: &str, cc: &str, bcc: &str) -> Handle {
    let handle = message(server);
    handle.must_set("SendTo", to);
    handle.must_set("Cc", cc);
    handle.must_set("BCc", bcc);
    handle
}

fn all_sent(server: &Server, handle: &Handle) -> Vec<(String, Received)> {
    let before = server.count();
    handle.call("Send", "").unwrap_or_else(|e| panic!("Send: {e:?}"));
    let all = server.messages().split_off(before);
    let address = |line: &String| line[line.find('<').unwrap() + 1..line.find('>').unwrap()].to_owned();
    let to = |message: &Received| message.rcpt_to.iter().map(address).collect::<Vec<_>>().join(",");
    all.into_iter().map(|message| (to(&message), message)).collect()
}

#[test]
fn each_bcc_recipient_gets_an_envelope_of_his_own_in_a_transaction_of_his_own() {
    let server = start();
    for method in ["Encrypt", "SignAndEncrypt"] {
        let handle = addressed(&server, "second@b.example", "p256@b.example", "third@b.example, RSA@B.example");
        sign_as(&handle, "rsa");
        encrypt_for(&handle, &["second", "third", "p256", "rsa"]);
        handle.call(method, "").unwrap();
        let all = all_sent(&server, &handle);
        let to: Vec<&str> = all.iter().map(|(to, _)| to.as_str()).collect();
        assert_eq!(to, ["second@b.example,p256@b.example", "third@b.example", "RSA@B.example"]);
        let ids: Vec<String> = all.iter().map(|(_, message)| field(&message.data, "Message-ID")).collect();
        assert!(ids.iter().all(|id| *id == ids[0]), "it is one message: {ids:?}");
        for ((_, message), (readers, count)) in
            all.iter().zip([(vec!["second", "p256"], 2), (vec!["third"], 1), (vec!["rsa"], 1)])
        {
            assert_eq!(recipients(&message.data), count);
            for name in ["second", "p256", "third", "rsa"] {
                let opened = decrypted(&message.data, name);
                assert_eq!(opened.is_ok(), readers.contains(&name), "{name}");
                if let (Ok(signed), "SignAndEncrypt") = (&opened, method) {
                    verified(signed).unwrap();
                }
            }
            assert!(!text(&message.data).to_lowercase().contains("third@"), "no header names a Bcc recipient");
        }
        assert_eq!(handle.get("RecipientResultCount").unwrap(), "4");
        for n in 0..4 {
            assert_eq!(handle.get(&format!("RecipientResultAccepted[{n}]")).unwrap(), "True");
        }
    }
}

#[test]
fn bcc_recipients_are_in_no_layer_of_a_triple_wrap() {
    let server = start();
    for (detached, attached) in [("True", false), ("False", false), ("True", true)] {
        let handle = addressed(&server, "second@b.example", "", "third@b.example");
        handle.config(&format!("DetachedSignature={detached}")).unwrap();
        if attached {
            handle.must_set("AttachedFile", &scratch(b"a file\r\n"));
        }
        sign_as(&handle, "rsa");
        encrypt_for(&handle, &["second", "third"]);
        for method in ["Sign", "Encrypt", "Sign"] {
            handle.call(method, "").unwrap();
        }
        let all = all_sent(&server, &handle);
        assert_eq!(all.len(), 2);
        for ((to, message), (name, other)) in all.iter().zip([("second", "third"), ("third", "second")]) {
            assert_eq!(*to, format!("{name}@b.example"));
            let envelope = verified(&message.data).unwrap();
            assert_eq!(recipients(&envelope), 1);
            assert!(decrypted(&envelope, other).is_err());
            let inner = decrypted(&envelope, name).unwrap();
            verified(&inner).unwrap();
            for layer in [&message.data, &envelope, &inner] {
                assert!(!text(layer).contains("third"));
            }
        }
    }
}

/// A certificate that stands in the envelope of all shows nobody whom they do not know; one of Bcc recipients alone goes to each of them.
#[test]
fn a_certificate_of_two_people_is_in_the_envelope_of_each() {
    let server = start();
    let bcc_alone = vec![("second@b.example", 1), ("third@b.example", 1), ("fourth@b.example", 1)];
    for (name, owners, bcc, others, wanted) in [
        ("shown", ["second", "third"], "third@b.example", &[][..], vec![("second@b.example,third@b.example", 1)]),
        ("hidden", ["third", "fourth"], "third@b.example, fourth@b.example", &["second"], bcc_alone),
    ] {
        let [one, two] = owners.map(|owner| format!("email:{owner}@b.example"));
        let extension = format!("subjectAltName={one},{two}");
        let (key, certificate) = (path(&format!("{name}.key")), path(&format!("{name}.pem")));
        let make = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=both", "-addext", &extension];
        openssl(&[&make[..], &["-keyout", &key, "-out", &certificate]].concat(), b"").unwrap();
        let handle = addressed(&server, "second@b.example", "", bcc);
        encrypt_for(&handle, &[name]);
        encrypt_for(&handle, others);
        handle.call("Encrypt", "").unwrap();
        let all = all_sent(&server, &handle);
        let found: Vec<(&str, usize)> =
            all.iter().map(|(to, message)| (to.as_str(), recipients(&message.data))).collect();
        assert_eq!(found, wanted);
        decrypted(&all.last().unwrap().1.data, name).unwrap();
    }
}

#[test]
fn one_envelope_for_everybody_has_to_be_asked_for() {
    let server = start();
    let handle = addressed(&server, "second@b.example", "", "third@b.example");
    encrypt_for(&handle, &["second", "third"]);
    handle.config("BccEncryption=Shared").unwrap();
    handle.call("Encrypt", "").unwrap();
    let all = all_sent(&server, &handle);
    assert_eq!(all.len(), 1);
    assert_eq!((all[0].0.as_str(), recipients(&all[0].1.data)), ("second@b.example,third@b.example", 2));
}

#[test]
fn a_certificate_that_names_nobody_leaves_the_matching_out_and_forbids_bcc() {
    let server = start();
    let handle = addressed(&server, "someone@else.example", "", "");
    encrypt_for(&handle, &["nobody", "second"]);
    handle.call("Encrypt", "").unwrap();
    decrypted(&sent(&server, &handle), "nobody").unwrap();
    let handle = addressed(&server, "someone@else.example", "", "third@b.example");
    encrypt_for(&handle, &["nobody", "third"]);
    assert_eq!(code(handle.call("Encrypt", "")), 272);
    handle.config("BccEncryption=Shared").unwrap();
    handle.call("Encrypt", "").unwrap();
    let handle = addressed(&server, "someone@else.example", "", "");
    encrypt_for(&handle, &["nobody"]);
    handle.config("RequireRecipientCert=True").unwrap();
    assert_eq!(code(handle.call("Encrypt", "")), 272);
}

#[test]
fn the_senders_own_certificate_goes_into_the_envelope_of_all() {
    let server = start();
    let handle = addressed(&server, "second@b.example", "", "");
    encrypt_for(&handle, &["second", "rsa"]);
    handle.call("Encrypt", "").unwrap();
    decrypted(&sent(&server, &handle), "rsa").unwrap();
}

#[test]
fn nobody_is_added_after_the_encryption() {
    let server = start();
    for (name, value) in
        [("SendTo", "second@b.example, p256@b.example"), ("BCc", "p256@b.example"), ("Cc", "x@y.example")]
    {
        let handle = addressed(&server, "second@b.example", "", "third@b.example");
        encrypt_for(&handle, &["second", "third"]);
        handle.call("Encrypt", "").unwrap();
        handle.must_set(name, value);
        assert_eq!(code(handle.call("Send", "")), 272, "{name}");
    }
    // One who was visible is not hidden afterwards: his certificate stands in the envelope of the others.
    let handle = addressed(&server, "second@b.example", "p256@b.example", "");
    encrypt_for(&handle, &["second", "p256"]);
    handle.call("Encrypt", "").unwrap();
    handle.must_set("Cc", "");
    handle.must_set("BCc", "p256@b.example");
    assert_eq!(code(handle.call("Send", "")), 272);
    assert_eq!(server.count(), 0);
}

#[test]
fn bcc_alone_works_and_a_removed_one_gets_nothing() {
    let server = start();
    let handle = addressed(&server, "", "", "third@b.example, second@b.example");
    handle.config("AllowEmptyTo=True").unwrap();
    encrypt_for(&handle, &["second", "third"]);
    handle.call("Encrypt", "").unwrap();
    handle.must_set("BCc", "second@b.example");
    let all = all_sent(&server, &handle);
    assert_eq!(all.len(), 1);
    decrypted(&all[0].1.data, "second").unwrap();
    assert_eq!(recipients(&all[0].1.data), 1);
}

#[test]
fn attachments_are_encrypted_apart_too_and_a_stream_cannot_be() {
    let server = start();
    let handle = addressed(&server, "second@b.example", "", "third@b.example");
    handle.must_set("AttachedFile", &scratch(b"from a file\r\n"));
    encrypt_for(&handle, &["second", "third"]);
    handle.call("Encrypt", "").unwrap();
    let all = all_sent(&server, &handle);
    for ((to, message), name) in all.iter().zip(["second", "third"]) {
        assert_eq!(to, &format!("{name}@b.example"));
        assert_eq!(recipients(&message.data), 1);
        assert!(text(&decrypted(&message.data, name).unwrap()).ends_with("from a file\r\n"));
    }
    assert_eq!(all.len(), 2);
    let handle = addressed(&server, "second@b.example", "", "third@b.example");
    handle.stream(b"once".to_vec()).unwrap();
    encrypt_for(&handle, &["second", "third"]);
    assert_eq!(code(handle.call("Encrypt", "")), 283);
    assert_eq!(code(handle.call("Send", "")), 283);
}

#[test]
fn a_refused_bcc_recipient_is_passed_over_or_stops_the_message_as_the_setting_says() {
    use xtask::server::Options;
    for (stop, number, others) in [("False", 0, 2), ("True", 161, 1)] {
        let options = Options::default().offer("8BITMIME,PIPELINING").fault("RCPT:third@=550 5.1.1 no such user");
        let server = Server::start(options).unwrap();
        let handle = addressed(&server, "second@b.example", "", "third@b.example, p256@b.example");
        handle.config(&format!("StopOnBccErrors={stop}")).unwrap();
        encrypt_for(&handle, &["second", "third", "p256"]);
        handle.call("Encrypt", "").unwrap();
        assert_eq!(code(handle.call("Send", "")), number);
        assert_eq!(server.count(), others);
        let told = handle.events().iter().filter(|e| e.name == "Error").count();
        assert_eq!(told, usize::from(number == 0), "{:?}", handle.events());
        assert_eq!(handle.get("RecipientResultCode[1]").unwrap(), "550");
        assert_eq!(handle.get("RecipientResultAccepted[2]").unwrap(), if number == 0 { "True" } else { "False" });
    }
}

#[test]
fn a_connection_lost_between_the_transactions_leaves_the_first_one_sent() {
    use xtask::server::Options;
    let options = Options::default().offer("8BITMIME").fault("RCPT:third@=close");
    let server = Server::start(options).unwrap();
    let handle = addressed(&server, "second@b.example", "", "third@b.example");
    encrypt_for(&handle, &["second", "third"]);
    handle.call("Encrypt", "").unwrap();
    assert_ne!(code(handle.call("Send", "")), 0);
    assert_eq!(server.count(), 1);
    assert_eq!(handle.get("RecipientResultAccepted[0]").unwrap(), "True");
    assert_eq!(handle.get("RecipientResultAccepted[1]").unwrap(), "False");
}
