"""What became of each recipient of the last Send."""

from ctypes import byref, c_int32, c_void_p
from typing import NamedTuple, Tuple

from ._access import Accessor, take
from ._enums_gen import ErrorCode
from ._errors import SsmtpError


class RecipientResult(NamedTuple):
    """What a server said to one recipient."""

    #: Address, as RCPT named it.
    address: str
    #: Where the last answer came from: `MAIL` (the sender was refused), `RCPT`, or `CONTENT` (the
    #: reply to the message itself).
    phase: str
    #: Reply code that decided, 250 or 550 and the like; 0 when no reply came.
    code: int
    #: Enhanced status code of that reply, such as `5.1.1` (RFC 3463); empty when it has none.
    enhanced_code: str
    #: That reply, all its lines in one.
    text: str
    #: Whether the server took the message for this recipient.
    accepted: bool
    #: Whether a recipient that was not served may be served later: a 4xx reply, or none at all.
    temporary: bool


class Results(Accessor):
    """The attribute `recipient_results`."""

    @property
    def recipient_results(self) -> Tuple[RecipientResult, ...]:
        """What became of each recipient of the last Send, in the order of the envelope, duplicates
        once. They are copies: a later Send doesn't change them. Empty before the first Send and
        while one runs; after a failed one it tells whom the server took and whom it didn't.
        """
        try:
            count = self._get_int("ssmtp_get_recipient_result_count")
            return tuple(self._result(index) for index in range(count))
        except SsmtpError as error:
            # Another thread's Send has begun in between.
            if error.code == ErrorCode.INDEX:
                return ()
            raise

    def _result(self, index: int) -> RecipientResult:
        return RecipientResult(
            address=self._result_text("address", index),
            phase=self._result_text("phase", index),
            code=self._result_int("code", index),
            enhanced_code=self._result_text("enhanced_code", index),
            text=self._result_text("text", index),
            accepted=self._result_int("accepted", index) != 0,
            temporary=self._result_int("temporary", index) != 0,
        )

    def _result_text(self, row: str, index: int) -> str:
        out = c_void_p()
        self._call(f"ssmtp_get_recipient_result_{row}", index, byref(out))
        return take(out).decode("utf-8", "replace")

    def _result_int(self, row: str, index: int) -> int:
        out = c_int32()
        self._call(f"ssmtp_get_recipient_result_{row}", index, byref(out))
        return out.value
