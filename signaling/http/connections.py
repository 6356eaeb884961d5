"""The open network connections, and the choice of the one to end when a new one needs its descriptor.

Descriptors are limited, and a stranger's idle connection costs one, as a participant's does. Connections of
participants are never ended; of the others, the oldest idle one of the address with the most connections ends first.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from itertools import islice

from aiohttp import web

# Silent connections of one address. Browsers open six at once (Chromium, Firefox) and use most of them for a moment.
MAX_IDLE_PER_ADDRESS = 256

# With few descriptors, one address gets this part of them for silent connections.
IDLE_SHARE = 4

# Of so many of the oldest ones, the one of the address that holds most ends.
_CANDIDATES = 50


class Use(Enum):
    """What a connection is used for."""

    IDLE = "no request is under way"
    BUSY = "a request is under way, of somebody unknown"
    KNOWN = "a participant's"


@dataclass(slots=True, eq=False)
class Connection:
    """One open connection."""

    address: str
    "Whose, as `limits` counts addresses: an IPv4 address or a /64 of IPv6."
    exempt: bool
    "Of a trusted proxy, behind which many people are."
    end: Callable[[], None]
    "Closes it at once; `Connections.closed` follows."
    use: Use = Use.IDLE
    has_asked: bool = False
    "A request has been received on it."


class Connections:
    """All connections of the server."""

    def __init__(self, most: int) -> None:
        """`most` at a time, see `descriptors.connection_budget`."""
        self._most = most
        self._most_idle = min(MAX_IDLE_PER_ADDRESS, max(most // IDLE_SHARE, 1))
        # By the time at which their present use began, oldest first.
        self._by_use: dict[Use, dict[Connection, None]] = {use: {} for use in Use}
        self._idle_of: dict[str, dict[Connection, None]] = {}
        self._by_protocol: dict[object, Connection] = {}

    def __len__(self) -> int:
        """Return how many are open."""
        return sum(map(len, self._by_use.values()))

    def admit(self, address: str, *, exempt: bool, end: Callable[[], None]) -> Connection | None:
        """Take a new connection, for which another one may have to end; None when there is no place for it."""
        idle = self._idle_of.get(address, {})
        if not exempt and len(idle) >= self._most_idle:
            self._end(next(iter(idle)))
        if len(self) >= self._most and not self.make_room():
            return None
        connection = Connection(address, exempt, end)
        self._by_use[Use.IDLE][connection] = None
        self._idle_of.setdefault(address, {})[connection] = None
        return connection

    def make_room(self) -> bool:
        """End one connection of a stranger; return False if there is none."""
        for use in (Use.IDLE, Use.BUSY):
            oldest = list(islice(self._by_use[use], _CANDIDATES))
            if oldest:
                self._end(max(oldest, key=lambda each: len(self._idle_of.get(each.address, ()))))
                return True
        return False

    def use(self, connection: Connection, use: Use) -> None:
        """Note what a connection is used for now; nothing happens once it is closed."""
        if connection not in self._by_use[connection.use]:
            return
        self._forget(connection)
        connection.use = use
        connection.has_asked = True
        self._by_use[use][connection] = None
        if use is Use.IDLE:
            self._idle_of.setdefault(connection.address, {})[connection] = None

    def closed(self, connection: Connection) -> None:
        """Forget a connection; nothing happens the second time."""
        self._forget(connection)

    # --- by the protocol object of the web framework ---------------------------------------------

    def bind(self, protocol: object, connection: Connection) -> None:
        """Let a connection be found by what the framework calls its protocol, until `unbind`."""
        self._by_protocol[protocol] = connection

    def unbind(self, protocol: object) -> None:
        """Let it be found no more."""
        self._by_protocol.pop(protocol, None)

    def record(self, request: web.Request, use: Use) -> None:
        """Note what the connection of a request is used for."""
        connection = self._by_protocol.get(request.protocol)
        if connection is not None:
            self.use(connection, use)

    def _end(self, connection: Connection) -> None:
        self._forget(connection)
        connection.end()

    def _forget(self, connection: Connection) -> None:
        self._by_use[connection.use].pop(connection, None)
        idle = self._idle_of.get(connection.address)
        if idle is not None:
            idle.pop(connection, None)
            if not idle:
                del self._idle_of[connection.address]


CONNECTIONS = web.AppKey("connections", Connections)
"Key of the connections in the application."


def record(request: web.Request, use: Use) -> None:
    """Note what the connection of a request is used for, if connections are counted at all."""
    connections = request.app.get(CONNECTIONS)
    if connections is not None:
        connections.record(request, use)
