"""Slow start towards viewers of screens: what has not been confirmed by reports of arrivals is bounded.

A new slide is 20 to 60 packets in 50 ms. A link that has just become narrow would drop most of them, and with them
audio, before any report could show that. Therefore a *bounded* row is sent a packet only while fewer packets of its
transport are unconfirmed than its window has (RFC 5681; after a pause RFC 7661). The rule is that of
sfu/dataplane/window.c.
"""

import math
from collections.abc import Callable
from typing import Protocol

import numpy as np
import numpy.typing as npt

# Packets.
FIRST_WINDOW, LARGEST_WINDOW = 10, 4096
# After so long without a burst that fills the first window, nothing is known of the path any more: a caret that blinks
# in the meantime does not show what the path carries.
IDLE_S = 0.15
# Packets of a picture follow each other more closely.
_PICTURE_GAP_S = 0.02
# What waits is sent all the same when no report has come for this time, or for so many round trips.
_PATIENCE_S, _PATIENCE_ROUND_TRIPS = 0.1, 2
# On a longer path a slide would become late by many steps.
_LONGEST_ROUND_TRIP_S = 0.15


def patience_s(rtt_s: float | None) -> float | None:
    """Return how long a packet waits for a report at most; None: it never waits, on a path of this round trip."""
    if rtt_s is None or rtt_s >= _LONGEST_ROUND_TRIP_S:
        return None
    return max(_PATIENCE_S, _PATIENCE_ROUND_TRIPS * rtt_s)


class WaitingRow(Protocol):
    """A bounded row, as its window knows it."""

    def waits(self) -> bool:
        """Return whether there is a packet that it has not been sent."""

    def serve(self, now: float) -> None:
        """Send what the window admits."""


class Window:
    """How many packets one transport may be sent beyond those that its reports have confirmed."""

    __slots__ = (
        "_asked_at",
        "_begun_at",
        "_burst",
        "_burst_since",
        "_busy_at",
        "_confirmed",
        "_counted_from",
        "_numbered",
        "_on_waiting",
        "_sequences",
        "_started",
        "_transport",
        "_written",
        "due_at",
        "patience_s",
        "rows",
        "size",
    )

    def __init__(
        self, transport: int, sequences: npt.NDArray[np.uint16], on_waiting: Callable[["Window"], None]
    ) -> None:
        """`sequences` has the next transport-wide number by transport; `on_waiting` is called when `due_at` is set."""
        self.rows: list[WaitingRow] = []
        "Its bounded rows, in the order in which they were added."
        self.size = FIRST_WINDOW
        self.patience_s = _PATIENCE_S
        self.due_at = math.inf
        "When no report is waited for any longer; infinite: nothing waits."
        self._transport = transport
        self._sequences = sequences
        self._on_waiting = on_waiting
        self._started = False
        self._begun_at = 0  # the next number when a picture met the first window last
        self._asked_at = -math.inf  # when a packet was to be sent last
        self._confirmed = 0  # number after the last one that a report said arrived
        self._counted_from = 0  # that one, or a later one up to which no report was waited for any longer
        self._numbered = 0  # the next number when `_written` was counted
        self._written = 0  # rows that get their numbers with the next flush
        self._burst, self._burst_since = 0, -math.inf  # packets sent since then
        self._busy_at = -math.inf  # when such a burst, or a waiting packet, was sent last

    def _next(self) -> int:
        """Forget rows that have got their numbers, and return the next number."""
        number = int(self._sequences[self._transport])
        if number != self._numbered:
            self._numbered, self._written = number, 0
        return number

    @property
    def unconfirmed(self) -> int:
        """The number of packets that no report has confirmed yet."""
        return (self._next() - self._counted_from & 0xFFFF) + self._written

    def has_room(self, now: float) -> bool:
        """Return whether a packet may be sent."""
        if not self._started:
            self._started = True
            self._confirmed = self._counted_from = self._numbered = int(self._sequences[self._transport])
        if math.isinf(self.due_at) and now - self._busy_at > IDLE_S:
            self.size = FIRST_WINDOW
            if now - self._asked_at > _PICTURE_GAP_S:
                self._begun_at = self._next() + self._written & 0xFFFF
        self._asked_at = now
        return self.unconfirmed < self.size

    def wrote(self, now: float) -> None:
        """Count a row that has been written."""
        self._next()
        self._written += 1
        if now - self._burst_since > IDLE_S:
            self._burst_since, self._burst = now, 0
        self._burst += 1
        if self._burst >= FIRST_WINDOW:
            self._busy_at = now

    def reported(self, arrived: int, now: float, *, no_limit: bool) -> None:
        """Move the window by a report whose last packet that arrived has this number, and send what waited for it."""
        following, number = arrived + 1 & 0xFFFF, self._next()
        confirmed = following - self._confirmed & 0xFFFF
        if not self._started or not confirmed or confirmed > number - self._confirmed & 0xFFFF:
            return  # an old report, or one about packets that were never sent
        self._confirmed = following
        if number - self._counted_from & 0xFFFF > number - following & 0xFFFF:
            self._counted_from = following
        # what was sent before the picture does not show how the path takes the picture
        since = following - self._begun_at & 0xFFFF
        if no_limit and since <= number - self._begun_at & 0xFFFF:
            self.size = min(self.size + min(since, confirmed), LARGEST_WINDOW)
        if not math.isinf(self.due_at):
            self.due_at = now + self.patience_s
        self._serve(now)

    def run_due(self, now: float) -> None:
        """Send what has waited too long for a report, as much as the window has."""
        if now >= self.due_at:
            self._counted_from, self._written = self._next(), 0
            self.due_at = now + self.patience_s
            self._serve(now)

    def _serve(self, now: float) -> None:
        for row in self.rows:
            row.serve(now)
        self.settle(now)

    def settle(self, now: float) -> None:
        """Set the time until which reports are waited for, if anything waits."""
        waits = any(row.waits() for row in self.rows)
        if waits and math.isinf(self.due_at):
            self.due_at = now + self.patience_s
            self._on_waiting(self)
        elif not waits and not math.isinf(self.due_at):
            self.due_at = math.inf
            self._busy_at = now


def _ignore(_window: Window) -> None:
    return


class Windows:
    """The windows of those transports that have bounded rows."""

    def __init__(self, sequences: npt.NDArray[np.uint16]) -> None:
        """See `Window`."""
        self.on_waiting: Callable[[Window], None] = _ignore
        "Called with a window when something begins to wait there; `Window.run_due` is then to be called at `due_at`."
        self._sequences = sequences
        self._by_transport: dict[int, Window] = {}

    def get(self, transport: int) -> Window | None:
        """Return the window of a transport, if it has bounded rows."""
        return self._by_transport.get(transport)

    def enter(self, transport: int, row: WaitingRow, patience_s: float) -> Window:
        """Add a row to the window of its transport, and return the window."""
        window = self._by_transport.get(transport)
        if window is None:
            window = Window(transport, self._sequences, self.on_waiting)
            self._by_transport[transport] = window
        window.rows.append(row)
        window.patience_s = patience_s
        return window

    def leave(self, transport: int, row: WaitingRow) -> None:
        """Remove a row, and with the last one the window."""
        window = self._by_transport.get(transport)
        if window is not None and row in window.rows:
            window.rows.remove(row)
            if not window.rows:
                del self._by_transport[transport]
