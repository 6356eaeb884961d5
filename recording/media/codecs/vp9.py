"""VP9 (RFC 9628 for the payload, the VP9 bitstream specification for the frame)."""

from collections.abc import Sequence
from typing import NamedTuple

from recording.media.bits import BitReader
from recording.media.frame_keys import FrameKeys
from recording.values import CodecConfig, PayloadError, Picture

# VP9 levels specification: the largest picture, in luma samples, of each level
_LEVELS = (
    (36_864, 10),
    (73_728, 11),
    (122_880, 20),
    (245_760, 21),
    (552_960, 30),
    (983_040, 31),
    (2_228_224, 40),
    (8_912_896, 50),
)
_HIGHEST_LEVEL = 60


class _Descriptor(NamedTuple):
    size: int
    begins: bool
    ends: bool
    predicted: bool
    spatial_id: int
    sizes: tuple[tuple[int, int], ...]
    "(width, height) by spatial layer; empty when the descriptor does not state them."


class _Reader:
    """Octets of a descriptor."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def octet(self) -> int:
        if self.at >= len(self.data):
            raise PayloadError("a truncated VP9 payload descriptor")
        self.at += 1
        return self.data[self.at - 1]


def _descriptor(payload: bytes) -> _Descriptor:
    """Read the payload descriptor (RFC 9628 section 4.2). PayloadError."""
    reader = _Reader(payload)
    first = reader.octet()
    if first & 0x80 and reader.octet() & 0x80:  # I, M
        reader.octet()
    flexible = first & 0x10
    spatial_id = 0
    if first & 0x20:  # L
        spatial_id = reader.octet() >> 1 & 0x07
        if not flexible:
            reader.octet()  # TL0PICIDX
    if flexible and first & 0x40:  # F, P: up to three differences
        for _ in range(3):
            if not reader.octet() & 0x01:
                break
    sizes = _scalability_structure(reader) if first & 0x02 else ()  # V
    predicted = first & 0x40 != 0
    return _Descriptor(reader.at, first & 0x08 != 0, first & 0x04 != 0, predicted, spatial_id, sizes)


def _scalability_structure(reader: _Reader) -> tuple[tuple[int, int], ...]:
    """Section 4.2.1."""
    head = reader.octet()
    sizes: list[tuple[int, int]] = []
    if head & 0x10:  # Y
        for _ in range((head >> 5) + 1):
            octets = [reader.octet() for _ in range(4)]
            sizes.append((octets[0] << 8 | octets[1], octets[2] << 8 | octets[3]))
    if head & 0x08:  # G
        for _ in range(reader.octet()):
            for _ in range(reader.octet() >> 2 & 0x03):
                reader.octet()
    return tuple(sizes)


class _Header(NamedTuple):
    keyframe: bool
    profile: int
    bit_depth: int
    width: int
    height: int


def _header(frame: bytes) -> _Header:
    """Read the beginning of the uncompressed header (section 6.2). PayloadError."""
    bits = BitReader(frame[:24])
    if bits.read(2) != 2:
        raise PayloadError("a VP9 frame without its marker")
    profile = bits.read(1) | bits.read(1) << 1
    if profile == 3:
        bits.read(1)
    if bits.flag() or bits.flag():  # show_existing_frame; frame_type
        return _Header(False, profile, 8, 0, 0)
    bits.read(2)  # show_frame, error_resilient_mode
    if bits.read(24) != 0x498342:
        raise PayloadError("a VP9 keyframe without its sync code")
    bit_depth = (12 if bits.flag() else 10) if profile >= 2 else 8
    if bits.read(3) != 7:  # color_space: all but RGB
        bits.read(1)
        if profile in {1, 3}:
            bits.read(3)
    elif profile in {1, 3}:
        bits.read(1)
    return _Header(True, profile, bit_depth, bits.read(16) + 1, bits.read(16) + 1)


def _superframe(frames: Sequence[bytes]) -> bytes:
    """Several frames as one (annex B): decoders that do not look beyond the first need the index at the end."""
    width = (max(len(frame) for frame in frames).bit_length() + 7) // 8
    marker = bytes((0xC0 | (width - 1) << 3 | len(frames) - 1,))
    sizes = b"".join(len(frame).to_bytes(width, "little") for frame in frames)
    return b"".join((*frames, marker, sizes, marker))


class Vp9Joiner:
    """Joins the packets of each layer's frame, and the frames of all layers to one superframe."""

    def __init__(self, keys: FrameKeys | None = None) -> None:
        """`keys` are those of frames that are encrypted end to end."""
        self._keys = keys

    def join(self, payloads: Sequence[bytes]) -> Picture | None:
        """The picture of all received spatial layers, with its size if it is a keyframe. PayloadError."""
        frames: list[bytes] = []
        parts: list[bytes] = []
        descriptors = [_descriptor(payload) for payload in payloads]
        for payload, descriptor in zip(payloads, descriptors, strict=True):
            if descriptor.begins == bool(parts):
                raise PayloadError("a VP9 frame without its beginning or its end")
            parts.append(payload[descriptor.size :])
            if descriptor.ends:
                frames.append(b"".join(parts))
                parts = []
        if parts or not all(frames):
            raise PayloadError("a VP9 frame without its end")
        if len(frames) > 8:  # annex B: three bits
            raise PayloadError("a VP9 picture of too many frames")
        if self._keys is not None:
            frames = [self._keys.frame(frame, 0) for frame in frames]
        data = frames[0] if len(frames) == 1 else _superframe(frames)
        header = _header(frames[0])
        if not header.keyframe or descriptors[0].predicted:
            return Picture(data, keyframe=False)
        width, height = header.width, header.height
        top = descriptors[-1].spatial_id
        for descriptor in descriptors:
            if descriptor.sizes:
                width, height = max(descriptor.sizes[: top + 1], default=(width, height))
        level = next((level for most, level in _LEVELS if width * height <= most), _HIGHEST_LEVEL)
        mime = f"vp09.{header.profile:02}.{level:02}.{header.bit_depth:02}"
        return Picture(data, keyframe=True, config=CodecConfig("vp9", mime, width, height))
