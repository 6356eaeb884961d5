"""The subscribers of one inbound stream: its substreams, and the subscribers that wait to enter one.

The inbound stream itself does not know its subscribers: how a stream is received does not depend on them.
"""

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from sfu.fanout.table import Position, TapTable
from sfu.fanout.template import TemplateClass
from sfu.forwarding.substream import Substream
from sfu.receiving.inbound_stream import InboundStream
from sfu.wire import operating_points
from sfu.wire.operating_points import OperatingPoint
from sfu.wire.packet import SourcePacket

S = TypeVar("S", bound=Hashable)

WHOLE = (None, False)
"The key in `Fan.substreams` of the whole stream."


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
            table = self.stream.make_table() if (key, whole_pictures) == WHOLE else None
            self.substreams[key, whole_pictures] = Substream(
                self.stream, key, whole_pictures=whole_pictures, table=table
            )
            self.attend()
        return self.substreams[key, whole_pictures]

    def attend(self) -> None:
        """Let the control plane see each packet of the stream as long as somebody is served by it."""
        whole = self.substreams.get(WHOLE)
        others = len(self.substreams) - (whole is not None)
        self.stream.attend(others > 0 or (whole is not None and whole.table.is_attended))

    # --- who waits here ------------------------------------------------------------------------------------------

    def wait_for_keyframe(self, subscriber: S) -> None:
        """Let a subscriber start here at the next keyframe, or the next packet of audio."""
        self.awaiting_keyframe.add(subscriber)
        if self.stream.spec.kind == "audio":
            self.stream.notify_next()

    def wait_for_switch(self, subscriber: S) -> None:
        """Let a subscriber change to another substream at the next picture that allows it."""
        self.switching.add(subscriber)
        self._attend_to(subscriber, True)

    def end_switch(self, subscriber: S) -> None:
        """Let a subscriber stay in its substream."""
        self.switching.discard(subscriber)
        self._attend_to(subscriber, False)

    def _attend_to(self, subscriber: S, needed: bool) -> None:
        whole = self.substreams.get(WHOLE)
        if whole is not None:
            whole.table.attend_to(subscriber, needed)
            self.attend()

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
        self.attend()
        return substream

    def untap(self, number: int) -> None:
        """Remove the substream of a tap."""
        self.substreams.pop(number, None)
        self.attend()

    def leave(self, substream: Substream, kind: TemplateClass, subscriber: S) -> Position:
        """Remove a subscriber of `substream`, and with its last one the substream; its numbers stay traceable.

        Returns the numbers of the last packet that it was sent, or would have been.
        """
        position = substream.table.remove(kind, subscriber) or substream.newest
        self.switching.discard(subscriber)
        key = substream.point, substream.whole_pictures
        if not len(substream.table) and self.substreams.get(key) is substream:
            del self.substreams[key]
        self.attend()
        return position
