"""A text derived from a recording, such as its transcript, as one file: encrypted like its media, replaced as a whole.

An encrypted file begins with a mark and a salt of its own; the records of `encryption` follow, whose content begins
with the text's length, so that a truncated file is noticed. Any other file is a text as it is: of a recording that is
not encrypted, or written by a server that did not encrypt texts.
"""

import os
from pathlib import Path
from typing import Final

from recording.files.encryption import CONTENT_OCTETS, RECORD_OCTETS, SALT_OCTETS, FileCipher, new_salt
from recording.files.layout import DamagedError, write_all

# No text in UTF-8 begins with the octet FF.
_MARK: Final = b"\xffLT1"
_HEAD_OCTETS: Final = len(_MARK) + SALT_OCTETS
_LENGTH_OCTETS: Final = 8
# <recording>/transcript.json
_DEPTH: Final = 2


def write_text_file(path: Path, content: bytes, key: bytes) -> None:
    """Replace a file; it is encrypted if there is a key, that of its recording. OSError, LayoutError."""
    octets = bytearray(content)
    if key:
        salt = new_salt()
        cipher = _cipher(path, key, salt)
        octets = bytearray(_MARK + bytes.fromhex(salt))
        whole = memoryview(len(content).to_bytes(_LENGTH_OCTETS) + content)
        for number, at in enumerate(range(0, len(whole), CONTENT_OCTETS)):
            octets += cipher.encrypt(number, number, whole[at : at + CONTENT_OCTETS])
    draft = path.with_suffix(".part")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640)
    try:
        write_all(descriptor, octets, 0)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    draft.replace(path)


def read_text_file(path: Path, key: bytes) -> bytes:
    """Return the content of a file. OSError; LayoutError if the key is missing, or the file is damaged."""
    octets = path.read_bytes()
    if not octets.startswith(_MARK):
        return octets
    cipher = _cipher(path, key, octets[len(_MARK) : _HEAD_OCTETS].hex())
    records = memoryview(octets)[_HEAD_OCTETS:]
    whole = b"".join(
        cipher.decrypt(at // RECORD_OCTETS, records[at : at + RECORD_OCTETS])
        for at in range(0, len(records), RECORD_OCTETS)
    )
    length, content = whole[:_LENGTH_OCTETS], whole[_LENGTH_OCTETS:]
    if len(length) < _LENGTH_OCTETS or int.from_bytes(length) != len(content):
        raise DamagedError(f"{path.name} is truncated")
    return content


def _cipher(path: Path, key: bytes, salt: str) -> FileCipher:
    return FileCipher(key, salt, "/".join(path.parts[-_DEPTH:]))
