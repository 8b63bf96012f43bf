#!/usr/bin/env python3
"""Text and HTML with an image in it, and attachments from a file, from octets and from a stream.

usage: attachments.py HOST:PORT
"""

import io
import pathlib
import sys
import tempfile

# A checkout needs this line; an installed package doesn't.
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bindings" / "python" / "src"))

from ssmtp import Ssmtp, SsmtpError

#: One transparent pixel.
LOGO = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
    "0000000a49444154789c6360000000020001e221bc330000000049454e44ae426082"
)


def main() -> int:
    if len(sys.argv) != 2 or ":" not in sys.argv[1]:
        print(__doc__, file=sys.stderr)
        return 2
    host, port = sys.argv[1].rsplit(":", 1)
    with tempfile.TemporaryDirectory() as folder, Ssmtp() as smtp:
        overview = pathlib.Path(folder) / "Übersicht.txt"
        overview.write_bytes("Inhalt äöü\n".encode())

        smtp.mail_server, smtp.mail_port = host, int(port)
        smtp.from_, smtp.send_to = "sender@client.example", "alice@postfix.test"
        smtp.subject = "Attachments – Anhänge"
        smtp.message_date = "Sun, 22 Nov 2026 12:00:00 +0000"
        smtp.message_id = "<attachments@client.example>"
        smtp.message_text = "Plain text\r\n"
        smtp.message_html = '<p>HTML <img src="cid:logo@client.example"></p>\r\n'
        smtp.add_inline(LOGO, "logo@client.example", "image/png")
        smtp.add_attachment(b"a;b\r\n1;2\r\n", "report.csv", "text/csv")
        smtp.add_attachment(overview)  # the type is guessed by the name
        smtp.add_attachment(io.BytesIO(bytes(range(256))), "numbers.bin", "application/octet-stream")
        try:
            smtp.send()
        except SsmtpError as error:
            print(f"attachments.py: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
