"""Whether a queue grows on the way to a receiver, from how far packets arrive apart that were sent apart.

draft-ietf-rmcat-gcc-02 section 5 with the trendline of libwebrtc in place of the Kalman filter: packets sent together
form a group, the change of the one-way delay from group to group is summed and smoothed, and the slope of a line
through the last sums is compared with a threshold that adapts to how much the link wavers by itself.
"""

from collections import deque
from enum import Enum
from typing import TypeAlias

import numpy as np

from sfu.fanout.sentlog import Floats

# Packets sent within this time are one group (section 5.2).
_GROUP_S = 0.005
# libwebrtc's values of the trendline: points of the line, weight of the past, what the slope is multiplied by.
_POINTS = 20
_SMOOTHING = 0.9
_GAIN, _MOST_DELTAS = 4.0, 60
# Section 5.4: the threshold in ms, how fast it follows up and down (per ms), and what is an outlier to it.
_FIRST_THRESHOLD_MS, _LEAST_THRESHOLD_MS, _MOST_THRESHOLD_MS = 12.5, 6.0, 600.0
_K_UP, _K_DOWN = 0.0087, 0.039
_OUTLIER_MS = 15.0
_LONGEST_STEP_MS = 100.0
# A queue this long that is longer than a report before is overuse whatever the line says: after a drain the line falls
# for half a second into the next congestion.
_QUEUE_S, _GROWTH_S = 0.06, 0.01
# A shorter one is within the wavering of radio links and of busy computers.
_LEAST_QUEUE_S = 0.015
# The lowest delay of the last one or two of these is that of the empty way. Clocks drift by less than a millisecond.
_BASE_S = 15.0


_Group: TypeAlias = tuple[int, float, float]  # which 5 ms, last departure, last arrival


class Usage(Enum):
    """What a link is used by everything on it."""

    NORMAL = "normal"
    OVER = "the queue grows"
    UNDER = "the queue shrinks"


class DelayTrend:
    """One transport's delay."""

    def __init__(self) -> None:
        """Nothing known yet."""
        self.usage = Usage.NORMAL
        self.queue_s = 0.0
        "How much longer the last packets took than those on the empty way."
        self._open: _Group | None = None
        self._closed: _Group | None = None
        self._points: deque[tuple[float, float]] = deque(maxlen=_POINTS)  # (arrival, smoothed sum), ms
        self._sum_ms = self._smoothed_ms = 0.0
        self._deltas = 0
        self._threshold_ms = _FIRST_THRESHOLD_MS
        self._trend = 0.0
        self._updated_at = 0.0
        self._filling = False
        self._bases = (float("inf"), float("inf"))
        self._base_since = float("-inf")

    def update(self, sent_at: Floats, arrived_at: Floats) -> None:
        """Take in packets in the order they were sent; times of departure and arrival are by different clocks."""
        self._note_queue(float((arrived_at - sent_at).min()), float(arrived_at[-1]))
        slots = (sent_at / _GROUP_S).astype(np.int64)
        ends = [*np.flatnonzero(slots[1:] != slots[:-1]).tolist(), len(slots) - 1]
        groups, departures, arrivals = slots.tolist(), sent_at.tolist(), arrived_at.tolist()
        for end in ends:
            self._add_group((groups[end], departures[end], arrivals[end]))
        if len(self._points) >= 2:
            self._judge(float(arrived_at[-1]))

    @property
    def base_s(self) -> float:
        """Delay of the empty way, from one clock to the other."""
        return min(self._bases)

    def rebase(self) -> None:
        """The way has become longer: what seemed to be a queue is its delay."""
        self._bases = (float("inf"), float("inf"))
        self.queue_s = 0.0
        self.usage = Usage.NORMAL

    def restart(self) -> None:
        """Forget the trend: the link was dead, and what comes now does not continue what came before."""
        self.rebase()
        self._open = self._closed = None
        self._points.clear()
        self._sum_ms = self._smoothed_ms = self._trend = 0.0
        self._deltas = 0

    def _note_queue(self, delay_s: float, arrived_at: float) -> None:
        if arrived_at - self._base_since > _BASE_S:
            self._bases = (self._bases[1], delay_s)
            self._base_since = arrived_at
        self._bases = (self._bases[0], min(self._bases[1], delay_s))
        before, self.queue_s = self.queue_s, delay_s - self.base_s
        self._filling = self.queue_s > _QUEUE_S and self.queue_s > before + _GROWTH_S

    def _add_group(self, new: _Group) -> None:
        group = self._open
        if group is not None and group[0] == new[0]:
            self._open = new
            return
        # a group is complete when the next one begins
        before, self._closed, self._open = self._closed, group, new
        if before is None or group is None:
            return
        _, departure, arrival = group
        delta_ms = 1000 * ((arrival - before[2]) - (departure - before[1]))
        self._deltas = min(self._deltas + 1, _MOST_DELTAS)
        self._sum_ms += delta_ms
        self._smoothed_ms = _SMOOTHING * self._smoothed_ms + (1 - _SMOOTHING) * self._sum_ms
        self._points.append((1000 * arrival, self._smoothed_ms))

    def _judge(self, now: float) -> None:
        before, self._trend = self._trend, self._deltas * _slope(self._points) * _GAIN
        if self._filling:
            self.usage = Usage.OVER
        elif self._trend > self._threshold_ms:
            # one steep line may be jitter, and so is one without a queue: the next, not flatter, tells
            if self._trend >= before > self._threshold_ms and self.queue_s > _LEAST_QUEUE_S:
                self.usage = Usage.OVER
        elif self._trend < -self._threshold_ms:
            self.usage = Usage.UNDER
        else:
            self.usage = Usage.NORMAL
        self._adapt(now)

    def _adapt(self, now: float) -> None:
        elapsed_ms = min(1000 * (now - self._updated_at), _LONGEST_STEP_MS)
        self._updated_at = now
        size = abs(self._trend)
        if size > self._threshold_ms + _OUTLIER_MS:
            return
        pace = _K_DOWN if size < self._threshold_ms else _K_UP
        threshold_ms = self._threshold_ms + pace * (size - self._threshold_ms) * elapsed_ms
        self._threshold_ms = min(max(threshold_ms, _LEAST_THRESHOLD_MS), _MOST_THRESHOLD_MS)


def _slope(points: deque[tuple[float, float]]) -> float:
    """Of the line that fits best: ms of delay per ms."""
    first = points[0][0]
    count = len(points)
    x = [arrival - first for arrival, _ in points]
    mean_x = sum(x) / count
    mean_y = sum([delay for _, delay in points]) / count
    over = sum([(each - mean_x) * (point[1] - mean_y) for each, point in zip(x, points, strict=True)])
    under = sum([(each - mean_x) ** 2 for each in x])
    return over / under if under else 0.0
