"""The rows of a burst: written for many subscribers at once, then protected and sent together."""

from collections.abc import Callable
from typing import Protocol

import numpy as np
import numpy.typing as npt

from sfu.fanout.arena import ARENA_ROWS, Arena
from sfu.fanout.template import Template, transport_sequence_at
from sfu.fanout.transports import Transports
from sfu.wire.packet import SourcePacket

# The differences between one subscriber's row and its template, modulo the width of each field on the wire.
COLUMN = np.dtype(
    [
        ("first_sequence", np.int64),
        ("ssrc", np.uint32),
        ("timestamp_offset", np.uint32),
        ("transport", np.int32),
        ("sequence_offset", np.uint16),
        ("picture_id_offset", np.uint16),
        ("frame_number_offset", np.uint16),
        ("tl0picidx_offset", np.uint8),
    ],
    align=True,  # the layout of `struct column` in the native kernel
)


_LONG_PICTURE_ID = np.uint16(0x8000)  # RFC 7741 section 4.2: M bit


class RowWriter(Protocol):
    """Writes rows into the arena, and sends them."""

    def write(
        self, row: int, columns: npt.NDArray[np.void], template: Template, packet: SourcePacket
    ) -> None:
        """Write the rows from `row` on, one for each of `columns`; no transport is in them twice."""

    def send(self, count: int, *, numbered: bool) -> None:
        """Number, protect and send the first `count` rows; `numbered`: some of them get a transport-wide number."""


class PortableWriter:
    """The row writer in numpy; the native kernel (`sfu.shell.kernel`) writes the same bytes."""

    def __init__(
        self, arena: Arena, transports: Transports, protect_and_send: Callable[[int], float]
    ) -> None:
        """`protect_and_send(count)` protects and sends the arena's first `count` rows; returns the time of sending."""
        self._arena = arena
        self._transports = transports
        self._protect_and_send = protect_and_send

    def write(
        self, row: int, columns: npt.NDArray[np.void], template: Template, packet: SourcePacket
    ) -> None:
        """See `RowWriter`."""
        arena = self._arena
        rows = slice(row, row + len(columns))
        arena.rows[rows, : template.length] = np.frombuffer(template.data, np.uint8)
        header = arena.headers[rows]
        # offsets wrap at the width of their field, as RFC 3550's numbers do
        header["sequence"] = columns["sequence_offset"] + np.uint16(packet.sequence & 0xFFFF)
        header["timestamp"] = columns["timestamp_offset"] + np.uint32(packet.timestamp)
        header["ssrc"] = columns["ssrc"]
        arena.lengths[rows] = template.length
        arena.transports[rows] = columns["transport"]
        at = template.picture_id_at
        if at >= 0:
            ids = columns["picture_id_offset"] + np.uint16(packet.picture_id)
            if packet.long_picture_id:
                self._put(rows, at, ids | _LONG_PICTURE_ID)
            else:
                arena.rows[rows, at] = ids & 0x7F
        if template.tl0picidx_at >= 0:
            arena.rows[rows, template.tl0picidx_at] = columns["tl0picidx_offset"] + np.uint8(packet.tl0picidx)
        if template.frame_number_at >= 0:
            numbers = columns["frame_number_offset"] + np.uint16(packet.frame_number)
            self._put(rows, template.frame_number_at, numbers)
        arena.number_at[rows] = template.transport_sequence_at

    def _put(self, rows: slice, at: int, values: npt.NDArray[np.uint16]) -> None:
        """Write a big-endian 16-bit field."""
        self._arena.rows[rows, at] = values >> 8
        self._arena.rows[rows, at + 1] = values & 0xFF

    def send(self, count: int, *, numbered: bool) -> None:
        """See `RowWriter`."""
        if not numbered:
            self._protect_and_send(count)
            return
        arena = self._arena
        rows = np.flatnonzero(arena.number_at[:count] >= 0)
        owners = arena.transports[rows]
        numbers, at = self._transports.take_numbers(owners), arena.number_at[rows]
        arena.rows[rows, at] = numbers >> 8
        arena.rows[rows, at + 1] = numbers & 0xFF
        arena.number_at[:count] = -1
        sent_at = self._protect_and_send(count)
        self._transports.sent.record(owners, numbers.astype(np.int32), arena.lengths[rows], sent_at)


class RowBuffer:
    """The rows of a burst: filled by the fan-out, sent when the arena is full or the burst ends."""

    def __init__(self, arena: Arena) -> None:
        """Nothing can be written before `open`."""
        self.arena = arena
        self.transports = Transports()
        self.used = 0
        "Rows that wait for `flush`."
        self._numbered = False  # some of them have transport-wide numbers

    def open(self, writer: RowWriter) -> None:
        """Let `writer` write and send the rows of `arena` from now on."""
        self._writer = writer

    def write(self, columns: npt.NDArray[np.void], template: Template, packet: SourcePacket) -> None:
        """Write one packet for the subscribers of these columns; no subscriber may be in them twice."""
        at, total = 0, len(columns)
        numbered = template.transport_sequence_at >= 0
        while at < total:
            row, count = self._reserve(total - at)
            self._writer.write(row, columns[at : at + count], template, packet)
            self.used = row + count
            self._numbered |= numbered
            at += count

    def add_packet(self, packet: bytes, transport: int, *, numbered: bool = False) -> None:
        """Add a whole packet (a retransmission) for one transport; `numbered`: with a transport-wide number."""
        row, _ = self._reserve(1)
        arena = self.arena
        arena.rows[row, : len(packet)] = np.frombuffer(packet, np.uint8)
        arena.lengths[row] = len(packet)
        arena.transports[row] = transport
        arena.number_at[row] = transport_sequence_at(packet) if numbered else -1
        self._numbered |= numbered
        self.used = row + 1

    def _reserve(self, wanted: int) -> tuple[int, int]:
        """Return (first row, number of rows <= wanted) free in the arena; flush first if it is full."""
        if self.used == ARENA_ROWS:
            self.flush()
        return self.used, min(wanted, ARENA_ROWS - self.used)

    def flush(self) -> None:
        """Protect and send all rows."""
        if self.used:
            count, numbered = self.used, self._numbered
            self.used, self._numbered = 0, False
            self._writer.send(count, numbered=numbered)
