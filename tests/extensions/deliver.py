#!/usr/bin/env python3
"""Delivers through a real server with each extension it offers, used and switched off, and looks at what was said to it (the
PITrail event), and at what it passed on to the next hop.

usage: deliver.py PEER PORT FOLDER      PEER: postfix, exim; FOLDER: where the next hop keeps what arrives
"""

import email
import email.policy
import io
import pathlib
import re
import sys
import time

from ssmtp import RecipientType, Ssmtp, SsmtpError

PEER, PORT, FOLDER = sys.argv[1], int(sys.argv[2]), pathlib.Path(sys.argv[3])
TEXT = "Grüße,\r\n.dot\r\n..dots\r\n\r\nlast line\r\n"
LIMIT = 300000
# What both promise; more may be there.
OFFERED = ["PIPELINING", "CHUNKING", "8BITMIME", "SIZE", "SMTPUTF8", "DSN"]

failures = []
checks = 0


def check(title, good, *why):
    global checks
    checks += 1
    if not good:
        failures.append(title)
        print(f"FAILED  {PEER}: {title}", *why, file=sys.stderr)


class Sending:
    """One message, what was said to send it, and what the next hop got of it."""

    number = 0

    def __init__(self, *settings, text=TEXT, sender="a@client.example", stream=None, connect=False, **more):
        Sending.number += 1
        self.said, self.error, self.code = [], None, 0
        self.id = f"<{PEER}-{Sending.number}@client.example>"
        with Ssmtp() as smtp:
            smtp.mail_server, smtp.mail_port, smtp.timeout = "127.0.0.1", PORT, 20
            smtp.on_pi_trail = lambda event: self.said.append((event.direction, event.message))
            smtp.from_, smtp.send_to, smtp.subject = sender, "b@there.example", "extensions"
            smtp.message_id, smtp.message_text = self.id, text
            if "options" in more:
                smtp.message_recipients[0].options = more["options"]
            if "cc" in more:
                smtp.message_recipients.add(more["cc"], RecipientType.CC)
            if stream is not None:
                smtp.set_message_stream(io.BytesIO(stream), -1)
            for setting in settings:
                smtp.config(setting)
            try:
                if connect:
                    smtp.connect()
                    self.offered = smtp.config("ServerExtensions").split("\r\n")
                smtp.send()
                self.size = None
            except SsmtpError as error:
                self.error, self.code = error, error.code

    def client(self, verb):
        """The first command of this name, or nothing."""
        return next((said for direction, said in self.said if direction == 0 and said.startswith(verb)), "")

    def grouped(self):
        """RCPT was said before MAIL was answered."""
        order = [said.split(" ")[0] if direction == 0 else "reply" for direction, said in self.said if direction < 2]
        mail = order.index("MAIL")
        return order[mail + 1] == "RCPT"

    def arrived(self):
        """The message and its envelope at the next hop."""
        until = time.monotonic() + 15
        while time.monotonic() < until:
            for file in FOLDER.glob("*.eml"):
                data = file.read_bytes()
                if self.id.encode() in data and file.with_suffix(".envelope").exists():
                    return data, file.with_suffix(".envelope").read_text("utf-8")
            time.sleep(0.05)
        return None, ""


def same(title, sending, text=TEXT):
    """It was taken, and its text arrived."""
    check(title, sending.error is None, sending.error)
    if sending.error is not None:
        return ""
    data, envelope = sending.arrived()
    check(f"{title}: arrives", data is not None)
    if data is None:
        return ""
    message = email.message_from_bytes(data, policy=email.policy.SMTPUTF8)
    body = message.get_payload(decode=True).decode("utf-8")
    check(f"{title}: arrives as it was", body.replace("\r\n", "\n") == text.replace("\r\n", "\n"), repr(body[:200]))
    return envelope


# --- everything at once ---------------------------------------------------------------------------------------------------
full = Sending(
    "DsnRet=HDRS",
    "DsnEnvId=job+7=x y",
    connect=True,
    options="NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;b@there.example",
    cc="c@there.example",
)
offered = [line.split(" ")[0].upper() for line in full.offered]
for extension in OFFERED:
    check(f"{extension} is offered", extension in offered, full.offered)
