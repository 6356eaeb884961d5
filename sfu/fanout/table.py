"""The fan-out: one received packet becomes one row per subscriber, by vector operations over columns.

The subscribers of a substream are *columns* (numpy arrays), not objects, grouped into *template classes*: subscribers
whose answers negotiated equal payload types and header-extension ids (Chromium, Firefox, native: a few classes, however
many students). The packet is rewritten once per class into a template; the template is copied into rows of the arena,
and the fields that differ between subscribers are written at fixed offsets: sequence number, timestamp, SSRC,
transport-wide sequence number and VP8's picture ids. When the arena is full or a received burst ends, `flush` protects
each row in place with libsrtp and sends all rows with one system call.

    packet -> template (per class) -> rows of the arena -> srtp_protect in place -> sendmmsg
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from sfu.fanout.pacer import Line
from sfu.fanout.row_buffer import COLUMN, RowBuffer
from sfu.fanout.template import Template, TemplateClass, make_template
from sfu.fanout.window import Window
from sfu.wire.packet import SourcePacket


@dataclass(slots=True)
class Column:
    """The fields of one subscriber's row; copied into the columns of its class."""

    ssrc: int
    sequence_offset: int
    "Outgoing extended sequence number minus the source's."
    timestamp_offset: int
    picture_id_offset: int
    tl0picidx_offset: int
    first_sequence: int
    "Older packets of the source are not sent to this subscriber."
    transport: int
    "Index of the subscriber's transport in `Transports`."
    frame_number_offset: int = 0
    "Outgoing frame number of the dependency descriptor minus the source's."
    patience_s: float | None = None
    "How long its packets wait for a report of arrivals at most; None: they do not wait (`sfu.fanout.window`)."


@dataclass(frozen=True, slots=True)
class Position:
    """The numbers of the newest packet that a subscriber was sent, as its substream numbers packets."""

    sequence: int
    timestamp: int
    picture_id: int
    tl0picidx: int
    frame_number: int


def position_of(packet: SourcePacket) -> Position:
    """Return the numbers of a packet."""
    return Position(
        packet.sequence, packet.timestamp, packet.picture_id, packet.tl0picidx, packet.frame_number
    )


def _wrapped(column: Column) -> tuple[int, ...]:
    """Return the fields of `COLUMN`, each modulo its width on the wire."""
    return (
        column.first_sequence,
        column.ssrc,
        column.timestamp_offset & 0xFFFFFFFF,
        column.transport,
        column.sequence_offset & 0xFFFF,
        column.picture_id_offset & 0x7FFF,
        column.frame_number_offset & 0xFFFF,
        column.tl0picidx_offset & 0xFF,
    )


def pack_column(column: Column) -> npt.NDArray[np.void]:
    """Return one column as the C code reads it."""
    return np.array([_wrapped(column)], COLUMN)


class Columns:
    """The subscribers of one template class, unordered: removal moves the last one into the gap."""

    def __init__(self) -> None:
        """Start empty."""
        self.count = 0
        self.keys: list[object] = []
        self.values = np.zeros(8, COLUMN)

    def add(self, key: object, column: Column) -> None:
        """Add a subscriber under a key, which `remove` uses."""
        if self.count == len(self.values):
            self.values = np.concatenate((self.values, np.zeros(self.count, COLUMN)))
        self.values[self.count] = _wrapped(column)
        self.keys.append(key)
        self.count += 1

    def remove(self, key: object) -> bool:
        """Remove a subscriber; False if it is not in this class."""
        try:
            i = self.keys.index(key)
        except ValueError:
            return False
        self.count -= 1
        self.values[i] = self.values[self.count]
        self.keys[i] = self.keys[-1]
        self.keys.pop()
        return True

    def write(self, rows: RowBuffer, template: Template, packet: SourcePacket, *, late: bool) -> int:
        """Write a row per subscriber, and return how many.

        A `late` packet (out of order) is only for subscribers whose part of the stream had started before it.
        """
        columns = self.values[: self.count]
        if late:
            columns = columns[columns["first_sequence"] <= packet.sequence]
        rows.write(columns, template, packet)
        return len(columns)


class Source(Protocol):
    """The stream whose packets a table forwards under their own numbers, as far as bounded rows need it."""

    packet_at: float
    newest: int
    "The highest number of a packet, which may have come late."

    @property
    def waits_from(self) -> int:
        """The number of the oldest packet that may wait: it is kept, and may be forwarded."""

    def position(self) -> Position:
        """Return the numbers of the newest packet."""

    def stored(self, sequence: int) -> SourcePacket | None:
        """Return a packet of the history; None if it is not kept."""


