"""Headers of images, as each of the kinds that sessions have."""

import contextlib
import io

from signaling.teaching.files.picture_size import PictureError, read_size
from tests.signaling.pictures import picture

KINDS = ("image/png", "image/gif", "image/jpeg", "image/webp")


def seeds():
    clear = {"mode": "RGBA", "colour": (1, 2, 3, 128)}
    return [
        *(picture(kind) for kind in ("PNG", "GIF", "JPEG", "WEBP")),
        picture("WEBP", lossless=True),
        picture("WEBP", **clear),
        picture("JPEG", exif=b"Exif\0\0" + bytes(200), progressive=True),
    ]


def make():
    def feed(data):
        for kind in KINDS:
            with contextlib.suppress(PictureError):
                read_size(io.BytesIO(data), kind)

    return feed
