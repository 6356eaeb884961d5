"""A stream that the data plane receives and forwards: its state, its rows and its figures, as the engine sees them."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from sfu.dataplane.plane import Plane
from sfu.dataplane.punts import Seen
from sfu.fanout.pacer import Line
from sfu.fanout.row_buffer import RowBuffer
from sfu.fanout.table import Column, FanoutTable, Position, position_of, single_packet
from sfu.fanout.template import TemplateClass
from sfu.limits import PeerLimits
from sfu.receiving.inbound_stream import InboundStream
from sfu.receiving.rates import RateMeter
from sfu.receiving.speakers import Levels
from sfu.receiving.statistics import ReceiverStatistics
from sfu.session.sections import InboundSection
from sfu.values import PublicationSpec
from sfu.wire import descriptor
from sfu.wire.descriptor import Structure
from sfu.wire.frames import FramesShown
from sfu.wire.operating_points import MAX_TEMPORAL, with_temporal
from sfu.wire.packet import SourcePacket
from sfu.wire.red import Redundancy
from sfu.wire.rtcp import ReportBlock

# Structures that are kept parsed: a stream has one, or a few while its keyframes and active layers change.
_STRUCTURES_KNOWN = 16


class PlaneStatistics(ReceiverStatistics):
    """Reception statistics that the plane counts."""

    __slots__ = ("_stream",)

    def __init__(self, stream: "PlaneStream") -> None:
        """Read the state of `stream`."""
        super().__init__(stream.ssrc, stream.clock_rate)
        self._stream = stream

    def report_block(self, now: float) -> ReportBlock:
        """See the base class."""
        state = self._stream.state
        self.received_packets, self.highest = state.received_packets, state.highest_number
        self._base, self._jitter = state.base_number, state.jitter
        return super().report_block(now)


class PlaneFrames(FramesShown):
    """The operating points of the last frames, as the plane has recorded them."""

    __slots__ = ("_stream",)

    def __init__(self, stream: "PlaneStream") -> None:
        """Read the state of `stream`."""
        super().__init__()
        self._stream = stream

    def points_of(self, number: int) -> int:
        """See the base class."""
        state, at = self._stream.state, number % len(self._stream.state.frame_numbers)
        return int(state.frame_points[at]) if state.frame_numbers[at] == number else 0


class SampledRates(RateMeter):
    """A meter of what the plane has counted; `sample` has to be called several times a second."""

    __slots__ = ("_octets", "_pictures", "_stream")

    def __init__(self, now: float, stream: "PlaneStream") -> None:
        """Read the state of `stream`."""
        super().__init__(now)
        self._stream = stream
        self._octets: Counter[int] = Counter()
        self._pictures = [0] * (MAX_TEMPORAL + 1)

    def sample(self, now: float) -> None:
        """Take over what was counted since the last call."""
        state = self._stream.state
        for i in range(state.set_count):
            octets = state.octets[i]
            if octets != self._octets[i]:
                self.add(state.point_sets[i], octets - self._octets[i], now, pictures=0)
                self._octets[i] = octets
        for temporal, before in enumerate(self._pictures):
            pictures = state.pictures[temporal]
            if pictures != before:
                self.add(with_temporal(temporal), 0, now, pictures=pictures - before)
                self._pictures[temporal] = pictures


class _Served:
    """A subscriber of the whole stream who is served by the control plane."""

    __slots__ = ("caught_up", "column", "kind", "line", "position")

    def __init__(self, kind: TemplateClass, column: Column, line: Line | None, position: Position) -> None:
        self.kind, self.column, self.line = kind, column, line
        self.position = position
        "What it was sent last."
        self.caught_up: set[int] = set()
        "Numbers of packets that it was sent from the history; the copy of a late one may still come."


class PlaneTable(FanoutTable):
    """The subscribers of a whole stream.

    The plane serves most of them by rows. The control plane serves a subscriber whose packets wait in a pacer, and a
    subscriber that is about to change to another substream.
    """

    def __init__(self, plane: Plane, stream: "PlaneStream") -> None:
        """Start without subscribers."""
        super().__init__()
        self._plane, self._stream = plane, stream
        self._rows: dict[object, tuple[TemplateClass, Column]] = {}
        self._served: dict[object, _Served] = {}
        self._copied_until = 0
        "The number after that of the newest copy."

    def __len__(self) -> int:
        """See the base class."""
        return len(self._rows) + len(self._served)

    @property
    def packets(self) -> int:
        """Packets of the stream that were forwarded in total."""
        return int(self._stream.state.forwarded_packets)

    @packets.setter
    def packets(self, _value: int) -> None:
        pass

    @property
    def octets(self) -> int:
        """Payload octets of these packets."""
        return int(self._stream.state.forwarded_octets)

    @octets.setter
    def octets(self, _value: int) -> None:
        pass

    @property
    def is_attended(self) -> bool:
        """See the base class."""
        return bool(self._served)

    def add(
        self,
        kind: TemplateClass,
        key: object,
        column: Column,
        line: Line | None = None,
        after: Position | None = None,
    ) -> None:
        """See the base class."""
        if after is None:
            after = Position(column.first_sequence - 1, 0, 0, 0, 0)
        if line is None:
            self._join(key, kind, column, after)
            return
        self._stream.attend(True)
        served = self._served[key] = _Served(kind, column, line, after)
        # What the plane received before it was asked for copies, and what waited there while its copies came. Later
        # copies are still to come.
        for sequence in range(after.sequence + 1, max(self._stream.attended_from, self._copied_until)):
            packet = self._stream.stored(sequence)
            if packet is not None:
                self._serve(served, packet, None, late=False)
                served.caught_up.add(sequence)

    def _join(self, key: object, kind: TemplateClass, column: Column, after: Position) -> None:
        self._rows[key] = kind, column
        if column.patience_s is None:
            self._plane.join(self._stream.number, kind, column, after.sequence)
        else:
            self._plane.join_bounded(self._stream.number, kind, column, after, column.patience_s)

    def remove(self, _kind: TemplateClass, key: object) -> Position | None:
        """See the base class."""
        if key in self._rows:
            _, column = self._rows.pop(key)
            return self._plane.leave(self._stream.number, column.transport)
        served = self._served.pop(key, None)
        return None if served is None else served.position

    def position(self, key: object) -> Position | None:
        """See the base class."""
        if key in self._rows and (column := self._rows[key][1]).patience_s is not None:
            return self._plane.bounded_position(self._stream.number, column.transport)
        served = self._served.get(key)
        return self._stream.position() if served is None else served.position

    def attend_to(self, key: object, needed: bool) -> None:
        """See the base class."""
        if needed and key in self._rows:
            self._stream.attend(True)  # first, so that no packet comes between
            kind, column = self._rows.pop(key)
            end = self._plane.leave if column.patience_s is None else self._plane.release
            self._served[key] = _Served(kind, column, None, end(self._stream.number, column.transport))
        elif not needed and key in self._served and self._served[key].line is None:
            served = self._served.pop(key)
            self._join(key, served.kind, served.column, served.position)

    def forward(self, rows: RowBuffer, packet: SourcePacket, *, late: bool) -> int:
        """Send the packet to the subscribers that the control plane serves; return their number."""
        if not late:
            self._copied_until = packet.sequence + 1
        return sum(self._serve(served, packet, rows, late=late) for served in self._served.values())

    @staticmethod
    def _serve(served: _Served, packet: SourcePacket, rows: RowBuffer | None, *, late: bool) -> bool:
        """Send a packet to a subscriber, if it was not sent it and is to be; `rows` for one that has no line."""
        first = served.column.first_sequence if late else served.position.sequence + 1
        if packet.sequence < first or (late and packet.sequence in served.caught_up):
            return False
        if not late:
            served.position = position_of(packet)
        data = single_packet(served.kind, served.column, packet)
        if data is None:
            return False
        if served.line is not None:
            served.line.enqueue(bytes(data), keyframe=packet.frame.keyframe)
        elif rows is not None:
            rows.add_packet(bytes(data), served.column.transport, numbered=served.kind.numbered)
        return True


class PlaneStream(InboundStream):
    """A stream that the plane receives."""

    def __init__(
        self, plane: Plane, transport: int, spec: PublicationSpec, section: InboundSection, *arguments: Any
    ) -> None:
        """Create the stream in the plane; see the base class for the other arguments. MemoryError if it has no room."""
        self._plane = plane
        self._section = section
        super().__init__(spec, section, *arguments)
        now = self.clock_at
        self.transport = transport
        self.number, self.state = plane.add_stream(self, section, now)
        self.statistics = PlaneStatistics(self)
        self.rates = self._rates = SampledRates(now, self)
        self.frames = PlaneFrames(self)
        self.packet_at = now
        self._attended = False
        self._attended_from = -1
        self._seen: Seen | None = None
        "Before the packet that is being processed."
        self._structures: dict[tuple[int, int], Structure] = {}

    def describe(self) -> str:
        """See the base class."""
        rows = [
            f"transport {row['transport']} as SSRC {row['ssrc']} from {row['first_sequence']}"
            for row in self._plane.read_rows(self.number)
        ] + [
            f"transport {row.transport} as SSRC {row.ssrc} bounded, {row.waiting} packets wait from {row.next},"
            f" {row.unconfirmed} of {row.window} are unconfirmed"
            for row in self._plane.read_bounded_rows(self.number)
        ]
        copies = ", copied to Python" if self.state.copies else ""
        head = super().describe().removesuffix("in Python")
        return f"{head}in the data plane{copies}; rows: {', '.join(rows) or 'none'}"

    @property
    def section(self) -> InboundSection:
        """The media section that the stream belongs to."""
        return self._section

    @section.setter
    def section(self, section: InboundSection) -> None:
        if section is not self._section:
            self._section = section
            self._plane.set_section(self.number, section)

    @property
    def seen_at(self) -> Mapping[int, float]:  # type: ignore[override]  # read only: the plane counts it
        """See the base class."""
        return {spatial: at for spatial, at in enumerate(self.state.seen_at) if at >= 0}

    @property
    def point_sets(self) -> Collection[int]:  # type: ignore[override]  # as above
        """See the base class."""
        state = self.state
        since = state.sets_since_keyframe if self._seen is None else self._seen.sets
        return {state.point_sets[i] for i in range(state.set_count) if since >> i & 1}

    @property
    def structure(self) -> Structure | None:  # type: ignore[override]  # as above
        """The structure in force before the packet that is being processed."""
        return None if self._seen is None else self._structure_of(self._seen.structure, self._seen.active)

    @property
    def seen(self) -> Any:
        """The state, or as much of it as had been seen before the packet that is being processed."""
        return self.state if self._seen is None else self._seen

    def see(self, seen: Seen | None) -> None:
        """Show what had been seen before a packet that was received some time ago; None: what has been seen now."""
        self._seen = seen

    def _structure_of(self, number: int, active: int) -> Structure | None:
        """Return a structure by its number in the plane; None if it is no longer known there."""
        found = self._structures.get((number, active))
        if found is None and number:
            data = self._plane.structure(self.number, number)
            if data:
                found = replace(descriptor.parse(data, None).structure, active=active)
                if len(self._structures) == _STRUCTURES_KNOWN:
                    del self._structures[next(iter(self._structures))]
                self._structures[number, active] = found
        return found

    def kept(self, sequence: int) -> tuple[bytes, object] | None:
        """See the base class."""
        found = self._plane.stored(self.number, sequence)
        if found is None:
            return None
        if found.redundancy is not None:
            return found.packet, _blocks(found.redundancy)
        return found.packet, self._structure_of(found.structure, found.active)

    def keeps_all(self, first: int) -> bool:
        """See the base class."""
        return self._plane.keeps(self.number, first)

    def make_table(self) -> FanoutTable:
        """See the base class."""
        return PlaneTable(self._plane, self)

    def attend(self, needed: bool) -> None:
        """See the base class."""
        if needed != self._attended:
            self._attended = needed
            last = self._plane.set_copies(self.number, needed)
            self._attended_from = last.sequence + 1

    @property
    def attended_from(self) -> int:
        """See the base class."""
        return self._attended_from

    def position(self) -> Position:
        """Return the numbers of the newest packet, which are those of one moment."""
        return self._plane.position(self.number)

    def notify_next(self) -> None:
        """See the base class."""
        self._plane.notify_next(self.number)

    def add_retransmissions(self, ssrc: int) -> None:
        """See the base class."""
        self._plane.add_retransmissions(self.transport, ssrc, self.number)

    def take_levels(self) -> Levels | None:
        """See the base class."""
        return self._plane.take_levels(self.number)

    def sample(self, now: float) -> None:
        """See the base class."""
        self._rates.sample(now)

    def set_muted(self, muted: bool) -> None:
        """See the base class."""
        self._plane.set_muted(self.number, muted)

    def close(self, _ssrc: int) -> None:
        """See the base class."""
        self._plane.remove_stream(self)


def _of_state(name: str) -> Any:
    """Return a property that reads a field of the plane's state of the stream."""
    return property(lambda stream: getattr(stream.state, name))


