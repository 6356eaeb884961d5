"""Encryption of a recording's files: AES-256-GCM in records of one page, so that any range can be read by itself.

A file consists of records of 4096 octets, the last of which may be shorter: a counter (8 octets), ciphertext, and the
tag (16 octets). A record is written again when octets are added to it or change in it, each time with the next value of
the counter, which is the nonce; so no nonce occurs twice. The key of a file is derived from the key of its recording, a
random salt and the file's name, so a record moved from another file, recording or place does not decrypt.
"""

import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from recording.files.layout import DamagedError, LayoutError

KEY_OCTETS: Final = 32
SALT_OCTETS: Final = 16
RECORD_OCTETS: Final = 4096
"A page: Linux copies one as a whole, so a killed process leaves a record either as it was or as it should be."
_COUNTER_OCTETS: Final = 8
# NIST SP 800-38D section 8.2.1: the nonce is a fixed field of 4 octets (zero: a key has one writer) and a counter.
_FIXED: Final = bytes(4)
_OVERHEAD: Final = _COUNTER_OCTETS + 16
CONTENT_OCTETS: Final = RECORD_OCTETS - _OVERHEAD
"Decrypted octets of a full record."


def new_key() -> bytes:
    """Return a random key for a recording."""
    return os.urandom(KEY_OCTETS)


def new_salt() -> str:
    """Return a random salt for a file, in hexadecimal digits."""
    return os.urandom(SALT_OCTETS).hex()


def key_check(key: bytes) -> str:
    """Return a value that tells a wrong key from a damaged file, and says nothing about the key."""
    return HKDF(SHA256(), 8, salt=None, info=b"lectern: check of a recording's key").derive(key).hex()


def content_octets(file_octets: int) -> int:
    """Return the length of the decrypted content of a file of so many octets."""
    full, rest = divmod(file_octets, RECORD_OCTETS)
    return full * CONTENT_OCTETS + max(rest - _OVERHEAD, 0)


def file_range(start: int, end: int) -> tuple[int, int]:
    """Return the range of a file's octets to read for a range of its content; it begins with a whole record."""
    return start // CONTENT_OCTETS * RECORD_OCTETS, -(-end // CONTENT_OCTETS) * RECORD_OCTETS


class FileCipher:
    """Encrypts and decrypts the records of one file."""

    def __init__(self, key: bytes, salt: str, name: str) -> None:
        """`key` is that of the recording; `name` is unique: the recording's id and the path in it. LayoutError."""
        if len(key) != KEY_OCTETS:
            raise LayoutError("the recording is encrypted, and its key is missing")
        try:
            random = bytes.fromhex(salt)
        except ValueError as error:
            raise LayoutError(f"{name} has an invalid salt") from error
        info = b"lectern: a file of a recording: " + name.encode()
        self._name = name
        self._cipher = AESGCM(HKDF(SHA256(), KEY_OCTETS, salt=random, info=info).derive(key))

    def encrypt(self, number: int, counter: int, content: bytes | memoryview) -> bytes:
        """Return a record, given its number in the file and the value of the counter, which must never repeat."""
        count = counter.to_bytes(_COUNTER_OCTETS)
        return count + self._cipher.encrypt(_FIXED + count, content, number.to_bytes(8))

    def decrypt(self, number: int, record: bytes | memoryview) -> bytes:
        """Return the content of a record. DamagedError."""
        try:
            return self._cipher.decrypt(
                _FIXED + record[:_COUNTER_OCTETS], record[_COUNTER_OCTETS:], number.to_bytes(8)
            )
        except (InvalidTag, ValueError) as error:  # ValueError: it is shorter than a tag
            raise DamagedError(f"record {number} of {self._name} is damaged") from error

    def content(self, octets: bytes, first: int, start: int, end: int, *, zeros: bool = False) -> bytes:
        """Return the content from `start` to `end`, given the octets of `file_range`, which begin with record `first`.

        It is shorter if the file is. With `zeros`, damaged records become zeros. DamagedError.
        """
        view = memoryview(octets)
        pieces: list[bytes] = []
        for at in range(0, len(view), RECORD_OCTETS):
            record = view[at : at + RECORD_OCTETS]
            try:
                pieces.append(self.decrypt(first + at // RECORD_OCTETS, record))
            except DamagedError:
                if not zeros:
                    raise
                pieces.append(bytes(max(len(record) - _OVERHEAD, 0)))
        skipped = first * CONTENT_OCTETS
        return b"".join(pieces)[start - skipped : end - skipped]
