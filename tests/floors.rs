//! The floors of ARCHITECTURE.md, held by reading the sources: a module names only modules of lower floors, and `unsafe` stays
//! where it belongs. Code under `#[cfg(test)]` is free.

use std::path::{Path, PathBuf};

/// Every module of `src/lib.rs` and its floor. A new module gets a line here, which is the moment to think where it belongs.
const FLOORS: &[(&str, u8)] = &[
    ("error", 0),
    ("text", 0),
    ("enums", 0),
    ("events", 1),
    ("config", 1),
    ("message", 1),
    ("certs", 1),
    ("auth", 1),
    ("smime", 2),
    ("net", 2),
    ("smtp", 3),
    ("queue", 3),
    ("component", 4),
    ("ffi", 5),
];

/// Where `unsafe` may stand.
const UNSAFE: &[&str] =
    &["ffi", "auth/gssapi/library.rs", "certs/token/pkcs11.rs", "net/socket.rs", "net/tls/openssl/foreign"];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn floor(module: &str) -> Option<u8> {
    FLOORS.iter().find(|(name, _)| *name == module).map(|(_, floor)| *floor)
}

/// Every `.rs` file of `src/`, as its path below `src/` and its text without comments, strings and test modules.
fn sources() -> Vec<(String, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).expect("src/ can be listed") {
            let path = entry.expect("an entry of src/").path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push(path);
            }
        }
    }
    let src = root().join("src");
    let mut paths = Vec::new();
    walk(&src, &mut paths);
    paths.sort();
    paths
        .iter()
        // Declared `#[cfg(test)] mod tests;` by the file above.
        .filter(|p| p.file_stem().is_some_and(|s| s != "tests"))
        .map(|p| {
            let name = p.strip_prefix(&src).expect("a file below src/").to_string_lossy().replace('\\', "/");
            (name, without_tests(&bare(&std::fs::read_to_string(p).expect("a readable source"))))
        })
        .collect()
}

/// The text with comments and the content of literals blanked out.
fn bare(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut i = 0;
    while i < letters.len() {
        let rest = &letters[i..];
        let skip = match rest[0] {
            '/' if rest.get(1) == Some(&'/') => rest.iter().position(|&c| c == '\n').unwrap_or(rest.len()),
            '/' if rest.get(1) == Some(&'*') => block_comment(rest),
            'r' if !out.ends_with(word) => raw_string(rest).unwrap_or(0),
            '"' => string(rest),
            '\'' => character(rest),
            _ => 0,
        };
        if skip == 0 {
            out.push(rest[0]);
            i += 1;
        } else {
            out.push(' ');
            i += skip;
        }
    }
    out
}

fn word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn block_comment(text: &[char]) -> usize {
    let (mut depth, mut i) = (0, 0);
    while i + 1 < text.len() {
        match (text[i], text[i + 1]) {
            ('/', '*') => depth += 1,
            ('*', '/') => depth -= 1,
            _ => {
                i += 1;
                continue;
            }
        }
        i += 2;
        if depth == 0 {
            return i;
        }
    }
    text.len()
}

fn string(text: &[char]) -> usize {
    let mut i = 1;
    while i < text.len() && text[i] != '"' {
        i += if text[i] == '\\' { 2 } else { 1 };
    }
    (i + 1).min(text.len())
}

/// The length of `r"…"` or `r#"…"#`; `r#type` is a name.
fn raw_string(text: &[char]) -> Option<usize> {
    let hashes = text[1..].iter().take_while(|&&c| c == '#').count();
    if text.get(1 + hashes) != Some(&'"') {
        return None;
    }
    let mut i = 2 + hashes;
    while i < text.len() {
        if text[i] == '"' && text[i + 1..].iter().take(hashes).filter(|&&c| c == '#').count() == hashes {
            return Some(i + 1 + hashes);
        }
        i += 1;
    }
    Some(text.len())
}

/// The length of a character literal; 0 for a lifetime.
fn character(text: &[char]) -> usize {
    if text.get(1) == Some(&'\\') {
        return text.iter().skip(3).position(|&c| c == '\'').map_or(0, |at| at + 4);
    }
    if text.get(2) == Some(&'\'') { 3 } else { 0 }
}

/// The bare text without what follows `#[cfg(test)]`: one item, up to its `;` or its closing brace.
fn without_tests(bare: &str) -> String {
    let mut out = String::new();
    let mut rest = bare;
    while let Some(at) = rest.find("#[cfg(test)]") {
        out.push_str(&rest[..at]);
        let (mut depth, mut end) = (0, rest.len());
        for (i, c) in rest[at..].char_indices() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ';' if depth == 0 => {}
                _ => continue,
            }
            if depth == 0 {
                end = at + i + 1;
                break;
            }
        }
        rest = &rest[end..];
    }
    out + rest
}

/// The modules of the crate's root that a file names: behind `crate::`, behind a `super::` chain that reaches the root, and
/// each entry of a group in braces.
fn named(file: &str, bare: &str) -> Vec<String> {
    let depth = module_depth(file);
    let mut found = Vec::new();
    for (at, _) in bare.match_indices("crate::") {
        if !bare[..at].ends_with(|c: char| word(c) || c == '$') {
            found.extend(first_names(&bare[at + "crate::".len()..]));
        }
    }
    let mut from = 0;
    while let Some(at) = bare[from..].find("super::") {
        let start = from + at;
        let mut rest = &bare[start..];
        let mut ups = 0;
        while let Some(after) = rest.strip_prefix("super::") {
            ups += 1;
            rest = after;
        }
        if ups == depth {
            found.extend(first_names(rest));
        }
        from = bare.len() - rest.len();
    }
    found
}

