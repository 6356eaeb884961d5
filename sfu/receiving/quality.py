"""How good a peer's connection is, from the losses in receiver reports of both directions.

Round-trip times are left out: sender reports carry publishers' clocks, so those of viewers say little.
"""

from collections.abc import Iterable

from sfu.values import Quality

INTERVAL_S = 5.0

# Opus with redundancy and retransmitted video stand the first without a trace and the second with an effort.
_GOOD_LOSS, _POOR_LOSS = 0.02, 0.08
# A report is a second; a bad one alone does not change the picture.
_SHARE = 0.3


class LossHistory:
    """Loss in one direction, averaged over the last reports."""

    __slots__ = ("share",)

    def __init__(self) -> None:
        """None so far."""
        self.share = 0.0
        "0 to 1."

    def add_fractions(self, fractions: Iterable[int]) -> None:
        """Record a report's fractions lost (in 1/256, RFC 3550 section 6.4.1); the worst stream counts."""
        worst = max(fractions, default=None)
        if worst is not None:
            self.share += _SHARE * (worst / 256 - self.share)


def quality(*losses: float) -> Quality:
    """Return the quality of a connection with this loss (0 to 1) in each direction."""
    worst = max(losses)
    if worst < _GOOD_LOSS:
        return "excellent"
    return "good" if worst < _POOR_LOSS else "poor"
