"""The fan-out: one received packet becomes one row per subscriber, by vector operations over columns.

The subscribers of a source layer are *columns* (numpy arrays), not objects, grouped into *template classes*: those
whose answers gave equal payload types and header-extension ids (Chromium, Firefox, native: a few classes, however
many students). For each class the packet is rewritten once into a template; the template is broadcast into the rows
of the arena, and what differs between subscribers is written at fixed offsets: sequence number, timestamp, SSRC,
transport-wide sequence number and VP8's picture ids. A full arena, or the end of a received burst, is one `flush`:
libsrtp protects each row in place, and one system call sends them all.

    packet -> template (per class) -> rows of the arena -> srtp_protect in place -> sendmmsg
"""

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sfu import rtp
from sfu.frames import ALONE, Frame
from sfu.pacer import Pacer
from sfu.red import Redundancy, primary, with_redundancy
from sfu.transports import SOCKADDR_BYTES, Transports

ARENA_ROWS = 512
# The largest packet a row takes, with room for libsrtp's trailer (16 bytes of tag; it wants 144 with an MKI).
ARENA_STRIDE = 1600
MAX_PACKET_BYTES = ARENA_STRIDE - 144

# A packet of padding has no more in libwebrtc either.
PADDING_BYTES = 224

# What a subscriber can use of a publisher's header extensions.
FORWARDED_EXTENSIONS = (
    rtp.URI_AUDIO_LEVEL,
    rtp.URI_VIDEO_ORIENTATION,
    rtp.URI_PLAYOUT_DELAY,
    rtp.URI_ABS_CAPTURE_TIME,
    rtp.URI_DEPENDENCY_DESCRIPTOR,
)

_HEADER = np.dtype(
    {
        "names": ["sequence", "timestamp", "ssrc"],
        "formats": [">u2", ">u4", ">u4"],
        "offsets": [2, 4, 8],
        "itemsize": ARENA_STRIDE,
    }
)

# How one subscriber's row differs from its template, all modulo the width of the field on the wire.
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
    align=True,  # as a C compiler lays it out: struct column of the native kernel
)


class Arena:
    """Rows waiting to be protected and sent; shared by the fan-out, libsrtp and the socket.

    rows: uint8 (ARENA_ROWS, ARENA_STRIDE); lengths, transports: int32 (ARENA_ROWS,); addresses: uint8 (ARENA_ROWS, 28);
    numbers: int32 (ARENA_ROWS,), the transport-wide sequence numbers, -1 for a row without one.
    """

    def __init__(self) -> None:
        """Allocate the rows once."""
        self.rows = np.zeros((ARENA_ROWS, ARENA_STRIDE), np.uint8)
        self.lengths = np.zeros(ARENA_ROWS, np.int32)
        self.transports = np.zeros(ARENA_ROWS, np.int32)
        self.addresses = np.zeros((ARENA_ROWS, SOCKADDR_BYTES), np.uint8)
        self.numbers = np.full(ARENA_ROWS, -1, np.int32)
        self.headers = np.ndarray((ARENA_ROWS,), dtype=_HEADER, buffer=self.rows.data)


@dataclass(frozen=True, slots=True)
class TemplateClass:
    """What subscribers of one kind have in common. Hashable: equal answers share their templates."""

    payload_types: tuple[tuple[str, int], ...]
    "(codec, payload type), by codec."
    extensions: tuple[tuple[str, int], ...]
    "(URI, id) that this kind of subscriber negotiated."

    @property
    def described(self) -> bool:
        """Whether its packets carry dependency descriptors."""
        return any(uri == rtp.URI_DEPENDENCY_DESCRIPTOR for uri, _ in self.extensions)

    @property
    def numbered(self) -> bool:
        """Whether its packets carry transport-wide numbers."""
        return any(uri == rtp.URI_TRANSPORT_CC for uri, _ in self.extensions)


