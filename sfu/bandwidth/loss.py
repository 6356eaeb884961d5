"""The rate that a link without a queue bears: packets lost tell that it is full, unless it loses some anyway.

draft-ietf-rmcat-gcc-02 section 7 lowers the rate whenever more than a tenth is lost. On a radio link that loses a
tenth by itself the rate would fall to nothing. So a loss that stays when the rate has fallen is taken as the link's
own, and only what exceeds it counts (as libwebrtc's second loss-based estimator does by its "inherent loss").
"""

# Section 7: more lost than the first lowers the rate, less than the second lets it grow, and by how much per second.
_MUCH, _LITTLE = 0.10, 0.02
_GROWTH_PER_S = 0.08
# Losses are counted over this long, and over this many packets at least.
_WINDOW_S, _WINDOW_PACKETS = 0.5, 50
_FEW_PACKETS = 10
# At one step a known bound falls no further than to this share.
_BETA = 0.85
# What was on its way at a decrease is not judged; until when a loss is judged; how much less cures, from what queue on
# a loss cannot be the link's own.
_SETTLING_S, _JUDGED_S = 0.5, 3.0
_CURED = 0.5
_QUEUE_S = 0.05
# How fast the link's own loss is followed down, per window.
_FOLLOW = 0.2


class LossControl:
    """One transport's rate as its losses allow it."""

    def __init__(self) -> None:
        """Nothing known."""
        self.bound_bps = float("inf")
        self.loss = 0.0
        "Share of the last window."
        self.inherent = 0.0
        "Share that the link loses whatever is sent."
        self._lost = self._expected = 0
        self._since = self._judged_from = 0.0
        self._decreased: tuple[float, float, float] | None = None  # last decrease: time, loss, bound before

    def update(self, lost: int, expected: int, arriving_bps: float, queue_s: float, now: float) -> bool:
        """Take in a report: packets lost of those expected, the rate that arrives and the queue before it.

        Returns whether so much is lost behind a queue that the queue must be full: then it is to become shorter,
        which is the business of who controls the delay.
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
        """The rate was lowered just now: what was sent before is not judged."""
        self._judged_from = now + rtt_s + _SETTLING_S
        self._lost = self._expected = 0

    def probed(self, bps: float) -> None:
        """A probe has shown that the link carries this much."""
        self.bound_bps = max(self.bound_bps, bps)

    def _decrease(self, arriving_bps: float, now: float) -> None:
        last = self._decreased
        if last is not None and now - last[0] < _JUDGED_S and self.loss > _CURED * last[1]:
            # less was sent and as much was lost
            self.inherent, self.bound_bps, self._decreased = self.loss, last[2], None
            return
        self._decreased = (now, self.loss, self.bound_bps)
        self._judged_from = now + _SETTLING_S
        lowered_bps = arriving_bps * (1 - (self.loss - self.inherent) / 2)
        if self.bound_bps < float("inf"):
            lowered_bps = max(
                lowered_bps, self.bound_bps * _BETA
            )  # less than that may arrive for want of more
        self.bound_bps = min(self.bound_bps, lowered_bps)
