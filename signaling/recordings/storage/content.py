"""The content of media files, decrypted, from the folder or from the bucket."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from recording.files.encryption import CONTENT_OCTETS, RECORD_OCTETS, FileCipher, file_range
from recording.files.layout import DamagedError, LayoutError
from recording.files.media_file import read_range, size_of
from signaling.recordings.storage.address import DamagedFileError, StorageError

if TYPE_CHECKING:
    from signaling.recordings.storage.archive import Archive

# About a mebibyte, in whole records.
PIECE_OCTETS: Final = (1 << 20) // RECORD_OCTETS * CONTENT_OCTETS


@dataclass(frozen=True, slots=True)
class PartFile:
    """A media file."""

    path: Path
    mime_type: str
    stored: int | None = None
    "Octets of the file if it is in the bucket and not here; None: it is here."
    cipher: FileCipher | None = None
    "None: the file is not encrypted."

    def octets(self) -> int:
        """Return the length of the content. OSError."""
        return size_of(self.path.stat().st_size if self.stored is None else self.stored, self.cipher)


def read_piece(found: PartFile, start: int, end: int, *, zeros: bool = False) -> bytes:
    """Return a range of the content of a file in the folder; `zeros` replace damaged records. OSError, DamagedError."""
    with found.path.open("rb") as file:
        return read_range(file.fileno(), found.cipher, start, end, zeros=zeros)


async def content(
    found: PartFile, archive: "Archive | None", start: int, end: int, *, zeros: bool = False
) -> AsyncIterator[bytes]:
    """Yield the content from `start` to `end` in pieces; `zeros` replace damaged records. StorageError."""
    while start < end:
        upto = min((start // PIECE_OCTETS + 1) * PIECE_OCTETS, end)
        try:
            if found.stored is None:
                piece = await asyncio.to_thread(read_piece, found, start, upto, zeros=zeros)
            else:
                piece = await _from_bucket(found, archive, start, upto, zeros=zeros)
        except DamagedError as error:
            raise DamagedFileError(str(error)) from error
        except (LayoutError, OSError) as error:
            raise StorageError(str(error)) from error
        if len(piece) != upto - start:
            raise StorageError(f"{found.path.name} is shorter than expected")
        yield piece
        start = upto


async def _from_bucket(
    found: PartFile, archive: "Archive | None", start: int, end: int, *, zeros: bool
) -> bytes:
    if archive is None or found.stored is None:
        raise StorageError("the file is in a bucket that this server does not use any more")
    first, last = (start, end) if found.cipher is None else file_range(start, end)
    octets = b"".join([piece async for piece in archive.read(found.path, first, min(last, found.stored))])
    if found.cipher is None:
        return octets
    return found.cipher.content(octets, first // RECORD_OCTETS, start, end, zeros=zeros)
