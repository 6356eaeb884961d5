"""The state that the parts of one engine share."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from sfu.drops import DropReason
from sfu.engine.containment import Containment
from sfu.engine.deadlines import Deadlines
from sfu.engine.peers.link import ConnectionId
from sfu.engine.peers.peer import Peer
from sfu.fanout.row_buffer import RowBuffer
from sfu.values import Event


@dataclass(slots=True, eq=False)
class Context:
    """The outputs, peers and deadlines of one engine."""

    rows: RowBuffer
    "Packets to subscribers."
    emit: Callable[[Event], None]
    "Takes events; it must not call back into the engine."
    drops: Counter[DropReason] = field(default_factory=Counter)
    peers: dict[ConnectionId, Peer] = field(default_factory=dict)
    "By id."
    containment: Containment = field(init=False)
    deadlines: Deadlines = field(init=False)

    def __post_init__(self) -> None:
        """Create the context; faults are counted as drops."""
        self.containment = Containment(self.drops)
        self.deadlines = Deadlines(self.containment)
