"""A leaky bucket for the video of one viewer on a weak link, so that a keyframe or a slide does not fill its queue.

Audio does not come here: it is sent at once and thereby goes first. Retransmissions go before new packets. Nothing but
retransmissions is ever dropped; instead the bucket leaks faster the more is in it, so that nothing waits for long.
"""

from collections import deque

# Of what is available. libwebrtc has 2.5, for an encoder whose frames are even; what is forwarded here is not, and the
# more the rate exceeds the link's, the longer audio waits in the link's own queue.
PACE = 1.25
# What is in the bucket has left it after so long, or is sent faster.
LONGEST_WAIT_S = 3.0
# A retransmission that would wait longer is asked for again before it comes.
_LONGEST_RETRANSMISSION_WAIT_S = 0.5
# What an idle bucket may let out at once: 20 ms, a tick of the engine.
_BURST_S = 0.02


class Pacer:
    """What waits for one viewer."""

    def __init__(self, now: float) -> None:
        """An empty bucket."""
        self.waiting_bytes = 0
        self._again: deque[bytes] = deque()
        self._media: deque[bytes] = deque()
        self._budget_bytes = 0.0
        self._leaked_at = now

    def put(self, packet: bytes) -> None:
        """A packet of media."""
        self._media.append(packet)
        self.waiting_bytes += len(packet)

    def put_again(self, packet: bytes, available_bps: float) -> bool:
        """A retransmission; False when it is dropped, as too much waits already."""
        if 8 * self.waiting_bytes > _LONGEST_RETRANSMISSION_WAIT_S * PACE * available_bps:
            return False
        self._again.append(packet)
        self.waiting_bytes += len(packet)
        return True

    def leak(self, available_bps: float, now: float) -> list[bytes]:
        """What may go out now."""
        rate_bps = max(PACE * available_bps, 8 * self.waiting_bytes / LONGEST_WAIT_S)
        budget = self._budget_bytes + rate_bps / 8 * (now - self._leaked_at)
        self._leaked_at = now
        packets: list[bytes] = []
        for queue in (self._again, self._media):
            while queue and budget > 0:
                packet = queue.popleft()
                packets.append(packet)
                budget -= len(packet)
                self.waiting_bytes -= len(packet)
        self._budget_bytes = min(budget, rate_bps / 8 * _BURST_S)
        return packets

    def empty(self) -> list[bytes]:
        """All that waits, as the link turned out to be wide."""
        packets = [*self._again, *self._media]
        self._again.clear()
        self._media.clear()
        self.waiting_bytes = 0
        return packets
