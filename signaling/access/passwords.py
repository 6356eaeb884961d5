"""Passwords: argon2id (RFC 9106), in a thread, one at a time.

A hash needs memory and CPU time, which makes guessing expensive, and a flood of sign-ins a load. Therefore hashes never
use more than one core, the number of waiting calls is bounded, and callers limit their rate.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from signaling.errors import TooOftenError

# NIST SP 800-63B-4, section 3.1.1.2, has 8 characters as the least of a second factor and 15 where a password is the
# only one; schools would write 15 on a note. Sign-ins are limited in number. The upper limit bounds the hash's input.
MIN_CHARS: Final = 10
MAX_CHARS: Final = 128

# 19 MiB, two passes, one lane: the least that OWASP's Password Storage Cheat Sheet advises. It took 32 ms of a core on
# 2026-11-28, and RFC 9106's second recommendation (64 MiB, three passes, four lanes) 249 ms. Media runs beside it.
MEMORY_KIB: Final = 19 * 1024
PASSES: Final = 2

# A school that signs in at once: the last one waits for about eight seconds.
MAX_WAITING: Final = 256


class PasswordError(ValueError):
    """The password is refused; the text is for the person who chose it."""


class Passwords:
    """Hashes and verifies."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        """`hasher` defaults to the parameters above."""
        self._hasher = hasher or PasswordHasher(PASSES, MEMORY_KIB, parallelism=1)
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._nobody = ""

    async def hash(self, password: str) -> str:
        """Return the hash of a new password, with its parameters and salt. PasswordError, TooOftenError."""
        check(password)
        async with self._place():
            return await asyncio.to_thread(self._hasher.hash, password)

    async def verify(self, stored: str | None, password: str) -> bool:
        """Return whether a password is right; without a hash this takes as long, so that timing reveals no account.

        TooOftenError when too many calls wait.
        """
        if len(password) > MAX_CHARS:
            return False
        async with self._place():
            if not self._nobody:
                self._nobody = await asyncio.to_thread(self._hasher.hash, "nobody has this password")
            right = await asyncio.to_thread(self._verify, stored or self._nobody, password)
        return right and stored is not None

    @asynccontextmanager
    async def _place(self) -> AsyncIterator[None]:
        if self._waiting >= MAX_WAITING:
            raise TooOftenError(5)
        self._waiting += 1
        try:
            async with self._turn:
                yield
        finally:
            self._waiting -= 1

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
