#!/usr/bin/env python3
"""Sends one message to any server.

    send.py --server mail.example.com --port 587 --from me@example.com --to you@example.com --subject Hi --text "Hello"
    send.py --server localhost --from me@example.com --to you@example.com --file letter.txt --verbose
"""

import argparse
import pathlib
import sys

# A checkout needs this line; an installed package doesn't.
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bindings" / "python" / "src"))

from ssmtp import ErrorEvent, PITrailEvent, Ssmtp, SsmtpError


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--server", required=True, help="host name or address")
    parser.add_argument("--port", type=int, default=25)
    parser.add_argument("--from", dest="sender", required=True, metavar="ADDRESS")
    parser.add_argument("--to", action="append", default=[], metavar="ADDRESS", help="may stand more than once")
    parser.add_argument("--cc", action="append", default=[], metavar="ADDRESS")
    parser.add_argument("--bcc", action="append", default=[], metavar="ADDRESS")
    parser.add_argument("--subject", default="")
    body = parser.add_mutually_exclusive_group()
    body.add_argument("--text", default="", help="the body")
    body.add_argument("--file", type=pathlib.Path, help="a text file in UTF-8 as body")
    parser.add_argument("--verbose", action="store_true", help="show the conversation with the server")
    return parser.parse_args()


def show(event: PITrailEvent) -> None:
    print({0: "C:", 1: "S:"}.get(event.direction, "--"), event.message, file=sys.stderr)


def complain(event: ErrorEvent) -> None:
    print(f"send.py: {event.description} (error {event.error_code})", file=sys.stderr)


def main() -> int:
    options = arguments()
    with Ssmtp() as smtp:
        smtp.on_error = complain
        if options.verbose:
            smtp.on_pi_trail = show
        try:
            smtp.mail_server, smtp.mail_port = options.server, options.port
            smtp.from_ = options.sender
            smtp.send_to, smtp.cc, smtp.bcc = ", ".join(options.to), ", ".join(options.cc), ", ".join(options.bcc)
            smtp.config(f"AllowEmptyTo={not options.to}")
            smtp.subject = options.subject
            smtp.message_text = options.file.read_text("utf-8") if options.file else options.text
            smtp.send()
        except (SsmtpError, OSError, UnicodeDecodeError) as error:
            print(f"send.py: {error}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
