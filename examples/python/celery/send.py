#!/usr/bin/env python3
"""Queues a message for the workers of tasks.py.

    send.py --to you@example.com --subject Hi --text Hello [--count 10]
"""

import argparse

from tasks import send, settings

from ssmtp import Ssmtp


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--from", dest="sender", default="me@client.example", metavar="ADDRESS")
    parser.add_argument("--to", required=True, metavar="ADDRESS")
    parser.add_argument("--subject", default="Hello")
    parser.add_argument("--text", default="Hello\r\n")
    parser.add_argument("--count", type=int, default=1, help="so many messages, numbered")
    options = parser.parse_args()
    with Ssmtp() as smtp:
        settings(smtp)
        smtp.from_, smtp.send_to, smtp.message_text = options.sender, options.to, options.text
        for number in range(1, options.count + 1):
            smtp.subject = options.subject if options.count == 1 else f"{options.subject} {number}"
            send.delay(smtp.queue("*"))
    print(f"queued {options.count}")


if __name__ == "__main__":
    main()
