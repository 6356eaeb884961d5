import io

import pytest

from signaling.teaching.files.picture_size import PictureError, picture_size, read_size
from tests.signaling.pictures import picture, png_bomb

CLEAR = {"mode": "RGBA", "colour": (1, 2, 3, 128)}


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("image/png", picture("PNG", (300, 70))),
        ("image/gif", picture("GIF", (300, 70))),
        ("image/jpeg", picture("JPEG", (300, 70))),
        ("image/jpeg", picture("JPEG", (300, 70), progressive=True, exif=b"Exif\0\0" + bytes(5_000))),
        ("image/webp", picture("WEBP", (300, 70))),
        ("image/webp", picture("WEBP", (300, 70), lossless=True)),
        ("image/webp", picture("WEBP", (300, 70), **CLEAR)),
        ("image/webp", picture("WEBP", (300, 70), exif=b"Exif\0\0" + bytes(100))),
    ],
)
def test_the_size_is_that_of_the_header(kind, content, tmp_path):
    path = tmp_path / "image"
    path.write_bytes(content)
    assert picture_size(path, kind) == (300, 70)


def test_a_fill_byte_before_a_marker_of_a_jpeg_is_skipped():
    content = picture("JPEG", (300, 70))
    assert read_size(io.BytesIO(content[:2] + b"\xff" + content[2:]), "image/jpeg") == (300, 70)


def test_a_small_file_with_many_pixels_states_them():
    content = png_bomb()
    assert len(content) < 60_000
    assert read_size(io.BytesIO(content), "image/png") == (20_000, 20_000)


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("image/png", b"\x89PNG\r\n\x1a\n" + bytes(100)),
        ("image/png", picture("PNG")[:20]),
        ("image/png", picture("PNG").replace(b"IHDR\0\0\0\x08", b"IHDR\0\0\0\0")),
        ("image/gif", b"GIF89a\1"),
        ("image/jpeg", b"\xff\xd8\xff"),
        ("image/jpeg", b"\xff\xd8" + b"\xff\xe0\0\2" * 2_000),
        ("image/jpeg", b"\xff\xd8\xff\xe0\0\1" + bytes(50)),
        ("image/jpeg", b"\xff\xd8\xff\xda\0\2" + picture("JPEG")),
        ("image/webp", b"RIFF\0\0\0\0WEBPALPH" + bytes(50)),
        ("image/webp", b"RIFF\0\0\0\0WEBPVP8 " + bytes(50)),
        ("image/webp", b"RIFF\0\0\0\0WEBPVP8L\0"),
        ("image/bmp", b"BM" + bytes(50)),
    ],
)
def test_an_image_without_a_size_is_refused(kind, content):
    with pytest.raises(PictureError):
        read_size(io.BytesIO(content), kind)
