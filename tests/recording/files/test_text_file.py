import pytest

from recording.files.encryption import RECORD_OCTETS, new_key
from recording.files.layout import DamagedError, LayoutError
from recording.files.text_file import read_text_file, write_text_file

TEXT = b"Wer wagt, gewinnt. " * 1000


@pytest.fixture
def path(tmp_path):
    (tmp_path / "rec_1").mkdir()
    return tmp_path / "rec_1" / "transcript.json"


@pytest.mark.parametrize("text", [b"", b"a", TEXT])
def test_a_text_is_encrypted_and_read_again(path, text):
    key = new_key()
    write_text_file(path, text, key)
    assert read_text_file(path, key) == text
    assert b"gewinnt" not in path.read_bytes()
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_without_a_key_it_stays_as_it_is(path):
    write_text_file(path, TEXT, b"")
    assert path.read_bytes() == TEXT
    # Also later, when the recording has a key: a server that did not encrypt has written it.
    assert read_text_file(path, new_key()) == TEXT


def test_it_is_encrypted_anew_each_time(path):
    key = new_key()
    write_text_file(path, TEXT, key)
    before = path.read_bytes()
    write_text_file(path, TEXT, key)
    assert path.read_bytes()[20:] != before[20:]


def test_another_key_another_place_and_damage_are_told(path):
    key = new_key()
    write_text_file(path, TEXT, key)
    for other in (b"", new_key()):
        with pytest.raises(LayoutError):
            read_text_file(path, other)
    elsewhere = path.with_name("notes.json")
    elsewhere.write_bytes(path.read_bytes())
    with pytest.raises(DamagedError):
        read_text_file(elsewhere, key)
    octets = bytearray(path.read_bytes())
    octets[RECORD_OCTETS + 100] ^= 1
    path.write_bytes(octets)
    with pytest.raises(DamagedError):
        read_text_file(path, key)


def test_a_truncated_file_is_damaged(path):
    key = new_key()
    write_text_file(path, TEXT, key)
    octets = path.read_bytes()
    for length in (10, 20, 20 + RECORD_OCTETS, len(octets) - 1):
        path.write_bytes(octets[:length])
        with pytest.raises(DamagedError):
            read_text_file(path, key)
