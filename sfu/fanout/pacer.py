"""A leaky bucket for the video of one viewer on a weak link, so that a keyframe or a slide does not fill its queue.

Audio does not come here: it is sent at once and thereby goes first. Retransmissions go before new packets. Nothing but
retransmissions is ever dropped; instead the bucket leaks faster the more is in it, so that nothing waits for long.
"""

from collections import deque

# Of what is available, audio and all. libwebrtc has 2.5, for an encoder whose frames are even; a slide that is
# forwarded is not, and the more the rate exceeds the link's, the longer audio waits in the link's own queue.
PACE = 1.1
# What is in the bucket has left it after so long, or is sent faster.
LONGEST_WAIT_S = 3.0
# A retransmission that would wait longer is asked for again before it comes.
_LONGEST_RETRANSMISSION_WAIT_S = 0.5
# What an idle bucket may let out at once, a tick of the engine; and how long it may owe.
_BURST_S, _DEBT_S = 0.02, 0.2


class Pacer:
    """What waits for one viewer."""

    def __init__(self, now: float) -> None:
        """An empty bucket."""
        self.waiting_bytes = 0
        self.number: int | None = None
        "Up to which transport-wide number what is sent has been counted; None: not yet."
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

    def leak(self, available_bps: float, sent_bytes: float, now: float) -> list[bytes]:
        """What may go out now, when so much has gone to the viewer since the last time, from here and otherwise."""
        rate_bps = max(PACE * available_bps, 8 * self.waiting_bytes / LONGEST_WAIT_S)
        burst = rate_bps / 8 * _BURST_S
        earned = rate_bps / 8 * (now - self._leaked_at)
        # audio may use up all there is, but what it lacks is not put off for long
        self._budget_bytes = max(
            min(self._budget_bytes + earned - sent_bytes, burst), -_DEBT_S / _BURST_S * burst
        )
        self._leaked_at = now
        packets: list[bytes] = []
        left = self._budget_bytes
        for queue in (self._again, self._media):
            while queue and left > 0:
                packet = queue.popleft()
                packets.append(packet)
                left -= len(packet)
                self.waiting_bytes -= len(packet)
        return packets

    def empty(self) -> list[bytes]:
        """All that waits, as the link turned out to be wide."""
        packets = [*self._again, *self._media]
        self._again.clear()
        self._media.clear()
        self.waiting_bytes = 0
        return packets
