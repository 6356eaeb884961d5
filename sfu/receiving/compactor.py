"""Sequence numbers of a stream without its padding-only packets."""

from bisect import bisect_left

from sfu.receiving.history import VIDEO_HISTORY


class Compactor:
    """Numbers the packets of a stream without gaps where padding-only packets are not forwarded."""

    __slots__ = ("_dropped", "_forgotten")

    def __init__(self) -> None:
        """Start with nothing left out."""
        self._dropped: list[int] = []
        self._forgotten = 0  # how many were dropped before those in the list

    def drop(self, ext_seq: int) -> None:
        """Leave out the newest packet of the stream."""
        self._dropped.append(ext_seq)
        if len(self._dropped) > 2 * VIDEO_HISTORY:
            del self._dropped[:VIDEO_HISTORY]
            self._forgotten += VIDEO_HISTORY

    def number(self, ext_seq: int) -> int | None:
        """Return the new number of a packet; None if the packet is too old."""
        dropped = self._dropped
        if not dropped:
            return ext_seq
        if self._forgotten and ext_seq < dropped[0]:
            return None
        return ext_seq - self._forgotten - bisect_left(dropped, ext_seq)
