"""A stand-in for the standard library's `smtplib`: the same classes, methods and exceptions, with libssmtp below.

>>> from ssmtp import smtplib                                    # in place of: import smtplib
>>> with smtplib.SMTP("mail.example.com", 587) as smtp:
...     smtp.starttls()
...     smtp.login("me", "secret")                               # SCRAM where the server has it
...     smtp.send_message(message)

What it adds is reached through `smtp.ssmtp`, the component itself, and two switches:

>>> smtp = smtplib.SMTP()
>>> smtp.ssmtp.firewall.host, smtp.ssmtp.firewall.firewall_type = "proxy.example.com", FirewallType.SOCKS5
>>> smtp.ssmtp.certificate = Certificate("me.pfx")
>>> smtp.sign = True                                             # and smtp.encrypt
>>> smtp.connect("mail.example.com", 587)

What differs: `connect` introduces itself with EHLO at once; `ehlo` then answers what the server said to that.
`starttls` and `SMTP_SSL` check the server's certificate unless a context says otherwise, where smtplib checks
nothing. A message goes with its commands in groups where the server takes that, so that a refused sender or recipient
may be told later than smtplib would; its Bcc lines are removed. `close` says QUIT. `sock` has only a little of a socket.
LMTP is the standard one.
"""

import smtplib as _standard
import socket
import ssl
import sys
from smtplib import (
    LMTP,
    SMTP_PORT,
    SMTP_SSL_PORT,
    SMTPAuthenticationError,
    SMTPConnectError,
    SMTPDataError,
    SMTPException,
    SMTPHeloError,
    SMTPNotSupportedError,
    SMTPRecipientsRefused,
    SMTPResponseException,
    SMTPSenderRefused,
    SMTPServerDisconnected,
    quoteaddr,
    quotedata,
)
from typing import Any, Dict, List, Optional, Sequence, Tuple, Union

from ._client import Ssmtp
from ._enums_gen import RecipientType, SSLStartMode
from ._errors import SsmtpError
from ._recipients import MessageRecipient
from ._send_message import Envelope, Lent
from ._smtplib_parts import Reply, apply_tls, hearing, last_reply, parse, seconds, settings, translated, wishes

__all__ = [
    "LMTP",
    "SMTP",
    "SMTP_PORT",
    "SMTP_SSL",
    "SMTP_SSL_PORT",
    "SMTPAuthenticationError",
    "SMTPConnectError",
    "SMTPDataError",
    "SMTPException",
    "SMTPHeloError",
    "SMTPNotSupportedError",
    "SMTPRecipientsRefused",
    "SMTPResponseException",
    "SMTPSenderRefused",
    "SMTPServerDisconnected",
    "quoteaddr",
    "quotedata",
]

CRLF, bCRLF = "\r\n", b"\r\n"

#: What smtplib's signatures have for "as `socket.setdefaulttimeout` says".
DEFAULT_TIMEOUT: Any = getattr(socket, "_GLOBAL_DEFAULT_TIMEOUT")

#: What `login` tries of what the server offers, best first. The last three are smtplib's own.
MECHANISMS = ("SCRAM-SHA-512", "SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5", "PLAIN", "LOGIN")

#: Errors that come before anything was said: an address or a message that the library is stricter about than smtplib.
STRICT = (164, 165, 603)

class Connection:
    """In the place of `SMTP.sock`: the little of a socket that can be had."""

    def __init__(self, smtp: Ssmtp) -> None:
        self._smtp = smtp

    def getpeername(self) -> Tuple[str, int]:
        """Address and port of the server."""
        return self._smtp.mail_server, self._smtp.mail_port

    def getsockname(self) -> Tuple[str, int]:
        """Address and port of this end."""
        return self._smtp.local_host, int(self._smtp.config("LocalPort"))

    def settimeout(self, timeout: Optional[float]) -> None:
        """Limits what comes; whole seconds."""
        self._smtp.timeout = seconds(timeout)

    def gettimeout(self) -> Optional[float]:
        """The limit in seconds, None for none."""
        return self._smtp.timeout or None

    def getpeercert(self, binary_form: bool = False) -> Optional[bytes]:
        """The server's certificate as DER. Its fields are in `ssl_server_cert` of the component."""
        if not binary_form:
            raise ValueError("only getpeercert(binary_form=True) can be had here")
        return self._smtp.ssl_server_cert.encoded_b or None

    def version(self) -> Optional[str]:
        """The TLS version, None without TLS."""
        return self._smtp.config("SSLNegotiatedVersion") or None


