//! `cargo xtask coverage`: docs/coverage.md, which names for each row of tests/data/spec-names.tsv, and for each name of ours,
//! the tests that show it. A test shows a row when it uses it under any of its names: that of the specification, that of C, or
//! that of another language.

mod sources;

use super::{File, cpp, rust};
use crate::model::{Api, Enum, snake};
use sources::{Kind, Tests};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

/// One thing that must be shown.
pub struct Row {
    pub kind: String,
    pub name: String,
    /// By number in [`Tests`], in their order.
    tests: Vec<usize>,
    /// Why no test can show it.
    pub reason: String,
}

impl Row {
    pub fn is_shown(&self) -> bool {
        !self.tests.is_empty()
    }
}

pub struct Coverage {
    pub rows: Vec<Row>,
    tests: Tests,
    /// How many rows each test shows.
    uses: Vec<usize>,
}

/// A word and what must stand around it.
type Form<'a> = (String, &'a dyn Fn(&str, &str) -> bool);

fn anywhere(_: &str, _: &str) -> bool {
    true
}

/// `.mail_port`, but for words that many things are called only of the client: `smtp.from`, or in a chain of setters.
fn of_client(before: &str, _: &str) -> bool {
    ["smtp.", "Smtp.", "smtp->", "client.", ").", "\n    ."].iter().any(|b| before.trim_end_matches(' ').ends_with(b))
}

fn of_anything(before: &str, _: &str) -> bool {
    before.ends_with('.') && !before.ends_with("..")
}

/// `"From"`, `"Hello=…"`, `set From=…` of a transcript.
fn as_name(before: &str, after: &str) -> bool {
    let quoted = before.ends_with(['"', '\'']) && after.starts_with(['"', '\'', '=', '[']);
    quoted || ["set ", "get ", "config "].iter().any(|verb| before.ends_with(verb)) || after.starts_with("={")
}

fn called(before: &str, after: &str) -> bool {
    before.ends_with("do ") || (before.ends_with('"') && after.starts_with('"'))
}

fn listened(before: &str, after: &str) -> bool {
    before.ends_with("event ") || before.ends_with("Kind::") || (before.ends_with('"') && after.starts_with('"'))
}

/// A number where errors are told: `code, 161`, `error 161`, `fails(161`, `expect 161`, `Code::… => 161`.
fn as_error(before: &str, after: &str) -> bool {
    let words = [
        "code, ",
        "code == ",
        "code(), ",
        "code() == ",
        "error ",
        "Error ",
        "errors ",
        "fails(",
        "Fails(",
        "expect ",
        "Err(",
        "code = ",
        "Code, ",
        "complete ",
        "disconnected ",
        "SendAll ",
        "status ",
        "send(smtp), ",
        "code=",
        "code != ",
    ];
    let compared = before.ends_with(", ")
        && after.starts_with([')', ','])
        && before.rsplit('\n').next().is_some_and(|line| {
            ["code", "error", "fails", "ssmtp_", "result", "Send", "refus", "libc::E"]
                .iter()
                .any(|word| line.contains(word))
        });
    compared || words.iter().any(|word| before.ends_with(word))
}

/// More than one word, so that nothing else is called so.
fn is_compound(spec: &str) -> bool {
    snake(spec).contains('_') || (spec.len() >= 5 && spec.bytes().filter(u8::is_ascii_uppercase).count() >= 2)
}

pub fn read(root: &Path) -> Result<Coverage, String> {
    let api = Api::load(&root.join("api"))?;
    let tests = Tests::read(root)?;
    let reasons = reasons(root)?;
    let list = std::fs::read_to_string(root.join("tests/data/spec-names.tsv"))
        .map_err(|e| format!("the list of names: {e}"))?;
    let mut wanted: Vec<(String, String, String)> = Vec::new();
    for line in list.lines().skip(1) {
        let cells: Vec<&str> = line.split('\t').collect();
        let text = |at: usize| cells.get(at).copied().unwrap_or_default().to_string();
        wanted.push((text(0), text(1), text(2)));
    }
    wanted.extend(ours(&api));
    let mut rows = Vec::new();
    for (kind, name, detail) in wanted {
        for (name, forms) in rows_of(&api, &kind, &name, &detail) {
            let mut found = BTreeSet::new();
            for (word, fits) in forms {
                found.extend(tests.with(&word, fits));
            }
            let reason = reasons.get(&(kind.clone(), name.clone())).cloned().unwrap_or_default();
            rows.push(Row { kind: kind.clone(), name, tests: found.into_iter().collect(), reason });
        }
    }
    for key in reasons.keys() {
        if !rows.iter().any(|row| (&row.kind, &row.name) == (&key.0, &key.1)) {
            return Err(format!("tests/data/not-shown.tsv has a row that there is not: {} {}", key.0, key.1));
        }
    }
    let mut uses = vec![0; tests.count()];
    rows.iter().flat_map(|row| &row.tests).for_each(|&number| uses[number] += 1);
    Ok(Coverage { rows, tests, uses })
}

