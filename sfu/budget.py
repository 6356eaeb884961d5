"""Budgets of one client: token buckets in units of the work's cost, charged before the work.

A count of requests does not bound work: one NACK names one packet or hundreds. So each kind of work has a unit of cost
(a datagram, an octet, a packet looked up), and whoever does the work takes its cost first.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    """A sustained rate and the largest burst above it, both in the unit of the budget."""

    per_s: float
    burst: float


class Budget:
    """One client's token bucket for one kind of work; it starts full."""

    __slots__ = ("_at", "_left", "_rate")

    def __init__(self, rate: Rate) -> None:
        """`rate` has the refill rate and the size of the bucket."""
        self._rate = rate
        self._left = rate.burst
        self._at = float("-inf")

    def left(self, now: float) -> float:
        """Return what is available now."""
        if now > self._at:
            self._left = min(self._rate.burst, self._left + (now - self._at) * self._rate.per_s)
            self._at = now
        return self._left

    def take_tokens(self, cost: float, now: float) -> bool:
        """Charge `cost`; if less is available, charge nothing and return False."""
        if self.left(now) < cost:
            return False
        self._left -= cost
        return True
