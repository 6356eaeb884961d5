"""Sequence numbers: unwrapping, renumbering across layer switches, and the publisher's packets by number.

An *extended* sequence number continues where the 16 bits of the wire wrap around (RFC 3550 section 6.4.1
sends 32 bits of it). The first number seen has no wrap counted, so one that was sent before it and arrives
later may be negative.
"""

from collections import deque
from dataclasses import dataclass
from typing import Generic, TypeVar

K = TypeVar("K")

# A retransmission is asked for within a second or two; more layer switches than that do not happen meanwhile
# (keyframes of one layer are requested at most twice a second, each followed by a step per temporal layer), and what is
# older resolves to nothing.
SEGMENTS_KEPT = 8


@dataclass(slots=True)
class Segment(Generic[K]):
    """A stretch of an outgoing stream that comes from one substream."""

    source_key: K
    "Its substream."
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
    compressed_until: int = -1
    "Packets up to this source number are sent with timestamps close to `compressed_to`: they were replayed."
    compressed_to: int = 0
    "Source timestamp."


class OutboundSequence(Generic[K]):
    """The numbering of one outgoing stream: no gap at a layer switch, and each number traced to its source.

    Losses of the source stay gaps, for the subscriber to ask for them.
    """

    __slots__ = ("_segments", "highest")

    def __init__(self, first: int) -> None:
        """`first` is the number of the first packet to go out, 0..65535; random by RFC 3550 section 5.1."""
        self.highest = first - 1
        "Highest extended sequence number that went out."
        self._segments: deque[Segment[K]] = deque(maxlen=SEGMENTS_KEPT)

    @property
    def current(self) -> Segment[K] | None:
        """The segment that packets go out in now; None before the first switch."""
        return self._segments[-1] if self._segments else None

    def switch(self, source_key: K, first_source: int) -> int:
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
        """Record that the current segment's packets up to this one, in the source's numbers, were sent."""
        self.highest = max(self.highest, source_ext + self._segments[-1].offset)

    def skip(self) -> int:
        """Use the next number for a packet of no source, outside of a segment; returns its 16 bits.

        No number resolves until the next segment: the last segment ends here, and a number after it has no source.
        """
        self._segments.clear()
        self.highest += 1
        return self.highest & 0xFFFF

    def resolve(self, out_seq16: int) -> tuple[K, int, Segment[K]] | None:
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
