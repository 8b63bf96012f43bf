#!/usr/bin/env python3
"""The CPU of a TLS 1.3 handshake: Connect and Disconnect beside OpenSSL's own client doing the same, full and resumed, one after the
other round by round. The handshake alone is what a connection with TLS costs more than the same client's connection without.

usage: tls.py [--rounds N] [--write]
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

COUNT = 300
GOALS = {"full": 0.5, "resumed": 0.6}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    options = parser.parse_args()
    common.build()
    for name, flags in {
        "handshake": ["-lssl", "-lcrypto"],
        "connect": [f"-I{common.ROOT / 'include'}", f"-L{common.TARGET}", "-lssmtp", f"-Wl,-rpath,{common.TARGET}"],
    }.items():
        common.run("gcc", "-O2", "-Wall", "-Wno-unused-function", common.HERE / "clients" / f"{name}.c", "-o", common.CLIENTS / name, *flags)
    samples = {}
    cores = sorted(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as name:
        root, cert, key = common.certificate(pathlib.Path(name))
        with common.Sink(cores, "--tls", cert, key) as secure, common.Sink(cores) as plain:
            for _ in range(options.rounds):
                for client in ("connect", "handshake"):
                    for mode in ("plain", *GOALS):
                        port = plain.port if mode == "plain" else secure.port
                        done = common.run(*common.pin(cores[-1]), common.CLIENTS / client, port, COUNT, mode, root,
                                          stdout=subprocess.PIPE, text=True)
                        samples.setdefault((mode, client), []).append(json.loads(done.stdout)["cpu"] / COUNT * 1e6)
    lines = [f"{COUNT} connections a round, {options.rounds} rounds, an ECDSA P-256 certificate. CPU in µs, median.", "",
             "| | libssmtp | OpenSSL | ratio | bound |", "| --- | ---: | ---: | ---: | --- |"]
    middle = statistics.median
    for mode in ("plain", *GOALS):
        ours, theirs = samples[mode, "connect"], samples[mode, "handshake"]
        ratio = middle(a / b for a, b in zip(ours, theirs))
        lines.append(f"| a connection, {mode} | {middle(ours):.0f} | {middle(theirs):.0f} | {ratio:.2f} | |")
    for mode, bound in GOALS.items():
        ours, theirs = ([a - b for a, b in zip(samples[mode, c], samples["plain", c])] for c in ("connect", "handshake"))
        ratio = middle(a / b for a, b in zip(ours, theirs))
        short = "" if ratio <= bound else " (falls short)"
        lines.append(f"| the handshake, {mode} | {middle(ours):.0f} | {middle(theirs):.0f} | {ratio:.2f} | at most {bound}{short} |")
    text = "\n".join(lines)
    sys.stdout.write(text + "\n")
    if options.write:
        common.put("tls", text)


if __name__ == "__main__":
    main()
