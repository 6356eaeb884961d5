"""Redundant audio (RFC 2198): what a subscriber gets who cannot take it."""


def primary(payload: memoryview) -> memoryview | None:
    """The primary encoding, the last block of a RED payload; None when the payload is malformed.

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
