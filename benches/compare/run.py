#!/usr/bin/env python3
"""Whole programs beside each other: the sink on one core, one client after the other on another, interleaved round by round, so
that what the machine does meanwhile meets them all alike. Prints the ratios and writes docs/performance.md's table.

usage: run.py [--rounds N] [--quick] [--write]
"""
import argparse
import json
import os
import pathlib
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TARGET = ROOT / "target" / "release"
CLIENTS = TARGET / "bench-clients"


def run(*command, **options):
    return subprocess.run(list(map(str, command)), check=True, **options)


def build():
    run("cargo", "build", "--release", "--quiet", "--package", "libssmtp", "--package", "compare", cwd=ROOT)
    CLIENTS.mkdir(parents=True, exist_ok=True)
    library = TARGET / "libssmtp.so.0"
    if not library.exists():
        library.symlink_to("libssmtp.so")
    for name, flags in {
        "curl": ["-lcurl"],
        "esmtp": ["-lesmtp"],
        "ssmtp": [f"-I{ROOT / 'include'}", f"-L{TARGET}", "-lssmtp", f"-Wl,-rpath,{TARGET}"],
    }.items():
        run("gcc", "-O2", "-Wall", HERE / "clients" / f"{name}.c", "-o", CLIENTS / name, *flags)


