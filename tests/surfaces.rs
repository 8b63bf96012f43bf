//! What one language offers, the others offer too: every method, property and event as a member of the C++ class, the Python class
//! and the C# class, each under its language's name.

use std::fs;
use std::path::{Path, PathBuf};
use xtask::model::{Api, Property};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The sources of a folder, one behind the other.
fn sources(folder: &Path, extension: &str) -> String {
    let mut text = String::new();
    let mut entries: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            text += &sources(&path, extension);
        } else if path.extension().is_some_and(|e| e == extension) {
            text += &fs::read_to_string(&path).unwrap();
        }
    }
    text
}

struct Surfaces {
    cpp: String,
    python: String,
    csharp: String,
    missing: Vec<String>,
}

impl Surfaces {
    /// Notes what a language lacks of the ways it may show a name.
    fn expect(&mut self, cpp: &[&str], python: &[&str], csharp: &[&str]) {
        for (language, text, any) in
            [("C++", &self.cpp, cpp), ("Python", &self.python, python), ("C#", &self.csharp, csharp)]
        {
            // `Ssmtp &on_error(`: what returns the object.
            let there = |one: &&str| text.contains(one) || text.contains(&format!(" &{}", one.trim_start()));
            if !any.iter().any(there) {
                self.missing.push(format!("{language}: {}", any.join(" or ")));
            }
        }
    }
}

/// Shown through the lists and objects: message_recipients, message_headers, recipient_results, firewall.
fn in_an_object(p: &Property) -> bool {
    let owners = ["MessageRecipient", "MessageHeader", "RecipientResult", "Firewall"];
    p.spec != "MessageHeadersString" && owners.iter().any(|owner| p.spec.starts_with(owner))
}

#[test]
fn every_name_is_a_member_in_every_language() {
    let api = Api::load(&root().join("api")).unwrap();
    let mut all = Surfaces {
        cpp: fs::read_to_string(root().join("include/ssmtp.hpp")).unwrap(),
        python: sources(&root().join("bindings/python/src/ssmtp"), "py"),
        csharp: sources(&root().join("bindings/dotnet/src"), "cs"),
        missing: Vec::new(),
    };
    for method in &api.methods {
        let (name, spec) = (&method.name, &method.spec);
        // What takes octets, a file or a stream is one overloaded method where the language has such a thing.
        let overloaded =
            ["AddAttachment", "AddInline", "SetMessageStream", "PutMessage"].iter().any(|s| spec.starts_with(s));
        if overloaded {
            continue;
        }
        all.expect(&[&format!(" {name}(")], &[&format!("def {name}(")], &[&format!(" {spec}(")]);
        if method.blocking {
            let twin = format!("{name}_async");
            all.expect(
                &[&format!(" {name}(")],
                &[&format!("def {twin}("), &format!("{twin} =")],
                &[&format!(" {spec}Async(")],
            );
        }
    }
    for p in api.properties.iter().filter(|p| p.family.is_empty() && !p.by_name_only && !p.index && !in_an_object(p)) {
        let (name, spec) = (&p.name, &p.spec);
        all.expect(
            &[&format!(" {name}(")],
            &[&format!("def {name}("), &format!("def {name}_("), &format!(" {name}: "), &format!(" {name} = ")],
            &[&format!(" {spec}\n"), &format!(" {spec} {{")],
        );
    }
    for event in &api.events {
        let on = format!("on_{}", event.name);
        all.expect(&[&format!(" {on}(")], &[&on], &[&format!(" On{}\n", event.spec)]);
    }
    for (name, pascal) in [
        ("message_recipients", "MessageRecipients"),
        ("message_headers", "MessageHeaders"),
        ("recipient_results", "RecipientResults"),
        ("firewall", "Firewall"),
        ("send_all", "SendAll"),
        ("set_message_stream", "SetMessageStream"),
        ("clear_attachments", "ClearAttachments"),
        ("set_signer", "SetSigner"),
        ("config", "Config"),
    ] {
        all.expect(
            &[&format!(" {name}(")],
            &[&format!("def {name}(")],
            &[&format!(" {pascal}(")[..], &format!(" {pascal}\n")],
        );
    }
    assert!(all.missing.is_empty(), "{:#?}", all.missing);
}
