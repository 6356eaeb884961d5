"""A substream: the packets of an inbound stream that one operating point needs, with numbers of its own.

Its numbers have no gaps where packets of other layers are left out, so each subscriber is forwarded the substream at
constant offsets, as if it were an inbound stream. A switch to another substream of the same inbound stream is like a
switch to another simulcast layer, but mostly needs no keyframe (`layers.step`).
"""

from dataclasses import replace

from sfu.fanout.row_buffer import RowBuffer
from sfu.fanout.table import FanoutTable, Position
from sfu.forwarding.decimation import Decimation
from sfu.receiving.inbound_stream import InboundStream
from sfu.wire.descriptor import Structure, with_active_targets
from sfu.wire.operating_points import OperatingPoint, index
from sfu.wire.packet import SourcePacket


class Substream:
    """One operating point of an inbound stream, and the table of its subscribers."""

    def __init__(
        self,
        layer: InboundStream,
        point: OperatingPoint | None,
        *,
        whole_pictures: bool = False,
        table: FanoutTable | None = None,
    ) -> None:
        """Create a substream without subscribers.

        Args:
            layer: The inbound stream.
            point: Its spatial layers are counted within the stream. None: the whole stream, under its own numbers.
            whole_pictures: Each picture also contains all spatial layers below the point, whether it needs them or not.
            table: Where its packets go; None: a new table of subscribers.
        """
        self.layer = layer
        self.point = point
        self.whole_pictures = whole_pictures
        self.table = FanoutTable() if table is None else table
        self.highest = layer.highest
        "Sequence number of the newest packet, in the numbers of this substream, as are the next two."
        self.timestamp = layer.highest_timestamp
        "RTP timestamp of that packet."
        self.picture_id = layer.picture_id
        "VP8's picture id of that packet."
        self.tl0picidx = layer.tl0picidx
        "VP8's TL0PICIDX of that packet."
        self.frame_number = layer.frame_number
        "Frame number of that packet's dependency descriptor."
        self._structure: Structure | None = None
        self._active = 0  # bit mask of that structure's decode targets that are in this substream
        # the operating points of this substream: it contains the packets that one of them needs
        self._bits = 0
        if point is not None:
            lowest = 0 if whole_pictures else point[0]
            self._bits = sum(1 << index((spatial, point[1])) for spatial in range(lowest, point[0] + 1))
        self._numbers = Decimation()

    def position(self, subscriber: object) -> Position:
        """Return the numbers of the newest packet that a subscriber was sent, or would have been."""
        return self.table.position(subscriber) or self.newest

    @property
    def newest(self) -> Position:
        """Return the numbers of the newest packet."""
        return Position(self.highest, self.timestamp, self.picture_id, self.tl0picidx, self.frame_number)

    def place(self, packet: SourcePacket) -> SourcePacket | None:
        """Return the packet with this substream's numbers; None if it is too old to have one.

        A packet of a layer that is left out comes without its payload.
        """
        if self.point is None:
            return packet
        found = self._numbers.number(packet.sequence)
        if found is None:
            return None
        number, pictures = found
        picture_id = (packet.picture_id - pictures) & 0x7FFF
        frame = packet.frame
        if frame.points & self._bits:
            # the highest spatial layer in this substream ends the picture, whatever follows in the inbound stream
            marker = packet.marker or (frame.ends and frame.layer[0] == self.point[0])
            return packet.renumbered(number, picture_id, self._descriptor(packet), marker=marker)
        return replace(
            packet,
            data=packet.data[: packet.payload_at],
            sequence=number,
            marker=False,
            extensions=(),
            descriptor=b"",
            picture_id=picture_id,
            picture_id_at=-1,
            tl0picidx_at=-1,
        )

    def _descriptor(self, packet: SourcePacket) -> bytes:
        """Return the packet's dependency descriptor; at a frame's start, with the decode targets of this substream."""
        described = packet.frame.described
        if described is None or not described.starts_frame or self.point is None:
            return packet.descriptor
        structure = described.structure
        if len(structure.targets) == 1:
            return packet.descriptor
        if structure is not self._structure:
            self._structure, self._active = structure, structure.up_to(self.point)
        return with_active_targets(packet.descriptor, described, self._active)

    def stored(self, number: int) -> SourcePacket | None:
        """Return a recent packet by its number in this substream; None if the inbound stream no longer keeps it."""
        source = self._numbers.source(number)
        packet = None if source is None else self.layer.stored(source)
        return None if packet is None else self.place(packet)

    def forward(self, rows: RowBuffer, packet: SourcePacket, *, late: bool) -> int:
        """Write one row for each subscriber; return the number of rows.

        A late packet of a layer that is left out already has a number, since nobody knew its layer when it was missing.
        Subscribers receive it without its payload; otherwise they would request it by NACK.
        """
        if self._bits and not late and not packet.frame.points & self._bits:
            self._numbers.leave_out(packet.sequence, packet.picture_id)
            return 0
        placed = self.place(packet)
        if placed is None:
            return 0
        # A late packet can have the highest number, if those that came before it were left out: nothing else may be
        # sent under that number, after a switch to another substream either.
        self.highest = max(self.highest, placed.sequence)
        if not late:
            self.timestamp = placed.timestamp
            self.picture_id = placed.picture_id
            self.tl0picidx = placed.tl0picidx
            self.frame_number = placed.frame_number
        return self.table.forward(rows, placed, late=late)
