"""One clock for all tracks of a recording, from sender reports and arrival times.

Two lines, each fitted by least squares and bounded in its slope: RTP timestamp -> the publisher's NTP clock, one for
each stream; NTP clock -> the recorder's clock, one for each publisher's connection, through the reports with the
least delay. Before its first sender report, a stream is placed by the arrival times of its packets.
"""

from collections import deque

from recording.values import NS_PER_S

# RFC 3550 section 4: the fraction of the 64-bit NTP timestamp has 32 bits.
_NTP_FRACTION_BITS = 32
# Crystals are off by at most 100 ppm; sound cards and virtual machines by several times that.
MAX_DRIFT = 1e-3
# Reports come each second for video, each five seconds for audio. Five minutes show a drift of 1 ppm through 5 ms of
# noise, and follow a temperature.
_POINTS = 60
_FEW_POINTS = 12
_MIN_DISTANCE_NS = 9 * NS_PER_S // 2
_BUCKET_NS = 5 * NS_PER_S
# Below this spread a slope is noise.
_MIN_SPREAD_NS = 60 * NS_PER_S
# A report this far off the line comes from a clock that was set.
_STEP_NS = 500_000_000
# An arrival that differs so far from the earliest ones is of other timestamps, not of a slower path.
_RESTART_NS = 10 * NS_PER_S
# Packets after which the earliest arrival counts no longer: half a minute of audio.
_ARRIVALS_NS = 30 * NS_PER_S


def ntp_to_ns(ntp: int) -> int:
    """A 64-bit NTP timestamp in nanoseconds."""
    return ntp * NS_PER_S >> _NTP_FRACTION_BITS


class Line:
    """y = x + offset + slope * (x - reference): one clock as a function of another one of nearly the same rate."""

    def __init__(self) -> None:
        """No points yet."""
        self._points: deque[tuple[int, int]] = deque(maxlen=_POINTS)
        "(x, y - x)."
        self._reference = 0
        self._offset = 0.0
        self._slope = 0.0

    def __bool__(self) -> bool:
        """Whether there is a point to go by."""
        return bool(self._points)

    @property
    def is_dense(self) -> bool:
        """Whether the points are so close that some can be left out, for the line to look back farther."""
        return len(self._points) >= _FEW_POINTS

    @property
    def last(self) -> int:
        """The x of the last point."""
        return self._points[-1][0]

    def at(self, x: int) -> int:
        """The other clock's time; only when there is a point."""
        return x + round(self._offset + self._slope * (x - self._reference))

    def clear(self) -> None:
        """Forget all points."""
        self._points.clear()

    def add(self, x: int, y: int) -> None:
        """Take a point."""
        self._points.append((x, y - x))
        self._fit()

    def replace_last(self, x: int, y: int) -> None:
        """Take a point instead of the last one."""
        self._points[-1] = x, y - x
        self._fit()

    def _fit(self) -> None:
        count = len(self._points)
        x0, d0 = self._points[-1]
        mean_x = sum(x - x0 for x, _ in self._points) / count
        mean_d = sum(d - d0 for _, d in self._points) / count
        slope = 0.0
        if self._points[-1][0] - self._points[0][0] >= _MIN_SPREAD_NS:
            spread = sum((x - x0 - mean_x) ** 2 for x, _ in self._points)
            common = sum((x - x0 - mean_x) * (d - d0 - mean_d) for x, d in self._points)
            slope = max(-MAX_DRIFT, min(MAX_DRIFT, common / spread))
        self._slope = slope
        self._reference = x0
        self._offset = d0 + mean_d - slope * mean_x


