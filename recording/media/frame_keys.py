"""Frames that LiveKit's clients have encrypted end to end, for rooms whose tutor gave the recorder the key.

A sender leaves the beginning of a frame as it is, so that servers find keyframes and sizes: the first octet of Opus,
10 of a keyframe and 3 of another frame of VP8, none of VP9, and of H.264 all before the first slice and its first two
octets. The rest is encrypted by AES-GCM with the beginning as additional data; then come the nonce, its length and the
number of the key. Frames that a server inserts are not encrypted, but those are sent to viewers alone.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from recording.values import PayloadError

_NONCE_OCTETS: Final = 12
_TAG_OCTETS: Final = 16
_TRAILER_OCTETS: Final = 2
# Keyframes that are asked for, one each second: a new key may come a little later than the frames.
_MOST_FAILURES: Final = 10
_START_CODE: Final = b"\0\0\0\1"
# ITU-T H.264 annex B: any number of zeros may precede a start code.
_START: Final = re.compile(rb"\x00{2,}\x01")
_SLICES: Final = frozenset({1, 5})
# Of the slice's unit: its header, and the first octet of the slice.
_SLICE_CLEAR: Final = 2


class FrameKeys:
    """The keys of a publisher, by their numbers."""

    def __init__(self, keys: Iterable[tuple[int, bytes]]) -> None:
        """Keys have 16 or 32 octets; any other is left out."""
        self._failures = 0
        "In a row."
        self._ciphers = {number: AESGCM(key) for number, key in keys if len(key) in {16, 32}}

    @property
    def are_wrong(self) -> bool:
        """Whether so many frames in a row cannot be decrypted that another keyframe would not help."""
        return self._failures >= _MOST_FAILURES

    def open(self, clear: bytes, sealed: bytes) -> bytes:
        """Return the encrypted part of a frame, decrypted. PayloadError."""
        end = len(sealed) - _TRAILER_OCTETS - _NONCE_OCTETS
        if end < _TAG_OCTETS or sealed[-2] != _NONCE_OCTETS:
            raise PayloadError("a frame that is not encrypted as expected")
        cipher = self._ciphers.get(sealed[-1])
        self._failures += 1
        if cipher is None:
            raise PayloadError("a frame that is encrypted with an unknown key")
        try:
            opened = cipher.decrypt(sealed[end : end + _NONCE_OCTETS], sealed[:end], clear)
        except InvalidTag as error:
            raise PayloadError("a frame that cannot be decrypted") from error
        self._failures = 0
        return opened

    def frame(self, data: bytes, clear_octets: int) -> bytes:
        """Return a frame whose first octets are not encrypted; an empty one is not, either. PayloadError."""
        clear = data[:clear_octets]
        return clear + self.open(clear, data[clear_octets:]) if data else data

    def units(self, units: Sequence[bytes]) -> list[bytes]:
        """Return the NAL units of an H.264 access unit, which is encrypted from its first slice on. PayloadError."""
        at = next((i for i, unit in enumerate(units) if unit[0] & 0x1F in _SLICES), None)
        if at is None:
            return list(units)
        first = units[at][:_SLICE_CLEAR]
        clear = b"".join(_START_CODE + unit for unit in (*units[:at], first))
        # Start codes in the encrypted octets are prevented as in any other unit (section 7.4.1).
        sealed = b"".join((units[at][_SLICE_CLEAR:], *units[at + 1 :])).replace(b"\0\0\3", b"\0\0")
        rest = _START.split(first + self.open(clear, sealed))
        return [*units[:at], *(unit for unit in rest if unit)]