/// How many `super::` lead from a file to the crate's root: `net/dial.rs` 2, `net/mod.rs` and `error.rs` 1, `lib.rs` 0.
fn module_depth(file: &str) -> usize {
    let parts = file.trim_end_matches(".rs").split('/');
    parts.filter(|p| *p != "mod" && *p != "lib").count()
}

fn first_names(path: &str) -> Vec<String> {
    let path = path.trim_start();
    let Some(group) = path.strip_prefix('{') else {
        let path = path.strip_prefix("r#").unwrap_or(path);
        let end = path.find(|c| !word(c)).unwrap_or(path.len());
        // `crate::text!` is a macro of the root, `crate::VERSION` an item of lib.rs.
        let is_module = !path[end..].starts_with('!') && path.starts_with(|c: char| c.is_ascii_lowercase());
        return if is_module { vec![path[..end].to_string()] } else { Vec::new() };
    };
    let (mut depth, mut entry, mut entries) = (1, String::new(), Vec::new());
    for c in group.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 || (depth == 1 && c == ',') {
            entries.push(std::mem::take(&mut entry));
        } else {
            entry.push(c);
        }
        if depth == 0 {
            break;
        }
    }
    entries.iter().flat_map(|e| first_names(e)).collect()
}

/// What is wrong with one file, in words.
fn upward_uses(file: &str, bare: &str) -> Vec<String> {
    let own = file.split(['/', '.']).next().unwrap_or_default();
    if own == "lib" {
        return Vec::new();
    }
    let Some(own_floor) = floor(own) else {
        return vec![format!("src/{file}: the module {own} has no floor")];
    };
    let mut wrong = Vec::new();
    for name in named(file, bare) {
        match floor(&name) {
            _ if name == own => {}
            None => wrong.push(format!("src/{file} names crate::{name}, which has no floor")),
            // The ground floor is one room: text reports errors, errors and enums name each other.
            Some(0) if own_floor == 0 => {}
            Some(floor) if floor < own_floor => {}
            Some(floor) => {
                wrong.push(format!("src/{file} (floor {own_floor}) names crate::{name} (floor {floor})"));
            }
        }
    }
    wrong
}

/// Lines with the word `unsafe`.
fn unsafe_lines(bare: &str) -> usize {
    let is_word = |line: &&str| line.split(|c| !word(c)).any(|w| w == "unsafe");
    bare.lines().filter(is_word).count()
}

#[test]
fn a_module_names_only_modules_of_lower_floors() {
    let sources = sources();
    assert!(sources.len() > 10, "only {} sources found", sources.len());
    let wrong: Vec<String> = sources.iter().flat_map(|(file, bare)| upward_uses(file, bare)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_module_of_the_crate_has_a_floor() {
    let (_, lib) = sources().into_iter().find(|(file, _)| file == "lib.rs").expect("src/lib.rs");
    let modules: Vec<&str> = lib
        .split(';')
        .filter_map(|s| s.rsplit_once("mod ").map(|(_, name)| name.trim()))
        .filter(|name| name.chars().all(word))
        .collect();
    assert!(modules.len() > 5, "modules of src/lib.rs: {modules:?}");
    for module in modules {
        assert!(floor(module).is_some(), "the module {module} has no floor");
    }
}

#[test]
fn unsafe_stays_in_the_c_boundary_and_the_socket() {
    let mut inside = 0;
    for (file, bare) in sources() {
        let lines = unsafe_lines(&bare);
        let allowed = UNSAFE.iter().any(|room| file == *room || file.starts_with(&format!("{room}/")));
        assert!(allowed || lines == 0, "src/{file} has {lines} lines with unsafe");
        inside += lines;
    }
    assert!(inside > 0, "no unsafe found at all: is the search broken?");
}

#[test]
fn a_planted_upward_use_is_found() {
    let planted = [
        ("message/compose.rs", "use crate::net::Stream;"),
        ("message/compose.rs", "use crate::{error::Error, net::{self, Stream}};"),
        ("message/mod.rs", "fn f() { super::smtp::session(); }"),
        ("message/deep/er.rs", "use super::super::super::component;"),
        ("auth/mod.rs", "fn f(_: &'static str) { let _ = 'x'; crate::message::parse() }"),
        ("text/mod.rs", "use crate::events::Sink;"),
        ("cellar/mod.rs", "fn f() {}"),
        ("net/mod.rs", "use crate::cellar::f;"),
    ];
    for (file, text) in planted {
        assert_eq!(upward_uses(file, &without_tests(&bare(text))).len(), 1, "{file}: {text}");
    }
    let fine = [
        ("message/compose.rs", "use crate::{error::{Error, Result}, text};"),
        ("message/compose.rs", "// crate::net\nconst A: &str = \"crate::net\"; const B: char = '\"'; /* crate::ffi */"),
        ("message/compose.rs", "#[cfg(test)]\nmod tests { use crate::net::Stream; fn f() {} }\nuse super::id;"),
        ("message/mod.rs", "const R: &str = r#\" \"crate::net::x\" \"#; use crate::VERSION; crate::count!();"),
        ("net/dial.rs", "use super::deadline; use super::super::error::Error;"),
        ("error.rs", "use crate::enums::Priority;"),
    ];
    for (file, text) in fine {
        assert_eq!(upward_uses(file, &without_tests(&bare(text))), Vec::<String>::new(), "{file}: {text}");
    }
}

#[test]
fn a_planted_unsafe_is_found() {
    assert_eq!(unsafe_lines(&bare("fn f() { unsafe { g() } }\n#[unsafe(no_mangle)]\n")), 2);
    assert_eq!(
        unsafe_lines(&bare("#![forbid(unsafe_code)] // unsafe\nlet a = \"unsafe\"; lints(unsafe_op_in_unsafe_fn)")),
        0
    );
}
