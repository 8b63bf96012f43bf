"""Where C calls Python. One C function pointer an event for the whole process, never released: what the library
may call cannot be collected under it. The userdata is a number that finds the object."""

import itertools
import weakref
from ctypes import memmove
from threading import get_ident
from typing import TYPE_CHECKING, Any, Dict, Optional, Tuple, cast

from . import _native_gen
from ._events_gen import READERS

if TYPE_CHECKING:
    from ._client import Ssmtp

_numbers = itertools.count(1)
_owners: "weakref.WeakValueDictionary[int, Ssmtp]" = weakref.WeakValueDictionary()
_streams: "weakref.WeakValueDictionary[int, Stream]" = weakref.WeakValueDictionary()


def enroll(owner: "Ssmtp") -> int:
    """A number that finds this object as long as it lives."""
    number = next(_numbers)
    _owners[number] = owner
    return number


class Raised:
    """Exceptions of handlers, by thread, on their way out of the method that runs there."""

    def __init__(self) -> None:
        self._by_thread: Dict[int, BaseException] = {}

    def __bool__(self) -> bool:
        return bool(self._by_thread)

    def keep(self, exception: Optional[BaseException]) -> None:
        """The first one of an operation stays."""
        if exception is not None:
            self._by_thread.setdefault(get_ident(), exception)

    def take(self) -> Optional[BaseException]:
        return self._by_thread.pop(get_ident(), None)


def fire(owner: "Ssmtp", name: str, raw: Any) -> int:
    """Runs a handler; not 0 stops the operation."""
    handler = owner._handlers.get(name)
    if handler is None:
        return 0
    # An earlier exception of this operation waits aside, so that no call in this handler raises it.
    earlier = owner._raised.take()
    stop = 0
    try:
        owner._in_handler = True
        event = READERS[name](raw)
        handler(event)
        event.write(raw)
        owner._in_handler = False
    except BaseException as exception:
        owner._in_handler = False
        stop = 1
        earlier = earlier or exception
    owner._raised.keep(earlier)
    return stop


class Stream:
    """A readable object that the library sends."""

    def __init__(self, owner: "Ssmtp", readable: Any) -> None:
        self.number = next(_numbers)
        self.readable: Any = readable
        self._owner = weakref.ref(owner)
        _streams[self.number] = self

    @property
    def callbacks(self) -> Tuple[Any, Any, int]:
        """What C gets to read it."""
        return READ, CLOSE, self.number

    def read(self, buffer: int, size: int) -> int:
        owner = self._owner()
        if owner is None or self.number not in owner._streams:
            return -1
        try:
            owner._in_handler = True
            data = self.readable.read(size)
            owner._in_handler = False
            if not isinstance(data, (bytes, bytearray, memoryview)):
                raise TypeError(f"read({size}) of a message stream gave {type(data).__name__}, not bytes")
            data = bytes(cast(bytes, data))
            if len(data) > size:
                raise ValueError(f"read({size}) of a message stream gave {len(data)} bytes")
            memmove(buffer, data, len(data))
            return len(data)
        except BaseException as exception:
            owner._in_handler = False
            owner._raised.keep(exception)
            return -1

    def close(self) -> None:
        """It was sent and CloseStreamAfterTransfer is True: no other end of a stream calls this."""
        owner = self._owner()
        if owner is None or owner._streams.pop(self.number, None) is None:
            return
        readable, self.readable = self.readable, None
        try:
            close = getattr(readable, "close", None)
            if close is not None:
                close()
        except BaseException as exception:
            owner._raised.keep(exception)


def _thunk(name: str) -> Any:
    def call(_handle: int, raw: Any, number: int) -> int:
        owner = _owners.get(number)
        return 0 if owner is None else fire(owner, name, raw.contents)

    return _native_gen.EVENTS[name](call)


def _read(number: int, buffer: int, size: int) -> int:
    stream = _streams.get(number)
    return -1 if stream is None else stream.read(buffer, size)


def _close(number: int) -> None:
    stream = _streams.get(number)
    if stream is not None:
        stream.close()


#: What is registered for each event, and what takes it away.
THUNKS: Dict[str, Any] = {name: _thunk(name) for name in READERS}
NOTHING: Dict[str, Any] = {name: _native_gen.EVENTS[name]() for name in READERS}
READ = _native_gen.READ_CB(_read)
CLOSE = _native_gen.CLOSE_CB(_close)
NO_READ, NO_CLOSE = _native_gen.READ_CB(), _native_gen.CLOSE_CB()