class SMTP(_standard.SMTP):
    """As smtplib.SMTP. `ssmtp` is a component to use, set up beforehand; without one, a new one is made. It is
    closed with this object's last reference, not with the connection.
    """

    #: Whether messages are signed with `ssmtp.certificate`, and encrypted for those of `ssmtp.add_recipient_cert`.
    sign = False
    encrypt = False

    _mode = SSLStartMode.NONE

    def __init__(
        self,
        host: str = "",
        port: int = 0,
        local_hostname: Optional[str] = None,
        timeout: Any = DEFAULT_TIMEOUT,
        source_address: Any = None,
        *,
        ssmtp: Optional[Ssmtp] = None,
    ) -> None:
        self.ssmtp = Ssmtp() if ssmtp is None else ssmtp
        self._host = host
        self.timeout = timeout
        self.esmtp_features = {}
        self.command_encoding = "ascii"
        self.source_address = source_address
        self._auth_challenge_count = 0
        self._awaited: Optional[Reply] = None
        #: Replies to EHLO and HELO that `connect` and `starttls` got, until somebody asks for them.
        self._known: Dict[str, Tuple[str, Reply]] = {}
        self.local_hostname = _local_name() if local_hostname is None else local_hostname
        if host:
            code, text = self.connect(host, port)
            if code != 220:
                self.close()
                raise SMTPConnectError(code, text)

    # The connection

    def connect(
        self, host: str = "localhost", port: int = 0, source_address: Any = None
    ) -> Reply:
        """Connects and says EHLO; returns the greeting. With `host:port`, and the standard port where none is given."""
        if source_address:
            self.source_address = source_address
        if not port and host.find(":") == host.rfind(":") and ":" in host:
            host, number = host.rsplit(":", 1)
            port = _port(number)
        port = _port(port or self.default_port)
        sys.audit("smtplib.connect", self, host, port)
        limit: Optional[float] = self.timeout
        if limit is DEFAULT_TIMEOUT:
            limit = socket.getdefaulttimeout()
        self._debug("connect: to", (host, port), self.source_address)
        smtp = self.ssmtp
        smtp.timeout = seconds(limit)
        self.close()
        self._forget()
        self._host = host
        try:
            smtp.ssl_start_mode = self._mode
            smtp.mail_server, smtp.mail_port = host or "localhost", port
            smtp.config("UseIPv6=2")
            if self.source_address is not None:
                local: Any = self.source_address
                name, number_here = local
                smtp.local_host = name.decode() if isinstance(name, (bytes, bytearray)) else name
                smtp.config(f"LocalPort={number_here}")
        except SsmtpError as error:
            raise OSError(error.message) from error  # as what a socket would not connect to
        with hearing(smtp, greeted=True) as heard:
            # A name that cannot be said is complained of when `ehlo` is to say it.
            own = {} if not _is_plain(self.local_hostname) else {"Hello": self.local_hostname}
            with settings(smtp, own):
                try:
                    smtp.connect()
                except SsmtpError as error:
                    said = [turn for turn in heard.turns if turn.reply]
                    if error.code == 161 and said:
                        code, text = parse(said[-1].lines)
                        verb = said[-1].command[:4].upper()
                        if not verb:
                            return code, text
                        kind = SMTPHeloError if verb in ("EHLO", "HELO") else SMTPAuthenticationError
                        raise kind(code, text) from error
                    raise translated(error, connecting=True) from error
                self._remember(heard.reply_to("EHLO"), heard.reply_to("HELO"))
        self._settle()
        greeting = heard.turns[0].reply or (-1, b"")
        self._debug("connect:", repr(greeting[1]))
        return greeting

    def close(self) -> None:
        """Closes the connection."""
        self.sock = None
        self.file = None
        if not self.ssmtp._closed and self.ssmtp.connected:
            try:
                self.ssmtp.disconnect()
            except SsmtpError:
                pass  # there is nothing left to close

    def starttls(
        self, keyfile: Any = None, certfile: Any = None, context: Optional[ssl.SSLContext] = None
    ) -> Reply:
        """Begins TLS; the server's certificate is checked unless `context` says otherwise."""
        self.ehlo_or_helo_if_needed()
        if not self.has_extn("starttls"):
            raise SMTPNotSupportedError("STARTTLS extension not supported by server.")
        smtp = self.ssmtp
        apply_tls(smtp, context, keyfile, certfile)
        with hearing(smtp) as heard, settings(smtp, {"Hello": self.local_hostname}):
            try:
                smtp.start_tls()
            except SsmtpError as error:
                self._settle()
                if error.code == 161:
                    raise SMTPResponseException(*last_reply(smtp)) from error
                raise translated(error) from error
        reply = heard.reply_to("STARTTLS") or (220, b"")
        # What was learnt in the clear doesn't count (RFC 3207).
        self._forget()
        self._remember(heard.reply_to("EHLO"), heard.reply_to("HELO"))
        self._settle()
        return reply

    def login(self, user: str, password: str, *, initial_response_ok: bool = True) -> Reply:
        """Logs in with the best mechanism that the server offers, SCRAM before CRAM-MD5 before PLAIN and LOGIN; or with
        the setting SASLMechanism or `auth_mechanism` of the component where one is set. `initial_response_ok` is there
        for smtplib's sake.
        """
        self.ehlo_or_helo_if_needed()
        if not self.has_extn("auth"):
            raise SMTPNotSupportedError("SMTP AUTH extension not supported by server.")
        smtp = self.ssmtp
        offered = self.esmtp_features["auth"].upper().split()
        set_already = smtp.config("SASLMechanism")
        if set_already or smtp.auth_mechanism:
            names: List[str] = [set_already]
        else:
            names = [name for name in MECHANISMS if name in offered]
        if not names:
            raise SMTPException("No suitable authentication method found.")
        before = smtp.user, smtp.password
        refused: Optional[Exception] = None
        try:
            smtp.user, smtp.password = user, password
            for name in names:
                with settings(smtp, {"SASLMechanism": name} if name != set_already else {}):
                    try:
                        smtp.login()
                        return last_reply(smtp)
                    except SsmtpError as error:
                        self._settle()
                        if error.code != 161:
                            raise translated(error) from error
                        refused = SMTPAuthenticationError(*last_reply(smtp))
                        refused.__cause__ = error
                        # Without TLS nobody makes us show the password by refusing what hides it.
                        if self.sock is None or (name.startswith("SCRAM") and not smtp.config("SSLNegotiatedVersion")):
                            break
        finally:
            if not smtp._closed:
                smtp.user, smtp.password = before
        assert refused is not None
        raise refused

    # Single commands

    def putcmd(self, cmd: str, args: str = "") -> None:
        """Says a command; `getreply` gives the answer."""
        line = f"{cmd} {args}" if args != "" else cmd
        if "\r" in line or "\n" in line:
            shown = line.replace("\n", "\\n").replace("\r", "\\r")
            raise ValueError(f"command and arguments contain prohibited newline characters: {shown}")
        self.send(line + CRLF)

    def send(self, s: Any) -> None:
        """Says one line. What a socket would take beside that cannot be sent here."""
        if self.sock is None:
            raise SMTPServerDisconnected("please run connect() first")
        self._debug("send:", repr(s))
        octets: bytes = s.encode(self.command_encoding) if isinstance(s, str) else bytes(s)
        line = octets[: -len(bCRLF)] if octets.endswith(bCRLF) else octets
        if b"\n" in line or b"\r" in line:
            raise SMTPNotSupportedError("ssmtp.smtplib sends one command line at a time; data() sends a message")
        self._awaited = self._say(line.decode(self.command_encoding))

    def getreply(self) -> Reply:
        """The reply to the last command."""
        reply, self._awaited = self._awaited, None
        if reply is None:
            raise SMTPServerDisconnected("Connection unexpectedly closed")
        self._debug(f"reply: retcode ({reply[0]}); Msg: {reply[1]!a}")
        return reply

    def _say(self, line: str) -> Reply:
        verb, _, rest = line.partition(" ")
        name, known = self._known.pop(verb.lower(), ("", None))
        if known is not None and name == rest:
            return known
        smtp = self.ssmtp
        if verb.upper() == "QUIT" and not rest:
            with hearing(smtp) as heard:
                smtp.disconnect()
            self._settle()
            reply = heard.reply_to("QUIT")
            if reply is None:
                raise SMTPServerDisconnected("Connection unexpectedly closed")
            return reply
        try:
            smtp.send_command(line)
        except SsmtpError as error:
            self._settle()
            if error.code != 161:
                raise translated(error) from error
        self._settle()
        return last_reply(smtp)

    def data(self, msg: Union[str, bytes, bytearray]) -> Reply:  # type: ignore[override]
        """DATA and a message, after `mail` and `rcpt`; returns the reply to the message."""
        if self.sock is None:
            raise SMTPServerDisconnected("please run connect() first")
        smtp = self.ssmtp
        with hearing(smtp) as heard:
            try:
                smtp.send_content(msg.encode("ascii") if isinstance(msg, str) else bytes(msg) or bCRLF)
            except SsmtpError as error:
                self._settle()
                if error.code != 161:
                    raise translated(error) from error
        self._settle()
        reply = last_reply(smtp)
        self._debug("data:", reply)
        # Only the server's yes to DATA lets a message go, and a second reply come.
        if not any(turn.reply and turn.reply[0] == 354 for turn in heard.turns):
            raise SMTPDataError(*reply)
        return reply

    # Messages

    def sendmail(
        self,
        from_addr: str,
        to_addrs: Union[str, Sequence[str]],
        msg: Any,
        mail_options: Sequence[str] = (),
        rcpt_options: Sequence[str] = (),
    ) -> Dict[str, Reply]:
        """Sends a message; returns what the server said to recipients that it refused. Exceptions as smtplib has them.
        With `sign` and `encrypt` it is signed and encrypted first.
        """
        self.ehlo_or_helo_if_needed()
        octets: bytes = _crlf(msg).encode("ascii") if isinstance(msg, str) else bytes(msg)
        recipients = [to_addrs] if isinstance(to_addrs, str) else list(to_addrs)
        secret = self.sign or self.encrypt
        wanted = wishes(mail_options)
        if wanted is not None and octets and (self.does_esmtp or secret):
            try:
                return self._deliver(from_addr, recipients, octets, wanted, rcpt_options)
            except SsmtpError as error:
                if error.code not in STRICT or secret:
                    raise translated(error) from error
        elif secret:
            raise SMTPNotSupportedError("a signed or encrypted message takes only the options that libssmtp knows")
        # Command by command, as smtplib does it: for what the library is stricter about.
        return super().sendmail(from_addr, recipients, octets, mail_options, rcpt_options)

    def _deliver(
        self, sender: str, to: List[str], octets: bytes, wanted: Dict[str, str], options: Sequence[str]
    ) -> Dict[str, Reply]:
        smtp = self.ssmtp
        by_address = {_bare(each): each for each in to}
        recipients = [
            MessageRecipient(address, RecipientType.TO, "", ";".join(options)) for address in by_address
        ]
        wanted = {**wanted, "StopOnToErrors": "False"}
        with smtp._by_itself(), hearing(smtp) as heard, Lent(smtp) as lent, settings(smtp, wanted):
            lent.put(Envelope(_bare(sender) or "<>", recipients), octets)
            if self.sign and self.encrypt:
                smtp.sign_and_encrypt()
            elif self.sign:
                smtp.sign()
            elif self.encrypt:
                smtp.encrypt()
            failure: Optional[SsmtpError] = None
            try:
                smtp.send()
            except SsmtpError as error:
                failure = error
        self._settle()
        if failure is not None and failure.code != 161:
            raise failure
        refused: Dict[str, Reply] = {}
        for result in smtp.recipient_results:
            reply = parse(result.text.split(" / "))
            if result.accepted or reply[0] < 400:
                continue
            if result.phase == "MAIL":
                raise SMTPSenderRefused(*reply, sender) from failure
            if result.phase == "CONTENT":
                raise SMTPDataError(*reply) from failure
            refused[by_address.get(result.address, result.address)] = reply
        if failure is None:
            return refused
        # A refusal that is nobody's result: of DATA, or one that ended the connection.
        verb, reply = heard.refusal()
        if len(refused) == len(by_address):
            raise SMTPRecipientsRefused(refused) from failure
        if verb == "MAIL":
            raise SMTPSenderRefused(*reply, sender) from failure
        if verb in ("DATA", "BDAT"):
            raise SMTPDataError(*reply) from failure
        if verb == "RCPT" and not refused:
            refused = dict.fromkeys(to[:1], reply)
        if refused:
            raise SMTPRecipientsRefused(refused) from failure
        # Nothing was said, since it is larger than the server takes.
        raise SMTPSenderRefused(552, failure.message.encode(), sender) from failure

    # Within

    def _remember(self, ehlo: Optional[Reply], helo: Optional[Reply]) -> None:
        replies = (("ehlo", ehlo), ("helo", helo))
        self._known = {verb: (self.local_hostname, reply) for verb, reply in replies if reply is not None}

    def _forget(self) -> None:
        self.helo_resp = self.ehlo_resp = None
        self.esmtp_features = {}
        self.does_esmtp = False
        self._known = {}
        self._awaited = None

    def _settle(self) -> None:
        """`sock` is there while there is a connection."""
        if self.ssmtp._closed or not self.ssmtp.connected:
            self.sock = None
        elif self.sock is None:
            view: Any = Connection(self.ssmtp)
            self.sock = view

    def _debug(self, *values: object) -> None:
        if self.debuglevel > 0:
            self._print_debug(*values)  # type: ignore[attr-defined]


