"""Writes each block of code of the documentation into a file of its own, so that run.sh can compile or run it.

usage: blocks.py FOLDER PORT PORT_WITH_LOGIN

A block that nobody would run is an error: one without a language or in one that is not known, a second one in a language in README.md
(tests/readme.sh runs the first), and an indented one in a guide, but for the few lines that other tests run.
"""

import pathlib
import re
import sys
import tomllib

ROOT = pathlib.Path(__file__).resolve().parents[2]
RUN = ("c", "cpp", "python", "csharp", "sh")
# Indented lines in the guides, with the test that has the same.
ELSEWHERE = {
    "make demo": "scripts/setup.sh, scripts/demo.sh",
    "make wheel": "bindings/python/tests/wheel.sh",
    "make nuget": "bindings/dotnet/package.sh",
    "sudo make install": "tests/install.sh",
    "pip install ": "bindings/python/tests/wheel.sh",
    "dotnet add package ": "bindings/dotnet/package.sh",
    "find_package(": "tests/install.sh",
    "target_link_libraries(": "tests/install.sh",
}
# The lines around a fragment of docs/certificates.md, which shows one call in each language.
AROUND = {
    "c": ("#include <ssmtp.h>\nvoid fragment(ssmtp_t *smtp);\nvoid fragment(ssmtp_t *smtp) {\n", "}\n"),
    "cpp": ("#include <ssmtp.hpp>\nint main() {\nssmtp::Ssmtp smtp;\n", "}\n"),
    "python": ("from ssmtp import *\nsmtp = Ssmtp()\n", "assert smtp.certificate.subject\n"),
    "csharp": ("using Ssmtp;\nstatic class P { static void Main() { var smtp = new Ssmtp.Ssmtp();\n", "} }\n"),
}
# Around a block of a language's own README, which shows the inside of a method.
METHOD = {"csharp": ("using System;\nusing Ssmtp;\nstatic class P { static void Main() {\n", "} }\n")}
# What Django does with a settings.py, and a message.
DJANGO = """
from django.conf import settings
settings.configure(**{name: value for name, value in globals().items() if name.isupper()})
from django.core.mail import send_mail
assert send_mail("Hello", "Hi", "me@a.example", ["you@b.example"]) == 1
"""


def blocks(page: pathlib.Path):
    """The language and the text of each block, None as the language of an indented one."""
    fence, code, before = None, [], ""
    for line in page.read_text().splitlines():
        opened = re.match(r"^( *)(```+|~~~+) *(\S*)", line)
        if fence is None and opened:
            fence, language, indent, code = opened[2], opened[3], len(opened[1]), []
        elif fence is not None and line.strip() == fence:
            yield language, "".join(f"{c[indent:]}\n" for c in code)
            fence = None
        elif fence is not None:
            code.append(line)
        elif line.startswith("    ") and (not before or before.startswith("    ")):
            yield None, line.strip()
        before = line
    assert fence is None, f"{page}: a block has no end"


def in_sources(code: str) -> bool:
    """Whether a piece of Rust stands in the sources as it is."""
    wanted = " ".join(code.split())
    return any(wanted in " ".join(path.read_text().split()) for path in (ROOT / "src").rglob("*.rs"))


def main(folder: pathlib.Path, port: str, login_port: str) -> list[str]:
    wrong = []
    guides = sorted((ROOT / "docs/guide").glob("*.md"))
    others = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "ARCHITECTURE.md", "CHANGELOG.md")]
    others += sorted((ROOT / "docs").glob("*.md")) + sorted((ROOT / "bindings").glob("*/README.md"))
    for page in guides + others:
        name = page.relative_to(ROOT)
        readme = []
        for n, (language, code) in enumerate(blocks(page)):
            if language is None:
                if page in guides and not any(code.startswith(known) for known in ELSEWHERE):
                    wrong.append(f"{name}: nobody runs the line: {code}")
            elif page.name == "queue-format.md" and language == "text":
                # A file of the queue, which is sent.
                (folder / f"{page.stem}-{n:02}.queued").write_text(code, newline="\r\n")
            elif language == "toml":
                tomllib.loads(code)
            elif language == "rust":
                if not in_sources(code):
                    wrong.append(f"{name}: the sources have no such lines:\n{code}")
            elif language not in RUN:
                wrong.append(f"{name}: nobody knows how to run a block in '{language}'")
            elif page == ROOT / "README.md":
                if language in readme or language == "sh":
                    wrong.append(f"{name}: tests/readme.sh runs one block in {language}")
                readme.append(language)
            else:
                around = AROUND if page.name == "certificates.md" else METHOD if page.name == "README.md" else {}
                before, after = around.get(language, ("", ""))
                code = before + code + after
                if "ssmtp.django" in code:
                    code = code.replace("/etc/mail/", "") + DJANGO
                code = code.replace("mail.example", "localhost")
                code = re.sub(r"\b(587|2525)\b", login_port if page.stem == "login" else port, code)
                stem = page.stem if page.stem != "README" else page.parent.name
                (folder / f"{stem}-{n:02}.{language}").write_text(code)
    return wrong


if __name__ == "__main__":
    faults = main(pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3])
    sys.exit("\n".join(faults) or 0)