@dataclass(slots=True)
class SourcePacket:
    """One plaintext packet of a publisher, parsed once for all subscribers."""

    data: memoryview
    "The whole packet without padding."
    payload_at: int
    "Offset of the payload."
    sequence: int
    "Extended sequence number of the source layer."
    timestamp: int
    "RTP timestamp."
    marker: bool
    codec: str
    "Lower-case encoding name."
    extensions: Sequence[tuple[str, bytes]] = ()
    "Forwardable header extensions, by URI."
    picture_id_at: int = -1
    "Offset in the packet of VP8's picture id; -1: none."
    picture_id: int = 0
    long_picture_id: bool = True
    "15 bits, else 7."
    tl0picidx_at: int = -1
    "Offset in the packet of VP8's TL0PICIDX; -1: none."
    tl0picidx: int = 0
    descriptor: bytes = b""
    "Data of the dependency descriptor; empty: none."
    frame_number: int = 0
    "Of the dependency descriptor."
    frame: Frame = ALONE
    "What the packet says of its frame."

    redundancy: Redundancy | None = None
    "What goes along with a packet of plain opus to those who take redundancy; None: nothing may."

    def renumbered(
        self, sequence: int, picture_id: int, descriptor: bytes, *, marker: bool
    ) -> "SourcePacket":
        """The same packet with other numbers; field by field, as `dataclasses.replace` takes four times as long."""
        return SourcePacket(
            self.data,
            self.payload_at,
            sequence,
            self.timestamp,
            marker,
            self.codec,
            self.extensions,
            self.picture_id_at,
            picture_id,
            self.long_picture_id,
            self.tl0picidx_at,
            self.tl0picidx,
            descriptor,
            self.frame_number,
            self.frame,
            self.redundancy,
        )


@dataclass(slots=True)
class Column:
    """What one subscriber's row differs in; copied into the columns of its class."""

    ssrc: int
    sequence_offset: int
    "Outgoing extended sequence number less the source's."
    timestamp_offset: int
    picture_id_offset: int
    tl0picidx_offset: int
    first_sequence: int
    "Older packets of the source are not for this subscriber."
    transport: int
    "Index of the subscriber's connection in `Transports`."
    frame_number_offset: int = 0
    "Outgoing frame number of the dependency descriptor less the source's."


class Template:
    """One class's rewrite of one packet: its bytes, and where the per-subscriber fields lie."""

    __slots__ = (
        "data",
        "frame_number_at",
        "length",
        "picture_id_at",
        "tl0picidx_at",
        "transport_sequence_at",
    )

    def __init__(
        self, packet: SourcePacket, payload_type: int, extensions: bytes, payload: memoryview
    ) -> None:
        """Put the pieces together; `extensions` is a whole extension block or empty."""
        first = 0x90 if extensions else 0x80
        if (
            len(packet.data) == packet.payload_at
        ):  # RFC 3550 section 5.1: the last octet of padding counts itself
            first, payload = first | 0x20, memoryview(b"\1")
        head = bytes((first, (0x80 if packet.marker else 0) | payload_type))
        data = b"".join((head, bytes(10), extensions, payload))
        shift = 12 + len(extensions) - packet.payload_at
        self.data = data
        self.length = len(data)
        self.picture_id_at = packet.picture_id_at + shift if packet.picture_id_at >= 0 else -1
        self.tl0picidx_at = packet.tl0picidx_at + shift if packet.tl0picidx_at >= 0 else -1
        self.transport_sequence_at = self.frame_number_at = -1


