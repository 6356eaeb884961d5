"""Sequence numbers and picture ids of a stream from which some temporal or spatial layers are left out."""

from bisect import bisect_left, bisect_right

from sfu.receiving.history import VIDEO_HISTORY


class Decimation:
    """Numbers what is left of a stream when pictures are left out of it: without gaps, and traced back by arithmetic.

    Only packets that came in order are left out. One that was lost on the way keeps its number, wanted or not.
    """

    __slots__ = ("_forgotten", "_forgotten_pictures", "_left_out", "_next", "_picture", "_pictures")

    def __init__(self) -> None:
        """Nothing left out."""
        self._left_out: list[int] = []
        self._next: list[int] = []  # for each of those, the number that the next packet which stays gets
        self._pictures: list[int] = []  # for each of those, how many pictures are left out up to it
        self._picture: int | None = None
        self._forgotten = self._forgotten_pictures = 0  # how many were left out before those in the lists

    def leave_out(self, ext_seq: int, picture_id: int) -> None:
        """Leave out a packet, the newest of its stream, of the picture of that id."""
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
        """(number without those left out, pictures left out before it); None for one too old to be known.

        For a packet that is left out, the number of the next one that stays.
        """
        before = bisect_left(self._left_out, ext_seq)
        if not before:
            return None if self._forgotten else (ext_seq, 0)
        return ext_seq - self._forgotten - before, self._pictures[before - 1]

    def source(self, number: int) -> int | None:
        """The source's number of the packet that got this one; None when it is too old to be known."""
        before = bisect_right(self._next, number)
        if not before and self._forgotten:
            return None
        return number + self._forgotten + before
