#!/usr/bin/env python3
"""Sends expected.eml with Python's own smtplib: shows that harness and Postfix leave a message as it is.

usage: reference.py HOST PORT
"""

import pathlib
import smtplib
import sys

message = (pathlib.Path(__file__).parent / "expected.eml").read_bytes().replace(b"\n", b"\r\n")
with smtplib.SMTP(sys.argv[1], int(sys.argv[2]), timeout=20) as server:
    refused = server.sendmail(
        "sender@client.example",
        ["alice@postfix.test", "bob@postfix.test", "carol@postfix.test"],
        message,
        mail_options=["BODY=8BITMIME"],
    )
sys.exit(1 if refused else 0)
