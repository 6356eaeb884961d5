"""Facts that have to outlive the access tokens issued before them."""

import math
from collections.abc import Callable
from typing import Generic, TypeVar

# How long the server stores that a participant's tokens grant less than they state. Tokens that the server issues are
# valid for ten minutes, and this time starts after the last of them was issued.
TOKEN_MEMORY_S = 3600.0

# Maximum number of entries per memory; a new entry replaces the oldest.
MAX_CLOCK_LEAD_S = 60.0

# Entries of each of those memories; the oldest goes for a new one.
MAX_REMEMBERED = 10_000

K = TypeVar("K")
V = TypeVar("V")


class Memory(Generic[K, V]):
    """A map whose entries expire after TOKEN_MEMORY_S, with at most MAX_REMEMBERED entries."""

    def __init__(self, max_size: float = math.inf, size: Callable[[V], int] = lambda _value: 0) -> None:
        """Start empty. The oldest entries are removed while the sum of `size(value)` exceeds `max_size`."""
        self._entries: dict[K, tuple[float, V]] = {}
        self._max_size = max_size
        self._size_of = size
        self._size = 0

    def __len__(self) -> int:
        """Return the number of entries."""
        return len(self._entries)

    def put(self, key: K, value: V, now: float) -> None:
        """Store an entry, which expires TOKEN_MEMORY_S after `now`."""
        self._forget(key)
        self._entries[key] = (now, value)
        self._size += self._size_of(value)
        while self._is_full or self._is_old(next(iter(self._entries)), now):
            self._forget(next(iter(self._entries)))

    def has(self, key: K, now: float) -> bool:
        """Whether there is an entry that has not expired."""
        return key in self._entries and not self._is_old(key, now)

    def get(self, key: K, now: float) -> V | None:
        """Return the entry's value, None if there is none or it has expired."""
        return self._entries[key][1] if self.has(key, now) else None

    @property
    def _is_full(self) -> bool:
        return len(self._entries) > MAX_REMEMBERED or (self._size > self._max_size and len(self._entries) > 1)

    def _forget(self, key: K) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._size -= self._size_of(entry[1])

    def _is_old(self, key: K, now: float) -> bool:
        return now - self._entries[key][0] > TOKEN_MEMORY_S
