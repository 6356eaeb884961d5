"""The deadlines of an engine, each with an owner and a reason. The time is an argument.

The shell calls `run_due` when `next_at` is reached, and is told by `on_earlier` that it has to look sooner. Nothing is
polled: what waits for nothing has no deadline, and costs nothing.
"""

import heapq
from collections.abc import Callable, Hashable
from enum import Enum

from sfu.engine.containment import Containment


class Reason(Enum):
    """Why an engine wakes."""

    FEEDBACK = "transport-wide feedback"
    NACK = "NACK to a publisher"
    RECEIVER_REPORT = "receiver report"
    KEYFRAME = "keyframe request"
    LAYERS = "check of layers"
    WANTED_LAYERS = "layers to encode"
    REPLAY = "replay"
    OPENING = "packets that open a stream"
    BANDWIDTH = "estimate, pacer, padding"
    WINDOW = "packets that wait for reports of arrivals"
    SPEAKERS = "speakers"
    CONSENT = "consent of a peer"
    QUALITY = "connection quality"
    FLOOD = "budgets of peers"


Duty = Callable[[float], object]
"Called with the present time; what it returns is ignored."
_Key = tuple[Hashable, Reason]


def _ignore() -> None:
    return


class Deadlines:
    """At most one deadline for each owner and reason; setting it again moves it.

    A duty may set deadlines, but none for the present time again and again: `run_due` would not end.
    """

    __slots__ = ("_containment", "_count", "_heap", "_keys", "_live", "on_earlier")

    def __init__(self, containment: Containment) -> None:
        """A duty that fails costs only its owner's turn (`containment`)."""
        self._containment = containment
        self._live: dict[_Key, tuple[int, Duty, float | None]] = {}
        # What is cancelled or moved stays in the heap until it surfaces, so the heap holds numbers and no owners.
        self._keys: dict[int, _Key] = {}
        self._heap: list[tuple[float, int]] = []
        self._count = 0
        self.on_earlier: Callable[[], None] = _ignore
        "Called when the earliest deadline has become an earlier one."

    def set(
        self, owner: Hashable, reason: Reason, at: float, duty: Duty, *, every_s: float | None = None
    ) -> None:
        """Call `duty` at this time; with `every_s`, repeat it at that interval until it is cancelled."""
        self.cancel(owner, reason)
        self._count += 1
        self._live[owner, reason] = self._count, duty, every_s
        self._keys[self._count] = owner, reason
        heapq.heappush(self._heap, (at, self._count))
        if self._heap[0][1] == self._count:
            self.on_earlier()

    def is_set(self, owner: Hashable, reason: Reason) -> bool:
        """Return whether the deadline is set."""
        return (owner, reason) in self._live

    def cancel(self, owner: Hashable, reason: Reason) -> None:
        """Remove a deadline, if it is set."""
        found = self._live.pop((owner, reason), None)
        if found is not None:
            del self._keys[found[0]]

    @property
    def next_at(self) -> float | None:
        """Return the earliest deadline; None if there is none."""
        while self._heap and self._heap[0][1] not in self._keys:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def run_due(self, now: float) -> list[Reason]:
        """Run the duties that are due, in the order of their deadlines; return their reasons."""
        reasons: list[Reason] = []
        while (at := self.next_at) is not None and at <= now:
            owner, reason = self._keys[heapq.heappop(self._heap)[1]]
            _, duty, every_s = self._live[owner, reason]
            self.cancel(owner, reason)
            if every_s is not None:  # before the duty, which may cancel it
                self.set(owner, reason, now + every_s, duty, every_s=every_s)
            reasons.append(reason)
            self._containment.run(owner, now, duty, now)
        return reasons
