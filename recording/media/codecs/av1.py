"""AV1 (the RTP payload specification of AOM, section 4; the AV1 bitstream specification; AV1 in ISOBMFF for av1C)."""

from collections.abc import Sequence
from typing import NamedTuple

from recording.media.bits import BitReader, leb128, to_leb128
from recording.media.frame_keys import FrameKeys
from recording.values import CodecConfig, PayloadError, Picture

_SEQUENCE_HEADER, _TEMPORAL_DELIMITER, _FRAME_HEADER, _FRAME = 1, 2, 3, 6
_TILE_LIST, _PADDING = 8, 15
# Containers store neither temporal delimiters nor padding (AV1 in ISOBMFF, section 2.4).
_LEFT_OUT = frozenset({_TEMPORAL_DELIMITER, _TILE_LIST, _PADDING})


class _Obu(NamedTuple):
    kind: int
    header: bytes
    "One octet, or two with the extension; the size flag is cleared."
    payload: bytes

    def sized(self) -> bytes:
        """In the low-overhead format, with a size field (section 5.3.2)."""
        return bytes((self.header[0] | 0x02,)) + self.header[1:] + to_leb128(len(self.payload)) + self.payload


def _elements(payload: bytes) -> list[bytes]:
    """The OBU elements of a packet (RTP specification section 4.5). PayloadError."""
    count = payload[0] >> 4 & 0x03
    at = 1
    elements: list[bytes] = []
    while at < len(payload):
        last = count and len(elements) == count - 1
        length, at = (len(payload) - at, at) if last else leb128(payload, at)
        if at + length > len(payload):
            raise PayloadError("an AV1 element reaches over the end of its packet")
        elements.append(payload[at : at + length])
        at += length
    if count and len(elements) != count:
        raise PayloadError("an AV1 packet with fewer elements than it says")
    return elements


def _read_obu(element: bytes) -> _Obu:
    if not element or element[0] & 0x80:
        raise PayloadError("an AV1 element that is no OBU")
    at = 2 if element[0] & 0x04 else 1
    header = bytes((element[0] & ~0x02,)) + element[1:at]
    if len(header) < at:
        raise PayloadError("a truncated OBU header")
    end = len(element)
    if element[0] & 0x02:
        size, at = leb128(element, at)
        end = at + size
        if end > len(element):
            raise PayloadError("an OBU reaches over the end of its element")
    return _Obu(element[0] >> 3 & 0x0F, header, element[at:end])


def _obus(payloads: Sequence[bytes]) -> list[_Obu]:
    """The OBUs of a temporal unit, fragments put together."""
    whole: list[bytes] = []
    open_end = False
    for payload in payloads:
        if len(payload) < 2:
            raise PayloadError("an empty AV1 packet")
        elements = _elements(payload)
        continues = payload[0] & 0x80 != 0
        if continues != open_end:
            raise PayloadError("an AV1 fragment without its beginning or its end")
        if continues:
            whole[-1] += elements.pop(0)
        whole += elements
        open_end = payload[0] & 0x40 != 0
    if open_end:
        raise PayloadError("an AV1 fragment without its end")
    return [_read_obu(element) for element in whole]


def _timing(bits: BitReader) -> int:
    """Skip timing_info and decoder_model_info; gives buffer_delay_length, 0 without a decoder model."""
    if not bits.flag():
        return 0
    bits.read(64)
    if bits.flag():
        bits.ue()
    if not bits.flag():
        return 0
    length = bits.read(5) + 1
    bits.read(32 + 5 + 5)
    return length


def _operating_points(bits: BitReader) -> tuple[int, int]:
    """(level, tier) of the first operating point."""
    delay_length = _timing(bits)
    display_delay = bits.flag()
    first = (0, 0)
    for i in range(bits.read(5) + 1):
        bits.read(12)
        level = bits.read(5)
        tier = bits.read(1) if level > 7 else 0
        if delay_length and bits.flag():
            bits.read(2 * delay_length + 1)
        if display_delay and bits.flag():
            bits.read(4)
        first = first if i else (level, tier)
    return first


def _tools(bits: BitReader, *, reduced: bool) -> None:
    """Skip the coding tools between the size and the color (section 5.5.1)."""
    if not reduced and bits.flag():
        bits.read(7)
    bits.read(3)
    if not reduced:
        bits.read(4)
        order_hint = bits.flag()
        if order_hint:
            bits.read(2)
        forced = 2 if bits.flag() else bits.read(1)
        if forced and not bits.flag():
            bits.read(1)
        if order_hint:
            bits.read(3)
    bits.read(3)


def _config(obu: _Obu) -> CodecConfig:
    """Size, av1C and MIME type from a sequence header (section 5.5). PayloadError."""
    bits = BitReader(obu.payload)
    profile = bits.read(3)
    bits.read(1)
    reduced = bits.flag()
    level, tier = (bits.read(5), 0) if reduced else _operating_points(bits)
    width_bits, height_bits = bits.read(4) + 1, bits.read(4) + 1
    width, height = bits.read(width_bits) + 1, bits.read(height_bits) + 1
    _tools(bits, reduced=reduced)
    high = bits.read(1)
    twelve = bits.read(1) if profile == 2 and high else 0
    monochrome = bits.read(1) if profile != 1 else 0
    subsampling = 0 if profile == 1 else 0b10 if profile == 2 and not twelve and not monochrome else 0b11
    depth = 12 if twelve else 10 if high else 8
    private = bytes(
        (
            0x81,
            profile << 5 | level,
            tier << 7 | high << 6 | twelve << 5 | monochrome << 4 | subsampling << 2,
            0,
        )
    )
    mime = f"av01.{profile}.{level:02}{'MH'[tier]}.{depth:02}"
    return CodecConfig("av1", mime, width, height, private + obu.sized())


def _is_keyframe(obu: _Obu) -> bool:
    # section 5.9.2: show_existing_frame (1 bit), frame_type (2 bits, 0 for a key frame)
    return obu.kind in {_FRAME_HEADER, _FRAME} and bool(obu.payload) and obu.payload[0] & 0xE0 == 0


class Av1Joiner:
    """Joins the OBUs of a temporal unit."""

    def __init__(self, keys: FrameKeys | None = None) -> None:
        """`keys` are those of frames that are encrypted end to end, which LiveKit's clients do not do with AV1."""
        self._keys = keys

    def join(self, payloads: Sequence[bytes]) -> Picture | None:
        """The temporal unit, with its configuration if it is a keyframe. PayloadError."""
        if self._keys is not None:
            raise PayloadError("encrypted AV1")
        obus = [obu for obu in _obus(payloads) if obu.kind not in _LEFT_OUT]
        if not obus:
            return None
        data = b"".join(obu.sized() for obu in obus)
        headers = [obu for obu in obus if obu.kind == _SEQUENCE_HEADER]
        frame = next((obu for obu in obus if obu.kind in {_FRAME_HEADER, _FRAME}), None)
        if not headers or frame is None or not _is_keyframe(frame):
            return Picture(data, keyframe=False)
        return Picture(data, keyframe=True, config=_config(headers[0]))
