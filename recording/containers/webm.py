"""WebM (RFC 8794 for EBML, RFC 9559 for Matroska): for all codecs except H.264, in clusters of half a second.

The last frame of each cluster is a BlockGroup with its duration in four octets at a known offset, so that a frame that
stays on the screen can be prolonged in the file.
"""

import struct
from collections.abc import Sequence

from recording.containers.fragments import ContainerError, Fragment, Scanned
from recording.values import NS_PER_MS, CodecConfig, Sample

SUFFIX = "webm"
_EBML, _SEGMENT, _INFO, _TRACKS, _CLUSTER = 0x1A45DFA3, 0x18538067, 0x1549A966, 0x1654AE6B, 0x1F43B675
_TIMESTAMP, _SIMPLE_BLOCK, _BLOCK_GROUP, _BLOCK, _BLOCK_DURATION = 0xE7, 0xA3, 0xA0, 0xA1, 0x9B
_REFERENCE_BLOCK = 0xFB
_CODEC_IDS = {"opus": "A_OPUS", "vp8": "V_VP8", "vp9": "V_VP9", "av1": "V_AV1"}
# RFC 9559 section 5.1.4.1.28: 1 for video, 2 for audio
_VIDEO, _AUDIO = 1, 2
# RFC 7845 section 4.6: an Opus decoder needs 80 ms to settle after a seek.
_SEEK_PRE_ROLL_NS = 80 * NS_PER_MS
_UNKNOWN_SIZE = b"\x01" + b"\xff" * 7
# Relative timestamps of blocks are signed 16-bit numbers.
_MAX_SPAN_MS = 0x7FFF
# Scanned clusters; a fragment of half a second at the limit of a picture's size is far below.
_MAX_CLUSTER_OCTETS = 64 << 20


