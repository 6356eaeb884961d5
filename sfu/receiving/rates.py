"""Measured bitrates and frame rates of the layers of a stream."""

from collections import deque
from dataclasses import dataclass, field

from sfu.wire.operating_points import EVERY, MAX_POINT_SETS, MAX_TEMPORAL, OperatingPoint, contains, lowest

WINDOW_S = 1.0
# Bitrates are the peak of so many seconds: a slide that stands still for a moment must not look free, as the next
# change is a burst again. LiveKit measures screens over 4 s.
HELD_S = 5.0
# The peak is that of so many seconds on end: by the rate of its one second no weak link would ever get a keyframe.
SMOOTHED_S = 3.0
# A shared screen costs the mean of so long: a slide is a burst that the pacer spreads, and other videos wait meanwhile.
AVERAGED_S = 10.0
# Of a stream that has just begun, so much time is counted at least: its keyframe is not its bitrate.
_LEAST_S = 0.5


@dataclass(slots=True)
class _Window:
    begins_at: float
    octets: dict[int, int] = field(default_factory=dict)
    "Set of points that need them -> octets."
    pictures: list[int] = field(default_factory=lambda: [0] * (MAX_TEMPORAL + 1))
    "By temporal layer."

    def octets_of(self, point: OperatingPoint) -> int:
        return sum(octets for points, octets in self.octets.items() if contains(points, point))


def _octets(windows: list[_Window], first: int, point: OperatingPoint) -> int:
    """Of the windows that begin within the smoothed time from one on."""
    end = windows[first].begins_at + SMOOTHED_S
    return sum(window.octets_of(point) for window in windows[first:] if window.begins_at < end)


class RateMeter:
    """The rates of one stream in windows of a second; each packet costs constant time."""

    __slots__ = ("_closed", "_open")

    def __init__(self, now: float) -> None:
        """Begin the first window."""
        self._open = _Window(now)
        self._closed: deque[_Window] = deque()

    def add(self, points: int, octets: int, now: float, *, pictures: int) -> None:
        """Count octets that these operating points need, and the pictures that began with them."""
        if now >= self._open.begins_at + WINDOW_S:
            self._close(now)
        window = self._open
        if points not in window.octets and len(window.octets) >= MAX_POINT_SETS:
            points = EVERY
        window.octets[points] = window.octets.get(points, 0) + octets
        if pictures:
            window.pictures[lowest(points)[1]] += pictures

    def _close(self, now: float) -> None:
        self._closed.append(self._open)
        while self._closed and self._closed[0].begins_at + WINDOW_S + AVERAGED_S < now:
            self._closed.popleft()
        # windows follow each other; after a silence a new one begins with the packet
        follows = self._open.begins_at + WINDOW_S
        self._open = _Window(follows if now < follows + WINDOW_S else now)

    def bitrates_bps(self, now: float, live_s: float) -> dict[OperatingPoint, int]:
        """Return, for each operating point seen in the last `live_s` seconds, its recent maximum over SMOOTHED_S.

        A stream that has been silent for longer than HELD_S costs nothing; one silent for `live_s` has no points.
        """
        windows = self._recent(now, HELD_S)
        points = {lowest(p) for window in self._recent(now, live_s) for p in window.octets}
        if not self._closed:  # nothing but the first window, which is not over
            span_s = min(max(now - self._open.begins_at, _LEAST_S), WINDOW_S)
            return {point: round(8 * self._open.octets_of(point) / span_s) for point in sorted(points)}
        if not windows:
            return dict.fromkeys(sorted(points), 0)
        span_s = min(max(now - windows[0].begins_at, WINDOW_S), SMOOTHED_S)
        return {
            point: round(8 * max(_octets(windows, i, point) for i in range(len(windows))) / span_s)
            for point in sorted(points)
        }

    def averages_bps(self, now: float, live_s: float) -> dict[OperatingPoint, int]:
        """Return, for each operating point seen in the last `live_s` seconds, the mean of the last AVERAGED_S."""
        windows = self._recent(now, AVERAGED_S)
        points = {lowest(p) for window in self._recent(now, live_s) for p in window.octets}
        if not windows:
            return dict.fromkeys(sorted(points), 0)
        span_s = min(max(now - windows[0].begins_at, _LEAST_S if not self._closed else WINDOW_S), AVERAGED_S)
        return {
            point: round(8 * sum(window.octets_of(point) for window in windows) / span_s)
            for point in sorted(points)
        }

    def age_s(self, now: float) -> float:
        """Return for how many seconds the stream has been measured without a long silence."""
        return now - self._recent(now, AVERAGED_S)[0].begins_at if self._recent(now, AVERAGED_S) else 0.0

    def frame_rate(self, temporal: int) -> float:
        """Return the frame rate up to a temporal layer in the last whole window; 0 before the first one."""
        return sum(self._closed[-1].pictures[: temporal + 1]) / WINDOW_S if self._closed else 0.0

    def _recent(self, now: float, within_s: float) -> list[_Window]:
        windows = (*self._closed, self._open)
        return [window for window in windows if window.begins_at + WINDOW_S + within_s > now]
