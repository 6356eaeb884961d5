"""Sequence numbers: unwrapping, renumbering across layer switches, and the publisher's packets by number.

An *extended* sequence number continues where the 16 bits of the wire wrap around (RFC 3550 section 6.4.1
sends 32 bits of it). The first number seen has no wrap counted, so one that was sent before it and arrives
later may be negative.
"""

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass

# A retransmission is asked for within a second or two; more layer switches than that do not happen meanwhile
# (keyframes of one layer are requested at most twice a second, each followed by a step per temporal layer), and what is
# older resolves to nothing.
SEGMENTS_KEPT = 8

# Packets kept for retransmission: LiveKit's rings hold up to 500 video and 200 audio packets; powers of two.
VIDEO_HISTORY = 512
AUDIO_HISTORY = 256


def seq_diff(a: int, b: int) -> int:
    """How far 16-bit sequence number `a` is after `b`: -32768..32767."""
    return ((a - b + 0x8000) & 0xFFFF) - 0x8000


def ts_diff(a: int, b: int) -> int:
    """How far 32-bit RTP timestamp `a` is after `b`, in clock ticks: -2**31..2**31 - 1."""
    return ((a - b + 0x80000000) & 0xFFFFFFFF) - 0x80000000


class Unwrapper:
    """16-bit sequence numbers to extended ones, relative to the highest seen."""

    __slots__ = ("highest",)

    def __init__(self) -> None:
        """Nothing seen yet: `highest` is -1."""
        self.highest = -1

    def unwrap(self, seq: int) -> int:
        """Extended number of `seq`, which is less than half of the number space away from the highest."""
        highest = self.highest
        if highest < 0:
            self.highest = seq
            return seq
        ahead = (seq - highest) & 0xFFFF
        if ahead < 0x8000:
            self.highest = highest + ahead
            return highest + ahead
        return highest + ahead - 0x10000


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


class Thinning:
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


@dataclass(slots=True)
class Segment:
    """A stretch of an outgoing stream that comes from one view of a source layer."""

    source_key: Hashable
    "The view, as the caller names it."
    first_source: int
    "Extended sequence number of the first packet, as the source numbered it."
    first_out: int
    "Extended sequence number of the same packet, as the subscriber gets it."
    offset: int
    "Outgoing extended sequence number less the source's."
    timestamp_offset: int = 0
    "Outgoing RTP timestamp less the source's."
    picture_id_offset: int = 0
    "Outgoing VP8 picture id less the source's."
    tl0picidx_offset: int = 0
    "Outgoing VP8 TL0PICIDX less the source's."
    frame_number_offset: int = 0
    "Outgoing frame number of the dependency descriptor less the source's."
    squeezed_until: int = -1
    "Packets up to this source number go out with their timestamps drawn close to `squeezed_to`."
    squeezed_to: int = 0
    "Source timestamp."


class OutSequence:
    """The numbering of one outgoing stream: no gap at a layer switch, and each number traced to its source.

    Losses of the source stay gaps, for the subscriber to ask for them.
    """

    __slots__ = ("_segments", "highest")

    def __init__(self, first: int) -> None:
        """`first` is the number of the first packet to go out, 0..65535; random by RFC 3550 section 5.1."""
        self.highest = first - 1
        "Highest extended sequence number that went out."
        self._segments: deque[Segment] = deque(maxlen=SEGMENTS_KEPT)

    @property
    def current(self) -> Segment | None:
        """The segment that packets go out in now; None before the first switch."""
        return self._segments[-1] if self._segments else None

    def switch(self, source_key: Hashable, first_source: int) -> int:
        """Go on with another source layer, or the same one after a pause, from its packet `first_source`.

        That packet gets the number after the highest that went out. Returns the offset to add to the source's
        extended numbers; the timestamp and picture id offsets of `current` are the caller's to fill.
        """
        first_out = self.highest + 1
        if self._segments and self._segments[-1].first_out == first_out:
            self._segments.pop()  # nothing went out in it: no number leads there
        offset = first_out - first_source
        self._segments.append(Segment(source_key, first_source, first_out, offset))
        return offset

    def advance(self, source_ext: int) -> None:
        """Note that the current segment's packets up to this one went out; for callers who add in bulk."""
        self.highest = max(self.highest, source_ext + self._segments[-1].offset)

    def out_seq(self, source_ext: int) -> int | None:
        """Outgoing extended number of a packet of the current source layer, noted as sent.

        None before the first switch and for a packet older than the segment: its number would be one that the
        layer before has used.
        """
        if not self._segments:
            return None
        segment = self._segments[-1]
        if source_ext < segment.first_source:
            return None
        out = source_ext + segment.offset
        self.highest = max(self.highest, out)
        return out

    def resolve(self, out_seq16: int) -> tuple[Hashable, int, Segment] | None:
        """Trace an outgoing 16-bit number back: (source key, extended source number, segment).

        None for a number that did not go out yet, or went out in a segment no longer kept.
        """
        behind = (self.highest - out_seq16) & 0xFFFF
        if behind >= 0x8000:
            return None
        out = self.highest - behind
        for segment in reversed(self._segments):
            if out >= segment.first_out:
                return segment.source_key, out - segment.offset, segment
        return None


class History:
    """The last packets of a source layer by extended sequence number, for retransmission."""

    __slots__ = ("_contexts", "_mask", "_numbers", "_packets")

    def __init__(self, size: int) -> None:
        """`size` is the number of slots, a power of two."""
        if size < 1 or size & (size - 1):
            raise ValueError("the size of a history is a power of two")
        self._mask = size - 1
        self._numbers = [-(1 << 62)] * size  # older than any packet
        self._packets: list[bytes] = [b""] * size
        self._contexts: list[object] = [None] * size

    def put(self, ext_seq: int, packet: bytes, context: object = None) -> None:
        """Keep a packet, and what it was read by; one so late that a newer packet has its slot is left out."""
        slot = ext_seq & self._mask
        if ext_seq >= self._numbers[slot]:
            self._numbers[slot] = ext_seq
            self._packets[slot] = packet
            self._contexts[slot] = context

    def get(self, ext_seq: int) -> bytes | None:
        """The packet of that number; None when it never came or is overwritten."""
        slot = ext_seq & self._mask
        return self._packets[slot] if self._numbers[slot] == ext_seq else None

    def context(self, ext_seq: int) -> object:
        """What was kept with a packet that is there."""
        return self._contexts[ext_seq & self._mask]
