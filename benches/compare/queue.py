#!/usr/bin/env python3
"""The queue: writing messages into a folder beside Postfix's `sendmail` doing the same for its own queue, and sending them from there
beside plain Send on an open connection. Postfix is left out where it is not installed, or without root.

usage: queue.py [--rounds N] [--write]
"""
import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import run as common

COUNT, SIZE = 300, 1_000
MESSAGE = b"From: <a@client.example>\nTo: <b@server.example>\nSubject: bench\n\n" + b"The quick brown fox jumps over the lazy dog.\n" * 21


class Postfix:
    """A Postfix of its own that only takes mail into its queue; nothing is delivered."""

    def __init__(self, folder):
        self.config = folder / "postfix"
        for name in ("postfix", "spool", "data"):
            (folder / name).mkdir()
        shutil.chown(folder / "data", "postfix")
        folder.chmod(0o755)
        (self.config / "main.cf").write_text(
            f"compatibility_level = 3.6\nqueue_directory = {folder}/spool\ndata_directory = {folder}/data\nmail_owner = postfix\n"
            f"setgid_group = postdrop\nmaillog_file = {folder}/log\nmaillog_file_prefixes = {folder}\ninet_interfaces = 127.0.0.1\n"
            "myhostname = bench.example\ndefault_transport = hold\nmynetworks = 127.0.0.0/8\ndefer_transports = hold\n")
        (self.config / "master.cf").write_text(
            "pickup unix n - n 60 1 pickup\ncleanup unix n - n - 0 cleanup\nqmgr unix n - n 300 1 qmgr\n"
            "rewrite unix - - n - - trivial-rewrite\npostlog unix-dgram n - n - 1 postlogd\n")
        common.run("postfix", "-c", self.config, "check", stderr=subprocess.DEVNULL)

    def submit(self, count):
        start, before = time.monotonic(), os.times()
        for _ in range(count):
            common.run("sendmail", "-C", self.config, "-f", "a@client.example", "b@server.example", input=MESSAGE,
                       stderr=subprocess.DEVNULL)
        after = os.times()
        used = after.children_user + after.children_system - before.children_user - before.children_system
        return {"wall": time.monotonic() - start, "cpu": used}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    options = parser.parse_args()
    common.build()
    common.run("gcc", "-O2", "-Wall", "-Wno-unused-function", common.HERE / "clients" / "queue.c", "-o", common.CLIENTS / "queue", f"-I{common.ROOT / 'include'}",
               f"-L{common.TARGET}", "-lssmtp", f"-Wl,-rpath,{common.TARGET}")
    results = {}
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        postfix = Postfix(folder) if shutil.which("postfix") and os.geteuid() == 0 else None
        with common.Sink(sorted(os.sched_getaffinity(0))) as sink:
            for turn in range(options.rounds):
                waiting = folder / f"queue{turn}"
                waiting.mkdir()
                ours = lambda what: json.loads(common.run(common.CLIENTS / "queue", sink.port, COUNT, SIZE, what, waiting,
                                                          stdout=subprocess.PIPE, text=True).stdout)
                results.setdefault("Queue into a folder", []).append(ours("write"))
                if postfix:
                    results.setdefault("Postfix's sendmail", []).append(postfix.submit(COUNT))
                results.setdefault("ProcessQueue", []).append(ours("process"))
                sent = common.run(common.CLIENTS / "ssmtp", sink.port, COUNT, SIZE, "open", "plain", "-", stdout=subprocess.PIPE, text=True)
                results.setdefault("Send on an open connection", []).append(json.loads(sent.stdout))
                assert not list(waiting.iterdir()), "ProcessQueue left something"
    lines = [f"{COUNT} messages of {SIZE} octets, {options.rounds} rounds, the folder in {tempfile.gettempdir()}.", "",
             "| | messages/s | CPU µs a message |", "| --- | ---: | ---: |"]
    for case, samples in results.items():
        wall, cpu = (statistics.median(s[key] for s in samples) for key in ("wall", "cpu"))
        lines.append(f"| {case} | {COUNT / wall:,.0f} | {cpu / COUNT * 1e6:,.0f} |")
    text = "\n".join(lines)
    sys.stdout.write(text + "\n")
    if options.write:
        common.put("queue", text)


if __name__ == "__main__":
    main()
