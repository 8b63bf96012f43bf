"""The end of the interpreter while a thread is in the library: Python ends such a thread at its next callback, in the midst of
frames that are not its own, and the process with it. So methods that still run then are interrupted and waited for."""

import atexit
import os
import time
from typing import TYPE_CHECKING, List

if TYPE_CHECKING:
    from ._client import Ssmtp

#: How long it waits for them: a handler may be in the midst of something.
LONGEST = 2.0

#: The objects whose blocking methods run, once for each; appending and removing are one step each.
running: List["Ssmtp"] = []


def _leave() -> None:
    until = time.monotonic() + LONGEST
    while running and time.monotonic() < until:
        for each in running[:]:
            each._library.ssmtp_interrupt(each._handle)
        time.sleep(0.005)


atexit.register(_leave)
# In a child process those threads do not exist.
os.register_at_fork(after_in_child=running.clear)
