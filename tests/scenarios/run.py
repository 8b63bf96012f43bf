#!/usr/bin/env python3
"""Runs every scenario of list.toml in C, C++, Python and C#, and shows which passed, as a table.

usage: run.py [--language c|cpp|python|dotnet] [SCENARIO…]

Built before: target/debug/libssmtp.so (or SSMTP_LIBRARY) and target/debug/xtask. The programs are built here, into
target/scenarios; most of them are those of other tests and of the examples.
"""

import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import tomllib

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
OUT = ROOT / "target/scenarios"
LIBRARY = pathlib.Path(os.environ.setdefault("SSMTP_LIBRARY", str(ROOT / "target/debug/libssmtp.so"))).resolve()
XTASK = os.environ.get("XTASK", str(ROOT / "target/debug/xtask"))
LANGUAGES = {"c": "C", "cpp": "C++", "python": "Python", "dotnet": "C#"}

sys.path.insert(0, str(HERE))
from check import CHECKS  # noqa: E402
from stub import Proxy  # noqa: E402

# The source of each program in each language, for C# with what is compiled into it.
PROGRAMS = {
    "scenario": ["tests/c/scenario.c", "bindings/cpp/tests/scenario.cpp", "bindings/python/tests/scenario.py", "bindings/dotnet/scenario/Program.cs"],
    "secure": ["tests/secure/languages/secure.c", "tests/secure/languages/secure.cpp", "tests/secure/languages/secure.py", "tests/secure/languages/Secure.cs"],
    "proxy": ["tests/proxies/languages/proxy.c", "tests/proxies/languages/proxy.cpp", "tests/proxies/languages/proxy.py", "tests/proxies/languages/Proxy.cs"],
    "smime": ["examples/c/smime.c", "examples/cpp/smime.cpp", "examples/python/smime.py", "examples/dotnet/Smime.cs"],
    "attachments": ["examples/c/attachments.c", "examples/cpp/attachments.cpp", "examples/python/attachments.py", "examples/dotnet/Attachments.cs"],
    "scenarios": ["tests/scenarios/scenarios.c", "tests/scenarios/scenarios.cpp", "tests/scenarios/scenarios.py", "tests/scenarios/Scenarios.cs"],
}
MESSAGE = "bindings/dotnet/scenario/ScenarioMessage.cs"
MORE = {"scenario": [MESSAGE], "scenarios": [MESSAGE]}


def source(program, language):
    return ROOT / PROGRAMS[program][list(LANGUAGES).index(language)]


def build(program, language):
    """Compiles one program, unless it is newer than everything it is made of."""
    link = ["-I" + str(ROOT / "include"), f"-L{LIBRARY.parent}", "-lssmtp", f"-Wl,-rpath,{LIBRARY.parent}", "-pthread"]
    from_here = source(program, language)
    target = OUT / f"{program}-{language}"
    needs = [from_here, ROOT / "include/ssmtp.h", ROOT / "include/ssmtp.hpp"]
    if language == "python":
        return
    if language == "dotnet":
        target = OUT / f"{program}.exe"
        sources = [from_here, *(ROOT / more for more in MORE.get(program, []))]
        needs = [*sources, OUT / "Ssmtp.dll"]
        command = ["mcs", "-langversion:7", "-warnaserror", f"-r:{OUT / 'Ssmtp.dll'}", f"-out:{target}", *map(str, sources)]
    elif language == "c":
        needs += [ROOT / "tests/c/scenario.h"]
        command = ["gcc", "-std=c99", "-D_XOPEN_SOURCE=700", "-D_DEFAULT_SOURCE", "-pedantic", "-Wall", "-Wextra", "-Werror"]
        command += ["-I" + str(ROOT / "tests/c"), str(from_here), "-o", str(target), *link]
    else:
        needs += [ROOT / "bindings/cpp/tests/scenario.hpp"]
        command = ["g++", "-std=c++17", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]
        command += ["-I" + str(ROOT / "bindings/cpp/tests"), str(from_here), "-o", str(target), *link]
    if target.exists() and all(target.stat().st_mtime > need.stat().st_mtime for need in needs):
        return
    subprocess.run(command, check=True)


def build_all(languages):
    OUT.mkdir(parents=True, exist_ok=True)
    soname = LIBRARY.parent / "libssmtp.so.0"
    if not soname.exists():
        soname.symlink_to(LIBRARY.name)
    if "dotnet" in languages:
        subprocess.run([ROOT / "bindings/dotnet/build.sh"], check=True)
        built = (ROOT / "target/dotnet/Ssmtp.dll").read_bytes()
        if not (OUT / "Ssmtp.dll").exists() or (OUT / "Ssmtp.dll").read_bytes() != built:
            (OUT / "Ssmtp.dll").write_bytes(built)
    jobs = [(program, language) for program in PROGRAMS for language in languages]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda job: build(*job), jobs))