envelope = same("all extensions", full)
mail = full.client("MAIL")
check("SIZE is told", re.search(r" SIZE=\d+", mail), mail)
check("BODY is told", " BODY=8BITMIME" in mail, mail)
check("RET and ENVID are told", " RET=HDRS ENVID=job+2B7+3Dx+20y" in mail, mail)
check("NOTIFY is told", " NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;b@there.example" in full.client("RCPT"), full.said)
check("BDAT is used", full.client("DATA") == "", full.said)
check("commands go in a group", full.grouped(), full.said)
check("RET is passed on", " RET=HDRS" in envelope, envelope)
check("ENVID is passed on", " ENVID=job+2B7+3Dx+20y" in envelope, envelope)
check("NOTIFY is passed on", re.search(r"b@there.example>.* NOTIFY=(?=.*SUCCESS)(?=.*FAILURE)(?=.*DELAY)", envelope), envelope)
if PEER == "exim":
    # It passes 8-bit content on without the word, and logs that it was said to be that.
    log = (FOLDER.parent / "exim" / "log" / "mainlog").read_text("utf-8")
    check("BODY is taken", any("M8S=8" in line and full.id.strip("<>") in line for line in log.splitlines()), log)
else:
    check("BODY is passed on", " BODY=8BITMIME" in envelope, envelope)
check("both recipients are passed on", "c@there.example" in envelope, envelope)

# --- each one switched off ------------------------------------------------------------------------------------------------
off = Sending("UsePipelining=False", cc="c@there.example")
same("UsePipelining=False", off)
check("without PIPELINING each command waits", not off.grouped(), off.said)

off = Sending("UseChunking=False")
same("UseChunking=False", off)
check("without CHUNKING it is DATA", off.client("DATA") == "DATA", off.said)

off = Sending("Use8BitMime=False")
envelope = same("Use8BitMime=False", off)
check("without 8BITMIME nothing is told", "BODY=" not in off.client("MAIL"), off.said)

off = Sending("UseSize=False")
same("UseSize=False", off)
check("without SIZE nothing is told", "SIZE=" not in off.client("MAIL"), off.said)

off = Sending("UseDsn=False", "DsnRet=FULL", "DsnEnvId=x", options="NOTIFY=NEVER")
envelope = same("UseDsn=False", off)
said = off.client("MAIL") + off.client("RCPT")
check("without DSN nothing is told", not re.search("RET=|ENVID=|NOTIFY=", said), said)
check("what is left out is remarked", any(d == 2 and "left out" in text for d, text in off.said), off.said)
check("without DSN nothing is passed on", not re.search("RET=|ENVID=|NOTIFY=", envelope), envelope)

never = Sending(options="NOTIFY=NEVER")
envelope = same("NOTIFY=NEVER", never)
check("NEVER is passed on", " NOTIFY=NEVER" in envelope, envelope)

# --- internationalised addresses ------------------------------------------------------------------------------------------
world = Sending(sender="zoë@client.example")
envelope = same("SMTPUTF8", world)
check("SMTPUTF8 is told", " SMTPUTF8" in world.client("MAIL"), world.said)
check("the address is passed on as it is", "<zoë@client.example>" in envelope and "SMTPUTF8" in envelope, envelope)
refused = Sending("UseSmtpUtf8=False", sender="zoë@client.example")
check("without SMTPUTF8 such an address is refused (164)", refused.code == 164, refused.error)
check("before MAIL", refused.client("MAIL") == "", refused.said)

# --- sizes ----------------------------------------------------------------------------------------------------------------
line = "0123456789" * 7 + "\r\n"
# Exim counts a line end as one.
long = line * (LIMIT // (len(line) - 2))
refused = Sending(text=long)
check("too large is refused by SIZE (161)", refused.code == 161 and str(LIMIT) in str(refused.error), refused.error)
check("before MAIL is said", refused.client("MAIL") == "", refused.said)
for setting in ["UseChunking=False", "UseChunking=True"]:
    refused = Sending("UseSize=False", setting, text=long)
    check(f"with UseSize=False, {setting} the server refuses it (161)", refused.code == 161, refused.error)
    check("after MAIL", refused.client("MAIL") != "", refused.said)
almost = line * ((LIMIT - 5000) // len(line))
same("a message just below the limit", Sending(text=almost), almost)
same("the same by DATA", Sending("UseChunking=False", text=almost), almost)

# --- a stream whose size nobody knows goes in several chunks ---------------------------------------------------------------
lines = b"".join(b".%06d a line of a stream\n" % n for n in range(9000))
streamed = Sending(text="", stream=lines)
same("a stream in chunks", streamed, lines.decode())
check("its size is not told", "SIZE=" not in streamed.client("MAIL"), streamed.said)
same("a stream by DATA", Sending("UseChunking=False", text="", stream=lines), lines.decode())

if failures:
    sys.exit(f"{PEER}: {len(failures)} of {checks} failed")
print(f"ok      {PEER}: {checks} checks with {', '.join(OFFERED)}")
