#!/usr/bin/env python3
"""Checks the message of the attachments scenario, which every language sends: check.py FILE.eml

What Python's email package reads must have no defect, exactly the expected structure, names and types, and every part its
bytes. It prints what is wrong, one finding a line, and ends with 1 then.
"""

import sys
from email import message_from_bytes, policy

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000a49444154789c6360000000020001e221bc33"
    "0000000049454e44ae426082"
)
HEADERS = {
    "From": "sender@client.example",
    "To": "alice@postfix.test",
    "Subject": "Attachments – Anhänge",
    "Date": "Sun, 22 Nov 2026 12:00:00 +0000",
    "Message-ID": "<attachments@client.example>",
    "MIME-Version": "1.0",
}

# (depth, type, disposition, file name, Content-ID, bytes), in the order of the message
STRUCTURE = [
    (0, "multipart/mixed", None, None, None, None),
    (1, "multipart/alternative", None, None, None, None),
    (2, "text/plain", None, None, None, b"Plain text\r\n"),
    (2, "multipart/related", None, None, None, None),
    (3, "text/html", None, None, None, b'<p>HTML <img src="cid:logo@client.example"></p>\r\n'),
    (3, "image/png", "inline", None, "<logo@client.example>", PNG),
    (1, "text/csv", "attachment", "report.csv", None, b"a;b\r\n1;2\r\n"),
    (1, "text/plain", "attachment", "Übersicht.txt", None, "Inhalt äöü\n".encode()),
    (1, "application/octet-stream", "attachment", "numbers.bin", None, bytes(range(256))),
]


def parts(part, depth=0):
    """The part and all below it, each with its depth."""
    yield depth, part
    if part.is_multipart():
        for child in part.iter_parts():
            yield from parts(child, depth + 1)


def described(depth, part):
    body = None if part.is_multipart() else part.get_payload(decode=True)
    return (
        depth,
        part.get_content_type(),
        part.get_content_disposition(),
        part.get_filename(),
        part["Content-ID"] and str(part["Content-ID"]),
        body,
    )


def defects(part):
    yield from part.defects
    for name, value in part.items():
        for defect in value.defects:
            yield f"{name}: {defect!r}"


def without_binary(raw):
    """The message without the bodies that BINARYMIME lets pass as they are (RFC 3030), which are no text."""
    head = raw.split(b"\r\n\r\n", 1)[0].lower()
    if b"content-transfer-encoding: binary" not in head:
        return raw
    pieces = raw.split(b"\r\n--")
    for place, piece in enumerate(pieces[1:], 1):
        fields = piece.split(b"\r\n\r\n", 1)[0]
        kept = b"content-type: multipart/" in fields.lower() or b"content-transfer-encoding: binary" not in fields.lower()
        pieces[place] = piece if kept else fields
    return b"\r\n--".join(pieces)


def findings(raw):
    """What is wrong with the message, as texts."""
    text = without_binary(raw)
    if any(len(line) > 998 for line in text.split(b"\r\n")):
        yield "a line is longer than 998 octets"
    rest = text.replace(b"\r\n", b"")
    if b"\r" in rest or b"\n" in rest:
        yield "a CR or LF stands alone"
    message = message_from_bytes(raw, policy=policy.default)
    for name, expected in HEADERS.items():
        found = [str(value) for value in message.get_all(name, [])]
        if found != [expected]:
            yield f"{name}: {found!r} in place of {expected!r}"
    found = list(parts(message))
    for depth, part in found:
        for defect in defects(part):
            yield f"defect of {part.get_content_type()} at depth {depth}: {defect!r}"
    if not raw.split(b"\r\n\r\n", 1)[0].isascii():
        yield "the header section is not ASCII"
    for place in range(max(len(found), len(STRUCTURE))):
        is_there = described(*found[place]) if place < len(found) else None
        expected = STRUCTURE[place] if place < len(STRUCTURE) else None
        if is_there != expected:
            yield f"part {place}: {is_there!r} in place of {expected!r}"
    for boundary in (part.get_boundary() for _, part in found if part.is_multipart()):
        if raw.count(b"\r\n--" + boundary.encode() + b"--") != 1:
            yield f"the boundary {boundary} does not end once"


def main():
    if len(sys.argv) != 2:
        print("usage: check.py FILE.eml", file=sys.stderr)
        return 2
    with open(sys.argv[1], "rb") as file:
        wrong = list(findings(file.read()))
    for text in wrong:
        print(text)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
