"""Arithmetic of wrapping numbers: RTP sequence numbers and timestamps (RFC 3550, RFC 1982)."""


def ts_diff(a: int, b: int) -> int:
    """Return how far the 32-bit RTP timestamp `a` is after `b`, in clock ticks: -2**31..2**31 - 1."""
    return ((a - b + 0x80000000) & 0xFFFFFFFF) - 0x80000000


class Unwrapper:
    """Converts 16-bit sequence numbers to extended ones, relative to the highest seen."""

    __slots__ = ("highest",)

    def __init__(self) -> None:
        """Start without a number: `highest` is -1."""
        self.highest = -1

    def unwrap(self, seq: int) -> int:
        """Return the extended number of `seq`, which is less than half of the number space from the highest."""
        highest = self.highest
        if highest < 0:
            self.highest = seq
            return seq
        ahead = (seq - highest) & 0xFFFF
        if ahead < 0x8000:
            self.highest = highest + ahead
            return highest + ahead
        return highest + ahead - 0x10000
