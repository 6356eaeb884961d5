"""Content of media files, decrypted piece by piece."""

import os

import pytest

from recording.files.encryption import RECORD_OCTETS, FileCipher
from recording.files.media_file import writer
from signaling.recordings.storage.address import DamagedFileError, StorageError
from signaling.recordings.storage.content import PIECE_OCTETS, PartFile, content

CIPHER = FileCipher(bytes(32), "00" * 16, "rec_1/film.mp4")
TEXT = os.urandom(2 * PIECE_OCTETS + 5)


class FakeArchive:
    def __init__(self, data):
        self.data, self.ranges = data, []

    async def read(self, _path, start, end):
        self.ranges.append((start, end))
        for at in range(start, end, 1 << 19):
            yield self.data[at : min(at + (1 << 19), end)]


@pytest.fixture(params=["folder", "bucket"])
def kept(request, tmp_path):
    """(the file, its archive or None, a function that changes one octet) of `TEXT`, encrypted."""
    path = tmp_path / "film.mp4"
    with path.open("wb+") as file:
        writer(file.fileno(), CIPHER).write(TEXT, 0)
    data = bytearray(path.read_bytes())
    is_here = request.param == "folder"
    archive = None if is_here else FakeArchive(data)

    def damage(at):
        data[at] ^= 1
        path.write_bytes(data)

    return PartFile(path, "video/mp4", None if is_here else len(data), CIPHER), archive, damage


async def read(found, archive, start, end, **options):
    return b"".join([piece async for piece in content(found, archive, start, end, **options)])


async def test_any_range_is_decrypted(kept):
    found, archive, _ = kept
    assert found.octets() == len(TEXT)
    for start, end in (
        (0, len(TEXT)),
        (5, 6),
        (PIECE_OCTETS - 1, PIECE_OCTETS + 1),
        (len(TEXT) - 3, len(TEXT)),
    ):
        assert await read(found, archive, start, end) == TEXT[start:end]
    if archive is not None:
        assert archive.ranges[-1] == (found.stored - 29, found.stored)


async def test_a_damaged_record_is_told_or_becomes_zeros(kept):
    found, archive, damage = kept
    damage(RECORD_OCTETS + 100)
    with pytest.raises(DamagedFileError, match=r"record 1 of rec_1/film\.mp4 is damaged"):
        await read(found, archive, 0, len(TEXT))
    filled = await read(found, archive, 0, len(TEXT), zeros=True)
    assert len(filled) == len(TEXT)
    assert sum(a != b for a, b in zip(filled, TEXT, strict=True)) <= RECORD_OCTETS


async def test_a_file_that_is_too_short_or_nowhere_is_told(kept):
    found, archive, _ = kept
    with pytest.raises(StorageError, match="shorter than expected"):
        await read(found, archive, 0, len(TEXT) + 1)
    if archive is None:
        found.path.unlink()
    with pytest.raises(StorageError):
        await read(found, None, 0, 1)
