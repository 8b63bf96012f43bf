"""What `ssmtp.smtplib` is made of beside its classes: what the server said, errors in smtplib's words, an SSLContext in
the library's words, and settings that are changed for a moment.
"""

import contextlib
import errno
import functools
import os
import re
import smtplib
import socket
import ssl
import tempfile
import weakref
from typing import Dict, FrozenSet, Generator, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from ._certificate import Certificate
from ._client import Ssmtp
from ._enums_gen import CertStoreType
from ._errors import SsmtpError
from ._events_gen import PITrailEvent

Reply = Tuple[int, bytes]

#: Settings of SSLSecurityFlags: the name of a certificate, and everything.
ANY_NAME = 0x80000000
ANYTHING = ANY_NAME | 0xD31


def parse(lines: Sequence[str]) -> Reply:
    """Code and text of a reply; -1 where it has no code."""
    text = b"\n".join(line[4:].strip().encode("utf-8", "replace") for line in lines)
    digits = lines[0][:3] if lines else ""
    return (int(digits) if digits.isdecimal() else -1), text


def last_reply(smtp: Ssmtp) -> Reply:
    """The reply that the library keeps."""
    return parse(smtp.last_reply.split("\r\n"))


class Turn(NamedTuple):
    """A command and the lines of its reply; no command for the greeting."""

    command: str
    lines: List[str]

    @property
    def reply(self) -> Optional[Reply]:
        return parse(self.lines) if self.lines else None

    @property
    def is_whole(self) -> bool:
        return bool(self.lines) and self.lines[-1][3:4] != "-"


class Heard:
    """The conversation of one method."""

    def __init__(self, greeted: bool) -> None:
        self.turns = [Turn("", [])] if greeted else []

    def line(self, event: PITrailEvent) -> None:
        if event.direction == 0:
            self.turns.append(Turn(event.message, []))
        elif event.direction == 1:
            for turn in self.turns:
                if not turn.is_whole:
                    turn.lines.append(event.message)
                    break
            else:
                # One more to the same command, as after DATA.
                self.turns.append(Turn(self.turns[-1].command if self.turns else "", [event.message]))

    def reply_to(self, verb: str) -> Optional[Reply]:
        """What the server said to the last command of this name."""
        replies = [turn.reply for turn in self.turns if turn.command.split(" ", 1)[0].upper() == verb]
        return replies[-1] if replies else None

    def refusal(self) -> Tuple[str, Reply]:
        """The last command that was refused, and how; empty without one."""
        for turn in reversed(self.turns):
            reply = turn.reply
            if reply is not None and reply[0] >= 400:
                return turn.command.split(" ", 1)[0].upper(), reply
        return "", (-1, b"")


@contextlib.contextmanager
def hearing(smtp: Ssmtp, greeted: bool = False) -> Generator[Heard, None, None]:
    """Writes the conversation down; a handler of the caller's hears it too."""
    heard = Heard(greeted)
    handler = smtp._handler("pi_trail")

    def line(event: PITrailEvent) -> None:
        heard.line(event)
        if handler is not None:
            handler(event)

    smtp.on_pi_trail = line
    try:
        yield heard
    finally:
        if not smtp._closed:
            smtp.on_pi_trail = handler


@contextlib.contextmanager
def settings(smtp: Ssmtp, wanted: Mapping[str, str]) -> Generator[None, None, None]:
    """Settings for a moment; what they were comes back."""
    before: Dict[str, str] = {}
    try:
        for name, value in wanted.items():
            before[name] = smtp.config(name)
            smtp.config(f"{name}={value}")
        yield
    finally:
        if not smtp._closed:
            for name, value in before.items():
                smtp.config(f"{name}={value}")


def translated(error: SsmtpError, connecting: bool = False) -> Exception:
    """An error as smtplib, socket and ssl would have raised it. The original is its `__cause__`."""
    code, text = int(error.code), error.message
    if code == 280:
        return ssl.SSLCertVerificationError(1, text)
    if code == 276:
        return ssl.SSLError(1, text)
    if code == 162:
        kind = smtplib.SMTPConnectError if connecting else smtplib.SMTPResponseException
        return kind(-1, text.encode())
    if connecting:
        if code == 201:
            return TimeoutError(errno.ETIMEDOUT, text)
        if code == 10061:
            return ConnectionRefusedError(errno.ECONNREFUSED, text)
        if code == 10054:
            return ConnectionResetError(errno.ECONNRESET, text)
        if code in (11001, 11002, 11004):
            return socket.gaierror(socket.EAI_NONAME, text)
        if code == 118 or 10000 < code < 11000:
            return OSError(text)
    if code == 1117:
        return smtplib.SMTPServerDisconnected("please run connect() first")
    if code in (201, 608, 1120) or 10000 < code < 11000:
        return smtplib.SMTPServerDisconnected(f"Connection unexpectedly closed: {text}")
    return smtplib.SMTPException(text)


