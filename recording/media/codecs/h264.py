"""H.264 (RFC 6184 for the payload, ITU-T H.264 for the parameter sets, ISO/IEC 14496-15 for avcC)."""

from collections.abc import Sequence

from recording.media.bits import BitReader
from recording.media.frame_keys import FrameKeys
from recording.values import CodecConfig, PayloadError, Picture

_IDR, _SPS, _PPS, _DELIMITER, _FILLER = 5, 7, 8, 9, 12
_STAP_A, _FU_A = 24, 28
# Parameter sets are in avcC; decoders need no delimiters and no filler.
_LEFT_OUT = frozenset({_SPS, _PPS, _DELIMITER, _FILLER})
# Encoders of WebRTC use one; avcC counts them in one octet.
_MAX_PPS = 32
# ITU-T H.264 section 7.3.2.1.1: profiles whose sets state the chroma format
_HIGH_PROFILES = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})


def _units(payloads: Sequence[bytes]) -> list[bytes]:
    """NAL units of single packets, STAP-A (section 5.7.1) and FU-A (section 5.8). PayloadError."""
    units: list[bytes] = []
    fragments: list[bytes] = []
    for payload in payloads:
        if len(payload) < 2:
            raise PayloadError("a truncated H.264 payload")
        kind = payload[0] & 0x1F
        if kind != _FU_A and fragments:
            raise PayloadError("an H.264 fragment without its end")
        if kind == _STAP_A:
            units += _aggregated(payload)
        elif kind == _FU_A:
            begins = payload[1] & 0x80 != 0
            if begins == bool(fragments):
                raise PayloadError("an H.264 fragment without its beginning or its end")
            if begins:
                fragments.append(bytes((payload[0] & 0xE0 | payload[1] & 0x1F,)))
            fragments.append(payload[2:])
            if payload[1] & 0x40:
                units.append(b"".join(fragments))
                fragments = []
        elif 1 <= kind <= 23:
            units.append(payload)
        else:
            raise PayloadError(f"H.264 packets of type {kind} were not negotiated")
    if fragments:
        raise PayloadError("an H.264 fragment without its end")
    return units


def _aggregated(payload: bytes) -> list[bytes]:
    units: list[bytes] = []
    at = 1
    while at < len(payload):
        size = int.from_bytes(payload[at : at + 2], "big")
        at += 2
        if not size or at + size > len(payload):
            raise PayloadError("an H.264 unit reaches over the end of its packet")
        units.append(payload[at : at + size])
        at += size
    return units


def _unescaped(unit: bytes) -> bytes:
    """Without emulation prevention (section 7.4.1)."""
    return unit.replace(b"\0\0\3", b"\0\0")


def _skip_scaling_lists(bits: BitReader, count: int) -> None:
    for i in range(count):
        if not bits.flag():
            continue
        last = following = 8
        for _ in range(16 if i < 6 else 64):
            if following:
                following = (last + bits.se()) & 0xFF
            last = following or last


def _skip_picture_order(bits: BitReader) -> None:
    kind = bits.ue()
    if kind == 0:
        bits.ue()
    elif kind == 1:
        bits.read(1)
        bits.se()
        bits.se()
        for _ in range(min(bits.ue(), 255)):
            bits.se()


def _size_and_format(sps: bytes) -> tuple[int, int, tuple[int, int, int] | None]:
    """(width, height, (chroma format, bit depths - 8) of high profiles) of a sequence parameter set. PayloadError."""
    bits = BitReader(_unescaped(sps))
    bits.read(8)
    profile = bits.read(8)
    bits.read(16)
    bits.ue()
    chroma, extension, separate = 1, None, False
    if profile in _HIGH_PROFILES:
        chroma = bits.ue()
        separate = chroma == 3 and bits.flag()
        extension = (chroma & 3, bits.ue() & 7, bits.ue() & 7)
        bits.read(1)
        if bits.flag():
            _skip_scaling_lists(bits, 12 if chroma == 3 else 8)
    bits.ue()
    _skip_picture_order(bits)
    bits.ue()
    bits.read(1)
    columns, rows = bits.ue() + 1, bits.ue() + 1
    frames_only = bits.read(1)
    if not frames_only:
        bits.read(1)
    bits.read(1)
    width, height = 16 * columns, 16 * rows * (2 - frames_only)
    if bits.flag():
        # table 6-1: crop units by chroma format
        across = 2 if chroma in {1, 2} and not separate else 1
        down = (2 if chroma == 1 and not separate else 1) * (2 - frames_only)
        width -= across * (bits.ue() + bits.ue())
        height -= down * (bits.ue() + bits.ue())
    if not 0 < width <= 0xFFFF or not 0 < height <= 0xFFFF:
        raise PayloadError("an H.264 parameter set without a size")
    return width, height, extension


class H264Joiner:
    """Joins the NAL units of an access unit and remembers the parameter sets."""

    def __init__(self, keys: FrameKeys | None = None) -> None:
        """No parameter sets yet; `keys` are those of frames that are encrypted end to end."""
        self._keys = keys
        self._sps: dict[int, bytes] = {}
        self._pps: dict[int, bytes] = {}

    def join(self, payloads: Sequence[bytes]) -> Picture | None:
        """The access unit with 4-octet lengths, and avcC if it is a keyframe. PayloadError."""
        units = _units(payloads)
        if self._keys is not None:
            units = self._keys.units(units)
        for unit in units:
            self._remember(unit)
        kept = [unit for unit in units if unit[0] & 0x1F not in _LEFT_OUT]
        if not any(1 <= unit[0] & 0x1F <= 5 for unit in kept):
            return None
        data = b"".join(len(unit).to_bytes(4, "big") + unit for unit in kept)
        if not any(unit[0] & 0x1F == _IDR for unit in kept):
            return Picture(data, keyframe=False)
        return Picture(data, keyframe=True, config=self._config())

    def _remember(self, unit: bytes) -> None:
        kind = unit[0] & 0x1F
        if kind == _SPS and 4 < len(unit) <= 0xFFFF:
            number = BitReader(_unescaped(unit[4:12])).ue()
            if number > 31:  # section 7.4.2.1.1
                raise PayloadError("an H.264 parameter set of an impossible number")
            if self._sps.get(number) != unit:
                self._sps, self._pps = {number: unit}, {}
        elif kind == _PPS and 1 < len(unit) <= 0xFFFF:
            number = BitReader(_unescaped(unit[1:9])).ue()
            if number > 255:
                raise PayloadError("an H.264 parameter set of an impossible number")
            if number not in self._pps and len(self._pps) == _MAX_PPS:
                raise PayloadError("too many H.264 picture parameter sets")
            self._pps[number] = unit

    def _config(self) -> CodecConfig:
        if not self._sps or not self._pps:
            raise PayloadError("an H.264 keyframe without parameter sets")
        (sps,) = self._sps.values()
        width, height, extension = _size_and_format(sps)
        pps = [self._pps[number] for number in sorted(self._pps)]
        parts = [b"\x01", sps[1:4], b"\xff\xe1", len(sps).to_bytes(2, "big"), sps, bytes((len(pps),))]
        for unit in pps:
            parts += (len(unit).to_bytes(2, "big"), unit)
        if extension is not None:
            chroma, luma_depth, chroma_depth = extension
            parts.append(bytes((0xFC | chroma, 0xF8 | luma_depth, 0xF8 | chroma_depth, 0)))
        return CodecConfig("h264", f"avc1.{sps[1:4].hex()}", width, height, b"".join(parts))
