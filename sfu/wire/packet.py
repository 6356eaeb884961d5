"""A publisher's packet, parsed once for all subscribers."""

from collections.abc import Sequence
from dataclasses import dataclass

from sfu.wire import rtp
from sfu.wire.frames import ALONE, Frame
from sfu.wire.red import Redundancy

# What a subscriber can use of a publisher's header extensions.
FORWARDED_EXTENSIONS = (
    rtp.URI_AUDIO_LEVEL,
    rtp.URI_VIDEO_ORIENTATION,
    rtp.URI_PLAYOUT_DELAY,
    rtp.URI_ABS_CAPTURE_TIME,
    rtp.URI_DEPENDENCY_DESCRIPTOR,
)


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
