"""Ssmtp: the component."""

import contextlib
import threading
from email.message import Message
from types import TracebackType
from typing import Any, Awaitable, Callable, Dict, Generator, Optional, Type, TypeVar, Union

from . import _callbacks, _leaving
from ._access import Unique, error, text
from ._async import in_thread
from ._batch import Batch
from ._enums_gen import ErrorCode
from ._errors import SsmtpError
from ._event import Handler
from ._library import native
from ._properties_gen import Handlers
from ._results import Results
from ._send_message import Recipients, send
from ._signals import Kept
from ._streams import Streams

T = TypeVar("T")


class Ssmtp(Unique, Batch, Streams, Results, Handlers):
    """An SMTP client that builds and sends messages.

    >>> with Ssmtp() as smtp:
    ...     smtp.mail_server, smtp.mail_port = "127.0.0.1", 2525
    ...     smtp.from_, smtp.send_to = "me@a.example", "you@b.example"
    ...     smtp.subject, smtp.message_text = "Hello", "Hi\\r\\n"
    ...     smtp.send()

    Any thread may use it. While a blocking method runs, another one raises SsmtpError 166; all else
    works meanwhile, from handlers too, and `interrupt` ends it. Handlers run in the thread of the
    blocking method; what a handler raises stops the operation and comes out of that method.
    """

    _handle: Optional[int] = None
    _closed = False
    #: Whether a handler is running, so that an exception of a signal handler has somewhere to go.
    _in_handler = False
    #: Blocking methods that run, and the thread whose send_message has the handle for itself.
    _running = 0
    _alone: Optional[int] = None

    def __init__(self) -> None:
        self._library = native()
        # Reentrant: a signal handler may set what the code below it is setting.
        self._lock = threading.RLock()
        self._handlers: Dict[str, Callable[[Any], object]] = {}
        self._raised = _callbacks.Raised()
        self._streams = {}
        self._part_streams = set()
        self._number = _callbacks.enroll(self)
        self._handle = self._library.ssmtp_new_utf8()
        if not self._handle:
            raise SsmtpError(ErrorCode.OUT_OF_MEMORY, "no memory for another handle")

    # Life

    def close(self) -> None:
        """Interrupts what runs, closes the connection and releases everything; a second time does
        nothing. Afterwards everything raises SsmtpError 608. It may be called from a handler.
        """
        if self._handle is None:
            return
        with self._lock:
            if self._closed:
                return
            self._closed = True
            streams, self._streams = self._streams, {}
        # The handle stays as it is: the library knows a dead one and answers 608.
        self._library.ssmtp_delete(self._handle)
        self._handlers.clear()
        del streams

    def __enter__(self) -> "Ssmtp":
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        exception: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self.close()

    async def __aenter__(self) -> "Ssmtp":
        return self

    async def __aexit__(
        self,
        kind: Optional[Type[BaseException]],
        exception: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        # It waits for nothing.
        self.close()

    def __del__(self) -> None:
        self.close()

    def __repr__(self) -> str:
        return "<Ssmtp, closed>" if self._closed else f"<Ssmtp to {self.mail_server}:{self.mail_port}>"

    # By name

    def get(self, name: str) -> str:
        """Reads any property by its spec name, as text: `get("SSLServerCertSubject")`,
        `get("MessageRecipientAddress[0]")`. Case doesn't matter; booleans read True or False,
        enumerations and numbers decimal, octets Base64. Errors 602, 604, 605.
        """
        return self._get_text("ssmtp_get", text("name", name))

    def set(self, name: str, value: Union[str, int]) -> None:
        """Writes any property by its spec name: `set("MessageRecipientAddress[0]", "x@y.example")`.
        The value is text as `get` gives it, the name of an enumeration's member, a bool or an int.
        Errors 602, 603, 604, 605 and those of the property.
        """
        if isinstance(value, bool):
            value = "True" if value else "False"
        elif isinstance(value, int):
            value = str(int(value))
        if isinstance(name, str) and name.lower() == "attachedfile":
            # It takes the place of a stream, which is let go of.
            self.attached_file = value
            return
        self._call("ssmtp_set", text("name", name), text("value", value))

    def config(self, configuration_string: str) -> str:
        """Reads a setting (`config("Hello")`) or sets it (`config("Hello=me.example")`, which
        returns an empty text). The name ends at the first equals sign, the value is verbatim.
        Errors 602, 603, 604 and those of the setting.
        """
        return self._get_text("ssmtp_config", text("configuration_string", configuration_string))

    # Messages of the `email` package

    def send_message(
        self, message: Message, from_addr: Optional[str] = None, to_addrs: Recipients = None
    ) -> None:
        """Sends a message of Python's `email` package as it is, headers and all.

        The envelope is what `smtplib.SMTP.send_message` makes it: sender by Sender or From,
        recipients by To, Cc and Bcc, and the Resent- fields instead where there is a Resent-Date
        (ValueError for more than one); `from_addr` and `to_addrs` (one address or several) go before
        them, an empty `from_addr` is the null sender. Bcc and Resent-Bcc are not sent. Addresses
        beyond ASCII need a server with SMTPUTF8; 8-bit text is encoded for one without 8BITMIME.

        The message properties of this object play no part in it and are the same afterwards. While
        it runs, From, ReturnPath, Message, AttachedFile and the recipients are those of the message:
        what a handler sets of them doesn't last. Errors as `send` has them.
        """
        send(self, message, from_addr, to_addrs)

    async def send_message_async(
        self, message: Message, from_addr: Optional[str] = None, to_addrs: Recipients = None
    ) -> None:
        """`send_message` in a thread of its own; cancelling the task interrupts it."""
        await self._in_thread(self.send_message, message, from_addr, to_addrs)

    # What the generated attributes are made of

    def _call(self, function: str, *arguments: Any) -> None:
        code = getattr(self._library, function)(self._handle, *arguments)
        if self._raised:
            self._raise()
        if code:
            raise error(code, self._handle)

    def _run(self, function: str, *arguments: Any) -> None:
        with self._lock:
            if self._alone not in (None, threading.get_ident()):
                raise self._busy()
            self._running += 1
        _leaving.running.append(self)
        try:
            with Kept(self):
                self._raise()  # Ctrl-C between the calls of one method
                self._call(function, *arguments)
        finally:
            with contextlib.suppress(ValueError):  # a child process, made by a handler
                _leaving.running.remove(self)
            with self._lock:
                self._running -= 1

    @contextlib.contextmanager
    def _by_itself(self) -> Generator[None, None, None]:
        """For several calls that are one method: no other thread's method comes between them."""
        with self._lock:
            if self._alone is not None or self._running:
                raise self._busy()
            self._alone = threading.get_ident()
        try:
            yield
        finally:
            self._alone = None

    def _busy(self) -> SsmtpError:
        return SsmtpError(ErrorCode.BUSY, self._library.ssmtp_error_text(ErrorCode.BUSY).decode())

    def _raise(self) -> None:
        """Lets out what a handler raised in this thread."""
        raised = self._raised.take()
        if raised is not None:
            try:
                raise raised
            finally:
                del raised  # its traceback holds this frame

    def _in_thread(self, method: Callable[..., T], *arguments: Any) -> Awaitable[T]:
        return in_thread(self.interrupt, method, *arguments)

    def _handler(self, event: str) -> Handler[Any]:
        return self._handlers.get(event)

    def _set_handler(self, event: str, handler: Handler[Any]) -> None:
        if handler is not None and not callable(handler):
            raise TypeError(f"on_{event} takes a function or None, not {type(handler).__name__}")
        function = f"ssmtp_on_{event}"
        with self._lock:
            if handler is None:
                self._call(function, _callbacks.NOTHING[event], None)
                self._handlers.pop(event, None)
            else:
                self._call(function, _callbacks.THUNKS[event], self._number)
                self._handlers[event] = handler
