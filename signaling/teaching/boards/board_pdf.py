"""The child process that writes a whiteboard as a PDF: `python -m signaling.teaching.boards.board_pdf`.

Updates and images come from browsers, and the libraries that decode them and write the PDF are native code. Standard
input is a MessagePack `Board`; standard output is the PDF. Strokes and shapes are paths, and texts are text, so that
the PDF can be enlarged and searched. The kernel ends the process when it exceeds its limits.
"""

import ctypes
import io
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from enum import IntEnum
from pathlib import Path
from typing import Any, Final

import msgspec

from signaling.teaching.boards.items import HEIGHT, WIDTH, Item, Point, line_height, read_item
from signaling.teaching.boards.pictures import MAX_ON_PAGE, pdf_image
from signaling.teaching.children.limits import limit_resources

# The fullest board (34 MiB of updates, 60,000 pieces of strokes on 12 pages) took 11 s and 283 MiB on 2026-11-29.
CPU_S: Final = 60
MEMORY_BYTES: Final = 1024 * 2**20
# A board of 32 MiB is a smaller PDF, because its streams are compressed.
MAX_PDF_BYTES: Final = 64 * 2**20

# Points (1/72 inch) for each unit: a page is as large as a slide of 13.3 by 7.5 inches.
_SCALE: Final = 0.6
# Distance of the control points from the ends of the four Bézier curves that are next to a circle of radius 1.
_ARC: Final = 0.5522847498
# From the top of a line to its baseline, in heights of the line: the ascent of common sans-serif fonts.
_ASCENT: Final = 0.8
_LINE: Final = 1.2

# For text beyond Windows-1252, which PDF's own Helvetica has: the first of these that the machine has.
FONTS: Final = (
    Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"),
    Path("/usr/share/fonts/dejavu-sans-fonts/DejaVuSans.ttf"),
    Path("/usr/share/fonts/dejavu/DejaVuSans.ttf"),
    Path("/usr/share/fonts/TTF/DejaVuSans.ttf"),
    Path("/usr/share/fonts/truetype/noto/NotoSans-Regular.ttf"),
    Path("/usr/share/fonts/truetype/freefont/FreeSans.ttf"),
)


class Exit(IntEnum):
    """Exit status of the process."""

    DONE = 0
    TOO_LARGE = 4


class Board(msgspec.Struct, frozen=True):
    """What is exported."""

    pages: list[list[bytes]]
    "The updates of each page."
    images: dict[str, str] = {}
    "Paths of the files that images may show, by id."


def items_of(updates: Sequence[bytes], transactions: ExitStack) -> Iterator[Item]:
    """Yield what is drawn on a page; updates that cannot be decoded and values that are no items are left out.

    The page is read in a transaction that stays open in `transactions`: the commit joins neighbouring items one by one,
    and needs 600 MB for 5,000 of them (pycrdt 0.14).
    """
    from pycrdt import Array, Doc  # noqa: PLC0415 - the server imports this module for its names alone

    document: Any = Doc()
    array: Any = document.get("items", type=Array)
    transactions.enter_context(document.transaction())
    for update in updates:
        # Panics of the library derive from BaseException.
        with suppress(BaseException):
            document.apply_update(update)
    for value in array.to_py() or ():
        item = read_item(value)
        if item is not None:
            yield item


