"""The numbers and timestamps of one outbound stream: continuous across switches between inbound streams."""

from dataclasses import dataclass, replace

from sfu.fanout.table import Column, Position
from sfu.forwarding.numbering import OutboundSequence, Segment
from sfu.forwarding.substream import Substream
from sfu.receiving.inbound_stream import InboundStream
from sfu.wire.arithmetic import ts_diff
from sfu.wire.packet import SourcePacket


@dataclass(frozen=True, slots=True)
class _Last:
    """The last packet that was sent before the stream was paused or switched, in outbound numbers."""

    timestamp: int
    picture_id: int
    tl0picidx: int
    frame_number: int
    at: float


class Timeline:
    """Segments of one outbound stream, each with constant offsets to the numbers of one substream."""

    __slots__ = ("_last", "_numbers")

    def __init__(self, first: int) -> None:
        """`first` is the first sequence number, random (RFC 3550 section 5.1), below 2**15 (RFC 3711 section 3.3.1)."""
        self._numbers: OutboundSequence[Substream] = OutboundSequence(first)
        self._last: _Last | None = None

    @property
    def segment(self) -> Segment[Substream] | None:
        """The current segment; None before the first."""
        return self._numbers.current

    def expected_timestamp(
        self, previous: InboundStream | None, stream: InboundStream, packet: SourcePacket
    ) -> int | None:
        """The outbound timestamp at which `packet` of `stream` continues `previous`, by the sender reports of both.

        None where the sender reports are missing.
        """
        segment = self.segment
        if previous is None or segment is None:
            return None
        if previous is stream:
            return packet.timestamp + segment.timestamp_offset
        if previous.clock is None or stream.clock is None:
            return None
        (old_ntp, old_rtp), (new_ntp, new_rtp) = previous.clock, stream.clock
        # the same instant on both streams' RTP clocks
        seconds = (new_ntp - old_ntp) / 2**32 + ts_diff(packet.timestamp, new_rtp) / stream.clock_rate
        return old_rtp + round(seconds * previous.clock_rate) + segment.timestamp_offset

    def begin(
        self, substream: Substream, packet: SourcePacket, expected: int | None, now: float, *, continues: bool
    ) -> None:
        """Start a segment.

        Args:
            substream: Its substream.
            packet: Its first packet, as the inbound stream numbers it: the newest there is.
            expected: What `expected_timestamp` returned.
            now: Time since the last packet stands in for sender reports that are missing.
            continues: Whether the segment before was of the same inbound stream.
        """
        placed, before = substream.place(packet), self.segment
        assert placed is not None  # it is the newest there is
        self._numbers.switch(substream, placed.sequence)
        segment, last = self.segment, self._last
        assert segment is not None
        if last is None:
            return
        if expected is None:
            expected = last.timestamp + int((now - last.at) * substream.layer.clock_rate)
        if ts_diff(expected & 0xFFFFFFFF, last.timestamp) <= 0:
            expected = last.timestamp + 1  # timestamps never run backwards for a decoder
        segment.timestamp_offset = expected - packet.timestamp
        if packet.picture_id_at >= 0:
            segment.picture_id_offset = last.picture_id + 1 - placed.picture_id
        if continues and before is not None:
            # These numbers may have gaps: the offsets stay, and equal numbers stay equal.
            segment.tl0picidx_offset = before.tl0picidx_offset
            segment.frame_number_offset = before.frame_number_offset
        else:
            segment.tl0picidx_offset = last.tl0picidx + 1 - packet.tl0picidx
            segment.frame_number_offset = last.frame_number + 1 - packet.frame_number

    def advance(self, sequence: int) -> None:
        """Record that the packets of the current segment up to `sequence`, in the substream's numbers, were sent."""
        self._numbers.advance(sequence)

    def end(self, last: Position | SourcePacket | None, now: float) -> None:
        """End the current segment; `last` has the numbers of the last packet sent in it, None if there was none."""
        segment = self.segment
        assert segment is not None
        if last is not None:
            self._last = _Last(
                (last.timestamp + segment.timestamp_offset) & 0xFFFFFFFF,
                last.picture_id + segment.picture_id_offset,
                last.tl0picidx + segment.tl0picidx_offset,
                last.frame_number + segment.frame_number_offset,
                now,
            )

    def fill(self, clock_rate: int, now: float) -> tuple[int, int]:
        """Use the next number while no media is sent: (sequence number, timestamp) of a packet that is not media."""
        last = self._last or _Last(0, 0, 0, 0, now)
        timestamp = (last.timestamp + int((now - last.at) * clock_rate)) & 0xFFFFFFFF
        self._last = replace(last, timestamp=timestamp, at=now)
        return self._numbers.skip(), timestamp

    def resolve(self, sequence: int) -> tuple[Substream, int, Segment[Substream]] | None:
        """Trace an outbound 16-bit number: (substream, its number there, segment); None if it was not sent lately."""
        return self._numbers.resolve(sequence)


def column(segment: Segment[Substream], ssrc: int, transport: int) -> Column:
    """The column of a subscriber whose current segment this is."""
    return Column(
        ssrc,
        segment.offset,
        segment.timestamp_offset,
        segment.picture_id_offset,
        segment.tl0picidx_offset,
        segment.first_source,
        transport,
        segment.frame_number_offset,
    )
