"""Overuse detection: whether a queue grows on the path, from the one-way delay gradient.

draft-ietf-rmcat-gcc-02 section 5 with the trendline of libwebrtc in place of the Kalman filter: packets sent together
form a group, the changes of the one-way delay between groups are summed and smoothed, and the slope of a line through
the last sums is compared with a threshold that adapts to the link's own variation.
"""

from collections import deque
from enum import Enum
from typing import TypeAlias

import numpy as np

from sfu.fanout.sentlog import Floats

# Packets sent within this time are one group (section 5.2).
_GROUP_S = 0.005
# libwebrtc's trendline: number of points, weight of the past, factor of the slope.
_POINTS = 20
_SMOOTHING = 0.9
_GAIN, _MOST_DELTAS = 4.0, 60
# Section 5.4: the threshold in ms, its adaptation up and down (per ms), and the distance of outliers.
_FIRST_THRESHOLD_MS, _LEAST_THRESHOLD_MS, _MOST_THRESHOLD_MS = 12.5, 6.0, 600.0
_K_UP, _K_DOWN = 0.0087, 0.039
_OUTLIER_MS = 15.0
_LONGEST_STEP_MS = 100.0
# A queue this long that has grown since the previous report is overuse, whatever the line says: after a drain the line
# still falls for half a second into the next congestion. After a pause of a radio link or of a busy host everything
# arrives at once, and the last packets have hardly waited: a report of fewer packets than this shows a queue only if
# the one before it did.
_QUEUE_S, _GROWTH_S, _FEW_PACKETS, _BEGUN_S = 0.06, 0.01, 3, 0.03
# Radio links and busy hosts vary by less than this queue.
_LEAST_QUEUE_S = 0.015
# The lowest delay in the last one or two of these windows is the base delay. Clocks drift by less than 1 ms in them.
_BASE_S = 15.0


_Group: TypeAlias = tuple[int, float, float]  # 5 ms slot, last departure, last arrival


class LinkUsage(Enum):
    """How all traffic together uses a link."""

    NORMAL = "normal"
    OVER = "the queue grows"
    UNDER = "the queue shrinks"


class DelayTrend:
    """The delay trend of one transport."""

    def __init__(self) -> None:
        """Start without measurements."""
        self.usage = LinkUsage.NORMAL
        self.queue_s = 0.0
        "Queuing delay of the last packets: above the base delay."
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
        """Process packets in the order of sending; the times are on the sender's and on the receiver's clock."""
        self._note_queue(float((arrived_at - sent_at).min()), len(sent_at), float(arrived_at[-1]))
        slots = (sent_at / _GROUP_S).astype(np.int64)
        ends = [*np.flatnonzero(slots[1:] != slots[:-1]).tolist(), len(slots) - 1]
        groups, departures, arrivals = slots.tolist(), sent_at.tolist(), arrived_at.tolist()
        for end in ends:
            self._add_group((groups[end], departures[end], arrivals[end]))
        if len(self._points) >= 2 or self._filling:
            self._judge(float(arrived_at[-1]))

    def follow(self, delay_s: float, arrived_at: float) -> None:
        """Process the last packet of a report while the path shows no queue: no trend is needed, but the base delay is.

        The trend begins anew with the next report that is processed whole.
        """
        self._note_queue(delay_s, 1, arrived_at)
        self._open = self._closed = None
        self._points.clear()

    @property
    def base_s(self) -> float:
        """The base delay: one-way delay of the empty path, from one clock to the other."""
        return min(self._bases)

    def rebase(self) -> None:
        """Measure the base delay again: the path has become longer, and the assumed queue is its delay."""
        self._bases = (float("inf"), float("inf"))
        self.queue_s = 0.0
        self.usage = LinkUsage.NORMAL

    def restart(self) -> None:
        """Discard the trend: the link was dead, and new delays do not continue the old ones."""
        self.rebase()
        self._open = self._closed = None
        self._points.clear()
        self._sum_ms = self._smoothed_ms = self._trend = 0.0
        self._deltas = 0

    def _note_queue(self, delay_s: float, packets: int, arrived_at: float) -> None:
        if arrived_at - self._base_since > _BASE_S:
            self._bases = (self._bases[1], delay_s)
            self._base_since = arrived_at
        self._bases = (self._bases[0], min(self._bases[1], delay_s))
        before, self.queue_s = self.queue_s, delay_s - self.base_s
        self._filling = self.queue_s > max(_QUEUE_S, before + _GROWTH_S) and (
            packets >= _FEW_PACKETS or before > _BEGUN_S
        )

    def _add_group(self, new: _Group) -> None:
        group = self._open
        if group is not None and group[0] == new[0]:
            self._open = new
            return
        # a group is complete when the next one starts
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
            self.usage = LinkUsage.OVER
        elif self._trend > self._threshold_ms:
            # a single steep line, or one without a queue, may be jitter: it takes a second one that is not flatter
            if self.queue_s <= _LEAST_QUEUE_S:
                self.usage = LinkUsage.NORMAL
            elif self._trend >= before > self._threshold_ms:
                self.usage = LinkUsage.OVER
        elif self._trend < -self._threshold_ms:
            self.usage = LinkUsage.UNDER
        else:
            self.usage = LinkUsage.NORMAL
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
    """Return the slope of the best-fitting line, in ms of delay per ms; 0 for a single point or none."""
    count = len(points)
    if count < 2:
        return 0.0
    first = points[0][0]
    x = [arrival - first for arrival, _ in points]
    mean_x = sum(x) / count
    mean_y = sum([delay for _, delay in points]) / count
    over = sum([(each - mean_x) * (point[1] - mean_y) for each, point in zip(x, points, strict=True)])
    under = sum([(each - mean_x) ** 2 for each in x])
    return over / under if under else 0.0
