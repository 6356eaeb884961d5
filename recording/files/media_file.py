"""Media files, encrypted or not: writing at any place, and reading ranges. Blocking."""

import io
import mmap
import os
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from recording.containers.recovery import Place, Tail, recover, recovery_start
from recording.files.encryption import CONTENT_OCTETS, RECORD_OCTETS, FileCipher, content_octets, file_range
from recording.files.layout import DamagedError, FilmInfo, LayoutError, PartInfo, read_json, write_all

# A reader may see a record half replaced by the recorder; a damaged one stays so.
_ATTEMPTS: Final = 4
# <recording>/tracks/0001/0001.webm
_PART_DEPTH: Final = 4
# <recording>/film.mp4
_FILM_DEPTH: Final = 2


class PlainWriter:
    """A file without encryption."""

    def __init__(self, descriptor: int) -> None:
        """Write to an empty file, which the caller closes."""
        self._file = descriptor
        self.size = 0

    def write(self, data: bytes, offset: int) -> None:
        """Write octets at an offset, which is at most the size. OSError."""
        write_all(self._file, data, offset)
        self.size = max(self.size, offset + len(data))

    def read(self, start: int, end: int) -> bytes:
        """Return octets that were written. OSError."""
        return os.pread(self._file, end - start, start)


class EncryptedWriter:
    """A file whose records are encrypted; a record that changes is encrypted and written again."""

    def __init__(self, descriptor: int, cipher: FileCipher) -> None:
        """Write to an empty file, which the caller closes; the cipher must have no other writer."""
        self._file = descriptor
        self._cipher = cipher
        self._counter = 0
        self._last = b""
        "Content of the last record, while it is not full."
        self.size = 0
        "Of the content."

    def write(self, data: bytes, offset: int) -> None:
        """Write octets of the content at an offset, which is at most the size. OSError, DamagedError."""
        if not data:
            return
        first, before = divmod(offset, CONTENT_OCTETS)
        end = offset + len(data)
        last_full, after = divmod(end, CONTENT_OCTETS)
        whole = self._content(first)[:before] + data
        if after and end < self.size:
            whole += self._content(last_full)[after:]
        octets = bytearray()
        view = memoryview(whole)
        for at in range(0, len(view), CONTENT_OCTETS):
            self._counter += 1
            number = first + at // CONTENT_OCTETS
            octets += self._cipher.encrypt(number, self._counter, view[at : at + CONTENT_OCTETS])
        write_all(self._file, octets, first * RECORD_OCTETS)
        if end >= self.size:
            self.size = end
            self._last = whole[len(whole) - after :] if after else b""
        elif first * CONTENT_OCTETS + len(whole) == self.size:
            rest = self.size % CONTENT_OCTETS
            self._last = whole[len(whole) - rest :] if rest else b""

    def read(self, start: int, end: int) -> bytes:
        """Return octets of the content. OSError, DamagedError."""
        first, last = file_range(start, end)
        octets = os.pread(self._file, last - first, first)
        return self._cipher.content(octets, first // RECORD_OCTETS, start, end)

    def _content(self, number: int) -> bytes:
        if number == self.size // CONTENT_OCTETS:
            return self._last
        return self.read(number * CONTENT_OCTETS, (number + 1) * CONTENT_OCTETS)


class EncryptedFile(io.RawIOBase):
    """A new encrypted file with the interface of Python's files, for a muxer that goes back to write a header."""

    def __init__(self, path: Path, cipher: FileCipher) -> None:
        """Make the file, or empty it. OSError."""
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640)
        self._writer = EncryptedWriter(self._file, cipher)
        self._at = 0

    def writable(self) -> bool:
        """Always writable."""
        return True

    def seekable(self) -> bool:
        """Always seekable."""
        return True

    def tell(self) -> int:
        """Return the place of the next octet."""
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place in the file."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._writer.size}[whence]
        self._at = base + offset
        return self._at

    def write(self, data: Any) -> int:
        """Write all octets. OSError."""
        octets = bytes(data)
        self._writer.write(octets, self._at)
        self._at += len(octets)
        return len(octets)

    def close(self) -> None:
        """Sync and close the file. OSError."""
        if not self.closed:
            super().close()
            try:
                os.fsync(self._file)
            finally:
                os.close(self._file)


