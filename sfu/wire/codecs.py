"""Payload headers as far as forwarding needs them: keyframe starts, and the VP8 fields that are rewritten.

Nothing is decoded. The functions read a few bytes and never raise: a truncated payload starts no keyframe and has no
fields.
"""

from collections.abc import Callable
from typing import NamedTuple

from sfu.wire.rtp import Buffer


class Vp8Fields(NamedTuple):
    """The payload descriptor of VP8 (RFC 7741 section 4.2); an offset of -1: the field is absent."""

    picture_id_at: int
    "Offset in the payload."
    long_picture_id: bool
    "15 bits in two bytes; otherwise 7 bits in one byte."
    tl0picidx_at: int
    "Offset in the payload."
    tid_keyidx_at: int
    "Offset in the payload of the byte TID (2 bits), Y (1), KEYIDX (5)."
    picture_id: int
    tl0picidx: int
    temporal_id: int
    "0 if absent."
    layer_sync: bool
    "Y: the frame depends on the base layer alone, so a receiver can switch up to this temporal layer here."
    size: int
    "Length of the descriptor; 0 if the payload ends inside it."
    starts_frame: bool
    "Whether it is the first packet of a frame: S (start of a partition) and partition index 0."
    keyframe: bool
    "Whether it is the first packet of a keyframe."


_NO_VP8_FIELDS = Vp8Fields(-1, False, -1, -1, 0, 0, 0, False, 0, False, False)


def vp8_fields(payload: Buffer) -> Vp8Fields:
    """Parse VP8's payload descriptor; all fields are absent if it is truncated."""
    size = len(payload)
    if not size:
        return _NO_VP8_FIELDS
    starts = payload[0] & 0x17 == 0x10
    if not payload[0] & 0x80:  # X: no extension byte follows
        # section 4.3: the inverse keyframe flag is the lowest bit of the payload header
        key = starts and size > 1 and not payload[1] & 0x01
        return Vp8Fields(-1, False, -1, -1, 0, 0, 0, False, 1, starts, key)
    if size < 2:
        return _NO_VP8_FIELDS
    present = payload[1]
    at = 2
    picture_id_at = tl0picidx_at = tid_keyidx_at = -1
    long_picture_id = False
    if present & 0x80:  # I
        if at == size:
            return _NO_VP8_FIELDS
        picture_id_at = at
        long_picture_id = payload[at] >= 0x80  # M
        at += 2 if long_picture_id else 1
    if present & 0x40:  # L
        tl0picidx_at = at
        at += 1
    if present & 0x30:  # T, K
        tid_keyidx_at = at
        at += 1
    if at > size:
        return _NO_VP8_FIELDS
    picture_id = 0
    if long_picture_id:
        picture_id = (payload[picture_id_at] & 0x7F) << 8 | payload[picture_id_at + 1]
    elif picture_id_at >= 0:
        picture_id = payload[picture_id_at]
    tl0picidx = payload[tl0picidx_at] if tl0picidx_at >= 0 else 0
    layer = payload[tid_keyidx_at] if present & 0x20 else 0
    return Vp8Fields(
        picture_id_at,
        long_picture_id,
        tl0picidx_at,
        tid_keyidx_at,
        picture_id,
        tl0picidx,
        layer >> 6,
        layer & 0x20 != 0,
        at,
        starts,
        starts and at < size and not payload[at] & 0x01,
    )


def _vp8_starts(payload: Buffer) -> bool:
    return vp8_fields(payload).keyframe


_H264_SPS = 7
_H264_STAP_A = 24
_H264_FU_A = 28


