#!/usr/bin/env python3
"""The first mail. Start a server with `cargo xtask serve --port 2525 --print`, then run this file.

usage: quickstart.py [HOST:PORT]
"""

import pathlib
import sys

# A checkout needs this line; an installed package doesn't.
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bindings" / "python" / "src"))

from ssmtp import Ssmtp

host, port = (sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:2525").rsplit(":", 1)

with Ssmtp() as smtp:
    smtp.mail_server = host
    smtp.mail_port = int(port)
    smtp.from_ = "Me <me@client.example>"
    smtp.send_to = "You <you@server.example>"
    smtp.subject = "Hello from Python"
    smtp.message_text = "It works.\r\n"
    smtp.on_pi_trail = lambda e: print("<" if e.direction == 1 else ">", e.message)
    smtp.send()

print("sent")
