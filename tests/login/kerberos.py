#!/usr/bin/env python3
"""Logs in with Kerberos at Dovecot, through the C ABI: with a password, with a ticket, and with everything that can be wrong.

usage: kerberos.py PORT        KRB5_CONFIG and KRB5CCNAME name the realm of kerberos.sh
"""

import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time

from logins import PASSWORD, Attempt, Case, is_silent, require
from tamper import Tamper

FOLDER = pathlib.Path(os.environ["KRB5_CONFIG"]).parent
LOST = PASSWORD + "?"


def attempt(port, user="alice", password="", host="localhost", timeout=30, settings=(), auth="amKerberos"):
    return Attempt(Case("GSSAPI", *settings, auth=auth, user=user, password=password), port, password, "", host=host,
                   timeout=timeout)


def tickets(lifetime="10m"):
    """A cache of its own with a ticket for alice."""
    os.environ["KRB5CCNAME"] = "FILE:" + tempfile.mktemp(dir=FOLDER)
    subprocess.run(["kinit", "-l", lifetime, "alice"], input=PASSWORD + "\n", text=True, check=True, stdout=subprocess.DEVNULL)


def no_tickets():
    os.environ["KRB5CCNAME"] = "FILE:" + tempfile.mktemp(dir=FOLDER)


def succeeds(port, **how):
    done = attempt(port, **how)
    require(done.error is None, "it is refused", done)
    require(any(line.startswith("0 AUTH GSSAPI") for line in done.seen), "no AUTH GSSAPI", done)
    require(done.smtp.last_reply.startswith("235"), "no 235", done)
    is_silent(done, PASSWORD)
    done.smtp.send_command("MAIL FROM:<alice@client.example>")
    require(done.smtp.last_reply.startswith("250"), "MAIL is refused after a login", done)
    done.smtp.disconnect()


def fails(port, *texts, code=161, **how):
    begun = time.monotonic()
    done = attempt(port, **how)
    require(done.error is not None and done.error.code == code, f"no error {code}", done)
    require(any(text in str(done.error) for text in texts), f"not in the error: {texts}", done)
    require(not done.smtp.connected, "the connection is open", done)
    require(time.monotonic() - begun < how.get("timeout", 30) + 5, "it took too long", done)
    is_silent(done, PASSWORD, LOST)
    return done


def fails_before_a_word(port, *texts, **how):
    done = fails(port, *texts, **how)
    require(not any(line.startswith("0 AUTH") for line in done.seen), "AUTH was said", done)


def password(port):
    no_tickets()
    succeeds(port, password=PASSWORD)
    succeeds(port, user="alice@TEST.EXAMPLE", password=PASSWORD)
    # What the password brought is not left behind for others.
    fails_before_a_word(port, "No Kerberos credentials", "Can't find client principal")


def wrong_password(port):
    no_tickets()
    fails_before_a_word(port, "Preauthentication failed", "Decrypt integrity check failed", "Password incorrect", password=LOST)
    fails_before_a_word(port, "not found in Kerberos database", user="nobody-here", password=PASSWORD)


def ticket(port):
    tickets()
    succeeds(port)
    # Whose ticket it is need not be said.
    succeeds(port, user="", auth=None, settings=["SASLMechanism=GSSAPI"])
    succeeds(port, settings=["AuthorizationIdentity=alice"])
    fails(port, "The server refuses the GSSAPI login", settings=["AuthorizationIdentity=somebody-else"])
    fails_before_a_word(port, "Can't find client principal", "does not match", "No Kerberos credentials", user="carol")


def expired_ticket(port):
    tickets("1s")
    time.sleep(3.1)
    fails_before_a_word(port, "expired")


def wrong_service(port):
    tickets()
    fails_before_a_word(port, "Server not found", "not found in Kerberos database", host="127.0.0.1")


