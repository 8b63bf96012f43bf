"""Objects that are either a view of an Ssmtp's rows or, made by the caller, hold values of their own."""

from typing import Any, Dict, Optional, Tuple

from ._access import Accessor, flag, number, text


def _row(function: str) -> str:
    """`ssmtp_get_firewall_host` and `ssmtp_set_firewall_host` → `firewall_host`."""
    return function.split("_", 2)[2]


class Values(Accessor):
    """Row by row the accessors of its owner, or a dictionary where there is no owner."""

    _owner: Optional[Accessor] = None

    def __init__(self) -> None:
        self._held: Dict[str, Any] = {}

    def _leading(self) -> Tuple[int, ...]:
        """The arguments between the handle and the value: the index of an array row."""
        return ()

    def _call(self, function: str, *arguments: Any) -> None:
        assert self._owner is not None
        self._owner._call(function, *self._leading(), *arguments)

    def _get_text(self, function: str, *arguments: Any) -> str:
        if self._owner is None:
            return str(self._held.get(_row(function), ""))
        return super()._get_text(function, *arguments)

    def _get_int(self, function: str) -> int:
        if self._owner is None:
            return int(self._held.get(_row(function), 0))
        return super()._get_int(function)

    def _set_text(self, function: str, value: str) -> None:
        if self._owner is None:
            text(_row(function), value)
            self._held[_row(function)] = value
        else:
            super()._set_text(function, value)

    def _set_int(self, function: str, value: int) -> None:
        if self._owner is None:
            self._held[_row(function)] = number(_row(function), value)
        else:
            super()._set_int(function, value)

    def _set_bool(self, function: str, value: bool) -> None:
        self._set_int(function, flag(_row(function), value))
