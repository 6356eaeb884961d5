"""Cuts the samples of a track into fragments, segments and parts, as changes to files. No I/O.

A *fragment* of 0.4 s is written at once; a *segment* of a few seconds is synced and indexed; a *part* is a file
that begins with an initialisation segment.
"""

from dataclasses import dataclass
from types import ModuleType
from zlib import crc32

from recording.containers import mp4, webm
from recording.containers.index import SegmentRecord
from recording.values import NS_PER_MS, NS_PER_S, CodecConfig, Gap, Sample

FRAGMENT_NS = 400 * NS_PER_MS
SEGMENT_NS = 4 * NS_PER_S
# A keyframe begins a new segment, so that a seek finds it, unless the last one is this young.
_MIN_SEGMENT_NS = NS_PER_S
MAX_FRAGMENT_OCTETS = 16 << 20
# Kept in memory for the checksum.
MAX_SEGMENT_OCTETS = 32 << 20
# A part can also be uploaded to an object store as one object.
MAX_PART_OCTETS = 512 << 20

CONTAINERS: dict[str, ModuleType] = {"opus": webm, "vp8": webm, "vp9": webm, "av1": webm, "h264": mp4}
"The module that writes a codec: Chromium plays VP8 in WebM alone, and H.264 in MP4 alone."


@dataclass(frozen=True, slots=True)
class OpenPart:
    """Begin a new file with this initialisation segment."""

    number: int
    config: CodecConfig
    suffix: str
    data: bytes
    start_ns: int


@dataclass(frozen=True, slots=True)
class Append:
    """Write a fragment at the end of the part."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Patch:
    """Overwrite four octets in the open segment."""

    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class CloseSegment:
    """Sync the part, then append the record to the index."""

    record: SegmentRecord


@dataclass(frozen=True, slots=True)
class MarkGap:
    """Append the gap to the index."""

    gap: Gap


Change = OpenPart | Append | Patch | CloseSegment | MarkGap


class Cutter:
    """The files of one track, as they grow."""

    def __init__(self, next_part: int = 1, records: int = 0) -> None:
        """A track that has parts before `next_part` and so many records in its index."""
        self._part = next_part - 1
        self._records = records
        self._config: CodecConfig | None = None
        self._container: ModuleType = webm
        self._pending: list[Sample] = []
        self._pending_octets = 0
        self._fragments = 0
        self._part_octets = 0
        self._segment = bytearray()
        self._segment_at = 0
        self._segment_start_ns = 0
        self._segment_keyframe = False
        self._decode_from = records
        self._last: Sample | None = None
        self._hold_at = -1
        "Offset in the part of the duration of the last written frame; -1: it has not been written."

    @property
    def config(self) -> CodecConfig | None:
        """What the open part was begun with."""
        return self._config

    def due_ns(self) -> int | None:
        """Since when the oldest frame that has not been written is shown; None when all have been written."""
        return self._pending[0].start_ns if self._pending else None

    def add(self, sample: Sample, config: CodecConfig) -> list[Change]:
        """Take the next frame, which begins where the last one ends; one of another configuration is a keyframe."""
        changes = self._hold_until(sample.start_ns)
        if config != self._config or self._part_is_full(sample):
            changes += self._finish_segment()
            changes += self._open_part(config, sample.start_ns)
        elif self._ends_segment(sample):
            changes += self._finish_segment()
        elif self._pending and (
            sample.start_ns - self._pending[0].start_ns >= FRAGMENT_NS
            or self._pending_octets + len(sample.data) > MAX_FRAGMENT_OCTETS
        ):
            changes += self.flush()
        self._pending.append(sample)
        self._pending_octets += len(sample.data)
        self._last = sample
        self._hold_at = -1
        return changes

    def flush(self) -> list[Change]:
        """Write the frames that wait."""
        if not self._pending:
            return []
        first = self._pending[0]
        if not self._segment:
            self._segment_at = self._part_octets
            self._segment_start_ns = first.start_ns
            self._segment_keyframe = first.keyframe
        self._fragments += 1
        made = self._container.fragment(self._fragments, self._pending)
        self._hold_at = self._part_octets + made.hold_at
        self._part_octets += len(made.data)
        self._segment += made.data
        self._pending, self._pending_octets = [], 0
        return [Append(made.data)]

    def end(self, end_ns: int) -> list[Change]:
        """The track stops here, or pauses: the last frame is shown until then."""
        return [*self._hold_until(end_ns), *self._finish_segment()]

    def _hold_until(self, end_ns: int) -> list[Change]:
        """Let the last frame last until then."""
        last = self._last
        if last is None or end_ns <= last.start_ns or last.duration_ns == end_ns - last.start_ns:
            return []
        held = Sample(last.data, last.start_ns, end_ns - last.start_ns, last.keyframe)
        self._last = held
        if self._pending:
            self._pending[-1] = held
            return []
        octets = self._container.hold_octets(held.duration_ns)
        at = self._hold_at - self._segment_at
        if self._hold_at < 0 or self._segment[at : at + 4] == octets:
            return []
        self._segment[at : at + 4] = octets
        return [Patch(self._hold_at, octets)]

    def _ends_segment(self, sample: Sample) -> bool:
        start_ns = (
            self._segment_start_ns if self._segment else self._pending[0].start_ns if self._pending else None
        )
        if start_ns is None:
            return False
        age_ns = sample.start_ns - start_ns
        octets = len(self._segment) + self._pending_octets
        video_keyframe = sample.keyframe and self._config is not None and self._config.codec != "opus"
        return age_ns >= (_MIN_SEGMENT_NS if video_keyframe else SEGMENT_NS) or octets > MAX_SEGMENT_OCTETS

    def _part_is_full(self, sample: Sample) -> bool:
        return self._part_octets > MAX_PART_OCTETS and sample.keyframe

    def _finish_segment(self) -> list[Change]:
        changes = self.flush()
        last = self._last
        if not self._segment or last is None:
            return changes
        if self._segment_keyframe:
            self._decode_from = self._records
        record = SegmentRecord(
            self._part,
            self._segment_at,
            len(self._segment),
            self._segment_start_ns,
            last.start_ns + last.duration_ns,
            self._segment_keyframe,
            self._decode_from,
            crc32(self._segment),
        )
        self._records += 1
        self._segment = bytearray()
        self._last = None
        return [*changes, CloseSegment(record)]

    def _open_part(self, config: CodecConfig, start_ns: int) -> list[Change]:
        self._part += 1
        self._config = config
        self._container = CONTAINERS[config.codec]
        data = self._container.init_segment(config)
        self._fragments = 0
        self._part_octets = len(data)
        return [OpenPart(self._part, config, self._container.SUFFIX, data, start_ns)]
