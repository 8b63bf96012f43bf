#!/usr/bin/env python3
"""What it costs to have the library at all: the time until it is loaded (dlopen with RTLD_NOW), until the first handle is there, and
until the second; what the process grows by; and the files. libssmtp without symbols, as it is installed, beside libcurl, which is
initialised as its documentation says. Each sample is a process of its own, one after the other, round by round.

usage: load.py [--rounds N] [--write]
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

import run as common

# what, its name in the table, scale, unit, at most so much of libcurl's
FIGURES = [
    ("dlopen", "dlopen", 1e6, "µs", 0.25),
    ("first", "the first handle", 1e6, "µs", 0.15),
    ("second", "the second handle", 1e6, "µs", None),
    ("rss_kib", "growth of the process", 1, "KiB", 0.4),
]
WITH_CURL = ("libcurl.", "libssl.", "libcrypto.")


def size(files, names):
    return sum(os.path.getsize(os.path.realpath(f)) for f in files if os.path.basename(f).startswith(names))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=51)
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    options = parser.parse_args()
    common.build()
    program = common.CLIENTS / "load"
    common.run("gcc", "-O2", "-Wall", "-Wno-unused-function", common.HERE / "clients" / "load.c", "-o", program, "-ldl")
    core = sorted(os.sched_getaffinity(0))[-1]
    ours, theirs = [], []
    with tempfile.TemporaryDirectory() as name:
        library = pathlib.Path(name) / "libssmtp.so.0"
        common.run("strip", "--strip-unneeded", "-o", library, common.TARGET / "libssmtp.so")
        sample = lambda *what: json.loads(common.run(*common.pin(core), program, *what, stdout=subprocess.PIPE, text=True).stdout)
        # Once without counting: what is in no cache yet is the disk's time.
        for turn in range(options.rounds + 1):
            for samples, what in ((ours, (library, "ssmtp")), (theirs, ("libcurl.so.4", "curl"))):
                taken = sample(*what)
                if turn > 0:
                    samples.append(taken)
        mine, alone, all_of_it = (size(ours[0]["files"], ("libssmtp.",)), *(size(theirs[0]["files"], names) for names in (("libcurl.",), WITH_CURL)))
        count = len(theirs[0]["files"]) - len(ours[0]["files"])
    lines = [f"{options.rounds} rounds, medians.", "", "| | libssmtp | libcurl | ratio | bound |", "| --- | ---: | ---: | ---: | --- |"]
    for key, what, scale, unit, bound in FIGURES:
        ratio = statistics.median(a[key] / b[key] for a, b in zip(ours, theirs))
        told = f"at most {bound}{'' if ratio <= bound else ' (falls short)'}" if bound else ""
        mid = lambda samples: statistics.median(s[key] for s in samples) * scale
        lines.append(f"| {what}, {unit} | {mid(ours):,.1f} | {mid(theirs):,.1f} | {ratio:.2f} | {told} |")
    lines.append(f"| the file, kB | {mine / 1e3:,.0f} | {alone / 1e3:,.0f} | {mine / alone:.2f} | |")
    lines.append(f"| with the TLS and the cryptography, kB | {mine / 1e3:,.0f} | {all_of_it / 1e3:,.0f} | {mine / all_of_it:.2f} | |")
    text = "\n".join(lines) + f"\n\nlibcurl loads {count} more shared libraries than libssmtp."
    sys.stdout.write(text + "\n")
    if options.write:
        common.put("load", text)


if __name__ == "__main__":
    main()
