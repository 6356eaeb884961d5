"""The size of an image, as its header states it: PNG, JPEG, GIF and WebP.

A decoder needs memory for all pixels, whatever the size of the file: a PNG of 60 kB can have 20,000 by 20,000 pixels.
The header is read here without decoding anything, so that such an image is refused before a browser loads it.
"""

import os
import struct
from pathlib import Path
from typing import BinaryIO, Final

from signaling.errors import SignalingError

Size = tuple[int, int]

# Ample for the segments before the frame header of a photograph: each of at most 64 KiB, with a preview and profiles.
_MAX_SEGMENTS: Final = 1_000
# ITU-T T.81, table B.1: start of frame, without DHT (C4), JPG (C8) and DAC (CC), which share the range.
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_END: Final = frozenset({0xD9, 0xDA})


class PictureError(SignalingError):
    """The header states no size."""


def picture_size(path: Path, kind: str) -> Size:
    """Return width and height in pixels of an image of a known content type. PictureError, OSError."""
    with path.open("rb") as file:
        return read_size(file, kind)


def read_size(file: BinaryIO, kind: str) -> Size:
    """Return width and height of an image that begins at the start of `file`. PictureError, OSError."""
    try:
        width, height = _READERS[kind](file)
    except (struct.error, KeyError) as error:
        raise PictureError("the image has no complete header") from error
    if not width or not height:
        raise PictureError("the image has no pixels")
    return width, height


def _png(file: BinaryIO) -> Size:
    # W3C PNG, 11.2.1: the first chunk after the signature.
    length, name, width, height = struct.unpack(">8xI4sII", file.read(24))
    if (length, name) != (13, b"IHDR"):
        raise PictureError("the PNG does not begin with its header")
    return width, height


def _gif(file: BinaryIO) -> Size:
    # GIF89a, section 18: the logical screen.
    width, height = struct.unpack("<6xHH", file.read(10))
    return width, height


def _webp(file: BinaryIO) -> Size:
    # RFC 9649, sections 2.5 to 2.7, and the frame header of VP8 (RFC 6386, section 9.1).
    head = file.read(30)
    name = head[12:16]
    if name == b"VP8X":
        (bits,) = struct.unpack("<24x6s", head)
        return int.from_bytes(bits[:3], "little") + 1, int.from_bytes(bits[3:], "little") + 1
    if name == b"VP8L" and head[20:21] == b"\x2f":
        (bits,) = struct.unpack("<21xI", head[:25])
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if name == b"VP8 " and head[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack("<26xHH", head)
        return width & 0x3FFF, height & 0x3FFF
    raise PictureError("the WebP does not begin with a frame")


def _jpeg(file: BinaryIO) -> Size:
    # ITU-T T.81, annex B: segments, each with its marker and length, until the one that begins the frame.
    file.seek(2)
    for _ in range(_MAX_SEGMENTS):
        marker, length = struct.unpack(">HH", file.read(4))
        if marker == 0xFFFF:
            # A fill byte before a marker.
            file.seek(-3, os.SEEK_CUR)
            continue
        if marker >> 8 != 0xFF or length < 2 or marker & 0xFF in _END:
            break
        if marker & 0xFF in _FRAMES:
            height, width = struct.unpack(">xHH", file.read(5))
            return width, height
        file.seek(length - 2, os.SEEK_CUR)
    raise PictureError("the JPEG has no frame")


_READERS: Final = {"image/png": _png, "image/gif": _gif, "image/webp": _webp, "image/jpeg": _jpeg}
