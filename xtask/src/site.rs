//! `cargo xtask site`: the documentation as pages for a browser, made from `README.md` and `docs/**/*.md`. No script, no font and no
//! picture from elsewhere, so that it reads the same from a folder. A link that leads nowhere is an error.

use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Component, Path, PathBuf};

/// The side bar: title, page, both as the reader meets them first.
const CONTENTS: [(&str, &[(&str, &str)]); 4] = [
    (
        "Guides",
        &[
            ("Overview", "README.md"),
            ("Getting started", "docs/guide/getting-started.md"),
            ("TLS", "docs/guide/tls.md"),
            ("Logging in", "docs/guide/login.md"),
            ("Through proxies", "docs/guide/proxies.md"),
            ("S/MIME from zero", "docs/guide/smime.md"),
            ("Queues", "docs/guide/queue.md"),
            ("Python", "docs/guide/python.md"),
            ("Coming from elsewhere", "docs/guide/coming-from.md"),
        ],
    ),
    (
        "Reference",
        &[
            ("Properties", "docs/reference/properties.md"),
            ("Methods", "docs/reference/methods.md"),
            ("Events", "docs/reference/events.md"),
            ("Settings", "docs/reference/settings.md"),
            ("Types", "docs/reference/types.md"),
            ("Enumerations", "docs/reference/enums.md"),
            ("Errors", "docs/reference/errors.md"),
            ("C functions", "docs/reference/functions.md"),
        ],
    ),
    (
        "Behind it",
        &[
            ("Rulings", "docs/rulings.md"),
            ("Certificates and stores", "docs/certificates.md"),
            ("Security model", "docs/guide/security.md"),
            ("Performance", "docs/performance.md"),
            ("S/MIME interop", "docs/smime-interop.md"),
            ("Queue format", "docs/queue-format.md"),
            ("Coverage", "docs/coverage.md"),
            ("Dependencies", "docs/dependencies.md"),
        ],
    ),
    (
        "Project",
        &[("Architecture", "ARCHITECTURE.md"), ("Contributing", "CONTRIBUTING.md"), ("Changes", "CHANGELOG.md")],
    ),
];

const STYLE: &str = "\
:root{color-scheme:light dark;--line:#8884;--soft:#8882;--link:#0b62a8}@media(prefers-color-scheme:dark){:root{--link:#7db8ea}}\
body{font:16px/1.55 system-ui,sans-serif;margin:0;display:grid;grid-template-columns:15rem minmax(0,52rem);gap:2.5rem}\
nav{padding:1.5rem 0 2rem 1.5rem;border-right:1px solid var(--line);position:sticky;top:0;height:100vh;overflow:auto;box-sizing:border-box}\
nav b{display:block;margin:1rem 0 .2rem}nav a{display:block;padding:.1rem 0}nav a[aria-current]{font-weight:600}\
main{padding:1rem 1.5rem 4rem 0}a{color:var(--link);text-decoration:none}a:hover{text-decoration:underline}\
pre{background:var(--soft);padding:.8rem 1rem;overflow:auto;border-radius:4px}code{font:.9em ui-monospace,monospace}\
:not(pre)>code{background:var(--soft);padding:.1em .3em;border-radius:3px}\
table{border-collapse:collapse;display:block;overflow:auto}td,th{border:1px solid var(--line);padding:.3rem .6rem;text-align:left;vertical-align:top}\
h1,h2,h3{line-height:1.25}h2{margin-top:2.2rem;border-bottom:1px solid var(--line)}\
@media(max-width:50rem){body{display:block;padding:0 1rem}nav{position:static;height:auto;border:0;padding:1rem 0}}";

/// Writes the site into a folder and says how many pages it has.
pub fn write(root: &Path, to: &Path) -> Result<usize, String> {
    let pages = pages(root)?;
    for (page, text) in &pages {
        let target = to.join(html_name(page));
        let folder = target.parent().unwrap_or(to);
        std::fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        std::fs::write(&target, text).map_err(|e| format!("{}: {e}", target.display()))?;
    }
    std::fs::copy(to.join("README.html"), to.join("index.html")).map_err(|e| format!("index.html: {e}"))?;
    Ok(pages.len())
}

/// Every page by the path of its source; an error for a link within the project that leads nowhere.
pub fn pages(root: &Path) -> Result<BTreeMap<String, String>, String> {
    let mut sources: Vec<String> =
        ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"].map(String::from).into();
    collect(root, Path::new("docs"), &mut sources)?;
    let mut pages = BTreeMap::new();
    let mut dead = Vec::new();
    for source in &sources {
        let text = std::fs::read_to_string(root.join(source)).map_err(|e| format!("{source}: {e}"))?;
        pages.insert(source.clone(), page(root, source, &text, &sources, &mut dead));
    }
    if dead.is_empty() { Ok(pages) } else { Err(dead.join("\n")) }
}

