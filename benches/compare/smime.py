#!/usr/bin/env python3
"""S/MIME of a large file: libssmtp beside `openssl cms`, both writing to /dev/null, and libssmtp sending it to the sink besides; one
after the other, round by round. CPU of the whole process for openssl, without its start for libssmtp; peak memory of both.

usage: smime.py [--rounds N] [--megabytes N] [--write]
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import run as common

# name, what libssmtp does, its cipher, the openssl commands (joined by a pipe)
SIGN = "openssl cms -sign -md sha256 -signer {folder}/me.crt -inkey {folder}/me.key -in {file}"
CASES = [
    ("sign, detached", "sign", "AESCBC256", SIGN),
    ("encrypt, AES-256-CBC", "encrypt", "AESCBC256", "openssl cms -encrypt -aes-256-cbc -stream -in {file} {folder}/you.crt"),
    ("encrypt, AES-256-GCM", "encrypt", "AESGCM256", "openssl cms -encrypt -aes-256-gcm -stream -in {file} {folder}/you.crt"),
    ("sign and encrypt", "both", "AESCBC256", SIGN + " | openssl cms -encrypt -aes-256-cbc -stream {folder}/you.crt"),
]
GOALS = [("sign, detached", "cpu", 0.75), ("encrypt, AES-256-CBC", "cpu", 0.8), ("sign and encrypt", "cpu", 0.6), ("sign and encrypt", "wall", 0.9)]


def people(folder):
    for name, address in (("me", "a@client.example"), ("you", "b@server.example")):
        common.run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", f"/CN={name}",
                   "-addext", f"subjectAltName=email:{address}", "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.crt",
                   stderr=subprocess.DEVNULL)
    common.run("openssl", "pkcs12", "-export", "-inkey", folder / "me.key", "-in", folder / "me.crt", "-passout", "pass:secret",
               "-out", folder / "me.pfx")


def text_file(path, megabytes):
    line = b"The quick brown fox jumps over the lazy dog; the five boxing wizards jump q\r\n"
    block = line * 13_000
    with open(path, "wb") as file:
        for _ in range(megabytes):
            file.write(block)


def openssl(command):
    """Wall, CPU of all its processes, and the peak of the largest."""
    start = time.monotonic()
    process = subprocess.Popen(["bash", "-c", f"{command} > /dev/null"])
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise SystemExit(f"{command}: {status}")
    return {"wall": time.monotonic() - start, "cpu": usage.ru_utime + usage.ru_stime, "rss_kib": usage.ru_maxrss}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--megabytes", type=int, default=500)
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    options = parser.parse_args()
    common.build()
    common.run("gcc", "-O2", "-Wall", "-Wno-unused-function", common.HERE / "clients" / "smime.c", "-o", common.CLIENTS / "smime", f"-I{common.ROOT / 'include'}",
               f"-L{common.TARGET}", "-lssmtp", f"-Wl,-rpath,{common.TARGET}")
    ours, sent, theirs = {}, {}, {}
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        people(folder)
        file = folder / "large.txt"
        text_file(file, options.megabytes)
        cores = sorted(os.sched_getaffinity(0))
        with common.Sink(cores) as sink:
            for _ in range(options.rounds):
                for case, what, cipher, command in CASES:
                    for samples, port in ((ours, "-"), (sent, sink.port)):
                        done = common.run(*common.pin(cores[-1]), common.CLIENTS / "smime", port, file, what, cipher, folder / "me.pfx",
                                          folder / "you.crt", stdout=subprocess.PIPE, text=True)
                        samples.setdefault(case, []).append(json.loads(done.stdout))
                    theirs.setdefault(case, []).append(openssl(command.format(folder=folder, file=file)))
    lines = [f"{options.megabytes} MB of text, {options.rounds} rounds.", "",
             "| case | CPU s, libssmtp | CPU s, openssl | CPU ratio | wall ratio | sent, CPU s | sent, CPU ratio | sent, wall ratio | peak MiB, libssmtp | peak MiB, openssl |",
             "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"]
    ratios = {}
    for case in ours:
        middle = lambda samples, key: statistics.median(s[key] for s in samples)
        for key in ("cpu", "wall"):
            ratios[case, key] = statistics.median(a[key] / b[key] for a, b in zip(ours[case], theirs[case]))
        over = [statistics.median(a[key] / b[key] for a, b in zip(sent[case], theirs[case])) for key in ("cpu", "wall")]
        lines.append("| {} | {:.2f} | {:.2f} | {:.2f} | {:.2f} | {:.2f} | {:.2f} | {:.2f} | {:.1f} | {:.1f} |".format(
            case, middle(ours[case], "cpu"), middle(theirs[case], "cpu"), ratios[case, "cpu"], ratios[case, "wall"],
            middle(sent[case], "cpu"), *over, middle(sent[case], "rss_kib") / 1024, middle(theirs[case], "rss_kib") / 1024))
    lines += ["", "| goal | bound | reached |", "| --- | --- | --- |"]
    for case, key, bound in GOALS:
        value = ratios[case, key]
        lines.append(f"| {case}: {key} to openssl | at most {bound} | {value:.2f}{'' if value <= bound else ' (falls short)'} |")
    text = "\n".join(lines)
    sys.stdout.write(text + "\n")
    if options.write:
        common.put("smime", text)


if __name__ == "__main__":
    main()
