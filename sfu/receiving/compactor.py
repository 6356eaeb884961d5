"""Sequence numbers of a stream with padding-only packets left out."""

from bisect import bisect_left

from sfu.receiving.history import VIDEO_HISTORY


class Compactor:
    """Numbers a stream as if packets that are not forwarded (padding alone) had never been in it."""

    __slots__ = ("_dropped", "_forgotten")

    def __init__(self) -> None:
        """Nothing dropped."""
        self._dropped: list[int] = []
        self._forgotten = 0  # how many were dropped before those in the list

    def drop(self, ext_seq: int) -> None:
        """Leave out a packet, the newest of its stream."""
        self._dropped.append(ext_seq)
        if len(self._dropped) > 2 * VIDEO_HISTORY:
            del self._dropped[:VIDEO_HISTORY]
            self._forgotten += VIDEO_HISTORY

    def number(self, ext_seq: int) -> int | None:
        """The number without those left out; None for a packet so late that it is not known any more."""
        dropped = self._dropped
        if not dropped:
            return ext_seq
        if self._forgotten and ext_seq < dropped[0]:
            return None
        return ext_seq - self._forgotten - bisect_left(dropped, ext_seq)
