"""Replay: the retained packets of a stream for a late joiner, with timestamps that let them play at once."""

from sfu.forwarding.numbering import Segment
from sfu.forwarding.substream import Substream
from sfu.receiving.inbound_stream import InboundStream
from sfu.wire.arithmetic import ts_diff
from sfu.wire.packet import SourcePacket

# The frames of a replay are played 32 times as fast: two seconds in 60 ms. Frames stay apart, as timestamps must.
TIMESTAMP_COMPRESSION_BITS = 5


def compressed(packet: SourcePacket, until: int, to: int) -> int:
    """The timestamp of a packet of a replay: packets up to number `until` move close to timestamp `to`.

    Otherwise a decoder would take seconds of old frames for a stream to be played in seconds.
    """
    if packet.sequence > until:
        return packet.timestamp
    return (to - (ts_diff(to, packet.timestamp) >> TIMESTAMP_COMPRESSION_BITS)) & 0xFFFFFFFF


class Replay:
    """The packets of one replay, in order."""

    __slots__ = ("_cursor", "_stream", "tail")

    def __init__(self, stream: InboundStream, segment: Segment[Substream], first: int) -> None:
        """Replay from number `first` on; `segment` compresses the timestamps up to the newest packet of now."""
        self._stream = stream
        self._cursor = first
        self.tail: SourcePacket | None = None
        "The last packet that `next` returned; its timestamp is compressed by whoever sends it (`compressed`)."
        segment.compressed_until, segment.compressed_to = stream.highest, stream.highest_timestamp

    @property
    def finished(self) -> bool:
        """Whether the replay has caught up with the stream."""
        return self._cursor > self._stream.highest

    def next(self) -> SourcePacket | None:
        """The next retained packet; None once the replay has caught up."""
        while not self.finished:
            retained = self._stream.stored(self._cursor)
            self._cursor += 1
            if retained is not None:  # else lost upstream: the subscriber requests a keyframe if it needs one
                self.tail = retained
                return retained
        return None
