"""VP8 (RFC 7741 for the payload, RFC 6386 for the frame)."""

from collections.abc import Sequence

from recording.media.frame_keys import FrameKeys
from recording.values import CodecConfig, PayloadError, Picture
from sfu.wire.codecs import vp8_fields

# RFC 6386 section 9.1: frame tag, start code, width and height
_KEYFRAME_HEADER_OCTETS = 10
_START_CODE = b"\x9d\x01\x2a"


# Not encrypted in a frame that is not a keyframe.
_CLEAR_OCTETS = 3


class Vp8Joiner:
    """Joins the partitions of a frame."""

    def __init__(self, keys: FrameKeys | None = None) -> None:
        """`keys` are those of frames that are encrypted end to end."""
        self._keys = keys

    def join(self, payloads: Sequence[bytes]) -> Picture | None:
        """The frame, with its size if it is a keyframe. PayloadError."""
        first = vp8_fields(payloads[0])
        if not first.starts_frame:
            raise PayloadError("a VP8 frame without its beginning")
        parts: list[bytes] = []
        for payload in payloads:
            size = vp8_fields(payload).size
            if not size:
                raise PayloadError("a truncated VP8 payload descriptor")
            parts.append(payload[size:])
        data = b"".join(parts)
        if self._keys is not None:
            data = self._keys.frame(data, _KEYFRAME_HEADER_OCTETS if first.keyframe else _CLEAR_OCTETS)
        if not first.keyframe:
            return Picture(data, keyframe=False) if data else None
        if len(data) < _KEYFRAME_HEADER_OCTETS or data[3:6] != _START_CODE:
            raise PayloadError("a VP8 keyframe without its start code")
        # 14 bits each; the upper two are a scale for the display, which WebRTC senders leave at 0
        width = int.from_bytes(data[6:8], "little") & 0x3FFF
        height = int.from_bytes(data[8:10], "little") & 0x3FFF
        if not width or not height:
            raise PayloadError("a VP8 keyframe without a size")
        return Picture(data, keyframe=True, config=CodecConfig("vp8", "vp8", width, height))
