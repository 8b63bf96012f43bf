//! `cargo xtask site`: the documentation as pages for a browser, made from `README.md` and `docs/**/*.md`, with an index of the reference's
//! names. No script, no font and no picture from elsewhere, so that it reads the same from a folder. A link that leads nowhere, to a page
//! or a heading, is an error.

use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Component, Path, PathBuf};

/// The page that is made here and has no source.
const NAMES: &str = "docs/reference/names.md";

/// The side bar: title, page, both as the reader meets them first.
const CONTENTS: [(&str, &[(&str, &str)]); 4] = [
    (
        "Guides",
        &[
            ("Start", "README.md"),
            ("All guides", "docs/guide/README.md"),
            ("Getting started", "docs/guide/getting-started.md"),
            ("Messages", "docs/guide/messages.md"),
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
            ("How to read it", "docs/reference/README.md"),
            ("Index of names", NAMES),
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
        &[
            ("Architecture", "ARCHITECTURE.md"),
            ("Contributing", "CONTRIBUTING.md"),
            ("Security", "SECURITY.md"),
            ("Changes", "CHANGELOG.md"),
            ("Apache License", "LICENSE-APACHE"),
            ("MIT License", "LICENSE-MIT"),
        ],
    ),
];

const STYLE: &str = include_str!("site.css");

/// Beside `docs`: what stands at the top of the project.
const TOP: [&str; 7] =
    ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "LICENSE-APACHE", "LICENSE-MIT"];

/// Writes the site into a folder and says how many pages it has.
pub fn write(root: &Path, to: &Path) -> Result<usize, String> {
    let pages = pages(root)?;
    let files = pages.iter().map(|(page, text)| (html_name(page), text.as_str())).chain([("style.css".into(), STYLE)]);
    for (name, text) in files {
        let target = to.join(name);
        let folder = target.parent().unwrap_or(to);
        std::fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        std::fs::write(&target, text).map_err(|e| format!("{}: {e}", target.display()))?;
    }
    Ok(pages.len())
}

/// Every page by the path of its source; an error for a link within the project that leads nowhere.
pub fn pages(root: &Path) -> Result<BTreeMap<String, String>, String> {
    let mut sources = TOP.map(String::from).to_vec();
    collect(root, Path::new("docs"), &mut sources)?;
    let mut texts = BTreeMap::new();
    for source in sources {
        let text = std::fs::read_to_string(root.join(&source)).map_err(|e| format!("{source}: {e}"))?;
        // A licence is read as it was written.
        let text = if source.ends_with(".md") { text } else { format!("# {source}\n\n```\n{text}\n```\n") };
        texts.insert(source, text);
    }
    let names = names(&texts);
    texts.insert(NAMES.into(), names);
    let site = Site { root, places: texts.iter().map(|(source, text)| (source.clone(), places(text))).collect() };
    let mut dead = Vec::new();
    let pages = texts.iter().map(|(source, text)| (source.clone(), site.page(source, text, &mut dead))).collect();
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

/// A folder's README is its index, so that a server finds it.
fn html_name(page: &str) -> String {
    let page = page.strip_suffix(".md").unwrap_or(page);
    match page.strip_suffix("README") {
        Some(folder) => format!("{folder}index.html"),
        None => format!("{page}.html"),
    }
}

/// A heading of a page.
struct Heading {
    level: HeadingLevel,
    id: String,
    words: String,
}

/// What a link can lead to on a page.
struct Places {
    headings: Vec<Heading>,
    ids: BTreeSet<String>,
}

fn places(text: &str) -> Places {
    let mut places = Places { headings: Vec::new(), ids: BTreeSet::new() };
    let mut words: Option<String> = None;
    for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::Heading { .. }) => words = Some(String::new()),
            Event::Text(part) | Event::Code(part) => words.iter_mut().for_each(|w| w.push_str(&part)),
            Event::End(TagEnd::Heading(level)) => {
                let words = words.take().unwrap_or_default();
                let first = anchor(&words);
                // The usual hosts number those that are there already.
                let more = (1..).map(|n| format!("{first}-{n}"));
                let id = [first.clone()].into_iter().chain(more).find(|id| !places.ids.contains(id));
                let id = id.unwrap_or(first);
                places.ids.insert(id.clone());
                places.headings.push(Heading { level, id, words });
            }
            Event::InlineHtml(tag) => {
                places.ids.extend(tag.strip_prefix("<a id=\"").and_then(|id| id.split('"').next()).map(String::from));
            }
            _ => {}
        }
    }
    places
}

