#!/usr/bin/env python3
"""Waits for the scenario message in the maildirs of alice, bob and carol, and holds it to expected.eml.

usage: compare.py MAIL_FOLDER EXPECTED_EML
Two ways: byte for byte, and field by field through Python's email package against the values the senders set.
"""

import difflib
import email
import email.policy
import pathlib
import sys
import time

RECIPIENTS = ("alice", "bob", "carol")
TRACE = ("return-path:", "x-original-to:", "delivered-to:", "received:")
SECONDS = 20

ADDRESSES = {
    "From": ("Zoë Sender", "sender@client.example"),
    "To": ("", "alice@postfix.test"),
    "Cc": ("Bob, Esq.", "bob@postfix.test"),
}
HEADERS = {
    "Subject": "Grüße – scenario",
    "Date": "Sun, 22 Nov 2026 12:00:00 +0000",
    "Message-ID": "<scenario@client.example>",
    "X-Scenario": "1",
}
TEXT = "First line\n.leading dot\n..two dots\n\nÜnïcödé text\nlast line\n"


def delivered(folder):
    """The one file that lies in a maildir, as soon as it does."""
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        files = list((folder / "new").glob("*"))
        if files:
            if len(files) != 1:
                raise AssertionError(f"{folder.name}: {len(files)} messages instead of one")
            return files[0].read_bytes()
        time.sleep(0.05)
    raise AssertionError(f"{folder.name}: nothing was delivered within {SECONDS} s")


def without_trace(data):
    """What was sent: the message less the lines that Postfix put above it."""
    lines = data.split(b"\n")
    at = 0
    while at < len(lines) and lines[at].decode("latin-1").lower().startswith(TRACE):
        at += 1
        while at < len(lines) and lines[at][:1] in (b" ", b"\t"):
            at += 1
    if at == 0:
        raise AssertionError("no trace lines at the top: is this Postfix's file?")
    return b"\n".join(lines[at:])


def same_bytes(name, got, expected):
    if got == expected:
        return
    diff = difflib.unified_diff(
        [repr(line) for line in expected.splitlines(keepends=True)],
        [repr(line) for line in got.splitlines(keepends=True)],
        "expected.eml", f"delivered to {name}", lineterm="",
    )
    raise AssertionError(f"{name}: the bytes differ\n" + "\n".join(diff))


def same_values(name, got):
    message = email.message_from_bytes(got, policy=email.policy.default)
    defects = list(message.defects)
    for field, value in message.items():
        defects += [f"{field}: {d!r}" for d in value.defects]
    if defects:
        raise AssertionError(f"{name}: Python's email package finds defects: {defects}")
    for field, value in HEADERS.items():
        found = message.get_all(field)
        if found is None or [str(v) for v in found] != [value]:
            raise AssertionError(f"{name}: {field} reads {found!r}, not {value!r}")
    for field, who in ADDRESSES.items():
        found = [(a.display_name, a.addr_spec) for v in message.get_all(field, []) for a in v.addresses]
        if found != [who]:
            raise AssertionError(f"{name}: {field} reads {found!r}, not {who!r}")
    if message.get_content_type() != "text/plain" or message.get_content_charset() != "utf-8":
        raise AssertionError(f"{name}: not text/plain in UTF-8 but {message['Content-Type']}")
    if message.get_content() != TEXT:
        raise AssertionError(f"{name}: the text reads {message.get_content()!r}")


def main():
    mail, expected = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]).read_bytes()
    try:
        for name in RECIPIENTS:
            data = delivered(mail / name)
            # Bcc: nobody but carol may learn of carol, in the message or in what Postfix wrote above it. (Its queue ids are
            # hexadecimal, so "bcc" can stand there by chance.)
            if name != "carol" and b"carol" in data.lower():
                raise AssertionError(f"{name}: the blind copy shows")
            sent = without_trace(data)
            if b"carol" in sent.lower() or b"bcc" in sent.lower():
                raise AssertionError(f"{name}: the blind copy shows in the message")
            same_bytes(name, sent, expected)
            same_values(name, sent)
    except AssertionError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