/// tests/data/not-shown.tsv: kind, name, and why no test shows it.
fn reasons(root: &Path) -> Result<BTreeMap<(String, String), String>, String> {
    let path = root.join("tests/data/not-shown.tsv");
    let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    let mut all = BTreeMap::new();
    for line in text.lines().skip(1) {
        let cells: Vec<&str> = line.split('\t').collect();
        let [kind, name, reason] = cells[..] else { return Err(format!("not-shown.tsv: three cells a row: {line}")) };
        all.insert((kind.to_string(), name.to_string()), reason.to_string());
    }
    Ok(all)
}

/// What the specification does not have.
fn ours(api: &Api) -> Vec<(String, String, String)> {
    let mut rows = Vec::new();
    let mut add = |kind: &str, spec: &str, origin: &str| {
        if origin == "ours" {
            rows.push((kind.to_string(), spec.to_string(), String::new()));
        }
    };
    api.properties.iter().filter(|p| p.family.is_empty()).for_each(|p| add("property", &p.spec, &p.origin));
    api.settings.iter().for_each(|s| add("config", &s.spec, &s.origin));
    api.methods.iter().for_each(|m| add("method", &m.spec, &m.origin));
    api.events.iter().for_each(|e| add("event", &e.spec, &e.origin));
    rows
}

/// The rows that one line of the list becomes, each with the words that show it. An enumeration becomes one a member.
fn rows_of(api: &Api, kind: &str, name: &str, detail: &str) -> Vec<(String, Vec<Form<'static>>)> {
    let snaked = snake(name);
    let forms: Vec<Form> = match kind {
        "property" => property(api, name),
        "config" => {
            let mut forms: Vec<Form> = vec![(name.to_string(), if is_compound(name) { &anywhere } else { &as_name })];
            forms.push((rust::camel_type(name), &|before, _| before.ends_with("Setting::")));
            forms
        }
        "method" => {
            let at: &dyn Fn(&str, &str) -> bool = if is_compound(name) { &of_anything } else { &of_client };
            vec![(format!("ssmtp_{snaked}"), &anywhere), (name.into(), &called), (snaked, at), (name.into(), at)]
        }
        "event" => {
            let on = format!("on_{snaked}");
            vec![
                (format!("ssmtp_{on}"), &anywhere),
                (on, &anywhere),
                (format!("On{name}"), &anywhere),
                (name.into(), &listened),
            ]
        }
        "enum" => return api.enums.iter().filter(|e| e.spec == name).flat_map(|e| members(api, e)).collect(),
        "certificate-field" => vec![
            (format!("ssmtp_cert_get_{snaked}"), &anywhere),
            (format!("ssmtp_cert_set_{snaked}"), &anywhere),
            (snaked, &of_certificate),
            (name.into(), &of_certificate),
        ],
        "recipient-field" | "header-field" | "firewall-field" => {
            let (owner, view) = match kind {
                "recipient-field" => ("MessageRecipient", "message_recipient"),
                "header-field" => ("MessageHeader", "message_header"),
                _ => ("Firewall", "firewall"),
            };
            let own = name.strip_prefix(owner).unwrap_or(name).trim_start_matches("Recipient");
            vec![
                (format!("{owner}{own}"), &anywhere),
                (format!("ssmtp_get_{view}_{}", snake(own)), &anywhere),
                (format!("ssmtp_set_{view}_{}", snake(own)), &anywhere),
            ]
        }
        "constructor" => constructor(name, detail),
        "error" => error(api, name),
        _ => Vec::new(),
    };
    let shown = if kind == "constructor" { format!("{name}{detail}") } else { name.to_string() };
    vec![(shown, forms)]
}