/// The index of the reference: what a heading names there, by its first letter.
fn names(texts: &BTreeMap<String, String>) -> String {
    let kinds = [
        ("properties", "property"),
        ("methods", "method"),
        ("events", "event"),
        ("settings", "setting"),
        ("types", "type"),
        ("enums", "enumeration"),
        ("functions", "C"),
    ];
    let mut found = Vec::new();
    for kind in kinds {
        let Some(text) = texts.get(&format!("docs/reference/{}.md", kind.0)) else { continue };
        let names = places(text).headings.into_iter().skip(1).filter(|h| !h.words.contains(' '));
        found.extend(names.map(|h| (h.words.to_lowercase(), h, kind)));
    }
    found.sort_by(|a, b| (&a.0, a.2).cmp(&(&b.0, b.2)));
    let mut out = String::from(
        "# Index of names\n\nEvery property, method, event, setting, type and enumeration, and the C functions that belong to \
         none of them. Error numbers are on [their own page](errors.md).\n",
    );
    let mut letter = None;
    for (sorted, heading, kind) in &found {
        let first = sorted.chars().next();
        if letter.replace(first) != Some(first) {
            let end = if out.ends_with("</li>\n") { "</ul>\n" } else { "" };
            let shown = first.unwrap_or('#').to_ascii_uppercase();
            let _ = write!(out, "{end}\n## {shown}\n\n<ul class=\"names\">\n");
        }
        let (id, words, (page, kind)) = (&heading.id, escape(&heading.words), kind);
        let _ = writeln!(out, "<li><a href=\"{page}.html#{id}\">{words}</a> <small>{kind}</small></li>");
    }
    out.push_str("</ul>\n");
    out
}

struct Site<'a> {
    root: &'a Path,
    places: BTreeMap<String, Places>,
}

impl Site<'_> {
    fn page(&self, source: &str, text: &str, dead: &mut Vec<String>) -> String {
        let here = &self.places[source];
        let mut headings = here.headings.iter();
        let mut current = None;
        // A link to what is not on the site is its words alone.
        let mut dropped = false;
        let mut events = Vec::new();
        for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
            match event {
                Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
                    match self.link(source, &dest_url, dead) {
                        Some(to) => {
                            let dest_url = to.into();
                            events.push(Event::Start(Tag::Link { link_type, dest_url, title, id }));
                        }
                        None => dropped = true,
                    }
                    continue;
                }
                Event::End(TagEnd::Link) if std::mem::take(&mut dropped) => continue,
                Event::Start(Tag::Heading { level, classes, attrs, .. }) => {
                    current = headings.next();
                    let id = current.map(|h| CowStr::from(h.id.clone()));
                    events.push(Event::Start(Tag::Heading { level, id, classes, attrs }));
                    continue;
                }
                Event::End(TagEnd::Heading(_)) => {
                    let id = current.map_or("", |h| h.id.as_str());
                    let own = format!(" <a class=\"self\" href=\"#{id}\" aria-label=\"Link to this heading\">#</a>");
                    events.push(Event::InlineHtml(own.into()));
                }
                // Marks of the generators, a line each.
                Event::Html(text) if text.starts_with("<!--") => continue,
                Event::Start(Tag::Table(_)) => events.push(Event::Html("<div class=\"table\" tabindex=\"0\">".into())),
                _ => {}
            }
            let end = matches!(event, Event::End(TagEnd::Table));
            events.push(event);
            if end {
                events.push(Event::Html("</div>\n".into()));
            }
        }
        let mut body = String::new();
        html::push_html(&mut body, events.into_iter());
        let up = "../".repeat(source.matches('/').count());
        let title = here.headings.iter().find(|h| h.level == HeadingLevel::H1).map_or("libssmtp", |h| &h.words);
        let title = if title == "libssmtp" { "libssmtp".into() } else { format!("{} · libssmtp", escape(title)) };
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
             <link rel=\"icon\" href=\"data:,\">\n<link rel=\"stylesheet\" href=\"{up}style.css\">\n</head>\n<body>\n\
             <header><a href=\"{up}index.html\">libssmtp</a><a href=\"#contents\">Contents</a></header>\n\
             <main>\n{body}{}</main>\n{}<nav id=\"contents\" aria-label=\"Contents\">\n{}</nav>\n</body>\n</html>\n",
            turn(source, &up),
            on_this_page(here),
            contents(source, &up)
        )
    }

    /// A link as the site has it, to a page of it or elsewhere; `None` for a file or folder that is not on the site.
    fn link(&self, source: &str, to: &str, dead: &mut Vec<String>) -> Option<String> {
        if to.contains("://") || to.starts_with("mailto:") {
            return Some(to.into());
        }
        let (path, fragment) = to.split_once('#').map_or((to, None), |(path, fragment)| (path, Some(fragment)));
        let target = if path.is_empty() { source.into() } else { resolve(source, path) };
        let index = format!("{target}/README.md");
        let page = [target.clone(), index].into_iter().find(|page| self.places.contains_key(page));
        let Some(page) = page else {
            if !self.root.join(&target).exists() {
                dead.push(format!("{source}: {to} leads nowhere"));
            }
            return None;
        };
        if fragment.is_some_and(|f| !self.places[&page].ids.contains(f)) {
            dead.push(format!("{source}: {to}: {page} has no such heading"));
        }
        let fragment = fragment.map(|f| format!("#{f}")).unwrap_or_default();
        if path.is_empty() {
            return Some(fragment);
        }
        Some(format!("{}{}{fragment}", "../".repeat(source.matches('/').count()), html_name(&page)))
    }
}

