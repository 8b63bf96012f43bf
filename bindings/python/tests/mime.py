"""Messages as Python's own parser reads them, which shares no code with the library."""

import email
import email.policy


def parse(test, octets):
    """Parses what was transmitted, and holds it to be a message without any defect."""
    message = email.message_from_bytes(octets, policy=email.policy.default)
    for part in message.walk():
        test.assertEqual(part.defects, [])
        for name, value in part.items():
            test.assertEqual(getattr(value, "defects", ()), (), f"{name}: {value}")
    test.assertNotRegex(octets, rb"\r(?!\n)|(?<!\r)\n", "bare CR or LF")
    test.assertLessEqual(max(map(len, octets.split(b"\r\n"))), 998)
    return message


def shape(part):
    """`multipart/mixed(text/plain, image/png)`: the tree of a message."""
    if not part.is_multipart():
        return part.get_content_type()
    return f"{part.get_content_type()}({', '.join(map(shape, part.get_payload()))})"


def content(part):
    """The octets of a part."""
    return part.get_payload(decode=True)


def text(part):
    """The text of a part, with CRLF line ends as it was set."""
    return content(part).decode(part.get_content_charset("ascii"))


def name(part):
    """The file name; get_filename would take blanks and quotes off it."""
    return part["Content-Disposition"].params.get("filename")


def attachments(message):
    """Name, type and octets of each attachment."""
    return [(name(p), p.get_content_type(), content(p)) for p in message.iter_attachments()]
