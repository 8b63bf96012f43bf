"""Several prepared messages over one connection."""

from ctypes import c_int32, c_size_t, c_void_p
from typing import Iterable, List, Optional

from ._access import Accessor
from ._enums_gen import ErrorCode
from ._errors import SsmtpError

#: What a result is before the library has written it: no error number.
UNWRITTEN = -1


class Batch(Accessor):
    """The methods `send_all` and `send_all_async`."""

    #: The library's token; None once closed.
    _handle: Optional[int]

    def send_all(self, messages: "Iterable[Batch]") -> List[int]:
        """Sends the message of each object, through the server and connection of this one.

        The commands of a message go in the same write as the end of the one before, so that a
        message costs one round trip where the server offers PIPELINING. Returns a number for each:
        0 when it was sent, else its error, which also fires this object's Error event; the others
        go on. 610 is a message that was given when the connection went away before the reply. Raises
        SsmtpError when the call itself is refused (163, 166, 608) or interrupted (301).
        """
        objects = list(messages)
        for each in objects:
            if not isinstance(each, Batch):
                raise TypeError(f"send_all takes Ssmtp objects, not {type(each).__name__}")
        count = len(objects)
        handles = (c_void_p * count)(*[each._handle for each in objects])
        results = (c_int32 * count)(*[UNWRITTEN] * count)
        try:
            self._run("ssmtp_send_all", handles, c_size_t(count), results)
        except SsmtpError:
            refused = not count or results[0] == UNWRITTEN
            if refused or ErrorCode.INTERRUPTED in list(results):
                raise
        return list(results)

    async def send_all_async(self, messages: "Iterable[Batch]") -> List[int]:
        """`send_all` in a thread of its own; cancelling the task interrupts it."""
        return await self._in_thread(self.send_all, messages)
