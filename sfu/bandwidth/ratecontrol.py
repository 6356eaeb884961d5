"""The delay-based rate: increases slowly, decreases at once (draft-ietf-rmcat-gcc-02 section 6).

As in libwebrtc, beyond the draft: the link's capacity is sampled when the link is overused, and near the capacity the
rate grows by about a packet per round trip instead of exponentially. Own addition: while there is a queue, the
available bandwidth is lowered so far that the queue is gone in about a second; at 85 % of the capacity, a second of
queue would last for six.
"""

import math

from sfu.bandwidth.delay import LinkUsage

MIN_BPS = 30_000.0
# Sections 6 and 7: share of the throughput under overuse that is sent then; growth per second; how far the estimate may
# exceed the throughput while less is sent than available.
_BETA = 0.85
_GROWTH_PER_S = 0.08
_LEAD, _LEAD_BPS = 1.5, 10_000.0
# Growth near the capacity: bits per response time. libwebrtc has one packet; with two, a newcomer on a link filled by
# another flow gets an equal share in half a minute instead of minutes.
_NEAR_BITS, _RESPONSE_S = 2 * 1200 * 8, 0.1
# libwebrtc's values: weight of a capacity sample, and bounds of its relative variance (in kbit/s).
_CAPACITY_WEIGHT = 0.05
_LEAST_VARIANCE, _MOST_VARIANCE = 0.4, 2.5
_LEAST_STEP = 0.5
# A queue shorter than a frame or two does not count; a longer one has to go within a second; audio needs some rate.
_QUEUE_S, _DRAIN_S, _LEAST_SHARE = 0.06, 1.0, 0.25
# If the path's new length is at least this share of the longest queue, there was no other queue.
_UNDRAINED = 0.7
# The share of a recently found capacity that is used at once. More would reach the link's limit sooner, but keep
# unequal shares unequal for minutes.
_FULL = 0.92
_REMEMBERED_S = 5.0


class Capacity:
    """The link capacity: the throughput of the full link."""

    def __init__(self) -> None:
        """Start with an unknown capacity."""
        self.bps: float | None = None
        self._variance = _LEAST_VARIANCE

    def sample(self, bps: float) -> None:
        """Add a sample: the throughput while the link was full."""
        if not self.near(bps) or self.bps is None:
            self.bps, self._variance = bps, _LEAST_VARIANCE  # the path has changed
            return
        error_kbps = (bps - self.bps) / 1000
        self.bps += _CAPACITY_WEIGHT * (bps - self.bps)
        variance = (1 - _CAPACITY_WEIGHT) * self._variance + _CAPACITY_WEIGHT * error_kbps**2 / (
            self.bps / 1000
        )
        self._variance = min(max(variance, _LEAST_VARIANCE), _MOST_VARIANCE)

    def near(self, bps: float) -> bool:
        """Whether a rate is within three standard deviations of the capacity."""
        if self.bps is None:
            return False
        return abs(bps - self.bps) <= 3 * 1000 * math.sqrt(self._variance * self.bps / 1000)


class RateControl:
    """The delay-based rate of one transport."""

    def __init__(self) -> None:
        """Start unlimited."""
        self.estimate_bps = float("inf")
        self.available_bps = float("inf")
        "The estimate; lower while a queue has to be drained."
        self._capacity = Capacity()
        self._draining = False
        self._drained_queue_s = 0.0
        self._before_bps = float("inf")
        self._updated_at = 0.0
        self._decreased_at = float("-inf")

    def update(self, usage: LinkUsage, arriving_bps: float, queue_s: float, rtt_s: float, now: float) -> None:
        """Process a report: the link's usage, the throughput, and the queuing delay."""
        elapsed_s = min(now - self._updated_at, 1.0)
        self._updated_at = now
        if usage is LinkUsage.OVER:
            if not self._draining:
                self._before_bps, self._drained_queue_s = self.estimate_bps, 0.0
            self._drained_queue_s = max(self._drained_queue_s, queue_s)
            self._draining = True
            self._decreased_at = now
            self._capacity.sample(arriving_bps)
            # a gap in the arrivals is not a measurement, so one decrease leaves at least half of the estimate
            lowest = (
                MIN_BPS if math.isinf(self.estimate_bps) else max(self.estimate_bps * _LEAST_STEP, MIN_BPS)
            )
            self.estimate_bps = max(min(self.estimate_bps, _BETA * arriving_bps), lowest)
        elif queue_s < _QUEUE_S / 2:
            if self._draining:
                self._refill(now)
            self._draining = False
        if usage is LinkUsage.NORMAL and not self._draining:
            self._increase(arriving_bps, rtt_s, elapsed_s)
        self.available_bps = self.estimate_bps
        if self._draining and queue_s > _QUEUE_S and self._capacity.bps is not None:
            share = max(_BETA - queue_s / _DRAIN_S, _LEAST_SHARE)
            self.available_bps = max(min(self.estimate_bps, share * self._capacity.bps), MIN_BPS)

    def restart(self, estimate_bps: float) -> None:
        """Start again from this estimate, without a queue."""
        self._draining = False
        self.estimate_bps = self.available_bps = max(estimate_bps, MIN_BPS)

    def path_became_longer(self, standing_s: float, peak_bps: float) -> None:
        """Undo the decreases of a drain whose queue was the path's new length, of so many seconds.

        If there was a queue of ours as well, the highest throughput of the last seconds is what the link carries.
        """
        if not self._draining:
            return
        self._draining = False
        if standing_s >= _UNDRAINED * self._drained_queue_s:
            self.estimate_bps = self._before_bps
        else:
            self.estimate_bps = max(self.estimate_bps, min(_FULL * peak_bps, self._before_bps))

    def _refill(self, now: float) -> None:
        """The queue is gone: use the bandwidth that was left free for draining it."""
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
            self._capacity.bps = None  # the link has more capacity than before
        grown = estimate + elapsed_s * _NEAR_BITS / (rtt_s + _RESPONSE_S)
        if not self._capacity.near(estimate):
            grown = max(grown, estimate * (1 + _GROWTH_PER_S) ** elapsed_s)
        self.estimate_bps = max(estimate, min(grown, _LEAD * arriving_bps + _LEAD_BPS))

    def probed(self, bps: float) -> None:
        """Use the rate that a probe has shown."""
        if self._draining:
            return
        self.estimate_bps = self.available_bps = bps