class PdfWriter:
    """Writes pages with PDFium's functions for editing."""

    def __init__(self, fonts: Iterable[Path] = FONTS, images: Mapping[str, str] | None = None) -> None:
        """Begin an empty document. `images` has the paths of the files that images may show, by id."""
        import pypdfium2  # noqa: PLC0415 - as above

        self._pdfium: Any = pypdfium2.raw
        self._document = pypdfium2.PdfDocument.new()
        self._images = images or {}
        self._latin = self._pdfium.FPDFText_LoadStandardFont(self._document, b"Helvetica")
        self._fonts = fonts
        self._other: Any = None
        self._buffers: list[Any] = []

    def add_page(self, items: Iterable[Item]) -> None:
        """Add a page."""
        page, images = self._document.new_page(WIDTH * _SCALE, HEIGHT * _SCALE), 0
        for item in items:
            if item.kind == "image":
                images += 1
                if images <= MAX_ON_PAGE:
                    self._add_image(page, item)
                continue
            for made in self._texts(item) if item.kind == "text" else [self._path(item)]:
                self._pdfium.FPDFPage_InsertObject(page, made)
        page.gen_content()
        page.close()

    def save(self) -> bytes:
        """Return the document."""
        output = io.BytesIO()
        self._document.save(output, flags=self._pdfium.FPDF_SUBSET_NEW_FONTS)
        return output.getvalue()

    def _add_image(self, page: Any, item: Item) -> None:
        image = pdf_image(self._document, item, self._images)
        if image is None:
            return
        left, top = _on_paper(item.points[0])
        right, bottom = _on_paper(item.points[1])
        # An image fills the unit square of its own coordinates (ISO 32000-1, 8.9.5.1).
        self._pdfium.FPDFImageObj_SetMatrix(image, right - left, 0, 0, top - bottom, left, bottom)
        page.insert_obj(image)

    def _path(self, item: Item) -> Any:
        pdfium = self._pdfium
        points = [_on_paper(each) for each in item.points]
        path = pdfium.FPDFPageObj_CreateNewPath(*points[0])
        if item.kind == "rect":
            (left, top), (right, bottom) = points[0], points[-1]
            for corner in ((right, top), (right, bottom), (left, bottom)):
                pdfium.FPDFPath_LineTo(path, *corner)
            pdfium.FPDFPath_Close(path)
        elif item.kind == "ellipse":
            start, *curves = _ellipse(points[0], points[-1])
            pdfium.FPDFPath_MoveTo(path, *start)
            for curve in curves:
                pdfium.FPDFPath_BezierTo(path, *curve)
            pdfium.FPDFPath_Close(path)
        else:
            # A single point is a dot: a line without length that has round ends.
            for each in points[1:] or points:
                pdfium.FPDFPath_LineTo(path, *each)
        pdfium.FPDFPageObj_SetStrokeColor(path, *item.colour, 255)
        pdfium.FPDFPageObj_SetStrokeWidth(path, item.width * _SCALE)
        pdfium.FPDFPageObj_SetLineCap(path, pdfium.FPDF_LINECAP_ROUND)
        pdfium.FPDFPageObj_SetLineJoin(path, pdfium.FPDF_LINEJOIN_ROUND)
        pdfium.FPDFPath_SetDrawMode(path, pdfium.FPDF_FILLMODE_NONE, 1)
        return path

    def _texts(self, item: Item) -> Iterator[Any]:
        """Yield an object for each line of a text."""
        pdfium, size = self._pdfium, line_height(item.width)
        x, y = item.points[0]
        for number, line in enumerate(item.text.split("\n")):
            shown = "".join(each for each in line if each.isprintable())
            if not shown:
                continue
            font, shown = self._font_for(shown)
            text = pdfium.FPDFPageObj_CreateTextObj(self._document, font, size * _SCALE)
            pdfium.FPDFText_SetText(text, self._wide(shown))
            pdfium.FPDFPageObj_SetFillColor(text, *item.colour, 255)
            left, baseline = _on_paper((x, y + number * size * _LINE + size * _ASCENT))
            pdfium.FPDFPageObj_Transform(text, 1, 0, 0, 1, left, baseline)
            yield text

    def _font_for(self, text: str) -> tuple[Any, str]:
        """Return a font for a text, and the text as this font can show it."""
        try:
            text.encode("cp1252")
        except UnicodeEncodeError:
            other = self._load_other()
            return (
                (self._latin, text.encode("cp1252", "replace").decode("cp1252"))
                if not other
                else (other, text)
            )
        return self._latin, text

    def _load_other(self) -> Any:
        """Return a font of this machine; False if it has none of those known here."""
        if self._other is None:
            self._other = False
            for path in self._fonts:
                with suppress(OSError):
                    data = path.read_bytes()
                    buffer = (ctypes.c_uint8 * len(data)).from_buffer_copy(data)
                    kind = self._pdfium.FPDF_FONT_TRUETYPE
                    font = self._pdfium.FPDFText_LoadFont(self._document, buffer, len(data), kind, 1)
                    if font:
                        self._buffers.append(buffer)
                        self._other = font
                        break
        return self._other

    def _wide(self, text: str) -> Any:
        """Return a text as PDFium takes it: UTF-16LE with a zero at its end."""
        buffer = ctypes.create_string_buffer((text + "\0").encode("utf-16-le", "replace"))
        self._buffers[1:] = [buffer]
        return ctypes.cast(buffer, ctypes.POINTER(self._pdfium.FPDF_WCHAR))


def _on_paper(point: Point) -> Point:
    """Return a point of the page in PDF's coordinates, whose origin is the lower left corner."""
    return point[0] * _SCALE, (HEIGHT - point[1]) * _SCALE


def _ellipse(first: Point, last: Point) -> list[tuple[float, ...]]:
    """Return the start of an ellipse between two corners, and the coordinates of its four Bézier curves."""
    x, y = (first[0] + last[0]) / 2, (first[1] + last[1]) / 2
    a, b = abs(last[0] - first[0]) / 2, abs(last[1] - first[1]) / 2
    c, d = a * _ARC, b * _ARC
    return [
        (x + a, y),
        (x + a, y + d, x + c, y + b, x, y + b),
        (x - c, y + b, x - a, y + d, x - a, y),
        (x - a, y - d, x - c, y - b, x, y - b),
        (x + c, y - b, x + a, y - d, x + a, y),
    ]


def main() -> int:
    """Write the board on standard input as a PDF; return the exit status."""
    limit_resources(CPU_S, MEMORY_BYTES)
    board = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Board)
    writer, transactions = PdfWriter(images=board.images), ExitStack()
    for updates in board.pages:
        writer.add_page(items_of(updates, transactions))
    content = writer.save()
    if len(content) > MAX_PDF_BYTES:
        return Exit.TOO_LARGE
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()
    # Without a commit of the transactions.
    os._exit(Exit.DONE)


if __name__ == "__main__":
    sys.exit(main())
