"""What the data plane punts, read from its buffer."""

import struct
from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple

# struct punt in plane.h
_HEADER = struct.Struct("=IHHiIQqd72s")
COPY_LATE, COPY_NEW_PICTURE = 1, 2


class Punt(IntEnum):
    """Why something goes up to the control plane; the numbers are those of plane.h."""

    DATAGRAM = 1
    "STUN, DTLS, and whatever else is no media of a known path, as received."
    RTCP = 2
    UNKNOWN_SSRC = 3
    COPY = 4
    "Forwarded already; somebody who is served by the control plane needs it as well."
    FIRST = 5
    KEYFRAME = 6
    NEXT = 7
    RESUMED = 8
    LEVEL = 9


class Record(NamedTuple):
    """One punt."""

    reason: int
    flags: int
    transport: int
    stream: int
    "The plane's number of the stream; 0: none."
    sequence: int
    at: float
    "When the packet arrived, on the monotonic clock."
    path: bytes
    data: bytes


# struct seen in plane.h
_SEEN = struct.Struct("=QqIHHB7xIIB")


class Seen(NamedTuple):
    """What had been seen of its stream before a packet."""

    sets: int
    "Sets of points, as a bit mask over `point_sets` of the stream's state."
    highest: int
    highest_timestamp: int
    picture_id: int
    frame_number: int
    tl0picidx: int
    structure: int
    "See `sfu.dataplane.plane.Stored`."
    active: int
    max_temporal: int


def seen(record: Record) -> Seen:
    """Return what had been seen of its stream before the packet of a copy."""
    return Seen(*_SEEN.unpack_from(record.path))


def read(buffer: memoryview) -> Iterator[Record]:
    """Yield the punts of a buffer, in order."""
    at = 0
    while at < len(buffer):
        size, reason, flags, transport, length, stream, sequence, arrived_at, path = _HEADER.unpack_from(
            buffer, at
        )
        start = at + _HEADER.size
        yield Record(
            reason,
            flags,
            transport,
            stream,
            sequence,
            arrived_at,
            path,
            bytes(buffer[start : start + length]),
        )
        at += size