class SourceClock:
    """A publisher's NTP clock by the recorder's."""

    def __init__(self) -> None:
        """No report yet."""
        self._line = Line()
        self._bucket_at = 0
        self._earliest = 0, 0
        "(NTP time, sent) of the report with the least delay in this bucket."
        self._in_line = False
        "The line has a point of this bucket."
        self.epoch = 0
        "Number of times that the publisher's clock was set."

    def __bool__(self) -> bool:
        """Whether a report was received."""
        return bool(self._line)

    def at(self, ntp_ns: int) -> int:
        """The recorder's time of a moment of the publisher's."""
        return self._line.at(ntp_ns)

    def was_set(self) -> None:
        """The publisher's clock was set: discard its history."""
        self.epoch += 1
        self._line.clear()

    def report(self, ntp_ns: int, arrived_ns: int, rtt_ns: int) -> None:
        """Add a sender report of any of the publisher's streams.

        The least delay of each bucket counts; the excess is queuing delay.
        """
        sent_ns = arrived_ns - rtt_ns // 2
        if self._line and self._is_step(ntp_ns, sent_ns):
            self.was_set()
        if not self._line:
            self._line.add(ntp_ns, sent_ns)
            self._begin_bucket(ntp_ns, sent_ns, in_line=True)
        elif not 0 <= ntp_ns - self._bucket_at < _BUCKET_NS:
            # Only whole buckets count, but for the first: one late report at the end would turn the line.
            if not self._in_line:
                self._line.add(*self._earliest)
            self._begin_bucket(ntp_ns, sent_ns, in_line=False)
        elif sent_ns - ntp_ns < self._earliest[1] - self._earliest[0]:
            self._earliest = ntp_ns, sent_ns
            if self._in_line:
                self._line.replace_last(ntp_ns, sent_ns)

    def _begin_bucket(self, ntp_ns: int, sent_ns: int, *, in_line: bool) -> None:
        self._bucket_at, self._earliest, self._in_line = ntp_ns, (ntp_ns, sent_ns), in_line

    def _is_step(self, ntp_ns: int, sent_ns: int) -> bool:
        # A report that is a second late waited in a queue; one that is early cannot have been sent in the future.
        late = sent_ns - self._line.at(ntp_ns)
        return late < -_STEP_NS or late > 10 * _STEP_NS


class StreamClock:
    """The RTP timestamps of one stream by the recorder's clock."""

    def __init__(self, source: SourceClock, clock_rate: int, rtt_ns: int = 0) -> None:
        """`source` is the clock of the publisher's connection; its round-trip time counts before the first report."""
        self._rtt_ns = rtt_ns
        self._source = source
        self._rate = clock_rate
        self._line = Line()
        self._epoch = 0
        self._early: deque[tuple[int, int]] = deque()
        "(timestamp in ns, arrival - timestamp) with offsets that only grow: the first is the least."

    def _ns(self, timestamp: int) -> int:
        return timestamp * NS_PER_S // self._rate

    def arrived(self, timestamp: int, arrived_ns: int) -> None:
        """A packet with this unwrapped timestamp arrived."""
        ns = self._ns(timestamp)
        offset = arrived_ns - ns
        if self._early and abs(offset - self._early[0][1]) > _RESTART_NS:
            # The timestamps stopped, as some do while muted, or restarted.
            self._early.clear()
            self._line.clear()
        while self._early and self._early[-1][1] >= offset:
            self._early.pop()
        self._early.append((ns, offset))
        while ns - self._early[0][0] > _ARRIVALS_NS:
            self._early.popleft()

    def report(self, ntp_ns: int, timestamp: int, arrived_ns: int, rtt_ns: int) -> None:
        """Take a sender report of the stream, with its unwrapped timestamp."""
        ns = self._ns(timestamp)
        known = self._line and self._epoch == self._source.epoch
        if known and abs(self._line.at(ns) - ntp_ns) > _STEP_NS:
            # Not a late report, as timestamp and NTP time are of the same moment.
            self._source.was_set()
        self._source.report(ntp_ns, arrived_ns, rtt_ns)
        if self._epoch != self._source.epoch:
            self._epoch = self._source.epoch
            self._line.clear()
        if not (self._line.is_dense and 0 <= ns - self._line.last < _MIN_DISTANCE_NS):
            self._line.add(ns, ntp_ns)

    @property
    def has_report(self) -> bool:
        """Whether its times rest on sender reports rather than on arrivals."""
        # After a step of the publisher's clock the line is of no use before this stream's next report.
        return bool(self._line) and self._epoch == self._source.epoch

    def at(self, timestamp: int) -> int:
        """The recorder's time of an unwrapped timestamp; only after a packet or a report."""
        ns = self._ns(timestamp)
        if self.has_report:
            return self._source.at(self._line.at(ns))
        return ns + (self._early[0][1] if self._early else 0) - self._rtt_ns // 2