def command_of(program, language):
    if language == "python":
        return ["python3", str(source(program, language))]
    if language == "dotnet":
        return ["mono", "--debug", str(OUT / f"{program}.exe")]
    return [str(OUT / f"{program}-{language}")]


def make_certificates(folder):
    subprocess.run(["sh", ROOT / "tests/smime/pki.sh", folder, "few"], check=True)
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
         "-addext", "basicConstraints=critical,CA:FALSE", "-keyout", folder / "localhost.key", "-out", folder / "localhost.pem"],
        check=True, capture_output=True,
    )


class Server:
    """`xtask serve` with a folder for what it takes."""

    def __init__(self, options):
        self.folder = tempfile.TemporaryDirectory(prefix="ssmtp-scenario-")
        self.mail = pathlib.Path(self.folder.name)
        self.process = subprocess.Popen([XTASK, "serve", "--eml", self.mail, *options], stdout=subprocess.PIPE, text=True)
        self.port = self.process.stdout.readline().rstrip().rpartition(":")[2]

    def messages(self):
        for number in range(1, 1 + len(list(self.mail.glob("*.eml")))):
            yield (self.mail / f"{number}.eml").read_bytes(), (self.mail / f"{number}.envelope").read_text().splitlines()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.folder.cleanup()


def run(scenario, language, proxy, pki):
    """What is wrong with a scenario in a language; empty when nothing is."""
    filled = {"pki": pki, "socks": proxy.port, "tunnel": proxy.port}
    options = [option.format(**filled) for option in scenario.get("server", [])]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "bindings/python/src"), "PYTHONDONTWRITEBYTECODE": "1"}
    with Server(options) as server, tempfile.TemporaryDirectory(prefix="ssmtp-queue-") as folder:
        filled |= {"port": server.port, "host_port": f"127.0.0.1:{server.port}", "folder": folder, "mail": server.mail}
        for one in scenario["runs"]:
            command = command_of(one["program"], language) + [a.format(**filled) for a in one["arguments"]]
            try:
                done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
            except subprocess.TimeoutExpired:
                return f"{' '.join(command)} does not end"
            # Python's errors tell their number as text too.
            said = [re.sub(r" \(error \d+\)$", "", line) for line in done.stdout.splitlines()]
            expected = [line.format(**filled) for line in one.get("says", said)]
            # A failure that the program tells about ends it with 1; what "says" does not expect must not be one.
            if done.returncode not in ((0, 1) if "says" in one else (0,)) or said != expected:
                return f"exit code {done.returncode}, it says:\n{done.stdout}{done.stderr}in place of:\n" + "\n".join(expected)
        found = list(server.messages())
        if len(found) != len(scenario["arrives"]):
            return f"{len(found)} messages arrived"
        wrong = (CHECKS[check](*message, pki) for check, message in zip(scenario["arrives"], found))
        return "\n".join(filter(None, wrong))


def main():
    parser = argparse.ArgumentParser(description="every scenario of list.toml in every language")
    parser.add_argument("--language", choices=LANGUAGES, action="append")
    parser.add_argument("scenario", nargs="*")
    asked = parser.parse_args()
    languages = asked.language or list(LANGUAGES)
    scenarios = tomllib.loads((HERE / "list.toml").read_text("utf-8"))["scenario"]
    if asked.scenario:
        scenarios = [one for one in scenarios if one["name"] in asked.scenario]
    if not scenarios:
        sys.exit("no scenario has that name")
    build_all(languages)
    proxy = Proxy()
    results = {}
    with tempfile.TemporaryDirectory(prefix="ssmtp-people-") as folder, concurrent.futures.ThreadPoolExecutor(4) as pool:
        pki = pathlib.Path(folder)
        make_certificates(pki)
        jobs = {(one["name"], l): pool.submit(run, one, l, proxy, pki) for one in scenarios for l in languages}
        results = {key: job.result() for key, job in jobs.items()}

    width = max(len(one["name"]) for one in scenarios)
    print(" " * width, *(f"{LANGUAGES[l]:<7}" for l in languages))
    for one in scenarios:
        cells = ["FAILED" if results[one["name"], l] else "ok" for l in languages]
        print(f"{one['name']:<{width}}", *(f"{cell:<7}" for cell in cells))
    bad = {key: text for key, text in results.items() if text}
    for (name, language), text in bad.items():
        print(f"\nFAILED  {name} in {LANGUAGES[language]}: {text}")
    print(f"scenarios: {len(results) - len(bad)} passed, {len(bad)} failed")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
