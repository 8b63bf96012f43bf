"""What the event classes share."""

from typing import Any, Callable, Optional, Tuple, TypeVar

E = TypeVar("E")

#: A function that takes the event; what it returns doesn't matter. None: no handler.
Handler = Optional[Callable[[E], object]]


class Event:
    """One event, with the values as they were when it fired; it may be kept."""

    __slots__: Tuple[str, ...] = ()

    def write(self, raw: Any) -> None:
        """Hands back to the library what a handler may change."""

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__slots__)
        return f"{type(self).__name__}({values})"
