#!/usr/bin/env python3
"""Logs in at a real server with every mechanism it has, with the right password and with a wrong one, through the C ABI.

usage: logins.py PEER PORT      PEER: dovecot, postfix, exim

What counts as a login: Connect succeeds, LastReply is the server's 235, and the server, which takes mail after a login only,
takes MAIL FROM. What counts as a refusal: error 161 with the server's 5xx in its text, the connection closed, and no
password anywhere in what the program saw.
"""

import base64
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bindings/python/src"))

from ssmtp import Ssmtp, SsmtpError  # noqa: E402

from tamper import Tamper  # noqa: E402

USER, PASSWORD = "alice", "correct-Horse 7 battery-Staple 9 stable-Door 11"
ODD_USER, ODD_PASSWORD = "bob", 'pä"s\\s{wörd}'
TOKEN = os.environ.get("LOGIN_TOKEN", "")
STALE_TOKEN = os.environ.get("LOGIN_STALE_TOKEN", "")


class Case:
    """One mechanism; `config` are settings, `name` the AUTH argument that must have been said."""

    def __init__(self, name, *config, auth=None, user=USER, password=PASSWORD, wrong="wrong-Horse 7", identity=""):
        self.name = name
        self.config = config
        self.auth = auth
        self.user = user
        self.password = password
        self.wrong = wrong
        self.identity = identity

    def title(self):
        settings = [str(setting) for setting in self.config]
        if self.auth is not None:
            settings.insert(0, f"AuthMechanism={self.auth}")
        return f"{self.name} ({', '.join(settings) or 'AuthMechanism=0'}) as {self.user}"


def sasl(name, *config, **more):
    return Case(name, f"SASLMechanism={name}", *config, **more)


def token(name, *config, **more):
    return Case(name, *config, password="", wrong="", **more)


PEERS = {
    "dovecot": [
        Case("PLAIN"),
        Case("PLAIN", auth="amSASLPlain", user=ODD_USER, password=ODD_PASSWORD),
        sasl("LOGIN"),
        sasl("LOGIN", user=ODD_USER, password=ODD_PASSWORD),
        Case("CRAM-MD5", auth="amCRAMMD5"),
        Case("CRAM-MD5", auth="amCRAMMD5", user=ODD_USER, password=ODD_PASSWORD),
        Case("DIGEST-MD5", auth="amSASLDigestMD5"),
        # RFC 2831 has passwords in ISO 8859-1 where they fit; Dovecot takes UTF-8 only, so this one is ASCII.
        Case("DIGEST-MD5", auth="amSASLDigestMD5", user="carol", password='q"s\\s{word},='),
        sasl("SCRAM-SHA-1"),
        sasl("SCRAM-SHA-256"),
        sasl("SCRAM-SHA-256", user=ODD_USER, password=ODD_PASSWORD),
        token("XOAUTH2", auth="amXOAUTH2"),
        token("OAUTHBEARER", "SASLMechanism=OAUTHBEARER"),
    ],
    "postfix": [
        Case("PLAIN"),
        sasl("LOGIN"),
        Case("CRAM-MD5", auth="amCRAMMD5"),
        Case("DIGEST-MD5", auth="amSASLDigestMD5"),
        Case("DIGEST-MD5", auth="amSASLDigestMD5", user=ODD_USER, password=ODD_PASSWORD),
        Case("NTLM", auth="amNTLM"),
        Case("NTLM", "UseNTLMv2=True", auth="amNTLM"),
        Case("NTLM", "UseNTLMv2=True", auth="amNTLM", user="alice@postfix.example"),
        sasl("SCRAM-SHA-1"),
        sasl("SCRAM-SHA-256"),
        sasl("SCRAM-SHA-512"),
    ],
    "exim": [
        Case("PLAIN"),
        sasl("LOGIN"),
        Case("CRAM-MD5", auth="amCRAMMD5"),
        Case("NTLM", auth="amNTLM"),
    ],
}

# Logins that this peer is known to refuse although the password is right.
REFUSED = {"exim": [Case("NTLM", "UseNTLMv2=True", auth="amNTLM")]}

# Exchanges of which the test changes one bit on the way: they must be refused.
TAMPERED = {
    "dovecot": [Case("CRAM-MD5", auth="amCRAMMD5"), sasl("SCRAM-SHA-256")],
    "postfix": [Case("NTLM", auth="amNTLM"), Case("NTLM", "UseNTLMv2=True", auth="amNTLM")],
    "exim": [Case("NTLM", auth="amNTLM")],
}