def _id(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def _size(length: int) -> bytes:
    """Always four octets, so that later offsets do not depend on it."""
    return (length | 0x10000000).to_bytes(4, "big")


def _element(number: int, data: bytes) -> bytes:
    return _id(number) + _size(len(data)) + data


def _number(number: int, value: int) -> bytes:
    return _element(number, value.to_bytes(max((value.bit_length() + 7) // 8, 1), "big"))


def init_segment(config: CodecConfig) -> bytes:
    """Everything before the first cluster."""
    video = config.codec != "opus"
    head = _element(
        _EBML,
        _number(0x4286, 1)
        + _number(0x42F7, 1)
        + _number(0x42F2, 4)
        + _number(0x42F3, 8)
        + _element(0x4282, b"webm")
        + _number(0x4287, 4)
        + _number(0x4285, 2),
    )
    info = _element(
        _INFO, _number(0x2AD7B1, NS_PER_MS) + _element(0x4D80, b"Lectern") + _element(0x5741, b"Lectern")
    )
    entry = (
        _number(0xD7, 1)
        + _number(0x73C5, 1)
        + _number(0x83, _VIDEO if video else _AUDIO)
        + _number(0x9C, 0)  # FlagLacing
        + _element(0x86, _CODEC_IDS[config.codec].encode())
    )
    if config.private:
        entry += _element(0x63A2, config.private)
    if video:
        entry += _element(0xE0, _number(0xB0, config.width) + _number(0xBA, config.height))
    else:
        sampling = _element(0xB5, struct.pack("!d", 48_000.0)) + _number(0x9F, 2)
        entry += _number(0x56AA, 0) + _number(0x56BB, _SEEK_PRE_ROLL_NS) + _element(0xE1, sampling)
    return head + _id(_SEGMENT) + _UNKNOWN_SIZE + info + _element(_TRACKS, _element(0xAE, entry))


def _ms(time_ns: int) -> int:
    return (time_ns + NS_PER_MS // 2) // NS_PER_MS


def hold_octets(duration_ns: int) -> bytes:
    """What is written at `Fragment.hold_at` to change the duration of a fragment's last frame."""
    return min(_ms(duration_ns), 0xFFFFFFFF).to_bytes(4, "big")


def fragment(_number_of: int, samples: Sequence[Sample]) -> Fragment:
    """A cluster of these samples."""
    base = _ms(samples[0].start_ns)
    parts = [_number(_TIMESTAMP, base)]
    for sample in samples[:-1]:
        relative = min(_ms(sample.start_ns) - base, _MAX_SPAN_MS)
        head = struct.pack("!BhB", 0x81, relative, 0x80 if sample.keyframe else 0)
        parts.append(_element(_SIMPLE_BLOCK, head + sample.data))
    last = samples[-1]
    relative = min(_ms(last.start_ns) - base, _MAX_SPAN_MS)
    group = _element(_BLOCK, struct.pack("!BhB", 0x81, relative, 0) + last.data)
    if not last.keyframe:
        group += _element(_REFERENCE_BLOCK, b"\xff")  # -1: it refers to the preceding frame
    group += _element(_BLOCK_DURATION, hold_octets(last.duration_ns))
    parts.append(_element(_BLOCK_GROUP, group))
    data = _element(_CLUSTER, b"".join(parts))
    return Fragment(data, len(data) - 4)


def _read_element(data: memoryview, at: int, end: int) -> tuple[int, int, int]:
    """(id, offset of the content, its length) of our own elements. ContainerError."""
    if at >= end or not data[at]:
        raise ContainerError("no element")
    id_octets = 9 - data[at].bit_length()
    body = at + id_octets
    if body >= end or not data[body]:
        raise ContainerError("a truncated element")
    size_octets = 9 - data[body].bit_length()
    start = body + size_octets
    if start > end:
        raise ContainerError("a truncated element")
    length = int.from_bytes(data[body:start], "big") & ~(1 << 7 * size_octets)
    return int.from_bytes(data[at:body], "big"), start, length


def init_length(data: memoryview) -> int:
    """Length of the initialisation segment at the beginning of a part. ContainerError."""
    at = 0
    for expected in (_EBML, _SEGMENT, _INFO, _TRACKS):
        number, start, length = _read_element(data, at, len(data))
        if number != expected:
            raise ContainerError("not a WebM initialisation segment")
        at = start if number == _SEGMENT else start + length
        if at > len(data):
            raise ContainerError("a truncated initialisation segment")
    return at


def scan(data: memoryview, at: int) -> Scanned | None:
    """The complete cluster at an offset; None at the end or where the tail is torn. ContainerError."""
    if at >= len(data):
        return None
    try:
        number, start, length = _read_element(data, at, len(data))
    except ContainerError:
        return None
    end = start + length
    if number != _CLUSTER or length > _MAX_CLUSTER_OCTETS:
        raise ContainerError("not a cluster")
    if end > len(data):
        return None
    return _scan_blocks(data, at, start, end)


def _scan_blocks(data: memoryview, begin: int, at: int, end: int) -> Scanned:
    base = start_ms = end_ms = -1
    keyframe = False
    while at < end:
        number, body, length = _read_element(data, at, end)
        at = body + length
        if at > end:
            raise ContainerError("a block reaches over the end of its cluster")
        if number == _TIMESTAMP:
            base = int.from_bytes(data[body:at], "big")
            continue
        if number == _BLOCK_GROUP:
            number, body, length = _read_element(data, body, at)
            # ReferenceBlock, if present, precedes BlockDuration.
            key = body + length < at and data[body + length] != _REFERENCE_BLOCK
            duration_ms = int.from_bytes(data[at - 4 : at], "big")
        else:
            key, duration_ms = length > 3 and data[body + 3] >= 0x80, 0
        if base < 0 or length < 4 or number not in {_SIMPLE_BLOCK, _BLOCK}:
            raise ContainerError("not a block")
        time_ms = base + int.from_bytes(data[body + 1 : body + 3], "big", signed=True)
        if start_ms < 0:
            start_ms, keyframe = time_ms, key
        end_ms = time_ms + duration_ms
    if start_ms < 0:
        raise ContainerError("a cluster without blocks")
    return Scanned(begin, end, start_ms * NS_PER_MS, end_ms * NS_PER_MS, keyframe)
