"""The child process that turns a PDF into images and text: `python -m signaling.teaching.files.pdf_pages FILE FOLDER`.

The content of a PDF is hostile until proven otherwise, and its renderer is native code. It runs here without secrets in
the environment, at low priority, and the kernel ends it when it uses too much CPU time, memory or disk.

FOLDER gets `1.webp`, `2.webp`, ... and `text.json`, a list with one text for each page. The exit status is one of
`Exit`; a negative one is the signal with which a limit ended the process.
"""

import json
import os
import signal
import sys
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from signaling.teaching.children.limits import limit_resources

if TYPE_CHECKING:
    import PIL.Image

MAX_PAGES: Final = 300  # as classroom.limits.DECK_PAGES

# The longer side of an image in pixels: sharp on a screen of 1920 pixels with the panels beside it.
LONGER_SIDE: Final = 1600
QUALITY: Final = 80
# libwebp's effort, 0 to 6: a page of noise took 0.25 s and 766 kB, and with the default 4 it took 0.35 s and 758 kB.
EFFORT: Final = 2

# 300 pages with one line of text took 14 s of a core on 2026-11-28, and one page with a scan of 100 megapixels 0.7 s.
CPU_S: Final = 240
PAGE_CPU_S: Final = 10.0
# A page with a grey scan of 100 megapixels needed 241 MB of resident memory; addresses are several times as many.
MEMORY_BYTES: Final = 1536 * 2**20
IMAGE_BYTES: Final = 8 * 2**20
DECK_BYTES: Final = 200 * 2**20
TEXT_CHARS: Final = 20_000


class Exit(IntEnum):
    """How the process ended."""

    DONE = 0
    UNREADABLE = 10
    ENCRYPTED = 11
    TOO_MANY_PAGES = 12
    TOO_LARGE = 13


def convert(source: Path, folder: Path) -> Exit:
    """Write the images and the text. OSError when the disk fails or an image is too large."""
    import pypdfium2  # noqa: PLC0415 - the server imports this module for its constants alone

    try:
        document = pypdfium2.PdfDocument(source)
        count = len(document)
    except pypdfium2.PdfiumError as error:
        # FPDF_ERR_PASSWORD of fpdfview.h.
        return Exit.ENCRYPTED if getattr(error, "err_code", None) == 4 else Exit.UNREADABLE
    if not 1 <= count <= MAX_PAGES:
        return Exit.TOO_MANY_PAGES if count else Exit.UNREADABLE
    texts, size = [], 0
    for index in range(count):
        # What the timer does by default is to end the process.
        signal.setitimer(signal.ITIMER_PROF, PAGE_CPU_S)
        try:
            image, text = _page(document[index])
        except pypdfium2.PdfiumError:
            return Exit.UNREADABLE
        target = folder / f"{index + 1}.webp"
        image.save(target, "WEBP", quality=QUALITY, method=EFFORT)
        texts.append(text)
        size += target.stat().st_size
        if size > DECK_BYTES:
            return Exit.TOO_LARGE
    (folder / "text.json").write_text(json.dumps(texts), encoding="utf-8")
    return Exit.DONE


def _page(page: Any) -> "tuple[PIL.Image.Image, str]":
    width, height = page.get_size()
    image = page.render(scale=LONGER_SIDE / max(width, height, 1)).to_pil().convert("RGB")
    text_page = page.get_textpage()
    # A character more than needed is as long as the text may be; what is behind is not read out of the page.
    text = text_page.get_text_range(0, min(text_page.count_chars(), TEXT_CHARS), errors="replace")
    page.close()
    return image, text.replace("\0", "")


def main(arguments: list[str]) -> int:
    """Convert one file and return the exit status."""
    os.nice(10)
    limit_resources(CPU_S, MEMORY_BYTES, IMAGE_BYTES)
    source, folder = map(Path, arguments)
    try:
        return convert(source, folder)
    except (OSError, MemoryError):
        return Exit.TOO_LARGE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
