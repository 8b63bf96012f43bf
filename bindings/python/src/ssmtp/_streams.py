"""What the library reads while it sends: the stream behind the text, attachments and inline parts."""

import io
import os
import stat
from typing import TYPE_CHECKING, Any, Dict, Optional, Set, Tuple, cast

from . import _callbacks
from ._access import text
from ._enums_gen import ErrorCode
from ._errors import SsmtpError
from ._properties_gen import Methods, Properties

if TYPE_CHECKING:
    from ._client import Ssmtp


class Streams(Properties, Methods):
    """Methods that take readable objects. Each is held as long as the library may read it."""

    #: All that are held, by their number.
    _streams: Dict[int, _callbacks.Stream]
    #: The one behind MessageText, with its size.
    _body_stream: Optional[Tuple[_callbacks.Stream, int]] = None
    #: Numbers of those that are parts.
    _part_streams: Set[int]

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
        with self._lock:
            if message_stream is None:
                self._take_stream_away()
                self._body_stream = None
            else:
                stream = self._stream_of(message_stream)
                self._hand_over("ssmtp_set_message_stream", stream, size)
                self._body_stream = (stream, size)
            self._let_go()

    def add_attachment(self, source: Any, name: str = "", type: str = "") -> None:
        """Attaches a file, octets or a stream to the message (multipart/mixed).

        `source` is a path (str or PathLike), octets (bytes, bytearray, memoryview and the like), or
        an object with `read(n)`, such as an open binary file. A file and a stream are read while the
        message is sent, in constant memory: a file that cannot be opened is error 302 then, and what
        `read` raises comes out of the sending method. A stream is read once, and closed at its end
        if CloseStreamAfterTransfer. `name` is the file name that the recipient sees; a file has its
        own. `type` is the media type, parameters included; without one it is guessed by the name.
        A `text/calendar` with a `method` and no name is sent as an alternative of the text, which is
        where programs look for an invitation. Attachments stay until `clear_attachments` or Reset.
        """
        if isinstance(source, (str, os.PathLike)):
            self.add_attachment_file(os.fsdecode(cast("os.PathLike[str]", source)), name, type)
            return
        octets = _octets(source)
        if octets is not None:
            self.add_attachment_data(octets, name, type)
            return
        name = name or _name_of(source)
        self._add_stream("attachment", source, text("name", name), text("type", type))

    def add_inline(self, source: Any, cid: str, type: str = "") -> None:
        """Adds what `message_html` shows as `cid:…`, such as an image (multipart/related).

        `source` is a path, octets or a readable object, as `add_attachment` takes them. `cid` is the
        Content-ID, printable ASCII, with or without angle brackets. `type` is the media type; only
        that of a path is guessed.
        """
        if isinstance(source, (str, os.PathLike)):
            self.add_inline_file(os.fsdecode(cast("os.PathLike[str]", source)), cid, type)
            return
        octets = _octets(source)
        if octets is not None:
            self.add_inline_data(octets, cid, type)
            return
        self._add_stream("inline", source, text("cid", cid), text("type", type))

    def clear_attachments(self) -> None:
        """Removes all attachments and inline parts. Their streams are not closed."""
        with self._lock:
            super().clear_attachments()
            self._part_streams = set()
            self._let_go()

    def reset(self) -> None:
        super().reset()
        with self._lock:
            self._body_stream, self._part_streams = None, set()
            self._let_go()

    reset.__doc__ = Methods.reset.__doc__

    def _set_text(self, function: str, value: str) -> None:
        super()._set_text(function, value)
        if function == "ssmtp_set_attached_file" and value:
            # It took the stream's place.
            with self._lock:
                self._body_stream = None
                self._let_go()

    def _add_stream(self, kind: str, source: Any, *arguments: bytes) -> None:
        with self._lock:
            stream = self._stream_of(source)
            self._hand_over(f"ssmtp_add_{kind}_stream", stream, _size_of(source), *arguments)
            self._part_streams.add(stream.number)

    def _stream_of(self, readable: Any) -> _callbacks.Stream:
        if not callable(getattr(readable, "read", None)):
            raise TypeError(f"{type(readable).__name__} has no read(n)")
        return _callbacks.Stream(cast("Ssmtp", self), readable)

    def _hand_over(self, function: str, stream: _callbacks.Stream, size: int, *more: Any) -> None:
        self._streams[stream.number] = stream
        try:
            self._call(function, *stream.callbacks, size, *more)
        except BaseException:
            self._streams.pop(stream.number, None)
            raise

    def _take_stream_away(self) -> None:
        self._call("ssmtp_set_message_stream", _callbacks.NO_READ, _callbacks.NO_CLOSE, None, -1)

    def _let_go(self) -> None:
        """Forgets the streams that no message has any more. The library doesn't tell when it lets go
        of one that was never sent; a message that is on its way goes on with those it began with.
        """
        if self.idle:
            used = set(self._part_streams)
            if self._body_stream is not None:
                used.add(self._body_stream[0].number)
            for number in set(self._streams) - used:
                self._streams.pop(number, None)


def _octets(source: Any) -> Optional[bytes]:
    """What a bytes-like object holds; None for anything else."""
    try:
        return bytes(memoryview(source))
    except TypeError:
        return None


def _name_of(readable: Any) -> str:
    """The name of an open file, without its folder; that of a pipe or a number is none."""
    name = getattr(readable, "name", None)
    if not isinstance(name, str) or name.startswith("<"):
        return ""
    return os.path.basename(name)


def _size_of(readable: Any) -> int:
    """How much is still to be read, where that is certain; -1 otherwise."""
    try:
        if isinstance(readable, io.BytesIO):
            return max(0, readable.getbuffer().nbytes - readable.tell())
        if isinstance(readable, (io.BufferedReader, io.BufferedRandom, io.FileIO)):
            about = os.fstat(readable.fileno())
            if stat.S_ISREG(about.st_mode) and about.st_size:
                return max(0, about.st_size - readable.tell())
    except (OSError, ValueError):
        pass
    return -1