fn property(api: &Api, name: &str) -> Vec<Form<'static>> {
    let snaked = snake(name);
    let compound = is_compound(name);
    let at: &dyn Fn(&str, &str) -> bool = if compound { &of_anything } else { &of_client };
    let mut forms: Vec<Form> = vec![
        (name.to_string(), if compound { &anywhere } else { &as_name }),
        (name.to_string(), at),
        (format!("ssmtp_get_{snaked}"), &anywhere),
        (format!("ssmtp_set_{snaked}"), &anywhere),
        (format!("{snaked}_"), at),
        (snaked.clone(), at),
    ];
    // A field of a certificate that is a property: smtp.ssl_cert.subject.
    if let Some(p) = api.properties.iter().find(|p| p.spec == name && !p.family.is_empty()) {
        let family = p.family.clone();
        let owner = snake(&family);
        let fits = move |before: &str, _: &str| {
            [format!("{owner}."), format!("{owner}()."), format!("{family}.")]
                .iter()
                .any(|b| before.ends_with(b.as_str()))
        };
        let fits: &'static dyn Fn(&str, &str) -> bool = Box::leak(Box::new(fits));
        forms.push((snake(&p.family_field), fits));
        forms.push((p.family_field.clone(), fits));
    }
    forms
}

/// `cert.subject`, `certificate().Subject`.
fn of_certificate(before: &str, _: &str) -> bool {
    let receiver = |b: &str| {
        let word = b.strip_suffix("()").unwrap_or(b);
        let word = word
            .rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        word.contains("cert") || ["leaf", "loaded", "signer", "pem", "pfx"].contains(&word.as_str())
    };
    before.strip_suffix('.').is_some_and(receiver)
}

fn members(api: &Api, e: &Enum) -> Vec<(String, Vec<Form<'static>>)> {
    let mut rows = Vec::new();
    for member in &e.members {
        let owner = e.name.clone();
        let of_enum = move |before: &str, _: &str| {
            [format!("{owner}::"), format!("{owner}."), format!("{}::", rust::camel_type(&owner))]
                .iter()
                .any(|b| before.ends_with(b.as_str()))
        };
        let of_enum: &'static dyn Fn(&str, &str) -> bool = Box::leak(Box::new(of_enum));
        let mut forms: Vec<Form> = vec![
            (member.spec.clone(), &anywhere),
            (format!("SSMTP_{}_{}", snake(&e.name).to_ascii_uppercase(), member.name), &anywhere),
            (member.name.clone(), of_enum),
            (cpp::camel(&member.name.to_ascii_lowercase()), of_enum),
        ];
        // Its number, where a property of that type is set to it.
        let number = member.value.to_string();
        let set = move |_: &str, after: &str| {
            ["=", "\", \"", "', '", "(smtp, "].iter().any(|between| {
                after
                    .strip_prefix(between)
                    .and_then(|rest| rest.strip_prefix(number.as_str()))
                    .is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()))
            })
        };
        let set: &'static dyn Fn(&str, &str) -> bool = Box::leak(Box::new(set));
        for p in api.properties.iter().filter(|p| p.type_name == e.spec) {
            forms.push((p.spec.clone(), set));
            forms.push((format!("ssmtp_set_{}", p.name), set));
        }
        rows.push((format!("{}.{}", e.spec, member.spec), forms));
    }
    rows
}

fn constructor(name: &str, params: &str) -> Vec<Form<'static>> {
    let made = |before: &str, after: &str| {
        after.starts_with('(')
            && !before.ends_with(['.', '_'])
            && !before.ends_with("void ")
            && !before.ends_with("fn ")
    };
    let function = match params {
        "()" => "ssmtp_cert_new",
        "(certificateFile: string)" => "ssmtp_cert_new_file",
        "(certificateData: bytes)" => "ssmtp_cert_new_data",
        _ if params.contains("encoded") => "ssmtp_cert_new_store_encoded",
        _ if params.contains("storeBlob") => "ssmtp_cert_new_store_data",
        _ => "ssmtp_cert_new_store",
    };
    let made: &'static dyn Fn(&str, &str) -> bool = Box::leak(Box::new(made));
    let braced: &'static dyn Fn(&str, &str) -> bool =
        &|before, after| before.ends_with("ssmtp::") || before.ends_with("new ") || after.starts_with('{');
    match name {
        "Certificate" => vec![(function.to_string(), &anywhere)],
        _ => vec![(name.to_string(), made), (name.to_string(), braced)],
    }
}

