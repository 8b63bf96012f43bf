#!/usr/bin/env python3
"""Waits for the message in a maildir and writes it as it was sent: take.py MAILDIR FILE.eml (no trace lines, CRLF)."""

import pathlib
import sys

from compare import delivered, without_trace

data = without_trace(delivered(pathlib.Path(sys.argv[1])))
pathlib.Path(sys.argv[2]).write_bytes(data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