class Bounded:
    """A subscriber who is sent what its window admits (`sfu.fanout.window`); what waits is in the stream's history."""

    __slots__ = ("_patience_s", "_rows", "_source", "_window", "column", "kind", "next", "packed", "sent")

    def __init__(
        self, kind: TemplateClass, column: Column, patience_s: float, sent: Position, source: Source
    ) -> None:
        """`sent` has the numbers of the last packet that it was sent."""
        self.kind = kind
        self.column = column
        self.packed = pack_column(column)
        self._patience_s = patience_s
        self.sent = sent
        self.next = sent.sequence + 1
        "The first sequence number that it was not sent."
        self._source = source
        self._rows: RowBuffer | None = None
        self._window: Window | None = None

    def window(self, rows: RowBuffer) -> Window:
        """Return the window; `rows` is where its packets go from now on."""
        if self._window is None:
            self._rows = rows
            self._window = rows.transports.windows.enter(self.column.transport, self, self._patience_s)
        return self._window

    def leave(self) -> None:
        """Leave the window."""
        if self._rows is not None:
            self._rows.transports.windows.leave(self.column.transport, self)
            self._rows = self._window = None

    def waits(self) -> bool:
        """Skip what is no longer to be sent, or no longer kept; return whether a packet waits."""
        self.next = max(self.next, self._source.waits_from)
        return self.next <= self._source.newest

    def serve(self, now: float, *, everything: bool = False) -> None:
        """Send from the history what the window admits, or everything."""
        rows, window = self._rows, self._window
        if rows is None or window is None:
            return  # it has not been sent anything yet
        while self.waits() and (everything or window.has_room(now)):
            packet = self._source.stored(self.next)
            self.next += 1
            if packet is not None:  # else lost, until it comes late
                self.sent = position_of(packet)
                template = make_template(self.kind, packet)
                if template is not None:
                    rows.write(self.packed, template, packet)
                    window.wrote(now)


class FanoutTable:
    """All subscribers of one substream, by template class."""

    def __init__(self, source: Source | None = None) -> None:
        """Start without subscribers; with `source`, the stream whose numbers the substream has, rows can be bounded."""
        self.classes: dict[TemplateClass, Columns] = {}
        self._paced: dict[object, tuple[TemplateClass, Column, Line]] = {}
        self._source = source
        self._written_to: RowBuffer | None = None  # where the last packet went
        self._bounded: dict[object, Bounded] = {}
        self._attended: dict[object, Bounded] = {}
        "Bounded subscribers who are in `classes` while they are about to change to another substream."
        self.packets = 0
        "Packets forwarded in total, for sender reports: a subscriber's count is the difference of two readings."
        self.octets = 0
        "Payload octets of these packets."

    def __len__(self) -> int:
        """Return the number of subscribers."""
        return len(self._paced) + len(self._bounded) + sum(columns.count for columns in self.classes.values())

    def add(
        self,
        kind: TemplateClass,
        key: object,
        column: Column,
        line: Line | None = None,
        after: Position | None = None,
    ) -> None:
        """Add a subscriber to its class, or with a pacer's line of its own, or bounded, if `column` says so.

        `after` is what it was sent of the substream already; the next packet may be in the history.
        """
        source, patience_s = self._source, column.patience_s
        if line is not None:
            self._paced[key] = (kind, column, line)
            for packet in self._since(after):
                paced = single_packet(kind, column, packet)
                if paced is not None:
                    line.enqueue(bytes(paced), keyframe=packet.frame.keyframe)
        elif patience_s is not None and source is not None:
            after = after or Position(column.first_sequence - 1, 0, 0, 0, 0)
            row = self._bounded[key] = Bounded(kind, column, patience_s, after, source)
            if self._written_to is not None:
                window = row.window(self._written_to)
                row.serve(source.packet_at)
                window.settle(source.packet_at)
        else:
            self.classes.setdefault(kind, Columns()).add(key, column)
            for packet in self._since(after):
                template = make_template(kind, packet)
                if template is not None and self._written_to is not None:
                    self._written_to.write(pack_column(column), template, packet)

    def _since(self, after: Position | None) -> Iterator[SourcePacket]:
        """Yield the packets of the history that waited for a window after this position."""
        source = self._source
        if after is not None and source is not None:
            for sequence in range(max(after.sequence + 1, source.waits_from), source.newest + 1):
                packet = source.stored(sequence)
                if packet is not None:
                    yield packet

    def remove(self, kind: TemplateClass, key: object) -> Position | None:
        """Remove a subscriber; does nothing if there is none with this key.

        Returns its position if that may differ from the substream's own.
        """
        self._paced.pop(key, None)
        self._attended.pop(key, None)
        bounded = self._bounded.pop(key, None)
        if bounded is not None:
            bounded.leave()
            return bounded.sent
        columns = self.classes.get(kind)
        if columns is not None and columns.remove(key) and not columns.count:
            del self.classes[kind]
        return None

    @property
    def is_attended(self) -> bool:
        """Return whether a subscriber is only served if the control plane sees each packet."""
        return False

    def attend_to(self, key: object, needed: bool) -> None:
        """Let a subscriber be served by the control plane for a while, if it is there; then its row is not bounded."""
        source = self._source
        if source is None:
            return
        if needed and key in self._bounded:
            row = self._attended[key] = self._bounded.pop(key)
            row.serve(source.packet_at, everything=True)
            row.leave()
            self.classes.setdefault(row.kind, Columns()).add(key, row.column)
        elif not needed and key in self._attended:
            row = self._attended[key]
            self.remove(row.kind, key)
            self.add(row.kind, key, row.column, after=source.position())

    def position(self, key: object) -> Position | None:
        """Return the position of a subscriber if it may differ from the substream's own."""
        row = self._bounded.get(key)
        return None if row is None else row.sent

    def forward(self, rows: RowBuffer, packet: SourcePacket, *, late: bool) -> int:
        """Write the packet's rows for all subscribers, and return how many."""
        written = 0
        for kind, columns in self.classes.items():
            template = make_template(kind, packet)
            if template is not None:
                written += columns.write(rows, template, packet, late=late)
        for kind, column, line in self._paced.values():
            if not late or column.first_sequence <= packet.sequence:
                paced = single_packet(kind, column, packet)
                if paced is not None:
                    line.enqueue(bytes(paced), keyframe=packet.frame.keyframe)
                    written += 1
        self._written_to = rows
        if self._bounded and self._source is not None:
            self._forward_bounded(rows, packet, self._source.packet_at, late=late)
            written += len(self._bounded)  # sent, or waiting
        self.packets += 1
        self.octets += len(packet.data) - packet.payload_at
        return written

    def _forward_bounded(self, rows: RowBuffer, packet: SourcePacket, now: float, *, late: bool) -> None:
        """Write the packet's rows for bounded subscribers whose windows admit them."""
        admitted: dict[TemplateClass, list[Bounded]] = {}
        for row in self._bounded.values():
            window = row.window(rows)
            if late and packet.sequence < row.next:
                if row.column.first_sequence <= packet.sequence:
                    admitted.setdefault(row.kind, []).append(row)
            elif not row.waits() or row.next != packet.sequence:
                row.serve(now)
            elif window.has_room(now):
                row.next, row.sent = packet.sequence + 1, position_of(packet)
                admitted.setdefault(row.kind, []).append(row)
            window.settle(now)
        for kind, members in admitted.items():
            template = make_template(kind, packet)
            if template is not None:
                rows.write(np.concatenate([row.packed for row in members]), template, packet)
                for row in members:
                    row.window(rows).wrote(now)


