"""Ctrl-C while the library works. Python runs a signal handler at the next bytecode, which may be the first one of a
callback: an exception there has no caller and would be lost. So it is kept, and raised when the method returns."""

import signal
import threading
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, Optional, Type

if TYPE_CHECKING:
    from ._client import Ssmtp


class Kept:
    """For the time of one blocking method in the main thread, in place of Python's own handler of SIGINT; a handler
    that the program has set itself is left alone.
    """

    def __init__(self, owner: "Ssmtp") -> None:
        self._owner = owner
        self._before: Any = None
        self._installed = False

    def __enter__(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        before = signal.getsignal(signal.SIGINT)
        if before is signal.default_int_handler or isinstance(before, Kept):
            signal.signal(signal.SIGINT, self)
            self._before, self._installed = before, True

    def __call__(self, number: int, frame: Optional[FrameType]) -> None:
        if self._owner._in_handler:
            raise KeyboardInterrupt
        self._owner._raised.keep(KeyboardInterrupt())
        # What this returns doesn't matter: a closed object has stopped already.
        self._owner._library.ssmtp_interrupt(self._owner._handle)

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        exception: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        if self._installed:
            signal.signal(signal.SIGINT, self._before)
            # It came after the method had looked for exceptions.
            self._owner._raise()