def _h264_starts(payload: Buffer) -> bool:
    """Whether the packet contains a sequence parameter set.

    An IDR slice does not count: a decoder without the parameter set cannot start there, WebRTC senders repeat the set
    before each IDR picture, and a picture of several slices has IDR packets in its middle.
    """
    size = len(payload)
    if not size:
        return False
    kind = payload[0] & 0x1F
    if kind == _H264_STAP_A:  # RFC 6184 section 5.7.1: 16-bit size before each unit
        at = 1
        while at + 2 < size:
            if payload[at + 2] & 0x1F == _H264_SPS:
                return True
            at += 2 + (payload[at] << 8 | payload[at + 1])
        return False
    if kind == _H264_FU_A:  # RFC 6184 section 5.8: S bit, then the unit's type
        return size > 1 and payload[1] & 0x9F == 0x80 | _H264_SPS
    return kind == _H264_SPS and size > 1


_H265_VPS = 32
_H265_AP = 48
_H265_FU = 49


def _h265_starts(payload: Buffer) -> bool:
    """Whether a video parameter set is in the packet, which WebRTC senders repeat before each IRAP picture."""
    size = len(payload)
    if size < 3:
        return False
    kind = payload[0] >> 1 & 0x3F  # RFC 7798 section 1.1.4
    if kind == _H265_AP:  # section 4.4.2: behind two bytes of header, a 16-bit size before each unit
        at = 2
        while at + 2 < size:
            if payload[at + 2] >> 1 & 0x3F == _H265_VPS:
                return True
            at += 2 + (payload[at] << 8 | payload[at + 1])
        return False
    if kind == _H265_FU:  # section 4.4.3: S bit, then the unit's type
        return payload[2] & 0xBF == 0x80 | _H265_VPS
    return kind == _H265_VPS


class Vp9Fields(NamedTuple):
    """The fields of VP9's payload descriptor that forwarding needs (RFC 9628 section 4.2)."""

    spatial_id: int
    temporal_id: int
    "0 if the stream has no layers."
    starts_frame: bool
    "B: the first packet of a layer's frame."
    ends_frame: bool
    "E: the last packet of a layer's frame."
    predicted: bool
    "P: predicted from other pictures."
    switching_up: bool
    "U: later pictures of higher temporal layers depend on no earlier picture above this picture's temporal layer."
    not_for_upper_layers: bool
    "Z: no upper spatial layer is predicted from this frame."


def vp9_fields(payload: Buffer) -> Vp9Fields | None:
    """Parse VP9's payload descriptor; None if it is truncated."""
    size = len(payload)
    if not size:
        return None
    first = payload[0]
    at = 1
    if first & 0x80:  # I: picture id of 7 or 15 bits
        if size < 2:
            return None
        at += 2 if payload[1] & 0x80 else 1
    layers = 0
    if first & 0x20:  # L: TID (3 bits), U, SID (3), D
        if at >= size:
            return None
        layers = payload[at]
    elif at >= size:
        return None
    return Vp9Fields(
        layers >> 1 & 0x07,
        layers >> 5,
        first & 0x08 != 0,
        first & 0x04 != 0,
        first & 0x40 != 0,
        layers & 0x10 != 0,
        first & 0x01 != 0 and first & 0x20 != 0,
    )


def _vp9_starts(payload: Buffer) -> bool:
    fields = vp9_fields(payload)
    return fields is not None and fields.starts_frame and fields.spatial_id == 0 and not fields.predicted


def _av1_starts(payload: Buffer) -> bool:
    # AV1 RTP specification section 4.4: aggregation header Z (continues the previous packet), Y, W, N (first packet
    # of a coded video sequence)
    return len(payload) > 1 and payload[0] & 0x88 == 0x08


_KEYFRAME_STARTS: dict[str, Callable[[Buffer], bool]] = {
    "vp8": _vp8_starts,
    "h264": _h264_starts,
    "h265": _h265_starts,
    "vp9": _vp9_starts,
    "av1": _av1_starts,
}


def is_keyframe_start(codec: str, payload: Buffer) -> bool:
    """Whether this is the first packet of a keyframe, where a decoder can start.

    `codec` is the lower-case encoding name; always True for codecs without keyframes (opus, red).
    """
    starts = _KEYFRAME_STARTS.get(codec)
    return starts is None or starts(payload)
