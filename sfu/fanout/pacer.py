"""A leaky bucket for one subscriber's video on a weak path, so that a keyframe or a slide does not fill its queue.

Audio bypasses the pacer: it is sent at once and therefore first. Retransmissions go before new packets, because they
complete pictures that are partly sent. New packets wait in one line per video, and the lines are served strictly by
rank: the shared screen, then cameras. Nothing is sent faster than the estimate allows. When packets would wait too
long, the caller drops their whole line (`Line.drop`), and can then request a keyframe.
"""

from collections import deque
from itertools import count

# Relative to the available bandwidth, audio included. libwebrtc has 2.5, for an encoder whose frames are even; a
# forwarded slide is not, and the more the rate exceeds the link's, the longer audio waits in the link's own queue.
PACE = 1.05
# libwebrtc requests a packet ten times, every 100 ms or round trip: it gives up a packet that would wait longer, and a
# keyframe then helps sooner.
_LONGEST_RETRANSMISSION_WAIT_S = 1.5
# Largest burst of an idle bucket, one tick of the engine; longest time that the bucket may be in debt.
_BURST_S, _DEBT_S = 0.02, 0.2
# Number of stored ranges of dropped sequence numbers.
_REMEMBERED_DROPS = 32


class Line:
    """The waiting packets of one video for one subscriber."""

    __slots__ = ("_drops", "_keyframe", "_packets", "_turns", "rank", "waiting_bytes")

    def __init__(self, turns: "count[int]") -> None:
        """`turns` numbers the packets of all lines of a pacer."""
        self.rank = 0
        "Lines with a lower rank are served first."
        self.waiting_bytes = 0
        self._packets: deque[tuple[int, bytes]] = deque()
        self._turns = turns
        self._keyframe: bytes | None = None  # timestamp of a keyframe that is partly waiting
        self._drops: deque[tuple[int, int]] = deque(maxlen=_REMEMBERED_DROPS)

    def enqueue(self, packet: bytes, *, keyframe: bool) -> None:
        """Append a packet of media; `keyframe`: a keyframe starts here, so packets of earlier frames are not needed."""
        if keyframe:
            if self._packets and _timestamp(self._packets[-1][1]) != _timestamp(packet):
                self.drop()
            self._keyframe = _timestamp(packet)
        self._packets.append((next(self._turns), packet))
        self.waiting_bytes += len(packet)

    def drop(self) -> None:
        """Drop all waiting packets. They are not retransmitted on request either (`was_dropped`)."""
        if self._packets:
            self._drops.append((_number(self._packets[0][1]), _number(self._packets[-1][1])))
            self._packets.clear()
            self.waiting_bytes = 0
        self._keyframe = None

    @property
    def keyframe_waits(self) -> bool:
        """Whether a part of a keyframe is waiting, so that no other keyframe is needed."""
        return (
            self._keyframe is not None
            and bool(self._packets)
            and self._keyframe == _timestamp(self._packets[0][1])
        )

    def was_dropped(self, sequence: int) -> bool:
        """Whether the packet with this outgoing sequence number (16 bits) was dropped before it was sent."""
        return any(sequence - first & 0xFFFF <= last - first & 0xFFFF for first, last in self._drops)

    @property
    def turn(self) -> int | None:
        """The position of the next packet among the packets of all lines; None if the line is empty."""
        return self._packets[0][0] if self._packets else None

    def dequeue(self) -> bytes:
        """Remove and return the next packet; IndexError if the line is empty."""
        _, packet = self._packets.popleft()
        self.waiting_bytes -= len(packet)
        return packet


def _number(packet: bytes) -> int:
    """Return the sequence number (RFC 3550 section 5.1)."""
    return packet[2] << 8 | packet[3]


def _timestamp(packet: bytes) -> bytes:
    """Return the RTP timestamp, which is equal for all packets of a picture."""
    return packet[4:8]


class Pacer:
    """The pacer of one subscriber."""

    def __init__(self, now: float) -> None:
        """Start with an empty bucket."""
        self.number: int | None = None
        "Transport-wide number up to which sent packets have been counted; None: none yet."
        self.lines: dict[object, Line] = {}
        "By the caller's keys."
        self._turns = count()
        self._again: dict[tuple[int, int], bytes] = {}  # requested (SSRC, sequence number) -> retransmission
        self._again_bytes = 0
        self._budget_bytes = 0.0
        self._leaked_at = now

    @property
    def waiting_bytes(self) -> int:
        """The size of all waiting packets."""
        return self._again_bytes + sum(line.waiting_bytes for line in self.lines.values())

    def line(self, key: object) -> Line:
        """Return the line of one video, created if it is new."""
        line = self.lines.get(key)
        if line is None:
            line = self.lines[key] = Line(self._turns)
        return line

    def close(self, key: object) -> None:
        """Remove a line with its waiting packets."""
        self.lines.pop(key, None)

    def has_room(self, wanted: tuple[int, int], available_bps: float) -> bool:
        """Whether a retransmission of (SSRC, sequence number) would be sent soon, and is not waiting already.

        Only other retransmissions count, since they go before waiting media.
        """
        if wanted in self._again:
            return False
        return 8 * self._again_bytes <= _LONGEST_RETRANSMISSION_WAIT_S * PACE * available_bps

    def put_again(self, wanted: tuple[int, int], packet: bytes) -> None:
        """Append a retransmission of the packet (SSRC, sequence number)."""
        self._again[wanted] = packet
        self._again_bytes += len(packet)

    def leak(self, available_bps: float, sent_bytes: float, now: float) -> list[bytes]:
        """Return the packets to send now; `sent_bytes` is all that was sent to the subscriber since the last call."""
        rate_bps = PACE * available_bps
        burst = rate_bps / 8 * _BURST_S
        earned = rate_bps / 8 * (now - self._leaked_at)
        # audio may use all of the bandwidth, but the debt that it leaves is not kept for long
        self._budget_bytes = max(
            min(self._budget_bytes + earned - sent_bytes, burst), -_DEBT_S / _BURST_S * burst
        )
        self._leaked_at = now
        packets: list[bytes] = []
        left = self._budget_bytes
        while left > 0:
            packet = self._next()
            if packet is None:
                break
            packets.append(packet)
            left -= len(packet)
        return packets

    def _next(self) -> bytes | None:
        if self._again:
            packet = self._again.pop(next(iter(self._again)))
            self._again_bytes -= len(packet)
            return packet
        first: Line | None = None
        for line in self.lines.values():
            if line.turn is not None and (first is None or (line.rank, line.turn) < (first.rank, first.turn)):
                first = line
        return None if first is None else first.dequeue()

    def empty(self) -> list[bytes]:
        """Remove and return all waiting packets, since the path has proved wide enough."""
        packets = []
        while (packet := self._next()) is not None:
            packets.append(packet)
        return packets
