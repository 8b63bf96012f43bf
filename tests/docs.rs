//! Holds the written documentation to the tree: every dependency has its reason, and every link leads somewhere.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// The names in the `[…dependencies]` tables of a manifest.
fn dependencies(manifest: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut inside = false;
    for line in manifest.lines() {
        if line.starts_with('[') {
            inside = line.trim_end().ends_with("dependencies]");
        } else if let (true, Some((name, _))) = (inside, line.split_once('=')) {
            names.push(name.trim().split('.').next().unwrap_or_default().to_string());
        }
    }
    names
}

#[test]
fn every_dependency_has_its_reason() {
    let reasons = read("docs/dependencies.md");
    let told: Vec<&str> = reasons
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(" | ").next())
        .flat_map(|names| names.split(['(', ',', ' ', ')']))
        .collect();
    for manifest in ["Cargo.toml", "octets/Cargo.toml", "xtask/Cargo.toml"] {
        let names = dependencies(&read(manifest));
        assert!(names.len() > 2, "{manifest}: {names:?}");
        for name in names {
            assert!(told.contains(&name.as_str()), "{name} of {manifest} has no line in docs/dependencies.md");
        }
    }
}

/// The targets of a page's links, without those that lead out of the project or within the page.
fn links(page: &str) -> Vec<&str> {
    page.split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'))
        .map(|(target, _)| target.split('#').next().unwrap_or_default())
        .filter(|target| !target.is_empty() && !target.contains("://") && !target.contains(' '))
        .collect()
}

#[test]
fn every_link_of_a_page_leads_to_a_file() {
    let mut pages: Vec<String> =
        ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"].map(String::from).into();
    for folder in ["docs", "docs/reference", "bindings/dotnet", "bindings/python"] {
        let entries = fs::read_dir(root().join(folder)).unwrap_or_else(|e| panic!("{folder}: {e}"));
        for entry in entries {
            let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
            if Path::new(&name).extension().is_some_and(|e| e == "md") {
                pages.push(format!("{folder}/{name}"));
            }
        }
    }
    for page in pages {
        let path = root().join(&page);
        for target in links(&read(&page)) {
            assert!(
                path.parent().expect("a folder").join(target).exists(),
                "{page} links to {target}, which is not there"
            );
        }
    }
}
