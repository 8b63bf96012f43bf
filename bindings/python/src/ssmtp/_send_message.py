"""send_message: a message of Python's `email` package, with the envelope that smtplib would give it."""

import copy
import io
from base64 import encodebytes
from email import message_from_bytes, policy
from email.generator import BytesGenerator
from email.header import Header
from email.message import Message
from quopri import encodestring
from types import TracebackType
from typing import TYPE_CHECKING, Any, Dict, Iterable, List, NamedTuple, Optional, Type, Union

from ._enums_gen import ErrorCode, RecipientType
from ._errors import SsmtpError
from ._recipients import MessageRecipient
from ._signals import Kept

if TYPE_CHECKING:
    from ._client import Ssmtp

#: One address, several, or those of the headers.
Recipients = Union[str, Iterable[str], None]

ENCODING = "Content-Transfer-Encoding"

#: Settings that a whole message needs to be True.
SETTINGS = ("MessageIncludesHeaders", "AllowEmptyTo")


class Envelope(NamedTuple):
    sender: str
    recipients: List[MessageRecipient]

    @property
    def international(self) -> bool:
        """Whether an address is beyond ASCII: the headers go as UTF-8 then, to a server with SMTPUTF8."""
        return not all(map(str.isascii, [self.sender, *(r.address for r in self.recipients)]))


def envelope(message: Message, from_addr: Optional[str], to_addrs: Recipients) -> Envelope:
    """Where a message goes: by its headers where the caller doesn't say."""
    prefix = ""
    resent = len(message.get_all("Resent-Date", []))
    if resent > 1:
        raise ValueError("message has more than one 'Resent-' header block")
    if resent:
        prefix = "Resent-"
    if from_addr is None:
        field = prefix + ("Sender" if prefix + "Sender" in message else "From")
        from_addr = (addresses(message, field) or [""])[0]
    elif from_addr == "":
        from_addr = "<>"
    if to_addrs is None:
        recipients = [
            MessageRecipient(address, kind)
            for name, kind in (("To", RecipientType.TO), ("Cc", RecipientType.CC), ("Bcc", RecipientType.BCC))
            for address in addresses(message, prefix + name)
        ]
    else:
        given = [to_addrs] if isinstance(to_addrs, str) else to_addrs
        recipients = [MessageRecipient(address) for address in given]
    return Envelope(from_addr, recipients)


def addresses(message: Message, field: str) -> List[str]:
    """The addresses of a header, groups and all."""
    found: List[str] = []
    values: List[Any] = message.get_all(field, [])
    for value in values:
        if not hasattr(value, "addresses"):
            # Messages of the old API have text there. A Header is taken encoded: an encoded comma is none.
            line = value.encode() if isinstance(value, Header) else str(value)
            value = policy.default.header_factory(field, " ".join(line.splitlines()))
        found += [address.addr_spec for address in value.addresses]
    return found


def flatten(message: Message, utf8: bool = False, seven_bit: bool = False) -> bytes:
    """The octets of a message, without its Bcc."""
    message = copy.copy(message)
    del message["Bcc"]
    del message["Resent-Bcc"]
    changes: Dict[str, Any] = {"linesep": "\r\n", "mangle_from_": False}
    if seven_bit:
        message = encoded(message)
        changes["cte_type"] = "7bit"
    if isinstance(message.policy, policy.EmailPolicy):
        changes["utf8"] = utf8
    elif utf8:
        # The old API knows no UTF-8 headers; the new one reads what it writes.
        rules = policy.SMTPUTF8.clone(refold_source="all")
        return flatten(message_from_bytes(flatten(message), policy=rules), utf8)
    with io.BytesIO() as octets:
        BytesGenerator(octets, policy=message.policy.clone(**changes)).flatten(message)
        return octets.getvalue()


def encoded(message: Message) -> Message:
    """A copy without 8-bit content. The generator could do it too, but for text of a known charset only, and
    with bare LF inside Base64.
    """
    message = copy.deepcopy(message)
    for part in message.walk():
        given = str(part.get(ENCODING, "7bit")).strip().lower()
        if given not in ("7bit", "8bit", "binary"):
            continue
        if part.is_multipart():
            del part[ENCODING]
            continue
        octets = part.get_payload(decode=True)
        if not isinstance(octets, bytes) or octets.isascii():
            continue
        kind = part.get_content_maintype()
        name, ascii = ("quoted-printable", encodestring(octets)) if kind == "text" else ("base64", encodebytes(octets))
        del part[ENCODING]
        part[ENCODING] = name
        part.set_payload(ascii.decode("ascii"))
    return message


class Lent:
    """While it lasts, the message and its envelope are another message's. The owner's own is aside, with all that Sign and
    Encrypt made of it."""

    def __init__(self, owner: "Ssmtp") -> None:
        self._owner = owner

    def __enter__(self) -> "Lent":
        owner = self._owner
        with owner._lock:
            self._settings = [(name, owner.config(name)) for name in SETTINGS]
            owner.put_message_aside()
        return self

    def put(self, to: Envelope, octets: bytes) -> None:
        owner = self._owner
        with owner._lock:
            for name in SETTINGS:
                owner.config(f"{name}=True")
            owner.return_path = to.sender
            recipients = owner.message_recipients
            for index, recipient in enumerate(to.recipients):
                recipients._write(index, recipient)
            owner.message = octets

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        exception: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        interrupted: Optional[BaseException] = None
        while True:
            try:
                self._put_back()
                break
            except KeyboardInterrupt as error:
                interrupted = error
            except SsmtpError as error:
                if error.code == ErrorCode.CLOSED_HANDLE:
                    break
                raise
        if interrupted is not None:
            raise interrupted

    def _put_back(self) -> None:
        owner = self._owner
        with owner._lock:
            owner.put_message_back()
            for name, value in self._settings:
                owner.config(f"{name}={value}")


def send(smtp: "Ssmtp", message: Message, from_addr: Optional[str], to_addrs: Recipients) -> None:
    """What `Ssmtp.send_message` does."""
    if not isinstance(message, Message):
        raise TypeError(f"message takes email.message.EmailMessage, not {type(message).__name__}")
    to = envelope(message, from_addr, to_addrs)
    octets = flatten(message, utf8=to.international)
    with Kept(smtp), smtp._by_itself(), Lent(smtp) as lent:
        lent.put(to, octets)
        own = False
        try:
            if not octets.isascii() and not to.international:
                # What to make of it depends on the server, which is asked first.
                own = not smtp.connected
                if own:
                    smtp.connect()
                if _is_too_much(smtp, octets):
                    smtp.message = flatten(message, seven_bit=True)
            smtp.send()
        finally:
            if own:
                _leave(smtp)


def _leave(smtp: "Ssmtp") -> None:
    try:
        smtp.disconnect()
    except SsmtpError:
        pass  # the message's own error counts, or it is delivered


def _is_too_much(smtp: "Ssmtp", octets: bytes) -> bool:
    """Whether the server lacks an extension that these octets need."""
    offered = {line.split(" ", 1)[0].upper() for line in smtp.config("ServerExtensions").splitlines()}
    used = {
        extension
        for extension, switch in (("8BITMIME", "Use8BitMime"), ("SMTPUTF8", "UseSmtpUtf8"))
        if extension in offered and smtp.config(switch) == "True"
    }
    headers = octets.split(b"\r\n\r\n", 1)[0]
    return "8BITMIME" not in used or (not headers.isascii() and "SMTPUTF8" not in used)