class Attempt:
    """One Connect and what was seen of it."""

    def __init__(self, case, port, password, bearer, host="localhost", timeout=30):
        self.smtp = Ssmtp()
        self.seen = []
        self.smtp.on_pi_trail = lambda event: self.seen.append(f"{event.direction} {event.message}")
        self.smtp.mail_server = host
        self.smtp.mail_port = port
        self.smtp.timeout = timeout
        self.smtp.config("Hello=client.example")
        self.smtp.user = case.user
        self.smtp.password = password
        if case.auth is not None:
            self.smtp.set("AuthMechanism", case.auth)
        for setting in case.config:
            self.smtp.config(setting)
        if bearer:
            self.smtp.config(f"AuthorizationIdentity=Bearer {bearer}")
        self.error = None
        try:
            self.smtp.connect()
        except SsmtpError as error:
            self.error = error

    def text(self):
        return "\n".join([*self.seen, str(self.error), self.smtp.last_reply])


def require(holds, what, attempt):
    if not holds:
        raise AssertionError(f"{what}\n{attempt.text()}")


def is_silent(attempt, *secrets):
    for secret in secrets:
        if secret:
            for form in (secret, base64.b64encode(secret.encode()).decode()):
                require(form not in attempt.text(), f"{form} was seen", attempt)


def succeeds(case, port):
    attempt = Attempt(case, port, case.password, "" if case.password else TOKEN)
    require(attempt.error is None, "the right password is refused", attempt)
    require(any(line.startswith(f"0 AUTH {case.name}") for line in attempt.seen), f"no AUTH {case.name}", attempt)
    require(attempt.smtp.last_reply.startswith("235"), "no 235", attempt)
    is_silent(attempt, case.password, TOKEN)
    attempt.smtp.send_command("MAIL FROM:<alice@client.example>")
    require(attempt.smtp.last_reply.startswith("250"), "MAIL is refused after a login", attempt)
    attempt.smtp.disconnect()


def is_refused(case, port, password):
    attempt = Attempt(case, port, password, "" if case.password else STALE_TOKEN)
    require(attempt.error is not None and attempt.error.code == 161, "no error 161", attempt)
    require(any(line.startswith("1 5") for line in attempt.seen), "no refusing reply", attempt)
    require(f"The server refuses the {case.name} login" in str(attempt.error), "another error", attempt)
    require(sum(line.startswith("0 AUTH ") for line in attempt.seen) == 1, "more than one attempt", attempt)
    require(not attempt.smtp.connected, "the connection is open", attempt)
    is_silent(attempt, password, STALE_TOKEN)


def is_needed(port):
    """A server that takes mail from anybody would prove nothing."""
    smtp = Ssmtp()
    smtp.mail_server, smtp.mail_port = "localhost", port
    smtp.config("Hello=client.example")
    smtp.connect()
    try:
        smtp.send_command("MAIL FROM:<alice@client.example>")
        smtp.send_command("RCPT TO:<bob@elsewhere.example>")
    except SsmtpError:
        smtp.disconnect()
        return
    raise AssertionError("the server takes mail without a login")


def is_refused_when_tampered(case, port):
    with Tamper(port, change=False) as between:
        succeeds(case, between.port)
    with Tamper(port) as between:
        attempt = Attempt(case, between.port, case.password, "")
        require(between.changed, "nothing was changed on the way", attempt)
        require(attempt.error is not None and attempt.error.code == 161, "no error 161", attempt)


def main():
    peer, port = sys.argv[1], int(sys.argv[2])
    failed = passed = 0

    def run(title, test, *args):
        nonlocal failed, passed
        try:
            test(*args)
        except (AssertionError, SsmtpError) as error:
            print(f"FAILED  {peer}: {title}: {error}")
            failed += 1
        else:
            print(f"ok      {peer}: {title}")
            passed += 1

    run("mail needs a login", is_needed, port)
    for case in PEERS[peer]:
        run(f"{case.title()}: right", succeeds, case, port)
        run(f"{case.title()}: wrong", is_refused, case, port, case.wrong)
    for case in REFUSED.get(peer, []):
        run(f"{case.title()}: not known to this server", is_refused, case, port, case.password)
    for case in TAMPERED.get(peer, []):
        run(f"{case.title()}: one bit changed on the way", is_refused_when_tampered, case, port)
    print(f"{peer}: {passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
