"""A view: what viewers of one point get of a source layer, numbered as if nothing else had ever been in it.

Viewers sit in a view at constant offsets, as if it were a stream of its own. Going over to another view of the same
source layer is like going to another layer, only that mostly no keyframe is needed for it (`layers.step`).
"""

from dataclasses import replace

from sfu.fanout.row_buffer import RowBuffer
from sfu.fanout.table import FanoutTable
from sfu.forwarding.decimation import Decimation
from sfu.receiving.inbound_stream import InboundStream
from sfu.wire.descriptor import Structure, with_active_targets
from sfu.wire.operating_points import OperatingPoint, index
from sfu.wire.packet import SourcePacket


class Substream:
    """One point of a source layer, and those who watch it."""

    def __init__(
        self, layer: InboundStream, point: OperatingPoint | None, *, whole_pictures: bool = False
    ) -> None:
        """`point` counts spatial layers within the stream; None: all of it, under the source's own numbers.

        `whole_pictures`: each picture contains all sizes below the point too, whether or not it needs them.
        """
        self.layer = layer
        self.point = point
        self.whole_pictures = whole_pictures
        self.table = FanoutTable()
        self.highest = layer.highest
        "Number of the newest packet, as the view numbers them."
        self.timestamp = layer.highest_timestamp
        "RTP timestamp of that packet."
        self.picture_id = layer.picture_id
        "Of that packet, VP8, as the view numbers them."
        self.tl0picidx = layer.tl0picidx
        "Of that packet, VP8."
        self.frame_number = layer.frame_number
        "Of that packet's dependency descriptor."
        self._structure: Structure | None = None
        self._active = 0  # bit mask of the decode targets of that structure that are shown here
        # a packet that is needed for one of these points is shown
        self._bits = 0
        if point is not None:
            lowest = 0 if whole_pictures else point[0]
            self._bits = sum(1 << index((spatial, point[1])) for spatial in range(lowest, point[0] + 1))
        self._numbers = Decimation()

    def place(self, packet: SourcePacket) -> SourcePacket | None:
        """A packet as it stands in this view: emptied when it is of a layer that is left out; None: too old."""
        if self.point is None:
            return packet
        found = self._numbers.number(packet.sequence)
        if found is None:
            return None
        number, pictures = found
        picture_id = (packet.picture_id - pictures) & 0x7FFF
        frame = packet.frame
        if frame.points & self._bits:
            # the highest size that is shown is the last of its picture, whatever follows in the source
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
        """The dependency descriptor, which where a frame starts says what is shown here."""
        described = packet.frame.described
        if described is None or not described.starts_frame or self.point is None:
            return packet.descriptor
        structure = described.structure
        if len(structure.targets) == 1:
            return packet.descriptor
        if structure is not self._structure:
            self._structure, self._active = structure, structure.up_to(self.point)
        return with_active_targets(packet.descriptor, described, self._active)

    def kept(self, number: int) -> SourcePacket | None:
        """A packet of the layer's history by its number in this view; None when it is not kept."""
        source = self._numbers.source(number)
        packet = None if source is None else self.layer.kept(source)
        return None if packet is None else self.place(packet)

    def forward(self, rows: RowBuffer, packet: SourcePacket, *, late: bool) -> int:
        """Write the packet's rows for everybody here; returns how many.

        A late packet of a layer that is left out has a number already, as it could not be known whose it was: its
        viewers get it emptied, else they would ask for it.
        """
        if self._bits and not late and not packet.frame.points & self._bits:
            self._numbers.leave_out(packet.sequence, packet.picture_id)
            return 0
        placed = self.place(packet)
        if placed is None:
            return 0
        if not late:
            self.highest = placed.sequence
            self.timestamp = placed.timestamp
            self.picture_id = placed.picture_id
            self.tl0picidx = placed.tl0picidx
            self.frame_number = placed.frame_number
        return self.table.forward(rows, placed, late=late)
