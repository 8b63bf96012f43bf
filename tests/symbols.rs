//! What the shared library shows to the world: the same functions in `api/`, in the library, in the C header, in Python's and
//! C#'s raw layers and in `tests/abi/exports.txt`; and nothing else.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use xtask::model::Api;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The library that cargo built for this very test, beside it; the one in the folder above may be older.
fn library() -> PathBuf {
    let test = std::env::current_exe().expect("the path of this test");
    let library = test.parent().expect("its folder").join("libssmtp.so");
    assert!(library.exists(), "{} is not there", library.display());
    library
}

fn described() -> BTreeSet<String> {
    let api = Api::load(&root().join("api")).expect("api/ is well formed");
    let all = api.c_functions();
    let names: BTreeSet<String> = all.iter().map(|f| f.name.clone()).collect();
    assert_eq!(names.len(), all.len(), "a C function is described twice");
    assert!(names.len() > 150, "only {} C functions", names.len());
    names
}

fn output(program: &str, args: &[&str]) -> String {
    let run = Command::new(program).args(args).arg(library()).output();
    let run = run.unwrap_or_else(|e| panic!("{program} (package binutils): {e}"));
    assert!(run.status.success(), "{program}: {}", String::from_utf8_lossy(&run.stderr));
    String::from_utf8(run.stdout).expect("text")
}

/// The names that `nm -D` shows as defined here.
fn exported() -> BTreeSet<String> {
    let table = output("nm", &["-D", "--defined-only"]);
    table.lines().filter_map(|line| line.split_whitespace().last()).map(String::from).collect()
}

/// Every word of a text that begins with `ssmtp_`, with what stands before it on the line and right behind it.
fn words(text: &str) -> Vec<(&str, &str, &str)> {
    let mut found = Vec::new();
    for line in text.lines() {
        let mut from = 0;
        while let Some(at) = line[from..].find("ssmtp_") {
            let start = from + at;
            let rest = &line[start..];
            let end = start + rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
            found.push((&line[start..end], &line[..start], &line[end..]));
            from = end;
        }
    }
    found
}

/// The functions that the header declares: a name followed by its parameters, at the start of a line of code.
fn declared() -> BTreeSet<String> {
    let header = fs::read_to_string(root().join("include/ssmtp.h")).expect("include/ssmtp.h");
    let code: String =
        header.lines().filter(|l| !l.starts_with("//") && !l.starts_with(" *")).map(|l| format!("{l}\n")).collect();
    let calls = words(&code).into_iter().filter(|(_, before, after)| {
        after.starts_with('(') && !before.contains("//") && !before.contains("(*") && !before.is_empty()
    });
    calls.map(|(name, _, _)| name.to_string()).collect()
}

/// Python's raw layer names each function once, as a text.
fn python() -> BTreeSet<String> {
    let text = fs::read_to_string(root().join("bindings/python/src/ssmtp/_native_gen.py")).expect("Python's raw layer");
    let quoted =
        words(&text).into_iter().filter(|(_, before, after)| before.ends_with('"') && after.starts_with("\":"));
    quoted.map(|(name, _, _)| name.to_string()).collect()
}

/// C#'s raw layer declares each function as `static extern`.
fn dotnet() -> BTreeSet<String> {
    let text = fs::read_to_string(root().join("bindings/dotnet/src/Generated/Native.g.cs")).expect("C#'s raw layer");
    let externs =
        words(&text).into_iter().filter(|(_, before, after)| before.contains(" extern ") && after.starts_with('('));
    externs.map(|(name, _, _)| name.to_string()).collect()
}

fn same(what: &str, found: &BTreeSet<String>, expected: &BTreeSet<String>) {
    let missing: Vec<_> = expected.difference(found).collect();
    let surplus: Vec<_> = found.difference(expected).collect();
    assert!(missing.is_empty() && surplus.is_empty(), "{what}: missing {missing:?}, too many {surplus:?}");
}

#[test]
fn the_library_exports_what_is_described_and_nothing_else() {
    same("libssmtp.so", &exported(), &described());
}

#[test]
fn the_header_declares_what_is_described() {
    same("include/ssmtp.h", &declared(), &described());
}

#[test]
fn the_raw_layer_of_python_has_what_is_described() {
    same("Python", &python(), &described());
}

#[test]
fn the_raw_layer_of_csharp_has_what_is_described() {
    same("C#", &dotnet(), &described());
}

#[test]
fn the_list_of_published_symbols_is_up_to_date() {
    let list = fs::read_to_string(root().join("tests/abi/exports.txt")).expect("tests/abi/exports.txt");
    let list = list.lines().filter(|l| !l.starts_with('#') && !l.is_empty()).map(String::from).collect();
    same("tests/abi/exports.txt", &list, &described());
}

#[test]
fn the_library_has_its_soname_and_needs_only_the_c_library() {
    let dynamic = output("readelf", &["-d", "-W"]);
    let between = |line: &str| Some(line.split_once('[')?.1.split_once(']')?.0.to_string());
    let of = |tag: &str| -> Vec<String> { dynamic.lines().filter(|l| l.contains(tag)).filter_map(between).collect() };
    assert_eq!(of("(SONAME)"), ["libssmtp.so.0"]);
    let needed = of("(NEEDED)");
    assert!(!needed.is_empty(), "no NEEDED at all: {dynamic}");
    for name in needed {
        let allowed = ["libc.so.", "libgcc_s.so.", "ld-linux"].iter().any(|known| name.starts_with(known));
        assert!(allowed, "libssmtp.so needs {name}");
    }
}

#[test]
fn the_header_defines_only_names_of_ours() {
    let header = fs::read_to_string(root().join("include/ssmtp.h")).expect("include/ssmtp.h");
    for line in header.lines().filter_map(|l| l.strip_prefix("#define ")) {
        assert!(line.starts_with("SSMTP_"), "the header defines {line}");
    }
}