def _as_seen(name: str) -> Any:
    """Return the same for a field that `Seen` has as well."""
    return property(lambda stream: getattr(stream.seen, name))


for _name in ("last_packet_at", "keyframe_sequence", "retained_octets", "keyframe_octets"):
    setattr(PlaneStream, _name, _of_state(_name))
for _name in ("highest", "highest_timestamp", "picture_id", "tl0picidx", "frame_number", "max_temporal"):
    setattr(PlaneStream, _name, _as_seen(_name))


def _blocks(data: bytes) -> Redundancy:
    """Return the redundancy that the plane made for a packet."""
    blocks = []
    at = 0
    while at < len(data):
        offset, length = (
            int.from_bytes(data[at : at + 2], "big"),
            int.from_bytes(data[at + 2 : at + 4], "big"),
        )
        blocks.append((offset, data[at + 4 : at + 4 + length]))
        at += 4 + length
    return tuple(blocks)


class PlaneLimits(PeerLimits):
    """A peer's limits, of which the plane charges those of media and RTCP."""

    __slots__ = ("_plane", "_transport")

    def __init__(self, plane: Plane, transport: int, settings: Any) -> None:
        """`settings` has the limits of media."""
        super().__init__(settings)
        self._plane, self._transport = plane, transport

    def close_second(self) -> dict[int, int]:
        """See the base class."""
        excess = self._plane.close_second(self._transport)
        self._dropped += excess.dropped
        self._taken += excess.taken
        self._forged += excess.forged
        for i in range(excess.count):
            self._excess[excess.ssrcs[i]] += excess.packets[i]
        result = super().close_second()
        self._plane.set_flooded(self._transport, self.flooded_s > 0)
        return result
