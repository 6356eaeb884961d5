"""Encrypted media files behave as plain ones do, at every place and for every order of writes."""

import io
import os
import random

import pytest

from recording.files.encryption import CONTENT_OCTETS, RECORD_OCTETS, FileCipher
from recording.files.layout import DamagedError, LayoutError
from recording.files.media_file import EncryptedFile, EncryptedWriter, read_path, read_range, size_of, writer

CIPHER = FileCipher(bytes(32), "00" * 16, "rec_1/film.mp4")


@pytest.fixture
def file(tmp_path):
    descriptor = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT)
    yield descriptor
    os.close(descriptor)


@pytest.mark.parametrize("cipher", [None, CIPHER], ids=["plain", "encrypted"])
@pytest.mark.parametrize("seed", range(5))
def test_any_writes_can_be_read_in_any_ranges(file, cipher, seed):
    randomness = random.Random(seed)
    model, written = bytearray(), writer(file, cipher)
    for _ in range(120):
        data = randomness.randbytes(randomness.choice([1, 4, 100, CONTENT_OCTETS, 3 * CONTENT_OCTETS - 1]))
        offset = randomness.choice([len(model), randomness.randrange(len(model) + 1)])
        written.write(data, offset)
        model[offset : offset + len(data)] = data
        start = randomness.randrange(len(model))
        end = start + randomness.randrange(2 * CONTENT_OCTETS)
        assert read_range(file, cipher, start, end) == model[start:end]
    assert written.size == len(model) == size_of(os.fstat(file).st_size, cipher)
    assert read_range(file, cipher, 0, 1 << 30) == model
    border = CONTENT_OCTETS
    for start, end in ((border - 1, border), (border, border + 1), (border - 1, border + 1), (0, border)):
        assert read_range(file, cipher, start, end) == written.read(start, end) == model[start:end]


def test_no_counter_occurs_twice(file):
    """A repeated nonce would tell the difference of two contents (NIST SP 800-38D, appendix A)."""
    counters, encrypt = [], CIPHER.encrypt

    class Counting:
        def encrypt(self, number, counter, content):
            counters.append(counter)
            return encrypt(number, counter, content)

        content = staticmethod(CIPHER.content)

    written = EncryptedWriter(file, Counting())
    for at in range(0, 9000, 100):
        written.write(bytes(100), at)
        written.write(b"1234", max(at - 4, 0))
    assert len(counters) == len(set(counters)) > 180
    assert size_of(os.fstat(file).st_size, CIPHER) == 9000


def test_a_flipped_bit_costs_one_record(tmp_path):
    path, content = tmp_path / "file", os.urandom(5 * CONTENT_OCTETS)
    with path.open("wb+") as file:
        writer(file.fileno(), CIPHER).write(content, 0)
        file.seek(2 * RECORD_OCTETS + 1000)
        octet = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([octet[0] ^ 1]))
    assert read_path(path, CIPHER, 0, 2 * CONTENT_OCTETS) == content[: 2 * CONTENT_OCTETS]
    assert read_path(path, CIPHER, 3 * CONTENT_OCTETS, 100) == content[3 * CONTENT_OCTETS :][:100]
    with pytest.raises(DamagedError, match=r"record 2 of rec_1/film\.mp4 is damaged"):
        read_path(path, CIPHER, 3 * CONTENT_OCTETS - 1, 1)
    with path.open("rb") as file:
        found = read_range(file.fileno(), CIPHER, 0, len(content), zeros=True)
    damaged = slice(2 * CONTENT_OCTETS, 3 * CONTENT_OCTETS)
    assert found[damaged] == bytes(CONTENT_OCTETS)
    assert (found[: damaged.start], found[damaged.stop :]) == (
        content[: damaged.start],
        content[damaged.stop :],
    )


def test_a_missing_or_truncated_file_is_told(tmp_path):
    path = tmp_path / "file"
    with pytest.raises(LayoutError, match="cannot be read"):
        read_path(path, CIPHER, 0, 1)
    with path.open("wb+") as file:
        writer(file.fileno(), CIPHER).write(bytes(100), 0)
    with pytest.raises(DamagedError, match="truncated"):
        read_path(path, CIPHER, 0, 101)


def test_a_record_that_is_being_replaced_is_read_again(file, monkeypatch):
    writer(file, CIPHER).write(b"content", 0)
    octets, reads = os.pread(file, 100, 0), []

    def torn(*_where):
        reads.append(1)
        return octets if len(reads) == 3 else octets[:20] + bytes(len(octets) - 20)

    monkeypatch.setattr(os, "pread", torn)
    assert read_range(file, CIPHER, 0, 7) == b"content"


def test_a_muxer_can_go_back(tmp_path):
    path = tmp_path / "file"
    with EncryptedFile(path, CIPHER) as file:
        assert file.writable()
        assert file.seekable()
        file.write(b"head" + bytes(9000))
        assert file.seek(0, io.SEEK_END) == file.tell() == 9004
        file.write(b"end")
        file.seek(-5, io.SEEK_CUR)
        file.write(b"!")
        file.seek(0)
        file.write(b"HEAD")
    assert read_path(path, CIPHER, 0, 9007) == b"HEAD" + bytes(8998) + b"!\0end"
