//! Stores, certificates and keys of other people: NIST's PKITS and the odd files of the Python package cryptography_vectors, each with the
//! outcome that tests/data/vectors.tsv expects (written by tests/certs/vectors.py from what `cryptography` and openssl read).
//! scripts/setup.sh fetches the package, tests/certs/run.sh runs this.

use ssmtp::certs::contents::Entries;
use ssmtp::certs::loaded::Loaded;
use ssmtp::certs::source::open;
use ssmtp::certs::{Certificate, pem};
use ssmtp::enums::CertStoreType as T;
use ssmtp::error::{Code, Error};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const TABLE: &str = include_str!("data/vectors.tsv");

fn root() -> PathBuf {
    let folder = std::env::var_os("CERT_VECTORS").expect("tests/certs/run.sh runs these tests");
    Path::new(&folder).to_owned()
}

/// The rows of one kind, each with its file.
fn rows(what: &str) -> Vec<(String, Vec<&'static str>)> {
    let rows: Vec<_> = TABLE.lines().map(|line| line.split('\t').collect::<Vec<_>>()).collect();
    let found: Vec<_> = rows
        .into_iter()
        .filter(|row| row[0] == what)
        .map(|row| (root().join(row[1]).to_str().unwrap().to_owned(), row[2..].to_vec()))
        .collect();
    for (file, _) in &found {
        assert!(Path::new(file).is_file(), "{file} is missing: scripts/setup.sh test fetches it");
    }
    found
}

/// The first 16 digits of the SHA-256.
fn begun(bytes: &[u8]) -> String {
    ring::digest::digest(&ring::digest::SHA256, bytes).as_ref()[..8].iter().map(|b| format!("{b:02x}")).collect()
}

/// Of the private key where there is one: a certificate may inherit the parameters of DSA.
fn public(entry: &Loaded) -> String {
    match &entry.key {
        Some(key) => begun(key.public_key().der()),
        None => begun(&pem::blocks(entry.public_key().as_bytes()).unwrap()[0].data),
    }
}

/// By the file's name as this type and as Auto, and by its octets: all the same.
fn read(types: (T, T), file: &str, password: &str) -> Result<Entries, Error> {
    let octets = std::fs::read(file).unwrap();
    let found = open(types.0, file.as_bytes(), password);
    // The work is in the password: of PKITS, whose files are alike, one way suffices when it is wrong.
    if found.is_err() && file.contains("PKITS") {
        return found;
    }
    let ways: &[(T, &[u8])] = match file.contains("pkcs12") && file.contains("PKITS") {
        true if !octets.len().is_multiple_of(8) => &[],
        true => &[(T::Auto, &octets)],
        false => &[(T::Auto, file.as_bytes()), (T::Auto, &octets), (types.1, &octets)],
    };
    for other in ways.iter().map(|(kind, store)| open(*kind, store, password)) {
        match (&found, &other) {
            (Ok(one), Ok(two)) => assert_eq!(one.len(), two.len(), "{file}"),
            (Err(one), Err(two)) => assert_eq!(one.code, two.code, "{file}: {one}, {two}"),
            (one, two) => panic!("{file}: {one:?} but {two:?}"),
        }
    }
    found
}

fn certificates(entries: &Entries) -> String {
    let all: BTreeSet<String> = entries.iter().filter_map(|e| e.certificate.as_ref()).map(|c| begun(c.der())).collect();
    if all.is_empty() { "-".into() } else { all.into_iter().collect::<Vec<_>>().join(",") }
}

fn sorted(list: &str) -> String {
    list.split(',').collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(",")
}

fn word(cell: &str) -> &str {
    if cell == "-" { "" } else { cell }
}

/// The class of an error by its text: every one is 271.
fn class(error: &Error, file: &str) -> &'static str {
    assert_eq!(error.code, Code::CertStore, "{file}: {error}");
    assert!(error.message.contains(file), "{error} does not name {file}");
    match &error.message {
        text if text.contains("password is wrong") => "password",
        text if text.contains("is not supported") => "unsupported",
        text if text.contains("is broken") => "broken",
        text => panic!("{file}: {text}"),
    }
}

#[test]
#[ignore = "tests/certs/run.sh"]
fn every_pfx_of_pkits_and_cryptography_has_its_key_and_certificates() {
    let rows = rows("pfx");
    assert_eq!(rows.iter().filter(|(file, _)| file.contains("PKITS")).count(), 405);
    assert_eq!(rows.len(), 436);
    // Two thousand rounds of a hash for each of their keys: side by side.
    std::thread::scope(|scope| {
        for part in rows.chunks(rows.len().div_ceil(4)) {
            scope.spawn(move || part.iter().for_each(|(file, row)| pfx(file, row)));
        }
    });
}