class SMTP_SSL(SMTP):
    """As smtplib.SMTP_SSL: TLS from the first byte. The server's certificate is checked unless `context` says otherwise."""

    default_port = SMTP_SSL_PORT
    _mode = SSLStartMode.IMPLICIT

    def __init__(
        self,
        host: str = "",
        port: int = 0,
        local_hostname: Optional[str] = None,
        keyfile: Optional[str] = None,
        certfile: Optional[str] = None,
        timeout: Any = DEFAULT_TIMEOUT,
        source_address: Any = None,
        context: Optional[ssl.SSLContext] = None,
        *,
        ssmtp: Optional[Ssmtp] = None,
    ) -> None:
        component = Ssmtp() if ssmtp is None else ssmtp
        self.keyfile, self.certfile, self.context = keyfile, certfile, context
        apply_tls(component, context, keyfile, certfile)
        super().__init__(host, port, local_hostname, timeout, source_address, ssmtp=component)


def _local_name() -> str:
    """What smtplib would say in EHLO: the full name of this machine, else its address."""
    name = socket.getfqdn()
    if "." in name:
        return name
    try:
        return f"[{socket.gethostbyname(socket.gethostname())}]"
    except socket.gaierror:
        return "[127.0.0.1]"


def _port(port: Union[int, str]) -> int:
    try:
        return int(port)
    except ValueError:
        pass
    try:
        return socket.getservbyname(str(port), "tcp")
    except OSError:
        raise OSError("nonnumeric port") from None


def _is_plain(name: str) -> bool:
    return bool(name) and name.isprintable()


def _bare(address: str) -> str:
    """The address alone, as RCPT names it."""
    quoted = quoteaddr(address)
    return quoted[1:-1] if quoted.startswith("<") and quoted.endswith(">") else quoted


def _crlf(text: str) -> str:
    return CRLF.join(text.replace(CRLF, "\n").replace("\r", "\n").split("\n"))