fn error(api: &Api, number: &str) -> Vec<Form<'static>> {
    let mut forms: Vec<Form> = vec![(number.to_string(), &as_error)];
    for e in api.errors.iter().filter(|e| e.code.to_string() == number) {
        forms.push((format!("SSMTP_ERROR_{}", e.name), &anywhere));
        forms.push((e.name.clone(), &|before, _| before.ends_with("ErrorCode::") || before.ends_with("ErrorCode.")));
        forms.push((e.name.clone(), &|before, _| before.ends_with("Code.") || before.ends_with("fails(")));
        let camel = cpp::camel(&e.name.to_ascii_lowercase());
        forms.push((camel, &|before, _| before.ends_with("Code::") || before.ends_with("SsmtpErrorCodes.")));
    }
    forms
}

impl Coverage {
    /// What nothing shows and no reason excuses.
    pub fn missing(&self) -> Vec<&Row> {
        self.rows.iter().filter(|row| !row.is_shown() && row.reason.is_empty()).collect()
    }

    /// Excused, and shown all the same.
    pub fn excused_in_vain(&self) -> Vec<&Row> {
        self.rows.iter().filter(|row| row.is_shown() && !row.reason.is_empty()).collect()
    }

    pub fn tests(&self) -> usize {
        self.tests.count()
    }

    /// docs/coverage.md.
    pub fn page(&self) -> File {
        let mut out = String::from(
            "<!-- Generated by `cargo xtask coverage` from the tests. -->\n\n# What shows each name\n\nEvery name of the \
             specification, and every name of ours, with tests that use it: at most one of each language, and how many more \
             there are. Tests that go through all names (defaults, reading back, NULL, layouts) are generated and not listed \
             here.\n",
        );
        let titles = [
            ("method", "Methods"),
            ("event", "Events"),
            ("property", "Properties"),
            ("config", "Settings"),
            ("enum", "Enumerations"),
            ("certificate-field", "Fields of a certificate"),
            ("recipient-field", "Fields of a recipient"),
            ("header-field", "Fields of a header"),
            ("firewall-field", "Fields of the proxy"),
            ("constructor", "Constructors"),
            ("error", "Error numbers"),
        ];
        for (kind, title) in titles {
            let _ = write!(out, "\n## {title}\n\n| name | shown by |\n| --- | --- |\n");
            for row in self.rows.iter().filter(|row| row.kind == kind) {
                let _ = writeln!(out, "| `{}` | {} |", row.name, self.shown_by(row));
            }
        }
        File::new("docs/coverage.md", out)
    }

    fn shown_by(&self, row: &Row) -> String {
        if !row.is_shown() {
            return row.reason.clone();
        }
        // Of each language the test that is about this name: one that has it in its own, or else one that uses few others.
        let word = snake(row.name.rsplit('.').next().unwrap_or_default());
        let score = |number: usize| (!self.tests.get(number).name.contains(&word), self.uses[number], number);
        let mut best: BTreeMap<Kind, usize> = BTreeMap::new();
        for &number in &row.tests {
            let place = best.entry(self.tests.get(number).kind).or_insert(number);
            if score(number) < score(*place) {
                *place = number;
            }
        }
        let names: Vec<String> = best.values().map(|&number| format!("`{}`", self.tests.get(number).name)).collect();
        let more = row.tests.len() - names.len();
        let tail = if more > 0 { format!(", and {more} more") } else { String::new() };
        names.join(", ") + &tail
    }
}

/// Writes the page, or compares it; true when it was stale.
pub fn run(root: &Path, check: bool) -> Result<(Coverage, bool), String> {
    let coverage = read(root)?;
    let mut stale = Vec::new();
    super::write_if_stale(root, &coverage.page(), check, &mut stale)?;
    Ok((coverage, !stale.is_empty()))
}
