"""Sequence numbers and picture ids of a stream without some of its temporal or spatial layers."""

from bisect import bisect_left, bisect_right

from sfu.receiving.history import VIDEO_HISTORY


class Decimation:
    """Numbers the remaining packets of a stream without gaps, and finds a packet by its new number.

    Only packets that arrive in order are left out. A packet that was missing keeps its number, whatever its layer.
    """

    __slots__ = ("_forgotten", "_forgotten_pictures", "_left_out", "_next", "_picture", "_pictures")

    def __init__(self) -> None:
        """Start with nothing left out."""
        self._left_out: list[int] = []
        self._next: list[int] = []  # for each of them, the new number of the next packet that is not left out
        self._pictures: list[int] = []  # for each of them, the pictures left out so far
        self._picture: int | None = None
        self._forgotten = self._forgotten_pictures = (
            0  # packets and pictures left out before those in the lists
        )

    def leave_out(self, ext_seq: int, picture_id: int) -> None:
        """Leave out the newest packet of the stream; `picture_id` is that of its picture."""
        pictures = self._pictures[-1] if self._pictures else self._forgotten_pictures
        self._next.append(ext_seq - self._forgotten - len(self._left_out))
        self._left_out.append(ext_seq)
        self._pictures.append(pictures + (picture_id != self._picture))
        self._picture = picture_id
        if len(self._left_out) > 2 * VIDEO_HISTORY:
            self._forgotten += VIDEO_HISTORY
            self._forgotten_pictures = self._pictures[VIDEO_HISTORY - 1]
            for values in (self._left_out, self._next, self._pictures):
                del values[:VIDEO_HISTORY]

    def number(self, ext_seq: int) -> tuple[int, int] | None:
        """Return (new number, pictures left out before it); None if the packet is too old.

        A packet that is left out has the number of the next one that is not.
        """
        before = bisect_left(self._left_out, ext_seq)
        if not before:
            return None if self._forgotten else (ext_seq, 0)
        return ext_seq - self._forgotten - before, self._pictures[before - 1]

    def source(self, number: int) -> int | None:
        """Return the original number of the packet with this new number; None if it is too old."""
        before = bisect_right(self._next, number)
        if not before and self._forgotten:
            return None
        return number + self._forgotten + before
