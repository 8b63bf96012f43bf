"""The proxy between us and the server."""

from typing import Optional

from ._access import Accessor
from ._enums_gen import FirewallType
from ._objects_gen import FirewallFields
from ._values import Values


class Firewall(FirewallFields, Values):
    """Proxy settings. `smtp.firewall` is live: it shows and changes the settings of that object;
    one made by its constructor holds values until it is assigned to `smtp.firewall`.
    """

    def __init__(
        self,
        firewall_type: FirewallType = FirewallType.NONE,
        host: str = "",
        port: Optional[int] = None,
        user: str = "",
        password: str = "",
        auto_detect: bool = False,
    ) -> None:
        super().__init__()
        self.firewall_type = firewall_type
        self.host = host
        if port is not None:
            self.port = port
        self.user = user
        self.password = password
        self.auto_detect = auto_detect

    @classmethod
    def of(cls, owner: Accessor) -> "Firewall":
        """Those of an Ssmtp."""
        live = cls.__new__(cls)
        live._owner = owner
        return live

    def assign(self, other: "Firewall") -> None:
        """Takes over the values of another one."""
        if not isinstance(other, Firewall):
            raise TypeError(f"firewall takes Firewall, not {type(other).__name__}")
        # The type sets the port, so it comes first, and a port that nobody set doesn't follow.
        self.firewall_type = other.firewall_type
        if other._owner is not None or "firewall_port" in other._held:
            self.port = other.port
        self.host = other.host
        self.user = other.user
        self.password = other.password
        self.auto_detect = other.auto_detect

    def __repr__(self) -> str:
        return f"Firewall(FirewallType.{self.firewall_type.name}, {self.host!r}, {self.port})"