def seconds(timeout: Optional[float]) -> int:
    """A timeout of a socket as the library has it: whole seconds, 0 for ever."""
    if timeout is not None and not timeout:
        raise ValueError("Non-blocking socket (timeout=0) is not supported")
    return 0 if timeout is None else max(1, -int(-timeout // 1))


def apply_tls(
    smtp: Ssmtp, context: Optional[ssl.SSLContext], keyfile: Optional[str], certfile: Optional[str]
) -> None:
    """Brings an SSLContext, or the two files of old, into the component.

    No context means that the library checks as it always does. A context gives out neither its client certificate
    (set `ssl_cert` of the component) nor a trusted certificate that is no authority (set SSLServerCACerts).
    """
    if context is not None and (keyfile is not None or certfile is not None):
        raise ValueError("context and keyfile or certfile arguments are mutually exclusive")
    if certfile is not None:
        pem = b"".join(_read(name) for name in (certfile, keyfile) if name is not None)
        smtp.ssl_cert = Certificate(CertStoreType.PEM_KEY_BLOB, pem, "", "*")
    elif keyfile is not None:
        raise ValueError("certfile must be specified")
    if context is None:
        return
    flags = int(smtp.config("SSLSecurityFlags")) & ~ANYTHING
    if context.verify_mode == ssl.CERT_NONE:
        flags |= ANYTHING
    elif not context.check_hostname:
        flags |= ANY_NAME
    smtp.config(f"SSLSecurityFlags={flags}")
    smtp.config(f"SSLEnabledProtocols={_protocols(context)}")
    trusted = frozenset(context.get_ca_certs(binary_form=True))
    if not trusted or trusted == _systems():
        return
    roots = "".join(map(ssl.DER_cert_to_PEM_cert, sorted(trusted)))
    # This setting has a server's own certificate among them count, and adds to the system's authorities; the file
    # takes the place of those.
    smtp.config(f"SSLServerCACerts={roots}")
    descriptor, name = tempfile.mkstemp(prefix="ssmtp-", suffix=".pem")
    # It may be read again, as long as the component lives.
    weakref.finalize(smtp, _remove, name)
    with open(descriptor, "w", encoding="ascii") as file:
        file.write(roots)
    smtp.config(f"CACertFilePaths={name}")


def _remove(name: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(name)


@functools.lru_cache(maxsize=None)
def _systems() -> FrozenSet[bytes]:
    """The authorities of a context that nobody changed: the library has its own way to the system's."""
    return frozenset(ssl.create_default_context().get_ca_certs(binary_form=True))


def _read(name: str) -> bytes:
    with open(name, "rb") as file:
        return file.read() + b"\n"


def _protocols(context: ssl.SSLContext) -> int:
    """The sum for SSLEnabledProtocols. Versions before 1.2 only where the context names one of them as its least."""
    least, most = context.minimum_version, context.maximum_version
    total = 0
    for version, bits in (
        (ssl.TLSVersion.TLSv1, 192),
        (ssl.TLSVersion.TLSv1_1, 768),
        (ssl.TLSVersion.TLSv1_2, 3072),
        (ssl.TLSVersion.TLSv1_3, 12288),
    ):
        low = ssl.TLSVersion.TLSv1_2 if least == ssl.TLSVersion.MINIMUM_SUPPORTED else least
        if version >= low and (most == ssl.TLSVersion.MAXIMUM_SUPPORTED or version <= most):
            total |= bits
    return total or 15360


#: What a MAIL option becomes; options that stand here with an empty text are what the library does by itself.
OPTIONS = {
    "RET": "DsnRet",
    "ENVID": "DsnEnvId",
    "BY": "DeliverBy",
    "HOLDFOR": "HoldFor",
    "HOLDUNTIL": "HoldUntil",
    "MT-PRIORITY": "MtPriority",
    "REQUIRETLS": "RequireTls",
    "BODY": "",
    "SIZE": "",
    "SMTPUTF8": "",
}


def wishes(options: Sequence[str]) -> Optional[Dict[str, str]]:
    """Options of MAIL as settings; None when one is unknown."""
    found: Dict[str, str] = {}
    for option in options:
        name, _, value = option.partition("=")
        setting = OPTIONS.get(name.upper())
        if setting is None or (setting and re.search(r"\+[0-9A-F]{2}", value)):
            return None
        if setting:
            found[setting] = value or "True"
    return found
