#!/usr/bin/env python3
"""The scenario message: the same, byte for byte, from every language.

usage: scenario.py HOST PORT
"""

import pathlib
import sys

if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "src"))

FROM = '"Zoë Sender" <sender@client.example>'
SEND_TO = "alice@postfix.test"
CC = '"Bob, Esq." <bob@postfix.test>'
BCC = "carol@postfix.test"
SUBJECT = "Grüße – scenario"
MESSAGE_DATE = "Sun, 22 Nov 2026 12:00:00 +0000"
MESSAGE_ID = "<scenario@client.example>"
OTHER_HEADERS = "X-Scenario: 1"
LINES = ("First line", ".leading dot", "..two dots", "", "Ünïcödé text", "last line")
MESSAGE_TEXT = "\r\n".join(LINES) + "\r\n"


def scenario(smtp):
    """Sets everything but the server."""
    smtp.from_ = FROM
    smtp.send_to = SEND_TO
    smtp.cc = CC
    smtp.bcc = BCC
    smtp.subject = SUBJECT
    smtp.message_date = MESSAGE_DATE
    smtp.message_id = MESSAGE_ID
    smtp.other_headers = OTHER_HEADERS
    smtp.message_text = MESSAGE_TEXT


def main():
    from ssmtp import Ssmtp, SsmtpError

    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with Ssmtp() as smtp:
        smtp.mail_server, smtp.mail_port = sys.argv[1], int(sys.argv[2])
        scenario(smtp)
        try:
            smtp.send()
        except SsmtpError as error:
            sys.exit(f"scenario.py: {error}")


if __name__ == "__main__":
    main()
