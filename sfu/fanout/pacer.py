"""A leaky bucket for the video of one viewer on a weak link, so that a keyframe or a slide does not fill its queue.

Audio does not come here: it is sent at once and therefore goes first. Retransmissions go before new packets, because
they are pieces of pictures that are already on their way. New packets wait in one line per video, and the lines are
served strictly by rank: the shared screen, then cameras. Nothing is ever sent faster than the estimate allows; what
waits too long is dropped a whole line at a time (`Line.drop`), by whoever can then ask for a keyframe.
"""

from collections import deque
from itertools import count

# Of what is available, audio and all. libwebrtc has 2.5, for an encoder whose frames are even; a slide that is
# forwarded is not, and the more the rate exceeds the link's, the longer audio waits in the link's own queue.
PACE = 1.05
# libwebrtc asks ten times, each 100 ms or round trip: what would wait longer than this is given up by then, and a
# keyframe is the shorter way.
_LONGEST_RETRANSMISSION_WAIT_S = 1.5
# What an idle bucket may let out at once, a tick of the engine; and how long it may owe.
_BURST_S, _DEBT_S = 0.02, 0.2
# Ranges of numbers that are remembered as dropped.
_REMEMBERED_DROPS = 32


class Line:
    """The packets of one video that wait for one viewer."""

    __slots__ = ("_drops", "_keyframe", "_packets", "_turns", "rank", "waiting_bytes")

    def __init__(self, turns: "count[int]") -> None:
        """`turns` numbers the packets of all lines of a pacer."""
        self.rank = 0
        "0 goes first."
        self.waiting_bytes = 0
        self._packets: deque[tuple[int, bytes]] = deque()
        self._turns = turns
        self._keyframe: bytes | None = None  # timestamp of a keyframe of which something waits
        self._drops: deque[tuple[int, int]] = deque(maxlen=_REMEMBERED_DROPS)

    def put(self, packet: bytes, *, keyframe: bool) -> None:
        """Append a packet of media; `keyframe`: it begins one, so that nothing of earlier pictures is needed."""
        if keyframe:
            if self._packets and _timestamp(self._packets[-1][1]) != _timestamp(packet):
                self.drop()
            self._keyframe = _timestamp(packet)
        self._packets.append((next(self._turns), packet))
        self.waiting_bytes += len(packet)

    def drop(self) -> None:
        """Drop all that waits. A viewer who asks for it again gets nothing (`was_dropped`)."""
        if self._packets:
            self._drops.append((_number(self._packets[0][1]), _number(self._packets[-1][1])))
            self._packets.clear()
            self.waiting_bytes = 0
        self._keyframe = None

    @property
    def keyframe_waits(self) -> bool:
        """Whether a part of a keyframe waits: nobody needs another one."""
        return (
            self._keyframe is not None
            and bool(self._packets)
            and self._keyframe == _timestamp(self._packets[0][1])
        )

    def was_dropped(self, sequence: int) -> bool:
        """Whether the packet of that outgoing number (16 bits) was dropped before it was sent."""
        return any(sequence - first & 0xFFFF <= last - first & 0xFFFF for first, last in self._drops)

    @property
    def turn(self) -> int | None:
        """The place of the next packet among those of all lines; None when nothing waits."""
        return self._packets[0][0] if self._packets else None

    def take(self) -> bytes:
        """Take out the next packet; IndexError when nothing waits."""
        _, packet = self._packets.popleft()
        self.waiting_bytes -= len(packet)
        return packet


def _number(packet: bytes) -> int:
    """The sequence number (RFC 3550 section 5.1)."""
    return packet[2] << 8 | packet[3]


def _timestamp(packet: bytes) -> bytes:
    """The RTP timestamp: equal for all packets of a picture."""
    return packet[4:8]


class Pacer:
    """What waits for one viewer."""

    def __init__(self, now: float) -> None:
        """An empty bucket."""
        self.number: int | None = None
        "Up to which transport-wide number what is sent has been counted; None: not yet."
        self.lines: dict[object, Line] = {}
        "By what the caller names them."
        self._turns = count()
        self._again: dict[tuple[int, int], bytes] = {}  # (SSRC, sequence number) asked for -> retransmission
        self._again_bytes = 0
        self._budget_bytes = 0.0
        self._leaked_at = now

    @property
    def waiting_bytes(self) -> int:
        """All that waits."""
        return self._again_bytes + sum(line.waiting_bytes for line in self.lines.values())

    def line(self, key: object) -> Line:
        """The line of one video, made if it is new."""
        line = self.lines.get(key)
        if line is None:
            line = self.lines[key] = Line(self._turns)
        return line

    def close(self, key: object) -> None:
        """End a line with all that waits in it."""
        self.lines.pop(key, None)

    def has_room(self, wanted: tuple[int, int], available_bps: float) -> bool:
        """Whether a retransmission of (SSRC, sequence number) would be sent soon, and does not wait already.

        Only other retransmissions count: the media that waits is passed.
        """
        if wanted in self._again:
            return False
        return 8 * self._again_bytes <= _LONGEST_RETRANSMISSION_WAIT_S * PACE * available_bps

    def put_again(self, wanted: tuple[int, int], packet: bytes) -> None:
        """Append a retransmission of (SSRC, sequence number)."""
        self._again[wanted] = packet
        self._again_bytes += len(packet)

    def leak(self, available_bps: float, sent_bytes: float, now: float) -> list[bytes]:
        """What may go out now, when so much has gone to the viewer since the last time, from here and otherwise."""
        rate_bps = PACE * available_bps
        burst = rate_bps / 8 * _BURST_S
        earned = rate_bps / 8 * (now - self._leaked_at)
        # audio may use up all there is, but what it lacks is not put off for long
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
        return None if first is None else first.take()

    def empty(self) -> list[bytes]:
        """Take out all that waits, as the link turned out to be wide."""
        packets = []
        while (packet := self._next()) is not None:
            packets.append(packet)
        return packets