def make_template(kind: TemplateClass, packet: SourcePacket) -> Template | None:
    """Rewrite a packet for a kind of subscriber; None when that kind cannot take its codec.

    A packet without payload becomes one of padding, that fills a number.
    """
    payload_types = dict(kind.payload_types)
    payload = packet.data[packet.payload_at :]
    payload_type = payload_types.get(packet.codec)
    if payload_type is None:
        # RFC 2198: who cannot take redundancy gets the primary encoding alone
        if packet.codec != "red" or "opus" not in payload_types:
            return None
        block = primary(payload)
        if block is None:
            return None
        payload, payload_type = block, payload_types["opus"]
    elif packet.redundancy is not None and "red" in payload_types:
        payload = memoryview(with_redundancy(payload, packet.redundancy, payload_type))
        payload_type = payload_types["red"]
    ids = dict(kind.extensions)
    values = [(ids[uri], value) for uri, value in packet.extensions if uri in ids]
    transport_id = ids.get(rtp.URI_TRANSPORT_CC)
    descriptor_id = ids.get(rtp.URI_DEPENDENCY_DESCRIPTOR) if packet.descriptor else None
    # first in the block, so that their places are known: header, block header, element header
    if descriptor_id is not None:
        values.insert(0, (descriptor_id, packet.descriptor))
    if transport_id is not None:
        values.insert(0, (transport_id, b"\0\0"))
    extensions = rtp.build_extensions(values) if values else b""
    template = Template(packet, payload_type, extensions, payload)
    if template.length > MAX_PACKET_BYTES:
        return None
    if transport_id is not None:
        template.transport_sequence_at = _number_at(template.data)
    if descriptor_id is not None:
        element = _number_at(template.data)
        if transport_id is not None:
            element += 2 + element - 16  # behind two bytes of data and one more element header
        template.frame_number_at = element + 1
    return template


def padding_packet(kind: TemplateClass, payload_type: int, ssrc: int, sequence: int) -> bytes:
    """A packet of padding alone for a kind with transport-wide numbers; RFC 3550 section 5.1: 255 octets at most."""
    extensions = rtp.build_extensions([(dict(kind.extensions)[rtp.URI_TRANSPORT_CC], b"\0\0")])
    head = struct.pack("!BBHII", 0xB0, payload_type, sequence, 0, ssrc)
    return head + extensions + bytes(PADDING_BYTES - 1) + bytes((PADDING_BYTES,))


def _number_at(packet: Any) -> int:
    """Where the transport-wide number of a numbered packet lies."""
    # RFC 8285 sections 4.2 and 4.3: headers of elements have one byte, or two
    return 12 + 4 + (1 if packet[12] == 0xBE else 2)


class Outbox:
    """Fills the arena, and empties it when it is full or when the burst ends."""

    def __init__(self, arena: Arena, protect_and_send: Callable[[int], float]) -> None:
        """`protect_and_send(count)` takes the arena's first `count` rows, and returns when it sent them."""
        self.write_rows = write_rows
        "Puts a packet's rows into the arena: (outbox, first row, columns, template, packet)."
        self.arena = arena
        self.transports = Transports()
        self.used = 0
        self.numbered = False
        "Whether rows in the arena have transport-wide numbers."
        self._protect_and_send = protect_and_send

    def reserve(self, wanted: int) -> tuple[int, int]:
        """(first row, number of rows <= wanted) free in the arena; flushes when it is full."""
        if self.used == ARENA_ROWS:
            self.flush()
        start = self.used
        count = min(wanted, ARENA_ROWS - start)
        self.used = start + count
        return start, count

    def add_packet(self, packet: bytes, transport: int, *, numbered: bool = False) -> None:
        """One whole packet to one transport (a retransmission); `numbered`: it has room for a transport-wide number."""
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
        """Give each row the next number of its transport, at offset `at`; no transport is in there twice."""
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
            if self.numbered:  # the native kernel notes them itself
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
    outbox: Outbox, row: int, columns: npt.NDArray[np.void], template: Template, packet: SourcePacket
) -> None:
    """Write the rows from `row` on, one for each of `columns`."""
    arena = outbox.arena
    rows = slice(row, row + len(columns))
    arena.rows[rows, : template.length] = np.frombuffer(template.data, np.uint8)
    header = arena.headers[rows]
    # offsets wrap in the width of their field, as RFC 3550's numbers do
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
        # no transport is in here twice: a peer subscribes to a publication once
        outbox.number(rows, at)


