"""Images, made by Pillow."""

import io
import struct
import zlib

from PIL import Image

RED = (192, 39, 29)


def picture(kind="PNG", size=(8, 4), colour=RED, mode="RGB", **options):
    """An image of one colour."""
    out = io.BytesIO()
    Image.new(mode, size, colour).save(out, kind, **options)
    return out.getvalue()


def png_bomb(width=20_000, height=20_000):
    """A PNG with rows of one bit for each pixel: 20,000 by 20,000 pixels in 49 kB."""

    def chunk(name, content):
        checksum = zlib.crc32(name + content)
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes((1 + (width + 7) // 8) * height), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
