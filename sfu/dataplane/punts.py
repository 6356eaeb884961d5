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
    IN_ORDER = 4
    "Behind a packet of its stream that was punted before it."
    SLOW_PATH = 5
    "Of a stream that the plane does not forward."
    COPY = 6
    "Forwarded already; somebody who is served by the control plane needs it as well."
    FIRST = 7
    KEYFRAME = 8
    NEXT = 9
    RESUMED = 10
    LEVEL = 11


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
_SEEN = struct.Struct("=QB")


def seen(record: Record) -> tuple[int, int]:
    """Return what had been seen of its stream before the packet of a copy: (sets of points, highest temporal layer)."""
    sets, max_temporal = _SEEN.unpack_from(record.path)
    return sets, max_temporal


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
