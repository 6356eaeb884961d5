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
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sfu.fanout.pacer import Line
from sfu.fanout.row_buffer import COLUMN, RowBuffer
from sfu.fanout.template import Template, TemplateClass, make_template
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


class FanoutTable:
    """All subscribers of one substream, by template class."""

    def __init__(self) -> None:
        """Start without subscribers."""
        self.classes: dict[TemplateClass, Columns] = {}
        self._paced: dict[object, tuple[TemplateClass, Column, Line]] = {}
        self.packets = 0
        "Packets forwarded in total, for sender reports: a subscriber's count is the difference of two readings."
        self.octets = 0
        "Payload octets of these packets."

    def __len__(self) -> int:
        """Return the number of subscribers."""
        return len(self._paced) + sum(columns.count for columns in self.classes.values())

    def add(
        self,
        kind: TemplateClass,
        key: object,
        column: Column,
        line: Line | None = None,
        after: Position | None = None,  # noqa: ARG002 - of use to the native data plane
    ) -> None:
        """Add a subscriber to its class, or with a pacer's line of its own.

        `after` is what it was sent of the substream already; it matters where packets are forwarded by themselves
        (`sfu.dataplane`), and the next packet may have been.
        """
        if line is None:
            self.classes.setdefault(kind, Columns()).add(key, column)
        else:
            self._paced[key] = (kind, column, line)

    def remove(self, kind: TemplateClass, key: object) -> Position | None:
        """Remove a subscriber; does nothing if there is none with this key.

        Returns its position if that may differ from the substream's own.
        """
        self._paced.pop(key, None)
        columns = self.classes.get(kind)
        if columns is not None and columns.remove(key) and not columns.count:
            del self.classes[kind]
        return None

    @property
    def is_attended(self) -> bool:
        """Return whether a subscriber is only served if the control plane sees each packet."""
        return False

    def attend_to(self, key: object, needed: bool) -> None:
        """Let a subscriber be served by the control plane for a while, if it is there."""

    def position(self, _key: object) -> Position | None:
        """Return the position of a subscriber if it may differ from the substream's own."""
        return None

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
        self.packets += 1
        self.octets += len(packet.data) - packet.payload_at
        return written


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
