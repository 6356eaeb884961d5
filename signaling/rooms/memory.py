"""What has to be remembered for as long as tokens are around that know nothing of it."""

from typing import Generic, TypeVar

# How long it is remembered that somebody's tokens are worth less than they say: those that the server itself gives live
# ten minutes, and begin when the last of them was given.
TOKEN_MEMORY_S = 3600.0

# Entries of each of those memories; the oldest goes for a new one.
MAX_REMEMBERED = 10_000

K = TypeVar("K")
V = TypeVar("V")


class Memory(Generic[K, V]):
    """What is remembered for TOKEN_MEMORY_S, of which there are at most MAX_REMEMBERED."""

    def __init__(self) -> None:
        """Remember nothing."""
        self._entries: dict[K, tuple[float, V]] = {}

    def __len__(self) -> int:
        """Return how many entries are kept."""
        return len(self._entries)

    def put(self, key: K, value: V, now: float) -> None:
        """Remember something from now on."""
        self._entries.pop(key, None)
        self._entries[key] = (now, value)
        while len(self._entries) > MAX_REMEMBERED or self._is_old(next(iter(self._entries)), now):
            del self._entries[next(iter(self._entries))]

    def has(self, key: K, now: float) -> bool:
        """Whether it is remembered still."""
        return key in self._entries and not self._is_old(key, now)

    def get(self, key: K, now: float) -> V | None:
        """Return what is remembered, else None."""
        return self._entries[key][1] if self.has(key, now) else None

    def _is_old(self, key: K, now: float) -> bool:
        return now - self._entries[key][0] > TOKEN_MEMORY_S
