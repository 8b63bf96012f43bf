#!/usr/bin/env python3
"""Sends files with a bar that shows how far it is. Ctrl-C stops it.

usage: progress.py HOST:PORT FROM TO FILE…
"""

import pathlib
import sys

# A checkout needs this line; an installed package doesn't.
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bindings" / "python" / "src"))

from ssmtp import Ssmtp, SsmtpError, TransferEvent

WIDTH = 40


class Bar:
    """How much of all files is sent. Transfer events count each part of a message from its beginning."""

    def __init__(self, total: int) -> None:
        self._total = max(total, 1)
        self._before = self._part = 0
        self._shown = -1

    def begin(self, _: object) -> None:
        self._before, self._part = self._before + self._part, 0

    def show(self, event: TransferEvent) -> None:
        self._part = event.bytes_transferred
        percent = min(100, (self._before + self._part) * 100 // self._total)
        if percent != self._shown:
            self._shown = percent
            done = percent * WIDTH // 100
            print(f"\r[{'#' * done}{' ' * (WIDTH - done)}] {percent:3} %", end="", file=sys.stderr, flush=True)


def main() -> int:
    if len(sys.argv) < 5 or ":" not in sys.argv[1]:
        print(__doc__, file=sys.stderr)
        return 2
    host, port = sys.argv[1].rsplit(":", 1)
    files = [pathlib.Path(name) for name in sys.argv[4:]]
    try:
        # Base64 makes four characters of three octets, and a line end after 76 of them.
        bar = Bar(sum(file.stat().st_size for file in files) * 78 // 57)
        with Ssmtp() as smtp:
            smtp.mail_server, smtp.mail_port = host, int(port)
            smtp.from_, smtp.send_to = sys.argv[2], sys.argv[3]
            smtp.subject = "Files: " + ", ".join(file.name for file in files)
            smtp.on_start_transfer, smtp.on_transfer = bar.begin, bar.show
            for file in files:
                smtp.add_attachment(file)
            smtp.send()
            print(f"\n{smtp.last_reply}", file=sys.stderr)
    except (SsmtpError, OSError) as error:
        print(f"\nprogress.py: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
