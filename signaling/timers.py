"""Deadlines that carry their owner and their reason; time comes in from outside.

One `Timers` serves the whole process. The shell calls `run_due` when `next_at` is reached and listens on
`on_earlier` to learn that it has to look sooner; tests move the clock by hand.
"""

import heapq
import logging
from collections.abc import Callable

log = logging.getLogger(__name__)


def _ignore() -> None:
    return


class Timers:
    """At most one deadline per owner and reason; setting it again moves it."""

    def __init__(self, now: Callable[[], float]) -> None:
        """`now` is a monotonic clock in seconds."""
        self._now = now
        self._live: dict[tuple[str, str], tuple[int, Callable[[], None]]] = {}
        self._heap: list[tuple[float, int, tuple[str, str]]] = []
        self._count = 0
        self.on_earlier: Callable[[], None] = _ignore
        "Called when the earliest deadline may have become an earlier one."

    def set(self, owner: str, reason: str, delay_s: float, action: Callable[[], None]) -> None:
        """Call `action` once in `delay_s`, unless cancelled or set again before."""
        self._count += 1
        at = self._now() + delay_s
        self._live[owner, reason] = (self._count, action)
        heapq.heappush(self._heap, (at, self._count, (owner, reason)))
        if self._heap[0][1] == self._count:
            self.on_earlier()

    def is_set(self, owner: str, reason: str) -> bool:
        """Whether this deadline lies ahead."""
        return (owner, reason) in self._live

    def cancel(self, owner: str, reason: str) -> None:
        """Forget one deadline; nothing happens when there is none."""
        self._live.pop((owner, reason), None)

    def cancel_owner(self, owner: str) -> None:
        """Forget every deadline of an owner that is gone."""
        for key in [key for key in self._live if key[0] == owner]:
            del self._live[key]

    @property
    def next_at(self) -> float | None:
        """The earliest deadline on the monotonic clock, None without any."""
        self._drop_dead()
        return self._heap[0][0] if self._heap else None

    def run_due(self) -> None:
        """Run what is due, in order. A failing action is logged and does not keep the others from running."""
        now = self._now()
        while True:
            self._drop_dead()
            if not self._heap or self._heap[0][0] > now:
                return
            _, _, key = heapq.heappop(self._heap)
            _, action = self._live.pop(key)
            try:
                action()
            except Exception:
                log.exception("timer %s of %s failed", key[1], key[0])

    def _drop_dead(self) -> None:
        # Cancelled and moved deadlines stay in the heap until they surface.
        while self._heap:
            _, number, key = self._heap[0]
            live = self._live.get(key)
            if live is not None and live[0] == number:
                return
            heapq.heappop(self._heap)