class TapTable(FanoutTable):
    """The table of a substream that has a tap instead of subscribers: it hands packets over and writes no row."""

    def __init__(self, take: Callable[[SourcePacket, bool], None]) -> None:
        """`take` is called with each packet and whether it is late."""
        super().__init__()
        self._take = take

    def forward(self, _rows: RowBuffer, packet: SourcePacket, *, late: bool) -> int:
        """Hand a packet over."""
        self._take(packet, late)
        return 0


def single_packet(kind: TemplateClass, column: Column, packet: SourcePacket) -> bytearray | None:
    """Return the plaintext that `forward` wrote for one subscriber, for retransmission; None if it wrote none.

    Equal inputs give equal bytes, so no SRTP index is ever encrypted twice with different contents. Only the
    transport-wide number is left zero: packets of a class that has one may be repeated over RTX alone.
    """
    template = make_template(kind, packet)
    if template is None:
        return None
    data = bytearray(template.data)
    sequence = (packet.sequence + column.sequence_offset) & 0xFFFF
    timestamp = (packet.timestamp + column.timestamp_offset) & 0xFFFFFFFF
    struct.pack_into("!HII", data, 2, sequence, timestamp, column.ssrc)
    at = template.picture_id_at
    if at >= 0:
        picture_id = packet.picture_id + column.picture_id_offset
        if packet.long_picture_id:
            struct.pack_into("!H", data, at, 0x8000 | picture_id & 0x7FFF)
        else:
            data[at] = picture_id & 0x7F
    if template.tl0picidx_at >= 0:
        data[template.tl0picidx_at] = (packet.tl0picidx + column.tl0picidx_offset) & 0xFF
    if template.frame_number_at >= 0:
        number = (packet.frame_number + column.frame_number_offset) & 0xFFFF
        struct.pack_into("!H", data, template.frame_number_at, number)
    return data
