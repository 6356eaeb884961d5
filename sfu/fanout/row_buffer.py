"""The rows of a burst: written for many subscribers at once, then protected and sent together."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from sfu.fanout.arena import ARENA_ROWS, Arena
from sfu.fanout.template import Template, _number_at
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


class RowBuffer:
    """Fills the arena, and flushes it when it is full or the burst ends."""

    def __init__(self, arena: Arena, protect_and_send: Callable[[int], float]) -> None:
        """`protect_and_send(count)` protects and sends the arena's first `count` rows; returns the time of sending."""
        self.write_rows = write_rows
        "Writes a packet's rows into the arena: (outbox, first row, columns, template, packet)."
        self.arena = arena
        self.transports = Transports()
        self.used = 0
        self.numbered = False
        "Whether rows in the arena have transport-wide sequence numbers."
        self._protect_and_send = protect_and_send

    def reserve(self, wanted: int) -> tuple[int, int]:
        """Return (first row, number of rows <= wanted) reserved in the arena; flush first if it is full."""
        if self.used == ARENA_ROWS:
            self.flush()
        start = self.used
        count = min(wanted, ARENA_ROWS - start)
        self.used = start + count
        return start, count

    def add_packet(self, packet: bytes, transport: int, *, numbered: bool = False) -> None:
        """Add a whole packet (a retransmission) for one transport; `numbered`: fill in its transport-wide number."""
        row, _ = self.reserve(1)
        arena = self.arena
        arena.rows[row, : len(packet)] = np.frombuffer(packet, np.uint8)
        arena.lengths[row] = len(packet)
        arena.transports[row] = transport
        if numbered:
            at, number = _number_at(packet), int(self.transports.sequence[transport])
            self.transports.sequence[transport] = number + 1 & 0xFFFF
            arena.rows[row, at] = number >> 8
            arena.rows[row, at + 1] = number & 0xFF
            arena.numbers[row] = number
            self.numbered = True

    def number(self, rows: slice, at: int) -> None:
        """Write each row's next transport-wide number at offset `at`; every row must be for another transport."""
        arena = self.arena
        transports = arena.transports[rows]
        values = self.transports.sequence[transports]
        self.transports.sequence[transports] = values + np.uint16(1)
        arena.rows[rows, at] = values >> 8
        arena.rows[rows, at + 1] = values & 0xFF
        arena.numbers[rows] = values
        self.numbered = True

    def flush(self) -> None:
        """Protect and send all rows."""
        if self.used:
            count, self.used = self.used, 0
            sent_at = self._protect_and_send(count)
            if self.numbered:  # the native kernel records them itself
                self._note(count, sent_at)

    def _note(self, count: int, sent_at: float) -> None:
        arena = self.arena
        transports, numbers, lengths = arena.transports[:count], arena.numbers[:count], arena.lengths[:count]
        counted = numbers >= 0
        if counted.all():
            self.transports.sent.note(transports, numbers, lengths, sent_at)
        else:
            self.transports.sent.note(transports[counted], numbers[counted], lengths[counted], sent_at)
        numbers[:] = -1
        self.numbered = False


def write_rows(
    outbox: RowBuffer, row: int, columns: npt.NDArray[np.void], template: Template, packet: SourcePacket
) -> None:
    """Write one row for each of `columns`, starting at `row`."""
    arena = outbox.arena
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
        if packet.long_picture_id:  # RFC 7741 section 4.2: M bit, then 15 bits
            arena.rows[rows, at] = (ids >> 8) | 0x80
            arena.rows[rows, at + 1] = ids & 0xFF
        else:
            arena.rows[rows, at] = ids & 0x7F
    at = template.tl0picidx_at
    if at >= 0:
        arena.rows[rows, at] = columns["tl0picidx_offset"] + np.uint8(packet.tl0picidx)
    at = template.frame_number_at
    if at >= 0:
        numbers = columns["frame_number_offset"] + np.uint16(packet.frame_number)
        arena.rows[rows, at] = numbers >> 8
        arena.rows[rows, at + 1] = numbers & 0xFF
    at = template.transport_sequence_at
    if at >= 0:
        # each row is for another transport: a peer subscribes to a publication once
        outbox.number(rows, at)
