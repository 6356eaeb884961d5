"""One inbound RTP stream: its packets, figures and layers.

What arrives is kept and counted either here (`PortableStream`) or by the native data plane (`sfu.dataplane`); both have
the attributes and methods of `InboundStream`.
"""

import struct
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from sfu.budget import Budget
from sfu.fanout.table import FanoutTable, Position
from sfu.limits import SENDER_REPORTS
from sfu.receiving.compactor import Compactor
from sfu.receiving.history import AUDIO_HISTORY, VIDEO_HISTORY, History
from sfu.receiving.keyframes import KeyframeRequests
from sfu.receiving.liveness import is_live
from sfu.receiving.nack import NackGenerator
from sfu.receiving.rates import RateMeter
from sfu.receiving.speakers import Levels
from sfu.receiving.statistics import ReceiverStatistics
from sfu.session.sections import InboundSection
from sfu.values import PublicationSpec
from sfu.wire import codecs, frames, operating_points, rtp
from sfu.wire.arithmetic import Unwrapper
from sfu.wire.descriptor import Structure
from sfu.wire.frames import FramesShown
from sfu.wire.operating_points import OperatingPoint
from sfu.wire.packet import SourcePacket
from sfu.wire.red import RecentPayloads, Redundancy, primary
from sfu.wire.rtp import Header

if TYPE_CHECKING:
    from sfu.receiving.encodings import WantedLayers

# What a late joiner is shown from the history instead of a new keyframe: a slide and its small changes, or a camera's
# last second. More would take a weak link longer than a keyframe does.
MAX_REPLAY_PACKETS = 400
MAX_REPLAY_OCTETS = 300_000
MAX_REPLAY_S = 1.0
# A layer of a little less than the wanted frame rate will do: measured rates waver.
_FRAME_RATE_TOLERANCE = 0.9


