//! Holds the API description to the component's list of names, and the generated files to the description.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use xtask::model::{Access, Api, Setting, Value};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn api() -> Api {
    Api::load(&root().join("api")).expect("api/ is well formed")
}

// --- The list of names ---------------------------------------------------------------------------------------------------

/// A row of `tests/data/spec-names.tsv`, or what `api/` says about the same thing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    kind: String,
    name: String,
    value_type: String,
    access: String,
    default: String,
}

impl Row {
    fn new(kind: &str, name: &str, value_type: &str, access: &str, default: &str) -> Row {
        let text = |s: &str| s.to_string();
        Row {
            kind: text(kind),
            name: text(name),
            value_type: text(value_type),
            access: text(access),
            default: text(default),
        }
    }

    /// Constructors share their type's name; all else is unique in its kind.
    fn key(&self) -> (String, String) {
        let overload = if self.kind == "constructor" { self.value_type.as_str() } else { "" };
        (self.kind.clone(), format!("{}{overload}", self.name))
    }
}

fn listed() -> Vec<Row> {
    let text = fs::read_to_string(root().join("tests/data/spec-names.tsv")).expect("the list of names");
    let mut rows = Vec::new();
    for line in text.lines().skip(1) {
        let cells: Vec<&str> = line.split('\t').collect();
        assert_eq!(cells.len(), 6, "a row of six cells: {line}");
        rows.push(Row::new(cells[0], cells[1], cells[2], cells[3], cells[4]));
    }
    rows
}

/// What a row of `api/` says of itself beside its content.
struct Note {
    ours: bool,
    ruling: Option<u32>,
}

fn note(origin: &str, ruling: Option<u32>) -> Note {
    Note { ours: origin == "ours", ruling }
}

/// A default as the list writes it. No default at all is False or 0 there, and empty for text.
fn default_text(default: &Option<Value>, type_name: &str) -> String {
    match default {
        Some(Value::Bool(true)) => "True".into(),
        Some(Value::Bool(false)) => "False".into(),
        Some(Value::Int(n)) => n.to_string(),
        Some(Value::Text(t)) => t.clone(),
        None => match type_name {
            "bool" => "False".into(),
            "string" | "bytes" | "certificate" => String::new(),
            _ => "0".into(),
        },
    }
}

/// The list writes `int ms`, `int hex`.
fn setting_type(s: &Setting) -> String {
    let detail = if s.unsigned { "hex" } else { s.unit.as_str() };
    if s.type_name != "int" || detail.is_empty() { s.type_name.clone() } else { format!("int {detail}") }
}

/// The types of the object rows, which `api/` calls `shape = "object"`.
fn object_type(spec: &str) -> &str {
    match spec {
        "MessageHeaders" => "HeaderList",
        "MessageRecipients" => "MessageRecipientList",
        other => other,
    }
}

