"""Fragmented MP4 (ISO/IEC 14496-12 and -15, CMAF) for H.264: a moof and an mdat for each half second.

The duration of a fragment's last frame is a field at a known offset, so that a frame that stays on the screen can be
prolonged in the file.
"""

import struct
from collections.abc import Sequence

from recording.containers.fragments import ContainerError, Fragment, Scanned
from recording.values import NS_PER_S, CodecConfig, Sample

SUFFIX = "mp4"
_TIMESCALE = 90_000
_MATRIX = struct.pack("!9i", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
# section 8.8.3.1: depends on no other sample; depends on others and is no sync sample
_SYNC, _NON_SYNC = 0x02000000, 0x01010000
_TRACK_ID = 1


def _box(kind: bytes, *parts: bytes) -> bytes:
    data = b"".join(parts)
    return (8 + len(data)).to_bytes(4, "big") + kind + data


def _full(kind: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    return _box(kind, (version << 24 | flags).to_bytes(4, "big"), *parts)


def _sample_entry(config: CodecConfig) -> bytes:
    """Section 12.1.3, and avcC of ISO/IEC 14496-15."""
    head = struct.pack("!6xH16xHHIIIH", 1, config.width, config.height, 0x480000, 0x480000, 0, 1)
    return _box(b"avc1", head, bytes(32), struct.pack("!Hh", 24, -1), _box(b"avcC", config.private))


def init_segment(config: CodecConfig) -> bytes:
    """Ftyp and moov."""
    ftyp = _box(b"ftyp", b"iso6", bytes(4), b"iso6cmfcmp41")
    mvhd = _full(
        b"mvhd",
        0,
        0,
        struct.pack("!IIIIIH10x", 0, 0, _TIMESCALE, 0, 0x10000, 0x100),
        _MATRIX,
        bytes(24),
        struct.pack("!I", _TRACK_ID + 1),
    )
    tkhd = _full(
        b"tkhd",
        0,
        3,
        struct.pack("!IIIII8xHHHH", 0, 0, _TRACK_ID, 0, 0, 0, 0, 0, 0),
        _MATRIX,
        struct.pack("!II", config.width << 16, config.height << 16),
    )
    mdhd = _full(b"mdhd", 0, 0, struct.pack("!IIIIHH", 0, 0, _TIMESCALE, 0, 0x55C4, 0))  # "und"
    hdlr = _full(b"hdlr", 0, 0, bytes(4), b"vide", bytes(12), b"video\0")
    dinf = _box(b"dinf", _full(b"dref", 0, 0, struct.pack("!I", 1), _full(b"url ", 0, 1)))
    empty = struct.pack("!I", 0)
    stbl = _box(
        b"stbl",
        _full(b"stsd", 0, 0, struct.pack("!I", 1), _sample_entry(config)),
        _full(b"stts", 0, 0, empty),
        _full(b"stsc", 0, 0, empty),
        _full(b"stsz", 0, 0, empty, empty),
        _full(b"stco", 0, 0, empty),
    )
    minf = _box(b"minf", _full(b"vmhd", 0, 1, bytes(8)), dinf, stbl)
    trak = _box(b"trak", tkhd, _box(b"mdia", mdhd, hdlr, minf))
    mvex = _box(b"mvex", _full(b"trex", 0, 0, struct.pack("!IIIII", _TRACK_ID, 1, 0, 0, 0)))
    return ftyp + _box(b"moov", mvhd, trak, mvex)


def _ticks(time_ns: int) -> int:
    return (time_ns * _TIMESCALE + NS_PER_S // 2) // NS_PER_S


def hold_octets(duration_ns: int) -> bytes:
    """What is written at `Fragment.hold_at` to change the duration of a fragment's last frame."""
    return min(_ticks(duration_ns), 0xFFFFFFFF).to_bytes(4, "big")


def fragment(number: int, samples: Sequence[Sample]) -> Fragment:
    """A movie fragment of these samples; `number` counts from 1 in a part."""
    starts = [_ticks(sample.start_ns) for sample in samples]
    entries: list[bytes] = []
    for i, sample in enumerate(samples):
        duration = (
            (starts[i + 1] - starts[i]).to_bytes(4, "big")
            if i + 1 < len(samples)
            else hold_octets(sample.duration_ns)
        )
        flags = _SYNC if sample.keyframe else _NON_SYNC
        entries.append(duration + struct.pack("!II", len(sample.data), flags))
    mfhd = _full(b"mfhd", 0, 0, struct.pack("!I", number))
    # default-base-is-moof; data offset, duration, size and flags of each sample
    tfhd = _full(b"tfhd", 0, 0x020000, struct.pack("!I", _TRACK_ID))
    tfdt = _full(b"tfdt", 1, 0, struct.pack("!Q", starts[0]))
    octets = 8 + len(mfhd) + 8 + len(tfhd) + len(tfdt) + 20 + 12 * len(samples)
    trun = _full(b"trun", 0, 0x000701, struct.pack("!Ii", len(samples), octets + 8), *entries)
    moof = _box(b"moof", mfhd, _box(b"traf", tfhd, tfdt, trun))
    return Fragment(moof + _box(b"mdat", *(sample.data for sample in samples)), len(moof) - 12)


def _read_box(data: memoryview, at: int, end: int) -> tuple[bytes, int]:
    """(type, offset after it) of a box. ContainerError."""
    if at + 8 > end:
        raise ContainerError("a truncated box")
    size = int.from_bytes(data[at : at + 4], "big")
    if size < 8:
        raise ContainerError("not a box")
    return bytes(data[at + 4 : at + 8]), at + size


def init_length(data: memoryview) -> int:
    """Length of the initialisation segment at the beginning of a part. ContainerError."""
    at = 0
    for expected in (b"ftyp", b"moov"):
        kind, at = _read_box(data, at, len(data))
        if kind != expected or at > len(data):
            raise ContainerError("not an MP4 initialisation segment")
    return at


def scan(data: memoryview, at: int) -> Scanned | None:
    """The complete fragment at an offset; None at the end or where the tail is torn. ContainerError."""
    if at + 8 > len(data):
        return None
    kind, moof_end = _read_box(data, at, len(data))
    if kind != b"moof":
        raise ContainerError("not a movie fragment")
    if moof_end + 8 > len(data):
        return None
    kind, end = _read_box(data, moof_end, len(data))
    if kind != b"mdat":
        raise ContainerError("not a movie fragment")
    return _scan_run(data, at, moof_end, end) if end <= len(data) else None


def _scan_run(data: memoryview, at: int, moof_end: int, end: int) -> Scanned:
    # moof header, mfhd of 16 octets, traf header, tfhd of 16, tfdt of 20 with the time at its end, trun
    trun = at + 8 + 16 + 8 + 16 + 20
    if trun + 20 > moof_end or bytes(data[trun + 4 : trun + 8]) != b"trun":
        raise ContainerError("not a movie fragment")
    count = int.from_bytes(data[trun + 12 : trun + 16], "big")
    if not count or trun + 20 + 12 * count != moof_end:
        raise ContainerError("a movie fragment of an impossible length")
    start = int.from_bytes(data[trun - 8 : trun], "big")
    entries = range(trun + 20, moof_end, 12)
    length = sum(int.from_bytes(data[entry : entry + 4], "big") for entry in entries)
    keyframe = int.from_bytes(data[trun + 28 : trun + 32], "big") == _SYNC
    return Scanned(at, end, _to_ns(start), _to_ns(start + length), keyframe)


def _to_ns(ticks: int) -> int:
    return ticks * NS_PER_S // _TIMESCALE
