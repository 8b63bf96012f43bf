//! Bouncy Castle as the other side: what OpenSSL 3.0 has not (Ed25519 signatures, X25519 recipients), and a second opinion on the rest.

use crate::bench::{certificate, content, file, openssl, path, run, signer};
use ssmtp::smime::algorithm::CIPHERS;
use ssmtp::smime::{Cipher, Detached, EncryptSpec, Envelope, Hash, Opaque, SignSpec};
use std::process::Command;

/// What to ask, and what about.
struct Jobs {
    lines: String,
    names: Vec<String>,
}

impl Jobs {
    fn add(&mut self, name: String, line: String) {
        self.lines += &format!("{line}\n");
        self.names.push(name);
    }

    fn ask(self) {
        let jars = ["bcpkix", "bcprov", "bcutil"].map(|jar| format!("/usr/share/java/{jar}.jar")).join(":");
        let program = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cms/Bouncy.java");
        let output = Command::new("java")
            .args(["-XX:TieredStopAtLevel=1", "-cp", &jars, program, &file(self.lines.as_bytes())])
            .output()
            .expect("java runs (scripts/setup.sh test installs it)");
        let text = String::from_utf8_lossy(&output.stdout);
        let answers: Vec<&str> = text.lines().collect();
        assert_eq!(answers.len(), self.names.len(), "{text}{}", String::from_utf8_lossy(&output.stderr));
        let wrong: Vec<String> = self
            .names
            .iter()
            .zip(answers)
            .filter(|(_, answer)| *answer != "ok")
            .map(|(name, answer)| format!("{name}: {answer}"))
            .collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

#[test]
fn bouncy_castle_reads_what_is_signed_and_encrypted() {
    let data = content(70_000);
    let beside = file(&data);
    let mut jobs = Jobs { lines: String::new(), names: Vec::new() };

    let mut signers = Vec::new();
    for name in ["rsa", "p256", "p384", "p521", "ed25519", "dsa"] {
        signers.push((name, signer(name, Hash::Sha256)));
    }
    signers.push(("rsa with PSS", SignSpec { pss: true, ..signer("rsa", Hash::Sha384) }));
    for (name, spec) in &signers {
        let mut detached = Detached::new(spec).unwrap();
        detached.update(&data);
        let forms = [
            ("detached", detached.finish().unwrap()),
            ("definite", run(Opaque::new(spec, Some(70_000)).unwrap(), &data, 9999)),
            ("indefinite", run(Opaque::new(spec, None).unwrap(), &data, 9999)),
        ];
        for (form, cms) in forms {
            jobs.add(format!("{name} {form}"), format!("verify {} {beside}", file(&cms)));
        }
    }

    let oaep = Some((Hash::Sha256, Hash::Sha1));
    for (name, algorithm) in [("rsa", "RSA"), ("p256", "EC"), ("p384", "EC"), ("p521", "EC"), ("x25519", "X25519")] {
        for row in CIPHERS {
            // Keys that cannot be wrapped; and Bouncy Castle 1.72 has AuthEnvelopedData for RSA alone.
            if name != "rsa" && (row.key < 16 || row.cipher.is_aead()) {
                continue;
            }
            // The program puts X25519 together itself, without the parameters of RC2.
            if name == "x25519" && row.cipher == Cipher::Rc2Cbc128 {
                continue;
            }
            for told in [None, Some(70_000)] {
                let spec = EncryptSpec {
                    recipients: vec![certificate(name)],
                    cipher: row.cipher,
                    oaep: oaep.filter(|_| told.is_some()),
                    use_ski: told.is_some(),
                };
                let cms = run(Envelope::new(&spec, told).unwrap(), &data, 9999);
                let line = format!("decrypt {} {beside} {} {algorithm}", file(&cms), path(&format!("{name}.p8")));
                jobs.add(format!("{name} {} {told:?}", row.names[0]), line);
            }
        }
    }
    jobs.ask();
}

/// The same certificate twice among the recipients, and OpenSSL's reading of the structure: versions as RFC 5652 §6.1 says.
#[test]
fn versions_are_what_the_rfc_says() {
    let version = |names: &[&str], cipher: Cipher, use_ski: bool| {
        let spec =
            EncryptSpec { recipients: names.iter().map(|n| certificate(n)).collect(), cipher, oaep: None, use_ski };
        let cms = run(Envelope::new(&spec, Some(4)).unwrap(), b"text", 4);
        let text = openssl(&format!("cms -cmsout -print -noout -inform DER -in {}", file(&cms))).unwrap();
        let text = String::from_utf8(text).unwrap();
        let line = text.lines().find(|line| line.trim_start().starts_with("version:")).expect("a version").trim();
        line.trim_start_matches("version:").trim().parse::<u8>().unwrap()
    };
    assert_eq!(version(&["rsa"], Cipher::AesCbc256, false), 0);
    assert_eq!(version(&["rsa"], Cipher::AesCbc256, true), 2);
    assert_eq!(version(&["p256"], Cipher::AesCbc256, false), 2);
    assert_eq!(version(&["rsa", "p256"], Cipher::AesCbc256, false), 2);
    assert_eq!(version(&["rsa", "p256"], Cipher::AesGcm256, true), 0);
}
