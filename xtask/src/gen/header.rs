//! Generator: `include/ssmtp.h`, by cbindgen from the Rust sources. What the sources leave out is put in here: the
//! documentation of the hand-written functions, whose only copy is in the description.

use super::{File, MARK};
use crate::model::Api;
use std::path::Path;

const INTRODUCTION: &str = "\
libssmtp: sends Internet mail.

Functions return 0, or the number of an error (enum ssmtp_error); ssmtp_last_error gives its text. The handle comes
first, outputs come last and are written only on success. Text is NUL-terminated UTF-8; NULL means empty. Octets are
a pointer and a size_t. Booleans (0, 1), enums and flags are int32_t. What goes in is copied, unless a function says
otherwise. What comes through char ** or uint8_t ** is released with ssmtp_free, a certificate with
ssmtp_cert_delete.

Any function can return 601 (a NULL handle or output), 608 (the handle is gone) and 607 (a fault of the library, after
which the handle can only be deleted); these are not repeated below.

Any thread may call any function on a handle. While a blocking method runs a second one gets 166; getters, setters
and ssmtp_interrupt work meanwhile, and what a setter changes counts for the next method. Callbacks run on the thread
of the blocking method and may call getters, setters, ssmtp_interrupt and ssmtp_delete. What an event holds is valid
until its callback returns.

Names in capitals and small letters, such as MailServer, are the properties, methods and settings; settings have no
functions of their own but ssmtp_config. docs/reference has them all.";

/// Reads the exported functions out of `src/` as the compiler sees them and writes the C header.
pub fn file(root: &Path) -> Result<File, String> {
    let api = Api::load(&root.join("api"))?;
    let mut config = cbindgen::Config::from_file(root.join("cbindgen.toml"))?;
    let head: Vec<String> = format!("{MARK}\n\n{INTRODUCTION}").lines().map(comment).collect();
    config.header = Some(head.join("\n"));
    config.export.include = super::ffi::header_types(&api);
    let bindings = cbindgen::Builder::new()
        .with_crate(root)
        .with_config(config)
        .generate()
        .map_err(|e| format!("cbindgen: {e}"))?;
    let mut text = Vec::new();
    bindings.write(&mut text);
    let text = String::from_utf8(text).map_err(|e| e.to_string())?;
    let mut header = documented(&text, &api);
    while header.contains("\n\n\n") {
        header = header.replace("\n\n\n", "\n\n");
    }
    Ok(File::new("include/ssmtp.h", header))
}

/// Puts the description's words above the hand-written functions.
fn documented(header: &str, api: &Api) -> String {
    let mut out = String::with_capacity(header.len() * 2);
    let mut words = String::new();
    for line in header.lines() {
        // The lines of a paragraph, which begin wherever the sources break them.
        let comment = line.strip_prefix("// ");
        if comment.is_none_or(|c| c.starts_with("- ")) && !words.is_empty() {
            wrapped(&mut out, "", &std::mem::take(&mut words));
        }
        if let Some(comment) = comment {
            words.push_str(comment);
            words.push(' ');
            continue;
        }
        if let Some(comment) = line.strip_prefix("    // ") {
            wrapped(&mut out, "    ", comment);
            continue;
        }
        if is_internal(line) {
            // A type with an associated constant; its comment goes too.
            while out.trim_end().rsplit('\n').next().is_some_and(|last| last.starts_with("//")) {
                out.truncate(out.trim_end().rfind('\n').map_or(0, |at| at + 1));
            }
            continue;
        }
        let named = api.functions.iter().find(|f| declares(line, &f.name));
        if let Some(function) = named {
            wrapped(&mut out, "", &function.doc);
        }
        // Each struct has a typedef of its name; the shorter one reads better.
        match line.starts_with("typedef struct") {
            true => out.push_str(&format!("{line}\n")),
            false => out.push_str(&(line.replace("struct ssmtp_", "ssmtp_") + "\n")),
        }
    }
    out
}

/// A type of the Rust sources that no function of the boundary takes or gives.
fn is_internal(line: &str) -> bool {
    line.strip_prefix("typedef struct ").is_some_and(|rest| rest.ends_with(';') && !rest.starts_with("ssmtp_"))
}

/// Words as comment lines of at most 120 characters; those of a list item stand below its words.
fn wrapped(out: &mut String, indent: &str, words: &str) {
    let hang = if words.starts_with("- ") { "  " } else { "" };
    let mut line = String::new();
    for word in words.split_whitespace() {
        if indent.len() + line.len() + word.len() > 115 {
            out.push_str(&format!("{indent}{}\n", comment(&line)));
            line = hang.to_string();
        }
        if !line.trim().is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    out.push_str(&format!("{indent}{}\n", comment(&line)));
}

fn comment(line: &str) -> String {
    format!("// {line}").trim_end().to_string()
}

/// Whether a line begins the declaration of this function: `int32_t ssmtp_get(`, `struct ssmtp_t *ssmtp_new(`.
fn declares(line: &str, name: &str) -> bool {
    let Some(at) = line.find(&format!("{name}(")) else { return false };
    !line.starts_with(' ') && !line.starts_with('/') && line[..at].ends_with([' ', '*'])
}