/// The path from the project's folder of what a page names from its own.
fn resolve(source: &str, path: &str) -> String {
    let mut target = PathBuf::new();
    for part in Path::new(source).parent().unwrap_or(Path::new("")).join(path).components() {
        match part {
            Component::ParentDir => drop(target.pop()),
            Component::Normal(name) => target.push(name),
            _ => {}
        }
    }
    target.to_string_lossy().into_owned()
}

fn contents(current: &str, up: &str) -> String {
    let mut out = String::new();
    for (title, entries) in CONTENTS {
        let _ = write!(out, "<b>{title}</b>\n<ul>\n");
        for (name, page) in entries {
            let here = if *page == current { " aria-current=\"page\"" } else { "" };
            let _ = writeln!(out, "<li><a href=\"{up}{}\"{here}>{name}</a></li>", html_name(page));
        }
        out.push_str("</ul>\n");
    }
    out
}

/// The headings of a page that has several.
fn on_this_page(places: &Places) -> String {
    let shown: Vec<&Heading> =
        places.headings.iter().filter(|h| matches!(h.level, HeadingLevel::H2 | HeadingLevel::H3)).collect();
    if shown.len() < 3 {
        return String::new();
    }
    let mut out = String::from("<nav id=\"here\" aria-label=\"On this page\">\n<b>On this page</b>\n<ul>\n");
    for heading in shown {
        let deep = if heading.level == HeadingLevel::H3 { " class=\"deep\"" } else { "" };
        let _ = writeln!(out, "<li><a href=\"#{}\"{deep}>{}</a></li>", heading.id, escape(&heading.words));
    }
    out.push_str("</ul>\n</nav>\n");
    out
}

/// The pages before and after this one in the side bar.
fn turn(current: &str, up: &str) -> String {
    let all: Vec<_> = CONTENTS.iter().flat_map(|(_, entries)| *entries).collect();
    let Some(at) = all.iter().position(|(_, page)| *page == current) else { return String::new() };
    let to = |entry: Option<&&(&str, &str)>, before: &str, after: &str| match entry {
        Some((name, page)) => format!("<a href=\"{up}{}\">{before}{name}{after}</a>", html_name(page)),
        None => "<span></span>".into(),
    };
    let before = at.checked_sub(1).and_then(|at| all.get(at));
    format!("<nav class=\"turn\">{}{}</nav>\n", to(before, "← ", ""), to(all.get(at + 1), "", " →"))
}

/// As the usual hosts of Markdown make it: words in lower case, joined by hyphens.
pub(crate) fn anchor(words: &str) -> String {
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
    fn a_link_to_a_page_or_a_heading_that_is_not_there_is_told() {
        let text =
            "# Here\n\n[a](there.md) [b](#here) [c](#nowhere) [d](gone.md) [e](there.md#two-1) [f](there.md#three)";
        let there = "# Two\n\n## Two\n";
        let places = [("docs/here.md", text), ("docs/there.md", there)].map(|(p, t)| (p.to_string(), places(t)));
        let site = Site { root: Path::new("/nowhere"), places: places.into() };
        let mut dead = Vec::new();
        let page = site.page("docs/here.md", text, &mut dead);
        assert_eq!(
            dead,
            [
                "docs/here.md: #nowhere: docs/here.md has no such heading",
                "docs/here.md: gone.md leads nowhere",
                "docs/here.md: there.md#three: docs/there.md has no such heading",
            ]
        );
        assert!(page.contains("<a href=\"../docs/there.html#two-1\">e</a>") && page.contains(" d "), "{page}");
    }

    #[test]
    fn the_index_of_names_leads_to_each_of_them() {
        let pages = pages(&root()).unwrap_or_else(|dead| panic!("{dead}"));
        for link in [
            "properties.html#mailserver\">MailServer",
            "methods.html#send\">Send",
            "functions.html#ssmtp_new\">ssmtp_new",
        ] {
            assert!(pages[NAMES].contains(link), "{link}");
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
