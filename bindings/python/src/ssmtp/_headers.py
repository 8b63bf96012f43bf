"""The header lines of a message, as they would be sent."""

from ctypes import byref, c_void_p
from typing import Any, List, Sequence, Union, overload

from ._access import Accessor, take
from ._objects_gen import HeaderFields
from ._values import Values


class Header(HeaderFields, Values):
    """One header line: `field` is its name, `value` what stands after the colon."""

    def __init__(self, field: str = "", value: str = "") -> None:
        super().__init__()
        self._set_text("ssmtp_set_message_header_field", field)
        self._set_text("ssmtp_set_message_header_value", value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Header):
            return NotImplemented
        return (self.field, self.value) == (other.field, other.value)

    def __hash__(self) -> int:
        return hash((self.field, self.value))

    def __repr__(self) -> str:
        return f"Header({self.field!r}, {self.value!r})"


class MessageHeaders(Sequence[Header]):
    """A read-only list of Header. Each access asks the library; the headers are copies."""

    def __init__(self, owner: Accessor) -> None:
        self._owner = owner

    @classmethod
    def of(cls, owner: Accessor) -> "MessageHeaders":
        """Those of an Ssmtp."""
        return cls(owner)

    def __len__(self) -> int:
        return self._owner._get_int("ssmtp_get_message_header_count")

    @overload
    def __getitem__(self, index: int) -> Header: ...

    @overload
    def __getitem__(self, index: slice) -> List[Header]: ...

    def __getitem__(self, index: Union[int, slice]) -> Any:
        at = range(len(self))[index]
        if isinstance(at, range):
            return [self._read(i) for i in at]
        return self._read(at)

    def _read(self, index: int) -> Header:
        return Header(self._text("field", index), self._text("value", index))

    def _text(self, row: str, index: int) -> str:
        out = c_void_p()
        self._owner._call(f"ssmtp_get_message_header_{row}", index, byref(out))
        return take(out).decode("utf-8", "replace")

    def __repr__(self) -> str:
        return repr(list(self))
