"""Opus (RFC 6716, RFC 7587, RFC 7845 for OpusHead) and redundant audio (RFC 2198)."""

from recording.values import CodecConfig, PayloadError
from sfu.wire.red import primary

SAMPLE_RATE = 48_000
# One 20 ms CELT frame of digital silence for one channel: TOC octet and two octets of range coder.
SILENCE = b"\xf8\xff\xfe"
SILENCE_NS = 20_000_000
# RFC 7845 section 5.1: version, channels, pre-skip, input rate, gain, mapping family. Two channels (RFC 7587
# section 7); nothing to skip, as a recording begins within a stream.
_HEAD = b"OpusHead\x01\x02" + bytes(2) + SAMPLE_RATE.to_bytes(4, "little") + bytes(3)
CONFIG = CodecConfig("opus", "opus", private=_HEAD)

# RFC 6716 section 3.1, in samples: the frame sizes of SILK, hybrid and CELT configurations
_SILK, _HYBRID, _CELT = (480, 960, 1920, 2880), (480, 960), (120, 240, 480, 960)
_MAX_SAMPLES = 5760


def duration_ns(packet: bytes) -> int:
    """How long a packet plays (RFC 6716 section 3.1). PayloadError when it is none."""
    if not packet:
        raise PayloadError("an empty Opus packet")
    configuration, code = packet[0] >> 3, packet[0] & 0x03
    if configuration < 12:
        samples = _SILK[configuration % 4]
    elif configuration < 16:
        samples = _HYBRID[configuration % 2]
    else:
        samples = _CELT[configuration % 4]
    if code == 3:
        if len(packet) < 2 or not packet[1] & 0x3F:
            raise PayloadError("an Opus packet without frames")
        samples *= packet[1] & 0x3F
    elif code:
        samples *= 2
    if samples > _MAX_SAMPLES:  # section 3.2.5, R5
        raise PayloadError("an Opus packet of more than 120 ms")
    return samples * 1_000_000_000 // SAMPLE_RATE


def red_blocks(payload: bytes) -> list[tuple[int, bytes]]:
    """(timestamp offset, Opus packet) of a RED payload, the oldest first; the primary one last. PayloadError."""
    newest = primary(memoryview(payload))
    if newest is None:
        raise PayloadError("a malformed RED payload")
    headers: list[tuple[int, int]] = []
    at = 0
    while payload[at] & 0x80:
        word = int.from_bytes(payload[at : at + 4], "big")
        headers.append((word >> 10 & 0x3FFF, word & 0x3FF))
        at += 4
    at += 1
    blocks: list[tuple[int, bytes]] = []
    for offset, length in headers:
        blocks.append((offset, payload[at : at + length]))
        at += length
    return [*blocks, (0, bytes(newest))]
