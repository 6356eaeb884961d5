"""Redundant audio (RED, RFC 2198): added for subscribers that accept it, removed for those that do not."""

import struct
from enum import IntEnum

# As many earlier payloads as Chromium and LiveKit's server add: two consecutive packets may be lost.
REDUNDANT_PACKETS = 2
# RFC 2198 section 3: 14 bits of timestamp offset, 10 of length
_MAX_OFFSET, _MAX_BLOCK = (1 << 14) - 1, (1 << 10) - 1
# Size of all blocks together: with headers, less than a video packet.
_MAX_OCTETS = 1000


class RedundancyLevel(IntEnum):
    """The amount of redundancy in a subscriber's audio."""

    NONE = 0
    AS_SENT = 1
    "As the publisher sends it; if the publisher sends plain opus, REDUNDANT_PACKETS."
    DEEP = 2
    "REDUNDANT_PACKETS, whatever the publisher sends: for paths that sometimes lose two consecutive packets."


Redundancy = tuple[tuple[int, bytes], ...]
"(timestamp offset, payload) of earlier packets, oldest first."


def primary(payload: memoryview) -> memoryview | None:
    """Return the primary encoding, the last block of a RED payload; None if the payload is malformed.

    RFC 2198 section 3: each block but the last has a 4-byte header `F=1 | PT | timestamp offset (14 bits) |
    length (10 bits)`, the last a single byte with F=0; then the blocks' data in the same order.
    """
    at = skip = 0
    size = len(payload)
    while at < size and payload[at] & 0x80:
        if at + 4 > size:
            return None
        skip += (payload[at + 2] & 0x03) << 8 | payload[at + 3]
        at += 4
    start = at + 1 + skip
    if start > size:
        return None
    return payload[start:]


class RecentPayloads:
    """The last payloads of a plain opus stream."""

    def __init__(self) -> None:
        """Start empty."""
        self._recent: dict[int, tuple[int, bytes]] = {}
        "Extended sequence number -> timestamp, payload."

    def add(self, sequence: int, timestamp: int, payload: memoryview) -> Redundancy:
        """Return the redundancy for this packet, and store the packet for later ones."""
        blocks: list[tuple[int, bytes]] = []
        room = _MAX_OCTETS - len(payload)
        for before in range(sequence - 1, sequence - 1 - REDUNDANT_PACKETS, -1):
            if before not in self._recent:
                continue
            at, block = self._recent[before]
            offset = (timestamp - at) & 0xFFFFFFFF
            room -= len(block)
            if offset > _MAX_OFFSET or len(block) > _MAX_BLOCK or room < 0:
                break
            blocks.insert(0, (offset, block))
        self._recent[sequence] = (timestamp, bytes(payload))
        for old in [number for number in self._recent if number <= sequence - 1 - REDUNDANT_PACKETS]:
            del self._recent[old]
        return tuple(blocks)

    def clear(self) -> None:
        """Delete the payloads: what was muted must not be repeated in later packets."""
        self._recent.clear()


def with_redundancy(payload: memoryview, redundancy: Redundancy, payload_type: int) -> bytes:
    """Build a RED payload of an encoding and earlier ones, all of one payload type."""
    headers = [
        struct.pack("!BHB", 0x80 | payload_type, offset << 2 | len(block) >> 8, len(block) & 0xFF)
        for offset, block in redundancy
    ]
    return b"".join((*headers, bytes((payload_type,)), *(block for _, block in redundancy), payload))
