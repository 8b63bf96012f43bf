"""The conversation with the server in Python's `logging`.

>>> import logging
>>> from ssmtp import Ssmtp
>>> from ssmtp.logging import trail
>>> logging.basicConfig(level=logging.DEBUG)
>>> with Ssmtp() as smtp, trail(smtp):
...     smtp.connect()
DEBUG:ssmtp:S: 220 mail.example.com
DEBUG:ssmtp:C: EHLO me.example

Passwords and tokens are masked, unless MaskSensitive was set to False.
"""

import logging
from types import TracebackType
from typing import Any, Callable, Dict, Optional, Type

from ._client import Ssmtp
from ._enums_gen import ErrorCode
from ._errors import SsmtpError
from ._events_gen import ConnectionStatusEvent, ErrorEvent, PITrailEvent, SSLStatusEvent

__all__ = ["Trail", "trail"]

#: Who speaks, by the event's direction.
SPEAKERS = {0: "C:", 1: "S:"}


class Trail:
    """What `trail` gives: `stop`, or the end of a `with`, ends it."""

    def __init__(self, smtp: Ssmtp, logger: logging.Logger, level: int) -> None:
        self._smtp = smtp
        self._logger = logger
        self._level = level
        self._before: Dict[str, Any] = {}
        for event, handler in (
            ("pi_trail", self._line),
            ("connection_status", self._connection),
            ("ssl_status", self._tls),
            ("error", self._error),
        ):
            self._install(event, handler)

    def stop(self) -> None:
        """Puts the handlers back that were there before. A second time does nothing."""
        before, self._before = self._before, {}
        try:
            for event, handler in before.items():
                self._smtp._set_handler(event, handler)
        except SsmtpError as error:
            if error.code != ErrorCode.CLOSED_HANDLE:
                raise

    def __enter__(self) -> "Trail":
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        exception: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self.stop()

    def _install(self, event: str, log: Callable[[Any], None]) -> None:
        before = self._smtp._handler(event)
        self._before[event] = before

        def handler(happened: Any) -> None:
            log(happened)
            if before is not None:
                before(happened)

        self._smtp._set_handler(event, handler)

    def _line(self, event: PITrailEvent) -> None:
        speaker = SPEAKERS.get(event.direction, "--")
        self._logger.log(self._level, "%s %s", speaker, printable(event.message), extra={"ssmtp_event": event})

    def _connection(self, event: ConnectionStatusEvent) -> None:
        level = logging.WARNING if event.status_code else self._level
        text = printable(f"{event.connection_event}: {event.description}")
        self._logger.log(level, "-- %s", text, extra={"ssmtp_event": event})

    def _tls(self, event: SSLStatusEvent) -> None:
        self._logger.log(self._level, "-- TLS: %s", printable(event.message), extra={"ssmtp_event": event})

    def _error(self, event: ErrorEvent) -> None:
        text = printable(event.description)
        self._logger.error("error %d: %s", event.error_code, text, extra={"ssmtp_event": event})


def trail(smtp: Ssmtp, logger: Optional[logging.Logger] = None, level: int = logging.DEBUG) -> Trail:
    """Logs what client (`C:`) and server (`S:`) say, and what happens to the connection (`--`), as one record each;
    lost connections and failures of TLS as warnings, and what the Error event tells as errors. The logger is the one
    named `ssmtp` where none is given. Handlers that are set already go on; set others before, not after. A record has
    the event itself as `ssmtp_event`.
    """
    return Trail(smtp, logging.getLogger("ssmtp") if logger is None else logger, level)


def printable(text: str) -> str:
    """What a server says must not write lines of its own into a log, nor speak to a terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
