"""The subscribers of one inbound stream: its substreams, and the subscribers that wait to enter one.

The inbound stream itself does not know its subscribers: how a stream is received does not depend on them.
"""

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from sfu.fanout.table import TapTable
from sfu.fanout.template import TemplateClass
from sfu.forwarding.substream import Substream
from sfu.receiving.inbound_stream import InboundStream
from sfu.wire import operating_points
from sfu.wire.operating_points import OperatingPoint
from sfu.wire.packet import SourcePacket

S = TypeVar("S", bound=Hashable)


class Fan(Generic[S]):
    """The substreams of one inbound stream, and its subscribers of type `S`."""

    __slots__ = ("awaiting_keyframe", "stream", "substreams", "switching")

    def __init__(self, stream: InboundStream) -> None:
        """Create the fan of `stream`, without subscribers."""
        self.stream = stream
        self.substreams: dict[Hashable, Substream] = {}
        "Those with subscribers by (operating point, or None for the whole stream; `whole_pictures`), those of taps by"
        " the number of the tap's stream."
        self.awaiting_keyframe: set[S] = set()
        "Subscribers that start here at the next keyframe."
        self.switching: set[S] = set()
        "Subscribers that change to another substream of this stream at the next picture that allows it."

    def __repr__(self) -> str:
        """For the log."""
        return repr(self.stream)

    def key(self, point: OperatingPoint) -> OperatingPoint | None:
        """Return the operating point as a key of `substreams`: None if it is the whole stream."""
        return None if point[1] == operating_points.MAX_TEMPORAL and len(self.stream.seen_at) == 1 else point

    def substream(self, key: OperatingPoint | None, *, whole_pictures: bool = False) -> Substream:
        """Return the substream of a key, created if it does not exist; see `Substream` for `whole_pictures`."""
        if (key, whole_pictures) not in self.substreams:
            self.substreams[key, whole_pictures] = Substream(self.stream, key, whole_pictures=whole_pictures)
        return self.substreams[key, whole_pictures]

    def tap(
        self,
        number: int,
        point: OperatingPoint | None,
        take: Callable[[SourcePacket, bool], None],
        *,
        whole_pictures: bool = False,
    ) -> Substream:
        """Add a substream of its own for a tap; `take` is called with each of its packets and whether it is late."""
        table = TapTable(take)
        substream = Substream(self.stream, point, whole_pictures=whole_pictures, table=table)
        self.substreams[number] = substream
        return substream

    def untap(self, number: int) -> None:
        """Remove the substream of a tap."""
        self.substreams.pop(number, None)

    def leave(self, substream: Substream, kind: TemplateClass, subscriber: S) -> None:
        """Remove a subscriber of `substream`, and with its last one the substream; its numbers stay traceable."""
        substream.table.remove(kind, subscriber)
        self.switching.discard(subscriber)
        key = substream.point, substream.whole_pictures
        if not len(substream.table) and self.substreams.get(key) is substream:
            del self.substreams[key]