fn collect(root: &Path, folder: &Path, sources: &mut Vec<String>) -> Result<(), String> {
    let entries = std::fs::read_dir(root.join(folder)).map_err(|e| format!("{}: {e}", folder.display()))?;
    let mut names: Vec<PathBuf> = entries.flatten().map(|entry| folder.join(entry.file_name())).collect();
    names.sort();
    for name in names {
        if root.join(&name).is_dir() {
            collect(root, &name, sources)?;
        } else if name.extension().is_some_and(|e| e == "md") {
            sources.push(name.to_string_lossy().into_owned());
        }
    }
    Ok(())
}

fn html_name(page: &str) -> String {
    format!("{}.html", page.strip_suffix(".md").unwrap_or(page))
}

fn page(root: &Path, source: &str, text: &str, sources: &[String], dead: &mut Vec<String>) -> String {
    let options = Options::ENABLE_TABLES;
    let mut title = None;
    let mut heading: Option<String> = None;
    let mut events = Vec::new();
    for event in Parser::new_ext(text, options) {
        let event = match event {
            Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
                let dest_url = link(root, source, &dest_url, sources, dead);
                Event::Start(Tag::Link { link_type, dest_url, title, id })
            }
            other => other,
        };
        match &event {
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::Text(part) | Event::Code(part) => heading.iter_mut().for_each(|h| h.push_str(part)),
            Event::End(TagEnd::Heading(level)) => {
                let words = heading.take().unwrap_or_default();
                if *level == HeadingLevel::H1 && title.is_none() {
                    title = Some(words.clone());
                }
                // Links of the reference lead to headings by their words.
                if let Some(Event::Start(Tag::Heading { id, .. })) =
                    events.iter_mut().rev().find(|e| matches!(e, Event::Start(Tag::Heading { .. })))
                {
                    *id = Some(CowStr::from(anchor(&words)));
                }
            }
            _ => {}
        }
        events.push(event);
    }
    let mut body = String::new();
    html::push_html(&mut body, events.into_iter());
    let up = "../".repeat(source.matches('/').count());
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>{} · libssmtp</title>\n<style>{STYLE}</style>\n<nav>{}</nav>\n<main>\n{body}</main>\n</html>\n",
        title.as_deref().map_or("libssmtp".into(), escape),
        contents(source, &up, sources)
    )
}

fn contents(current: &str, up: &str, sources: &[String]) -> String {
    let mut out = String::new();
    for (title, entries) in CONTENTS {
        let _ = write!(out, "<b>{title}</b>");
        for (name, page) in entries.iter().filter(|(_, page)| sources.iter().any(|s| s == page)) {
            let here = if *page == current { " aria-current=\"page\"" } else { "" };
            let _ = write!(out, "<a href=\"{up}{}\"{here}>{name}</a>", html_name(page));
        }
    }
    out
}

/// A link as the site has it: to a page that is in it, or to the file's place beside the site's sources, or elsewhere.
fn link<'a>(root: &Path, source: &str, to: &CowStr<'a>, sources: &[String], dead: &mut Vec<String>) -> CowStr<'a> {
    if to.contains("://") || to.starts_with('#') || to.starts_with("mailto:") {
        return to.clone();
    }
    let (path, fragment) = to.split_once('#').map_or((&**to, None), |(path, fragment)| (path, Some(fragment)));
    let mut target = PathBuf::new();
    for part in Path::new(source).parent().unwrap_or(Path::new("")).join(path).components() {
        match part {
            Component::ParentDir => drop(target.pop()),
            Component::Normal(name) => target.push(name),
            _ => {}
        }
    }
    let name = target.to_string_lossy().into_owned();
    let index = format!("{name}/README.md");
    let fragment = fragment.map(|f| format!("#{f}")).unwrap_or_default();
    if sources.contains(&name) {
        return format!("{}{fragment}", html_name(path)).into();
    }
    if sources.contains(&index) {
        return format!("{}/README.html{fragment}", path.trim_end_matches('/')).into();
    }
    if !root.join(&target).exists() {
        dead.push(format!("{source}: {to} leads nowhere"));
    }
    to.clone()
}

/// As the usual hosts of Markdown make it: words in lower case, joined by hyphens.
fn anchor(words: &str) -> String {
    let kept = words
        .to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .collect::<String>();
    kept.replace(' ', "-")
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the project").to_path_buf()
    }

    #[test]
    fn every_page_is_made_and_no_link_leads_nowhere() {
        let pages = pages(&root()).unwrap_or_else(|dead| panic!("{dead}"));
        assert!(pages.len() > 15, "{}", pages.len());
        for (name, text) in &pages {
            assert!(text.contains("<main>") && text.contains("<h1"), "{name} has no heading");
            assert!(!text.contains(".md\""), "{name} leads to a source");
        }
    }

    #[test]
    fn every_page_of_the_guide_is_in_the_side_bar() {
        let listed: Vec<&str> =
            CONTENTS.iter().flat_map(|(_, entries)| entries.iter().map(|(_, page)| *page)).collect();
        let mut guide = Vec::new();
        collect(&root(), Path::new("docs/guide"), &mut guide).unwrap();
        for page in guide.iter().filter(|p| !p.ends_with("README.md")) {
            assert!(listed.contains(&page.as_str()), "{page} is not in the side bar");
        }
    }
}
