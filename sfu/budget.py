"""What one client may ask of the engine: a token bucket whose tokens are the cost of the work, taken before the work.

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
        """`rate` refills the bucket and is its size."""
        self._rate = rate
        self._left = rate.burst
        self._at = float("-inf")

    def left(self, now: float) -> float:
        """What can be taken at this moment."""
        if now > self._at:
            self._left = min(self._rate.burst, self._left + (now - self._at) * self._rate.per_s)
            self._at = now
        return self._left

    def take(self, cost: float, now: float) -> bool:
        """Take `cost`; False, and nothing is taken, when there is less."""
        if self.left(now) < cost:
            return False
        self._left -= cost
        return True


class Flood:
    """Tells a flood from a burst: how long in a row a client has exceeded a budget, in whole seconds.

    A burst exceeds a budget for a moment; a client that exceeds it in each of several seconds does not adapt.
    """

    __slots__ = ("_excess", "_window_at", "seconds")

    def __init__(self) -> None:
        """No excess so far."""
        self._excess = 0
        self._window_at = float("-inf")
        self.seconds = 0
        "Consecutive seconds with excess, up to the last one that is over."

    def exceeded(self) -> None:
        """One datagram was dropped for lack of budget."""
        self._excess += 1

    def elapsed(self, now: float, tolerated: int) -> bool:
        """Close the running second if it is over; whether it was.

        A second with at most `tolerated` datagrams of excess ends the series.
        """
        if now < self._window_at + 1.0:
            return False
        self.seconds = self.seconds + 1 if self._excess > tolerated else 0
        self._excess = 0
        self._window_at = now
        return True