fn described(api: &Api) -> Vec<(Row, Note)> {
    let mut rows = Vec::new();
    for p in &api.properties {
        let (value_type, default) = if p.is_object() {
            (object_type(&p.spec), String::new())
        } else if p.type_name == "certificate" {
            ("Certificate", String::new())
        } else if p.index && p.default.is_none() && p.type_name == "string" {
            ("string", String::new())
        } else {
            (p.type_name.as_str(), default_text(&p.default, &p.type_name))
        };
        rows.push((Row::new("property", &p.spec, value_type, p.access.text(), &default), note(&p.origin, p.ruling)));
    }
    for m in &api.methods {
        let params: Vec<String> = m.params.iter().map(|p| format!("{}: {}", p.spec, p.type_name)).collect();
        let mut signature = format!("({})", params.join(", "));
        if !m.returns.is_empty() {
            signature += &format!(" -> {}", m.returns);
        }
        rows.push((Row::new("method", &m.spec, &signature, "", ""), note(&m.origin, m.ruling)));
    }
    for e in &api.events {
        let field = |f: &xtask::model::EventField| {
            format!("{}:{}{}", f.spec, f.type_name, if f.inout { "(inout)" } else { "" })
        };
        let fields: Vec<String> = e.fields.iter().map(field).collect();
        rows.push((Row::new("event", &e.spec, &fields.join(", "), "", ""), note(&e.origin, e.ruling)));
    }
    for s in &api.settings {
        let default = default_text(&s.default, &s.type_name);
        rows.push((
            Row::new("config", &s.spec, &setting_type(s), s.access.text(), &default),
            note(&s.origin, s.ruling),
        ));
    }
    for e in &api.enums {
        let members: Vec<String> = e.members.iter().map(|m| format!("{}={}", m.spec, m.value)).collect();
        rows.push((Row::new("enum", &e.spec, &members.join(","), "", ""), note(&e.origin, e.ruling)));
    }
    for e in &api.errors {
        rows.push((Row::new("error", &e.code.to_string(), "", "", ""), note(&e.origin, e.ruling)));
    }
    let kinds = [
        ("Certificate", "certificate-field"),
        ("Firewall", "firewall-field"),
        ("Header", "header-field"),
        ("MessageRecipient", "recipient-field"),
    ];
    for t in &api.types {
        let kind = kinds.iter().find(|(spec, _)| *spec == t.spec).expect("one of the four object types").1;
        for f in &t.fields {
            let default = default_text(&f.default, &f.type_name);
            rows.push((Row::new(kind, &f.spec, &f.type_name, f.access.text(), &default), note("", f.ruling)));
        }
    }
    for c in &api.constructors {
        rows.push((Row::new("constructor", &c.spec, &c.params, "", ""), note("", None)));
    }
    rows
}

/// Defaults that the list puts in words because they depend on the machine; read through the setting, not from `api/`.
const DEFAULTS_IN_WORDS: &[(&str, &str)] = &[("Hello", "local host name")];

/// A unit that the list does not tell is no deviation.
fn same_type(listed: &Row, described: &Row) -> bool {
    let (wanted, found) = (&listed.value_type, &described.value_type);
    wanted == found || (listed.kind == "config" && wanted == "int" && found.starts_with("int "))
}

/// Why a described row does not keep to the listed one, if it doesn't.
fn deviation(listed: &Row, described: &Row) -> Option<String> {
    let mut of = Vec::new();
    if !same_type(listed, described) {
        of.push(format!("type {:?} instead of {:?}", described.value_type, listed.value_type));
    }
    if listed.access != described.access {
        of.push(format!("access {:?} instead of {:?}", described.access, listed.access));
    }
    let in_words = DEFAULTS_IN_WORDS.contains(&(listed.name.as_str(), listed.default.as_str()));
    if listed.default != described.default && !(in_words && described.default.is_empty()) {
        of.push(format!("default {:?} instead of {:?}", described.default, listed.default));
    }
    (!of.is_empty()).then(|| of.join(", "))
}

/// Everything wrong between the list and the description, in words.
fn differences(listed: &[Row], described: &[(Row, Note)]) -> Vec<String> {
    let by_key: BTreeMap<_, _> = described.iter().map(|(row, note)| (row.key(), (row, note))).collect();
    let mut wrong = Vec::new();
    if by_key.len() != described.len() {
        wrong.push("a row of api/ is described twice".into());
    }
    for row in listed {
        match by_key.get(&row.key()) {
            None => wrong.push(format!("{} {} is not described", row.kind, row.name)),
            Some((_, note)) if note.ours => {
                wrong.push(format!("{} {} is listed, and says it is ours", row.kind, row.name))
            }
            Some((found, note)) => {
                if let (Some(what), None) = (deviation(row, found), note.ruling) {
                    wrong.push(format!("{} {}: {what}, and no ruling is named", row.kind, row.name));
                }
            }
        }
    }
    let known: BTreeSet<_> = listed.iter().map(Row::key).collect();
    for (row, note) in described {
        if !known.contains(&row.key()) && !note.ours {
            wrong.push(format!("{} {} is not in the list and does not say it is ours", row.kind, row.name));
        }
    }
    wrong
}

