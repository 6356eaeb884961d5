"""Who follows one inbound stream: its substreams, and the subscribers on their way to one.

The inbound stream itself knows nothing of this, as a stream is received in the same way whoever watches it.
"""

from collections.abc import Hashable
from typing import Generic, TypeVar

from sfu.fanout.template import TemplateClass
from sfu.forwarding.substream import Substream
from sfu.receiving.inbound_stream import InboundStream
from sfu.wire import operating_points
from sfu.wire.operating_points import OperatingPoint

S = TypeVar("S", bound=Hashable)


class Fan(Generic[S]):
    """The substreams of one inbound stream, and its subscribers of type `S`."""

    __slots__ = ("awaiting_keyframe", "stream", "substreams", "switching")

    def __init__(self, stream: InboundStream) -> None:
        """Nobody follows `stream` yet."""
        self.stream = stream
        self.substreams: dict[tuple[OperatingPoint | None, bool], Substream] = {}
        "Those with subscribers, by operating point (None: the whole stream) and whether their pictures are whole."
        self.awaiting_keyframe: set[S] = set()
        "Subscribers that start here at the next keyframe."
        self.switching: set[S] = set()
        "Subscribers that change to another substream of this stream at the next picture that allows it."

    def __repr__(self) -> str:
        """For the log."""
        return repr(self.stream)

    def key(self, point: OperatingPoint) -> OperatingPoint | None:
        """The point by which `substreams` has a point: None, the whole stream, where that is the same."""
        return None if point[1] == operating_points.MAX_TEMPORAL and len(self.stream.seen_at) == 1 else point

    def substream(self, key: OperatingPoint | None, *, whole_pictures: bool = False) -> Substream:
        """The substream of that key, created if it has no subscriber yet; see `Substream` for `whole_pictures`."""
        if (key, whole_pictures) not in self.substreams:
            self.substreams[key, whole_pictures] = Substream(self.stream, key, whole_pictures=whole_pictures)
        return self.substreams[key, whole_pictures]

    def leave(self, substream: Substream, kind: TemplateClass, subscriber: S) -> None:
        """Remove a subscriber of `substream`, and with its last one the substream; its numbers stay traceable."""
        substream.table.remove(kind, subscriber)
        self.switching.discard(subscriber)
        key = substream.point, substream.whole_pictures
        if not len(substream.table) and self.substreams.get(key) is substream:
            del self.substreams[key]
