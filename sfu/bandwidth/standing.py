"""A queue that stands still although less is sent: the path has become longer, as when a phone changes its network.

The base delay is the lowest of the last 15 to 30 s, so a path that became longer by 50 ms seems to have a queue of 50
ms for as long. Any jitter on top of it would count as congestion, and each time the rate would fall to a share of what
arrives just then. Own method; libwebrtc judges only the slope of the delay, and has no queue to be wrong about.
"""

from collections import deque

# A queue of ours shrinks within this time and a round trip when less is sent; the time is judged in three parts.
_STANDING_S, _PARTS = 1.0, 3
# "Less is sent": this share of the highest throughput of the last one or two of these windows.
_LESS, _PEAK_S = 0.85, 2.5
# A queue below this is none; the lowest delays of a standing one differ by no more than this share.
_LEAST_QUEUE_S, _EVEN = 0.03, 0.7


class StandingQueue:
    """Finds the part of the queuing delay of one transport that its own packets do not cause."""

    def __init__(self) -> None:
        """Start without reports."""
        self.peak_bps = 0.0
        "Highest throughput of the last seconds."
        self._peaks = 0.0, 0.0
        self._peak_since = float("-inf")
        self._parts: deque[tuple[float, float]] = deque(maxlen=_PARTS)
        "(lowest queue, highest throughput) of the last parts."
        self._open = float("inf"), 0.0
        self._since = float("inf")

    def update(self, queue_s: float, arriving_bps: float, rtt_s: float, now: float) -> float:
        """Process a report; return the length in seconds of the queue that stands still, or 0."""
        self._note_peak(arriving_bps, now)
        if queue_s < _LEAST_QUEUE_S:
            self._parts.clear()
            self._begin(now)
            return 0.0
        self._open = min(self._open[0], queue_s), max(self._open[1], arriving_bps)
        if now - self._since < (_STANDING_S + rtt_s) / _PARTS:
            return 0.0
        self._parts.append(self._open)
        self._begin(now)
        return self._judge()

    def _begin(self, now: float) -> None:
        self._open, self._since = (float("inf"), 0.0), now

    def _judge(self) -> float:
        if len(self._parts) < _PARTS:
            return 0.0
        queues = [queue_s for queue_s, _ in self._parts]
        most_bps = max(bps for _, bps in self._parts)
        if min(queues) < _EVEN * max(queues) or most_bps > _LESS * self.peak_bps:
            return 0.0
        self._parts.clear()
        return min(queues)

    def _note_peak(self, arriving_bps: float, now: float) -> None:
        if now - self._peak_since > _PEAK_S:
            self._peaks, self._peak_since = (self._peaks[1], 0.0), now
        self._peaks = self._peaks[0], max(self._peaks[1], arriving_bps)
        self.peak_bps = max(self._peaks)
