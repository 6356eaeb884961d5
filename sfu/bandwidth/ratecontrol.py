"""The rate that keeps a link's queue short: up slowly, down at once (draft-ietf-rmcat-gcc-02 section 6).

Beyond the draft, as libwebrtc does later: the link's capacity is remembered from when it was overused, and near it the
rate grows by about a packet per round trip instead of by a share. And beyond both: while a queue stands, what is
available is so much less that the queue is gone in about a second; by 85 % of the capacity alone, a second of queue
would stand for six.
"""

import math

from sfu.bandwidth.delay import Usage

MIN_BPS = 30_000.0
# Sections 6 and 7: of what arrives under overuse, what is sent then; growth per second; what more than arrives may be
# estimated while less is sent than could be.
_BETA = 0.85
_GROWTH_PER_S = 0.08
_LEAD, _LEAD_BPS = 1.5, 10_000.0
# Growth near the capacity: packets per response time. libwebrtc has one; with two, somebody who joins a link that
# another has filled gets an equal share in half a minute instead of minutes.
_NEAR_BITS, _RESPONSE_S = 2 * 1200 * 8, 0.1
# libwebrtc's: weight of a sample of capacity, and bounds of its relative variance (in kbit/s).
_CAPACITY_WEIGHT = 0.05
_LEAST_VARIANCE, _MOST_VARIANCE = 0.4, 2.5
_LEAST_STEP = 0.5
# A queue shorter than a frame or two is none; a longer one is to be gone in a second, and audio needs some of the way.
_QUEUE_S, _DRAIN_S, _LEAST_SHARE = 0.06, 1.0, 0.25
# Of a queue that is drained for so long as it should take to be gone, less than this is left.
_UNDRAINED = 0.7
# What is used at once of a capacity found a moment ago. More would be sooner at the link's limit, but keep unequal
# shares unequal for minutes.
_FULL = 0.92
_REMEMBERED_S = 5.0


class Capacity:
    """What the link has carried when it was full."""

    def __init__(self) -> None:
        """Unknown."""
        self.bps: float | None = None
        self._variance = _LEAST_VARIANCE

    def sample(self, bps: float) -> None:
        """The link was full, and this arrived."""
        if not self.near(bps) or self.bps is None:
            self.bps, self._variance = bps, _LEAST_VARIANCE  # another link than before
            return
        error_kbps = (bps - self.bps) / 1000
        self.bps += _CAPACITY_WEIGHT * (bps - self.bps)
        variance = (1 - _CAPACITY_WEIGHT) * self._variance + _CAPACITY_WEIGHT * error_kbps**2 / (
            self.bps / 1000
        )
        self._variance = min(max(variance, _LEAST_VARIANCE), _MOST_VARIANCE)

    def near(self, bps: float) -> bool:
        """Whether a rate is within three standard deviations."""
        if self.bps is None:
            return False
        return abs(bps - self.bps) <= 3 * 1000 * math.sqrt(self._variance * self.bps / 1000)


class RateControl:
    """One transport's rate as its delay allows it."""

    def __init__(self) -> None:
        """Infinite until something is known."""
        self.estimate_bps = float("inf")
        self.available_bps = float("inf")
        "The estimate, or less while a queue has to be gone."
        self._capacity = Capacity()
        self._draining = False
        self._drained_queue_s = 0.0
        self._drained_since = 0.0
        self._before_bps = float("inf")
        self._updated_at = 0.0
        self._decreased_at = float("-inf")

    def update(self, usage: Usage, arriving_bps: float, queue_s: float, rtt_s: float, now: float) -> None:
        """Take in what a report says: the link's usage, the rate that arrives, and the queue before it."""
        elapsed_s = min(now - self._updated_at, 1.0)
        self._updated_at = now
        if usage is Usage.OVER:
            if not self._draining:
                self._before_bps, self._drained_queue_s = self.estimate_bps, 0.0
            if queue_s > self._drained_queue_s:
                self._drained_queue_s, self._drained_since = queue_s, now
            self._draining = True
            self._decreased_at = now
            self._capacity.sample(arriving_bps)
            # a gap in the arrivals is no measure: not all at once, then
            lowest = (
                MIN_BPS if math.isinf(self.estimate_bps) else max(self.estimate_bps * _LEAST_STEP, MIN_BPS)
            )
            self.estimate_bps = max(min(self.estimate_bps, _BETA * arriving_bps), lowest)
        elif queue_s < _QUEUE_S / 2:
            if self._draining:
                self._refill(now)
            self._draining = False
        if usage is Usage.NORMAL and not self._draining:
            self._increase(arriving_bps, rtt_s, elapsed_s)
        self.available_bps = self.estimate_bps
        if self._draining and queue_s > _QUEUE_S and self._capacity.bps is not None:
            share = max(_BETA - queue_s / _DRAIN_S, _LEAST_SHARE)
            self.available_bps = max(min(self.estimate_bps, share * self._capacity.bps), MIN_BPS)

    def restart(self, estimate_bps: float) -> None:
        """Begin anew with this estimate; nothing is known of a queue."""
        self._draining = False
        self.estimate_bps = self.available_bps = max(estimate_bps, MIN_BPS)

    def drains_nothing(self, arriving_bps: float, queue_s: float, rtt_s: float, now: float) -> bool:
        """Whether less has been sent for long and the queue is as long as before: then it is none of ours.

        The way has become longer; what was thought of it before holds.
        """
        long = now - self._drained_since > _DRAIN_S + rtt_s
        less = self._capacity.bps is not None and arriving_bps < _BETA * self._capacity.bps
        if not (self._draining and long and less):
            return False
        if queue_s < max(_UNDRAINED * self._drained_queue_s, _QUEUE_S):
            return False
        self._draining = False
        self.estimate_bps = self._before_bps
        return True

    def _refill(self, now: float) -> None:
        """The queue is gone: what was left free for that can be used."""
        if self._capacity.bps is not None and now - self._decreased_at < _REMEMBERED_S:
            self.estimate_bps = max(
                self.estimate_bps, min(_FULL * self._capacity.bps, self.estimate_bps / _BETA)
            )

    def _increase(self, arriving_bps: float, rtt_s: float, elapsed_s: float) -> None:
        estimate = self.estimate_bps
        if (
            self._capacity.bps is not None
            and arriving_bps > self._capacity.bps
            and not self._capacity.near(arriving_bps)
        ):
            self._capacity.bps = None  # the link carries more than it did
        grown = estimate + elapsed_s * _NEAR_BITS / (rtt_s + _RESPONSE_S)
        if not self._capacity.near(estimate):
            grown = max(grown, estimate * (1 + _GROWTH_PER_S) ** elapsed_s)
        self.estimate_bps = max(estimate, min(grown, _LEAD * arriving_bps + _LEAD_BPS))

    def probed(self, bps: float) -> None:
        """A probe has shown that the link carries this much."""
        if self._draining:
            return
        self.estimate_bps = self.available_bps = bps
