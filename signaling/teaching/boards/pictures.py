"""Images of a whiteboard in its PDF: decoded by Pillow and scaled to what a page shows, in the child process alone."""

import io
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from classroom import limits
from signaling.teaching.boards.items import IMAGES, Item

if TYPE_CHECKING:
    import PIL.Image

MAX_ON_PAGE: Final = 50
"Further images of a page are left out, here and in browsers (`items.ts`): every viewer has them in memory."

# Pixels for each unit of the page: 160 dots per inch of the PDF, which is sharp on screens and on paper.
_PIXELS: Final = 1.33
_QUALITY: Final = 85


def pdf_image(document: Any, item: Item, paths: Mapping[str, str]) -> Any:
    """Return a PdfImage with the file that an item shows; None if there is no such file, or it cannot be decoded.

    `document` is a PdfDocument, `paths` has the file's path by its id. The caller sets the image's place.
    """
    import pypdfium2  # noqa: PLC0415 - the server imports this module for its names alone

    decoded = _decoded(item, paths.get(item.file, ""))
    if decoded is None:
        return None
    picture, is_photograph = decoded
    image = pypdfium2.PdfImage.new(document)
    if is_photograph:
        content = io.BytesIO()
        picture.save(content, "JPEG", quality=_QUALITY)
        image.load_jpeg(content, inline=True)
    else:
        image.set_bitmap(pypdfium2.PdfBitmap.from_pil(picture))
    return image


def _decoded(item: Item, path: str) -> "tuple[PIL.Image.Image, bool] | None":
    """Return a file's pixels, as many as its place needs, and whether JPEG suits them."""
    from PIL import Image, ImageOps  # noqa: PLC0415 - as above

    formats = [kind.partition("/")[2].upper() for kind in IMAGES]
    (left, top), (right, bottom) = item.points
    wanted = max(1, round((right - left) * _PIXELS)), max(1, round((bottom - top) * _PIXELS))
    # Decoders raise errors of many kinds for damaged files.
    with suppress(Exception), Image.open(path, formats=formats) as file:
        if file.width * file.height > limits.IMAGE_PIXELS:
            return None
        # JPEG is decoded at a half, a quarter or an eighth if that is enough, whichever way the image is turned.
        file.draft("RGB", (max(wanted), max(wanted)))
        picture = ImageOps.exif_transpose(file)
        transparent = picture.has_transparency_data
        picture = picture.convert("RGBA" if transparent else "RGB")
        picture.thumbnail((min(wanted[0], picture.width), min(wanted[1], picture.height)))
        return picture, not transparent and file.format != "PNG"
    return None