class InboundStream:
    """One received RTP stream (SSRC): an encoding of a publication, or all spatial layers of an SVC stream."""

    highest: int
    "Highest extended sequence number, padding left out; -1 before the first packet."
    highest_timestamp: int
    "RTP timestamp of the newest packet."
    picture_id: int
    "Of the newest packet, VP8."
    tl0picidx: int
    "Of the newest packet, VP8."
    frame_number: int
    "Of the newest packet's dependency descriptor."
    last_packet_at: float
    packet_at: float
    "When the packet arrived that is being processed."
    max_temporal: int
    "Highest temporal layer seen."
    seen_at: Mapping[int, float]
    "Spatial layer within the stream -> when its last packet came."
    point_sets: Collection[int]
    "Sets of points that needed the packets since the last keyframe."
    keyframe_sequence: int
    "Sequence number of the last keyframe's first packet; -1 before one came."
    retained_octets: int
    "Octets of that keyframe and of all that followed."
    keyframe_octets: int
    "Octets of the last whole keyframe; 0 before one came."
    structure: Structure | None
    "Of the newest keyframe's dependency descriptor."
    frames: FramesShown
    statistics: ReceiverStatistics
    rates: RateMeter

    def __init__(
        self, spec: PublicationSpec, section: InboundSection, ssrc: int, spatial: int, now: float
    ) -> None:
        """Prepare a stream of the publication that `spec` describes.

        Args:
            spec: What the publisher announced.
            section: The media section that the stream belongs to.
            ssrc: Of the media, not of its retransmissions.
            spatial: Spatial layer of the publication, from 0, the lowest.
            now: Starts the liveness of the layer.
        """
        self.spec = spec
        self.section = section
        self.ssrc = ssrc
        self.spatial = spatial
        self.wanted_layers: WantedLayers | None = None
        "Which layers the publisher is asked to encode; None: all."
        self.clock_rate = section.parameters.codecs[0].clock_rate if section.parameters.codecs else 90_000
        self.keyframes = KeyframeRequests(spatial)
        self.clock: tuple[int, int] | None = None
        "(64-bit NTP time, RTP timestamp) of the last sender report."
        self.clock_at = now
        "When that report arrived."
        self.sender_reports = Budget(SENDER_REPORTS)
        "Those that are taken."

    def __repr__(self) -> str:
        """For the log."""
        return f"layer {self.spatial} of {self.spec.id}"

    def describe(self) -> str:
        """Return one line about the stream and who is sent it, for people."""
        return (
            f"{self!r}, SSRC {self.ssrc}: packet {self.highest}, keyframe {self.keyframe_sequence}, in Python"
        )

    # --- what arrived --------------------------------------------------------------------------------------------

    def kept(self, sequence: int) -> tuple[bytes, object] | None:
        """Return a packet and the context to parse it again; None if it is not kept."""
        raise NotImplementedError

    def keeps_all(self, first: int) -> bool:
        """Return whether all packets from this number on are kept."""
        raise NotImplementedError

    # --- who follows it; what differs between the data planes ------------------------------------------------------

    def make_table(self) -> FanoutTable:
        """Return a new table for those who are sent the whole stream."""
        return FanoutTable()

    def attend(self, _needed: bool) -> None:
        """Let the control plane see each packet, or no longer."""

    @property
    def attended_from(self) -> int:
        """The number from which on the control plane sees each packet, as long as it is needed."""
        return -1

    def notify_next(self) -> None:
        """Let the control plane see the next packet."""

    def add_retransmissions(self, ssrc: int) -> None:
        """Take the packets of an SSRC for retransmissions of this stream."""

    def take_levels(self) -> Levels | None:
        """Return the audio levels that were counted since the last call; None if there were none."""
        return None

    def sample(self, now: float) -> None:
        """Bring `rates` up to date."""

    def set_muted(self, muted: bool) -> None:
        """Let nobody be sent what arrives from now on, or everybody again."""

    def close(self, ssrc: int) -> None:
        """Free what the stream occupies elsewhere for one of its SSRCs."""

    # --- layers --------------------------------------------------------------------------------------------------

    def live_spatials(self, now: float) -> list[int]:
        """Return the spatial layers of the publication that this stream contains."""
        screen, wanted = self.spec.screen_share, self.wanted_layers
        return [
            spatial
            for i, at in self.seen_at.items()
            if is_live(at, now, screen_share=screen, spatial=(spatial := self.spatial + i))
            and (wanted is None or not wanted.is_off(spatial, now - at))
        ]

    def temporal_for(self, frame_rate: int) -> int:
        """Return the lowest temporal layer with this frame rate; a rate of 0 means all temporal layers."""
        if frame_rate > 0:
            for temporal in range(self.max_temporal):
                if self.rates.frame_rate(temporal) >= _FRAME_RATE_TOLERANCE * frame_rate:
                    return temporal
        return operating_points.MAX_TEMPORAL

    def point(self, spatial: int, temporal: int) -> OperatingPoint:
        """Return an operating point of the publication as one of this stream, up to its highest temporal layer."""
        return self.within(
            (
                spatial - self.spatial,
                operating_points.MAX_TEMPORAL if temporal >= self.max_temporal else temporal,
            )
        )

    @property
    def top(self) -> OperatingPoint:
        """Return the highest operating point of this stream."""
        return max(self.seen_at), operating_points.MAX_TEMPORAL

    def within(self, point: OperatingPoint) -> OperatingPoint:
        """Return the operating point of this stream that is closest to `point`."""
        return min(point[0], max(self.seen_at)), point[1]

    # --- packets -------------------------------------------------------------------------------------------------

    def replayable(self, now: float, available_bps: float) -> bool:
        """Return whether a late joiner can be sent the packets since the last keyframe: all kept, few, and current."""
        first, octets = self.keyframe_sequence, self.retained_octets
        if not self.live_spatials(now):
            return False  # the publisher has stopped this layer, and begins it anew with a keyframe
        if 8 * octets > MAX_REPLAY_S * available_bps:
            return False
        if first < 0 or octets > MAX_REPLAY_OCTETS or self.highest - first >= MAX_REPLAY_PACKETS:
            return False
        return self.keeps_all(first)

    def stored(self, sequence: int) -> SourcePacket | None:
        """Return a packet of the history, parsed again; None if it is not kept."""
        found = self.kept(sequence)
        if found is None:
            return None
        packet, context = found
        codec = self.section.codec_by_payload_type.get(packet[1] & 0x7F, "")
        structure = context if isinstance(context, Structure) else None
        parsed = self.parse(packet, rtp.parse_header(packet), codec, sequence, structure)
        parsed.redundancy = context if isinstance(context, tuple) else None
        return parsed

    def parse(
        self, packet: bytes, parsed_header: Header, codec: str, sequence: int, structure: Structure | None
    ) -> SourcePacket:
        """Parse a decrypted packet once for all subscribers. RtpError.

        Args:
            packet: The whole packet.
            parsed_header: What `rtp.parse_header` returned.
            codec: Of its payload type.
            sequence: Its extended number.
            structure: By which its dependency descriptor is read.
        """
        header, elements = parsed_header
        end = rtp.payload_end(packet, header)
        extensions: list[tuple[str, bytes]] = []
        descriptor = b""
        forwarded = self.section.forwarded
        for number, (at, size) in elements.items():
            uri = forwarded.get(number)
            if uri == rtp.URI_DEPENDENCY_DESCRIPTOR:
                descriptor = packet[at : at + size]
            elif uri is not None:
                extensions.append((uri, packet[at : at + size]))
        timestamp: int = struct.unpack_from("!I", packet, 4)[0]
        view = memoryview(packet)[:end]
        parsed = SourcePacket(view, header, sequence, timestamp, packet[1] >= 0x80, codec, extensions)
        if len(descriptor) >= 3:
            parsed.descriptor = descriptor
            parsed.frame_number = descriptor[1] << 8 | descriptor[2]
        if codec == "vp8":
            fields = codecs.vp8_fields(view[header:])
            if not parsed.descriptor:
                parsed.frame = frames.of_vp8(fields, self.max_temporal)
            if fields.picture_id_at >= 0:
                parsed.picture_id_at = header + fields.picture_id_at
                parsed.picture_id = fields.picture_id
                parsed.long_picture_id = fields.long_picture_id
            if fields.tl0picidx_at >= 0:
                parsed.tl0picidx_at = header + fields.tl0picidx_at
                parsed.tl0picidx = fields.tl0picidx
        if parsed.descriptor or (codec != "vp8" and self.spec.kind == "video"):
            parsed.frame = frames.read(codec, view[header:], parsed.descriptor, structure)
        return parsed


