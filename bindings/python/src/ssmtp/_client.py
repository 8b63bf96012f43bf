"""Ssmtp: the component."""

import threading
from types import TracebackType
from typing import Any, Awaitable, Callable, Dict, Optional, Tuple, Type, TypeVar, Union

from . import _callbacks
from ._access import error, text
from ._async import in_thread
from ._enums_gen import ErrorCode
from ._errors import SsmtpError
from ._event import Handler
from ._library import native
from ._properties_gen import Handlers, Methods, Properties
from ._signals import Kept

T = TypeVar("T")


class Ssmtp(Properties, Methods, Handlers):
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

    def __init__(self) -> None:
        self._library = native()
        # Reentrant: a signal handler may set what the code below it is setting.
        self._lock = threading.RLock()
        self._handlers: Dict[str, Callable[[Any], object]] = {}
        self._raised = _callbacks.Raised()
        self._streams: Dict[int, _callbacks.Stream] = {}
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
        self._call("ssmtp_set", text("name", name), text("value", value))

    def config(self, configuration_string: str) -> str:
        """Reads a setting (`config("Hello")`) or sets it (`config("Hello=me.example")`, which
        returns an empty text). The name ends at the first equals sign, the value is verbatim.
        Errors 602, 603, 604 and those of the setting.
        """
        return self._get_text("ssmtp_config", text("configuration_string", configuration_string))

    # What the description leaves to each language

    def set_message_stream(self, message_stream: Any, size: int = -1) -> None:
        """Gives an object with `read(n)`, such as an open binary file, that is sent as body after
        MessageText. It is read while sending and closed at its end if CloseStreamAfterTransfer.
        `size` is its length in bytes, for PercentDone, -1 when unknown. None takes the stream away.
        What `read` raises comes out of the sending method.
        """
        if not isinstance(size, int):
            raise TypeError(f"size takes int, not {type(size).__name__}")
        if not -1 <= size < 2**63:
            raise SsmtpError(ErrorCode.VALUE_REFUSED, f"{size} is not the size of a stream")
        if message_stream is None:
            arguments: Tuple[Any, ...] = (_callbacks.NO_READ, _callbacks.NO_CLOSE, None, -1)
            stream = None
        else:
            if not callable(getattr(message_stream, "read", None)):
                raise TypeError(f"{type(message_stream).__name__} has no read(n)")
            stream = _callbacks.Stream(self, message_stream)
            arguments = (_callbacks.READ, _callbacks.CLOSE, stream.number, size)
        with self._lock:
            before = list(self._streams)
            if stream is not None:
                self._streams[stream.number] = stream
            try:
                self._call("ssmtp_set_message_stream", *arguments)
            except BaseException:
                if stream is not None:
                    self._streams.pop(stream.number, None)
                raise
            # The library doesn't tell when it lets go of a stream that was never sent; a message
            # that is on its way goes on with the stream it began with.
            if self.idle:
                for number in before:
                    self._streams.pop(number, None)

    # What the generated attributes are made of

    def _call(self, function: str, *arguments: Any) -> None:
        code = getattr(self._library, function)(self._handle, *arguments)
        if self._raised:
            self._raise()
        if code:
            raise error(code, self._handle)

    def _run(self, function: str, *arguments: Any) -> None:
        with Kept(self):
            self._call(function, *arguments)

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