#[test]
fn every_listed_name_is_described_as_listed_or_names_its_ruling() {
    let listed = listed();
    assert_eq!(listed.len(), 411);
    let wrong = differences(&listed, &described(&api()));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_comparison_with_the_list_notices_every_kind_of_difference() {
    let api = api();
    fn row<'a>(rows: &'a mut [Row], kind: &str, name: &str) -> &'a mut Row {
        rows.iter_mut().find(|r| r.kind == kind && r.name == name).expect("a listed row")
    }
    let changes: [fn(&mut Vec<Row>); 6] = [
        |rows| rows.push(Row::new("property", "Cellar", "int", "rw", "0")),
        |rows| rows.retain(|r| r.name != "MailPort"),
        |rows| row(rows, "property", "MailPort").default = "26".into(),
        |rows| row(rows, "property", "Subject").access = "ro".into(),
        |rows| row(rows, "config", "LingerTime").value_type = "int ms".into(),
        |rows| row(rows, "enum", "Priorities").value_type = "epUnspecified=0,epNormal=1,epUrgent=4".into(),
    ];
    for change in changes {
        let mut rows = listed();
        change(&mut rows);
        assert_eq!(differences(&rows, &described(&api)).len(), 1);
    }
}

#[test]
fn a_ruling_that_is_named_is_documented() {
    let rulings = fs::read_to_string(root().join("docs/rulings.md")).expect("docs/rulings.md");
    let documented: BTreeSet<u32> =
        rulings.lines().filter_map(|line| line.strip_prefix("## ")?.split_once('.')?.0.parse().ok()).collect();
    assert!(documented.len() > 40, "only {} rulings found", documented.len());
    for (row, note) in described(&api()) {
        if let Some(ruling) = note.ruling {
            assert!(documented.contains(&ruling), "{} {} names ruling {ruling}", row.kind, row.name);
        }
    }
}

// --- The generated files -------------------------------------------------------------------------------------------------

/// A copy of what the generator reads, in a folder of its own that goes away with it.
struct Copy {
    root: PathBuf,
}

impl Copy {
    fn new(name: &str) -> Copy {
        Copy::at(std::env::temp_dir().join(format!("ssmtp-{name}-{}", std::process::id())))
    }

    fn at(folder: PathBuf) -> Copy {
        let _ = fs::remove_dir_all(&folder);
        let copy = Copy { root: folder };
        for part in ["api", "src", "include", "bindings", "tests", "docs", "xtask", "benches", "library", "octets"] {
            copy_folder(&root().join(part), &copy.root.join(part));
        }
        for file in ["Cargo.toml", "Cargo.lock", "build.rs", "cbindgen.toml"] {
            if root().join(file).exists() {
                fs::copy(root().join(file), copy.root.join(file)).expect("a copied file");
            }
        }
        copy
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.root);
    }
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder for the copy");
    for entry in fs::read_dir(from).expect("a folder of the project") {
        let entry = entry.expect("its entry");
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy_folder(&path, &target);
        } else {
            fs::copy(&path, &target).expect("a copied file");
        }
    }
}

/// One letter of the last line that has one, so that the file's mark stays.
fn change_one_byte(path: &Path) {
    let mut bytes = fs::read(path).expect("a generated file");
    let at = bytes.iter().rposition(u8::is_ascii_alphabetic).expect("a letter");
    bytes[at] ^= 0x20;
    fs::write(path, bytes).expect("the changed file");
}

fn generated(root: &Path) -> BTreeMap<String, String> {
    let files = xtask::r#gen::files(root).expect("the generator runs");
    files.into_iter().map(|f| (f.path, f.content)).collect()
}

#[test]
fn nothing_generated_is_stale() {
    let stale = xtask::r#gen::run(&root(), true).expect("the generator runs");
    assert!(stale.is_empty(), "run `cargo xtask gen`; stale: {stale:?}");
}

#[test]
fn one_changed_byte_makes_any_generated_file_stale() {
    let copy = Copy::new("one-byte");
    let files: Vec<String> = generated(&copy.root).into_keys().collect();
    assert!(files.len() > 10, "only {} generated files", files.len());
    for path in &files {
        change_one_byte(&copy.root.join(path));
    }
    let mut stale = xtask::r#gen::run(&copy.root, true).expect("the generator runs");
    stale.sort();
    assert_eq!(stale, files);
}

