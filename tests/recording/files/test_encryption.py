"""Records of encrypted files: what they hide, what they bind, and how places are computed."""

import itertools

import pytest

from recording.files.encryption import (
    CONTENT_OCTETS,
    RECORD_OCTETS,
    FileCipher,
    content_octets,
    file_range,
    key_check,
    new_key,
    new_salt,
)
from recording.files.layout import DamagedError, LayoutError

KEY, SALT, NAME = bytes(range(32)), "00" * 16, "rec_1/tracks/0001/0001.webm"
TEXT = b"the content of a record" * 100


def test_a_record_can_be_decrypted_and_shows_nothing_of_its_content():
    record = FileCipher(KEY, SALT, NAME).encrypt(3, 7, TEXT)
    assert FileCipher(KEY, SALT, NAME).decrypt(3, record) == TEXT
    assert b"content" not in record
    assert len(record) == len(TEXT) + RECORD_OCTETS - CONTENT_OCTETS


@pytest.mark.parametrize(
    ("key", "salt", "name", "number"),
    [
        (new_key(), SALT, NAME, 3),
        (KEY, "01" * 16, NAME, 3),
        (KEY, SALT, "rec_2/tracks/0001/0001.webm", 3),
        (KEY, SALT, "rec_1/tracks/0001/0002.webm", 3),
        (KEY, SALT, NAME, 4),
    ],
    ids=["key", "salt", "recording", "file", "place"],
)
def test_a_record_belongs_to_its_key_its_file_and_its_place(key, salt, name, number):
    record = FileCipher(KEY, SALT, NAME).encrypt(3, 7, TEXT)
    with pytest.raises(DamagedError, match=f"record {number} of {name}"):
        FileCipher(key, salt, name).decrypt(number, record)


@pytest.mark.parametrize("octets", [b"", b"short", bytes(24), bytes(RECORD_OCTETS)])
def test_what_is_no_record_is_damaged(octets):
    with pytest.raises(DamagedError):
        FileCipher(KEY, SALT, NAME).decrypt(0, octets)


def test_the_same_content_is_encrypted_differently_each_time():
    cipher, other = FileCipher(KEY, SALT, NAME), FileCipher(KEY, new_salt(), NAME)
    records = [cipher.encrypt(0, 1, TEXT), cipher.encrypt(0, 2, TEXT), other.encrypt(0, 1, TEXT)]
    assert all(a[8:40] != b[8:40] for a, b in itertools.combinations(records, 2))


@pytest.mark.parametrize(("key", "salt"), [(b"", SALT), (b"short", SALT), (KEY, "no hexadecimal digits")])
def test_a_missing_key_or_a_damaged_salt_is_told(key, salt):
    with pytest.raises(LayoutError, match=r"key is missing|invalid salt"):
        FileCipher(key, salt, NAME)


def test_lengths_and_ranges():
    assert [content_octets(each) for each in (0, 10, 24, 25, RECORD_OCTETS, RECORD_OCTETS + 30)] == [
        0,
        0,
        0,
        1,
        CONTENT_OCTETS,
        CONTENT_OCTETS + 6,
    ]
    assert file_range(0, 1) == (0, RECORD_OCTETS)
    assert file_range(CONTENT_OCTETS - 1, CONTENT_OCTETS + 1) == (0, 2 * RECORD_OCTETS)
    assert file_range(CONTENT_OCTETS, 2 * CONTENT_OCTETS) == (RECORD_OCTETS, 2 * RECORD_OCTETS)


def test_a_wrong_key_can_be_told_from_a_damaged_file():
    assert key_check(KEY) == key_check(KEY) != key_check(new_key())
