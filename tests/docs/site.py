"""Checks the pages of the documentation's site as they are on the disk, whoever made them.

usage: site.py SITE PROJECT

Every link and every anchor of it leads somewhere, tags are closed in order, each page has a language, a title of its own, one main heading and
one main part, marks itself in the contents where it stands there, fetches nothing from elsewhere, and says no path of this machine.
"""

import html.parser
import pathlib
import sys
import urllib.parse

VOID = {"meta", "link", "br", "hr", "img", "input", "col", "wbr"}


class Page(html.parser.HTMLParser):
    def __init__(self, path: pathlib.Path):
        super().__init__(convert_charrefs=True)
        self.path, self.open, self.faults = path, [], []
        self.ids, self.links, self.tags, self.attrs, self.title, self.current = set(), [], [], {}, "", 0
        text = path.read_text(encoding="utf-8")
        if not text.startswith("<!doctype html>"):
            self.faults.append("no doctype")
        self.feed(text)
        self.close()
        self.faults += [f"<{tag}> is not closed" for tag in self.open]

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        if len(values) != len(attrs):
            self.faults.append(f"<{tag}> has an attribute twice")
        self.tags.append(tag)
        self.attrs.setdefault(tag, values)
        if tag not in VOID:
            self.open.append(tag)
        if "id" in values:
            if values["id"] in self.ids or not values["id"]:
                self.faults.append(f"the id {values['id']!r} is there twice, or empty")
            self.ids.add(values["id"])
        self.links += [values[name] for name in ("href", "src") if name in values]
        if tag == "script" or values.get("src"):
            self.faults.append(f"<{tag}> fetches or runs something")
        self.current += values.get("aria-current") == "page"

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> in line {self.getpos()[0]} closes nothing")

    def handle_data(self, data):
        if self.open and self.open[-1] == "title":
            self.title += data


def check(site: pathlib.Path, project: str) -> list[str]:
    pages = {path: Page(path) for path in sorted(site.rglob("*.html"))}
    start = site / "index.html"
    if start not in pages or len(pages) < 20:
        return [f"{site}: there is no site; cargo xtask site makes it"]
    faults, titles = [], {}
    listed = {(start.parent / link).resolve() for link in pages[start].links if ":" not in link}
    for path, page in pages.items():
        said = page.faults
        if page.attrs.get("html", {}).get("lang") != "en":
            said.append("no lang")
        if not page.title.strip() or titles.setdefault(page.title, path) != path:
            said.append(f"the title {page.title!r} is empty or another page's")
        for tag in ("h1", "main"):
            if page.tags.count(tag) != 1:
                said.append(f"{page.tags.count(tag)} <{tag}>")
        if page.current != (path.resolve() in listed):
            said.append("is in the contents and not marked there" if page.current == 0 else "marked more than once")
        for link in page.links:
            parts = urllib.parse.urlsplit(link)
            if parts.scheme in ("http", "https", "data", "mailto"):
                continue
            target = path if not parts.path else (path.parent / urllib.parse.unquote(parts.path)).resolve()
            if not target.is_file():
                said.append(f"{link} leads nowhere")
            elif parts.fragment and target in pages and urllib.parse.unquote(parts.fragment) not in pages[target].ids:
                said.append(f"{link} leads to no heading")
        text = path.read_text(encoding="utf-8")
        said += [f"names {place}" for place in (project, "/home/", "/root/") if place in text]
        faults += [f"{path.relative_to(site)}: {fault}" for fault in said]
    return faults


if __name__ == "__main__":
    found = check(pathlib.Path(sys.argv[1]).resolve(), sys.argv[2])
    print("\n".join(found) or "ok      the pages of the site", file=sys.stderr if found else sys.stdout)
    sys.exit(1 if found else 0)
