"""Passwords: argon2id (RFC 9106), in threads, a few at a time.

A hash takes 64 MiB and tens of milliseconds of CPU time, which is what makes guessing expensive. Therefore a flood of
sign-ins must not run without bound: they wait for one of `PARALLEL` places, and whoever calls limits their rate.
"""

import asyncio
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

# NIST SP 800-63B-4, section 3.1.1.2, has 8 characters as the least of a second factor and 15 where a password is the
# only one; schools would write 15 on a note. Sign-ins are limited in number. The upper limit bounds the hash's input.
MIN_CHARS: Final = 10
MAX_CHARS: Final = 128

PARALLEL: Final = 2


class PasswordError(ValueError):
    """A password that is not taken; the text is for the person who chose it."""


class Passwords:
    """Hashes and verifies."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        """The library's defaults are RFC 9106's second recommendation: 3 passes over 64 MiB with 4 lanes."""
        self._hasher = hasher or PasswordHasher()
        self._places = asyncio.Semaphore(PARALLEL)
        self._nobody = ""

    async def hash(self, password: str) -> str:
        """Return the hash of a new password, with its parameters and salt. PasswordError."""
        check(password)
        async with self._places:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def verify(self, stored: str | None, password: str) -> bool:
        """Return whether a password is right; takes as long when there is no hash, so that nobody learns who exists."""
        if len(password) > MAX_CHARS:
            return False
        async with self._places:
            if not self._nobody:
                self._nobody = await asyncio.to_thread(self._hasher.hash, "nobody has this password")
            right = await asyncio.to_thread(self._verify, stored or self._nobody, password)
        return right and stored is not None

    def _verify(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False


def check(password: str) -> None:
    """Refuse a password that is too short, too long, or the same character again and again. PasswordError."""
    if not MIN_CHARS <= len(password) <= MAX_CHARS:
        raise PasswordError(f"A password has {MIN_CHARS} to {MAX_CHARS} characters.")
    if len(set(password)) < 4:
        raise PasswordError("A password has at least four different characters.")