def silent_centre(port):
    """A distribution centre that takes connections and says nothing: the time limit counts, not the library's own."""
    no_tickets()
    with socket.socket() as silent, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as lost:
        silent.bind(("127.0.0.1", 0))
        silent.listen(16)
        lost.bind(silent.getsockname())
        usual = os.environ["KRB5_CONFIG"]
        text = pathlib.Path(usual).read_text(encoding="ascii").splitlines()
        text = [f"kdc = 127.0.0.1:{silent.getsockname()[1]}" if line.startswith("kdc =") else line for line in text]
        other = FOLDER / "silent.conf"
        other.write_text("\n".join(text) + "\n", encoding="ascii")
        os.environ["KRB5_CONFIG"] = str(other)
        try:
            fails_before_a_word(port, "Kerberos", code=201, password=PASSWORD, timeout=2)
        finally:
            os.environ["KRB5_CONFIG"] = usual


class TamperGssapi(Tamper):
    """Changes one bit of the message with this number, of those of both sides that are not empty."""

    def __init__(self, port, number, change=True):
        super().__init__(port, change)
        self.left = number

    def converse(self, client, server):
        logging_in = False
        while True:
            line = server.readline()
            if not line:
                return
            if logging_in and line.startswith(b"334 ") and len(line.strip()) > 4:
                line = b"334 " + self.message(line[4:])
            client.write(line)
            if line[3:4] == b"-":
                continue
            client.flush()
            line = client.readline()
            if not line:
                return
            words = line.split()
            if words and words[0] == b"AUTH":
                logging_in = True
                if len(words) == 3:
                    line = b"AUTH GSSAPI " + self.message(words[2])
            elif logging_in and line.strip() not in (b"", b"*"):
                line = self.message(line)
            server.write(line)
            server.flush()

    def message(self, text):
        if self.left == 0 and self.wanted and not self.changed:
            return self.change(text)
        self.left -= 1
        return text.strip() + b"\r\n"

    @staticmethod
    def place(message):
        return len(message) - 4

    @staticmethod
    def flipped(byte, message):
        return byte ^ 1


def tampered(port):
    """AP-REQ, AP-REP, the server's layers, our answer to them."""
    tickets()
    with TamperGssapi(port, 0, change=False) as between:
        succeeds(between.port)
    for number, refusing in enumerate(["The server refuses", "The GSSAPI login fails", "The GSSAPI login fails", "The server refuses"]):
        with TamperGssapi(port, number) as between:
            done = fails(between.port, refusing)
            require(between.changed, f"message {number} was not changed", done)
            cancelled = any(line == "0 *" for line in done.seen)
            require(cancelled == (refusing == "The GSSAPI login fails"), f"message {number}: cancelled {cancelled}", done)


def missing_library(port):
    """In a process of its own, whose search finds an empty file before the library."""
    folder = FOLDER / "empty"
    folder.mkdir(exist_ok=True)
    for name in ("libgssapi_krb5.so.2", "libgssapi.so.3"):
        (folder / name).write_bytes(b"")
    code = f"import sys; sys.argv[1:] = ['{port}', 'missing']; import kerberos; kerberos.main()"
    done = subprocess.run([sys.executable, "-c", code], cwd=pathlib.Path(__file__).parent, timeout=60, text=True,
                          capture_output=True, env=dict(os.environ, LD_LIBRARY_PATH=str(folder), PYTHONPATH="."))
    if done.returncode != 0:
        raise AssertionError(done.stdout + done.stderr)


def missing(port):
    fails_before_a_word(port, "libgssapi_krb5.so.2", code=270, password=PASSWORD)


TESTS = [password, wrong_password, ticket, expired_ticket, wrong_service, silent_centre, tampered, missing_library]


def main():
    port = int(sys.argv[1])
    failed = 0
    for test in [missing] if "missing" in sys.argv else TESTS:
        title = f"dovecot: Kerberos: {test.__name__.replace('_', ' ')}"
        try:
            test(port)
        except (AssertionError, subprocess.SubprocessError) as error:
            print(f"FAILED  {title}: {error}")
            failed += 1
        else:
            print(f"ok      {title}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
