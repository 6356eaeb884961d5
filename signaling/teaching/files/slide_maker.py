"""Slides out of PDF files: one child process at a time makes images and text (`signaling.teaching.files.pdf_pages`)."""

import asyncio
import json
import shutil
from pathlib import Path
from typing import Final

from classroom import limits
from signaling.errors import SignalingError
from signaling.store.blobs import BlobFolder
from signaling.teaching.children import child
from signaling.teaching.files.pdf_pages import Exit

# Wall-clock time of one conversion; its CPU time has a limit of its own.
TIMEOUT_S: Final = 900.0

# Conversions that wait for their turn, of all tenants.
MAX_WAITING: Final = 8

_TEXT_FILE: Final = "text.json"

_REFUSALS: Final = {
    Exit.UNREADABLE: ("bad_pdf", "The file is not a readable PDF."),
    Exit.ENCRYPTED: ("pdf_encrypted", "The PDF has a password."),
    Exit.TOO_MANY_PAGES: ("too_many_pages", f"A deck may have {limits.DECK_PAGES} pages at most."),
    Exit.TOO_LARGE: ("pdf_too_costly", "The images of the pages are too large together."),
}
_TOO_COSTLY: Final = "pdf_too_costly", "The pages take too much time or memory."


class SlideError(SignalingError):
    """The PDF cannot be converted to slides."""

    def __init__(self, code: str, text: str) -> None:
        """`code` is stable."""
        super().__init__(text)
        self.code = code


class SlideMaker:
    """Converts one file after the other."""

    def __init__(self, blobs: BlobFolder, timeout_s: float = TIMEOUT_S) -> None:
        """Images are stored in `blobs`."""
        self._blobs = blobs
        self._timeout_s = timeout_s
        self._turn = asyncio.Lock()
        self._waiting = 0

    async def make(self, source: Path, target: Path) -> int:
        """Convert a PDF, give the folder of its pages the name `target`, return their number. SlideError, OSError."""
        if self._waiting >= MAX_WAITING:
            raise SlideError("too_many_conversions", "Other slides are being made; repeat the call later.")
        self._waiting += 1
        try:
            async with self._turn:
                return await self._convert(source, target)
        finally:
            self._waiting -= 1

    async def _convert(self, source: Path, target: Path) -> int:
        folder = await asyncio.to_thread(self._blobs.draft_folder)
        try:
            status, _output = await child.run(
                "signaling.teaching.files.pdf_pages", str(source), str(folder), timeout_s=self._timeout_s
            )
            if status != Exit.DONE:
                known = status in set(Exit)
                raise SlideError(*(_REFUSALS[Exit(status)] if known else _TOO_COSTLY))
            pages = len(json.loads((folder / _TEXT_FILE).read_bytes()))
            await asyncio.to_thread(_name, folder, target)
            return pages
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


def _name(folder: Path, target: Path) -> None:
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.replace(target)


def page_image(folder: Path, page: int) -> Path:
    """Return where the image of a page is, from 1."""
    return folder / f"{page}.webp"


def page_texts(folder: Path) -> list[str]:
    """Return the text of each page. OSError."""
    texts: list[str] = json.loads((folder / _TEXT_FILE).read_bytes())
    return texts
