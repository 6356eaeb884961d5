"""A publisher's packet, parsed once for all subscribers."""

from collections.abc import Sequence
from dataclasses import dataclass

from sfu.wire import rtp
from sfu.wire.frames import ALONE, Frame
from sfu.wire.red import Redundancy

# The header extensions of a publisher that are useful to subscribers.
FORWARDED_EXTENSIONS = (
    rtp.URI_AUDIO_LEVEL,
    rtp.URI_VIDEO_ORIENTATION,
    rtp.URI_PLAYOUT_DELAY,
    rtp.URI_ABS_CAPTURE_TIME,
    rtp.URI_DEPENDENCY_DESCRIPTOR,
)


@dataclass(slots=True)
class SourcePacket:
    """One decrypted packet of a publisher."""

    data: memoryview
    "The whole packet without padding."
    payload_at: int
    "Offset of the payload."
    sequence: int
    "Extended sequence number in the inbound stream."
    timestamp: int
    "RTP timestamp."
    marker: bool
    codec: str
    "Lower-case encoding name."
    extensions: Sequence[tuple[str, bytes]] = ()
    "(URI, data) of header extensions to forward."
    picture_id_at: int = -1
    "Offset of VP8's picture id in the packet; -1: none."
    picture_id: int = 0
    long_picture_id: bool = True
    "15 bits; otherwise 7."
    tl0picidx_at: int = -1
    "Offset of VP8's TL0PICIDX in the packet; -1: none."
    tl0picidx: int = 0
    descriptor: bytes = b""
    "Data of the dependency descriptor; empty: none."
    frame_number: int = 0
    "From the dependency descriptor."
    frame: Frame = ALONE
    "Layer information of the packet's frame."

    redundancy: Redundancy | None = None
    "Redundant payloads for subscribers that accept RED, if the packet is plain opus; None: RED is not possible."

    def renumbered(
        self, sequence: int, picture_id: int, descriptor: bytes, *, marker: bool
    ) -> "SourcePacket":
        """Return a copy with other numbers; written out, as `dataclasses.replace` takes four times as long."""
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
