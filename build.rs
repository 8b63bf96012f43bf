//! Writes the table of `src/text/media_type.rs`.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let folder = std::env::var_os("OUT_DIR").expect("cargo names the folder");
    std::fs::write(Path::new(&folder).join("media_types.txt"), media_types()).expect("the folder can be written to");
}

/// `=application /pdf pdf /.ms-excel xla xls =audio /…`: the words before a slash once, then each type without them, a dot
/// standing for `vnd.`, and its extensions.
fn media_types() -> String {
    let mut types: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for extension in mime_guess::get_extensions("*", "*").unwrap_or_default() {
        if let Some(name) = mime_guess::from_ext(extension).first_raw() {
            types.entry(name).or_default().push(extension.to_ascii_lowercase());
        }
    }
    let (mut text, mut group) = (String::new(), "");
    for (name, mut extensions) in types {
        extensions.sort();
        extensions.dedup();
        let (top, sub) = name.split_once('/').expect("a type has a slash");
        if top != group {
            write!(text, "={top} ").expect("memory takes text");
            group = top;
        }
        let (dot, sub) = sub.strip_prefix("vnd.").map_or(("", sub), |sub| (".", sub));
        write!(text, "/{dot}{sub} {} ", extensions.join(" ")).expect("memory takes text");
    }
    text
}
