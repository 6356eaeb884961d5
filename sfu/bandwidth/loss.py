"""The loss bound: losses on a link without a queue mean that the link is full, unless it always loses packets.

draft-ietf-rmcat-gcc-02 section 7 lowers the rate whenever more than 10 % is lost. On a radio link that always loses
10 %, the rate would fall to nothing. So a loss that remains after the rate has fallen counts as inherent, and only loss
above it has an effect (as in libwebrtc's second loss-based estimator).
"""

# Section 7: loss above which the rate is lowered, loss below which it grows, and its growth per second.
_MUCH, _LITTLE = 0.10, 0.02
_GROWTH_PER_S = 0.08
# Losses are counted over at least this long and at least this many packets.
_WINDOW_S, _WINDOW_PACKETS = 0.5, 50
_FEW_PACKETS = 10
# One step lowers a known bound to no less than this share.
_BETA = 0.85
# Time after a decrease in which packets sent before it still arrive; time within which its effect is judged; loss ratio
# that counts as an improvement; queue from which on a loss is not inherent.
_SETTLING_S, _JUDGED_S = 0.5, 3.0
_CURED = 0.5
_QUEUE_S = 0.05
# How fast the inherent loss falls, per window.
_FOLLOW = 0.2


class LossControl:
    """The loss bound of one transport."""

    def __init__(self) -> None:
        """Start without a bound."""
        self.bound_bps = float("inf")
        self.loss = 0.0
        "Loss of the last window, 0 to 1."
        self.inherent = 0.0
        "Inherent loss, 0 to 1: independent of the sending rate."
        self._lost = self._expected = 0
        self._since = self._judged_from = 0.0
        self._decreased: tuple[float, float, float] | None = None  # last decrease: time, loss, bound before

    def update(self, lost: int, expected: int, arriving_bps: float, queue_s: float, now: float) -> bool:
        """Process a report: packets lost and expected, the throughput, and the queuing delay.

        Returns True if so much is lost with a queue that the queue must be full: then the delay-based control has to
        shorten the queue.
        """
        if queue_s > _QUEUE_S and expected >= _FEW_PACKETS and lost > 2 * _MUCH * expected:
            return True  # beyond doubt
        if now < self._judged_from:
            return False
        if not self._expected:
            self._since = now
        self._lost += lost
        self._expected += expected
        elapsed_s = now - self._since
        if elapsed_s < _WINDOW_S or self._expected < _WINDOW_PACKETS:
            return False
        self.loss = self._lost / self._expected
        self._lost = self._expected = 0
        excess = self.loss - self.inherent
        if excess > _MUCH:
            if queue_s > _QUEUE_S:
                return True
            self._decrease(arriving_bps, now)
        elif excess < _LITTLE:
            self.bound_bps *= (1 + _GROWTH_PER_S) ** min(elapsed_s, 1.0)
            self.inherent += _FOLLOW * min(excess, 0.0)
        return False

    def rate_changed(self, rtt_s: float, now: float) -> None:
        """Ignore losses of packets sent before now, since the rate was just lowered."""
        self._judged_from = now + rtt_s + _SETTLING_S
        self._lost = self._expected = 0

    def probed(self, bps: float) -> None:
        """Raise the bound to the rate that a probe has shown."""
        self.bound_bps = max(self.bound_bps, bps)

    def _decrease(self, arriving_bps: float, now: float) -> None:
        last = self._decreased
        if last is not None and now - last[0] < _JUDGED_S and self.loss > _CURED * last[1]:
            # less was sent and as much was lost: the loss is inherent
            self.inherent, self.bound_bps, self._decreased = self.loss, last[2], None
            return
        self._decreased = (now, self.loss, self.bound_bps)
        self._judged_from = now + _SETTLING_S
        lowered_bps = arriving_bps * (1 - (self.loss - self.inherent) / 2)
        if self.bound_bps < float("inf"):
            # less may be received than the bound because less was sent
            lowered_bps = max(lowered_bps, self.bound_bps * _BETA)
        self.bound_bps = min(self.bound_bps, lowered_bps)