class PortableStream(InboundStream):
    """A stream whose packets are received, kept and counted in Python, one at a time."""

    def __init__(
        self, spec: PublicationSpec, section: InboundSection, ssrc: int, spatial: int, now: float
    ) -> None:
        """See the base class."""
        super().__init__(spec, section, ssrc, spatial, now)
        self.unwrapper = Unwrapper()
        self.compactor = Compactor()
        self.highest = -1
        self.newest = -1
        "As `highest`, or the number of a later packet that came late, after padding that was left out."
        self.nacks = NackGenerator()
        self.statistics = ReceiverStatistics(ssrc, self.clock_rate)
        self.rates = RateMeter(now)
        self.recent = RecentPayloads()
        self._kept = AUDIO_HISTORY if spec.kind == "audio" else VIDEO_HISTORY
        self.history = History(self._kept)
        self.max_temporal = 0
        self.structure = None
        self.frames = FramesShown()
        self.frame_number = 0
        self.keyframe_sequence = -1
        self.retained_octets = self.keyframe_octets = 0
        self._keyframe_timestamp: int | None = None  # of a keyframe that may not be whole yet
        self.last_packet_at = self.packet_at = now
        self.highest_timestamp = 0
        self.picture_id = 0
        self.tl0picidx = 0
        self.seen_at: dict[int, float] = {0: now}
        self.point_sets: set[int] = set()
        self._muted = False
        self._unsent_from = 0  # what was received before the last change of `_muted` no longer waits

    def kept(self, sequence: int) -> tuple[bytes, object] | None:
        """See the base class."""
        packet = self.history.get(sequence)
        return None if packet is None else (packet, self.history.context(sequence))

    def make_table(self) -> FanoutTable:
        """See the base class."""
        return FanoutTable(self)

    def set_muted(self, muted: bool) -> None:
        """See the base class."""
        if muted != self._muted:
            self._muted, self._unsent_from = muted, self.newest + 1

    @property
    def waits_from(self) -> int:
        """See `sfu.fanout.table.Source`."""
        first = self.newest + 1 if self._muted else self._unsent_from
        return max(first, self.highest + 1 - self._kept)

    def position(self) -> Position:
        """Return the numbers of the newest packet."""
        return Position(
            self.newest, self.highest_timestamp, self.picture_id, self.tl0picidx, self.frame_number
        )

    def keeps_all(self, first: int) -> bool:
        """See the base class."""
        return all(self.history.get(i) is not None for i in range(first, self.highest + 1))

    def keyframe_begins(self, packet: SourcePacket) -> None:
        """Record that a keyframe begins with this packet."""
        self.keyframes.keyframe_received()
        self.keyframe_sequence, self.retained_octets = packet.sequence, 0
        self._keyframe_timestamp = packet.timestamp
        self.point_sets.clear()

    def count(self, packet: SourcePacket) -> None:
        """Count a packet of the picture that is kept for late joiners."""
        if self._keyframe_timestamp is not None and packet.timestamp != self._keyframe_timestamp:
            self.keyframe_octets, self._keyframe_timestamp = self.retained_octets, None
        self.retained_octets += len(packet.data)

    def arrived(self, packet: SourcePacket, now: float, *, late: bool) -> None:
        """Count a packet in the figures of the stream."""
        frame = packet.frame
        spatial, temporal = frame.layer
        self.last_packet_at = self.packet_at = self.seen_at[spatial] = now
        self.max_temporal = max(self.max_temporal, temporal)
        picture = not late and packet.timestamp != self.highest_timestamp
        self.rates.add(frame.points, len(packet.data), now, pictures=int(picture))
        self.newest = max(self.newest, packet.sequence)
        if not late:
            self.highest = packet.sequence
            self.highest_timestamp = packet.timestamp
            self.picture_id = packet.picture_id
            self.tl0picidx = packet.tl0picidx
            self.frame_number = packet.frame_number
            if len(self.point_sets) < operating_points.MAX_POINT_SETS:
                self.point_sets.add(frame.points)
            self.frames.add(frame)
            if frame.described is not None:
                self.structure = frame.described.structure

    def store(self, packet: bytes, parsed: SourcePacket) -> None:
        """Put a packet into the history, with the context to parse it again with the same result."""
        described = parsed.frame.described
        context: Any = described.structure if described is not None else None
        if self.spec.red and parsed.codec in {"opus", "red"}:
            payload: memoryview | None = parsed.data[parsed.payload_at :]
            if parsed.codec == "red" and payload is not None:
                payload = primary(payload)
            # kept as well: made anew for a retransmission, it could differ by what came late
            if payload is not None:
                redundancy: Redundancy = self.recent.add(parsed.sequence, parsed.timestamp, payload)
                context = parsed.redundancy = redundancy
        self.history.store(parsed.sequence, packet, context)
