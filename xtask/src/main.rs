//! `cargo xtask`: the project's own commands.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use xtask::model::Api;

const USAGE: &str = "\
cargo xtask gen [--check]   write (or compare) everything that follows from api/*.toml
cargo xtask planned         list the rows of api/ that do not work yet
cargo xtask coverage [--check]   write (or compare) docs/coverage.md: which tests show each name
cargo xtask site [FOLDER]   the documentation as pages for a browser, in target/site or FOLDER
cargo xtask serve …         run the embedded SMTP server (`serve --help` tells its options)";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let rest: Vec<&str> = args.iter().skip(1).map(String::as_str).collect();
    let done = match args.first().map(String::as_str) {
        Some("gen") => generate(&root(), rest.contains(&"--check")),
        Some("coverage") => coverage(&root(), rest.contains(&"--check")),
        Some("planned") => planned(&root()),
        Some("site") => site(&root(), rest.first().copied()),
        Some("serve") => xtask::server::main(&rest),
        _ => Err(USAGE.into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            eprintln!("{text}");
            ExitCode::FAILURE
        }
    }
}

/// The project's folder: the one above this package.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the project's folder").to_path_buf()
}

fn generate(root: &Path, check: bool) -> Result<(), String> {
    let stale = xtask::r#gen::run(root, check)?;
    for path in &stale {
        println!("{} {path}", if check { "stale" } else { "wrote" });
    }
    if check && !stale.is_empty() {
        return Err("run `cargo xtask gen` and commit what it writes".into());
    }
    Ok(())
}

/// Names what no test shows, too; that alone is no failure here, but one of tests/coverage.rs.
fn coverage(root: &Path, check: bool) -> Result<(), String> {
    let (coverage, stale) = xtask::r#gen::coverage::run(root, check)?;
    for row in coverage.missing() {
        println!("no test shows {} {}", row.kind, row.name);
    }
    for row in coverage.excused_in_vain() {
        println!("not-shown.tsv excuses what a test shows: {} {}", row.kind, row.name);
    }
    eprintln!("{} rows, {} tests", coverage.rows.len(), coverage.tests());
    if check && stale { Err("docs/coverage.md is stale: run `cargo xtask coverage`".into()) } else { Ok(()) }
}

fn site(root: &Path, folder: Option<&str>) -> Result<(), String> {
    let to = folder.map_or_else(|| root.join("target/site"), PathBuf::from);
    // A page that is no more would stay otherwise; what else is in a folder that somebody names is theirs.
    if folder.is_none() && to.exists() {
        std::fs::remove_dir_all(&to).map_err(|e| format!("{}: {e}", to.display()))?;
    }
    let pages = xtask::site::write(root, &to)?;
    println!("{pages} pages; begin with {}", to.join("index.html").display());
    Ok(())
}

/// Every row that is described and does not work yet, one a line.
fn planned(root: &Path) -> Result<(), String> {
    let api = Api::load(&root.join("api"))?;
    let rows = api.planned();
    for row in &rows {
        println!("{row}");
    }
    eprintln!("{} planned", rows.len());
    Ok(())
}