fn pfx(file: &str, row: &[&str]) {
    let [password, key, expected] = row[..] else { panic!("{row:?}") };
    let entries = read((T::PfxFile, T::PfxBlob), file, word(password)).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(certificates(&entries), sorted(expected), "{file}");
    let keys: Vec<String> = entries.iter().filter(|e| e.key.is_some()).map(public).collect();
    assert_eq!(keys, if key == "-" { vec![] } else { vec![key.to_owned()] }, "{file}");
    // "*" takes the entry with the key, and its key fits its certificate.
    let chosen = entries.select("*").unwrap_or_else(|| panic!("{file} is empty"));
    assert_eq!(chosen.private_key_available(), key != "-", "{file}");
    if let (Some(key), Some(certificate)) = (&chosen.key, &chosen.certificate) {
        assert!(key.belongs_to(certificate), "{file}");
    }
    let error = read((T::PfxFile, T::PfxBlob), file, "wrong-word").expect_err(file);
    assert_eq!(class(&error, file), "password", "{error}");
}

#[test]
#[ignore = "tests/certs/run.sh"]
fn every_certificate_of_pkits_has_the_fields_of_openssl() {
    let rows = rows("certificate");
    assert_eq!(rows.len(), 405);
    for (file, row) in rows {
        let [serial, end, key, sha256] = row[..] else { panic!("{row:?}") };
        let entries = read((T::PublicKeyFile, T::PublicKeyBlob), &file, "").unwrap_or_else(|e| panic!("{e}"));
        assert_eq!((entries.len(), certificates(&entries).as_str()), (1, sha256), "{file}");
        let found = Certificate::from_file(&file).unwrap();
        let number = |text: &str| text.trim_start_matches('0').to_owned();
        assert_eq!(number(&found.serial_number().unwrap()), number(serial), "{file}");
        let shown = format!("{} {}", found.public_key_algorithm().unwrap(), found.public_key_length().unwrap());
        assert_eq!(shown, key, "{file}");
        let expected = ssmtp::certs::time::text(end.parse().unwrap(), 0);
        assert_eq!(found.expiration_date(|_| 0).unwrap(), expected, "{file}");
    }
}

#[test]
#[ignore = "tests/certs/run.sh"]
fn every_p7b_gives_its_certificates_or_its_error() {
    for (file, row) in rows("p7b") {
        match (read((T::P7bFile, T::P7bBlob), &file, ""), row[0]) {
            (Ok(entries), expected) if expected != "-" => {
                assert_eq!(certificates(&entries), sorted(expected), "{file}")
            }
            (Ok(entries), _) => assert!(entries.is_empty() && row[1] == "empty", "{file}: {}", certificates(&entries)),
            (Err(error), _) => assert_eq!(class(&error, &file), row.get(1).copied().unwrap_or("read"), "{error}"),
        }
    }
}

#[test]
#[ignore = "tests/certs/run.sh"]
fn every_odd_key_is_read_or_refused_for_its_reason() {
    let rows = rows("key");
    assert!(rows.len() > 130, "{}", rows.len());
    let mut wrong = Vec::new();
    for (file, row) in rows {
        let found = match open(T::Auto, file.as_bytes(), word(row[0])) {
            Err(error) => format!("{}\t{}", row[0], class(&error, &file)),
            Ok(entries) => match entries.select("*") {
                None => format!("{}\tempty", row[0]),
                Some(entry) => {
                    let half = if entry.private_key_available() { "private" } else { "public" };
                    let kind = format!("{} {}", entry.public_key_algorithm(), entry.public_key_length());
                    format!("{}\t{half}\t{}\t{kind}", row[0], public(&entry))
                }
            },
        };
        if found != row.join("\t") {
            wrong.push(format!(
                "{file}\n  expected {}\n  found    {found}  {:?}",
                row.join("\t"),
                open(T::Auto, file.as_bytes(), word(row[0])).err()
            ));
        }
        // A password that is wrong is told apart from everything else.
        if row[0] != "-" && row[1] == "private" {
            match open(T::Auto, file.as_bytes(), "wrong-word") {
                Err(error) if class(&error, &file) == "password" => {}
                other => wrong.push(format!("{file} with a wrong password: {:?}", other.err())),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