#[test]
fn one_changed_byte_makes_the_header_stale() {
    let copy = Copy::new("header-byte");
    // Whatever else may be stale is another test's business.
    for (path, content) in generated(&copy.root) {
        fs::write(copy.root.join(path), content).expect("a generated file");
    }
    change_one_byte(&copy.root.join("include/ssmtp.h"));
    assert_eq!(xtask::r#gen::run(&copy.root, true).expect("the generator runs"), ["include/ssmtp.h"]);
}

/// Every file below a folder, by its path there.
fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).expect("a folder of the copy") {
            let path = entry.expect("its entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).expect("below it").to_string_lossy().into_owned();
                found.insert(name, fs::read(&path).expect("a file of the copy"));
            }
        }
    }
    found
}

/// Puts a text behind the first occurrence of another one, or at the end when that is empty.
fn insert(path: &Path, behind: &str, text: &str) {
    let old = fs::read_to_string(path).expect("a file to edit");
    let at = if behind.is_empty() { old.len() } else { old.find(behind).expect("the place to edit") + behind.len() };
    fs::write(path, format!("{}{text}{}", &old[..at], &old[at..])).expect("the edited file");
}

#[test]
fn a_trial_property_takes_two_edited_files_and_compiles() {
    // A fixed place, so that a second run finds the dependencies compiled.
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("trial");
    let copy = Copy::at(place.join("tree"));
    let before = contents(&copy.root);

    let by_hand = ["api/properties.toml", "src/component/state.rs"];
    insert(
        &copy.root.join(by_hand[0]),
        "",
        "\n[[property]]\nspec = \"TrialNumber\"\nname = \"trial_number\"\ntype = \"int\"\non = \"server\"\ndefault = 7\n\
         since = \"0.1\"\norigin = \"ours\"\ndoc = \"Of a test.\"\n",
    );
    insert(&copy.root.join(by_hand[1]), "pub struct Server {\n", "    pub trial_number: i32,\n");
    xtask::r#gen::run(&copy.root, false).expect("the generator runs");

    let after = contents(&copy.root);
    assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>(), "no new file");
    let changed: Vec<&String> = after.keys().filter(|path| before[*path] != after[*path]).collect();
    let mut made: Vec<String> = generated(&copy.root).into_keys().collect();
    made.push("include/ssmtp.h".into());
    for path in &changed {
        assert!(by_hand.contains(&path.as_str()) || made.contains(path), "{path} changed and is not generated");
    }
    for (place, word) in [
        ("src/component/", "TrialNumber"),
        ("src/ffi/gen/", "ssmtp_set_trial_number"),
        ("tests/abi/", "ssmtp_get_trial_number"),
        ("include/ssmtp.hpp", "trial_number"),
        ("include/ssmtp.h", "ssmtp_set_trial_number"),
        ("bindings/python/", "trial_number"),
        ("bindings/dotnet/", "TrialNumber"),
        ("docs/reference/", "TrialNumber"),
    ] {
        let says = |path: &str| String::from_utf8_lossy(&after[path]).contains(word);
        let found = changed.iter().any(|path| path.starts_with(place) && says(path));
        assert!(found, "{word} is in no changed file of {place}; changed: {changed:?}");
    }

    let check = Command::new(env!("CARGO"))
        .args(["check", "--quiet", "--lib", "--package", "ssmtp", "--offline", "--locked"])
        .current_dir(&copy.root)
        .env("CARGO_TARGET_DIR", place.join("target"))
        .output()
        .expect("cargo runs");
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stderr));
}

#[test]
fn access_is_what_the_c_functions_offer() {
    let api = api();
    let names: BTreeSet<String> = api.c_functions().into_iter().map(|f| f.name).collect();
    for p in api.properties.iter().filter(|p| !p.is_object() && !p.by_name_only) {
        assert_eq!(names.contains(&format!("ssmtp_get_{}", p.name)), p.access != Access::Wo, "{}", p.spec);
        assert_eq!(names.contains(&format!("ssmtp_set_{}", p.name)), p.access != Access::Ro, "{}", p.spec);
    }
}