class Columns:
    """The subscribers of one template class; order does not matter, removal swaps the last one in."""

    def __init__(self) -> None:
        """Start with room for a few."""
        self.count = 0
        self.keys: list[object] = []
        self.values = np.zeros(8, COLUMN)

    def add(self, key: object, column: Column) -> None:
        """Append a subscriber under a key that `remove` names again."""
        if self.count == len(self.values):
            self.values = np.concatenate((self.values, np.zeros(self.count, COLUMN)))
        self.values[self.count] = (
            column.first_sequence,
            column.ssrc,
            column.timestamp_offset & 0xFFFFFFFF,
            column.transport,
            column.sequence_offset & 0xFFFF,
            column.picture_id_offset & 0x7FFF,
            column.frame_number_offset & 0xFFFF,
            column.tl0picidx_offset & 0xFF,
        )
        self.keys.append(key)
        self.count += 1

    def remove(self, key: object) -> bool:
        """Take a subscriber out; False when it is not here."""
        try:
            i = self.keys.index(key)
        except ValueError:
            return False
        self.count -= 1
        self.values[i] = self.values[self.count]
        self.keys[i] = self.keys[-1]
        self.keys.pop()
        return True

    def write(self, outbox: Outbox, template: Template, packet: SourcePacket, *, late: bool) -> int:
        """Write a row per subscriber; returns how many.

        One `late`, out of order, is for those alone whose part of the stream had begun.
        """
        columns = self.values[: self.count]
        if late:
            columns = columns[columns["first_sequence"] <= packet.sequence]
        at = 0
        while at < len(columns):
            row, n = outbox.reserve(len(columns) - at)
            outbox.write_rows(outbox, row, columns[at : at + n], template, packet)
            at += n
        return len(columns)


class FanoutTable:
    """All subscribers of one source layer, by template class."""

    def __init__(self) -> None:
        """An empty table."""
        self.classes: dict[TemplateClass, Columns] = {}
        self._paced: dict[object, tuple[TemplateClass, Column, Pacer]] = {}
        self.packets = 0
        "Packets forwarded in total, for sender reports: a subscriber's count is a difference of two readings."
        self.octets = 0
        "Payload octets of the same packets."

    def __len__(self) -> int:
        """Number of subscribers."""
        return len(self._paced) + sum(columns.count for columns in self.classes.values())

    def add(self, kind: TemplateClass, key: object, column: Column, pacer: Pacer | None = None) -> None:
        """Put a subscriber into its class, or beside them all with a pacer of its own."""
        if pacer is None:
            self.classes.setdefault(kind, Columns()).add(key, column)
        else:
            self._paced[key] = (kind, column, pacer)

    def remove(self, kind: TemplateClass, key: object) -> None:
        """Take a subscriber out; nothing happens when it is not here."""
        self._paced.pop(key, None)
        columns = self.classes.get(kind)
        if columns is not None and columns.remove(key) and not columns.count:
            del self.classes[kind]

    def forward(self, outbox: Outbox, packet: SourcePacket, *, late: bool) -> int:
        """Write the packet's rows for everybody; returns how many rows."""
        written = 0
        for kind, columns in self.classes.items():
            template = make_template(kind, packet)
            if template is not None:
                written += columns.write(outbox, template, packet, late=late)
        for kind, column, pacer in self._paced.values():
            if not late or column.first_sequence <= packet.sequence:
                paced = single_packet(kind, column, packet)
                if paced is not None:
                    pacer.put(bytes(paced))
                    written += 1
        self.packets += 1
        self.octets += len(packet.data) - packet.payload_at
        return written


def single_packet(kind: TemplateClass, column: Column, packet: SourcePacket) -> bytearray | None:
    """The plaintext that `forward` wrote for one subscriber, for retransmission; None when it got none.

    Equal inputs give equal bytes, so that no index is ever encrypted twice with different contents. Only the
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