class Sink:
    """The sink, as long as it is held."""

    def __init__(self, cores, *arguments):
        self.process = subprocess.Popen(
            [*pin(cores[0]), str(TARGET / "sink"), *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.port = self.process.stdout.readline().strip()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()


def pin(core):
    return ["taskset", "-c", str(core)] if shutil.which("taskset") else []


def certificate(folder):
    """A root and a certificate of localhost."""
    root, key, cert = (folder / n for n in ("root.pem", "key.pem", "cert.pem"))
    quiet = {"stderr": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30"]
    run("openssl", "req", "-x509", *curve, "-keyout", folder / "root.key", "-out", root, "-subj", "/CN=bench root", **quiet)
    extensions = folder / "ext"
    extensions.write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=critical,CA:FALSE\nextendedKeyUsage=serverAuth\n")
    run("openssl", "req", *curve, "-keyout", key, "-out", folder / "csr", "-subj", "/CN=localhost", **quiet)
    run("openssl", "x509", "-req", "-in", folder / "csr", "-CA", root, "-CAkey", folder / "root.key", "-days", "30",
        "-extfile", extensions, "-out", cert, "-CAcreateserial", **quiet)
    return root, cert, key


PEERS = {
    "raw": [str(TARGET / "raw")],
    "libssmtp": [str(CLIENTS / "ssmtp")],
    "libcurl": [str(CLIENTS / "curl")],
    "libesmtp": [str(CLIENTS / "esmtp")],
    "smtplib": [sys.executable, str(HERE / "clients" / "smtplib_client.py")],
}

# name, messages, bytes, mode, tls, peers, environment
CASES = [
    ("1 KB, one connection", 4000, 1_000, "one", False, ["raw", "libssmtp", "libcurl", "libesmtp", "smtplib"], {}),
    ("100 KB, one connection", 400, 100_000, "one", False, ["raw", "libssmtp", "libcurl", "libesmtp", "smtplib"], {}),
    ("10 MB, one connection", 20, 10_000_000, "one", False, ["raw", "libssmtp", "libcurl"], {}),
    ("10 MB, streamed on an open connection", 20, 10_000_000, "stream", False, ["libssmtp", "libcurl"], {}),
    ("10 MB, set anew and sent on an open connection", 20, 10_000_000, "set", False, ["libssmtp", "libcurl"], {}),
    ("1 KB, Send on an open connection", 4000, 1_000, "open", False, ["libssmtp", "libcurl"], {}),
    ("1 KB, a connection each", 800, 1_000, "each", False, ["raw", "libssmtp", "libcurl", "libesmtp", "smtplib"], {}),
    ("1 KB, TLS 1.3, one connection", 4000, 1_000, "one", True, ["raw", "libssmtp", "libcurl", "smtplib"], {}),
    ("100 KB, TLS 1.3, one connection", 400, 100_000, "one", True, ["raw", "libssmtp", "libcurl"], {}),
    ("10 MB, TLS 1.3, one connection", 20, 10_000_000, "one", True, ["raw", "libssmtp", "libcurl"], {}),
    ("1 KB, TLS 1.3, a connection each, full handshake", 200, 1_000, "each", True, ["libssmtp", "libcurl", "smtplib"], {}),
    ("1 KB, TLS 1.3, a connection each, resumed", 200, 1_000, "each", True, ["libssmtp", "libcurl"], {"BENCH_RESUME": "1"}),
]

# case, what is compared, with whom, ("wall"|"cpu", how, bound)
GOALS = [
    ("1 KB, one connection", "wall", "raw", "at most", 1.25),
    ("1 KB, one connection", "rate", "libcurl", "at least", 4.0),
    ("1 KB, one connection", "rate", "libesmtp", "at least", 1.6),
    ("1 KB, one connection", "cpu", "libcurl", "at most", 0.3),
    ("1 KB, TLS 1.3, one connection", "rate", "libcurl", "at least", 3.5),
    ("100 KB, one connection", "rate", "libcurl", "at least", 3.5),
    ("10 MB, one connection", "cpu", "libcurl", "at most", 0.25),
    ("10 MB, TLS 1.3, one connection", "cpu", "libcurl", "at most", 0.4),
    ("1 KB, a connection each", "rate", "libcurl", "at least", 1.6),
    ("1 KB, TLS 1.3, a connection each, full handshake", "rate", "libcurl", "at least", 2.5),
    ("1 KB, TLS 1.3, a connection each, resumed", "rate", "libcurl", "at least", 2.3),
]


def measure(rounds, quick, folder):
    root, cert, key = certificate(folder)
    cores = sorted(os.sched_getaffinity(0))
    results = {}
    with Sink(cores) as plain, Sink(cores, "--tls", cert, key) as secure:
        for turn in range(rounds):
            for name, count, size, mode, tls, peers, extra in CASES:
                count = max(count // 10, 5) if quick else count
                order = peers[turn % len(peers):] + peers[: turn % len(peers)]
                for peer in order:
                    port = secure.port if tls else plain.port
                    command = [*pin(cores[-1]), *PEERS[peer], port, count, size, mode, "tls" if tls else "plain", root]
                    done = run(*command, stdout=subprocess.PIPE, env={**os.environ, **extra}, text=True)
                    sample = json.loads(done.stdout)
                    sample["count"] = count
                    results.setdefault(name, {}).setdefault(peer, []).append(sample)
    return results


def ratio(case, what, ours, theirs):
    """The median, over the rounds, of ours to theirs."""
    pairs = zip(case[ours], case[theirs])
    if what == "rate":
        return statistics.median(b["wall"] / a["wall"] for a, b in pairs)
    return statistics.median(a[what] / b[what] for a, b in pairs)


def table(results):
    lines = ["| case | client | messages/s | CPU µs a message | wall to libssmtp | CPU to libssmtp | slowest message, ms | peak RSS, MiB |",
             "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |"]
    for name, case in results.items():
        for peer, samples in case.items():
            middle = lambda key: statistics.median(s.get(key, 0) for s in samples)
            count = samples[0]["count"]
            slowest, rss = middle("slowest") * 1e3, middle("rss_kib") / 1024
            lines.append("| {} | {} | {:,.0f} | {:,.1f} | {:.2f} | {:.2f} | {} | {} |".format(
                name, peer, count / middle("wall"), middle("cpu") / count * 1e6, ratio(case, "wall", peer, "libssmtp"),
                ratio(case, "cpu", peer, "libssmtp"), f"{slowest:.2f}" if slowest else "", f"{rss:.1f}" if rss else ""))
    return "\n".join(lines)


def goals(results):
    lines = ["| goal | bound | reached |", "| --- | --- | --- |"]
    for name, what, peer, how, bound in GOALS:
        value = ratio(results[name], what, "libssmtp", peer)
        good = value <= bound if how == "at most" else value >= bound
        lines.append(f"| {name}: {what} to {peer} | {how} {bound} | {value:.2f}{'' if good else ' (falls short)'} |")
    return "\n".join(lines)


def machine(rounds):
    model = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    curl = subprocess.run(["curl-config", "--version"], capture_output=True, text=True).stdout.strip()
    return (f"{os.cpu_count()} cores ({model.group(1) if model else platform.machine()}), {platform.release()}, {curl}, "
            f"CPython {platform.python_version()}, {rounds} rounds.")


def put(name, text):
    """A table into its place in docs/performance.md."""
    page = ROOT / "docs" / "performance.md"
    begin, end = f"<!-- measured: {name} -->", f"<!-- end: {name} -->"
    before, rest = page.read_text().split(begin)
    page.write_text(f"{before}{begin}\n{text}\n{end}{rest.split(end)[1]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="a tenth of the messages")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/performance.md")
    options = parser.parse_args()
    build()
    with tempfile.TemporaryDirectory() as folder:
        results = measure(options.rounds, options.quick, pathlib.Path(folder))
    text = "\n\n".join([machine(options.rounds), goals(results), table(results)])
    sys.stdout.write(text + "\n")
    if options.write:
        put("sending", text)


if __name__ == "__main__":
    main()
