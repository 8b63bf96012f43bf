"""Ctrl-C while the library works. Python runs a signal handler at the next bytecode: that is after a call into the library,
which may wait for long, or the first one of a callback, where an exception has no caller and would be lost. So a thread of
ours hears of the signal at once (`signal.set_wakeup_fd`) and interrupts the call; the exception is kept, and raised when
the method returns."""

import contextlib
import os
import select
import signal
import socket
import threading
import time
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, List, Optional, Tuple, Type

if TYPE_CHECKING:
    from ._client import Ssmtp

#: How often a call is interrupted until it ends: an interrupt before it has begun does nothing.
INTERVAL = 0.02


class Watch:
    """The thread that hears of signals while the main thread is in the library. It is made when it is first needed."""

    def __init__(self) -> None:
        self._running: List["Ssmtp"] = []
        #: Counts the methods, so that a signal of one doesn't interrupt the next.
        self._turn = 0
        #: Who else wants to hear, an event loop for one.
        self._other = -1
        self._lock = threading.Lock()
        self._here, self._there = socket.socketpair()
        for end in (self._here, self._there):
            end.setblocking(False)
        threading.Thread(target=self._listen, name="ssmtp signals", daemon=True).start()

    def begin(self, owner: "Ssmtp") -> None:
        with self._lock:
            self._turn += not self._running
            self._running.append(owner)
        if len(self._running) == 1:
            self._other = signal.set_wakeup_fd(self._there.fileno(), warn_on_full_buffer=False)

    def end(self) -> None:
        if not self._running:
            return  # a child process, made by a handler of the method
        self._running.pop()
        if not self._running:
            signal.set_wakeup_fd(self._other)
            # What the thread hasn't heard yet was for the method that has ended.
            self._hear()
            self._other = -1

    def leave(self) -> Optional[int]:
        """In a child process: who else wanted to hear, when a method was running."""
        # Another thread of the parent may have held the old one.
        self._lock = threading.Lock()
        running, self._running = self._running, []
        return self._other if running else None

    def _hear(self) -> Tuple[bytes, int]:
        """The signals that came, and in which turn."""
        with self._lock:
            try:
                numbers = self._here.recv(64)
            except BlockingIOError:
                return b"", self._turn
            if self._other >= 0:
                with contextlib.suppress(OSError):
                    os.write(self._other, numbers)
            return numbers, self._turn

    def _listen(self) -> None:
        while True:
            select.select([self._here], [], [])
            numbers, turn = self._hear()
            while signal.SIGINT in numbers and self._interrupt(turn):
                time.sleep(INTERVAL)

    def _interrupt(self, turn: int) -> bool:
        """Interrupts the method of that turn; False when it has ended."""
        with self._lock:
            if self._turn != turn:
                return False
            for owner in self._running:
                owner._library.ssmtp_interrupt(owner._handle)
            return bool(self._running)


_watch: Optional[Watch] = None


def _forget() -> None:
    """In a child process: the thread has stayed behind, and so has the method that runs, unless a handler of it forked.
    A signal of the child must not be heard by the parent.
    """
    global _watch
    if _watch is not None:
        other = _watch.leave()
        if other is not None:
            signal.set_wakeup_fd(other)
            handler = signal.getsignal(signal.SIGINT)
            while isinstance(handler, Kept):
                handler = handler.before
            signal.signal(signal.SIGINT, handler)
    _watch = None


os.register_at_fork(after_in_child=_forget)


class Kept:
    """For the time of one blocking method in the main thread, in place of Python's own handler of SIGINT; a handler
    that the program has set itself is left alone.
    """

    def __init__(self, owner: "Ssmtp") -> None:
        self._owner = owner
        self.before: Any = None
        self._watch: Optional[Watch] = None

    def __enter__(self) -> None:
        global _watch
        if threading.current_thread() is not threading.main_thread():
            return
        before = signal.getsignal(signal.SIGINT)
        if before is signal.default_int_handler or isinstance(before, Kept):
            if _watch is None:
                _watch = Watch()
            self.before, self._watch = before, _watch
            signal.signal(signal.SIGINT, self)
            _watch.begin(self._owner)

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
        if self._watch is not None:
            self._watch.end()
            signal.signal(signal.SIGINT, self.before)
            # It came after the method had looked for exceptions.
            self._owner._raise()
