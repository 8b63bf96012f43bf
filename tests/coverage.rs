//! Every name of the specification, and every name of ours, is shown by a test that is not generated. `cargo xtask coverage`
//! writes which into docs/coverage.md.

use std::path::PathBuf;
use xtask::r#gen::coverage::read;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn every_name_is_shown_by_a_test_or_excused_with_a_reason() {
    let coverage = read(&root()).unwrap();
    assert!(coverage.rows.len() > 400 && coverage.tests() > 1000, "the lists are read");
    let named = |rows: Vec<&xtask::r#gen::coverage::Row>| {
        rows.iter().map(|row| format!("{} {}", row.kind, row.name)).collect::<Vec<_>>()
    };
    let (missing, vain) = (named(coverage.missing()), named(coverage.excused_in_vain()));
    assert!(missing.is_empty(), "no test shows these (tests/data/not-shown.tsv has what none can): {missing:#?}");
    assert!(vain.is_empty(), "tests/data/not-shown.tsv excuses what a test shows: {vain:#?}");
}

#[test]
fn a_name_that_no_test_uses_would_be_seen() {
    // The rows that nothing can show are found to be shown by nothing: the search does not take every word for a use.
    let coverage = read(&root()).unwrap();
    let excused: Vec<_> = coverage.rows.iter().filter(|row| !row.reason.is_empty()).collect();
    assert!(excused.len() >= 10 && excused.iter().all(|row| !row.is_shown()));
}
