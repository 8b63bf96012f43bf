"""Python values to C values and back, and the accessors that the generated attributes are made of."""

from ctypes import byref, c_int32, c_size_t, c_void_p, string_at
from enum import Enum, IntEnum
from typing import Any, Awaitable, Callable, ContextManager, Optional, Tuple, Type, TypeVar

from . import _signers
from ._enums_gen import ErrorCode
from ._errors import SsmtpError
from ._event import Handler
from ._library import native

T = TypeVar("T")


def text(name: str, value: str) -> bytes:
    """A `const char *`: UTF-8, and without NUL, which would cut it short."""
    if not isinstance(value, str):
        raise TypeError(f"{name} takes str, not {type(value).__name__}")
    try:
        encoded = value.encode("utf-8")
    except UnicodeEncodeError:
        raise SsmtpError(ErrorCode.VALUE_REFUSED, f"{name} holds a lone surrogate") from None
    if b"\0" in encoded:
        raise SsmtpError(ErrorCode.VALUE_REFUSED, f"{name} holds NUL")
    return encoded


def octets(name: str, value: bytes) -> Tuple[bytes, int]:
    """A `const uint8_t *` and its length."""
    if not isinstance(value, (bytes, bytearray, memoryview)):
        raise TypeError(f"{name} takes bytes, not {type(value).__name__}")
    data = bytes(value)
    return data, len(data)


def number(name: str, value: int) -> int:
    """An `int32_t`; ctypes itself would cut off what is too large."""
    if not isinstance(value, int):
        raise TypeError(f"{name} takes int, not {type(value).__name__}")
    if not -(2**31) <= value < 2**31:
        raise SsmtpError(ErrorCode.VALUE_REFUSED, f"{name}: {value} is not a 32-bit number")
    return int(value)


def flag(name: str, value: bool) -> int:
    """A bool, or 0 and 1; a text such as "False" is no bool."""
    if not isinstance(value, int) or value not in (0, 1):
        raise TypeError(f"{name} takes bool, not {value!r}")
    return int(value)


def member(name: str, kind: Type[IntEnum], value: int) -> int:
    """A member of an enum, or its number; a member of another enum is a mistake."""
    if not isinstance(value, int) or (isinstance(value, Enum) and not isinstance(value, kind)):
        raise TypeError(f"{name} takes {kind.__name__}, not {value!r}")
    return number(name, value)


def text_at(address: Optional[int], length: int) -> str:
    """Text of an event, which is released after the handler."""
    return string_at(address, length).decode("utf-8", "replace") if address else ""


def octets_at(address: Optional[int], length: int) -> bytes:
    """Octets of an event, which are released after the handler."""
    return string_at(address, length) if address else b""


def take(out: c_void_p, length: int = -1) -> bytes:
    """What came through `char **` or `uint8_t **`, released."""
    if not out.value:
        return b""
    try:
        return string_at(out.value, length)
    finally:
        native().ssmtp_free(out)


def error(code: int, handle: Optional[int]) -> SsmtpError:
    """The error that this thread's last call on a handle (None: on none) came back with."""
    out = c_void_p()
    message = b""
    if native().ssmtp_last_error(handle, byref(out)) == 0:
        message = take(out)
    # A closed handle has no text any more.
    message = message or native().ssmtp_error_text(code)
    made = SsmtpError(code, message.decode("utf-8", "replace"))
    # These end an operation that a signer refused.
    if code in (ErrorCode.ENCRYPT, ErrorCode.CREDENTIALS):
        made.__cause__ = _signers.raised()
    return made


def _row(function: str) -> str:
    """`ssmtp_set_mail_port` → `mail_port`, for the text of an error."""
    return function.split("_set_", 1)[1]


class Unique:
    """What owns something in the library: a copy of it would release that, too."""

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise TypeError(f"{type(self).__name__} can be neither copied nor pickled")


class Accessor:
    """Reads and writes rows through C functions. What they are called on is up to `_call`."""

    #: Held over what takes several calls and must not mix with another thread's.
    _lock: ContextManager[Any]

    def _call(self, function: str, *arguments: Any) -> None:
        raise NotImplementedError

    def _run(self, function: str, *arguments: Any) -> None:
        """A call that may take a while."""
        raise NotImplementedError

    def _in_thread(self, method: Callable[..., T], *arguments: Any) -> Awaitable[T]:
        raise NotImplementedError

    def _handler(self, event: str) -> Handler[Any]:
        raise NotImplementedError

    def _set_handler(self, event: str, handler: Handler[Any]) -> None:
        raise NotImplementedError

    def _get_text(self, function: str, *arguments: Any) -> str:
        out = c_void_p()
        self._call(function, *arguments, byref(out))
        return take(out).decode("utf-8", "replace")

    def _run_text(self, function: str, *arguments: Any) -> str:
        out = c_void_p()
        self._run(function, *arguments, byref(out))
        return take(out).decode("utf-8", "replace")

    def _run_bytes(self, function: str, *arguments: Any) -> bytes:
        out, length = c_void_p(), c_size_t()
        self._run(function, *arguments, byref(out), byref(length))
        return take(out, length.value)

    def _get_bytes(self, function: str) -> bytes:
        out, length = c_void_p(), c_size_t()
        self._call(function, byref(out), byref(length))
        return take(out, length.value)

    def _get_int(self, function: str) -> int:
        out = c_int32()
        self._call(function, byref(out))
        return out.value

    def _get_bool(self, function: str) -> bool:
        return self._get_int(function) != 0

    def _get_certificate(self, function: str) -> Optional[int]:
        out = c_void_p()
        self._call(function, byref(out))
        return out.value

    def _set_text(self, function: str, value: str) -> None:
        self._call(function, text(_row(function), value))

    def _set_bytes(self, function: str, value: bytes) -> None:
        self._call(function, *octets(_row(function), value))

    def _set_int(self, function: str, value: int) -> None:
        self._call(function, number(_row(function), value))

    def _set_bool(self, function: str, value: bool) -> None:
        self._set_int(function, flag(_row(function), value))

    def _set_enum(self, function: str, kind: Type[IntEnum], value: int) -> None:
        self._set_int(function, member(_row(function), kind, value))

    def _set_certificate(self, function: str, handle: Optional[int]) -> None:
        self._call(function, handle)
