"""The recipients of a message, as a list that can be changed."""

import operator
from typing import Any, Iterable, List, Sequence, Tuple, Union, overload

from ._access import Accessor
from ._enums_gen import RecipientType
from ._objects_gen import MessageRecipientFields
from ._values import Values

COUNT = "message_recipient_count"


class MessageRecipient(MessageRecipientFields, Values):
    """One recipient. Those of `smtp.message_recipients` are live: they show and change the entry at
    their place in the list.
    """

    _index = 0

    def __init__(
        self,
        address: str = "",
        recipient_type: RecipientType = RecipientType.TO,
        name: str = "",
        options: str = "",
    ) -> None:
        super().__init__()
        self.address = address
        self.recipient_type = recipient_type
        self.name = name
        self.options = options

    @classmethod
    def _at(cls, owner: Accessor, index: int) -> "MessageRecipient":
        live = cls.__new__(cls)
        live._owner, live._index = owner, index
        return live

    def _leading(self) -> Tuple[int, ...]:
        return (self._index,)

    def copy(self) -> "MessageRecipient":
        """The same values, no longer tied to a list."""
        return MessageRecipient(self.address, self.recipient_type, self.name, self.options)

    def _fields(self) -> Tuple[str, RecipientType, str, str]:
        return (self.address, self.recipient_type, self.name, self.options)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, MessageRecipient):
            return NotImplemented
        return self._fields() == other._fields()

    def __repr__(self) -> str:
        address, kind, name, options = self._fields()
        more = (f", name={name!r}" if name else "") + (f", options={options!r}" if options else "")
        return f"MessageRecipient({address!r}, RecipientType.{kind.name}{more})"


class MessageRecipients(Sequence[MessageRecipient]):
    """All recipients; SendTo, Cc and BCc are views of the same list. Its items are live."""

    def __init__(self, owner: Accessor) -> None:
        self._owner = owner
        self._lock = owner._lock

    @classmethod
    def of(cls, owner: Accessor) -> "MessageRecipients":
        """Those of an Ssmtp."""
        return cls(owner)

    def __len__(self) -> int:
        return self._owner._get_int(f"ssmtp_get_{COUNT}")

    @overload
    def __getitem__(self, index: int) -> MessageRecipient: ...

    @overload
    def __getitem__(self, index: slice) -> List[MessageRecipient]: ...

    def __getitem__(self, index: Union[int, slice]) -> Any:
        at = range(len(self))[index]
        if isinstance(at, range):
            return [MessageRecipient._at(self._owner, i) for i in at]
        return MessageRecipient._at(self._owner, at)

    def __setitem__(self, index: int, value: MessageRecipient) -> None:
        with self._lock:
            self._write(range(len(self))[operator.index(index)], value)

    def __delitem__(self, index: Union[int, slice]) -> None:
        with self._lock:
            count = len(self)
            at = range(count)[index]
            gone = set(at) if isinstance(at, range) else {at}
            if not gone:
                return
            # The library takes entries off the end only: those behind move up first.
            first = min(gone)
            kept = [self[i].copy() for i in range(first, count) if i not in gone]
            for place, recipient in enumerate(kept, first):
                self._write(place, recipient)
            self._cut(count - len(gone))

    def add(
        self,
        address: str,
        type: RecipientType = RecipientType.TO,
        name: str = "",
        options: str = "",
    ) -> MessageRecipient:
        """Appends a recipient and returns it, live. A refused value leaves the list as it was."""
        return self.append(MessageRecipient(address, type, name, options))

    def append(self, recipient: MessageRecipient) -> MessageRecipient:
        """Appends a copy of a recipient and returns it, live."""
        if not isinstance(recipient, MessageRecipient):
            raise TypeError(f"a MessageRecipient is wanted, not {type(recipient).__name__}")
        with self._lock:
            count = len(self)
            try:
                self._write(count, recipient)
            except BaseException:
                self._cut(count)
                raise
            return MessageRecipient._at(self._owner, count)

    def extend(self, recipients: Iterable[MessageRecipient]) -> None:
        """Appends a copy of each."""
        for recipient in list(recipients):
            self.append(recipient)

    def clear(self) -> None:
        """Removes all."""
        self._cut(0)

    def _write(self, index: int, recipient: MessageRecipient) -> None:
        live = MessageRecipient._at(self._owner, index)
        # Writing the address at the end appends, so it comes first.
        live.address = recipient.address
        live.recipient_type = recipient.recipient_type
        live.name = recipient.name
        live.options = recipient.options

    def _cut(self, count: int) -> None:
        self._owner._set_int(f"ssmtp_set_{COUNT}", count)

    def __repr__(self) -> str:
        return repr(list(self))
