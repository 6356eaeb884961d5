"""The index files of a track: records of a fixed size, so that a reader can bisect, each with a checksum."""

import struct
from dataclasses import dataclass
from zlib import crc32

from recording.values import Gap, GapReason

# part, flags, offset, length, start, end, first record to decode from, checksum of the segment, reserved, checksum
_SEGMENT = struct.Struct("!IIQQqqII12x")
_GAP = struct.Struct("!qqII4x")
_CHECKSUM = struct.Struct("!I")
SEGMENT_OCTETS = _SEGMENT.size + _CHECKSUM.size
GAP_OCTETS = _GAP.size + _CHECKSUM.size
_KEYFRAME = 1


@dataclass(frozen=True, slots=True)
class SegmentRecord:
    """A segment: a few seconds of a track in one part."""

    part: int
    "Number of the part, from 1."
    offset: int
    "In the part's file."
    length: int
    start_ns: int
    end_ns: int
    keyframe: bool
    "It begins with a keyframe; always true of audio."
    decode_from: int
    "Index of the record at which a decoder has to start for this segment: its own if `keyframe`."
    checksum: int
    "CRC-32 of the segment's octets."


def pack_segment(record: SegmentRecord) -> bytes:
    """A record of `segments.idx`."""
    body = _SEGMENT.pack(
        record.part,
        _KEYFRAME if record.keyframe else 0,
        record.offset,
        record.length,
        record.start_ns,
        record.end_ns,
        record.decode_from,
        record.checksum,
    )
    return body + _CHECKSUM.pack(crc32(body))


def unpack_segment(data: bytes) -> SegmentRecord | None:
    """The record; None when it is truncated or damaged."""
    if not _is_intact(data, SEGMENT_OCTETS):
        return None
    part, flags, offset, length, start, end, decode_from, checksum = _SEGMENT.unpack_from(data)
    return SegmentRecord(part, offset, length, start, end, flags & _KEYFRAME != 0, decode_from, checksum)


def pack_gap(gap: Gap) -> bytes:
    """A record of `gaps.idx`."""
    body = _GAP.pack(gap.start_ns, gap.end_ns, gap.reason, min(gap.packets, 0xFFFFFFFF))
    return body + _CHECKSUM.pack(crc32(body))


def unpack_gap(data: bytes) -> Gap | None:
    """The gap; None when the record is truncated, damaged or of an unknown reason."""
    if not _is_intact(data, GAP_OCTETS):
        return None
    start, end, reason, packets = _GAP.unpack_from(data)
    return Gap(start, end, GapReason(reason), packets) if reason in set(GapReason) else None


def _is_intact(data: bytes, size: int) -> bool:
    body = data[: size - _CHECKSUM.size]
    return len(data) == size and _CHECKSUM.unpack_from(data, len(body))[0] == crc32(body)
