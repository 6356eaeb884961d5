import pytest
from PIL import Image
from pypdfium2 import PdfDocument

from classroom import limits
from signaling.teaching.boards.items import read_item
from signaling.teaching.boards.pictures import pdf_image
from tests.signaling.pictures import picture, png_bomb
from tests.signaling.teaching.boards.test_board_pdf import picture_item


@pytest.fixture
def made(tmp_path):
    """The object of a PDF for the bytes of a file, at a place of 100 by 50 units."""

    def make(content, *corners):
        path = tmp_path / "file"
        path.write_bytes(content)
        item = read_item(picture_item("f", *(corners or (0, 0, 100, 50))))
        document = PdfDocument.new()
        image = pdf_image(document, item, {"f": str(path)})
        if image is not None:
            page = document.new_page(100, 100)
            page.insert_obj(image)
        return image

    return make


def test_photographs_stay_jpeg_and_drawings_stay_lossless(made):
    assert made(picture("JPEG", (40, 20))).get_filters() == ["DCTDecode"]
    assert made(picture("WEBP", (40, 20))).get_filters() == ["DCTDecode"]
    assert "DCTDecode" not in made(picture("PNG", (40, 20))).get_filters()


def test_an_image_has_the_pixels_that_its_place_needs(made):
    assert made(picture("JPEG", (4_000, 2_000))).get_px_size() == (132, 66)
    assert made(picture("PNG", (40, 20))).get_px_size() == (40, 20)


def test_a_photograph_taken_upright_is_upright(made):
    """Phones store how the camera was held (Exif, orientation)."""
    exif = Image.Exif()
    exif[0x0112] = 6
    assert made(picture("JPEG", (40, 20), exif=exif.tobytes())).get_px_size() == (20, 40)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        picture("PNG", (400, 400))[:-200],
        picture("BMP"),
        picture("GIF"),
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    ],
)
def test_what_is_no_image_is_left_out(made, content):
    assert made(content) is None


def test_an_image_with_too_many_pixels_is_not_decoded(made, monkeypatch):
    def load(*_arguments):
        raise AssertionError

    monkeypatch.setattr(Image.Image, "load", load)
    bomb = png_bomb(10_000, 5_001)
    assert limits.IMAGE_PIXELS < 10_000 * 5_001
    assert made(bomb) is None


def test_a_file_that_is_gone_is_left_out():
    item = read_item(picture_item("f", 0, 0, 100, 50))
    assert pdf_image(PdfDocument.new(), item, {}) is None
    assert pdf_image(PdfDocument.new(), item, {"f": "/nowhere/at/all"}) is None