MediaWriter = PlainWriter | EncryptedWriter


def writer(descriptor: int, cipher: FileCipher | None) -> MediaWriter:
    """Return what writes to an empty file, encrypted if there is a cipher."""
    return PlainWriter(descriptor) if cipher is None else EncryptedWriter(descriptor, cipher)


def size_of(file_octets: int, cipher: FileCipher | None) -> int:
    """Return the length of the content of a file of so many octets."""
    return file_octets if cipher is None else content_octets(file_octets)


def read_range(file: int, cipher: FileCipher | None, start: int, end: int, *, zeros: bool = False) -> bytes:
    """Return the content of an open file from `start` to `end`, or to its end; `zeros` as in `FileCipher.content`.

    OSError, DamagedError.
    """
    if cipher is None:
        end = min(end, os.fstat(file).st_size)
        return os.pread(file, max(end - start, 0), start)
    first, last = file_range(start, end)
    for attempt in range(_ATTEMPTS):
        octets = os.pread(file, min(last, os.fstat(file).st_size) - first, first) if last > first else b""
        final = attempt == _ATTEMPTS - 1
        try:
            return cipher.content(octets, first // RECORD_OCTETS, start, end, zeros=zeros and final)
        except DamagedError:
            if final:
                raise
    raise AssertionError("unreachable")


def read_path(path: Path, cipher: FileCipher | None, start: int, length: int) -> bytes:
    """Return so many octets of a file's content. DamagedError, LayoutError."""
    try:
        with path.open("rb") as file:
            data = read_range(file.fileno(), cipher, start, start + length)
    except OSError as error:
        raise LayoutError(f"{path.name} cannot be read: {error}") from error
    if len(data) != length:
        raise DamagedError(f"{path.name} is truncated")
    return data


def part_cipher(path: Path, info: PartInfo, key: bytes) -> FileCipher | None:
    """Return the cipher of a part's file; None if it is not encrypted. LayoutError."""
    return FileCipher(key, info.salt, "/".join(path.parts[-_PART_DEPTH:])) if info.salt else None


def film_description(path: Path) -> Path:
    """Return the path of the description of an encrypted film."""
    return path.with_suffix(".json")


def film_cipher_of(path: Path, salt: str, key: bytes) -> FileCipher:
    """Return the cipher of a film with this salt. LayoutError."""
    return FileCipher(key, salt, "/".join(path.parts[-_FILM_DEPTH:]))


def film_cipher(path: Path, key: bytes) -> FileCipher | None:
    """Return the cipher of a film; None if it is not encrypted. LayoutError."""
    description = film_description(path)
    if not description.exists():
        return None
    return film_cipher_of(path, read_json(description, FilmInfo).salt, key)


def recover_part(file: int, cipher: FileCipher | None, container: ModuleType, place: Place) -> Tail | None:
    """Return what an open part has beyond its index; None for an empty file. OSError."""
    octets = os.fstat(file).st_size
    if not octets:
        return None
    if cipher is None:
        with mmap.mmap(file, 0, access=mmap.ACCESS_READ) as data, memoryview(data) as view:
            return recover(view, container, place)
    start = recovery_start(place)
    return recover(memoryview(_intact(file, cipher, start)), container, place, start)


def _intact(file: int, cipher: FileCipher, start: int) -> bytes:
    """Return the content from `start` to the end, or to the first record that is torn or damaged."""
    found = bytearray()
    end = content_octets(os.fstat(file).st_size)
    while start < end:
        upto = min((start // CONTENT_OCTETS + 1) * CONTENT_OCTETS, end)
        try:
            found += read_range(file, cipher, start, upto)
        except DamagedError:
            break
        start = upto
    return bytes(found)
